//! Offsets of the structures that the runtime shares with the packet processor.
//!
//! Sources: `amd_queue_t` in amd_hsa_queue.h, `amd_signal_t` in amd_hsa_signal.h. Newer runtimes append
//! fields (`amd_queue_v2_t`) and move none.

/// `amd_queue_t`.
pub(crate) mod queue {
    /// `write_dispatch_id`, 64 bits. The driver passes its address; only tests go through the structure.
    #[cfg(test)]
    pub const WRITE_DISPATCH_ID: u64 = 0x38;
    /// `group_segment_aperture_base_hi`: bits 32..64 of the LDS aperture's address.
    pub const GROUP_APERTURE_HI: u64 = 0x40;
    /// `private_segment_aperture_base_hi`: bits 32..64 of the scratch aperture's address.
    pub const PRIVATE_APERTURE_HI: u64 = 0x44;
    /// `read_dispatch_id`, 64 bits: the address that `CREATE_QUEUE` passes as the read pointer.
    pub const READ_DISPATCH_ID: u64 = 0x80;
    /// `compute_tmpring_size`: waves in bits 0..12, KiB of a wave in bits 12..25.
    pub const COMPUTE_TMPRING_SIZE: u64 = 0x8c;
    /// `scratch_resource_descriptor`, 4 dwords.
    pub const SCRATCH_RESOURCE: u64 = 0x90;
    /// `scratch_backing_memory_location`, 64 bits; an address on gfx9 and later.
    pub const SCRATCH_LOCATION: u64 = 0xa0;
    /// `scratch_wave64_lane_byte_size`: what a lane may use.
    pub const SCRATCH_LANE_BYTES: u64 = 0xb0;
    /// `queue_properties`.
    pub const PROPERTIES: u64 = 0xb4;
    /// `AMD_QUEUE_PROPERTIES_USE_SCRATCH_ONCE`: give the scratch memory back after this dispatch.
    pub const USE_SCRATCH_ONCE: u32 = 1 << 4;
    /// `queue_inactive_signal`, a signal handle.
    pub const INACTIVE_SIGNAL: u64 = 0xc0;
}

/// `amd_signal_t`.
pub(crate) mod signal {
    /// `value`, 64 bits, signed.
    pub const VALUE: u64 = 0x08;
    /// `event_mailbox_ptr`, 64 bits; 0 for a signal without an event.
    pub const MAILBOX: u64 = 0x10;
    /// `event_id`, 32 bits.
    pub const EVENT_ID: u64 = 0x18;
    /// `start_ts`, 64 bits, in ticks of the card's clock.
    pub const START_TS: u64 = 0x20;
    /// `end_ts`, likewise.
    pub const END_TS: u64 = 0x28;
    /// Size of the structure in bytes.
    #[cfg(test)]
    pub const BYTES: u64 = 0x40;
}

/// Values that the packet processor stores to `queue_inactive_signal`, as the runtime's handler reads them
/// (`AqlQueue::DynamicScratchHandler` in ROCr's amd_aql_queue.cpp). Positive values are bits.
pub(crate) mod inactive {
    /// The dispatch needs more scratch memory than the queue has.
    pub const SCRATCH: i64 = 1;
    /// A dimension of the grid or the workgroup is 0, or their number is not 1 to 3.
    pub const DIMENSIONS: i64 = 2;
    /// More LDS than a compute unit has.
    pub const GROUP_MEMORY: i64 = 4;
    /// No code at the kernel object's address.
    pub const CODE: i64 = 8;
    /// A packet type that does not exist.
    pub const PACKET: i64 = 32;
    /// More work-items in a workgroup than a compute unit runs.
    pub const WORKGROUP: i64 = 64;
    /// The workgroup's waves need more VGPRs than a compute unit has.
    pub const VGPRS: i64 = 128;
    /// A vendor-specific packet that does not exist.
    pub const VENDOR_PACKET: i64 = 256;
    /// The dispatch that used scratch memory once is over.
    pub const SCRATCH_DONE: i64 = 512;
    /// An access outside every aperture.
    pub const APERTURE: i64 = 0x2000_0000;
    /// An illegal instruction.
    pub const ILLEGAL_INSTRUCTION: i64 = 0x4000_0000;
    /// `s_trap`.
    pub const TRAP: i64 = 0x8000_0000;
}

