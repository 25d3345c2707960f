//! Whatever holds code objects: a bundle, several of them, a bare code object, a host program.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::bytes::Bytes;
use crate::elf::{self, Elf};
use crate::{
    Bundle, BundleId, CodeObject, Entry, Error, ErrorKind, OffloadKind, TargetId, bundle, compressed,
};

/// The code objects of a file.
///
/// ```text
/// hipcc --genco                 one bundle
/// clang -c --cuda-device-only   one bare ELF file
/// .hip_fatbin of a program      bundles one after another, page-aligned
/// a program or a library        the section above is looked up
/// ```
#[derive(Debug, Clone)]
pub struct Image<'a> {
    entries: Vec<Entry<'a>>,
    extent: usize,
}

impl<'a> Image<'a> {
    /// Finds all HIP code objects of a file. A bare one is parsed in full; those of a bundle are only cut out.
    ///
    /// # Errors
    /// None of the formats above; anything that reaches beyond `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.is_empty() {
            let what = "nothing in it (as in a program that was built without hipcc)";
            return Err(Error::new(ErrorKind::NotCodeObject, 0, what));
        }
        if !bytes.starts_with(elf::MAGIC) {
            return Self::bundles(bytes);
        }
        let elf = Elf::parse(bytes)?;
        if elf.machine == elf::EM_AMDGPU {
            let object = CodeObject::parse(bytes)?;
            let id = BundleId::hip(object.target().clone());
            let entry = Entry { id, bytes: Cow::Borrowed(object.bytes()) };
            return Ok(Self { entries: vec![entry], extent: object.bytes().len() });
        }
        let section = elf.section(".hip_fatbin")?;
        let (offset, bundles) =
            section.ok_or_else(|| Error::new(ErrorKind::NotCodeObject, 0, "ELF file without .hip_fatbin"))?;
        let mut image = Self::bundles(bundles).map_err(|error| error.shifted(offset))?;
        image.extent = usize::try_from(elf.extent).unwrap_or(bytes.len());
        Ok(image)
    }

    /// Bundles one after another, with zeros between them.
    fn bundles(data: &'a [u8]) -> Result<Self, Error> {
        let (mut entries, mut extent) = (Vec::new(), 0usize);
        let mut at = 0usize;
        loop {
            let rest = Bytes(data).tail(at as u64);
            if !(rest.starts_with(bundle::MAGIC) || rest.starts_with(compressed::MAGIC)) {
                // The first must be there; behind the last one there may be anything.
                if at == 0 {
                    return Err(Error::new(ErrorKind::NotCodeObject, 0, "magic of a code object or bundle"));
                }
                return Ok(Self { entries, extent });
            }
            let bundle = Bundle::parse(rest).map_err(|error| error.shifted(at as u64))?;
            extent = at + bundle.extent();
            let is_code = |entry: &Entry<'_>| entry.id.kind() == OffloadKind::Hip && !entry.bytes.is_empty();
            entries.extend(bundle.into_entries().into_iter().filter(is_code));
            let padding = Bytes(data).tail(extent as u64).iter().take_while(|&&byte| byte == 0).count();
            at = extent + padding;
        }
    }

    /// The code objects, in the file's order.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// What the code objects were compiled for; each target once, in the file's order.
    pub fn targets(&self) -> Vec<&TargetId> {
        let mut seen = HashSet::new();
        self.entries
            .iter()
            .filter_map(|entry| entry.id.target())
            .filter(|target| seen.insert(*target))
            .collect()
    }

    /// The code object for a device: the one that names it most precisely of those that [run](TargetId::runs_on) on it.
    pub fn select(&self, device: &TargetId) -> Option<&Entry<'a>> {
        let mut best: Option<(u32, &Entry<'a>)> = None;
        for entry in &self.entries {
            let Some(target) = entry.id.target().filter(|target| target.runs_on(device)) else { continue };
            if best.is_none_or(|(rank, _)| target.rank() > rank) {
                best = Some((target.rank(), entry));
            }
        }
        best.map(|(_, entry)| entry)
    }

    /// The bytes that the image occupies at the start of the slice that it was parsed from.
    pub fn extent(&self) -> usize {
        self.extent
    }
}
