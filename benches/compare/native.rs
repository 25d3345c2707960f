//! What the kernels do, in Rust as one would write it for one thread. The compiler may use AVX2 and fused multiply-adds
//! where the host has them.
//!
//! # Safety
//! The functions with `target_feature` are called after the host was asked for the features.

use std::ops::{AddAssign, Mul};

use hip::bytemuck;

/// Runs work that the compiler vectorizes for the host.
#[inline(always)]
fn wide(work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn with_avx2(work: impl FnOnce()) {
            work();
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the host has both features.
            return unsafe { with_avx2(work) };
        }
    }
    work();
}

/// Words as they lie in memory.
pub fn bytes(words: &[u32]) -> Vec<u8> {
    bytemuck::cast_slice(words).to_vec()
}

/// y += a x
pub fn saxpy(a: f32, x: &[f32], y: &mut [f32]) {
    wide(
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x),
    );
}

/// C = A B, row by row, with the loops in the order that vectors like.
pub fn gemm<T: Copy + Default + AddAssign + Mul<Output = T>>(n: usize, a: &[T], b: &[T], c: &mut [T]) {
    wide(
        #[inline(always)]
        || {
            for (row, out) in c.chunks_exact_mut(n).enumerate() {
                out.fill(T::default());
                for k in 0..n {
                    let factor = a[row * n + k];
                    for (sum, b) in out.iter_mut().zip(&b[k * n..][..n]) {
                        *sum += factor * *b;
                    }
                }
            }
        },
    );
}

/// The sum, in sixteen parts so that it can be vectorized.
pub fn sum(x: &[f32]) -> f32 {
    let mut parts = [0f32; 16];
    wide(
        #[inline(always)]
        || {
            for chunk in x.chunks_exact(16) {
                parts.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x);
            }
        },
    );
    parts.iter().sum()
}

/// Inclusive sums.
pub fn scan(x: &[u32], y: &mut [u32]) {
    let mut sum = 0u32;
    for (y, x) in y.iter_mut().zip(x) {
        sum = sum.wrapping_add(*x);
        *y = sum;
    }
}

/// Adds how often each byte occurs.
pub fn histogram(x: &[u32], counts: &mut [u32; 256]) {
    for byte in x.iter().flat_map(|word| word.to_le_bytes()) {
        counts[usize::from(byte)] += 1;
    }
}

/// Tile by tile, as caches like it.
pub fn transpose(n: usize, x: &[f32], y: &mut [f32]) {
    for row in (0..n).step_by(16) {
        for col in (0..n).step_by(16) {
            for i in row..row + 16 {
                for j in col..col + 16 {
                    y[j * n + i] = x[i * n + j];
                }
            }
        }
    }
}

/// How often a point of the plane is squared before it is far away.
#[inline(always)]
pub fn escape(col: usize, row: usize, n: usize, limit: u32) -> u32 {
    let scale = 3.0 / n as f32;
    let (cx, cy) = ((col as f32).mul_add(scale, -2.25), (row as f32).mul_add(scale, -1.5));
    let (mut x, mut y, mut count) = (0f32, 0f32, 0);
    while count < limit && x.mul_add(x, y * y) <= 4.0 {
        (x, y) = (x.mul_add(x, (-y).mul_add(y, cx)), (2.0 * x).mul_add(y, cy));
        count += 1;
    }
    count
}

/// The whole picture.
pub fn mandelbrot(n: usize, limit: u32, counts: &mut [u32]) {
    wide(
        #[inline(always)]
        || counts.iter_mut().enumerate().for_each(|(i, count)| *count = escape(i % n, i / n, n, limit)),
    );
}

/// The acceleration of one body by all.
#[inline(always)]
pub fn acceleration(bodies: &[f32], i: usize) -> [f32; 4] {
    let body = &bodies[4 * i..][..4];
    let mut sum = [0f32; 4];
    for other in bodies.chunks_exact(4) {
        let [dx, dy, dz] = [0, 1, 2].map(|d| other[d] - body[d]);
        let near = 1.0 / (dx * dx + dy * dy + dz * dz + 0.01).sqrt();
        let pull = other[3] * near * near * near;
        sum[0] += dx * pull;
        sum[1] += dy * pull;
        sum[2] += dz * pull;
    }
    sum
}

/// Those of all bodies.
pub fn nbody(bodies: &[f32], out: &mut [[f32; 4]]) {
    wide(
        #[inline(always)]
        || out.iter_mut().enumerate().for_each(|(i, sum)| *sum = acceleration(bodies, i)),
    );
}

/// e^(-2 pi i k / 1024) for k < 512, real and imaginary parts in turn.
pub fn roots() -> Vec<f32> {
    let angle = |k: u32| -2.0 * std::f64::consts::PI * f64::from(k) / 1024.0;
    (0..512).flat_map(|k| [angle(k).cos() as f32, angle(k).sin() as f32]).collect()
}

/// One number of a transform, by its definition.
pub fn frequency(x: &[f32], k: usize) -> [f64; 2] {
    let mut sum = [0f64; 2];
    for (j, x) in x.chunks_exact(2).enumerate() {
        let angle = -2.0 * std::f64::consts::PI * (j * k % 1024) as f64 / 1024.0;
        let (sin, cos) = angle.sin_cos();
        let [re, im] = [x[0], x[1]].map(f64::from);
        sum[0] += re * cos - im * sin;
        sum[1] += re * sin + im * cos;
    }
    sum
}

/// Transforms of 1024 complex numbers each, in the steps of the kernel.
pub fn fft(x: &[f32], roots: &[f32], y: &mut [f32]) {
    let mut parts = [[[0f32; 2]; 1024]; 2];
    for (x, y) in x.chunks_exact(2048).zip(y.chunks_exact_mut(2048)) {
        for (to, x) in parts[0].iter_mut().zip(x.chunks_exact(2)) {
            *to = [x[0], x[1]];
        }
        let mut from = 0;
        for bit in 0..10 {
            let stride = 1usize << bit;
            for i in 0..512 {
                let k = i & (stride - 1);
                let root = 2 * k * (512 / stride);
                let (u, v, w) = (parts[from][i], parts[from][i + 512], [roots[root], roots[root + 1]]);
                let turned = [v[0] * w[0] - v[1] * w[1], v[0] * w[1] + v[1] * w[0]];
                let to = 2 * i - k;
                parts[1 - from][to] = [u[0] + turned[0], u[1] + turned[1]];
                parts[1 - from][to + stride] = [u[0] - turned[0], u[1] - turned[1]];
            }
            from = 1 - from;
        }
        for (y, part) in y.chunks_exact_mut(2).zip(&parts[from]) {
            y.copy_from_slice(part);
        }
    }
}
