//! `sevm trace` beside strace: static x86_64 programs under both, line by line.
//!
//! Folded are addresses, the process's own id, times and random bytes: they differ between any two runs of strace too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "strace/runs.rs"]
mod runs;
#[path = "strace/sweep.rs"]
mod sweep;

/// Share of equal lines that every run together must reach, in percent.
const AT_LEAST: f64 = 97.0;

/// The same for a run of several processes: which of two gets on first is not always the same.
const FAMILY_AT_LEAST: f64 = 94.0;

/// Time that an invocation may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Programs that print much of what strace decodes, beside this file.
const SOURCES: &[&str] = &["files", "memory", "mistakes", "signals", "terminal", "times"];

/// Invocations of Debian's static busybox, in a folder of their own.
const BUSYBOX: &[&str] = &[
    "cat f",
    "sort f",
    "wc n",
    "ls -l d",
    "find d",
    "sha256sum n",
    "head -3 n",
    "tail -5 n",
    "stat f",
    "cp n n2",
    "dd if=n of=n3 bs=100",
    "grep app f",
    "sed s/a/b/ f",
    "od n",
    "uname -a",
    "touch t1",
    "mkdir -p q/r",
    "rm -r d",
    "readlink l",
    "id",
    "tar cf x.tar d",
    "gzip -k n",
    "chmod 600 n",
    "du d",
    "mv f g",
    "ln -s f m",
    "truncate -s 100 n",
    "ls missing",
];

fn sevm() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_sevm"))
}

/// A folder with the files that the invocations work on.
fn playground() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("temporary folder");
    let p = dir.path();
    std::fs::write(p.join("f"), "banana\napple\ncherry\n").expect("file");
    std::fs::write(p.join("n"), (1..=200).map(|n| format!("{n}\n")).collect::<String>()).expect("file");
    std::fs::create_dir_all(p.join("d/e")).expect("folder");
    std::fs::write(p.join("d/e/g"), "text\n").expect("file");
    std::os::unix::fs::symlink("f", p.join("l")).expect("link");
    dir
}

/// Runs `tracer` on `command` in a fresh folder and gives that folder's name and the trace.
/// `None` if it does not start or end in time.
fn traced(tracer: &[&str], options: &[&str], command: &[&str], limit: Duration) -> Option<(PathBuf, Vec<u8>)> {
    let dir = playground();
    let out = tempfile::NamedTempFile::new().expect("temporary file");
    let mut child = Command::new(tracer[0])
        .args(&tracer[1..])
        .args(options)
        .arg("-o")
        .arg(out.path())
        .args(command)
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let until = Instant::now() + limit;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Some((dir.path().to_owned(), std::fs::read(out.path()).ok()?))
}

/// The trace of a command that must end.
fn trace(tracer: &[&str], options: &[&str], command: &[&str]) -> Option<String> {
    let until = Instant::now() + LIMIT;
    let found = traced(tracer, options, command, LIMIT);
    assert!(found.is_some() || Instant::now() < until, "{command:?} does not end under {}", tracer[0]);
    String::from_utf8(found?.1).ok()
}

/// Whether strace works here: it needs ptrace(2).
fn strace_works() -> bool {
    trace(&["strace"], &[], &["/bin/true"]).is_some_and(|t| t.contains("exit_group(0)"))
}

/// The number in `name(...) = NUMBER` of the first such line.
fn result_of<'a>(trace: &'a str, name: &str) -> Option<&'a str> {
    let line = trace.lines().find(|l| l.starts_with(name))?;
    line.rsplit("= ").next().map(str::trim)
}

/// A trace without what differs between any two runs.
fn fold(trace: &str) -> Vec<String> {
    let pid = result_of(trace, "set_tid_address(").unwrap_or("?").to_string();
    trace.lines().map(|line| fold_line(line, &pid)).collect()
}

