//! One worker's part of a dispatch.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::group::{Group, Spares, Turn};
use super::job::{Job, Seat};
use super::places::Place;
use crate::interp::worker::Worker;
use crate::report::{FaultKind, Position, WaveState};

/// Rounds in which nothing ends before the thread lets others run. On a busy machine each time costs a
/// time slice, and what waves wait for is often in the same thread.
const YIELD_EVERY: u32 = 8;

/// Rounds in which every wave sleeps before the thread does.
const NAP_AFTER: usize = 200;

/// How long it sleeps: waves that poll for the host see the answer this much later.
pub(super) const NAP: Duration = Duration::from_micros(30);

/// How long a thread without workgroups waits before it looks for room, or for a job that is over.
const NO_ROOM: Duration = Duration::from_micros(50);

/// After so many short workgroups in a row it looks whether anybody wants it to stop.
const SHORT: u32 = 8;

/// A random schedule starts one more workgroup in one turn of so many, whatever the others do.
const ADMISSIONS: usize = 4;

/// And has so many under way without need: more would not fit the host's caches.
const CROWD: usize = 16;

/// One worker's part of a job: workgroups that it has taken, those under way in turn.
pub(super) struct Shift<'a> {
    job: &'a Job,
    seat: &'a Seat<'a>,
    pub groups: VecDeque<Group>,
    /// The place of the workgroup that has ended last: the next one takes it without asking anybody.
    place: Option<Place>,
    /// Workgroups that have ended since others were told.
    ended: u64,
    /// Workgroups that are its to start.
    pub taken: Range<u64>,
    /// Short workgroups since others were thought of.
    short: u32,
    /// Turns since a workgroup ended or was admitted.
    turns: usize,
    /// Rounds of turns in which nothing could be started.
    rounds: u32,
    /// How many turns in a row found every wave asleep.
    asleep: usize,
    /// Turns since a workgroup ended.
    pub idle: usize,
}

impl<'a> Shift<'a> {
    /// Nothing is under way yet; the empty list is taken for its capacity.
    pub fn new(job: &'a Job, seat: &'a Seat<'a>, groups: VecDeque<Group>) -> Self {
        Self {
            job,
            seat,
            groups,
            place: None,
            ended: 0,
            taken: 0..0,
            short: 0,
            turns: 0,
            rounds: 1,
            asleep: 0,
            idle: 0,
        }
    }

    /// The next workgroup to start, taking a chunk when the last one is used up.
    fn next(&mut self) -> Option<u64> {
        if self.taken.is_empty() {
            self.tell();
            self.taken = self.job.take();
        }
        (!self.taken.is_empty()).then_some(self.taken.start)
    }

    /// Room for one more workgroup, unless another dispatch comes first.
    fn room(&mut self) -> Option<Place> {
        // With a schedule, dispatches run one after the other.
        let ranked = self.job.limits.scheduled.is_none();
        if ranked && (self.seat.outranked)() {
            None
        } else {
            self.place.take().or_else(|| self.job.places.take())
        }
    }

    /// A workgroup has ended.
    pub fn release(&mut self, group: Group, spares: &mut Spares) {
        self.ended += 1;
        if let Some(place) = self.place.replace(group.place) {
            self.job.places.give(place);
        }
        group.finish(spares);
    }

    /// Tells others how many workgroups have ended.
    fn tell(&mut self) {
        if self.ended != 0 {
            self.job.ended.0.fetch_add(std::mem::take(&mut self.ended), Ordering::Relaxed);
        }
    }

    /// Keeps nothing back from others.
    pub fn settle(&mut self) {
        self.tell();
        if let Some(place) = self.place.take() {
            self.job.places.give(place);
        }
    }

    /// Starts one more workgroup if all that run have had a turn without ending. False: nothing to start.
    fn admit(&mut self, worker: &mut Worker, spares: &mut Spares) -> bool {
        let Some(number) = self.next() else {
            // What the workgroups here wait for may need the place.
            self.settle();
            return false;
        };
        let Some(place) = self.room() else {
            if !self.groups.is_empty() || self.seat.is_helper {
                return false;
            }
            // Others have all the room: wait for one to end.
            self.settle();
            self.job.give_back(std::mem::take(&mut self.taken));
            std::thread::sleep(NO_ROOM);
            return true;
        };
        self.taken.start += 1;
        let job = self.job;
        let lds = job.dispatch.lds_bytes as usize;
        let beginning = job.beginning(worker);
        let group = Group::new(spares, &job.launch, &job.program, job.id(number), lds, (place, beginning));
        if let Some(observer) = &mut worker.observer {
            observer.started(group.waves.len());
        }
        self.groups.push_front(group);
        self.turns = 0;
        true
    }

