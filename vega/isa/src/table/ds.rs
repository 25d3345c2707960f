//! DS: local and global data share.

use crate::memory::{Atomic, Half, MemKind, MemOp, Returns, Space};
use crate::micro::{Cross, Gws, Micro};
use crate::operand::{Slot, Ty};
use crate::row::{Encoding, Legal, Row};
use crate::table::build::mem;
use crate::table::slots::ops;

const ONE: Legal = Legal::OFFSET.with(Legal::GDS);
const TWO: Legal = Legal::OFFSET2.with(Legal::GDS);

const fn ds(op: u16, name: &'static str, ops: &'static [Slot], legal: Legal, m: Micro) -> Row {
    mem(Encoding::Ds, op, name, ops, legal, m)
}

const fn lds(kind: MemKind) -> Micro {
    Micro::Mem(MemOp { space: Space::Lds, kind })
}

const fn atomic(op: Atomic, ty: Ty, returns: Returns) -> Micro {
    lds(MemKind::Atomic { op, bytes: ty.dwords() * 4, returns })
}

const fn load(bytes: u8, signed: bool, half: Half) -> Micro {
    lds(MemKind::Load { bytes, signed, half })
}

const fn store(bytes: u8, half: Half) -> Micro {
    lds(MemKind::Store { bytes, half })
}

/// Atomic operations: `$op` without return (where it exists) and `$rtn` with; `$text` is split where `_rtn` goes.
macro_rules! atomics {
    ($($op:literal $rtn:literal $head:literal $tail:literal $atomic:ident $ty:ident [$($data:ident)*];)*) => {
        static ATOMICS: &[Row] = &[
            $(
                ds(
                    $op, concat!("ds_", $head, "_", $tail), ops!(addr B32, $($data $ty),*), ONE,
                    atomic(Atomic::$atomic, Ty::$ty, Returns::No),
                ),
                ds(
                    $rtn, concat!("ds_", $head, "_rtn_", $tail), ops!(vdst $ty, addr B32, $($data $ty),*), ONE,
                    atomic(Atomic::$atomic, Ty::$ty, Returns::Always),
                ),
            )*
        ];
    };
}

atomics! {
    0 32 "add" "u32" Add B32 [data0]; 64 96 "add" "u64" Add B64 [data0];
    1 33 "sub" "u32" Sub B32 [data0]; 65 97 "sub" "u64" Sub B64 [data0];
    2 34 "rsub" "u32" RSub B32 [data0]; 66 98 "rsub" "u64" RSub B64 [data0];
    3 35 "inc" "u32" Inc B32 [data0]; 67 99 "inc" "u64" Inc B64 [data0];
    4 36 "dec" "u32" Dec B32 [data0]; 68 100 "dec" "u64" Dec B64 [data0];
    5 37 "min" "i32" SMin B32 [data0]; 69 101 "min" "i64" SMin B64 [data0];
    6 38 "max" "i32" SMax B32 [data0]; 70 102 "max" "i64" SMax B64 [data0];
    7 39 "min" "u32" UMin B32 [data0]; 71 103 "min" "u64" UMin B64 [data0];
    8 40 "max" "u32" UMax B32 [data0]; 72 104 "max" "u64" UMax B64 [data0];
    9 41 "and" "b32" And B32 [data0]; 73 105 "and" "b64" And B64 [data0];
    10 42 "or" "b32" Or B32 [data0]; 74 106 "or" "b64" Or B64 [data0];
    11 43 "xor" "b32" Xor B32 [data0]; 75 107 "xor" "b64" Xor B64 [data0];
    12 44 "mskor" "b32" MskOr B32 [data0 data1]; 76 108 "mskor" "b64" MskOr B64 [data0 data1];
    16 48 "cmpst" "b32" CmpSwap B32 [data0 data1]; 80 112 "cmpst" "b64" CmpSwap B64 [data0 data1];
    17 49 "cmpst" "f32" CmpSwapF B32 [data0 data1]; 81 113 "cmpst" "f64" CmpSwapF B64 [data0 data1];
    18 50 "min" "f32" FMin B32 [data0]; 82 114 "min" "f64" FMin B64 [data0];
    19 51 "max" "f32" FMax B32 [data0]; 83 115 "max" "f64" FMax B64 [data0];
    21 53 "add" "f32" FAdd B32 [data0];
}

/// Operations on two LDS addresses.
macro_rules! src2 {
    ($($op:literal $head:literal $tail:literal $atomic:ident $bytes:literal;)*) => {
        static SRC2: &[Row] = &[
            ds(141, "ds_write_src2_b32", ops!(addr B32), ONE, lds(MemKind::StoreSrc2 { bytes: 4 })),
            ds(205, "ds_write_src2_b64", ops!(addr B32), ONE, lds(MemKind::StoreSrc2 { bytes: 8 })),
            $(ds(
                $op, concat!("ds_", $head, "_src2_", $tail), ops!(addr B32), ONE,
                lds(MemKind::AtomicSrc2 { op: Atomic::$atomic, bytes: $bytes }),
            ),)*
        ];
    };
}

