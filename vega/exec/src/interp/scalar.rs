//! Scalar operations.
//!
//! # Safety
//! The handlers use safe indexing only; they are `unsafe` functions because all handlers share a type.

use vega_isa::Ty;
use vega_isa::micro::{Logic, ScalarBin, ScalarUn};

use super::alu::Make;
use super::level::{Handler, Vector, run};
use super::record::Record;
use super::wave::Wave;
use super::worker::Worker;

/// In a scalar record's `imm`: the destination is 64 bits.
pub(crate) const WIDE_DST: i32 = 1;
/// Source 0 is 64 bits.
pub(crate) const WIDE_0: i32 = 2;
/// Source 1 is 64 bits.
pub(crate) const WIDE_1: i32 = 4;

/// What an operation sees besides its sources.
#[derive(Clone, Copy)]
pub(crate) struct State {
    /// The scalar condition code.
    scc: bool,
    /// The destination's old value.
    old: u64,
}

/// A scalar operation: result, and the new SCC if it changes.
pub(crate) trait ScalarOp {
    /// The operation.
    fn apply(a: u64, b: u64, state: State) -> (u64, Option<bool>);
}

/// The handler of a [`ScalarOp`].
pub(crate) struct Scalar<O>(std::marker::PhantomData<O>);

impl<O: ScalarOp> Handler for Scalar<O> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let source = |wide: i32, n: usize| {
            if record.imm & wide != 0 {
                wave.scalar64(record, n)
            } else {
                u64::from(wave.scalar32(record, n))
            }
        };
        let (a, b) = (source(WIDE_0, 0), source(WIDE_1, 1));
        let d = record.sdst as usize;
        let state = State { scc: wave.scc, old: wave.s64(d) };
        let (result, scc) = O::apply(a, b, state);
        if record.imm & WIDE_DST != 0 {
            wave.set_s64(d, result);
        } else {
            wave.s[d] = result as u32;
        }
        if let Some(scc) = scc {
            wave.scc = scc;
        }
        ip + 1
    }
}

/// A scalar comparison: only SCC is written.
pub(crate) struct ScalarTest<O>(std::marker::PhantomData<O>);

impl<O: ScalarOp> Handler for ScalarTest<O> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let source = |wide: i32, n: usize| {
            if record.imm & wide != 0 {
                wave.scalar64(record, n)
            } else {
                u64::from(wave.scalar32(record, n))
            }
        };
        let (a, b) = (source(WIDE_0, 0), source(WIDE_1, 1));
        wave.scc = O::apply(a, b, State { scc: wave.scc, old: 0 }).0 != 0;
        ip + 1
    }
}

macro_rules! scalar {
    ($wrap:ident |$a:pat_param, $b:pat_param, $state:pat_param| $e:expr) => {{
        struct This;
        impl ScalarOp for This {
            #[inline(always)]
            fn apply($a: u64, $b: u64, $state: State) -> (u64, Option<bool>) {
                $e
            }
        }
        let make: Make = |level| run::<$wrap<This>>(level);
        Some(make)
    }};
}

/// SCC = result is not zero.
#[inline(always)]
fn nonzero(r: u64) -> (u64, Option<bool>) {
    (r, Some(r != 0))
}

/// The same for 32-bit results.
#[inline(always)]
fn nonzero32(r: u32) -> (u64, Option<bool>) {
    nonzero(u64::from(r))
}

/// SCC unchanged.
#[inline(always)]
fn keep(r: u32) -> (u64, Option<bool>) {
    (u64::from(r), None)
}

/// The bit number, or -1.
#[inline(always)]
fn position(n: u32, bits: u32) -> (u64, Option<bool>) {
    keep(if n == bits { !0 } else { n })
}

/// A bit field: offset and width as in `s_bfe`.
#[inline(always)]
fn field(a: u64, offset: u32, width: u32, bits: u32, signed: bool) -> u64 {
    let width = width.min(bits);
    if width == 0 {
        return 0;
    }
    let top = if signed { (a << (64 - bits)) as i64 >> (64 - bits) } else { a as i64 };
    let shifted = top >> offset;
    let unused = 64 - width;
    let r =
        if signed { ((shifted << unused) >> unused) as u64 } else { ((shifted as u64) << unused) >> unused };
    if bits == 32 { u64::from(r as u32) } else { r }
}

/// Spreads each group of four: all ones if any bit is set.
#[inline(always)]
fn wqm(a: u64) -> u64 {
    quads(a) * 15
}

/// The lowest bit of each group of four: is any bit of the group set?
#[inline(always)]
fn quads(a: u64) -> u64 {
    (a | a >> 1 | a >> 2 | a >> 3) & 0x1111_1111_1111_1111
}

