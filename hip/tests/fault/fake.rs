//! The simulated runtime of `hip::fault`, with saxpy as its only kernel.

use hip::fault::Simulation;
pub use hip::fault::{Config, State};
use hip::{ErrorCode, In, InOut, Runtime};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

pub const INVALID_VALUE: u32 = 1;
pub const OUT_OF_MEMORY: u32 = 2;
pub const NO_DEVICE: u32 = 100;
pub const INVALID_HANDLE: u32 = 400;
pub const ILLEGAL_ADDRESS: u32 = 700;

/// A simulated runtime. Threads that use it call `attach`.
#[derive(Clone)]
pub struct Fake(Simulation);

impl Fake {
    pub fn new(config: Config) -> Self {
        let simulation = Simulation::new(config);
        simulation.kernel::<(f32, In<f32>, InOut<f32>, i32)>("saxpy", |launch| {
            let (Some(a), Some(n)) = (launch.value::<f32>(0), launch.value::<i32>(3)) else { return };
            let n = usize::try_from(n).unwrap_or(0).min(launch.threads());
            let (x, mut y) = (launch.read::<f32>(1, n), launch.read::<f32>(2, n));
            y.iter_mut().zip(&x).for_each(|(y, x)| *y = a.mul_add(*x, *y));
            launch.write(2, &y);
        });
        Self(simulation)
    }

    pub fn runtime(&self) -> Runtime {
        self.try_runtime().expect("the simulated runtime initialises")
    }

    pub fn try_runtime(&self) -> hip::Result<Runtime> {
        self.0.runtime()
    }

    pub fn fail(&self, name: &'static str, successes: u32, code: u32) {
        self.0.fail(name, successes, ErrorCode(code));
    }

    pub fn fail_late(&self, name: &'static str, code: u32) {
        self.0.fail_late(name, ErrorCode(code));
    }
}

/// Collects the errors that happen while something is dropped.
pub fn reports(runtime: Runtime) -> Arc<Mutex<Vec<String>>> {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let reported = reports.clone();
    runtime.on_drop_error(move |error| reported.lock().unwrap().push(error.to_string()));
    reports
}

impl Deref for Fake {
    type Target = Simulation;

    fn deref(&self) -> &Simulation {
        &self.0
    }
}
