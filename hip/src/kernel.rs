//! Kernels with a type: their parameters, the promise that makes a launch safe, and how they are declared.
//!
//! | C parameter | parameter type | the caller passes | its [shape](Param::Shape) |
//! |---|---|---|---|
//! | `float a` | `f32` | `f32` | the value |
//! | `struct S s` | `S`, where `S:` [`ByValue`] | `S` | the value |
//! | `const float *x` | [`In<f32>`](In) | `&DeviceBuffer<f32>` or `View<f32>` | the length in elements |
//! | `float *y` | [`InOut<f32>`](InOut) | `&mut DeviceBuffer<f32>` or `ViewMut<f32>` | the length in elements |
//! | `hipTextureObject_t t` | [`Tex`](crate::texture::Tex) | `&Texture<T>` | the extent |
//! | `hipSurfaceObject_t s` | [`Surf`](crate::texture::Surf) | `&Surface<T>` | the extent |
//!
//! # What generated code looks like
//!
//! `hip-build` writes one Rust module per source file; whoever writes it by hand writes the same. A marker type per
//! kernel carries the kernel's name, its parameters and the code object that it stands in; a struct per file holds the
//! kernels once they are loaded on a device:
//!
//! ```no_run
//! # mod generated {
//! /// The kernels of `kernels/saxpy.hip`.
//! pub mod saxpy {
//!     /// The code object (or bundle of code objects) that hipcc made of the file.
//!     // generated code says: include_bytes!("saxpy.co"), which stands beside it.
//!     pub static CODE: &[u8] = &[];
//!
//!     hip::kernel! {
//!         /// `__global__ void saxpy(float a, const float *x, float *y, int n)`
//!         pub struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE;
//!     }
//!
//!     /// The kernels of the file, loaded on one device.
//!     #[derive(Clone, Debug)]
//!     pub struct Kernels {
//!         /// `saxpy`
//!         pub saxpy: hip::Kernel<Saxpy>,
//!     }
//!
//!     impl Kernels {
//!         /// Loads the code object and checks every kernel's parameters against its metadata.
//!         pub fn load(device: hip::Device) -> hip::Result<Self> {
//!             let module = hip::Module::from_static(device, CODE)?;
//!             Ok(Self { saxpy: module.kernel()? })
//!         }
//!
//!         /// Launches `saxpy`: safe, because [`Saxpy`] is [vouched](hip::Vouched) for.
//!         pub fn saxpy(
//!             &self,
//!             stream: &hip::Stream,
//!             config: hip::LaunchConfig,
//!             a: f32,
//!             x: impl hip::Arg<hip::In<f32>>,
//!             y: impl hip::Arg<hip::InOut<f32>>,
//!             n: i32,
//!         ) -> hip::Result<()>
//!         where
//!             // The unused lifetime defers the question to the caller: without it, a crate that vouches for none
//!             // of its kernels would not compile.
//!             for<'vouched> Saxpy: hip::Vouched,
//!         {
//!             self.saxpy.launch(stream, config, (a, x, y, n))
//!         }
//!
//!         /// Launches `saxpy` on the caller's word alone.
//!         ///
//!         /// # Safety
//!         /// As for [`hip::Kernel::launch_unchecked`].
//!         pub unsafe fn saxpy_unchecked(
//!             &self,
//!             stream: &hip::Stream,
//!             config: hip::LaunchConfig,
//!             a: f32,
//!             x: impl hip::Arg<hip::In<f32>>,
//!             y: impl hip::Arg<hip::InOut<f32>>,
//!             n: i32,
//!         ) -> hip::Result<()> {
//!             // SAFETY: the caller's promise is the one that is asked for.
//!             unsafe { self.saxpy.launch_unchecked(stream, config, (a, x, y, n)) }
//!         }
//!     }
//! }
//! # }
//! # use generated::saxpy;
//! // In the program's own source, once per kernel, where a reviewer greps for `unsafe impl hip::Vouched`:
//! //
//! // SAFETY: saxpy reads x[i] and y[i] and writes y[i] for i < n, and touches nothing else. Its i is an int, which must not
//! // wrap around to a negative number.
//! unsafe impl hip::Vouched for saxpy::Saxpy {
//!     fn check(config: &hip::LaunchConfig, &(_, x, y, n): &hip::Shapes<Self>) -> Result<(), &'static str> {
//!         hip::require(config.threads()[0] <= 1 << 31, "an index would wrap around")?;
//!         hip::require(n <= 0 || n as usize <= x.min(y), "n is larger than a vector")
//!     }
//! }
//! ```
#![allow(unsafe_code)]

