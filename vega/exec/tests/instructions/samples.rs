//! MIMG: samples and gathers, and how they find their level.

use vega_isa::{Flags, Modifiers};

use crate::bench::run;
use crate::common::{Card, on_each_engine};
use crate::surface::{CUBE, D2, D2_ARRAY, D3, FLOAT, FMT_32, Surface, floats, image, set, state};

/// Clamps to the last texel, filters linearly in plane and levels.
const LINEAR: [u32; 4] = [2 | 2 << 3 | 2 << 6, 4095 << 12, 1 << 20 | 1 << 22 | 2 << 26, 0];
const UNNORMALIZED: u32 = 1 << 15;

/// A chain of levels in which a texel is a linear function of where its centre is, plus 1000 for each level.
fn ramp(card: &Card, mode: u32) -> Surface {
    let surface = Surface { mode, levels: [0, 5, 5], ..Surface::new(D2, (FMT_32, FLOAT), [64, 32, 1]) };
    surface.fill(card, |level, [x, y, _]| {
        let (scale, [x, y]) = ((1u32 << level) as f32, [x, y].map(|n| n as f32 + 0.5));
        (x * scale + 64.0 * y * scale + 10_000.0 * level as f32).to_bits()
    });
    surface
}

#[test]
fn samples_find_their_level_in_every_way() {
    on_each_engine(|| {
        let card = Card::new(1);
        let surface = ramp(&card, 26);
        let setting = surface.setting(LINEAR);
        let normalized = |m: &mut Modifiers| (m.flags, m.dmask) = (Flags::default(), 1);
        // Coordinates in texels of level 0, away from the edges of level 3.
        let at = |lane: u32| [20.0 + 0.25 * (lane % 64) as f32, 10.0 + 0.125 * (lane / 4) as f32];
        // Registers in front of the coordinates, the register behind them, and the level of detail that they ask for.
        type Values = fn(u32) -> f32;
        let cases: [(&str, Vec<Values>, Option<Values>, Values); 9] = [
            ("image_sample_lz", vec![], None, |_| 0.0),
            ("image_sample_l", vec![], Some(|lane| (lane % 9) as f32 * 0.25), |lane| {
                (lane % 9) as f32 * 0.25
            }),
            ("image_sample_d", vec![|_| 4.0 / 64.0, |_| 0.0, |_| 0.0, |_| 1.0 / 32.0], None, |_| 2.0),
            ("image_sample_d", vec![|_| 1.0 / 64.0, |_| 0.0, |_| 0.0, |_| 2.0 / 32.0], None, |_| 1.0),
            (
                "image_sample_d_cl",
                vec![|_| 1.0 / 64.0, |_| 0.0, |_| 0.0, |_| 2.0 / 32.0],
                Some(|_| 1.5),
                |_| 1.5,
            ),
            ("image_sample_cd", vec![|_| 8.0 / 64.0, |_| 0.0, |_| 0.0, |_| 1.0 / 32.0], None, |_| 3.0),
            // Neighbours in quads are a quarter of a texel apart: log2 is -2; lanes 0 and 2 half a texel: -1.
            ("image_sample", vec![], None, |_| 0.0),
            ("image_sample_b", vec![|_| 3.0], None, |_| 2.0),
            ("image_sample_cl", vec![], Some(|lane| (lane % 3) as f32 * 0.5), |lane| (lane % 3) as f32 * 0.5),
        ];
        for (name, before_coordinates, behind, expected) in cases {
            let mut before = state();
            let mut n = 2;
            for value in &before_coordinates {
                set(&mut before, n, value);
                n += 1;
            }
            set(&mut before, n, |lane| at(lane)[0] / 64.0);
            set(&mut before, n + 1, |lane| at(lane)[1] / 32.0);
            if let Some(value) = behind {
                set(&mut before, n + 2, value);
            }
            let after = run(&card, &image(name, normalized), &setting, &before);
            for lane in 0..64u32 {
                let [x, y] = at(lane);
                // Linear in position and level; 1/16 texel of error in 8 fraction bits at level 3.
                let wanted = x + 64.0 * y + 10_000.0 * expected(lane);
                let found = floats(&after, 10)[lane as usize];
                assert!((found - wanted).abs() < 2.5, "{name} lane {lane}: {found}, not {wanted}");
            }
        }
        // What get_lod tells is what a sample would use, then the unclamped value.
        let mut before = state();
        set(&mut before, 2, |lane| (lane % 4 % 2) as f32 * 8.0 / 64.0);
        set(&mut before, 3, |lane| (lane % 4 / 2) as f32 / 32.0);
        let after = run(
            &card,
            &image("image_get_lod", |m| (m.flags, m.dmask) = (Flags::default(), 3)),
            &setting,
            &before,
        );
        assert_eq!((floats(&after, 10), floats(&after, 11)), ([3.0; 64], [3.0; 64]));
    });
}

