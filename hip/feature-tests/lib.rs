//! Tests of `hip` with one of its features alone, on the simulated runtime.
//!
//! A feature is additive, and enough by itself: `cargo test -p hip-feature-tests --features serde` builds `hip` with that one
//! (and `fault`), and runs the tests of it.

use hip::Stream;
use hip::fault::{Config, Simulation};

/// A stream of a simulated device.
pub fn stream() -> (Simulation, Stream) {
    let simulation = Simulation::new(Config::default());
    let runtime = simulation.runtime().expect("the simulation initialises");
    let stream = runtime.device(0).and_then(hip::Device::stream).expect("it has a device");
    (simulation, stream)
}
