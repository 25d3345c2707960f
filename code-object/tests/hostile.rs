//! Random, truncated and mutated files: an error or a consistent result, never a panic, never much memory.
//!
//! # Safety
//! The unsafe code is a global allocator that hands every call to the system's and counts bytes beside it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use code_object::{Bundle, CodeObject, Image};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SAXPY: &[u8] = include_bytes!("fixtures/saxpy.hsaco");
const MULTI: &[u8] = include_bytes!("fixtures/empty-multi.hsaco");

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count(change: isize) {
    // Outside of a thread's life there is nothing to count.
    let _ = LIVE.try_with(|live| {
        live.set(live.get().wrapping_add_signed(change));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call goes to `System` unchanged, so its guarantees are ours.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's layout, passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads everything that the crate offers and checks that all of it lies inside the file; true if it was accepted.
fn read_all(bytes: &[u8]) -> bool {
    LIVE.set(0);
    PEAK.set(0);
    let accepted = read(bytes);
    // Worst are symbols: 24 bytes in a file, some 150 with the maps that find them.
    let limit = 64 * 1024 + 32 * bytes.len();
    assert!(PEAK.get() <= limit, "{} bytes allocated for a file of {}", PEAK.get(), bytes.len());
    accepted
}

fn read(bytes: &[u8]) -> bool {
    let bare = CodeObject::parse(bytes).inspect(consistent).is_ok();
    let bundle = Bundle::parse(bytes).inspect(|bundle| {
        assert!(bundle.extent() <= bytes.len());
        for entry in bundle.entries() {
            assert!(entry.bytes.len() <= bytes.len());
            let _ = (entry.id.triple(), entry.id.kind(), entry.id.to_string());
            let _ = CodeObject::parse(&entry.bytes).inspect(consistent);
        }
    });
    let image = Image::parse(bytes).inspect(|image| {
        assert!(image.extent() <= bytes.len());
        let device = "gfx900:xnack-".parse().unwrap();
        assert!(image.select(&device).is_none_or(|entry| entry.id.target().unwrap().runs_on(&device)));
        let _ = image.targets();
    });
    bare | bundle.is_ok() | image.is_ok()
}

fn consistent(object: &CodeObject<'_>) {
    for kernel in object.kernels() {
        assert!(kernel.explicit_kernarg_size() <= kernel.kernarg_segment_size);
        assert_eq!(object.code(kernel).len() as u64, kernel.code_size);
        assert!(object.read(kernel.descriptor_address, 64).is_some());
        assert!(kernel.args.windows(2).all(|pair| pair[0].end() <= u64::from(pair[1].offset)));
        let _ = format!("{:?}", kernel.descriptor);
    }
    for symbol in object.symbols() {
        if let Some(bytes) = object.read(symbol.address, symbol.size) {
            assert_eq!(bytes.len() as u64, symbol.size);
        }
    }
}

/// The files that mutations begin with: two bundles and a bare code object.
fn seeds() -> Vec<Vec<u8>> {
    let bare = Image::parse(SAXPY).unwrap().entries()[0].bytes.to_vec();
    vec![SAXPY.to_vec(), MULTI.to_vec(), bare]
}

#[test]
fn the_seeds_themselves_are_accepted() {
    for seed in seeds() {
        assert!(read_all(&seed));
    }
}

#[test]
fn every_field_of_every_structure_may_lie() {
    let (mut refused, mut tried) = (0u32, 0u32);
    for seed in [SAXPY.to_vec(), seeds().remove(2)] {
        // Every aligned word, so every field of the ELF headers, symbols and the descriptor; and all of the metadata.
        for at in (0..seed.len() - 8).step_by(4) {
            for value in [0u64, 1, u64::MAX, i64::MAX as u64, u64::from(u32::MAX), seed.len() as u64] {
                let mut file = seed.clone();
                file[at..at + 8].copy_from_slice(&value.to_le_bytes());
                tried += 1;
                refused += u32::from(!read_all(&file));
            }
        }
    }
    assert!(refused > tried / 20, "{refused} of {tried} refused");
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x9e37_79b9),
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600), magic in 0usize..4) {
        let magics: [&[u8]; 4] = [b"", b"\x7fELF\x02\x01\x01\x40\x02", b"__CLANG_OFFLOAD_BUNDLE__\x02\0\0\0\0\0\0\0", b"CCOB\x02\0\x01\0"];
        let mut file = magics[magic].to_vec();
        file.extend(bytes);
        read_all(&file);
    }

    #[test]
    fn mutations_of_real_files(
        which in 0usize..3,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = seeds().swap_remove(which);
        for (at, value) in edits {
            let at = at.index(file.len());
            file[at] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        read_all(&file);
    }

    #[test]
    fn spliced_files(which in 0usize..3, from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), len in 1usize..512) {
        let mut file = seeds().swap_remove(which);
        let (from, to) = (from.index(file.len()), to.index(file.len()));
        let len = len.min(file.len() - from.max(to));
        file.copy_within(from..from + len, to);
        read_all(&file);
    }
}
