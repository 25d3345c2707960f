//! Lane arithmetic against independent opinions: the host's IEEE arithmetic, LLVM's software floating
//! point in every rounding mode, and the host's libm within the documented error.

use rustc_apfloat::ieee::{Double, Half, Single};
use rustc_apfloat::{Float, FloatConvert, Round as ApRound, StatusAnd};
use vega_exec::numeric::{Format, Mode, Round, approx, arith, bytes, convert, divide, order, round, trig};

/// A small deterministic generator (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A value of the format: half of them with edges in exponent or fraction.
    fn float(&mut self, f: Format) -> u64 {
        let all = f.sign_bit() | (f.sign_bit() - 1);
        let bits = self.next() & all;
        let fraction = f.min_normal() - 1;
        match self.next() % 8 {
            0 => bits & !fraction,
            1 => bits | fraction,
            2 => bits & (f.sign_bit() | fraction),
            3 => (bits & (f.sign_bit() | fraction)) | f.one(),
            4 => bits & f.sign_bit() | (f.infinity() - (bits & 3)),
            _ => bits,
        }
    }
}

const ROUNDS: [(Round, ApRound); 4] = [
    (Round::NearestEven, ApRound::NearestTiesToEven),
    (Round::Up, ApRound::TowardPositive),
    (Round::Down, ApRound::TowardNegative),
    (Round::TowardZero, ApRound::TowardZero),
];

fn soft<F: Float>(a: u64, b: u64, c: u64, r: ApRound) -> [u128; 3] {
    let [a, b, c] = [a, b, c].map(|bits| F::from_bits(bits.into()));
    let value = |s: StatusAnd<F>| s.value.to_bits();
    [value(a.add_r(b, r)), value(a.mul_r(b, r)), value(a.mul_add_r(b, c, r))]
}

#[test]
fn sums_and_products_agree_with_software_floating_point() {
    let mut random = Random(1);
    for _ in 0..60_000 {
        for f in [Format::F16, Format::F32, Format::F64] {
            let (a, b, c) = (random.float(f), random.float(f), random.float(f));
            if f.is_nan(a) || f.is_nan(b) || f.is_nan(c) {
                continue;
            }
            for (round, r) in ROUNDS {
                let mode = Mode::DEFAULT.rounding(round);
                let ours =
                    [arith::add(f, a, b, mode), arith::mul(f, a, b, mode), arith::fma(f, a, b, c, mode)];
                let theirs = match f.fraction_bits {
                    10 => soft::<Half>(a, b, c, r),
                    23 => soft::<Single>(a, b, c, r),
                    _ => soft::<Double>(a, b, c, r),
                };
                for (what, (ours, theirs)) in ["add", "mul", "fma"].iter().zip(ours.into_iter().zip(theirs)) {
                    let same = u128::from(ours) == theirs || f.is_nan(ours) && f.is_nan(theirs as u64);
                    assert!(same, "{what} {f:?} {round:?} {a:#x} {b:#x} {c:#x}: {ours:#x}, not {theirs:#x}");
                }
            }
        }
    }
}

#[test]
fn nan_rule() {
    let f = Format::F32;
    let (quiet, signaling, one) = (0x7fc0_1234u64, 0xffa0_0001u64, 0x3f80_0000u64);
    assert_eq!(arith::add(f, one, signaling, Mode::DEFAULT), 0xffe0_0001);
    assert_eq!(arith::add(f, quiet, signaling, Mode::DEFAULT), quiet);
    assert_eq!(arith::fma(f, one, one, quiet, Mode::DEFAULT), quiet);
    assert_eq!(arith::mul(f, 0, f.infinity(), Mode::DEFAULT), 0x7fc0_0000);
    assert_eq!(arith::mad(f, 0, f.infinity(), quiet, Mode::DEFAULT), quiet);
    assert_eq!(order::min(f, one, quiet, Mode::DEFAULT), one);
    assert_eq!(order::max(f, one, signaling, Mode::DEFAULT), 0xffe0_0001);
    assert_eq!(order::min(f, 0, f.sign_bit(), Mode::DEFAULT), f.sign_bit());
    assert_eq!(order::max(f, f.sign_bit(), 0, Mode::DEFAULT), 0);
}

