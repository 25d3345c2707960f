//! A kernel dispatch: checks, scratch memory, launch.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use code_object::KernelDescriptor;
use vega_exec::{Apertures, Dispatch, GuestFault, KernelProperties, Outcome, Rights, Scratch};

use super::packet::{AqlFormat, Key};
use super::processor::refused;
use crate::layout::{inactive, queue as amd_queue};
use crate::names;
use crate::queue::Queue;
use crate::stop::Stop;

/// Work-items that a workgroup may have on gfx9.
const MAX_WORKGROUP: u64 = 1024;
/// LDS of a compute unit in bytes.
const LDS_BYTES: u32 = 64 << 10;
/// Lanes of a wave.
const WAVE: u64 = 64;
/// SIMDs of a compute unit, VGPRs of a lane in one SIMD, waves of one SIMD, and the unit of allocation.
const SIMDS: u64 = 4;
const VGPRS: u64 = 256;
const WAVES_PER_SIMD: u64 = 10;
const VGPR_GRANULE: u32 = 4;

/// What reports say about a launch.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub kernel_object: u64,
    pub entry_va: u64,
    pub dispatch_id: u64,
    pub grid: [u32; 3],
    pub workgroup: [u16; 3],
    /// Bytes of scratch memory that each lane has.
    pub lane_bytes: u32,
}

/// Reads the 64 bytes at a kernel object.
///
/// Old code objects have an `amd_kernel_code_t` there, newer ones a kernel descriptor. The fields that the
/// packet processor uses lie at the same offsets in both (LLVM AMDGPUUsage, "Kernel Descriptor": "the
/// fields used by CP for code objects before V3 also match"), so it need not know which one it is:
/// the entry's offset at 16, COMPUTE_PGM_RSRC1 and 2 at 48, the SGPR properties at 56. The rest differs
/// and is not used: segment sizes come from the packet, COMPUTE_PGM_RSRC3 does not exist on gfx900.
fn descriptor(queue: &Queue, kernel_object: u64) -> Result<KernelDescriptor, GuestFault> {
    let mut bytes = [0; 64];
    queue.card.space.read_bytes(kernel_object, &mut bytes)?;
    Ok(KernelDescriptor::parse(&bytes))
}

/// The checks that need only the packet: number and sizes of the dimensions, LDS.
fn check_sizes(grid: [u32; 3], workgroup: [u16; 3], dimensions: u64, lds: u32) -> Result<(), Stop> {
    let refuse = |code, text| Err(refused(code, text));
    if !(1..=3).contains(&dimensions) {
        return refuse(inactive::DIMENSIONS, format!("a grid of {dimensions} dimensions"));
    }
    if grid.contains(&0) || workgroup.contains(&0) {
        let text = format!("grid {grid:?} with workgroups of {workgroup:?}: a dimension is 0");
        return refuse(inactive::DIMENSIONS, text);
    }
    let items: u64 = workgroup.iter().map(|&n| u64::from(n)).product();
    if items > MAX_WORKGROUP {
        let text = format!("workgroups of {workgroup:?}: {items} work-items, at most {MAX_WORKGROUP} fit");
        return refuse(inactive::WORKGROUP, text);
    }
    if lds > LDS_BYTES {
        let text = format!("{lds} bytes of LDS for a workgroup, a compute unit has {LDS_BYTES}");
        return refuse(inactive::GROUP_MEMORY, text);
    }
    Ok(())
}

/// A workgroup runs on one compute unit, all its waves at once.
fn check_vgprs(workgroup: [u16; 3], vgprs: u32) -> Result<(), Stop> {
    let waves = workgroup.iter().map(|&n| u64::from(n)).product::<u64>().div_ceil(WAVE);
    let fit = SIMDS * (VGPRS / u64::from(vgprs.max(1))).min(WAVES_PER_SIMD);
    if waves > fit {
        let text = format!("{waves} waves of {vgprs} VGPRs in a workgroup, a compute unit runs {fit}");
        return Err(refused(inactive::VGPRS, text));
    }
    Ok(())
}

