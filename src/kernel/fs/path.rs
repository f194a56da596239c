//! From names to files.
//!
//! A name is first handed to the host as a whole, in one call that follows no magic link. What comes back is looked at: a
//! file on the host's /proc or /sys, or an error that a link into /proc may have caused, makes us walk the name again
//! component by component, knowing the trees that the kernel makes up. So no name, however it is linked, leads to sevm's
//! own entries in the host's /proc.

use super::made::{Made, MadeFile};
use super::*;
use crate::abi::consts::open::{O_DIRECTORY, O_NOFOLLOW, O_PATH};
use crate::abi::consts::resolve::RESOLVE_NO_XDEV;
use crate::host::{FileStat, HostFd, MountId, OpenHow, Scope};
use crate::kernel::file::{File, FileKind};

/// `dirfd` for "the working directory".
pub const AT_FDCWD: i32 = -100;
pub(super) const PROC_MAGIC: u64 = 0x9fa0;
pub(super) const SYSFS_MAGIC: u64 = 0x6265_6572;

/// Whether a link in the last component is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It is.
    Yes,
    /// The link itself is meant.
    No,
}

/// A file that a name or a descriptor leads to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A handle (O_PATH) of a file of the host, or it opened; and what stat(2) said then.
    Host(HostFd, FileStat),
    /// An open file of the guest.
    File(Rc<File>),
    /// A file that the kernel makes up.
    Made(Made),
}

/// A directory that a walk stands in.
#[derive(Clone, Debug)]
pub enum Dir {
    /// One of the host.
    Host(HostFd),
    /// One that the kernel makes up, by its guest path.
    Made(Vec<u8>),
}

/// A directory and a name in it, for calls that make or remove names. Trailing slashes are kept.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The directory.
    pub dir: Dir,
    /// The name: one component.
    pub name: Vec<u8>,
}

/// What kind of file system a device is, as far as resolution cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// One that is the guest's as it is.
    Ordinary,
    /// The host's procfs.
    Proc,
    /// The host's sysfs.
    Sysfs,
}

impl Target {
    /// The host's file behind it.
    pub fn host_fd(&self) -> Option<&HostFd> {
        match self {
            Target::Host(fd, _) => Some(fd),
            Target::File(file) => file.host_fd(),
            Target::Made(_) => None,
        }
    }

    /// What stat(2) says about it, or said when the name was resolved.
    ///
    /// # Errors
    /// Those of fstat(2).
    pub fn stat(&self, ctx: &mut Ctx) -> Result<FileStat, Errno> {
        match self {
            Target::Host(_, stat) => Ok(*stat),
            Target::File(file) => file.ops().stat(ctx, file),
            Target::Made(made) => Ok(made.stat(ctx)),
        }
    }

    /// It as a directory to go on from.
    ///
    /// # Errors
    /// `ENOTDIR`.
    pub fn into_dir(self) -> Result<Dir, Errno> {
        match self {
            Target::Host(fd, _) => Ok(Dir::Host(fd)),
            Target::File(file) => dir_of(&file),
            Target::Made(made) if made.is_dir() => Ok(Dir::Made(made.path)),
            Target::Made(_) => Err(Errno::ENOTDIR),
        }
    }
}

/// An open file as a directory to start from.
///
/// # Errors
/// `ENOTDIR`; `EACCES`: it lies outside the machine.
pub fn dir_of(file: &File) -> Result<Dir, Errno> {
    if let Some(made) = file.downcast::<MadeFile>() {
        return if made.node.is_dir() { Ok(Dir::Made(made.node.path.clone())) } else { Err(Errno::ENOTDIR) };
    }
    match (file.kind(), file.host_fd()) {
        // From there, names would lead anywhere.
        (FileKind::Directory, Some(fd)) if fd.mount() == MountId::OUTSIDE => Err(Errno::EACCES),
        (FileKind::Directory, Some(fd)) => Ok(Dir::Host(fd.clone())),
        _ => Err(Errno::ENOTDIR),
    }
}

/// The file that `path`, relative to `dirfd`, names.
///
/// # Errors
/// Those of path_resolution(7); `EBADF` for a bad `dirfd`.
pub fn resolve(ctx: &mut Ctx, dirfd: i32, path: &[u8], follow: Follow) -> Result<Target, Errno> {
    let flags = if follow == Follow::No { O_NOFOLLOW } else { 0 };
    let start = start(ctx, dirfd, path, Scope::Host)?;
    open_at(ctx, start, path, OpenHow::handle(flags))
}

