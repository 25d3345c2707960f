//! What the card tells the driver: interrupts and faults.

use std::io::Write as _;

/// The driver's side of the card's interrupt lines.
///
/// Every method is called from a command processor's thread, several at once. None of them may wait for
/// the card (destroying a queue from inside would wait for the calling thread itself).
pub trait Notify: Send + Sync {
    /// Raises the event `event_id`, which user space waits for with `WAIT_EVENTS`.
    ///
    /// The card has stored the id in the signal's mailbox before.
    fn raise(&self, event_id: u32);

    /// An interrupt without an id (`s_sendmsg MSG_INTERRUPT`, a `RELEASE_MEM` with an interrupt): the
    /// driver raises the event of every mailbox slot that does not hold `u64::MAX`.
    fn raise_interrupt(&self);

    /// The card touched memory that it may not touch. The report was printed before.
    fn memory_fault(&self, fault: MemoryFault);

    /// An engine stopped for good, and no queue error can say so (an SDMA packet that does not exist).
    /// The report was printed before. Returns false if nobody listens for hardware exceptions; the card
    /// then reports a memory fault at the packet, so that the program ends and does not hang.
    fn hardware_exception(&self) -> bool {
        false
    }

    /// The code object that is loaded around an address of the card, as the program has it: loading leaves the
    /// debug information out. `None` if it cannot be found; reports then name no source line.
    fn code_object(&self, _va: u64) -> Option<LoadedCode> {
        None
    }

    /// Prints a report for the user, several lines that end with a newline. On stderr by default; where
    /// nothing can be written, nothing is.
    fn report(&self, text: &str) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// A code object, and where it is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedCode {
    /// What to add to the object's addresses.
    pub base: u64,
    /// The ELF file.
    pub bytes: Vec<u8>,
}

/// A memory fault as the kernel driver describes it (`kfd_memory_exception_failure` in
/// linux/kfd_ioctl.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryFault {
    /// The GPU virtual address that was accessed (not rounded to its page).
    pub va: u64,
    /// No memory is mapped there.
    pub not_present: bool,
    /// It was a write, and the mapping is read-only.
    pub read_only: bool,
    /// It was an instruction fetch, and the mapping may not be executed.
    pub no_execute: bool,
}