#[test]
fn denormals_flush_when_the_mode_says_so() {
    let f = Format::F32;
    let flush = Mode::DEFAULT.flushing();
    assert_eq!(arith::add(f, 1, 1, Mode::DEFAULT), 2);
    assert_eq!(arith::add(f, 1, 1, flush), 0);
    assert_eq!(arith::mul(f, f.min_normal() | f.sign_bit(), 0x3f00_0000, flush), f.sign_bit());
    let outputs_only = Mode { denormal_in: true, ..flush };
    assert_eq!(arith::add(f, 1, f.min_normal(), outputs_only), f.min_normal() + 1);
}

fn host_division<const F64: bool>(n: u64, d: u64) -> u64 {
    if F64 {
        (f64::from_bits(n) / f64::from_bits(d)).to_bits()
    } else {
        (f32::from_bits(n as u32) / f32::from_bits(d as u32)).to_bits().into()
    }
}

/// The sequence that LLVM emits for a correctly rounded quotient.
fn divide_as_compiled(f: Format, n: u64, d: u64) -> u64 {
    let m = Mode::DEFAULT;
    let neg = |x: u64| x ^ f.sign_bit();
    let (ds, _) = divide::div_scale(f, d, d, n, m);
    let (ns, scaled) = divide::div_scale(f, n, d, n, m);
    let fma = |a, b, c| arith::fma(f, a, b, c, m);
    let r0 = if f == Format::F32 { approx::rcp(f, ds, m.flushing()) } else { approx::rcp(f, ds, m) };
    let mut r = fma(fma(neg(ds), r0, f.one()), r0, r0);
    if f == Format::F64 {
        r = fma(fma(neg(ds), r, f.one()), r, r);
        let q = arith::mul(f, ns, r, m);
        let e = fma(neg(ds), q, ns);
        return divide::div_fixup(f, divide::div_fmas(f, e, r, q, scaled, m), d, n, m);
    }
    let q = arith::mul(f, ns, r, m);
    let q = fma(fma(neg(ds), q, ns), r, q);
    let e = fma(neg(ds), q, ns);
    divide::div_fixup(f, divide::div_fmas(f, e, r, q, scaled, m), d, n, m)
}

fn division_is_exact<const F64: bool>(f: Format, seed: u64, count: u32) {
    let mut random = Random(seed);
    for _ in 0..count {
        let (n, d) = (random.float(f), random.float(f));
        let (ours, host) = (divide_as_compiled(f, n, d), host_division::<F64>(n, d));
        let same = ours == host || f.is_nan(ours) && f.is_nan(host);
        assert!(same, "{n:#x} / {d:#x}: {ours:#x}, not {host:#x}");
    }
}

#[test]
fn compiled_division_of_f32_is_ieee() {
    division_is_exact::<false>(Format::F32, 2, 400_000);
}

#[test]
fn compiled_division_of_f64_is_ieee() {
    division_is_exact::<true>(Format::F64, 3, 400_000);
}

#[test]
fn reciprocals_and_roots_are_correctly_rounded() {
    let mut random = Random(4);
    let m = Mode::DEFAULT;
    for _ in 0..200_000 {
        let f = Format::F32;
        let bits = random.float(f);
        let x = f32::from_bits(bits as u32);
        let check = |ours: u64, host: f32| {
            let same = ours == u64::from(host.to_bits()) || f.is_nan(ours) && host.is_nan();
            assert!(same, "{x:e}: {ours:#x}, not {host:e}");
        };
        check(approx::rcp(f, bits, m), 1.0 / x);
        check(approx::sqrt(f, bits, m), x.sqrt());
        let exact = 1.0 / f64::from(x).sqrt();
        if exact.is_finite() {
            // The correctly rounded value is at most half a unit from the one in binary64.
            let ours = f64::from(f32::from_bits(approx::rsq(f, bits, m) as u32));
            assert!((ours - exact).abs() <= exact * 2f64.powi(-24) * 1.000_001, "rsq {x:e}");
        }
        let wide = Format::F64;
        let bits = random.float(wide);
        let x = f64::from_bits(bits);
        let same = |ours: u64, host: f64| ours == host.to_bits() || wide.is_nan(ours) && host.is_nan();
        assert!(same(approx::rcp(wide, bits, m), 1.0 / x), "rcp {x:e}");
        assert!(same(approx::sqrt(wide, bits, m), x.sqrt()), "sqrt {x:e}");
    }
}

