//! Operations of the scalar unit: arithmetic, program flow, hardware registers.

/// Scalar operations with one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarUn {
    /// Copy; SCC unchanged.
    Mov,
    /// Copy when SCC; SCC unchanged.
    CMov,
    /// Complement; SCC = result is not zero.
    Not,
    /// Whole quad mode: each group of four bits becomes all ones if any is set; SCC = result is not zero.
    Wqm,
    /// Bit reversal; SCC unchanged.
    Brev,
    /// Number of zero bits; SCC = result is not zero.
    Bcnt0,
    /// Number of one bits; SCC = result is not zero.
    Bcnt1,
    /// Lowest zero bit, -1 if none; SCC unchanged.
    Ff0,
    /// Lowest one bit, -1 if none; SCC unchanged.
    Ff1,
    /// Leading bits before the first 1 (unsigned types) or before the first bit unlike the sign (signed
    /// types), -1 if none; SCC unchanged.
    Flbit,
    /// Sign extension from the type (I8, I16) to 32 bits; SCC unchanged.
    Sext,
    /// dst with bit src0 cleared; SCC unchanged.
    BitSet0,
    /// dst with bit src0 set; SCC unchanged.
    BitSet1,
    /// One bit for each group of four: is any set; SCC = result is not zero.
    QuadMask,
    /// Absolute value; SCC = result is not zero.
    Abs,
    /// Each of 32 bits twice, giving 64; SCC unchanged.
    BitReplicate,
}

/// Scalar operations with two sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarBin {
    /// Sum; SCC = carry (U32) or signed overflow (I32).
    Add,
    /// Difference; SCC = borrow (U32) or signed overflow (I32).
    Sub,
    /// Sum with SCC; SCC = carry.
    AddC,
    /// Difference minus SCC; SCC = borrow.
    SubB,
    /// Minimum; SCC = src0 was chosen (src0 < src1).
    Min,
    /// Maximum; SCC = src0 was chosen (src0 > src1).
    Max,
    /// SCC ? src0 : src1; SCC unchanged.
    CSelect,
    /// Bitwise; SCC = result is not zero.
    Logic(Logic),
    /// src0 << (src1 mod width); SCC = result is not zero.
    Lshl,
    /// src0 >> (src1 mod width), zero-filled; SCC = result is not zero.
    Lshr,
    /// src0 >> (src1 mod width), sign-filled; SCC = result is not zero.
    Ashr,
    /// ((1 << src0) - 1) << src1, both mod width; SCC unchanged.
    Bfm,
    /// Low 32 bits of the product; SCC unchanged.
    Mul,
    /// High 32 bits of the product; SCC unchanged.
    MulHi,
    /// Field of src0: offset src1\[4:0\] (\[5:0\] for 64 bits), width src1\[22:16\]; SCC = result is not zero.
    Bfe,
    /// |src0 - src1|; SCC = result is not zero.
    AbsDiff,
    /// (src0 << n) + src1; SCC = carry out.
    LshlAdd(u8),
    /// A half of src0 in the low half, a half of src1 in the high half (true: the high one); SCC unchanged.
    Pack(bool, bool),
}

/// Bitwise combinations of a first and second input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    /// a & b
    And,
    /// a | b
    Or,
    /// a ^ b
    Xor,
    /// a & !b
    Andn2,
    /// a | !b
    Orn2,
    /// !a & b
    Andn1,
    /// !a | b
    Orn1,
    /// !(a & b)
    Nand,
    /// !(a | b)
    Nor,
    /// !(a ^ b)
    Xnor,
}

/// Program flow and wave state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// Does nothing for imm + 1 cycles.
    Nop,
    /// Ends the wave.
    EndProgram,
    /// Ends the wave that a trap handler saved.
    EndProgramSaved,
    /// Ends the wave and signals ordered pixel shading.
    EndProgramOrderedPsDone,
    /// PC += 4 * imm, when the condition holds.
    Branch(BranchIf),
    /// dst = PC of the next instruction; PC += 4 * imm.
    Call,
    /// dst = PC of the next instruction.
    GetPc,
    /// PC = src0.
    SetPc,
    /// dst = PC of the next instruction; PC = src0.
    SwapPc,
    /// Returns from a trap handler.
    ReturnFromException,
    /// Returns from a trap handler and restores its state.
    ReturnFromExceptionRestore,
    /// Structured divergence: fork on src0 to the address in src1 (or the immediate, for SOPK).
    Fork,
    /// Structured divergence: joins.
    Join,
    /// Wakes the sleeping waves of the workgroup.
    Wakeup,
    /// Waits for all waves of the workgroup.
    Barrier,
    /// Sets or clears the wave's kill bit.
    SetKill,
    /// Waits until the counters are at most those of the immediate.
    Waitcnt,
    /// Sets or clears the wave's halt bit.
    SetHalt,
    /// Sleeps for about 64 * imm\[6:0\] cycles.
    Sleep,
    /// Sets the wave's priority.
    SetPriority,
    /// Sends a message; M0 is its payload.
    SendMessage,
    /// Sends a message and halts.
    SendMessageHalt,
    /// Enters the trap handler with an id.
    Trap,
    /// Forgets cached instructions.
    InstructionCacheInvalidate,
    /// Performance counting up.
    IncPerfLevel,
    /// Performance counting down.
    DecPerfLevel,
    /// Thread trace gets M0.
    TraceData,
    /// Vector skipping from src0's bit src1.
    SetVskip,
    /// GPR indexing on: M0\[7:0\] = src0, M0\[15:12\] = imm.
    GprIdxOn,
    /// GPR indexing off.
    GprIdxOff,
    /// M0\[15:12\] = imm.
    GprIdxMode,
    /// M0\[7:0\] = src0.
    GprIdxIdx,
}

/// When a branch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BranchIf {
    /// Always.
    Always,
    /// SCC is 0.
    Scc0,
    /// SCC is 1.
    Scc1,
    /// VCC is zero.
    Vccz,
    /// VCC is not zero.
    Vccnz,
    /// EXEC is zero.
    Execz,
    /// EXEC is not zero.
    Execnz,
    /// The system debugger's flag is set.
    DebugSystem,
    /// The user debugger's flag is set.
    DebugUser,
    /// One of both is set.
    DebugSystemOrUser,
    /// Both are set.
    DebugSystemAndUser,
}

/// Counters that SMEM reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Core clock cycles.
    Core,
    /// The constant reference clock.
    Real,
}

/// The operand of `s_getreg` and `s_setreg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HwReg {
    /// Register id, 0..=63; 1 is MODE, 2 STATUS, 3 TRAPSTS, 4 HW_ID, 5 GPR_ALLOC, 6 LDS_ALLOC, 7 IB_STS,
    /// 15 SH_MEM_BASES.
    pub id: u8,
    /// First bit of the field, 0..=31.
    pub offset: u8,
    /// Bits of the field, 1..=32.
    pub bits: u8,
}

impl HwReg {
    /// Takes the instruction's 16-bit immediate apart.
    pub const fn from_imm(imm: u16) -> Self {
        Self { id: (imm & 63) as u8, offset: (imm >> 6 & 31) as u8, bits: (imm >> 11) as u8 + 1 }
    }
}
