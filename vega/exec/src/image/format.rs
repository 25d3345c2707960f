//! Data and number formats of texels and typed buffers (Vega ISA, table "Data and Image Formats").

use crate::numeric::{Format, Mode, convert};

/// How the bits of a component are a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// 0 to 1.
    Unorm,
    /// -1 to 1.
    Snorm,
    /// Unsigned integer as a float.
    Uscaled,
    /// Signed integer as a float.
    Sscaled,
    /// Unsigned integer.
    Uint,
    /// Signed integer.
    Sint,
    /// Floating point of the component's width.
    Float,
    /// 0 to 1 with the sRGB curve; the fourth component is `Unorm`.
    Srgb,
}

/// A texel format: widths in bits of the components, lowest bits first, and what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TexelFormat {
    /// Widths; unused components are 0.
    pub widths: [u8; 4],
    /// Number format.
    pub number: Number,
}

/// Component widths by data format number; 0 to 14 are shared by buffers and images.
const WIDTHS: [[u8; 4]; 22] = [
    [0, 0, 0, 0],
    [8, 0, 0, 0],
    [16, 0, 0, 0],
    [8, 8, 0, 0],
    [32, 0, 0, 0],
    [16, 16, 0, 0],
    [11, 11, 10, 0],
    [10, 11, 11, 0],
    [2, 10, 10, 10],
    [10, 10, 10, 2],
    [8, 8, 8, 8],
    [32, 32, 0, 0],
    [16, 16, 16, 16],
    [32, 32, 32, 0],
    [32, 32, 32, 32],
    [0, 0, 0, 0],
    [5, 6, 5, 0],
    [5, 5, 5, 1],
    [1, 5, 5, 5],
    [4, 4, 4, 4],
    [24, 8, 0, 0],
    [8, 24, 0, 0],
];

impl TexelFormat {
    /// A buffer's format: four-bit data format, three-bit number format. `None` when there is none such.
    pub fn buffer(data: u32, number: u32) -> Option<Self> {
        if data > 14 { None } else { Self::image(data, number) }
    }

    /// An image's format: six-bit data format, four-bit number format. `None` when the card has none such, or
    /// only for block-compressed, depth or multisampled images.
    pub fn image(data: u32, number: u32) -> Option<Self> {
        let widths = *WIDTHS.get(data as usize).filter(|widths| widths[0] != 0)?;
        let number = match number {
            0 => Number::Unorm,
            1 => Number::Snorm,
            2 => Number::Uscaled,
            3 => Number::Sscaled,
            4 => Number::Uint,
            5 => Number::Sint,
            7 => Number::Float,
            9 => Number::Srgb,
            _ => return None,
        };
        Some(Self { widths, number })
    }

    /// Bytes of a texel.
    pub fn size(self) -> u32 {
        self.widths.iter().map(|bits| u32::from(*bits)).sum::<u32>() / 8
    }

    /// How many components there are.
    pub fn components(self) -> usize {
        self.widths.iter().filter(|bits| **bits != 0).count()
    }

    /// Whether a register sees integers.
    pub fn is_integer(self) -> bool {
        matches!(self.number, Number::Uint | Number::Sint)
    }

    /// The same with the sRGB curve, where samplers can ask for it.
    pub fn degamma(self) -> Self {
        if self.number == Number::Unorm { Self { number: Number::Srgb, ..self } } else { self }
    }

    /// The bits of 1 in a register.
    pub fn one(self) -> u32 {
        if self.is_integer() { 1 } else { 0x3f80_0000 }
    }

    /// Texel bits to 32-bit register values; missing components are 0, 0, 0, 1.
    pub fn decode(self, texel: u128) -> [u32; 4] {
        let mut values = [0, 0, 0, self.one()];
        let mut at = 0;
        for (n, (value, bits)) in values.iter_mut().zip(self.widths).enumerate() {
            if bits != 0 {
                let raw = (texel >> at) as u32 & mask(bits);
                *value = decode(self.number_of(n), raw, bits.into());
                at += u32::from(bits);
            }
        }
        values
    }

