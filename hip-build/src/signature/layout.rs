//! Sizes and alignments on the device: those of `amdgcn-amd-amdhsa`, which are the System V x86-64 ones for everything
//! that a kernel can be passed.

use super::{Scalar, Type};

/// Every scalar: its size, which is its alignment too, and its name in Rust.
static SCALARS: &[(Scalar, u64, &str)] = &[
    (Scalar::Bool, 1, "u8"),
    (Scalar::I8, 1, "i8"),
    (Scalar::I16, 2, "i16"),
    (Scalar::I32, 4, "i32"),
    (Scalar::I64, 8, "i64"),
    (Scalar::I128, 16, "i128"),
    (Scalar::U8, 1, "u8"),
    (Scalar::U16, 2, "u16"),
    (Scalar::U32, 4, "u32"),
    (Scalar::U64, 8, "u64"),
    (Scalar::U128, 16, "u128"),
    (Scalar::F16, 2, "::hip::half::f16"),
    (Scalar::Bf16, 2, "::hip::half::bf16"),
    (Scalar::F32, 4, "f32"),
    (Scalar::F64, 8, "f64"),
];

impl Scalar {
    fn row(self) -> (u64, &'static str) {
        SCALARS.iter().find(|(scalar, ..)| *scalar == self).map_or((0, ""), |(_, size, rust)| (*size, rust))
    }
    /// The size in bytes, which is the alignment too.
    pub(crate) fn size(self) -> u64 {
        self.row().0
    }
    /// The type in Rust. A `bool` is a byte: not every byte that a device may write is a Rust `bool`.
    pub(crate) fn rust(self) -> &'static str {
        self.row().1
    }
}

impl Type {
    /// The size in bytes.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Scalar(scalar) => scalar.size(),
            Self::Pointer { .. } | Self::Object(_) => 8,
            Self::Record(record) => record.size,
            Self::Enum(of) => of.repr.size(),
            Self::Array(element, count) => element.size().saturating_mul(*count),
            Self::Other(size, _) => *size,
        }
    }
    /// The alignment in bytes.
    pub(crate) fn align(&self) -> u64 {
        match self {
            Self::Scalar(scalar) => scalar.size(),
            Self::Pointer { .. } | Self::Object(_) => 8,
            Self::Record(record) => record.align,
            Self::Enum(of) => of.repr.size(),
            Self::Array(element, _) => element.align(),
            Self::Other(..) => 1,
        }
        .max(1)
    }
}
