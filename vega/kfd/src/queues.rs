//! Queues and the doorbells that belong to them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vega_gpu::{QueueConfig, QueueError, QueueId, QueueKind, QueueUpdate};

use crate::abi::{CreateQueue, DestroyQueue, QueueGws, QueueWaveState, SetCuMask, UpdateQueue, queue_type};
use crate::driver::Driver;
use crate::errno::Errno;
use crate::user;

/// Bytes of a card's doorbell page: 1,024 doorbells of 8 bytes.
pub const DOORBELL_BYTES: u64 = 0x2000;
const DOORBELL_SLOTS: u32 = 1024;
/// Words that a CU mask may have (`KFD_MAX_CU_MASK`: 1,024 bits).
const MAX_CU_MASK_BITS: u32 = 1024;

/// Where a card's doorbells are in `/dev/kfd`. The thunk splits the offset of the first queue's doorbell at
/// 32 bits, so the page begins at a multiple of 4 GiB.
pub fn doorbell_page(card: u32) -> u64 {
    u64::from(card + 1) << 32
}

/// Size of the memfd behind `/dev/kfd`.
pub fn kfd_bytes(gpus: u32) -> u64 {
    doorbell_page(gpus) + DOORBELL_BYTES
}

#[derive(Clone, Copy)]
struct Owner {
    card: u32,
    slot: u32,
    /// Global wave sync is the queue's.
    gws: bool,
}

/// The process's queues.
#[derive(Default)]
pub struct Queues {
    owners: Mutex<BTreeMap<u32, Owner>>,
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Owner>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owner(&self, queue: u32) -> Result<Owner, Errno> {
        self.lock().get(&queue).copied().ok_or(Errno::EINVAL)
    }
}

fn errno(error: QueueError) -> Errno {
    match error {
        QueueError::Thread(e) => Errno(e.raw_os_error().unwrap_or(libc::ENOMEM)),
        _ => Errno::EINVAL,
    }
}

/// CREATE_QUEUE.
pub fn create(driver: &Driver, args: &mut CreateQueue) -> Result<(), Errno> {
    let device = driver.device(args.gpu_id)?;
    let kind = match args.queue_type {
        queue_type::COMPUTE_AQL => QueueKind::Aql,
        queue_type::SDMA => QueueKind::Sdma,
        _ => return Err(Errno::EINVAL),
    };
    let card = device.spec.index;
    let mut owners = driver.queues.lock();
    let taken = |slot| owners.values().any(|owner| owner.card == card && owner.slot == slot);
    let slot = (0..DOORBELL_SLOTS).find(|&slot| !taken(slot)).ok_or(Errno::ENOSPC)?;
    let id = device.card.create_queue(QueueConfig {
        kind,
        ring_va: args.ring_base_address,
        ring_bytes: u64::from(args.ring_size),
        read_ptr_va: args.read_pointer_address,
        write_ptr_va: args.write_pointer_address,
        percentage: args.queue_percentage,
        priority: args.queue_priority,
    });
    let id = id.map_err(errno)?;
    owners.insert(id.0, Owner { card, slot, gws: false });
    drop(owners);
    args.queue_id = id.0;
    args.doorbell_offset = doorbell_page(card) + 8 * u64::from(slot);
    driver.doorbells.queue_created();
    Ok(())
}

/// DESTROY_QUEUE. Returns when nothing of the queue runs any more.
pub fn destroy(driver: &Driver, args: &mut DestroyQueue) -> Result<(), Errno> {
    let owner = driver.queues.owner(args.queue_id)?;
    driver.card(owner.card)?.destroy_queue(QueueId(args.queue_id)).map_err(errno)?;
    driver.queues.lock().remove(&args.queue_id);
    Ok(())
}

/// UPDATE_QUEUE.
pub fn update(driver: &Driver, args: &mut UpdateQueue) -> Result<(), Errno> {
    let owner = driver.queues.owner(args.queue_id)?;
    let update = QueueUpdate {
        ring_va: args.ring_base_address,
        ring_bytes: u64::from(args.ring_size),
        percentage: args.queue_percentage,
        priority: args.queue_priority,
    };
    driver.card(owner.card)?.update_queue(QueueId(args.queue_id), update).map_err(errno)
}

/// SET_CU_MASK.
pub fn set_cu_mask(driver: &Driver, args: &mut SetCuMask) -> Result<(), Errno> {
    let owner = driver.queues.owner(args.queue_id)?;
    if args.num_cu_mask == 0 || !args.num_cu_mask.is_multiple_of(32) {
        return Err(Errno::EINVAL);
    }
    let words = args.num_cu_mask.min(MAX_CU_MASK_BITS) / 32;
    let mask: Result<Vec<u32>, Errno> =
        (0..words).map(|i| user::read(user::element::<u32>(args.cu_mask_ptr, i))).collect();
    driver.card(owner.card)?.set_cu_mask(QueueId(args.queue_id), &mask?).map_err(errno)
}

/// ALLOC_QUEUE_GWS: one queue of a card may use global wave sync; a `num_gws` of 0 gives it back.
pub fn alloc_gws(driver: &Driver, args: &mut QueueGws) -> Result<(), Errno> {
    let mut owners = driver.queues.lock();
    let card = owners.get(&args.queue_id).ok_or(Errno::EINVAL)?.card;
    let taken = owners.values().any(|owner| owner.card == card && owner.gws);
    let owner = owners.get_mut(&args.queue_id).ok_or(Errno::EINVAL)?;
    match (args.num_gws, owner.gws) {
        (0, false) => return Err(Errno::EINVAL),
        (0, true) => owner.gws = false,
        _ if taken => return Err(Errno::EBUSY),
        _ => owner.gws = true,
    }
    args.first_gws = 0;
    Ok(())
}

/// GET_QUEUE_WAVE_STATE: for debuggers, which look at a suspended queue. Nothing is saved.
pub fn wave_state(driver: &Driver, args: &mut QueueWaveState) -> Result<(), Errno> {
    driver.queues.owner(args.queue_id)?;
    args.ctl_stack_used_size = 0;
    args.save_area_used_size = 0;
    Ok(())
}
