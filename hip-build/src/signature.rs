//! What the source says of a kernel: names, parameters and their types.

mod dwarf;
mod layout;

pub(crate) use dwarf::read;

/// A `__global__` function.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    /// The name in the code object.
    pub(crate) symbol: String,
    /// The qualified name in the source, with template arguments: `outer::scale<float, 3>`.
    pub(crate) name: String,
    /// The parameters in order.
    pub(crate) params: Vec<Param>,
    /// The line of the declaration, in the file that it stands in.
    pub(crate) line: u64,
    /// The name of that file.
    pub(crate) file: String,
    /// Why there can be no typed function for it, if so.
    pub(crate) untyped: Option<String>,
}

/// One parameter.
#[derive(Debug, Clone)]
pub(crate) struct Param {
    /// Its name, if it has one.
    pub(crate) name: Option<String>,
    /// Its type.
    pub(crate) ty: Type,
}

/// A type, with typedefs, `const`, `volatile` and `restrict` taken off, except for what a pointer points to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Scalar(Scalar),
    /// A pointer or a reference; `None` points to what has no size: `void`, functions, incomplete types.
    Pointer {
        to: Option<Box<Type>>,
        is_const: bool,
    },
    /// `hipTextureObject_t` or `hipSurfaceObject_t`.
    Object(Object),
    Record(Box<Record>),
    Enum(Box<Enum>),
    Array(Box<Type>, u64),
    /// Something without a Rust counterpart: its size and name.
    Other(u64, String),
}

/// An object of the texture units, which C++ names by a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    Texture,
    Surface,
}

impl Object {
    /// The object whose incomplete struct has this name in HIP's headers.
    pub(crate) fn of_struct(name: &str) -> Option<Self> {
        match name {
            "__hip_texture" => Some(Self::Texture),
            "__hip_surface" => Some(Self::Surface),
            _ => None,
        }
    }

    /// The parameter type in `hip`.
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::Texture => "::hip::texture::Tex",
            Self::Surface => "::hip::texture::Surf",
        }
    }

    /// The name in C++.
    pub(crate) fn c_name(self) -> &'static str {
        match self {
            Self::Texture => "hipTextureObject_t",
            Self::Surface => "hipSurfaceObject_t",
        }
    }
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F16,
    Bf16,
    F32,
    F64,
}

/// A struct, a class, a union, or a short vector such as `float4`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The qualified name in the source.
    pub(crate) name: String,
    pub(crate) size: u64,
    /// The alignment in bytes.
    pub(crate) align: u64,
    /// Those members that can be named in Rust, by ascending offset and without overlap.
    pub(crate) fields: Vec<Field>,
}

/// A member of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) ty: Type,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Enum {
    /// The qualified name in the source.
    pub(crate) name: String,
    /// The underlying type.
    pub(crate) repr: Scalar,
    /// Names and values.
    pub(crate) values: Vec<(String, i128)>,
}
