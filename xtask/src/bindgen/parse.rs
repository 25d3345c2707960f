//! One set of HIP headers, read by libclang through bindgen, as plain data.
//!
//! bindgen's output is Rust source; it is parsed here once and kept as types, functions and constants, so that
//! several versions can be compared and united before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use quote::ToTokens;

use super::sets::Release;

/// Everything that one set of headers declares.
pub struct Headers {
    /// Which release these headers are of.
    pub release: &'static Release,
    /// Types in the order of declaration, by name.
    pub types: Vec<Type>,
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Enumerators and macros, in the order of declaration.
    pub constants: Vec<Constant>,
}

/// A C type.
#[derive(Clone)]
pub struct Type {
    pub name: String,
    pub docs: Option<String>,
    pub body: Body,
}

/// What a C type is.
#[derive(Clone)]
pub enum Body {
    /// A struct or a union.
    Record { keyword: &'static str, fields: Vec<Field>, debug: bool, layout: Layout },
    /// An enum; the text is the integer below it.
    Enum(String),
    /// A typedef.
    Alias(String),
    /// A struct that the headers only declare.
    Opaque,
}

/// A member of a struct or a union; a run of bit fields is one member.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub ty: String,
    pub docs: Option<String>,
    pub bits: Vec<Bit>,
}

/// One bit field: name, first bit, width.
#[derive(Clone, PartialEq)]
pub struct Bit {
    pub name: String,
    pub shift: usize,
    pub width: usize,
}

/// Size, alignment and offsets in bytes, as libclang computed them.
#[derive(Clone, Default, PartialEq)]
pub struct Layout {
    pub size: usize,
    pub align: usize,
    pub offsets: BTreeMap<String, usize>,
}

/// A C function.
#[derive(Clone)]
pub struct Function {
    pub name: String,
    pub docs: Option<String>,
    /// Name and type of each parameter.
    pub params: Vec<(String, String)>,
    /// The return type; `None` for `void`.
    pub ret: Option<String>,
    /// The symbol that the linker sees.
    pub symbol: String,
}

/// An enumerator or a macro that is a number or a string.
#[derive(Clone)]
pub struct Constant {
    pub name: String,
    pub docs: Option<String>,
    pub ty: String,
    pub value: String,
}

/// Reads the headers below `include` (the folder that holds `hip/`).
pub fn headers(release: &'static Release, include: &Path) -> Result<Headers> {
    let mut found = syntax(release, &run(include, false)?)?;
    let also = syntax(release, &run(include, true)?)?;
    // The C++ pass is there for what C does not see: hip_ext.h, and functions outside extern "C".
    for (name, function) in also.functions {
        if name.starts_with("hip") && !function.symbol.starts_with("_ZN") {
            found.functions.entry(name).or_insert(function);
        }
    }
    found.functions.retain(|name, _| !is_private(name));
    Ok(found)
}

/// Names that belong to the compiler, not to programs.
fn is_private(name: &str) -> bool {
    name.starts_with("__")
}

/// Runs bindgen over the headers, as C or as C++.
fn run(include: &Path, cpp: bool) -> Result<String> {
    let mut wrapper = String::from("#include <hip/hip_runtime_api.h>\n");
    // Which of these a set has depends on who packaged it.
    let optional: &[&str] = if cpp { &["hip_ext.h"] } else { &["hiprtc.h", "hip_deprecated.h"] };
    for name in optional {
        if include.join("hip").join(name).is_file() {
            wrapper += &format!("#include <hip/{name}>\n");
        }
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut builder = bindgen::Builder::default()
        .header_contents(if cpp { "wrapper.hpp" } else { "wrapper.h" }, &wrapper)
        .clang_arg("-D__HIP_PLATFORM_AMD__")
        .clang_arg(format!("-I{}", include.display()))
        .clang_arg("-Wno-everything")
        .allowlist_function("hip.*")
        .allowlist_type("hip.*|HIP.*")
        .allowlist_var("hip.*|HIP.*")
        .blocklist_item("HIP_VERSION.*|HIP_INCLUDE.*|hip_api_.*|HIP_API_ID.*|hip_impl.*")
        .default_enum_style(bindgen::EnumVariation::NewType { is_bitfield: false, is_global: true })
        .prepend_enum_name(false)
        .use_core()
        .layout_tests(true)
        .formatter(bindgen::Formatter::None)
        .parse_callbacks(Box::new(Seen(Arc::clone(&seen))));
    if cpp {
        builder = builder.clang_args(["-x", "c++", "-std=c++17"]);
    }
    let text = builder.generate().context("bindgen")?.to_string();
    // A set that lacks a header must not pick up the one of another release from a system folder.
    let root = include.canonicalize()?;
    for path in seen.lock().map_err(|_| anyhow::anyhow!("a parser callback failed"))?.iter() {
        let real = Path::new(path).canonicalize().unwrap_or_else(|_| PathBuf::from(path));
        let of_hip = real.components().any(|part| part.as_os_str() == "hip");
        ensure!(!of_hip || real.starts_with(&root), "{path} is not below {}", include.display());
    }
    Ok(text)
}

/// Collects the header files that libclang opened.
#[derive(Debug)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl bindgen::callbacks::ParseCallbacks for Seen {
    fn include_file(&self, filename: &str) {
        if let Ok(mut seen) = self.0.lock() {
            seen.push(filename.to_owned());
        }
    }
    fn header_file(&self, filename: &str) {
        self.include_file(filename);
    }
}

