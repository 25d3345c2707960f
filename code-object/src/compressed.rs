//! Compressed offload bundles (`CCOB`), which toolchains since LLVM 18 write.
//!
//! Source: "Clang Offload Bundler", section "Compressed Offload Bundle":
//!
//! | version | magic | version | method | total size | uncompressed size | hash | header |
//! |---|---|---|---|---|---|---|---|
//! | 1 | 4 | u16 | u16 | absent | u32 | u64 | 20 bytes |
//! | 2 | 4 | u16 | u16 | u32 | u32 | u64 | 24 bytes |
//! | 3 | 4 | u16 | u16 | u64 | u64 | u64 | 32 bytes |
//!
//! The method is 0 for zlib and 1 for zstd. The hash (the first half of an MD5 sum of the plain bundle) is for the
//! compiler's own use; zstd's own checks and the size find damage.

use crate::Error;
use crate::bytes::Bytes;

pub(crate) const MAGIC: &[u8] = b"CCOB";

/// The largest bundle that is decompressed, in bytes: above every library that ROCm ships.
pub const MAX_UNCOMPRESSED: u64 = 4 << 30;

/// Decompresses the bundle at the start of `data`; also returns how many bytes of `data` it occupies.
pub(crate) fn decompress(data: &[u8]) -> Result<(Vec<u8>, usize), Error> {
    let bytes = Bytes(data);
    let what = "compressed bundle's header";
    let (version, method) = (bytes.u16(4, what)?, bytes.u16(6, what)?);
    let (header, total, plain) = match version {
        1 => (20, bytes.len(), u64::from(bytes.u32(8, what)?)),
        2 => (24, u64::from(bytes.u32(8, what)?), u64::from(bytes.u32(12, what)?)),
        3 => (32, bytes.u64(8, what)?, bytes.u64(16, what)?),
        _ => return Err(Error::unsupported(4, "version of a compressed bundle")),
    };
    if method != 1 {
        return Err(Error::unsupported(6, "compression method other than zstd"));
    }
    if plain > MAX_UNCOMPRESSED {
        return Err(Error::limit(8, "uncompressed size of a bundle"));
    }
    let len =
        total.checked_sub(header).ok_or_else(|| Error::malformed(8, "total size of a compressed bundle"))?;
    let frame = bytes.slice(header, len, "compressed bundle")?;
    let plain = inflate(frame, plain, header)?;
    Ok((plain, usize::try_from(total).unwrap_or(data.len())))
}

#[cfg(feature = "compressed")]
fn inflate(frame: &[u8], size: u64, offset: u64) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let broken = |_| Error::malformed(offset, "zstd frame of a compressed bundle");
    let decoder = zstd::stream::read::Decoder::with_buffer(frame).map_err(broken)?.single_frame();
    // The vector grows with what is really there, so a false size costs nothing.
    let mut plain = Vec::new();
    decoder.take(size.saturating_add(1)).read_to_end(&mut plain).map_err(broken)?;
    if plain.len() as u64 == size {
        Ok(plain)
    } else {
        Err(Error::malformed(offset, "size of a decompressed bundle"))
    }
}

#[cfg(not(feature = "compressed"))]
fn inflate(_frame: &[u8], _size: u64, _offset: u64) -> Result<Vec<u8>, Error> {
    Err(Error::unsupported(0, "compressed bundle, in a build without the feature `compressed`"))
}
