//! Suspending and destroying queues, sleeping, waking.

use vega_gpu::{QueueConfig, QueueError, QueueId, QueueKind, QueueUpdate};

use crate::kernels::{COUNT, SPIN, TRIPLE, launch, load};
use crate::user::{Aql, World, barrier_and, until};

#[test]
fn a_suspended_queue_keeps_its_packets_until_it_is_resumed() {
    let world = World::new();
    let (queue, other) = (Aql::new(&world), Aql::new(&world));
    queue.update(0);
    let (done, trip) = (world.signal(2), world.signal(1));
    queue.submit(barrier_and(&[], Some(&done)));
    queue.submit(barrier_and(&[], Some(&done)));
    other.submit(barrier_and(&[], Some(&trip)));
    trip.wait(0);
    assert_eq!((done.value(), queue.read_id()), (2, 0));
    assert!(!world.card.pending(), "a suspended queue waits for nothing but its update");
    queue.update(100);
    done.wait(0);
    // A ring of 0 suspends, too, and the ring stays.
    let none = QueueUpdate { ring_va: 0, ring_bytes: 0, percentage: 100, priority: 7 };
    world.card.update_queue(queue.id, none).unwrap();
    let again = world.signal(1);
    queue.submit(barrier_and(&[], Some(&again)));
    let trip = world.signal(1);
    other.submit(barrier_and(&[], Some(&trip)));
    trip.wait(0);
    assert_eq!(again.value(), 1);
    queue.update(100);
    again.wait(0);
}

#[test]
fn a_barrier_that_is_suspended_completes_after_it_is_resumed() {
    let world = World::new();
    let queue = Aql::new(&world);
    let (dep, done) = (world.signal(1), world.signal(1));
    queue.submit(barrier_and(&[dep], Some(&done)));
    queue.update(0);
    dep.store(0);
    queue.update(100);
    done.wait(0);
}

#[test]
fn a_kernel_stands_still_while_its_queue_is_suspended() {
    let world = World::new();
    let (queue, done, out) = (Aql::new(&world), world.signal(1), world.data(4096));
    let counted = || out.read::<u32>(0);
    let code = load(&world, "count", &COUNT);
    // More workgroups than threads, so that helpers take part.
    queue.submit(launch(&world, code.kernel, 300, out.va).packet(Some(&done)));
    for _ in 0..3 {
        let begun = counted();
        until("the kernel counts", || counted() > begun + 1000);
        queue.update(0);
        let stopped = counted();
        // Other queues run meanwhile, with all threads.
        let (other, trip, data) = (Aql::new(&world), world.signal(1), world.data(0x10_0000));
        let triple = load(&world, "triple", &TRIPLE);
        other.submit(launch(&world, triple.kernel, 4000, data.va).packet(Some(&trip)));
        trip.wait(0);
        assert_eq!((counted(), done.value()), (stopped, 1));
        queue.update(100);
    }
    out.write(8, 1u32);
    done.wait(0);
    // A suspended queue is destroyed with its kernel.
    let (queue, out) = (Aql::new(&world), world.data(4096));
    queue.submit(launch(&world, code.kernel, 3, out.va).packet(None));
    until("the kernel counts", || out.read::<u32>(0) > 100);
    queue.update(0);
    world.card.destroy_queue(queue.id).unwrap();
}

#[test]
fn queues_are_destroyed_whatever_they_wait_for() {
    let world = World::new();
    let never = world.signal(1);
    let (waiting, stalled, idle, suspended) =
        (Aql::new(&world), Aql::new(&world), Aql::new(&world), Aql::new(&world));
    waiting.submit(barrier_and(&[never], None));
    let code = load(&world, "triple", &TRIPLE);
    let mut hungry = launch(&world, code.kernel, 1, 0);
    hungry.private = 1 << 20;
    stalled.submit(hungry.packet(None));
    stalled.inactive.wait(1);
    suspended.update(0);
    suspended.submit(barrier_and(&[], None));
    for queue in [&waiting, &stalled, &idle, &suspended] {
        world.card.destroy_queue(queue.id).unwrap();
        assert!(matches!(world.card.destroy_queue(queue.id), Err(QueueError::NoSuchQueue(_))));
        assert_eq!(queue.read_id(), 0);
    }
    // Nothing reads the ring of a destroyed queue.
    never.store(0);
    waiting.submit(barrier_and(&[], None));
    assert_eq!(waiting.read_id(), 0);
}

#[test]
fn a_queue_whose_kernel_spins_for_ever_is_destroyed() {
    let world = World::new();
    let code = load(&world, "spin", &SPIN);
    for groups in [1, 200] {
        let (queue, done) = (Aql::new(&world), world.signal(1));
        queue.submit(launch(&world, code.kernel, groups, 0).packet(Some(&done)));
        // Another queue's kernel runs meanwhile.
        let (other, trip, out) = (Aql::new(&world), world.signal(1), world.data(4096));
        let triple = load(&world, "triple", &TRIPLE);
        other.submit(launch(&world, triple.kernel, 1, out.va).packet(Some(&trip)));
        trip.wait(0);
        world.card.destroy_queue(queue.id).unwrap();
        assert_eq!((done.value(), queue.read_id()), (1, 0), "a stopped dispatch does not complete");
        world.card.destroy_queue(other.id).unwrap();
    }
    world.driver.heard(|h| assert!(h.reports.is_empty() && h.events.is_empty()));
}

