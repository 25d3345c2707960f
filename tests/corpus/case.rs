//! A case: one launch of a kernel, with all that goes in and what must come out.

use crate::compare::{self, Limit};
use crate::run::Session;
use hip::LaunchConfig;
use hip::bytemuck::{self, Pod};
use hip::half::f16;

/// What is passed for one parameter of a kernel.
pub enum Arg {
    /// Device memory with these bytes, which the kernel must leave as they are.
    In(Vec<u8>),
    /// Device memory with these bytes, which the checks see afterwards.
    InOut(Vec<u8>),
    /// The parameter's own bytes.
    Value(Vec<u8>),
}

/// Says what is wrong with the outputs.
pub type Check = Box<dyn Fn(&Outputs) -> Result<(), String>>;

/// What the kernel left in its `InOut` arguments, in their order.
pub struct Outputs(pub Vec<Vec<u8>>);

impl Outputs {
    /// The elements of one.
    pub fn get<T: Pod>(&self, index: usize) -> Vec<T> {
        self.0[index].chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
    }
}

/// How a case runs.
pub enum Run {
    /// The kernel is launched once per round, with the round's values in place of the last arguments.
    Launch { config: LaunchConfig, args: Vec<Arg>, rounds: Vec<Vec<i32>>, checks: Vec<Check> },
    /// Something of its own, for what the host does while the kernel runs.
    Program(fn(&Session) -> Result<(), String>),
}

/// One case of a kernel.
pub struct Case {
    pub kernel: &'static str,
    /// What tells a kernel's cases apart, if it has several.
    pub label: &'static str,
    pub run: Run,
    /// Lines that the process must print.
    pub says: Vec<String>,
    /// Whether the process must end by SIGABRT, as AMD's runtime does it.
    pub aborts: bool,
}

impl Case {
    /// A launch, to which arguments and checks are added.
    pub fn new(kernel: &'static str, config: LaunchConfig) -> Self {
        let run = Run::Launch { config, args: Vec::new(), rounds: vec![Vec::new()], checks: Vec::new() };
        Self { kernel, label: "", run, says: Vec::new(), aborts: false }
    }

    /// A case that runs by itself.
    pub fn program(kernel: &'static str, program: fn(&Session) -> Result<(), String>) -> Self {
        Self { kernel, label: "", run: Run::Program(program), says: Vec::new(), aborts: false }
    }

    pub fn label(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }

    pub fn says(mut self, line: impl Into<String>) -> Self {
        self.says.push(line.into());
        self
    }

    pub fn aborts(mut self) -> Self {
        self.aborts = true;
        self
    }

    /// The kernel's name, with the label.
    pub fn name(&self) -> String {
        if self.label.is_empty() { self.kernel.into() } else { format!("{}/{}", self.kernel, self.label) }
    }

    fn arg(mut self, arg: Arg) -> Self {
        if let Run::Launch { args, .. } = &mut self.run {
            args.push(arg);
        }
        self
    }

    /// `const T *`
    pub fn input<T: Pod>(self, elements: &[T]) -> Self {
        self.arg(Arg::In(bytemuck::cast_slice(elements).to_vec()))
    }

    /// `T *`: the next of the outputs.
    pub fn output<T: Pod>(self, elements: &[T]) -> Self {
        self.arg(Arg::InOut(bytemuck::cast_slice(elements).to_vec()))
    }

    /// A parameter by value.
    pub fn value<T: Pod>(self, value: T) -> Self {
        self.arg(Arg::Value(bytemuck::bytes_of(&value).to_vec()))
    }

    /// A launch for each of these, whose values are the last arguments.
    pub fn rounds(mut self, values: Vec<Vec<i32>>) -> Self {
        if let Run::Launch { rounds, .. } = &mut self.run {
            *rounds = values;
        }
        self
    }

    /// A check of all outputs.
    pub fn check(mut self, check: impl Fn(&Outputs) -> Result<(), String> + 'static) -> Self {
        if let Run::Launch { checks, .. } = &mut self.run {
            checks.push(Box::new(check));
        }
        self
    }

    /// Output `index` must be exactly this; any NaN is as good as another.
    pub fn expect<T: compare::Exact>(self, index: usize, expected: Vec<T>) -> Self {
        self.check(move |outputs| compare::exact(&outputs.get::<T>(index), &expected))
    }

    /// Output `index` must be within a limit of these numbers.
    pub fn near_f32(self, index: usize, expected: Vec<f64>, limit: Limit) -> Self {
        self.check(move |outputs| compare::near(&outputs.get::<f32>(index), &expected, |_| limit))
    }

    /// As [`near_f32`](Self::near_f32).
    pub fn near_f16(self, index: usize, expected: Vec<f64>, limit: Limit) -> Self {
        self.check(move |outputs| compare::near(&outputs.get::<f16>(index), &expected, |_| limit))
    }
}

/// A grid of `grid` workgroups of `block` threads.
pub fn shape(grid: impl Into<hip::Dim3>, block: impl Into<hip::Dim3>) -> LaunchConfig {
    LaunchConfig { grid: grid.into(), block: block.into(), shared_bytes: 0 }
}
