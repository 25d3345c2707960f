//! The ELF container: header, segments, sections, notes and symbols, each checked against the file's end.
//!
//! Source: the System V ABI's ELF-64 object file format; AMDGPUUsage, "ELF Code Object", for the values.

use crate::bytes::Bytes;
use crate::{Error, ErrorKind, Segment, Symbol, SymbolKind};

pub(crate) const MAGIC: &[u8] = b"\x7fELF";
pub(crate) const EM_AMDGPU: u16 = 224;
pub(crate) const OSABI_AMDGPU_HSA: u8 = 64;
pub(crate) const ET_DYN: u16 = 3;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const SHT_SYMTAB: u32 = 2;
const SHT_NOTE: u32 = 7;
const SHT_NOBITS: u32 = 8;
const SHT_DYNSYM: u32 = 11;

/// A 64-bit little-endian ELF file whose tables are all inside the slice.
pub(crate) struct Elf<'a> {
    bytes: Bytes<'a>,
    pub(crate) os_abi: u8,
    pub(crate) abi_version: u8,
    pub(crate) kind: u16,
    pub(crate) machine: u16,
    pub(crate) flags: u32,
    pub(crate) segments: Vec<Segment>,
    sections: Vec<Section>,
    notes: Vec<(u64, u64)>,
    /// One past the last byte that any header speaks of.
    pub(crate) extent: u64,
}

struct Section {
    name: u32,
    kind: u32,
    offset: u64,
    size: u64,
    link: u32,
}

