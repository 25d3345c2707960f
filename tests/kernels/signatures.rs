//! The kernels that only say what they were given.

use hip::half::f16;
use hip::{DeviceBuffer, LaunchConfig, Stream};
use hip_vega::signatures::{
    Base, Derived, Float4, Kernels, Mode, Node, Odd, OddPair, Packed, PackedVector, Point, Settings,
};

use crate::support::device;

/// The kernels and a stream of their device, unless there is none.
fn kernels() -> Option<(Kernels, Stream)> {
    let device = device()?;
    Some((Kernels::load(device).expect("the kernels"), device.stream().expect("a stream")))
}

const ONE: fn() -> LaunchConfig = || LaunchConfig::new(1, 1);

#[test]
fn structs_arrive_by_value() {
    let Some((kernels, stream)) = kernels() else { return };
    let mut out = DeviceBuffer::<f64>::zeroed(&stream, 13).expect("out");
    let settings = Settings {
        scale: 0.1,
        tag: -5,
        origin: Point { x: i32::MIN, y: 77 },
        weights: [1.5, -2.5, 3.25],
        last: 65_535,
        ..Settings::default()
    };
    kernels.take_struct(&stream, ONE(), &mut out, settings).expect("take_struct");
    let expected = [0.1, -5.0, f64::from(i32::MIN), 77.0, 1.5, -2.5, 3.25, 65_535.0];
    assert_eq!(out.to_vec(&stream).expect("out")[..8], expected);

    let mut odd =
        Odd { pair: OddPair { a: -3, b: 4 }, flag: 1, address: 0x10, mode: Mode::AUTO, ..Odd::default() };
    // What has no name in Rust is still in its place: two bit fields in the first byte, the union's four bytes.
    odd._padding0[0] = 5 | 21 << 3;
    odd.anonymous_4._padding0 = 0x4048_f5c3u32.to_le_bytes();
    let derived = Derived { base: Base { id: -9 }, value: 1 << 40, ..Derived::default() };
    let packed = Packed { tag: 200, value: -0.75 };
    kernels.take_odd(&stream, ONE(), &mut out, odd, derived, 99, packed).expect("take_odd");
    let bits = f64::from(0x4048_f5c3u32);
    let expected = [5.0, 21.0, bits, -3.0, 4.0, 1.0, 1.0, 7.0, -9.0, 1_099_511_627_776.0, 99.0, 200.0, -0.75];
    assert_eq!(out.to_vec(&stream).expect("out"), expected);

    let vector = [1.5f32, 2.0, -0.25, 8.0];
    let packed = PackedVector { tag: 201, vector: hip::bytemuck::cast(vector) };
    kernels.take_packed_vector(&stream, ONE(), &mut out, packed, 4.0).expect("take_packed_vector");
    assert_eq!(out.to_vec(&stream).expect("out")[..2], [201.0, 45.0]);
}

#[test]
fn scalars_of_every_size_arrive() {
    let Some((kernels, stream)) = kernels() else { return };
    let mut out = DeviceBuffer::<i64>::zeroed(&stream, 10).expect("out");
    for flag in [false, true] {
        kernels
            .take_scalars(
                &stream,
                ONE(),
                &mut out,
                flag,
                -1,
                i8::MIN,
                u8::MAX,
                i16::MIN,
                u16::MAX,
                i32::MIN,
                u32::MAX,
                i64::MIN,
                1 << 63,
            )
            .expect("take_scalars");
        let expected = [
            i64::from(flag),
            -1,
            -128,
            255,
            -32_768,
            65_535,
            i64::from(i32::MIN),
            i64::from(u32::MAX),
            i64::MIN,
            i64::MIN,
        ];
        assert_eq!(out.to_vec(&stream).expect("out"), expected);
    }
    let mut floats = DeviceBuffer::<f64>::zeroed(&stream, 4).expect("floats");
    let (half, other) = (f16::from_f32(1.5), f16::from_f32(-6.25e-5));
    kernels.take_floats(&stream, ONE(), &mut floats, half, other, 0.1, 0.2).expect("take_floats");
    assert_eq!(floats.to_vec(&stream).expect("floats"), [1.5, other.to_f64(), f64::from(0.1f32), 0.2]);

    let mut word = DeviceBuffer::<u32>::zeroed(&stream, 1).expect("word");
    for mode in [Mode::OFF, Mode::ON, Mode::AUTO, Mode(200)] {
        kernels.take_enum(&stream, ONE(), &mut word, mode).expect("take_enum");
        assert_eq!(word.to_vec(&stream).expect("word"), [u32::from(mode.0)]);
    }
}

