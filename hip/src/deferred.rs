//! Values that the device may still use, kept until it is done with them.

use crate::event::Marker;
use std::sync::Mutex;

/// A value, and the marker that has to pass before it is dropped.
type Entry = (Option<Marker>, Box<dyn Send>);

/// Values whose owners went away while work on the device still refers to them.
///
/// Nobody waits for them: whoever defers the next value, or synchronises, drops those that are done.
#[derive(Default)]
pub(crate) struct Deferred(Mutex<Vec<Entry>>);

impl Deferred {
    /// Keeps `value` until `marker` has passed.
    pub(crate) fn push(&self, marker: Marker, value: Box<dyn Send>) {
        self.sweep();
        self.lock().push((Some(marker), value));
    }

    /// Keeps `value` until somebody sweeps: its destructor cannot use HIP here.
    pub(crate) fn later(&self, value: Box<dyn Send>) {
        self.lock().push((None, value));
    }

    /// Drops every value whose marker has passed.
    pub(crate) fn sweep(&self) {
        if crate::callback::is_inside() {
            return;
        }
        // The values are dropped after the lock is released: their destructors call HIP, and may defer again.
        let mut done = Vec::new();
        let mut list = self.lock();
        let mut index = 0;
        while let Some((marker, _)) = list.get(index) {
            match marker.as_ref().map_or(Ok(true), Marker::passed) {
                Ok(true) => done.push(list.swap_remove(index)),
                // A marker that cannot be asked is taken as not passed: leaking is sound, freeing is not.
                Ok(false) | Err(_) => index += 1,
            }
        }
        drop(list);
        drop(done);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
