//! What is passed to a kernel.
//!
//! # Safety
//! A launch is given one pointer per parameter, to a local that holds the parameter's value: the value itself, or the
//! device address of a slice. The runtime copies them before it returns.
#![allow(unsafe_code)]

use super::launch::Mode;
use super::{ByValue, Function, In, InOut, LaunchConfig, Param, Params};
use crate::event::wrong_device;
use crate::memory::{Access, Allocation, Ticket};
use crate::texture::{Surf, Surface, Tex, Texel, Texture};
use crate::{DeviceBuffer, Extent, Result, Stream, View, ViewMut, graph};
use bytemuck::Pod;
use hip_sys::{hipSurfaceObject_t, hipTextureObject_t};
use std::ffi::c_void;

mod sealed {
    /// Named with the parameter, so that nobody can add a pair of an argument's type and a parameter.
    pub trait Sealed<P> {}
    pub trait Tuple<P> {}
}
use sealed::{Sealed, Tuple};

/// A value that can be passed for the parameter `P`. Sealed: the table at [`kernel`](mod@crate::kernel) lists them all.
///
/// ```
/// use hip::{Arg, InOut, Kernel, LaunchConfig, Stream};
/// /// Launches a kernel with whatever stands for a slice: a buffer, or a view.
/// fn launch(kernel: &Kernel<(InOut<f32>,)>, stream: &Stream, x: impl Arg<InOut<f32>>) -> hip::Result<()> {
///     // SAFETY: the kernel writes its first 64 elements, which x has.
///     unsafe { kernel.launch_unchecked(stream, LaunchConfig::new(1, 64), (x,)) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed to a kernel for the parameter `{P}`",
    note = "pass values as they are, `&DeviceBuffer<T>` or `View<T>` for `In<T>`, `&mut DeviceBuffer<T>` or `ViewMut<T>` for `InOut<T>`"
)]
pub trait Arg<P: Param>: Sealed<P> {
    /// What stands in the kernarg segment.
    #[doc(hidden)]
    type Stored: Copy;
    /// What [`Vouched::check`](crate::Vouched::check) is told.
    #[doc(hidden)]
    fn shape(&self) -> P::Shape;
    #[doc(hidden)]
    fn stored(&self) -> Self::Stored;
    /// The memory that the kernel reaches through the argument.
    #[doc(hidden)]
    fn memory(&self) -> Option<Memory<'_>>;
}

/// Memory that a kernel uses.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Memory<'a> {
    pub(crate) allocation: &'a Allocation,
    pub(crate) access: Access,
    /// Whether the kernel reaches the memory through an object that its owner destroys, which a graph cannot own.
    pub(crate) by_object: bool,
}

impl<T: ByValue> Sealed<T> for T {}
impl<T: ByValue> Arg<T> for T {
    type Stored = T;
    #[inline]
    fn shape(&self) -> T {
        *self
    }
    #[inline]
    fn stored(&self) -> T {
        *self
    }
    #[inline]
    fn memory(&self) -> Option<Memory<'_>> {
        None
    }
}

/// The types that stand for a slice of device memory, and how each is seen as a view.
macro_rules! slices {
    ($($parameter:ident <- $access:ident $argument:ty, $view:expr;)+) => {$(
        impl<T: Pod> Sealed<$parameter<T>> for $argument {}
        impl<T: Pod> Arg<$parameter<T>> for $argument {
            type Stored = *mut T;
            #[inline]
            fn shape(&self) -> usize {
                self.len()
            }
            #[inline]
            fn stored(&self) -> *mut T {
                let view: fn(&Self) -> View<'_, T> = $view;
                view(self).address()
            }
            #[inline]
            fn memory(&self) -> Option<Memory<'_>> {
                let view: fn(&Self) -> View<'_, T> = $view;
                Some(Memory { allocation: view(self).allocation(), access: Access::$access, by_object: false })
            }
        }
    )+};
}

slices! {
    In <- Read &DeviceBuffer<T>, |it| it.view();
    In <- Read View<'_, T>, |it| *it;
    In <- Read &View<'_, T>, |it| **it;
    In <- Read &ViewMut<'_, T>, |it| it.as_view();
    InOut <- Write &mut DeviceBuffer<T>, |it| it.view();
    InOut <- Write ViewMut<'_, T>, |it| it.as_view();
    InOut <- Write &mut ViewMut<'_, T>, |it| it.as_view();
}

/// The parameters that stand for an object of the texture units.
macro_rules! objects {
    ($($parameter:ident <- $access:ident $object:ident $handle:ty;)+) => {$(
        impl<T: Texel> Sealed<$parameter> for &$object<T> {}
        impl<T: Texel> Arg<$parameter> for &$object<T> {
            type Stored = $handle;
            #[inline]
            fn shape(&self) -> Extent {
                self.extent()
            }
            #[inline]
            fn stored(&self) -> $handle {
                self.raw()
            }
            #[inline]
            fn memory(&self) -> Option<Memory<'_>> {
                Some(Memory { allocation: self.allocation(), access: Access::$access, by_object: true })
            }
        }
    )+};
}

