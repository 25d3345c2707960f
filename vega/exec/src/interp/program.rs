//! Predecoded code: what can be reached from one entry by direct branches.

use std::collections::HashMap;

use vega_isa::micro::{BranchIf, Control};
use vega_isa::{Class, Inst, Micro, Operand, Row, decode};

use super::level::Level;
use super::lower;
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
    /// Plans of the records that need one, parallel to them.
    pub plans: Vec<Option<Box<Plan>>>,
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
}

/// What is rarely asked of an instruction.
#[derive(Clone, Copy)]
struct Facts {
    size: u8,
    vector: bool,
    row: Option<&'static Row>,
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
    let direct = matches!(inst.row.micro, Micro::Control(Control::Branch(_) | Control::Call));
    let distance = inst.operands().iter().find_map(|o| match o {
        Operand::Imm(imm) => Some(i64::from(*imm) * 4),
        _ => None,
    })?;
    direct.then(|| va.wrapping_add(u64::from(inst.size_bytes)).wrapping_add_signed(distance))
}

impl Program {
    /// Decodes what is reachable from `entry`. What cannot be fetched or decoded becomes a record that
    /// faults when it is executed.
    pub fn decode(space: &AddressSpace, entry: u64, strict: bool, level: Level) -> Self {
        let mut program = Self {
            base: entry,
            records: Vec::new(),
            plans: Vec::new(),
            facts: Vec::new(),
            runs: Vec::new(),
            strict,
            index: HashMap::new(),
            incomplete: false,
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
                let inst = match decode(&words) {
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
                program.records.push(lowered.record);
                program.plans.push(lowered.plan);
                let vector = matches!(inst.row.class, Class::LaneLocal | Class::CrossLane);
                program.facts.push(Facts { size: inst.size_bytes, vector, row: Some(inst.row) });
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

    /// A record that stands for no instruction.
    fn push(&mut self, record: Record) {
        self.records.push(record);
        self.plans.push(None);
        self.facts.push(Facts { size: 4, vector: false, row: None });
    }

    /// The address behind a record's instruction.
    pub fn pc_after(&self, ip: usize) -> u64 {
        self.pc(ip).wrapping_add(self.facts.get(ip).map_or(4, |facts| facts.size.into()))
    }

    /// Whether the record stands for an address that could not be fetched.
    pub fn is_unfetchable(&self, ip: usize) -> bool {
        self.facts.get(ip).is_some_and(|facts| facts.size == 0)
    }

    /// Whether the record is a vector instruction, whose registers `s_set_gpr_idx` makes relative.
    pub fn is_vector(&self, ip: usize) -> bool {
        self.facts.get(ip).is_some_and(|facts| facts.vector)
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
    pub fn is_current(&self, space: &AddressSpace, buffer: &mut Vec<u8>) -> bool {
        !self.incomplete
            && self.runs.iter().all(|(va, bytes)| {
                buffer.resize(bytes.len(), 0);
                space.fetch_bytes(*va, buffer).is_ok() && buffer == bytes
            })
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
