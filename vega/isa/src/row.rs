//! A row of the opcode table: everything that any reader needs to know of one gfx900 opcode.

use crate::micro::Micro;
use crate::operand::Slot;

/// Instruction encodings (Vega ISA, chapter "Microcode Formats").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Encoding {
    /// Scalar, two sources.
    Sop2,
    /// Scalar, a 16-bit immediate.
    Sopk,
    /// Scalar, one source.
    Sop1,
    /// Scalar comparison.
    Sopc,
    /// Program flow.
    Sopp,
    /// Scalar memory.
    Smem,
    /// Vector, two sources.
    Vop2,
    /// Vector, one source.
    Vop1,
    /// Vector comparison.
    Vopc,
    /// Opcodes that only VOP3 has; the others' VOP3 forms are [`Row::vop3`].
    Vop3,
    /// Packed and mixed 16-bit arithmetic.
    Vop3p,
    /// Parameter interpolation.
    Vintrp,
    /// Local and global data share.
    Ds,
    /// Memory by flat 64-bit address.
    Flat,
    /// Global memory by 64-bit address.
    Global,
    /// Private memory.
    Scratch,
    /// Memory by buffer descriptor.
    Mubuf,
    /// Memory by buffer descriptor, with the data format in the instruction.
    Mtbuf,
    /// Images.
    Mimg,
    /// Export.
    Exp,
}

/// The form in which an instruction is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Form {
    /// The encoding's own: 32 bits (plus a literal) for scalar and VOP1, VOP2, VOPC; 64 bits for VOP3P and memory.
    Native = 1,
    /// VOP3, 64 bits.
    E64 = 2,
    /// Sub-dword addressing, 64 bits.
    Sdwa = 4,
    /// Data-parallel primitives, 64 bits.
    Dpp = 8,
}

/// A set of [`Form`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Forms(pub u8);

impl Forms {
    /// Whether the form is in the set.
    pub const fn has(self, form: Form) -> bool {
        self.0 & form as u8 != 0
    }

    /// The forms of the set.
    pub fn iter(self) -> impl Iterator<Item = Form> {
        [Form::Native, Form::E64, Form::Sdwa, Form::Dpp].into_iter().filter(move |f| self.has(*f))
    }
}

/// Registers that an instruction touches without naming them in an operand slot. VCC as carry, select mask
/// or comparison result is a slot, so it is not told here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Implicit(pub u8);

impl Implicit {
    /// None.
    pub const NONE: Self = Self(0);
    /// The execution mask.
    pub const EXEC: Self = Self(1);
    /// The vector condition code.
    pub const VCC: Self = Self(2);
    /// The scalar condition code.
    pub const SCC: Self = Self(4);
    /// The M0 register.
    pub const M0: Self = Self(8);
    /// Rounding, denormal and exception modes.
    pub const MODE: Self = Self(16);
    /// The flat scratch base.
    pub const FLAT_SCR: Self = Self(32);
    /// SGPRs or VGPRs chosen at run time (relative moves).
    pub const INDEXED: Self = Self(64);
    /// The program counter.
    pub const PC: Self = Self(128);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in the set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What kind of work an instruction is; engines choose their unit of work by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// SGPRs only.
    Scalar,
    /// Each lane by itself.
    LaneLocal,
    /// Lanes exchange values.
    CrossLane,
    /// Memory; the micro-operation tells space, size, direction and atomic operation.
    Memory,
    /// Program flow, synchronisation, wave state.
    Control,
    /// Parameter interpolation and export: illegal in a compute kernel.
    Graphics,
}

/// How EXEC governs an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecRule {
    /// Inactive lanes do nothing and their registers stay.
    Obeys,
    /// EXEC plays no part.
    Ignores,
    /// A lane mask is written whole: inactive lanes' bits become 0.
    ZeroesInactive,
    /// Reads the first active lane, lane 0 when there is none.
    FirstLane,
}

/// Which denormals a floating-point instruction sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denormals {
    /// Not floating point, or bits pass unchanged.
    Untouched,
    /// MODE's field for f32.
    Mode32,
    /// MODE's field for f16 and f64.
    Mode16And64,
    /// Inputs by the source's field, results by the destination's field (conversions).
    ModeMixed,
    /// Inputs and results are flushed to zero of the same sign.
    Flush,
    /// Denormals always work.
    Keep,
}

/// How a floating-point instruction rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// The result is exact, or not floating point.
    Exact,
    /// MODE's field for f32.
    Mode32,
    /// MODE's field for f16 and f64.
    Mode16And64,
    /// To nearest even whatever MODE says.
    NearestEven,
    /// Toward zero whatever MODE says.
    TowardZero,
}

/// What a floating-point instruction does with NaN inputs. Hardware leaves payload choice to this
/// project's engines only where no document fixes it; every engine follows this column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NanRule {
    /// No NaN can occur, or bits pass unchanged (`v_mov`, `v_cndmask`).
    None,
    /// The first source that is NaN, made quiet; an invalid operation gives the default NaN (sign 0, only
    /// the quiet bit of the fraction set).
    FirstQuieted,
    /// IEEE minNum/maxNum: a quiet NaN loses against a number. A signaling NaN is made quiet and wins when
    /// MODE.ieee is set, else it is treated as a quiet one.
    MinMax,
    /// NaN becomes integer 0.
    ToZero,
    /// Comparison: unordered.
    Unordered,
}

