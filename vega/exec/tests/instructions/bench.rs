//! One instruction between known registers and what is left of them: 64 lanes of 16 dwords in v\[2:17\], eight scalars in
//! s\[24:31\], a descriptor in s\[8:15\], a sampler in s\[16:19\].

use vega_exec::Outcome;
use vega_isa::{Field, Flags, Form, Inst, Modifiers, Operand, Table, encode};

use crate::common::{CODE, Card, DATA, KERNARG};
use crate::words::{EPILOGUE, PROLOGUE};

/// Where tests keep images and buffers.
pub const MEMORY: u64 = DATA + 0x1_0000;

pub type Lanes = [[u32; 16]; 64];

/// Registers before or after.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub lanes: Lanes,
    pub scalars: [u32; 8],
    pub exec: u64,
}

/// What the instruction finds besides.
#[derive(Clone, Copy, Default)]
pub struct Setting {
    pub descriptor: [u32; 8],
    pub sampler: [u32; 4],
    pub m0: u32,
}

impl State {
    /// Registers that hold what `value` says for lane and register.
    pub fn new(value: impl Fn(usize, usize) -> u32) -> Self {
        let lanes = std::array::from_fn(|lane| std::array::from_fn(|n| value(lane, n + 2)));
        Self { lanes, scalars: std::array::from_fn(|n| 0x5000 + n as u32), exec: !0 }
    }

    /// Register `v<n>` of all lanes.
    pub fn v(&self, n: usize) -> [u32; 64] {
        self.lanes.map(|lane| lane[n - 2])
    }

    /// Sets register `v<n>`.
    pub fn set(&mut self, n: usize, value: impl Fn(u32) -> u32) {
        for (lane, registers) in (0..).zip(&mut self.lanes) {
            registers[n - 2] = value(lane);
        }
    }

    /// Whether a lane is active.
    pub fn active(&self, lane: usize) -> bool {
        self.exec >> lane & 1 == 1
    }
}

/// An instruction from its name, operands by field, and modifiers.
pub fn inst(name: &str, operands: &[(Field, Operand)], change: impl Fn(&mut Modifiers)) -> Inst {
    let rows = Table::gfx900().rows();
    let row = rows.iter().find(|row| row.mnemonic == name).unwrap_or_else(|| panic!("no {name}"));
    let mut slots = [Operand::None; 5];
    for (slot, to) in row.operands.iter().zip(&mut slots) {
        if let Some((_, operand)) = operands.iter().find(|(field, _)| *field == slot.field) {
            *to = *operand;
        }
    }
    let mut modifiers = Modifiers::default();
    change(&mut modifiers);
    let form = row.forms.iter().next().unwrap_or(Form::Native);
    Inst { row, form, size_bytes: 0, slots, modifiers }
}

/// A modifier function that sets flags.
pub fn flags(flags: Flags) -> impl Fn(&mut Modifiers) {
    move |m| m.flags = m.flags.with(flags)
}

/// The words of instructions.
pub fn words(insts: &[Inst]) -> Vec<u32> {
    insts.iter().flat_map(|inst| encode(inst).expect("it can be encoded").as_slice().to_vec()).collect()
}

/// Runs instructions between the prologue and the epilogue, with 64 KiB of LDS.
pub fn run_words(card: &Card, code: &[u32], setting: &Setting, before: &State) -> State {
    run_in(card, code, setting, before, 0x1_0000)
}

/// Runs instructions with so much LDS.
pub fn run_in(card: &Card, code: &[u32], setting: &Setting, before: &State, lds_bytes: u32) -> State {
    let mut all = PROLOGUE.to_vec();
    all.extend(code);
    all.extend(EPILOGUE);
    card.write(CODE, &all);
    card.write(DATA, before.lanes.as_flattened());
    let mut args = vec![DATA as u32, (DATA >> 32) as u32, setting.m0, 0];
    args.extend(setting.descriptor);
    args.extend(setting.sampler);
    args.extend([before.exec as u32, (before.exec >> 32) as u32, 0, 0]);
    args.extend(before.scalars);
    card.write(KERNARG, &args);
    let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
    dispatch.lds_bytes = lds_bytes;
    let outcome = card.run(&dispatch);
    assert_eq!(outcome, Outcome::Done);
    let mut lanes = [[0; 16]; 64];
    lanes.as_flattened_mut().copy_from_slice(&card.read(DATA, 64 * 16));
    let rest = card.read(DATA + 0x1000, 10);
    let scalars = std::array::from_fn(|n| rest[n]);
    State { lanes, scalars, exec: u64::from(rest[8]) | u64::from(rest[9]) << 32 }
}

/// Runs one instruction.
pub fn run(card: &Card, inst: &Inst, setting: &Setting, before: &State) -> State {
    run_words(card, &words(std::slice::from_ref(inst)), setting, before)
}