mod args;
mod config;
mod function;
mod launch;
mod multi;
mod param;

pub(crate) use args::Memory;
pub use args::{Arg, Args};
pub use config::{Dim3, LaunchConfig};
pub use function::Function;
pub use launch::{Kernel, Launch};
pub use multi::MultiLaunch;
pub use param::{ByValue, In, InOut, Param, Params};
#[cfg(feature = "fault")]
pub(crate) use param::{ParamInfo, ParamKind};

/// What a kernel is called with: either a tuple of [parameter types](Param), or a marker type that names one.
///
/// [`kernel!`](crate::kernel!) implements it for the marker types that it declares.
///
/// ```
/// use hip::{In, InOut, Signature};
/// fn takes<K: Signature>() {}
/// takes::<(f32, In<f32>, InOut<f32>, i32)>();
/// ```
pub trait Signature: 'static {
    /// The parameters, in order, as a tuple of [`Param`]s.
    type Params: Params;
}

impl<P: Params> Signature for P {
    type Params = P;
}

/// The lengths of the slices and the values of the scalars that a launch of `K` is about to pass, in the order of its
/// parameters: `(f32, usize, usize, i32)` for `saxpy(f32, &[f32], &mut [f32], i32)`.
///
/// ```
/// # static CODE: &[u8] = &[];
/// hip::kernel! { struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE; }
/// let shapes: hip::Shapes<Saxpy> = (2.0, 1000, 1000, 1000);
/// ```
pub type Shapes<K> = <<K as Signature>::Params as Params>::Shapes;

/// A kernel declared in Rust source, under the name that the code object knows it by.
///
/// ```
/// # static CODE: &[u8] = &[];
/// hip::kernel! { struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE; }
/// assert_eq!(<Saxpy as hip::Named>::NAME, "saxpy");
/// ```
pub trait Named: Signature {
    /// The kernel's name in the code object: its own for `extern "C"`, else the mangled one.
    const NAME: &'static str;
}

/// A kernel whose machine code is part of the program.
///
/// What somebody [vouches](Vouched) for is the kernel in this code: `Module::kernel` refuses any other.
///
/// ```
/// # static CODE: &[u8] = &[];
/// hip::kernel! { struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE; }
/// assert_eq!(<Saxpy as hip::Embedded>::code(), CODE);
/// ```
pub trait Embedded: Named {
    /// The code object, or the bundle of code objects, that the kernel stands in.
    fn code() -> &'static [u8];
}

