//! The kernels' code: compiled by `hip-build` when the first test asks, and again only when a file has changed.

use std::path::PathBuf;
use std::sync::OnceLock;

/// The files, by the names of their groups.
const FILES: [&str; 14] = [
    "math_f32",
    "math_f64",
    "math_rest",
    "ieee",
    "integer",
    "services",
    "applications",
    "lds",
    "matrix",
    "control",
    "types",
    "atomics",
    "lanes",
    "images",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("corpus")
}

/// Compiles all files for gfx900, as many at a time as there are processors.
///
/// The tests need the compiler where they run, then: the build of this package, which the examples need, too, takes half a
/// minute less.
pub fn compiled() {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let compile = || {
        let kernels = hip_build::Kernels::new()
            .arch("gfx900")
            .files(FILES.map(|name| format!("kernels/corpus/{name}.hip")))
            .base_dir(env!("CARGO_MANIFEST_DIR"))
            .out_dir(folder())
            .code_only()
            .cargo_instructions(false);
        kernels.compile().map(drop).map_err(|error| error.to_string())
    };
    if let Err(error) = DONE.get_or_init(compile) {
        panic!("the kernels cannot be compiled: {error}");
    }
}

/// The code of one file, which has been compiled.
pub fn of(group: &str) -> Vec<u8> {
    let path = folder().join(format!("{group}.co"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
