//! Textures and surfaces: an image is made larger by the texture units, and changed in place.
//!
//! `--width W` and `--height H` change the size of the result.

mod support;

use hip::texture::{AddressMode, Array, Filter, Surface, Texture, TextureOptions};
use hip::{Device, DeviceBuffer, LaunchConfig};
use hip_vega::textures;
use support::Failure;

/// A checkerboard of 8 x 8 elements.
const SIDE: usize = 8;

fn main() -> Result<(), Failure> {
    let (width, height) = (support::option("width", 64)?, support::option("height", 32)?);
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = textures::Kernels::load(device)?;

    let board: Vec<f32> = (0..SIDE * SIDE).map(|i| ((i / SIDE + i % SIDE) % 2) as f32).collect();
    let image = Array::from_slice(&stream, (SIDE, SIDE), &board)?;
    let options = TextureOptions::new().normalized_coordinates(true).address(AddressMode::Clamp);
    let (sharp, smooth) =
        (Texture::new(&image, options)?, Texture::new(&image, options.filter(Filter::Linear))?);

    let (w, h) = (i32::try_from(width)?, i32::try_from(height)?);
    let config = LaunchConfig::new((w.unsigned_abs().div_ceil(16), h.unsigned_abs().div_ceil(16)), (16, 16));
    let mut out = DeviceBuffer::<f32>::uninit(device, width * height)?;
    for (name, texture) in [("the nearest element", &sharp), ("the mean of neighbours", &smooth)] {
        kernels.sample(&stream, config, texture, &mut out, w, h)?;
        let result = out.to_vec(&stream)?;
        println!("{width} x {height} from {SIDE} x {SIDE}, {name}:");
        show(&result, width);
        let at = |x: usize, y: usize| board[y * SIDE / height * SIDE + x * SIDE / width];
        let exact = (0..width * height).all(|i| result[i] == at(i % width, i / width));
        let between = result.iter().any(|&value| value > 0.0 && value < 1.0);
        if name.starts_with("the nearest") && !exact {
            return Err("the texture units read other elements".into());
        }
        if name.starts_with("the mean") && width > SIDE && !between {
            return Err("the texture units took no mean".into());
        }
    }

    // A surface of the same array changes it in place; the textures see that.
    let surface = Surface::new(&image)?;
    let side = SIDE as i32;
    kernels.increment(&stream, LaunchConfig::new((1, 1), (8, 8)), &surface, side, side)?;
    kernels.sample(&stream, config, &sharp, &mut out, w, h)?;
    let brighter = out.to_vec(&stream)?;
    if brighter.iter().any(|&value| value != 1.0 && value != 2.0) {
        return Err("the texture does not see what the surface wrote".into());
    }
    println!("the texture sees what the surface wrote");
    Ok(())
}

/// Prints every fourth row as characters of different weight.
fn show(image: &[f32], width: usize) {
    for row in image.chunks(width).step_by(4) {
        let text: String = row
            .iter()
            .map(|value| match value {
                0.0..0.25 => ' ',
                0.25..0.5 => '.',
                0.5..0.75 => 'o',
                _ => '#',
            })
            .collect();
        println!("  {text}");
    }
}