    /// Whether the next workgroup has taken the place, the waves and the LDS of this one, which has ended: the short
    /// way while nothing else is under way here.
    fn succeeds(&mut self, group: &mut Group, worker: &Worker) -> bool {
        let job = self.job;
        let alone = self.groups.is_empty() && job.limits.scheduled.is_none() && worker.observer.is_none();
        // Workgroups that never part are short.
        self.short = if group.ended_together { self.short % SHORT + 1 } else { 0 };
        let look = self.short <= 1;
        if !alone
            || self.taken.is_empty()
            || look && (job.is_stopped() || job.is_held() || (self.seat.outranked)())
            || !group.restart(&job.launch, &job.program, job.id(self.taken.start), job.beginning(worker))
        {
            return false;
        }
        self.taken.start += 1;
        self.ended += 1;
        true
    }

    /// With a random schedule: perhaps one more workgroup, and any of those under way comes next.
    fn shuffle(&mut self, worker: &mut Worker, spares: &mut Spares) {
        let Some(random) = worker.random() else { return };
        let admits = self.groups.len() < CROWD && random.once_in(ADMISSIONS);
        let first = random.below(self.groups.len());
        self.groups.rotate_left(first);
        if admits {
            self.admit(worker, spares);
        }
    }

    /// Where the waves are: those of `group`, and those of the other workgroups under way here.
    fn positions(&self, group: &Group) -> Vec<Position> {
        let mut counts: BTreeMap<(u64, WaveState), u32> = BTreeMap::new();
        for wave in self.groups.iter().chain([group]).flat_map(|group| &group.waves) {
            if let Some(state) = wave.stop.state() {
                *counts.entry((wave.pc(wave.ip), state)).or_default() += 1;
            }
        }
        let each = counts.into_iter().map(|((pc, state), waves)| Position { pc, state, waves });
        let mut positions: Vec<Position> = each.collect();
        positions.sort_by_key(|position| std::cmp::Reverse(position.waves));
        positions
    }

    /// One turn of one workgroup. False when all work is done.
    pub fn step(&mut self, worker: &mut Worker, spares: &mut Spares) -> bool {
        self.shuffle(worker, spares);
        if self.turns >= self.groups.len() && !self.admit(worker, spares) {
            if self.groups.is_empty() {
                return false;
            }
            if self.turns >= self.groups.len() {
                // Everything here spins, and whatever it waits for is elsewhere.
                if self.asleep > NAP_AFTER * self.groups.len() {
                    std::thread::sleep(NAP);
                } else if self.job.limits.scheduled.is_none() && self.rounds.is_multiple_of(YIELD_EVERY) {
                    // (With a schedule no other worker has what they wait for.)
                    std::thread::yield_now();
                }
                self.rounds = self.rounds.wrapping_add(1);
                self.turns = 0;
            }
        }
        let Some(mut group) = self.groups.pop_front() else { return true };
        let turn = loop {
            let turn = match self.job.is_overdue() {
                Some(limit) => group.give_up(worker, FaultKind::Watchdog { limit }),
                None => group.turn(worker),
            };
            if turn != Turn::Done || !self.succeeds(&mut group, worker) {
                break turn;
            }
        };
        match turn {
            Turn::Done => {
                self.release(group, spares);
                self.turns = self.groups.len();
                (self.asleep, self.idle) = (0, 0);
            }
            turn @ (Turn::Yielded | Turn::Slept) => {
                (self.turns, self.idle) = (self.turns + 1, self.idle + 1);
                self.asleep = if turn == Turn::Slept { self.asleep + 1 } else { 0 };
                self.groups.push_back(group);
            }
            Turn::Fault(index) => {
                if let Some(wave) = group.waves.get(index) {
                    let positions = self.job.is_overdue().map(|_| self.positions(&group));
                    self.job.report(wave, worker, positions.unwrap_or_default());
                }
                self.release(group, spares);
            }
        }
        true
    }
}
