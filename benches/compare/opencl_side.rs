//! The OpenCL side: the kernels of `kernels.cl`, on the first CPU device.
//!
//! # Safety
//! Buffers are read and written by blocking calls, with host slices as long as the buffer. Every kernel is enqueued with
//! the arguments that its source declares, over buffers that hold all elements it touches.

use hip_benches::numbers;
use opencl3::command_queue::CommandQueue;
use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_CPU, Device, get_all_devices};
use opencl3::kernel::{ExecuteKernel, Kernel};
use opencl3::memory::{Buffer, CL_MEM_READ_WRITE};
use opencl3::program::Program;
use opencl3::types::{CL_BLOCKING, cl_float, cl_int};

use crate::{ELEMENTS, Failure, SIZE, measure};

/// Measures every kernel.
pub fn run() -> Result<(), Failure> {
    let device =
        Device::new(*get_all_devices(CL_DEVICE_TYPE_CPU)?.first().ok_or("there is no OpenCL device")?);
    eprintln!("OpenCL: {}", device.name()?);
    let context = Context::from_device(&device)?;
    let queue = CommandQueue::create_default_with_properties(&context, 0, 0)?;
    let program = Program::create_and_build_from_source(&context, include_str!("kernels.cl"), "")
        .map_err(|log| format!("kernels.cl: {log}"))?;
    let buffer = |len: usize| -> Result<Buffer<cl_float>, Failure> {
        // SAFETY: no host memory is passed.
        let mut buffer = unsafe { Buffer::create(&context, CL_MEM_READ_WRITE, len, std::ptr::null_mut()) }?;
        // SAFETY: the call blocks, and the slice is as long as the buffer.
        unsafe { queue.enqueue_write_buffer(&mut buffer, CL_BLOCKING, 0, &numbers(len), &[]) }?;
        Ok(buffer)
    };

    let kernel = Kernel::create(&program, "saxpy")?;
    let (x, y) = (buffer(ELEMENTS)?, buffer(ELEMENTS)?);
    let (a, count) = (0.5f32, cl_int::try_from(ELEMENTS)?);
    measure("saxpy", || {
        let mut launch = ExecuteKernel::new(&kernel);
        launch.set_global_work_size(ELEMENTS).set_local_work_size(256);
        // SAFETY: the arguments are those of the kernel's source, and its buffers hold `count` elements.
        unsafe {
            launch.set_arg(&a).set_arg(&x).set_arg(&y).set_arg(&count).enqueue_nd_range(&queue)?;
        }
        Ok(queue.finish()?)
    })?;

    let n = cl_int::try_from(SIZE)?;
    let (a, b, c) = (buffer(SIZE * SIZE)?, buffer(SIZE * SIZE)?, buffer(SIZE * SIZE)?);
    let shapes =
        [("gemm_tile16", [SIZE, SIZE], [16, 16]), ("gemm_block64", [SIZE / 64 * 256, SIZE / 64], [256, 1])];
    for (name, global, local) in shapes {
        let kernel = Kernel::create(&program, name)?;
        measure(name, || {
            let mut launch = ExecuteKernel::new(&kernel);
            launch.set_global_work_sizes(&global).set_local_work_sizes(&local);
            // SAFETY: the arguments are those of the kernel's source, and its buffers hold `n * n` elements.
            unsafe {
                launch.set_arg(&a).set_arg(&b).set_arg(&c).set_arg(&n).set_arg(&n).set_arg(&n);
                launch.enqueue_nd_range(&queue)?;
            }
            Ok(queue.finish()?)
        })?;
    }
    Ok(())
}
