//! `vega disasm`: the kernels of a file, and their machine code.

use std::io::{self, Write};
use std::process::ExitCode;

use code_object::{CodeObject, Image, Kernel, TargetId, generic_members};

use crate::cli::{DisasmOptions, Failure};
use crate::style::Bold;

/// What is disassembled: code for anything else is encoded otherwise.
const PROCESSOR: &str = "gfx900";

/// The name that stands for every kernel.
const ALL: &str = "all";

/// Lists or disassembles.
pub fn disasm(options: &DisasmOptions) -> Result<ExitCode, Failure> {
    let path = options.file.display();
    let bytes = std::fs::read(&options.file).map_err(|e| Failure::Other(format!("{path}: {e}")))?;
    let image = Image::parse(&bytes).map_err(|e| Failure::Other(format!("{path}: {e}")))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut found = options.kernel.is_none();
    // Other processors that have the kernel: their instructions would be read wrongly.
    let mut elsewhere = Vec::new();
    for entry in image.entries() {
        let object = CodeObject::parse(&entry.bytes)
            .map_err(|e| Failure::Other(format!("{path}: {}: {e}", entry.id.as_str())))?;
        let printed = match &options.kernel {
            None => list(&mut out, entry.id.as_str(), &object),
            Some(name) => {
                let wanted = |kernel: &&Kernel| name == ALL || kernel.name == *name;
                let kernels: Vec<&Kernel> = object.kernels().iter().filter(wanted).collect();
                if !is_for_card(object.target()) {
                    if !kernels.is_empty() {
                        elsewhere.push(object.target().processor().to_owned());
                    }
                    continue;
                }
                found |= !kernels.is_empty();
                kernels.into_iter().try_for_each(|kernel| listing(&mut out, &object, kernel))
            }
        };
        match printed {
            // Whoever reads may have seen enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other.map_err(|e| Failure::Other(format!("stdout: {e}")))?,
        }
    }
    // As above: a reader that has gone is no failure.
    let _ = out.flush();
    match &options.kernel {
        Some(name) if !found && elsewhere.is_empty() => {
            Err(Failure::Other(format!("{path}: there is no kernel {name}")))
        }
        Some(name) if !found => Err(Failure::Other(format!(
            "{path}: {name} is there for {} only: build it with --offload-arch={PROCESSOR}",
            elsewhere.join(", ")
        ))),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Whether the code is gfx900's, with any features.
fn is_for_card(target: &TargetId) -> bool {
    let processor = target.processor();
    processor == PROCESSOR || generic_members(processor).contains(&PROCESSOR)
}

fn list(out: &mut impl Write, id: &str, object: &CodeObject<'_>) -> io::Result<()> {
    writeln!(out, "{}  {} kernels", Bold(id), object.kernels().len())?;
    if object.kernels().is_empty() {
        return Ok(());
    }
    writeln!(out, "  VGPRs  SGPRs    LDS  scratch  kernarg  code bytes  kernel")?;
    for kernel in object.kernels() {
        writeln!(
            out,
            "  {:>5}  {:>5}  {:>5}  {:>7}  {:>7}  {:>10}  {}",
            kernel.vgpr_count,
            kernel.sgpr_count,
            kernel.group_segment_fixed_size,
            kernel.private_segment_fixed_size,
            kernel.kernarg_segment_size,
            kernel.code_size,
            kernel.name
        )?;
    }
    Ok(())
}

fn listing(out: &mut impl Write, object: &CodeObject<'_>, kernel: &Kernel) -> io::Result<()> {
    writeln!(out, "{:016x} <{}>:", kernel.entry_address, Bold(&kernel.name))?;
    let words: Vec<u32> = object
        .code(kernel)
        .chunks_exact(4)
        .filter_map(|bytes| bytes.try_into().ok().map(u32::from_le_bytes))
        .collect();
    for line in vega_isa::disassemble(kernel.entry_address, &words) {
        writeln!(out, "\t{line}")?;
    }
    writeln!(out)
}
