//! MIMG: loads, stores, samples, atomic operations.

use vega_exec::image::Image;
use vega_exec::image::layout::Level;
use vega_isa::{Field, Flags, Inst, Modifiers, Operand, Table};

use crate::bench::{MEMORY, Setting, State, inst, run};
use crate::common::Card;

const D1: u32 = 8;
const D2: u32 = 9;
const D3: u32 = 10;
const CUBE: u32 = 11;
const D1_ARRAY: u32 = 12;
const D2_ARRAY: u32 = 13;

const FMT_32: u32 = 4;
const FMT_8_8_8_8: u32 = 10;
const FMT_32_32: u32 = 11;
const UINT: u32 = 4;
const FLOAT: u32 = 7;

const XYZW: u32 = 4 | 5 << 3 | 6 << 6 | 7 << 9;

/// An image descriptor in the making.
#[derive(Clone, Copy)]
struct Surface {
    kind: u32,
    format: (u32, u32),
    size: [u32; 3],
    mode: u32,
    pitch: u32,
    base_array: u32,
    /// Base, last and greatest level.
    levels: [u32; 3],
    select: u32,
}

impl Surface {
    fn new(kind: u32, format: (u32, u32), size: [u32; 3]) -> Self {
        let pitch = size[0].next_multiple_of(64);
        Self { kind, format, size, mode: 0, pitch, base_array: 0, levels: [0; 3], select: XYZW }
    }

