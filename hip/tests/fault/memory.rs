//! Buffers, views, copies and fills.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS, OUT_OF_MEMORY};
use hip::{DeviceBuffer, ErrorKind, PinnedBuffer, Stream};

fn stream(fake: &Fake) -> Stream {
    fake.runtime().device(0).unwrap().stream().unwrap()
}

#[test]
fn what_goes_up_comes_down() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let numbers: Vec<u32> = (0..1000).collect();
    let mut buffer = DeviceBuffer::from_slice(&stream, &numbers).unwrap();
    assert_eq!((buffer.len(), buffer.is_empty()), (1000, false));
    assert_eq!(buffer.to_vec(&stream).unwrap(), numbers);
    stream.upload(&[7, 8], buffer.slice_mut(10..12).unwrap()).unwrap();
    assert_eq!(buffer.slice(9..13).unwrap().to_vec(&stream).unwrap(), [9, 7, 8, 12]);
    let mut few = [0; 3];
    stream.download(buffer.slice(997..).unwrap(), &mut few).unwrap();
    assert_eq!(few, [997, 998, 999]);
}

#[test]
fn lengths_must_agree() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let mut buffer = DeviceBuffer::<u32>::zeroed(&stream, 4).unwrap();
    let five = ErrorKind::Length { expected: 5, actual: 4 };
    assert_eq!(stream.upload(&[0; 5], &mut buffer).unwrap_err().kind(), &five);
    assert_eq!(
        stream.download(&buffer, &mut [0; 5]).unwrap_err().kind(),
        &ErrorKind::Length { expected: 4, actual: 5 }
    );
    assert_eq!(stream.upload_async(vec![0; 5], &mut buffer).unwrap_err().kind(), &five);
    let other = DeviceBuffer::<u32>::zeroed(&stream, 5).unwrap();
    assert_eq!(stream.copy(&other, &mut buffer).unwrap_err().kind(), &five);
    assert_eq!(buffer.slice(2..5).unwrap_err().kind(), &five);
    assert!(buffer.view().split_at(5).is_err());
}

#[test]
fn no_elements_are_no_calls() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let mut nothing = DeviceBuffer::<u64>::from_slice(&stream, &[]).unwrap();
    stream.fill(&mut nothing, 5).unwrap();
    assert!(nothing.to_vec(&stream).unwrap().is_empty());
    let pinned = PinnedBuffer::<u64>::zeroed(stream.device(), 0).unwrap();
    let back = stream.upload_async(pinned, &mut nothing).unwrap().wait().unwrap();
    assert!(back.is_empty());
    let mut empty_view = DeviceBuffer::<u32>::zeroed(&stream, 4).unwrap();
    stream.fill(empty_view.slice_mut(4..).unwrap(), 1).unwrap();
    let mut units = DeviceBuffer::<()>::uninit(stream.device(), usize::MAX).unwrap();
    stream.fill(&mut units, ()).unwrap();
    for call in ["hipMemcpyWithStream", "hipMemcpyAsync", "hipHostMalloc"] {
        assert_eq!(fake.count(call), 0, "{call}");
    }
}

#[test]
fn lengths_that_overflow_are_errors() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    for len in [usize::MAX, usize::MAX / 8 + 1] {
        assert_eq!(DeviceBuffer::<u64>::uninit(device, len).unwrap_err().kind(), &ErrorKind::Overflow);
        assert_eq!(PinnedBuffer::<u64>::zeroed(device, len).unwrap_err().kind(), &ErrorKind::Overflow);
    }
    // The product fits, its rounding does not.
    assert_eq!(DeviceBuffer::<u8>::uninit(device, usize::MAX).unwrap_err().kind(), &ErrorKind::Overflow);
    assert_eq!(fake.count("hipMalloc") + fake.count("hipHostMalloc"), 0);
}

#[test]
fn fills_of_every_width() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let mut bytes = DeviceBuffer::<u8>::zeroed(&stream, 9).unwrap();
    stream.fill(bytes.slice_mut(1..8).unwrap(), 0xAB).unwrap();
    assert_eq!(bytes.to_vec(&stream).unwrap(), [0, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0]);
    let mut halves = DeviceBuffer::<u16>::zeroed(&stream, 5).unwrap();
    stream.fill(&mut halves, 0x1234).unwrap();
    assert_eq!(halves.to_vec(&stream).unwrap(), [0x1234; 5]);
    let mut floats = DeviceBuffer::<f32>::zeroed(&stream, 5).unwrap();
    stream.fill(&mut floats, -1.5).unwrap();
    assert_eq!(floats.to_vec(&stream).unwrap(), [-1.5; 5]);
    assert_eq!(fake.count("hipMemcpyWithStream"), 3);
}

