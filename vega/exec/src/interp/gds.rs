//! The global data share of each card: memory that all its waves see.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::memory::AddressSpace;

/// Bytes of global data share on a Vega 10.
pub(crate) const GDS_BYTES: usize = 65536;

/// The shares of all cards, by the address of their page table.
#[derive(Default)]
pub(crate) struct Shares(Mutex<HashMap<usize, Box<[u8]>>>);

impl Shares {
    /// Does something with a card's share, alone.
    pub fn with<T>(&self, space: &Arc<AddressSpace>, work: impl FnOnce(&mut [u8]) -> T) -> T {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(Arc::as_ptr(space) as usize);
        work(share.or_insert_with(|| vec![0; GDS_BYTES].into_boxed_slice()))
    }
}
