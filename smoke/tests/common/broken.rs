//! Breaking a stack, and checking it.
//!
//! The stack is this machine's own, below an overlay that only a mount namespace of the test has: nothing of the machine
//! is written to. It needs root and Debian's packages of HIP.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{SMOKE, debian_hip, is_root, vega};

/// One way to break a stack.
pub struct Breakage {
    /// What is broken.
    pub name: &'static str,
    /// The check that must fail.
    pub check: &'static str,
    /// The package that its report must name; empty where the file belongs to none.
    pub package: &'static str,
    /// Shell commands.
    pub script: &'static str,
}

/// Commands that several breakages use: a library whose functions return 0 and do nothing, a hipcc that writes an empty
/// file or a program that succeeds, a `vega` that makes no device.
const HELPERS: &str = r#"
idle() {
    file=$(readlink -f $L/$1)
    nm -D --defined-only $file | awk '$2 == "T" && $3 ~ /^(amd_comgr_|hsa_|hsaKmt|hip|__hip)/ { sub("@.*", "", $3); print "int " $3 "(void) { return 0; }" }' | sort -u > $W/idle.c
    test -s $W/idle.c
    gcc -w -fno-builtin -fPIC -shared -Wl,-soname,$1 $W/idle.c -o $W/idle.so
    cp $W/idle.so $file
}
writes() {
    printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && { printf "%s" > "$2"; chmod +x "$2"; }; shift; done; exit 0\n' "$1" > $R/usr/bin/hipcc
}
empty_hipcc() { writes ''; }
true_hipcc() { writes '#!/bin/true\\n'; }
no_device() {
    printf '#!/bin/sh\n[ "$1" = run ] || exit 0\nshift 2\nexec "$@"\n' > $W/no-device
    chmod +x $W/no-device
    VEGA=$W/no-device
}
"#;

/// What the shell does in a mount namespace: the overlay, the damage, the run.
const FRAME: &str = r#"
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root /mnt/files
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
R=/mnt/root L=/mnt/root/usr/lib/x86_64-linux-gnu W=/mnt/files HIPCC=hipcc K=/mnt/files/k.hip
export TMPDIR=/mnt/files
printf '#include <hip/hip_runtime.h>\n__global__ void f(int *x) { *x = 1; }\n' > $K
cp "$SMOKE" /mnt/files/hip-smoke
eval "$HELPERS"
eval "$BREAK"
exec /mnt/files/hip-smoke --root $R --virtual --vega "$VEGA" --format json --only "$CHECK" $MORE
"#;

/// Runs the checks on the broken root: exit status, report, and what was printed for people.
pub fn smoke(script: &str, checks: &str) -> (Option<i32>, serde_json::Value, String) {
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", FRAME])
        .env("SMOKE", SMOKE)
        .env("VEGA", vega())
        .env("HELPERS", HELPERS)
        .env("BREAK", script)
        .env("MORE", "")
        .env("CHECK", checks)
        .output()
        .expect("unshare runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text).unwrap_or_default();
    let errors: String = String::from_utf8_lossy(&output.stderr).chars().take(1000).collect();
    (output.status.code(), report, errors)
}

/// Whether this machine can run these tests.
pub fn possible() -> bool {
    super::possible(&[
        (is_root(), "root"),
        (debian_hip(), "Debian's libamdhip64-5"),
        (vega().exists(), "a built vega"),
    ])
}

/// Each must be found, by its check, with its package. One of them, by a part of its name: `HIP_SMOKE_BREAKAGE="no comgr"`.
pub fn all_are_found(breakages: &[Breakage]) {
    let part = std::env::var("HIP_SMOKE_BREAKAGE").unwrap_or_default();
    let chosen: Vec<_> = breakages.iter().filter(|breakage| breakage.name.contains(&part)).collect();
    let wrong = Mutex::new(String::new());
    let (next, found, named) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let worker = || {
        while let Some(breakage) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (is_found, is_named, story) = try_out(breakage);
            found.fetch_add(usize::from(is_found), Ordering::Relaxed);
            named.fetch_add(usize::from(is_named), Ordering::Relaxed);
            if !is_named {
                wrong.lock().expect("no worker failed").push_str(&story);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    let (found, named) = (found.into_inner(), named.into_inner());
    eprintln!("{found} of {} breakages found, {named} with the right package", chosen.len());
    let wrong = wrong.into_inner().expect("no worker failed");
    assert!(wrong.is_empty() && named == chosen.len() && named > 0, "{wrong}");
}

/// Whether it is found, whether its package is named, too, and what was reported.
fn try_out(breakage: &Breakage) -> (bool, bool, String) {
    let (status, report, errors) = smoke(breakage.script, breakage.check);
    let verdict = &report["verdicts"][0];
    let found = status == Some(1) && verdict["outcome"] == "fail";
    let packages: Vec<_> = verdict["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| finding["outcome"] == "fail")
        .map(|finding| finding["package"].as_str().unwrap_or(""))
        .collect();
    let named = found && (breakage.package.is_empty() || packages.contains(&breakage.package));
    (found, named, format!("{}: {status:?} {packages:?}\n{errors}{verdict:#}\n", breakage.name))
}
