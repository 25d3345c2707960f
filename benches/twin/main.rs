//! The wrapper against C++, on the device: the same calls in one process, in turns, and the medians of many pairs.
//!
//! `cargo build --release -p hip-benches --benches`, then `vega run -- target/release/deps/twin-… --pairs 1000`, or
//! `vega run -- cargo bench -p hip-benches --bench twin -- --pairs 1000`. It needs hipcc. On a virtual device the times are the
//! emulator's; what counts is the difference.
//!
//! Both sides use one stream. Streams of their own have queues of their own, a queue that has been idle for a while sleeps, and
//! where its thread is put decides how long it takes to wake: differences of any size, which are neither side's. For the same
//! reason a batch of the same side, which is not timed, stands in front of each timed one: it finds the queue as the other side
//! has left it. A busy machine makes the queue sleep all the same, now and then, so what is judged is the median of the pairs'
//! differences: an operation holds when it is within 5 % of the C++ median, or 100 ns. The limits of the interval in which the
//! median is found 95 times in 100 stand beside it.
//!
//! # Safety
//! The library is compiled from `twin.hip`, which stands beside this file: its functions have the types that are given to
//! them here, and its context is used by one thread.

use hip::{Device, DeviceBuffer, Event, EventFlags, LaunchConfig, Result, Stream};
use hip_vega::saxpy;
use libloading::{Library, Symbol};
use std::ffi::{c_int, c_void};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// What a side fails with.
type Failure = Box<dyn std::error::Error>;

/// Elements of each buffer.
const LEN: usize = 1024;

