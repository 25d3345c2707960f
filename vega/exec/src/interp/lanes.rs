//! Handlers of lane-local operations: one generic body for each shape, from which the tables of `alu` make
//! the handlers.
//!
//! # Safety
//! Register pointers come from [`Wave`]: numbers were bounded by the lowering, and the spare registers
//! behind the architecture's 256 catch operands of several dwords at the end of the file. A result may
//! overlap a source; each chunk of 16 lanes is read whole before it is written.

use super::elem::{CHUNK, Elem};
use super::level::{Handler, Vector};
use super::record::{Record, code};
use super::wave::{LANES, SPARE, Wave, extra};
use super::worker::Worker;

impl Wave {
    /// A pointer to the vector register.
    #[inline(always)]
    pub fn register(&mut self, number: usize) -> *mut u32 {
        debug_assert!(number < SPARE + 16);
        // SAFETY: the number is bounded by the lowering.
        unsafe { self.v.as_mut_ptr().add(number).cast() }
    }

    /// A scalar source of 32 bits.
    #[inline(always)]
    pub fn scalar32(&self, record: &Record, source: usize) -> u32 {
        let number = record.src[source];
        if number < extra::COMPUTED { self.s[number as usize] } else { self.computed(record, source) as u32 }
    }

    /// A scalar source of 64 bits.
    #[inline(always)]
    pub fn scalar64(&self, record: &Record, source: usize) -> u64 {
        let number = record.src[source];
        if number < extra::COMPUTED { self.s64(number as usize) } else { self.computed(record, source) }
    }

    #[inline(always)]
    fn computed(&self, record: &Record, source: usize) -> u64 {
        match record.src[source] {
            code::CONST => record.consts[source],
            extra::VCCZ => u64::from(self.vcc() == 0),
            extra::EXECZ => u64::from(self.exec() == 0),
            extra::SCC => u64::from(self.scc),
            _ => 0,
        }
    }

    /// A vector source: its register, or a spare one with the scalar in every lane. `slot` 0 to 2 chooses
    /// the spare pair.
    #[inline(always)]
    pub fn source(&mut self, record: &Record, source: usize, dwords: usize) -> *const u32 {
        let number = record.src[source];
        if number >= code::VGPR {
            return self.register((number - code::VGPR) as usize);
        }
        let spare = SPARE + 2 * source;
        if dwords == 2 {
            let value = self.scalar64(record, source);
            self.v[spare] = [value as u32; LANES];
            self.v[spare + 1] = [(value >> 32) as u32; LANES];
        } else {
            self.v[spare] = [self.scalar32(record, source); LANES];
        }
        self.register(spare)
    }
}

const fn dwords<E>() -> usize {
    if size_of::<E>() == 8 { 2 } else { 1 }
}

/// A lane-local operation of up to three sources.
pub(crate) trait Op: Copy {
    /// First source.
    type A: Elem;
    /// Second source, or `()`.
    type B: Elem;
    /// Third source, or `()`.
    type C: Elem;
    /// Result.
    type D: Elem;
    /// A NaN result becomes the first NaN source made quiet, or the default NaN.
    const NAN: bool;
    /// The operation.
    fn apply(a: Self::A, b: Self::B, c: Self::C) -> Self::D;
}

/// The handler of an [`Op`].
pub(crate) struct LaneOp<O>(std::marker::PhantomData<O>);

#[inline(always)]
fn chunk<O: Op>(a: &[O::A; CHUNK], b: &[O::B; CHUNK], c: &[O::C; CHUNK]) -> [O::D; CHUNK] {
    let mut r = [O::D::default(); CHUNK];
    for lane in 0..CHUNK {
        r[lane] = O::apply(a[lane], b[lane], c[lane]);
    }
    r
}

/// A chunk whose result has NaNs: computes it again, with the NaN rule, and stores it.
#[cold]
#[inline(never)]
unsafe fn chunk_with_nans<O: Op>(
    a: *const u32,
    b: *const u32,
    c: *const u32,
    d: *mut u32,
    i: usize,
    mask: u32,
) {
    // SAFETY: the caller's pointers; see the file's head.
    unsafe {
        let (a, b, c) = (O::A::load(a, i), O::B::load(b, i), O::C::load(c, i));
        let mut r = chunk::<O>(&a, &b, &c);
        fix_nans::<O>(&a, &b, &c, &mut r);
        O::D::store(d, i, &r, mask);
    }
}

