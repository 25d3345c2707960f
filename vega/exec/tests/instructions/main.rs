//! Memory instructions and wave state, one instruction at a time, against arithmetic on the host.

mod bench;
mod buffers;
#[path = "../common/mod.rs"]
mod common;
mod images;
mod mixed;
mod samples;
mod scalar_memory;
mod shares;
mod surface;
mod waves;
mod wild;
mod words;