fn fold_line(line: &str, pid: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let random = line.starts_with("getrandom(");
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let after_word = out.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if let Some(hex) = rest.strip_prefix("0x") {
            let n = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
            out.push_str(if n >= 5 { "ADDR" } else { &rest[..n + 2] });
            rest = &rest[n + 2..];
        } else if random && rest.starts_with("\\x") {
            out.push_str("\\xHH");
            rest = rest.get(4..).unwrap_or("");
        } else if c.is_ascii_digit() && !after_word {
            let n = digits(rest);
            let time = ["tv_sec=", "tv_nsec=", "tv_usec=", "time=", "utime=", "stime=", "uptime="];
            let varies = time.iter().any(|t| out.ends_with(t));
            out.push_str(if varies {
                "N"
            } else if rest[..n] == *pid {
                "PID"
            } else {
                &rest[..n]
            });
            rest = &rest[n..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    // The column of the equals sign moves with what was folded.
    let words: Vec<&str> = out.split(' ').filter(|w| !w.is_empty()).collect();
    words.join(" ")
}

/// Pairs of equal lines in order (longest common subsequence), and the lines of each side that have no partner.
fn align(a: &[String], b: &[String]) -> (usize, Vec<String>) {
    let mut best = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i][j] = if a[i] == b[j] { best[i + 1][j + 1] + 1 } else { best[i + 1][j].max(best[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut differences) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && best[i + 1][j] >= best[i][j + 1] {
            differences.push(format!("  strace  {}", a[i]));
            i += 1;
        } else {
            differences.push(format!("  sevm    {}", b[j]));
            j += 1;
        }
    }
    (best[0][0] as usize, differences)
}

/// Builds `tests/strace/NAME.c`.
fn build(name: &str, into: &Path) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strace").join(format!("{name}.c"));
    let program = into.join(name);
    let built = Command::new("gcc").args(["-static", "-O1", "-w", "-o"]).arg(&program).arg(source).status();
    built.is_ok_and(|s| s.success()).then(|| program.to_string_lossy().into_owned())
}

#[test]
fn traces_equal_straces() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let built = tempfile::tempdir().expect("temporary folder");
    let mut commands: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
    for name in SOURCES {
        match build(name, built.path()) {
            Some(program) => {
                commands.push((vec![program.clone()], vec![]));
                commands.push((vec![program], vec!["-v", "-s", "8"]));
            }
            None => eprintln!("skipped: {name}.c (gcc -static does not work here)"),
        }
    }
    if Path::new("/bin/busybox").exists() {
        for line in BUSYBOX {
            let words = std::iter::once("/bin/busybox").chain(line.split(' ')).map(String::from).collect();
            commands.push((words, vec![]));
        }
    } else {
        eprintln!("skipped: busybox is not installed");
    }
    let sevm = sevm().to_string_lossy().into_owned();
    let (mut equal, mut all, mut seen) = (0, 0, BTreeSet::new());
    for (command, options) in &commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let theirs = trace(&["strace"], options, &command).expect("strace's trace");
        let ours = trace(&[&sevm, "trace"], options, &command).expect("sevm's trace");
        let (theirs, ours) = (fold(&theirs), fold(&ours));
        let (same, differences) = align(&theirs, &ours);
        let lines = theirs.len().max(ours.len());
        println!("{:5.1} %  {:4} lines  {}", 100.0 * same as f64 / lines as f64, lines, command.join(" "));
        differences.iter().filter(|d| seen.insert((*d).clone())).for_each(|d| println!("{d}"));
        (equal, all) = (equal + same, all + lines);
    }
    let share = 100.0 * equal as f64 / all.max(1) as f64;
    println!("{share:.2} % of {all} lines in {} runs are equal", commands.len());
    assert!(share >= AT_LEAST, "only {share:.2} % of lines are equal");
}

/// A program that makes processes and threads, beside this file.
const FAMILY: &str = "family";

/// A trace of several processes (`-f -o`) without what differs between any two runs: for each process in the order in
/// which they were made its lines, with calls that were interrupted put together again.
fn fold_family(trace: &str) -> Vec<String> {
    let mut lines: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut unfinished: BTreeMap<u64, String> = BTreeMap::new();
    for line in trace.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let Ok(pid) = pid.parse() else { continue };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(pid, start.trim_end().to_string());
            continue;
        }
        let resumed = rest.strip_prefix("<... ").and_then(|r| r.split_once(" resumed>"));
        let whole = match resumed {
            // strace puts a blank before what it goes on with, or does not, by the argument.
            Some((_, end)) => format!("{}{}", unfinished.remove(&pid).unwrap_or_default(), end.trim_start()),
            None => rest.to_string(),
        };
        lines.entry(pid).or_default().push(whole);
    }
    let pids: Vec<String> = lines.keys().map(u64::to_string).collect();
    let number = |line: &str| {
        let line = fold_line(line, "?");
        let parts = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let parts = parts.map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            match pids.iter().position(|p| p == word) {
                Some(i) => format!("P{i}{}", &part[word.len()..]),
                None => part.to_string(),
            }
        });
        parts.collect::<String>().replace(", ", ",")
    };
    lines.values().enumerate().flat_map(|(i, own)| own.iter().map(move |l| format!("P{i} {}", number(l)))).collect()
}

