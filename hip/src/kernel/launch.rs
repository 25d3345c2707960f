//! Launches.
//!
//! # Safety
//! `hipModuleLaunchKernel` reads as many bytes behind each argument's pointer as the code object says; a `Kernel<K>` exists
//! only after those sizes have been compared with `K`'s parameters. What the kernel itself does is covered by
//! [`Vouched`], or by the caller of `launch_unchecked`.
#![allow(unsafe_code)]

use super::args::{Args, LaunchTarget};
use super::{Function, LaunchConfig, Signature, Vouched};
use crate::error::Call;
use crate::event::wrong_device;
use crate::observe::{Operation, observe};
use crate::{Error, ErrorKind, Event, Result, Stream};
use hip_sys::hipFunctionLaunchParams;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// A kernel whose parameters have types: `K` is a marker type of [`kernel!`](crate::kernel!), or a tuple of parameters.
///
/// It dereferences to its [`Function`]. Clones share the module.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// use hip::{InOut, Kernel, LaunchConfig};
/// let function = hip::Module::from_file(device, "iota.co")?.function("iota")?;
/// let iota: Kernel<(InOut<u32>,)> = function.with_parameters()?;
/// let mut numbers = hip::DeviceBuffer::<u32>::uninit(device, 64)?;
/// // SAFETY: iota writes x[i] for each of its 64 threads.
/// unsafe { iota.launch_unchecked(&stream, LaunchConfig::new(1, 64), (&mut numbers,)) }?;
/// # Ok::<(), hip::Error>(())
/// ```
pub struct Kernel<K: Signature> {
    function: Function,
    marker: PhantomData<fn(K)>,
}

impl<K: Signature> Kernel<K> {
    pub(crate) fn new(function: Function) -> Self {
        Self { function, marker: PhantomData }
    }

    /// `hipModuleLaunchKernel`: launches the kernel in stream order, after earlier work on its slices.
    ///
    /// The arguments are a tuple: values, `&buffer` or a [`View`](crate::View) for [`In`](crate::In), `&mut buffer` or a
    /// [`ViewMut`](crate::ViewMut) for [`InOut`](crate::InOut). They are borrowed for the call alone, although the kernel runs
    /// later. A grid of no workgroups launches nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] by [`Vouched::check`], [`ErrorKind::InvalidLaunch`] for a configuration that exceeds what the
    /// kernel or the device can do, [`ErrorKind::WrongDevice`], or the failure of the call.
    #[doc(alias = "hipModuleLaunchKernel")]
    #[doc(alias = "hipLaunchKernel")]
    #[inline]
    pub fn launch<A: Args<K::Params>>(
        &self,
        stream: &Stream,
        config: LaunchConfig,
        arguments: A,
    ) -> Result<()>
    where
        K: Vouched,
    {
        self.prepare(stream, config).launch(arguments)
    }

    /// `hipModuleLaunchKernel`: as [`launch`](Self::launch), for a kernel that nobody vouched for.
    ///
    /// # Safety
    /// For this configuration and these arguments, the kernel keeps the promise of [`Vouched`]: it reads and writes only the
    /// elements of the slices it is passed, and writes no [`In`](crate::In) slice.
    ///
    /// # Errors
    /// As [`launch`](Self::launch), except that nothing is refused.
    #[doc(alias = "hipModuleLaunchKernel")]
    #[inline]
    pub unsafe fn launch_unchecked<A: Args<K::Params>>(
        &self,
        stream: &Stream,
        config: LaunchConfig,
        arguments: A,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.prepare(stream, config).launch_unchecked(arguments) }
    }

    /// What [`Vouched::check`] says of a launch, for graphs.
    pub(crate) fn vouch<A: Args<K::Params>>(&self, config: &LaunchConfig, arguments: &A) -> Result<()>
    where
        K: Vouched,
    {
        match K::check(config, &arguments.shapes()) {
            Ok(()) => Ok(()),
            Err(reason) => Err(refused(&self.function, config, reason)),
        }
    }

    /// Whether a configuration is within all limits, for graphs; false for an empty grid.
    pub(crate) fn admits(&self, config: &LaunchConfig) -> Result<bool> {
        match fits(&self.function, config) {
            true => Ok(true),
            false => misfit(&self.function, config).map(|()| false),
        }
    }

    /// A launch that is not a plain one: cooperative, or with events of its own.
    ///
    /// ```no_run
    /// # use hip::{Device, Event, InOut, LaunchConfig};
    /// # let device = Device::first()?;
    /// # let stream = device.stream()?;
    /// # let module = hip::Module::from_file(device, "iota.co")?;
    /// # let mut x = hip::DeviceBuffer::<u32>::zeroed(&stream, 64)?;
    /// let iota = module.function("iota")?.with_parameters::<(InOut<u32>,)>()?;
    /// let (start, stop) = (Event::new(device)?, Event::new(device)?);
    /// let launch = iota.prepare(&stream, LaunchConfig::new(1, 64)).events(&start, &stop);
    /// // SAFETY: iota writes x[i] for each of its 64 threads.
    /// unsafe { launch.launch_unchecked((&mut x,)) }?;
    /// stop.synchronize()?;
    /// println!("the kernel alone took {:?}", start.elapsed_until(&stop)?);
    /// # Ok::<(), hip::Error>(())
    /// ```
    #[inline]
    pub fn prepare<'a>(&'a self, stream: &'a Stream, config: LaunchConfig) -> Launch<'a, K> {
        let target = LaunchTarget { function: &self.function, stream, config, mode: Mode::Plain };
        Launch { target, marker: PhantomData }
    }
}

