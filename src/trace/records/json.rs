//! JSON Lines: one object a line, described by `docs/trace.schema.json`.

use super::values::{self, Name};
use super::{Done, Format, Happening};
use crate::abi::Signal;
use crate::arch::Arch;
use crate::kernel::{ExitStatus, Pid, Tid};
use crate::trace::buf;
use crate::trace::{Start, Timekeeping, decode};

/// Version of the records: raised when a member changes its meaning or goes.
const VERSION: u64 = 1;

/// Writes JSON Lines.
#[derive(Debug, Default)]
pub struct Json;

/// Begins an object: what it is and when.
fn open(out: &mut Vec<u8>, kind: &str, now_ns: u64) {
    buf::text(out, "{\"type\":\"");
    buf::text(out, kind);
    out.push(b'"');
    values::number(out, "time", now_ns);
}

fn id(out: &mut Vec<u8>, name: &str, id: i32) {
    values::key(out, name);
    buf::sdec(out, i64::from(id));
}

fn arch(out: &mut Vec<u8>, arch: Arch) {
    values::text(out, "arch", arch.name().as_bytes());
}

fn signal(out: &mut Vec<u8>, signal: Signal) {
    values::text(out, "signal", signal.name().as_bytes());
}

impl Format for Json {
    fn start(&mut self, out: &mut Vec<u8>, start: &Start<'_>) {
        open(out, "start", 0);
        id(out, "pid", start.tid);
        id(out, "tid", start.tid);
        arch(out, start.arch);
        values::number(out, "version", VERSION);
        values::text(out, "path", start.path);
        values::key(out, "argv");
        out.push(b'[');
        for (i, arg) in start.argv.iter().enumerate() {
            buf::text(out, if i > 0 { "," } else { "" });
            values::string(out, arg);
        }
        out.push(b']');
        let clock = match start.timekeeping {
            Timekeeping::Host => "host",
            Timekeeping::Virtual => "virtual",
        };
        values::text(out, "clock", clock.as_bytes());
        values::key(out, "epoch");
        out.push(b'"');
        buf::dec(out, start.wall_ns / 1_000_000_000);
        out.push(b'.');
        buf::padded(out, start.wall_ns % 1_000_000_000, 9);
        out.push(b'"');
        out.push(b'}');
    }

    fn call(&mut self, out: &mut Vec<u8>, done: &Done<'_>) {
        let call = done.call;
        open(out, "call", done.since_ns);
        id(out, "pid", call.pid);
        id(out, "tid", call.tid);
        arch(out, call.arch);
        values::number(out, "nr", call.raw.nr);
        values::key(out, "name");
        out.push(b'"');
        crate::trace::begun::name(out, call);
        out.push(b'"');
        values::word(out, "pc", call.pc);
        if let Some((name, behind)) = done.symbol {
            values::key(out, "symbol");
            out.push(b'"');
            values::escape(out, name.as_bytes());
            buf::text(out, "+");
            buf::hex(out, behind + 1);
            out.push(b'"');
        }
        values::key(out, "args");
        out.push(b'[');
        for (i, value) in done.values().enumerate() {
            buf::text(out, if i > 0 { ",{\"name\":\"" } else { "{\"name\":\"" });
            match value.name {
                Name::Known(name) => values::escape(out, name),
                Name::Nth(n) => {
                    buf::text(out, "arg");
                    buf::dec(out, n as u64);
                }
            }
            out.push(b'"');
            if let Some(raw) = value.raw {
                values::word(out, "raw", raw);
            }
            values::text(out, "value", value.text);
            out.push(b'}');
        }
        out.push(b']');
        values::key(out, "result");
        match done.result {
            None => buf::text(out, "null"),
            Some(result) => {
                buf::text(out, "{\"text\":");
                values::string(out, done.text);
                match result {
                    Ok(raw) => values::word(out, "raw", raw),
                    Err(errno) => {
                        values::number(out, "errno", u64::from(errno.0));
                        if let Some(name) = errno.name() {
                            values::text(out, "error", name.as_bytes());
                        }
                    }
                }
                out.push(b'}');
            }
        }
        values::number(out, "duration", done.duration_ns);
        values::number(out, "instructions", done.instructions);
        if let Some(comm) = done.comm {
            values::text(out, "comm", comm);
        }
        if let Some(mark) = done.mark {
            values::text(out, "mark", mark.as_bytes());
        }
        out.push(b'}');
    }

    fn happened(&mut self, out: &mut Vec<u8>, now_ns: u64, pid: Option<Pid>, tid: Tid, what: Happening<'_>) {
        let kind = match what {
            Happening::Exec { .. } => "exec",
            Happening::Created(_) => "created",
            Happening::Signal(_) => "signal",
            Happening::Stopped(_) => "stopped",
            Happening::Superseded(_) => "superseded",
            Happening::ThreadExited(_) => "thread-exit",
            Happening::Exited(_) => "exit",
        };
        open(out, kind, now_ns);
        if let Some(pid) = pid {
            id(out, "pid", pid);
        }
        id(out, "tid", tid);
        match what {
            Happening::Exec { path, arch: of } => {
                arch(out, of);
                values::text(out, "path", path);
            }
            Happening::Created(child) => id(out, "child", child),
            Happening::Signal(info) => {
                signal(out, info.signal);
                values::number(out, "number", u64::from(info.signal.0));
                let mut text = Vec::new();
                decode::siginfo(&mut text, info);
                values::text(out, "siginfo", &text);
            }
            Happening::Stopped(by) => signal(out, by),
            Happening::Superseded(as_pid) => id(out, "as", as_pid),
            Happening::ThreadExited(status) | Happening::Exited(status) => match status {
                ExitStatus::Code(code) => id(out, "code", code),
                ExitStatus::Signal { signal: by, core } => {
                    signal(out, by);
                    values::key(out, "core");
                    buf::text(out, if core { "true" } else { "false" });
                }
            },
        }
        out.push(b'}');
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}
}
