//! The name of a kernel, from the code object that the runtime has loaded.
//!
//! The loader maps a code object's segments as they lie in the file, ELF header first, so the header is
//! on some page boundary in front of the kernel descriptor; the descriptor is a dynamic symbol, `NAME.kd`.
//! Everything read here is the program's memory: no length is trusted, and a fault just means no name.

use vega_exec::AddressSpace;

const PAGE: u64 = 4096;
/// How far in front of the descriptor the ELF header may be.
const MAX_PAGES: u64 = 16384;
/// Symbols looked at.
const MAX_SYMBOLS: u64 = 1 << 18;
/// Entries of the dynamic section looked at.
const MAX_DYNAMIC: u64 = 256;
/// Program headers looked at.
const MAX_HEADERS: u64 = 64;
/// Longest name, in bytes.
const MAX_NAME: usize = 4096;

const ELF_MAGIC: [u8; 4] = *b"\x7fELF";
const PT_DYNAMIC: u32 = 2;
const DT_NULL: u64 = 0;
const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
/// Bytes of an Elf64_Sym.
const SYM_BYTES: u64 = 24;

/// The name of the kernel whose descriptor is at `kernel_object`, without the `.kd`. `None` if no code
/// object is loaded around it (ROCr's own blit kernels are bare code), or if it names no such symbol.
pub(crate) fn kernel(space: &AddressSpace, kernel_object: u64) -> Option<String> {
    let mapping = space.lookup(kernel_object)?;
    let mut page = kernel_object & !(PAGE - 1);
    for _ in 0..MAX_PAGES {
        if page < mapping.va {
            return None;
        }
        if space.read::<[u8; 4]>(page).ok()? == ELF_MAGIC {
            return symbol(space, page, kernel_object - page);
        }
        page = page.checked_sub(PAGE)?;
    }
    None
}

/// A C++ name as the source has it; any other name as it is.
pub(crate) fn demangled(name: &str) -> String {
    let symbol = cpp_demangle::Symbol::new(name).ok();
    symbol.and_then(|symbol| symbol.demangle().ok()).unwrap_or_else(|| name.to_owned())
}

/// Address and count of the dynamic symbols, address of their names.
struct Symbols {
    table: u64,
    strings: u64,
    count: u64,
}

fn symbol(space: &AddressSpace, base: u64, value: u64) -> Option<String> {
    let symbols = symbols(space, base)?;
    let found = (0..symbols.count.min(MAX_SYMBOLS))
        .map(|i| symbols.table.wrapping_add(i * SYM_BYTES))
        .find(|&entry| space.read::<u64>(entry.wrapping_add(8)).is_ok_and(|v| v == value))?;
    let name = text(space, symbols.strings.wrapping_add(space.read::<u32>(found).ok()?.into()))?;
    Some(name.strip_suffix(".kd").unwrap_or(&name).to_owned())
}

fn symbols(space: &AddressSpace, base: u64) -> Option<Symbols> {
    let headers = base.wrapping_add(space.read::<u64>(base + 32).ok()?);
    let count = u64::from(space.read::<u16>(base + 56).ok()?).min(MAX_HEADERS);
    let dynamic = (0..count).map(|i| headers.wrapping_add(i * 56)).find_map(|header| {
        let is_dynamic = space.read::<u32>(header).is_ok_and(|kind| kind == PT_DYNAMIC);
        is_dynamic.then(|| space.read::<u64>(header.wrapping_add(16)).ok()).flatten()
    })?;
    // Entries hold offsets in the file's address space, or addresses once a loader has relocated them.
    let address = |v: u64| if v >= base { v } else { base.wrapping_add(v) };
    let (mut table, mut strings, mut hash) = (None, None, None);
    for i in 0..MAX_DYNAMIC {
        let entry = base.wrapping_add(dynamic).wrapping_add(i * 16);
        let [tag, value]: [u64; 2] = space.read(entry).ok()?;
        match tag {
            DT_NULL => break,
            DT_SYMTAB => table = Some(address(value)),
            DT_STRTAB => strings = Some(address(value)),
            DT_HASH => hash = Some(address(value)),
            _ => {}
        }
    }
    // A hash table has as many chains as there are symbols.
    let count = space.read::<u32>(hash?.wrapping_add(4)).ok()?;
    Some(Symbols { table: table?, strings: strings?, count: count.into() })
}

/// A string that ends with a zero byte.
fn text(space: &AddressSpace, va: u64) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_NAME {
        match space.read::<u8>(va.wrapping_add(bytes.len() as u64)).ok()? {
            0 => return String::from_utf8(bytes).ok().filter(|name| !name.is_empty()),
            byte => bytes.push(byte),
        }
    }
    None
}
