//! Every packet of the copy engine.

use crate::user::{Memory, Sdma, World, until, wide};

fn copy_linear(dst: u64, src: u64, bytes: u32) -> Vec<u32> {
    let ([slo, shi], [dlo, dhi]) = (wide(src), wide(dst));
    vec![1, bytes - 1, 0, slo, shi, dlo, dhi]
}

fn fence(va: u64, data: u32) -> Vec<u32> {
    let [lo, hi] = wide(va);
    vec![5, lo, hi, data]
}

fn poll(va: u64, function: u32, reference: u32, mask: u32) -> Vec<u32> {
    let [lo, hi] = wide(va);
    vec![8 | function << 28 | 1 << 31, lo, hi, reference, mask, 0xfff << 16 | 4]
}

fn atomic(va: u64, operation: u32, looped: u32, data: u64, compare: u64) -> Vec<u32> {
    let ([lo, hi], [dlo, dhi], [clo, chi]) = (wide(va), wide(data), wide(compare));
    vec![10 | operation << 25 | looped << 16, lo, hi, dlo, dhi, clo, chi, 0]
}

fn fill(va: u64, element: u32, data: u32, count: u32) -> Vec<u32> {
    let [lo, hi] = wide(va);
    vec![11 | element << 30, lo, hi, data, count]
}

fn pattern(memory: &Memory, seed: usize) {
    memory.fill(|i| (i * 7 + i / 256 + seed) as u8);
}

#[test]
fn a_copy_as_the_runtime_submits_it() {
    let world = World::new();
    let queue = Sdma::new(&world);
    let (src, dst) = (world.data(8192), world.data(8192));
    pattern(&src, 1);
    let dependency = world.signal(1);
    let (done, mailbox) = world.signal_with_event(1, 31);
    let times = world.data(64);
    let [tlo, thi] = wide(times.va);
    let words = [
        poll(dependency.handle() + 12, 3, 0, !0),
        poll(dependency.handle() + 8, 3, 0, !0),
        vec![0x20d, tlo, thi],
        // The flush of the host data path.
        vec![8, 0, 0x8000_0000, 0, 0, 0],
        copy_linear(dst.va + 3, src.va + 1, 5000),
        vec![0x20d, tlo + 32, thi],
        atomic(done.handle() + 8, 47, 0, u64::MAX, 0),
        fence(mailbox.va, 31),
        vec![6, 31],
        // Padding of single dwords and of one long packet.
        vec![0; 5],
        vec![3 << 16, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff],
    ]
    .concat();
    let end = queue.submit(&words);
    assert_eq!(done.value(), 1);
    dependency.store(0);
    done.wait(0);
    until("everything is read", || queue.read_ptr() == end);
    assert_eq!(dst.to_vec(3, 5000), src.to_vec(1, 5000));
    assert_eq!(dst.read::<[u8; 3]>(0), [0; 3]);
    assert_eq!(dst.read::<[u8; 8]>(5003), [0; 8]);
    let (start, stop): (u64, u64) = (times.read(0), times.read(32));
    assert!(start > 0 && start <= stop && stop <= vega_gpu::clock::ticks());
    assert_eq!(mailbox.read::<u32>(0), 31);
    world.driver.wait(|h| (h.events == [31]).then_some(()));
}

#[test]
fn the_ring_wraps_inside_packets_and_so_does_the_byte_count() {
    let world = World::new();
    let first = 0u64.wrapping_sub(4096 + 8);
    let queue = Sdma::starting_at(&world, 4096, first);
    let out = world.data(4096);
    for round in 0..600u32 {
        queue.submit(&fence(out.va + u64::from(round) * 4 % 4096, round));
        // A packet of three dwords: no packet size divides the ring, so some wrap inside.
        queue.submit(&[0x10d, out.va as u32, (out.va >> 32) as u32]);
    }
    until("everything is read", || queue.read_ptr() == first.wrapping_add(600 * 28));
    assert_eq!(out.read::<u32>(599 * 4), 599);
    world.driver.heard(|h| assert!(h.reports.is_empty(), "{:?}", h.reports));
}

