//! Each thing that can be wrong has its own error, and the process computes on afterwards.

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;

use hip::{Device, DeviceBuffer, Error, ErrorKind, In, InOut, LaunchConfig, Module, Runtime};
use hip_vega::saxpy;
use support::{check_saxpy, device, in_child, run_child};

/// Makes something fail, looks at the error, and computes a SAXPY in the same process.
#[track_caller]
fn fails_and_computes_on(what: impl FnOnce(Device) -> Error, right: impl FnOnce(&ErrorKind) -> bool) {
    let Some(device) = device() else { return };
    let error = what(device);
    assert!(right(error.kind()), "{:?}: {error}", error.kind());
    check_saxpy(&device.stream().expect("a stream"), 1000).expect("SAXPY afterwards");
}

/// Runs the child's part of `test`, which looks at the error itself.
#[track_caller]
fn child_sees(test: &str, prepare: impl FnOnce(&mut Command)) {
    if device().is_some() {
        run_child(test, prepare).assert_success();
    }
}

#[test]
fn no_runtime() {
    const NAME: &str = "no_runtime";
    if in_child(NAME) {
        let error = Runtime::load().expect_err("there is no such library");
        assert_eq!(error.kind(), &ErrorKind::RuntimeNotFound);
        assert!(error.to_string().contains("/nowhere/libamdhip64.so"), "{error}");
        return;
    }
    child_sees(NAME, |command| {
        command.env("HIP_LIBRARY", "/nowhere/libamdhip64.so");
    });
}

#[test]
fn a_library_without_symbols() {
    const NAME: &str = "a_library_without_symbols";
    if in_child(NAME) {
        let error = Runtime::load().expect_err("an empty library is no runtime");
        assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }), "{:?}: {error}", error.kind());
        assert!(error.to_string().contains("hipInit"), "{error}");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("libamdhip64.so");
    empty_library(&library);
    child_sees(NAME, |command| {
        command.env("HIP_LIBRARY", &library);
    });
}

/// Links a shared library that exports nothing, with the linker that Rust itself needs.
fn empty_library(path: &Path) {
    let status = Command::new("cc").args(["-shared", "-x", "c", "/dev/null", "-o"]).arg(path).status();
    assert!(status.expect("cc runs").success());
}

#[test]
fn no_device() {
    const NAME: &str = "no_device";
    if in_child(NAME) {
        let error = Device::first().expect_err("the device is hidden");
        assert_eq!(error.kind(), &ErrorKind::NoDevice, "{error}");
        return;
    }
    child_sees(NAME, |command| {
        command.env("HIP_VISIBLE_DEVICES", "-1");
    });
}

#[test]
fn a_device_that_is_not_there() {
    fails_and_computes_on(
        |device| device.runtime().device(999).expect_err("there are not so many"),
        |kind| matches!(kind, ErrorKind::InvalidDevice { ordinal: 999, .. }),
    );
}

/// The code object for another processor: its bundle entry, its metadata and its ELF flags say gfx906.
fn for_gfx906() -> Vec<u8> {
    let mut code = saxpy::CODE.to_vec();
    for at in 0..code.len() - 6 {
        if code[at..].starts_with(b"gfx900") {
            code[at + 5] = b'6';
        }
        // e_flags, at offset 48 of a 64-bit ELF header: EF_AMDGPU_MACH is the low byte, 0x2c for gfx900, 0x2f for gfx906.
        if code[at..].starts_with(b"\x7fELF") && code[at + 48] == 0x2c {
            code[at + 48] = 0x2f;
        }
    }
    code
}

#[test]
fn code_for_another_processor() {
    fails_and_computes_on(
        |device| Module::from_bytes(device, &for_gfx906()).expect_err("not for this device"),
        |kind| match kind {
            ErrorKind::NoCodeObject { device, available } => {
                device.starts_with("gfx900") && available.iter().any(|target| target.starts_with("gfx906"))
            }
            _ => false,
        },
    );
}

#[test]
fn truncated_code_objects() {
    for len in [0, 3, 24, 40, saxpy::CODE.len() / 2, saxpy::CODE.len() - 64] {
        fails_and_computes_on(
            |device| Module::from_bytes(device, &saxpy::CODE[..len]).expect_err("it is truncated"),
            |kind| kind == &ErrorKind::InvalidCodeObject,
        );
    }
}

#[test]
fn an_unknown_kernel() {
    fails_and_computes_on(
        |device| {
            let module = Module::from_bytes(device, saxpy::CODE).expect("the module");
            module.function("saxpi").expect_err("there is no such kernel")
        },
        |kind| match kind {
            ErrorKind::UnknownKernel { name, available } => name == "saxpi" && available == &["saxpy"],
            _ => false,
        },
    );
}

/// Asks for saxpy with the parameters `P`, which are not its own.
#[track_caller]
fn refuses_parameters<P: hip::Params + hip::Signature>() {
    fails_and_computes_on(
        |device| {
            let module = Module::from_bytes(device, saxpy::CODE).expect("the module");
            let function = module.function("saxpy").expect("the kernel");
            function.with_parameters::<P>().expect_err("these are not its parameters")
        },
        |kind| kind == &ErrorKind::Signature,
    );
}

#[test]
fn a_wrong_number_of_arguments() {
    refuses_parameters::<(f32, In<f32>, InOut<f32>)>();
    refuses_parameters::<(f32, In<f32>, InOut<f32>, i32, i32)>();
}

#[test]
fn a_wrong_size_of_an_argument() {
    refuses_parameters::<(f64, In<f32>, InOut<f32>, i32)>();
    refuses_parameters::<(f32, In<f32>, InOut<f32>, i64)>();
}

#[test]
fn a_wrong_kind_of_an_argument() {
    refuses_parameters::<(f32, u64, InOut<f32>, i32)>();
}

#[test]
fn too_large_a_workgroup() {
    fails_and_computes_on(
        |device| {
            let stream = device.stream().expect("a stream");
            let kernels = saxpy::Kernels::load(device).expect("the kernels");
            let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 2048]).expect("x");
            let mut y = DeviceBuffer::from_slice(&stream, &[1.0f32; 2048]).expect("y");
            let config = LaunchConfig::new(1, 2048);
            kernels
                .saxpy(&stream, config, 1.0, &x, &mut y, 2048)
                .expect_err("a workgroup has 1,024 threads at most")
        },
        |kind| kind == &ErrorKind::InvalidLaunch,
    );
}

#[test]
fn out_of_device_memory() {
    fails_and_computes_on(
        |device| DeviceBuffer::<u8>::uninit(device, 1 << 40).expect_err("no card has a tebibyte"),
        |kind| matches!(kind, ErrorKind::OutOfMemory { requested } if *requested == 1 << 40),
    );
}

#[test]
fn a_length_that_no_address_space_has() {
    fails_and_computes_on(
        |device| DeviceBuffer::<u64>::uninit(device, usize::MAX / 4).expect_err("it overflows"),
        |kind| kind == &ErrorKind::Overflow,
    );
}

#[test]
fn a_vector_that_is_too_short() {
    fails_and_computes_on(
        |device| {
            let stream = device.stream().expect("a stream");
            let kernels = saxpy::Kernels::load(device).expect("the kernels");
            let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 10]).expect("x");
            let mut y = DeviceBuffer::from_slice(&stream, &[1.0f32; 10]).expect("y");
            let config = LaunchConfig::for_len(11);
            kernels
                .saxpy(&stream, config, 1.0, &x, &mut y, 11)
                .expect_err("the kernel would leave the vectors")
        },
        |kind| matches!(kind, ErrorKind::Refused { .. }),
    );
}
