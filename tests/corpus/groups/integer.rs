//! `kernels/corpus/integer.hip`: all results are exact.

use crate::case::{Case, shape};
use crate::compare::Exact;
use crate::inputs::{Integer, integer_pairs, integers};

/// A kernel of two numbers per thread. The last workgroup is not full.
fn binary<T: Integer + Exact>(kernel: &'static str, divisions: bool, operation: fn(T, T, u32) -> T) -> Case {
    let (x, y) = integer_pairs::<T>(kernel.len() as u64, divisions);
    let n = x.len();
    let expected = x.iter().zip(&y).map(|(&a, &b)| operation(a, b, n as u32)).collect();
    Case::new(kernel, shape(n.div_ceil(256) as u32, 256))
        .input(&x)
        .input(&y)
        .output(&vec![T::ZERO; n])
        .value(n as i32)
        .expect(0, expected)
}

fn any<T: Integer + Exact>(kernel: &'static str, operation: fn(T, T, u32) -> T) -> Case {
    binary(kernel, false, operation)
}

fn division<T: Integer + Exact>(kernel: &'static str, operation: fn(T, T, u32) -> T) -> Case {
    binary(kernel, true, operation)
}

fn mul_wide(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

/// The position of the lowest set bit, from 1; 0 if there is none.
fn find_first_set(a: u32) -> u32 {
    if a == 0 { 0 } else { a.trailing_zeros() + 1 }
}

#[rustfmt::skip]
fn operations() -> Vec<Case> {
    vec![
        division("div_i64", |a: i64, b, _| a / b),
        division("rem_i64", |a: i64, b, _| a % b),
        division("div_u64", |a: u64, b, _| a / b),
        division("rem_u64", |a: u64, b, _| a % b),
        division("div_i32", |a: i32, b, _| a / b),
        division("rem_i32", |a: i32, b, _| a % b),
        division("div_u32", |a: u32, b, _| a / b),
        division("rem_u32", |a: u32, b, _| a % b),
        any("div_u16", |a: u16, b, _| a / (b | 1)),
        any("div_constants_u32", |a: u32, _, _| a / 7 + a % 13),
        any("div_constants_i32", |a: i32, _, _| a / 7 + a % 13),
        any("div_constant_u64", |a: u64, _, _| a / 1_000_000_007),
        any("mul_i64", |a: i64, b, _| a.wrapping_mul(b)),
        any("mul_high_u64", |a: u64, b, _| mul_wide(a, b)),
        any("mul_high_i64", |a: i64, b, _| ((i128::from(a) * i128::from(b)) >> 64) as i64),
        any("add_u128", |a: u128, b, _| a.wrapping_add(b)),
        any("mul_u128", |a: u128, b, _| a.wrapping_mul(b)),
        any("shl_i64", |a: i64, b, _| a << (b & 63)),
        any("shr_i64", |a: i64, b, _| a >> (b & 63)),
        any("shr_u64", |a: u64, b, _| a >> (b & 63)),
        any("shl_u16", |a: u16, b, _| a << (b & 15)),
        any("rotate_u32", |a: u32, b, _| a.rotate_left(b & 31)),
        any("bit_mix_u32", |a: u32, b, _| {
            (a & !b) | ((a ^ b) >> 3) | (a << 5).wrapping_add(b) | (a | b).wrapping_mul(3)
        }),
        any("bit_select_u32", |a: u32, b, _| (a & 0x00ff_00ff) | (b & !0x00ff_00ff)),
        any("bit_counts_u32", |a: u32, b, _| find_first_set(a) + b.leading_zeros() + (a ^ b).count_ones()),
        any("swap_bytes_u32", |a: u32, _, _| a.swap_bytes()),
        any("swap_bytes_u64", |a: u64, _, _| a.swap_bytes()),
        any("clamp_i32", |a: i32, b, _| a.min(b).max(a.max(b).min(7))),
        any("clamp_u32", |a: u32, b, _| a.min(b).max(a.max(b).min(7))),
        any("min_i64", |a: i64, b, _| a.min(b)),
        any("distance_u64", |a: u64, b, _| a.abs_diff(b)),
        any("distance_i32", |a: i32, b, _| a.wrapping_sub(b).wrapping_abs()),
        any("min_i16", |a: i16, b, _| a.min(b)),
        any("xor_add_u32", |a: u32, b, _| (a ^ b).wrapping_add(a)),
        any("shl_or_u32", |a: u32, b, _| (a << 4) | b),
        any("add_shl_u32", |a: u32, b, _| a.wrapping_add(b) << 3),
        any("or3_u32", |a: u32, b, n| a | b | n),
        any("add3_u32", |a: u32, b, n| a.wrapping_add(b).wrapping_add(n)),
        any("and_or_u32", |a: u32, b, n| (a & b) | n),
        any("mad24_u32", |a: u32, b, n| (a & 0xff_ffff).wrapping_mul(b & 0xff_ffff).wrapping_add(n)),
        any("mad_i16", |a: i16, b, _| a.wrapping_mul(b).wrapping_add(a)),
        any("mul_i8", |a: i8, b, _| (a >> 1).wrapping_mul(b)),
    ]
}

fn crc32(message: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !message.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

fn xorshift(state: &mut u64) -> f32 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 40) as f32 * 2f32.powi(-24)
}

fn hash_rounds(word: u32, rounds: u32) -> u32 {
    let [mut a, mut b, mut c, mut d] = [word, 0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372];
    for i in 0..rounds {
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let choice = (a & b) ^ (!a & d);
        let next = sum.wrapping_add(majority).wrapping_add(choice).wrapping_add(i);
        [a, b, c, d] = [next, a, b, c];
    }
    a ^ b ^ c ^ d
}

pub fn cases() -> Vec<Case> {
    let mut cases = operations();

    let messages: Vec<u8> = integers::<u32>(1, 256 * 23).iter().map(|&bits| bits as u8).collect();
    cases.push(
        Case::new("crc32", shape(2, 128))
            .input(&messages)
            .output(&[0u32; 256])
            .value(23)
            .expect(0, messages.chunks(23).map(crc32).collect()),
    );

    let states: Vec<u64> = integers::<u64>(2, 128).iter().map(|state| state | 1).collect();
    let mut after = states.clone();
    let numbers: Vec<f32> = after.iter_mut().flat_map(|state| [(); 17].map(|()| xorshift(state))).collect();
    cases.push(
        Case::new("xorshift", shape(2, 64))
            .output(&states)
            .output(&vec![0f32; numbers.len()])
            .value(17)
            .expect(0, after)
            .expect(1, numbers),
    );

    let words = integers::<u32>(3, 192);
    cases.push(
        Case::new("hash_rounds", shape(3, 64))
            .input(&words)
            .output(&[0u32; 192])
            .value(64)
            .expect(0, words.iter().map(|&word| hash_rounds(word, 64)).collect()),
    );
    cases
}
