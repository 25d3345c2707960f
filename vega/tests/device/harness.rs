//! Compiles the programs beside this test, and runs them on the virtual card.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The command under test.
pub const VEGA: &str = env!("CARGO_BIN_EXE_vega");

/// A lost completion makes ROCm's runtime wait for ever: every run has a limit.
const LIMIT: Duration = Duration::from_secs(120);

/// A finished run.
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Run {
    /// Fails unless the program ended well.
    #[track_caller]
    pub fn ok(self) -> Run {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }

    /// Fails unless the program failed by its own judgement.
    #[track_caller]
    pub fn fails(self) -> Run {
        assert_eq!(self.status.code(), Some(1), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }
}

/// A program of `tests/programs`, compiled once per test run.
pub fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static DONE: Mutex<Option<HashMap<String, Arc<OnceLock<PathBuf>>>>> = Mutex::new(None);
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    let cell = {
        let mut done = DONE.lock().unwrap();
        Arc::clone(done.get_or_insert_default().entry(name.to_owned()).or_default())
    };
    cell.get_or_init(|| compile(name, folder.path())).clone()
}

/// What distinguishes a program from what its source is compiled to otherwise: its name, its source, more flags.
struct Variant(&'static str, &'static str, &'static [&'static str]);

const VARIANTS: &[Variant] =
    &[Variant("faulty", "faulty", &["-g"]), Variant("faulty-compressed", "faulty", &["-g", "-gz"])];

/// The source of a program.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name).with_extension("hip")
}

fn compile(name: &str, folder: &Path) -> PathBuf {
    let variant = VARIANTS.iter().find(|Variant(program, ..)| *program == name);
    let (from, flags) = variant.map_or((name, &[][..]), |Variant(_, from, flags)| (*from, *flags));
    let source = source(from);
    let program = folder.join(name);
    let output = Command::new("hipcc")
        .args(["--offload-arch=gfx900", "-O2", "-pthread"])
        .args(flags)
        .arg("-o")
        .args([&program, &source])
        .output()
        .expect("hipcc: `cargo xtask test` installs it");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Runs a command on the virtual card, with these variables.
pub fn vega_run(command: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut vega = Command::new(VEGA);
    vega.args(["run", "--"]).args(command);
    run(vega, variables)
}

/// Runs a compiled program on the virtual card, with these arguments and variables.
pub fn on_card(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let program = program(name);
    let mut command = vec![program.to_str().expect("a temporary folder with a plain name")];
    command.extend(arguments);
    vega_run(&command, variables)
}

/// Runs a command under the limit.
pub fn run(mut command: Command, variables: &[(&str, &str)]) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["LD_PRELOAD", "VEGA_CONTROL", "HIP_VISIBLE_DEVICES"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let output = limited(command.spawn().expect("the command starts"), &command);
    Run {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn limited(mut child: Child, command: &Command) -> Output {
    let collect = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                stream.read_to_end(&mut bytes).expect("a pipe can be read");
            }
            bytes
        })
    };
    let stdout = collect(child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
    let stderr = collect(child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
    let end = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().expect("the child can be waited for") {
            Some(status) => break status,
            None if Instant::now() > end => {
                child.kill().expect("the child can be killed");
                child.wait().expect("the child can be waited for");
                panic!("{command:?} hangs");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    Output {
        status,
        stdout: stdout.join().expect("the reader ends"),
        stderr: stderr.join().expect("the reader ends"),
    }
}
