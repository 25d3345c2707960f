//! Texel formats, addresses and filters against values worked out by hand or by host arithmetic.

mod addresses;

use vega_exec::image::descriptor::{Clamp, Select};
use vega_exec::image::layout::Level;
use vega_exec::image::sample::{Request, Texels, sample, select, unselect};
use vega_exec::image::{Image, ImageType, Sampler, TexelFormat};

/// Data formats and number formats of images (Vega ISA).
const FMT_8: u32 = 1;
const FMT_8_8_8_8: u32 = 10;
const FMT_32: u32 = 4;
const UNORM: u32 = 0;
const SNORM: u32 = 1;
const UINT: u32 = 4;
const SINT: u32 = 5;
const FLOAT: u32 = 7;
const SRGB: u32 = 9;

fn bits(values: [f32; 4]) -> [u32; 4] {
    values.map(f32::to_bits)
}

#[test]
fn every_texel_of_every_narrow_format_survives_a_round_trip() {
    let narrow = [(1, 8), (2, 16), (16, 16), (17, 16), (18, 16), (19, 16)];
    for (data, width) in narrow {
        for number in [UNORM, 2, 3, UINT, SINT] {
            let format = TexelFormat::image(data, number).expect("a format of the card");
            assert_eq!(format.size() * 8, width);
            for texel in 0..1u128 << width {
                assert_eq!(format.encode(format.decode(texel)), texel, "{format:?} {texel:#x}");
            }
        }
    }
}

#[test]
fn formats_mean_what_the_manual_says() {
    let rgba = |number| TexelFormat::image(FMT_8_8_8_8, number).expect("a format of the card");
    assert_eq!(rgba(UNORM).decode(0xff_00_80_33), bits([0.2, 128.0 / 255.0, 0.0, 1.0]));
    assert_eq!(rgba(SNORM).decode(0x7f_80_81_00), bits([0.0, -1.0, -1.0, 1.0]));
    assert_eq!(rgba(SINT).decode(0xff), [u32::MAX, 0, 0, 0]);
    assert_eq!(rgba(UINT).encode([300, 255, 1, 0]), 0x00_01_ff_ff);
    assert_eq!(rgba(SRGB).decode(0x80_00_00_ff)[0], 1f32.to_bits());
    assert_eq!(rgba(SRGB).decode(0x80_00_00_ff)[3], (128f32 / 255.0).to_bits());
    // 2_10_10_10: the two bits are the highest.
    let packed = TexelFormat::buffer(9, UINT).expect("a format of the card");
    assert_eq!(packed.decode(0xc000_0001), [1, 0, 0, 3]);
    // 10_11_11 floats: 1.0 has exponent 15.
    let small = TexelFormat::buffer(6, FLOAT).expect("a format of the card");
    assert_eq!(small.decode(15 << 6 | 15 << (11 + 6) | 15 << (22 + 5)), bits([1.0, 1.0, 1.0, 1.0]));
    assert_eq!(small.encode(bits([-1.0, 1.0, 0.0, 0.0])), 15 << (11 + 6));
    assert_eq!(TexelFormat::image(35, UNORM), None);
    assert_eq!(TexelFormat::buffer(16, UNORM), None);
}

/// Four dwords of texel coordinates' worth: texel value = x + 10 y + 100 z.
struct Ramp;

impl Texels for Ramp {
    type Error = std::convert::Infallible;
    fn texel(&mut self, _: u32, [x, y, z]: [u32; 3]) -> Result<[u32; 4], Self::Error> {
        Ok(bits([(x + 10 * y + 100 * z) as f32, 0.0, 0.0, 1.0]))
    }
}

fn image(kind: ImageType, size: [u32; 3]) -> Image {
    Image {
        base: 0x1000,
        format: TexelFormat::image(FMT_32, FLOAT),
        width: size[0],
        height: size[1],
        depth: size[2],
        base_array: 0,
        pitch: size[0].next_multiple_of(64),
        kind,
        swizzle_mode: 0,
        levels: (0, 0),
        max_levels: 1,
        min_lod: 0.0,
        select: [Select::Component(0), Select::Zero, Select::Zero, Select::One],
    }
}

fn sampler(clamp: Clamp, linear: bool) -> Sampler {
    Sampler { clamp: [clamp; 3], unnormalized: true, linear: (linear, linear), ..Sampler::new(&[0; 4]) }
}

fn value(image: &Image, sampler: &Sampler, at: [f32; 3]) -> f32 {
    let Ok(result) = sample(image, sampler, at, &Request::default(), &mut Ramp);
    assert_eq!(result[3], 1f32.to_bits());
    f32::from_bits(result[0])
}

