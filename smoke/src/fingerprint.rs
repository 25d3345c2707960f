//! What a stack consists of: heads each report, so that two stacks can be compared.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::stack::{Stack, file_name};

/// What a stack consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The distribution's name for itself.
    pub system: String,
    /// Packages of the stack and their versions.
    pub packages: BTreeMap<String, String>,
    /// Each library's soname, and the file behind it.
    pub sonames: BTreeMap<String, String>,
    /// First line of `clang --version`.
    pub llvm: Option<String>,
    /// The processors that the distribution builds for, as the command line says.
    pub targets: Vec<String>,
}

/// Parts of package names that belong to a stack.
const NAMES: &[&str] =
    &["rocm", "roc", "hip", "hsa", "comgr", "llvm", "clang", "amd", "miopen", "rccl", "hsakmt"];

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
        let of_stack = |name: &str| NAMES.iter().any(|part| name.contains(part));
        Self {
            system: name.unwrap_or("unknown").trim_matches('"').to_owned(),
            packages: stack
                .packages
                .versions
                .iter()
                .filter(|(name, _)| of_stack(name))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect(),
            sonames: stack
                .libraries
                .iter()
                .filter_map(|library| Some((elf(library)?, file_name(&library.file))))
                .collect(),
            llvm: version,
            targets: stack.targets.clone(),
        }
    }
}
