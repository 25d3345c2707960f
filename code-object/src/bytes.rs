//! Bounded little-endian reads from an untrusted slice.

use crate::Error;

/// A slice whose every access is checked and whose errors carry an offset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The number of bytes.
    pub(crate) fn len(self) -> u64 {
        self.0.len() as u64
    }

    /// `len` bytes from `offset`; `what` names them in the error.
    pub(crate) fn slice(self, offset: u64, len: u64, what: &'static str) -> Result<&'a [u8], Error> {
        let range = usize::try_from(offset).ok().zip(usize::try_from(len).ok());
        range
            .and_then(|(start, len)| self.0.get(start..start.checked_add(len)?))
            .ok_or_else(|| Error::truncated(offset, what))
    }

    /// `N` bytes from `offset`.
    pub(crate) fn array<const N: usize>(self, offset: u64, what: &'static str) -> Result<[u8; N], Error> {
        let slice = self.slice(offset, N as u64, what)?;
        slice.try_into().map_err(|_| Error::truncated(offset, what))
    }

    pub(crate) fn u8(self, offset: u64, what: &'static str) -> Result<u8, Error> {
        self.array::<1>(offset, what).map(|[byte]| byte)
    }
    pub(crate) fn u16(self, offset: u64, what: &'static str) -> Result<u16, Error> {
        self.array(offset, what).map(u16::from_le_bytes)
    }
    pub(crate) fn u32(self, offset: u64, what: &'static str) -> Result<u32, Error> {
        self.array(offset, what).map(u32::from_le_bytes)
    }
    pub(crate) fn u64(self, offset: u64, what: &'static str) -> Result<u64, Error> {
        self.array(offset, what).map(u64::from_le_bytes)
    }

    /// The zero-terminated string at `offset`, which must be UTF-8.
    pub(crate) fn string(self, offset: u64, what: &'static str) -> Result<&'a str, Error> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0.get(start..));
        let rest = rest.ok_or_else(|| Error::truncated(offset, what))?;
        let end = rest.iter().position(|&byte| byte == 0).ok_or_else(|| Error::truncated(offset, what))?;
        let text = rest.get(..end).unwrap_or_default();
        std::str::from_utf8(text).map_err(|_| Error::malformed(offset, what))
    }

    /// The rest of the slice from `offset` (empty beyond its end).
    pub(crate) fn tail(self, offset: u64) -> &'a [u8] {
        usize::try_from(offset).ok().and_then(|start| self.0.get(start..)).unwrap_or_default()
    }
}