#[test]
fn addressing_modes() {
    let line = image(ImageType::D1, [4, 1, 1]);
    let at = |clamp, x: f32| value(&line, &sampler(clamp, false), [x, 0.0, 0.0]);
    let row = |clamp| [-5.5, -1.5, -0.5, 0.5, 3.5, 4.5, 8.5].map(|x| at(clamp, x));
    assert_eq!(row(Clamp::Wrap), [2.0, 2.0, 3.0, 0.0, 3.0, 0.0, 0.0]);
    assert_eq!(row(Clamp::Mirror), [2.0, 1.0, 0.0, 0.0, 3.0, 3.0, 0.0]);
    assert_eq!(row(Clamp::LastTexel), [0.0, 0.0, 0.0, 0.0, 3.0, 3.0, 3.0]);
    assert_eq!(row(Clamp::MirrorOnceLastTexel), [3.0, 1.0, 0.0, 0.0, 3.0, 3.0, 3.0]);
    assert_eq!(row(Clamp::Border), [0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
}

#[test]
fn linear_filters_interpolate_between_centres() {
    let plane = image(ImageType::D2, [4, 4, 1]);
    let s = sampler(Clamp::LastTexel, true);
    assert_eq!(value(&plane, &s, [1.5, 2.5, 0.0]), 21.0);
    assert_eq!(value(&plane, &s, [2.0, 2.5, 0.0]), 21.5);
    assert_eq!(value(&plane, &s, [2.25, 3.0, 0.0]), 26.75);
    let normalized = Sampler { unnormalized: false, ..s };
    assert_eq!(value(&plane, &normalized, [0.5, 0.625, 0.0]), 21.5);
    let volume = image(ImageType::D3, [4, 4, 4]);
    assert_eq!(value(&volume, &s, [1.5, 1.5, 2.0]), 161.0);
    let layers = image(ImageType::D2Array, [4, 4, 4]);
    assert_eq!(value(&layers, &s, [1.5, 1.5, 1.6]), 211.0);
}

#[test]
fn gather_and_compare() {
    let plane = image(ImageType::D2, [4, 4, 1]);
    let s = sampler(Clamp::LastTexel, false);
    let request = Request { gather: Some(0), ..Request::default() };
    let Ok(four) = sample(&plane, &s, [2.0, 2.0, 0.0], &request, &mut Ramp);
    assert_eq!(four, bits([21.0, 22.0, 12.0, 11.0]));
    // Less or equal.
    let s = Sampler { compare: 3, ..s };
    let request = |reference| Request { reference: Some(reference), ..Request::default() };
    let Ok(passes) = sample(&plane, &s, [1.5, 1.5, 0.0], &request(11.0), &mut Ramp);
    let Ok(fails) = sample(&plane, &s, [1.5, 1.5, 0.0], &request(11.5), &mut Ramp);
    assert_eq!((passes[0], fails[0]), (1f32.to_bits(), 0));
}

#[test]
fn descriptors_are_read_as_the_runtime_writes_them() {
    // 8_8_8_8 unorm, 100 x 50, BGRA order, 64 KiB standard swizzle, 2-D, pitch 128.
    let words = [
        0x0012_3456,
        FMT_8_8_8_8 << 20 | UNORM << 26,
        99 | 49 << 14,
        6 | 5 << 3 | 4 << 6 | 7 << 9 | 9 << 20 | 9 << 28,
        127 << 13,
        0,
        0,
        0,
    ];
    let image = Image::new(&words).expect("an image");
    assert_eq!(image.base, 0x1234_5600);
    assert_eq!((image.width, image.height, image.pitch), (100, 50, 128));
    assert_eq!((image.kind, image.swizzle_mode), (ImageType::D2, 9));
    assert_eq!(select(&image, [1, 2, 3, 4]), [3, 2, 1, 4]);
    assert_eq!(unselect(&image, [3, 2, 1, 4]), [1, 2, 3, 4]);
    // The base's bits inside the block only move where the surface begins: this mode has no exclusive-or.
    let level = Level::new(&image, 0, 4).expect("level 0");
    assert_eq!(level.address([0, 0, 0]), Some(0x1234_5600));
    assert_eq!(level.address([100, 0, 0]), None);
    assert!(Level::new(&image, 1, 4).is_none());
    assert_eq!(Image::new(&[0; 8]), None);
    let sampler = Sampler::new(&[2 | 6 << 3 | 1 << 15, 0, 1 << 20 | 1 << 22, 2 << 30]);
    assert_eq!(sampler.clamp[..2], [Clamp::LastTexel, Clamp::Border]);
    assert!(sampler.unnormalized && sampler.linear.0);
    assert_eq!(sampler.border, [1.0; 4]);
    assert_eq!(TexelFormat::image(FMT_8, UNORM).map(TexelFormat::size), Some(1));
}
