//! Types of elements: their names in the kernels, their bytes, their values.

use hip::bytemuck;
use hip::half::f16;

/// A type of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Half precision; products are summed in single precision.
    F16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Integers.
    U32,
}

impl Element {
    /// What the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::U32 => "u32",
        }
    }

    /// The types ELEMENT and SUM of `kernels.h`; half precision has another name in each language.
    pub fn types(self, half: &'static str) -> [&'static str; 2] {
        match self {
            Self::F16 => [half, "float"],
            Self::F32 | Self::U32 => ["float", "float"],
            Self::F64 => ["double", "double"],
        }
    }

    /// The distance of 1 and the next number.
    pub fn epsilon(self) -> f64 {
        match self {
            Self::F16 => 2f64.powi(-10),
            Self::F32 => f64::from(f32::EPSILON),
            Self::F64 => f64::EPSILON,
            Self::U32 => 0.0,
        }
    }

    /// Elements as they lie in memory.
    pub fn bytes(self, values: &[f32]) -> Vec<u8> {
        match self {
            Self::F16 => values.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
            Self::F32 => bytemuck::cast_slice(values).to_vec(),
            Self::F64 => values.iter().flat_map(|x| f64::from(*x).to_le_bytes()).collect(),
            Self::U32 => values.iter().flat_map(|x| (*x as u32).to_le_bytes()).collect(),
        }
    }

    /// The value of an element in memory.
    pub fn at(self, bytes: &[u8], index: usize) -> f64 {
        match self {
            Self::F16 => part(bytes, index).map_or(f64::NAN, |b| f16::from_le_bytes(b).to_f64()),
            Self::F32 => part(bytes, index).map_or(f64::NAN, |b| f32::from_le_bytes(b).into()),
            Self::F64 => part(bytes, index).map_or(f64::NAN, f64::from_le_bytes),
            Self::U32 => part(bytes, index).map_or(f64::NAN, |b| u32::from_le_bytes(b).into()),
        }
    }
}

fn part<const N: usize>(bytes: &[u8], index: usize) -> Option<[u8; N]> {
    bytes.get(index * N..)?.first_chunk().copied()
}
