//! Memory micro-operations: where an access goes, what it moves and which atomic operation it does.

/// One memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemOp {
    /// How the address is formed and what it reaches.
    pub space: Space,
    /// What happens there.
    pub kind: MemKind,
}

/// How the address is formed and what it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// LDS (or GDS with the modifier): 32-bit address VGPR + offset.
    Lds,
    /// 64-bit address VGPRs that reach global memory, LDS or scratch by aperture, + offset.
    Flat,
    /// 64-bit address VGPRs, or SGPR pair + 32-bit VGPR, + offset.
    Global,
    /// The lane's private memory: 32-bit VGPR or SGPR, + offset.
    Scratch,
    /// SMEM with a 64-bit base in an SGPR pair.
    Scalar,
    /// SMEM with a buffer descriptor in four SGPRs: range-checked.
    ScalarBuffer,
    /// SMEM with FLAT_SCR as base; offsets scaled by 64.
    ScalarScratch,
    /// MUBUF and MTBUF: a buffer descriptor in four SGPRs, VGPR index and offset, SGPR offset.
    Buffer,
}

/// Which half of the data register a 16-bit transfer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    /// The transfer is not 16 bits of a register: the whole register, extended where the data is smaller.
    Whole,
    /// The low half; a load keeps the high half.
    Low,
    /// The high half; a load keeps the low half.
    High,
}

/// What an access moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemKind {
    /// Memory to registers. Buffer loads with the `lds` modifier write LDS at M0 instead.
    Load {
        /// Bytes in memory, per lane (SMEM: for the wave).
        bytes: u8,
        /// Sign-extends loads of 1 and 2 bytes.
        signed: bool,
        /// Destination half.
        half: Half,
    },
    /// Registers to memory.
    Store {
        /// Bytes in memory, per lane.
        bytes: u8,
        /// Source half.
        half: Half,
    },
    /// Two elements at addr + offset0 * stride and addr + offset1 * stride, into consecutive registers.
    Load2 {
        /// Bytes of one element: 4 or 8.
        bytes: u8,
        /// Bytes per unit of the two offsets.
        stride: u16,
    },
    /// Data0 and Data1 to addr + offset0 * stride and addr + offset1 * stride.
    Store2 {
        /// Bytes of one element: 4 or 8.
        bytes: u8,
        /// Bytes per unit of the two offsets.
        stride: u16,
    },
    /// `Store2` that returns both old values.
    Exchange2 {
        /// Bytes of one element: 4 or 8.
        bytes: u8,
        /// Bytes per unit of the two offsets.
        stride: u16,
    },
    /// Read-modify-write; see [`Atomic`] for the sources.
    Atomic {
        /// The operation.
        op: Atomic,
        /// Bytes in memory: 4 or 8.
        bytes: u8,
        /// Whether the old value comes back.
        returns: Returns,
    },
    /// LDS read-modify-write whose operand is a second LDS address: mem\[a\] = op(mem\[a\], mem\[b\]), where b is
    /// a + the offset field's relative part.
    AtomicSrc2 {
        /// The operation.
        op: Atomic,
        /// Bytes: 4 or 8.
        bytes: u8,
    },
    /// LDS copy: mem\[a\] = mem\[b\], addresses as in `AtomicSrc2`.
    StoreSrc2 {
        /// Bytes: 4 or 8.
        bytes: u8,
    },
    /// LDS dword at M0\[15:0\] + offset + 4 * lane.
    LoadAddTid,
    /// LDS dword at M0\[15:0\] + offset + 4 * lane.
    StoreAddTid,
    /// dst = old counter at the M0 base + offset; counter -= number of active lanes (once for the wave).
    Consume,
    /// dst = old counter at the M0 base + offset; counter += number of active lanes (once for the wave).
    Append,
    /// GDS counter in wave order.
    OrderedCount,
    /// 64-bit exchange of the dwords whose top data bit is set.
    CondExchange32,
    /// Through the data format of the descriptor (MUBUF) or the instruction (MTBUF).
    LoadFormat(Format),
    /// Through the data format of the descriptor (MUBUF) or the instruction (MTBUF).
    StoreFormat(Format),
    /// MUBUF store of an LDS dword at M0.
    StoreLds,
    /// Asks the translation for a page's rights.
    Probe,
}

