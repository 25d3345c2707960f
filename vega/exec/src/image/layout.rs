//! Where a texel is.
//!
//! Linear images have their texels where the card has them. In tiled images (any other swizzle mode) the
//! order within the surface is known to image instructions alone: programs get texels in and out through
//! those. Here such a surface keeps its rows in order, padded to whole blocks as the card's is, so that it
//! fits the same allocation.

use super::descriptor::{Image, ImageType};

/// Where the texel at (x, y, z) is; z is the layer of arrays, the face of cubes. `None` outside the image.
pub fn address(image: &Image, size: u32, [x, y, z]: [u32; 3]) -> Option<u64> {
    let z = match image.kind {
        ImageType::D1 | ImageType::D2 => 0,
        ImageType::D3 => z,
        ImageType::Cube | ImageType::D1Array | ImageType::D2Array => z.checked_add(image.base_array)?,
    };
    let layers = if image.kind == ImageType::Cube { image.depth.saturating_mul(6) } else { image.depth };
    if x >= image.width || y >= image.height || z > layers.saturating_sub(1).max(image.base_array) {
        return None;
    }
    let rows = u64::from(image.height).next_multiple_of(block_rows(image.swizzle_mode, size));
    let pitch = u64::from(image.pitch.max(image.width));
    let texel = (u64::from(z) * rows + u64::from(y)) * pitch + u64::from(x);
    image.base.checked_add(texel.checked_mul(size.into())?)
}

/// Rows of a block: 1 for linear surfaces; else what makes a block of 256 B, 4 KiB or 64 KiB square, or twice as wide
/// as high.
fn block_rows(swizzle_mode: u32, size: u32) -> u64 {
    let bytes: u64 = match swizzle_mode {
        0 => return 1,
        1..=3 => 256,
        4..=7 | 20..=23 => 4096,
        _ => 65536,
    };
    let texels = bytes / u64::from(size.max(1)).next_power_of_two();
    1 << (texels.ilog2() / 2)
}
