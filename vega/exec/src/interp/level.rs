//! The host's vector extensions: every handler exists once for each level.
//!
//! There is no level above AVX2: wider registers gain an interpreter nothing, and every level costs a third of the build.
//!
//! # Safety
//! A `target_feature` function is called only through handlers that [`Level::detect`] allowed, or from code
//! that was inlined into one.

use std::sync::OnceLock;

use super::record::{Record, Run};
use super::wave::Wave;
use super::worker::Worker;
use crate::memory::leaf::{self, Done};

/// A set of host extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every host has.
    Base,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// The best level of this host.
    pub fn detect() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                let avx2 = is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("lzcnt")
                    && is_x86_feature_detected!("popcnt");
                if avx2 {
                    return Level::Avx2;
                }
            }
            Level::Base
        })
    }
}

/// The few operations that are written by hand for each level; the compiler vectorises the rest.
pub(crate) trait Vector: Copy {
    /// The top bits of 16 dwords.
    fn top_bits(v: &[u32; 16]) -> u32;

    /// Whether 16 dwords are equal to 16 others.
    fn equal(a: &[u32; 16], b: &[u32; 16]) -> bool;

    /// Whether any of 16 floats is a NaN.
    #[inline(always)]
    fn any_nan(v: &[f32; 16]) -> bool {
        let mut any = false;
        for x in v {
            any |= x.is_nan();
        }
        any
    }

    /// Loads four rows of 16 dwords.
    ///
    /// # Safety
    /// See [`leaf`].
    unsafe fn load_rows(registers: *mut u32, bases: &[u64; 4]) -> Done;

    /// Stores four rows of 16 dwords.
    ///
    /// # Safety
    /// See [`leaf`].
    unsafe fn store_rows(registers: *const u32, bases: &[u64; 4]) -> Done;
}

/// [`Level::Base`].
#[derive(Clone, Copy)]
pub(crate) struct Base;

impl Vector for Base {
    #[inline(always)]
    fn top_bits(v: &[u32; 16]) -> u32 {
        let mut bits = 0;
        for (lane, x) in v.iter().enumerate() {
            bits |= (x >> 31) << lane;
        }
        bits
    }

    #[inline(always)]
    fn equal(a: &[u32; 16], b: &[u32; 16]) -> bool {
        a == b
    }

    #[inline(always)]
    unsafe fn load_rows(registers: *mut u32, bases: &[u64; 4]) -> Done {
        // SAFETY: the caller's.
        unsafe { leaf::load_rows_sse2(registers, bases) }
    }

    #[inline(always)]
    unsafe fn store_rows(registers: *const u32, bases: &[u64; 4]) -> Done {
        // SAFETY: the caller's.
        unsafe { leaf::store_rows_sse2(registers, bases) }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Done, Vector, leaf};

    /// [`Level::Avx2`](super::Level::Avx2).
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2;

    impl Vector for Avx2 {
        #[inline(always)]
        fn any_nan(v: &[f32; 16]) -> bool {
            // SAFETY: this level's handlers run only where AVX2 exists; 64 bytes are readable at `v`.
            unsafe {
                // Unordered if either is a NaN: one comparison serves both halves.
                let (low, high) = (_mm256_loadu_ps(v.as_ptr()), _mm256_loadu_ps(v.as_ptr().add(8)));
                _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(low, high)) != 0
            }
        }

        #[inline(always)]
        fn top_bits(v: &[u32; 16]) -> u32 {
            // SAFETY: this level's handlers run only where AVX2 exists; 64 bytes are readable at `v`.
            unsafe {
                let low = _mm256_loadu_ps(v.as_ptr().cast());
                let high = _mm256_loadu_ps(v.as_ptr().add(8).cast());
                _mm256_movemask_ps(low) as u32 | (_mm256_movemask_ps(high) as u32) << 8
            }
        }

        #[inline(always)]
        fn equal(a: &[u32; 16], b: &[u32; 16]) -> bool {
            // SAFETY: as above.
            unsafe {
                let low = _mm256_cmpeq_epi32(
                    _mm256_loadu_si256(a.as_ptr().cast()),
                    _mm256_loadu_si256(b.as_ptr().cast()),
                );
                let high = _mm256_cmpeq_epi32(
                    _mm256_loadu_si256(a.as_ptr().add(8).cast()),
                    _mm256_loadu_si256(b.as_ptr().add(8).cast()),
                );
                _mm256_movemask_epi8(_mm256_and_si256(low, high)) == -1
            }
        }

        #[inline(always)]
        unsafe fn load_rows(registers: *mut u32, bases: &[u64; 4]) -> Done {
            // SAFETY: the caller's.
            unsafe { leaf::load_rows_avx2(registers, bases) }
        }

        #[inline(always)]
        unsafe fn store_rows(registers: *const u32, bases: &[u64; 4]) -> Done {
            // SAFETY: the caller's.
            unsafe { leaf::store_rows_avx2(registers, bases) }
        }
    }
}

/// A handler's body, written once; `run` instantiates it for a level.
pub(crate) trait Handler {
    /// Executes the record.
    ///
    /// # Safety
    /// See [`Run`].
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize;
}

unsafe fn base<H: Handler>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
    // SAFETY: the caller's.
    unsafe { H::exec::<Base>(wave, worker, record, ip) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn avx2<H: Handler>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
    // SAFETY: the caller's.
    unsafe { H::exec::<x86::Avx2>(wave, worker, record, ip) }
}

/// The handler's instance for a level.
pub(crate) fn run<H: Handler>(level: Level) -> Run {
    match level {
        Level::Base => base::<H>,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => avx2::<H>,
    }
}
