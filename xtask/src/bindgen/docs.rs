//! Doxygen comments of the headers, as Markdown that rustdoc accepts.

/// Commands that only sort Doxygen's own pages.
const SORTING: [&str; 8] = ["ingroup", "addtogroup", "defgroup", "{", "}", "endif", "elseif", "cond"];

/// Commands that open a paragraph of their own, and what stands before it here.
const PARAGRAPHS: [(&str, &str); 13] = [
    ("returns", "Returns: "),
    ("return", "Returns: "),
    ("retval", "Returns "),
    ("see", "See also: "),
    ("sa", "See also: "),
    ("warning", "**Warning:** "),
    ("note", "**Note:** "),
    ("bug", "**Bug:** "),
    ("deprecated", "**Deprecated:** "),
    ("details", ""),
    ("remarks", ""),
    ("remark", ""),
    ("todo", "**Not done:** "),
];

/// Turns a Doxygen comment into Markdown; `None` when nothing is left of it.
pub fn markdown(comment: &str) -> Option<String> {
    let mut out = Vec::<String>::new();
    let mut in_code = false;
    let mut in_list = false;
    for line in comment.lines() {
        // `///<` documents what stands before it.
        let line = line.trim().trim_start_matches('<').trim_start();
        // A comment of a section, run together with the one of what follows it.
        let line = match line.strip_prefix("/**") {
            Some(rest) => {
                out.clear();
                rest.trim_start()
            }
            None => line,
        };
        let line = if line.bytes().all(|byte| matches!(byte, b'/' | b'*' | b'-')) { "" } else { line };
        let (command, rest) = command(line);
        if in_code {
            if matches!(command, Some("endcode" | "endverbatim")) {
                in_code = false;
                out.extend(["```".to_owned(), String::new()]);
            } else {
                out.push(line.to_owned());
            }
            continue;
        }
        match command {
            Some("code" | "verbatim") => {
                in_code = true;
                in_list = false;
                out.extend([String::new(), "```text".to_owned()]);
            }
            Some("brief" | "ref" | "p" | "c" | "a" | "endcode" | "endverbatim") | None if !in_list => {
                push_text(&mut out, if command == Some("brief") { rest } else { line });
            }
            Some("brief") => out.extend([String::new(), prose(rest)]),
            Some("param" | "params" | "tparam") => {
                if !in_list {
                    out.push(String::new());
                }
                in_list = true;
                out.push(parameter(rest));
            }
            Some(word) if SORTING.contains(&word) => {}
            Some(word) => match PARAGRAPHS.iter().find(|(name, _)| *name == word) {
                Some((_, prefix)) => {
                    in_list = false;
                    out.extend([String::new(), format!("{prefix}{}", prose(rest))]);
                }
                None => push_text(&mut out, line),
            },
            None if line.is_empty() => {
                in_list = false;
                out.push(String::new());
            }
            // The continuation of a parameter.
            None => out.push(format!("  {}", prose(line))),
        }
    }
    if in_code {
        out.push("```".to_owned());
    }
    tidy(out)
}

/// Splits `@word rest`; `\word` is the same.
fn command(line: &str) -> (Option<&str>, &str) {
    let Some(rest) = line.strip_prefix(['@', '\\']) else { return (None, line) };
    if let Some(brace) = rest.get(..1).filter(|c| matches!(*c, "{" | "}")) {
        return (Some(brace), rest.get(1..).unwrap_or_default());
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    (Some(word), rest.trim_start())
}

fn push_text(out: &mut Vec<String>, line: &str) {
    // A heading or a rule in a comment would upset the page that it lands in.
    let line = line.trim_start_matches(['#', '=']).trim_start();
    out.push(prose(line));
}

/// `[in] name - text` as one item of a list.
fn parameter(rest: &str) -> String {
    let (direction, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((direction, rest)) => (Some(direction.replace(' ', "")), rest.trim_start()),
        None => (None, rest),
    };
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, text) = rest.split_at(end);
    let text = text.trim_start_matches([' ', '-', ':', '.', ',']);
    let direction = direction.map(|direction| format!(" ({direction})")).unwrap_or_default();
    format!("- `{name}`{direction}: {}", prose(text)).trim_end_matches([' ', ':']).to_owned()
}

/// One line of running text: Markdown's own characters escaped, addresses in angle brackets.
fn prose(line: &str) -> String {
    let mut out = String::new();
    // The two formulas of the headers.
    let line = line.replace("\\f$", "").replace("\\cdot", "*").replace("\\geq", ">=");
    for (index, word) in line.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        match word.find("http://").or_else(|| word.find("https://")) {
            Some(start) => {
                let tail = word.get(start..).unwrap_or_default();
                let len = tail.find([')', ']', '>', '"', ',']).unwrap_or(tail.len());
                let (address, after) = tail.split_at(len);
                let dot = address.len() - address.trim_end_matches('.').len();
                let (address, dots) = address.split_at(address.len() - dot);
                out.push_str(&escape(word.get(..start).unwrap_or_default()));
                out.push_str(&format!("<{address}>{dots}"));
                out.push_str(&escape(after));
            }
            None => out.push_str(&escape(word)),
        }
    }
    out.trim_end().to_owned()
}

fn escape(word: &str) -> String {
    if matches!(word, "@p" | "@ref" | "@c" | "@a" | "\\p" | "\\ref" | "@see" | "@brief") {
        return String::new();
    }
    if word == "@warning" {
        return "**Warning:**".to_owned();
    }
    // `#name` and `::name` are Doxygen's links.
    let word = match word.strip_prefix('#') {
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name,
        _ => word,
    };
    let mut out = String::new();
    for c in word.chars() {
        if matches!(c, '[' | ']' | '<' | '>' | '*' | '`' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Joins the lines without empty ones at the ends or in pairs.
fn tidy(lines: Vec<String>) -> Option<String> {
    let mut out = Vec::<String>::new();
    for line in lines {
        if !(line.trim().is_empty() && out.last().is_none_or(|last| last.trim().is_empty())) {
            out.push(line.trim_end().to_owned());
        }
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    (!out.is_empty()).then(|| out.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn doxygen_becomes_markdown() {
        let got = markdown(
            " @brief Copies <n> bytes.\n\n @param [in] src - where a[0] is\n  and more\n @param[out] dst\n\n @returns #hipSuccess, see https://example.org/x_y.\n @{",
        );
        let want = "Copies \\<n\\> bytes.\n\n- `src` (in): where a\\[0\\] is\n  and more\n- `dst` (out)\n\nReturns: hipSuccess, see <https://example.org/x_y>.";
        assert_eq!(got.as_deref(), Some(want));
    }

    #[test]
    fn comments_that_only_sort_pages_vanish() {
        assert_eq!(markdown(" @}\n @addtogroup Device\n @{"), None);
    }

    #[test]
    fn a_sections_comment_is_dropped() {
        let got = markdown(" ------\n @defgroup X\n This section is about X.\n\n/**\n @brief Does X.");
        assert_eq!(got.as_deref(), Some("Does X."));
    }

    #[test]
    fn code_is_fenced_as_text() {
        assert_eq!(
            markdown("Use:\n @code\n   a[i]++;\n @endcode").as_deref(),
            Some("Use:\n\n```text\na[i]++;\n```")
        );
    }
}
