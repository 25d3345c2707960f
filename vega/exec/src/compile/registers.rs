//! Which vector registers of the guest are in registers of the host, within one strip of a region.
//!
//! A value is loaded when it is first read and written back when the strip ends. Until then nothing that
//! the strip computes can be seen, so that a strip may be begun again (see [`super::region`]): a value that
//! must make room goes to the context, not to the wave. Which one makes room: the one that is used last.

use std::collections::HashMap;

use iced_x86::{MemoryOperand, Register};
use vega_isa::sgpr;

use super::assembler::Assembler;
use super::ir::Lane;
use super::layout::{spill, vector};
use super::set::{VALUES, VectorSet};
use super::target::File;
use crate::interp::wave::SPARE;

/// A lane mask as a value: one that a whole vector register holds on hosts without mask registers.
pub(super) const fn mask_value(number: u16) -> u16 {
    super::context::VECTORS as u16 + number / 2
}

/// The most registers that a host has.
const MOST: usize = 32;

/// When each guest register is used next.
struct Uses {
    /// Positions in ascending order, for each register: even ones read, odd ones write.
    at: HashMap<u16, Vec<u32>>,
}

impl Uses {
    fn new(lanes: &[Lane], masks: bool) -> Self {
        let mut at: HashMap<u16, Vec<u32>> = HashMap::new();
        for (n, lane) in lanes.iter().enumerate() {
            let (mut reads, mut writes) = (VectorSet::default(), VectorSet::default());
            lane.vector_reads(&mut reads);
            lane.vector_writes(&mut writes);
            if masks {
                lane.mask_in.into_iter().for_each(|n| reads.add(mask_value(n), 1));
                lane.mask_out.into_iter().for_each(|n| writes.add(mask_value(n), 1));
                writes.add(mask_value(sgpr::EXEC_LO.into()), lane.to_exec.into());
            }
            reads.iter().for_each(|v| at.entry(v).or_default().push(2 * n as u32));
            writes.iter().for_each(|v| at.entry(v).or_default().push(2 * n as u32 + 1));
        }
        Self { at }
    }

    /// The next use at or after a position.
    fn next(&self, v: u16, position: usize) -> Option<u32> {
        let uses = self.at.get(&v)?;
        uses.get(uses.partition_point(|at| (*at as usize) < 2 * position)).copied()
    }
}

/// See the file's head.
pub(super) struct Registers {
    file: &'static File,
    /// The guest register in each host register.
    owner: [Option<u16>; MOST],
    /// Host registers whose value is newer than the wave's.
    dirty: u32,
    /// Host registers that the instruction at hand uses.
    pinned: u32,
    /// Guest registers whose value is in the context and newer than the wave's.
    spilled: VectorSet,
    uses: Uses,
    /// Registers that may be read behind the strip.
    live: VectorSet,
    position: usize,
}

impl Registers {
    /// Nothing in registers, before a strip of these instructions. What is not live behind it need not reach the wave.
    pub fn new(lanes: &[Lane], live: &VectorSet, file: &'static File) -> Self {
        // Lane masks, and registers that belong to no program.
        let mut live = *live;
        live.add(SPARE as u16, VALUES - SPARE as u16);
        Self {
            file,
            owner: [None; MOST],
            dirty: 0,
            pinned: 0,
            spilled: VectorSet::default(),
            uses: Uses::new(lanes, file.masks),
            live,
            position: 0,
        }
    }

    /// Begins with the instruction at a position.
    pub fn begin(&mut self, position: usize) {
        self.position = position;
        self.pinned = 0;
    }

    /// The position of the instruction at hand.
    pub fn position(&self) -> usize {
        self.position
    }

    fn find(&self, v: u16) -> Option<usize> {
        (self.file.first..self.file.count).find(|r| self.owner[*r] == Some(v))
    }

