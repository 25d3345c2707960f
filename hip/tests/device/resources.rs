//! Pools, addresses, signals, variables and settings on a device.

use crate::{SIGNATURES, device, setup};
use hip::memory::{MemoryKind, MemoryPool, ReservedBuffer, Signal, WaitFor};
use hip::{
    DeviceBuffer, ErrorKind, Event, EventFlags, LaunchConfig, Limit, ManagedBuffer, MappedBuffer, Module,
    PinnedBuffer, Stream, attribute,
};

hip::kernel! {
    /// Sums a table of the module, and counts its launches there.
    struct UseGlobals = "use_globals"(&mut [f32]) in SIGNATURES;
}

// SAFETY: writes the first element; beyond it, only a variable of the code object itself.
unsafe impl hip::Vouched for UseGlobals {
    fn check(_: &LaunchConfig, &(out,): &hip::Shapes<Self>) -> Result<(), &'static str> {
        hip::require(out >= 1, "out is empty")
    }
}

const LEN: usize = 10_000;

#[test]
fn pools_serve_several_streams() {
    let Some((a, saxpy)) = setup() else { return };
    let b = a.device().stream().unwrap();
    let pool = MemoryPool::new(a.device()).unwrap();
    let mut sum = pool.alloc::<f32>(&a, LEN).unwrap();
    a.fill(&mut sum, 0.0).unwrap();
    for round in 1..20 {
        let mut x = pool.alloc::<f32>(if round % 2 == 0 { &a } else { &b }, LEN).unwrap();
        a.fill(&mut x, round as f32).unwrap();
        saxpy.launch(&b, LaunchConfig::for_len(LEN), (1.0, &x, &mut sum, LEN as i32)).unwrap();
    }
    let expected = (1..20).sum::<i32>() as f32;
    assert!(sum.to_vec(&a).unwrap().iter().all(|&value| value == expected));
}

#[test]
fn addresses_are_known_for_what_they_are() {
    let Some((stream, _)) = setup() else { return };
    let (device, runtime) = (stream.device(), stream.runtime());
    let buffer = DeviceBuffer::<u32>::zeroed(&stream, 1000).unwrap();
    let inside = buffer.slice(100..).unwrap().address();
    let attributes = runtime.pointer_attributes(inside).unwrap();
    assert_eq!((attributes.kind, attributes.device), (Some(MemoryKind::Device), Some(device)));
    let range = device.address_range(inside).unwrap();
    assert_eq!(range.start, buffer.view().address().addr());
    assert!(range.bytes >= 4000);
    let pinned = PinnedBuffer::<u32>::zeroed(device, 10).unwrap();
    let attributes = runtime.pointer_attributes(pinned.as_ptr()).unwrap();
    assert_eq!((attributes.kind, attributes.is_managed), (Some(MemoryKind::Host), false));
    let managed = ManagedBuffer::<u32>::zeroed(device, 10).unwrap();
    assert!(runtime.pointer_attributes(managed.view().address()).unwrap().is_managed);
}

#[test]
fn variables_are_written_and_seen_by_kernels() {
    let Some((stream, _)) = setup() else { return };
    let module = Module::from_static(stream.device(), SIGNATURES).unwrap();
    let sum_of_table = module.kernel::<UseGlobals>().unwrap();
    // The first is a kernel's descriptor.
    for name in ["use_globals.kd", "use_globals", ""] {
        let error = module.global::<u8>(name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnknownGlobal { .. }), "{name:?}: {error}");
    }
    let mut table = module.global::<f32>("table").unwrap();
    let mut launches = module.global::<u64>("launches").unwrap();
    stream.fill(&mut launches, 40).unwrap();
    let mut out = DeviceBuffer::<f32>::zeroed(&stream, 1).unwrap();
    for factor in [1.0, 2.0] {
        let numbers: Vec<f32> = (0..table.len()).map(|i| i as f32 * factor).collect();
        stream.upload(&numbers, &mut table).unwrap();
        assert_eq!(table.view().to_vec(&stream).unwrap(), numbers);
        sum_of_table.launch(&stream, LaunchConfig::new(1, 1), (&mut out,)).unwrap();
        assert_eq!(out.to_vec(&stream).unwrap(), [28.0 * factor]);
    }
    assert_eq!(launches.view().to_vec(&stream).unwrap(), [42]);
}

