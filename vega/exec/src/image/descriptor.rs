//! The image and sampler descriptors (Vega ISA, chapter "Vector Memory Image Instructions",
//! tables "Image Resource Definition" and "Image Sampler Definition").

use super::format::TexelFormat;

/// A field of a descriptor: `bits` bits from bit `at` of the dwords.
fn field(dwords: &[u32], at: u32, bits: u32) -> u32 {
    let word = |n: u32| dwords.get(n as usize).copied().map_or(0, u64::from);
    let pair = word(at / 32) | word(at / 32 + 1) << 32;
    (pair >> (at % 32) & ((1 << bits) - 1)) as u32
}

/// What dimensions an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// x
    D1,
    /// x, y
    D2,
    /// x, y, z
    D3,
    /// x, y, face
    Cube,
    /// x, layer
    D1Array,
    /// x, y, layer
    D2Array,
}

impl ImageType {
    /// Coordinates that address a texel, layer included.
    pub const fn coordinates(self) -> usize {
        match self {
            Self::D1 => 1,
            Self::D2 | Self::D1Array => 2,
            Self::D3 | Self::Cube | Self::D2Array => 3,
        }
    }

    /// Coordinates that are filtered and scaled: all but layer and face.
    pub const fn dimensions(self) -> usize {
        match self {
            Self::D1 | Self::D1Array => 1,
            Self::D2 | Self::Cube | Self::D2Array => 2,
            Self::D3 => 3,
        }
    }
}

/// Where one component of a result comes from, or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Select {
    /// Constant zero.
    Zero,
    /// Constant one, in the number format.
    One,
    /// Component 0 to 3 of the texel.
    Component(u8),
}

impl Select {
    /// Reads a three-bit field.
    pub const fn from_bits(bits: u32) -> Self {
        match bits & 7 {
            1 => Self::One,
            n @ 4..=7 => Self::Component(n as u8 - 4),
            _ => Self::Zero,
        }
    }
}

/// An image descriptor, taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    /// Address of the first texel.
    pub base: u64,
    /// Texel format; `None` when the card has no such format.
    pub format: Option<TexelFormat>,
    /// Width in texels.
    pub width: u32,
    /// Height in texels.
    pub height: u32,
    /// Depth or layers.
    pub depth: u32,
    /// First layer of the view.
    pub base_array: u32,
    /// Distance of rows, in texels.
    pub pitch: u32,
    /// Kind.
    pub kind: ImageType,
    /// The swizzle mode number; 0 is linear.
    pub swizzle_mode: u32,
    /// First and last mip level of the view.
    pub levels: (u32, u32),
    /// Mip levels of the surface.
    pub max_levels: u32,
    /// The least level of detail.
    pub min_lod: f32,
    /// Where the result's components come from.
    pub select: [Select; 4],
}

impl Image {
    /// Reads the eight dwords; `None` when the type is no image's (a null descriptor reads as zeroes).
    pub fn new(dwords: &[u32; 8]) -> Option<Self> {
        let get = |at, bits| field(dwords, at, bits);
        let kind = match get(124, 4) {
            8 => ImageType::D1,
            9 | 14 => ImageType::D2,
            10 => ImageType::D3,
            11 => ImageType::Cube,
            12 => ImageType::D1Array,
            13 | 15 => ImageType::D2Array,
            _ => return None,
        };
        let select = [96, 99, 102, 105].map(|at| Select::from_bits(get(at, 3)));
        let base = u64::from(get(0, 32)) | u64::from(get(32, 8)) << 32;
        Some(Self {
            base: base << 8,
            format: TexelFormat::image(get(52, 6), get(58, 4)),
            width: get(64, 14) + 1,
            height: if matches!(kind, ImageType::D1 | ImageType::D1Array) { 1 } else { get(78, 14) + 1 },
            depth: get(128, 13) + 1,
            base_array: get(160, 13),
            pitch: get(141, 16) + 1,
            kind,
            swizzle_mode: get(116, 5),
            levels: (get(108, 4), get(112, 4)),
            max_levels: get(188, 4).max(get(112, 4)) + 1,
            min_lod: get(40, 12) as f32 / 256.0,
            select,
        })
    }

