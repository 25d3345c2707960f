//! Guest memory accesses in assembly, and the recovery from faults inside them.
//!
//! # Safety
//! Every routine lies between `vega_exec_leaf_begin` and `vega_exec_leaf_end`, keeps nothing on the stack
//! and changes caller-saved registers only. So from any instruction in the range, loading RDX with the
//! fault's address and jumping to a bare `ret` is a return to the caller that reports the fault: that is
//! what [`on_host_fault`] does. The routines are the only code that accesses guest memory; to the compiler
//! they are foreign functions, so it assumes nothing about that memory.
//!
//! Plain loads and stores of x86 are acquire and release; `lock` operations are full barriers. A naturally
//! aligned load or store of up to 8 bytes is one access (Intel SDM volume 3, 9.1.1), and each 8-byte
//! element of an aligned vector access is on every processor that has the instruction.

use std::arch::global_asm;

use super::Done;

global_asm!(include_str!("leaf_x86_64.s"));

unsafe extern "C" {
    static vega_exec_leaf_begin: u8;
    static vega_exec_leaf_end: u8;
    static vega_exec_leaf_recover: u8;

    /// Loads 1 byte.
    #[link_name = "vega_exec_load1"]
    pub(crate) fn load1(address: u64) -> Done;
    /// Loads 2 bytes.
    #[link_name = "vega_exec_load2"]
    pub(crate) fn load2(address: u64) -> Done;
    /// Loads 4 bytes.
    #[link_name = "vega_exec_load4"]
    pub(crate) fn load4(address: u64) -> Done;
    /// Loads 8 bytes.
    #[link_name = "vega_exec_load8"]
    pub(crate) fn load8(address: u64) -> Done;
    /// Stores 1 byte.
    #[link_name = "vega_exec_store1"]
    pub(crate) fn store1(address: u64, value: u64) -> Done;
    /// Stores 2 bytes.
    #[link_name = "vega_exec_store2"]
    pub(crate) fn store2(address: u64, value: u64) -> Done;
    /// Stores 4 bytes.
    #[link_name = "vega_exec_store4"]
    pub(crate) fn store4(address: u64, value: u64) -> Done;
    /// Stores 8 bytes.
    #[link_name = "vega_exec_store8"]
    pub(crate) fn store8(address: u64, value: u64) -> Done;
    /// Atomically exchanges 4 bytes; returns the old value.
    #[link_name = "vega_exec_swap4"]
    pub(crate) fn swap4(address: u64, value: u64) -> Done;
    /// Atomically adds 4 bytes; returns the old value.
    #[link_name = "vega_exec_add4"]
    pub(crate) fn add4(address: u64, value: u64) -> Done;
    /// Atomically replaces `current` by `new`; returns the old value.
    #[link_name = "vega_exec_cas4"]
    pub(crate) fn cas4(address: u64, current: u64, new: u64) -> Done;
    /// Atomically exchanges 8 bytes; returns the old value.
    #[link_name = "vega_exec_swap8"]
    pub(crate) fn swap8(address: u64, value: u64) -> Done;
    /// Atomically adds 8 bytes; returns the old value.
    #[link_name = "vega_exec_add8"]
    pub(crate) fn add8(address: u64, value: u64) -> Done;
    /// Atomically replaces `current` by `new`; returns the old value.
    #[link_name = "vega_exec_cas8"]
    pub(crate) fn cas8(address: u64, current: u64, new: u64) -> Done;
    /// Copies bytes.
    #[link_name = "vega_exec_copy"]
    pub(crate) fn copy(dst: u64, src: u64, len: u64) -> Done;
    /// Stores a dword `count` times.
    #[link_name = "vega_exec_fill4"]
    pub(crate) fn fill4(dst: u64, value: u64, count: u64) -> Done;
    /// Loads 1 byte per lane of `mask` from `addresses` into lanes of `registers`, zero-extended.
    #[link_name = "vega_exec_gather1"]
    pub(crate) fn gather1(registers: *mut u32, addresses: *const u64, mask: u64) -> Done;
    /// Loads 2 bytes per lane of `mask` from `addresses` into lanes of `registers`, zero-extended.
    #[link_name = "vega_exec_gather2"]
    pub(crate) fn gather2(registers: *mut u32, addresses: *const u64, mask: u64) -> Done;
    /// Loads 4 bytes per lane of `mask` from `addresses` into lanes of `registers`, zero-extended.
    #[link_name = "vega_exec_gather4"]
    pub(crate) fn gather4(registers: *mut u32, addresses: *const u64, mask: u64) -> Done;
    /// Loads 8 bytes per lane of `mask` from `addresses` into lanes of `registers`, zero-extended.
    #[link_name = "vega_exec_gather8"]
    pub(crate) fn gather8(registers: *mut u32, addresses: *const u64, mask: u64) -> Done;
    /// Loads 12 bytes per lane of `mask` from `addresses` into lanes of `registers`, zero-extended.
    #[link_name = "vega_exec_gather12"]
    pub(crate) fn gather12(registers: *mut u32, addresses: *const u64, mask: u64) -> Done;
    /// Loads 16 bytes per lane of `mask` from `addresses` into lanes of `registers`, zero-extended.
    #[link_name = "vega_exec_gather16"]
    pub(crate) fn gather16(registers: *mut u32, addresses: *const u64, mask: u64) -> Done;
    /// Stores 1 byte per lane of `mask` to `addresses`.
    #[link_name = "vega_exec_scatter1"]
    pub(crate) fn scatter1(registers: *const u32, addresses: *const u64, mask: u64) -> Done;
    /// Stores 2 bytes per lane of `mask` to `addresses`.
    #[link_name = "vega_exec_scatter2"]
    pub(crate) fn scatter2(registers: *const u32, addresses: *const u64, mask: u64) -> Done;
    /// Stores 4 bytes per lane of `mask` to `addresses`.
    #[link_name = "vega_exec_scatter4"]
    pub(crate) fn scatter4(registers: *const u32, addresses: *const u64, mask: u64) -> Done;
    /// Stores 8 bytes per lane of `mask` to `addresses`.
    #[link_name = "vega_exec_scatter8"]
    pub(crate) fn scatter8(registers: *const u32, addresses: *const u64, mask: u64) -> Done;
    /// Stores 12 bytes per lane of `mask` to `addresses`.
    #[link_name = "vega_exec_scatter12"]
    pub(crate) fn scatter12(registers: *const u32, addresses: *const u64, mask: u64) -> Done;
    /// Stores 16 bytes per lane of `mask` to `addresses`.
    #[link_name = "vega_exec_scatter16"]
    pub(crate) fn scatter16(registers: *const u32, addresses: *const u64, mask: u64) -> Done;
    /// Loads four rows of 16 consecutive dwords, one per 16 lanes.
    #[link_name = "vega_exec_load_rows_avx2"]
    pub(crate) fn load_rows_avx2(registers: *mut u32, bases: *const [u64; 4]) -> Done;
    /// Loads four rows of 16 consecutive dwords, one per 16 lanes.
    #[link_name = "vega_exec_load_rows_sse2"]
    pub(crate) fn load_rows_sse2(registers: *mut u32, bases: *const [u64; 4]) -> Done;
    /// Stores four rows of 16 consecutive dwords, one per 16 lanes.
    #[link_name = "vega_exec_store_rows_avx2"]
    pub(crate) fn store_rows_avx2(registers: *const u32, bases: *const [u64; 4]) -> Done;
    /// Stores four rows of 16 consecutive dwords, one per 16 lanes.
    #[link_name = "vega_exec_store_rows_sse2"]
    pub(crate) fn store_rows_sse2(registers: *const u32, bases: *const [u64; 4]) -> Done;
}

