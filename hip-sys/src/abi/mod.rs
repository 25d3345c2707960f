//! What moved between releases of HIP, decided fact by fact from the version that the runtime reports.
//!
//! There is no switch between generations: releases moved different things at different times. [`FACTS`] has a row
//! for each, with the first version that has it; ask [`Fact::holds`] with the runtime's [`Version`]. A struct whose
//! members moved has its newest layout in [`types`](crate::types) and older ones here, in the module of the first
//! version that has them; so do constants whose values moved, in every meaning.
//!
//! | from | module |
//! | --- | --- |
//! | the oldest runtime that is supported | [`v5_0`] |
//! | 5.3 | [`v5_3`] |
//! | 5.5 | [`v5_5`] |
//! | 6.0 | [`v6_0`] |
//! | 6.4 | [`v6_4`] |
//! | 7.0 | [`v7_0`] |
//!
//! Enums whose numbers moved are decoded: [`MemoryType`], [`GraphNodeType`].
//!
//! ```
//! use hip_sys::abi::{self, MemoryType, Version};
//! use hip_sys::hipMemoryType;
//!
//! let debian_12 = Version::from_runtime(50_221_153).ok_or("no version")?;
//! assert_eq!(debian_12, Version::new(5, 2));
//! assert!(!abi::MEMORY_TYPE.holds(debian_12));
//! assert_eq!(MemoryType::decode(hipMemoryType(1), debian_12), Some(MemoryType::Device));
//! assert_eq!(MemoryType::decode(hipMemoryType(1), Version::new(6, 0)), Some(MemoryType::Host));
//! # Ok::<(), &str>(())
//! ```

mod fact;
mod number;
mod version;

pub use fact::*;
pub use number::{GraphNodeType, MemoryType};
pub use version::Version;

macro_rules! generated {
    ($($module:ident)*) => {
        $(#[allow(missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals)]
        pub mod $module;)*
    };
}

generated!(v5_0 v5_3 v5_5 v6_0 v6_4 v7_0);
