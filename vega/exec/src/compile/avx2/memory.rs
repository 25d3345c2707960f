//! Accesses of a strip to LDS and global memory: blocks, one element for all lanes, and lane by lane.
//!
//! What moves lane by lane does so in ascending order, between memory and a block in the context. Each lane's element of
//! up to 16 bytes moves in one piece, always.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::{Half, Space};

use super::accesses::{Address, Data};
use super::strip::{LOAD, OR, STORE, Strip, XOR, exec, xmm, ymm};
use crate::compile::address::{lane_base, lane_limit, lds_limit, range, translation};
use crate::compile::assembler::{Arg, Condition, Label, Masking, at, at_index};
use crate::compile::context::Context;
use crate::compile::ir::Access;
use crate::compile::layout::{CONTEXT, LDS, context};
use crate::memory::RangeCache;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const RDX: Register = Register::RDX;
const RSI: Register = Register::RSI;
const EAX: Register = Register::EAX;
const ECX: Register = Register::ECX;
const EDX: Register = Register::EDX;
const EDI: Register = Register::EDI;

/// A block in memory: base, index, displacement.
type Place = (Register, Register, i32);

impl Strip<'_> {
    /// An access to elements anywhere.
    pub(super) fn each(&mut self, access: &Access, data: &Data, address: Address) {
        match access.space {
            Space::Lds => {
                let low = self.value(address.0, ymm(4));
                self.lds(access, data, low);
            }
            _ => self.global(access, &data[0], address),
        }
    }

    /// The value of the first active lane of `from` in all lanes of `to`.
    pub(super) fn first(&mut self, to: Register, from: Register) {
        if self.masked {
            self.asm.op(LOAD, &[to.into(), context(offset_of!(Context, first)).into()]);
            self.three(VEX_Vpermd_ymm_ymm_ymmm256, to, to, from);
        } else {
            self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[to.into(), xmm(from).into()]);
        }
    }

    /// Falls through where addresses are `step` apart (or equal, for a step of 0), with the first lane's low
    /// half in EAX (as if it were active) and the high half, if there is one, in ECX.
    pub(super) fn spaced(&mut self, low: Register, high: Option<Register>, step: u32, otherwise: Label) {
        let mut from = low;
        if step != 0 {
            let table = std::array::from_fn(|n| n as u32 * step);
            let args: [Arg; 2] = [ymm(0).into(), low.into()];
            self.asm.op_table(VEX_Vpsubd_ymm_ymm_ymmm256, &args, table, Masking::default());
            from = ymm(0);
        }
        self.first(ymm(1), from);
        self.three(XOR, ymm(2), from, ymm(1));
        if let Some(high) = high {
            self.first(ymm(3), high);
            self.three(XOR, ymm(4), high, ymm(3));
            self.three(OR, ymm(2), ymm(2), ymm(4));
        }
        self.test(ymm(2));
        self.asm.jcc(Condition::NotEqual, otherwise);
        self.asm.op(VEX_Vmovd_rm32_xmm, &[EAX.into(), Register::XMM1.into()]);
        if high.is_some() {
            self.asm.op(VEX_Vmovd_rm32_xmm, &[ECX.into(), Register::XMM3.into()]);
        }
    }

    /// Goes elsewhere if an active lane's value is above a 32-bit limit.
    fn outside(&mut self, lanes: Register, limit: Register, otherwise: Label) {
        self.asm.op(VEX_Vmovd_xmm_rm32, &[Register::XMM0.into(), limit.into()]);
        self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[ymm(0).into(), Register::XMM0.into()]);
        self.three(VEX_Vpmaxud_ymm_ymm_ymmm256, ymm(1), lanes, ymm(0));
        self.three(XOR, ymm(1), ymm(1), ymm(0));
        self.test(ymm(1));
        self.asm.jcc(Condition::NotEqual, otherwise);
    }

    // LDS.

    fn lds(&mut self, access: &Access, data: &Data, address: Register) {
        // Offsets are added as the LDS unit does it, in 32 bits: compilers fold what is negative into the address.
        let offsets = &access.offsets[..access.count.into()];
        let origin = offsets.iter().min().copied().unwrap_or(0);
        let end = offsets.iter().max().copied().unwrap_or(0) - origin + i32::from(access.bytes);
        let mut first = address;
        if origin != 0 {
            first = ymm(2);
            self.with_constant(VEX_Vpaddd_ymm_ymm_ymmm256, first, address, origin as u32);
        }
        // The largest address at which every element is inside.
        lds_limit(self.asm, end, self.careful);
        self.outside(first, EAX, self.careful);
        self.asm.op(STORE, &[places(0).into(), first.into()]);
        for (k, offset) in offsets.iter().enumerate() {
            self.each_lane(access, &data[k], (LDS, offset - origin), false);
        }
    }

    // Blocks.

    /// Temporary `t`: 16 bytes at two offsets.
    fn load_pair(&mut self, t: Register, (base, index, offset): Place, [low, high]: [i32; 2]) {
        let place = |k: i32| -> Arg { at_index(base, index, offset + k).into() };
        self.asm.op(VEX_Vmovdqu_xmm_xmmm128, &[xmm(t).into(), place(low)]);
        self.asm.op(VEX_Vinserti128_ymm_ymm_xmmm128_imm8, &[t.into(), t.into(), place(high), 1u8.into()]);
    }

    fn store_pair(&mut self, t: Register, (base, index, offset): Place, [low, high]: [i32; 2]) {
        let place = |k: i32| -> Arg { at_index(base, index, offset + k).into() };
        self.asm.op(VEX_Vmovdqu_xmmm128_xmm, &[place(low), xmm(t).into()]);
        self.asm.op(VEX_Vextracti128_xmmm128_ymm_imm8, &[place(high), t.into(), 1u8.into()]);
    }

    /// Elements that begin `step` bytes apart: each part of them is a block.
    pub(super) fn load_parts(&mut self, access: &Access, step: u8, d: &[Register; 4], place: Place) {
        let (base, index, offset) = place;
        if step >= access.bytes {
            return self.load_block(access, d, place);
        }
        let dwords = usize::from(step / 4);
        for (part, d) in d.chunks_exact(dwords).enumerate().take((access.bytes / step).into()) {
            let mut registers = [ymm(0); 4];
            registers.iter_mut().zip(d).for_each(|(to, from)| *to = *from);
            let access = Access { bytes: step, ..*access };
            self.load_block(&access, &registers, (base, index, offset + i32::from(step) * part as i32));
        }
    }

    /// Loads all lanes of a block, whether they are active or not.
    fn load_block(&mut self, access: &Access, d: &[Register; 4], place: Place) {
        let (base, index, offset) = place;
        let whole: Arg = at_index(base, index, offset).into();
        match access.bytes {
            1 | 2 => {
                let code = match (access.bytes, access.signed) {
                    (1, false) => VEX_Vpmovzxbd_ymm_xmmm64,
                    (1, true) => VEX_Vpmovsxbd_ymm_xmmm64,
                    (_, false) => VEX_Vpmovzxwd_ymm_xmmm128,
                    (_, true) => VEX_Vpmovsxwd_ymm_xmmm128,
                };
                if access.half == Half::Whole {
                    self.asm.op(code, &[d[0].into(), whole]);
                } else {
                    self.asm.op(code, &[ymm(0).into(), whole]);
                    self.join_half(access, d[0]);
                }
            }
            4 => self.asm.op(LOAD, &[d[0].into(), whole]),
            8 => {
                self.load_pair(ymm(0), place, [0, 32]);
                self.load_pair(ymm(1), place, [16, 48]);
                for (d, order) in [(d[0], 0x88u8), (d[1], 0xdd)] {
                    let args: [Arg; 4] = [d.into(), ymm(0).into(), ymm(1).into(), order.into()];
                    self.asm.op(VEX_Vshufps_ymm_ymm_ymmm256_imm8, &args);
                }
            }
            _ => {
                for n in 0..4u8 {
                    let lane = 16 * i32::from(n);
                    self.load_pair(ymm(n), place, [lane, lane + 64]);
                }
                self.transpose([ymm(0), ymm(1), ymm(2), ymm(3)], d);
            }
        }
    }

    /// Temporary 0 becomes one half of a register.
    fn join_half(&mut self, access: &Access, d: Register) {
        let mut words = 0x55u8;
        if access.half == Half::High {
            self.immediate(VEX_Vpslld_ymm_ymm_imm8, ymm(0), ymm(0), 16);
            words = 0xaa;
        }
        let args: [Arg; 4] = [d.into(), d.into(), ymm(0).into(), words.into()];
        self.asm.op(VEX_Vpblendw_ymm_ymm_ymmm256_imm8, &args);
    }

    pub(super) fn store_block(&mut self, access: &Access, d: &[Register; 4], place: Place) {
        let (base, index, offset) = place;
        let whole: Arg = at_index(base, index, offset).into();
        match access.bytes {
            4 if self.masked => {
                self.asm.op(LOAD, &[ymm(0).into(), exec().into()]);
                self.asm.op(VEX_Vpmaskmovd_m256_ymm_ymm, &[whole, ymm(0).into(), d[0].into()]);
            }
            8 => {
                self.three(VEX_Vpunpckldq_ymm_ymm_ymmm256, ymm(0), d[0], d[1]);
                self.three(VEX_Vpunpckhdq_ymm_ymm_ymmm256, ymm(1), d[0], d[1]);
                self.store_pair(ymm(0), place, [0, 32]);
                self.store_pair(ymm(1), place, [16, 48]);
            }
            12 | 16 => {
                let rows = [ymm(0), ymm(1), ymm(2), ymm(3)];
                self.transpose(*d, &rows);
                for (n, row) in rows.into_iter().enumerate() {
                    let lane = 16 * n as i32;
                    self.store_pair(row, place, [lane, lane + 64]);
                }
            }
            _ => self.asm.op(STORE, &[whole, d[0].into()]),
        }
    }

    /// Four by four dwords of each half, rows to columns. Either side may be temporaries 0 to 3.
    fn transpose(&mut self, [a, b, c, d]: [Register; 4], to: &[Register; 4]) {
        // The one side is complete before the other is written: temporary 4 helps where they are the same.
        let [w, x, y, z] = *to;
        let low = VEX_Vunpcklps_ymm_ymm_ymmm256;
        let high = VEX_Vunpckhps_ymm_ymm_ymmm256;
        if a == ymm(0) {
            // Temporaries to values.
            self.three(high, ymm(4), a, b);
            self.three(low, ymm(0), a, b);
            self.three(low, ymm(1), c, d);
            self.three(high, ymm(2), c, d);
            self.pairs([ymm(0), ymm(1), ymm(4), ymm(2)], [w, x, y, z]);
        } else {
            // Values to temporaries.
            self.three(low, ymm(4), a, b);
            self.three(low, ymm(1), c, d);
            self.three(high, ymm(2), a, b);
            self.three(high, ymm(3), c, d);
            self.three(VEX_Vunpcklpd_ymm_ymm_ymmm256, ymm(0), ymm(4), ymm(1));
            self.three(VEX_Vunpckhpd_ymm_ymm_ymmm256, ymm(1), ymm(4), ymm(1));
            self.three(VEX_Vunpcklpd_ymm_ymm_ymmm256, ymm(4), ymm(2), ymm(3));
            self.three(VEX_Vunpckhpd_ymm_ymm_ymmm256, ymm(3), ymm(2), ymm(3));
            self.copy(ymm(2), ymm(4));
        }
    }

    fn pairs(&mut self, [a, b, c, d]: [Register; 4], [w, x, y, z]: [Register; 4]) {
        self.three(VEX_Vunpcklpd_ymm_ymm_ymmm256, w, a, b);
        self.three(VEX_Vunpckhpd_ymm_ymm_ymmm256, x, a, b);
        self.three(VEX_Vunpcklpd_ymm_ymm_ymmm256, y, c, d);
        self.three(VEX_Vunpckhpd_ymm_ymm_ymmm256, z, c, d);
    }

    /// One element for all lanes.
    pub(super) fn load_one(&mut self, access: &Access, d: &[Register; 4], (base, index, offset): Place) {
        let place = |k: i32| -> Arg { at_index(base, index, offset + k).into() };
        let (code, orders): (Code, &[u8]) = match (access.bytes, access.signed) {
            (8, _) => (VEX_Vpbroadcastq_ymm_xmmm64, &[0xa0, 0xf5]),
            (16, _) => (VEX_Vbroadcasti128_ymm_m128, &[0x00, 0x55, 0xaa, 0xff]),
            (4 | 12, _) => {
                for (d, k) in d.iter().zip(0..).take(usize::from(access.bytes / 4)) {
                    self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[(*d).into(), place(4 * k)]);
                }
                return;
            }
            (1, false) => (Movzx_r32_rm8, &[]),
            (1, true) => (Movsx_r32_rm8, &[]),
            (_, false) => (Movzx_r32_rm16, &[]),
            (_, true) => (Movsx_r32_rm16, &[]),
        };
        if orders.is_empty() {
            self.asm.op(code, &[ECX.into(), place(0)]);
            self.asm.op(VEX_Vmovd_xmm_rm32, &[Register::XMM0.into(), ECX.into()]);
            self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[ymm(0).into(), Register::XMM0.into()]);
            if access.half == Half::Whole {
                self.copy(d[0], ymm(0));
            } else {
                self.join_half(access, d[0]);
            }
            return;
        }
        self.asm.op(code, &[ymm(0).into(), place(0)]);
        for (d, order) in d.iter().zip(orders) {
            self.immediate(VEX_Vpshufd_ymm_ymmm256_imm8, *d, ymm(0), *order);
        }
    }

    // Lane by lane.

    /// Elements at `base` plus what `places` has for each lane: dwords, or qwords.
    fn each_lane(&mut self, access: &Access, d: &[Register; 4], (base, offset): (Register, i32), wide: bool) {
        let elements = offset_of!(Context, elements);
        let block = (CONTEXT, Register::None, elements as i32);
        if !access.load {
            if access.bytes > 4 {
                self.store_block(access, d, block);
            } else {
                let mut from = d[0];
                if access.half == Half::High {
                    self.immediate(VEX_Vpsrld_ymm_ymm_imm8, ymm(0), from, 16);
                    from = ymm(0);
                }
                self.asm.op(STORE, &[context(elements).into(), from.into()]);
            }
        }
        if self.masked {
            self.asm.op(Mov_r32_rm32, &[ECX.into(), context(offset_of!(Context, active)).into()]);
        } else {
            self.asm.op(Mov_r32_imm32, &[ECX.into(), Arg::Dword(0xff)]);
        }
        let top = self.asm.label();
        self.asm.bind(top);
        self.asm.op(Tzcnt_r32_rm32, &[EDX.into(), ECX.into()]);
        let scaled = |scale: u32, displacement: usize| -> Arg {
            let d = displacement as i64;
            MemoryOperand::with_base_index_scale_displ_size(CONTEXT, RDX, scale, d, 1).into()
        };
        let from = offset_of!(Context, places);
        if wide {
            self.asm.op(Mov_r64_rm64, &[RSI.into(), scaled(8, from)]);
        } else {
            self.asm.op(Mov_r32_rm32, &[Register::ESI.into(), scaled(4, from)]);
        }
        let place: Arg = at_index(base, RSI, offset).into();
        // The register that carries an element, its load and its store; loads extend small elements.
        let wide_value = (Register::RDI, Mov_r64_rm64, Mov_rm64_r64);
        let (value, load, store) = match (access.bytes, access.signed) {
            (1, false) => (EDI, Movzx_r32_rm8, Mov_rm8_r8),
            (1, true) => (EDI, Movsx_r32_rm8, Mov_rm8_r8),
            (2, false) => (EDI, Movzx_r32_rm16, Mov_rm16_r16),
            (2, true) => (EDI, Movsx_r32_rm16, Mov_rm16_r16),
            (4, _) => (EDI, Mov_r32_rm32, Mov_rm32_r32),
            (8 | 12, _) => wide_value,
            _ => (Register::XMM0, VEX_Vmovdqu_xmm_xmmm128, VEX_Vmovdqu_xmmm128_xmm),
        };
        if access.bytes > 8 {
            self.asm.op(Shl_rm32_imm8, &[EDX.into(), 4u8.into()]);
        }
        let element = match access.bytes {
            12 | 16 => at_index(CONTEXT, RDX, elements as i32).into(),
            bytes => scaled(bytes.max(4).into(), elements),
        };
        if access.load {
            self.asm.op(load, &[value.into(), place]);
            let keep = if access.bytes < 4 { Mov_rm32_r32 } else { store };
            self.asm.op(keep, &[element, value.into()]);
        } else {
            let fetch = if access.bytes < 4 { Mov_r32_rm32 } else { load };
            self.asm.op(fetch, &[value.into(), element]);
            let value = match access.bytes {
                1 => Register::DIL,
                2 => Register::DI,
                _ => value,
            };
            self.asm.op(store, &[place, value.into()]);
        }
        if access.bytes == 12 {
            // The third dword.
            let sides = [at_index(base, RSI, offset + 8), at_index(CONTEXT, RDX, elements as i32 + 8)];
            let [from, to] = if access.load { sides } else { [sides[1], sides[0]] };
            self.asm.op(Mov_r32_rm32, &[EDI.into(), from.into()]);
            self.asm.op(Mov_rm32_r32, &[to.into(), EDI.into()]);
        }
        self.asm.op(VEX_Blsr_r32_rm32, &[ECX.into(), ECX.into()]);
        self.asm.jcc(Condition::NotEqual, top);
        if access.load {
            if access.bytes > 4 {
                self.load_block(access, d, block);
            } else if access.half == Half::Whole {
                self.asm.op(LOAD, &[d[0].into(), context(elements).into()]);
            } else {
                self.asm.op(LOAD, &[ymm(0).into(), context(elements).into()]);
                self.join_half(access, d[0]);
            }
        }
    }

    // Global memory.

    fn global(&mut self, access: &Access, d: &[Register; 4], (low, high): Address) {
        let missed = self.miss(access, (low, high));
        translation(self.asm, access, missed);
        let reach = i32::from(access.bytes);
        match (access.base, high) {
            (Some(base), _) => {
                let low = self.value(low, ymm(4));
                lane_limit(self.asm, access, base, reach, missed);
                self.outside(low, ECX, missed);
                lane_base(self.asm, access);
                self.asm.op(STORE, &[places(0).into(), low.into()]);
                self.each_lane(access, d, (RAX, 0), false);
            }
            (None, Some(high)) => {
                let (low, high) = (self.value(low, ymm(3)), self.value(high, ymm(4)));
                self.wide_places(access, (low, high), reach, missed);
                self.each_lane(access, d, (RAX, 0), true);
            }
            (None, None) => {}
        }
    }

    /// Offsets of 64-bit addresses in the translation, if all of them are inside, for RAX. They are off by 2^63, so
    /// that signed comparisons compare them.
    fn wide_places(
        &mut self,
        access: &Access,
        (low, high): (Register, Register),
        reach: i32,
        otherwise: Label,
    ) {
        let halves = [ymm(0), ymm(1)];
        self.three(VEX_Vpunpckldq_ymm_ymm_ymmm256, ymm(0), low, high);
        self.three(VEX_Vpunpckhdq_ymm_ymm_ymmm256, ymm(1), low, high);
        let turned = |strip: &mut Self, from: Register| {
            strip.asm.op(Btc_rm64_imm8, &[from.into(), 63u8.into()]);
            strip.asm.op(VEX_Vmovq_xmm_rm64, &[Register::XMM2.into(), from.into()]);
            strip.asm.op(VEX_Vpbroadcastq_ymm_xmmm64, &[ymm(2).into(), Register::XMM2.into()]);
        };
        self.asm.op(Mov_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
        if access.offsets[0] != 0 {
            self.asm.op(Sub_rm64_imm32, &[RAX.into(), Arg::Dword(access.offsets[0] as u32)]);
        }
        turned(self, RAX);
        for half in halves {
            self.three(VEX_Vpsubq_ymm_ymm_ymmm256, half, half, ymm(2));
        }
        self.asm.op(Mov_r64_rm64, &[RCX.into(), range(offset_of!(RangeCache, range.len), access)]);
        self.asm.op(Sub_rm64_imm32, &[RCX.into(), Arg::Dword(reach as u32)]);
        turned(self, RCX);
        self.three(VEX_Vpcmpgtq_ymm_ymm_ymmm256, ymm(3), ymm(0), ymm(2));
        self.three(VEX_Vpcmpgtq_ymm_ymm_ymmm256, ymm(4), ymm(1), ymm(2));
        let args: [Arg; 4] = [ymm(3).into(), ymm(3).into(), ymm(4).into(), 0xddu8.into()];
        self.asm.op(VEX_Vshufps_ymm_ymm_ymmm256_imm8, &args);
        self.test(ymm(3));
        self.asm.jcc(Condition::NotEqual, otherwise);
        let first = (CONTEXT, Register::None, offset_of!(Context, places) as i32);
        self.store_pair(ymm(0), first, [0, 32]);
        self.store_pair(ymm(1), first, [16, 48]);
        self.asm.op(Mov_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
        self.asm.op(Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.delta), access)]);
        self.asm.op(Btc_rm64_imm8, &[RAX.into(), 63u8.into()]);
    }
}

/// Where a lane's place is.
fn places(lane: i32) -> MemoryOperand {
    at(CONTEXT, offset_of!(Context, places) as i32 + 4 * lane)
}
