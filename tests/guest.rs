//! Runs every program of `guest-tests/` as Linux does (natively or under qemu-user) and under sevm, and compares what
//! it printed, how it ended and the files it left. See `guest-tests/README.md` for what a directory may hold.

mod common;

use common::build::{Build, Libc};
use common::{Arch, Job, Place};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// `test.toml`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Architectures to build for.
    arches: Vec<Arch>,
    /// C libraries to link with.
    libcs: Vec<Libc>,
    /// Optimisation levels to build with.
    opts: Vec<String>,
    /// More flags for the compiler.
    cflags: Vec<String>,
    /// Features of an x86_64 processor that it needs, by their names in `/proc/cpuinfo`.
    features: Vec<String>,
    /// Arguments of the program.
    args: Vec<String>,
    /// Additions to its environment.
    env: BTreeMap<String, String>,
    /// Files to make before it starts, with their content.
    files: BTreeMap<String, String>,
    /// Options of `sevm run`.
    sevm: Vec<String>,
    /// The status it must exit with.
    exit: Option<i32>,
    /// The number of the signal it must die by.
    signal: Option<i32>,
    /// Why this machine's own kernel cannot be the reference: only the file `stdout` is.
    native: Option<String>,
    /// Why qemu-user cannot be the reference: this machine's own kernel running the x86_64 program is.
    qemu: Option<String>,
    /// Why the backend of that name does not do it right.
    unicorn: Option<String>,
    /// Longest time of a run, in seconds.
    timeout: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            arches: Arch::ALL.to_vec(),
            libcs: vec![Libc::Glibc],
            opts: vec!["-O2".into()],
            cflags: vec![],
            features: vec![],
            args: vec![],
            env: BTreeMap::new(),
            files: BTreeMap::new(),
            sevm: vec![],
            exit: None,
            signal: None,
            native: None,
            qemu: None,
            unicorn: None,
            timeout: common::TIMEOUT.as_secs(),
        }
    }
}

/// One directory of `guest-tests/`.
#[derive(Debug, Clone)]
struct Guest {
    name: String,
    dir: PathBuf,
    settings: Settings,
}

