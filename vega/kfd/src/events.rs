//! Events: what `WAIT_EVENTS` waits for, with the kernel's rules (`kfd_events.c`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::abi::{CreateEvent, EventData, EventId, HwException, MemoryException, WaitEvents};
use crate::abi::{event_type, wait_result};
use crate::driver::Driver;
use crate::errno::Errno;
use crate::user;

/// Slots of the page in which signals leave the ids of their events.
pub const SLOTS: u32 = 4096;
/// What a slot holds when its event was not raised.
const UNSIGNALED: u64 = u64::MAX;
/// Ids of events without a slot.
const FIRST_WITHOUT_SLOT: u32 = 0x8000_0000;
/// The most events there can be.
const LIMIT: usize = 2 * SLOTS as usize;
/// Timeouts from here on mean "for ever".
const FOREVER: u32 = 0xffff_fffe;
/// How long a wait takes that has nothing new to tell: the ages it does not know were told before. ROCr 6.4 forgets
/// ages whenever its list of events changes, and then asks again and again, for as long as a kernel runs.
const NOTHING_NEW: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Event {
    kind: u32,
    auto_reset: bool,
    signaled: bool,
    /// How often it was raised; a waiter notices by a change. The kernel's `event_age` counts alike and
    /// skips 0, which means "not used".
    age: u64,
    /// The age that was told last; 0 if none was.
    told: u64,
    waiters: u32,
    memory: MemoryException,
    hardware: HwException,
}

/// All slots of the event page. The page is a buffer of the driver's, never unmapped on the host's side.
type Page = &'static [AtomicU64];

#[derive(Default)]
struct State {
    events: BTreeMap<u32, Event>,
    page: Option<(u64, Page)>,
}

/// The process's events.
#[derive(Default)]
pub struct Events {
    state: Mutex<State>,
    changed: Condvar,
}

impl Events {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises the event of a signal, whose mailbox holds the id.
    pub fn raise(&self, id: u32) {
        let mut state = self.lock();
        state.acknowledge(id);
        state.raise(id);
        drop(state);
        self.changed.notify_all();
    }

