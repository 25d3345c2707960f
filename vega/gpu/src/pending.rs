//! Reports that are being written. The runtime ends the process as soon as it hears of one fault: whoever tells it
//! waits first until the reports of other queues are out, too.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

static PENDING: Mutex<u32> = Mutex::new(0);
static DONE: Condvar = Condvar::new();

/// No report takes so long; one that does must not keep the program from ending.
const LONGEST: Duration = Duration::from_secs(5);

/// A report that is being written.
pub(crate) struct Pending(());

impl Pending {
    pub fn new() -> Self {
        *PENDING.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Pending(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        *PENDING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        DONE.notify_all();
    }
}

/// Waits until no report is being written.
pub(crate) fn wait() {
    let pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    // After the time is up the program is told all the same.
    drop(DONE.wait_timeout_while(pending, LONGEST, |pending| *pending != 0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_sees_every_report_finished() {
        let report = Pending::new();
        let waiting = std::thread::spawn(wait);
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished());
        drop(report);
        waiting.join().unwrap();
    }
}
