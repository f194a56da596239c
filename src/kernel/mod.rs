//! A Linux kernel in Rust: processes, threads, files, memory, signals and time of the guests.
//!
//! [`Kernel`] holds all state of the simulated machine. A system call arrives in [`Kernel::syscall`], goes through the
//! generated `dispatch` to one function a call (`fs::openat`, ...), and yields an [`Outcome`]. A handler that would
//! wait returns [`Stop::Block`] through [`Ctx::wait`] and is run again when its condition may hold.
//!
//! Everything that the program does not determine comes in through [`crate::host::Host`]. Nothing here knows which
//! CPU runs the guest or who watches it, and nothing that can be observed depends on the order of a hash map.

pub mod admin;
mod agents;
mod ctx;
pub mod devfs;
pub mod event;
pub mod exec;
pub mod exit;
mod fd;
pub mod file;
pub mod fs;
pub mod futex;
mod id_map;
pub mod io;
pub mod ipc;
mod limits;
pub mod mm;
pub mod net;
pub mod pipe;
mod process;
pub mod procfs;
pub mod remote;
mod sched;
pub mod signal;
mod stuck;
pub mod sys;
pub mod task;
mod thread;
pub mod time;
pub mod tty;

pub use crate::host::Part;
pub use ctx::Ctx;
pub use exec::Program;
pub use fd::FdTable;
pub use fs::FsContext;
pub use id_map::IdMap;
pub use limits::{Limit, Limits};
pub use process::{Credentials, ExitStatus, IoCounts, Process, ResourceLimit};
pub use sched::{Slept, Wait, WaitKey, Wakeups};
pub use thread::{InCall, State, Thread};

use crate::abi::{Errno, Signal};
use crate::arch::{Arch, RawCall, RegPort};
use crate::host::{EPOCH_S, Host, SteadyHost};
use crate::mem::Windows;
use crate::syscalls::{self, ENTRIES, Entry};
use std::collections::BTreeMap;

/// A process id, as guests see it.
pub type Pid = i32;
/// A thread id, as guests see it; a process's first thread has the process's id.
pub type Tid = i32;

/// Why a handler did not return a value.
#[derive(Debug)]
pub enum Stop {
    /// The call fails with this error. The restart codes (`ERESTARTSYS`, ...) are resolved at signal delivery.
    Errno(Errno),
    /// The call must wait; it is carried out again, from its start, when the condition may hold.
    Block(Wait),
    /// An execve(2) wants to know about the CPU of this architecture first ([`Kernel::processors`]); it is made again then.
    NeedCpu(Arch),
    /// The call does not return to where it was made: the thread is gone or has other registers.
    NoReturn,
}

impl From<Errno> for Stop {
    fn from(e: Errno) -> Stop {
        Stop::Errno(e)
    }
}

/// What a handler returns: the value for the result register.
pub type SysResult = Result<u64, Stop>;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done and the result register is set.
    Done(Result<u64, Errno>),
    /// The thread waits.
    Blocked,
    /// The machine shall say what the CPU of this architecture can do and make the call again.
    NeedCpu(Arch),
    /// It is done and there is no result (exit, rt_sigreturn, successful execve).
    NoReturn,
}

/// How far a call has come. What it gave when it is done is in [`Kernel::result`]: apart, so that who does not ask for it, as after most
/// calls, has nothing to unpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// See [`Outcome::Done`].
    Done,
    /// See [`Outcome::Blocked`].
    Blocked,
    /// See [`Outcome::NeedCpu`].
    NeedCpu(Arch),
    /// See [`Outcome::NoReturn`].
    NoReturn,
}

/// What of the host's network guests can reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkAccess {
    /// All of it.
    #[default]
    Host,
    /// Nothing (`--no-network`).
    None,
}

/// What becomes of processes that are left when the first one has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remaining {
    /// The machine ends with the last of them.
    #[default]
    AwaitEnd,
    /// They go on in a process of the host that nobody waits for.
    LeaveBehind,
}

/// How the machine is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// An unimplemented call ends the run with an error instead of ENOSYS.
    pub strict: bool,
    /// Check that what a handler wrote lies within the outs of its table line.
    pub check_outs: bool,
    /// Count the pages that a process has at its end.
    pub count_pages: bool,
    /// Clock, randomness and names are fixed by the seed instead of taken from the host.
    pub deterministic: bool,
    /// Seed of all randomness in a deterministic run.
    pub seed: u64,
    /// When a deterministic run starts, in nanoseconds since 1970; `None`: [`EPOCH_S`].
    pub epoch_ns: Option<u64>,
    /// What the run may use at most.
    pub limits: Limits,
    /// Which files the guest has.
    pub layout: fs::Layout,
    /// What of the host's network guests can reach.
    pub network: NetworkAccess,
    /// What becomes of processes that the first one leaves. They are awaited in any case in a deterministic run, with
    /// limits, with observers, and once a guest has locked records, for on the host those locks are sevm's own.
    pub remaining: Remaining,
}

