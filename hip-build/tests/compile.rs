//! Builds with the installed hipcc: what is generated, when it is compiled again, and how failures read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use code_object::{CodeObject, Image};
use hip_build::{Compiled, Error, Kernels, Missing};
use tempfile::TempDir;

/// A package directory with one source file; tests change it as they go.
struct Package {
    directory: TempDir,
}

impl Package {
    /// None, with a word about it, where there is no hipcc.
    fn new(source: &str) -> Option<Self> {
        if Command::new("hipcc").args(["--version", "--offload-arch=gfx900"]).output().is_err() {
            eprintln!("skipped: hipcc cannot be run");
            return None;
        }
        let package = Self { directory: TempDir::new().unwrap() };
        package.write("k.hip", source);
        Some(package)
    }
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
    fn kernels(&self) -> Kernels {
        Kernels::new()
            .arch("gfx900")
            .file("k.hip")
            .base_dir(self.directory.path())
            .out_dir(self.path("out"))
            .cargo_instructions(false)
    }
    /// What a build script's process says: whether it ends well, and what it prints. It is this program again, as the
    /// instructions for Cargo go to the standard output, and variables belong to a process.
    fn script(&self, how: &str, variables: &[(&str, &str)]) -> (bool, String) {
        let mut script = Command::new(std::env::current_exe().unwrap());
        script.args(["--exact", "as_a_build_script", "--nocapture"]);
        script.env("HIP_BUILD_TEST_AS_SCRIPT", how).env("CARGO_MANIFEST_DIR", self.directory.path());
        script.env("OUT_DIR", self.path("out")).envs(variables.iter().copied());
        let output = script.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success(), printed.into_owned())
    }
    /// The architectures of the result.
    fn targets(&self) -> Vec<String> {
        let bytes = fs::read(self.path("out/k.co")).unwrap();
        let mut targets: Vec<_> =
            Image::parse(&bytes).unwrap().targets().iter().map(ToString::to_string).collect();
        targets.sort_unstable();
        targets
    }
    fn rust(&self) -> String {
        fs::read_to_string(self.path("out/k.module.rs")).unwrap()
    }
}

/// Source text with the HIP header in front.
fn hip(text: &str) -> String {
    format!("#include <hip/hip_runtime.h>\n{text}\n")
}

