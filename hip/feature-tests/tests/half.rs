//! The feature `half`.

use hip::half::{bf16, f16};
use hip::texture::{Array, Texture, TextureOptions};
use hip::{DeviceBuffer, In, Params};
use hip_feature_tests::stream;

/// Compiles for parameters of a kernel only.
fn are_parameters<P: Params>() {}

#[test]
fn halves_are_elements_arguments_and_texels() {
    let (simulation, stream) = stream();
    // The program's own dependency is the same crate.
    let halves = [1.5, -2.25].map(half::f16::from_f32);
    assert_eq!(DeviceBuffer::from_slice(&stream, &halves).unwrap().to_vec(&stream).unwrap(), halves);
    let mut shorts = DeviceBuffer::<bf16>::uninit(stream.device(), 3).unwrap();
    stream.fill(&mut shorts, bf16::from_f32(0.5)).unwrap();
    assert_eq!(shorts.to_vec(&stream).unwrap(), [bf16::from_f32(0.5); 3]);
    are_parameters::<(f16, In<bf16>)>();
    let image = Array::from_slice(&stream, (2, 2), &[[f16::ONE; 4]; 4]).unwrap();
    Texture::new(&image, TextureOptions::new()).unwrap();
    simulation.assert_clean();
}
