//! Files that the kernel makes up, seen as files: their metadata, their links, and what opening them gives.

use super::*;
use crate::abi::consts::open::{O_ACCMODE, O_PATH, O_RDONLY, O_WRONLY};
use crate::host::{DirEntry, FileStat};
use crate::kernel::file::{File, FileKind, FileOps, Text};
use crate::kernel::procfs::{self, Magic, MemoryView, Node};
use std::any::Any;

/// Device number of made-up files: an anonymous device, which has a major number of 0.
const DEVICE: u64 = 0x16;

/// A made-up file.
#[derive(Clone)]
pub struct Made {
    /// Its guest path.
    pub path: Vec<u8>,
    /// What it is.
    pub content: Node,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made({})", String::from_utf8_lossy(&self.path))
    }
}

impl Made {
    /// The made-up file with this guest path.
    pub fn find(ctx: &mut Ctx, path: &[u8]) -> Option<Made> {
        let tid = ctx.tid;
        match procfs::lookup(ctx.kernel, tid, path) {
            Some(content) if ctx.kernel.mounts.find(path).is_none() => Some(Made { path: path.to_vec(), content }),
            _ => Made::of_mounts(ctx, path),
        }
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self.content, Node::Dir { .. })
    }

    /// Type and permission bits.
    fn mode(&self, ctx: &mut Ctx) -> u32 {
        match &self.content {
            Node::Text { mode, .. } => 0o100000 | mode,
            Node::Memory(_, MemoryView::Bytes) => 0o100_600,
            Node::Memory(_, MemoryView::Pages) => 0o100_400,
            Node::Dir { mode } => 0o040000 | mode,
            Node::Device(device) => devfs::stat(ctx.kernel, *device).mode,
            // The bits of a descriptor's link tell how it was opened.
            Node::Magic(Magic::Fd(tid, fd)) => {
                let file = ctx.kernel.threads.get(tid).and_then(|t| t.files.borrow().get(*fd).ok());
                let (read, write) = file.map_or((false, false), |f| (f.can_read(), f.can_write()));
                0o120100 | if read { 0o400 } else { 0 } | if write { 0o200 } else { 0 }
            }
            Node::Magic(Magic::Map(tid, start, end)) => {
                let thread = ctx.kernel.threads.get(tid);
                let writable =
                    thread.and_then(|t| t.space.borrow().file_between(*start, *end).map(|a| a.shared && a.may_write));
                0o120_400 | if writable == Some(true) { 0o200 } else { 0 }
            }
            Node::Link(_) | Node::Magic(_) => 0o120777,
        }
    }

    /// What stat(2) says about it.
    pub fn stat(&self, ctx: &mut Ctx) -> FileStat {
        if let Node::Device(device) = self.content {
            return devfs::stat(ctx.kernel, device);
        }
        let now = context::now(ctx);
        let mode = self.mode(ctx);
        let (uid, gid) = self.owner(ctx);
        let size = if let Node::Magic(Magic::Fd(..) | Magic::Map(..)) = self.content { 64 } else { 0 };
        FileStat {
            dev: DEVICE,
            ino: inode(&self.path),
            mode,
            nlink: if self.is_dir() { 2 } else { 1 },
            uid,
            gid,
            size,
            blksize: 1024,
            atime: now,
            mtime: now,
            ctime: now,
            ..FileStat::default()
        }
    }

    /// Files of a process belong to its user, the others to root.
    fn owner(&self, ctx: &mut Ctx) -> (u32, u32) {
        if let Node::Device(device) = self.content {
            let stat = devfs::stat(ctx.kernel, device);
            return (stat.uid, stat.gid);
        }
        let id = self.path.split(|b| *b == b'/').nth(2).and_then(procfs::number);
        let Some(id) = id else { return (0, 0) };
        match ctx.kernel.threads.get(&id) {
            Some(t) => (t.credentials.uid[1], t.credentials.gid[1]),
            None => (ctx.kernel.processes.get(&id).map_or(0, |p| p.owner_at_exit), 0),
        }
    }

    /// Where it leads, if it is a link.
    ///
    /// # Errors
    /// `EINVAL`: it is none. `ENOENT`: what it leads to is gone.
    pub fn read_link(&self, ctx: &mut Ctx) -> Result<Vec<u8>, Errno> {
        match &self.content {
            Node::Link(name) => Ok(name.clone()),
            Node::Magic(Magic::Exe(pid)) => {
                let (pid, tid) = (*pid, ctx.kernel.processes.get(pid).and_then(|p| p.threads.first().copied()));
                if tid.is_some_and(|tid| !ctx.may_inspect(tid)) {
                    return Err(Errno::EACCES);
                }
                let exe = ctx.kernel.processes.get(&pid).filter(|p| p.exit.is_none()).map(|p| p.exe.clone());
                exe.ok_or(Errno::ENOENT)
            }
            // Reading the link needs no such right as following it.
            Node::Magic(Magic::Map(tid, ..)) if !ctx.may_inspect(*tid) => Err(Errno::EACCES),
            Node::Magic(Magic::Map(tid, start, end)) => {
                let thread = ctx.kernel.threads.get(tid).ok_or(Errno::ENOENT)?;
                let space = thread.space.borrow();
                Ok(procfs::file_name(space.file_between(*start, *end).ok_or(Errno::ENOENT)?))
            }
            Node::Magic(magic) => match magic::follow_magic(ctx, *magic)? {
                path::Target::File(file) => Ok(name_of(ctx, &file)),
                path::Target::Host(fd, _) => Ok(guest_name(ctx, &fd).unwrap_or_default()),
                path::Target::Made(made) => Ok(made.path),
            },
            Node::Text { .. } | Node::Memory(..) | Node::Dir { .. } | Node::Device(_) => Err(Errno::EINVAL),
        }
    }

    /// Whether the caller may access it; `mode` are R_OK, W_OK, X_OK bits.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn access(&self, ctx: &mut Ctx, mode: u32, uid: u32) -> Result<(), Errno> {
        let bits = self.mode(ctx);
        let (owner, _) = self.owner(ctx);
        let granted = if uid == owner { bits >> 6 } else { bits } & 7;
        let is_override = uid == 0 && (mode & 1 == 0 || self.is_dir() || bits & 0o111 != 0);
        if mode & !granted == 0 || is_override { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// It as an open file; `flags` are open(2)'s.
    ///
    /// # Errors
    /// Those of a device that cannot be opened.
    pub fn into_file(self, ctx: &mut Ctx, flags: u32) -> Result<Rc<File>, Errno> {
        let stat = self.stat(ctx);
        let path = self.path.clone();
        match &self.content {
            Node::Text { read, write, .. } if flags & O_PATH == 0 => {
                let read = Rc::clone(read);
                let text = Text::new(stat, move |ctx| read(ctx.kernel));
                let text = match write.clone() {
                    Some(write) => text.writable(move |ctx, bytes| write(ctx.kernel, bytes).map(drop)),
                    None => text,
                };
                Ok(File::new(text, &path, flags))
            }
            Node::Memory(tid, view) if flags & O_PATH == 0 => {
                let memory = memory::MemoryFile::open(ctx, *tid, *view, stat)?;
                Ok(File::new(memory, &path, flags))
            }
            Node::Device(device) if flags & O_PATH == 0 => devfs::open(ctx, *device, &path, flags),
            _ => Ok(File::new(MadeFile { node: self, stat }, &path, flags)),
        }
    }

    /// Checks that opening it with `flags` is allowed.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn may_open(&self, ctx: &mut Ctx, flags: u32) -> Result<(), Errno> {
        if flags & O_PATH != 0 {
            return Ok(());
        }
        let mode = match flags & O_ACCMODE {
            O_RDONLY => 4,
            O_WRONLY => 2,
            _ => 6,
        };
        let uid = ctx.thread().credentials.uid[1];
        self.access(ctx, mode, uid)
    }
}

