//! `kernels/corpus/lds.hip`.

use crate::case::{Case, shape};
use crate::compare::{Exact, Limit};
use crate::inputs::{f32s, f64s, integers};
use std::f64::consts::TAU;

/// The sums of all workgroups, in the kernel's own order of additions: exact for floating-point numbers, too.
fn sums<T: Exact>(kernel: &'static str, numbers: Vec<T>, add: fn(T, T) -> T) -> Case {
    const GRID: usize = 4;
    const BLOCK: usize = 192;
    let of_workgroup = |group: usize| {
        let of_thread = |thread: usize| {
            numbers
                .iter()
                .skip(group * BLOCK + thread)
                .step_by(GRID * BLOCK)
                .fold(T::zeroed(), |a, b| add(a, *b))
        };
        let threads: Vec<T> = (0..BLOCK).map(of_thread).collect();
        let mut waves = [T::zeroed(); 16];
        for (wave, lanes) in waves.iter_mut().zip(threads.chunks(64)) {
            let mut lanes = lanes.to_vec();
            for distance in [32, 16, 8, 4, 2, 1] {
                for lane in 0..distance {
                    lanes[lane] = add(lanes[lane], lanes[lane + distance]);
                }
            }
            *wave = lanes[0];
        }
        for distance in [8, 4, 2, 1] {
            waves = std::array::from_fn(|lane| add(waves[lane], waves[lane ^ distance]));
        }
        waves[0]
    };
    Case::new(kernel, shape(GRID as u32, BLOCK as u32))
        .input(&numbers)
        .output(&[T::zeroed(); GRID])
        .value(numbers.len() as i32)
        .expect(0, (0..GRID).map(of_workgroup).collect())
}

fn running_sums() -> Case {
    const N: usize = 1400;
    const GRID: usize = 3;
    const BLOCK: usize = 512;
    let mut numbers = integers::<i32>(5, N);
    let given = numbers.clone();
    numbers.resize(GRID * BLOCK, 0);
    for group in numbers.chunks_mut(BLOCK) {
        for at in 1..BLOCK {
            group[at] = group[at].wrapping_add(group[at - 1]);
        }
    }
    let totals = numbers.chunks(BLOCK).map(|group| group[BLOCK - 1]).collect();
    numbers.truncate(N);
    Case::new("running_sums", shape(GRID as u32, BLOCK as u32))
        .input(&given)
        .output(&[0i32; N])
        .output(&[0i32; GRID])
        .value(N as i32)
        .expect(0, numbers)
        .expect(1, totals)
}

fn histogram() -> Case {
    let bytes: Vec<u8> = integers::<u32>(6, 10_000).iter().map(|&bits| bits as u8).collect();
    let mut counts = [100u32; 256];
    let before = counts;
    for &byte in &bytes {
        counts[usize::from(byte)] += 1;
    }
    Case::new("histogram", shape(3, 256))
        .input(&bytes)
        .output(&before)
        .value(bytes.len() as i32)
        .expect(0, counts.to_vec())
}

fn fourier() -> Case {
    const N: usize = 1024;
    let numbers = f32s(7, 2 * 2 * N, -1.0, 1.0);
    let mut transformed = Vec::new();
    for row in numbers.chunks(2 * N) {
        for frequency in 0..N {
            let (mut re, mut im) = (0.0, 0.0);
            for (at, number) in row.chunks(2).enumerate() {
                let (sine, cosine) = (-TAU * (at * frequency % N) as f64 / N as f64).sin_cos();
                let [a, b] = [number[0], number[1]].map(f64::from);
                re += a * cosine - b * sine;
                im += a * sine + b * cosine;
            }
            transformed.extend([re, im]);
        }
    }
    Case::new("fourier_1024", shape(2, 256))
        .output(&numbers)
        // The native sine and cosine are 2^-20 off, in each of ten steps to numbers of up to 100.
        .near_f32(0, transformed, Limit::absolute(1e-3))
}

fn bitonic() -> Case {
    let keys = integers::<u32>(8, 1024);
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    let runs = (1..=10).map(|log| 1 << log);
    let steps = runs.flat_map(|run: i32| (0..run.ilog2()).rev().map(move |log| vec![1 << log, run]));
    Case::new("bitonic_step", shape(4, 256))
        .output(&keys)
        .value(0i32)
        .value(0i32)
        .rounds(steps.collect())
        .expect(0, sorted)
}

fn softmax() -> Case {
    const ROWS: usize = 3;
    const N: usize = 700;
    let numbers = f32s(9, ROWS * N, -5.0, 5.0);
    let of_row = |row: &[f32]| {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = row.iter().map(|&x| f64::from(x - largest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(move |power| power / sum)
    };
    Case::new("softmax", shape(ROWS as u32, 256))
        .input(&numbers)
        .output(&[0f32; ROWS * N])
        .value(N as i32)
        // One unit for each of the two exponentials, half of one for each of twelve additions and the division.
        .near_f32(0, numbers.chunks(N).flat_map(of_row).collect(), Limit::ulp(8.5))
}

fn mixed_widths() -> Case {
    let doubles = f64s(10, 256, -1e10, 1e10);
    let words = integers::<u16>(11, 256);
    let bytes = integers::<i8>(12, 256);
    let triples = integers::<u32>(13, 3 * 64);
    let pair =
        |t: usize| [doubles[t ^ 1] + doubles[(t + 64) & 255], doubles[t ^ 32] * doubles[(t + 128) & 255]];
    let word = |t: usize| words[t ^ 5].wrapping_add_signed(i16::from(bytes[t ^ 7]));
    let byte = |t: usize| bytes[t ^ 3].wrapping_sub(words[t ^ 9] as i8);
    Case::new("mixed_widths", shape(1, 256))
        .input(&doubles)
        .output(&[0f64; 512])
        .output(&words)
        .output(&bytes)
        .output(&triples)
        .expect(0, (0..256).flat_map(pair).collect())
        .expect(1, (0..256).map(word).collect())
        .expect(2, (0..256).map(byte).collect())
        .expect(3, (0..3 * 64).map(|at| triples[((at / 3) ^ 1) * 3 + at % 3]).collect())
}

pub fn cases() -> Vec<Case> {
    vec![
        sums("sum_f32", f32s(1, 5000, -1.0, 1.0), |a, b| a + b),
        sums("sum_f64", f64s(2, 5000, -1.0, 1.0), |a, b| a + b),
        sums("sum_i32", integers::<i32>(3, 5000), i32::wrapping_add),
        sums("sum_i64", integers::<i64>(4, 5000), i64::wrapping_add),
        running_sums(),
        histogram(),
        fourier(),
        bitonic(),
        softmax(),
        mixed_widths(),
    ]
}
