//! Several releases united: one table of functions, one set of types, and what moved between releases.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::moved;
use super::parse::{Body, Constant, Function, Headers, Layout, Type};

/// All releases together.
pub struct Union {
    /// Functions by name, each with what the releases say of it.
    pub functions: BTreeMap<String, Entry>,
    /// Types with one meaning, the newest declaration of each.
    pub types: Vec<Type>,
    /// Constants with one value.
    pub constants: Vec<Constant>,
    /// What moved: by the release that begins to use it.
    pub old: BTreeMap<(u32, u32), Old>,
    /// Layouts by type: one entry for each release that declares the type as a record.
    pub layouts: BTreeMap<String, Vec<(usize, Type)>>,
}

/// One row of the function table.
pub struct Entry {
    /// The newest declaration.
    pub function: Function,
    /// Bit `n` for each release `RELEASES[n]` (super::sets) that declares it.
    pub releases: u8,
    /// Every symbol, the plain one first.
    pub symbols: BTreeSet<String>,
}

/// Types and constants that hold from one release on.
#[derive(Default)]
pub struct Old {
    pub types: Vec<Type>,
    pub constants: Vec<Constant>,
}

/// Unites what was read; oldest release first.
pub fn unite(all: &[Headers]) -> Result<Union> {
    let mut union = Union {
        functions: BTreeMap::new(),
        types: Vec::new(),
        constants: Vec::new(),
        old: BTreeMap::new(),
        layouts: BTreeMap::new(),
    };
    types(all, &mut union)?;
    constants(all, &mut union)?;
    functions(all, &mut union)?;
    Ok(union)
}

fn types(all: &[Headers], union: &mut Union) -> Result<()> {
    let mut problems = Vec::new();
    for headers in all {
        for item in &headers.types {
            if let Body::Record { .. } = item.body {
                union
                    .layouts
                    .entry(item.name.clone())
                    .or_default()
                    .push((headers.release.index(), item.clone()));
            }
        }
    }
    // The newest release first: its order is the file's order, older ones add what is gone.
    let mut at = BTreeMap::<String, usize>::new();
    for headers in all.iter().rev() {
        for item in &headers.types {
            let Some(&newest) = at.get(&item.name) else {
                at.insert(item.name.clone(), union.types.len());
                union.types.push(item.clone());
                continue;
            };
            let (newest, older) = (&mut union.types[newest], item);
            if newest.docs.is_none() {
                newest.docs.clone_from(&older.docs);
            }
            if !continues(&item.name, &older.body, &newest.body) && moved::layout(&item.name).is_none() {
                problems.push(format!("type {} differs in {}", item.name, headers.release.name));
            }
        }
    }
    for row in moved::LAYOUTS {
        // The layout that holds from `row.since` on is read from the first release at or after it.
        for &(since, until) in row.older {
            let source = all
                .iter()
                .rfind(|headers| headers.release.version >= since && headers.release.version < until);
            let Some(item) =
                source.and_then(|headers| headers.types.iter().find(|item| item.name == row.name))
            else {
                problems.push(format!("no headers with the layout of {} from {since:?} on", row.name));
                continue;
            };
            union.old.entry(since).or_default().types.push(item.clone());
        }
    }
    finish(problems)
}

/// Whether code that uses the newer declaration works on a runtime with the older one, apart from the rows of
/// [`moved`]: the same members at the same offsets, and the same size.
fn continues(name: &str, older: &Body, newer: &Body) -> bool {
    match (older, newer) {
        (Body::Record { layout: old, keyword: was, .. }, Body::Record { layout: new, keyword: is, .. }) => {
            was == is && same_layout(name, old, new)
        }
        // A type that became private.
        (Body::Record { .. } | Body::Opaque, Body::Opaque) | (Body::Opaque, Body::Record { .. }) => true,
        (Body::Enum(old), Body::Enum(new)) | (Body::Alias(old), Body::Alias(new)) => old == new,
        _ => false,
    }
}

