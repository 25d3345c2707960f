//! What the wrapper adds to a call: measured over a function table whose functions do nothing.
//!
//! `cargo run --release -p hip --example overhead`
//!
//! # Safety
//! The functions have the C signatures of those they stand for, as far as they read their arguments; the others ignore
//! them, which the C calling convention allows.

use hip::sys::{Api, hipDeviceProp_tR0600, hipError_t};
use hip::{Device, DeviceBuffer, Event, LaunchConfig, Module, Runtime};
use std::ffi::{CStr, c_int, c_void};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Instant;

static CODE: &[u8] = include_bytes!("../tests/fixtures/saxpy-gfx900.hsaco");

hip::kernel! {
    struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE;
}

// SAFETY: the function that is launched here does nothing.
unsafe impl hip::Vouched for Saxpy {
    fn check(_: &LaunchConfig, &(_, x, y, n): &hip::Shapes<Self>) -> Result<(), &'static str> {
        hip::require(n as usize <= x.min(y), "n is larger than a vector")
    }
}

extern "C" fn nothing() -> hipError_t {
    hipError_t(0)
}

extern "C" fn no_device_changes(device: *mut c_int) -> hipError_t {
    // SAFETY: the caller passes a live local.
    unsafe { device.write(0) };
    hipError_t(0)
}

extern "C" fn one_device(count: *mut c_int) -> hipError_t {
    // SAFETY: the caller passes a live local.
    unsafe { count.write(1) };
    hipError_t(0)
}

extern "C" fn handle(handle: *mut *mut c_void) -> hipError_t {
    // SAFETY: the caller passes a live local.
    unsafe { handle.write(std::ptr::without_provenance_mut(4096)) };
    hipError_t(0)
}

extern "C" fn properties(properties: *mut hipDeviceProp_tR0600, _: c_int) -> hipError_t {
    // SAFETY: the caller passes a live local.
    let properties = unsafe { &mut *properties };
    for (to, from) in properties.gcnArchName.iter_mut().zip(*b"gfx900:xnack-") {
        *to = from as _;
    }
    properties.sharedMemPerBlock = 65536;
    properties.maxThreadsPerBlock = 1024;
    hipError_t(0)
}

fn resolve(name: &CStr) -> Option<NonNull<c_void>> {
    let function: *const c_void = match name.to_bytes() {
        b"hipGetDevice" => no_device_changes as *const c_void,
        b"hipGetDeviceCount" => one_device as *const c_void,
        b"hipGetDevicePropertiesR0600" => properties as *const c_void,
        b"hipMalloc"
        | b"hipStreamCreateWithFlags"
        | b"hipModuleLoadData"
        | b"hipModuleGetFunction"
        | b"hipEventCreateWithFlags" => handle as *const c_void,
        _ => nothing as *const c_void,
    };
    NonNull::new(function.cast_mut())
}

