//! The `NT_AMDGPU_METADATA` note: MessagePack that describes kernels and their arguments.
//!
//! Source: AMDGPUUsage, "Code Object V3 Metadata" and its V4 and V5 additions. Keys that are not listed here are
//! skipped, whatever they hold; nothing recurses.

use rmp::Marker;
use rmp::decode::{Bytes, RmpRead};

use crate::{Access, Arg, ArgKind, Error, Kernel, KernelDescriptor, KernelKind};

/// The note's type; its name is `AMDGPU`.
pub(crate) const NT_AMDGPU_METADATA: u32 = 32;

/// Reads the note's contents; offsets in errors count from their start.
pub(crate) fn parse(note: &[u8]) -> Result<Vec<Kernel>, Error> {
    let mut reader = Reader { total: note.len() as u64, bytes: Bytes::new(note) };
    let mut kernels = Vec::new();
    for _ in 0..reader.map("metadata map")? {
        match reader.text("key of the metadata map")? {
            "amdhsa.version" => {
                let at = reader.offset();
                let count = reader.array("amdhsa.version")?;
                let major = if count == 0 { 0 } else { reader.number("amdhsa.version")? };
                reader.skip(u64::from(count.saturating_sub(1)))?;
                if major != 1 {
                    return Err(Error::unsupported(at, "major version of the metadata"));
                }
            }
            "amdhsa.kernels" => {
                for _ in 0..reader.array("amdhsa.kernels")? {
                    kernels.push(kernel(&mut reader)?);
                }
            }
            _ => reader.skip(1)?,
        }
    }
    Ok(kernels)
}

/// Reads one kernel's map. Everything that the ELF file tells, not the note, is left zero.
fn kernel(reader: &mut Reader<'_>) -> Result<Kernel, Error> {
    let at = reader.offset();
    let (mut name, mut symbol, mut sized) = (None, None, None);
    let mut k = Kernel {
        name: String::new(),
        symbol: String::new(),
        language: None,
        kind: KernelKind::Normal,
        args: Vec::new(),
        kernarg_segment_size: 0,
        kernarg_segment_align: 8,
        group_segment_fixed_size: 0,
        private_segment_fixed_size: 0,
        uses_dynamic_stack: false,
        max_flat_workgroup_size: 1024,
        reqd_workgroup_size: None,
        workgroup_size_hint: None,
        uniform_workgroup_size: false,
        wavefront_size: 64,
        sgpr_count: 0,
        vgpr_count: 0,
        agpr_count: 0,
        sgpr_spill_count: 0,
        vgpr_spill_count: 0,
        descriptor_address: 0,
        descriptor_offset: 0,
        descriptor: KernelDescriptor::parse(&[0; 64]),
        entry_address: 0,
        entry_offset: 0,
        code_size: 0,
    };
    for _ in 0..reader.map("kernel's metadata")? {
        match reader.text("key of a kernel's metadata")? {
            ".name" => name = Some(reader.text(".name")?),
            ".symbol" => symbol = Some(reader.text(".symbol")?),
            ".language" => k.language = Some(reader.text(".language")?.to_owned()),
            ".kind" => {
                k.kind = match reader.text(".kind")? {
                    "init" => KernelKind::Init,
                    "fini" => KernelKind::Fini,
                    _ => KernelKind::Normal,
                }
            }
            ".args" => k.args = args(reader)?,
            ".kernarg_segment_size" => sized = Some(reader.number(".kernarg_segment_size")?),
            ".kernarg_segment_align" => k.kernarg_segment_align = reader.number(".kernarg_segment_align")?,
            ".group_segment_fixed_size" => {
                k.group_segment_fixed_size = reader.number(".group_segment_fixed_size")?
            }
            ".private_segment_fixed_size" => {
                k.private_segment_fixed_size = reader.number(".private_segment_fixed_size")?
            }
            ".uses_dynamic_stack" => k.uses_dynamic_stack = reader.boolean(".uses_dynamic_stack")?,
            ".max_flat_workgroup_size" => {
                k.max_flat_workgroup_size = reader.number(".max_flat_workgroup_size")?
            }
            ".reqd_workgroup_size" => k.reqd_workgroup_size = Some(reader.triple(".reqd_workgroup_size")?),
            ".workgroup_size_hint" => k.workgroup_size_hint = Some(reader.triple(".workgroup_size_hint")?),
            ".uniform_work_group_size" => {
                k.uniform_workgroup_size = reader.number(".uniform_work_group_size")? != 0;
            }
            ".wavefront_size" => k.wavefront_size = reader.number(".wavefront_size")?,
            ".sgpr_count" => k.sgpr_count = reader.number(".sgpr_count")?,
            ".vgpr_count" => k.vgpr_count = reader.number(".vgpr_count")?,
            ".agpr_count" => k.agpr_count = reader.number(".agpr_count")?,
            ".sgpr_spill_count" => k.sgpr_spill_count = reader.number(".sgpr_spill_count")?,
            ".vgpr_spill_count" => k.vgpr_spill_count = reader.number(".vgpr_spill_count")?,
            _ => reader.skip(1)?,
        }
    }
    let missing = |what| move || Error::malformed(at, what);
    k.name = name.ok_or_else(missing("kernel's metadata without .name"))?.to_owned();
    k.symbol = symbol.ok_or_else(missing("kernel's metadata without .symbol"))?.to_owned();
    k.kernarg_segment_size = sized.ok_or_else(missing("kernel's metadata without .kernarg_segment_size"))?;
    if !k.kernarg_segment_align.is_power_of_two() {
        return Err(Error::malformed(at, ".kernarg_segment_align that is not a power of two"));
    }
    if !matches!(k.wavefront_size, 32 | 64) {
        return Err(Error::malformed(at, ".wavefront_size that is neither 32 nor 64"));
    }
    let mut end = 0;
    for arg in &k.args {
        if u64::from(arg.offset) < end {
            return Err(Error::malformed(at, "kernel argument that overlaps the one before it"));
        }
        end = arg.end();
    }
    if end > u64::from(k.kernarg_segment_size) {
        return Err(Error::malformed(at, "kernel argument beyond the kernarg segment"));
    }
    Ok(k)
}

