//! Machine code under construction: instructions, labels, constants.

use std::collections::HashMap;
use std::hash::Hash;

use iced_x86::{Code, Encoder, Instruction, MemoryOperand, OpKind, Register, RoundingControl};

/// A place in the code, bound or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// An operand of an instruction.
#[derive(Clone, Copy)]
pub(super) enum Arg {
    /// A register.
    Reg(Register),
    /// Memory.
    Mem(MemoryOperand),
    /// An 8-bit immediate.
    Byte(u8),
    /// A 16-bit immediate.
    Word(u16),
    /// A 32-bit immediate.
    Dword(u32),
}

impl From<Register> for Arg {
    fn from(register: Register) -> Self {
        Self::Reg(register)
    }
}

impl From<MemoryOperand> for Arg {
    fn from(memory: MemoryOperand) -> Self {
        Self::Mem(memory)
    }
}

impl From<u8> for Arg {
    fn from(value: u8) -> Self {
        Self::Byte(value)
    }
}

/// Base plus displacement.
pub(super) fn at(base: Register, displacement: i32) -> MemoryOperand {
    MemoryOperand::with_base_displ(base, displacement.into())
}

/// Base plus index plus displacement.
pub(super) fn at_index(base: Register, index: Register, displacement: i32) -> MemoryOperand {
    MemoryOperand::with_base_index_scale_displ_size(base, index, 1, displacement.into(), 1)
}

/// How a vector instruction treats elements.
#[derive(Clone, Copy, Default)]
pub(super) struct Masking {
    /// The mask register; `None` for all elements.
    pub by: Option<Register>,
    /// Elements outside become zero rather than staying.
    pub zero: bool,
    /// No exception flags ({sae}, or {rn-sae} where the instruction rounds).
    pub quiet: bool,
}

/// Constants, each of which is placed once.
#[derive(Default)]
struct Constants<T> {
    list: Vec<(T, Label)>,
    places: HashMap<T, Label>,
}

impl<T: Copy + Eq + Hash> Constants<T> {
    /// The label of a constant.
    fn find(&mut self, constant: T, labels: &mut Vec<Option<usize>>) -> Label {
        *self.places.entry(constant).or_insert_with(|| {
            labels.push(None);
            let label = Label(labels.len() - 1);
            self.list.push((constant, label));
            label
        })
    }
}

/// The code so far.
pub(super) struct Assembler {
    encoder: Encoder,
    code: Vec<u8>,
    labels: Vec<Option<usize>>,
    /// Ends of 32-bit distances, and where they lead.
    fixups: Vec<(usize, Label)>,
    /// Constants of 64 bytes and of 4 bytes, to be placed behind the code.
    tables: Constants<[u32; 16]>,
    dwords: Constants<u32>,
    /// Some instruction could not be encoded: the code is worthless.
    failure: Option<String>,
}

/// The address for which distances are encoded: code is independent of where it lies.
const NOMINAL: u64 = 0x1000_0000;

impl Assembler {
    /// No code yet.
    pub fn new() -> Self {
        Self {
            encoder: Encoder::new(64),
            code: Vec::with_capacity(1 << 16),
            labels: Vec::new(),
            fixups: Vec::new(),
            tables: Constants::default(),
            dwords: Constants::default(),
            failure: None,
        }
    }

