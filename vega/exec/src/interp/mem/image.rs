//! MIMG instructions (Vega ISA, "Vector Memory Image Instructions").
//!
//! The descriptors are read each time; the addresses of a lane stand one after the other: offsets, bias, reference value,
//! derivatives, coordinates, level or least level.
//!
//! # Safety
//! The file uses safe indexing only; the handler is an `unsafe` function because all handlers share a type.

use vega_isa::memory::{Atomic, D16, ImageOp, Lod, Sample};
use vega_isa::{Flags, Inst, Micro};

use super::AtomicShape;
use super::components::{Components, number};
use super::coordinates::{Address, Cursor};
use super::flat::finish;
use super::lanes::LaneFault;
use crate::image::descriptor::Sampler;
use crate::image::layout::Level;
use crate::image::sample::{self, Request, Texels};
use crate::image::{Image as Descriptor, ImageType};
use crate::interp::level::{Handler, Vector};
use crate::interp::program::Details;
use crate::interp::record::{Record, code};
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;
use crate::memory::GuestFault;

/// Any MIMG instruction.
pub(crate) struct Image;

impl Handler for Image {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let result = match wave.program().and_then(|program| program.details(ip)) {
            Some(Details::Inst(inst)) => execute(wave, worker, record, inst),
            _ => Ok(()),
        };
        finish(worker, wave, ip, result)
    }
}

/// An instruction with its descriptors.
struct Access<'a> {
    inst: &'a Inst,
    /// `None` for a null descriptor.
    image: Option<Descriptor>,
    sampler: Sampler,
    /// The view's first level, which most accesses go to.
    base: Option<Level>,
    /// First address register.
    address: usize,
    /// First data register.
    data: usize,
    /// The slot of translations.
    cache: u16,
}

fn execute(wave: &mut Wave, worker: &mut Worker, record: &Record, inst: &Inst) -> Result<(), LaneFault> {
    let Micro::Image(operation) = inst.row.micro else { return Ok(()) };
    let words = |first: u16, n: usize| wave.s[(first as usize + n) % 144];
    let mut image = Descriptor::new(&std::array::from_fn(|n| words(record.src[1], n)));
    let mut sampler = [0; 4];
    if record.src[2] < 128 {
        sampler = std::array::from_fn(|n| words(record.src[2], n));
    }
    let degamma = sampler[0] >> 20 & 1 == 1;
    let mut sampler = Sampler::new(&sampler);
    sampler.unnormalized |= inst.modifiers.flags.has(Flags::UNORM);
    if let Some(format) = image.as_mut().and_then(|image| image.format.as_mut()).filter(|_| degamma) {
        *format = format.degamma();
    }
    let base = image.and_then(|image| Level::new(&image, image.levels.0, image.format?.size()));
    let access = Access {
        inst,
        image,
        base,
        sampler,
        address: record.src[0].wrapping_sub(code::VGPR) as usize,
        data: record.dst as usize,
        cache: record.cache,
    };
    let exec = wave.exec();
    wave.store_outstanding |= matches!(operation, ImageOp::Store { .. } | ImageOp::Atomic(_));
    let details = match operation {
        ImageOp::Sample(sample) => details_of_quads(wave, &access, sample),
        ImageOp::Lod => details_of_quads(wave, &access, IMPLICIT),
        _ => [0.0; 64],
    };
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        let done = match operation {
            ImageOp::Load { mip, raw, signed } => load(wave, worker, &access, lane, mip, raw, signed),
            ImageOp::Store { mip, raw } => store(wave, worker, &access, lane, mip, raw),
            ImageOp::Atomic(op) => atomic(wave, worker, &access, lane, op),
            ImageOp::Sample(sample) => sampled(wave, worker, &access, lane, sample, details[lane]),
            ImageOp::ResInfo => {
                information(wave, &access, lane);
                Ok(())
            }
            ImageOp::Lod => {
                level_of_detail(wave, &access, lane, details[lane]);
                Ok(())
            }
        };
        done.map_err(|fault| LaneFault { lane: lane as u32, fault })?;
        access.succeeded(wave, lane, operation);
    }
    Ok(())
}

/// What `image_get_lod` asks like.
const IMPLICIT: Sample =
    Sample { gather: false, compare: false, lod: Lod::Implicit, clamp: false, offset: false };

