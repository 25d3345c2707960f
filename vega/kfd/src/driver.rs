//! The process-wide state behind `/dev/kfd`.
//!
//! It begins with the first `open` of a device node and ends with the process. A forked child has the
//! parent's memory but none of its threads: there, every ioctl on the parent's descriptors answers `EBADF`,
//! before any lock is taken. A child that opens `/dev/kfd` itself gets a driver of its own.
//!
//! # Safety
//! A [`Driver`] is leaked, so the pointer in `CURRENT` is null or valid for ever.

use std::io::{self, Write as _};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use vega_exec::Engine;
use vega_gpu::{Card, CardConfig};

use crate::abi::{AcquireVm, GetVersion, ProcessApertures, ProcessAperturesNew, TileConfig, XnackMode};
use crate::backing::memfd;
use crate::config;
use crate::doorbell::Doorbells;
use crate::errno::Errno;
use crate::events::Events;
use crate::files::{self, DeviceFile};
use crate::ipc::Exports;
use crate::memory::{self, Memory};
use crate::notify::Interrupts;
use crate::queues::{self, Queues};
use crate::settings;
use crate::smi::Clients;
use crate::spec::{self, CardSpec};
use crate::tree::Node;
use crate::{abi, signals, user};

/// One card and what it is called.
pub struct Device {
    /// The card's description.
    pub spec: CardSpec,
    /// The card.
    pub card: Arc<Card>,
}

/// The state of the driver in one process.
pub struct Driver {
    pid: u32,
    /// The driver of the process that forked this one.
    parent: Option<&'static Driver>,
    kfd: DeviceFile,
    render: DeviceFile,
    /// The cards, by index.
    pub devices: Vec<Device>,
    /// Buffers.
    pub memory: Memory,
    /// Events.
    pub events: Arc<Events>,
    /// Monitors that listen.
    pub smi: Arc<Clients>,
    /// Buffers that other processes can map.
    pub exports: Exports,
    /// Queues.
    pub queues: Queues,
    /// The watcher of the doorbell pages.
    pub doorbells: Doorbells,
    pub(crate) engine: Arc<Engine>,
}

static CURRENT: AtomicPtr<Driver> = AtomicPtr::new(std::ptr::null_mut());
/// The process that is making its driver right now.
static MAKING: AtomicU32 = AtomicU32::new(0);

/// Whose descriptor a number is.
pub enum Owner {
    /// None of ours.
    Nobody,
    /// That of the process that forked this one.
    Parent,
    /// This process's driver.
    Driver(&'static Driver),
}

fn current() -> Option<&'static Driver> {
    // SAFETY: null or leaked, see the module's documentation.
    unsafe { CURRENT.load(Ordering::Acquire).as_ref() }
}

/// Whose `/dev/kfd` is behind a number. `certain` says that the request can only be meant for `/dev/kfd`:
/// then a number counts that the program got for it, even if it has closed it since. Takes no lock.
pub fn owner_of(fd: i32, certain: bool) -> Owner {
    let Some(newest) = current() else { return Owner::Nobody };
    let pid = std::process::id();
    let chain = || std::iter::successors(Some(newest), |driver| driver.parent);
    let Some(identity) = files::identity(fd) else {
        return if certain && files::was_given(fd) { newest.owner(pid) } else { Owner::Nobody };
    };
    if let Some(driver) = chain().find(|driver| driver.kfd.has(identity)) {
        return driver.owner(pid);
    }
    if certain && files::was_given(fd) { newest.owner(pid) } else { Owner::Nobody }
}

/// Opens one of our nodes for the program: what `open` returns.
pub fn open(node: &Node, flags: i32) -> Result<i32, Errno> {
    match node {
        Node::Kfd => {
            let fd = driver()?.kfd.open(flags)?;
            files::give(fd);
            Ok(fd)
        }
        Node::Render(_) => {
            let fd = driver()?.render.open(flags)?;
            files::give(fd);
            Ok(fd)
        }
        Node::File(text) => files::text_file(text, flags),
        Node::Dir(_) => Err(Errno::EISDIR),
        Node::Missing => Err(Errno::ENOENT),
    }
}

/// This process's driver, which is made if there is none.
fn driver() -> Result<&'static Driver, Errno> {
    let pid = std::process::id();
    loop {
        let newest = current();
        if let Some(driver) = newest
            && driver.pid == pid
        {
            return Ok(driver);
        }
        // A lock that knows its owner: one that was held when the process forked does not count.
        let making = MAKING.load(Ordering::Acquire);
        if making == pid {
            std::thread::yield_now();
            continue;
        }
        if MAKING.compare_exchange(making, pid, Ordering::AcqRel, Ordering::Acquire).is_err() {
            continue;
        }
        let made = match current() {
            Some(driver) if driver.pid == pid => Ok(driver),
            parent => Driver::new(pid, parent).map(|driver| &*Box::leak(Box::new(driver))),
        };
        if let Ok(driver) = made {
            CURRENT.store(std::ptr::from_ref(driver).cast_mut(), Ordering::Release);
        }
        MAKING.store(0, Ordering::Release);
        return made.map_err(|e| {
            eprintln!("vega: cannot start the virtual card: {e}");
            Errno(e.raw_os_error().unwrap_or(libc::ENODEV))
        });
    }
}