fn args(reader: &mut Reader<'_>) -> Result<Vec<Arg>, Error> {
    let mut args = Vec::new();
    for _ in 0..reader.array(".args")? {
        args.push(arg(reader)?);
    }
    Ok(args)
}

fn arg(reader: &mut Reader<'_>) -> Result<Arg, Error> {
    let at = reader.offset();
    let (mut offset, mut size, mut kind) = (None, None, None);
    let mut a = Arg {
        name: None,
        type_name: None,
        offset: 0,
        size: 0,
        kind: ArgKind::ByValue,
        address_space: None,
        pointee_align: None,
        access: None,
        actual_access: None,
        is_const: false,
        is_restrict: false,
        is_volatile: false,
    };
    for _ in 0..reader.map("argument's metadata")? {
        match reader.text("key of an argument's metadata")? {
            ".name" => a.name = Some(reader.text(".name")?.to_owned()),
            ".type_name" => a.type_name = Some(reader.text(".type_name")?.to_owned()),
            ".offset" => offset = Some(reader.number(".offset")?),
            ".size" => size = Some(reader.number(".size")?),
            ".value_kind" => kind = Some(ArgKind::from_metadata(reader.text(".value_kind")?)),
            ".address_space" => a.address_space = Some(reader.text(".address_space")?.to_owned()),
            ".pointee_align" => a.pointee_align = Some(reader.number(".pointee_align")?),
            ".access" => a.access = Access::from_metadata(reader.text(".access")?),
            ".actual_access" => a.actual_access = Access::from_metadata(reader.text(".actual_access")?),
            ".is_const" => a.is_const = reader.boolean(".is_const")?,
            ".is_restrict" => a.is_restrict = reader.boolean(".is_restrict")?,
            ".is_volatile" => a.is_volatile = reader.boolean(".is_volatile")?,
            _ => reader.skip(1)?,
        }
    }
    let missing = |what| move || Error::malformed(at, what);
    a.offset = offset.ok_or_else(missing("argument's metadata without .offset"))?;
    a.size = size.ok_or_else(missing("argument's metadata without .size"))?;
    a.kind = kind.ok_or_else(missing("argument's metadata without .value_kind"))?;
    Ok(a)
}

/// A MessagePack reader that knows where it is and how much is left.
struct Reader<'a> {
    total: u64,
    bytes: Bytes<'a>,
}

impl<'a> Reader<'a> {
    fn offset(&self) -> u64 {
        self.total - self.left()
    }
    fn left(&self) -> u64 {
        self.bytes.remaining_slice().len() as u64
    }

