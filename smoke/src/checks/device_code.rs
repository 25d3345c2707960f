//! Code objects inside the stack's libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use code_object::{AbiVersion, CodeObject, Entry, Image, OffloadKind};

use crate::component::COMPONENTS;
use crate::elf;
use crate::stack::{Library, Stack, file_name};
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
        anyhow::ensure!(!rest.is_empty(), "{} has an empty section .hip_fatbin", file.display());
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

/// Ends of names of files that have device code and nothing else.
const KERNEL_FILES: &[&str] = &["co", "hsaco"];

/// How deep below a library's folder they lie: rocblas/4.0.0/library/*.hsaco.
const DEPTH: u32 = 3;

/// Files with device code that belong together: all of one folder, of which each may be for another processor.
struct Holder {
    /// What it is called: the library, or the folder.
    name: String,
    files: Vec<PathBuf>,
}

/// The stack's libraries, and the folders of kernels that they read at run time.
fn holders(stack: &Stack) -> Vec<Holder> {
    let library =
        |library: &Library| Holder { name: file_name(&library.file), files: vec![library.file.clone()] };
    let mut all: Vec<_> = stack.libraries.iter().map(library).collect();
    let mut folders: Vec<(PathBuf, u32)> = Vec::new();
    for component in COMPONENTS.iter().filter(|component| !component.libraries.is_empty()) {
        folders.extend(stack.folders.iter().map(|folder| (folder.join(component.name), 0)));
    }
    while let Some((folder, depth)) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let (below, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        if depth < DEPTH {
            folders.extend(below.into_iter().map(|path| (path, depth + 1)));
        }
        files.retain(|path| path.extension().is_some_and(|e| KERNEL_FILES.iter().any(|end| e == *end)));
        files.sort();
        if !files.is_empty() {
            all.push(Holder { name: folder.display().to_string(), files });
        }
    }
    all
}

/// Calls `with` for each entry of a library, or of a file that is nothing but device code.
fn for_code(file: &Path, with: impl FnMut(&Entry<'_>)) -> anyhow::Result<usize> {
    if !file.extension().is_some_and(|e| KERNEL_FILES.iter().any(|end| e == *end)) {
        return for_entries(file, with);
    }
    let bytes = elf::read(file)?;
    let image = Image::parse(&bytes).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    image.entries().iter().for_each(with);
    Ok(1)
}

/// Check 17: targets.
pub fn targets(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let mut with_code: BTreeMap<String, (PathBuf, BTreeSet<String>)> = BTreeMap::new();
    for holder in holders(stack) {
        for file in &holder.files {
            let mut targets = BTreeSet::new();
            let bundles = for_code(file, |entry| {
                targets.extend(entry.id.target().map(|target| target.processor().to_owned()));
            });
            match bundles {
                Ok(0) => {}
                Ok(_) => {
                    let entry = with_code.entry(holder.name.clone());
                    entry.or_insert_with(|| (file.clone(), BTreeSet::new())).1.extend(targets);
                }
                Err(error) => {
                    out.fail(format!("the device code cannot be read: {error:#}"))
                        .file(file)
                        .means("no kernel of this library can run")
                        .fix("build and strip it again: strip must keep .hip_fatbin");
                }
            }
        }
    }
    if with_code.is_empty() && !out.any_failed() {
        out.skip("no library with device code is installed");
    }
    for (name, (file, targets)) in with_code {
        let list = targets.iter().cloned().collect::<Vec<_>>().join(" ");
        let covers = |wanted: &String| {
            targets.contains(wanted)
                || targets.iter().any(|t| code_object::generic_members(t).contains(&wanted.as_str()))
        };
        let missing: Vec<_> = stack.targets.iter().filter(|wanted| !covers(wanted)).cloned().collect();
        if missing.is_empty() {
            out.pass(format!("{name} has code for {list}")).file(&file);
        } else {
            out.fail(format!("{name} has no code for {}, only for [{list}]", missing.join(" ")))
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
    for Holder { name, files: of_holder } in holders(stack) {
        let (mut count, mut wrong) = (0, BTreeSet::new());
        for file in &of_holder {
            let read = for_code(file, |entry| {
                count += 1;
                wrong.extend(judge(entry, newest).map(|what| (what, file)));
            });
            if let Err(error) = read {
                wrong.insert((format!("{error:#}"), file));
            }
        }
        files += usize::from(count > 0);
        for (what, file) in wrong.iter().take(5) {
            out.fail(format!("{}: {what}", file_name(file)))
                .file(*file)
                .means("the runtime refuses the kernel, or runs code for another card")
                .fix("build it again with the installed compiler");
        }
        if count > 0 && wrong.is_empty() {
            out.pass(format!("{name}: {count} code objects are what their bundles say"));
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