/// Floating-point behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FpTraits {
    /// Denormals of inputs and results.
    pub denormals: Denormals,
    /// Rounding of the result.
    pub rounding: Rounding,
    /// NaN inputs.
    pub nan: NanRule,
    /// A multiply-add that rounds once.
    pub fused: bool,
}

impl FpTraits {
    /// Not a floating-point instruction.
    pub const NONE: Self =
        Self { denormals: Denormals::Untouched, rounding: Rounding::Exact, nan: NanRule::None, fused: false };
}

/// What happens to the other half of a dword whose half a 16-bit instruction writes (in the forms without
/// SDWA, whose `dst_unused` decides).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtherHalf {
    /// The result fills whole registers.
    NoHalf,
    /// The high half becomes zero.
    Zeroed,
    /// It stays; op_sel\[3\] may choose the high half as destination.
    Kept,
}

/// Ways in which executing an instruction can fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults(pub u8);

impl Faults {
    /// None.
    pub const NONE: Self = Self(0);
    /// An address without translation or right.
    pub const MEMORY: Self = Self(1);
    /// A misaligned address.
    pub const ALIGNMENT: Self = Self(2);
    /// Enters the trap handler.
    pub const TRAP: Self = Self(4);
    /// Illegal in a compute kernel.
    pub const ILLEGAL: Self = Self(8);
    /// A register index out of range (relative moves).
    pub const REGISTER: Self = Self(16);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in the set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A set of modifiers that an instruction may carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Legal(pub u32);

impl Legal {
    /// None.
    pub const NONE: Self = Self(0);
    /// Source negation (VOP3, SDWA, DPP).
    pub const NEG: Self = Self(1);
    /// Source absolute value.
    pub const ABS: Self = Self(1 << 1);
    /// Clamp to \[0, 1\], or integer saturation.
    pub const CLAMP: Self = Self(1 << 2);
    /// Result times 2, 4 or 1/2.
    pub const OMOD: Self = Self(1 << 3);
    /// Half selection of VOP3 (op_sel) or VOP3P (op_sel and op_sel_hi).
    pub const OP_SEL: Self = Self(1 << 4);
    /// Sign extension of SDWA sources.
    pub const SEXT: Self = Self(1 << 5);
    /// Immediate offset.
    pub const OFFSET: Self = Self(1 << 6);
    /// Two 8-bit offsets (DS).
    pub const OFFSET2: Self = Self(1 << 7);
    /// GDS instead of LDS.
    pub const GDS: Self = Self(1 << 8);
    /// Globally coherent, or "return the old value" for atomics.
    pub const GLC: Self = Self(1 << 9);
    /// System-level coherent.
    pub const SLC: Self = Self(1 << 10);
    /// Texture fail enable: one more data register.
    pub const TFE: Self = Self(1 << 11);
    /// Loaded data goes to LDS at M0 instead of registers (MUBUF, GLOBAL, SCRATCH).
    pub const LDS: Self = Self(1 << 12);
    /// Buffer index and offset registers.
    pub const ADDRESSED: Self = Self(1 << 13);
    /// Buffer data and number format.
    pub const FORMAT: Self = Self(1 << 14);
    /// Image modifiers: dmask, unorm, da, lwe.
    pub const IMAGE: Self = Self(1 << 15);
    /// 16-bit image data.
    pub const D16: Self = Self(1 << 16);
    /// Negation of the high halves (VOP3P).
    pub const NEG_HI: Self = Self(1 << 17);
    /// Export: en, compr, done, vm.
    pub const EXPORT: Self = Self(1 << 18);
    /// High half of an interpolation source.
    pub const HIGH: Self = Self(1 << 19);
    /// 16-bit image addresses.
    pub const A16: Self = Self(1 << 20);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in the set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One opcode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// LLVM's name without the suffix that tells the form.
    pub mnemonic: &'static str,
    /// The encoding of the native form.
    pub encoding: Encoding,
    /// The number in that encoding.
    pub opcode: u16,
    /// The number of the VOP3 form of a VOP1, VOP2, VOPC or VINTRP opcode.
    pub vop3: Option<u16>,
    /// Operands in the order of the assembly text.
    pub operands: &'static [Slot],
    /// Forms that exist.
    pub forms: Forms,
    /// Modifiers that may be set, over all forms.
    pub legal: Legal,
    /// What kind of work it is.
    pub class: Class,
    /// The semantics.
    pub micro: Micro,
    /// The micro-operation's first two sources change places.
    pub reversed: bool,
    /// How EXEC governs it.
    pub exec: ExecRule,
    /// Registers read without a slot.
    pub reads: Implicit,
    /// Registers written without a slot.
    pub writes: Implicit,
    /// Floating-point behaviour.
    pub fp: FpTraits,
    /// The unwritten half of a 16-bit destination.
    pub other_half: OtherHalf,
    /// How it can fail.
    pub faults: Faults,
    /// Section of AMD's "Vega Instruction Set Architecture" manual.
    pub source: &'static str,
}