/// To be called first from the process's SIGSEGV and SIGBUS handler.
///
/// Returns true when the fault happened inside code that accesses guest memory, one of these routines or
/// compiled code: the machine
/// context has then been redirected, the handler must return at once, and the access reports
/// [`FaultReason::HostMemoryGone`](crate::memory::FaultReason::HostMemoryGone). Otherwise the signal
/// belongs to somebody else. Async-signal-safe; takes no lock. Always false on hosts other than x86-64.
///
/// # Safety
/// The arguments must be the ones that the kernel passed to an `SA_SIGINFO` handler.
pub unsafe fn on_host_fault(
    _signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) -> bool {
    if info.is_null() || context.is_null() {
        return false;
    }
    let begin = &raw const vega_exec_leaf_begin as i64;
    let end = &raw const vega_exec_leaf_end as i64;
    let recover = &raw const vega_exec_leaf_recover as i64;
    // SAFETY: the caller passes the kernel's own machine context, which nothing else refers to while the
    // handler runs.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let rip = registers[libc::REG_RIP as usize];
    if !(begin..end).contains(&rip) {
        // Compiled code has a place to go on; it finds out by itself what the fault was.
        let Some(target) = super::landing::landing(rip as u64) else { return false };
        registers[libc::REG_RIP as usize] = target as i64;
        return true;
    }
    // SAFETY: for SIGSEGV and SIGBUS the kernel fills the address field of its siginfo.
    let address = unsafe { (*info).si_addr() } as i64;
    registers[libc::REG_RDX as usize] = address.max(1);
    registers[libc::REG_RIP as usize] = recover;
    true
}
