//! One form for what two architectures, or two libraries, say differently: old calls as the new ones that replace them,
//! and nothing that differs between any two runs.

use super::read::Record;
use std::collections::BTreeMap;

/// Calls that newer ones replace, with the arguments these get: `$1` is the first argument of the old call. Most are calls
/// that aarch64 does not have (syscalls(2), "Architecture-specific requirements").
const REPLACED: &[(&str, &str, &[&str])] = &[
    ("open", "openat", &["AT_FDCWD", "$1", "$2", "$3"]),
    ("creat", "openat", &["AT_FDCWD", "$1", "O_WRONLY|O_CREAT|O_TRUNC", "$2"]),
    ("access", "faccessat", &["AT_FDCWD", "$1", "$2"]),
    ("stat", "newfstatat", &["AT_FDCWD", "$1", "$2", "0"]),
    ("lstat", "newfstatat", &["AT_FDCWD", "$1", "$2", "AT_SYMLINK_NOFOLLOW"]),
    ("fstat", "newfstatat", &["$1", "\"\"", "$2", "AT_EMPTY_PATH"]),
    ("mkdir", "mkdirat", &["AT_FDCWD", "$1", "$2"]),
    ("mknod", "mknodat", &["AT_FDCWD", "$1", "$2", "$3"]),
    ("rmdir", "unlinkat", &["AT_FDCWD", "$1", "AT_REMOVEDIR"]),
    ("unlink", "unlinkat", &["AT_FDCWD", "$1", "0"]),
    ("rename", "renameat2", &["AT_FDCWD", "$1", "AT_FDCWD", "$2", "0"]),
    ("renameat", "renameat2", &["$1", "$2", "$3", "$4", "0"]),
    ("link", "linkat", &["AT_FDCWD", "$1", "AT_FDCWD", "$2", "0"]),
    ("symlink", "symlinkat", &["$1", "AT_FDCWD", "$2"]),
    ("readlink", "readlinkat", &["AT_FDCWD", "$1", "$2", "$3"]),
    ("chmod", "fchmodat", &["AT_FDCWD", "$1", "$2"]),
    ("chown", "fchownat", &["AT_FDCWD", "$1", "$2", "$3", "0"]),
    ("lchown", "fchownat", &["AT_FDCWD", "$1", "$2", "$3", "AT_SYMLINK_NOFOLLOW"]),
    ("dup2", "dup3", &["$1", "$2", "0"]),
    ("pipe", "pipe2", &["$1", "0"]),
    ("accept", "accept4", &["$1", "$2", "$3", "0"]),
    ("epoll_create", "epoll_create1", &["0"]),
    ("epoll_wait", "epoll_pwait", &["$1", "$2", "$3", "$4", "NULL", "8"]),
    ("eventfd", "eventfd2", &["$1", "0"]),
    ("signalfd", "signalfd4", &["$1", "$2", "$3", "0"]),
    ("inotify_init", "inotify_init1", &["0"]),
    ("getpgrp", "getpgid", &["0"]),
    ("getrlimit", "prlimit64", &["0", "$1", "NULL", "$2"]),
    ("setrlimit", "prlimit64", &["0", "$1", "$2", "NULL"]),
];

/// Calls that do the same as another one and say it in another form: only their names are comparable.
const ALIKE: &[(&str, &str)] = &[
    ("fork", "clone"),
    ("vfork", "clone"),
    ("clone3", "clone"),
    ("poll", "ppoll"),
    ("pause", "ppoll"),
    ("select", "pselect6"),
    ("getdents", "getdents64"),
    ("nanosleep", "clock_nanosleep"),
    ("utime", "utimensat"),
    ("utimes", "utimensat"),
    ("futimesat", "utimensat"),
    ("time", "clock_gettime"),
    ("gettimeofday", "clock_gettime"),
    ("alarm", "setitimer"),
];

/// Calls that say nothing about the program: only one architecture makes them.
const OWN: &[&str] = &["arch_prctl", "set_thread_area"];

/// A record in the form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canonical {
    /// What it is: the call's name.
    pub key: String,
    /// All of it.
    pub text: String,
}

/// What differs between any two runs, by what stands before it.
const VARYING: &[&str] = &[
    "tv_sec=",
    "tv_nsec=",
    "tv_usec=",
    "st_atime=",
    "st_mtime=",
    "st_ctime=",
    "st_ino=",
    "utime=",
    "stime=",
    "si_utime=",
    "si_stime=",
    "uptime=",
    "stx_ino=",
];

