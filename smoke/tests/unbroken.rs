//! The stack as it is: green with its device, and not without.

mod common;

use std::collections::BTreeSet;
use std::process::Command;

use common::breakages::{FILES, PROGRAMS};
use common::{SMOKE, broken, vega};

#[test]
fn the_unbroken_stack_is_green() {
    if !broken::possible() {
        return;
    }
    let breakages = || FILES.iter().chain(PROGRAMS);
    assert!(breakages().count() >= 30);
    let checks: BTreeSet<_> = breakages().map(|breakage| breakage.check).collect();
    assert_eq!(checks.len(), 30, "every check can fail");
    let checks: Vec<_> = checks.into_iter().collect();
    let (status, report, errors) = broken::smoke("true", &checks.join(","));
    assert_eq!(status, Some(0), "{errors}{report:#}");
    let verdicts = report["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), 30);
    for verdict in verdicts {
        assert!(verdict["outcome"] != "fail" && verdict["outcome"] != "error", "{verdict:#}");
    }
}

/// Debian's multiarch, Arch's multilib: folders with libraries for 32 bits come first, and are passed over.
#[test]
fn libraries_for_other_processors_are_passed_over() {
    if !broken::possible() {
        return;
    }
    let (status, report, errors) = broken::smoke(
        "mkdir -p $R/usr/lib32; for l in libz.so.1 libc.so.6 libhsakmt.so.1; do \
         cp $(readlink -f $L/$l) $R/usr/lib32/$l; printf '\\001' | dd of=$R/usr/lib32/$l bs=1 seek=4 conv=notrunc 2>/dev/null; \
         done; echo /usr/lib32 > $R/etc/ld.so.conf.d/00-lib32.conf",
        "links,sonames",
    );
    assert_eq!(status, Some(0), "{errors}{report:#}");
}

/// With the card hidden no check that needs one may pass: neither with HIP told to hide it, nor with no card at all.
#[test]
fn hidden_cards_let_no_check_pass() {
    if !broken::possible() {
        return;
    }
    // What lies below HIP does not read its variable.
    let hip = "memory,kernels,fat-binaries,no-binary,false-pass,libraries";
    let all = "device-nodes,thunk,agents,rocr,memory,kernels,fat-binaries,no-binary,false-pass,libraries";
    for (variable, value, checks) in [("HIP_VISIBLE_DEVICES", "-1", hip), ("VEGA_GPUS", "0", all)] {
        let output = Command::new(SMOKE)
            .args(["--virtual", "--format", "json", "--only", checks, "--vega"])
            .arg(vega())
            .env(variable, value)
            .output()
            .expect("hip-smoke runs");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(output.status.code(), Some(1));
        for verdict in report["verdicts"].as_array().expect("verdicts") {
            let outcome = verdict["outcome"].as_str().expect("a word");
            assert!(outcome == "fail" || outcome == "skip", "{variable}={value}: {verdict:#}");
        }
    }
}
