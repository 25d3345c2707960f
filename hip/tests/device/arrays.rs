//! Memory in two and three dimensions, and arrays.

use crate::device;
use hip::texture::{Array, ArrayKind};
use hip::{Extent, PinnedBuffer, PitchedBuffer};

fn numbers(len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect()
}

const EXTENTS: [(usize, usize, usize); 5] = [(1, 1, 1), (64, 1, 1), (65, 3, 1), (17, 5, 4), (300, 200, 2)];

#[test]
fn boxes_go_up_and_come_down() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for extent in EXTENTS {
        let elements = numbers(Extent::from(extent).count().unwrap());
        let buffer = PitchedBuffer::from_slice(&stream, extent, &elements).unwrap();
        assert!(buffer.to_vec(&stream).unwrap() == elements, "{extent:?}");
        let mut copy = PitchedBuffer::zeroed(&stream, extent).unwrap();
        stream.copy_region(&buffer, &mut copy).unwrap();
        assert!(copy.to_vec(&stream).unwrap() == elements, "{extent:?}");
    }
}

#[test]
fn regions_touch_their_box_alone() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let (width, height, depth) = (70, 9, 4);
    let mut buffer = PitchedBuffer::<u32>::zeroed(&stream, (width, height, depth)).unwrap();
    stream.fill_region(buffer.region_mut([3, 2, 1], (60, 5, 2)).unwrap(), 0x0505_0505).unwrap();
    stream.fill_region(buffer.region_mut([0, 8, 3], (70, 1, 1)).unwrap(), 0x1234_5678).unwrap();
    let corner = PinnedBuffer::from_slice(device, &[9u32; 4]).unwrap();
    let pending =
        stream.upload_region_async(corner, buffer.region_mut([68, 0, 0], (2, 2, 1)).unwrap()).unwrap();
    let all = buffer.to_vec(&stream).unwrap();
    for z in 0..depth {
        for y in 0..height {
            for x in 0..width {
                let expected = match (x, y, z) {
                    (3..=62, 2..=6, 1..=2) => 0x0505_0505,
                    (_, 8, 3) => 0x1234_5678,
                    (68.., 0..=1, 0) => 9,
                    _ => 0,
                };
                assert_eq!(all[(z * height + y) * width + x], expected, "{x} {y} {z}");
            }
        }
    }
    assert_eq!(*pending.wait().unwrap(), [9; 4]);
}

#[test]
fn arrays_go_up_and_come_down() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    for extent in EXTENTS {
        let elements: Vec<[u8; 4]> =
            numbers(Extent::from(extent).count().unwrap()).into_iter().map(u32::to_ne_bytes).collect();
        let array = Array::from_slice(&stream, extent, &elements).unwrap();
        assert!(array.to_vec(&stream).unwrap() == elements, "{extent:?}");
    }
    let array = Array::<f32>::uninit(device, (20, 10)).unwrap();
    stream.upload_region(&[1.0; 200], &array).unwrap();
    stream.upload_region(&[2.0; 6], array.region_mut([5, 4, 0], (3, 2)).unwrap()).unwrap();
    let expected =
        |i: usize| if (5..8).contains(&(i % 20)) && (4..6).contains(&(i / 20)) { 2.0 } else { 1.0 };
    let all = array.to_vec(&stream).unwrap();
    assert!((0..200).all(|i| all[i] == expected(i)), "{all:?}");
    let mut pitched = PitchedBuffer::<f32>::zeroed(&stream, (20, 10)).unwrap();
    stream.copy_region(&array, &mut pitched).unwrap();
    let all = pitched.to_vec(&stream).unwrap();
    let expected =
        |i: usize| if (5..8).contains(&(i % 20)) && (4..6).contains(&(i / 20)) { 2.0 } else { 1.0 };
    assert!((0..200).all(|i| all[i] == expected(i)), "{all:?}");
}

#[test]
fn pitched_buffers_and_arrays_copy_both_ways() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let elements = numbers(33 * 6 * 3);
    let buffer = PitchedBuffer::from_slice(&stream, (33, 6, 3), &elements).unwrap();
    let array = Array::<u32>::uninit(device, (33, 6, 3)).unwrap();
    stream.copy_region(&buffer, &array).unwrap();
    assert!(array.to_vec(&stream).unwrap() == elements);
    let mut back = PitchedBuffer::<u32>::zeroed(&stream, (40, 8, 4)).unwrap();
    stream.copy_region(&array, back.region_mut([5, 1, 1], (33, 6, 3)).unwrap()).unwrap();
    let mut result = vec![0; elements.len()];
    stream.download_region(back.region([5, 1, 1], (33, 6, 3)).unwrap(), &mut result).unwrap();
    assert!(result == elements);
}

#[test]
fn layers_are_apart() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let array = Array::<u16>::with_kind(device, (8, 8, 3), ArrayKind::Layered).unwrap();
    for layer in 0..3 {
        let values = [layer as u16 + 1; 64];
        stream.upload_region(&values, array.region_mut([0, 0, layer], (8, 8)).unwrap()).unwrap();
    }
    let all = array.to_vec(&stream).unwrap();
    assert!(all.chunks(64).enumerate().all(|(layer, values)| values.iter().all(|&v| v == layer as u16 + 1)));
}
