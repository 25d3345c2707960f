//! Modules, kernels and launches: what is refused, and how.

use crate::fake::{Config, Fake, INVALID_HANDLE};
use crate::{SAXPY, Saxpy};
use hip::{Device, DeviceBuffer, Dim3, ErrorKind, In, InOut, LaunchConfig, Module};

static FOR_GFX906: &[u8] = include_bytes!("../fixtures/saxpy-gfx906.hsaco");

fn device(fake: &Fake) -> Device {
    fake.runtime().device(0).unwrap()
}

#[test]
fn code_for_another_device_names_what_there_is() {
    let fake = Fake::new(Config::default());
    let error = Module::from_bytes(device(&fake), FOR_GFX906).unwrap_err();
    let ErrorKind::NoCodeObject { device: target, available } = error.kind() else { panic!("{error}") };
    assert_eq!((target.as_str(), available.as_slice()), ("gfx900:xnack-", &["gfx906".to_owned()][..]));
    assert_eq!(fake.count("hipModuleLoadData"), 0);
}

#[test]
fn truncated_code_never_reaches_the_runtime() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    // Every cut through the headers and the metadata, and some through the rest.
    for len in (0..SAXPY.len()).step_by(if cfg!(miri) { 997 } else { 97 }) {
        let error = Module::from_bytes(device, &SAXPY[..len]).expect_err("a part is not a code object");
        assert!(
            matches!(error.kind(), ErrorKind::InvalidCodeObject | ErrorKind::NoCodeObject { .. }),
            "{len}: {error:?}"
        );
    }
    assert_eq!(fake.count("hipModuleLoadData"), 0);
    Module::from_bytes(device, SAXPY).unwrap();
}

#[test]
fn bytes_that_are_no_code_are_refused() {
    let fake = Fake::new(Config::default());
    let error = Module::from_bytes(device(&fake), b"#!/bin/sh").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidCodeObject);
    let error = Module::from_static(device(&fake), &[]).unwrap_err();
    assert!(error.to_string().contains("no hipcc"), "{error}");
    let error = Module::from_file(device(&fake), "/nonexistent/saxpy.co").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::File);
    assert!(error.to_string().contains("/nonexistent/saxpy.co"), "{error}");
}