    /// 32-bit register values to texel bits; components that the format lacks are dropped.
    pub fn encode(self, values: [u32; 4]) -> u128 {
        let mut texel = 0;
        let mut at = 0;
        for (n, (value, bits)) in values.into_iter().zip(self.widths).enumerate() {
            if bits != 0 {
                let raw = encode(self.number_of(n), value, bits.into()) & mask(bits);
                texel |= u128::from(raw) << at;
                at += u32::from(bits);
            }
        }
        texel
    }

    fn number_of(self, component: usize) -> Number {
        if self.number == Number::Srgb && component == 3 { Number::Unorm } else { self.number }
    }
}

fn mask(bits: u8) -> u32 {
    if bits >= 32 { u32::MAX } else { (1 << bits) - 1 }
}

fn signed(raw: u32, bits: u32) -> i32 {
    ((raw << (32 - bits)) as i32) >> (32 - bits)
}

/// An unsigned float of 10 or 11 bits has five exponent bits and no sign.
fn small_float_fraction(bits: u32) -> Option<u32> {
    matches!(bits, 10 | 11).then(|| bits - 5)
}

fn decode(number: Number, raw: u32, bits: u32) -> u32 {
    // A signed component of one bit is 0 or -1.
    let most = |width: u32| f64::from(u32::MAX.checked_shr(32 - width).unwrap_or(0).max(1));
    let value = match number {
        Number::Uint => return raw,
        Number::Sint => return signed(raw, bits) as u32,
        Number::Unorm => (f64::from(raw) / most(bits)) as f32,
        Number::Snorm => (f64::from(signed(raw, bits)) / most(bits - 1)).max(-1.0) as f32,
        Number::Uscaled => raw as f32,
        Number::Sscaled => signed(raw, bits) as f32,
        Number::Srgb => from_srgb(f64::from(raw) / most(bits)) as f32,
        Number::Float => {
            let half = match (bits, small_float_fraction(bits)) {
                (32, _) => return raw,
                (16, _) => raw,
                (_, Some(fraction)) => raw << (10 - fraction),
                _ => return 0,
            };
            return convert::float_to_float(
                Format::F16,
                Format::F32,
                half.into(),
                Mode::DEFAULT,
                Mode::DEFAULT,
            ) as u32;
        }
    };
    value.to_bits()
}

fn encode(number: Number, value: u32, bits: u32) -> u32 {
    let most = u32::MAX >> (32 - bits);
    let float = f64::from(f32::from_bits(value));
    let float = if float.is_nan() { 0.0 } else { float };
    let least = -(1i64 << (bits - 1));
    match number {
        Number::Uint => value.min(most),
        Number::Sint => i64::from(value as i32).clamp(least, -least - 1) as u32,
        Number::Unorm => (float.clamp(0.0, 1.0) * f64::from(most)).round_ties_even() as u32,
        Number::Snorm => (float.clamp(-1.0, 1.0) * f64::from(most >> 1)).round_ties_even() as i64 as u32,
        Number::Uscaled => float.clamp(0.0, f64::from(most)) as u32,
        Number::Sscaled => float.clamp(least as f64, (-least - 1) as f64) as i64 as u32,
        Number::Srgb => (to_srgb(float.clamp(0.0, 1.0)) * f64::from(most)).round_ties_even() as u32,
        Number::Float => encode_float(value, bits),
    }
}

fn encode_float(value: u32, bits: u32) -> u32 {
    if bits == 32 {
        return value;
    }
    let half =
        convert::float_to_float(Format::F32, Format::F16, value.into(), Mode::DEFAULT, Mode::DEFAULT) as u32;
    match small_float_fraction(bits) {
        // Negative numbers become zero; NaN stays one.
        Some(_) if half & 0x8000 != 0 && half & 0x7fff <= 0x7c00 => 0,
        Some(fraction) => (half & 0x7fff) >> (10 - fraction),
        None => half,
    }
}

/// The sRGB transfer function (IEC 61966-2-1).
fn from_srgb(x: f64) -> f64 {
    if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
}

fn to_srgb(x: f64) -> f64 {
    if x <= 0.003_130_8 { x * 12.92 } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 }
}