impl<'a> Elf<'a> {
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let bytes = Bytes(data);
        if !data.starts_with(MAGIC) {
            return Err(Error::new(ErrorKind::NotCodeObject, 0, "ELF magic"));
        }
        let (class, encoding) = (bytes.u8(4, "ELF class")?, bytes.u8(5, "ELF data encoding")?);
        if (class, encoding) != (2, 1) {
            return Err(Error::unsupported(4, "ELF file that is not 64-bit little-endian"));
        }
        let mut elf = Self {
            bytes,
            os_abi: bytes.u8(7, "ELF OS ABI")?,
            abi_version: bytes.u8(8, "ELF ABI version")?,
            kind: bytes.u16(16, "ELF type")?,
            machine: bytes.u16(18, "ELF machine")?,
            flags: bytes.u32(48, "ELF flags")?,
            segments: Vec::new(),
            sections: Vec::new(),
            notes: Vec::new(),
            extent: 64,
        };
        elf.read_segments()?;
        elf.read_sections()?;
        Ok(elf)
    }

    /// Checks a table of `count` entries of `size` bytes, and returns the offsets of its entries.
    fn table(
        &mut self,
        offset: u64,
        size: u16,
        want: u16,
        count: u16,
        what: &'static str,
    ) -> Result<impl Iterator<Item = u64> + use<>, Error> {
        if count != 0 && size != want {
            return Err(Error::malformed(offset, what));
        }
        let len = u64::from(count) * u64::from(want);
        self.bytes.slice(if count == 0 { 0 } else { offset }, len, what)?;
        if count != 0 {
            self.extent = self.extent.max(offset + len);
        }
        Ok((0..u64::from(count)).map(move |i| offset + i * u64::from(want)))
    }

    fn read_segments(&mut self) -> Result<(), Error> {
        let b = self.bytes;
        let (offset, size, count) =
            (b.u64(32, "ELF header")?, b.u16(54, "ELF header")?, b.u16(56, "ELF header")?);
        for at in self.table(offset, size, 56, count, "ELF program headers")? {
            let what = "ELF segment";
            let (kind, flags) = (b.u32(at, what)?, b.u32(at + 4, what)?);
            let segment = Segment {
                offset: b.u64(at + 8, what)?,
                address: b.u64(at + 16, what)?,
                file_size: b.u64(at + 32, what)?,
                memory_size: b.u64(at + 40, what)?,
                flags,
            };
            match kind {
                PT_LOAD => {
                    b.slice(segment.offset, segment.file_size, "ELF loadable segment")?;
                    let end = segment.address.checked_add(segment.memory_size);
                    if segment.memory_size < segment.file_size || end.is_none() {
                        return Err(Error::malformed(at, "size of an ELF loadable segment"));
                    }
                    self.extent = self.extent.max(segment.offset + segment.file_size);
                    self.segments.push(segment);
                }
                PT_NOTE => {
                    b.slice(segment.offset, segment.file_size, "ELF note segment")?;
                    self.notes.push((segment.offset, segment.file_size));
                    self.extent = self.extent.max(segment.offset + segment.file_size);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_sections(&mut self) -> Result<(), Error> {
        let b = self.bytes;
        let (offset, size, count) =
            (b.u64(40, "ELF header")?, b.u16(58, "ELF header")?, b.u16(60, "ELF header")?);
        for at in self.table(offset, size, 64, count, "ELF section headers")? {
            let what = "ELF section";
            let section = Section {
                name: b.u32(at, what)?,
                kind: b.u32(at + 4, what)?,
                offset: b.u64(at + 24, what)?,
                size: b.u64(at + 32, what)?,
                link: b.u32(at + 40, what)?,
            };
            // The first section header is all zero; sections without bits have a size in memory only.
            if section.kind != 0 && section.kind != SHT_NOBITS {
                b.slice(section.offset, section.size, what)?;
                self.extent = self.extent.max(section.offset + section.size);
            }
            self.sections.push(section);
        }
        Ok(())
    }

    /// The file offset of `address` and the number of file bytes from there to the end of its segment.
    pub(crate) fn locate(&self, address: u64) -> Option<(u64, u64, &Segment)> {
        self.segments.iter().find_map(|segment| {
            let into = address.checked_sub(segment.address)?;
            (into < segment.file_size).then(|| (segment.offset + into, segment.file_size - into, segment))
        })
    }

    /// The contents of the note of this name and type, with its file offset.
    pub(crate) fn note(&self, name: &[u8], kind: u32) -> Result<Option<(u64, &'a [u8])>, Error> {
        let sections = self.sections.iter().filter(|s| s.kind == SHT_NOTE).map(|s| (s.offset, s.size));
        for (start, size) in self.notes.iter().copied().chain(sections) {
            let (mut at, end) = (start, start + size);
            while end - at >= 12 {
                let what = "ELF note";
                let word = |field| self.bytes.u32(at + field, what);
                let (name_size, size, note_kind) = (u64::from(word(0)?), u64::from(word(4)?), word(8)?);
                let contents = at + 12 + name_size.next_multiple_of(4);
                if contents + size > end {
                    return Err(Error::truncated(at, what));
                }
                if note_kind == kind && self.bytes.slice(at + 12, name_size, what)? == name {
                    return Ok(Some((contents, self.bytes.slice(contents, size, what)?)));
                }
                at = (contents + size.next_multiple_of(4)).min(end);
            }
        }
        Ok(None)
    }

    /// The dynamic symbols, or the static ones if there is no dynamic table.
    pub(crate) fn symbols(&self) -> Result<Vec<Symbol<'a>>, Error> {
        let table = |kind| self.sections.iter().find(|section| section.kind == kind);
        let Some(table) = table(SHT_DYNSYM).or_else(|| table(SHT_SYMTAB)) else { return Ok(Vec::new()) };
        let strings = usize::try_from(table.link).ok().and_then(|link| self.sections.get(link));
        let strings =
            strings.ok_or_else(|| Error::malformed(table.offset, "string table of the ELF symbols"))?;
        let strings = match strings.kind {
            SHT_NOBITS => Bytes(&[]),
            _ => Bytes(self.bytes.slice(strings.offset, strings.size, "string table of the ELF symbols")?),
        };
        // Names may share bytes, so a hostile table could make the scans quadratic in the file's size.
        let mut budget = self.bytes.len().saturating_mul(16);
        let mut symbols = Vec::new();
        // The first symbol is the null symbol.
        for at in (table.offset..table.offset + table.size).step_by(24).skip(1) {
            let what = "ELF symbol";
            let entry = Bytes(self.bytes.slice(at, 24, what)?);
            let (info, section) = (entry.u8(4, what)?, entry.u16(6, what)?);
            let name = strings.string(u64::from(entry.u32(0, what)?), "name of an ELF symbol");
            let name = name.map_err(|error| Error::new(error.kind(), at, error.what()))?;
            budget = budget
                .checked_sub(name.len() as u64)
                .ok_or_else(|| Error::limit(at, "length of the symbols' names"))?;
            let (address, size) = (entry.u64(8, what)?, entry.u64(16, what)?);
            let kind = match info & 15 {
                // Code objects V2 and the first V3 ones mark kernels with STT_AMDGPU_HSA_KERNEL, 10.
                2 | 10 => SymbolKind::Function,
                1 if name.ends_with(".kd") && size == 64 => SymbolKind::KernelDescriptor,
                1 => SymbolKind::Variable,
                _ => SymbolKind::Other,
            };
            let (defined, exported) = (section != 0, info >> 4 != 0);
            symbols.push(Symbol { name, kind, address, size, defined, exported });
        }
        Ok(symbols)
    }

    /// The file extent of the section of this name.
    pub(crate) fn section(&self, name: &str) -> Result<Option<(u64, &'a [u8])>, Error> {
        let index = usize::from(self.bytes.u16(62, "ELF header")?);
        let Some(strings) = self.sections.get(index).filter(|s| s.kind != SHT_NOBITS) else {
            return Ok(None);
        };
        let strings = Bytes(self.bytes.slice(strings.offset, strings.size, "names of the ELF sections")?);
        let wanted = |s: &&Section| {
            let tail = strings.tail(u64::from(s.name));
            s.kind != SHT_NOBITS
                && tail.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0))
        };
        let Some(section) = self.sections.iter().find(wanted) else { return Ok(None) };
        Ok(Some((section.offset, self.bytes.slice(section.offset, section.size, "ELF section")?)))
    }
}
