//! `cargo xtask bindgen`: hip-sys's generated files, from the HIP headers of several releases.
//!
//! Each release's headers are read by libclang through bindgen, as C and as C++ ([`parse`]); the releases are united
//! ([`union`]), against the rows of what is known to have moved ([`moved`]); the result is written as Rust
//! ([`emit`], [`layout`]). Only `--fetch` uses the network.

mod check;
mod docs;
mod emit;
mod fetch;
mod layout;
mod moved;
mod parse;
mod sets;
mod union;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::{root, target_folder};
use parse::Headers;
use sets::{RELEASES, Release};

/// Regenerates hip-sys's bindings from the HIP headers of all supported releases.
///
/// Headers are looked for where Debian's libamdhip64-dev installs them and in target/headers/RELEASE/include.
/// Needs libclang (Debian: libclang-15-dev).
#[derive(clap::Parser)]
pub struct Options {
    /// A folder that holds hip/: use its headers for the release that they are of. With --check, only them
    #[arg(long, value_name = "DIR")]
    include: Option<PathBuf>,
    /// Write nothing; fail when the checked-in files differ from what the headers say.
    ///
    /// With the headers of all releases, the files must be equal byte for byte. With fewer, what each of the
    /// releases that are present declares must agree with the checked-in files.
    #[arg(long)]
    check: bool,
    /// Download the headers that are missing: Debian's packages by apt, one of PyPI's wheels by pip
    #[arg(long)]
    fetch: bool,
}

/// Runs the command.
pub fn run(options: &Options) -> Result<()> {
    let headers = target_folder()?.join("headers");
    let mut given = None;
    if let Some(include) = &options.include {
        given = Some((sets::release_of(include)?, include.clone()));
    }
    if options.fetch {
        for release in &RELEASES {
            if release.present(&headers).is_none() {
                println!("fetching the headers of HIP {}", release.name);
                fetch::fetch(release, &headers)?;
            }
        }
    }
    let folder = |release: &'static Release| match &given {
        Some((of, include)) if of.name == release.name => Some(include.clone()),
        Some(_) if options.check => None,
        _ => release.present(&headers),
    };
    let mut all = Vec::new();
    let mut missing = Vec::new();
    for release in &RELEASES {
        match folder(release) {
            Some(include) => {
                println!("HIP {}: {}", release.name, include.display());
                let read = parse::headers(release, &include);
                all.push(read.with_context(|| format!("HIP {} in {}", release.name, include.display()))?);
            }
            None => missing.push(release.name),
        }
    }
    if options.check && !missing.is_empty() {
        ensure!(!all.is_empty(), "no HIP headers are here; --fetch downloads them");
        return check::releases(&all, &root().join("hip-sys"));
    }
    if !missing.is_empty() {
        bail!("the headers of HIP {} are not here; --fetch downloads them", missing.join(" and "));
    }
    whole(&all, options.check)
}

/// Generates every file, and writes or compares them.
fn whole(all: &[Headers], compare: bool) -> Result<()> {
    let united = union::unite(all)?;
    let mut files = vec![
        ("src/functions.rs".to_owned(), emit::functions(&united)),
        ("src/methods.rs".to_owned(), emit::methods(&united)),
        ("src/types.rs".to_owned(), emit::types(&united)),
        ("tests/layout/table.rs".to_owned(), layout::table(&united)),
    ];
    for (since, old) in &united.old {
        files.push((format!("src/abi/v{}_{}.rs", since.0, since.1), emit::old(*since, old)));
    }
    let drafts = target_folder()?.join("bindgen");
    let hip_sys = root().join("hip-sys");
    let mut stale = Vec::new();
    for (name, text) in &files {
        let draft = drafts.join(name);
        write(&draft, text)?;
        rustfmt(&draft)?;
        let new = fs::read_to_string(&draft)?;
        let home = hip_sys.join(name);
        if fs::read_to_string(&home).is_ok_and(|old| old == new) {
            continue;
        }
        if compare {
            stale.push(format!("hip-sys/{name} (compare with {})", draft.display()));
        } else {
            write(&home, &new)?;
            println!("wrote hip-sys/{name}");
        }
    }
    for entry in fs::read_dir(hip_sys.join("src/abi"))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let generated = file.strip_suffix(".rs").is_some_and(check::is_version);
        if generated && !files.iter().any(|(name, _)| name.ends_with(&format!("/{file}"))) {
            stale.push(format!("hip-sys/src/abi/{file} (nothing moves at that version: remove it)"));
        }
    }
    ensure!(stale.is_empty(), "not what the headers give:\n  {}", stale.join("\n  "));
    println!("{} functions, {} types of {} releases", united.functions.len(), united.types.len(), all.len());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Sets the layout of one file, by the project's own rules.
fn rustfmt(path: &Path) -> Result<()> {
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root())
        .arg(path)
        .status()
        .context("cannot run rustfmt (rustup component add rustfmt)")?;
    ensure!(status.success(), "rustfmt {}: {status}", path.display());
    Ok(())
}
