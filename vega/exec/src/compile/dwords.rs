//! Arithmetic on dwords that takes the same steps on every target.
//!
//! Instructions are named as AVX-512 has them; a target without it has a table of what they stand for.

use iced_x86::{Code, Register};
use vega_isa::Unused;

use super::codes::{ADD, AND, OR, XOR, by_constant};
use super::ir::Lane;
use super::operand::{Operand, Place};
use super::shape::{Shape, constant};
use Code::*;

const MIN: Code = EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32;
const MAX: Code = EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32;
const MIN_UNSIGNED: Code = EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32;
const MAX_UNSIGNED: Code = EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32;
const MULTIPLY: Code = EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32;
const SHL: Code = EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32;

/// What a target emits.
pub(super) trait Dwords {
    /// A register for single instructions.
    fn temporary(n: u8) -> Register;
    /// A source of 32 bits with its modifiers; temporary `n` takes what is in no register.
    fn source(&mut self, operand: &Operand, n: u8) -> Register;
    /// The destination's register. Sources are still in theirs, unless it is the same guest register.
    fn result(&mut self, lane: &Lane) -> Register;
    /// A guest register's value.
    fn value(&mut self, v: u16) -> Register;
    /// A copy between registers.
    fn copy(&mut self, d: Register, a: Register);
    /// An instruction of three registers.
    fn three(&mut self, code: Code, d: Register, a: Register, b: Register);
    /// An instruction of two registers and an immediate.
    fn by(&mut self, code: Code, d: Register, a: Register, value: u8);
    /// An instruction whose last source is the same constant in every lane.
    fn with_constant(&mut self, code: Code, d: Register, a: Register, value: u32);
    /// The same constant in every lane.
    fn constant(&mut self, d: Register, value: u32);
    /// The destination = the high half of a product.
    fn high_product(&mut self, lane: &Lane, factors: [Register; 2], signed: bool);

    /// A source by its number, in the temporary of that number.
    fn nth(&mut self, lane: &Lane, n: u8) -> Register {
        self.source(&lane.src[usize::from(n)], n)
    }

    /// A shift count modulo 32, in temporary `n`.
    fn count(&mut self, lane: &Lane, n: u8) -> Register {
        let (count, t) = (self.nth(lane, n), Self::temporary(n));
        self.with_constant(AND, t, count, 31);
        t
    }

    /// The destination = `code` of two registers.
    fn give(&mut self, lane: &Lane, code: Code, a: Register, b: Register) {
        let d = self.result(lane);
        self.three(code, d, a, b);
    }

    /// Temporary 3, or the destination if this is the last step, = `a` shifted by source `n`.
    fn shifted(&mut self, [by_lanes, by_constant]: [Code; 2], lane: &Lane, a: Register, n: u8, last: bool) {
        let fixed = constant(lane.src[usize::from(n)].from);
        let count = if fixed.is_none() { Some(self.count(lane, n)) } else { None };
        let to = if last { self.result(lane) } else { Self::temporary(3) };
        match (fixed, count) {
            (_, Some(count)) => self.three(by_lanes, to, a, count),
            (fixed, None) => self.by(by_constant, to, a, (fixed.unwrap_or(0) & 31) as u8),
        }
    }

    /// A field brought up against the top of a dword and down again.
    fn field(&mut self, to: Register, from: Register, [up, down]: [u8; 2], signed: bool) {
        let mut from = from;
        if up != 0 {
            self.by(by_constant::SHL, to, from, up);
            from = to;
        }
        self.by(if signed { by_constant::SAR } else { by_constant::SHR }, to, from, down);
    }

    /// Brings a part of a dword down.
    fn part(&mut self, operand: &Operand, from: Register, to: Register) {
        let part = operand.part;
        self.field(to, from, [32 - part.shift - part.bits, 32 - part.bits], part.sext);
    }

