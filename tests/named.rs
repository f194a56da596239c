//! Every call that the table calls `full` is made by a guest program: by its number, or through a function of the C
//! library that makes that call on both architectures.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sevm::syscalls::{ENTRIES, Level};

/// Functions of the C library that make a call of another name, on both architectures.
const FUNCTIONS: &[(&str, &[&str])] = &[
    ("openat", &["open", "fopen"]),
    ("newfstatat", &["fstatat", "stat", "lstat"]),
    ("pread64", &["pread"]),
    ("pwrite64", &["pwrite"]),
    ("exit_group", &["exit", "_exit"]),
    ("exit", &["pthread_exit", "pthread_create"]),
    ("clock_nanosleep", &["nanosleep"]),
    ("prlimit64", &["prlimit", "getrlimit", "setrlimit"]),
    ("eventfd2", &["eventfd"]),
    ("signalfd4", &["signalfd"]),
    ("getdents64", &["readdir"]),
    ("sendto", &["send"]),
    ("recvfrom", &["recv"]),
    ("pselect6", &["pselect", "select"]),
    ("fadvise64", &["posix_fadvise"]),
    ("wait4", &["waitpid"]),
    ("clone", &["fork"]),
    ("statfs", &["statvfs"]),
    ("fstatfs", &["fstatvfs"]),
    ("rt_sigaction", &["sigaction"]),
    ("rt_sigprocmask", &["sigprocmask"]),
    ("rt_sigsuspend", &["sigsuspend"]),
    ("rt_sigpending", &["sigpending"]),
    ("rt_sigtimedwait", &["sigtimedwait", "sigwaitinfo"]),
    ("rt_sigqueueinfo", &["sigqueue"]),
    // Each handler that returns makes it.
    ("rt_sigreturn", &["sigaction"]),
    ("mq_timedsend", &["mq_send"]),
    ("mq_timedreceive", &["mq_receive"]),
    ("mq_getsetattr", &["mq_getattr", "mq_setattr"]),
    ("timer_create", &["timer_create"]),
];

/// Functions of the C library that are called as a system call is and make another one, or none.
const OTHERS: &[&str] =
    &["open", "creat", "stat", "lstat", "fstat", "fork", "select", "nanosleep", "time", "gettimeofday", "getdents"];

/// Words of a source that a call could be meant by: `SYS_NAME` and `__NR_NAME`, and functions that are called.
fn words(text: &str, numbers: &mut BTreeSet<String>, functions: &mut BTreeSet<String>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (at, _) in text.match_indices(|c| !is_word(c)).chain([(text.len(), "")]) {
        let start = text[..at].rfind(|c| !is_word(c)).map_or(0, |i| i + 1);
        let word = &text[start..at];
        if let Some(name) = word.strip_prefix("SYS_").or_else(|| word.strip_prefix("__NR_")) {
            numbers.insert(name.to_owned());
        } else if !word.is_empty() && text[at..].starts_with('(') {
            functions.insert(word.to_owned());
        }
    }
}

/// The text without what stands in comments.
fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        out.push_str(&rest[..at]);
        let end = if rest[at..].starts_with("/*") { "*/" } else { "\n" };
        rest = rest[at + 2..].split_once(end).map_or("", |(_, after)| after);
        out.push('\n');
    }
    out + rest
}

#[test]
fn every_full_call_is_made_by_a_guest_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-tests");
    let (mut numbers, mut functions) = (BTreeSet::new(), BTreeSet::new());
    for dir in fs::read_dir(&root).expect("guest-tests is there").flatten() {
        for file in fs::read_dir(dir.path()).into_iter().flatten().flatten() {
            if file.path().extension().is_some_and(|e| ["c", "cpp", "S", "h"].iter().any(|x| e == *x)) {
                let text = fs::read_to_string(file.path()).expect("a source is text");
                words(&without_comments(&text), &mut numbers, &mut functions);
            }
        }
    }
    let made = |name: &str| {
        let by_function = functions.contains(name) && !OTHERS.contains(&name);
        let others = FUNCTIONS.iter().filter(|(call, _)| *call == name).flat_map(|(_, list)| *list);
        numbers.contains(name) || by_function || others.into_iter().any(|f| functions.contains(*f))
    };
    let missing: BTreeSet<_> =
        ENTRIES.iter().filter(|e| matches!(e.level, Level::Full) && !made(e.name)).map(|e| e.name).collect();
    assert!(missing.is_empty(), "full, but no guest program makes them: {missing:?}");
}

#[test]
fn comments_and_other_words_name_no_call() {
    let (mut numbers, mut functions) = (BTreeSet::new(), BTreeSet::new());
    let text = "// SYS_one two()\n/* three() */ four(SYS_five); six (__NR_seven) eight;";
    words(&without_comments(text), &mut numbers, &mut functions);
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), ["five", "seven"]);
    assert_eq!(functions.into_iter().collect::<Vec<_>>(), ["four"]);
}