impl Access<'_> {
    fn cursor<'w>(&self, wave: &'w Wave, lane: usize) -> Cursor<'w> {
        Cursor::new(wave, lane, self.address, self.inst.modifiers.flags.has(Flags::A16))
    }

    /// Coordinates that the instruction gives: layers only where it declares an array.
    fn coordinates(&self, image: &Descriptor) -> usize {
        let all = image.kind.coordinates();
        let declared = self.inst.modifiers.flags.has(Flags::DA) || image.kind == ImageType::Cube;
        if declared { all } else { image.kind.dimensions() }
    }

    /// Integer coordinates as x, y and slice of the surface, and the level; `None` outside the view.
    fn texel(&self, wave: &Wave, lane: usize, image: &Descriptor, mip: bool) -> Option<([u32; 3], u32)> {
        let mut cursor = self.cursor(wave, lane);
        let mut at = [0; 3];
        let dimensions = image.kind.dimensions();
        for n in 0..self.coordinates(image) {
            at[if n < dimensions { n } else { 2 }] = cursor.component();
        }
        if image.kind.coordinates() > dimensions {
            let layer = image.layer(at[2]);
            if image.kind != ImageType::Cube && at[2].saturating_add(image.base_array) != layer {
                return None;
            }
            at[2] = layer;
        }
        let level = image.levels.0.saturating_add(if mip { cursor.component() } else { 0 });
        (level <= image.levels.1.max(image.levels.0)).then_some((at, level))
    }

    /// What a sampling instruction reads.
    fn sample_address(&self, wave: &Wave, lane: usize, image: &Descriptor, sample: Sample) -> Address {
        let cursor = self.cursor(wave, lane);
        Address::read(cursor, sample, image.kind.dimensions(), self.coordinates(image))
    }

    /// How a level lies in memory.
    fn level(&self, image: &Descriptor, level: u32) -> Option<Level> {
        if level == image.levels.0 { self.base } else { Level::new(image, level, image.format?.size()) }
    }

    /// Where a texel is; `None` outside the image.
    fn address(&self, image: &Descriptor, level: u32, at: [u32; 3]) -> Option<u64> {
        self.level(image, level)?.address(at)
    }

    fn d16(&self) -> D16 {
        if self.inst.modifiers.flags.has(Flags::D16) { D16::Packed } else { D16::No }
    }

    /// The components that dmask chooses, of four.
    fn chosen(&self) -> impl Iterator<Item = usize> + use<> {
        let mask = match self.inst.modifiers.dmask {
            0 => 1,
            mask => mask,
        };
        (0..4).filter(move |n| mask >> n & 1 == 1)
    }

    fn write(&self, wave: &mut Wave, lane: usize, values: [u32; 4], d16: D16) {
        let format = self.image.and_then(|image| image.format);
        let registers = Components { register: self.data, d16, number: number(format) };
        registers.write(wave, lane, self.chosen().map(|n| values[n]));
    }

    /// With TFE or LWE a register behind the data tells which lanes failed: none does, since nothing is partly resident.
    fn succeeded(&self, wave: &mut Wave, lane: usize, operation: ImageOp) {
        let flags = self.inst.modifiers.flags;
        if !matches!(operation, ImageOp::Store { .. }) && (flags.has(Flags::TFE) || flags.has(Flags::LWE)) {
            let gather = matches!(operation, ImageOp::Sample(Sample { gather: true, .. }));
            let count = if gather { 4 } else { self.chosen().count() };
            wave.v[self.data + Components::dwords(self.d16(), count)][lane] = 0;
        }
    }
}

fn load(
    wave: &mut Wave,
    worker: &mut Worker,
    access: &Access,
    lane: usize,
    mip: bool,
    raw: bool,
    signed: bool,
) -> Result<(), GuestFault> {
    let mut values = [0; 4];
    if let Some((image, format)) = access.image.and_then(|image| Some((image, image.format?)))
        && let Some((at, level)) = access.texel(wave, lane, &image, mip)
        && let Some(va) = access.address(&image, level, at)
    {
        let texel = worker.load_element(access.cache, va, format.size())?;
        values = if raw {
            dwords(texel, format.size(), signed)
        } else {
            sample::select(&image, format.decode(texel))
        };
    }
    let d16 = if raw { D16::No } else { access.d16() };
    access.write(wave, lane, values, d16);
    Ok(())
}

