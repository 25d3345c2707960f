//! Refused packets, queue errors, faults and their reports.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use vega_exec::observe::{Observe, Schedule};
use vega_exec::{Engine, EngineConfig, Rights};
use vega_gpu::CardConfig;

use crate::kernels::{ILLEGAL, LDS_WITHOUT_LDS, SPIN, STORE_TO_NULL, TRAP, TRIPLE, launch, load};
use crate::user::{Aql, Dispatch, World, barrier_and, pm4, until};

/// Submits a packet that must be refused with `code`; checks everything that user space sees of it.
fn refused(world: &World, packet: [u32; 16], code: i64, text: &str) {
    let queue = Aql::new(world);
    let reports = world.driver.heard(|h| h.reports.len());
    queue.submit(packet);
    queue.inactive.wait(code);
    world.driver.wait(|h| (h.events.last() == Some(&77)).then_some(()));
    world.driver.heard(|h| {
        assert_eq!(h.reports.len(), reports + 1);
        assert!(h.reports[reports].contains(text), "{text:?} not in {:?}", h.reports[reports]);
        assert!(h.faults.is_empty() && h.exceptions == 0);
    });
    assert_eq!(queue.read_id(), 0);
    assert_ne!(queue.ring.read::<u16>(0) & 0xff, 1, "the packet stays");
    assert!(!world.card.pending());
    // The runtime suspends the queue, then destroys it.
    queue.update(0);
    world.card.destroy_queue(queue.id).unwrap();
}

#[test]
fn dispatches_that_no_card_can_run_are_refused_with_their_code() {
    let world = World::new();
    let code = load(&world, "triple", &TRIPLE);
    let good = launch(&world, code.kernel, 1, 0);
    let data = world.data(4096);
    let cases = [
        (Dispatch { dims: 0, ..good }, 2, "a grid of 0 dimensions"),
        (Dispatch { grid: [0, 1, 1], ..good }, 2, "a dimension is 0"),
        (Dispatch { dims: 3, workgroup: [64, 1, 0], ..good }, 2, "a dimension is 0"),
        (Dispatch { group: 65537, ..good }, 4, "65537 bytes of LDS"),
        (Dispatch { kernel: 0, ..good }, 8, "kernel object 0x0"),
        (Dispatch { kernel: 0x40, ..good }, 8, "not mapped"),
        (Dispatch { kernel: code.kernel + 4, ..good }, 8, "multiple of 64"),
        (Dispatch { kernel: data.va, ..good }, 8, "no executable memory"),
        (Dispatch { dims: 2, workgroup: [64, 32, 1], grid: [64, 32, 1], ..good }, 64, "2048 work-items"),
    ];
    for (dispatch, code, text) in cases {
        refused(&world, dispatch.packet(None), code, text);
    }
    // 128 VGPRs: 8 waves fit.
    code.image.write::<u32>(0x1040 + 48, 31 | 1 << 6);
    let wide = Dispatch { workgroup: [1024, 1, 1], grid: [1024, 1, 1], ..good };
    refused(&world, wide.packet(None), 128, "16 waves of 128 VGPRs");
}

#[test]
fn packets_that_do_not_exist_are_refused_with_their_code() {
    let world = World::new();
    let with_header = |header| {
        let mut packet = barrier_and(&[], None);
        packet[0] = header;
        packet
    };
    refused(&world, with_header(0x0004), 32, "AQL packet type 4");
    refused(&world, with_header(0x0099), 32, "AQL packet type 153");
    refused(&world, with_header(0x0009_0000), 256, "format 9");
    let ib = world.data(64);
    ib.words(&[0xc000_1500]);
    refused(&world, pm4(&ib, 1, None), 256, "PM4 packet 0xc0001500");
    ib.words(&[0xc005_5800]);
    refused(&world, pm4(&ib, 3, None), 256, "bad length of 7 dwords");
    ib.words(&[0xc002_3f00, ib.va as u32, (ib.va >> 32) as u32, 4]);
    refused(&world, pm4(&ib, 4, None), 256, "nested more than 4 deep");
}

#[test]
fn a_queue_without_a_signal_for_errors_ends_the_program_by_a_hardware_exception() {
    let world = World::new();
    let queue = Aql::new(&world);
    queue.queue.write(0xc0, 0u64);
    let mut packet = barrier_and(&[], None);
    packet[0] = 4;
    queue.submit(packet);
    world.driver.wait(|h| (h.exceptions == 1).then_some(()));
}

