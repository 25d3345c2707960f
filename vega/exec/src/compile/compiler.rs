//! From a program's records to code: each record is compiled, or calls the interpreter's handler.

use std::mem::offset_of;

use iced_x86::{Code as Op, Register};
use vega_isa::memory::{MemKind, MemOp, Space};
use vega_isa::micro::{BranchIf, Control};
use vega_isa::{Inst, Micro, sgpr};

use super::assembler::{Arg, Assembler, Condition, Label, at};
use super::code::{Code, Member, Records};
use super::context::Context;
use super::ir::Lane;
use super::layout::{CONTEXT, EPOCH, LDS, SCALAR_BIAS, SCALARS, SLOT, WAVE, context, field, scalar};
use super::region::{Region, Surroundings, enter, leave_slot};
use super::scalar::{Scalar, test_scc};
use super::set::ScalarSet;
use super::shape::{Shape, shape};
use super::target::Target;
use crate::interp::program::Program;
use crate::interp::record::{Record, code as source};
use crate::interp::wave::Wave;
use crate::interp::worker::CACHES;
use crate::memory::RangeCache;
use crate::observe::stats::Counts;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;

/// A record as the compiler treats it.
enum Step {
    /// Part of a region.
    Lane(Box<(Lane, Shape)>),
    /// A scalar instruction.
    Scalar(Box<Scalar>),
    /// A load from scalar memory to `dwords` registers.
    ScalarLoad { dwords: u16 },
    /// A branch within the program.
    Branch(BranchIf),
    /// Earlier stores come before later loads.
    Fence,
    /// Nothing.
    Nothing,
    /// The interpreter's handler.
    Call,
}

fn step(inst: Option<&Inst>, record: &Record, ip: usize, target: Target) -> Step {
    let Some(inst) = inst else { return Step::Call };
    match inst.row.micro {
        Micro::Control(Control::Branch(condition)) => match condition {
            BranchIf::DebugSystem
            | BranchIf::DebugUser
            | BranchIf::DebugSystemOrUser
            | BranchIf::DebugSystemAndUser => Step::Call,
            condition => Step::Branch(condition),
        },
        Micro::Control(Control::Waitcnt) | Micro::Cache(_) => Step::Fence,
        Micro::Control(
            Control::Nop | Control::SetPriority | Control::IncPerfLevel | Control::DecPerfLevel,
        ) => Step::Nothing,
        Micro::Mem(MemOp { space: Space::Scalar, kind: MemKind::Load { .. } })
            if record.src[1] < 128
                && (record.src[2] < 128 || matches!(record.src[2], source::NONE | source::CONST)) =>
        {
            Step::ScalarLoad { dwords: record.consts[1] as u16 }
        }
        _ => {
            if let Some(scalar) = Scalar::new(inst, record) {
                return Step::Scalar(Box::new(scalar));
            }
            match Lane::new(inst, record, ip) {
                Some(lane) => match shape(&lane).filter(|shape| target.covers(&lane, *shape)) {
                    Some(shape) => Step::Lane(Box::new((lane, shape))),
                    None => Step::Call,
                },
                None => Step::Call,
            }
        }
    }
}

struct Compiler<'p> {
    program: &'p Program,
    target: Target,
    asm: Assembler,
    region: Region,
    regions: Vec<Box<[Member]>>,
    /// Entries by record.
    entries: Vec<Option<Label>>,
    /// Begin and end of code in which host faults may happen, and where they go.
    sites: Vec<(Label, Label, Label)>,
    /// Code out of the way: handlers to be called when something rare happens.
    slow: Vec<(Label, usize)>,
    /// RAX is the next record, or the exit.
    dispatch: Label,
    /// Leaves with RAX.
    leave: Label,
    /// Calls the handler of the record whose number is in ECX.
    handler: Label,
    /// Calls the interpreter for a strip.
    interpret: Label,
    /// An access is announced.
    entered: bool,
    /// Lane masks that strips have written piece by piece.
    pieces: ScalarSet,
    fenced: bool,
    counted: bool,
}

