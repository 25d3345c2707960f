//! A kernel: the metadata's description joined with its descriptor.

use crate::{Arg, KernelDescriptor};

/// What a kernel is for (`.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KernelKind {
    /// Launched by programs.
    #[default]
    Normal,
    /// Runs once when the code object is loaded (constructors of globals).
    Init,
    /// Runs once before the code object is unloaded.
    Fini,
}

/// A kernel of a code object. It owns its strings, so it can outlive the file's bytes.
///
/// Sizes are in bytes and counts in registers; sources are the keys of the same names in AMDGPUUsage, "Code Object V3
/// Kernel Metadata Map".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// The name to ask a module for: the symbol in the source, mangled unless `extern "C"`.
    pub name: String,
    /// The descriptor's symbol, `NAME.kd`.
    pub symbol: String,
    /// The source language, such as `OpenCL C` (which hipcc writes, too).
    pub language: Option<String>,
    /// What the kernel is for.
    pub kind: KernelKind,
    /// All arguments, hidden ones included, in the order of their offsets.
    pub args: Vec<Arg>,
    /// The kernarg segment's size, hidden arguments included.
    pub kernarg_segment_size: u32,
    /// The kernarg segment's alignment, a power of two.
    pub kernarg_segment_align: u32,
    /// Static LDS of a workgroup.
    pub group_segment_fixed_size: u32,
    /// Static scratch of a lane.
    pub private_segment_fixed_size: u32,
    /// Whether scratch beyond the static size may be needed.
    pub uses_dynamic_stack: bool,
    /// Work-items of the largest workgroup that the compiled code supports.
    pub max_flat_workgroup_size: u32,
    /// The only workgroup size that is allowed, if the source fixed it.
    pub reqd_workgroup_size: Option<[u32; 3]>,
    /// The workgroup size that the source hints at.
    pub workgroup_size_hint: Option<[u32; 3]>,
    /// Whether every workgroup of a grid must be whole (`-cl-uniform-work-group-size` and similar).
    pub uniform_workgroup_size: bool,
    /// Lanes of a wavefront: 64 or 32.
    pub wavefront_size: u32,
    /// SGPRs that the code uses.
    pub sgpr_count: u32,
    /// VGPRs that the code uses.
    pub vgpr_count: u32,
    /// Accumulation VGPRs that the code uses (GFX90A and similar).
    pub agpr_count: u32,
    /// SGPRs spilled to memory or VGPRs.
    pub sgpr_spill_count: u32,
    /// VGPRs spilled to scratch.
    pub vgpr_spill_count: u32,
    /// The descriptor's address in the code object.
    pub descriptor_address: u64,
    /// The descriptor's offset in the ELF file.
    pub descriptor_offset: u64,
    /// The descriptor.
    pub descriptor: KernelDescriptor,
    /// Address of the first instruction in the code object.
    pub entry_address: u64,
    /// Offset of the first instruction in the ELF file.
    pub entry_offset: u64,
    /// Size of the machine code, from the function's symbol, or up to the end of the segment if there is none.
    pub code_size: u64,
}

impl Kernel {
    /// The arguments that the launcher supplies.
    pub fn explicit_args(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter().filter(|arg| !arg.is_hidden())
    }

    /// Bytes of the kernarg segment that the launcher supplies: the end of the last explicit argument.
    pub fn explicit_kernarg_size(&self) -> u32 {
        let end = self.explicit_args().map(Arg::end).max().unwrap_or(0);
        u32::try_from(end).unwrap_or(u32::MAX)
    }
}
