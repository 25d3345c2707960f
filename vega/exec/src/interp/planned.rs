//! Lane-local instructions without a fast handler: output modifiers, other MODEs, rare operations.
//!
//! # Safety
//! The handlers index registers that the lowering bounded; they run other handlers under the same contract
//! as their caller.

use vega_isa::{Dpp, DppCtrl};

use super::lanes::TO_EXEC;
use super::level::{Handler, Vector};
use super::program::Details;
use super::record::{Record, code};
use super::wave::Wave;
use super::worker::Worker;
use crate::semantics::{LaneIn, LanePlan};

/// What the slow handler needs besides the record.
pub(crate) struct Plan {
    /// The instruction's meaning.
    pub lane: LanePlan,
    /// Dwords of each source.
    pub dwords: [u8; 3],
    /// Constants of 64 bits and more stand in the record; this tells how many sources there are.
    pub sources: u8,
    /// Dwords of the vector destination; 0 if there is none.
    pub dst: u8,
    /// The lane mask that is read.
    pub mask_in: MaskIn,
    /// The first source's permutation.
    pub dpp: Option<Dpp>,
}

/// Where the lane mask that an instruction reads comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaskIn {
    /// None is read.
    None,
    /// VCC.
    Vcc,
    /// The record's third source.
    Source,
}

/// Where a lane's first source comes from; `None` for a lane without source.
pub(crate) fn dpp_source(ctrl: DppCtrl, lane: usize) -> Option<usize> {
    let (row, at) = (lane & !15, lane & 15);
    match ctrl {
        DppCtrl::QuadPerm(p) => Some(lane & !3 | usize::from(p >> (2 * (lane & 3)) & 3)),
        DppCtrl::RowShl(n) => Some(at + usize::from(n)).filter(|to| *to < 16).map(|to| row | to),
        DppCtrl::RowShr(n) => at.checked_sub(n.into()).map(|to| row | to),
        DppCtrl::RowRor(n) => Some(row | (at + 16 - usize::from(n)) & 15),
        DppCtrl::WaveShl => Some(lane + 1).filter(|to| *to < 64),
        DppCtrl::WaveRol => Some((lane + 1) & 63),
        DppCtrl::WaveShr => lane.checked_sub(1),
        DppCtrl::WaveRor => Some((lane + 63) & 63),
        DppCtrl::RowMirror => Some(row | (15 - at)),
        DppCtrl::RowHalfMirror => Some(lane & !7 | (7 - (lane & 7))),
        DppCtrl::RowBcast15 => row.checked_sub(1),
        DppCtrl::RowBcast31 => (lane >= 32).then_some(31),
        DppCtrl::Reserved(_) => None,
    }
}

/// Evaluates the plan lane by lane.
pub(crate) struct Planned;

impl Handler for Planned {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        if let Some(Details::Plan(plan)) = wave.program().and_then(|program| program.details(ip)) {
            run(wave, record, plan);
        }
        ip + 1
    }
}

/// `v_div_fmas`, which is a fused multiply-add (the plain handler) unless VCC asks some lane to scale.
pub(crate) struct Fmas;

impl Handler for Fmas {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        // SAFETY: the caller's.
        unsafe {
            if wave.vcc() & wave.exec() == 0 {
                (record.plain)(wave, worker, record, ip)
            } else {
                Planned::exec::<V>(wave, worker, record, ip)
            }
        }
    }
}

fn run(wave: &mut Wave, record: &Record, plan: &Plan) {
    let exec = wave.exec();
    let mask_in = match plan.mask_in {
        MaskIn::None => 0,
        MaskIn::Vcc => wave.vcc(),
        MaskIn::Source => wave.scalar64(record, 2),
    };
    let dst = record.dst as usize;
    let mut results = [[0u32; 64]; 4];
    let (mut written, mut mask) = (0u64, 0u64);
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        let mut input = LaneIn {
            mask: mask_in >> lane & 1 == 1,
            lane: lane as u32,
            mode: wave.mode,
            ..LaneIn::default()
        };
        let mut enabled = true;
        for source in 0..usize::from(plan.sources) {
            let mut from = Some(lane);
            if source == 0
                && let Some(dpp) = plan.dpp
            {
                let (row, bank) = (lane / 16, lane / 4 % 4);
                enabled = dpp.row_mask >> row & 1 == 1 && dpp.bank_mask >> bank & 1 == 1;
                from = dpp_source(dpp.ctrl, lane).filter(|from| exec >> from & 1 == 1);
                enabled &= from.is_some() || dpp.bound_ctrl;
            }
            input.src[source] = from.map_or(0, |from| read(wave, record, plan, source, from));
        }
        if !enabled {
            continue;
        }
        for dword in 0..usize::from(plan.dst) {
            input.old |= u128::from(wave.v[dst + dword][lane]) << (32 * dword);
        }
        let out = plan.lane.lane(&input);
        written |= 1 << lane;
        mask |= u64::from(out.mask) << lane;
        for (dword, result) in results.iter_mut().enumerate() {
            result[lane] = (out.dst >> (32 * dword)) as u32;
        }
    }
    for (dword, result) in results.iter().enumerate().take(plan.dst.into()) {
        for lane in (0..64).filter(|lane| written >> lane & 1 == 1) {
            wave.v[dst + dword][lane] = result[lane];
        }
    }
    if record.sdst != code::NONE {
        wave.set_s64(record.sdst as usize, mask);
        if record.imm & TO_EXEC != 0 {
            wave.set_exec(mask);
        }
    }
}

/// One lane of a source, raw.
fn read(wave: &Wave, record: &Record, plan: &Plan, source: usize, lane: usize) -> u128 {
    let number = record.src[source];
    let dwords = usize::from(plan.dwords[source]);
    if number >= code::VGPR {
        let first = (number - code::VGPR) as usize;
        return (0..dwords).map(|k| u128::from(wave.v[first + k][lane]) << (32 * k)).sum();
    }
    if number == code::CONST || dwords <= 1 {
        return if dwords <= 1 { wave.scalar32(record, source).into() } else { record.consts[source].into() };
    }
    if dwords == 2 {
        return wave.scalar64(record, source).into();
    }
    (0..dwords).map(|k| u128::from(wave.s[(number as usize + k) % 144]) << (32 * k)).sum()
}
