//! Memory that the program takes away: a fault of the card, never a crash of the process.
//!
//! # Safety
//! The handler gets what the kernel passes to it and hands it on; the memory that is taken away belongs to
//! the test that does it.

use std::sync::Once;

use vega_exec::Rights;

use crate::kernels::{TRIPLE, WAIT_FOR_HOST, launch, load};
use crate::user::{Aql, Memory, Sdma, World, barrier_and, until, wide};

extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's own arguments.
    if !unsafe { vega_exec::on_host_fault(signal, info, context) } {
        // SAFETY: the default action takes effect when the faulting instruction is tried again.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// What the driver does when a process opens it.
fn handle_host_faults() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // SAFETY: all zeros is an empty sigaction; the handler is async-signal-safe.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_fault as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
            }
        }
    });
}

/// The program makes its memory inaccessible; to the card it stays mapped.
fn take_away(memory: &Memory) {
    // SAFETY: the mapping is this test's, and nothing holds a reference into it.
    assert_eq!(unsafe { libc::mprotect(memory.host.cast(), memory.bytes, libc::PROT_NONE) }, 0);
}

/// Waits for the one fault and checks what the user reads of it.
fn expect_fault(world: &World, memory: &Memory, kernel: Option<&str>) {
    let fault = world.driver.wait(|h| h.faults.first().copied());
    assert!((memory.va..memory.va + memory.bytes as u64).contains(&fault.va), "{:#x}", fault.va);
    assert!(fault.not_present);
    let report = world.driver.heard(|h| h.reports.concat());
    assert!(report.contains("the program has taken the memory there away"), "{report}");
    assert!(kernel.is_none_or(|name| report.contains(name)), "{report}");
}

#[test]
fn under_a_copy() {
    handle_host_faults();
    let world = World::new();
    let queue = Sdma::new(&world);
    let (src, dst) = (world.data(8192), world.data(8192));
    take_away(&src);
    let ([slo, shi], [dlo, dhi]) = (wide(src.va), wide(dst.va));
    queue.submit(&[1, 8191, 0, slo, shi, dlo, dhi]);
    expect_fault(&world, &src, None);
}

#[test]
fn under_a_kernel_that_starts() {
    handle_host_faults();
    let world = World::new();
    let queue = Aql::new(&world);
    let (code, out) = (load(&world, "triple", &TRIPLE), world.data(4096));
    take_away(&out);
    queue.submit(launch(&world, code.kernel, 4, out.va).packet(None));
    expect_fault(&world, &out, Some("triple"));
}

#[test]
fn under_a_kernel_that_runs() {
    handle_host_faults();
    let world = World::new();
    let (queue, other) = (Aql::new(&world), Aql::new(&world));
    let (code, flag) = (load(&world, "wait_for_host", &WAIT_FOR_HOST), world.data(4096));
    queue.submit(launch(&world, code.kernel, 2, flag.va).packet(None));
    // It runs while another queue makes a round trip.
    let trip = world.signal(1);
    other.submit(barrier_and(&[], Some(&trip)));
    trip.wait(0);
    take_away(&flag);
    expect_fault(&world, &flag, Some("wait_for_host"));
}

#[test]
fn under_the_code_itself() {
    handle_host_faults();
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "triple", &TRIPLE);
    take_away(&code.image);
    queue.submit(launch(&world, code.kernel, 1, 0).packet(None));
    // Already the kernel's descriptor cannot be read.
    queue.inactive.wait(8);
    let report = world.driver.heard(|h| h.reports.concat());
    assert!(report.contains("the host memory behind the mapping is gone"), "{report}");
}

#[test]
fn unmapping_from_the_card_waits_for_the_kernel_that_uses_it() {
    handle_host_faults();
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "wait_for_host", &WAIT_FOR_HOST);
    let flag = world.memory(4096, Rights::READ);
    queue.submit(launch(&world, code.kernel, 2, flag.va).packet(None));
    world.card.space().unmap(flag.va, 4096);
    // From here on the memory may be used for anything: the kernel has faulted, or will.
    flag.write(0, 1u32);
    let fault = world.driver.wait(|h| h.faults.first().copied());
    assert_eq!((fault.va, fault.not_present), (flag.va, true));
    until("the queue is destroyed", || world.card.destroy_queue(queue.id).is_ok());
}
