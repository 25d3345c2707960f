//! Kernels that really run. Their machine code is checked in as words, with its text beside it.

use vega_exec::Rights;
use vega_gpu::CardConfig;

use crate::user::{Aql, Dispatch, Memory, Signal, World};

/// Work-item id and workgroup id: `out[id] = 3 * id`.
#[rustfmt::skip]
pub const TRIPLE: [u32; 11] = [
    0xc006_0100, 0x0000_0000, // s_load_dwordx2 s[4:5], s[0:1], 0x0
    0x7e02_0202,              // v_mov_b32_e32 v1, s2
    0x2402_0286,              // v_lshlrev_b32_e32 v1, 6, v1
    0x6800_0300,              // v_add_u32_e32 v0, v0, v1
    0x2402_0082,              // v_lshlrev_b32_e32 v1, 2, v0
    0x1000_0083,              // v_mul_u32_u24_e32 v0, 3, v0
    0xbf8c_c07f,              // s_waitcnt lgkmcnt(0)
    0xdc70_8000, 0x0004_0001, // global_store_dword v1, v0, s[4:5]
    0xbf81_0000,              // s_endpgm
];

/// Never ends.
pub const SPIN: [u32; 2] = [
    0xbf80_0000, // s_nop 0
    0xbf82_fffe, // s_branch 65534
];

/// Ends when the dword that the first argument points to is not 0.
#[rustfmt::skip]
pub const WAIT_FOR_HOST: [u32; 10] = [
    0xc006_0100, 0x0000_0000, // s_load_dwordx2 s[4:5], s[0:1], 0x0
    0xbf8c_c07f,              // s_waitcnt lgkmcnt(0)
    0xc003_0182, 0x0000_0000, // s_load_dword s6, s[4:5], 0x0 glc
    0xbf8c_c07f,              // s_waitcnt lgkmcnt(0)
    0xbf8e_0001,              // s_sleep 1
    0xbf06_8006,              // s_cmp_eq_u32 s6, 0
    0xbf85_fff9,              // s_cbranch_scc1 65529
    0xbf81_0000,              // s_endpgm
];

/// Counts in the first dword of the argument until the third is not 0.
#[rustfmt::skip]
pub const COUNT: [u32; 15] = [
    0xc006_0100, 0x0000_0000, // s_load_dwordx2 s[4:5], s[0:1], 0x0
    0x7e02_0280,              // v_mov_b32_e32 v1, 0
    0x7e04_0281,              // v_mov_b32_e32 v2, 1
    0xbefe_0181,              // s_mov_b64 exec, 1
    0xbf8c_c07f,              // s_waitcnt lgkmcnt(0)
    0xdd08_8000, 0x0004_0201, // global_atomic_add v1, v2, s[4:5]
    0xdc51_8008, 0x0304_0001, // global_load_dword v3, v1, s[4:5] offset:8 glc
    0xbf8c_0f70,              // s_waitcnt vmcnt(0)
    0x7e0c_0503,              // v_readfirstlane_b32 s6, v3
    0xbf06_8006,              // s_cmp_eq_u32 s6, 0
    0xbf85_fff8,              // s_cbranch_scc1 65528
    0xbf81_0000,              // s_endpgm
];

/// `abort()`.
pub const TRAP: [u32; 2] = [
    0xbf92_0002, // s_trap 2
    0xbf81_0000, // s_endpgm
];

/// Stores to LDS, of which the dispatch asks for none.
#[rustfmt::skip]
pub const LDS_WITHOUT_LDS: [u32; 3] = [
    0xd81a_0000, 0x0000_0000, // ds_write_b32 v0, v0
    0xbf81_0000,              // s_endpgm
];

/// No instruction of gfx900.
pub const ILLEGAL: [u32; 2] = [0xbf80_0000, 0xffff_ffff];

/// Lane 5 stores to address 16.
#[rustfmt::skip]
pub const STORE_TO_NULL: [u32; 7] = [
    0x7d94_0085,              // v_cmp_eq_u32_e32 vcc, 5, v0
    0xbe84_206a,              // s_and_saveexec_b64 s[4:5], vcc
    0x7e02_0280,              // v_mov_b32_e32 v1, 0
    0x7e04_0280,              // v_mov_b32_e32 v2, 0
    0xdc70_8010, 0x007f_0001, // global_store_dword v[1:2], v0, off offset:16
    0xbf81_0000,              // s_endpgm
];

/// Where the descriptor of [`load`] is: not at the beginning of a page.
const DESCRIPTOR: usize = 0x1040;
/// From the descriptor to the code.
const ENTRY: usize = 0x100;

/// Loads a kernel as the runtime does: an ELF image with a descriptor, a symbol `NAME.kd`, and code.
pub struct Code {
    pub image: Memory,
    pub kernel: u64,
}

pub fn load(world: &World, name: &str, code: &[u32]) -> Code {
    let image = world.memory(0x3000, Rights::ALL);
    // ELF header and its one program header, PT_DYNAMIC.
    image.write(0, *b"\x7fELF\x02\x01\x01\x40");
    image.write(32, 64u64);
    image.write(56, 1u16);
    image.write(64, 2u32);
    image.write(64 + 16, 0x200u64);
    // DT_HASH, DT_STRTAB, DT_SYMTAB.
    let dynamic = [4, 0x500, 5, 0x400, 6, 0x300, 0, 0u64];
    dynamic.iter().enumerate().for_each(|(i, v)| image.write(0x200 + i * 8, *v));
    // Symbol 1.
    image.write(0x300 + 24, 1u32);
    image.write(0x300 + 32, DESCRIPTOR as u64);
    format!("{name}.kd").bytes().enumerate().for_each(|(i, b)| image.write(0x401 + i, b));
    image.write(0x504, 2u32);
    descriptor(&image, DESCRIPTOR);
    code.iter().enumerate().for_each(|(i, w)| image.write(DESCRIPTOR + ENTRY + i * 4, *w));
    Code { kernel: image.va + DESCRIPTOR as u64, image }
}

