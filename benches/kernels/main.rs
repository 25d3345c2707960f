//! SAXPY and GEMM over sizes, what a launch costs, and transfers: `vega run -- cargo bench -p hip-benches --bench kernels`.
//!
//! The report is `target/criterion/report/index.html`. On a virtual device the figures say how fast it is emulated.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use hip::{Device, DeviceBuffer, LaunchConfig, PinnedBuffer, Result, Stream};
use hip_benches::numbers;
use hip_vega::{empty, gemm, saxpy};

/// The first device's stream. Benches have nobody to hand an error to, so they end with its message.
fn stream() -> Stream {
    or_exit(Device::first().and_then(Device::stream))
}

fn or_exit<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1)
    })
}

fn saxpy_over_sizes(criterion: &mut Criterion) {
    let stream = stream();
    let kernels = or_exit(saxpy::Kernels::load(stream.device()));
    let mut group = criterion.benchmark_group("saxpy");
    for power in [12, 16, 20] {
        let len = 1usize << power;
        let x = or_exit(DeviceBuffer::from_slice(&stream, &numbers(len)));
        let mut y = or_exit(DeviceBuffer::from_slice(&stream, &numbers(len)));
        group.throughput(Throughput::Bytes(3 * size_of::<f32>() as u64 * len as u64));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| {
                or_exit(kernels.saxpy(&stream, LaunchConfig::for_len(len), 0.5, &x, &mut y, len as i32));
                or_exit(stream.synchronize());
            });
        });
    }
}

fn gemm_over_sizes(criterion: &mut Criterion) {
    let stream = stream();
    let kernels = or_exit(gemm::Kernels::load(stream.device()));
    let mut group = criterion.benchmark_group("gemm");
    for size in [64u32, 128, 256] {
        let len = (size * size) as usize;
        let a = or_exit(DeviceBuffer::from_slice(&stream, &numbers(len)));
        let b = or_exit(DeviceBuffer::from_slice(&stream, &numbers(len)));
        let mut c = or_exit(DeviceBuffer::zeroed(&stream, len));
        let n = size as i32;
        // One element is one floating-point operation: a multiplication or an addition.
        group.throughput(Throughput::Elements(2 * u64::from(size).pow(3)));
        group.bench_function(BenchmarkId::new("tile16", size), |bencher| {
            let config = LaunchConfig::new((size / 16, size / 16), (16, 16));
            bencher.iter(|| {
                or_exit(kernels.gemm_tile16(&stream, config, &a, &b, &mut c, n, n, n));
                or_exit(stream.synchronize());
            });
        });
        group.bench_function(BenchmarkId::new("block64", size), |bencher| {
            let config = LaunchConfig::new((size / 64, size / 64), 256);
            bencher.iter(|| {
                or_exit(kernels.gemm_block64(&stream, config, &a, &b, &mut c, n, n, n));
                or_exit(stream.synchronize());
            });
        });
    }
}

fn launches(criterion: &mut Criterion) {
    let stream = stream();
    let kernels = or_exit(empty::Kernels::load(stream.device()));
    let mut group = criterion.benchmark_group("launch");
    group.throughput(Throughput::Elements(1));
    group.bench_function("and wait", |bencher| {
        bencher.iter(|| {
            or_exit(kernels.empty(&stream, LaunchConfig::new(1, 64)));
            or_exit(stream.synchronize());
        });
    });
    group.throughput(Throughput::Elements(100));
    group.bench_function("100 and wait", |bencher| {
        bencher.iter(|| {
            for _ in 0..100 {
                or_exit(kernels.empty(&stream, LaunchConfig::new(1, 64)));
            }
            or_exit(stream.synchronize());
        });
    });
}

fn transfers(criterion: &mut Criterion) {
    let stream = stream();
    let mut group = criterion.benchmark_group("transfer");
    for kibibytes in [4usize, 1024, 16384] {
        let len = kibibytes * 1024 / size_of::<f32>();
        group.throughput(Throughput::Bytes((kibibytes * 1024) as u64));
        let mut pageable = numbers(len);
        let mut pinned = or_exit(PinnedBuffer::from_slice(stream.device(), &pageable));
        let mut device = or_exit(DeviceBuffer::<f32>::zeroed(&stream, len));
        group.bench_function(BenchmarkId::new("upload pageable", kibibytes), |bencher| {
            bencher.iter(|| or_exit(stream.upload(&pageable, &mut device)));
        });
        group.bench_function(BenchmarkId::new("upload pinned", kibibytes), |bencher| {
            bencher.iter(|| or_exit(stream.upload(&pinned, &mut device)));
        });
        group.bench_function(BenchmarkId::new("download pageable", kibibytes), |bencher| {
            bencher.iter(|| or_exit(stream.download(&device, &mut pageable)));
        });
        group.bench_function(BenchmarkId::new("download pinned", kibibytes), |bencher| {
            bencher.iter(|| or_exit(stream.download(&device, &mut pinned)));
        });
        let mut copy = or_exit(DeviceBuffer::<f32>::zeroed(&stream, len));
        group.bench_function(BenchmarkId::new("on the device", kibibytes), |bencher| {
            bencher.iter(|| {
                or_exit(stream.copy(&device, &mut copy));
                or_exit(stream.synchronize());
            });
        });
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_secs(1))
        .configure_from_args();
    saxpy_over_sizes(&mut criterion);
    gemm_over_sizes(&mut criterion);
    launches(&mut criterion);
    transfers(&mut criterion);
    criterion.final_summary();
}
