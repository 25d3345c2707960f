//! Builds through cargo, and what came out of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

/// An executable that a build made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The package it belongs to.
    pub package: String,
    /// The folder of that package's Cargo.toml: tests run there.
    pub folder: PathBuf,
    /// The target's name.
    pub target: String,
    /// The target's kind: `lib`, `bin`, `test`, `example`, `bench`, …
    pub kind: String,
    /// Whether it was built as a test harness.
    pub test: bool,
    /// The executable.
    pub executable: PathBuf,
}

/// The project's root folder.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// `cargo`, in the project's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // What cargo told this program about itself is no business of the builds that it starts.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// cargo's target folder, which an environment variable or a configuration file may have moved.
pub fn target_folder() -> anyhow::Result<PathBuf> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", output.status);
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
    Ok(PathBuf::from(folder))
}

/// Runs `cargo SUBCOMMAND ARGUMENTS` with JSON messages; returns the executables, keyed by package and target.
pub fn build(subcommand: &str, arguments: &[&str]) -> anyhow::Result<Vec<Artifact>> {
    let output = cargo()
        .arg(subcommand)
        .args(["--message-format", "json-render-diagnostics"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo {subcommand} {}: {}", arguments.join(" "), output.status);
    Ok(artifacts(&String::from_utf8_lossy(&output.stdout)))
}

fn artifacts(messages: &str) -> Vec<Artifact> {
    let mut all = BTreeMap::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        if let Some(artifact) = artifact(&message) {
            all.insert((artifact.package.clone(), artifact.kind.clone(), artifact.target.clone()), artifact);
        }
    }
    all.into_values().collect()
}

/// Reads a `compiler-artifact` message that names an executable.
fn artifact(message: &Value) -> Option<Artifact> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    Some(Artifact {
        package: package_name(message["package_id"].as_str()?),
        folder: manifest.parent()?.to_path_buf(),
        target: text(&message["target"]["name"])?,
        kind: text(&message["target"]["kind"][0])?,
        test: message["profile"]["test"].as_bool()?,
        executable: PathBuf::from(message["executable"].as_str()?),
    })
}

/// The name in a package id: `path+file:///folder#name@1.0.0`, or `…/name#1.0.0` where the folder has the same name.
fn package_name(id: &str) -> String {
    let (url, fragment) = id.split_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => url.rsplit('/').next().unwrap_or(url).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_package_ids() {
        assert_eq!(package_name("path+file:///home/x/main#hip-vega@0.1.0"), "hip-vega");
        assert_eq!(package_name("path+file:///home/x/main/vega/exec#vega-exec@0.1.0"), "vega-exec");
        assert_eq!(package_name("path+file:///home/x/main/hip#0.1.0"), "hip");
    }

    #[test]
    fn keeps_executables_only() {
        let messages = r#"
{"reason":"compiler-artifact","package_id":"path+file:///p/hip#0.1.0","manifest_path":"/p/hip/Cargo.toml","target":{"kind":["test"],"name":"device"},"profile":{"test":true},"executable":"/t/device-1"}
{"reason":"compiler-artifact","package_id":"path+file:///p/hip#0.1.0","manifest_path":"/p/hip/Cargo.toml","target":{"kind":["lib"],"name":"hip"},"profile":{"test":false},"executable":null}
{"reason":"build-finished","success":true}
not json"#;
        let found = artifacts(messages);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].package.as_str(), found[0].target.as_str(), found[0].test),
            ("hip", "device", true)
        );
        assert_eq!(found[0].folder, Path::new("/p/hip"));
    }
}
