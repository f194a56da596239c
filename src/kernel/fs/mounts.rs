//! What the guest's one tree of files is put together from: its root directory, other files and directories of the host
//! that are bound into it, and the trees that the kernel makes up.
//!
//! Names in this module are *machine paths*: from the machine's root, whatever root a process has, without `.`, `..` and
//! links. Every handle of the host knows the mount through which it was reached ([`HostFd::mount`]).

use super::path::{Dir, Follow, Target};
use super::walk::join;
use super::*;
use crate::abi::consts::open::O_DIRECTORY;
use crate::abi::consts::resolve::RESOLVE_NO_SYMLINKS;
use crate::host::{FileStat, HostFd, MountId, OpenHow, Scope};
use crate::kernel::devfs;
use crate::kernel::file::FileKind;
use crate::kernel::procfs::{self, Entry, Node};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Whether files may be changed through a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Writing {
    /// They may.
    #[default]
    Allowed,
    /// `EROFS`.
    Refused,
}

/// A file or directory of the host that the guest finds at a path of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The host's file.
    pub host: PathBuf,
    /// Where the guest finds it: an absolute path.
    pub guest: Vec<u8>,
    /// Whether it may be changed.
    pub writing: Writing,
}

/// Which files the guest is to have.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The directory that is its root; `None`: the host's own.
    pub root: Option<PathBuf>,
    /// What is put into it, in this order.
    pub binds: Vec<Bind>,
    /// A directory in which absolute names are looked for first when a file is to be read.
    pub prefix: Option<PathBuf>,
}

/// What is at a mount point.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file or directory of the host, and what stat(2) said about it at the start.
    Host(HostFd, FileStat),
    /// A symbolic link.
    Link(&'static [u8]),
}

/// One mount.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Its machine path.
    pub path: Vec<u8>,
    /// What is there.
    pub source: Source,
    /// Whether it may be changed.
    pub writing: Writing,
    /// A later mount covers it.
    hidden: bool,
}

/// All mounts of the machine; the first is its root.
#[derive(Debug, Default)]
pub struct Mounts {
    list: Vec<Mount>,
    /// There is more than the host's own tree of files.
    layered: bool,
    prefix: Option<HostFd>,
}

/// Device files that a root directory need not have, and are the host's.
const DEVICES: [&str; 3] = ["full", "null", "zero"];
/// Links that stand in every /dev.
const LINKS: [(&[u8], &[u8]); 4] = [
    (b"/dev/fd", b"/proc/self/fd"),
    (b"/dev/stdin", b"/proc/self/fd/0"),
    (b"/dev/stdout", b"/proc/self/fd/1"),
    (b"/dev/stderr", b"/proc/self/fd/2"),
];

impl Mounts {
    /// The host's own tree, with this root.
    pub fn of_host(root: HostFd, stat: FileStat) -> Mounts {
        let mut mounts = Mounts::default();
        mounts.add(b"/".to_vec(), Source::Host(root, stat), Writing::Allowed);
        mounts
    }

    /// Whether the guest's tree is anything but the host's own.
    pub fn is_layered(&self) -> bool {
        self.layered
    }

    /// The directory in which names are looked for first.
    pub fn prefix(&self) -> Option<&HostFd> {
        self.prefix.as_ref()
    }

