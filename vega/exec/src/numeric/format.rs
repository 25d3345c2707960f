//! Binary interchange formats as bit patterns in a `u64`.

use super::mode::Mode;

/// A binary interchange format of IEEE 754. Values are bit patterns in the low bits of a `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// Stored fraction bits.
    pub fraction_bits: u32,
    /// Exponent bits.
    pub exponent_bits: u32,
}

/// What a bit pattern stands for. Finite values are `significand * 2^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A NaN.
    Nan,
    /// An infinity.
    Infinity,
    /// A zero.
    Zero,
    /// A finite non-zero number.
    Finite {
        /// The integer significand, not normalised for denormals.
        significand: u64,
        /// Its power of two.
        exponent: i32,
    },
}

impl Format {
    /// binary16
    pub const F16: Self = Self { fraction_bits: 10, exponent_bits: 5 };
    /// binary32
    pub const F32: Self = Self { fraction_bits: 23, exponent_bits: 8 };
    /// binary64
    pub const F64: Self = Self { fraction_bits: 52, exponent_bits: 11 };

    /// The sign bit.
    pub const fn sign_bit(self) -> u64 {
        1 << (self.fraction_bits + self.exponent_bits)
    }

    /// Plus infinity, which is also the exponent field's mask.
    pub const fn infinity(self) -> u64 {
        ((1 << self.exponent_bits) - 1) << self.fraction_bits
    }

    /// The largest finite value.
    pub const fn max_finite(self) -> u64 {
        self.infinity() - 1
    }

    /// The smallest normal value.
    pub const fn min_normal(self) -> u64 {
        1 << self.fraction_bits
    }

    /// The quiet bit of a NaN.
    pub const fn quiet_bit(self) -> u64 {
        1 << (self.fraction_bits - 1)
    }

    /// What an invalid operation gives: sign 0, quiet, no payload.
    pub const fn default_nan(self) -> u64 {
        self.infinity() | self.quiet_bit()
    }

    /// 1.0
    pub const fn one(self) -> u64 {
        (self.bias() as u64) << self.fraction_bits
    }

    /// The exponent's bias.
    pub const fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    /// Without the sign.
    pub const fn magnitude(self, bits: u64) -> u64 {
        bits & (self.sign_bit() - 1)
    }

    /// Whether the sign bit is set.
    pub const fn is_negative(self, bits: u64) -> bool {
        bits & self.sign_bit() != 0
    }

    /// The sign bit of `bits` alone.
    pub const fn sign(self, bits: u64) -> u64 {
        bits & self.sign_bit()
    }

    /// Whether it is a NaN.
    pub const fn is_nan(self, bits: u64) -> bool {
        self.magnitude(bits) > self.infinity()
    }

    /// Whether it is a signaling NaN.
    pub const fn is_signaling(self, bits: u64) -> bool {
        self.is_nan(bits) && bits & self.quiet_bit() == 0
    }

    /// Whether it is an infinity.
    pub const fn is_infinite(self, bits: u64) -> bool {
        self.magnitude(bits) == self.infinity()
    }

    /// Whether it is a zero.
    pub const fn is_zero(self, bits: u64) -> bool {
        self.magnitude(bits) == 0
    }

    /// Whether it is a denormal (zero is none).
    pub const fn is_denormal(self, bits: u64) -> bool {
        self.magnitude(bits) != 0 && self.magnitude(bits) < self.min_normal()
    }

    /// The biased exponent field.
    pub const fn exponent_field(self, bits: u64) -> i32 {
        (self.magnitude(bits) >> self.fraction_bits) as i32
    }

    /// A NaN made quiet.
    pub const fn quiet(self, bits: u64) -> u64 {
        bits | self.quiet_bit()
    }

    /// A denormal as zero of its sign, unless `keep`.
    pub const fn flush(self, bits: u64, keep: bool) -> u64 {
        if !keep && self.is_denormal(bits) { self.sign(bits) } else { bits }
    }

    /// An input as `mode` sees it.
    pub const fn input(self, bits: u64, mode: Mode) -> u64 {
        self.flush(bits, mode.denormal_in)
    }

    /// A result as `mode` leaves it.
    pub const fn output(self, bits: u64, mode: Mode) -> u64 {
        self.flush(bits, mode.denormal_out)
    }

    /// The result of an operation on these sources as `mode` leaves it: an infinity that none of them was is an overflow.
    pub fn result(self, bits: u64, sources: &[u64], mode: Mode) -> u64 {
        // Binary16 is the only format with five exponent bits.
        let half = self.exponent_bits == 5;
        let overflows = || self.is_infinite(bits) && !sources.iter().any(|bits| self.is_infinite(*bits));
        if mode.half_saturates && half && overflows() {
            return self.sign(bits) | self.max_finite();
        }
        self.output(bits, mode)
    }

    /// The first NaN among the sources, made quiet.
    pub fn first_nan(self, sources: &[u64]) -> Option<u64> {
        sources.iter().find(|bits| self.is_nan(**bits)).map(|bits| self.quiet(*bits))
    }

    /// Takes a bit pattern apart.
    pub const fn value(self, bits: u64) -> Value {
        let magnitude = self.magnitude(bits);
        if magnitude > self.infinity() {
            return Value::Nan;
        }
        if magnitude == self.infinity() {
            return Value::Infinity;
        }
        if magnitude == 0 {
            return Value::Zero;
        }
        let field = self.exponent_field(bits);
        let fraction = magnitude & (self.min_normal() - 1);
        let least = 1 - self.bias() - self.fraction_bits as i32;
        if field == 0 {
            Value::Finite { significand: fraction, exponent: least }
        } else {
            Value::Finite { significand: fraction | self.min_normal(), exponent: least + field - 1 }
        }
    }
}