#[test]
fn an_unknown_kernel_names_those_there_are() {
    let fake = Fake::new(Config::default());
    let module = Module::from_bytes(device(&fake), SAXPY).unwrap();
    assert_eq!(module.kernel_names().collect::<Vec<_>>(), ["saxpy"]);
    for name in ["sxapy", "saxpy\0", ""] {
        let error = module.function(name).unwrap_err();
        let ErrorKind::UnknownKernel { available, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(available, &["saxpy".to_owned()]);
    }
    fake.fail("hipModuleGetFunction", 0, 500);
    assert!(matches!(module.function("saxpy").unwrap_err().kind(), ErrorKind::UnknownKernel { .. }));
    assert_eq!(fake.state().last_error, 0);
}

#[test]
fn signatures_are_compared_with_the_code_object() {
    let fake = Fake::new(Config::default());
    let module = Module::from_bytes(device(&fake), SAXPY).unwrap();
    let saxpy = module.function("saxpy").unwrap();
    saxpy.with_parameters::<(f32, In<f32>, InOut<f32>, i32)>().unwrap();
    saxpy.with_parameters::<([u8; 4], In<u64>, InOut<u8>, u32)>().unwrap();
    let refused = [
        (
            saxpy.with_parameters::<(f32, In<f32>, InOut<f32>)>().map(drop),
            "takes 4 arguments, the signature has 3",
        ),
        (saxpy.with_parameters::<()>().map(drop), "the signature has 0"),
        (saxpy.with_parameters::<(f64, In<f32>, InOut<f32>, i32)>().map(drop), "argument 0 of 4 bytes"),
        (saxpy.with_parameters::<(f32, u64, InOut<f32>, i32)>().map(drop), "a pointer as argument 1"),
        (saxpy.with_parameters::<(f32, In<f32>, InOut<f32>, In<i32>)>().map(drop), "a value as argument 3"),
        (saxpy.with_parameters::<(f32, In<f32>, InOut<f32>, i64)>().map(drop), "argument 3 of 4 bytes"),
    ];
    for (outcome, text) in refused {
        let error = outcome.expect_err(text);
        assert_eq!(error.kind(), &ErrorKind::Signature);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_vouched_kernel_comes_from_its_own_code() {
    let fake = Fake::new(Config::default());
    let module = Module::from_bytes(device(&fake), SAXPY).unwrap();
    let error = module.kernel::<Saxpy>().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Signature);
    // SAFETY: it is the same code, and the fake runtime's kernel anyway.
    unsafe { module.kernel_of::<Saxpy>() }.unwrap();
    Module::from_static(device(&fake), SAXPY).unwrap().kernel::<Saxpy>().unwrap();
}

#[test]
fn limits_are_checked_before_the_runtime_is_asked() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    let stream = device.stream().unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::<f32>::zeroed(&stream, 10).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 10).unwrap();
    let mut launch = |config: LaunchConfig| saxpy.launch(&stream, config, (1.0, &x, &mut y, 10));
    let refused = [
        (LaunchConfig::new(1, 2048), "2048 threads exceeds the kernel's 1024"),
        (LaunchConfig::new(1, (32, 33)), "1056 threads"),
        (LaunchConfig::new(1, (1, 1, 1025)), "1025 threads"),
        (LaunchConfig::new(1, (u32::MAX, u32::MAX, u32::MAX)), "exceeds"),
        (LaunchConfig::new(1, (1 << 16, 1 << 16, 1)), "exceeds"),
        (LaunchConfig::new(1, 0), "at least one thread"),
        (LaunchConfig::new(1, (64, 0, 1)), "at least one thread"),
        (LaunchConfig::new(1 << 24, 256), "2^32"),
        (LaunchConfig::new((1, u32::MAX, 1), (1, 2, 1)), "2^32"),
        (LaunchConfig::for_len(usize::MAX), "2^32"),
        (LaunchConfig::new(1, 64).shared_bytes(65537), "65537 bytes of dynamic LDS"),
    ];
    for (config, text) in refused {
        let error = launch(config).expect_err(text);
        assert_eq!(error.kind(), &ErrorKind::InvalidLaunch);
        assert!(error.to_string().contains(text) && error.to_string().contains("saxpy"), "{error}");
    }
    assert_eq!(fake.count("hipModuleLaunchKernel"), 0);
    launch(LaunchConfig::new((1 << 24) - 1, 256)).unwrap();
    launch(LaunchConfig::new(1, (16, 16, 4)).shared_bytes(65536)).unwrap();
    assert_eq!(fake.count("hipModuleLaunchKernel"), 2);
}

#[test]
fn an_empty_grid_launches_nothing() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    let stream = device.stream().unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::<f32>::uninit(device, 0).unwrap();
    let mut y = DeviceBuffer::<f32>::uninit(device, 0).unwrap();
    saxpy.launch(&stream, LaunchConfig::for_len(0), (1.0, &x, &mut y, 0)).unwrap();
    saxpy.launch(&stream, LaunchConfig::new((5, 0, 5), 64), (1.0, &x, &mut y, 0)).unwrap();
    assert_eq!(fake.count("hipModuleLaunchKernel"), 0);
}

#[test]
fn the_check_sees_lengths_and_values() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    let stream = device.stream().unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 10]).unwrap();
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 9]).unwrap();
    let config = LaunchConfig::for_len(10);
    let error = saxpy.launch(&stream, config, (3.0, &x, &mut y, 10)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Refused { reason: "n is larger than a vector" });
    assert!(error.to_string().contains("saxpy"), "{error}");
    saxpy.launch(&stream, config, (3.0, &x, &mut y, 9)).unwrap();
    saxpy.launch(&stream, config, (3.0, x.slice(2..).unwrap(), y.view_mut(), 8)).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 5.0]);
}

