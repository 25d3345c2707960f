//! Every call that fails, and every function that is not there, is an error that names it; afterwards all works again.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS, INVALID_VALUE};
use crate::{SAXPY, Saxpy};
use hip::fault::NAMES;
use hip::{
    DeviceBuffer, ErrorCode, ErrorKind, Event, LaunchConfig, Module, PinnedBuffer, Runtime, Stream,
    StreamFlags, Version,
};

/// Calls every function of the fake runtime, in order, stopping at the first error.
fn everything(runtime: Runtime) -> hip::Result<()> {
    runtime.driver_version()?;
    let device = runtime.device(0)?;
    device.total_memory()?;
    device.memory_info()?;
    device.attribute(hip::sys::hipDeviceAttributeWarpSize)?;
    device.pci_bus_id()?;
    device.stream_priorities()?;
    let urgent = Stream::with_flags(device, StreamFlags::new().priority(-1))?;
    urgent.priority()?;
    urgent.is_non_blocking()?;
    let stream = device.stream()?;
    let (start, stop) = (Event::new(device)?, Event::new(device)?);
    start.record(&stream)?;
    let saxpy = Module::from_static(device, SAXPY)?.kernel::<Saxpy>()?;
    saxpy.attribute(hip::sys::HIP_FUNC_ATTRIBUTE_NUM_REGS)?;
    saxpy.occupancy(256, 0)?;
    saxpy.best_config(0, 0)?;
    let mut bytes = DeviceBuffer::<u8>::zeroed(&stream, 8)?;
    stream.fill(&mut bytes, 1)?;
    stream.fill(&mut DeviceBuffer::<u16>::uninit(device, 8)?, 0x0102)?;
    let mut x = DeviceBuffer::<f32>::uninit(device, 8)?;
    stream.fill(&mut x, 1.0)?;
    let host = stream.download_async(&x, PinnedBuffer::zeroed(device, 8)?)?;
    assert!(!host.is_done()?);
    let host = host.wait()?;
    let mut y = DeviceBuffer::from_slice(&stream, &host)?;
    saxpy.launch(&stream, LaunchConfig::for_len(8), (2.0, &x, &mut y, 8))?;
    let (begin, end) = (Event::new(device)?, Event::new(device)?);
    let config = LaunchConfig::for_len(8);
    saxpy.prepare(&stream, config).events(&begin, &end).launch((0.0, &x, &mut y, 8))?;
    saxpy.prepare(&stream, config).cooperative().launch((0.0, &x, &mut y, 8))?;
    let mut several = hip::MultiLaunch::new();
    several.add(saxpy.prepare(&stream, config), (0.0, &x, &mut y, 8))?;
    several.launch()?;
    runtime.start_profiler()?;
    runtime.stop_profiler()?;
    // Another stream, so that one waits for the other.
    assert_eq!(y.to_vec(&urgent)?, [3.0; 8]);
    stop.record(&stream)?;
    urgent.wait(&stop)?;
    stop.synchronize()?;
    start.elapsed_until(&stop)?;
    stream.synchronize()?;
    assert!(stream.is_idle()?);
    drop((x, y, bytes));
    device.trim(0)?;
    device.synchronize()
}

/// Functions whose failure does not fail `everything`: they run in drop, or only tell something.
const QUIET: &[&str] = &[
    "hipRuntimeGetVersion",
    "hipGetLastError",
    "hipStreamDestroy",
    "hipEventDestroy",
    "hipHostFree",
    "hipModuleUnload",
    "hipSetDevice",
    "hipInit",
    "hipGetDevicePropertiesR0600",
];

/// Functions that stand in tests of their own.
const ELSEWHERE: [&str; 2] = ["hipStreamAdd", "hipLaunchHost"];

/// Functions of the simulated runtime, and a program that calls them all.
pub struct Group {
    pub names: &'static [&'static str],
    /// Functions whose failure does not fail `everything`.
    pub quiet: &'static [&'static str],
    pub everything: fn(Runtime) -> hip::Result<()>,
    pub config: fn() -> Config,
}

const CORE: Group = Group { names: NAMES, quiet: QUIET, everything, config: Config::default };

