//! Where a texel is: rows of texels in linear images, of blocks in swizzled ones.
//!
//! The levels of a mip chain stand beside each other, the small ones together in one block: the tail.

use super::descriptor::{Image, ImageType};
use super::swizzle::Swizzle;

/// Blocks of 256 bytes at which the levels of the tail begin, in a block of 1 MiB; smaller blocks begin further on.
const TAIL: [u32; 16] = [2048, 1024, 512, 256, 128, 64, 32, 16, 8, 6, 5, 4, 3, 2, 1, 0];
const TAIL_BLOCK: u32 = 20;

/// One level of an image, ready to tell addresses.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    base: u64,
    size: [u32; 3],
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Distances in texels; `first` is that of the level's first texel.
    Linear {
        texel: u64,
        pitch: u64,
        slice: u64,
        first: u64,
    },
    Swizzled(Blocks),
}

/// A swizzled level.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    swizzle: Swizzle,
    /// Blocks of the whole mip chain in a row and in a slice.
    pitch: u64,
    slice: u64,
    /// Where the level begins, in blocks.
    start: [u64; 3],
    /// Where it begins inside the tail's block.
    tail: u32,
}

/// Half, rounded up.
fn half(n: u64) -> u64 {
    n.div_ceil(2)
}

impl Level {
    /// The level of an image with texels of `texel` bytes. `None` when the image has no such level, or a swizzle mode that
    /// gfx9 does not have.
    pub fn new(image: &Image, level: u32, texel: u32) -> Option<Self> {
        if level >= image.max_levels {
            return None;
        }
        let slices = if matches!(image.kind, ImageType::D1 | ImageType::D2) { 1 } else { image.slices() };
        let shrunk = |n: u32| (n >> level).max(1);
        let depth = if image.kind == ImageType::D3 { shrunk(slices) } else { slices };
        let size = [shrunk(image.width), shrunk(image.height), depth];
        let place = match image.swizzle_mode {
            0 => linear(image, level, texel.into()),
            mode => {
                let swizzle = Swizzle::new(mode, image.kind == ImageType::D3, texel)?;
                Place::Swizzled(Blocks::new(image, level, swizzle, slices)?)
            }
        };
        Some(Self { base: image.base, size, place })
    }

    /// Texels along each axis; the third one counts slices and layers.
    pub fn size(&self) -> [u32; 3] {
        self.size
    }

    /// Where the texel is; the third coordinate is the slice or layer. `None` outside the image.
    pub fn address(&self, at: [u32; 3]) -> Option<u64> {
        if at.iter().zip(self.size).any(|(at, size)| *at >= size) {
            return None;
        }
        match &self.place {
            Place::Linear { texel, pitch, slice, first } => {
                let [x, y, z] = at.map(u64::from);
                self.base.checked_add((z * slice + first + y * pitch + x) * texel)
            }
            Place::Swizzled(blocks) => blocks.address(self.base, at),
        }
    }
}

fn linear(image: &Image, level: u32, texel: u64) -> Place {
    let mut pitch = u64::from(image.pitch.max(image.width));
    if image.max_levels > 1 {
        pitch = u64::from(image.width).next_multiple_of((256 / texel.max(1)).max(1));
    }
    let heights = (0..image.max_levels).scan(u64::from(image.height), |height, _| {
        let this = *height;
        *height = half(this).max(1);
        Some(this)
    });
    let (mut above, mut rows) = (0, 0);
    for (n, height) in (0..).zip(heights) {
        above += if n < level { height } else { 0 };
        rows += height;
    }
    Place::Linear { texel, pitch, slice: pitch * rows, first: pitch * above }
}

impl Blocks {
    fn new(image: &Image, level: u32, swizzle: Swizzle, slices: u32) -> Option<Self> {
        let texels = [image.width, image.height, slices].map(u64::from);
        let size: [u64; 3] = std::array::from_fn(|axis| texels[axis].div_ceil(1 << swizzle.block[axis]));
        let mut blocks = Self { swizzle, pitch: size[0], slice: 0, start: [0; 3], tail: 0 };
        if image.max_levels == 1 {
            blocks.pitch = blocks.pitch.max(u64::from(image.pitch) >> swizzle.block[0]);
            blocks.slice = blocks.pitch * size[1];
            return Some(blocks);
        }
        // The tail's first level has at most half a block: which axis is halved depends on the block's size.
        let block_bytes = swizzle.block_bytes;
        let (axes, halved) = if swizzle.is_volume() {
            (3, [1, 0, 2][block_bytes as usize % 3])
        } else {
            (2, (block_bytes % 2) as usize)
        };
        let most = |axis: usize| (1 << swizzle.block[axis]) >> u32::from(axis == halved);
        let (mut padded, mut first_in_tail) = (texels, 0);
        while first_in_tail < image.max_levels && (0..axes).any(|axis| padded[axis] > most(axis)) {
            padded = std::array::from_fn(|axis| padded[axis].next_multiple_of(1 << swizzle.block[axis]) / 2);
            first_in_tail += 1;
        }
        let mut rows = size[1];
        let mut place_in_tail = (first_in_tail == 0).then_some(level);
        if first_in_tail != 0 {
            let major = match size {
                [x, y, z] if axes == 3 && z > x.max(y) => 2,
                [x, y, _] => usize::from(x < y),
            };
            // Levels 1 and 3 stand to the side of the longest axis, the others follow along it.
            let side = usize::from(major != 1);
            let second = half(size[side]);
            let wider = second == 1 && first_in_tail.min(image.max_levels - 1) > 2;
            *(if side == 0 { &mut blocks.pitch } else { &mut rows }) += second + u64::from(wider);
            let mut now = size;
            for n in 1..=level {
                let axis = if n == 1 || n == 3 { side } else { major };
                blocks.start[axis] += now[axis];
                if (0..axes).all(|axis| now[axis] <= if axis == halved { 1 } else { 2 }) {
                    place_in_tail = Some(level - n);
                    break;
                }
                now = now.map(half);
            }
        }
        blocks.slice = blocks.pitch * rows;
        if let Some(n) = place_in_tail {
            blocks.tail = TAIL.get((n + TAIL_BLOCK - block_bytes) as usize)? << 8;
        }
        Some(blocks)
    }

    fn address(&self, base: u64, at: [u32; 3]) -> Option<u64> {
        let Self { swizzle, pitch, slice, start, tail } = self;
        let [x, y, z]: [u64; 3] =
            std::array::from_fn(|axis| u64::from(at[axis] >> swizzle.block[axis]) + start[axis]);
        let block = z * slice + y * pitch + x;
        // What of the base lies inside a block takes part in the swizzle instead.
        let offset = swizzle.offset(at, *tail, base);
        let base = if swizzle.mixes_base() { base & !((1 << swizzle.block_bytes) - 1) } else { base };
        base.checked_add((block << swizzle.block_bytes) + u64::from(offset))
    }
}
