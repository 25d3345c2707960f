//! Compiles HIP kernels from a build script and generates typed launch functions.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), hip_build::Error> {
//!     hip_build::Kernels::new().arch("gfx900").file("kernels/saxpy.hip").compile()?;
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! // src/lib.rs: one module per file, here `saxpy`
//! include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
//! ```
//!
//! What a build does:
//!
//! 1. **hipcc** compiles each file for every `arch` into one offload bundle, `OUT_DIR/NAME.co`. The architectures are
//!    always passed: without them hipcc asks for a GPU, which a build machine need not have.
//! 2. **Cargo** is told every header that the compiler read for any architecture (its dependency files), and every
//!    environment variable that decides which compiler runs. An unchanged file is not compiled again, even if Cargo reruns
//!    the script: results are kept with a hash of all their inputs' contents.
//! 3. **Types** of the kernels' parameters come from the source, through the debug information of a second, throw-away
//!    compile: canonical types, struct layouts, names, from the same front end and flags. (A code object records sizes
//!    and kinds only; clang's AST as JSON leaves typedefs behind pointers unresolved, has no layouts, and is 266 MB for
//!    any file that includes the HIP runtime's header.)
//! 4. **The code object** must agree, kernel by kernel, on the number of arguments, their kinds, offsets and sizes;
//!    otherwise the build fails.
//! 5. **Rust** is generated for the crate `hip`: per kernel a marker type and a launch function, per struct or enum a
//!    `#[repr(C)]` type whose layout the compiler checks again.
//!
//! | C++ | Rust parameter | | C++ | Rust |
//! |---|---|---|---|---|
//! | `const T *` | `impl hip::Arg<hip::In<T>>` | | `float`, `double` | `f32`, `f64` |
//! | `T *`, `T &` | `impl hip::Arg<hip::InOut<T>>` | | `_Float16`, `__half` | `hip::half::f16` |
//! | `void *`, unknown structs behind a pointer | as `u8` | | `hip_bfloat16` | `hip::half::bf16` |
//! | `T **` | as `u64`, device addresses | | `char`, `short`, `int`, `long` | `i8`, `i16`, `i32`, `i64`; `u…` |
//! | `T (*)[N]` | as `T` | | `bool` | `bool`; `u8` in structs and buffers |
//! | struct, `float4` | a generated struct | | enum | a generated newtype with constants |
//!
//! Names: `gemm_tile16` becomes the method `gemm_tile16` and the marker `GemmTile16`; `outer::bump` becomes
//! `outer_bump`; `scale<float, 3>` becomes `scale_float_3`; of overloads, all but the first end in `_2`, `_3`. A kernel
//! whose signature has no Rust counterpart is left out, with a warning that says why; it is still in the code object.
//!
//! Without hipcc the build fails and names the packages to install, unless [`Missing::Skip`] says otherwise. On docs.rs it
//! goes on in any case: check in the [bindings](Kernels::bindings), so that what uses the kernels is documented, too.
//!
//! Variables for whoever builds the package: `HIPCC` (or `ROCM_PATH`, `HIP_PATH`) says where the compiler is,
//! `HIP_BUILD_ARCHS` which architectures to compile for, `HIP_BUILD_BINDINGS=update` writes the bindings.
#![forbid(unsafe_code)]

mod cache;
mod check;
mod compiler;
mod depfile;
mod error;
mod generate;
mod job;
mod kernels;
mod signature;

pub use error::Error;
pub use kernels::{Compiled, Kernels, Missing, Module};
