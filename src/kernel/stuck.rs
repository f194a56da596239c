//! When every thread waits for something that no other thread, no host file and no clock will bring.
//!
//! In a deterministic run nothing else can come, so this is the end of the run, as an error of its own. Otherwise
//! somebody may still press ^C or send a signal, and the machine waits for that as Linux would; but unless a program
//! shows that it counts on such a signal, the user is told once, because a silent hang is hard to tell from slow work.

use super::*;
use crate::abi::SigSet;
use std::fmt::Write;

/// Signals that people and other programs send to make a program do something.
const REQUESTS: SigSet = SigSet(
    1 << (Signal::SIGHUP.0 - 1)
        | 1 << (Signal::SIGINT.0 - 1)
        | 1 << (Signal::SIGQUIT.0 - 1)
        | 1 << (Signal::SIGUSR1.0 - 1)
        | 1 << (Signal::SIGUSR2.0 - 1)
        | 1 << (Signal::SIGTERM.0 - 1)
        | 1 << (Signal::SIGCONT.0 - 1),
);

impl Kernel {
    /// A message for the user about a machine that stands still, the first time and if it is not what its programs
    /// want: none of them waits for a signal, handles one that is sent by hand, or has been stopped.
    pub fn notice_of_standstill(&mut self) -> Option<String> {
        if self.told_stuck || self.threads.values().any(counts_on_signals) {
            return None;
        }
        self.told_stuck = true;
        Some(format!(
            "every thread waits for another one; only a signal from outside can end that\n{}",
            self.who_waits()
        ))
    }

    /// Which threads wait, in which call and for what: a line each.
    pub fn who_waits(&self) -> String {
        let mut text = String::new();
        for t in self.threads.values() {
            // Writing to a string cannot fail.
            let _ = write!(text, "  process {} thread {} ({})", t.pid, t.tid, String::from_utf8_lossy(&t.comm));
            let _ = match &t.state {
                State::Blocked(wait) => write!(text, " waits in {} for {}", call_of(t), objects(wait)),
                State::Stopped => write!(text, " is stopped by a signal"),
                State::Runnable => write!(text, " can run"),
            };
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Whether a signal from outside is what the thread is there for.
fn counts_on_signals(t: &Thread) -> bool {
    let waits = match &t.state {
        State::Blocked(wait) => wait.keys.iter().any(|k| matches!(k, WaitKey::Signal(_) | WaitKey::Signals(_))),
        State::Stopped => true,
        State::Runnable => false,
    };
    let actions = t.actions.borrow();
    waits || REQUESTS.iter().map(|s| actions.get(s)).any(|a| !a.is_default() && !a.is_ignore())
}

/// The call a thread waits in, with its arguments as numbers.
fn call_of(t: &Thread) -> String {
    let Some(call) = t.in_call else { return "no call".into() };
    let Some(entry) = call.index.map(|i| &ENTRIES[i]) else { return format!("call {}", call.raw.nr) };
    let args: Vec<String> = call.raw.args.iter().take(entry.args.len()).map(|a| format!("{a:#x}")).collect();
    format!("{}({})", entry.name, args.join(", "))
}

fn objects(wait: &Wait) -> String {
    let names: Vec<String> = wait.keys.iter().map(|k| name(*k)).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

fn name(key: WaitKey) -> String {
    match key {
        WaitKey::Child(pid) => format!("a child of process {pid}"),
        WaitKey::Object(n) => format!("kernel object {n} (pipe, socket, ...)"),
        WaitKey::Futex(addr) => format!("futex {addr:#x}"),
        WaitKey::Signal(_) | WaitKey::Signals(_) => "a signal".into(),
        WaitKey::Vfork(pid) => format!("process {pid} to execute a program or end"),
        #[allow(unreachable_patterns, reason = "keys of other kinds name themselves")]
        other => format!("{other:?}"),
    }
}
