//! The feature `num-complex`.

use hip::num_complex::Complex;
use hip::{DeviceBuffer, In, Params};
use hip_feature_tests::stream;

/// Compiles for parameters of a kernel only.
fn are_parameters<P: Params>() {}

#[test]
fn complex_numbers_are_elements_and_arguments() {
    let (simulation, stream) = stream();
    let numbers = [Complex::new(1.0f32, -1.0), Complex::new(0.0, 2.0)];
    assert_eq!(DeviceBuffer::from_slice(&stream, &numbers).unwrap().to_vec(&stream).unwrap(), numbers);
    let mut doubles = DeviceBuffer::<Complex<f64>>::uninit(stream.device(), 3).unwrap();
    stream.fill(&mut doubles, Complex::new(1.0, 2.0)).unwrap();
    assert_eq!(doubles.to_vec(&stream).unwrap(), [Complex::new(1.0, 2.0); 3]);
    are_parameters::<(Complex<f32>, In<Complex<f64>>)>();
    simulation.assert_clean();
}
