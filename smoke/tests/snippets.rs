//! The snippets that packagers copy, each tested as far as it can be here.

use std::path::{Path, PathBuf};
use std::process::Command;

fn snippet(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snippets").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(snippet(name)).expect("the snippet is there")
}

/// A folder with a program `hip-smoke` that exits with a status, to be first in PATH.
fn stand_in(status: u8) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hip-smoke");
    std::fs::write(
        &file,
        format!("#!/bin/sh\necho \"$@\" >> {}/calls\nexit {status}\n", folder.path().display()),
    )
    .expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("made executable");
    folder
}

/// Runs shell text with the stand-in in PATH; whether it succeeded.
fn run(shell: &str, text: &str, status: u8) -> bool {
    let folder = stand_in(status);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").expect("PATH"));
    let mut command = Command::new(shell);
    command.arg("-c").arg(text).env("PATH", path).env("srcdir", folder.path()).env("T", folder.path());
    let done = command.output().expect("the shell runs");
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    assert!(calls.contains("--virtual") && calls.contains("--quick"), "hip-smoke was not called: {calls}");
    done.status.success()
}

#[test]
fn the_shell_snippets_pass_skip_and_fail() {
    let frames = [
        ("PKGBUILD.check", "bash", format!("{}\ncheck", text("PKGBUILD.check"))),
        (
            "ebuild.check",
            "bash",
            format!("die() {{ exit 1; }}; ewarn() {{ :; }}\n{}\nsrc_test", text("ebuild.check")),
        ),
        ("check.spec", "sh", rpm_check()),
        ("passthru-tests.nix", "sh", nix_build()),
        ("rocm-smoke.yml", "sh", workflow_step()),
    ];
    for (name, shell, script) in frames {
        for (status, passes) in [(0, true), (77, name != "rocm-smoke.yml"), (1, false), (3, false)] {
            assert_eq!(run(shell, &script, status), passes, "{name} with status {status}");
        }
    }
}

/// The workflow's step that runs the checks, its variables replaced. There a device that cannot be made is a failure: the
/// step runs with all rights.
fn workflow_step() -> String {
    let workflow = text("github/rocm-smoke.yml");
    let steps: Vec<&str> = workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: ")).collect();
    let step = steps.iter().find(|step| step.contains("hip-smoke chroot")).expect("the step");
    step.replace("sudo ", "").replace("${{ matrix.suite }}", "trixie")
}

/// The shell part of the .spec, its macro replaced.
fn rpm_check() -> String {
    let spec = text("check.spec");
    let (_, script) = spec.split_once("%check\n").expect("a %check section");
    script.replace("%{_builddir}", "$T")
}

/// The build script of the Nix expression, its variables replaced.
fn nix_build() -> String {
    let expression = text("passthru-tests.nix");
    let script = expression.split("''").nth(1).expect("a build script");
    let line = script.lines().find(|line| line.contains("hip-smoke --virtual")).expect("the call");
    line.replace("${clr}", "/opt/rocm")
}

#[test]
fn the_debian_test_hands_the_status_on() {
    for status in [0u8, 1, 3, 77] {
        let folder = stand_in(status);
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").expect("PATH"));
        let done = Command::new(snippet("debian/tests/smoke"))
            .env("PATH", path)
            .env("AUTOPKGTEST_TMP", folder.path())
            .output()
            .expect("the script runs");
        assert_eq!(done.status.code(), Some(status.into()));
    }
}

#[test]
fn the_debian_control_file_names_the_script() {
    let control = text("debian/tests/control");
    let tests = control.lines().find_map(|line| line.strip_prefix("Tests: ")).expect("Tests:");
    assert!(snippet("debian/tests").join(tests).is_file());
    assert!(control.contains("skippable"), "77 means skipped only then");
}
