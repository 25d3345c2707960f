//! MIMG: images and samplers; and the graphics-only encodings VINTRP and EXP.

use crate::memory::{Atomic, ImageOp, Lod, Sample};
use crate::micro::{Interp, Micro};
use crate::row::{Encoding, Legal, Row};
use crate::table::build::mem;
use crate::table::slots::ops;

const RAW: Legal = Legal::IMAGE.with(Legal::GLC).with(Legal::SLC).with(Legal::TFE).with(Legal::A16);
const IMAGE: Legal = RAW.with(Legal::D16);

const fn load(mip: bool, raw: bool, signed: bool) -> Micro {
    Micro::Image(ImageOp::Load { mip, raw, signed })
}

const fn store(mip: bool, raw: bool) -> Micro {
    Micro::Image(ImageOp::Store { mip, raw })
}

macro_rules! plain {
    ($($op:literal $text:literal $data:ident $legal:ident $micro:expr;)*) => {
        static PLAIN: &[Row] = &[
            $(mem(Encoding::Mimg, $op, $text, ops!($data B128, iaddr B128, rsrc B256), $legal, $micro),)*
        ];
    };
}

plain! {
    0 "image_load" idata_dst IMAGE load(false, false, false);
    1 "image_load_mip" idata_dst IMAGE load(true, false, false);
    2 "image_load_pck" idata_dst RAW load(false, true, false);
    3 "image_load_pck_sgn" idata_dst RAW load(false, true, true);
    4 "image_load_mip_pck" idata_dst RAW load(true, true, false);
    5 "image_load_mip_pck_sgn" idata_dst RAW load(true, true, true);
    8 "image_store" idata_src IMAGE store(false, false);
    9 "image_store_mip" idata_src IMAGE store(true, false);
    10 "image_store_pck" idata_src RAW store(false, true);
    11 "image_store_mip_pck" idata_src RAW store(true, true);
    14 "image_get_resinfo" idata_dst RAW Micro::Image(ImageOp::ResInfo);
    16 "image_atomic_swap" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Swap));
    17 "image_atomic_cmpswap" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::CmpSwap));
    18 "image_atomic_add" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Add));
    19 "image_atomic_sub" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Sub));
    20 "image_atomic_smin" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::SMin));
    21 "image_atomic_umin" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::UMin));
    22 "image_atomic_smax" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::SMax));
    23 "image_atomic_umax" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::UMax));
    24 "image_atomic_and" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::And));
    25 "image_atomic_or" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Or));
    26 "image_atomic_xor" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Xor));
    27 "image_atomic_inc" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Inc));
    28 "image_atomic_dec" idata_both RAW Micro::Image(ImageOp::Atomic(Atomic::Dec));
}

const fn sampled(op: u16, text: &'static str, micro: ImageOp) -> Row {
    let operands = ops!(idata_dst B128, iaddr B128, rsrc B256, sampler B128);
    mem(Encoding::Mimg, op, text, operands, IMAGE, Micro::Image(micro))
}

/// Filtered reads: each variant four times, plain, with compare (8 higher), with offset (16 higher), with both.
macro_rules! samples {
    ($($name:ident $gather:literal $prefix:literal $compare:literal $offset:literal
        [$($op:literal $text:literal $lod:ident $clamp:literal;)*])*) => {
        $(static $name: &[Row] = &[
            $(
                sampled($op, concat!($prefix, $text), sample($gather, Lod::$lod, $clamp, false, false)),
                sampled($op + $compare, concat!($prefix, "_c", $text), sample($gather, Lod::$lod, $clamp, true, false)),
                sampled($op + $offset, concat!($prefix, $text, "_o"), sample($gather, Lod::$lod, $clamp, false, true)),
                sampled(
                    $op + $compare + $offset,
                    concat!($prefix, "_c", $text, "_o"),
                    sample($gather, Lod::$lod, $clamp, true, true),
                ),
            )*
        ];)*
    };
}

const fn sample(gather: bool, lod: Lod, clamp: bool, compare: bool, offset: bool) -> ImageOp {
    ImageOp::Sample(Sample { gather, compare, lod, clamp, offset })
}

samples! {
    SAMPLES false "image_sample" 8 16 [
        32 "" Implicit false; 33 "_cl" Implicit true; 34 "_d" Derivatives false; 35 "_d_cl" Derivatives true;
        36 "_l" Level false; 37 "_b" Bias false; 38 "_b_cl" Bias true; 39 "_lz" Zero false;
    ]
    GATHERS true "image_gather4" 8 16 [
        64 "" Implicit false; 65 "_cl" Implicit true; 68 "_l" Level false; 69 "_b" Bias false;
        70 "_b_cl" Bias true; 71 "_lz" Zero false;
    ]
    COARSE false "image_sample" 2 4 [
        104 "_cd" CoarseDerivatives false; 105 "_cd_cl" CoarseDerivatives true;
    ]
}

static SPECIAL: &[Row] = &[
    sampled(96, "image_get_lod", ImageOp::Lod).may_not(Legal::D16),
    mem(
        Encoding::Exp,
        0,
        "exp",
        ops!(target B8, export0 B32, export1 B32, export2 B32, export3 B32),
        Legal::EXPORT,
        Micro::Export,
    ),
    mem(
        Encoding::Vintrp,
        0,
        "v_interp_p1_f32",
        ops!(vdst F32, interp_src F32, attr B16),
        Legal::CLAMP.with(Legal::OMOD),
        Micro::Interp(Interp::P1),
    )
    .e64_at(624),
    mem(
        Encoding::Vintrp,
        1,
        "v_interp_p2_f32",
        ops!(vboth F32, interp_src F32, attr B16),
        Legal::CLAMP.with(Legal::OMOD),
        Micro::Interp(Interp::P2),
    )
    .e64_at(625),
    mem(
        Encoding::Vintrp,
        2,
        "v_interp_mov_f32",
        ops!(vdst F32, interp_param B8, attr B16),
        Legal::CLAMP.with(Legal::OMOD),
        Micro::Interp(Interp::Mov),
    )
    .e64_at(626),
];

/// Images, samplers and the graphics-only encodings.
pub(super) static IMAGES: &[&[Row]] = &[PLAIN, SAMPLES, GATHERS, COARSE, SPECIAL];
