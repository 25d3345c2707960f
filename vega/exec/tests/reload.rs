//! Code that changes at its address, and where compiled code lies.
//!
//! # Safety
//! The child process installs a filter of system calls, a program on its stack that the kernel copies.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

mod common;

use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use common::{Card, DATA, KERNARG, Pages, watchdog};
use vega_exec::{CancelToken, Dispatch, EngineKind, Outcome, Rights};

/// Where the code is loaded, apart from the card's other memory.
const HERE: u64 = 0x90_0000;

/// Kernels that store a number: `s_load_dwordx2 s[4:5], s[0:1], 0`, `v_mov_b32 v2, NUMBER`, `v_lshlrev_b32 v0, 2, v0`,
/// `s_waitcnt lgkmcnt(0)`, `global_store_dword v0, v2, s[4:5]`, `s_endpgm`.
fn storing(number: u32) -> Vec<u32> {
    let load = [0xc006_0100, 0];
    let body = [0x7e04_02ff, number, 0x2400_0082, 0xbf8c_c07f, 0xdc70_8000, 0x0004_0200, 0xbf81_0000];
    [load.as_slice(), &body].concat()
}

fn stores(card: &Card, queue: u32) -> Dispatch {
    let kernarg_va = KERNARG + 8 * u64::from(queue);
    Dispatch { entry_va: HERE, queue, kernarg_va, ..card.dispatch([64 * 40, 1, 1], [64, 1, 1]) }
}

/// Two queues run what is loaded at an address, a thousand times another kernel.
fn reload(kind: EngineKind) {
    let card = Card::with_engine(2, kind);
    let to = [DATA, DATA + 0x1000];
    card.write(KERNARG, &to.map(|va| [va as u32, (va >> 32) as u32]).concat());
    let rounds = 1000;
    let barrier = Barrier::new(3);
    std::thread::scope(|scope| {
        for (queue, to) in (0..).zip(to) {
            let (card, barrier) = (&card, &barrier);
            scope.spawn(move || {
                let dispatch = stores(card, queue);
                for round in 0..rounds {
                    barrier.wait();
                    let outcome = card.engine.run(&card.space, &dispatch, &card.host, &CancelToken::new());
                    assert_eq!(outcome, Outcome::Done);
                    assert_eq!(card.read(to, 64), [round; 64], "{kind}, queue {queue}");
                    barrier.wait();
                }
            });
        }
        for round in 0..rounds {
            let pages = Pages::new(4096);
            // SAFETY: nothing else refers to the pages, which go after they have been unmapped.
            unsafe { card.space.map(HERE, 4096, pages.host, Rights::ALL) }.expect("a free address");
            card.write(HERE, &storing(round));
            barrier.wait();
            barrier.wait();
            card.space.unmap(HERE, 4096);
            // The driver says so; every other time it is left out, since a dispatch looks at the code that it starts.
            if round % 2 == 0 {
                card.engine.invalidate_code(&card.space, HERE, 4096);
            }
        }
    });
}

#[test]
fn another_kernel_at_the_same_address_is_another_kernel() {
    watchdog(Duration::from_secs(200));
    for kind in EngineKind::available() {
        reload(*kind);
    }
}

#[test]
fn a_kernel_sees_what_it_has_written_over_itself() {
    // Waves overwrite the number in `v_mov_b32 v2, 1` with 2, wait, invalidate the instruction cache, execute it, and store.
    let code = [
        0xc006_0100,
        0,           // s_load_dwordx2 s[4:5], s[0:1], 0
        0xbe86_1c00, // s_getpc_b64 s[6:7]
        0x7e06_0282, // v_mov_b32 v3, 2
        0x7e08_0206, // v_mov_b32 v4, s6
        0x7e0a_0207, // v_mov_b32 v5, s7
        // The literal lies 11 words behind the getpc's end.
        0xdc70_802c,
        0x007f_0304, // global_store_dword v[4:5], v3, off offset:44
        0xbf8c_0f70, // s_waitcnt vmcnt(0)
        0xbf93_0000, // s_icache_inv
        0x2400_0082, // v_lshlrev_b32 v0, 2, v0
        0xbf8c_c07f, // s_waitcnt lgkmcnt(0)
        0xbf80_0000, // s_nop
        0x7e04_02ff,
        1, // v_mov_b32 v2, 1
        0xdc70_8000,
        0x0004_0200, // global_store_dword v0, v2, s[4:5]
        0xbf81_0000, // s_endpgm
    ];
    for kind in EngineKind::available() {
        let card = Card::with_engine(1, *kind);
        for _ in 0..3 {
            card.run_code(&code, &[DATA as u32, 0], [64, 1, 1], [64, 1, 1]);
            assert_eq!(card.read(DATA, 64), [2; 64], "{kind}");
        }
    }
}

/// Mappings that are writable and executable, and those of compiled code.
fn mappings() -> (Vec<String>, usize) {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the list of mappings");
    let rights = |line: &str| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let both = |line: &&str| rights(line).contains('w') && rights(line).contains('x');
    let ours = maps.lines().filter(|line| line.contains("vega-code") && rights(line).contains('x')).count();
    (maps.lines().filter(both).map(str::to_owned).collect(), ours)
}

#[test]
fn nothing_is_writable_and_executable() {
    watchdog(Duration::from_secs(200));
    if EngineKind::best() == EngineKind::Interpreter {
        return;
    }
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // While code is compiled again and again, too.
        scope.spawn(|| {
            reload(EngineKind::best());
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut seen = 0;
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let (both, ours) = mappings();
            assert_eq!(both, Vec::<String>::new());
            seen += ours;
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(seen > 0, "no compiled code was seen");
    });
}

/// Set in the child: executable memory is refused there.
const REFUSED: &str = "VEGA_TEST_REFUSES_CODE";

/// Makes the kernel refuse `mmap` and `mprotect` with PROT_EXEC to this process.
fn refuse_executable_memory() {
    let instruction = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |at: u32| instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at);
    let equals = |value: u32, jt, jf| instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, jt, jf, value);
    let answer = |value: u32| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, value);
    let mut program = [
        // `seccomp_data`: the call's number at 0, its third argument at 32.
        load(0),
        equals(libc::SYS_mmap as u32, 1, 0),
        equals(libc::SYS_mprotect as u32, 0, 3),
        load(32),
        instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, libc::PROT_EXEC as u32),
        answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: see the file's head.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter), 0);
    }
}

#[test]
fn without_executable_memory_the_interpreter_takes_over_with_one_warning() {
    watchdog(Duration::from_secs(200));
    let name = "without_executable_memory_the_interpreter_takes_over_with_one_warning";
    if std::env::var_os(REFUSED).is_some() {
        let card = Card::with_engine(2, EngineKind::best());
        card.write(KERNARG, &[DATA as u32, 0]);
        refuse_executable_memory();
        for number in 0..5 {
            card.write(common::CODE, &storing(number));
            assert_eq!(card.run(&card.dispatch([64 * 99, 1, 1], [64, 1, 1])), Outcome::Done);
            assert_eq!(card.read(DATA, 64), [number; 64]);
        }
        return;
    }
    let program = std::env::current_exe().expect("the path of this program");
    let child = Command::new(program).args([name, "--exact", "--nocapture"]).env(REFUSED, "1").output();
    let output = child.expect("the child runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stdout));
    let warnings = text.lines().filter(|line| line.contains("cannot compile kernels")).count();
    assert_eq!(warnings, usize::from(EngineKind::best() != EngineKind::Interpreter), "{text}");
}
