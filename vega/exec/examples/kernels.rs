//! Measures the project's kernels on the engine alone, without a driver or a runtime in between.
//!
//! `cargo run --release -p vega-exec --example kernels -- [--threads N] [--times N] [--engines NAME,NAME] [--element f16] saxpy.co gemm.co`
//!
//! The files are what `hipcc --genco --offload-arch=gfx900` writes for `kernels/saxpy.hip`, `kernels/gemm.hip` and
//! `kernels/mandelbrot.hip`, or for `benches/compare/kernels.h` with other elements (`-x hip -include hip/hip_runtime.h
//! -DELEMENT=_Float16 -DSUM=float`). What compiling has cost is printed at the end. Every result is compared with the
//! host's. Several engines take turns. Figures are the best of so many `times` (4 by default). With one thread they
//! count its CPU time, so that other load on the machine matters less; with more they count wall time.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use code_object::{CodeObject, Image, TargetId};
use vega_exec::observe::Compiling;
use vega_exec::{
    AddressSpace, CancelToken, Dispatch, Engine, EngineConfig, EngineKind, Host, KernelProperties, NoHost,
    Outcome, Rights,
};

/// A card's memory: allocations at growing addresses.
struct Memory {
    space: Arc<AddressSpace>,
    next: u64,
    backing: Vec<(*mut u8, std::alloc::Layout)>,
}

impl Memory {
    fn new() -> Self {
        Self { space: AddressSpace::new(), next: 0x1_0000_0000, backing: Vec::new() }
    }

    fn alloc(&mut self, bytes: u64, rights: Rights) -> Result<u64, Box<dyn Error>> {
        let bytes = bytes.div_ceil(4096).max(1) * 4096;
        let layout = std::alloc::Layout::from_size_align(bytes as usize, 4096)?;
        // SAFETY: the layout's size is not zero.
        let host = unsafe { std::alloc::alloc_zeroed(layout) };
        self.backing.push((host, layout));
        let va = self.next;
        self.next += bytes + (1 << 20);
        // SAFETY: the block is fresh, nothing refers to it, and it is freed after it was unmapped.
        unsafe { self.space.map(va, bytes, host, rights)? };
        Ok(va)
    }

    fn floats(&mut self, values: &[f32]) -> Result<u64, Box<dyn Error>> {
        self.elements(values, Element::F32)
    }

    fn elements(&mut self, values: &[f32], element: Element) -> Result<u64, Box<dyn Error>> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| element.bytes(*value)).collect();
        let va = self.alloc(bytes.len() as u64, Rights::READ_WRITE)?;
        self.space.write_bytes(va, &bytes)?;
        Ok(va)
    }

    fn read(&self, va: u64, count: usize) -> Result<Vec<f32>, Box<dyn Error>> {
        let mut values = vec![0f32; count];
        self.space.read_bytes(va, bytemuck::cast_slice_mut(&mut values))?;
        Ok(values)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.space.unmap(0, u64::MAX);
        for (host, layout) in self.backing.drain(..) {
            // SAFETY: allocated with this layout, and unmapped above.
            unsafe { std::alloc::dealloc(host, layout) };
        }
    }
}

/// The type of a matrix' elements.
#[derive(Clone, Copy, Debug)]
enum Element {
    F16,
    F32,
    F64,
}

impl Element {
    /// A small number of quarters, which every type has.
    fn bytes(self, value: f32) -> Vec<u8> {
        match self {
            // Exponent and fraction, cut off.
            Self::F16 if value == 0.0 => vec![0; 2],
            Self::F16 => ((value.to_bits() >> 13) - (112 << 10)).to_le_bytes()[..2].to_vec(),
            Self::F32 => value.to_le_bytes().to_vec(),
            Self::F64 => f64::from(value).to_le_bytes().to_vec(),
        }
    }
}

impl std::str::FromStr for Element {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "f16" => Ok(Self::F16),
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            _ => Err(format!("{name} is none of f16, f32, f64")),
        }
    }
}

/// CPU time of the calling thread.
fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills a local variable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

struct Bench {
    kind: EngineKind,
    threads: usize,
    times: usize,
    memory: Memory,
    engine: Arc<Engine>,
    host: Arc<dyn Host>,
}

