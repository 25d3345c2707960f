//! Copies of rectangles, and fills.

use vega_exec::{AddressSpace, GuestFault};

use super::packet::{Key, SdmaFormat};

/// COPY_LINEAR_SUB_WINDOW: positions, pitches and extents count elements of `1 << Element` bytes; pitches
/// and extents are one less than what they say.
pub(super) fn rect(space: &AddressSpace, format: &SdmaFormat, words: &[u32]) -> Result<(), GuestFault> {
    let get = |key| format.get(words, key);
    let element = get(Key::Element);
    // Address of an element of a side's window: base, position, pitches.
    let side = |base: Key, [x, y, z]: [Key; 3], pitch: Key, slice: Key| {
        let (base, x, y, z) = (get(base), get(x), get(y), get(z));
        let (pitch, slice) = (get(pitch) + 1, get(slice) + 1);
        move |row: u64, layer: u64| {
            base.wrapping_add(((z + layer) * slice + (y + row) * pitch + x) << element)
        }
    };
    let src = side(Key::Src, [Key::SrcX, Key::SrcY, Key::SrcZ], Key::SrcPitch, Key::SrcSlice);
    let dst = side(Key::Dst, [Key::DstX, Key::DstY, Key::DstZ], Key::DstPitch, Key::DstSlice);
    let bytes = (get(Key::RectX) + 1) << element;
    for layer in 0..=get(Key::RectZ) {
        for row in 0..=get(Key::RectY) {
            space.copy(dst(row, layer), src(row, layer), bytes)?;
        }
    }
    Ok(())
}

/// Bytes of a fill pattern that are stored at once.
const CHUNK: u64 = 4096;

/// CONSTANT_FILL of elements of `1 << element` bytes. The count is in bytes and one less than what it
/// says; ROCr rounds it down to a whole element, which this undoes.
pub(super) fn fill(
    space: &AddressSpace,
    dst: u64,
    data: u32,
    element: u32,
    count: u64,
) -> Result<(), GuestFault> {
    let size = 1u64 << element;
    let bytes = (count & !(size - 1)) + size;
    if element == 2 && dst.is_multiple_of(4) {
        return space.fill(dst, data, bytes / 4);
    }
    let pattern: Vec<u8> =
        data.to_le_bytes().iter().take(size as usize).copied().cycle().take(CHUNK as usize).collect();
    let mut at = 0;
    while at < bytes {
        let n = CHUNK.min(bytes - at);
        space.write_bytes(dst.wrapping_add(at), pattern.get(..n as usize).unwrap_or(&pattern))?;
        at += n;
    }
    Ok(())
}