#[cfg(test)]
mod tests {
    //! The offsets follow from the declarations' order; this spells the declarations out once more.
    use super::*;
    use std::mem::offset_of;

    #[repr(C)]
    struct HsaQueue {
        kind: u32,
        features: u32,
        base_address: u64,
        doorbell_signal: u64,
        size: u32,
        reserved1: u32,
        id: u64,
    }

    #[repr(C)]
    struct AmdQueue {
        hsa_queue: HsaQueue,
        reserved1: [u32; 4],
        write_dispatch_id: u64,
        group_segment_aperture_base_hi: u32,
        private_segment_aperture_base_hi: u32,
        max_cu_id: u32,
        max_wave_id: u32,
        max_legacy_doorbell_dispatch_id_plus_1: u64,
        legacy_doorbell_lock: u32,
        reserved2: [u32; 9],
        read_dispatch_id: u64,
        read_dispatch_id_field_base_byte_offset: u32,
        compute_tmpring_size: u32,
        scratch_resource_descriptor: [u32; 4],
        scratch_backing_memory_location: u64,
        scratch_backing_memory_byte_size: u64,
        scratch_wave64_lane_byte_size: u32,
        queue_properties: u32,
        reserved3: [u32; 2],
        queue_inactive_signal: u64,
        reserved4: [u32; 14],
    }

    #[repr(C)]
    struct AmdSignal {
        kind: i64,
        value: i64,
        event_mailbox_ptr: u64,
        event_id: u32,
        reserved1: u32,
        start_ts: u64,
        end_ts: u64,
        queue_ptr: u64,
        reserved3: [u32; 2],
    }

    #[test]
    fn offsets_follow_the_headers() {
        let queue = [
            (queue::WRITE_DISPATCH_ID, offset_of!(AmdQueue, write_dispatch_id)),
            (queue::GROUP_APERTURE_HI, offset_of!(AmdQueue, group_segment_aperture_base_hi)),
            (queue::PRIVATE_APERTURE_HI, offset_of!(AmdQueue, private_segment_aperture_base_hi)),
            (queue::READ_DISPATCH_ID, offset_of!(AmdQueue, read_dispatch_id)),
            (queue::COMPUTE_TMPRING_SIZE, offset_of!(AmdQueue, compute_tmpring_size)),
            (queue::SCRATCH_RESOURCE, offset_of!(AmdQueue, scratch_resource_descriptor)),
            (queue::SCRATCH_LOCATION, offset_of!(AmdQueue, scratch_backing_memory_location)),
            (queue::SCRATCH_LANE_BYTES, offset_of!(AmdQueue, scratch_wave64_lane_byte_size)),
            (queue::PROPERTIES, offset_of!(AmdQueue, queue_properties)),
            (queue::INACTIVE_SIGNAL, offset_of!(AmdQueue, queue_inactive_signal)),
            (signal::VALUE, offset_of!(AmdSignal, value)),
            (signal::MAILBOX, offset_of!(AmdSignal, event_mailbox_ptr)),
            (signal::EVENT_ID, offset_of!(AmdSignal, event_id)),
            (signal::START_TS, offset_of!(AmdSignal, start_ts)),
            (signal::END_TS, offset_of!(AmdSignal, end_ts)),
            (signal::BYTES, size_of::<AmdSignal>()),
            (0x100, size_of::<AmdQueue>()),
        ];
        for (constant, offset) in queue {
            assert_eq!(constant, offset as u64);
        }
    }
}
