//! Bold words, on a terminal only.

use std::fmt;
use std::io::{self, IsTerminal};

/// A text that is bold where stdout is a terminal (and `NO_COLOR` is not set).
pub struct Bold<T>(pub T);

fn terminal() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl<T: fmt::Display> fmt::Display for Bold<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if terminal() { write!(f, "\x1b[1m{}\x1b[0m", self.0) } else { self.0.fmt(f) }
    }
}
