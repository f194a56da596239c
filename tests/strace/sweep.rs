//! Every call with many arguments, none of them carried out: what both tracers print of the same registers and memory
//! has to be the same, character by character.

use super::{sevm, strace_works};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// How the program goes through the calls: its words, further options, and the share of equal lines in percent.
const SWEEPS: &[(&str, &str, f64)] = &[
    ("s", "", 97.5),
    ("c", "", 96.0),
    ("r", "", 97.5),
    ("x", "", 96.0),
    ("o 0 42", "", 99.8),
    ("o 255 272", "", 98.5),
    ("v 0 100", "", 99.8),
    ("s 0 200", "-X raw", 96.5),
    ("s 0 200", "-X verbose", 94.5),
    ("r", "-X verbose", 97.0),
    ("s", "-e raw=all", 99.0),
    ("s", "-xx -s 7", 97.5),
];

/// Constants that Linux has got since strace 6.1: the lines that show them are left out.
const NEWER: &[&str] = &[
    "MFD_EXEC",
    "MFD_NOEXEC_SEAL",
    "STATX_SUBVOL",
    "MAP_DROPPABLE",
    "PIDFD_SIGNAL",
    "LANDLOCK_R",
    "RWF_NOAPPEND",
    "RWF_ATOMIC",
    "FAN_REPORT_FD_ERROR",
    "FAN_REPORT_MNT",
    "KEXEC_UPDATE",
    "KEXEC_CRASH_HOTPLUG",
    "KEXEC_FILE_DEBUG",
    "KEXEC_FILE_NO_CMA",
    "AT_HANDLE_",
    "FSCONFIG_CMD_CREATE_EXCL",
    "LANDLOCK_CREATE_RULESET_ERRATA",
    "PKEY_DISABLE_EXECUTE",
    "FALLOC_FL_WRITE",
    "MOVE_MOUNT_BENEATH",
    "IORING_ENTER_ABS",
    "IORING_REGISTER_SYNC",
    "RSEQ_FLAG",
    "SO_PASSPIDFD",
    "SO_PEERPIDFD",
    "SO_DEVMEM",
    "SO_RCVPRIORITY",
    "IP_LOCAL_PORT_RANGE",
    "IP_PROTOCOL",
    "cachestat(",
    "MPOL_WEIGHTED",
    "F_DUPFD_QUERY",
    "F_CREATED_QUERY",
    "F_GET_RW_HINT",
    "F_SET_RW_HINT",
    "F_GET_FILE_RW_HINT",
    "F_SET_FILE_RW_HINT",
    "F_SEAL_EXEC",
    "PR_SET_MDWE",
    "PR_GET_MDWE",
    "PR_SET_MEMORY_MERGE",
    "PR_GET_MEMORY_MERGE",
    "PR_RISCV_V",
    "PR_GET_AUXV",
    "IORING_REGISTER_FILE_ALLOC_RANGE",
    "IORING_REGISTER_PBUF_STATUS",
    "IORING_REGISTER_NAPI",
    "IORING_UNREGISTER_NAPI",
    "IORING_REGISTER_CLOCK",
    "IORING_REGISTER_CLONE_BUFFERS",
    "IORING_REGISTER_SEND_MSG_RING",
    "IORING_REGISTER_ZCRX_IFQ",
    "IORING_REGISTER_RESIZE_RINGS",
    "IORING_REGISTER_MEM_REGION",
    "IORING_SETUP_DEFER_TASKRUN",
    "IORING_SETUP_NO_MMAP",
    "IORING_SETUP_REGISTERED_FD_ONLY",
    "IORING_SETUP_NO_SQARRAY",
    "IORING_SETUP_HYBRID_IOPOLL",
    "STATX_MNT_ID_UNIQUE",
    "STATX_WRITE_ATOMIC",
    "STATX_DIO_READ_ALIGN",
    "LANDLOCK_ACCESS_FS_TRUNCATE",
    "SA_EXPOSE_TAGBITS",
    "PIDFD_THREAD",
    "MOUNT_ATTR_NOSYMFOLLOW",
    "TCP_AO_",
    "BPF_TOKEN_CREATE",
    "BPF_PROG_STREAM_READ",
    "SYSCALL_USER_DISPATCH_CONFIG",
    "PTRACE_SET_SYSCALL_INFO",
    "IORING_REGISTER_SYNC_CANCEL",
    "TCP_IS_MPTCP",
    "TCP_RTO_M",
    "TCP_DELACK_MAX",
    "SO_PASSRIGHTS",
    "SO_INQ",
    "FS_IOC_GETFSUUID",
    "FS_IOC_GETFSSYSFSPATH",
    "BPF_F_XDP_HAS_FRAGS",
];

