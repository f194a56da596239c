//! Many programs under both tracers with many sets of options, line by line.

use super::{align, fold_line, sevm, strace_works, traced};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Share of equal lines that all runs together must reach, in percent.
const AT_LEAST: f64 = 99.0;

/// Time that a run may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Lines of a trace that are compared at most.
const LINES: usize = 1500;

/// Calls whose lines are left out on both sides, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("clock_gettime(", "functions of sevm's vDSO make the call; Linux's read the clock without one"),
    ("clock_getres(", "the same"),
    ("gettimeofday(", "the same"),
    ("time(", "the same"),
    ("getcpu(", "the same"),
    ("getrandom(", "the C library takes fewer random bytes where the clock is not read"),
    ("PR_GET_TIMERSLACK", "the machine's own"),
    ("getppid(", "sevm's first process has no parent that it could see"),
    ("rt_sigreturn(", "what it gives is in the register that the signal interrupted"),
    ("restart_syscall(", "where a stop falls within a wait"),
    ("--- stopped by", "when the parent hears of it"),
    ("--- SIGCHLD", "a child's end may come before or after another call"),
];

/// Why other lines may differ: a part of the line, and the reason.
const REASONS: &[(&str, &str)] = &[
    ("/proc/", "files of /proc show sevm's machine"),
    ("/sys/", "files of /sys show sevm's machine"),
    ("sysinfo(", "the machine's own memory and load"),
    ("uname(", "the machine's own names"),
    ("getrusage(", "usage is counted otherwise"),
    ("ru_utime", "times"),
    ("times(", "times"),
    ("statfs", "free blocks change at any time"),
    ("key=", "keys of the moment"),
    ("st_nlink=", "the folder of all temporary files"),
    ("sched_getaffinity", "the machine's own processors"),
    ("SIGKILL) =", "a process that kills itself sees no result; sevm has one"),
    ("SA_UNSUPPORTED", "a name that Linux has got since strace 6.1"),
    ("= -1 ENOSYS", "calls that one of the kernels does not have"),
    ("fchmodat2", "the same"),
    ("getpgrp()", "the group of the test itself"),
    ("fcntl(3,0x40", "hints of a file's life, which strace 6.1 does not name"),
    ("_RW_HINT", "the same"),
    ("STATX__RESERVED", "strace shows the number"),
    ("syscall_0x", "calls that strace 6.1 does not know"),
    ("brk(", "the program break starts elsewhere"),
    ("write(1,\"/tmp", "the folder of the run"),
    ("<strace>", "between fork and execve strace's child has strace's name"),
];

/// Options, one set for each run in turn. Times are folded.
const OPTIONS: &[&str] = &[
    "",
    "-f",
    "-y",
    "-yy",
    "-v",
    "-v -s 9",
    "-x",
    "-xx",
    "-n",
    "-r",
    "-t",
    "-tt -T",
    "-ttt",
    "-T",
    "-a 60",
    "-s 200",
    "-e trace=%file",
    "-e trace=%desc",
    "-e trace=%memory,%process",
    "-e trace=!%memory",
    "-e trace=/^(open|read|stat)",
    "-z",
    "-Z",
    "-e status=failed,unfinished",
    "-e signal=none",
    "-e abbrev=none",
    "-e verbose=none",
    "-e raw=read,write,close",
    "-e read=3 -e write=1",
    "-P f",
    "-X verbose",
    "-X raw",
    "-q",
    "-qqq",
    "-e quiet=exit",
    "-e decode-fds=path,dev",
    "-Y -f",
    "-e inject=close:retval=0:when=3+2",
    "-e fault=openat:error=EACCES:when=2",
    "-E A=b -E LANG",
    "-i -e trace=write,exit_group",
    "-b execve -f",
    "-f -e trace=%process,%signal",
    "-f -qq -e trace=!%memory",
];

