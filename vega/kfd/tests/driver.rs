//! The driver as the thunk drives it, without ROCm: device nodes, ioctls, a queue and its doorbell.
//!
//! # Safety
//! Memory is mapped here, stays mapped, and is shared with the card through atomics only.

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytemuck::Pod;
use vega_kfd::abi::{self, alloc_flags, event_type, queue_type, wait_result};
use vega_kfd::tree::{self, Node};
use vega_kfd::{Errno, driver, ioctl};

const PAGE: usize = 4096;
const GPU: u32 = 6699;
const LIMIT: Duration = Duration::from_secs(30);

fn kfd() -> i32 {
    static FD: OnceLock<i32> = OnceLock::new();
    *FD.get_or_init(|| driver::open(&tree::resolve(b"/dev/kfd").unwrap(), libc::O_CLOEXEC).unwrap())
}

/// `_IOWR('K', number, T)`.
fn call<T: Pod>(number: u32, args: &mut T) -> Result<(), Errno> {
    let request = 3 << 30 | (size_of::<T>() as u32) << 16 | u32::from(b'K') << 8 | number;
    ioctl::ioctl(kfd(), request, std::ptr::from_mut(args) as u64).expect("it is our descriptor")
}

fn map(address: usize, bytes: usize, flags: i32, fd: i32, offset: u64) -> usize {
    let (protection, offset) = (libc::PROT_READ | libc::PROT_WRITE, offset as libc::off_t);
    // SAFETY: a new mapping, or one over pages that this test has reserved.
    let at = unsafe { libc::mmap(address as *mut libc::c_void, bytes, protection, flags, fd, offset) };
    assert_ne!(at, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
    at as usize
}

fn anonymous(bytes: usize) -> usize {
    map(0, bytes, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
}

/// Atomics in memory that stays mapped: `T` is one of the atomic integers.
fn atomic<T>(address: usize) -> &'static T {
    // SAFETY: aligned, mapped for the rest of the process, only used through atomics.
    unsafe { &*(address as *const T) }
}

fn alloc(va: usize, bytes: usize, flags: u32, mmap_offset: u64) -> Result<abi::AllocMemory, Errno> {
    let mut args = abi::AllocMemory {
        va_addr: va as u64,
        size: bytes as u64,
        mmap_offset,
        gpu_id: GPU,
        flags: flags | alloc_flags::WRITABLE,
        ..Default::default()
    };
    call(0x16, &mut args).map(|()| args)
}

fn map_to_card(handle: u64) {
    let devices = [GPU];
    let mut args =
        abi::MapMemory { handle, device_ids_array_ptr: devices.as_ptr() as u64, n_devices: 1, n_success: 0 };
    call(0x18, &mut args).unwrap();
    assert_eq!(args.n_success, 1);
}

/// Host memory that the card sees at the same address.
fn shared(bytes: usize) -> usize {
    let va = anonymous(bytes);
    map_to_card(alloc(va, bytes, alloc_flags::USERPTR, va as u64).unwrap().handle);
    va
}

/// The program's mapping of the doorbell page, made as the thunk makes it.
fn doorbells() -> usize {
    static PAGE_VA: OnceLock<usize> = OnceLock::new();
    *PAGE_VA.get_or_init(|| {
        let va = anonymous(2 * PAGE);
        let buffer = alloc(va, 2 * PAGE, alloc_flags::DOORBELL, 0).unwrap();
        assert_eq!(buffer.mmap_offset % (1 << 32), 0, "the thunk splits the offset at 32 bits");
        map(va, 2 * PAGE, libc::MAP_SHARED | libc::MAP_FIXED, kfd(), buffer.mmap_offset);
        map_to_card(buffer.handle);
        va
    })
}

struct Queue {
    id: u32,
    ring: usize,
    queue: usize,
    doorbell: usize,
    written: u64,
}

const SLOTS: u64 = 64;

impl Queue {
    fn new() -> Queue {
        let doorbells = doorbells();
        let (ring, queue) = (shared(SLOTS as usize * 64), shared(PAGE));
        for slot in 0..SLOTS as usize {
            // HSA_PACKET_TYPE_INVALID
            atomic::<AtomicU16>(ring + slot * 64).store(1, Ordering::Relaxed);
        }
        let mut args = abi::CreateQueue {
            ring_base_address: ring as u64,
            write_pointer_address: queue as u64 + 0x38,
            read_pointer_address: queue as u64 + 0x80,
            ring_size: SLOTS as u32 * 64,
            gpu_id: GPU,
            queue_type: queue_type::COMPUTE_AQL,
            queue_percentage: 100,
            ..Default::default()
        };
        call(0x02, &mut args).unwrap();
        let doorbell = doorbells + (args.doorbell_offset as u32) as usize;
        Queue { id: args.queue_id, ring, queue, doorbell, written: 0 }
    }

    /// A barrier packet that completes a signal.
    fn barrier(&mut self, signal: usize) {
        let packet = self.ring + (self.written % SLOTS) as usize * 64;
        for word in 1..7 {
            atomic::<AtomicU64>(packet + word * 8).store(0, Ordering::Relaxed);
        }
        atomic::<AtomicU64>(packet + 56).store(signal as u64, Ordering::Relaxed);
        // HSA_PACKET_TYPE_BARRIER_AND, with the barrier bit.
        atomic::<AtomicU32>(packet).store(3 | 1 << 8, Ordering::Release);
        self.written += 1;
        atomic::<AtomicU64>(self.queue + 0x38).store(self.written, Ordering::Release);
        atomic::<AtomicU64>(self.doorbell).store(self.written - 1, Ordering::Release);
    }
}

/// The value of an `amd_signal_t`.
fn value(signal: usize) -> &'static AtomicU64 {
    atomic(signal + 8)
}

