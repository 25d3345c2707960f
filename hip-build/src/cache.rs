//! Results are reused while the contents of everything they were made of stay the same.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The record beside a result: its key.
pub(crate) struct Record {
    path: PathBuf,
}

impl Record {
    pub(crate) fn beside(result: &Path) -> Self {
        Self { path: result.with_extension("key") }
    }

    /// Whether the results were made by the same command from the same contents and are all still there.
    pub(crate) fn is_current(
        &self,
        command: &str,
        inputs: &[PathBuf],
        base: &Path,
        results: &[PathBuf],
    ) -> bool {
        let Ok(recorded) = fs::read_to_string(&self.path) else { return false };
        results.iter().all(|result| result.is_file())
            && key(command, inputs, base, results).is_some_and(|key| key == recorded)
    }

    /// Records the results of a compile that just ended.
    pub(crate) fn write(
        &self,
        command: &str,
        inputs: &[PathBuf],
        base: &Path,
        results: &[PathBuf],
    ) -> std::io::Result<()> {
        match key(command, inputs, base, results) {
            Some(key) => fs::write(&self.path, key),
            // An input vanished meanwhile: without a record the next build compiles again.
            None => fs::remove_file(&self.path).or(Ok(())),
        }
    }
}

/// A text that changes when the command, the contents of an input or a result change; `None` if one cannot be read.
///
/// The results are part of it, so that a result that was damaged or replaced is made anew.
fn key(command: &str, inputs: &[PathBuf], base: &Path, results: &[PathBuf]) -> Option<String> {
    let mut text = format!("{:016x}", hash(&command));
    for path in inputs.iter().chain(results) {
        let contents = fs::read(base.join(path)).ok()?;
        let _ = write!(text, "\n{:016x} {}", hash(&contents), path.display());
    }
    Some(text)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
