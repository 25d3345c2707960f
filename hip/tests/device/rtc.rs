//! Code that is compiled while the program runs.

use crate::{device, setup};
use hip::rtc::{Cache, Program};
use hip::{DeviceBuffer, ErrorKind, InOut, LaunchConfig};

const SOURCE: &str = r#"
#include "factor.h"
template <class T> __global__ void scale(T *x) { x[threadIdx.x] *= FACTOR + MORE; }
extern "C" __global__ void one(unsigned *x) { x[threadIdx.x] = 1; }
"#;

fn program() -> Program {
    Program::new("scale.hip", SOURCE)
        .header("factor.h", "#define FACTOR 2")
        .option("-DMORE=1")
        .name_expression("scale<float>")
        .name_expression("scale<int>")
}

#[test]
fn templates_are_compiled_and_run() {
    let Some(device) = device() else { return };
    let stream = device.stream().unwrap();
    let compiled = program().compile(device).unwrap();
    let module = compiled.load(device).unwrap();
    let function = module.function(compiled.lowered_name("scale<float>").unwrap()).unwrap();
    let scale = function.with_parameters::<(InOut<f32>,)>().unwrap();
    let mut x = DeviceBuffer::from_slice(&stream, &[1.0f32, 2.0, 3.0]).unwrap();
    // SAFETY: one workgroup of as many threads as there are elements.
    unsafe { scale.launch_unchecked(&stream, LaunchConfig::new(1, 3), (&mut x,)) }.unwrap();
    assert_eq!(x.to_vec(&stream).unwrap(), [3.0, 6.0, 9.0]);
    let function = module.function(compiled.lowered_name("scale<int>").unwrap()).unwrap();
    let scale = function.with_parameters::<(InOut<i32>,)>().unwrap();
    let mut x = DeviceBuffer::from_slice(&stream, &[-1i32, 2]).unwrap();
    // SAFETY: as above.
    unsafe { scale.launch_unchecked(&stream, LaunchConfig::new(1, 2), (&mut x,)) }.unwrap();
    assert_eq!(x.to_vec(&stream).unwrap(), [-3, 6]);
    let error = compiled.lowered_name("scale<double>").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnknownKernel { available, .. } if available.len() == 2));
}

#[test]
fn an_error_of_the_source_has_the_log() {
    let Some((stream, _)) = setup() else { return };
    let error =
        Program::new("broken.hip", "__global__ void f() { nonsense; }").compile(stream.device()).unwrap_err();
    let ErrorKind::Compilation { log } = error.kind() else { panic!("{error}") };
    assert!(log.contains("nonsense"), "{log}");
    assert!(
        error.to_string().contains("nonsense") && error.call() == Some("hiprtcCompileProgram"),
        "{error}"
    );
    let nul = Program::new("nul.hip", "a\0b").compile(stream.device()).unwrap_err();
    assert!(matches!(nul.kind(), ErrorKind::Compilation { .. }));
    // The compiler works after that.
    program().compile(stream.device()).unwrap();
}

#[test]
fn the_cache_is_keyed_by_all_that_matters() {
    let Some(device) = device() else { return };
    let folder = std::env::temp_dir().join(format!("hip-test-rtc-{}", std::process::id()));
    let entries = || std::fs::read_dir(&folder).map_or(0, Iterator::count);
    let cached = program().cache(Cache::in_folder(&folder));
    let first = cached.compile(device).unwrap();
    assert_eq!(entries(), 1);
    assert_eq!(cached.compile(device).unwrap(), first);
    assert_eq!(entries(), 1);
    let others = [
        cached.clone().option("-O1"),
        cached.clone().header("unused.h", "// nothing"),
        cached.clone().name_expression("scale<double>"),
    ];
    for (index, other) in others.iter().enumerate() {
        other.compile(device).unwrap();
        assert_eq!(entries(), 2 + index);
    }
    // A file cut short is compiled again.
    let torn: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    torn.iter().for_each(|path| std::fs::write(path, b"hip-rs").unwrap());
    let again = cached.compile(device).unwrap();
    // Not always the same bytes: newer compilers give each code object a number of its own.
    let kernels = |compiled: &hip::rtc::Compiled| {
        compiled.load(device).unwrap().kernel_names().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(kernels(&again), kernels(&first));
    assert_eq!(cached.compile(device).unwrap(), again);
    std::fs::remove_dir_all(&folder).unwrap();
}
