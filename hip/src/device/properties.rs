//! A device's properties, out of either layout of `hipDeviceProp_t`.
//!
//! # Safety
//! HIP writes a whole `hipDeviceProp_t` through the out-pointer. Which of the two layouts is decided by the symbol, so each
//! symbol is only ever called with its own; both are plain C data, for which zero bytes are a value.
#![allow(unsafe_code)]

use super::Device;
use crate::error::Call;
use crate::{Error, ErrorKind, Result};
use hip_sys::{hipDeviceProp_tR0000, hipDeviceProp_tR0600};
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// What a device is and can do. Sizes are in bytes, clocks in kHz.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let properties = device.properties()?;
/// println!("{} compute units, wavefronts of {}", properties.multi_processor_count, properties.warp_size);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Properties {
    /// Marketing name.
    pub name: String,
    /// Target id, features included: `gfx900:xnack-` (`gcnArchName`).
    pub target_id: String,
    /// Device memory.
    pub total_global_mem: usize,
    /// LDS that one workgroup can have.
    pub shared_mem_per_block: usize,
    /// 32-bit registers that one workgroup can have.
    pub regs_per_block: u32,
    /// Lanes of a wavefront.
    pub warp_size: u32,
    /// Threads of the largest workgroup.
    pub max_threads_per_block: u32,
    /// The largest workgroup along x, y and z.
    pub max_threads_dim: [u32; 3],
    /// The largest grid, in workgroups, along x, y and z.
    pub max_grid_size: [u32; 3],
    /// Compute units.
    pub multi_processor_count: u32,
    /// Threads that a compute unit holds at a time.
    pub max_threads_per_multi_processor: u32,
    /// Compute clock in kHz.
    pub clock_rate: u32,
    /// Memory clock in kHz.
    pub memory_clock_rate: u32,
    /// Width of the memory bus in bits.
    pub memory_bus_width: u32,
    /// L2 cache.
    pub l2_cache_size: usize,
    /// Major number of HIP's compute capability (9 for gfx900).
    pub major: u32,
    /// Minor number of HIP's compute capability.
    pub minor: u32,
    /// PCI domain.
    pub pci_domain_id: u32,
    /// PCI bus.
    pub pci_bus_id: u32,
    /// PCI device.
    pub pci_device_id: u32,
    /// Whether the device shares the host's memory (an APU).
    pub integrated: bool,
    /// Whether kernels of several streams can overlap.
    pub concurrent_kernels: bool,
    /// Whether cooperative launches are possible.
    pub cooperative_launch: bool,
    /// Whether managed memory is possible.
    pub managed_memory: bool,
    /// Whether host memory can be mapped into the device's address space.
    pub can_map_host_memory: bool,
}

/// Both layouts have these fields under the same names; only the offsets differ.
macro_rules! decode {
    ($raw:expr) => {{
        let raw = $raw;
        Properties {
            name: text(&raw.name),
            target_id: text(&raw.gcnArchName),
            total_global_mem: raw.totalGlobalMem,
            shared_mem_per_block: raw.sharedMemPerBlock,
            regs_per_block: count(raw.regsPerBlock),
            warp_size: count(raw.warpSize),
            max_threads_per_block: count(raw.maxThreadsPerBlock),
            max_threads_dim: raw.maxThreadsDim.map(count),
            max_grid_size: raw.maxGridSize.map(count),
            multi_processor_count: count(raw.multiProcessorCount),
            max_threads_per_multi_processor: count(raw.maxThreadsPerMultiProcessor),
            clock_rate: count(raw.clockRate),
            memory_clock_rate: count(raw.memoryClockRate),
            memory_bus_width: count(raw.memoryBusWidth),
            l2_cache_size: usize::try_from(raw.l2CacheSize).unwrap_or(0),
            major: count(raw.major),
            minor: count(raw.minor),
            pci_domain_id: count(raw.pciDomainID),
            pci_bus_id: count(raw.pciBusID),
            pci_device_id: count(raw.pciDeviceID),
            integrated: raw.integrated != 0,
            concurrent_kernels: raw.concurrentKernels != 0,
            cooperative_launch: raw.cooperativeLaunch != 0,
            managed_memory: raw.managedMemory != 0,
            can_map_host_memory: raw.canMapHostMemory != 0,
        }
    }};
}

impl Properties {
    /// Asks HIP. The symbol decides the layout: `hipGetDevicePropertiesR0600` exists from 6.0 on and writes the new one,
    /// `hipGetDeviceProperties` keeps the old one in every release.
    pub(crate) fn query(device: Device) -> Result<Self> {
        let api = device.runtime().usable_api()?;
        let properties = if device.runtime().supports("hipGetDevicePropertiesR0600") {
            let mut raw = MaybeUninit::<hipDeviceProp_tR0600>::zeroed();
            // SAFETY: the symbol writes this layout.
            let status = unsafe { api.hipGetDevicePropertiesR0600(raw.as_mut_ptr(), device.raw()) };
            device.runtime().check(status, || Call::new("hipGetDevicePropertiesR0600").on(device.raw()))?;
            // SAFETY: zero bytes were a value, and HIP wrote another.
            decode!(unsafe { raw.assume_init() })
        } else {
            let mut raw = MaybeUninit::<hipDeviceProp_tR0000>::zeroed();
            // SAFETY: the unversioned symbol writes the old layout in every release.
            let status = unsafe { api.hipGetDeviceProperties(raw.as_mut_ptr().cast(), device.raw()) };
            device.runtime().check(status, || Call::new("hipGetDeviceProperties").on(device.raw()))?;
            // SAFETY: zero bytes were a value, and HIP wrote another.
            decode!(unsafe { raw.assume_init() })
        };
        if properties.target_id.is_empty() {
            return Err(Error::new(
                ErrorKind::Hip,
                format!("HIP does not tell the architecture of device {}", device.raw()),
            ));
        }
        Ok(properties)
    }
}

/// The text up to the first NUL, or all of it.
fn text(raw: &[c_char]) -> String {
    let bytes: Vec<u8> = raw.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A count that C keeps in an `int`; HIP writes no negative ones.
fn count(raw: i32) -> u32 {
    u32::try_from(raw).unwrap_or(0)
}