/// [`resolve_or_fd`] for a call that only looks: an absolute name is looked for below the machine's prefix first.
///
/// # Errors
/// As there.
pub fn look_up(ctx: &mut Ctx, dirfd: i32, path: &[u8], follow: Follow, empty: Empty) -> Result<Target, Errno> {
    let flags = if follow == Follow::No { O_NOFOLLOW } else { 0 };
    match in_prefix(ctx, path, OpenHow::handle(flags))? {
        Some(target) => Ok(target),
        None => resolve_or_fd(ctx, dirfd, path, follow, empty),
    }
}

/// [`open_at`] below the machine's prefix, if the name is absolute and leads to something there.
///
/// # Errors
/// Those of openat2(2).
pub fn in_prefix(ctx: &mut Ctx, path: &[u8], how: OpenHow) -> Result<Option<Target>, Errno> {
    let Some(prefix) = ctx.kernel.mounts.prefix().cloned() else { return Ok(None) };
    if path.first() != Some(&b'/') || how.scope != Scope::Host || is_made_up(path) {
        return Ok(None);
    }
    let handle = OpenHow::handle(how.flags & (O_NOFOLLOW | O_DIRECTORY));
    let there = ctx.kernel.host.open(&prefix, path, OpenHow { scope: Scope::InRoot, resolve: how.resolve, ..handle });
    if there.is_err() {
        return Ok(None);
    }
    let fd = ctx.kernel.host.open(&prefix, path, OpenHow { scope: Scope::InRoot, ..how })?;
    let stat = ctx.kernel.host.stat(&fd)?;
    Ok(Some(Target::Host(fd, stat)))
}

/// [`resolve`], where an empty path together with AT_EMPTY_PATH means `dirfd` itself.
///
/// # Errors
/// As there.
pub fn resolve_or_fd(ctx: &mut Ctx, dirfd: i32, path: &[u8], follow: Follow, empty: Empty) -> Result<Target, Errno> {
    if !path.is_empty() || empty == Empty::Refused {
        return resolve(ctx, dirfd, path, follow);
    }
    if dirfd == AT_FDCWD {
        return Ok(Target::File(Rc::clone(&context(ctx).borrow().cwd)));
    }
    Ok(Target::File(ctx.file(dirfd)?))
}

/// Whether an empty path is allowed (AT_EMPTY_PATH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// It is, and means the descriptor.
    Allowed,
    /// It is `ENOENT`.
    Refused,
}

impl Empty {
    /// What an AT_* word says.
    pub fn from_flags(flags: u32) -> Empty {
        if flags & crate::abi::consts::at::AT_EMPTY_PATH != 0 { Empty::Allowed } else { Empty::Refused }
    }
}

/// The directory that holds the last component of `path`, and that component.
///
/// # Errors
/// Those of path_resolution(7) for all components but the last.
pub fn parent(ctx: &mut Ctx, dirfd: i32, path: &[u8]) -> Result<Parent, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let begin = start(ctx, dirfd, path, Scope::Host)?;
    let trimmed = path.iter().rposition(|b| *b != b'/').map_or(0, |i| i + 1);
    let cut = path[..trimmed].iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    let (before, name) = path.split_at(cut);
    if trimmed == 0 {
        // Nothing but slashes: no call can make or remove the root, and the host says so in the right way.
        return Ok(Parent { dir: begin.dir, name: b"/".to_vec() });
    }
    if name.len() > 255 + (path.len() - trimmed) {
        return Err(Errno::ENAMETOOLONG);
    }
    let dir = if before.is_empty() {
        begin.dir
    } else {
        open_at(ctx, begin, before, OpenHow::handle(O_DIRECTORY))?.into_dir()?
    };
    Ok(Parent { dir, name: name.to_vec() })
}

/// Where a name starts and how far it may go.
#[derive(Clone, Debug)]
pub struct Start {
    /// The first directory.
    pub dir: Dir,
    /// Its scope on the host.
    pub scope: Scope,
}