    fn words(&self) -> [u32; 8] {
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

    fn setting(&self, sampler: [u32; 4]) -> Setting {
        Setting { descriptor: self.words(), sampler, m0: 0 }
    }

    /// Where a texel is; `tests/image` compares these with AMD's address library.
    fn address(&self, level: u32, at: [u32; 3], texel: u32) -> u64 {
        let image = Image::new(&self.words()).expect("an image");
        Level::new(&image, level, texel).and_then(|level| level.address(at)).expect("a texel")
    }

    /// Stores a dword for each texel of each level.
    fn fill(&self, card: &Card, value: impl Fn(u32, [u32; 3]) -> u32) {
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
fn image(name: &str, change: impl Fn(&mut Modifiers)) -> Inst {
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

fn state() -> State {
    State::new(|lane, n| (0x1000 * n + lane) as u32)
}

fn set(state: &mut State, n: usize, value: impl Fn(u32) -> f32) {
    state.set(n, |lane| value(lane).to_bits());
}

fn floats(state: &State, n: usize) -> [f32; 64] {
    state.v(n).map(f32::from_bits)
}

#[test]
fn texels_go_where_the_layout_says() {
    let card = Card::new(1);
    let shapes = [
        (D1, [60, 1, 1], vec![0]),
        (D2, [37, 21, 1], vec![0, 5, 9, 20, 22, 26]),
        (D3, [9, 10, 11], vec![0, 5, 9, 20, 22, 24]),
        (D1_ARRAY, [60, 1, 5], vec![0]),
        (D2_ARRAY, [20, 19, 4], vec![0, 4, 22, 26]),
    ];
    for (kind, size, modes) in shapes {
        for mode in modes {
            let surface = Surface { mode, ..Surface::new(kind, (FMT_8_8_8_8, UINT), size) };
            let array = |m: &mut Modifiers| {
                if kind == D1_ARRAY || kind == D2_ARRAY {
                    m.flags = m.flags.with(Flags::DA);
                }
            };
            let dimensions = if kind == D1 || kind == D1_ARRAY {
                1
            } else if kind == D3 {
                3
            } else {
                2
            };
            let mut before = state();
            before.exec = 0x0fff_ffff_ffff_fffe;
            let at = |lane: u32| [lane * 7 % size[0], lane * 5 % size[1], lane * 3 % size[2]];
            // One coordinate after the other; the layer comes last.
            for n in 0..dimensions {
                before.set(2 + n, |lane| at(lane)[n]);
            }
            before.set(2 + dimensions, |lane| at(lane)[2]);
            for n in 10..14 {
                before.set(n, |lane| (lane + 50 * (n as u32 - 10)) & 0xff);
            }
            surface.fill(&card, |_, _| 0xdead_beef);
            let setting = surface.setting([0; 4]);
            run(&card, &image("image_store", array), &setting, &before);
            let mut loading = before.clone();
            for n in 10..14 {
                loading.set(n, |_| 1);
            }
            let after = run(&card, &image("image_load", array), &setting, &loading);
            let mut texels = std::collections::BTreeMap::new();
            for lane in (0..64).filter(|lane| before.active(*lane)) {
                let texel = (0..4).fold(0, |sum, n| sum | before.v(10 + n)[lane] << (8 * n));
                texels.insert(at(lane as u32), texel);
            }
            for lane in 0..64 {
                let place = at(lane as u32);
                let found = card.read(surface.address(0, place, 4), 1)[0];
                let texel = texels.get(&place).copied().unwrap_or(0xdead_beef);
                assert_eq!(found, texel, "kind {kind}, mode {mode}, {place:?}");
                let components = [0, 8, 16, 24].map(|shift| texel >> shift & 0xff);
                let expected = if before.active(lane) { components } else { [1; 4] };
                assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[lane]), expected, "kind {kind}, mode {mode}");
            }
        }
    }
}

#[test]
fn masks_selections_and_halves_choose_components() {
    let card = Card::new(1);
    let surface = Surface::new(D2, (FMT_8_8_8_8, UINT), [8, 8, 1]);
    surface.fill(&card, |_, [x, y, _]| 0x0403_0200 + x + (y << 4));
    let mut before = state();
    before.set(2, |lane| lane % 8);
    before.set(3, |lane| lane / 8);
    let texel = |lane: u32| [lane % 8 + lane / 8 * 16, 2, 3, 4];
    for dmask in 1..16u8 {
        let load = image("image_load", |m| m.dmask = dmask);
        let after = run(&card, &load, &surface.setting([0; 4]), &before);
        let mut expected = before.clone();
        for (to, from) in (0..4).filter(|n| dmask >> n & 1 == 1).enumerate() {
            expected.set(10 + to, |lane| texel(lane)[from]);
        }
        assert_eq!(after.lanes, expected.lanes, "dmask {dmask}");
        // Halves, two in a register; an odd count leaves a zero. TFE's register comes behind them.
        let load = image("image_load", |m| {
            m.dmask = dmask;
            m.flags = m.flags.with(Flags::D16).with(Flags::TFE);
        });
        let after = run(&card, &load, &surface.setting([0; 4]), &before);
        let chosen: Vec<usize> = (0..4).filter(|n| dmask >> n & 1 == 1).collect();
        let mut expected = before.clone();
        for (to, pair) in chosen.chunks(2).enumerate() {
            expected.set(10 + to, |lane| {
                texel(lane)[pair[0]] | pair.get(1).map_or(0, |high| texel(lane)[*high] << 16)
            });
        }
        expected.set(10 + chosen.len().div_ceil(2), |_| 0);
        assert_eq!(after.lanes, expected.lanes, "d16, dmask {dmask}");
    }
    // z, 1, 0, x for loads; stores turn the selection around.
    let swapped = Surface { select: 6 | 1 << 3 | 4 << 9, ..surface };
    let after = run(&card, &image("image_load", |_| ()), &swapped.setting([0; 4]), &before);
    for lane in 0..64 {
        let texel = texel(lane as u32);
        assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[lane]), [texel[2], 1, 0, texel[0]]);
    }
    for n in 10..14 {
        before.set(n, |_| n as u32);
    }
    run(&card, &image("image_store", |_| ()), &swapped.setting([0; 4]), &before);
    assert_eq!(card.read(swapped.address(0, [3, 3, 0], 4), 1), [13 | 10 << 16]);
    // What dmask leaves out is stored as zero.
    run(&card, &image("image_store", |m| m.dmask = 0b0101), &surface.setting([0; 4]), &before);
    assert_eq!(card.read(surface.address(0, [3, 3, 0], 4), 1), [10 | 11 << 16]);
    // Raw data, with sign where it is short.
    let bytes = Surface::new(D2, (1, UINT), [64, 1, 1]);
    card.write(MEMORY, &[0x8001_7ff0; 16]);
    before.set(2, |lane| lane);
    before.set(3, |_| 0);
    let load = image("image_load_pck_sgn", |m| m.dmask = 1);
    let after = run(&card, &load, &bytes.setting([0; 4]), &before);
    let signed = [0xf0u8, 0x7f, 0x01, 0x80].map(|byte| byte as i8 as u32);
    assert_eq!(after.v(10), std::array::from_fn(|lane| signed[lane % 4]));
}