/// Distance of a binary32 to a value, in units of the value's last place.
fn ulps(ours: u64, exact: f64) -> f64 {
    let ours = f64::from(f32::from_bits(ours as u32));
    let unit = 2f64.powi((exact.abs().log2().floor() as i32).max(-126) - 23);
    (ours - exact).abs() / unit
}

#[test]
fn transcendental_functions_are_within_half_a_unit() {
    let mut random = Random(5);
    let f = Format::F32;
    let m = Mode::DEFAULT.flushing();
    for _ in 0..200_000 {
        let x = (random.next() as i64 as f64 / 2f64.powi(63) * 126.0) as f32;
        let bits = u64::from(x.to_bits());
        assert!(ulps(approx::exp2(f, bits, m), f64::from(x).exp2()) <= 0.501, "exp2 {x:e}");
        let positive = f32::from_bits((random.next() % 0x7f00_0000) as u32 + 0x0080_0000);
        if positive.is_finite() && positive != 1.0 {
            let log = approx::log2(f, positive.to_bits().into(), m);
            assert!(ulps(log, f64::from(positive).log2()) <= 0.501, "log2 {positive:e}");
        }
        let turn = (random.next() as i64 as f64 / 2f64.powi(63)) as f32;
        let angle = f64::from(turn) * std::f64::consts::TAU;
        let bits = u64::from(turn.to_bits());
        // The host's reduction of the angle loses bits near zeroes of the function.
        let near = |ours: u64, exact: f64| {
            ulps(ours, exact) <= 0.501 || (f64::from(f32::from_bits(ours as u32)) - exact).abs() < 1e-15
        };
        assert!(near(approx::sin(f, bits, m), angle.sin()), "sin {turn:e}");
        assert!(near(approx::cos(f, bits, m), angle.cos()), "cos {turn:e}");
    }
    assert_eq!(approx::log2(f, f.one(), m), 0);
    assert_eq!(approx::exp2(f, 1, m), f.one());
    assert_eq!(approx::sin(f, 0x3f00_0000, m), 0);
    assert_eq!(approx::sin(f, 0x3e80_0000, m), f.one());
    assert_eq!(approx::cos(f, 0x43c0_0000, m), f.one());
}

#[test]
fn every_half_converts_and_rounds_as_software_does() {
    let (h, s) = (Format::F16, Format::F32);
    for bits in 0..=u64::from(u16::MAX) {
        if h.is_nan(bits) {
            continue;
        }
        let wide = convert::float_to_float(h, s, bits, Mode::DEFAULT, Mode::DEFAULT);
        let value = f32::from_bits(wide as u32);
        let back = convert::float_to_float(s, h, wide, Mode::DEFAULT, Mode::DEFAULT);
        assert_eq!(back, bits);
        for (r, host) in [
            (Round::TowardZero, value.trunc()),
            (Round::Up, value.ceil()),
            (Round::Down, value.floor()),
            (Round::NearestEven, value.round_ties_even()),
        ] {
            let ours = round::integral(h, bits, r, Mode::DEFAULT);
            let ours = convert::float_to_float(h, s, ours, Mode::DEFAULT, Mode::DEFAULT);
            assert_eq!(ours, u64::from(host.to_bits()), "{r:?} of {value}");
        }
        if value.is_finite() && value != 0.0 {
            let mantissa = round::frexp_mantissa(h, bits, Mode::DEFAULT);
            let power = round::frexp_exponent(h, bits, Mode::DEFAULT);
            assert_eq!(round::ldexp(h, mantissa, power, Mode::DEFAULT), bits);
            let m = convert::float_to_float(h, s, mantissa, Mode::DEFAULT, Mode::DEFAULT);
            assert!((0.5..1.0).contains(&f32::from_bits(m as u32).abs()));
        }
    }
}