/// Where `path` relative to `dirfd` starts; in a scope of its own (openat2(2)) an absolute path does so too.
///
/// # Errors
/// `ENOENT` for an empty path, `EBADF`, `ENOTDIR`.
pub fn start(ctx: &mut Ctx, dirfd: i32, path: &[u8], own: Scope) -> Result<Start, Errno> {
    let fs = context(ctx);
    let fs = fs.borrow();
    let (file, scope) = match path.first() {
        None => return Err(Errno::ENOENT),
        Some(b'/') if own == Scope::Beneath => return Err(Errno::EXDEV),
        Some(b'/') if own == Scope::Host => (Rc::clone(&fs.root), Scope::InRoot),
        Some(_) if dirfd == AT_FDCWD => (Rc::clone(&fs.cwd), Scope::Beneath),
        Some(_) => (ctx.file(dirfd)?, Scope::Beneath),
    };
    let scope = if fs.confined == Confined::Yes { scope } else { Scope::Host };
    Ok(Start { dir: dir_of(&file)?, scope })
}

/// Opens `path` from `start` on: a handle if `how.flags` has O_PATH, else an open file.
///
/// # Errors
/// Those of openat2(2).
pub fn open_at(ctx: &mut Ctx, start: Start, path: &[u8], how: OpenHow) -> Result<Target, Errno> {
    if !ctx.kernel.mounts.is_layered()
        && let Dir::Host(dir) = &start.dir
        && (start.scope != Scope::Host || !is_made_up(path))
    {
        let how = if how.scope == Scope::Host { OpenHow { scope: start.scope, ..how } } else { how };
        match ctx.kernel.host.open(dir, path, how) {
            Ok(fd) => {
                let stat = ctx.kernel.host.stat(&fd)?;
                if let Some(made) = device_instead(ctx, &stat) {
                    return Ok(Target::Made(made));
                }
                if mount_of(ctx, &fd, &stat) == Mount::Ordinary {
                    return Ok(Target::Host(fd, stat));
                }
            }
            // ENXIO: perhaps a link to /dev/tty, of which the machine has its own.
            Err(Errno::ELOOP | Errno::EXDEV | Errno::EAGAIN | Errno::ENOSYS | Errno::ENXIO) => {}
            Err(e @ (Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES)) => {
                // Final if the way did not leave the file system that it began on; else a link may have led into the
                // host's /proc, where the guest would have found something else.
                let retry =
                    OpenHow { resolve: how.resolve | u64::from(RESOLVE_NO_XDEV), flags: how.flags | O_PATH, ..how };
                if ctx.kernel.host.open(dir, path, retry).is_err_and(|again| again == e) {
                    return Err(e);
                }
            }
            Err(e) => return Err(e),
        }
    }
    walk::Walk::new(ctx, start.dir, how)?.open(ctx, path)
}

/// The device of the machine's own that takes the place of the host's device that `stat` describes.
pub(super) fn device_instead(ctx: &mut Ctx, stat: &FileStat) -> Option<Made> {
    if FileKind::of_mode(stat.mode) != FileKind::Character {
        return None;
    }
    let (major, minor) = stat.device();
    Made::find(ctx, devfs::instead_of(major, minor)?)
}

/// Whether an absolute path obviously leads into a tree that the kernel makes up.
fn is_made_up(path: &[u8]) -> bool {
    let Some(b'/') = path.first() else { return false };
    let mut parts = path.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".");
    match parts.next() {
        Some(b"proc") => true,
        Some(b"dev") => parts.next().is_some_and(|name| devfs::NAMES.contains(&name)),
        Some(b"sys") => [&b"devices"[..], b"system", b"cpu"].iter().all(|want| parts.next() == Some(want)),
        _ => false,
    }
}

/// What kind of file system holds `fd`.
pub(super) fn mount_of(ctx: &mut Ctx, fd: &HostFd, stat: &FileStat) -> Mount {
    // Both have no device of their own, and so have a major number of 0.
    if rustix::fs::major(stat.dev) != 0 {
        return Mount::Ordinary;
    }
    match ctx.kernel.host.stat_fs(fd).map(|s| s.kind) {
        Ok(PROC_MAGIC) => Mount::Proc,
        Ok(SYSFS_MAGIC) => Mount::Sysfs,
        _ => Mount::Ordinary,
    }
}
