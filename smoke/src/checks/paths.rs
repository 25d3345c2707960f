//! Places that programs, variables and configuration files name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::compiling;
use crate::stack::{Stack, file_name};
use crate::verdict::Findings;

/// What hipconfig prints as `NAME : path`; without the first group nothing compiles.
const ESSENTIAL: &[&str] = &["HIP_PATH", "ROCM_PATH", "HIP_CLANG_PATH"];

/// Check 4: the paths that hipconfig prints.
pub fn hipconfig(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(program) = stack.program("hipconfig") else {
        out.skip("hipconfig is not installed");
        return Ok(());
    };
    let done = stack.run(stack.command(&program).arg("--full"))?;
    if !done.success() {
        out.fail(format!("hipconfig --full: {}", done.story()))
            .file(&program)
            .means("build systems stop at configuring");
        return Ok(());
    }
    let mut good = 0;
    for (name, path) in printed_paths(&done.output) {
        if path.exists() {
            good += 1;
            continue;
        }
        let what = format!("hipconfig prints {name} {}, which does not exist", path.display());
        if ESSENTIAL.contains(&name.as_str()) {
            out.fail(what)
                .file(&program)
                .means("build systems look for HIP where it is not")
                .fix("patch the default in hipconfig, or set the variable in the package");
        } else {
            out.warn(what)
                .file(&program)
                .means("an include folder that is not there is ignored")
                .fix("patch the default in hipconfig");
        }
    }
    match good {
        0 => out.fail("hipconfig --full prints no path that exists").file(&program),
        n => out.pass(format!("{n} paths that hipconfig prints exist")),
    };
    let Some(header) = stack.header("hip/hip_version.h") else { return Ok(()) };
    let told = stack.run(stack.command(&program).arg("--version"))?.output.trim().to_owned();
    let declared = header_version(&fs::read_to_string(&header).unwrap_or_default());
    match declared {
        Some(declared) if told == declared || told.starts_with(&format!("{declared}.")) => {
            out.pass(format!("hipconfig and the headers are of release {declared}"));
        }
        _ => {
            let declared = declared.unwrap_or("no version".to_owned());
            out.fail(format!("hipconfig --version says {told:?}, {} says {declared}", header.display()))
                .file(&program)
                .means("build systems choose by a version that is not the one they compile with")
                .fix("build hipcc and HIP from one release");
        }
    }
    Ok(())
}

/// `major.minor` of HIP's header of versions.
fn header_version(text: &str) -> Option<String> {
    let value = |name: &str| {
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.find_map(|words| {
            (words.get(..2)? == ["#define", name]).then(|| words.get(2).copied())?.map(str::to_owned)
        })
    };
    Some(format!("{}.{}", value("HIP_VERSION_MAJOR")?, value("HIP_VERSION_MINOR")?))
}

/// `NAME : /path` lines, and the paths of -I, -isystem and -L.
fn printed_paths(text: &str) -> Vec<(String, PathBuf)> {
    let mut paths: Vec<(String, PathBuf)> = Vec::new();
    let mut add = |name: &str, path: &str| {
        let path = PathBuf::from(path.trim_matches('"'));
        if path.is_absolute() && !paths.iter().any(|(_, known)| *known == path) {
            paths.push((name.to_owned(), path));
        }
    };
    for line in text.lines().take_while(|line| !line.contains("Environment Variables")) {
        if let Some((name, value)) = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()))
            && name.ends_with("_PATH")
        {
            add(name, value);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            match *word {
                "-isystem" | "-I" | "-L" => add(word, words.get(at + 1).copied().unwrap_or_default()),
                _ => {
                    for option in ["-I", "-L"] {
                        add(option, word.strip_prefix(option).unwrap_or_default());
                    }
                }
            }
        }
    }
    paths
}

/// Variables that move the stack to another place.
const VARIABLES: &[&str] = &[
    "ROCM_PATH",
    "HIP_PATH",
    "HSA_PATH",
    "HIP_CLANG_PATH",
    "DEVICE_LIB_PATH",
    "HIP_DEVICE_LIB_PATH",
    "ROCM_HOME",
];

/// Those that every release of hipcc reads.
const POISONED: &[&str] = &["ROCM_PATH", "HIP_PATH", "HSA_PATH", "DEVICE_LIB_PATH"];

/// A kernel that needs HIP's header and a device library.
pub const KERNEL: &str =
    "#include <hip/hip_runtime.h>\n__global__ void f(float *x) { x[threadIdx.x] = sinf(x[threadIdx.x]); }\n";

