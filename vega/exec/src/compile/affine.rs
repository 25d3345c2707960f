//! Which values of a region are *affine*: what the first lane of the wave has, plus a constant stride times the lane's
//! number.
//!
//! Addresses nearly always are. Then one look at a whole wave replaces one at each strip: the code in front of a region
//! (see [`super::spread`]) computes the first lane's values with scalar instructions, checks what this file lists under
//! guards, translates each address once, and the strips neither compute addresses nor look at them.
//!
//! Whether a register that the region reads is affine turns out when the code runs; its stride is the one for which
//! accesses have consecutive elements. All values are of 32 bits and wrap around; where that would matter (carries, high
//! halves), a guard says that the lanes' values must not.

use std::collections::HashMap;

use vega_isa::memory::Space;
use vega_isa::micro::{Bin, Tri, Un};
use vega_isa::{Micro, Ty};

use super::ir::{Access, Lane};
use super::operand::{Operand, Source};
use super::set::VectorSet;
use super::value::{Guard, Held, Op, Order, Slot};

/// The most operations of a region.
pub(super) const MOST: usize = 64;

/// A stride: multiples of the inputs' strides.
type Stride = Vec<(usize, u32)>;

#[derive(Clone, Debug)]
struct Value {
    op: Op,
    stride: Stride,
    guards: Vec<Guard>,
}

/// A register that the region reads and that must be affine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub register: u16,
    pub stride: u32,
}

/// Accesses with the same addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// One of them.
    pub access: Access,
    /// The address, and its high half if there is one.
    pub low: Slot,
    pub high: Option<Slot>,
    /// Bytes from one lane's element to the next one's: as many as it has, or none.
    pub stride: u32,
    /// The least of the offsets.
    pub from: i32,
    /// The largest end of an element.
    pub to: i32,
}

/// A value with its stride.
pub(super) type Placed = (Slot, u32);

/// What is known of a region's values.
pub(super) struct Affine<'a> {
    values: Vec<Value>,
    inputs: Vec<u16>,
    strides: Vec<Option<u32>>,
    /// Registers whose strides are known; others are not affine then.
    known_inputs: Option<&'a HashMap<u16, Held>>,
    /// Vector registers at the place in the region that was reached.
    registers: HashMap<u16, Slot>,
    written: VectorSet,
    /// Lane masks that are all ones or all zeroes: the value is 1 or 0.
    masks: HashMap<u16, Slot>,
    known: HashMap<Op, Slot>,
    /// The spreads.
    pub spreads: Vec<Spread>,
    /// The spread of each instruction that has one.
    pub of: Vec<Option<usize>>,
}

impl<'a> Affine<'a> {
    /// Looks at a region's instructions; `None` if that is too much. With `known`, registers that the region reads are
    /// affine with these strides or not at all; otherwise that turns out when the code runs.
    pub fn new(lanes: &[Lane], known: Option<&'a HashMap<u16, Held>>) -> Option<Self> {
        let mut this = Self {
            values: Vec::new(),
            inputs: Vec::new(),
            strides: Vec::new(),
            known_inputs: known,
            registers: HashMap::new(),
            written: VectorSet::default(),
            masks: HashMap::new(),
            known: HashMap::new(),
            spreads: Vec::new(),
            of: Vec::new(),
        };
        for lane in lanes {
            let spread = lane.access.as_ref().and_then(|access| this.spread(access));
            this.of.push(spread);
            this.execute(lane);
        }
        (this.values.len() <= MOST).then_some(this)
    }

    /// The registers that must be affine.
    pub fn inputs(&self) -> Vec<Input> {
        let inputs = self.inputs.iter().zip(&self.strides);
        inputs
            .filter_map(|(register, stride)| Some(Input { register: *register, stride: (*stride)? }))
            .collect()
    }

    /// The register of an input.
    pub fn register(&self, input: usize) -> u16 {
        self.inputs.get(input).copied().unwrap_or(0)
    }

    /// How a value is computed.
    pub fn op(&self, slot: Slot) -> Op {
        self.values[slot].op
    }

    /// A value's stride; `None` if it is not known to be affine.
    pub fn stride(&self, slot: Slot) -> Option<u32> {
        self.values[slot].stride.iter().try_fold(0u32, |sum, (input, by)| {
            Some(sum.wrapping_add(self.strides.get(*input).copied().flatten()?.wrapping_mul(*by)))
        })
    }

