//! Processes: what the threads of a group share.

use super::*;
use crate::mem::GuestAddr;
use std::rc::Rc;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// exit(2) with this code, 0 to 255.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// Which one.
        signal: Signal,
        /// Its default action dumps core.
        core: bool,
    },
}

/// User and group ids (credentials(7)).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Real, effective, saved, file-system user id.
    pub uid: [u32; 4],
    /// Real, effective, saved, file-system group id.
    pub gid: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective, permitted, inheritable, bounding, ambient capabilities.
    pub caps: [u64; 5],
}

impl Credentials {
    /// Those of the user who runs sevm.
    pub fn from_host(host: &mut dyn Host) -> Credentials {
        let id = host.identity();
        Credentials { uid: id.uid, gid: id.gid, groups: id.groups, caps: id.caps }
    }

    /// Whether the effective capabilities include this one.
    pub fn has(&self, capability: u32) -> bool {
        self.caps[0] & (1 << capability) != 0
    }
}

/// A soft and a hard limit (getrlimit(2)); `u64::MAX` is none.
#[derive(Clone, Copy, Debug)]
pub struct ResourceLimit {
    /// In force.
    pub soft: u64,
    /// Ceiling for the soft limit.
    pub hard: u64,
}

impl ResourceLimit {
    /// sevm's own limits, by RLIMIT_* number.
    pub fn from_host(host: &mut dyn Host) -> [ResourceLimit; 16] {
        host.limits().map(|(soft, hard)| ResourceLimit { soft, hard })
    }
}

/// A process (thread group).
pub struct Process {
    /// Its id.
    pub pid: Pid,
    /// Its parent's id; 0 for the first.
    pub ppid: Pid,
    /// Its process group.
    pub pgid: Pid,
    /// Its session.
    pub sid: Pid,
    /// Its controlling terminal.
    pub terminal: Option<tty::Tty>,
    /// Its threads, in order of creation.
    pub threads: Vec<Tid>,
    /// Path of its program as the guest sees it.
    pub exe: Vec<u8>,
    /// Keeps the file of its program from being written to.
    pub running: Option<Rc<file::Hold>>,
    /// Its arguments at start, for /proc/PID/cmdline.
    pub argv: Vec<Vec<u8>>,
    /// Its environment at start.
    pub envp: Vec<Vec<u8>>,
    /// The auxiliary vector at start.
    pub auxv: Vec<(u64, u64)>,
    /// Signals sent to the process as a whole.
    pub pending: signal::Pending,
    /// What else the process as a whole has of signal handling.
    pub signals: signal::ProcessSignals,
    /// Limits by RLIMIT_* number.
    pub limits: [ResourceLimit; 16],
    /// personality(2).
    pub personality: u32,
    /// The flag and other settings of prctl(2).
    pub settings: task::Settings,
    /// Interval timers.
    pub timers: time::ProcessTimers,
    /// What its ended threads and its reaped children have used.
    pub accounts: time::Accounts,
    /// Host-monotonic or virtual time of its start, in nanoseconds.
    pub start_ns: u64,
    /// Where the program's first instruction, code, data, stack and arguments lie: for /proc/PID/stat and prctl.
    pub layout: Layout,
    /// The thread that made it (__WNOTHREAD).
    pub creator: Tid,
    /// What its parent gets at its end; 0: no signal.
    pub exit_signal: i32,
    /// It was made by vfork(2) and has neither ended nor called execve(2): who made it waits.
    pub borrows_memory: bool,
    /// Its real user id when it ended.
    pub owner_at_exit: u32,
    /// Bytes and calls of its transfers.
    pub io: IoCounts,
    /// The name of its first thread when it ended.
    pub comm_at_exit: Vec<u8>,
    /// Set when it has ended and waits to be reaped.
    pub exit: Option<ExitStatus>,
}

/// What /proc/PID/io counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct IoCounts {
    /// Bytes that its reads gave.
    pub read_bytes: u64,
    /// Bytes that its writes took.
    pub written_bytes: u64,
    /// Calls that read.
    pub reads: u64,
    /// Calls that wrote.
    pub writes: u64,
}

/// Addresses that /proc/PID/stat shows (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Start and end of the program's code.
    pub code: (GuestAddr, GuestAddr),
    /// Start and end of its data.
    pub data: (GuestAddr, GuestAddr),
    /// The stack pointer at start.
    pub stack: GuestAddr,
    /// Start and end of the argument strings.
    pub args: (GuestAddr, GuestAddr),
    /// Start and end of the environment strings.
    pub env: (GuestAddr, GuestAddr),
    /// The first free address behind the data.
    pub brk: GuestAddr,
}
