//! The host of a deterministic run: another host, seen so that two runs over the same files see the same.
//!
//! - Clocks are one virtual clock, which the kernel moves on; randomness comes from a seed.
//! - Names, processors, memory and load are those of a fixed machine.
//! - Inode and device numbers are small ones in the order in which the guest meets the files. Hard links share theirs,
//!   and a file that happens to get the inode of a deleted one has its own.
//! - A file that the run has not changed shows its time of change for all its times; one that it has made or changed
//!   shows the virtual time at which it did. The host's own times go on as ever. Reading changes no time.
//! - Sizes of directories, blocks, and free space are fixed or follow from what is fixed.
//! - Directories are listed in the order of their names.
//!
//! What stays undetermined is what arrives from outside while the run goes on: bytes in pipes and sockets that somebody
//! else fills, and signals. Waiting for them takes the host's time, so that they have the chance to come, but costs
//! the guest's clock nothing unless its time limit ends the wait.

mod files;
mod paths;
mod registry;
mod sockets;

use super::random::Xoshiro256;
use super::{
    Clock, Events, FileStat, FileTime, Files, Host, HostClock, HostFd, HostSignal, Identity, InheritedSignals, Load,
    Names, Part, Place, PollFd, Signals, System, Terminals, Usage,
};
use crate::abi::consts::rlimit;
use crate::abi::{Errno, Signal};
use registry::{Key, Number, Registry, Times};
use std::cell::Cell;
use std::rc::Rc;

/// What the virtual clock shows when the machine starts: it has then been up for 100 s.
pub const BOOT_NS: u64 = 100_000_000_000;

/// When a run starts unless it is told otherwise, in seconds since 1970: 2001-09-09 01:46:40 UTC, a round number.
pub const EPOCH_S: u64 = 1_000_000_000;

/// Processors of the machine.
pub const CPUS: u32 = 4;

/// Memory of the machine, in bytes.
pub const RAM: u64 = 4 << 30;

const SECOND_NS: u64 = 1_000_000_000;

/// Passes calls on to the host below.
macro_rules! forward {
    ($(fn $name:ident(&mut self $(, $arg:ident: $type:ty)*) $(-> $result:ty)?;)*) => {
        $(fn $name(&mut self $(, $arg: $type)*) $(-> $result)? {
            self.inner.$name($($arg),*)
        })*
    };
}
use forward;

/// A clock that goes only when it is told to; clones are the same clock.
#[derive(Clone, Debug)]
pub struct VirtualClock(Rc<Cell<u64>>);

impl VirtualClock {
    /// A clock that shows `BOOT_NS`.
    pub fn new() -> VirtualClock {
        VirtualClock(Rc::new(Cell::new(BOOT_NS)))
    }

    /// Nanoseconds since the machine's boot.
    pub fn now_ns(&self) -> u64 {
        self.0.get()
    }

    /// Moves it on by `ns`.
    pub fn advance(&self, ns: u64) {
        self.0.set(self.0.get().saturating_add(ns));
    }

    /// Moves it on to `ns`, if it does not show more already.
    pub fn advance_to(&self, ns: u64) {
        self.0.set(self.0.get().max(ns));
    }
}

impl Default for VirtualClock {
    fn default() -> VirtualClock {
        VirtualClock::new()
    }
}

/// A host that shows nothing that would change from run to run.
pub struct SteadyHost {
    inner: Box<dyn Host>,
    clock: VirtualClock,
    /// Date of the machine's boot.
    boot_ns: u64,
    random: Xoshiro256,
    files: Registry,
    /// When sevm started, by the host's clock: what is newer was made during the run.
    started: FileTime,
    /// Whether the run was started with a terminal as one of its files.
    on_terminal: bool,
}

impl SteadyHost {
    /// Makes `inner` steady. The run starts at `epoch_ns` nanoseconds since 1970.
    pub fn new(mut inner: Box<dyn Host>, seed: u64, epoch_ns: u64) -> SteadyHost {
        let now_ns = inner.now_ns(HostClock::Realtime);
        SteadyHost {
            inner,
            clock: VirtualClock::new(),
            boot_ns: epoch_ns.saturating_sub(BOOT_NS),
            random: Xoshiro256::from_seed(seed),
            files: Registry::default(),
            started: file_time(now_ns),
            on_terminal: false,
        }
    }

    /// Its clock, to move it on.
    pub fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    fn now(&self) -> FileTime {
        file_time(self.boot_ns.saturating_add(self.clock.now_ns()))
    }

