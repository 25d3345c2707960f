//! Predecoded code: what can be reached from one entry by direct branches.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use vega_isa::micro::{BranchIf, Control};
use vega_isa::{Class, Encoding, Field, Inst, Kind, Micro, Operand, Role, Row, Table};

use super::code::{Compiling, Making};
use super::lower;
use super::modified::{Parts, Shuffle};
use super::planned::Plan;
use super::record::Record;
use crate::memory::AddressSpace;

/// The longest code that one program holds, in bytes; what lies beyond is reached by a jump.
const LONGEST: u64 = 4 << 20;

/// Predecoded code.
pub(crate) struct Program {
    /// The address that offsets count from: the entry.
    pub base: u64,
    /// The records; fallthrough goes to the next one.
    pub records: Vec<Record>,
    /// What records do not have room for, parallel to them.
    details: Vec<Option<Details>>,
    /// What else is known of the records' instructions, parallel to them.
    facts: Vec<Facts>,
    /// The bytes that were decoded, in runs by address.
    runs: Vec<(u64, Vec<u8>)>,
    /// Whether floating-point handlers look at MODE.
    pub strict: bool,
    /// Index of the record at an address.
    index: HashMap<u64, usize>,
    /// Some of the code could not be fetched.
    incomplete: bool,
    /// When it is compiled, and for what.
    compile: Option<Compiling>,
    table: &'static Table,
    /// How many waves have executed it.
    warmth: AtomicU64,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    compiled: OnceLock<Option<crate::compile::code::Code>>,
}

/// What a record does not have room for.
pub(crate) enum Details {
    /// The plan of the slow handler of lane-local instructions.
    Plan(Box<Plan>),
    /// How DPP permutes a source.
    Shuffle(Box<Shuffle>),
    /// Which parts of its operands SDWA uses.
    Parts(Box<Parts>),
    /// The decoded instruction itself.
    Inst(Box<Inst>),
}

/// What is rarely asked of an instruction.
#[derive(Clone, Copy)]
struct Facts {
    size: u8,
    /// Its vector registers become relative by `s_set_gpr_idx`.
    indexed: Option<Indexed>,
    /// `s_setvskip` makes it do nothing.
    skipped: bool,
    row: Option<&'static Row>,
}

/// Which bits of M0\[15:12\] make the record's sources relative, in the record's order; bit 3 is the destination's.
#[derive(Clone, Copy)]
pub(crate) struct Indexed(pub [u8; 3]);

impl Facts {
    /// Of a record that stands for no instruction.
    const NONE: Self = Self { size: 4, indexed: None, skipped: false, row: None };

    fn new(inst: &Inst, swapped: bool) -> Self {
        let class = inst.row.class;
        let vector = matches!(class, Class::LaneLocal | Class::CrossLane);
        let memory = class == Class::Memory && inst.row.encoding != Encoding::Smem;
        let ds = inst.row.encoding == Encoding::Ds;
        let mut which = [0, 1, 2];
        // By field, not by place: the constant of v_madmk stands between its registers, and a destination that is also a
        // source comes last.
        let role = |role: Role| {
            inst.row.operands.iter().filter(move |slot| slot.role == role && slot.kind != Kind::LaneMask)
        };
        for (bit, slot) in which.iter_mut().zip(role(Role::Src).chain(role(Role::Both))) {
            *bit = match slot.field {
                Field::Src1 => 1,
                Field::Src2 => 2,
                Field::Dst => 3,
                _ => 0,
            };
        }
        if swapped {
            which.swap(0, 1);
        }
        let indexed = (vector && !ds).then_some(Indexed(which));
        Self { size: inst.size_bytes, indexed, skipped: vector || memory, row: Some(inst.row) }
    }
}

/// Reads code a little ahead.
struct Fetcher<'a> {
    space: &'a AddressSpace,
    at: u64,
    bytes: Vec<u8>,
}

