//! Open files: what descriptors refer to.
//!
//! A [`File`] is Linux's open file description: status flags, position and the name it was opened by, shared by all
//! descriptors that dup(2) and fork(2) made of it. What it is an open file *of* is behind [`FileOps`]; a new kind of file is one
//! type with that trait. Operations that would wait return [`Stop::Block`] with what to wait for, whatever O_NONBLOCK
//! says: the calls in `io` make EAGAIN of it.

mod buffer;
mod busy;
mod host;
mod text;

pub use buffer::Buffer;
pub use busy::{Hold, Use, Uses};
pub use host::HostFile;
pub use text::{Text, TextWriter};

use super::*;
use crate::abi::consts::open::{O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY};
use crate::host::{DirEntry, FileStat, HostFd};
use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What sort of file it is, as the type bits of a mode say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A character device, terminals included.
    Character,
    /// A block device.
    Block,
    /// A pipe or FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A symbolic link, opened with O_PATH.
    Symlink,
    /// None of these (eventfd, epoll, ...): no type bits.
    Anonymous,
}

impl FileKind {
    /// The kind that the type bits of `mode` give.
    pub fn of_mode(mode: u32) -> FileKind {
        match mode & 0o170000 {
            0o100000 => FileKind::Regular,
            0o040000 => FileKind::Directory,
            0o020000 => FileKind::Character,
            0o060000 => FileKind::Block,
            0o010000 => FileKind::Fifo,
            0o140000 => FileKind::Socket,
            0o120000 => FileKind::Symlink,
            _ => FileKind::Anonymous,
        }
    }
}

/// Whether a file is ready, and if not what would tell.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// POLL* bits that hold now, as far as the kernel knows by itself.
    pub ready: i16,
    /// A host file to ask for the rest.
    pub host: Option<HostFd>,
    /// Objects of the machine whose change may make more bits hold.
    pub keys: Vec<WaitKey>,
    /// A moment of the kernel's monotonic clock at which more bits will hold, in nanoseconds.
    pub deadline_ns: Option<u64>,
}

impl Readiness {
    /// Known now, nothing to wait for.
    pub fn now(ready: u32) -> Readiness {
        Readiness { ready: ready as i16, ..Readiness::default() }
    }

    /// Known now, and again when `key` changes.
    pub fn object(ready: u32, key: WaitKey) -> Readiness {
        Readiness { ready: ready as i16, keys: vec![key], ..Readiness::default() }
    }
}

/// How to carry out a read or write of a [`File`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Access {
    /// Position in bytes; `None` for the open file's own, which then moves.
    pub at: Option<u64>,
    /// RWF_* bits of preadv2(2).
    pub flags: u32,
}

/// What an open file is. Defaults are Linux's answers for a file that does not support the operation.
pub trait FileOps: std::fmt::Debug {
    /// What sort of file it is.
    fn kind(&self) -> FileKind;

    /// For downcasts by calls that want one particular kind.
    fn as_any(&self) -> &dyn Any;

    /// The host's file behind it, for mappings and for calls on host files.
    fn host_fd(&self) -> Option<&HostFd> {
        None
    }

    /// Whether it has positions: pread(2) and lseek(2) work.
    fn is_seekable(&self) -> bool {
        false
    }

    /// Reads into `buf`; gives the number of bytes, 0 at the end.
    ///
    /// # Errors
    /// Those of read(2); [`Stop::Block`] when nothing is there yet.
    fn read(&self, ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        let _ = (ctx, file, buf, how);
        Err(Errno::EINVAL.into())
    }

    /// Writes from `buf`; gives the number of bytes, which may be fewer than there are.
    ///
    /// # Errors
    /// Those of write(2); [`Stop::Block`] when nothing could be written yet.
    fn write(&self, ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        let _ = (ctx, file, buf, how);
        Err(Errno::EINVAL.into())
    }

    /// Moves the position (lseek(2)).
    ///
    /// # Errors
    /// `ESPIPE`, `EINVAL`, ...
    fn seek(&self, ctx: &mut Ctx, file: &File, offset: i64, whence: u32) -> Result<u64, Errno> {
        let _ = (ctx, file, offset, whence);
        Err(Errno::ESPIPE)
    }

    /// How long a wait for `events` may last in nanoseconds; then the call gives `EAGAIN`. Sockets have such limits.
    fn timeout_ns(&self, events: i16) -> Option<u64> {
        let _ = events;
        None
    }