    /// Puts a result where it belongs in the destination's dword; uses temporary 4.
    fn place(&mut self, place: Place, result: Register, d: u16) {
        let (shift, bits) = (place.shift, place.bits);
        let field = (u32::MAX >> (32 - bits)) << shift;
        match place.unused {
            // Up against the top, then down: what is below the field is zero.
            Unused::Sext | Unused::Pad => {
                let distances = [32 - bits, 32 - shift - bits];
                self.field(result, result, distances, place.unused == Unused::Sext);
            }
            Unused::Preserve => {
                if shift != 0 {
                    self.by(by_constant::SHL, result, result, shift);
                }
                // The field from the result, the rest from the destination.
                let (old, t) = (self.value(d), Self::temporary(4));
                self.with_constant(AND, t, old, !field);
                self.with_constant(AND, result, result, field);
                self.three(OR, result, result, t);
            }
        }
    }

    /// A factor's low 24 bits.
    fn factor24(&mut self, to: Register, a: Register, signed: bool) {
        if signed {
            self.field(to, a, [8, 8], true);
        } else {
            self.with_constant(AND, to, a, 0xff_ffff);
        }
    }

    /// Both factors of 24 bits, in temporaries 0 and 1.
    fn factors24(&mut self, lane: &Lane, signed: bool) -> [Register; 2] {
        [0, 1].map(|n| {
            let (a, t) = (self.nth(lane, n), Self::temporary(n));
            self.factor24(t, a, signed);
            t
        })
    }

    /// All but the last step for the middle one of three integers, in temporaries 3 and 4; and the last step.
    fn median(&mut self, [a, b, c]: [Register; 3], signed: bool) -> (Code, Register, Register) {
        let (min, max) = if signed { (MIN, MAX) } else { (MIN_UNSIGNED, MAX_UNSIGNED) };
        let (t, u) = (Self::temporary(3), Self::temporary(4));
        self.three(min, t, a, b);
        self.three(max, u, a, b);
        self.three(min, u, u, c);
        (max, t, u)
    }

    /// An integer source of 16 bits extended to 32, in temporary `n`.
    fn word_source(&mut self, lane: &Lane, n: u8, signed: bool) -> Register {
        let (a, t) = (self.nth(lane, n), Self::temporary(n));
        self.field(t, a, [16, 16], signed);
        t
    }

    /// `d` = low halves and, above them, those of `high`.
    fn join_words(&mut self, lane: &Lane, low: Register, high: Register) {
        self.by(by_constant::SHL, high, high, 16);
        let d = self.result(lane);
        self.three(OR, d, low, high);
    }

