//! From a program's records to code: each record is compiled, or calls the interpreter's handler.

use std::mem::offset_of;

use iced_x86::{Code as Op, Register};
use vega_isa::memory::{MemKind, MemOp, Space};
use vega_isa::micro::{BranchIf, Control, Un};
use vega_isa::{FpTraits, Inst, Micro, sgpr};

use super::assembler::{Assembler, Label, at};
use super::atomic::AtomicAccess;
use super::code::{Code, Member};
use super::context::Context;
use super::form::CROSS;
use super::ir::Lane;
use super::layout::{context, field, scalar};
use super::line::Spot;
use super::liveness::{Effect, Liveness};
use super::lockstep::Lockstep;
use super::operand::Source;
use super::region::{Region, Surroundings, enter, leave_slot};
use super::scalar::Scalar;
use super::set::ScalarSet;
use super::shape::{Shape, shape};
use super::target::Target;
use super::whole::{self, Whole};
use crate::interp::lower;
use crate::interp::program::{Details, Program};
use crate::interp::record::{Record, code as source};
use crate::interp::wave::{Stop, Wave};
use crate::observe::stats::Counts;

pub(super) const RAX: Register = Register::RAX;
pub(super) const RCX: Register = Register::RCX;

/// A record as the compiler treats it.
pub(super) enum Step {
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
    /// An exchange between lanes.
    Whole(Box<Whole>),
    /// An atomic operation.
    Atomic(Box<AtomicAccess>),
    /// The wave stops, and resumes here or behind.
    Stop { why: Stop, behind: bool },
    /// The address of what follows, to a register.
    GetPc,
    /// A jump to an address in registers; the address of what follows goes to a register if there is one.
    Jump { link: bool },
    /// Nothing.
    Nothing,
    /// The interpreter's handler.
    Call,
}

/// `strict` code runs in another floating-point mode than the one that emissions have in mind.
fn step(inst: Option<&Inst>, record: &Record, ip: usize, target: Target, strict: bool) -> Step {
    let Some(inst) = inst else {
        return if lower::is_goto(record) { Step::Branch(BranchIf::Always) } else { Step::Call };
    };
    match inst.row.micro {
        Micro::Control(Control::Branch(condition)) => match condition {
            BranchIf::DebugSystem
            | BranchIf::DebugUser
            | BranchIf::DebugSystemOrUser
            | BranchIf::DebugSystemAndUser => Step::Nothing,
            condition => Step::Branch(condition),
        },
        Micro::Control(Control::Waitcnt) | Micro::Cache(_) => Step::Fence,
        Micro::Control(
            Control::Nop
            | Control::SetPriority
            | Control::Wakeup
            | Control::IncPerfLevel
            | Control::DecPerfLevel
            | Control::TraceData,
        )
        | Micro::Lane1(Un::Nop | Un::ClearExceptions, _) => Step::Nothing,
        Micro::Control(Control::EndProgram | Control::EndProgramSaved) => {
            Step::Stop { why: Stop::End, behind: false }
        }
        Micro::Control(Control::Barrier) => Step::Stop { why: Stop::Barrier, behind: true },
        Micro::Control(Control::Sleep) => Step::Stop { why: Stop::Sleep, behind: true },
        Micro::Control(Control::GetPc) => Step::GetPc,
        Micro::Control(Control::SetPc) if record.src[0] < 128 => Step::Jump { link: false },
        Micro::Control(Control::SwapPc) if record.src[0] < 128 => Step::Jump { link: true },
        Micro::Mem(MemOp { space: Space::Scalar, kind: MemKind::Load { .. } })
            if record.src[1] < 128
                && (record.src[2] < 128 || matches!(record.src[2], source::NONE | source::CONST)) =>
        {
            Step::ScalarLoad { dwords: record.consts[1] as u16 }
        }
        _ => {
            if strict && inst.row.fp != FpTraits::NONE {
                return Step::Call;
            }
            if let Some(scalar) = Scalar::new(inst, record) {
                return Step::Scalar(Box::new(scalar));
            }
            if let Some(access) = AtomicAccess::new(inst, record) {
                return Step::Atomic(Box::new(access));
            }
            if let Some(whole) = Whole::new(inst, record) {
                return Step::Whole(Box::new(whole));
            }
            match Lane::new(inst, record, ip) {
                Some(lane) => match shape(&lane).filter(|_| target.covers(&lane)) {
                    Some(shape) => Step::Lane(Box::new((lane, shape))),
                    None => Step::Call,
                },
                None => Step::Call,
            }
        }
    }
}