impl Bench {
    /// Loads the file's code object; a dispatch of each of its kernels, without arguments and sizes.
    fn load(&mut self, path: &str) -> Result<Vec<(String, Dispatch)>, Box<dyn Error>> {
        let bytes = std::fs::read(path)?;
        let image = Image::parse(&bytes)?;
        let device: TargetId = "gfx900:xnack-".parse()?;
        let entry = image.select(&device).ok_or("no code for gfx900")?;
        let object = CodeObject::parse(&entry.bytes)?;
        let end = object.segments().iter().map(|s| s.address + s.memory_size).max().unwrap_or(0);
        let base = self.memory.alloc(end, Rights::ALL)?;
        for segment in object.segments() {
            let from = segment.offset as usize;
            let bytes = entry.bytes.get(from..from + segment.file_size as usize).ok_or("truncated")?;
            self.memory.space.write_bytes(base + segment.address, bytes)?;
        }
        let dispatches = object.kernels().iter().map(|kernel| {
            let d = &kernel.descriptor;
            let dispatch = Dispatch {
                entry_va: base + kernel.entry_address,
                rsrc1: d.rsrc1.0,
                rsrc2: d.rsrc2.0,
                rsrc3: d.rsrc3.0,
                properties: KernelProperties(d.properties.0),
                lds_bytes: kernel.group_segment_fixed_size,
                private_segment_bytes: kernel.private_segment_fixed_size,
                ..Dispatch::default()
            };
            (kernel.name.clone(), dispatch)
        });
        Ok(dispatches.collect())
    }

    /// Runs the dispatch some times; the best time in seconds.
    fn time(&mut self, mut d: Dispatch, args: &[u8]) -> Result<f64, Box<dyn Error>> {
        // Implicit arguments follow the explicit ones; none of these kernels reads them.
        d.kernarg_va = self.memory.alloc(args.len() as u64 + 256, Rights::READ_WRITE)?;
        self.memory.space.write_bytes(d.kernarg_va, args)?;
        d.dispatch_packet_va = self.memory.alloc(64, Rights::READ_WRITE)?;
        let mut packet = [0u8; 24];
        for (to, value) in packet[4..10].chunks_exact_mut(2).zip(d.workgroup) {
            to.copy_from_slice(&value.to_le_bytes());
        }
        for (to, value) in packet[12..24].chunks_exact_mut(4).zip(d.grid) {
            to.copy_from_slice(&value.to_le_bytes());
        }
        self.memory.space.write_bytes(d.dispatch_packet_va, &packet)?;
        let mut best = f64::MAX;
        for _ in 0..self.times {
            let start = (Instant::now(), cpu_seconds());
            match self.engine.run(&self.memory.space, &d, &self.host, &CancelToken::new()) {
                Outcome::Done => {}
                Outcome::Fault(report) => return Err(report.to_string().into()),
                Outcome::Canceled => return Err("cancelled".into()),
            }
            let wall = start.0.elapsed().as_secs_f64();
            best = best.min(if self.threads == 1 { cpu_seconds() - start.1 } else { wall });
        }
        Ok(best)
    }

    fn saxpy(&mut self, mut d: Dispatch, n: usize) -> Result<(), Box<dyn Error>> {
        let x: Vec<f32> = (0..n).map(|i| (i % 17) as f32).collect();
        let (x_va, y_va) = (self.memory.floats(&x)?, self.memory.floats(&vec![1.0; n])?);
        let mut args = 2.0f32.to_le_bytes().to_vec();
        args.extend([0; 4]);
        args.extend(x_va.to_le_bytes());
        args.extend(y_va.to_le_bytes());
        args.extend((n as u32).to_le_bytes());
        d.grid = [n.next_multiple_of(256) as u32, 1, 1];
        d.workgroup = [256, 1, 1];
        let seconds = self.time(d, &args)?;
        let y = self.memory.read(y_va, n)?;
        let right = y.iter().zip(&x).all(|(y, x)| *y == 1.0 + 2.0 * self.times as f32 * x);
        println!("{}: saxpy n = {n}: {:.1} Melem/s, {}", self.kind, n as f64 / seconds / 1e6, verdict(right));
        Ok(())
    }