/// Nanoseconds per call of the fastest of many rounds of both, taken in turns.
fn compare(name: &str, mut raw: impl FnMut(), mut wrapped: impl FnMut()) {
    const CALLS: u32 = 10_000;
    let mut best = [f64::INFINITY; 2];
    for _ in 0..200 {
        for (best, call) in best.iter_mut().zip([&mut raw as &mut dyn FnMut(), &mut wrapped]) {
            let start = Instant::now();
            (0..CALLS).for_each(|_| call());
            *best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    let [raw, wrapped] = best;
    report(name, raw, wrapped);
}

/// Allocations that find nothing in the cache, and what gives the memory back to HIP.
fn raw_allocation(device: Device, api: &Api) {
    const CALLS: usize = 100;
    let mut buffers = Vec::with_capacity(CALLS);
    // Allocating and freeing, both raw and wrapped.
    let mut best = [[f64::INFINITY; 2]; 2];
    let per_call = |start: Instant| start.elapsed().as_secs_f64() * 1e9 / CALLS as f64;
    for _ in 0..20_000 {
        let mut address = std::ptr::null_mut();
        let start = Instant::now();
        for _ in 0..CALLS {
            // SAFETY: the function does nothing but write to a live local.
            assert!(black_box(unsafe { api.hipMalloc(&mut address, 4000) }) == Ok(hipError_t(0)));
        }
        let allocated = per_call(start);
        let start = Instant::now();
        for _ in 0..CALLS {
            // SAFETY: the function does nothing.
            assert!(black_box(unsafe { api.hipFree(address) }) == Ok(hipError_t(0)));
        }
        let raw = [allocated, per_call(start)];
        let start = Instant::now();
        for _ in 0..CALLS {
            buffers.push(DeviceBuffer::<f32>::uninit(device, 1000).expect("nothing fails"));
        }
        let allocated = per_call(start);
        buffers.clear();
        let start = Instant::now();
        device.trim(0).expect("nothing fails");
        let wrapped = [allocated, per_call(start)];
        for (best, [raw, wrapped]) in best.iter_mut().zip([[raw[0], wrapped[0]], [raw[1], wrapped[1]]]) {
            *best = [best[0].min(raw), best[1].min(wrapped)];
        }
    }
    for (name, [raw, wrapped]) in ["allocation (raw)", "free (raw)"].into_iter().zip(best) {
        report(name, raw, wrapped);
    }
}

fn report(name: &str, raw: f64, wrapped: f64) {
    println!("{name:<28} raw {raw:6.1} ns   hip {wrapped:6.1} ns   adds {:6.1} ns", wrapped - raw);
}

fn main() -> hip::Result<()> {
    let api: &'static Api = Box::leak(Box::new(Api::from_resolver(resolve)));
    // SAFETY: see the head of this file.
    let runtime = unsafe { Runtime::with_api(api) }?;
    let device = runtime.device(0)?;
    let (stream, default) = (device.stream()?, device.default_stream());
    let kernel = Module::from_static(device, CODE)?.kernel::<Saxpy>()?;
    let config = LaunchConfig::for_len(1000);
    let (function, handle) = (kernel.raw(), stream.raw());
    let buffer = || DeviceBuffer::<f32>::uninit(device, 1000);

    let shared = buffer()?;
    stream.copy(&shared, &mut buffer()?)?;
    default.copy(&shared, &mut buffer()?)?;
    let cases = [
        ("launch", &stream, DeviceBuffer::zeroed(&stream, 1000)?),
        ("launch on default stream", &default, DeviceBuffer::zeroed(&default, 1000)?),
        ("launch, x is shared", &stream, shared),
    ];
    for (name, stream, x) in &cases {
        let mut y = buffer()?;
        let raw = || {
            let (mut a, mut x, mut y, mut n) = (2.0f32, x.view().address(), x.view().address(), 1000);
            let mut arguments = [
                (&raw mut a).cast(),
                (&raw mut x).cast(),
                (&raw mut y).cast(),
                (&raw mut n).cast::<c_void>(),
            ];
            // SAFETY: the function does nothing.
            let status = unsafe {
                let (arguments, extra) = (arguments.as_mut_ptr(), std::ptr::null_mut());
                api.hipModuleLaunchKernel(function, 4, 1, 1, 256, 1, 1, 0, stream.raw(), arguments, extra)
            };
            assert!(black_box(status) == Ok(hipError_t(0)));
        };
        compare(name, raw, || kernel.launch(stream, config, (2.0, x, &mut y, 1000)).expect("nothing fails"));
    }

    let event = Event::new(device)?;
    compare(
        "event record",
        || {
            // SAFETY: the function does nothing.
            let status = unsafe { api.hipEventRecord(event.raw(), handle) };
            assert!(black_box(status) == Ok(hipError_t(0)));
        },
        || event.record(&stream).expect("nothing fails"),
    );
    let (source, mut target) = (buffer()?, buffer()?);
    let address = source.view().address().cast::<c_void>();
    compare(
        "copy on the device",
        || {
            // SAFETY: the function does nothing.
            let status = unsafe {
                api.hipMemcpyAsync(address, address, 4000, hip::sys::hipMemcpyDeviceToDevice, handle)
            };
            assert!(black_box(status) == Ok(hipError_t(0)));
        },
        || stream.copy(&source, &mut target).expect("nothing fails"),
    );
    compare(
        "allocation (from the cache)",
        || {
            let mut address = std::ptr::null_mut();
            // SAFETY: the functions do nothing but write to a live local.
            let status = unsafe { api.hipMalloc(&mut address, 4000).and(api.hipFree(address)) };
            assert!(black_box(status) == Ok(hipError_t(0)));
        },
        || drop(DeviceBuffer::<f32>::uninit(device, 1000).expect("nothing fails")),
    );
    raw_allocation(device, api);
    Ok(())
}
