//! The types of other crates, on the simulated runtime: the features `half`, `num-complex`, `ndarray` and `serde`.

use hip::fault::{Config, Simulation};
use hip::half::{bf16, f16};
use hip::ndarray::{Array2, array, s};
use hip::num_complex::Complex;
use hip::{
    DeviceBuffer, ErrorCode, ErrorKind, In, LaunchConfig, Params, Properties, Stream, Timeline, Version,
};

fn stream() -> (Simulation, Stream) {
    let simulation = Simulation::new(Config::default());
    let stream = simulation.runtime().unwrap().device(0).unwrap().stream().unwrap();
    (simulation, stream)
}

/// Compiles for parameters of a kernel only.
fn are_parameters<P: Params>() {}

#[test]
fn halves_and_complex_numbers_are_elements_and_arguments() {
    let (_simulation, stream) = stream();
    let halves = [1.5, -2.25].map(f16::from_f32);
    assert_eq!(DeviceBuffer::from_slice(&stream, &halves).unwrap().to_vec(&stream).unwrap(), halves);
    let mut shorts = DeviceBuffer::<bf16>::uninit(stream.device(), 3).unwrap();
    stream.fill(&mut shorts, bf16::from_f32(0.5)).unwrap();
    assert_eq!(shorts.to_vec(&stream).unwrap(), [bf16::from_f32(0.5); 3]);
    let numbers = [Complex::new(1.0f32, -1.0), Complex::new(0.0, 2.0)];
    assert_eq!(DeviceBuffer::from_slice(&stream, &numbers).unwrap().to_vec(&stream).unwrap(), numbers);
    let mut doubles = DeviceBuffer::<Complex<f64>>::uninit(stream.device(), 3).unwrap();
    stream.fill(&mut doubles, Complex::new(1.0, 2.0)).unwrap();
    assert_eq!(doubles.to_vec(&stream).unwrap(), [Complex::new(1.0, 2.0); 3]);
    are_parameters::<(f16, Complex<f32>, In<bf16>, In<Complex<f64>>)>();
}

#[test]
fn arrays_go_up_and_come_down_in_the_order_of_their_indices() {
    let (_simulation, stream) = stream();
    let matrix = array![[1, 2, 3], [4, 5, 6]];
    let buffer = DeviceBuffer::from_array(&stream, &matrix).unwrap();
    assert_eq!(buffer.to_array(&stream, (2, 3)).unwrap(), matrix);
    let columns: Array2<i32> = DeviceBuffer::from_array(&stream, &matrix.slice(s![.., 1..]))
        .unwrap()
        .to_array(&stream, (2, 2))
        .unwrap();
    assert_eq!(columns, array![[2, 3], [5, 6]]);
    let turned = DeviceBuffer::from_array(&stream, &matrix.t()).unwrap();
    assert_eq!(turned.to_vec(&stream).unwrap(), [1, 4, 2, 5, 3, 6]);
    let error = buffer.to_array(&stream, (2, 2)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Length { expected: 4, actual: 6 });
}

#[test]
fn descriptions_are_written_and_read() {
    fn both_ways<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
        value: &T,
    ) -> String {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
        text
    }
    let (_simulation, stream) = stream();
    let properties: &Properties = stream.device().properties().unwrap();
    assert!(both_ways(properties).contains("\"target_id\":\"gfx900:xnack-\""));
    assert_eq!(
        both_ways(&Version { major: 5, minor: 2, patch: 21153 }),
        r#"{"major":5,"minor":2,"patch":21153}"#
    );
    both_ways(&LaunchConfig::new((2, 3), 64).shared_bytes(16));
    both_ways(&stream.device().memory_info().unwrap());
    assert_eq!(both_ways(&ErrorCode::ILLEGAL_ADDRESS), "700");
    let timeline = Timeline::start(stream.runtime()).unwrap();
    drop(timeline.span("a span"));
    let trace = serde_json::to_value(timeline.finish().unwrap()).unwrap();
    assert_eq!(trace["spans"][0]["name"], "a span");
}
