//! What a lane of an operand can be: how it lies in registers, and its NaNs.
//!
//! # Safety
//! Loads and stores take a pointer to a vector register and a chunk number below 4: the 16 lanes of the
//! chunk lie within the register, and the second dword of 64-bit elements in the register that follows.

use super::level::Vector;

/// Sixteen lanes, the unit that the compiler turns into vector instructions.
pub(crate) const CHUNK: usize = 16;

/// A 16-bit float, as bits. Arithmetic is in `num`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct F16(pub u16);

/// One lane of an operand.
pub(crate) trait Elem: Copy + Default {
    /// 16 lanes of the register at `p`.
    ///
    /// # Safety
    /// See the file's head.
    unsafe fn load(p: *const u32, chunk: usize) -> [Self; CHUNK];

    /// Replaces those lanes of the register at `p` whose bit in `mask` is set.
    ///
    /// # Safety
    /// See the file's head.
    unsafe fn store(p: *mut u32, chunk: usize, values: &[Self; CHUNK], mask: u32);

    /// Replaces all 16 lanes.
    ///
    /// # Safety
    /// See the file's head.
    unsafe fn store_all(p: *mut u32, chunk: usize, values: &[Self; CHUNK]);

    /// Whether the value is a NaN.
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }

    /// Whether any of 16 values is a NaN.
    #[inline(always)]
    fn any_nan<V: Vector>(values: &[Self; CHUNK]) -> bool {
        let mut any = false;
        for x in values {
            any |= x.is_nan();
        }
        any
    }

    /// The bits made a quiet NaN, for results (only called on NaNs).
    #[inline(always)]
    fn quiet(self) -> u64 {
        0
    }

    /// From bits, for results.
    #[inline(always)]
    fn from_bits(_bits: u64) -> Self {
        Self::default()
    }

    /// The NaN of an invalid operation: sign 0, only the quiet bit of the fraction set.
    #[inline(always)]
    fn default_nan() -> Self {
        Self::default()
    }
}

/// No operand.
impl Elem for () {
    #[inline(always)]
    unsafe fn load(_p: *const u32, _chunk: usize) -> [(); CHUNK] {
        [(); CHUNK]
    }
    #[inline(always)]
    unsafe fn store(_p: *mut u32, _chunk: usize, _values: &[(); CHUNK], _mask: u32) {}
    #[inline(always)]
    unsafe fn store_all(_p: *mut u32, _chunk: usize, _values: &[(); CHUNK]) {}
}

#[inline(always)]
unsafe fn load32(p: *const u32, chunk: usize) -> [u32; CHUNK] {
    // SAFETY: see the file's head.
    unsafe { p.add(chunk * CHUNK).cast::<[u32; CHUNK]>().read() }
}

#[inline(always)]
unsafe fn store32(p: *mut u32, chunk: usize, values: [u32; CHUNK]) {
    // SAFETY: see the file's head.
    unsafe { p.add(chunk * CHUNK).cast::<[u32; CHUNK]>().write(values) }
}

#[inline(always)]
unsafe fn blend32(p: *mut u32, chunk: usize, values: &[u32; CHUNK], mask: u32) {
    // SAFETY: see the file's head.
    let mut old = unsafe { load32(p, chunk) };
    for lane in 0..CHUNK {
        old[lane] = if mask >> lane & 1 != 0 { values[lane] } else { old[lane] };
    }
    // SAFETY: as above.
    unsafe { store32(p, chunk, old) }
}

macro_rules! map {
    ($values:expr, $from:ty => $to:ty, $x:ident $e:expr) => {{
        let mut out = [<$to>::default(); CHUNK];
        for lane in 0..CHUNK {
            let $x: $from = $values[lane];
            out[lane] = $e;
        }
        out
    }};
}

