//! The user space of these tests.
//!
//! # Safety
//! Memory comes from mmap, is never a Rust reference, and outlives the card that it is mapped to: a
//! [`World`] drops its card first, and memory is only unmapped from the host with the process.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::Duration;

use vega_exec::{Engine, EngineConfig, Rights};
use vega_gpu::{Card, CardConfig, MemoryFault, Notify, QueueConfig, QueueId, QueueKind, QueueUpdate};

/// Longest wait for something that must happen: only a failing test waits that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the card told the driver.
#[derive(Debug, Default)]
pub struct Heard {
    pub events: Vec<u32>,
    pub interrupts: usize,
    pub faults: Vec<MemoryFault>,
    pub exceptions: usize,
    pub reports: Vec<String>,
    /// How many reports were there when the card told of the first fault.
    pub reports_before: Option<usize>,
}

/// A driver that writes down what it hears.
#[derive(Default)]
pub struct Driver {
    heard: Mutex<Heard>,
    changed: Condvar,
    /// Reports that wait for each other before they are finished, one after the other.
    pub meeting: Mutex<Option<Arc<Barrier>>>,
}

impl Driver {
    fn note(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.heard.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until what was heard is as asked, and returns what `get` takes from it.
    pub fn wait<T>(&self, mut get: impl FnMut(&Heard) -> Option<T>) -> T {
        let mut heard = self.heard.lock().unwrap();
        loop {
            if let Some(found) = get(&heard) {
                return found;
            }
            let (guard, timeout) = self.changed.wait_timeout(heard, PATIENCE).unwrap();
            heard = guard;
            assert!(!timeout.timed_out(), "never heard; so far: {heard:?}");
        }
    }

    pub fn heard<T>(&self, get: impl FnOnce(&Heard) -> T) -> T {
        get(&self.heard.lock().unwrap())
    }
}

impl Notify for Driver {
    fn raise(&self, event_id: u32) {
        self.note(|h| h.events.push(event_id));
    }

    fn raise_interrupt(&self) {
        self.note(|h| h.interrupts += 1);
    }

    fn memory_fault(&self, fault: MemoryFault) {
        self.note(|h| {
            h.reports_before.get_or_insert(h.reports.len());
            h.faults.push(fault);
        });
    }

    fn hardware_exception(&self) -> bool {
        self.note(|h| h.exceptions += 1);
        true
    }

    fn report(&self, text: &str) {
        let meeting = self.meeting.lock().unwrap().clone();
        if let Some(meeting) = meeting
            && meeting.wait().is_leader()
        {
            // The others are done long before.
            std::thread::sleep(Duration::from_millis(50));
        }
        self.note(|h| h.reports.push(text.to_owned()));
    }
}

/// A card and its driver.
pub struct World {
    pub card: Arc<Card>,
    pub driver: Arc<Driver>,
}

impl World {
    pub fn new() -> World {
        World::with(CardConfig::default())
    }

    pub fn with(config: CardConfig) -> World {
        // One engine for all tests, as in a process with several cards.
        static ENGINE: Mutex<Option<Arc<Engine>>> = Mutex::new(None);
        let engine = Arc::clone(ENGINE.lock().unwrap().get_or_insert_with(|| {
            Engine::new(EngineConfig { threads: 2, ..EngineConfig::default() }).unwrap()
        }));
        World::on(engine, config)
    }

    /// A card with an engine of its own.
    pub fn on(engine: Arc<Engine>, config: CardConfig) -> World {
        let driver = Arc::new(Driver::default());
        let card = Card::new(config, engine, Arc::clone(&driver) as Arc<dyn Notify>);
        World { card, driver }
    }

    /// Fresh zeroed memory, mapped to the card away from its host address.
    pub fn memory(&self, bytes: usize, rights: Rights) -> Memory {
        static NEXT: AtomicU64 = AtomicU64::new(0x10_0000_0000);
        let bytes = bytes.next_multiple_of(4096);
        // SAFETY: an anonymous mapping of its own.
        let host = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(host, libc::MAP_FAILED);
        let host = host.cast::<u8>();
        // A hole behind every mapping, so that an access beyond its end is a fault.
        let va = NEXT.fetch_add(bytes as u64 + 0x10_0000, Ordering::Relaxed) & !0xfff;
        // SAFETY: nothing but this module's raw accesses uses the memory, and it stays.
        unsafe { self.card.space().map(va, bytes as u64, host, rights) }.unwrap();
        Memory { va, host, bytes }
    }

    pub fn data(&self, bytes: usize) -> Memory {
        self.memory(bytes, Rights::READ_WRITE)
    }

    /// A signal without an event.
    pub fn signal(&self, value: i64) -> Signal {
        let memory = self.data(64);
        memory.write(8, value);
        Signal { memory }
    }

