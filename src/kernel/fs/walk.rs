//! Resolution of a name component by component, through made-up trees, magic links and confining roots.

use super::mounts::{Source, machine_dir, machine_name};
use super::path::{Dir, Mount, Target, dir_of, mount_of};
use super::*;
use crate::abi::consts::open::{
    O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_TMPFILE, O_TRUNC,
};
use crate::abi::consts::resolve::{RESOLVE_CACHED, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV};
use crate::host::{FileStat, HostFd, MountId, OpenHow, Scope};
use crate::kernel::file::FileKind;
use crate::kernel::procfs::{self, Magic, Node};

/// Links that one name may lead through (MAXSYMLINKS).
const MAX_LINKS: u32 = 40;
/// Inode number of the root of every procfs.
const PROC_ROOT_INO: u64 = 1;

/// What `..` and absolute links do at the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtRoot {
    /// They stay there.
    Stay,
    /// `EXDEV` (RESOLVE_BENEATH).
    Fail,
}

/// Where the walk stands in made-up trees and on the host.
pub struct Walk {
    /// Where absolute links go.
    root: Dir,
    /// Machine path of `root`; what lies outside the machine has none.
    root_path: Option<Vec<u8>>,
    /// What happens at `root`.
    at_root: AtRoot,
    /// `..` must not leave `root`, which is not the machine's.
    has_barrier: bool,
    /// The directory reached.
    at: Dir,
    /// Its machine path; what lies outside the machine has none.
    at_path: Option<Vec<u8>>,
    /// The name has led to the root or upwards: before that, Linux takes no root for one in the same mount.
    root_known: bool,
    /// Links followed.
    links: u32,
    how: OpenHow,
}

/// What a component led to.
enum Step {
    /// The walk goes on in the new [`Walk::at`].
    On,
    /// It does so in another mount.
    Across,
    /// The walk goes on with this name instead.
    Link(Vec<u8>),
    /// It is over.
    Done(Target),
}

/// What tells a directory from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    mount: MountId,
    dev: u64,
    ino: u64,
}

impl Place {
    fn of(ctx: &mut Ctx, fd: &HostFd) -> Result<Place, Errno> {
        let stat = ctx.kernel.host.stat(fd)?;
        Ok(Place { mount: fd.mount(), dev: stat.dev, ino: stat.ino })
    }
}

/// One component of a name.
struct Component<'a> {
    name: &'a [u8],
    /// Nothing but slashes follows.
    last: bool,
    /// A slash follows.
    slash: bool,
}

impl Walk {
    /// A walk that starts in `start`.
    ///
    /// # Errors
    /// Those of the host.
    pub fn new(ctx: &mut Ctx, start: Dir, how: OpenHow) -> Result<Walk, Errno> {
        let fs = context(ctx);
        let (root_file, confined) = (Rc::clone(&fs.borrow().root), fs.borrow().confined);
        let root = dir_of(&root_file)?;
        let is_root = matches!((&start, &root), (Dir::Host(a), Dir::Host(b)) if a.raw() == b.raw());
        let at_path = match &start {
            _ if is_root && confined == Confined::No => Some(b"/".to_vec()),
            Dir::Host(fd) => machine_name(ctx, fd),
            Dir::Made(path) => Some(path.clone()),
        };
        let (root, root_path, at_root) = match how.scope {
            Scope::Host => {
                let path = match &root {
                    Dir::Host(fd) if confined == Confined::Yes => machine_name(ctx, fd),
                    _ => Some(b"/".to_vec()),
                };
                (root, path, AtRoot::Stay)
            }
            Scope::InRoot => (start.clone(), at_path.clone(), AtRoot::Stay),
            Scope::Beneath => (start.clone(), at_path.clone(), AtRoot::Fail),
        };
        let has_barrier = how.scope != Scope::Host || confined == Confined::Yes;
        let root_known = how.scope != Scope::Host;
        Ok(Walk { root, root_path, at_root, has_barrier, at: start, at_path, root_known, links: 0, how })
    }