/// The promise that a kernel stays within its arguments: it makes launching it safe.
///
/// Machine code can do anything, so a launch is `unsafe` until somebody read the kernel and says what it needs. That is
/// said once, where a reviewer finds it by searching for `unsafe impl hip::Vouched`; [`check`](Vouched::check) is then
/// run before each launch.
///
/// ```
/// # static CODE: &[u8] = &[];
/// hip::kernel! { struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE; }
///
/// // SAFETY: saxpy reads x[i] and y[i] and writes y[i] for i < n, and touches nothing else. Its i is an int.
/// unsafe impl hip::Vouched for Saxpy {
///     fn check(config: &hip::LaunchConfig, &(_, x, y, n): &hip::Shapes<Self>) -> Result<(), &'static str> {
///         hip::require(config.threads()[0] <= 1 << 31, "an index would wrap around")?;
///         hip::require(n <= 0 || n as usize <= x.min(y), "n is larger than a vector")
///     }
/// }
/// ```
///
/// # Safety
/// For every configuration and all arguments that [`check`](Vouched::check) accepts, the kernel
/// * reads and writes only the elements of the slices that it was passed, reads no other memory than those, its
///   arguments and its own local, shared and constant memory, and
/// * writes no [`In`] slice, and leaves in each element of an [`InOut`] slice a valid value of its type (every
///   [`Pod`](bytemuck::Pod) type's values are all valid).
///
/// Of the module's own variables nothing is known but their types: safe code may write any value to them
/// ([`Module::global`](crate::Module::global)), an address too. Nor are elements what they were a moment ago, should the
/// kernel read one twice: two threads that give work to the device at the same moment, one of them through a
/// [graph](crate::Graph) that owns the memory, or a surface of the array, are not put in order.
///
/// What it computes, and whether its threads race with each other for an element, is not part of the promise.
#[diagnostic::on_unimplemented(
    message = "nobody has vouched for the kernel `{Self}`, so it cannot be launched from safe code",
    label = "launching this kernel is unsafe",
    note = "write `unsafe impl hip::Vouched for {Self}` with a SAFETY comment, or call the unsafe `launch_unchecked`"
)]
pub unsafe trait Vouched: Signature {
    /// Says whether the kernel keeps its promise when it is launched so.
    ///
    /// # Errors
    /// Why it would not; the launch fails with this text and nothing reaches the device.
    fn check(config: &LaunchConfig, shapes: &Shapes<Self>) -> Result<(), &'static str>;
}

/// `Ok` when the condition holds, else the reason as an error: for [`Vouched::check`].
///
/// # Errors
/// The given text, when `condition` is false.
pub fn require(condition: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if condition { Ok(()) } else { Err(otherwise) }
}

/// Declares marker types for kernels: their names, parameters, and the code object they stand in.
///
/// Slices stand for device pointers: `&[T]` for `const T *` ([`In<T>`](In)), `&mut [T]` for `T *` ([`InOut<T>`](InOut)).
/// Everything else is passed by value. Without `in CODE` the kernel is known by name only, and comes from a module that
/// the program loads at run time.
///
/// ```
/// static CODE: &[u8] = &[/* include_bytes!("saxpy.co") */];
///
/// hip::kernel! {
///     /// y = a x + y
///     pub struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE;
///     /// Without code: for a module loaded from a file.
///     pub struct Iota = "iota"(&mut [u32]);
/// }
/// ```
#[macro_export]
macro_rules! kernel {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident = $symbol:literal ( $($params:tt)* ) $(in $code:expr)? ;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $crate::Signature for $name {
            type Params = $crate::__params!([] $($params)*);
        }

        impl $crate::Named for $name {
            const NAME: &'static str = $symbol;
        }

        $(impl $crate::Embedded for $name {
            fn code() -> &'static [u8] {
                $code
            }
        })?
    )+};
}

/// Turns the parameter list of [`kernel!`](crate::kernel!) into a tuple of parameter types.
#[doc(hidden)]
#[macro_export]
macro_rules! __params {
    ([$($done:tt)*]) => { ($($done)*) };
    ([$($done:tt)*] &mut [$t:ty] $(, $($rest:tt)*)?) => { $crate::__params!([$($done)* $crate::InOut<$t>,] $($($rest)*)?) };
    ([$($done:tt)*] &[$t:ty] $(, $($rest:tt)*)?) => { $crate::__params!([$($done)* $crate::In<$t>,] $($($rest)*)?) };
    ([$($done:tt)*] $t:ty $(, $($rest:tt)*)?) => { $crate::__params!([$($done)* $t,] $($($rest)*)?) };
}
