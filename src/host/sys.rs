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
        // Translated code may have anything in its stack pointer.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
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

/// Makes `call` with SIGTTOU blocked, so that the terminal's driver does not ask which group is in the foreground.
pub(super) fn holding_sigttou<T>(call: impl FnOnce() -> T) -> T {
    let change = |how: libc::c_int| {
        // SAFETY: the set is initialised by sigemptyset before it is used, and lives over the call.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGTTOU);
            libc::pthread_sigmask(how, &set, std::ptr::null_mut());
        }
    };
    change(libc::SIG_BLOCK);
    let result = call();
    change(libc::SIG_UNBLOCK);
    result
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
    let borrowed = fd.as_fd();
    let ready = rustix::event::poll(&mut [PollFd::new(&borrowed, events)], Some(&Timespec::default()))? > 0;
    // If it is non-blocking a transfer cannot wait in any case, and it alone tells a FIFO's end of file before its first
    // writer.
    Ok(ready || is_nonblocking(fd))
}

/// Whether the open file is non-blocking now.
pub(super) fn is_nonblocking(fd: &HostFd) -> bool {
    rustix::fs::fcntl_getfl(fd).is_ok_and(|flags| flags.contains(rustix::fs::OFlags::NONBLOCK))
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

/// The version of Landlock that the kernel has; negative if none (landlock_create_ruleset(2)).
pub(super) fn landlock_version() -> i32 {
    const LANDLOCK_CREATE_RULESET_VERSION: libc::c_long = 1;
    let (none, size) = (std::ptr::null::<u8>(), 0usize);
    // SAFETY: with this flag the call reads no memory.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, size, LANDLOCK_CREATE_RULESET_VERSION) as i32 }
}

/// fork(2) of a process with one thread.
pub(super) fn fork() -> Result<super::Part, Errno> {
    // SAFETY: no other thread can hold a lock that the child would wait for, and the caller has made sure that there is
    // none; both processes go on with copies of all memory.
    match unsafe { libc::fork() } {
        0 => Ok(super::Part::Back),
        pid if pid > 0 => Ok(super::Part::Front),
        _ => Err(last_error()),
    }
}

/// Puts `file` in the place of standard input, output and error. What cannot be replaced stays.
pub(super) fn replace_standard_files(file: &OwnedFd) {
    for number in 0..=2 {
        // SAFETY: whoever uses these three numbers in sevm does so by number, and finds the other file there.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(file), number) };
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

/// cachestat(2), which the C library does not have yet; its number is the same everywhere.
pub(super) fn cache_state(fd: &HostFd, offset: u64, len: u64) -> Result<[u64; 5], Errno> {
    const SYS_CACHESTAT: libc::c_long = 451;
    let range = [offset, len];
    let mut state = [0u64; 5];
    // SAFETY: the call reads two numbers and writes five.
    let result = unsafe { libc::syscall(SYS_CACHESTAT, fd.raw(), range.as_ptr(), state.as_mut_ptr(), 0) };
    success(result as libc::c_int).map(|()| state)
}

/// name_to_handle_at(2) of an open file.
pub(super) fn handle(fd: &HostFd, flags: u32) -> Result<(i32, Vec<u8>, i32), Errno> {
    const MAX_HANDLE: u32 = 128;
    // struct file_handle: bytes, type, the handle itself.
    let mut words = [0u32; 2 + MAX_HANDLE as usize / 4];
    words[0] = MAX_HANDLE;
    let mut mount = 0i32;
    let flags = flags as libc::c_int | libc::AT_EMPTY_PATH;
    let at = words.as_mut_ptr();
    // SAFETY: the struct has room for the bytes that it announces, and is aligned as its first members want.
    let result =
        unsafe { libc::syscall(libc::SYS_name_to_handle_at, fd.raw(), c"".as_ptr(), at, &raw mut mount, flags) };
    success(result as libc::c_int)?;
    let len = (words[0].min(MAX_HANDLE)) as usize;
    let bytes = words[2..].as_bytes()[..len].to_vec();
    Ok((words[1] as i32, bytes, mount))
}

/// kcmp(2) of two descriptors.
pub(super) fn is_same_open_file(a: &HostFd, b: &HostFd) -> bool {
    const KCMP_FILE: libc::c_int = 0;
    let own = std::process::id();
    // SAFETY: the call takes no pointer.
    unsafe { libc::syscall(libc::SYS_kcmp, own, own, KCMP_FILE, a.raw(), b.raw()) == 0 }
}

/// Takes over a new descriptor, or gives the call's error.
fn new_fd(result: libc::c_int) -> Result<HostFd, Errno> {
    success(result)?;
    // SAFETY: the call has just made the descriptor, so it is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(result) }.into())
}

/// Room for any socket address, aligned as the host wants it.
#[derive(Clone, Copy)]
struct Address(libc::sockaddr_storage, libc::socklen_t);

impl Address {
    const SIZE: usize = size_of::<libc::sockaddr_storage>();

    fn new(bytes: &[u8]) -> Result<Address, Errno> {
        let mut address = Address::room();
        if bytes.len() > Address::SIZE {
            return Err(Errno::EINVAL);
        }
        address.1 = bytes.len() as libc::socklen_t;
        // SAFETY: the source has so many bytes, the target at least as many, and any bytes are valid for it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut address.0).cast(), bytes.len()) };
        Ok(address)
    }

    fn room() -> Address {
        // SAFETY: zero bytes are a valid address of no family.
        Address(unsafe { std::mem::zeroed() }, Address::SIZE as libc::socklen_t)
    }

    fn pointer(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.0).cast()
    }

    fn bytes(&self) -> Vec<u8> {
        let len = (self.1 as usize).min(Address::SIZE);
        // SAFETY: the storage is initialised and at least so long.
        unsafe { std::slice::from_raw_parts((&raw const self.0).cast::<u8>(), len) }.to_vec()
    }
}

/// socket(2), never waiting.
pub(super) fn socket(domain: i32, kind: i32, protocol: i32) -> Result<HostFd, Errno> {
    // SAFETY: the call takes no pointer.
    new_fd(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol) })
}

