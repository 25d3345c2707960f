//! The dependency files that `clang -MD -MF` writes, in the syntax of make.

use std::collections::HashSet;
use std::path::PathBuf;
use std::{fs, io};

/// The prerequisites of the first rule of each file, each once.
pub(crate) fn read(files: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for file in files {
        names.extend(prerequisites(&fs::read_to_string(file)?));
    }
    // By their first place: the source comes first.
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

/// The prerequisites of the first rule.
///
/// clang escapes a space, a hash sign and a backslash before them with a backslash, and a dollar sign by doubling it;
/// a backslash at the end of a line continues it.
fn prerequisites(text: &str) -> Vec<PathBuf> {
    let rule = text.split_once(": ").map_or(text, |(_, rest)| rest);
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut chars = rule.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\n')) => {
                chars.next();
                push(&mut names, &mut name);
            }
            ('\\', Some(&escaped @ (' ' | '#' | '\\'))) => {
                chars.next();
                name.push(escaped);
            }
            ('$', Some('$')) => {
                chars.next();
                name.push('$');
            }
            ('\n', _) => break,
            (' ' | '\t' | '\r', _) => push(&mut names, &mut name),
            (c, _) => name.push(c),
        }
    }
    push(&mut names, &mut name);
    names
}

fn push(names: &mut Vec<PathBuf>, name: &mut String) {
    if !name.is_empty() {
        names.push(std::mem::take(name).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_and_continued_lines() {
        let text = "out.co: a.hip \\\n  /usr/include/hip/x.h dir\\ with\\ spaces/b.h \\\n  cost$$.h a\\#b.h\nother: c\n";
        let names = prerequisites(text);
        assert_eq!(
            names,
            ["a.hip", "/usr/include/hip/x.h", "dir with spaces/b.h", "cost$.h", "a#b.h"].map(PathBuf::from)
        );
        assert!(prerequisites("out.co:\n").is_empty() || prerequisites("out.co: \n").is_empty());
    }
}
