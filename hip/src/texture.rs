//! Textures and surfaces: memory that kernels read and write through the texture units.
//!
//! | type | C++ in the kernel | what it is |
//! |---|---|---|
//! | [`Array`] | | elements in a layout that suits the texture units |
//! | [`MipmappedArray`] | | an array with smaller copies of itself |
//! | [`Texture`] | `hipTextureObject_t` | reads with filtering, normalised coordinates and address modes |
//! | [`Surface`] | `hipSurfaceObject_t` | reads and writes of single elements |
//!
//! Elements are [`Texel`]s: one, two or four channels. A kernel takes a texture for a parameter of type [`Tex`], and a surface
//! for one of type [`Surf`].
//!
//! ```no_run
//! use hip::texture::{Array, Filter, Surf, Tex, Texture, TextureOptions};
//!
//! hip::kernel! {
//!     /// `__global__ void blur(hipTextureObject_t image, float *out, int width)`
//!     struct Blur = "blur"(Tex, &mut [f32], i32);
//! }
//!
//! # fn main() -> hip::Result<()> {
//! # let stream = hip::Device::first()?.stream()?;
//! let image = Array::<f32>::from_slice(&stream, (640, 480), &[0.5; 640 * 480])?;
//! let smooth = Texture::new(&image, TextureOptions::new().filter(Filter::Linear))?;
//! # Ok(())
//! # }
//! ```

mod array;
mod object;
mod options;
mod texel;

pub use array::{Array, ArrayKind, MipmappedArray};
pub use object::{Surf, Surface, Tex, Texture};
pub use options::{AddressMode, Filter, ReadMode, TextureOptions};
pub use texel::Texel;