    /// A label to be bound later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Binds a label to this place.
    pub fn bind(&mut self, label: Label) {
        let here = self.code.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(here);
        }
    }

    /// Where a bound label is.
    pub fn place(&self, label: Label) -> Option<usize> {
        self.labels.get(label.0).copied().flatten()
    }

    /// One instruction.
    pub fn op(&mut self, code: Code, args: &[Arg]) {
        self.with(code, args, Masking::default());
    }

    /// One vector instruction on registers that rounds in a direction of its own, and raises no flags.
    pub fn rounded(&mut self, code: Code, args: &[Arg], round: RoundingControl) {
        let (mut instruction, _) = Self::instruction(code, args);
        instruction.set_rounding_control(round);
        self.encode(&instruction);
    }

    /// The instruction with its operands, and whether one of them is in memory.
    fn instruction(code: Code, args: &[Arg]) -> (Instruction, bool) {
        let mut instruction = Instruction::new();
        instruction.set_code(code);
        let mut memory = false;
        for (n, arg) in args.iter().enumerate() {
            let n = n as u32;
            match arg {
                Arg::Reg(register) => {
                    instruction.set_op_kind(n, OpKind::Register);
                    instruction.set_op_register(n, *register);
                }
                Arg::Mem(m) => {
                    memory = true;
                    instruction.set_op_kind(n, OpKind::Memory);
                    instruction.set_memory_base(m.base);
                    instruction.set_memory_index(m.index);
                    instruction.set_memory_index_scale(m.scale.max(1));
                    instruction.set_memory_displacement64(m.displacement as u64);
                    instruction.set_memory_displ_size(if m.displacement == 0 { 0 } else { 1 });
                }
                Arg::Byte(value) => {
                    let kind = match code {
                        Code::Add_rm64_imm8
                        | Code::Sub_rm64_imm8
                        | Code::Cmp_rm64_imm8
                        | Code::And_rm64_imm8 => OpKind::Immediate8to64,
                        Code::Add_rm32_imm8
                        | Code::Sub_rm32_imm8
                        | Code::Cmp_rm32_imm8
                        | Code::And_rm32_imm8 => OpKind::Immediate8to32,
                        Code::Cmp_rm16_imm8 => OpKind::Immediate8to16,
                        _ => OpKind::Immediate8,
                    };
                    instruction.set_op_kind(n, kind);
                    match kind {
                        OpKind::Immediate8to64 => instruction.set_immediate8to64((*value as i8).into()),
                        OpKind::Immediate8to32 => instruction.set_immediate8to32((*value as i8).into()),
                        OpKind::Immediate8to16 => instruction.set_immediate8to16((*value as i8).into()),
                        _ => instruction.set_immediate8(*value),
                    }
                }
                Arg::Word(value) => {
                    instruction.set_op_kind(n, OpKind::Immediate16);
                    instruction.set_immediate16(*value);
                }
                Arg::Dword(value) => {
                    let wide = matches!(
                        code,
                        Code::Add_rm64_imm32
                            | Code::Sub_rm64_imm32
                            | Code::Cmp_rm64_imm32
                            | Code::Mov_rm64_imm32
                            | Code::And_rm64_imm32
                    );
                    let kind = if wide { OpKind::Immediate32to64 } else { OpKind::Immediate32 };
                    instruction.set_op_kind(n, kind);
                    if wide {
                        instruction.set_immediate32to64((*value as i32).into());
                    } else {
                        instruction.set_immediate32(*value);
                    }
                }
            }
        }
        (instruction, memory)
    }

    /// One vector instruction under a mask.
    pub fn with(&mut self, code: Code, args: &[Arg], masking: Masking) {
        let (mut instruction, memory) = Self::instruction(code, args);
        if let Some(mask) = masking.by {
            instruction.set_op_mask(mask);
            instruction.set_zeroing_masking(masking.zero);
        }
        if masking.quiet && !memory {
            match code.op_code_rounds() {
                Rounds::Mode => instruction.set_rounding_control(RoundingControl::RoundToNearest),
                Rounds::Quiet => instruction.set_suppress_all_exceptions(true),
                Rounds::No => {}
            }
        }
        self.encode(&instruction);
    }

    fn encode(&mut self, instruction: &Instruction) {
        let at = NOMINAL + self.code.len() as u64;
        self.encoder.set_buffer(std::mem::take(&mut self.code));
        let result = self.encoder.encode(instruction, at);
        self.code = self.encoder.take_buffer();
        if let Err(error) = result
            && self.failure.is_none()
        {
            self.failure = Some(format!("{:?}: {error}", instruction.code()));
        }
    }

    /// An instruction that reads and writes memory in one go, for all processors.
    pub fn locked(&mut self, code: Code, args: &[Arg]) {
        self.raw(&[0xf0]);
        self.op(code, args);
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    fn distance(&mut self, to: Label) {
        self.code.extend([0; 4]);
        self.fixups.push((self.code.len(), to));
    }

    /// Jumps always.
    pub fn jmp(&mut self, to: Label) {
        self.raw(&[0xe9]);
        self.distance(to);
    }

    /// Calls code of this program.
    pub fn call(&mut self, to: Label) {
        self.raw(&[0xe8]);
        self.distance(to);
    }

    /// Jumps on a condition (the low four bits of `jcc`'s opcode).
    pub fn jcc(&mut self, condition: Condition, to: Label) {
        self.raw(&[0x0f, 0x80 | condition as u8]);
        self.distance(to);
    }

    /// A vector instruction whose last operand is a constant table of 64 bytes, or the first 32 of them.
    pub fn op_table(&mut self, code: Code, args: &[Arg], table: [u32; 16], masking: Masking) {
        let label = self.tables.find(table, &mut self.labels);
        self.op_label(code, args, label, masking);
    }

    /// Fills every element of a vector register with a dword.
    pub fn broadcast(&mut self, to: Register, value: u32) {
        let same: [Arg; 3] = [to.into(); 3];
        match (value, to.is_zmm()) {
            (0, true) => self.op(Code::EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, &same),
            (0, false) => self.op(Code::VEX_Vpxor_ymm_ymm_ymmm256, &same),
            (u32::MAX, true) => self.op(
                Code::EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8,
                &[to.into(), to.into(), to.into(), 0xffu8.into()],
            ),
            (u32::MAX, false) => self.op(Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256, &same),
            (_, wide) => {
                let label = self.dwords.find(value, &mut self.labels);
                let code = if wide {
                    Code::EVEX_Vpbroadcastd_zmm_k1z_xmmm32
                } else {
                    Code::VEX_Vpbroadcastd_ymm_xmmm32
                };
                self.op_label(code, &[to.into()], label, Masking::default());
            }
        }
    }

    /// An instruction whose last operand is memory at a label; it must have no immediate.
    fn op_label(&mut self, code: Code, args: &[Arg], label: Label, masking: Masking) {
        let mut all = args.to_vec();
        let place = NOMINAL + self.code.len() as u64;
        all.push(Arg::Mem(MemoryOperand::with_base_displ(Register::RIP, place as i64)));
        self.with(code, &all, masking);
        self.fixups.push((self.code.len(), label));
    }

    /// Ends the code: places constants, resolves distances.
    pub fn finish(mut self) -> Result<Finished, String> {
        self.code.resize(self.code.len().next_multiple_of(64), 0xcc);
        for (table, label) in std::mem::take(&mut self.tables.list) {
            self.bind(label);
            self.code.extend(table.iter().flat_map(|dword| dword.to_le_bytes()));
        }
        for (dword, label) in std::mem::take(&mut self.dwords.list) {
            self.bind(label);
            self.code.extend(dword.to_le_bytes());
        }
        for (end, label) in std::mem::take(&mut self.fixups) {
            let Some(place) = self.place(label) else { return Err("a label was never bound".to_owned()) };
            let distance = (place as i64 - end as i64) as i32;
            if let Some(bytes) = self.code.get_mut(end - 4..end) {
                bytes.copy_from_slice(&distance.to_le_bytes());
            }
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(Finished { code: self.code, labels: self.labels }),
        }
    }
}

