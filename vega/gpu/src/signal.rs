//! `amd_signal_t`: what the packet processor does with signals.

use vega_exec::{AddressSpace, AtomicOp, GuestFault};

use crate::card::Shared;
use crate::layout::signal::{END_TS, EVENT_ID, MAILBOX, START_TS, VALUE};
use crate::{clock, hub};

/// The signal's value, acquired.
pub(crate) fn load(space: &AddressSpace, handle: u64) -> Result<i64, GuestFault> {
    space.read(handle.wrapping_add(VALUE))
}

/// The signal's event: mailbox address and id. The mailbox is 0 for a signal that nobody sleeps on.
///
/// Read before the value changes: afterwards the signal belongs to whoever waited for it.
fn event(space: &AddressSpace, handle: u64) -> Result<(u64, u32), GuestFault> {
    Ok((space.read(handle.wrapping_add(MAILBOX))?, space.read(handle.wrapping_add(EVENT_ID))?))
}

fn raise(card: &Shared, (mailbox, id): (u64, u32)) -> Result<(), GuestFault> {
    hub::changed();
    if mailbox != 0 {
        card.space.write::<u64>(mailbox, u64::from(id))?;
        card.notify.raise(id);
    }
    Ok(())
}

/// A packet is complete: writes when it began and that it ends now, takes one from the value (release),
/// and wakes whoever sleeps on the signal. Handle 0 is no signal.
pub(crate) fn complete(card: &Shared, handle: u64, began: u64) -> Result<(), GuestFault> {
    if handle == 0 {
        return Ok(());
    }
    let event = event(&card.space, handle)?;
    card.space.write::<u64>(handle.wrapping_add(START_TS), began)?;
    card.space.write::<u64>(handle.wrapping_add(END_TS), clock::ticks())?;
    card.space.atomic_u64(handle.wrapping_add(VALUE), AtomicOp::Add, u64::MAX)?;
    raise(card, event)
}

/// Stores a value (release), and wakes whoever sleeps on the signal.
pub(crate) fn store(card: &Shared, handle: u64, value: i64) -> Result<(), GuestFault> {
    let event = event(&card.space, handle)?;
    card.space.write::<i64>(handle.wrapping_add(VALUE), value)?;
    raise(card, event)
}