/// Kernarg pointer in s[0:1], workgroup id in s2; 8 VGPRs, 16 SGPRs.
fn descriptor(image: &Memory, at: usize) {
    image.write(at + 16, ENTRY as u64);
    image.write(at + 48, 1 | 1 << 6 | 3 << 18 | 1 << 21 | 1 << 23u32);
    image.write(at + 52, 2 << 1 | 1 << 7u32);
    image.write(at + 56, 1u16 << 3);
}

/// A dispatch of `groups` workgroups of 64 with one pointer as argument.
pub fn launch(world: &World, kernel: u64, groups: u32, argument: u64) -> Dispatch {
    let kernarg = world.data(64);
    kernarg.write(0, argument);
    Dispatch {
        dims: 1,
        workgroup: [64, 1, 1],
        grid: [64 * groups, 1, 1],
        kernel,
        kernarg: kernarg.va,
        ..Dispatch::default()
    }
}

fn run(queue: &Aql, dispatch: Dispatch) {
    let done = queue.world.signal(1);
    queue.submit(dispatch.packet(Some(&done)));
    wait(queue.world, &done);
}

/// Waits for a signal that a fault report would keep from coming.
fn wait(world: &World, done: &Signal) {
    crate::user::until("done or a report", || {
        done.value() == 0 || world.driver.heard(|h| !h.reports.is_empty())
    });
    world.driver.heard(|h| assert!(h.reports.is_empty(), "{}", h.reports.concat()));
}

#[test]
fn a_dispatch_executes_its_kernel() {
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "triple", &TRIPLE);
    let out = world.data(4 * 64 * 20);
    run(&queue, launch(&world, code.kernel, 20, out.va));
    for i in 0..64 * 20u32 {
        assert_eq!(out.read::<u32>(i as usize * 4), 3 * i);
    }
    queue.wait_read(1);
}

#[test]
fn changed_code_runs_after_a_code_cache_flush() {
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "triple", &TRIPLE);
    let out = world.data(4096);
    run(&queue, launch(&world, code.kernel, 1, out.va));
    assert_eq!(out.read::<u32>(4), 3);
    // v_mul_u32_u24_e32 v0, 7, v0
    code.image.write(DESCRIPTOR + ENTRY + 6 * 4, 0x1000_0087u32);
    let ib = world.data(64);
    ib.words(&[0xc005_5800, 1 << 29, 0xffff_ffff, 0xff, 0, 0, 0]);
    queue.submit(crate::user::pm4(&ib, 7, None));
    run(&queue, launch(&world, code.kernel, 1, out.va));
    assert_eq!(out.read::<u32>(4), 7);
}

#[test]
fn an_old_kernel_code_object_runs_too() {
    let world = World::new();
    let queue = Aql::new(&world);
    // amd_kernel_code_t: 256 bytes, code behind it, no ELF image around. Its version, machine and
    // prefetch fields lie where a kernel descriptor has segment sizes.
    let image = world.memory(0x1000, Rights::ALL);
    image.words(&[1, 0, 1 | 8 << 16, 1 << 16]);
    image.write(40, u64::MAX);
    descriptor(&image, 0);
    image.write(56, 1u32 << 3 | 1 << 17 | 1 << 19);
    TRIPLE.iter().enumerate().for_each(|(i, w)| image.write(0x100 + i * 4, *w));
    let out = world.data(4096);
    run(&queue, launch(&world, image.va, 3, out.va));
    assert_eq!(out.read::<u32>(4 * 191), 573);
}

#[test]
fn the_control_completes_without_executing() {
    let world = World::with(CardConfig { complete_without_executing: true, ..CardConfig::default() });
    let queue = Aql::new(&world);
    let code = load(&world, "triple", &TRIPLE);
    let out = world.data(4096);
    run(&queue, launch(&world, code.kernel, 2, out.va));
    assert_eq!(out.to_vec(0, 4096), vec![0; 4096]);
}

#[test]
fn a_kernel_that_waits_for_the_host_blocks_no_other_queue() {
    let world = World::new();
    let (waiting, free) = (Aql::new(&world), Aql::new(&world));
    let wait_code = load(&world, "wait_for_host", &WAIT_FOR_HOST);
    let code = load(&world, "triple", &TRIPLE);
    let (flag, out, done) = (world.data(64), world.data(4096), world.signal(1));
    waiting.submit(launch(&world, wait_code.kernel, 1, flag.va).packet(Some(&done)));
    for _ in 0..20 {
        run(&free, launch(&world, code.kernel, 4, out.va));
    }
    assert_eq!(done.value(), 1);
    flag.write(0, 1u32);
    wait(&world, &done);
}

#[test]
fn kernels_of_many_queues_run_side_by_side() {
    let world = World::new();
    let code = load(&world, "triple", &TRIPLE);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let queue = Aql::new(&world);
                let out = world.data(64 * 4 * 8);
                for _ in 0..30 {
                    out.fill(|_| 0);
                    run(&queue, launch(&world, code.kernel, 8, out.va));
                    assert_eq!(out.read::<u32>(4 * 511), 3 * 511);
                }
                world.card.destroy_queue(queue.id).unwrap();
            });
        }
    });
}
