//! Driving `llvm-mc --disassemble`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What LLVM says of one instruction's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It decodes exactly these words, to this text.
    Text(String),
    /// It rejects them, or takes fewer words than given.
    Rejected,
    /// It crashes on them.
    Crashed,
}

/// Words in a chunk: LLVM dies on some words and takes its chunk along.
const CHUNK: usize = 2000;

fn binary() -> String {
    std::env::var("LLVM_MC").unwrap_or_else(|_| "llvm-mc-15".to_owned())
}

/// Whether LLVM 15 can be asked. Without it the caller skips, unless VEGA_REQUIRE_LLVM is set.
pub fn available() -> bool {
    let version = Command::new(binary()).arg("--version").output();
    match version {
        Ok(out) if String::from_utf8_lossy(&out.stdout).contains("LLVM version 15.") => true,
        found => {
            let problem = match found {
                Ok(_) => format!("{} is not LLVM 15", binary()),
                Err(error) => format!("{}: {error}", binary()),
            };
            assert!(
                std::env::var_os("VEGA_REQUIRE_LLVM").is_none(),
                "{problem}; install llvm-15 or unset VEGA_REQUIRE_LLVM"
            );
            eprintln!("SKIPPED: {problem}; the comparison with LLVM did not run");
            false
        }
    }
}

/// Asks LLVM about each item, on all cores.
pub fn ask<T: AsRef<[u32]> + Sync>(items: &[T]) -> Vec<Answer> {
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    let answers = Mutex::new(vec![Vec::new(); chunks.len()]);
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(chunks.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(chunk) = chunks.get(i) else { break };
                    let answer = ask_chunk(chunk);
                    answers.lock().expect("no thread panics while it holds this")[i] = answer;
                }
            });
        }
    });
    answers.into_inner().expect("no thread panics while it holds this").concat()
}

/// One chunk; halves it until the words that kill LLVM stand alone.
fn ask_chunk<T: AsRef<[u32]>>(items: &[T]) -> Vec<Answer> {
    match run(items) {
        Some(answers) => answers,
        None if items.len() == 1 => vec![Answer::Crashed],
        None => {
            let (a, b) = items.split_at(items.len() / 2);
            let mut answers = ask_chunk(a);
            answers.extend(ask_chunk(b));
            answers
        }
    }
}

/// Between instructions stands a `s_mov_b32` with the index, so that output lines find their input.
const MARK: u32 = 0x5e00_0000;
const MARK_TEXT: &str = "s_mov_b32 s0, 0x5e";

fn run<T: AsRef<[u32]>>(items: &[T]) -> Option<Vec<Answer>> {
    let mut input = String::new();
    for (i, item) in items.iter().enumerate() {
        line(&mut input, item.as_ref());
        line(&mut input, &[0xbe80_00ff, MARK | i as u32]);
    }
    let mut child = Command::new(binary())
        .args(["--disassemble", "--arch=amdgcn", "-mcpu=gfx900"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("llvm-mc ran a moment ago");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let writer = std::thread::spawn(move || {
        // A crash of llvm-mc closes the pipe: that is told by its status.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().expect("llvm-mc can be waited for");
    writer.join().expect("the writer does not panic");
    // Exit code 1 tells of rejected words, a signal has no code.
    output.status.code()?;
    let rejected = rejected_lines(&String::from_utf8_lossy(&output.stderr));
    let mut answers = Vec::with_capacity(items.len());
    let mut lines: Vec<String> = Vec::new();
    for text in String::from_utf8_lossy(&output.stdout).lines() {
        let text = text.split(';').next().unwrap_or_default().trim();
        if text.is_empty() || text == ".text" {
            continue;
        }
        if text.starts_with(MARK_TEXT) {
            let whole = lines.len() == 1 && !rejected.contains(&(answers.len() * 2 + 1));
            answers.push(if whole { Answer::Text(lines.remove(0)) } else { Answer::Rejected });
            lines.clear();
        } else {
            lines.push(text.to_owned());
        }
    }
    assert_eq!(answers.len(), items.len(), "llvm-mc's output has another form than expected");
    Some(answers)
}

fn line(input: &mut String, words: &[u32]) {
    input.push('[');
    for byte in words.iter().flat_map(|w| w.to_le_bytes()) {
        write!(input, "{byte:#04x} ").expect("writing to a string");
    }
    input.push_str("]\n");
}

/// Line numbers (from 1) in `<stdin>:LINE:COLUMN: warning: invalid instruction encoding`.
fn rejected_lines(stderr: &str) -> std::collections::HashSet<usize> {
    stderr
        .lines()
        .filter_map(|l| {
            l.strip_prefix("<stdin>:")?.split_once(": warning")?.0.split(':').next()?.parse().ok()
        })
        .collect()
}
