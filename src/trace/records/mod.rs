//! Traces for programs: one record a call, signal, exec and exit, written by a [`Format`] when the call is done.
//!
//! Arguments are printed by the same code as the text, at the same two moments; here they are taken apart again. Which
//! calls are recorded is decided as for the text.

mod json;
mod perfetto;
mod symbol;
mod values;

pub use json::Json;
pub use perfetto::Perfetto;

use super::begun::{Begun, Specials};
use super::buf::Buf;
use super::condition::{End, Verdict};
use super::decode::{Phase, Separator};
use super::outputs::{Output, Outputs};
use super::select::comm_of;
use super::threads::Threads;
use super::{Call, Options, Sink, Start, Status, View};
use crate::abi::{Errno, Signal};
use crate::arch::Arch;
use crate::kernel::signal::SigInfo;
use crate::kernel::{Event, ExitStatus, Kernel, Pid, Tid};
use crate::mem::Space;
use crate::syscalls::ENTRIES;
use std::collections::BTreeMap;
use symbol::Symbols;

/// A call that is done, or whose thread is gone.
pub struct Done<'a> {
    /// The call.
    pub call: &'a Call,
    /// When it began, in nanoseconds since the run did.
    pub since_ns: u64,
    /// How long it took, waiting included, in nanoseconds.
    pub duration_ns: u64,
    /// The function that makes the call, and how far behind its beginning.
    pub symbol: Option<(&'a str, u64)>,
    /// Instructions that the thread has retired between its call before and this one.
    pub instructions: u64,
    /// Arguments as printed, with [`super::decode::MARK`] between them.
    arguments: &'a [u8],
    /// What it returned; `None` for a call that does not return, or never came to its end.
    pub result: Option<Result<u64, Errno>>,
    /// The result as strace prints it.
    text: &'a [u8],
    /// What else is to be known of it ([`View::mark`]).
    pub mark: Option<&'static str>,
    /// The thread's name.
    pub comm: Option<&'a [u8]>,
}

/// What happens besides calls.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// A process runs another program.
    Exec {
        /// The program's file.
        path: &'a [u8],
        /// Its architecture.
        arch: Arch,
    },
    /// The thread has made another one.
    Created(Tid),
    /// A signal is delivered to it.
    Signal(&'a SigInfo),
    /// A signal stops it.
    Stopped(Signal),
    /// It has called execve(2) and goes on with its process's id, this one.
    Superseded(Pid),
    /// It has ended.
    ThreadExited(ExitStatus),
    /// Its process has ended.
    Exited(ExitStatus),
}

