//! Addresses of image instructions: a lane's components, one after the other.

use vega_isa::memory::{Lod, Sample};

use crate::interp::wave::Wave;
use crate::numeric::{Format, Mode, convert};

/// Reads a lane's address components: dwords, or halves of them.
pub(super) struct Cursor<'a> {
    wave: &'a Wave,
    lane: usize,
    register: usize,
    /// The next component is the high half of the register before.
    high: bool,
    narrow: bool,
}

impl<'a> Cursor<'a> {
    /// Begins at a register; `narrow` components are halves.
    pub fn new(wave: &'a Wave, lane: usize, register: usize, narrow: bool) -> Self {
        Self { wave, lane, register, high: false, narrow }
    }

    /// The next whole register.
    fn dword(&mut self) -> u32 {
        self.align();
        let value = self.wave.v[self.register % self.wave.v.len()][self.lane];
        self.register += 1;
        value
    }

    /// Goes on at a whole register.
    fn align(&mut self) {
        self.high = false;
    }

    /// The next component.
    pub fn component(&mut self) -> u32 {
        if !self.narrow {
            return self.dword();
        }
        if self.high {
            self.high = false;
            return self.wave.v[(self.register - 1) % self.wave.v.len()][self.lane] >> 16;
        }
        let value = self.dword() & 0xffff;
        self.high = true;
        value
    }

    /// A floating-point component.
    fn float(&mut self) -> f32 {
        let bits = self.component();
        if !self.narrow {
            return f32::from_bits(bits);
        }
        let mode = Mode::DEFAULT;
        f32::from_bits(convert::float_to_float(Format::F16, Format::F32, bits.into(), mode, mode) as u32)
    }
}

/// A lane's address, with what a sampling instruction puts in front.
#[derive(Default)]
pub(super) struct Address {
    /// Texel offsets.
    pub offset: [i32; 3],
    /// Added to the level of detail.
    pub bias: f32,
    /// What texels are compared with.
    pub reference: f32,
    /// Along the screen's x and y.
    pub derivatives: [[f32; 3]; 2],
    /// Coordinates, layer or face last.
    pub coordinates: [f32; 3],
    /// The level, or the least level.
    pub last: f32,
}

impl Address {
    /// Reads what a sampling instruction has, for an image with this many dimensions and coordinates.
    pub fn read(mut cursor: Cursor, sample: Sample, dimensions: usize, count: usize) -> Self {
        let mut address = Self::default();
        if sample.offset {
            // Six signed bits each.
            let packed = cursor.dword();
            address.offset = [0, 8, 16].map(|at| ((packed >> at << 26) as i32) >> 26);
        }
        if sample.lod == Lod::Bias {
            address.bias = cursor.float();
            cursor.align();
        }
        if sample.compare {
            address.reference = f32::from_bits(cursor.dword());
        }
        if matches!(sample.lod, Lod::Derivatives | Lod::CoarseDerivatives) {
            for direction in &mut address.derivatives {
                direction.iter_mut().take(dimensions).for_each(|d| *d = cursor.float());
                cursor.align();
            }
        }
        address.coordinates.iter_mut().take(count).for_each(|coordinate| *coordinate = cursor.float());
        if sample.lod == Lod::Level || sample.clamp {
            address.last = cursor.float();
        }
        address
    }
}
