//! The lines of a trace.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vega_isa::{Implicit, Inst, Registers};

use super::trace::Trace;
use crate::dispatch::Dispatch;
use crate::interp::wave::{Stop, Wave};
use crate::memory::AddressSpace;
use crate::sched::registers;

/// Columns of an instruction's text.
const TEXT_COLUMNS: usize = 48;
/// Lines are handed on when they have this many bytes.
const BLOCK: usize = 64 << 10;

/// An instruction as the trace shows it.
struct Shown {
    text: String,
    /// What it writes.
    written: Vec<Registers>,
    implicit: Implicit,
}

/// One worker's part of a trace, for one dispatch.
pub(crate) struct Tracer {
    trace: Arc<Trace>,
    dispatch: Dispatch,
    lanes: Vec<u32>,
    groups: [u32; 3],
    /// Whether the dispatch's headline is written: the workers of the dispatch share it.
    announced: Arc<AtomicBool>,
    shown: HashMap<u64, Option<Shown>>,
    lines: String,
}

impl Tracer {
    /// `None` if the trace has no use for the dispatch.
    pub fn new(trace: &Arc<Trace>, dispatch: &Dispatch, announced: &Arc<AtomicBool>) -> Option<Self> {
        let wanted = !trace.is_full() && trace.options.wants_kernel(dispatch.kernel.as_deref());
        wanted.then(|| Self {
            trace: Arc::clone(trace),
            lanes: (0..64).filter(|lane| trace.options.lanes.contains(u64::from(*lane))).collect(),
            groups: dispatch.workgroups(),
            dispatch: dispatch.clone(),
            announced: Arc::clone(announced),
            shown: HashMap::new(),
            lines: String::new(),
        })
    }

    /// Whether the trace shows this wave.
    pub fn wants(&self, wave: &Wave) -> bool {
        let [x, y, z] = wave.workgroup.map(u64::from);
        let [groups_x, groups_y, _] = self.groups.map(u64::from);
        let number = (z * groups_y + y) * groups_x + x;
        !self.trace.is_full() && self.trace.options.wants_wave(number, wave.number)
    }

    /// Begins the line of the instruction at `pc`.
    pub fn before(&mut self, wave: &Wave, pc: u64, space: &AddressSpace) {
        if !self.announced.swap(true, Ordering::Relaxed) {
            self.announce();
        }
        let shown = self.shown.entry(pc).or_insert_with(|| show(pc, space));
        let text = shown.as_ref().map_or("(no instruction)", |shown| &shown.text);
        let [x, y, z] = wave.workgroup;
        let offset = pc.wrapping_sub(self.dispatch.entry_va) as i64;
        let sign = if offset < 0 { '-' } else { '+' };
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            self.lines,
            "q{} d{} ({x},{y},{z}) w{} {sign}{:#06x}  {text:TEXT_COLUMNS$} exec={:016x}",
            self.dispatch.queue,
            self.dispatch.dispatch_id,
            wave.number,
            offset.unsigned_abs(),
            wave.exec(),
        );
    }

    /// Ends the line with what the instruction has written.
    pub fn after(&mut self, wave: &Wave, exec: u64, pc: u64) {
        if let Some(Some(shown)) = self.shown.get(&pc) {
            if wave.stop == Stop::Fault {
                self.lines.push_str("  fault");
            } else {
                write_values(&mut self.lines, wave, exec, shown, &self.lanes);
            }
        }
        self.lines.push('\n');
        if self.lines.len() > BLOCK {
            self.flush();
        }
    }

    /// Hands on the lines.
    pub fn flush(&mut self) {
        if !self.lines.is_empty() {
            self.trace.write(&self.lines);
            self.lines.clear();
        }
    }

    fn announce(&mut self) {
        let d = &self.dispatch;
        let name = d.kernel.as_deref().unwrap_or("a kernel without a name");
        let ([x, y, z], [wx, wy, wz]) = (d.grid, d.workgroup);
        let _ = writeln!(
            self.lines,
            "# q{} d{}: {name} at {:#x}, grid ({x}, {y}, {z}), workgroups of ({wx}, {wy}, {wz})",
            d.queue, d.dispatch_id, d.entry_va
        );
    }
}

/// The instruction at an address, decoded for the trace.
fn show(pc: u64, space: &AddressSpace) -> Option<Shown> {
    let word = |n: u64| {
        let mut bytes = [0; 4];
        space.fetch_bytes(pc.wrapping_add(4 * n), &mut bytes).ok().map(|()| u32::from_le_bytes(bytes))
    };
    let words: Vec<u32> = (0..3).map_while(word).collect();
    let inst: Inst = vega_isa::decode(&words).ok()?;
    let written = inst.registers().filter(|(slot, _)| inst.writes(slot)).map(|(_, registers)| registers);
    Some(Shown { text: inst.to_string(), written: written.collect(), implicit: inst.row.writes })
}

fn write_values(line: &mut String, wave: &Wave, exec: u64, shown: &Shown, lanes: &[u32]) {
    for written in &shown.written {
        if !written.vector {
            let _ = write!(line, "  {written}={}", hex(&registers::values(wave, *written, 0).values));
            continue;
        }
        for lane in lanes.iter().filter(|lane| exec >> **lane & 1 == 1) {
            let values = registers::values(wave, *written, *lane as usize).values;
            let _ = write!(line, "  {written}[{lane}]={}", hex(&values));
        }
    }
    for (register, name, value) in [
        (Implicit::SCC, "scc", u64::from(wave.scc)),
        (Implicit::VCC, "vcc", wave.vcc()),
        (Implicit::M0, "m0", wave.m0().into()),
        (Implicit::EXEC, "exec", wave.exec()),
        (Implicit::MODE, "mode", wave.mode.into()),
    ] {
        if shown.implicit.has(register) {
            let _ = write!(line, "  {name}={value:#x}");
        }
    }
}

/// Registers as one number, the first lowest.
fn hex(values: &[u32]) -> String {
    let mut text = String::from("0x");
    values.iter().rev().for_each(|value| {
        let _ = write!(text, "{value:08x}");
    });
    text
}