/// bind(2).
pub(super) fn bind(fd: &HostFd, address: &[u8]) -> Result<(), Errno> {
    let mut address = Address::new(address)?;
    // SAFETY: pointer and length are those of one whole address.
    success(unsafe { libc::bind(fd.raw(), address.pointer(), address.1) })
}

/// connect(2).
pub(super) fn connect(fd: &HostFd, address: &[u8]) -> Result<(), Errno> {
    let mut address = Address::new(address)?;
    // SAFETY: pointer and length are those of one whole address.
    success(unsafe { libc::connect(fd.raw(), address.pointer(), address.1) })
}

/// listen(2).
pub(super) fn listen(fd: &HostFd, backlog: i32) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    success(unsafe { libc::listen(fd.raw(), backlog) })
}

/// accept4(2), never waiting.
pub(super) fn accept(fd: &HostFd) -> Result<(HostFd, Vec<u8>), Errno> {
    let mut from = Address::room();
    let (flags, len) = (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, &raw mut from.1);
    // SAFETY: the host writes at most as many bytes of address as the length says.
    let accepted = new_fd(unsafe { libc::accept4(fd.raw(), (&raw mut from.0).cast(), len, flags) })?;
    Ok((accepted, from.bytes()))
}

/// getsockname(2) or getpeername(2).
pub(super) fn socket_address(fd: &HostFd, side: super::Side) -> Result<Vec<u8>, Errno> {
    let mut address = Address::room();
    let (storage, len) = ((&raw mut address.0).cast(), &raw mut address.1);
    // SAFETY: the host writes at most as many bytes of address as the length says.
    success(unsafe {
        match side {
            super::Side::Own => libc::getsockname(fd.raw(), storage, len),
            super::Side::Peer => libc::getpeername(fd.raw(), storage, len),
        }
    })?;
    Ok(address.bytes())
}