/// Something that happened and that an observer may want to know; drained by the machine.
#[expect(missing_docs, reason = "the line above each names its members")]
#[derive(Clone, Debug)]
pub enum Event {
    /// A signal is delivered to a thread (whether it is then handled, or kills).
    Signal { tid: Tid, info: signal::SigInfo },
    /// A thread, or a process with its first thread, has been made by another thread.
    Created { parent: Tid, tid: Tid },
    /// A thread has ended while its process may go on.
    ThreadExited { tid: Tid, status: ExitStatus },
    /// A thread has called execve(2): its process's other threads are gone and it has the process's id, `pid`, now.
    Superseded { pid: Pid, by: Tid },
    /// A signal has stopped a thread.
    Stopped { tid: Tid, signal: Signal },
    /// A process has ended.
    Exited { pid: Pid, status: ExitStatus },
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Instructions that all threads have retired.
    pub instructions: u64,
    /// Calls by index in [`ENTRIES`].
    pub calls: Vec<u64>,
    /// Calls by index that were answered because nothing implements them.
    pub unimplemented: BTreeMap<usize, u64>,
    /// Calls with a number that Linux does not have, by architecture and number.
    pub unknown: BTreeMap<(Arch, u64), u64>,
    /// Faults that became signals.
    pub faults: u64,
    /// Pages that processes had in memory at their ends, together ([`Config::count_pages`]).
    pub pages: u64,
}

/// The simulated machine without its CPUs.
pub struct Kernel {
    /// The door to the outside.
    pub host: Box<dyn Host>,
    /// How it is set up.
    pub config: Config,
    /// Live threads.
    pub threads: IdMap<Thread>,
    /// Processes, zombies included.
    pub processes: IdMap<Process>,
    /// Where address spaces come from.
    pub windows: Windows,
    /// What was counted.
    pub counters: Counters,
    /// What observers have not seen yet.
    pub events: Vec<Event>,
    /// Threads in the order in which they run next.
    pub(crate) queue: sched::RunQueue,
    /// Threads that wait, by what they wait for.
    pub(crate) waiters: sched::Waiters,
    /// Waits of the kernel itself.
    pub(crate) agents: agents::Agents,
    /// Turns and instructions since waited-for host files were looked at.
    since_look: (u32, u64),
    /// The user has been told that nothing inside the machine can wake it.
    pub(crate) told_stuck: bool,
    /// Wakes whoever waits for objects that have changed by themselves.
    pub wakeups: Wakeups,
    pub(crate) last_object: u64,
    /// The terminals and who has them.
    pub terminals: tty::Terminals,
    /// Node and domain name, where the guest has set its own.
    pub(crate) own_names: (Option<Vec<u8>>, Option<Vec<u8>>),
    /// Which files are open for writing, and which run.
    pub(crate) uses: file::Uses,
    /// Leases on files.
    pub(crate) leases: fs::Leases,
    /// Who has opened FIFOs.
    pub(crate) fifos: fs::Fifos,
    /// System V objects and message queues.
    pub(crate) ipc: ipc::Ipc,
    /// Epoll entries by what they watch.
    pub(crate) watchers: event::Watchers,
    /// Timers that are files.
    pub(crate) timer_files: event::TimerFiles,
    /// Clock, timers and randomness.
    pub time: time::TimeKeeper,
    /// What the guest's files are put together from.
    pub mounts: fs::Mounts,
    /// Sockets inside the machine.
    pub net: net::Network,
    /// What the call that ended last gave.
    pub result: Result<u64, Errno>,
    /// What the trace adds to the call that is being carried out.
    pub call_mark: Option<&'static str>,
    /// Who waits at which futex.
    pub futexes: futex::Futexes,
    /// When the run began, by the monotonic clock.
    pub(crate) started_ns: u64,
    /// Set by a call that `--strict` forbids.
    pub strict_violation: Option<(&'static str, u64)>,
    /// Set when a call wrote where its table line has no output ([`Config::check_outs`]).
    pub table_violation: Option<String>,
    /// Contexts of io_setup(2).
    pub(crate) aio: io::AioContexts,
    /// What each architecture's CPU can do.
    pub processors: [exec::Known; 2],
    pub(crate) next_pid: Pid,
    /// The id that the thread in a call has got from it (execve by another than the first thread).
    pub(crate) renamed: Option<Tid>,
    /// The process that the machine was started for.
    pub(crate) first_pid: Pid,
    /// A guest has locked records of a file of the host.
    pub(crate) has_locked_records: bool,
}

impl Kernel {
    /// Lets `act` see the open files of all processes whose name is `path`; some perhaps more than once.
    pub fn with_open_files(&self, path: &[u8], act: impl Fn(&file::File)) {
        for thread in self.threads.values().filter(|t| t.tid == t.pid || std::rc::Rc::strong_count(&t.files) == 1) {
            if let Ok(files) = thread.files.try_borrow() {
                files.with_name(path, &act);
            }
        }
    }

