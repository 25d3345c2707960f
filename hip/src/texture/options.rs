//! How a texture is read.

use hip_sys::{
    hipAddressModeBorder, hipAddressModeClamp, hipAddressModeMirror, hipAddressModeWrap, hipFilterModeLinear,
    hipFilterModePoint, hipReadModeElementType, hipReadModeNormalizedFloat, hipTextureAddressMode,
    hipTextureDesc, hipTextureFilterMode,
};

/// What is read beyond the edges.
///
/// ```
/// use hip::texture::{AddressMode, TextureOptions};
/// let tiled = TextureOptions::new().normalized_coordinates(true).address(AddressMode::Mirror);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressMode {
    /// The texture again, from the other edge. With normalised coordinates only.
    #[doc(alias = "hipAddressModeWrap")]
    Wrap,
    /// The element at the edge.
    #[default]
    #[doc(alias = "hipAddressModeClamp")]
    Clamp,
    /// The texture again, mirrored. With normalised coordinates only.
    #[doc(alias = "hipAddressModeMirror")]
    Mirror,
    /// The border's colour.
    #[doc(alias = "hipAddressModeBorder")]
    Border,
}

impl AddressMode {
    fn raw(self) -> hipTextureAddressMode {
        match self {
            Self::Wrap => hipAddressModeWrap,
            Self::Clamp => hipAddressModeClamp,
            Self::Mirror => hipAddressModeMirror,
            Self::Border => hipAddressModeBorder,
        }
    }
}

/// What is read between elements.
///
/// ```
/// use hip::texture::{Filter, TextureOptions};
/// let smooth = TextureOptions::new().filter(Filter::Linear);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// The nearest element.
    #[default]
    #[doc(alias = "hipFilterModePoint")]
    Point,
    /// A mean of the neighbours. For elements that are read as `float`.
    #[doc(alias = "hipFilterModeLinear")]
    Linear,
}

impl Filter {
    fn raw(self) -> hipTextureFilterMode {
        match self {
            Self::Point => hipFilterModePoint,
            Self::Linear => hipFilterModeLinear,
        }
    }
}

/// What the kernel sees of an element.
///
/// ```
/// use hip::texture::{ReadMode, TextureOptions};
/// // Bytes from 0 to 255 as floats from 0 to 1.
/// let fractions = TextureOptions::new().read(ReadMode::Normalized);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadMode {
    /// The element as it is.
    #[default]
    #[doc(alias = "hipReadModeElementType")]
    Element,
    /// Integers of 8 and 16 bits as fractions from 0 to 1, or -1 to 1.
    #[doc(alias = "hipReadModeNormalizedFloat")]
    Normalized,
}

/// How a texture is read: by default at the nearest element, in coordinates of elements, clamped to the edges.
///
/// ```
/// use hip::texture::{AddressMode, Filter, TextureOptions};
/// let smooth = TextureOptions::new().normalized_coordinates(true).address(AddressMode::Wrap).filter(Filter::Linear);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextureOptions {
    address: [AddressMode; 3],
    pub(super) filter: Filter,
    pub(super) read: ReadMode,
    normalized: bool,
    srgb: bool,
    border: [f32; 4],
    anisotropy: u32,
    mip_filter: Filter,
    mip_bias: f32,
    mip_clamp: (f32, f32),
}

impl TextureOptions {
    /// The nearest element, in coordinates of elements, clamped to the edges.
    pub const fn new() -> Self {
        Self {
            address: [AddressMode::Clamp; 3],
            filter: Filter::Point,
            read: ReadMode::Element,
            normalized: false,
            srgb: false,
            border: [0.0; 4],
            anisotropy: 0,
            mip_filter: Filter::Point,
            mip_bias: 0.0,
            mip_clamp: (0.0, 0.0),
        }
    }

    /// What is read beyond the edges, along every dimension.
    pub const fn address(self, mode: AddressMode) -> Self {
        Self { address: [mode; 3], ..self }
    }

    /// What is read beyond the edges, along x, y and z.
    pub const fn address_each(self, modes: [AddressMode; 3]) -> Self {
        Self { address: modes, ..self }
    }

    /// What is read between elements.
    pub const fn filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// What the kernel sees of an element.
    pub const fn read(self, mode: ReadMode) -> Self {
        Self { read: mode, ..self }
    }

    /// Whether coordinates run from 0 to 1 along each dimension instead of counting elements.
    pub const fn normalized_coordinates(self, normalized: bool) -> Self {
        Self { normalized, ..self }
    }

    /// Whether elements are sRGB colours, which are made linear as they are read.
    pub const fn srgb(self, srgb: bool) -> Self {
        Self { srgb, ..self }
    }

    /// The colour of the border, for [`AddressMode::Border`].
    pub const fn border(self, color: [f32; 4]) -> Self {
        Self { border: color, ..self }
    }

    /// The most samples that one anisotropic read takes.
    pub const fn max_anisotropy(self, samples: u32) -> Self {
        Self { anisotropy: samples, ..self }
    }

    /// For mipmaps: what is read between levels, what is added to the level, and the least and greatest level.
    pub const fn mipmap(self, filter: Filter, bias: f32, clamp: (f32, f32)) -> Self {
        Self { mip_filter: filter, mip_bias: bias, mip_clamp: clamp, ..self }
    }

    pub(super) fn raw(&self) -> hipTextureDesc {
        hipTextureDesc {
            addressMode: self.address.map(AddressMode::raw),
            filterMode: self.filter.raw(),
            readMode: match self.read {
                ReadMode::Element => hipReadModeElementType,
                ReadMode::Normalized => hipReadModeNormalizedFloat,
            },
            sRGB: i32::from(self.srgb),
            borderColor: self.border,
            normalizedCoords: i32::from(self.normalized),
            maxAnisotropy: self.anisotropy,
            mipmapFilterMode: self.mip_filter.raw(),
            mipmapLevelBias: self.mip_bias,
            minMipmapLevelClamp: self.mip_clamp.0,
            maxMipmapLevelClamp: self.mip_clamp.1,
        }
    }
}