    /// All that can be seen, with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (MountId, &Mount)> {
        let all = self.list.iter().enumerate().map(|(i, m)| (MountId(i as u16), m));
        all.filter(|(_, m)| !m.hidden)
    }

    /// The mount with this id.
    pub fn get(&self, id: MountId) -> Option<&Mount> {
        self.list.get(usize::from(id.0))
    }

    /// The mount at exactly this path.
    pub fn find(&self, path: &[u8]) -> Option<(MountId, &Mount)> {
        if self.list.len() < 2 { None } else { self.iter().filter(|(_, m)| m.path == path).last() }
    }

    /// Whether files reached through this mount may not be changed.
    pub fn refuses_writing(&self, id: MountId) -> bool {
        self.get(id).is_some_and(|m| m.writing == Writing::Refused)
    }

    /// Whether a mount or a made-up tree stands strictly below this path.
    pub fn has_below(&self, path: &[u8]) -> bool {
        self.layered && self.points().any(|point| point.len() > path.len() && is_below(point, path))
    }

    /// Whether resolving the name `path` literally, from the directory `from` that is a prefix of it, could meet a mount
    /// or a made-up tree.
    pub fn on_the_way(&self, from: &[u8], path: &[u8]) -> bool {
        self.points().any(|point| {
            point.len() > from.len() && is_below(point, from) && (is_below(path, point) || is_below(point, path))
        })
    }

    /// The names in the directory `path` that lead to mounts and made-up trees.
    pub fn children(&self, path: &[u8]) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let below = |point: &&[u8]| point.len() > path.len() && is_below(point, path);
        for point in self.points().filter(below) {
            let rest = &point[if path == b"/" { 1 } else { path.len() + 1 }..];
            let name = rest.split(|b| *b == b'/').next().unwrap_or_default();
            let entry = match self.find(point).filter(|_| name.len() == rest.len()).map(|(_, m)| &m.source) {
                Some(Source::Link(_)) => Entry::link(name),
                Some(Source::Host(_, stat)) => Entry { name: name.to_vec(), kind: (stat.mode >> 12 & 0xf) as u8 },
                None if devfs::is_device(point) && name.len() == rest.len() => Entry { name: name.to_vec(), kind: 2 },
                None => Entry::dir(name),
            };
            if !entries.iter().any(|e| e.name == entry.name) {
                entries.push(entry);
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// Where the tree is not the root's.
    fn points(&self) -> impl Iterator<Item = &[u8]> {
        let made = if self.layered { &procfs::ROOTS[..] } else { &[] };
        self.iter().skip(1).map(|(_, m)| &m.path[..]).chain(made.iter().copied())
    }

    /// The mount through which a file that comes from elsewhere can be seen, or [`MountId::OUTSIDE`].
    pub fn place(&self, host: &mut dyn Host, fd: &HostFd) -> MountId {
        if !self.layered {
            return MountId::default();
        }
        let name = host.path_of(fd);
        let mut found = MountId::OUTSIDE;
        for (id, mount) in self.iter() {
            if let Source::Host(source, _) = &mount.source
                && below(&name, &host.path_of(source)).is_some()
            {
                found = id;
            }
        }
        found
    }

    fn add(&mut self, path: Vec<u8>, source: Source, writing: Writing) {
        let Ok(id) = u16::try_from(self.list.len()) else { return };
        for old in &mut self.list {
            old.hidden |= is_below(&old.path, &path);
        }
        let source = match source {
            Source::Host(fd, stat) => Source::Host(fd.with_mount(MountId(id)), stat),
            link => link,
        };
        self.list.push(Mount { path, source, writing, hidden: false });
    }
}

/// Whether `path` is `above` or lies below it.
fn is_below(path: &[u8], above: &[u8]) -> bool {
    above == b"/" || path.strip_prefix(above).is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
}

/// `name` without its leading part `above`; `None` if it does not lie there.
fn below<'a>(name: &'a [u8], above: &[u8]) -> Option<&'a [u8]> {
    if above == b"/" {
        return (name.first() == Some(&b'/')).then_some(&name[1..]);
    }
    is_below(name, above).then(|| name[above.len()..].strip_prefix(b"/").unwrap_or_default())
}

/// The machine path of a file of the host; `None` when it lies outside the machine.
pub fn machine_name(ctx: &mut Ctx, fd: &HostFd) -> Option<Vec<u8>> {
    let name = ctx.kernel.host.path_of(fd);
    if !ctx.kernel.mounts.layered {
        return Some(name);
    }
    let Mount { path, source: Source::Host(source, _), .. } = ctx.kernel.mounts.get(fd.mount())? else { return None };
    let above = ctx.kernel.host.path_of(source);
    match below(&name, &above)? {
        b"" => Some(path.clone()),
        rest => Some(join(path, rest)),
    }
}

