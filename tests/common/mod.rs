//! What the tests that run guest programs share: the tools they need, runs in directories of their own, comparison.

#![allow(dead_code, reason = "every test program uses another part of it")]

pub mod build;
pub mod schema;
pub mod snapshot;
pub mod terminal;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The sevm under test.
pub const SEVM: &str = env!("CARGO_BIN_EXE_sevm");

/// Longest time of one run, unless a test says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// An architecture of guest programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(non_camel_case_types, reason = "as in file names")]
pub enum Arch {
    X86_64,
    Aarch64,
}

impl Arch {
    pub const ALL: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
        }
    }

    /// The command that runs a program as Linux would here: none for this machine's own architecture.
    pub fn reference(self) -> Result<Vec<OsString>, Missing> {
        match self {
            Arch::X86_64 if cfg!(target_arch = "x86_64") => Ok(vec![]),
            Arch::X86_64 => Ok(vec![tool("qemu-x86_64", "qemu-user")?.into()]),
            Arch::Aarch64 if cfg!(target_arch = "aarch64") => Ok(vec![]),
            Arch::Aarch64 => Ok(vec![tool("qemu-aarch64", "qemu-user")?.into()]),
        }
    }
}

/// Something that has to be installed first.
#[derive(Debug, Clone)]
pub struct Missing(pub String);

/// Looks for a program in PATH.
pub fn tool(name: &str, package: &str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|p| p.is_file())
        .ok_or_else(|| Missing(format!("needs {name} (package {package}; make setup installs it)")))
}

/// A program of `package` for `arch`: for x86_64 the one installed, for aarch64 the one that
/// `scripts/fetch-arm64.sh` unpacked. `SEVM_ARM64` names another directory to find the latter in.
pub fn distribution_program(arch: Arch, name: &str, package: &str) -> Result<PathBuf, Missing> {
    match arch {
        Arch::X86_64 => {
            let path = tool(name, package)?;
            let target = fs::canonicalize(&path).unwrap_or(path);
            if is_static(&target) {
                Ok(target)
            } else {
                Err(Missing(format!("needs a static {name} (package {package})")))
            }
        }
        Arch::Aarch64 => {
            let path = arm64_cache().join("bin").join(name);
            fs::canonicalize(&path)
                .map_err(|_| Missing(format!("needs {} (scripts/fetch-arm64.sh {package} fetches it)", path.display())))
        }
    }
}

/// Where `scripts/fetch-arm64.sh` keeps what it fetched.
pub fn arm64_cache() -> PathBuf {
    variable("SEVM_ARM64").unwrap_or_else(|| cache().join("arm64"))
}

/// Where sevm's tests and scripts keep what may be made anew.
pub fn cache() -> PathBuf {
    let caches = || variable("XDG_CACHE_HOME").unwrap_or_else(|| variable("HOME").unwrap_or_default().join(".cache"));
    variable("SEVM_CACHE").unwrap_or_else(|| caches().join("sevm"))
}

/// A path in a variable of the environment that is not empty.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// Whether an ELF file names no interpreter.
fn is_static(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    let field = |at: usize, len: usize| {
        bytes.get(at..at + len).map_or(0, |b| b.iter().rev().fold(0usize, |n, b| n << 8 | usize::from(*b)))
    };
    let (start, size, count) = (field(32, 8), field(54, 2), field(56, 2));
    const PT_INTERP: usize = 3;
    bytes.starts_with(b"\x7fELF") && (0..count).all(|i| field(start + i * size, 4) != PT_INTERP)
}

/// Whether a missing tool is a failure rather than a reason to leave a test out.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|v| !v.is_empty() && v != "false")
}

/// A test named `name`; left out when something is missing, except where everything has to be there.
pub fn trial<F>(name: String, needs: Result<(), Missing>, run: F) -> libtest_mimic::Trial
where
    F: FnOnce() -> Result<(), String> + Send + 'static,
{
    match needs {
        Ok(()) => libtest_mimic::Trial::test(name, move || run().map_err(libtest_mimic::Failed::from)),
        Err(Missing(what)) if in_ci() => libtest_mimic::Trial::test(name, move || Err(what.into())),
        Err(Missing(what)) => {
            eprintln!("{name}: left out: {what}");
            libtest_mimic::Trial::test(name, || Ok(())).with_ignored_flag(true)
        }
    }
}

/// Runs the tests of a program, as `cargo test` expects.
pub fn run_trials(trials: Vec<libtest_mimic::Trial>) -> std::process::ExitCode {
    run_trials_on(trials, 1)
}