/// sendmsg(2), never waiting and without SIGPIPE.
pub(super) fn send(
    fd: &HostFd,
    to: Option<&[u8]>,
    data: super::Data<'_>,
    control: &[u8],
    flags: u32,
) -> Result<usize, Errno> {
    let mut address = to.map(Address::new).transpose()?;
    let mut iov = match data {
        super::Data::Guest(spans) => iovecs(spans),
        super::Data::Own(b) => vec![libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() }],
    };
    let mut aligned = vec![0u64; control.len().div_ceil(8)];
    aligned.as_mut_bytes()[..control.len()].copy_from_slice(control);
    // SAFETY: zero bytes are a valid message.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    if let Some(address) = &mut address {
        message.msg_name = address.pointer().cast();
        message.msg_namelen = address.1;
    }
    (message.msg_iov, message.msg_iovlen) = (iov.as_mut_ptr(), iov.len());
    if !control.is_empty() {
        (message.msg_control, message.msg_controllen) = (aligned.as_mut_ptr().cast(), control.len());
    }
    let flags = flags as i32 | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: address, pieces and control messages live over the call, which only reads them; pieces in guest memory
    // are checked by the host's kernel.
    bytes(unsafe { libc::sendmsg(fd.raw(), &raw const message, flags) })
}

/// recvmsg(2), never waiting.
pub(super) fn receive(fd: &HostFd, data: super::DataMut<'_>, room: usize, flags: u32) -> Result<super::Arrived, Errno> {
    let mut from = Address::room();
    let mut iov = match data {
        super::DataMut::Guest(spans) => iovecs(spans),
        super::DataMut::Own(b) => vec![libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.len() }],
    };
    let mut control = vec![0u64; room.div_ceil(8)];
    // SAFETY: zero bytes are a valid message.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_name, message.msg_namelen) = (from.pointer().cast(), from.1);
    (message.msg_iov, message.msg_iovlen) = (iov.as_mut_ptr(), iov.len());
    if room > 0 {
        (message.msg_control, message.msg_controllen) = (control.as_mut_ptr().cast(), room);
    }
    let flags = flags as i32 | libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the host writes at most as many bytes of address and control messages as the lengths say; pieces in guest
    // memory are without references, and checked by the host's kernel.
    let count = bytes(unsafe { libc::recvmsg(fd.raw(), &raw mut message, flags) })?;
    from.1 = message.msg_namelen;
    let mut arrived =
        super::Arrived { bytes: count, from: from.bytes(), flags: message.msg_flags as u32, ..Default::default() };
    arrived.flags &= !(libc::MSG_CMSG_CLOEXEC as u32);
    let control = &control.as_bytes()[..message.msg_controllen.min(room)];
    sort_control(control, &mut arrived);
    Ok(arrived)
}

/// Takes over the descriptors among control messages that the host has just made, and keeps the other messages.
fn sort_control(mut control: &[u8], arrived: &mut super::Arrived) {
    while let Some((header, _)) = control.split_at_checked(16) {
        let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let len = word(0) as usize;
        let whole = len.next_multiple_of(8).min(control.len());
        if len < 16 || len > control.len() {
            break;
        }
        if (word(8) as i32, word(12) as i32) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            for number in control[16..len].chunks_exact(4) {
                let number = RawFd::from_ne_bytes([number[0], number[1], number[2], number[3]]);
                // SAFETY: the host has installed the descriptor for this message, so it is nobody else's.
                arrived.files.push(unsafe { OwnedFd::from_raw_fd(number) }.into());
            }
        } else {
            arrived.control.extend_from_slice(&control[..whole]);
        }
        control = &control[whole..];
    }
}

/// shutdown(2).
pub(super) fn shutdown(fd: &HostFd, how: u32) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    success(unsafe { libc::shutdown(fd.raw(), how as i32) })
}

/// getsockopt(2) of a listed option.
pub(super) fn socket_option(fd: &HostFd, level: u32, name: u32, value: &mut [u8]) -> Result<usize, Errno> {
    let max = super::known_option(level, name).ok_or(Errno::ENOPROTOOPT)?;
    let mut memory = vec![0u64; value.len().min(max).div_ceil(8).max(1)];
    let mut len = value.len().min(max) as libc::socklen_t;
    // SAFETY: the host writes at most as many bytes as the length says, and the listed options hold no pointers.
    success(unsafe {
        libc::getsockopt(fd.raw(), level as i32, name as i32, memory.as_mut_ptr().cast(), &raw mut len)
    })?;
    let len = (len as usize).min(value.len());
    let got = len.min(memory.as_bytes().len());
    value[..got].copy_from_slice(&memory.as_bytes()[..got]);
    Ok(got)
}

