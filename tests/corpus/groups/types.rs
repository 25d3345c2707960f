//! `kernels/corpus/types.hip`.

use super::half::{f16s, fma, half};
use crate::case::{Case, shape};
use crate::compare::Limit;
use crate::inputs::{f32s, f64s, integers};
use hip::half::f16;

/// A function of the device on half precision: within a unit of this.
fn of(x: f16, function: fn(f64) -> f64) -> f16 {
    half(function(f64::from(x)))
}

fn conversions() -> Case {
    const N: usize = 256;
    let mut f = f32s(1, N, -3000.0, 3000.0);
    let mut d = f64s(2, N, -3000.0, 3000.0);
    f[..8].copy_from_slice(&[0.0, -0.0, 0.5, -0.5, 0.99999994, -2.5, 1e-40, 2999.5]);
    d[..8].copy_from_slice(&[-0.0, 0.0, -0.99999999, 0.5, 1e-310, 1023.5, -2048.5, 0.000030517578125]);
    // A half-word that fits into a half.
    let words: Vec<u32> = integers::<u32>(3, N).iter().map(|word| word & 0xffff_3fff).collect();
    let pair = |at: usize| (f[at], d[at], words[at]);
    let all: Vec<_> = (0..N).map(pair).collect();
    let whole = |f: f32, d: f64| f as i32 + d as i32;
    let wide = |f: f32, d: f64| (f * 1_048_576.0) as i64 - (d * 2f64.powi(30)) as i64;
    let wide_unsigned = |f: f32, d: f64| f.abs() as u64 + (d * 2f64.powi(30)).abs() as u64;
    let byte = |f: f32| (f.abs() * 0.001) as u8;
    let as_half = |f: f32, d: f64, word: u32| {
        let whole = f16::from_f32(whole(f, d) as f32);
        f16::from_f32(f) + half(d) + whole + f16::from_f32(f32::from(word as u16))
    };
    let sum = |(f, d, word): (f32, f64, u32)| {
        let half = f32::from(as_half(f, d, word));
        let [b0, b1, b2, b3] = word.to_le_bytes().map(f32::from);
        let bytes = f32::from(byte(f)) + b3 + b2 + b1 + b0;
        let wides = bytes + wide(f, d) as f32 + wide_unsigned(f, d) as f32;
        wides + half + half + whole(f, d) as f32 + word as f32
    };
    let short_pair = |&(f, d, word): &(f32, f64, u32)| [f32::from(as_half(f, d, word)) as i16, f as i16];
    Case::new("conversions", shape(1, N as u32))
        .input(&f)
        .input(&d)
        .input(&words)
        .output(&[0i32; N])
        .output(&[0u32; N])
        .output(&[0i64; N])
        .output(&[0u64; N])
        .output(&[0u8; N])
        .output(&[f16::ZERO; N])
        .output(&[0i16; 2 * N])
        .output(&[0f32; N])
        .expect(0, all.iter().map(|&(f, d, _)| whole(f, d)).collect())
        .expect(1, all.iter().map(|&(f, d, _)| f.abs() as u32 + d.abs() as u32).collect())
        .expect(2, all.iter().map(|&(f, d, _)| wide(f, d)).collect())
        .expect(3, all.iter().map(|&(f, d, _)| wide_unsigned(f, d)).collect())
        .expect(4, all.iter().map(|&(f, _, _)| byte(f)).collect())
        .expect(5, all.iter().map(|&(f, d, word)| as_half(f, d, word)).collect())
        .expect(6, all.iter().flat_map(short_pair).collect())
        .expect(7, all.iter().map(|&pair| sum(pair)).collect())
}

fn vector_members() -> Case {
    const N: usize = 64;
    let a = integers::<u64>(4, 2 * N);
    let b = integers::<i16>(5, 4 * N);
    let c: Vec<u8> = integers::<u32>(6, 4 * N).iter().map(|&bits| bits as u8).collect();
    let mut pairs = Vec::new();
    let mut bytes = Vec::new();
    for ((a, b), c) in a.chunks(2).zip(b.chunks(4)).zip(c.chunks(4)) {
        let product = |x: i16, y: u8| f64::from(i32::from(x) * i32::from(y));
        pairs.extend([a[0] as f64 + product(b[0], c[0]), a[1] as f64 - product(b[3], c[3])]);
        bytes.extend([b[1] as i8, c[2].cast_signed(), b[2] as i8]);
    }
    Case::new("vector_members", shape(1, N as u32))
        .input(&a)
        .input(&b)
        .input(&c)
        .output(&[0f64; 2 * N])
        .output(&[0i8; 3 * N])
        .expect(0, pairs)
        .expect(1, bytes)
}

fn add_float4() -> Case {
    const N: usize = 300;
    let (mut a, b) = (f32s(7, 4 * N, -1e3, 1e3), f32s(8, 4 * N, -1e-3, 1e3));
    a[..4].copy_from_slice(&[f32::INFINITY, f32::MAX, 1e-45, f32::NAN]);
    let sums = a.iter().zip(&b).map(|(a, b)| a + b).collect();
    Case::new("add_float4", shape(5, 64))
        .input(&a)
        .input(&b)
        .output(&[0f32; 4 * N])
        .value(N as i32)
        .expect(0, sums)
}

fn half2_functions() -> Case {
    const N: usize = 200;
    let (a, b, c) = (f16s(9, 2 * N, 0.5, 2.0), f16s(10, 2 * N, 0.5, 2.0), f16s(11, 2 * N, -1.0, 1.0));
    let sum = |((&x, &y), &z): ((&f16, &f16), &f16)| {
        let mut r = fma(x, y, z) + x * x - of(y, f64::exp) + of(x, f64::sqrt);
        r = r + of(y, |y| 1.0 / y.sqrt()) + of(y, f64::ln) + of(x, f64::cos);
        f64::from(r / y)
    };
    let sums: Vec<f64> = a.iter().zip(&b).zip(&c).map(sum).collect();
    Case::new("half2_functions", shape(4, 64))
        .input(&a)
        .input(&b)
        .output(&c)
        .output(&[f16::ZERO; 2 * N])
        .value(N as i32)
        // Sums up to 8, of which each of six may be rounded the other way, divided by 0.5 at least.
        .near_f16(0, sums, Limit::absolute(6.0 * 2.0 / 256.0))
        .check(move |outputs| {
            let sums = outputs.get::<f16>(0);
            let less = |(r, x): (&f16, &f16)| if r < x { f16::ONE } else { f16::ZERO };
            crate::compare::exact(&outputs.get(1), &sums.iter().zip(&a).map(less).collect::<Vec<f16>>())
        })
}

pub fn cases() -> Vec<Case> {
    vec![conversions(), vector_members(), add_float4(), half2_functions()]
}
