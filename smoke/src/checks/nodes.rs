//! The device, as the kernel and its lowest users show it.

use std::path::Path;

use super::runtime_compiler::host_program;
use crate::stack::{Device, Stack};
use crate::verdict::Findings;

/// Opens the files that are its arguments and prints errno of each.
const OPENER: &str = include_str!("../../programs/open.c");

/// What an errno of `open` on a device file means, and the cure.
const ERRORS: &[(i32, &str, &str)] = &[
    (
        libc::ENOENT,
        "the driver is not loaded, or the container was not given the file",
        "load amdgpu, or start the container with --device",
    ),
    (
        libc::EACCES,
        "this user may not open it",
        "add the user to the file's group (render or video), and log in again",
    ),
    (libc::EPERM, "the container's rules forbid it", "allow the device in the container's device cgroup"),
    (libc::ENOMEM, "the driver has no memory for another process", "end processes that use the card"),
    (
        libc::EINVAL,
        "the card is disabled, or the driver failed to initialise it",
        "read the kernel log for kfd and amdgpu",
    ),
    (libc::ENODEV, "the driver is loaded and has no card", "read the kernel log for amdgpu"),
    (libc::ENXIO, "the driver is loaded and has no card", "read the kernel log for amdgpu"),
];

/// Check 21: device files.
pub fn device_files(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(program) = host_program(stack, "open", OPENER, out)? else { return Ok(()) };
    let done = stack.run(stack.on_device(&program).args(["/dev/kfd", "/dev/dri/renderD128"]))?;
    for line in done.output.lines() {
        let Some((path, errno)) = line.split_once(' ') else { continue };
        match errno.trim().parse::<i32>() {
            Ok(0) => {
                let which = if matches!(stack.device, Device::Virtual(_)) { " (virtual)" } else { "" };
                out.pass(format!("{path} opens{which}"));
            }
            Ok(errno) => {
                let known = ERRORS.iter().find(|(number, _, _)| *number == errno);
                let (why, fix) = known.map_or(("", "read the kernel log"), |(_, why, fix)| (*why, *fix));
                let text = std::io::Error::from_raw_os_error(errno);
                out.fail(format!("{path} does not open: {text}: {why}"))
                    .file(Path::new(path))
                    .means("no program sees the card")
                    .fix(fix);
            }
            Err(_) => {}
        }
    }
    if !done.success() && !out.any_failed() {
        out.error(format!("the program that opens device files: {}", done.story()));
    }
    Ok(())
}

/// Check 22: the thunk.
pub fn thunk(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(library) = stack.named("libhsakmt.so").next() else {
        out.skip("there is no libhsakmt: newer ROCr have it inside, see the check `rocr`");
        return Ok(());
    };
    let soname = library.elf.as_ref().ok().and_then(|elf| elf.soname.clone()).unwrap_or_default();
    let Some(program) = host_program(stack, "thunk", include_str!("../../programs/thunk.c"), out)? else {
        return Ok(());
    };
    let done = stack.run(stack.on_device(&program).arg(&soname))?;
    if done.success() {
        out.pass(format!("{soname}: {}", done.output.trim()));
    } else {
        out.fail(format!("{soname}: {}", done.story()))
            .file(&library.file)
            .means("nothing above it sees a card")
            .fix("the thunk must be of a release that knows this driver's interface");
    }
    Ok(())
}

/// Check 23: rocminfo and rocm_agent_enumerator.
pub fn agents(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    for name in ["rocminfo", "rocm_agent_enumerator"] {
        let Some(program) = stack.program(name) else {
            out.skip(format!("{name} is not installed"));
            continue;
        };
        let done = stack.run(&mut stack.on_device(&program))?;
        let lists = names_gpu(&done.output, matches!(stack.device, Device::Virtual(_)));
        if done.success() && lists {
            out.pass(format!("{name} lists the GPU"));
        } else {
            let how = if done.success() { "it lists no GPU".to_owned() } else { done.story() };
            out.fail(format!("{name}: {how}"))
                .file(&program)
                .means("users cannot see whether their card works; hipcc does not find its target")
                .fix("rocminfo needs lsmod (kmod) and ROCr; rocm_agent_enumerator needs Python");
        }
    }
    Ok(())
}

/// Whether a list of agents names a GPU: the virtual one is a gfx900; gfx000 stands for a CPU.
fn names_gpu(text: &str, is_virtual: bool) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| match is_virtual {
        true => word == "gfx900",
        false => word.len() > 3 && word.starts_with("gfx") && word != "gfx000",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_a_gpu_names_none() {
        assert!(names_gpu("gfx000\ngfx900\n", true) && names_gpu("gfx000\ngfx1030\n", false));
        assert!(names_gpu("  Name:                    gfx1100\n", false));
        assert!(names_gpu("Name: amdgcn-amd-amdhsa--gfx900:xnack-", true));
        assert!(!names_gpu("gfx000\n", true) && !names_gpu("gfx000\n", false));
        assert!(!names_gpu("gfx9000", true) && !names_gpu("no gfx at all", false) && !names_gpu("", false));
    }
}
