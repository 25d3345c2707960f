//! What several tests of the command need.
#![allow(dead_code)] // each test program uses a part of it

pub mod breakages;
pub mod broken;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command.
pub const SMOKE: &str = env!("CARGO_BIN_EXE_hip-smoke");

/// The virtual card's file, beside the command.
pub fn vega() -> PathBuf {
    Path::new(SMOKE).with_file_name("vega")
}

/// Whether a test can run here, with a line that says why it cannot. `cargo xtask test` insists that all can.
pub fn possible(conditions: &[(bool, &str)]) -> bool {
    let missing: Vec<&str> = conditions.iter().filter(|(met, _)| !met).map(|(_, what)| *what).collect();
    let required = std::env::var_os("HIP_TEST_REQUIRE_DEVICE").is_some_and(|value| value == "1");
    assert!(missing.is_empty() || !required, "this test needs {}", missing.join(", "));
    if !missing.is_empty() {
        eprintln!("skipped: it needs {}", missing.join(", "));
    }
    missing.is_empty()
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

/// Whether a program is in PATH.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether Debian's HIP is installed.
pub fn debian_hip() -> bool {
    Path::new("/var/lib/dpkg/info/libamdhip64-5.list").exists()
}

/// Size, mode, owner and time of a file, in seconds and nanoseconds.
pub type Entry = (u64, u32, u32, i64, i64);

/// Everything below a folder.
pub type Snapshot = BTreeMap<PathBuf, Entry>;

/// Everything below a folder: size, mode, owner and time of each. Other file systems below it are left out.
pub fn snapshot(folder: &Path) -> Snapshot {
    let mut all = BTreeMap::new();
    let device = fs::symlink_metadata(folder).expect("the folder is there").dev();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            // Other programs of this machine remove files while this one looks.
            let Ok(data) = fs::symlink_metadata(&path) else { continue };
            if data.is_dir() && data.dev() == device {
                folders.push(path.clone());
            }
            all.insert(path, (data.len(), data.mode(), data.uid(), data.mtime(), data.mtime_nsec()));
        }
    }
    all
}

/// Runs a command; its output when it succeeded.
pub fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, stderr(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it printed for people.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The JSON report.
pub fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// A folder that looks like a system, with nothing in it.
pub fn bare_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for folder in ["dev", "proc", "sys", "tmp", "etc", "usr/lib", "usr/lib64"] {
        fs::create_dir_all(root.path().join(folder)).expect("made");
    }
    fs::write(root.path().join("usr/lib/libc.so.6"), "stands for the C library").expect("written");
    root
}
