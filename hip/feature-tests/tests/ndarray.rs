//! The feature `ndarray`.

use hip::ndarray::{Array2, array, s};
use hip::{DeviceBuffer, ErrorKind, Extent, PitchedBuffer};
use hip_feature_tests::stream;

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
fn matrices_have_rows_along_y() {
    let (_simulation, stream) = stream();
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
