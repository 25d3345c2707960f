//! MUBUF and MTBUF: memory through buffer descriptors.

use crate::memory::{Atomic, CacheOp, D16, Format, Half, MemKind, MemOp, Returns, Space};
use crate::micro::Micro;
use crate::row::{Encoding, Legal, Row};
use crate::table::build::mem;
use crate::table::slots::ops;

const ATOMIC: Legal = Legal::OFFSET.with(Legal::GLC).with(Legal::SLC).with(Legal::ADDRESSED);
const ACCESS: Legal = ATOMIC.with(Legal::TFE);
const TYPED: Legal = ACCESS.with(Legal::FORMAT);
const TO_LDS: Legal = ACCESS.with(Legal::LDS);

const fn buffer(kind: MemKind) -> Micro {
    Micro::Mem(MemOp { space: Space::Buffer, kind })
}

const fn load(bytes: u8, signed: bool, half: Half) -> Micro {
    buffer(MemKind::Load { bytes, signed, half })
}

const fn store(bytes: u8, half: Half) -> Micro {
    buffer(MemKind::Store { bytes, half })
}

const fn load_format(components: u8, d16: D16) -> Micro {
    buffer(MemKind::LoadFormat(Format { components, d16 }))
}

const fn store_format(components: u8, d16: D16) -> Micro {
    buffer(MemKind::StoreFormat(Format { components, d16 }))
}

const fn atomic(op: Atomic, bytes: u8) -> Micro {
    buffer(MemKind::Atomic { op, bytes, returns: Returns::IfGlc })
}

/// Rows with data, address, descriptor and scalar offset.
macro_rules! rows {
    ($name:ident $encoding:ident $($op:literal $text:literal $data:ident $ty:ident $legal:ident $micro:expr;)*) => {
        static $name: &[Row] = &[
            $(mem(
                Encoding::$encoding, $op, $text,
                ops!($data $ty, baddr B64, rsrc B128, soffset B32), $legal, $micro,
            ),)*
        ];
    };
}

/// Formatted accesses: untyped ones in MUBUF, typed ones in MTBUF.
macro_rules! formats {
    ($name:ident $encoding:ident $prefix:literal $legal:ident $x:ident) => {
        formats!(@rows $name $encoding $prefix $legal $x
            0 "load_format_x" data0_dst B32 load_format 1 No; 1 "load_format_xy" data0_dst B64 load_format 2 No;
            2 "load_format_xyz" data0_dst B96 load_format 3 No;
            3 "load_format_xyzw" data0_dst B128 load_format 4 No;
            4 "store_format_x" data0 B32 store_format 1 No; 5 "store_format_xy" data0 B64 store_format 2 No;
            6 "store_format_xyz" data0 B96 store_format 3 No; 7 "store_format_xyzw" data0 B128 store_format 4 No;
            8 "load_format_d16_x" data0_dst B32 load_format 1 Packed;
            9 "load_format_d16_xy" data0_dst B32 load_format 2 Packed;
            10 "load_format_d16_xyz" data0_dst B64 load_format 3 Packed;
            11 "load_format_d16_xyzw" data0_dst B64 load_format 4 Packed;
            12 "store_format_d16_x" data0 B32 store_format 1 Packed;
            13 "store_format_d16_xy" data0 B32 store_format 2 Packed;
            14 "store_format_d16_xyz" data0 B64 store_format 3 Packed;
            15 "store_format_d16_xyzw" data0 B64 store_format 4 Packed;
        );
    };
    (@rows $name:ident $encoding:ident $prefix:literal $legal:ident $x:ident
        0 $text0:literal $data0:ident $ty0:ident $micro0:ident $n0:literal $d0:ident;
        $($op:literal $text:literal $data:ident $ty:ident $micro:ident $n:literal $d16:ident;)*) => {
        static $name: &[Row] = &[
            mem(
                Encoding::$encoding, 0, concat!($prefix, $text0),
                ops!($data0 $ty0, baddr B64, rsrc B128, soffset B32), $x, $micro0($n0, D16::$d0),
            ),
            $(mem(
                Encoding::$encoding, $op, concat!($prefix, $text),
                ops!($data $ty, baddr B64, rsrc B128, soffset B32), $legal, $micro($n, D16::$d16),
            ),)*
        ];
    };
}

formats!(FORMATS Mubuf "buffer_" ACCESS TO_LDS);
formats!(TYPED_FORMATS Mtbuf "tbuffer_" TYPED TYPED);