src2! {
    128 "add" "u32" Add 4; 129 "sub" "u32" Sub 4; 130 "rsub" "u32" RSub 4; 131 "inc" "u32" Inc 4;
    132 "dec" "u32" Dec 4; 133 "min" "i32" SMin 4; 134 "max" "i32" SMax 4; 135 "min" "u32" UMin 4;
    136 "max" "u32" UMax 4; 137 "and" "b32" And 4; 138 "or" "b32" Or 4; 139 "xor" "b32" Xor 4;
    146 "min" "f32" FMin 4; 147 "max" "f32" FMax 4; 149 "add" "f32" FAdd 4;
    192 "add" "u64" Add 8; 193 "sub" "u64" Sub 8; 194 "rsub" "u64" RSub 8; 195 "inc" "u64" Inc 8;
    196 "dec" "u64" Dec 8; 197 "min" "i64" SMin 8; 198 "max" "i64" SMax 8; 199 "min" "u64" UMin 8;
    200 "max" "u64" UMax 8; 201 "and" "b64" And 8; 202 "or" "b64" Or 8; 203 "xor" "b64" Xor 8;
    210 "min" "f64" FMin 8; 211 "max" "f64" FMax 8;
}

const fn two(bytes: u8, stride: u16) -> (u8, u16) {
    (bytes, bytes as u16 * stride)
}

const fn store2((bytes, stride): (u8, u16)) -> Micro {
    lds(MemKind::Store2 { bytes, stride })
}

const fn load2((bytes, stride): (u8, u16)) -> Micro {
    lds(MemKind::Load2 { bytes, stride })
}

const fn exchange2((bytes, stride): (u8, u16)) -> Micro {
    lds(MemKind::Exchange2 { bytes, stride })
}

