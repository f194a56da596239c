//! What the benchmarks share: building guests, running them in turn, tables.
//!
//! Every row runs its variants in turn, round by round, so that a machine whose speed drifts hurts all alike; the median
//! round is quoted. Only ratios mean anything on a shared machine.

#![allow(dead_code, reason = "each benchmark uses a part")]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

/// A program built for both architectures.
pub struct Guest {
    pub x86_64: PathBuf,
    pub aarch64: Option<PathBuf>,
}

pub fn tool(name: &str) -> bool {
    let found = |dir: PathBuf| dir.join(name).is_file();
    std::env::var_os("PATH").is_some_and(|p| std::env::split_paths(&p).any(found))
}

pub fn build(name: &str) -> Guest {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guests").join(format!("{name}.c"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ratios");
    std::fs::create_dir_all(&dir).expect("the target directory can be written");
    let compile = |cc: &str, arch: &str| {
        let out = dir.join(format!("{name}.{arch}"));
        let ok = Command::new(cc).args(["-O2", "-static", "-o"]).arg(&out).arg(&source).status();
        assert!(ok.is_ok_and(|s| s.success()), "{cc} cannot build {}", source.display());
        out
    };
    Guest {
        x86_64: compile("gcc", "x86_64"),
        aarch64: tool("aarch64-linux-gnu-gcc").then(|| compile("aarch64-linux-gnu-gcc", "aarch64")),
    }
}

/// A way to run a guest.
pub struct Way {
    pub title: &'static str,
    pub command: Vec<String>,
}

impl Way {
    pub fn new(title: &'static str, command: &[&str], program: &Path) -> Way {
        let mut command: Vec<String> = command.iter().map(|s| (*s).to_string()).collect();
        command.push(program.display().to_string());
        Way { title, command }
    }

    /// How many calls are enough: strace takes thousands of times longer for each.
    pub fn share(&self, n: u32) -> u32 {
        if self.title.starts_with("strace") { n / 20 } else { n }
    }

    pub fn time(&self, arg: &str) -> Duration {
        let begin = Instant::now();
        let status = Command::new(&self.command[0])
            .args(&self.command[1..])
            .arg(arg)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let took = begin.elapsed();
        assert!(status.is_ok_and(|s| s.success()), "{:?} failed", self.command);
        took
    }
}

pub const SEVM: &str = env!("CARGO_BIN_EXE_sevm");

/// Median times in seconds, one for each way, of runs with `arg`.
pub fn measure(ways: &[Way], arg: impl Fn(&Way) -> u32) -> Vec<f64> {
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for (way, times) in ways.iter().zip(&mut times) {
            times.push(way.time(&arg(way).to_string()).as_secs_f64());
        }
    }
    medians(times)
}

/// Runs a command to its end: how it ended, and the seconds of processor time, its own and the kernel's for it, that it and
/// all whom it waited for took.
#[expect(clippy::zombie_processes, reason = "wait4 waits for it")]
pub fn processor_time(command: &mut Command) -> (ExitStatus, f64) {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut status = 0;
    // SAFETY: zeros are a valid value of this structure of numbers.
    #[expect(unsafe_code, reason = "the standard library does not tell what a child used")]
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are valid for writes, and the child has not been waited for.
    #[expect(unsafe_code, reason = "the standard library does not tell what a child used")]
    let pid = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    assert_eq!(pid, child.id() as i32, "{command:?} cannot be waited for");
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    (ExitStatus::from_raw(status), seconds(usage.ru_utime) + seconds(usage.ru_stime))
}

/// The median of each series, none of which is empty.
pub fn medians(series: Vec<Vec<f64>>) -> Vec<f64> {
    series
        .into_iter()
        .map(|mut t| {
            t.sort_by(f64::total_cmp);
            t[t.len() / 2]
        })
        .collect()
}

pub fn table(head: &[&str], rows: &[Vec<String>]) {
    println!("| {} |", head.join(" | "));
    println!("|{}", "---|".repeat(head.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
}
