//! Vector arithmetic on floats: multiply-adds, minima, classes.

use iced_x86::{Code, Register};
use vega_isa::Ty;

use super::assembler::{Arg, Masking};
use super::codes::AND;
use super::ir::Lane;
use super::layout::zmm;
use super::shape::Float;
use super::strip::{K2, K3, MOVE, Strip};
use super::width::{DOUBLE, SINGLE, class};
use Code::*;

impl Strip<'_> {
    /// The operand order of each form keeps the order in which NaNs are looked for: src0, src1, src2.
    pub fn fma(&mut self, lane: &Lane) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        let c = self.source(&lane.src[2], 2);
        let d = self.result(lane);
        self.guard(&[a, b, c]);
        let masking = self.float();
        let (code, x, y) = if d == c {
            (EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er, a, b)
        } else if d == a {
            (EVEX_Vfmadd132ps_zmm_k1z_zmm_zmmm512b32_er, c, b)
        } else if d == b {
            (EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er, a, c)
        } else {
            self.copy(d, c);
            (EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er, a, b)
        };
        self.asm.with(code, &[d.into(), x.into(), y.into()], masking);
        self.complete(lane, d, Float::Checked);
    }

    /// The host converts what is out of range to one value: those lanes are put right.
    pub fn integer(&mut self, lane: &Lane, signed: bool) {
        let a = self.source(&lane.src[0], 0);
        if signed {
            self.saturate_signed(zmm(3), a);
            let d = self.result(lane);
            self.copy(d, zmm(3));
            return;
        }
        let quiet = Masking { quiet: true, ..Masking::default() };
        // Too large gives all ones, as it should; negative numbers and NaN do, too.
        self.asm.with(EVEX_Vcvttps2udq_zmm_k1z_zmmm512b32_sae, &[zmm(3).into(), a.into()], quiet);
        self.asm.broadcast(zmm(4), 0);
        // Not less or equal zero, or unordered: then zero.
        let compare = EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae;
        self.asm.with(compare, &[K2.into(), a.into(), zmm(4).into(), 30u8.into()], quiet);
        let masking = Masking { by: Some(K2), zero: true, quiet: false };
        let d = self.result(lane);
        self.asm.with(MOVE, &[d.into(), zmm(3).into()], masking);
    }

    /// `d` = the lesser or greater one, as `imm` says.
    pub fn range(&mut self, d: Register, a: Register, b: Register, imm: u8) {
        let quiet = Masking { quiet: true, ..Masking::default() };
        let args: [Arg; 4] = [d.into(), a.into(), b.into(), imm.into()];
        self.asm.with(EVEX_Vrangeps_zmm_k1z_zmm_zmmm512b32_imm8_sae, &args, quiet);
    }

    /// The middle one of three; the minimum of the numbers where there is a NaN.
    pub fn median(&mut self, lane: &Lane) {
        let [a, b, c] = [0, 1, 2].map(|n| self.source(&lane.src[usize::from(n)], n));
        let quiet = Masking { quiet: true, ..Masking::default() };
        let compare = |strip: &mut Self, x: Register, y: Register, predicate: u8, to: Register| {
            let args: [Arg; 4] = [to.into(), x.into(), y.into(), predicate.into()];
            strip.asm.with(EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, &args, quiet);
        };
        let (r, other, t) = (zmm(3), zmm(4), zmm(5));
        let pick = |strip: &mut Self, from: Register, mask: Register| {
            strip.asm.with(
                MOVE,
                &[r.into(), from.into()],
                Masking { by: Some(mask), zero: false, quiet: false },
            );
        };
        // The greatest of all, then of the two others.
        self.range(r, a, b, 5);
        self.range(other, r, c, 5);
        compare(self, other, a, 0, K2);
        compare(self, other, b, 0, K3);
        self.range(t, a, c, 5);
        pick(self, t, K3);
        self.range(t, b, c, 5);
        pick(self, t, K2);
        compare(self, a, b, 3, K2);
        compare(self, c, c, 3, K3);
        self.asm.op(VEX_Korw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        self.range(t, a, b, 4);
        self.range(t, t, c, 4);
        pick(self, t, K2);
        let d = self.result(lane);
        self.copy(d, r);
        self.clamp(lane);
    }

    /// zmm3 = zmm0 * zmm1 + zmm2, unfused, denormals flushed; zero times anything is zero if `legacy`.
    pub fn mad_flush(&mut self, legacy: bool) {
        for n in 0..3 {
            self.flush(zmm(n), zmm(n));
        }
        let product: [Arg; 3] = [zmm(3).into(), zmm(0).into(), zmm(1).into()];
        let masking = self.float();
        self.asm.with(EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, &product, masking);
        self.flush(zmm(3), zmm(3));
        if legacy {
            self.zero_products(zmm(3));
        }
        self.add_product(zmm(3), zmm(3), zmm(2));
        self.flush(zmm(3), zmm(3));
    }

    /// `sum` = `product`, which is zmm0 * zmm1, plus `addend`. A NaN as addend hides an invalid product.
    pub fn add_product(&mut self, sum: Register, product: Register, addend: Register) {
        let masking = self.float();
        let add = EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er;
        let args: [Arg; 3] = [sum.into(), product.into(), addend.into()];
        if !self.mends() {
            self.guard(&[]);
            self.asm.with(add, &args, masking);
            self.mend(sum);
            return;
        }
        let compare = |strip: &mut Self, to: Register, [a, b]: [Register; 2], predicate: u8, by| {
            let args: [Arg; 4] = [to.into(), a.into(), b.into(), predicate.into()];
            let masking = Masking { by, zero: false, quiet: true };
            strip.asm.with(EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, &args, masking);
        };
        // K3: invalid products, which the addend replaces; K2: no source is a NaN.
        compare(self, K2, [zmm(0), zmm(1)], 7, None);
        compare(self, K3, [product, product], 3, Some(K2));
        self.asm.with(
            MOVE,
            &[product.into(), addend.into()],
            Masking { by: Some(K3), zero: false, quiet: false },
        );
        compare(self, K2, [addend, addend], 7, Some(K2));
        self.asm.with(add, &args, masking);
        self.asm.op(VEX_Kandw_kr_kr_kr, &[K3.into(), K3.into(), K2.into()]);
        compare(self, K2, [sum, sum], 3, Some(K2));
        self.asm.op(VEX_Korw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        self.put(sum, [0x7fc0_0000; 16], K2);
    }

    /// The bit of a float's class, tested by the second source.
    pub fn class(&mut self, lane: &Lane, ty: Ty) {
        // Each class as the host tells it, and the bit that it has if the sign is clear, and set.
        const CLASSES: [(u8, u32, u32); 5] = [
            (class::ZERO, 1 << 6, 1 << 5),
            (class::DENORMAL, 1 << 7, 1 << 4),
            (class::INFINITY, 1 << 9, 1 << 2),
            (class::QUIET, 1 << 1, 1 << 1),
            (class::SIGNALING, 1 << 0, 1 << 0),
        ];
        let bit = zmm(4);
        let merge = |mask: Register| Masking { by: Some(mask), zero: false, quiet: false };
        let mask = self.source(&lane.src[1], 5);
        if ty == Ty::F16 {
            self.half_class(lane, bit);
        } else {
            let wide = ty == Ty::F64;
            let (w, a) = if wide {
                (&DOUBLE, self.wide_source(&lane.src[0], 0))
            } else {
                let a = self.source(&lane.src[0], 0);
                (&SINGLE, [a; 2])
            };
            let sign = |strip: &mut Self, by: Option<Register>| {
                // K2 = elements whose sign is set, within a mask.
                if wide {
                    strip.asm.op(EVEX_Vpmovq2m_kr_zmm, &[K2.into(), a[0].into()]);
                    strip.asm.op(EVEX_Vpmovq2m_kr_zmm, &[K3.into(), a[1].into()]);
                    strip.join_masks();
                } else {
                    strip.asm.op(EVEX_Vpmovd2m_kr_zmm, &[K2.into(), a[0].into()]);
                }
                if let Some(by) = by {
                    strip.asm.op(VEX_Kandw_kr_kr_kr, &[K2.into(), K2.into(), by.into()]);
                }
            };
            self.asm.broadcast(bit, 1 << 8);
            sign(self, None);
            self.put(bit, [1 << 3; 16], K2);
            let kept = self.extra(0);
            for (classes, positive, negative) in CLASSES {
                if wide {
                    self.in_class(w, K2, a[0], classes);
                    self.in_class(w, K3, a[1], classes);
                    self.join_masks();
                } else {
                    self.in_class(w, K2, a[0], classes);
                }
                self.put(bit, [positive; 16], K2);
                if positive != negative {
                    self.asm.op(EVEX_Vpmovm2d_zmm_kr, &[kept.into(), K2.into()]);
                    sign(self, None);
                    // Those of the class with the sign set.
                    let args: [Arg; 3] = [K2.into(), kept.into(), kept.into()];
                    self.asm.with(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &args, merge(K2));
                    self.put(bit, [negative; 16], K2);
                }
            }
        }
        self.asm.op(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &[K2.into(), bit.into(), mask.into()]);
        self.put_mask(lane);
    }

    /// The bit of an f16's class. As f32 it has the same class, but for denormals and signaling NaNs.
    pub fn half_class(&mut self, lane: &Lane, bit: Register) {
        let a = self.source(&lane.src[0], 0);
        let (magnitude, limit) = (zmm(1), zmm(2));
        self.with_constant(AND, magnitude, a, 0x7fff);
        let compare = |strip: &mut Self, value: u32, predicate: u8| {
            strip.asm.broadcast(limit, value);
            let args: [Arg; 4] = [K2.into(), magnitude.into(), limit.into(), predicate.into()];
            strip.asm.op(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, &args);
        };
        // Each replaces what those before it gave: normal numbers, denormals, zeros, infinities, NaNs.
        self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[zmm(3).into(), a.into(), 16u8.into()]);
        self.asm.broadcast(bit, 1 << 8);
        for (value, predicate, positive, negative) in [
            (0u32, 5u8, 1u32 << 8, 1u32 << 3),
            (0x0400, 1, 1 << 7, 1 << 4),
            (0, 0, 1 << 6, 1 << 5),
            (0x7c00, 0, 1 << 9, 1 << 2),
            (0x7c00, 6, 1 << 0, 1 << 0),
            (0x7dff, 6, 1 << 1, 1 << 1),
        ] {
            compare(self, value, predicate);
            self.put(bit, [positive; 16], K2);
            self.asm.op(EVEX_Vpmovd2m_kr_zmm, &[K3.into(), zmm(3).into()]);
            self.asm.op(VEX_Kandw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
            self.put(bit, [negative; 16], K2);
        }
    }
}
