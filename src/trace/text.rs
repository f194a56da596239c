//! The trace as strace 6.x writes it: one line a call, `name(arguments) = result`.
//!
//! A line is built in a reused buffer. When another thread has something to say before a call is done, the line ends in
//! `<unfinished ...>` and goes on later in a `<... name resumed>` line.

use super::begun::{Begun, Specials, name};
use super::buf::{self, Buf};
use super::condition::{End, Verdict};
use super::decode::{self, Phase};
use super::dump;
use super::outputs::{Flush, Output, Outputs};
use super::select::comm_of;
use super::stack::{Loader, Stack, Stacks};
use super::threads::Threads;
use super::zone;
use super::{Call, Clock, Message, Options, Precision, Sink, Start, Status, Target, View};
use crate::abi::Errno;
use crate::arch::Arch;
use crate::kernel::{Event, ExitStatus, Kernel, Tid};
use crate::mem::Space;
use crate::syscalls::ENTRIES;
use std::collections::BTreeMap;
use std::io::Write;

/// What a line begins with.
#[derive(Clone, Copy)]
struct Lead {
    now_ns: u64,
    number: Option<u64>,
    pointer: Option<u64>,
}

/// The sink that writes strace's text.
pub struct TextSink {
    options: Options,
    outputs: Outputs,
    begun: BTreeMap<Tid, Begun>,
    threads: Threads,
    /// What was said of the call that begins now.
    judged: Option<Verdict>,
    /// Names of threads, for lines that are not about a call.
    names: BTreeMap<Tid, Vec<u8>>,
    /// Each thread's last call: number, and where it was made.
    last: BTreeMap<Tid, (u64, u64)>,
    specials: Specials,
    /// Nanoseconds since 1970 when the run began.
    epoch_ns: u64,
    /// When the line before began.
    previous_ns: Option<u64>,
    /// Calls that may still be shown.
    left: Option<u64>,
    /// Tells where calls are made.
    stacks: Option<Stacks>,
}

impl TextSink {
    /// A sink that writes to `writer`.
    pub fn new(options: Options, writer: Box<dyn Write>, flush: Flush) -> TextSink {
        TextSink::with_output(options, Output::One(writer, flush))
    }

    /// A sink that writes to one place or to several.
    pub fn with_output(options: Options, output: Output) -> TextSink {
        let left = options.limit;
        TextSink {
            options,
            outputs: Outputs::new(output),
            begun: BTreeMap::new(),
            threads: Threads::default(),
            judged: None,
            names: BTreeMap::new(),
            last: BTreeMap::new(),
            specials: Specials::new(),
            epoch_ns: 0,
            previous_ns: None,
            left,
            stacks: None,
        }
    }

    /// Whether a call that begins is shown, if it may be.
    fn judge(&self, space: &Space, kernel: Option<&Kernel>, call: &Call) -> Option<Verdict> {
        if !self.threads.is_followed(&self.options, call.tid) || self.left == Some(0) {
            return None;
        }
        Some(self.options.begins(space, kernel, call)).filter(|v| *v != Verdict::No)
    }

    /// Shows the stack behind every call (`-k`). `loader` gives the bytes of the guest's files.
    pub fn show_stacks(&mut self, shown: Stack, loader: Loader) {
        self.stacks = Some(Stacks::new(shown, loader));
    }

    /// Paints what it writes for a terminal.
    pub fn paint(&mut self) {
        self.outputs.now.paint();
    }

    fn out(&mut self) -> &mut Buf {
        &mut self.outputs.now.out
    }

