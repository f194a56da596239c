//! The trace-event format of Chrome's about:tracing, which Perfetto reads too ("Trace Event Format", Google): a timeline
//! with a row for each thread.
//!
//! Calls are complete events (`X`), signals and ends instants (`i`), names of processes and threads metadata (`M`). Times
//! are microseconds with three digits behind the point.

use super::values::{self, Name};
use super::{Done, Format, Happening};
use crate::kernel::{ExitStatus, Pid, Tid};
use crate::trace::buf;
use crate::trace::{Start, Timekeeping, decode};
use std::collections::BTreeMap;

/// Writes trace events.
#[derive(Debug, Default)]
pub struct Perfetto {
    /// Names that threads have on the timeline.
    names: BTreeMap<Tid, Vec<u8>>,
    /// Whether an event stands before the next one.
    any: bool,
}

/// What an instant is about.
#[derive(Clone, Copy)]
enum Scope {
    Thread,
    Process,
}

impl Perfetto {
    /// Begins an event.
    fn open(&mut self, out: &mut Vec<u8>, phase: u8, ids: (Pid, Tid)) {
        out.push(if std::mem::replace(&mut self.any, true) { b',' } else { b' ' });
        buf::text(out, "{\"ph\":\"");
        out.push(phase);
        out.push(b'"');
        values::key(out, "pid");
        buf::sdec(out, i64::from(ids.0));
        values::key(out, "tid");
        buf::sdec(out, i64::from(ids.1));
    }

    /// Gives a thread or process its name, as Chrome itself does: some readers want a category and a time of all events.
    fn metadata(&mut self, out: &mut Vec<u8>, what: &str, ids: (Pid, Tid), name: &[u8]) {
        self.open(out, b'M', ids);
        values::text(out, "cat", b"__metadata");
        time(out, "ts", 0);
        values::text(out, "name", what.as_bytes());
        values::key(out, "args");
        buf::text(out, "{\"name\":");
        values::string(out, name);
        buf::text(out, "}}\n");
    }

    /// Names a thread that has none yet, or another one; its process too if it is the first thread.
    fn learn(&mut self, out: &mut Vec<u8>, ids: (Pid, Tid), name: &[u8]) {
        if self.names.get(&ids.1).is_some_and(|n| n == name) {
            return;
        }
        self.names.insert(ids.1, name.to_vec());
        if ids.0 == ids.1 {
            self.metadata(out, "process_name", ids, name);
        }
        self.metadata(out, "thread_name", ids, name);
    }

    /// An instant, up to its arguments.
    fn instant(&mut self, out: &mut Vec<u8>, ids: (Pid, Tid), now_ns: u64, (category, name): (&str, &str), s: Scope) {
        self.open(out, b'i', ids);
        values::text(out, "cat", category.as_bytes());
        values::text(out, "name", name.as_bytes());
        let scope: &[u8] = match s {
            Scope::Thread => b"t",
            Scope::Process => b"p",
        };
        values::text(out, "s", scope);
        time(out, "ts", now_ns);
    }
}

/// Appends a member in microseconds.
fn time(out: &mut Vec<u8>, name: &str, ns: u64) {
    values::key(out, name);
    buf::dec(out, ns / 1000);
    out.push(b'.');
    buf::padded(out, ns % 1000, 3);
}

/// Appends the first member of an object.
fn first(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    values::string(out, name);
    out.push(b':');
    values::string(out, value);
}

impl Format for Perfetto {
    fn start(&mut self, out: &mut Vec<u8>, start: &Start<'_>) {
        buf::text(out, "{\"displayTimeUnit\":\"ns\",\"otherData\":{");
        first(out, b"producer", concat!("sevm ", env!("CARGO_PKG_VERSION")).as_bytes());
        values::text(out, "program", start.path);
        values::text(out, "arch", start.arch.name().as_bytes());
        let clock: &[u8] = match start.timekeeping {
            Timekeeping::Host => b"host",
            Timekeeping::Virtual => b"virtual",
        };
        values::text(out, "clock", clock);
        buf::text(out, "},\"traceEvents\":[\n");
        let name = start.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        self.learn(out, (start.tid, start.tid), &name[..name.len().min(15)]);
        // The caller ends the line.
        out.pop();
    }

    fn call(&mut self, out: &mut Vec<u8>, done: &Done<'_>) {
        let ids = (done.call.pid, done.call.tid);
        if let Some(comm) = done.comm {
            self.learn(out, ids, comm);
        }
        self.open(out, b'X', ids);
        values::key(out, "name");
        out.push(b'"');
        crate::trace::begun::name(out, done.call);
        out.push(b'"');
        values::key(out, "cat");
        buf::text(out, "\"syscall");
        for class in done.call.entry().map_or(&[][..], |e| e.classes) {
            out.push(b',');
            buf::text(out, class);
        }
        out.push(b'"');
        time(out, "ts", done.since_ns);
        time(out, "dur", done.duration_ns);
        values::key(out, "args");
        out.push(b'{');
        first(out, b"return", done.text);
        for value in done.values() {
            match value.name {
                Name::Known(name) => {
                    out.push(b',');
                    first(out, name, value.text);
                }
                Name::Nth(n) => values::text(out, &format!("arg{n}"), value.text),
            }
        }
        if let Some((name, _)) = done.symbol {
            values::text(out, "caller", name.as_bytes());
        }
        values::number(out, "instructions before", done.instructions);
        if let Some(mark) = done.mark {
            values::text(out, "mark", mark.as_bytes());
        }
        buf::text(out, "}}");
    }

    fn happened(&mut self, out: &mut Vec<u8>, now_ns: u64, pid: Option<Pid>, tid: Tid, what: Happening<'_>) {
        let ids = (pid.unwrap_or(tid), tid);
        match what {
            Happening::Exec { path, arch } => {
                let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
                self.learn(out, ids, &name[..name.len().min(15)]);
                self.instant(out, ids, now_ns, ("process", "exec"), Scope::Process);
                values::key(out, "args");
                out.push(b'{');
                first(out, b"path", path);
                values::text(out, "arch", arch.name().as_bytes());
                out.push(b'}');
            }
            Happening::Created(child) => {
                self.instant(out, ids, now_ns, ("process", &format!("created {child}")), Scope::Thread);
            }
            Happening::Signal(info) => {
                self.instant(out, ids, now_ns, ("signal", &info.signal.name()), Scope::Thread);
                let mut text = Vec::new();
                decode::siginfo(&mut text, info);
                values::key(out, "args");
                out.push(b'{');
                first(out, b"siginfo", &text);
                out.push(b'}');
            }
            Happening::Stopped(by) => {
                self.instant(out, ids, now_ns, ("signal", &format!("stopped by {}", by.name())), Scope::Thread);
            }
            Happening::Superseded(as_pid) => {
                self.instant(out, ids, now_ns, ("process", &format!("execve as {as_pid}")), Scope::Thread);
            }
            Happening::ThreadExited(status) => {
                self.instant(out, ids, now_ns, ("process", &end_of(status)), Scope::Thread);
            }
            Happening::Exited(status) => {
                self.instant(out, ids, now_ns, ("process", &end_of(status)), Scope::Process);
                self.names.remove(&tid);
            }
        }
        out.push(b'}');
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        buf::text(out, "]}\n");
    }
}

fn end_of(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("exited with {code}"),
        ExitStatus::Signal { signal, .. } => format!("killed by {}", signal.name()),
    }
}
