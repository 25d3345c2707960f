//! Documentation carried over from the source.

use crate::signature::{Signature, Type};

/// How far above a kernel's name its documentation may end: attributes and `template` lines are between.
const REACH: usize = 4;

/// The `///` lines above the declaration in this line (counted from 1), without their slashes.
pub(super) fn comment_above(source: &str, line: u64) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let Some(mut at) = usize::try_from(line).ok().and_then(|line| line.checked_sub(1)) else {
        return Vec::new();
    };
    let comment = |at: usize| lines.get(at).and_then(|line| line.trim_start().strip_prefix("///"));
    for _ in 0..REACH {
        let Some(above) = at.checked_sub(1) else { return Vec::new() };
        if comment(above).is_some() {
            break;
        }
        let Some(text) = lines.get(above).map(|line| line.trim()) else { return Vec::new() };
        if text.is_empty() || text.ends_with([';', '}']) {
            return Vec::new();
        }
        at = above;
    }
    let mut found = Vec::new();
    while let Some(text) = at.checked_sub(1).and_then(comment) {
        found.push(text.trim().to_owned());
        at -= 1;
    }
    found.reverse();
    found
}

/// Text without meaning to rustdoc outside of code spans: no links, no HTML.
pub(super) fn escape(text: &str) -> String {
    let (mut out, mut code) = (String::new(), false);
    for c in text.chars() {
        code ^= c == '`';
        if !code && matches!(c, '[' | ']' | '<' | '>' | '*') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The declaration in C++: `saxpy(float a, const float *x, float *y, int n)`.
pub(super) fn signature(signature: &Signature) -> String {
    let param = |param: &crate::signature::Param| {
        let ty = c_name(&param.ty);
        match &param.name {
            Some(name) if ty.ends_with('*') => format!("{ty}{name}"),
            Some(name) => format!("{ty} {name}"),
            None => ty,
        }
    };
    let params: Vec<_> = signature.params.iter().map(param).collect();
    format!("__global__ void {}({})", signature.name, params.join(", "))
}

/// A type's name in C++, as far as documentation needs it.
pub(super) fn c_name(ty: &Type) -> String {
    use crate::signature::Scalar::{
        Bf16, Bool, F16, F32, F64, I8, I16, I32, I64, I128, U8, U16, U32, U64, U128,
    };
    match ty {
        Type::Scalar(scalar) => match scalar {
            Bool => "bool",
            I8 => "int8_t",
            I16 => "int16_t",
            I32 => "int",
            I64 => "int64_t",
            I128 => "__int128",
            U8 => "uint8_t",
            U16 => "uint16_t",
            U32 => "unsigned",
            U64 => "uint64_t",
            U128 => "unsigned __int128",
            F16 => "_Float16",
            Bf16 => "hip_bfloat16",
            F32 => "float",
            F64 => "double",
        }
        .to_owned(),
        Type::Pointer { to, is_const } => {
            let to = to.as_ref().map_or_else(|| "void".to_owned(), |to| c_name(to));
            format!("{}{to} *", if *is_const { "const " } else { "" })
        }
        Type::Object(object) => object.c_name().to_owned(),
        Type::Record(record) => record.name.clone(),
        Type::Enum(of) => of.name.clone(),
        Type::Array(element, count) => format!("{}[{count}]", c_name(element)),
        Type::Other(_, name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_found_above_attributes_and_no_further() {
        let source =
            "/// One.\n/// Two.\ntemplate <class T>\n__global__ void k(T x);\n\n__global__ void l();\n";
        assert_eq!(comment_above(source, 4), ["One.", "Two."]);
        assert!(comment_above(source, 6).is_empty());
        assert!(comment_above(source, 0).is_empty());
        assert!(comment_above("", 9).is_empty());
    }

    #[test]
    fn rustdoc_sees_no_links_and_no_html() {
        assert_eq!(escape("x[i] of `y[i]` <b>"), r"x\[i\] of `y[i]` \<b\>");
    }
}
