//! The registers that a wave starts with (LLVM AMDGPUUsage, "Initial Kernel Execution State").

use crate::dispatch::{Dispatch, KernelProperties};
use crate::interp::Beginning;
use crate::interp::wave::{SCALARS, Stop, Vgpr, Wave, extra};
use crate::interp::worker::BUDGET;
use crate::sched::places::Place;

/// What all waves of a dispatch have in common.
pub(crate) struct Launch {
    /// Scalar registers as waves start with them: the user SGPRs and the apertures.
    scalars: [u32; SCALARS],
    /// Number of the first system SGPR.
    system: usize,
    /// Work-item ids of full workgroups, for each wave.
    ids: Vec<[Vgpr; 3]>,
    /// How many of x, y, z go to v0, v1, v2.
    id_registers: usize,
    workgroup: [u32; 3],
    grid: [u32; 3],
    mode: u32,
    rsrc2: u32,
    wave_bytes: u32,
    scratch_va: u64,
}

/// Work-item ids of the 64 lanes of a wave, for a workgroup of this size.
fn item_ids(size: [u32; 3], wave: u32) -> [Vgpr; 3] {
    let mut ids = [[0; 64]; 3];
    let [x, y] = [size[0].max(1), size[1].max(1)];
    let [xs, ys, zs] = &mut ids;
    for (item, ((id_x, id_y), id_z)) in (wave * 64..).zip(xs.iter_mut().zip(ys).zip(zs)) {
        (*id_x, *id_y, *id_z) = (item % x, item / x % y, item / x / y);
    }
    ids
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            scalars: [0; SCALARS],
            system: 0,
            ids: Vec::new(),
            id_registers: 0,
            workgroup: [0; 3],
            grid: [0; 3],
            mode: 0,
            rsrc2: 0,
            wave_bytes: 0,
            scratch_va: 0,
        }
    }
}

