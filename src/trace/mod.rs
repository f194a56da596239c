//! Observers of a run: they see every call, signal and exit, and can change nothing.
//!
//! [`TextSink`] writes what strace writes, [`RecordSink`] the same for programs. Which calls are shown is decided by
//! [`Filter`] and [`Condition`] before anything is formatted.
//! Does not know how calls are carried out, nor which CPU runs the guest.

mod begun;
mod buf;
mod condition;
mod decode;
mod diff;
mod dump;
mod filter;
mod histogram;
mod options;
mod outputs;
mod paint;
mod records;
mod select;
mod sets;
mod stack;
mod summary;
mod text;
mod threads;
mod zone;

pub use condition::Condition;
pub use decode::{Constants, Strings, Style};
pub use diff::{Difference, compare};
pub use filter::{Filter, FilterError};
pub use options::{
    Clock, Columns, FD_DETAILS, FdDetail, MESSAGES, Message, Options, Precision, STATUSES, Status, Target,
};
pub use outputs::{Flush, Opener, Output};
pub use records::{Done, Format, Happening, Json, Perfetto, RecordSink};
pub use sets::{Numbers, signal};
pub use stack::{Loader, Stack};
pub use summary::{Column, Summary, SummaryOptions};
pub use text::TextSink;
pub use zone::{Zone, set as set_zone};

use crate::abi::Errno;
use crate::arch::{Arch, RawCall, Regs};
use crate::kernel::{Event, Kernel, Pid, Tid};
use crate::mem::Space;
use crate::syscalls::{ENTRIES, Entry};

/// A call as an observer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Calling thread.
    pub tid: Tid,
    /// Its process.
    pub pid: Pid,
    /// Its architecture.
    pub arch: Arch,
    /// Number and raw arguments.
    pub raw: RawCall,
    /// Index in [`ENTRIES`]; `None` for a number that Linux does not have.
    pub index: Option<usize>,
    /// Address behind the call instruction.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
}

impl Call {
    /// The table's entry.
    pub fn entry(&self) -> Option<&'static Entry> {
        self.index.and_then(|i| ENTRIES.get(i))
    }
}

/// What an observer may look at.
pub struct View<'a> {
    /// The caller's memory.
    pub space: &'a Space,
    /// The rest of the machine: descriptors, names of processes.
    pub kernel: Option<&'a Kernel>,
    /// Nanoseconds since the run began.
    pub now_ns: u64,
    /// What is to be known of the call beside its result, such as that it failed because of an option of sevm: printed
    /// in parentheses.
    pub mark: Option<&'static str>,
    /// Threads alive, for formats that name the thread only when there are several.
    pub threads: usize,
    /// The caller's registers before the call, if one of the observers wants them.
    pub regs: Option<&'a Regs>,
}

/// Which clock the times of a run are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timekeeping {
    /// The host's.
    Host,
    /// The machine's own, which instructions and calls move on.
    Virtual,
}

/// How the first program was started: what strace shows as its execve(2).
pub struct Start<'a> {
    /// The thread it runs in.
    pub tid: Tid,
    /// The program's file name.
    pub path: &'a [u8],
    /// Its arguments.
    pub argv: &'a [Vec<u8>],
    /// Its environment.
    pub envp: &'a [Vec<u8>],
    /// Where the environment lies in the guest.
    pub envp_addr: u64,
    /// The program's architecture.
    pub arch: Arch,
    /// Nanoseconds since the run began.
    pub now_ns: u64,
    /// Nanoseconds since 1970 at the same moment.
    pub wall_ns: u64,
    /// Where these come from.
    pub timekeeping: Timekeeping,
}

/// An observer. It need only implement what it wants to see.
pub trait Sink {
    /// Whether the call with this index shall be told of. Asked once for every call, before the run.
    fn wants(&self, _index: Option<usize>) -> bool {
        true
    }
    /// Whether this call shall be told of, of those that [`Sink::wants`] has let through. Asked before anything is
    /// prepared for telling: a call that nobody asks for costs next to nothing. Of one that has begun to wait the sink may
    /// still hear, and of events always.
    fn considers(&mut self, _space: &Space, _kernel: &Kernel, _call: &Call) -> bool {
        true
    }

    /// Whether it looks at [`View::regs`]. Asked once, before the run.
    fn wants_registers(&self) -> bool {
        false
    }
    /// The run begins.
    fn start(&mut self, _start: &Start<'_>) {}
    /// A call begins.
    fn enter(&mut self, _view: &View<'_>, _call: &Call) {}
    /// A call is done; `None` for one that does not return.
    fn exit(&mut self, _view: &View<'_>, _call: &Call, _result: Option<Result<u64, Errno>>) {}
    /// A thread starts to wait within the call it has entered.
    fn blocked(&mut self, _view: &View<'_>, _call: &Call) {}
    /// A thread goes on with the call it waits in; it may have to wait again.
    fn resumed(&mut self, _view: &View<'_>, _call: &Call) {}
    /// Something else happened.
    fn event(&mut self, _now_ns: u64, _event: &Event) {}
    /// The run is over: write out what is still kept.
    ///
    /// # Errors
    /// What could not be written, in words.
    fn finish(&mut self) -> Result<(), crate::Error> {
        Ok(())
    }
}

/// An observer that its owner reads after the run.
impl<S: Sink> Sink for std::rc::Rc<std::cell::RefCell<S>> {
    fn wants(&self, index: Option<usize>) -> bool {
        self.borrow().wants(index)
    }

    fn considers(&mut self, space: &Space, kernel: &Kernel, call: &Call) -> bool {
        self.borrow_mut().considers(space, kernel, call)
    }

    fn wants_registers(&self) -> bool {
        self.borrow().wants_registers()
    }

    fn start(&mut self, start: &Start<'_>) {
        self.borrow_mut().start(start);
    }

    fn enter(&mut self, view: &View<'_>, call: &Call) {
        self.borrow_mut().enter(view, call);
    }

    fn exit(&mut self, view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>) {
        self.borrow_mut().exit(view, call, result);
    }

    fn blocked(&mut self, view: &View<'_>, call: &Call) {
        self.borrow_mut().blocked(view, call);
    }

    fn resumed(&mut self, view: &View<'_>, call: &Call) {
        self.borrow_mut().resumed(view, call);
    }

    fn event(&mut self, now_ns: u64, event: &Event) {
        self.borrow_mut().event(now_ns, event);
    }

    fn finish(&mut self) -> Result<(), crate::Error> {
        self.borrow_mut().finish()
    }
}