/// A texel's bits as they are; what is shorter than a dword extends its sign if `signed`.
fn dwords(texel: u128, bytes: u32, signed: bool) -> [u32; 4] {
    let mut values = std::array::from_fn(|n| (texel >> (32 * n)) as u32);
    let unused = 32u32.saturating_sub(8 * bytes);
    if signed && unused > 0 {
        values[0] = ((values[0] << unused) as i32 >> unused) as u32;
    }
    values
}

fn store(
    wave: &mut Wave,
    worker: &mut Worker,
    access: &Access,
    lane: usize,
    mip: bool,
    raw: bool,
) -> Result<(), GuestFault> {
    let Some((image, format)) = access.image.and_then(|image| Some((image, image.format?))) else {
        return Ok(());
    };
    let Some((at, level)) = access.texel(wave, lane, &image, mip) else { return Ok(()) };
    let Some(va) = access.address(&image, level, at) else {
        return Ok(());
    };
    let d16 = if raw { D16::No } else { access.d16() };
    let registers = Components { register: access.data, d16, number: format.number };
    // Components that are not given are zero.
    let mut values = [0; 4];
    for (n, component) in access.chosen().enumerate() {
        values[component] = registers.read(wave, lane, n);
    }
    let texel = if raw {
        values.iter().rev().fold(0, |texel, value| texel << 32 | u128::from(*value))
    } else {
        format.encode(sample::unselect(&image, values))
    };
    worker.store_element(access.cache, va, format.size(), texel)
}

fn atomic(
    wave: &mut Wave,
    worker: &mut Worker,
    access: &Access,
    lane: usize,
    op: Atomic,
) -> Result<(), GuestFault> {
    let compares = op == Atomic::CmpSwap;
    let wide = access.inst.modifiers.dmask == if compares { 15 } else { 3 };
    let bytes = if wide { 8 } else { 4 };
    let read = |n: usize| {
        let register = access.data + n * usize::from(bytes / 4);
        let low = u64::from(wave.v[register][lane]);
        if wide { low | u64::from(wave.v[register + 1][lane]) << 32 } else { low }
    };
    let (data, compare) = (read(0), if compares { read(1) } else { 0 });
    let returns = access.inst.modifiers.flags.has(Flags::GLC);
    let mut old = 0;
    if let Some(image) = access.image
        && image.format.is_some_and(|format| format.size() == u32::from(bytes))
        && let Some((at, level)) = access.texel(wave, lane, &image, false)
        && let Some(va) = access.address(&image, level, at)
    {
        let shape = AtomicShape { op, bytes, returns };
        old = worker.atomic_element(access.cache, va, shape, data, compare)?;
    }
    if returns {
        wave.v[access.data][lane] = old as u32;
        if wide {
            wave.v[access.data + 1][lane] = (old >> 32) as u32;
        }
    }
    Ok(())
}

/// Reads texels for a sample.
struct Fetch<'a> {
    worker: &'a mut Worker,
    access: &'a Access<'a>,
    image: &'a Descriptor,
    /// The levels that were looked up.
    levels: [Option<(u32, Option<Level>)>; 2],
}

impl Texels for Fetch<'_> {
    type Error = GuestFault;

    fn texel(&mut self, level: u32, at: [u32; 3]) -> Result<[u32; 4], GuestFault> {
        let Some(format) = self.image.format else { return Ok([0; 4]) };
        let slot = &mut self.levels[level as usize % 2];
        let layout = match slot {
            Some((known, layout)) if *known == level => *layout,
            _ => {
                let layout = self.access.level(self.image, level);
                *slot = Some((level, layout));
                layout
            }
        };
        match layout.and_then(|layout| layout.address(at)) {
            Some(va) => Ok(format.decode(self.worker.load_element(self.access.cache, va, format.size())?)),
            None => Ok([0; 4]),
        }
    }
}