    /// Walks all of `path` and opens what it names.
    ///
    /// # Errors
    /// Those of openat2(2).
    pub fn open(mut self, ctx: &mut Ctx, path: &[u8]) -> Result<Target, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if self.has(RESOLVE_CACHED) {
            return Err(Errno::EAGAIN);
        }
        if path.first() == Some(&b'/') && self.how.scope != Scope::Host {
            if self.at_root == AtRoot::Fail {
                return Err(Errno::EXDEV);
            }
            self.go_to_root();
        }
        self.root_known |= path.first() == Some(&b'/');
        let mut rest = path.to_vec();
        let mut pos = 0;
        // Whether the rest has not yet been tried as a whole.
        let mut fresh = true;
        loop {
            if std::mem::take(&mut fresh)
                && let Some(target) = self.try_rest(ctx, &rest[pos..])?
            {
                return Ok(target);
            }
            let begin = rest[pos..].iter().position(|b| *b != b'/').map(|n| pos + n);
            let Some(begin) = begin else { return self.finish_here(ctx) };
            let end = rest[begin..].iter().position(|b| *b == b'/').map_or(rest.len(), |n| begin + n);
            let last = rest[end..].iter().all(|b| *b == b'/');
            let component = Component { name: &rest[begin..end], last, slash: end < rest.len() };
            match self.step(ctx, &component)? {
                Step::Done(target) => return Ok(target),
                Step::On if last => return self.finish_here(ctx),
                Step::On => pos = end,
                Step::Across if last => return self.finish_here(ctx),
                Step::Across => (pos, fresh) = (end, true),
                Step::Link(name) => {
                    self.links += 1;
                    if self.links > MAX_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    if name.first() == Some(&b'/') {
                        let may_cross = self.root_known && self.is_in_roots_mount() || !self.has(RESOLVE_NO_XDEV);
                        if self.at_root == AtRoot::Fail || !may_cross {
                            return Err(Errno::EXDEV);
                        }
                        self.root_known = true;
                        self.go_to_root();
                    }
                    rest = [&name[..], &rest[end..]].concat();
                    (pos, fresh) = (0, true);
                }
            }
        }
    }

    fn has(&self, resolve: u32) -> bool {
        self.how.resolve & u64::from(resolve) != 0
    }

    fn wants(&self, flags: u32) -> bool {
        self.how.flags & flags == flags
    }

    /// Whether the walk stands in the mount that the root is in.
    fn is_in_roots_mount(&self) -> bool {
        match (&self.at, &self.root) {
            (Dir::Host(at), Dir::Host(root)) => at.mount() == root.mount(),
            (Dir::Made(_), Dir::Made(_)) => true,
            _ => false,
        }
    }

    fn go_to_root(&mut self) {
        self.at = self.root.clone();
        self.at_path = self.root_path.clone();
    }

    fn step(&mut self, ctx: &mut Ctx, c: &Component) -> Result<Step, Errno> {
        match c.name {
            b"." => Ok(Step::On),
            b".." => {
                self.root_known = true;
                self.up(ctx).map(|()| Step::On)
            }
            name if name.len() > 255 => Err(Errno::ENAMETOOLONG),
            _ if c.last && c.slash && self.wants(O_CREAT) => Err(Errno::EISDIR),
            name => {
                let path = self.at_path.as_ref().map(|at| join(at, name));
                let mount = path.as_ref().and_then(|path| ctx.kernel.mounts.find(path));
                if let Some((_, mounts::Mount { source: Source::Host(fd, stat), .. })) = mount {
                    let (fd, stat) = (fd.clone(), *stat);
                    return self.step_mount(ctx, c, path, fd, stat);
                }
                match path {
                    Some(path) if mount.is_some() || matches!(self.at, Dir::Made(_)) || procfs::is_root(&path) => {
                        self.step_made(ctx, c, path)
                    }
                    path => self.step_host(ctx, c, path),
                }
            }
        }
    }

    fn up(&mut self, ctx: &mut Ctx) -> Result<(), Errno> {
        match &self.at {
            Dir::Made(path) if matches!(&self.root, Dir::Made(root) if root == path) => self.stay_at_root(),
            Dir::Made(path) if procfs::is_root(path) && self.has_barrier => {
                // It was found somewhere below the root, and there is no telling where.
                self.go_to_root();
                Ok(())
            }
            Dir::Made(path) => {
                let above = parent_path(path);
                self.go_up_to(ctx, above)
            }
            Dir::Host(fd) => {
                let (fd, here) = (fd.clone(), Place::of(ctx, fd)?);
                if self.has_barrier
                    && let Dir::Host(root) = &self.root
                    && here == Place::of(ctx, root)?
                {
                    return self.stay_at_root();
                }
                match ctx.kernel.mounts.get(fd.mount()) {
                    Some(mounts::Mount { path, source: Source::Host(source, stat), .. })
                        if here == (Place { mount: source.mount(), dev: stat.dev, ino: stat.ino }) =>
                    {
                        if path == b"/" {
                            return self.stay_at_root();
                        }
                        let above = parent_path(path);
                        return self.go_up_to(ctx, above);
                    }
                    _ => {}
                }
                let up = ctx.kernel.host.open(&fd, b"..", OpenHow::handle(O_DIRECTORY))?;
                self.check_xdev(ctx, &fd, &up)?;
                // A directory that somebody moved out of the machine leads no further.
                if ctx.kernel.mounts.is_layered() && machine_name(ctx, &up).is_none() {
                    return Err(Errno::ENOENT);
                }
                self.at = Dir::Host(up);
                self.at_path = self.at_path.as_deref().map(parent_path);
                Ok(())
            }
        }
    }

    /// Goes from the root of a mount or of a made-up tree into the directory that it stands in.
    fn go_up_to(&mut self, ctx: &mut Ctx, above: Vec<u8>) -> Result<(), Errno> {
        let crosses = match &self.at {
            Dir::Host(_) => true,
            Dir::Made(path) => procfs::is_root(path),
        };
        if crosses && self.has(RESOLVE_NO_XDEV) {
            return Err(Errno::EXDEV);
        }
        self.at = machine_dir(ctx, &above)?;
        self.at_path = Some(above);
        Ok(())
    }

    /// Opens all that is left of the name in one call of the host, if that surely finds what the steps would: no `..`, no
    /// mount on the way, and no link, of which the host then tells.
    fn try_rest(&mut self, ctx: &mut Ctx, rest: &[u8]) -> Result<Option<Target>, Errno> {
        let (Dir::Host(dir), Some(at)) = (&self.at, &self.at_path) else { return Ok(None) };
        let mounts = &ctx.kernel.mounts;
        if !mounts.is_layered()
            || self.how.scope != Scope::Host
            || self.may_change(self.how.flags, dir.mount(), ctx).is_err()
        {
            return Ok(None);
        }
        let from = rest.iter().position(|b| *b != b'/').unwrap_or(rest.len());
        let rest = &rest[from..];
        let mut path = at.clone();
        for part in rest.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".") {
            if part == b".." {
                return Ok(None);
            }
            path = join(&path, part);
        }
        if rest.is_empty() || mounts.on_the_way(at, &path) {
            return Ok(None);
        }
        let resolve = self.how.resolve | u64::from(RESOLVE_NO_SYMLINKS);
        let fd = match ctx.kernel.host.open(dir, rest, OpenHow { scope: Scope::Beneath, resolve, ..self.how }) {
            Ok(fd) => fd,
            Err(Errno::ELOOP | Errno::EXDEV | Errno::EAGAIN | Errno::ENOSYS) => return Ok(None),
            Err(e) => return Err(e),
        };
        let stat = ctx.kernel.host.stat(&fd)?;
        if let Some(made) = path::device_instead(ctx, &stat) {
            return Ok(Some(Target::Made(made)));
        }
        Ok((mount_of(ctx, &fd, &stat) != Mount::Proc).then_some(Target::Host(fd, stat)))
    }

    /// Whether opening with these flags, of a file that is there or is to be made, suits the mount.
    fn may_change(&self, flags: u32, mount: MountId, ctx: &Ctx) -> Result<(), Errno> {
        let changes = flags & O_PATH == 0 && (flags & O_ACCMODE != O_RDONLY || flags & (O_TRUNC | O_CREAT) != 0);
        if changes && ctx.kernel.mounts.refuses_writing(mount) { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// Goes into, or ends at, the root of a mount.
    fn step_mount(
        &mut self,
        ctx: &mut Ctx,
        c: &Component,
        path: Option<Vec<u8>>,
        fd: HostFd,
        stat: FileStat,
    ) -> Result<Step, Errno> {
        if self.has(RESOLVE_NO_XDEV) {
            return Err(Errno::EXDEV);
        }
        let kind = FileKind::of_mode(stat.mode);
        match kind {
            FileKind::Directory => return self.enter(ctx, fd, &stat, path).map(|()| Step::Across),
            _ if !c.last || c.slash => return Err(Errno::ENOTDIR),
            _ if self.wants(O_CREAT | O_EXCL) => return Err(Errno::EEXIST),
            _ if self.wants(O_DIRECTORY) => return Err(Errno::ENOTDIR),
            FileKind::Regular => self.may_change(self.how.flags & !O_CREAT, fd.mount(), ctx)?,
            _ => {
                if let Some(made) = path::device_instead(ctx, &stat) {
                    return Ok(Step::Done(Target::Made(made)));
                }
            }
        }
        let fd = if self.wants(O_PATH) {
            fd
        } else {
            ctx.kernel.host.reopen(&fd, self.how.flags & !(O_CREAT | O_EXCL | O_NOFOLLOW))?
        };
        let stat = ctx.kernel.host.stat(&fd)?;
        Ok(Step::Done(Target::Host(fd, stat)))
    }

    fn stay_at_root(&self) -> Result<(), Errno> {
        if self.at_root == AtRoot::Fail { Err(Errno::EXDEV) } else { Ok(()) }
    }

    fn check_xdev(&self, ctx: &mut Ctx, from: &HostFd, to: &HostFd) -> Result<(), Errno> {
        if self.has(RESOLVE_NO_XDEV)
            && (from.mount() != to.mount() || ctx.kernel.host.stat(from)?.mnt_id != ctx.kernel.host.stat(to)?.mnt_id)
        {
            return Err(Errno::EXDEV);
        }
        Ok(())
    }

    /// Whether a link met at `c` is itself the result.
    fn keeps_link(&self, c: &Component) -> bool {
        c.last && !c.slash && (self.wants(O_NOFOLLOW) || self.wants(O_CREAT | O_EXCL))
    }

    fn step_made(&mut self, ctx: &mut Ctx, c: &Component, path: Vec<u8>) -> Result<Step, Errno> {
        if self.has(RESOLVE_NO_XDEV) && !matches!(self.at, Dir::Made(_)) {
            return Err(Errno::EXDEV);
        }
        let Some(made) = Made::find(ctx, &path) else { return Err(Errno::ENOENT) };
        match &made.content {
            Node::Link(_) | Node::Magic(_) if self.keeps_link(c) => self.finish_made(made).map(Step::Done),
            Node::Link(_) | Node::Magic(_) if self.has(RESOLVE_NO_SYMLINKS) => Err(Errno::ELOOP),
            Node::Link(name) => Ok(Step::Link(name.clone())),
            Node::Magic(_) if self.has(RESOLVE_NO_MAGICLINKS) => Err(Errno::ELOOP),
            Node::Magic(_) if self.how.scope != Scope::Host => Err(Errno::EXDEV),
            Node::Magic(magic) => self.jump(ctx, c, *magic),
            Node::Dir { .. } => {
                self.at = Dir::Made(path.clone());
                self.at_path = Some(path);
                Ok(Step::On)
            }
            Node::Text { .. } | Node::Memory(..) | Node::Device(_) if !c.last || c.slash => Err(Errno::ENOTDIR),
            Node::Text { .. } | Node::Memory(..) | Node::Device(_) => self.finish_made(made).map(Step::Done),
        }
    }

    /// Follows a magic link.
    fn jump(&mut self, ctx: &mut Ctx, c: &Component, magic: Magic) -> Result<Step, Errno> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::ELOOP);
        }
        let target = super::magic::follow_magic(ctx, magic)?;
        if c.last && !c.slash {
            let is_dir = FileKind::of_mode(target.stat(ctx)?.mode) == FileKind::Directory;
            if self.wants(O_DIRECTORY) && !is_dir {
                return Err(Errno::ENOTDIR);
            }
            return match target {
                // It is a handle so far.
                Target::Host(fd, stat) if !self.wants(O_PATH) => {
                    if FileKind::of_mode(stat.mode) == FileKind::Regular {
                        self.may_change(self.how.flags & !O_CREAT, fd.mount(), ctx)?;
                    }
                    let fd = ctx.kernel.host.reopen(&fd, self.how.flags & !(O_CREAT | O_EXCL))?;
                    Ok(Step::Done(Target::Host(fd, stat)))
                }
                target => Ok(Step::Done(target)),
            };
        }
        self.at = target.into_dir()?;
        self.at_path = match &self.at {
            Dir::Host(fd) => machine_name(ctx, fd),
            Dir::Made(path) => Some(path.clone()),
        };
        Ok(Step::Across)
    }

    fn step_host(&mut self, ctx: &mut Ctx, c: &Component, path: Option<Vec<u8>>) -> Result<Step, Errno> {
        let Dir::Host(dir) = &self.at else { return Err(Errno::ENOENT) };
        let dir = dir.clone();
        let fd = match ctx.kernel.host.open(&dir, c.name, OpenHow::handle(O_NOFOLLOW)) {
            Ok(fd) => fd,
            Err(Errno::ENOENT) if c.last && self.wants(O_CREAT) => {
                if c.slash {
                    return Err(Errno::EISDIR);
                }
                self.may_change(O_CREAT, dir.mount(), ctx)?;
                return self.open_last(ctx, &dir, c.name).map(Step::Done);
            }
            // There is only what the machine puts there.
            Err(Errno::ENOENT) if path.as_ref().is_some_and(|path| ctx.kernel.mounts.has_below(path)) => {
                let Some(path) = path else { return Err(Errno::ENOENT) };
                return self.step_made(ctx, c, path);
            }
            Err(e) => return Err(e),
        };
        self.check_xdev(ctx, &dir, &fd)?;
        let stat = ctx.kernel.host.stat(&fd)?;
        match FileKind::of_mode(stat.mode) {
            FileKind::Symlink if self.keeps_link(c) => {
                if self.wants(O_CREAT | O_EXCL) && !self.wants(O_PATH) {
                    return Err(Errno::EEXIST);
                }
                // Opening a link itself is for handles alone.
                if self.wants(O_PATH) { Ok(Step::Done(Target::Host(fd, stat))) } else { Err(Errno::ELOOP) }
            }
            FileKind::Symlink if self.has(RESOLVE_NO_SYMLINKS) => Err(Errno::ELOOP),
            FileKind::Symlink => {
                let name = ctx.kernel.host.read_link(&fd, b"")?;
                if name.is_empty() { Err(Errno::ENOENT) } else { Ok(Step::Link(name)) }
            }
            FileKind::Directory => self.enter(ctx, fd, &stat, path).map(|()| Step::On),
            _ if !c.last || c.slash => Err(Errno::ENOTDIR),
            _ if mount_of(ctx, &fd, &stat) == Mount::Proc => Err(Errno::EACCES),
            _ if self.wants(O_PATH) => {
                if self.wants(O_DIRECTORY) {
                    Err(Errno::ENOTDIR)
                } else {
                    Ok(Step::Done(Target::Host(fd, stat)))
                }
            }
            kind => {
                if let Some(made) = path::device_instead(ctx, &stat) {
                    return self.finish_made(made).map(Step::Done);
                }
                if kind == FileKind::Regular && !self.wants(O_CREAT | O_EXCL) {
                    self.may_change(self.how.flags & !O_CREAT, dir.mount(), ctx)?;
                }
                self.open_last(ctx, &dir, c.name).map(Step::Done)
            }
        }
    }

    /// Goes into a directory of the host; a procfs that is mounted somewhere becomes the made-up one.
    fn enter(&mut self, ctx: &mut Ctx, fd: HostFd, stat: &FileStat, path: Option<Vec<u8>>) -> Result<(), Errno> {
        if mount_of(ctx, &fd, stat) == Mount::Proc {
            if stat.ino != PROC_ROOT_INO {
                return Err(Errno::EACCES);
            }
            self.at = Dir::Made(b"/proc".to_vec());
            self.at_path = Some(b"/proc".to_vec());
            return Ok(());
        }
        self.at = Dir::Host(fd);
        self.at_path = path;
        Ok(())
    }

    /// Opens the last component, which is no link, in a directory of the host.
    fn open_last(&self, ctx: &mut Ctx, dir: &HostFd, name: &[u8]) -> Result<Target, Errno> {
        let how = OpenHow { flags: self.how.flags | O_NOFOLLOW, scope: Scope::Host, ..self.how };
        let fd = ctx.kernel.host.open(dir, name, how)?;
        let stat = ctx.kernel.host.stat(&fd)?;
        Ok(Target::Host(fd, stat))
    }

    /// The result when the name ends in a directory that the walk has gone into.
    fn finish_here(self, ctx: &mut Ctx) -> Result<Target, Errno> {
        match &self.at {
            Dir::Host(fd) if self.wants(O_PATH) => Ok(Target::Host(fd.clone(), ctx.kernel.host.stat(fd)?)),
            Dir::Host(fd) => self.open_here(ctx, fd),
            Dir::Made(path) => {
                let made = Made::find(ctx, path).ok_or(Errno::ENOENT)?;
                self.finish_made(made)
            }
        }
    }

    fn open_here(&self, ctx: &mut Ctx, fd: &HostFd) -> Result<Target, Errno> {
        if self.wants(O_CREAT | O_EXCL) {
            return Err(Errno::EEXIST);
        }
        if self.wants(O_TMPFILE) {
            self.may_change(self.how.flags, fd.mount(), ctx)?;
        }
        let how = OpenHow { flags: self.how.flags & !O_NOFOLLOW, scope: Scope::Host, resolve: 0, ..self.how };
        let fd = ctx.kernel.host.open(fd, b".", how)?;
        let stat = ctx.kernel.host.stat(&fd)?;
        Ok(Target::Host(fd, stat))
    }

    fn finish_made(&self, made: Made) -> Result<Target, Errno> {
        if self.wants(O_PATH) {
            return if self.wants(O_DIRECTORY) && !made.is_dir() {
                Err(Errno::ENOTDIR)
            } else {
                Ok(Target::Made(made))
            };
        }
        match &made.content {
            _ if self.wants(O_CREAT | O_EXCL) => Err(Errno::EEXIST),
            Node::Link(_) | Node::Magic(_) => Err(Errno::ELOOP),
            Node::Dir { .. } if self.wants(O_TMPFILE) => Err(Errno::EOPNOTSUPP),
            Node::Dir { .. } if self.how.flags & (O_ACCMODE | O_CREAT) != 0 => Err(Errno::EISDIR),
            Node::Text { .. } | Node::Memory(..) | Node::Device(_) if self.wants(O_DIRECTORY) => Err(Errno::ENOTDIR),
            Node::Dir { .. } | Node::Text { .. } | Node::Memory(..) | Node::Device(_) => Ok(Target::Made(made)),
        }
    }
}

/// `name` in the directory `at`.
pub(super) fn join(at: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if at == b"/" { b"" } else { b"/" };
    [at, slash, name].concat()
}

fn parent_path(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|b| *b == b'/') {
        None | Some(0) => b"/".to_vec(),
        Some(at) => path[..at].to_vec(),
    }
}
