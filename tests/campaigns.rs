//! `--chaos`: seeded faults that the seed repeats, and the search for those that matter; `--diff`: two traces beside one
//! another.

#[path = "common/mod.rs"]
mod common;

use common::SEVM;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with `tests/chaos/NAME.c` built in it; nothing where no static program can be built.
struct Place {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Place {
    fn new(source: &str) -> Option<Place> {
        Place::built_with("gcc", source)
    }

    fn built_with(compiler: &str, source: &str) -> Option<Place> {
        let dir = tempfile::tempdir().expect("temporary folder");
        let program = dir.path().join("program");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source);
        let built = Command::new(compiler).args(["-static", "-O1", "-w", "-o"]).arg(&program).arg(source).status();
        if built.is_ok_and(|s| s.success()) {
            return Some(Place { dir, program });
        }
        assert!(!common::in_ci(), "{compiler} -static does not work");
        eprintln!("left out: {compiler} -static does not work here");
        None
    }

    /// `sevm trace OPTIONS PROGRAM ARGS`, in the folder.
    fn trace(&self, options: &[&str], args: &[&str]) -> Output {
        Command::new(SEVM)
            .arg("trace")
            .args(common::cpu_option())
            .args(options)
            .arg(&self.program)
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()
            .expect("sevm runs")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).expect("a file")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The same seed gives the same run, another seed another one; and the trace marks what was done.
#[test]
fn a_seed_repeats_its_run() {
    let Some(place) = Place::new("chaos/careful.c") else { return };
    let run = |chaos: &str| {
        let out = place.trace(&["--deterministic", "-f", "-o", "log", "--chaos", chaos, "--chaos-log=faults"], &[]);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        (place.file("log"), place.file("faults"), text(&out.stderr))
    };
    let (log, faults, said) = run("seed=7,rate=20%,set=!mmap,brk,mprotect");
    assert_eq!(run("seed=7,rate=0.2,set=!mmap,brk,mprotect"), (log.clone(), faults.clone(), said.clone()));
    assert_ne!(run("seed=8,rate=20%,set=!mmap,brk,mprotect").1, faults);
    assert_eq!(said.lines().next(), Some("sevm: chaos seed=7,rate=0.2,set=!mmap,brk,mprotect"));
    assert!(faults.lines().count() >= 20, "{faults}");
    let marked = log.lines().filter(|l| l.contains("(INJECTED") || l.contains("(DELAYED)")).count();
    assert_eq!(marked, faults.lines().count(), "{log}\n{faults}");
    // A seed that nobody chose is told, and repeats the run too.
    let chosen = place.trace(&["-o", "log", "--chaos", "seed=random,rate=20%", "--chaos-log=faults"], &[]);
    let first = place.file("faults");
    let told = text(&chosen.stderr).lines().next().and_then(|l| l.strip_prefix("sevm: chaos ").map(String::from));
    place.trace(&["-o", "log", "--chaos", &told.expect("a seed"), "--chaos-log=faults"], &[]);
    assert_eq!(place.file("faults"), first);
}

/// Whatever is injected, a program that is ready for what the manual pages name gets along with it.
#[test]
fn what_is_careful_survives() {
    let Some(place) = Place::new("chaos/careful.c") else { return };
    let out = place.trace(&["-f", "--chaos", "seed=1,rate=30%,runs=15,set=!mmap,brk,mprotect,wait4"], &[]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stdout));
    assert_eq!(text(&out.stdout), "15 seeds from 1: exit status 0 each time, as without\n");
}