    /// An empty machine.
    pub fn new(host: Box<dyn Host>, windows: Windows, config: Config) -> Kernel {
        let (host, clock): (Box<dyn Host>, _) = match config.deterministic {
            true => {
                let epoch_ns = config.epoch_ns.unwrap_or(EPOCH_S * time::SECOND_NS);
                let steady = SteadyHost::new(host, config.seed, epoch_ns);
                let clock = steady.clock();
                (Box::new(steady), Some(clock))
            }
            false => (host, None),
        };
        let wakeups = Wakeups::default();
        let mut kernel = Kernel {
            host,
            config,
            threads: IdMap::default(),
            processes: IdMap::default(),
            windows,
            counters: Counters { calls: vec![0; ENTRIES.len()], ..Counters::default() },
            events: Vec::new(),
            queue: sched::RunQueue::default(),
            waiters: sched::Waiters::default(),
            agents: agents::Agents::default(),
            since_look: (0, 0),
            told_stuck: false,
            wakeups: wakeups.clone(),
            last_object: 0,
            terminals: tty::Terminals::default(),
            own_names: (None, None),
            uses: file::Uses::default(),
            leases: fs::Leases::default(),
            fifos: fs::Fifos::default(),
            ipc: ipc::Ipc::default(),
            watchers: event::Watchers::default(),
            timer_files: event::TimerFiles::default(),
            time: time::TimeKeeper::new(clock),
            mounts: fs::Mounts::default(),
            net: net::Network::new(wakeups),
            result: Ok(0),
            call_mark: None,
            futexes: futex::Futexes::default(),
            started_ns: 0,
            strict_violation: None,
            table_violation: None,
            aio: io::AioContexts::default(),
            processors: [exec::Known::NotYet; 2],
            next_pid: 1000,
            renamed: None,
            first_pid: 0,
            has_locked_records: false,
        };
        kernel.started_ns = kernel.monotonic_ns();
        kernel
    }

    /// Carries out the call that thread `tid` has stopped at, or goes on with the one it waits in.
    pub fn syscall(&mut self, tid: Tid, raw: RawCall, port: &mut dyn RegPort) -> Outcome {
        let Some(arch) = self.threads.get(&tid).map(|t| t.arch) else { return Outcome::NoReturn };
        let progress = self.carry_out(tid, &raw, syscalls::lookup(arch, raw.nr), port);
        self.outcome(progress)
    }

    /// The same, for a call whose index in the table is known.
    pub fn carry_out(&mut self, tid: Tid, raw: &RawCall, index: Option<usize>, port: &mut dyn RegPort) -> Progress {
        self.call_mark = None;
        let Some(mut ctx) = Ctx::new(self, tid, port) else { return Progress::NoReturn };
        let result = ctx.answer(raw, index);
        if let (true, Some(i)) = (ctx.kernel.config.check_outs, index) {
            ctx.check_outs(i, raw, &result);
        }
        let progress = ctx.finish(result);
        self.settle_terminals();
        progress
    }

    /// What became of the call that was carried out last.
    pub fn outcome(&self, progress: Progress) -> Outcome {
        match progress {
            Progress::Done => Outcome::Done(self.result),
            Progress::Blocked => Outcome::Blocked,
            Progress::NeedCpu(arch) => Outcome::NeedCpu(arch),
            Progress::NoReturn => Outcome::NoReturn,
        }
    }

    /// The process that thread `tid` belongs to.
    pub fn process_of(&self, tid: Tid) -> Option<&Process> {
        self.processes.get(&self.threads.get(&tid)?.pid)
    }
}

/// The entry of the table for a raw call.
pub fn entry_of(arch: Arch, raw: RawCall) -> Option<&'static Entry> {
    syscalls::lookup(arch, raw.nr).map(|i| &ENTRIES[i])
}

/// A signal and how the process died of it, or its exit code: what wait4(2) reports.
impl ExitStatus {
    /// The status word of wait(2).
    pub fn to_wait_status(self) -> i32 {
        match self {
            ExitStatus::Code(c) => (c & 0xff) << 8,
            ExitStatus::Signal { signal: Signal(n), core } => i32::from(n) | if core { 0x80 } else { 0 },
        }
    }
}

mod dispatch {
    #![allow(unused_imports, reason = "which modules and types are used depends on the table")]
    use super::*;
    use crate::mem::GuestAddr;
    use crate::syscalls::args;
    include!(concat!(env!("OUT_DIR"), "/dispatch.rs"));
}
