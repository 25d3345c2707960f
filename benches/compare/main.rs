//! The same kernels on the HIP device, as OpenCL C on the CPU through PoCL, in Rust, and OpenBLAS's products: how much the
//! virtual Vega costs.
//!
//! | module | what it holds |
//! |---|---|
//! | `kernels.h` | the kernels, once for HIP C++ and OpenCL C |
//! | [`case`] | the table: sizes, memory, launches, checks |
//! | [`number`] | types of elements |
//! | [`hip_side`], [`opencl_side`], [`native`], [`blas_side`] | who runs them |
//!
//! One process measures one side, so that two LLVMs never meet in one: `compare SIDE [--quick] [--interpreted] [NAME]` prints
//! a line `row seconds` per row, once its result was compared with the host's. `cargo xtask bench` starts the sides in
//! turns, and prints the ratios.

mod blas_side;
mod case;
mod hip_side;
mod native;
mod number;
mod opencl_side;

use std::time::{Duration, Instant};

use case::Row;

/// What a side fails with.
type Failure = Box<dyn std::error::Error>;

/// The kernels.
const SOURCE: &str = include_str!("kernels.h");

/// What is measured, and for how long.
struct Plan {
    rows: Vec<Row>,
    /// How long a row is repeated.
    time: Duration,
    quick: bool,
}

impl Plan {
    fn new(options: &[String]) -> Self {
        let has = |name: &str| options.iter().any(|option| option == name);
        let quick = has("--quick");
        let mut rows = case::rows(quick);
        rows.retain(|row| !has("--interpreted") || row.interpreted);
        if let Some(name) = options.iter().find(|option| !option.starts_with("--")) {
            rows.retain(|row| row.label().starts_with(name.as_str()));
        }
        let time = Duration::from_millis(if quick { 100 } else { 300 });
        Self { rows, time, quick }
    }

    /// Launches that are timed one by one: when the device is hot, and when it has slept before.
    fn launches(&self) -> [(&'static str, usize, Duration); 2] {
        let few = if self.quick { 4 } else { 1 };
        [("launch/hot", 4000 / few, Duration::ZERO), ("launch/idle", 200 / few, Duration::from_millis(3))]
    }

    /// Prints the median time of `launch`, which returns when an empty kernel is done.
    fn latency(&self, mut launch: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        for (name, count, pause) in self.launches() {
            let mut times = Vec::new();
            for _ in 0..count {
                if !pause.is_zero() {
                    std::thread::sleep(pause);
                }
                let start = Instant::now();
                launch()?;
                times.push(start.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            println!("{name} {:e}", times[times.len() / 2]);
        }
        Ok(())
    }

    /// Prints the shortest time of `launch`, which returns when a row's kernels are done and has done it once already.
    fn measure(&self, row: &Row, mut launch: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        let (begin, mut best) = (Instant::now(), f64::INFINITY);
        while begin.elapsed() < self.time || best.is_infinite() {
            let start = Instant::now();
            launch()?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{} {best:e}", row.label());
        Ok(())
    }
}

/// An error if the result of a row is wrong.
fn judge(row: &Row, check: &case::Check, output: &[u8]) -> Result<(), Failure> {
    if check(output) { Ok(()) } else { Err(format!("{}: the result is wrong", row.label()).into()) }
}

fn native_side(plan: &Plan) -> Result<(), Failure> {
    for row in &plan.rows {
        if let Some(mut native) = row.case().native {
            native();
            plan.measure(row, || {
                native();
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let options: Vec<String> = std::env::args().skip(2).collect();
    let plan = Plan::new(&options);
    match std::env::args().nth(1).as_deref() {
        Some("hip") => hip_side::run(&plan),
        Some("opencl") => opencl_side::run(&plan),
        Some("native") => native_side(&plan),
        Some("blas") => blas_side::run(&plan),
        // `cargo bench` and `cargo test --benches` pass their own arguments: there is nothing to do for them.
        _ => {
            println!("cargo xtask bench runs this");
            Ok(())
        }
    }
}
