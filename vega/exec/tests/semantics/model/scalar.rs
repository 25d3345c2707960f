//! Scalar arithmetic: what the manual's pseudocode says (Vega ISA, SOP1, SOP2, SOPK, SOPC), in wide integers.

use vega_isa::{Encoding, Row};

/// Sources, SCC, the old destination and EXEC before an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sources {
    pub a: u64,
    pub b: u64,
    pub scc: bool,
    pub old: u64,
    pub exec: u64,
    /// The immediate of SOPK.
    pub imm: i16,
}

/// What an instruction leaves: destination, SCC, EXEC.
pub type Result = (u64, bool, u64);

fn bits(name: &str) -> u32 {
    if name.contains("64") { 64 } else { 32 }
}

/// Extends the low bits as a signed or an unsigned number.
fn number(value: u64, bits: u32, signed: bool) -> i128 {
    let value = if bits == 32 { value & 0xffff_ffff } else { value };
    match (bits, signed) {
        (32, true) => i128::from(value as i32),
        (_, true) => i128::from(value as i64),
        _ => i128::from(value),
    }
}

/// The bit field of `s_bfe` by counting bits one at a time.
fn field(value: u64, bits: u32, offset: u32, width: u32, signed: bool) -> u64 {
    let bit = |at: u32| {
        if at < bits {
            value >> at & 1
        } else if signed {
            value >> (bits - 1) & 1
        } else {
            0
        }
    };
    let width = width.min(bits);
    let mut r = 0u64;
    for at in 0..bits {
        let from = if at < width {
            bit(offset + at)
        } else if signed && width > 0 {
            bit(offset + width - 1)
        } else {
            0
        };
        r |= from << at;
    }
    r
}

fn logic(name: &str, a: u64, b: u64) -> Option<u64> {
    Some(match name {
        "and" => a & b,
        "or" => a | b,
        "xor" => a ^ b,
        "andn2" => a & !b,
        "orn2" => a | !b,
        "andn1" => !a & b,
        "orn1" => !a | b,
        "nand" => !(a & b),
        "nor" => !(a | b),
        "xnor" => !(a ^ b),
        _ => return None,
    })
}

