//! Kernels of the simulation: closures that see what a launch passed.

use super::State;
use crate::Dim3;
use crate::kernel::{ParamInfo, ParamKind};
use bytemuck::Pod;

/// What a kernel of some name does.
pub(super) struct Body {
    pub(super) parameters: &'static [ParamInfo],
    pub(super) run: Box<dyn Fn(&mut Launched<'_>) + Send + Sync>,
}

impl Body {
    /// Whether the kernel's parameters, as the code object has them, are the ones that the body was made for.
    pub(super) fn takes(&self, parameters: &[Parameter]) -> bool {
        let same = |(info, parameter): (&ParamInfo, &Parameter)| {
            info.size == parameter.bytes && (info.kind == ParamKind::Value) != parameter.is_pointer
        };
        self.parameters.len() == parameters.len() && self.parameters.iter().zip(parameters).all(same)
    }
}

/// A parameter of a kernel, as the code object has it.
pub(crate) struct Parameter {
    pub(crate) bytes: usize,
    pub(crate) is_pointer: bool,
}

/// A launch that is being executed: what it was given, and the memory behind its pointers.
///
/// ```
/// # let simulation = hip::fault::Simulation::new(hip::fault::Config::default());
/// simulation.kernel::<(hip::InOut<u32>,)>("iota", |launch| {
///     let numbers: Vec<u32> = (0..launch.threads() as u32).collect();
///     launch.write(0, &numbers);
/// });
/// ```
pub struct Launched<'a> {
    pub(super) state: &'a mut State,
    pub(super) grid: Dim3,
    pub(super) block: Dim3,
    pub(super) arguments: &'a [Vec<u8>],
    pub(super) parameters: &'static [ParamInfo],
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
    /// not all memory of the device; none for a value.
    pub fn read<T: Pod>(&mut self, index: usize, len: usize) -> Vec<T> {
        let mut elements = vec![T::zeroed(); len];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut elements);
        let Some(address) = self.pointer(index, &[ParamKind::In, ParamKind::InOut], bytes.len()) else {
            return Vec::new();
        };
        if self.state.read(address, bytes) { elements } else { Vec::new() }
    }

    /// Writes behind the pointer that is argument `index`. Nothing, and a [violation](State::violations), when that is not all
    /// memory of the device; nothing for a value or an [`In`](crate::In).
    pub fn write<T: Pod>(&mut self, index: usize, elements: &[T]) {
        let bytes: &[u8] = bytemuck::cast_slice(elements);
        if let Some(address) = self.pointer(index, &[ParamKind::InOut], bytes.len()) {
            self.state.write(address, bytes);
        }
    }

    /// The argument as an address of memory that the device reaches. Anything else is a violation.
    fn pointer(&mut self, index: usize, kinds: &[ParamKind], bytes: usize) -> Option<usize> {
        let of_kind = self.parameters.get(index).is_some_and(|info| kinds.contains(&info.kind));
        let address = self.value::<usize>(index).filter(|_| of_kind)?;
        if bytes != 0 && !self.state.reaches(address, bytes) {
            self.state.violations.push("a kernel used memory that is not the device's".to_owned());
            return None;
        }
        Some(address)
    }
}
