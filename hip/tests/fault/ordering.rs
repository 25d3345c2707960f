//! Order and lifetimes over a runtime that runs nothing before it must.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS};
use crate::{SAXPY, Saxpy};
use hip::{DeviceBuffer, Kernel, LaunchConfig, Module, PinnedBuffer, Stream};

struct Setup {
    fake: Fake,
    a: Stream,
    b: Stream,
    saxpy: Kernel<Saxpy>,
}

fn setup() -> Setup {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel().unwrap();
    Setup { fake, a: device.stream().unwrap(), b: device.stream().unwrap(), saxpy }
}

const CONFIG: fn() -> LaunchConfig = || LaunchConfig::for_len(100);

#[test]
fn the_fake_runs_nothing_early() {
    // The other tests mean nothing if this does not hold.
    let Setup { fake, a, b, .. } = setup();
    let buffer = DeviceBuffer::<u32>::zeroed(&a, 100).unwrap();
    let memory = || fake.state().peek(buffer.view().address().addr()).unwrap();
    assert!(memory().iter().all(|&byte| byte == 0xCD));
    b.synchronize().unwrap();
    assert!(memory().iter().all(|&byte| byte == 0xCD));
    a.synchronize().unwrap();
    assert!(memory().iter().take(400).all(|&byte| byte == 0));
}

#[test]
fn one_stream_needs_no_events() {
    let Setup { fake, a, saxpy, .. } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 100).unwrap();
    for _ in 0..50 {
        saxpy.launch(&a, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    }
    assert_eq!(y.to_vec(&a).unwrap(), [50.0; 100]);
    drop((x, y));
    assert_eq!(fake.count("hipEventRecord"), 0);
}

#[test]
fn a_read_waits_for_a_write_on_another_stream() {
    let Setup { fake, a, b, saxpy } = setup();
    let mut x = DeviceBuffer::<f32>::zeroed(&a, 100).unwrap();
    a.fill(&mut x, 2.0).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&b, 100).unwrap();
    saxpy.launch(&b, CONFIG(), (3.0, &x, &mut y, 100)).unwrap();
    assert_eq!(y.to_vec(&b).unwrap(), [6.0; 100]);
    fake.assert_clean();
}

#[test]
fn a_write_waits_for_reads_on_other_streams() {
    let Setup { fake, a, b, saxpy } = setup();
    let mut x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let (mut y, mut z) = (DeviceBuffer::zeroed(&a, 100).unwrap(), DeviceBuffer::zeroed(&b, 100).unwrap());
    saxpy.launch(&a, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    saxpy.launch(&b, CONFIG(), (1.0, &x, &mut z, 100)).unwrap();
    // On stream a, whose own read needs no waiting; b's does.
    a.fill(&mut x, 9.0).unwrap();
    a.synchronize().unwrap();
    assert_eq!(z.to_vec(&b).unwrap(), [1.0; 100]);
    assert_eq!(y.to_vec(&b).unwrap(), [1.0; 100]);
    assert_eq!(x.to_vec(&b).unwrap(), [9.0; 100]);
    fake.assert_clean();
}

#[test]
fn readers_do_not_wait_for_each_other_and_only_once_for_the_writer() {
    let Setup { fake, a, b, saxpy } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let (mut y, mut z) = (DeviceBuffer::zeroed(&a, 100).unwrap(), DeviceBuffer::zeroed(&b, 100).unwrap());
    saxpy.launch(&b, CONFIG(), (1.0, &x, &mut z, 100)).unwrap();
    assert_eq!(fake.count("hipEventRecord"), 1);
    for _ in 0..10 {
        saxpy.launch(&b, CONFIG(), (1.0, &x, &mut z, 100)).unwrap();
        saxpy.launch(&a, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    }
    assert_eq!(fake.count("hipEventRecord"), 1);
    assert_eq!(z.to_vec(&b).unwrap(), [11.0; 100]);
}

#[test]
fn work_alternates_between_streams() {
    let Setup { fake, a, b, saxpy } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 100).unwrap();
    let default = a.device().default_stream();
    for stream in [&b, &a, &default, &b, &b, &default, &a] {
        saxpy.launch(stream, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    }
    assert_eq!(y.to_vec(&b).unwrap(), [7.0; 100]);
    fake.assert_clean();
}

#[test]
fn halves_of_a_buffer_on_two_streams() {
    let Setup { fake, a, b, saxpy } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 50]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 100).unwrap();
    let (mut left, mut right) = y.view_mut().split_at(50).unwrap();
    for _ in 0..3 {
        saxpy.launch(&a, LaunchConfig::for_len(50), (1.0, &x, &mut left, 50)).unwrap();
        saxpy.launch(&b, LaunchConfig::for_len(50), (2.0, &x, &mut right, 50)).unwrap();
    }
    let sum = y.to_vec(&a).unwrap();
    assert_eq!((&sum[..50], &sum[50..]), (&[3.0; 50][..], &[6.0; 50][..]));
    fake.assert_clean();
}

