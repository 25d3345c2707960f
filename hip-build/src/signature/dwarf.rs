//! Signatures from debug information.
//!
//! Source: DWARF 5, chapters 3.3 (subroutines) and 5 (types); clang's `-fstandalone-debug` describes every type that is
//! used in full.

use std::collections::{HashMap, HashSet};

use code_object::CodeObject;
use gimli::{AttributeValue, EndianSlice, LittleEndian, UnitOffset};

use super::{Enum, Field, Object, Param, Record, Scalar, Signature, Type};

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a, 'u> = gimli::DebuggingInformationEntry<'u, 'u, Slice<'a>>;

/// How deep types may nest. C++ has no limit, a compiler's stack has.
const DEPTH: u32 = 64;

/// The signatures of all kernels of a code object that has debug information, in the order of their lines.
pub(crate) fn read(object: &CodeObject<'_>) -> Result<Vec<Signature>, String> {
    let section = |id: gimli::SectionId| -> Result<_, gimli::Error> {
        Ok(EndianSlice::new(object.section(id.name()).unwrap_or_default(), LittleEndian))
    };
    let broken = |error: gimli::Error| format!("debug information: {error}");
    let dwarf = gimli::Dwarf::load(section).map_err(broken)?;
    let kernels: HashSet<&str> = object.kernels().iter().map(|kernel| kernel.name.as_str()).collect();
    let mut found: Vec<Signature> = Vec::new();
    let mut headers = dwarf.units();
    while let Some(header) = headers.next().map_err(broken)? {
        let unit = dwarf.unit(header).map_err(broken)?;
        let reader = Reader { dwarf: &dwarf, unit: &unit, paths: paths(&dwarf, &unit).map_err(broken)? };
        reader.kernels(&kernels, &mut found).map_err(broken)?;
    }
    found.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    found.dedup_by(|a, b| a.symbol == b.symbol);
    found.sort_by_key(|signature| signature.line);
    Ok(found)
}

struct Reader<'a, 'u> {
    dwarf: &'u gimli::Dwarf<Slice<'a>>,
    unit: &'u gimli::Unit<Slice<'a>>,
    /// The qualified name of every named namespace, type and function.
    paths: HashMap<UnitOffset, String>,
}

/// Qualified names, from one walk over the unit.
fn paths<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    unit: &gimli::Unit<Slice<'a>>,
) -> Result<HashMap<UnitOffset, String>, gimli::Error> {
    let mut paths = HashMap::new();
    let mut stack: Vec<(isize, String)> = Vec::new();
    let (mut entries, mut depth) = (unit.entries(), 0isize);
    while let Some((delta, entry)) = entries.next_dfs()? {
        depth += delta;
        while stack.last().is_some_and(|(level, _)| *level >= depth) {
            stack.pop();
        }
        let scope = matches!(
            entry.tag(),
            gimli::DW_TAG_namespace
                | gimli::DW_TAG_structure_type
                | gimli::DW_TAG_class_type
                | gimli::DW_TAG_union_type
                | gimli::DW_TAG_enumeration_type
                | gimli::DW_TAG_subprogram
        );
        let Some(name) = entry.attr_value(gimli::DW_AT_name)?.filter(|_| scope) else { continue };
        let name = dwarf.attr_string(unit, name)?.to_string_lossy().into_owned();
        let path = match stack.last() {
            Some((_, parent)) => format!("{parent}::{name}"),
            None => name,
        };
        paths.insert(entry.offset(), path.clone());
        stack.push((depth, path));
    }
    Ok(paths)
}

impl<'a, 'u> Reader<'a, 'u> {
    fn kernels(&self, wanted: &HashSet<&str>, found: &mut Vec<Signature>) -> Result<(), gimli::Error> {
        let mut entries = self.unit.entries();
        while let Some((_, entry)) = entries.next_dfs()? {
            // A definition has code; declarations and inlined copies have none.
            if entry.tag() != gimli::DW_TAG_subprogram || entry.attr(gimli::DW_AT_low_pc)?.is_none() {
                continue;
            }
            // The name of a template's or a namespace's member may stand in a separate declaration.
            let mut described = entry.clone();
            if let Some(offset) = self.reference(entry, gimli::DW_AT_specification)? {
                described = self.unit.entry(offset)?;
            }
            let linkage = match self.text(&described, gimli::DW_AT_linkage_name)? {
                Some(name) => Some(name),
                None => self.text(&described, gimli::DW_AT_name)?,
            };
            let Some(symbol) = linkage.filter(|name| wanted.contains(name.as_str())) else { continue };
            let mut params = Vec::new();
            for child in self.children(entry)? {
                if child.tag() != gimli::DW_TAG_formal_parameter {
                    continue;
                }
                let ty = match self.reference(&child, gimli::DW_AT_type)? {
                    Some(ty) => self.ty(ty, 0, true)?,
                    None => Type::Other(0, "a parameter without a type".into()),
                };
                params.push(Param { name: self.text(&child, gimli::DW_AT_name)?, ty });
            }
            let name = self.paths.get(&described.offset()).cloned().unwrap_or_else(|| symbol.clone());
            let line = self.number(&described, gimli::DW_AT_decl_line)?.unwrap_or(0);
            let file = self.file(&described)?;
            found.push(Signature { symbol, name, params, line, file, untyped: None });
        }
        Ok(())
    }

