//! Operations on open files of the host. Opening by name is in its own trait.

use super::HostFd;
use crate::abi::Errno;
use crate::mem::Spans;

/// Whether a transfer may wait on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The file never makes anybody wait (regular files, directories, memory devices).
    Allowed,
    /// Rather fail with `EAGAIN`, whatever the flags of the host's open file say.
    Never,
}

/// How to carry out a read or write.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// File position in bytes; `None` for the file's own, which then moves.
    pub at: Option<u64>,
    /// RWF_* bits of preadv2(2).
    pub flags: u32,
    /// May it wait?
    pub waiting: Waiting,
}

/// A point in time of a file: seconds and nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTime {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, below 1,000,000,000.
    pub nsec: u32,
}

/// What statx(2) tells about a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStat {
    /// Device that holds it, as makedev(3) gives.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Hard links.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device that it is, for a device file.
    pub rdev: u64,
    /// Bytes.
    pub size: u64,
    /// Preferred size of a transfer in bytes.
    pub blksize: u32,
    /// Units of 512 bytes that it occupies.
    pub blocks: u64,
    /// Last access.
    pub atime: FileTime,
    /// Last change of content.
    pub mtime: FileTime,
    /// Last change of the inode.
    pub ctime: FileTime,
    /// Creation, where known.
    pub btime: Option<FileTime>,
    /// Id of the mount that holds it.
    pub mnt_id: u64,
    /// STATX_ATTR_* bits.
    pub attributes: u64,
    /// Which of them the file system knows.
    pub attributes_mask: u64,
}

impl FileStat {
    /// Major and minor number of the device that it is.
    pub fn device(&self) -> (u32, u32) {
        (rustix::fs::major(self.rdev), rustix::fs::minor(self.rdev))
    }
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Inode number.
    pub ino: u64,
    /// The directory's position behind this entry.
    pub next: i64,
    /// DT_* type.
    pub kind: u8,
    /// Name without slash or NUL.
    pub name: Vec<u8>,
}

/// What of a file to write to its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Data and metadata (fsync(2)).
    All,
    /// Data and what is needed to read it (fdatasync(2)).
    Data,
    /// The whole file system that holds it (syncfs(2)).
    FileSystem,
    /// A range: offset, bytes, SYNC_FILE_RANGE_* bits.
    Range(i64, i64, u32),
}

/// A record lock (fcntl_locking(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLock {
    /// F_RDLCK, F_WRLCK or F_UNLCK.
    pub kind: i16,
    /// What `start` counts from: SEEK_SET, SEEK_CUR, SEEK_END.
    pub whence: i16,
    /// First byte.
    pub start: i64,
    /// Bytes; 0: to the end.
    pub len: i64,
    /// Who holds it, in the host's numbering.
    pub pid: i32,
}

/// Operations on descriptors. Errors are the host's.
pub trait Files {
    /// The descriptors that whoever started sevm left open for the program, ascending, with their numbers. Those above
    /// 2 are taken over: sevm itself no longer has them.
    fn inherited(&mut self) -> Vec<(i32, HostFd)>;

    /// Whether both are descriptors of one open file; false if the host does not tell.
    fn is_same_open_file(&mut self, a: &HostFd, b: &HostFd) -> bool;

    /// The name the host knows the open file by: a path, or `pipe:[INODE]` and the like.
    fn path_of(&mut self, fd: &HostFd) -> Vec<u8>;

    /// Reads into guest memory; gives the number of bytes, 0 at the end.
    ///
    /// # Errors
    /// Those of preadv2(2); `EAGAIN` when it would have to wait and must not.
    fn read(&mut self, fd: &HostFd, to: &Spans, how: Transfer) -> Result<usize, Errno>;

    /// Writes from guest memory; gives the number of bytes. Never raises SIGPIPE.
    ///
    /// # Errors
    /// Those of pwritev2(2); `EAGAIN` when it would have to wait and must not.
    fn write(&mut self, fd: &HostFd, from: &Spans, how: Transfer) -> Result<usize, Errno>;

    /// [`Files::read`] into sevm's own memory.
    ///
    /// # Errors
    /// As there.
    fn read_bytes(&mut self, fd: &HostFd, to: &mut [u8], how: Transfer) -> Result<usize, Errno>;

    /// [`Files::write`] from sevm's own memory.
    ///
    /// # Errors
    /// As there.
    fn write_bytes(&mut self, fd: &HostFd, from: &[u8], how: Transfer) -> Result<usize, Errno>;

    /// Moves the file position (lseek(2), SEEK_* `whence`).
    ///
    /// # Errors
    /// `EINVAL`, `ESPIPE`, `ENXIO`, `EOVERFLOW`.
    fn seek(&mut self, fd: &HostFd, offset: i64, whence: u32) -> Result<u64, Errno>;

    /// What the file is.
    ///
    /// # Errors
    /// Those of statx(2).
    fn stat(&mut self, fd: &HostFd) -> Result<FileStat, Errno>;

    /// Status flags of the open file (F_GETFL), in canonical numbering.
    ///
    /// # Errors
    /// `EBADF`.
    fn status_flags(&mut self, fd: &HostFd) -> Result<u32, Errno>;

    /// Sets O_APPEND, O_DIRECT and O_NOATIME of the open file as `flags` (canonical) has them; other bits stay.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`.
    fn set_status_flags(&mut self, fd: &HostFd, flags: u32) -> Result<(), Errno>;

    /// Sets the length in bytes.
    ///
    /// # Errors
    /// Those of ftruncate(2).
    fn truncate(&mut self, fd: &HostFd, len: u64) -> Result<(), Errno>;