fn sampled(
    wave: &mut Wave,
    worker: &mut Worker,
    access: &Access,
    lane: usize,
    sample: Sample,
    lod: f32,
) -> Result<(), GuestFault> {
    let mut values = [0; 4];
    if let Some(image) = &access.image {
        let address = access.sample_address(wave, lane, image, sample);
        let request = Request {
            offset: address.offset,
            reference: sample.compare.then_some(address.reference),
            gather: sample.gather.then(|| access.chosen().next().unwrap_or(0) as u8),
            lod,
            least_lod: if sample.clamp { address.last } else { f32::NEG_INFINITY },
        };
        let mut texels = Fetch { worker, access, image, levels: [None; 2] };
        values = sample::sample(image, &access.sampler, address.coordinates, &request, &mut texels)?;
    }
    if sample.gather {
        let format = access.image.and_then(|image| image.format);
        let registers = Components { register: access.data, d16: access.d16(), number: number(format) };
        registers.write(wave, lane, values.into_iter());
    } else {
        access.write(wave, lane, values, access.d16());
    }
    Ok(())
}

/// The level of detail of each lane, with its bias. Implicit ones come from the differences in quads of four lanes.
fn details_of_quads(wave: &Wave, access: &Access, sample: Sample) -> [f32; 64] {
    let Some(image) = access.image.as_ref().filter(|_| sample.lod != Lod::Zero) else { return [0.0; 64] };
    let addresses: [Address; 64] =
        std::array::from_fn(|lane| access.sample_address(wave, lane, image, sample));
    let size = [image.width, image.height, image.depth].map(|n| (n >> image.levels.0).max(1) as f32);
    let dimensions = image.kind.dimensions();
    std::array::from_fn(|lane| {
        let this = &addresses[lane];
        let derivatives = match sample.lod {
            Lod::Zero => return 0.0,
            Lod::Level => return this.last + access.sampler.lod_bias,
            Lod::Derivatives | Lod::CoarseDerivatives => this.derivatives,
            Lod::Implicit | Lod::Bias => {
                let first = &addresses[lane & !3].coordinates;
                [1, 2].map(|neighbour| {
                    let other = &addresses[lane & !3 | neighbour].coordinates;
                    std::array::from_fn(|n| other[n] - first[n])
                })
            }
        };
        let length = |direction: [f32; 3]| {
            let texels = |n: usize| if access.sampler.unnormalized { 1.0 } else { size[n] };
            (0..dimensions).map(|n| (direction[n] * texels(n)).powi(2)).sum::<f32>().sqrt()
        };
        let [x, y] = derivatives.map(length);
        // Nothing changes from lane to lane: the texels are magnified as much as can be.
        x.max(y).log2().max(-32.0) + access.sampler.lod_bias + this.bias
    })
}

/// `image_get_lod`: the level of detail that a sample would use, and the one before it is clamped.
fn level_of_detail(wave: &mut Wave, access: &Access, lane: usize, lod: f32) {
    let mut values = [0; 4];
    if let Some(image) = &access.image {
        let request = Request { lod, least_lod: f32::NEG_INFINITY, ..Request::default() };
        let clamped = sample::levels(image, &access.sampler, &request).lod.max(0.0);
        values = [clamped.to_bits(), lod.to_bits(), 0, 0];
    }
    access.write(wave, lane, values, D16::No);
}

/// `image_get_resinfo`: size of a level, and the number of levels. Levels that are not there have no size.
fn information(wave: &mut Wave, access: &Access, lane: usize) {
    let level = access.cursor(wave, lane).component();
    let mut values = [0; 4];
    if let Some(image) = &access.image {
        let count = image.levels.1.max(image.levels.0) - image.levels.0 + 1;
        values[3] = count;
        if level < count {
            let shrunk = |n: u32| (n >> (image.levels.0 + level)).max(1);
            let layers = image.slices().saturating_sub(image.base_array);
            let [width, height] = [image.width, image.height].map(shrunk);
            let size = match image.kind {
                ImageType::D1 => [width, 1, 1],
                ImageType::D1Array => [width, layers, 1],
                ImageType::D2 => [width, height, 1],
                ImageType::D3 => [width, height, shrunk(image.depth)],
                ImageType::D2Array => [width, height, layers],
                ImageType::Cube => [width, height, layers / 6],
            };
            values[..3].copy_from_slice(&size);
        }
    }
    access.write(wave, lane, values, D16::No);
}
