//! `cargo xtask packaging`: builds and installs as distributions do, and runs the snippets of `smoke/` with the
//! distributions' own tools.
//!
//! The build runs as `nobody`, without a network, from a copy of the tree with vendored sources, in a folder that is
//! removed at the end.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::cargo::{cargo, root, target_folder};
use crate::process::{self, Finished, tail};
use crate::report::{Report, Verdict};
use crate::setup::is_root;
use crate::{glibc, snippets};

/// The longest that the build may take: everything from source, on a machine that does other things.
const LIMIT: Duration = Duration::from_secs(3600);

/// What a build has: no network (a namespace of its own), no rights (nobody's ids), nothing of the caller's
/// environment. `$1` is the compiler's folder, which may lie in a home that nobody may enter; `$2` the work folder,
/// `$3` the commands. PoCL, which `cargo xtask bench` installs, is out of sight: Debian 12's and comgr really abort each other
/// in one process, so a snippet would fail for that and for nothing else.
const FRAME: &str = r#"
set -e
mount --bind "$1" "$2/toolchain"
for file in /usr/lib/*/libpocl.so*; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then mount --bind /dev/null "$file"; fi
done
if [ -d /etc/OpenCL/vendors ]; then mount -t tmpfs tmpfs /etc/OpenCL/vendors; fi
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --no-new-privs env --ignore-environment \
    PATH="$2/image/usr/bin:$2/toolchain/bin:/usr/local/bin:/usr/bin:/bin" W="$2" HOME="$2/home" TMPDIR="$2/tmp" \
    CARGO_HOME="$2/home/cargo" LC_ALL=C.UTF-8 USER=nobody bash -ec "cd $2/source && $3"
"#;

/// Every file of the installation below `/usr`, and its mode.
const FILES: &[(&str, u32)] = &[
    ("bin/hip-smoke", 0o755),
    ("bin/vega", 0o755),
    ("share/bash-completion/completions/hip-smoke", 0o644),
    ("share/bash-completion/completions/vega", 0o644),
    ("share/fish/vendor_completions.d/hip-smoke.fish", 0o644),
    ("share/fish/vendor_completions.d/vega.fish", 0o644),
    ("share/man/man1/hip-smoke.1", 0o644),
    ("share/man/man1/vega.1", 0o644),
    ("share/zsh/site-functions/_hip-smoke", 0o644),
    ("share/zsh/site-functions/_vega", 0o644),
];

/// Commands that must succeed after the installation, in `$W/image/usr`.
const READERS: &[(&str, &str)] = &[
    ("programs start", "vega --version && hip-smoke --version && test \"$(hip-smoke --list | wc -l)\" = 30"),
    ("mandoc reads the manual pages", "mandoc -T lint -W error $W/image/usr/share/man/man1/*.1"),
    ("the manual pages name every option", MANUALS),
    (
        "bash reads its completions",
        "for f in $W/image/usr/share/bash-completion/completions/*; do bash -n $f; done",
    ),
    ("bash completes options", COMPLETES),
    ("zsh reads its completions", "for f in $W/image/usr/share/zsh/site-functions/_*; do zsh -n $f; done"),
    (
        "fish reads its completions",
        "for f in $W/image/usr/share/fish/vendor_completions.d/*; do fish -n $f; done",
    ),
];

/// Each long option of `--help` stands in the manual, those of commands, too.
const MANUALS: &str = r#"for c in vega 'vega run' 'vega disasm' hip-smoke 'hip-smoke chroot'; do
    p=${c%% *}
    mandoc -T ascii $W/image/usr/share/man/man1/$p.1 | sed 's/.\x08//g' > $W/tmp/$p.txt
    for option in $($c --help | grep -o -- '^ *\(-., \)\?--[a-z-]*' | grep -o -- '--.*'); do
        grep -q -- "$option" $W/tmp/$p.txt || { echo "$p.1 lacks $option"; exit 1; }
    done
done"#;

/// What bash offers after `hip-smoke --ro`.
const COMPLETES: &str = r#"source $W/image/usr/share/bash-completion/completions/hip-smoke
COMP_WORDS=(hip-smoke --ro) COMP_CWORD=1 COMP_LINE="hip-smoke --ro" COMP_POINT=14
_hip__smoke hip-smoke --ro hip-smoke && test "${COMPREPLY[0]}" = --root"#;

/// A folder in which nobody builds.
pub struct Place {
    folder: tempfile::TempDir,
    toolchain: PathBuf,
    logs: PathBuf,
}

impl Place {
    /// Makes the folder, with a copy of the tree and the sources of every dependency.
    fn new() -> anyhow::Result<Self> {
        ensure!(is_root(), "it becomes another user and leaves the network: run it as root");
        let folder = tempfile::Builder::new().prefix("packaging.").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        for name in ["source", "home", "tmp", "image", "toolchain"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let compiler = Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output()?;
        let toolchain = PathBuf::from(String::from_utf8_lossy(&compiler.stdout).trim());
        ensure!(toolchain.join("bin/cargo").is_file(), "{} has no cargo", toolchain.display());
        Ok(Self { folder, toolchain, logs: target_folder()?.join("packaging-logs") })
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies the files that belong to the project.
    fn copy_tree(&self) -> anyhow::Result<usize> {
        let list = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .context("cannot run git")?;
        ensure!(list.status.success(), "git ls-files: {}", list.status);
        let names = String::from_utf8_lossy(&list.stdout).into_owned();
        let mut count = 0;
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            let (from, to) = (root().join(name), self.path("source").join(name));
            if !from.is_file() {
                continue;
            }
            fs::create_dir_all(to.parent().context("a file without a folder")?)?;
            fs::copy(&from, &to).with_context(|| format!("cannot copy {name}"))?;
            count += 1;
        }
        Ok(count)
    }

    /// Vendors the dependencies: the one step with a network. What cargo prints goes into the copy's configuration.
    fn vendor(&self) -> anyhow::Result<usize> {
        let vendored = self.path("source/vendor");
        let output =
            cargo().args(["vendor", "--locked"]).arg(&vendored).output().context("cannot run cargo")?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo vendor: {}\n{}", output.status, tail(&told, 20));
        let mut configuration =
            File::options().create(true).append(true).open(self.path("source/.cargo/config.toml"))?;
        configuration.write_all(&output.stdout)?;
        let crates = fs::read_dir(&vendored)?.count();
        for name in ["source", "home", "tmp", "image"] {
            self.give_away(name)?;
        }
        Ok(crates)
    }

    /// Makes nobody the owner.
    pub fn give_away(&self, name: &str) -> anyhow::Result<()> {
        let status = Command::new("chown").args(["-R", "65534:65534"]).arg(self.path(name)).status()?;
        ensure!(status.success(), "chown: {status}");
        Ok(())
    }

    /// Runs shell commands as nobody, without a network, in the copy of the tree.
    pub fn nobody(&self, name: &str, script: &str) -> anyhow::Result<Finished> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "bash", "-c", FRAME, "bash"]);
        command.arg(&self.toolchain).arg(self.folder.path()).arg(script);
        self.run(name, &mut command)
    }

    /// Runs a command under the limit; its output is kept.
    pub fn run(&self, name: &str, command: &mut Command) -> anyhow::Result<Finished> {
        let log = self.logs.join(format!("{}.log", name.replace([' ', '/'], "-")));
        process::run(command, LIMIT, &log).with_context(|| format!("cannot run {name}"))
    }
}

/// Passed with its last line when it succeeded.
pub fn judge(done: &Finished) -> Verdict {
    if done.end.success() {
        Verdict::Passed(tail(done.output.trim(), 1))
    } else {
        Verdict::Failed(format!("{}\n{}", done.end, tail(&done.output, 40)))
    }
}

/// Builds, installs, reads what was installed, runs the snippets; says whether everything holds.
pub fn run() -> anyhow::Result<bool> {
    let place = Place::new()?;
    let mut report = Report::new();
    let group = "build";
    let ready = report
        .step(group, "copy of the tree", || Ok(Verdict::Passed(format!("{} files", place.copy_tree()?))))
        && report.step(group, "cargo vendor", || Ok(Verdict::Passed(format!("{} crates", place.vendor()?))))
        && report.step(group, "neither a network nor rights", || {
            let alone =
                "test $(id -u) = 65534 && ! grep -q '^[^I]' /proc/net/route && ! touch /etc/written 2>&1";
            Ok(judge(&place.nobody("alone", alone)?))
        })
        && report.step(group, "cargo xtask install --offline", || {
            let script = "cargo xtask install --prefix /usr --destdir $W/image --offline";
            Ok(judge(&place.nobody("install", script)?))
        });
    if !ready {
        return Ok(report.finish());
    }
    report.step("installed", "files and modes", || files(&place.path("image")));
    for (name, script) in READERS {
        report.step("installed", name, || Ok(judge(&place.nobody(name, script)?)));
    }
    for program in ["vega", "hip-smoke"] {
        report.step("installed", &format!("glibc of {program}"), || {
            let glibc::Version(major, minor) = glibc::check(&place.path("image/usr/bin").join(program))?;
            Ok(Verdict::Passed(format!("needs {major}.{minor}")))
        });
    }
    report.step("installed", "what a program of ours links and opens", || note(&place));
    snippets::run(&place, &mut report)?;
    Ok(report.finish())
}

/// Exactly the files of the table, with their modes.
fn files(image: &Path) -> anyhow::Result<Verdict> {
    let mut found = BTreeSet::new();
    let mut folders = vec![image.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
            let name = path.strip_prefix(image.join("usr")).unwrap_or(&path);
            found.insert((name.to_string_lossy().into_owned(), mode));
        }
    }
    let expected: BTreeSet<_> = FILES.iter().map(|(name, mode)| ((*name).to_owned(), *mode)).collect();
    if found == expected {
        return Ok(Verdict::Passed(format!("{} files", found.len())));
    }
    Ok(Verdict::Failed(format!("{:?}", found.symmetric_difference(&expected).collect::<Vec<_>>())))
}

/// A program that uses `hip` links nothing of ROCm, and readelf shows the note about what it opens.
fn note(place: &Place) -> anyhow::Result<Verdict> {
    let script = "cargo build --quiet --release --locked --offline --example 00_first_program
        program=target/release/examples/00_first_program
        ! readelf --dynamic $program | grep NEEDED | grep -E 'hip|hsa|comgr'
        readelf --notes $program | grep -A1 FDO | grep -q 0x407c0c0a
        strip -o $W/tmp/stripped $program
        readelf --string-dump=.note.dlopen $W/tmp/stripped | grep -o '\\[{.*}\\]' | tee $W/tmp/note.json
        python3 -m json.tool $W/tmp/note.json > /dev/null
        grep -q libamdhip64.so.5 $W/tmp/note.json";
    Ok(judge(&place.nobody("note", script)?))
}
