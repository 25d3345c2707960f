//! DS instructions (Vega ISA, "LDS & GDS Instructions").

use rustc_apfloat::Round;
use vega_isa::{Field, Flags, Inst, Operand, sgpr};

use super::exchange;
use super::float::{self, Fmt, Fp};
use super::memory::{Place, atomic};
use super::wave::{Unknown, Wave};

fn vgpr(inst: &Inst, wanted: Field) -> Option<u8> {
    inst.iter().find_map(|(slot, operand)| match operand {
        Operand::Vgpr(n) if slot.field == wanted => Some(n),
        _ => None,
    })
}

/// Bytes, from a type's suffix.
fn bytes(suffix: &str) -> Option<u8> {
    Some(match suffix {
        "b8" | "u8" | "i8" => 1,
        "b16" | "u16" | "i16" => 2,
        "b32" | "u32" | "i32" | "f32" => 4,
        "b64" | "u64" | "i64" | "f64" => 8,
        "b96" => 12,
        "b128" => 16,
        _ => return None,
    })
}

pub fn step(wave: &mut Wave, inst: &Inst) -> Result<(), Unknown> {
    let name = inst.row.mnemonic.strip_prefix("ds_").ok_or(Unknown)?;
    if inst.modifiers.flags.has(Flags::GDS) {
        return Err(Unknown);
    }
    match name {
        "nop" => return Ok(()),
        "swizzle_b32" | "permute_b32" | "bpermute_b32" => return exchange::data_share(wave, inst),
        "append" | "consume" => return count(wave, inst, name == "append"),
        _ => {}
    }
    let at = |field: Field| vgpr(inst, field);
    let (data0, data1, dst) = (at(Field::Data0), at(Field::Data1), at(Field::Dst));
    let address = at(Field::Addr).map(|n| wave.v[usize::from(n)]);
    let m0 = wave.s[usize::from(sgpr::M0)] & 0xffff;
    // Of two stores, all lanes' first one comes first.
    let passes = if name.starts_with("write2") { 2 } else { 1 };
    for pass in 0..passes {
        for lane in wave.active_lanes() {
            let base = match address {
                Some(address) => u64::from(address[lane]),
                None => u64::from(m0) + 4 * lane as u64,
            };
            lane_step(wave, inst, name, lane, base, (data0, data1, dst), pass)?;
        }
    }
    Ok(())
}

/// `ds_append` and `ds_consume`: one counter at M0's base, once for the wave.
fn count(wave: &mut Wave, inst: &Inst, up: bool) -> Result<(), Unknown> {
    let at = u64::from(wave.s[usize::from(sgpr::M0)] & 0xffff) + inst.modifiers.offset as u64;
    let dst = vgpr(inst, Field::Dst).ok_or(Unknown)?;
    let old = wave.read(4, |k| Place::Lds(at + k))?;
    let lanes = u128::from(wave.exec().count_ones());
    let new = if up { old + lanes } else { old.wrapping_sub(lanes) };
    wave.write(4, |k| Place::Lds(at + k), new)?;
    for lane in wave.active_lanes() {
        wave.set_vgprs(dst, 1, lane, old);
    }
    Ok(())
}

type Registers = (Option<u8>, Option<u8>, Option<u8>);