#[test]
fn outside_an_image_loads_are_zero_and_stores_nothing() {
    let card = Card::new(1);
    let surface = Surface { base_array: 1, ..Surface::new(D2_ARRAY, (FMT_32, UINT), [8, 4, 3]) };
    let array = |m: &mut Modifiers| (m.flags, m.dmask) = (m.flags.with(Flags::DA), 1);
    surface.fill(&card, |_, [x, y, z]| 1 + x + 10 * y + 100 * z);
    let mut before = state();
    before.set(2, |lane| (lane % 16).wrapping_sub(4));
    before.set(3, |lane| lane / 16 * 2);
    before.set(4, |lane| lane % 4);
    let inside = |lane: u32| {
        let [x, y, z] = [(lane % 16).wrapping_sub(4), lane / 16 * 2, lane % 4];
        (x < 8 && y < 4 && z < 2).then_some([x, y, z + 1])
    };
    let setting = surface.setting([0; 4]);
    let after = run(&card, &image("image_load", array), &setting, &before);
    for lane in 0..64 {
        let expected = inside(lane as u32).map_or(0, |[x, y, z]| 1 + x + 10 * y + 100 * z);
        assert_eq!(after.v(10)[lane], expected, "lane {lane}");
    }
    run(&card, &image("image_store", array), &setting, &before);
    let mut stored = 0;
    for z in 0..3 {
        for y in 0..4 {
            for x in 0..8 {
                let hit = (0..64).rev().find(|lane| inside(*lane) == Some([x, y, z]));
                let expected = hit.map_or(1 + x + 10 * y + 100 * z, |lane| 0xa000 + lane);
                assert_eq!(card.read(surface.address(0, [x, y, z], 4), 1), [expected], "{x} {y} {z}");
                stored += u32::from(hit.is_some());
            }
        }
    }
    assert!(stored > 4);
    // A null descriptor.
    let after = run(&card, &image("image_load", array), &Setting::default(), &before);
    assert_eq!(after.v(10), [0; 64]);
    run(&card, &image("image_store", array), &Setting::default(), &before);
}

#[test]
fn levels_are_addressed_and_described() {
    let card = Card::new(1);
    for (kind, mode) in [(D2, 0), (D2, 22), (D2, 26), (D3, 20)] {
        let depth = if kind == D3 { 16 } else { 1 };
        let surface =
            Surface { mode, levels: [1, 4, 5], ..Surface::new(kind, (FMT_32, UINT), [40, 20, depth]) };
        surface.fill(&card, |level, [x, y, z]| level << 24 | z << 16 | y << 8 | x);
        let setting = surface.setting([0; 4]);
        let mut before = state();
        before.set(2, |lane| lane % 3);
        before.set(3, |lane| lane % 2);
        before.set(if kind == D3 { 5 } else { 4 }, |lane| lane % 5);
        if kind == D3 {
            before.set(4, |_| 0);
        }
        let after = run(&card, &image("image_load_mip", |m| m.dmask = 1), &setting, &before);
        for lane in 0..64u32 {
            // The view's levels are 1 to 4 of the surface.
            let (x, y, level) = (lane % 3, lane % 2, 1 + lane % 5);
            let inside = level <= 4 && x < (40 >> level) && y < (20 >> level).max(1);
            let expected = if inside { level << 24 | y << 8 | x } else { 0 };
            assert_eq!(after.v(10)[lane as usize], expected, "mode {mode} lane {lane}");
        }
        run(&card, &image("image_store_mip", |m| m.dmask = 1), &setting, &before);
        assert_eq!(card.read(surface.address(2, [1, 1, 0], 4), 1), [0xa000 + 61], "mode {mode}");
        before.set(2, |lane| lane % 5);
        let after = run(&card, &image("image_get_resinfo", |_| ()), &setting, &before);
        for lane in 0..64u32 {
            let level = lane % 5;
            let size = [40, 20, depth].map(|n| (n >> (level + 1)).max(1));
            let expected = if level < 4 { [size[0], size[1], size[2], 4] } else { [0, 0, 0, 4] };
            assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[lane as usize]), expected, "level {level}");
        }
    }
    let layers = Surface { base_array: 2, ..Surface::new(D2_ARRAY, (FMT_32, UINT), [7, 6, 5]) };
    let mut before = state();
    before.set(2, |_| 0);
    let after = run(&card, &image("image_get_resinfo", |_| ()), &layers.setting([0; 4]), &before);
    assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[0]), [7, 6, 3, 1]);
}

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
        ("image_sample_l", vec![], Some(|lane| (lane % 9) as f32 * 0.25), |lane| (lane % 9) as f32 * 0.25),
        ("image_sample_d", vec![|_| 4.0 / 64.0, |_| 0.0, |_| 0.0, |_| 1.0 / 32.0], None, |_| 2.0),
        ("image_sample_d", vec![|_| 1.0 / 64.0, |_| 0.0, |_| 0.0, |_| 2.0 / 32.0], None, |_| 1.0),
        ("image_sample_d_cl", vec![|_| 1.0 / 64.0, |_| 0.0, |_| 0.0, |_| 2.0 / 32.0], Some(|_| 1.5), |_| 1.5),
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
}