    /// Gives a file its number at first sight, and its times, which are as the host has them until something changes.
    fn meet(&mut self, fd: &HostFd) -> Result<(Number, FileStat), Errno> {
        let stat = self.inner.stat(fd)?;
        let number = match fd.label() {
            Some(number) => number,
            None if is_proc_root(&mut *self.inner, fd, &stat) => Number::MIN,
            // Without a name it cannot be met again, but its inode can be given to another file.
            None if stat.nlink == 0 => self.files.fresh(),
            None => self.files.number(Key::of(&stat)),
        };
        fd.set_label(number);
        let (started, boot) = (self.started, file_time(self.boot_ns));
        let first = || if is_stored(&stat) { first_times(&stat, started, boot) } else { Times::all(boot) };
        self.files.times(number, first);
        Ok((number, stat))
    }

    /// The times of an open file, to change them. A file that cannot be asked has none.
    fn times(&mut self, fd: &HostFd) -> Option<&mut Times> {
        let number = match fd.label() {
            Some(number) => number,
            None => self.meet(fd).ok()?.0,
        };
        Some(self.files.times(number, Times::default))
    }

    /// Content and inode change now.
    fn touch(&mut self, fd: &HostFd) {
        let now = self.now();
        if let Some(times) = self.times(fd) {
            (times.content, times.inode) = (now, now);
        }
    }

    /// The inode changes now.
    fn touch_inode(&mut self, fd: &HostFd) {
        let now = self.now();
        if let Some(times) = self.times(fd) {
            times.inode = now;
        }
    }

    /// A file that has just been made, or is new to the run for another reason.
    fn introduce(&mut self, fd: &HostFd) {
        let Ok(stat) = self.inner.stat(fd) else { return };
        let number = self.files.fresh();
        if stat.nlink > 0 {
            self.files.set_number(Key::of(&stat), number);
        }
        fd.set_label(number);
        let now = self.now();
        *self.files.times(number, Times::default) = Times::all(now);
    }

    /// What the guest sees of a file.
    fn show(&mut self, number: Number, stat: FileStat) -> FileStat {
        const DIRECTORY_SIZE: u64 = 4096;
        let times = *self.files.times(number, Times::default);
        let kind = stat.mode & FORMAT;
        let size = if kind == DIRECTORY { DIRECTORY_SIZE } else { stat.size };
        FileStat {
            dev: self.files.device(stat.dev),
            ino: number.get(),
            size,
            blksize: 4096,
            blocks: if matches!(kind, DIRECTORY | REGULAR) { size.div_ceil(4096) * 8 } else { 0 },
            atime: times.access,
            mtime: times.content,
            ctime: times.inode,
            btime: None,
            mnt_id: self.files.mount(stat.mnt_id),
            ..stat
        }
    }
}

const FORMAT: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;

fn file_time(ns: u64) -> FileTime {
    FileTime { sec: (ns / SECOND_NS) as i64, nsec: (ns % SECOND_NS) as u32 }
}

/// Whether the times of the file tell of its content, rather than of who used the device.
fn is_stored(stat: &FileStat) -> bool {
    const CHARACTER: u32 = 0o020_000;
    const BLOCK: u32 = 0o060_000;
    !matches!(stat.mode & FORMAT, CHARACTER | BLOCK)
}

/// The times of a file at first sight. What is newer than the run itself was changed by somebody at its side, the trace
/// file for example: it is as old as the machine.
fn first_times(stat: &FileStat, started: FileTime, boot: FileTime) -> Times {
    let t = stat.mtime;
    let newer = (t.sec, t.nsec) >= (started.sec, started.nsec);
    Times::all(if newer { boot } else { t })
}

/// The root of a procfs is known by its inode number.
fn is_proc_root(host: &mut dyn Host, fd: &HostFd, stat: &FileStat) -> bool {
    const PROC_MAGIC: u64 = 0x9fa0;
    stat.ino == 1 && rustix::fs::major(stat.dev) == 0 && host.stat_fs(fd).is_ok_and(|s| s.kind == PROC_MAGIC)
}

impl Host for SteadyHost {
    fn name(&self) -> &'static str {
        "steady"
    }
}

impl Clock for SteadyHost {
    fn now_ns(&mut self, clock: HostClock) -> u64 {
        let ns = self.clock.now_ns();
        match clock {
            HostClock::Realtime | HostClock::RealtimeCoarse | HostClock::Tai => self.boot_ns.saturating_add(ns),
            HostClock::Monotonic | HostClock::MonotonicRaw | HostClock::MonotonicCoarse | HostClock::Boottime => ns,
            HostClock::ProcessCpu => 0,
        }
    }

    fn random(&mut self, buf: &mut [u8]) {
        self.random.fill(buf);
    }

    /// Waits as long as the guest would, if there is something that can come from outside; else not at all.
    fn poll(&mut self, fds: &mut [PollFd], timeout_ns: Option<u64>) -> Result<usize, Errno> {
        let timeout_ns = if fds.is_empty() && timeout_ns.is_some() { Some(0) } else { timeout_ns };
        self.inner.poll(fds, timeout_ns)
    }
}