/// As `run_trials`, with so many tests at once for each core unless the command line says how many.
pub fn run_trials_on(trials: Vec<libtest_mimic::Trial>, for_each_core: usize) -> std::process::ExitCode {
    // A guest that is meant to die leaves no core file, and says the same natively and under sevm.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let mut arguments = libtest_mimic::Arguments::from_args();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(cores * for_each_core);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub status: ExitStatus,
    /// The files in the directory of the run.
    pub files: String,
}

/// A command to run several times, in a directory of the same name each time.
pub struct Job<'a> {
    pub args: &'a [OsString],
    pub env: &'a [(String, String)],
    pub stdin: Option<&'a Path>,
    pub timeout: Duration,
    /// Fills the directory before each run.
    pub prepare: &'a dyn Fn(&Path) -> std::io::Result<()>,
}

fn say(what: &str, e: std::io::Error) -> String {
    format!("{what}: {e}")
}

/// A directory for the runs of one test; removed at the end.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Result<Self, String> {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let dir = tempfile::Builder::new().prefix("run").tempdir_in(parent).map_err(|e| e.to_string())?;
        Ok(Place { dir })
    }

    /// The working directory of the runs.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    /// A file outside the working directory, which lasts as long as this.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes the working directory anew, empty.
    pub fn fresh(&self) -> Result<PathBuf, String> {
        let work = self.work();
        if work.exists() {
            make_removable(&work);
            fs::remove_dir_all(&work).map_err(|e| say("removing the last run", e))?;
        }
        fs::create_dir(&work).map_err(|e| say("making a directory", e))?;
        Ok(work)
    }

    /// Runs `command` followed by the job's arguments in a freshly made working directory.
    pub fn run(&self, command: &[OsString], job: &Job) -> Result<Outcome, String> {
        let (work, base) = (self.fresh()?, self.dir.path());
        (job.prepare)(&work).map_err(|e| say("preparing the run", e))?;
        let (out, err) = (base.join("stdout"), base.join("stderr"));
        let create = |p: &Path| File::create(p).map_err(|e| say("making a file", e));
        let stdin = match job.stdin {
            Some(path) => File::open(path).map_err(|e| say("opening stdin", e))?.into(),
            None => Stdio::null(),
        };
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .args(job.args)
            .env_clear()
            .envs(environment(&work))
            .envs(job.env.iter().map(|(k, v)| (k, v)))
            .current_dir(&work)
            .stdin(stdin)
            .stdout(create(&out)?)
            .stderr(create(&err)?)
            .spawn()
            .map_err(|e| say(&command[0].to_string_lossy(), e))?;
        let started = Instant::now();
        let status = loop {
            match child.try_wait().map_err(|e| say("waiting", e))? {
                Some(status) => break status,
                None if started.elapsed() > job.timeout => {
                    let _ = child.kill();
                    let _ = child.wait();
                    let text = |p: &Path| excerpt(&fs::read(p).unwrap_or_default());
                    return Err(format!(
                        "{} took longer than {:?}\n--- stdout\n{}--- stderr\n{}",
                        command[0].to_string_lossy(),
                        job.timeout,
                        text(&out),
                        text(&err)
                    ));
                }
                None => std::thread::sleep(Duration::from_micros(500).max(started.elapsed() / 50)),
            }
        };
        let read = |p: &Path| fs::read(p).map_err(|e| say("reading output", e));
        let files = snapshot::of(&work).map_err(|e| say("listing files", e))?;
        Ok(Outcome { stdout: read(&out)?, stderr: without_qemu(&read(&err)?), status, files })
    }
}

/// Removes what qemu-user itself says when a program dies by a signal.
fn without_qemu(stderr: &[u8]) -> Vec<u8> {
    let own = |line: &&[u8]| !line.starts_with(b"qemu: uncaught target signal");
    stderr.split_inclusive(|b| *b == b'\n').filter(own).collect::<Vec<_>>().concat()
}

/// The environment of every run, but for what a test adds.
pub fn environment(work: &Path) -> [(&'static str, OsString); 5] {
    let path = std::env::var_os("PATH").unwrap_or_default();
    [("PATH", path), ("HOME", work.into()), ("LC_ALL", "C".into()), ("TZ", "UTC0".into()), ("TERM", "vt100".into())]
}

/// Gives the owner all rights on every directory below, so that it can be removed.
fn make_removable(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o755));
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            make_removable(&entry.path());
        }
    }
}

