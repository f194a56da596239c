//! Host calls that have no safe wrapper. The only `unsafe` of `host/`.
#![expect(unsafe_code, reason = "raw host calls over spans of guest memory and signal handlers")]

use super::{HostFd, HostSignal, Payload, RecordLock, Transfer, payload};
use crate::abi::consts::fcntl as cmd;
use crate::abi::{Errno, SigSet, Signal};
use crate::mem::Spans;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use zerocopy::IntoBytes;

/// What is known of the arrivals of one signal that were not taken yet; a later one overwrites an earlier one's words.
struct Arrivals {
    count: AtomicU32,
    code: AtomicI32,
    pid: AtomicI32,
    uid: AtomicU32,
    value: AtomicU64,
}

static ARRIVED: [Arrivals; 64] = [const {
    Arrivals {
        count: AtomicU32::new(0),
        code: AtomicI32::new(0),
        pid: AtomicI32::new(0),
        uid: AtomicU32::new(0),
        value: AtomicU64::new(0),
    }
}; 64];

/// Whether anything is in `ARRIVED`.
static ANY_ARRIVED: AtomicBool = AtomicBool::new(false);

/// The handler of every signal that is meant for the guest.
extern "C" fn note_signal(signo: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    let Some(arrivals) = ARRIVED.get((signo - 1) as usize) else { return };
    if !info.is_null() {
        // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler; the members read are plain numbers,
        // which mean what their names say for the codes that `HostSignal` names.
        let (code, pid, uid, value) =
            unsafe { ((*info).si_code, (*info).si_pid(), (*info).si_uid(), (*info).si_value().sival_ptr as u64) };
        arrivals.code.store(code, Ordering::Relaxed);
        arrivals.pid.store(pid, Ordering::Relaxed);
        arrivals.uid.store(uid, Ordering::Relaxed);
        arrivals.value.store(value, Ordering::Relaxed);
    }
    arrivals.count.fetch_add(1, Ordering::Relaxed);
    ANY_ARRIVED.store(true, Ordering::Release);
    crate::cpu::STOP_REQUESTED.store(true, Ordering::Relaxed);
}

/// Signals that arrived since last asked, by number. A standard signal comes once, however often it arrived.
pub(super) fn take_signals() -> Vec<HostSignal> {
    // Cleared before looking, so that what arrives after the look sets it again.
    crate::cpu::STOP_REQUESTED.store(false, Ordering::Relaxed);
    if !ANY_ARRIVED.swap(false, Ordering::Acquire) {
        return Vec::new();
    }
    let mut taken = Vec::new();
    for (arrivals, number) in ARRIVED.iter().zip(1u8..) {
        let signal = Signal(number);
        let count = arrivals.count.swap(0, Ordering::Relaxed);
        let times = if signal < Signal::RTMIN { count.min(1) } else { count };
        let arrived = HostSignal {
            signal,
            code: arrivals.code.load(Ordering::Relaxed),
            pid: arrivals.pid.load(Ordering::Relaxed),
            uid: arrivals.uid.load(Ordering::Relaxed),
            value: arrivals.value.load(Ordering::Relaxed),
        };
        taken.extend((0..times).map(|_| arrived));
    }
    taken
}

/// Notes arrivals of `signo` for the guest from now on. Gives whether it was ignored before.
pub(super) fn catch(signo: i32) -> bool {
    // SAFETY: `note_signal` only touches atomics and its siginfo, so it may run at any point; both actions are fully
    // initialised.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut old: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        libc::sigaction(signo, &action, &mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

/// Unblocks all signals; gives those that were blocked.
pub(super) fn unblock_all() -> SigSet {
    // SAFETY: both sets are initialised by sigemptyset before they are used.
    let old = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigemptyset(&mut old);
        libc::pthread_sigmask(libc::SIG_SETMASK, &none, &mut old);
        old
    };
    let mut blocked = SigSet::default();
    for number in 1..=64u8 {
        // SAFETY: the set is initialised.
        if unsafe { libc::sigismember(&old, i32::from(number)) } == 1 {
            blocked.insert(Signal(number));
        }
    }
    blocked
}

/// Stops this process as `signo` does by default; comes back when it is continued. Gives whether it was.
pub(super) fn stop(signo: i32) -> bool {
    let continued = || ARRIVED[libc::SIGCONT as usize - 1].count.load(Ordering::Relaxed);
    let before = continued();
    // SAFETY: plain calls; the default action runs no code of ours, and the handler is put back.
    unsafe {
        if signo != libc::SIGSTOP {
            libc::signal(signo, libc::SIG_DFL);
        }
        libc::raise(signo);
    }
    if signo != libc::SIGSTOP {
        catch(signo);
    }
    signo == libc::SIGSTOP || continued() != before
}

