//! Which waves are written down, and where to.

use std::fmt;
use std::io::Write;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A set of numbers: `3`, `0-7`, `0,2,8-11`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Vec<RangeInclusive<u64>>);

impl Selection {
    /// Whether the number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        self.0.iter().any(|range| range.contains(&number))
    }
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first <= last).then_some(first..=last)
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        let wrong = || format!("{text:?} is no list of numbers and ranges such as 0,2,8-11");
        ranges.map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, range) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            match range.start() == range.end() {
                true => write!(f, "{comma}{}", range.start())?,
                false => write!(f, "{comma}{}-{}", range.start(), range.end())?,
            }
        }
        Ok(())
    }
}

/// What a trace holds.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// Kernels whose name contains this; all if there is none.
    pub kernel: Option<String>,
    /// Workgroups, numbered along x, then y, then z; all if there is none.
    pub workgroups: Option<Selection>,
    /// Waves by their number in the workgroup; all if there is none.
    pub waves: Option<Selection>,
    /// Lanes whose vector registers are shown.
    pub lanes: Selection,
    /// The trace ends when it has this many bytes.
    pub bytes: u64,
}

impl Default for TraceOptions {
    fn default() -> Self {
        let first = Selection(vec![0..=0]);
        Self { kernel: None, workgroups: None, waves: None, lanes: first, bytes: 64 << 20 }
    }
}

impl TraceOptions {
    pub(crate) fn wants_kernel(&self, name: Option<&str>) -> bool {
        self.kernel.as_ref().is_none_or(|wanted| name.is_some_and(|name| name.contains(wanted)))
    }

    pub(crate) fn wants_wave(&self, workgroup: u64, wave: u32) -> bool {
        self.workgroups.as_ref().is_none_or(|set| set.contains(workgroup))
            && self.waves.as_ref().is_none_or(|set| set.contains(wave.into()))
    }
}

/// A trace that is being written.
pub struct Trace {
    /// What it holds.
    pub(crate) options: TraceOptions,
    sink: Mutex<Sink>,
    full: AtomicBool,
}

struct Sink {
    out: Box<dyn Write + Send>,
    left: u64,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Trace {
    /// A trace that goes to `out`, which gets whole lines.
    pub fn new(options: TraceOptions, out: Box<dyn Write + Send>) -> Arc<Self> {
        let sink = Mutex::new(Sink { out, left: options.bytes });
        Arc::new(Self { options, sink, full: AtomicBool::new(false) })
    }

    /// Whether nothing more will be written.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Writes lines, as many as there is room for, and says so when there is none.
    pub(crate) fn write(&self, lines: &str) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_full() {
            return;
        }
        let room = usize::try_from(sink.left).unwrap_or(usize::MAX);
        let fits = lines.len() <= room;
        let end = if fits {
            lines.len()
        } else {
            lines.get(..room).and_then(|s| s.rfind('\n')).map_or(0, |n| n + 1)
        };
        let text = lines.get(..end).unwrap_or_default();
        sink.left -= text.len() as u64;
        let written = sink.out.write_all(text.as_bytes()).and_then(|()| match fits {
            true => Ok(()),
            false => sink.out.write_all(b"# the trace ends here: it has its greatest size\n"),
        });
        // A full disk ends the trace, not the program.
        self.full.store(!fits || written.is_err(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_have_one_text() {
        for text in ["3", "0-7", "0,2,8-11"] {
            assert_eq!(text.parse::<Selection>().expect("a selection").to_string(), text);
        }
        let set: Selection = "0, 2,8-11".parse().expect("a selection");
        let held: Vec<u64> = (0..14).filter(|n| set.contains(*n)).collect();
        assert_eq!(held, [0, 2, 8, 9, 10, 11]);
        for text in ["", "x", "3-1", "1,", "-1", "1-2-3"] {
            assert!(text.parse::<Selection>().is_err(), "{text}");
        }
    }

    /// What was written, shared with the trace.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_trace_ends_with_a_whole_line_and_says_so() {
        let memory = Memory::default();
        let trace =
            Trace::new(TraceOptions { bytes: 12, ..TraceOptions::default() }, Box::new(memory.clone()));
        trace.write("one\n");
        assert!(!trace.is_full());
        trace.write("two\nthree\nfour\n");
        trace.write("five\n");
        assert!(trace.is_full());
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).expect("text");
        assert_eq!(text, "one\ntwo\n# the trace ends here: it has its greatest size\n");
    }
}
