//! What of HIP has no safe counterpart here, and why.
//!
//! Everything else has one: its C name is a search term of this documentation (`doc(alias)`). A test compares both with
//! the function table of [`sys`](crate::sys), so that nothing is forgotten. Whatever stands here can be called through
//! [`Runtime::api`](crate::Runtime::api).

/// Functions of HIP that are left out for one reason.
///
/// ```
/// let contexts = hip::left_out::LEFT_OUT.iter().find(|group| group.functions.contains(&"hipCtxCreate")).unwrap();
/// assert!(contexts.reason.starts_with("Contexts"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// Why.
    pub reason: &'static str,
    /// Their C names.
    pub functions: &'static [&'static str],
}

/// Everything that is left out.
#[rustfmt::skip]
pub static LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        reason: "The default stream of a thread: streams are values here, and each call names its own.",
        functions: &[
            "hipEventRecord_spt", "hipGetDriverEntryPoint_spt", "hipGraphLaunch_spt",
            "hipLaunchCooperativeKernel_spt", "hipLaunchHostFunc_spt", "hipLaunchKernel_spt",
            "hipMemcpy2DAsync_spt", "hipMemcpy2DFromArrayAsync_spt", "hipMemcpy2DFromArray_spt",
            "hipMemcpy2DToArrayAsync_spt", "hipMemcpy2DToArray_spt", "hipMemcpy2D_spt",
            "hipMemcpy3DAsync_spt", "hipMemcpy3D_spt", "hipMemcpyAsync_spt", "hipMemcpyFromArray_spt",
            "hipMemcpyFromSymbolAsync_spt", "hipMemcpyFromSymbol_spt", "hipMemcpyToSymbolAsync_spt",
            "hipMemcpyToSymbol_spt", "hipMemcpy_spt", "hipMemset2DAsync_spt", "hipMemset2D_spt",
            "hipMemset3DAsync_spt", "hipMemset3D_spt", "hipMemsetAsync_spt", "hipMemset_spt",
            "hipStreamAddCallback_spt", "hipStreamBeginCapture_spt", "hipStreamEndCapture_spt",
            "hipStreamGetCaptureInfo_spt", "hipStreamGetCaptureInfo_v2_spt", "hipStreamGetFlags_spt",
            "hipStreamGetPriority_spt", "hipStreamIsCapturing_spt", "hipStreamQuery_spt",
            "hipStreamSynchronize_spt", "hipStreamWaitEvent_spt",
        ],
    },
    LeftOut {
        reason: "Contexts, which HIP itself deprecates: on AMD's runtime a context is a device, and a `Device` is a value.",
        functions: &[
            "hipCtxCreate", "hipCtxDestroy", "hipCtxDisablePeerAccess", "hipCtxEnablePeerAccess",
            "hipCtxGetApiVersion", "hipCtxGetCacheConfig", "hipCtxGetCurrent", "hipCtxGetDevice",
            "hipCtxGetFlags", "hipCtxGetSharedMemConfig", "hipCtxPopCurrent", "hipCtxPushCurrent",
            "hipCtxSetCacheConfig", "hipCtxSetCurrent", "hipCtxSetSharedMemConfig", "hipCtxSynchronize",
        ],
    },
    LeftOut {
        reason: "The current device of a thread, which libraries change behind everybody's back: calls name their device.",
        functions: &[
            "hipGetDevice", "hipSetDevice", "hipSetValidDevices",
        ],
    },
    LeftOut {
        reason: "The last error of a thread: every call returns its own, and clears it, so that no library finds it later.",
        functions: &[
            "hipExtGetLastError", "hipGetLastError", "hipPeekAtLastError",
        ],
    },
    LeftOut {
        reason: "Called by hipcc's host stubs, with the address of a host function: kernels come from code objects here.",
        functions: &[
            "hipApiName", "hipConfigureCall", "hipExtLaunchKernel", "hipExtLaunchMultiKernelMultiDevice",
            "hipFuncSetAttribute", "hipFuncSetCacheConfig", "hipFuncSetSharedMemConfig",
            "hipGetFuncBySymbol", "hipGetStreamDeviceId", "hipHccModuleLaunchKernel", "hipKernelNameRef",
            "hipKernelNameRefByPtr", "hipLaunchByPtr", "hipLaunchCooperativeKernelMultiDevice",
            "hipLaunchKernelExC", "hipSetupArgument",
        ],
    },
    LeftOut {
        reason: "Texture references, which HIP deprecates: texture objects do the same without state in the module.",
        functions: &[
            "hipBindTexture", "hipBindTexture2D", "hipBindTextureToArray",
            "hipBindTextureToMipmappedArray", "hipGetTextureAlignmentOffset", "hipGetTextureReference",
            "hipModuleGetTexRef", "hipTexRefGetAddress", "hipTexRefGetAddressMode", "hipTexRefGetArray",
            "hipTexRefGetBorderColor", "hipTexRefGetFilterMode", "hipTexRefGetFlags", "hipTexRefGetFormat",
            "hipTexRefGetMaxAnisotropy", "hipTexRefGetMipMappedArray", "hipTexRefGetMipmapFilterMode",
            "hipTexRefGetMipmapLevelBias", "hipTexRefGetMipmapLevelClamp", "hipTexRefSetAddress",
            "hipTexRefSetAddress2D", "hipTexRefSetAddressMode", "hipTexRefSetArray",
            "hipTexRefSetBorderColor", "hipTexRefSetFilterMode", "hipTexRefSetFlags", "hipTexRefSetFormat",
            "hipTexRefSetMaxAnisotropy", "hipTexRefSetMipmapFilterMode", "hipTexRefSetMipmapLevelBias",
            "hipTexRefSetMipmapLevelClamp", "hipTexRefSetMipmappedArray", "hipUnbindTexture",
        ],
    },
    LeftOut {
        reason: "Buffers and images of OpenGL: nothing here depends on a graphics library.",
        functions: &[
            "hipGLGetDevices", "hipGraphicsGLRegisterBuffer", "hipGraphicsGLRegisterImage",
            "hipGraphicsMapResources", "hipGraphicsResourceGetMappedPointer",
            "hipGraphicsSubResourceGetMappedArray", "hipGraphicsUnmapResources",
            "hipGraphicsUnregisterResource",
        ],
    },
    LeftOut {
        reason: "The private interface of AMD's profilers and tracers.",
        functions: &[
            "hipRegisterActivityCallback", "hipRegisterApiCallback", "hipRemoveActivityCallback",
            "hipRemoveApiCallback",
        ],
    },
    LeftOut {
        reason: "Linking at run time of code in LLVM's bitcode, whose format no two releases of the compiler share.",
        functions: &[
            "hipLinkAddData", "hipLinkAddFile", "hipLinkComplete", "hipLinkCreate", "hipLinkDestroy",
            "hiprtcGetBitcode", "hiprtcGetBitcodeSize", "hiprtcLinkAddData", "hiprtcLinkAddFile",
            "hiprtcLinkComplete", "hiprtcLinkCreate", "hiprtcLinkDestroy",
        ],
    },
    LeftOut {
        reason: "Lazily loaded libraries of kernels, of 7.x only: a `Module` does the same on every release.",
        functions: &[
            "hipLibraryGetKernel", "hipLibraryGetKernelCount", "hipLibraryLoadData",
            "hipLibraryLoadFromFile", "hipLibraryUnload",
        ],
    },
    LeftOut {
        reason: "Objects with a count that graphs keep: graphs own Rust values here, in every release.",
        functions: &[
            "hipGraphReleaseUserObject", "hipGraphRetainUserObject", "hipUserObjectCreate",
            "hipUserObjectRelease", "hipUserObjectRetain",
        ],
    },
    LeftOut {
        reason: "The driver interface's spelling of what the runtime interface does for graphs.",
        functions: &[
            "hipDrvGraphAddMemFreeNode", "hipDrvGraphAddMemcpyNode", "hipDrvGraphAddMemsetNode",
            "hipDrvGraphExecMemcpyNodeSetParams", "hipDrvGraphExecMemsetNodeSetParams",
            "hipDrvGraphMemcpyNodeGetParams", "hipDrvGraphMemcpyNodeSetParams", "hipDrvLaunchKernelEx",
        ],
    },
    LeftOut {
        reason: "Memory that a graph allocates and frees itself: memory belongs to values here, which a graph shares.",
        functions: &[
            "hipGraphAddMemAllocNode", "hipGraphAddMemFreeNode", "hipGraphMemAllocNodeGetParams",
            "hipGraphMemFreeNodeGetParams",
        ],
    },
    LeftOut {
        reason: "Copies of a module's variables in a graph: the kernels of a graph reach them themselves.",
        functions: &[
            "hipGraphAddMemcpyNodeFromSymbol", "hipGraphAddMemcpyNodeToSymbol",
            "hipGraphExecMemcpyNodeSetParamsFromSymbol", "hipGraphExecMemcpyNodeSetParamsToSymbol",
            "hipGraphMemcpyNodeSetParamsFromSymbol", "hipGraphMemcpyNodeSetParamsToSymbol",
        ],
    },
    LeftOut {
        reason: "Semaphores of other interfaces, and operations on memory words, in a graph.",
        functions: &[
            "hipGraphAddBatchMemOpNode", "hipGraphAddExternalSemaphoresSignalNode",
            "hipGraphAddExternalSemaphoresWaitNode", "hipGraphBatchMemOpNodeGetParams",
            "hipGraphBatchMemOpNodeSetParams", "hipGraphExecBatchMemOpNodeSetParams",
            "hipGraphExecExternalSemaphoresSignalNodeSetParams",
            "hipGraphExecExternalSemaphoresWaitNodeSetParams",
            "hipGraphExternalSemaphoresSignalNodeGetParams",
            "hipGraphExternalSemaphoresSignalNodeSetParams", "hipGraphExternalSemaphoresWaitNodeGetParams",
            "hipGraphExternalSemaphoresWaitNodeSetParams",
        ],
    },
    LeftOut {
        reason: "What was passed to a node: whoever passed it knows it.",
        functions: &[
            "hipGraphChildGraphNodeGetGraph", "hipGraphEventRecordNodeGetEvent",
            "hipGraphEventWaitNodeGetEvent", "hipGraphExecGetFlags", "hipGraphHostNodeGetParams",
            "hipGraphKernelNodeGetParams", "hipGraphMemcpyNodeGetParams", "hipGraphMemsetNodeGetParams",
        ],
    },
    LeftOut {
        reason: "Parameters of single nodes that `GraphExec::update` takes over together.",
        functions: &[
            "hipGraphEventRecordNodeSetEvent", "hipGraphEventWaitNodeSetEvent",
            "hipGraphExecChildGraphNodeSetParams", "hipGraphExecEventRecordNodeSetEvent",
            "hipGraphExecEventWaitNodeSetEvent", "hipGraphExecHostNodeSetParams",
            "hipGraphHostNodeSetParams",
        ],
    },
    LeftOut {
        reason: "The untyped forms of what is typed here, of 6.x and later.",
        functions: &[
            "hipGraphAddNode", "hipGraphExecNodeSetParams", "hipGraphInstantiateWithParams",
            "hipGraphNodeSetParams",
        ],
    },
    LeftOut {
        reason: "Taking nodes and edges out of a graph: what it no longer uses could not be told from what it does. Build another.",
        functions: &[
            "hipGraphDestroyNode", "hipGraphRemoveDependencies",
        ],
    },
    LeftOut {
        reason: "Hints for caches of other vendors' devices.",
        functions: &[
            "hipGraphKernelNodeCopyAttributes", "hipGraphKernelNodeGetAttribute",
            "hipGraphKernelNodeSetAttribute",
        ],
    },
    LeftOut {
        reason: "The state of a capture: it is a closure here, and its stream is used for nothing else.",
        functions: &[
            "hipStreamBeginCaptureToGraph", "hipStreamGetCaptureInfo", "hipStreamGetCaptureInfo_v2",
            "hipStreamUpdateCaptureDependencies", "hipThreadExchangeStreamCaptureMode",
        ],
    },
    LeftOut {
        reason: "Interoperation with Vulkan and Direct3D: it needs objects of another API, which no test here can have.",
        functions: &[
            "hipDestroyExternalMemory", "hipDestroyExternalSemaphore", "hipExternalMemoryGetMappedBuffer",
            "hipExternalMemoryGetMappedMipmappedArray", "hipImportExternalMemory",
            "hipImportExternalSemaphore", "hipSignalExternalSemaphoresAsync",
            "hipWaitExternalSemaphoresAsync",
        ],
    },
    LeftOut {
        reason: "Sharing by file descriptors, which 5.2 lacks: `DeviceBuffer::ipc_handle` shares memory in every release.",
        functions: &[
            "hipMemExportToShareableHandle", "hipMemGetHandleForAddressRange",
            "hipMemImportFromShareableHandle", "hipMemPoolExportPointer", "hipMemPoolExportToShareableHandle",
            "hipMemPoolImportFromShareableHandle", "hipMemPoolImportPointer",
        ],
    },
    LeftOut {
        reason: "The handles behind a `ReservedBuffer`, which owns them.",
        functions: &[
            "hipMemGetAllocationPropertiesFromHandle", "hipMemMapArrayAsync", "hipMemRetainAllocationHandle",
        ],
    },
    LeftOut {
        reason: "The primary context of a device, which HIP deprecates with all others.",
        functions: &[
            "hipDevicePrimaryCtxGetState", "hipDevicePrimaryCtxRelease", "hipDevicePrimaryCtxRetain",
            "hipDevicePrimaryCtxSetFlags",
        ],
    },
    LeftOut {
        reason: "Memory of allocation nodes: graphs here own buffers instead.",
        functions: &[
            "hipDeviceGetGraphMemAttribute", "hipDeviceGraphMemTrim", "hipDeviceSetGraphMemAttribute",
        ],
    },
    LeftOut {
        reason: "Several calls in one: each of them has its own here.",
        functions: &[
            "hipMemRangeGetAttributes", "hipMemcpy3DBatchAsync", "hipMemcpyBatchAsync", "hipStreamBatchMemOp",
        ],
    },
    LeftOut {
        reason: "The second spelling of a call: `ManagedBuffer` makes the first, which every release has.",
        functions: &[
            "hipMemAdvise_v2", "hipMemPrefetchAsync_v2",
        ],
    },
    LeftOut {
        reason: "What the value knows, since it was made with it.",
        functions: &[
            "hipGetTextureObjectResourceViewDesc", "hipGetTextureObjectTextureDesc", "hipHostGetFlags",
            "hipStreamGetDevice", "hipStreamGetId", "hipStreamIsCapturing", "hipTexObjectGetResourceViewDesc",
            "hipTexObjectGetTextureDesc",
        ],
    },
    LeftOut {
        reason: "Settings that AMD's devices do not have: the width of LDS banks, windows of the L2 cache, memory attached to a stream.",
        functions: &[
            "hipDeviceGetSharedMemConfig", "hipDeviceSetSharedMemConfig", "hipPointerSetAttribute",
            "hipStreamAttachMemAsync", "hipStreamGetAttribute", "hipStreamSetAttribute",
        ],
    },
    LeftOut {
        reason: "The pool of `hipMallocAsync`: a pool is named at each allocation here.",
        functions: &[
            "hipDeviceSetMemPool",
        ],
    },
    LeftOut {
        reason: "A choice by wishes: `Runtime::devices` with a condition of one's own is as short.",
        functions: &[
            "hipChooseDevice", "hipChooseDeviceR0000", "hipChooseDeviceR0600",
        ],
    },
    LeftOut {
        reason: "Its parameters changed at 7.0: `attribute::MAX_TEXTURE_1D_LINEAR` tells the width.",
        functions: &[
            "hipDeviceGetTexture1DLinearMaxWidth",
        ],
    },
    LeftOut {
        reason: "Boxes between devices: enable peer access and use `Stream::copy_region`.",
        functions: &[
            "hipMemcpy3DPeer", "hipMemcpy3DPeerAsync",
        ],
    },
    LeftOut {
        reason: "Recording into somebody else's capture: captures are values here.",
        functions: &[
            "hipEventRecordWithFlags",
        ],
    },
];