#[test]
fn rectangles_of_every_element_size() {
    let world = World::new();
    let queue = Sdma::new(&world);
    for element in 0..=4u32 {
        let (src, dst) = (world.data(1 << 16), world.data(1 << 16));
        pattern(&src, element as usize);
        let size = 1usize << element;
        let ([sx, sy, sz], [dx, dy, dz]) = ([3, 2, 1], [1, 0, 2]);
        let ([spitch, sslice], [dpitch, dslice]) = ([20, 200], [16, 160]);
        let [w, h, d] = [9, 5, 3];
        let ([slo, shi], [dlo, dhi]) = (wide(src.va), wide(dst.va));
        #[rustfmt::skip]
        queue.run(&[
            0x401 | element << 29, slo, shi, sx | sy << 16, sz | (spitch - 1) << 13, sslice - 1,
            dlo, dhi, dx | dy << 16, dz | (dpitch - 1) << 13, dslice - 1,
            (w - 1) | (h - 1) << 16, d - 1,
        ]);
        let mut expected = vec![0u8; 1 << 16];
        for z in 0..d {
            for y in 0..h {
                let from = ((sz + z) * sslice + (sy + y) * spitch + sx) as usize * size;
                let to = ((dz + z) * dslice + (dy + y) * dpitch + dx) as usize * size;
                let bytes = w as usize * size;
                expected[to..to + bytes].copy_from_slice(&src.to_vec(from, bytes));
            }
        }
        assert!(dst.to_vec(0, 1 << 16) == expected, "elements of {size} bytes");
    }
}

#[test]
fn fills_of_every_element_size() {
    let world = World::new();
    let queue = Sdma::new(&world);
    let out = world.data(16384);
    // Counts as the kernel driver writes them (bytes - 1) and as ROCr does (bytes - 4).
    queue.run(&fill(out.va, 2, 0x0403_0201, 4 * 1000 - 1));
    queue.run(&fill(out.va + 4096, 2, 0x0807_0605, 4 * 1000 - 4));
    queue.run(&fill(out.va + 8192 + 1, 0, 0xaa, 4999));
    queue.run(&fill(out.va + 13824, 1, 0xbbcc, 2 * 9 - 1));
    let expected = |i: usize| match i {
        0..4000 => [1, 2, 3, 4][i % 4],
        4096..8096 => [5, 6, 7, 8][i % 4],
        8193..13193 => 0xaa,
        13824..13842 => [0xcc, 0xbb][i % 2],
        _ => 0,
    };
    let out = out.to_vec(0, 16384);
    for (i, byte) in out.into_iter().enumerate() {
        assert_eq!(byte, expected(i), "byte {i}");
    }
}

#[test]
fn writes_broadcasts_and_indirect_buffers() {
    let world = World::new();
    let queue = Sdma::new(&world);
    let (a, b, src) = (world.data(4096), world.data(4096), world.data(4096));
    pattern(&src, 5);
    let ([alo, ahi], [blo, bhi], [slo, shi]) = (wide(a.va), wide(b.va), wide(src.va));
    queue.run(&[2, alo + 8, ahi, 2, 11, 22, 33]);
    queue.run(&[0x0800_0001, 63, 0, slo, shi, alo + 64, ahi, blo + 128, bhi]);
    assert_eq!(a.read::<[u32; 4]>(8), [11, 22, 33, 0]);
    assert_eq!(a.to_vec(64, 65), [src.to_vec(0, 64), vec![0]].concat());
    assert_eq!(b.to_vec(128, 65), [src.to_vec(0, 64), vec![0]].concat());
    let ib = world.data(4096);
    let words = [fence(a.va + 512, 0x77), vec![0, 0], copy_linear(b.va, src.va, 16)].concat();
    ib.words(&words);
    let [ilo, ihi] = wide(ib.va);
    queue.run(&[4, ilo, ihi, words.len() as u32, 0, 0]);
    assert_eq!(a.read::<u32>(512), 0x77);
    assert_eq!(b.to_vec(0, 16), src.to_vec(0, 16));
}

#[test]
fn conditional_execution_skips_whole_packets() {
    let world = World::new();
    let queue = Sdma::new(&world);
    let out = world.data(64);
    out.write(0, 1u32);
    let [lo, hi] = wide(out.va);
    let skip = |reference: u32| vec![9, lo, hi, reference, 4];
    queue.run(&[skip(1), fence(out.va + 8, 5), skip(2), fence(out.va + 12, 6)].concat());
    assert_eq!((out.read::<u32>(8), out.read::<u32>(12)), (5, 0));
}