    /// An instruction on dwords. Whether it is one.
    fn dword(&mut self, lane: &Lane, shape: Shape) -> bool {
        let (t, u) = (Self::temporary(3), Self::temporary(4));
        match shape {
            Shape::Move => {
                let a = self.nth(lane, 0);
                let d = self.result(lane);
                self.copy(d, a);
            }
            Shape::Shift(by_lanes, by_constant) => {
                let a = self.nth(lane, 0);
                self.shifted([by_lanes, by_constant], lane, a, 1, true);
            }
            Shape::Chain(first, second) => {
                let [a, b, c] = [0, 1, 2].map(|n| self.nth(lane, n));
                self.three(first, t, a, b);
                self.give(lane, second, t, c);
            }
            Shape::ShiftThen(second) => {
                let a = self.nth(lane, 0);
                self.shifted([SHL, by_constant::SHL], lane, a, 1, false);
                let c = self.nth(lane, 2);
                self.give(lane, second, t, c);
            }
            Shape::AddShift => {
                let [a, b] = [0, 1].map(|n| self.nth(lane, n));
                self.three(ADD, t, a, b);
                self.shifted([SHL, by_constant::SHL], lane, t, 2, true);
            }
            Shape::Bfm => {
                let width = self.count(lane, 0);
                self.constant(u, !0);
                self.three(SHL, t, u, width);
                self.three(XOR, t, t, u);
                let offset = self.count(lane, 1);
                self.give(lane, SHL, t, offset);
            }
            Shape::Median { signed } => {
                let sources = [0, 1, 2].map(|n| self.nth(lane, n));
                let (max, x, y) = self.median(sources, signed);
                self.give(lane, max, x, y);
            }
            Shape::Mul24 { signed, add: false } => {
                let [a, b] = self.factors24(lane, signed);
                self.give(lane, MULTIPLY, a, b);
            }
            Shape::Mul24 { signed, add: true } => {
                let [a, b] = self.factors24(lane, signed);
                self.three(MULTIPLY, t, a, b);
                let c = self.nth(lane, 2);
                self.give(lane, ADD, t, c);
            }
            Shape::MulHigh24 { signed } => {
                let factors = self.factors24(lane, signed);
                self.high_product(lane, factors, signed);
            }
            Shape::MulHi { signed } => {
                let factors = [0, 1].map(|n| self.nth(lane, n));
                self.high_product(lane, factors, signed);
            }
            Shape::Lerp => {
                let [a, b, c] = [0, 1, 2].map(|n| self.nth(lane, n));
                self.three(EVEX_Vpavgb_zmm_k1z_zmm_zmmm512, t, a, b);
                self.three(XOR, u, a, b);
                // The average is rounded up; where it was rounded and c's bit is clear, it is one less.
                self.three(EVEX_Vpandnd_zmm_k1z_zmm_zmmm512b32, u, c, u);
                self.with_constant(AND, u, u, 0x0101_0101);
                self.give(lane, EVEX_Vpsubb_zmm_k1z_zmm_zmmm512, t, u);
            }
            Shape::SaturateBytes => {
                let a = self.nth(lane, 0);
                for (up, to) in [(16, t), (0, u)] {
                    self.field(to, a, [up, 16], true);
                    self.with_constant(MIN, to, to, 255);
                    self.with_constant(MAX, to, to, 0);
                }
                self.by(by_constant::SHL, u, u, 8);
                self.give(lane, OR, t, u);
            }
            Shape::PackWords => {
                let (low, b, high) =
                    (self.word_source(lane, 0, false), self.nth(lane, 1), Self::temporary(1));
                self.by(by_constant::SHL, high, b, 16);
                self.give(lane, OR, low, high);
            }
            Shape::PackInt { signed } => {
                let [low, high] = [0, 1].map(|n| {
                    let (a, to) = (self.nth(lane, n), Self::temporary(n));
                    if signed {
                        self.with_constant(MIN, to, a, 0x7fff);
                        self.with_constant(MAX, to, to, (-0x8000i32) as u32);
                        self.with_constant(AND, to, to, 0xffff);
                    } else {
                        self.with_constant(MIN_UNSIGNED, to, a, 0xffff);
                    }
                    to
                });
                self.join_words(lane, low, high);
            }
            Shape::MadTo32 { signed } => {
                let [a, b] = [0, 1].map(|n| self.word_source(lane, n, signed));
                self.three(MULTIPLY, t, a, b);
                let c = self.nth(lane, 2);
                self.give(lane, ADD, t, c);
            }
            _ if self.word(lane, shape) => {
                let d = self.result(lane);
                self.with_constant(AND, d, t, 0xffff);
            }
            _ => return false,
        }
        true
    }

    /// An instruction on 16-bit integers, to temporary 3. Whether it is one.
    fn word(&mut self, lane: &Lane, shape: Shape) -> bool {
        let t = Self::temporary(3);
        match shape {
            Shape::Word(code, signed) => {
                let [a, b] = [0, 1].map(|n| self.word_source(lane, n, signed));
                self.three(code, t, a, b);
            }
            Shape::WordShift(code, signed) => {
                let a = self.word_source(lane, 0, signed);
                let (count, by) = (self.nth(lane, 1), Self::temporary(1));
                self.with_constant(AND, by, count, 15);
                self.three(code, t, a, by);
            }
            Shape::WordMad => {
                let [a, b] = [0, 1].map(|n| self.word_source(lane, n, false));
                self.three(MULTIPLY, t, a, b);
                let c = self.nth(lane, 2);
                self.three(ADD, t, t, c);
            }
            Shape::WordChain(code, signed) => {
                let [a, b, c] = [0, 1, 2].map(|n| self.word_source(lane, n, signed));
                self.three(code, t, a, b);
                self.three(code, t, t, c);
            }
            Shape::WordMedian { signed } => {
                let sources = [0, 1, 2].map(|n| self.word_source(lane, n, signed));
                let (max, x, y) = self.median(sources, true);
                self.three(max, t, x, y);
            }
            _ => return false,
        }
        true
    }
}