#[test]
fn a_buffer_dropped_while_another_stream_reads_it() {
    let Setup { fake, a, b, saxpy } = setup();
    let device = a.device();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&b, 100).unwrap();
    let address = x.view().address();
    saxpy.launch(&b, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    drop(x);
    // The next buffer gets the same memory, and its first use on stream a must not overtake b's read.
    let mut next = DeviceBuffer::<f32>::uninit(device, 100).unwrap();
    assert_eq!(next.view().address(), address);
    a.fill(&mut next, 5.0).unwrap();
    a.synchronize().unwrap();
    assert_eq!(y.to_vec(&b).unwrap(), [1.0; 100]);
    drop(next);
    device.trim(0).unwrap();
    fake.run_all();
    fake.assert_clean();
}

#[test]
fn memory_is_freed_after_its_last_use() {
    let Setup { fake, a, b, saxpy } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&b, 100).unwrap();
    saxpy.launch(&b, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    drop((x, y));
    a.device().trim(0).unwrap();
    assert_eq!(fake.state().live(false), 0);
    fake.run_all();
    fake.assert_clean();
}

#[test]
fn a_stream_goes_before_the_memory_it_used() {
    let Setup { fake, a, b, saxpy } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 100).unwrap();
    saxpy.launch(&a, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    drop(a);
    assert_eq!(y.to_vec(&b).unwrap(), [1.0; 100]);
    fake.assert_clean();
}

#[test]
fn a_stream_whose_work_cannot_be_waited_for_is_leaked() {
    let Setup { fake, a, b, .. } = setup();
    a.runtime().on_drop_error(|_| ());
    let buffer = DeviceBuffer::<u32>::zeroed(&a, 100).unwrap();
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    drop(a);
    fake.heal("hipStreamSynchronize");
    assert_eq!(fake.count("hipStreamDestroy"), 0);
    assert_eq!(buffer.to_vec(&b).unwrap(), [0; 100]);
    fake.assert_clean();
}

#[test]
fn a_module_dropped_while_its_kernel_runs() {
    let Setup { fake, a, saxpy, .. } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 100).unwrap();
    saxpy.launch(&a, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
    assert_eq!(fake.count("hipModuleUnload"), 0);
    drop(saxpy);
    assert_eq!(fake.count("hipModuleUnload"), 1);
    assert_eq!(y.to_vec(&a).unwrap(), [1.0; 100]);
    fake.assert_clean();
}

#[test]
fn pending_copies_give_the_memory_back() {
    let Setup { fake, a, .. } = setup();
    let device = a.device();
    let host = PinnedBuffer::from_slice(device, &[1u32, 2, 3]).unwrap();
    let mut buffer = DeviceBuffer::<u32>::uninit(device, 3).unwrap();
    let pending = a.upload_async(host, &mut buffer).unwrap();
    assert!(!pending.is_done().unwrap());
    assert_eq!(*pending.wait().unwrap(), [1, 2, 3]);
    let back = a.download_async(&buffer, vec![0u32; 3]).unwrap();
    assert_eq!(back.wait().unwrap(), [1, 2, 3]);
    fake.assert_clean();
}

#[test]
fn a_forgotten_pending_leaks_and_does_no_harm() {
    let Setup { fake, a, .. } = setup();
    let host = PinnedBuffer::from_slice(a.device(), &[7u32; 10]).unwrap();
    let mut buffer = DeviceBuffer::<u32>::uninit(a.device(), 10).unwrap();
    std::mem::forget(a.upload_async(host, &mut buffer).unwrap());
    assert_eq!(buffer.to_vec(&a).unwrap(), [7; 10]);
    assert_eq!(fake.state().live(true), 1);
    fake.assert_clean();
}

#[test]
fn a_dropped_pending_is_freed_when_its_copy_is_done() {
    let Setup { fake, a, b, .. } = setup();
    let host = PinnedBuffer::from_slice(a.device(), &[7u32; 10]).unwrap();
    let mut buffer = DeviceBuffer::<u32>::uninit(a.device(), 10).unwrap();
    drop(a.upload_async(host, &mut buffer).unwrap());
    b.synchronize().unwrap();
    assert_eq!(fake.state().live(true), 1, "the copy has not run yet");
    a.synchronize().unwrap();
    assert_eq!(fake.state().live(true), 0);
    assert_eq!(buffer.to_vec(&a).unwrap(), [7; 10]);
    fake.assert_clean();
}

#[test]
fn a_vec_in_flight_lives_on() {
    let Setup { fake, a, .. } = setup();
    let mut buffer = DeviceBuffer::<u32>::uninit(a.device(), 1000).unwrap();
    drop(a.upload_async(vec![3u32; 1000], &mut buffer).unwrap());
    // Would be given the Vec's memory, had it been freed.
    let others: Vec<Vec<u32>> = (0..10).map(|_| vec![9; 1000]).collect();
    assert_eq!(buffer.to_vec(&a).unwrap(), [3; 1000]);
    assert_eq!(others.len(), 10);
    fake.assert_clean();
}