/// Writes records. Every function appends to the line in the making, which its caller ends.
pub trait Format {
    /// The run begins.
    fn start(&mut self, out: &mut Vec<u8>, start: &Start<'_>);
    /// A call is done.
    fn call(&mut self, out: &mut Vec<u8>, done: &Done<'_>);
    /// Something else happened to a thread; times are nanoseconds since the run began.
    fn happened(&mut self, out: &mut Vec<u8>, now_ns: u64, pid: Option<Pid>, tid: Tid, what: Happening<'_>);
    /// The run is over.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// The sink that writes records.
pub struct RecordSink<F> {
    options: Options,
    format: F,
    outputs: Outputs,
    threads: Threads,
    /// What was said of the call that begins now.
    judged: Option<Verdict>,
    specials: Specials,
    begun: BTreeMap<Tid, Making>,
    /// The process of each thread, and the instructions it had retired at its last call.
    seen: BTreeMap<Tid, (Pid, u64)>,
    /// When the run began, by the machine's clock.
    origin_ns: u64,
    /// Calls that may still be shown.
    left: Option<u64>,
    symbols: Symbols,
    /// Buffers of calls that are done.
    spare: Vec<Buf>,
}

/// A call that is being made.
struct Making {
    begun: Begun,
    arguments: Buf,
    instructions: u64,
}

impl<F: Format> RecordSink<F> {
    /// Writes what `options` select to `output`.
    pub fn new(mut options: Options, format: F, output: Output) -> RecordSink<F> {
        options.style.names = true;
        options.style.separator = Separator::Mark;
        RecordSink {
            left: options.limit,
            options,
            format,
            outputs: Outputs::new(output),
            threads: Threads::default(),
            judged: None,
            specials: Specials::new(),
            begun: BTreeMap::new(),
            seen: BTreeMap::new(),
            origin_ns: 0,
            symbols: Symbols::default(),
            spare: Vec::new(),
        }
    }

    /// Whether a call that begins is shown, if it may be.
    fn judge(&self, space: &Space, kernel: Option<&Kernel>, call: &Call) -> Option<Verdict> {
        if !self.threads.is_followed(&self.options, call.tid) || self.left == Some(0) {
            return None;
        }
        Some(self.options.begins(space, kernel, call)).filter(|v| *v != Verdict::No)
    }

    fn complete(&mut self, view: Option<&View<'_>>, call: &Call, now_ns: u64, result: Option<Result<u64, Errno>>) {
        let Some(mut making) = self.begun.remove(&call.tid) else { return };
        let status = match (view, result) {
            (Some(_), Some(Ok(_))) => Status::Successful,
            (Some(_), Some(Err(_))) => Status::Failed,
            _ => Status::Unfinished,
        };
        let end = End { result: view.and(result), duration_ns: now_ns.saturating_sub(making.begun.entered_ns) };
        if self.options.statuses.contains(status as u32) && self.options.ends(call, making.begun.seen, end) {
            let mut text = self.spare.pop().unwrap_or_default();
            if let Some(view) = view {
                let phase = result.map_or(Phase::Gone, Phase::Exit);
                if making.begun.late {
                    making.begun.open(&self.options, &mut making.arguments, view);
                }
                making.begun.close(&self.options, &mut making.arguments, view, call, phase);
                making.begun.result(&self.options, &mut text, view, call, phase);
            } else {
                text.push(b'?');
            }
            let done = Done {
                call,
                since_ns: making.begun.entered_ns.saturating_sub(self.origin_ns),
                duration_ns: end.duration_ns,
                // The call instruction itself lies before the address.
                symbol: view.and_then(|v| self.symbols.at(v.space, call.pc.wrapping_sub(1))),
                instructions: making.instructions,
                arguments: &making.arguments,
                result,
                text: &text,
                mark: view.and_then(|v| v.mark),
                comm: view.and_then(|v| v.kernel).and_then(|k| comm_of(k, call.tid)),
            };
            self.outputs.select(call.tid);
            self.format.call(&mut self.outputs.now.out, &done);
            self.outputs.now.end_line();
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(1);
            }
            text.clear();
            self.spare.push(text);
        }
        making.arguments.clear();
        self.spare.push(making.arguments);
    }

    fn happened(&mut self, now_ns: u64, tid: Tid, what: Happening<'_>) {
        self.outputs.select(tid);
        let pid = self.seen.get(&tid).map(|s| s.0);
        self.format.happened(&mut self.outputs.now.out, now_ns.saturating_sub(self.origin_ns), pid, tid, what);
        self.outputs.now.end_line();
    }

    /// Ends a call that will never be done.
    fn abandon(&mut self, tid: Tid, now_ns: u64) {
        if let Some(call) = self.begun.get(&tid).map(|m| m.begun.call) {
            self.complete(None, &call, now_ns, None);
        }
    }

    fn exited(&mut self, tid: Tid, now_ns: u64, what: Happening<'_>) {
        if !self.threads.contains(tid) {
            return;
        }
        self.abandon(tid, now_ns);
        if self.left != Some(0) {
            self.happened(now_ns, tid, what);
        }
        self.threads.remove(tid);
        self.seen.remove(&tid);
        self.outputs.close(tid);
    }

    fn superseded(&mut self, pid: Pid, by: Tid, now_ns: u64) {
        if !self.threads.contains(pid) && !self.threads.contains(by) {
            return;
        }
        self.abandon(pid, now_ns);
        self.happened(now_ns, by, Happening::Superseded(pid));
        self.threads.remove(by);
        self.threads.add(pid);
        if let Some(seen) = self.seen.remove(&by) {
            self.seen.insert(pid, seen);
        }
        if let Some(mut making) = self.begun.remove(&by) {
            making.begun.call.tid = pid;
            self.begun.insert(pid, making);
        }
    }

    fn shows_event(&self, tid: Tid) -> bool {
        self.threads.is_watched(tid) && self.left != Some(0)
    }
}

/// Instructions that a thread has retired.
fn retired(view: &View<'_>, tid: Tid) -> u64 {
    view.kernel.and_then(|k| k.threads.get(&tid)).map_or(0, |t| t.retired)
}

impl<F: Format> Sink for RecordSink<F> {
    fn considers(&mut self, space: &Space, kernel: &Kernel, call: &Call) -> bool {
        self.judged = self.judge(space, Some(kernel), call);
        self.judged.is_some() || call.entry().is_some_and(|e| e.name.starts_with("execve"))
    }

    fn wants(&self, index: Option<usize>) -> bool {
        // Programs are told of whatever calls are.
        let exec = index.is_some_and(|i| ENTRIES[i].name.starts_with("execve"));
        self.options.wants(index) || exec
    }

    fn start(&mut self, start: &Start<'_>) {
        self.threads.add(start.tid);
        self.seen.insert(start.tid, (start.tid, 0));
        self.origin_ns = start.now_ns;
        self.outputs.select(start.tid);
        self.format.start(&mut self.outputs.now.out, start);
        self.outputs.now.end_line();
    }

    fn enter(&mut self, view: &View<'_>, call: &Call) {
        let Some(verdict) = self.judged.take().or_else(|| self.judge(view.space, view.kernel, call)) else { return };
        self.threads.add(call.tid);
        let mut begun = Begun::new(&self.specials, view, call);
        if let Verdict::Later(seen) = verdict {
            begun.seen = Some(seen);
        }
        let mut arguments = self.spare.pop().unwrap_or_default();
        begun.late = begun.can_wait(&self.options);
        if !begun.late {
            begun.open(&self.options, &mut arguments, view);
        }
        let retired = retired(view, call.tid);
        let before = self.seen.insert(call.tid, (call.pid, retired)).map_or(0, |s| s.1);
        self.begun.insert(call.tid, Making { begun, arguments, instructions: retired.saturating_sub(before) });
    }

    fn blocked(&mut self, view: &View<'_>, call: &Call) {
        // It may never come to its end.
        if let Some(making) = self.begun.get_mut(&call.tid)
            && std::mem::take(&mut making.begun.late)
        {
            making.begun.open(&self.options, &mut making.arguments, view);
        }
    }

    fn exit(&mut self, view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>) {
        self.complete(Some(view), call, view.now_ns, result);
        let replaced = call.entry().is_some_and(|e| e.name.starts_with("execve")) && matches!(result, Some(Ok(_)));
        if !replaced || !self.threads.is_followed(&self.options, call.tid) {
            return;
        }
        let program = view.kernel.and_then(|k| Some((k.processes.get(&call.pid)?, k.threads.get(&call.tid)?.arch)));
        if let Some((process, arch)) = program {
            self.happened(view.now_ns, call.tid, Happening::Exec { path: &process.exe, arch });
        }
        if self.options.detach_on_execve {
            self.threads.detach(call.tid);
        }
    }

    fn event(&mut self, now_ns: u64, event: &Event) {
        match event {
            Event::Signal { tid, info } => {
                if self.shows_event(*tid) && self.options.signals.contains(u32::from(info.signal.0)) {
                    self.happened(now_ns, *tid, Happening::Signal(info));
                }
            }
            Event::Stopped { tid, signal } => {
                if self.shows_event(*tid) && self.options.signals.contains(u32::from(signal.0)) {
                    self.happened(now_ns, *tid, Happening::Stopped(*signal));
                }
            }
            Event::Created { parent, tid } => {
                if self.threads.created(&self.options, *parent, *tid) {
                    self.happened(now_ns, *parent, Happening::Created(*tid));
                }
            }
            Event::Superseded { pid, by } => self.superseded(*pid, *by, now_ns),
            Event::ThreadExited { tid, status } => self.exited(*tid, now_ns, Happening::ThreadExited(*status)),
            Event::Exited { pid, status } => self.exited(*pid, now_ns, Happening::Exited(*status)),
        }
    }

    fn finish(&mut self) -> Result<(), crate::Error> {
        self.format.end(&mut self.outputs.now.out);
        self.outputs.finish().map_err(|source| crate::Error::Host { what: "writing the trace".to_string(), source })
    }
}
