//! Arrays of the crate `ndarray`, to and from device memory.

use crate::{DeviceBuffer, Error, Extent, PitchedBuffer, Result, Stream};
use bytemuck::Pod;
use ndarray::{Array, Array2, ArrayBase, Data, Dimension, Ix2, ShapeBuilder};

impl<T: Pod> DeviceBuffer<T> {
    /// A copy of an array's elements, in the order of its indices: the last one varies fastest. An array that does not lie in
    /// memory so is copied on the host first.
    ///
    /// ```no_run
    /// # let stream = hip::Device::first()?.stream()?;
    /// let matrix = ndarray::array![[1.0f32, 2.0], [3.0, 4.0]];
    /// let buffer = hip::DeviceBuffer::from_array(&stream, &matrix.t())?;
    /// assert_eq!(buffer.to_vec(&stream)?, [1.0, 3.0, 2.0, 4.0]);
    /// assert_eq!(buffer.to_array(&stream, (2, 2))?, matrix.t());
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`DeviceBuffer::from_slice`].
    pub fn from_array<S: Data<Elem = T>, D: Dimension>(
        stream: &Stream,
        array: &ArrayBase<S, D>,
    ) -> Result<Self> {
        match array.as_slice() {
            Some(elements) => Self::from_slice(stream, elements),
            None => Self::from_slice(stream, &array.iter().copied().collect::<Vec<T>>()),
        }
    }

    /// A copy of the elements as an array of that shape.
    ///
    /// # Errors
    /// [`ErrorKind::Length`](crate::ErrorKind::Length) when the shape has another number of elements; those of
    /// [`DeviceBuffer::to_vec`].
    pub fn to_array<D: Dimension>(
        &self,
        stream: &Stream,
        shape: impl ShapeBuilder<Dim = D>,
    ) -> Result<Array<T, D>> {
        let shape = shape.into_shape_with_order();
        let expected = shape.size();
        let elements = self.to_vec(stream)?;
        let actual = elements.len();
        Array::from_shape_vec(shape, elements)
            .map_err(|_| Error::length("the shape of an array", expected, actual))
    }
}

impl<T: Pod> PitchedBuffer<T> {
    /// A copy of a matrix: its columns lie along x, its rows along y.
    ///
    /// # Errors
    /// Those of [`PitchedBuffer::from_slice`].
    pub fn from_array<S: Data<Elem = T>>(stream: &Stream, matrix: &ArrayBase<S, Ix2>) -> Result<Self> {
        let (rows, columns) = matrix.dim();
        let ordered = matrix.as_standard_layout();
        Self::from_slice(stream, (columns, rows), ordered.as_slice().unwrap_or_default())
    }

    /// A copy of the elements as a matrix; planes lie below each other.
    ///
    /// # Errors
    /// Those of [`PitchedBuffer::to_vec`].
    pub fn to_array(&self, stream: &Stream) -> Result<Array2<T>> {
        let Extent { width, height, depth } = self.extent();
        let elements = self.to_vec(stream)?;
        let len = elements.len();
        Array2::from_shape_vec((height * depth, width), elements)
            .map_err(|_| Error::length("a matrix", height * depth * width, len))
    }
}
