//! Opening files.

use super::path::{AT_FDCWD, Follow, Start, Target};
use super::*;
use crate::abi::OpenHow as GuestHow;
use crate::abi::consts::open::*;
use crate::abi::consts::resolve::*;
use crate::host::{FileStat, HostFd, OpenHow, Scope};
use crate::kernel::file::{File, FileKind, Use};
use crate::kernel::pipe::PipeEnd;
use crate::syscalls::sets;

/// Every bit that open(2) knows (VALID_OPEN_FLAGS).
const KNOWN: u32 = O_ACCMODE
    | O_CREAT
    | O_EXCL
    | O_NOCTTY
    | O_TRUNC
    | O_APPEND
    | O_NONBLOCK
    | O_SYNC
    | FASYNC
    | O_DIRECT
    | O_LARGEFILE
    | O_DIRECTORY
    | O_NOFOLLOW
    | O_NOATIME
    | O_CLOEXEC
    | O_PATH
    | __O_TMPFILE;
/// What means something together with O_PATH.
const WITH_PATH: u32 = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
/// An open of a FIFO that waits for its other end is told when a guest comes. Nothing tells when another program of the
/// host does, so it looks for one from time to time: at first after so many nanoseconds, then after more.
const FIFO_RETRY_NS: u64 = 1_000_000;
const FIFO_RETRY_MAX_NS: u64 = 64_000_000;
/// What guests wait for that wait for the other end of a FIFO.
const FIFO_OPENED: WaitKey = WaitKey::Object(u64::MAX);

/// open(2).
pub fn open(ctx: &mut Ctx, a: &args::Open) -> SysResult {
    open_lenient(ctx, AT_FDCWD, a.path, a.flags, a.mode)
}

/// openat(2).
pub fn openat(ctx: &mut Ctx, a: &args::Openat) -> SysResult {
    open_lenient(ctx, a.dirfd, a.path, a.flags, a.mode)
}

/// creat(2).
pub fn creat(ctx: &mut Ctx, a: &args::Creat) -> SysResult {
    open_lenient(ctx, AT_FDCWD, a.path, O_CREAT | O_WRONLY | O_TRUNC, a.mode)
}

/// open(2) ignores bits it does not know, and modes that it does not need.
fn open_lenient(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, flags: u32, mode: u32) -> SysResult {
    let mut flags = sets::OPEN.to_canonical(ctx.arch, flags.into()) as u32 & KNOWN;
    if flags & O_PATH != 0 {
        flags &= WITH_PATH;
    } else {
        // As for every 64-bit program.
        flags |= O_LARGEFILE;
    }
    let mode = if flags & (O_CREAT | __O_TMPFILE) != 0 { mode & 0o7777 } else { 0 };
    open_checked(ctx, dirfd, path, OpenHow { flags, mode, scope: Scope::Host, resolve: 0 })
}

/// openat2(2).
pub fn openat2(ctx: &mut Ctx, a: &args::Openat2) -> SysResult {
    let size = a.size as usize;
    if size < size_of::<GuestHow>() {
        return Err(Errno::EINVAL.into());
    }
    if size as u64 > crate::mem::PAGE_SIZE {
        return Err(Errno::E2BIG.into());
    }
    // A larger struct of a newer kernel is fine as long as what we do not know is zero.
    let mut bytes = vec![0; size];
    ctx.mem().read(a.how, &mut bytes)?;
    if bytes[size_of::<GuestHow>()..].iter().any(|b| *b != 0) {
        return Err(Errno::E2BIG.into());
    }
    let how: GuestHow = ctx.mem().copy_in(a.how)?;
    let flags = sets::OPEN.to_canonical(ctx.arch, how.flags);
    let known = RESOLVE_NO_XDEV
        | RESOLVE_NO_MAGICLINKS
        | RESOLVE_NO_SYMLINKS
        | RESOLVE_BENEATH
        | RESOLVE_IN_ROOT
        | RESOLVE_CACHED;
    let resolve = u32::try_from(how.resolve).map_err(|_| Errno::EINVAL)?;
    if flags & !u64::from(KNOWN) != 0 || resolve & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    let flags = flags as u32;
    let scope = match resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) {
        0 => Scope::Host,
        RESOLVE_BENEATH => Scope::Beneath,
        RESOLVE_IN_ROOT => Scope::InRoot,
        _ => return Err(Errno::EINVAL.into()),
    };
    let creates = flags & (O_CREAT | __O_TMPFILE) != 0;
    if how.mode & !if creates { 0o7777 } else { 0 } != 0 || flags & O_PATH != 0 && flags & !WITH_PATH != 0 {
        return Err(Errno::EINVAL.into());
    }
    if resolve & RESOLVE_CACHED != 0 && flags & (O_TRUNC | O_CREAT | __O_TMPFILE) != 0 {
        return Err(Errno::EAGAIN.into());
    }
    let resolve = u64::from(resolve & !(RESOLVE_BENEATH | RESOLVE_IN_ROOT));
    let flags = if flags & O_PATH == 0 { flags | O_LARGEFILE } else { flags };
    open_checked(ctx, a.dirfd, a.path, OpenHow { flags, mode: how.mode as u32, scope, resolve })
}

