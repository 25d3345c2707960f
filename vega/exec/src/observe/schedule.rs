//! A reproducible order of everything.
//!
//! With a schedule one worker runs all dispatches, one after the other. Nothing that it decides depends on time: it
//! takes workgroups in ascending order, gives them and their waves their turns in a fixed or a random order, and a
//! random one also takes the turn away, at branches back and in front of memory instructions. The random numbers of a
//! dispatch depend on the seed, the kernel's name, the grid, and how many such dispatches there were: not on the queue,
//! which threads of the program may get in any order.
//!
//! A dispatch whose waves only wait (for the host, or for another queue) lets others run meanwhile: what it waits for
//! comes when it comes, so such kernels are not reproducible.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::dispatch::Dispatch;
use crate::gws::Gws;
use crate::host::Host;

/// In which order workgroups and waves run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// In turn.
    Fixed,
    /// As random numbers from this seed have it.
    Random(u64),
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed => f.write_str("fixed"),
            Self::Random(seed) => write!(f, "random:{seed}"),
        }
    }
}

/// A text that names no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a schedule is `fixed` or `random:SEED`, where SEED is a number; {0:?} is neither")]
pub struct ParseScheduleError(String);

impl FromStr for Schedule {
    type Err = ParseScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seed = text.strip_prefix("random:").map(str::parse);
        match (text, seed) {
            ("fixed", _) => Ok(Self::Fixed),
            (_, Some(Ok(seed))) => Ok(Self::Random(seed)),
            _ => Err(ParseScheduleError(text.to_owned())),
        }
    }
}

impl Schedule {
    /// The random numbers of one dispatch, if the order is random.
    pub(crate) fn random(self, launch: u64) -> Option<Random> {
        match self {
            Self::Fixed => None,
            Self::Random(seed) => Some(Random(Random(seed).next() ^ launch)),
        }
    }
}

/// How many different dispatches are told apart; then counting begins anew.
const MAX_KINDS: usize = 1 << 16;

/// Counts dispatches of the same kernel and grid.
#[derive(Debug, Default)]
pub(crate) struct Launches(Mutex<HashMap<u64, u64>>);

impl Launches {
    /// A number of the dispatch that the next run of the program gives it again.
    pub fn number(&self, dispatch: &Dispatch) -> u64 {
        let name = dispatch.kernel.as_deref().unwrap_or_default().bytes().map(u64::from);
        let sizes = dispatch.grid.map(u64::from).into_iter().chain(dispatch.workgroup.map(u64::from));
        let mut kind = Random(0);
        for value in name.chain(sizes) {
            kind = Random(kind.next() ^ value);
        }
        let kind = kind.next();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_KINDS {
            counts.clear();
        }
        let count = counts.entry(kind).or_default();
        *count += 1;
        Random(kind ^ *count).next()
    }
}

/// Reproducible random numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A device whose clocks count the instructions that a schedule has executed.
pub(crate) struct InstructionClock {
    pub device: Arc<dyn Host>,
    pub instructions: Arc<AtomicU64>,
}

impl Host for InstructionClock {
    fn interrupt(&self, m0: u32) {
        self.device.interrupt(m0);
    }

    fn gws(&self) -> Option<&Gws> {
        self.device.gws()
    }

    fn shader_clock(&self) -> u64 {
        self.instructions.load(Ordering::Relaxed)
    }

    fn realtime_clock(&self) -> u64 {
        self.instructions.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_one_text() {
        for schedule in [Schedule::Fixed, Schedule::Random(0), Schedule::Random(u64::MAX)] {
            assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }
        for text in ["", "random", "random:", "random:x", "Fixed", "fixed:1"] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_dispatch_has_numbers_of_its_own_whatever_its_queue() {
        let (launches, again) = (Launches::default(), Launches::default());
        let dispatch = |name: &str, items, queue| Dispatch {
            kernel: Some(name.into()),
            grid: [items, 1, 1],
            workgroup: [64, 1, 1],
            queue,
            dispatch_id: 7 * u64::from(queue),
            ..Dispatch::default()
        };
        let order = [("a", 64), ("a", 64), ("a", 128), ("b", 64)];
        let numbers = order.map(|(name, items)| launches.number(&dispatch(name, items, 1)));
        assert_eq!(numbers, order.map(|(name, items)| again.number(&dispatch(name, items, 2))));
        let first = |seed, launch| Schedule::Random(seed).random(launch).map(|mut random| random.next());
        let mut all: Vec<_> = numbers.iter().flat_map(|n| [first(1, *n), first(2, *n)]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8);
        let mut random = Random(1);
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert_eq!(random.below(0), 0);
    }
}
