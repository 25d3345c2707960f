//! What the end-to-end tests share: the device they need, children of their own program, and a SAXPY that proves that
//! kernels are executed.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use hip::{Device, DeviceBuffer, LaunchConfig, Stream};
use hip_vega::saxpy;

/// 1 in `cargo xtask test`: without a device, tests fail instead of skipping.
const REQUIRE_DEVICE: &str = "HIP_TEST_REQUIRE_DEVICE";

/// Names the test whose part in a child process this process plays.
const CHILD: &str = "HIP_TEST_CHILD";

/// No child takes a tenth of this. ROCr spins for ever when a completion is lost.
const LIMIT: Duration = Duration::from_secs(100);

/// The first device; `None`, with a note, where there is none and none is required.
#[track_caller]
pub fn device() -> Option<Device> {
    match Device::first() {
        Ok(device) => Some(device),
        Err(error) if std::env::var(REQUIRE_DEVICE).as_deref() != Ok("1") => {
            eprintln!("skipped, there is no device: {error}");
            None
        }
        Err(error) => panic!("a device is required: {error}"),
    }
}

/// Whether this process is the child of `test`.
pub fn in_child(test: &str) -> bool {
    std::env::var(CHILD).is_ok_and(|name| name == test)
}

/// What a child did.
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output and standard error.
    pub output: String,
}

impl Ended {
    /// Panics with its output unless it exited with 0.
    #[track_caller]
    pub fn assert_success(&self) {
        assert!(self.status.success(), "{}\n{}", self.status, self.output);
    }

    /// Panics with its output unless `text` is in it.
    #[track_caller]
    pub fn assert_says(&self, text: &str) {
        assert!(self.output.contains(text), "it does not say {text:?}:\n{}", self.output);
    }

    /// Panics with its output unless SIGABRT ended it.
    #[track_caller]
    pub fn assert_aborted(&self) {
        assert_eq!(self.status.signal(), Some(libc::SIGABRT), "{}\n{}", self.status, self.output);
    }
}

/// Runs the child's part of `test`: the same test function, in a process of its own, in which `in_child` is true.
#[track_caller]
pub fn run_child(test: &str, prepare: impl FnOnce(&mut Command)) -> Ended {
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    prepare(&mut command);
    finish_child(test, command)
}

/// As [`run_child`], for a command that already names this program (behind `vega run`, say).
#[track_caller]
pub fn finish_child(test: &str, mut command: Command) -> Ended {
    command
        .args([test, "--exact", "--nocapture", "--test-threads", "1"])
        .env(CHILD, test)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the child starts");
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = wait(&mut child);
    let output = format!("{}{}", out.join().unwrap_or_default(), err.join().unwrap_or_default());
    let ended = Ended { status, output };
    // A name that matches no test would succeed without having done anything.
    assert!(!ended.output.contains("running 0 tests"), "there is no test {test}");
    ended
}

/// Reads a pipe to its end in a thread of its own, so that a child never waits for a reader.
fn reader(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[track_caller]
fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the child was still running after {} s", LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `len` numbers around 1 whose mantissas use all bits, always the same for one seed.
pub fn numbers(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from_bits(0x3f00_0000 | state & 0x00ff_ffff)
    };
    (0..len).map(|_| next()).collect()
}

/// The factor of every SAXPY here: with it, fused and unfused results differ.
pub const A: f32 = 1.1;

/// What the device must compute, to the bit: hipcc contracts `a * x + y` to a fused multiply-add.
pub fn expected(x: &[f32], y: &[f32]) -> Vec<f32> {
    x.iter().zip(y).map(|(x, y)| A.mul_add(*x, *y)).collect()
}

/// Computes a SAXPY of `len` elements on the stream's device and compares every bit.
pub fn check_saxpy(stream: &Stream, len: usize) -> hip::Result<()> {
    let kernels = saxpy::Kernels::load(stream.device())?;
    check_saxpy_with(&kernels, stream, len)
}

/// As [`check_saxpy`], with kernels that are loaded already.
pub fn check_saxpy_with(kernels: &saxpy::Kernels, stream: &Stream, len: usize) -> hip::Result<()> {
    let (x, y) = (numbers(1, len), numbers(2, len));
    let device_x = DeviceBuffer::from_slice(stream, &x)?;
    let mut device_y = DeviceBuffer::from_slice(stream, &y)?;
    let count = i32::try_from(len).expect("a length that fits");
    kernels.saxpy(stream, LaunchConfig::for_len(len), A, &device_x, &mut device_y, count)?;
    let result = device_y.to_vec(stream)?;
    let expected = expected(&x, &y);
    let differs = |at: &usize| result[*at].to_bits() != expected[*at].to_bits();
    if let Some(first) = (0..len).find(differs) {
        let (got, right) = (result[first], expected[first]);
        let all = (0..len).filter(differs).count();
        panic!("SAXPY: {all} of {len} elements differ; the first is {first}: {got} instead of {right}");
    }
    Ok(())
}

/// The bits of every element.
pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}