    /// The values that these are computed from, and they themselves, each after those that it needs; and what must hold
    /// of them.
    pub fn needed(&self, wanted: impl Iterator<Item = Slot>) -> (Vec<Slot>, Vec<Guard>) {
        let mut needed = vec![false; self.values.len()];
        let mut open: Vec<Slot> = wanted.collect();
        let mut guards = Vec::new();
        while let Some(slot) = open.pop() {
            if std::mem::replace(&mut needed[slot], true) {
                continue;
            }
            let value = &self.values[slot];
            open.extend(value.op.sources().into_iter().flatten());
            for guard in &value.guards {
                open.push(guard.slot());
                if !guards.contains(guard) {
                    guards.push(*guard);
                }
            }
        }
        ((0..needed.len()).filter(|slot| needed[*slot]).collect(), guards)
    }

    /// A register's value behind the region, if it is affine and the region wrote it.
    pub fn result(&self, register: u16) -> Option<Placed> {
        let slot = *self.registers.get(&register).filter(|_| self.written.has(register))?;
        self.placed(slot)
    }

    /// A lane mask's value behind the region: a slot with 1 for all lanes, or 0.
    pub fn mask(&self, number: u16) -> Option<Slot> {
        let slot = *self.masks.get(&number)?;
        self.placed(slot).map(|_| slot)
    }

    /// The value with its stride, if everything that it comes from is known to be affine.
    fn placed(&self, slot: Slot) -> Option<Placed> {
        let (needed, guards) = self.needed([slot].into_iter());
        let known = needed.iter().all(|slot| self.stride(*slot).is_some());
        (known && self.hold(&guards)).then_some((slot, self.stride(slot)?))
    }

    /// Whether the guards can hold with these strides.
    fn hold(&self, guards: &[Guard]) -> bool {
        let small = |slot: Slot| self.stride(slot).is_some_and(|stride| stride < 1 << 16);
        guards.iter().all(|guard| match *guard {
            Guard::Uniform(slot) => self.stride(slot) == Some(0),
            Guard::NoWrap(slot) | Guard::OneSign(slot) => small(slot),
            Guard::Decided(slot) | Guard::Disjoint(slot) => match self.values[slot].op {
                // One side at most grows.
                Op::Compare { a, b, .. } | Op::Or(a, b) => {
                    small(a) && small(b) && (self.stride(a) == Some(0) || self.stride(b) == Some(0))
                }
                _ => false,
            },
        })
    }

    fn value(&mut self, op: Op, stride: Stride, guards: Vec<Guard>) -> Slot {
        if let Some(slot) = self.known.get(&op) {
            return *slot;
        }
        self.values.push(Value { op, stride, guards });
        self.known.insert(op, self.values.len() - 1);
        self.values.len() - 1
    }

    fn vector(&mut self, register: u16) -> Option<Slot> {
        if let Some(slot) = self.registers.get(&register) {
            return Some(*slot);
        }
        if self.written.has(register) || register >= 256 {
            return None;
        }
        let stride = match self.known_inputs {
            Some(known) => Some(known.get(&register)?.stride),
            None => None,
        };
        let input = self.inputs.len();
        self.inputs.push(register);
        self.strides.push(stride);
        let slot = self.value(Op::Input(input), vec![(input, 1)], Vec::new());
        self.registers.insert(register, slot);
        Some(slot)
    }

    fn source(&mut self, operand: &Operand, dword: u16) -> Option<Slot> {
        if operand.abs || operand.neg || !operand.is_whole() {
            return None;
        }
        match operand.from {
            Source::Vector(v) => self.vector(v + dword),
            Source::Scalar(s) if s < 128 => Some(self.value(Op::Scalar(s + dword), Vec::new(), Vec::new())),
            Source::Constant(value) => {
                let op = Op::Constant((value >> (32 * dword)) as u32);
                Some(self.value(op, Vec::new(), Vec::new()))
            }
            _ => None,
        }
    }

    fn constant(operand: &Operand) -> Option<u32> {
        match operand.from {
            Source::Constant(value) => Some(value as u32),
            _ => None,
        }
    }

    /// The sum of strides, the second times `by`.
    fn sum(&self, a: Slot, b: Slot, by: u32) -> Stride {
        let mut stride = self.values[a].stride.clone();
        for (input, factor) in &self.values[b].stride {
            let factor = factor.wrapping_mul(by);
            match stride.iter_mut().find(|(other, _)| other == input) {
                Some((_, sum)) => *sum = sum.wrapping_add(factor),
                None => stride.push((*input, factor)),
            }
        }
        stride.retain(|(_, factor)| *factor != 0);
        stride
    }

    fn add(&mut self, a: Slot, b: Slot) -> Slot {
        let stride = self.sum(a, b, 1);
        self.value(Op::Add(a, b), stride, Vec::new())
    }

