//! Dispatch order, ring and id wrap, barriers, PM4 buffers.

use crate::user::{Aql, World, barrier_and, barrier_or, barrier_value, pm4, until, wide};

#[test]
fn packets_complete_in_order_and_leave_their_slots_invalid() {
    let world = World::new();
    let queue = Aql::new(&world);
    let (done, mailbox) = world.signal_with_event(3, 9);
    for _ in 0..3 {
        queue.submit(barrier_and(&[], Some(&done)));
    }
    done.wait(0);
    queue.wait_read(3);
    for slot in 0..3 {
        assert_eq!(queue.ring.read::<u16>(slot * 64), 1, "header of slot {slot}");
    }
    world.driver.wait(|h| (h.events == [9, 9, 9]).then_some(()));
    assert_eq!(mailbox.read::<u64>(0), 9);
    let (start, end): (u64, u64) = (done.memory.read(0x20), done.memory.read(0x28));
    assert!(start > 0 && start <= end && end <= vega_gpu::clock::ticks(), "{start} {end}");
    world.driver.heard(|h| assert!(h.reports.is_empty(), "{:?}", h.reports));
}

#[test]
fn the_ring_wraps_and_so_do_the_ids() {
    let world = World::new();
    let first = u64::MAX - 20;
    let queue = Aql::starting_at(&world, 16, first);
    let done = world.signal(100);
    for _ in 0..100 {
        queue.submit(barrier_and(&[], Some(&done)));
    }
    done.wait(0);
    queue.wait_read(first.wrapping_add(100));
}

#[test]
fn a_slot_that_is_not_written_yet_holds_the_queue() {
    let world = World::new();
    let queue = Aql::new(&world);
    let done = world.signal(2);
    let slow = queue.reserve();
    queue.submit(barrier_and(&[], Some(&done)));
    assert!(!world.card.pending(), "an unwritten packet is nothing to look at");
    assert_eq!((done.value(), queue.read_id()), (2, 0));
    queue.publish(slow, barrier_and(&[], Some(&done)));
    world.card.ring();
    done.wait(0);
    queue.wait_read(2);
}

#[test]
fn barriers_between_queues_wait_for_all_or_for_one() {
    let world = World::new();
    let (first, second) = (Aql::new(&world), Aql::new(&world));
    let (a, b) = (world.signal(1), world.signal(1));
    let (all, any) = (world.signal(1), world.signal(1));
    first.submit(barrier_and(&[a, b], Some(&all)));
    second.submit(barrier_or(&[b, a], Some(&any)));
    a.store(0);
    any.wait(0);
    second.wait_read(1);
    assert_eq!((all.value(), first.read_id()), (1, 0), "b is still 1");
    // The other queue brings b to 0, without the host.
    second.submit(barrier_and(&[], Some(&b)));
    all.wait(0);
    first.wait_read(1);
}

#[test]
fn barriers_without_dependencies_pass() {
    let world = World::new();
    let queue = Aql::new(&world);
    let done = world.signal(2);
    queue.submit(barrier_or(&[], Some(&done)));
    queue.submit(barrier_and(&[], Some(&done)));
    done.wait(0);
}

#[test]
fn a_waiting_queue_does_not_block_another_one() {
    let world = World::new();
    let (stuck, free) = (Aql::new(&world), Aql::new(&world));
    let never = world.signal(1);
    let (late, done) = (world.signal(1), world.signal(50));
    stuck.submit(barrier_and(&[never], Some(&late)));
    for _ in 0..50 {
        free.submit(barrier_and(&[], Some(&done)));
    }
    done.wait(0);
    assert_eq!((late.value(), stuck.read_id()), (1, 0));
    never.store(0);
    late.wait(0);
}