    /// The layer of the surface for a layer (or face: eight numbers for each cube) of the view; the last one at most.
    pub fn layer(&self, number: u32) -> u32 {
        let layer = if self.kind == ImageType::Cube { number / 8 * 6 + number % 8 } else { number };
        layer.saturating_add(self.base_array).min(self.slices() - 1)
    }

    /// Slices of a volume; layers of an array, six for each cube.
    pub fn slices(&self) -> u32 {
        match self.kind {
            // A cube's depth counts faces or cubes, by who wrote it: both have six faces at least.
            ImageType::Cube => self.depth.max(6),
            _ => self.depth,
        }
    }
}

/// What happens to texel coordinates outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clamp {
    /// Repeats.
    Wrap,
    /// Repeats, every second time reversed.
    Mirror,
    /// The texel at the edge.
    LastTexel,
    /// Mirrored once, then the texel at the edge.
    MirrorOnceLastTexel,
    /// The border colour.
    Border,
    /// Mirrored once, then the border colour.
    MirrorOnceBorder,
}

/// A sampler descriptor, taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Behaviour outside the image, by dimension.
    pub clamp: [Clamp; 3],
    /// Coordinates count texels rather than 0 to 1.
    pub unnormalized: bool,
    /// Two-dimensional filtering, when magnified and when minified.
    pub linear: (bool, bool),
    /// Filtering between slices of a 3-D image; `None`: as in the plane.
    pub z_linear: Option<bool>,
    /// Filtering between levels: `None`: the first level only.
    pub mip_linear: Option<bool>,
    /// The border colour.
    pub border: [f32; 4],
    /// Comparison of `image_sample_c`: bits for less, equal, greater.
    pub compare: u8,
    /// Least and greatest level of detail.
    pub lod: (f32, f32),
    /// Added to the level of detail.
    pub lod_bias: f32,
    /// Texel coordinates are truncated, not rounded, to their eight fraction bits.
    pub truncate: bool,
    /// What becomes of the texels of a filter.
    pub reduction: Reduction,
}

/// What becomes of the texels of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their weighted sum.
    Blend,
    /// The least one.
    Min,
    /// The greatest one.
    Max,
}

impl Sampler {
    /// Reads the four dwords.
    pub fn new(dwords: &[u32; 4]) -> Self {
        let get = |at, bits| field(dwords, at, bits);
        let clamp = |at| match get(at, 3) {
            0 => Clamp::Wrap,
            1 => Clamp::Mirror,
            2 => Clamp::LastTexel,
            3 => Clamp::MirrorOnceLastTexel,
            4 | 6 => Clamp::Border,
            _ => Clamp::MirrorOnceBorder,
        };
        let bias = (get(64, 14) << 18) as i32 >> 18;
        let filter = |at: u32| match get(at, 2) {
            0 => None,
            n => Some(n == 2),
        };
        Self {
            clamp: [clamp(0), clamp(3), clamp(6)],
            unnormalized: get(15, 1) != 0,
            // Point, bilinear, anisotropic point, anisotropic linear.
            linear: (get(84, 2) & 1 != 0, get(86, 2) & 1 != 0),
            z_linear: filter(88),
            mip_linear: filter(90),
            border: match get(126, 2) {
                1 => [0.0, 0.0, 0.0, 1.0],
                2 => [1.0; 4],
                _ => [0.0; 4],
            },
            compare: get(12, 3) as u8,
            lod: (get(32, 12) as f32 / 256.0, get(44, 12) as f32 / 256.0),
            lod_bias: bias as f32 / 256.0,
            truncate: get(27, 1) != 0,
            reduction: match get(29, 2) {
                1 => Reduction::Min,
                2 => Reduction::Max,
                _ => Reduction::Blend,
            },
        }
    }
}