fn fix_nans<O: Op>(a: &[O::A; CHUNK], b: &[O::B; CHUNK], c: &[O::C; CHUNK], r: &mut [O::D; CHUNK]) {
    for lane in 0..CHUNK {
        if !r[lane].is_nan() {
            continue;
        }
        r[lane] = if a[lane].is_nan() {
            O::D::from_bits(a[lane].quiet())
        } else if b[lane].is_nan() {
            O::D::from_bits(b[lane].quiet())
        } else if c[lane].is_nan() {
            O::D::from_bits(c[lane].quiet())
        } else {
            O::D::default_nan()
        };
    }
}

impl<O: Op> Handler for LaneOp<O> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let a = wave.source(record, 0, dwords::<O::A>());
        let none = size_of::<O::B>() == 0;
        let b = if none { a } else { wave.source(record, 1, dwords::<O::B>()) };
        let none = size_of::<O::C>() == 0;
        let c = if none { a } else { wave.source(record, 2, dwords::<O::C>()) };
        let d = wave.register(record.dst as usize);
        let exec = wave.exec();
        // SAFETY: see the file's head.
        unsafe {
            if exec == !0 {
                for i in 0..4 {
                    let r = chunk::<O>(&O::A::load(a, i), &O::B::load(b, i), &O::C::load(c, i));
                    if O::NAN && O::D::any_nan::<V>(&r) {
                        chunk_with_nans::<O>(a, b, c, d, i, 0xffff);
                    } else {
                        O::D::store_all(d, i, &r);
                    }
                }
            } else {
                for i in 0..4 {
                    let mask = (exec >> (16 * i)) as u32 & 0xffff;
                    if mask != 0 {
                        let r = chunk::<O>(&O::A::load(a, i), &O::B::load(b, i), &O::C::load(c, i));
                        if O::NAN && O::D::any_nan::<V>(&r) {
                            chunk_with_nans::<O>(a, b, c, d, i, mask);
                        } else {
                            O::D::store(d, i, &r, mask);
                        }
                    }
                }
            }
        }
        ip + 1
    }
}

/// Stores a chunk under EXEC.
#[inline(always)]
unsafe fn store<E: Elem>(d: *mut u32, i: usize, values: &[E; CHUNK], exec: u64) {
    // SAFETY: see the file's head.
    unsafe {
        if exec == !0 {
            E::store_all(d, i, values);
        } else {
            E::store(d, i, values, (exec >> (16 * i)) as u32);
        }
    }
}

/// A comparison, or another operation whose result is a bit for each lane.
pub(crate) trait Test: Copy {
    /// First source.
    type A: Elem;
    /// Second source.
    type B: Elem;
    /// The lane's bit.
    fn test(a: Self::A, b: Self::B) -> bool;
}

/// The handler of a [`Test`]: the mask goes to the scalar destination. The record's `imm` says more, see
/// [`INVERT`] and [`TO_EXEC`].
pub(crate) struct TestOp<T>(std::marker::PhantomData<T>);

/// In a test's `imm`: the opposite of the test.
pub(crate) const INVERT: i32 = 1;
/// In a test's `imm`: EXEC takes the mask, too (`v_cmpx`).
pub(crate) const TO_EXEC: i32 = 2;

impl<T: Test> Handler for TestOp<T> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let a = wave.source(record, 0, dwords::<T::A>());
        let b = wave.source(record, 1, dwords::<T::B>());
        let mut mask = 0u64;
        for i in 0..4 {
            // SAFETY: see the file's head.
            let (x, y) = unsafe { (T::A::load(a, i), T::B::load(b, i)) };
            let mut bits = [0u32; CHUNK];
            for lane in 0..CHUNK {
                bits[lane] = if T::test(x[lane], y[lane]) { !0 } else { 0 };
            }
            mask |= u64::from(V::top_bits(&bits)) << (16 * i);
        }
        if record.imm & INVERT != 0 {
            mask = !mask;
        }
        mask &= wave.exec();
        wave.set_s64(record.sdst as usize, mask);
        if record.imm & TO_EXEC != 0 {
            wave.set_exec(mask);
        }
        ip + 1
    }
}

/// `v_add_co`, `v_sub_co`, `v_addc_co`, `v_subb_co`. The result goes to the vector destination, the
/// carries of active lanes to the scalar one; saturates instead of carrying never (clamp is the modifier's
/// business).
pub(crate) struct Carry<const SUBTRACT: bool, const IN: bool>;