/// poll(2) that cannot miss a signal: one that arrived before ends it at once with EINTR, too.
pub(super) fn poll(fds: &mut [super::PollFd], timeout_ns: Option<u64>) -> Result<usize, Errno> {
    let mut list: Vec<libc::pollfd> =
        fds.iter().map(|p| libc::pollfd { fd: p.fd.raw(), events: p.events, revents: 0 }).collect();
    let timeout = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the list and the timeout live over the call, the sets are initialised by sigfillset and
    // pthread_sigmask, and the mask is put back.
    let result = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
        let result = if ANY_ARRIVED.load(Ordering::Acquire) {
            Err(Errno::EINTR)
        } else {
            let ready = libc::ppoll(list.as_mut_ptr(), list.len() as libc::nfds_t, timeout, &old);
            usize::try_from(ready).map_err(|_| last_error())
        };
        libc::pthread_sigmask(libc::SIG_SETMASK, &old, std::ptr::null_mut());
        result
    };
    for (p, done) in fds.iter_mut().zip(&list) {
        p.revents = done.revents;
    }
    result
}

/// Lets `signo` do nothing.
pub(super) fn ignore(signo: i32) {
    // SAFETY: SIG_IGN runs no code.
    unsafe { libc::signal(signo, libc::SIG_IGN) };
}

/// The last host call's error.
fn last_error() -> Errno {
    std::io::Error::last_os_error().into()
}

/// A host call's result as bytes or an error.
fn bytes(result: libc::ssize_t) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last_error())
}

/// Takes over a descriptor that sevm was started with; `None` if the number is free or is one that sevm opened, all of
/// which close on exec, as no inherited one can. Numbers up to 2 stay open for sevm's own messages.
pub(super) fn take_inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD touches no memory and fails for a number that is not open.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 || flags & libc::FD_CLOEXEC != 0 {
        return None;
    }
    // SAFETY: the number is open, and nothing closes it during the borrow.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    // High numbers, so that a look at sevm's own descriptors tells them apart.
    let copy = rustix::io::fcntl_dupfd_cloexec(fd, 512).or_else(|_| rustix::io::fcntl_dupfd_cloexec(fd, 3)).ok()?;
    if number > 2 {
        // SAFETY: sevm got the number at its start, did not open it, and from here on uses only the copy.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
    }
    Some(copy)
}

/// The pieces as the host's iovec array.
fn iovecs(spans: &Spans) -> Vec<libc::iovec> {
    spans.pieces().iter().map(|s| libc::iovec { iov_base: s.host as *mut libc::c_void, iov_len: s.len }).collect()
}

fn position(how: Transfer) -> Result<libc::off_t, Errno> {
    match how.at {
        Some(at) => libc::off_t::try_from(at).map_err(|_| Errno::EINVAL),
        None => Ok(-1),
    }
}

/// preadv2(2) into guest memory.
pub(super) fn read_spans(fd: &HostFd, to: &Spans, how: Transfer) -> Result<usize, Errno> {
    let (iov, at) = (iovecs(to), position(how)?);
    // SAFETY: spans lie in a guest window, which only guests and `mem` use, without references; the host's kernel
    // checks that their pages are there and writable.
    bytes(unsafe { libc::preadv2(fd.raw(), iov.as_ptr(), iov.len() as i32, at, how.flags as i32) })
}

/// pwritev2(2) from guest memory.
pub(super) fn write_spans(fd: &HostFd, from: &Spans, how: Transfer) -> Result<usize, Errno> {
    let (iov, at) = (iovecs(from), position(how)?);
    // SAFETY: the host's kernel only reads the spans, and checks that their pages are there and readable.
    bytes(unsafe { libc::pwritev2(fd.raw(), iov.as_ptr(), iov.len() as i32, at, how.flags as i32) })
}

/// preadv2(2) into sevm's memory.
pub(super) fn read_bytes(fd: &HostFd, to: &mut [u8], how: Transfer) -> Result<usize, Errno> {
    let (iov, at) = (libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() }, position(how)?);
    // SAFETY: the one piece is `to`, which is writable and not shared during the call.
    bytes(unsafe { libc::preadv2(fd.raw(), &iov, 1, at, how.flags as i32) })
}

