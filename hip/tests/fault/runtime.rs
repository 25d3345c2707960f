//! Loading, initialising, and devices.

use crate::fake::{Config, Fake, INVALID_VALUE, State};
use hip::{DeviceBuffer, ErrorKind, Event, Runtime, Stream, Version};
use std::sync::{Arc, Mutex};

#[test]
fn versions_are_the_runtimes() {
    let fake = Fake::new(Config { version: 60_443_484, ..Config::default() });
    assert_eq!(fake.runtime().version(), Version { major: 6, minor: 4, patch: 43484 });
    assert_eq!(fake.runtime().driver_version().unwrap().major, 6);
    let without = Fake::new(Config { missing: vec!["hipRuntimeGetVersion"], ..Config::default() });
    assert_eq!(without.runtime().version(), Version::UNKNOWN);
}

#[test]
fn a_machine_without_devices_is_no_failure_until_one_is_asked_for() {
    let fake = Fake::new(Config { devices: 0, ..Config::default() });
    let runtime = fake.runtime();
    assert_eq!(runtime.device_count().unwrap(), 0);
    assert_eq!(runtime.devices().unwrap().len(), 0);
    let error = runtime.device(0).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoDevice);
    assert!(error.to_string().contains("no device"), "{error}");
}

#[test]
fn a_count_of_no_device_is_zero() {
    let fake = Fake::new(Config::default());
    fake.fail("hipGetDeviceCount", 0, crate::fake::NO_DEVICE);
    assert_eq!(fake.runtime().device_count().unwrap(), 0);
}

#[test]
fn a_number_too_high_tells_how_many_there_are() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let error = fake.runtime().device(2).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidDevice { ordinal: 2, count: 2 });
}

#[test]
fn a_failing_initialisation_is_an_error() {
    let fake = Fake::new(Config::default());
    fake.fail("hipInit", 0, 3);
    let error = fake.try_runtime().unwrap_err();
    assert_eq!((error.call(), error.code()), (Some("hipInit"), Some(hip::ErrorCode::NOT_INITIALIZED)));
}

#[test]
fn initialises_once_per_handle() {
    let fake = Fake::new(Config::default());
    let runtime = fake.runtime();
    let device = runtime.device(0).unwrap();
    drop(DeviceBuffer::<u8>::uninit(device, 1).unwrap());
    assert_eq!(fake.count("hipInit"), 1);
}

#[test]
fn the_current_device_is_put_back() {
    let fake = Fake::new(Config { devices: 3, ..Config::default() });
    let device = fake.runtime().device(2).unwrap();
    hip::fault::set_current_device(1);
    let stream = Stream::new(device).unwrap();
    let buffer = DeviceBuffer::<u32>::zeroed(&stream, 10).unwrap();
    let on_default = DeviceBuffer::<u32>::zeroed(&device.default_stream(), 10).unwrap();
    device.memory_info().unwrap();
    drop((buffer, on_default));
    device.trim(0).unwrap();
    drop(stream);
    assert_eq!(hip::fault::current_device(), 1);
    // The stream was made on its own device, and the work of device 2's default stream did not land on device 1's.
    let state = fake.state();
    assert!(state.streams.values().all(|stream| stream.device == 2));
    assert!(state.streams[&State::null_stream(2)].enqueued > 0);
}

#[test]
fn a_failure_leaves_the_current_device_alone() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let device = fake.runtime().device(1).unwrap();
    fake.fail("hipStreamCreateWithFlags", 0, INVALID_VALUE);
    let error = Stream::new(device).unwrap_err();
    assert_eq!((error.call(), error.device()), (Some("hipStreamCreateWithFlags"), Some(1)));
    assert_eq!(hip::fault::current_device(), 0);
}

#[test]
fn two_threads_race_the_first_use() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let runtime = fake.runtime();
    let work = |offset: usize| {
        fake.attach();
        let device = runtime.device(1).unwrap();
        let stream = device.stream().unwrap();
        let mut buffer = DeviceBuffer::<u32>::zeroed(&stream, 100).unwrap();
        stream.fill(&mut buffer, offset as u32).unwrap();
        assert_eq!(buffer.to_vec(&stream).unwrap(), vec![offset as u32; 100]);
        assert_eq!(device.name().unwrap(), "Simulated Vega (virtual)");
        device
    };
    let devices: Vec<hip::Device> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|offset| scope.spawn(move || work(offset))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(devices.windows(2).all(|pair| matches!(pair, [a, b] if a == b)));
    fake.assert_clean();
}

#[test]
fn streams_have_flags_and_priorities() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let range = device.stream_priorities().unwrap();
    assert_eq!((range.least, range.greatest), (1, -1));
    let stream = Stream::with_flags(device, hip::StreamFlags::new().non_blocking(true).priority(-9)).unwrap();
    assert_eq!(stream.priority().unwrap(), -1);
    assert!(stream.is_non_blocking().unwrap());
    assert!(!device.stream().unwrap().is_non_blocking().unwrap());
    assert!(device.default_stream().raw().is_null());
}