#[test]
fn offsets_gathers_and_comparisons() {
    on_each_engine(|| {
        let card = Card::new(1);
        let surface = Surface::new(D2, (FMT_32, FLOAT), [16, 16, 1]);
        surface.fill(&card, |_, [x, y, _]| ((x + 16 * y) as f32).to_bits());
        let point = [2 | 2 << 3 | UNNORMALIZED, 4095 << 12, 0, 0];
        let one = |m: &mut Modifiers| m.dmask = 1;
        let at = |lane: u32| [4 + lane % 8, 4 + lane / 8];
        let mut before = state();
        // Offsets of +3 and -2, six bits each.
        before.set(2, |_| 3 | (-2i32 as u32 & 63) << 8);
        set(&mut before, 3, |lane| at(lane)[0] as f32 + 0.5);
        set(&mut before, 4, |lane| at(lane)[1] as f32 + 0.5);
        let after = run(&card, &image("image_sample_lz_o", one), &surface.setting(point), &before);
        for lane in 0..64u32 {
            let [x, y] = at(lane);
            let expected = (x + 3).min(15) + 16 * (y - 2);
            assert_eq!(floats(&after, 10)[lane as usize], expected as f32, "lane {lane}");
        }
        // Four texels around a corner: below left, below right, right, corner's own.
        let mut before = state();
        set(&mut before, 2, |lane| at(lane)[0] as f32 + 1.0);
        set(&mut before, 3, |lane| at(lane)[1] as f32 + 1.0);
        let after = run(&card, &image("image_gather4_lz", one), &surface.setting(point), &before);
        for lane in 0..64usize {
            let [x, y] = at(lane as u32);
            let texel = |x: u32, y: u32| (x.min(15) + 16 * y.min(15)) as f32;
            let expected = [texel(x, y + 1), texel(x + 1, y + 1), texel(x + 1, y), texel(x, y)];
            assert_eq!([10, 11, 12, 13].map(|n| floats(&after, n)[lane]), expected, "lane {lane}");
        }
        // Less: the reference comes before the coordinates.
        let less = [point[0] | 1 << 12, point[1], point[2], 0];
        let mut before = state();
        set(&mut before, 2, |lane| (4 * lane) as f32);
        set(&mut before, 3, |lane| at(lane)[0] as f32 + 0.5);
        set(&mut before, 4, |lane| at(lane)[1] as f32 + 0.5);
        let after = run(&card, &image("image_sample_c_lz", one), &surface.setting(less), &before);
        let mut passed = 0;
        for lane in 0..64u32 {
            let [x, y] = at(lane);
            let expected = if 4 * lane < x + 16 * y { 1.0 } else { 0.0 };
            passed += expected as u32;
            assert_eq!(floats(&after, 10)[lane as usize], expected, "lane {lane}");
        }
        assert!((1..64).contains(&passed));
        // Halves as addresses: coordinates share a register; the texel comes back as a half, too.
        let mut before = state();
        let half = |n: u32| {
            // 4.5 to 15.5 as binary16: exact.
            let value = n as f32 + 0.5;
            let exponent = value.log2().floor() as u32;
            (exponent + 15) << 10 | ((value / (1u32 << exponent) as f32 - 1.0) * 1024.0) as u32
        };
        before.set(2, |lane| half(at(lane)[0]) | half(at(lane)[1]) << 16);
        let narrow = image("image_sample_lz", |m| {
            (m.flags, m.dmask) = (Flags::UNORM.with(Flags::A16).with(Flags::D16), 1);
        });
        let after = run(&card, &narrow, &surface.setting(point), &before);
        for lane in 0..64usize {
            let [x, y] = at(lane as u32);
            let found = after.v(10)[lane];
            let value = (1.0 + (found & 0x3ff) as f32 / 1024.0) * 2f32.powi((found >> 10) as i32 - 15);
            assert_eq!(value, (x + 16 * y) as f32, "lane {lane}");
        }
    });
}