#[test]
fn a_stream_of_another_device_is_refused() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let (near, far) = (fake.runtime().device(0).unwrap(), fake.runtime().device(1).unwrap());
    assert_ne!(near, far);
    let runtime = near.runtime();
    let (here, there) = (runtime.device(0).unwrap(), runtime.device(1).unwrap());
    let (stream, elsewhere) = (here.stream().unwrap(), there.stream().unwrap());
    let saxpy = Module::from_static(here, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::<f32>::zeroed(&stream, 1).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&elsewhere, 1).unwrap();
    let config = LaunchConfig::for_len(1);
    let error = saxpy.launch(&elsewhere, config, (1.0, &x, &mut y, 1)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongDevice { expected: 1, actual: 0 });
    let error = saxpy.launch(&stream, config, (1.0, &x, &mut y, 1)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongDevice { expected: 0, actual: 1 });
    assert_eq!(fake.count("hipModuleLaunchKernel"), 0);
}

#[test]
fn a_failed_launch_names_the_kernel_and_its_extent() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    let stream = device.stream().unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::<f32>::zeroed(&stream, 300).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 300).unwrap();
    fake.fail("hipModuleLaunchKernel", 0, INVALID_HANDLE);
    let error = saxpy.launch(&stream, LaunchConfig::for_len(300), (1.0, &x, &mut y, 300)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("\"saxpy\"") && text.contains("(2, 1, 1)") && text.contains("(256, 1, 1)"),
        "{text}"
    );
    assert_eq!(error.device(), Some(0));
}

#[test]
fn kernels_tell_what_the_code_object_says() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    let function = Module::from_bytes(device, SAXPY).unwrap().function("saxpy").unwrap();
    assert_eq!((function.name(), function.device()), ("saxpy", device));
    assert_eq!(function.metadata().explicit_args().count(), 4);
    assert_eq!(function.metadata().wavefront_size, 64);
    assert_eq!(LaunchConfig::new(2, (16, 16)).block, Dim3::new(16, 16, 1));
}

#[test]
fn one_launch_on_two_devices() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let runtime = fake.runtime();
    let devices = [0, 1].map(|ordinal| runtime.device(ordinal).unwrap());
    let streams = devices.map(|device| device.stream().unwrap());
    let kernels =
        devices.map(|device| Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap());
    let x = streams.each_ref().map(|stream| DeviceBuffer::from_slice(stream, &[1.0f32; 100]).unwrap());
    let mut y = streams.each_ref().map(|stream| DeviceBuffer::from_slice(stream, &[2.0f32; 100]).unwrap());
    let config = LaunchConfig::for_len(100);
    let mut both = hip::MultiLaunch::new();
    for (((kernel, stream), x), y) in kernels.iter().zip(&streams).zip(&x).zip(&mut y) {
        both.add(kernel.prepare(stream, config), (3.0, x, y, 100)).unwrap();
    }
    both.launch().unwrap();
    // On streams that have to wait for it.
    for (device, y) in devices.iter().zip(&y) {
        assert_eq!(y.to_vec(&device.stream().unwrap()).unwrap(), [5.0; 100]);
    }
    assert_eq!(fake.count("hipModuleLaunchCooperativeKernelMultiDevice"), 1);

    let [mut other, mut third] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&streams[0], 100).unwrap());
    let mut twice = hip::MultiLaunch::new();
    twice.add(kernels[0].prepare(&streams[0], config), (1.0, &x[0], &mut y[0], 100)).unwrap();
    twice.add(kernels[0].prepare(&streams[0], config), (1.0, &x[0], &mut other, 100)).unwrap();
    assert_eq!(twice.launch().unwrap_err().kind(), &ErrorKind::InvalidLaunch);
    let mut wrong = hip::MultiLaunch::new();
    let launch = kernels[0].prepare(&streams[1], config);
    let error = wrong.add(launch, (1.0, &x[0], &mut third, 100)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongDevice { expected: 1, actual: 0 });
    wrong.launch().unwrap();
    fake.assert_clean();
}