    /// The type at an offset. Pointers are followed from a parameter only: what an address in memory points to does not
    /// matter to a launch, and following a list's nodes would not end.
    fn ty(&self, at: UnitOffset, depth: u32, follow: bool) -> Result<Type, gimli::Error> {
        let entry = self.unit.entry(at)?;
        let name = self.paths.get(&at).cloned();
        let size = self.number(&entry, gimli::DW_AT_byte_size)?.unwrap_or(0);
        let inner = self.reference(&entry, gimli::DW_AT_type)?;
        let label = || name.clone().unwrap_or_else(|| format!("{}", entry.tag()));
        if depth > DEPTH {
            return Ok(Type::Other(size, label()));
        }
        Ok(match entry.tag() {
            gimli::DW_TAG_base_type => {
                let encoding = match entry.attr_value(gimli::DW_AT_encoding)? {
                    Some(AttributeValue::Encoding(encoding)) => encoding,
                    _ => gimli::DW_ATE_address,
                };
                let name = self.text(&entry, gimli::DW_AT_name)?.unwrap_or_default();
                scalar(encoding, size, &name).map_or(Type::Other(size, name), Type::Scalar)
            }
            gimli::DW_TAG_typedef
            | gimli::DW_TAG_const_type
            | gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type => match inner {
                Some(inner) => self.ty(inner, depth + 1, follow)?,
                None => Type::Other(0, "void".into()),
            },
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => self.pointer(inner.filter(|_| follow), depth)?,
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type | gimli::DW_TAG_union_type => {
                self.record(&entry, name.unwrap_or_default(), size, depth)?
            }
            gimli::DW_TAG_enumeration_type => {
                let repr = inner.map(|inner| self.ty(inner, depth + 1, false)).transpose()?;
                match repr {
                    Some(Type::Scalar(repr)) => self.enumeration(&entry, label(), repr)?,
                    _ => Type::Other(size, label()),
                }
            }
            gimli::DW_TAG_array_type => self.array(&entry, inner, size, depth)?,
            _ => Type::Other(size, label()),
        })
    }

    fn pointer(&self, to: Option<UnitOffset>, depth: u32) -> Result<Type, gimli::Error> {
        // Whether the pointee is const is said by the chain of qualifiers and typedefs in front of it.
        let (mut is_const, mut next) = (false, to);
        while let Some(at) = next {
            let entry = self.unit.entry(at)?;
            match entry.tag() {
                gimli::DW_TAG_const_type => is_const = true,
                gimli::DW_TAG_typedef
                | gimli::DW_TAG_volatile_type
                | gimli::DW_TAG_restrict_type
                | gimli::DW_TAG_array_type => {}
                _ => break,
            }
            next = self.reference(&entry, gimli::DW_AT_type)?;
        }
        let pointee = match next.map(|at| self.unit.entry(at)).transpose()? {
            None => None,
            Some(entry) if entry.tag() == gimli::DW_TAG_subroutine_type => None,
            Some(entry) if entry.attr(gimli::DW_AT_declaration)?.is_some() => {
                let name = self.text(&entry, gimli::DW_AT_name)?.unwrap_or_default();
                if let Some(object) = Object::of_struct(&name) {
                    return Ok(Type::Object(object));
                }
                None
            }
            Some(_) => to.map(|to| self.ty(to, depth + 1, false)).transpose()?.filter(|ty| ty.size() != 0),
        };
        Ok(Type::Pointer { to: pointee.map(Box::new), is_const })
    }

    fn enumeration(&self, entry: &Entry<'a, 'u>, name: String, repr: Scalar) -> Result<Type, gimli::Error> {
        let mut values = Vec::new();
        for child in self.children(entry)? {
            let Some(text) = self.text(&child, gimli::DW_AT_name)? else { continue };
            let value = child.attr_value(gimli::DW_AT_const_value)?;
            let signed = value.as_ref().and_then(AttributeValue::sdata_value).map(i128::from);
            let value = value.as_ref().and_then(AttributeValue::udata_value).map(i128::from).or(signed);
            values.extend(value.map(|value| (text, value)));
        }
        Ok(Type::Enum(Box::new(Enum { name, repr, values })))
    }

