//! MIMG: loads, stores, atomic operations.

use vega_isa::{Flags, Modifiers, Table};

use crate::bench::{MEMORY, Setting, run};
use crate::common::{Card, on_each_engine};
use crate::surface::{
    D1, D1_ARRAY, D2, D2_ARRAY, D3, FMT_8_8_8_8, FMT_32, FMT_32_32, Surface, UINT, image, state,
};

#[test]
fn texels_go_where_the_layout_says() {
    on_each_engine(|| {
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
                    assert_eq!(
                        [10, 11, 12, 13].map(|n| after.v(n)[lane]),
                        expected,
                        "kind {kind}, mode {mode}"
                    );
                }
            }
        }
    });
}

#[test]
fn masks_selections_and_halves_choose_components() {
    on_each_engine(|| {
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
    });
}

#[test]
fn outside_an_image_loads_are_zero_and_stores_nothing() {
    on_each_engine(|| {
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
    });
}

#[test]
fn levels_are_addressed_and_described() {
    on_each_engine(|| {
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
    });
}

#[test]
fn image_atomics_change_texels_in_lane_order() {
    on_each_engine(|| {
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
    });
}
