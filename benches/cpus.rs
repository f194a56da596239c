//! The CPU backends beside native x86_64 code, qemu-user and, for x86_64, valgrind without a tool:
//! `cargo bench --bench cpus [-- WORD...]`. A WORD is the name of a kernel, `programs`, `start`, or an architecture.
//!
//! All variants run in turn in one session, and what is compared is processor time. Every row is quoted as times of the
//! native run, and beside it how many times faster than qemu a backend is. sevm counts instructions in all of them.
//! Kernels are the difference of a long run and one that does nothing; programs are measured from start to end. What is
//! not installed is left out.

mod common;
#[path = "cpus/programs.rs"]
mod programs;

use common::{Guest, SEVM, build, medians, processor_time, table, tool};
use sevm::arch::Arch;
use std::path::Path;
use std::process::{Command, Stdio};

const ROUNDS: usize = 5;

/// How many times less those do that take many times longer, of a kernel; of programs they do all, but once.
const SLOW: u32 = 8;

/// Kernels, with how often each does its work.
const KERNELS: &[(&str, u32)] = &[
    ("calls", 400_000),
    ("fib", 16),
    ("calls_deep", 48),
    ("sort", 8),
    ("sieve", 8),
    ("matrix", 64),
    ("matrix_single", 96),
    ("hash", 80),
    ("interp", 48),
    ("sha256", 64),
    ("crc", 304),
    ("copy", 320),
    ("search", 1200),
    ("transcend", 96),
    ("saxpy", 6000),
];

/// A kernel of which the system calls are the work, so that it says nothing about a CPU.
const NO_COMPUTATION: &str = "calls";

/// A program with its arguments.
struct Program {
    name: &'static str,
    /// An empty path where there is none.
    guest: Guest,
    args: Vec<String>,
}

impl Program {
    fn path(&self, arch: Arch) -> Option<&Path> {
        match arch {
            Arch::X86_64 => Some(self.guest.x86_64.as_path()).filter(|p| p.is_file()),
            Arch::Aarch64 => self.guest.aarch64.as_deref(),
        }
    }
}

/// A way to run a program.
struct Way {
    title: &'static str,
    /// What stands before the program's name.
    front: Vec<String>,
    /// Whether it gets less to do.
    slow: bool,
}

/// The ways to run programs of an architecture: qemu if it is there, then every backend; and others that are no measure.
struct Ways {
    arch: Arch,
    list: Vec<Way>,
    /// How many of the list are backends, behind qemu.
    backends: usize,
}

impl Ways {
    /// `libraries` is what sevm and qemu put before the paths of libraries.
    fn of(arch: Arch, libraries: Option<&Path>) -> Ways {
        let libraries: Vec<String> = libraries.iter().flat_map(|l| ["-L".into(), l.display().to_string()]).collect();
        let qemu = qemu(arch);
        let way = |title, words: &[&str], slow| {
            let front = words.iter().map(|w| (*w).to_string()).chain(libraries.clone()).collect();
            Way { title, front, slow }
        };
        let mut list = vec![way(qemu, &[qemu], false)];
        let runs = |b: &&sevm::cpu::Backend| b.archs.contains(&arch);
        let names: Vec<&'static str> = sevm::cpu::backends().iter().filter(runs).map(|b| b.name).collect();
        list.extend(names.iter().map(|name| way(name, &[SEVM, "run", "--cpu", name], *name == "unicorn")));
        if arch == Arch::X86_64 && tool("valgrind") {
            list.push(Way {
                title: "nulgrind",
                front: vec!["valgrind".into(), "-q".into(), "--tool=none".into()],
                slow: true,
            });
        }
        Ways { arch, list, backends: names.len() }
    }

    /// The titles of a table that shows them.
    fn header(&self, first: &str) -> Vec<String> {
        let faster = self.list.iter().skip(1).take(self.backends).map(|way| format!("qemu / {}", way.title));
        [first, "native"].into_iter().chain(self.list.iter().map(|w| w.title)).map(String::from).chain(faster).collect()
    }