/// Words that busybox runs.
const BUSYBOX: &[&str] = &[
    "cat f",
    "sort f",
    "sort -rn n",
    "wc n",
    "ls -l d",
    "ls -la",
    "find d",
    "find . -name g",
    "sha256sum n",
    "md5sum f",
    "head -3 n",
    "tail -5 n",
    "stat f",
    "cp n n2",
    "dd if=n of=n3 bs=100",
    "dd if=/dev/zero of=z bs=1k count=4",
    "grep app f",
    "grep -r text d",
    "sed s/a/b/ f",
    "od n",
    "hexdump f",
    "uname -a",
    "touch t1",
    "mkdir -p q/r",
    "rm -r d",
    "rmdir d/e",
    "readlink l",
    "id",
    "tar cf x.tar d",
    "gzip -k n",
    "chmod 600 n",
    "du d",
    "mv f g",
    "ln -s f m",
    "ln f h",
    "truncate -s 100 n",
    "ls missing",
    "cat missing",
    "cut -c1-2 f",
    "tr a b",
    "uniq f",
    "cmp f n",
    "diff f n",
    "expr 1 + 2",
    "seq 5",
    "echo hello",
    "printf %d 5",
    "true",
    "false",
    "basename a/b",
    "dirname a/b",
    "date -u -d @0",
    "env",
    "printenv PATH",
    "awk {print} f",
    "xargs echo",
    "base64 f",
    "strings n",
    "cksum f",
    "tee t2",
    "test -f f",
    "which sh",
    "pwd",
    "nproc",
    "sync",
    "split -l 50 n",
    "tac f",
    "rev f",
    "fold -w 3 f",
    "nl f",
    "paste f f",
    "comm f f",
    "expand f",
    "factor 60",
    "realpath l",
    "install -m 600 f i",
    "bzip2 -k n",
    "unxz missing",
    "cpio -t",
    "logname",
    "sleep 0.01",
    "usleep 10",
    "nice true",
    "nohup true",
    "kill -l",
    "whoami",
    "groups",
    "mknod p p",
    "mkfifo fifo",
    "dc -e 1",
    "bc",
    "ed f",
    "patch -p0",
];

/// Scripts that busybox's shell runs, of several processes each.
const SCRIPTS: &[&str] = &[
    "cat f | sort | head -1",
    "for i in 1 2 3; do echo $i; done",
    "(exit 3); echo $?",
    "sleep 0.01 & wait",
    "trap 'echo t' USR1; kill -USR1 $$; echo done",
    "echo a > o; cat o >> o2; rm o o2",
    "x=$(cat f); echo \"$x\"",
    "kill -9 $$",
    "read a < f; echo $a",
    "cat <<E\nhere\nE",
    "exec cat f",
    "cd d && pwd && ls",
];

/// Programs of guest-tests, built static.
const GUESTS: &[&str] = &[
    "net_udp",
    "net_options",
    "net_errors",
    "event_epoll",
    "event_files",
    "io_pipe",
    "io_rw",
    "io_fd",
    "io_splice",
    "fs_open",
    "fs_dirs",
    "fs_links",
    "fs_stat",
    "fs_xattr",
    "fs_fifo",
    "signal_mask",
    "signal_info",
    "signal_queue",
    "signal_stack",
    "signal_errors",
    "mm_map",
    "mm_remap",
    "mm_advise",
    "task_prctl",
    "futex_basic",
    "net_unix_names",
    "net_unix_rights",
    "event_epoll_unix",
    "ipc_mq",
    "signal_restart",
];

struct Run {
    name: String,
    command: Vec<String>,
    options: &'static str,
}

fn guest(name: &str, into: &Path) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-tests").join(name).join("main.c");
    let program = into.join(name);
    let include = source.parent()?.parent()?;
    let built = Command::new("gcc")
        .args(["-static", "-O1", "-w", "-pthread", "-D_GNU_SOURCE", "-I"])
        .arg(include)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .args(["-lrt", "-lm"])
        .stderr(Stdio::null())
        .status();
    built.is_ok_and(|s| s.success()).then(|| program.to_string_lossy().into_owned())
}

fn runs(built: &Path) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut turn = 0..;
    let mut add = |name: &str, command: Vec<String>, with: Option<&'static str>| {
        let options = with.unwrap_or_else(|| OPTIONS[turn.next().unwrap_or(0) % OPTIONS.len()]);
        runs.push(Run { name: name.to_string(), command, options });
    };
    if Path::new("/bin/busybox").exists() {
        for line in BUSYBOX {
            let words = std::iter::once("/bin/busybox").chain(line.split(' ')).map(String::from).collect();
            add(line, words, None);
        }
        for script in SCRIPTS {
            let words = ["/bin/busybox", "sh", "-c", script].map(String::from).to_vec();
            add(script, words.clone(), Some("-f"));
            add(script, words, Some("-f -y -s 12"));
        }
    } else {
        eprintln!("skipped: busybox is not installed");
    }
    for options in ["-y", "-yy", "-e decode-fds=dev,path -x"] {
        match super::build("descriptors", built) {
            Some(program) => add("descriptors", vec![program], Some(options)),
            None => eprintln!("skipped: descriptors.c (gcc -static does not build it here)"),
        }
    }
    for name in GUESTS {
        match guest(name, built) {
            Some(program) => add(name, vec![program], Some("-f")),
            None => eprintln!("skipped: {name} (gcc -static does not build it here)"),
        }
    }
    runs
}

