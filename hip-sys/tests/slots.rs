//! The table of slots over resolvers of one's own.
//!
//! # Safety
//!
//! The functions behind the slots are defined here, with the signatures of the C functions that they stand for.

use std::collections::HashSet;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use hip_sys::{Api, FUNCTIONS, FunctionInfo, Library, MissingSymbol, RELEASES, hipError_t, hipSuccess};

unsafe extern "C" fn count_is_three(count: *mut c_int) -> hipError_t {
    // SAFETY: the test passes a valid pointer.
    unsafe { count.write(3) };
    hipSuccess
}

unsafe extern "C" fn destroy_surface(_: hip_sys::hipSurfaceObject_t) -> hipError_t {
    hip_sys::hipErrorInvalidValue
}

fn address(function: *const c_void) -> Option<NonNull<c_void>> {
    NonNull::new(function.cast_mut())
}

fn count_only(name: &CStr) -> Option<NonNull<c_void>> {
    (name == c"hipGetDeviceCount").then_some(address(count_is_three as *const c_void)).flatten()
}

#[test]
fn a_call_goes_to_what_the_resolver_found() {
    let api = Api::from_resolver(count_only);
    let mut count = 0;
    // SAFETY: `count` lives across the call.
    assert_eq!(unsafe { api.hipGetDeviceCount(&mut count) }, Ok(hipSuccess));
    assert_eq!(count, 3);
    assert_eq!(api.path(), None);
}

#[test]
fn a_missing_function_is_an_error_with_its_name_every_time() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let api = Api::from_resolver(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        None
    });
    for _ in 0..3 {
        // SAFETY: nothing is called.
        let result = unsafe { api.hipDeviceSynchronize() };
        assert_eq!(result, Err(MissingSymbol { name: "hipDeviceSynchronize" }));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the resolver was asked again");
    let message = MissingSymbol { name: "hipDeviceSynchronize" }.to_string();
    assert!(message.contains("hipDeviceSynchronize"), "{message}");
}

#[test]
fn supports_agrees_with_the_resolver_and_knows_no_other_names() {
    let api = Api::from_resolver(count_only);
    assert!(api.supports("hipGetDeviceCount"));
    assert!(!api.supports("hipMalloc"));
    assert!(!api.supports("hipNoSuchFunction"));
    assert!(!api.supports(""));
}

#[test]
fn a_mangled_symbol_serves_where_the_plain_one_is_missing() {
    let api = Api::from_resolver(|name| {
        (name == c"_Z23hipDestroySurfaceObjectP13__hip_surface")
            .then_some(address(destroy_surface as *const c_void))
            .flatten()
    });
    // SAFETY: the function ignores its argument.
    let result = unsafe { api.hipDestroySurfaceObject(std::ptr::null_mut()) };
    assert_eq!(result, Ok(hip_sys::hipErrorInvalidValue));
}

#[test]
fn every_spelling_of_every_function_is_asked_for_in_order() {
    for row in &FUNCTIONS {
        let (send, asked) = std::sync::mpsc::channel();
        let api = Api::from_resolver(move |name| {
            send.send(name.to_owned()).ok();
            None
        });
        assert!(!api.supports(row.name));
        drop(api);
        let asked: Vec<_> = asked.into_iter().collect();
        assert_eq!(asked, row.spellings, "{}", row.name);
    }
}

#[test]
fn threads_that_race_for_the_first_use_all_call_the_function() {
    const THREADS: usize = 8;
    for _ in 0..50 {
        // All of them are inside the resolver before any of them may leave it, when they all got that far.
        let inside = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&inside);
        let api = Api::from_resolver(move |name| {
            counter.fetch_add(1, Ordering::Relaxed);
            std::thread::yield_now();
            count_only(name)
        });
        let start = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    let mut count = 0;
                    // SAFETY: `count` lives across the call.
                    assert_eq!(unsafe { api.hipGetDeviceCount(&mut count) }, Ok(hipSuccess));
                    assert_eq!(count, 3);
                    // SAFETY: nothing is called.
                    let missing = unsafe { api.hipInit(0) };
                    assert_eq!(missing, Err(MissingSymbol { name: "hipInit" }));
                });
            }
        });
        let asked = inside.load(Ordering::Relaxed);
        assert!((2..=2 * THREADS).contains(&asked), "{asked} questions for two functions");
    }
}

#[test]
fn the_table_is_sorted_and_each_row_is_whole() {
    assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
    let mut symbols = HashSet::new();
    for row in &FUNCTIONS {
        assert!(row.releases.iter().next().is_some(), "{} is of no release", row.name);
        assert_eq!(row.library == Library::Hiprtc, row.name.starts_with("hiprtc"), "{}", row.name);
        for symbol in row.spellings {
            let text = symbol.to_str().unwrap();
            assert!(text == row.name || text.contains(row.name), "{text} for {}", row.name);
            assert!(symbols.insert(text), "{text} stands twice");
        }
        assert!(!row.spellings.is_empty(), "{}", row.name);
        assert_eq!(FunctionInfo::find(row.name).map(|found| found.name), Some(row.name));
    }
    assert!(FunctionInfo::find("hipNoSuchFunction").is_none());
}

#[test]
fn the_table_has_what_each_release_declares() {
    let count = |release| FUNCTIONS.iter().filter(|row| row.releases.contains(release)).count();
    // 382 in hip_runtime_api.h of 5.2.3, three of them the compiler's own; 11 of hiprtc.h; 4 that only C++ sees.
    assert_eq!(count("5.2.3"), 382 - 3 + 11 + 4);
    let rows = [
        ("hipMalloc", &RELEASES[..]),
        ("hipGetDeviceProperties", &["5.2.3", "5.7.1"]),
        ("hipGetDevicePropertiesR0600", &["6.4.3", "7.1"]),
        ("hipExtModuleLaunchKernel", &["5.2.3", "5.7.1", "6.4.3"]),
        ("hiprtcLinkCreate", &["5.7.1", "6.4.3"]),
    ];
    for (name, releases) in rows {
        let row = FunctionInfo::find(name).unwrap();
        assert!(row.releases.iter().eq(releases.iter().copied()), "{name}: {}", row.releases);
    }
}
