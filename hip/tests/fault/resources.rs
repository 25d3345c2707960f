//! Pools, reserved addresses, sharing, signals, variables and settings.

use crate::SAXPY;
use crate::errors::Group;
use crate::fake::{Config, Fake, INVALID_VALUE};
use hip::fault::RESOURCE_NAMES;
use hip::memory::{
    IpcEventHandle, IpcMemoryHandle, MemoryKind, MemoryPool, PoolReuse, ReservedBuffer, Signal, WaitFor,
};
use hip::{
    CacheConfig, DeviceBuffer, ErrorKind, Event, EventFlags, Limit, Module, PinnedBuffer, Runtime, Schedule,
    Stream,
};

fn pools() -> Config {
    Config { pools: true, ..Config::default() }
}

fn stream(fake: &Fake) -> Stream {
    fake.runtime().device(0).unwrap().stream().unwrap()
}

/// Calls every function of the group, in order, stopping at the first error.
fn everything(runtime: Runtime) -> hip::Result<()> {
    let device = runtime.device(0)?;
    let stream = device.stream()?;
    let pool = MemoryPool::new(device)?;
    let mut scratch = pool.alloc::<u32>(&stream, 16)?;
    stream.fill(&mut scratch, 7)?;
    assert_eq!(scratch.to_vec(&stream)?, [7; 16]);
    pool.set_release_threshold(100)?;
    assert_eq!(pool.release_threshold()?, 100);
    pool.trim(0)?;
    // SAFETY: access is given, not taken.
    unsafe { pool.set_access(device, true) }?;
    MemoryPool::of_device(device)?;
    let mut reserved = ReservedBuffer::<u32>::with_capacity(device, 5000)?;
    reserved.grow(10)?;
    stream.fill(&mut reserved, 1)?;
    let buffer = DeviceBuffer::<u32>::zeroed(&stream, 16)?;
    runtime.pointer_attributes(buffer.view().address())?;
    device.address_range(buffer.view().address())?;
    let handle = buffer.ipc_handle()?;
    // SAFETY: it is this process's own, and alive.
    drop(unsafe { DeviceBuffer::<u32>::open_ipc(device, handle, 16) }?);
    let event = Event::with_flags(device, EventFlags::new().interprocess(true))?;
    let handle = event.ipc_handle()?;
    // SAFETY: as above.
    drop(unsafe { Event::open_ipc(device, handle) }?);
    let module = Module::from_static(device, SAXPY)?;
    let mut table = module.global::<u32>("table")?;
    stream.fill(&mut table, 3)?;
    let signal = Signal::new(&stream)?;
    stream.wait_value(&signal, WaitFor::AtLeast(0))?;
    let few = Stream::with_cu_mask(device, &[0xF0])?;
    assert_eq!(few.cu_mask()?, [0xF0, 0]);
    // SAFETY: no kernel runs.
    unsafe { device.set_limit(Limit::MallocHeapSize, 1 << 20) }?;
    assert_eq!(device.limit(Limit::MallocHeapSize)?, 1 << 20);
    device.set_cache_config(CacheConfig::L1)?;
    assert_eq!(device.cache_config()?, CacheConfig::L1);
    device.set_schedule(Schedule::Block)?;
    assert_eq!(device.schedule()?, Schedule::Block);
    device.uuid()?;
    assert_eq!(runtime.device_by_pci_bus_id("0000:03:00.0")?, device);
    stream.synchronize()
}

const GROUP: Group = Group {
    names: RESOURCE_NAMES,
    quiet: &[
        "hipMemPoolDestroy",
        "hipFreeAsync",
        "hipMallocFromPoolAsync",
        "hipMemAddressFree",
        "hipMemRelease",
        "hipMemUnmap",
        "hipIpcCloseMemHandle",
        "hipDeviceGetByPCIBusId",
    ],
    everything,
    config: pools,
};

#[test]
fn everything_works_when_nothing_fails() {
    GROUP.works_when_nothing_fails();
}

#[test]
fn every_failing_call_is_named_and_forgotten() {
    GROUP.names_failures_and_forgets_them();
}

#[test]
fn every_missing_function_is_named() {
    GROUP.names_missing_functions();
}

