//! Runs programs several times with `--deterministic` while the machine has other work to do, and compares output, trace,
//! end, files and the numbers of instructions and calls: all must be the same, byte for byte.
//!
//! `SEVM_DETERMINISTIC_RUNS` says how many runs (3 if it does not), `SEVM_DETERMINISTIC_LOAD` how many processes keep the
//! machine busy meanwhile (2).

mod common;

use common::build::{Build, Libc, go};
use common::{Arch, Missing, Place, SEVM};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

/// Longest time of one run.
const TIMEOUT: &str = "300";

/// Programs of `guest-tests/` that have threads, timers or signals.
const GUESTS: [&str; 7] =
    ["thread_c11", "thread_cpp", "thread_many", "thread_signals", "thread_sync", "time_timer", "signal_queue"];

/// Programs of `tests/go/`.
const GO: [&str; 4] = ["channels", "collector", "processes", "timers"];

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

/// What a run gave.
#[derive(PartialEq, Eq)]
struct Seen {
    output: Vec<u8>,
    errors: Vec<u8>,
    status: Option<i32>,
    trace: Vec<u8>,
    counts: String,
}

/// One run in a directory that has been made anew, with the same files of the same age.
fn run(place: &Place, command: &[OsString]) -> Result<Seen, String> {
    let say = |e: std::io::Error| e.to_string();
    let (work, trace, stats) = (place.fresh()?, place.beside("trace"), place.beside("stats"));
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    fs::write(work.join("old"), "some text\n").map_err(say)?;
    for path in [work.join("old"), work.clone()] {
        File::open(path).and_then(|f| f.set_modified(then)).map_err(say)?;
    }
    let output = Command::new("timeout")
        .args(["-s", "KILL", TIMEOUT, SEVM, "trace", "-f", "--deterministic", "--seed", "42", "--stats=json", "-o"])
        .arg(&trace)
        .args(common::cpu_option())
        .arg("--stats-output")
        .arg(&stats)
        .args(command)
        .current_dir(&work)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LC_ALL", "C"), ("TZ", "UTC")])
        .stdin(Stdio::null())
        .output()
        .map_err(say)?;
    let read = |path: &Path| fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let stats: serde_json::Value =
        serde_json::from_slice(&read(&stats).map_err(|e| format!("{e}: {}", text(&output.stderr)))?)
            .map_err(|e| e.to_string())?;
    Ok(Seen {
        output: output.stdout,
        errors: output.stderr,
        status: output.status.code(),
        trace: read(&trace)?,
        counts: format!("{} instructions, {} calls, {} faults", stats["instructions"], stats["calls"], stats["faults"]),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first line that differs.
fn difference(what: &str, run: usize, a: &[u8], b: &[u8]) -> Option<String> {
    if a == b {
        return None;
    }
    let (a, b) = (text(a), text(b));
    let at = a.lines().zip(b.lines()).position(|(a, b)| a != b).unwrap_or(a.lines().count().min(b.lines().count()));
    let line = |t: &str| t.lines().nth(at).unwrap_or("(its end)").to_string();
    Some(format!("{what} of run {run} differs at line {}:\n  first: {}\n  now:   {}", at + 1, line(&a), line(&b)))
}

fn check(command: &[OsString], runs: usize) -> Result<(), String> {
    let place = Place::new()?;
    let first = run(&place, command)?;
    if first.status == Some(137) || (first.output.is_empty() && first.errors.is_empty()) {
        return Err(format!("status {:?}, output {:?}", first.status, text(&first.output)));
    }
    for n in 2..=runs {
        let now = run(&place, command)?;
        let parts = [
            ("standard output", &first.output, &now.output),
            ("standard error", &first.errors, &now.errors),
            ("the trace", &first.trace, &now.trace),
        ];
        if let Some(what) = parts.into_iter().find_map(|(what, a, b)| difference(what, n, a, b)) {
            return Err(what);
        }
        if (first.status, &first.counts) != (now.status, &now.counts) {
            let (a, b) = (&first.counts, &now.counts);
            return Err(format!("run {n}: {:?} and {b}, the first {:?} and {a}", now.status, first.status));
        }
    }
    Ok(())
}

/// Processes that keep the machine busy until this is dropped.
struct Load(Vec<Child>);

impl Load {
    fn start(count: usize) -> Load {
        let busy = || Command::new("/bin/sh").args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn();
        Load((0..count).filter_map(|_| busy().ok()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The file in `tests/deterministic/`.
fn script(name: &str) -> OsString {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deterministic").join(name).into_os_string()
}

/// A test by name: what it needs, and how the command is made.
type Case = (String, Result<(), Missing>, Box<dyn FnOnce() -> Result<Vec<OsString>, String> + Send>);

fn case(name: String, command: Result<Vec<OsString>, Missing>) -> Case {
    let needs = command.as_ref().map(drop).map_err(Clone::clone);
    (name, needs, Box::new(move || command.map_err(|m| m.0)))
}

fn shell_cases(cases: &mut Vec<Case>) {
    let scripts = ["pipelines", "jobs", "dates", "listings", "machine", "signals", "fifo", "tree", "timeout"]
        .map(|s| (s, Arch::ALL));
    for (name, arches) in scripts {
        for arch in arches {
            let busybox = common::distribution_program(arch, "busybox", "busybox-static");
            let command = busybox.map(|b| vec![b.into(), "sh".into(), script(&format!("{name}.sh"))]);
            cases.push(case(format!("{name}_{}", arch.name()), command));
        }
    }
    for arch in Arch::ALL {
        let bash = common::distribution_program(arch, "bash-static", "bash-static");
        let command = bash.map(|b| vec![b.into(), "--norc".into(), script("coproc.sh")]);
        cases.push(case(format!("coproc_{}", arch.name()), command));
    }
}

/// Programs of this machine that are linked dynamically.
fn interpreter_cases(cases: &mut Vec<Case>) {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let installed = |path: &str, package: &str| {
        let path = PathBuf::from(path);
        if path.exists() { Ok(path) } else { Err(Missing(format!("needs {} (package {package})", path.display()))) }
    };
    for name in ["threads.py", "children.py", "asyncio_.py"] {
        let python = installed("/usr/bin/python3", "python3");
        cases.push(case(name.to_string(), python.map(|p| vec![p.into(), "-S".into(), script(name)])));
    }
    let perl = installed("/usr/bin/perl", "perl");
    cases.push(case("hashes.pl".into(), perl.map(|p| vec![p.into(), script("hashes.pl")])));
}

fn compiled_cases(cases: &mut Vec<Case>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for arch in Arch::ALL {
        for name in GUESTS {
            let dir = root.join("guest-tests").join(name);
            let source = ["main.c", "main.cpp"].map(|f| dir.join(f)).into_iter().find(|f| f.exists());
            let Some(source) = source else { continue };
            let standard = if source.ends_with("main.cpp") { "-std=c++20" } else { "-std=gnu17" };
            let flags = ["-O2", "-pthread", standard].map(String::from).to_vec();
            let build = Build { source, arch, libc: Libc::Glibc, flags };
            let needs = build.needs();
            cases.push((
                format!("{name}_{}", arch.name()),
                needs,
                Box::new(move || Ok(vec![build.get()?.into_os_string()])),
            ));
        }
        for name in GO {
            let dir = root.join("tests/go").join(name);
            let needs = common::tool("go", "golang-go").map(drop);
            cases.push((
                format!("go_{name}_{}", arch.name()),
                needs,
                Box::new(move || Ok(vec![go(&dir, arch)?.into_os_string()])),
            ));
        }
    }
}

fn main() -> ExitCode {
    let runs = number("SEVM_DETERMINISTIC_RUNS", 3).max(2);
    let mut cases = Vec::new();
    shell_cases(&mut cases);
    interpreter_cases(&mut cases);
    compiled_cases(&mut cases);
    let trials = cases
        .into_iter()
        .map(|(name, needs, command)| common::trial(name, needs, move || check(&command()?, runs)))
        .collect();
    let _load = Load::start(number("SEVM_DETERMINISTIC_LOAD", 2));
    common::run_trials(trials)
}
