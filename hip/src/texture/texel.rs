//! The elements that texture units know.

use bytemuck::Pod;
use hip_sys::{
    hipChannelFormatDesc, hipChannelFormatKind, hipChannelFormatKindFloat, hipChannelFormatKindSigned,
    hipChannelFormatKindUnsigned,
};

mod sealed {
    pub trait Sealed {}
}

/// An element of an array or a texture: a channel, or an array of two or four. Channels are integers of 8, 16 and 32 bits,
/// `f32` and `half::f16` (with the feature `half`). Sealed.
///
/// ```
/// use hip::texture::{Array, Texel};
/// fn bytes<T: Texel>(image: &Array<T>) -> Option<usize> {
///     image.extent().count().map(|texels| texels * size_of::<T>())
/// }
/// ```
#[doc(alias = "hipCreateChannelDesc")]
#[doc(alias = "hipChannelFormatDesc")]
pub trait Texel: Pod + Send + Sync + sealed::Sealed {
    /// Bits of each channel, how many there are, and what they mean.
    #[doc(hidden)]
    const FORMAT: Format;
}

/// What `hipChannelFormatDesc` says.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Format {
    bits: i32,
    channels: usize,
    kind: hipChannelFormatKind,
}

impl Format {
    pub(super) fn raw(self) -> hipChannelFormatDesc {
        let bits = |channel: usize| if channel < self.channels { self.bits } else { 0 };
        hipChannelFormatDesc { x: bits(0), y: bits(1), z: bits(2), w: bits(3), f: self.kind }
    }

    /// Whether the texture unit can read channels as fractions of 1: integers of at most 16 bits.
    pub(super) fn normalises(self) -> bool {
        self.kind != hipChannelFormatKindFloat && self.bits <= 16
    }

    /// Whether the texture unit can filter channels as they are.
    pub(super) fn is_float(self) -> bool {
        self.kind == hipChannelFormatKindFloat
    }
}

macro_rules! texels {
    ($($channel:ty: $bits:literal $kind:ident;)+) => {$(
        texels!(@ $channel, 1, $bits $kind);
        texels!(@ [$channel; 2], 2, $bits $kind);
        texels!(@ [$channel; 4], 4, $bits $kind);
    )+};
    (@ $texel:ty, $channels:literal, $bits:literal $kind:ident) => {
        impl sealed::Sealed for $texel {}
        impl Texel for $texel {
            const FORMAT: Format = Format { bits: $bits, channels: $channels, kind: $kind };
        }
    };
}

texels! {
    u8: 8 hipChannelFormatKindUnsigned;
    u16: 16 hipChannelFormatKindUnsigned;
    u32: 32 hipChannelFormatKindUnsigned;
    i8: 8 hipChannelFormatKindSigned;
    i16: 16 hipChannelFormatKindSigned;
    i32: 32 hipChannelFormatKindSigned;
    f32: 32 hipChannelFormatKindFloat;
}

#[cfg(feature = "half")]
texels! {
    half::f16: 16 hipChannelFormatKindFloat;
}
