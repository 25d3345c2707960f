//! The function table against the runtime that is installed.
//!
//! # Safety
//!
//! Only functions are called that need no device, with pointers to what lives across the call; or functions that
//! are missing, which calls nothing.

mod common;

use std::fs;

use hip_sys::exports::NOT_EXPORTED;
use hip_sys::{Api, FUNCTIONS, LoadError};

/// Says why a test of the installed runtime does not run.
fn no_runtime(reason: &str) {
    common::not_here("HIP_SYS_REQUIRE_RUNTIME", reason);
}

/// The installed runtime, or a note that there is none.
fn runtime() -> Option<&'static Api> {
    match Api::load() {
        Ok(api) => Some(api),
        Err(error) => {
            no_runtime(&error.to_string());
            None
        }
    }
}

#[test]
fn every_declared_function_is_exported_but_the_known_ones() {
    let Some(api) = runtime() else { return };
    let path = api.path().expect("the library's file is known");
    // libamdhip64.so.5.2.21153: the file's name has what hip_version.h has.
    let file = fs::canonicalize(path).expect("the library's file is there");
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((release, known)) = NOT_EXPORTED.iter().find(|(release, _)| {
        let (minor, _) = release.rsplit_once('.').unwrap_or((release, ""));
        name.contains(&format!(".so.{minor}."))
    }) else {
        no_runtime(&format!("{name} is of none of the releases of this test"));
        return;
    };
    let missing: Vec<&str> = FUNCTIONS
        .iter()
        .filter(|row| row.releases.contains(release) && !api.supports(row.name))
        .map(|row| row.name)
        .collect();
    assert_eq!(missing, *known, "of HIP {release} in {}", file.display());
}

#[test]
fn a_function_that_the_runtime_lacks_is_named() {
    let Some(api) = runtime() else { return };
    let Some(row) = FUNCTIONS.iter().find(|row| row.name == "hipTexRefGetMipMappedArray") else {
        panic!("the table lacks the function")
    };
    if api.supports(row.name) {
        no_runtime("this runtime exports hipTexRefGetMipMappedArray");
        return;
    }
    // SAFETY: nothing is called: the symbol is missing.
    let result = unsafe { api.hipTexRefGetMipMappedArray(std::ptr::null_mut(), std::ptr::null()) };
    let error = result.expect_err("the symbol is missing");
    assert!(error.to_string().contains("hipTexRefGetMipMappedArray"), "{error}");
}

#[test]
fn the_runtime_that_is_loaded_is_found_again() -> Result<(), LoadError> {
    let Some(first) = runtime() else { return Ok(()) };
    assert!(std::ptr::eq(first, Api::load()?));
    let path = first.path().expect("the library's file is known");
    let again = Api::open(path)?;
    assert_eq!(again.path(), Some(path));
    assert!(again.supports("hipMalloc"));
    Ok(())
}

#[test]
fn run_time_compilation_is_found_wherever_the_release_has_it() {
    let Some(api) = runtime() else { return };
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both live across the call.
    let result = unsafe { api.hiprtcVersion(&mut major, &mut minor) };
    assert_eq!(result, Ok(hip_sys::HIPRTC_SUCCESS));
    assert!(major >= 5, "hiprtc {major}.{minor}");
}
