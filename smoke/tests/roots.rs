//! Places that are not as they should be: read-only and full file systems, files that cannot be read, no device. Each
//! gives a clear error or a sound verdict; nothing is left behind, and this machine stays as it was.
//!
//! What needs another system takes this machine's own, mounted read-only or below an overlay in a mount namespace of
//! the test alone.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use common::{SMOKE, Snapshot, debian_hip, is_root, possible, report, snapshot, stderr, vega};

/// Checks that need no compiler.
const FAST: &str = "links,sonames,dlopen,registrations";

/// Runs shell commands in a mount namespace, as root; `$SMOKE` and `$VEGA` are the programs, `$W` a private folder.
fn in_namespace(script: &str) -> (Output, tempfile::TempDir) {
    let work = tempfile::tempdir().expect("a folder");
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o755)).expect("others may enter");
    for (name, file) in [("hip-smoke", Path::new(SMOKE)), ("vega", &vega())] {
        let _ = fs::copy(file, work.path().join(name)).expect("copied");
    }
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-ec", script])
        .env("SMOKE", work.path().join("hip-smoke"))
        .env("VEGA", work.path().join("vega"))
        .env("W", work.path())
        .output()
        .expect("unshare runs");
    (output, work)
}

/// What the checks may write to on this machine, and must not.
const KEPT: &[&str] = &["/etc", "/usr/lib/x86_64-linux-gnu", "/var/lib/dpkg", "/usr/bin"];

fn host() -> Vec<Snapshot> {
    KEPT.iter().map(|folder| snapshot(Path::new(folder))).collect()
}

/// Names in the folder beside the two programs.
fn left(work: &Path) -> Vec<String> {
    let entries = fs::read_dir(work).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "hip-smoke" && name != "vega");
    names
}

#[test]
fn a_read_only_root_is_checked_and_stays_as_it_was() {
    if !possible(&[(is_root(), "root"), (debian_hip(), "Debian's HIP"), (vega().exists(), "a built vega")]) {
        return;
    }
    let before = host();
    let (output, work) = in_namespace(
        "mkdir $W/root; mount --bind / $W/root; mount -o remount,bind,ro $W/root
         ! touch $W/root/etc/written 2>/dev/null
         status=0
         $SMOKE --root $W/root --virtual --vega $VEGA --format json \
            --only links,sonames,dlopen,bitcode,comgr,memory || status=$?
         umount $W/root; rmdir $W/root; exit $status",
    );
    let found = report(&output);
    assert_eq!(output.status.code(), Some(0), "{}{found:#}", stderr(&output));
    for verdict in found["verdicts"].as_array().expect("verdicts") {
        assert_eq!(verdict["outcome"], "pass", "{verdict:#}");
    }
    assert_eq!(left(work.path()), Vec::<String>::new());
    assert!(host() == before, "the machine's files are as they were");
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left() {
    if !possible(&[(is_root(), "root"), (debian_hip(), "Debian's HIP")]) {
        return;
    }
    // So small that the programs do not fit; so full that not even a source does.
    for (size, fill) in [("64k", "true"), ("64k", "head -c 65536 /dev/zero > $W/disk/ballast || true")] {
        let (output, work) = in_namespace(&format!(
            "mkdir $W/disk; mount -t tmpfs -o size={size} tmpfs $W/disk; {fill}
             status=0
             TMPDIR=$W/disk $SMOKE --real --format json --only links,comgr,bitcode,abi || status=$?
             rm -f $W/disk/ballast; ls -A $W/disk >&2
             umount $W/disk; rmdir $W/disk; exit $status"
        ));
        let told = stderr(&output);
        // Errors of the machine, not defects of the stack.
        assert_eq!(output.status.code(), Some(3), "{told}{}", String::from_utf8_lossy(&output.stdout));
        assert!(!told.contains("hip-smoke."), "a private folder is left: {told}");
        let found = report(&output);
        for verdict in found["verdicts"].as_array().expect("verdicts") {
            assert_ne!(verdict["outcome"], "fail", "{verdict:#}");
        }
        assert!(found.to_string().contains("No space left"), "{found:#}");
        assert_eq!(left(work.path()), Vec::<String>::new());
    }
    // A report that does not fit is no report.
    let (output, work) = in_namespace(&format!(
        "mkdir $W/disk; mount -t tmpfs -o size=4k tmpfs $W/disk
         status=0
         $SMOKE --real --format json --only {FAST} --output $W/disk/report || status=$?
         umount $W/disk; rmdir $W/disk; exit $status"
    ));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("disk/report: No space left"), "{}", stderr(&output));
    assert_eq!(left(work.path()), Vec::<String>::new());
}

