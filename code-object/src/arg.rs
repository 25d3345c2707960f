//! Kernel arguments, as the metadata note describes them.
//!
//! Source: LLVM AMDGPUUsage, "Code Object V3 Kernel Argument Metadata Map" and its V4 and V5 additions.

use std::fmt;

/// One argument of a kernel, in the order of the kernarg segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// Name in the source, if the compiler recorded it (hipcc does not).
    pub name: Option<String>,
    /// Type in the source, if the compiler recorded it (hipcc does not).
    pub type_name: Option<String>,
    /// Offset in the kernarg segment, in bytes.
    pub offset: u32,
    /// Size in bytes.
    pub size: u32,
    /// What the value is.
    pub kind: ArgKind,
    /// Address space of a pointer: `global`, `constant`, `local`, `generic`, `region`, `private`.
    pub address_space: Option<String>,
    /// Alignment in bytes of what a `dynamic_shared_pointer` points to.
    pub pointee_align: Option<u32>,
    /// What the source allows (`.access`): hipcc says so only for `const __restrict__` pointers and images.
    pub access: Option<Access>,
    /// What the compiled code does (`.actual_access`).
    pub actual_access: Option<Access>,
    /// Qualified `const`.
    pub is_const: bool,
    /// Qualified `restrict`.
    pub is_restrict: bool,
    /// Qualified `volatile`.
    pub is_volatile: bool,
}

impl Arg {
    /// Whether the compiler added the argument and the runtime fills it in.
    pub fn is_hidden(&self) -> bool {
        match &self.kind {
            ArgKind::Hidden(_) => true,
            ArgKind::Other(name) => name.starts_with("hidden_"),
            _ => false,
        }
    }

    /// The first byte behind the argument in the kernarg segment.
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.size)
    }
}

/// Rights of a kernel to what an argument points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Loads only.
    ReadOnly,
    /// Stores only.
    WriteOnly,
    /// Loads and stores.
    ReadWrite,
}

impl Access {
    pub(crate) fn from_metadata(text: &str) -> Option<Self> {
        match text {
            "read_only" => Some(Self::ReadOnly),
            "write_only" => Some(Self::WriteOnly),
            "read_write" => Some(Self::ReadWrite),
            _ => None,
        }
    }
}

/// Declares an enum and the table of its spellings in the metadata.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal, $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $doc] $variant,)* }

        impl $name {
            /// The spelling in the metadata.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
            /// The value of a spelling.
            pub(crate) fn from_metadata(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

spelled! {
    /// Arguments that the compiler appends and the runtime fills in (`hidden_*`).
    HiddenArg {
        GlobalOffsetX = "hidden_global_offset_x", "OpenCL's global offset in x, 8 bytes.";
        GlobalOffsetY = "hidden_global_offset_y", "OpenCL's global offset in y, 8 bytes.";
        GlobalOffsetZ = "hidden_global_offset_z", "OpenCL's global offset in z, 8 bytes.";
        None = "hidden_none", "A place that is kept, and not used.";
        PrintfBuffer = "hidden_printf_buffer", "Address of the printf buffer.";
        HostcallBuffer = "hidden_hostcall_buffer", "Address of the hostcall buffer.";
        HeapV1 = "hidden_heap_v1", "Address of the device heap.";
        DefaultQueue = "hidden_default_queue", "Address of the default queue of device-side enqueue.";
        CompletionAction = "hidden_completion_action", "Address of device-side enqueue's completion action.";
        MultigridSyncArg = "hidden_multigrid_sync_arg", "Address of the cooperative groups' multi-grid state.";
        BlockCountX = "hidden_block_count_x", "Whole workgroups in x, 4 bytes.";
        BlockCountY = "hidden_block_count_y", "Whole workgroups in y, 4 bytes.";
        BlockCountZ = "hidden_block_count_z", "Whole workgroups in z, 4 bytes.";
        GroupSizeX = "hidden_group_size_x", "Work-items of a whole workgroup in x, 2 bytes.";
        GroupSizeY = "hidden_group_size_y", "Work-items of a whole workgroup in y, 2 bytes.";
        GroupSizeZ = "hidden_group_size_z", "Work-items of a whole workgroup in z, 2 bytes.";
        RemainderX = "hidden_remainder_x", "Work-items of the partial workgroup in x, 2 bytes.";
        RemainderY = "hidden_remainder_y", "Work-items of the partial workgroup in y, 2 bytes.";
        RemainderZ = "hidden_remainder_z", "Work-items of the partial workgroup in z, 2 bytes.";
        GridDims = "hidden_grid_dims", "Dimensions of the grid, 2 bytes.";
        DynamicLdsSize = "hidden_dynamic_lds_size", "Dynamic LDS in bytes, 4 bytes.";
        PrivateBase = "hidden_private_base", "High half of the private aperture, 4 bytes.";
        SharedBase = "hidden_shared_base", "High half of the LDS aperture, 4 bytes.";
        QueuePtr = "hidden_queue_ptr", "Address of amd_queue_t.";
    }
}

/// What the value of an argument is (`.value_kind`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgKind {
    /// A scalar or a struct, copied.
    ByValue,
    /// Address of a buffer in global memory.
    GlobalBuffer,
    /// A pointer to dynamic LDS.
    DynamicSharedPointer,
    /// An image descriptor's address.
    Image,
    /// A sampler descriptor's address.
    Sampler,
    /// OpenCL's pipe.
    Pipe,
    /// OpenCL's queue.
    Queue,
    /// Added by the compiler, filled in by the runtime.
    Hidden(HiddenArg),
    /// A spelling that this crate does not know. `hidden_*` ones count as hidden: the compiler and the runtime that
    /// agree on a new one need nothing from the launcher.
    Other(String),
}

static KINDS: &[(ArgKind, &str)] = &[
    (ArgKind::ByValue, "by_value"),
    (ArgKind::GlobalBuffer, "global_buffer"),
    (ArgKind::DynamicSharedPointer, "dynamic_shared_pointer"),
    (ArgKind::Image, "image"),
    (ArgKind::Sampler, "sampler"),
    (ArgKind::Pipe, "pipe"),
    (ArgKind::Queue, "queue"),
];

impl ArgKind {
    pub(crate) fn from_metadata(text: &str) -> Self {
        let listed = KINDS.iter().find(|(_, name)| *name == text).map(|(kind, _)| kind.clone());
        listed
            .or_else(|| HiddenArg::from_metadata(text).map(Self::Hidden))
            .unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// The spelling in the metadata.
    pub fn name(&self) -> &str {
        match self {
            Self::Hidden(hidden) => hidden.name(),
            Self::Other(text) => text,
            listed => KINDS.iter().find(|(kind, _)| kind == listed).map_or("", |(_, name)| name),
        }
    }
}

impl fmt::Display for ArgKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