    fn array(
        &self,
        entry: &Entry<'a, 'u>,
        element: Option<UnitOffset>,
        size: u64,
        depth: u32,
    ) -> Result<Type, gimli::Error> {
        let Some(element) = element else { return Ok(Type::Other(size, "array".into())) };
        let element = self.ty(element, depth + 1, false)?;
        let mut counts = Vec::new();
        for child in self.children(entry)? {
            if child.tag() == gimli::DW_TAG_subrange_type {
                let count = self.number(&child, gimli::DW_AT_count)?;
                let bound = self.number(&child, gimli::DW_AT_upper_bound)?;
                counts.push(count.or(bound.map(|bound| bound.saturating_add(1))).unwrap_or(0));
            }
        }
        if entry.attr(gimli::DW_AT_GNU_vector)?.is_some() {
            return Ok(vector(&element, counts.first().copied().unwrap_or(0), size));
        }
        Ok(counts.iter().rev().fold(element, |element, &count| Type::Array(Box::new(element), count)))
    }

    fn record(
        &self,
        entry: &Entry<'a, 'u>,
        name: String,
        size: u64,
        depth: u32,
    ) -> Result<Type, gimli::Error> {
        match name.as_str() {
            "__half" => return Ok(Type::Scalar(Scalar::F16)),
            "hip_bfloat16" | "__hip_bfloat16" => return Ok(Type::Scalar(Scalar::Bf16)),
            "__half2" => return Ok(vector(&Type::Scalar(Scalar::F16), 2, size)),
            _ => {}
        }
        let mut align = self.number(entry, gimli::DW_AT_alignment)?.unwrap_or(1).max(1);
        let (mut fields, mut element, mut count) = (Vec::<Field>::new(), None, None);
        let is_union = entry.tag() == gimli::DW_TAG_union_type;
        for child in self.children(entry)? {
            let ty = self.reference(&child, gimli::DW_AT_type)?;
            let field = self.text(&child, gimli::DW_AT_name)?;
            match child.tag() {
                gimli::DW_TAG_template_type_parameter => element = element.or(ty),
                gimli::DW_TAG_template_value_parameter => {
                    count = count.or(self.number(&child, gimli::DW_AT_const_value)?);
                }
                gimli::DW_TAG_member | gimli::DW_TAG_inheritance => {
                    let Some(ty) = ty.map(|ty| self.ty(ty, depth + 1, false)).transpose()? else { continue };
                    // A static member has no place in the record.
                    if child.attr(gimli::DW_AT_external)?.is_some()
                        || child.attr(gimli::DW_AT_declaration)?.is_some()
                    {
                        continue;
                    }
                    align = align.max(ty.align());
                    let bits = child.attr(gimli::DW_AT_bit_size)?.is_some();
                    let offset = self.number(&child, gimli::DW_AT_data_member_location)?.unwrap_or(0);
                    // Members that Rust cannot name leave bytes that the generator fills.
                    if bits || is_union || ty.size() == 0 {
                        continue;
                    }
                    let base = child.tag() == gimli::DW_TAG_inheritance;
                    let name = field.or_else(|| base.then(|| "base".to_owned()));
                    let name = name.unwrap_or_else(|| format!("anonymous_{offset}"));
                    let empty_base = base && matches!(&ty, Type::Record(record) if record.fields.is_empty());
                    if !empty_base && fields.iter().all(|last| last.offset + last.ty.size() <= offset) {
                        fields.push(Field { name, offset, ty });
                    }
                }
                _ => {}
            }
        }
        if let (true, Some(element), Some(count)) = (name.starts_with("HIP_vector_type<"), element, count) {
            return Ok(vector(&self.ty(element, depth + 1, false)?, count, size));
        }
        // Nothing says that a record is packed, but members at odd places do.
        let odd = |field: &Field| !field.offset.is_multiple_of(field.ty.align());
        let packed = !size.is_multiple_of(align) || fields.iter().any(odd);
        let align = if packed { 1 } else { align };
        Ok(Type::Record(Box::new(Record { name, size, align, fields })))
    }

    fn children(&self, entry: &Entry<'a, 'u>) -> Result<Vec<Entry<'a, 'u>>, gimli::Error> {
        let mut children = Vec::new();
        let mut tree = self.unit.entries_tree(Some(entry.offset()))?;
        let mut nodes = tree.root()?.children();
        while let Some(node) = nodes.next()? {
            children.push(self.unit.entry(node.entry().offset())?);
        }
        Ok(children)
    }

