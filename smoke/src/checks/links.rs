//! What the dynamic linker sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::component::{self, COMPONENTS};
use crate::elf::{self, Elf};
use crate::stack::{Stack, file_name};
use crate::verdict::Findings;

/// Check 1: DT_NEEDED and DT_RUNPATH.
pub fn needed(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let mut files = 0;
    let mut others = BTreeSet::new();
    for library in &stack.libraries {
        files += 1;
        match &library.elf {
            Ok(elf) => {
                judge_runpath(&library.file, elf, out);
                others.extend(resolve(stack, &library.file, elf, out));
            }
            Err(why) => {
                out.fail(format!("{} cannot be loaded: {why}", file_name(&library.file)))
                    .file(&library.file)
                    .means("every program that links to it fails at start")
                    .fix("install the package again; if it stays so, the build or the stripping damaged the file");
            }
        }
    }
    for name in COMPONENTS.iter().flat_map(|component| component.programs) {
        let Some(program) = stack.program(name).filter(|program| elf::is_elf(program)) else { continue };
        files += 1;
        match Elf::open(&program) {
            Ok(elf) => {
                judge_runpath(&program, &elf, out);
                others.extend(resolve(stack, &program, &elf, out));
            }
            Err(why) => {
                out.fail(format!("{name} is damaged: {why:#}"))
                    .file(&program)
                    .fix("install the package again");
            }
        }
    }
    let others = of_others(stack, others, out);
    if files == 0 {
        out.error("no library and no program of ROCm is installed here")
            .fix("install at least the HIP runtime, for example libamdhip64-dev and hipcc on Debian");
    } else if !out.any_failed() {
        out.pass(format!(
            "{files} files and the {others} libraries of others behind them find everything that they link to"
        ));
    }
    Ok(())
}

/// The libraries of other packages that are loaded with the stack, down to the C library: each must be whole and find
/// its own. How many there are.
fn of_others(stack: &Stack, mut waiting: BTreeSet<PathBuf>, out: &mut Findings) -> usize {
    let own: BTreeSet<&Path> = stack.libraries.iter().map(|library| library.file.as_path()).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop_first() {
        let file = path.canonicalize().unwrap_or(path);
        if own.contains(file.as_path()) || !seen.insert(file.clone()) {
            continue;
        }
        match Elf::linked(&file) {
            Ok(elf) => waiting.extend(resolve(stack, &file, &elf, out)),
            Err(why) => {
                out.fail(format!("{} cannot be loaded: {why:#}", file_name(&file)))
                    .file(&file)
                    .means("every program of ROCm that loads it fails at start")
                    .fix("install its package again");
            }
        }
    }
    seen.len()
}

/// The folders of DT_RUNPATH, as it stands there and as it is meant.
fn runpath<'a>(file: &Path, elf: &'a Elf) -> Vec<(&'a str, PathBuf)> {
    let origin = file.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    let meant = |entry: &String| entry.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", &origin);
    elf.runpath.iter().map(|entry| (entry.as_str(), PathBuf::from(meant(entry)))).collect()
}

/// A RUNPATH that leads out of the installed system.
fn judge_runpath(file: &Path, elf: &Elf, out: &mut Findings) {
    for (entry, folder) in runpath(file, elf) {
        if !folder.is_dir() && folder.is_absolute() && !entry.contains("ORIGIN") {
            out.fail(format!("{} has a RUNPATH to {entry}, which does not exist", file_name(file)))
                .file(file)
                .means("libraries are looked for in a folder that anybody may create: usually the build tree")
                .fix("build with CMAKE_SKIP_INSTALL_RPATH=ON, or remove it with chrpath -d");
        }
    }
}

/// Where the file finds what it links to.
fn resolve(stack: &Stack, file: &Path, elf: &Elf, out: &mut Findings) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let runpath: Vec<PathBuf> = runpath(file, elf).into_iter().map(|(_, folder)| folder).collect();
    for name in &elf.needed {
        if let Some(path) = stack.resolve(name, &runpath) {
            found.push(path);
        } else {
            out.fail(format!("{} needs {name}, which is not installed", file_name(file)))
                .file(file)
                .means("every program that links to it fails at start")
                .fix(format!("the package must depend on the one that has {name}"));
        }
    }
    found
}

/// Check 2: sonames, development links, one provider each, symbol versions.
pub fn sonames(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let mut providers: BTreeMap<&str, BTreeSet<&Path>> = BTreeMap::new();
    for library in &stack.libraries {
        let Ok(elf) = &library.elf else { continue };
        let Some(soname) = &elf.soname else {
            out.fail(format!("{} has no soname", file_name(&library.file)))
                .file(&library.file)
                .fix("link it with -Wl,-soname");
            continue;
        };
        providers.entry(soname).or_default().insert(&library.file);
        let beside = library.file.with_file_name(soname);
        let found = beside.canonicalize().ok().or_else(|| stack.resolve(soname, &[])?.canonicalize().ok());
        if found.as_deref() != Some(&library.file)
            && !stack.libraries.iter().any(|other| Some(&other.file) == found.as_ref())
        {
            out.fail(format!(
                "{} calls itself {soname}, and nothing of that name leads to it",
                file_name(&library.file)
            ))
            .file(&library.file)
            .means("programs that were linked to it do not start")
            .fix(format!("ship the symbolic link {}", beside.display()));
        }
    }
    for (soname, files) in providers.iter().filter(|(_, files)| files.len() > 1) {
        let list = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" and ");
        let first = files.first().copied().unwrap_or(Path::new("/"));
        out.fail(format!("{soname} has two providers: {list}"))
            .file(first)
            .means(
                "which one a program gets depends on the order of folders; two copies in one process crash",
            )
            .fix("remove one of them");
    }
    wrong_links(stack, out);
    versions(stack, &providers, out);
    if !out.any_failed() {
        match providers.len() {
            0 => out.skip("no library of ROCm is installed here"),
            n => out.pass(format!("{n} sonames, each with one provider and the versions that others want")),
        };
    }
    Ok(())
}