    fn or(&mut self, a: Slot, b: Slot) -> Slot {
        let stride = self.sum(a, b, 1);
        let slot = self.value(Op::Or(a, b), stride, Vec::new());
        self.values[slot].guards = vec![Guard::Disjoint(slot)];
        slot
    }

    fn shl(&mut self, a: Slot, by: u8) -> Slot {
        let factors = self.values[a].stride.iter().map(|(n, factor)| (*n, factor << by));
        let stride = factors.filter(|(_, factor)| *factor != 0).collect();
        self.value(Op::Shl(a, by), stride, Vec::new())
    }

    /// Follows an instruction.
    fn execute(&mut self, lane: &Lane) {
        let mut results = [None; 2];
        let mut mask = None;
        if lane.place.is_none() && lane.dpp.is_none() && !lane.clamp && lane.access.is_none() && !lane.to_exec
        {
            (results, mask) = self.results(lane);
        }
        let mut writes = VectorSet::default();
        lane.vector_writes(&mut writes);
        for register in writes.iter() {
            self.written.add(register, 1);
            self.registers.remove(&register);
        }
        if let Some((first, dwords)) = lane.dst {
            for (register, slot) in (first..first + u16::from(dwords)).zip(results) {
                if let Some(slot) = slot {
                    self.registers.insert(register, slot);
                }
            }
        }
        if let Some(number) = lane.mask_out {
            match mask {
                Some(slot) => self.masks.insert(number, slot),
                None => self.masks.remove(&number),
            };
        }
    }

    fn results(&mut self, lane: &Lane) -> ([Option<Slot>; 2], Option<Slot>) {
        let [a, b, c] = &lane.src;
        let one = |slot: Option<Slot>| ([slot, None], None);
        match lane.micro {
            Micro::Lane1(Un::Mov, _) => one(self.source(a, 0)),
            Micro::Lane2(Bin::Add, Ty::U32 | Ty::I32 | Ty::B32) => {
                one(self.source(a, 0).zip(self.source(b, 0)).map(|(a, b)| self.add(a, b)))
            }
            Micro::Lane2(Bin::Or, _) => {
                one(self.source(a, 0).zip(self.source(b, 0)).map(|(a, b)| self.or(a, b)))
            }
            Micro::Lane3(tri @ (Tri::LshlAdd | Tri::LshlOr), _) => one(Self::constant(b).and_then(|by| {
                let (a, c) = self.source(a, 0).zip(self.source(c, 0))?;
                let shifted = self.shl(a, (by % 32) as u8);
                Some(if tri == Tri::LshlAdd { self.add(shifted, c) } else { self.or(shifted, c) })
            })),
            Micro::Lane3(Tri::Add3, _) => {
                let sources = self.source(a, 0).zip(self.source(b, 0)).zip(self.source(c, 0));
                one(sources.map(|((a, b), c)| {
                    let sum = self.add(a, b);
                    self.add(sum, c)
                }))
            }
            Micro::Lane3(Tri::AddLshl, _) => one(Self::constant(c).and_then(|by| {
                let (a, b) = self.source(a, 0).zip(self.source(b, 0))?;
                let sum = self.add(a, b);
                Some(self.shl(sum, (by % 32) as u8))
            })),
            Micro::Compare { cond, ty, exec: false } => {
                let sources = self.source(a, 0).zip(self.source(b, 0));
                let mask = Order::new(cond, ty).zip(sources).map(|(order, (a, b))| {
                    let slot = self.value(Op::Compare { a, b, order }, Vec::new(), Vec::new());
                    self.values[slot].guards = vec![Guard::Decided(slot)];
                    slot
                });
                ([None; 2], mask)
            }
            Micro::Lane2(Bin::Sub, Ty::U32 | Ty::I32 | Ty::B32) => {
                one(self.source(a, 0).zip(self.source(b, 0)).map(|(a, b)| {
                    let stride = self.sum(a, b, 1u32.wrapping_neg());
                    self.value(Op::Sub(a, b), stride, Vec::new())
                }))
            }
            Micro::Lane2(Bin::Lshl, ty) if ty.bits() == 32 => one(Self::constant(b)
                .and_then(|by| Some(self.source(a, 0)?).map(|a| self.shl(a, (by % 32) as u8)))),
            Micro::Lane2(Bin::Ashr, ty) if ty.bits() == 32 && Self::constant(b) == Some(31) => {
                one(self.source(a, 0).map(|a| self.value(Op::Sign(a), Vec::new(), vec![Guard::OneSign(a)])))
            }
            Micro::Lane2(Bin::Lshl, ty) if ty.bits() == 64 => {
                let by = Self::constant(b).filter(|by| *by < 32);
                let Some((by, (low, high))) = by.zip(self.source(a, 0).zip(self.source(a, 1))) else {
                    return ([None; 2], None);
                };
                let shifted = self.shl(low, by as u8);
                let guards = vec![Guard::NoWrap(shifted), Guard::Uniform(high)];
                let high = self.value(Op::ShlHigh { low, high, by: by as u8 }, Vec::new(), guards);
                ([Some(shifted), Some(high)], None)
            }
            Micro::Carry { subtract: false, carry_in: false } => {
                let Some((a, b)) = self.source(a, 0).zip(self.source(b, 0)) else { return ([None; 2], None) };
                let sum = self.add(a, b);
                let guards = vec![Guard::NoWrap(a), Guard::NoWrap(b), Guard::NoWrap(sum)];
                let carry = self.value(Op::Carry(a, b, None), Vec::new(), guards);
                ([Some(sum), None], Some(carry))
            }
            Micro::Carry { subtract: false, carry_in: true } => {
                let carry = lane.mask_in.and_then(|number| self.masks.get(&number).copied());
                let sources = self.source(a, 0).zip(self.source(b, 0));
                let Some((carry, (a, b))) = carry.zip(sources) else { return ([None; 2], None) };
                let guards = vec![Guard::Uniform(a), Guard::Uniform(b)];
                let sum = self.value(Op::AddCarry(a, b, carry), Vec::new(), guards.clone());
                let carry = self.value(Op::Carry(a, b, Some(carry)), Vec::new(), guards);
                ([Some(sum), None], Some(carry))
            }
            _ => ([None; 2], None),
        }
    }

