//! The tables against everything outside that knows better: the `syscalls` crate for numbers, strace's classes, both C
//! compilers' kernel headers for constants, and the handlers in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sevm::arch::Arch;
use sevm::syscalls::{ENTRIES, Elem, Entry, Level, Ret, Scalar, Type, by_name, lookup, parse, sets};

/// Calls carried out at least. Raise it with the handlers; it never falls.
const IMPLEMENTED_AT_LEAST: usize = 28;

const ARCHES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

fn table(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("syscall-tables").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Names and numbers of one architecture as the table has them.
fn numbers(arch: Arch) -> BTreeMap<&'static str, u32> {
    let mut out = BTreeMap::new();
    for e in ENTRIES {
        if let Some(nr) = e.number(arch) {
            assert!(out.insert(e.name, u32::from(nr)).is_none(), "{} stands twice for {arch:?}", e.name);
        }
    }
    out
}

#[test]
fn numbers_are_those_of_the_syscalls_crate() {
    // The crate takes the generic header's name; Linux and strace call it as on x86_64.
    let name = |n: &'static str| if n == "fstatat" { "newfstatat" } else { n };
    let all = 0..1024;
    let x86 = all.clone().filter_map(|n| syscalls::x86_64::Sysno::new(n).map(|s| (name(s.name()), n as u32)));
    let arm = all.filter_map(|n| syscalls::aarch64::Sysno::new(n).map(|s| (name(s.name()), n as u32)));
    let differences = |ours: BTreeMap<&'static str, u32>, theirs: BTreeMap<&'static str, u32>| {
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) = (ours.into_iter().collect(), theirs.into_iter().collect());
        ours.symmetric_difference(&theirs).copied().collect::<Vec<_>>()
    };
    assert_eq!(differences(numbers(Arch::X86_64), x86.collect()), []);
    assert_eq!(differences(numbers(Arch::Aarch64), arm.collect()), []);
}

#[test]
fn numbers_and_names_find_their_entry() {
    for arch in ARCHES {
        for (name, nr) in numbers(arch) {
            let index = lookup(arch, u64::from(nr)).unwrap_or_else(|| panic!("{arch:?} {nr} finds nothing"));
            assert_eq!(ENTRIES[index].name, name);
            assert_eq!(by_name(arch, name).and_then(|e| e.number(arch)).map(u32::from), Some(nr));
        }
        for nr in [1023, 5000, u64::MAX] {
            assert_eq!(lookup(arch, nr), None, "{arch:?} {nr}");
        }
    }
}

/// How many calls are in each class, as strace counts them (x86_64, aarch64).
const CLASS_SIZES: &[(&str, [usize; 2])] = &[
    ("file", [75, 55]),
    ("desc", [131, 118]),
    ("process", [16, 14]),
    ("network", [21, 19]),
    ("signal", [17, 15]),
    ("ipc", [12, 12]),
    ("memory", [28, 28]),
    ("creds", [19, 19]),
    ("clock", [8, 7]),
    ("pure", [8, 7]),
    ("stat", [1, 0]),
    ("lstat", [1, 0]),
    ("fstat", [3, 3]),
    ("stat_like", [5, 3]),
    ("statfs", [1, 1]),
    ("fstatfs", [1, 1]),
    ("statfs_like", [3, 2]),
];

#[test]
fn classes_are_straces() {
    for &(class, sizes) in CLASS_SIZES {
        let count = |arch| ENTRIES.iter().filter(|e| e.number(arch).is_some() && e.classes.contains(&class)).count();
        assert_eq!(ARCHES.map(count), sizes, "%{class}");
    }
    let known: BTreeSet<&str> = CLASS_SIZES.iter().map(|(c, _)| *c).collect();
    for e in ENTRIES {
        for c in e.classes {
            assert!(known.contains(c), "{}: unknown class %{c}", e.name);
        }
    }
}

#[test]
fn classes_agree_with_the_arguments() {
    // Queue names are no files; absent calls have no class in strace.
    let not_files = ["mq_open", "mq_unlink", "utimensat_time64"];
    for e in ENTRIES {
        let has = |pred: fn(&Type) -> bool| e.args.iter().any(|a| pred(&a.ty));
        if has(|t| matches!(t, Type::Path)) && !not_files.contains(&e.name) {
            assert!(e.classes.contains(&"file"), "{} takes a file name but is not in %file", e.name);
        }
        if has(|t| matches!(t, Type::Scalar(Scalar::Dirfd))) && !not_files.contains(&e.name) {
            assert!(e.classes.contains(&"desc"), "{} takes a directory but is not in %desc", e.name);
        }
        if e.classes.contains(&"pure") {
            assert!(e.args.len() <= 1, "%pure {} has arguments that could fail", e.name);
        }
    }
}

