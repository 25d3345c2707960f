//! What a stack consists of: heads each report, so that two stacks can be compared.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::checks;
use crate::stack::{Stack, file_name};

/// What a stack consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The distribution's name for itself.
    pub system: String,
    /// The package manager, or why there is nothing of it.
    #[serde(default)]
    pub manager: String,
    /// Every package and its version.
    pub packages: BTreeMap<String, String>,
    /// Each library's soname, and the file behind it.
    pub sonames: BTreeMap<String, String>,
    /// First line of `clang --version`.
    pub llvm: Option<String>,
    /// The processors that the distribution builds for, as the command line says.
    pub targets: Vec<String>,
    /// The processors that the device libraries know.
    #[serde(default)]
    pub processors: Vec<String>,
}

/// Parts of package names that belong to a stack.
const NAMES: &[&str] =
    &["rocm", "roc", "hip", "hsa", "comgr", "llvm", "clang", "amd", "miopen", "rccl", "hsakmt"];

/// Whether a package of this name is part of a stack.
pub fn of_stack(name: &str) -> bool {
    NAMES.iter().any(|part| name.contains(part))
}

/// The processors that the device libraries know, as the names of their files say.
fn processors(stack: &Stack) -> Vec<String> {
    let folder = checks::bitcode_folder(stack).ok().flatten();
    let files = folder.into_iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let mut all: Vec<String> = files
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(format!("gfx{}", name.strip_prefix("oclc_isa_version_")?.strip_suffix(".bc")?))
        })
        .collect();
    all.sort();
    all
}

impl Fingerprint {
    /// Reads it.
    pub fn of(stack: &Stack) -> Self {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let elf = |library: &crate::stack::Library| library.elf.as_ref().ok()?.soname.clone();
        let version = stack.clang("clang").and_then(|clang| {
            let done = stack.run(stack.command(&clang).arg("--version")).ok()?;
            done.output.lines().next().map(str::to_owned)
        });
        let manager = stack.packages.manager().map(|manager| manager.name().to_owned());
        Self {
            system: name.unwrap_or("unknown").trim_matches('"').to_owned(),
            manager: manager.or_else(|| stack.packages.problem.clone()).unwrap_or_default(),
            packages: stack.packages.versions.clone(),
            sonames: stack
                .libraries
                .iter()
                .filter_map(|library| Some((elf(library)?, file_name(&library.file))))
                .collect(),
            llvm: version,
            targets: stack.targets.clone(),
            processors: processors(stack),
        }
    }
}