    /// Begins a line of `tid`, ending the open one of another thread.
    fn leader(&mut self, tid: Tid, lead: Lead) {
        self.outputs.select(tid);
        if self.outputs.now.open.take().is_some() {
            buf::text(self.out(), " <unfinished ...>");
            self.outputs.now.end_line();
        }
        let name = if self.options.style.comms { self.names.get(&tid).cloned() } else { None };
        let several = self.threads.count() > 1;
        let target = self.options.target;
        let out = &mut self.outputs.now.out;
        let thread = |out: &mut Buf, width: usize, left: bool| {
            let start = out.len();
            buf::sdec(out, i64::from(tid));
            let blanks = width.saturating_sub(out.len() - start);
            let at = if left { out.len() } else { start };
            out.splice(at..at, std::iter::repeat_n(b' ', blanks));
            if let Some(name) = &name {
                out.push(b'<');
                buf::escaped(out, name);
                out.push(b'>');
            }
        };
        match target {
            Target::Own if self.options.follow => {
                thread(out, 5, true);
                out.push(b' ');
            }
            Target::Shared if several => {
                buf::text(out, "[pid ");
                thread(out, 5, false);
                buf::text(out, "] ");
            }
            _ => {}
        }
        self.times(lead.now_ns);
        let columns = &self.options.columns;
        let out = &mut self.outputs.now.out;
        if columns.number {
            let text = lead.number.map_or_else(|| "[????] ".to_string(), |n| format!("[{n:4}] "));
            buf::text(out, &text);
        }
        if columns.pointer {
            let text = lead.pointer.map_or_else(|| "[????????????????] ".to_string(), |p| format!("[{p:016x}] "));
            buf::text(out, &text);
        }
        self.outputs.now.open = Some(tid);
    }

    /// The times in front of a line.
    fn times(&mut self, now_ns: u64) {
        let columns = &self.options.columns;
        let out = &mut self.outputs.now.out;
        if let Some((clock, precision)) = columns.absolute {
            let wall = self.epoch_ns.wrapping_add(now_ns);
            match clock {
                Clock::Unix => time(out, wall, precision, 0),
                Clock::Day => {
                    let seconds = wall / 1_000_000_000;
                    let local = (seconds as i64).saturating_add(i64::from(zone::offset(seconds as i64)));
                    let second = local.rem_euclid(86_400) as u64;
                    for (i, part) in [second / 3600, second / 60 % 60, second % 60].into_iter().enumerate() {
                        buf::text(out, if i > 0 { ":" } else { "" });
                        buf::padded(out, part, 2);
                    }
                    fraction(out, wall, precision);
                }
            }
            out.push(b' ');
        }
        if let Some(precision) = columns.relative {
            let since = self.previous_ns.map_or(0, |p| now_ns.saturating_sub(p));
            self.previous_ns = Some(now_ns);
            let framed = columns.absolute.is_some();
            buf::text(out, if framed { "(+" } else { "" });
            time(out, since, precision, 6);
            buf::text(out, if framed { ") " } else { " " });
        }
    }

    /// `)`, blanks up to the column, `= `.
    fn equals(&mut self) {
        let column = self.options.column;
        let lines = &mut self.outputs.now;
        buf::text(&mut lines.out, ") ");
        let blanks = column.saturating_sub(lines.column());
        lines.out.resize(lines.out.len() + blanks, b' ');
        buf::text(&mut lines.out, "= ");
    }

    /// Whether a call that ends so is shown.
    fn shows(&self, status: Status) -> bool {
        self.options.statuses.contains(status as u32)
    }