fn wait_for(signal: usize, wanted: u64) {
    let start = Instant::now();
    while value(signal).load(Ordering::Acquire) != wanted {
        assert!(start.elapsed() < LIMIT, "the signal stays {}", value(signal).load(Ordering::Relaxed));
        std::thread::yield_now();
    }
}

#[test]
fn the_version_is_one_that_every_runtime_takes() {
    let mut args = abi::GetVersion::default();
    call(0x01, &mut args).unwrap();
    assert_eq!((args.major_version, args.minor_version), (1, 14));
}

#[test]
fn apertures_are_those_that_kernels_are_run_with() {
    let mut table = [abi::Apertures::default(); 4];
    let mut args = abi::ProcessAperturesNew {
        apertures_ptr: table.as_mut_ptr() as u64,
        num_of_nodes: 4,
        ..Default::default()
    };
    call(0x14, &mut args).unwrap();
    assert_eq!(args.num_of_nodes, 1);
    let wanted = vega_exec::Apertures::default();
    assert_eq!((table[0].lds_base, table[0].scratch_base), (wanted.lds, wanted.private));
    assert_eq!((table[0].gpu_id, table[0].gpuvm_limit), (GPU, (1 << 47) - 1));
}

#[test]
fn vram_is_counted_and_comes_back() {
    let free = || {
        let mut args = abi::AvailableMemory { gpu_id: GPU, ..Default::default() };
        call(0x23, &mut args).unwrap();
        args.available
    };
    let before = free();
    let va = 0x7000_0000_0000;
    let big = alloc(va, 5 << 30, alloc_flags::VRAM, 0).unwrap();
    assert_eq!(free(), before - (5 << 30));
    assert_eq!(alloc(va + (8 << 30), 5 << 30, alloc_flags::VRAM, 0).unwrap_err(), Errno::ENOMEM);
    call(0x17, &mut abi::FreeMemory { handle: big.handle }).unwrap();
    assert_eq!(free(), before);
    assert_eq!(call(0x17, &mut abi::FreeMemory { handle: big.handle }), Err(Errno::EINVAL));
}

#[test]
fn gtt_is_the_render_node() {
    let render = driver::open(&tree::resolve(b"/dev/dri/renderD128").unwrap(), libc::O_CLOEXEC).unwrap();
    let va = anonymous(PAGE);
    let buffer = alloc(va, PAGE, alloc_flags::GTT, 0).unwrap();
    map(va, PAGE, libc::MAP_SHARED | libc::MAP_FIXED, render, buffer.mmap_offset);
    map_to_card(buffer.handle);
    // The card completes a signal in it, and the program sees that.
    value(va).store(1, Ordering::Relaxed);
    Queue::new().barrier(va);
    wait_for(va, 0);
}

