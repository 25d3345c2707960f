//! Integer arithmetic on 32-bit lanes beyond what one instruction does.

use iced_x86::{Code, Register};

use super::lane::{ADD, EQUAL, GREATER, SAR, SAR_BY, SHL, SHL_BY, SHR, SHR_BY, SUB};
use super::strip::{AND, ANDN, LOAD, OR, Strip, XOR, xmm, ymm};
use crate::compile::assembler::Masking;
use crate::compile::dwords::Dwords;
use crate::compile::ir::Lane;
use crate::compile::shape::constant;
use Code::*;

impl Strip<'_> {
    /// The highest bit, from the top; for signed numbers the highest that differs from the sign.
    pub(super) fn find_high(&mut self, lane: &Lane, signed: bool) {
        let [mut a] = self.sources(lane);
        if signed {
            self.immediate(SAR_BY, ymm(1), a, 31);
            self.three(XOR, ymm(1), ymm(1), a);
            a = ymm(1);
        }
        // The exponent says where the highest bit is, as long as rounding does not carry: the bit below it
        // is cleared. The top bit makes the number negative; the maximum gives zero for it.
        self.immediate(SHR_BY, ymm(3), a, 1);
        self.three(ANDN, ymm(3), ymm(3), a);
        self.exponent(ymm(3));
        self.asm.broadcast(ymm(4), 158);
        self.three(SUB, ymm(3), ymm(4), ymm(3));
        self.with_constant(VEX_Vpmaxsd_ymm_ymm_ymmm256, ymm(3), ymm(3), 0);
        self.or_minus_one(lane, a);
    }

    /// The lowest bit.
    pub(super) fn find_low(&mut self, lane: &Lane) {
        // The lowest bit alone is converted exactly.
        let [a] = self.sources(lane);
        self.asm.broadcast(ymm(3), 0);
        self.three(SUB, ymm(3), ymm(3), a);
        self.three(AND, ymm(3), ymm(3), a);
        self.exponent(ymm(3));
        self.with_constant(AND, ymm(3), ymm(3), 0xff);
        self.with_constant(SUB, ymm(3), ymm(3), 127);
        self.or_minus_one(lane, a);
    }

    /// Exponent and sign of a 32-bit integer as a float, in its place.
    fn exponent(&mut self, t: Register) {
        self.asm.op(VEX_Vcvtdq2ps_ymm_ymmm256, &[t.into(), t.into()]);
        self.immediate(SHR_BY, t, t, 23);
    }

    /// The result is temporary 3, or -1 where `a` is zero.
    fn or_minus_one(&mut self, lane: &Lane, a: Register) {
        self.with_constant(EQUAL, ymm(4), a, 0);
        let d = self.result(lane);
        self.three(OR, d, ymm(3), ymm(4));
    }

    /// The high half of a product.
    pub(super) fn product_above(&mut self, lane: &Lane, [a, b]: [Register; 2], signed: bool) {
        let multiply = if signed { VEX_Vpmuldq_ymm_ymm_ymmm256 } else { VEX_Vpmuludq_ymm_ymm_ymmm256 };
        // Even lanes, then odd ones moved down; their high halves are where they belong.
        self.three(multiply, ymm(3), a, b);
        self.immediate(VEX_Vpsrlq_ymm_ymm_imm8, ymm(4), a, 32);
        self.immediate(VEX_Vpsrlq_ymm_ymm_imm8, ymm(2), b, 32);
        self.three(multiply, ymm(4), ymm(4), ymm(2));
        self.immediate(VEX_Vpsrlq_ymm_ymm_imm8, ymm(3), ymm(3), 32);
        let d = self.result(lane);
        self.asm
            .op(VEX_Vpblendd_ymm_ymm_ymmm256_imm8, &[d.into(), ymm(3).into(), ymm(4).into(), 0xaau8.into()]);
    }

    pub(super) fn bit_field(&mut self, lane: &Lane, signed: bool) {
        let [a] = self.sources(lane);
        let (by_lanes, by_constant) = if signed { (SAR, SAR_BY) } else { (SHR, SHR_BY) };
        if let (Some(offset), Some(width)) = (constant(lane.src[1].from), constant(lane.src[2].from)) {
            let (offset, width) = ((offset & 31) as u8, (width & 31) as u8);
            let d = self.result(lane);
            match width {
                0 => self.asm.broadcast(d, 0),
                width if offset + width >= 32 => self.immediate(by_constant, d, a, offset),
                width => {
                    self.immediate(SHL_BY, d, a, 32 - offset - width);
                    self.immediate(by_constant, d, d, 32 - width);
                }
            }
            return;
        }
        let offset = self.count(lane, 1);
        let width = self.count(lane, 2);
        self.three(by_lanes, ymm(3), a, offset);
        if !signed {
            self.asm.broadcast(ymm(4), !0);
            self.three(SHL, ymm(4), ymm(4), width);
            let d = self.result(lane);
            self.three(ANDN, d, ymm(4), ymm(3));
            return;
        }
        // Shifting the field up against the sign and down again extends it. The distance up is 32 - width, or
        // nothing where the field reaches beyond the top; a width of zero gives zero.
        self.three(ADD, ymm(4), ymm(1), width);
        self.asm.broadcast(ymm(0), 32);
        self.three(GREATER, ymm(4), ymm(0), ymm(4));
        self.three(SUB, ymm(0), ymm(0), width);
        self.three(AND, ymm(4), ymm(4), ymm(0));
        self.three(SHL, ymm(3), ymm(3), ymm(4));
        self.three(SAR, ymm(3), ymm(3), ymm(4));
        self.with_constant(EQUAL, ymm(4), width, 0);
        let d = self.result(lane);
        self.three(ANDN, d, ymm(4), ymm(3));
    }

    pub(super) fn align(&mut self, lane: &Lane, bytes: bool) {
        let [a, b] = self.sources(lane);
        if let Some(count) = constant(lane.src[2].from) {
            let bits = if bytes { 8 * (count & 3) } else { count & 31 } as u8;
            // A shift by 32 leaves nothing.
            self.immediate(SHR_BY, ymm(3), b, bits);
            self.immediate(SHL_BY, ymm(4), a, 32 - bits);
        } else {
            let mut count = self.source(&lane.src[2], 2);
            if bytes {
                self.immediate(SHL_BY, ymm(2), count, 3);
                count = ymm(2);
            }
            self.with_constant(AND, ymm(2), count, 31);
            self.three(SHR, ymm(3), b, ymm(2));
            self.asm.broadcast(ymm(4), 32);
            self.three(SUB, ymm(4), ymm(4), ymm(2));
            self.three(SHL, ymm(4), a, ymm(4));
        }
        let d = self.result(lane);
        self.three(OR, d, ymm(3), ymm(4));
    }

    pub(super) fn count_bits(&mut self, lane: &Lane, below: Option<bool>) {
        let [mut a, b] = self.sources(lane);
        if let Some(high) = below {
            // Bits below the lane: all but (-1 << (lane - first)), where shifts of 32 and more leave nothing and
            // so make all bits; lanes below the first have none.
            let (iota, base) = (ymm(3), ymm(4));
            // The strip's number times 32, divided by four: its first lane.
            self.asm.op(Mov_r32_rm32, &[Register::EAX.into(), Register::EBP.into()]);
            self.asm.op(Shr_rm32_imm8, &[Register::EAX.into(), 2u8.into()]);
            if high {
                self.asm.op(Sub_rm32_imm8, &[Register::EAX.into(), 32u8.into()]);
            }
            self.asm.op(VEX_Vmovd_xmm_rm32, &[xmm(base).into(), Register::EAX.into()]);
            self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[base.into(), xmm(base).into()]);
            let table = std::array::from_fn(|n| n as u32);
            self.asm.op_table(ADD, &[iota.into(), base.into()], table, Masking::default());
            if high {
                self.with_constant(VEX_Vpmaxsd_ymm_ymm_ymmm256, iota, iota, 0);
            }
            self.asm.broadcast(base, !0);
            self.three(SHL, base, base, iota);
            self.three(ANDN, ymm(0), base, a);
            a = ymm(0);
        }
        // Bits of each half of a byte by a table, then sums of neighbours.
        let sums = [0x0201_0100, 0x0302_0201, 0x0302_0201, 0x0403_0302];
        let table = std::array::from_fn(|n| sums[n % 4]);
        self.asm.op_table(LOAD, &[ymm(3).into()], table, Masking::default());
        self.immediate(SHR_BY, ymm(4), a, 4);
        self.with_constant(AND, ymm(0), a, 0x0f0f_0f0f);
        self.with_constant(AND, ymm(4), ymm(4), 0x0f0f_0f0f);
        self.three(VEX_Vpshufb_ymm_ymm_ymmm256, ymm(0), ymm(3), ymm(0));
        self.three(VEX_Vpshufb_ymm_ymm_ymmm256, ymm(4), ymm(3), ymm(4));
        self.three(VEX_Vpaddb_ymm_ymm_ymmm256, ymm(3), ymm(0), ymm(4));
        self.with_constant(VEX_Vpmaddubsw_ymm_ymm_ymmm256, ymm(3), ymm(3), 0x0101_0101);
        self.with_constant(VEX_Vpmaddwd_ymm_ymm_ymmm256, ymm(3), ymm(3), 0x0001_0001);
        let d = self.result(lane);
        self.three(ADD, d, ymm(3), b);
    }

    pub(super) fn carry(&mut self, lane: &Lane, subtract: bool, carry_in: bool) {
        let [a, b] = self.sources(lane);
        // Temporary 4: no carry, no borrow.
        if subtract {
            self.three(VEX_Vpminud_ymm_ymm_ymmm256, ymm(4), a, b);
            self.three(EQUAL, ymm(4), ymm(4), b);
            self.three(SUB, ymm(3), a, b);
        } else {
            self.three(ADD, ymm(3), a, b);
            self.three(VEX_Vpminud_ymm_ymm_ymmm256, ymm(4), ymm(3), a);
            self.three(EQUAL, ymm(4), ymm(4), a);
        }
        if carry_in && let Some(mask) = lane.mask_in {
            // The second step carries where its sum is zero, and borrows where it was.
            let carry = self.read_mask(mask);
            if subtract {
                self.with_constant(EQUAL, ymm(2), ymm(3), 0);
                self.three(ADD, ymm(3), ymm(3), carry);
            } else {
                self.three(SUB, ymm(3), ymm(3), carry);
                self.with_constant(EQUAL, ymm(2), ymm(3), 0);
            }
            self.three(AND, ymm(2), ymm(2), carry);
            self.three(ANDN, ymm(4), ymm(2), ymm(4));
        }
        self.with_constant(XOR, ymm(4), ymm(4), !0);
        let d = self.result(lane);
        self.copy(d, ymm(3));
        self.put_mask(lane, ymm(4));
    }

    /// Compares integers; the result is temporary 3. Predicates are those of AVX-512: 4 turns 0, 1, 2, 3 round.
    pub(super) fn compare(&mut self, a: Register, b: Register, predicate: u8, signed: bool) {
        let t = ymm(3);
        let mut negate = predicate & 4 != 0;
        match (predicate & 3, signed) {
            (0, _) => self.three(EQUAL, t, a, b),
            (1, true) => self.three(GREATER, t, b, a),
            (2, true) => {
                self.three(GREATER, t, a, b);
                negate = !negate;
            }
            (1, false) => {
                self.three(VEX_Vpmaxud_ymm_ymm_ymmm256, t, a, b);
                self.three(EQUAL, t, t, a);
                negate = !negate;
            }
            (2, false) => {
                self.three(VEX_Vpminud_ymm_ymm_ymmm256, t, a, b);
                self.three(EQUAL, t, t, a);
            }
            _ => self.asm.broadcast(t, 0),
        }
        if negate {
            self.with_constant(XOR, t, t, !0);
        }
    }
}