/// One bit for each group of four, packed.
#[inline(always)]
fn quad_mask(a: u64) -> u64 {
    let mut r = 0;
    for group in 0..16 {
        r |= (quads(a) >> (4 * group) & 1) << group;
    }
    r
}

/// The handler of a one-source operation.
pub(crate) fn scalar1(un: ScalarUn, ty: Ty) -> Option<Make> {
    let wide = ty.dwords() == 2;
    match un {
        ScalarUn::Mov => scalar!(Scalar | a, _, _ | (a, None)),
        ScalarUn::CMov => scalar!(Scalar | a, _, s | (if s.scc { a } else { s.old }, None)),
        ScalarUn::Not if wide => scalar!(Scalar | a, _, _ | nonzero(!a)),
        ScalarUn::Not => scalar!(Scalar | a, _, _ | nonzero32(!a as u32)),
        ScalarUn::Wqm => scalar!(Scalar | a, _, _ | nonzero(wqm(a))),
        ScalarUn::Brev if wide => scalar!(Scalar | a, _, _ | (a.reverse_bits(), None)),
        ScalarUn::Brev => scalar!(Scalar | a, _, _ | keep((a as u32).reverse_bits())),
        ScalarUn::Bcnt0 if wide => scalar!(Scalar | a, _, _ | nonzero32(a.count_zeros())),
        ScalarUn::Bcnt0 => scalar!(Scalar | a, _, _ | nonzero32((a as u32).count_zeros())),
        ScalarUn::Bcnt1 => scalar!(Scalar | a, _, _ | nonzero32(a.count_ones())),
        ScalarUn::Ff0 if wide => scalar!(Scalar | a, _, _ | position(a.trailing_ones(), 64)),
        ScalarUn::Ff0 => scalar!(Scalar | a, _, _ | position((a as u32).trailing_ones(), 32)),
        ScalarUn::Ff1 if wide => scalar!(Scalar | a, _, _ | position(a.trailing_zeros(), 64)),
        ScalarUn::Ff1 => scalar!(Scalar | a, _, _ | position((a as u32).trailing_zeros(), 32)),
        ScalarUn::Flbit if wide && ty.is_signed() => {
            scalar!(Scalar | a, _, _ | position((a ^ (a as i64 >> 63) as u64).leading_zeros(), 64))
        }
        ScalarUn::Flbit if ty.is_signed() => {
            scalar!(Scalar | a, _, _ | position((a as u32 ^ (a as i32 >> 31) as u32).leading_zeros(), 32))
        }
        ScalarUn::Flbit if wide => scalar!(Scalar | a, _, _ | position(a.leading_zeros(), 64)),
        ScalarUn::Flbit => scalar!(Scalar | a, _, _ | position((a as u32).leading_zeros(), 32)),
        ScalarUn::Sext if ty.bits() == 8 => scalar!(Scalar | a, _, _ | keep(a as i8 as i32 as u32)),
        ScalarUn::Sext => scalar!(Scalar | a, _, _ | keep(a as i16 as i32 as u32)),
        ScalarUn::BitSet0 if wide => scalar!(Scalar | a, _, s | (s.old & !(1 << (a & 63)), None)),
        ScalarUn::BitSet0 => scalar!(Scalar | a, _, s | keep(s.old as u32 & !(1 << (a & 31)))),
        ScalarUn::BitSet1 if wide => scalar!(Scalar | a, _, s | (s.old | 1 << (a & 63), None)),
        ScalarUn::BitSet1 => scalar!(Scalar | a, _, s | keep(s.old as u32 | 1 << (a & 31))),
        ScalarUn::QuadMask => scalar!(Scalar | a, _, _ | nonzero(quad_mask(a))),
        ScalarUn::Abs => scalar!(Scalar | a, _, _ | nonzero32((a as i32).unsigned_abs())),
        ScalarUn::BitReplicate => scalar!(
            Scalar | a,
            _,
            _ | {
                let mut r = 0;
                for bit in 0..32 {
                    r |= ((a >> bit & 1) * 3) << (2 * bit);
                }
                (r, None)
            }
        ),
    }
}

