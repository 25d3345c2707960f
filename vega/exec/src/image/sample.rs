//! Addressing modes and filters (Vega ISA, "Image Sampler Definition").

use super::descriptor::{Clamp, Image, ImageType, Reduction, Sampler, Select};

/// One read of an image: level and texel coordinates in, four register values out.
pub trait Texels {
    /// What can fail.
    type Error;

    /// The texel at these coordinates, decoded; the border has been dealt with.
    fn texel(&mut self, level: u32, at: [u32; 3]) -> Result<[u32; 4], Self::Error>;
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

fn taps(coordinate: f32, size: u32, sampler: &Sampler, linear: bool, offset: i32) -> Taps {
    let coordinate = f64::from(if coordinate.is_finite() { coordinate } else { 0.0 });
    let scaled = if sampler.unnormalized { coordinate } else { coordinate * f64::from(size) };
    // Far outside, only the addressing mode matters: the bound keeps the integer arithmetic exact.
    let scaled = scaled.clamp(-1e9, 1e9);
    // Texel coordinates have eight fraction bits, rounded unless the sampler asks for truncation.
    let fixed = |x: f64| if sampler.truncate { x.floor() } else { x.round_ties_even() } as i64;
    if !linear {
        let at = fixed(scaled * WEIGHTS).div_euclid(WEIGHTS as i64) + i64::from(offset);
        return Taps { at: [at, at], weight: 0 };
    }
    let fixed = fixed((scaled - 0.5) * WEIGHTS);
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
    /// The level of detail with its bias, before it is clamped.
    pub lod: f32,
    /// The least level of detail that the instruction allows.
    pub least_lod: f32,
}

/// The levels that a sample reads: the first one, the weight of the next one in 256ths, and whether texels are magnified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// The first level.
    pub first: u32,
    /// The second level's weight.
    pub weight: u32,
    /// Texels are magnified.
    pub magnified: bool,
    /// The clamped level of detail.
    pub lod: f32,
}

/// Clamps a level of detail and finds the levels to read.
pub fn levels(image: &Image, sampler: &Sampler, request: &Request) -> Levels {
    let (base, last) = (image.levels.0, image.levels.1.max(image.levels.0));
    let least = sampler.lod.0.max(request.least_lod);
    let lod = if request.lod.is_nan() { 0.0 } else { request.lod };
    let lod = lod.min(sampler.lod.1).max(least);
    // The view's own minimum counts from the surface's first level.
    let lod = lod.max(image.min_lod - base as f32).min((last - base) as f32);
    let magnified = lod <= 0.0;
    let positive = lod.max(0.0);
    let (first, weight) = match sampler.mip_linear {
        None => (0, 0),
        Some(false) => ((positive + 0.5).floor() as u32, 0),
        Some(true) => (positive as u32, (positive.fract() * 256.0) as u32),
    };
    let first = base.saturating_add(first).min(last);
    Levels { first, weight: if first == last { 0 } else { weight }, magnified, lod }
}

/// Samples the image. Coordinates as the instruction has them: scaled dimensions first, then the layer or face.
///
/// Filters are isotropic: samplers that ask for more than one sample along the longer axis get one.
pub fn sample<T: Texels>(
    image: &Image,
    sampler: &Sampler,
    coordinates: [f32; 3],
    request: &Request,
    texels: &mut T,
) -> Result<[u32; 4], T::Error> {
    let Levels { first, weight, magnified, .. } = levels(image, sampler, request);
    let near = one_level(image, sampler, coordinates, request, texels, first, magnified)?;
    if weight == 0 || request.gather.is_some() || image.format.is_some_and(|format| format.is_integer()) {
        return Ok(near);
    }
    let far = one_level(image, sampler, coordinates, request, texels, first + 1, magnified)?;
    let blend = |(near, far): (u32, u32)| {
        let (near, far) = (f64::from(f32::from_bits(near)), f64::from(f32::from_bits(far)));
        (near + (far - near) * f64::from(weight) / WEIGHTS) as f32
    };
    Ok(std::array::from_fn(|n| blend((near[n], far[n])).to_bits()))
}

/// Samples one level.
fn one_level<T: Texels>(
    image: &Image,
    sampler: &Sampler,
    coordinates: [f32; 3],
    request: &Request,
    texels: &mut T,
    level: u32,
    magnified: bool,
) -> Result<[u32; 4], T::Error> {
    let integer = image.format.is_some_and(|format| format.is_integer());
    let filter = if magnified { sampler.linear.0 } else { sampler.linear.1 };
    let linear = (filter || request.gather.is_some()) && (!integer || request.gather.is_some());
    let dimensions = image.kind.dimensions();
    let shrunk = |n: u32| (n >> level).max(1);
    let size = [shrunk(image.width), shrunk(image.height), shrunk(image.depth)];
    let mut axis = [Taps { at: [0, 0], weight: 0 }; 3];
    for n in 0..dimensions {
        let linear = linear && (n < 2 || sampler.z_linear.unwrap_or(true));
        // Coordinates on a cube's face have one added, so that they are positive.
        let coordinate = coordinates[n] - if image.kind == ImageType::Cube { 1.0 } else { 0.0 };
        axis[n] = taps(coordinate, size[n], sampler, linear, request.offset[n]);
    }
    let layer = (image.kind.coordinates() > dimensions).then(|| {
        let given = coordinates[dimensions].round_ties_even();
        image.layer(if given > 0.0 { given as u32 } else { 0 })
    });
    let clamp = |n: usize| if image.kind == ImageType::Cube { Clamp::LastTexel } else { sampler.clamp[n] };
    let mut fetch = |corner: usize| -> Result<[u32; 4], T::Error> {
        let mut at = [0; 3];
        for n in 0..dimensions {
            match resolve(clamp(n), axis[n].at[corner >> n & 1], size[n]) {
                Some(inside) => at[n] = inside,
                None => return Ok(border(image, sampler)),
            }
        }
        if let Some(layer) = layer {
            // A 1-D array keeps its layers where other images keep slices.
            at[2] = layer;
        }
        let mut texel = texels.texel(level, at)?;
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
    let mut sum: Option<[f64; 4]> = None;
    for corner in 0..1usize << dimensions {
        let weight = (0..dimensions).fold(1f64, |weight, n| {
            let second = f64::from(axis[n].weight) / WEIGHTS;
            weight * if corner >> n & 1 == 1 { second } else { 1.0 - second }
        });
        if weight == 0.0 {
            continue;
        }
        let texel = fetch(corner)?.map(|bits| f64::from(f32::from_bits(bits)));
        sum = Some(match (sum, sampler.reduction) {
            (None, Reduction::Blend) => texel.map(|value| weight * value),
            (None, _) => texel,
            (Some(sum), Reduction::Blend) => std::array::from_fn(|n| sum[n] + weight * texel[n]),
            (Some(sum), Reduction::Min) => std::array::from_fn(|n| sum[n].min(texel[n])),
            (Some(sum), Reduction::Max) => std::array::from_fn(|n| sum[n].max(texel[n])),
        });
    }
    Ok(select(image, sum.unwrap_or_default().map(|value| (value as f32).to_bits())))
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