/// The form of a record; `None` for one that is not compared. `processes` numbers the threads.
pub(super) fn canonical(record: &Record, processes: &BTreeMap<i64, usize>) -> Option<Canonical> {
    let Record::Call { name, args, result } = record else {
        let Record::Other(text) = record else { return None };
        let key = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        return Some(Canonical { key, text: fold(text, processes) });
    };
    if OWN.contains(&name.as_str()) {
        return None;
    }
    if let Some((_, new)) = ALIKE.iter().find(|(old, _)| old == name) {
        return Some(Canonical { key: (*new).to_string(), text: format!("{new}(...) = {}", fold(result, processes)) });
    }
    if ALIKE.iter().any(|(_, new)| new == name) {
        return Some(Canonical { key: name.clone(), text: format!("{name}(...) = {}", fold(result, processes)) });
    }
    let (name, args) = match REPLACED.iter().find(|(old, ..)| old == name) {
        Some((_, new, template)) => ((*new).to_string(), filled(template, args)),
        None => (name.clone(), args.clone()),
    };
    let mut args: Vec<String> = args.iter().map(|a| fold(a, processes)).collect();
    if let ("getrandom", Some(bytes)) = (name.as_str(), args.first_mut()) {
        *bytes = "RANDOM".to_string();
    }
    let text = format!("{name}({}) = {}", args.join(", "), fold(result, processes));
    Some(Canonical { key: name, text })
}

/// The arguments of the new call; those that the old one was not given are left out.
fn filled(template: &[&str], args: &[String]) -> Vec<String> {
    let value = |t: &&str| match t.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()) {
        Some(n) => args.get(n - 1).cloned(),
        None => Some((*t).to_string()),
    };
    template.iter().filter_map(value).collect()
}

/// Replaces addresses, ids of processes and times.
fn fold(text: &str, processes: &BTreeMap<i64, usize>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Text in quotes is the program's.
    let mut quoted = false;
    while let Some(c) = rest.chars().next() {
        let len = if quoted { quoted_len(rest, c) } else { 0 };
        if len > 0 {
            out.push_str(&rest[..len]);
            rest = &rest[len..];
            continue;
        }
        if c == '"' {
            quoted = !quoted;
        }
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let in_word = out.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if let Some(hex) = rest.strip_prefix("0x").filter(|_| !quoted) {
            let n = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
            out.push_str(if n >= 5 { "ADDR" } else { &rest[..n + 2] });
            rest = &rest[n + 2..];
        } else if c.is_ascii_digit() && !in_word && !quoted {
            let n = digits(rest);
            let number = rest[..n].parse::<i64>().ok();
            match number.and_then(|n| processes.get(&n)) {
                _ if VARYING.iter().any(|v| out.ends_with(v)) => out.push('N'),
                Some(process) => out.push_str(&format!("P{process}")),
                None => out.push_str(&rest[..n]),
            }
            rest = &rest[n..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Bytes of text within quotes that come next, an escape as a whole; 0 for the closing quote.
fn quoted_len(rest: &str, first: char) -> usize {
    match first {
        '"' => 0,
        '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscalls::ENTRIES;

    fn form(name: &str, args: &[&str], result: &str) -> Option<String> {
        let args = args.iter().map(ToString::to_string).collect();
        let record = Record::Call { name: name.into(), args, result: result.into() };
        canonical(&record, &BTreeMap::from([(1000, 1), (1001, 2)])).map(|c| c.text)
    }

    #[test]
    fn forms() {
        let open = form("open", &["\"/etc/passwd\"", "O_RDONLY"], "3");
        assert_eq!(open.as_deref(), Some("openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3"));
        assert_eq!(form("vfork", &[], "1001"), form("clone", &["child_stack=NULL", "flags=SIGCHLD"], "1001"));
        assert_eq!(form("brk", &["0x5ec000"], "0x5ec000").as_deref(), Some("brk(ADDR) = ADDR"));
        assert_eq!(form("kill", &["1000", "SIGTERM"], "0").as_deref(), Some("kill(P1, SIGTERM) = 0"));
        assert_eq!(
            form("write", &["1", "\"1000 \\\" 0x5ec000\"", "4"], "4").as_deref(),
            Some("write(1, \"1000 \\\" 0x5ec000\", 4) = 4")
        );
        assert_eq!(form("arch_prctl", &["ARCH_SET_FS", "0x5ec000"], "0"), None);
        let time = form("clock_settime", &["CLOCK_REALTIME", "{tv_sec=12, tv_nsec=5}"], "0");
        assert_eq!(time.as_deref(), Some("clock_settime(CLOCK_REALTIME, {tv_sec=N, tv_nsec=N}) = 0"));
    }

    /// Every name in the tables is a call of Linux, and no new call is old itself.
    #[test]
    fn names() {
        let exists = |name: &str| ENTRIES.iter().any(|e| e.name == name);
        for (old, new) in REPLACED.iter().map(|(old, new, _)| (old, new)).chain(ALIKE.iter().map(|(o, n)| (o, n))) {
            assert!(exists(old) && exists(new), "{old} {new}");
            assert!(REPLACED.iter().all(|(o, ..)| o != new), "{new}");
        }
    }
}