    fn gemm(
        &mut self,
        mut d: Dispatch,
        n: usize,
        blocked: bool,
        element: Element,
    ) -> Result<(), Box<dyn Error>> {
        let a: Vec<f32> = (0..n * n).map(|i| (i * 7 % 3) as f32 * 0.25).collect();
        let b: Vec<f32> = (0..n * n).map(|i| (i * 5 % 3) as f32 * 0.25).collect();
        let (a_va, b_va) = (self.memory.elements(&a, element)?, self.memory.elements(&b, element)?);
        let c_va = self.memory.elements(&vec![0.0; n * n], element)?;
        let mut args = Vec::new();
        args.extend([a_va, b_va, c_va].iter().flat_map(|va| va.to_le_bytes()));
        args.extend([n as u32; 3].iter().flat_map(|n| n.to_le_bytes()));
        (d.grid, d.workgroup) = if blocked {
            ([n as u32 * 4, n as u32 / 64, 1], [256, 1, 1])
        } else {
            ([n as u32, n as u32, 1], [16, 16, 1])
        };
        let seconds = self.time(d, &args)?;
        let size = element.bytes(0.0).len();
        let mut c = vec![0; n * n * size];
        self.memory.space.read_bytes(c_va, &mut c)?;
        // Small quarters: every product and sum is exact in any order, even in f16.
        let right = (0..n).step_by(37).all(|row| {
            (0..n).all(|col| {
                let sum = (0..n).map(|k| a[row * n + k] * b[k * n + col]).sum::<f32>();
                c[(row * n + col) * size..][..size] == element.bytes(sum)
            })
        });
        let kind = if blocked { "64x64" } else { "16x16" };
        println!(
            "{}: gemm {kind} {element:?} n = {n}: {:.2} GFLOP/s, {}",
            self.kind,
            2.0 * (n as f64).powi(3) / seconds / 1e9,
            verdict(right)
        );
        Ok(())
    }

    fn mandelbrot(&mut self, mut d: Dispatch, width: usize, height: usize) -> Result<(), Box<dyn Error>> {
        let (limit, scale) = (256u32, 2.6 / width as f32);
        let (left, top) = (-0.75 - scale * width as f32 / 2.0, -scale * height as f32 / 2.0);
        let out = self.memory.floats(&vec![0.0; width * height])?;
        let mut args = out.to_le_bytes().to_vec();
        args.extend(
            [width as u32, height as u32, left.to_bits(), top.to_bits(), scale.to_bits(), limit]
                .map(u32::to_le_bytes)
                .concat(),
        );
        d.grid = [width as u32, height as u32, 1];
        d.workgroup = [16, 16, 1];
        let seconds = self.time(d, &args)?;
        let counts = self.memory.read(out, width * height)?;
        let expected = (0..width * height)
            .map(|i| iterations(left + (i % width) as f32 * scale, top + (i / width) as f32 * scale, limit));
        let (mut right, mut total) = (true, 0f64);
        for (count, expected) in counts.iter().zip(expected) {
            right &= count.to_bits() == expected;
            total += f64::from(expected);
        }
        println!(
            "{}: mandelbrot {width} x {height}: {:.1} Miter/s, {}",
            self.kind,
            total / seconds / 1e6,
            verdict(right)
        );
        Ok(())
    }
}

/// How long the point stays within 2.
fn iterations(a: f32, b: f32, limit: u32) -> u32 {
    let (mut re, mut im, mut n) = (0f32, 0f32, 0);
    while n < limit && re * re + im * im <= 4.0 {
        (re, im) = (re * re - im * im + a, 2.0 * re * im + b);
        n += 1;
    }
    n
}

fn verdict(right: bool) -> &'static str {
    if right { "right" } else { "WRONG" }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut threads, mut times) = (1, 4);
    let mut kinds = vec![EngineKind::best()];
    let (mut files, mut element) = (Vec::new(), Element::F32);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--threads" => threads = args.next().ok_or("--threads N")?.parse()?,
            "--element" => element = args.next().ok_or("--element NAME")?.parse()?,
            "--times" => times = args.next().ok_or("--times N")?.parse()?,
            "--engines" => {
                let names = args.next().ok_or("--engines NAME,NAME")?;
                kinds = names.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            _ => files.push(arg),
        }
    }
    for file in files {
        for kind in &kinds {
            let engine = Engine::new(EngineConfig { kind: *kind, threads, ..EngineConfig::default() })?;
            let (kind, memory) = (*kind, Memory::new());
            let before = Compiling::so_far();
            let mut bench = Bench { kind, threads, times, memory, engine, host: Arc::new(NoHost) };
            for (name, dispatch) in bench.load(&file)? {
                match name.as_str() {
                    // The other kernels are another file's with other elements.
                    "saxpy" | "mandelbrot" if !matches!(element, Element::F32) => {}
                    "saxpy" => {
                        [1 << 20, 1 << 24].iter().try_for_each(|n| bench.saxpy(dispatch.clone(), *n))?
                    }
                    "gemm_tile16" => bench.gemm(dispatch, 512, false, element)?,
                    "gemm_block64" => bench.gemm(dispatch, 512, true, element)?,
                    "mandelbrot" => bench.mandelbrot(dispatch, 1024, 1024)?,
                    _ => {}
                }
            }
            let after = Compiling::so_far();
            let compiling = Compiling {
                instructions: after.instructions - before.instructions,
                time: after.time - before.time,
                bytes: after.bytes - before.bytes,
            };
            println!("{kind}: {compiling}");
        }
    }
    Ok(())
}
