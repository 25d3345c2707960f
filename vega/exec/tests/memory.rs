//! The page table and the command processor's accesses.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Pages, catch_faults, watchdog};
use vega_exec::{Access, AddressSpace, AtomicOp, FaultReason, GuestFault, MapError, Rights};

const VA: u64 = 0x4000_0000;

fn mapped(space: &AddressSpace, va: u64, len: usize, rights: Rights) -> Pages {
    let pages = Pages::new(len);
    // SAFETY: nothing else refers to the pages, and every test unmaps or drops the space before them.
    unsafe { space.map(va, len as u64, pages.host, rights) }.expect("free address");
    pages
}

#[test]
fn mappings_are_page_aligned_and_do_not_overlap() {
    let space = AddressSpace::new();
    let pages = mapped(&space, VA, 0x4000, Rights::READ_WRITE);
    // SAFETY: all of these are refused.
    unsafe {
        assert_eq!(
            space.map(VA + 1, 0x1000, pages.host, Rights::ALL),
            Err(MapError::Unaligned { va: VA + 1, len: 0x1000 })
        );
        assert_eq!(space.map(VA, 0, pages.host, Rights::ALL), Err(MapError::Length { va: VA, len: 0 }));
        let top = u64::MAX - 0xfff;
        assert_eq!(
            space.map(top, 0x2000, pages.host, Rights::ALL),
            Err(MapError::Length { va: top, len: 0x2000 })
        );
        for va in [VA - 0x1000, VA, VA + 0x3000] {
            assert_eq!(space.map(va, 0x2000, pages.host, Rights::ALL), Err(MapError::Overlap { va: VA }));
        }
    }
    let found = space.lookup(VA + 0x3fff).expect("last byte");
    assert_eq!((found.va, found.len, found.host, found.rights), (VA, 0x4000, pages.host, Rights::READ_WRITE));
    assert_eq!(space.lookup(VA + 0x4000), None);
    assert_eq!(space.lookup(VA - 1), None);
}

#[test]
fn unmapping_the_middle_leaves_both_ends() {
    let space = AddressSpace::new();
    let pages = mapped(&space, VA, 0x4000, Rights::READ_WRITE);
    space.write(VA + 0x3000, 7u32).expect("mapped");
    space.unmap(VA + 0x1000, 0x2000);
    assert_eq!(space.lookup(VA).map(|m| m.len), Some(0x1000));
    let end = space.lookup(VA + 0x3000).expect("the end stays");
    assert_eq!(end.host, pages.host.wrapping_add(0x3000));
    assert_eq!(space.read::<u32>(VA + 0x3000), Ok(7));
    let gone = GuestFault { va: VA + 0x1000, access: Access::Read, reason: FaultReason::NotMapped };
    assert_eq!(space.read::<u32>(VA + 0x1000), Err(gone));
}

#[test]
fn rights_are_checked() {
    let space = AddressSpace::new();
    let _pages = mapped(&space, VA, 0x1000, Rights::READ);
    assert_eq!(space.read::<u64>(VA), Ok(0));
    let no = |access| GuestFault { va: VA, access, reason: FaultReason::NoRight };
    assert_eq!(space.write(VA, 1u32), Err(no(Access::Write)));
    assert_eq!(space.atomic_u32(VA, AtomicOp::Add, 1), Err(no(Access::Atomic)));
}

#[test]
fn values_bytes_copies_and_fills_cross_mappings() {
    let space = AddressSpace::new();
    let _low = mapped(&space, VA, 0x1000, Rights::READ_WRITE);
    let _high = mapped(&space, VA + 0x1000, 0x1000, Rights::READ_WRITE);
    let at = VA + 0xffd;
    space.write(at, 0x1122_3344_5566_7788u64).expect("mapped");
    assert_eq!(space.read::<u64>(at), Ok(0x1122_3344_5566_7788));
    assert_eq!(space.read::<u8>(VA + 0x1000), Ok(0x55));
    let bytes: Vec<u8> = (0..200).collect();
    space.write_bytes(VA + 0xf80, &bytes).expect("mapped");
    space.copy(VA + 0x100, VA + 0xf80, 200).expect("mapped");
    let mut back = vec![0; 200];
    space.read_bytes(VA + 0x100, &mut back).expect("mapped");
    assert_eq!(back, bytes);
    space.fill(VA + 0xff0, 0xabcd_ef01, 8).expect("mapped");
    assert_eq!(space.read::<[u32; 8]>(VA + 0xff0), Ok([0xabcd_ef01; 8]));
    let end = GuestFault { va: VA + 0x2000, access: Access::Write, reason: FaultReason::NotMapped };
    assert_eq!(space.fill(VA + 0x1ff0, 0, 8), Err(end));
}

