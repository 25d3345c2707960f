//! Graphs as text.

use super::Graph;
use crate::{Error, ErrorKind, Result};
use std::fmt::Write as _;
use std::path::Path;

impl Graph {
    /// The graph in the language of Graphviz, as `hipGraphDebugDotPrint` would write it, which older releases do not have:
    /// a node for each node, labelled with what it does.
    ///
    /// # Errors
    /// The failure of a call.
    #[doc(alias = "hipGraphDebugDotPrint")]
    pub fn to_dot(&self) -> Result<String> {
        let mut dot = String::from("digraph {\n    node [shape=box]\n");
        for (index, entry) in self.nodes.iter().enumerate() {
            let label = entry.label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(dot, "    n{index} [label=\"{label}\"]");
        }
        for (from, to) in self.edges()? {
            let _ = writeln!(dot, "    n{} -> n{}", from.index, to.index);
        }
        dot.push_str("}\n");
        Ok(dot)
    }

    /// Writes [`to_dot`](Self::to_dot) to a file.
    ///
    /// # Errors
    /// [`ErrorKind::File`], or the failure of a call.
    pub fn save_dot(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_dot()?)
            .map_err(|error| Error::new(ErrorKind::File, format!("cannot write {}: {error}", path.display())))
    }
}
