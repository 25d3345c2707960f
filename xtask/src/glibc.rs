//! `cargo xtask glibc-check`: the `vega` file runs in older chroots only if it needs no newer glibc symbols.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use object::Endianness;
use object::elf::FileHeader64;
use object::read::elf::FileHeader;

/// The newest glibc version whose symbols `vega` may need: Debian 12 has 2.36, RHEL 9 and Ubuntu 22.04 2.34 and 2.35.
pub const LIMIT: Version = Version(2, 34);

/// A glibc version, `GLIBC_2.34`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Reads the name of a symbol version; `None` for other libraries' versions and for `GLIBC_PRIVATE`.
    fn parse(name: &str) -> Option<Self> {
        let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
        let major = numbers.next()?.parse().ok()?;
        Some(Self(major, numbers.next().map_or(Some(0), |minor| minor.parse().ok())?))
    }
}

/// The symbols of an ELF file that need a glibc newer than `limit`, and the newest version that any symbol needs.
pub struct Needs {
    /// The newest version of all.
    pub newest: Version,
    /// `name@version` of what is newer than the limit.
    pub too_new: Vec<String>,
}

/// Reads the needs of an ELF file.
pub fn needs(file: &[u8], limit: Version) -> anyhow::Result<Needs> {
    let elf = FileHeader64::<Endianness>::parse(file)?;
    let endian = elf.endian()?;
    let sections = elf.sections(endian, file)?;
    let symbols = sections.symbols(endian, file, object::elf::SHT_DYNSYM)?;
    let versions = sections.versions(endian, file)?.context("the file has no symbol versions")?;
    let mut needs = Needs { newest: Version(0, 0), too_new: Vec::new() };
    for (index, symbol) in symbols.enumerate() {
        let Some(version) = versions.version(versions.version_index(endian, index))? else { continue };
        let version_name = String::from_utf8_lossy(version.name()).into_owned();
        let Some(version) = Version::parse(&version_name) else { continue };
        needs.newest = needs.newest.max(version);
        if version > limit {
            let name = String::from_utf8_lossy(symbols.symbol_name(endian, symbol)?);
            needs.too_new.push(format!("{name}@{version_name}"));
        }
    }
    Ok(needs)
}

/// Checks the file; says the newest version that it needs.
pub fn check(path: &Path) -> anyhow::Result<Version> {
    let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let needs = needs(&file, LIMIT).with_context(|| format!("cannot read {} as ELF", path.display()))?;
    if !needs.too_new.is_empty() {
        let Version(major, minor) = LIMIT;
        bail!(
            "{} needs symbols newer than glibc {major}.{minor}: {}",
            path.display(),
            needs.too_new.join(", ")
        );
    }
    Ok(needs.newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions_as_numbers() {
        assert_eq!(Version::parse("GLIBC_2.34"), Some(Version(2, 34)));
        assert_eq!(Version::parse("GLIBC_2.2.5"), Some(Version(2, 2)));
        assert_eq!(Version::parse("GLIBC_PRIVATE"), None);
        assert_eq!(Version::parse("GCC_3.0"), None);
        assert!(Version(2, 4) < Version(2, 34));
    }

    #[test]
    fn names_what_is_too_new() {
        let own = fs::read(std::env::current_exe().expect("a path")).expect("readable");
        let needs_of = |limit| needs(&own, limit).expect("an ELF file");
        assert!(needs_of(Version(999, 0)).too_new.is_empty());
        let strict = needs_of(Version(0, 0));
        assert!(strict.newest > Version(2, 0));
        assert!(strict.too_new.iter().any(|symbol| symbol.contains("@GLIBC_2.")), "{:?}", strict.too_new);
    }
}
