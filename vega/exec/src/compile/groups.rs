//! Accesses of a region whose addresses differ by constants: their lanes are looked at once.

use std::collections::HashMap;

use vega_isa::memory::Space;

use super::ir::{Access, Lane};
use super::set::VectorSet;

/// How the addresses of a strip's lanes lie, where that makes a short path. Compiled code keeps the number, and 0 where
/// they lie otherwise or not within one translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// All the same.
    Uniform,
    /// So many bytes apart: a power of two up to 16.
    Stride(u8),
}

impl Class {
    /// As compiled code keeps it.
    pub fn number(self) -> u8 {
        match self {
            Self::Uniform => 1,
            Self::Stride(bytes) => 2 + bytes.trailing_zeros() as u8,
        }
    }

    /// Bytes from one lane to the next.
    pub fn step(self) -> u32 {
        match self {
            Self::Stride(bytes) => bytes.into(),
            Self::Uniform => 0,
        }
    }
}

/// Accesses with the same address registers, unchanged between them.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The least of the offsets.
    pub from: i32,
    /// The largest end of an element.
    pub to: i32,
    /// How many accesses it has.
    pub accesses: usize,
    /// The classes for which some access has a short path, in the order in which they are tried.
    pub classes: Vec<Class>,
}

/// The groups of a region.
#[derive(Debug, Default)]
pub(super) struct Groups {
    list: Vec<Group>,
    /// The group of each instruction.
    of: Vec<Option<usize>>,
}

/// The most groups of a region: as many as it may have instructions.
pub(super) const MOST: usize = 400;

/// What the addresses of an access come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    lds: bool,
    address: u16,
    base: Option<u16>,
}

impl Groups {
    /// The groups of these instructions; `ways` tells the classes for which an access has a short path.
    pub fn new(lanes: &[Lane], ways: impl Fn(&Access) -> Vec<Class>) -> Self {
        let mut groups = Self::default();
        let mut open: HashMap<Key, usize> = HashMap::new();
        for lane in lanes {
            let plain = lane.access.as_ref().filter(|a| a.buffer.is_none() && a.spread.is_none());
            groups.of.push(plain.map(|access| {
                let lds = access.space == Space::Lds;
                let key = Key { lds, address: access.address, base: access.base };
                let list = &mut groups.list;
                let number = *open.entry(key).or_insert_with(|| {
                    list.push(Group { from: i32::MAX, to: i32::MIN, accesses: 0, classes: Vec::new() });
                    list.len() - 1
                });
                if let Some(group) = list.get_mut(number) {
                    group.add(access, ways(access));
                }
                number
            }));
            let mut written = VectorSet::default();
            lane.vector_writes(&mut written);
            open.retain(|key, _| {
                let wide = key.base.is_none() && !key.lds;
                !(written.has(key.address) || wide && written.has(key.address + 1))
            });
        }
        groups
    }

    /// The group of an instruction that accesses memory.
    pub fn of(&self, instruction: usize) -> Option<(usize, &Group)> {
        let number = (*self.of.get(instruction)?)?;
        self.list.get(number).map(|group| (number, group))
    }
}

impl Group {
    fn add(&mut self, access: &Access, ways: Vec<Class>) {
        for offset in &access.offsets[..access.count.into()] {
            self.from = self.from.min(*offset);
            // Blocks and broadcasts take no more than the elements, except of three dwords in global memory.
            let whole = access.bytes == 12 && access.space != Space::Lds;
            let bytes = if whole { access.reach() } else { access.bytes.into() };
            self.to = self.to.max(offset + bytes);
        }
        self.accesses += 1;
        for class in ways {
            if !self.classes.contains(&class) {
                self.classes.push(class);
            }
        }
    }
}