/// Components of a formatted access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// 1 to 4: x, xy, xyz, xyzw.
    pub components: u8,
    /// How components sit in registers.
    pub d16: D16,
}

/// How formatted components sit in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum D16 {
    /// 32 bits each.
    No,
    /// 16 bits each, two in a register.
    Packed,
    /// One of 16 bits in the high half (`format_d16_hi_x`).
    High,
}

/// Whether an atomic operation returns the old value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Returns {
    /// Never.
    No,
    /// Always.
    Always,
    /// With the glc modifier.
    IfGlc,
}

/// Atomic operations on a memory value `m` with data `d` (`d2` the second data; both are one register
/// group for buffers, FLAT and SMEM: data first, compare second).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Atomic {
    /// d
    Swap,
    /// m == compare ? new : m. LDS: Data0 is the compare value and Data1 the new one; elsewhere the data
    /// registers hold new, then compare.
    CmpSwap,
    /// `CmpSwap` with a floating-point comparison (LDS).
    CmpSwapF,
    /// m + d
    Add,
    /// m - d
    Sub,
    /// d - m
    RSub,
    /// Signed minimum.
    SMin,
    /// Unsigned minimum.
    UMin,
    /// Signed maximum.
    SMax,
    /// Unsigned maximum.
    UMax,
    /// m & d
    And,
    /// m | d
    Or,
    /// m ^ d
    Xor,
    /// m >= d ? 0 : m + 1
    Inc,
    /// m == 0 or m > d ? d : m - 1
    Dec,
    /// (m & !d) | d2
    MskOr,
    /// m >= d ? m - d : m + d2
    Wrap,
    /// Floating-point minimum.
    FMin,
    /// Floating-point maximum.
    FMax,
    /// Floating-point sum.
    FAdd,
}

/// Image accesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageOp {
    /// Texel by integer coordinates.
    Load {
        /// The last address component is the mip level.
        mip: bool,
        /// Raw bits, without format conversion.
        raw: bool,
        /// Sign-extends raw data.
        signed: bool,
    },
    /// Texel by integer coordinates.
    Store {
        /// The last address component is the mip level.
        mip: bool,
        /// Raw bits, without format conversion.
        raw: bool,
    },
    /// Read-modify-write of a texel; returns with glc.
    Atomic(Atomic),
    /// Filtered read.
    Sample(Sample),
    /// Width, height, depth, mip levels.
    ResInfo,
    /// The level of detail that a sample would use.
    Lod,
}

/// What a filtered read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// Four texels of one component instead of a filtered one.
    pub gather: bool,
    /// Compares with a reference value.
    pub compare: bool,
    /// How the level of detail is found.
    pub lod: Lod,
    /// A lower bound of the level of detail is given (`_cl`).
    pub clamp: bool,
    /// Texel offsets are given (`_o`).
    pub offset: bool,
}

/// How a sample finds its level of detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lod {
    /// From the quad's derivatives.
    Implicit,
    /// Given derivatives (`_d`).
    Derivatives,
    /// Given coarse derivatives (`_cd`).
    CoarseDerivatives,
    /// Given level (`_l`).
    Level,
    /// Implicit plus a given bias (`_b`).
    Bias,
    /// Level zero (`_lz`).
    Zero,
}

/// Cache maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheOp {
    /// Forget scalar data.
    ScalarInvalidate,
    /// Write scalar data back.
    ScalarWriteback,
    /// Forget volatile scalar data.
    ScalarInvalidateVolatile,
    /// Write volatile scalar data back.
    ScalarWritebackVolatile,
    /// Forget dirty scalar lines at an address (64 or 128 bytes).
    ScalarDiscard(u8),
    /// Forget vector L1 lines.
    VectorInvalidate,
    /// Forget volatile vector L1 lines.
    VectorInvalidateVolatile,
}