    fn text(&self, entry: &Entry<'a, 'u>, name: gimli::DwAt) -> Result<Option<String>, gimli::Error> {
        let Some(value) = entry.attr_value(name)? else { return Ok(None) };
        Ok(Some(self.dwarf.attr_string(self.unit, value)?.to_string_lossy().into_owned()))
    }

    fn number(&self, entry: &Entry<'a, 'u>, name: gimli::DwAt) -> Result<Option<u64>, gimli::Error> {
        let value = entry.attr_value(name)?;
        let signed =
            |value: &AttributeValue<_>| value.sdata_value().and_then(|value| u64::try_from(value).ok());
        Ok(value.as_ref().and_then(|value| value.udata_value().or_else(|| signed(value))))
    }

    fn reference(
        &self,
        entry: &Entry<'a, 'u>,
        name: gimli::DwAt,
    ) -> Result<Option<UnitOffset>, gimli::Error> {
        Ok(match entry.attr_value(name)? {
            Some(AttributeValue::UnitRef(offset)) => Some(offset),
            Some(AttributeValue::DebugInfoRef(offset)) => offset.to_unit_offset(&self.unit.header),
            _ => None,
        })
    }

    /// The name of the file that an entry is declared in.
    fn file(&self, entry: &Entry<'a, 'u>) -> Result<String, gimli::Error> {
        let index = match entry.attr_value(gimli::DW_AT_decl_file)? {
            Some(AttributeValue::FileIndex(index)) => index,
            _ => return Ok(String::new()),
        };
        let file = self.unit.line_program.as_ref().and_then(|program| program.header().file(index));
        match file {
            Some(file) => {
                Ok(self.dwarf.attr_string(self.unit, file.path_name())?.to_string_lossy().into_owned())
            }
            None => Ok(String::new()),
        }
    }
}

/// A short vector such as `float4`: aligned to its size, if that is a power of two.
fn vector(element: &Type, count: u64, size: u64) -> Type {
    let Type::Scalar(scalar) = element else { return Type::Other(size, "vector".into()) };
    // The C names of the elements, which the vectors are named after.
    let stem = match scalar {
        Scalar::Bool => "bool",
        Scalar::I8 => "char",
        Scalar::I16 => "short",
        Scalar::I32 => "int",
        Scalar::I64 => "long",
        Scalar::I128 => "int128_",
        Scalar::U8 => "uchar",
        Scalar::U16 => "ushort",
        Scalar::U32 => "uint",
        Scalar::U64 => "ulong",
        Scalar::U128 => "uint128_",
        Scalar::F16 => "half",
        Scalar::Bf16 => "bfloat",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    };
    let names = ["x", "y", "z", "w"];
    let fields = (0..count).map(|i| {
        let name = usize::try_from(i).ok().and_then(|i| names.get(i)).filter(|_| count <= 4);
        let name = name.map_or_else(|| format!("s{i}"), |name| (*name).to_owned());
        Field { name, offset: i * scalar.size(), ty: element.clone() }
    });
    let align = if size.is_power_of_two() { size } else { scalar.size() };
    Type::Record(Box::new(Record { name: format!("{stem}{count}"), size, align, fields: fields.collect() }))
}

/// The scalar of a DWARF base type.
fn scalar(encoding: gimli::DwAte, size: u64, name: &str) -> Option<Scalar> {
    Some(match (encoding, size) {
        (gimli::DW_ATE_boolean, 1) => Scalar::Bool,
        (gimli::DW_ATE_float, 2) if name.contains("bf16") => Scalar::Bf16,
        (gimli::DW_ATE_float, 2) => Scalar::F16,
        (gimli::DW_ATE_float, 4) => Scalar::F32,
        (gimli::DW_ATE_float, 8) => Scalar::F64,
        (gimli::DW_ATE_signed | gimli::DW_ATE_signed_char, 1) => Scalar::I8,
        (gimli::DW_ATE_signed, 2) => Scalar::I16,
        (gimli::DW_ATE_signed, 4) => Scalar::I32,
        (gimli::DW_ATE_signed, 8) => Scalar::I64,
        (gimli::DW_ATE_signed, 16) => Scalar::I128,
        (gimli::DW_ATE_unsigned | gimli::DW_ATE_unsigned_char | gimli::DW_ATE_UTF, 1) => Scalar::U8,
        (gimli::DW_ATE_unsigned | gimli::DW_ATE_UTF, 2) => Scalar::U16,
        (gimli::DW_ATE_unsigned | gimli::DW_ATE_UTF, 4) => Scalar::U32,
        (gimli::DW_ATE_unsigned, 8) => Scalar::U64,
        (gimli::DW_ATE_unsigned, 16) => Scalar::U128,
        _ => return None,
    })
}