/// Check 5: variables of the environment.
pub fn environment(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    for name in VARIABLES {
        // In another root this process's variables do not count.
        if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty())
            && stack.environment.is_empty()
            && !Path::new(&value).is_dir()
        {
            out.fail(format!("{name} is set to {}, which is no folder", value.to_string_lossy()))
                .means("programs look for the stack where it is not")
                .fix(format!("unset {name}, or remove the profile that sets it"));
        }
    }
    let Some(hipcc) = stack.program("hipcc") else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    let source = stack.write("environment.hip", KERNEL)?;
    let object = stack.work().join("environment.o");
    let compile = |poison: Option<&str>| -> anyhow::Result<Result<(), String>> {
        let _ = fs::remove_file(&object);
        let mut command = stack.command(&hipcc);
        VARIABLES.iter().for_each(|name| {
            command.env_remove(name);
        });
        if let Some(name) = poison {
            command.env(name, "/nonexistent/rocm");
        }
        command
            .arg(format!("--offload-arch={}", stack.target()))
            .arg("-c")
            .arg(&source)
            .arg("-o")
            .arg(&object);
        let done = stack.run(&mut command)?;
        Ok(if done.success() { Ok(()) } else { Err(done.story()) })
    };
    let wrong = || compiling::wrong(&object, stack.target());
    let plain = compile(None)?;
    if let Err(why) = plain.and_then(|()| wrong().map_or(Ok(()), Err)) {
        out.fail(format!("hipcc does not compile with none of {} set: {why}", VARIABLES.join(", ")))
            .file(&hipcc)
            .means("users must set variables before anything works")
            .fix("patch hipcc's defaults to where the packages put their files");
        return Ok(());
    }
    out.pass("hipcc compiles with no variable set");
    for name in POISONED {
        match compile(Some(name))?.map(|()| wrong()) {
            Ok(None) => {
                out.pass(format!("{name} set to a dead folder: hipcc compiles"));
            }
            Ok(Some(why)) => {
                out.fail(format!("{name} set to a dead folder: {why}")).file(&hipcc);
            }
            Err(_) => {
                out.pass(format!("{name} set to a dead folder: hipcc fails, as it should"));
            }
        }
    }
    Ok(())
}

/// Check 20: configuration that others read.
pub fn registrations(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let ids = ["/usr/share/libdrm/amdgpu.ids", "/opt/amdgpu/share/libdrm/amdgpu.ids"].map(PathBuf::from);
    match ids.iter().find(|path| path.is_file()) {
        Some(path)
            if fs::read_to_string(path).unwrap_or_default().lines().any(|line| line.starts_with("687F,")) =>
        {
            out.pass(format!("{} names cards", path.display()));
        }
        Some(path) => {
            out.fail(format!("{} does not know a Vega (687F)", path.display()))
                .file(path)
                .means("cards have no name")
                .fix("install libdrm's data again");
        }
        None if stack.resolve("libdrm_amdgpu.so.1", &[]).is_none() => {
            out.skip("libdrm is not installed");
        }
        None => {
            out.warn("there is no amdgpu.ids")
                .means("cards have no marketing name")
                .fix("install libdrm's data (libdrm-common on Debian)");
        }
    }
    for icd in folder_files("/etc/OpenCL/vendors", "icd") {
        let library = fs::read_to_string(&icd).unwrap_or_default().trim().to_owned();
        if library.is_empty() || stack.resolve(&library, &[]).is_none() {
            out.fail(format!("{} names {library}, which is not installed", icd.display()))
                .file(&icd)
                .means("OpenCL programs do not find this implementation")
                .fix("remove the file with the library");
        } else {
            out.pass(format!("{} leads to {library}", icd.display()));
        }
    }
    let snippets =
        folder_files("/etc/ld.so.conf.d", "conf").into_iter().chain(folder_files("/etc/profile.d", "sh"));
    for snippet in snippets.filter(|path| is_of_rocm(path)) {
        let text = fs::read_to_string(&snippet).unwrap_or_default();
        let dead = absolute_paths(&text).into_iter().find(|path| !path.exists());
        match dead {
            Some(path) => {
                out.fail(format!("{} names {}, which does not exist", snippet.display(), path.display()))
                    .file(&snippet)
                    .means("libraries and programs are looked for where they are not")
                    .fix("remove the file with the release that it belongs to");
            }
            None => {
                out.pass(format!("{} leads somewhere", snippet.display()));
            }
        }
    }
    device_rules(out);
    Ok(())
}

/// Folders of udev's rules, and the file that udev itself brings.
const RULES: &[&str] = &["/usr/lib/udev/rules.d", "/lib/udev/rules.d", "/etc/udev/rules.d"];
const OWN_RULES: &str = "50-udev-default.rules";

