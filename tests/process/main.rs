//! How a program's process and the device live together: several cards, several processes, signals, descriptors, fork, floating-point modes, idle time,
//! memory, repeated and hidden use.
//!
//! # Safety
//! Each block that calls into libc or sets MXCSR says why it may. They run in child processes of their own, so that no
//! other test sees the changed signal handlers, descriptors or modes.

#[path = "../support/mod.rs"]
mod support;

use std::process::Command;
use std::time::Duration;

use hip::memory::{IpcEventHandle, IpcMemoryHandle};
use hip::{Device, DeviceBuffer, Event, EventFlags, LaunchConfig, Runtime, Stream};
use hip_vega::saxpy;
use support::{bits, check_saxpy, check_saxpy_with, device, finish_child, in_child, run_child};

/// Plays the child's part of `test`, or runs the child and wants it to succeed.
#[track_caller]
fn in_own_process(test: &str, part: impl FnOnce(Stream)) {
    if in_child(test) {
        part(Device::first().and_then(Device::stream).expect("a stream"));
    } else if device().is_some() {
        run_child(test, |_| {}).assert_success();
    }
}

/// User and system time of this process so far.
fn processor_time() -> Duration {
    // SAFETY: `rusage` is plain data, for which zero bytes are a value; the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage
    };
    let time = |t: libc::timeval| Duration::from_micros(t.tv_sec as u64 * 1_000_000 + t.tv_usec as u64);
    time(usage.ru_utime) + time(usage.ru_stime)
}

#[test]
fn an_idle_device_uses_no_processor() {
    in_own_process("an_idle_device_uses_no_processor", |stream| {
        check_saxpy(&stream, 1000).expect("SAXPY");
        // What the runtime still does right after a launch is its own.
        std::thread::sleep(Duration::from_millis(500));
        let before = processor_time();
        std::thread::sleep(Duration::from_secs(2));
        let used = processor_time() - before;
        // A hundredth of one processor: what polling every few microseconds exceeds many times.
        assert!(used <= Duration::from_millis(20), "{used:?} in 2 s of idling");
        check_saxpy(&stream, 1000).expect("SAXPY afterwards");
    });
}

#[test]
fn many_launches_give_the_same_bits() {
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    let kernels = saxpy::Kernels::load(device).expect("the kernels");
    for _ in 0..200 {
        check_saxpy_with(&kernels, &stream, 777).expect("SAXPY");
    }
}

#[test]
fn threads_share_a_device() {
    let Some(device) = device() else { return };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let stream = device.stream().expect("a stream");
                for round in 0..10 {
                    check_saxpy(&stream, 500 + 100 * thread + round).expect("SAXPY");
                }
            });
        }
    });
}

#[test]
fn a_hidden_device_is_not_there() {
    const NAME: &str = "a_hidden_device_is_not_there";
    if in_child(NAME) {
        let count = Runtime::load().and_then(Runtime::device_count);
        assert!(!matches!(count, Ok(1..)), "{count:?}");
    } else if device().is_some() {
        run_child(NAME, |command| {
            command.env("HIP_VISIBLE_DEVICES", "-1");
        })
        .assert_success();
    }
}

/// The `vega` file that this process runs under, if it does: `VEGA` names it, or it is what is preloaded.
fn vega() -> Option<std::path::PathBuf> {
    let preload = std::env::var("LD_PRELOAD").unwrap_or_default();
    let mut preloaded =
        preload.split([':', ' ']).filter(|path| path.ends_with("vega") || path.ends_with("libvega.so"));
    std::env::var_os("VEGA").map(Into::into).or_else(|| preloaded.next().map(Into::into))
}

/// Plays the child's part of `test` on that many virtual cards, or runs the child and wants it to succeed.
fn on_virtual_cards(test: &str, count: usize, part: impl FnOnce(Vec<Device>)) {
    if in_child(test) {
        let devices: Vec<Device> = Runtime::load().and_then(Runtime::devices).expect("devices").collect();
        assert_eq!(devices.len(), count);
        return part(devices);
    }
    let Some(device) = device() else { return };
    if !device.name().expect("a name").ends_with("(virtual)") {
        return eprintln!("skipped, the card is real");
    }
    let mut command = Command::new(vega().expect("the vega file that this runs under"));
    command
        .args(["run", "--gpus", &count.to_string(), "--"])
        .arg(std::env::current_exe().expect("the path of this program"));
    finish_child(test, command).assert_success();
}

