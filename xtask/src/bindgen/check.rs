//! Drift, with the headers of some releases only: what they declare against the checked-in files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use quote::ToTokens;

use super::moved;
use super::parse::{Body, Function, Headers, function_of};
use super::sets::RELEASES;
use super::union::{aliases, same_call};

/// The checked-in files, read back.
struct CheckedIn {
    /// Releases and symbols of each function.
    table: BTreeMap<String, (u8, BTreeSet<String>)>,
    methods: BTreeMap<String, Function>,
    types: BTreeSet<String>,
    /// Constants by module: `types`, `v5_0`, ...
    constants: BTreeMap<String, BTreeMap<String, String>>,
}

/// Compares what the given releases declare with the checked-in files.
pub fn releases(all: &[Headers], hip_sys: &Path) -> Result<()> {
    let checked_in = read(hip_sys)?;
    let mut problems = Vec::new();
    for headers in all {
        let name = headers.release.name;
        let found = compare(headers, &checked_in);
        println!(
            "HIP {name}: {} functions, {} types, {} constants: {}",
            headers.functions.len(),
            headers.types.len(),
            headers.constants.len(),
            if found.is_empty() { "agree".to_owned() } else { format!("{} differ", found.len()) }
        );
        problems.extend(found.into_iter().map(|problem| format!("HIP {name}: {problem}")));
    }
    ensure!(problems.is_empty(), "hip-sys is not what the headers give:\n  {}", problems.join("\n  "));
    let here: Vec<&str> = all.iter().map(|headers| headers.release.name).collect();
    println!("compared with the headers of HIP {} only, of {} releases", here.join(", "), RELEASES.len());
    Ok(())
}

fn compare(headers: &Headers, checked_in: &CheckedIn) -> Vec<String> {
    let mut problems = Vec::new();
    let release = headers.release;
    let bit = 1u8 << release.index();
    let aliases = aliases(std::slice::from_ref(headers));
    for (name, function) in &headers.functions {
        if moved::another_function(name, release.version) {
            continue;
        }
        let Some((releases, symbols)) = checked_in.table.get(name) else {
            problems.push(format!("{name} is not in the table"));
            continue;
        };
        if releases & bit == 0 {
            problems.push(format!("the table lacks {name} for this release"));
        }
        if !symbols.contains(&function.symbol) {
            problems.push(format!("the table lacks the symbol {}", function.symbol));
        }
        let moved = moved::PARAMETERS.iter().any(|row| row.function == name);
        let method = checked_in.methods.get(name);
        if !moved && !method.is_some_and(|method| same_call(method, function, &aliases)) {
            problems.push(format!("the method {name} has another signature"));
        }
    }
    for (name, (releases, _)) in &checked_in.table {
        if releases & bit != 0 && !headers.functions.contains_key(name) {
            problems.push(format!("the table says that this release has {name}"));
        }
    }
    for item in &headers.types {
        let nested = matches!(item.body, Body::Record { .. }) && item.name.contains("_anon_");
        if !nested && !checked_in.types.contains(&item.name) {
            problems.push(format!("the type {} is missing", item.name));
        }
    }
    for item in &headers.constants {
        let module = match moved::constant(item) {
            None => Some("types".to_owned()),
            Some(row) => {
                let since = row.since.iter().rev().find(|since| **since <= release.version);
                since.map(|(major, minor)| format!("v{major}_{minor}"))
            }
        };
        let there = module.and_then(|module| checked_in.constants.get(&module)?.get(&item.name));
        if there != Some(&item.value) {
            problems.push(format!("{} is {}, not {there:?}", item.name, item.value));
        }
    }
    problems
}