    /// A signal that raises an event through a mailbox.
    pub fn signal_with_event(&self, value: i64, event: u32) -> (Signal, Memory) {
        let (signal, mailbox) = (self.signal(value), self.data(8));
        mailbox.write(0, u64::MAX);
        signal.memory.write(0x10, mailbox.va);
        signal.memory.write(0x18, event);
        (signal, mailbox)
    }
}

/// Memory of the program, also the card's.
#[derive(Clone, Copy)]
pub struct Memory {
    pub va: u64,
    pub host: *mut u8,
    pub bytes: usize,
}

// SAFETY: only raw, volatile or atomic accesses go through the pointer.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub fn write<T: Copy>(&self, offset: usize, value: T) {
        assert!(offset + size_of::<T>() <= self.bytes);
        // SAFETY: inside the mapping.
        unsafe { self.host.add(offset).cast::<T>().write_volatile(value) }
    }

    pub fn read<T: Copy>(&self, offset: usize) -> T {
        assert!(offset + size_of::<T>() <= self.bytes);
        // SAFETY: inside the mapping; only plain integers are read.
        unsafe { self.host.add(offset).cast::<T>().read_volatile() }
    }

    pub fn atomic(&self, offset: usize) -> &AtomicU64 {
        assert!(offset + 8 <= self.bytes && offset.is_multiple_of(8));
        // SAFETY: inside the mapping, aligned, and an atomic may be shared.
        unsafe { AtomicU64::from_ptr(self.host.add(offset).cast()) }
    }

    pub fn fill(&self, value: impl Fn(usize) -> u8) {
        (0..self.bytes).for_each(|i| self.write(i, value(i)));
    }

    pub fn to_vec(self, offset: usize, len: usize) -> Vec<u8> {
        (offset..offset + len).map(|i| self.read(i)).collect()
    }

    pub fn words(&self, words: &[u32]) {
        words.iter().enumerate().for_each(|(i, w)| self.write(i * 4, *w));
    }
}

/// An `amd_signal_t`.
#[derive(Clone, Copy)]
pub struct Signal {
    pub memory: Memory,
}

impl Signal {
    pub fn handle(&self) -> u64 {
        self.memory.va
    }

    pub fn value(&self) -> i64 {
        self.memory.atomic(8).load(Ordering::Acquire) as i64
    }

    pub fn store(&self, value: i64) {
        self.memory.atomic(8).store(value as u64, Ordering::Release);
    }

    pub fn wait(&self, value: i64) {
        until(&format!("signal becomes {value}"), || self.value() == value);
    }
}

/// Waits until something holds that must hold soon.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// An AQL queue: an `amd_queue_t` and a ring.
pub struct Aql<'w> {
    pub world: &'w World,
    pub id: QueueId,
    pub queue: Memory,
    pub ring: Memory,
    pub inactive: Signal,
    slots: u64,
}

const WRITE_ID: usize = 0x38;
const READ_ID: usize = 0x80;

