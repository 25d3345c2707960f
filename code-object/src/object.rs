//! A code object: one AMDGPU ELF file with its kernels and symbols.

use std::collections::HashMap;

use crate::elf::{self, Elf};
use crate::{Error, ErrorKind, Kernel, Symbol, SymbolKind, TargetId, metadata};

/// The version of the code object's ABI, byte 8 of `e_ident` (AMDGPUUsage, "ELF Header").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbiVersion(pub u8);

impl AbiVersion {
    /// The number that `-mcode-object-version=` takes: 2 for ABI version 0 and so on.
    pub fn code_object_version(self) -> u32 {
        u32::from(self.0) + 2
    }
}

/// A part of the file that is loaded (`PT_LOAD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset in the file.
    pub offset: u64,
    /// Address in the code object.
    pub address: u64,
    /// Bytes that come from the file.
    pub file_size: u64,
    /// Bytes in memory; those beyond `file_size` are zero.
    pub memory_size: u64,
    /// `PF_X` 1, `PF_W` 2, `PF_R` 4.
    pub flags: u32,
}

impl Segment {
    /// Whether the segment holds machine code.
    pub fn is_executable(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// An AMDGPU ELF file whose parts are all inside the slice that it was parsed from.
#[derive(Debug, Clone)]
pub struct CodeObject<'a> {
    bytes: &'a [u8],
    target: TargetId,
    abi: AbiVersion,
    flags: u32,
    segments: Vec<Segment>,
    symbols: Vec<Symbol<'a>>,
    kernels: Vec<Kernel>,
}

impl<'a> CodeObject<'a> {
    /// Reads an AMDGPU ELF file. Bytes behind the file's own extent are ignored.
    ///
    /// # Errors
    /// Not an ELF file for `amdgcn-amd-amdhsa`, or relocatable; code object V2, whose metadata is YAML; anything that
    /// reaches beyond `bytes`; a kernel without a descriptor, with arguments beyond its kernarg segment, or whose entry
    /// is outside of the loaded code.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let elf = Elf::parse(bytes)?;
        if elf.machine != elf::EM_AMDGPU {
            return Err(Error::new(ErrorKind::NotCodeObject, 18, "ELF machine other than AMDGPU"));
        }
        if elf.os_abi != elf::OSABI_AMDGPU_HSA {
            return Err(Error::unsupported(7, "OS ABI other than AMDGPU_HSA"));
        }
        if elf.kind != elf::ET_DYN {
            return Err(Error::unsupported(
                16,
                "ELF type other than a shared object: the file was not linked",
            ));
        }
        let abi = AbiVersion(elf.abi_version);
        if abi.0 == 0 {
            return Err(Error::unsupported(8, "code object V2"));
        }
        let target = TargetId::from_flags(elf.flags, abi.0, 48)?;
        let (offset, note) = elf
            .note(b"AMDGPU\0", metadata::NT_AMDGPU_METADATA)?
            .ok_or_else(|| Error::malformed(0, "file without an NT_AMDGPU_METADATA note"))?;
        let mut kernels = metadata::parse(note).map_err(|error| error.shifted(offset))?;
        let symbols = elf.symbols()?;
        let by_name: HashMap<_, _> = symbols.iter().filter(|s| s.defined).map(|s| (s.name, s)).collect();
        let by_entry: HashMap<_, _> = symbols
            .iter()
            .filter(|s| s.kind == SymbolKind::Function && s.defined)
            .map(|s| (s.address, s.size))
            .collect();
        for kernel in &mut kernels {
            let symbol = by_name.get(kernel.symbol.as_str());
            let address =
                symbol.ok_or_else(|| Error::malformed(offset, "kernel without a descriptor symbol"))?.address;
            place(kernel, address, &elf, bytes, &by_entry)?;
        }
        let extent = usize::try_from(elf.extent).unwrap_or(bytes.len());
        Ok(Self {
            bytes: bytes.get(..extent).unwrap_or(bytes),
            target,
            abi,
            flags: elf.flags,
            segments: elf.segments,
            symbols,
            kernels,
        })
    }