/// Runs a tracer in a fresh folder and gives its trace; nothing if it does not end.
fn trace(tracer: &[&str], run: &Run) -> Option<String> {
    let options: Vec<&str> = run.options.split(' ').filter(|o| !o.is_empty()).collect();
    let command: Vec<&str> = run.command.iter().map(String::as_str).collect();
    let (folder, bytes) = traced(tracer, &options, &command, LIMIT)?;
    Some(String::from_utf8_lossy(&bytes).replace(&*folder.to_string_lossy(), "DIR"))
}

/// Names in front of numbers that differ between any two runs.
const NUMBERS: &[&str] = &[
    "tv_sec=",
    "tv_nsec=",
    "tv_usec=",
    "st_ino=",
    "st_dev=",
    "d_ino=",
    "d_off=",
    "st_atime=",
    "st_mtime=",
    "st_ctime=",
    "st_atime_nsec=",
    "st_mtime_nsec=",
    "st_ctime_nsec=",
    "si_utime=",
    "si_stime=",
    "stx_ino=",
    "sin_port=htons",
    "sin6_port=htons",
    "stx_mnt_id=",
    "st_blocks=",
    "st_blksize=",
    "socket:",
    "pipe:",
    "UNIX-STREAM:",
    "UNIX:",
    "TCP:",
    "TCPv6:",
    "UDP:",
    "UDPv6:",
    "ROUTE:",
    "0.0.1:",
    "[::1]:",
    "si_timerid=",
];

