//! The packet processor of compute queues.
//!
//! | file | what it holds |
//! |---|---|
//! | `packet` | the table of AQL packets |
//! | `processor` | takes one packet after the other from the ring |
//! | `dispatch` | a kernel dispatch: checks, scratch memory, launch |

pub(crate) mod dispatch;
pub(crate) mod packet;
pub(crate) mod processor;