#[test]
fn atomics_of_both_widths() {
    let world = World::new();
    let queue = Sdma::new(&world);
    let out = world.data(64);
    let start = 0x8000_0001_8000_0001u64;
    // Operation in its 64-bit form, data, the result of 64 bits and of the low 32 bits alone.
    let cases: [(u32, u64, u64, u32); 12] = [
        (39, 9, 9, 9),
        (47, u64::MAX, start - 1, 0x8000_0000),
        (48, 3, start - 3, 0x7fff_fffe),
        (49, 5, start, 0x8000_0001),
        (50, 5, 5, 5),
        (51, 5, 5, 5),
        (52, 5, start, 0x8000_0001),
        (53, 0x8000_0000, 0x8000_0000, 0x8000_0000),
        (54, 6, start | 6, 0x8000_0007),
        (55, 1, start ^ 1, 0x8000_0000),
        (56, u64::MAX, start + 1, 0x8000_0002),
        (57, u64::MAX, start - 1, 0x8000_0000),
    ];
    for (operation, data, wide, narrow) in cases {
        out.write(0, start);
        queue.run(&atomic(out.va, operation, 0, data, 0));
        assert_eq!(out.read::<u64>(0), wide, "operation {operation}");
        out.write(0, start);
        queue.run(&atomic(out.va, operation - 32 + 64, 0, data, 0));
        let expected = start & !0xffff_ffff | u64::from(narrow);
        assert_eq!(out.read::<u64>(0), expected, "operation {}", operation - 32 + 64);
    }
    out.write(0, start);
    queue.run(&atomic(out.va, 40, 0, 1, 2));
    assert_eq!(out.read::<u64>(0), start, "compare and swap that does not match");
    queue.run(&atomic(out.va, 40, 0, 1, start));
    assert_eq!(out.read::<u64>(0), 1);
    // The looping form waits for its value.
    let end = queue.submit(&atomic(out.va, 40, 1, 3, 2));
    assert_ne!(queue.read_ptr(), end);
    out.write(0, 2u64);
    until("the swap succeeds", || queue.read_ptr() == end);
    assert_eq!(out.read::<u64>(0), 3);
}

#[test]
fn polls_of_every_function() {
    let world = World::new();
    let queue = Sdma::new(&world);
    // Function, a value that fails, one that passes, with reference 5 under a mask of 8 bits.
    let cases = [(1, 5, 4), (2, 6, 5), (3, 4, 5), (4, 5, 6), (5, 4, 5), (6, 5, 6)];
    for (function, fails, passes) in cases {
        let cell = world.data(64);
        cell.write(0, fails | 0xff00u32);
        let before = queue.submit(&fence(cell.va + 8, 1));
        let end = queue.submit(&poll(cell.va, function, 5, 0xff));
        until("the poll is reached", || queue.read_ptr() == before);
        assert_ne!(queue.read_ptr(), end, "function {function}");
        cell.write(0, passes | 0xff00u32);
        until("the poll passes", || queue.read_ptr() == end);
    }
}

#[test]
fn a_waiting_engine_does_not_block_the_other_one() {
    let world = World::new();
    let (stuck, free) = (Sdma::new(&world), Sdma::new(&world));
    let cell = world.data(64);
    let end = stuck.submit(&poll(cell.va, 3, 1, !0));
    free.run(&fence(cell.va + 32, 9));
    assert_eq!(cell.read::<u32>(32), 9);
    assert_ne!(stuck.read_ptr(), end);
    free.run(&fence(cell.va, 1));
    until("the first engine goes on", || stuck.read_ptr() == end);
}

#[test]
fn packets_that_do_not_exist_end_the_queue_with_a_report() {
    let cases: [(&[u32], &str); 6] = [
        (&[0x12], "SDMA packet 0x00000012 does not exist"),
        (&[0x0101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "SDMA COPY_TILED is not supported"),
        (&[1, 7, 0], "SDMA COPY_LINEAR has 7 dwords, only 3 are written"),
        (&[2, 0, 0, 9, 0], "SDMA WRITE_LINEAR has 14 dwords, only 5 are written"),
        (&[10, 0, 0, 0, 0, 0, 0, 0], "SDMA ATOMIC operation 0 does not exist"),
        (&[0xc000_000b, 0, 0, 0, 0], "SDMA CONSTANT_FILL element size 3 does not exist"),
    ];
    for (words, text) in cases {
        let world = World::new();
        let queue = Sdma::new(&world);
        queue.submit(words);
        world.driver.wait(|h| (h.exceptions == 1).then_some(()));
        world.driver.heard(|h| assert!(h.reports[0].contains(text), "{:?}", h.reports));
        assert!(!world.card.pending(), "a queue that has failed has nothing pending");
        assert_eq!(queue.read_ptr(), 0);
        world.card.destroy_queue(queue.id).unwrap();
    }
}

#[test]
fn copies_from_nowhere_are_memory_faults() {
    let world = World::new();
    let queue = Sdma::new(&world);
    let dst = world.data(4096);
    queue.submit(&copy_linear(dst.va, 0x6000, 16));
    let fault = world.driver.wait(|h| h.faults.first().copied());
    assert_eq!((fault.va, fault.not_present, fault.read_only), (0x6000, true, false));
    world.driver.heard(|h| {
        assert!(h.reports[0].contains("memory fault of the packet processor"), "{:?}", h.reports);
        assert!(h.reports[0].contains("0x6000, read: nothing is mapped there"), "{:?}", h.reports);
    });
}
