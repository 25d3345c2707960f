//! `hip-smoke chroot`: a clean chroot of a suite, built once and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::cli::Chroot;
use crate::process;

/// The longest that building a chroot may take.
const LIMIT: Duration = Duration::from_secs(3600);

/// The folder to check: `suite` itself if it is one, else a chroot from the cache or a new one.
///
/// # Errors
/// What mmdebstrap prints; a half-built chroot is removed.
pub fn prepare(options: &Chroot) -> anyhow::Result<PathBuf> {
    let folder = Path::new(&options.suite);
    if folder.is_dir() {
        return Ok(folder.to_path_buf());
    }
    ensure!(!options.suite.contains('/'), "{} is no folder, and no suite has a / in its name", options.suite);
    let cache = options.cache.clone().map_or_else(default_cache, Ok)?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let done = cache.join(name(options));
    if done.is_dir() && options.rebuild {
        fs::remove_dir_all(&done).with_context(|| format!("cannot remove {}", done.display()))?;
    }
    if !done.is_dir() {
        build(options, &cache, &done)?;
    }
    Ok(done)
}

/// One chroot for each suite and set of packages.
fn name(options: &Chroot) -> String {
    let mut packages = options.packages.clone();
    packages.sort();
    packages.dedup();
    // FNV-1a: it only has to tell sets of packages apart.
    let hash = packages.join(",").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}-{:08x}", options.suite, hash as u32)
}

fn default_cache() -> anyhow::Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set; give --cache")?.join("hip-smoke"))
}

fn build(options: &Chroot, cache: &Path, done: &Path) -> anyhow::Result<()> {
    let unfinished = tempfile::Builder::new().prefix("unfinished.").tempdir_in(cache)?;
    let mut command = Command::new("mmdebstrap");
    command.arg("--variant=apt").arg(format!("--include={}", options.packages.join(",")));
    for option in ["APT::Install-Recommends \"false\"", "Acquire::Languages \"none\""] {
        command.arg(format!("--aptopt={option}"));
    }
    for option in &options.aptopt {
        command.arg(format!("--aptopt={option}"));
    }
    command.arg("--dpkgopt=force-unsafe-io").arg(&options.suite).arg(unfinished.path()).args(&options.mirror);
    eprintln!("hip-smoke: building a chroot of {} with mmdebstrap", options.suite);
    let result = process::run(&mut command, LIMIT, cache)
        .context("cannot run mmdebstrap: install it, or name a folder with a system")?;
    ensure!(result.success(), "mmdebstrap: {}", result.story());
    fs::rename(unfinished.path(), done).with_context(|| format!("cannot make {}", done.display()))?;
    let _ = unfinished.keep();
    Ok(())
}
