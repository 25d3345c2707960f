//! The types that a kernel's parameters can have.
//!
//! # Safety
//! The two `unsafe` items are promises about types, not code: [`ByValue`] is asked of whoever implements it, and its
//! blanket implementation rests on `bytemuck::Pod`, whose types are plain bytes without padding.
#![allow(unsafe_code)]

use crate::Extent;
use crate::texture::{Surf, Tex};
use bytemuck::Pod;
use std::marker::PhantomData;

/// A type that a kernel takes by value.
///
/// Every [`Pod`] type is one. A struct that has padding, or that holds device addresses, is declared by hand.
///
/// ```
/// /// `struct Particle { float *position; int count; };`
/// #[repr(C)]
/// #[derive(Clone, Copy)]
/// struct Particles {
///     positions: u64,
///     count: i32,
/// }
/// // SAFETY: the layout is that of the C struct; whoever fills in the address answers for the memory.
/// unsafe impl hip::ByValue for Particles {}
/// ```
///
/// # Safety
/// The type's layout is that of the C type of the parameter (`#[repr(C)]`), and a kernel may be given any value of it: if
/// it holds device addresses, whoever makes such a value answers for the memory behind them being alive until the kernel
/// is done, and for its uses being ordered.
pub unsafe trait ByValue: Copy + Send + 'static {}

// SAFETY: a Pod type is plain bytes with a fixed layout (`repr(C)` or primitive), and holds no address.
unsafe impl<T: Pod + Send> ByValue for T {}

/// The parameter type of `const T *`: device memory that the kernel reads.
///
/// It stands in signatures only; the caller passes a `&DeviceBuffer<T>` or a `View<T>`.
///
/// ```
/// use hip::{In, InOut, Kernel};
/// /// `__global__ void scale(const float *from, float *to)`
/// type Scale = Kernel<(In<f32>, InOut<f32>)>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct In<T>(PhantomData<fn(T)>);

/// The parameter type of `T *`: device memory that the kernel reads and writes.
///
/// It stands in signatures only; the caller passes a `&mut DeviceBuffer<T>` or a `ViewMut<T>`.
///
/// ```
/// use hip::{In, InOut, Kernel};
/// /// `__global__ void scale(const float *from, float *to)`
/// type Scale = Kernel<(In<f32>, InOut<f32>)>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InOut<T>(PhantomData<fn(T)>);

/// What a parameter is to the code object: the metadata's `.value_kind`, as far as a launch can pass it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamKind {
    /// `by_value`: the bytes themselves.
    Value,
    /// `global_buffer` that the kernel does not write.
    In,
    /// `global_buffer` that the kernel may write.
    InOut,
}

mod sealed {
    pub trait Sealed {}
    impl<T: super::ByValue> Sealed for T {}
    impl<T: super::Pod> Sealed for super::In<T> {}
    impl<T: super::Pod> Sealed for super::InOut<T> {}
    impl Sealed for super::Tex {}
    impl Sealed for super::Surf {}
}

/// One parameter of a kernel: a [`ByValue`] type, [`In`] or [`InOut`]. Sealed.
///
/// ```
/// use hip::{In, Param};
/// fn shape<P: Param>(shape: P::Shape) -> P::Shape {
///     shape
/// }
/// // A slice's shape is its length, a value's is the value.
/// assert_eq!((shape::<In<f32>>(1000), shape::<f32>(0.5)), (1000, 0.5));
/// ```
pub trait Param: sealed::Sealed + 'static {
    /// What [`Vouched::check`](crate::Vouched::check) is told of the argument: a scalar's value, a slice's length in
    /// elements.
    type Shape: Copy;
    /// How the code object must describe the parameter.
    #[doc(hidden)]
    const KIND: ParamKind;
    /// The parameter's size in the kernarg segment, in bytes.
    #[doc(hidden)]
    const SIZE: usize;
    /// The type in Rust terms, for messages.
    #[doc(hidden)]
    fn describe() -> String;
}

impl<T: ByValue> Param for T {
    type Shape = T;
    const KIND: ParamKind = ParamKind::Value;
    const SIZE: usize = size_of::<T>();
    fn describe() -> String {
        std::any::type_name::<T>().to_owned()
    }
}

impl<T: Pod> Param for In<T> {
    type Shape = usize;
    const KIND: ParamKind = ParamKind::In;
    const SIZE: usize = 8;
    fn describe() -> String {
        format!("&[{}]", std::any::type_name::<T>())
    }
}

impl<T: Pod> Param for InOut<T> {
    type Shape = usize;
    const KIND: ParamKind = ParamKind::InOut;
    const SIZE: usize = 8;
    fn describe() -> String {
        format!("&mut [{}]", std::any::type_name::<T>())
    }
}

/// Objects of the texture units: to the code object they are pointers.
macro_rules! objects {
    ($($object:ident $kind:ident $name:literal;)+) => {$(
        impl Param for $object {
            type Shape = Extent;
            const KIND: ParamKind = ParamKind::$kind;
            const SIZE: usize = 8;
            fn describe() -> String {
                $name.to_owned()
            }
        }
    )+};
}

objects! {
    Tex In "hipTextureObject_t";
    Surf InOut "hipSurfaceObject_t";
}

/// What one parameter looks like: enough to compare it with a code object's metadata.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct ParamInfo {
    pub(crate) kind: ParamKind,
    pub(crate) size: usize,
    pub(crate) describe: fn() -> String,
}

impl ParamInfo {
    const fn of<P: Param>() -> Self {
        Self { kind: P::KIND, size: P::SIZE, describe: P::describe }
    }
}

mod list {
    pub trait Sealed {}
}

/// All parameters of a kernel: a tuple of up to 16 [`Param`]s. Sealed.
///
/// ```
/// use hip::{In, InOut, Params};
/// fn takes<P: Params>() {}
/// takes::<(f32, In<f32>, InOut<f32>, i32)>();
/// ```
pub trait Params: list::Sealed + 'static {
    /// The [shapes](Param::Shape) of the arguments, as a tuple.
    type Shapes: Copy;
    /// The parameters in order.
    #[doc(hidden)]
    const INFO: &'static [ParamInfo];
}

macro_rules! params {
    ($($p:ident)*) => {
        impl<$($p: Param),*> list::Sealed for ($($p,)*) {}
        impl<$($p: Param),*> Params for ($($p,)*) {
            type Shapes = ($($p::Shape,)*);
            const INFO: &'static [ParamInfo] = &[$(ParamInfo::of::<$p>()),*];
        }
    };
}

params! {}
params! { A }
params! { A B }
params! { A B C }
params! { A B C D }
params! { A B C D E }
params! { A B C D E F }
params! { A B C D E F G }
params! { A B C D E F G H }
params! { A B C D E F G H I }
params! { A B C D E F G H I J }
params! { A B C D E F G H I J K }
params! { A B C D E F G H I J K L }
params! { A B C D E F G H I J K L M }
params! { A B C D E F G H I J K L M N }
params! { A B C D E F G H I J K L M N O }
params! { A B C D E F G H I J K L M N O P }
