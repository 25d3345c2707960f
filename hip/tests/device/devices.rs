//! What the device says of itself, streams and events.

use crate::device;
use hip::sys::{hipDeviceAttributeMultiprocessorCount, hipDeviceAttributeWarpSize};
use hip::{DeviceBuffer, ErrorKind, Event, EventFlags, Runtime, Stream, StreamFlags};

#[test]
fn the_device_describes_itself() {
    let Some(device) = device() else { return };
    let properties = device.properties().unwrap();
    assert!(!properties.name.is_empty());
    assert!(properties.target_id.starts_with(device.arch().unwrap()));
    assert!(device.arch().unwrap().starts_with("gfx"), "{}", properties.target_id);
    assert!(device.total_memory().unwrap() >= 1 << 30);
    assert!([32, 64].contains(&properties.warp_size));
    assert_eq!(properties.max_threads_per_block, 1024);
    assert_eq!(properties.shared_mem_per_block, 65536);
    assert_eq!(device.attribute(hipDeviceAttributeWarpSize).unwrap(), properties.warp_size as i32);
    let units = device.attribute(hipDeviceAttributeMultiprocessorCount).unwrap();
    assert_eq!(units, properties.multi_processor_count as i32);
    let parts: Vec<usize> = device.pci_bus_id().unwrap().split([':', '.']).map(str::len).collect();
    assert_eq!(parts, [4, 2, 2, 1], "{}", device.pci_bus_id().unwrap());
}

#[test]
fn the_runtime_counts_its_devices() {
    let Some(device) = device() else { return };
    let runtime = Runtime::load().unwrap();
    assert_eq!(device.runtime(), runtime);
    assert!(runtime.version().major >= 5, "{}", runtime.version());
    let count = runtime.device_count().unwrap();
    assert!(runtime.devices().unwrap().eq((0..count).map(|ordinal| runtime.device(ordinal).unwrap())));
    let error = runtime.device(count).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidDevice { ordinal: count, count });
    assert!(runtime.supports("hipMalloc") && !runtime.supports("hipNoSuchFunction"));
}

#[test]
fn allocations_are_taken_from_the_memory_there_is() {
    let Some(device) = device() else { return };
    // Other tests allocate at the same time, but nothing near this size.
    const BYTES: usize = 512 << 20;
    let before = device.memory_info().unwrap();
    assert!(before.free <= before.total && before.total == device.total_memory().unwrap());
    let buffer = DeviceBuffer::<u8>::uninit(device, BYTES).unwrap();
    let during = device.memory_info().unwrap();
    assert!(before.free.abs_diff(during.free).abs_diff(BYTES) < BYTES / 4, "{before:?} {during:?}");
    drop(buffer);
    assert!(device.trim(0).unwrap() >= BYTES);
    let after = device.memory_info().unwrap();
    assert!(before.free.abs_diff(after.free) < BYTES / 4, "{before:?} {after:?}");
}

#[test]
fn out_of_device_memory_is_an_error_and_no_end() {
    let Some(device) = device() else { return };
    let bytes = device.total_memory().unwrap().checked_mul(4).unwrap();
    let error = DeviceBuffer::<u8>::uninit(device, bytes).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::OutOfMemory { requested: bytes });
    let stream = device.stream().unwrap();
    assert_eq!(DeviceBuffer::<u8>::zeroed(&stream, 100).unwrap().to_vec(&stream).unwrap(), [0; 100]);
}

#[test]
fn streams_of_every_kind_work() {
    let Some(device) = device() else { return };
    let range = device.stream_priorities().unwrap();
    assert!(range.greatest <= range.least, "{range:?}");
    let streams = [
        device.default_stream(),
        device.stream().unwrap(),
        Stream::with_flags(device, StreamFlags::new().non_blocking(true)).unwrap(),
        Stream::with_flags(device, StreamFlags::new().priority(range.greatest)).unwrap(),
        Stream::with_flags(device, StreamFlags::new().priority(range.least).non_blocking(true)).unwrap(),
    ];
    for (index, stream) in streams.iter().enumerate() {
        let mut buffer = DeviceBuffer::<u32>::uninit(device, 1000).unwrap();
        stream.fill(&mut buffer, index as u32).unwrap();
        assert!(buffer.to_vec(stream).unwrap().iter().all(|&value| value == index as u32), "{stream:?}");
        stream.synchronize().unwrap();
        // The default stream is also that of other tests.
        // A timeline that another test records puts an event behind each operation.
        stream.synchronize().unwrap();
        assert!(index == 0 || stream.is_idle().unwrap());
    }
    let [_, plain, non_blocking, urgent, _] = &streams;
    assert!(non_blocking.is_non_blocking().unwrap() && !plain.is_non_blocking().unwrap());
    assert_eq!(urgent.priority().unwrap(), range.greatest);
}

#[test]
fn events_keep_the_time() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let (start, stop) = (Event::new(device).unwrap(), Event::new(device).unwrap());
    start.record(&stream).unwrap();
    let mut buffer = DeviceBuffer::<u32>::zeroed(&stream, 1 << 20).unwrap();
    stream.fill(&mut buffer, 1).unwrap();
    stop.record(&stream).unwrap();
    stop.synchronize().unwrap();
    assert!(start.is_reached().unwrap() && stop.is_reached().unwrap());
    assert!(start.elapsed_until(&stop).unwrap().as_nanos() > 0);
    let timeless = Event::with_flags(device, EventFlags::new().timing(false)).unwrap();
    timeless.record(&stream).unwrap();
    timeless.synchronize().unwrap();
    assert!(start.elapsed_until(&timeless).is_err());
    assert!(start.elapsed_until(&Event::new(device).unwrap()).is_err());
}

#[test]
fn a_stream_waits_for_an_event_of_another() {
    let Some(device) = device() else { return };
    let (a, b) = (device.stream().unwrap(), device.stream().unwrap());
    let event = Event::new(device).unwrap();
    let mut buffer = DeviceBuffer::<u32>::uninit(device, 1 << 20).unwrap();
    a.fill(&mut buffer, 7).unwrap();
    event.record(&a).unwrap();
    b.wait(&event).unwrap();
    b.synchronize().unwrap();
    assert!(event.is_reached().unwrap());
}