#[test]
fn offsets_gathers_and_comparisons() {
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
}

#[test]
fn volumes_arrays_and_cubes_are_sampled() {
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
            let layer =
                if array { floats(&before, 4)[lane].round_ties_even().clamp(0.0, 3.0) + 1.0 } else { 1.0 };
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
        assert_eq!(floats(&after, 10)[lane as usize], value([lane % 8, lane / 8, lane % 6]), "lane {lane}");
    }
}

#[test]
fn image_atomics_change_texels_in_lane_order() {
    let card = Card::new(1);
    let mut checked = 0;
    for row in Table::gfx900().rows() {
        let Some(op) = row.mnemonic.strip_prefix("image_atomic_") else { continue };
        for wide in [false, true] {
            let format = if wide { FMT_32_32 } else { FMT_32 };
            let surface = Surface { mode: 22, ..Surface::new(D2, (format, UINT), [4, 4, 1]) };
            let texel = if wide { 8 } else { 4 };
            let initial = |n: u32| 40 + n;
            for n in 0..16 {
                let at = surface.address(0, [n % 4, n / 4, 0], texel);
                card.write(at, &[initial(n), 0][..texel as usize / 4]);
            }
            let mut before = state();
            // Each texel gets four lanes; a fifth column is outside.
            before.set(2, |lane| lane % 5);
            before.set(3, |lane| lane / 5 % 4);
            // Differences stay positive, so that 64 bits are no different.
            let data = |lane: u32| if op == "sub" { 1 + lane % 3 } else { 35 + lane % 13 };
            let compare = if wide { 2 } else { 1 };
            before.set(10, data);
            if wide {
                before.set(11, |_| 0);
                before.set(13, |_| 0);
            }
            before.set(10 + compare, |lane| initial(lane % 5 + 4 * (lane / 5 % 4)));
            let dmask = match (op, wide) {
                ("cmpswap", true) => 15,
                ("cmpswap", false) | (_, true) => 3,
                _ => 1,
            };
            let change = |m: &mut Modifiers| (m.dmask, m.flags) = (dmask, Flags::GLC.with(Flags::UNORM));
            let after = run(&card, &image(row.mnemonic, change), &surface.setting([0; 4]), &before);
            let mut memory: Vec<u32> = (0..16).map(initial).collect();
            for lane in 0..64u32 {
                let place = (lane % 5 < 4).then(|| (lane % 5 + 4 * (lane / 5 % 4)) as usize);
                let old = place.map_or(0, |place| memory[place]);
                let d = data(lane);
                if let Some(place) = place {
                    memory[place] = match op {
                        "swap" => d,
                        "cmpswap" => {
                            if old == initial(place as u32) {
                                d
                            } else {
                                old
                            }
                        }
                        "add" => old.wrapping_add(d),
                        "sub" => old.wrapping_sub(d),
                        "smin" | "umin" => old.min(d),
                        "smax" | "umax" => old.max(d),
                        "and" => old & d,
                        "or" => old | d,
                        "xor" => old ^ d,
                        "inc" => {
                            if old >= d {
                                0
                            } else {
                                old + 1
                            }
                        }
                        "dec" => {
                            if old == 0 || old > d {
                                d
                            } else {
                                old - 1
                            }
                        }
                        other => panic!("{other}"),
                    };
                }
                assert_eq!(after.v(10)[lane as usize], old, "{op} lane {lane}, wide {wide}");
            }
            for (n, expected) in (0..).zip(memory) {
                let found = card.read(surface.address(0, [n % 4, n / 4, 0], texel), 1)[0];
                assert_eq!(found, expected, "{op} texel {n}, wide {wide}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 26);
}