/// The operations, their numbers on both sides, and the calls of a batch, after which it is waited for.
const OPERATIONS: &[(&str, c_int, c_int)] = &[
    ("launch and wait", 0, 1),
    ("launch", 0, 50),
    ("copy on the device", 1, 50),
    ("upload", 2, 20),
    ("fill", 3, 50),
    ("event record", 4, 50),
    ("allocate and free", 5, 20),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--pairs");
    // `cargo bench` and `cargo test --benches` pass their own arguments: there is nothing to do for them.
    let Some(pairs) = arguments.nth(1).and_then(|pairs| pairs.parse().ok()).filter(|&pairs| pairs > 0) else {
        println!("with --pairs N, compares the wrapper with C++");
        return ExitCode::SUCCESS;
    };
    match run(pairs) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The timed batches of a pair, each after one that is not: nanoseconds per call of C++, and of the wrapper.
fn pair(
    twin: &mut Twin,
    rust: &mut Rust,
    first: usize,
    operation: c_int,
    calls: c_int,
) -> Result<[f64; 2], Failure> {
    let mut sides = [0.0; 2];
    for side in [first, 1 - first] {
        for _ in 0..2 {
            let time = if side == 0 { twin.time(operation, calls)? } else { rust.time(operation, calls)? };
            // The second time is the one that stays.
            sides[side] = time / f64::from(calls);
        }
    }
    Ok(sides)
}

/// Says whether every operation holds.
fn run(pairs: usize) -> Result<bool, Failure> {
    let device = Device::first()?;
    println!(
        "{}, {pairs} pairs of batches in turns; medians per call, with the wait of the batch",
        device.name()?
    );
    let mut rust = Rust::new(device)?;
    let mut twin = Twin::load(&rust.stream)?;
    let mut all = true;
    for &(name, number, calls) in OPERATIONS {
        let (mut cpp, mut hip, mut differences) = (Vec::new(), Vec::new(), Vec::new());
        // The first pairs compile, and fill caches. Who comes first changes with every pair.
        for number_of_pair in 0..pairs + 5 {
            let sides = pair(&mut twin, &mut rust, number_of_pair % 2, number, calls)?;
            if number_of_pair >= 5 {
                cpp.push(sides[0]);
                hip.push(sides[1]);
                differences.push(sides[1] - sides[0]);
            }
        }
        let [(_, cpp, _), (_, hip, _)] = [&mut cpp, &mut hip].map(|times| median(times));
        let (least, difference, most) = median(&mut differences);
        let holds = difference <= 100.0 || difference <= 0.05 * cpp;
        all &= holds;
        let verdict = if holds { "holds" } else { "too slow" };
        println!(
            "{name:<18} C++ {cpp:>7.0} ns   hip {hip:>7.0} ns   difference {difference:>+6.0} ns ({least:+.0} to {most:+.0}), {:+.1} %   {verdict}",
            100.0 * difference / cpp
        );
    }
    Ok(all)
}

/// The median, between the limits that it keeps to 95 times in 100 (of a binomial distribution: two deviations of the rank).
fn median(numbers: &mut [f64]) -> (f64, f64, f64) {
    numbers.sort_unstable_by(f64::total_cmp);
    let (middle, deviations) = (numbers.len() / 2, numbers.len().isqrt());
    let at =
        |rank: usize| numbers.get(rank.min(numbers.len().saturating_sub(1))).copied().unwrap_or(f64::NAN);
    (at(middle.saturating_sub(deviations)), at(middle), at(middle + deviations))
}

/// The C++ side: a library of this process, on the same runtime.
struct Twin {
    library: Library,
    context: *mut c_void,
}

impl Twin {
    /// The stream outlives the result.
    fn load(stream: &Stream) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("hip-twin-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("libtwin.so");
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("twin/twin.hip");
        let compiled = Command::new("hipcc")
            .args(["--offload-arch=gfx900", "-O2", "-shared", "-fPIC", "-o"])
            .args([&file, &source])
            .status();
        let library = compiled.map_err(Failure::from).and_then(|status| match status.success() {
            // SAFETY: its initialisers register the kernel with the runtime, as those of every HIP program do.
            true => unsafe { Library::new(&file) }.map_err(Failure::from),
            false => Err(format!("hipcc: {status}").into()),
        });
        std::fs::remove_dir_all(&folder)?;
        let library = library?;
        let context = {
            // SAFETY: the function has that type.
            let new: Symbol<'_, unsafe extern "C" fn(*mut c_void) -> *mut c_void> =
                unsafe { library.get(b"twin_new\0") }?;
            // SAFETY: the stream is one of the same runtime, and alive.
            unsafe { new(stream.raw().cast()) }
        };
        if context.is_null() { Err("twin_new failed".into()) } else { Ok(Self { library, context }) }
    }

    /// Nanoseconds for that many calls and one wait.
    fn time(&mut self, operation: c_int, calls: c_int) -> Result<f64, Failure> {
        type Time = unsafe extern "C" fn(*mut c_void, c_int, c_int) -> f64;
        // SAFETY: the function has that type.
        let time: Symbol<'_, Time> = unsafe { self.library.get(b"twin_time\0") }?;
        // SAFETY: the context is what `twin_new` made.
        let time = unsafe { time(self.context, operation, calls) };
        if time < 0.0 { Err(format!("operation {operation} failed in C++").into()) } else { Ok(time) }
    }
}

/// The wrapper's side.
struct Rust {
    stream: Stream,
    event: Event,
    kernels: saxpy::Kernels,
    x: DeviceBuffer<f32>,
    y: DeviceBuffer<f32>,
    host: Vec<f32>,
}

impl Rust {
    fn new(device: Device) -> Result<Self> {
        let stream = device.stream()?;
        Ok(Self {
            event: Event::with_flags(device, EventFlags::new().timing(false))?,
            kernels: saxpy::Kernels::load(device)?,
            x: DeviceBuffer::zeroed(&stream, LEN)?,
            y: DeviceBuffer::zeroed(&stream, LEN)?,
            host: vec![0.0; LEN],
            stream,
        })
    }

    /// As [`Twin::time`].
    fn time(&mut self, operation: c_int, calls: c_int) -> Result<f64> {
        let start = Instant::now();
        for _ in 0..calls {
            self.call(operation)?;
        }
        self.stream.synchronize()?;
        Ok(start.elapsed().as_secs_f64() * 1e9)
    }

    fn call(&mut self, operation: c_int) -> Result<()> {
        let Self { stream, event, kernels, x, y, host } = self;
        match operation {
            0 => kernels.saxpy(stream, LaunchConfig::for_len(LEN), 2.0, &*x, y, LEN as i32),
            1 => stream.copy(&*x, y),
            2 => stream.upload(host, x),
            3 => stream.fill(y, 1.0),
            4 => event.record(stream),
            _ => DeviceBuffer::<f32>::uninit(stream.device(), LEN).map(drop),
        }
    }
}