fn lane_step(
    wave: &mut Wave,
    inst: &Inst,
    name: &str,
    lane: usize,
    base: u64,
    (data0, data1, dst): Registers,
    pass: usize,
) -> Result<(), Unknown> {
    let m = &inst.modifiers;
    // Addresses have 32 bits.
    let at = |offset: u64| u64::from((base as u32).wrapping_add(offset as u32));
    let one = at(m.offset as u64);
    let (verb, rest) = name.split_once('_').ok_or(Unknown)?;
    let data = |wave: &Wave, n: Option<u8>, bytes: u8| {
        n.map(|n| wave.vgprs(n, bytes.div_ceil(4), lane)).ok_or(Unknown)
    };
    match verb {
        "read" | "write" if !rest.starts_with("src2") => {
            let rest = rest.strip_prefix("addtid_").unwrap_or(rest);
            let (ty, half) = match (rest.strip_suffix("_d16_hi"), rest.strip_suffix("_d16")) {
                (Some(ty), _) => (ty, Some(16)),
                (_, Some(ty)) => (ty, Some(0)),
                _ => (rest, None),
            };
            let bytes = bytes(ty).ok_or(Unknown)?;
            if verb == "write" {
                let value = data(wave, data0, bytes)? >> half.unwrap_or(0);
                return wave.write(bytes, |k| Place::Lds(one + k), value);
            }
            let dst = dst.ok_or(Unknown)?;
            let mut value = wave.read(bytes, |k| Place::Lds(one + k))?;
            if ty.starts_with('i') {
                value = super::vector::number(value, 8 * u32::from(bytes), true) as u32 as u128;
            }
            if let Some(shift) = half {
                value = wave.vgprs(dst, 1, lane) & 0xffff << (16 - shift) | (value & 0xffff) << shift;
            }
            wave.set_vgprs(dst, bytes.div_ceil(4), lane, value);
            Ok(())
        }
        "read2" | "write2" | "read2st64" | "write2st64" | "wrxchg2" | "wrxchg2st64" => {
            let bytes = bytes(rest.trim_start_matches("rtn_")).ok_or(Unknown)?;
            let step = u64::from(bytes) * if verb.ends_with("st64") { 64 } else { 1 };
            let places = [m.offset0, m.offset1].map(|offset| at(u64::from(offset) * step));
            let all: Vec<_> = places.into_iter().zip([data0, data1]).collect();
            let mut old = 0;
            // One after the other, which shows where both are the same.
            let count = if verb.starts_with("write") { 1 } else { 2 };
            for (n, (at, from)) in all.into_iter().skip(pass).take(count).enumerate() {
                old |= wave.read(bytes, |k| Place::Lds(at + k))? << (8 * usize::from(bytes) * n);
                if !verb.starts_with("read") {
                    let value = data(wave, from, bytes)?;
                    wave.write(bytes, |k| Place::Lds(at + k), value)?;
                }
            }
            if !verb.starts_with("write") {
                wave.set_vgprs(dst.ok_or(Unknown)?, bytes / 2, lane, old);
            }
            Ok(())
        }
        "condxchg32" => {
            let d = data(wave, data0, 8)?;
            let mut old = 0;
            for k in 0..2 {
                let at = (one & !7) + 4 * k;
                let word = d >> (32 * k) & 0xffff_ffff;
                old |= wave.read(4, |byte| Place::Lds(at + byte))? << (32 * k);
                if word >> 31 == 1 {
                    wave.write(4, |byte| Place::Lds(at + byte), word & 0x7fff_ffff)?;
                }
            }
            wave.set_vgprs(dst.ok_or(Unknown)?, 2, lane, old);
            Ok(())
        }
        _ if rest.starts_with("src2_") => {
            let ty = &rest[5..];
            let bytes = bytes(ty).ok_or(Unknown)?;
            let (offset0, offset1) = (m.offset as u64 & 0xff, m.offset as u64 >> 8);
            // The distance in dwords: from the instruction, or from the address itself.
            let distance = if offset1 >> 7 == 1 {
                base as i32 >> 17
            } else {
                ((offset1 << 9 | offset0 << 1) as u16 as i16 >> 1).into()
            };
            let other = u64::from((base as u32).wrapping_add_signed(4 * distance));
            let operand = wave.read(bytes, |k| Place::Lds(other + k))?;
            let old = wave.read(bytes, |k| Place::Lds(base + k))?;
            let new = if verb == "write" { operand } else { changed(verb, ty, bytes, old, operand, 0)? };
            wave.write(bytes, |k| Place::Lds(base + k), new)
        }
        _ => {
            let ty = rest.trim_start_matches("rtn_");
            let bytes = bytes(ty).ok_or(Unknown)?;
            let d = data(wave, data0, bytes)?;
            let second = if data1.is_some() { data(wave, data1, bytes)? } else { 0 };
            let old = wave.read(bytes, |k| Place::Lds(one + k))?;
            wave.write(bytes, |k| Place::Lds(one + k), changed(verb, ty, bytes, old, d, second)?)?;
            if rest.starts_with("rtn_") {
                wave.set_vgprs(dst.ok_or(Unknown)?, bytes / 4, lane, old);
            }
            Ok(())
        }
    }
}

/// The new value of an LDS operation.
fn changed(verb: &str, ty: &str, bytes: u8, m: u128, d: u128, second: u128) -> Result<u128, Unknown> {
    let bits = 8 * u32::from(bytes);
    let mask = (1u128 << bits) - 1;
    if let Some(f) = Fmt::of(ty) {
        let rules =
            Fp { round: Round::NearestTiesToEven, inputs: true, outputs: true, ieee: true, dx10: true };
        let order = float::compare(f, d as u64, m as u64);
        return Ok(match verb {
            "min" if order == Some(std::cmp::Ordering::Less) => d,
            "max" if order == Some(std::cmp::Ordering::Greater) => d,
            "min" | "max" => m,
            "add" => float::add(f, m as u64, d as u64, rules).into(),
            "cmpst" if order == Some(std::cmp::Ordering::Equal) => second,
            "cmpst" => m,
            _ => return Err(Unknown),
        });
    }
    let op = match (verb, ty.as_bytes()[0]) {
        ("min", b'i') => "smin",
        ("max", b'i') => "smax",
        ("min", _) => "umin",
        ("max", _) => "umax",
        ("wrxchg", _) => "swap",
        // The value to compare comes first.
        ("cmpst", _) => return Ok(if m == d { second } else { m }),
        ("mskor", _) => return Ok(m & !d | second),
        ("wrap", _) => return Ok(if m >= d { m - d } else { m + second } & mask),
        (other, _) => other,
    };
    atomic(op, bytes, m, d, second).ok_or(Unknown)
}
