//! Byte operations, by hand.

/// Sums of absolute differences and other operations on bytes; `None` for other names.
pub fn operation(op: &str, s: [u128; 3], clamp: bool) -> Option<u128> {
    let byte = |x: u128, n: u32| (x >> (8 * n)) as u8;
    // The sum of n-bit elements that differ, after a filter on the second one.
    let sad = |a: u128, b: u128, masked: bool| -> u128 {
        (0..4)
            .filter(|n| !masked || byte(b, *n) != 0)
            .map(|n| u128::from(byte(a, n).max(byte(b, n)) - byte(a, n).min(byte(b, n))))
            .sum()
    };
    let fit = |x: u128, bits: u32| {
        let most = (1u128 << bits) - 1;
        if clamp { x.min(most) } else { x & most }
    };
    let [a, b, c] = s;
    let low = |x: u128| x & 0xffff_ffff;
    let four = |bits: u32, masked: bool| {
        (0..4).fold(0, |all, n| {
            let addend = c >> (bits * n) & ((1 << bits) - 1);
            all | fit(sad(a >> (8 * n), b, masked) + addend, bits) << (bits * n)
        })
    };
    Some(match op {
        "sad_u8" | "msad_u8" => fit(sad(a, b, op == "msad_u8") + low(c), 32),
        "sad_hi_u8" => fit((sad(a, b, false) << 16) + low(c), 32),
        "sad_u16" => {
            let half = |x: u128, n: u32| x >> (16 * n) & 0xffff;
            let sum: u128 = (0..2).map(|n| half(a, n).abs_diff(half(b, n))).sum();
            fit(sum + low(c), 32)
        }
        "sad_u32" => fit(low(a).abs_diff(low(b)) + low(c), 32),
        "qsad_pk_u16_u8" => four(16, false),
        "mqsad_pk_u16_u8" => four(16, true),
        "mqsad_u32_u8" => four(32, true),
        "lerp_u8" => (0..4).fold(0, |all, n| {
            let sum = u128::from(byte(a, n)) + u128::from(byte(b, n)) + u128::from(byte(c, n) & 1);
            all | (sum / 2) << (8 * n)
        }),
        "alignbit_b32" => low((low(a) << 32 | low(b)) >> (c & 31)),
        "alignbyte_b32" => low((low(a) << 32 | low(b)) >> (8 * (c & 3))),
        "perm_b32" => {
            let both = low(a) << 32 | low(b);
            (0..4).fold(0, |all, n| {
                let picked = match byte(c, n) {
                    selector @ 0..=7 => byte(both, selector.into()),
                    // The sign of an odd byte.
                    selector @ 8..=11 => 0u8.wrapping_sub(byte(both, u32::from(selector - 8) * 2 + 1) >> 7),
                    12 => 0,
                    _ => 255,
                };
                all | u128::from(picked) << (8 * n)
            })
        }
        "sat_pk_u8_i16" => {
            let saturated = |n: u32| ((a >> (16 * n)) as u16 as i16).clamp(0, 255) as u128;
            saturated(0) | saturated(1) << 8
        }
        _ => return None,
    })
}