/// Processes a kernel dispatch packet.
pub(crate) fn dispatch(queue: &Arc<Queue>, format: &AqlFormat, words: &[u32]) -> Result<(), Stop> {
    let get = |key| format.get(words, key);
    let dimensions = get(Key::Dimensions);
    // What a grid does not use is 1, whatever the packet says.
    let used = |d: u64, n: u64| if d < dimensions.max(1) { n } else { 1 };
    let size = |keys: [Key; 3]| [0, 1, 2].map(|d| used(d as u64, get(keys[d])));
    let grid = size([Key::GridX, Key::GridY, Key::GridZ]).map(|n| n as u32);
    let workgroup = size([Key::WorkgroupX, Key::WorkgroupY, Key::WorkgroupZ]).map(|n| n as u16);
    let lds_bytes = get(Key::GroupSegmentSize) as u32;
    let private_segment_bytes = get(Key::PrivateSegmentSize) as u32;
    check_sizes(grid, workgroup, dimensions, lds_bytes)?;

    let kernel_object = get(Key::KernelObject);
    let no_code = |text| refused(inactive::CODE, format!("kernel object {kernel_object:#x}: {text}"));
    if kernel_object == 0 || !kernel_object.is_multiple_of(64) {
        return Err(no_code("it must be an address that is a multiple of 64".into()));
    }
    let kernel = descriptor(queue, kernel_object).map_err(|fault| no_code(fault.to_string()))?;
    let entry_va = kernel_object.wrapping_add_signed(kernel.kernel_code_entry_byte_offset);
    let executable = queue.card.space.lookup(entry_va).is_some_and(|m| m.rights.contains(Rights::EXECUTE));
    if !entry_va.is_multiple_of(4) || !executable {
        return Err(no_code(format!("its entry, {entry_va:#x}, is no executable memory")));
    }
    check_vgprs(workgroup, kernel.rsrc1.vgprs(VGPR_GRANULE))?;

    let uses_scratch = kernel.rsrc2.enable_private_segment() != 0;
    let scratch = scratch(queue, private_segment_bytes, uses_scratch)?;
    let dispatch_id = queue.position();
    let lane_bytes = scratch.map_or(0, |scratch| scratch.wave_bytes / WAVE as u32);
    let launch = Launch { kernel_object, entry_va, dispatch_id, grid, workgroup, lane_bytes };
    if queue.card.config.complete_without_executing {
        return Ok(());
    }
    let dispatch = Dispatch {
        entry_va,
        rsrc1: kernel.rsrc1.0,
        rsrc2: kernel.rsrc2.0,
        rsrc3: 0,
        properties: KernelProperties(kernel.properties.0),
        grid,
        workgroup,
        lds_bytes,
        private_segment_bytes,
        kernarg_va: get(Key::KernargAddress),
        dispatch_packet_va: queue.packet_va(),
        queue_va: queue.amd_queue_va(),
        dispatch_id,
        queue: queue.id.0,
        kernel: kernel_name(queue, kernel_object),
        scratch,
        apertures: apertures(queue)?,
        compute_units: queue.compute_units(),
        priority: queue.priority.load(Ordering::Relaxed),
    };
    let card = &queue.card;
    match card.engine.run(&card.space, &dispatch, &card.host, &queue.cancel) {
        Outcome::Done => Ok(()),
        Outcome::Canceled => Err(Stop::Canceled),
        Outcome::Fault(fault) => Err(Stop::Kernel { fault, launch: Box::new(launch) }),
    }
}

/// The kernel's name, if it is observed by that: finding it takes longer than launching a small kernel.
fn kernel_name(queue: &Queue, kernel_object: u64) -> Option<Arc<str>> {
    let card = &queue.card;
    let wanted = card.engine.observe().wants_names();
    wanted
        .then(|| names::kernel(&card.space, kernel_object))
        .flatten()
        .map(|name| names::demangled(&name).into())
}

