//! `v_mad_mix`: binary32 arithmetic on sources of either width, unfused, against the host and software floating point.

use rustc_apfloat::ieee::{Half, Single};
use rustc_apfloat::{Float, FloatConvert};
use vega_isa::{Field, Operand};

use crate::bench::{Setting, State, inst, run};
use crate::common::{Card, Random, on_each_engine};

fn widened(half: u32) -> f32 {
    let mut lost = false;
    let wide: Single = Half::from_bits(half.into()).convert(&mut lost).value;
    f32::from_bits(wide.to_bits() as u32)
}

fn narrowed(value: f32) -> u32 {
    let mut lost = false;
    let half: Half = Single::from_bits(value.to_bits().into()).convert(&mut lost).value;
    half.to_bits() as u32
}

#[test]
fn mixed_precision_rounds_product_and_sum() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut random = Random(11);
        // Halves and singles of moderate size: nothing is denormal, nothing overflows.
        let mut word = |n: usize| {
            let sign_and_fraction = random.word() & 0x83ff_83ff;
            let exponents = if n.is_multiple_of(2) { 0x3c00_3c00 } else { 0x4000_3800 };
            sign_and_fraction | exponents
        };
        let mut before = state();
        for n in 4..=6 {
            let values: Vec<u32> = (0..64).map(&mut word).collect();
            before.set(n, |lane| values[lane as usize]);
        }
        before.exec = 0xffff_fff0_ffff_ffff;
        let operands = [
            (Field::Dst, Operand::Vgpr(10)),
            (Field::Src0, Operand::Vgpr(4)),
            (Field::Src1, Operand::Vgpr(5)),
            (Field::Src2, Operand::Vgpr(6)),
        ];
        for name in ["v_mad_mix_f32", "v_mad_mixlo_f16", "v_mad_mixhi_f16"] {
            for bits in 0..64u8 {
                let (narrow, high) = (bits & 7, bits >> 3);
                for (neg, abs, clamp) in [(0, 0, false), (5, 2, false), (2, 3, true)] {
                    let mix = inst(name, &operands, |m| {
                        (m.op_sel_hi, m.op_sel, m.neg, m.abs, m.clamp) = (narrow, high, neg, abs, clamp);
                    });
                    let after = run(&card, &mix, &Setting::default(), &before);
                    for lane in 0..64 {
                        let source = |n: usize| {
                            let raw = before.v(4 + n)[lane];
                            let bit = |mask: u8| mask >> n & 1 == 1;
                            let half = if bit(high) { raw >> 16 } else { raw & 0xffff };
                            let value = if bit(narrow) { widened(half) } else { f32::from_bits(raw) };
                            let value = if bit(abs) { value.abs() } else { value };
                            if bit(neg) { -value } else { value }
                        };
                        let product = source(0) * source(1);
                        let sum = product + source(2);
                        let old = before.v(10)[lane];
                        let clamped = |value: f32| if clamp { value.clamp(0.0, 1.0) } else { value };
                        let half = narrowed(clamped(widened(narrowed(sum))));
                        let expected = match name {
                            _ if !before.active(lane) => old,
                            "v_mad_mix_f32" => clamped(sum).to_bits(),
                            "v_mad_mixlo_f16" => old & 0xffff_0000 | half,
                            _ => old & 0xffff | half << 16,
                        };
                        assert_eq!(after.v(10)[lane], expected, "{mix} lane {lane}");
                    }
                }
            }
        }
    });
}

fn state() -> State {
    State::new(|lane, n| (0x100 * n + lane) as u32)
}
