//! Bad pointers in every call: for each implemented call and each pointer it takes, a program made from the table
//! passes bad addresses with everything else in order, and prints what came back. What the x86_64 kernel of this
//! machine gives is right for both architectures.

mod common;

use common::build::{self, Build, Libc};
use common::{Job, Place};
use sevm::arch::Arch;
use sevm::syscalls::{Arg, Dir, ENTRIES, Elem, Entry, Scalar, Struct, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Calls that are not made, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("settimeofday", "one good argument sets the clock of the machine"),
    ("execve", "a NULL list of arguments is accepted, and the program replaced"),
    ("execveat", "a NULL list of arguments is accepted, and the program replaced"),
    ("clone", "would make another process"),
    ("clone3", "would make another process"),
    ("modify_ldt", "changes segments that the C library uses"),
    ("prctl.PR_SET_SECCOMP", "would confine the program"),
    ("seccomp", "would confine the program"),
    ("reboot", "acts on the machine"),
    ("kexec_load", "acts on the machine"),
    ("swapoff", "acts on the machine"),
];

/// Where sevm may differ from this machine's kernel: lines that begin with the text, what sevm gives, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("futex.FUTEX_LOCK_PI", "ENOSYS", NO_PI),
    ("futex.FUTEX_TRYLOCK_PI", "ENOSYS", NO_PI),
    ("futex.FUTEX_UNLOCK_PI", "ENOSYS", NO_PI),
    ("futex.FUTEX_CMP_REQUEUE_PI", "ENOSYS", NO_PI),
    ("futex.FUTEX_WAIT_REQUEUE_PI", "ENOSYS", NO_PI),
    ("prctl.PR_SET_VMA arg5", "EFAULT", "a kernel may be built without names of areas, and then gives EINVAL"),
    ("prctl.PR_GET_TSC", "EINVAL", "aarch64 has no such counter to forbid"),
    ("vmsplice iov.iov_base edge", "EFAULT", "a page is taken whole or not at all, as write(2) to a pipe does"),
    ("mount", "EPERM", NO_RIGHT),
    ("pivot_root", "EPERM", NO_RIGHT),
    ("move_mount", "EPERM", NO_RIGHT),
    ("fsopen", "EPERM", NO_RIGHT),
    ("fspick", "EPERM", NO_RIGHT),
    ("swapon", "EPERM", NO_RIGHT),
    ("acct", "EPERM", NO_RIGHT),
    ("init_module", "EPERM", NO_RIGHT),
    ("finit_module", "EPERM", NO_RIGHT),
    ("delete_module", "EPERM", NO_RIGHT),
    ("kexec_file_load", "EPERM", NO_RIGHT),
    ("bpf", "EPERM", NO_RIGHT),
    ("open_by_handle_at", "EPERM", NO_RIGHT),
    ("mount_setattr", "EPERM", NO_RIGHT),
    ("open_tree_attr", "EPERM", NO_RIGHT),
    ("perf_event_open", "EACCES", NO_RIGHT),
    ("landlock_create_ruleset", "EOPNOTSUPP", "a kernel may have Landlock switched off"),
    ("landlock_add_rule", "EOPNOTSUPP", "a kernel may have Landlock switched off"),
];

const NO_RIGHT: &str = "nobody has the right to administrate the machine, not even root";
const NO_PI: &str = "priority inheritance is not implemented";

/// Kinds of bad pointers, as the generated program knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    /// NULL where the call does not accept it.
    Null,
    /// An address that nothing is mapped at.
    Unmapped,
    /// In the kernel's half.
    Kernel,
    /// In neither half.
    Neither,
    /// One good byte, the last of its page; the next page is not mapped.
    Edge,
    /// A page without any access.
    None,
    /// A page that can only be read, for results.
    ReadOnly,
}

impl Bad {
    const ALL: [Bad; 7] = [Bad::Null, Bad::Unmapped, Bad::Kernel, Bad::Neither, Bad::Edge, Bad::None, Bad::ReadOnly];