    /// Median seconds of a program, natively and in every way, in turn. NaN where it fails or is missing.
    fn time(
        &self,
        program: &Program,
        rounds: impl Fn(&Way) -> usize,
        args: impl Fn(Option<&Way>) -> Vec<String>,
    ) -> Vec<f64> {
        let ways: Vec<Option<&Way>> = std::iter::once(None).chain(self.list.iter().map(Some)).collect();
        let mut times = vec![Vec::new(); ways.len()];
        for round in 0..ROUNDS {
            for (way, times) in ways.iter().zip(&mut times) {
                let arch = if way.is_some() { self.arch } else { Arch::X86_64 };
                let front = way.map_or(&[][..], |w| &w.front);
                let installed = front.first().is_none_or(|name| name.contains('/') || tool(name));
                match program.path(arch).filter(|_| installed) {
                    Some(_) if way.is_some_and(|w| round >= rounds(w)) => {}
                    Some(path) => times.push(run(front, path, &args(*way))),
                    None => times.push(f64::NAN),
                }
            }
        }
        medians(times)
    }
}

fn qemu(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "qemu-x86_64",
        Arch::Aarch64 => "qemu-aarch64",
    }
}

/// The seconds of processor time of one run; NaN if it fails.
fn run(front: &[String], path: &Path, args: &[String]) -> f64 {
    let mut words = front.iter().map(std::ffi::OsStr::new).chain([path.as_os_str()]);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).args(args).stdin(Stdio::null()).env("LC_ALL", "C").env("GOMAXPROCS", "1");
    let (status, took) = processor_time(&mut command);
    if status.success() { took } else { f64::NAN }
}

/// How many times faster than qemu the backends were, a list for each, and what the translated ones took of native time.
#[derive(Default)]
struct Summary {
    faster: Vec<Vec<f64>>,
    native: Vec<Vec<f64>>,
}

impl Summary {
    /// One row of a table: times of the native run, then how many times faster than qemu.
    fn row(&mut self, ways: &Ways, name: &str, seconds: &[f64], counts: bool) -> Vec<String> {
        let shown = |t: f64| if t.is_nan() { String::new() } else { format!("{t:.2}") };
        let backends = &seconds[2..2 + ways.backends];
        let native: Vec<f64> = backends.iter().map(|t| t / seconds[0]).collect();
        let faster: Vec<f64> = backends.iter().map(|t| seconds[1] / t).collect();
        let cells = seconds.iter().map(|t| t / seconds[0]).chain(faster.clone()).map(shown);
        let row = std::iter::once(name.to_string()).chain(cells).collect();
        if counts {
            self.faster.push(faster);
            self.native.push(native);
        }
        row
    }

    /// Geometric means and extremes.
    fn print(&self, ways: &Ways, what: &str) {
        let of = |rows: &[Vec<f64>], i: usize| -> Vec<f64> {
            rows.iter().filter_map(|r| r.get(i)).copied().filter(|f| f.is_finite()).collect()
        };
        let mean = |all: &[f64]| (all.iter().map(|f| f.ln()).sum::<f64>() / all.len() as f64).exp();
        let mut rows = Vec::new();
        for (i, way) in ways.list.iter().skip(1).take(ways.backends).enumerate() {
            let (faster, native) = (of(&self.faster, i), of(&self.native, i));
            let least = faster.iter().copied().fold(f64::INFINITY, f64::min);
            let cells = [mean(&faster), least, mean(&native)].map(|f| format!("{f:.2}"));
            rows.push([way.title.to_string(), faster.len().to_string()].into_iter().chain(cells).collect());
        }
        println!("#### {what}\n");
        let faster = format!("times as fast as {}", qemu(ways.arch));
        table(&["backend", "rows", &faster, "least", "of native time"], &rows);
    }
}

