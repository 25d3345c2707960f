//! Where an instruction comes from in the program's source, if its code object has debug information.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};

use addr2line::Context;
use addr2line::gimli::{DwarfSections, EndianSlice, LittleEndian, SectionId};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use object::elf::{FileHeader64, PT_LOAD};
use object::read::elf::{ElfFile, ProgramHeader as _};
use object::{CompressionFormat, Endianness, Object, ObjectSection, ObjectSymbol, SymbolKind};

use crate::names;
use crate::notify::LoadedCode;

/// Calls inlined into each other that are shown.
const MAX_FRAMES: usize = 16;
/// A section is decompressed up to here.
const MAX_SECTION: usize = 1 << 30;
/// A source file is read up to here.
const MAX_SOURCE: u64 = 16 << 20;

type Elf<'a> = ElfFile<'a, FileHeader64<Endianness>>;

/// One place in the source: the innermost comes first, then what it was inlined into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub function: Option<String>,
    pub file: String,
    pub line: u32,
    pub column: u32,
}

/// What a code object says about an address.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// Where the function around it begins.
    pub function: Option<u64>,
    /// The source; empty without debug information.
    pub frames: Vec<Frame>,
}

/// What the code object says about the instruction at `pc`; `None` if it is not loaded there.
pub(crate) fn place(code: &LoadedCode, pc: u64) -> Option<Place> {
    let elf = Elf::parse(code.bytes.as_slice()).ok()?;
    let address = pc.checked_sub(code.base)?;
    let inside = elf.elf_program_headers().iter().any(|header| {
        let start = header.p_vaddr(Endianness::Little);
        header.p_type(Endianness::Little) == PT_LOAD
            && address.wrapping_sub(start) < header.p_memsz(Endianness::Little)
    });
    let around = |symbol: &object::read::elf::ElfSymbol<'_, '_, FileHeader64<Endianness>>| {
        symbol.kind() == SymbolKind::Text && address.wrapping_sub(symbol.address()) < symbol.size()
    };
    let function = elf.symbols().chain(elf.dynamic_symbols()).find(around).map(|s| code.base + s.address());
    inside.then(|| Place { function, frames: frames(&elf, address).unwrap_or_default() })
}

/// The contents of a section, decompressed if need be; empty if there is no such section, or it cannot be read.
fn contents<'a>(elf: &Elf<'a>, name: &str) -> Cow<'a, [u8]> {
    let section = elf.section_by_name(name).and_then(|section| section.compressed_data().ok());
    let contents = section.and_then(|section| match section.format {
        CompressionFormat::None => Some(Cow::Borrowed(section.data)),
        CompressionFormat::Zlib => {
            let bytes = usize::try_from(section.uncompressed_size).ok()?.min(MAX_SECTION);
            decompress_to_vec_zlib_with_limit(section.data, bytes).ok().map(Cow::Owned)
        }
        _ => None,
    });
    contents.unwrap_or_default()
}

fn frames(elf: &Elf<'_>, address: u64) -> Option<Vec<Frame>> {
    let load = |id: SectionId| Ok::<_, Infallible>(contents(elf, id.name()));
    let Ok(sections) = DwarfSections::load(load);
    let context = Context::from_dwarf(sections.borrow(|bytes| EndianSlice::new(bytes, LittleEndian))).ok()?;
    let mut found = context.find_frames(address).skip_all_loads().ok()?;
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = found.next() {
        let function = frame.function.as_ref().and_then(|function| function.raw_name().ok());
        let Some(location) = frame.location else { continue };
        frames.push(Frame {
            function: function.map(|name| names::demangled(&name)),
            file: location.file.unwrap_or("an unknown file").to_owned(),
            line: location.line.unwrap_or(0),
            column: location.column.unwrap_or(0),
        });
        if frames.len() == MAX_FRAMES {
            break;
        }
    }
    Some(frames)
}

impl Frame {
    /// `FILE:LINE:COLUMN in FUNCTION`.
    pub fn text(&self) -> String {
        let mut text = format!("{}:{}", self.file, self.line);
        if self.column != 0 {
            let _ = write!(text, ":{}", self.column);
        }
        if let Some(function) = &self.function {
            let _ = write!(text, " in {function}");
        }
        text
    }

    /// The line itself, if the file is here and has it.
    pub fn line_of_source(&self) -> Option<String> {
        let file = File::open(&self.file).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut lines = BufReader::new(file.take(MAX_SOURCE)).lines();
        let line = lines.nth(usize::try_from(self.line).ok()?.checked_sub(1)?)?.ok()?;
        Some(line.trim().to_owned()).filter(|line| !line.is_empty())
    }
}
