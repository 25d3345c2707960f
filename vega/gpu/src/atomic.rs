//! Atomic operations of the packet processors, by their number in the texture cache's opcode
//! (`TC_OP` in vega10_enum.h).

use vega_exec::{AddressSpace, AtomicOp, GuestFault};

/// What a number means, without its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    CompareSwap,
    Plain(AtomicOp),
}

/// Bits 0 to 4 of the number. Bit 5 selects 64 bits; bit 6 says that the old value is not wanted, which
/// packets have no use for anyway.
const OPS: [(u32, Op); 13] = [
    (7, Op::Plain(AtomicOp::Swap)),
    (8, Op::CompareSwap),
    (15, Op::Plain(AtomicOp::Add)),
    (16, Op::Plain(AtomicOp::Sub)),
    (17, Op::Plain(AtomicOp::SMin)),
    (18, Op::Plain(AtomicOp::UMin)),
    (19, Op::Plain(AtomicOp::SMax)),
    (20, Op::Plain(AtomicOp::UMax)),
    (21, Op::Plain(AtomicOp::And)),
    (22, Op::Plain(AtomicOp::Or)),
    (23, Op::Plain(AtomicOp::Xor)),
    (24, Op::Plain(AtomicOp::Inc)),
    (25, Op::Plain(AtomicOp::Dec)),
];

/// An atomic packet's operands.
pub(crate) struct Atomic {
    /// The number in the packet.
    pub number: u32,
    pub va: u64,
    pub data: u64,
    pub compare: u64,
}

impl Atomic {
    /// Whether the number means anything.
    pub fn is_known(&self) -> bool {
        OPS.iter().any(|(n, _)| *n == self.number & 31)
    }

    /// Performs it once. False if it is a compare and swap that found another value than expected.
    pub fn perform(&self, space: &AddressSpace) -> Result<bool, GuestFault> {
        let wide = self.number & 32 != 0;
        let op = OPS.iter().find(|(n, _)| *n == self.number & 31).map(|(_, op)| *op);
        match (op, wide) {
            (None, _) => Ok(true),
            (Some(Op::Plain(op)), true) => space.atomic_u64(self.va, op, self.data).map(|_| true),
            (Some(Op::Plain(op)), false) => space.atomic_u32(self.va, op, self.data as u32).map(|_| true),
            (Some(Op::CompareSwap), true) => {
                Ok(space.compare_exchange_u64(self.va, self.compare, self.data)? == self.compare)
            }
            (Some(Op::CompareSwap), false) => {
                let compare = self.compare as u32;
                Ok(space.compare_exchange_u32(self.va, compare, self.data as u32)? == compare)
            }
        }
    }
}
