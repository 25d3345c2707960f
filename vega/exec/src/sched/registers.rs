//! What the registers that a faulting instruction reads held.

use vega_isa::{Registers, Slot};

use crate::interp::wave::Wave;
use crate::report::RegisterValues;

/// Where functions return to (LLVM AMDGPUUsage, "Call Convention").
const RETURN_ADDRESS: Registers = Registers { vector: false, first: 30, count: 2 };

/// What the instruction in `words` reads, in the order of its text: scalar registers, and vector registers in `lane` or
/// in the first active lane. Where there is no code: the return address, which tells who jumped there.
pub(crate) fn read(wave: &Wave, words: &[u32], lane: Option<u32>) -> Vec<RegisterValues> {
    if words.is_empty() {
        return vec![values(wave, RETURN_ADDRESS, 0)];
    }
    let Ok(inst) = vega_isa::decode(words) else { return Vec::new() };
    let lane = lane.unwrap_or(wave.exec().trailing_zeros()) % 64;
    let read = |slot: &Slot| inst.reads(slot);
    let operands = inst.registers().filter(|(slot, _)| read(slot));
    operands.map(|(_, registers)| values(wave, registers, lane as usize)).collect()
}

/// The values of registers, vector registers in one lane.
pub(crate) fn values(wave: &Wave, registers: Registers, lane: usize) -> RegisterValues {
    let first = usize::from(registers.first);
    let numbers = first..first + usize::from(registers.count);
    let value = |number: usize| match registers.vector {
        true => wave.v.get(number).and_then(|register| register.get(lane)).copied(),
        false => wave.s.get(number).copied(),
    };
    RegisterValues { registers, values: numbers.map_while(value).collect() }
}
