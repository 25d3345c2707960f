//! The card that programs run on: the one there is, or the virtual one.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::cargo::{cargo, target_folder};

/// A cargo profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Tests: one profile for everything, so nothing is compiled twice.
    Dev,
    /// Demonstrations, benches and chroots.
    Release,
}

impl Profile {
    /// The arguments that select it.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Profile::Dev => &[],
            Profile::Release => &["--release"],
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}

/// Builds the command `vega`: one file, both a program and a library to preload.
pub fn build_vega(profile: Profile) -> anyhow::Result<PathBuf> {
    let status = cargo()
        .args(["build", "--quiet", "--package", "vega"])
        .args(profile.arguments())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "vega does not build ({status})");
    let program = target_folder()?.join(profile.folder()).join("vega");
    ensure!(program.is_file(), "cargo built no {}", program.display());
    Ok(program)
}

/// How programs are started so that they find a card.
#[derive(Clone, Debug)]
pub struct Card {
    vega: Option<PathBuf>,
}

impl Card {
    /// The real card if /dev/kfd opens, else the virtual one of this `vega` file.
    pub fn detect(vega: &Path) -> Self {
        let real = OpenOptions::new().read(true).write(true).open("/dev/kfd").is_ok();
        Self { vega: (!real).then(|| vega.to_path_buf()) }
    }

    /// For people.
    pub fn describe(&self) -> &'static str {
        match self.vega {
            Some(_) => "the virtual Vega (no /dev/kfd that opens here)",
            None => "the card in this machine",
        }
    }

    /// Whether it is the virtual one.
    pub fn is_virtual(&self) -> bool {
        self.vega.is_some()
    }

    /// Starts `program` on the card.
    pub fn command(&self, program: &Path) -> Command {
        self.command_with(1, program)
    }

    /// Starts `program` with that many virtual cards, or with the real ones there are.
    pub fn command_with(&self, cards: u32, program: &Path) -> Command {
        match &self.vega {
            None => Command::new(program),
            Some(vega) => {
                let mut command = Command::new(vega);
                command.args(["run", "--gpus", &cards.to_string(), "--"]).arg(program);
                command
            }
        }
    }
}