    fn name(self) -> &'static str {
        match self {
            Bad::Null => "null",
            Bad::Unmapped => "unmapped",
            Bad::Kernel => "kernel",
            Bad::Neither => "neither",
            Bad::Edge => "edge",
            Bad::None => "none",
            Bad::ReadOnly => "readonly",
        }
    }

    /// Whether it is bad for this argument.
    fn applies(self, arg: &Arg) -> bool {
        match self {
            Bad::Null => !arg.nullable,
            Bad::ReadOnly => matches!(arg.ty, Type::Ptr { dir: Dir::Out | Dir::InOut, .. }),
            // One byte is all that these want.
            Bad::Edge => !matches!(arg.ty, Type::Ptr { elem: Elem::Struct(Struct::PageState), .. }),
            _ => true,
        }
    }
}

/// Good values that the type alone does not tell: call (or `call.VARIANT`), argument, expression of the program.
const GOOD: &[(&str, &str, &str)] = &[
    ("", "sigsetsize", "8"),
    ("", "tgid", "getpid()"),
    ("", "timerid", "timer"),
    ("", "signum", "SIGUSR1"),
    ("", "iovcnt", "1"),
    ("", "nr_segs", "1"),
    ("", "nfds", "1"),
    ("", "timeout", "0"),
    ("", "maxnode", "64"),
    ("", "length", "4096"),
    ("", "owner", "-1"),
    ("", "group", "-1"),
    ("", "resource", "4 /* RLIMIT_CORE */"),
    ("", "pid", "0"),
    ("rt_sigqueueinfo", "sig", "SIGCHLD"),
    ("rt_tgsigqueueinfo", "sig", "SIGCHLD"),
    ("rt_tgsigqueueinfo", "tid", "getpid()"),
    ("select", "nfds", "8"),
    ("pselect6", "nfds", "8"),
    ("wait4", "pid", "-1"),
    ("wait4", "options", "1 /* WNOHANG */"),
    ("waitid", "options", "5 /* WNOHANG | WEXITED */"),
    ("getdents", "fd", "directory"),
    ("getdents64", "fd", "directory"),
    ("getdents", "count", "1024"),
    ("getdents64", "count", "1024"),
    ("readlink", "path", "(long)\"link\""),
    ("readlinkat", "path", "(long)\"link\""),
    ("splice", "fd_in", "pipe_read"),
    ("splice", "fd_out", "file"),
    ("vmsplice", "fd", "pipe_write"),
    ("sendfile", "out_fd", "pipe_write"),
    ("copy_file_range", "fd_out", "second"),
    ("openat2", "size", "24"),
    ("sched_getaffinity", "cpusetsize", "128"),
    ("sched_getattr", "size", "48"),
    ("ustat", "dev", "device"),
    // Not what the word holds, or the call would wait.
    ("futex", "val", "1"),
    ("getcwd", "size", "4096"),
    ("sched_setscheduler", "policy", "0"),
];

/// The expression of a good value of an argument.
fn good(arch: Arch, name: &str, form: &str, arg: &Arg, index: usize) -> String {
    let listed = |call: &str| GOOD.iter().find(|(c, a, _)| *c == call && *a == arg.name).map(|g| g.2);
    let scalar = !arg.ty.is_pointer();
    if let Some(expression) = listed(form).or(listed(name)).or(listed("").filter(|_| scalar)) {
        return expression.into();
    }
    match arg.ty {
        Type::Path | Type::Str => "(long)\"target\"".into(),
        Type::Strs => "(long)strings".into(),
        Type::Ptr { elem: Elem::Struct(Struct::Iovec), .. } => format!("vector({index}, GOOD)"),
        Type::Ptr { elem: Elem::Struct(Struct::CapHeader), .. } => format!("capabilities({index})"),
        Type::Ptr { .. } => format!("room({index})"),
        Type::Scalar(Scalar::Dirfd) => "AT_FDCWD".into(),
        Type::Scalar(Scalar::Fd) if form.starts_with("ioctl.T") => "terminal".into(),
        Type::Scalar(Scalar::Fd) => "file".into(),
        Type::Scalar(Scalar::Addr) => format!("room({index})"),
        Type::Scalar(Scalar::Sig) => "SIGUSR1".into(),
        Type::Scalar(Scalar::Mode) => "0644".into(),
        Type::Scalar(Scalar::Size | Scalar::Ulong) => "64".into(),
        Type::Scalar(Scalar::Int | Scalar::Uint) if ["count", "bufsiz", "size", "len"].contains(&arg.name) => {
            "64".into()
        }
        Type::Enum { set, .. } => set.consts.iter().find_map(|c| c.value[arch.index()]).unwrap_or(0).to_string(),
        Type::Scalar(_) | Type::Flags { .. } => "0".into(),
    }
}

