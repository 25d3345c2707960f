//! Swizzle modes of gfx9: where a texel is inside its block.
//!
//! Each address bit is one bit of a coordinate: the first 256 bytes (1 KiB in volumes) by a table for each order, the rest in
//! turn. The modes whose name ends in X or T exclusive-or the bits that choose memory channel and bank with higher ones, and
//! those in X with the slice too. The tests compare with addresses that AMD's address library computed.

/// The order of texels in a micro block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Morton order, for depth and volumes.
    Z,
    /// Standard.
    S,
    /// Display.
    D,
    /// Rotated display.
    R,
}

/// A swizzle mode that is not linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mode {
    order: Order,
    /// log2 of the block's bytes.
    block: u32,
    /// Channel and bank bits depend on higher address bits.
    xor: bool,
    /// Only on those inside the block, and not on the slice.
    resident: bool,
}

impl Mode {
    /// The mode of a `SW_MODE` number; `None` for linear and reserved ones.
    fn new(number: u32) -> Option<Self> {
        let order = [Order::Z, Order::S, Order::D, Order::R][number as usize % 4];
        let (block, xor, resident) = match number {
            1..=3 => (8, false, false),
            4..=7 => (12, false, false),
            8..=11 => (16, false, false),
            16..=19 => (16, true, true),
            20..=23 => (12, true, false),
            24..=27 => (16, true, false),
            _ => return None,
        };
        Some(Self { order, block, xor, resident })
    }
}

/// Coordinate bits of the micro block of 256 bytes, lowest address bit first, by log2 of the texel's bytes.
const STANDARD: [&str; 5] = ["x0x1x2x3y0y1y2y3", "x0x1x2y0y1y2x3", "x0x1y0y1y2x2", "x0y0y1x1x2", "y0y1x0x1"];
const DISPLAY: [&str; 5] = ["x0x1x2y1y0y2x3y3", "x0x1x2y0y1y2x3", "x0x1y0x2y1y2", "x0y0x1x2y1", "x0y0x1y1"];
const ROTATED: [&str; 5] = ["y0y1y2x1x0x2x3y3", "y0y1y2x0x1x2x3", "y0y1x0y2x1x2", "y0x0y1x1x2", "x0y0x1y1"];
/// The first 64 bytes of Morton order; the rest follows the rule for what is above a micro block.
const MORTON: [&str; 5] = ["x0y0x1y1x2y2", "x0y0x1y1x2", "x0y0x1y1", "x0y0x1", "x0y0x1y1"];
/// The micro block of 1 KiB of volumes.
const VOLUME_STANDARD: [&str; 5] =
    ["x0x1x2x3y0y1z0z1z2y2", "x0x1x2y0y1z0z1z2y2", "x0x1y0y1z0z1y2x2", "x0y0y1z0z1x1x2", "y0y1z0z1x0x1"];
const VOLUME_MORTON: [&str; 5] =
    ["x0y0x1y1z0z1x2z2y2x3", "x0y0x1y1z0z1z2y2x2", "x0y0x1z0y1z1y2x2", "x0y0z0x1z1y1x2", "x0y0z0z1y1x1"];

/// Address bits that are formed; channel and bank depend on some above the block.
const BITS: usize = 24;

/// `GB_ADDR_CONFIG` of a Vega 10: an interleave of 256 bytes; 4 pipes in 4 shader engines; 16 banks.
const INTERLEAVE: u32 = 8;
const PIPES: u32 = 4;
const BANKS: u32 = 4;

/// Which coordinate bit each address bit is: axis and bit.
#[derive(Clone, Copy, Debug)]
struct Bits {
    of: [(u8, u8); BITS],
    /// The texel's own bits, which come first.
    first: usize,
}

impl Bits {
    fn new(order: Order, volume: bool, texel: u32) -> Self {
        let first = texel as usize;
        let (table, turn): (_, &[u8]) = match (order, volume) {
            (Order::Z, true) => (VOLUME_MORTON, &[0, 2, 1]),
            (_, true) => (VOLUME_STANDARD, &[0, 2, 1]),
            (Order::Z, false) => (MORTON, &[1, 0]),
            (Order::S, false) => (STANDARD, &[1, 0]),
            (Order::D, false) => (DISPLAY, &[1, 0]),
            (Order::R, false) => (ROTATED, &[1, 0]),
        };
        let mut of = [(0, 0); BITS];
        let mut next = [0u8; 3];
        let mut at = first;
        let micro = table.get(first).map_or(&[][..], |text| text.as_bytes());
        for pair in micro.chunks_exact(2) {
            let axis = pair[0] - b'x';
            of[at] = (axis, pair[1] - b'0');
            next[usize::from(axis)] += 1;
            at += 1;
        }
        for (bit, of) in of.iter_mut().enumerate().skip(at) {
            let axis = turn[bit % turn.len()];
            *of = (axis, next[usize::from(axis)]);
            next[usize::from(axis)] += 1;
        }
        Self { of, first }
    }

