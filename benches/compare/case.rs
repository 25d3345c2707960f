//! What is measured: a table. A case is memory, launches over it, and a check of what comes out.

use crate::native;
use crate::number::Element::{self, F16, F32, F64, U32};
use hip_benches::numbers;

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// The memory with this number.
    Buffer(usize),
    /// An integer.
    I32(i32),
    /// A float.
    F32(f32),
}

/// One launch.
#[derive(Clone, Debug)]
pub struct Step {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Workgroups in x and y.
    pub groups: [usize; 2],
    /// Work-items of one.
    pub items: [usize; 2],
    /// What it is passed.
    pub args: Vec<Arg>,
}

/// Says whether what a case has computed is right.
pub type Check = Box<dyn Fn(&[u8]) -> bool>;

/// Does on the host what the kernels do.
pub type Native = Box<dyn FnMut()>;

/// Memory, launches over it, and what is right.
pub struct Case {
    /// What each part of memory holds at first.
    pub memory: Vec<Vec<u8>>,
    /// The launches.
    pub steps: Vec<Step>,
    /// Which memory is checked after they have run once.
    pub output: usize,
    /// The check.
    pub check: Check,
    /// The same in Rust, if that is measured.
    pub native: Option<Native>,
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Row {
    /// The algorithm.
    pub name: &'static str,
    /// The type of its elements.
    pub element: Element,
    /// Its size: what that means is the algorithm's.
    pub size: usize,
    /// Part of a short run.
    pub quick: bool,
    /// Small enough for the interpreter.
    pub interpreted: bool,
    make: fn(Element, usize) -> Case,
}

impl Row {
    /// Its name in the table.
    pub fn label(&self) -> String {
        format!("{}/{}/{}", self.name, self.element.name(), self.size)
    }

    /// Its case.
    pub fn case(&self) -> Case {
        (self.make)(self.element, self.size)
    }
}

type Make = fn(Element, usize) -> Case;

/// An algorithm, and what is measured of it.
struct Algorithm {
    name: &'static str,
    make: Make,
    elements: &'static [Element],
    sizes: &'static [usize],
    /// Those of a short run.
    short: &'static [usize],
    /// The greatest size that is interpreted.
    interpreted: usize,
}

impl Algorithm {
    /// One size, which is measured in short runs, too, and interpreted.
    const fn one(
        name: &'static str,
        make: Make,
        elements: &'static [Element],
        sizes: &'static [usize; 1],
    ) -> Self {
        Self { name, make, elements, sizes, short: sizes, interpreted: sizes[0] }
    }

    /// Matrix products.
    const fn product(name: &'static str, make: Make) -> Self {
        let (elements, sizes) = (&[F32, F64, F16], &[256, 512, 1024, 2048]);
        Self { name, make, elements, sizes, short: &[512], interpreted: 256 }
    }
}

const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "saxpy",
        make: saxpy,
        elements: &[F32],
        sizes: &[1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26],
        short: &[1 << 16, 1 << 20, 1 << 24],
        interpreted: 1 << 22,
    },
    Algorithm::product("gemm_tile16", tile16),
    Algorithm::product("gemm_block64", block64),
    Algorithm::one("reduction", reduction, &[F32], &[1 << 24]),
    Algorithm::one("scan", scan, &[U32], &[1 << 22]),
    Algorithm::one("histogram", histogram, &[U32], &[1 << 22]),
    Algorithm::one("transpose", transpose, &[F32], &[2048]),
    Algorithm::one("mandelbrot", mandelbrot, &[F32], &[1024]),
    Algorithm::one("nbody", nbody, &[F32], &[4096]),
    Algorithm::one("fft", fft, &[F32], &[1 << 18]),
];

/// All rows, or those of a short run.
pub fn rows(quick: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for Algorithm { name, make, elements, sizes, short, interpreted } in ALGORITHMS {
        for element in *elements {
            for size in *sizes {
                rows.push(Row {
                    name,
                    element: *element,
                    size: *size,
                    quick: short.contains(size),
                    interpreted: size <= interpreted,
                    make: *make,
                });
            }
        }
    }
    rows.retain(|row| !quick || row.quick);
    rows
}

fn step(kernel: &'static str, groups: [usize; 2], items: [usize; 2], args: &[Arg]) -> Step {
    Step { kernel, groups, items, args: args.to_vec() }
}

fn int(n: usize) -> Arg {
    Arg::I32(n as i32)
}