/// How a kernel is launched.
#[derive(Clone, Copy)]
pub(super) enum Mode<'a> {
    Plain,
    Cooperative,
    Timed(&'a Event, &'a Event),
}

/// A launch with all but its arguments: see [`Kernel::prepare`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// # let function = hip::Module::from_file(device, "iota.co")?.function("iota")?;
/// # let iota = function.with_parameters::<(hip::InOut<u32>,)>()?;
/// # let mut numbers = hip::DeviceBuffer::<u32>::uninit(device, 64)?;
/// let launch = iota.prepare(&stream, hip::LaunchConfig::new(1, 64)).cooperative();
/// // SAFETY: iota writes x[i] for each of its 64 threads.
/// unsafe { launch.launch_unchecked((&mut numbers,)) }?;
/// # Ok::<(), hip::Error>(())
/// ```
#[must_use = "nothing is launched before `launch`"]
pub struct Launch<'a, K: Signature> {
    target: LaunchTarget<'a>,
    marker: PhantomData<fn(K)>,
}

impl<'a, K: Signature> Launch<'a, K> {
    /// `hipModuleLaunchCooperativeKernel`: all workgroups are resident at the same time, so that they can wait for each other
    /// (`cooperative_groups::this_grid().sync()`). The runtime refuses a grid that does not fit on the device.
    ///
    /// Exists from 5.7 on; earlier runtimes answer [`ErrorKind::Unsupported`].
    #[doc(alias = "hipModuleLaunchCooperativeKernel")]
    #[doc(alias = "hipLaunchCooperativeKernel")]
    #[inline]
    pub fn cooperative(mut self) -> Self {
        self.target.mode = Mode::Cooperative;
        self
    }

    /// `hipExtModuleLaunchKernel`: records the two events right at the kernel's begin and end, instead of as work of their own
    /// before and behind it.
    #[doc(alias = "hipExtModuleLaunchKernel")]
    #[inline]
    pub fn events(mut self, start: &'a Event, stop: &'a Event) -> Self {
        self.target.mode = Mode::Timed(start, stop);
        self
    }

    /// Launches the kernel, as [`Kernel::launch`].
    ///
    /// # Errors
    /// Those of [`Kernel::launch`].
    #[inline]
    pub fn launch<A: Args<K::Params>>(self, arguments: A) -> Result<()>
    where
        K: Vouched,
    {
        self.check(&arguments)?;
        // SAFETY: somebody vouched for the kernel, and the check accepted the launch.
        unsafe { self.launch_unchecked(arguments) }
    }

    /// Launches the kernel, as [`Kernel::launch_unchecked`].
    ///
    /// # Safety
    /// As for [`Kernel::launch_unchecked`].
    ///
    /// # Errors
    /// Those of [`Kernel::launch_unchecked`].
    #[inline]
    pub unsafe fn launch_unchecked<A: Args<K::Params>>(self, arguments: A) -> Result<()> {
        match self.admit()? {
            // SAFETY: the caller's promise; the sizes were compared when this kernel was made.
            true => unsafe { arguments.launch(&self.target) },
            false => Ok(()),
        }
    }