/// The name of a host file as the guest sees it, from its own root; `None` when it lies outside.
pub fn guest_name(ctx: &mut Ctx, fd: &HostFd) -> Option<Vec<u8>> {
    let name = machine_name(ctx, fd)?;
    seen_from_root(ctx, name)
}

/// A machine path as the guest sees it from its own root.
pub fn seen_from_root(ctx: &mut Ctx, name: Vec<u8>) -> Option<Vec<u8>> {
    let fs = context(ctx);
    if fs.borrow().confined == Confined::No {
        return Some(name);
    }
    let root = fs.borrow().root.host_fd().cloned()?;
    let root = machine_name(ctx, &root)?;
    Some([b"/", below(&name, &root)?].concat())
}

/// The directory with this machine path.
///
/// # Errors
/// `ENOENT`: it is gone.
pub fn machine_dir(ctx: &mut Ctx, path: &[u8]) -> Result<Dir, Errno> {
    if ctx.kernel.mounts.find(path).is_none() && Made::find(ctx, path).is_some_and(|m| procfs::is_made(&m.path)) {
        return Ok(Dir::Made(path.to_vec()));
    }
    let holding = ctx.kernel.mounts.iter().filter(|(_, m)| is_below(path, &m.path)).max_by_key(|(_, m)| m.path.len());
    let Some((_, Mount { path: above, source: Source::Host(fd, _), .. })) = holding else { return Err(Errno::ENOENT) };
    let (fd, rest) = (fd.clone(), below(path, above).unwrap_or_default());
    let rest = if rest.is_empty() { &b"."[..] } else { rest };
    let resolve = u64::from(RESOLVE_NO_SYMLINKS);
    let how = OpenHow { scope: Scope::Beneath, resolve, ..OpenHow::handle(O_DIRECTORY) };
    match ctx.kernel.host.open(&fd, rest, how) {
        Err(Errno::ENOENT) if ctx.kernel.mounts.has_below(path) => Ok(Dir::Made(path.to_vec())),
        opened => Ok(Dir::Host(opened?)),
    }
}

/// Sets up what `layout` asks for, for the first process, and its working directory: `cwd`, or else the root if that is
/// not the host's.
///
/// # Errors
/// A file is not there or cannot be opened.
pub fn set_up(ctx: &mut Ctx, layout: &Layout, cwd: Option<&Path>) -> Result<(), crate::Error> {
    let opened = |ctx: &mut Ctx, path: &Path| {
        let start = ctx.kernel.host.open_host_dir(b".");
        let fd = start.and_then(|dir| ctx.kernel.host.open(&dir, path.as_os_str().as_bytes(), OpenHow::handle(0)));
        let both = fd.and_then(|fd| ctx.kernel.host.stat(&fd).map(|stat| (fd, stat)));
        both.map_err(|e| failed(path, e))
    };
    if let Some(prefix) = &layout.prefix {
        let (fd, stat) = opened(ctx, prefix)?;
        if FileKind::of_mode(stat.mode) != FileKind::Directory {
            return Err(failed(prefix, Errno::ENOTDIR));
        }
        ctx.kernel.mounts.prefix = Some(fd);
    }
    if layout.root.is_none() && layout.binds.is_empty() {
        return Ok(());
    }
    let start = context(ctx).borrow().cwd.path().to_vec();
    ctx.kernel.mounts.layered = true;
    if layout.root.is_some() {
        add_devices(ctx);
    }
    for bind in &layout.binds {
        let (fd, stat) = opened(ctx, &bind.host)?;
        let path = canonical(ctx, &bind.guest, 0)
            .map_err(|e| failed(Path::new(std::ffi::OsStr::from_bytes(&bind.guest)), e))?;
        if path == b"/" {
            return Err(crate::Error::Usage("--bind cannot replace the root: use --root".into()));
        }
        ctx.kernel.mounts.add(path, Source::Host(fd, stat), bind.writing);
    }
    let cwd = match (cwd, &layout.root) {
        (Some(cwd), _) => cwd.as_os_str().as_bytes().to_vec(),
        (None, Some(_)) => b"/".to_vec(),
        (None, None) => start,
    };
    context::go_to(ctx, &cwd).map_err(|e| failed(Path::new(std::ffi::OsStr::from_bytes(&cwd)), e))?;
    judge_inherited(ctx);
    Ok(())
}