/// Takes bindgen's source apart.
fn syntax(release: &'static Release, text: &str) -> Result<Headers> {
    let file = syn::parse_file(text).context("bindgen's output")?;
    let mut found = Headers { release, types: Vec::new(), functions: BTreeMap::new(), constants: Vec::new() };
    let mut layouts = BTreeMap::<String, Layout>::new();
    let mut bits = BTreeMap::<String, Vec<Bit>>::new();
    for item in &file.items {
        match item {
            syn::Item::Struct(item) => found.types.extend(record(release, item)),
            syn::Item::Union(item) => found.types.push(Type {
                name: release.rename(&item.ident.to_string()),
                docs: docs(&item.attrs),
                body: Body::Record {
                    keyword: "union",
                    fields: fields(release, item.fields.named.iter()),
                    debug: false,
                    layout: Layout::default(),
                },
            }),
            syn::Item::Type(item) => found.types.push(Type {
                name: release.rename(&item.ident.to_string()),
                docs: docs(&item.attrs),
                body: Body::Alias(ty(release, &item.ty)),
            }),
            syn::Item::Use(item) => found.types.extend(renaming(release, item)),
            syn::Item::ForeignMod(item) => {
                for item in &item.items {
                    if let syn::ForeignItem::Fn(item) = item {
                        let function = function_of(release, &item.sig, &item.attrs)?;
                        found.functions.insert(function.name.clone(), function);
                    }
                }
            }
            syn::Item::Const(item) if item.ident == "_" => layout(release, item, &mut layouts),
            syn::Item::Const(item) => found.constants.push(Constant {
                name: item.ident.to_string(),
                docs: docs(&item.attrs),
                ty: ty(release, &item.ty),
                value: item.expr.to_token_stream().to_string(),
            }),
            syn::Item::Impl(item) => {
                bits.entry(release.rename(&text_of(&item.self_ty))).or_default().extend(bit_fields(item));
            }
            other => bail!("bindgen wrote an item that is not expected: {}", other.to_token_stream()),
        }
    }
    for item in &mut found.types {
        if let Body::Record { layout, fields, .. } = &mut item.body {
            *layout = layouts.remove(&item.name).with_context(|| format!("no layout of {}", item.name))?;
            pack_bits(fields, bits.remove(&item.name).unwrap_or_default(), layout)?;
        }
    }
    name_nested(&mut found.types);
    loosen(&mut found);
    Ok(found)
}

/// A struct: a record, an enum's newtype, or a type that is only declared.
fn record(release: &Release, item: &syn::ItemStruct) -> Option<Type> {
    let name = release.rename(&item.ident.to_string());
    if name.starts_with("__Bindgen") || name.starts_with("__Incomplete") {
        return None;
    }
    let body = match &item.fields {
        syn::Fields::Unnamed(inner) => Body::Enum(ty(release, &inner.unnamed.first()?.ty)),
        syn::Fields::Named(inner) if inner.named.iter().all(|f| is_named(f, "_unused")) => Body::Opaque,
        all => Body::Record {
            keyword: "struct",
            fields: fields(release, all.iter()),
            debug: item.attrs.iter().any(|a| text_of(&a.meta).contains("Debug")),
            layout: Layout::default(),
        },
    };
    Some(Type { name, docs: docs(&item.attrs), body })
}

fn is_named(field: &syn::Field, name: &str) -> bool {
    field.ident.as_ref().is_some_and(|ident| ident == name)
}