    fn marker(&mut self, what: &'static str) -> Result<Marker, Error> {
        let at = self.offset();
        rmp::decode::read_marker(&mut self.bytes).map_err(|_| Error::truncated(at, what))
    }

    /// A big-endian length of `N` bytes.
    fn length<const N: usize>(&mut self, what: &'static str) -> Result<u32, Error> {
        let mut bytes = [0u8; 4];
        let (at, first) = (self.offset(), 4 - N);
        let slot = bytes.get_mut(first..).unwrap_or_default();
        self.bytes.read_exact_buf(slot).map_err(|_| Error::truncated(at, what))?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn advance(&mut self, count: u64, what: &'static str) -> Result<&'a [u8], Error> {
        let rest = self.bytes.remaining_slice();
        let split = usize::try_from(count).ok().and_then(|count| rest.split_at_checked(count));
        let (head, tail) = split.ok_or_else(|| Error::truncated(self.offset(), what))?;
        self.bytes = Bytes::new(tail);
        Ok(head)
    }

    /// The number of elements of an array, each of which takes a byte at least.
    fn array(&mut self, what: &'static str) -> Result<u32, Error> {
        let at = self.offset();
        let count = match self.marker(what)? {
            Marker::FixArray(count) => u32::from(count),
            Marker::Array16 => self.length::<2>(what)?,
            Marker::Array32 => self.length::<4>(what)?,
            _ => return Err(Error::malformed(at, what)),
        };
        if u64::from(count) > self.left() { Err(Error::truncated(at, what)) } else { Ok(count) }
    }

    /// The number of pairs of a map, each of which takes two bytes at least.
    fn map(&mut self, what: &'static str) -> Result<u32, Error> {
        let at = self.offset();
        let count = match self.marker(what)? {
            Marker::FixMap(count) => u32::from(count),
            Marker::Map16 => self.length::<2>(what)?,
            Marker::Map32 => self.length::<4>(what)?,
            _ => return Err(Error::malformed(at, what)),
        };
        if 2 * u64::from(count) > self.left() { Err(Error::truncated(at, what)) } else { Ok(count) }
    }

    fn text(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let at = self.offset();
        let len = match self.marker(what)? {
            Marker::FixStr(len) => u32::from(len),
            Marker::Str8 => self.length::<1>(what)?,
            Marker::Str16 => self.length::<2>(what)?,
            Marker::Str32 => self.length::<4>(what)?,
            _ => return Err(Error::malformed(at, what)),
        };
        std::str::from_utf8(self.advance(u64::from(len), what)?).map_err(|_| Error::malformed(at, what))
    }

    /// A non-negative integer that fits 32 bits, in whatever width it was written.
    fn number(&mut self, what: &'static str) -> Result<u32, Error> {
        let at = self.offset();
        rmp::decode::read_int(&mut self.bytes).map_err(|_| Error::malformed(at, what))
    }

    fn boolean(&mut self, what: &'static str) -> Result<bool, Error> {
        let at = self.offset();
        match self.marker(what)? {
            Marker::True => Ok(true),
            Marker::False => Ok(false),
            _ => Err(Error::malformed(at, what)),
        }
    }

    fn triple(&mut self, what: &'static str) -> Result<[u32; 3], Error> {
        let at = self.offset();
        if self.array(what)? != 3 {
            return Err(Error::malformed(at, what));
        }
        Ok([self.number(what)?, self.number(what)?, self.number(what)?])
    }

    /// Skips `count` values of any kind and depth, in time linear in their bytes.
    fn skip(&mut self, count: u64) -> Result<(), Error> {
        let what = "unknown metadata";
        let mut pending = count;
        while pending > 0 {
            let at = self.offset();
            let marker = self.marker(what)?;
            let (bytes, nested) = match marker {
                Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => (0, 0),
                Marker::U8 | Marker::I8 => (1, 0),
                Marker::U16 | Marker::I16 => (2, 0),
                Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
                Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
                Marker::FixStr(len) => (u64::from(len), 0),
                Marker::Str8 | Marker::Bin8 => (u64::from(self.length::<1>(what)?), 0),
                Marker::Str16 | Marker::Bin16 => (u64::from(self.length::<2>(what)?), 0),
                Marker::Str32 | Marker::Bin32 => (u64::from(self.length::<4>(what)?), 0),
                Marker::FixExt1 => (2, 0),
                Marker::FixExt2 => (3, 0),
                Marker::FixExt4 => (5, 0),
                Marker::FixExt8 => (9, 0),
                Marker::FixExt16 => (17, 0),
                Marker::Ext8 => (u64::from(self.length::<1>(what)?) + 1, 0),
                Marker::Ext16 => (u64::from(self.length::<2>(what)?) + 1, 0),
                Marker::Ext32 => (u64::from(self.length::<4>(what)?) + 1, 0),
                Marker::FixArray(count) => (0, u64::from(count)),
                Marker::Array16 => (0, u64::from(self.length::<2>(what)?)),
                Marker::Array32 => (0, u64::from(self.length::<4>(what)?)),
                Marker::FixMap(count) => (0, 2 * u64::from(count)),
                Marker::Map16 => (0, 2 * u64::from(self.length::<2>(what)?)),
                Marker::Map32 => (0, 2 * u64::from(self.length::<4>(what)?)),
                Marker::Reserved => return Err(Error::malformed(at, what)),
            };
            self.advance(bytes, what)?;
            pending = pending - 1 + nested;
            if pending > self.left() {
                return Err(Error::truncated(at, what));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn text(out: &mut Vec<u8>, text: &str) {
        rmp::encode::write_str(out, text).unwrap();
    }

    /// A note with one kernel whose map has `extra` pairs appended.
    fn note(extra: u32, append: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        rmp::encode::write_map_len(&mut out, 1).unwrap();
        text(&mut out, "amdhsa.kernels");
        rmp::encode::write_array_len(&mut out, 1).unwrap();
        rmp::encode::write_map_len(&mut out, 3 + extra).unwrap();
        for (key, value) in [(".name", "k"), (".symbol", "k.kd")] {
            text(&mut out, key);
            text(&mut out, value);
        }
        text(&mut out, ".kernarg_segment_size");
        rmp::encode::write_uint(&mut out, 16).unwrap();
        append(&mut out);
        out
    }

    #[test]
    fn unknown_keys_are_skipped_at_any_depth() {
        let deep = note(2, |out| {
            text(out, ".future");
            out.extend(std::iter::repeat_n(0x91, 200_000));
            out.push(0xc0);
            text(out, ".vgpr_count");
            rmp::encode::write_uint(out, 7).unwrap();
        });
        let kernels = parse(&deep).unwrap();
        assert_eq!((kernels[0].name.as_str(), kernels[0].vgpr_count), ("k", 7));
    }

    #[test]
    fn counts_beyond_the_note_are_refused_before_they_are_believed() {
        for bomb in [
            &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
            &[0xdf, 0xff, 0xff, 0xff, 0xff],
            &[0xc6, 0xff, 0xff, 0xff, 0xff],
        ] {
            let note = note(1, |out| {
                text(out, ".future");
                out.extend(bomb);
            });
            assert_eq!(parse(&note).unwrap_err().kind(), ErrorKind::Truncated);
        }
        let args = note(1, |out| {
            text(out, ".args");
            out.extend([0xdd, 0x7f, 0xff, 0xff, 0xff]);
        });
        assert_eq!(parse(&args).unwrap_err().kind(), ErrorKind::Truncated);
    }

    #[test]
    fn an_argument_beyond_its_segment_is_refused() {
        let arg = |offset: u64| {
            note(1, |out| {
                text(out, ".args");
                rmp::encode::write_array_len(out, 1).unwrap();
                rmp::encode::write_map_len(out, 3).unwrap();
                for (key, value) in [(".offset", offset), (".size", 8)] {
                    text(out, key);
                    rmp::encode::write_uint(out, value).unwrap();
                }
                text(out, ".value_kind");
                text(out, "by_value");
            })
        };
        assert_eq!(parse(&arg(8)).unwrap()[0].args[0].offset, 8);
        assert_eq!(parse(&arg(9)).unwrap_err().what(), "kernel argument beyond the kernarg segment");
    }

    #[test]
    fn a_kernel_needs_its_name() {
        let mut out = Vec::new();
        rmp::encode::write_map_len(&mut out, 1).unwrap();
        text(&mut out, "amdhsa.kernels");
        out.extend([0x91, 0x80]);
        assert_eq!(parse(&out).unwrap_err().what(), "kernel's metadata without .name");
    }
}