#[test]
fn traces_of_families_equal_straces() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let built = tempfile::tempdir().expect("temporary folder");
    let Some(program) = build(FAMILY, built.path()) else {
        eprintln!("skipped: {FAMILY}.c (gcc -static does not work here)");
        return;
    };
    let sevm = sevm().to_string_lossy().into_owned();
    let theirs = fold_family(&trace(&["strace"], &["-f"], &[&program]).expect("strace's trace"));
    let ours = fold_family(&trace(&[&sevm, "trace"], &["-f"], &[&program]).expect("sevm's trace"));
    let (same, differences) = align(&theirs, &ours);
    differences.iter().for_each(|d| println!("{d}"));
    let (all, processes) = (theirs.len().max(ours.len()), |t: &[String]| t.last().map(|l| l[..2].to_string()));
    let share = 100.0 * same as f64 / all.max(1) as f64;
    println!("{share:.2} % of {all} lines are equal");
    assert_eq!(processes(&theirs), processes(&ours), "not as many processes");
    assert!(all > 60 && share >= FAMILY_AT_LEAST, "only {share:.2} % of {all} lines are equal");
}

#[test]
fn folding_of_families() {
    let trace = "70 wait4(-1,  <unfinished ...>\n71 exit_group(3) = ?\n71 +++ exited with 3 +++\n\
                 70 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 71\n";
    let wanted = [
        "P0 wait4(-1,[{WIFEXITED(s) && WEXITSTATUS(s) == 3}],0,NULL) = P1",
        "P1 exit_group(3) = ?",
        "P1 +++ exited with 3 +++",
    ];
    assert_eq!(fold_family(trace), wanted);
}

/// Options with the program of tests/strace they are tried on.
const OPTIONS: &[(&str, &str)] = &[
    ("-n", "moves"),
    ("-i -e trace=!execve", "moves"),
    ("-r", "moves"),
    ("-t", "moves"),
    ("-tt", "moves"),
    ("-ttt -T", "moves"),
    ("--relative-timestamps=s --syscall-times=ns", "moves"),
    ("-r --absolute-timestamps=unix,ms -n", "moves"),
    ("-x", "moves"),
    ("-xx", "moves"),
    ("--strings-in-hex=non-ascii-chars", "moves"),
    ("-X raw -e trace=!rt_sigaction,rt_sigprocmask,clone,execve,kill,fcntl", "moves"),
    ("-X verbose -e trace=openat,mmap,munmap,lseek,mprotect,arch_prctl", "moves"),
    ("-e raw=all -e trace=!execve", "moves"),
    ("-e raw=openat,read -e trace=openat,read,close", "moves"),
    ("-e verbose=none", "moves"),
    ("-e abbrev=none", "files"),
    ("-e abbrev=!newfstatat", "moves"),
    ("-v -s 5", "files"),
    ("-a 80", "moves"),
    ("-e read=all -e write=1", "moves"),
    ("-e read=3 -e trace=read,readv,pread64", "moves"),
    ("-e status=failed", "moves"),
    ("-z", "moves"),
    ("-Z -e trace=%desc", "moves"),
    ("-e status=unfinished", "moves"),
    ("-e status=!successful", "moves"),
    ("-P f", "moves"),
    ("-e signal=USR1", "moves"),
    ("-e signal=none -e trace=%signal", "moves"),
    ("-e trace=!%desc,%memory", "moves"),
    ("-e trace=/^get,?nosuch,close@64", "moves"),
    ("-e %%stat", "moves"),
    ("-qq", "moves"),
    ("-q -e trace=none", "moves"),
    ("-e inject=getppid:error=EPERM:when=2+2 -e trace=getppid", "moves"),
    ("-e inject=getppid:retval=7:when=2..3 -e trace=getppid", "moves"),
    ("-e fault=getppid:when=3+ -e trace=getppid,close", "moves"),
    ("-e inject=close:signal=USR1:error=EIO", "moves"),
    ("-e inject=read:poke_exit=@arg2=414243:retval=3 -e trace=read,write", "moves"),
    ("-e inject=write:poke_enter=@arg2=58 -e trace=write", "moves"),
    ("-e inject=getppid:delay_enter=100:delay_exit=200us -e trace=getppid", "moves"),
    ("-e inject=getppid:delay_exit=1ms:retval=9:when=1 -e trace=getppid", "moves"),
    ("-y -e trace=openat,read,fstat,newfstatat,lseek", "moves"),
];

