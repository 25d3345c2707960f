//! HIP programs on the virtual card, below the installed ROCm: each must fail when the card is hidden, and
//! each that computes must fail when dispatches are completed without being executed.

mod faults;
mod harness;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;

use harness::{on_card, program, run, vega_run};

const HIDDEN: (&str, &str) = ("HIP_VISIBLE_DEVICES", "-1");
const SKIPPED: (&str, &str) = ("VEGA_CONTROL", "skip-dispatch");

/// Every way that the driver can be set up.
const WAYS: &[&[(&str, &str)]] = &[
    &[],
    &[("HSA_ENABLE_SDMA", "0")],
    &[("HSA_ENABLE_INTERRUPT", "0")],
    &[("HSA_ENABLE_SDMA", "0"), ("HSA_ENABLE_INTERRUPT", "0")],
    &[("VEGA_LARGE_BAR", "1")],
    &[("VEGA_LARGE_BAR", "1"), ("HSA_ENABLE_SDMA", "0")],
    &[("VEGA_DOORBELL", "trap")],
    &[("VEGA_DOORBELL", "poll")],
    &[("VEGA_THREADS", "1")],
    &[("VEGA_GPUS", "2")],
];

fn computes(name: &str) {
    on_card(name, &[], &[HIDDEN]).fails();
    on_card(name, &[], &[SKIPPED]).fails();
}

#[test]
fn rocminfo_lists_a_vega_56() {
    let text = vega_run(&["rocminfo"], &[]).ok().stdout;
    for wanted in [
        "amdgcn-amd-amdhsa--gfx900:xnack-",
        "AMD Radeon RX Vega 56 (virtual)",
        "Compute Unit:            56",
        "Chip ID:                 26751(0x687f)",
        "Max Waves Per CU:        40",
        "Size:                    8372224(0x7fc000) KB",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn properties() {
    on_card("properties", &[], &[]).ok();
    on_card("properties", &[], &[("VEGA_GPUS", "2"), ("CARDS", "2")]).ok();
    on_card("properties", &[], &[HIDDEN]).fails();
    on_card("properties", &[], &[("VEGA_GPUS", "0")]).fails();
}

#[test]
fn saxpy_in_every_way() {
    for way in WAYS {
        let done = on_card("saxpy", &[], way);
        assert!(done.status.success(), "{way:?}: {}\n{}", done.status, done.stderr);
    }
    computes("saxpy");
}

#[test]
fn copies() {
    // The ways that make a difference to copies.
    for way in WAYS.iter().take(6) {
        let done = on_card("copies", &[], way);
        assert!(done.status.success(), "{way:?}: {}\n{}", done.status, done.stderr);
    }
    computes("copies");
}

#[test]
fn streams() {
    on_card("streams", &[], &[]).ok();
    on_card("streams", &[], &[("HSA_ENABLE_INTERRUPT", "0")]).ok();
    computes("streams");
}

#[test]
fn memory_limit() {
    on_card("memory_limit", &[], &[]).ok();
    on_card("memory_limit", &[], &[("VEGA_LARGE_BAR", "1")]).ok();
    computes("memory_limit");
}

#[test]
fn two_processes_share_a_buffer() {
    for way in [&[][..], &[("VEGA_LARGE_BAR", "1")]] {
        on_card("ipc", &[], way).ok();
    }
    computes("ipc");
}

#[test]
fn cooperative_groups() {
    for way in [&[][..], &[("VEGA_GPUS", "3")], &[("VEGA_THREADS", "1")]] {
        on_card("cooperative", &[], way).ok();
    }
    computes("cooperative");
}

#[test]
fn queues_have_priorities_and_cu_masks() {
    for way in [&[][..], &[("VEGA_THREADS", "1")]] {
        on_card("queues", &[], way).ok();
    }
    computes("queues");
}

#[test]
fn waves_wait_for_each_other_and_for_the_host() {
    for way in [&[][..], &[("VEGA_THREADS", "1")], &[("HSA_ENABLE_INTERRUPT", "0")]] {
        on_card("flags", &[], way).ok();
    }
    computes("flags");
}

#[test]
fn calls_recursion_and_private_memory() {
    on_card("calls", &[], &[]).ok();
    computes("calls");
}

#[test]
fn the_host_serves_kernels() {
    on_card("services", &[], &[]).ok();
    on_card("services", &[], &[("HSA_ENABLE_INTERRUPT", "0")]).ok();
    computes("services");
}

#[test]
fn several_cards_access_each_other() {
    on_card("peers", &[], &[]).ok();
    on_card("peers", &[], &[("VEGA_GPUS", "4"), ("CARDS", "4")]).ok();
    on_card("peers", &[], &[("VEGA_GPUS", "2"), ("CARDS", "2"), ("VEGA_LARGE_BAR", "1")]).ok();
    on_card("peers", &[], &[("VEGA_GPUS", "2"), ("CARDS", "2"), ("HSA_ENABLE_SDMA", "0")]).ok();
    computes("peers");
}

#[test]
fn limits() {
    on_card("limits", &[], &[]).ok();
    computes("limits");
}

#[test]
fn times_and_graphs() {
    for way in [&[][..], &[("HSA_ENABLE_INTERRUPT", "0")]] {
        on_card("timing", &[], way).ok();
    }
    computes("timing");
}

#[test]
fn two_processes_share_an_event() {
    on_card("ipc_event", &[], &[]).ok();
    computes("ipc_event");
}

#[test]
fn two_processes_share_a_signal() {
    for way in [&[][..], &[("VEGA_LARGE_BAR", "1")]] {
        on_card("ipc_signal", &[], way).ok();
    }
    computes("ipc_signal");
}

#[test]
fn all_kinds_of_memory() {
    // The ways that make a difference to copies.
    for way in WAYS.iter().take(6) {
        on_card("moves", &[], way).ok();
    }
    computes("moves");
}

#[test]
fn a_killed_program_leaves_nothing_behind() {
    let name = program("queues");
    let ours = || {
        let folders = ["/tmp", "/dev/shm"].into_iter().filter_map(|folder| std::fs::read_dir(folder).ok());
        let names = folders.flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| name.contains("vega")).collect::<Vec<_>>()
    };
    let runs = || {
        let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        let line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let name = name.as_os_str().as_bytes();
        processes.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(line).any(|line| {
            // With its arguments, so that another test's run of the program does not count.
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"\0killed"))
        })
    };
    let before = ours();
    let mut vega = std::process::Command::new(harness::VEGA);
    vega.args(["run", "--"]).arg(&name).arg("killed").stdout(std::process::Stdio::null());
    let mut child = vega.spawn().expect("it starts");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let busy = |pid: u32| {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(name).filter(|name| name.starts_with("vega-queue")).count() >= 2
    };
    while !busy(child.id()) {
        assert!(std::time::Instant::now() < deadline, "no queue was created");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(runs());
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert!(!runs());
    assert!(ours().iter().all(|name| before.contains(name)), "{:?}", ours());
}

