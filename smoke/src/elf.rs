//! What the dynamic linker reads of an ELF file.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader};

/// The largest file that is read whole: the libraries of newer releases with code for many cards take 1.5 GB.
const LARGEST: u64 = 4 << 30;

/// What one ELF file says of itself and of others.
#[derive(Clone, Debug, Default)]
pub struct Elf {
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_RUNPATH` and `DT_RPATH`, split at colons.
    pub runpath: Vec<String>,
    /// Names of the versions that it defines.
    pub defines: BTreeSet<String>,
    /// Versions that it needs: the library's name and the version's.
    pub requires: BTreeSet<(String, String)>,
    /// Names of the functions and objects that it exports.
    pub exports: BTreeSet<String>,
}

/// Reads a file, unless it is too large or not there.
///
/// # Errors
/// What the system says, with the file's name.
pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?.len();
    anyhow::ensure!(size <= LARGEST, "{} is too large to read: {size} bytes", path.display());
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Whether the file begins like an ELF file.
pub fn is_elf(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && &magic == b"\x7fELF"
}

/// Whether the file is an ELF file for other processors than this machine's: the dynamic linker goes on to the next folder.
pub fn is_foreign(path: &Path) -> bool {
    use std::io::Read;
    let mut head = [0; 20];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    let machine = u16::from_le_bytes([head[18], head[19]]);
    read && head.starts_with(b"\x7fELF") && (head[4] != elf::ELFCLASS64 || machine != elf::EM_X86_64)
}

impl Elf {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or is no complete 64-bit ELF file with a dynamic section.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::parse(&read(path)?).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When they are no complete 64-bit ELF file.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        Self::parse_parts(bytes, true)
    }

    /// Reads what a library of another package links to, and nothing of its symbols: there may be many.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn linked(path: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(is_elf(path), "it is no ELF file");
        Self::parse_parts(&read(path)?, false)
    }

    fn parse_parts(bytes: &[u8], symbols_too: bool) -> anyhow::Result<Self> {
        let header = FileHeader64::<Endianness>::parse(bytes)?;
        let endian = header.endian()?;
        let mut elf = Self::default();
        let sections = header.sections(endian, bytes).context("its section table reaches beyond its end")?;
        for segment in header.program_headers(endian, bytes)? {
            use object::read::elf::ProgramHeader;
            let end = segment.p_offset(endian).saturating_add(segment.p_filesz(endian));
            anyhow::ensure!(end <= bytes.len() as u64, "a segment reaches beyond its end: it is truncated");
        }
        let Some((entries, link)) = sections.dynamic(endian, bytes)? else { return Ok(elf) };
        let strings = sections.strings(endian, bytes, link)?;
        for entry in entries {
            let text = || -> anyhow::Result<String> {
                Ok(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned())
            };
            match entry.tag32(endian) {
                Some(elf::DT_NULL) => break,
                Some(elf::DT_NEEDED) => elf.needed.push(text()?),
                Some(elf::DT_SONAME) => elf.soname = Some(text()?),
                Some(elf::DT_RUNPATH | elf::DT_RPATH) => {
                    elf.runpath.extend(text()?.split(':').filter(|path| !path.is_empty()).map(str::to_owned));
                }
                _ => {}
            }
        }
        if !symbols_too {
            return Ok(elf);
        }
        let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
        for symbol in symbols.iter() {
            use object::read::elf::Sym;
            if symbol.st_shndx(endian) != elf::SHN_UNDEF && symbol.st_bind() != elf::STB_LOCAL {
                let name = symbols.symbol_name(endian, symbol)?;
                elf.exports.insert(String::from_utf8_lossy(name).into_owned());
            }
        }
        elf.read_versions(endian, bytes, &sections)?;
        Ok(elf)
    }

    fn read_versions(
        &mut self,
        endian: Endianness,
        bytes: &[u8],
        sections: &object::read::elf::SectionTable<'_, FileHeader64<Endianness>>,
    ) -> anyhow::Result<()> {
        if let Some((mut definitions, link)) = sections.gnu_verdef(endian, bytes)? {
            let strings = sections.strings(endian, bytes, link)?;
            while let Some((_, mut names)) = definitions.next()? {
                if let Some(name) = names.next()? {
                    self.defines.insert(String::from_utf8_lossy(name.name(endian, strings)?).into_owned());
                }
            }
        }
        if let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? {
            let strings = sections.strings(endian, bytes, link)?;
            while let Some((need, mut names)) = needs.next()? {
                let library = String::from_utf8_lossy(need.file(endian, strings)?).into_owned();
                while let Some(name) = names.next()? {
                    let name = String::from_utf8_lossy(name.name(endian, strings)?).into_owned();
                    self.requires.insert((library.clone(), name));
                }
            }
        }
        Ok(())
    }
}

/// The printable strings of a file that contain `part`, each once: names that a library hands to dlopen().
pub fn strings_with(bytes: &[u8], part: &str) -> BTreeSet<String> {
    let needle = part.as_bytes();
    let mut found = BTreeSet::new();
    let mut at = 0;
    let printable = |byte: &u8| byte.is_ascii_graphic();
    while let Some(hit) = bytes.get(at..).and_then(|rest| position(rest, needle)) {
        let hit = at + hit;
        let start = bytes[..hit].iter().rposition(|byte| !printable(byte)).map_or(0, |before| before + 1);
        let end = hit + bytes[hit..].iter().position(|byte| !printable(byte)).unwrap_or(bytes.len() - hit);
        // A string constant ends with a zero byte; hashes and the like that merely look so do not.
        if bytes.get(end) == Some(&0) {
            found.insert(String::from_utf8_lossy(&bytes[start..end]).into_owned());
        }
        at = end.max(hit + needle.len());
    }
    found
}

/// Where `needle` begins in `bytes`.
pub fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_program_and_refuses_half_of_it() {
        let own = std::fs::read(std::env::current_exe().expect("a path")).expect("readable");
        let elf = Elf::parse(&own).expect("an ELF file");
        assert!(elf.needed.iter().any(|name| name.starts_with("libc.so")), "{:?}", elf.needed);
        assert!(elf.requires.iter().any(|(library, _)| library.starts_with("libc.so")));
        assert!(Elf::parse(&own[..own.len() / 2]).is_err());
        assert!(Elf::parse(b"\x7fELF").is_err());
    }

    #[test]
    fn files_for_other_processors_are_foreign() {
        let own = std::env::current_exe().expect("a path");
        assert!(!is_foreign(&own) && !is_foreign(Path::new("/nonexistent")));
        let mut head: Vec<u8> = std::fs::read(&own).expect("readable").into_iter().take(64).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        head[4] = elf::ELFCLASS32;
        std::fs::write(&file, &head).expect("written");
        assert!(is_foreign(&file));
        std::fs::write(&file, "a text that is long enough for a header").expect("written");
        assert!(!is_foreign(&file), "the dynamic linker stops at what is no ELF file");
    }

    #[test]
    fn finds_names_of_libraries_among_other_bytes() {
        let bytes = b"\x01libx.so.2\0garbage libx.so not\0\xfflibx.so.3";
        let found = strings_with(bytes, "libx.so");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["libx.so.2"]);
    }
}