/// So many indices below `len`, evenly spread; the last one is among them.
fn samples(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(len);
    (1..=count).map(move |k| (k * len).div_ceil(count) - 1)
}

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * expected.abs().max(1e-3)
}

/// Words without a pattern.
fn words(len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| i.wrapping_mul(0x9e37_79b9).rotate_left(i & 15) ^ i).collect()
}

fn saxpy(element: Element, n: usize) -> Case {
    let x = element.bytes(&numbers(n));
    let (xs, mut ys) = (numbers(n), numbers(n));
    Case {
        memory: vec![x.clone(), x],
        steps: vec![step(
            "saxpy",
            [n / 256, 1],
            [256, 1],
            &[Arg::F32(0.5), Arg::Buffer(0), Arg::Buffer(1), int(n)],
        )],
        output: 1,
        check: Box::new(move |y| {
            let x = numbers(n);
            (0..n).all(|i| element.at(y, i) == f64::from(x[i]) * 1.5)
        }),
        native: Some(Box::new(move || native::saxpy(0.5, &xs, &mut ys))),
    }
}

fn tile16(element: Element, n: usize) -> Case {
    gemm(element, n, "gemm_tile16", [n / 16, n / 16], [16, 16])
}

fn block64(element: Element, n: usize) -> Case {
    gemm(element, n, "gemm_block64", [n / 64, n / 64], [256, 1])
}

fn gemm(element: Element, n: usize, kernel: &'static str, groups: [usize; 2], items: [usize; 2]) -> Case {
    // All of them are numbers of half precision, too.
    let values = numbers(n * n);
    let bytes = element.bytes(&values);
    let zeros = vec![0; bytes.len()];
    let tolerance = element.epsilon() * if element == F16 { 2.0 } else { 100.0 };
    let native: Option<Native> = match element {
        F32 => {
            let (a, mut c) = (values.clone(), vec![0f32; n * n]);
            Some(Box::new(move || native::gemm(n, &a, &a, &mut c)))
        }
        F64 => {
            let a: Vec<f64> = values.iter().copied().map(f64::from).collect();
            let mut c = vec![0f64; n * n];
            Some(Box::new(move || native::gemm(n, &a, &a, &mut c)))
        }
        _ => None,
    };
    Case {
        memory: vec![bytes.clone(), bytes, zeros],
        steps: vec![step(kernel, groups, items, &[Arg::Buffer(0), Arg::Buffer(1), Arg::Buffer(2), int(n)])],
        output: 2,
        check: Box::new(move |c| {
            samples(n * n, 500).all(|at| {
                let (row, col) = (at / n, at % n);
                let product = |k: usize| f64::from(values[row * n + k]) * f64::from(values[k * n + col]);
                near(element.at(c, at), (0..n).map(product).sum(), tolerance)
            })
        }),
        native,
    }
}

fn reduction(element: Element, n: usize) -> Case {
    let values = numbers(n);
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    let groups = n / 4096;
    Case {
        memory: vec![element.bytes(&values), vec![0; groups.max(4096) * 4], vec![0; 4]],
        steps: vec![
            step("reduce", [groups, 1], [256, 1], &[Arg::Buffer(0), Arg::Buffer(1)]),
            step("reduce", [1, 1], [256, 1], &[Arg::Buffer(1), Arg::Buffer(2)]),
        ],
        output: 2,
        check: Box::new(move |out| near(element.at(out, 0), sum, 1e-4)),
        native: Some(Box::new(move || {
            std::hint::black_box(native::sum(&values));
        })),
    }
}

fn scan(element: Element, n: usize) -> Case {
    let values = words(n);
    // Sums of workgroups, of workgroups of those, and of all.
    let sizes = [n, n / 256, n.div_ceil(1 << 16)];
    let mut memory = vec![native::bytes(&values)];
    for size in sizes {
        memory.extend([vec![0; size * 4], vec![0; size.div_ceil(256) * 4]]);
    }
    // Memory 2 k + 1 has the scanned elements of level k, 2 k + 2 their workgroups' sums.
    let mut steps = Vec::new();
    for (level, size) in sizes.iter().enumerate() {
        let from = 2 * level;
        steps.push(step(
            "scan",
            [size.div_ceil(256), 1],
            [256, 1],
            &[Arg::Buffer(from), Arg::Buffer(from + 1), Arg::Buffer(from + 2), int(*size)],
        ));
    }
    for level in (0..sizes.len() - 1).rev() {
        let size = sizes[level];
        let args = [Arg::Buffer(2 * level + 1), Arg::Buffer(2 * level + 3), int(size)];
        steps.push(step("scan_add", [size.div_ceil(256), 1], [256, 1], &args));
    }
    let expected = values.clone();
    let mut sums = vec![0u32; n];
    Case {
        memory,
        steps,
        output: 1,
        check: Box::new(move |out| {
            let mut sum = 0u32;
            expected.iter().enumerate().all(|(i, value)| {
                sum = sum.wrapping_add(*value);
                element.at(out, i) == f64::from(sum)
            })
        }),
        native: Some(Box::new(move || native::scan(&values, &mut sums))),
    }
}

