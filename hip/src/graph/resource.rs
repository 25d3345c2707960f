//! What the nodes of a graph use, and how long it lives.
//!
//! # Safety
//! The host memory of a slot is reached by the graph's copies and by the guard of [`HostSlot::lock`]. A guard exists only
//! after every launch that used the memory is done, and while it exists every launch is refused, so the two never meet. The
//! elements stay where they are when their owner moves ([`HostMemory`]).
#![allow(unsafe_code)]

use crate::kernel::Function;
use crate::memory::{Access, Allocation, HostMemory, Ticket, Uses};
use crate::stream::StreamShared;
use crate::{Device, Error, ErrorKind, Event, Result};
use std::any::Any;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

/// What one node uses; shared by the graphs and execs that have the node.
pub(super) type Resources = Arc<[Resource]>;

/// Something that a node uses.
pub(crate) enum Resource {
    Memory(Allocation, Access),
    /// The kernel's module stays loaded.
    Function(#[expect(dead_code, reason = "kept alive")] Function),
    Host(Arc<dyn Slot>),
    Callback(Arc<HostFunction>),
    Event(#[expect(dead_code, reason = "kept alive")] Arc<Event>),
    /// What a child graph uses.
    Child(Resources),
}

/// A function of the host that a graph calls, at each launch.
pub(crate) struct HostFunction {
    function: Box<dyn Fn() + Send + Sync>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl HostFunction {
    pub(super) fn new(function: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { function: Box::new(function), panic: Mutex::new(None) })
    }

    /// What the C function is given.
    pub(super) fn data(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }

    /// The panic of a call since the last time.
    pub(super) fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }
}

/// The C function of every host node.
pub(super) extern "C" fn call_host_function(data: *mut c_void) {
    // SAFETY: the data is what `HostFunction::data` gave; graph and exec keep it alive.
    let function = unsafe { &*data.cast::<HostFunction>() };
    let outcome = crate::callback::run_inside(|| catch_unwind(AssertUnwindSafe(&function.function)));
    if let Err(panic) = outcome {
        let mut first = function.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*first {
            None => *first = Some(panic),
            // What it carries might panic when it is dropped.
            Some(_) => std::mem::forget(panic),
        }
    }
}

/// Host memory that a graph's copies reach: what a launch needs of it.
pub(crate) trait Slot: Send + Sync {
    /// Enters the launch before it is enqueued; refuses while the host has the memory.
    fn before(&self, stream: &StreamShared) -> Result<Ticket>;
    fn after(&self, stream: &Arc<StreamShared>, ticket: Ticket);
}

struct SlotState<H: HostMemory> {
    memory: ManuallyDrop<H>,
    elements: *mut H::Element,
    len: usize,
    /// The graph's.
    device: Device,
    uses: Uses,
    /// The guards, or launches that are being enqueued, that there are: one guard, or any number of launches.
    holders: Mutex<Holders>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holders {
    Launches(usize),
    Guard,
}

// SAFETY: whoever reaches the elements does so alone (see the head of this file), and `HostMemory` is `Send`.
unsafe impl<H: HostMemory> Send for SlotState<H> {}
// SAFETY: as above.
unsafe impl<H: HostMemory> Sync for SlotState<H> {}

impl<H: HostMemory> SlotState<H> {
    fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<H: HostMemory> Slot for SlotState<H> {
    fn before(&self, stream: &StreamShared) -> Result<Ticket> {
        let mut holders = self.holders();
        let Holders::Launches(count) = *holders else {
            return Err(Error::new(
                ErrorKind::Busy,
                "the host has memory of the graph: a HostGuard is alive",
            ));
        };
        let ticket = self.uses.before(stream, Access::Write)?;
        *holders = Holders::Launches(count + 1);
        Ok(ticket)
    }

    fn after(&self, stream: &Arc<StreamShared>, ticket: Ticket) {
        self.uses.after(stream, ticket);
        let mut holders = self.holders();
        if let Holders::Launches(count) = *holders {
            *holders = Holders::Launches(count.saturating_sub(1));
        }
    }
}

impl<H: HostMemory> Drop for SlotState<H> {
    /// Work that cannot be waited for may still reach the memory, which then stays where it is.
    fn drop(&mut self) {
        if crate::callback::is_inside() {
            // Nobody can wait here, and the launches may still run.
            let late = Self {
                // SAFETY: it is not touched again.
                memory: ManuallyDrop::new(unsafe { ManuallyDrop::take(&mut self.memory) }),
                elements: self.elements,
                len: self.len,
                uses: std::mem::replace(&mut self.uses, Uses::new()),
                holders: Mutex::new(Holders::Guard),
                device: self.device,
            };
            return self.device.runtime().shared().deferred.later(Box::new(late));
        }
        if self.uses.finish().is_ok() {
            // SAFETY: it is not touched again.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        }
    }
}

/// Host memory that was moved into a graph, which copies from or to it at each launch.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut numbers = hip::DeviceBuffer::<f32>::zeroed(&stream, 3)?;
/// let mut graph = hip::Graph::new(device)?;
/// let (input, _) = graph.upload(vec![0.0f32; 3], &mut numbers, &[])?;
/// let exec = graph.instantiate()?;
/// for round in 0..10 {
///     // Waits for the launches that read it.
///     input.lock()?.fill(round as f32);
///     exec.launch(&stream)?;
/// }
/// # Ok::<(), hip::Error>(())
/// ```
pub struct HostSlot<H: HostMemory>(Arc<SlotState<H>>);

impl<H: HostMemory> HostSlot<H> {
    pub(super) fn new(device: Device, mut memory: H) -> Self {
        let (elements, len) = memory.raw();
        Self(Arc::new(SlotState {
            memory: ManuallyDrop::new(memory),
            elements,
            len,
            device,
            uses: Uses::new(),
            holders: Mutex::new(Holders::Launches(0)),
        }))
    }

