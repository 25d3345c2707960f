//! The machine code of SAXPY is what is executed: another opcode gives another result, another name the same.
//!
//! # Safety
//! The patched kernels access memory exactly as the original does: only the arithmetic or the name is another.

#[path = "../support/mod.rs"]
mod support;

use hip::{DeviceBuffer, In, InOut, LaunchConfig, Module};
use hip_vega::saxpy;
use support::{A, bits, check_saxpy, device, expected, numbers};

const LEN: usize = 1000;

/// The parameters of saxpy: `(float a, const float *x, float *y, int n)`.
type Parameters = (f32, In<f32>, InOut<f32>, i32);

/// Runs the kernel `name` of a code object on the usual vectors.
fn run(code: &[u8], name: &str) -> Option<(Vec<f32>, Vec<f32>, Vec<f32>)> {
    let device = device()?;
    let stream = device.stream().expect("a stream");
    let module = Module::from_bytes(device, code).expect("the module loads");
    let kernel =
        module.function(name).expect("the kernel").with_parameters::<Parameters>().expect("its parameters");
    let (x, y) = (numbers(1, LEN), numbers(2, LEN));
    let device_x = DeviceBuffer::from_slice(&stream, &x).expect("x");
    let mut device_y = DeviceBuffer::from_slice(&stream, &y).expect("y");
    let arguments = (A, &device_x, &mut device_y, LEN as i32);
    // SAFETY: the kernel reads x[0..n] and reads and writes y[0..n]; both have n elements.
    unsafe { kernel.launch_unchecked(&stream, LaunchConfig::for_len(LEN), arguments) }.expect("the launch");
    let result = device_y.to_vec(&stream).expect("the result");
    Some((x, y, result))
}

/// Replaces every occurrence of `from` by `to`, of the same length; says how many there were.
fn replace(code: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..code.len()).filter(|&at| code[at..].starts_with(from)).collect();
    for at in &places {
        code[*at..*at + to.len()].copy_from_slice(to);
    }
    places.len()
}

/// Turns each v_fma_f32 of the code into v_mul_f32 of its first two sources.
///
/// Both are VOP3 (AMD's Vega ISA manual, section 13.3.4): the first dword has the encoding 110100 in its top six bits and the
/// opcode in the ten below, 0x1cb for v_fma_f32 and 0x105 for v_mul_f32. The second has the third source in bits 18 to 26.
fn fma_to_mul(code: &mut [u8]) -> usize {
    let mut patched = 0;
    for at in (0..code.len().saturating_sub(8)).step_by(4) {
        let dword = |at: usize| u32::from_le_bytes([code[at], code[at + 1], code[at + 2], code[at + 3]]);
        let (first, second) = (dword(at), dword(at + 4));
        if first >> 16 == 0xd1cb {
            code[at..at + 4].copy_from_slice(&(0xd105_0000 | first & 0xffff).to_le_bytes());
            code[at + 4..at + 8].copy_from_slice(&(second & !(0x1ff << 18)).to_le_bytes());
            patched += 1;
        }
    }
    patched
}

#[test]
fn computes_every_bit() {
    let Some(device) = device() else { return };
    let stream = device.stream().expect("a stream");
    for len in [1, 63, 64, 65, 255, 256, 257, 100_003] {
        check_saxpy(&stream, len).expect("SAXPY");
    }
}

#[test]
fn another_opcode_gives_another_result() {
    let mut code = saxpy::CODE.to_vec();
    assert_eq!(fma_to_mul(&mut code), 1, "the kernel has one v_fma_f32");
    let Some((x, y, result)) = run(&code, "saxpy") else { return };
    let products: Vec<f32> = x.iter().map(|x| A * x).collect();
    assert_eq!(bits(&result), bits(&products));
    assert_ne!(bits(&result), bits(&expected(&x, &y)));
}

#[test]
fn another_name_gives_the_same_result() {
    let mut code = saxpy::CODE.to_vec();
    assert!(replace(&mut code, b"saxpy", b"renam") > 0);
    let Some((x, y, result)) = run(&code, "renam") else { return };
    assert_eq!(bits(&result), bits(&expected(&x, &y)));
}
