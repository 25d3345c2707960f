//! Numbers, sizes and symbols, against the bindings of this project.

use std::collections::BTreeSet;

use hip_sys::abi::{self, Version};
use hip_sys::exports::not_exported;
use hip_sys::{FUNCTIONS, Library, RELEASES};

use crate::stack::{Stack, file_name};
use crate::verdict::Findings;

/// Prints `name size` lines.
const PROBE: &str = include_str!("../../programs/abi.hip");

/// Check 30: exported symbols, and sizes of structures that moved between releases.
pub fn symbols(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(library) = stack.named("libamdhip64.so").next() else {
        out.skip("libamdhip64 is not installed");
        return Ok(());
    };
    let probe = stack.compile("abi", PROBE, &[]);
    let sizes = match probe {
        Ok(program) => stack.run(&mut stack.command(&program))?,
        Err(why) => {
            out.skip(format!("the release of the headers is not known: {why}"));
            return Ok(());
        }
    };
    let value = |name: &str| {
        let mut words = sizes.output.lines().filter_map(|line| line.split_once(' '));
        words.find(|(key, _)| *key == name).and_then(|(_, value)| value.trim().parse::<u32>().ok())
    };
    let (Some(major), Some(minor)) = (value("major"), value("minor")) else {
        anyhow::bail!("the probe of the ABI printed no version: {}", sizes.story());
    };
    let version = Version::new(major, minor);
    exports(stack, (major, minor), library, out);
    let expected = |(name, moved, before, after): &(&'static str, abi::Fact, u32, u32)| {
        (*name, if moved.holds(version) { *after } else { *before })
    };
    let all: Vec<(&str, u32)> = MOVED.iter().map(expected).chain(FIXED.iter().copied()).collect();
    for (name, expected) in &all {
        match value(name) {
            Some(number) if number == *expected => {}
            number => {
                let number = number.map_or("unknown".to_owned(), |number| number.to_string());
                out.fail(format!(
                    "{name} is {number} in the headers of {major}.{minor}, {expected} was expected"
                ))
                .file(&library.file)
                .means("programs in other languages pass structures of another size, and other numbers")
                .fix("headers and library must be of one release");
            }
        }
    }
    if !out.any_failed() {
        out.pass(format!("{} sizes and numbers are those of HIP {major}.{minor}", all.len()));
    }
    Ok(())
}

/// Numbers of enums that stay, as the bindings have them.
const FIXED: &[(&str, u32)] = &[
    ("hipErrorNoBinaryForGpu", hip_sys::hipErrorNoBinaryForGpu.0),
    ("hipErrorNoDevice", hip_sys::hipErrorNoDevice.0),
    ("hipMemcpyDefault", hip_sys::hipMemcpyDefault.0),
    ("hipDeviceAttributeWarpSize", hip_sys::hipDeviceAttributeWarpSize.0),
    ("hipDeviceAttributeComputeCapabilityMajor", hip_sys::hipDeviceAttributeComputeCapabilityMajor.0),
];

/// What moved: name in the probe, the fact, size of a structure or number of an enum before and after.
const MOVED: &[(&str, abi::Fact, u32, u32)] = &[
    ("hipMemoryTypeHost", abi::MEMORY_TYPE, abi::v5_0::hipMemoryTypeHost.0, abi::v6_0::hipMemoryTypeHost.0),
    (
        "hipMemoryTypeDevice",
        abi::MEMORY_TYPE,
        abi::v5_0::hipMemoryTypeDevice.0,
        abi::v6_0::hipMemoryTypeDevice.0,
    ),
    ("hipGraphNodeTypeKernel", abi::GRAPH_NODE_TYPE, 1, 0),
    ("hipDeviceProp_t", abi::DEVICE_PROP_R0600, 792, 1472),
    ("HIP_MEMCPY3D", abi::MEMCPY3D, 128, 184),
    ("hipExternalMemoryHandleDesc", abi::EXTERNAL_MEMORY_HANDLE_DESC, 40, 104),
    ("hipExternalSemaphoreHandleDesc", abi::EXTERNAL_SEMAPHORE_HANDLE_DESC, 32, 96),
];

fn exports(stack: &Stack, (major, minor): (u32, u32), library: &crate::stack::Library, out: &mut Findings) {
    let prefix = format!("{major}.{minor}.");
    let Some(release) = RELEASES.iter().find(|release| format!("{release}.").starts_with(&prefix)) else {
        out.skip(format!("the bindings know no HIP {major}.{minor}, only {}", RELEASES.join(", ")));
        return;
    };
    let mut exported: BTreeSet<&str> = BTreeSet::new();
    for library in stack.named("libamdhip64.so").chain(stack.named("libhiprtc.so")) {
        exported.extend(library.elf.iter().flat_map(|elf| elf.exports.iter().map(String::as_str)));
    }
    let has_hiprtc = exported.contains("hiprtcCreateProgram");
    let mut missing = Vec::new();
    let mut count = 0;
    for function in FUNCTIONS.iter().filter(|function| function.releases.contains(release)) {
        if function.library == Library::Hiprtc && !has_hiprtc {
            continue;
        }
        count += 1;
        let found =
            function.spellings.iter().any(|name| name.to_str().is_ok_and(|name| exported.contains(name)));
        if !found && !not_exported(release, function.name) {
            missing.push(function.name);
        }
    }
    if missing.is_empty() {
        out.pass(format!(
            "{} exports the {count} functions that {release} declares",
            file_name(&library.file)
        ));
    } else {
        out.fail(format!(
            "{} lacks {} of the functions that {release} declares: {}",
            file_name(&library.file),
            missing.len(),
            missing.join(", ")
        ))
        .file(&library.file)
        .means("programs that use them do not link or do not start")
        .fix("headers and library must be of one release");
    }
}
