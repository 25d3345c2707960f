//! Copies and fills.

use crate::device;
use hip::{DeviceBuffer, Graph, PinnedBuffer, PitchedBuffer};

/// Lengths around the sizes at which runtimes change their ways: cache lines, pages, staging buffers.
const LENGTHS: [usize; 9] = [0, 1, 3, 64, 1023, 4096, 4097, 100_003, 3 << 20];

fn numbers(len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect()
}

#[test]
fn what_goes_up_comes_down() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for len in LENGTHS {
        let buffer = DeviceBuffer::from_slice(&stream, &numbers(len)).unwrap();
        assert!(buffer.to_vec(&stream).unwrap() == numbers(len), "{len}");
    }
}

#[test]
fn copies_on_the_device_and_between_parts() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for len in LENGTHS {
        let source = DeviceBuffer::from_slice(&stream, &numbers(len)).unwrap();
        let mut target = DeviceBuffer::<u32>::zeroed(&stream, 2 * len).unwrap();
        stream.copy(&source, target.slice_mut(len..).unwrap()).unwrap();
        let (left, right) = target.view_mut().split_at(len).unwrap();
        stream.copy(right.as_view(), left).unwrap();
        let result = target.to_vec(&stream).unwrap();
        assert!(result == [numbers(len), numbers(len)].concat(), "{len}");
    }
}

#[test]
fn small_fills_write_their_range_alone() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let mut bytes = DeviceBuffer::<u8>::zeroed(&stream, 64).unwrap();
    let mut image = PitchedBuffer::<u8>::zeroed(&stream, (64, 2)).unwrap();
    let mut graph = Graph::new(device).unwrap();
    for (start, len) in (24..33).flat_map(|start| (1..18).map(move |len| (start, len))) {
        let range = start..start + len;
        let expected: Vec<u8> = (0..64).map(|i| if range.contains(&i) { 7 } else { 1 }).collect();
        stream.fill(&mut bytes, 1).unwrap();
        stream.fill(bytes.slice_mut(range.clone()).unwrap(), 7).unwrap();
        assert_eq!(bytes.to_vec(&stream).unwrap(), expected, "{range:?}");
        stream.fill_region(&mut image, 1).unwrap();
        stream.fill_region(image.region_mut([start, 1, 0], (len, 1)).unwrap(), 7).unwrap();
        assert_eq!(image.to_vec(&stream).unwrap()[64..], expected, "{range:?} of a row");
        // A node of a graph does it as well, or there is none.
        let node = graph.fill(bytes.slice_mut(range.clone()).unwrap(), 7, &[]);
        let within = start % 8 != 0 && len < 8 - start % 8;
        assert_eq!(node.is_err(), within, "{range:?} in a graph");
        if !within && start == 25 {
            let mut single = Graph::new(device).unwrap();
            single.fill(bytes.slice_mut(range.clone()).unwrap(), 9, &[]).unwrap();
            single.instantiate().unwrap().launch(&stream).unwrap();
            let expected: Vec<u8> = (0..64).map(|i| if range.contains(&i) { 9 } else { 1 }).collect();
            assert_eq!(bytes.to_vec(&stream).unwrap(), expected, "{range:?} by a graph");
        }
    }
    let mut halves = DeviceBuffer::<u16>::zeroed(&stream, 9).unwrap();
    for at in 0..9 {
        stream.fill(halves.slice_mut(at..=at).unwrap(), 0x100 + at as u16).unwrap();
    }
    assert_eq!(halves.to_vec(&stream).unwrap(), [256, 257, 258, 259, 260, 261, 262, 263, 264]);
    // Elements of the host may stand anywhere: no multiple of the pattern's size.
    let mut host = [[0u8; 4]; 9];
    let (_, odd, _) = bytemuck::pod_align_to_mut::<_, u32>(&mut host[..]);
    let odd: &mut [u8] = bytemuck::cast_slice_mut(odd);
    let odd: &mut [[u8; 4]] = bytemuck::cast_slice_mut(&mut odd[1..29]);
    hip::scope(|scope| {
        let mut odd = scope.register(device, odd)?;
        stream.fill(&mut odd, [1, 2, 3, 4])
    })
    .unwrap();
    let host: &[u8] = bytemuck::cast_slice(&host);
    let first = host.iter().position(|&byte| byte != 0).unwrap();
    assert!(host[first..first + 28].chunks(4).all(|four| four == [1, 2, 3, 4]));
    assert_eq!(host.iter().filter(|&&byte| byte != 0).count(), 28);
}

