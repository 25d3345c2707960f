//! Images: descriptors, texel formats, where texels are, and filtering.
//!
//! Pure functions: memory is reached through a closure that the engine passes.
//!
//! | file | what it holds |
//! |---|---|
//! | [`descriptor`] | the image (T#) and sampler (S#) descriptors of gfx9 |
//! | [`mod@format`] | data and number formats, shared by images and typed buffers |
//! | [`layout`], `swizzle` | where a texel is |
//! | [`sample`] | addressing modes and filters |

pub mod descriptor;
pub mod format;
pub mod layout;
pub mod sample;
mod swizzle;

pub use descriptor::{Image, ImageType, Sampler};
pub use format::TexelFormat;