fn histogram(element: Element, n: usize) -> Case {
    let values = words(n);
    let mut counts = [0u32; 256];
    native::histogram(&values, &mut counts);
    let expected = counts;
    Case {
        memory: vec![native::bytes(&values), vec![0; 256 * 4]],
        steps: vec![step("histogram", [n / 4096, 1], [256, 1], &[Arg::Buffer(0), Arg::Buffer(1)])],
        output: 1,
        check: Box::new(move |out| {
            expected.iter().enumerate().all(|(i, count)| element.at(out, i) == f64::from(*count))
        }),
        native: Some(Box::new(move || native::histogram(&values, &mut counts))),
    }
}

fn transpose(element: Element, n: usize) -> Case {
    let values = numbers(n * n);
    let (from, mut to) = (values.clone(), vec![0f32; n * n]);
    Case {
        memory: vec![element.bytes(&values), vec![0; n * n * 4]],
        steps: vec![step("transpose", [n / 16, n / 16], [16, 16], &[Arg::Buffer(0), Arg::Buffer(1), int(n)])],
        output: 1,
        check: Box::new(move |out| {
            (0..n * n).all(|i| element.at(out, i) == f64::from(values[i % n * n + i / n]))
        }),
        native: Some(Box::new(move || native::transpose(n, &from, &mut to))),
    }
}

/// The greatest count of the Mandelbrot set.
const LIMIT: u32 = 256;

fn mandelbrot(element: Element, n: usize) -> Case {
    let mut counts = vec![0u32; n * n];
    Case {
        memory: vec![vec![0; n * n * 4]],
        steps: vec![step(
            "mandelbrot",
            [n / 16, n / 16],
            [16, 16],
            &[Arg::Buffer(0), int(n), Arg::I32(LIMIT as i32)],
        )],
        output: 0,
        check: Box::new(move |out| {
            samples(n * n, 5000).all(|i| U32.at(out, i) == f64::from(native::escape(i % n, i / n, n, LIMIT)))
        }),
        native: Some(Box::new(move || {
            let _ = element;
            native::mandelbrot(n, LIMIT, &mut counts);
        })),
    }
}

fn nbody(element: Element, n: usize) -> Case {
    let bodies = numbers(4 * n);
    let (all, mut out) = (bodies.clone(), vec![[0f32; 4]; n]);
    Case {
        memory: vec![element.bytes(&bodies), vec![0; 16 * n]],
        steps: vec![step("nbody", [n / 256, 1], [256, 1], &[Arg::Buffer(0), Arg::Buffer(1), int(n)])],
        output: 1,
        check: Box::new(move |out| {
            samples(n, 32).all(|i| {
                let expected = native::acceleration(&bodies, i);
                let size = expected[..3].iter().map(|x| x.abs()).fold(0.0, f32::max);
                (0..3).all(|d| {
                    (element.at(out, 4 * i + d) - f64::from(expected[d])).abs() <= 1e-3 * f64::from(size)
                })
            })
        }),
        native: Some(Box::new(move || native::nbody(&all, &mut out))),
    }
}

fn fft(element: Element, n: usize) -> Case {
    let (values, roots) = (numbers(2 * n), native::roots());
    let (x, w, mut y) = (values.clone(), roots.clone(), vec![0f32; 2 * n]);
    Case {
        memory: vec![element.bytes(&values), vec![0; 8 * n], element.bytes(&roots)],
        steps: vec![step("fft", [n / 1024, 1], [256, 1], &[Arg::Buffer(0), Arg::Buffer(1), Arg::Buffer(2)])],
        output: 1,
        check: Box::new(move |out| {
            samples(n, 40).all(|i| {
                let expected = native::frequency(&values[i / 1024 * 2048..][..2048], i % 1024);
                (0..2).all(|part| (element.at(out, 2 * i + part) - expected[part]).abs() <= 0.05)
            })
        }),
        native: Some(Box::new(move || native::fft(&x, &w, &mut y))),
    }
}