    /// Whether it is ready for `events` (POLL* bits).
    fn readiness(&self, ctx: &mut Ctx, file: &File, events: i16) -> Readiness {
        use crate::abi::consts::poll::{POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM};
        let _ = (ctx, file, events);
        Readiness::now(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
    }

    /// Whether poll(2) and epoll(7) can tell anything about it; files and directories are always ready.
    fn can_poll(&self) -> bool {
        !matches!(self.kind(), FileKind::Regular | FileKind::Directory | FileKind::Symlink)
    }

    /// The host file that [`FileOps::readiness`] gives to ask, if any.
    fn readiness_fd(&self) -> Option<HostFd> {
        self.host_fd().cloned()
    }

    /// A descriptor of it has been closed by a process, which may have others.
    fn closed(&self, ctx: &mut Ctx) {
        let _ = ctx;
    }

    /// Its inode number, of a file that is not the host's.
    fn inode(&self) -> u64 {
        0
    }

    /// What /proc/PID/fdinfo/N says beside position and flags: whole lines.
    fn fdinfo(&self) -> String {
        String::new()
    }

    /// What is known of it beside its name, for observers.
    fn label(&self) -> Option<Label> {
        None
    }

    /// [`FileOps::fdinfo`], where that needs the kernel.
    fn fdinfo_in(&self, kernel: &mut Kernel) -> String {
        let _ = kernel;
        self.fdinfo()
    }

    /// What stat(2) says about it.
    ///
    /// # Errors
    /// Those of fstat(2).
    fn stat(&self, ctx: &mut Ctx, file: &File) -> Result<FileStat, Errno>;

    /// Changes its length (ftruncate(2)).
    ///
    /// # Errors
    /// `EINVAL`, ...
    fn truncate(&self, ctx: &mut Ctx, file: &File, len: u64) -> Result<(), Errno> {
        let _ = (ctx, file, len);
        Err(Errno::EINVAL)
    }

    /// Device-specific requests (ioctl(2)) beyond those that every file has.
    ///
    /// # Errors
    /// `ENOTTY`, ...
    fn ioctl(&self, ctx: &mut Ctx, file: &File, request: u32, arg: u64) -> SysResult {
        let _ = (ctx, file, request, arg);
        Err(Errno::ENOTTY.into())
    }

    /// Gives the capacity of a pipe in bytes, after setting it if asked to (fcntl(2), F_SETPIPE_SZ).
    ///
    /// # Errors
    /// `EBADF`: not a pipe.
    fn pipe_size(&self, ctx: &mut Ctx, new: Option<u32>) -> SysResult {
        let _ = (ctx, new);
        Err(Errno::EBADF.into())
    }

    /// Takes over changed status flags (O_APPEND, O_DIRECT, O_NOATIME; O_NONBLOCK never concerns it).
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`.
    fn set_flags(&self, ctx: &mut Ctx, file: &File, flags: u32) -> Result<(), Errno> {
        let _ = (ctx, file, flags);
        Ok(())
    }

    /// Gives the entries from the position on, in order, until `emit` returns false for one that it does not take; the
    /// position is then at that entry.
    ///
    /// # Errors
    /// `ENOTDIR`, ...
    fn read_dir(&self, ctx: &mut Ctx, file: &File, emit: &mut dyn FnMut(&DirEntry) -> bool) -> Result<(), Errno> {
        let _ = (ctx, file, emit);
        Err(Errno::ENOTDIR)
    }
}

/// What a file is beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// A socket: its protocol, and its addresses or numbers.
    Socket {
        /// As ss(8) and strace(1) call it.
        protocol: &'static str,
        /// What is in the brackets behind it; `None`: its inode number.
        details: Option<String>,
    },
    /// A character device by its numbers.
    Character(u32, u32),
    /// A block device by its numbers.
    Block(u32, u32),
    /// A process.
    Process(i32),
}

/// Who gets signals about a file (fcntl(2), F_SETOWN, F_SETSIG).
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner {
    /// F_OWNER_TID, F_OWNER_PID or F_OWNER_PGRP.
    pub kind: i32,
    /// The thread, process or group; 0: nobody.
    pub id: i32,
    /// The signal instead of SIGIO; 0: SIGIO.
    pub signal: i32,
    /// Real and effective user id of whoever set it.
    pub uids: [u32; 2],
}

/// An open file description (open(2)).
#[derive(Debug)]
pub struct File {
    ops: Box<dyn FileOps>,
    path: RefCell<Rc<[u8]>>,
    flags: Cell<u32>,
    /// Position in bytes of files that the kernel makes; host files have theirs on the host.
    pub offset: Cell<u64>,
    /// Who gets signals.
    pub owner: Cell<Owner>,
    /// The process has set record locks through it.
    pub has_record_locks: Cell<bool>,
    /// A number to order it by, once kcmp(2) has given it one.
    pub number: Cell<u64>,
    /// Its name was removed, or given to another file.
    lost_name: Cell<bool>,
    /// Keeps a file that is open for writing from being run.
    hold: OnceCell<Hold>,
}

impl File {
    /// An open file. `path` is its name as the guest sees it, or what /proc/self/fd shows (`pipe:[1]`). `flags` are
    /// open(2)'s in canonical numbering; those that only matter while opening are dropped.
    pub fn new(ops: impl FileOps + 'static, path: &[u8], flags: u32) -> Rc<File> {
        use crate::abi::consts::open::{O_CLOEXEC, O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC};
        Rc::new(File {
            ops: Box::new(ops),
            path: RefCell::new(path.into()),
            flags: Cell::new(flags & !(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)),
            offset: Cell::new(0),
            owner: Cell::new(Owner::default()),
            has_record_locks: Cell::new(false),
            number: Cell::new(0),
            lost_name: Cell::new(false),
            hold: OnceCell::new(),
        })
    }

    /// Moves the position of a file that has no size to count from, as SEEK_SET (0) and SEEK_CUR (1) say.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn seek_without_end(&self, offset: i64, whence: u32) -> Result<u64, Errno> {
        let base = match whence {
            0 => 0,
            1 => self.offset.get() as i64,
            _ => return Err(Errno::EINVAL),
        };
        let to = base.checked_add(offset).and_then(|to| u64::try_from(to).ok()).ok_or(Errno::EINVAL)?;
        self.offset.set(to);
        Ok(to)
    }

    /// An open file of the host: regular, directory, device, FIFO or socket.
    ///
    /// # Errors
    /// Those of fstat(2).
    pub fn of_host(host: &mut dyn Host, fd: HostFd, path: &[u8], flags: u32) -> Result<Rc<File>, Errno> {
        let stat = host.stat(&fd)?;
        Ok(File::of_host_with(host, fd, &stat, path, flags))
    }

    /// [`File::of_host`] of what `stat` describes.
    pub fn of_host_with(host: &mut dyn Host, fd: HostFd, stat: &FileStat, path: &[u8], flags: u32) -> Rc<File> {
        if FileKind::of_mode(stat.mode) == FileKind::Socket
            && let Ok(socket) = net::Socket::of_host(host, fd.clone())
        {
            return File::new(socket, path, flags);
        }
        let file = HostFile::new(host, fd, stat);
        match file.kind() {
            FileKind::Directory => File::new(fs::HostDir::new(file), path, flags),
            _ => File::new(file, path, flags),
        }
    }

    /// What it is.
    pub fn ops(&self) -> &dyn FileOps {
        &*self.ops
    }

    /// What it is, if it is a `T`.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        self.ops.as_any().downcast_ref()
    }

    /// What sort of file it is.
    pub fn kind(&self) -> FileKind {
        self.ops.kind()
    }

    /// The host's file behind it.
    pub fn host_fd(&self) -> Option<&HostFd> {
        self.ops.host_fd()
    }

    /// Its name as the guest sees it.
    pub fn path(&self) -> Rc<[u8]> {
        Rc::clone(&self.path.borrow())
    }

    /// Notes that its name is gone.
    pub fn lose_name(&self) {
        self.lost_name.set(true);
    }

    /// Whether its name is gone.
    pub fn has_lost_name(&self) -> bool {
        self.lost_name.get()
    }

    /// Keeps the file from being run as long as it is open.
    pub fn keep(&self, hold: Hold) {
        // An open file has one file, and holds it once.
        let _ = self.hold.set(hold);
    }

    /// Gives it another name.
    pub fn set_path(&self, path: &[u8]) {
        *self.path.borrow_mut() = path.into();
    }

    /// Access mode and status flags, in canonical numbering.
    pub fn flags(&self) -> u32 {
        self.flags.get()
    }

    /// Sets access mode and status flags; does not tell [`FileOps`].
    pub fn set_flags(&self, flags: u32) {
        self.flags.set(flags);
    }

    /// Opened with O_PATH: good for its place only.
    pub fn is_path_only(&self) -> bool {
        self.flags() & O_PATH != 0
    }

    /// Opened for reading.
    pub fn can_read(&self) -> bool {
        !self.is_path_only() && matches!(self.flags() & O_ACCMODE, m if m != O_WRONLY && m != O_ACCMODE)
    }

    /// Opened for writing.
    pub fn can_write(&self) -> bool {
        !self.is_path_only() && !matches!(self.flags() & O_ACCMODE, O_RDONLY | O_ACCMODE)
    }

    /// O_NONBLOCK is set.
    pub fn is_nonblocking(&self) -> bool {
        self.flags() & O_NONBLOCK != 0
    }

    /// O_APPEND is set.
    pub fn appends(&self) -> bool {
        self.flags() & O_APPEND != 0
    }
}