impl<'w> Aql<'w> {
    pub fn new(world: &'w World) -> Aql<'w> {
        Aql::starting_at(world, 16, 0)
    }

    /// A queue of `slots` packets whose ids begin with `first`.
    pub fn starting_at(world: &'w World, slots: u64, first: u64) -> Aql<'w> {
        let queue = world.data(0x100);
        let ring = world.data(slots as usize * 64);
        (0..slots as usize).for_each(|i| ring.write(i * 64, 1u16));
        queue.write(WRITE_ID, first);
        queue.write(READ_ID, first);
        queue.write(0x40, 1u32 << 16);
        queue.write(0x44, 2u32 << 16);
        let inactive = world.signal_with_event(0, 77).0;
        queue.write(0xc0, inactive.handle());
        let id = world
            .card
            .create_queue(QueueConfig {
                kind: QueueKind::Aql,
                ring_va: ring.va,
                ring_bytes: slots * 64,
                read_ptr_va: queue.va + READ_ID as u64,
                write_ptr_va: queue.va + WRITE_ID as u64,
                percentage: 100,
                priority: 7,
            })
            .unwrap();
        Aql { world, id, queue, ring, inactive, slots }
    }

    pub fn read_id(&self) -> u64 {
        self.queue.atomic(READ_ID).load(Ordering::Acquire)
    }

    /// Writes a packet's body, then its first dword, and rings. Returns its id.
    pub fn submit(&self, packet: [u32; 16]) -> u64 {
        let id = self.write(packet);
        self.world.card.ring();
        id
    }

    /// Like [`submit`](Self::submit), but without ringing.
    pub fn write(&self, packet: [u32; 16]) -> u64 {
        let id = self.queue.atomic(WRITE_ID).fetch_add(1, Ordering::AcqRel);
        until("a free slot", || id.wrapping_sub(self.read_id()) < self.slots);
        self.publish(id, packet);
        id
    }

    /// Reserves the next id without writing its packet.
    pub fn reserve(&self) -> u64 {
        self.queue.atomic(WRITE_ID).fetch_add(1, Ordering::AcqRel)
    }

    pub fn publish(&self, id: u64, packet: [u32; 16]) {
        let at = (id % self.slots) as usize * 64;
        for (i, pair) in packet.chunks(2).enumerate().skip(1) {
            self.ring.write(at + i * 8, u64::from(pair[0]) | u64::from(pair[1]) << 32);
        }
        let first = u64::from(packet[0]) | u64::from(packet[1]) << 32;
        self.ring.atomic(at).store(first, Ordering::Release);
    }

    pub fn wait_read(&self, id: u64) {
        until(&format!("read id {id}"), || self.read_id() == id);
    }

    /// A percentage of 0 suspends.
    pub fn update(&self, percentage: u32) {
        let update =
            QueueUpdate { ring_va: self.ring.va, ring_bytes: self.slots * 64, percentage, priority: 7 };
        self.world.card.update_queue(self.id, update).unwrap();
    }
}

/// The two dwords of a 64-bit value.
pub fn wide(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

fn packet(header: u32, fields: &[(usize, u64)], completion: Option<&Signal>) -> [u32; 16] {
    let mut words = [0; 16];
    words[0] = header;
    for &(dword, value) in fields {
        words[dword..dword + 2].copy_from_slice(&wide(value));
    }
    words[14..].copy_from_slice(&wide(completion.map_or(0, Signal::handle)));
    words
}

pub fn barrier_and(deps: &[Signal], completion: Option<&Signal>) -> [u32; 16] {
    let fields: Vec<_> = deps.iter().enumerate().map(|(i, s)| (2 + 2 * i, s.handle())).collect();
    packet(0x0103, &fields, completion)
}

pub fn barrier_or(deps: &[Signal], completion: Option<&Signal>) -> [u32; 16] {
    let mut words = barrier_and(deps, completion);
    words[0] = 0x0105;
    words
}

pub fn barrier_value(
    signal: &Signal,
    value: i64,
    mask: i64,
    cond: u32,
    completion: Option<&Signal>,
) -> [u32; 16] {
    let fields = [(2, signal.handle()), (4, value as u64), (6, mask as u64), (8, cond.into())];
    packet(0x0002_0100, &fields, completion)
}

/// A vendor-specific packet with a PM4 indirect buffer, as ROCr builds it.
pub fn pm4(ib: &Memory, dwords: u32, completion: Option<&Signal>) -> [u32; 16] {
    let mut words = packet(0x0001_0000, &[(2, ib.va)], completion);
    words[1] = 0xc002_3f00;
    words[4] = dwords | 1 << 23;
    words[5] = 10;
    words
}

/// A kernel dispatch.
#[derive(Clone, Copy, Default)]
pub struct Dispatch {
    pub dims: u32,
    pub workgroup: [u32; 3],
    pub grid: [u32; 3],
    pub private: u32,
    pub group: u32,
    pub kernel: u64,
    pub kernarg: u64,
}

impl Dispatch {
    pub fn packet(&self, completion: Option<&Signal>) -> [u32; 16] {
        let [wx, wy, wz] = self.workgroup;
        let fields = [(8, self.kernel), (10, self.kernarg)];
        let mut words = packet(0x1502 | self.dims << 16, &fields, completion);
        words[1] = wx | wy << 16;
        words[2] = wz;
        words[3..6].copy_from_slice(&self.grid);
        words[6] = self.private;
        words[7] = self.group;
        words
    }
}

/// An SDMA queue.
pub struct Sdma<'w> {
    pub world: &'w World,
    pub id: QueueId,
    pub ring: Memory,
    pub pointers: Memory,
    bytes: u64,
}

impl<'w> Sdma<'w> {
    pub fn new(world: &'w World) -> Sdma<'w> {
        Sdma::starting_at(world, 4096, 0)
    }

    pub fn starting_at(world: &'w World, bytes: u64, first: u64) -> Sdma<'w> {
        let (ring, pointers) = (world.data(bytes as usize), world.data(16));
        pointers.write(0, first);
        pointers.write(8, first);
        let id = world
            .card
            .create_queue(QueueConfig {
                kind: QueueKind::Sdma,
                ring_va: ring.va,
                ring_bytes: bytes,
                read_ptr_va: pointers.va,
                write_ptr_va: pointers.va + 8,
                percentage: 100,
                priority: 15,
            })
            .unwrap();
        Sdma { world, id, ring, pointers, bytes }
    }

    pub fn read_ptr(&self) -> u64 {
        self.pointers.atomic(0).load(Ordering::Acquire)
    }

    /// Writes packets to the ring and rings. Returns the write pointer behind them.
    pub fn submit(&self, words: &[u32]) -> u64 {
        let write = self.pointers.atomic(8);
        let start = write.load(Ordering::Relaxed);
        let end = start.wrapping_add(words.len() as u64 * 4);
        until("room in the ring", || end.wrapping_sub(self.read_ptr()) <= self.bytes);
        for (i, word) in words.iter().enumerate() {
            self.ring.write((start.wrapping_add(i as u64 * 4) % self.bytes) as usize, *word);
        }
        write.store(end, Ordering::Release);
        self.world.card.ring();
        end
    }

    /// Submits and waits until everything is read.
    pub fn run(&self, words: &[u32]) {
        let end = self.submit(words);
        until("the packets are read", || self.read_ptr() == end);
    }
}
