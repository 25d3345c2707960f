//! Cube map coordinates (Vega ISA, V_CUBEID_F32 and its siblings).

use super::arith;
use super::format::Format;
use super::mode::Mode;

/// The axis of the largest magnitude, z before y before x.
enum Major {
    X,
    Y,
    Z,
}

fn major([x, y, z]: [u32; 3]) -> Major {
    let size = |bits: u32| f32::from_bits(bits & 0x7fff_ffff);
    if size(z) >= size(x) && size(z) >= size(y) {
        Major::Z
    } else if size(y) >= size(x) {
        Major::Y
    } else {
        Major::X
    }
}

fn below_zero(bits: u32) -> bool {
    f32::from_bits(bits) < 0.0
}

const SIGN: u32 = 1 << 31;

/// The face: 0 and 1 for +x and -x, 2 and 3 for y, 4 and 5 for z, as binary32.
pub fn face(v: [u32; 3]) -> u32 {
    let [x, y, z] = v;
    let (base, axis) = match major(v) {
        Major::X => (0.0f32, x),
        Major::Y => (2.0, y),
        Major::Z => (4.0, z),
    };
    (base + if below_zero(axis) { 1.0 } else { 0.0 }).to_bits()
}

/// The S coordinate on the face.
pub fn s(v: [u32; 3]) -> u32 {
    let [x, _, z] = v;
    match major(v) {
        Major::Z if below_zero(z) => x ^ SIGN,
        Major::Z | Major::Y => x,
        Major::X if below_zero(x) => z,
        Major::X => z ^ SIGN,
    }
}

/// The T coordinate on the face.
pub fn t(v: [u32; 3]) -> u32 {
    let [_, y, z] = v;
    match major(v) {
        Major::Y if below_zero(y) => z ^ SIGN,
        Major::Y => z,
        Major::X | Major::Z => y ^ SIGN,
    }
}

/// Twice the major axis.
pub fn major_axis(v: [u32; 3], mode: Mode) -> u32 {
    let [x, y, z] = v;
    let axis = match major(v) {
        Major::X => x,
        Major::Y => y,
        Major::Z => z,
    };
    arith::add(Format::F32, axis.into(), axis.into(), mode) as u32
}