fn lines(tracer: &[&str], options: &str, program: &Path, words: &str) -> Option<Vec<String>> {
    let out = tempfile::NamedTempFile::new().ok()?;
    Command::new(tracer[0])
        .args(&tracer[1..])
        .args(options.split(' ').filter(|o| !o.is_empty()))
        .args(["-e", "inject=!exit_group:retval=0", "-o"])
        .arg(out.path())
        .arg(program)
        .args(words.split(' '))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let text = std::fs::read(out.path()).ok()?;
    // The first line is the program's own execve.
    Some(String::from_utf8_lossy(&text).lines().skip(1).map(String::from).collect())
}

/// The requests of ioctl(2) that flags.tbl names, for the program.
fn requests() -> String {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("syscall-tables/flags.tbl");
    let table = std::fs::read_to_string(table).expect("the table");
    let names = table.split("\nenum ioctl\n").nth(1).expect("the requests");
    let numbers = names.lines().take_while(|l| l.starts_with("  ")).filter_map(|l| l.split_whitespace().nth(1));
    numbers.map(|n| format!("{n},\n")).collect()
}

#[test]
fn every_call_is_printed_as_strace_prints_it() {
    if !strace_works() {
        eprintln!("skipped: strace cannot trace here (is it installed, and ptrace permitted?)");
        return;
    }
    let dir = tempfile::tempdir().expect("temporary folder");
    std::fs::write(dir.path().join("requests.h"), requests()).expect("a file");
    let program = dir.path().join("sweep");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strace/sweep.c");
    let built = Command::new("gcc")
        .args(["-static", "-nostdlib", "-O1", "-w", "-fno-stack-protector", "-fno-pie", "-no-pie", "-I"])
        .arg(dir.path())
        .arg("-o")
        .arg(&program)
        .arg(source)
        .status();
    if !built.is_ok_and(|s| s.success()) {
        eprintln!("skipped: sweep.c (gcc does not work here)");
        return;
    }
    let sevm = sevm().to_string_lossy().into_owned();
    let mut wrong = Vec::new();
    for (words, options, at_least) in SWEEPS {
        let theirs = lines(&["strace"], options, &program, words).expect("strace's lines");
        let ours = lines(&[&sevm, "trace"], options, &program, words).expect("sevm's lines");
        assert_eq!(theirs.len(), ours.len(), "{words} {options}: not as many calls");
        let mut by_call: BTreeMap<&str, Compared> = BTreeMap::new();
        let (mut equal, mut all) = (0, 0);
        for (theirs, ours) in theirs.iter().zip(&ours).filter(|(_, o)| !NEWER.iter().any(|n| o.contains(n))) {
            let name = theirs.split('(').next().unwrap_or_default();
            let entry = by_call.entry(name).or_default();
            let same = theirs == ours;
            (equal, all) = (equal + usize::from(same), all + 1);
            (entry.differ, entry.all) = (entry.differ + usize::from(!same), entry.all + 1);
            if !same && entry.examples.len() < 2 {
                entry.examples.push((theirs, ours));
            }
        }
        let share = 100.0 * equal as f64 / all.max(1) as f64;
        println!("{share:6.2} % of {all} lines  {words} {options}");
        for (name, compared) in by_call.iter().filter(|(_, e)| e.differ > 0) {
            println!("  {name}: {} of {}", compared.differ, compared.all);
            for (theirs, ours) in &compared.examples {
                println!("    strace  {}\n    sevm    {}", short(theirs), short(ours));
            }
        }
        if share < *at_least {
            wrong.push(format!("{words} {options}: {share:.2} %"));
        }
    }
    assert!(wrong.is_empty(), "too few lines are equal: {wrong:?}");
}

/// Lines of one call.
#[derive(Default)]
struct Compared<'a> {
    differ: usize,
    all: usize,
    /// Some that differ: strace's and ours.
    examples: Vec<(&'a str, &'a str)>,
}

fn short(line: &str) -> String {
    line.chars().take(300).collect()
}