/// Runs as nobody, with no right to read some of the stack.
#[test]
fn files_that_cannot_be_read_are_errors_and_no_defects() {
    if !possible(&[(is_root(), "root"), (debian_hip(), "Debian's HIP")]) {
        return;
    }
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all";
    let before = host();
    let (output, _work) = in_namespace(&format!(
        "mkdir $W/upper $W/work $W/root $W/tmp; mount -t tmpfs tmpfs $W/work; mkdir $W/work/u $W/work/w
         chmod 1777 $W/tmp
         mount -t overlay overlay -o lowerdir=/,upperdir=$W/work/u,workdir=$W/work/w $W/root
         chmod 000 $W/root/usr/lib/x86_64-linux-gnu/libhsa-runtime64.so.1.*
         chmod 000 $W/root/var/lib/dpkg/info/libamdhip64-5.list
         chmod 000 $W/root/usr/share/libdrm/amdgpu.ids
         mount --bind $W $W/root/mnt
         status=0
         chroot $W/root {nobody} env TMPDIR=/mnt/tmp /mnt/hip-smoke --real --format json --only {FAST} || status=$?
         ls -A $W/tmp >&2; exit $status"
    ));
    let told = stderr(&output);
    let found = report(&output);
    assert_eq!(output.status.code(), Some(3), "{told}{found:#}");
    assert!(told.contains("libamdhip64-5.list: Permission denied"), "{told}");
    assert!(!told.contains("hip-smoke.") || !told.contains("tmp/hip-smoke."), "{told}");
    let text = found.to_string();
    assert!(text.contains("Permission denied"), "{found:#}");
    for verdict in found["verdicts"].as_array().expect("verdicts") {
        assert_ne!(verdict["outcome"], "fail", "{verdict:#}");
    }
    assert!(host() == before, "the machine's files are as they were");
}

/// Names of the checks that need a device.
fn device_checks() -> Vec<String> {
    let list = Command::new(SMOKE).arg("--list").output().expect("it runs");
    let list = String::from_utf8(list.stdout).expect("text");
    let rows = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|words| words.get(3) == Some(&"device")).map(|words| words[1].to_owned()).collect()
}