impl Step {
    /// What it means for vector registers; `to` is where a branch leads.
    fn effect(&self, ip: usize, to: usize) -> Effect {
        let mut effect = Effect::plain(ip);
        match self {
            Self::Lane(lane) => {
                let (lane, _) = &**lane;
                lane.vector_reads(&mut effect.reads);
                lane.vector_writes(&mut effect.writes);
                if let Some(second) = lane.second() {
                    second.vector_reads(&mut effect.reads);
                }
                effect.changes_exec = lane.to_exec;
            }
            Self::Scalar(scalar) => {
                effect.reads = scalar.lanes;
                let exec = u16::from(sgpr::EXEC_LO);
                effect.changes_exec = scalar.writes.has(exec) || scalar.writes.has(exec + 1);
            }
            // (It writes lanes that it chooses, and those that it reads may be inactive.)
            Self::Whole(whole) => effect.reads = whole.reads,
            Self::Atomic(access) => access.vector_reads(&mut effect.reads),
            Self::Branch(BranchIf::Always) => effect.next = [Some(to), None],
            Self::Branch(_) => effect.next[1] = Some(to),
            Self::Stop { why: Stop::End, .. } => effect.next = [None; 2],
            Self::Jump { .. } | Self::Call => effect.unknown = true,
            Self::ScalarLoad { .. } | Self::Fence | Self::Stop { .. } | Self::GetPc | Self::Nothing => {}
        }
        effect
    }
}

/// An atomic operation that the interpreter does for the lanes that are left.
pub(super) struct Unfinished {
    pub rest: Label,
    /// The record.
    pub ip: usize,
    /// An access is announced when control comes there.
    pub entered: bool,
    /// Where control goes on.
    pub after: Label,
}

