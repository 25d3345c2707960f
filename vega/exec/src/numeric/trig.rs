//! Bits of 2/pi for argument reduction (`v_trig_preop_f64`).

use super::format::Format;
use super::mode::{Mode, Round};
use super::pack::pack;
use super::round::ldexp;

/// The fraction of 2/pi, most significant word first.
const TWO_OVER_PI: [u64; 20] = [
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
];

/// Fraction bits that the instruction knows.
const BITS: u32 = 1201;

/// Segment `segment` (five bits) of 2/pi for an argument with the exponent of `argument`: 53 bits of the
/// fraction as a binary64 of their weight. Arguments from 2^944 on get them 2^128 times as large.
pub fn trig_preop(argument: u64, segment: u32) -> u64 {
    let f = Format::F64;
    let exponent = f.exponent_field(argument);
    let mut shift = (segment & 31) * 53;
    if exponent > 1077 {
        shift += (exponent - 1077) as u32;
    }
    let scale = -53 - shift as i32 + if exponent >= 1968 { 128 } else { 0 };
    let segment = bits_at(shift);
    let value = pack(f, false, segment.into(), 0, false, Round::NearestEven);
    ldexp(f, value, scale, Mode::DEFAULT)
}

/// 53 bits of the fraction from bit `start` on, counted from the most significant; zeroes beyond the end.
fn bits_at(start: u32) -> u64 {
    (start..start + 53).fold(0, |bits, at| {
        let word = TWO_OVER_PI.get(at as usize / 64).copied().unwrap_or(0);
        let bit = if at < BITS { word >> (63 - at % 64) & 1 } else { 0 };
        bits << 1 | bit
    })
}