    pub(super) fn target(&self) -> LaunchTarget<'a> {
        self.target
    }

    /// What [`Vouched::check`] says of the launch.
    #[inline]
    pub(crate) fn check<A: Args<K::Params>>(&self, arguments: &A) -> Result<()>
    where
        K: Vouched,
    {
        match K::check(&self.target.config, &arguments.shapes()) {
            Ok(()) => Ok(()),
            Err(reason) => Err(refused(self.target.function, &self.target.config, reason)),
        }
    }

    /// Whether the launch is within all limits; false for an empty grid, which launches nothing.
    #[inline]
    pub(crate) fn admit(&self) -> Result<bool> {
        let LaunchTarget { function, stream, config, .. } = self.target;
        if !fits(function, &config) {
            return misfit(function, &config).map(|()| false);
        }
        if function.device() != stream.device() {
            return Err(wrong_device("the kernel", stream.device(), function.device()));
        }
        Ok(true)
    }
}

impl<K: Signature> fmt::Debug for Launch<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LaunchTarget { function, stream, config, .. } = self.target;
        f.debug_struct("Launch")
            .field("f", function)
            .field("stream", stream)
            .field("config", &config)
            .finish()
    }
}

#[cold]
#[inline(never)]
fn refused(function: &Function, config: &LaunchConfig, reason: &'static str) -> Error {
    let (name, config) = (function.name(), shown(config));
    let message = format!("the launch of `{name}` with {config} was refused: {reason}");
    Error::new(ErrorKind::Refused { reason }, message)
}

/// Why a configuration does not fit; `Ok` for an empty grid, which launches nothing.
#[cold]
#[inline(never)]
fn misfit(function: &Function, config: &LaunchConfig) -> Result<()> {
    let (grid, block, limits) = (config.grid, config.block, function.limits());
    let threads = block.count();
    let reason = if threads == 0 {
        "a workgroup needs at least one thread".to_owned()
    } else if threads > u128::from(limits.threads) {
        format!("a workgroup of {threads} threads exceeds the kernel's {}", limits.threads)
    } else if let Some([x, y, z]) =
        limits.workgroup.filter(|&[x, y, z]| [x, y, z] != [block.x, block.y, block.z])
    {
        format!("the kernel was compiled for workgroups of ({x}, {y}, {z}) only")
    } else if config.shared_bytes > limits.dynamic_lds {
        let (dynamic, fixed) = (config.shared_bytes, function.metadata().group_segment_fixed_size);
        let room = limits.dynamic_lds;
        format!(
            "{dynamic} bytes of dynamic LDS beside the kernel's own {fixed} exceed the {room} that are left"
        )
    } else if grid.count() == 0 {
        return Ok(());
    } else {
        "a grid has less than 2^32 threads along each dimension".to_owned()
    };
    let message = format!("`{}` cannot be launched with {}: {reason}", function.name(), shown(config));
    Err(Error::new(ErrorKind::InvalidLaunch, message))
}

/// Whether the launch stays within all limits and is not empty.
#[inline]
fn fits(function: &Function, config: &LaunchConfig) -> bool {
    let (grid, block, limits) = (config.grid, config.block, function.limits());
    // No dimension of a grid reaches 2^32 threads (hip_runtime_api.h, hipModuleLaunchKernel), nor is any empty.
    let along = |groups: u32, threads: u32| {
        let total = u64::from(groups) * u64::from(threads);
        total != 0 && total <= u64::from(u32::MAX)
    };
    // Two factors fit into 64 bits, and three do when two of them are within the limit.
    let plane = u64::from(block.x) * u64::from(block.y);
    let threads = u64::from(limits.threads);
    plane <= threads
        && u64::from(block.z) <= threads
        && plane * u64::from(block.z) <= threads
        && along(grid.x, block.x)
        && along(grid.y, block.y)
        && along(grid.z, block.z)
        && config.shared_bytes <= limits.dynamic_lds
        && limits.workgroup.is_none_or(|only| only == [block.x, block.y, block.z])
}

fn shown(config: &LaunchConfig) -> String {
    format!("a grid of {} workgroups of {} threads", config.grid, config.block)
}

