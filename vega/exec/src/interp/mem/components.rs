//! Formatted data in registers: whole dwords, or halves of them.

use vega_isa::memory::D16;

use crate::image::TexelFormat;
use crate::image::format::Number;
use crate::interp::wave::Wave;
use crate::numeric::{Format, Mode, convert};

/// How an instruction's components sit in its registers, and what they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Components {
    /// First register.
    pub register: usize,
    /// Whole dwords or halves.
    pub d16: D16,
    /// The number format; halves are of its kind.
    pub number: Number,
}

impl Components {
    /// Registers that `count` components take.
    pub fn dwords(d16: D16, count: usize) -> usize {
        if d16 == D16::Packed { count.div_ceil(2) } else { count }
    }

    fn half(self, value: u32) -> u32 {
        if matches!(self.number, Number::Uint | Number::Sint) {
            return value & 0xffff;
        }
        let mode = Mode::DEFAULT;
        convert::float_to_float(Format::F32, Format::F16, value.into(), mode, mode) as u32
    }

    fn whole(self, half: u32) -> u32 {
        let mode = Mode::DEFAULT;
        match self.number {
            Number::Uint => half & 0xffff,
            Number::Sint => half as u16 as i16 as u32,
            _ => {
                convert::float_to_float(Format::F16, Format::F32, u64::from(half & 0xffff), mode, mode) as u32
            }
        }
    }

    /// Writes components to a lane's registers.
    pub fn write(self, wave: &mut Wave, lane: usize, values: impl Iterator<Item = u32>) {
        for (n, value) in values.enumerate() {
            match self.d16 {
                D16::No => wave.v[self.register + n][lane] = value,
                D16::High => {
                    let cell = &mut wave.v[self.register][lane];
                    *cell = *cell & 0xffff | self.half(value) << 16;
                }
                D16::Packed => {
                    let cell = &mut wave.v[self.register + n / 2][lane];
                    // An odd count leaves zeroes in the last high half.
                    *cell =
                        if n % 2 == 0 { self.half(value) } else { *cell & 0xffff | self.half(value) << 16 };
                }
            }
        }
    }

    /// Component `n` of a lane's registers.
    pub fn read(self, wave: &Wave, lane: usize, n: usize) -> u32 {
        match self.d16 {
            D16::No => wave.v[self.register + n][lane],
            D16::High => self.whole(wave.v[self.register][lane] >> 16),
            D16::Packed => self.whole(wave.v[self.register + n / 2][lane] >> (16 * (n % 2))),
        }
    }
}

/// The kind of a format's numbers; those of a format that the card lacks do not matter.
pub(crate) fn number(format: Option<TexelFormat>) -> Number {
    format.map_or(Number::Uint, |format| format.number)
}