impl Fetcher<'_> {
    /// Up to three words at `va`.
    fn words(&mut self, va: u64) -> Vec<u32> {
        let inside = va.wrapping_sub(self.at);
        if inside.saturating_add(12) > self.bytes.len() as u64 {
            self.at = va;
            for size in [1024, 256, 64, 12, 8, 4] {
                self.bytes.resize(size, 0);
                if self.space.fetch_bytes(va, &mut self.bytes).is_ok() {
                    break;
                }
                self.bytes.clear();
            }
        }
        let start = va.wrapping_sub(self.at) as usize;
        let words = self.bytes.get(start..).unwrap_or_default().chunks_exact(4).take(3);
        words.map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]])).collect()
    }
}

/// Whether control never falls through.
fn ends_run(inst: &Inst) -> bool {
    matches!(
        inst.row.micro,
        Micro::Control(
            Control::EndProgram
                | Control::EndProgramSaved
                | Control::EndProgramOrderedPsDone
                | Control::Branch(BranchIf::Always)
                | Control::SetPc
        )
    )
}

/// The target of a direct branch at `va`.
fn target(inst: &Inst, va: u64) -> Option<u64> {
    let near = matches!(inst.row.micro, Micro::Control(Control::Fork)) && inst.row.encoding == Encoding::Sopk;
    let direct = near || matches!(inst.row.micro, Micro::Control(Control::Branch(_) | Control::Call));
    let distance = inst.operands().iter().find_map(|o| match o {
        Operand::Imm(imm) => Some(i64::from(*imm) * 4),
        _ => None,
    })?;
    direct.then(|| va.wrapping_add(u64::from(inst.size_bytes)).wrapping_add_signed(distance))
}

impl Program {
    /// Decodes what is reachable from `entry`. What cannot be fetched or decoded becomes a record that
    /// faults when it is executed.
    pub fn decode(space: &AddressSpace, entry: u64, strict: bool, making: Making) -> Self {
        let Making { level, table, compile } = making;
        let mut program = Self {
            base: entry,
            records: Vec::new(),
            details: Vec::new(),
            facts: Vec::new(),
            runs: Vec::new(),
            strict,
            index: HashMap::new(),
            incomplete: false,
            table,
            compile,
            warmth: AtomicU64::new(0),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            compiled: OnceLock::new(),
        };
        let mut fetcher = Fetcher { space, at: 0, bytes: Vec::new() };
        let mut index: HashMap<u64, usize> = HashMap::new();
        let mut pending = vec![entry];
        let mut branches = Vec::new();
        while let Some(start) = pending.pop() {
            let mut va = start;
            let mut bytes = Vec::new();
            while !index.contains_key(&va) {
                let at = program.records.len();
                index.insert(va, at);
                let offset = va.wrapping_sub(entry) as i64;
                let words = fetcher.words(va);
                let inst = match table.decode(&words) {
                    Ok(inst) if offset.unsigned_abs() < LONGEST => inst,
                    Ok(_) => {
                        program.push(lower::goto_address(offset, level));
                        break;
                    }
                    Err(_) => {
                        program.push(if words.is_empty() {
                            lower::unfetchable(offset, level)
                        } else {
                            lower::illegal(offset, lower::Refusal::Undecodable, level)
                        });
                        if words.is_empty() {
                            program.incomplete = true;
                            program.facts.iter_mut().skip(at).for_each(|facts| facts.size = 0);
                        }
                        bytes.extend(words.iter().take(1).flat_map(|w| w.to_le_bytes()));
                        break;
                    }
                };
                let size = usize::from(inst.size_bytes);
                bytes.extend(words.iter().flat_map(|w| w.to_le_bytes()).take(size));
                let lowered = lower::lower(&inst, offset, at, strict, level);
                if let Some(before) = lowered.before {
                    program.push(before);
                }
                program.records.push(lowered.record);
                program.details.push(lowered.details);
                program.facts.push(Facts::new(&inst, lowered.swapped));
                if let Some(to) = target(&inst, va) {
                    branches.push((at, to));
                    pending.push(to);
                }
                if ends_run(&inst) {
                    break;
                }
                va = va.wrapping_add(size as u64);
                if let Some(&next) = index.get(&va) {
                    program.push(lower::goto(va.wrapping_sub(entry) as i64, next, level));
                    break;
                }
            }
            if !bytes.is_empty() {
                program.runs.push((start, bytes));
            }
        }
        for (at, to) in branches {
            if let (Some(record), Some(&to)) = (program.records.get_mut(at), index.get(&to)) {
                record.imm = to as i32;
            }
        }
        program.index = index;
        program
    }

