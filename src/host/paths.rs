//! Operations on the names of files of the host.

use super::{FileTime, HostFd};
use crate::abi::Errno;

/// How far the host may go when it resolves a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere.
    Host,
    /// The starting directory is also the root.
    InRoot,
    /// Not above the starting directory, else `EXDEV`.
    Beneath,
}

/// How to open a file by name (openat2(2)). Links that are not names but objects (those of the host's /proc) are never
/// followed: `ELOOP`.
#[derive(Clone, Copy, Debug)]
pub struct OpenHow {
    /// O_* bits, in canonical numbering. O_CLOEXEC is always added.
    pub flags: u32,
    /// Permission bits of a new file.
    pub mode: u32,
    /// How far it may go.
    pub scope: Scope,
    /// RESOLVE_* bits beyond those of `scope`.
    pub resolve: u64,
}

impl OpenHow {
    /// An O_PATH handle, with more O_* bits.
    pub fn handle(flags: u32) -> OpenHow {
        let flags = flags | crate::abi::consts::open::O_PATH;
        OpenHow { flags, mode: 0, scope: Scope::Host, resolve: 0 }
    }
}

/// What unlinkat(2) removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remove {
    /// Any file but a directory.
    File,
    /// An empty directory.
    Directory,
}

/// A timestamp to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// The host's time.
    Now,
    /// None: leave as it is.
    Omit,
    /// This one.
    To(FileTime),
}

/// With which ids access(2) is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessIds {
    /// The real ones.
    Real,
    /// The effective ones.
    Effective,
}

/// What statfs(2) tells about a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FsStat {
    /// Magic number of its kind.
    pub kind: u64,
    /// Preferred size of a transfer in bytes.
    pub block_size: u64,
    /// Size, in blocks.
    pub blocks: u64,
    /// Free blocks.
    pub free: u64,
    /// Free blocks for everybody.
    pub available: u64,
    /// Inodes.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// Its id.
    pub id: [i32; 2],
    /// Longest name in bytes.
    pub name_len: u64,
    /// Unit of the block counts in bytes.
    pub fragment_size: u64,
    /// ST_* mount flags.
    pub flags: u64,
}

/// Operations on names. `dir` is where a relative name starts; a name is one component unless said otherwise. A *handle*
/// is a file opened with O_PATH or otherwise; a handle of a symbolic link stands for the link. Errors are the host's.
pub trait Paths {
    /// Opens `path`, which may have many components.
    ///
    /// # Errors
    /// Those of openat2(2); `ELOOP` also for a magic link. `ENOSYS` when the host does not have the call.
    fn open(&mut self, dir: &HostFd, path: &[u8], how: OpenHow) -> Result<HostFd, Errno>;

    /// Opens an absolute path of the host as it is: for the root and the working directory that a run starts with.
    ///
    /// # Errors
    /// Those of open(2).
    fn open_host_dir(&mut self, path: &[u8]) -> Result<HostFd, Errno>;

    /// Sets sevm's own umask to 0, so that modes given here are final, and gives the one that it was started with.
    fn take_umask(&mut self) -> u32;

    /// Opens the file of a handle anew, with its own position and flags.
    ///
    /// # Errors
    /// Those of open(2).
    fn reopen(&mut self, handle: &HostFd, flags: u32) -> Result<HostFd, Errno>;

    /// Where a symbolic link leads; an empty name reads the link that `dir` is a handle of.
    ///
    /// # Errors
    /// Those of readlinkat(2).
    fn read_link(&mut self, dir: &HostFd, name: &[u8]) -> Result<Vec<u8>, Errno>;

    /// Makes a directory.
    ///
    /// # Errors
    /// Those of mkdirat(2).
    fn make_dir(&mut self, dir: &HostFd, name: &[u8], mode: u32) -> Result<(), Errno>;

    /// Makes a file, FIFO, device or socket, by the type bits of `mode`.
    ///
    /// # Errors
    /// Those of mknodat(2).
    fn make_node(&mut self, dir: &HostFd, name: &[u8], mode: u32, dev: u64) -> Result<(), Errno>;

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// Those of symlinkat(2).
    fn make_symlink(&mut self, target: &[u8], dir: &HostFd, name: &[u8]) -> Result<(), Errno>;

