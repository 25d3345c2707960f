//! What a device tells of itself, one number at a time.

use super::Device;
use crate::Result;
use hip_sys::hipDeviceAttribute_t;
use std::fmt;
use std::marker::PhantomData;

mod sealed {
    pub trait Sealed {}
    impl Sealed for bool {}
    impl Sealed for u32 {}
}

/// The type of an [`Attribute`]: `bool` or `u32`. Sealed.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// // The kind of the value is that of the attribute.
/// let (threads, mapped): (u32, bool) = (
///     device.get(hip::attribute::MAX_THREADS_PER_BLOCK)?,
///     device.get(hip::attribute::CAN_MAP_HOST_MEMORY)?,
/// );
/// # Ok::<(), hip::Error>(())
/// ```
pub trait Value: sealed::Sealed + Sized {
    /// What HIP's `int` means.
    #[doc(hidden)]
    fn decode(raw: i32) -> Self;
}

impl Value for bool {
    fn decode(raw: i32) -> Self {
        raw != 0
    }
}

impl Value for u32 {
    /// HIP counts in an `int`; what does not fit comes out of some releases as a negative number.
    fn decode(raw: i32) -> Self {
        raw.cast_unsigned()
    }
}

/// A number or a fact that [`Device::get`] asks for, with its type.
///
/// ```no_run
/// use hip::attribute;
/// let device = hip::Device::first()?;
/// let (lanes, images) = (device.get(attribute::WARP_SIZE)?, device.get(attribute::IMAGE_SUPPORT)?);
/// println!("{lanes} lanes, images: {images}");
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipDeviceAttribute_t")]
pub struct Attribute<V> {
    raw: hipDeviceAttribute_t,
    name: &'static str,
    value: PhantomData<V>,
}

impl<V> Attribute<V> {
    const fn new(raw: hipDeviceAttribute_t, name: &'static str) -> Self {
        Self { raw, name, value: PhantomData }
    }