/// Opens after the checks that all calls share (build_open_flags).
fn open_checked(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, how: OpenHow) -> SysResult {
    let flags = how.flags;
    if flags & (O_DIRECTORY | O_CREAT) == O_DIRECTORY | O_CREAT {
        return Err(Errno::EINVAL.into());
    }
    if flags & __O_TMPFILE != 0 && (flags & O_TMPFILE != O_TMPFILE || !matches!(flags & O_ACCMODE, O_WRONLY | O_RDWR)) {
        return Err(Errno::EINVAL.into());
    }
    let name = ctx.path(path)?;
    let limit = ctx.process().limits[crate::abi::consts::rlimit::RLIMIT_NOFILE as usize].soft;
    if !ctx.files().has_room(limit) {
        return Err(Errno::EMFILE.into());
    }
    let umask = context(ctx).borrow().umask;
    let how = OpenHow { mode: how.mode & !umask, ..how };
    let file = open_file(ctx, dirfd, &name, how)?;
    Ok(ctx.install(file, flags & O_CLOEXEC != 0)? as u64)
}

/// An open that waits for the other end of a FIFO.
#[derive(Default)]
struct Opening {
    /// The reading end, which is open already on the host.
    reader: Option<(HostFd, FileStat)>,
    /// How often writers had opened the FIFO when it was opened for reading.
    writers: u64,
    /// How often it has looked.
    tries: u32,
}

/// How often guests have opened each FIFO for writing, by device and inode: a reader that waits must not miss a writer
/// that came and went.
#[derive(Debug, Default)]
pub struct Fifos(std::collections::BTreeMap<(u64, u64), u64>);

/// Opens a name; waits for the other end of a FIFO.
fn open_file(ctx: &mut Ctx, dirfd: i32, name: &[u8], how: OpenHow) -> Result<Rc<File>, Stop> {
    // Nothing may wait on the host; the guest's own wish is in the open file.
    let host_how =
        if how.flags & O_PATH != 0 { how } else { OpenHow { flags: how.flags | O_NONBLOCK | O_NOCTTY, ..how } };
    let host_how = without_truncation(ctx, dirfd, name, host_how)?;
    let opening = ctx.call_state(|_| Opening::default());
    let kept = opening.borrow().reader.clone();
    let target = match kept {
        Some((fd, stat)) => Ok(Target::Host(fd, stat)),
        None => match path::start(ctx, dirfd, name, how.scope) {
            Ok(start) => open_target(ctx, start, name, host_how),
            Err(e) => Err(e),
        },
    };
    let target = match target {
        Err(Errno::ENXIO) if how.flags & (O_NONBLOCK | O_ACCMODE) == O_WRONLY && is_fifo(ctx, dirfd, name, how)? => {
            return Err(wait_for_peer(ctx, &opening));
        }
        // The host has begun to break a lease, and is asked again until that is done (break_lease()).
        Err(Errno::EAGAIN) if how.flags & O_NONBLOCK == 0 && !ctx.kernel.leases.is_empty() => {
            let again = ctx.kernel.monotonic_ns() + lease::RETRY_NS;
            return Err(ctx.wait(Wait::until(again), Errno::ERESTARTSYS));
        }
        result => result?,
    };
    match target {
        Target::Host(fd, stat) => {
            let path = shown_name(ctx, dirfd, name);
            let file = File::of_host_with(&mut *ctx.kernel.host, fd.clone(), &stat, &path, how.flags);
            if file.kind() == FileKind::Fifo && how.flags & O_PATH == 0 {
                let first = opening.borrow().reader.is_none();
                let writers = ctx.kernel.fifos.0.entry((stat.dev, stat.ino)).or_default();
                if first {
                    *writers += u64::from(file.can_write());
                    opening.borrow_mut().writers = *writers;
                }
                let came = *writers != opening.borrow().writers;
                if first {
                    ctx.kernel.wake_all(FIFO_OPENED);
                }
                let waits = how.flags & (O_NONBLOCK | O_ACCMODE) == O_RDONLY && !came;
                if waits && !ctx.kernel.host.fifo_has_writer(&fd)? {
                    // The host's open reading end lets writers come meanwhile.
                    opening.borrow_mut().reader = Some((fd, stat));
                    return Err(wait_for_peer(ctx, &opening));
                }
            }
            if file.kind() == FileKind::Regular && file.can_write() {
                begin_writing(ctx, &file, &stat, how.flags)?;
            }
            Ok(file)
        }
        Target::File(file) => {
            file.set_flags(file.flags() | how.flags & O_NONBLOCK);
            Ok(file)
        }
        Target::Made(made) => {
            made.may_open(ctx, how.flags)?;
            Ok(made.into_file(ctx, how.flags)?)
        }
    }
}

