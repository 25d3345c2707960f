//! comgr and hiprtc: compilers inside the runtime.

use crate::stack::{LIMIT, Stack};
use crate::verdict::Findings;

/// Check 12: comgr.
pub fn comgr(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(library) = stack.named("libamd_comgr.so").next() else {
        out.skip("libamd_comgr is not installed");
        return Ok(());
    };
    let soname = library.elf.as_ref().ok().and_then(|elf| elf.soname.clone()).unwrap_or_default();
    let Some(program) = host_program(stack, "comgr", include_str!("../../programs/comgr.c"), out)? else {
        return Ok(());
    };
    let done = stack.run(stack.command(&program).arg(&soname).arg(stack.target()))?;
    if done.success() && done.output.contains("nothing is compiled") {
        out.pass(format!("{soname} lists {}", stack.target()));
        out.skip("comgr's header is not installed: nothing was compiled with it");
    } else if done.success() {
        out.pass(format!("{soname} lists {} and compiles OpenCL for it", stack.target()));
    } else {
        out.fail(format!("{soname}: {}", done.story()))
            .file(&library.file)
            .means("HIP cannot compile its own kernels; OpenCL compiles nothing")
            .fix("build comgr with the LLVM and device libraries that are installed");
    }
    Ok(())
}

/// Compiles a C program that opens its libraries at run time, with clang or the system's compiler.
pub fn host_program(
    stack: &Stack,
    name: &str,
    source: &str,
    out: &mut Findings,
) -> anyhow::Result<Option<std::path::PathBuf>> {
    let compiler = stack.clang("clang").or_else(|| stack.program("cc")).or_else(|| stack.program("gcc"));
    let Some(compiler) = compiler else {
        out.skip("there is no C compiler for the test program");
        return Ok(None);
    };
    let file = stack.write(&format!("{name}.c"), source)?;
    let output = stack.work().join(name);
    let done = stack.run(
        stack.command(&compiler).arg("-O1").arg(&file).arg("-o").arg(&output).args(["-ldl", "-lpthread"]),
    )?;
    if !done.success() {
        out.error(format!("the test program {name} does not compile: {}", done.story()))
            .file(&compiler)
            .fix("install a C compiler with its libraries (libc6-dev on Debian)");
        return Ok(None);
    }
    Ok(Some(output))
}

/// Check 13: hiprtc.
pub fn hiprtc(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let library = stack.named("libhiprtc.so").next().or_else(|| stack.named("libamdhip64.so").next());
    let Some(library) = library else {
        out.skip("neither libhiprtc nor libamdhip64 is installed");
        return Ok(());
    };
    let soname = library.elf.as_ref().ok().and_then(|elf| elf.soname.clone()).unwrap_or_default();
    let Some(program) = host_program(stack, "hiprtc", include_str!("../../programs/hiprtc.c"), out)? else {
        return Ok(());
    };
    for case in ["compile", "name", "log"] {
        let done = stack.run(stack.command(&program).arg(&soname).arg(stack.target()).arg(case))?;
        if done.success() {
            out.pass(format!("hiprtc: {case}"));
        } else {
            let what = format!("hiprtc ({case}, in {soname}): {}", done.story());
            out.fail(what).file(&library.file).means("programs that compile kernels at run time fail").fix(
                format!(
                    "check that comgr and hiprtc's built-ins are of this release (the limit was {} s)",
                    LIMIT.as_secs()
                ),
            );
        }
    }
    Ok(())
}
