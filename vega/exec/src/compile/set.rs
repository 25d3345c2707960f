//! Sets of registers.

/// How many values a [`VectorSet`] can tell of.
pub(super) const VALUES: u16 = 384;

/// Vector registers, and other values that a vector register of the host may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct VectorSet([u64; VALUES as usize / 64]);

impl VectorSet {
    /// Adds registers from `first` on.
    pub fn add(&mut self, first: u16, count: u16) {
        for n in first..first + count {
            if let Some(word) = self.0.get_mut(usize::from(n / 64)) {
                *word |= 1 << (n % 64);
            }
        }
    }

    /// Every register.
    pub const ALL: Self = Self([!0; VALUES as usize / 64]);

    /// Adds what is in the other set.
    pub fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Takes out what is in the other set.
    pub fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Takes a register out.
    pub fn remove(&mut self, n: u16) {
        if let Some(word) = self.0.get_mut(usize::from(n / 64)) {
            *word &= !(1 << (n % 64));
        }
    }

    /// Whether a register is in the set.
    pub fn has(&self, n: u16) -> bool {
        self.0.get(usize::from(n / 64)).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    /// Whether the sets have a register in common.
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Its registers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..VALUES).filter(|n| self.has(*n))
    }
}

/// Scalar registers, and the scalar condition code as one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScalarSet([u64; 3]);

/// The number of the scalar condition code in a [`ScalarSet`].
pub(super) const SCC: u16 = 150;

impl ScalarSet {
    /// Adds registers from `first` on.
    pub fn add(&mut self, first: u16, count: u16) {
        for n in first..first + count {
            if let Some(word) = self.0.get_mut(usize::from(n / 64)) {
                *word |= 1 << (n % 64);
            }
        }
    }

    /// Whether a register is in the set.
    pub fn has(&self, n: u16) -> bool {
        self.0.get(usize::from(n / 64)).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    /// Whether the sets have a register in common.
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Removes what is in the other set.
    pub fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Adds what is in the other set.
    pub fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Its registers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..192u16).filter(|n| self.has(*n))
    }

    /// What both have.
    pub fn both(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n] & other.0[n]))
    }

    /// The first registers of the pairs that have a register in the set.
    pub fn pairs(&self) -> impl Iterator<Item = u16> + '_ {
        (0..128).step_by(2).filter(|n| self.has(*n) || self.has(n + 1))
    }
}