fn fields<'a>(release: &Release, all: impl Iterator<Item = &'a syn::Field>) -> Vec<Field> {
    all.map(|field| Field {
        name: field.ident.as_ref().map(ToString::to_string).unwrap_or_default(),
        ty: ty(release, &field.ty),
        docs: docs(&field.attrs),
        bits: Vec::new(),
    })
    .collect()
}

/// `pub use self::A as B`: bindgen's way to say that a typedef renames an enum.
fn renaming(release: &Release, item: &syn::ItemUse) -> Option<Type> {
    let syn::UseTree::Path(path) = &item.tree else { return None };
    let syn::UseTree::Rename(rename) = &*path.tree else { return None };
    Some(Type {
        name: release.rename(&rename.rename.to_string()),
        docs: docs(&item.attrs),
        body: Body::Alias(release.rename(&rename.ident.to_string())),
    })
}

/// A function's signature with bindgen's attributes.
pub fn function_of(release: &Release, sig: &syn::Signature, attrs: &[syn::Attribute]) -> Result<Function> {
    let name = sig.ident.to_string();
    ensure!(sig.variadic.is_none(), "{name} is variadic");
    let mut params = Vec::new();
    for input in &sig.inputs {
        let syn::FnArg::Typed(input) = input else { bail!("{name} has a receiver") };
        params.push((text_of(&input.pat), ty(release, &input.ty)));
    }
    let ret = match &sig.output {
        syn::ReturnType::Default => None,
        syn::ReturnType::Type(_, result) => Some(ty(release, result)),
    };
    let symbol = attrs
        .iter()
        .find(|attr| attr.path().is_ident("link_name"))
        .and_then(|attr| string(&attr.meta))
        .map_or_else(|| name.clone(), |symbol| symbol.trim_start_matches('\u{1}').to_owned());
    Ok(Function { name, docs: docs(attrs), params, ret, symbol })
}

/// Reads sizes, alignments and offsets off bindgen's layout assertions.
fn layout(release: &Release, item: &syn::ItemConst, into: &mut BTreeMap<String, Layout>) {
    let syn::Expr::Block(block) = &*item.expr else { return };
    for statement in &block.block.stmts {
        let syn::Stmt::Expr(syn::Expr::Index(index), _) = statement else { continue };
        let syn::Expr::Array(array) = &*index.expr else { continue };
        let Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(what), .. })) = array.elems.first() else {
            continue;
        };
        let syn::Expr::Binary(difference) = &*index.index else { continue };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) = &*difference.right else {
            continue;
        };
        let Ok(number) = number.base10_parse::<usize>() else { continue };
        let what = what.value();
        if let Some(name) = what.strip_prefix("Size of ") {
            into.entry(release.rename(name)).or_default().size = number;
        } else if let Some(name) = what.strip_prefix("Alignment of ") {
            into.entry(release.rename(name)).or_default().align = number;
        } else if let Some((name, field)) =
            what.strip_prefix("Offset of field: ").and_then(|rest| rest.split_once("::"))
        {
            into.entry(release.rename(name)).or_default().offsets.insert(field.to_owned(), number);
        }
    }
}

/// The bit fields of a record, from the getters that bindgen wrote: `fn NAME(&self) ... get(SHIFT, WIDTH u8)`.
fn bit_fields(item: &syn::ItemImpl) -> Vec<Bit> {
    let mut found = Vec::new();
    for item in &item.items {
        let syn::ImplItem::Fn(item) = item else { continue };
        let name = item.sig.ident.to_string();
        let body: String = text_of(&item.block).split_whitespace().collect();
        if name.ends_with("_raw") || item.sig.inputs.len() != 1 {
            continue;
        }
        let Some((_, arguments)) = body.split_once("_bitfield_1.get(") else { continue };
        let Some((arguments, _)) = arguments.split_once(')') else { continue };
        let mut numbers =
            arguments.split(',').map(|n| n.trim_end_matches("usize").trim_end_matches("u8").parse::<usize>());
        if let (Some(Ok(shift)), Some(Ok(width))) = (numbers.next(), numbers.next()) {
            found.push(Bit { name, shift, width });
        }
    }
    found
}

/// Puts one unsigned member in the place of bindgen's storage for bit fields.
fn pack_bits(fields: &mut Vec<Field>, bits: Vec<Bit>, layout: &mut Layout) -> Result<()> {
    fields.retain(|field| !field.name.starts_with("_bitfield_align"));
    layout.offsets.retain(|name, _| !name.starts_with("_bitfield"));
    if bits.is_empty() {
        fields.retain(|field| !field.name.starts_with("__bindgen_padding"));
        return Ok(());
    }
    // The one such type is hipDeviceArch_t, 17 bits in an unsigned; anything else deserves a look.
    ensure!(layout.size == 4 && layout.align == 4, "bit fields outside one 32-bit unit");
    fields.clear();
    fields.push(Field { name: "bits".into(), ty: "c_uint".into(), docs: None, bits });
    Ok(())
}

