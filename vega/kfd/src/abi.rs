//! The arguments of the ioctls: the structs of `linux/kfd_ioctl.h` (Linux 6.1), field by field.
//!
//! Addresses that come from the program are plain numbers here; the module `user` reads and writes them.

use bytemuck::{Pod, Zeroable};

macro_rules! args {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
        #[allow(missing_docs, reason = "the fields have the kernel header's names and meanings")]
        pub struct $name { $(pub $field: $kind),* }
    )*};
}

args! {
    /// `kfd_ioctl_get_version_args`.
    GetVersion { major_version: u32, minor_version: u32 }
    /// `kfd_ioctl_create_queue_args`.
    CreateQueue {
        ring_base_address: u64,
        write_pointer_address: u64,
        read_pointer_address: u64,
        doorbell_offset: u64,
        ring_size: u32,
        gpu_id: u32,
        queue_type: u32,
        queue_percentage: u32,
        queue_priority: u32,
        queue_id: u32,
        eop_buffer_address: u64,
        eop_buffer_size: u64,
        ctx_save_restore_address: u64,
        ctx_save_restore_size: u32,
        ctl_stack_size: u32,
    }
    /// `kfd_ioctl_destroy_queue_args`.
    DestroyQueue { queue_id: u32, pad: u32 }
    /// `kfd_ioctl_update_queue_args`.
    UpdateQueue {
        ring_base_address: u64,
        queue_id: u32,
        ring_size: u32,
        queue_percentage: u32,
        queue_priority: u32,
    }
    /// `kfd_ioctl_set_cu_mask_args`.
    SetCuMask { queue_id: u32, num_cu_mask: u32, cu_mask_ptr: u64 }
    /// `kfd_ioctl_get_queue_wave_state_args`.
    QueueWaveState {
        ctl_stack_address: u64,
        ctl_stack_used_size: u32,
        save_area_used_size: u32,
        queue_id: u32,
        pad: u32,
    }
    /// `kfd_ioctl_get_available_memory_args`.
    AvailableMemory { available: u64, gpu_id: u32, pad: u32 }
    /// `kfd_ioctl_set_memory_policy_args`.
    MemoryPolicy {
        alternate_aperture_base: u64,
        alternate_aperture_size: u64,
        gpu_id: u32,
        default_policy: u32,
        alternate_policy: u32,
        pad: u32,
    }
    /// `kfd_ioctl_get_clock_counters_args`.
    ClockCounters {
        gpu_clock_counter: u64,
        cpu_clock_counter: u64,
        system_clock_counter: u64,
        system_clock_freq: u64,
        gpu_id: u32,
        pad: u32,
    }
    /// `kfd_process_device_apertures`.
    Apertures {
        lds_base: u64,
        lds_limit: u64,
        scratch_base: u64,
        scratch_limit: u64,
        gpuvm_base: u64,
        gpuvm_limit: u64,
        gpu_id: u32,
        pad: u32,
    }
    /// `kfd_ioctl_get_process_apertures_args`.
    ProcessApertures { apertures: [Apertures; 7], num_of_nodes: u32, pad: u32 }
    /// `kfd_ioctl_get_process_apertures_new_args`.
    ProcessAperturesNew { apertures_ptr: u64, num_of_nodes: u32, pad: u32 }
    /// `kfd_ioctl_create_event_args`.
    CreateEvent {
        event_page_offset: u64,
        event_trigger_data: u32,
        event_type: u32,
        auto_reset: u32,
        node_id: u32,
        event_id: u32,
        event_slot_index: u32,
    }
    /// `kfd_ioctl_destroy_event_args`, `_set_event_args` and `_reset_event_args`.
    EventId { event_id: u32, pad: u32 }
    /// `kfd_hsa_memory_exception_data`.
    MemoryException {
        not_present: u32,
        read_only: u32,
        no_execute: u32,
        imprecise: u32,
        va: u64,
        gpu_id: u32,
        error_type: u32,
    }
    /// `kfd_hsa_hw_exception_data`.
    HwException { reset_type: u32, reset_cause: u32, memory_lost: u32, gpu_id: u32 }
    /// `kfd_event_data`; `data` is the union: a [`MemoryException`], an [`HwException`], or the age of a
    /// signal event in its first element.
    EventData { data: [u64; 4], kfd_event_data_ext: u64, event_id: u32, pad: u32 }
    /// `kfd_ioctl_wait_events_args`.
    WaitEvents { events_ptr: u64, num_events: u32, wait_for_all: u32, timeout: u32, wait_result: u32 }
    /// `kfd_ioctl_set_scratch_backing_va_args`.
    ScratchBacking { va_addr: u64, gpu_id: u32, pad: u32 }
    /// `kfd_ioctl_get_tile_config_args`.
    TileConfig {
        tile_config_ptr: u64,
        macro_tile_config_ptr: u64,
        num_tile_configs: u32,
        num_macro_tile_configs: u32,
        gpu_id: u32,
        gb_addr_config: u32,
        num_banks: u32,
        num_ranks: u32,
    }
    /// `kfd_ioctl_set_trap_handler_args`.
    TrapHandler { tba_addr: u64, tma_addr: u64, gpu_id: u32, pad: u32 }
    /// `kfd_ioctl_acquire_vm_args`.
    AcquireVm { drm_fd: u32, gpu_id: u32 }
    /// `kfd_ioctl_alloc_memory_of_gpu_args`.
    AllocMemory { va_addr: u64, size: u64, handle: u64, mmap_offset: u64, gpu_id: u32, flags: u32 }
    /// `kfd_ioctl_free_memory_of_gpu_args`.
    FreeMemory { handle: u64 }
    /// `kfd_ioctl_map_memory_to_gpu_args` and `_unmap_memory_from_gpu_args`.
    MapMemory { handle: u64, device_ids_array_ptr: u64, n_devices: u32, n_success: u32 }
    /// `kfd_ioctl_get_dmabuf_info_args`.
    DmabufInfo { size: u64, metadata_ptr: u64, metadata_size: u32, gpu_id: u32, flags: u32, dmabuf_fd: u32 }
    /// `kfd_ioctl_import_dmabuf_args`.
    DmabufImport { va_addr: u64, handle: u64, gpu_id: u32, dmabuf_fd: u32 }
    /// `kfd_ioctl_export_dmabuf_args`.
    DmabufExport { handle: u64, flags: u32, dmabuf_fd: u32 }
    /// `kfd_ioctl_alloc_queue_gws_args`.
    QueueGws { queue_id: u32, num_gws: u32, first_gws: u32, pad: u32 }
    /// `kfd_ioctl_smi_events_args`.
    SmiEvents { gpu_id: u32, anon_fd: u32 }
    /// `kfd_ioctl_set_xnack_mode_args`.
    XnackMode { xnack_enabled: i32 }
    /// `kfd_ioctl_ipc_export_handle_args` of ROCm's own kernel driver.
    IpcExport { handle: u64, share_handle: [u32; 4], gpu_id: u32, flags: u32 }
    /// `kfd_ioctl_ipc_import_handle_args` of ROCm's own kernel driver.
    IpcImport {
        handle: u64,
        va_addr: u64,
        mmap_offset: u64,
        share_handle: [u32; 4],
        gpu_id: u32,
        flags: u32,
    }
    /// An argument that is not looked at.
    Ignored {}
}