/// Code of a program under construction.
pub(super) struct Compiler<'p> {
    pub program: &'p Program,
    pub target: Target,
    pub asm: Assembler,
    pub region: Region,
    pub regions: Vec<Box<[Member]>>,
    /// Entries by record.
    pub entries: Vec<Option<Label>>,
    /// Begin and end of code in which host faults may happen, and where they go.
    pub sites: Vec<(Label, Label, Label)>,
    /// Code out of the way: handlers to be called when something rare happens.
    pub slow: Vec<(Label, usize)>,
    /// RAX is the next record, or the exit.
    pub dispatch: Label,
    /// Leaves with RAX.
    pub leave: Label,
    /// Calls the handler of the record whose number is in ECX.
    pub handler: Label,
    /// Calls the interpreter for a strip.
    pub interpret: Label,
    /// Calls the interpreter for some lanes.
    pub rest: Label,
    /// Looks for a translation.
    pub translate: Label,
    /// Gives waves in line what they lack.
    pub disband: Label,
    /// Code out of the way: atomic operations that the interpreter ends.
    pub unfinished: Vec<Unfinished>,
    /// An access is announced.
    pub entered: bool,
    /// Lane masks that strips have written piece by piece.
    pub pieces: ScalarSet,
    pub fenced: bool,
    pub counted: bool,
    /// Which vector registers may be read.
    pub liveness: Liveness,
    /// The record at hand.
    pub at: usize,
    /// The waves of a workgroup run together in the code at hand.
    pub lockstep: Option<Lockstep>,
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
    let [dispatch, leave, handler, interpret, rest, translate, disband] =
        std::array::from_fn(|_| asm.label());
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
        rest,
        translate,
        disband,
        unfinished: Vec::new(),
        entered: false,
        pieces: ScalarSet::default(),
        fenced,
        counted,
        liveness: Liveness::new(&[]),
        at: 0,
        lockstep: None,
    };
    let insts: Vec<Option<Inst>> = (0..program.records.len()).map(|ip| program.inst(ip)).collect();
    let steps: Vec<Step> = program
        .records
        .iter()
        .enumerate()
        .map(|(ip, record)| step(insts[ip].as_ref(), record, ip, target, program.strict))
        .enumerate()
        .map(|(ip, step)| match step {
            // The interpreter must be able to do it without its permutation.
            Step::Lane(lane)
                if lane.0.dpp.is_some_and(|dpp| target.crosses(dpp))
                    && !matches!(program.details(ip), Some(Details::Shuffle(_))) =>
            {
                Step::Call
            }
            step => step,
        })
        .collect();
    let effect = |(ip, step): (usize, &Step)| step.effect(ip, program.records[ip].imm as usize);
    compiler.liveness = Liveness::new(&steps.iter().enumerate().map(effect).collect::<Vec<_>>());
    compiler.entry_points(&steps);
    compiler.frame();
    for (ip, step) in steps.iter().enumerate() {
        compiler.step(ip, step);
    }
    compiler.at = program.records.len();
    compiler.end_region();
    // Control does not get here: the last record of a program never falls through.
    compiler.asm.raw(&[0x0f, 0x0b]);
    let together = compiler.together(&steps);
    compiler.slow_paths();
    let called = steps.iter().map(|step| matches!(step, Step::Call)).collect();
    compiler.finish(called, together)
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
                Step::Stop { .. } | Step::Jump { .. } => self.entry(ip + 1),
                Step::Call => {
                    self.entry(ip + 1);
                    // Calls, and steps from one run of code to the next.
                    self.entry(to);
                }
                _ => {}
            }
        }
    }

    pub fn end_region(&mut self) {
        let mut region = std::mem::replace(&mut self.region, Region::new(self.target));
        // What it writes before it writes EXEC belongs to lanes that are inactive then.
        let live = if region.writes_exec() { Liveness::inactive } else { Liveness::before };
        region.live = live(&self.liveness, self.at);
        if region.is_empty() {
            return;
        }
        if self.is_in_line() {
            return self.region_in_line(&region);
        }
        if region.is_global() {
            self.enter();
        }
        let number = self.next_region();
        self.pass(Spot::Before(number));
        let mut exec = ScalarSet::default();
        exec.add(sgpr::EXEC_LO.into(), 2);
        self.region_for_waves(&region);
        self.join(&exec);
        let surroundings = Surroundings {
            number: self.regions.len(),
            interpret: self.interpret,
            translate: self.translate,
            leave: self.leave,
            entered: self.entered,
            fenced: self.fenced,
        };
        let sites = region.emit(&mut self.asm, &surroundings);
        self.pieces.extend(region.mask_writes());
        self.sites.extend(sites);
        self.regions.push(region.members(&self.program.records));
        self.pass(Spot::Behind(number));
    }

    fn step(&mut self, ip: usize, step: &Step) {
        self.at = ip;
        if let Some(label) = self.entries[ip] {
            self.end_region();
            self.exit();
            self.pieces = ScalarSet::default();
            self.asm.bind(label);
            self.count(ip);
        }
        self.record(ip, step);
    }

    /// Emits a record, without regard to others that lead there.
    pub fn record(&mut self, ip: usize, step: &Step) {
        match step {
            Step::Lane(lane) => {
                let (lane, shape) = **lane;
                for mut lane in [Some(lane), lane.second()].into_iter().flatten() {
                    if !self.region.admits(&lane, shape) && !self.joins_in_line(&lane, shape) {
                        self.end_region();
                    }
                    self.permute(&mut lane);
                    self.region.push(lane, shape);
                }
            }
            Step::Scalar(scalar) => {
                if !self.region.admits_before(scalar) {
                    self.end_region();
                }
                self.for_waves(&scalar.needs, &scalar.sets(), scalar.reads_lanes());
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
            Step::Atomic(access) => {
                self.end_region();
                self.exit();
                self.atomic(ip, access);
            }
            Step::Whole(whole) => {
                if !self.region.admits_whole(whole) {
                    self.end_region();
                }
                let mut exec = whole.scalars;
                exec.add(sgpr::EXEC_LO.into(), 2);
                self.for_waves(&exec, &ScalarSet::default(), true);
                self.join(&exec);
                whole.emit(&mut self.asm, self.target);
            }
            Step::Stop { why, behind } => {
                self.end_region();
                self.exit();
                self.stop(*why, ip + usize::from(*behind));
            }
            Step::GetPc => {
                self.end_region();
                let mut written = ScalarSet::default();
                written.add(self.program.records[ip].sdst, 2);
                self.for_waves(&ScalarSet::default(), &written, false);
                self.store_pc(ip);
            }
            Step::Jump { link } => {
                self.end_region();
                self.exit();
                let source = self.program.records[ip].src[0];
                self.asm.op(Op::Mov_r64_rm64, &[RCX.into(), scalar(source).into()]);
                self.asm.op(Op::And_rm64_imm8, &[RCX.into(), 0xfcu8.into()]);
                if *link {
                    self.store_pc(ip);
                }
                let target = field(offset_of!(Wave, stop) + Stop::PAYLOAD);
                self.asm.op(Op::Mov_rm64_r64, &[target.into(), RCX.into()]);
                self.stop(Stop::Jump(0), ip);
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
    pub fn enter(&mut self) {
        if !std::mem::replace(&mut self.entered, true) {
            self.once();
            enter(&mut self.asm, self.fenced);
        }
    }

    /// Withdraws the announcement, before control goes elsewhere.
    pub fn exit(&mut self) {
        if std::mem::take(&mut self.entered) {
            self.once();
            leave_slot(&mut self.asm);
        }
    }

    /// Writes lane masks among `reads` as a whole that strips have written piece by piece: the processor does not
    /// forward several stores to one load.
    pub fn join(&mut self, reads: &ScalarSet) {
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

    /// Permutes the source of an instruction whose source lanes are in other strips.
    fn permute(&mut self, lane: &mut Lane) {
        let Some(dpp) = lane.dpp.filter(|dpp| self.target.crosses(*dpp)) else { return };
        let Some(operand) = lane.src.iter_mut().find(|operand| operand.permuted) else { return };
        let Source::Vector(source) = operand.from else { return };
        let slot = self.region.cross(source).unwrap_or_else(|| {
            self.end_region();
            0
        });
        whole::permute(&mut self.asm, self.target, dpp, source, slot);
        operand.from = Source::Vector(CROSS + u16::from(slot));
        lane.cross = Some(slot);
    }

    /// Counts that control came in at a record: what follows up to the next entry is executed.
    fn count(&mut self, ip: usize) {
        if self.counted {
            let counter = ip * size_of::<Counts>() + offset_of!(Counts, entered);
            self.asm.op(Op::Mov_r64_rm64, &[RAX.into(), context(offset_of!(Context, counts)).into()]);
            self.asm.op(Op::Inc_rm64, &[at(RAX, counter as i32).into()]);
        }
    }
}
