//! Arithmetic of one lane, bit for bit as the card's vector unit does it, in any rounding and denormal mode.
//!
//! These are plain functions on bit patterns: no host floating-point environment, no host NaN rule and no
//! host libm takes part, so every engine and every host gives the same bits. Engines have faster paths for
//! the default mode; these functions are what those paths must agree with.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mode`] | rounding, denormals, clamp and IEEE switches of the MODE register |
//! | [`mod@format`] | binary16, binary32 and binary64: fields, classes, NaNs |
//! | [`pack`] | an exact value to the nearest representable one |
//! | [`arith`] | add, multiply, fused and unfused multiply-add, output modifiers |
//! | [`order`] | comparisons, classes, minimum, maximum, median |
//! | [`round`] | to integral values, fraction, frexp, ldexp |
//! | [`approx`] | reciprocal, roots, exp2, log2, sine, cosine |
//! | [`divide`] | the three helpers of IEEE division |
//! | [`trig`] | bits of 2/pi for argument reduction |
//! | [`convert`] | between formats, integers and normalised integers |
//! | [`cube`] | cube map coordinates |
//! | [`bytes`] | byte and bit-field operations |

pub mod approx;
pub mod arith;
pub mod bytes;
pub mod convert;
pub mod cube;
pub mod divide;
pub mod format;
pub mod mode;
pub mod order;
pub mod pack;
pub mod round;
pub mod trig;

pub use format::Format;
pub use mode::{Mode, Round};
