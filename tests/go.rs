//! Builds the Go programs of `go/` for both architectures, runs them as Linux does (natively or under qemu-user) and
//! under sevm, and compares output, end and the files left. `SEVM_REPEAT` says how often under sevm (once by itself).

mod common;

use common::{Arch, Job, Missing, Outcome, Place};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Replaces what differs between two runs of a panic: addresses and numbers of goroutines. Where the frames lie in
/// functions of the runtime depends on the architecture's assembly.
fn mask(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find("0x") {
            out.push_str(&rest[..at]);
            out.push_str("0x#");
            rest = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
        }
        match (rest.find("goroutine "), rest.find(" [")) {
            (Some(0), Some(end)) => out.push_str(&format!("goroutine #{}", &rest[end..])),
            (Some(at), None) => out.push_str(&format!("{}goroutine #", &rest[..at])),
            _ => out.push_str(rest),
        }
        out.push('\n');
    }
    out.into_bytes()
}

fn check(dir: &Path, arch: Arch) -> Result<(), String> {
    let program: OsString = common::build::go(dir, arch)?.into();
    let place = Place::new()?;
    let timeout = Duration::from_secs(120);
    let job = Job { args: &[], env: &[], stdin: None, timeout, prepare: &|_| Ok(()) };
    // A foreign program's reference is this machine's own build: qemu-user loses signals and threads now and then.
    let reference = if arch.reference().is_ok_and(|r| r.is_empty()) {
        program.clone()
    } else {
        common::build::go(dir, if cfg!(target_arch = "aarch64") { Arch::Aarch64 } else { Arch::X86_64 })?.into()
    };
    let masked = |o: Outcome| Outcome { stdout: o.stdout, stderr: mask(&o.stderr), ..o };
    let expected = masked(place.run(&[reference], &job).map_err(|e| format!("reference: {e}"))?);
    let mut command = common::sevm_run::<&str>(&[]);
    command.push(program);
    common::repeat(&place, &command, &job, &expected, common::repetitions(1), masked)
}

fn needs() -> Result<(), Missing> {
    common::tool("go", "golang-go").map(|_| ())
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go");
    let mut dirs: Vec<_> = fs::read_dir(&root).into_iter().flatten().flatten().map(|e| e.path()).collect();
    dirs.sort();
    let mut trials = vec![];
    for dir in dirs {
        for arch in Arch::ALL {
            let name = format!("{}::{}", dir.file_name().unwrap_or_default().to_string_lossy(), arch.name());
            let dir = dir.clone();
            trials.push(common::trial(name, needs(), move || check(&dir, arch)));
        }
    }
    common::run_trials(trials)
}
