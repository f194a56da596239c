//! The trace as strace 6.x writes it: one line a call, `name(arguments) = result`.
//!
//! A line is built in a reused buffer. When another thread has something to say before a call is done, the line ends in
//! `<unfinished ...>` and goes on later in a `<... name resumed>` line.

use super::buf::{self, Buf};
use super::decode::{self, Cx, Phase, Progress, Special};
use super::{Call, Options, Sink, Start, View};
use crate::abi::Errno;
use crate::arch::Arch;
use crate::kernel::{Event, ExitStatus, Tid};
use crate::syscalls::ENTRIES;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// When written lines are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// At once, begun lines too: somebody watches, or the guest writes to the same place.
    AtOnce,
    /// When the buffer is full and at the end.
    Buffered,
}

/// Bytes kept before they are written to a file.
const BUFFER: usize = 1 << 16;

/// A call that has begun.
#[derive(Clone, Copy)]
struct Begun {
    call: Call,
    progress: Progress,
    special: Special,
    /// Where rt_sigreturn's mask lies, else the first argument.
    first: u64,
}

/// The sink that writes strace's text.
pub struct TextSink {
    options: Options,
    writer: Box<dyn Write>,
    flush: Flush,
    /// Finished lines, and behind them the one in the making.
    out: Buf,
    /// Where in `out` the line in the making starts, and how many of its columns have been written already.
    line: usize,
    written: usize,
    /// The thread whose line is open.
    open: Option<Tid>,
    begun: BTreeMap<Tid, Begun>,
    /// Threads that are followed and live.
    alive: BTreeSet<Tid>,
    specials: Vec<Special>,
    error: Option<std::io::Error>,
}

impl TextSink {
    /// A sink that writes to `writer`.
    pub fn new(options: Options, writer: Box<dyn Write>, flush: Flush) -> TextSink {
        TextSink {
            options,
            writer,
            flush,
            out: Buf::with_capacity(BUFFER + 4096),
            line: 0,
            written: 0,
            open: None,
            begun: BTreeMap::new(),
            alive: BTreeSet::new(),
            specials: ENTRIES.iter().map(|e| Special::of(e.name)).collect(),
            error: None,
        }
    }

    fn is_followed(&self, tid: Tid) -> bool {
        self.options.follow || self.alive.first().is_none_or(|first| *first == tid) || self.alive.contains(&tid)
    }

    /// Begins a line of `tid`, ending the open one of another thread.
    fn leader(&mut self, tid: Tid) {
        if self.open.take().is_some() {
            buf::text(&mut self.out, " <unfinished ...>");
            self.end_line();
        }
        if self.options.pid_column {
            buf::sdec(&mut self.out, i64::from(tid));
            while self.out.len() - self.line < 6 {
                self.out.push(b' ');
            }
        } else if self.alive.len() > 1 {
            let text = format!("[pid {tid:5}] ");
            buf::text(&mut self.out, &text);
        }
        self.open = Some(tid);
    }

    fn end_line(&mut self) {
        self.out.push(b'\n');
        self.open = None;
        self.line = self.out.len();
        self.written = 0;
        if self.flush == Flush::AtOnce || self.out.len() >= BUFFER {
            self.write_out();
        }
    }

    /// Hands on what there is. After an error nothing more is written; it is reported at the end.
    fn write_out(&mut self) {
        self.written += self.out.len() - self.line;
        if self.error.is_none()
            && let Err(e) = self.writer.write_all(&self.out).and_then(|()| self.writer.flush())
        {
            self.error = Some(e);
        }
        self.out.clear();
        self.line = 0;
    }

    /// `)`, blanks up to the column, `= `.
    fn equals(&mut self) {
        buf::text(&mut self.out, ") ");
        let column = self.written + self.out.len() - self.line;
        let blanks = self.options.column.saturating_sub(column);
        self.out.resize(self.out.len() + blanks, b' ');
        buf::text(&mut self.out, "= ");
    }

