//! A safe wrapper of AMD's HIP runtime.

pub mod kernel;

pub use kernel::{
    ByValue, Dim3, Embedded, In, InOut, LaunchConfig, Named, Param, Params, Shapes, Signature, Vouched,
    require,
};