#[test]
fn a_card_is_dropped_with_busy_queues() {
    let world = World::new();
    let code = load(&world, "spin", &SPIN);
    let (spinning, waiting) = (Aql::new(&world), Aql::new(&world));
    spinning.submit(launch(&world, code.kernel, 3, 0).packet(None));
    waiting.submit(barrier_and(&[world.signal(1)], None));
    let card = std::sync::Arc::downgrade(&world.card);
    drop(world.card);
    assert!(card.upgrade().is_none());
}

#[test]
fn no_packet_is_lost_between_sleeping_and_ringing() {
    let world = World::new();
    let queue = Aql::new(&world);
    let mut overslept = 0;
    for round in 1..=200u64 {
        queue.write(barrier_and(&[], None));
        // Either the thread was still awake, or the card knows that it has to be rung.
        until("the packet is read or pending", || queue.read_id() == round || world.card.pending());
        if queue.read_id() != round {
            overslept += 1;
            world.card.ring();
        }
        queue.wait_read(round);
        // Let it fall asleep in some rounds.
        if round % 4 == 0 {
            until("the thread sleeps", || state(&queue).0 == 'S');
        }
    }
    assert!(overslept > 0, "the thread never slept");
}

/// State and voluntary context switches of a queue's thread.
fn state(queue: &Aql) -> (char, u64) {
    let name = format!("vega-queue-{}", queue.id);
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let Ok(status) = std::fs::read_to_string(task.unwrap().path().join("status")) else { continue };
        let field = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim().to_owned()).unwrap_or_default()
        };
        if field("Name:") == name {
            let switches = field("voluntary_ctxt_switches:").parse().unwrap();
            return (field("State:").chars().next().unwrap(), switches);
        }
    }
    panic!("no thread {name}");
}

#[test]
fn an_idle_queue_sleeps() {
    let world = World::new();
    let (idle, busy) = (Aql::new(&world), Aql::new(&world));
    let done = world.signal(1);
    idle.submit(barrier_and(&[], Some(&done)));
    done.wait(0);
    // Sleeping twice in a row without having woken in between.
    until("the idle thread sleeps", || {
        let before = state(&idle);
        std::thread::yield_now();
        before.0 == 'S' && state(&idle) == before && !world.card.pending()
    });
    let before = state(&idle);
    let rounds = world.signal(500);
    for _ in 0..500 {
        busy.submit(barrier_and(&[], Some(&rounds)));
    }
    rounds.wait(0);
    assert_eq!(state(&idle), before, "work of another queue woke it");
}

#[test]
fn the_queues_thread_takes_no_asynchronous_signal() {
    let world = World::new();
    let queue = Aql::new(&world);
    let name = format!("vega-queue-{}", queue.id);
    let blocked = || {
        std::fs::read_dir("/proc/self/task").unwrap().find_map(|task| {
            let status = std::fs::read_to_string(task.unwrap().path().join("status")).ok()?;
            let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
            let mask = u64::from_str_radix(field("SigBlk:")?, 16).ok()?;
            (field("Name:")? == name).then_some(mask)
        })
    };
    until("the thread has its name", || blocked().is_some());
    let mask = blocked().unwrap();
    let is_blocked = |signal: i32| mask >> (signal - 1) & 1 == 1;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGALRM, libc::SIGUSR1, libc::SIGCHLD, libc::SIGPROF] {
        assert!(is_blocked(signal), "signal {signal}");
    }
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        assert!(!is_blocked(signal), "signal {signal}");
    }
}

#[test]
fn bad_queues_are_refused() {
    let world = World::new();
    let memory = world.data(4096);
    let good = QueueConfig {
        kind: QueueKind::Aql,
        ring_va: memory.va,
        ring_bytes: 1024,
        read_ptr_va: memory.va + 2048 + 0x80,
        write_ptr_va: memory.va + 2048 + 0x38,
        percentage: 100,
        priority: 0,
    };
    let bad = [
        QueueConfig { ring_bytes: 1000, ..good },
        QueueConfig { ring_bytes: 0, ..good },
        QueueConfig { ring_va: memory.va + 64, ..good },
        QueueConfig { ring_va: u64::MAX - 1023, ring_bytes: 4096, ..good },
    ];
    for config in bad {
        assert!(matches!(world.card.create_queue(config), Err(QueueError::BadRing { .. })), "{config:?}");
    }
    let bad = QueueConfig { read_ptr_va: memory.va + 4, ..good };
    assert!(matches!(world.card.create_queue(bad), Err(QueueError::BadPointer(_))));
    let id = world.card.create_queue(good).unwrap();
    assert_ne!(id.0, 0);
    world.card.set_cu_mask(id, &[u32::MAX, 0xff_ffff]).unwrap();
    assert!(matches!(world.card.set_cu_mask(QueueId(0), &[1]), Err(QueueError::NoSuchQueue(QueueId(0)))));
}

#[test]
fn memory_of_an_idle_queue_may_go_away() {
    let world = World::new();
    let queue = Aql::new(&world);
    let done = world.signal(1);
    queue.submit(barrier_and(&[], Some(&done)));
    done.wait(0);
    queue.wait_read(1);
    world.card.space().unmap(queue.ring.va, queue.ring.bytes as u64);
    world.card.space().unmap(queue.queue.va, queue.queue.bytes as u64);
    world.card.ring();
    assert!(!world.card.pending());
    world.card.destroy_queue(queue.id).unwrap();
    world.driver.heard(|h| assert!(h.reports.is_empty(), "{:?}", h.reports));
}