    /// Counts executions by `waves` more waves; compiles the program when that is worth it.
    pub fn warm(&self, waves: u64) {
        let Some(compiling) = self.compile else { return };
        let after = compiling.after;
        let before = self.warmth.fetch_add(waves, Ordering::Relaxed);
        if before < after && before.saturating_add(waves) >= after {
            let fenced = crate::memory::quiesce::is_fenced();
            self.compiled.get_or_init(|| crate::compile::compile(self, compiling, fenced));
        }
    }

    /// Its compiled code, if it has been compiled.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[inline(always)]
    pub fn compiled(&self) -> Option<&crate::compile::code::Code> {
        self.compiled.get()?.as_ref()
    }

    /// The instruction of a record; `None` for records that stand for no instruction or only fault.
    pub fn inst(&self, ip: usize) -> Option<Inst> {
        let va = self.pc(ip);
        if self.row(ip).is_none() || self.index.get(&va) != Some(&ip) {
            return None;
        }
        self.runs.iter().find_map(|(start, bytes)| {
            let bytes = bytes.get(usize::try_from(va.checked_sub(*start)?).ok()?..)?;
            let words: Vec<u32> =
                bytes.chunks_exact(4).take(3).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]])).collect();
            self.table.decode(&words).ok().filter(|inst| lower::refusal(inst).is_none())
        })
    }

    /// A record that stands for no instruction.
    fn push(&mut self, record: Record) {
        self.records.push(record);
        self.details.push(None);
        self.facts.push(Facts::NONE);
    }

    /// The address behind a record's instruction.
    pub fn pc_after(&self, ip: usize) -> u64 {
        self.pc(ip).wrapping_add(self.facts.get(ip).map_or(4, |facts| facts.size.into()))
    }

    /// Whether the record stands for an address that could not be fetched.
    pub fn is_unfetchable(&self, ip: usize) -> bool {
        self.facts.get(ip).is_some_and(|facts| facts.size == 0)
    }

    /// What the record does not have room for.
    #[inline(always)]
    pub fn details(&self, ip: usize) -> Option<&Details> {
        self.details.get(ip)?.as_ref()
    }

    /// How `s_set_gpr_idx` makes the record's vector registers relative, if it does.
    pub fn indexed(&self, ip: usize) -> Option<Indexed> {
        self.facts.get(ip)?.indexed
    }

    /// Whether `s_setvskip` makes the record do nothing.
    pub fn is_skipped(&self, ip: usize) -> bool {
        self.facts.get(ip).is_some_and(|facts| facts.skipped)
    }

    /// The opcode of a record; `None` where it stands for no instruction.
    pub fn row(&self, ip: usize) -> Option<&'static Row> {
        self.facts.get(ip)?.row
    }

    /// The address of a record.
    pub fn pc(&self, ip: usize) -> u64 {
        self.records.get(ip).map_or(self.base, |record| self.base.wrapping_add_signed(record.offset))
    }

    /// Whether memory still holds the bytes that were decoded.
    pub fn is_current(&self, space: &AddressSpace) -> bool {
        let mut buffer = [0; 1024];
        let mut holds = |va: u64, bytes: &[u8]| {
            let Some(buffer) = buffer.get_mut(..bytes.len()) else { return false };
            space.fetch_bytes(va, buffer).is_ok() && buffer == bytes
        };
        let mut run_holds = |(va, bytes): &(u64, Vec<u8>)| {
            let mut pieces = bytes.chunks(1024).zip(0u64..);
            pieces.all(|(piece, n)| holds(va.wrapping_add(1024 * n), piece))
        };
        !self.incomplete && self.runs.iter().all(&mut run_holds)
    }

    /// The record at an address.
    pub fn find(&self, va: u64) -> Option<usize> {
        self.index.get(&va).copied()
    }

    /// Whether any of the code lies in `[va, va + len)`.
    pub fn overlaps(&self, va: u64, len: u64) -> bool {
        self.runs.iter().any(|(start, bytes)| {
            *start < va.saturating_add(len) && va < start.saturating_add(bytes.len() as u64)
        })
    }
}
