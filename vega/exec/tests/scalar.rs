//! Scalar instructions against plain arithmetic.

mod common;

use common::instructions::{SCALAR_EPILOGUE, SCALAR_PROLOGUE};
use common::{CODE, Card, DATA, KERNARG, Random};
use vega_isa::{Encoding, Form};
use vega_isa::{Field, Inst, Kind, Modifiers, Operand, Role, Row, Table, encode};

/// Sources, SCC, the old destination and EXEC before an instruction; afterwards `a` is the destination.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    a: u64,
    b: u64,
    scc: bool,
    old: u64,
    exec: u64,
}

/// The immediate of SOPK instructions in these tests.
const IMM: i16 = -17;

/// What an instruction leaves: destination, SCC, EXEC.
type Result = (u64, bool, u64);

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
fn model(row: &Row, s: State) -> Option<Result> {
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
        let imm = i128::from(IMM);
        let old = number(s.old, 32, true);
        // s_cmpk compares the register in the destination's place.
        let unsigned = i128::from(IMM as u16);
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

fn instance(row: &'static Row) -> Option<Inst> {
    let mut slots = [Operand::None; vega_isa::inst::MAX_OPERANDS];
    for (slot, operand) in row.operands.iter().zip(&mut slots) {
        *operand = match (slot.role, slot.field, slot.kind) {
            (_, Field::Imm16, Kind::Simm16) => Operand::Imm(IMM.into()),
            (_, Field::Imm16, Kind::Uimm16) => Operand::Imm((IMM as u16).into()),
            (_, Field::SDst, _) | (Role::Dst | Role::Both, ..) => Operand::Sgpr(12),
            (_, Field::Src0, _) => Operand::Sgpr(8),
            (_, Field::Src1, _) => Operand::Sgpr(10),
            _ => return None,
        };
    }
    let modifiers = Modifiers::default();
    let inst = Inst { row, form: Form::Native, size_bytes: 4, slots, modifiers };
    vega_isa::decode(encode(&inst)?.as_slice()).ok()
}

fn value(random: &mut Random) -> u64 {
    const EDGES: [u64; 10] = [
        0,
        1,
        u64::MAX,
        1 << 63,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        1 << 32,
        0x8000_0000_7fff_ffff,
        0x1f,
    ];
    match random.next() % 4 {
        0 => EDGES[random.next() as usize % EDGES.len()],
        1 => random.next() & random.next() & random.next(),
        // An offset and a width for bit fields.
        2 => ((random.next() % 80) << 16) | (random.next() % 64),
        _ => random.next(),
    }
}

#[test]
fn scalar_instructions_do_their_arithmetic() {
    const CASES: usize = 200;
    let card = Card::new(1);
    let mut random = Random(7);
    let mut checked = Vec::new();
    for row in Table::gfx900().rows() {
        let Some(inst) = instance(row) else { continue };
        let wide = |slot: &vega_isa::Slot| slot.ty.dwords() == 2;
        let wide_dst = row.operands.iter().any(|slot| slot.role != Role::Src && wide(slot));
        if model(row, State { a: 0, b: 0, scc: false, old: 0, exec: 1 }).is_none() {
            continue;
        }
        let states: Vec<State> = (0..CASES)
            .map(|_| State {
                a: value(&mut random),
                b: value(&mut random),
                scc: random.next().is_multiple_of(2),
                old: value(&mut random),
                exec: value(&mut random),
            })
            .collect();
        let words = |x: u64| [x as u32, (x >> 32) as u32];
        for (n, s) in states.iter().enumerate() {
            let [a, b, old, exec] = [s.a, s.b, s.old, s.exec].map(words);
            let data = [a[0], a[1], b[0], b[1], old[0], old[1], s.scc.into(), 0, exec[0], exec[1]];
            card.write(DATA + 64 * n as u64, &data);
        }
        let mut code = SCALAR_PROLOGUE.to_vec();
        code.extend(encode(&inst).expect("encoded before").as_slice());
        code.extend(SCALAR_EPILOGUE);
        card.write(CODE, &code);
        card.write(KERNARG, &words(DATA));
        assert_eq!(card.run(&card.dispatch([64 * CASES as u32, 1, 1], [64, 1, 1])), vega_exec::Outcome::Done);
        for (n, s) in states.iter().enumerate() {
            let found = card.read(DATA + 64 * n as u64 + 40, 6);
            let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
            let (mut dst, scc, exec) = model(row, *s).expect("modelled");
            let writes = row.operands.iter().any(|slot| slot.role != Role::Src);
            if !writes {
                dst = s.old;
            } else if !wide_dst {
                dst = dst & 0xffff_ffff | s.old & !0xffff_ffff;
            }
            assert_eq!(
                (pair(found[2], found[3]), found[4] == 1, pair(found[5], found[0])),
                (dst, scc, exec),
                "{inst} of {s:x?}"
            );
        }
        checked.push(row.mnemonic);
    }
    assert!(checked.len() >= 129, "only {} instructions were checked: {checked:?}", checked.len());
}