    /// A host register for a guest register that is in none.
    fn take(&mut self, asm: &mut Assembler, v: u16) -> usize {
        let free = (self.file.first..self.file.count).filter(|r| self.pinned >> r & 1 == 0);
        debug_assert!(free.clone().next().is_some(), "an instruction needs more registers than there are");
        let distance = |r: &usize| match self.owner[*r] {
            None => u32::MAX,
            Some(v) => self.uses.next(v, self.position).map_or(u32::MAX - 1, |at| at),
        };
        let r = free.max_by_key(distance).unwrap_or(self.file.first);
        if let Some(old) = self.owner[r]
            && self.dirty >> r & 1 == 1
        {
            // A value that is written before it is read again is dead, but its last value must reach the wave.
            let next = self.uses.next(old, self.position);
            if next.map_or(self.live.has(old), |at| at % 2 == 0) {
                asm.op(self.file.store, &[spill(old).into(), self.file.register(r).into()]);
                self.spilled.add(old, 1);
            }
        }
        self.owner[r] = Some(v);
        self.dirty &= !(1 << r);
        self.pinned |= 1 << r;
        r
    }

    /// The host register of a value that is read, and whether it must be filled with the wave's.
    pub fn find_or_take(&mut self, asm: &mut Assembler, v: u16) -> (Register, bool) {
        if let Some(r) = self.find(v) {
            self.pinned |= 1 << r;
            return (self.file.register(r), false);
        }
        let to = self.take(asm, v);
        let to = self.file.register(to);
        let spilled = self.spilled.has(v);
        if spilled {
            asm.op(self.file.load, &[to.into(), spill(v).into()]);
        }
        (to, !spilled)
    }

    /// The host register that holds a guest register's value, if one does. Nothing is emitted.
    pub fn peek(&self, v: u16) -> Option<Register> {
        self.find(v).map(|r| self.file.register(r))
    }

    /// Where a guest register's value is that no host register holds.
    pub fn home(&self, v: u16) -> MemoryOperand {
        if self.spilled.has(v) { spill(v) } else { vector(v) }
    }

    /// The host register that holds a guest register's value.
    pub fn read(&mut self, asm: &mut Assembler, v: u16) -> Register {
        let (to, empty) = self.find_or_take(asm, v);
        if empty {
            asm.op(self.file.load, &[to.into(), vector(v).into()]);
        }
        to
    }

    /// The host register that takes a guest register's new value; all lanes of it are replaced.
    pub fn write(&mut self, asm: &mut Assembler, v: u16) -> Register {
        let r = match self.find(v) {
            Some(r) => {
                self.pinned |= 1 << r;
                r
            }
            None => self.take(asm, v),
        };
        self.dirty |= 1 << r;
        self.file.register(r)
    }

    /// The instruction at hand needs a value no more.
    pub fn unpin(&mut self, v: u16) {
        if let Some(r) = self.find(v) {
            self.pinned &= !(1 << r);
        }
    }

    /// Forgets a register's value.
    pub fn discard(&mut self, v: u16) {
        if let Some(r) = self.find(v) {
            self.owner[r] = None;
            self.dirty &= !(1 << r);
            self.pinned &= !(1 << r);
        }
        self.spilled.remove(v);
    }

    /// Hands everything that is newer than the wave's to `put`; a temporary takes what is in no register.
    pub fn finish(
        &mut self,
        asm: &mut Assembler,
        temporary: Register,
        put: &mut dyn FnMut(&mut Assembler, u16, Register),
    ) {
        for r in self.file.first..self.file.count {
            if let (Some(v), true) = (self.owner[r], self.dirty >> r & 1 == 1)
                && self.live.has(v)
            {
                put(asm, v, self.file.register(r));
            }
        }
        for v in self.spilled.iter() {
            let newer = self.find(v).is_some_and(|r| self.dirty >> r & 1 == 1);
            if !newer && self.live.has(v) {
                asm.op(self.file.load, &[temporary.into(), spill(v).into()]);
                put(asm, v, temporary);
            }
        }
        self.dirty = 0;
    }
}