/// The model: what the manual's pseudocode says, in wide integers.
pub fn model(row: &Row, s: Sources) -> Option<Result> {
    let name = row.mnemonic.strip_prefix("s_")?;
    let width = bits(name);
    let signed = name.contains("_i32") || name.contains("_i64");
    let ones = if width == 64 { u64::MAX } else { 0xffff_ffff };
    let (a, b) = (s.a & ones, s.b & ones);
    let (x, y) = (number(a, width, signed), number(b, width, signed));
    let cut = |value: i128| value as u64 & ones;
    // Whether a 32-bit sum left the type's range.
    let range = |value: i128| if signed { value != i128::from(value as i32) } else { value >> 32 & 1 != 0 };
    let keep = |r: u64| Some((r & ones, s.scc, s.exec));
    let nonzero = |r: u64| Some((r & ones, r & ones != 0, s.exec));
    let stem = name.split('_').next()?;
    if row.encoding == Encoding::Sopk {
        let imm = i128::from(s.imm);
        let old = number(s.old, 32, true);
        // s_cmpk compares the register in the destination's place.
        let unsigned = i128::from(s.imm as u16);
        let (left, right) =
            if name.ends_with("_u32") { (i128::from(s.old as u32), unsigned) } else { (old, imm) };
        let compared = |scc: bool| Some((s.old, scc, s.exec));
        return match name {
            "movk_i32" => Some((cut(imm), s.scc, s.exec)),
            "cmovk_i32" => Some((if s.scc { cut(imm) } else { s.old & ones }, s.scc, s.exec)),
            "addk_i32" => Some((cut(old + imm), range(old + imm), s.exec)),
            "mulk_i32" => Some((cut(old * imm), s.scc, s.exec)),
            _ => match name.split('_').nth(1)? {
                "eq" => compared(left == right),
                "lg" => compared(left != right),
                "gt" => compared(left > right),
                "ge" => compared(left >= right),
                "lt" => compared(left < right),
                "le" => compared(left <= right),
                _ => None,
            },
        };
    }
    if row.encoding == Encoding::Sopc {
        let compared = |scc: bool| Some((s.old, scc, s.exec));
        return match name {
            "bitcmp0_b32" | "bitcmp0_b64" => compared(a >> (s.b as u32 & (width - 1)) & 1 == 0),
            "bitcmp1_b32" | "bitcmp1_b64" => compared(a >> (s.b as u32 & (width - 1)) & 1 == 1),
            _ => match name.strip_prefix("cmp_")?.split('_').next()? {
                "eq" => compared(x == y),
                "lg" => compared(x != y),
                "gt" => compared(x > y),
                "ge" => compared(x >= y),
                "lt" => compared(x < y),
                "le" => compared(x <= y),
                _ => None,
            },
        };
    }
    if let Some(op) = name.strip_suffix("_saveexec_b64") {
        let exec = logic(op, s.a, s.exec)?;
        return Some((s.exec, exec != 0, exec));
    }
    if let Some(op) = name.strip_suffix("_wrexec_b64") {
        let exec = logic(op, s.a, s.exec)?;
        return Some((exec, exec != 0, exec));
    }
    let shift = s.b as u32 & (width - 1);
    let groups = |f: &dyn Fn(u64, u32) -> u64| (0..width / 4).fold(0, |r, g| r | f(a >> (4 * g) & 15, g));
    let first = |wanted: u64| (0..width).find(|at| a >> at & 1 == wanted).map_or(u64::MAX, u64::from);
    let from_top = |wanted: u64| (0..width).find(|at| a >> (width - 1 - at) & 1 == wanted);
    let dword = |r: u64| Some((r & 0xffff_ffff, s.scc, s.exec));
    match name {
        "add_u32" | "add_i32" => Some((cut(x + y), range(x + y), s.exec)),
        "sub_u32" | "sub_i32" => Some((cut(x - y), range(x - y), s.exec)),
        "addc_u32" => Some((cut(x + y + i128::from(s.scc)), range(x + y + i128::from(s.scc)), s.exec)),
        "subb_u32" => Some((cut(x - y - i128::from(s.scc)), range(x - y - i128::from(s.scc)), s.exec)),
        "min_i32" | "min_u32" => Some((cut(x.min(y)), x < y, s.exec)),
        "max_i32" | "max_u32" => Some((cut(x.max(y)), x > y, s.exec)),
        "cselect_b32" | "cselect_b64" => keep(if s.scc { a } else { b }),
        "lshl_b32" | "lshl_b64" => nonzero(a << shift),
        "lshr_b32" | "lshr_b64" => nonzero(a >> shift),
        "ashr_i32" | "ashr_i64" => nonzero(cut(x >> shift)),
        "bfm_b32" | "bfm_b64" => keep(((1u64 << (s.a as u32 & (width - 1))) - 1) << shift),
        "mul_i32" => keep(cut(x * y)),
        "mul_hi_u32" | "mul_hi_i32" => keep(cut((x * y) >> 32)),
        "bfe_u32" | "bfe_i32" | "bfe_u64" | "bfe_i64" => {
            nonzero(field(a, width, s.b as u32 & (width - 1), s.b as u32 >> 16 & 127, signed))
        }
        "absdiff_i32" => nonzero((s.a as i32).wrapping_sub(s.b as i32).unsigned_abs().into()),
        "lshl1_add_u32" | "lshl2_add_u32" | "lshl3_add_u32" | "lshl4_add_u32" => {
            let n = name.as_bytes().get(4)? - b'0';
            let sum = (x << n) + y;
            Some((cut(sum), sum >> 32 != 0, s.exec))
        }
        "pack_ll_b32_b16" => dword(s.a & 0xffff | (s.b & 0xffff) << 16),
        "pack_lh_b32_b16" => dword(s.a & 0xffff | s.b & 0xffff_0000),
        "pack_hh_b32_b16" => dword(s.a >> 16 & 0xffff | s.b & 0xffff_0000),
        "mov_b32" | "mov_b64" => keep(a),
        "cmov_b32" | "cmov_b64" => keep(if s.scc { a } else { s.old }),
        "not_b32" | "not_b64" => nonzero(!a),
        "wqm_b32" | "wqm_b64" => nonzero(groups(&|quad, g| if quad == 0 { 0 } else { 15 << (4 * g) })),
        "quadmask_b32" | "quadmask_b64" => nonzero(groups(&|quad, g| u64::from(quad != 0) << g)),
        "brev_b32" | "brev_b64" => keep((0..width).fold(0, |r, at| r | (a >> at & 1) << (width - 1 - at))),
        "bcnt0_i32_b32" | "bcnt0_i32_b64" => {
            let count = (0..width).filter(|at| a >> at & 1 == 0).count() as u64;
            Some((count, count != 0, s.exec))
        }
        "bcnt1_i32_b32" | "bcnt1_i32_b64" => {
            let count = (0..width).filter(|at| a >> at & 1 == 1).count() as u64;
            Some((count, count != 0, s.exec))
        }
        "ff0_i32_b32" | "ff0_i32_b64" => dword(first(0)),
        "ff1_i32_b32" | "ff1_i32_b64" => dword(first(1)),
        "flbit_i32_b32" | "flbit_i32_b64" => dword(from_top(1).map_or(u64::MAX, u64::from)),
        "flbit_i32" | "flbit_i32_i64" => {
            dword(from_top(1 - (a >> (width - 1) & 1)).map_or(u64::MAX, u64::from))
        }
        "sext_i32_i8" => dword(s.a as i8 as u64),
        "sext_i32_i16" => dword(s.a as i16 as u64),
        "bitset0_b32" | "bitset0_b64" => keep(s.old & !(1 << (s.a as u32 & (width - 1)))),
        "bitset1_b32" | "bitset1_b64" => keep(s.old | 1 << (s.a as u32 & (width - 1))),
        "abs_i32" => nonzero(x.unsigned_abs() as u64),
        "bitreplicate_b64_b32" => {
            Some(((0..64).fold(0, |r, at| r | (s.a >> (at / 2) & 1) << at), s.scc, s.exec))
        }
        _ => logic(stem, a, b).and_then(nonzero),
    }
}