    /// Prints the end of a call whose beginning has been printed.
    fn complete(&mut self, view: Option<&View<'_>>, call: &Call, phase: Phase) {
        let Some(mut begun) = self.begun.remove(&call.tid) else { return };
        if self.open != Some(call.tid) {
            self.leader(call.tid);
            buf::text(&mut self.out, "<... ");
            name(&mut self.out, call);
            buf::text(&mut self.out, " resumed>");
        }
        if let Some(view) = view {
            let mut cx = self.options.cx(&mut self.out, view, call, phase);
            cx.args[0] = begun.first;
            if let Some(entry) = call.entry() {
                decode::arguments(&mut cx, entry, begun.special, &mut begun.progress);
            }
        }
        if view.is_none() {
            buf::text(&mut self.out, " <unfinished ...>");
        }
        self.equals();
        match view {
            Some(view) => {
                let mut cx = self.options.cx(&mut self.out, view, call, phase);
                decode::returned(&mut cx, call.entry(), begun.special);
                if let Some(mark) = view.mark {
                    buf::text(&mut self.out, " (");
                    buf::text(&mut self.out, mark);
                    self.out.push(b')');
                }
            }
            None => self.out.push(b'?'),
        }
        self.end_line();
    }

    fn event_line(&mut self, tid: Tid, write: impl FnOnce(&mut Buf)) {
        self.leader(tid);
        write(&mut self.out);
        self.end_line();
    }

    /// Ends the line of a call that will never be done.
    fn abandon(&mut self, tid: Tid) {
        if let Some(call) = self.begun.get(&tid).map(|b| b.call) {
            self.complete(None, &call, Phase::Gone);
        }
    }

    /// execve(2) in thread `by` has ended the first thread, whose id it has now.
    fn superseded(&mut self, pid: Tid, by: Tid) {
        if !self.alive.contains(&pid) && !self.alive.contains(&by) {
            return;
        }
        self.abandon(pid);
        if self.alive.contains(&pid) {
            self.event_line(pid, |out| {
                buf::text(out, "+++ superseded by execve in pid ");
                buf::sdec(out, i64::from(by));
                buf::text(out, " +++");
            });
        }
        self.alive.remove(&by);
        self.alive.insert(pid);
        if let Some(begun) = self.begun.remove(&by) {
            self.begun.insert(pid, Begun { call: Call { tid: pid, ..begun.call }, ..begun });
        }
    }

    fn exited(&mut self, tid: Tid, status: ExitStatus) {
        if !self.alive.contains(&tid) {
            return;
        }
        self.abandon(tid);
        self.event_line(tid, |out| match status {
            ExitStatus::Code(code) => {
                buf::text(out, "+++ exited with ");
                buf::sdec(out, i64::from(code));
                buf::text(out, " +++");
            }
            ExitStatus::Signal { signal, core } => {
                buf::text(out, "+++ killed by ");
                buf::text(out, &signal.name());
                if core {
                    buf::text(out, " (core dumped)");
                }
                buf::text(out, " +++");
            }
        });
        self.alive.remove(&tid);
    }
}

/// Appends the call's name; a number that Linux does not have as `syscall_0x..`.
fn name(out: &mut Buf, call: &Call) {
    match call.entry() {
        Some(entry) => buf::text(out, entry.name),
        None => {
            buf::text(out, "syscall_");
            buf::hex(out, call.raw.nr);
        }
    }
}

impl Options {
    fn cx<'a>(&self, out: &'a mut Buf, view: &View<'a>, call: &Call, phase: Phase) -> Cx<'a> {
        Cx { out, space: view.space, arch: call.arch, style: self.style, args: call.raw.args, phase }
    }
}