#[test]
fn fills_write_their_range_alone() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let mut bytes = DeviceBuffer::<u8>::zeroed(&stream, 10_000).unwrap();
    stream.fill(bytes.slice_mut(3..9_998).unwrap(), 0xA5).unwrap();
    let bytes = bytes.to_vec(&stream).unwrap();
    assert!(
        bytes.iter().enumerate().all(|(i, &byte)| byte == if (3..9_998).contains(&i) { 0xA5 } else { 0 })
    );
    let mut halves = DeviceBuffer::<u16>::zeroed(&stream, 5_001).unwrap();
    stream.fill(halves.slice_mut(1..5_000).unwrap(), 0x1234).unwrap();
    let halves = halves.to_vec(&stream).unwrap();
    assert!(
        halves.iter().enumerate().all(|(i, &half)| half == if (1..5_000).contains(&i) { 0x1234 } else { 0 })
    );
    let mut floats = DeviceBuffer::<f32>::zeroed(&stream, 70_001).unwrap();
    stream.fill(floats.slice_mut(1..70_000).unwrap(), -1.5).unwrap();
    let floats = floats.to_vec(&stream).unwrap();
    assert!(
        floats
            .iter()
            .enumerate()
            .all(|(i, &float)| float == if (1..70_000).contains(&i) { -1.5 } else { 0.0 })
    );
    let mut doubles = DeviceBuffer::<f64>::zeroed(&stream, 1_001).unwrap();
    stream.fill(doubles.slice_mut(1..).unwrap(), 0.1).unwrap();
    let doubles = doubles.to_vec(&stream).unwrap();
    assert!(doubles.iter().enumerate().all(|(i, &double)| double == if i == 0 { 0.0 } else { 0.1 }));
}

#[test]
fn asynchronous_copies_of_pinned_memory() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for len in LENGTHS {
        let host = PinnedBuffer::from_slice(device, &numbers(len)).unwrap();
        let mut buffer = DeviceBuffer::<u32>::uninit(device, len).unwrap();
        let up = stream.upload_async(host, &mut buffer).unwrap();
        let down = stream.download_async(&buffer, PinnedBuffer::zeroed(device, len).unwrap()).unwrap();
        let result = down.wait().unwrap();
        assert!(up.is_done().unwrap());
        assert!(*result == numbers(len)[..] && *result == *up.wait().unwrap(), "{len}");
    }
}

#[test]
fn asynchronous_copies_of_pageable_memory() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for len in LENGTHS {
        let mut buffer = DeviceBuffer::<u32>::uninit(device, len).unwrap();
        // Dropped at once: the copy keeps the Vec.
        drop(stream.upload_async(numbers(len), &mut buffer).unwrap());
        let result = stream.download_async(&buffer, vec![0; len]).unwrap().wait().unwrap();
        assert!(result == numbers(len), "{len}");
    }
}

#[test]
fn forgotten_copies_do_no_harm() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for round in 0..20u32 {
        let mut buffer = DeviceBuffer::<u32>::uninit(device, 1 << 16).unwrap();
        let host = PinnedBuffer::from_slice(device, &vec![round; 1 << 16]).unwrap();
        std::mem::forget(stream.upload_async(host, &mut buffer).unwrap());
        assert!(buffer.to_vec(&stream).unwrap().iter().all(|&value| value == round));
    }
}

#[test]
fn elements_of_every_size() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let triples: Vec<[u8; 3]> = (0..1000u32).map(|i| [i as u8, (i >> 4) as u8, 7]).collect();
    assert!(DeviceBuffer::from_slice(&stream, &triples).unwrap().to_vec(&stream).unwrap() == triples);
    let wide: Vec<u128> = (0..100).map(|i| u128::MAX / (i + 1)).collect();
    assert!(DeviceBuffer::from_slice(&stream, &wide).unwrap().to_vec(&stream).unwrap() == wide);
}

#[test]
fn halves_are_elements() {
    use half::{bf16, f16};
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let mut halves = DeviceBuffer::<f16>::zeroed(&stream, 100).unwrap();
    stream.fill(&mut halves, f16::from_f32(1.5)).unwrap();
    assert!(halves.to_vec(&stream).unwrap().iter().all(|half| half.to_f32() == 1.5));
    let brains = vec![bf16::from_f32(-2.0); 33];
    assert_eq!(DeviceBuffer::from_slice(&stream, &brains).unwrap().to_vec(&stream).unwrap(), brains);
}
