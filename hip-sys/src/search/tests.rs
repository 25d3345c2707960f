//! The search order, without a disk or a linker.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Candidate, RUNTIME, candidates, compilers, first, open, opt_folders};

fn with(variables: &[(&str, &str)], opt: &[&str]) -> Vec<Candidate> {
    let map: HashMap<&str, OsString> = variables.iter().map(|(k, v)| (*k, OsString::from(v))).collect();
    let opt: Vec<PathBuf> = opt.iter().map(PathBuf::from).collect();
    candidates(|name| map.get(name).cloned(), &opt)
}

fn paths(found: &[Candidate]) -> Vec<&str> {
    found.iter().filter_map(|candidate| candidate.path.to_str()).collect()
}

#[test]
fn hip_library_stands_alone() {
    let found = with(&[("HIP_LIBRARY", "/nowhere/libfoo.so"), ("ROCM_PATH", "/r")], &["/opt/rocm/lib"]);
    assert_eq!(paths(&found), ["/nowhere/libfoo.so"]);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(with(&[("HIP_LIBRARY", ""), ("ROCM_PATH", "")], &[]), with(&[], &[]));
}

#[test]
#[cfg(unix)]
fn the_order_is_variables_then_linker_then_opt_then_system() {
    let found = with(&[("HIP_PATH", "/h"), ("ROCM_PATH", "/r")], &["/opt/rocm/lib"]);
    let found = paths(&found);
    let at = |path: &str| found.iter().position(|other| *other == path);
    let order = [
        "/r/lib/libamdhip64.so.7",
        "/r/lib/libamdhip64.so",
        "/r/lib64/libamdhip64.so.7",
        "/h/lib/libamdhip64.so.7",
        "libamdhip64.so.7",
        "libamdhip64.so.6",
        "libamdhip64.so.5",
        "libamdhip64.so",
        "/opt/rocm/lib/libamdhip64.so.7",
        "/usr/lib/x86_64-linux-gnu/libamdhip64.so.7",
    ]
    .map(at);
    assert!(order.iter().all(Option::is_some), "{order:?}");
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn failure_lists_every_path_with_its_message() {
    let found = with(&[("ROCM_PATH", "/r")], &["/opt/rocm-5.7.1/lib"]);
    let error = first(&found, |path: &Path| Err::<(), _>(format!("no {}", path.display()))).unwrap_err();
    assert_eq!(error.tried().len(), found.len());
    let text = error.to_string();
    for candidate in &found {
        let path = candidate.path.display();
        assert!(text.contains(&format!("{path} ({}): no {path}", candidate.why)), "{path} in {text}");
    }
}

#[test]
fn the_first_that_opens_ends_the_search() {
    let found = with(&[], &[]);
    let opened = first(&found, |path| if path == Path::new(RUNTIME[1]) { Ok(7) } else { Err(String::new()) });
    assert_eq!(opened.unwrap(), 7);
}

#[test]
fn the_linkers_own_text_is_kept() {
    let error = open(Path::new("/nowhere/libamdhip64.so")).err().unwrap();
    let [attempt] = error.tried() else { panic!("{error}") };
    assert!(attempt.message.contains("/nowhere/libamdhip64.so"), "{attempt:?}");
}

#[test]
fn versions_below_opt_come_newest_first() {
    let opt = std::env::temp_dir().join(format!("hip-sys-opt-{}", std::process::id()));
    for name in ["rocm-5.7.1", "rocm-6.4.3", "rocm-6.10.0", "other"] {
        std::fs::create_dir_all(opt.join(name)).unwrap();
    }
    let found = opt_folders(&opt);
    std::fs::remove_dir_all(&opt).unwrap();
    let want = ["rocm", "rocm-6.10.0", "rocm-6.4.3", "rocm-5.7.1"].map(|name| opt.join(name).join("lib"));
    assert_eq!(found, want);
}

#[test]
#[cfg(unix)]
fn the_compiler_of_the_runtimes_own_release_comes_first() {
    let folder = std::env::temp_dir().join(format!("hip-sys-lib-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("libamdhip64.so.6.4.60403"), "").unwrap();
    std::os::unix::fs::symlink("libamdhip64.so.6.4.60403", folder.join("libamdhip64.so")).unwrap();
    let found = ["libamdhip64.so", "libamdhip64.so.6.4.60403", "libamdhip64.so.5", "elsewhere.so"]
        .map(|name| compilers(Some(&folder.join(name))));
    std::fs::remove_dir_all(&folder).unwrap();
    let beside = |names: &[&str]| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>();
    for six in &found[..2] {
        assert_eq!(six[0], folder.join("libhiprtc.so.6"));
        assert_eq!(six[1], Path::new("libhiprtc.so.6"));
        assert_eq!(six[2..5], beside(&["libhiprtc.so.7", "libhiprtc.so.5", "libhiprtc.so"]));
    }
    assert_eq!(found[2][0], folder.join("libhiprtc.so.5"));
    // Nothing says which release it is.
    let all = ["libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "libhiprtc.so"];
    assert_eq!(found[3][..4], beside(&all));
    assert_eq!(compilers(None), all.map(PathBuf::from));
}
