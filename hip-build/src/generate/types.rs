//! Structs, short vectors and enums, as Rust types with the same layout.

use std::fmt::Write as _;

use super::names::{Names, camel, identifier, screaming};
use crate::signature::{Enum, Field, Record, Type};

/// The records and enums of a module and the Rust names that they got.
#[derive(Default)]
pub(super) struct Types {
    records: Vec<(String, Record)>,
    enums: Vec<(String, Enum)>,
}

/// Why a parameter of this type cannot be passed from Rust, if so.
pub(super) fn unsupported(ty: &Type) -> Option<String> {
    match ty {
        Type::Other(_, name) => Some(format!("the type `{name}` has no counterpart in Rust")),
        Type::Pointer { to: Some(to), .. } => unsupported(to),
        Type::Array(element, _) => unsupported(element),
        _ => None,
    }
}

impl Types {
    /// Names all records and enums that a type consists of.
    pub(super) fn collect(&mut self, ty: &Type, names: &mut Names) {
        self.collect_within(ty, names, "");
    }

    fn collect_within(&mut self, ty: &Type, names: &mut Names, context: &str) {
        match ty {
            Type::Scalar(_) | Type::Other(..) | Type::Object(_) | Type::Pointer { to: None, .. } => {}
            Type::Pointer { to: Some(to), .. } | Type::Array(to, _) => {
                self.collect_within(to, names, context)
            }
            Type::Enum(of) => {
                if !self.enums.iter().any(|(_, known)| known == &**of) {
                    self.enums.push((names.take(&camel(base(&of.name))), (**of).clone()));
                }
            }
            Type::Record(record) => {
                if self.records.iter().any(|(_, known)| known == &**record) {
                    return;
                }
                let own = if record.name.is_empty() { context } else { base(&record.name) };
                let name = names.take(&camel(own));
                for field in &record.fields {
                    self.collect_within(&field.ty, names, &format!("{name}_{}", field.name));
                }
                self.records.push((name, (**record).clone()));
            }
        }
    }

    /// The Rust type of a value.
    pub(super) fn rust(&self, ty: &Type) -> String {
        match ty {
            Type::Scalar(scalar) => scalar.rust().to_owned(),
            Type::Pointer { .. } | Type::Object(_) => "u64".to_owned(),
            Type::Array(element, count) => format!("[{}; {count}]", self.rust(element)),
            Type::Record(record) => {
                let known = self.records.iter().find(|(_, known)| known == &**record);
                known.map_or_else(|| format!("[u8; {}]", record.size), |(name, _)| name.clone())
            }
            Type::Enum(of) => {
                let known = self.enums.iter().find(|(_, known)| known == &**of);
                known.map_or_else(|| of.repr.rust().to_owned(), |(name, _)| name.clone())
            }
            Type::Other(size, _) => format!("[u8; {size}]"),
        }
    }

    /// The Rust type of the elements behind a pointer: a pointer to arrays is one to their elements.
    pub(super) fn element(&self, ty: &Type) -> String {
        match ty {
            Type::Array(element, _) => self.element(element),
            ty => self.rust(ty),
        }
    }

    /// Writes all definitions.
    pub(super) fn write(&self, out: &mut String) -> std::fmt::Result {
        for (name, of) in &self.enums {
            write_enum(out, name, of)?;
        }
        for (name, record) in &self.records {
            self.write_record(out, name, record)?;
        }
        Ok(())
    }

