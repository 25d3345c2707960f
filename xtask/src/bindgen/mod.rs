//! `cargo xtask bindgen`: hip-sys from the HIP headers.

/// What `cargo xtask bindgen` was asked to do.
#[derive(clap::Parser)]
pub struct Options {}

/// Regenerates the bindings.
pub fn run(_options: &Options) -> anyhow::Result<()> {
    anyhow::bail!("there is no generator yet")
}
