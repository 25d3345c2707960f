//! Reads `doc(alias)` and public types out of sources that rustfmt wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Per C name, the public items with that alias, as `Stream::fill` or `rtc::version`.
pub fn aliases(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    sources(folder, &mut files);
    files.sort();
    let mut aliases = BTreeMap::<String, Vec<String>>::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let module = file.strip_prefix(folder).unwrap().with_extension("");
        let module = module.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
        let (mut names, mut block) = (Vec::new(), String::new());
        for line in text.lines() {
            let code = line.trim_start();
            if let Some(header) = code.strip_prefix("impl").filter(|rest| rest.starts_with(['<', ' '])) {
                block = implemented(header);
            }
            if let Some(rest) = code.strip_prefix("#[doc(alias = \"") {
                names.extend(rest.split('"').next().map(str::to_owned));
            } else if !code.starts_with("#[") && !code.starts_with("//") && !names.is_empty() {
                if let Some(name) = public_name(code) {
                    let item = if line.starts_with(' ') {
                        format!("{block}::{name}")
                    } else {
                        qualified(module, &name)
                    };
                    for alias in &names {
                        let items = aliases.entry(alias.clone()).or_default();
                        if !items.contains(&item) {
                            items.push(item.clone());
                        }
                    }
                }
                names.clear();
            }
        }
    }
    aliases
}

/// The public types at the top of a file, hidden ones left out, and whether the documentation of each has an example.
pub fn types(folder: &Path) -> Vec<(String, bool)> {
    let (mut files, mut types) = (Vec::new(), Vec::new());
    sources(folder, &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // Types that a macro of the file makes of its first name, with the documentation that it is given.
        let makes_types = |name: &str| {
            let definition = text.split(&format!("macro_rules! {name} {{\n")).nth(1);
            definition
                .and_then(|rest| rest.split("\n}\n").next())
                .is_some_and(|it| it.contains("pub struct $name"))
        };
        // What precedes an item begins behind the last line that is empty or closes one.
        let (mut example, mut hidden, mut made) = (false, false, false);
        for line in text.lines() {
            if let Some(name) = line.strip_suffix("! {").filter(|name| !name.contains([' ', '#'])) {
                (made, example, hidden) = (makes_types(name), false, false);
                continue;
            }
            match line {
                _ if made => {
                    let line = line.trim_start();
                    if line.starts_with("///") {
                        example |= line.contains("```");
                    } else if !line.starts_with("#[") {
                        types.extend(line.split(' ').next().map(|name| (name.to_owned(), example)));
                        made = false;
                    }
                }
                "" | "}" | "};" => (example, hidden) = (false, false),
                _ if line.starts_with("///") => example |= line.contains("```"),
                "#[doc(hidden)]" => hidden = true,
                _ => {
                    let kinds = ["struct ", "enum ", "trait ", "type ", "unsafe trait "];
                    let public = line.strip_prefix("pub ");
                    if public.is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind)))
                        && let (Some(name), false) = (public_name(line), hidden)
                    {
                        types.push((name, example));
                        (example, hidden) = (false, false);
                    }
                }
            }
        }
    }
    types
}

/// The type of an `impl` block: `Stream` of `<T> Trait for Stream<'_> {`. The codes of errors stand in a macro.
fn implemented(header: &str) -> String {
    let header = match header.strip_prefix('<') {
        Some(rest) => {
            let mut depth = 1;
            let end = rest.find(|c| {
                depth += i32::from(c == '<') - i32::from(c == '>');
                depth == 0
            });
            end.map_or(rest, |end| &rest[end + 1..])
        }
        None => header,
    };
    let name = header.rsplit(" for ").next().unwrap_or(header).trim();
    name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The name of a public item, from its first line.
fn public_name(line: &str) -> Option<String> {
    let rest = line.strip_prefix("pub ")?;
    let mut words = rest
        .split([' ', '(', '<', '{', ';', ':'])
        .skip_while(|word| ["unsafe", "const", "fn", "struct", "enum", "trait", "type"].contains(word));
    words.next().map(str::to_owned)
}

/// A free function stands in its module, a type at the root.
fn qualified(module: &str, name: &str) -> String {
    let of_module = module == "rtc" || name.starts_with(|c: char| c.is_lowercase() && module == "fault");
    if of_module { format!("{module}::{name}") } else { name.to_owned() }
}

/// A link of rustdoc's, from the module `functions`.
pub fn link(item: &str) -> String {
    /// Types that are not at the root, and the module that has them.
    const OF_MODULES: [(&str, &str); 10] = [
        ("Program", "rtc"),
        ("Compiled", "rtc"),
        ("Array", "texture"),
        ("MipmappedArray", "texture"),
        ("Texel", "texture"),
        ("Texture", "texture"),
        ("Surface", "texture"),
        ("MemoryPool", "memory"),
        ("ReservedBuffer", "memory"),
        ("Signal", "memory"),
    ];
    let root = item.split("::").next().unwrap_or(item);
    let module = OF_MODULES.iter().find(|(name, _)| *name == root);
    let path = module.map_or_else(|| item.to_owned(), |(_, module)| format!("{module}::{item}"));
    format!("[`{path}`](crate::{path})")
}