    fn write_record(&self, out: &mut String, name: &str, record: &Record) -> std::fmt::Result {
        let repr = match natural(record) {
            natural if record.align > natural => format!("C, align({})", record.align),
            natural if record.align < natural => format!("C, packed({})", record.align),
            _ => "C".to_owned(),
        };
        let is_packed = record.align < natural(record);
        let title = if record.name.is_empty() { "a struct without a name" } else { &record.name };
        writeln!(out, "\n/// `{title}`: {} bytes, aligned to {}.", record.size, record.align)?;
        writeln!(
            out,
            "#[repr({repr})]\n#[derive(Clone, Copy, Debug, PartialEq)]\n#[allow(non_snake_case)] // the source's names"
        )?;
        writeln!(out, "pub struct {name} {{")?;
        let (mut end, mut fillers) = (0, 0);
        let mut fill = |out: &mut String, from: u64, to: u64| -> std::fmt::Result {
            if to > from {
                writeln!(out, "    /// Bytes that no member of the source has, or none that Rust can name.")?;
                writeln!(out, "    pub _padding{fillers}: [u8; {}],", to - from)?;
                fillers += 1;
            }
            Ok(())
        };
        for Field { name, offset, ty } in &record.fields {
            fill(out, end, *offset)?;
            let kind = match ty {
                Type::Pointer { .. } | Type::Object(_) => "a device address, ",
                Type::Scalar(crate::signature::Scalar::Bool) => "a `bool`, ",
                _ if is_packed && is_aligned(ty) => "bytes, ",
                _ => "",
            };
            // Rust has no packed types with members whose alignment is more than that of their own members.
            let rust =
                if is_packed && is_aligned(ty) { format!("[u8; {}]", ty.size()) } else { self.rust(ty) };
            writeln!(
                out,
                "    /// `{name}`: {kind}at offset {offset}.\n    pub {}: {rust},",
                identifier(name)
            )?;
            end = offset + ty.size();
        }
        fill(out, end, record.size)?;
        writeln!(out, "}}\n\nconst _: () = {{")?;
        writeln!(
            out,
            "    assert!(size_of::<{name}>() == {} && align_of::<{name}>() == {});",
            record.size, record.align
        )?;
        for Field { name: field, offset, .. } in &record.fields {
            writeln!(
                out,
                "    assert!(::core::mem::offset_of!({name}, {}) == {offset});",
                identifier(field)
            )?;
        }
        writeln!(out, "}};\n")?;
        writeln!(
            out,
            "// SAFETY: all bytes belong to fields, as the offsets above show, and zero is a value of each."
        )?;
        writeln!(out, "unsafe impl ::hip::bytemuck::Zeroable for {name} {{}}")?;
        writeln!(out, "// SAFETY: as above; every field takes any bytes.")?;
        writeln!(out, "unsafe impl ::hip::bytemuck::Pod for {name} {{}}\n")?;
        writeln!(
            out,
            "impl Default for {name} {{\n    fn default() -> Self {{\n        ::hip::bytemuck::Zeroable::zeroed()\n    }}\n}}"
        )
    }
}

/// The alignment that a record's members ask for.
fn natural(record: &Record) -> u64 {
    record.fields.iter().map(|field| field.ty.align()).max().unwrap_or(1)
}

/// Whether a type becomes one with `align`, or contains such a one.
fn is_aligned(ty: &Type) -> bool {
    match ty {
        Type::Array(element, _) => is_aligned(element),
        Type::Record(record) => {
            record.align > natural(record) || record.fields.iter().any(|field| is_aligned(&field.ty))
        }
        _ => false,
    }
}

fn write_enum(out: &mut String, name: &str, of: &Enum) -> std::fmt::Result {
    let rust = of.repr.rust();
    writeln!(out, "\n/// `{}`, an enumeration; values without a name are allowed.", of.name)?;
    writeln!(out, "#[repr(transparent)]\n#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]")?;
    writeln!(out, "pub struct {name}(pub {rust});\n\nimpl {name} {{")?;
    let mut names = Names::default();
    for (value, number) in &of.values {
        writeln!(
            out,
            "    /// `{value}`\n    pub const {}: Self = Self({number});",
            names.take(&screaming(value))
        )?;
    }
    writeln!(out, "}}\n")?;
    writeln!(out, "// SAFETY: a transparent wrapper of an integer.")?;
    writeln!(out, "unsafe impl ::hip::bytemuck::Zeroable for {name} {{}}")?;
    writeln!(out, "// SAFETY: as above.\nunsafe impl ::hip::bytemuck::Pod for {name} {{}}")
}

/// The last part of a qualified name, outside of template arguments.
fn base(name: &str) -> &str {
    let (mut depth, mut start) = (0u32, 0);
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    name.get(start..).unwrap_or(name)
}
