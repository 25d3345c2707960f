//! Rust identifiers out of C++ names.

use std::collections::HashSet;

/// The words that Rust keeps for itself (the Rust Reference, "Keywords", strict and reserved, edition 2024).
static KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that cannot even be written with `r#`.
static UNUSABLE: &[&str] = &["_", "self", "Self", "super", "crate"];

/// `name` as an identifier: keywords become raw, and the dollar sign, which clang allows in names, an underscore.
pub(crate) fn identifier(name: &str) -> String {
    if name.contains('$') {
        name.replace('$', "_")
    } else if UNUSABLE.contains(&name) {
        format!("{name}_")
    } else if KEYWORDS.contains(&name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// The words of a C++ name: split at everything that is no letter and no digit, and where a capital follows a small letter.
/// Letters are those of Unicode: C++ allows them in names, and so does Rust.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    let is_part = |c: char| c.is_alphabetic() || c.is_ascii_digit();
    for c in name.chars() {
        let starts = !is_part(last) || (last.is_lowercase() && c.is_uppercase());
        if is_part(c) {
            match words.last_mut() {
                Some(word) if !starts => word.push(c),
                _ => words.push(c.to_string()),
            }
        }
        last = c;
    }
    words
}

fn not_a_digit_first(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// `outer::scale<float, 3>` as `outer_scale_float_3`.
pub(crate) fn snake(name: &str) -> String {
    let words: Vec<_> = words(name).iter().map(|word| word.to_lowercase()).collect();
    not_a_digit_first(words.join("_"))
}

/// `outer::scale<float, 3>` as `OuterScaleFloat3`.
pub(crate) fn camel(name: &str) -> String {
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    let name: String = words(name).iter().map(capital).collect();
    not_a_digit_first(if name.is_empty() { "Unnamed".into() } else { name })
}

/// `SomeValue` as `SOME_VALUE`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// Names that are taken; asking for one that is gives it a number.
#[derive(Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    pub(crate) fn reserved(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Takes `name`, or with `_2`, `_3` at its end, and returns it as an identifier.
    pub(crate) fn take(&mut self, name: &str) -> String {
        // C++ allows names that are underscores alone.
        let name = if name.is_empty() { "unnamed" } else { name };
        let mut free = name.to_owned();
        let mut number = 1u32;
        while !self.0.insert(free.clone()) {
            number += 1;
            // In a type's name the underscore would be a lint.
            let camel = name.starts_with(char::is_uppercase);
            free = if camel { format!("{name}{number}") } else { format!("{name}_{number}") };
        }
        identifier(&free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        for (name, expected_snake, expected_camel) in [
            ("saxpy", "saxpy", "Saxpy"),
            ("gemm_tile16", "gemm_tile16", "GemmTile16"),
            ("outer::inner::bump", "outer_inner_bump", "OuterInnerBump"),
            ("scale<float, 3>", "scale_float_3", "ScaleFloat3"),
            ("addVectors", "add_vectors", "AddVectors"),
            ("_hidden_", "hidden", "Hidden"),
            ("3d", "_3d", "_3d"),
            ("größeX", "größe_x", "GrößeX"),
            ("α", "α", "Α"),
        ] {
            assert_eq!((snake(name).as_str(), camel(name).as_str()), (expected_snake, expected_camel));
        }
        assert_eq!((identifier("type"), identifier("self")), ("r#type".to_owned(), "self_".to_owned()));
        assert_eq!(identifier("a$b"), "a_b");
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::reserved(&["load"]);
        let given: Vec<_> = ["load", "bump", "bump", "bump", "Bump", "Bump", ""]
            .iter()
            .map(|name| names.take(name))
            .collect();
        assert_eq!(given, ["load_2", "bump", "bump_2", "bump_3", "Bump", "Bump2", "unnamed"]);
    }
}
