//! Listings of machine code: a whole section, or the surroundings of one instruction for a fault report.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::decode::DecodeError;
use crate::inst::Inst;
use crate::micro::{Control, Micro};
use crate::operand::{Kind, Operand};
use crate::table::Table;

/// Columns of the instruction's text before the address, as llvm-objdump has them.
const TEXT_COLUMNS: usize = 59;

/// One line of a listing: an instruction, or a word that is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The address of the first word.
    pub pc: u64,
    /// The instruction, or why there is none.
    pub inst: Result<Inst, DecodeError>,
    words: [u32; 2],
    len: usize,
}

impl Line {
    /// The words of the line: those of the instruction, or one.
    pub fn words(&self) -> &[u32] {
        self.words.get(..self.len).unwrap_or(&self.words)
    }

    /// The address of the next line.
    pub fn next_pc(&self) -> u64 {
        self.pc.wrapping_add(4 * self.len as u64)
    }

    /// Where the instruction branches to, if it does so by a distance.
    pub fn target(&self) -> Option<u64> {
        self.inst.ok()?.branch_target(self.pc)
    }
}

impl Display for Line {
    /// The text, then the address and the words in hexadecimal, then a branch's target.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = match &self.inst {
            Ok(inst) => inst.to_string(),
            Err(_) => format!(".long {:#010x}", self.words[0]),
        };
        write!(f, "{text:TEXT_COLUMNS$} // {:012X}:", self.pc)?;
        for word in self.words() {
            write!(f, " {word:08X}")?;
        }
        match self.target() {
            Some(target) => write!(f, " -> {target:012X}"),
            None => Ok(()),
        }
    }
}

impl Inst {
    /// Where an instruction at `pc` branches to, if it does so by a distance: `s_branch`, `s_cbranch_*`, `s_call_b64`,
    /// `s_cbranch_i_fork`.
    pub fn branch_target(&self, pc: u64) -> Option<u64> {
        let distance = self.iter().find_map(|(slot, operand)| match (slot.kind, operand) {
            (Kind::Branch, Operand::Imm(n)) => Some(i64::from(n) * 4),
            _ => None,
        })?;
        Some(pc.wrapping_add(self.size_bytes.into()).wrapping_add_signed(distance))
    }

    /// Whether execution cannot continue with the next instruction.
    pub fn ends_flow(&self) -> bool {
        use crate::micro::BranchIf::Always;
        matches!(
            self.row.micro,
            Micro::Control(
                Control::EndProgram
                    | Control::EndProgramSaved
                    | Control::EndProgramOrderedPsDone
                    | Control::Branch(Always)
                    | Control::SetPc
                    | Control::SwapPc
                    | Control::Call
                    | Control::ReturnFromException
                    | Control::ReturnFromExceptionRestore
            )
        )
    }
}

/// The lines of the code in `words`, whose first word is at `pc`. Words that are no instruction make a line each.
pub fn disassemble(pc: u64, words: &[u32]) -> impl Iterator<Item = Line> + '_ {
    let mut pc = pc;
    let mut rest = words;
    std::iter::from_fn(move || {
        let &first = rest.first()?;
        let inst = Table::gfx900().decode(rest);
        let len = inst.as_ref().map_or(1, |i| usize::from(i.size_bytes) / 4).min(rest.len());
        let line = Line {
            pc,
            inst,
            words: [first, if len == 2 { rest.get(1).copied().unwrap_or_default() } else { 0 }],
            len,
        };
        rest = rest.get(len..).unwrap_or_default();
        pc = line.next_pc();
        Some(line)
    })
}

/// The surroundings of the instruction at `at` for a fault report: up to `before` and `after` lines around it, the
/// instruction itself marked with `=>`. `words` is code from `pc` on, best from the start of the kernel: instructions
/// differ in length, so lines before `at` are only shown if decoding from `pc` meets `at`.
pub fn window(pc: u64, words: &[u32], at: u64, before: usize, after: usize) -> String {
    let mut lines: Vec<Line> = disassemble(pc, words).take_while(|line| line.pc < at).collect();
    if lines.last().is_some_and(|last| last.next_pc() != at) {
        lines.clear();
    }
    let skip = lines.len().saturating_sub(before);
    let from = at.checked_sub(pc).map_or(words.len(), |distance| (distance / 4) as usize);
    let rest = words.get(from..).unwrap_or_default();
    let mut text = String::new();
    for line in lines.into_iter().skip(skip).chain(disassemble(at, rest).take(after + 1)) {
        let mark = if line.pc == at { "=>" } else { "  " };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{mark} {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// s_load_dwordx2, s_waitcnt, v_mov, s_cbranch_scc1 back to v_mov, a word that is nothing, s_endpgm.
    const CODE: [u32; 7] =
        [0xc006_0082, 0x0000_0010, 0xbf8c_c07f, 0x7e00_0280, 0xbf85_fffe, 0xffff_ffff, 0xbf81_0000];

    #[test]
    fn a_listing_has_addresses_words_and_targets() {
        let listing: Vec<String> = disassemble(0x1000, &CODE).map(|l| l.to_string()).collect();
        let text = |s: &str| format!("{s:59}");
        assert_eq!(
            listing,
            [
                text("s_load_dwordx2 s[2:3], s[4:5], 0x10") + " // 000000001000: C0060082 00000010",
                text("s_waitcnt lgkmcnt(0)") + " // 000000001008: BF8CC07F",
                text("v_mov_b32_e32 v0, 0") + " // 00000000100C: 7E000280",
                text("s_cbranch_scc1 65534") + " // 000000001010: BF85FFFE -> 00000000100C",
                text(".long 0xffffffff") + " // 000000001014: FFFFFFFF",
                text("s_endpgm") + " // 000000001018: BF810000",
            ]
        );
    }

    #[test]
    fn a_window_marks_the_instruction() {
        let lines = window(0x1000, &CODE, 0x100c, 1, 1);
        let marks: Vec<_> = lines.lines().map(|l| (&l[..3], l.contains("v_mov"))).collect();
        assert_eq!(marks, [("   ", false), ("=> ", true), ("   ", false)]);
    }

    #[test]
    fn a_window_inside_an_instruction_shows_nothing_before_it() {
        let lines = window(0x1000, &CODE, 0x1004, 3, 0);
        assert!(lines.starts_with("=> "), "{lines}");
        assert_eq!(lines.lines().count(), 1);
        assert_eq!(window(0x1000, &CODE, 0x2000, 3, 3), "");
        assert_eq!(window(0x1000, &CODE, 0x0ff0, 3, 3), "");
    }

    #[test]
    fn truncated_code_ends_the_listing() {
        let lines: Vec<_> = disassemble(0, &CODE[..1]).collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].inst, Err(DecodeError::Truncated));
        assert_eq!(lines[0].words(), &CODE[..1]);
    }
}
