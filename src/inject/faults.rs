//! What Linux may really do to a call: errors for want of resources, short transfers, interruptions. By call, from the
//! manual pages (man-pages 6.03, sections "ERRORS" and "RETURN VALUE").
//!
//! Only what passes is in it: after it, the call may be made again and succeed. What a program would go on to see (a
//! connection that is gone, a descriptor that is closed whatever close(2) says) is left out, because the machine does not
//! know of it. Errors that a path or a permission decides are left out too: where they can come, they come by themselves.

use crate::abi::Errno;

/// Kinds of open files, a bit each.
pub(super) mod kind {
    pub const REGULAR: u8 = 1;
    pub const FIFO: u8 = 2;
    /// Sockets whose bytes have no borders.
    pub const STREAM: u8 = 4;
    pub const TERMINAL: u8 = 8;
    pub const DATAGRAM: u8 = 16;
    /// Files on which a call may wait for long, so that signals interrupt it (signal(7)).
    pub const SLOW: u8 = FIFO | STREAM | TERMINAL | DATAGRAM;
    /// Files that may give or take fewer bytes than asked.
    pub const SHORT: u8 = REGULAR | FIFO | STREAM | TERMINAL;
    pub const ANY: u8 = 0xff;
}

/// Whether a signal handler with SA_RESTART keeps a call from failing (signal(7), "Interruption of system calls").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    /// It does: only handlers without the flag interrupt it.
    Possible,
    /// It does not.
    Never,
}

/// Something that may happen to a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It fails, if its first descriptor is of one of these kinds.
    Error(Errno, u8),
    /// The count in this argument is honoured in part: at least so many.
    Short { count: usize, at_least: u64 },
    /// EINTR, if its first descriptor is of one of these kinds.
    Interrupted(Restart, u8),
    /// It gives 0 without having waited: futex(2), "spurious wake-up".
    Spurious,
    /// brk(2) gives the present end: as if it had been asked for 0.
    Unmoved,
    /// Only if the remaining time is not asked for, which nobody would write: EINTR.
    InterruptedSleep { left: usize },
}

/// A call, what may happen to it, and where that is written.
pub(super) struct Row {
    pub calls: &'static [&'static str],
    pub faults: &'static [Fault],
    /// The manual page.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers and the test"))]
    pub page: &'static str,
}

use Fault::*;
use kind::*;

const fn error(errno: Errno) -> Fault {
    Error(errno, ANY)
}

const NO_SPACE: [Fault; 3] = [Error(Errno::ENOSPC, REGULAR), Error(Errno::EDQUOT, REGULAR), Error(Errno::EIO, REGULAR)];

/// What is written from one place or several.
const WRITTEN: &[Fault] =
    &[Short { count: 2, at_least: 1 }, Interrupted(Restart::Possible, SLOW), NO_SPACE[0], NO_SPACE[1], NO_SPACE[2]];

/// Descriptors and memory for them.
const DESCRIPTORS: &[Fault] = &[error(Errno::EMFILE), error(Errno::ENFILE), error(Errno::ENOMEM)];

const INTERRUPTIBLE: Fault = Interrupted(Restart::Possible, ANY);