/// Compiles a program.
///
/// # Errors
/// When the host refuses memory for code, or an instruction could not be encoded.
pub(super) fn compile(
    program: &Program,
    target: Target,
    fenced: bool,
    counted: bool,
) -> Result<Code, String> {
    let mut asm = Assembler::new();
    let [dispatch, leave, handler, interpret] = std::array::from_fn(|_| asm.label());
    let mut compiler = Compiler {
        program,
        target,
        asm,
        region: Region::new(target),
        regions: Vec::new(),
        entries: vec![None; program.records.len()],
        sites: Vec::new(),
        slow: Vec::new(),
        dispatch,
        leave,
        handler,
        interpret,
        entered: false,
        pieces: ScalarSet::default(),
        fenced,
        counted,
    };
    let insts: Vec<Option<Inst>> = (0..program.records.len()).map(|ip| program.inst(ip)).collect();
    let steps: Vec<Step> = program
        .records
        .iter()
        .enumerate()
        .map(|(ip, record)| step(insts[ip].as_ref(), record, ip, target))
        .collect();
    compiler.entry_points(&steps);
    compiler.frame();
    for (ip, step) in steps.iter().enumerate() {
        compiler.step(ip, step);
    }
    compiler.end_region();
    // Control does not get here: the last record of a program never falls through.
    compiler.asm.raw(&[0x0f, 0x0b]);
    compiler.slow_paths();
    let called = steps.iter().map(|step| matches!(step, Step::Call)).collect();
    compiler.finish(called)
}