    /// Gets or gives back space (fallocate(2), FALLOC_FL_* `mode`).
    ///
    /// # Errors
    /// Those of fallocate(2).
    fn allocate(&mut self, fd: &HostFd, mode: u32, offset: i64, len: i64) -> Result<(), Errno>;

    /// Writes to the device.
    ///
    /// # Errors
    /// Those of fsync(2).
    fn sync(&mut self, fd: &HostFd, what: Sync) -> Result<(), Errno>;

    /// Writes everything to its devices.
    fn sync_all(&mut self);

    /// Says how a range will be used (posix_fadvise(2)).
    ///
    /// # Errors
    /// `EINVAL`, `ESPIPE`.
    fn advise(&mut self, fd: &HostFd, offset: i64, len: i64, advice: u32) -> Result<(), Errno>;

    /// Sets or removes the open file's lock (LOCK_* `operation`) without waiting.
    ///
    /// # Errors
    /// `EAGAIN`: somebody else has one.
    fn flock(&mut self, fd: &HostFd, operation: u32) -> Result<(), Errno>;

    /// Carries out F_GETLK, F_SETLK or their OFD variants.
    ///
    /// # Errors
    /// Those of fcntl(2); `EINVAL` for another command.
    fn record_lock(&mut self, fd: &HostFd, command: u32, lock: &mut RecordLock) -> Result<(), Errno>;

    /// A command of fcntl(2) whose argument is a number: pipe size, seals, leases.
    ///
    /// # Errors
    /// Those of fcntl(2); `EINVAL` for another command.
    fn control(&mut self, fd: &HostFd, command: u32, arg: i32) -> Result<i32, Errno>;

    /// Gets or sets a write lifetime hint (F_GET_RW_HINT and its kin).
    ///
    /// # Errors
    /// `EINVAL`.
    fn write_hint(&mut self, fd: &HostFd, command: u32, hint: &mut u64) -> Result<(), Errno>;

    /// How many pages of a range are in memory (cachestat(2)): cached, dirty, under writeback, evicted, evicted lately.
    ///
    /// # Errors
    /// Those of cachestat(2); `ENOSYS` of a host that does not have it.
    fn cache_state(&mut self, fd: &HostFd, offset: u64, len: u64) -> Result<[u64; 5], Errno>;

    /// A handle of a file (name_to_handle_at(2) with AT_HANDLE_* `flags`): its type and bytes, and the id of its mount.
    ///
    /// # Errors
    /// `EOPNOTSUPP`: the file system has none.
    fn handle(&mut self, fd: &HostFd, flags: u32) -> Result<(i32, Vec<u8>, i32), Errno>;

    /// A file in memory (memfd_create(2)).
    ///
    /// # Errors
    /// Those of memfd_create(2).
    fn memfd(&mut self, name: &[u8], flags: u32) -> Result<HostFd, Errno>;

    /// Copies within the host (copy_file_range(2)); offsets of `None` are the files' own. Moves the given offsets.
    ///
    /// # Errors
    /// Those of copy_file_range(2).
    fn copy_range(
        &mut self,
        from: (&HostFd, Option<&mut u64>),
        to: (&HostFd, Option<&mut u64>),
        len: u64,
    ) -> Result<usize, Errno>;

    /// Moves bytes between two files of which one is a pipe (splice(2)), never waiting.
    ///
    /// # Errors
    /// Those of splice(2).
    fn splice(
        &mut self,
        from: (&HostFd, Option<&mut u64>),
        to: (&HostFd, Option<&mut u64>),
        len: u64,
    ) -> Result<usize, Errno>;

    /// Copies from one pipe to another without taking (tee(2)), never waiting.
    ///
    /// # Errors
    /// Those of tee(2).
    fn tee(&mut self, from: &HostFd, to: &HostFd, len: u64) -> Result<usize, Errno>;

    /// Whether it is a terminal.
    fn is_terminal(&mut self, fd: &HostFd) -> bool;

    /// Whether it is the terminal that sevm was started from.
    fn is_controlling_terminal(&mut self, fd: &HostFd) -> bool;

    /// The other side of a pseudoterminal, opened with these flags (TIOCGPTPEER).
    ///
    /// # Errors
    /// `ENOTTY`, `EIO`.
    fn pty_peer(&mut self, fd: &HostFd, flags: u32) -> Result<HostFd, Errno>;

    /// A request of ioctl(2) whose argument is a number or nothing, as [`super::payload`] says.
    ///
    /// # Errors
    /// The device's; `ENOTTY` for another request.
    fn ioctl_number(&mut self, fd: &HostFd, request: u32, arg: u64) -> Result<i32, Errno>;

    /// A request of ioctl(2) that reads or fills `bytes`, which are as many as [`super::payload`] says.
    ///
    /// # Errors
    /// The device's; `ENOTTY` for another request or length.
    fn ioctl_bytes(&mut self, fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<i32, Errno>;

    /// Lets `to` share blocks of `from` (FICLONERANGE): source offset, bytes (0: to the end), target offset.
    ///
    /// # Errors
    /// Those of ioctl_ficlonerange(2).
    fn clone_range(&mut self, from: &HostFd, to: &HostFd, at: u64, len: u64, dest: u64) -> Result<(), Errno>;

    /// Tells that the file has been mapped so that the guest may write to it by plain stores, or that such a mapping is
    /// written back: a host that keeps file times of its own must know.
    fn note_stores(&mut self, _fd: &HostFd) {}
}