/// All of it.
pub(super) const TABLE: &[Row] = &[
    Row {
        calls: &["read", "pread64"],
        faults: &[Short { count: 2, at_least: 1 }, Interrupted(Restart::Possible, SLOW), Error(Errno::EIO, REGULAR)],
        page: "read(2), pread(2)",
    },
    Row {
        calls: &["readv", "preadv", "preadv2"],
        faults: &[Short { count: 2, at_least: 1 }, Interrupted(Restart::Possible, SLOW), Error(Errno::EIO, REGULAR)],
        page: "readv(2)",
    },
    Row {
        calls: &["write", "pwrite64"],
        faults: WRITTEN,
        page: "write(2), pwrite(2); pipe(7): up to PIPE_BUF bytes are written whole",
    },
    Row { calls: &["writev", "pwritev", "pwritev2"], faults: WRITTEN, page: "writev(2)" },
    Row {
        calls: &["sendto", "recvfrom"],
        faults: &[Short { count: 2, at_least: 1 }, Interrupted(Restart::Possible, SLOW), error(Errno::ENOMEM)],
        page: "send(2), recv(2)",
    },
    Row {
        calls: &["sendmsg", "recvmsg"],
        faults: &[Interrupted(Restart::Possible, SLOW), error(Errno::ENOMEM)],
        page: "sendmsg(2), recvmsg(2)",
    },
    Row {
        calls: &["sendfile"],
        faults: &[Short { count: 3, at_least: 1 }, error(Errno::ENOMEM), error(Errno::EIO)],
        page: "sendfile(2): may transfer fewer bytes than requested",
    },
    Row {
        calls: &["copy_file_range", "splice"],
        faults: &[Short { count: 4, at_least: 1 }, error(Errno::ENOMEM)],
        page: "copy_file_range(2), splice(2)",
    },
    Row {
        calls: &["getrandom"],
        faults: &[Short { count: 1, at_least: 256 }],
        page: "getrandom(2): more than 256 bytes may be interrupted",
    },
    Row {
        calls: &["fsync", "fdatasync", "sync_file_range"],
        faults: &[error(Errno::EIO), error(Errno::ENOSPC), error(Errno::EDQUOT)],
        page: "fsync(2)",
    },
    Row { calls: &["ftruncate", "truncate"], faults: &[error(Errno::EIO)], page: "truncate(2)" },
    Row { calls: &["fallocate"], faults: &[error(Errno::ENOSPC), error(Errno::EIO)], page: "fallocate(2)" },
    Row { calls: &["open", "openat", "openat2", "creat"], faults: DESCRIPTORS, page: "open(2)" },
    Row { calls: &["socket", "socketpair"], faults: DESCRIPTORS, page: "socket(2), socketpair(2)" },
    Row {
        calls: &["accept", "accept4"],
        faults: &[
            error(Errno::ECONNABORTED),
            error(Errno::EMFILE),
            error(Errno::ENFILE),
            error(Errno::ENOMEM),
            INTERRUPTIBLE,
        ],
        page: "accept(2)",
    },
    Row { calls: &["pipe", "pipe2"], faults: &[error(Errno::EMFILE), error(Errno::ENFILE)], page: "pipe(2)" },
    Row { calls: &["dup"], faults: &[error(Errno::EMFILE)], page: "dup(2)" },
    Row {
        calls: &[
            "epoll_create",
            "epoll_create1",
            "eventfd",
            "eventfd2",
            "timerfd_create",
            "signalfd",
            "signalfd4",
            "inotify_init",
            "inotify_init1",
            "memfd_create",
        ],
        faults: DESCRIPTORS,
        page: "epoll_create(2), eventfd(2), timerfd_create(2), signalfd(2), inotify_init(2), memfd_create(2)",
    },
    Row {
        calls: &["epoll_ctl", "inotify_add_watch"],
        faults: &[error(Errno::ENOMEM), error(Errno::ENOSPC)],
        page: "epoll_ctl(2), inotify_add_watch(2)",
    },
    Row {
        calls: &["poll", "ppoll", "select", "pselect6"],
        faults: &[Interrupted(Restart::Never, ANY), error(Errno::ENOMEM)],
        page: "poll(2), select(2)",
    },
    Row {
        calls: &["epoll_wait", "epoll_pwait", "epoll_pwait2"],
        faults: &[Interrupted(Restart::Never, ANY)],
        page: "epoll_wait(2)",
    },
    Row { calls: &["nanosleep"], faults: &[InterruptedSleep { left: 1 }], page: "nanosleep(2)" },
    Row { calls: &["clock_nanosleep"], faults: &[InterruptedSleep { left: 3 }], page: "clock_nanosleep(2)" },
    Row { calls: &["futex"], faults: &[Spurious], page: "futex(2): FUTEX_WAIT, FUTEX_WAIT_BITSET" },
    Row { calls: &["wait4", "waitid"], faults: &[INTERRUPTIBLE], page: "wait(2)" },
    Row {
        calls: &["mmap", "mremap", "mprotect", "shmat"],
        faults: &[error(Errno::ENOMEM)],
        page: "mmap(2), mremap(2), mprotect(2), shmat(2)",
    },
    Row {
        calls: &["mlock", "mlock2", "mlockall"],
        faults: &[error(Errno::ENOMEM), error(Errno::EAGAIN)],
        page: "mlock(2)",
    },
    Row { calls: &["brk"], faults: &[Unmoved], page: "brk(2): on failure the system call gives the current break" },
    Row {
        calls: &["fork", "vfork", "clone", "clone3"],
        faults: &[error(Errno::EAGAIN), error(Errno::ENOMEM)],
        page: "fork(2), clone(2)",
    },
    Row { calls: &["execve", "execveat"], faults: &[error(Errno::ENOMEM), error(Errno::ENFILE)], page: "execve(2)" },
    Row {
        calls: &[
            "mkdir",
            "mkdirat",
            "symlink",
            "symlinkat",
            "link",
            "linkat",
            "rename",
            "renameat",
            "renameat2",
            "mknod",
            "mknodat",
        ],
        faults: &[error(Errno::ENOSPC), error(Errno::EDQUOT), error(Errno::ENOMEM)],
        page: "mkdir(2), symlink(2), link(2), rename(2), mknod(2)",
    },
    Row { calls: &["unlink", "unlinkat"], faults: &[error(Errno::EIO), error(Errno::ENOMEM)], page: "unlink(2)" },
    Row {
        calls: &[
            "stat",
            "lstat",
            "fstat",
            "newfstatat",
            "statx",
            "access",
            "faccessat",
            "faccessat2",
            "chdir",
            "rmdir",
            "chmod",
            "fchmodat",
            "chown",
            "lchown",
            "fchownat",
        ],
        faults: &[error(Errno::ENOMEM)],
        page: "stat(2), statx(2), access(2), chdir(2), rmdir(2), chmod(2), chown(2)",
    },
    Row { calls: &["readlink", "readlinkat"], faults: &[error(Errno::EIO), error(Errno::ENOMEM)], page: "readlink(2)" },
    Row { calls: &["flock"], faults: &[INTERRUPTIBLE, error(Errno::ENOLCK)], page: "flock(2)" },
    Row {
        calls: &["msgsnd", "msgrcv"],
        faults: &[Interrupted(Restart::Never, ANY)],
        page: "msgop(2): never restarted",
    },
    Row {
        calls: &["semop", "semtimedop"],
        faults: &[Interrupted(Restart::Never, ANY), error(Errno::ENOMEM)],
        page: "semop(2): never restarted",
    },
    Row {
        calls: &["msgget", "semget", "shmget"],
        faults: &[error(Errno::ENOSPC), error(Errno::ENOMEM)],
        page: "msgget(2), semget(2), shmget(2)",
    },
    Row { calls: &["mq_open"], faults: DESCRIPTORS, page: "mq_open(3)" },
    Row { calls: &["mq_timedsend", "mq_timedreceive"], faults: &[INTERRUPTIBLE], page: "mq_send(3), mq_receive(3)" },
    Row { calls: &["timer_create"], faults: &[error(Errno::EAGAIN), error(Errno::ENOMEM)], page: "timer_create(2)" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscalls::{ENTRIES, Len, Scalar, Type};
    use std::collections::BTreeSet;

    #[test]
    fn calls_are_there_once() {
        let mut seen = BTreeSet::new();
        for row in TABLE {
            assert!(!row.page.is_empty() && !row.faults.is_empty());
            for call in row.calls {
                assert!(ENTRIES.iter().any(|e| e.name == *call), "{call}");
                assert!(seen.insert(call), "{call} twice");
            }
        }
    }

    /// Where a count is shortened, it is one: of bytes, or of the elements of an array.
    #[test]
    fn counts_are_counts() {
        for row in TABLE {
            for fault in row.faults {
                let Short { count, .. } = fault else { continue };
                for entry in ENTRIES.iter().filter(|e| row.calls.contains(&e.name)) {
                    let arg = &entry.args[*count];
                    let counts = |a: &crate::syscalls::Arg| match a.ty {
                        Type::Ptr { len: Some(Len::Arg { arg, .. }), .. } => usize::from(arg) == *count,
                        _ => false,
                    };
                    let is_size = matches!(arg.ty, Type::Scalar(Scalar::Size));
                    assert!(is_size || entry.args.iter().any(counts), "{}: {}", entry.name, arg.name);
                }
            }
        }
    }
}
