//! `cargo xtask install`: programs, manual pages and completions below a prefix, as packages have them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::cargo::{cargo, target_folder};

/// The programs, each a package of the same name but for the second column.
const PROGRAMS: &[(&str, &str)] = &[("vega", "vega"), ("hip-smoke", "hip-smoke")];

/// Where each shell looks for completions below a prefix, `{}` standing for the program.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "share/bash-completion/completions/{}"),
    ("zsh", "share/zsh/site-functions/_{}"),
    ("fish", "share/fish/vendor_completions.d/{}.fish"),
];

/// Where and how.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the files are to be found later: /usr for packages
    #[arg(long, default_value = "/usr/local")]
    prefix: PathBuf,
    /// A folder to put in front of the prefix now, as packages are built
    #[arg(long)]
    destdir: Option<PathBuf>,
    /// Use no network: everything that cargo needs is vendored or in its cache
    #[arg(long)]
    offline: bool,
}

/// Builds and installs; prints each file.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut build = cargo();
    build.args(["build", "--release", "--locked"]);
    if options.offline {
        build.arg("--offline");
    }
    for (package, _) in PROGRAMS {
        build.args(["--package", package]);
    }
    let status = build.status().context("cannot run cargo")?;
    ensure!(status.success(), "the programs do not build ({status})");
    let prefix = match &options.destdir {
        Some(destdir) => destdir.join(options.prefix.strip_prefix("/").unwrap_or(&options.prefix)),
        None => options.prefix.clone(),
    };
    let built = target_folder()?.join("release");
    for (_, program) in PROGRAMS {
        let file = built.join(program);
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        write(&prefix.join("bin").join(program), &bytes, 0o755)?;
        write(&prefix.join(format!("share/man/man1/{program}.1")), &print(&file, &["man"])?, 0o644)?;
        for (shell, place) in COMPLETIONS {
            let text = print(&file, &["completions", shell])?;
            write(&prefix.join(place.replace("{}", program)), &text, 0o644)?;
        }
    }
    Ok(())
}

/// What the program prints.
fn print(program: &Path, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(output.status.success(), "{} {}: {}", program.display(), arguments.join(" "), output.status);
    Ok(output.stdout)
}

/// Writes beside the old file and renames: whoever runs the old one goes on.
fn write(file: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let folder = file.parent().context("a file without a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut new = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("{} cannot be written", folder.display()))?;
    std::io::Write::write_all(&mut new, bytes)?;
    new.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    new.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}
