//! `vega info`: what the virtual card is, and how it works on this machine.

use std::process::ExitCode;

use vega_kfd::settings::{self, EngineKind, Settings};
use vega_kfd::{config, doorbell, spec};

use crate::cli::Failure;
use crate::style::Bold;

/// Vector extensions of x86-64 that matter for 64 lanes at a time.
#[cfg(target_arch = "x86_64")]
fn vector_features() -> Vec<&'static str> {
    let mut features = vec!["sse2"];
    for (name, there) in [
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("f16c", std::arch::is_x86_feature_detected!("f16c")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512vl", std::arch::is_x86_feature_detected!("avx512vl")),
    ] {
        if there {
            features.push(name);
        }
    }
    features
}

#[cfg(not(target_arch = "x86_64"))]
fn vector_features() -> Vec<&'static str> {
    vec!["portable"]
}

/// The engines that can be chosen.
fn engines() -> String {
    let names: Vec<String> = EngineKind::available().iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// What a way to notice doorbells means.
fn explain(way: &str) -> &'static str {
    match way {
        "uffd" => "write protection by userfaultfd",
        "trap" => "write protection and SIGSEGV",
        _ => "looking at the write pointers",
    }
}

/// What is observed of programs.
fn observed(settings: &Settings) -> String {
    let stats = settings.stats.then(|| "statistics".to_owned());
    let trace = settings.trace.as_ref().map(|(path, _)| format!("trace to {}", path.display()));
    let all: Vec<String> = [stats, trace].into_iter().flatten().collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// Prints it.
pub fn info() -> Result<ExitCode, Failure> {
    let config = config::get();
    let card = spec::card(0);
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if config.threads == 0 { cpus } else { config.threads };
    let way = doorbell::way(config.doorbell);
    let name = spec::MARKETING_NAME.to_string_lossy();
    let settings = settings::get();
    let or = |value: Option<String>, none: &str| value.unwrap_or_else(|| none.to_owned());
    let rows = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("card", format!("{name}, PCI device 1002:{:04x}", spec::DEVICE_ID)),
        ("instruction set", "gfx900:xnack-, wavefronts of 64 lanes".to_owned()),
        ("compute units", spec::COMPUTE_UNITS.to_string()),
        (
            "VRAM",
            format!(
                "{} MiB, CPU access {}",
                card.vram_bytes >> 20,
                if config.large_bar { "to all of it" } else { "to none of it" }
            ),
        ),
        ("cards", config.gpus.to_string()),
        ("engine", format!("{}, {threads} threads; this host has {}", settings.engine, engines())),
        ("host", format!("{}, {}", std::env::consts::ARCH, vector_features().join(" "))),
        ("doorbells", format!("{way}: {}", explain(way))),
        (
            "watchdog",
            or(
                settings.watchdog.map(|limit| format!("{} s", limit.as_secs_f64())),
                "none: a kernel may run for ever",
            ),
        ),
        ("schedule", or(settings.schedule.map(|s| s.to_string()), "parallel, not reproducible")),
        ("checks", if settings.check_lds { "lds".to_owned() } else { "as on a card".to_owned() }),
        ("observed", observed(settings)),
        (
            "control",
            if config.skip_dispatch { "dispatches are NOT executed".to_owned() } else { "none".to_owned() },
        ),
    ];
    for (key, value) in rows {
        println!("{} {value}", Bold(format_args!("{key:<16}")));
    }
    println!("\nvega run -- rocminfo shows the card to ROCm; vega run -- PROGRAM runs a HIP program on it.");
    Ok(ExitCode::SUCCESS)
}
