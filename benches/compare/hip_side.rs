//! The HIP side: the kernels through hiprtc, on the first device.
//!
//! # Safety
//! The argument lists are data, so the launch itself is HIP's: `hipModuleLaunchKernel` reads as many bytes behind each
//! pointer as the kernel's parameter has, which are the ones of its [`Arg`]. The buffers live until the stream is idle, and
//! a case's kernels stay within them.

use std::collections::BTreeMap;
use std::ffi::c_void;

use hip::rtc::Program;
use hip::{Device, DeviceBuffer, Function, Module, Stream};

use crate::case::{Arg, Step};
use crate::number::Element;
use crate::{Failure, Plan, SOURCE, judge};

fn load(device: Device, element: Element) -> Result<Module, Failure> {
    let [t, acc] = element.types("_Float16");
    let program =
        Program::new("kernels.hip", SOURCE).option(format!("-DELEMENT={t}")).option(format!("-DSUM={acc}"));
    Ok(program.compile(device)?.load(device)?)
}

/// A launch with its arguments in memory.
struct Ready<'a> {
    step: &'a Step,
    function: Function,
    values: Vec<u64>,
}

impl<'a> Ready<'a> {
    fn new(step: &'a Step, module: &Module, buffers: &[DeviceBuffer<u8>]) -> Result<Self, Failure> {
        let value = |arg: &Arg| match arg {
            Arg::Buffer(n) => buffers[*n].view().address() as u64,
            Arg::I32(n) => u64::from(n.cast_unsigned()),
            Arg::F32(x) => u64::from(x.to_bits()),
        };
        let function = module.function(step.kernel)?;
        Ok(Self { step, function, values: step.args.iter().map(value).collect() })
    }

    fn launch(&mut self, stream: &Stream) -> Result<(), Failure> {
        let mut pointers: Vec<*mut c_void> =
            self.values.iter_mut().map(|value| std::ptr::from_mut(value).cast()).collect();
        let ([gx, gy], [x, y]) = (self.step.groups, self.step.items);
        // SAFETY: see the file's head.
        let status = unsafe {
            stream.runtime().api().hipModuleLaunchKernel(
                self.function.raw(),
                u32::try_from(gx)?,
                u32::try_from(gy)?,
                1,
                u32::try_from(x)?,
                u32::try_from(y)?,
                1,
                0,
                stream.raw(),
                pointers.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        }?;
        if status.0 == 0 { Ok(()) } else { Err(format!("{}: error {}", self.step.kernel, status.0).into()) }
    }
}

/// Measures every row.
pub fn run(plan: &Plan) -> Result<(), Failure> {
    let device = Device::first()?;
    let stream = device.stream()?;
    let mut modules = BTreeMap::new();
    for row in &plan.rows {
        let module = match modules.entry(row.element.types("").join(" ")) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(load(device, row.element)?),
        };
        let case = row.case();
        let buffers = case
            .memory
            .iter()
            .map(|bytes| DeviceBuffer::from_slice(&stream, bytes))
            .collect::<hip::Result<Vec<_>>>()?;
        let mut steps = case
            .steps
            .iter()
            .map(|step| Ready::new(step, module, &buffers))
            .collect::<Result<Vec<_>, _>>()?;
        let mut launch = || {
            steps.iter_mut().try_for_each(|step| step.launch(&stream))?;
            Ok(stream.synchronize()?)
        };
        launch()?;
        judge(row, &case.check, &buffers[case.output].to_vec(&stream)?)?;
        plan.measure(row, launch)?;
    }
    let Some(module) = modules.values().next() else { return Ok(()) };
    let step = Step { kernel: "empty", groups: [1, 1], items: [64, 1], args: Vec::new() };
    let mut empty = Ready::new(&step, module, &[])?;
    plan.latency(|| {
        empty.launch(&stream)?;
        Ok(stream.synchronize()?)
    })
}