/// The programs run on nothing: with no `/dev/kfd`, and with one that has no driver.
#[test]
fn with_the_device_files_taken_away_no_check_that_needs_one_passes() {
    if !possible(&[(is_root(), "root"), (debian_hip(), "Debian's HIP")]) {
        return;
    }
    let checks = device_checks();
    assert!(checks.len() >= 10, "{checks:?}");
    // `vega` is replaced by a program that makes no device: what it runs meets the machine's own /dev.
    let pretend = "printf '#!/bin/sh\\n[ \"$1\" = run ] || exit 0\\nshift 2\\nexec \"$@\"\\n' > $W/vega; chmod +x $W/vega";
    let dev = "mount -t tmpfs tmpfs /dev; mknod /dev/null c 1 3; mknod /dev/zero c 1 5; mknod /dev/urandom c 1 9; \
               chmod 666 /dev/null /dev/zero /dev/urandom; mkdir /dev/shm";
    let all = checks.join(",");
    let ways = [
        ("no /dev/kfd", "", all.as_str()),
        (
            "device files that no driver has",
            "mknod /dev/kfd c 511 0; mkdir /dev/dri; mknod /dev/dri/renderD128 c 511 128",
            "device-nodes,thunk,agents,memory",
        ),
    ];
    for (way, script, checks) in ways {
        let (output, _work) = in_namespace(&format!(
            "{pretend}; {dev}; {script}
             exec $SMOKE --virtual --vega $VEGA --format json --only {checks}"
        ));
        let found = report(&output);
        assert_eq!(output.status.code(), Some(1), "{way}: {found:#}");
        let verdicts = found["verdicts"].as_array().expect("verdicts");
        assert_eq!(verdicts.len(), checks.split(',').count());
        for verdict in verdicts {
            assert!(verdict["outcome"] == "fail" || verdict["outcome"] == "skip", "{way}: {verdict:#}");
        }
    }
    // In another root, whose /dev is this program's own: `vega` makes no device there either.
    let (output, _work) = in_namespace(&format!(
        "{pretend}; {OVERLAY}
         exec $SMOKE --root $W/root --virtual --vega $VEGA --format json --only {all}"
    ));
    let found = report(&output);
    assert_eq!(output.status.code(), Some(1), "in a root: {found:#}");
    let verdicts = found["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), checks.len());
    for verdict in verdicts {
        assert!(verdict["outcome"] == "fail" || verdict["outcome"] == "skip", "in a root: {verdict:#}");
    }
    // Without anything virtual: skipped, and 77, as `links` passes.
    let (output, _work) =
        in_namespace(&format!("{dev}; exec $SMOKE --real --format json --only links,{all}"));
    assert_eq!(output.status.code(), Some(77), "{}", stderr(&output));
    for verdict in report(&output)["verdicts"].as_array().expect("verdicts") {
        let expected = if verdict["check"] == "links" { "pass" } else { "skip" };
        assert_eq!(verdict["outcome"], expected, "{verdict:#}");
    }
}

/// This machine's system below an overlay.
const OVERLAY: &str = "mkdir $W/layers $W/root; mount -t tmpfs tmpfs $W/layers; mkdir $W/layers/u $W/layers/w; \
                       mount -t overlay overlay -o lowerdir=/,upperdir=$W/layers/u,workdir=$W/layers/w $W/root";

/// Roots whose C library is not the one that the programs were built with: what can be judged is, the rest says why not.
#[test]
fn roots_with_another_c_library_say_what_is_missing() {
    if !possible(&[(is_root(), "root"), (debian_hip(), "Debian's HIP"), (vega().exists(), "a built vega")]) {
        return;
    }
    let run = |damage: &str| {
        let (output, _work) = in_namespace(&format!(
            "{OVERLAY}; {damage}
             exec $SMOKE --root $W/root --virtual --vega $VEGA --format json --only links,agents"
        ));
        (output.status.code(), stderr(&output), output.stdout)
    };
    let device = |stdout: &[u8]| {
        let report: serde_json::Value = serde_json::from_slice(stdout).expect("a report");
        for verdict in report["verdicts"].as_array().expect("verdicts") {
            let expected = if verdict["check"] == "links" { "pass" } else { "skip" };
            assert_eq!(verdict["outcome"], expected, "{verdict:#}");
        }
        report["device"].as_str().expect("a text").to_owned()
    };
    // An older release: the C library defines no version that is as new as vega needs.
    let (status, told, report) =
        run("sed -i 's/GLIBC_2\\.34/GLIBC_1.34/g' $W/root/usr/lib/x86_64-linux-gnu/libc.so.6");
    assert_eq!(status, Some(77), "{told}");
    let why = device(&report);
    assert!(why.contains("GLIBC_2.34' not found") && why.contains("needs glibc 2.34"), "{why}");
    // No loader where programs of x86-64 name it.
    let (status, told, report) = run(
        "rm $W/root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 $W/root/lib64/ld-linux-x86-64.so.2 2>/dev/null || true",
    );
    let why: serde_json::Value = serde_json::from_slice(&report).expect("a report");
    let why = why["device"].as_str().expect("a text");
    assert_eq!(status, Some(1), "the C library itself needs it: {told}");
    assert!(why.contains("needs glibc 2.34") && why.contains("No such file"), "{why}");
    // musl has no version of ROCm.
    let (status, told, _) =
        run("rm $W/root/usr/lib/x86_64-linux-gnu/libc.so.6; touch $W/root/usr/lib/ld-musl-x86_64.so.1");
    assert_eq!(status, Some(3));
    assert!(told.contains("musl") && told.contains("glibc"), "{told}");
}

/// A `vega` that the root's C library cannot load is said, and the checks are skipped.
#[test]
fn a_vega_that_does_not_start_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vega");
    fs::write(&file, "#!/bin/sh\necho \"version GLIBC_2.34 not found\" >&2; exit 1\n").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("made executable");
    let mut command = Command::new(SMOKE);
    command.args(["--virtual", "--only", "agents", "--format", "json", "--vega"]).arg(&file);
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let found = report(&output);
    assert!(found["device"].as_str().is_some_and(|text| text.contains("GLIBC_2.34")), "{found:#}");
    let agents = &found["verdicts"].as_array().expect("verdicts").iter().find(|v| v["check"] == "agents");
    assert_eq!(agents.expect("a verdict")["outcome"], "skip");
}