    pub(super) fn elements(&self) -> (*mut H::Element, usize) {
        (self.0.elements, self.0.len)
    }

    pub(super) fn resource(&self) -> Resource {
        Resource::Host(self.0.clone())
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Waits for every launch that used the memory, and gives it to the host until the guard is dropped. A launch fails with
    /// [`ErrorKind::Busy`] meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] while another guard is alive or a launch is being enqueued, or the failure of a call or of the
    /// work.
    pub fn lock(&self) -> Result<HostGuard<'_, H>> {
        {
            let mut holders = self.0.holders();
            if *holders != Holders::Launches(0) {
                let message =
                    "the memory is used by another HostGuard, or by a launch that is being enqueued";
                return Err(Error::new(ErrorKind::Busy, message));
            }
            *holders = Holders::Guard;
        }
        let guard = HostGuard(&self.0, PhantomData);
        self.0.uses.finish()?;
        Ok(guard)
    }
}

impl<H: HostMemory> Clone for HostSlot<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H: HostMemory> fmt::Debug for HostSlot<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostSlot").field("len", &self.0.len).finish_non_exhaustive()
    }
}

/// The host's turn with a [`HostSlot`]: a slice.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 4)?;
/// let mut graph = hip::Graph::new(device)?;
/// let (output, _) = graph.download(&buffer, vec![0.0; 4], &[])?;
/// graph.instantiate()?.launch(&stream)?;
/// let guard: hip::HostGuard<'_, Vec<f32>> = output.lock()?;
/// assert_eq!(*guard, [0.0; 4]);
/// # Ok::<(), hip::Error>(())
/// ```
pub struct HostGuard<'a, H: HostMemory>(&'a SlotState<H>, PhantomData<&'a mut [H::Element]>);

impl<H: HostMemory> Deref for HostGuard<'_, H> {
    type Target = [H::Element];

    fn deref(&self) -> &[H::Element] {
        // SAFETY: that many elements, which only this guard reaches (see the head of this file).
        unsafe { std::slice::from_raw_parts(self.0.elements, self.0.len) }
    }
}

impl<H: HostMemory> DerefMut for HostGuard<'_, H> {
    fn deref_mut(&mut self) -> &mut [H::Element] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.0.elements, self.0.len) }
    }
}

impl<H: HostMemory> Drop for HostGuard<'_, H> {
    fn drop(&mut self) {
        *self.0.holders() = Holders::Launches(0);
    }
}

impl<H: HostMemory> fmt::Debug for HostGuard<'_, H>
where
    H::Element: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
