//! The features `ndarray` and `serde`, for memory.

use crate::fake::{Config, Fake};
use hip::memory::{IpcEventHandle, IpcMemoryHandle};
use hip::{Extent, PitchedBuffer, Stream};
use ndarray::{Array2, array};

fn stream() -> (Fake, Stream) {
    let fake = Fake::new(Config::default());
    let stream = fake.runtime().device(0).unwrap().stream().unwrap();
    (fake, stream)
}

#[test]
fn matrices_have_rows_along_y() {
    let (_fake, stream) = stream();
    let matrix = array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let buffer = PitchedBuffer::from_array(&stream, &matrix).unwrap();
    assert_eq!(buffer.extent(), Extent::from((3, 2)));
    assert_eq!(buffer.to_array(&stream).unwrap(), matrix);
    assert_eq!(
        PitchedBuffer::from_array(&stream, &matrix.t()).unwrap().to_array(&stream).unwrap(),
        matrix.t()
    );
    let nothing = Array2::<f32>::zeros((0, 3));
    assert_eq!(PitchedBuffer::from_array(&stream, &nothing).unwrap().to_array(&stream).unwrap(), nothing);
}

#[test]
fn what_serde_writes_it_reads() {
    fn there_and_back<
        T: serde::Serialize + for<'de> serde::Deserialize<'de> + PartialEq + std::fmt::Debug,
    >(
        value: T,
    ) {
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    }
    let (_fake, stream) = stream();
    let device = stream.device();
    there_and_back(Extent::from((3, 4, 5)));
    there_and_back(device.memory_statistics());
    there_and_back(device.stream_priorities().unwrap());
    there_and_back(IpcMemoryHandle::from_bytes(std::array::from_fn(|i| i as u8)));
    there_and_back(IpcEventHandle::from_bytes([200; 64]));
    assert!(serde_json::from_str::<IpcMemoryHandle>("[1, 2, 3]").is_err());
}