#[test]
fn fills_that_hip_has_not_go_through_the_host_in_chunks() {
    let len = (1 << 20) / 8 + 5;
    let fake = Fake::new(Config { memory: 1 << 22, ..Config::default() });
    let stream = stream(&fake);
    let mut doubles = DeviceBuffer::<f64>::uninit(stream.device(), len).unwrap();
    stream.fill(&mut doubles, 0.1).unwrap();
    assert!(doubles.to_vec(&stream).unwrap().iter().all(|&value| value == 0.1));
    fake.assert_clean();
}

#[test]
fn out_of_memory_is_told_as_either_generation_tells_it() {
    for null_on_oom in [false, true] {
        let fake = Fake::new(Config { null_on_oom, ..Config::default() });
        let device = fake.runtime().device(0).unwrap();
        let error = DeviceBuffer::<u8>::uninit(device, 2 << 20).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::OutOfMemory { requested: 2 << 20 });
        assert!(error.to_string().contains("1048576 of 1048576 bytes are free"), "{error}");
        let error = PinnedBuffer::<u8>::zeroed(device, 2 << 20).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::OutOfMemory { requested: 2 << 20 });
        // Usable afterwards.
        DeviceBuffer::<u8>::uninit(device, 1 << 19).unwrap();
    }
}

#[test]
fn an_injected_out_of_memory_leaves_no_last_error() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    fake.fail("hipMalloc", 0, OUT_OF_MEMORY);
    assert!(matches!(
        DeviceBuffer::<u8>::uninit(device, 1).unwrap_err().kind(),
        ErrorKind::OutOfMemory { .. }
    ));
    assert_eq!(fake.state().last_error, 0);
}

#[test]
fn freed_memory_is_used_again_and_given_back_under_pressure() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let device = stream.device();
    let first = DeviceBuffer::<u8>::zeroed(&stream, 1 << 19).unwrap();
    let address = first.view().address();
    drop(first);
    assert_eq!((device.cached_memory(), fake.count("hipFree")), (1 << 19, 0));
    let second = DeviceBuffer::<u8>::uninit(device, (1 << 19) - 100).unwrap();
    assert_eq!((second.view().address(), device.cached_memory()), (address, 0));
    drop(second);
    // More than is left: the kept block goes first.
    let large = DeviceBuffer::<u8>::uninit(device, 1 << 20).unwrap();
    assert_eq!((fake.count("hipFree"), large.len()), (1, 1 << 20));
    drop(large);
    assert_eq!(device.trim(0).unwrap(), 1 << 20);
    assert_eq!((device.cached_memory(), fake.state().live(false)), (0, 0));
    fake.assert_clean();
}

#[test]
fn trimming_keeps_what_it_is_asked_to_keep() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let buffers: Vec<_> = [256, 512, 4096].map(|len| DeviceBuffer::<u8>::uninit(device, len).unwrap()).into();
    drop(buffers);
    assert_eq!(device.trim(1000).unwrap(), 4096);
    assert_eq!(device.cached_memory(), 768);
}

#[test]
fn blocks_whose_work_cannot_be_waited_for_are_not_freed() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    fake.runtime().on_drop_error(|_| ());
    drop(DeviceBuffer::<u8>::zeroed(&stream, 256).unwrap());
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    assert!(stream.device().trim(0).is_err());
    assert_eq!((fake.count("hipFree"), stream.device().cached_memory()), (0, 256));
    fake.heal("hipStreamSynchronize");
    assert_eq!(stream.device().trim(0).unwrap(), 256);
    fake.assert_clean();
}

#[test]
fn memory_of_another_device_is_refused() {
    let fake = Fake::new(Config { devices: 2, ..Config::default() });
    let runtime = fake.runtime();
    let (near, far) =
        (runtime.device(0).unwrap().stream().unwrap(), runtime.device(1).unwrap().stream().unwrap());
    let mut buffer = DeviceBuffer::<u32>::zeroed(&near, 4).unwrap();
    let wrong = ErrorKind::WrongDevice { expected: 1, actual: 0 };
    assert_eq!(far.upload(&[0; 4], &mut buffer).unwrap_err().kind(), &wrong);
    assert_eq!(far.fill(&mut buffer, 1).unwrap_err().kind(), &wrong);
    assert_eq!(buffer.to_vec(&far).unwrap_err().kind(), &wrong);
    assert_eq!(far.upload_async(vec![0; 4], &mut buffer).unwrap_err().kind(), &wrong);
}

#[test]
fn pinned_memory_is_a_slice() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let mut host = PinnedBuffer::<u16>::zeroed(device, 4).unwrap();
    assert_eq!(*host, [0; 4]);
    host.copy_from_slice(&[1, 2, 3, 4]);
    assert_eq!(PinnedBuffer::from_slice(device, &host).unwrap().iter().sum::<u16>(), 10);
    drop(host);
    assert_eq!(fake.state().live(true), 0);
    fake.assert_clean();
}
