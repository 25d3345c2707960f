//! Where the dynamic linker looks for libraries: its configuration, read as ldconfig reads it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are searched whatever the configuration says.
const DEFAULT: &[&str] =
    &["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// How deep configuration files may include each other.
const DEEPEST: u32 = 8;

/// The folders of /etc/ld.so.conf and its includes, then the default ones; only those that exist, each once.
pub fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    read_configuration(Path::new("/etc/ld.so.conf"), 0, &mut folders);
    folders.extend(DEFAULT.iter().map(PathBuf::from));
    let mut seen = HashSet::new();
    folders.retain(|folder| folder.canonicalize().is_ok_and(|real| real.is_dir() && seen.insert(real)));
    folders
}

fn read_configuration(file: &Path, depth: u32, folders: &mut Vec<PathBuf>) {
    if depth > DEEPEST {
        return;
    }
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line.strip_prefix("include ") {
            let pattern = Path::new("/etc").join(pattern.trim());
            for file in expand(&pattern) {
                read_configuration(&file, depth + 1, folders);
            }
        } else if line.starts_with('/') {
            folders.push(PathBuf::from(line));
        }
    }
}

/// The files that a pattern with one star in its last part names, in order.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    let Some((start, end)) = name.split_once('*') else { return vec![pattern.to_path_buf()] };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let matches = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        })
    };
    let mut files: Vec<PathBuf> = entries.filter(matches).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_a_star_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.conf", "a.conf", "c.txt"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let names = |pattern: &str| -> Vec<String> {
            let files = expand(&folder.path().join(pattern));
            files.iter().filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
        };
        assert_eq!(names("*.conf"), ["a.conf", "b.conf"]);
        assert_eq!(names("c.txt"), ["c.txt"]);
    }

    #[test]
    fn follows_includes_and_leaves_comments_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        fs::write(file("one"), "# no\n/opt/a # why\nrelative\n").expect("written");
        fs::write(file("top"), format!("/opt/b\ninclude {}\n", file("one").display())).expect("written");
        let mut folders = Vec::new();
        read_configuration(&file("top"), 0, &mut folders);
        assert_eq!(folders, [PathBuf::from("/opt/b"), PathBuf::from("/opt/a")]);
    }
}
