//! PM4: the packets in indirect buffers that vendor-specific AQL packets point to.
//!
//! | file | what it holds |
//! |---|---|
//! | `packet` | the table of PM4 packets |
//! | `processor` | executes an indirect buffer |

pub(crate) mod packet;
pub(crate) mod processor;
