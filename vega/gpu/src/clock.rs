//! The card's constant clock: what timestamps of signals and `s_memrealtime` count.
//!
//! # Safety
//! `clock_gettime` writes one `timespec`, and gets a pointer to one on the stack.

use std::time::Duration;

/// Ticks per second: the crystal of a Vega 10 has 27 MHz.
pub const TICKS_PER_SECOND: u64 = 27_000_000;

/// The time since boot, suspension included, as the kernel driver's `GET_CLOCK_COUNTERS` reports it
/// beside the card's ticks.
pub fn since_boot() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec that outlives the call. A failure leaves it zero.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut now) };
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// The card's counter: ticks of 27 MHz since boot. All cards of a machine count alike.
pub fn ticks() -> u64 {
    let now = since_boot();
    now.as_secs().wrapping_mul(TICKS_PER_SECOND)
        + u64::from(now.subsec_nanos()) * TICKS_PER_SECOND / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_follow_the_boot_clock() {
        let (before, t, after) = (since_boot(), ticks(), since_boot());
        let low = before.as_nanos() * 27 / 1000;
        let high = after.as_nanos() * 27 / 1000;
        assert!((low..=high).contains(&u128::from(t)), "{low} <= {t} <= {high}");
        assert!(t > 0);
    }
}
