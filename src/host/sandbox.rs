//! `--sandbox`: sevm confines itself, so that a program which has taken it over reaches no more than its guest could.
//!
//! Landlock (landlock(7)) leaves the files below given directories and those that sevm itself needs; seccomp(2) leaves the
//! system calls that this program makes, with signals, limits and memory of its own process only, and neither execve nor
//! fork. What they do not cover is in `docs/SECURITY.md`.

use crate::Error;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What may be done to files below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Reading them and listing directories.
    Read,
    /// All that their modes allow.
    All,
}

/// Whether the network may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// As without a sandbox.
    Allowed,
    /// No socket is made at all.
    Refused,
}

/// What sevm leaves itself.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// Directories with all below them, and files.
    pub files: Vec<(PathBuf, Rights)>,
    /// The network.
    pub network: Network,
}

/// The oldest Landlock that holds what is promised: the third can refuse truncate(2) by a path.
const LEAST: ABI = ABI::V3;
/// The newest whose rights are asked for: devices' ioctls, sockets without a file name, signals.
const NEWEST: ABI = ABI::V6;

/// Devices of a guest.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What sevm reads to answer for the guest's `/proc`, and to open its own descriptors anew.
const READ: [&str; 21] = [
    "/proc/self",
    "/proc/crypto",
    "/proc/devices",
    "/proc/diskstats",
    "/proc/filesystems",
    "/proc/interrupts",
    "/proc/loadavg",
    "/proc/locks",
    "/proc/meminfo",
    "/proc/misc",
    "/proc/partitions",
    "/proc/pressure",
    "/proc/softirqs",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/fs",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/proc/tty/drivers",
    "/proc/vmstat",
    "/proc/zoneinfo",
];

fn failed(what: &str) -> impl Fn(String) -> Error {
    let what = what.to_string();
    move |reason| Error::Sandbox(format!("{what}: {reason}"))
}

/// Confines this process, with all threads that it starts later, for good. Gives what this machine's kernel is too old to
/// confine, in words; nothing if all is confined.
///
/// # Errors
/// The kernel cannot do it, or a path is not there. Nothing may run then.
pub fn confine(wanted: &Confinement) -> Result<Vec<&'static str>, Error> {
    let left = restrict_files(wanted)?;
    let program = filter(wanted.network).map_err(|e| failed("the filter of system calls")(e.to_string()))?;
    seccompiler::apply_filter(&program)
        .map_err(|e| failed("this kernel takes no filter of system calls (seccomp)")(e.to_string()))?;
    Ok(left)
}

/// What versions of Landlock after [`LEAST`] brought, with what is not confined without it.
const LATER: [(ABI, &str); 3] =
    [(ABI::V4, "TCP ports"), (ABI::V5, "what ioctl(2) does to devices"), (ABI::V6, "UNIX sockets with abstract names")];

fn restrict_files(wanted: &Confinement) -> Result<Vec<&'static str>, Error> {
    let create = || -> Result<RulesetCreated, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(LEAST))?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
        if wanted.network == Network::Refused {
            rules = rules.handle_access(AccessNet::from_all(NEWEST))?;
        }
        rules.create()
    };
    let mut rules = create().map_err(|e| {
        failed("this kernel lacks Landlock of version 3 or newer (Linux 6.2), or it is off")(e.to_string())
    })?;
    for (path, rights) in &wanted.files {
        let all = match rights {
            Rights::Read => AccessFs::from_read(NEWEST),
            Rights::All => AccessFs::from_all(NEWEST),
        };
        rules = allow(rules, path, all)?;
    }
    // Not every kernel has all of these.
    for path in DEVICES.iter().map(Path::new).filter(|p| p.exists()) {
        rules = allow(rules, path, AccessFs::from_all(NEWEST))?;
    }
    for path in READ.iter().map(Path::new).filter(|p| p.exists()) {
        rules = allow(rules, path, AccessFs::ReadFile | AccessFs::ReadDir)?;
    }
    rules.restrict_self().map_err(|e| failed("Landlock")(e.to_string()))?;
    let version = version();
    Ok(LATER.iter().filter(|(since, _)| version < *since as i32).map(|(_, what)| *what).collect())
}