fn read(hip_sys: &Path) -> Result<CheckedIn> {
    let text = |name: &str| {
        let path = hip_sys.join("src").join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut checked_in = CheckedIn {
        table: table(&text("functions.rs")?),
        methods: BTreeMap::new(),
        types: BTreeSet::new(),
        constants: BTreeMap::new(),
    };
    for item in syn::parse_file(&text("methods.rs")?)?.items {
        let syn::Item::Impl(item) = item else { continue };
        for item in &item.items {
            if let syn::ImplItem::Fn(item) = item {
                let function = method(item)?;
                checked_in.methods.insert(function.name.clone(), function);
            }
        }
    }
    let mut modules = vec![("types".to_owned(), "types.rs".to_owned())];
    for entry in fs::read_dir(hip_sys.join("src/abi"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(module) = name.strip_suffix(".rs").filter(|name| is_version(name)) {
            modules.push((module.to_owned(), format!("abi/{name}")));
        }
    }
    for (module, file) in modules {
        let constants = checked_in.constants.entry(module).or_default();
        for item in syn::parse_file(&text(&file)?)?.items {
            match item {
                syn::Item::Const(item) => {
                    constants.insert(item.ident.to_string(), item.expr.to_token_stream().to_string());
                }
                syn::Item::Struct(item) => _ = checked_in.types.insert(item.ident.to_string()),
                syn::Item::Union(item) => _ = checked_in.types.insert(item.ident.to_string()),
                syn::Item::Type(item) => _ = checked_in.types.insert(item.ident.to_string()),
                _ => {}
            }
        }
    }
    Ok(checked_in)
}

/// Whether a module of `abi` is a generated one: `v5_0`.
pub fn is_version(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix('v').and_then(|name| name.split_once('_')).is_some_and(|(a, b)| number(a) && number(b))
}

/// The rows of functions.rs: `row("name", &[c"symbol", ...], V5_2_3 | ..., Library),`.
fn table(text: &str) -> BTreeMap<String, (u8, BTreeSet<String>)> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("row(")) {
        let mut quoted = line.split('"').skip(1).step_by(2).map(str::to_owned);
        let Some(name) = quoted.next() else { continue };
        let releases = line.rsplit("], ").next().unwrap_or_default();
        let releases = releases.split(',').next().unwrap_or_default();
        let bits = RELEASES
            .iter()
            .filter(|release| {
                let constant = format!("V{}", release.name.replace('.', "_"));
                releases == "ALL" || releases.split(" | ").any(|word| word == constant)
            })
            .fold(0, |bits, release| bits | 1 << release.index());
        rows.insert(name, (bits, quoted.collect()));
    }
    rows
}

/// A method of `Api` as the C function that it calls.
fn method(item: &syn::ImplItemFn) -> Result<Function> {
    let mut signature = item.sig.clone();
    signature.inputs = signature.inputs.into_iter().skip(1).collect();
    // Result<T, MissingSymbol>
    if let syn::ReturnType::Type(_, result) = &mut signature.output
        && let syn::Type::Path(path) = &**result
        && let Some(syn::PathSegment { arguments: syn::PathArguments::AngleBracketed(list), .. }) =
            path.path.segments.last()
        && let Some(syn::GenericArgument::Type(inner)) = list.args.first()
    {
        let inner = inner.clone();
        let unit = matches!(&inner, syn::Type::Tuple(tuple) if tuple.elems.is_empty());
        if unit {
            signature.output = syn::ReturnType::Default;
        } else {
            **result = inner;
        }
    }
    function_of(&RELEASES[RELEASES.len() - 1], &signature, &[])
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn rows_are_read_as_they_are_written() {
        let rows = table(
            "    row(\"hipA\", &[c\"hipA\", c\"_Z4hipAv\"], V5_2_3 | V7_1, Hip),\n    row(\"hipB\", &[c\"hipB\"], ALL, Hip),\n",
        );
        let (releases, symbols) = &rows["hipA"];
        assert_eq!(*releases, 0b1001);
        assert!(symbols.contains("hipA") && symbols.contains("_Z4hipAv") && symbols.len() == 2);
        assert_eq!(rows["hipB"].0, 0b1111);
    }
}
