//! A call between its beginning and its end, for observers that print its arguments: what the call reads is printed
//! before it is carried out, what it writes afterwards.

use super::buf::{self, Buf};
use super::condition::Seen;
use super::decode::{self, Cx, Phase, Progress, Special};
use super::{Call, Options, View};
use crate::arch::Arch;
use crate::syscalls::{Arg, Dir, ENTRIES, Entry, Len, Type};

/// What is special about each call of the table, found by their names once.
pub(super) struct Specials(Vec<(Special, bool)>);

impl Specials {
    pub(super) fn new() -> Specials {
        Specials(ENTRIES.iter().map(|e| (Special::of(e.name), is_plain(e))).collect())
    }

    fn of(&self, index: Option<usize>) -> (Special, bool) {
        index.and_then(|i| self.0.get(i)).copied().unwrap_or_default()
    }
}

/// Whether the registers alone tell what such a call is asked for, so that it can be printed when it is done.
fn is_plain(entry: &Entry) -> bool {
    let plain =
        |a: &Arg| !a.ty.is_pointer() || matches!(a.ty, Type::Ptr { dir: Dir::Out, len: None | Some(Len::Ret), .. });
    Special::of(entry.name) == Special::None && entry.variants.is_empty() && entry.args.iter().all(plain)
}

/// A call that has begun.
pub(super) struct Begun {
    /// The call.
    pub call: Call,
    progress: Progress,
    special: Special,
    /// Where rt_sigreturn's mask lies, else the first argument.
    first: u64,
    /// When it began, in nanoseconds since the run did.
    pub entered_ns: u64,
    /// Its beginning, while it is not known whether the call is shown at all.
    pub staged: Option<Buf>,
    /// What `-e where=` has seen of it, while its end still decides.
    pub seen: Option<Seen>,
    /// Nothing is lost when its beginning is printed at its end.
    plain: bool,
    /// That is what shall be done.
    pub late: bool,
    /// Where it was made, a line for each frame.
    pub stack: Buf,
}

impl Begun {
    pub(super) fn new(specials: &Specials, view: &View<'_>, call: &Call) -> Begun {
        let (special, plain) = specials.of(call.index);
        let first = match (special, call.arch) {
            (Special::Sigreturn, Arch::X86_64) => call.sp.wrapping_add(296),
            (Special::Sigreturn, Arch::Aarch64) => call.sp.wrapping_add(168),
            _ => call.raw.args[0],
        };
        let progress = Progress::default();
        let entered_ns = view.now_ns;
        Begun {
            call: *call,
            progress,
            special,
            first,
            entered_ns,
            staged: None,
            seen: None,
            plain,
            late: false,
            stack: Buf::new(),
        }
    }

    /// Whether its beginning may be printed at its end, when it is known whether it is shown at all.
    pub(super) fn can_wait(&self, options: &Options) -> bool {
        self.plain && options.style.fds == 0 && !options.style.comms
    }

    /// Prints the arguments that are known before the call.
    pub(super) fn open(&mut self, options: &Options, out: &mut Buf, view: &View<'_>) {
        let call = self.call;
        let mut cx = options.cx(out, view, &call, Phase::Enter);
        cx.args[0] = self.first;
        match call.entry() {
            Some(entry) if !options.raw.admits(call.index) => {
                decode::arguments(&mut cx, entry, self.special, &mut self.progress);
            }
            entry => {
                // Numbers alone, as many as the call has.
                let count = entry.map_or(6, |e| e.args.len());
                for (i, arg) in call.raw.args.iter().take(count).enumerate() {
                    if i > 0 {
                        cx.next_argument();
                    }
                    cx.hex(*arg);
                }
            }
        }
    }

    /// Prints the other arguments. `call` is the call at its end: execve(2) may have changed its thread's id.
    pub(super) fn close(&mut self, options: &Options, out: &mut Buf, view: &View<'_>, call: &Call, phase: Phase) {
        let mut cx = options.cx(out, view, call, phase);
        cx.args[0] = self.first;
        if let Some(entry) = call.entry()
            && !options.raw.admits(call.index)
        {
            decode::arguments(&mut cx, entry, self.special, &mut self.progress);
        }
    }

    /// Prints what stands behind the equals sign, but for [`View::mark`].
    pub(super) fn result(&self, options: &Options, out: &mut Buf, view: &View<'_>, call: &Call, phase: Phase) {
        let raw = options.raw.admits(call.index) && call.index.is_some();
        let mut cx = options.cx(out, view, call, phase);
        match phase {
            Phase::Exit(Ok(value)) if raw => cx.hex(value),
            _ => decode::returned(&mut cx, call.entry(), self.special),
        }
    }
}

/// Appends the call's name; a number that Linux does not have as `syscall_0x..`.
pub(super) fn name(out: &mut Buf, call: &Call) {
    match call.entry() {
        Some(entry) => buf::text(out, entry.name),
        None => {
            buf::text(out, "syscall_");
            buf::hex(out, call.raw.nr);
        }
    }
}

impl Options {
    /// How values of a call are printed to `out`.
    pub(super) fn cx<'a>(&self, out: &'a mut Buf, view: &View<'a>, call: &Call, phase: Phase) -> Cx<'a> {
        let mut style = self.style;
        style.verbose = !self.abbreviated.admits(call.index) && call.index.is_some();
        style.dereference = self.dereferenced.admits(call.index);
        let (kernel, tid) = (view.kernel, call.tid);
        Cx { out, space: view.space, kernel, tid, arch: call.arch, style, args: call.raw.args, phase }
    }
}