/// One form of a call: itself, or one of the variants that an argument chooses.
struct Form {
    name: String,
    args: &'static [Arg],
    /// The value of the choosing argument.
    selector: Option<(usize, u64)>,
}

fn forms(entry: &'static Entry, arch: Arch) -> Vec<Form> {
    let mut forms = vec![Form { name: entry.name.into(), args: entry.args, selector: None }];
    for variant in entry.variants {
        let selector = usize::from(entry.selector);
        for value in variant.values {
            let (Some(value), Some(canonical)) = (value[arch.index()], value[Arch::X86_64.index()]) else { continue };
            let (Type::Enum { set, .. } | Type::Flags { set, .. }) = entry.args[selector].ty else { continue };
            let constant = set.name_of(Arch::X86_64, canonical).unwrap_or("unnamed");
            forms.push(Form {
                name: format!("{}.{constant}", entry.name),
                args: variant.args,
                selector: Some((selector, value)),
            });
        }
    }
    forms
}

/// Pointers of plain type: calls whose argument is an address of the guest that the kernel reads or writes.
const ADDRESSES: &[(&str, &str)] = &[("futex", "uaddr"), ("futex", "uaddr2")];

fn is_left_out(form: &str) -> bool {
    LEFT_OUT.iter().any(|(name, _)| form == *name)
}

/// The body of the program for `arch`, and how many calls it makes.
fn calls(arch: Arch) -> (String, usize) {
    let mut out = String::new();
    let mut count = 0;
    for entry in ENTRIES.iter().filter(|e| e.is_implemented() && !is_left_out(e.name)) {
        let Some(number) = entry.number(arch) else { continue };
        for form in forms(entry, arch).iter().filter(|f| !is_left_out(&f.name)) {
            let value = |at: usize| match form.selector {
                Some((selector, value)) if selector == at => format!("{value}ul"),
                _ => good(arch, entry.name, &form.name, &form.args[at], at),
            };
            let mut emit = |at: usize, what: &str, expression: &str| {
                let arguments: String = (0..form.args.len())
                    .map(|i| format!(", (long)({})", if i == at { expression.to_owned() } else { value(i) }))
                    .collect();
                let _ = writeln!(out, "    fresh();\n    say(\"{} {what}\", syscall({number}{arguments}));", form.name);
                count += 1;
            };
            for (at, arg) in form.args.iter().enumerate() {
                let address =
                    matches!(arg.ty, Type::Scalar(Scalar::Addr)) && ADDRESSES.contains(&(entry.name, arg.name));
                if !arg.ty.is_pointer() && !address {
                    continue;
                }
                for bad in Bad::ALL.into_iter().filter(|b| b.applies(arg)) {
                    emit(at, &format!("{} {}", arg.name, bad.name()), &format!("bad[{}]", bad as u32));
                }
                if let Type::Ptr { elem: Elem::Struct(Struct::Iovec), .. } = arg.ty {
                    for bad in [Bad::Unmapped, Bad::Kernel, Bad::Edge, Bad::None] {
                        let what = format!("{}.iov_base {}", arg.name, bad.name());
                        emit(at, &what, &format!("vector({at}, bad[{}])", bad as u32));
                    }
                }
            }
        }
    }
    (out, count)
}