/// The command, with the signals of keys as they are by themselves. A shell cannot trap what its starter ignored, as the
/// starter of a background job does.
///
/// # Errors
/// There is no env of coreutils.
pub fn with_default_signals(mut command: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let env_tool = tool("env", "coreutils").map_err(|m| m.0)?;
    command.splice(0..0, [env_tool.into(), "--default-signal=INT,QUIT".into()]);
    Ok(command)
}

/// How often a program that may only sometimes hang or be wrong runs: what `SEVM_REPEAT` says.
pub fn repetitions(otherwise: usize) -> usize {
    std::env::var("SEVM_REPEAT").ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// Runs a command `times` and compares every run, changed by `masked`, with what is expected.
///
/// # Errors
/// The first run that differs, with its number.
pub fn repeat(
    place: &Place,
    command: &[OsString],
    job: &Job,
    expected: &Outcome,
    times: usize,
    masked: impl Fn(Outcome) -> Outcome,
) -> Result<(), String> {
    (1..=times).try_for_each(|n| {
        let compared = place.run(command, job).and_then(|actual| compare(expected, &masked(actual)));
        compared.map_err(|e| format!("run {n}: {e}"))
    })
}

/// `--cpu NAME` with the backend that `SEVM_CPU` names, if it is set: every program then runs on that one.
pub fn cpu_option() -> Vec<OsString> {
    std::env::var_os("SEVM_CPU").map_or_else(Vec::new, |name| vec!["--cpu".into(), name])
}

/// `sevm run OPTIONS` in front of a program and its arguments.
pub fn sevm_run<S: AsRef<OsStr>>(options: &[S]) -> Vec<OsString> {
    let mut command: Vec<OsString> = vec![SEVM.into(), "run".into()];
    command.extend(cpu_option());
    // Every program in a sandbox.
    command.extend(std::env::var_os("SEVM_SANDBOX").map(|_| "--sandbox".into()));
    command.extend(options.iter().map(|o| o.as_ref().to_owned()));
    command
}

/// Tells in what two outcomes differ.
pub fn compare(expected: &Outcome, actual: &Outcome) -> Result<(), String> {
    let mut report = String::new();
    if expected.status != actual.status {
        report += &format!("ended with {}, expected {}\n", status(actual.status), status(expected.status));
    }
    for (name, want, got) in
        [("stdout", &expected.stdout, &actual.stdout), ("stderr", &expected.stderr, &actual.stderr)]
    {
        if want != got {
            report += &format!("{name} differs:\n{}", difference(want, got));
        }
    }
    if expected.files != actual.files {
        report += &format!("files differ:\n{}", difference(expected.files.as_bytes(), actual.files.as_bytes()));
    }
    // What the run said explains more than the bare difference.
    if !report.is_empty() && expected.stderr == actual.stderr && !actual.stderr.is_empty() {
        report += &format!("stderr:\n{}", excerpt(&actual.stderr));
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// Replaces every number, with the blanks before it, by `#`.
pub fn mask_digits(bytes: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = vec![];
    let mut in_number = false;
    for &b in bytes {
        if b.is_ascii_digit() || in_number && (b == b'.' || b == b',') {
            if !in_number {
                while out.last() == Some(&b' ') {
                    out.pop();
                }
                out.push(b'#');
            }
            in_number = true;
        } else {
            in_number = false;
            out.push(b);
        }
    }
    out
}

/// An exit status in words.
pub fn status(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => format!("{status:?}"),
    }
}

/// The lines that differ, a few of them.
pub fn difference(want: &[u8], got: &[u8]) -> String {
    let lines = |b: &[u8]| String::from_utf8_lossy(b).lines().map(str::to_owned).collect::<Vec<_>>();
    let (want, got) = (lines(want), lines(got));
    let mut out = String::new();
    let mut shown = 0;
    // Equal lines at both ends say nothing; in between, lines are compared by position.
    let head = want.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let tail = want[head..].iter().rev().zip(got[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    for (sign, list) in [('-', &want), ('+', &got)] {
        for line in &list[head..list.len() - tail] {
            shown += 1;
            if shown % 20 == 0 {
                out += &format!("{sign} ...\n");
                break;
            }
            out += &format!("{sign} {}\n", clip(line));
        }
    }
    format!("(from line {})\n{out}", head + 1)
}

fn clip(line: &str) -> String {
    match line.char_indices().nth(300) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line.to_owned(),
    }
}

/// The first lines of some output.
pub fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().take(20).map(|l| clip(l) + "\n").collect()
}