    /// log2 of a block's texels along each axis.
    fn block(&self, bits: u32) -> [u32; 3] {
        let mut size = [0; 3];
        for (axis, _) in &self.of[self.first..bits as usize] {
            size[usize::from(*axis)] += 1;
        }
        size
    }

    fn address(&self, at: [u32; 3]) -> u32 {
        let bits = self.of.iter().enumerate().skip(self.first);
        bits.fold(0, |sum, (to, (axis, bit))| sum | (at[usize::from(*axis)] >> bit & 1) << to)
    }
}

impl Mode {
    /// Bits that choose the channel, and those above that choose the bank.
    fn channels(self) -> [u32; 2] {
        let pipes = PIPES.min(self.block - INTERLEAVE);
        [pipes, BANKS.min(self.block - INTERLEAVE - pipes)]
    }
}

/// A swizzle mode for texels of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swizzle {
    mode: Mode,
    volume: bool,
    bits: Bits,
    /// log2 of a block's bytes.
    pub block_bytes: u32,
    /// log2 of a block's texels along each axis.
    pub block: [u32; 3],
}

impl Swizzle {
    /// The swizzle of a `SW_MODE` number; `None` when gfx9 has none such for texels of this many bytes.
    pub fn new(number: u32, three_dimensional: bool, texel: u32) -> Option<Self> {
        let mode = Mode::new(number)?;
        if !texel.is_power_of_two() || texel > 16 {
            return None;
        }
        // In display order, volumes are stacks of planes, each in standard order.
        let volume = three_dimensional && matches!(mode.order, Order::Z | Order::S) && mode.block > 8;
        let planes = three_dimensional && mode.order == Order::D;
        let bits = Bits::new(if planes { Order::S } else { mode.order }, volume, texel.ilog2());
        Some(Self { mode, volume, bits, block_bytes: mode.block, block: bits.block(mode.block) })
    }

    /// Whether blocks extend over several slices.
    pub fn is_volume(&self) -> bool {
        self.volume
    }

    /// Whether the base address's bits inside a block are part of the swizzle.
    pub fn mixes_base(&self) -> bool {
        self.mode.xor
    }

    /// The texel's offset in its block. `at` counts from the level's beginning, `tail` is where the level begins in the block,
    /// `base` the surface's address, whose bits inside the block take part.
    pub fn offset(&self, at: [u32; 3], tail: u32, base: u64) -> u32 {
        let whole = self.bits.address(at);
        let inside = (1 << self.mode.block) - 1;
        if !self.mode.xor {
            return whole & inside | tail;
        }
        let whole = if self.mode.resident { whole & inside } else { whole };
        let mut offset = whole;
        let mut start = INTERLEAVE;
        let mut slice = at[2];
        for bits in self.mode.channels() {
            let mut flips = 0;
            for bit in 0..bits {
                flips |= self.higher(whole, start, bits, bit) << bit;
            }
            offset ^= flips << start;
            if !self.volume && !self.mode.resident {
                let reversed = (0..bits).fold(0, |sum, bit| sum << 1 | slice >> bit & 1);
                offset ^= reversed << start;
                slice >>= bits;
            }
            start += bits;
        }
        // A tail's beginning is a bit that the level's texels leave clear, but the exclusive-or comes after it.
        (offset & inside) ^ tail ^ (base as u32 & inside & !((1 << INTERLEAVE) - 1))
    }

    /// What bit `bit` of the `bits` from `start` on is combined with: its mirror images above.
    fn higher(&self, whole: u32, start: u32, bits: u32, bit: u32) -> u32 {
        if self.volume {
            let top = start + 3 * bits - 1 - 2 * bit;
            return (whole >> top ^ whole >> (top - 1)) & 1;
        }
        whole >> (start + 2 * bits - 1 - bit) & 1
    }
}