#[test]
fn an_exported_buffer_is_the_same_memory_elsewhere_and_outlives_its_exporter() {
    let render = driver::open(&tree::resolve(b"/dev/dri/renderD128").unwrap(), libc::O_CLOEXEC).unwrap();
    let va = anonymous(2 * PAGE);
    let buffer = alloc(va, 2 * PAGE, alloc_flags::GTT, 0).unwrap();
    map(va, 2 * PAGE, libc::MAP_SHARED | libc::MAP_FIXED, render, buffer.mmap_offset);
    value(va).store(1, Ordering::Relaxed);
    let mut export =
        abi::DmabufExport { handle: buffer.handle, flags: libc::O_CLOEXEC as u32, ..Default::default() };
    call(0x24, &mut export).unwrap();
    let mut info = abi::DmabufInfo { dmabuf_fd: export.dmabuf_fd, metadata_size: 64, ..Default::default() };
    call(0x1c, &mut info).unwrap();
    assert_eq!((info.size, info.gpu_id, info.flags), (2 * PAGE as u64, GPU, alloc_flags::GTT));
    assert_eq!(info.metadata_size, 0);
    let import = |va_addr: usize| {
        let mut args = abi::DmabufImport {
            va_addr: va_addr as u64,
            gpu_id: GPU,
            dmabuf_fd: export.dmabuf_fd,
            ..Default::default()
        };
        call(0x1d, &mut args).map(|()| args.handle)
    };
    let other = anonymous(2 * PAGE);
    map_to_card(import(other).unwrap());
    // What the card stores at the importer's address is in the exporter's mapping.
    let mut queue = Queue::new();
    queue.barrier(other);
    wait_for(va, 0);
    call(0x17, &mut abi::FreeMemory { handle: buffer.handle }).unwrap();
    let file = map(0, 2 * PAGE, libc::MAP_SHARED, export.dmabuf_fd as i32, 0);
    value(file).store(1, Ordering::Relaxed);
    queue.barrier(other);
    wait_for(file, 0);
    // Without an address nothing can be mapped, and a file of another kind is no buffer.
    let nowhere = import(0).unwrap();
    let devices = [GPU];
    let mut args = abi::MapMemory {
        handle: nowhere,
        device_ids_array_ptr: devices.as_ptr() as u64,
        n_devices: 1,
        n_success: 0,
    };
    assert_eq!(call(0x18, &mut args), Err(Errno::EINVAL));
    info.dmabuf_fd = render as u32;
    assert_eq!(call(0x1c, &mut info), Err(Errno::EINVAL));
    let own = shared_handle();
    assert_eq!(call(0x24, &mut abi::DmabufExport { handle: own, ..Default::default() }), Err(Errno::EPERM));
}

/// The handle of memory of the program's own.
fn shared_handle() -> u64 {
    let va = anonymous(PAGE);
    alloc(va, PAGE, alloc_flags::USERPTR, va as u64).unwrap().handle
}

#[test]
fn a_monitor_gets_a_descriptor_that_has_nothing_to_say() {
    let mut args = abi::SmiEvents { gpu_id: GPU, ..Default::default() };
    call(0x1f, &mut args).unwrap();
    let mut poll = libc::pollfd { fd: args.anon_fd as i32, events: libc::POLLIN, revents: 0 };
    // SAFETY: one element, and the descriptor is this test's own.
    assert_eq!(unsafe { libc::poll(&mut poll, 1, 0) }, 0);
    assert_eq!(call(0x1f, &mut abi::SmiEvents { gpu_id: 1, ..Default::default() }), Err(Errno::EINVAL));
}

