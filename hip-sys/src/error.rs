//! The two ways in which a runtime can be absent: no library, or a library without a function.

use std::fmt;
use std::sync::Arc;

/// A function that the loaded runtime does not export.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MissingSymbol {
    /// The C name.
    pub name: &'static str,
}

/// No HIP runtime could be loaded.
///
/// Cheap to clone: the result of [`Api::load`](crate::Api::load) is kept, and every caller gets the same one.
#[derive(Clone, Debug)]
pub struct LoadError {
    tried: Arc<[Attempt]>,
}

/// One attempt to load a library.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// The name or path that was given to the dynamic linker.
    pub path: String,
    /// Why this path was tried: the environment variable or the convention.
    pub why: &'static str,
    /// The dynamic linker's own message.
    pub message: String,
}

impl fmt::Display for MissingSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the HIP runtime does not export {}", self.name)
    }
}

impl std::error::Error for MissingSymbol {}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no HIP runtime was found; tried{}", List(&self.tried))
    }
}

impl std::error::Error for LoadError {}

impl LoadError {
    pub(crate) fn new(tried: Vec<Attempt>) -> Self {
        LoadError { tried: tried.into() }
    }

    /// What was tried, in order.
    #[must_use]
    pub fn tried(&self) -> &[Attempt] {
        &self.tried
    }
}

/// Prints one attempt a line.
struct List<'a>(&'a [Attempt]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(" nothing");
        }
        for Attempt { path, why, message } in self.0 {
            write!(f, "\n  {path} ({why}): {message}")?;
        }
        Ok(())
    }
}
