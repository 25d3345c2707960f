//! The kernels of `kernels/corpus/`, every one against a reference on the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`case`] | what a case is: arguments, launch shape, checks |
//! | [`groups`] | the cases: a table per file of kernels |
//! | [`inputs`] | edges of each type and seeded random numbers |
//! | [`compare`] | exact comparison, and within units in the last place |
//! | [`run`] | launches a case |
//! | [`child`] | a process per group, so that an abort is one kernel's failure |
//! | [`share`] | how much of it runs in compiled code |
//! | [`code`] | compiles the kernels, once |
//! | [`c_math`] | C's math library |
//!
//! Integers and IEEE operations are compared exactly, functions of the math library within the limits that HIP and OpenCL
//! document. Every kernel of a file must have a case.

#[path = "../support/mod.rs"]
mod support;

mod c_math;
mod case;
mod child;
mod code;
mod compare;
mod groups;
mod inputs;
mod run;
mod share;

/// Cases that the virtual device cannot run yet, each with a text that its failure contains: the reason. One that passes, or
/// fails in another way, has to leave the list.
const PENDING: &[(&str, &str)] = &[];

/// A test per file of kernels.
macro_rules! groups {
    ($($name:ident)+) => {$(
        #[test]
        fn $name() {
            let cases = groups::$name::cases();
            if child::play(&cases, || code::of(stringify!($name))).is_some() {
                return;
            }
            if support::device().is_some() {
                code::compiled();
                child::parent(stringify!($name), &cases);
            }
        }
    )+

        #[test]
        fn share_of_compiled_code() {
            if support::device().is_some() {
                code::compiled();
                share::judge(&[$((stringify!($name), groups::$name::cases())),+]);
            }
        }
    };
}

groups! { applications atomics control ieee images integer lanes lds math_f32 math_f64 math_rest matrix services types }
