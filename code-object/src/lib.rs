//! Reads AMDGPU code objects: offload bundles, ELF, metadata, kernel descriptors.
//!
//! ```text
//! Image::parse ── clang offload bundle(s), plain or compressed ──┐
//!              └─ one bare ELF ──────────────────────────────────┴─ CodeObject::parse
//!                                                                     .target()   gfx900:xnack-
//!                                                                     .kernels()  name, arguments, limits, descriptor
//!                                                                     .symbols()  functions, kernels, globals
//! ```
//!
//! Every byte of input is untrusted. A truncated or hostile file gives an [`Error`] that says what was wrong and
//! where; nothing panics, recurses or allocates more than a small multiple of the input's size (decompression has
//! its own limit, [`MAX_UNCOMPRESSED`]).
//!
//! A parsed [`CodeObject`] has all its extents (headers, sections, segments, symbols, notes, descriptors) inside the
//! slice it came from. That matters to callers of `hipModuleLoadData`, which is told no length.
//!
//! The formats are those of LLVM's "User Guide for AMDGPU Backend" (AMDGPUUsage) and "Clang Offload Bundler".
//!
//! ```
//! # fn main() -> Result<(), code_object::Error> {
//! let file = include_bytes!("../tests/fixtures/saxpy.hsaco");
//! let image = code_object::Image::parse(file)?;
//! let device: code_object::TargetId = "gfx900:xnack-".parse()?;
//! let entry = image.select(&device).expect("there is code for this device");
//! let object = code_object::CodeObject::parse(&entry.bytes)?;
//! let saxpy = object.kernel("saxpy").expect("the kernel is in the file");
//! assert_eq!(saxpy.explicit_args().count(), 4);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod arg;
mod bits;
mod bundle;
mod bytes;
mod compressed;
mod descriptor;
mod elf;
mod error;
mod image;
mod kernel;
mod metadata;
mod object;
mod symbol;
mod target;

pub use arg::{Access, Arg, ArgKind, HiddenArg};
pub use bundle::{Bundle, BundleId, Entry, OffloadKind};
pub use compressed::MAX_UNCOMPRESSED;
pub use descriptor::{CodeProperties, Field, KernargPreload, KernelDescriptor, Rsrc1, Rsrc2, Rsrc3};
pub use error::{Error, ErrorKind};
pub use image::Image;
pub use kernel::{Kernel, KernelKind};
pub use object::{AbiVersion, CodeObject, Segment};
pub use symbol::{Symbol, SymbolKind};
pub use target::{Feature, TargetId, generic_members};