/// The version of Landlock that this kernel has.
fn version() -> i32 {
    super::sys::landlock_version()
}

fn allow(rules: RulesetCreated, path: &Path, rights: BitFlags<AccessFs>) -> Result<RulesetCreated, Error> {
    let name = path.display();
    let fail = |reason: String| failed(&format!("'{name}'"))(reason);
    let is_dir = path.metadata().map_err(|e| fail(e.to_string()))?.is_dir();
    let rights = if is_dir { rights } else { rights & AccessFs::from_file(NEWEST) };
    let at = PathFd::new(path).map_err(|e| fail(e.to_string()))?;
    rules.add_rule(PathBeneath::new(at, rights)).map_err(|e| fail(e.to_string()))
}

/// System calls without a condition, on every architecture.
const CALLS: &[libc::c_long] = &[
    // Files.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_lseek,
    libc::SYS_getdents64,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync,
    libc::SYS_syncfs,
    libc::SYS_sync_file_range,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_tee,
    libc::SYS_vmsplice,
    libc::SYS_flock,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_umask,
    libc::SYS_name_to_handle_at,
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    libc::SYS_fgetxattr,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_flistxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_memfd_create,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
    // Waiting.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_sched_yield,
    libc::SYS_futex,
    libc::SYS_wait4,
    libc::SYS_waitid,
    // Memory.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_msync,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_munlock,
    libc::SYS_brk,
    libc::SYS_membarrier,
    // This process.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getpgid,
    libc::SYS_getsid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_getrusage,
    libc::SYS_getrlimit,
    libc::SYS_setrlimit,
    libc::SYS_times,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_kcmp,
    // The machine.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getcpu,
];

/// Those that only x86_64 has.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_symlink,
    libc::SYS_link,
    libc::SYS_chmod,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_getpgrp,
    libc::SYS_time,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_CALLS: &[libc::c_long] = &[];

/// Sockets.
const SOCKET_CALLS: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_connect,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_shutdown,
];

/// Those whose first argument is a process or thread, which must be this process.
const OWN_CALLS: &[libc::c_long] =
    &[libc::SYS_kill, libc::SYS_tgkill, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev];

/// Requests of ioctl(2) that put input into a terminal, from where a shell would take it (ioctl_tty(2), ioctl_console(2)).
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541c];

/// The filter: what is not in the lists above is `EPERM`.
fn filter(network: Network) -> Result<BpfProgram, seccompiler::Error> {
    let free = CALLS.iter().chain(OLD_CALLS);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = free.map(|call| (*call, Vec::new())).collect();
    // One end of a pair of sockets can reach no other.
    let sockets = SOCKET_CALLS.iter().filter(|call| network == Network::Allowed || **call != libc::SYS_socket);
    rules.extend(sockets.map(|call| (*call, Vec::new())));
    let own = u64::from(std::process::id());
    let of_process =
        |pid: u64| SeccompCondition::new(0, Len::Dword, Op::Eq, pid).and_then(|is| SeccompRule::new(vec![is]));
    for call in OWN_CALLS {
        rules.insert(*call, vec![of_process(own)?]);
    }
    rules.insert(libc::SYS_prlimit64, vec![of_process(0)?, of_process(own)?]);
    let other_than = |request: &u64| SeccompCondition::new(1, Len::Dword, Op::Ne, *request);
    let requests: Result<Vec<SeccompCondition>, _> = TERMINAL_INPUT.iter().map(other_than).collect();
    rules.insert(libc::SYS_ioctl, vec![SeccompRule::new(requests?)?]);
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)?.try_into()?)
}
