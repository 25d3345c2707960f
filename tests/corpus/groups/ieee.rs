//! `kernels/corpus/ieee.hip`: a million pairs for each format, every bit.

use super::half::half;
use crate::case::{Case, shape};
use crate::compare::{Exact, Limit, exact};
use crate::inputs::{Domain, Random, f32_pairs, f64_pairs};
use hip::bytemuck::Pod;
use hip::half::f16;

const PAIRS: usize = 1 << 20;

/// Edges with each other, then any bit patterns; half of the pairs have exponents that are close.
fn pairs<T: Copy>(
    edges: (Vec<T>, Vec<T>),
    seed: u64,
    any: impl Fn(u64) -> T,
    near: impl Fn(u64, u64) -> (T, T),
) -> (Vec<T>, Vec<T>) {
    let mut random = Random::new(seed);
    let (mut x, mut y) = edges;
    while x.len() < PAIRS {
        let (a, b) = (random.bits(), random.bits());
        let (a, b) = if random.below(2) == 0 { (any(a), any(b)) } else { near(a, b) };
        x.push(a);
        y.push(b);
    }
    (x, y)
}

/// Both operations on the same numbers.
fn cases_of<T: Pod + Exact>(
    names: [&'static str; 2],
    (x, y): (Vec<T>, Vec<T>),
    divide: fn(T, T) -> T,
    root: fn(T) -> T,
) -> Vec<Case> {
    let case = |name, expected: Vec<T>| {
        Case::new(name, shape(x.len().div_ceil(256) as u32, 256))
            .input(&x)
            .input(&y)
            .output(&vec![T::zeroed(); x.len()])
            .value(x.len() as i32)
            .check(move |outputs| exact(&outputs.get::<T>(0), &expected))
    };
    let quotients = x.iter().zip(&y).map(|(a, b)| divide(*a, *b)).collect();
    let roots = x.iter().map(|a| root(*a)).collect();
    vec![case(names[0], quotients), case(names[1], roots)]
}

/// hipcc divides halves by way of f32, with a reciprocal and a product that are rounded, and rounds again: where the exact
/// quotient is closer to the middle of two denormals than f32 can tell, the other neighbour comes out. That is a property
/// of the sequence: in host arithmetic, with the reciprocal that is nearest, it gives the other neighbour for 58 of 27
/// million pairs, all of them with denormal quotients, and with a reciprocal one ulp away for more than ten times as many.
fn halves_of((x, y): (Vec<f16>, Vec<f16>)) -> Vec<Case> {
    let quotients: Vec<f64> = x.iter().zip(&y).map(|(a, b)| f64::from(*a) / f64::from(*b)).collect();
    let count = x.len() as i32;
    let case = |name| {
        Case::new(name, shape(x.len().div_ceil(256) as u32, 256))
            .input(&x)
            .input(&y)
            .output(&vec![f16::ZERO; x.len()])
            .value(count)
    };
    // The root in binary64 has more than twice the bits: rounded again, it is right.
    let roots: Vec<f16> = x.iter().map(|a| half(f64::from(*a).sqrt())).collect();
    vec![
        case("ieee_f16_div").near_f16(0, quotients, Limit::ulp(0.501)),
        case("ieee_f16_sqrt").expect(0, roots),
    ]
}

pub fn cases() -> Vec<Case> {
    let wide = f64_pairs(1, Domain::All);
    let halves = |v: &[f64]| v.iter().map(|x| half(*x)).collect();
    let f16s = pairs(
        (halves(&wide.0), halves(&wide.1)),
        2,
        |bits| f16::from_bits(bits as u16),
        |a, b| (f16::from_bits(a as u16 & 0x83ff | 0x3c00), f16::from_bits(b as u16 & 0x83ff | 0x3c00)),
    );
    let f32s = pairs(
        f32_pairs(3, Domain::All),
        4,
        |bits| f32::from_bits(bits as u32),
        |a, b| {
            let one = |x: u64| f32::from_bits(x as u32 & 0x807f_ffff | 0x3f80_0000);
            (one(a), one(b))
        },
    );
    let f64s = pairs(wide, 5, f64::from_bits, |a, b| {
        let one = |x: u64| f64::from_bits(x & 0x800f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
        (one(a), one(b))
    });
    let mut all = halves_of(f16s);
    all.extend(cases_of(["ieee_f32_div", "ieee_f32_sqrt"], f32s, |a, b| a / b, f32::sqrt));
    all.extend(cases_of(["ieee_f64_div", "ieee_f64_sqrt"], f64s, |a, b| a / b, f64::sqrt));
    all
}