#[test]
fn a_stream_waits_for_what_another_writes() {
    let Some((producer, saxpy)) = setup() else { return };
    if !producer.device().get(attribute::CAN_USE_STREAM_WAIT_VALUE).unwrap() {
        return;
    }
    let non_blocking = hip::StreamFlags::new().non_blocking(true);
    let consumer = Stream::with_flags(producer.device(), non_blocking).unwrap();
    let x = DeviceBuffer::from_slice(&producer, &[1.0f32; LEN]).unwrap();
    let mut y = MappedBuffer::<f32>::zeroed(producer.device(), LEN).unwrap();
    let signal = Signal::new(&producer).unwrap();
    for round in 1..5u64 {
        // The write is enqueued first: while a stream waits for a value that nobody was told to write, a hipDeviceSynchronize
        // of another thread waits for that stream, and HIP 5.2 lets no launch of this thread pass it.
        saxpy.launch(&producer, LaunchConfig::for_len(LEN), (1.0, &x, y.view_mut(), LEN as i32)).unwrap();
        producer.write_value(&signal, round).unwrap();
        consumer.wait_value(&signal, WaitFor::AtLeast(round)).unwrap();
        let reached = Event::with_flags(producer.device(), EventFlags::new().timing(false)).unwrap();
        reached.record(&consumer).unwrap();
        reached.synchronize().unwrap();
        assert!(y.read().unwrap().iter().all(|&value| value == round as f32));
    }
}

#[test]
fn settings_and_names() {
    let Some((stream, _)) = setup() else { return };
    let (device, runtime) = (stream.device(), stream.runtime());
    assert_eq!(runtime.device_by_pci_bus_id(&device.pci_bus_id().unwrap()).unwrap(), device);
    assert!(runtime.device_by_pci_bus_id("00ff:ff:1f.7").is_err());
    device.uuid().unwrap();
    assert!(device.limit(Limit::MallocHeapSize).unwrap() > 0);
    device.cache_config().unwrap();
    device.schedule().unwrap();
    let properties = device.properties().unwrap();
    assert_eq!(device.get(attribute::WARP_SIZE).unwrap(), properties.warp_size);
    assert_eq!(device.get(attribute::MAX_THREADS_PER_BLOCK).unwrap(), properties.max_threads_per_block);
    assert!(device.get(attribute::CAN_MAP_HOST_MEMORY).unwrap());
}

#[test]
fn a_stream_on_some_compute_units() {
    let Some((whole, saxpy)) = setup() else { return };
    let stream = Stream::with_cu_mask(whole.device(), &[0x0F, 0]).unwrap();
    let mask = stream.cu_mask().unwrap();
    assert_eq!((mask.first(), mask.iter().skip(1).all(|&word| word == 0)), (Some(&0x0F), true));
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap();
    saxpy.launch(&stream, LaunchConfig::for_len(LEN), (2.0, &x, &mut y, LEN as i32)).unwrap();
    assert!(y.to_vec(&stream).unwrap().iter().all(|&value| value == 2.0));
}

#[test]
fn handles_for_other_processes() {
    let Some((stream, _)) = setup() else { return };
    let buffer = DeviceBuffer::from_slice(&stream, &[7u32; 1000]).unwrap();
    let handle = buffer.ipc_handle().unwrap();
    assert_ne!(handle.to_bytes(), [0; 64]);
    assert_eq!(buffer.to_vec(&stream).unwrap(), [7; 1000]);
}

/// Where there is no management of virtual memory, the error names the call.
#[test]
fn reserved_buffers_grow_or_are_not_supported() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let grown = ReservedBuffer::<u32>::with_capacity(device, 1 << 20).and_then(|mut buffer| {
        buffer.grow(1000)?;
        stream.fill(&mut buffer, 7)?;
        buffer.grow(100_000)?;
        buffer.view().slice(..1000)?.to_vec(&stream)
    });
    match grown {
        Ok(elements) => assert_eq!(elements, [7; 1000]),
        Err(error) => {
            eprintln!("no management of virtual memory: {error}");
            let supported =
                device.attribute(hip::sys::hipDeviceAttributeVirtualMemoryManagementSupported).unwrap_or(0);
            let unsupported = matches!(error.kind(), hip::ErrorKind::Unsupported { .. });
            assert!(unsupported && supported == 0, "{error}");
        }
    }
}
