//! The floating-point part of the MODE register (Vega ISA, section "Program Control: MODE").

/// A rounding mode, numbered as MODE's two-bit fields are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Round {
    /// To nearest, ties to even.
    #[default]
    NearestEven,
    /// Toward plus infinity.
    Up,
    /// Toward minus infinity.
    Down,
    /// Toward zero.
    TowardZero,
}

impl Round {
    /// Reads a two-bit field.
    pub const fn from_bits(bits: u32) -> Self {
        match bits & 3 {
            0 => Self::NearestEven,
            1 => Self::Up,
            2 => Self::Down,
            _ => Self::TowardZero,
        }
    }
}

/// How one operation treats rounding, denormals and NaNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mode {
    /// Rounding of the result.
    pub round: Round,
    /// Denormal inputs count as they are; else as zero of their sign.
    pub denormal_in: bool,
    /// Denormal results stay; else they become zero of their sign.
    pub denormal_out: bool,
    /// Signaling NaNs are made quiet by minimum and maximum.
    pub ieee: bool,
    /// Clamp turns NaN into zero.
    pub dx10_clamp: bool,
    /// Results of binary16 that overflow become the largest number of their sign.
    pub half_saturates: bool,
}

impl Mode {
    /// What hipcc's kernels start with, for every format.
    pub const DEFAULT: Self = Self {
        round: Round::NearestEven,
        denormal_in: true,
        denormal_out: true,
        ieee: true,
        dx10_clamp: true,
        half_saturates: false,
    };

    /// MODE's view of binary32: rounding in bits 1:0, denormals in bits 5:4.
    pub const fn single(register: u32) -> Self {
        Self::fields(register, register, register >> 4)
    }

    /// MODE's view of binary16 and binary64: rounding in bits 3:2, denormals in bits 7:6.
    pub const fn half_and_double(register: u32) -> Self {
        Self::fields(register, register >> 2, register >> 6)
    }

    const fn fields(register: u32, round: u32, denormals: u32) -> Self {
        Self {
            round: Round::from_bits(round),
            // Bit 0 lets inputs through, bit 1 results.
            denormal_in: denormals & 1 != 0,
            denormal_out: denormals & 2 != 0,
            dx10_clamp: register & 1 << 8 != 0,
            ieee: register & 1 << 9 != 0,
            half_saturates: register & 1 << 23 != 0,
        }
    }

    /// The same with denormals flushed on both sides (`v_mad_f32`, `v_mac_f32`, `v_rcp_f32`).
    pub const fn flushing(self) -> Self {
        Self { denormal_in: false, denormal_out: false, ..self }
    }

    /// The same with another rounding.
    pub const fn rounding(self, round: Round) -> Self {
        Self { round, ..self }
    }
}