impl Signals for SteadyHost {
    forward! {
        fn take_signals(&mut self) -> Vec<HostSignal>;
        fn stop(&mut self, signal: Signal) -> bool;
    }

    fn inherited_signals(&self) -> InheritedSignals {
        self.inner.inherited_signals()
    }
}

/// A terminal that the run was not given is not there.
impl Terminals for SteadyHost {
    fn has_terminal(&mut self) -> bool {
        self.on_terminal && self.inner.has_terminal()
    }

    fn terminal_place(&mut self) -> Place {
        if self.on_terminal { self.inner.terminal_place() } else { Place::Foreground }
    }

    fn open_device(&mut self, path: &[u8], flags: u32) -> Result<HostFd, Errno> {
        let fd = self.inner.open_device(path, flags)?;
        self.meet(&fd)?;
        Ok(fd)
    }
}

impl System for SteadyHost {
    /// Not here: when one process ends and others go on would be seen outside.
    fn divide(&mut self) -> Result<Part, Errno> {
        Err(Errno::EPERM)
    }

    fn names(&mut self) -> Names {
        Names {
            node: b"sevm".to_vec(),
            release: b"6.12.0-sevm".to_vec(),
            version: b"#1 SMP PREEMPT_DYNAMIC Sun Sep  9 01:46:40 UTC 2001".to_vec(),
            domain: b"(none)".to_vec(),
        }
    }

    fn cpus(&mut self) -> u32 {
        CPUS
    }

    fn nice(&mut self) -> i32 {
        0
    }

    fn load(&mut self) -> Load {
        let uptime_s = self.clock.now_ns() / SECOND_NS;
        Load { uptime_s, total_ram: RAM, free_ram: RAM, ..Load::default() }
    }

    fn usage(&mut self) -> Usage {
        Usage::default()
    }

    /// Nobody: the machine's first process has no parent.
    fn parent_pid(&mut self) -> i32 {
        0
    }

    /// One disk with everything on it, and the usual others.
    fn proc_file(&mut self, path: &str) -> Vec<u8> {
        let text = match path {
            "/proc/self/mounts" => {
                "/dev/root / ext4 rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\nsysfs /sys sysfs rw,relatime 0 0\n\
                 devtmpfs /dev devtmpfs rw,relatime 0 0\n"
            }
            "/proc/self/mountinfo" => {
                "1 1 8:32 / / rw,relatime - ext4 /dev/root rw\n2 1 0:22 / /proc rw,relatime - proc proc rw\n\
                 3 1 0:23 / /sys rw,relatime - sysfs sysfs rw\n4 1 0:24 / /dev rw,relatime - devtmpfs devtmpfs rw\n"
            }
            "/proc/filesystems" => "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tpipefs\n\text4\n",
            "/proc/devices" => "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n  8 sd\n",
            "/proc/partitions" => "major minor  #blocks  name\n\n   8       32    8388608 root\n",
            "/proc/swaps" => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
            _ => "",
        };
        text.as_bytes().to_vec()
    }

    /// Those that most systems start a session with.
    fn limits(&mut self) -> [(u64, u64); 16] {
        const NONE: u64 = u64::MAX;
        let mut limits = [(NONE, NONE); 16];
        for (resource, soft, hard) in [
            (rlimit::RLIMIT_STACK, 8 << 20, NONE),
            (rlimit::RLIMIT_CORE, 0, NONE),
            (rlimit::RLIMIT_NPROC, 16384, 16384),
            (rlimit::RLIMIT_NOFILE, 1024, 1 << 19),
            (rlimit::RLIMIT_MEMLOCK, 8 << 20, 8 << 20),
            (rlimit::RLIMIT_SIGPENDING, 16384, 16384),
            (rlimit::RLIMIT_MSGQUEUE, 819_200, 819_200),
            (rlimit::RLIMIT_NICE, 0, 0),
            (rlimit::RLIMIT_RTPRIO, 0, 0),
        ] {
            limits[resource as usize] = (soft, hard);
        }
        limits
    }

    forward! {
        fn identity(&mut self) -> Identity;
    }
}

impl Events for SteadyHost {
    forward! {
        fn ready_queue(&mut self) -> Result<HostFd, Errno>;
        fn collect(&mut self, queue: &HostFd, fd: &HostFd, events: u32, token: u64) -> Result<(), Errno>;
        fn drop_collected(&mut self, queue: &HostFd, fd: &HostFd);
        fn take_collected(&mut self, queue: &HostFd) -> Vec<(u64, u32)>;
        fn watch_queue(&mut self) -> Result<HostFd, Errno>;
        fn watch(&mut self, queue: &HostFd, target: &HostFd, mask: u32) -> Result<i32, Errno>;
        fn unwatch(&mut self, queue: &HostFd, watch: i32) -> Result<(), Errno>;
    }
}
