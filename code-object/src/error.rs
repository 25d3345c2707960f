//! What is wrong with a file, and where.

use std::fmt;

/// Why a file could not be read.
///
/// `offset` counts bytes from the start of the slice that was passed to the parser that failed; an error inside a
/// decompressed bundle counts from the start of the decompressed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    offset: u64,
    what: &'static str,
}

/// The classes of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file does not begin like anything this crate reads.
    NotCodeObject,
    /// Something reaches beyond the end of the file.
    Truncated,
    /// A field contradicts the format or another field.
    Malformed,
    /// A well-formed file of a kind that this crate (or this build of it) does not read.
    Unsupported,
    /// A count or size above what this crate is willing to process.
    Limit,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, offset: u64, what: &'static str) -> Self {
        Self { kind, offset, what }
    }
    pub(crate) fn truncated(offset: u64, what: &'static str) -> Self {
        Self::new(ErrorKind::Truncated, offset, what)
    }
    pub(crate) fn malformed(offset: u64, what: &'static str) -> Self {
        Self::new(ErrorKind::Malformed, offset, what)
    }
    pub(crate) fn unsupported(offset: u64, what: &'static str) -> Self {
        Self::new(ErrorKind::Unsupported, offset, what)
    }
    pub(crate) fn limit(offset: u64, what: &'static str) -> Self {
        Self::new(ErrorKind::Limit, offset, what)
    }

    /// The class of the problem.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
    /// Where it is, in bytes from the start of the slice given to the parser.
    pub fn offset(&self) -> u64 {
        self.offset
    }
    /// What was being read.
    pub fn what(&self) -> &'static str {
        self.what
    }
    /// The same error seen from a slice that begins `base` bytes earlier.
    pub(crate) fn shifted(mut self, base: u64) -> Self {
        self.offset = self.offset.saturating_add(base);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, what } = self;
        match kind {
            ErrorKind::NotCodeObject => write!(f, "not an AMDGPU code object: {what} at offset {offset:#x}"),
            ErrorKind::Truncated => {
                write!(f, "truncated code object: {what} at offset {offset:#x} ends beyond the file")
            }
            ErrorKind::Malformed => write!(f, "malformed code object: {what} at offset {offset:#x}"),
            ErrorKind::Unsupported => write!(f, "unsupported code object: {what} at offset {offset:#x}"),
            ErrorKind::Limit => {
                write!(f, "refused code object: {what} at offset {offset:#x} is above the limit")
            }
        }
    }
}

impl std::error::Error for Error {}