impl Guest {
    fn read(dir: &Path) -> Result<Self, String> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let settings = match fs::read_to_string(dir.join("test.toml")) {
            Ok(text) => toml::from_str(&text).map_err(|e| format!("{name}/test.toml: {e}"))?,
            Err(_) => Settings::default(),
        };
        Ok(Guest { name, dir: dir.to_owned(), settings })
    }

    /// Why this machine or the CPU backend cannot run the program, if so.
    fn beyond(&self, arch: Arch) -> Option<String> {
        let Settings { features, unicorn, .. } = &self.settings;
        if features.is_empty() && unicorn.is_none() {
            return None;
        }
        let backend = std::env::var("SEVM_CPU").unwrap_or_else(|_| "auto".into());
        let guest = if arch == Arch::X86_64 { sevm::arch::Arch::X86_64 } else { sevm::arch::Arch::Aarch64 };
        let cpu = sevm::cpu::open(&backend, guest).ok()?;
        if let (Some(why), "unicorn") = (unicorn, cpu.name()) {
            return Some(format!("unicorn: {why}"));
        }
        let shown = cpu.cpuid().unwrap_or_default().features();
        let host = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let host: Vec<&str> = host.lines().find(|l| l.starts_with("flags")).unwrap_or_default().split(' ').collect();
        let lacks = |f: &&String| !shown.has(f) || !host.contains(&f.as_str());
        let missing: Vec<&str> = features.iter().filter(lacks).map(String::as_str).collect();
        (!missing.is_empty()).then(|| format!("host or CPU backend lacks {}", missing.join(", ")))
    }

    /// The source for `arch`, if there is one.
    fn source(&self, arch: Arch) -> Option<PathBuf> {
        let own = format!("start_{}.S", arch.name());
        ["main.c", "main.cpp", "start.S", &own].iter().map(|f| self.dir.join(f)).find(|p| p.exists())
    }

    /// Every way in which the program is built.
    fn builds(&self) -> Vec<Build> {
        let mut builds = vec![];
        for &arch in &self.settings.arches {
            let Some(source) = self.source(arch) else { continue };
            let assembly = source.extension().is_some_and(|e| e == "S");
            let libcs = if assembly { vec![Libc::None] } else { self.settings.libcs.clone() };
            let opts = if assembly { vec![String::new()] } else { self.settings.opts.clone() };
            // Nobody packages dietlibc for aarch64.
            for libc in libcs.into_iter().filter(|l| *l != Libc::Diet || arch == Arch::X86_64) {
                for opt in &opts {
                    let mut flags: Vec<String> = if assembly { vec![] } else { vec![opt.clone()] };
                    flags.extend(["-g0", "-w", "-I../include"].map(String::from));
                    flags.extend(self.settings.cflags.iter().cloned());
                    builds.push(Build { source: source.clone(), arch, libc, flags });
                }
            }
        }
        builds
    }

    /// Compares one build of the program.
    fn check(&self, build: &Build) -> Result<(), String> {
        let settings = &self.settings;
        let program: OsString = build.get()?.into();
        let env: Vec<_> = settings.env.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let args: Vec<OsString> = settings.args.iter().map(OsString::from).collect();
        let stdin = Some(self.dir.join("stdin")).filter(|p| p.exists());
        let prepare = |dir: &Path| settings.files.iter().try_for_each(|(name, text)| fs::write(dir.join(name), text));
        let job = Job {
            args: &args,
            env: &env,
            stdin: stdin.as_deref(),
            timeout: Duration::from_secs(settings.timeout),
            prepare: &prepare,
        };
        let place = Place::new()?;

        let mut expected = None;
        if settings.native.is_none() {
            let foreign = settings.qemu.is_some() && !build.arch.reference().map_err(|m| m.0)?.is_empty();
            let reference =
                if foreign { Build { arch: host_arch(), ..self.host_build(build)? } } else { build.clone() };
            let mut command = reference.arch.reference().map_err(|m| m.0)?;
            command.push(reference.get()?.into());
            expected = Some(place.run(&command, &job).map_err(|e| format!("reference: {e}"))?);
        }
        let mut command = common::sevm_run(&settings.sevm);
        command.push("--check-table".into());
        command.push(program);
        let actual = place.run(&command, &job)?;

        if let Some(expected) = &expected {
            common::compare(expected, &actual)?;
        }
        if let Ok(stdout) = fs::read(self.dir.join("stdout"))
            && stdout != actual.stdout
        {
            return Err(format!("stdout is not as in the file:\n{}", common::difference(&stdout, &actual.stdout)));
        }
        self.check_end(&actual)
    }

    /// The same program for this machine.
    fn host_build(&self, build: &Build) -> Result<Build, String> {
        let source = self.source(host_arch()).ok_or("no source for this machine, and qemu is no reference")?;
        Ok(Build { source, ..build.clone() })
    }

    fn check_end(&self, actual: &common::Outcome) -> Result<(), String> {
        use std::os::unix::process::ExitStatusExt;
        let (code, signal) = (actual.status.code(), actual.status.signal());
        // A program that says nothing else must succeed: a failure common to both runs is one of the test.
        let (want_code, want_signal) = match (self.settings.exit, self.settings.signal) {
            (None, None) => (Some(0), None),
            other => other,
        };
        if (code, signal) == (want_code, want_signal) {
            return Ok(());
        }
        Err(format!(
            "ended with {}, the test wants code {want_code:?}, signal {want_signal:?}\n{}{}",
            common::status(actual.status),
            common::excerpt(&actual.stdout),
            common::excerpt(&actual.stderr)
        ))
    }
}

fn host_arch() -> Arch {
    if cfg!(target_arch = "aarch64") { Arch::Aarch64 } else { Arch::X86_64 }
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-tests");
    let mut dirs: Vec<_> = fs::read_dir(&root).into_iter().flatten().flatten().map(|e| e.path()).collect();
    dirs.sort();
    let mut trials = vec![];
    for dir in dirs {
        let guest = match Guest::read(&dir) {
            Ok(guest) => guest,
            Err(e) => {
                let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
                trials.push(common::trial(name, Ok(()), move || Err(e)));
                continue;
            }
        };
        for build in guest.builds() {
            let opt = build.flags.iter().find(|f| f.starts_with("-O")).map_or("", |f| f);
            let name = format!("{}::{}-{}{opt}", guest.name, build.arch.name(), build.libc.name());
            let needs = build.needs().and_then(|()| build.arch.reference().map(|_| ()));
            if let Some(why) = guest.beyond(build.arch) {
                eprintln!("{name} is left out: {why}");
                continue;
            }
            let guest = guest.clone();
            trials.push(common::trial(name, needs, move || guest.check(&build)));
        }
    }
    common::run_trials(trials)
}