/// setsockopt(2) of a listed option.
pub(super) fn set_socket_option(fd: &HostFd, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
    let max = super::known_option(level, name).ok_or(Errno::ENOPROTOOPT)?;
    let mut memory = vec![0u64; value.len().min(max).div_ceil(8).max(1)];
    let len = value.len().min(max);
    memory.as_mut_bytes()[..len].copy_from_slice(&value[..len]);
    // SAFETY: the host reads at most `len` bytes, and the listed options hold no pointers.
    success(unsafe {
        libc::setsockopt(fd.raw(), level as i32, name as i32, memory.as_ptr().cast(), len as libc::socklen_t)
    })
}

/// setsockopt(2), SO_ATTACH_FILTER.
pub(super) fn attach_filter(fd: &HostFd, program: &[u8]) -> Result<(), Errno> {
    let mut filter = vec![0u64; program.len() / 8];
    let whole = filter.len() * 8;
    filter.as_mut_bytes().copy_from_slice(&program[..whole]);
    let len = libc::c_ushort::try_from(filter.len()).map_err(|_| Errno::EINVAL)?;
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr().cast() };
    let size = size_of::<libc::sock_fprog>() as libc::socklen_t;
    // SAFETY: the host reads `len` instructions of 8 bytes and checks them.
    success(unsafe {
        libc::setsockopt(fd.raw(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, (&raw const program).cast(), size)
    })
}

/// Requests of ioctl(2) that give a number about a socket.
pub(super) fn socket_number(fd: &HostFd, request: u32) -> Result<i32, Errno> {
    const SIOCATMARK: u32 = 0x8905;
    const SIOCOUTQNSD: u32 = 0x894b;
    if !matches!(u64::from(request), libc::FIONREAD | libc::TIOCOUTQ) && !matches!(request, SIOCATMARK | SIOCOUTQNSD) {
        return Err(Errno::ENOTTY);
    }
    let mut number = 0i32;
    // SAFETY: the listed requests write one int.
    success(unsafe { libc::ioctl(fd.raw(), libc::c_ulong::from(request), &raw mut number) })?;
    Ok(number)
}

/// Requests of netdevice(7) over one struct ifreq.
pub(super) fn interface(fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<(), Errno> {
    // Without those that take a pointer inside the struct (0x8940 to 0x89ff, SIOCGIFMAP apart).
    if !matches!(request, 0x8910 | 0x8913..=0x8927 | 0x8929 | 0x8930..=0x8939 | 0x8942 | 0x8943 | 0x8970)
        || bytes.len() != 40
    {
        return Err(Errno::ENOTTY);
    }
    let mut request_struct = [0u64; 8];
    let area = request_struct.as_mut_bytes();
    area[..40].copy_from_slice(bytes);
    // SAFETY: the listed requests read and write one struct ifreq of 40 bytes without pointers.
    success(unsafe { libc::ioctl(fd.raw(), libc::c_ulong::from(request), area.as_mut_ptr()) })?;
    bytes.copy_from_slice(&area[..40]);
    Ok(())
}

/// SIOCGIFCONF.
pub(super) fn interfaces(fd: &HostFd, max: Option<usize>) -> Result<(Vec<u8>, usize), Errno> {
    const SIOCGIFCONF: libc::c_ulong = 0x8912;
    let mut list = vec![0u64; max.unwrap_or(0).min(1 << 20).div_ceil(8)];
    let pointer = if max.is_some() { list.as_mut_ptr() as u64 } else { 0 };
    // struct ifconf: length, padding, pointer.
    let mut conf = [max.unwrap_or(0).min(1 << 20) as u64, pointer];
    // SAFETY: the request writes at most as many bytes to the list as the length says, and the length.
    success(unsafe { libc::ioctl(fd.raw(), SIOCGIFCONF, conf.as_mut_ptr()) })?;
    let len = conf[0] as u32 as usize;
    let mut bytes = list.as_bytes().to_vec();
    bytes.truncate(len);
    Ok((bytes, len))
}
