//! NaNs of results: noticed, or repaired where some have been noticed.
//!
//! The host's NaN of an invalid operation has another sign than the guest's, and its minimum and maximum take NaNs for
//! numbers. Lanes of interest wait in the context: temporary 4 is all that is used.

use std::mem::offset_of;

use iced_x86::{Code, Register};

use super::strip::{AND, ANDN, NANS, OR, STORE, Strip, ymm};
use super::twins::host;
use super::width::host_of;
use crate::compile::assembler::{Arg, Masking};
use crate::compile::context::Context;
use crate::compile::layout::context;
use crate::compile::shape::{Shape, is_watched};
use crate::compile::strip::Watch;
use crate::compile::width::{DOUBLE, SINGLE, Width};
use Code::*;

/// Predicates of comparisons.
pub(super) const ORDERED: u8 = 7;
pub(super) const UNORDERED: u8 = 3;

/// Temporary 4.
pub(super) const T: Register = Register::YMM4;

/// Lanes that wait in the context.
pub(super) fn waiting(n: usize) -> Arg {
    context(offset_of!(Context, waiting) + 32 * n).into()
}

/// Whether results may be NaNs that need to be watched. Here those of minimum and maximum are, too.
pub(in crate::compile) fn watches(shape: Shape) -> bool {
    is_watched(shape)
        || matches!(shape, Shape::BinaryImmediate(..) | Shape::FloatChain(_) | Shape::FloatMedian)
}

impl Strip<'_> {
    /// Whether NaNs of results are repaired.
    pub(super) fn mends(&self) -> bool {
        self.watch == Watch::Mend
    }

    /// Temporary 4: lanes in which both compare so.
    pub(super) fn compared(&mut self, w: &Width, a: Register, b: Register, predicate: u8) {
        self.asm.op(host_of(w).compare, &[T.into(), a.into(), b.into(), predicate.into()]);
    }

    /// `d` = a constant in the lanes of temporary 4.
    pub(super) fn put(&mut self, d: Register, table: [u32; 16]) {
        self.three(ANDN, d, T, d);
        self.asm.op_table(AND, &[T.into(), T.into()], table, Masking::default());
        self.three(OR, d, d, T);
    }

    /// Before an operation that may be invalid: notes where none of its sources is a NaN.
    pub(super) fn guard(&mut self, w: &Width, sources: &[Register]) {
        if !self.mends() {
            return;
        }
        for (n, pair) in sources.chunks(2).enumerate() {
            self.compared(w, pair[0], pair[pair.len() - 1], ORDERED);
            if n > 0 {
                self.asm.op(AND, &[T.into(), T.into(), waiting(0)]);
            }
            self.asm.op(STORE, &[waiting(0), T.into()]);
        }
    }

    /// After it: NaNs that it made are the default NaN.
    pub(super) fn mend(&mut self, w: &Width, result: Register) {
        if self.mends() {
            self.compared(w, result, result, UNORDERED);
            self.asm.op(AND, &[T.into(), T.into(), waiting(0)]);
            self.put(result, w.default_nan());
        } else if !w.wide {
            self.check(result, result);
        }
    }

    /// An operation of two sources, its NaNs repaired.
    pub(super) fn binary(&mut self, w: &Width, code: Code, d: Register, a: Register, b: Register) {
        self.guard(w, &[a, b]);
        self.three(code, d, a, b);
        self.mend(w, d);
    }

    /// Notes lanes where either is a NaN.
    pub(super) fn check(&mut self, a: Register, b: Register) {
        self.unchecked = true;
        if self.watch == Watch::Results && !self.excused {
            self.compared(&SINGLE, a, b, UNORDERED);
            self.three(OR, NANS, NANS, T);
        }
    }

    /// The same for the two halves of a 64-bit result; uses temporary 2.
    pub(super) fn check_wide(&mut self, result: [Register; 2]) {
        self.unchecked = true;
        if self.watch == Watch::Results && !self.excused {
            for (t, half) in [T, ymm(2)].into_iter().zip(result) {
                let args: [Arg; 4] = [t.into(), half.into(), half.into(), UNORDERED.into()];
                self.asm.op(host_of(&DOUBLE).compare, &args);
            }
            let args: [Arg; 4] = [T.into(), T.into(), ymm(2).into(), 0x88u8.into()];
            self.asm.op(VEX_Vshufps_ymm_ymm_ymmm256_imm8, &args);
            self.three(OR, NANS, NANS, T);
        }
    }

    /// `sum` = `product`, which is temporary 0 times temporary 1, plus `addend`. A NaN as addend hides an invalid product.
    pub(super) fn add_product(&mut self, sum: Register, product: Register, addend: Register) {
        let w = &SINGLE;
        let add = host(w.add);
        if !self.mends() {
            self.three(add, sum, product, addend);
            return self.check(sum, sum);
        }
        // The first ones: no source is a NaN; the second ones: invalid products, which the addend replaces.
        self.guard(w, &[ymm(0), ymm(1)]);
        self.compared(w, product, product, UNORDERED);
        self.asm.op(AND, &[T.into(), T.into(), waiting(0)]);
        self.asm.op(STORE, &[waiting(1), T.into()]);
        self.choose(product, addend, T);
        self.compared(w, addend, addend, ORDERED);
        self.asm.op(AND, &[T.into(), T.into(), waiting(0)]);
        self.asm.op(STORE, &[waiting(0), T.into()]);
        self.three(add, sum, product, addend);
        self.compared(w, sum, sum, UNORDERED);
        self.asm.op(OR, &[T.into(), T.into(), waiting(1)]);
        self.asm.op(AND, &[T.into(), T.into(), waiting(0)]);
        self.put(sum, w.default_nan());
    }

    /// `r` = the lesser or greater one, which must be neither's register: minNum and maxNum as IEEE has them where NaNs
    /// are repaired, and of the sources' numbers if not.
    pub(super) fn extreme(&mut self, w: &Width, r: Register, [a, b]: [Register; 2], min: bool) {
        let host = host_of(w);
        // Zeros of different sign are the same to the host, which gives its second source then.
        let (code, join) = if min { (host.min, OR) } else { (host.max, AND) };
        if !self.mends() && !w.wide {
            self.check(a, b);
        }
        self.three(code, r, a, b);
        self.three(code, T, b, a);
        self.three(join, r, r, T);
        if !self.mends() && !w.wide {
            return;
        }
        // A quiet NaN loses; the first one of two stays.
        for (one, other) in [(a, b), (b, a)] {
            self.compared(w, one, one, UNORDERED);
            self.choose(r, other, T);
        }
        // A signaling one wins and becomes quiet. Without the sign, and with a number added that takes quiet ones beyond
        // the end, those are the greatest.
        let (bits, fraction) = if w.wide { (64, 52) } else { (32, 23) };
        let top = 1u64 << (bits - 1);
        let beyond = top + (1 << fraction) + 1;
        let infinity = ((1u64 << (bits - fraction - 1)) - 1) << (fraction + 1);
        let limit = infinity.wrapping_add(beyond) & if w.wide { u64::MAX } else { u32::MAX.into() };
        for one in [b, a] {
            self.immediate(host.up, T, one, 1);
            self.asm.op_table(host.plus, &[T.into(), T.into()], w.table(beyond), Masking::default());
            self.asm.op_table(host.greater, &[T.into(), T.into()], w.table(limit), Masking::default());
            self.choose(r, one, T);
            self.asm.op_table(AND, &[T.into(), T.into()], w.quiet(), Masking::default());
            self.three(OR, r, r, T);
        }
    }
}
