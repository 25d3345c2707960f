//! Texel addresses of every swizzle mode, with and without mip chains, against AMD's address library: `addresses.tsv` holds
//! what it computed for random surfaces and coordinates.

use vega_exec::image::descriptor::Select;
use vega_exec::image::layout::Level;
use vega_exec::image::{Image, ImageType};

const TABLE: &str = include_str!("addresses.tsv");

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).expect("a number"),
        None => text.parse().expect("a number"),
    }
}

#[test]
fn every_swizzle_mode_has_its_texels_where_the_card_has_them() {
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<u64> = line.split('\t').map(number).collect();
        let [mode, texel, dimensions, width, height, depth, levels, pitch, level, x, y, z, address] =
            columns[..]
        else {
            panic!("13 columns: {line}")
        };
        let kind = if dimensions == 3 { ImageType::D3 } else { ImageType::D2Array };
        let image = Image {
            base: 0,
            format: None,
            width: width as u32,
            height: height as u32,
            depth: depth as u32,
            base_array: 0,
            pitch: pitch as u32,
            kind,
            swizzle_mode: mode as u32,
            levels: (0, levels as u32 - 1),
            max_levels: levels as u32,
            min_lod: 0.0,
            select: [Select::Zero; 4],
        };
        let found = Level::new(&image, level as u32, 1 << texel)
            .and_then(|level| level.address([x as u32, y as u32, z as u32]));
        if found != Some(address) {
            wrong.push(format!("{line}: {found:#x?}"));
        }
        lines += 1;
    }
    assert!(wrong.is_empty(), "{} of {lines}:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert_eq!(lines, 728);
}
