//! The ioctls of `/dev/kfd` as a table, and the one that programs use on a mapped dmabuf.

use std::fmt::Debug;

use bytemuck::Pod;

use crate::abi;
use crate::driver::{self, Driver};
use crate::errno::Errno;
use crate::{clock, config, dmabuf, events, ipc, memory, queues, smi, user};

/// An ioctl's request number, taken apart (`asm-generic/ioctl.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request(pub u32);

impl Request {
    /// `_IOC_NR`.
    fn number(self) -> u32 {
        self.0 & 0xff
    }

    /// `_IOC_TYPE`.
    fn kind(self) -> u8 {
        (self.0 >> 8 & 0xff) as u8
    }

    /// `_IOC_SIZE`.
    fn size(self) -> usize {
        (self.0 >> 16 & 0x3fff) as usize
    }

    /// The program's struct is read.
    fn copies_in(self) -> bool {
        self.0 >> 30 & 1 != 0
    }

    /// The program's struct is written.
    fn copies_out(self) -> bool {
        self.0 >> 31 != 0
    }
}

/// `AMDKFD_IOCTL_BASE`.
const BASE: u8 = b'K';

/// `DMA_BUF_BASE` and the number of `DMA_BUF_IOCTL_SYNC` (`linux/dma-buf.h`).
const DMABUF_BASE: u8 = b'b';
const DMABUF_SYNC: u32 = 0;

/// One ioctl.
struct Row {
    number: u32,
    name: &'static str,
    run: fn(&Driver, &Row, Request, u64) -> Result<(), Errno>,
}

macro_rules! table {
    ($($number:literal $name:ident($args:ty) => $handler:expr;)*) => {
        &[$(Row {
            number: $number,
            name: stringify!($name),
            run: |driver, row, request, address| call::<$args>(driver, row, request, address, $handler),
        }),*]
    };
}

/// Numbers and arguments: `linux/kfd_ioctl.h`, and from 0x80 on the header of ROCm's own kernel driver.
static TABLE: &[Row] = table! {
    0x01 GET_VERSION(abi::GetVersion) => driver::get_version;
    0x02 CREATE_QUEUE(abi::CreateQueue) => queues::create;
    0x03 DESTROY_QUEUE(abi::DestroyQueue) => queues::destroy;
    0x04 SET_MEMORY_POLICY(abi::MemoryPolicy) => accept;
    0x05 GET_CLOCK_COUNTERS(abi::ClockCounters) => clock::get;
    0x06 GET_PROCESS_APERTURES(abi::ProcessApertures) => driver::apertures;
    0x07 UPDATE_QUEUE(abi::UpdateQueue) => queues::update;
    0x08 CREATE_EVENT(abi::CreateEvent) => events::create;
    0x09 DESTROY_EVENT(abi::EventId) => events::destroy;
    0x0a SET_EVENT(abi::EventId) => events::set;
    0x0b RESET_EVENT(abi::EventId) => events::reset;
    0x0c WAIT_EVENTS(abi::WaitEvents) => events::wait;
    0x11 SET_SCRATCH_BACKING_VA(abi::ScratchBacking) => accept;
    0x12 GET_TILE_CONFIG(abi::TileConfig) => driver::tile_config;
    0x13 SET_TRAP_HANDLER(abi::TrapHandler) => accept;
    0x14 GET_PROCESS_APERTURES_NEW(abi::ProcessAperturesNew) => driver::apertures_new;
    0x15 ACQUIRE_VM(abi::AcquireVm) => driver::acquire_vm;
    0x16 ALLOC_MEMORY_OF_GPU(abi::AllocMemory) => memory::alloc;
    0x17 FREE_MEMORY_OF_GPU(abi::FreeMemory) => memory::free;
    0x18 MAP_MEMORY_TO_GPU(abi::MapMemory) => memory::map;
    0x19 UNMAP_MEMORY_FROM_GPU(abi::MapMemory) => memory::unmap;
    0x1a SET_CU_MASK(abi::SetCuMask) => queues::set_cu_mask;
    0x1b GET_QUEUE_WAVE_STATE(abi::QueueWaveState) => queues::wave_state;
    0x1c GET_DMABUF_INFO(abi::DmabufInfo) => dmabuf::info;
    0x1d IMPORT_DMABUF(abi::DmabufImport) => dmabuf::import;
    0x1e ALLOC_QUEUE_GWS(abi::QueueGws) => queues::alloc_gws;
    0x1f SMI_EVENTS(abi::SmiEvents) => smi::events;
    // A Vega 10 has no shared virtual memory.
    0x20 SVM(abi::Ignored) => refuse;
    0x21 SET_XNACK_MODE(abi::XnackMode) => driver::xnack_mode;
    0x23 AVAILABLE_MEMORY(abi::AvailableMemory) => memory::available;
    0x24 EXPORT_DMABUF(abi::DmabufExport) => dmabuf::export;
    0x80 IPC_IMPORT_HANDLE(abi::IpcImport) => ipc::import;
    0x81 IPC_EXPORT_HANDLE(abi::IpcExport) => ipc::export;
    // DBG_TRAP of ROCm 5.2: no debugger.
    0x82 DBG_TRAP(abi::Ignored) => refuse;
};

