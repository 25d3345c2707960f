//! A resident workgroup: its waves, its LDS, its turns.

use std::collections::VecDeque;
use std::sync::Arc;

use super::launch::Launch;
use super::places::Place;
use crate::interp::program::Program;
use crate::interp::wave::{Stop, Wave};
use crate::interp::worker::{LDS_MAX, LDS_PAD, WaveFault, Worker};
use crate::interp::{self, Beginning};
use crate::report::FaultKind;

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Every wave has ended.
    Done,
    /// Some wave takes long, or spins.
    Yielded,
    /// Every wave that is left sleeps, or waits for one that does.
    Slept,
    /// The wave with this index faulted.
    Fault(usize),
}

/// Waves, LDS and lists that are not in use, kept for the next workgroup.
#[derive(Default)]
pub(crate) struct Spares {
    waves: Vec<Box<Wave>>,
    lds: Vec<Box<[u8]>>,
    /// Empty lists, for their capacity.
    lists: Vec<Vec<Box<Wave>>>,
    /// An empty list of workgroups, for its capacity.
    pub groups: VecDeque<Group>,
}

/// Spare waves and LDS blocks that a worker keeps.
const KEPT: usize = 64;

/// Barriers that a workgroup may pass in one turn: even one that does nothing else must give way.
const BARRIERS: usize = 256;

/// A workgroup under way.
pub(crate) struct Group {
    pub waves: Vec<Box<Wave>>,
    lds: Box<[u8]>,
    lds_bytes: usize,
    /// Where it is on the card.
    pub place: Place,
    /// How the waves begin, if they have just started: what they do not need for that, they lack.
    beginning: Beginning,
    /// They were together until they ended.
    pub ended_together: bool,
}

impl Group {
    /// Starts a workgroup.
    pub fn new(
        spares: &mut Spares,
        launch: &Launch,
        program: &Arc<Program>,
        id: [u32; 3],
        lds_bytes: usize,
        (place, can): (Place, Beginning),
    ) -> Self {
        let size = launch.size(id);
        let count = size.iter().product::<u32>().div_ceil(64);
        let beginning = launch.beginning(size, can);
        let mut waves = spares.lists.pop().unwrap_or_default();
        for number in 0..count {
            let mut wave = spares.waves.pop().unwrap_or_else(Wave::boxed);
            launch.start(&mut wave, (id, size), number, place, beginning);
            wave.program = Arc::as_ptr(program);
            waves.push(wave);
        }
        Wave::link(&mut waves);
        let mut lds: Box<[u8]> = Box::default();
        if lds_bytes != 0 {
            lds = spares.lds.pop().unwrap_or_else(|| vec![0; LDS_MAX + LDS_PAD].into_boxed_slice());
        }
        Self { waves, lds, lds_bytes, place, beginning, ended_together: false }
    }

    /// Starts another workgroup of the dispatch in the place of this one, which has ended. False if it has not as many
    /// waves; nothing is changed then.
    pub fn restart(&mut self, launch: &Launch, program: &Arc<Program>, id: [u32; 3], can: Beginning) -> bool {
        let size = launch.size(id);
        if size.iter().product::<u32>().div_ceil(64) as usize != self.waves.len() {
            return false;
        }
        self.beginning = launch.beginning(size, can);
        if std::mem::take(&mut self.ended_together) && self.beginning != Beginning::Alone {
            launch.again(&mut self.waves, (id, size), self.beginning);
            return true;
        }
        for (number, wave) in (0..).zip(&mut self.waves) {
            launch.start(wave, (id, size), number, self.place, self.beginning);
            wave.program = Arc::as_ptr(program);
        }
        true
    }

    /// Gives the waves and the LDS back.
    pub fn finish(mut self, spares: &mut Spares) {
        for wave in self.waves.drain(..) {
            if spares.waves.len() < KEPT {
                spares.waves.push(wave);
            }
        }
        if !self.lds.is_empty() && spares.lds.len() < KEPT {
            spares.lds.push(self.lds);
        }
        if spares.lists.len() < KEPT {
            spares.lists.push(self.waves);
        }
    }