/// An open made-up directory, or the O_PATH handle of any made-up file.
#[derive(Debug)]
pub struct MadeFile {
    /// The file.
    pub node: Made,
    stat: FileStat,
}

impl FileOps for MadeFile {
    fn kind(&self) -> FileKind {
        FileKind::of_mode(self.stat.mode)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_seekable(&self) -> bool {
        true
    }

    fn read(&self, _ctx: &mut Ctx, _file: &File, _buf: &mut file::Buffer, _how: file::Access) -> Result<usize, Stop> {
        Err(Errno::EISDIR.into())
    }

    fn seek(&self, _ctx: &mut Ctx, file: &File, offset: i64, whence: u32) -> Result<u64, Errno> {
        file.seek_without_end(offset, whence)
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(self.node.stat(ctx))
    }

    fn read_dir(&self, ctx: &mut Ctx, file: &File, emit: &mut dyn FnMut(&DirEntry) -> bool) -> Result<(), Errno> {
        if !self.node.is_dir() {
            return Err(Errno::ENOTDIR);
        }
        let tid = ctx.tid;
        let path = &self.node.path;
        let above = path.iter().rposition(|b| *b == b'/').filter(|at| *at > 0).map_or(&b"/"[..], |at| &path[..at]);
        let dots = [(&b"."[..], inode(path)), (&b".."[..], inode(above))];
        let dots = dots.map(|(name, ino)| DirEntry { ino, next: 0, kind: 4, name: name.to_vec() });
        let mut listed = procfs::list(ctx.kernel, tid, path);
        for entry in ctx.kernel.mounts.children(path) {
            if !listed.iter().any(|e| e.name == entry.name) {
                listed.push(entry);
            }
        }
        let listed = listed.into_iter().map(|e| {
            let ino = inode(&walk::join(path, &e.name));
            DirEntry { ino, next: 0, kind: e.kind, name: e.name }
        });
        let start = file.offset.get();
        for (i, mut entry) in dots.into_iter().chain(listed).enumerate().skip(start as usize) {
            entry.next = i as i64 + 1;
            if !emit(&entry) {
                break;
            }
            file.offset.set(i as u64 + 1);
        }
        Ok(())
    }
}

/// The inode number of a made-up file: always the same for a path (FNV-1a), and of 32 bits as those of procfs are.
pub(super) fn inode(path: &[u8]) -> u64 {
    if path == b"/proc" {
        return 1;
    }
    let hash = path.iter().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193));
    u64::from(hash | 0x8000_0000)
}