#[test]
fn a_nasty_process() {
    for doorbell in ["uffd", "trap"] {
        on_card("nasty", &[], &[("VEGA_DOORBELL", doorbell)]).ok();
    }
    computes("nasty");
}

#[test]
fn faults_kill_the_process_after_a_report() {
    let kernels = [("memory", "wild_store"), ("unmapped", "wild_store"), ("trap", "stop")];
    for (what, kernel) in kernels {
        let done = on_card("fault", &[what], &[]);
        assert_eq!(done.status.signal(), Some(libc::SIGABRT), "{what}: {}", done.stderr);
        let report = done.stderr.find(kernel).unwrap_or_else(|| panic!("no report: {}", done.stderr));
        if let Some(runtimes) = done.stderr.find("Memory access fault by GPU") {
            assert!(report < runtimes, "the report comes first: {}", done.stderr);
        }
    }
    on_card("saxpy", &[], &[]).ok();
}

#[test]
fn repeated_runs_are_all_right() {
    for round in 0..20 {
        let done = on_card("saxpy", &["5000"], &[]);
        assert!(done.status.success(), "round {round}: {}\n{}", done.status, done.stderr);
    }
}

#[test]
fn without_the_command_there_is_no_card() {
    run(std::process::Command::new(program("saxpy")), &[]).fails();
}

#[test]
fn textures_and_surfaces() {
    on_card("textures", &[], &[]).ok();
    on_card("textures", &[], &[("HSA_ENABLE_SDMA", "0"), ("VEGA_THREADS", "1")]).ok();
    computes("textures");
}
