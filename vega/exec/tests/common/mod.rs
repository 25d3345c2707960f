//! A card for tests: memory at chosen addresses, an engine, code from words.
#![allow(dead_code)]

pub mod instructions;
pub mod programs;
pub mod registers;
pub mod target;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use vega_exec::{
    AddressSpace, CancelToken, Dispatch, Engine, EngineConfig, EngineKind, FaultReport, Host,
    KernelProperties, NoHost, Outcome, Rights,
};
use vega_isa::Table;

/// Host pages that a test maps to the card, between pages that nobody may touch.
pub struct Pages {
    pub host: *mut u8,
    pub len: usize,
}

/// Bytes of an inaccessible page on either side.
const GUARD: usize = 4096;

// SAFETY: the pages are reached through raw pointers and system calls only.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    pub fn new(len: usize) -> Self {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice, of which the middle becomes accessible.
        unsafe {
            let all = libc::mmap(std::ptr::null_mut(), len + 2 * GUARD, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(all, libc::MAP_FAILED);
            let host = all.cast::<u8>().add(GUARD);
            assert_eq!(libc::mprotect(host.cast(), len, libc::PROT_READ | libc::PROT_WRITE), 0);
            Self { host, len }
        }
    }

    /// Makes the pages inaccessible while they stay reserved.
    pub fn protect(&self) {
        // SAFETY: the pages are this object's.
        assert_eq!(unsafe { libc::mprotect(self.host.cast(), self.len, libc::PROT_NONE) }, 0);
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the pages are this object's; tests unmap them from the card before or use a new card.
        unsafe { libc::munmap(self.host.sub(GUARD).cast(), self.len + 2 * GUARD) };
    }
}

/// Pages that the host takes away for a moment: the first access finds them inaccessible, the next one does not.
pub static AWAY: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Gives the pages back if the address is in them.
fn give_back(address: usize) {
    let [from, len] = AWAY.each_ref().map(|word| word.load(Ordering::SeqCst));
    if address.wrapping_sub(from) < len {
        AWAY[1].store(0, Ordering::SeqCst);
        // SAFETY: pages of the test that has set their address.
        unsafe { libc::mprotect(from as *mut _, len, libc::PROT_READ | libc::PROT_WRITE) };
    }
}

extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's own argument.
    give_back(unsafe { (*info).si_addr() } as usize);
    // SAFETY: the kernel's own arguments.
    if unsafe { vega_exec::on_host_fault(signal, info, context) } {
        return;
    }
    // SAFETY: restores the default action; the fault then happens again and ends the process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Sends SIGSEGV and SIGBUS to the library, as the driver does.
pub fn catch_faults() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // SAFETY: the handler only calls async-signal-safe functions.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
                assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
            }
        }
    });
}

/// Ends the process if a test takes longer than this.
pub fn watchdog(limit: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        eprintln!("a test took longer than {limit:?}");
        std::process::abort();
    });
}

/// Where tests put their code, their data, the kernarg segment and the AQL packet.
pub const CODE: u64 = 0x10_0000;
pub const DATA: u64 = 0x20_0000;
pub const KERNARG: u64 = 0x70_0000;
pub const PACKET: u64 = 0x71_0000;

/// Bytes of the data area.
pub const DATA_BYTES: usize = 0x10_0000;

/// A card with code and data.
pub struct Card {
    pub space: Arc<AddressSpace>,
    pub engine: Arc<Engine>,
    pub host: Arc<dyn Host>,
    pages: Vec<Pages>,
}

thread_local! {
    /// What [`Card::new`] takes.
    static ENGINE: Cell<EngineKind> = Cell::new(EngineKind::best());
}

/// Runs a test once on each engine of this host.
pub fn on_each_engine(test: impl Fn()) {
    for kind in EngineKind::available() {
        ENGINE.set(*kind);
        eprintln!("on {kind}");
        test();
    }
    ENGINE.set(EngineKind::best());
}

/// The engine that a test is to run on.
pub fn engine() -> EngineKind {
    ENGINE.get()
}

