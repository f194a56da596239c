//! Observers of a run: they see every call, signal and exit, and can change nothing.

use crate::abi::Errno;
use crate::arch::{Arch, RawCall};
use crate::kernel::{Event, Pid, Tid};
use crate::mem::Space;
use crate::syscalls::Entry;

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
    /// The table's entry; `None` for a number that Linux does not have.
    pub entry: Option<&'static Entry>,
    /// Address behind the call instruction.
    pub pc: u64,
}

/// What an observer may look at.
pub struct View<'a> {
    /// The caller's memory.
    pub space: &'a Space,
    /// Nanoseconds since the run began.
    pub now_ns: u64,
    /// Threads alive, for formats that name the thread only when there are several.
    pub threads: usize,
}

/// An observer.
pub trait Sink {
    /// A call begins.
    fn enter(&mut self, view: &View<'_>, call: &Call);
    /// A call is done; `None` for one that does not return.
    fn exit(&mut self, view: &View<'_>, call: &Call, result: Option<Result<u64, Errno>>);
    /// A thread starts to wait within the call it has entered.
    fn blocked(&mut self, view: &View<'_>, call: &Call);
    /// Something else happened.
    fn event(&mut self, now_ns: u64, event: &Event);
    /// The run is over: write out what is still kept.
    ///
    /// # Errors
    /// What could not be written, in words.
    fn finish(&mut self) -> Result<(), crate::Error>;
}