    /// Prints the end of a call whose beginning has been printed or kept.
    fn complete(&mut self, view: Option<&View<'_>>, call: &Call, phase: Phase, now_ns: u64) {
        let Some(mut begun) = self.begun.remove(&call.tid) else { return };
        let status = match (view, phase) {
            (Some(_), Phase::Exit(Ok(_))) => Status::Successful,
            (Some(_), Phase::Exit(Err(_))) => Status::Failed,
            _ => Status::Unfinished,
        };
        if let Some(staged) = begun.staged.take() {
            let result = match phase {
                Phase::Exit(result) if view.is_some() => Some(result),
                _ => None,
            };
            let end = End { result, duration_ns: now_ns.saturating_sub(begun.entered_ns) };
            if !self.shows(status) || !self.options.ends(call, begun.seen, end) {
                return;
            }
            self.leader(call.tid, lead_of(&begun.call, begun.entered_ns));
            match view {
                Some(view) if begun.late => self.begin(view, call, &mut begun),
                _ => self.out().extend_from_slice(&staged),
            }
        }
        self.outputs.select(call.tid);
        if self.outputs.now.open != Some(call.tid) {
            self.leader(call.tid, lead_of(&begun.call, now_ns));
            buf::text(self.out(), "<... ");
            name(self.out(), call);
            buf::text(self.out(), " resumed>");
        }
        if let Some(view) = view {
            begun.close(&self.options, &mut self.outputs.now.out, view, call, phase);
        } else {
            buf::text(self.out(), " <unfinished ...>");
        }
        self.equals();
        match view {
            Some(view) => {
                let out = &mut self.outputs.now.out;
                begun.result(&self.options, out, view, call, phase);
                if let Some(mark) = view.mark {
                    buf::text(out, " (");
                    buf::text(out, mark);
                    out.push(b')');
                }
                if let Some(precision) = self.options.columns.duration
                    && status != Status::Unfinished
                {
                    buf::text(self.out(), " <");
                    time(self.out(), now_ns.saturating_sub(begun.entered_ns), precision, 0);
                    self.out().push(b'>');
                }
            }
            None => self.out().push(b'?'),
        }
        self.outputs.now.end_line();
        if let (Some(view), Phase::Exit(Ok(_))) = (view, phase) {
            let mut cx = self.options.cx(&mut self.outputs.now.out, view, call, phase);
            if dump::data(&mut cx, call, &self.options.dump_read, &self.options.dump_write) {
                // The last line of the dump ends as every line does.
                self.outputs.now.out.pop();
                self.outputs.now.end_line();
            }
        }
        if !begun.stack.is_empty() {
            self.out().extend_from_slice(&begun.stack);
            self.out().pop();
            self.outputs.now.end_line();
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
    }

    fn event_line(&mut self, tid: Tid, now_ns: u64, pointer: Option<u64>, write: impl FnOnce(&mut Buf)) {
        let number = self.last.get(&tid).map(|l| l.0);
        self.leader(tid, Lead { now_ns, number, pointer });
        write(self.out());
        self.outputs.now.end_line();
    }

    /// Ends the line of a call that will never be done.
    fn abandon(&mut self, tid: Tid, now_ns: u64) {
        if let Some(call) = self.begun.get(&tid).map(|b| b.call) {
            self.complete(None, &call, Phase::Gone, now_ns);
        }
    }

    /// execve(2) in thread `by` has ended the first thread, whose id it has now.
    fn superseded(&mut self, pid: Tid, by: Tid, now_ns: u64) {
        if !self.threads.contains(pid) && !self.threads.contains(by) {
            return;
        }
        self.abandon(pid, now_ns);
        if self.threads.contains(pid) && !self.options.is_quiet(Message::ThreadExecve) {
            self.event_line(pid, now_ns, None, |out| {
                buf::text(out, "+++ superseded by execve in pid ");
                buf::sdec(out, i64::from(by));
                buf::text(out, " +++");
            });
        }
        self.threads.remove(by);
        self.threads.add(pid);
        if let Some(mut begun) = self.begun.remove(&by) {
            begun.call.tid = pid;
            self.begun.insert(pid, begun);
        }
    }

    fn exited(&mut self, tid: Tid, status: ExitStatus, now_ns: u64) {
        if !self.threads.contains(tid) {
            return;
        }
        self.abandon(tid, now_ns);
        if !self.options.is_quiet(Message::Exit) && self.threads.is_watched(tid) && self.left != Some(0) {
            self.event_line(tid, now_ns, None, |out| match status {
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
        }
        self.threads.remove(tid);
        self.names.remove(&tid);
        self.last.remove(&tid);
        self.outputs.close(tid);
    }

    /// A message for whoever runs the trace, not a part of it.
    fn tell(&self, what: &str, tid: Tid) {
        if !self.options.is_quiet(Message::Attach) {
            // Nobody can be told where even standard error cannot be written to.
            let _ = writeln!(std::io::stderr(), "sevm: Process {tid} {what}");
        }
    }

    fn learn_name(&mut self, view: &View<'_>, tid: Tid) {
        if self.options.style.comms
            && let Some(name) = view.kernel.and_then(|k| comm_of(k, tid))
        {
            self.names.insert(tid, name.to_vec());
        }
    }
}

fn lead_of(call: &Call, now_ns: u64) -> Lead {
    Lead { now_ns, number: Some(call.raw.nr), pointer: Some(call.pc) }
}

/// Appends seconds, right-aligned in `width` columns, and their fraction.
fn time(out: &mut Buf, ns: u64, precision: Precision, width: usize) {
    let start = out.len();
    buf::dec(out, ns / 1_000_000_000);
    let blanks = width.saturating_sub(out.len() - start);
    out.splice(start..start, std::iter::repeat_n(b' ', blanks));
    fraction(out, ns, precision);
}

/// Appends a point and as many digits of the second as are wanted.
fn fraction(out: &mut Buf, ns: u64, precision: Precision) {
    if precision.0 > 0 {
        out.push(b'.');
        let digits = u32::from(precision.0.min(9));
        buf::padded(out, ns % 1_000_000_000 / 10u64.pow(9 - digits), digits as usize);
    }
}

/// Index of execve(2) on `arch`.
fn execve(arch: Arch) -> Option<(usize, u64)> {
    let nr = u64::from(crate::syscalls::by_name(arch, "execve")?.number(arch)?);
    Some((crate::syscalls::lookup(arch, nr)?, nr))
}

impl Sink for TextSink {
    fn considers(&mut self, space: &Space, kernel: &Kernel, call: &Call) -> bool {
        self.judged = self.judge(space, Some(kernel), call);
        self.judged.is_some()
            || self.options.detach_on_execve && call.entry().is_some_and(|e| e.name.starts_with("execve"))
    }

    fn wants_registers(&self) -> bool {
        self.stacks.is_some()
    }

    fn wants(&self, index: Option<usize>) -> bool {
        let exec = self.options.detach_on_execve && index.is_some_and(|i| ENTRIES[i].name.starts_with("execve"));
        self.options.wants(index) || exec
    }

    fn start(&mut self, start: &Start<'_>) {
        self.threads.add(start.tid);
        self.epoch_ns = start.wall_ns.wrapping_sub(start.now_ns);
        let name = start.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        self.names.insert(start.tid, name[..name.len().min(15)].to_vec());
        let Some((index, nr)) = execve(start.arch) else { return };
        if !self.options.filter.admits(Some(index))
            || self.options.condition.as_ref().is_some_and(|c| !c.admits_start(index, start))
            || !self.shows(Status::Successful)
            || !(self.options.paths.is_empty() && self.options.fds.is_empty()
                || self.options.paths.iter().any(|p| p == start.path))
        {
            return;
        }
        self.leader(start.tid, Lead { now_ns: start.now_ns, number: Some(nr), pointer: None });
        let quote = self.options.style.quote();
        let full = !self.options.abbreviated.admits(Some(index));
        let shown = self.options.dereferenced.admits(Some(index));
        let limit = self.options.style.limit;
        let out = self.out();
        let list = |out: &mut Buf, strings: &[Vec<u8>]| {
            out.push(b'[');
            for (i, s) in strings.iter().enumerate() {
                buf::text(out, if i > 0 { ", " } else { "" });
                if !full && i >= limit {
                    buf::text(out, "...");
                    break;
                }
                buf::quoted(out, &s[..s.len().min(limit)], quote);
                buf::text(out, if s.len() > limit { "..." } else { "" });
            }
            out.push(b']');
        };
        buf::text(out, "execve(");
        buf::quoted(out, start.path, quote);
        buf::text(out, ", ");
        // The argument vector lies in front of the environment's on the first stack.
        let argv = start.envp_addr.wrapping_sub(8 * (start.argv.len() as u64 + 1));
        if shown {
            list(out, start.argv)
        } else {
            buf::addr(out, argv)
        }
        buf::text(out, ", ");
        if !shown {
            buf::addr(out, start.envp_addr);
        } else if full {
            list(out, start.envp);
        } else {
            buf::addr(out, start.envp_addr);
            buf::text(out, " /* ");
            buf::dec(out, start.envp.len() as u64);
            buf::text(out, if start.envp.len() == 1 { " var */" } else { " vars */" });
        }
        self.equals();
        self.out().push(b'0');
        if let Some(precision) = self.options.columns.duration {
            buf::text(self.out(), " <");
            time(self.out(), 0, precision, 0);
            self.out().push(b'>');
        }
        self.outputs.now.end_line();
    }

    fn enter(&mut self, view: &View<'_>, call: &Call) {
        let Some(verdict) = self.judged.take().or_else(|| self.judge(view.space, view.kernel, call)) else { return };
        self.learn_name(view, call.tid);
        self.threads.add(call.tid);
        self.last.insert(call.tid, (call.raw.nr, call.pc));
        let mut begun = Begun::new(&self.specials, view, call);
        if let Verdict::Later(seen) = verdict {
            begun.seen = Some(seen);
        }
        if let (Some(stacks), Some(regs)) = (&mut self.stacks, view.regs) {
            begun.stack = stacks.trace(view.space, regs);
        }
        if self.options.statuses.is_all() && begun.seen.is_none() {
            self.leader(call.tid, lead_of(call, view.now_ns));
            self.begin(view, call, &mut begun);
            self.outputs.now.show();
        } else if begun.can_wait(&self.options) {
            begun.late = true;
            begun.staged = Some(Buf::new());
        } else {
            // Shown when it is known how the call ends.
            let kept = std::mem::take(self.out());
            self.begin(view, call, &mut begun);
            begun.staged = Some(std::mem::replace(self.out(), kept));
        }
        self.begun.insert(call.tid, begun);
    }

    fn blocked(&mut self, view: &View<'_>, call: &Call) {
        // It may never come to its end.
        if let Some(mut begun) = self.begun.remove(&call.tid) {
            if std::mem::take(&mut begun.late) {
                let kept = std::mem::take(self.out());
                self.begin(view, call, &mut begun);
                begun.staged = Some(std::mem::replace(self.out(), kept));
            }
            self.begun.insert(call.tid, begun);
        }
    }

    fn exit(&mut self, view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>) {
        self.learn_name(view, call.tid);
        self.complete(Some(view), call, result.map_or(Phase::Gone, Phase::Exit), view.now_ns);
        let replaced = call.entry().is_some_and(|e| e.name.starts_with("execve")) && matches!(result, Some(Ok(_)));
        if self.options.detach_on_execve && replaced && self.threads.is_followed(&self.options, call.tid) {
            self.tell("detached", call.tid);
            self.threads.detach(call.tid);
        }
    }

    fn event(&mut self, now_ns: u64, event: &Event) {
        match event {
            Event::Signal { tid, info } if self.is_seen(*tid, info.signal.0) => {
                let info = *info;
                let pointer = self.last.get(tid).map(|l| l.1);
                self.event_line(*tid, now_ns, pointer, |out| {
                    buf::text(out, "--- ");
                    buf::text(out, &info.signal.name());
                    out.push(b' ');
                    decode::siginfo(out, &info);
                    buf::text(out, " ---");
                });
            }
            Event::Stopped { tid, signal } if self.is_seen(*tid, signal.0) => {
                self.event_line(*tid, now_ns, None, |out| {
                    buf::text(out, "--- stopped by ");
                    buf::text(out, &signal.name());
                    buf::text(out, " ---");
                });
            }
            Event::Created { parent, tid } => {
                if self.threads.created(&self.options, *parent, *tid) {
                    if let Some(name) = self.names.get(parent).cloned() {
                        self.names.insert(*tid, name);
                    }
                    self.tell("attached", *tid);
                }
            }
            Event::Signal { .. } | Event::Stopped { .. } => {}
            Event::Superseded { pid, by } => self.superseded(*pid, *by, now_ns),
            Event::ThreadExited { tid, status } => self.exited(*tid, *status, now_ns),
            Event::Exited { pid, status } => self.exited(*pid, *status, now_ns),
        }
    }

    fn finish(&mut self) -> Result<(), crate::Error> {
        self.outputs.finish().map_err(|source| crate::Error::Host { what: "writing the trace".to_string(), source })
    }
}

impl TextSink {
    /// Whether a signal of a thread is shown.
    fn is_seen(&self, tid: Tid, signal: u8) -> bool {
        self.threads.is_watched(tid) && self.left != Some(0) && self.options.signals.contains(u32::from(signal))
    }

    /// Prints a call up to what is known only after it.
    fn begin(&mut self, view: &View<'_>, call: &Call, begun: &mut Begun) {
        name(self.out(), call);
        self.out().push(b'(');
        begun.open(&self.options, &mut self.outputs.now.out, view);
    }
}
