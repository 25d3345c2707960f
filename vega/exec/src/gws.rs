//! Global wave sync: the barriers and semaphores that all waves of a card share (Vega ISA, "DS_GWS_*").
//!
//! A wave that has to wait takes a ticket, sleeps, and asks again. Nothing here blocks a thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Resources of a card (`num_gws` of the driver's topology).
pub const RESOURCES: usize = 64;

/// One barrier or semaphore.
#[derive(Debug, Default)]
struct Resource {
    /// Waves that the barrier still waits for, less one; or how often the semaphore can be taken.
    counter: u32,
    /// Changes when those who wait are let go.
    generation: u32,
}

/// What a waiting wave keeps: the generation that it waits to see the end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u32);

/// The resources of one card.
#[derive(Debug)]
pub struct Gws {
    resources: [Mutex<Resource>; RESOURCES],
}

impl Default for Gws {
    fn default() -> Self {
        Self { resources: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Gws {
    /// Numbers beyond the last resource begin again at the first.
    fn lock(&self, number: usize) -> MutexGuard<'_, Resource> {
        self.resources[number % RESOURCES].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `ds_gws_init`: the barrier opens when `value` more waves than one have arrived.
    pub fn init(&self, number: usize, value: u32) {
        self.lock(number).counter = value;
    }

    /// `ds_gws_barrier` of a wave that holds `ticket`, or arrives. The last to arrive says with `value` how
    /// many the next barrier is for, and lets all go. A ticket is what the wave must come back with.
    pub fn barrier(&self, number: usize, value: u32, ticket: Option<Ticket>) -> Option<Ticket> {
        let mut resource = self.lock(number);
        match ticket {
            Some(ticket) => (resource.generation == ticket.0).then_some(ticket),
            None if resource.counter == 0 => {
                resource.counter = value;
                resource.generation = resource.generation.wrapping_add(1);
                None
            }
            None => {
                resource.counter -= 1;
                Some(Ticket(resource.generation))
            }
        }
    }

    /// `ds_gws_sema_v` and `ds_gws_sema_br`: the semaphore can be taken so many times more.
    pub fn raise(&self, number: usize, by: u32) {
        let mut resource = self.lock(number);
        resource.counter = resource.counter.saturating_add(by);
    }

    /// `ds_gws_sema_p`: takes the semaphore, or answers with a ticket to come back with.
    pub fn take(&self, number: usize, ticket: Option<Ticket>) -> Option<Ticket> {
        let mut resource = self.lock(number);
        if ticket.is_some_and(|ticket| ticket.0 != resource.generation) {
            return None;
        }
        if resource.counter == 0 {
            return Some(Ticket(resource.generation));
        }
        resource.counter -= 1;
        None
    }

    /// `ds_gws_sema_release_all`: every wave that waits now gets the semaphore, and nobody else.
    pub fn release_all(&self, number: usize) {
        let mut resource = self.lock(number);
        resource.counter = 0;
        resource.generation = resource.generation.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_wave_opens_the_barrier_and_sets_up_the_next() {
        let gws = Gws::default();
        gws.init(3, 2);
        let a = gws.barrier(3, 1, None);
        let b = gws.barrier(3, 1, None);
        assert!(a.is_some() && gws.barrier(3, 1, a) == a && gws.barrier(3, 1, b) == b);
        assert_eq!(gws.barrier(3, 1, None), None);
        assert_eq!((gws.barrier(3, 1, a), gws.barrier(3, 1, b)), (None, None));
        // The next one is for two waves.
        let c = gws.barrier(3, 7, None);
        assert!(c.is_some());
        assert_eq!((gws.barrier(3, 7, None), gws.barrier(3, 7, c)), (None, None));
    }

    #[test]
    fn a_wave_that_comes_late_does_not_miss_its_release() {
        let gws = Gws::default();
        gws.init(0, 1);
        let a = gws.barrier(0, 1, None);
        assert_eq!(gws.barrier(0, 1, None), None);
        // The next round fills up before the first wave asks again.
        assert!(gws.barrier(0, 1, None).is_some());
        assert_eq!(gws.barrier(0, 1, a), None);
    }

    #[test]
    fn a_semaphore_is_taken_as_often_as_it_was_raised() {
        let gws = Gws::default();
        gws.raise(1, 2);
        assert_eq!((gws.take(1, None), gws.take(1, None)), (None, None));
        let waiting = gws.take(1, None);
        assert!(waiting.is_some() && gws.take(1, waiting) == waiting);
        gws.release_all(1);
        assert!(gws.take(1, None).is_some(), "who comes afterwards waits");
        assert_eq!(gws.take(1, waiting), None);
    }
}
