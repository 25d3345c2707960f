//! Program flow, loads from scalar memory, and handlers of the interpreter.

use std::mem::offset_of;

use iced_x86::{Code as Op, Register};
use vega_isa::micro::BranchIf;
use vega_isa::sgpr;

use super::assembler::{Arg, Assembler, Condition, at};
use super::atomic::AtomicAccess;
use super::compiler::{Compiler, RAX, RCX, Unfinished};
use super::context::Context;
use super::layout::{EPOCH, context, field, scalar};
use super::region::{enter, leave_slot};
use super::scalar::test_scc;
use super::set::{SCC, ScalarSet};
use crate::interp::record::code as source;
use crate::interp::wave::{Stop, Wave};
use crate::interp::worker::CACHES;
use crate::memory::RangeCache;

impl Compiler<'_> {
    pub fn fence(&mut self) {
        if self.fence_together() {
            return;
        }
        let done = self.asm.label();
        let outstanding: Arg = field(offset_of!(Wave, store_outstanding)).into();
        self.asm.op(Op::Cmp_rm8_imm8, &[outstanding, 0u8.into()]);
        self.asm.jcc(Condition::Equal, done);
        self.asm.op(Op::Mov_rm8_imm8, &[outstanding, 0u8.into()]);
        self.full_barrier();
        self.asm.bind(done);
    }

    /// Earlier stores come before later loads.
    pub fn full_barrier(&mut self) {
        // lock or dword [rsp], 0
        self.asm.raw(&[0xf0, 0x83, 0x0c, 0x24, 0x00]);
    }

    /// What a branch's condition reads.
    pub fn branch_reads(condition: BranchIf) -> ScalarSet {
        let mut reads = ScalarSet::default();
        match condition {
            BranchIf::Scc0 | BranchIf::Scc1 => reads.add(SCC, 1),
            BranchIf::Vccz | BranchIf::Vccnz => reads.add(sgpr::VCC_LO.into(), 2),
            BranchIf::Execz | BranchIf::Execnz => reads.add(sgpr::EXEC_LO.into(), 2),
            _ => {}
        }
        reads
    }

    /// Tests a branch's condition: the host's condition under which it is not taken, `None` if it always is.
    pub fn not_taken(&mut self, condition: BranchIf) -> Option<Condition> {
        let zero = |asm: &mut Assembler, number: u8| {
            asm.op(Op::Cmp_rm64_imm8, &[scalar(number.into()).into(), 0u8.into()]);
        };
        match condition {
            BranchIf::Scc0 | BranchIf::Scc1 => {
                test_scc(&mut self.asm);
                Some(if condition == BranchIf::Scc0 { Condition::NotEqual } else { Condition::Equal })
            }
            BranchIf::Vccz | BranchIf::Vccnz => {
                zero(&mut self.asm, sgpr::VCC_LO);
                Some(if condition == BranchIf::Vccz { Condition::NotEqual } else { Condition::Equal })
            }
            BranchIf::Execz | BranchIf::Execnz => {
                zero(&mut self.asm, sgpr::EXEC_LO);
                Some(if condition == BranchIf::Execz { Condition::NotEqual } else { Condition::Equal })
            }
            _ => None,
        }
    }

    pub fn branch(&mut self, ip: usize, condition: BranchIf) {
        self.join(&Self::branch_reads(condition));
        let to = self.program.records[ip].imm as usize;
        let Some(target) = self.entries.get(to).copied().flatten() else { return self.call(ip) };
        let fall = self.asm.label();
        if let Some(not_taken) = self.not_taken(condition) {
            self.asm.jcc(not_taken, fall);
        }
        if to <= ip {
            // The last one of the budget is the handler's business.
            let budget: Arg = field(offset_of!(Wave, budget)).into();
            let slow = self.asm.label();
            self.asm.op(Op::Cmp_rm32_imm8, &[budget, 1u8.into()]);
            self.asm.jcc(Condition::Equal, slow);
            self.asm.op(Op::Dec_rm32, &[budget]);
            self.slow.push((slow, ip));
        }
        self.asm.jmp(target);
        self.asm.bind(fall);
    }

    pub fn scalar_load(&mut self, ip: usize, dwords: u16) {
        let record = &self.program.records[ip];
        // It reads registers that the region might write, and may pass no store.
        let mut touched = ScalarSet::default();
        touched.add(record.src[1], 2);
        if record.src[2] < 128 {
            touched.add(record.src[2], 1);
        }
        let mut written = ScalarSet::default();
        written.add(record.sdst, dwords);
        if !self.region.admits_load(&touched, &written) {
            self.end_region();
        }
        if !matches!(dwords, 1 | 2 | 4 | 8 | 16) {
            self.end_region();
            return self.call(ip);
        }
        let (begin, end, slow, done) =
            (self.asm.label(), self.asm.label(), self.asm.label(), self.asm.label());
        self.enter();
        self.for_waves(&touched, &written, false);
        let asm = &mut self.asm;
        let entry = usize::from(record.cache) % CACHES * size_of::<RangeCache>();
        let range = |field: usize| -> Arg { at(Register::R10, (entry + field) as i32).into() };
        asm.op(Op::Mov_r64_rm64, &[Register::R10.into(), context(offset_of!(Context, caches)).into()]);
        asm.op(Op::Mov_r64_rm64, &[RAX.into(), scalar(record.src[1]).into()]);
        match record.src[2] {
            source::NONE => {}
            source::CONST => {
                asm.op(Op::Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(record.consts[2] as u32)]);
                asm.op(Op::Add_r64_rm64, &[RAX.into(), RCX.into()]);
            }
            number => {
                asm.op(Op::Mov_r32_rm32, &[Register::ECX.into(), scalar(number).into()]);
                asm.op(Op::Add_r64_rm64, &[RAX.into(), RCX.into()]);
            }
        }
        if record.imm != 0 {
            asm.op(Op::Add_rm64_imm32, &[RAX.into(), Arg::Dword(record.imm as u32)]);
        }
        asm.op(Op::And_rm64_imm8, &[RAX.into(), 0xfcu8.into()]);
        asm.op(Op::Cmp_r64_rm64, &[EPOCH.into(), range(offset_of!(RangeCache, epoch))]);
        asm.jcc(Condition::NotEqual, slow);
        asm.op(Op::Test_rm8_imm8, &[range(offset_of!(RangeCache, rights)), 1u8.into()]);
        asm.jcc(Condition::Equal, slow);
        asm.op(Op::Mov_r64_rm64, &[RCX.into(), RAX.into()]);
        asm.op(Op::Sub_r64_rm64, &[RCX.into(), range(offset_of!(RangeCache, range.start))]);
        asm.op(Op::Mov_r64_rm64, &[Register::R11.into(), range(offset_of!(RangeCache, range.len))]);
        asm.op(Op::Sub_rm64_imm32, &[Register::R11.into(), Arg::Dword(4 * u32::from(dwords))]);
        asm.op(Op::Cmp_r64_rm64, &[RCX.into(), Register::R11.into()]);
        asm.jcc(Condition::Above, slow);
        asm.op(Op::Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.delta))]);
        asm.bind(begin);
        let from = |k: i32| -> Arg { at(RAX, k).into() };
        let to = |k: u16| -> Arg { scalar(record.sdst + k).into() };
        match dwords {
            1 => {
                asm.op(Op::Mov_r32_rm32, &[Register::ECX.into(), from(0)]);
                asm.op(Op::Mov_rm32_r32, &[to(0), Register::ECX.into()]);
            }
            2 => {
                asm.op(Op::Mov_r64_rm64, &[RCX.into(), from(0)]);
                asm.op(Op::Mov_rm64_r64, &[to(0), RCX.into()]);
            }
            4 => {
                asm.op(Op::VEX_Vmovdqu_xmm_xmmm128, &[Register::XMM0.into(), from(0)]);
                asm.op(Op::VEX_Vmovdqu_xmmm128_xmm, &[to(0), Register::XMM0.into()]);
            }
            _ => {
                let registers = [Register::YMM0, Register::YMM1];
                let pieces = || registers.into_iter().zip([0, 8]).take(usize::from(dwords / 8));
                for (register, k) in pieces() {
                    asm.op(Op::VEX_Vmovdqu_ymm_ymmm256, &[register.into(), from(4 * k)]);
                }
                for (register, k) in pieces() {
                    asm.op(Op::VEX_Vmovdqu_ymmm256_ymm, &[to(k as u16), register.into()]);
                }
            }
        }
        asm.bind(end);
        asm.jmp(done);
        asm.bind(slow);
        leave_slot(asm);
        asm.op(Op::Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(ip as u32)]);
        asm.call(self.handler);
        asm.op(Op::Cmp_rm64_imm32, &[RAX.into(), Arg::Dword(ip as u32 + 1)]);
        asm.jcc(Condition::NotEqual, self.dispatch);
        enter(asm, self.fenced);
        asm.bind(done);
        self.sites.push((begin, end, slow));
    }

    /// Calls the handler and goes where it says.
    pub fn call(&mut self, ip: usize) {
        let next = self.entries.get(ip + 1).copied().flatten();
        self.asm.op(Op::Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(ip as u32)]);
        self.asm.call(self.handler);
        if let Some(next) = next {
            self.asm.op(Op::Cmp_rm64_imm32, &[RAX.into(), Arg::Dword(ip as u32 + 1)]);
            self.asm.jcc(Condition::Equal, next);
        }
        self.asm.jmp(self.dispatch);
    }

    /// The wave stops and resumes at a record.
    pub fn stop(&mut self, why: Stop, ip: usize) {
        let to: Arg = field(offset_of!(Wave, ip)).into();
        self.asm.op(Op::Mov_rm64_imm32, &[to, Arg::Dword(ip as u32)]);
        let to: Arg = field(offset_of!(Wave, stop)).into();
        self.asm.op(Op::Mov_rm64_imm32, &[to, Arg::Dword(why.tag() as u32)]);
        self.asm.op(Op::Mov_rm64_imm32, &[RAX.into(), Arg::Dword(u32::MAX)]);
        self.asm.jmp(self.leave);
    }

    /// The address behind a record goes to its destination; uses RAX.
    pub fn store_pc(&mut self, ip: usize) {
        // mov rax, the address
        self.asm.raw(&[0x48, 0xb8]);
        self.asm.raw(&self.program.pc_after(ip).to_le_bytes());
        let to = scalar(self.program.records[ip].sdst);
        self.asm.op(Op::Mov_rm64_r64, &[to.into(), RAX.into()]);
    }

    /// An atomic operation.
    pub fn atomic(&mut self, ip: usize, access: &AtomicAccess) {
        let (rest, after) = (self.asm.label(), self.asm.label());
        let mut exec = ScalarSet::default();
        exec.add(sgpr::EXEC_LO.into(), 2);
        let mut reads = exec;
        access.scalar_reads(&mut reads);
        self.for_waves(&reads, &ScalarSet::default(), true);
        self.join(&exec);
        // What came before has withdrawn its own announcement.
        let entered = access.is_global();
        if entered {
            enter(&mut self.asm, self.fenced);
        }
        let (begin, end) = access.emit(&mut self.asm, rest);
        if access.is_global() {
            self.sites.push((begin, end, rest));
        }
        if entered {
            leave_slot(&mut self.asm);
        }
        self.asm.bind(after);
        self.unfinished.push(Unfinished { rest, ip, entered, after });
    }
}
