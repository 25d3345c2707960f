//! `kernels/corpus/control.hip`.

use crate::case::{Case, shape};
use crate::compare::{Limit, near};
use crate::inputs::{Random, f32s};

const N: usize = 64;

fn below(seed: u64, len: usize, end: u64) -> Vec<i32> {
    let mut random = Random::new(seed);
    (0..len).map(|_| random.below(end) as i32).collect()
}

fn recursion() -> Case {
    let numbers = [0, 1, 1, 2, 3, 5, 8, 13i32];
    Case::new("recursion", shape(1, N as u32))
        .output(&[0i32; N])
        .expect(0, (0..N).map(|t| numbers[t & 7]).collect())
}

/// A kernel that does one of several things to each number.
fn choices(kernel: &'static str, ways: u64, of: fn(i32, f32) -> f32) -> Case {
    let (which, values) = (below(1, N, ways), f32s(2, N, 0.1, 3.0));
    let expected = which.iter().zip(&values).map(|(&way, &x)| of(way, x)).collect();
    Case::new(kernel, shape(1, N as u32)).input(&which).output(&values).expect(0, expected)
}

fn six_ways() -> Case {
    let (which, values) = (below(3, 256, 6), f32s(4, 256, 0.1, 3.0));
    let of = |(&way, &x): (&i32, &f32)| match way {
        0 => f64::from(x).sin(),
        1 => f64::from(x * x),
        2 => f64::from(x.sqrt()),
        3 => f64::from(1.0 / x),
        4 => f64::from(x).exp(),
        _ => f64::from(-x),
    };
    let expected: Vec<f64> = which.iter().zip(&values).map(of).collect();
    Case::new("six_ways", shape(1, 256)).input(&which).output(&values).check(move |outputs| {
        // The sine and the exponential within a unit, as HIP documents them; the others exactly.
        let limit = |at: usize| Limit::ulp(if [0, 4].contains(&which[at]) { 1.5 } else { 0.0 });
        near(&outputs.get::<f32>(0), &expected, limit)
    })
}

fn private_arrays() -> Case {
    const STEPS: usize = 12;
    let numbers = below(5, N * 64, 64);
    let of = |t: usize| {
        let mut words: [i32; 64] = std::array::from_fn(|i| numbers[i * 64 + t]);
        let mut z = 0;
        for i in 0..STEPS {
            words[i] += z;
            z += words[words[i] as usize & 63];
        }
        let byte = (z >> (z & 31)) as u8;
        let short = (z + (z & 15)) as i16;
        z + i32::from(byte) + i32::from(short)
    };
    Case::new("private_arrays", shape(1, N as u32))
        .input(&numbers)
        .output(&[0i32; N])
        .value(STEPS as i32)
        .expect(0, (0..N).map(of).collect())
}

fn generic_pointer(label: &'static str, k: i32) -> Case {
    let t = 0..N as i32;
    Case::new("generic_pointer", shape(1, N as u32))
        .label(label)
        .output(&[0i32; N])
        .output(&[0i32; N])
        .value(k)
        .expect(0, t.clone().map(|t| k + t + if t == 0 { N as i32 } else { 0 }).collect())
        .expect(1, t.map(|t| k + 63 - t).collect())
}

pub fn cases() -> Vec<Case> {
    vec![
        recursion(),
        choices("function_pointers", 3, |way, x| match way {
            0 => x + 1.0,
            1 => x * 2.0,
            _ => x.sqrt(),
        }),
        choices("virtual_calls", 2, |way, x| if way == 0 { x * 3.0 } else { x + 3.0 }),
        private_arrays(),
        six_ways(),
        generic_pointer("lds", 3),
        generic_pointer("memory", 4),
    ]
}