impl Driver {
    fn new(pid: u32, parent: Option<&'static Driver>) -> io::Result<Driver> {
        let config = config::get();
        let specs: Vec<CardSpec> = (0..config.gpus).map(spec::card).collect();
        let kfd = memfd(c"vega-kfd", queues::kfd_bytes(config.gpus))?;
        let render = memfd(c"vega-render", memory::render_bytes(config.gpus))?;
        let memory = Memory::new(&specs, config.large_bar, files::borrow(&kfd), files::borrow(&render))?;
        let (kfd, render) = (DeviceFile::new(kfd)?, DeviceFile::new(render)?);
        signals::install()?;
        let engine = Engine::new(settings::get().engine()).map_err(io::Error::other)?;
        let events = Arc::new(Events::default());
        let smi = Arc::new(Clients::default());
        let devices: Vec<Device> = specs
            .into_iter()
            .map(|spec| {
                let card_config = CardConfig {
                    gpu_id: spec.gpu_id,
                    compute_units: spec::COMPUTE_UNITS,
                    complete_without_executing: config.skip_dispatch,
                };
                let (events, smi) = (Arc::clone(&events), Arc::clone(&smi));
                let notify = Arc::new(Interrupts { events, smi, gpu_id: spec.gpu_id });
                Device { spec, card: Card::new(card_config, Arc::clone(&engine), notify) }
            })
            .collect();
        let cards = devices.iter().map(|device| Arc::clone(&device.card)).collect();
        let doorbells = Doorbells::start(config.doorbell, cards, &kfd, &render)?;
        let queues = Queues::default();
        let exports = Exports::default();
        Ok(Driver {
            pid,
            parent,
            kfd,
            render,
            devices,
            memory,
            events,
            smi,
            exports,
            queues,
            doorbells,
            engine,
        })
    }

    fn owner(&'static self, pid: u32) -> Owner {
        if self.pid == pid { Owner::Driver(self) } else { Owner::Parent }
    }

    /// A descriptor of `/dev/kfd` for the driver's own use.
    pub fn reopen_kfd(&self) -> io::Result<OwnedFd> {
        self.kfd.open_owned()
    }

    /// A descriptor of the render node for the driver's own use.
    pub fn reopen_render(&self) -> io::Result<OwnedFd> {
        self.render.open_owned()
    }

    /// The thread that keeps both files open, and the number of `/dev/kfd` there.
    pub fn keeper(&self) -> Option<(u32, u32)> {
        Some((self.kfd.keeper()?, u32::try_from(self.kfd.first_fd()).ok()?))
    }

    /// The device of a KFD id.
    pub fn device(&self, gpu_id: u32) -> Result<&Device, Errno> {
        self.devices.iter().find(|device| device.spec.gpu_id == gpu_id).ok_or(Errno::EINVAL)
    }

    /// The card of an index.
    pub fn card(&self, index: u32) -> Result<&Card, Errno> {
        self.devices.get(index as usize).map(|device| &*device.card).ok_or(Errno::EINVAL)
    }
}