fn kernels(ways: &Ways, wanted: &impl Fn(&str) -> bool) {
    println!("### Kernels on {} CPUs (native x86_64 = 1)\n", ways.arch.name());
    let (mut summary, mut rows) = (Summary::default(), Vec::new());
    for &(name, n) in KERNELS.iter().filter(|(name, _)| wanted(name)) {
        let program = Program { name, guest: build(name), args: vec![] };
        let share = |way: Option<&Way>| if way.is_some_and(|w| w.slow) { SLOW } else { 1 };
        let time = |n: u32| {
            let rounds = |w: &Way| if w.slow { 1 } else { ROUNDS };
            ways.time(&program, rounds, |way| vec![(n / share(way)).to_string()])
        };
        let (none, many) = (time(0), time(n));
        let shares = std::iter::once(1).chain(ways.list.iter().map(|w| share(Some(w))));
        // What takes no longer than nothing has been lost in the noise.
        let work =
            none.iter().zip(&many).zip(shares).map(|((a, b), s)| if b > a { (b - a) * f64::from(s) } else { f64::NAN });
        rows.push(summary.row(ways, name, &work.collect::<Vec<_>>(), name != NO_COMPUTATION));
    }
    print(&ways.header("kernel"), &rows);
    summary.print(ways, "Kernels that compute");
}

fn real_programs(ways: &Ways) {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cpus");
    std::fs::create_dir_all(&work).expect("the target directory can be written");
    println!("### Programs on {} CPUs, start to end (native x86_64 = 1)\n", ways.arch.name());
    let (mut summary, mut rows) = (Summary::default(), Vec::new());
    for program in programs::list(&work).iter().filter(|p| p.path(ways.arch).is_some()) {
        let times = ways.time(program, |way| if way.slow { 1 } else { ROUNDS }, |_| program.args.clone());
        rows.push(summary.row(ways, program.name, &times, true));
    }
    print(&ways.header("program"), &rows);
    summary.print(ways, "Programs");
}

/// From start to exit: a static program that does nothing, and a shell that starts 100 others.
fn start(ways: &Ways) {
    println!("### Starts of static {} programs\n", ways.arch.name());
    let nothing = Program { name: "nothing", guest: build("calls"), args: vec!["0".into()] };
    let script = "i=0; while [ $i -lt 100 ]; do $2 \"$1\" true; i=$((i + 1)); done";
    let shell = Program { name: "shell with 100 children", guest: programs::busybox(), args: vec![] };
    let mut rows = Vec::new();
    for program in [nothing, shell].iter().filter(|p| p.path(ways.arch).is_some()) {
        let times = ways.time(
            program,
            |_| ROUNDS,
            |way| {
                let arch = if way.is_some() { ways.arch } else { Arch::X86_64 };
                let itself = program.path(arch).unwrap_or(Path::new("")).display().to_string();
                // sevm follows its guests over execve; others leave children to the host.
                let others = way.filter(|w| w.front[0] != SEVM).map_or(String::new(), |w| w.front.join(" "));
                let words = ["sh", "-c", script, "sh", &itself, &others].map(String::from);
                if program.args.is_empty() { words.to_vec() } else { program.args.clone() }
            },
        );
        let titles = std::iter::once("native").chain(ways.list.iter().map(|w| w.title));
        for (title, t) in titles.zip(&times).filter(|(_, t)| t.is_finite()) {
            rows.push(vec![
                program.name.into(),
                title.into(),
                format!("{:.1}", t * 1e3),
                format!("{:.2}", t / times[0]),
            ]);
        }
    }
    table(&["program", "how", "ms in this run", "native = 1"], &rows);
}

fn print(header: &[String], rows: &[Vec<String>]) {
    table(&header.iter().map(String::as_str).collect::<Vec<_>>(), rows);
}

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let (archs, words): (Vec<_>, Vec<_>) = words.into_iter().partition(|w| Arch::ALL.iter().any(|a| a.name() == w));
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name == w);
    for arch in Arch::ALL.into_iter().filter(|a| archs.is_empty() || archs.iter().any(|w| w == a.name())) {
        if arch == Arch::Aarch64 && !tool("aarch64-linux-gnu-gcc") {
            println!("aarch64-linux-gnu-gcc is not installed\n");
            continue;
        }
        let plain = Ways::of(arch, None);
        if KERNELS.iter().any(|(name, _)| wanted(name)) {
            kernels(&plain, &wanted);
        }
        if wanted("programs") {
            real_programs(&Ways::of(arch, programs::tree().as_deref().filter(|_| arch == Arch::Aarch64)));
        }
        if wanted("start") {
            start(&plain);
        }
    }
}