fn words(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

impl Launch {
    /// Prepares a dispatch, in the room of an earlier one.
    pub fn renew(&mut self, d: &Dispatch) {
        let mut ids = std::mem::take(&mut self.ids);
        let mut scalars = [0; SCALARS];
        let mut free = scalars.iter_mut();
        let mut push = |values: &[u32]| values.iter().zip(free.by_ref()).for_each(|(from, to)| *to = *from);
        let scratch = d.scratch.unwrap_or_default();
        let wants = |property| d.properties.contains(property);
        if wants(KernelProperties::PRIVATE_SEGMENT_BUFFER) {
            push(&scratch.srd);
        }
        let addresses = [
            (KernelProperties::DISPATCH_PTR, d.dispatch_packet_va),
            (KernelProperties::QUEUE_PTR, d.queue_va),
            (KernelProperties::KERNARG_SEGMENT_PTR, d.kernarg_va),
            (KernelProperties::DISPATCH_ID, d.dispatch_id),
            (KernelProperties::FLAT_SCRATCH_INIT, scratch.va),
        ];
        for (property, value) in addresses {
            if wants(property) {
                push(&words(value));
            }
        }
        if wants(KernelProperties::PRIVATE_SEGMENT_SIZE) {
            push(&[d.private_segment_bytes]);
        }
        let workgroup = d.workgroup.map(u32::from);
        let ends =
            [d.apertures.lds, d.apertures.private].into_iter().flat_map(|base| [base, base | 0xffff_ffff]);
        for (pair, value) in scalars[extra::APERTURES..].chunks_exact_mut(2).zip(ends) {
            pair.copy_from_slice(&words(value));
        }
        if self.workgroup != workgroup || ids.is_empty() {
            ids.clear();
            ids.extend((0..d.waves_per_workgroup()).map(|wave| item_ids(workgroup, wave)));
        }
        *self = Self {
            scalars,
            system: d.user_sgprs() as usize,
            ids,
            id_registers: (d.rsrc2 >> 11 & 3).min(2) as usize + 1,
            workgroup,
            grid: d.grid,
            mode: initial_mode(d.rsrc1),
            rsrc2: d.rsrc2,
            wave_bytes: scratch.wave_bytes,
            scratch_va: scratch.va,
        };
    }

    /// The size of a workgroup: at the far edges of the grid it may be partial.
    pub fn size(&self, id: [u32; 3]) -> [u32; 3] {
        std::array::from_fn(|d| {
            let start = u64::from(id[d]) * u64::from(self.workgroup[d]);
            u64::from(self.workgroup[d]).min(u64::from(self.grid[d]).saturating_sub(start)) as u32
        })
    }

    /// Whether all waves of a workgroup start with the same scalar registers, EXEC apart: no wave is told its number, or its
    /// part of scratch memory.
    pub fn is_uniform(&self) -> bool {
        self.rsrc2 & (1 << 10 | 1) == 0
    }

    /// How the waves of a workgroup of this size begin if they can begin so.
    pub fn beginning(&self, size: [u32; 3], can: Beginning) -> Beginning {
        let [x, y, z] = size;
        match can {
            _ if x * y * z <= 64 => Beginning::Alone,
            Beginning::InLine if !(x.is_multiple_of(64) && y == 1 && z == 1) => Beginning::Together,
            can => can,
        }
    }

    /// Sets up one wave of the workgroup of this id and size, at `place`. What waves that begin together need not have is not
    /// set.
    pub fn start(
        &self,
        wave: &mut Wave,
        (id, size): ([u32; 3], [u32; 3]),
        number: u32,
        place: Place,
        beginning: Beginning,
    ) {
        let waves = self.ids.len() as u32;
        let slot = place.number * waves + number;
        if beginning == Beginning::Alone || number == 0 {
            self.scalars(wave, (id, size), number, slot);
        }
        self.items(wave, size, number, beginning);
        wave.mode = self.mode;
        wave.gpr_idx = false;
        wave.ticket = None;
        wave.skip_vector = false;
        wave.trap_status = 0;
        wave.strict = self.mode != crate::interp::DEFAULT_MODE;
        wave.budget = BUDGET;
        let scratch = self.scratch_va.wrapping_add(u64::from(slot) * u64::from(self.wave_bytes));
        wave.scratch = (scratch, self.wave_bytes);
        wave.ip = 0;
        wave.number = number;
        wave.hw_id = place.hw_id(number, waves);
        Self::fresh(wave, id);
    }

    /// Sets up waves again that were together from their beginning to their end, in a workgroup at the same place: what such
    /// waves cannot change is as it was. In line, the first one is enough: the others get what they lack when they need it.
    pub fn again(&self, waves: &mut [Box<Wave>], (id, size): ([u32; 3], [u32; 3]), beginning: Beginning) {
        if let Some(first) = waves.first_mut() {
            // Without wave information and scratch memory it does not matter which slot it has.
            self.scalars(first, (id, size), 0, 0);
        }
        let in_line = beginning == Beginning::InLine && self.id_registers == 1;
        let count = if in_line { 1 } else { waves.len() };
        for (number, wave) in (0..).zip(waves).take(count) {
            if in_line {
                // Such workgroups are full.
                wave.set_exec(!0);
            } else {
                self.items(wave, size, number, beginning);
            }
            Self::fresh(wave, id);
        }
    }

    /// The scalar registers.
    fn scalars(&self, wave: &mut Wave, (id, size): ([u32; 3], [u32; 3]), number: u32, slot: u32) {
        wave.s = self.scalars;
        let mut next = self.system;
        let mut push = |value: u32| {
            if let Some(register) = wave.s.get_mut(next) {
                *register = value;
            }
            next += 1;
        };
        for (dimension, &id) in id.iter().enumerate() {
            if self.rsrc2 >> (7 + dimension) & 1 == 1 {
                push(id);
            }
        }
        if self.rsrc2 >> 10 & 1 == 1 {
            // First wave of the group, and how many waves it has.
            let waves = size.iter().product::<u32>().div_ceil(64);
            push(u32::from(number == 0) << 31 | waves << 6 | number);
        }
        if self.rsrc2 & 1 == 1 {
            push(slot.wrapping_mul(self.wave_bytes));
        }
    }

    /// EXEC and the ids of the work-items.
    fn items(&self, wave: &mut Wave, size: [u32; 3], number: u32, beginning: Beginning) {
        let items = size.iter().product::<u32>().saturating_sub(number * 64).min(64);
        wave.set_exec(if items == 64 { !0 } else { (1 << items) - 1 });
        let computed;
        let ids = match self.ids.get(number as usize) {
            Some(ids) if size == self.workgroup => ids,
            _ => {
                computed = item_ids(size, number);
                &computed
            }
        };
        let known = usize::from(beginning == Beginning::InLine);
        for (register, ids) in wave.v.iter_mut().zip(ids).take(self.id_registers).skip(known) {
            *register = *ids;
        }
    }

    /// What every wave changes.
    fn fresh(wave: &mut Wave, id: [u32; 3]) {
        wave.scc = false;
        wave.store_outstanding = false;
        wave.stop = Stop::Yield;
        wave.workgroup = id;
    }
}

/// MODE as COMPUTE_PGM_RSRC1 sets it: FLOAT_MODE in bits 19:12, DX10_CLAMP in 21, IEEE_MODE in 23,
/// FP16_OVFL in 26.
pub(crate) fn initial_mode(rsrc1: u32) -> u32 {
    rsrc1 >> 12 & 0xff | (rsrc1 >> 21 & 1) << 8 | (rsrc1 >> 23 & 1) << 9 | (rsrc1 >> 26 & 1) << 23
}
