//! Memory instructions.
//!
//! A record of a memory instruction holds: source 0 the address register (or nothing), source 1 a scalar
//! address, base or descriptor, source 2 a scalar offset; `dst` the destination register, `sdst` the first
//! data register, `consts[0]` the second; `imm` the immediate offset; `consts[1]` and `consts[2]` what the
//! shape needs besides.
//!
//! | file | what it holds |
//! |---|---|
//! | `lanes` | lanes of GPU addresses: translation, loads, stores, atomics |
//! | `element` | single elements of guest memory |
//! | `flat` | GLOBAL, FLAT and SCRATCH instructions |
//! | `buffer` | MUBUF and MTBUF with their descriptor |
//! | `components` | formatted data in registers |
//! | `image`, `coordinates` | MIMG, and how it is addressed |
//! | `lds` | DS instructions of the usual kinds |
//! | `share` | the global data share, the rare DS instructions |
//! | `scalar` | SMEM |

pub(crate) mod buffer;
pub(crate) mod components;
mod coordinates;
mod element;
pub(crate) mod flat;
pub(crate) mod image;
pub(crate) mod lanes;
pub(crate) mod lds;
pub(crate) mod scalar;
pub(crate) mod share;

use vega_isa::memory::{Atomic, Half};

/// What a load or store moves, in a form that fits a record's constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bytes in memory for each lane.
    pub bytes: u8,
    /// Loads of 1 and 2 bytes extend the sign.
    pub signed: bool,
    /// Which half of the register takes part.
    pub half: Half,
}

impl Shape {
    /// As a record's constant.
    pub fn pack(self) -> u64 {
        let half = match self.half {
            Half::Whole => 0,
            Half::Low => 1,
            Half::High => 2,
        };
        u64::from(self.bytes) | u64::from(self.signed) << 8 | half << 16
    }

    /// From a record's constant.
    #[inline(always)]
    pub fn unpack(bits: u64) -> Self {
        let half = match bits >> 16 & 3 {
            0 => Half::Whole,
            1 => Half::Low,
            _ => Half::High,
        };
        Self { bytes: bits as u8, signed: bits >> 8 & 1 != 0, half }
    }

    /// Registers that the data takes.
    pub fn dwords(self) -> usize {
        usize::from(self.bytes).div_ceil(4)
    }
}

/// A value that atomic operations work on.
pub(crate) trait Word: Copy + PartialEq {
    /// The new value; `None` where the operation does not exist for global memory.
    fn apply(op: Atomic, memory: Self, data: Self, second: Self) -> Option<Self>;
}

macro_rules! word {
    ($ty:ty, $signed:ty, $float:ty) => {
        impl Word for $ty {
            #[inline]
            fn apply(op: Atomic, m: Self, d: Self, d2: Self) -> Option<Self> {
                let signed_less = (m as $signed) < d as $signed;
                let (fm, fd) = (<$float>::from_bits(m), <$float>::from_bits(d));
                Some(match op {
                    Atomic::Swap => d,
                    // The first data register is the new value, the second is compared.
                    Atomic::CmpSwap => {
                        if m == d2 {
                            d
                        } else {
                            m
                        }
                    }
                    Atomic::CmpSwapF => {
                        if fm == <$float>::from_bits(d2) {
                            d
                        } else {
                            m
                        }
                    }
                    Atomic::Add => m.wrapping_add(d),
                    Atomic::Sub => m.wrapping_sub(d),
                    Atomic::RSub => d.wrapping_sub(m),
                    Atomic::SMin => {
                        if signed_less {
                            m
                        } else {
                            d
                        }
                    }
                    Atomic::SMax => {
                        if signed_less {
                            d
                        } else {
                            m
                        }
                    }
                    Atomic::UMin => m.min(d),
                    Atomic::UMax => m.max(d),
                    Atomic::And => m & d,
                    Atomic::Or => m | d,
                    Atomic::Xor => m ^ d,
                    Atomic::Inc => {
                        if m >= d {
                            0
                        } else {
                            m + 1
                        }
                    }
                    Atomic::Dec => {
                        if m == 0 || m > d {
                            d
                        } else {
                            m - 1
                        }
                    }
                    Atomic::MskOr => (m & !d) | d2,
                    Atomic::Wrap => {
                        if m >= d {
                            m.wrapping_sub(d)
                        } else {
                            m.wrapping_add(d2)
                        }
                    }
                    Atomic::FMin => {
                        if fd < fm {
                            d
                        } else {
                            m
                        }
                    }
                    Atomic::FMax => {
                        if fd > fm {
                            d
                        } else {
                            m
                        }
                    }
                    Atomic::FAdd => {
                        let sum = fm + fd;
                        if sum.is_nan() { quiet(m, d, fm.is_nan(), fd.is_nan()) } else { sum.to_bits() }
                    }
                })
            }
        }
    };
}

/// The NaN of a sum: the first NaN made quiet, or the default one.
fn quiet<T>(m: T, d: T, m_nan: bool, d_nan: bool) -> T
where
    T: Copy + std::ops::BitOr<Output = T> + QuietBit,
{
    match (m_nan, d_nan) {
        (true, _) => m | T::QUIET,
        (_, true) => d | T::QUIET,
        _ => T::DEFAULT,
    }
}

trait QuietBit {
    const QUIET: Self;
    const DEFAULT: Self;
}

impl QuietBit for u32 {
    const QUIET: Self = 1 << 22;
    const DEFAULT: Self = 0x7fc0_0000;
}

impl QuietBit for u64 {
    const QUIET: Self = 1 << 51;
    const DEFAULT: Self = 0x7ff8 << 48;
}

word!(u32, i32, f32);
word!(u64, i64, f64);

/// All atomic operations, so that a record's constant can be their number.
pub(crate) const ATOMICS: [Atomic; 20] = [
    Atomic::Swap,
    Atomic::CmpSwap,
    Atomic::CmpSwapF,
    Atomic::Add,
    Atomic::Sub,
    Atomic::RSub,
    Atomic::SMin,
    Atomic::UMin,
    Atomic::SMax,
    Atomic::UMax,
    Atomic::And,
    Atomic::Or,
    Atomic::Xor,
    Atomic::Inc,
    Atomic::Dec,
    Atomic::MskOr,
    Atomic::Wrap,
    Atomic::FMin,
    Atomic::FMax,
    Atomic::FAdd,
];

/// An atomic instruction, in a form that fits a record's constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtomicShape {
    /// The operation.
    pub op: Atomic,
    /// 4 or 8.
    pub bytes: u8,
    /// The old value goes to the destination.
    pub returns: bool,
}

impl AtomicShape {
    /// As a record's constant.
    pub fn pack(self) -> u64 {
        let number = ATOMICS.iter().position(|op| *op == self.op).unwrap_or(0);
        number as u64 | u64::from(self.bytes) << 8 | u64::from(self.returns) << 16
    }

    /// From a record's constant.
    pub fn unpack(bits: u64) -> Self {
        let op = ATOMICS.get(bits as usize & 0xff).copied().unwrap_or(Atomic::Swap);
        Self { op, bytes: (bits >> 8) as u8, returns: bits >> 16 & 1 != 0 }
    }
}