    /// The file, without what follows it in the slice that was parsed.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
    /// What the code was compiled for, from `e_flags`.
    pub fn target(&self) -> &TargetId {
        &self.target
    }
    /// The ABI's version.
    pub fn abi_version(&self) -> AbiVersion {
        self.abi
    }
    /// `e_flags` as it stands in the header.
    pub fn flags(&self) -> u32 {
        self.flags
    }
    /// The version of the code for a generic processor, 0 for others (`EF_AMDGPU_GENERIC_VERSION`, V6).
    pub fn generic_version(&self) -> u32 {
        if self.abi.0 >= 4 { self.flags >> 24 } else { 0 }
    }
    /// The loaded parts, in the file's order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
    /// The symbols, in the file's order.
    pub fn symbols(&self) -> &[Symbol<'a>] {
        &self.symbols
    }
    /// The defined symbol of this name.
    pub fn symbol(&self, name: &str) -> Option<&Symbol<'a>> {
        self.symbols.iter().find(|symbol| symbol.defined && symbol.name == name)
    }
    /// The variables that the host can ask a module for (`hipModuleGetGlobal`).
    pub fn globals(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.symbols.iter().filter(|s| s.kind == SymbolKind::Variable && s.exported && s.defined)
    }
    /// The kernels, in the metadata's order.
    pub fn kernels(&self) -> &[Kernel] {
        &self.kernels
    }
    /// The kernels by value; they do not borrow from the file.
    pub fn into_kernels(self) -> Vec<Kernel> {
        self.kernels
    }
    /// The kernel of this name (mangled unless `extern "C"`).
    pub fn kernel(&self, name: &str) -> Option<&Kernel> {
        self.kernels.iter().find(|kernel| kernel.name == name)
    }

    /// The file's bytes at an address of the code object; `None` if they are not all in one loaded segment's file part.
    pub fn read(&self, address: u64, len: u64) -> Option<&'a [u8]> {
        let offset = self.file_offset(address)?;
        let segment = self.segments.iter().find(|s| address.wrapping_sub(s.address) < s.file_size)?;
        let left = segment.file_size - (address - segment.address);
        let (start, len) = (usize::try_from(offset).ok()?, usize::try_from(len).ok()?);
        (len as u64 <= left).then(|| self.bytes.get(start..start.checked_add(len)?))?
    }

    /// The offset in the file of an address of the code object.
    pub fn file_offset(&self, address: u64) -> Option<u64> {
        let segment = self.segments.iter().find(|s| address.wrapping_sub(s.address) < s.file_size)?;
        Some(segment.offset + (address - segment.address))
    }

    /// The contents of the section of this name: `.debug_info`, `.comment`.
    pub fn section(&self, name: &str) -> Option<&'a [u8]> {
        let section = Elf::parse(self.bytes).ok()?.section(name).ok()?;
        section.map(|(_, contents)| contents)
    }

    /// A kernel's machine code.
    pub fn code(&self, kernel: &Kernel) -> &'a [u8] {
        self.read(kernel.entry_address, kernel.code_size).unwrap_or_default()
    }
}

/// Fills in where a kernel's descriptor and code are.
fn place(
    kernel: &mut Kernel,
    address: u64,
    elf: &Elf<'_>,
    bytes: &[u8],
    sizes: &HashMap<u64, u64>,
) -> Result<(), Error> {
    let (offset, left, _) = elf
        .locate(address)
        .ok_or_else(|| Error::malformed(0, "kernel descriptor outside of the loaded segments"))?;
    if !address.is_multiple_of(64) || left < 64 {
        return Err(Error::malformed(offset, "kernel descriptor"));
    }
    let descriptor = crate::bytes::Bytes(bytes).array(offset, "kernel descriptor")?;
    kernel.descriptor = crate::KernelDescriptor::parse(&descriptor);
    (kernel.descriptor_address, kernel.descriptor_offset) = (address, offset);
    kernel.entry_address = kernel.descriptor.entry(address);
    let code = elf.locate(kernel.entry_address).filter(|(_, _, segment)| segment.is_executable());
    let (entry, left, _) =
        code.ok_or_else(|| Error::malformed(offset, "kernel whose code is not in the file"))?;
    if !kernel.entry_address.is_multiple_of(256) {
        return Err(Error::malformed(offset, "kernel entry that is not 256-byte aligned"));
    }
    kernel.entry_offset = entry;
    kernel.code_size = match sizes.get(&kernel.entry_address) {
        Some(&size) if size != 0 && size <= left => size,
        _ => left,
    };
    Ok(())
}
