//! Clang offload bundles: several code objects in one file, each with an id.
//!
//! Source: "Clang Offload Bundler", sections "Bundled Binary File Layout", "Bundle Entry ID".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::bytes::Bytes;
use crate::{Error, ErrorKind, TargetId, compressed};

pub(crate) const MAGIC: &[u8] = b"__CLANG_OFFLOAD_BUNDLE__";

/// What an entry of a bundle is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OffloadKind {
    /// The host's part, empty in what `hipcc --genco` writes.
    Host,
    /// HIP: `hip` before code object V4, `hipv4` since.
    Hip,
    /// OpenMP.
    OpenMp,
    /// Another programming model.
    Other(String),
}

/// An entry's id: `hipv4-amdgcn-amd-amdhsa--gfx900:xnack-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BundleId {
    text: String,
    kind_len: usize,
    triple_len: usize,
    target: Option<TargetId>,
}

impl BundleId {
    /// What the entry is for.
    pub fn kind(&self) -> OffloadKind {
        match self.text.get(..self.kind_len).unwrap_or_default() {
            "host" => OffloadKind::Host,
            "hip" | "hipv4" => OffloadKind::Hip,
            "openmp" => OffloadKind::OpenMp,
            other => OffloadKind::Other(other.to_owned()),
        }
    }
    /// The target triple, without trailing dashes: `amdgcn-amd-amdhsa`.
    pub fn triple(&self) -> &str {
        let rest = self.text.get(self.kind_len..).unwrap_or_default();
        rest.get(..self.triple_len).unwrap_or_default().trim_matches('-')
    }
    /// The target id; `None` for the host and for processors that are not AMD's.
    pub fn target(&self) -> Option<&TargetId> {
        self.target.as_ref()
    }
    /// The id as it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The id of a bare code object.
    pub(crate) fn hip(target: TargetId) -> Self {
        let (kind, triple) = ("hipv4", "-amdgcn-amd-amdhsa-");
        let text = format!("{kind}{triple}-{target}");
        Self { text, kind_len: kind.len(), triple_len: triple.len(), target: Some(target) }
    }
}

impl FromStr for BundleId {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind_len = text.find('-').unwrap_or(text.len());
        let rest = text.get(kind_len..).unwrap_or_default();
        // A generic processor's name has dashes of its own, so it is found by its beginning.
        let triple_len = rest.find("-gfx").unwrap_or(rest.len());
        let target = rest.get(triple_len + 1..).and_then(|target| target.parse().ok());
        Ok(Self { text: text.to_owned(), kind_len, triple_len, target })
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One code object of a bundle.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What it is for.
    pub id: BundleId,
    /// Its bytes: borrowed from a plain bundle, owned if the bundle was compressed.
    pub bytes: Cow<'a, [u8]>,
}

/// A bundle's entries, all inside the slice that it was parsed from.
#[derive(Debug, Clone)]
pub struct Bundle<'a> {
    entries: Vec<Entry<'a>>,
    extent: usize,
}

impl<'a> Bundle<'a> {
    /// Reads the bundle at the start of `bytes`, plain or (with the feature `compressed`) compressed.
    ///
    /// # Errors
    /// No bundle's magic; an entry that reaches beyond `bytes`; a compressed bundle that is damaged, larger than
    /// [`MAX_UNCOMPRESSED`](crate::MAX_UNCOMPRESSED), or that this build cannot decompress.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.starts_with(compressed::MAGIC) {
            let (plain, extent) = compressed::decompress(bytes)?;
            let (entries, _) = entries(&plain)?;
            let owned = |(id, range): (BundleId, &[u8])| Entry { id, bytes: Cow::Owned(range.to_vec()) };
            return Ok(Self { entries: entries.into_iter().map(owned).collect(), extent });
        }
        let (entries, extent) = entries(bytes)?;
        let borrowed = |(id, range)| Entry { id, bytes: Cow::Borrowed(range) };
        Ok(Self { entries: entries.into_iter().map(borrowed).collect(), extent })
    }

    /// The entries in the file's order, the host's included.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }
    /// The entries by value.
    pub fn into_entries(self) -> Vec<Entry<'a>> {
        self.entries
    }
    /// The number of bytes that the bundle occupies in the slice that it was parsed from.
    pub fn extent(&self) -> usize {
        self.extent
    }
}

/// The ids and contents of a plain bundle, and the bytes that it occupies.
#[allow(clippy::type_complexity)] // a private pair
fn entries(data: &[u8]) -> Result<(Vec<(BundleId, &[u8])>, usize), Error> {
    let bytes = Bytes(data);
    if !data.starts_with(MAGIC) {
        return Err(Error::new(ErrorKind::NotCodeObject, 0, "offload bundle's magic"));
    }
    let what = "offload bundle's table";
    let (mut at, count) = (32, bytes.u64(24, what)?);
    if count > bytes.len() / 24 {
        return Err(Error::truncated(24, what));
    }
    let mut entries = Vec::new();
    // Entries may name the same bytes; a compressed bundle's are copied, so their sum is bounded.
    let mut budget = bytes.len().saturating_mul(4);
    let mut extent = at;
    for _ in 0..count {
        let (offset, size) = (bytes.u64(at, what)?, bytes.u64(at + 8, what)?);
        let id_len = bytes.u64(at + 16, what)?;
        let id = bytes.slice(at + 24, id_len, "offload bundle's entry id")?;
        let id =
            std::str::from_utf8(id).map_err(|_| Error::malformed(at + 24, "offload bundle's entry id"))?;
        let Ok(id) = id.parse();
        let contents = bytes.slice(offset, size, "offload bundle's entry")?;
        budget = budget.checked_sub(size).ok_or_else(|| Error::limit(at, "size of a bundle's entries"))?;
        entries.push((id, contents));
        at += 24 + id_len;
        extent = extent.max(at).max(offset + size);
    }
    Ok((entries, usize::try_from(extent).unwrap_or(data.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_apart() {
        let parts = |text: &str| {
            let Ok(id) = text.parse::<BundleId>();
            (id.kind(), id.triple().to_owned(), id.target().map(ToString::to_string))
        };
        let hip = |target: &str| (OffloadKind::Hip, "amdgcn-amd-amdhsa".to_owned(), Some(target.to_owned()));
        assert_eq!(parts("hipv4-amdgcn-amd-amdhsa--gfx900"), hip("gfx900"));
        assert_eq!(parts("hip-amdgcn-amd-amdhsa-gfx906"), hip("gfx906"));
        assert_eq!(parts("hipv4-amdgcn-amd-amdhsa--gfx90a:sramecc+:xnack-"), hip("gfx90a:sramecc+:xnack-"));
        assert_eq!(parts("hipv4-amdgcn-amd-amdhsa--gfx9-4-generic:xnack+"), hip("gfx9-4-generic:xnack+"));
        assert_eq!(
            parts("host-x86_64-unknown-linux-gnu"),
            (OffloadKind::Host, "x86_64-unknown-linux-gnu".to_owned(), None)
        );
        assert_eq!(parts(""), (OffloadKind::Other(String::new()), String::new(), None));
        assert_eq!(parts("hip-amdgcn-gfx900:what"), (OffloadKind::Hip, "amdgcn".to_owned(), None));
    }
}
