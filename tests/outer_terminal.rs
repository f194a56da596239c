//! sevm in a terminal of the host, started by a shell with job control: keys reach the guest's foreground, and what is
//! stopped inside is stopped for the shell outside. The same session with the programs run directly is the reference.

mod common;

use common::terminal::{Session, Step};
use common::{Place, SEVM, tool};
use std::ffi::OsString;

/// What is waited for and then typed. `$RUN` is empty or starts sevm.
const SESSION: &[(&str, &str)] = &[
    ("OUT> ", "$RUN /bin/cat\r"),
    ("cat\r\n", "abc\r"),
    ("abc\r\nabc", "\x1a"),
    ("OUT> ", "jobs | sed 's/ .RUN//'\r"),
    ("OUT> ", "fg\r"),
    ("cat\r\n", "def\r"),
    ("def\r\ndef", "\x03"),
    ("OUT> ", "echo st $?\r"),
    // All of a pipeline stops and goes on.
    ("OUT> ", "$RUN /bin/sh -c 'cat | cat'\r"),
    ("cat'\r\n", "one\r"),
    ("one\r\none", "\x1a"),
    ("OUT> ", "fg >/dev/null\r"),
    ("\n", "two\r"),
    ("two\r\ntwo", "\x04"),
    // A shell inside has its own jobs.
    ("OUT> ", "PS1='IN> ' $RUN /bin/bash --norc --noediting -i\r"),
    ("IN> ", "cat\r"),
    ("cat\r\n", "\x1a"),
    ("IN> ", "fg\r"),
    ("cat\r\n", "again\r"),
    ("again\r\nagain", "\x04"),
    ("IN> ", "cat &\r"),
    ("IN> ", "fg\r"),
    ("cat\r\n", "fore\r"),
    ("fore\r\nfore", "\x03"),
    ("IN> ", "suspend\r"),
    ("OUT> ", "fg >/dev/null\r"),
    ("", "\r"),
    ("IN> ", "exit 5\r"),
    ("OUT> ", "echo st $?\r"),
    // In the background it stops when it reads.
    ("OUT> ", "$RUN /bin/cat &\r"),
    ("OUT> ", "sleep 1\r"),
    ("OUT> ", "fg >/dev/null\r"),
    ("", "last\r"),
    ("last\r\nlast", "\x04"),
    ("OUT> ", "exit\r"),
];

/// What of the output is the same for both: job numbers and pids left out, and what names sevm.
fn essence(shown: &[u8]) -> String {
    let text = String::from_utf8_lossy(shown).replace("$RUN ", "").replace('\r', "");
    let lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty() && !l.starts_with('['));
    lines.map(|l| format!("{l}\n")).collect()
}

#[test]
fn keys_and_stops_go_both_ways() {
    let Ok(bash) = tool("bash", "bash") else {
        eprintln!("left out: there is no bash");
        return;
    };
    let setsid = tool("setsid", "util-linux").expect("setsid of util-linux");
    let steps: Vec<Step> = SESSION.iter().map(|(text, keys)| Step { text, keys }).collect();
    let mut seen = Vec::new();
    for run in [String::new(), format!("{SEVM} run")] {
        let env = [("PS1".to_string(), "OUT> ".to_string()), ("RUN".to_string(), run)];
        let session = Session { steps: &steps, env: &env, prepare: &|_| Ok(()) };
        let command: Vec<OsString> = [setsid.as_os_str(), "-c".as_ref(), bash.as_os_str()]
            .into_iter()
            .chain(["--norc", "--noediting", "-i"].map(AsRef::as_ref))
            .map(OsString::from)
            .collect();
        let command = common::with_default_signals(command).unwrap_or_else(|e| panic!("{e}"));
        let place = Place::new().expect("a directory to run in");
        let outcome = session.run(&command, &place).unwrap_or_else(|e| panic!("{e}"));
        seen.push(essence(&outcome.stdout));
    }
    assert_eq!(seen[0], seen[1], "what the terminal showed, run directly and under sevm");
}
