//! Root, working directory and umask.

use super::mounts::Source;
use super::path::{Dir, Follow, Target};
use super::*;
use crate::host::{AccessIds, FileStat, FileTime, HostFd, MountId};
use crate::kernel::file::{File, FileKind};

/// Whether a process's root is a directory below the machine's (chroot(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confined {
    /// It is the machine's own root.
    No,
    /// It is another directory, which no name may leave.
    Yes,
}

/// Root, working directory and umask; threads may share one (CLONE_FS).
#[derive(Clone, Debug)]
pub struct FsContext {
    /// The root directory.
    pub root: Rc<File>,
    /// The working directory.
    pub cwd: Rc<File>,
    /// Whether the root confines.
    pub confined: Confined,
    /// Mode bits that new files do not get.
    pub umask: u32,
}

impl FsContext {
    /// With `root`, which is also the working directory; without one, the host's root and, unless `cwd` says otherwise,
    /// sevm's own working directory.
    ///
    /// # Errors
    /// One of them cannot be opened.
    pub fn initial(
        host: &mut dyn Host,
        root: Option<&std::path::Path>,
        cwd: Option<&std::path::Path>,
    ) -> Result<FsContext, crate::Error> {
        use std::os::unix::ffi::OsStrExt;
        let mut open = |path: &std::path::Path, shown: Option<&[u8]>| -> Result<Rc<File>, crate::Error> {
            let opened = host.open_host_dir(path.as_os_str().as_bytes()).and_then(|fd| {
                let name = shown.map_or_else(|| host.path_of(&fd), <[u8]>::to_vec);
                File::of_host(host, fd, &name, 0)
            });
            opened.map_err(|e| crate::Error::Host {
                what: path.display().to_string(),
                source: std::io::Error::from_raw_os_error(e.0.into()),
            })
        };
        let (root, cwd) = match root {
            Some(root) => {
                let root = open(root, Some(b"/"))?;
                (Rc::clone(&root), root)
            }
            None => (open(std::path::Path::new("/"), None)?, open(cwd.unwrap_or(std::path::Path::new(".")), None)?),
        };
        // From there, names would lead to the host's processes.
        let on_proc = |fd: &HostFd| host.stat_fs(fd).is_ok_and(|s| s.kind == path::PROC_MAGIC);
        if cwd.host_fd().is_some_and(on_proc) {
            return Err(crate::Error::Usage("the working directory is in the host's /proc".into()));
        }
        Ok(FsContext { root, cwd, confined: Confined::No, umask: host.take_umask() })
    }
}

/// getcwd(2).
pub fn getcwd(ctx: &mut Ctx, a: &args::Getcwd) -> SysResult {
    let cwd = Rc::clone(&context(ctx).borrow().cwd);
    let mut name = match cwd.host_fd().cloned() {
        Some(fd) => {
            // A directory that was removed has no links left.
            if ctx.kernel.host.stat(&fd)?.nlink == 0 {
                return Err(Errno::ENOENT.into());
            }
            match guest_name(ctx, &fd) {
                Some(name) => name,
                None => [b"(unreachable)", &ctx.kernel.host.path_of(&fd)[..]].concat(),
            }
        }
        None => cwd.path().to_vec(),
    };
    name.push(0);
    if name.len() as u64 > a.size {
        return Err(Errno::ERANGE.into());
    }
    ctx.mem().write(a.buf, &name)?;
    Ok(name.len() as u64)
}

/// The directory of a target as an open file to be root or working directory; search permission is asked for.
fn enter(ctx: &mut Ctx, target: Target) -> Result<Rc<File>, Errno> {
    if let Target::File(file) = &target {
        path::dir_of(file)?;
        if let Some(fd) = file.host_fd().cloned() {
            ctx.kernel.host.access(&fd, 1, AccessIds::Effective)?;
        }
        return Ok(Rc::clone(file));
    }
    match target.into_dir()? {
        Dir::Host(fd) => {
            if FileKind::of_mode(ctx.kernel.host.stat(&fd)?.mode) != FileKind::Directory {
                return Err(Errno::ENOTDIR);
            }
            ctx.kernel.host.access(&fd, 1, AccessIds::Effective)?;
            let name = guest_name(ctx, &fd).unwrap_or_default();
            File::of_host(&mut *ctx.kernel.host, fd, &name, crate::abi::consts::open::O_PATH)
        }
        Dir::Made(path) => {
            let made = Made::find(ctx, &path).ok_or(Errno::ENOENT)?;
            made.into_file(ctx, crate::abi::consts::open::O_PATH)
        }
    }
}

/// chdir(2).
pub fn chdir(ctx: &mut Ctx, a: &args::Chdir) -> SysResult {
    let name = ctx.path(a.path)?;
    go_to(ctx, &name)?;
    Ok(0)
}

/// Makes the directory of this name the working directory.
///
/// # Errors
/// Those of chdir(2).
pub(super) fn go_to(ctx: &mut Ctx, name: &[u8]) -> Result<(), Errno> {
    let target = path::resolve(ctx, path::AT_FDCWD, name, Follow::Yes)?;
    let cwd = enter(ctx, target)?;
    context(ctx).borrow_mut().cwd = cwd;
    Ok(())
}

/// fchdir(2).
pub fn fchdir(ctx: &mut Ctx, a: &args::Fchdir) -> SysResult {
    let file = ctx.file(a.fd)?;
    let cwd = enter(ctx, Target::File(file))?;
    context(ctx).borrow_mut().cwd = cwd;
    Ok(0)
}

/// chroot(2). Deviation: a made-up directory (/proc) cannot be a root: `EINVAL`.
pub fn chroot(ctx: &mut Ctx, a: &args::Chroot) -> SysResult {
    let name = ctx.path(a.path)?;
    let target = path::resolve(ctx, path::AT_FDCWD, &name, Follow::Yes)?;
    let root = enter(ctx, target)?;
    if ctx.thread().credentials.uid[1] != 0 {
        return Err(Errno::EPERM.into());
    }
    let Some(fd) = root.host_fd().cloned() else { return Err(Errno::EINVAL.into()) };
    let confined = if is_machine_root(ctx, &fd)? { Confined::No } else { Confined::Yes };
    let fs = context(ctx);
    let mut fs = fs.borrow_mut();
    fs.root = root;
    fs.confined = confined;
    Ok(0)
}

/// Whether a directory is the machine's root.
fn is_machine_root(ctx: &mut Ctx, fd: &HostFd) -> Result<bool, Errno> {
    let here = ctx.kernel.host.stat(fd)?;
    let root = ctx.kernel.mounts.get(MountId(0)).map(|m| &m.source);
    let is_same = |root: &FileStat| (root.dev, root.ino) == (here.dev, here.ino) && fd.mount() == MountId(0);
    Ok(matches!(root, Some(Source::Host(_, stat)) if is_same(stat)))
}

/// umask(2).
pub fn umask(ctx: &mut Ctx, a: &args::Umask) -> SysResult {
    let fs = context(ctx);
    let old = std::mem::replace(&mut fs.borrow_mut().umask, a.mask & 0o777);
    Ok(old.into())
}

/// The time that made-up files carry.
pub(super) fn now(ctx: &mut Ctx) -> FileTime {
    let ns = ctx.kernel.time.now_ns(&mut *ctx.kernel.host, crate::host::HostClock::Realtime);
    FileTime { sec: (ns / 1_000_000_000) as i64, nsec: (ns % 1_000_000_000) as u32 }
}