/// The handler of a two-source operation.
pub(crate) fn scalar2(bin: ScalarBin, ty: Ty) -> Option<Make> {
    let (wide, signed) = (ty.dwords() == 2, ty.is_signed());
    match bin {
        ScalarBin::Add if signed => scalar!(
            Scalar | a,
            b,
            _ | {
                let (r, overflow) = (a as i32).overflowing_add(b as i32);
                (u64::from(r as u32), Some(overflow))
            }
        ),
        ScalarBin::Add => scalar!(Scalar | a, b, _ | (u64::from((a + b) as u32), Some((a + b) >> 32 != 0))),
        ScalarBin::Sub if signed => scalar!(
            Scalar | a,
            b,
            _ | {
                let (r, overflow) = (a as i32).overflowing_sub(b as i32);
                (u64::from(r as u32), Some(overflow))
            }
        ),
        ScalarBin::Sub => scalar!(Scalar | a, b, _ | (u64::from(a.wrapping_sub(b) as u32), Some(a < b))),
        ScalarBin::AddC => scalar!(
            Scalar | a,
            b,
            s | {
                let sum = a + b + u64::from(s.scc);
                (u64::from(sum as u32), Some(sum >> 32 != 0))
            }
        ),
        ScalarBin::SubB => scalar!(
            Scalar | a,
            b,
            s | {
                let b = b + u64::from(s.scc);
                (u64::from(a.wrapping_sub(b) as u32), Some(a < b))
            }
        ),
        ScalarBin::Min if signed => scalar!(
            Scalar | a,
            b,
            _ | {
                let less = (a as i32) < b as i32;
                (if less { a } else { b }, Some(less))
            }
        ),
        ScalarBin::Min => scalar!(Scalar | a, b, _ | (a.min(b), Some(a < b))),
        ScalarBin::Max if signed => scalar!(
            Scalar | a,
            b,
            _ | {
                let more = (a as i32) > b as i32;
                (if more { a } else { b }, Some(more))
            }
        ),
        ScalarBin::Max => scalar!(Scalar | a, b, _ | (a.max(b), Some(a > b))),
        ScalarBin::CSelect => scalar!(Scalar | a, b, s | (if s.scc { a } else { b }, None)),
        ScalarBin::Logic(logic) => logical(logic, wide),
        ScalarBin::Lshl if wide => scalar!(Scalar | a, b, _ | nonzero(a << (b & 63))),
        ScalarBin::Lshl => scalar!(Scalar | a, b, _ | nonzero32((a as u32) << (b & 31))),
        ScalarBin::Lshr if wide => scalar!(Scalar | a, b, _ | nonzero(a >> (b & 63))),
        ScalarBin::Lshr => scalar!(Scalar | a, b, _ | nonzero32(a as u32 >> (b & 31))),
        ScalarBin::Ashr if wide => scalar!(Scalar | a, b, _ | nonzero((a as i64 >> (b & 63)) as u64)),
        ScalarBin::Ashr => scalar!(Scalar | a, b, _ | nonzero32((a as i32 >> (b & 31)) as u32)),
        ScalarBin::Bfm if wide => scalar!(Scalar | a, b, _ | (((1u64 << (a & 63)) - 1) << (b & 63), None)),
        ScalarBin::Bfm => scalar!(Scalar | a, b, _ | keep(((1u32 << (a & 31)) - 1) << (b & 31))),
        ScalarBin::Mul => scalar!(Scalar | a, b, _ | keep((a as u32).wrapping_mul(b as u32))),
        ScalarBin::MulHi if signed => {
            scalar!(Scalar | a, b, _ | keep(((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32))
        }
        ScalarBin::MulHi => scalar!(Scalar | a, b, _ | keep((a.wrapping_mul(b) >> 32) as u32)),
        ScalarBin::Bfe => bit_field(wide, signed),
        ScalarBin::AbsDiff => {
            scalar!(Scalar | a, b, _ | nonzero32((a as i32).wrapping_sub(b as i32).unsigned_abs()))
        }
        ScalarBin::LshlAdd(1) => scalar!(Scalar | a, b, _ | shifted_sum(a, b, 1)),
        ScalarBin::LshlAdd(2) => scalar!(Scalar | a, b, _ | shifted_sum(a, b, 2)),
        ScalarBin::LshlAdd(3) => scalar!(Scalar | a, b, _ | shifted_sum(a, b, 3)),
        ScalarBin::LshlAdd(4) => scalar!(Scalar | a, b, _ | shifted_sum(a, b, 4)),
        ScalarBin::LshlAdd(_) => None,
        ScalarBin::Pack(false, false) => {
            scalar!(Scalar | a, b, _ | keep(a as u32 & 0xffff | (b as u32) << 16))
        }
        ScalarBin::Pack(false, true) => {
            scalar!(Scalar | a, b, _ | keep(a as u32 & 0xffff | b as u32 & 0xffff_0000))
        }
        ScalarBin::Pack(true, true) => {
            scalar!(Scalar | a, b, _ | keep(a as u32 >> 16 | b as u32 & 0xffff_0000))
        }
        ScalarBin::Pack(true, false) => scalar!(Scalar | a, b, _ | keep(a as u32 >> 16 | (b as u32) << 16)),
    }
}

fn shifted_sum(a: u64, b: u64, n: u32) -> (u64, Option<bool>) {
    let sum = (a << n) + b;
    (u64::from(sum as u32), Some(sum >> 32 != 0))
}

fn bit_field(wide: bool, signed: bool) -> Option<Make> {
    match (wide, signed) {
        (false, false) => {
            scalar!(Scalar | a, b, _ | nonzero(field(a, b as u32 & 31, b as u32 >> 16 & 127, 32, false)))
        }
        (false, true) => {
            scalar!(Scalar | a, b, _ | nonzero(field(a, b as u32 & 31, b as u32 >> 16 & 127, 32, true)))
        }
        (true, false) => scalar!(
            Scalar | a,
            b,
            _ | {
                let low = a >> (b & 63);
                let width = b as u32 >> 16 & 127;
                nonzero(if width >= 64 { low } else { low & ((1 << width) - 1) })
            }
        ),
        (true, true) => {
            scalar!(Scalar | a, b, _ | nonzero(field(a, b as u32 & 63, b as u32 >> 16 & 127, 64, true)))
        }
    }
}

fn logical(logic: Logic, wide: bool) -> Option<Make> {
    match (logic, wide) {
        (Logic::And, _) => scalar!(Scalar | a, b, _ | nonzero(a & b)),
        (Logic::Or, _) => scalar!(Scalar | a, b, _ | nonzero(a | b)),
        (Logic::Xor, _) => scalar!(Scalar | a, b, _ | nonzero(a ^ b)),
        (Logic::Andn2, _) => scalar!(Scalar | a, b, _ | nonzero(a & !b)),
        (Logic::Andn1, _) => scalar!(Scalar | a, b, _ | nonzero(!a & b)),
        (Logic::Orn2, true) => scalar!(Scalar | a, b, _ | nonzero(a | !b)),
        (Logic::Orn1, true) => scalar!(Scalar | a, b, _ | nonzero(!a | b)),
        (Logic::Nand, true) => scalar!(Scalar | a, b, _ | nonzero(!(a & b))),
        (Logic::Nor, true) => scalar!(Scalar | a, b, _ | nonzero(!(a | b))),
        (Logic::Xnor, true) => scalar!(Scalar | a, b, _ | nonzero(!(a ^ b))),
        (Logic::Orn2, false) => scalar!(Scalar | a, b, _ | nonzero32((a | !b) as u32)),
        (Logic::Orn1, false) => scalar!(Scalar | a, b, _ | nonzero32((!a | b) as u32)),
        (Logic::Nand, false) => scalar!(Scalar | a, b, _ | nonzero32(!(a & b) as u32)),
        (Logic::Nor, false) => scalar!(Scalar | a, b, _ | nonzero32(!(a | b) as u32)),
        (Logic::Xnor, false) => scalar!(Scalar | a, b, _ | nonzero32(!(a ^ b) as u32)),
    }
}

/// The handler of a comparison.
pub(crate) fn scalar_compare(cond: vega_isa::micro::Cond, ty: Ty) -> Option<Make> {
    use vega_isa::micro::Cond;
    match (cond, ty.is_signed()) {
        (Cond::Eq, _) => scalar!(ScalarTest | a, b, _ | (u64::from(a == b), None)),
        (Cond::Lg, _) => scalar!(ScalarTest | a, b, _ | (u64::from(a != b), None)),
        (Cond::Lt, true) => scalar!(ScalarTest | a, b, _ | (u64::from((a as i32) < b as i32), None)),
        (Cond::Le, true) => scalar!(ScalarTest | a, b, _ | (u64::from(a as i32 <= b as i32), None)),
        (Cond::Gt, true) => scalar!(ScalarTest | a, b, _ | (u64::from(a as i32 > b as i32), None)),
        (Cond::Ge, true) => scalar!(ScalarTest | a, b, _ | (u64::from(a as i32 >= b as i32), None)),
        (Cond::Lt, false) => scalar!(ScalarTest | a, b, _ | (u64::from(a < b), None)),
        (Cond::Le, false) => scalar!(ScalarTest | a, b, _ | (u64::from(a <= b), None)),
        (Cond::Gt, false) => scalar!(ScalarTest | a, b, _ | (u64::from(a > b), None)),
        (Cond::Ge, false) => scalar!(ScalarTest | a, b, _ | (u64::from(a >= b), None)),
        _ => None,
    }
}

/// The handler of a bit test.
pub(crate) fn scalar_bit_compare(set: bool, ty: Ty) -> Option<Make> {
    match (set, ty.dwords() == 2) {
        (false, false) => scalar!(ScalarTest | a, b, _ | (u64::from(a >> (b & 31) & 1 == 0), None)),
        (true, false) => scalar!(ScalarTest | a, b, _ | (a >> (b & 31) & 1, None)),
        (false, true) => scalar!(ScalarTest | a, b, _ | (u64::from(a >> (b & 63) & 1 == 0), None)),
        (true, true) => scalar!(ScalarTest | a, b, _ | (a >> (b & 63) & 1, None)),
    }
}