    /// The spread that an access belongs to, if its addresses can be affine.
    fn spread(&mut self, access: &Access) -> Option<usize> {
        let bytes = u32::from(access.bytes);
        if access.buffer.is_some() || !matches!(bytes, 4 | 8 | 16) {
            return None;
        }
        let wide = access.base.is_none() && access.space != Space::Lds;
        let low = self.vector(access.address)?;
        let high = if wide { Some(self.vector(access.address + 1)?) } else { None };
        // Strides are tried on a copy.
        let before = self.strides.clone();
        let stride = self.choose(low, high, bytes);
        let Some(stride) = stride.filter(|stride| *stride == bytes || access.load && *stride == 0) else {
            self.strides = before;
            return None;
        };
        let offsets = &access.offsets[..access.count.into()];
        let from = offsets.iter().copied().min()?;
        let to = offsets.iter().map(|offset| offset + access.reach()).max()?;
        let same = |spread: &Spread| {
            spread.low == low
                && spread.high == high
                && spread.access.base == access.base
                && spread.access.space == access.space
                && spread.access.load == access.load
        };
        if let Some(n) = self.spreads.iter().position(same) {
            let spread = &mut self.spreads[n];
            (spread.from, spread.to) = (spread.from.min(from), spread.to.max(to));
            return Some(n);
        }
        self.spreads.push(Spread { access: *access, low, high, stride, from, to });
        Some(self.spreads.len() - 1)
    }

    /// Chooses the strides of inputs that have none so that elements of `bytes` bytes are consecutive: the stride of the
    /// address then.
    fn choose(&mut self, low: Slot, high: Option<Slot>, bytes: u32) -> Option<u32> {
        let (needed, guards) = self.needed([low].into_iter().chain(high));
        let uniform = guards.iter().filter_map(|guard| match guard {
            Guard::Uniform(slot) => Some(*slot),
            _ => None,
        });
        for slot in uniform.chain(high) {
            for (input, _) in self.values[slot].stride.clone() {
                self.strides[input].get_or_insert(0);
            }
        }
        for (input, factor) in self.values[low].stride.clone() {
            if self.strides[input].is_none() {
                let others = self.values[low]
                    .stride
                    .iter()
                    .map(|(other, factor)| self.strides[*other].unwrap_or(0).wrapping_mul(*factor));
                let rest = bytes.wrapping_sub(others.fold(0, u32::wrapping_add));
                let fits = rest % factor == 0 && rest / factor <= 16;
                self.strides[input] = Some(if fits { rest / factor } else { 0 });
            }
        }
        // What is left enters where its stride cannot matter.
        for slot in needed {
            for (input, _) in self.values[slot].stride.clone() {
                self.strides[input].get_or_insert(0);
            }
        }
        let uniform = high.is_none_or(|high| self.stride(high) == Some(0));
        (uniform && self.hold(&guards)).then(|| self.stride(low)).flatten()
    }
}
