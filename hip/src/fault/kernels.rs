//! Kernels of the simulation: closures that see what a launch passed.

use super::State;
use crate::Dim3;
use bytemuck::Pod;

/// What a kernel of some name does.
pub(super) struct Body {
    /// The sizes of its parameters in bytes.
    pub(super) sizes: Vec<usize>,
    pub(super) run: Box<dyn Fn(&mut Launched<'_>) + Send + Sync>,
}

/// A launch that is being executed: what it was given, and the memory behind its pointers.
pub struct Launched<'a> {
    pub(super) state: &'a mut State,
    pub(super) grid: Dim3,
    pub(super) block: Dim3,
    pub(super) arguments: &'a [Vec<u8>],
}

impl Launched<'_> {
    /// The grid in workgroups.
    pub fn grid(&self) -> Dim3 {
        self.grid
    }

    /// The workgroup in threads.
    pub fn block(&self) -> Dim3 {
        self.block
    }

    /// All threads of the launch.
    pub fn threads(&self) -> usize {
        usize::try_from(self.grid.count().saturating_mul(self.block.count())).unwrap_or(usize::MAX)
    }

    /// The argument of that number, if it is of that size.
    pub fn value<T: Pod>(&self, index: usize) -> Option<T> {
        bytemuck::try_pod_read_unaligned(self.arguments.get(index)?).ok()
    }

    /// `len` elements behind the pointer that is argument `index`. None, and a [violation](State::violations), when they are
    /// not all memory of the device.
    pub fn read<T: Pod>(&mut self, index: usize, len: usize) -> Vec<T> {
        let mut elements = vec![T::zeroed(); len];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut elements);
        let Some(address) = self.value::<usize>(index) else { return Vec::new() };
        if self.state.read(address, bytes) { elements } else { Vec::new() }
    }

    /// Writes behind the pointer that is argument `index`. Nothing, and a [violation](State::violations), when that is not all
    /// memory of the device.
    pub fn write<T: Pod>(&mut self, index: usize, elements: &[T]) {
        if let Some(address) = self.value::<usize>(index) {
            self.state.write(address, bytemuck::cast_slice(elements));
        }
    }
}
