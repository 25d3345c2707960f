//! Textures and surfaces, as kernels see them.

use crate::{TEXTURES, device};
use hip::texture::{
    AddressMode, Array, Filter, MipmappedArray, ReadMode, Surf, Surface, Tex, Texel, Texture, TextureOptions,
};
use hip::{DeviceBuffer, ErrorKind, Kernel, LaunchConfig, Module, PitchedBuffer, Shapes, Stream};

hip::kernel! {
    /// Reads elements where they are.
    pub(crate) struct Fetch = "fetch"(Tex, &mut [f32], i32, i32) in TEXTURES;
    /// Samples in normalised coordinates.
    struct Sample = "sample"(Tex, &mut [f32], i32, i32) in TEXTURES;
    /// Adds 1 to every element.
    struct Increment = "increment"(Surf, i32, i32) in TEXTURES;
}

/// The promise of both kernels that read: they write out[0..width * height].
macro_rules! vouch {
    ($($kernel:ty),*) => {$(
        // SAFETY: the texture units stay within the texture; out is guarded by the extent. Launches here are small.
        unsafe impl hip::Vouched for $kernel {
            fn check(_: &LaunchConfig, &(_, out, w, h): &Shapes<Self>) -> Result<(), &'static str> {
                hip::require(w >= 0 && h >= 0 && w as usize * h as usize <= out, "out is too small")
            }
        }
    )*};
}

vouch!(Fetch, Sample);

// SAFETY: the texture units stay within the surface.
unsafe impl hip::Vouched for Increment {
    fn check(_: &LaunchConfig, _: &Shapes<Self>) -> Result<(), &'static str> {
        Ok(())
    }
}

const GRID: ((u32, u32), (u32, u32)) = ((2, 2), (16, 16));

fn read<K>(stream: &Stream, texture: &Texture<impl Texel>, (width, height): (i32, i32)) -> Vec<f32>
where
    K: hip::Vouched + hip::Embedded + hip::Signature<Params = (Tex, hip::InOut<f32>, i32, i32)>,
{
    let kernel: Kernel<K> = Module::from_static(stream.device(), TEXTURES).unwrap().kernel().unwrap();
    let mut out = DeviceBuffer::<f32>::zeroed(stream, (width * height) as usize).unwrap();
    let config = LaunchConfig::new(GRID.0, GRID.1);
    kernel.launch(stream, config, (texture, &mut out, width, height)).unwrap();
    out.to_vec(stream).unwrap()
}

fn stream() -> Option<Stream> {
    Some(device()?.stream().unwrap())
}

/// Numbers that are different in every place, and small enough to be exact.
fn image(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 7 % 64) as f32 / 4.0).collect()
}

#[test]
fn arrays_are_fetched_where_they_are() {
    let Some(stream) = stream() else { return };
    for (width, height) in [(1, 1), (5, 3), (32, 32), (31, 17)] {
        let elements = image(width * height);
        let array = Array::from_slice(&stream, (width, height), &elements).unwrap();
        let texture = Texture::new(&array, TextureOptions::new()).unwrap();
        assert_eq!(
            read::<Fetch>(&stream, &texture, (width as i32, height as i32)),
            elements,
            "{width} {height}"
        );
    }
}

#[test]
fn pitched_buffers_are_fetched_where_they_are() {
    let Some(stream) = stream() else { return };
    let elements = image(29 * 13);
    let buffer = PitchedBuffer::from_slice(&stream, (29, 13), &elements).unwrap();
    let texture = Texture::from_pitched(buffer, TextureOptions::new()).unwrap();
    assert_eq!(read::<Fetch>(&stream, &texture, (29, 13)), elements);
}