fn fresh(compiled: &Compiled) -> Vec<bool> {
    compiled.modules.iter().map(|module| module.fresh).collect()
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

#[test]
fn signatures_become_rust() {
    let source = hip("typedef unsigned word;\nstruct S { float a; char b; long c; };\n\
        /// Does [things] to `x[i]`.\nextern \"C\" __global__ void plain(S s, const word* x, word* y, bool on) { if (on) *y = *x + s.c; }\n\
        template <class T, int N> __global__ void times(T* x) { *x *= N; }\n\
        template __global__ void times<double, 2>(double*);\ntemplate __global__ void times<short, 7>(short*);\n\
        extern \"C\" __global__ void def_ault(int* x) { *x = 3; }\n__global__ void Default(int* type) { *type = 4; }\n\
        namespace a { __global__ void f(int* x) { *x = 1; } __global__ void f(float* x) { *x = 1; } }");
    let Some(package) = Package::new(&source) else { return };
    let compiled = package.kernels().compile().unwrap();
    assert_eq!(fresh(&compiled), [true]);
    assert_eq!(compiled.modules[0].warnings, [""; 0]);
    assert_has(
        &package.rust(),
        &[
            r#"pub struct Plain = "plain"(S, &[u32], &mut [u32], u8) in CODE;"#,
            r#"pub struct TimesDouble2 = "_Z5timesIdLi2EEvPT_"(&mut [f64]) in CODE;"#,
            r#"pub struct TimesShort7 = "_Z5timesIsLi7EEvPT_"(&mut [i16]) in CODE;"#,
            r#"pub struct Default2 = "_Z7DefaultPi"(&mut [i32]) in CODE;"#,
            "r#type: impl ::hip::Arg<::hip::InOut<i32>>",
            r#"pub struct AF = "#,
            r#"pub struct AF2 = "#,
            r"/// Does \[things\] to `x[i]`.",
            "pub fn plain(&self, stream: &::hip::Stream, config: ::hip::LaunchConfig, s: S, \
             x: impl ::hip::Arg<::hip::In<u32>>, y: impl ::hip::Arg<::hip::InOut<u32>>, on: bool)",
            "self.plain.launch(stream, config, (s, x, y, u8::from(on)))",
            "pub unsafe fn plain_unchecked(",
            "assert!(size_of::<S>() == 16 && align_of::<S>() == 8);",
            "assert!(::core::mem::offset_of!(S, c) == 8);",
        ],
    );
    assert_has(&fs::read_to_string(compiled.rust).unwrap(), &["pub mod k {", r#"include!("k.module.rs");"#]);
}

#[test]
fn several_architectures_make_one_bundle() {
    let Some(package) = Package::new(&hip("extern \"C\" __global__ void k(float* x) { *x = 1; }")) else {
        return;
    };
    package.kernels().arch("gfx906:xnack-").compile().unwrap();
    let bytes = fs::read(package.path("out/k.co")).unwrap();
    let image = Image::parse(&bytes).unwrap();
    assert_eq!(package.targets(), ["gfx900", "gfx906:xnack-"]);
    for entry in image.entries() {
        assert!(CodeObject::parse(&entry.bytes).unwrap().kernel("k").is_some());
    }
}

#[test]
fn a_kernel_that_does_not_compile_is_reported_with_its_place() {
    let Some(package) =
        Package::new(&hip("extern \"C\" __global__ void k(float* x) {\n    *x = undeclared;\n}"))
    else {
        return;
    };
    let error = package.kernels().compile().unwrap_err();
    assert!(matches!(&error, Error::Compile { file, .. } if file == Path::new("k.hip")));
    assert_has(
        &format!("{error:?}"),
        &[
            "k.hip does not compile",
            "k.hip:3:10: error: use of undeclared identifier 'undeclared'",
            "--offload-arch=gfx900",
        ],
    );
    // Once it is repaired, it builds.
    package.write("k.hip", &hip("extern \"C\" __global__ void k(float* x) { *x = 1; }"));
    assert_eq!(fresh(&package.kernels().compile().unwrap()), [true]);
}

#[test]
fn only_what_changes_the_result_compiles_again() {
    let source = hip("#include \"sub dir/value.h\"\nextern \"C\" __global__ void k(int* x) { *x = VALUE; }");
    let Some(package) = Package::new(&source) else { return };
    fs::create_dir(package.path("sub dir")).unwrap();
    package.write("sub dir/value.h", "#define VALUE 1\n");
    let build = || package.kernels().compile().unwrap();
    let code = || fs::read(package.path("out/k.co")).unwrap();

    let first = build();
    assert_eq!(fresh(&first), [true]);
    let inputs = &first.modules[0].inputs;
    for input in ["k.hip", "sub dir/value.h"] {
        assert!(inputs.contains(&input.into()), "{input} is not among {inputs:?}");
    }
    assert!(inputs.iter().any(|input| input.ends_with("hip/hip_runtime.h")), "{inputs:?}");
    assert_eq!(fresh(&build()), [false], "nothing changed");
    package.write("sub dir/value.h", "#define VALUE 1\n");
    assert_eq!(fresh(&build()), [false], "the header was written, with the same contents");

    let before = code();
    package.write("sub dir/value.h", "#define VALUE 2\n");
    assert_eq!(fresh(&build()), [true], "the header changed");
    assert_ne!(code(), before);
    assert_eq!(fresh(&build()), [false]);

    let other = package.kernels().define("OTHER", "1").compile().unwrap();
    assert_eq!(fresh(&other), [true], "the flags changed");
    assert_eq!(fresh(&build()), [true], "and back");
    fs::write(package.path("out/k.co"), b"damaged").unwrap();
    assert_eq!(fresh(&build()), [true], "the result was damaged");
    fs::remove_file(package.path("out/k.module.rs")).unwrap();
    assert_eq!(fresh(&build()), [true], "a result is missing");
}

#[test]
fn a_header_of_any_architecture_counts() {
    let source = "#if defined(__gfx900__)\n#include \"first.h\"\n#elif defined(__gfx906__)\n#include \"second.h\"\n#else\n\
        #define VALUE 0\n#endif\nextern \"C\" __global__ void k(int* x) { *x = VALUE; }";
    let Some(package) = Package::new(&hip(source)) else { return };
    for header in ["first.h", "second.h"] {
        package.write(header, "#define VALUE 1\n");
    }
    let build = || package.kernels().archs(["gfx906", "gfx908"]).compile().unwrap();
    let first = build();
    for header in ["first.h", "second.h"] {
        let times = first.modules[0].inputs.iter().filter(|input| *input == Path::new(header)).count();
        assert_eq!(times, 1, "{header} in {:?}", first.modules[0].inputs);
    }
    assert_eq!(fresh(&build()), [false], "nothing changed");
    for header in ["first.h", "second.h"] {
        package.write(header, "#define VALUE 2\n");
        assert_eq!(fresh(&build()), [true], "{header} changed");
    }
}

#[test]
fn the_result_may_be_anywhere() {
    let Some(package) = Package::new(&hip("extern \"C\" __global__ void k(int* x) { *x = 1; }")) else {
        return;
    };
    let out = package.path("not the one (of Cargo)");
    let compiled = package.kernels().out_dir(&out).code_only().compile().unwrap();
    package.write(
        "user.rs",
        &format!("include!({:?});\nfn main() {{ assert!(k::CODE.len() > 4096); }}", compiled.rust),
    );
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compile = Command::new(rustc);
    compile.args(["--edition=2024", "-o"]).arg(package.path("user")).arg(package.path("user.rs"));
    let output = compile.env_remove("OUT_DIR").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(Command::new(package.path("user")).status().unwrap().success());
}

#[test]
fn whoever_builds_chooses_the_architectures() {
    let Some(package) = Package::new(&hip("extern \"C\" __global__ void k(int* x) { *x = 1; }")) else {
        return;
    };
    let (ended_well, printed) = package.script("error", &[("HIP_BUILD_ARCHS", "gfx906, gfx90a:xnack-")]);
    assert!(ended_well, "{printed}");
    assert_has(&printed, &["cargo::rerun-if-env-changed=HIP_BUILD_ARCHS\n"]);
    assert_eq!(package.targets(), ["gfx906", "gfx90a:xnack-"]);
    let (ended_well, printed) = package.script("error", &[("HIP_BUILD_ARCHS", "native")]);
    assert!(!ended_well);
    assert_has(&printed, &["architecture `native` (in HIP_BUILD_ARCHS) is not a target id"]);
    assert!(package.script("error", &[("HIP_BUILD_ARCHS", "")]).0);
    assert_eq!(package.targets(), ["gfx900"]);
}

#[test]
fn nvidias_compiler_is_not_asked() {
    let Some(package) = Package::new(&hip("extern \"C\" __global__ void k(int* x) { *x = 1; }")) else {
        return;
    };
    let (ended_well, printed) = package.script("error", &[("HIP_PLATFORM", "nvidia")]);
    assert!(ended_well, "{printed}");
}

#[test]
fn docs_are_made_without_hipcc() {
    let Some(package) = Package::new("") else { return };
    let none = ("HIPCC", "/nonexistent/hipcc");
    assert!(!package.script("error", &[none]).0);
    let (ended_well, printed) = package.script("error", &[none, ("DOCS_RS", "1")]);
    assert!(ended_well, "{printed}");
    assert_has(&package.rust(), &["pub static CODE: &[u8]"]);
}

#[test]
fn names_and_layouts_that_rust_does_not_allow_are_changed() {
    let source = "struct __attribute__((packed)) Packed { char tag; float4 value; float4 more[2]; };\n\
        extern \"C\" __global__ void größe(Packed p, const float *α, float *β, int __) { *β = p.value.x + *α; }\n\
        extern \"C\" __global__ void dollar(int $a, int *$) { *$ = $a; }";
    let Some(package) = Package::new(&hip(source)) else { return };
    let compiled = package.kernels().compile().unwrap();
    assert_eq!(compiled.modules[0].warnings, [""; 0]);
    assert_has(
        &package.rust(),
        &[
            "#[repr(C, packed(1))]",
            "pub tag: i8,",
            "pub value: [u8; 16],",
            "pub more: [u8; 32],",
            "pub fn größe(",
            "α: impl ::hip::Arg<::hip::In<f32>>, β: impl ::hip::Arg<::hip::InOut<f32>>, arg3: i32)",
            "a: i32, arg1: impl ::hip::Arg<::hip::InOut<i32>>)",
        ],
    );
}

#[test]
fn cargo_is_told_the_headers_and_the_variables() {
    let source = hip("#include \"value.h\"\nextern \"C\" __global__ void k(int* x) { *x = VALUE; }");
    let Some(package) = Package::new(&source) else { return };
    package.write("value.h", "#define VALUE 1\n");
    let printed = package.script("skip", &[]).1;
    let header = format!("cargo::rerun-if-changed={}", package.path("value.h").display());
    assert_has(&printed, &[&header, "/hip/hip_runtime.h\n"]);
    for name in ["PATH", "HIPCC", "ROCM_PATH", "HIP_PATH", "HIP_CLANG_PATH", "DEVICE_LIB_PATH"] {
        assert_has(&printed, &[&format!("cargo::rerun-if-env-changed={name}\n")]);
    }
    // Without hipcc every build looks again: a file that is not there counts as changed.
    let printed = package.script("skip", &[("HIPCC", "/nonexistent/hipcc")]).1;
    let watched = printed.lines().filter_map(|line| line.strip_prefix("cargo::rerun-if-changed="));
    let absent: Vec<_> = watched.filter(|path| !Path::new(path).exists()).collect();
    assert!(matches!(absent[..], [path] if path.ends_with("hipcc-is-missing")), "{absent:?}");
    assert_has(
        &printed,
        &[
            "cargo::warning=HIP kernels are not compiled and cannot be launched: there is no /nonexistent/hipcc",
        ],
    );
}

/// The other half of [`Package::script`]: does nothing unless it is started by it.
#[test]
fn as_a_build_script() {
    let Some(how) = std::env::var_os("HIP_BUILD_TEST_AS_SCRIPT") else { return };
    let missing = if how == "skip" { Missing::Skip } else { Missing::Error };
    Kernels::new().arch("gfx900").file("k.hip").when_missing(missing).compile().unwrap();
}

#[test]
fn without_hipcc_the_build_fails_or_goes_on_without_code() {
    let Some(package) = Package::new(&hip("extern \"C\" __global__ void k(float* x) { *x = 1; }")) else {
        return;
    };
    let missing = || package.kernels().hipcc("/nonexistent/hipcc").bindings("bindings");
    let error = missing().compile().unwrap_err();
    assert!(matches!(error, Error::Missing { .. }));
    assert_has(&error.to_string(), &["/nonexistent/hipcc", "apt install", "pacman -S", "dnf install"]);

    let skipped = missing().when_missing(Missing::Skip).compile().unwrap();
    assert!(skipped.missing.is_some());
    assert_eq!(fs::read(package.path("out/k.co")).unwrap(), b"");
    assert_has(&package.rust(), &["pub static CODE: &[u8]"]);
    assert!(
        !package.rust().contains("pub struct Kernels"),
        "without bindings nothing is known of the kernels"
    );

    // With hipcc the bindings are compared; checked in, they stand in for the compiler.
    let compiled = package.kernels().bindings("bindings").compile().unwrap();
    assert_has(&compiled.modules[0].warnings.join("\n"), &["bindings/k.rs is out of date"]);
    fs::create_dir(package.path("bindings")).unwrap();
    fs::copy(package.path("out/k.module.rs"), package.path("bindings/k.rs")).unwrap();
    let compiled = package.kernels().bindings("bindings").compile().unwrap();
    assert_eq!((fresh(&compiled), compiled.modules[0].warnings.len()), (vec![false], 0));
    let skipped = missing().when_missing(Missing::Skip).compile().unwrap();
    assert!(skipped.missing.is_some());
    assert_has(&package.rust(), &["pub struct Kernels", r#""k"(&mut [f32]) in CODE;"#]);
    // What was skipped is not taken for the result of a compile.
    assert_eq!(fresh(&package.kernels().compile().unwrap()), [true]);
}

#[test]
fn a_code_object_that_disagrees_with_the_source_stops_the_build() {
    let source = "#ifdef LIE\n#define TYPE double\n#define MORE , int more\n#else\n#define TYPE float\n#define MORE\n#endif\n\
        extern \"C\" __global__ void size(float* x, TYPE a) { *x = a; }\n\
        #ifdef COUNT\nextern \"C\" __global__ void count(float* x MORE) { *x = 1; }\n#endif";
    let Some(package) = Package::new(&hip(source)) else { return };
    // A compiler that reads another source when it is asked for debug information.
    let path = package.path("lying-hipcc");
    fs::write(
        &path,
        "#!/bin/sh\nfor arg; do [ \"$arg\" = -g ] && exec hipcc -DLIE \"$@\"; done\nexec hipcc \"$@\"\n",
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let error = package.kernels().hipcc(&path).compile().unwrap_err();
    assert!(matches!(&error, Error::Mismatch { kernel, .. } if kernel == "size"));
    assert_has(&error.to_string(), &["argument 1 has 4 bytes at offset 8, and in the source 8 at 8"]);
    package.write("k.hip", &hip(&source.replace("#define TYPE double", "#define TYPE float")));
    let error = package.kernels().hipcc(&path).define("COUNT", "1").compile().unwrap_err();
    assert_has(&error.to_string(), &["kernel `count`", "it takes 1 arguments, and in the source 2"]);
}

#[test]
fn a_kernel_without_a_rust_counterpart_is_left_out_with_a_warning() {
    let many: Vec<String> = (0..17).map(|i| format!("int a{i}")).collect();
    let source = hip(&format!(
        "extern \"C\" __global__ void many({}) {{}}\nextern \"C\" __global__ void few(int* x) {{ *x = 1; }}",
        many.join(", ")
    ));
    let Some(package) = Package::new(&source) else { return };
    let warnings = |compiled: Compiled| compiled.modules[0].warnings.join("\n");
    let first = warnings(package.kernels().compile().unwrap());
    assert_has(&first, &["k.hip: no typed function for kernel `many`: it takes more than 16 arguments"]);
    assert_eq!(
        warnings(package.kernels().compile().unwrap()),
        first,
        "a warning is repeated until it is heeded"
    );
    assert_has(&package.rust(), &[r#"pub struct Few = "few""#]);
    assert!(!package.rust().contains("Many"));
}

#[test]
fn what_a_script_cannot_ask_for_is_said_at_once() {
    let directory = TempDir::new().unwrap();
    let kernels =
        || Kernels::new().base_dir(directory.path()).out_dir(directory.path()).cargo_instructions(false);
    for (kernels, part) in [
        (kernels().file("k.hip"), "no architecture"),
        (kernels().arch("gfx900"), "no source file"),
        (kernels().arch("sm_80").file("k.hip"), "architecture `sm_80` is not a target id"),
        (kernels().arch("gfx900").arch("gfx900").file("k.hip"), "there twice"),
        (kernels().arch("gfx900").files(["a/k.hip", "b/k.cpp"]), "would both become the module `k`"),
    ] {
        let error = kernels.compile().unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
        assert_has(&error.to_string(), &[part]);
    }
}

#[test]
fn the_repositorys_bindings_are_what_hipcc_says_today() {
    let Some(package) = Package::new("") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files: Vec<_> =
        fs::read_dir(root.join("kernels")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "hip"));
    files.sort_unstable();
    let names = files.iter().map(|path| path.strip_prefix(root).unwrap().to_owned());
    let compiled = Kernels::new()
        .arch("gfx900")
        .files(names)
        .bindings("kernels/bindings")
        .base_dir(root)
        .out_dir(package.path("out"))
        .cargo_instructions(false)
        .compile()
        .unwrap();
    let warnings: Vec<_> = compiled.modules.iter().flat_map(|module| &module.warnings).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(compiled.modules.len(), files.len());
}

#[test]
fn code_alone_is_compiled_once() {
    let Some(package) = Package::new(&hip("extern \"C\" __global__ void f(int *x) { *x = 1; }")) else {
        return;
    };
    let kernels = package.kernels().code_only();
    let compiled = kernels.compile().unwrap();
    let code = fs::read(&compiled.modules[0].code).unwrap();
    let image = Image::parse(&code).unwrap();
    let object = CodeObject::parse(&image.entries()[0].bytes).unwrap();
    assert!(object.kernel("f").is_some());
    assert_has(&package.rust(), &["CODE"]);
    assert!(!package.rust().contains("struct F"), "{}", package.rust());
    assert_eq!(fresh(&kernels.compile().unwrap()), [false]);
    // With types, it is another result.
    assert_eq!(fresh(&package.kernels().compile().unwrap()), [true]);
}
