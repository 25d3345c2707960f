//! Vector arithmetic on 32-bit integers.

use iced_x86::{Code, Register};

use super::assembler::{Arg, Masking};
use super::codes::{ADD, AND, OR, SUB};
use super::dwords::Dwords;
use super::ir::Lane;
use super::lane::{LOGIC, SAR, SHL, SHR};
use super::layout::zmm;
use super::shape::constant;
use super::strip::{K2, K3, LOAD, MOVE, Strip};
use Code::*;

impl Strip<'_> {
    /// The result is temporary 4, or -1 where `a` is zero.
    pub fn or_minus_one(&mut self, lane: &Lane, a: Register) {
        self.asm.op(EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32, &[K2.into(), a.into(), a.into()]);
        let masking = Masking { by: Some(K2), zero: false, quiet: false };
        let args: [Arg; 4] = [zmm(4).into(), zmm(4).into(), zmm(4).into(), 0xffu8.into()];
        self.asm.with(LOGIC, &args, masking);
        let d = self.result(lane);
        self.copy(d, zmm(4));
    }

    pub fn logic(&mut self, lane: &Lane, imm: u8) {
        let a = self.source(&lane.src[0], 0);
        if imm == 0x55 {
            let d = self.result(lane);
            self.asm.op(LOGIC, &[d.into(), d.into(), a.into(), imm.into()]);
            return;
        }
        let b = self.source(&lane.src[1], 1);
        let c = self.source(&lane.src[2], 2);
        let d = self.result(lane);
        let at = if d == b || d == c { zmm(3) } else { d };
        self.copy(at, a);
        self.asm.op(LOGIC, &[at.into(), b.into(), c.into(), imm.into()]);
        self.copy(d, at);
    }

    /// The high half of a product of 64 bits.
    pub fn product_above(&mut self, lane: &Lane, [a, b]: [Register; 2], signed: bool) {
        let multiply =
            if signed { EVEX_Vpmuldq_zmm_k1z_zmm_zmmm512b64 } else { EVEX_Vpmuludq_zmm_k1z_zmm_zmmm512b64 };
        // Even lanes, then odd ones moved down; their high halves are where they belong.
        self.three(multiply, zmm(3), a, b);
        let shift = EVEX_Vpsrlq_zmm_k1z_zmmm512b64_imm8;
        self.asm.op(shift, &[zmm(4).into(), a.into(), 32u8.into()]);
        self.asm.op(shift, &[zmm(5).into(), b.into(), 32u8.into()]);
        self.three(multiply, zmm(4), zmm(4), zmm(5));
        self.asm.op(shift, &[zmm(3).into(), zmm(3).into(), 32u8.into()]);
        let odd = std::array::from_fn(|n| if n % 2 == 1 { !0 } else { 0 });
        self.asm.op_table(AND, &[zmm(4).into(), zmm(4).into()], odd, Masking::default());
        let d = self.result(lane);
        self.three(OR, d, zmm(3), zmm(4));
    }

    pub fn bit_field(&mut self, lane: &Lane, signed: bool) {
        let a = self.source(&lane.src[0], 0);
        let offset = self.count(lane, 1);
        let width = self.count(lane, 2);
        if !signed {
            self.three(SHR, zmm(3), a, offset);
            self.asm.broadcast(zmm(4), 1);
            self.three(SHL, zmm(4), zmm(4), width);
            self.asm.broadcast(zmm(5), !0);
            self.three(ADD, zmm(4), zmm(4), zmm(5));
            let d = self.result(lane);
            self.three(AND, d, zmm(3), zmm(4));
            return;
        }
        // Shifting the field up against the sign and down again extends it. The distance up is 32 - width, or
        // nothing where the field reaches beyond the top; a width of zero gives zero.
        self.three(SAR, zmm(3), a, offset);
        self.three(ADD, zmm(4), zmm(1), width);
        self.asm.broadcast(zmm(5), 32);
        let below: [Arg; 4] = [K2.into(), zmm(4).into(), zmm(5).into(), 1u8.into()];
        self.asm.op(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, &below);
        let masking = Masking { by: Some(K2), zero: true, quiet: false };
        let distance: [Arg; 3] = [zmm(5).into(), zmm(5).into(), width.into()];
        self.asm.with(SUB, &distance, masking);
        self.three(SHL, zmm(3), zmm(3), zmm(5));
        self.three(SAR, zmm(3), zmm(3), zmm(5));
        self.asm.op(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &[K2.into(), width.into(), width.into()]);
        let d = self.result(lane);
        self.asm.with(MOVE, &[d.into(), zmm(3).into()], masking);
    }

    pub fn align(&mut self, lane: &Lane, bytes: bool) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        if let Some(count) = constant(lane.src[2].from) {
            let bits = if bytes { 8 * (count & 3) } else { count & 31 };
            let d = self.result(lane);
            let at = if d == a { zmm(3) } else { d };
            self.copy(at, b);
            let code = EVEX_Vpshrdd_zmm_k1z_zmm_zmmm512b32_imm8;
            self.asm.op(code, &[at.into(), at.into(), a.into(), (bits as u8).into()]);
            self.copy(d, at);
            return;
        }
        let count = self.source(&lane.src[2], 2);
        let mut count = count;
        if bytes {
            self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[zmm(2).into(), count.into(), 3u8.into()]);
            count = zmm(2);
        }
        self.copy(zmm(3), b);
        // The count is taken modulo 32.
        self.three(EVEX_Vpshrdvd_zmm_k1z_zmm_zmmm512b32, zmm(3), a, count);
        let d = self.result(lane);
        self.copy(d, zmm(3));
    }

    pub fn count_bits(&mut self, lane: &Lane, below: Option<bool>) {
        let mut a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        if let Some(high) = below {
            // Bits below the lane: (1 << (lane - first)) - 1, where shifts of 32 and more leave nothing and so
            // make all bits; lanes below the first have none.
            let (iota, base) = (zmm(3), zmm(4));
            let table = std::array::from_fn(|n| n as u32);
            self.asm.op_table(LOAD, &[iota.into()], table, Masking::default());
            // The strip's number times 64, divided by four: its first lane.
            self.asm.op(Code::Mov_r32_rm32, &[Register::EAX.into(), Register::EBP.into()]);
            self.asm.op(Code::Shr_rm32_imm8, &[Register::EAX.into(), 2u8.into()]);
            if high {
                self.asm.op(Code::Sub_rm32_imm8, &[Register::EAX.into(), 32u8.into()]);
            }
            self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[base.into(), Register::EAX.into()]);
            self.three(ADD, iota, iota, base);
            if high {
                self.asm.broadcast(base, 0);
                self.three(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32, iota, iota, base);
            }
            self.asm.broadcast(base, 1);
            self.three(SHL, base, base, iota);
            self.asm.broadcast(iota, !0);
            self.three(ADD, base, base, iota);
            self.three(AND, zmm(0), a, base);
            a = zmm(0);
        }
        self.asm.op(EVEX_Vpopcntd_zmm_k1z_zmmm512b32, &[zmm(3).into(), a.into()]);
        let d = self.result(lane);
        self.three(ADD, d, zmm(3), b);
    }

    pub fn carry(&mut self, lane: &Lane, subtract: bool, carry_in: bool) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        let compare = EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8;
        if subtract {
            self.asm.op(compare, &[K2.into(), a.into(), b.into(), 1u8.into()]);
            self.three(SUB, zmm(3), a, b);
        } else {
            self.three(ADD, zmm(3), a, b);
            self.asm.op(compare, &[K2.into(), zmm(3).into(), a.into(), 1u8.into()]);
        }
        if carry_in && let Some(mask) = lane.mask_in {
            let carry = self.read_mask(mask);
            let masking = Masking { by: Some(carry), zero: false, quiet: false };
            self.asm.broadcast(zmm(4), !0);
            if subtract {
                // A borrow out of the second step: the difference was zero.
                self.asm.with(
                    EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32,
                    &[K3.into(), zmm(3).into(), zmm(3).into()],
                    masking,
                );
                self.asm.with(ADD, &[zmm(3).into(), zmm(3).into(), zmm(4).into()], masking);
            } else {
                self.asm.with(SUB, &[zmm(3).into(), zmm(3).into(), zmm(4).into()], masking);
                self.asm.with(
                    EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32,
                    &[K3.into(), zmm(3).into(), zmm(3).into()],
                    masking,
                );
            }
            self.asm.op(VEX_Korw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        }
        let d = self.result(lane);
        self.copy(d, zmm(3));
        self.put_mask(lane);
    }
}
