//! Scheduling: dispatches, workgroups, and which wave runs when.
//!
//! | file | what it holds |
//! |---|---|
//! | `launch` | the registers that a wave starts with |
//! | `group` | a resident workgroup: its waves, its LDS, its turns |
//! | `job` | a dispatch under way: workgroups handed out, faults, the end |
//! | `shift` | one worker's part of it: the workgroups that it has under way |
//! | `places` | compute units and scratch memory: how many workgroups are resident at once |
//! | `registers` | what a faulting instruction's registers held |
//! | `pool` | the helper threads |
//! | `thread` | floating-point environment and signal mask of executing threads |

pub(crate) mod group;
pub(crate) mod job;
pub(crate) mod launch;
pub(crate) mod places;
pub(crate) mod pool;
pub(crate) mod registers;
mod shift;
pub(crate) mod thread;