impl Group {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied().filter(|name| !ELSEWHERE.iter().any(|prefix| name.starts_with(prefix)))
    }

    fn loud(&self) -> impl Iterator<Item = &'static str> {
        self.names().filter(|name| !self.quiet.contains(name))
    }

    pub fn works_when_nothing_fails(&self) {
        let fake = Fake::new((self.config)());
        (self.everything)(fake.runtime()).unwrap();
        fake.run_all();
        fake.assert_clean();
        let called = |name: &&str| fake.count(name) > 0 || self.quiet.contains(name);
        let uncalled: Vec<_> = self.names().filter(|name| !called(name)).collect();
        assert!(uncalled.is_empty(), "not covered: {uncalled:?}");
    }

    pub fn names_failures_and_forgets_them(&self) {
        for name in self.loud() {
            for successes in 0..2 {
                let fake = Fake::new((self.config)());
                let runtime = fake.runtime();
                runtime.on_drop_error(|_| ());
                fake.fail(name, successes, INVALID_VALUE);
                match (self.everything)(runtime) {
                    Ok(()) => assert!(successes > 0, "{name} failed, and nobody noticed"),
                    Err(error) => {
                        assert_eq!(
                            (error.call(), error.code()),
                            (Some(name), Some(ErrorCode::INVALID_VALUE))
                        );
                        let text = error.to_string();
                        assert!(text.contains("told to fail") && text.contains(name), "{text}");
                        assert_eq!(fake.state().last_error, 0, "{name}: a library would find this error");
                    }
                }
                fake.heal(name);
                // Memory that could not be unregistered is freed all the same, and its addresses used again.
                fake.forget_registered();
                (self.everything)(runtime).unwrap_or_else(|error| panic!("after {name} failed: {error}"));
                fake.run_all();
                fake.assert_clean();
            }
        }
    }

    pub fn names_missing_functions(&self) {
        for name in self.loud() {
            let mut config = (self.config)();
            config.missing.push(name);
            let fake = Fake::new(config);
            let runtime = fake.runtime();
            runtime.on_drop_error(|_| ());
            assert!(!runtime.supports(name));
            let error = (self.everything)(runtime).expect_err(name);
            let version = Version::from_raw(50_221_153);
            assert_eq!(error.kind(), &ErrorKind::Unsupported { symbol: name, runtime: version });
            assert!(error.to_string().contains(name), "{error}");
            fake.run_all();
            fake.assert_clean();
        }
    }
}

#[test]
fn everything_works_when_nothing_fails() {
    CORE.works_when_nothing_fails();
}

#[test]
fn every_failing_call_is_named_and_forgotten() {
    CORE.names_failures_and_forgets_them();
}

#[test]
fn every_missing_function_is_named() {
    CORE.names_missing_functions();
}

#[test]
fn failures_of_quiet_functions_reach_the_hook_or_nobody() {
    for name in QUIET.iter().filter(|&&name| name != "hipInit") {
        let fake = Fake::new(Config::default());
        let runtime = fake.runtime();
        runtime.on_drop_error(|_| ());
        fake.fail(name, 0, INVALID_VALUE);
        everything(runtime).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn errors_name_arguments_and_device() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    fake.fail("hipMalloc", 0, INVALID_VALUE);
    let error = DeviceBuffer::<u8>::uninit(device, 4096).unwrap_err();
    let text = "hipMalloc(size: 4096) on device 0 failed: hipErrorInvalidValue (1): the simulated runtime was told to fail";
    assert_eq!(error.to_string(), text);
    assert_eq!(error.kind(), &ErrorKind::Hip);
}

#[test]
fn an_error_of_earlier_work_says_so() {
    let fake = Fake::new(Config::default());
    let stream = fake.runtime().device(0).unwrap().stream().unwrap();
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    let error = stream.synchronize().unwrap_err();
    assert!(error.may_be_asynchronous());
    assert_eq!(error.kind(), &ErrorKind::DeviceFailure);
    assert!(error.to_string().contains("enqueued earlier"), "{error}");
    fake.heal("hipStreamSynchronize");
}

#[test]
fn codes_without_a_name_are_kept() {
    let fake =
        Fake::new(Config { missing: vec!["hipGetErrorName", "hipGetErrorString"], ..Config::default() });
    let device = fake.runtime().device(0).unwrap();
    fake.fail("hipMemGetInfo", 0, 4242);
    let error = device.memory_info().unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode(4242)));
    assert!(error.to_string().contains("4242"), "{error}");
}

#[test]
fn a_runtime_may_lack_any_one_function_of_any_release() {
    for name in hip::sys::FUNCTIONS.iter().map(|row| row.name).step_by(if cfg!(miri) { 40 } else { 1 }) {
        let missing = vec![name, "hipGetDevicePropertiesR0600"];
        let fake = Fake::new(Config { missing, ..Config::default() });
        let Ok(runtime) = fake.try_runtime() else {
            assert_eq!(name, "hipInit");
            continue;
        };
        runtime.on_drop_error(|_| ());
        if let Err(error) = everything(runtime) {
            assert!(
                matches!(error.kind(), ErrorKind::Unsupported { symbol, .. } if *symbol == name),
                "{error}"
            );
        }
        fake.run_all();
        fake.assert_clean();
    }
}