    /// Gives the file of a handle another name.
    ///
    /// # Errors
    /// Those of linkat(2).
    fn link(&mut self, handle: &HostFd, dir: &HostFd, name: &[u8]) -> Result<(), Errno>;

    /// Gives the file of this name, itself and not what it may link to, another name.
    ///
    /// # Errors
    /// Those of linkat(2).
    fn link_name(&mut self, from: (&HostFd, &[u8]), to: (&HostFd, &[u8])) -> Result<(), Errno>;

    /// Removes a name.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    fn remove(&mut self, dir: &HostFd, name: &[u8], what: Remove) -> Result<(), Errno>;

    /// Renames; `flags` are RENAME_* bits.
    ///
    /// # Errors
    /// Those of renameat2(2).
    fn rename(&mut self, from: (&HostFd, &[u8]), to: (&HostFd, &[u8]), flags: u32) -> Result<(), Errno>;

    /// Whether the file may be accessed; `mode` are R_OK, W_OK, X_OK bits.
    ///
    /// # Errors
    /// Those of faccessat2(2).
    fn access(&mut self, handle: &HostFd, mode: u32, ids: AccessIds) -> Result<(), Errno>;

    /// Sets the permission bits.
    ///
    /// # Errors
    /// Those of fchmodat2(2).
    fn change_mode(&mut self, handle: &HostFd, mode: u32) -> Result<(), Errno>;

    /// Sets owner and group; `u32::MAX` leaves one as it is.
    ///
    /// # Errors
    /// Those of fchownat(2).
    fn change_owner(&mut self, handle: &HostFd, uid: u32, gid: u32) -> Result<(), Errno>;

    /// Sets access and modification time.
    ///
    /// # Errors
    /// Those of utimensat(2).
    fn set_times(&mut self, handle: &HostFd, access: SetTime, modification: SetTime) -> Result<(), Errno>;

    /// Sets the length by name, as truncate(2) does.
    ///
    /// # Errors
    /// Those of truncate(2).
    fn set_length(&mut self, handle: &HostFd, len: u64) -> Result<(), Errno>;

    /// The file system that holds the file.
    ///
    /// # Errors
    /// Those of fstatfs(2).
    fn stat_fs(&mut self, handle: &HostFd) -> Result<FsStat, Errno>;

    /// The file system that is mounted from this device.
    ///
    /// # Errors
    /// `EINVAL`: none is.
    fn stat_fs_of_device(&mut self, dev: u64) -> Result<FsStat, Errno>;

    /// The value of an extended attribute, not longer than `max` bytes; `max` 0 asks for the length alone.
    ///
    /// # Errors
    /// Those of getxattr(2).
    fn get_xattr(&mut self, handle: &HostFd, name: &[u8], max: usize) -> Result<Xattr, Errno>;

    /// The names of all extended attributes, each with its NUL.
    ///
    /// # Errors
    /// Those of listxattr(2).
    fn list_xattr(&mut self, handle: &HostFd, max: usize) -> Result<Xattr, Errno>;

    /// Sets an extended attribute; `flags` are XATTR_* bits.
    ///
    /// # Errors
    /// Those of setxattr(2).
    fn set_xattr(&mut self, handle: &HostFd, name: &[u8], value: &[u8], flags: u32) -> Result<(), Errno>;

    /// Removes an extended attribute.
    ///
    /// # Errors
    /// Those of removexattr(2).
    fn remove_xattr(&mut self, handle: &HostFd, name: &[u8]) -> Result<(), Errno>;

    /// The next entries of a directory from its position on, which moves behind them; none at the end.
    ///
    /// # Errors
    /// Those of getdents64(2).
    fn read_dir(&mut self, dir: &HostFd) -> Result<Vec<super::DirEntry>, Errno>;

    /// Whether somebody has this FIFO, of which `fd` is the reading end, open for writing, or left bytes in it.
    ///
    /// # Errors
    /// Out of descriptors.
    fn fifo_has_writer(&mut self, fd: &HostFd) -> Result<bool, Errno>;
}

/// The answer to a question about extended attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Xattr {
    /// Its length in bytes.
    Length(usize),
    /// Itself.
    Value(Vec<u8>),
}
