//! Program flow and wave state.

use std::sync::atomic::{Ordering, fence};

use vega_isa::micro::{BranchIf, HwReg, Logic};
use vega_isa::sgpr;

use super::level::{Handler, Vector};
use super::record::{EXIT, Record};
use super::registers;
use super::wave::{Stop, Wave};
use super::worker::{BUDGET, Worker};
use crate::report::FaultKind;

/// Leaves the interpreter; the wave resumes at `to`.
#[inline(always)]
pub(super) fn stop(wave: &mut Wave, to: usize, why: Stop) -> usize {
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
    /// `s_icache_inv`.
    InvalidateCode |wave, worker, _, ip| worker.invalidate_code(wave, ip);
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
        message(wave, worker, record.imm);
        ip + 1
    };
    /// `s_sendmsghalt`.
    SendMessageHalt |wave, worker, record, ip| {
        message(wave, worker, record.imm);
        stop(wave, ip + 1, Stop::Halt)
    };
    /// `s_sethalt 1`: nobody is there who could resume the wave.
    Halt |wave, _, _, ip| stop(wave, ip + 1, Stop::Halt);
    /// `s_setvskip`.
    SetVskip |wave, _, record, ip| {
        wave.skip_vector = wave.scalar32(record, 0) >> (wave.scalar32(record, 1) & 31) & 1 == 1;
        stop(wave, ip + 1, Stop::Indexing)
    };
    /// `s_cbranch_g_fork`: the target is a register pair.
    Fork |wave, _, record, ip| {
        let target = wave.scalar64(record, 1) & !3;
        match fork(wave, record, target, ip) {
            true => stop(wave, ip, Stop::Jump(target)),
            false => ip + 1,
        }
    };
    /// `s_cbranch_i_fork`: the target is a distance.
    ForkNear |wave, _, record, ip| {
        let target = wave.pc(record.imm as usize);
        if fork(wave, record, target, ip) { jump(wave, record, ip) } else { ip + 1 }
    };
    /// `s_cbranch_join`: the other part of the lanes, or on.
    Join |wave, _, record, ip| {
        let depth = wave.mode >> FORKS;
        if depth == wave.scalar32(record, 0) & 7 {
            return ip + 1;
        }
        let depth = depth.wrapping_sub(1) & 7;
        wave.mode = wave.mode & !(7 << FORKS) | depth << FORKS;
        let entry = 4 * depth as usize;
        let (mask, to) = (wave.s64(entry), wave.s64(entry + 2));
        wave.set_exec(mask);
        stop(wave, ip, Stop::Jump(to & !3))
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
        let value = registers::read(wave, worker, register.id, ip);
        let field = u64::from(value >> register.offset) & ((1u64 << register.bits) - 1);
        wave.s[record.sdst as usize] = field as u32;
        ip + 1
    };
    /// `s_setreg_b32` and `s_setreg_imm32_b32`.
    SetReg |wave, _, record, ip| {
        let register = HwReg::from_imm(record.imm as u16);
        let mask = (((1u64 << register.bits) - 1) << register.offset) as u32;
        let value = wave.scalar32(record, 0) << register.offset;
        let changed = registers::write(wave, register.id, mask, value);
        let strict = wave.program().is_some_and(|program| program.strict);
        if strict || wave.mode & registers::FLOAT == super::DEFAULT_MODE {
            // Vector operands may be relative or skipped from now on, or no longer.
            return if changed { stop(wave, ip + 1, Stop::Indexing) } else { ip + 1 };
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

/// Where MODE has the depth of forks that wait for their join.
const FORKS: u32 = 29;

/// Divides the active lanes by source 0: the smaller part goes on, the other one is written down for the join. True: to the
/// target.
fn fork(wave: &mut Wave, record: &Record, target: u64, ip: usize) -> bool {
    let (mask, exec) = (wave.scalar64(record, 0), wave.exec());
    let (pass, fail) = (mask & exec, !mask & exec);
    if fail == 0 || pass == 0 {
        return fail == 0;
    }
    let fails = fail.count_ones() < pass.count_ones();
    let (now, later, address) = if fails { (fail, pass, target) } else { (pass, fail, wave.pc_after(ip)) };
    let depth = wave.mode >> FORKS;
    wave.set_exec(now);
    wave.set_s64(4 * depth as usize, later);
    wave.set_s64(4 * depth as usize + 2, address);
    wave.mode = wave.mode & !(7 << FORKS) | ((depth + 1) & 7) << FORKS;
    !fails
}

/// Sends a message. Those of geometry shaders and of the trap handler have no receiver in a compute dispatch.
fn message(wave: &mut Wave, worker: &mut Worker, message: i32) {
    const INTERRUPT: i32 = 1;
    if message & 15 == INTERRUPT {
        worker.host.interrupt(wave.m0());
    }
}

/// Why instructions are illegal, by the number in the record.
pub(crate) const REASONS: [&str; 4] = [
    "no gfx900 instruction is encoded so",
    "graphics only",
    "register out of range",
    "only a trap handler may execute it",
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
