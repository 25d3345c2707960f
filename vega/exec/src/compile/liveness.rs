//! Which vector registers may still be read.
//!
//! An instruction writes active lanes only. So a register that is written again before it is read is dead only as long as
//! EXEC stays what it is: where an instruction writes EXEC, everything is live that any instruction behind reads.

use super::set::VectorSet;

/// What a record means for the registers.
pub(super) struct Effect {
    /// Registers that it reads, or keeps parts of.
    pub reads: VectorSet,
    /// Registers of which it writes all active lanes.
    pub writes: VectorSet,
    /// Another EXEC holds behind it.
    pub changes_exec: bool,
    /// Where control may go from it.
    pub next: [Option<usize>; 2],
    /// Control may go anywhere, or to somebody who may read anything.
    pub unknown: bool,
}

impl Effect {
    /// Control goes on with the next record.
    pub fn plain(ip: usize) -> Self {
        Self {
            reads: VectorSet::default(),
            writes: VectorSet::default(),
            changes_exec: false,
            next: [Some(ip + 1), None],
            unknown: false,
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sets {
    /// Registers that may be read before they are written, as long as EXEC stays.
    live: VectorSet,
    /// Registers that may be read.
    read: VectorSet,
}

/// See the file's head.
pub(super) struct Liveness(Vec<Sets>);

/// Rounds after which everything counts as live. (Each round settles one more level of nested loops.)
const ROUNDS: usize = 32;

impl Liveness {
    /// The live registers before each record.
    pub fn new(effects: &[Effect]) -> Self {
        let mut before = vec![Sets::default(); effects.len()];
        let everything = Sets { live: VectorSet::ALL, read: VectorSet::ALL };
        for _ in 0..ROUNDS {
            let mut changed = false;
            for (ip, effect) in effects.iter().enumerate().rev() {
                let mut sets = Sets::default();
                for next in effect.next.into_iter().flatten() {
                    let next = before.get(next).unwrap_or(&everything);
                    sets.live.extend(&next.live);
                    sets.read.extend(&next.read);
                }
                if effect.unknown {
                    sets = everything;
                }
                if effect.changes_exec {
                    sets.live = sets.read;
                } else {
                    sets.live.subtract(&effect.writes);
                }
                sets.live.extend(&effect.reads);
                sets.read.extend(&effect.reads);
                if let Some(old) = before.get_mut(ip)
                    && *old != sets
                {
                    *old = sets;
                    changed = true;
                }
            }
            if !changed {
                return Self(before);
            }
        }
        Self(vec![everything; effects.len()])
    }

    /// The registers that may be read from a record on.
    pub fn before(&self, ip: usize) -> VectorSet {
        self.0.get(ip).map_or(VectorSet::ALL, |sets| sets.live)
    }

    /// The same in lanes that may be inactive there.
    pub fn inactive(&self, ip: usize) -> VectorSet {
        self.0.get(ip).map_or(VectorSet::ALL, |sets| sets.read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(registers: &[u16]) -> VectorSet {
        let mut set = VectorSet::default();
        registers.iter().for_each(|n| set.add(*n, 1));
        set
    }

    fn effect(ip: usize, reads: &[u16], writes: &[u16]) -> Effect {
        Effect { reads: set(reads), writes: set(writes), ..Effect::plain(ip) }
    }

    fn end() -> Effect {
        Effect { next: [None; 2], ..Effect::plain(0) }
    }

    #[test]
    fn a_register_is_dead_before_it_is_written_again() {
        let live =
            Liveness::new(&[effect(0, &[1], &[2]), effect(1, &[3], &[1]), effect(2, &[1], &[]), end()]);
        assert_eq!(live.before(0), set(&[1, 3]));
        assert_eq!(live.before(1), set(&[3]));
        assert_eq!(live.before(3), set(&[]));
    }

    #[test]
    fn what_loops_read_is_live_in_them() {
        let back = Effect { next: [Some(0), Some(3)], ..Effect::plain(2) };
        let live = Liveness::new(&[effect(0, &[1], &[2]), effect(1, &[2], &[]), back, end()]);
        assert_eq!(live.before(2), set(&[1]));
        assert_eq!(live.before(1), set(&[1, 2]));
    }

    #[test]
    fn lanes_that_a_later_exec_adds_must_not_be_lost() {
        let exec = Effect { changes_exec: true, ..Effect::plain(0) };
        let live = Liveness::new(&[exec, effect(1, &[], &[1]), effect(2, &[1], &[]), end()]);
        assert_eq!(live.before(0), set(&[1]), "inactive lanes of v1 may be read behind the write");
        assert_eq!(live.before(1), set(&[]));
    }

    #[test]
    fn who_may_read_anything_keeps_everything() {
        let call = Effect { unknown: true, next: [None; 2], ..Effect::plain(1) };
        let live = Liveness::new(&[effect(0, &[], &[7]), call]);
        assert_eq!(live.before(1), VectorSet::ALL);
        assert!(!live.before(0).has(7) && live.before(0).has(8));
    }
}