/// The apertures as the runtime has written them for kernels to read.
fn apertures(queue: &Queue) -> Result<Apertures, GuestFault> {
    let high = |offset| -> Result<u64, GuestFault> {
        let high: u32 = queue.card.space.read(queue.amd_queue_va().wrapping_add(offset))?;
        Ok(u64::from(high) << 32)
    };
    let default = Apertures::default();
    let or = |value, default| if value == 0 { default } else { value };
    Ok(Apertures {
        lds: or(high(amd_queue::GROUP_APERTURE_HI)?, default.lds),
        private: or(high(amd_queue::PRIVATE_APERTURE_HI)?, default.private),
    })
}

/// The queue's scratch memory; asks the runtime for more when a lane needs more than there is.
fn scratch(queue: &Queue, lane_bytes: u32, uses_scratch: bool) -> Result<Option<Scratch>, Stop> {
    if lane_bytes == 0 && !uses_scratch {
        return Ok(None);
    }
    let space = &queue.card.space;
    let at = |offset| queue.amd_queue_va().wrapping_add(offset);
    while space.read::<u32>(at(amd_queue::SCRATCH_LANE_BYTES))? < lane_bytes {
        queue.stall(inactive::SCRATCH)?;
    }
    if space.read::<u32>(at(amd_queue::SCRATCH_LANE_BYTES))? == 0 {
        return Ok(None);
    }
    let ring: u32 = space.read(at(amd_queue::COMPUTE_TMPRING_SIZE))?;
    Ok(Some(Scratch {
        va: space.read(at(amd_queue::SCRATCH_LOCATION))?,
        srd: space.read(at(amd_queue::SCRATCH_RESOURCE))?,
        wave_bytes: (ring >> 12 & 0x1fff) << 10,
        waves: ring & 0xfff,
    }))
}

/// After a dispatch: scratch memory that was lent for one dispatch goes back to the runtime.
pub(crate) fn give_back_scratch(queue: &Queue) -> Result<(), Stop> {
    let va = queue.amd_queue_va().wrapping_add(amd_queue::PROPERTIES);
    let properties: u32 = queue.card.space.read(va)?;
    if properties & amd_queue::USE_SCRATCH_ONCE != 0 {
        queue.stall(inactive::SCRATCH_DONE)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<(), Stop>) -> i64 {
        match result {
            Ok(()) => 0,
            Err(Stop::Refused { code, .. }) => code,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn sizes_are_checked_as_the_packet_processor_does() {
        let cases = [
            ([1, 1, 1], [1, 1, 1], 1, 0, 0),
            ([64, 4, 4], [1024, 1, 1], 3, 65536, 0),
            ([1, 1, 1], [1, 1, 1], 0, 0, inactive::DIMENSIONS),
            ([0, 1, 1], [1, 1, 1], 1, 0, inactive::DIMENSIONS),
            ([1, 1, 1], [1, 0, 1], 2, 0, inactive::DIMENSIONS),
            ([1, 1, 1], [1025, 1, 1], 1, 0, inactive::WORKGROUP),
            ([1, 1, 1], [65535, 65535, 65535], 3, 0, inactive::WORKGROUP),
            ([1, 1, 1], [32, 32, 1], 2, 65537, inactive::GROUP_MEMORY),
        ];
        for (grid, workgroup, dimensions, lds, expected) in cases {
            assert_eq!(code(check_sizes(grid, workgroup, dimensions, lds)), expected, "{workgroup:?}");
        }
    }

    #[test]
    fn a_workgroup_must_fit_a_compute_unit() {
        assert_eq!(code(check_vgprs([1024, 1, 1], 64)), 0);
        assert_eq!(code(check_vgprs([1024, 1, 1], 68)), inactive::VGPRS);
        assert_eq!(code(check_vgprs([256, 1, 1], 256)), 0);
        assert_eq!(code(check_vgprs([257, 1, 1], 256)), inactive::VGPRS);
        assert_eq!(code(check_vgprs([1024, 1, 1], 4)), 0, "40 waves fit");
    }
}