impl Card {
    pub fn new(threads: usize) -> Self {
        Self::with_engine(threads, engine())
    }

    /// A card with an engine of a kind, which compiles everything that it can.
    pub fn with_engine(threads: usize, kind: EngineKind) -> Self {
        let config = EngineConfig { threads, kind, eager: true, ..EngineConfig::default() };
        Self::with(config, Table::gfx900())
    }

    /// A card whose engine decodes by another table.
    pub fn with_table(threads: usize, table: &'static Table) -> Self {
        // The interpreter reads more of a row than the compiler, which knows some of it by heart.
        let kind = EngineKind::Interpreter;
        Self::with(EngineConfig { threads, kind, eager: true, ..EngineConfig::default() }, table)
    }

    /// A card with an engine of this configuration and table.
    pub fn with(config: EngineConfig, table: &'static Table) -> Self {
        catch_faults();
        let engine = Engine::with_table(config, table).expect("threads start");
        let mut card = Self { space: AddressSpace::new(), engine, host: Arc::new(NoHost), pages: Vec::new() };
        for (va, len) in [(CODE, 0x1_0000), (DATA, DATA_BYTES), (KERNARG, 0x1000), (PACKET, 0x1000)] {
            card.map(va, len, Rights::ALL);
        }
        card
    }

    /// Maps fresh pages.
    pub fn map(&mut self, va: u64, len: usize, rights: Rights) {
        let pages = Pages::new(len);
        // SAFETY: nothing else refers to the pages; they live as long as the card.
        unsafe { self.space.map(va, len as u64, pages.host, rights) }.expect("free address");
        self.pages.push(pages);
    }

    pub fn write(&self, va: u64, words: &[u32]) {
        self.space.write_bytes(va, bytemuck::cast_slice(words)).expect("mapped");
    }

    pub fn read(&self, va: u64, count: usize) -> Vec<u32> {
        let mut words = vec![0u32; count];
        self.space.read_bytes(va, bytemuck::cast_slice_mut(&mut words)).expect("mapped");
        words
    }

    /// A dispatch of the code at [`CODE`]: s[0:1] is the kernarg segment, s2, s3, s4 the workgroup id, v0, v1
    /// and v2 the work-item id.
    pub fn dispatch(&self, grid: [u32; 3], workgroup: [u16; 3]) -> Dispatch {
        Dispatch {
            entry_va: CODE,
            // Denormals on, dx10_clamp, ieee.
            rsrc1: 0xf0 << 12 | 1 << 21 | 1 << 23,
            // Two user SGPRs, workgroup ids x, y and z, three work-item ids.
            rsrc2: 2 << 1 | 7 << 7 | 2 << 11,
            properties: KernelProperties::KERNARG_SEGMENT_PTR,
            grid,
            workgroup,
            lds_bytes: 0x1_0000,
            kernarg_va: KERNARG,
            dispatch_packet_va: PACKET,
            ..Dispatch::default()
        }
    }

    pub fn run(&self, dispatch: &Dispatch) -> Outcome {
        self.engine.run(&self.space, dispatch, &self.host, &CancelToken::new())
    }

    /// Puts code and kernel arguments in place and runs one grid to its end.
    pub fn run_code(&self, code: &[u32], args: &[u32], grid: [u32; 3], workgroup: [u16; 3]) {
        self.write(CODE, code);
        self.write(KERNARG, args);
        match self.run(&self.dispatch(grid, workgroup)) {
            Outcome::Done => {}
            other => panic!("{other:?}"),
        }
    }

    /// Runs code that must fault.
    pub fn fault(&self, code: &[u32], args: &[u32], grid: [u32; 3], workgroup: [u16; 3]) -> FaultReport {
        self.write(CODE, code);
        self.write(KERNARG, args);
        match self.run(&self.dispatch(grid, workgroup)) {
            Outcome::Fault(report) => *report,
            other => panic!("expected a fault, got {other:?}"),
        }
    }
}

/// A generator of reproducible numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn word(&mut self) -> u32 {
        self.next() as u32
    }
}
