//! What a launch of a graph uses, around the call that enqueues it.

use super::GraphExec;
use crate::memory::{Access, Ticket};
use crate::{Result, Stream};

/// The uses that a launch entered: they are made known when it is over, however it ends.
pub(super) struct Entered<'a> {
    exec: &'a GraphExec,
    stream: &'a Stream,
    own: Option<Ticket>,
    memory: Vec<Ticket>,
    slots: Vec<Ticket>,
}

impl<'a> Entered<'a> {
    pub(super) fn new(exec: &'a GraphExec, stream: &'a Stream) -> Self {
        Self { exec, stream, own: None, memory: Vec::new(), slots: Vec::new() }
    }

    /// Has the stream wait for earlier uses.
    pub(super) fn enter(&mut self) -> Result<()> {
        let (stream, held) = (self.stream.shared(), &self.exec.held);
        self.own = Some(self.exec.uses.before(stream, Access::Write)?);
        for (allocation, access) in &held.memory {
            self.memory.push(allocation.uses().before(stream, *access)?);
        }
        for slot in &held.slots {
            self.slots.push(slot.before(stream)?);
        }
        Ok(())
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let (stream, held) = (self.stream.shared(), &self.exec.held);
        if let Some(ticket) = self.own {
            self.exec.uses.after(stream, ticket);
        }
        for ((allocation, _), ticket) in held.memory.iter().zip(&self.memory) {
            allocation.uses().after(stream, *ticket);
        }
        for (slot, ticket) in held.slots.iter().zip(&self.slots) {
            slot.after(stream, *ticket);
        }
    }
}