#[test]
fn signals_in_nowhere_are_memory_faults() {
    let world = World::new();
    let queue = Aql::new(&world);
    let mut packet = barrier_and(&[], None);
    packet[14] = 0x7000;
    queue.submit(packet);
    let fault = world.driver.wait(|h| h.faults.first().copied());
    assert_eq!((fault.va & !0xff, fault.not_present), (0x7000, true));
    world.driver.heard(|h| assert!(h.reports[0].contains("memory fault of the packet processor")));
}

#[test]
fn read_only_memory_is_told_apart() {
    let world = World::new();
    let queue = Aql::new(&world);
    let memory = world.memory(4096, Rights::READ);
    let mut packet = barrier_and(&[], None);
    packet[14..].copy_from_slice(&crate::user::wide(memory.va));
    queue.submit(packet);
    let fault = world.driver.wait(|h| h.faults.first().copied());
    assert_eq!((fault.not_present, fault.read_only, fault.no_execute), (false, true, false));
}

#[test]
fn too_little_scratch_memory_stalls_the_queue_until_the_runtime_gives_more() {
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "end", &[0xbf81_0000]);
    let mut dispatch = launch(&world, code.kernel, 1, 0);
    dispatch.private = 96;
    let done = world.signal(1);
    queue.submit(dispatch.packet(Some(&done)));
    queue.inactive.wait(1);
    world.driver.wait(|h| (h.events == [77]).then_some(()));
    // Another queue goes on meanwhile.
    let (other, trip) = (Aql::new(&world), world.signal(1));
    other.submit(barrier_and(&[], Some(&trip)));
    trip.wait(0);
    assert_eq!((done.value(), queue.read_id()), (1, 0));
    // Still too little: it asks again.
    queue.queue.write(0xb0, 64u32);
    queue.inactive.store(0);
    world.driver.wait(|h| (h.events == [77, 77]).then_some(()));
    queue.inactive.wait(1);
    // Enough, and for one dispatch only.
    let scratch = world.data(96 * 64 * 32);
    queue.queue.write(0x8c, 32u32 | 6 << 12);
    queue
        .queue
        .write(0x90, [scratch.va as u32, (scratch.va >> 32) as u32 | 1 << 31, 96 * 64 * 32, 0x00ea_4fac]);
    queue.queue.write(0xa0, scratch.va);
    queue.queue.write(0xb0, 96u32);
    queue.queue.write(0xb4, 1u32 << 4);
    queue.inactive.store(0);
    done.wait(0);
    queue.inactive.wait(512);
    queue.wait_read(1);
    let next = world.signal(1);
    queue.submit(barrier_and(&[], Some(&next)));
    assert_eq!(next.value(), 1);
    queue.queue.write(0xb4, 0u32);
    queue.inactive.store(0);
    next.wait(0);
}

#[test]
fn a_fault_report_names_kernel_workgroup_lane_instruction_and_address() {
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "store_to_null", &STORE_TO_NULL);
    let done = world.signal(1);
    queue.submit(launch(&world, code.kernel, 1, 0).packet(Some(&done)));
    let fault = world.driver.wait(|h| h.faults.first().copied());
    assert_eq!((fault.va, fault.not_present), (16, true));
    let report = world.driver.heard(|h| h.reports.concat());
    let pc = format!("{:#x}", code.kernel + 0x100 + 16);
    let expected = [
        "memory fault in a kernel",
        "store_to_null\n",
        "workgroup   (0, 0, 0)",
        "lane        5, work-item (5, 0, 0)",
        "exec 0x0000000000000020",
        "0x10, write: null pointer",
        "registers   v[1:2] = 0x0, v0 = 0x5\n",
        &pc,
        "v_cmp_eq_u32_e32 vcc, 5, v0",
        "=> ",
        "global_store_dword v[1:2], v0, off offset:16",
        "s_endpgm",
    ];
    for text in expected {
        assert!(report.contains(text), "{text:?} not in\n{report}");
    }
    assert_eq!((done.value(), queue.read_id()), (1, 0), "a faulting dispatch never completes");
}

#[test]
fn every_report_is_written_before_the_program_is_told_of_a_fault() {
    const QUEUES: usize = 4;
    let world = World::new();
    *world.driver.meeting.lock().unwrap() = Some(Arc::new(Barrier::new(QUEUES)));
    for number in 0..QUEUES {
        let queue = Aql::new(&world);
        let code = load(&world, &format!("_Z4wild{number}v"), &STORE_TO_NULL);
        queue.submit(launch(&world, code.kernel, 1, 0).packet(None));
    }
    world.driver.wait(|h| (h.faults.len() == QUEUES).then_some(()));
    world.driver.heard(|h| {
        assert_eq!(h.reports_before, Some(QUEUES));
        h.reports.iter().for_each(|report| assert!(report.ends_with("s_endpgm\n"), "{report}"));
    });
}

