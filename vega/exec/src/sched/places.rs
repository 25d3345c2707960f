//! Where the workgroups of a dispatch can be at once: compute units, and parts of scratch memory.
//!
//! A dispatch has the card's compute units, or those of its queue's mask, to itself: dispatches of other
//! queues never take its room, so that none can keep another from making progress.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::dispatch::Dispatch;

/// What one compute unit of gfx900 has (LLVM AMDGPUUsage, and `AMDGPUBaseInfo.cpp` for the granules).
const SIMDS: u32 = 4;
const WAVES_PER_SIMD: u32 = 10;
const VGPRS_PER_LANE: u32 = 256;
const SGPRS_PER_SIMD: u32 = 800;
const LDS_BYTES: u32 = 64 << 10;
/// Shader engines: compute units count through them in turn, as bits of a CU mask do.
const ENGINES: u32 = 4;

/// A place that one workgroup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number among the dispatch's places, which is also that of its part of scratch memory.
    pub number: u32,
    /// Its compute unit.
    unit: u32,
    /// Its number on that compute unit.
    on_unit: u32,
}

impl Place {
    /// The hardware register HW_ID of a wave: `waves` are in a workgroup. (gfx9: WAVE_ID 3:0, SIMD_ID 5:4,
    /// CU_ID 11:8, SE_ID 14:13, TG_ID 19:16, ME_ID 31:30, which is 1 for compute.)
    pub fn hw_id(self, wave: u32, waves: u32) -> u32 {
        let slot = self.on_unit * waves + wave;
        let (simd, slot) = (slot % SIMDS, slot / SIMDS % WAVES_PER_SIMD);
        let (engine, unit) = (self.unit % ENGINES, self.unit / ENGINES);
        slot | simd << 4 | unit << 8 | engine << 13 | (self.on_unit & 15) << 16 | 1 << 30
    }
}

/// All places of a dispatch.
#[derive(Default)]
pub(crate) struct Places {
    /// Numbers of the compute units that may be used.
    units: Vec<u8>,
    total: u32,
    /// Places below this were taken before; those that are free again are in the list.
    fresh: AtomicU32,
    free: Mutex<Vec<u32>>,
}

/// Workgroups of `waves` waves that one compute unit holds.
fn per_unit(dispatch: &Dispatch, waves: u32) -> u32 {
    let vgprs = ((dispatch.rsrc1 & 0x3f) + 1) * 4;
    let sgprs = ((dispatch.rsrc1 >> 6 & 15) / 2 + 1) * 16;
    let waves_per_simd = WAVES_PER_SIMD.min(VGPRS_PER_LANE / vgprs).min(SGPRS_PER_SIMD / sgprs);
    let by_lds = LDS_BYTES.checked_div(dispatch.lds_bytes).unwrap_or(u32::MAX);
    (SIMDS * waves_per_simd / waves.max(1)).min(by_lds).max(1)
}

impl Places {
    /// The places for a dispatch, in the room of an earlier one's; false if its scratch memory is too small for one
    /// workgroup.
    pub fn renew(&mut self, dispatch: &Dispatch, scratch_waves: Option<u32>) -> bool {
        let waves = dispatch.waves_per_workgroup().max(1);
        self.units.clear();
        self.units.extend(dispatch.compute_units.iter());
        self.total = per_unit(dispatch, waves) * self.units.len() as u32;
        if let Some(scratch_waves) = scratch_waves {
            self.total = self.total.min(scratch_waves / waves);
        }
        self.fresh = AtomicU32::new(0);
        self.free.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.total != 0
    }

    fn place(&self, number: u32) -> Place {
        let count = self.units.len() as u32;
        let unit = self.units.get((number % count) as usize).copied().unwrap_or(0);
        Place { number, unit: unit.into(), on_unit: number / count }
    }

    /// Takes a free place.
    pub fn take(&self) -> Option<Place> {
        let freed = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let fresh = || {
            let more = |n| (n < self.total).then_some(n + 1);
            self.fresh.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()
        };
        freed.or_else(fresh).map(|number| self.place(number))
    }

    /// Gives a place back.
    pub fn give(&self, place: Place) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(place.number);
    }

    /// Whether there is room.
    pub fn has_room(&self) -> bool {
        self.fresh.load(Ordering::Relaxed) < self.total
            || !self.free.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::ComputeUnits;

    fn places(dispatch: &Dispatch, scratch_waves: Option<u32>) -> Option<Places> {
        let mut places = Places::default();
        places.renew(dispatch, scratch_waves).then_some(places)
    }

    fn dispatch(rsrc1: u32, workgroup: u16, lds_bytes: u32) -> Dispatch {
        Dispatch { rsrc1, workgroup: [workgroup, 1, 1], lds_bytes, ..Dispatch::default() }
    }

    #[test]
    fn a_compute_unit_holds_what_its_registers_and_lds_allow() {
        let vgprs = |n: u32| n / 4 - 1;
        let sgprs = |n: u32| ((n / 16 - 1) * 2) << 6;
        let cases = [
            (0, 64, 0, 40),
            (0, 256, 0, 10),
            (0, 1024, 0, 2),
            (vgprs(24), 64, 0, 40),
            (vgprs(28), 64, 0, 36),
            (vgprs(128), 256, 0, 2),
            (vgprs(256), 256, 0, 1),
            (sgprs(80), 64, 0, 40),
            (sgprs(112), 64, 0, 28),
            (0, 64, 65536, 1),
            (0, 64, 20000, 3),
        ];
        for (rsrc1, workgroup, lds, expected) in cases {
            let dispatch = dispatch(rsrc1, workgroup, lds);
            assert_eq!(per_unit(&dispatch, dispatch.waves_per_workgroup()), expected, "{rsrc1:#x} {lds}");
        }
    }

    #[test]
    fn places_are_on_the_units_of_the_mask() {
        let mask = 1 << 5 | 1 << 6 | 1 << 55;
        let dispatch = Dispatch { compute_units: ComputeUnits::new(mask), ..dispatch(0, 512, 0) };
        let places = places(&dispatch, None).unwrap();
        let mut taken = Vec::new();
        while let Some(place) = places.take() {
            taken.push(place);
        }
        assert_eq!(taken.len(), 15);
        assert!(!places.has_room());
        // CU 1 of engine 1, CU 1 of engine 2, CU 13 of engine 3.
        let seen: Vec<u32> = taken.iter().take(4).map(|place| place.hw_id(0, 8) >> 8 & 0x7f).collect();
        assert_eq!(seen, [1 | 1 << 5, 1 | 2 << 5, 13 | 3 << 5, 1 | 1 << 5]);
        let mut ids: Vec<u32> =
            taken.iter().flat_map(|place| (0..8).map(|wave| place.hw_id(wave, 8))).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 120, "every wave has a slot of its own");
        places.give(taken[7]);
        assert!(places.has_room());
        assert_eq!(places.take(), Some(taken[7]));
    }

    #[test]
    fn scratch_memory_bounds_what_is_resident() {
        let dispatch = dispatch(0, 256, 0);
        assert!(places(&dispatch, Some(3)).is_none());
        let places = places(&dispatch, Some(11)).unwrap();
        assert_eq!((places.take().is_some(), places.take().is_some(), places.take()), (true, true, None));
    }
}