#[test]
fn both_lines_of_a_call_have_the_same_arguments() {
    let mut seen: BTreeMap<&str, &Entry> = BTreeMap::new();
    for e in ENTRIES {
        let Some(first) = seen.insert(e.name, e) else { continue };
        let names = |e: &Entry| e.args.iter().map(|a| a.name).collect::<BTreeSet<_>>();
        assert_eq!(names(first), names(e), "{}", e.name);
        assert_eq!(first.handler, e.handler, "{}", e.name);
        assert_eq!(first.classes, e.classes, "{}", e.name);
    }
}

#[test]
fn variants_are_reached_by_their_constant() {
    for e in ENTRIES.iter().filter(|e| !e.variants.is_empty()) {
        for (at, v) in e.variants.iter().enumerate() {
            for value in v.values {
                for arch in ARCHES {
                    let (Some(raw), Some(_)) = (value[arch.index()], e.number(arch)) else { continue };
                    let mut args = [0; 6];
                    args[usize::from(e.selector)] = raw;
                    let (form, _) = e.form(arch, &args);
                    assert!(std::ptr::eq(form, v.args), "{}: {raw:#x} does not reach its form {at}", e.name);
                }
            }
        }
    }
}

#[test]
fn a_private_or_realtime_futex_has_the_form_of_its_operation() {
    let futex = by_name(Arch::Aarch64, "futex").expect("futex is in the table");
    let names = |op| futex.form(Arch::Aarch64, &[0, op, 0, 0, 0, 0]).0.len();
    assert_eq!(names(0), 4, "FUTEX_WAIT");
    assert_eq!(names(1 | 128), 3, "FUTEX_WAKE_PRIVATE");
    assert_eq!(names(9 | 128 | 256), 6, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME");
    assert_eq!(names(77), 6, "an unknown operation");
}

#[test]
fn what_is_refused_says_so_consistently() {
    for e in ENTRIES {
        assert_eq!(e.handler.is_empty(), matches!(e.level, Level::None(_)), "{}", e.name);
        if matches!(e.level, Level::Partial) {
            assert!(!e.note.is_empty(), "{} is partial without saying in what", e.name);
        }
        if matches!(e.ret, Ret::None) {
            assert!(e.name.starts_with("exit"), "{} returns", e.name);
        }
    }
}

#[test]
fn outputs_have_a_size() {
    for e in ENTRIES {
        for a in e.args {
            if let Type::Ptr { elem: Elem::Bytes, len, .. } = a.ty {
                assert!(len.is_some(), "{}: {} has no length", e.name, a.name);
            }
        }
    }
}

#[test]
fn no_call_gets_lost() {
    let count = ENTRIES.iter().filter(|e| e.is_implemented()).map(|e| e.name).collect::<BTreeSet<_>>().len();
    assert!(count >= IMPLEMENTED_AT_LEAST, "{count} calls are implemented, there were {IMPLEMENTED_AT_LEAST}");
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for f in std::fs::read_dir(dir).expect("a directory of the source") {
        let path = f.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Functions below `kernel/` that take a call's argument struct: the handlers.
fn handlers_in_source() -> BTreeSet<String> {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel");
    let mut files = Vec::new();
    rust_files(&kernel, &mut files);
    let mut out = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let relative = file.strip_prefix(&kernel).expect("below kernel/");
        let module = relative.iter().next().and_then(|m| m.to_str()).expect("a name").trim_end_matches(".rs");
        for part in text.split("pub fn ").skip(1) {
            let Some((head, _)) = part.split_once('{') else { continue };
            let Some((name, signature)) = head.split_once('(') else { continue };
            if signature.contains("&args::") && signature.contains("SysResult") {
                out.insert(format!("{module}::{name}"));
            }
        }
    }
    out
}

#[test]
fn every_handler_has_a_line() {
    let named: BTreeSet<String> = ENTRIES.iter().filter(|e| !e.handler.is_empty()).map(|e| e.handler.into()).collect();
    let unused: Vec<_> = handlers_in_source().difference(&named).cloned().collect();
    assert!(unused.is_empty(), "handlers that no line of linux.tbl names: {unused:?}");
}

/// Kernel headers, and the C library's where the kernel's do not compile for a program.
const KERNEL_HEADERS: &str = "types serial fcntl fs stat falloc fadvise openat2 memfd close_range xattr fiemap msdos_fs loop \
    blkpg blktrace_api hdreg rtc random kd vt cdrom userfaultfd nsfs perf_event if_tun sockios fsverity fscrypt mman \
    membarrier mempolicy sched wait pidfd ioprio personality prctl capability securebits seccomp ptrace kcmp rseq futex \
    timerfd poll eventpoll inotify fanotify net in in6 ipv6 netlink socket tcp udp if_packet ipc shm sem msg mount \
    module kexec reboot keyctl landlock bpf io_uring termios tty magic if_ether";
const LIBC_HEADERS: &str = "errno.h signal.h time.h fcntl.h sys/socket.h sys/eventfd.h sys/timex.h sys/resource.h \
    sys/wait.h sys/sem.h sys/shm.h sys/msg.h netinet/in.h sys/stat.h dirent.h unistd.h sys/epoll.h poll.h sched.h \
    sys/time.h sys/mman.h sys/inotify.h sys/signalfd.h";
/// Names that the C library gives another value than the kernel, on purpose.
const LIBC_DIFFERS: &[&str] = &["O_LARGEFILE", "__O_TMPFILE", "O_ACCMODE", "F_GETLK64", "F_SETLK64", "F_SETLKW64"];

fn assertion(c: &mut String, name: &str, value: Option<u64>) {
    let _ = match value {
        Some(v) => {
            let mask = if v > u64::from(u32::MAX) { u64::MAX } else { u64::from(u32::MAX) };
            writeln!(
                c,
                "#ifdef {name}\n_Static_assert(((unsigned long long)({name}) & {mask:#x}ull) == {v:#x}ull, \"{name}\");\n#endif"
            )
        }
        None => writeln!(c, "#ifdef {name}\n_Static_assert(0, \"{name} exists here\");\n#endif"),
    };
}

/// Compiles `source` with assertions and gives back the compiler's complaints; `None` without that compiler.
fn complaints(compiler: &str, source: &str) -> Option<Vec<String>> {
    let mut child = Command::new(compiler)
        .args(["-w", "-D_GNU_SOURCE", "-fsyntax-only", "-xc", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C")
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(source.as_bytes()).ok()?;
    let out = child.wait_with_output().ok()?;
    Some(String::from_utf8_lossy(&out.stderr).lines().filter(|l| l.contains("error")).map(String::from).collect())
}

#[test]
fn constants_are_those_of_the_headers() {
    for (compiler, arch) in [("x86_64-linux-gnu-gcc", Arch::X86_64), ("aarch64-linux-gnu-gcc", Arch::Aarch64)] {
        let mut kernel = String::new();
        for h in KERNEL_HEADERS.split_whitespace() {
            let _ = writeln!(kernel, "#if __has_include(<linux/{h}.h>)\n#include <linux/{h}.h>\n#endif");
        }
        for h in ["asm/mman.h", "asm/ptrace.h", "asm/prctl.h", "asm/ptrace-abi.h", "asm/ioctls.h"] {
            let _ = writeln!(kernel, "#if __has_include(<{h}>)\n#include <{h}>\n#endif");
        }
        let mut libc = String::new();
        for h in LIBC_HEADERS.split_whitespace() {
            let _ = writeln!(libc, "#include <{h}>");
        }
        let mut seen = BTreeSet::new();
        for set in sets::ALL {
            for c in set.consts {
                if seen.insert(c.name()) {
                    assertion(&mut kernel, c.name(), c.value[arch.index()]);
                    if !LIBC_DIFFERS.contains(&c.name()) {
                        assertion(&mut libc, c.name(), c.value[arch.index()]);
                    }
                }
            }
        }
        for file in ["errno.tbl", "signal.tbl"] {
            for n in parse::named(&table(file)).expect("the table parses") {
                assertion(&mut libc, &n.name, Some(u64::from(n.value)));
            }
        }
        for source in [kernel, libc] {
            match complaints(compiler, &source) {
                Some(list) => assert!(list.is_empty(), "{compiler}: {list:#?}"),
                None => eprintln!("{compiler} is not there: its headers are not compared"),
            }
        }
    }
}

#[test]
fn a_constant_has_one_value_in_all_sets() {
    let mut seen: BTreeMap<&str, (&str, [Option<u64>; 2])> = BTreeMap::new();
    for set in sets::ALL {
        for c in set.consts {
            let (first, value) = *seen.entry(c.name()).or_insert((set.name, c.value));
            assert_eq!(value, c.value, "{} in {first} and in {}", c.name(), set.name);
        }
    }
}

#[test]
fn names_of_several_bits_stand_before_their_parts() {
    for set in sets::ALL.iter().filter(|s| !s.is_enum) {
        for arch in ARCHES {
            let bits: Vec<_> = set
                .consts
                .iter()
                .filter_map(|c| c.value[arch.index()].map(|v| (c.name(), v)))
                .filter(|(_, v)| v & !set.mask != 0)
                .collect();
            for (i, (early, e)) in bits.iter().enumerate() {
                for (late, l) in &bits[i + 1..] {
                    assert!(*l == *e || l & e != *e, "{}: {early} hides {late} on {arch:?}", set.name);
                }
            }
        }
    }
}

#[test]
fn open_flags_translate_both_ways() {
    let open = sets::by_name("open").expect("the set open");
    let on = |arch, names: &[&str]| names.iter().fold(0, |a, n| a | open.value_of(arch, n).expect("a flag"));
    for names in [
        &["O_DIRECTORY", "O_CLOEXEC"][..],
        &["O_NOFOLLOW", "O_WRONLY"],
        &["O_DIRECT", "O_LARGEFILE", "O_RDWR"],
        &["O_TMPFILE", "O_RDWR"],
        &["O_CREAT", "O_EXCL", "O_SYNC"],
    ] {
        let (x86, arm) = (on(Arch::X86_64, names), on(Arch::Aarch64, names));
        assert_eq!(open.to_canonical(Arch::Aarch64, arm), x86, "{names:?}");
        assert_eq!(open.from_canonical(Arch::Aarch64, x86), arm, "{names:?}");
        assert_eq!(open.to_canonical(Arch::X86_64, x86), x86);
    }
    assert_ne!(on(Arch::X86_64, &["O_DIRECTORY"]), on(Arch::Aarch64, &["O_DIRECTORY"]));
}

#[test]
fn a_broken_line_is_refused_with_its_place() {
    let good = "  0 63 read(fd: fd, buf: out bytes[ret], count: size) -> size | %desc | inject | - | none\n";
    assert_eq!(parse::calls(good).map(|c| c.len()), Ok(1));
    for (bad, why) in [
        ("0 63 read(fd: fd) -> size | %desc | inject | -", "a column is missing"),
        ("- - read(fd: fd) -> size | %desc | inject | - | none", "no number"),
        ("9999 63 read(fd: fd) -> size | %desc | inject | - | none", "a number out of range"),
        ("0 63 read(fd: fd, fd: int) -> size | - | inject | - | none", "two arguments of one name"),
        ("0 63 read(fd: thing) -> size | - | inject | - | none", "an unknown type"),
        ("0 63 read(fd: fd) -> thing | - | inject | - | none", "an unknown result"),
        ("0 63 read(fd) -> size | - | inject | - | none", "an argument without type"),
        ("0 63 read(b: out bytes[n]) -> size | - | inject | - | none", "a length that names no argument"),
        ("0 63 read(b: out bytes) -> size | - | inject | - | none", "bytes without length"),
        ("0 63 read(b: out int[n/0], n: int) -> size | - | inject | - | none", "a division by zero"),
        ("0 63 read() -> size | desc | inject | - | none", "a class without %"),
        ("0 63 read() -> size | - | often | - | none", "an unknown replay"),
        ("0 63 read() -> size | - | inject | read | none", "a handler without module"),
        ("0 63 read() -> size | - | inject | io::read | none", "a handler of a call that is not there"),
        ("0 63 read() -> size | - | inject | - | full", "a full call without handler"),
        ("0 63 read() -> size | - | inject | io::read | partial", "partial without reason"),
        (": read.X() -> size", "a variant of another call"),
        (": read.X(f: fd) -> size", "a variant that renames"),
        ("1 63 write() -> size | - | inject | - | none", "a number twice"),
        ("a, b, c, d, e, f, g", "no call at all"),
    ] {
        let text = format!("{good}{}", bad.replace(": read", ": other").replace("- - read", "- - write"));
        let e = parse::calls(&text).expect_err(why);
        assert_eq!(e.line, 2, "{why}: {e}");
    }
    for (bad, why) in [
        ("  O_X 1\n", "a constant before any set"),
        ("set a\nset a\n", "a set twice"),
        ("set a\n  X 1\n  X 2\n", "a constant twice"),
        ("set a\n  X one\n", "no number"),
        ("set a\n  X mips=1\n", "an unknown architecture"),
        ("set a\n  X\n", "no value"),
        ("bag a\n", "neither set nor enum"),
    ] {
        assert!(parse::sets(bad).is_err(), "{why}");
    }
    assert!(parse::named("EPERM one \"x\"\n").is_err());
    assert!(parse::named("EPERM 1 \"x\n").is_err());
}

#[test]
fn errnos_and_signals_are_complete() {
    let errnos = parse::named(&table("errno.tbl")).expect("errno.tbl parses");
    for nr in (1..=133).filter(|n| ![41, 58].contains(n)) {
        assert!(errnos.iter().any(|e| e.value == nr && e.kind.is_empty()), "errno {nr}");
    }
    assert!(errnos.iter().all(|e| (e.value >= 512) == (e.kind == "internal")));
    let signals = parse::named(&table("signal.tbl")).expect("signal.tbl parses");
    assert_eq!(signals.iter().map(|s| s.value).collect::<Vec<_>>(), (1..=31).collect::<Vec<_>>());
}