    /// The enumerator's name in hip_runtime_api.h.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<V> Clone for Attribute<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Attribute<V> {}

impl<V> fmt::Debug for Attribute<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Device {
    /// `hipDeviceGetAttribute`: a number or a fact of the device, of the attribute's type.
    ///
    /// # Errors
    /// The failure of the call; a runtime older than the attribute answers `hipErrorInvalidValue`.
    pub fn get<V: Value>(self, attribute: Attribute<V>) -> Result<V> {
        self.attribute(attribute.raw).map(V::decode)
    }
}

macro_rules! attributes {
    ($($name:ident: $value:ty = $raw:ident;)+) => {
        $(#[doc = concat!("[`", stringify!($raw), "`](hip_sys::", stringify!($raw), ")")]
        pub const $name: Attribute<$value> = Attribute::new(hip_sys::$raw, stringify!($raw));)+

        /// The name and the number of every attribute here.
        #[cfg(test)]
        const ALL: &[(&str, i32)] = &[$((stringify!($raw), hip_sys::$raw.0 as i32)),+];
    };
}

attributes! {
    ECC_ENABLED: bool = hipDeviceAttributeEccEnabled;
    ASYNC_ENGINE_COUNT: u32 = hipDeviceAttributeAsyncEngineCount;
    CAN_MAP_HOST_MEMORY: bool = hipDeviceAttributeCanMapHostMemory;
    CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM: bool = hipDeviceAttributeCanUseHostPointerForRegisteredMem;
    CLOCK_RATE: u32 = hipDeviceAttributeClockRate;
    COMPUTE_MODE: u32 = hipDeviceAttributeComputeMode;
    COMPUTE_PREEMPTION_SUPPORTED: bool = hipDeviceAttributeComputePreemptionSupported;
    CONCURRENT_KERNELS: bool = hipDeviceAttributeConcurrentKernels;
    CONCURRENT_MANAGED_ACCESS: bool = hipDeviceAttributeConcurrentManagedAccess;
    COOPERATIVE_LAUNCH: bool = hipDeviceAttributeCooperativeLaunch;
    COOPERATIVE_MULTI_DEVICE_LAUNCH: bool = hipDeviceAttributeCooperativeMultiDeviceLaunch;
    DEVICE_OVERLAP: bool = hipDeviceAttributeDeviceOverlap;
    DIRECT_MANAGED_MEM_ACCESS_FROM_HOST: bool = hipDeviceAttributeDirectManagedMemAccessFromHost;
    GLOBAL_L1CACHE_SUPPORTED: bool = hipDeviceAttributeGlobalL1CacheSupported;
    HOST_NATIVE_ATOMIC_SUPPORTED: bool = hipDeviceAttributeHostNativeAtomicSupported;
    INTEGRATED: bool = hipDeviceAttributeIntegrated;
    IS_MULTI_GPU_BOARD: bool = hipDeviceAttributeIsMultiGpuBoard;
    KERNEL_EXEC_TIMEOUT: bool = hipDeviceAttributeKernelExecTimeout;
    L2CACHE_SIZE: u32 = hipDeviceAttributeL2CacheSize;
    LOCAL_L1CACHE_SUPPORTED: bool = hipDeviceAttributeLocalL1CacheSupported;
    LUID_DEVICE_NODE_MASK: u32 = hipDeviceAttributeLuidDeviceNodeMask;
    COMPUTE_CAPABILITY_MAJOR: u32 = hipDeviceAttributeComputeCapabilityMajor;
    MANAGED_MEMORY: bool = hipDeviceAttributeManagedMemory;
    MAX_BLOCKS_PER_MULTI_PROCESSOR: u32 = hipDeviceAttributeMaxBlocksPerMultiProcessor;
    MAX_BLOCK_DIM_X: u32 = hipDeviceAttributeMaxBlockDimX;
    MAX_BLOCK_DIM_Y: u32 = hipDeviceAttributeMaxBlockDimY;
    MAX_BLOCK_DIM_Z: u32 = hipDeviceAttributeMaxBlockDimZ;
    MAX_GRID_DIM_X: u32 = hipDeviceAttributeMaxGridDimX;
    MAX_GRID_DIM_Y: u32 = hipDeviceAttributeMaxGridDimY;
    MAX_GRID_DIM_Z: u32 = hipDeviceAttributeMaxGridDimZ;
    MAX_SURFACE_1D: u32 = hipDeviceAttributeMaxSurface1D;
    MAX_SURFACE_1D_LAYERED: u32 = hipDeviceAttributeMaxSurface1DLayered;
    MAX_SURFACE_2D: u32 = hipDeviceAttributeMaxSurface2D;
    MAX_SURFACE_2D_LAYERED: u32 = hipDeviceAttributeMaxSurface2DLayered;
    MAX_SURFACE_3D: u32 = hipDeviceAttributeMaxSurface3D;
    MAX_SURFACE_CUBEMAP: u32 = hipDeviceAttributeMaxSurfaceCubemap;
    MAX_SURFACE_CUBEMAP_LAYERED: u32 = hipDeviceAttributeMaxSurfaceCubemapLayered;
    MAX_TEXTURE_1D_WIDTH: u32 = hipDeviceAttributeMaxTexture1DWidth;
    MAX_TEXTURE_1D_LAYERED: u32 = hipDeviceAttributeMaxTexture1DLayered;
    MAX_TEXTURE_1D_LINEAR: u32 = hipDeviceAttributeMaxTexture1DLinear;
    MAX_TEXTURE_1D_MIPMAP: u32 = hipDeviceAttributeMaxTexture1DMipmap;
    MAX_TEXTURE_2D_WIDTH: u32 = hipDeviceAttributeMaxTexture2DWidth;
    MAX_TEXTURE_2D_HEIGHT: u32 = hipDeviceAttributeMaxTexture2DHeight;
    MAX_TEXTURE_2D_GATHER: u32 = hipDeviceAttributeMaxTexture2DGather;
    MAX_TEXTURE_2D_LAYERED: u32 = hipDeviceAttributeMaxTexture2DLayered;
    MAX_TEXTURE_2D_LINEAR: u32 = hipDeviceAttributeMaxTexture2DLinear;
    MAX_TEXTURE_2D_MIPMAP: u32 = hipDeviceAttributeMaxTexture2DMipmap;
    MAX_TEXTURE_3D_WIDTH: u32 = hipDeviceAttributeMaxTexture3DWidth;
    MAX_TEXTURE_3D_HEIGHT: u32 = hipDeviceAttributeMaxTexture3DHeight;
    MAX_TEXTURE_3D_DEPTH: u32 = hipDeviceAttributeMaxTexture3DDepth;
    MAX_TEXTURE_3D_ALT: u32 = hipDeviceAttributeMaxTexture3DAlt;
    MAX_TEXTURE_CUBEMAP: u32 = hipDeviceAttributeMaxTextureCubemap;
    MAX_TEXTURE_CUBEMAP_LAYERED: u32 = hipDeviceAttributeMaxTextureCubemapLayered;
    MAX_THREADS_DIM: u32 = hipDeviceAttributeMaxThreadsDim;
    MAX_THREADS_PER_BLOCK: u32 = hipDeviceAttributeMaxThreadsPerBlock;
    MAX_THREADS_PER_MULTI_PROCESSOR: u32 = hipDeviceAttributeMaxThreadsPerMultiProcessor;
    MAX_PITCH: u32 = hipDeviceAttributeMaxPitch;
    MEMORY_BUS_WIDTH: u32 = hipDeviceAttributeMemoryBusWidth;
    MEMORY_CLOCK_RATE: u32 = hipDeviceAttributeMemoryClockRate;
    COMPUTE_CAPABILITY_MINOR: u32 = hipDeviceAttributeComputeCapabilityMinor;
    MULTI_GPU_BOARD_GROUP_ID: u32 = hipDeviceAttributeMultiGpuBoardGroupID;
    MULTIPROCESSOR_COUNT: u32 = hipDeviceAttributeMultiprocessorCount;
    PAGEABLE_MEMORY_ACCESS: bool = hipDeviceAttributePageableMemoryAccess;
    PAGEABLE_MEMORY_ACCESS_USES_HOST_PAGE_TABLES: bool = hipDeviceAttributePageableMemoryAccessUsesHostPageTables;
    PCI_BUS_ID: u32 = hipDeviceAttributePciBusId;
    PCI_DEVICE_ID: u32 = hipDeviceAttributePciDeviceId;
    PCI_DOMAIN_ID: u32 = hipDeviceAttributePciDomainId;
    PERSISTING_L2CACHE_MAX_SIZE: u32 = hipDeviceAttributePersistingL2CacheMaxSize;
    MAX_REGISTERS_PER_BLOCK: u32 = hipDeviceAttributeMaxRegistersPerBlock;
    MAX_REGISTERS_PER_MULTIPROCESSOR: u32 = hipDeviceAttributeMaxRegistersPerMultiprocessor;
    RESERVED_SHARED_MEM_PER_BLOCK: u32 = hipDeviceAttributeReservedSharedMemPerBlock;
    MAX_SHARED_MEMORY_PER_BLOCK: u32 = hipDeviceAttributeMaxSharedMemoryPerBlock;
    SHARED_MEM_PER_BLOCK_OPTIN: u32 = hipDeviceAttributeSharedMemPerBlockOptin;
    SHARED_MEM_PER_MULTIPROCESSOR: u32 = hipDeviceAttributeSharedMemPerMultiprocessor;
    SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO: u32 = hipDeviceAttributeSingleToDoublePrecisionPerfRatio;
    STREAM_PRIORITIES_SUPPORTED: bool = hipDeviceAttributeStreamPrioritiesSupported;
    SURFACE_ALIGNMENT: u32 = hipDeviceAttributeSurfaceAlignment;
    TCC_DRIVER: bool = hipDeviceAttributeTccDriver;
    TEXTURE_ALIGNMENT: u32 = hipDeviceAttributeTextureAlignment;
    TEXTURE_PITCH_ALIGNMENT: u32 = hipDeviceAttributeTexturePitchAlignment;
    TOTAL_CONSTANT_MEMORY: u32 = hipDeviceAttributeTotalConstantMemory;
    TOTAL_GLOBAL_MEM: u32 = hipDeviceAttributeTotalGlobalMem;
    UNIFIED_ADDRESSING: bool = hipDeviceAttributeUnifiedAddressing;
    WARP_SIZE: u32 = hipDeviceAttributeWarpSize;
    MEMORY_POOLS_SUPPORTED: bool = hipDeviceAttributeMemoryPoolsSupported;
    VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED: bool = hipDeviceAttributeVirtualMemoryManagementSupported;
    HOST_REGISTER_SUPPORTED: bool = hipDeviceAttributeHostRegisterSupported;
    MEMORY_POOL_SUPPORTED_HANDLE_TYPES: u32 = hipDeviceAttributeMemoryPoolSupportedHandleTypes;
    CLOCK_INSTRUCTION_RATE: u32 = hipDeviceAttributeClockInstructionRate;
    MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: u32 = hipDeviceAttributeMaxSharedMemoryPerMultiprocessor;
    HDP_MEM_FLUSH_CNTL: u32 = hipDeviceAttributeHdpMemFlushCntl;
    HDP_REG_FLUSH_CNTL: u32 = hipDeviceAttributeHdpRegFlushCntl;
    COOPERATIVE_MULTI_DEVICE_UNMATCHED_FUNC: bool = hipDeviceAttributeCooperativeMultiDeviceUnmatchedFunc;
    COOPERATIVE_MULTI_DEVICE_UNMATCHED_GRID_DIM: bool = hipDeviceAttributeCooperativeMultiDeviceUnmatchedGridDim;
    COOPERATIVE_MULTI_DEVICE_UNMATCHED_BLOCK_DIM: bool = hipDeviceAttributeCooperativeMultiDeviceUnmatchedBlockDim;
    COOPERATIVE_MULTI_DEVICE_UNMATCHED_SHARED_MEM: bool = hipDeviceAttributeCooperativeMultiDeviceUnmatchedSharedMem;
    IS_LARGE_BAR: bool = hipDeviceAttributeIsLargeBar;
    ASIC_REVISION: u32 = hipDeviceAttributeAsicRevision;
    CAN_USE_STREAM_WAIT_VALUE: bool = hipDeviceAttributeCanUseStreamWaitValue;
    IMAGE_SUPPORT: bool = hipDeviceAttributeImageSupport;
    PHYSICAL_MULTI_PROCESSOR_COUNT: u32 = hipDeviceAttributePhysicalMultiProcessorCount;
    FINE_GRAIN_SUPPORT: bool = hipDeviceAttributeFineGrainSupport;
    WALL_CLOCK_RATE: u32 = hipDeviceAttributeWallClockRate;
    NUMBER_OF_XCCS: u32 = hipDeviceAttributeNumberOfXccs;
    MAX_AVAILABLE_VGPRS_PER_THREAD: u32 = hipDeviceAttributeMaxAvailableVgprsPerThread;
    PCI_CHIP_ID: u32 = hipDeviceAttributePciChipId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_stands_twice() {
        let numbers: std::collections::BTreeSet<i32> = ALL.iter().map(|&(_, number)| number).collect();
        assert_eq!(numbers.len(), ALL.len());
        assert!(ALL.len() > 90, "{}", ALL.len());
        assert_eq!(
            (WARP_SIZE.name(), u32::decode(64), bool::decode(2)),
            ("hipDeviceAttributeWarpSize", 64, true)
        );
    }
}
