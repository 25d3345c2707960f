//! Kernels, and launches that are refused.

use crate::{Reverse, SAXPY, SIGNATURES, SmallBlock, device, setup};
use hip::{DeviceBuffer, ErrorKind, In, InOut, LaunchConfig, Module};

static FOR_GFX906: &[u8] = include_bytes!("../fixtures/saxpy-gfx906.hsaco");

#[test]
fn saxpy_computes() {
    let Some((stream, saxpy)) = setup() else { return };
    for len in [1usize, 63, 64, 65, 1000, 100_003] {
        let x: Vec<f32> = (0..len).map(|i| (i % 1000) as f32).collect();
        let y: Vec<f32> = (0..len).map(|i| (i % 77) as f32).collect();
        let device_x = DeviceBuffer::from_slice(&stream, &x).unwrap();
        let mut device_y = DeviceBuffer::from_slice(&stream, &y).unwrap();
        saxpy
            .launch(&stream, LaunchConfig::for_len(len), (2.5, &device_x, &mut device_y, len as i32))
            .unwrap();
        let expected: Vec<f32> = x.iter().zip(&y).map(|(x, y)| 2.5f32.mul_add(*x, *y)).collect();
        assert!(device_y.to_vec(&stream).unwrap() == expected, "{len}");
    }
}

#[test]
fn a_kernel_with_dynamic_lds() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let reverse = Module::from_static(device, SIGNATURES).unwrap().kernel::<Reverse>().unwrap();
    let mut x = DeviceBuffer::from_slice(&stream, &(0..256).map(|i| i as f32).collect::<Vec<_>>()).unwrap();
    let config = LaunchConfig::new(1, 256);
    let error = reverse.launch(&stream, config, (&mut x,)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Refused { reason: "LDS for every element" });
    reverse.launch(&stream, config.shared_bytes(1024), (&mut x,)).unwrap();
    assert_eq!(x.to_vec(&stream).unwrap(), (0..256).rev().map(|i| i as f32).collect::<Vec<_>>());
}

#[test]
fn workgroups_that_are_too_large() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::<f32>::zeroed(&stream, 10).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 10).unwrap();
    let error = saxpy.launch(&stream, LaunchConfig::new(1, 2048), (1.0, &x, &mut y, 10)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidLaunch);
    assert!(error.to_string().contains("2048 threads exceeds the kernel's 1024"), "{error}");
    let small = Module::from_static(stream.device(), SIGNATURES).unwrap().kernel::<SmallBlock>().unwrap();
    let mut out = DeviceBuffer::<u32>::zeroed(&stream, 128).unwrap();
    let error = small.launch(&stream, LaunchConfig::new(1, 128), (&mut out,)).unwrap_err();
    assert!(error.to_string().contains("kernel's 64"), "{error}");
    small.launch(&stream, LaunchConfig::new(1, 64), (&mut out,)).unwrap();
    assert_eq!(out.to_vec(&stream).unwrap()[..65], (0..64).chain([0]).collect::<Vec<u32>>());
}

#[test]
fn refusals_leave_the_process_usable() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let kinds = [
        Module::from_bytes(device, FOR_GFX906).map(drop).unwrap_err(),
        Module::from_bytes(device, &SAXPY[..5000]).map(drop).unwrap_err(),
        Module::from_bytes(device, SAXPY).unwrap().function("sxapy").map(drop).unwrap_err(),
        saxpy.with_parameters::<(f32, In<f32>, InOut<f32>)>().map(drop).unwrap_err(),
        saxpy.with_parameters::<(f64, In<f32>, InOut<f32>, i32)>().map(drop).unwrap_err(),
        saxpy.with_parameters::<(f32, In<f32>, u64, i32)>().map(drop).unwrap_err(),
    ];
    let [other, truncated, unknown, count, size, kind] = &kinds;
    assert!(
        matches!(other.kind(), ErrorKind::NoCodeObject { available, .. } if available == &["gfx906"]),
        "{other}"
    );
    assert_eq!(truncated.kind(), &ErrorKind::InvalidCodeObject);
    assert!(matches!(unknown.kind(), ErrorKind::UnknownKernel { name, .. } if name == "sxapy"));
    for signature in [count, size, kind] {
        assert_eq!(signature.kind(), &ErrorKind::Signature, "{signature}");
    }
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 10]).unwrap();
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 10]).unwrap();
    saxpy.launch(&stream, LaunchConfig::for_len(10), (3.0, &x, &mut y, 10)).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [5.0; 10]);
}

#[test]
fn modules_load_from_files_and_unload() {
    let Some((stream, _)) = setup() else { return };
    // Written here, so that the test program runs where the sources are not.
    let path = std::env::temp_dir().join(format!("hip-test-saxpy-{}.co", std::process::id()));
    std::fs::write(&path, SAXPY).unwrap();
    for _ in 0..20 {
        let module = Module::from_file(stream.device(), &path).unwrap();
        let saxpy =
            module.function("saxpy").unwrap().with_parameters::<(f32, In<f32>, InOut<f32>, i32)>().unwrap();
        drop(module);
        let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 1000]).unwrap();
        let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 1000]).unwrap();
        // SAFETY: 1000 elements each.
        unsafe { saxpy.launch_unchecked(&stream, LaunchConfig::for_len(1000), (3.0, &x, &mut y, 1000)) }
            .unwrap();
        // While the kernel runs, or before it does.
        drop(saxpy);
        assert_eq!(y.to_vec(&stream).unwrap(), [5.0; 1000]);
    }
    std::fs::remove_file(&path).unwrap();
}
