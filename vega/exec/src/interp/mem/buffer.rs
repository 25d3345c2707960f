//! MUBUF instructions: a descriptor in four scalar registers (Vega ISA, "Vector Memory Buffer
//! Instructions").

use super::flat::{Act, finish};
use crate::interp::level::{Handler, Vector};
use crate::interp::record::{Record, code};
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;

/// In `consts[0]`, whose high half is the scalar offset if that is a constant: the vector address holds an
/// index.
pub(crate) const IDXEN: u64 = 1;
/// The vector address holds an offset (after the index, if there is one).
pub(crate) const OFFEN: u64 = 2;

/// A buffer descriptor.
#[derive(Clone, Copy, Debug)]
struct Descriptor {
    base: u64,
    stride: u64,
    records: u64,
    swizzle: bool,
    add_tid: bool,
    index_stride: u64,
}

impl Descriptor {
    fn new(words: [u32; 4]) -> Self {
        let [w0, w1, w2, w3] = words;
        let add_tid = w3 >> 23 & 1 != 0;
        let stride = u64::from(w1 >> 16 & 0x3fff);
        // With ADD_TID the data format's bits are more bits of the stride.
        let stride = if add_tid { stride | u64::from(w3 >> 15 & 15) << 14 } else { stride };
        Self {
            base: u64::from(w0) | u64::from(w1 & 0xffff) << 32,
            stride,
            records: w2.into(),
            swizzle: w1 >> 31 != 0,
            add_tid,
            index_stride: 8 << (w3 >> 21 & 3),
        }
    }

    /// The element's offset from the base, without the scalar offset; `None` out of range.
    fn offset(&self, index: u64, offset: u64, bytes: u64, scalar: u64) -> Option<u64> {
        if self.swizzle {
            if self.stride != 0 && index >= self.records {
                return None;
            }
            let (index_msb, index_lsb) = (index / self.index_stride, index % self.index_stride);
            let (offset_msb, offset_lsb) = (offset / 4, offset % 4);
            return Some(
                (index_msb * self.stride + offset_msb * 4) * self.index_stride + index_lsb * 4 + offset_lsb,
            );
        }
        if self.stride == 0 {
            let end = offset.checked_add(bytes)?.checked_add(scalar)?;
            return (end <= self.records).then_some(index * self.stride + offset);
        }
        (index < self.records).then_some(index * self.stride + offset)
    }
}

/// MUBUF loads, stores and atomics of untyped data. Lanes out of range read zero and store nothing.
pub(crate) struct Buffer;

impl Handler for Buffer {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let s = record.src[1] as usize;
        let descriptor = Descriptor::new([wave.s[s], wave.s[s + 1], wave.s[s + 2], wave.s[s + 3]]);
        let flags = record.consts[0];
        let scalar = match record.src[2] {
            code::CONST => flags >> 32,
            _ => u64::from(wave.scalar32(record, 2)),
        };
        let mut act = Act::of(record);
        let bytes = match act {
            Act::Load(shape) | Act::Store(shape) => shape.bytes,
            Act::Atomic(shape) => shape.bytes,
        };
        // Elements of a swizzled buffer are dwords: longer data goes dword by dword.
        let pieces = if descriptor.swizzle && bytes > 4 { bytes / 4 } else { 1 };
        let mut piece = *record;
        let exec = wave.exec();
        for k in 0..pieces {
            let mut inside = 0u64;
            for lane in 0..64 {
                let vector = |n: usize| match record.src[0] {
                    code::NONE => 0,
                    vgpr => u64::from(wave.v[(vgpr - code::VGPR) as usize + n][lane]),
                };
                let (mut index, mut offset) = (0, record.imm as u64 + 4 * u64::from(k));
                if flags & IDXEN != 0 {
                    index = vector(0);
                }
                if flags & OFFEN != 0 {
                    offset += vector(usize::from(flags & IDXEN != 0));
                }
                if descriptor.add_tid {
                    index += lane as u64;
                }
                let element = u64::from(if pieces > 1 { 4 } else { bytes });
                if let Some(at) = descriptor.offset(index, offset, element, scalar) {
                    inside |= 1 << lane;
                    worker.addresses[lane] = descriptor.base.wrapping_add(scalar).wrapping_add(at);
                }
            }
            if pieces > 1 {
                act = match act {
                    Act::Load(shape) => Act::Load(super::Shape { bytes: 4, ..shape }),
                    Act::Store(shape) => Act::Store(super::Shape { bytes: 4, ..shape }),
                    atomic => atomic,
                };
                piece.dst = record.dst.wrapping_add(k.into());
                piece.sdst = record.sdst.wrapping_add(k.into());
            }
            zero_outside(wave, &piece, act, exec & !inside);
            let in_bounds = match descriptor.add_tid {
                // A descriptor that tells lanes apart is that of scratch memory.
                true => worker.check_scratch(wave, exec & inside, act),
                false => Ok(()),
            };
            let result = in_bounds.and_then(|()| worker.act::<V>(wave, &piece, exec & inside, act));
            if result.is_err() {
                return finish(worker, wave, ip, result);
            }
        }
        ip + 1
    }
}

/// Loads (and returned values) of lanes out of range are zero.
fn zero_outside(wave: &mut Wave, record: &Record, act: Act, lanes: u64) {
    let (dwords, half) = match act {
        Act::Load(shape) => (shape.dwords(), shape.half),
        Act::Atomic(shape) if shape.returns => (usize::from(shape.bytes / 4), vega_isa::memory::Half::Whole),
        _ => return,
    };
    for lane in (0..64).filter(|lane| lanes >> lane & 1 == 1) {
        for k in 0..dwords {
            let cell = &mut wave.v[record.dst as usize + k][lane];
            *cell = match half {
                vega_isa::memory::Half::Whole => 0,
                vega_isa::memory::Half::Low => *cell & 0xffff_0000,
                vega_isa::memory::Half::High => *cell & 0xffff,
            };
        }
    }
}