#[test]
fn the_name_of_a_kernel_is_that_of_its_source() {
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "_Z5storeIdEvPT_m", &STORE_TO_NULL);
    queue.submit(launch(&world, code.kernel, 1, 0).packet(None));
    world.driver.wait(|h| (!h.faults.is_empty()).then_some(()));
    let report = world.driver.heard(|h| h.reports.concat());
    assert!(report.contains("  kernel      void store<double>(double*, unsigned long)\n"), "{report}");
}

#[test]
fn the_watchdog_ends_a_kernel_and_leaves_other_queues_alone() {
    let limit = Duration::from_millis(200);
    let config = EngineConfig { threads: 2, watchdog: Some(limit), ..EngineConfig::default() };
    let world = World::on(Engine::new(config).unwrap(), CardConfig::default());
    let (stuck, free) = (Aql::new(&world), Aql::new(&world));
    let spin = load(&world, "spin", &SPIN);
    stuck.submit(launch(&world, spin.kernel, 4, 0).packet(None));
    world.driver.wait(|h| (h.exceptions == 1).then_some(()));
    let report = world.driver.heard(|h| h.reports.concat());
    assert!(
        report.contains("run for more than 0.2 s") && report.contains("  kernel      spin\n"),
        "{report}"
    );
    assert!(report.contains("=> ") && report.contains("s_nop 0"), "{report}");
    let (code, out, done) = (load(&world, "triple", &TRIPLE), world.data(4096), world.signal(1));
    free.submit(launch(&world, code.kernel, 1, out.va).packet(Some(&done)));
    done.wait(0);
    assert_eq!(out.read::<u32>(4), 3);
}

#[test]
fn what_a_schedule_or_a_check_makes_of_a_fault_is_told() {
    let observe = Observe { schedule: Some(Schedule::Random(3)), check_lds: true, ..Observe::default() };
    let config = EngineConfig { observe, ..EngineConfig::default() };
    let world = World::on(Engine::new(config).unwrap(), CardConfig::default());
    let queue = Aql::new(&world);
    let code = load(&world, "beyond", &LDS_WITHOUT_LDS);
    queue.submit(launch(&world, code.kernel, 1, 0).packet(None));
    queue.inactive.wait(0x2000_0000);
    let report = world.driver.heard(|h| h.reports.concat());
    let expected = [
        "access beyond LDS in a kernel",
        "lane        0, work-item (0, 0, 0)",
        "lds         byte 0x0; the workgroup has 0x0 bytes",
        "=> ",
        "ds_write_b32 v0, v0",
        "schedule    random:3: VEGA_SCHEDULE=random:3 repeats it",
    ];
    for text in expected {
        assert!(report.contains(text), "{text:?} not in\n{report}");
    }
}

#[test]
fn traps_and_illegal_instructions_are_queue_errors() {
    let cases: [(&str, &[u32], i64, &str); 2] =
        [("aborts", &TRAP, 0x8000_0000, "trap 2"), ("garbage", &ILLEGAL, 0x4000_0000, "illegal instruction")];
    for (name, code, error, text) in cases {
        let world = World::new();
        let queue = Aql::new(&world);
        let code = load(&world, name, code);
        queue.submit(launch(&world, code.kernel, 1, 0).packet(None));
        until("an error", || queue.inactive.value() != 0);
        assert_eq!(queue.inactive.value(), error);
        let report = world.driver.heard(|h| h.reports.concat());
        assert!(report.contains(text) && report.contains(name), "{report}");
        world.card.destroy_queue(queue.id).unwrap();
    }
}

#[test]
fn a_broken_code_object_gives_a_report_without_a_name() {
    let world = World::new();
    let queue = Aql::new(&world);
    let code = load(&world, "lost", &TRAP);
    // Symbols and strings in nowhere, more symbols than there is memory.
    [0x208, 0x218, 0x228].iter().for_each(|&at| code.image.write(at, u64::MAX - 7));
    code.image.write(0x504, u32::MAX);
    queue.submit(launch(&world, code.kernel, 1, 0).packet(None));
    queue.inactive.wait(0x8000_0000);
    let report = world.driver.heard(|h| h.reports.concat());
    assert!(report.contains("without a name"), "{report}");
}
