//! What a card reports, and which events that raises.

use std::sync::Arc;

use vega_gpu::{LoadedCode, MemoryFault, Notify};

use crate::abi::{HwException, MemoryException};
use crate::backing::PAGE;
use crate::code_objects;
use crate::events::Events;
use crate::signals;
use crate::smi::Clients;

/// The driver's end of one card's interrupt lines.
pub struct Interrupts {
    /// The process's events.
    pub events: Arc<Events>,
    /// Monitors that listen.
    pub smi: Arc<Clients>,
    /// The card.
    pub gpu_id: u32,
}

impl Notify for Interrupts {
    fn raise(&self, event_id: u32) {
        self.events.raise(event_id);
    }

    fn raise_interrupt(&self) {
        self.events.raise_all_mailboxes();
    }

    fn memory_fault(&self, fault: MemoryFault) {
        self.smi.vm_fault(self.gpu_id);
        let heard = self.events.memory_fault(MemoryException {
            not_present: fault.not_present.into(),
            read_only: fault.read_only.into(),
            no_execute: fault.no_execute.into(),
            va: fault.va & !(PAGE - 1),
            gpu_id: self.gpu_id,
            ..MemoryException::default()
        });
        if !heard {
            signals::send_segmentation_fault();
        }
    }

    fn code_object(&self, va: u64) -> Option<LoadedCode> {
        code_objects::find(va)
    }

    fn hardware_exception(&self) -> bool {
        self.events.hardware_exception(HwException { gpu_id: self.gpu_id, ..HwException::default() })
    }
}
