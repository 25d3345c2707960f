//! Failing to load, each time in a child process: a process loads the runtime once, and keeps the result.
//!
//! # Safety
//!
//! The children change their environment while no other thread reads it.

mod common;

use std::env;
use std::path::Path;
use std::process::Command;

use hip_sys::{Api, LoadError};

/// Tells a child what it is.
const CHILD: &str = "HIP_SYS_TEST_CHILD";

/// Runs one test of this file again, as a child with `HIP_LIBRARY` set.
fn child(test: &str, library: &Path) {
    let me = env::current_exe().expect("this file's path");
    let output = Command::new(me)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .env("HIP_LIBRARY", library)
        .output()
        .expect("the child starts");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    assert!(text.contains("1 passed"), "{text}");
}

/// Whether this process is the child of a test.
fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

fn failure() -> LoadError {
    Api::load().expect_err("there is nothing to load")
}

#[test]
fn a_library_that_is_not_there_is_named_with_the_linkers_message() {
    if !is_child() {
        let test = "a_library_that_is_not_there_is_named_with_the_linkers_message";
        return child(test, Path::new("/nowhere/libamdhip64.so"));
    }
    let error = failure();
    let [attempt] = error.tried() else { panic!("{error}") };
    assert_eq!((attempt.path.as_str(), attempt.why), ("/nowhere/libamdhip64.so", "HIP_LIBRARY"));
    assert!(attempt.message.contains("No such file"), "{attempt:?}");
    let text = error.to_string();
    assert!(
        text.contains("/nowhere/libamdhip64.so (HIP_LIBRARY): ") && text.contains("No such file"),
        "{text}"
    );
}

#[test]
fn a_folder_is_searched_for_each_soname() {
    let folder = env::temp_dir();
    if !is_child() {
        return child("a_folder_is_searched_for_each_soname", &folder);
    }
    let error = failure();
    let tried: Vec<_> = error.tried().iter().map(|attempt| Path::new(&attempt.path).to_owned()).collect();
    let names = ["libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"];
    assert_eq!(tried, names.map(|name| folder.join(name)));
}

#[test]
fn a_file_that_is_no_library_is_an_error() {
    let file = env::current_exe().expect("this file's path").with_extension("d.not-a-library");
    if !is_child() {
        std::fs::write(&file, "not a library").expect("a file in the target folder");
        child("a_file_that_is_no_library_is_an_error", &file);
        std::fs::remove_file(&file).expect("the file is there");
        return;
    }
    let error = failure();
    assert!(error.to_string().contains("not-a-library"), "{error}");
}

#[test]
fn the_first_result_is_kept() {
    if !is_child() {
        return child("the_first_result_is_kept", Path::new("/nowhere/libamdhip64.so"));
    }
    let first = failure();
    // SAFETY: the test's thread is the only one that uses the environment.
    unsafe { env::set_var("HIP_LIBRARY", "/elsewhere/libamdhip64.so") };
    let second = failure();
    assert_eq!(second.tried(), first.tried());
    assert!(second.to_string().contains("/nowhere/"), "{second}");
}

#[test]
fn a_copy_that_is_loaded_already_is_used_before_any_search() {
    if !is_child() {
        let test = "a_copy_that_is_loaded_already_is_used_before_any_search";
        return child(test, Path::new("/nowhere/libamdhip64.so"));
    }
    let sonames = ["libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"];
    let Some(loaded) = sonames.iter().find_map(|name| Api::open(name).ok()) else {
        return common::not_here("HIP_SYS_REQUIRE_RUNTIME", "no HIP runtime is installed");
    };
    let found = Api::load().expect("HIP_LIBRARY is not looked at");
    assert_eq!(found.path(), loaded.path());
    assert!(found.path().is_some() && found.supports("hipGetDeviceCount"));
}

#[test]
fn a_library_that_is_not_hip_loads_and_lacks_every_function() {
    // A library that every process here has: the C library.
    let api = Api::open("libc.so.6").expect("the C library");
    assert!(!api.supports("hipMalloc"));
    // SAFETY: nothing is called: the symbol is missing.
    let error = unsafe { api.hipDeviceSynchronize() }.expect_err("the C library has no such function");
    assert_eq!(error.to_string(), "the HIP runtime does not export hipDeviceSynchronize");
}
