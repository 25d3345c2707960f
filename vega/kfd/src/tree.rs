//! Which path is whose: the filter in front of `open`, `stat` and the like.
//!
//! The filter takes no lock and allocates only for paths that are ours.

use crate::spec::{self, CardSpec};
use crate::topology;

/// What stands at one of our paths.
#[derive(Debug, PartialEq, Eq)]
pub enum Node {
    /// `/dev/kfd`.
    Kfd,
    /// `/dev/dri/renderD…`.
    Render(CardSpec),
    /// A file with this content.
    File(String),
    /// A directory with these names; true marks directories.
    Dir(Vec<(String, bool)>),
    /// Ours, and there is nothing.
    Missing,
}

/// Directories that are ours with all that is below them, and where they lie in the one tree.
const ROOTS: &[(&str, &[&str])] = &[
    ("/sys/devices/virtual/kfd", &["kfd"]),
    ("/sys/class/kfd", &["kfd"]),
    ("/sys/module/amdgpu", &["module"]),
];

/// The node at `path`, or `None` when the path is none of ours.
pub fn resolve(path: &[u8]) -> Option<Node> {
    match path.get(..5)? {
        b"/dev/" => device(path),
        b"/sys/" => sysfs(path),
        _ => None,
    }
}

fn device(path: &[u8]) -> Option<Node> {
    if path == b"/dev/kfd" {
        return Some(if crate::config::get().gpus == 0 { Node::Missing } else { Node::Kfd });
    }
    let minor = path.strip_prefix(b"/dev/dri/renderD")?;
    let minor: u32 = std::str::from_utf8(minor).ok()?.parse().ok()?;
    spec::by_render_minor(minor).map(Node::Render)
}

fn sysfs(path: &[u8]) -> Option<Node> {
    let (root, below) = ROOTS.iter().find_map(|(prefix, root)| {
        let rest = path.strip_prefix(prefix.as_bytes())?;
        (rest.is_empty() || rest.starts_with(b"/")).then_some((root, rest))
    })?;
    let Ok(below) = std::str::from_utf8(below) else { return Some(Node::Missing) };
    let mut parts: Vec<&str> = root.to_vec();
    for part in below.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    Some(entry(&parts))
}

fn entry(parts: &[&str]) -> Node {
    let dir = |names: &[&str], is_dir| Node::Dir(names.iter().map(|n| ((*n).to_owned(), is_dir)).collect());
    match parts {
        ["kfd"] => dir(&["kfd"], true),
        ["kfd", "kfd"] => dir(&["topology"], true),
        ["kfd", "kfd", "topology", below @ ..] => match topology::lookup(below) {
            Some(topology::Entry::File(text)) => Node::File(text),
            Some(topology::Entry::Dir(names)) => Node::Dir(names),
            None => Node::Missing,
        },
        ["module"] => dir(&["initstate", "version"], false),
        ["module", "initstate"] => Node::File("live\n".to_owned()),
        ["module", "version"] => Node::File("6.0.0\n".to_owned()),
        _ => Node::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_paths_are_ours() {
        for path in ["", "/", "/dev", "/dev/null", "/dev/kfdx", "/sys/class/kfdx", "/etc/passwd", "kfd"] {
            assert_eq!(resolve(path.as_bytes()), None, "{path}");
        }
        for path in ["/dev/dri/renderD127", "/dev/dri/renderD129", "/dev/dri/card0", "/dev/dri/renderD"] {
            assert_eq!(resolve(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn both_names_of_the_topology_lead_to_it() {
        for root in ["/sys/class/kfd/kfd", "/sys/devices/virtual/kfd/kfd"] {
            for path in
                ["topology/nodes/1/gpu_id", "topology//nodes/./1/gpu_id", "topology/nodes/0/../1/gpu_id"]
            {
                let path = format!("{root}/{path}");
                assert_eq!(resolve(path.as_bytes()), Some(Node::File("6699\n".into())), "{path}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_missing_and_not_the_hosts() {
        assert_eq!(resolve(b"/sys/class/kfd/kfd/topology/nodes/7"), Some(Node::Missing));
        assert_eq!(resolve(b"/sys/module/amdgpu/parameters"), Some(Node::Missing));
    }

    #[test]
    fn devices() {
        assert_eq!(resolve(b"/dev/kfd"), Some(Node::Kfd));
        assert_eq!(resolve(b"/dev/dri/renderD128"), Some(Node::Render(spec::card(0))));
    }
}
