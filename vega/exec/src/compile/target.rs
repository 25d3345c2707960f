//! What code is compiled for: the host's vectors as the compiler sees them.

use iced_x86::{Code, Register};

use super::ir::Lane;
use super::shape::Shape;
use crate::engine::EngineKind;

/// Vector extensions of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
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
            EngineKind::Avx512 => Some(Self::Avx512),
        }
    }

    /// Whether the host has what compiled code uses.
    pub fn is_supported(self) -> bool {
        match self {
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
        }
    }

    /// The vector registers.
    pub(super) fn file(self) -> &'static File {
        match self {
            Self::Avx512 => &File {
                base: Register::ZMM0,
                first: 6,
                count: 32,
                load: Code::EVEX_Vmovdqu32_zmm_k1z_zmmm512,
                store: Code::EVEX_Vmovdqu32_zmmm512_k1z_zmm,
            },
        }
    }

    /// Whether the target has an emission for an instruction of this shape; the interpreter executes it if not.
    pub(super) fn covers(self, _lane: &Lane, _shape: Shape) -> bool {
        match self {
            Self::Avx512 => true,
        }
    }
}