/// A program with a bug on short reads: some seed finds it, and one fault is enough to show it.
#[test]
fn shrinking_finds_the_bug() {
    let Some(place) = Place::new("chaos/short_read.c") else { return };
    let out = place.trace(&["--chaos", "seed=1,rate=25%,runs=40,set=read", "--chaos-shrink"], &[]);
    let told = text(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{told}{}", text(&out.stderr));
    assert!(told.contains("exit status 3 after") || told.contains("exit status 2 after"), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[1].starts_with("1 of ") && lines[1].contains(" are enough ("), "{told}");
    let short = lines[2].contains(" read argument 3 becomes ");
    assert!(short || lines[2].ends_with(" read EIO"), "{told}");
    // The command that it prints shows the bug again.
    let argument = lines[3].strip_prefix("repeat with: sevm trace --chaos ").and_then(|l| l.split(' ').next());
    let again = place.trace(&["-o", "log", "--chaos", argument.expect("a command")], &[]);
    assert_eq!(again.status.code(), Some(if short { 3 } else { 2 }));
    let log = place.file("log");
    assert_eq!(log.lines().filter(|l| l.contains("(INJECTED")).count(), 1, "{log}");
    // Nothing at all is injected where nothing is to be.
    let none = place.trace(&["-o", "log", "--chaos", "seed=1,only=,set=read"], &[]);
    assert_eq!((none.status.code(), text(&none.stderr).contains("nothing was injected")), (Some(0), true));
}

/// EINTR comes only where a signal handler could interrupt the call (signal(7)).
#[test]
fn interruptions_need_handlers() {
    let Some(place) = Place::new("chaos/plain.c") else { return };
    let interrupted = |args: &[&str]| {
        let out = place.trace(&["-o", "log", "--chaos", "seed=3,rate=100%,set=read"], args);
        (out.status.code().unwrap_or(-1), place.file("log").matches(" EINTR ").count())
    };
    assert_eq!(interrupted(&[]), (0, 0));
    assert_eq!(interrupted(&["restart"]), (0, 0));
    let (counted, shown) = interrupted(&["break"]);
    assert!(counted > 10 && counted as usize == shown, "{counted} {shown}");
}

#[test]
fn mistakes() {
    for (options, message) in [
        (&["--chaos", "seed=x", "p"][..], "invalid chaos argument 'seed=x'"),
        (&["--chaos", "set=nosuch", "p"], "invalid system call 'nosuch'"),
        (&["--chaos-shrink", "p"], "--chaos-shrink must be given with --chaos"),
        (&["--chaos-log=f", "p"], "--chaos-log must be given with --chaos"),
        (&["--chaos=seed=1,runs=2", "-o", "f", "p"], "-o/--output and --chaos-log are for single runs"),
    ] {
        let out = Command::new(SEVM).arg("trace").args(options).output().expect("sevm runs");
        assert_eq!(out.status.code(), Some(1), "{options:?}");
        assert_eq!(text(&out.stderr).lines().next(), Some(format!("sevm: {message}").as_str()));
    }
}

fn diff(options: &[&str], operands: &[&str], dir: &Path) -> (Option<i32>, String) {
    let out = Command::new(SEVM)
        .arg("trace")
        .args(common::cpu_option())
        .args(options)
        .arg("--diff")
        .args(operands)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .expect("sevm runs");
    (out.status.code(), text(&out.stdout) + &text(&out.stderr))
}

#[test]
fn differences_of_files_and_runs() {
    let Some(place) = Place::new("chaos/short_read.c") else { return };
    let dir = place.dir.path();
    place.trace(&["-o", "text"], &[]);
    place.trace(&["-o", "json", "--format=json"], &[]);
    // Text, records and a run of the same program, in any combination.
    let same = |a: &str, b: &str| {
        let (status, report) = diff(&[], &[a, b], dir);
        assert_eq!(status, Some(0), "{a} {b}:\n{report}");
        assert!(report.ends_with(" equal, 0 changed, 0 only in -, 0 only in +\n"), "{report}");
    };
    same("text", "text");
    same("json", "json");
    same("json", "./program");
    same("./program", "./program");
    let changed = place.file("text").replacen("read(3, \"bbbb", "read(3, \"cbbb", 1);
    let changed: String = changed.lines().filter(|l| !l.starts_with("lseek(")).map(|l| format!("{l}\n")).collect();
    std::fs::write(dir.join("changed"), changed).expect("file");
    let (status, report) = diff(&[], &["text", "changed"], dir);
    assert_eq!(status, Some(1), "{report}");
    assert!(report.ends_with(" equal, 1 changed, 1 only in -, 0 only in +\n"), "{report}");
    assert!(report.contains("\n- lseek(3, 0, SEEK_SET) = 0\n"), "{report}");
    assert!(report.contains("\n- read(3, \"bbbb") && report.contains("\n+ read(3, \"cbbb"), "{report}");
    // What is no trace, and what is nothing at all.
    std::fs::write(dir.join("prose"), "once upon a time\n").expect("file");
    assert_eq!(diff(&[], &["text", "prose"], dir).0, Some(2));
    assert_eq!(diff(&[], &["text", "./nosuch"], dir).0, Some(2));
    assert_eq!(diff(&[], &["text"], dir).0, Some(1));
}

/// One program for both architectures: different calls of the libraries, the same canonical ones.
#[test]
fn differences_of_architectures() {
    let Some(x86_64) = Place::new("chaos/careful.c") else { return };
    let Some(aarch64) = Place::built_with("aarch64-linux-gnu-gcc", "chaos/careful.c") else { return };
    let programs = [&x86_64.program, &aarch64.program].map(|p| p.to_string_lossy().into_owned());
    let (_, report) = diff(&["-f", "-e", "trace=!%memory"], &[&programs[0], &programs[1]], x86_64.dir.path());
    let last = report.lines().last().expect("a summary");
    let numbers: Vec<usize> = last.split(' ').filter_map(|w| w.parse().ok()).collect();
    assert!(numbers[0] > 150 && numbers[1] + numbers[2] + numbers[3] < 20, "{report}");
}
