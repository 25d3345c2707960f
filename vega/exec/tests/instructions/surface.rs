//! Images in the making, and the instructions that reach them: addresses from v2 on, data from v10 on.

use vega_exec::image::Image;
use vega_exec::image::layout::Level;
use vega_isa::{Field, Flags, Inst, Modifiers, Operand};

use crate::bench::{MEMORY, Setting, State, inst};
use crate::common::Card;

pub const D1: u32 = 8;
pub const D2: u32 = 9;
pub const D3: u32 = 10;
pub const CUBE: u32 = 11;
pub const D1_ARRAY: u32 = 12;
pub const D2_ARRAY: u32 = 13;

pub const FMT_32: u32 = 4;
pub const FMT_8_8_8_8: u32 = 10;
pub const FMT_32_32: u32 = 11;
pub const UINT: u32 = 4;
pub const FLOAT: u32 = 7;

pub const XYZW: u32 = 4 | 5 << 3 | 6 << 6 | 7 << 9;

/// An image descriptor in the making.
#[derive(Clone, Copy)]
pub struct Surface {
    pub kind: u32,
    pub format: (u32, u32),
    pub size: [u32; 3],
    pub mode: u32,
    pub pitch: u32,
    pub base_array: u32,
    /// Base, last and greatest level.
    pub levels: [u32; 3],
    pub select: u32,
}

impl Surface {
    pub fn new(kind: u32, format: (u32, u32), size: [u32; 3]) -> Self {
        let pitch = size[0].next_multiple_of(64);
        Self { kind, format, size, mode: 0, pitch, base_array: 0, levels: [0; 3], select: XYZW }
    }

    pub fn words(&self) -> [u32; 8] {
        let [base, last, greatest] = self.levels;
        [
            (MEMORY >> 8) as u32,
            self.format.0 << 20 | self.format.1 << 26,
            (self.size[0] - 1) | (self.size[1] - 1) << 14,
            self.select | base << 12 | last << 16 | self.mode << 20 | self.kind << 28,
            (self.size[2] - 1) | (self.pitch - 1) << 13,
            self.base_array | greatest << 28,
            0,
            0,
        ]
    }

    pub fn setting(&self, sampler: [u32; 4]) -> Setting {
        Setting { descriptor: self.words(), sampler, m0: 0 }
    }

    /// Where a texel is; `tests/image` compares these with AMD's address library.
    pub fn address(&self, level: u32, at: [u32; 3], texel: u32) -> u64 {
        let image = Image::new(&self.words()).expect("an image");
        Level::new(&image, level, texel).and_then(|level| level.address(at)).expect("a texel")
    }

    /// Stores a dword for each texel of each level.
    pub fn fill(&self, card: &Card, value: impl Fn(u32, [u32; 3]) -> u32) {
        for level in 0..=self.levels[2] {
            let shrunk = |n: u32| (n >> level).max(1);
            let depth = if self.kind == D3 { shrunk(self.size[2]) } else { self.size[2] };
            for z in 0..depth {
                for y in 0..shrunk(self.size[1]) {
                    for x in 0..shrunk(self.size[0]) {
                        card.write(self.address(level, [x, y, z], 4), &[value(level, [x, y, z])]);
                    }
                }
            }
        }
    }
}

/// Addresses from v2 on, data from v10 on.
pub fn image(name: &str, change: impl Fn(&mut Modifiers)) -> Inst {
    let operands = [
        (Field::Addr, Operand::Vgpr(2)),
        (Field::Data0, Operand::Vgpr(10)),
        (Field::Rsrc, Operand::Sgpr(8)),
        (Field::Sampler, Operand::Sgpr(16)),
    ];
    inst(name, &operands, |m| {
        m.dmask = 15;
        m.flags = Flags::UNORM;
        change(m);
    })
}

pub fn state() -> State {
    State::new(|lane, n| (0x1000 * n + lane) as u32)
}

pub fn set(state: &mut State, n: usize, value: impl Fn(u32) -> f32) {
    state.set(n, |lane| value(lane).to_bits());
}

pub fn floats(state: &State, n: usize) -> [f32; 64] {
    state.v(n).map(f32::from_bits)
}