fn accept<T>(_: &Driver, _: &mut T) -> Result<(), Errno> {
    Ok(())
}

fn refuse<T>(_: &Driver, _: &mut T) -> Result<(), Errno> {
    Err(Errno::EINVAL)
}

fn call<T: Pod + Debug>(
    driver: &Driver,
    row: &Row,
    request: Request,
    address: u64,
    handler: fn(&Driver, &mut T) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let (size, copies_in, copies_out) = (request.size(), request.copies_in(), request.copies_out());
    user::with_argument(address, size, copies_in, copies_out, |args: &mut T| {
        let result = handler(driver, args);
        if config::get().trace {
            match result {
                Ok(()) => eprintln!("vega: {} {args:x?}", row.name),
                Err(e) => eprintln!("vega: {} {args:x?}: {e}", row.name),
            }
        }
        result
    })
}

/// Answers an ioctl if it is one of `/dev/kfd` or of an exported buffer; `None` if it is another file's.
///
/// `address` is the program's argument, which must point to as many bytes as the request number says.
pub fn ioctl(fd: i32, request: u32, address: u64) -> Option<Result<(), Errno>> {
    let request = Request(request);
    if request.kind() == DMABUF_BASE && request.number() == DMABUF_SYNC && dmabuf::is_synchronised(fd) {
        return Some(Ok(()));
    }
    if request.kind() != BASE {
        return None;
    }
    let row = TABLE.iter().find(|row| row.number == request.number());
    match driver::owner_of(fd, row.is_some() && request.size() != 0) {
        driver::Owner::Nobody => None,
        driver::Owner::Parent => Some(Err(Errno::EBADF)),
        driver::Owner::Driver(driver) => Some(match row {
            Some(row) => (row.run)(driver, row, request, address),
            None => {
                if config::get().trace {
                    eprintln!("vega: ioctl {:#x} is unknown", request.number());
                }
                Err(if request.number() >= 0x80 { Errno::EINVAL } else { Errno::ENOTTY })
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_apart_like_the_kernels() {
        // AMDKFD_IOC_CREATE_QUEUE = _IOWR('K', 0x02, 88 bytes), AMDKFD_IOC_UPDATE_QUEUE = _IOW(…, 24).
        let create = Request(0xc058_4b02);
        assert_eq!((create.kind(), create.number(), create.size()), (b'K', 2, 88));
        assert!(create.copies_in() && create.copies_out());
        let update = Request(0x4018_4b07);
        assert!(update.copies_in() && !update.copies_out());
    }

    #[test]
    fn every_number_is_there_once_and_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].number < pair[1].number));
    }

    #[test]
    fn a_terminals_ioctl_is_not_ours() {
        const KDGKBTYPE: u32 = 0x4b33;
        assert_eq!(ioctl(0, KDGKBTYPE, 0), None);
        assert_eq!(ioctl(-1, 0xc058_4b02, 0), None);
    }
}