/// Links that lead nowhere, or to another library.
fn wrong_links(stack: &Stack, out: &mut Findings) {
    for folder in &stack.folders {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = file_name(&path);
            let Some(start) = component::library_of(&name) else { continue };
            let Ok(target) = fs::read_link(&path) else { continue };
            let soname = path.canonicalize().ok().and_then(|file| {
                let library = stack.libraries.iter().find(|library| library.file == file)?;
                library.elf.as_ref().ok()?.soname.as_deref()
            });
            if !path.exists() {
                out.fail(format!("{} leads to {}, which does not exist", path.display(), target.display()))
                    .file(&path)
                    .means("programs do not start, or do not link")
                    .fix("the package with the link must depend on the one with the library, of the same version");
            } else if let Some(soname) = soname.filter(|soname| !component::is_library(soname, start)) {
                out.fail(format!("{} leads to {}, which is {soname}", path.display(), target.display()))
                    .file(&path)
                    .means("programs link to one library and load another")
                    .fix("let the link lead to the library of its name");
            }
        }
    }
}

fn versions(stack: &Stack, providers: &BTreeMap<&str, BTreeSet<&Path>>, out: &mut Findings) {
    let defined: BTreeMap<&str, &BTreeSet<String>> = stack
        .libraries
        .iter()
        .filter_map(|library| library.elf.as_ref().ok())
        .filter_map(|elf| Some((elf.soname.as_deref()?, &elf.defines)))
        .collect();
    for library in &stack.libraries {
        let Ok(elf) = &library.elf else { continue };
        for (wanted, version) in &elf.requires {
            let Some(defines) = defined.get(wanted.as_str()) else { continue };
            if providers.contains_key(wanted.as_str()) && !defines.contains(version) {
                out.fail(format!(
                    "{} wants {version} of {wanted}, which does not define it",
                    file_name(&library.file)
                ))
                .file(&library.file)
                .means("programs fail at start with a version error")
                .fix("build both from the same release");
            }
        }
    }
}

/// A library that another one opens at run time.
struct Opened {
    by: &'static str,
    /// As it stands in the opener's strings, without the version.
    name: &'static str,
    required: bool,
    meaning: &'static str,
}

const OPENED: &[Opened] = &[
    Opened {
        by: "libamdhip64.so",
        name: "libamd_comgr.so",
        required: true,
        meaning: "HIP cannot compile its own kernels: the first copy between device buffers or fill fails",
    },
    Opened {
        by: "libamdhip64.so",
        name: "libhiprtc-builtins.so",
        required: true,
        meaning: "hiprtc compiles without HIP's headers: every program that includes nothing fails",
    },
    Opened {
        by: "libhiprtc.so",
        name: "libhiprtc-builtins.so",
        required: true,
        meaning: "hiprtc compiles without HIP's headers: every program that includes nothing fails",
    },
    Opened {
        by: "libhsa-runtime64.so",
        name: "libhsa-amd-aqlprofile64.so",
        required: false,
        meaning: "profilers get no hardware counters",
    },
];

/// Check 3: libraries that are opened at run time.
pub fn opened(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    for row in OPENED {
        for opener in stack.named(row.by) {
            let names = elf::strings_with(&elf::read(&opener.file)?, row.name);
            let names: Vec<_> = names.iter().filter(|name| component::is_library(name, row.name)).collect();
            let linked = opener
                .elf
                .as_ref()
                .is_ok_and(|elf| elf.needed.iter().any(|n| component::is_library(n, row.name)));
            let by = file_name(&opener.file);
            if linked {
                out.pass(format!("{by} links to {}: see the check `links`", row.name));
            }
            if names.is_empty() || linked {
                continue;
            }
            match names.iter().find_map(|name| stack.resolve(name, &[])) {
                Some(found) => {
                    out.pass(format!("{by} opens {}", found.display()));
                }
                None => {
                    let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" or ");
                    let what = format!("{by} opens {list} at run time, which is not installed");
                    let finding = if row.required { out.fail(what) } else { out.skip(what) };
                    let fix = format!(
                        "the package must depend on the one that has {list}: no tool sees it by itself"
                    );
                    finding.file(&opener.file).means(row.meaning).fix(fix);
                }
            }
        }
    }
    if stack.named("libamdhip64.so").next().is_none() {
        out.skip("libamdhip64 is not installed");
    }
    Ok(())
}
