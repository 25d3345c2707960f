//! `kernels/corpus/applications.hip`.
//!
//! hipcc contracts `a * b + c` to one operation. Where an expression can be contracted in several ways, the reference tries
//! them all: one of them must give the same bits.

use crate::c_math::erfc;
use crate::case::{Case, shape};
use crate::compare::{Limit, exact};
use crate::inputs::{Random, f32s};
use std::f64::consts::SQRT_2;

/// Two vectors, and `a x + y` for them.
fn saxpy(a: f32, n: usize) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (mut x, mut y) = (f32s(1, n, -10.0, 10.0), f32s(2, n, -10.0, 10.0));
    let edges = [0.0, -0.0, f32::MAX, f32::INFINITY, f32::NAN, 1e-45, f32::MIN_POSITIVE];
    x[..7].copy_from_slice(&edges);
    y[4..11].copy_from_slice(&edges);
    let sums = x.iter().zip(&y).map(|(x, y)| a.mul_add(*x, *y)).collect();
    (x, y, sums)
}

fn edges() -> Case {
    const W: usize = 67;
    const H: usize = 45;
    let mut random = Random::new(3);
    let image: Vec<u8> = (0..W * H).map(|_| random.bits() as u8).collect();
    let edge = |at: usize| {
        let (x, y) = (at % W, at / W);
        if x < 1 || y < 1 || x >= W - 1 || y >= H - 1 {
            return 7;
        }
        let pixel = |dx: usize, dy: usize| i32::from(image[(y + dy - 1) * W + x + dx - 1]);
        let gx = -pixel(0, 0) - 2 * pixel(0, 1) - pixel(0, 2) + pixel(2, 0) + 2 * pixel(2, 1) + pixel(2, 2);
        let gy = -pixel(0, 0) - 2 * pixel(1, 0) - pixel(2, 0) + pixel(0, 2) + 2 * pixel(1, 2) + pixel(2, 2);
        ((gx * gx + gy * gy) as f32).sqrt() as u8
    };
    Case::new("edges", shape((5, 6), (16, 8)))
        .input(&image)
        .output(&[7u8; W * H])
        .value(W as i32)
        .value(H as i32)
        .expect(0, (0..W * H).map(edge).collect())
}

fn gravity() -> Case {
    const N: usize = 512;
    let (positions, velocities) = (f32s(4, 4 * N, 0.0, 1.0), f32s(5, 4 * N, -1.0, 1.0));
    let (dt, epsilon) = (0.01f32, 0.01f32);
    let bodies: Vec<[f64; 4]> =
        positions.chunks(4).map(|body| std::array::from_fn(|at| f64::from(body[at]))).collect();
    let mut after: Vec<f64> = velocities.iter().map(|&v| f64::from(v)).collect();
    for (own, velocity) in bodies.iter().zip(after.chunks_mut(4)) {
        for body in &bodies {
            let d: [f64; 3] = std::array::from_fn(|at| body[at] - own[at]);
            let square = d.iter().map(|d| d * d).sum::<f64>() + f64::from(epsilon);
            let pull = body[3] / (square * square.sqrt());
            for (velocity, d) in velocity.iter_mut().zip(d) {
                *velocity += d * pull * f64::from(dt);
            }
        }
    }
    Case::new("gravity", shape(2, 256))
        .input(&positions)
        .output(&velocities)
        .value(dt)
        .value(epsilon)
        .value(N as i32)
        // 512 terms of up to 20, each rounded to 2^-20, times dt.
        .near_f32(0, after, Limit::absolute(2e-5))
}

/// `a * b + c * d`, contracted in one of three ways.
fn sum_of_products(way: u32, a: f32, b: f32, c: f32, d: f32) -> f32 {
    match way {
        0 => a.mul_add(b, c * d),
        1 => c.mul_add(d, a * b),
        _ => a * b + c * d,
    }
}

fn mandelbrot() -> Case {
    const W: usize = 80;
    const H: usize = 60;
    const MOST: u32 = 100;
    let [x0, y0, dx, dy] = [-2.2f32, -1.3, 0.041, 0.043];
    let image = move |ways: u32| -> Vec<u32> {
        let steps = |at: usize| {
            let (cx, cy) = (((at % W) as f32).mul_add(dx, x0), ((at / W) as f32).mul_add(dy, y0));
            let (mut zx, mut zy) = (0f32, 0f32);
            let inside = |zx, zy| sum_of_products(ways / 3, zx, zx, zy, zy) < 4.0;
            let mut steps = 0;
            while steps < MOST && inside(zx, zy) {
                let t = sum_of_products(ways % 3, zx, zx, -zy, zy) + cx;
                zy = (2.0 * zx).mul_add(zy, cy);
                zx = t;
                steps += 1;
            }
            steps
        };
        (0..W * H).map(steps).collect()
    };
    Case::new("mandelbrot", shape((5, 15), (16, 4)))
        .output(&[0u32; W * H])
        .value(W as i32)
        .value(H as i32)
        .value(x0)
        .value(y0)
        .value(dx)
        .value(dy)
        .value(MOST as i32)
        .check(move |outputs| {
            let got = outputs.get::<u32>(0);
            (1..9).fold(exact(&got, &image(0)), |result, ways| result.or(exact(&got, &image(ways))))
        })
}

