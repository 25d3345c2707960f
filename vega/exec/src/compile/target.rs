//! What code is compiled for: the host's vectors as the compiler sees them.

use iced_x86::{Code, Register};
use vega_isa::Dpp;

use super::avx2;
use super::ir::Lane;
use super::shape::{Shape, is_watched};
use super::whole::crosses_rows;
use crate::engine::EngineKind;

/// Vector extensions of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Eight lanes at a time, lane masks in vectors.
    Avx2,
    /// Sixteen lanes at a time, lane masks in mask registers.
    Avx512,
}

/// The host's vector registers.
pub(super) struct File {
    /// The first one by name.
    pub base: Register,
    /// The first one that holds values for longer than an instruction.
    pub first: usize,
    /// How many there are.
    pub count: usize,
    /// A load.
    pub load: Code,
    /// A store.
    pub store: Code,
    /// Lane masks are vectors among the others.
    pub masks: bool,
}

impl File {
    /// A register by its number.
    pub fn register(&self, number: usize) -> Register {
        self.base + number as u32
    }
}

impl Target {
    /// What an engine compiles for, if it compiles.
    pub fn of(kind: EngineKind) -> Option<Self> {
        match kind {
            EngineKind::Interpreter => None,
            EngineKind::Avx2 => Some(Self::Avx2),
            EngineKind::Avx512 => Some(Self::Avx512),
        }
    }

    /// Whether the host has what compiled code uses.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("lzcnt")
                    && is_x86_feature_detected!("popcnt")
            }
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512cd")
                    && is_x86_feature_detected!("avx512vbmi2")
                    && is_x86_feature_detected!("avx512vpopcntdq")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("lzcnt")
                    && is_x86_feature_detected!("popcnt")
            }
        }
    }

    /// Lanes of a strip.
    pub const fn lanes(self) -> u32 {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
        }
    }

    /// Whether the processor's flag of invalid operations tells only of active lanes' results.
    pub(super) const fn keeps_flags(self, masked: bool) -> bool {
        match self {
            // Each instruction has a mask, and those that should raise nothing can be told so.
            Self::Avx512 => true,
            Self::Avx2 => !masked,
        }
    }

    /// Whether results of instructions of this shape may be NaNs that need to be watched.
    pub(super) fn watches(self, shape: Shape) -> bool {
        match self {
            Self::Avx512 => is_watched(shape),
            Self::Avx2 => avx2::watches(shape),
        }
    }

    /// Whether DPP takes lanes from other strips.
    pub(super) fn crosses(self, dpp: Dpp) -> bool {
        match self {
            Self::Avx512 => crosses_rows(dpp),
            Self::Avx2 => !avx2::stays(&dpp),
        }
    }

    /// Whether the target has an emission for an instruction; the interpreter executes it if not.
    pub(super) fn covers(self, lane: &Lane) -> bool {
        match self {
            Self::Avx512 => true,
            Self::Avx2 => {
                // A lane mask is one value: a pair of registers that begins with an even one.
                let mut masks = [lane.mask_in, lane.mask_out].into_iter().flatten();
                lane.access.is_none_or(|access| access.buffer.is_none())
                    && masks.all(|number| number % 2 == 0)
            }
        }
    }
}