fn failed(path: &Path, e: Errno) -> crate::Error {
    crate::Error::Host { what: path.display().to_string(), source: std::io::Error::from_raw_os_error(e.0.into()) }
}

/// The devices that every program expects, whatever is in the root's own /dev.
fn add_devices(ctx: &mut Ctx) {
    let Ok(dev) = ctx.kernel.host.open_host_dir(b"/dev") else { return };
    let add = |ctx: &mut Ctx, name: &str| {
        let Ok(fd) = ctx.kernel.host.open(&dev, name.as_bytes(), OpenHow::handle(0)) else { return };
        let Ok(stat) = ctx.kernel.host.stat(&fd) else { return };
        ctx.kernel.mounts.add(join(b"/dev", name.as_bytes()), Source::Host(fd, stat), Writing::Allowed);
    };
    for name in DEVICES {
        add(ctx, name);
    }
    // Shared memory lies in a directory, which the root's own serves for as well.
    if path::resolve(ctx, path::AT_FDCWD, b"/dev/shm", Follow::Yes).is_err() {
        add(ctx, "shm");
    }
    for (path, target) in LINKS {
        ctx.kernel.mounts.add(path.to_vec(), Source::Link(target), Writing::Allowed);
    }
}

/// The machine path of a name, as much of which exists as may be.
fn canonical(ctx: &mut Ctx, path: &[u8], depth: u32) -> Result<Vec<u8>, Errno> {
    let trimmed = &path[..path.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1)];
    if trimmed.is_empty() {
        return Ok(b"/".to_vec());
    }
    match path::resolve(ctx, path::AT_FDCWD, trimmed, Follow::Yes) {
        Ok(Target::Host(fd, _)) => machine_name(ctx, &fd).ok_or(Errno::ENOENT),
        Ok(Target::Made(made)) => Ok(made.path),
        Ok(Target::File(_)) => Err(Errno::EINVAL),
        Err(Errno::ENOENT) if depth < 256 => {
            let cut = trimmed.iter().rposition(|b| *b == b'/').ok_or(Errno::ENOENT)?;
            let name = &trimmed[cut + 1..];
            if name == b".." || name == b"." {
                return Err(Errno::ENOENT);
            }
            Ok(join(&canonical(ctx, &trimmed[..cut], depth + 1)?, name))
        }
        Err(e) => Err(e),
    }
}

/// Finds out through which mount the descriptors that were open at the start can be seen. Directories that lie outside
/// are closed: from there, names would lead anywhere.
fn judge_inherited(ctx: &mut Ctx) {
    let open: Vec<_> = ctx.files().iter().filter_map(|(n, f)| Some((n, f.kind(), f.host_fd()?.clone()))).collect();
    for (number, kind, fd) in open {
        let found = ctx.kernel.mounts.place(&mut *ctx.kernel.host, &fd);
        let _ = fd.with_mount(found);
        if found == MountId::OUTSIDE && kind == FileKind::Directory {
            let _ = ctx.files().remove(number);
        }
    }
}

impl Made {
    /// What the mounts alone make at this path: a link, or a directory that only leads to them.
    pub(super) fn of_mounts(ctx: &Ctx, path: &[u8]) -> Option<Made> {
        let mounts = &ctx.kernel.mounts;
        let content = match mounts.find(path).map(|(_, m)| &m.source) {
            Some(Source::Link(target)) => Node::Link(target.to_vec()),
            Some(Source::Host(..)) => return None,
            None if mounts.has_below(path) => Node::dir(),
            None => return None,
        };
        Some(Made { path: path.to_vec(), content })
    }
}
