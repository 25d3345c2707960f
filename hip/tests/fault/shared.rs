//! Memory that the host sees: scopes, registered, managed and mapped memory.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS, INVALID_VALUE};
use crate::{SAXPY, Saxpy};
use hip::memory::{MemoryPool, ReservedBuffer};
use hip::texture::Array;
use hip::{
    Advice, DeviceBuffer, ErrorKind, LaunchConfig, ManagedBuffer, MappedBuffer, MemoryPlace, Module, Stream,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn stream(fake: &Fake) -> Stream {
    fake.runtime().device(0).unwrap().stream().unwrap()
}

#[test]
fn a_scope_waits_for_every_stream_it_lent_to() {
    let fake = Fake::new(Config::default());
    let a = stream(&fake);
    let b = a.device().stream().unwrap();
    let input: Vec<u32> = (0..100).collect();
    let (mut first, mut second) = (vec![0; 100], vec![0; 100]);
    let mut buffer = DeviceBuffer::uninit(a.device(), 100).unwrap();
    hip::scope(|scope| {
        scope.upload(&a, &input, &mut buffer)?;
        scope.download(&b, &buffer, &mut first)?;
        scope.download(&a, &buffer, &mut second)
    })
    .unwrap();
    assert!(first == input && second == input);
    fake.assert_clean();
}

#[test]
fn a_scope_waits_when_its_body_fails_or_panics() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 100]).unwrap();
    let mut output = vec![0; 100];
    let failed = hip::scope(|scope| {
        scope.download(&stream, &buffer, &mut output)?;
        stream.upload(&[1u32], buffer_of_two(&stream).view_mut())
    });
    assert_eq!(failed.unwrap_err().kind(), &ErrorKind::Length { expected: 1, actual: 2 });
    assert_eq!(output, [7; 100]);
    let mut output = vec![0; 100];
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        hip::scope(|scope| -> hip::Result<()> {
            scope.download(&stream, &buffer, &mut output)?;
            panic!("the body panics")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(output, [7; 100]);
}

fn buffer_of_two(stream: &Stream) -> DeviceBuffer<u32> {
    DeviceBuffer::zeroed(stream, 2).unwrap()
}

#[test]
fn a_scope_that_cannot_wait_for_a_stream_waits_for_the_device() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 100]).unwrap();
    let mut output = vec![0; 100];
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    let error = hip::scope(|scope| scope.download(&stream, &buffer, &mut output)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::DeviceFailure);
    assert_eq!(output, [7; 100]);
    fake.heal("hipStreamSynchronize");
}

/// The process ends: nothing else is sound. Run by the test below in a process of its own.
#[test]
#[ignore = "aborts"]
fn a_scope_that_cannot_wait_at_all() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 100]).unwrap();
    let mut output = vec![0; 100];
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    fake.fail("hipDeviceSynchronize", 0, ILLEGAL_ADDRESS);
    let _ = hip::scope(|scope| scope.download(&stream, &buffer, &mut output));
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_scope_that_cannot_wait_at_all_ends_the_process() {
    let test = "shared::a_scope_that_cannot_wait_at_all";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("aborting"), "{text}");
}

#[test]
fn registered_memory_is_used_in_place_and_given_back() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let device = stream.device();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel::<Saxpy>().unwrap();
    let x = DeviceBuffer::from_slice(&stream, &[2.0f32; 64]).unwrap();
    let mut numbers = vec![1.0f32; 64];
    hip::scope(|scope| {
        let mut numbers = scope.register(device, &mut numbers)?;
        saxpy.launch(&stream, LaunchConfig::for_len(64), (3.0, &x, numbers.view_mut(), 64))?;
        // Neither dropping nor forgetting it changes what the scope does.
        std::mem::forget(numbers);
        Ok(())
    })
    .unwrap();
    assert_eq!(numbers, [7.0; 64]);
    assert!(fake.state().registered.is_empty());
    fake.assert_clean();
    fake.fail("hipHostGetDevicePointer", 0, INVALID_VALUE);
    assert!(hip::scope(|scope| scope.register(device, &mut numbers).map(drop)).is_err());
    assert!(fake.state().registered.is_empty());
}

#[test]
fn managed_memory_waits_before_the_host_looks() {
    let fake = Fake::new(Config::default());
    let a = stream(&fake);
    let b = a.device().stream().unwrap();
    let device = a.device();
    let mut numbers = ManagedBuffer::<u32>::zeroed(device, 10).unwrap();
    numbers.write().unwrap()[9] = 5;
    a.fill(numbers.view_mut().slice(..5).unwrap(), 7).unwrap();
    b.fill(numbers.view_mut().slice(5..9).unwrap(), 8).unwrap();
    assert_eq!(numbers.read().unwrap(), [7, 7, 7, 7, 7, 8, 8, 8, 8, 5]);
    a.fill(&mut numbers, 1).unwrap();
    assert_eq!(numbers.write().unwrap(), [1; 10]);
    for advice in [
        Advice::ReadMostly(true),
        Advice::PreferredLocation(Some(MemoryPlace::Host)),
        Advice::AccessedBy(MemoryPlace::Device(device)),
        Advice::CoarseGrain(false),
    ] {
        numbers.advise(advice).unwrap();
    }
    assert_eq!(numbers.last_prefetch().unwrap(), None);
    numbers.prefetch(&a, MemoryPlace::Device(device)).unwrap();
    assert_eq!(numbers.last_prefetch().unwrap(), Some(MemoryPlace::Device(device)));
    numbers.prefetch(&a, MemoryPlace::Host).unwrap();
    assert_eq!(numbers.preferred_location().unwrap(), Some(MemoryPlace::Host));
    assert!(numbers.is_read_mostly().unwrap());
    drop(numbers);
    assert_eq!(fake.state().live(false), 0);
    fake.assert_clean();
}