#[test]
fn two_virtual_cards_compute() {
    on_virtual_cards("two_virtual_cards_compute", 2, |devices| {
        for device in devices {
            check_saxpy(&device.stream().expect("a stream"), 3000).expect("SAXPY");
        }
    });
}

#[test]
fn four_virtual_cards_reach_each_other() {
    on_virtual_cards("four_virtual_cards_reach_each_other", 4, |devices| {
        const LEN: usize = 3000;
        let streams: Vec<Stream> = devices.iter().map(|it| it.stream().expect("a stream")).collect();
        let value = |stream: &Stream| (stream.device().ordinal() + 1) as f32;
        let buffers: Vec<DeviceBuffer<f32>> = streams
            .iter()
            .map(|stream| DeviceBuffer::from_slice(stream, &[value(stream); LEN]).expect("a buffer"))
            .collect();
        for here in &streams {
            let near = here.device();
            let kernels = saxpy::Kernels::load(near).expect("the kernels");
            let mut sum = DeviceBuffer::<f32>::zeroed(here, LEN).expect("a buffer");
            let mut copy = DeviceBuffer::<f32>::uninit(near, LEN).expect("a buffer");
            let mut expected = 0.0;
            for (there, buffer) in streams.iter().zip(&buffers) {
                here.copy_peer(buffer, &mut copy).expect("a copy");
                assert_eq!(copy.to_vec(here).expect("the copy"), [value(there); LEN]);
                assert!(near == there.device() || near.can_access_peer(there.device()).expect("an answer"));
                near.enable_peer_access(there.device()).expect("access");
                // In place, across the bus.
                let config = LaunchConfig::for_len(LEN);
                kernels.saxpy(here, config, 2.0, buffer, &mut sum, LEN as i32).expect("a launch");
                expected += 2.0 * value(there);
            }
            assert_eq!(sum.to_vec(here).expect("the sum"), [expected; LEN]);
        }
        // And written in place: what the last card writes, the first one reads, in the order of the calls.
        let (first, last) = (&streams[0], &streams[3]);
        first.device().enable_peer_access(last.device()).expect("access");
        last.device().enable_peer_access(first.device()).expect("access");
        let mut shared = DeviceBuffer::<f32>::zeroed(first, LEN).expect("a buffer");
        for round in 1..5 {
            last.fill(&mut shared, round as f32).expect("a fill");
            assert_eq!(shared.to_vec(first).expect("the buffer"), [round as f32; LEN]);
        }
    });
}

#[test]
fn two_processes_share_memory_and_an_event() {
    const NAME: &str = "two_processes_share_memory_and_an_event";
    const HANDLES: &str = "HIP_TEST_HANDLES";
    const LEN: usize = 5000;
    let read = |text: &str| -> [u8; 64] {
        let bytes = (0..64).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("a digit"));
        bytes.collect::<Vec<u8>>().try_into().expect("64 bytes")
    };
    if in_child(NAME) {
        let handles = std::env::var(HANDLES).expect("the handles");
        let (memory, event) = handles.split_at(128);
        let stream = Device::first().and_then(Device::stream).expect("a stream");
        let (device, memory) = (stream.device(), IpcMemoryHandle::from_bytes(read(memory)));
        // SAFETY: the parent keeps the event and the memory, which has as many elements, until this process has ended.
        let event = unsafe { Event::open_ipc(device, IpcEventHandle::from_bytes(read(event))) };
        // SAFETY: as above.
        let shared = unsafe { DeviceBuffer::<f32>::open_ipc(device, memory, LEN) };
        let (mut shared, event) = (shared.expect("the memory"), event.expect("the event"));
        stream.wait(&event).expect("waiting for what the parent enqueued");
        assert_eq!(shared.to_vec(&stream).expect("the memory"), [1.0; LEN]);
        let kernels = saxpy::Kernels::load(device).expect("the kernels");
        let x = DeviceBuffer::from_slice(&stream, &[3.0f32; LEN]).expect("x");
        kernels.saxpy(&stream, LaunchConfig::for_len(LEN), 2.0, &x, &mut shared, LEN as i32).expect("SAXPY");
        stream.synchronize().expect("SAXPY");
        return;
    }
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    let mut buffer = DeviceBuffer::<f32>::uninit(device, LEN).expect("a buffer");
    let event = Event::with_flags(device, EventFlags::new().interprocess(true)).expect("an event");
    stream.fill(&mut buffer, 1.0).expect("a fill");
    // HIP waits on the host for an interprocess event that no kernel records: not on a card that executes nothing.
    assert_eq!(buffer.to_vec(&stream).expect("the buffer"), [1.0; LEN]);
    event.record(&stream).expect("the event is recorded");
    let memory = buffer.ipc_handle().expect("a handle").to_bytes();
    let handles = [memory, event.ipc_handle().expect("a handle").to_bytes()].concat();
    let text: String = handles.iter().map(|byte| format!("{byte:02x}")).collect();
    run_child(NAME, |command| {
        command.env(HANDLES, text);
    })
    .assert_success();
    assert_eq!(buffer.to_vec(&stream).expect("the buffer"), [7.0; LEN]);
}

