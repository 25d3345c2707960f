//! Code objects inside the stack's libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use code_object::{AbiVersion, CodeObject, Entry, Image, OffloadKind};

use crate::elf;
use crate::stack::{Stack, file_name};
use crate::verdict::Findings;

/// The section of ELF files with offload bundles.
const SECTION: &[u8] = b".hip_fatbin";

/// The section that points to them, for the runtime.
const REGISTERED: &[u8] = b".hipFatBinSegment";

/// Calls `with` for each entry with device code in the library.
fn for_entries(file: &Path, mut with: impl FnMut(&Entry<'_>)) -> anyhow::Result<usize> {
    use object::Endianness;
    use object::elf::FileHeader64;
    use object::read::elf::{FileHeader, SectionHeader};
    let bytes = elf::read(file)?;
    let header = FileHeader64::<Endianness>::parse(&*bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, &*bytes)?;
    let mut bundles = 0;
    let named = |name: &[u8]| {
        sections.iter().any(|section| sections.section_name(endian, section).is_ok_and(|n| n == name))
    };
    anyhow::ensure!(
        !named(REGISTERED) || named(SECTION),
        "{} registers device code and has none: its section .hip_fatbin was removed",
        file.display()
    );
    for section in
        sections.iter().filter(|section| sections.section_name(endian, section).is_ok_and(|n| n == SECTION))
    {
        let mut rest = section.data(endian, &*bytes)?;
        while !rest.is_empty() {
            let image = Image::parse(rest).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
            bundles += 1;
            image.entries().iter().filter(|entry| entry.id.kind() == OffloadKind::Hip).for_each(&mut with);
            // Bundles are aligned to pages; what lies between is zero.
            rest = rest.get(image.extent().max(1)..).unwrap_or_default();
            let zeros = rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
            rest = &rest[zeros..];
        }
    }
    Ok(bundles)
}

/// Check 17: targets.
pub fn targets(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let mut with_code: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for library in &stack.libraries {
        let mut targets = BTreeSet::new();
        let bundles = for_entries(&library.file, |entry| {
            targets.extend(entry.id.target().map(|target| target.processor().to_owned()));
        });
        match bundles {
            Ok(0) => {}
            Ok(_) => {
                with_code.insert(library.file.clone(), targets);
            }
            Err(error) => {
                out.fail(format!("the device code cannot be read: {error:#}"))
                    .file(&library.file)
                    .means("no kernel of this library can run")
                    .fix("build and strip it again: strip must keep .hip_fatbin");
            }
        }
    }
    if with_code.is_empty() && !out.any_failed() {
        out.skip("no library with device code is installed");
    }
    for (file, targets) in with_code {
        let list = targets.iter().cloned().collect::<Vec<_>>().join(" ");
        let covers = |wanted: &String| {
            targets.contains(wanted)
                || targets.iter().any(|t| code_object::generic_members(t).contains(&wanted.as_str()))
        };
        let missing: Vec<_> = stack.targets.iter().filter(|wanted| !covers(wanted)).cloned().collect();
        if missing.is_empty() {
            out.pass(format!("{} has code for {list}", file_name(&file))).file(&file);
        } else {
            out.fail(format!("{} has no code for {}, only for {list}", file_name(&file), missing.join(" ")))
                .file(&file)
                .means("its first kernel fails on those cards")
                .fix("build it with the distribution's whole list in AMDGPU_TARGETS");
        }
    }
    Ok(())
}

/// The newest code object version that a ROCr of a release loads: version, and the symbol or string that shows it.
fn newest_abi(stack: &Stack) -> u32 {
    // ROCr's loader knows version 6 when it knows generic processors.
    let knows_generic = stack.named("libhsa-runtime64.so").any(|library| {
        elf::read(&library.file).is_ok_and(|bytes| elf::position(&bytes, b"gfx9-generic").is_some())
    });
    if knows_generic { 6 } else { 5 }
}

/// Check 18: code objects.
pub fn objects(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let newest = newest_abi(stack);
    let mut files = 0;
    for library in &stack.libraries {
        let (mut count, mut wrong) = (0, Vec::new());
        let read = for_entries(&library.file, |entry| {
            if entry.bytes.is_empty() {
                return;
            }
            count += 1;
            wrong.extend(judge(entry, newest));
        });
        if let Err(error) = read {
            wrong.push(format!("{error:#}"));
        }
        files += usize::from(count > 0);
        wrong.sort();
        wrong.dedup();
        for what in wrong.iter().take(5) {
            out.fail(format!("{}: {what}", file_name(&library.file)))
                .file(&library.file)
                .means("the runtime refuses the kernel, or runs code for another card")
                .fix("build it again with the installed compiler");
        }
        if count > 0 && wrong.is_empty() {
            out.pass(format!(
                "{}: {count} code objects are what their bundles say",
                file_name(&library.file)
            ));
        }
    }
    if files == 0 && !out.any_failed() {
        out.skip("no library with device code is installed");
    }
    Ok(())
}

/// What is wrong with a code object, if anything.
fn judge(entry: &Entry<'_>, newest: u32) -> Option<String> {
    let id = &entry.id;
    let object = match CodeObject::parse(&entry.bytes) {
        Ok(object) => object,
        Err(error) => return Some(format!("{id} is no code object: {error}")),
    };
    let AbiVersion(_) = object.abi_version();
    let version = object.abi_version().code_object_version();
    if id.target().is_none_or(|target| target.processor() != object.target().processor()) {
        return Some(format!("{id} holds code for {}", object.target()));
    }
    (version > newest)
        .then(|| format!("{id} has code object version {version}, the installed ROCr loads up to {newest}"))
}
