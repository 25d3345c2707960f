//! Sizes, alignments and offsets of the Rust types: against what libclang computed from the headers of every
//! release, and against the installed header, by a probe that the machine's own C++ compiler builds.

#[path = "../common/mod.rs"]
mod common;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use hip_sys::RELEASES;

/// A struct or union in one of its layouts.
pub struct Record {
    rust: &'static str,
    c: &'static str,
    /// Bit `n` for each release `RELEASES[n]` that has this layout.
    releases: u8,
    /// What the headers say.
    expected: Shape,
    /// What Rust says.
    actual: Shape,
    /// Whether the Rust type is longer, for later releases.
    grown: bool,
}

/// Size and alignment; offsets with the members' C names.
#[derive(Debug, PartialEq)]
pub struct Shape {
    size: usize,
    align: usize,
    offsets: Vec<(&'static str, usize)>,
}

/// `record!(Rust type, "C name", releases, size, align, grown, [member "C member" offset, ...])`
#[macro_export]
macro_rules! record {
    ($rust:path, $c:literal, $releases:literal, $size:literal, $align:literal, $grown:literal,
     [$($($member:ident).+ $name:literal $at:literal),*]) => {
        Record {
            rust: stringify!($rust),
            c: $c,
            releases: $releases,
            expected: $crate::Shape { size: $size, align: $align, offsets: vec![$(($name, $at)),*] },
            actual: $crate::Shape {
                size: size_of::<$rust>(),
                align: align_of::<$rust>(),
                offsets: vec![$(($name, std::mem::offset_of!($rust, $($member).+))),*],
            },
            grown: $grown,
        }
    };
}

#[test]
fn every_layout_is_what_the_headers_of_its_releases_have() {
    let records = table::records();
    assert!(records.len() > 70, "{} layouts", records.len());
    for record in &records {
        let Record { rust, expected, actual, .. } = record;
        assert_eq!(actual.offsets, expected.offsets, "{rust}");
        assert_eq!(actual.align, expected.align, "{rust}");
        if record.grown {
            assert!(actual.size > expected.size, "{rust}: {} and {}", actual.size, expected.size);
        } else {
            assert_eq!(actual.size, expected.size, "{rust}");
        }
    }
}

#[test]
fn every_layout_is_what_the_installed_header_has() {
    let probe = match Probe::new() {
        Ok(probe) => probe,
        Err(reason) => return common::not_here("HIP_SYS_REQUIRE_HEADERS", &reason),
    };
    let records: Vec<Record> =
        table::records().into_iter().filter(|record| record.releases & (1 << probe.release) != 0).collect();
    let found = probe.run(&records);
    let mut compared = 0;
    for record in &records {
        let number = |key: &str| found.get(key).copied();
        let size = number(&format!("sizeof {}", record.c));
        assert_eq!(size, Some(record.expected.size), "size of {} in the header", record.c);
        assert!(record.grown || size == Some(record.actual.size), "size of {}", record.rust);
        assert_eq!(number(&format!("alignof {}", record.c)), Some(record.actual.align), "{}", record.c);
        for (member, at) in &record.actual.offsets {
            let offset = number(&format!("offsetof {}.{member}", record.c));
            assert_eq!(offset, Some(*at), "{}.{member}", record.c);
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared} members were compared");
}

/// A C++ compiler and HIP's headers.
struct Probe {
    compiler: String,
    include: PathBuf,
    /// The position in [`RELEASES`].
    release: usize,
}

impl Probe {
    /// What the machine has, or what it lacks.
    fn new() -> Result<Self, String> {
        let roots = ["HIP_PATH", "ROCM_PATH"].into_iter().filter_map(env::var_os).map(PathBuf::from);
        let mut folders = roots.chain(["/usr".into(), "/opt/rocm".into()]).map(|root| root.join("include"));
        let Some(include) = folders.find(|folder| folder.join("hip/hip_version.h").is_file()) else {
            return Err("HIP's headers are not installed".to_owned());
        };
        let version = version_of(&include)?;
        let release = RELEASES
            .iter()
            .position(|name| name.starts_with(&format!("{version}.")) || *name == version)
            .ok_or_else(|| format!("the table has no layouts of HIP {version}"))?;
        let named = env::var("CXX").ok();
        let compiler = named
            .iter()
            .map(String::as_str)
            .chain(["c++", "g++", "clang++", "clang++-15", "clang++-17", "clang++-19"])
            .find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()))
            .ok_or("there is no C++ compiler")?
            .to_owned();
        Ok(Probe { compiler, include, release })
    }

    /// Compiles and runs a program that prints a line for each number.
    fn run(&self, records: &[Record]) -> BTreeMap<String, usize> {
        let mut source = String::from(
            "#include <hip/hip_runtime_api.h>\n#if __has_include(<hip/hip_deprecated.h>)\n\
             #include <hip/hip_deprecated.h>\n#endif\n#include <cstddef>\n#include <cstdio>\nint main() {\n",
        );
        for Record { c, expected, .. } in records {
            for what in ["sizeof", "alignof"] {
                _ = writeln!(source, "std::printf(\"{what} {c} %zu\\n\", {what}({c}));");
            }
            for (member, _) in &expected.offsets {
                _ = writeln!(
                    source,
                    "std::printf(\"offsetof {c}.{member} %zu\\n\", offsetof({c}, {member}));"
                );
            }
        }
        source.push_str("}\n");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (file, program) = (folder.join("layout-probe.cpp"), folder.join("layout-probe"));
        fs::write(&file, source).expect("a file in the target folder");
        let built = Command::new(&self.compiler)
            .args(["-std=c++17", "-w", "-D__HIP_PLATFORM_AMD__", "-I"])
            .args([&self.include, &file])
            .arg("-o")
            .arg(&program)
            .output()
            .expect("the compiler starts");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let output = Command::new(&program).output().expect("the probe starts");
        assert!(output.status.success(), "the probe: {}", output.status);
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| {
                let (key, number) = line.rsplit_once(' ')?;
                Some((key.to_owned(), number.parse().ok()?))
            })
            .collect()
    }
}

/// Major and minor version of the headers in a folder, as text.
fn version_of(include: &Path) -> Result<String, String> {
    let path = include.join("hip/hip_version.h");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let number = |name: &str| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("#define") && words.next() == Some(name)).then(|| words.next())?
        })
    };
    match (number("HIP_VERSION_MAJOR"), number("HIP_VERSION_MINOR")) {
        (Some(major), Some(minor)) => Ok(format!("{major}.{minor}")),
        _ => Err(format!("{} names no version", path.display())),
    }
}