/// `KFD_IOC_QUEUE_TYPE_*`.
pub mod queue_type {
    /// The copy engine.
    pub const SDMA: u32 = 1;
    /// Architected queuing language.
    pub const COMPUTE_AQL: u32 = 2;
}

/// `KFD_IOC_EVENT_*`.
pub mod event_type {
    /// Raised by signals.
    pub const SIGNAL: u32 = 0;
    /// The card stopped.
    pub const HW_EXCEPTION: u32 = 3;
    /// The card accessed memory that it may not access.
    pub const MEMORY: u32 = 8;
}

/// `KFD_IOC_WAIT_RESULT_*`.
pub mod wait_result {
    /// The events that were waited for came.
    pub const COMPLETE: u32 = 0;
    /// They did not come in time.
    pub const TIMEOUT: u32 = 1;
    /// An event does not exist, or was destroyed meanwhile.
    pub const FAIL: u32 = 2;
}

/// `KFD_IOC_ALLOC_MEM_FLAGS_*`.
pub mod alloc_flags {
    /// The card's own memory.
    pub const VRAM: u32 = 1 << 0;
    /// Host memory that the driver allocates.
    pub const GTT: u32 = 1 << 1;
    /// The program's memory.
    pub const USERPTR: u32 = 1 << 2;
    /// The doorbell page.
    pub const DOORBELL: u32 = 1 << 3;
    /// The page of registers that flush the host data path.
    pub const MMIO_REMAP: u32 = 1 << 4;
    /// VRAM that the program can map.
    pub const PUBLIC: u32 = 1 << 29;
    /// Instruction fetches are allowed.
    pub const EXECUTABLE: u32 = 1 << 30;
    /// Stores are allowed.
    pub const WRITABLE: u32 = 1 << 31;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes as the kernel header's request numbers carry them (`_IOC_SIZE`).
    #[test]
    fn sizes_are_the_kernels() {
        let sizes = [
            (size_of::<GetVersion>(), 8),
            (size_of::<CreateQueue>(), 88),
            (size_of::<UpdateQueue>(), 24),
            (size_of::<SetCuMask>(), 16),
            (size_of::<ClockCounters>(), 40),
            (size_of::<ProcessApertures>(), 400),
            (size_of::<ProcessAperturesNew>(), 16),
            (size_of::<CreateEvent>(), 32),
            (size_of::<EventData>(), 48),
            (size_of::<MemoryException>(), 32),
            (size_of::<WaitEvents>(), 24),
            (size_of::<TileConfig>(), 40),
            (size_of::<AllocMemory>(), 40),
            (size_of::<MapMemory>(), 24),
            (size_of::<DmabufInfo>(), 32),
            (size_of::<DmabufImport>(), 24),
            (size_of::<DmabufExport>(), 16),
            (size_of::<QueueGws>(), 16),
            (size_of::<IpcExport>(), 32),
            (size_of::<IpcImport>(), 48),
        ];
        for (i, (ours, kernels)) in sizes.into_iter().enumerate() {
            assert_eq!(ours, kernels, "row {i}");
        }
    }
}