#[test]
fn volumes_arrays_and_cubes_are_sampled() {
    on_each_engine(|| {
        let card = Card::new(1);
        let volume = Surface { mode: 20, ..Surface::new(D3, (FMT_32, FLOAT), [8, 8, 8]) };
        let value = |[x, y, z]: [u32; 3]| (x + 10 * y + 100 * z) as f32;
        volume.fill(&card, |_, at| value(at).to_bits());
        let linear = [LINEAR[0] | UNNORMALIZED, LINEAR[1], LINEAR[2], 0];
        let one = |m: &mut Modifiers| m.dmask = 1;
        let mut before = state();
        set(&mut before, 2, |lane| 1.5 + 0.125 * (lane % 8) as f32);
        set(&mut before, 3, |lane| 2.5 + 0.25 * (lane % 4) as f32);
        set(&mut before, 4, |lane| 3.5 + 0.5 * (lane % 3) as f32);
        let after = run(&card, &image("image_sample_lz", one), &volume.setting(linear), &before);
        for lane in 0..64usize {
            let [x, y, z] = [2, 3, 4].map(|n| floats(&before, n)[lane] - 0.5);
            assert_eq!(floats(&after, 10)[lane], x + 10.0 * y + 100.0 * z, "lane {lane}");
        }
        // The layer is rounded and clamped; without DA there is none.
        let layers = Surface { base_array: 1, ..Surface::new(D2_ARRAY, (FMT_32, FLOAT), [8, 8, 5]) };
        layers.fill(&card, |_, at| value(at).to_bits());
        set(&mut before, 4, |lane| (lane % 8) as f32 * 0.75 - 1.0);
        for array in [false, true] {
            let change = |m: &mut Modifiers| {
                m.dmask = 1;
                m.flags = if array { m.flags.with(Flags::DA) } else { m.flags };
            };
            let after = run(&card, &image("image_sample_lz", change), &layers.setting(linear), &before);
            for lane in 0..64usize {
                let [x, y] = [2, 3].map(|n| floats(&before, n)[lane] - 0.5);
                let layer = if array {
                    floats(&before, 4)[lane].round_ties_even().clamp(0.0, 3.0) + 1.0
                } else {
                    1.0
                };
                assert_eq!(floats(&after, 10)[lane], x + 10.0 * y + 100.0 * layer, "lane {lane}");
            }
        }
        // A cube's faces: coordinates from 1 to 2, then the face.
        let cube = Surface::new(CUBE, (FMT_32, FLOAT), [8, 8, 6]);
        cube.fill(&card, |_, at| value(at).to_bits());
        set(&mut before, 2, |lane| 1.0 + (0.5 + (lane % 8) as f32) / 8.0);
        set(&mut before, 3, |lane| 1.0 + (0.5 + (lane / 8) as f32) / 8.0);
        set(&mut before, 4, |lane| (lane % 6) as f32);
        let normalized = |m: &mut Modifiers| (m.flags, m.dmask) = (Flags::DA, 1);
        let after = run(&card, &image("image_sample_lz", normalized), &cube.setting(LINEAR), &before);
        for lane in 0..64u32 {
            assert_eq!(
                floats(&after, 10)[lane as usize],
                value([lane % 8, lane / 8, lane % 6]),
                "lane {lane}"
            );
        }
    });
}
