//! The Mandelbrot set, computed on the device and written as a PNG.
//!
//! `--width W`, `--height H` and `--limit L` change the size and the number of iterations; `--output FILE` says where the
//! picture goes (default: mandelbrot.png in the folder for temporary files).

mod support;

use hip::{Device, DeviceBuffer, Event, LaunchConfig};
use hip_vega::mandelbrot;
use std::path::PathBuf;
use support::Failure;

fn main() -> Result<(), Failure> {
    let (width, height) = (support::option("width", 320)?, support::option("height", 200)?);
    let limit = u32::try_from(support::option("limit", 100)?)?;
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = mandelbrot::Kernels::load(device)?;

    let (w, h) = (i32::try_from(width)?, i32::try_from(height)?);
    // The set lies between -2 and 0.5 along the real axis.
    let scale = (2.6 / width as f32).max(2.4 / height as f32);
    let (left, top) = (-0.75 - scale * width as f32 / 2.0, -scale * height as f32 / 2.0);
    let mut counts = DeviceBuffer::<u32>::uninit(device, width * height)?;
    let (start, stop) = (Event::new(device)?, Event::new(device)?);
    let config = LaunchConfig::new((w.unsigned_abs().div_ceil(16), h.unsigned_abs().div_ceil(16)), (16, 16));
    start.record(&stream)?;
    kernels.mandelbrot(&stream, config, &mut counts, w, h, left, top, scale, limit)?;
    stop.record(&stream)?;
    let counts = counts.to_vec(&stream)?;
    let (seconds, note) = support::seconds(device, start.elapsed_until(&stop)?, 1)?;
    println!("{:.1} million pixels per second{note}", (width * height) as f64 / seconds / 1e6);

    // The kernel rounds every product and sum by itself, as Rust does: the numbers must be the same.
    let wrong = (0..width * height).find(|&i| {
        let (a, b) = (left + (i % width) as f32 * scale, top + (i / width) as f32 * scale);
        counts[i] != iterations(a, b, limit)
    });
    if let Some(i) = wrong {
        return Err(format!("pixel ({}, {}) differs from the host's", i % width, i / width).into());
    }
    let path = output()?;
    write(&path, &counts, u32::try_from(width)?, u32::try_from(height)?, limit)?;
    println!("written to {}", path.display());
    Ok(())
}

/// What the kernel does for one pixel.
fn iterations(a: f32, b: f32, limit: u32) -> u32 {
    let (mut re, mut im, mut n) = (0.0f32, 0.0f32, 0);
    while n < limit && re * re + im * im <= 4.0 {
        (re, im) = (re * re - im * im + a, 2.0 * re * im + b);
        n += 1;
    }
    n
}

fn output() -> Result<PathBuf, Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--output");
    match (arguments.next(), arguments.next()) {
        (Some(_), Some(path)) => Ok(path.into()),
        (Some(_), None) => Err("--output needs a file".into()),
        _ => Ok(std::env::temp_dir().join("mandelbrot.png")),
    }
}

/// Points of the set are black, others the brighter the longer they stayed.
fn write(path: &PathBuf, counts: &[u32], width: u32, height: u32, limit: u32) -> Result<(), Failure> {
    let color = |&count: &u32| match f64::from(count) / f64::from(limit.max(1)) {
        t if t >= 1.0 => [0, 0, 0],
        t => {
            [(9.0 * (1.0 - t) * t * t * t), (15.0 * (1.0 - t).powi(2) * t * t), (8.5 * (1.0 - t).powi(3) * t)]
                .map(|channel| (255.0 * channel) as u8)
        }
    };
    let pixels: Vec<u8> = counts.iter().flat_map(color).collect();
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(std::fs::File::create(path)?), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(())
}