impl Sink for TextSink {
    fn start(&mut self, start: &Start<'_>) {
        self.alive.insert(start.tid);
        let execve = crate::syscalls::by_name(Arch::X86_64, "execve").and_then(|e| e.number(Arch::X86_64));
        let index = execve.and_then(|nr| crate::syscalls::lookup(Arch::X86_64, u64::from(nr)));
        if !self.options.filter.admits(index) {
            return;
        }
        self.leader(start.tid);
        let (out, style) = (&mut self.out, self.options.style);
        let list = |out: &mut Buf, strings: &[Vec<u8>]| {
            out.push(b'[');
            for (i, s) in strings.iter().enumerate() {
                buf::text(out, if i > 0 { ", " } else { "" });
                if !style.verbose && i >= style.limit {
                    buf::text(out, "...");
                    break;
                }
                buf::quoted(out, &s[..s.len().min(style.limit)], buf::Quote::Escape);
                buf::text(out, if s.len() > style.limit { "..." } else { "" });
            }
            out.push(b']');
        };
        buf::text(out, "execve(");
        buf::quoted(out, start.path, buf::Quote::Escape);
        buf::text(out, ", ");
        list(out, start.argv);
        buf::text(out, ", ");
        if style.verbose {
            list(out, start.envp);
        } else {
            buf::addr(out, start.envp_addr);
            buf::text(out, " /* ");
            buf::dec(out, start.envp.len() as u64);
            buf::text(out, if start.envp.len() == 1 { " var */" } else { " vars */" });
        }
        self.equals();
        self.out.push(b'0');
        self.end_line();
    }

    fn enter(&mut self, view: &View<'_>, call: &Call) {
        if !self.options.filter.admits(call.index) || !self.is_followed(call.tid) {
            return;
        }
        self.alive.insert(call.tid);
        self.leader(call.tid);
        name(&mut self.out, call);
        self.out.push(b'(');
        let special = call.index.and_then(|i| self.specials.get(i)).copied().unwrap_or_default();
        let mut begun = Begun { call: *call, progress: Progress::default(), special, first: call.raw.args[0] };
        if special == Special::Sigreturn {
            begun.first = call.sp.wrapping_add(match call.arch {
                Arch::X86_64 => 296,
                Arch::Aarch64 => 168,
            });
        }
        let mut cx = self.options.cx(&mut self.out, view, call, Phase::Enter);
        cx.args[0] = begun.first;
        match call.entry() {
            Some(entry) => decode::arguments(&mut cx, entry, special, &mut begun.progress),
            None => {
                for (i, arg) in call.raw.args.iter().enumerate() {
                    if i > 0 {
                        buf::text(&mut self.out, ", ");
                    }
                    buf::hex(&mut self.out, *arg);
                }
            }
        }
        self.begun.insert(call.tid, begun);
        if self.flush == Flush::AtOnce {
            self.write_out();
        }
    }

    fn exit(&mut self, view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>) {
        self.complete(Some(view), call, result.map_or(Phase::Gone, Phase::Exit));
    }

    fn blocked(&mut self, _view: &View<'_>, _call: &Call) {}

    fn event(&mut self, _now_ns: u64, event: &Event) {
        match event {
            Event::Signal { tid, info } if self.alive.contains(tid) => {
                let info = *info;
                self.event_line(*tid, |out| {
                    buf::text(out, "--- ");
                    buf::text(out, &info.signal.name());
                    out.push(b' ');
                    decode::siginfo(out, &info);
                    buf::text(out, " ---");
                });
            }
            Event::Stopped { tid, signal } if self.alive.contains(tid) => {
                self.event_line(*tid, |out| {
                    buf::text(out, "--- stopped by ");
                    buf::text(out, &signal.name());
                    buf::text(out, " ---");
                });
            }
            Event::Created { parent, tid } => {
                if self.options.follow && self.alive.contains(parent) {
                    self.alive.insert(*tid);
                }
            }
            Event::Signal { .. } | Event::Stopped { .. } => {}
            Event::Superseded { pid, by } => self.superseded(*pid, *by),
            Event::ThreadExited { tid, status } => self.exited(*tid, *status),
            Event::Exited { pid, status } => self.exited(*pid, *status),
        }
    }

    fn finish(&mut self) -> Result<(), crate::Error> {
        self.write_out();
        match self.error.take() {
            Some(source) => Err(crate::Error::Host { what: "writing the trace".to_string(), source }),
            None => Ok(()),
        }
    }
}