#[test]
fn host_memory_survives_a_failure_after_its_copy_was_enqueued() {
    let Setup { fake, a, .. } = setup();
    let host = PinnedBuffer::from_slice(a.device(), &[7u32; 10]).unwrap();
    let mut buffer = DeviceBuffer::<u32>::uninit(a.device(), 10).unwrap();
    fake.fail("hipEventRecord", 0, ILLEGAL_ADDRESS);
    let error = a.upload_async(host, &mut buffer).unwrap_err();
    assert_eq!(error.call(), Some("hipEventRecord"));
    fake.heal("hipEventRecord");
    assert_eq!(buffer.to_vec(&a).unwrap(), [7; 10]);
    assert_eq!(fake.state().live(true), 0);
    fake.assert_clean();
}

#[test]
fn host_memory_survives_a_copy_that_fails_but_runs() {
    let Setup { fake, a, .. } = setup();
    let host = PinnedBuffer::from_slice(a.device(), &[7u32; 10]).unwrap();
    let mut buffer = DeviceBuffer::<u32>::uninit(a.device(), 10).unwrap();
    fake.fail_late("hipMemcpyAsync", ILLEGAL_ADDRESS);
    assert_eq!(a.upload_async(host, &mut buffer).unwrap_err().call(), Some("hipMemcpyAsync"));
    assert_eq!(fake.state().live(true), 0);
    assert_eq!(buffer.to_vec(&a).unwrap(), [7; 10]);
    fake.assert_clean();
}

#[test]
fn work_that_fails_but_runs_is_waited_for() {
    let Setup { fake, a, b, saxpy } = setup();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&b, 100).unwrap();
    let source = DeviceBuffer::from_slice(&a, &[5u32; 1000]).unwrap();
    let mut target = DeviceBuffer::<u32>::uninit(a.device(), 1000).unwrap();
    fake.fail_late("hipModuleLaunchKernel", ILLEGAL_ADDRESS);
    fake.fail_late("hipMemcpyAsync", ILLEGAL_ADDRESS);
    assert!(saxpy.launch(&b, CONFIG(), (1.0, &x, &mut y, 100)).is_err());
    drop(x);
    a.device().trim(0).unwrap();
    fake.assert_clean();
    assert!(b.copy(&source, &mut target).is_err());
    drop(source);
    a.device().trim(0).unwrap();
    fake.assert_clean();
    assert_eq!(y.to_vec(&a).unwrap(), [1.0; 100]);
    assert_eq!(target.to_vec(&a).unwrap(), [5; 1000]);
    fake.run_all();
    fake.assert_clean();
}

#[test]
fn a_write_after_a_first_use_that_read() {
    let Setup { fake, a, b, saxpy } = setup();
    let mut x = DeviceBuffer::<f32>::uninit(a.device(), 100).unwrap();
    let (mut y, mut z) = (DeviceBuffer::zeroed(&a, 100).unwrap(), DeviceBuffer::zeroed(&b, 100).unwrap());
    // The stream is the only one that used x, so it does not enter this write in the list.
    saxpy.launch(&a, CONFIG(), (0.0, &x, &mut y, 100)).unwrap();
    a.fill(&mut x, 4.0).unwrap();
    saxpy.launch(&b, CONFIG(), (1.0, &x, &mut z, 100)).unwrap();
    assert_eq!(z.to_vec(&b).unwrap(), [4.0; 100]);
    fake.assert_clean();
}

#[test]
fn threads_share_a_buffer_to_read() {
    let Setup { fake, a, saxpy, .. } = setup();
    let device = a.device();
    let mut x = DeviceBuffer::<f32>::uninit(device, 100).unwrap();
    a.fill(&mut x, 1.0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                fake.attach();
                let stream = device.stream().unwrap();
                let mut y = DeviceBuffer::<f32>::zeroed(&stream, 100).unwrap();
                for _ in 0..50 {
                    saxpy.launch(&stream, CONFIG(), (1.0, &x, &mut y, 100)).unwrap();
                }
                assert_eq!(y.to_vec(&stream).unwrap(), [50.0; 100]);
            });
        }
    });
    a.fill(&mut x, 2.0).unwrap();
    assert_eq!(x.to_vec(&a).unwrap(), [2.0; 100]);
    drop(x);
    device.trim(0).unwrap();
    fake.run_all();
    fake.assert_clean();
}

#[test]
fn threads_write_disjoint_parts() {
    let Setup { fake, a, saxpy, .. } = setup();
    let device = a.device();
    let x = DeviceBuffer::from_slice(&a, &[1.0f32; 64]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&a, 256).unwrap();
    let (left, right) = y.view_mut().split_at(128).unwrap();
    let ((p, q), (r, s)) = (left.split_at(64).unwrap(), right.split_at(64).unwrap());
    std::thread::scope(|scope| {
        for mut part in [p, q, r, s] {
            let (fake, saxpy, x) = (&fake, &saxpy, &x);
            scope.spawn(move || {
                fake.attach();
                let stream = device.stream().unwrap();
                for _ in 0..25 {
                    saxpy.launch(&stream, LaunchConfig::for_len(64), (1.0, x, &mut part, 64)).unwrap();
                }
                // The stream is dropped here, which waits for it; memory forgets it then.
            });
        }
    });
    assert_eq!(y.to_vec(&a).unwrap(), [25.0; 256]);
    fake.assert_clean();
}
