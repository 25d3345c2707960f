//! Operands: what an instruction's operand slot may hold, and what one instruction put there.

/// Hardware numbers of the registers that live in the SGPR number space (Vega ISA, table "SSRC, SDST").
pub mod sgpr {
    /// Low half of the flat scratch base.
    pub const FLAT_SCR_LO: u8 = 102;
    /// Low half of the XNACK mask.
    pub const XNACK_MASK_LO: u8 = 104;
    /// Low half of the vector condition code.
    pub const VCC_LO: u8 = 106;
    /// High half of the vector condition code.
    pub const VCC_HI: u8 = 107;
    /// First of the sixteen trap temporaries.
    pub const TTMP0: u8 = 108;
    /// The memory descriptor register: LDS base, message payload, relative index.
    pub const M0: u8 = 124;
    /// Low half of the execution mask.
    pub const EXEC_LO: u8 = 126;
    /// High half of the execution mask.
    pub const EXEC_HI: u8 = 127;
}

/// One operand of a decoded instruction, parallel to the slots of its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Operand {
    /// The form has no such operand (`off`, a store without returned value, an unused address).
    #[default]
    None,
    /// The first of the slot's vector registers.
    Vgpr(u8),
    /// The first of the slot's scalar registers, as a hardware number 0..=127; see [`sgpr`].
    Sgpr(u8),
    /// An inline integer, -16..=64; sign-extended to the slot's width.
    InlineInt(i8),
    /// An inline floating-point constant, in the format of the slot's type.
    InlineFloat(InlineFloat),
    /// The 32-bit constant that follows the instruction. A 64-bit float takes it as its high half,
    /// a signed 64-bit integer extends its sign, every other 64-bit operand extends with zeroes.
    Literal(u32),
    /// A read-only source that is not a register.
    Special(Special),
    /// An immediate field of the instruction, extended as the slot's [`Kind`] says.
    Imm(i32),
}

/// The nine floating-point constants of source numbers 240..=248.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum InlineFloat {
    /// 0.5
    Half = 240,
    /// -0.5
    MinusHalf,
    /// 1.0
    One,
    /// -1.0
    MinusOne,
    /// 2.0
    Two,
    /// -2.0
    MinusTwo,
    /// 4.0
    Four,
    /// -4.0
    MinusFour,
    /// 1/(2*pi)
    InvTwoPi,
}

impl InlineFloat {
    /// All nine, in the order of their source numbers.
    pub const ALL: [Self; 9] = [
        Self::Half,
        Self::MinusHalf,
        Self::One,
        Self::MinusOne,
        Self::Two,
        Self::MinusTwo,
        Self::Four,
        Self::MinusFour,
        Self::InvTwoPi,
    ];

    /// The constant as binary16 bits.
    pub const fn f16(self) -> u16 {
        match self {
            Self::Half => 0x3800,
            Self::MinusHalf => 0xb800,
            Self::One => 0x3c00,
            Self::MinusOne => 0xbc00,
            Self::Two => 0x4000,
            Self::MinusTwo => 0xc000,
            Self::Four => 0x4400,
            Self::MinusFour => 0xc400,
            Self::InvTwoPi => 0x3118,
        }
    }

    /// The constant as binary32 bits; integer and untyped 32-bit operands see these.
    pub const fn f32(self) -> u32 {
        match self {
            Self::Half => 0x3f00_0000,
            Self::MinusHalf => 0xbf00_0000,
            Self::One => 0x3f80_0000,
            Self::MinusOne => 0xbf80_0000,
            Self::Two => 0x4000_0000,
            Self::MinusTwo => 0xc000_0000,
            Self::Four => 0x4080_0000,
            Self::MinusFour => 0xc080_0000,
            Self::InvTwoPi => 0x3e22_f983,
        }
    }

    /// The constant as binary64 bits; integer and untyped 64-bit operands see these.
    pub const fn f64(self) -> u64 {
        match self {
            Self::Half => 0x3fe0_0000_0000_0000,
            Self::MinusHalf => 0xbfe0_0000_0000_0000,
            Self::One => 0x3ff0_0000_0000_0000,
            Self::MinusOne => 0xbff0_0000_0000_0000,
            Self::Two => 0x4000_0000_0000_0000,
            Self::MinusTwo => 0xc000_0000_0000_0000,
            Self::Four => 0x4010_0000_0000_0000,
            Self::MinusFour => 0xc010_0000_0000_0000,
            Self::InvTwoPi => 0x3fc4_5f30_6dc9_c882,
        }
    }
}

/// Read-only sources outside the register files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Special {
    /// High half of the shared (LDS) aperture's first address, as a 64-bit value.
    SharedBase = 235,
    /// Last address of the shared aperture.
    SharedLimit,
    /// First address of the private (scratch) aperture.
    PrivateBase,
    /// Last address of the private aperture.
    PrivateLimit,
    /// Primitive-ordered pixel shading: the wave that leaves; graphics only.
    PopsExitingWaveId,
    /// 1 when VCC is zero.
    Vccz = 251,
    /// 1 when EXEC is zero.
    Execz,
    /// The scalar condition code.
    Scc,
    /// A dword that every lane reads from LDS at the address in M0.
    LdsDirect,
}

