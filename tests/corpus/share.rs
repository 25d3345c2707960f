//! How much of the corpus runs in compiled code: `VEGA_STATS` counts it in the children.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::{child, code, groups, support};

/// What every kernel must reach, in per cent of the instructions that its waves execute.
const EACH: f64 = 90.0;

/// What half of the kernels must reach.
const MEDIAN: f64 = 99.0;

/// What the children are told: nothing is executed before it is compiled.
const VARIABLES: &[(&str, &str)] = &[("VEGA_STATS", "1"), ("VEGA_EAGER", "1")];

/// The headline of the statistics.
const HEADLINE: &str = "vega: what the virtual card executed, by kernel";

/// What the statistics say of a kernel: the share that ran compiled, in per cent, and what did not.
#[derive(Debug, Default, PartialEq)]
struct Share {
    compiled: f64,
    call_outs: String,
}

/// Reads statistics: names of kernels stand at the beginning of their lines, what is said of them behind two blanks.
fn shares(output: &str) -> BTreeMap<String, Share> {
    let mut all = BTreeMap::new();
    let mut current: Option<(String, Share)> = None;
    for line in output.lines().skip_while(|line| !line.starts_with(HEADLINE)).skip(1) {
        let Some(fact) = line.strip_prefix("  ") else {
            all.extend(current.replace((line.to_owned(), Share::default())));
            continue;
        };
        let Some((_, share)) = &mut current else { continue };
        if let Some(percent) = fact.strip_prefix("compiled").and_then(|rest| rest.trim().strip_suffix(" %")) {
            share.compiled = percent.parse().unwrap_or(0.0);
        } else if let Some(list) = fact.strip_prefix("call-outs") {
            share.call_outs = list.trim().to_owned();
        }
    }
    all.extend(current);
    all
}

/// Whether the fastest engine is there: other hosts have no bounds to keep.
fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("avx512vpopcntdq");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Runs every group and compares the shares of its kernels with the bounds.
pub fn judge(groups: &[(&str, Vec<Case>)]) {
    let mut all = BTreeMap::new();
    for (group, cases) in groups {
        let mut first = 0;
        while first < cases.len() {
            let (_, output) = child::run(group, first, VARIABLES);
            let begun = child::begun(&output);
            assert!(begun > 0, "{group}: the child ended before the first case:\n{output}");
            // One that aborts has no statistics, and the next child goes on behind it.
            first += begun;
            all.extend(
                shares(&output).into_iter().map(|(kernel, share)| (format!("{group}: {kernel}"), share)),
            );
        }
    }
    assert!(!all.is_empty(), "no statistics were printed");
    let mut sorted: Vec<(&String, &Share)> = all.iter().collect();
    sorted.sort_by(|(_, a), (_, b)| a.compiled.total_cmp(&b.compiled));
    let median = sorted[sorted.len() / 2].1.compiled;
    let low: Vec<String> = sorted
        .iter()
        .filter(|(_, share)| share.compiled < EACH)
        .map(|(kernel, share)| format!("  {:6.2} % {kernel}: {}", share.compiled, share.call_outs))
        .collect();
    let text = format!(
        "{} kernels, median {median} %, {} below {EACH} %:\n{}",
        all.len(),
        low.len(),
        low.join("\n")
    );
    println!("{text}");
    assert!(!is_fast() || low.is_empty() && median >= MEDIAN, "{text}");
}

#[test]
fn statistics_are_read() {
    let output = format!(
        "corpus> end\n{HEADLINE} (process 7)\na(int*)\n  1 dispatch, 2 workgroups\n  classes     scalar 3.0 %\n  \
         compiled    98.7 %\n  call-outs   s_memtime 1.3 %\nb\n  compiled    100.0 %\n"
    );
    let found = shares(&output);
    assert_eq!(found["a(int*)"], Share { compiled: 98.7, call_outs: "s_memtime 1.3 %".into() });
    assert_eq!((found["b"].compiled, found.len()), (100.0, 2));

    if support::device().is_some() {
        code::compiled();
        let (_, output) = child::run("matrix", 0, VARIABLES);
        let kernels: Vec<&str> = groups::matrix::cases().iter().map(|case| case.kernel).collect();
        let found = shares(&output);
        let seen = found.keys().filter(|name| kernels.iter().any(|kernel| name.contains(kernel))).count();
        assert!(seen > 0 && seen <= kernels.len(), "{seen} of {kernels:?} in\n{output}");
    }
}