#[test]
fn pools_allocate_and_free_in_stream_order() {
    let fake = Fake::new(pools());
    let a = stream(&fake);
    let device = a.device();
    let (b, default) = (device.stream().unwrap(), device.default_stream());
    let pool = MemoryPool::new(device).unwrap();
    assert!(pool.is_native());
    for stream in [&a, &b, &default] {
        let mut buffer = pool.alloc::<u32>(stream, 16).unwrap();
        // Used by another stream than the one that it comes from and goes back to.
        b.fill(&mut buffer, 5).unwrap();
        let mut copy = DeviceBuffer::<u32>::uninit(device, 16).unwrap();
        a.copy(&buffer, &mut copy).unwrap();
        drop(buffer);
        assert_eq!(copy.to_vec(&a).unwrap(), [5; 16]);
    }
    let gone = device.stream().unwrap();
    let buffer = pool.alloc::<u32>(&gone, 16).unwrap();
    drop(gone);
    drop(buffer);
    pool.set_reuse(PoolReuse::AllowOpportunistic, false).unwrap();
    pool.reset_peaks().unwrap();
    assert_eq!(pool.statistics().unwrap().peak_used, 0);
    drop(pool);
    assert_eq!((fake.count("hipFreeAsync"), fake.count("hipMemPoolDestroy")), (4, 1));
    fake.run_all();
    fake.assert_clean();
}

#[test]
fn pools_run_out_of_memory_as_either_generation_tells_it() {
    for null_on_oom in [false, true] {
        let fake = Fake::new(Config { null_on_oom, ..pools() });
        let stream = stream(&fake);
        let pool = MemoryPool::of_device(stream.device()).unwrap();
        let error = pool.alloc::<u8>(&stream, 2 << 20).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::OutOfMemory { requested: 2 << 20 });
        assert_eq!(pool.alloc::<u64>(&stream, usize::MAX).unwrap_err().kind(), &ErrorKind::Overflow);
        assert!(pool.alloc::<u64>(&stream, 0).unwrap().is_empty());
        drop(pool);
        assert_eq!(fake.count("hipMemPoolDestroy"), 0);
        fake.assert_clean();
    }
}

#[test]
fn where_there_are_no_pools_the_cache_stands_in() {
    let missing = vec!["hipGetDevicePropertiesR0600", "hipFreeAsync"];
    for config in [Config::default(), Config { missing, ..pools() }] {
        let fake = Fake::new(config);
        let stream = stream(&fake);
        let pool = MemoryPool::new(stream.device()).unwrap();
        assert!(!pool.is_native());
        drop(pool.alloc::<u8>(&stream, 1000).unwrap());
        assert_eq!((fake.count("hipMallocFromPoolAsync"), stream.device().cached_memory()), (0, 1024));
        assert!(matches!(pool.statistics().unwrap_err().kind(), ErrorKind::Unsupported { .. }));
        pool.trim(0).unwrap();
        assert_eq!(stream.device().cached_memory(), 0);
    }
}

#[test]
fn reserved_buffers_grow_in_place() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let mut buffer = ReservedBuffer::<u32>::with_capacity(stream.device(), 3000).unwrap();
    assert_eq!((buffer.len(), buffer.capacity()), (0, 3072));
    buffer.grow(1000).unwrap();
    stream.fill(&mut buffer, 7).unwrap();
    let start = buffer.view().address();
    buffer.grow(3000).unwrap();
    buffer.grow(10).unwrap();
    assert_eq!((buffer.view().address(), buffer.len(), fake.count("hipMemCreate")), (start, 3000, 2));
    stream.fill(buffer.view_mut().slice(1000..).unwrap(), 8).unwrap();
    let elements = buffer.view().to_vec(&stream).unwrap();
    assert!(elements.iter().enumerate().all(|(i, &value)| value == if i < 1000 { 7 } else { 8 }));
    let beyond = buffer.grow(3073).unwrap_err();
    assert_eq!(beyond.kind(), &ErrorKind::Length { expected: 3073, actual: 3072 });
    drop(buffer);
    assert_eq!((fake.count("hipMemRelease"), fake.count("hipMemAddressFree")), (2, 1));
    let mut large = ReservedBuffer::<u8>::with_capacity(stream.device(), 4096).unwrap();
    for step in ["hipMemMap", "hipMemSetAccess"] {
        fake.fail(step, 0, INVALID_VALUE);
        assert!(large.grow(1).is_err());
        assert!(large.is_empty());
        fake.heal(step);
    }
    assert_eq!(fake.count("hipMemRelease"), 4);
    large.grow(1).unwrap();
    drop(large);
    fake.assert_clean();
}

#[test]
fn addresses_are_decoded_as_the_release_numbers_them() {
    for version in [50_221_153, 60_443_484] {
        let fake = Fake::new(Config { version, ..Config::default() });
        let stream = stream(&fake);
        let buffer = DeviceBuffer::<u32>::zeroed(&stream, 100).unwrap();
        let inside = buffer.slice(10..).unwrap().address();
        let attributes = stream.runtime().pointer_attributes(inside).unwrap();
        assert_eq!((attributes.kind, attributes.host_address), (Some(MemoryKind::Device), 0));
        assert_eq!(attributes.device, Some(stream.device()));
        let range = stream.device().address_range(inside).unwrap();
        assert_eq!((range.start, range.bytes), (buffer.view().address().addr(), 512));
        let host = PinnedBuffer::<u32>::zeroed(stream.device(), 4).unwrap();
        let attributes = stream.runtime().pointer_attributes(host.as_ptr()).unwrap();
        assert_eq!(
            (attributes.kind, attributes.host_address),
            (Some(MemoryKind::Host), host.as_ptr().addr())
        );
    }
}

