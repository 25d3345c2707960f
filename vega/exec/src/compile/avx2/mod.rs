//! Emission for hosts with AVX2: strips of eight lanes.
//!
//! What takes one instruction of AVX-512 takes one of its twin here ([`twins`]), or a short sequence. Lane masks
//! are vectors of all ones or zeroes and live in the same registers as other values. EXEC, as far as the strip
//! goes, is such a vector in the context: most instructions take it from there as their memory operand.
//!
//! 64-bit lanes are worked on in two halves: lanes 0, 1, 4, 5 and lanes 2, 3, 6, 7, which is how the host's
//! instructions interleave two registers.

mod accesses;
mod bits;
mod divide;
mod exchange;
mod form;
mod lane;
mod math;
mod memory;
mod misc;
mod nan;
mod strip;
mod twins;
mod wide;
mod width;
mod word;

pub(super) use exchange::Eight;
pub(super) use form::stays;
pub(super) use nan::watches;
pub(super) use strip::Strip;
