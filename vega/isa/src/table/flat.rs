//! FLAT, GLOBAL and SCRATCH: memory at 64-bit and private addresses.

use crate::memory::{Atomic, Half, MemKind, MemOp, Returns, Space};
use crate::micro::Micro;
use crate::row::{Encoding, Legal, Row};
use crate::table::build::mem;
use crate::table::slots::ops;

const LEGAL: Legal = Legal::OFFSET.with(Legal::GLC).with(Legal::SLC);

/// Loads of up to a dword can go to LDS, except those by flat address.
const fn load_legal(space: Space, bytes: u8, half: Half) -> Legal {
    match (space, half) {
        (Space::Global | Space::Scratch, Half::Whole) if bytes <= 4 => LEGAL.with(Legal::LDS),
        _ => LEGAL,
    }
}

const fn load(space: Space, bytes: u8, signed: bool, half: Half) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Load { bytes, signed, half } })
}

const fn store(space: Space, bytes: u8, half: Half) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Store { bytes, half } })
}

const fn atomic(space: Space, op: Atomic, bytes: u8) -> Micro {
    Micro::Mem(MemOp { space, kind: MemKind::Atomic { op, bytes, returns: Returns::IfGlc } })
}

/// The loads and stores of one segment: `$a` its address slots.
macro_rules! accesses {
    ($name:ident $encoding:ident $prefix:literal [$($a:tt)*] [$($tail:tt)*]) => {
        accesses!(@rows $name $encoding $prefix [$($a)*] [$($tail)*]
            loads [
                16 "load_ubyte" vdst B32 1 false Whole; 17 "load_sbyte" vdst B32 1 true Whole;
                18 "load_ushort" vdst B32 2 false Whole; 19 "load_sshort" vdst B32 2 true Whole;
                20 "load_dword" vdst B32 4 false Whole; 21 "load_dwordx2" vdst B64 8 false Whole;
                22 "load_dwordx3" vdst B96 12 false Whole; 23 "load_dwordx4" vdst B128 16 false Whole;
                32 "load_ubyte_d16" vboth B32 1 false Low; 33 "load_ubyte_d16_hi" vboth B32 1 false High;
                34 "load_sbyte_d16" vboth B32 1 true Low; 35 "load_sbyte_d16_hi" vboth B32 1 true High;
                36 "load_short_d16" vboth B32 2 false Low; 37 "load_short_d16_hi" vboth B32 2 false High;
            ]
            stores [
                24 "store_byte" B32 1 Whole; 25 "store_byte_d16_hi" B32 1 High;
                26 "store_short" B32 2 Whole; 27 "store_short_d16_hi" B32 2 High;
                28 "store_dword" B32 4 Whole; 29 "store_dwordx2" B64 8 Whole;
                30 "store_dwordx3" B96 12 Whole; 31 "store_dwordx4" B128 16 Whole;
            ]);
    };
    (@rows $name:ident $encoding:ident $prefix:literal $a:tt $tail:tt
        loads [$($lop:literal $ltext:literal $dst:ident $lty:ident $lbytes:literal $signed:literal $lhalf:ident;)*]
        stores [$($sop:literal $stext:literal $sty:ident $sbytes:literal $shalf:ident;)*]) => {
        static $name: &[Row] = &[
            $(mem(
                Encoding::$encoding, $lop, concat!($prefix, $ltext),
                accesses!(@load_ops $dst $lty $a $tail),
                load_legal(Space::$encoding, $lbytes, Half::$lhalf),
                load(Space::$encoding, $lbytes, $signed, Half::$lhalf),
            ),)*
            $(mem(
                Encoding::$encoding, $sop, concat!($prefix, $stext),
                accesses!(@store_ops $sty $a $tail), LEGAL,
                store(Space::$encoding, $sbytes, Half::$shalf),
            ),)*
        ];
    };
    (@load_ops $dst:ident $ty:ident [$($a:tt)*] [$($tail:tt)*]) => { ops!($dst $ty, $($a)* $($tail)*) };
    (@store_ops $ty:ident [$($a:tt)*] [$($tail:tt)*]) => { ops!($($a)*, data0 $ty $($tail)*) };
}

/// The atomic operations of one segment: 4 bytes from 64 on, 8 bytes (`_x2`) 32 higher.
macro_rules! atomics {
    ($name:ident $encoding:ident $prefix:literal $a:tt $tail:tt) => {
        atomics!(@rows $name $encoding $prefix $a $tail [
            64 "swap" Swap B32 B64; 65 "cmpswap" CmpSwap B64 B128; 66 "add" Add B32 B64; 67 "sub" Sub B32 B64;
            68 "smin" SMin B32 B64; 69 "umin" UMin B32 B64; 70 "smax" SMax B32 B64; 71 "umax" UMax B32 B64;
            72 "and" And B32 B64; 73 "or" Or B32 B64; 74 "xor" Xor B32 B64; 75 "inc" Inc B32 B64;
            76 "dec" Dec B32 B64;
        ]);
    };
    (@rows $name:ident $encoding:ident $prefix:literal $a:tt $tail:tt
        [$($op:literal $text:literal $atomic:ident $t4:ident $t8:ident;)*]) => {
        static $name: &[Row] = &[
            $(mem(
                Encoding::$encoding, $op, concat!($prefix, "atomic_", $text),
                atomics!(@ops B32 $t4 $a $tail), LEGAL,
                atomic(Space::$encoding, Atomic::$atomic, 4),
            ),)*
            $(mem(
                Encoding::$encoding, $op + 32, concat!($prefix, "atomic_", $text, "_x2"),
                atomics!(@ops B64 $t8 $a $tail), LEGAL,
                atomic(Space::$encoding, Atomic::$atomic, 8),
            ),)*
        ];
    };
    (@ops $old:ident $ty:ident [$($a:tt)*] [$($tail:tt)*]) => {
        ops!(vdst_glc $old, $($a)*, data0 $ty $($tail)*)
    };
}

accesses!(FLAT_ACCESSES Flat "flat_" [addr B64] []);
accesses!(GLOBAL_ACCESSES Global "global_" [gaddr B64] [, saddr B64]);
accesses!(SCRATCH_ACCESSES Scratch "scratch_" [addr B32] [, saddr B32]);
atomics!(FLAT_ATOMICS Flat "flat_" [addr B64] []);
atomics!(GLOBAL_ATOMICS Global "global_" [gaddr B64] [, saddr B64]);

/// Memory at 64-bit and private addresses.
pub(super) static FLAT: &[&[Row]] =
    &[FLAT_ACCESSES, FLAT_ATOMICS, GLOBAL_ACCESSES, GLOBAL_ATOMICS, SCRATCH_ACCESSES];
