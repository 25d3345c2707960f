//! What each card calls itself.

use crate::config;

/// A card's description. Sources: the KFD's `kfd_topology.c` for the fields of sysfs, `amdgpu_drv.c` for
/// the PCI ids, AMD's data sheet of the Radeon RX Vega 56 for counts and clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardSpec {
    /// Which card of the process: 0, 1, …
    pub index: u32,
    /// The KFD's id of the card, also the content of `gpu_id`.
    pub gpu_id: u32,
    /// Number of the render node.
    pub render_minor: u32,
    /// PCI bus << 8 | device << 3 | function.
    pub location_id: u32,
    /// Serial number.
    pub unique_id: u64,
    /// Bytes of VRAM.
    pub vram_bytes: u64,
}

/// PCI device id of a Vega 10 XL.
pub const DEVICE_ID: u32 = 0x687f;
/// PCI revision of a Vega 56.
pub const REVISION: u32 = 0xc3;
/// Compute units of a Vega 56.
pub const COMPUTE_UNITS: u32 = 56;
/// The first render node there can be.
pub const FIRST_RENDER_MINOR: u32 = 128;
/// The name that every tool shows.
pub const MARKETING_NAME: &std::ffi::CStr = c"AMD Radeon RX Vega 56 (virtual)";

const FIRST_GPU_ID: u32 = 6699;
const FIRST_PCI_BUS: u32 = 3;
const FIRST_UNIQUE_ID: u64 = 0x0215_2a5b_7ec0_5600;
/// A Vega 56 with 8 GiB keeps 16 MiB for firmware and page tables.
const VRAM_BYTES: u64 = 8_573_157_376;

/// The card of an index, whether it exists or not.
pub fn card(index: u32) -> CardSpec {
    let vram = config::get().vram_mib << 20;
    CardSpec {
        index,
        gpu_id: FIRST_GPU_ID + index,
        render_minor: FIRST_RENDER_MINOR + index,
        location_id: (FIRST_PCI_BUS + index) << 8,
        unique_id: FIRST_UNIQUE_ID + u64::from(index),
        vram_bytes: if vram == 0 { VRAM_BYTES } else { vram },
    }
}

/// The card of a KFD id.
pub fn by_gpu_id(gpu_id: u32) -> Option<CardSpec> {
    let index = gpu_id.checked_sub(FIRST_GPU_ID)?;
    (index < config::get().gpus).then(|| card(index))
}

/// The card of a render node.
pub fn by_render_minor(minor: u32) -> Option<CardSpec> {
    let index = minor.checked_sub(FIRST_RENDER_MINOR)?;
    (index < config::get().gpus).then(|| card(index))
}
