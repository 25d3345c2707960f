//! Buffer objects: what ALLOC_MEMORY_OF_GPU makes, and MAP_MEMORY_TO_GPU shows to the cards.
//!
//! VRAM and GTT have offsets in one sparse memfd, the render node, so that the program's own `mmap` of
//! `mmap_offset` does what the kernel's would. Without a large BAR the program never sees VRAM; then it is
//! anonymous memory, which can have huge pages, and its offsets in the memfd stay empty. A buffer that
//! other processes may map moves to a file of its own: see [`dmabuf`](crate::dmabuf).
//!
//! # Safety
//! [`AddressSpace::map`](vega_exec::AddressSpace::map) wants host memory that nothing reuses before it is
//! unmapped. For VRAM and GTT that is so: an offset goes back to the free list only after the unmapping has
//! returned. The program's own memory is the program's to keep, as on a card: the driver never reads or
//! writes it itself, and an access to pages that have gone becomes a GPU memory fault.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vega_exec::Rights;

use crate::abi::{AllocMemory, AvailableMemory, FreeMemory, MapMemory, alloc_flags};
use crate::backing::{self, PAGE, Region};
use crate::dmabuf::{Contents, Dmabuf, Location};
use crate::driver::{Device, Driver};
use crate::errno::Errno;
use crate::freelist::FreeList;
use crate::queues;
use crate::spec::CardSpec;
use crate::user;

/// Where GTT begins in the render node. The first 2 MiB stay empty: offset 0 means "none".
const GTT_START: u64 = 2 << 20;
/// Where the VRAM of card 0 begins in the render node; that of card n begins n of these later.
const VRAM_STRIDE: u64 = 1 << 40;
const HUGE_PAGE: u64 = 2 << 20;
/// Where the page of the registers is in `/dev/kfd`.
pub const MMIO_OFFSET: u64 = PAGE;

/// Size of the memfd behind the render nodes.
pub fn render_bytes(gpus: u32) -> u64 {
    VRAM_STRIDE * (u64::from(gpus) + 1)
}

/// From here on offsets mean buffers of other processes.
pub const IMPORT_OFFSET: u64 = 1 << 60;

/// A buffer that another process has exported.
struct Import {
    region: Region,
    /// Where its file is; `None` if the program only had a descriptor.
    location: Option<Location>,
}

/// Which node a buffer is mapped through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `/dev/kfd`: doorbells and registers.
    Kfd,
    /// The render node: VRAM and GTT.
    Render,
}

/// Where a buffer's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Vram {
        card: usize,
        offset: u64,
    },
    Gtt {
        offset: u64,
    },
    /// The program's memory, the doorbell page or the registers.
    Elsewhere,
}

struct Buffer {
    va: u64,
    bytes: u64,
    /// The first byte in this process.
    host: u64,
    rights: Rights,
    place: Place,
    /// The index of the card that it was made for.
    card: u32,
    /// What the program was told to map it with.
    mmap_offset: u64,
    doorbell: bool,
    /// Cards that have it in their page table.
    mapped: u32,
    /// The file of its own that it has moved to because other processes may map it.
    file: Option<Dmabuf>,
    import: Option<Import>,
}

struct Vram {
    region: Region,
    free: FreeList,
    used: u64,
    bytes: u64,
}

struct State {
    buffers: BTreeMap<u64, Buffer>,
    next_handle: u64,
    vram: Vec<Vram>,
    gtt_free: FreeList,
    gtt_used: u64,
}

/// The process's buffers.
pub struct Memory {
    state: Mutex<State>,
    gtt: Region,
    registers: Region,
    gtt_limit: u64,
    large_bar: bool,
}

