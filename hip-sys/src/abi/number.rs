//! Enums whose numbers moved, decoded by the version of the runtime.

use super::{GRAPH_NODE_SYMBOL_COPIES, GRAPH_NODE_TYPE, MEMORY_TYPE, Version, v5_0, v5_3, v5_5, v6_0, v6_4};
use crate::types::{hipGraphNodeType, hipMemoryType};

/// The numbers of an enum from one version on.
type Numbers<C, R> = (Version, &'static [(C, R)]);

/// The numbers that a runtime uses: those of the newest row that is not newer than it.
fn rows<C, R>(table: &'static [Numbers<C, R>], runtime: Version) -> &'static [(C, R)] {
    let row = table.iter().rev().find(|(since, _)| runtime.is_at_least(*since)).or(table.first());
    row.map_or(&[], |(_, rows)| rows)
}

macro_rules! renumbered {
    ($(#[$docs:meta])* $name:ident of $raw:ident by $table:ident { $($(#[$doc:meta])* $variant:ident,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            #[doc = concat!("What a runtime of this version means by a `", stringify!($raw), "`; `None` for a number")]
            /// that its headers do not have.
            #[must_use]
            pub fn decode(raw: $raw, runtime: Version) -> Option<Self> {
                rows($table, runtime).iter().find(|(number, _)| *number == raw).map(|(_, meaning)| *meaning)
            }

            #[doc = concat!("The `", stringify!($raw), "` that a runtime of this version understands; `None` when it")]
            /// has no number for it.
            #[must_use]
            pub fn encode(self, runtime: Version) -> Option<$raw> {
                rows($table, runtime).iter().find(|(_, meaning)| *meaning == self).map(|(number, _)| *number)
            }
        }
    };
}

/// Before any row: every runtime that is supported is at least this old.
const FIRST: Version = Version::new(5, 0);

renumbered! {
    /// Where memory is: C's `hipMemoryType`, whose numbers moved at 6.0.
    MemoryType of hipMemoryType by MEMORY_TYPES {
        /// Memory that HIP does not know; 6.0 and later.
        Unregistered,
        /// Memory of the host.
        Host,
        /// Memory of a device.
        Device,
        /// An array of a device.
        Array,
        /// Memory with one address on host and device.
        Unified,
        /// Memory that the runtime moves between host and devices.
        Managed,
    }
}

static MEMORY_TYPES: &[Numbers<hipMemoryType, MemoryType>] = &[
    (
        FIRST,
        &[
            (v5_0::hipMemoryTypeHost, MemoryType::Host),
            (v5_0::hipMemoryTypeDevice, MemoryType::Device),
            (v5_0::hipMemoryTypeArray, MemoryType::Array),
            (v5_0::hipMemoryTypeUnified, MemoryType::Unified),
            (v5_0::hipMemoryTypeManaged, MemoryType::Managed),
        ],
    ),
    (
        MEMORY_TYPE.since,
        &[
            (v6_0::hipMemoryTypeUnregistered, MemoryType::Unregistered),
            (v6_0::hipMemoryTypeHost, MemoryType::Host),
            (v6_0::hipMemoryTypeDevice, MemoryType::Device),
            (v6_0::hipMemoryTypeManaged, MemoryType::Managed),
            (v6_0::hipMemoryTypeArray, MemoryType::Array),
            (v6_0::hipMemoryTypeUnified, MemoryType::Unified),
        ],
    ),
];

renumbered! {
    /// What a graph's node does: C's `hipGraphNodeType`, whose numbers moved at 5.3 and 5.5.
    GraphNodeType of hipGraphNodeType by GRAPH_NODE_TYPES {
        /// Launches a kernel.
        Kernel,
        /// Copies memory in up to three dimensions.
        Memcpy,
        /// Fills memory.
        Memset,
        /// Calls a function on the host.
        Host,
        /// Runs an embedded graph.
        Graph,
        /// Does nothing.
        Empty,
        /// Waits for an event.
        WaitEvent,
        /// Records an event.
        EventRecord,
        /// Copies memory in one dimension; before 5.3.
        Memcpy1D,
        /// Signals an external semaphore; 5.3 and later.
        ExtSemaphoreSignal,
        /// Waits for an external semaphore; 5.3 and later.
        ExtSemaphoreWait,
        /// Allocates memory; 5.5 and later.
        MemAlloc,
        /// Frees memory; 5.5 and later.
        MemFree,
        /// Copies from a symbol.
        MemcpyFromSymbol,
        /// Copies to a symbol.
        MemcpyToSymbol,
        /// Runs memory operations of a stream in a batch; 6.4 and later.
        BatchMemOp,
    }
}

macro_rules! graph_nodes {
    ($($module:ident: $constant:ident $variant:ident,)*) => {
        &[$(($module::$constant, GraphNodeType::$variant),)*]
    };
}

static GRAPH_NODE_TYPES: &[Numbers<hipGraphNodeType, GraphNodeType>] = &[
    (
        FIRST,
        graph_nodes![
            v5_0: hipGraphNodeTypeKernel Kernel,
            v5_0: hipGraphNodeTypeMemcpy Memcpy,
            v5_0: hipGraphNodeTypeMemset Memset,
            v5_0: hipGraphNodeTypeHost Host,
            v5_0: hipGraphNodeTypeGraph Graph,
            v5_0: hipGraphNodeTypeEmpty Empty,
            v5_0: hipGraphNodeTypeWaitEvent WaitEvent,
            v5_0: hipGraphNodeTypeEventRecord EventRecord,
            v5_0: hipGraphNodeTypeMemcpy1D Memcpy1D,
            v5_0: hipGraphNodeTypeMemcpyFromSymbol MemcpyFromSymbol,
            v5_0: hipGraphNodeTypeMemcpyToSymbol MemcpyToSymbol,
        ],
    ),
    (
        GRAPH_NODE_TYPE.since,
        graph_nodes![
            v5_3: hipGraphNodeTypeKernel Kernel,
            v5_3: hipGraphNodeTypeMemcpy Memcpy,
            v5_3: hipGraphNodeTypeMemset Memset,
            v5_3: hipGraphNodeTypeHost Host,
            v5_3: hipGraphNodeTypeGraph Graph,
            v5_3: hipGraphNodeTypeEmpty Empty,
            v5_3: hipGraphNodeTypeWaitEvent WaitEvent,
            v5_3: hipGraphNodeTypeEventRecord EventRecord,
            v5_3: hipGraphNodeTypeExtSemaphoreSignal ExtSemaphoreSignal,
            v5_3: hipGraphNodeTypeExtSemaphoreWait ExtSemaphoreWait,
            v5_0: hipGraphNodeTypeMemcpyFromSymbol MemcpyFromSymbol,
            v5_0: hipGraphNodeTypeMemcpyToSymbol MemcpyToSymbol,
        ],
    ),
    (
        GRAPH_NODE_SYMBOL_COPIES.since,
        graph_nodes![
            v5_3: hipGraphNodeTypeKernel Kernel,
            v5_3: hipGraphNodeTypeMemcpy Memcpy,
            v5_3: hipGraphNodeTypeMemset Memset,
            v5_3: hipGraphNodeTypeHost Host,
            v5_3: hipGraphNodeTypeGraph Graph,
            v5_3: hipGraphNodeTypeEmpty Empty,
            v5_3: hipGraphNodeTypeWaitEvent WaitEvent,
            v5_3: hipGraphNodeTypeEventRecord EventRecord,
            v5_3: hipGraphNodeTypeExtSemaphoreSignal ExtSemaphoreSignal,
            v5_3: hipGraphNodeTypeExtSemaphoreWait ExtSemaphoreWait,
            v5_5: hipGraphNodeTypeMemAlloc MemAlloc,
            v5_5: hipGraphNodeTypeMemFree MemFree,
            v5_5: hipGraphNodeTypeMemcpyFromSymbol MemcpyFromSymbol,
            v5_5: hipGraphNodeTypeMemcpyToSymbol MemcpyToSymbol,
            // A number that no release before 6.4 gives.
            v6_4: hipGraphNodeTypeBatchMemOp BatchMemOp,
        ],
    ),
];

#[cfg(test)]
mod tests;
