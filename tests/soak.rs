//! Much of everything in one machine: forks, threads, descriptors, bytes through pipes, connections. Afterwards sevm's
//! own memory is back near where it was. And the same programs again and again, with a limit of time, to find what
//! only sometimes hangs or is wrong: `SEVM_REPEAT` says how often (3 by itself).

mod common;

use common::build::{Build, Libc};
use common::{Arch, Job, Place};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// What sevm may keep of the first phase, in kB: code that Unicorn has translated for each of 2,000 processes stays in its
/// cache, which has a fixed size.
const CACHE_KB: u64 = 96 * 1024;

/// What all later phases may add to that, in kB.
const TOLERANCE_KB: u64 = 16 * 1024;

/// Longest time of the whole soak.
const SOAK: Duration = Duration::from_secs(400);

fn build(source: &Path, arch: Arch, flags: &[&str]) -> Build {
    Build {
        source: Path::new(env!("CARGO_MANIFEST_DIR")).join(source),
        arch,
        libc: Libc::Glibc,
        flags: flags.iter().map(|f| (*f).to_owned()).collect(),
    }
}

fn soak_build(arch: Arch) -> Build {
    build(Path::new("tests/soak/soak.c"), arch, &["-O2", "-w", "-pthread"])
}

/// Memory of a process that is its own or shared, resident, in kB.
fn resident_kb(pid: u32) -> Result<u64, String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map_err(|e| e.to_string())?;
    let line = text.lines().find(|l| l.starts_with("Rss:")).ok_or("no Rss")?;
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).ok_or_else(|| line.to_owned())
}