#[test]
fn streams_and_events_tell_whether_they_are_done() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let stream = device.stream().unwrap();
    let (start, stop) = (Event::new(device).unwrap(), Event::new(device).unwrap());
    assert!(stop.is_reached().unwrap());
    start.record(&stream).unwrap();
    stop.record(&stream).unwrap();
    assert!(!stream.is_idle().unwrap());
    assert!(!stop.is_reached().unwrap());
    assert_eq!(start.elapsed_until(&stop).unwrap_err().kind(), &ErrorKind::NotReady);
    stop.synchronize().unwrap();
    assert!(stream.is_idle().unwrap());
    assert_eq!(start.elapsed_until(&stop).unwrap().as_micros(), 1500);
    let never = Event::new(device).unwrap();
    assert_eq!(never.elapsed_until(&stop).unwrap_err().code(), Some(hip::ErrorCode::INVALID_HANDLE));
}

#[test]
fn an_event_of_another_device_is_refused() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let (first, second) = (fake.runtime().device(0).unwrap(), fake.runtime().device(1).unwrap());
    let event = Event::new(first).unwrap();
    let error = event.record(&second.stream().unwrap()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongDevice { expected: 1, actual: 0 });
}

#[test]
fn errors_in_drop_go_to_the_hook() {
    let fake = Fake::new(Config::default());
    let runtime = fake.runtime();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let hook = seen.clone();
    runtime.on_drop_error(move |error| {
        hook.lock().unwrap().push(error.to_string());
        panic!("a panic in the hook goes nowhere");
    });
    let device = runtime.device(0).unwrap();
    fake.fail("hipEventDestroy", 0, INVALID_VALUE);
    drop(Event::new(device).unwrap());
    let seen = seen.lock().unwrap();
    assert!(matches!(seen.as_slice(), [only] if only.contains("hipEventDestroy")), "{seen:?}");
}

#[test]
fn drop_while_unwinding_does_not_panic_twice() {
    let fake = Fake::new(Config::default());
    let runtime = fake.runtime();
    runtime.on_drop_error(|_| ());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let device = runtime.device(0).unwrap();
        let _stream = device.stream().unwrap();
        let _event = Event::new(device).unwrap();
        let _pinned = hip::PinnedBuffer::<u8>::zeroed(device, 10).unwrap();
        for name in ["hipStreamSynchronize", "hipEventDestroy", "hipHostFree", "hipFree"] {
            fake.fail(name, 0, crate::fake::ILLEGAL_ADDRESS);
        }
        std::panic::resume_unwind(Box::new("unwinding"));
    }));
    assert!(outcome.is_err_and(|payload| payload.downcast_ref() == Some(&"unwinding")));
}

#[test]
fn handles_compare_by_what_they_name() {
    let fake = Fake::new(Config::default());
    let (one, other): (Runtime, Runtime) = (fake.runtime(), fake.runtime());
    assert_eq!(one, one);
    assert_ne!(one, other);
    assert_eq!(one.device(0).unwrap(), one.device(0).unwrap());
    assert_ne!(one.device(0).unwrap(), other.device(0).unwrap());
}

#[test]
fn handles_of_another_runtime_are_refused() {
    let fake = Fake::new(Config::default());
    let (one, other) = (fake.runtime().device(0).unwrap(), fake.runtime().device(0).unwrap());
    let (stream, event) = (one.stream().unwrap(), Event::new(one).unwrap());
    let foreign = Event::new(other).unwrap();
    let wrong = ErrorKind::WrongDevice { expected: 0, actual: 0 };
    assert_eq!(stream.wait(&foreign).unwrap_err().kind(), &wrong);
    assert_eq!(event.elapsed_until(&foreign).unwrap_err().kind(), &wrong);
    assert_eq!(foreign.record(&stream).unwrap_err().kind(), &wrong);
    let buffer = DeviceBuffer::<u32>::zeroed(&stream, 4).unwrap();
    assert_eq!(buffer.to_vec(&other.stream().unwrap()).unwrap_err().kind(), &wrong);
    assert_eq!(one.can_access_peer(other).unwrap_err().kind(), &wrong);
}

#[test]
fn a_thread_that_is_attached_elsewhere_cannot_use_a_simulation() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let stream = device.stream().unwrap();
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 4]).unwrap();
    let pinned = hip::PinnedBuffer::from_slice(device, &[3u32; 4]).unwrap();
    let mut pending = Some(stream.download_async(&buffer, vec![0u32; 4]).unwrap());
    let refused = |error: hip::Error| assert!(error.to_string().contains("not attached"), "{error}");
    std::thread::scope(|threads| {
        threads.spawn(|| refused(stream.synchronize().unwrap_err()));
    });
    let other = Fake::new(Config::default());
    refused(stream.synchronize().unwrap_err());
    refused(buffer.to_vec(&device.default_stream()).unwrap_err());
    refused(pending.take().unwrap().wait().unwrap_err());
    refused(DeviceBuffer::<u32>::uninit(device, 4).unwrap_err());
    drop(other);
    fake.attach();
    assert_eq!(buffer.to_vec(&stream).unwrap(), [7; 4]);
    drop((stream, buffer));
    // What is left of a simulation keeps its memory.
    drop(fake);
    let another = Fake::new(Config::default());
    assert_eq!(*pinned, [3; 4]);
    another.assert_clean();
}