rows! { ACCESSES Mubuf
    16 "buffer_load_ubyte" data0_dst B32 TO_LDS load(1, false, Half::Whole);
    17 "buffer_load_sbyte" data0_dst B32 TO_LDS load(1, true, Half::Whole);
    18 "buffer_load_ushort" data0_dst B32 TO_LDS load(2, false, Half::Whole);
    19 "buffer_load_sshort" data0_dst B32 TO_LDS load(2, true, Half::Whole);
    20 "buffer_load_dword" data0_dst B32 TO_LDS load(4, false, Half::Whole);
    21 "buffer_load_dwordx2" data0_dst B64 ACCESS load(8, false, Half::Whole);
    22 "buffer_load_dwordx3" data0_dst B96 ACCESS load(12, false, Half::Whole);
    23 "buffer_load_dwordx4" data0_dst B128 ACCESS load(16, false, Half::Whole);
    24 "buffer_store_byte" data0 B32 ACCESS store(1, Half::Whole);
    25 "buffer_store_byte_d16_hi" data0 B32 ACCESS store(1, Half::High);
    26 "buffer_store_short" data0 B32 ACCESS store(2, Half::Whole);
    27 "buffer_store_short_d16_hi" data0 B32 ACCESS store(2, Half::High);
    28 "buffer_store_dword" data0 B32 ACCESS store(4, Half::Whole);
    29 "buffer_store_dwordx2" data0 B64 ACCESS store(8, Half::Whole);
    30 "buffer_store_dwordx3" data0 B96 ACCESS store(12, Half::Whole);
    31 "buffer_store_dwordx4" data0 B128 ACCESS store(16, Half::Whole);
    32 "buffer_load_ubyte_d16" data0_keep B32 ACCESS load(1, false, Half::Low);
    33 "buffer_load_ubyte_d16_hi" data0_keep B32 ACCESS load(1, false, Half::High);
    34 "buffer_load_sbyte_d16" data0_keep B32 ACCESS load(1, true, Half::Low);
    35 "buffer_load_sbyte_d16_hi" data0_keep B32 ACCESS load(1, true, Half::High);
    36 "buffer_load_short_d16" data0_keep B32 ACCESS load(2, false, Half::Low);
    37 "buffer_load_short_d16_hi" data0_keep B32 ACCESS load(2, false, Half::High);
    38 "buffer_load_format_d16_hi_x" data0_keep B32 ACCESS load_format(1, D16::High);
    39 "buffer_store_format_d16_hi_x" data0 B32 ACCESS store_format(1, D16::High);
}

static SPECIAL: &[Row] = &[
    mem(
        Encoding::Mubuf,
        61,
        "buffer_store_lds_dword",
        ops!(rsrc B128, soffset B32),
        Legal::OFFSET.with(Legal::GLC).with(Legal::SLC),
        buffer(MemKind::StoreLds),
    ),
    mem(Encoding::Mubuf, 62, "buffer_wbinvl1", &[], Legal::NONE, Micro::Cache(CacheOp::VectorInvalidate)),
    mem(
        Encoding::Mubuf,
        63,
        "buffer_wbinvl1_vol",
        &[],
        Legal::NONE,
        Micro::Cache(CacheOp::VectorInvalidateVolatile),
    ),
    mem(Encoding::Mubuf, 113, "buffer_wbinvl1", &[], Legal::NONE, Micro::Cache(CacheOp::VectorInvalidate)),
];

/// Atomic operations: 4 bytes from 64 on, 8 bytes (`_x2`) 32 higher.
macro_rules! atomics {
    ($($op:literal $text:literal $atomic:ident $t4:ident $t8:ident;)*) => {
        static ATOMICS: &[Row] = &[
            $(mem(
                Encoding::Mubuf, $op, concat!("buffer_atomic_", $text),
                ops!(data0_both $t4, baddr B64, rsrc B128, soffset B32), ATOMIC, atomic(Atomic::$atomic, 4),
            ),)*
            $(mem(
                Encoding::Mubuf, $op + 32, concat!("buffer_atomic_", $text, "_x2"),
                ops!(data0_both $t8, baddr B64, rsrc B128, soffset B32), ATOMIC, atomic(Atomic::$atomic, 8),
            ),)*
        ];
    };
}

atomics! {
    64 "swap" Swap B32 B64; 65 "cmpswap" CmpSwap B64 B128; 66 "add" Add B32 B64; 67 "sub" Sub B32 B64;
    68 "smin" SMin B32 B64; 69 "umin" UMin B32 B64; 70 "smax" SMax B32 B64; 71 "umax" UMax B32 B64;
    72 "and" And B32 B64; 73 "or" Or B32 B64; 74 "xor" Xor B32 B64; 75 "inc" Inc B32 B64; 76 "dec" Dec B32 B64;
}

/// Memory through buffer descriptors.
pub(super) static BUFFER: &[&[Row]] = &[FORMATS, ACCESSES, SPECIAL, ATOMICS, TYPED_FORMATS];