/// A line without its times, which differ between any two runs.
fn without_times(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let run = |s: &str, f: fn(&u8) -> bool| s.bytes().take_while(f).count();
        let number = run(rest, |b| b.is_ascii_digit() || matches!(b, b'.' | b':'));
        let at_edge = out.is_empty() || out.ends_with(['<', ' ', '+']);
        let text = &rest[..number];
        let is_time = at_edge
            && number > 0
            && (text.contains('.') || text.matches(':').count() == 2 || out.trim().is_empty() && number < 5);
        if is_time {
            out.push_str("TIME");
            rest = &rest[number..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[test]
fn options_equal_straces() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let built = tempfile::tempdir().expect("temporary folder");
    let sevm = sevm().to_string_lossy().into_owned();
    let (mut equal, mut all) = (0, 0);
    for (options, name) in OPTIONS {
        let Some(program) = build(name, built.path()) else {
            eprintln!("skipped: {name}.c (gcc -static does not work here)");
            continue;
        };
        let options: Vec<&str> = options.split(' ').collect();
        let lines = |tracer: &[&str]| {
            let text = trace(tracer, &options, &[&program]).expect("a trace");
            let lines: Vec<String> = text.lines().map(without_times).collect();
            fold(&lines.join("\n")).into_iter().map(|l| without_parent(&without_place(&l))).collect::<Vec<_>>()
        };
        let (theirs, ours) = (lines(&["strace"]), lines(&[&sevm, "trace"]));
        let (same, differences) = align(&theirs, &ours);
        let count = theirs.len().max(ours.len());
        println!("{:5.1} %  {count:4} lines  {}", 100.0 * same as f64 / count.max(1) as f64, options.join(" "));
        differences.iter().take(6).for_each(|d| println!("{d}"));
        (equal, all) = (equal + same, all + count);
    }
    let share = 100.0 * equal as f64 / all.max(1) as f64;
    println!("{share:.2} % of {all} lines with {} sets of options are equal", OPTIONS.len());
    assert!(all == 0 || share >= AT_LEAST, "only {share:.2} % of lines are equal");
}

/// The number of a file, its times in words and its folder's name, and the bytes of getrandom(2), as something that does
/// not differ between two runs.
fn without_place(line: &str) -> String {
    let mut text = line.to_string();
    let mut replace = |start: &str, end: &dyn Fn(char) -> bool, by: &str| {
        let mut from = 0;
        while let Some(at) = text[from..].find(start).map(|at| from + at + start.len()) {
            let len = text[at..].find(end).unwrap_or(text.len() - at);
            text.replace_range(at..at + len, by);
            from = at + by.len();
        }
    };
    replace("st_ino=", &|c| !c.is_ascii_digit(), "N");
    replace("/* 20", &|c| c == '*', "");
    replace("/.tmp", &|c| !c.is_ascii_alphanumeric(), "");
    if line.contains("getrandom(\"") {
        replace("getrandom(\"", &|c| c == '"', "");
    }
    text
}

/// The ids of parent and child differ between any two runs, and between the machines: a first process has no parent
/// that it could see.
fn without_parent(line: &str) -> String {
    for call in ["getppid() = ", "clone(", "wait4(", "kill(", "getpid() = ", "set_tid_address(ADDR) = "] {
        if let Some(at) = line.find(call)
            && !line.contains("INJECTED")
        {
            let parent = call.starts_with("getppid");
            let digits = |w: &str| {
                let number = w.strip_prefix("0x").unwrap_or(w);
                (parent || number.len() > 2) && number.bytes().all(|b| b.is_ascii_hexdigit()) && !number.is_empty()
            };
            let words: Vec<&str> = line[at..].split(' ').map(|w| if digits(w) { "ID" } else { w }).collect();
            let text = format!("{}{}", &line[..at], words.join(" "));
            return match call {
                "wait4(" | "kill(" => {
                    let end = text.find(',').unwrap_or(text.len());
                    format!("{}ID{}", &text[..at + call.len()], &text[end..])
                }
                _ => text,
            };
        }
    }
    if let Some((before, _)) = line.split_once("si_pid=") {
        return before.to_string();
    }
    line.to_string()
}

/// Command lines that strace refuses: sevm says the same, with its own name in front.
#[test]
fn mistakes_equal_straces() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let expressions = [
        "trace=opne",
        "trace=%nosuch",
        "nosuch=1",
        "status=foo",
        "signal=FOO",
        "signal=1000",
        "read=a",
        "write=-1",
        "quiet=foo",
        "decode-fds=foo",
        "decode-pids=x",
        "trace=",
        "trace=1000",
        "abbrev=foo",
        "raw=x",
        "kvm=x",
        "inject=open",
        "inject=open:foo=1",
        "inject=open:error=EFOO",
        "inject=open:retval=x",
        "inject=",
        "inject=open:error=1:retval=2",
        "inject=open:when=0",
        "inject=open:signal=FOO",
        "inject=open:delay_enter=x",
        "inject=open:syscall=foo",
        "inject=open:poke_enter=@arg9=00",
        "fault=open:when=3..2",
        "fault=open:retval=1",
        "inject=getppid:syscall=getuid",
        "inject=getppid:error=EPERM:error=EIO",
    ];
    let options = [
        "-a x",
        "-a -1",
        "-s -1",
        "-I 9",
        "-O x -c",
        "-S foo",
        "-U foo -c",
        "-X foo",
        "-b foo",
        "-p 0",
        "-p x",
        "-Q",
        "--foo",
        "--syscall-times=x",
        "--relative-timestamps=x",
        "--absolute-timestamps=time,xx",
        "-C -c",
        "-ff -c",
        "-D -D -D -D",
        "-w",
        "-U time",
        "--strings-in-hex=foo",
        "--follow-forks=3",
        "--columns",
        "-o /nonexistent/x",
    ];
    let lines = expressions.iter().map(|e| vec!["-e", e]).chain(options.iter().map(|o| o.split(' ').collect()));
    let sevm = sevm();
    for line in lines {
        let run = |program: &Path, first: &[&str]| {
            let out = Command::new(program).args(first).args(&line).arg("/bin/true").stdin(Stdio::null()).output();
            let out = out.expect("it starts");
            let text = String::from_utf8_lossy(&out.stderr).into_owned();
            (out.status.code(), text.replace("strace: ", "sevm: ").replace("'strace -h'", "'sevm trace -h'"))
        };
        assert_eq!(run(&sevm, &["trace"]), run(Path::new("strace"), &[]), "{line:?}");
    }
}

/// The tables of `-c`, without the times.
#[test]
fn counts_equal_straces() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let built = tempfile::tempdir().expect("temporary folder");
    let Some(program) = build("moves", built.path()) else { return };
    let sevm = sevm().to_string_lossy().into_owned();
    let columns = "-U calls,errors,name -S name";
    for options in ["-c", "-c -f", "-c -z", "-c -e trace=%desc", "-c -w -e status=failed", "-c -e trace=none"] {
        let options: Vec<&str> = options.split(' ').chain(columns.split(' ')).collect();
        let theirs = trace(&["strace"], &options, &[&program]).expect("strace's table");
        let ours = trace(&[&sevm, "trace"], &options, &[&program]).expect("sevm's table");
        assert_eq!(ours, theirs, "{options:?}");
    }
}

#[test]
fn folding() {
    let pid = "1234";
    assert_eq!(fold_line("brk(0x4acd00)            = 0x4acd00", pid), "brk(ADDR) = ADDR");
    assert_eq!(fold_line("getpid()     = 1234", pid), "getpid() = PID");
    assert_eq!(fold_line("write(1, \"a 0x12\", 6)", pid), "write(1, \"a 0x12\", 6)");
    assert_eq!(fold_line("{tv_sec=5, tv_nsec=7}", pid), "{tv_sec=N, tv_nsec=N}");
    assert_eq!(fold_line("getrandom(\"\\x12\\xab\", 2, 0) = 2", pid), "getrandom(\"\\xHH\\xHH\", 2, 0) = 2");
}
