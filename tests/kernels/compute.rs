//! The kernels that compute: fills, sums and products against the host's results.

use hip::{DeviceBuffer, LaunchConfig};
use hip_vega::{empty, gemm, reduce, vector};

use crate::support::{device, numbers};

#[test]
fn vectors_are_filled_counted_and_added() {
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    let kernels = vector::Kernels::load(device).expect("the kernels");
    for len in [1, 63, 64, 65, 1000, 4097] {
        let (config, n) = (LaunchConfig::for_len(len), len as i32);
        let mut out = DeviceBuffer::<f32>::zeroed(&stream, len).expect("out");
        kernels.fill(&stream, config, &mut out, 2.5, n).expect("fill");
        assert_eq!(out.to_vec(&stream).expect("out"), vec![2.5; len]);

        let mut numbered = DeviceBuffer::<u32>::zeroed(&stream, len).expect("numbered");
        kernels.iota(&stream, config, &mut numbered, 7, n).expect("iota");
        assert_eq!(numbered.to_vec(&stream).expect("numbered"), (7..7 + len as u32).collect::<Vec<_>>());

        let (x, y) = (numbers(1, len), numbers(2, len));
        let device_x = DeviceBuffer::from_slice(&stream, &x).expect("x");
        let device_y = DeviceBuffer::from_slice(&stream, &y).expect("y");
        kernels.vector_add(&stream, config, &device_x, &device_y, &mut out, n).expect("vector_add");
        let sums: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
        assert_eq!(out.to_vec(&stream).expect("out"), sums);
    }
}

#[test]
fn every_thread_of_every_workgroup_runs_once() {
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    let kernels = vector::Kernels::load(device).expect("the kernels");
    let mut counter = DeviceBuffer::<u32>::zeroed(&stream, 1).expect("counter");
    let mut threads = 0;
    for (grid, block) in
        [((1, 1, 1), (1, 1, 1)), ((3, 2, 2), (5, 3, 7)), ((17, 1, 1), (1024, 1, 1)), ((1, 9, 1), (33, 2, 1))]
    {
        let config = LaunchConfig::new(grid, block);
        kernels.count(&stream, config, &mut counter).expect("count");
        threads += config.grid.count() * config.block.count();
        assert_eq!(
            u128::from(counter.to_vec(&stream).expect("counter")[0]),
            threads,
            "{grid:?} of {block:?}"
        );
    }
    let nothing = empty::Kernels::load(device).expect("the kernels");
    nothing.empty(&stream, LaunchConfig::new((2, 3, 4), (8, 4, 2))).expect("empty");
    stream.synchronize().expect("the launch ends");
}

#[test]
fn a_sum_in_parts_is_the_sum() {
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    let kernels = reduce::Kernels::load(device).expect("the kernels");
    for (len, groups, block) in [(1, 1, 64), (1000, 3, 128), (5000, 4, 1024), (64, 2, 256), (100, 1, 192)] {
        // Multiples of 2^-10 below 2: every partial sum is exact, in whatever order.
        let x: Vec<f32> = numbers(3, len).iter().map(|x| (x * 1024.0).floor() / 1024.0).collect();
        let device_x = DeviceBuffer::from_slice(&stream, &x).expect("x");
        let mut parts = DeviceBuffer::<f32>::zeroed(&stream, groups).expect("parts");
        let config = LaunchConfig::new(groups as u32, block);
        kernels.reduce_sum(&stream, config, &device_x, &mut parts, len as i32).expect("reduce_sum");
        let parts = parts.to_vec(&stream).expect("parts");
        assert_eq!(parts.iter().sum::<f32>(), x.iter().sum::<f32>(), "{len} elements: {parts:?}");
    }
}

#[test]
fn both_products_are_the_hosts() {
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    let kernels = gemm::Kernels::load(device).expect("the kernels");
    for (m, n, k) in [(64, 128, 32), (128, 64, 80), (20, 33, 17), (1, 1, 1)] {
        let (a, b) = (numbers(4, m * k), numbers(5, k * n));
        let element = |i: usize| -> f64 {
            let (row, column) = (i / n, i % n);
            (0..k).map(|j| f64::from(a[row * k + j]) * f64::from(b[j * n + column])).sum()
        };
        let expected: Vec<f64> = (0..m * n).map(element).collect();
        let device_a = DeviceBuffer::from_slice(&stream, &a).expect("A");
        let device_b = DeviceBuffer::from_slice(&stream, &b).expect("B");
        let (rows, columns, inner) = (m as i32, n as i32, k as i32);
        let check = |name: &str, c: &DeviceBuffer<f32>| {
            for (i, (got, expected)) in c.to_vec(&stream).expect("C").iter().zip(&expected).enumerate() {
                let error = (f64::from(*got) - expected).abs();
                assert!(
                    error <= 1e-5 * expected.abs(),
                    "{name} {m}x{n}x{k}: C[{i}] is {got}, not {expected}"
                );
            }
        };
        let groups = |side: usize| (n.div_ceil(side) as u32, m.div_ceil(side) as u32);
        let mut c = DeviceBuffer::<f32>::zeroed(&stream, m * n).expect("C");
        let config = LaunchConfig::new(groups(16), (16, 16));
        kernels
            .gemm_tile16(&stream, config, &device_a, &device_b, &mut c, rows, columns, inner)
            .expect("gemm_tile16");
        check("gemm_tile16", &c);

        let config = LaunchConfig::new(groups(64), 256);
        let mut c = DeviceBuffer::<f32>::zeroed(&stream, m * n).expect("C");
        let launch =
            kernels.gemm_block64(&stream, config, &device_a, &device_b, &mut c, rows, columns, inner);
        if m % 64 == 0 && n % 64 == 0 && k % 16 == 0 {
            launch.expect("gemm_block64");
            check("gemm_block64", &c);
        } else {
            let refusal = launch.expect_err("the sizes do not fit its blocks").to_string();
            assert!(refusal.contains("multiples of 64"), "{refusal}");
        }
    }
}