/// pwritev2(2) from sevm's memory.
pub(super) fn write_bytes(fd: &HostFd, from: &[u8], how: Transfer) -> Result<usize, Errno> {
    let (iov, at) = (libc::iovec { iov_base: from.as_ptr().cast_mut().cast(), iov_len: from.len() }, position(how)?);
    // SAFETY: the one piece is `from`, which the call only reads.
    bytes(unsafe { libc::pwritev2(fd.raw(), &iov, 1, at, how.flags as i32) })
}

/// truncate(2), which has no safe wrapper.
pub(super) fn truncate(path: &str, len: u64) -> Result<(), Errno> {
    let path = std::ffi::CString::new(path).map_err(|_| Errno::EINVAL)?;
    let len = libc::off_t::try_from(len).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the path ends with NUL and outlives the call.
    if unsafe { libc::truncate(path.as_ptr(), len) } == 0 { Ok(()) } else { Err(last_error()) }
}

/// Whether a read would not wait.
pub(super) fn readable(fd: &HostFd) -> Result<bool, Errno> {
    ready(fd, PollFlags::IN)
}

/// Whether a small write would not wait.
pub(super) fn writable(fd: &HostFd) -> Result<bool, Errno> {
    ready(fd, PollFlags::OUT)
}

fn ready(fd: &HostFd, events: PollFlags) -> Result<bool, Errno> {
    // Then a transfer cannot wait in any case, and it alone tells a FIFO's end of file before its first writer.
    if rustix::fs::fcntl_getfl(fd)?.contains(rustix::fs::OFlags::NONBLOCK) {
        return Ok(true);
    }
    let fd = fd.as_fd();
    Ok(rustix::event::poll(&mut [PollFd::new(&fd, events)], Some(&Timespec::default()))? > 0)
}

/// How many of `len` bytes a file that is ready for writing takes without waiting, as far as can be known: PIPE_BUF for
/// a pipe; a terminal may take even fewer, but then only a stopped one waits.
pub(super) fn write_room(fd: &HostFd, len: u64) -> u64 {
    let is_terminal = rustix::termios::isatty(fd);
    len.min(if is_terminal { 512 } else { 4096 })
}

/// Ends sevm as the guest was ended: with the signal's default action, and without a core dump of our own.
pub fn die_by_signal(signal: crate::abi::Signal) {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let signo = i32::from(signal.0);
    // SAFETY: plain calls without pointers to our data but the zeroed set, which sigemptyset initialises.
    unsafe {
        libc::signal(signo, libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signo);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signo);
    }
}

/// What this process has used (getrusage(2), RUSAGE_SELF).
pub(super) fn usage() -> super::Usage {
    // SAFETY: all-zero bytes are a valid `rusage`, which holds integers only.
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a whole, writable `rusage`.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut u) } != 0 {
        return super::Usage::default();
    }
    let ns = |t: libc::timeval| (t.tv_sec as u64).saturating_mul(1_000_000_000) + (t.tv_usec as u64) * 1000;
    super::Usage {
        user_ns: ns(u.ru_utime),
        system_ns: ns(u.ru_stime),
        max_rss_kib: u.ru_maxrss as u64,
        minor_faults: u.ru_minflt as u64,
        major_faults: u.ru_majflt as u64,
        blocks_in: u.ru_inblock as u64,
        blocks_out: u.ru_oublock as u64,
        switches_voluntary: u.ru_nvcsw as u64,
        switches_involuntary: u.ru_nivcsw as u64,
    }
}

/// A host call's result as success or an error.
fn success(result: libc::c_int) -> Result<(), Errno> {
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// fallocate(2).
pub(super) fn allocate(fd: &HostFd, mode: u32, offset: i64, len: i64) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    success(unsafe { libc::fallocate(fd.raw(), mode as i32, offset, len) })
}

/// sync_file_range(2).
pub(super) fn sync_range(fd: &HostFd, offset: i64, len: i64, flags: u32) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    success(unsafe { libc::sync_file_range(fd.raw(), offset, len, flags) })
}

/// posix_fadvise(2), which returns its error.
pub(super) fn advise(fd: &HostFd, offset: i64, len: i64, advice: u32) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    match unsafe { libc::posix_fadvise(fd.raw(), offset, len, advice as i32) } {
        0 => Ok(()),
        e => Err(Errno(e as u16)),
    }
}

/// flock(2) with LOCK_NB.
pub(super) fn flock(fd: &HostFd, operation: u32) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    success(unsafe { libc::flock(fd.raw(), operation as i32 | libc::LOCK_NB) })
}

