//! `kernels/corpus/lanes.hip`: all exact.

use crate::case::{Case, shape};
use crate::compare::exact;
use crate::inputs::integers;

const LANES: usize = 64;

fn votes(label: &'static str, numbers: [i32; LANES]) -> Case {
    let positive = numbers.map(|number| number > 0);
    let ballot = positive.iter().rev().fold(0u64, |ballot, &vote| ballot << 1 | u64::from(vote));
    let first = |bits: u64| if bits == 0 { 0 } else { bits.trailing_zeros() + 1 };
    let sum = |t: usize| {
        let below = (ballot & ((1 << t) - 1)).count_ones();
        let any = u32::from(ballot != 0) + 2 * u32::from(ballot == !0) + u32::from(positive[t ^ 5]);
        let t = t as u32;
        let of_ballot = below + any + first(ballot) + ballot.leading_zeros();
        let of_lane = t.leading_zeros() + t.count_ones() + first(t.into()) + t;
        of_ballot.wrapping_add(t.reverse_bits()).wrapping_add(of_lane)
    };
    Case::new("votes", shape(1, LANES as u32))
        .label(label)
        .input(&numbers)
        .output(&[0u64; LANES])
        .output(&[0u32; LANES])
        .expect(0, vec![ballot; LANES])
        .expect(1, (0..LANES).map(sum).collect())
}

/// What all lanes have in `x` and `y`, and the lane that asks.
struct Lane<'a> {
    x: &'a [u32],
    y: &'a [u32],
    t: usize,
}

impl Lane<'_> {
    fn a(&self) -> u32 {
        self.x[self.t]
    }

    fn b(&self) -> u32 {
        self.y[self.t]
    }

    /// The neighbour `by` lanes below in the same row of 16, or 0.
    fn row_shift(&self, by: usize) -> u32 {
        if self.t % 16 >= by { self.x[self.t - by] } else { 0 }
    }

    /// The last lane of the rows before, for the lanes of `rows`; 0 for the others.
    fn broadcast(&self, last: usize, rows: [usize; 2]) -> u32 {
        if rows.contains(&(self.t / 16)) { self.x[last] } else { 0 }
    }

    fn wide(&self) -> u64 {
        u64::from(self.a()) << 32 | u64::from(self.b())
    }

    fn bytes(&self) -> impl Iterator<Item = (u32, u32)> {
        let (a, b) = (self.a().to_le_bytes(), self.b().to_le_bytes());
        a.into_iter().zip(b).map(|(a, b)| (a.into(), b.into()))
    }
}

/// The low 24 bits, as a signed number.
fn signed24(x: u32) -> i32 {
    x.cast_signed() << 8 >> 8
}

