//! `kernels/corpus/matrix.hip`: all exact, since hipcc contracts each step of a sum to a fused multiply-add.

use super::half::{f16s, fma};
use crate::case::{Case, shape};
use crate::compare::Exact;
use crate::inputs::{Random, f32s, f64s, integers};
use hip::half::f16;

/// `a b` for n x n matrices, with sums of another type.
fn product<T: Copy, Sum: Copy>(
    a: &[T],
    b: &[T],
    n: usize,
    zero: Sum,
    step: impl Fn(T, T, Sum) -> Sum,
) -> Vec<Sum> {
    let element =
        |row: usize, column: usize| (0..n).fold(zero, |sum, k| step(a[row * n + k], b[k * n + column], sum));
    (0..n * n).map(|at| element(at / n, at % n)).collect()
}

/// A kernel that computes 16 x 16 elements per workgroup.
fn tiled<T: Exact>(
    kernel: &'static str,
    (a, b): (Vec<T>, Vec<T>),
    expected: impl Fn(&[T], &[T], usize) -> Vec<T>,
) -> Case {
    let n = a.len().isqrt();
    let tiles = n as u32 / 16;
    Case::new(kernel, shape((tiles, tiles), (16, 16)))
        .input(&a)
        .input(&b)
        .output(&vec![T::zeroed(); n * n])
        .value(n as i32)
        .expect(0, expected(&a, &b, n))
}

fn f32_product(a: &[f32], b: &[f32], n: usize) -> Vec<f32> {
    product(a, b, n, 0.0, f32::mul_add)
}

fn sparse_product() -> Case {
    const N: usize = 150;
    let mut random = Random::new(8);
    let (mut starts, mut columns) = (vec![0i32], Vec::new());
    for row in 0..N {
        // Rows of 0 to 12 elements, the first one empty.
        let len = if row == 0 { 0 } else { random.below(13) };
        columns.extend((0..len).map(|_| random.below(N as u64) as i32));
        starts.push(columns.len() as i32);
    }
    let values = f64s(9, columns.len(), -1.0, 1.0);
    let x = f64s(10, N, -1.0, 1.0);
    let row = |range: &[i32]| {
        let range = range[0] as usize..range[1] as usize;
        range.fold(0.0, |sum, j| values[j].mul_add(x[columns[j] as usize], sum))
    };
    Case::new("sparse_product", shape(3, 64))
        .input(&starts)
        .input(&columns)
        .input(&values)
        .input(&x)
        .output(&[0f64; N])
        .value(N as i32)
        .expect(0, starts.windows(2).map(row).collect())
}

fn transpose() -> Case {
    const W: usize = 70;
    const H: usize = 45;
    let matrix = f32s(11, W * H, -1.0, 1.0);
    let transposed = (0..W * H).map(|at| matrix[at % H * W + at / H]).collect();
    Case::new("transpose", shape((3, 2), (32, 8)))
        .input(&matrix)
        .output(&[0f32; W * H])
        .value(W as i32)
        .value(H as i32)
        .expect(0, transposed)
}

pub fn cases() -> Vec<Case> {
    const N: usize = 64;
    const SIZE: usize = N * N;
    let bytes = |seed| integers::<u32>(seed, SIZE).iter().map(|&bits| bits as i8).collect::<Vec<i8>>();
    let (left, right) = (bytes(1), bytes(2));
    let transposed: Vec<i8> = (0..SIZE).map(|at| right[at % N * N + at / N]).collect();
    let of_bytes = product(&left, &transposed, N, 0, |a, b, sum| i32::from(a) * i32::from(b) + sum);
    let (a, b) = (f32s(3, 4 * SIZE, -1.0, 1.0), f32s(4, 4 * SIZE, -1.0, 1.0));
    let blocked = f32_product(&a, &b, 2 * N);
    vec![
        tiled("gemm_f32", (f32s(1, SIZE, -1.0, 1.0), f32s(2, SIZE, -1.0, 1.0)), f32_product),
        tiled("gemm_f64", (f64s(1, SIZE, -1.0, 1.0), f64s(2, SIZE, -1.0, 1.0)), |a, b, n| {
            product(a, b, n, 0.0, f64::mul_add)
        }),
        tiled("gemm_f16", (f16s(1, SIZE, -1.0, 1.0), f16s(2, SIZE, -1.0, 1.0)), |a, b, n| {
            product(a, b, n, f16::ZERO, fma)
        }),
        tiled("gemm_f16_sum_f32", (f16s(1, SIZE, -1.0, 1.0), f16s(2, SIZE, -1.0, 1.0)), |a, b, n| {
            let step = |a: f16, b: f16, sum: f32| f32::from(a).mul_add(f32::from(b), sum);
            product(a, b, n, 0.0, step).into_iter().map(f16::from_f32).collect()
        }),
        tiled("gemm_i32", (integers(1, SIZE), integers(2, SIZE)), |a, b, n| {
            product(a, b, n, 0i32, |a: i32, b, sum| a.wrapping_mul(b).wrapping_add(sum))
        }),
        tiled("gemm_u64", (integers(1, SIZE), integers(2, SIZE)), |a, b, n| {
            product(a, b, n, 0u64, |a: u64, b, sum| a.wrapping_mul(b).wrapping_add(sum))
        }),
        Case::new("gemm_i8", shape((2, 8), (32, 8)))
            .input(&left)
            .input(&right)
            .output(&[0i32; SIZE])
            .value(N as i32)
            .expect(0, of_bytes),
        Case::new("gemm_register_blocked", shape((2, 2), 256))
            .input(&a)
            .input(&b)
            .output(&vec![0f32; 4 * SIZE])
            .value(2 * N as i32)
            .expect(0, blocked),
        sparse_product(),
        transpose(),
    ]
}
