//! What one kernel launch needs to know.

use std::sync::Arc;

/// The `kernel_code_properties` of a kernel descriptor (LLVM AMDGPUUsage, "Code Object V3 Kernel
/// Descriptor", bits 448..464). The low 16 bits of `code_properties` in the older `amd_kernel_code_t`
/// have the same meaning, so dispatches of both kinds use this type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelProperties(pub u16);

impl KernelProperties {
    /// Four user SGPRs hold the scratch buffer resource.
    pub const PRIVATE_SEGMENT_BUFFER: Self = Self(1 << 0);
    /// Two user SGPRs hold the address of the AQL packet.
    pub const DISPATCH_PTR: Self = Self(1 << 1);
    /// Two user SGPRs hold the address of the `amd_queue_t`.
    pub const QUEUE_PTR: Self = Self(1 << 2);
    /// Two user SGPRs hold the address of the kernarg segment.
    pub const KERNARG_SEGMENT_PTR: Self = Self(1 << 3);
    /// Two user SGPRs hold the dispatch id.
    pub const DISPATCH_ID: Self = Self(1 << 4);
    /// Two user SGPRs hold the base address of scratch memory (the gfx9 meaning).
    pub const FLAT_SCRATCH_INIT: Self = Self(1 << 5);
    /// One user SGPR holds the bytes of private memory of one lane.
    pub const PRIVATE_SEGMENT_SIZE: Self = Self(1 << 6);

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Scratch memory of a queue, as the runtime wrote it into `amd_queue_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scratch {
    /// GPU address of the first wave's part.
    pub va: u64,
    /// The buffer resource (`scratch_resource_descriptor`) that goes into the private segment buffer SGPRs.
    pub srd: [u32; 4],
    /// Bytes of one wave's part: `COMPUTE_TMPRING_SIZE.WAVESIZE` in KiB, times 1024.
    pub wave_bytes: u32,
    /// How many waves the memory serves at once: `COMPUTE_TMPRING_SIZE.WAVES`.
    pub waves: u32,
}

/// Where the LDS and the scratch apertures of FLAT instructions begin; each is 4 GiB.
///
/// Must agree with what the driver tells the runtime, because generic pointers are built from
/// `amd_queue_t`'s copy as well as from the hardware register `SH_MEM_BASES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apertures {
    /// First address of the LDS aperture.
    pub lds: u64,
    /// First address of the scratch (private) aperture.
    pub private: u64,
}

impl Default for Apertures {
    fn default() -> Self {
        Self { lds: 1 << 48, private: 2 << 48 }
    }
}

/// The compute units that a dispatch may use, one bit each. Bit n is compute unit n / 4 of shader engine
/// n % 4, as in a queue's CU mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeUnits(u64);

impl ComputeUnits {
    /// Compute units of a Vega 56.
    pub const COUNT: u32 = 56;

    /// Those of a mask; bits that no compute unit has are ignored, and a mask of none means all.
    pub fn new(mask: u64) -> Self {
        match mask & Self::default().0 {
            0 => Self::default(),
            mask => Self(mask),
        }
    }

    /// Their numbers.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..Self::COUNT as u8).filter(move |n| self.0 >> n & 1 == 1)
    }
}

impl Default for ComputeUnits {
    /// All of them.
    fn default() -> Self {
        Self((1 << Self::COUNT) - 1)
    }
}

/// One kernel launch: the AQL packet and the kernel descriptor, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Dispatch {
    /// GPU address of the first instruction.
    pub entry_va: u64,
    /// `COMPUTE_PGM_RSRC1` of the kernel descriptor.
    pub rsrc1: u32,
    /// `COMPUTE_PGM_RSRC2` of the kernel descriptor.
    pub rsrc2: u32,
    /// `COMPUTE_PGM_RSRC3` of the kernel descriptor; unused on gfx900.
    pub rsrc3: u32,
    /// Which user SGPRs the kernel wants.
    pub properties: KernelProperties,
    /// Work-items in each dimension (not workgroups). Unused dimensions are 1; a zero runs nothing.
    pub grid: [u32; 3],
    /// Work-items of a workgroup in each dimension. The last workgroup of a dimension may be partial.
    pub workgroup: [u16; 3],
    /// Bytes of LDS of one workgroup: `group_segment_size` of the packet.
    pub lds_bytes: u32,
    /// Bytes of private memory of one lane: `private_segment_size` of the packet.
    pub private_segment_bytes: u32,
    /// GPU address of the kernarg segment.
    pub kernarg_va: u64,
    /// GPU address of the AQL packet.
    pub dispatch_packet_va: u64,
    /// GPU address of the `amd_queue_t`.
    pub queue_va: u64,
    /// The packet's number in its queue.
    pub dispatch_id: u64,
    /// A number of the queue; traces name it.
    pub queue: u32,
    /// The kernel's name, where something is observed that asks for it.
    pub kernel: Option<Arc<str>>,
    /// Scratch memory; `None` when the kernel uses none.
    pub scratch: Option<Scratch>,
    /// The apertures of FLAT instructions.
    pub apertures: Apertures,
    /// Compute units that may run it.
    pub compute_units: ComputeUnits,
    /// Its queue's: workgroups of a dispatch with a higher one start first.
    pub priority: u32,
}

impl Dispatch {
    /// Workgroups in each dimension, partial ones included.
    pub fn workgroups(&self) -> [u32; 3] {
        std::array::from_fn(|d| self.grid[d].div_ceil(u32::from(self.workgroup[d]).max(1)))
    }

    /// Work-items of a full workgroup.
    pub fn workgroup_items(&self) -> u32 {
        self.workgroup.iter().map(|&n| u32::from(n)).fold(1, u32::saturating_mul)
    }

    /// Waves of a full workgroup.
    pub fn waves_per_workgroup(&self) -> u32 {
        self.workgroup_items().div_ceil(64)
    }

    /// User SGPRs in front of the workgroup ids: `rsrc2.USER_SGPR`, bits 1..6.
    pub(crate) fn user_sgprs(&self) -> u32 {
        self.rsrc2 >> 1 & 31
    }
}