/// SAXPY of one denormal number, all in integers: the host's own arithmetic may flush it to zero.
fn denormals_survive(stream: &Stream) {
    const DENORMAL: u32 = 0x0000_0203;
    let kernels = saxpy::Kernels::load(stream.device()).expect("the kernels");
    let x = DeviceBuffer::from_slice(stream, &[f32::from_bits(DENORMAL); 64]).expect("x");
    let mut y = DeviceBuffer::from_slice(stream, &[0.0f32; 64]).expect("y");
    kernels.saxpy(stream, LaunchConfig::for_len(64), 1.0, &x, &mut y, 64).expect("the launch");
    assert_eq!(bits(&y.to_vec(stream).expect("the result")), [DENORMAL; 64]);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_program_that_flushes_to_zero_computes_right() {
    const NAME: &str = "a_program_that_flushes_to_zero_computes_right";
    if in_child(NAME) {
        // Flush-to-zero, denormals-are-zero, and all exceptions masked: before HIP starts its threads, which inherit it.
        let mxcsr: u32 = 0x9fc0;
        // SAFETY: a valid MXCSR value. This process does no arithmetic on denormal numbers itself.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &mxcsr, options(nostack)) };
        let stream = Device::first().and_then(Device::stream).expect("a stream");
        denormals_survive(&stream);
        check_saxpy(&stream, 1000).expect("SAXPY");
    } else if let Some(device) = device() {
        denormals_survive(&device.stream().expect("a stream"));
        run_child(NAME, |_| {}).assert_success();
    }
}

/// Exits with 42: how the parent knows that the program's own handler ran.
extern "C" fn exit_42(_signal: libc::c_int) {
    // SAFETY: async-signal-safe, and it does not return.
    unsafe { libc::_exit(42) }
}

#[test]
fn a_program_keeps_its_own_segv_handler() {
    const NAME: &str = "a_program_keeps_its_own_segv_handler";
    if in_child(NAME) {
        let stream = Device::first().and_then(Device::stream).expect("a stream");
        check_saxpy(&stream, 1000).expect("SAXPY");
        let handler: extern "C" fn(libc::c_int) = exit_42;
        // SAFETY: the handler makes one async-signal-safe call.
        unsafe { libc::signal(libc::SIGSEGV, handler as libc::sighandler_t) };
        for _ in 0..50 {
            check_saxpy(&stream, 1000).expect("SAXPY with a handler of the program's own");
        }
        // SAFETY: the signal's handler ends the process, as this process installed it to.
        unsafe { libc::raise(libc::SIGSEGV) };
        return;
    }
    if device().is_some() {
        let ended = run_child(NAME, |_| {});
        assert_eq!(ended.status.code(), Some(42), "{}\n{}", ended.status, ended.output);
    }
}

#[test]
fn a_program_closes_all_descriptors() {
    in_own_process("a_program_closes_all_descriptors", |stream| {
        use std::io::{Read, Seek, Write};
        let first = DeviceBuffer::from_slice(&stream, &vec![7u8; 1 << 20]).expect("a buffer");
        check_saxpy(&stream, 1000).expect("SAXPY");
        for descriptor in 3..1024 {
            // SAFETY: closing a number is always allowed; nothing in this process uses one above 2 from here on.
            unsafe { libc::close(descriptor) };
        }
        // The numbers are used again, by files of the program's own.
        let mut files: Vec<std::fs::File> = (0..32).map(|_| tempfile::tempfile().expect("a file")).collect();
        for file in &mut files {
            file.write_all(&[0x5a; 8192]).expect("it can be written");
        }
        check_saxpy(&stream, 5000).expect("SAXPY without descriptors");
        assert_eq!(first.to_vec(&stream).expect("the buffer"), vec![7u8; 1 << 20]);
        drop(first);
        stream.device().trim(0).expect("memory is given back");
        check_saxpy(&stream, 5000).expect("SAXPY after memory was given back");
        for file in &mut files {
            let mut content = Vec::new();
            file.rewind().and_then(|()| file.read_to_end(&mut content)).expect("it can be read");
            assert!(content == [0x5a; 8192], "a file of the program's own was changed");
        }
    });
}

#[test]
fn a_program_forks_while_threads_launch() {
    in_own_process("a_program_forks_while_threads_launch", |stream| {
        let device = stream.device();
        std::thread::scope(|scope| {
            let launch_often = || {
                let stream = device.stream().expect("a stream");
                (0..20).for_each(|_| check_saxpy(&stream, 1000).expect("SAXPY beside forks"));
            };
            let threads = [scope.spawn(launch_often), scope.spawn(launch_often)];
            while !threads.iter().all(|thread| thread.is_finished()) {
                fork_and_open();
            }
        });
    });
}

/// Forks; the child opens a file and exits, and does not hang on a lock that another thread held.
fn fork_and_open() {
    // SAFETY: the child calls only async-signal-safe functions (open and _exit).
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child == 0 {
        // SAFETY: the path is a C string; both are async-signal-safe.
        unsafe {
            let opened = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
            libc::_exit(if opened >= 0 { 0 } else { 1 });
        }
    }
    let mut status = 0;
    // SAFETY: `status` is written by the call.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!((waited, status), (child, 0), "the forked child opens a file and exits with 0");
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024
}

#[test]
fn memory_that_is_used_and_freed_does_not_stay() {
    in_own_process("memory_that_is_used_and_freed_does_not_stay", |stream| {
        const BYTES: usize = 64 << 20;
        let use_it = || {
            let buffer = DeviceBuffer::from_slice(&stream, &vec![1u8; BYTES]).expect("a buffer");
            check_saxpy(&stream, 1 << 18).expect("SAXPY");
            drop(buffer);
            stream.device().trim(0).expect("memory is given back");
        };
        use_it();
        let once = resident();
        (0..8).for_each(|_| use_it());
        let often = resident();
        // Eight times 64 MiB came and went: not one of them may have stayed.
        assert!(often < once + BYTES as u64, "{once} bytes after one round, {often} after nine");
    });
}

/// Resident memory of this process, in bytes, of what is not mapped from a file other than the `vega` file itself: heaps,
/// stacks, memfds, the card's memory, and `vega`.
fn resident_beside_libraries() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("/proc");
    let (mut counts, mut kibibytes) = (false, 0);
    for line in maps.lines() {
        if let Some(size) = line.strip_prefix("Rss:") {
            let size: u64 = size.trim().trim_end_matches(" kB").parse().expect("a number");
            kibibytes += if counts { size } else { 0 };
        } else if line.split(' ').next().is_some_and(|range| !range.ends_with(':')) {
            // A mapping's heading: address, rights, offset, device, inode, and the file if there is one.
            let file = line.split_whitespace().nth(5).unwrap_or_default();
            counts = !file.starts_with('/') || file.starts_with("/memfd:") || file.ends_with("/vega");
        }
    }
    kibibytes * 1024
}

#[test]
fn the_device_itself_needs_little_memory() {
    in_own_process("the_device_itself_needs_little_memory", |stream| {
        check_saxpy(&stream, 1 << 16).expect("SAXPY");
        let used = resident_beside_libraries();
        // The heaps of the runtime and of this program are in it, too, as is what SAXPY allocates.
        assert!((1 << 20..100 << 20).contains(&used), "{used} bytes");
    });
}