#[test]
fn fractions_and_edges() {
    let Some(stream) = stream() else { return };
    let array = Array::<u8>::from_slice(&stream, (2, 2), &[0, 255, 51, 204]).unwrap();
    let options = TextureOptions::new().read(ReadMode::Normalized);
    let clamped = Texture::new(&array, options).unwrap();
    let expected = [0.0, 1.0, 1.0, 0.2, 0.8, 0.8, 0.2, 0.8, 0.8];
    let result = read::<Fetch>(&stream, &clamped, (3, 3));
    assert!(result.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{result:?}");
    let bordered = Texture::new(&array, options.address(AddressMode::Border)).unwrap();
    let expected = [0.0, 1.0, 0.0, 0.2, 0.8, 0.0, 0.0, 0.0, 0.0];
    let result = read::<Fetch>(&stream, &bordered, (3, 3));
    assert!(result.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{result:?}");
}

#[test]
fn linear_filters_take_the_mean_of_neighbours() {
    let Some(stream) = stream() else { return };
    let array = Array::<f32>::from_slice(&stream, (2, 2), &[0.0, 4.0, 8.0, 12.0]).unwrap();
    let options = TextureOptions::new().normalized_coordinates(true).filter(Filter::Linear);
    let texture = Texture::new(&array, options).unwrap();
    // Four samples along each side of two elements: at 1/8, 3/8, 5/8 and 7/8, between their centres at 1/4 and 3/4.
    let along = [0.0, 0.25, 0.75, 1.0f32];
    let expected: Vec<f32> = along.iter().flat_map(|y| along.map(|x| 4.0 * x + 8.0 * y)).collect();
    assert_eq!(read::<Sample>(&stream, &texture, (4, 4)), expected);
}

#[test]
fn surfaces_are_written_in_place() {
    let Some(stream) = stream() else { return };
    let elements = image(21 * 9);
    let array = Array::from_slice(&stream, (21, 9), &elements).unwrap();
    let surface = Surface::new(&array).unwrap();
    let kernel: Kernel<Increment> = Module::from_static(stream.device(), TEXTURES).unwrap().kernel().unwrap();
    for round in 1..4 {
        kernel.launch(&stream, LaunchConfig::new(GRID.0, GRID.1), (&surface, 21, 9)).unwrap();
        let expected: Vec<f32> = elements.iter().map(|value| value + round as f32).collect();
        assert_eq!(array.to_vec(&stream).unwrap(), expected);
    }
    // A texture of the same array sees what the surface wrote.
    let texture = Texture::new(&array, TextureOptions::new()).unwrap();
    kernel.launch(&stream, LaunchConfig::new(GRID.0, GRID.1), (&surface, 21, 9)).unwrap();
    let expected: Vec<f32> = elements.iter().map(|value| value + 4.0).collect();
    assert_eq!(read::<Fetch>(&stream, &texture, (21, 9)), expected);
}

/// AMD's runtime has mipmaps on Windows only: where there are none, the error says so.
#[test]
fn mipmaps_work_or_are_not_supported() {
    let Some(stream) = stream() else { return };
    match MipmappedArray::<f32>::uninit(stream.device(), (16, 16), 3) {
        Ok(array) => stream.upload_region(&[1.0; 64], array.level_mut(1).unwrap()).unwrap(),
        Err(error) => {
            assert_eq!((error.kind(), error.call()), (&ErrorKind::Hip, Some("hipMallocMipmappedArray")));
        }
    }
}

#[test]
fn a_graph_does_not_take_what_it_cannot_own() {
    let Some(stream) = stream() else { return };
    let device = stream.device();
    let kernel: Kernel<Fetch> = Module::from_static(device, TEXTURES).unwrap().kernel().unwrap();
    let buffer = DeviceBuffer::from_slice(&stream, &image(64)).unwrap();
    let texture = Texture::from_buffer(buffer, TextureOptions::new()).unwrap();
    let mut out = DeviceBuffer::<f32>::zeroed(&stream, 64).unwrap();
    let config = LaunchConfig::new(1, 64);
    let mut graph = hip::Graph::new(device).unwrap();
    let error = graph.kernel(&kernel, config, (&texture, &mut out, 64, 1), &[]).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotOwnable);
    let captured =
        hip::Graph::capture(device, |capture| kernel.launch(capture, config, (&texture, &mut out, 64, 1)));
    assert_eq!(captured.unwrap_err().kind(), &ErrorKind::NotOwnable);
    // Nothing of it ran, and the stream works on.
    assert_eq!(out.to_vec(&stream).unwrap(), [0.0; 64]);
    stream.fill(&mut out, 2.0).unwrap();
    assert_eq!(out.to_vec(&stream).unwrap(), [2.0; 64]);
}