#[test]
fn atomics_do_what_their_names_say() {
    use AtomicOp::*;
    let space = AddressSpace::new();
    let _pages = mapped(&space, VA, 0x1000, Rights::READ_WRITE);
    let minus = |n: u32| n.wrapping_neg();
    let cases = [
        (Swap, 5, 9, 9),
        (Add, u32::MAX, 2, 1),
        (Sub, 1, 2, u32::MAX),
        (SMin, 1, minus(1), minus(1)),
        (UMin, 1, minus(1), 1),
        (SMax, 1, minus(1), 1),
        (UMax, 1, minus(1), minus(1)),
        (And, 12, 10, 8),
        (Or, 12, 10, 14),
        (Xor, 12, 10, 6),
        (Inc, 5, 5, 0),
        (Inc, 4, 5, 5),
        (Dec, 0, 5, 5),
        (Dec, 6, 5, 5),
        (Dec, 3, 5, 2),
    ];
    for (op, memory, operand, after) in cases {
        space.write(VA, memory).expect("mapped");
        assert_eq!(space.atomic_u32(VA, op, operand), Ok(memory), "{op:?}");
        assert_eq!(space.read::<u32>(VA), Ok(after), "{op:?}");
    }
    space.write(VA, u64::from(u32::MAX)).expect("mapped");
    assert_eq!(space.atomic_u64(VA, Add, 1), Ok(u64::from(u32::MAX)));
    assert_eq!(space.compare_exchange_u64(VA, 1 << 32, 3), Ok(1 << 32));
    assert_eq!(space.read::<u64>(VA), Ok(3));
    let odd = GuestFault { va: VA + 4, access: Access::Atomic, reason: FaultReason::Misaligned };
    assert_eq!(space.atomic_u64(VA + 4, Add, 1), Err(odd));
}

#[test]
fn memory_that_the_host_takes_away_is_a_fault_and_not_a_crash() {
    catch_faults();
    let space = AddressSpace::new();
    let pages = mapped(&space, VA, 0x2000, Rights::READ_WRITE);
    let other = mapped(&space, VA + 0x10_0000, 0x2000, Rights::READ_WRITE);
    pages.protect();
    let gone = |access| GuestFault { va: VA + 8, access, reason: FaultReason::HostMemoryGone };
    assert_eq!(space.read::<u32>(VA + 8), Err(gone(Access::Read)));
    assert_eq!(space.write(VA + 8, 1u64), Err(gone(Access::Write)));
    assert_eq!(space.atomic_u32(VA + 8, AtomicOp::Add, 1), Err(gone(Access::Atomic)));
    let mut bytes = [0; 100];
    assert_eq!(space.read_bytes(VA + 8, &mut bytes), Err(gone(Access::Read)));
    assert_eq!(space.copy(VA + 0x10_0000, VA + 8, 100), Err(gone(Access::Read)));
    assert_eq!(space.copy(VA + 8, VA + 0x10_0000, 100), Err(gone(Access::Write)));
    assert_eq!(space.fill(VA + 8, 0, 4), Err(gone(Access::Write)));
    assert_eq!(space.read::<u32>(VA + 0x10_0000), Ok(0));
    drop(other);
}

#[test]
fn unmap_waits_for_accesses_with_the_old_translation() {
    watchdog(Duration::from_secs(100));
    catch_faults();
    let space = AddressSpace::new();
    let stop = AtomicBool::new(false);
    // Readers hammer a mapping that comes and goes; each page is filled with its own mark while it is
    // mapped and overwritten after unmap has returned. A reader must never see the second mark.
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (space, stop): (Arc<AddressSpace>, &AtomicBool) = (Arc::clone(&space), &stop);
                scope.spawn(move || {
                    let (mut seen, mut missed) = (0u32, 0u32);
                    let mut bytes = vec![0u8; 4096];
                    while !stop.load(Ordering::Relaxed) {
                        match space.read_bytes(VA, &mut bytes) {
                            Ok(()) => {
                                assert!(bytes.iter().all(|b| *b == 1), "an old translation was used");
                                seen += 1;
                            }
                            Err(fault) => {
                                assert_eq!(fault.reason, FaultReason::NotMapped);
                                missed += 1;
                            }
                        }
                    }
                    (seen, missed)
                })
            })
            .collect();
        for round in 0..3000 {
            let pages = Pages::new(4096);
            // SAFETY: the pages are fresh; while they are mapped only raw accesses reach them.
            unsafe {
                pages.host.write_bytes(1, 4096);
                space.map(VA, 4096, pages.host, Rights::READ).expect("free address");
            }
            if round % 16 == 0 {
                std::thread::yield_now();
            }
            space.unmap(VA, 4096);
            // SAFETY: unmapped: the pages are this test's again.
            unsafe { pages.host.write_bytes(2, 4096) };
        }
        stop.store(true, Ordering::Relaxed);
        let totals = readers.into_iter().map(|r| r.join().expect("no old translation"));
        let (seen, missed) = totals.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        assert!(seen + missed > 0);
    });
}