impl Memory {
    /// Memory for cards of these descriptions, behind the two memfds.
    pub fn new(
        cards: &[CardSpec],
        large_bar: bool,
        kfd: BorrowedFd<'_>,
        render: BorrowedFd<'_>,
    ) -> io::Result<Memory> {
        let mut vram = Vec::new();
        for card in cards {
            let region = if large_bar {
                Region::shared(render, vram_base(vram.len()), card.vram_bytes)?
            } else {
                Region::anonymous(card.vram_bytes)?
            };
            let free = FreeList::new(0, card.vram_bytes);
            vram.push(Vram { region, free, used: 0, bytes: card.vram_bytes });
        }
        // amdgpu_amdkfd_gpu_init_memory_limits: system memory may fill 15/16 of the machine.
        let ram = crate::backing::sysconf(libc::_SC_PHYS_PAGES) * PAGE;
        let gtt_limit = (ram - ram / 16).next_multiple_of(HUGE_PAGE);
        let gtt_end = (GTT_START + gtt_limit).min(VRAM_STRIDE);
        Ok(Memory {
            state: Mutex::new(State {
                buffers: BTreeMap::new(),
                next_handle: 1,
                vram,
                gtt_free: FreeList::new(GTT_START, gtt_end),
                gtt_used: 0,
            }),
            gtt: Region::shared(render, 0, gtt_end)?,
            registers: Region::shared(kfd, MMIO_OFFSET, PAGE)?,
            gtt_limit,
            large_bar,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buffer that becomes the event page.
    pub fn event_page(&self, handle: u64, slots: usize) -> Result<&'static [AtomicU64], Errno> {
        let state = self.lock();
        let buffer = state.buffers.get(&handle).ok_or(Errno::EINVAL)?;
        match buffer.place {
            Place::Gtt { offset } if buffer.bytes >= slots as u64 * 8 => {
                self.gtt.words(offset, slots).ok_or(Errno::EINVAL)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// The file that the program means when it maps this offset at the address of a buffer.
    pub fn file_of(&self, va: u64, offset: u64) -> Option<File> {
        let state = self.lock();
        let buffer = state.buffers.values().find(|buffer| buffer.va == va && buffer.mmap_offset == offset)?;
        match buffer.place {
            Place::Vram { .. } | Place::Gtt { .. } => Some(File::Render),
            Place::Elsewhere if buffer.mmap_offset != buffer.host => Some(File::Kfd),
            Place::Elsewhere => None,
        }
    }

    /// Moves a buffer to a file of its own, unless it is there already, and uses the file.
    pub fn share<T>(
        &self,
        handle: u64,
        render: BorrowedFd<'_>,
        using: impl FnOnce(&Dmabuf) -> T,
    ) -> Result<T, Errno> {
        let mut state = self.lock();
        let State { buffers, vram, .. } = &mut *state;
        let buffer = buffers.get_mut(&handle).ok_or(Errno::EINVAL)?;
        if let Some(file) = &buffer.file {
            return Ok(using(file));
        }
        let (region, offset) = match buffer.place {
            Place::Vram { card, offset } => (&vram.get(card).ok_or(Errno::EINVAL)?.region, offset),
            Place::Gtt { offset } => (&self.gtt, offset),
            // The program's own pages are not the driver's to give away.
            Place::Elsewhere => return Err(Errno::EPERM),
        };
        let vram = matches!(buffer.place, Place::Vram { .. });
        let file =
            Dmabuf::new(Contents { card: buffer.card, vram, bytes: buffer.bytes }).map_err(Errno::of)?;
        let fd = file.open().map_err(Errno::of)?;
        region.move_to(offset, buffer.bytes, fd.as_fd()).map_err(|_| Errno::ENOMEM)?;
        if self.in_render_node(buffer.place) {
            let (va, bytes) = (buffer.va, buffer.bytes);
            backing::map_instead(va, bytes, (render, buffer.mmap_offset), fd.as_fd()).map_err(Errno::of)?;
            // Nobody sees this part of the render node any more.
            let left = Region::shared(render, buffer.mmap_offset, bytes).map_err(Errno::of)?;
            left.discard(0, bytes);
            left.release();
        }
        Ok(using(buffer.file.insert(file)))
    }

    /// Whether the bytes of such a place are in the render node before they are shared.
    fn in_render_node(&self, place: Place) -> bool {
        match place {
            Place::Vram { .. } => self.large_bar,
            Place::Gtt { .. } => true,
            Place::Elsewhere => false,
        }
    }

    /// Whether the program can map VRAM.
    pub fn large_bar(&self) -> bool {
        self.large_bar
    }

    /// Enters a buffer that another process has exported: its handle here, and the offset to map it with.
    /// Without an address no card can map it.
    pub fn import(
        &self,
        va: u64,
        region: Region,
        bytes: u64,
        location: Option<Location>,
    ) -> Result<(u64, u64), Errno> {
        let host = region.host(0, bytes).ok_or(Errno::EINVAL)? as u64;
        if !va.is_multiple_of(PAGE) || va.checked_add(bytes).is_none() {
            region.release();
            return Err(Errno::EINVAL);
        }
        let mut state = self.lock();
        let number = state.next_handle;
        state.next_handle += 1;
        // Also where the CPU cannot access VRAM: without an offset newer thunks forget whose buffer it is.
        let mmap_offset = IMPORT_OFFSET + number * PAGE;
        let buffer = Buffer {
            va,
            bytes,
            host,
            rights: Rights::ALL,
            place: Place::Elsewhere,
            card: 0,
            mmap_offset,
            doorbell: false,
            mapped: 0,
            file: None,
            import: Some(Import { region, location }),
        };
        state.buffers.insert(number, buffer);
        Ok((number, mmap_offset))
    }

    /// Where the file is of the buffer that is imported at this address and offset.
    pub fn imported(&self, va: u64, offset: u64) -> Option<Location> {
        let state = self.lock();
        let buffer = state.buffers.values().find(|buffer| buffer.va == va && buffer.mmap_offset == offset)?;
        buffer.import.as_ref()?.location
    }

    /// Finds bytes for a buffer: its place, the address in this process, and the offset for `mmap`.
    fn place(&self, state: &mut State, args: &AllocMemory, bytes: u64) -> Result<(Place, u64, u64), Errno> {
        let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { PAGE };
        let card = crate::spec::by_gpu_id(args.gpu_id).ok_or(Errno::EINVAL)?.index as usize;
        if args.flags & alloc_flags::VRAM != 0 {
            let vram = state.vram.get_mut(card).ok_or(Errno::EINVAL)?;
            if bytes > vram.bytes - vram.used {
                return Err(Errno::ENOMEM);
            }
            // A fragmented card takes what is there, as page tables let a real one.
            let offset = vram.free.take(bytes, align).or_else(|| vram.free.take(bytes, PAGE));
            let offset = offset.ok_or(Errno::ENOMEM)?;
            if let Err(e) = vram.region.commit(offset, bytes) {
                vram.free.give(offset, bytes);
                return Err(e);
            }
            vram.used += bytes;
            let host = vram.region.host(offset, bytes).ok_or(Errno::EINVAL)?;
            Ok((Place::Vram { card, offset }, host as u64, vram_base(card) + offset))
        } else if args.flags & alloc_flags::GTT != 0 {
            if bytes > self.gtt_limit.saturating_sub(state.gtt_used) {
                return Err(Errno::ENOMEM);
            }
            let offset = state.gtt_free.take(bytes, align).ok_or(Errno::ENOMEM)?;
            state.gtt_used += bytes;
            let host = self.gtt.host(offset, bytes).ok_or(Errno::EINVAL)?;
            Ok((Place::Gtt { offset }, host as u64, offset))
        } else if args.flags & alloc_flags::USERPTR != 0 {
            if args.mmap_offset == 0 || !args.mmap_offset.is_multiple_of(PAGE) {
                return Err(Errno::EINVAL);
            }
            Ok((Place::Elsewhere, args.mmap_offset, args.mmap_offset))
        } else if args.flags & alloc_flags::DOORBELL != 0 {
            // The card rings a doorbell through the program's mapping, so that the watcher notices it.
            Ok((Place::Elsewhere, args.va_addr, queues::doorbell_page(card as u32)))
        } else if args.flags & alloc_flags::MMIO_REMAP != 0 && bytes == PAGE {
            let host = self.registers.host(0, PAGE).ok_or(Errno::EINVAL)?;
            Ok((Place::Elsewhere, host as u64, MMIO_OFFSET))
        } else {
            Err(Errno::EINVAL)
        }
    }

    /// Gives a place back, after it has left every page table. `render` is only used for buffers that had moved
    /// to a file of their own.
    fn release(&self, buffer: Buffer, render: impl FnOnce() -> io::Result<OwnedFd>) {
        let mut state = self.lock();
        let State { vram, gtt_free, gtt_used, .. } = &mut *state;
        let (region, free, used, offset) = match buffer.place {
            Place::Vram { card, offset } => {
                let Some(Vram { region, free, used, .. }) = vram.get_mut(card) else { return };
                (&*region, free, used, offset)
            }
            Place::Gtt { offset } => (&self.gtt, gtt_free, gtt_used, offset),
            Place::Elsewhere => {
                if let Some(import) = buffer.import {
                    import.region.release();
                }
                return;
            }
        };
        if buffer.file.is_none() {
            region.discard(offset, buffer.bytes);
        } else {
            let back = || {
                if !self.in_render_node(buffer.place) {
                    return region.move_back(offset, buffer.bytes, None);
                }
                let render = render()?;
                region.move_back(offset, buffer.bytes, Some((render.as_fd(), buffer.mmap_offset)))
            };
            if back().is_err() {
                // The offset stays taken: memory that others map must not become another buffer.
                return;
            }
        }
        free.give(offset, buffer.bytes);
        *used -= buffer.bytes;
    }
}

fn vram_base(card: usize) -> u64 {
    VRAM_STRIDE * (card as u64 + 1)
}

impl Buffer {
    fn map_on(&mut self, device: &Device) -> Result<(), Errno> {
        let bit = 1 << device.spec.index;
        if self.va == 0 {
            // Made without an address, to be exported or imported.
            return Err(Errno::EINVAL);
        }
        if self.mapped & bit == 0 {
            // SAFETY: see the module's documentation.
            unsafe { device.card.space().map(self.va, self.bytes, self.host as *mut u8, self.rights) }
                .map_err(|_| Errno::EINVAL)?;
            self.mapped |= bit;
        }
        Ok(())
    }
}

/// ALLOC_MEMORY_OF_GPU.
pub fn alloc(driver: &Driver, args: &mut AllocMemory) -> Result<(), Errno> {
    let bytes = args.size.checked_next_multiple_of(PAGE).filter(|&b| b != 0).ok_or(Errno::EINVAL)?;
    if !args.va_addr.is_multiple_of(PAGE) || args.va_addr.checked_add(bytes).is_none() {
        return Err(Errno::EINVAL);
    }
    let mut state = driver.memory.lock();
    let (place, host, mmap_offset) = driver.memory.place(&mut state, args, bytes)?;
    let mut rights = Rights::READ;
    for (flag, right) in [(alloc_flags::WRITABLE, Rights::WRITE), (alloc_flags::EXECUTABLE, Rights::EXECUTE)]
    {
        if args.flags & flag != 0 {
            rights = rights | right;
        }
    }
    let doorbell = args.flags & alloc_flags::DOORBELL != 0;
    let buffer = Buffer {
        va: args.va_addr,
        bytes,
        host,
        rights,
        place,
        card: crate::spec::by_gpu_id(args.gpu_id).ok_or(Errno::EINVAL)?.index,
        mmap_offset,
        doorbell,
        mapped: 0,
        file: None,
        import: None,
    };
    let handle = state.next_handle;
    state.next_handle += 1;
    state.buffers.insert(handle, buffer);
    args.handle = handle;
    args.mmap_offset = mmap_offset;
    Ok(())
}

/// FREE_MEMORY_OF_GPU. Returns when no worker can still use the memory.
pub fn free(driver: &Driver, args: &mut FreeMemory) -> Result<(), Errno> {
    let buffer = driver.memory.lock().buffers.remove(&args.handle).ok_or(Errno::EINVAL)?;
    if buffer.doorbell {
        driver.doorbells.forget(buffer.va);
    }
    driver.events.forget_page(args.handle);
    driver.exports.forget(args.handle);
    for device in &driver.devices {
        if buffer.mapped & 1 << device.spec.index != 0 {
            device.card.space().unmap(buffer.va, buffer.bytes);
            driver.engine.invalidate_code(device.card.space(), buffer.va, buffer.bytes);
        }
    }
    driver.memory.release(buffer, || driver.reopen_render());
    Ok(())
}

/// The devices that an argument names, from the first that was not served yet.
fn devices<'a>(
    driver: &'a Driver,
    args: &MapMemory,
) -> impl Iterator<Item = (u32, Result<&'a Device, Errno>)> + use<'a> {
    let array = args.device_ids_array_ptr;
    (args.n_success..args.n_devices).map(move |i| {
        let device = user::read::<u32>(user::element::<u32>(array, i)).and_then(|id| driver.device(id));
        (i, device)
    })
}

/// MAP_MEMORY_TO_GPU.
pub fn map(driver: &Driver, args: &mut MapMemory) -> Result<(), Errno> {
    let mut doorbell = None;
    let served = devices(driver, args).try_for_each(|(i, device)| {
        let device = device?;
        let mut state = driver.memory.lock();
        let buffer = state.buffers.get_mut(&args.handle).ok_or(Errno::EINVAL)?;
        buffer.map_on(device)?;
        if buffer.doorbell {
            doorbell = Some((buffer.va, buffer.bytes));
        }
        drop(state);
        args.n_success = i + 1;
        Ok(())
    });
    if let Some((va, bytes)) = doorbell {
        driver.doorbells.watch(va, bytes);
    }
    served
}

/// UNMAP_MEMORY_FROM_GPU. Returns when no worker can still use the old translation.
pub fn unmap(driver: &Driver, args: &mut MapMemory) -> Result<(), Errno> {
    devices(driver, args).try_for_each(|(i, device)| {
        let device = device?;
        let mut state = driver.memory.lock();
        let buffer = state.buffers.get_mut(&args.handle).ok_or(Errno::EINVAL)?;
        let bit = 1 << device.spec.index;
        let was_mapped = buffer.mapped & bit != 0;
        buffer.mapped &= !bit;
        let (va, bytes) = (buffer.va, buffer.bytes);
        drop(state);
        if was_mapped {
            device.card.space().unmap(va, bytes);
            driver.engine.invalidate_code(device.card.space(), va, bytes);
        }
        args.n_success = i + 1;
        Ok(())
    })
}

/// AVAILABLE_MEMORY.
pub fn available(driver: &Driver, args: &mut AvailableMemory) -> Result<(), Errno> {
    let device = driver.device(args.gpu_id)?;
    let state = driver.memory.lock();
    let vram = state.vram.get(device.spec.index as usize).ok_or(Errno::EINVAL)?;
    args.available = vram.bytes - vram.used;
    Ok(())
}
