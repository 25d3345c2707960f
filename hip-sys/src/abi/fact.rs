//! One row for each thing that moved. The borders come from the tags of AMD's HIP repository (5.2 to 6.2); those of
//! 6.4 and 7.0 from the headers of 6.4.3 and 7.1 and AMD's release notes.

use super::Version;

/// Something that moved, and the first version with the new state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fact {
    /// The C names it is about.
    pub subject: &'static str,
    /// What changed.
    pub change: &'static str,
    /// The first version that has the new state.
    pub since: Version,
}

impl Fact {
    /// Whether a runtime of this version has the new state.
    #[must_use]
    pub const fn holds(&self, runtime: Version) -> bool {
        runtime.is_at_least(self.since)
    }
}

macro_rules! facts {
    ($($(#[$docs:meta])* $name:ident, ($major:literal, $minor:literal), $subject:literal, $change:literal;)*) => {
        $(#[doc = concat!("From ", $major, ".", $minor, ": ", $subject, ": ", $change, ".")]
        $(#[$docs])*
        pub const $name: Fact =
            Fact { subject: $subject, change: $change, since: Version::new($major, $minor) };)*

        /// Every fact, by the version that brought it.
        pub static FACTS: &[Fact] = &[$($name),*];
    };
}

facts! {
    GRAPH_NODE_TYPE, (5, 3), "hipGraphNodeType", "hipGraphNodeTypeKernel 1.. became 0..";
    LMEM_RESIZE_TO_MAX, (5, 3), "hipDeviceLmemResizeToMax", "0x16 became 0x10";
    MEM_ALLOCATION_PROP, (5, 3), "hipMemAllocationProp", "the order of members changed, the size is the same";
    GRAPH_NODE_SYMBOL_COPIES, (5, 5), "hipGraphNodeTypeMemcpyFromSymbol, hipGraphNodeTypeMemcpyToSymbol",
        "10 and 11 became 12 and 13, for hipGraphNodeTypeMemAlloc and hipGraphNodeTypeMemFree; hipGraphNodeTypeCount \
         12 became 14";
    DEVICE_PROP_R0600, (6, 0), "hipDeviceProp_t",
        "hipGetDevicePropertiesR0600 and hipChooseDeviceR0600 take hipDeviceProp_tR0600 (1,472 bytes); the plain \
         symbols keep hipDeviceProp_tR0000 (792 bytes)";
    MEMORY_TYPE, (6, 0), "hipMemoryType",
        "Host 0, Device 1, Array 2, Unified 3, Managed 4 became Unregistered 0, Host 1, Device 2, Managed 3, Array 10, \
         Unified 11";
    POINTER_ATTRIBUTE_TYPE, (6, 0), "hipPointerAttribute_t",
        "the member memoryType is called type, at the same offset";
    MEMCPY3D, (6, 0), "HIP_MEMCPY3D", "unsigned members became size_t, 128 bytes 184";
    EXTERNAL_MEMORY_HANDLE_DESC, (6, 0), "hipExternalMemoryHandleDesc", "40 bytes became 104, new ones at the end";
    EXTERNAL_MEMORY_BUFFER_DESC, (6, 0), "hipExternalMemoryBufferDesc", "24 bytes became 88, new ones at the end";
    EXTERNAL_SEMAPHORE_HANDLE_DESC, (6, 0), "hipExternalSemaphoreHandleDesc",
        "32 bytes became 96, new ones at the end";
    EXTERNAL_SEMAPHORE_PARAMS, (6, 0), "hipExternalSemaphoreSignalParams, hipExternalSemaphoreWaitParams",
        "136 bytes became 144: nvSciSync stands before keyedMutex";
    IPC_LAZY_PEER_ACCESS, (6, 0), "hipIpcMemLazyEnablePeerAccess", "0 became 1";
    GRAPH_NODE_BATCH, (6, 4), "hipGraphNodeTypeBatchMemOp, hipGraphNodeTypeCount",
        "hipGraphNodeTypeBatchMemOp 14 is new, hipGraphNodeTypeCount 14 became 15";
    JIT_OPTION_COUNT, (6, 4), "hipJitOptionNumOptions", "17 became 29";
    LAUNCH_ATTRIBUTE_VALUE, (7, 0), "hipLaunchAttributeValue", "32 bytes became 64";
    DRV_MEMSET_PARAMS, (7, 0), "hipDrvGraphAddMemsetNode, hipDrvGraphExecMemsetNodeSetParams",
        "memsetParams points to hipMemsetParams, before to HIP_MEMSET_NODE_PARAMS";
    TEXTURE_1D_MAX_WIDTH, (7, 0), "hipDeviceGetTexture1DLinearMaxWidth",
        "takes a width, a format and a device, before a memory pool and a device";
    LIMIT_RANGE, (7, 0), "hipLimitRange", "3 became 4099";
}