fn stencil_3d() -> Case {
    const X: usize = 19;
    const Y: usize = 13;
    const Z: usize = 9;
    let points = f32s(6, X * Y * Z, -1.0, 1.0);
    let before = points.clone();
    let grid = move |way: u32| -> Vec<f32> {
        let point = |i: usize| {
            let (x, y, z) = (i % X, i / X % Y, i / X / Y);
            if x == 0 || y == 0 || z == 0 || x == X - 1 || y == Y - 1 || z == Z - 1 {
                return 5.0;
            }
            let near = before[i - 1] + before[i + 1] + before[i - X] + before[i + X];
            let all = near + before[i - X * Y] + before[i + X * Y];
            sum_of_products(way, 0.4, before[i], 0.1, all)
        };
        (0..X * Y * Z).map(point).collect()
    };
    Case::new("stencil_3d", shape((3, 4, 5), (8, 4, 2)))
        .input(&points)
        .output(&[5f32; X * Y * Z])
        .value(X as i32)
        .value(Y as i32)
        .value(Z as i32)
        .check(move |outputs| {
            let got = outputs.get::<f32>(0);
            (1..3).fold(exact(&got, &grid(0)), |result, way| result.or(exact(&got, &grid(way))))
        })
}

fn convolution() -> Case {
    const CHANNELS: usize = 3;
    const H: usize = 13;
    const W: usize = 17;
    const OUTPUTS: usize = 4;
    let images = f32s(7, CHANNELS * H * W, -1.0, 1.0);
    let weights = f32s(8, OUTPUTS * CHANNELS * 9, -1.0, 1.0);
    let pixel = |at: usize| {
        let (x, y, k) = (at % W, at / W % H, at / W / H);
        let mut sum = 0f32;
        for c in 0..CHANNELS {
            for (r, q) in (0..9).map(|at| (at / 3, at % 3)) {
                // One more than the coordinates, which may be -1.
                let (yy, xx) = (y + r, x + q);
                let inside = (1..=H).contains(&yy) && (1..=W).contains(&xx);
                let v = if inside { images[(c * H + yy - 1) * W + xx - 1] } else { 0.0 };
                sum = v.mul_add(weights[((k * CHANNELS + c) * 3 + r) * 3 + q], sum);
            }
        }
        if sum > 0.0 { sum } else { 0.0 }
    };
    Case::new("convolution", shape((3, 4, OUTPUTS as u32), (8, 4)))
        .input(&images)
        .input(&weights)
        .output(&[0f32; OUTPUTS * H * W])
        .value(CHANNELS as i32)
        .value(H as i32)
        .value(W as i32)
        .expect(0, (0..OUTPUTS * H * W).map(pixel).collect())
}

fn option_prices() -> Case {
    const N: usize = 500;
    let (spots, strikes) = (f32s(9, N, 50.0, 150.0), f32s(10, N, 50.0, 150.0));
    let years = f32s(11, N, 0.1, 5.0);
    let (rate, volatility) = (0.02f32, 0.3f32);
    let (mut calls, mut puts) = (Vec::new(), Vec::new());
    for ((s, x), t) in spots.iter().zip(&strikes).zip(&years) {
        let [s, x, t, r, v] = [*s, *x, *t, rate, volatility].map(f64::from);
        let q = v * t.sqrt();
        let d1 = ((s / x).ln() + (r + 0.5 * v * v) * t) / q;
        let normal = |d: f64| 0.5 * erfc(-d / SQRT_2);
        let (a, b, discount) = (normal(d1), normal(d1 - q), (-r * t).exp());
        calls.push(s * a - x * discount * b);
        puts.push(x * discount * (1.0 - b) - s * (1.0 - a));
    }
    Case::new("option_prices", shape(4, 128))
        .input(&spots)
        .input(&strikes)
        .input(&years)
        .output(&[0f32; N])
        .output(&[0f32; N])
        .value(rate)
        .value(volatility)
        .value(N as i32)
        // A dozen units of prices up to 150.
        .near_f32(0, calls, Limit::absolute(2e-4))
        .near_f32(1, puts, Limit::absolute(2e-4))
}

pub fn cases() -> Vec<Case> {
    let (x, y, sums) = saxpy(1.1, 1000);
    let launch = |kernel, blocks| Case::new(kernel, shape(blocks, 64)).value(1.1f32).input(&x).output(&y);
    vec![
        launch("saxpy", 16).value(1000i32).expect(0, sums.clone()),
        launch("saxpy_strided", 3).value(1000u64).expect(0, sums),
        edges(),
        gravity(),
        mandelbrot(),
        stencil_3d(),
        convolution(),
        option_prices(),
    ]
}