#[test]
fn mapped_memory_is_freed_by_the_hosts_address() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let mut numbers = MappedBuffer::<u16>::zeroed(stream.device(), 10).unwrap();
    stream.fill(&mut numbers, 3).unwrap();
    assert_eq!(numbers.read().unwrap(), [3; 10]);
    drop(numbers);
    assert_eq!((fake.count("hipHostFree"), fake.state().live(true)), (1, 0));
    fake.fail("hipHostGetDevicePointer", 0, INVALID_VALUE);
    assert!(MappedBuffer::<u16>::zeroed(stream.device(), 10).is_err());
    assert_eq!(fake.state().live(true), 0);
    fake.assert_clean();
}

#[test]
fn memory_that_cannot_be_waited_for_is_leaked() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let reports = Arc::new(AtomicU32::new(0));
    let counter = reports.clone();
    stream.runtime().on_drop_error(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut numbers = ManagedBuffer::<u32>::zeroed(stream.device(), 10).unwrap();
    stream.fill(&mut numbers, 1).unwrap();
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    assert!(numbers.read().is_err());
    drop(numbers);
    assert_eq!((fake.count("hipFree"), reports.load(Ordering::Relaxed)), (0, 1));
    fake.heal("hipStreamSynchronize");
}

#[test]
fn peers_need_access_once() {
    let fake = Fake::new(Config { devices: 2, pools: true, ..Config::default() });
    let runtime = fake.runtime();
    let (near, far) = (runtime.device(0).unwrap(), runtime.device(1).unwrap());
    let (here, there) = (near.stream().unwrap(), far.stream().unwrap());
    let source = DeviceBuffer::from_slice(&there, &[5u32; 10]).unwrap();
    let mut target = DeviceBuffer::<u32>::uninit(near, 10).unwrap();
    assert!(here.copy(&source, &mut target).is_err());
    here.copy_peer(&source, &mut target).unwrap();
    assert_eq!(target.to_vec(&here).unwrap(), [5; 10]);
    assert!(near.can_access_peer(far).unwrap());
    near.enable_peer_access(far).unwrap();
    near.enable_peer_access(far).unwrap();
    assert_eq!(fake.state().last_error, 0);
    here.copy(&source, &mut target).unwrap();
    // The other way round was not asked for.
    assert!(there.copy(&source, &mut target).is_err());
    // Order across devices: the second waits for the first.
    let mut source = source;
    there.fill(&mut source, 6).unwrap();
    here.copy(&source, &mut target).unwrap();
    assert_eq!(target.to_vec(&here).unwrap(), [6; 10]);
    // What HIP does not map for others ends the process when another device touches it.
    let wrong = ErrorKind::WrongDevice { expected: 0, actual: 1 };
    let mut table = Module::from_static(far, SAXPY).unwrap().global::<u32>("table").unwrap();
    let mut copy = DeviceBuffer::<u32>::zeroed(&here, table.len()).unwrap();
    assert_eq!(here.fill(&mut table, 1).unwrap_err().kind(), &wrong);
    assert_eq!(here.copy_peer(table.view(), &mut copy).unwrap_err().kind(), &wrong);
    assert_eq!(here.copy_peer(&copy, &mut table).unwrap_err().kind(), &wrong);
    assert_eq!(there.copy_peer(&copy, &mut table).unwrap_err().kind(), &wrong);
    let array = Array::from_slice(&there, 4, &[1u32, 2, 3, 4]).unwrap();
    assert_eq!(array.to_vec(&here).unwrap_err().kind(), &wrong);
    let mut reserved = ReservedBuffer::<u32>::with_capacity(far, 100).unwrap();
    reserved.grow(10).unwrap();
    assert_eq!(here.fill(&mut reserved, 1).unwrap_err().kind(), &wrong);
    let pool = MemoryPool::new(far).unwrap();
    assert!(pool.is_native());
    let mut pooled = pool.alloc::<u32>(&there, 10).unwrap();
    assert_eq!(here.fill(&mut pooled, 1).unwrap_err().kind(), &wrong);
    // SAFETY: access is given, not taken away.
    unsafe { pool.set_access(near, true) }.unwrap();
    here.fill(&mut pooled, 1).unwrap();
    drop((table, copy, array, reserved, pooled, pool));
    // SAFETY: nothing runs.
    unsafe { near.disable_peer_access(far) }.unwrap();
    assert!(here.copy(&source, &mut target).is_err());
    fake.assert_clean();
}