impl LaunchTarget<'_> {
    /// Enqueues the launch.
    ///
    /// # Safety
    /// `arguments` points to one pointer per parameter, each to a value of that parameter's size; the kernel stays within
    /// what it is passed.
    #[inline]
    pub(super) unsafe fn enqueue(&self, arguments: *mut *mut c_void) -> Result<()> {
        let operation = || {
            let operation = Operation::new("kernel", self.function.name());
            operation.detail("grid", self.config.grid).detail("block", self.config.block)
        };
        // SAFETY: the caller's promise.
        observe(self.stream, operation, || unsafe { self.call(arguments) })
    }

    /// The launch as an entry of a list.
    pub(super) fn parameters(&self, arguments: *mut *mut c_void) -> hipFunctionLaunchParams {
        let LaunchConfig { grid, block, shared_bytes } = self.config;
        hipFunctionLaunchParams {
            function: self.function.raw(),
            gridDimX: grid.x,
            gridDimY: grid.y,
            gridDimZ: grid.z,
            blockDimX: block.x,
            blockDimY: block.y,
            blockDimZ: block.z,
            sharedMemBytes: shared_bytes,
            hStream: self.stream.raw(),
            kernelParams: arguments,
        }
    }

    /// # Safety
    /// As for [`enqueue`](Self::enqueue).
    #[inline]
    unsafe fn call(&self, arguments: *mut *mut c_void) -> Result<()> {
        let Self { function, stream, config: LaunchConfig { grid, block, shared_bytes }, mode } = *self;
        if let (Mode::Plain, Some(captured)) = (mode, stream.shared().captured()) {
            // SAFETY: the caller's promise.
            return unsafe { captured.kernel(function, self.config, arguments) };
        }
        let _current = stream.shared().enter()?;
        let (api, extra) = (stream.runtime().api(), std::ptr::null_mut());
        let (name, status) = match mode {
            Mode::Plain => {
                // SAFETY: both handles are alive; the caller answers for the arguments.
                let status = unsafe {
                    api.hipModuleLaunchKernel(
                        function.raw(),
                        grid.x,
                        grid.y,
                        grid.z,
                        block.x,
                        block.y,
                        block.z,
                        shared_bytes,
                        stream.raw(),
                        arguments,
                        extra,
                    )
                };
                ("hipModuleLaunchKernel", status)
            }
            Mode::Cooperative => {
                // SAFETY: as above.
                let status = unsafe {
                    api.hipModuleLaunchCooperativeKernel(
                        function.raw(),
                        grid.x,
                        grid.y,
                        grid.z,
                        block.x,
                        block.y,
                        block.z,
                        shared_bytes,
                        stream.raw(),
                        arguments,
                    )
                };
                ("hipModuleLaunchCooperativeKernel", status)
            }
            Mode::Timed(start, stop) => {
                for event in [start, stop] {
                    if event.device() != stream.device() {
                        return Err(wrong_device("the event", stream.device(), event.device()));
                    }
                }
                // SAFETY: as above, and the events are borrowed. The grid is counted in threads here; `fits` saw to it that
                // they fit into 32 bits.
                let status = unsafe {
                    api.hipExtModuleLaunchKernel(
                        function.raw(),
                        grid.x.wrapping_mul(block.x),
                        grid.y.wrapping_mul(block.y),
                        grid.z.wrapping_mul(block.z),
                        block.x,
                        block.y,
                        block.z,
                        shared_bytes as usize,
                        stream.raw(),
                        arguments,
                        extra,
                        start.raw(),
                        stop.raw(),
                        0,
                    )
                };
                ("hipExtModuleLaunchKernel", status)
            }
        };
        stream.runtime().check(status, || {
            let call = Call::new(name).arg("f", function.name());
            let call = call.arg("grid", (grid.x, grid.y, grid.z)).arg("block", (block.x, block.y, block.z));
            call.arg("sharedMemBytes", shared_bytes).arg("stream", stream.raw()).on(stream.device().raw())
        })
    }
}

impl<K: Signature> Clone for Kernel<K> {
    fn clone(&self) -> Self {
        Self::new(self.function.clone())
    }
}

impl<K: Signature> Deref for Kernel<K> {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.function
    }
}

impl<K: Signature> fmt::Debug for Kernel<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("name", &self.name())
            .field("signature", &std::any::type_name::<K>())
            .finish()
    }
}