/// What the name leads to, opened: a descriptor of /proc/PID/fd is opened anew.
fn open_target(ctx: &mut Ctx, start: Start, name: &[u8], how: OpenHow) -> Result<Target, Errno> {
    let target = match path::in_prefix(ctx, name, how)? {
        Some(target) => target,
        None => path::open_at(ctx, start, name, how)?,
    };
    match target {
        Target::File(file) => reopen(ctx, &file, how.flags),
        target => Ok(target),
    }
}

/// Opens the file of an open file again, as opening /proc/PID/fd/N does.
fn reopen(ctx: &mut Ctx, file: &Rc<File>, flags: u32) -> Result<Target, Errno> {
    if let Some(made) = file.downcast::<MadeFile>() {
        return Ok(Target::Made(made.node.clone()));
    }
    if let Some(namespace) = file.downcast::<task::Namespace>() {
        return Ok(Target::File(namespace.reopen()));
    }
    if let Some(pipe) = file.downcast::<PipeEnd>() {
        return Ok(Target::File(pipe.reopen(flags & !(O_NONBLOCK | O_NOCTTY))));
    }
    match file.host_fd() {
        Some(_) if file.kind() == FileKind::Socket => Err(Errno::ENXIO),
        Some(fd) => {
            let fd = ctx.kernel.host.reopen(fd, flags & !O_CREAT)?;
            let stat = ctx.kernel.host.stat(&fd)?;
            Ok(Target::Host(fd, stat))
        }
        None => match Made::find(ctx, &file.path()) {
            Some(made) => Ok(Target::Made(made)),
            None => Err(Errno::ENXIO),
        },
    }
}

/// How the host opens a file that is to be truncated: as it is, since a program that runs must not lose its text before
/// anybody knows that it is one.
///
/// # Errors
/// `ETXTBSY`, of a file that is opened only to be read.
fn without_truncation(ctx: &mut Ctx, dirfd: i32, name: &[u8], how: OpenHow) -> Result<OpenHow, Errno> {
    if how.flags & O_TRUNC == 0 || how.flags & O_PATH != 0 {
        return Ok(how);
    }
    if how.flags & O_ACCMODE != O_RDONLY {
        return Ok(OpenHow { flags: how.flags & !O_TRUNC, ..how });
    }
    // Truncated all the same (open(2)), which the host cannot do later.
    if let Ok(target) = path::resolve(ctx, dirfd, name, Follow::Yes) {
        let stat = target.stat(ctx)?;
        ctx.kernel.uses.check(&stat, Use::Written)?;
    }
    Ok(how)
}

/// A regular file has been opened for writing.
///
/// # Errors
/// `ETXTBSY`; those of ftruncate(2).
fn begin_writing(ctx: &mut Ctx, file: &File, stat: &FileStat, flags: u32) -> Result<(), Errno> {
    file.keep(ctx.kernel.uses.begin(stat, Use::Written)?);
    match file.host_fd() {
        Some(fd) if flags & (O_TRUNC | O_EXCL) == O_TRUNC => ctx.kernel.host.truncate(fd, 0),
        _ => Ok(()),
    }
}

fn is_fifo(ctx: &mut Ctx, dirfd: i32, name: &[u8], how: OpenHow) -> Result<bool, Errno> {
    let follow = if how.flags & O_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let stat = path::resolve(ctx, dirfd, name, follow)?.stat(ctx)?;
    Ok(FileKind::of_mode(stat.mode) == FileKind::Fifo)
}

fn wait_for_peer(ctx: &mut Ctx, opening: &RefCell<Opening>) -> Stop {
    let tries = opening.borrow().tries;
    opening.borrow_mut().tries = tries.saturating_add(1);
    // A deterministic run waits for guests alone.
    let retry = !ctx.kernel.config.deterministic;
    let delay = (FIFO_RETRY_NS << tries.min(16)).min(FIFO_RETRY_MAX_NS);
    let until = retry.then(|| ctx.kernel.monotonic_ns() + delay);
    ctx.wait(Wait::key(FIFO_OPENED).or_until(until), Errno::ERESTARTSYS)
}

/// The name that an open file carries: absolute, without `.` and `..`. Links in it stay; [`name_of`] knows better.
pub(super) fn shown_name(ctx: &mut Ctx, dirfd: i32, name: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = match name.first() {
        Some(b'/') => Vec::new(),
        _ if dirfd == AT_FDCWD => context(ctx).borrow().cwd.path().to_vec(),
        _ => ctx.file(dirfd).map(|f| f.path().to_vec()).unwrap_or_default(),
    };
    for part in name.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => out.truncate(out.iter().rposition(|b| *b == b'/').unwrap_or(0)),
            part => {
                if out.last() != Some(&b'/') {
                    out.push(b'/');
                }
                out.extend_from_slice(part);
            }
        }
    }
    if out.is_empty() { b"/".to_vec() } else { out }
}
