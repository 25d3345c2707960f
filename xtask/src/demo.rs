//! `cargo xtask demo`: devices, SAXPY and GEMM on the card there is, or on the virtual one.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::card::{Card, Profile, build_vega};
use crate::cargo::{Artifact, build};
use crate::process::die_with_parent;
use crate::report::spinner;

/// The examples, in order.
const EXAMPLES: &[&str] = &["01_devices", "02_saxpy", "03_gemm"];

/// Builds and runs the examples.
pub fn run() -> anyhow::Result<()> {
    let start = Instant::now();
    let progress = spinner("building the virtual Vega");
    let vega = build_vega(Profile::Release)?;
    progress.set_message("building the examples");
    let mut arguments = vec!["--package", "hip-vega"];
    arguments.extend(Profile::Release.arguments());
    arguments.extend(EXAMPLES.iter().flat_map(|example| ["--example", example]));
    let built = build("build", &arguments)?;
    progress.finish_and_clear();
    println!("Built in {:.0} s.", start.elapsed().as_secs_f64());
    let card = Card::detect(&vega);
    println!("Running on {}.", card.describe());
    for name in EXAMPLES {
        let example = built.iter().find(|artifact| artifact.target == *name);
        show(&card, example.with_context(|| format!("cargo built no example {name}"))?)?;
    }
    Ok(())
}

/// Runs one example, its output on this terminal.
fn show(card: &Card, example: &Artifact) -> anyhow::Result<()> {
    println!("\n── {} ──", example.target);
    let mut command: Command = card.command(&example.executable);
    let mut child = die_with_parent(&mut command).spawn().context("cannot run it")?;
    // A lost completion would let the runtime spin for ever.
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "{}: {status}", example.target);
            return Ok(());
        }
        if Instant::now() > limit {
            child.kill()?;
            child.wait()?;
            bail!("{}: still running after 120 s", example.target);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