#[test]
fn pointers_to_everything_arrive() {
    let Some((kernels, stream)) = kernels() else { return };
    let n = 64;
    let mut out = DeviceBuffer::<u32>::zeroed(&stream, n).expect("out");
    let (x, y): (Vec<u32>, Vec<u32>) = (0..n as u32).map(|i| (i, 1000 * i)).unzip();
    let v: Vec<Float4> = (0..n).map(|i| Float4 { x: i as f32, y: 1.0, z: 2.0, w: 3.0 }).collect();
    let raw: Vec<u8> = (0..n as u8).map(|i| 255 - i).collect();
    let device_x = DeviceBuffer::from_slice(&stream, &x).expect("x");
    let device_y = DeviceBuffer::from_slice(&stream, &y).expect("y");
    let device_v = DeviceBuffer::from_slice(&stream, &v).expect("v");
    let device_raw = DeviceBuffer::from_slice(&stream, &raw).expect("raw");
    let config = LaunchConfig::new(1, n as u32);
    kernels
        .take_pointers(&stream, config, &mut out, &device_x, &device_y, &device_v, &device_raw)
        .expect("launch");
    let expected: Vec<u32> = (0..n as u32).map(|i| i + 1000 * i + (i + 6) + (255 - i)).collect();
    assert_eq!(out.to_vec(&stream).expect("out"), expected);

    let points: Vec<Point> = (0..n as i32).map(|i| Point { x: i, y: -i }).collect();
    let mut device_points = DeviceBuffer::from_slice(&stream, &points).expect("points");
    kernels.take_records(&stream, config, &mut device_points).expect("take_records");
    let swapped: Vec<Point> = points.iter().map(|p| Point { x: p.y, y: p.x }).collect();
    assert_eq!(device_points.to_vec(&stream).expect("points"), swapped);

    let one = |value: i32| DeviceBuffer::from_slice(&stream, &[value]).expect("a number");
    let mut sum = one(0);
    let matrix = DeviceBuffer::from_slice(&stream, &[1, 2, 3, 4000]).expect("matrix");
    let addresses = DeviceBuffer::from_slice(&stream, &[0xdead_0000u64]).expect("addresses");
    let nodes = [Node { value: 300_000, ..Node::default() }];
    let node = DeviceBuffer::from_slice(&stream, &nodes).expect("node");
    kernels
        .take_names(&stream, ONE(), &mut sum, 5, &one(60), &one(700), &matrix, &addresses, &node, 0)
        .expect("take_names");
    assert_eq!(sum.to_vec(&stream).expect("sum"), [304_766]);
}

#[test]
fn instances_and_overloads_are_kernels_of_their_own() {
    let Some((kernels, stream)) = kernels() else { return };
    let config = LaunchConfig::new(1, 3);
    let mut f32s = DeviceBuffer::from_slice(&stream, &[1.0f32, -2.0, 0.5]).expect("f32");
    kernels.scale_float_1(&stream, config, &mut f32s, 3.0).expect("scale<float, 1>");
    assert_eq!(f32s.to_vec(&stream).expect("f32"), [3.0, -6.0, 1.5]);
    let mut f64s = DeviceBuffer::from_slice(&stream, &[1.0f64, -2.0, 0.5]).expect("f64");
    kernels.scale_double_3(&stream, config, &mut f64s, 3.0).expect("scale<double, 3>");
    assert_eq!(f64s.to_vec(&stream).expect("f64"), [27.0, -54.0, 13.5]);
    let mut f16s = DeviceBuffer::from_slice(&stream, &[1.0, -2.0, 0.5].map(f16::from_f32)).expect("f16");
    kernels.scale_float16_1(&stream, config, &mut f16s, f16::from_f32(3.0)).expect("scale<_Float16, 1>");
    assert_eq!(f16s.to_vec(&stream).expect("f16"), [3.0, -6.0, 1.5].map(f16::from_f32));

    let mut float = DeviceBuffer::from_slice(&stream, &[0.5f32]).expect("float");
    let mut int = DeviceBuffer::from_slice(&stream, &[41]).expect("int");
    bump(&kernels, &stream, &mut float, &mut int);
    assert_eq!(
        (float.to_vec(&stream).expect("float"), int.to_vec(&stream).expect("int")),
        (vec![1.5], vec![42])
    );
}

/// Which of the overloads has which number is decided by their order in the source.
fn bump(kernels: &Kernels, stream: &Stream, float: &mut DeviceBuffer<f32>, int: &mut DeviceBuffer<i32>) {
    kernels.outer_inner_bump(stream, ONE(), int).expect("bump(int *)");
    kernels.outer_inner_bump_2(stream, ONE(), float).expect("bump(float *)");
}

#[test]
fn shared_memory_and_limits_are_the_kernels_own() {
    let Some((kernels, stream)) = kernels() else { return };
    let x: Vec<f32> = (0..200u16).map(f32::from).collect();
    let mut device_x = DeviceBuffer::from_slice(&stream, &x).expect("x");
    let config = LaunchConfig::new(1, 200);
    assert!(kernels.reverse(&stream, config, &mut device_x).is_err(), "it has no shared memory");
    kernels.reverse(&stream, config.shared_bytes(800), &mut device_x).expect("reverse");
    assert_eq!(device_x.to_vec(&stream).expect("x"), x.into_iter().rev().collect::<Vec<_>>());

    let mut out = DeviceBuffer::from_slice(&stream, &[9u32; 65]).expect("out");
    assert!(kernels.small_block(&stream, LaunchConfig::new(1, 65), &mut out).is_err(), "64 threads at most");
    kernels.small_block(&stream, LaunchConfig::new(1, 64), &mut out).expect("small_block");
    let expected: Vec<u32> = (0..64).chain([9]).collect();
    assert_eq!(out.to_vec(&stream).expect("out"), expected);

    let mut sum = DeviceBuffer::from_slice(&stream, &[1.0f32]).expect("sum");
    kernels.use_globals(&stream, ONE(), &mut sum).expect("use_globals");
    assert_eq!(sum.to_vec(&stream).expect("sum"), [0.0], "a constant table is zero until it is written");
}