impl<const SUBTRACT: bool, const IN: bool> Handler for Carry<SUBTRACT, IN> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let a = wave.source(record, 0, 1);
        let b = wave.source(record, 1, 1);
        let carry_in = if IN { wave.scalar64(record, 2) } else { 0 };
        let exec = wave.exec();
        let d = wave.register(record.dst as usize);
        let mut out = 0u64;
        for i in 0..4 {
            // SAFETY: see the file's head.
            let (x, y) = unsafe { (u32::load(a, i), u32::load(b, i)) };
            let carries = (carry_in >> (16 * i)) as u32;
            let (mut r, mut bits) = ([0u32; CHUNK], [0u32; CHUNK]);
            for lane in 0..CHUNK {
                let c = if IN { carries >> lane & 1 } else { 0 };
                let (first, second, carry);
                if SUBTRACT {
                    first = x[lane].wrapping_sub(y[lane]);
                    second = first.wrapping_sub(c);
                    carry = (x[lane] < y[lane]) | (first < c);
                } else {
                    first = x[lane].wrapping_add(y[lane]);
                    second = first.wrapping_add(c);
                    carry = (first < x[lane]) | (second < first);
                }
                r[lane] = second;
                bits[lane] = if carry { !0 } else { 0 };
            }
            out |= u64::from(V::top_bits(&bits)) << (16 * i);
            // SAFETY: see the file's head.
            unsafe { store(d, i, &r, exec) };
        }
        wave.set_s64(record.sdst as usize, out & exec);
        ip + 1
    }
}

/// `v_cndmask`: the lane's bit of source 2 chooses source 1.
pub(crate) struct Select;

impl Handler for Select {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let a = wave.source(record, 0, 1);
        let b = wave.source(record, 1, 1);
        let choose = wave.scalar64(record, 2);
        let exec = wave.exec();
        let d = wave.register(record.dst as usize);
        for i in 0..4 {
            // SAFETY: see the file's head.
            unsafe {
                let (mut x, y) = (u32::load(a, i), u32::load(b, i));
                let mask = (choose >> (16 * i)) as u32;
                for lane in 0..CHUNK {
                    x[lane] = if mask >> lane & 1 != 0 { y[lane] } else { x[lane] };
                }
                store(d, i, &x, exec);
            }
        }
        ip + 1
    }
}

/// An operation that also gives a bit for each lane, which goes to the scalar destination (0 for inactive
/// lanes): wide multiply-adds with carry, division's pre-scaling.
pub(crate) trait FlagOp: Copy {
    /// First source.
    type A: Elem;
    /// Third source and result.
    type C: Elem;
    /// The operation.
    fn apply(a: Self::A, b: Self::A, c: Self::C) -> (Self::C, bool);
}

/// The handler of a [`FlagOp`].
pub(crate) struct FlagLane<O>(std::marker::PhantomData<O>);

impl<O: FlagOp> Handler for FlagLane<O> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let a = wave.source(record, 0, dwords::<O::A>());
        let b = wave.source(record, 1, dwords::<O::A>());
        let c = wave.source(record, 2, dwords::<O::C>());
        let exec = wave.exec();
        let d = wave.register(record.dst as usize);
        let mut out = 0u64;
        for i in 0..4 {
            // SAFETY: see the file's head.
            let (x, y, z) = unsafe { (O::A::load(a, i), O::A::load(b, i), O::C::load(c, i)) };
            let (mut r, mut bits) = ([O::C::default(); CHUNK], [0u32; CHUNK]);
            for lane in 0..CHUNK {
                let flag;
                (r[lane], flag) = O::apply(x[lane], y[lane], z[lane]);
                bits[lane] = if flag { !0 } else { 0 };
            }
            out |= u64::from(V::top_bits(&bits)) << (16 * i);
            // SAFETY: see the file's head.
            unsafe { store(d, i, &r, exec) };
        }
        wave.set_s64(record.sdst as usize, out & exec);
        ip + 1
    }
}

/// `v_mbcnt`: bits of source 0 at lanes below this one, plus source 1.
pub(crate) struct Mbcnt<const HIGH: bool>;

impl<const HIGH: bool> Handler for Mbcnt<HIGH> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let a = wave.source(record, 0, 1);
        let b = wave.source(record, 1, 1);
        let exec = wave.exec();
        let d = wave.register(record.dst as usize);
        for i in 0..4 {
            // SAFETY: see the file's head.
            let (x, y) = unsafe { (u32::load(a, i), u32::load(b, i)) };
            let mut r = [0u32; CHUNK];
            for lane in 0..CHUNK {
                let below = (1u64 << (16 * i + lane)) - 1;
                let half = if HIGH { (below >> 32) as u32 } else { below as u32 };
                r[lane] = (x[lane] & half).count_ones().wrapping_add(y[lane]);
            }
            // SAFETY: see the file's head.
            unsafe { store(d, i, &r, exec) };
        }
        ip + 1
    }
}
