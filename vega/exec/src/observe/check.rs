//! Accesses beyond the workgroup's LDS. The card lets them pass: loads give 0, stores are lost. A program that makes
//! them is most often wrong, so `VEGA_CHECK=lds` makes them faults.

use vega_isa::memory::{MemKind, MemOp, Space};
use vega_isa::{Field, Flags, Inst, Micro, Operand};

use crate::interp::wave::Wave;
use crate::interp::worker::Worker;
use crate::report::FaultKind;

/// How an instruction accesses LDS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LdsAccess {
    /// The first address register.
    address: usize,
    /// FLAT: the address has 64 bits and is in LDS if its aperture is.
    flat: bool,
    /// What is added to the address, for each element.
    offsets: [u64; 2],
    /// Bytes of an element.
    bytes: u64,
}

impl LdsAccess {
    /// `None` for an instruction that does not access LDS by an address of each lane.
    pub fn of(inst: &Inst) -> Option<Self> {
        let Micro::Mem(MemOp { space, kind }) = inst.row.micro else { return None };
        let flat = space == Space::Flat;
        if !(flat || space == Space::Lds) || inst.modifiers.flags.has(Flags::GDS) {
            return None;
        }
        let m = &inst.modifiers;
        let single = |bytes: u8| (u64::from(bytes), [m.offset as u64; 2]);
        let pair = |bytes: u8, stride: u16| {
            (u64::from(bytes), [m.offset0, m.offset1].map(|offset| u64::from(offset) * u64::from(stride)))
        };
        let (bytes, offsets) = match kind {
            MemKind::Load { bytes, .. } | MemKind::Store { bytes, .. } | MemKind::Atomic { bytes, .. } => {
                single(bytes)
            }
            MemKind::Load2 { bytes, stride }
            | MemKind::Store2 { bytes, stride }
            | MemKind::Exchange2 { bytes, stride } => pair(bytes, stride),
            _ => return None,
        };
        let address = inst.iter().find_map(|(slot, operand)| match operand {
            Operand::Vgpr(first) if slot.field == Field::Addr => Some(usize::from(first)),
            _ => None,
        })?;
        Some(Self { address, flat, offsets, bytes })
    }

    /// The first lane that reaches beyond LDS, and the fault that this is.
    pub fn check(&self, wave: &Wave, worker: &Worker) -> Option<(u32, FaultKind)> {
        let exec = wave.exec();
        (0..64u32).filter(|lane| exec >> lane & 1 == 1).find_map(|lane| {
            let register = |n: usize| wave.v.get(n).map_or(0, |register| u64::from(register[lane as usize]));
            let low = register(self.address);
            if self.flat && register(self.address + 1) != worker.apertures.lds >> 32 {
                return None;
            }
            let limit = worker.lds_bytes as u64;
            let beyond = |offset: &&u64| low + **offset + self.bytes > limit;
            let offset = self.offsets.iter().find(beyond)?;
            Some((lane, FaultKind::BeyondLds { offset: low + offset, bytes: limit as u32 }))
        })
    }
}
