//! A reproducible order of everything.
//!
//! With a schedule one worker runs all dispatches, one after the other. Nothing that it decides depends on time: it
//! takes workgroups in ascending order, gives them and their waves their turns in a fixed or a random order, and a
//! random one also takes the turn away, at branches back and in front of memory instructions. The random numbers of a
//! dispatch depend on the seed, its queue and its number there, not on what other queues do.
//!
//! A dispatch whose waves only wait (for the host, or for another queue) lets others run meanwhile: what it waits for
//! comes when it comes, so such kernels are not reproducible.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    pub(crate) fn random(self, queue: u32, dispatch: u64) -> Option<Random> {
        match self {
            Self::Fixed => None,
            Self::Random(seed) => {
                let mut random = Random(seed ^ u64::from(queue).rotate_left(48) ^ dispatch.rotate_left(16));
                random.next();
                Some(random)
            }
        }
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
    fn every_dispatch_has_numbers_of_its_own() {
        let first =
            |seed, queue, dispatch| Schedule::Random(seed).random(queue, dispatch).map(|mut r| r.next());
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        for other in [(2, 2, 3), (1, 3, 3), (1, 2, 4)] {
            assert_ne!(first(1, 2, 3), first(other.0, other.1, other.2));
        }
        let mut random = Random(1);
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert_eq!(random.below(0), 0);
    }
}
