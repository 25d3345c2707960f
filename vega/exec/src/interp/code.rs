//! The cache of predecoded code, by space, address and floating-point strictness.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use vega_isa::Table;

use super::level::Level;
use super::program::Program;
use crate::engine::EngineKind;
use crate::memory::AddressSpace;

/// How many programs are kept; the cache is emptied when it is full.
const CAPACITY: usize = 1024;

type Key = (usize, u64, bool);

/// How programs are made.
#[derive(Clone, Copy)]
pub(crate) struct Making {
    /// Whose handlers.
    pub level: Level,
    /// Which opcodes there are.
    pub table: &'static Table,
    /// When a program is compiled, and for what; `None` for never.
    pub compile: Option<Compiling>,
}

/// When and for what programs are compiled.
#[derive(Clone, Copy)]
pub(crate) struct Compiling {
    /// So many waves have executed it.
    pub after: u64,
    /// What executes the code.
    pub kind: EngineKind,
    /// It counts what it executes.
    pub counted: bool,
}

/// Predecoded programs of all cards.
pub(crate) struct CodeCache {
    making: Making,
    programs: Mutex<HashMap<Key, Arc<Program>>>,
}

impl CodeCache {
    /// An empty cache.
    pub fn new(making: Making) -> Self {
        Self { making, programs: Mutex::new(HashMap::new()) }
    }

    /// The program at `entry`, whose bytes are the ones in memory now.
    pub fn program(&self, space: &Arc<AddressSpace>, entry: u64, strict: bool) -> Arc<Program> {
        let key = (Arc::as_ptr(space) as usize, entry, strict);
        let known = self.programs.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(program) = known
            && program.is_current(space)
        {
            return program;
        }
        let program = Arc::new(Program::decode(space, entry, strict, self.making));
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if programs.len() >= CAPACITY {
            programs.clear();
        }
        programs.insert(key, Arc::clone(&program));
        program
    }

    /// Forgets programs with code in `[va, va + len)`.
    pub fn invalidate(&self, space: &AddressSpace, va: u64, len: u64) {
        let space = std::ptr::from_ref(space) as usize;
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        programs.retain(|key, program| key.0 != space || !program.overlaps(va, len));
    }
}