    /// Raises the event of every mailbox slot that holds an id.
    pub fn raise_all_mailboxes(&self) {
        let mut state = self.lock();
        let Some((_, page)) = state.page else { return };
        let ids: Vec<u32> = state.events.range(..SLOTS).map(|(&id, _)| id).collect();
        for id in ids {
            if page.get(id as usize).is_some_and(|slot| slot.load(Ordering::Acquire) != UNSIGNALED) {
                state.acknowledge(id);
                state.raise(id);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Raises the events of memory faults. False if there is none.
    pub fn memory_fault(&self, fault: MemoryException) -> bool {
        self.raise_kind(event_type::MEMORY, |event| event.memory = fault)
    }

    /// Raises the events of hardware exceptions. False if there is none.
    pub fn hardware_exception(&self, exception: HwException) -> bool {
        self.raise_kind(event_type::HW_EXCEPTION, |event| event.hardware = exception)
    }

    fn raise_kind(&self, kind: u32, fill: impl Fn(&mut Event)) -> bool {
        let mut state = self.lock();
        let ids: Vec<u32> = state.events.iter().filter(|(_, e)| e.kind == kind).map(|(&id, _)| id).collect();
        for &id in &ids {
            if let Some(event) = state.events.get_mut(&id) {
                fill(event);
            }
            state.raise(id);
        }
        drop(state);
        self.changed.notify_all();
        !ids.is_empty()
    }

    /// The page is gone together with the buffer of this handle.
    pub fn forget_page(&self, handle: u64) {
        let mut state = self.lock();
        if state.page.is_some_and(|(owner, _)| owner == handle) {
            state.page = None;
        }
    }
}

impl State {
    fn acknowledge(&self, id: u32) {
        if let Some((_, page)) = self.page
            && let Some(slot) = page.get(id as usize)
        {
            slot.store(UNSIGNALED, Ordering::Release);
        }
    }

    fn raise(&mut self, id: u32) {
        let Some(event) = self.events.get_mut(&id) else { return };
        event.signaled = !event.auto_reset || event.waiters == 0;
        event.age = event.age.checked_add(1).unwrap_or(2);
    }

    fn free_id(&self, kind: u32) -> Option<u32> {
        let (first, end) = if kind == event_type::SIGNAL {
            (1, SLOTS)
        } else {
            (FIRST_WITHOUT_SLOT, FIRST_WITHOUT_SLOT + SLOTS)
        };
        let mut free = first;
        for &id in self.events.range(first..end).map(|(id, _)| id) {
            if id != free {
                break;
            }
            free += 1;
        }
        (free < end).then_some(free)
    }
}

/// CREATE_EVENT. The first call brings the handle of the buffer that becomes the event page.
pub fn create(driver: &Driver, args: &mut CreateEvent) -> Result<(), Errno> {
    let page = match args.event_page_offset {
        0 => None,
        handle => Some((handle, driver.memory.event_page(handle, SLOTS as usize)?)),
    };
    let mut state = driver.events.lock();
    if let (None, Some((handle, page))) = (state.page, page) {
        for slot in page {
            slot.store(UNSIGNALED, Ordering::Release);
        }
        state.page = Some((handle, page));
    }
    if state.events.len() >= LIMIT {
        return Err(Errno::ENOSPC);
    }
    let id = state.free_id(args.event_type).ok_or(Errno::ENOSPC)?;
    let event = Event { kind: args.event_type, auto_reset: args.auto_reset != 0, age: 1, ..Event::default() };
    state.events.insert(id, event);
    state.acknowledge(id);
    args.event_id = id;
    args.event_trigger_data = id;
    args.event_slot_index = id % FIRST_WITHOUT_SLOT;
    // Nonzero in every answer: with 0 the runtime would give no signal a mailbox.
    args.event_page_offset = state.page.map_or(args.event_page_offset, |(handle, _)| handle);
    Ok(())
}

/// DESTROY_EVENT: whoever waits for it wakes, and fails.
pub fn destroy(driver: &Driver, args: &mut EventId) -> Result<(), Errno> {
    driver.events.lock().events.remove(&args.event_id).ok_or(Errno::EINVAL)?;
    driver.events.changed.notify_all();
    Ok(())
}

/// SET_EVENT.
pub fn set(driver: &Driver, args: &mut EventId) -> Result<(), Errno> {
    let mut state = driver.events.lock();
    if !state.events.contains_key(&args.event_id) {
        return Err(Errno::EINVAL);
    }
    state.raise(args.event_id);
    drop(state);
    driver.events.changed.notify_all();
    Ok(())
}

/// RESET_EVENT.
pub fn reset(driver: &Driver, args: &mut EventId) -> Result<(), Errno> {
    let mut state = driver.events.lock();
    state.events.get_mut(&args.event_id).ok_or(Errno::EINVAL)?.signaled = false;
    Ok(())
}

/// One event of a call of WAIT_EVENTS.
struct Waiter {
    id: u32,
    /// The event's age when waiting began.
    since: u64,
    activated: bool,
    /// The program gave the last age that it knows.
    wants_age: bool,
    /// It is activated for an age that was told before.
    old: bool,
}

/// WAIT_EVENTS.
pub fn wait(driver: &Driver, args: &mut WaitEvents) -> Result<(), Errno> {
    if args.num_events == 0 || args.num_events as usize > LIMIT {
        return Err(Errno::EINVAL);
    }
    let mut data = Vec::new();
    for i in 0..args.num_events {
        data.push(user::read::<EventData>(user::element::<EventData>(args.events_ptr, i))?);
    }
    let deadline = match args.timeout {
        FOREVER.. => None,
        ms => Instant::now().checked_add(Duration::from_millis(u64::from(ms))),
    };
    let (result, waiters) = block(&driver.events, &data, args.wait_for_all != 0, deadline);
    args.wait_result = result;
    if result == wait_result::FAIL {
        return Err(Errno::EIO);
    }
    for (i, (waiter, mut data)) in waiters.into_iter().zip(data).enumerate() {
        if let Some(answer) = waiter {
            data.data = answer;
            user::write(user::element::<EventData>(args.events_ptr, i as u32), &data)?;
        }
    }
    Ok(())
}

/// What is written back for each event: the union of `kfd_event_data`, if it changes.
type Answers = Vec<Option<[u64; 4]>>;

fn block(events: &Events, data: &[EventData], all: bool, deadline: Option<Instant>) -> (u32, Answers) {
    let mut state = events.lock();
    let Some(mut waiters) = begin(&mut state, data) else { return (wait_result::FAIL, Vec::new()) };
    let patience = Instant::now() + NOTHING_NEW;
    let result = loop {
        let mut missing = false;
        for waiter in waiters.iter_mut() {
            match state.events.get(&waiter.id) {
                Some(event) if event.age != waiter.since => (waiter.activated, waiter.old) = (true, false),
                Some(_) => {}
                None => missing = true,
            }
        }
        let activated = waiters.iter().filter(|w| w.activated).count();
        if missing {
            break wait_result::FAIL;
        }
        let complete = if all { activated == waiters.len() } else { activated > 0 };
        if complete && waiters.iter().any(|w| w.activated && !w.old) {
            break wait_result::COMPLETE;
        }
        let deadline = if complete {
            Some(deadline.map_or(patience, |deadline| deadline.min(patience)))
        } else {
            deadline
        };
        state = match deadline {
            None => events.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break if complete { wait_result::COMPLETE } else { wait_result::TIMEOUT };
                }
                events.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    };
    let mut answers = Vec::new();
    for waiter in &waiters {
        let Some(event) = state.events.get_mut(&waiter.id) else {
            answers.push(None);
            continue;
        };
        event.waiters = event.waiters.saturating_sub(1);
        answers.push(if waiter.activated { answer(event, waiter) } else { None });
    }
    (result, answers)
}

/// Enlists at every event, and takes what was raised before. `None` if an event does not exist.
fn begin(state: &mut State, data: &[EventData]) -> Option<Vec<Waiter>> {
    if data.iter().any(|d| !state.events.contains_key(&d.event_id)) {
        return None;
    }
    let mut waiters = Vec::new();
    for data in data {
        let event = state.events.get_mut(&data.event_id)?;
        let known_age = data.data[0];
        let wants_age = event.kind == event_type::SIGNAL && known_age != 0;
        let other_age = wants_age && event.age != known_age;
        let activated = event.signaled || other_age;
        let old = !event.signaled && other_age && event.told == event.age;
        event.signaled &= !event.auto_reset;
        event.waiters += 1;
        waiters.push(Waiter { id: data.event_id, since: event.age, activated, wants_age, old });
    }
    Some(waiters)
}

fn answer(event: &mut Event, waiter: &Waiter) -> Option<[u64; 4]> {
    match event.kind {
        event_type::MEMORY => Some(bytemuck::cast(event.memory)),
        event_type::HW_EXCEPTION => {
            let [low, high]: [u64; 2] = bytemuck::cast(event.hardware);
            Some([low, high, 0, 0])
        }
        _ if waiter.wants_age => {
            event.told = event.age;
            Some([event.age, 0, 0, 0])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(kind: u32, auto_reset: bool) -> (Events, EventData) {
        let events = Events::default();
        let mut state = events.lock();
        let id = state.free_id(kind).unwrap();
        state.events.insert(id, Event { kind, auto_reset, age: 1, ..Event::default() });
        drop(state);
        (events, EventData { event_id: id, ..EventData::default() })
    }

    fn now() -> Option<Instant> {
        Some(Instant::now())
    }

    #[test]
    fn a_raised_event_stays_until_it_is_consumed() {
        let (events, data) = with(event_type::SIGNAL, true);
        assert_eq!(block(&events, &[data], false, now()).0, wait_result::TIMEOUT);
        events.raise(data.event_id);
        assert_eq!(block(&events, &[data], false, now()).0, wait_result::COMPLETE);
        assert_eq!(block(&events, &[data], false, now()).0, wait_result::TIMEOUT);
    }

    #[test]
    fn without_auto_reset_it_stays_raised() {
        let (events, data) = with(event_type::SIGNAL, false);
        events.raise(data.event_id);
        for _ in 0..2 {
            assert_eq!(block(&events, &[data], true, now()).0, wait_result::COMPLETE);
        }
    }

    #[test]
    fn every_waiter_of_one_event_wakes() {
        let (events, data) = with(event_type::SIGNAL, true);
        std::thread::scope(|scope| {
            let waiters: Vec<_> =
                (0..3).map(|_| scope.spawn(|| block(&events, &[data], false, None).0)).collect();
            while events.lock().events[&data.event_id].waiters < 3 {
                std::thread::yield_now();
            }
            events.raise(data.event_id);
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), wait_result::COMPLETE);
            }
        });
        assert!(!events.lock().events[&data.event_id].signaled, "the waiters have consumed it");
    }

    #[test]
    fn destroying_wakes_waiters_and_fails_them() {
        let (events, data) = with(event_type::SIGNAL, true);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| block(&events, &[data], false, None).0);
            while events.lock().events[&data.event_id].waiters == 0 {
                std::thread::yield_now();
            }
            events.lock().events.clear();
            events.changed.notify_all();
            assert_eq!(waiter.join().unwrap(), wait_result::FAIL);
        });
        assert_eq!(block(&events, &[data], false, now()).0, wait_result::FAIL);
    }

    #[test]
    fn an_old_age_does_not_wait_and_gets_the_new_one() {
        let (events, mut data) = with(event_type::SIGNAL, true);
        events.raise(data.event_id);
        data.data[0] = 1;
        let (result, answers) = block(&events, &[data], false, now());
        assert_eq!((result, answers), (wait_result::COMPLETE, vec![Some([2, 0, 0, 0])]));
        data.data[0] = 2;
        assert_eq!(block(&events, &[data], false, now()).0, wait_result::TIMEOUT);
    }

    #[test]
    fn whoever_forgets_an_age_is_told_again_but_no_sooner_than_something_happens() {
        let (events, mut data) = with(event_type::SIGNAL, true);
        events.raise(data.event_id);
        data.data[0] = 1;
        let told = (wait_result::COMPLETE, vec![Some([2, 0, 0, 0])]);
        assert_eq!(block(&events, &[data], false, None), told);
        let before = Instant::now();
        assert_eq!(block(&events, &[data], false, None), told, "it is not lost");
        assert!(before.elapsed() >= NOTHING_NEW, "a loop of such calls leaves the processor to others");
        // What is new is told at once, also while somebody waits.
        std::thread::scope(|scope| {
            let waiter =
                scope.spawn(|| (0..).map(|_| block(&events, &[data], false, None).1).find(|a| *a != told.1));
            while events.lock().events[&data.event_id].waiters == 0 {
                std::thread::yield_now();
            }
            events.raise(data.event_id);
            assert_eq!(waiter.join().unwrap(), Some(vec![Some([3, 0, 0, 0])]));
        });
    }

    #[test]
    fn a_memory_fault_carries_its_address() {
        let (events, data) = with(event_type::MEMORY, false);
        let fault = MemoryException { not_present: 1, va: 0x1234_5000, gpu_id: 7, ..Default::default() };
        assert!(events.memory_fault(fault));
        let (result, answers) = block(&events, &[data], true, now());
        assert_eq!(result, wait_result::COMPLETE);
        let back: MemoryException = bytemuck::cast(answers[0].unwrap());
        assert_eq!((back.va, back.gpu_id, back.not_present), (0x1234_5000, 7, 1));
        assert!(!events.hardware_exception(HwException::default()), "nobody listens for these");
    }
}