/// What stands before the calls.
const PRELUDE: &str = r#"#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define GOOD 0ul
#define ROOM 16384
static unsigned long bad[7];
static char rooms[6][ROOM] __attribute__((aligned(4096)));
static char content[8192];
static char *strings[] = {"target", NULL};
static int file, second, directory, terminal, pipe_read, pipe_write, timer;
static unsigned long device;

static long room(int index) {
    return (long)rooms[index];
}

static long vector(int index, unsigned long base) {
    struct iovec *v = (struct iovec *)rooms[index];
    v->iov_base = base == GOOD ? content : (void *)base;
    v->iov_len = 64;
    return (long)v;
}

static long capabilities(int index) {
    *(unsigned *)rooms[index] = 0x20080522;
    return (long)rooms[index];
}

// The same state before each call.
static void fresh(void) {
    char drain[4096];
    memset(rooms, 0, sizeof rooms);
    memset((char *)bad[4], 'x', 1);
    lseek(file, 0, SEEK_SET);
    lseek(second, 0, SEEK_SET);
    lseek(directory, 0, SEEK_SET);
    while (read(pipe_read, drain, sizeof drain) > 0)
        ;
    if (write(pipe_write, drain, 16) != 16)
        abort();
    errno = 0;
}

static void say(const char *what, long result) {
    int error = errno;
    const char *name = strerrorname_np(error);
    if (result == -1 && error != 0)
        printf("%s %s\n", what, name ? name : "unknown");
    else
        printf("%s ok\n", what);
}

static void prepare(void) {
    char *pages = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    struct stat st;
    setvbuf(stdout, NULL, _IOLBF, 0);
    munmap(pages + 4096, 4096);
    mprotect(pages + 2 * 4096, 4096, PROT_NONE);
    mprotect(pages + 3 * 4096, 4096, PROT_READ);
    bad[0] = 0;
    bad[1] = 0x10;
    bad[2] = 0xffff800000000000;
    bad[3] = 0x00ff000000000000;
    bad[4] = (unsigned long)pages + 4095;
    bad[5] = (unsigned long)pages + 2 * 4096;
    bad[6] = (unsigned long)pages + 3 * 4096;
    file = open("target", O_RDWR | O_CREAT, 0644);
    second = open("second", O_RDWR | O_CREAT, 0644);
    if (write(file, content, sizeof content) != sizeof content || symlink("target", "link") != 0 ||
        pipe2(ends, O_NONBLOCK) != 0)
        abort();
    directory = open(".", O_RDONLY | O_DIRECTORY);
    terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    pipe_read = ends[0];
    pipe_write = ends[1];
    fstat(file, &st);
    device = st.st_dev;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    syscall(SYS_timer_create, 1, NULL, &timer);
}

"#;

/// Writes the program for `arch` and gives its build.
fn generate(arch: common::Arch) -> Result<(Build, usize), String> {
    let (body, count) = calls(arch_of(arch));
    // Functions of moderate size compile in a moment; one of thousands of lines does not.
    let mut text = PRELUDE.to_owned();
    let lines: Vec<&str> = body.lines().collect();
    let parts = lines.chunks(200).enumerate();
    let mut main = "int main(void) {\n    prepare();\n".to_owned();
    for (i, part) in parts {
        let _ = write!(text, "static void part{i}(void) {{\n{}\n}}\n\n", part.join("\n"));
        let _ = writeln!(main, "    part{i}();");
    }
    text += &format!("{main}    puts(\"end\");\n    return 0;\n}}\n");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("efault").join(arch.name());
    let source = dir.join("main.c");
    build::write_source(&source, &text)?;
    Ok((Build { source, arch, libc: Libc::Glibc, flags: vec!["-O0".into(), "-w".into()] }, count))
}