/// The program is about to end: prints what is observed of it, once. Nothing in a process that has only been forked
/// from one with a card.
pub fn at_exit() {
    static DONE: AtomicBool = AtomicBool::new(false);
    let Some(driver) = current().filter(|driver| driver.pid == std::process::id()) else { return };
    // Before anything else: a signal handler may end the program while this is at work.
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Some(text) = settings::epilogue(driver.engine.observe()) {
        // Where nothing can be written, nothing is.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// The interface's version. From 14 on the runtime passes the ages of events; from 15 on it would map
/// buffers through libdrm, for `hipMemMap` and its kin; below 12 newer runtimes give up.
const VERSION: (u32, u32) = (1, 14);

/// GET_VERSION.
pub fn get_version(_: &Driver, args: &mut GetVersion) -> Result<(), Errno> {
    (args.major_version, args.minor_version) = VERSION;
    Ok(())
}

/// Where the apertures of FLAT instructions are. They must agree with `vega_exec::Apertures`.
const APERTURE_BYTES: u64 = 1 << 32;
/// The GPU's virtual addresses. A limit of 47 bits makes the thunk use the same addresses on both sides.
const GPUVM: (u64, u64) = (0x100_0000, (1 << 47) - 1);

fn aperture(gpu_id: u32) -> abi::Apertures {
    let apertures = vega_exec::Apertures::default();
    abi::Apertures {
        lds_base: apertures.lds,
        lds_limit: apertures.lds + (APERTURE_BYTES - 1),
        scratch_base: apertures.private,
        scratch_limit: apertures.private + (APERTURE_BYTES - 1),
        gpuvm_base: GPUVM.0,
        gpuvm_limit: GPUVM.1,
        gpu_id,
        pad: 0,
    }
}

/// GET_PROCESS_APERTURES.
pub fn apertures(driver: &Driver, args: &mut ProcessApertures) -> Result<(), Errno> {
    let mut count = 0;
    for (slot, device) in args.apertures.iter_mut().zip(&driver.devices) {
        *slot = aperture(device.spec.gpu_id);
        count += 1;
    }
    args.num_of_nodes = count;
    Ok(())
}

/// GET_PROCESS_APERTURES_NEW. With no room it says how many there are.
pub fn apertures_new(driver: &Driver, args: &mut ProcessAperturesNew) -> Result<(), Errno> {
    let count = driver.devices.len() as u32;
    if args.num_of_nodes == 0 {
        args.num_of_nodes = count;
        return Ok(());
    }
    let count = count.min(args.num_of_nodes);
    for (i, device) in (0..count).zip(&driver.devices) {
        let address = user::element::<abi::Apertures>(args.apertures_ptr, i);
        user::write(address, &aperture(device.spec.gpu_id))?;
    }
    args.num_of_nodes = count;
    Ok(())
}

/// ACQUIRE_VM. Which render node's descriptor comes with it does not matter: the page table is the card's.
pub fn acquire_vm(driver: &Driver, args: &mut AcquireVm) -> Result<(), Errno> {
    driver.device(args.gpu_id).map(|_| ())
}

/// `GB_ADDR_CONFIG` of a Vega 10.
const GB_ADDR_CONFIG: u32 = 0x2a11_4042;
/// The tables' sizes in the kernel (`amdgpu_gfx.h`: `tile_mode_array`, `macrotile_mode_array`).
const TILES: (u32, u32) = (32, 16);

/// GET_TILE_CONFIG. A Vega 10 has no tile tables, so they are zeros.
pub fn tile_config(driver: &Driver, args: &mut TileConfig) -> Result<(), Errno> {
    driver.device(args.gpu_id)?;
    args.num_tile_configs = args.num_tile_configs.min(TILES.0);
    args.num_macro_tile_configs = args.num_macro_tile_configs.min(TILES.1);
    for i in 0..args.num_tile_configs {
        user::write(user::element::<u32>(args.tile_config_ptr, i), &0u32)?;
    }
    for i in 0..args.num_macro_tile_configs {
        user::write(user::element::<u32>(args.macro_tile_config_ptr, i), &0u32)?;
    }
    args.gb_addr_config = GB_ADDR_CONFIG;
    (args.num_banks, args.num_ranks) = (0, 0);
    Ok(())
}

/// SET_XNACK_MODE. A negative value asks; there is no retrying of page faults (`xnack-`).
pub fn xnack_mode(_: &Driver, args: &mut XnackMode) -> Result<(), Errno> {
    if args.xnack_enabled > 0 {
        return Err(Errno::EPERM);
    }
    args.xnack_enabled = 0;
    Ok(())
}

/// Whether a number is the descriptor of a render node of ours. Takes no lock.
pub fn is_render(fd: i32) -> bool {
    let chain = std::iter::successors(current(), |driver| driver.parent);
    files::identity(fd).is_some_and(|identity| chain.into_iter().any(|driver| driver.render.has(identity)))
}

/// Whether the program's `mmap` needs another file than the one it names: the descriptor to map, which the
/// caller closes, and the offset. That is so for a buffer of another process, and where the program has
/// closed the descriptor that it got for one of our nodes. On a number that was never ours this takes no
/// lock.
pub fn reopen_for_mmap(fd: i32, va: u64, offset: u64) -> Option<(i32, u64)> {
    let is_import = offset >= memory::IMPORT_OFFSET;
    if !is_import && !files::was_given(fd) {
        return None;
    }
    let driver = current().filter(|driver| driver.pid == std::process::id())?;
    if is_import {
        if !files::was_given(fd) && !driver.render.is(fd) {
            return None;
        }
        let (file, _) = driver.memory.imported(va, offset)?.open().ok()?;
        return Some((file.into_raw_fd(), 0));
    }
    let identity = files::identity(fd);
    let intact = |file: &DeviceFile| identity.is_some_and(|identity| file.has(identity));
    if intact(&driver.kfd) || intact(&driver.render) {
        return None;
    }
    let file = match driver.memory.file_of(va, offset)? {
        memory::File::Kfd => &driver.kfd,
        memory::File::Render => &driver.render,
    };
    file.open(libc::O_CLOEXEC).ok().map(|fd| (fd, offset))
}