    /// Runs the waves until all have ended, or until one has run for a while or sleeps.
    pub fn turn(&mut self, worker: &mut Worker) -> Turn {
        std::mem::swap(&mut worker.lds, &mut self.lds);
        worker.lds_bytes = self.lds_bytes;
        let turn = match self.begin(worker) {
            Some(turn) => turn,
            None if worker.random().is_some() => self.random_slices(worker),
            None => self.slices(worker),
        };
        std::mem::swap(&mut worker.lds, &mut self.lds);
        turn
    }

    /// Runs the waves together if they have just started. `None` if some go on afterwards.
    fn begin(&mut self, worker: &mut Worker) -> Option<Turn> {
        let beginning = std::mem::take(&mut self.beginning);
        if beginning == Beginning::Alone {
            return None;
        }
        let in_line = beginning == Beginning::InLine;
        worker.together += 1;
        worker.in_line += u64::from(in_line);
        self.ended_together = interp::run_together(&mut self.waves, worker, in_line);
        if self.ended_together {
            return Some(Turn::Done);
        }
        self.waves.iter().position(|wave| wave.stop == Stop::Fault).map(Turn::Fault)
    }

    /// Stops with this fault, in a wave that runs, or else in one that waits for others at a barrier.
    pub fn give_up(&mut self, worker: &mut Worker, kind: FaultKind) -> Turn {
        let find = |wanted: fn(Stop) -> bool| self.waves.iter().position(|wave| wanted(wave.stop));
        let running = find(|stop| matches!(stop, Stop::Yield | Stop::Sleep));
        let index = running.or_else(|| find(|stop| stop != Stop::End)).unwrap_or(0);
        worker.fault = Some(WaveFault { kind, lane: None });
        Turn::Fault(index)
    }

    /// Runs waves in a random order, for a random number of slices.
    fn random_slices(&mut self, worker: &mut Worker) -> Turn {
        let runs = |wave: &Wave| matches!(wave.stop, Stop::Yield | Stop::Sleep);
        let slices = worker.random().map_or(0, |random| 1 + random.below(4 * self.waves.len()));
        for _ in 0..slices {
            let count = self.waves.iter().filter(|wave| runs(wave)).count();
            if count == 0 {
                break;
            }
            let chosen = worker.random().map_or(0, |random| random.below(count));
            let mut waves = self.waves.iter_mut().enumerate().filter(|(_, wave)| runs(wave));
            if let Some((index, wave)) = waves.nth(chosen)
                && interp::run(wave, worker) == Stop::Fault
            {
                return Turn::Fault(index);
            }
        }
        if self.waves.iter().all(|wave| wave.stop == Stop::End) {
            return Turn::Done;
        }
        if self.waves.iter().any(|wave| runs(wave)) {
            let awake = self.waves.iter().any(|wave| wave.stop == Stop::Yield);
            return if awake { Turn::Yielded } else { Turn::Slept };
        }
        self.pass_barrier();
        Turn::Yielded
    }

    /// All waves that are left have arrived.
    fn pass_barrier(&mut self) {
        for wave in self.waves.iter_mut().filter(|wave| wave.stop == Stop::Barrier) {
            wave.stop = Stop::Yield;
        }
    }

    /// Runs each wave until it stops, and again after each barrier that all have reached.
    fn slices(&mut self, worker: &mut Worker) -> Turn {
        for _ in 0..BARRIERS {
            let (mut ended, mut waiting, mut sleeping) = (0, 0, 0);
            for (index, wave) in self.waves.iter_mut().enumerate() {
                if matches!(wave.stop, Stop::Yield | Stop::Sleep) && interp::run(wave, worker) == Stop::Fault
                {
                    return Turn::Fault(index);
                }
                match wave.stop {
                    Stop::End => ended += 1,
                    Stop::Barrier => waiting += 1,
                    Stop::Sleep | Stop::Halt => sleeping += 1,
                    _ => {}
                }
            }
            if ended == self.waves.len() {
                return Turn::Done;
            }
            if ended + waiting < self.waves.len() {
                let asleep = ended + waiting + sleeping == self.waves.len();
                return if asleep { Turn::Slept } else { Turn::Yielded };
            }
            self.pass_barrier();
        }
        Turn::Yielded
    }
}
