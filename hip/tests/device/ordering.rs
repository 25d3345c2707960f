//! Order across streams and threads, and memory that goes while it is in use.

use crate::{SAXPY, Saxpy, setup};
use hip::{DeviceBuffer, ErrorKind, LaunchConfig, Module};

const LEN: usize = 10_000;

#[test]
fn work_alternates_between_streams() {
    let Some((a, saxpy)) = setup() else { return };
    let device = a.device();
    let (b, default) = (device.stream().unwrap(), device.default_stream());
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; LEN]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, LEN).unwrap();
    for round in 0..60 {
        let stream = [&a, &b, &default][round % 3];
        saxpy.launch(stream, LaunchConfig::for_len(LEN), (1.0, &x, &mut y, LEN as i32)).unwrap();
    }
    assert!(y.to_vec(&b).unwrap().iter().all(|&value| value == 60.0));
}

#[test]
fn a_writer_waits_for_readers() {
    let Some((a, saxpy)) = setup() else { return };
    let b = a.device().stream().unwrap();
    let mut x = DeviceBuffer::from_slice(&a, &[1.0f32; LEN]).unwrap();
    for round in 1..20 {
        let mut y = DeviceBuffer::<f32>::zeroed(&b, LEN).unwrap();
        saxpy.launch(&b, LaunchConfig::for_len(LEN), (1.0, &x, &mut y, LEN as i32)).unwrap();
        a.fill(&mut x, round as f32 + 1.0).unwrap();
        assert!(y.to_vec(&b).unwrap().iter().all(|&value| value == round as f32), "{round}");
    }
}

#[test]
fn buffers_dropped_while_they_are_read() {
    let Some((a, saxpy)) = setup() else { return };
    let b = a.device().stream().unwrap();
    let mut sum = DeviceBuffer::<f32>::zeroed(&b, LEN).unwrap();
    for round in 0..50 {
        let mut x = DeviceBuffer::<f32>::uninit(a.device(), LEN).unwrap();
        a.fill(&mut x, round as f32).unwrap();
        saxpy.launch(&b, LaunchConfig::for_len(LEN), (1.0, &x, &mut sum, LEN as i32)).unwrap();
        // The next round gets the same memory and writes it on stream a, while b may still read it.
    }
    let expected = (0..50).sum::<i32>() as f32;
    assert!(sum.to_vec(&b).unwrap().iter().all(|&value| value == expected));
}

#[test]
fn streams_dropped_before_their_memory() {
    let Some((a, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; LEN]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, LEN).unwrap();
    for _ in 0..20 {
        let stream = a.device().stream().unwrap();
        saxpy.launch(&stream, LaunchConfig::for_len(LEN), (1.0, &x, &mut y, LEN as i32)).unwrap();
    }
    assert!(y.to_vec(&a).unwrap().iter().all(|&value| value == 20.0));
}

#[test]
fn threads_with_streams_of_their_own() {
    let Some((a, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; LEN]).unwrap();
    std::thread::scope(|scope| {
        for factor in 1..5 {
            let (device, saxpy, x) = (a.device(), &saxpy, &x);
            scope.spawn(move || {
                let stream = device.stream().unwrap();
                let mut y = DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap();
                for _ in 0..25 {
                    let arguments = (factor as f32, x, &mut y, LEN as i32);
                    saxpy.launch(&stream, LaunchConfig::for_len(LEN), arguments).unwrap();
                }
                let expected = 25.0 * factor as f32;
                assert!(y.to_vec(&stream).unwrap().iter().all(|&value| value == expected));
            });
        }
    });
}

#[test]
fn threads_on_halves_of_a_buffer() {
    let Some((a, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; LEN]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 2 * LEN).unwrap();
    let (left, right) = y.view_mut().split_at(LEN).unwrap();
    std::thread::scope(|scope| {
        for (factor, mut part) in [(1.0, left), (2.0, right)] {
            let (device, saxpy, x) = (a.device(), &saxpy, &x);
            scope.spawn(move || {
                let stream = device.stream().unwrap();
                for _ in 0..25 {
                    let arguments = (factor, x, &mut part, LEN as i32);
                    saxpy.launch(&stream, LaunchConfig::for_len(LEN), arguments).unwrap();
                }
            });
        }
    });
    let result = y.to_vec(&a).unwrap();
    let (left, right) = result.split_at(LEN);
    assert!(left.iter().all(|&value| value == 25.0) && right.iter().all(|&value| value == 50.0));
}

/// Needs two devices, as `vega run --gpus 2` has.
#[test]
fn two_devices_side_by_side() {
    let Some((a, saxpy)) = setup() else { return };
    let runtime = a.runtime();
    if runtime.device_count().unwrap() < 2 {
        // What one device can show: there is no second.
        assert!(matches!(
            runtime.device(1).unwrap_err().kind(),
            ErrorKind::InvalidDevice { ordinal: 1, count: 1 }
        ));
        return;
    }
    let second = runtime.device(1).unwrap();
    assert_ne!(second.pci_bus_id().unwrap(), a.device().pci_bus_id().unwrap());
    let (b, b_default) = (second.stream().unwrap(), second.default_stream());
    let saxpy_b = Module::from_static(second, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let mut near = DeviceBuffer::<f32>::zeroed(&a, LEN).unwrap();
    let mut far = DeviceBuffer::<f32>::zeroed(&b, LEN).unwrap();
    let (x, far_x) =
        (DeviceBuffer::from_slice(&a, &[1.0f32; LEN]), DeviceBuffer::from_slice(&b, &[2.0f32; LEN]));
    let (x, far_x) = (x.unwrap(), far_x.unwrap());
    let config = LaunchConfig::for_len(LEN);
    for round in 0..10 {
        saxpy.launch(&a, config, (1.0, &x, &mut near, LEN as i32)).unwrap();
        let stream = if round % 2 == 0 { &b } else { &b_default };
        saxpy_b.launch(stream, config, (1.0, &far_x, &mut far, LEN as i32)).unwrap();
    }
    assert!(near.to_vec(&a).unwrap().iter().all(|&value| value == 10.0));
    assert!(far.to_vec(&b).unwrap().iter().all(|&value| value == 20.0));
    let wrong = saxpy.launch(&a, config, (1.0, &x, &mut far, LEN as i32)).unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::WrongDevice { expected: 0, actual: 1 });
    let wrong = saxpy.launch(&b, config, (1.0, &far_x, &mut far, LEN as i32)).unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::WrongDevice { expected: 1, actual: 0 });
}