#[rustfmt::skip]
static ACCESSES: &[Row] = &[
    ds(13, "ds_write_b32", ops!(addr B32, data0 B32), ONE, store(4, Half::Whole)),
    ds(14, "ds_write2_b32", ops!(addr B32, data0 B32, data1 B32), TWO, store2(two(4, 1))),
    ds(15, "ds_write2st64_b32", ops!(addr B32, data0 B32, data1 B32), TWO, store2(two(4, 64))),
    ds(20, "ds_nop", &[], Legal::NONE, Micro::Control(crate::micro::Control::Nop)),
    ds(29, "ds_write_addtid_b32", ops!(data0 B32), ONE, lds(MemKind::StoreAddTid)),
    ds(30, "ds_write_b8", ops!(addr B32, data0 B32), ONE, store(1, Half::Whole)),
    ds(31, "ds_write_b16", ops!(addr B32, data0 B32), ONE, store(2, Half::Whole)),
    ds(45, "ds_wrxchg_rtn_b32", ops!(vdst B32, addr B32, data0 B32), ONE, atomic(Atomic::Swap, Ty::B32, Returns::Always)),
    ds(46, "ds_wrxchg2_rtn_b32", ops!(vdst B64, addr B32, data0 B32, data1 B32), TWO, exchange2(two(4, 1))),
    ds(47, "ds_wrxchg2st64_rtn_b32", ops!(vdst B64, addr B32, data0 B32, data1 B32), TWO, exchange2(two(4, 64))),
    ds(52, "ds_wrap_rtn_b32", ops!(vdst B32, addr B32, data0 B32, data1 B32), ONE, atomic(Atomic::Wrap, Ty::B32, Returns::Always)),
    ds(54, "ds_read_b32", ops!(vdst B32, addr B32), ONE, load(4, false, Half::Whole)),
    ds(55, "ds_read2_b32", ops!(vdst B64, addr B32), TWO, load2(two(4, 1))),
    ds(56, "ds_read2st64_b32", ops!(vdst B64, addr B32), TWO, load2(two(4, 64))),
    ds(57, "ds_read_i8", ops!(vdst B32, addr B32), ONE, load(1, true, Half::Whole)),
    ds(58, "ds_read_u8", ops!(vdst B32, addr B32), ONE, load(1, false, Half::Whole)),
    ds(59, "ds_read_i16", ops!(vdst B32, addr B32), ONE, load(2, true, Half::Whole)),
    ds(60, "ds_read_u16", ops!(vdst B32, addr B32), ONE, load(2, false, Half::Whole)),
    ds(61, "ds_swizzle_b32", ops!(vdst B32, addr B32), ONE, Micro::Cross(Cross::Swizzle)),
    ds(62, "ds_permute_b32", ops!(vdst B32, addr B32, data0 B32), Legal::OFFSET, Micro::Cross(Cross::Permute)),
    ds(63, "ds_bpermute_b32", ops!(vdst B32, addr B32, data0 B32), Legal::OFFSET, Micro::Cross(Cross::Bpermute)),
    ds(77, "ds_write_b64", ops!(addr B32, data0 B64), ONE, store(8, Half::Whole)),
    ds(78, "ds_write2_b64", ops!(addr B32, data0 B64, data1 B64), TWO, store2(two(8, 1))),
    ds(79, "ds_write2st64_b64", ops!(addr B32, data0 B64, data1 B64), TWO, store2(two(8, 64))),
    ds(84, "ds_write_b8_d16_hi", ops!(addr B32, data0 B32), ONE, store(1, Half::High)),
    ds(85, "ds_write_b16_d16_hi", ops!(addr B32, data0 B32), ONE, store(2, Half::High)),
    ds(86, "ds_read_u8_d16", ops!(vboth B32, addr B32), ONE, load(1, false, Half::Low)),
    ds(87, "ds_read_u8_d16_hi", ops!(vboth B32, addr B32), ONE, load(1, false, Half::High)),
    ds(88, "ds_read_i8_d16", ops!(vboth B32, addr B32), ONE, load(1, true, Half::Low)),
    ds(89, "ds_read_i8_d16_hi", ops!(vboth B32, addr B32), ONE, load(1, true, Half::High)),
    ds(90, "ds_read_u16_d16", ops!(vboth B32, addr B32), ONE, load(2, false, Half::Low)),
    ds(91, "ds_read_u16_d16_hi", ops!(vboth B32, addr B32), ONE, load(2, false, Half::High)),
    ds(109, "ds_wrxchg_rtn_b64", ops!(vdst B64, addr B32, data0 B64), ONE, atomic(Atomic::Swap, Ty::B64, Returns::Always)),
    ds(110, "ds_wrxchg2_rtn_b64", ops!(vdst B128, addr B32, data0 B64, data1 B64), TWO, exchange2(two(8, 1))),
    ds(111, "ds_wrxchg2st64_rtn_b64", ops!(vdst B128, addr B32, data0 B64, data1 B64), TWO, exchange2(two(8, 64))),
    ds(118, "ds_read_b64", ops!(vdst B64, addr B32), ONE, load(8, false, Half::Whole)),
    ds(119, "ds_read2_b64", ops!(vdst B128, addr B32), TWO, load2(two(8, 1))),
    ds(120, "ds_read2st64_b64", ops!(vdst B128, addr B32), TWO, load2(two(8, 64))),
    ds(126, "ds_condxchg32_rtn_b64", ops!(vdst B64, addr B32, data0 B64), ONE, lds(MemKind::CondExchange32)),
    ds(152, "ds_gws_sema_release_all", &[], Legal::OFFSET, Micro::Gws(Gws::SemaReleaseAll)),
    ds(153, "ds_gws_init", ops!(addr B32), Legal::OFFSET, Micro::Gws(Gws::Init)),
    ds(154, "ds_gws_sema_v", &[], Legal::OFFSET, Micro::Gws(Gws::SemaV)),
    ds(155, "ds_gws_sema_br", ops!(addr B32), Legal::OFFSET, Micro::Gws(Gws::SemaBr)),
    ds(156, "ds_gws_sema_p", &[], Legal::OFFSET, Micro::Gws(Gws::SemaP)),
    ds(157, "ds_gws_barrier", ops!(addr B32), Legal::OFFSET, Micro::Gws(Gws::Barrier)),
    ds(182, "ds_read_addtid_b32", ops!(vdst B32), ONE, lds(MemKind::LoadAddTid)),
    ds(189, "ds_consume", ops!(vdst B32), ONE, lds(MemKind::Consume)),
    ds(190, "ds_append", ops!(vdst B32), ONE, lds(MemKind::Append)),
    ds(191, "ds_ordered_count", ops!(vdst B32, addr B32), Legal::OFFSET, lds(MemKind::OrderedCount)),
    ds(222, "ds_write_b96", ops!(addr B32, data0 B96), ONE, store(12, Half::Whole)),
    ds(223, "ds_write_b128", ops!(addr B32, data0 B128), ONE, store(16, Half::Whole)),
    ds(254, "ds_read_b96", ops!(vdst B96, addr B32), ONE, load(12, false, Half::Whole)),
    ds(255, "ds_read_b128", ops!(vdst B128, addr B32), ONE, load(16, false, Half::Whole)),
];

/// Local and global data share.
pub(super) static DS: &[&[Row]] = &[ATOMICS, ACCESSES, SRC2];
