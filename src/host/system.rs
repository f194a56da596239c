//! The host as a machine and the user who runs sevm: names, limits, memory, processors.

use crate::abi::Errno;

/// What uname(2) tells, without the machine's architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Name on the network.
    pub node: Vec<u8>,
    /// Kernel release, such as `6.1.0-13`.
    pub release: Vec<u8>,
    /// Kernel version: build number and date.
    pub version: Vec<u8>,
    /// NIS domain.
    pub domain: Vec<u8>,
}

/// Who runs sevm (credentials(7), capabilities(7)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Real, effective, saved, file-system user id.
    pub uid: [u32; 4],
    /// Real, effective, saved, file-system group id.
    pub gid: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective, permitted, inheritable, bounding, ambient capabilities.
    pub caps: [u64; 5],
    /// The flag of PR_SET_NO_NEW_PRIVS.
    pub no_new_privs: bool,
}

/// What sysinfo(2) tells. Memory is in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in sysinfo(2)")]
pub struct Load {
    pub uptime_s: u64,
    /// Averages over 1, 5 and 15 minutes, in 1/65536.
    pub loads: [u64; 3],
    pub total_ram: u64,
    pub free_ram: u64,
    pub shared_ram: u64,
    pub buffer_ram: u64,
    pub total_swap: u64,
    pub free_swap: u64,
    pub procs: u16,
    pub total_high: u64,
    pub free_high: u64,
}

/// What getrusage(2) tells of the sevm process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode, in nanoseconds.
    pub user_ns: u64,
    /// CPU time in the kernel, in nanoseconds.
    pub system_ns: u64,
    /// Largest resident set, in KiB.
    pub max_rss_kib: u64,
    /// Page faults without I/O.
    pub minor_faults: u64,
    /// Page faults with I/O.
    pub major_faults: u64,
    /// Block input operations.
    pub blocks_in: u64,
    /// Block output operations.
    pub blocks_out: u64,
    /// Voluntary context switches.
    pub switches_voluntary: u64,
    /// Involuntary context switches.
    pub switches_involuntary: u64,
}

/// Which part of a process that has been divided the caller is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The one that was there, for whoever started it to wait for.
    Front,
    /// A new one, which nobody waits for.
    Back,
}

/// The host's state as a machine.
pub trait System {
    /// Makes two of sevm's process, both with all of the machine and its open files. The new one has no standard files
    /// of its own, so that it keeps none open that its guests do not; record locks stay with the old one.
    ///
    /// # Errors
    /// Those of fork(2); `EPERM` where the machine is part of a larger program, `EAGAIN` where other threads run.
    fn divide(&mut self) -> Result<Part, Errno>;

    /// Its names.
    fn names(&mut self) -> Names;

    /// The user.
    fn identity(&mut self) -> Identity;

    /// Soft and hard limits by RLIMIT_* number; `u64::MAX` is none.
    fn limits(&mut self) -> [(u64, u64); 16];

    /// Processors that sevm may use.
    fn cpus(&mut self) -> u32;

    /// The nice value of sevm, -20 to 19, which its first guest begins with (getpriority(2)).
    fn nice(&mut self) -> i32;

    /// Memory and load.
    fn load(&mut self) -> Load;

    /// What sevm itself has used.
    fn usage(&mut self) -> Usage;

    /// The process id of sevm's parent.
    fn parent_pid(&mut self) -> i32;

    /// The contents of a file below the host's own `/proc` or `/sys`, empty if there is none: mounts, loads, memory.
    fn proc_file(&mut self, path: &str) -> Vec<u8>;
}
