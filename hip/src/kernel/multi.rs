//! Cooperative launches on several devices at once.
//!
//! # Safety
//! The list that `hipModuleLaunchCooperativeKernelMultiDevice` reads has an entry per launch, whose argument pointers are good
//! while the launches are nested in each other, that is, across the call. What each kernel does is covered as for a launch of
//! its own.
#![allow(unsafe_code)]

use super::args::{Args, LaunchTarget, Memory};
use super::{Launch, Signature, Vouched};
use crate::error::Call;
use crate::memory::Ticket;
use crate::{Error, ErrorKind, Result};
use hip_sys::hipFunctionLaunchParams;
use std::ffi::c_void;
use std::fmt;

/// Kernels on several devices whose workgroups are all resident at the same time, so that they can wait for each other
/// (`cooperative_groups::this_multi_grid().sync()`): one launch per device, each on a stream of that device.
///
/// ```no_run
/// # use hip::{InOut, LaunchConfig, MultiLaunch};
/// # let runtime = hip::Runtime::load()?;
/// # let (one, other) = (runtime.device(0)?, runtime.device(1)?);
/// # let load = |device| hip::Module::from_file(device, "k.co")?.function("k")?.with_parameters::<(InOut<u32>,)>();
/// # let (kernel, kernel_other) = (load(one)?, load(other)?);
/// # let (stream, stream_other) = (one.stream()?, other.stream()?);
/// # let mut x = hip::DeviceBuffer::<u32>::zeroed(&stream, 64)?;
/// # let mut y = hip::DeviceBuffer::<u32>::zeroed(&stream_other, 64)?;
/// let config = LaunchConfig::new(1, 64);
/// let mut both = MultiLaunch::new();
/// // SAFETY: the kernel writes x[i] for each of its 64 threads.
/// unsafe {
///     both.add_unchecked(kernel.prepare(&stream, config), (&mut x,))?;
///     both.add_unchecked(kernel_other.prepare(&stream_other, config), (&mut y,))?;
/// }
/// both.launch()?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Default)]
#[must_use = "nothing is launched before `launch`"]
pub struct MultiLaunch<'a> {
    launches: Vec<Box<dyn Prepared + 'a>>,
}

/// The launches that are already in the list, and what comes next.
type Next<'n> = &'n mut dyn FnMut(&mut Vec<hipFunctionLaunchParams>) -> Result<()>;

/// A launch with its arguments.
trait Prepared {
    fn target(&self) -> LaunchTarget<'_>;
    /// Puts the launch into the list, goes on with what comes next, and enters the uses of the memory.
    fn nest(&mut self, list: &mut Vec<hipFunctionLaunchParams>, next: Next<'_>) -> Result<()>;
}

struct WithArguments<'a, K: Signature, A> {
    launch: Launch<'a, K>,
    arguments: Option<A>,
}

impl<K: Signature, A: Args<K::Params>> Prepared for WithArguments<'_, K, A> {
    fn target(&self) -> LaunchTarget<'_> {
        self.launch.target()
    }

    fn nest(&mut self, list: &mut Vec<hipFunctionLaunchParams>, next: Next<'_>) -> Result<()> {
        let Some(arguments) = self.arguments.take() else { return Ok(()) };
        let target = self.launch.target();
        arguments.with_pointers(|memory: &[Option<Memory<'_>>], pointers: *mut *mut c_void| {
            let mut tickets: Vec<Option<Ticket>> = Vec::with_capacity(memory.len());
            for memory in memory {
                tickets.push(target.before(*memory)?);
            }
            list.push(target.parameters(pointers));
            let outcome = next(list);
            // Also when it failed: it may have been enqueued.
            memory.iter().zip(tickets).for_each(|(memory, ticket)| target.after(*memory, ticket));
            outcome
        })
    }
}

impl<'a> MultiLaunch<'a> {
    /// No launches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a launch, whose arguments are passed as to [`Kernel::launch`](crate::Kernel::launch). Empty grids are left out.
    ///
    /// # Errors
    /// Those of [`Kernel::launch`](crate::Kernel::launch), except that nothing is launched yet.
    pub fn add<K: Vouched, A: Args<K::Params> + 'a>(
        &mut self,
        launch: Launch<'a, K>,
        arguments: A,
    ) -> Result<()> {
        launch.check(&arguments)?;
        // SAFETY: somebody vouched for the kernel, and the check accepted the launch.
        unsafe { self.add_unchecked(launch, arguments) }
    }

    /// As [`add`](Self::add), for a kernel that nobody vouched for.
    ///
    /// # Safety
    /// As for [`Kernel::launch_unchecked`](crate::Kernel::launch_unchecked).
    ///
    /// # Errors
    /// Those of [`MultiLaunch::add`].
    pub unsafe fn add_unchecked<K: Signature, A: Args<K::Params> + 'a>(
        &mut self,
        launch: Launch<'a, K>,
        arguments: A,
    ) -> Result<()> {
        if launch.admit()? {
            launch.target().stream.shared().refuse_capture()?;
            self.launches.push(Box::new(WithArguments { launch, arguments: Some(arguments) }));
        }
        Ok(())
    }

    /// `hipModuleLaunchCooperativeKernelMultiDevice`: launches them all. Each is ordered with other work on its memory.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] before 5.5, [`ErrorKind::InvalidLaunch`] for two launches on one device,
    /// [`ErrorKind::WrongDevice`] for devices of different runtimes, or the failure of the call.
    #[doc(alias = "hipModuleLaunchCooperativeKernelMultiDevice")]
    pub fn launch(mut self) -> Result<()> {
        let devices: Vec<_> = self.launches.iter().map(|it| it.target().stream.device()).collect();
        let Some(&first) = devices.first() else { return Ok(()) };
        if devices.iter().enumerate().any(|(at, device)| devices.iter().take(at).any(|other| other == device))
        {
            let message = "a cooperative launch on several devices has one kernel for each";
            return Err(Error::new(ErrorKind::InvalidLaunch, message));
        }
        devices.iter().try_for_each(|&device| first.expect_runtime_of(device, "a kernel"))?;
        let _current = first.enter()?;
        let mut finish = |list: &mut Vec<hipFunctionLaunchParams>| {
            let runtime = first.runtime();
            let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
            // SAFETY: as many entries as are told, whose pointers are good across the call (see the head of this file).
            let status = unsafe {
                runtime.api().hipModuleLaunchCooperativeKernelMultiDevice(list.as_mut_ptr(), count, 0)
            };
            runtime.check(status, || {
                Call::new("hipModuleLaunchCooperativeKernelMultiDevice")
                    .arg("numDevices", count)
                    .on(first.raw())
            })
        };
        nest_all(&mut self.launches, &mut Vec::new(), &mut finish)
    }
}

fn nest_all(
    launches: &mut [Box<dyn Prepared + '_>],
    list: &mut Vec<hipFunctionLaunchParams>,
    finish: Next<'_>,
) -> Result<()> {
    match launches.split_first_mut() {
        Some((first, rest)) => first.nest(list, &mut |list| nest_all(rest, list, finish)),
        None => finish(list),
    }
}

impl fmt::Debug for MultiLaunch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiLaunch").field("launches", &self.launches.len()).finish()
    }
}