impl Compiler<'_> {
    fn entry(&mut self, ip: usize) {
        if let Some(entry @ None) = self.entries.get_mut(ip) {
            *entry = Some(self.asm.label());
        }
    }

    /// Where control can come in: the entry, targets, and what follows a handler.
    fn entry_points(&mut self, steps: &[Step]) {
        self.entry(0);
        for (ip, step) in steps.iter().enumerate() {
            let to = self.program.records[ip].imm as usize;
            match step {
                Step::Branch(_) => {
                    self.entry(to);
                    self.entry(ip + 1);
                }
                Step::Call => {
                    self.entry(ip + 1);
                    // Calls, and steps from one run of code to the next.
                    self.entry(to);
                }
                _ => {}
            }
        }
    }

    /// The way in and out, and calls of the interpreter.
    fn frame(&mut self) {
        use Register::*;
        let saved = [RBX, RBP, R12, R13, R14, R15];
        for register in saved {
            self.asm.op(Op::Push_r64, &[register.into()]);
        }
        self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
        self.asm.op(Op::Mov_r64_rm64, &[CONTEXT.into(), RDI.into()]);
        let wave: Arg = context(offset_of!(Context, wave)).into();
        self.asm.op(Op::Mov_r64_rm64, &[WAVE.into(), wave]);
        let scalars = at(WAVE, offset_of!(Wave, s) as i32 + SCALAR_BIAS);
        self.asm.op(Op::Lea_r64_m, &[SCALARS.into(), scalars.into()]);
        self.asm.op(Op::Mov_r64_rm64, &[LDS.into(), context(offset_of!(Context, lds)).into()]);
        self.asm.op(Op::Mov_r64_rm64, &[SLOT.into(), context(offset_of!(Context, slot)).into()]);
        self.asm.op(Op::Jmp_rm64, &[RSI.into()]);

        self.asm.bind(self.dispatch);
        self.asm.op(Op::Cmp_r64_rm64, &[RAX.into(), context(offset_of!(Context, count)).into()]);
        self.asm.jcc(Condition::AboveEqual, self.leave);
        self.asm.op(Op::Mov_r64_rm64, &[RCX.into(), context(offset_of!(Context, entries)).into()]);
        let entry = iced_x86::MemoryOperand::with_base_index_scale(RCX, RAX, 4);
        self.asm.op(Op::Mov_r32_rm32, &[ECX.into(), entry.into()]);
        self.asm.op(Op::Test_rm32_r32, &[ECX.into(), ECX.into()]);
        self.asm.jcc(Condition::Equal, self.leave);
        self.asm.op(Op::Add_r64_rm64, &[RCX.into(), context(offset_of!(Context, base)).into()]);
        self.asm.op(Op::Jmp_rm64, &[RCX.into()]);

        self.asm.bind(self.leave);
        self.vzeroupper();
        self.asm.op(Op::Add_rm64_imm8, &[RSP.into(), 8u8.into()]);
        for register in saved.into_iter().rev() {
            self.asm.op(Op::Pop_r64, &[register.into()]);
        }
        self.asm.op(Op::Retnq, &[]);

        self.asm.bind(self.handler);
        self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
        self.vzeroupper();
        self.asm.op(Op::Mov_r64_rm64, &[RDX.into(), RCX.into()]);
        self.asm.op(Op::Shl_rm64_imm8, &[RDX.into(), 6u8.into()]);
        self.asm.op(Op::Add_r64_rm64, &[RDX.into(), context(offset_of!(Context, records)).into()]);
        self.asm.op(Op::Mov_r64_rm64, &[RDI.into(), WAVE.into()]);
        self.asm.op(Op::Mov_r64_rm64, &[RSI.into(), context(offset_of!(Context, worker)).into()]);
        self.asm.op(Op::Call_rm64, &[at(RDX, offset_of!(Record, run) as i32).into()]);
        self.back();

        self.asm.bind(self.interpret);
        self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
        self.vzeroupper();
        self.asm.op(Op::Call_rm64, &[context(offset_of!(Context, careful)).into()]);
        self.back();
    }

    /// Returns from Rust to compiled code.
    fn back(&mut self) {
        self.asm.op(Op::Add_rm64_imm8, &[Register::RSP.into(), 8u8.into()]);
        self.asm.op(Op::Retnq, &[]);
    }

    fn vzeroupper(&mut self) {
        self.asm.op(Op::VEX_Vzeroupper, &[]);
    }

    fn end_region(&mut self) {
        let region = std::mem::replace(&mut self.region, Region::new(self.target));
        if region.is_empty() {
            return;
        }
        if region.is_global() {
            self.enter();
        }
        let mut exec = ScalarSet::default();
        exec.add(sgpr::EXEC_LO.into(), 2);
        self.join(&exec);
        let surroundings = Surroundings {
            number: self.regions.len(),
            interpret: self.interpret,
            leave: self.leave,
            entered: self.entered,
            fenced: self.fenced,
        };
        let sites = region.emit(&mut self.asm, &surroundings);
        self.pieces.extend(region.mask_writes());
        self.sites.extend(sites);
        self.regions.push(region.members(&self.program.records));
    }

    fn step(&mut self, ip: usize, step: &Step) {
        if let Some(label) = self.entries[ip] {
            self.end_region();
            self.exit();
            self.pieces = ScalarSet::default();
            self.asm.bind(label);
            self.count(ip);
        }
        match step {
            Step::Lane(lane) => {
                let (lane, shape) = **lane;
                for lane in [Some(lane), lane.second()].into_iter().flatten() {
                    if !self.region.admits(&lane, shape) {
                        self.end_region();
                    }
                    self.region.push(lane, shape);
                }
            }
            Step::Scalar(scalar) => {
                if !self.region.admits_before(scalar) {
                    self.end_region();
                }
                self.join(&scalar.reads);
                scalar.emit(&mut self.asm);
                self.pieces.remove(&scalar.writes);
            }
            Step::ScalarLoad { dwords } => self.scalar_load(ip, *dwords),
            Step::Branch(condition) => {
                self.end_region();
                self.exit();
                self.branch(ip, *condition);
            }
            Step::Fence => {
                if self.region.only_loads() {
                    self.region.fence();
                } else {
                    self.end_region();
                }
                self.fence();
            }
            Step::Nothing => {}
            Step::Call => {
                self.end_region();
                self.exit();
                self.call(ip);
            }
        }
    }

    /// Announces accesses to global memory, until [`exit`](Self::exit): translations of this epoch may be used.
    fn enter(&mut self) {
        if !std::mem::replace(&mut self.entered, true) {
            enter(&mut self.asm, self.fenced);
        }
    }

    /// Withdraws the announcement, before control goes elsewhere.
    fn exit(&mut self) {
        if std::mem::take(&mut self.entered) {
            leave_slot(&mut self.asm);
        }
    }

    /// Writes lane masks among `reads` as a whole that strips have written piece by piece: the processor does not
    /// forward several stores to one load.
    fn join(&mut self, reads: &ScalarSet) {
        let bits = self.target.lanes() as u16;
        let (load, bytes) = if bits == 16 { (Op::Movzx_r32_rm16, 2) } else { (Op::Movzx_r32_rm8, 1) };
        for number in self.pieces.pairs().filter(|n| reads.has(*n) || reads.has(n + 1)).collect::<Vec<_>>() {
            let place = |bytes: i64| {
                let mut place = scalar(number);
                place.displacement += bytes;
                place
            };
            self.asm.op(load, &[Register::EAX.into(), place(0).into()]);
            for piece in 1..64 / bits {
                self.asm.op(load, &[Register::ECX.into(), place(i64::from(piece) * bytes).into()]);
                self.asm.op(Op::Shl_rm64_imm8, &[RCX.into(), ((piece * bits) as u8).into()]);
                self.asm.op(Op::Or_r64_rm64, &[RAX.into(), RCX.into()]);
            }
            self.asm.op(Op::Mov_rm64_r64, &[place(0).into(), RAX.into()]);
            let mut done = ScalarSet::default();
            done.add(number, 2);
            self.pieces.remove(&done);
        }
    }

    /// Counts that control came in at a record: what follows up to the next entry is executed.
    fn count(&mut self, ip: usize) {
        if self.counted {
            let counter = ip * size_of::<Counts>() + offset_of!(Counts, entered);
            self.asm.op(Op::Mov_r64_rm64, &[RAX.into(), context(offset_of!(Context, counts)).into()]);
            self.asm.op(Op::Inc_rm64, &[at(RAX, counter as i32).into()]);
        }
    }

    /// Calls the handler and goes where it says.
    fn call(&mut self, ip: usize) {
        let next = self.entries.get(ip + 1).copied().flatten();
        self.asm.op(Op::Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(ip as u32)]);
        self.asm.call(self.handler);
        if let Some(next) = next {
            self.asm.op(Op::Cmp_rm64_imm32, &[RAX.into(), Arg::Dword(ip as u32 + 1)]);
            self.asm.jcc(Condition::Equal, next);
        }
        self.asm.jmp(self.dispatch);
    }

    fn fence(&mut self) {
        let done = self.asm.label();
        let outstanding: Arg = field(offset_of!(Wave, store_outstanding)).into();
        self.asm.op(Op::Cmp_rm8_imm8, &[outstanding, 0u8.into()]);
        self.asm.jcc(Condition::Equal, done);
        self.asm.op(Op::Mov_rm8_imm8, &[outstanding, 0u8.into()]);
        // lock or dword [rsp], 0: a full barrier.
        self.asm.raw(&[0xf0, 0x83, 0x0c, 0x24, 0x00]);
        self.asm.bind(done);
    }

    fn branch(&mut self, ip: usize, condition: BranchIf) {
        let mut reads = ScalarSet::default();
        match condition {
            BranchIf::Vccz | BranchIf::Vccnz => reads.add(sgpr::VCC_LO.into(), 2),
            BranchIf::Execz | BranchIf::Execnz => reads.add(sgpr::EXEC_LO.into(), 2),
            _ => {}
        }
        self.join(&reads);
        let to = self.program.records[ip].imm as usize;
        let Some(target) = self.entries.get(to).copied().flatten() else { return self.call(ip) };
        let fall = self.asm.label();
        let zero = |asm: &mut Assembler, number: u8| {
            asm.op(Op::Cmp_rm64_imm8, &[scalar(number.into()).into(), 0u8.into()]);
        };
        // The condition under which it is not taken.
        let not_taken = match condition {
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
        };
        if let Some(not_taken) = not_taken {
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

    fn scalar_load(&mut self, ip: usize, dwords: u16) {
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

    fn slow_paths(&mut self) {
        for (label, ip) in std::mem::take(&mut self.slow) {
            self.asm.bind(label);
            self.asm.op(Op::Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(ip as u32)]);
            self.asm.call(self.handler);
            self.asm.jmp(self.dispatch);
        }
    }

    fn finish(self, called: Box<[bool]>) -> Result<Code, String> {
        let finished = self.asm.finish()?;
        let place = |label: Label| finished.place(label).unwrap_or(0);
        let entries = self.entries.iter().map(|entry| entry.map_or(0, |label| place(label) as u32)).collect();
        let mut sites: Vec<_> =
            self.sites.iter().map(|(begin, end, to)| (place(*begin), place(*end), place(*to))).collect();
        sites.sort_unstable();
        Code::new(&finished.code, Records { entries, called }, self.regions, &sites, self.target)
            .map_err(|error| error.to_string())
    }
}