/// A line without what differs between any two runs: addresses, times, inode numbers, ports, random bytes.
fn without_chance(line: &str) -> String {
    let line = fold_line(line, "?");
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/* ")
            && comment.starts_with(|c: char| c.is_ascii_digit())
            && let Some(end) = comment.find("*/")
            && comment[..end].contains('T')
        {
            rest = &comment[end + 2..];
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let label = NUMBERS.iter().any(|n| {
            out.strip_suffix(n).is_some()
                || out
                    .strip_suffix('(')
                    .or_else(|| out.strip_suffix('['))
                    .is_some_and(|o| o.ends_with(n.trim_end_matches('=')))
                || out.ends_with("->")
        });
        if digits > 0 && label {
            out.push('N');
            rest = &rest[digits..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    without_random_name(&out)
}

/// The six random characters that mkstemp(3) puts at the end of a name.
fn without_random_name(line: &str) -> String {
    let mut out = line.to_string();
    let mut from = 0;
    while let Some(dot) = out[from..].find('.').map(|at| from + at) {
        let name = out.get(dot + 1..dot + 7).filter(|n| n.bytes().all(|b| b.is_ascii_alphanumeric()));
        if name.is_some() && out[dot + 7..].starts_with('"') {
            out.replace_range(dot + 1..dot + 7, "RANDOM");
        }
        from = dot + 1;
    }
    out
}

/// What stands in front of process ids.
const BEFORE_IDS: &[&str] = &[
    "= ",
    "si_pid=",
    "pid=",
    "kill(",
    "wait4(",
    "P_PID,",
    "pgid(",
    "getsid(",
    "F_SETOWN,",
    "-",
    "prlimit64(",
    "queueinfo(",
    "pidfd_open(",
    "P_PGID,",
    "SELF,",
    "P0,",
    "tgkill(-1,",
    "tgkill(67108863,",
    "=> ",
    "[",
    "<pid:",
];

/// The lines of every process in the order in which they were made, calls put together, ids replaced by that order.
fn fold(text: &str, options: &str) -> Vec<String> {
    let follows = options.split(' ').any(|o| o == "-f");
    let mut lines: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut unfinished: BTreeMap<u64, String> = BTreeMap::new();
    for line in text.lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let (pid, rest) = match line[..digits].parse() {
            Ok(pid) if follows => (pid, line[digits..].trim_start()),
            _ => (0, line),
        };
        if let Some(start) = rest.strip_suffix("<unfinished ...>").filter(|s| !s.contains(") ")) {
            unfinished.insert(pid, start.trim_end().to_string());
            continue;
        }
        let resumed = rest.split_once("<... ").and_then(|(_, r)| r.split_once(" resumed>"));
        let whole = match resumed {
            Some((_, end)) => format!("{}{}", unfinished.remove(&pid).unwrap_or_default(), end.trim_start()),
            None => rest.to_string(),
        };
        if !LEFT_OUT.iter().any(|(part, _)| whole.contains(part)) {
            lines.entry(pid).or_default().push(super::without_times(&whole));
        }
    }
    let pids: Vec<String> = lines.keys().map(u64::to_string).collect();
    let own: Vec<String> = text
        .lines()
        .filter(|l| ["set_tid_address(", "getpid(", "gettid(", "getpgrp(", "getsid("].iter().any(|c| l.contains(c)))
        .filter_map(|l| l.rsplit("= ").next())
        .map(|v| v.split([' ', '<']).next().unwrap_or_default().to_string())
        .collect();
    // Those of System V's IPC.
    let objects: Vec<&str> = text
        .lines()
        .filter(|l| ["semget(", "msgget(", "shmget("].iter().any(|c| l.contains(c)))
        .filter_map(|l| l.rsplit_once(") = ").map(|(_, id)| id))
        .collect();
    let number = |line: &str| {
        let mut line = without_chance(line);
        for call in ["semctl(", "semop(", "semtimedop(", "msgctl(", "msgsnd(", "msgrcv(", "shmctl(", "shmat("] {
            let Some(at) = line.find(call).map(|at| at + call.len()) else { continue };
            let end = line[at..].find(',').map_or(line.len(), |e| at + e);
            if objects.contains(&&line[at..end]) {
                line.replace_range(at..end, "ID");
            }
        }
        if line.contains("semget(") || line.contains("msgget(") || line.contains("shmget(") {
            let id = line.rsplit_once(") = ").filter(|(_, id)| objects.contains(id)).map(|(call, _)| call.len());
            if let Some(at) = id {
                line.replace_range(at + 4.., "ID");
            }
        }
        let mut out = String::with_capacity(line.len());
        for part in line.replace(", ", ",").split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let end = &part[word.len()..];
            let is_id = word.len() > 2 && BEFORE_IDS.iter().any(|b| out.ends_with(b));
            match pids.iter().position(|p| p == word) {
                Some(i) if is_id && follows => out.push_str(&format!("P{i}{end}")),
                _ if is_id && own.iter().any(|o| o == word) => out.push_str(&format!("SELF{end}")),
                _ => out.push_str(part),
            }
        }
        while let Some(at) = out.find("  ") {
            out.remove(at);
        }
        out
    };
    let many = lines.len() > 1;
    lines
        .values()
        .enumerate()
        .flat_map(|(i, own)| own.iter().map(move |l| (i, l)))
        .map(|(i, l)| if many { format!("P{i} {}", number(l)) } else { number(l) })
        .take(LINES)
        .collect()
}

/// What a comparison found.
struct Finding {
    title: String,
    equal: usize,
    all: usize,
    differences: Vec<String>,
}

fn compare(run: &Run) -> Option<Finding> {
    let sevm: PathBuf = sevm();
    let theirs = trace(&["strace"], run)?;
    let ours = trace(&[&sevm.to_string_lossy(), "trace"], run)?;
    let (theirs, ours) = (fold(&theirs, run.options), fold(&ours, run.options));
    let (equal, differences) = align(&theirs, &ours);
    let all = theirs.len().max(ours.len());
    Some(Finding { title: format!("{:24} {}", run.options, run.name.replace('\n', " ")), equal, all, differences })
}

#[test]
fn many_programs_trace_as_under_strace() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let built = tempfile::tempdir().expect("temporary folder");
    let only = std::env::var("SEVM_STRACE_ONLY").unwrap_or_default();
    let runs: Vec<Run> = runs(built.path()).into_iter().filter(|r| r.name.contains(&only)).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = compare(run);
                    findings.lock().expect("no panic").push((run.name.clone(), found));
                }
            });
        }
    });
    let findings = findings.into_inner().expect("no panic");
    let (mut equal, mut all, mut explained, mut lost) = (0, 0, 0, Vec::new());
    for (name, found) in findings {
        let Some(found) = found else {
            lost.push(name);
            continue;
        };
        let reason = |line: &String| REASONS.iter().find(|(part, _)| line.contains(part)).map(|(_, reason)| *reason);
        let share = 100.0 * found.equal as f64 / found.all.max(1) as f64;
        println!("{share:5.1} %  {:4} lines  {}", found.all, found.title);
        for difference in found.differences.iter().filter(|d| reason(d).is_none()).take(8) {
            println!("  {difference}");
        }
        let known = found.differences.iter().filter(|d| reason(d).is_some()).count().div_ceil(2);
        (equal, all, explained) = (equal + found.equal, all + found.all, explained + known);
    }
    let share = 100.0 * (equal + explained) as f64 / all.max(1) as f64;
    println!(
        "{:.2} % of {all} lines in {} runs with {} sets of options are equal; {share:.2} % with those that have a reason",
        100.0 * equal as f64 / all.max(1) as f64,
        runs.len(),
        OPTIONS.len() + 2,
    );
    assert!(lost.len() * 50 <= runs.len(), "these did not end: {lost:?}");
    assert!(all == 0 || share >= AT_LEAST, "only {share:.2} % of lines are equal");
}
