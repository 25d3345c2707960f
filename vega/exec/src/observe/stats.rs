//! What was executed, by kernel.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use vega_isa::{Class, Row};

use crate::interp::program::Program;

/// Opcodes of a kernel that its text shows.
const TOP: usize = 8;

/// Classes of instructions, in the order of [`ClassCounts`].
const CLASSES: [(Class, &str); 6] = [
    (Class::Scalar, "scalar"),
    (Class::LaneLocal, "vector"),
    (Class::CrossLane, "cross-lane"),
    (Class::Memory, "memory"),
    (Class::Control, "control"),
    (Class::Graphics, "graphics"),
];

/// Instructions by [`Class`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts([u64; CLASSES.len()]);

impl ClassCounts {
    /// Instructions of a class.
    pub fn get(&self, class: Class) -> u64 {
        CLASSES.iter().position(|(c, _)| *c == class).and_then(|at| self.0.get(at)).copied().unwrap_or(0)
    }

    fn add(&mut self, class: Class, count: u64) {
        let at = CLASSES.iter().position(|(c, _)| *c == class);
        if let Some(cell) = at.and_then(|at| self.0.get_mut(at)) {
            *cell += count;
        }
    }

    /// Instructions of all classes.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What was executed of one kernel. An instruction counts once for each wave that executes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelStats {
    /// Launches.
    pub dispatches: u64,
    /// Workgroups started.
    pub workgroups: u64,
    /// Waves started.
    pub waves: u64,
    /// Instructions by class.
    pub classes: ClassCounts,
    /// Instructions by mnemonic.
    pub opcodes: BTreeMap<&'static str, u64>,
    /// How many of the instructions ran in compiled code.
    pub compiled: u64,
    /// Instructions by mnemonic that compiled code left to the interpreter.
    pub call_outs: BTreeMap<&'static str, u64>,
}

/// The counters of all kernels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By name; kernels without a name are one.
    pub kernels: BTreeMap<Arc<str>, KernelStats>,
    /// With a schedule, a number that is the same again only if the same waves executed the same
    /// instructions in the same order. The order of dispatches does not count.
    pub trace_hash: Option<u64>,
}

/// Counts what the engines of a process execute.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Totals>);

impl Stats {
    /// Nothing counted.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What was counted so far; a dispatch counts when it has ended.
    pub fn totals(&self) -> Totals {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds to a kernel's counters.
    pub(crate) fn add(&self, kernel: Option<&Arc<str>>, change: impl FnOnce(&mut KernelStats)) {
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = kernel.cloned().unwrap_or_else(|| "(without a name)".into());
        change(totals.kernels.entry(name).or_default());
    }

    /// Adds a dispatch's hash: a sum, so that the order of dispatches does not count.
    pub(crate) fn add_hash(&self, hash: u64) {
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        totals.trace_hash = Some(totals.trace_hash.unwrap_or(0).wrapping_add(hash));
    }
}

impl KernelStats {
    fn count(&mut self, row: &'static Row, counts: Counts) {
        let executed = counts.interpreted + counts.compiled + counts.called_out;
        if executed == 0 {
            return;
        }
        self.classes.add(row.class, executed);
        *self.opcodes.entry(row.mnemonic).or_default() += executed;
        self.compiled += counts.compiled;
        if counts.called_out != 0 {
            *self.call_outs.entry(row.mnemonic).or_default() += counts.called_out;
        }
    }
}

/// How often one instruction was executed, and how. Compiled code knows where these lie.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Counts {
    pub interpreted: u64,
    /// In compiled code.
    pub compiled: u64,
    /// By the interpreter, on behalf of compiled code.
    pub called_out: u64,
    /// How often compiled code came in here and went on to the next place where control can come in.
    pub entered: u64,
    /// Strips of a compiled region that the interpreter did.
    pub strips: u64,
}

/// One worker's counts of the dispatch at hand, for each program of [`Worker::programs`] and record.
///
/// [`Worker::programs`]: crate::interp::worker::Worker::programs
#[derive(Debug, Default)]
pub(crate) struct Tally(Vec<Box<[Counts]>>);

impl Tally {
    /// The counters of a program's records.
    pub fn program(&mut self, number: usize, program: &Program) -> &mut [Counts] {
        if self.0.len() <= number {
            self.0.resize_with(number + 1, Box::default);
        }
        let counts = &mut self.0[number];
        if counts.len() != program.records.len() {
            *counts = vec![Counts::default(); program.records.len()].into_boxed_slice();
        }
        counts
    }

    /// Adds all counts to a kernel's, and begins anew.
    pub fn flush(&mut self, programs: &[Arc<Program>], kernel: &mut KernelStats) {
        for (mut counts, program) in self.0.drain(..).zip(programs) {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if let Some(code) = program.compiled() {
                code.complete(&mut counts);
            }
            for (ip, counts) in counts.iter().enumerate() {
                if let Some(row) = program.row(ip) {
                    kernel.count(row, *counts);
                }
            }
        }
    }
}

/// A part in per cent.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The greatest counts, with their share of `whole`.
fn top(counts: &BTreeMap<&'static str, u64>, whole: u64) -> String {
    let mut sorted: Vec<(&str, u64)> = counts.iter().map(|(name, count)| (*name, *count)).collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let each = sorted.iter().take(TOP).map(|(name, n)| format!("{name} {:.1} %", percent(*n, whole)));
    let mut text = each.collect::<Vec<_>>().join(", ");
    if let Some(more) = sorted.len().checked_sub(TOP).filter(|more| *more != 0) {
        text += &format!(" and {more} more");
    }
    text
}

impl fmt::Display for KernelStats {
    /// Lines that each begin with two blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.classes.total();
        let plural = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        writeln!(
            f,
            "  {}, {}, {}, {}",
            plural(self.dispatches, "dispatch").replace("dispatchs", "dispatches"),
            plural(self.workgroups, "workgroup"),
            plural(self.waves, "wave"),
            plural(total, "instruction")
        )?;
        let classes = CLASSES.iter().map(|(class, name)| (name, self.classes.get(*class)));
        let shares: Vec<String> = classes
            .filter(|(_, count)| *count != 0)
            .map(|(name, count)| format!("{name} {:.1} %", percent(count, total)))
            .collect();
        if !shares.is_empty() {
            writeln!(f, "  {:<12}{}", "classes", shares.join(", "))?;
            writeln!(f, "  {:<12}{}", "opcodes", top(&self.opcodes, total))?;
        }
        if self.compiled != 0 {
            writeln!(f, "  {:<12}{:.1} %", "compiled", percent(self.compiled, total))?;
        }
        if !self.call_outs.is_empty() {
            writeln!(f, "  {:<12}{}", "call-outs", top(&self.call_outs, total))?;
        }
        Ok(())
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, kernel) in &self.kernels {
            write!(f, "{name}\n{kernel}")?;
        }
        match self.trace_hash {
            Some(hash) => writeln!(f, "trace hash {hash:016x}"),
            None => Ok(()),
        }
    }
}
