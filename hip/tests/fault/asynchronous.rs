//! Futures, polled by hand.

use crate::fake::{Config, Fake, INVALID_VALUE};
use hip::{DeviceBuffer, ErrorKind, PinnedBuffer, Stream};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often the task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn setup() -> (Fake, Stream, Arc<Woken>, Waker) {
    let fake = Fake::new(Config::default());
    let stream = fake.runtime().device(0).unwrap().stream().unwrap();
    let woken = Arc::new(Woken::default());
    (fake, stream, woken.clone(), woken.into())
}

#[test]
fn a_pending_wakes_its_task_once_the_copy_is_done() {
    let (fake, stream, woken, waker) = setup();
    let context = &mut Context::from_waker(&waker);
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 8]).unwrap();
    let mut pending = stream.download_async(&buffer, vec![0; 8]).unwrap();
    for _ in 0..3 {
        assert!(Pin::new(&mut pending).poll(context).is_pending());
    }
    assert_eq!((fake.count("hipLaunchHostFunc"), woken.count()), (1, 0));
    fake.run_all();
    assert_eq!(woken.count(), 1);
    let Poll::Ready(Ok(numbers)) = Pin::new(&mut pending).poll(context) else { panic!("it was woken") };
    assert_eq!(numbers, [7; 8]);
    drop(pending);
    fake.assert_clean();
}

#[test]
fn a_copy_that_is_done_needs_no_call() {
    let (fake, stream, _, waker) = setup();
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 8]).unwrap();
    let mut pending = stream.download_async(&buffer, vec![0; 8]).unwrap();
    stream.synchronize().unwrap();
    assert!(Pin::new(&mut pending).poll(&mut Context::from_waker(&waker)).is_ready());
    assert_eq!(fake.count("hipLaunchHostFunc"), 0);
    let mut late = stream.download_async(&buffer, vec![0; 8]).unwrap();
    drop(stream);
    assert!(Pin::new(&mut late).poll(&mut Context::from_waker(&waker)).is_ready());
}

#[test]
fn a_future_that_is_dropped_half_way_keeps_the_memory() {
    let (fake, stream, woken, waker) = setup();
    let device = stream.device();
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 8]).unwrap();
    let mut pending = stream.download_async(&buffer, PinnedBuffer::zeroed(device, 8).unwrap()).unwrap();
    assert!(Pin::new(&mut pending).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(pending);
    assert_eq!(fake.state().live(true), 1, "the copy has not run yet");
    fake.run_all();
    assert_eq!(woken.count(), 1, "the waker is told all the same");
    stream.synchronize().unwrap();
    assert_eq!(fake.state().live(true), 0);
    fake.assert_clean();
}

#[test]
fn the_last_waker_counts() {
    let (fake, stream, first, waker) = setup();
    let second = Arc::new(Woken::default());
    let mut finished = pin!(stream.finished().unwrap());
    assert!(finished.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(finished.as_mut().poll(&mut Context::from_waker(&second.clone().into())).is_pending());
    fake.run_all();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(matches!(finished.poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(()))));
}

#[test]
fn the_result_and_the_panic_of_a_call_come_back() {
    let (fake, stream, _, waker) = setup();
    let context = &mut Context::from_waker(&waker);
    let mut value = pin!(stream.call(|| 42).unwrap());
    let mut panic = pin!(stream.call(|| std::panic::resume_unwind(Box::new("from the host"))).unwrap());
    assert!(value.as_mut().poll(context).is_pending());
    fake.run_all();
    assert!(matches!(value.poll(context), Poll::Ready(Ok(42))));
    let caught =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panic.as_mut().poll(context).map(drop)));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"from the host"));
}

#[test]
fn an_alarm_that_cannot_be_set_is_an_error_and_frees_what_it_holds() {
    let (fake, stream, woken, waker) = setup();
    let context = &mut Context::from_waker(&waker);
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 8]).unwrap();
    for late in [false, true] {
        let mut pending = stream.download_async(&buffer, vec![0; 8]).unwrap();
        if late {
            fake.fail_late("hipLaunchHostFunc", INVALID_VALUE)
        } else {
            fake.fail("hipLaunchHostFunc", 0, INVALID_VALUE)
        }
        let Poll::Ready(Err(error)) = Pin::new(&mut pending).poll(context) else { panic!("it failed") };
        assert_eq!((error.kind(), error.call()), (&ErrorKind::Hip, Some("hipLaunchHostFunc")));
        fake.heal("hipLaunchHostFunc");
        // The value is still there for a second try.
        assert_eq!(pending.wait().unwrap(), [7; 8]);
    }
    fake.run_all();
    assert_eq!((woken.count(), Arc::strong_count(&woken)), (0, 2));
    fake.assert_clean();
}

#[test]
fn a_runtime_without_host_functions_has_callbacks() {
    let missing = vec!["hipLaunchHostFunc", "hipGetDevicePropertiesR0600"];
    let fake = Fake::new(Config { missing, ..Config::default() });
    let stream = fake.runtime().device(0).unwrap().stream().unwrap();
    let mut finished = pin!(stream.finished().unwrap());
    assert!(finished.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    fake.run_all();
    assert!(finished.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(fake.count("hipStreamAddCallback"), 1);
}
