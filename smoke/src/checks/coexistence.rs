//! Several LLVMs in one process.

use std::collections::BTreeSet;

use super::runtime_compiler::host_program;
use crate::stack::{Stack, file_name};
use crate::verdict::Findings;

/// Beginnings of libraries with an LLVM inside, or that load one, and whether programs have them beside HIP without
/// knowing.
const OTHERS: &[(&str, bool)] = &[
    ("libLLVM", true),
    ("libgallium", true),
    ("libMesaOpenCL.so", true),
    ("libOpenCL.so", true),
    // Only compilers link to it, and PoCL, which fails with comgr because of it.
    ("libclang-cpp.so", false),
    ("libpocl.so", false),
];

fn row(name: &str) -> Option<&'static (&'static str, bool)> {
    OTHERS.iter().find(|(start, _)| name.starts_with(start) && name.contains(".so"))
}

/// Check 14: HIP's libraries together with others that bring an LLVM.
pub fn one_process(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let soname = |start: &'static str| {
        stack.named(start).find_map(|library| library.elf.as_ref().ok()?.soname.clone())
    };
    let own: Vec<String> = ["libamdhip64.so", "libamd_comgr.so"].into_iter().filter_map(soname).collect();
    if own.is_empty() {
        out.skip("neither libamdhip64 nor libamd_comgr is installed");
        return Ok(());
    }
    let mut others = BTreeSet::new();
    for folder in &stack.folders {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = file_name(&path);
            if row(&name).is_some() {
                others.insert(path.canonicalize().unwrap_or(path));
            }
        }
    }
    let Some(program) = host_program(stack, "together", include_str!("../../programs/together.c"), out)?
    else {
        return Ok(());
    };
    let mut together = 0;
    for other in &others {
        let load = |order: &[&std::ffi::OsStr]| stack.run(stack.command(&program).args(order));
        let own: Vec<_> = own.iter().map(std::ffi::OsStr::new).collect();
        let name = file_name(other);
        if !load(&[other.as_os_str()])?.success() {
            out.skip(format!("{name} cannot be loaded even by itself"));
            continue;
        }
        let first = [own.as_slice(), &[other.as_os_str()]].concat();
        let last = [&[other.as_os_str()], own.as_slice()].concat();
        for (order, how) in [(first, "before"), (last, "after")] {
            let done = load(&order)?;
            if done.success() {
                together += 1;
                continue;
            }
            let file =
                stack.named("libamd_comgr.so").next().map(|library| library.file.clone()).unwrap_or_default();
            let what = format!("HIP's libraries loaded {how} {name}: {}", done.story());
            let common = row(&name).is_some_and(|(_, common)| *common);
            let finding = if common { out.fail(what) } else { out.warn(what) };
            finding
                .file(file)
                .means("programs that use HIP beside OpenGL, OpenCL or another LLVM abort at start")
                .fix("link comgr to LLVM's shared library, or hide LLVM's symbols in it (-Wl,--exclude-libs,ALL)");
        }
    }
    let alone = stack.run(stack.command(&program).args(&own))?;
    if alone.success() {
        out.pass(format!(
            "{} load together; in {together} orders with {} other libraries",
            own.join(" and "),
            others.len()
        ));
    } else {
        let library = stack.named("libamd_comgr.so").chain(stack.named("libamdhip64.so")).next();
        out.fail(format!("{} do not load together: {}", own.join(" and "), alone.story()))
            .file(library.map(|library| library.file.clone()).unwrap_or_default());
    }
    Ok(())
}