/// The type in which a slot or a micro-operation sees its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// Untyped bits of 8, 16, 32, 64, 96, 128, 256 or 512 bits.
    B8,
    /// 16 bits
    B16,
    /// 32 bits
    B32,
    /// 64 bits
    B64,
    /// 96 bits
    B96,
    /// 128 bits
    B128,
    /// 256 bits
    B256,
    /// 512 bits
    B512,
    /// Unsigned 8-bit integer
    U8,
    /// Signed 8-bit integer
    I8,
    /// Unsigned 16-bit integer
    U16,
    /// Signed 16-bit integer
    I16,
    /// Unsigned 24-bit integer in the low bits of a dword
    U24,
    /// Signed 24-bit integer in the low bits of a dword
    I24,
    /// Unsigned 32-bit integer
    U32,
    /// Signed 32-bit integer
    I32,
    /// Unsigned 64-bit integer
    U64,
    /// Signed 64-bit integer
    I64,
    /// binary16
    F16,
    /// binary32
    F32,
    /// binary64
    F64,
    /// Two unsigned 16-bit integers in a dword
    PkU16,
    /// Two signed 16-bit integers in a dword
    PkI16,
    /// Two binary16 in a dword
    PkF16,
    /// 64 bits, one for each lane
    Mask,
}

impl Ty {
    /// Whether the type is floating point (packed halves included).
    pub const fn is_float(self) -> bool {
        matches!(self, Ty::F16 | Ty::F32 | Ty::F64 | Ty::PkF16)
    }

    /// Whether the type is a signed integer (packed ones included).
    pub const fn is_signed(self) -> bool {
        matches!(self, Ty::I8 | Ty::I16 | Ty::I24 | Ty::I32 | Ty::I64 | Ty::PkI16)
    }

    /// Registers of 32 bits that a value of the type takes.
    pub const fn dwords(self) -> u8 {
        match self {
            Ty::B64 | Ty::U64 | Ty::I64 | Ty::F64 | Ty::Mask => 2,
            Ty::B96 => 3,
            Ty::B128 => 4,
            Ty::B256 => 8,
            Ty::B512 => 16,
            _ => 1,
        }
    }

    /// Bits of one element.
    pub const fn bits(self) -> u32 {
        match self {
            Ty::B8 | Ty::U8 | Ty::I8 => 8,
            Ty::B16 | Ty::U16 | Ty::I16 | Ty::F16 | Ty::PkU16 | Ty::PkI16 | Ty::PkF16 => 16,
            Ty::U24 | Ty::I24 => 24,
            other => other.dwords() as u32 * 32,
        }
    }
}

/// What an instruction does with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Written.
    Dst,
    /// Read.
    Src,
    /// Read and written. As a source it comes after all `Src` slots: `v_mac` is src0 * src1 + dst.
    Both,
    /// Written when the instruction has `glc`, else absent (FLAT atomics).
    DstIfGlc,
    /// Read, and written when the instruction has `glc` (buffer, image and scalar atomics).
    BothIfGlc,
}

/// The logical encoding field that fills a slot; where its bits are depends on the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Vector destination (vdst).
    Dst,
    /// Scalar destination (sdst); VCC in the 32-bit, SDWA and DPP forms of vector instructions.
    SDst,
    /// First source.
    Src0,
    /// Second source.
    Src1,
    /// Third source; VCC where the form has no such field.
    Src2,
    /// The 16-bit immediate of SOPK and SOPP.
    Imm16,
    /// The 32-bit constant of `v_madmk`, `v_madak` and `s_setreg_imm32_b32`.
    Imm32,
    /// Vector address.
    Addr,
    /// First vector data.
    Data0,
    /// Second vector data.
    Data1,
    /// Scalar data of SMEM.
    SData,
    /// Scalar base of SMEM.
    SBase,
    /// SGPR offset of SMEM, MUBUF and MTBUF; the immediate offset is a modifier.
    SOffset,
    /// Scalar address of GLOBAL and SCRATCH.
    SAddr,
    /// Resource descriptor.
    Rsrc,
    /// Sampler descriptor.
    Sampler,
    /// Interpolated attribute and channel.
    Attr,
    /// Export target.
    Target,
    /// Export sources, 0 to 3.
    Export(u8),
}

/// What may stand in a slot, and how its bits are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A vector register.
    Vgpr,
    /// Any source of a vector instruction: VGPR, SGPR, constant, literal.
    Vector,
    /// A register or LDS direct, no constant (`v_readfirstlane`, `v_readlane`).
    VectorOnly,
    /// Any source of a scalar instruction: SGPR, constant, literal.
    Scalar,
    /// A scalar register.
    Sgpr,
    /// A lane mask held in scalar registers.
    LaneMask,
    /// A lane selector: SGPR, M0 or inline constant.
    LaneSelect,
    /// A signed 16-bit immediate.
    Simm16,
    /// An unsigned 16-bit immediate.
    Uimm16,
    /// A signed distance in dwords from the next instruction.
    Branch,
    /// Counters to wait for.
    Waitcnt,
    /// A message and its operation.
    Message,
    /// A hardware register's id, offset and size.
    HwReg,
    /// The four bits that say which operands `s_set_gpr_idx` indexes.
    GprIdxMode,
    /// A 32-bit constant in the instruction.
    Literal,
    /// An attribute: number in the high bits, channel in the low two.
    Attribute,
    /// P10, P20 or P0: which interpolation parameter.
    InterpSlot,
    /// An export target.
    ExportTarget,
    /// The probe's seven permission bits (`s_atc_probe`).
    ProbeBits,
}

/// One operand slot of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The encoding field that fills it.
    pub field: Field,
    /// Read, written, or both.
    pub role: Role,
    /// What may stand there.
    pub kind: Kind,
    /// How its bits are read.
    pub ty: Ty,
    /// Registers it takes; 0: as many as the instruction's modifiers ask for (image data and addresses,
    /// buffer addresses), see [`crate::Inst::dwords`].
    pub dwords: u8,
}