/// Code whose distances are resolved.
pub(super) struct Finished {
    /// The bytes.
    pub code: Vec<u8>,
    labels: Vec<Option<usize>>,
}

impl Finished {
    /// Where a label is.
    pub fn place(&self, label: Label) -> Option<usize> {
        self.labels.get(label.0).copied().flatten()
    }
}

/// Conditions of jumps, by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Condition {
    /// A signed result does not fit.
    Overflow = 0,
    /// Carry.
    Below = 2,
    /// No carry.
    AboveEqual = 3,
    /// Zero.
    Equal = 4,
    /// Not zero.
    NotEqual = 5,
    /// Carry or zero.
    BelowOrEqual = 6,
    /// Neither carry nor zero.
    Above = 7,
    /// With a sign.
    Less = 12,
    /// With a sign.
    GreaterOrEqual = 13,
    /// With a sign.
    LessOrEqual = 14,
    /// With a sign.
    Greater = 15,
}

/// Whether an instruction's register form takes a rounding mode or only "no exceptions".
enum Rounds {
    Mode,
    Quiet,
    No,
}

trait OpCodeRounds {
    fn op_code_rounds(self) -> Rounds;
}

impl OpCodeRounds for Code {
    fn op_code_rounds(self) -> Rounds {
        use Code::*;
        match self {
            EVEX_Vcvtps2udq_zmm_k1z_zmmm512b32_er
            | EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er
            | EVEX_Vcvtudq2ps_zmm_k1z_zmmm512b32_er
            | EVEX_Vcvtpd2ps_ymm_k1z_zmmm512b64_er => Rounds::Mode,
            EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae
            | EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae
            | EVEX_Vrangeps_zmm_k1z_zmm_zmmm512b32_imm8_sae
            | EVEX_Vrangepd_zmm_k1z_zmm_zmmm512b64_imm8_sae
            | EVEX_Vmaxps_zmm_k1z_zmm_zmmm512b32_sae
            | EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae
            | EVEX_Vmaxpd_zmm_k1z_zmm_zmmm512b64_sae
            | EVEX_Vminpd_zmm_k1z_zmm_zmmm512b64_sae
            | EVEX_Vcvttps2dq_zmm_k1z_zmmm512b32_sae
            | EVEX_Vcvttps2udq_zmm_k1z_zmmm512b32_sae
            | EVEX_Vcvttpd2dq_ymm_k1z_zmmm512b64_sae
            | EVEX_Vcvttpd2udq_ymm_k1z_zmmm512b64_sae
            | EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae
            | EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae
            | EVEX_Vcvtps2pd_zmm_k1z_ymmm256b32_sae
            | EVEX_Vcvtph2ps_zmm_k1z_ymmm256_sae
            | EVEX_Vcvtps2ph_ymmm256_k1z_zmm_imm8_sae => Rounds::Quiet,
            _ => Rounds::No,
        }
    }
}