/// Who may open /dev/kfd where udev is installed.
fn device_rules(out: &mut Findings) {
    let mut files: Vec<PathBuf> = RULES.iter().flat_map(|folder| folder_files(folder, "rules")).collect();
    let mut seen = BTreeSet::new();
    files.retain(|file| file.canonicalize().is_ok_and(|real| seen.insert(real)));
    let groups = ["/etc/group", "/usr/lib/group"].map(|file| fs::read_to_string(file).unwrap_or_default());
    let exists = |group: &str| {
        let mut lines = groups.iter().flat_map(|text| text.lines());
        lines.any(|line| line.split(':').next() == Some(group))
    };
    let mut rules = 0;
    for file in &files {
        let text = fs::read_to_string(file).unwrap_or_default();
        for group in groups_of_kfd(&text) {
            rules += 1;
            if exists(&group) {
                out.pass(format!("{} gives /dev/kfd to the group {group}", file.display()));
            } else {
                out.fail(format!(
                    "{} gives /dev/kfd to the group {group}, which does not exist",
                    file.display()
                ))
                .file(file)
                .means("only root can use the card")
                .fix("create the group in the package with the rule");
            }
        }
    }
    if rules == 0 && files.iter().any(|file| file_name(file) == OWN_RULES) {
        out.warn("udev is installed, and no rule gives /dev/kfd to a group")
            .means("only root can use the card")
            .fix("ship a rule like KERNEL==\"kfd\", GROUP=\"render\", MODE=\"0660\"");
    }
}

/// The groups that rules give /dev/kfd to.
fn groups_of_kfd(rules: &str) -> Vec<String> {
    let value = |line: &str, key: &str| {
        let (_, rest) = line.split_once(key)?;
        rest.split('"').next().map(str::to_owned)
    };
    let lines = rules.lines().filter(|line| !line.trim_start().starts_with('#'));
    let of_kfd = lines
        .filter(|line| value(line, "KERNEL==\"").is_some_and(|name| name.split('|').any(|n| n == "kfd")));
    of_kfd.filter_map(|line| value(line, "GROUP=\"").or_else(|| value(line, "GROUP:=\""))).collect()
}

fn is_of_rocm(path: &Path) -> bool {
    let name = file_name(path).to_lowercase();
    ["rocm", "hip", "hsa", "amdgpu"].iter().any(|part| name.contains(part))
}

fn folder_files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

/// Absolute paths in a snippet, up to the first character that a path does not have there.
fn absolute_paths(text: &str) -> Vec<PathBuf> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = code.flat_map(|line| line.split(|c: char| c.is_whitespace() || "\"'=:;".contains(c)));
    words
        .filter(|word| word.len() > 1 && word.starts_with('/') && !word.contains('$'))
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_paths_of_hipconfig() {
        let text = "HIP_PATH     : /usr\nCPP_CONFIG   :  -D__X__= -I/usr/include -I/usr/hsa/include\n\
                    hip-clang-cxxflags :  -std=c++11 -isystem \"/usr/lib/clang/..\" -O3\n\
                    === Environment Variables\nHSA_PATH=/x\nOTHER_PATH : /not/this\n";
        let paths: Vec<String> = printed_paths(text)
            .into_iter()
            .map(|(name, path)| format!("{name} {}", path.display()))
            .collect();
        assert_eq!(
            paths,
            ["HIP_PATH /usr", "-I /usr/include", "-I /usr/hsa/include", "-isystem /usr/lib/clang/.."]
        );
    }

    #[test]
    fn finds_the_groups_of_kfd_in_rules() {
        let rules = "# KERNEL==\"kfd\", GROUP=\"no\"\nKERNEL==\"kvm\", GROUP=\"kvm\"\n\
                     SUBSYSTEM==\"kfd\", KERNEL==\"kfd\", GROUP=\"render\", MODE=\"0660\"\n\
                     KERNEL==\"kfd|dri\", GROUP:=\"video\"\n";
        assert_eq!(groups_of_kfd(rules), ["render", "video"]);
    }

    #[test]
    fn reads_the_version_of_headers() {
        let text =
            "// x\n#define HIP_VERSION_MAJOR 5\n#define HIP_VERSION_MINOR 2\n#define HIP_VERSION_PATCH 1\n";
        assert_eq!(header_version(text).as_deref(), Some("5.2"));
        assert_eq!(header_version("#define HIP_VERSION_MAJOR 5\n"), None);
    }

    #[test]
    fn finds_paths_in_snippets() {
        let text = "# /not/this\nexport PATH=\"$PATH:/opt/rocm/bin\"\n/opt/rocm/lib\n";
        assert_eq!(absolute_paths(text), [PathBuf::from("/opt/rocm/bin"), PathBuf::from("/opt/rocm/lib")]);
    }
}
