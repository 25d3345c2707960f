//! The card, driven as user space drives it: rings, signals and packets in mapped memory.
//!
//! | file | what it tests |
//! |---|---|
//! | `user` | the user space of these tests: memory, queues, signals, what the card told the driver |
//! | `aql` | dispatch order, ring and id wrap, barriers, PM4 buffers |
//! | `sdma` | every packet of the copy engine |
//! | `errors` | refused packets, queue errors, faults and their reports |
//! | `gone` | memory that the program takes away |
//! | `life` | suspending and destroying queues, sleeping, waking |
//! | `kernels` | kernels that really run |

mod aql;
mod errors;
#[cfg(target_arch = "x86_64")]
mod gone;
mod kernels;
mod life;
mod sdma;
mod user;