#[test]
fn barrier_values_compare_the_masked_signal() {
    let world = World::new();
    let queue = Aql::new(&world);
    // Value, mask, condition (EQ NE LT GTE), a signal value that fails and one that passes.
    let cases: [(i64, i64, u32, i64, i64); 4] =
        [(5, 0xff, 0, 0x104, 0x105), (5, -1, 1, 5, 6), (0, -1, 2, 0, -1), (7, 0xf, 3, 0x16, 0x17)];
    for (value, mask, condition, fails, passes) in cases {
        let (signal, done) = (world.signal(fails), world.signal(1));
        let id = queue.submit(barrier_value(&signal, value, mask, condition, Some(&done)));
        // A second queue's round trip: time enough for a wrong comparison to pass.
        let other = Aql::new(&world);
        let trip = world.signal(1);
        other.submit(barrier_and(&[], Some(&trip)));
        trip.wait(0);
        assert_eq!((done.value(), queue.read_id()), (1, id), "condition {condition} holds too early");
        signal.store(passes);
        done.wait(0);
        queue.wait_read(id + 1);
    }
}

#[test]
fn pm4_buffers_execute_what_the_runtime_emits() {
    let world = World::new();
    let queue = Aql::new(&world);
    let (ib, out) = (world.data(4096), world.data(4096));
    out.write(0, 5u64);
    out.write(64, 0x1111_2222u32);
    let inner = world.data(64);
    inner.words(&[0xc003_3700, 5 << 8, out.va as u32 + 40, wide(out.va)[1], 0xabcd]);
    let [lo, hi] = wide(out.va);
    let [ilo, ihi] = wide(inner.va);
    #[rustfmt::skip]
    let words = [
        // The code cache flush.
        0xc005_5800, 1 << 29 | 1 << 27 | 1 << 23 | 1 << 18, 0xffff_ffff, 0xff, 0, 0, 0,
        0x8000_0000,
        0xc001_1000, 0xdead, 0xbeef,
        // WRITE_DATA of two dwords.
        0xc004_3700, 5 << 8, lo + 16, hi, 0x1234_5678, 0x9abc_def0,
        // COPY_DATA: memory to memory 32 bits, an immediate of 64 bits.
        0xc004_4000, 1 | 5 << 8, lo + 64, hi, lo + 24, hi,
        0xc004_4000, 5 | 5 << 8 | 1 << 16, 7, 8, lo + 32, hi,
        // ATOMIC_MEM: add -1 to 64 bits.
        0xc007_1e00, 47, lo, hi, 0xffff_ffff, 0xffff_ffff, 0, 0, 0,
        // WAIT_REG_MEM: already equal.
        0xc005_3c00, 3 | 1 << 4, lo + 16, hi, 0x5678, 0xffff, 4,
        // INDIRECT_BUFFER.
        0xc002_3f00, ilo, ihi, 5 | 1 << 23,
        // RELEASE_MEM: 64 bits, with an interrupt.
        0xc006_4900, 0x14, 2 << 29 | 2 << 24, lo + 48, hi, 0x55, 0x66, 0,
    ];
    ib.words(&words);
    let done = world.signal(1);
    queue.submit(pm4(&ib, words.len() as u32, Some(&done)));
    until("done or a report", || done.value() == 0 || world.driver.heard(|h| !h.reports.is_empty()));
    world.driver.heard(|h| assert!(h.reports.is_empty(), "{:?}", h.reports));
    assert_eq!(out.read::<u64>(0), 4);
    assert_eq!(out.read::<u64>(16), 0x9abc_def0_1234_5678);
    assert_eq!(out.read::<u32>(24), 0x1111_2222);
    assert_eq!(out.read::<u64>(32), 8 << 32 | 7);
    assert_eq!(out.read::<u32>(40), 0xabcd);
    assert_eq!(out.read::<u64>(48), 0x66 << 32 | 0x55);
    assert_eq!(world.driver.heard(|h| h.interrupts), 1);
    queue.wait_read(1);
}

#[test]
fn a_pm4_packet_without_a_signal_advances_the_read_id() {
    let world = World::new();
    let queue = Aql::new(&world);
    let ib = world.data(64);
    ib.words(&[0xc005_5800, 1 << 29, 0xffff_ffff, 0xff, 0, 0, 0]);
    queue.submit(pm4(&ib, 7, None));
    queue.wait_read(1);
}