fn same_layout(name: &str, old: &Layout, new: &Layout) -> bool {
    let grown = moved::GROWN.iter().any(|(row, _)| *row == name) && old.size < new.size;
    let kept = |member: &String, at: &usize| match new.offsets.get(member) {
        Some(now) => now == at || member.starts_with("reserved"),
        None => {
            member.starts_with("reserved")
                || moved::RENAMED.iter().any(|(row, old, _)| *row == name && old == member)
        }
    };
    old.align == new.align
        && (old.size == new.size || grown)
        && old.offsets.iter().all(|(member, at)| kept(member, at))
}

fn constants(all: &[Headers], union: &mut Union) -> Result<()> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for headers in all.iter().rev() {
        for item in &headers.constants {
            if moved::constant(item).is_none() && seen.insert(item.name.clone()) {
                union.constants.push(item.clone());
            }
        }
    }
    for headers in all {
        for item in &headers.constants {
            let border = moved::constant(item);
            let settled = union.constants.iter().find(|other| other.name == item.name);
            if border.is_none() && settled.is_some_and(|other| other.value != item.value) {
                problems.push(format!("constant {} differs in {}", item.name, headers.release.name));
            }
            let Some(row) = border else { continue };
            let Some(since) = row.since.iter().rev().find(|since| **since <= headers.release.version) else {
                problems.push(format!("constant {}: no row for {}", item.name, headers.release.name));
                continue;
            };
            let old = &mut union.old.entry(*since).or_default().constants;
            match old.iter().find(|other| other.name == item.name) {
                Some(other) if other.value == item.value => {}
                Some(_) => {
                    problems.push(format!("{} moved again before {}", item.name, headers.release.name))
                }
                None => old.push(item.clone()),
            }
        }
    }
    finish(problems)
}

fn functions(all: &[Headers], union: &mut Union) -> Result<()> {
    let mut problems = Vec::new();
    let aliases = aliases(all);
    for headers in all.iter().rev() {
        let bit = 1u8 << headers.release.index();
        for function in headers.functions.values() {
            let another = moved::another_function(&function.name, headers.release.version);
            let entry = union.functions.entry(function.name.clone()).or_insert_with(|| Entry {
                function: function.clone(),
                releases: 0,
                symbols: BTreeSet::new(),
            });
            if another {
                continue;
            }
            entry.releases |= bit;
            entry.symbols.insert(function.symbol.clone());
            if entry.function.docs.is_none() {
                entry.function.docs.clone_from(&function.docs);
            }
            let row = moved::PARAMETERS.iter().find(|row| row.function == function.name);
            if !same_call(&entry.function, function, &aliases) && row.is_none() {
                problems.push(format!("function {} differs in {}", function.name, headers.release.name));
            }
        }
    }
    for row in moved::PARAMETERS {
        if let Some(entry) = union.functions.get_mut(row.function) {
            for (name, ty) in &mut entry.function.params {
                if name == row.parameter {
                    "*const c_void".clone_into(ty);
                }
            }
        }
    }
    finish(problems)
}

/// What each typedef stands for.
pub fn aliases(all: &[Headers]) -> BTreeMap<&str, &str> {
    all.iter()
        .flat_map(|headers| &headers.types)
        .filter_map(|item| match &item.body {
            Body::Alias(target) => Some((item.name.as_str(), target.trim())),
            _ => None,
        })
        .collect()
}

/// Whether both declarations are called alike: the same registers, and pointers to alike things.
pub fn same_call(a: &Function, b: &Function, aliases: &BTreeMap<&str, &str>) -> bool {
    let class = |ty: &str| -> String {
        let mut words: Vec<&str> = ty.split_whitespace().collect();
        while let Some(target) = words.iter().enumerate().find_map(|(i, w)| aliases.get(w).map(|t| (i, *t))) {
            words.splice(target.0..=target.0, target.1.split_whitespace());
        }
        let plain: Vec<&str> = words.into_iter().filter(|w| !matches!(*w, "mut" | "const")).collect();
        let plain = plain.join(" ");
        moved::SAME.iter().find(|(old, _)| *old == plain).map_or(plain.clone(), |(_, new)| (*new).to_owned())
    };
    let ret = |f: &Function| f.ret.as_deref().map(class);
    a.params.len() == b.params.len()
        && ret(a) == ret(b)
        && a.params.iter().zip(&b.params).all(|(a, b)| class(&a.1) == class(&b.1))
}

fn finish(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!("the headers moved where moved.rs has no row:\n  {}", problems.join("\n  "))
}
