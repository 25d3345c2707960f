//! The copy engine: queues of SDMA v4 packets.
//!
//! | file | what it holds |
//! |---|---|
//! | `packet` | the table of SDMA packets |
//! | `copy` | copies of rectangles, and fills |
//! | `source` | where dwords come from: a ring or an indirect buffer |
//! | `processor` | takes one packet after the other and executes it |

mod copy;
pub(crate) mod packet;
pub(crate) mod processor;
mod source;