/// Enumerators of an enum without a name are plain numbers: bindgen's name for it changes with the release.
fn loosen(found: &mut Headers) {
    let nameless = |name: &str| name.starts_with("_bindgen_ty_");
    for item in &found.types {
        let Body::Enum(repr) = &item.body else { continue };
        for constant in found
            .constants
            .iter_mut()
            .filter(|constant| nameless(&item.name) && constant.ty.trim() == item.name)
        {
            constant.ty.clone_from(repr);
            let number = constant.value.trim_start_matches(&item.name).trim();
            constant.value = number.trim_start_matches('(').trim_end_matches(')').trim().to_owned();
        }
    }
    found.types.retain(|item| !nameless(&item.name));
}

/// Names nested types after the member that holds them: `T__bindgen_ty_1` in member `res` becomes `T_res`.
fn name_nested(types: &mut [Type]) {
    let mut names = BTreeMap::new();
    let known: BTreeSet<String> = types.iter().map(|item| item.name.clone()).collect();
    for item in types.iter() {
        let Body::Record { fields, .. } = &item.body else { continue };
        for field in fields {
            let inner = field.ty.trim_start_matches('[').split(';').next().unwrap_or_default().trim();
            let own = field.name.trim_start_matches("__bindgen_");
            if inner.contains("__bindgen_ty_") && known.contains(inner) {
                names.insert(inner.to_owned(), (item.name.clone(), own.to_owned()));
            }
        }
    }
    // An outer type may itself be nested: resolve from the outside in.
    let full = |name: &str| {
        let mut parts = Vec::new();
        let mut at = name.to_owned();
        while let Some((outer, member)) = names.get(&at) {
            parts.push(member.clone());
            at = outer.clone();
        }
        parts.push(at);
        parts.reverse();
        parts.join("_")
    };
    for item in types.iter_mut() {
        item.name = full(&item.name);
        let Body::Record { fields, layout, .. } = &mut item.body else { continue };
        for field in fields {
            let name = field.ty.trim_start_matches('[').split(';').next().unwrap_or_default().trim();
            if names.contains_key(name) {
                field.ty = field.ty.replace(name, &full(name));
            }
            if let Some(anonymous) = field.name.strip_prefix("__bindgen_").map(str::to_owned) {
                let offset = layout.offsets.remove(&field.name);
                layout.offsets.extend(offset.map(|offset| (anonymous.clone(), offset)));
                field.name = anonymous;
            }
        }
    }
}

/// The doc comment of an item, as bindgen carried it over.
fn docs(attrs: &[syn::Attribute]) -> Option<String> {
    let lines: Vec<String> =
        attrs.iter().filter(|a| a.path().is_ident("doc")).filter_map(|a| string(&a.meta)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The string of `#[name = "string"]`.
fn string(meta: &syn::Meta) -> Option<String> {
    let syn::Meta::NameValue(pair) = meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
    Some(text.value())
}

fn text_of(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// A type as the generated files write it: short paths, and the release's own names made unique.
fn ty(release: &Release, ty: &syn::Type) -> String {
    let mut out = String::new();
    write_tokens(
        ty.to_token_stream(),
        &mut |word| match word {
            "usize" | "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64" => word.to_owned(),
            word => match word.strip_suffix("usize") {
                Some(number) if !number.is_empty() => number.to_owned(),
                _ => release.rename(word),
            },
        },
        &mut out,
    );
    let out = out.replace(":: core :: ffi :: ", "").replace(":: core :: option :: ", "");
    out.replace("self :: ", "")
}

fn write_tokens(tokens: proc_macro2::TokenStream, rename: &mut impl FnMut(&str) -> String, out: &mut String) {
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("( ", ") "),
                    proc_macro2::Delimiter::Bracket => ("[ ", "] "),
                    proc_macro2::Delimiter::Brace => ("{ ", "} "),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write_tokens(group.stream(), rename, out);
                out.push_str(close);
            }
            proc_macro2::TokenTree::Punct(punct) => {
                out.push(punct.as_char());
                if punct.spacing() == proc_macro2::Spacing::Alone {
                    out.push(' ');
                }
            }
            other => {
                out.push_str(&rename(&other.to_string()));
                out.push(' ');
            }
        }
    }
}
