//! What a test needs of the machine.

use std::io::Write;

/// Says that a test cannot run here. It then passes, loudly, unless `variable` is 1, as it is in CI: there it fails.
pub fn not_here(variable: &str, reason: &str) {
    assert!(std::env::var(variable).map_or(true, |value| value != "1"), "{variable} is set, and {reason}");
    // Not by `eprintln!`: the test harness shows what that prints only when a test fails.
    let note = format!("SKIPPED: {reason} (set {variable}=1 to make this a failure)\n");
    std::io::stderr().write_all(note.as_bytes()).expect("stderr can be written");
}