/// Kills the process when time is over, unless told before that it ended.
fn watch(pid: u32, limit: Duration) -> std::sync::mpsc::Sender<()> {
    let (ended, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        if receiver.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            && let Some(pid) = rustix::process::Pid::from_raw(pid as i32)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    ended
}

fn soak(arch: Arch) -> Result<(), String> {
    let program = soak_build(arch).get()?;
    let say = |e: std::io::Error| e.to_string();
    let mut child = Command::new(common::SEVM)
        .arg("run")
        .args(common::cpu_option())
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(say)?;
    let ended = watch(child.id(), SOAK);
    let (mut input, output) = (child.stdin.take().ok_or("no stdin")?, child.stdout.take().ok_or("no stdout")?);
    let (mut said, mut memory) = (vec![], vec![]);
    for line in BufReader::new(output).lines() {
        let line = line.map_err(say)?;
        if let Some(phase) = line.strip_prefix("mark ") {
            memory.push((phase.to_owned(), resident_kb(child.id())?));
            input.write_all(b"\n").map_err(say)?;
        } else {
            said.push(line);
        }
    }
    let status = child.wait().map_err(say)?;
    drop(ended);
    let expected = [
        "forks 20",
        "threads 20 sum 190",
        "chain 1000000 failed 0",
        "forks 2000",
        "threads 500 sum 124750",
        "opened and closed 10000",
        "open at once 1",
        "chain 100000000 failed 0",
        "connections 1000 server 0",
        "forks 20",
    ];
    if said != expected || !status.success() {
        return Err(format!("{}; said {said:#?}; memory {memory:?}", common::status(status)));
    }
    let (start, end) = (memory.first().map_or(0, |m| m.1), memory.last().map_or(u64::MAX, |m| m.1));
    let after_forks = memory.iter().find(|m| m.0 == "forks").map_or(0, |m| m.1);
    if after_forks > start + CACHE_KB || end > after_forks + TOLERANCE_KB {
        return Err(format!("memory grew: {memory:?}"));
    }
    Ok(())
}

/// How often the repeated programs run.
fn repetitions() -> usize {
    common::repetitions(3)
}

/// Runs a guest program again and again; every run must be as the first, natively made.
fn repeat(name: &str, arch: Arch) -> Result<(), String> {
    let source = ["main.c", "main.cpp"].iter().map(|f| Path::new("guest-tests").join(name).join(f));
    let source = source.into_iter().find(|p| Path::new(env!("CARGO_MANIFEST_DIR")).join(p).exists());
    let source = source.ok_or("no such guest program")?;
    let flags = if source.extension().is_some_and(|e| e == "cpp") {
        &["-O2", "-g0", "-w", "-std=c++20", "-pthread", "-I../include"][..]
    } else {
        &["-O2", "-g0", "-w", "-pthread", "-I../include"]
    };
    let native = if cfg!(target_arch = "aarch64") { Arch::Aarch64 } else { Arch::X86_64 };
    let (reference, program) = (build(&source, native, flags).get()?, build(&source, arch, flags).get()?);
    let place = Place::new()?;
    let job = Job { args: &[], env: &[], stdin: None, timeout: common::TIMEOUT, prepare: &|_| Ok(()) };
    let expected = place.run(&[reference.into()], &job)?;
    let mut command = common::sevm_run::<&str>(&[]);
    command.push(program.into());
    common::repeat(&place, &command, &job, &expected, repetitions(), |outcome| outcome)
}

/// A busybox httpd and wget clients, all guests of one machine each: one after another, then at once.
fn httpd(arch: Arch) -> Result<(), String> {
    let busybox = common::distribution_program(arch, "busybox", "busybox-static").map_err(|m| m.0)?;
    let place = Place::new()?;
    let work = place.fresh()?;
    std::fs::write(work.join("page"), "a page\n".repeat(500)).map_err(|e| e.to_string())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    let port = listener.local_addr().map_err(|e| e.to_string())?.port();
    drop(listener);
    let count = repetitions().clamp(10, 200);
    let b = busybox.display();
    let script = format!(
        "{b} httpd -f -p 127.0.0.1:{port} & server=$!
        get() {{ {b} wget -q -O $1 http://127.0.0.1:{port}/page; }}
        until get first 2>/dev/null; do {b} sleep 0.1; done
        i=0; while [ $i -lt {count} ]; do get one && {b} cmp one page || echo wrong; i=$((i + 1)); done
        i=0; while [ $i -lt {count} ]; do
            (get p$i && {b} cmp p$i page || echo wrong) &
            i=$((i + 1)); [ $((i % 10)) = 0 ] && while [ ! -s p$((i - 1)) ] || [ ! -s p$((i - 10)) ]; do {b} sleep 0.02; done
        done
        {b} sleep 1
        {b} ls | {b} grep -c '^p[0-9]'
        {b} cat p[0-9]* | {b} wc -l
        kill $server; wait $server; echo \"ended $?\""
    );
    let mut command: Vec<OsString> = common::sevm_run::<&str>(&[]);
    command.extend([busybox.into(), "ash".into(), "-c".into(), script.into()]);
    let prepare = |dir: &Path| std::fs::write(dir.join("page"), "a page\n".repeat(500));
    let started = Instant::now();
    let job = Job { args: &[], env: &[], stdin: None, timeout: SOAK, prepare: &prepare };
    let outcome = place.run(&command, &job)?;
    let want = format!("{count}\n{}\nended 143\n", count * 500);
    if outcome.stdout == want.as_bytes() {
        return Ok(());
    }
    let said = [common::excerpt(&outcome.stdout), common::excerpt(&outcome.stderr)].concat();
    Err(format!("after {:?}: {said}", started.elapsed()))
}

fn main() -> ExitCode {
    let mut trials = vec![];
    for arch in Arch::ALL {
        let needs = || soak_build(arch).needs();
        trials.push(common::trial(format!("soak::{}", arch.name()), needs(), move || soak(arch)));
        for name in ["thread_sync", "thread_c11", "thread_cpp", "thread_atomics"] {
            trials.push(common::trial(format!("repeat {name}::{}", arch.name()), needs(), move || repeat(name, arch)));
        }
        let needs = common::distribution_program(arch, "busybox", "busybox-static").map(|_| ());
        trials.push(common::trial(format!("httpd::{}", arch.name()), needs, move || httpd(arch)));
    }
    common::run_trials(trials)
}