/// A bundle as clang-offload-bundler writes it: a header with an entry per code object, then the code objects, aligned.
fn bundle(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let header: usize = 32 + entries.iter().map(|(id, _)| 24 + id.len()).sum::<usize>();
    let mut bytes = b"__CLANG_OFFLOAD_BUNDLE__".to_vec();
    bytes.extend((entries.len() as u64).to_le_bytes());
    let mut offset = header.next_multiple_of(4096);
    for (id, code) in entries {
        for number in [offset, code.len(), id.len()] {
            bytes.extend((number as u64).to_le_bytes());
        }
        bytes.extend(id.bytes());
        offset = (offset + code.len()).next_multiple_of(4096);
    }
    for (_, code) in entries {
        bytes.resize(bytes.len().next_multiple_of(4096), 0);
        bytes.extend(*code);
    }
    bytes
}

#[test]
fn of_a_bundle_the_code_for_the_device_is_loaded() {
    // The fixtures are bundles, too, of one code object each.
    let elf = |one: &'static [u8]| &one[one.windows(4).position(|bytes| bytes == b"\x7fELF").unwrap()..];
    let code = bundle(&[
        ("host-x86_64-unknown-linux--", &[]),
        ("hipv4-amdgcn-amd-amdhsa--gfx900", elf(SAXPY)),
        ("hipv4-amdgcn-amd-amdhsa--gfx906", elf(FOR_GFX906)),
    ]);
    for (target_id, loads) in [("gfx900:xnack-", true), ("gfx906:sramecc-:xnack-", true), ("gfx1030", false)]
    {
        let fake = Fake::new(Config { target_id: target_id.to_owned(), ..Config::default() });
        match Module::from_bytes(device(&fake), &code) {
            Ok(module) => {
                assert!(loads, "{target_id}");
                let saxpy = module.function("saxpy").unwrap();
                saxpy.with_parameters::<(f32, In<f32>, InOut<f32>, i32)>().unwrap();
            }
            Err(error) => {
                assert!(!loads, "{target_id}: {error}");
                let ErrorKind::NoCodeObject { device, available } = error.kind() else { panic!("{error}") };
                assert_eq!((device.as_str(), available.len()), ("gfx1030", 2), "{available:?}");
                assert_eq!(fake.count("hipModuleLoadData"), 0);
            }
        }
    }
    let fake = Fake::new(Config::default());
    for len in (0..elf(SAXPY).len()).step_by(61) {
        assert!(Module::from_bytes(device(&fake), &code[..len]).is_err(), "cut after {len} bytes");
    }
}

#[test]
fn a_simulated_kernel_stays_within_its_arguments() {
    let fake = Fake::new(Config::default());
    let device = device(&fake);
    let stream = device.stream().unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 4]).unwrap();
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 4]).unwrap();
    let config = LaunchConfig::for_len(4);
    // Neither an input nor a value is an address to write to.
    fake.kernel::<(f32, In<f32>, InOut<f32>, i32)>("saxpy", |launch| {
        (0..5).for_each(|index| launch.write(index, &[9.0f32]));
        assert!(launch.read::<u8>(0, 1).is_empty());
        assert_eq!(launch.read::<f32>(1, 1), [1.0]);
    });
    saxpy.launch(&stream, config, (1.0, &x, &mut y, 4)).unwrap();
    assert_eq!(x.to_vec(&stream).unwrap(), [1.0; 4]);
    assert_eq!(y.to_vec(&stream).unwrap(), [9.0, 2.0, 2.0, 2.0]);
    fake.assert_clean();
    fake.kernel::<(f32, In<f32>, InOut<f32>, i32)>("saxpy", |launch| launch.write(2, &[0u8; 1 << 16]));
    saxpy.launch(&stream, config, (1.0, &x, &mut y, 4)).unwrap();
    stream.synchronize().unwrap();
    assert_eq!(fake.state().violations.len(), 1, "beyond the end of y");
    // Bodies for other parameters than the kernel's.
    fake.kernel::<(f32, In<f32>, InOut<f32>, i64)>("saxpy", |_| ());
    assert!(saxpy.launch(&stream, config, (1.0, &x, &mut y, 4)).is_err());
    fake.kernel::<(f32, u64, InOut<f32>, i32)>("saxpy", |_| ());
    assert!(saxpy.launch(&stream, config, (1.0, &x, &mut y, 4)).is_err());
}