objects! {
    Tex <- Read Texture hipTextureObject_t;
    Surf <- Write Surface hipSurfaceObject_t;
}

/// Where a launch goes.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct LaunchTarget<'a> {
    pub(super) function: &'a Function,
    pub(super) stream: &'a Stream,
    pub(super) config: LaunchConfig,
    pub(super) mode: Mode<'a>,
}

impl LaunchTarget<'_> {
    #[inline]
    pub(super) fn before(&self, memory: Option<Memory<'_>>) -> Result<Option<Ticket>> {
        let Some(Memory { allocation, access, by_object }) = memory else { return Ok(None) };
        // A texture or surface object is one of its device alone.
        let (own, device) = (allocation.device(), self.stream.device());
        if !allocation.is_reached_by(device) || (by_object && own != device) {
            return Err(wrong_device("an argument", device, own));
        }
        if self.stream.is_capture() {
            if by_object {
                return Err(graph::object_not_ownable());
            }
            allocation.go_into_graph(self.stream.shared(), access)?;
        }
        allocation.uses().before(self.stream.shared(), access).map(Some)
    }

    #[inline]
    pub(super) fn after(&self, memory: Option<Memory<'_>>, ticket: Option<Ticket>) {
        if let (Some(Memory { allocation, .. }), Some(ticket)) = (memory, ticket) {
            allocation.uses().after(self.stream.shared(), ticket);
        }
    }
}

/// The arguments of a launch: a tuple with an [`Arg`] per parameter. Sealed.
///
/// ```
/// use hip::{Args, Kernel, LaunchConfig, Signature, Stream, Vouched};
/// /// Launches any kernel twice.
/// fn twice<K: Vouched, A: Args<K::Params> + Copy>(kernel: &Kernel<K>, stream: &Stream, arguments: A) -> hip::Result<()> {
///     kernel.launch(stream, LaunchConfig::new(1, 64), arguments)?;
///     kernel.launch(stream, LaunchConfig::new(1, 64), arguments)
/// }
/// ```
pub trait Args<P: Params>: Tuple<P> {
    /// What [`Vouched::check`](crate::Vouched::check) is told.
    #[doc(hidden)]
    fn shapes(&self) -> P::Shapes;
    /// # Safety
    /// The kernel has these parameters, and stays within what it is passed.
    #[doc(hidden)]
    unsafe fn launch(self, target: &LaunchTarget<'_>) -> Result<()>;
    /// Calls `then` with the memory that the kernel reaches, and with the argument pointers, which are good for the call.
    #[doc(hidden)]
    fn with_pointers<R>(self, then: impl FnOnce(&[Option<Memory<'_>>], *mut *mut c_void) -> R) -> R;
}

macro_rules! args {
    ($($param:ident $arg:ident $value:ident $ticket:ident)*) => {
        impl<$($param: Param, $arg: Arg<$param>),*> Tuple<($($param,)*)> for ($($arg,)*) {}

        impl<$($param: Param, $arg: Arg<$param>),*> Args<($($param,)*)> for ($($arg,)*) {
            #[inline]
            #[allow(clippy::unused_unit, reason = "the shapes of no arguments")]
            fn shapes(&self) -> ($($param::Shape,)*) {
                let ($($value,)*) = self;
                ($($value.shape(),)*)
            }

            #[inline]
            unsafe fn launch(self, target: &LaunchTarget<'_>) -> Result<()> {
                let ($($value,)*) = self;
                $(let $ticket = target.before($value.memory())?;)*
                let outcome = {
                    let stored = ($($value.stored(),)*);
                    let ($($value,)*) = &stored;
                    let mut pointers = [$(std::ptr::from_ref($value).cast::<c_void>().cast_mut()),*];
                    // SAFETY: one pointer per parameter, to its value; the caller answers for the kernel.
                    unsafe { target.enqueue(pointers.as_mut_ptr()) }
                };
                // Also when it failed: it may have been enqueued.
                $(target.after($value.memory(), $ticket);)*
                outcome
            }

            fn with_pointers<R>(self, then: impl FnOnce(&[Option<Memory<'_>>], *mut *mut c_void) -> R) -> R {
                let ($($value,)*) = &self;
                let memory: &[Option<Memory<'_>>] = &[$($value.memory()),*];
                let stored = ($($value.stored(),)*);
                let ($($value,)*) = &stored;
                let mut pointers = [$(std::ptr::from_ref($value).cast::<c_void>().cast_mut()),*];
                then(memory, pointers.as_mut_ptr())
            }
        }
    };
}

macro_rules! prefixes {
    ([$($done:tt)*]) => { args! { $($done)* } };
    ([$($done:tt)*] ($($next:tt)*) $($rest:tt)*) => {
        args! { $($done)* }
        prefixes! { [$($done)* $($next)*] $($rest)* }
    };
}

prefixes! { []
    (A A1 a a1) (B B1 b b1) (C C1 c c1) (D D1 d d1) (E E1 e e1) (F F1 f f1) (G G1 g g1) (H H1 h h1)
    (I I1 i i1) (J J1 j j1) (K K1 k k1) (L L1 l l1) (M M1 m m1) (N N1 n n1) (O O1 o o1) (P P1 p p1)
}
