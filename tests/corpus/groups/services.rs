//! `kernels/corpus/services.hip`.
//!
//! # Safety
//! The flag that a kernel and the host share is pinned memory, accessed atomically by both, and freed when the kernel is done.

use crate::case::{Arg, Case, shape};
use crate::compare::exact;
use crate::run::{Session, check};
use hip::bytemuck::{bytes_of, cast_slice};
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// Lines from every thread of two workgroups.
fn print_line() -> Case {
    let case = Case::new("print_line", shape(2, 64)).value(5i32).value(2.5f32);
    (0..64).fold(case, |case, t| case.says(format!("hello 5 2.500000 from {t}\n")))
}

fn allocate() -> Case {
    Case::new("allocate", shape(1, 64)).output(&[0u64; 64]).check(|outputs| {
        let mut blocks = outputs.get::<u64>(0);
        blocks.sort_unstable();
        let apart = blocks.windows(2).all(|pair| pair[1] - pair[0] >= 64);
        let aligned = blocks.iter().all(|block| *block != 0 && block % 16 == 0);
        if apart && aligned { Ok(()) } else { Err(format!("no blocks of 64 bytes each: {blocks:x?}")) }
    })
}

fn trap_or_assert(label: &'static str, first: i32, n: i32) -> Case {
    let mut numbers = [0i32; 64];
    numbers[0] = first;
    Case::new("trap_or_assert", shape(1, 64)).label(label).output(&numbers).value(n).expect(0, vec![n; 64])
}

/// The kernel waits for the host, which answers once it has seen that the kernel runs.
fn wait_for_host(session: &Session) -> Result<(), String> {
    let api = session.stream.runtime().api();
    let mut memory: *mut c_void = std::ptr::null_mut();
    let flags = hip::sys::hipHostMallocMapped | hip::sys::hipHostMallocCoherent;
    // SAFETY: the out-pointer is to a live local.
    check("hipHostMalloc", unsafe { api.hipHostMalloc(&mut memory, 4, flags) })?;
    // SAFETY: 4 bytes that nothing else uses, aligned to a page; the kernel accesses them atomically.
    let flag: &AtomicI32 = unsafe { AtomicI32::from_ptr(memory.cast()) };
    flag.store(0, Ordering::SeqCst);
    let function = session.module.function("wait_for_host").map_err(|error| error.to_string())?;
    let args =
        [Arg::Value(bytes_of(&(memory as u64)).to_vec()), Arg::InOut(cast_slice(&[0i32; 128]).to_vec())];
    let (seen, outputs) = std::thread::scope(|scope| {
        let answer = scope.spawn(|| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while flag.load(Ordering::SeqCst) != 1 && Instant::now() < deadline {
                std::thread::yield_now();
            }
            // In any case, so that the kernel ends.
            flag.swap(2, Ordering::SeqCst) == 1
        });
        let outputs = session.launch(&function, shape(1, 64), &args, &[Vec::new()]);
        (answer.join().unwrap_or(false), outputs)
    });
    // SAFETY: the launch has been waited for, and the reference is not used any more.
    check("hipHostFree", unsafe { api.hipHostFree(memory) })?;
    let data = outputs?.get::<i32>(0);
    exact(&data[..64], &[1; 64])?;
    if seen && data[64..].iter().any(|clock| *clock != 0) {
        Ok(())
    } else {
        Err("the host never saw the kernel's flag, or the clock stands still".into())
    }
}

pub fn cases() -> Vec<Case> {
    vec![
        print_line(),
        allocate(),
        trap_or_assert("neither", 6, 3),
        Case::program("wait_for_host", wait_for_host),
        trap_or_assert("assert", 7, 3).says("Device-side assertion `out[0] != 7' failed").aborts(),
        trap_or_assert("trap", 6, 4).aborts(),
    ]
}
