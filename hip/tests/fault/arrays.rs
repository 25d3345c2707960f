//! Buffers in two and three dimensions, arrays, textures and surfaces.

use crate::errors::Group;
use crate::fake::{Config, Fake, ILLEGAL_ADDRESS};
use hip::fault::ARRAY_NAMES;
use hip::texture::{
    AddressMode, Array, ArrayKind, Filter, MipmappedArray, ReadMode, Surface, Texture, TextureOptions,
};
use hip::{DeviceBuffer, ErrorKind, Extent, PinnedBuffer, PitchedBuffer, Runtime, Stream};

fn stream(fake: &Fake) -> Stream {
    fake.runtime().device(0).unwrap().stream().unwrap()
}

fn numbers(len: usize) -> Vec<u16> {
    (0..len as u16).collect()
}

/// Calls every function of the group, in order, stopping at the first error.
fn everything(runtime: Runtime) -> hip::Result<()> {
    let stream = runtime.device(0)?.stream()?;
    let device = stream.device();
    let mut plane = PitchedBuffer::<u16>::from_slice(&stream, (5, 4), &numbers(20))?;
    stream.fill_region(plane.region_mut([0, 0, 0], (2, 2))?, 0x0101)?;
    let mut cube = PitchedBuffer::<u16>::zeroed(&stream, (5, 4, 3))?;
    stream.fill_region(cube.region_mut([0, 0, 1], (5, 4, 2))?, 0x0202)?;
    let array = Array::<u16>::from_slice(&stream, (5, 4), &numbers(20))?;
    let layers = Array::<u16>::with_kind(device, (5, 4, 3), ArrayKind::Layered)?;
    stream.copy_region(&cube, &layers)?;
    assert_eq!(layers.to_vec(&stream)?, cube.to_vec(&stream)?);
    let mip = MipmappedArray::<u16>::uninit(device, (8, 8), 4)?;
    stream.upload_region(&numbers(16), mip.level_mut(1)?)?;
    let texture = Texture::new(&array, TextureOptions::new())?;
    let surface = Surface::new(&array)?;
    drop((texture, surface));
    stream.synchronize()
}

const GROUP: Group = Group {
    names: ARRAY_NAMES,
    quiet: &["hipFreeArray", "hipFreeMipmappedArray", "hipDestroyTextureObject", "hipDestroySurfaceObject"],
    everything,
    config: Config::default,
};

#[test]
fn everything_works_when_nothing_fails() {
    GROUP.works_when_nothing_fails();
}

#[test]
fn every_failing_call_is_named_and_forgotten() {
    GROUP.names_failures_and_forgets_them();
}

#[test]
fn every_missing_function_is_named() {
    GROUP.names_missing_functions();
}

#[test]
fn boxes_go_up_come_down_and_stay_within() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let mut buffer = PitchedBuffer::<u16>::from_slice(&stream, (7, 5, 3), &numbers(105)).unwrap();
    assert_eq!(buffer.to_vec(&stream).unwrap(), numbers(105));
    assert_eq!((buffer.pitch(), buffer.view().len()), (128, 128 * 5 * 3));
    let mut few = [0; 8];
    stream.download_region(buffer.region([2, 1, 1], (2, 2, 2)).unwrap(), &mut few).unwrap();
    let at = |x: u16, y: u16, z: u16| (z * 5 + y) * 7 + x;
    let cube = |z| [at(2, 1, z), at(3, 1, z), at(2, 2, z), at(3, 2, z)];
    assert_eq!(few, [cube(1), cube(2)].concat()[..]);
    stream.upload_region(&[900, 901], buffer.region_mut([6, 4, 1], (1, 1, 2)).unwrap()).unwrap();
    let all = buffer.to_vec(&stream).unwrap();
    assert_eq!((all[usize::from(at(6, 4, 1))], all[usize::from(at(6, 4, 2))]), (900, 901));
    for (origin, extent) in [([7, 0, 0], (1, 1, 1)), ([0, 4, 0], (1, 2, 1)), ([0, 0, usize::MAX], (1, 1, 1))]
    {
        assert!(buffer.region(origin, extent).is_err(), "{origin:?}");
    }
    let wrong = stream.upload_region(&[0; 3], buffer.region_mut([0, 0, 0], (2, 1)).unwrap()).unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::Length { expected: 3, actual: 2 });
    fake.assert_clean();
}

