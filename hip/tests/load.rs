//! No HIP runtime to be found: a clear error, each time, and a process that goes on.

use hip::{Device, ErrorKind, Runtime};
use std::process::Command;

/// Set in the child, which finds no runtime.
const CHILD: &str = "HIP_TEST_LOAD_CHILD";

#[test]
fn without_a_runtime_every_attempt_is_told() {
    if std::env::var_os(CHILD).is_some() {
        for _ in 0..2 {
            let error = Runtime::load().unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::RuntimeNotFound);
            let text = error.to_string();
            assert!(text.contains("/nonexistent/libamdhip64.so"), "{text}");
            assert!(error.code().is_none() && error.call().is_none());
        }
        assert_eq!(Device::first().unwrap_err().kind(), &ErrorKind::RuntimeNotFound);
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without_a_runtime_every_attempt_is_told"])
        .env(CHILD, "1")
        .env("HIP_LIBRARY", "/nonexistent/libamdhip64.so")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
