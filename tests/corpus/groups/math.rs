//! What the tables of math functions have in common.
//!
//! Limits: HIP's documentation ("HIP math API") names for most functions a range of arguments, and how many units in the last
//! place the result differs there from the C++ standard library's where the difference is greatest as an absolute number.
//! Smaller results may be more units off: one more is allowed. Beyond the range, or where the documentation has no entry,
//! the limits of OpenCL 2.0 (section 7.4) hold, which AMD's device library is written for. Where neither has one, the table
//! has a comment.

use crate::case::{Case, shape};
use crate::compare::{Exact, Float, Limit, equal, exact, near};
use crate::inputs::Domain;

/// A range of arguments, and the limit in it.
#[derive(Clone, Copy)]
pub struct Documented {
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub ulp: f64,
}

/// What a function must give.
#[derive(Clone, Copy)]
pub enum Reference<T> {
    /// The same bits.
    Exact(fn(T, T) -> T),
    /// The same number: a zero may have the other sign.
    Equal(fn(T, T) -> T),
    /// Within a limit.
    Near { of: fn(f64, f64) -> f64, documented: Documented, elsewhere: Limit },
}

/// One kernel.
pub struct Row<T> {
    pub kernel: &'static str,
    pub domain: Domain,
    pub reference: Reference<T>,
}

impl<T> Row<T> {
    pub fn exact(kernel: &'static str, of: fn(T, T) -> T) -> Self {
        Self { kernel, domain: Domain::All, reference: Reference::Exact(of) }
    }

    /// A function that gives zeros the other sign in some releases of the library or the compiler.
    pub fn equal(kernel: &'static str, of: fn(T, T) -> T) -> Self {
        Self { kernel, domain: Domain::All, reference: Reference::Equal(of) }
    }

    /// A function of `x` alone: `ulp` for arguments in `range`, `elsewhere` for all others.
    pub fn near(
        kernel: &'static str,
        of: fn(f64, f64) -> f64,
        range: (f64, f64),
        ulp: f64,
        elsewhere: f64,
    ) -> Self {
        let all = (f64::NEG_INFINITY, f64::INFINITY);
        Self::near2(kernel, of, (range, all), ulp, elsewhere)
    }

    /// A function of two arguments: `ulp` if both are in their ranges.
    pub fn near2(
        kernel: &'static str,
        of: fn(f64, f64) -> f64,
        (x, y): ((f64, f64), (f64, f64)),
        ulp: f64,
        elsewhere: f64,
    ) -> Self {
        let reference =
            Reference::Near { of, documented: Documented { x, y, ulp }, elsewhere: Limit::ulp(elsewhere) };
        Self { kernel, domain: Domain::All, reference }
    }

    /// Allows this error everywhere, however many units it is.
    pub fn or_absolute(mut self, absolute: f64) -> Self {
        if let Reference::Near { elsewhere, .. } = &mut self.reference {
            elsewhere.absolute = absolute;
        }
        self
    }

    /// Takes other arguments than all kinds.
    pub fn domain(mut self, domain: Domain) -> Self {
        self.domain = domain;
        self
    }
}

/// The case of a row. The last workgroup is not full.
pub fn case<T: Float + Exact>(row: Row<T>, (x, y): (Vec<T>, Vec<T>)) -> Case {
    let n = x.len();
    let case = Case::new(row.kernel, shape(n.div_ceil(256) as u32, 256))
        .input(&x)
        .input(&y)
        .output(&vec![T::zeroed(); n])
        .value(n as i32);
    case.check(move |outputs| {
        let got = outputs.get::<T>(0);
        let shown = |error: String| {
            let at =
                error.split_once('[').and_then(|(_, rest)| rest.split_once(']')?.0.parse::<usize>().ok());
            at.map_or(error.clone(), |at| {
                format!("{error}; the arguments of [{at}] are {:?}, {:?}", x[at], y[at])
            })
        };
        match row.reference {
            Reference::Exact(of) => {
                let expected: Vec<T> = x.iter().zip(&y).map(|(&a, &b)| of(a, b)).collect();
                exact(&got, &expected).map_err(shown)
            }
            Reference::Equal(of) => {
                let expected: Vec<T> = x.iter().zip(&y).map(|(&a, &b)| of(a, b)).collect();
                equal(&got, &expected).map_err(shown)
            }
            Reference::Near { of, documented, elsewhere } => {
                let expected: Vec<f64> = x.iter().zip(&y).map(|(a, b)| of(a.wide(), b.wide())).collect();
                let inside = |x: f64, (low, high): (f64, f64)| low <= x && x <= high;
                let limit = |at: usize| {
                    let (a, b): (f64, f64) = (x[at].wide(), y[at].wide());
                    // A NaN as the second argument of a function of one argument is in every range.
                    let unused = documented.y == (f64::NEG_INFINITY, f64::INFINITY);
                    let is_documented = inside(a, documented.x) && (unused || inside(b, documented.y));
                    let ulp = if is_documented { documented.ulp + 1.0 } else { elsewhere.ulp };
                    // The reference has an error of its own: it is not rounded for f32, and not exact for f64.
                    Limit { ulp: ulp + 0.5, absolute: elsewhere.absolute }
                };
                near(&got, &expected, limit).map_err(shown)
            }
        }
    })
}
