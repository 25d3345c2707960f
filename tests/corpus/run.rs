//! Launches a case on the device, through `hip`'s modules and buffers.
//!
//! # Safety
//! The argument lists are data, so the launch itself is HIP's: `hipModuleLaunchKernel` reads as many bytes behind each
//! pointer as the code object says, which is compared with the bytes that there are. The buffers live until their contents
//! have been copied back on the same stream. A case's kernel stays within what its argument list passes; every buffer has a
//! margin behind it that must not change, and on the virtual device nothing but mapped device memory can be reached.

use crate::case::{Arg, Case, Outputs, Run};
use hip::{DeviceBuffer, Function, LaunchConfig, Module, Stream};
use std::ffi::c_void;

/// Bytes behind each buffer that no kernel may change, and what they are.
const MARGIN: [u8; 256] = [0xa5; 256];

/// A loaded group of kernels.
pub struct Session {
    pub stream: Stream,
    pub module: Module,
}

/// One argument on its way: its bytes in the kernarg segment, and the memory behind them.
struct Passed {
    /// The value or the address, aligned for every type.
    value: Vec<u128>,
    size: usize,
    buffer: Option<DeviceBuffer<u8>>,
}

impl Session {
    pub fn new(stream: Stream, code: &[u8]) -> hip::Result<Self> {
        let module = Module::from_bytes(stream.device(), code)?;
        Ok(Self { stream, module })
    }

    /// Runs a case and checks what comes out.
    pub fn run(&self, case: &Case) -> Result<(), String> {
        let Run::Launch { config, args, rounds, checks } = &case.run else {
            let Run::Program(program) = &case.run else { return Err("nothing to run".into()) };
            return program(self);
        };
        let function = self.module.function(case.kernel).map_err(|error| error.to_string())?;
        let outputs = self.launch(&function, *config, args, rounds)?;
        checks.iter().try_for_each(|check| check(&outputs))
    }

    /// Launches once per round; returns the contents of the `InOut` arguments.
    pub fn launch(
        &self,
        function: &Function,
        config: LaunchConfig,
        args: &[Arg],
        rounds: &[Vec<i32>],
    ) -> Result<Outputs, String> {
        let text = |error: hip::Error| error.to_string();
        let mut passed =
            args.iter().map(|arg| self.pass(arg)).collect::<hip::Result<Vec<_>>>().map_err(text)?;
        for round in rounds {
            let first = passed.len() - round.len();
            for (argument, value) in passed[first..].iter_mut().zip(round) {
                argument.value = vec![u128::from(value.cast_unsigned())];
            }
            self.enqueue(function, config, &mut passed)?;
        }
        let mut outputs = Vec::new();
        for (index, (argument, arg)) in passed.iter().zip(args).enumerate() {
            let Some(buffer) = &argument.buffer else { continue };
            let mut bytes = buffer.to_vec(&self.stream).map_err(text)?;
            let len = bytes.len() - MARGIN.len();
            if bytes[len..] != MARGIN {
                return Err(format!("the kernel wrote behind the end of argument {index}"));
            }
            bytes.truncate(len);
            match arg {
                Arg::InOut(_) => outputs.push(bytes),
                Arg::In(before) if *before != bytes => {
                    return Err(format!("the kernel changed argument {index}, which it only reads"));
                }
                _ => {}
            }
        }
        Ok(Outputs(outputs))
    }

    fn pass(&self, arg: &Arg) -> hip::Result<Passed> {
        match arg {
            Arg::Value(bytes) => {
                let mut value = vec![0; bytes.len().div_ceil(size_of::<u128>()).max(1)];
                hip::bytemuck::cast_slice_mut::<u128, u8>(&mut value)[..bytes.len()].copy_from_slice(bytes);
                Ok(Passed { value, size: bytes.len(), buffer: None })
            }
            Arg::In(bytes) | Arg::InOut(bytes) => {
                let bytes = [bytes.as_slice(), &MARGIN].concat();
                let buffer = DeviceBuffer::from_slice(&self.stream, &bytes)?;
                let value = vec![buffer.view().address() as usize as u128];
                Ok(Passed { value, size: 8, buffer: Some(buffer) })
            }
        }
    }

    fn enqueue(
        &self,
        function: &Function,
        config: LaunchConfig,
        passed: &mut [Passed],
    ) -> Result<(), String> {
        let sizes: Vec<usize> = passed.iter().map(|argument| argument.size).collect();
        let wanted: Vec<usize> = function.metadata().explicit_args().map(|arg| arg.size as usize).collect();
        if sizes != wanted {
            return Err(format!("the case passes arguments of {sizes:?} bytes, the kernel takes {wanted:?}"));
        }
        let mut pointers: Vec<*mut c_void> =
            passed.iter_mut().map(|argument| argument.value.as_mut_ptr().cast()).collect();
        let LaunchConfig { grid, block, shared_bytes } = config;
        // SAFETY: the sizes were compared; the function's module and the buffers are alive; see the top of the file.
        let status = unsafe {
            self.stream.runtime().api().hipModuleLaunchKernel(
                function.raw(),
                grid.x,
                grid.y,
                grid.z,
                block.x,
                block.y,
                block.z,
                shared_bytes,
                self.stream.raw(),
                pointers.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        check("hipModuleLaunchKernel", status)
    }
}

/// The outcome of a call that `hip` does not wrap.
pub fn check(
    call: &str,
    status: Result<hip::sys::hipError_t, hip::sys::MissingSymbol>,
) -> Result<(), String> {
    match status {
        Ok(hip::sys::hipError_t(0)) => Ok(()),
        Ok(code) => Err(format!("{call} fails: {:?}", hip::ErrorCode::from(code))),
        Err(missing) => Err(format!("{call}: {missing}")),
    }
}
