//! Global wave sync. A wave that must wait stays at its instruction and sleeps.

use std::sync::atomic::{Ordering, fence};

use super::level::{Handler, Vector};
use super::record::{EXIT, Record, code};
use super::wave::{Stop, Wave};
use super::worker::Worker;
use crate::gws::{Gws, Ticket};
use crate::report::FaultKind;

/// The resource that an instruction names: M0\[21:16\] and its offset.
fn number(wave: &Wave, record: &Record) -> usize {
    (wave.m0() >> 16 & 63).wrapping_add(record.imm as u32) as usize
}

/// The first active lane's data.
fn value(wave: &Wave, record: &Record) -> u32 {
    let lane = wave.exec().trailing_zeros() as usize % 64;
    wave.v[record.src[0].wrapping_sub(code::VGPR) as usize % 256][lane]
}

/// Runs `act`; the wave goes on if it leaves no ticket to wait with.
fn sync(
    wave: &mut Wave,
    worker: &mut Worker,
    ip: usize,
    act: impl FnOnce(&Gws, &Wave) -> Option<Ticket>,
) -> usize {
    let Some(gws) = worker.host.gws() else {
        let reason = "the device has no global wave sync";
        return worker.fail(wave, ip, FaultKind::IllegalInstruction { reason }, None);
    };
    // What was stored before is seen by those who wait.
    fence(Ordering::SeqCst);
    wave.ticket = act(gws, wave);
    if wave.ticket.is_none() {
        return ip + 1;
    }
    wave.ip = ip;
    wave.stop = Stop::Sleep;
    EXIT
}

macro_rules! gws {
    ($($(#[$doc:meta])* $name:ident |$gws:ident, $wave:ident, $record:ident| $act:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;
        impl Handler for $name {
            #[inline(always)]
            unsafe fn exec<V: Vector>(
                wave: &mut Wave,
                worker: &mut Worker,
                $record: &Record,
                ip: usize,
            ) -> usize {
                sync(wave, worker, ip, |$gws, $wave| $act)
            }
        }
    )*};
}

gws! {
    /// `ds_gws_init`.
    Init |gws, wave, record| { gws.init(number(wave, record), value(wave, record)); None };
    /// `ds_gws_barrier`.
    Barrier |gws, wave, record| gws.barrier(number(wave, record), value(wave, record), wave.ticket);
    /// `ds_gws_sema_v`.
    SemaV |gws, wave, record| { gws.raise(number(wave, record), 1); None };
    /// `ds_gws_sema_br`.
    SemaBr |gws, wave, record| { gws.raise(number(wave, record), value(wave, record)); None };
    /// `ds_gws_sema_p`.
    SemaP |gws, wave, record| gws.take(number(wave, record), wave.ticket);
    /// `ds_gws_sema_release_all`.
    SemaReleaseAll |gws, wave, record| { gws.release_all(number(wave, record)); None };
}