#[test]
fn exported_memory_is_never_used_again() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let buffer = DeviceBuffer::<u32>::zeroed(&stream, 100).unwrap();
    let handle = IpcMemoryHandle::from_bytes(buffer.ipc_handle().unwrap().to_bytes());
    // SAFETY: it is this process's own, and alive.
    let opened = unsafe { DeviceBuffer::<u32>::open_ipc(stream.device(), handle, 100) }.unwrap();
    assert_eq!(opened.to_vec(&stream).unwrap(), [0; 100]);
    assert_eq!(opened.ipc_handle().unwrap_err().kind(), &ErrorKind::Unshareable);
    drop(opened);
    assert_eq!(fake.count("hipIpcCloseMemHandle"), 1);
    drop(buffer);
    assert_eq!((stream.device().cached_memory(), stream.device().trim(0).unwrap()), (0, 0));
    assert_eq!(IpcEventHandle::from_bytes([3; 64]).to_bytes(), [3; 64]);
    fake.assert_clean();
}

#[test]
fn variables_keep_their_module() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let module = Module::from_static(stream.device(), SAXPY).unwrap();
    let mut table = module.global::<u32>("table").unwrap();
    assert_eq!(
        module.global::<u32>("missing").unwrap_err().kind(),
        &ErrorKind::UnknownGlobal { name: "missing".to_owned() }
    );
    assert_eq!(fake.state().last_error, 0);
    assert!(matches!(module.global::<[u8; 3]>("table").unwrap_err().kind(), ErrorKind::Length { .. }));
    // Two of them could be written by two streams at once, and be passed to one kernel as two slices.
    assert_eq!(module.clone().global::<f32>("table").unwrap_err().kind(), &ErrorKind::Busy);
    drop(table);
    table = module.global::<u32>("table").unwrap();
    let other = module.global::<u32>("other").unwrap();
    drop((module, other));
    assert_eq!((table.len(), fake.count("hipModuleUnload")), (16, 0));
    stream.upload(&[5; 16], &mut table).unwrap();
    assert_eq!(table.view().to_vec(&stream).unwrap(), [5; 16]);
    drop(table);
    assert_eq!(fake.count("hipModuleUnload"), 1);
    fake.assert_clean();
}

#[test]
fn signals_do_not_order_who_uses_them() {
    let fake = Fake::new(Config::default());
    let producer = stream(&fake);
    let consumer = producer.device().stream().unwrap();
    let signal = Signal::new(&producer).unwrap();
    let waits = fake.count("hipStreamWaitEvent");
    consumer.wait_value(&signal, WaitFor::Equal(1)).unwrap();
    producer.write_value(&signal, 1).unwrap();
    consumer.wait_value(&signal, WaitFor::AnyBit(1)).unwrap();
    // Neither stream waits for the other behind the program's back, or both would for ever.
    assert_eq!(fake.count("hipStreamWaitEvent"), waits);
    drop(signal);
    assert_eq!(fake.count("hipFree"), 1);
    fake.assert_clean();
}

#[test]
fn places_on_the_bus_that_are_empty() {
    let fake = Fake::new(Config::default());
    let error = fake.runtime().device_by_pci_bus_id("0000:ff:00.0").unwrap_err();
    assert_eq!((error.kind(), fake.state().last_error), (&ErrorKind::NoDevice, 0));
}

#[test]
fn two_threads_free_what_each_others_streams_used() {
    let fake = Fake::new(Config { pools: true, ..Config::default() });
    let device = fake.runtime().device(0).unwrap();
    let pool = MemoryPool::new(device).unwrap();
    let [a, b] = [(); 2].map(|()| device.stream().unwrap());
    std::thread::scope(|threads| {
        for (own, other) in [(&a, &b), (&b, &a)] {
            let (fake, pool) = (&fake, &pool);
            threads.spawn(move || {
                fake.attach();
                for value in 0..if cfg!(miri) { 20 } else { 2000 } {
                    // Freed on its own stream, which waits for the other one.
                    let mut buffer = pool.alloc::<u32>(own, 64).unwrap();
                    other.fill(&mut buffer, value).unwrap();
                }
            });
        }
    });
    fake.run_all();
    fake.assert_clean();
}