/// F_GETLK, F_SETLK and the OFD variants of fcntl(2).
pub(super) fn record_lock(fd: &HostFd, command: u32, lock: &mut RecordLock) -> Result<(), Errno> {
    if !matches!(command, cmd::F_GETLK | cmd::F_SETLK | cmd::F_OFD_GETLK | cmd::F_OFD_SETLK) {
        return Err(Errno::EINVAL);
    }
    let mut l =
        libc::flock { l_type: lock.kind, l_whence: lock.whence, l_start: lock.start, l_len: lock.len, l_pid: lock.pid };
    // SAFETY: these commands read and write one struct flock.
    success(unsafe { libc::fcntl(fd.raw(), command as i32, &raw mut l) })?;
    *lock = RecordLock { kind: l.l_type, whence: l.l_whence, start: l.l_start, len: l.l_len, pid: l.l_pid };
    Ok(())
}

/// Commands of fcntl(2) that take and give numbers.
pub(super) fn control(fd: &HostFd, command: u32, arg: i32) -> Result<i32, Errno> {
    if !matches!(
        command,
        cmd::F_GETPIPE_SZ | cmd::F_SETPIPE_SZ | cmd::F_ADD_SEALS | cmd::F_GET_SEALS | cmd::F_SETLEASE | cmd::F_GETLEASE
    ) {
        return Err(Errno::EINVAL);
    }
    // SAFETY: these commands take no pointer.
    let result = unsafe { libc::fcntl(fd.raw(), command as i32, arg) };
    success(result).map(|()| result)
}

/// F_GET_RW_HINT and its kin.
pub(super) fn write_hint(fd: &HostFd, command: u32, hint: &mut u64) -> Result<(), Errno> {
    if !matches!(command, cmd::F_GET_RW_HINT | cmd::F_SET_RW_HINT | cmd::F_GET_FILE_RW_HINT | cmd::F_SET_FILE_RW_HINT) {
        return Err(Errno::EINVAL);
    }
    // SAFETY: these commands read or write one 64-bit value.
    success(unsafe { libc::fcntl(fd.raw(), command as i32, std::ptr::from_mut(hint)) })
}

/// A request of ioctl(2) without memory.
pub(super) fn ioctl_number(fd: &HostFd, request: u32, arg: u64) -> Result<i32, Errno> {
    if !matches!(payload(request), Some(Payload::None | Payload::Number)) {
        return Err(Errno::ENOTTY);
    }
    // SAFETY: the listed requests take no pointer.
    let result = unsafe { libc::ioctl(fd.raw(), libc::c_ulong::from(request), arg) };
    success(result).map(|()| result)
}

/// A request of ioctl(2) over `bytes`.
pub(super) fn ioctl_bytes(fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<i32, Errno> {
    // Aligned for any struct, and with room to spare should a driver take the size in the number at its word.
    let mut memory = [0u64; 64];
    match payload(request) {
        Some(Payload::In(size) | Payload::Out(size)) if size == bytes.len() && size <= 256 => {}
        _ => return Err(Errno::ENOTTY),
    }
    let area = memory.as_mut_bytes();
    area[..bytes.len()].copy_from_slice(bytes);
    // SAFETY: the listed requests read or write at most the listed number of bytes, and the area is larger.
    let result = unsafe { libc::ioctl(fd.raw(), libc::c_ulong::from(request), area.as_mut_ptr()) };
    success(result)?;
    bytes.copy_from_slice(&area[..bytes.len()]);
    Ok(result)
}

/// TIOCGPTPEER. The terminal never becomes sevm's own.
pub(super) fn pty_peer(fd: &HostFd, flags: u32) -> Result<HostFd, Errno> {
    let flags = flags as i32 | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the request takes a number and gives a new descriptor or fails.
    let peer = unsafe { libc::ioctl(fd.raw(), libc::TIOCGPTPEER, flags) };
    success(peer)?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(peer) }.into())
}

/// FICLONERANGE.
pub(super) fn clone_range(from: &HostFd, to: &HostFd, at: u64, len: u64, dest: u64) -> Result<(), Errno> {
    let range =
        libc::file_clone_range { src_fd: i64::from(from.raw()), src_offset: at, src_length: len, dest_offset: dest };
    // SAFETY: the request reads one struct file_clone_range.
    success(unsafe { libc::ioctl(to.raw(), libc::FICLONERANGE as libc::c_ulong, &raw const range) })
}

/// kcmp(2) of two descriptors.
pub(super) fn is_same_open_file(a: &HostFd, b: &HostFd) -> bool {
    const KCMP_FILE: libc::c_int = 0;
    let own = std::process::id();
    // SAFETY: the call takes no pointer.
    unsafe { libc::syscall(libc::SYS_kcmp, own, own, KCMP_FILE, a.raw(), b.raw()) == 0 }
}
