//! Inputs: values at the edges of each type, and seeded random ones.

use hip::bytemuck::Pod;

/// SplitMix64: every seed gives another stream, always the same.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }
}

/// `len` numbers in `[low, high)`.
pub fn f32s(seed: u64, len: usize, low: f64, high: f64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..len).map(|_| random.between(low, high) as f32).collect()
}

/// `len` numbers in `[low, high)`.
pub fn f64s(seed: u64, len: usize, low: f64, high: f64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..len).map(|_| random.between(low, high)).collect()
}

/// `len` integers with all their bits random.
pub fn integers<T: Integer>(seed: u64, len: usize) -> Vec<T> {
    let mut random = Random::new(seed);
    (0..len).map(|_| T::random(&mut random)).collect()
}

/// An integer type.
pub trait Integer: Pod + PartialEq {
    const ZERO: Self;
    const ONE: Self;
    fn edges() -> Vec<Self>;
    fn random(random: &mut Random) -> Self;
    /// The smallest number divided by -1, which has no result.
    fn overflows(self, divisor: Self) -> bool;
}

macro_rules! integers {
    ($($t:ty)+) => {$(impl Integer for $t {
        const ZERO: Self = 0;
        const ONE: Self = 1;
        fn edges() -> Vec<Self> {
            let half = <$t>::BITS / 2;
            vec![
                0, 1, 2, 3, 7, 10, 13, !0, !1, !6,
                <$t>::MAX, <$t>::MIN, <$t>::MAX - 1, <$t>::MIN + 1, <$t>::MAX / 2,
                1 << half, (1 << half) - 1, 1 << (half - 1), 1 << (<$t>::BITS - 2), <$t>::MAX / 3, <$t>::MAX / 5 * 2,
            ]
        }
        fn random(random: &mut Random) -> Self {
            let bits = u128::from(random.bits()) << 64 | u128::from(random.bits());
            // Of all magnitudes: half of the numbers have half of their bits, and so on.
            let shift = random.below(u64::from(<$t>::BITS)) as u32;
            if random.below(2) == 0 { bits as $t } else { (bits as $t) >> shift }
        }
        #[allow(unused_comparisons, reason = "of unsigned types, no number is negative")]
        fn overflows(self, divisor: Self) -> bool {
            <$t>::MIN < 0 && self == <$t>::MIN && divisor == !0
        }
    })+};
}
integers! { i8 i16 u16 i32 u32 i64 u64 u128 }

/// Pairs of `edges` with each other in all combinations, then `more` made pairs.
fn pairs<T: Copy>(edges: &[T], more: usize, mut make: impl FnMut() -> (T, T)) -> (Vec<T>, Vec<T>) {
    let combined = edges.iter().flat_map(|&a| edges.iter().map(move |&b| (a, b)));
    combined.chain((0..more).map(|_| make())).unzip()
}

/// Pairs of integers; for divisions, no second is 0 and no quotient overflows.
pub fn integer_pairs<T: Integer>(seed: u64, divisions: bool) -> (Vec<T>, Vec<T>) {
    let mut random = Random::new(seed);
    let (x, mut y) = pairs(&T::edges(), 1500, || (T::random(&mut random), T::random(&mut random)));
    for (x, y) in x.iter().zip(&mut y).filter(|_| divisions) {
        if *y == T::ZERO || x.overflows(*y) {
            *y = T::ONE;
        }
    }
    (x, y)
}

/// Where the arguments of a function come from.
#[derive(Clone, Copy)]
pub enum Domain {
    /// Everything: edges, numbers in [-10, 10), numbers of all magnitudes.
    All,
    /// Numbers of these two ranges.
    Within((f64, f64), (f64, f64)),
    /// Multiples of one half with this magnitude at most.
    Halves(f64),
}

macro_rules! float_pairs {
    ($name:ident, $t:ident, $from_bits:expr) => {
        pub fn $name(seed: u64, domain: Domain) -> (Vec<$t>, Vec<$t>) {
            let mut random = Random::new(seed);
            let smallest = $t::from_bits(1);
            let mut edges = vec![
                0.0,
                smallest,
                $t::MIN_POSITIVE - smallest,
                $t::MIN_POSITIVE,
                $t::EPSILON,
                0.25,
                0.5,
                1.0 - $t::EPSILON,
                1.0,
                1.0 + $t::EPSILON,
                1.5,
                2.0,
                2.5,
                3.0,
                std::$t::consts::PI,
                10.0,
                88.5,
                1e5,
                8388609.5,
                1e30,
                $t::MAX,
                $t::INFINITY,
            ];
            edges.extend(edges.clone().iter().map(|edge| -edge));
            edges.push($t::NAN);
            match domain {
                Domain::All => pairs(&edges, 2000, || {
                    // Of all magnitudes; a signaling NaN would be quieted here and there.
                    let any = |random: &mut Random| {
                        let number: $t = $from_bits(random.bits());
                        if number.is_nan() { 1.0 } else { number }
                    };
                    if random.below(2) == 0 {
                        (random.between(-10.0, 10.0) as $t, random.between(-10.0, 10.0) as $t)
                    } else {
                        (any(&mut random), any(&mut random))
                    }
                }),
                Domain::Within(x, y) => {
                    let ends = [(x.0, y.0), (x.1, y.1)].map(|(x, y)| (x as $t, y as $t));
                    let made =
                        (0..3000).map(|_| (random.between(x.0, x.1) as $t, random.between(y.0, y.1) as $t));
                    ends.into_iter().chain(made).unzip()
                }
                Domain::Halves(most) => {
                    let mut half = || (random.between(-most, most) * 2.0).floor() as $t / 2.0;
                    (0..3000).map(|_| (half(), half())).unzip()
                }
            }
        }
    };
}
float_pairs!(f32_pairs, f32, |bits| f32::from_bits(bits as u32));
float_pairs!(f64_pairs, f64, f64::from_bits);