#[test]
fn conversions_agree_with_the_host() {
    let mut random = Random(6);
    let m = Mode::DEFAULT;
    let (s, d) = (Format::F32, Format::F64);
    for _ in 0..200_000 {
        let bits = random.float(s);
        let x = f32::from_bits(bits as u32);
        let int = |min, max| convert::float_to_int(s, bits, min, max, Round::TowardZero, m);
        assert_eq!(int(i32::MIN.into(), i32::MAX.into()), i64::from(x as i32));
        assert_eq!(int(0, u32::MAX.into()), i64::from(x as u32));
        let bits = random.float(d);
        let x = f64::from_bits(bits);
        if !x.is_nan() {
            let ours = convert::float_to_float(d, s, bits, m, m);
            assert_eq!(ours, u64::from((x as f32).to_bits()), "{x:e}");
        }
        let n = random.next() as i64 >> (random.next() % 64);
        assert_eq!(convert::int_to_float(s, n, m), u64::from((n as f32).to_bits()));
        assert_eq!(convert::int_to_float(d, n, m), (n as f64).to_bits());
    }
    assert_eq!(convert::round_half_up(s, 0x3eff_ffff, m), 0);
    assert_eq!(convert::round_half_up(s, 0xbf00_0000, m), 0);
    assert_eq!(convert::round_half_up(s, 0x3f00_0000, m), 1);
    assert_eq!(convert::snorm16(s, 0xbf80_0000, m), 0x8001);
    assert_eq!(convert::unorm16(s, 0x3f80_0000, m), 0xffff);
    assert_eq!(convert::offset_i4(0x8), (-0.5f32).to_bits());
}

#[test]
fn two_over_pi_reassembles() {
    // Segments 0, 1 and 2 of an argument near 1 add up to 2/pi.
    let sum: f64 = (0..3).map(|n| f64::from_bits(trig::trig_preop(1f64.to_bits(), n))).sum();
    assert_eq!(sum, std::f64::consts::FRAC_2_PI);
}

#[test]
fn classes() {
    let f = Format::F32;
    let minus = f.sign_bit();
    let cases = [
        (0x7f80_0001, 1),
        (0x7fc0_0000, 2),
        (f.infinity() | minus, 4),
        (f.one() | minus, 8),
        (1 | minus, 16),
        (minus, 32),
        (0, 64),
        (1, 128),
        (f.one(), 256),
        (f.infinity(), 512),
    ];
    for (bits, class) in cases {
        assert_eq!(order::class(f, bits), class, "{bits:#x}");
    }
}

#[test]
fn byte_selectors() {
    assert_eq!(bytes::perm(0x1122_3344, 0x5566_7788, 0x0c0d_0700), 0x00ff_1188);
    assert_eq!(bytes::perm(0x8000_0000, 0x0000_8000, 0x0b0a_0908), 0xff00_00ff);
    assert_eq!(bytes::align_byte(0x1122_3344, 0x5566_7788, 1), 0x4455_6677);
    assert_eq!(bytes::bfe_i32(0x0000_0f00, 8, 4), u32::MAX);
    assert_eq!(bytes::msad_u8(0x0102_0304, 0x0002_0005, 1), 2);
}

#[test]
fn halves_saturate_where_mode_says_so() {
    let plain = Mode::half_and_double(0x3f0);
    let saturating = Mode::half_and_double(0x3f0 | 1 << 23);
    let half = |value: f32| value_of(value).to_bits() as u64;
    let (most, infinity) = (0x7bffu64, 0x7c00u64);
    let (f, one) = (Format::F16, half(1.0));
    let results = |mode: Mode| {
        [
            arith::add(f, most, most, mode),
            arith::mul(f, most | 0x8000, half(2.0), mode),
            arith::fma(f, most, half(4.0), one, mode),
            convert::float_to_float(Format::F32, f, 1e6f32.to_bits().into(), mode, mode),
            round::ldexp(f, one, 20, mode),
            approx::exp2(f, half(17.0), mode),
            approx::rcp(f, 1, mode),
        ]
    };
    let negative = infinity | 0x8000;
    assert_eq!(results(plain), [infinity, negative, infinity, infinity, infinity, infinity, infinity]);
    assert_eq!(results(saturating), [most, most | 0x8000, most, most, most, most, most]);
    // True infinities stay.
    let infinite = f32::INFINITY.to_bits().into();
    assert_eq!(arith::add(f, infinity, one, saturating), infinity);
    assert_eq!(arith::mul(f, negative, one, saturating), negative);
    assert_eq!(arith::fma(f, one, one, infinity, saturating), infinity);
    assert_eq!(convert::float_to_float(Format::F32, f, infinite, saturating, saturating), infinity);
    assert_eq!(approx::rcp(f, 0, saturating), infinity);
    // Other formats overflow as ever.
    let large = f32::MAX.to_bits().into();
    assert_eq!(arith::add(Format::F32, large, large, saturating), infinite);
}

/// A number that binary16 holds exactly.
fn value_of(value: f32) -> Half {
    let mut lost = false;
    Single::from_bits(value.to_bits().into()).convert(&mut lost).value
}
