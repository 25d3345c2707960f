//! After a memory fault or an illegal instruction AMD's runtime aborts, as with a card. On the virtual one a report comes
//! first; nothing is left behind, and the next program runs.
//!
//! # Safety
//! These kernels break their promise on purpose, in a child process that the fault ends. What they touch beyond their
//! buffers is not memory of the process: the device's accesses go through its own page table.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use hip::{Device, DeviceBuffer, In, InOut, LaunchConfig, Module};
use hip_vega::saxpy;
use support::{A, check_saxpy, device, in_child, run_child};

/// What is in a folder that programs leave things in.
fn names(folder: &std::path::Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Runs the child's part of `test`, which must abort after a report that says `says`; then a program that computes.
#[track_caller]
fn aborts(test: &str, says: &[&str]) {
    let is_virtual = Device::first().and_then(Device::name).expect("a name").ends_with("(virtual)");
    let folder = tempfile::tempdir().expect("a folder");
    // A core file of the runtime's abort would be left behind by the system, not by the device.
    let ended = run_child(test, |command| {
        command.env("TMPDIR", folder.path()).current_dir(folder.path());
    });
    ended.assert_aborted();
    for text in says.iter().filter(|_| is_virtual) {
        ended.assert_says(text);
    }
    let left: Vec<String> =
        names(folder.path()).into_iter().filter(|name| !name.starts_with("core")).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    run_child("the_next_run_computes", |_| {}).assert_success();
}

/// Launches `code`'s saxpy over `n` elements of vectors that have 256.
fn launch(code: &[u8], n: i32) {
    let device = Device::first().expect("a device");
    let stream = device.stream().expect("a stream");
    let kernel = Module::from_bytes(device, code).expect("the module").function("saxpy").expect("the kernel");
    let kernel = kernel.with_parameters::<(f32, In<f32>, InOut<f32>, i32)>().expect("its parameters");
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 256]).expect("x");
    let mut y = DeviceBuffer::from_slice(&stream, &[1.0f32; 256]).expect("y");
    let config = LaunchConfig::for_len(n as usize);
    // SAFETY: not kept, on purpose: see the top of the file.
    let launched = unsafe { kernel.launch_unchecked(&stream, config, (A, &x, &mut y, n)) };
    // The runtime notices the fault in its own time and aborts; it must not come back with a result.
    let result = launched.and_then(|()| y.to_vec(&stream));
    eprintln!("came back with {:?}", result.map(|vector| vector.len()));
    std::thread::sleep(std::time::Duration::from_secs(5));
}

#[test]
fn a_memory_fault_aborts_after_a_report() {
    const NAME: &str = "a_memory_fault_aborts_after_a_report";
    if in_child(NAME) {
        // 4 GiB past the vectors' beginning: nothing is mapped all the way.
        return launch(saxpy::CODE, 1 << 30);
    }
    if device().is_some() {
        aborts(
            NAME,
            &["memory fault in a kernel", "saxpy", "workgroup", "lane", "global_", "nothing is mapped there"],
        );
    }
}

/// saxpy with debug information, compiled when the test runs.
fn code_with_lines() -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("lines");
    let kernels = hip_build::Kernels::new()
        .arch("gfx900")
        .flag("-g")
        .files(["kernels/saxpy.hip"])
        .base_dir(env!("CARGO_MANIFEST_DIR"))
        .out_dir(&folder)
        .code_only()
        .cargo_instructions(false);
    kernels.compile().expect("saxpy compiles");
    std::fs::read(folder.join("saxpy.co")).expect("its code")
}

#[test]
fn a_report_names_the_source_line_of_code_that_the_program_loads() {
    const NAME: &str = "a_report_names_the_source_line_of_code_that_the_program_loads";
    if in_child(NAME) {
        return launch(&code_with_lines(), 1 << 30);
    }
    if device().is_some() {
        let source = std::fs::read_to_string("kernels/saxpy.hip").expect("the source");
        let line = source.lines().position(|line| line.contains("y[i] =")).expect("the line") + 1;
        // Compiled here, not in the child, whose folder is another one.
        code_with_lines();
        aborts(NAME, &[&format!("saxpy.hip:{line}:"), "in saxpy", "registers ", "y[i] ="]);
    }
}

#[test]
fn an_illegal_instruction_aborts_after_a_report() {
    const NAME: &str = "an_illegal_instruction_aborts_after_a_report";
    if in_child(NAME) {
        let mut code = saxpy::CODE.to_vec();
        // v_fma_f32 becomes VOP3 opcode 0x3ff, which gfx900 does not have.
        let at = (0..code.len() - 4).step_by(4).find(|&at| code[at + 2..].starts_with(&[0xcb, 0xd1]));
        let at = at.expect("a v_fma_f32");
        code[at + 2..at + 4].copy_from_slice(&[0xff, 0xd3]);
        return launch(&code, 256);
    }
    if device().is_some() {
        aborts(NAME, &["illegal instruction in a kernel", "saxpy", "d3ff"]);
    }
}

#[test]
fn launch_blocking_mode_names_the_kernel_that_aborted() {
    const NAME: &str = "launch_blocking_mode_names_the_kernel_that_aborted";
    if in_child(NAME) {
        return launch(saxpy::CODE, 1 << 30);
    }
    if device().is_some() {
        let folder = tempfile::tempdir().expect("a folder");
        let ended = run_child(NAME, |command| {
            command.env("HIP_RS_LAUNCH_BLOCKING", "1").current_dir(folder.path());
        });
        ended.assert_aborted();
        ended.assert_says(
            "hip: the process aborts while device 0 runs the kernel `saxpy` with grid (4194304, 1, 1)",
        );
    }
}

#[test]
fn the_next_run_computes() {
    let Some(device) = device() else { return };
    check_saxpy(&device.stream().expect("a stream"), 5000).expect("SAXPY");
}
