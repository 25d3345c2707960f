//! Addressing modes and filters (Vega ISA, "Image Sampler Definition").

use super::descriptor::{Clamp, Image, ImageType, Sampler, Select};

/// One read of an image: texel coordinates in, four register values out.
pub trait Texels {
    /// What can fail.
    type Error;

    /// The texel at these coordinates, decoded; the border has been dealt with.
    fn texel(&mut self, at: [u32; 3]) -> Result<[u32; 4], Self::Error>;
}

/// A texel coordinate after its addressing mode: inside the image, or the border.
fn resolve(clamp: Clamp, at: i64, size: u32) -> Option<u32> {
    let n = i64::from(size);
    let inside = (0..n).contains(&at);
    let mirrored = if at < 0 { -1 - at } else { at };
    let edge = |at: i64| Some(at.clamp(0, n - 1) as u32);
    match clamp {
        Clamp::Wrap => Some(at.rem_euclid(n) as u32),
        Clamp::Mirror => {
            let period = at.rem_euclid(2 * n);
            Some(period.min(2 * n - 1 - period) as u32)
        }
        Clamp::LastTexel => edge(at),
        Clamp::MirrorOnceLastTexel => edge(mirrored),
        Clamp::Border => inside.then_some(at as u32),
        Clamp::MirrorOnceBorder => (mirrored < n).then_some(mirrored as u32),
    }
}

/// The two texels of one dimension and the weight of the second, in 256ths.
#[derive(Clone, Copy)]
struct Taps {
    at: [i64; 2],
    weight: u32,
}

/// Texels per unit of weight: the card interpolates with eight fraction bits.
const WEIGHTS: f64 = 256.0;

fn taps(coordinate: f32, size: u32, unnormalized: bool, linear: bool, offset: i32) -> Taps {
    let coordinate = f64::from(if coordinate.is_finite() { coordinate } else { 0.0 });
    let scaled = if unnormalized { coordinate } else { coordinate * f64::from(size) };
    // Far outside, only the addressing mode matters: the bound keeps the integer arithmetic exact.
    let scaled = scaled.clamp(-1e9, 1e9);
    if !linear {
        let at = scaled.floor() as i64 + i64::from(offset);
        return Taps { at: [at, at], weight: 0 };
    }
    let fixed = ((scaled - 0.5) * WEIGHTS).round_ties_even() as i64;
    let at = fixed.div_euclid(WEIGHTS as i64) + i64::from(offset);
    Taps { at: [at, at + 1], weight: fixed.rem_euclid(WEIGHTS as i64) as u32 }
}

/// What a sample asks for, besides its coordinates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// Texel offsets.
    pub offset: [i32; 3],
    /// The reference value of a comparing sample.
    pub reference: Option<f32>,
    /// Gathers this component of the four texels instead of filtering.
    pub gather: Option<u8>,
}

/// Samples the image's first level. Coordinates as the instruction has them: scaled dimensions first, then the
/// layer or face.
pub fn sample<T: Texels>(
    image: &Image,
    sampler: &Sampler,
    coordinates: [f32; 3],
    request: &Request,
    texels: &mut T,
) -> Result<[u32; 4], T::Error> {
    let integer = image.format.is_some_and(|format| format.is_integer());
    let linear = (sampler.linear.0 || request.gather.is_some()) && (!integer || request.gather.is_some());
    let dimensions = image.kind.dimensions();
    let size = [image.width, image.height, image.depth];
    let mut axis = [Taps { at: [0, 0], weight: 0 }; 3];
    for n in 0..dimensions {
        let linear = linear && (n < 2 || sampler.z_linear.unwrap_or(true));
        axis[n] = taps(coordinates[n], size[n], sampler.unnormalized, linear, request.offset[n]);
    }
    let layer = (image.kind.coordinates() > dimensions).then(|| {
        let last = if image.kind == ImageType::Cube { 5 } else { image.depth.saturating_sub(1) };
        coordinates[dimensions].round_ties_even().clamp(0.0, last as f32) as u32
    });
    let mut fetch = |corner: usize| -> Result<[u32; 4], T::Error> {
        let mut at = [0; 3];
        for n in 0..dimensions {
            match resolve(sampler.clamp[n], axis[n].at[corner >> n & 1], size[n]) {
                Some(inside) => at[n] = inside,
                None => return Ok(border(image, sampler)),
            }
        }
        if let Some(layer) = layer {
            // A 1-D array keeps its layers where other images keep slices.
            at[2] = layer;
        }
        let mut texel = texels.texel(at)?;
        if let Some(reference) = request.reference {
            texel[0] = compare(sampler.compare, reference, f32::from_bits(texel[0]));
        }
        Ok(texel)
    };
    if let Some(component) = request.gather {
        // Counter-clockwise from the lower left texel, as graphics interfaces define it.
        let component = usize::from(component & 3);
        let mut result = [0; 4];
        for (to, corner) in result.iter_mut().zip([2, 3, 1, 0]) {
            *to = select(image, fetch(corner)?)[component];
        }
        return Ok(result);
    }
    if !linear {
        return Ok(select(image, fetch(0)?));
    }
    let mut sum = [0f64; 4];
    for corner in 0..1usize << dimensions {
        let weight = (0..dimensions).fold(1f64, |weight, n| {
            let second = f64::from(axis[n].weight) / WEIGHTS;
            weight * if corner >> n & 1 == 1 { second } else { 1.0 - second }
        });
        if weight == 0.0 {
            continue;
        }
        for (sum, texel) in sum.iter_mut().zip(fetch(corner)?) {
            *sum += weight * f64::from(f32::from_bits(texel));
        }
    }
    Ok(select(image, sum.map(|value| (value as f32).to_bits())))
}

fn border(image: &Image, sampler: &Sampler) -> [u32; 4] {
    let integer = image.format.is_some_and(|format| format.is_integer());
    sampler.border.map(|value| if integer { value as u32 } else { value.to_bits() })
}

fn compare(function: u8, reference: f32, texel: f32) -> u32 {
    // Never, less, equal, less or equal, greater, not equal, greater or equal, always.
    let wanted = match reference.partial_cmp(&texel) {
        Some(std::cmp::Ordering::Less) => 1,
        Some(std::cmp::Ordering::Equal) => 2,
        Some(std::cmp::Ordering::Greater) => 4,
        None => return if function == 7 { 1f32.to_bits() } else { 0 },
    };
    if function & wanted != 0 { 1f32.to_bits() } else { 0 }
}

/// The result's components as the descriptor selects them.
pub fn select(image: &Image, texel: [u32; 4]) -> [u32; 4] {
    let one = image.format.map_or(0, |format| format.one());
    image.select.map(|from| match from {
        Select::Zero => 0,
        Select::One => one,
        Select::Component(n) => texel[usize::from(n & 3)],
    })
}

/// Register values to texel components: the inverse of [`select`] for stores.
pub fn unselect(image: &Image, values: [u32; 4]) -> [u32; 4] {
    let mut texel = [0; 4];
    for (from, value) in image.select.iter().zip(values).rev() {
        if let Select::Component(n) = from {
            texel[usize::from(n & 3)] = value;
        }
    }
    texel
}
