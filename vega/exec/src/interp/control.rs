//! Program flow and wave state.

use std::sync::atomic::{Ordering, fence};

use vega_isa::micro::{BranchIf, HwReg, Logic};
use vega_isa::sgpr;

use super::level::{Handler, Vector};
use super::record::{EXIT, Record};
use super::wave::{Stop, Wave};
use super::worker::{BUDGET, Worker};
use crate::report::FaultKind;

/// Leaves the interpreter; the wave resumes at `to`.
#[inline(always)]
fn stop(wave: &mut Wave, to: usize, why: Stop) -> usize {
    wave.ip = to;
    wave.stop = why;
    EXIT
}

/// A taken branch: backward ones count down to a yield.
#[inline(always)]
fn jump(wave: &mut Wave, record: &Record, ip: usize) -> usize {
    let to = record.imm as usize;
    if to <= ip {
        wave.budget -= 1;
        if wave.budget == 0 {
            wave.budget = BUDGET;
            return stop(wave, to, Stop::Yield);
        }
    }
    to
}

macro_rules! control {
    ($($(#[$doc:meta])* $name:ident |$wave:pat_param, $worker:pat_param, $record:pat_param, $ip:pat_param| $e:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;
        impl Handler for $name {
            #[inline(always)]
            unsafe fn exec<V: Vector>(
                $wave: &mut Wave,
                $worker: &mut Worker,
                $record: &Record,
                $ip: usize,
            ) -> usize {
                $e
            }
        }
    )*};
}

macro_rules! branches {
    ($($name:ident |$wave:ident| $condition:expr;)*) => { control! {$(
        #[doc = "A branch."]
        $name |$wave, _, record, ip| if $condition { jump($wave, record, ip) } else { ip + 1 };
    )*} };
}
branches! {
    Scc0 |wave| !wave.scc;
    Scc1 |wave| wave.scc;
    Vccz |wave| wave.vcc() == 0;
    Vccnz |wave| wave.vcc() != 0;
    Execz |wave| wave.exec() == 0;
    Execnz |wave| wave.exec() != 0;
}

control! {
    /// Does nothing.
    Nop |_, _, _, ip| ip + 1;
    /// `s_branch`, and the step from one run of code to the next.
    Always |wave, _, record, ip| jump(wave, record, ip);
    /// `s_endpgm`.
    End |wave, _, _, ip| stop(wave, ip, Stop::End);
    /// `s_barrier`.
    Barrier |wave, _, _, ip| stop(wave, ip + 1, Stop::Barrier);
    /// `s_sleep`.
    Sleep |wave, _, _, ip| stop(wave, ip + 1, Stop::Sleep);
    /// `s_waitcnt`: an earlier store comes before a later load.
    Waitcnt |wave, _, _, ip| {
        if wave.store_outstanding {
            wave.store_outstanding = false;
            fence(Ordering::SeqCst);
        }
        ip + 1
    };
    /// `s_getpc_b64`.
    GetPc |wave, _, record, ip| {
        let next = wave.pc_after(ip);
        wave.set_s64(record.sdst as usize, next);
        ip + 1
    };
    /// `s_setpc_b64`.
    SetPc |wave, _, record, ip| {
        let to = wave.scalar64(record, 0) & !3;
        stop(wave, ip, Stop::Jump(to))
    };
    /// `s_swappc_b64`.
    SwapPc |wave, _, record, ip| {
        let to = wave.scalar64(record, 0) & !3;
        let next = wave.pc_after(ip);
        wave.set_s64(record.sdst as usize, next);
        stop(wave, ip, Stop::Jump(to))
    };
    /// `s_call_b64`.
    Call |wave, _, record, ip| {
        let next = wave.pc_after(ip);
        wave.set_s64(record.sdst as usize, next);
        jump(wave, record, ip)
    };
    /// Code beyond what one program holds.
    GotoAddress |wave, _, _, ip| {
        let to = wave.pc(ip);
        stop(wave, ip, Stop::Jump(to))
    };
    /// `s_trap`.
    Trap |wave, worker, record, ip| {
        worker.fail(wave, ip, FaultKind::Trap(record.imm as u8), None)
    };
    /// An instruction that a compute kernel may not use, or that this engine lacks.
    Illegal |wave, worker, record, ip| {
        let reason = REASONS.get(record.imm as usize).copied().unwrap_or("");
        worker.fail(wave, ip, FaultKind::IllegalInstruction { reason }, None)
    };
    /// Code that cannot be fetched.
    Unfetchable |wave, worker, _, ip| {
        let va = wave.pc(ip);
        let mut word = [0; 4];
        match worker.space.fetch_bytes(va, &mut word) {
            // It can be now: decode it afresh.
            Ok(()) => stop(wave, ip, Stop::Jump(va)),
            Err(fault) => worker.fail(wave, ip, FaultKind::Memory(fault), None),
        }
    };
    /// `s_sendmsg`.
    SendMessage |wave, worker, record, ip| {
        match record.imm & 15 {
            1 => worker.host.interrupt(wave.m0()),
            _ => {
                let reason = "s_sendmsg: only MSG_INTERRUPT exists for compute";
                return worker.fail(wave, ip, FaultKind::IllegalInstruction { reason }, None);
            }
        }
        ip + 1
    };
    /// `s_memtime`.
    MemTime |wave, worker, record, ip| {
        let now = worker.host.shader_clock();
        wave.set_s64(record.sdst as usize, now);
        ip + 1
    };
    /// `s_memrealtime`.
    RealTime |wave, worker, record, ip| {
        let now = worker.host.realtime_clock();
        wave.set_s64(record.sdst as usize, now);
        ip + 1
    };
    /// `s_getreg_b32`.
    GetReg |wave, worker, record, ip| {
        let register = HwReg::from_imm(record.imm as u16);
        let value = match register.id {
            1 => wave.mode,
            2 => u32::from(wave.scc),
            // The only card, shader engine, CU and slot that a wave can see.
            4 => 0,
            15 => {
                let apertures = worker.apertures;
                (apertures.private >> 48) as u32 & 0xffff | ((apertures.lds >> 48) as u32) << 16
            }
            _ => {
                let reason = "s_getreg: this hardware register is not there";
                return worker.fail(wave, ip, FaultKind::IllegalInstruction { reason }, None);
            }
        };
        let field = u64::from(value >> register.offset) & ((1u64 << register.bits) - 1);
        wave.s[record.sdst as usize] = field as u32;
        ip + 1
    };
    /// `s_setreg_b32` and `s_setreg_imm32_b32`.
    SetReg |wave, worker, record, ip| {
        let register = HwReg::from_imm(record.imm as u16);
        if register.id != 1 {
            let reason = "s_setreg: only MODE can be written";
            return worker.fail(wave, ip, FaultKind::IllegalInstruction { reason }, None);
        }
        let mask = ((((1u64 << register.bits) - 1) << register.offset) as u32) & 0x3ff;
        let value = wave.scalar32(record, 0) << register.offset;
        wave.mode = wave.mode & !mask | value & mask;
        let strict = wave.program().is_some_and(|program| program.strict);
        if strict || wave.mode & 0x3ff == super::DEFAULT_MODE {
            return ip + 1;
        }
        // Fast handlers know the default mode only: go on in the strict version of the code.
        wave.strict = true;
        let next = wave.pc_after(ip);
        stop(wave, ip, Stop::Jump(next))
    };
    /// `s_set_gpr_idx_on`: `imm` is the mode.
    GprIdxOn |wave, _, record, ip| {
        let index = wave.scalar32(record, 0) & 0xff;
        let m0 = wave.m0() & !0xf0ff | index | (record.imm as u32 & 15) << 12;
        wave.s[sgpr::M0 as usize] = m0;
        wave.gpr_idx = true;
        stop(wave, ip + 1, Stop::Indexing)
    };
    /// `s_set_gpr_idx_off`.
    GprIdxOff |wave, _, _, ip| {
        wave.gpr_idx = false;
        ip + 1
    };
    /// `s_set_gpr_idx_idx`.
    GprIdxIdx |wave, _, record, ip| {
        let index = wave.scalar32(record, 0) & 0xff;
        wave.s[sgpr::M0 as usize] = wave.m0() & !0xff | index;
        ip + 1
    };
    /// `s_set_gpr_idx_mode`.
    GprIdxMode |wave, _, record, ip| {
        wave.s[sgpr::M0 as usize] = wave.m0() & !0xf000 | (record.imm as u32 & 15) << 12;
        ip + 1
    };
}

/// Why instructions are illegal, by the number in the record.
pub(crate) const REASONS: [&str; 5] = [
    "no gfx900 instruction is encoded so",
    "graphics only",
    "this engine does not execute the instruction yet",
    "this engine does not execute this form of the instruction yet",
    "register out of range",
];

/// `s_*_saveexec_b64` (dst = EXEC, EXEC = op) and `s_*_wrexec_b64` (EXEC = dst = op); `imm` is the
/// [`Logic`]'s number, with bit 8 set for wrexec.
pub(crate) struct SaveExec;

/// The combinations, so that a record can hold their number.
pub(crate) const LOGIC: [Logic; 10] = [
    Logic::And,
    Logic::Or,
    Logic::Xor,
    Logic::Andn2,
    Logic::Orn2,
    Logic::Andn1,
    Logic::Orn1,
    Logic::Nand,
    Logic::Nor,
    Logic::Xnor,
];

impl Handler for SaveExec {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let (a, b) = (wave.scalar64(record, 0), wave.exec());
        let result = match LOGIC.get((record.imm & 0xff) as usize).copied().unwrap_or(Logic::And) {
            Logic::And => a & b,
            Logic::Or => a | b,
            Logic::Xor => a ^ b,
            Logic::Andn2 => a & !b,
            Logic::Orn2 => a | !b,
            Logic::Andn1 => !a & b,
            Logic::Orn1 => !a | b,
            Logic::Nand => !(a & b),
            Logic::Nor => !(a | b),
            Logic::Xnor => !(a ^ b),
        };
        let saved = if record.imm & 0x100 != 0 { result } else { b };
        wave.set_s64(record.sdst as usize, saved);
        wave.set_exec(result);
        wave.scc = result != 0;
        ip + 1
    }
}

/// The handler of a branch.
pub(crate) fn branch(condition: BranchIf) -> Option<super::alu::Make> {
    use super::level::run;
    Some(match condition {
        BranchIf::Always => |level| run::<Always>(level),
        BranchIf::Scc0 => |level| run::<Scc0>(level),
        BranchIf::Scc1 => |level| run::<Scc1>(level),
        BranchIf::Vccz => |level| run::<Vccz>(level),
        BranchIf::Vccnz => |level| run::<Vccnz>(level),
        BranchIf::Execz => |level| run::<Execz>(level),
        BranchIf::Execnz => |level| run::<Execnz>(level),
        // No debugger is attached: never taken.
        BranchIf::DebugSystem
        | BranchIf::DebugUser
        | BranchIf::DebugSystemOrUser
        | BranchIf::DebugSystemAndUser => |level| run::<Nop>(level),
    })
}