#[test]
fn boxes_are_filled_whatever_the_value() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    for value in [0x0707u16, 0x1234] {
        let mut buffer = PitchedBuffer::<u16>::zeroed(&stream, (4, 3, 2)).unwrap();
        stream.fill_region(buffer.region_mut([1, 1, 0], (2, 2, 2)).unwrap(), value).unwrap();
        let plane = [0, 0, 0, 0, 0, value, value, 0, 0, value, value, 0];
        assert_eq!(buffer.to_vec(&stream).unwrap(), [plane, plane].concat());
    }
    let array = Array::<u16>::uninit(stream.device(), (4, 3)).unwrap();
    assert!(stream.fill_region(&array, 1).is_err());
}

#[test]
fn boxes_copied_beside_the_host() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let device = stream.device();
    let mut buffer = PitchedBuffer::<u16>::uninit(device, (10, 10)).unwrap();
    let host = PinnedBuffer::from_slice(device, &numbers(100)).unwrap();
    std::mem::forget(stream.upload_region_async(host, &mut buffer).unwrap());
    let back = stream.download_region_async(&buffer, vec![0; 100]).unwrap();
    assert_eq!(back.wait().unwrap(), numbers(100));
    let wrong = stream.upload_region_async(vec![0u16; 99], &mut buffer).unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::Length { expected: 99, actual: 100 });
    fake.assert_clean();
}

#[test]
fn no_elements_and_too_many() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let device = stream.device();
    let mut nothing = PitchedBuffer::<f32>::zeroed(&stream, (0, 5)).unwrap();
    stream.fill_region(&mut nothing, 1.0).unwrap();
    assert!(nothing.to_vec(&stream).unwrap().is_empty());
    let huge = (usize::MAX / 2, 3);
    assert_eq!(PitchedBuffer::<u8>::uninit(device, huge).unwrap_err().kind(), &ErrorKind::Overflow);
    assert_eq!(Array::<u8>::uninit(device, huge).unwrap_err().kind(), &ErrorKind::Overflow);
    assert!(matches!(Array::<u8>::uninit(device, (0, 3)).unwrap_err().kind(), ErrorKind::Length { .. }));
    let large = (2 << 20, 1);
    for null_on_oom in [false, true] {
        fake.set_null_on_oom(null_on_oom);
        let error = Array::<u8>::uninit(device, large).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::OutOfMemory { requested: 2 << 20 });
    }
}

#[test]
fn textures_keep_their_memory_and_wait_for_it() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    let device = stream.device();
    let array = Array::<[u8; 4]>::uninit(device, (4, 4)).unwrap();
    let texture = Texture::new(&array, TextureOptions::new().read(ReadMode::Normalized)).unwrap();
    stream.upload_region(&[[9; 4]; 16], &array).unwrap();
    drop(array);
    assert_eq!((texture.extent(), fake.count("hipFreeArray")), (Extent::from((4, 4)), 0));
    let pending = stream.upload_region_async(vec![[1u8; 4]; 16], &Array::uninit(device, (4, 4)).unwrap());
    drop(texture);
    assert_eq!(fake.count("hipDestroyTextureObject"), 1);
    drop(pending);
    assert_eq!(fake.count("hipFreeArray"), 2);
    fake.assert_clean();
}

#[test]
fn a_texture_that_cannot_be_destroyed_keeps_its_memory() {
    let fake = Fake::new(Config::default());
    let stream = stream(&fake);
    stream.runtime().on_drop_error(|_| ());
    let buffer = DeviceBuffer::<f32>::zeroed(&stream, 16).unwrap();
    let texture = Texture::from_buffer(buffer, TextureOptions::new()).unwrap();
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    drop(texture);
    assert_eq!((fake.count("hipDestroyTextureObject"), stream.device().cached_memory()), (0, 0));
    fake.heal("hipStreamSynchronize");
}

#[test]
fn textures_that_hardware_cannot_read_are_refused() {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let (linear, normalized) =
        (TextureOptions::new().filter(Filter::Linear), TextureOptions::new().read(ReadMode::Normalized));
    let bytes = Array::<u8>::uninit(device, 4).unwrap();
    let words = Array::<u32>::uninit(device, 4).unwrap();
    let floats = Array::<f32>::uninit(device, 4).unwrap();
    let both = normalized.filter(Filter::Linear).address(AddressMode::Border);
    assert!(Texture::new(&floats, linear).is_ok() && Texture::new(&bytes, both).is_ok());
    let refused = [
        Texture::new(&bytes, linear).unwrap_err(),
        Texture::new(&words, normalized).unwrap_err(),
        Texture::new(&floats, normalized).unwrap_err(),
        Texture::from_buffer(DeviceBuffer::<f32>::uninit(device, 0).unwrap(), linear).unwrap_err(),
        Texture::from_pitched(PitchedBuffer::<f32>::uninit(device, (4, 4, 4)).unwrap(), linear).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| error.kind() == &ErrorKind::Texture));
    assert_eq!(fake.count("hipCreateTextureObject"), 2);
}
