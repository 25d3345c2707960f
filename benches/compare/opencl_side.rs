//! The OpenCL side: the kernels on the first CPU device.
//!
//! # Safety
//! Buffers are read and written by blocking calls, with host slices as long as the buffer. Every kernel is enqueued with
//! the arguments that its source declares, over buffers that hold all elements it touches.

use std::collections::BTreeMap;

use opencl3::command_queue::CommandQueue;
use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_CPU, Device, get_all_devices};
use opencl3::kernel::{ExecuteKernel, Kernel};
use opencl3::memory::{Buffer, CL_MEM_READ_WRITE};
use opencl3::program::Program;
use opencl3::types::{CL_BLOCKING, cl_uchar};

use crate::case::{Arg, Step};
use crate::number::Element;
use crate::{Failure, Plan, SOURCE, judge};

fn enqueue(
    queue: &CommandQueue,
    kernel: &Kernel,
    step: &Step,
    buffers: &[Buffer<cl_uchar>],
) -> Result<(), Failure> {
    let mut launch = ExecuteKernel::new(kernel);
    let global: [usize; 2] = std::array::from_fn(|d| step.groups[d] * step.items[d]);
    launch.set_global_work_sizes(&global).set_local_work_sizes(&step.items);
    for arg in &step.args {
        // SAFETY: the arguments are those of the kernel's source; see the file's head.
        unsafe {
            match arg {
                Arg::Buffer(n) => launch.set_arg(&buffers[*n]),
                Arg::I32(value) => launch.set_arg(value),
                Arg::F32(value) => launch.set_arg(value),
            };
        }
    }
    // SAFETY: all arguments are set.
    unsafe { launch.enqueue_nd_range(queue) }?;
    Ok(())
}

/// The program of an element type; `None` where the device does not have the type.
fn build(context: &Context, element: Element) -> Option<Program> {
    let [t, acc] = element.types("half");
    let options = format!("-DELEMENT={t} -DSUM={acc}");
    Program::create_and_build_from_source(context, SOURCE, &options)
        .map_err(|log| eprintln!("no {}: {}", element.name(), log.lines().next().unwrap_or_default()))
        .ok()
}

/// Measures every row.
pub fn run(plan: &Plan) -> Result<(), Failure> {
    let device =
        Device::new(*get_all_devices(CL_DEVICE_TYPE_CPU)?.first().ok_or("there is no OpenCL device")?);
    eprintln!("OpenCL: {}", device.name()?);
    let context = Context::from_device(&device)?;
    let queue = CommandQueue::create_default_with_properties(&context, 0, 0)?;
    let mut programs = BTreeMap::new();
    for row in &plan.rows {
        let types = row.element.types("").join(" ");
        let program = programs.entry(types).or_insert_with(|| build(&context, row.element));
        let Some(program) = program else { continue };
        let case = row.case();
        let mut buffers = Vec::new();
        for bytes in &case.memory {
            // SAFETY: no host memory is passed.
            let mut buffer =
                unsafe { Buffer::create(&context, CL_MEM_READ_WRITE, bytes.len(), std::ptr::null_mut()) }?;
            // SAFETY: the call blocks, and the slice is as long as the buffer.
            unsafe { queue.enqueue_write_buffer(&mut buffer, CL_BLOCKING, 0, bytes, &[]) }?;
            buffers.push(buffer);
        }
        let kernels = case
            .steps
            .iter()
            .map(|step| Kernel::create(program, step.kernel))
            .collect::<Result<Vec<_>, _>>()?;
        let launch = || {
            for (step, kernel) in case.steps.iter().zip(&kernels) {
                enqueue(&queue, kernel, step, &buffers)?;
            }
            Ok(queue.finish()?)
        };
        launch()?;
        let mut output = vec![0; case.memory[case.output].len()];
        // SAFETY: the call blocks, and the slice is as long as the buffer.
        unsafe { queue.enqueue_read_buffer(&buffers[case.output], CL_BLOCKING, 0, &mut output, &[]) }?;
        judge(row, &case.check, &output)?;
        plan.measure(row, launch)?;
    }
    let Some(program) = programs.values().flatten().next() else { return Ok(()) };
    let step = Step { kernel: "empty", groups: [1, 1], items: [64, 1], args: Vec::new() };
    let kernel = Kernel::create(program, step.kernel)?;
    plan.latency(|| {
        enqueue(&queue, &kernel, &step, &[])?;
        Ok(queue.finish()?)
    })
}