macro_rules! dword_elem {
    ($ty:ty, $x:ident, $from:expr, $to:expr $(, nan $nan:expr, $quiet:expr, $bits:expr, $default:expr)? $(; any $any:ident)?) => {
        impl Elem for $ty {
            $(
                #[inline(always)]
                fn any_nan<V: Vector>(values: &[Self; CHUNK]) -> bool {
                    V::$any(values)
                }
            )?
            #[inline(always)]
            unsafe fn load(p: *const u32, chunk: usize) -> [Self; CHUNK] {
                // SAFETY: the caller's.
                map!(unsafe { load32(p, chunk) }, u32 => $ty, $x $from)
            }
            #[inline(always)]
            unsafe fn store(p: *mut u32, chunk: usize, values: &[Self; CHUNK], mask: u32) {
                // SAFETY: the caller's.
                unsafe { blend32(p, chunk, &map!(values, $ty => u32, $x $to), mask) }
            }
            #[inline(always)]
            unsafe fn store_all(p: *mut u32, chunk: usize, values: &[Self; CHUNK]) {
                // SAFETY: the caller's.
                unsafe { store32(p, chunk, map!(values, $ty => u32, $x $to)) }
            }
            $(
                #[inline(always)]
                fn is_nan(self) -> bool {
                    let $x = self;
                    $nan
                }
                #[inline(always)]
                fn quiet(self) -> u64 {
                    let $x = self;
                    u64::from($quiet)
                }
                #[inline(always)]
                fn from_bits(bits: u64) -> Self {
                    let $x = bits;
                    $bits
                }
                #[inline(always)]
                fn default_nan() -> Self {
                    $default
                }
            )?
        }
    };
}
dword_elem!(u32, x, x, x);
dword_elem!(i32, x, x as i32, x as u32);
dword_elem!(u16, x, x as u16, u32::from(x));
dword_elem!(i16, x, x as i16, u32::from(x as u16));
dword_elem!(f32, x, f32::from_bits(x), x.to_bits(),
    nan x.is_nan(), x.to_bits() | 0x40_0000, f32::from_bits(x as u32), f32::from_bits(0x7fc0_0000); any any_nan);
dword_elem!(F16, x, F16(x as u16), u32::from(x.0),
    nan x.0 & 0x7fff > 0x7c00, x.0 | 0x200, F16(x as u16), F16(0x7e00));

macro_rules! qword_elem {
    ($ty:ty, $x:ident, $from:expr, $to:expr $(, nan $nan:expr, $quiet:expr, $bits:expr, $default:expr)?) => {
        impl Elem for $ty {
            #[inline(always)]
            unsafe fn load(p: *const u32, chunk: usize) -> [Self; CHUNK] {
                // SAFETY: the caller's; the second dword is in the next register.
                let (low, high) = unsafe { (load32(p, chunk), load32(p.add(64), chunk)) };
                let mut out = [<$ty>::default(); CHUNK];
                for lane in 0..CHUNK {
                    let $x = u64::from(low[lane]) | u64::from(high[lane]) << 32;
                    out[lane] = $from;
                }
                out
            }
            #[inline(always)]
            unsafe fn store(p: *mut u32, chunk: usize, values: &[Self; CHUNK], mask: u32) {
                let bits = map!(values, $ty => u64, $x $to);
                // SAFETY: the caller's; the second dword is in the next register.
                unsafe {
                    blend32(p, chunk, &map!(bits, u64 => u32, x x as u32), mask);
                    blend32(p.add(64), chunk, &map!(bits, u64 => u32, x (x >> 32) as u32), mask);
                }
            }
            #[inline(always)]
            unsafe fn store_all(p: *mut u32, chunk: usize, values: &[Self; CHUNK]) {
                let bits = map!(values, $ty => u64, $x $to);
                // SAFETY: the caller's; the second dword is in the next register.
                unsafe {
                    store32(p, chunk, map!(bits, u64 => u32, x x as u32));
                    store32(p.add(64), chunk, map!(bits, u64 => u32, x (x >> 32) as u32));
                }
            }
            $(
                #[inline(always)]
                fn is_nan(self) -> bool {
                    let $x = self;
                    $nan
                }
                #[inline(always)]
                fn quiet(self) -> u64 {
                    let $x = self;
                    $quiet
                }
                #[inline(always)]
                fn from_bits(bits: u64) -> Self {
                    let $x = bits;
                    $bits
                }
                #[inline(always)]
                fn default_nan() -> Self {
                    $default
                }
            )?
        }
    };
}
qword_elem!(u64, x, x, x);
qword_elem!(i64, x, x as i64, x as u64);
qword_elem!(f64, x, f64::from_bits(x), x.to_bits(),
    nan x.is_nan(), x.to_bits() | 1 << 51, f64::from_bits(x), f64::from_bits(0x7ff8 << 48));