fn arch_of(arch: common::Arch) -> Arch {
    match arch {
        common::Arch::X86_64 => Arch::X86_64,
        common::Arch::Aarch64 => Arch::Aarch64,
    }
}

/// Runs the program of `arch`, under sevm or as Linux does, and gives the result of each call by its text.
fn results(arch: common::Arch, under_sevm: bool) -> Result<BTreeMap<String, String>, String> {
    let (build, count) = generate(arch)?;
    let mut command = if under_sevm { common::sevm_run::<&str>(&[]) } else { arch.reference().map_err(|m| m.0)? };
    command.push(build.get()?.into());
    let prepare = |_: &Path| Ok(());
    let job = Job { args: &[], env: &[], stdin: None, timeout: Duration::from_secs(120), prepare: &prepare };
    let outcome = Place::new()?.run(&command, &job)?;
    let text = String::from_utf8_lossy(&outcome.stdout);
    let results: BTreeMap<_, _> =
        text.lines().filter_map(|l| l.rsplit_once(' ')).map(|(call, r)| (call.to_owned(), r.to_owned())).collect();
    if outcome.status.code() != Some(0) || !text.ends_with("end\n") {
        return Err(format!(
            "{} after {:?}\n{}",
            common::status(outcome.status),
            text.lines().last(),
            common::excerpt(&outcome.stderr)
        ));
    }
    if results.len() != count {
        return Err(format!("{} results of {count} calls", results.len()));
    }
    Ok(results)
}

fn check(arch: common::Arch) -> Result<(), String> {
    let oracle = results(common::Arch::X86_64, false).map_err(|e| format!("reference: {e}"))?;
    let actual = results(arch, true)?;
    let mut wrong = String::new();
    let (mut faults, mut calls) = (0, BTreeSet::new());
    let name = |call: &str| call.split([' ', '.']).next().unwrap_or_default().to_owned();
    let known: BTreeSet<String> = oracle.iter().filter(|(_, r)| *r != "ENOSYS").map(|(c, _)| name(c)).collect();
    for (call, got) in &actual {
        // A kernel older than the call, or one of another architecture, says nothing: a bad pointer is EFAULT.
        let want = oracle.get(call).filter(|_| known.contains(&name(call))).map_or("EFAULT", String::as_str);
        faults += usize::from(got == "EFAULT");
        calls.insert(name(call));
        let excused = DIFFERENCES.iter().any(|(start, gives, _)| call.starts_with(start) && got == gives);
        if got != want && !excused {
            let _ = writeln!(wrong, "{call}: {got}, expected {want}");
        }
    }
    println!("{}: {} calls of {} kinds, {faults} of them EFAULT", arch.name(), actual.len(), calls.len());
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// A reason to leave a call out must be about a call that exists.
fn check_lists() -> Result<(), String> {
    for (name, _) in LEFT_OUT {
        let call = name.split('.').next().unwrap_or(name);
        if !ENTRIES.iter().any(|e| e.name == call) {
            return Err(format!("{name} is left out but is no call"));
        }
    }
    for (name, arg, _) in GOOD {
        let mut named = ENTRIES.iter().filter(|e| name.is_empty() || e.name == *name);
        if !named.any(|e| e.args.iter().any(|a| a.name == *arg)) {
            return Err(format!("a value is given for {arg} of {name}, which does not exist"));
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut trials = vec![common::trial("lists".into(), Ok(()), check_lists)];
    for arch in common::Arch::ALL {
        let build = Build { source: "main.c".into(), arch, libc: Libc::Glibc, flags: vec![] };
        let native = Build { arch: common::Arch::X86_64, ..build.clone() };
        let needs = build.needs().and(native.needs()).and(common::Arch::X86_64.reference().map(|_| ()));
        trials.push(common::trial(arch.name().into(), needs, move || check(arch)));
    }
    common::run_trials(trials)
}