/// What an operation is called, and what it gives a lane.
type Row = (&'static str, fn(&Lane) -> u32);

/// The rows of `out`.
#[rustfmt::skip]
const ROWS: [Row; 31] = [
    ("row_shr:1", |l| l.row_shift(1)),
    ("row_shr:2", |l| l.row_shift(2)),
    ("row_bcast:15 to rows 1 and 3", |l| l.broadcast((l.t / 16 * 16).wrapping_sub(1), [1, 3])),
    ("row_bcast:31 to rows 2 and 3", |l| l.broadcast(31, [2, 3])),
    ("quad_perm:[1,0,3,2]", |l| l.x[l.t ^ 1]),
    ("ds_swizzle, xor 16", |l| l.x[l.t ^ 16]),
    ("ds_bpermute", |l| l.x[l.t ^ 2]),
    ("ds_permute", |l| l.x[l.t ^ 1]),
    ("readfirstlane", |l| l.x[0]),
    ("readlane", |l| l.x[7]),
    ("perm", |l| {
        let (a, b) = (l.a().to_le_bytes(), l.b().to_le_bytes());
        u32::from_le_bytes([a[0], 0, b[1], a[2]])
    }),
    ("alignbit", |l| (l.wide() >> 5) as u32),
    ("alignbyte", |l| (l.wide() >> 24) as u32),
    ("ubfe", |l| l.a() >> 3 & 31),
    ("sbfe", |l| (l.a().cast_signed() << 24 >> 27).cast_unsigned()),
    ("lerp", |l| {
        // Bytes 0 and 3 are rounded up.
        let mean = |(at, (a, b)): (usize, (u32, u32))| (a + b + u32::from(at == 0 || at == 3)) >> 1 << (8 * at);
        l.bytes().enumerate().map(mean).sum()
    }),
    ("sad_u8", |l| l.bytes().map(|(a, b)| a.abs_diff(b)).sum::<u32>() + 3),
    ("msad_u8", |l| l.bytes().map(|(a, b)| if b == 0 { 0 } else { a.abs_diff(b) }).sum::<u32>() + 3),
    ("sad_u16", |l| (l.a() & 0xffff).abs_diff(l.b() & 0xffff) + (l.a() >> 16).abs_diff(l.b() >> 16) + 3),
    ("cvt_pk_u8_f32", |l| {
        let byte = (l.a().cast_signed() >> 22).clamp(0, 255).cast_unsigned();
        l.b() & !0xff00 | byte << 8
    }),
    ("mbcnt_hi", |l| {
        let below = if l.t < 32 { 0 } else { (1u32 << (l.t - 32)) - 1 };
        (l.a() & below).count_ones().wrapping_add(l.b())
    }),
    ("mbcnt_lo", |l| {
        let below = if l.t < 32 { (1u32 << l.t) - 1 } else { !0 };
        (l.a() & below).count_ones().wrapping_add(l.b())
    }),
    ("__usad", |l| l.a().abs_diff(l.b()).wrapping_add(1)),
    ("__mul24", |l| signed24(l.a()).wrapping_mul(signed24(l.b())).cast_unsigned()),
    ("__umul24", |l| (l.a() & 0xff_ffff).wrapping_mul(l.b() & 0xff_ffff)),
    ("__mulhi", |l| ((i64::from(l.a().cast_signed()) * i64::from(l.b().cast_signed())) >> 32) as u32),
    ("__umulhi", |l| ((u64::from(l.a()) * u64::from(l.b())) >> 32) as u32),
    ("__uhadd", |l| ((l.a() & 0xff_ffff) + (l.b() & 0xff_ffff)) >> 1),
    ("__urhadd", |l| ((l.a() & 0xff_ffff) + (l.b() & 0xff_ffff) + 1) >> 1),
    ("__byte_perm", |l| {
        let (a, b) = (l.a().to_le_bytes(), l.b().to_le_bytes());
        u32::from_le_bytes([a[0], a[1], b[0], b[2]])
    }),
    // Round to nearest even, denormals kept in all types, clamping to 0 for a NaN, IEEE's rules for signaling NaNs.
    ("the register MODE", |_| 0x3f0),
];

fn intrinsics() -> Case {
    let (mut x, y) = (integers::<u32>(1, LANES), integers::<u32>(2, LANES));
    // Edges, and a byte that msad_u8 leaves out.
    x[..6].copy_from_slice(&[0, !0, 0x8000_0000, 0x7fff_ffff, 0x00ff_00ff, 0xff80_7f01]);
    let (given_x, given_y) = (x.clone(), y.clone());
    Case::new("intrinsics", shape(1, LANES as u32))
        .input(&given_x)
        .input(&given_y)
        .output(&vec![0u32; LANES * ROWS.len()])
        .output(&vec![0u64; LANES * 2])
        .check(move |outputs| {
            for ((name, of), got) in ROWS.iter().zip(outputs.get::<u32>(0).chunks(LANES)) {
                let expected: Vec<u32> = (0..LANES).map(|t| of(&Lane { x: &x, y: &y, t })).collect();
                exact(got, &expected).map_err(|error| format!("{name}: {error}"))?;
            }
            let clocks = outputs.get::<u64>(1);
            let (before, after) = clocks.split_at(LANES);
            let run = before.iter().zip(after).all(|(before, after)| *before != 0 && before < after);
            if run { Ok(()) } else { Err(format!("s_memtime does not run: {before:?}, {after:?}")) }
        })
}

pub fn cases() -> Vec<Case> {
    let random: Vec<i32> = integers(3, LANES);
    let random = std::array::from_fn(|at| random[at]);
    vec![votes("some", random), votes("none", [0; LANES]), votes("all", [1; LANES]), intrinsics()]
}