#[test]
fn what_is_refused() {
    assert_eq!(alloc(0x1001, PAGE, alloc_flags::VRAM, 0).unwrap_err(), Errno::EINVAL);
    assert_eq!(alloc(0x1000, 0, alloc_flags::VRAM, 0).unwrap_err(), Errno::EINVAL);
    assert_eq!(alloc(0x1000, PAGE, 0, 0).unwrap_err(), Errno::EINVAL);
    assert_eq!(call(0x03, &mut abi::DestroyQueue { queue_id: 9999, pad: 0 }), Err(Errno::EINVAL));
    assert_eq!(call(0x21, &mut abi::XnackMode { xnack_enabled: 1 }), Err(Errno::EPERM));
    assert_eq!(call(0x7f, &mut abi::GetVersion::default()), Err(Errno::ENOTTY));
    assert_eq!(driver::open(&Node::Missing, 0), Err(Errno::ENOENT));
    let mut queue = abi::CreateQueue { gpu_id: 1, ..Default::default() };
    assert_eq!(call(0x02, &mut queue), Err(Errno::EINVAL));
}

#[test]
fn a_completion_raises_its_event() {
    let page_va = anonymous(8 * PAGE);
    let page = alloc(page_va, 8 * PAGE, alloc_flags::GTT, 0).unwrap();
    let mut event = abi::CreateEvent {
        event_page_offset: page.handle,
        event_type: event_type::SIGNAL,
        auto_reset: 1,
        ..Default::default()
    };
    call(0x08, &mut event).unwrap();
    assert_ne!(event.event_page_offset, 0);
    let signal = shared(PAGE);
    value(signal).store(1, Ordering::Relaxed);
    // event_mailbox_ptr and event_id of amd_signal_t
    let mailbox = shared(PAGE);
    atomic::<AtomicU64>(signal + 16).store(mailbox as u64, Ordering::Relaxed);
    atomic::<AtomicU32>(signal + 24).store(event.event_id, Ordering::Relaxed);
    let mut events = [abi::EventData { event_id: event.event_id, ..Default::default() }];
    let mut wait = abi::WaitEvents {
        events_ptr: events.as_mut_ptr() as u64,
        num_events: 1,
        timeout: 0,
        ..Default::default()
    };
    call(0x0c, &mut wait).unwrap();
    assert_eq!(wait.wait_result, wait_result::TIMEOUT);
    Queue::new().barrier(signal);
    wait.timeout = LIMIT.as_millis() as u32;
    call(0x0c, &mut wait).unwrap();
    assert_eq!(wait.wait_result, wait_result::COMPLETE);
    assert_eq!(value(signal).load(Ordering::Acquire), 0);
    assert_eq!(atomic::<AtomicU64>(mailbox).load(Ordering::Acquire), u64::from(event.event_id));
}

#[test]
fn no_doorbell_is_lost() {
    const ROUNDS: u64 = 300;
    std::thread::scope(|scope| {
        for thread in 0..3u64 {
            scope.spawn(move || {
                let mut queue = Queue::new();
                let signal = shared(PAGE);
                value(signal).store(ROUNDS, Ordering::Relaxed);
                for round in 0..ROUNDS {
                    queue.barrier(signal);
                    wait_for(signal, ROUNDS - 1 - round);
                    // Long enough, at times, for the watcher to fall asleep.
                    if (round + thread) % 7 == 0 {
                        std::thread::sleep(Duration::from_micros(100 * (round % 4)));
                    }
                }
                call(0x03, &mut abi::DestroyQueue { queue_id: queue.id, pad: 0 }).unwrap();
            });
        }
    });
}

#[test]
fn no_doorbell_is_lost_in_any_way() {
    for way in ["uffd", "trap", "poll"] {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program)
            .args(["--exact", "no_doorbell_is_lost", "--nocapture"])
            .env("VEGA_DOORBELL", way)
            .output()
            .unwrap();
        assert!(output.status.success(), "{way}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_forked_child_has_no_card() {
    let fd = kfd();
    // SAFETY: the child makes system calls and takes no lock, as the driver promises for ioctls there.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut args = abi::GetVersion::default();
        let request = 0x8008_4b01;
        let answer = ioctl::ioctl(fd, request, std::ptr::from_mut(&mut args) as u64);
        // SAFETY: ends the child without running the test harness's destructors.
        unsafe { libc::_exit(if answer == Some(Err(Errno::EBADF)) { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
}
