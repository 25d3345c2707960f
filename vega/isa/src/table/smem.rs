//! SMEM: scalar memory.

use crate::memory::{Atomic, CacheOp, Half, MemKind, MemOp, Returns, Space};
use crate::micro::{Clock, Micro};
use crate::row::{Encoding, Legal, Row};
use crate::table::build::mem;
use crate::table::slots::ops;

const LOAD: Legal = Legal::OFFSET.with(Legal::GLC);

const fn load(space: Space, bytes: u8) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Load { bytes, signed: false, half: Half::Whole } })
}

const fn store(space: Space, bytes: u8) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Store { bytes, half: Half::Whole } })
}

const fn probe(space: Space) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Probe })
}

const fn smem(op: u16, name: &'static str, ops: &'static [crate::Slot], legal: Legal, m: Micro) -> Row {
    mem(Encoding::Smem, op, name, ops, legal, m)
}

/// Loads and stores: name, opcode, data role and type, base type, space, bytes.
macro_rules! accesses {
    ($($op:literal $name:literal $verb:ident $data:ident $ty:ident $base:ident $space:ident $bytes:literal;)*) => {
        static ACCESSES: &[Row] = &[
            $(smem($op, $name, ops!($data $ty, sbase $base, soffset B32), LOAD, $verb(Space::$space, $bytes)),)*
        ];
    };
}

accesses! {
    0 "s_load_dword" load sdata_dst B32 B64 Scalar 4;
    1 "s_load_dwordx2" load sdata_dst B64 B64 Scalar 8;
    2 "s_load_dwordx4" load sdata_dst B128 B64 Scalar 16;
    3 "s_load_dwordx8" load sdata_dst B256 B64 Scalar 32;
    4 "s_load_dwordx16" load sdata_dst B512 B64 Scalar 64;
    5 "s_scratch_load_dword" load sdata_dst B32 B64 ScalarScratch 4;
    6 "s_scratch_load_dwordx2" load sdata_dst B64 B64 ScalarScratch 8;
    7 "s_scratch_load_dwordx4" load sdata_dst B128 B64 ScalarScratch 16;
    8 "s_buffer_load_dword" load sdata_dst B32 B128 ScalarBuffer 4;
    9 "s_buffer_load_dwordx2" load sdata_dst B64 B128 ScalarBuffer 8;
    10 "s_buffer_load_dwordx4" load sdata_dst B128 B128 ScalarBuffer 16;
    11 "s_buffer_load_dwordx8" load sdata_dst B256 B128 ScalarBuffer 32;
    12 "s_buffer_load_dwordx16" load sdata_dst B512 B128 ScalarBuffer 64;
    16 "s_store_dword" store sdata_src B32 B64 Scalar 4;
    17 "s_store_dwordx2" store sdata_src B64 B64 Scalar 8;
    18 "s_store_dwordx4" store sdata_src B128 B64 Scalar 16;
    21 "s_scratch_store_dword" store sdata_src B32 B64 ScalarScratch 4;
    22 "s_scratch_store_dwordx2" store sdata_src B64 B64 ScalarScratch 8;
    23 "s_scratch_store_dwordx4" store sdata_src B128 B64 ScalarScratch 16;
    24 "s_buffer_store_dword" store sdata_src B32 B128 ScalarBuffer 4;
    25 "s_buffer_store_dwordx2" store sdata_src B64 B128 ScalarBuffer 8;
    26 "s_buffer_store_dwordx4" store sdata_src B128 B128 ScalarBuffer 16;
}

static SPECIAL: &[Row] = &[
    smem(32, "s_dcache_inv", &[], Legal::NONE, Micro::Cache(CacheOp::ScalarInvalidate)),
    smem(33, "s_dcache_wb", &[], Legal::NONE, Micro::Cache(CacheOp::ScalarWriteback)),
    smem(34, "s_dcache_inv_vol", &[], Legal::NONE, Micro::Cache(CacheOp::ScalarInvalidateVolatile)),
    smem(35, "s_dcache_wb_vol", &[], Legal::NONE, Micro::Cache(CacheOp::ScalarWritebackVolatile)),
    smem(36, "s_memtime", ops!(sdata_dst B64), Legal::NONE, Micro::Time(Clock::Core)),
    smem(37, "s_memrealtime", ops!(sdata_dst B64), Legal::NONE, Micro::Time(Clock::Real)),
    smem(38, "s_atc_probe", ops!(probe B8, sbase B64, soffset B32), Legal::OFFSET, probe(Space::Scalar)),
    smem(
        39,
        "s_atc_probe_buffer",
        ops!(probe B8, sbase B128, soffset B32),
        Legal::OFFSET,
        probe(Space::ScalarBuffer),
    ),
    smem(
        40,
        "s_dcache_discard",
        ops!(sbase B64, soffset B32),
        Legal::OFFSET,
        Micro::Cache(CacheOp::ScalarDiscard(64)),
    ),
    smem(
        41,
        "s_dcache_discard_x2",
        ops!(sbase B64, soffset B32),
        Legal::OFFSET,
        Micro::Cache(CacheOp::ScalarDiscard(128)),
    ),
];

/// Atomic operations of one address kind: 4 bytes from `$base` on, 8 bytes (`_x2`) 32 higher.
macro_rules! atomics {
    ($name:ident $prefix:literal $base:literal $ty:ident $space:ident) => {
        atomics!($name $prefix $base $ty $space [
            0 "swap" Swap B32 B64; 1 "cmpswap" CmpSwap B64 B128; 2 "add" Add B32 B64; 3 "sub" Sub B32 B64;
            4 "smin" SMin B32 B64; 5 "umin" UMin B32 B64; 6 "smax" SMax B32 B64; 7 "umax" UMax B32 B64;
            8 "and" And B32 B64; 9 "or" Or B32 B64; 10 "xor" Xor B32 B64; 11 "inc" Inc B32 B64;
            12 "dec" Dec B32 B64;
        ]);
    };
    ($name:ident $prefix:literal $base:literal $ty:ident $space:ident
        [$($n:literal $text:literal $op:ident $t4:ident $t8:ident;)*]) => {
        static $name: &[Row] = &[
            $(smem(
                $base + $n,
                concat!($prefix, $text),
                ops!(sdata_both $t4, sbase $ty, soffset B32),
                LOAD,
                atomic(Space::$space, Atomic::$op, 4),
            ),)*
            $(smem(
                $base + 32 + $n,
                concat!($prefix, $text, "_x2"),
                ops!(sdata_both $t8, sbase $ty, soffset B32),
                LOAD,
                atomic(Space::$space, Atomic::$op, 8),
            ),)*
        ];
    };
}

const fn atomic(space: Space, op: Atomic, bytes: u8) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Atomic { op, bytes, returns: Returns::IfGlc } })
}

atomics!(BUFFER_ATOMICS "s_buffer_atomic_" 64 B128 ScalarBuffer);
atomics!(ATOMICS "s_atomic_" 128 B64 Scalar);

/// Scalar memory.
pub(super) static SMEM: &[&[Row]] = &[ACCESSES, SPECIAL, BUFFER_ATOMICS, ATOMICS];
