//! Reading directories.

use super::*;
use crate::arch::Arch;
use crate::host::{DirEntry, FileStat, HostFd};
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, HostFile, Readiness};
use crate::kernel::procfs::Entry;
use std::any::Any;
use std::cell::OnceCell;

/// An open directory of the host.
///
/// Positions are the host's. In a deterministic run, and where the machine's mounts add names, the entries are sorted by
/// name, and positions count them.
#[derive(Debug)]
pub struct HostDir {
    inner: HostFile,
    sorted: RefCell<Option<Vec<DirEntry>>>,
    /// Names of mounts in it; found out when it is first used.
    mounts: OnceCell<Vec<Entry>>,
}

impl HostDir {
    /// Takes over an open directory of the host.
    pub fn new(inner: HostFile) -> HostDir {
        HostDir { inner, sorted: RefCell::new(None), mounts: OnceCell::new() }
    }

    fn fd(&self) -> Result<&HostFd, Errno> {
        self.inner.host_fd().ok_or(Errno::EBADF)
    }

    fn mounts(&self, ctx: &mut Ctx) -> &[Entry] {
        self.mounts.get_or_init(|| {
            let fd = self.inner.host_fd().filter(|_| ctx.kernel.mounts.is_layered()).cloned();
            let name = fd.and_then(|fd| mounts::machine_name(ctx, &fd));
            name.map(|name| ctx.kernel.mounts.children(&name)).unwrap_or_default()
        })
    }

    /// Whether its positions count sorted entries.
    fn is_sorted(&self, ctx: &mut Ctx) -> bool {
        ctx.kernel.config.deterministic || !self.mounts(ctx).is_empty()
    }

    /// Gives the entries as the host orders them.
    fn read_as_is(&self, ctx: &mut Ctx, emit: &mut dyn FnMut(&DirEntry) -> bool) -> Result<(), Errno> {
        let fd = self.fd()?;
        let mut position = ctx.kernel.host.seek(fd, 0, 1)?;
        loop {
            let batch = ctx.kernel.host.read_dir(fd)?;
            if batch.is_empty() {
                return Ok(());
            }
            for entry in &batch {
                if !emit(entry) {
                    ctx.kernel.host.seek(fd, position as i64, 0)?;
                    return Ok(());
                }
                position = entry.next as u64;
            }
        }
    }

    /// Gives the entries sorted by name, as they were when reading began at the start.
    fn read_sorted(&self, ctx: &mut Ctx, file: &File, emit: &mut dyn FnMut(&DirEntry) -> bool) -> Result<(), Errno> {
        let start = file.offset.get();
        let mut sorted = self.sorted.borrow_mut();
        if start == 0 || sorted.is_none() {
            *sorted = Some(self.list(ctx)?);
        }
        for entry in sorted.iter().flatten().skip(start as usize) {
            if !emit(entry) {
                break;
            }
            file.offset.set(entry.next as u64);
        }
        Ok(())
    }

    fn list(&self, ctx: &mut Ctx) -> Result<Vec<DirEntry>, Errno> {
        let fd = self.fd()?;
        ctx.kernel.host.seek(fd, 0, 0)?;
        let mut all = Vec::new();
        loop {
            let batch = ctx.kernel.host.read_dir(fd)?;
            if batch.is_empty() {
                break;
            }
            all.extend(batch);
        }
        for entry in self.mounts(ctx) {
            if !all.iter().any(|e| e.name == entry.name) {
                let ino = made::inode(&entry.name);
                all.push(DirEntry { ino, next: 0, kind: entry.kind, name: entry.name.clone() });
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for (i, entry) in all.iter_mut().enumerate() {
            entry.next = i as i64 + 1;
        }
        Ok(all)
    }
}

impl FileOps for HostDir {
    fn kind(&self) -> FileKind {
        FileKind::Directory
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn host_fd(&self) -> Option<&HostFd> {
        self.inner.host_fd()
    }

    fn is_seekable(&self) -> bool {
        true
    }

    fn read(&self, _ctx: &mut Ctx, _file: &File, _buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        Err(Errno::EISDIR.into())
    }

    fn seek(&self, ctx: &mut Ctx, file: &File, offset: i64, whence: u32) -> Result<u64, Errno> {
        if !self.is_sorted(ctx) {
            return self.inner.seek(ctx, file, offset, whence);
        }
        file.seek_without_end(offset, whence)
    }

    fn readiness(&self, ctx: &mut Ctx, file: &File, events: i16) -> Readiness {
        self.inner.readiness(ctx, file, events)
    }

    fn stat(&self, ctx: &mut Ctx, file: &File) -> Result<FileStat, Errno> {
        self.inner.stat(ctx, file)
    }

    fn set_flags(&self, ctx: &mut Ctx, file: &File, flags: u32) -> Result<(), Errno> {
        self.inner.set_flags(ctx, file, flags)
    }

    fn read_dir(&self, ctx: &mut Ctx, file: &File, emit: &mut dyn FnMut(&DirEntry) -> bool) -> Result<(), Errno> {
        if self.is_sorted(ctx) { self.read_sorted(ctx, file, emit) } else { self.read_as_is(ctx, emit) }
    }
}

/// Where the type of an entry stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// In its last byte (getdents).
    Old,
    /// Before the name (getdents64).
    New,
}

/// getdents(2). Only x86_64 has it.
pub fn getdents(ctx: &mut Ctx, a: &args::Getdents) -> SysResult {
    debug_assert_eq!(ctx.arch, Arch::X86_64);
    list(ctx, a.fd, a.dirp, a.count, Format::Old)
}

/// getdents64(2).
pub fn getdents64(ctx: &mut Ctx, a: &args::Getdents64) -> SysResult {
    list(ctx, a.fd, a.dirp, a.count, Format::New)
}

fn list(ctx: &mut Ctx, fd: i32, dirp: GuestAddr, count: u32, format: Format) -> SysResult {
    let file = ctx.file(fd)?;
    if file.is_path_only() {
        return Err(Errno::EBADF.into());
    }
    if file.kind() == FileKind::Directory
        && let Some(fd) = file.host_fd()
        && ctx.kernel.host.stat(fd)?.nlink == 0
    {
        return Err(Errno::ENOENT.into());
    }
    let room = (count as usize).min(i32::MAX as usize);
    let mut out = Vec::new();
    let mut too_small = false;
    let space = Rc::clone(ctx.space());
    let mut fault = false;
    file.ops().read_dir(ctx, &file, &mut |entry| {
        let record = record(entry, format);
        if out.len() + record.len() > room {
            too_small = out.is_empty();
            return false;
        }
        // Record by record, so that after a bad page the position is behind what arrived.
        let at = dirp.checked_add(out.len() as u64);
        if at.is_none_or(|at| space.borrow_mut().write(at, &record).is_err()) {
            fault = true;
            return false;
        }
        out.extend_from_slice(&record);
        true
    })?;
    match out.len() {
        0 if fault => Err(Errno::EFAULT.into()),
        0 if too_small => Err(Errno::EINVAL.into()),
        n => Ok(n as u64),
    }
}

/// struct linux_dirent or linux_dirent64: inode, position behind, length, name, type.
fn record(entry: &DirEntry, format: Format) -> Vec<u8> {
    let head = match format {
        Format::Old => 18,
        Format::New => 19,
    };
    // The old format has the type behind the name, and both end with at least one NUL.
    let tail = if format == Format::Old { 2 } else { 1 };
    let len = (head + entry.name.len() + tail).next_multiple_of(8);
    let mut record = Vec::with_capacity(len);
    record.extend_from_slice(&entry.ino.to_le_bytes());
    record.extend_from_slice(&entry.next.to_le_bytes());
    record.extend_from_slice(&(len as u16).to_le_bytes());
    if format == Format::New {
        record.push(entry.kind);
    }
    record.extend_from_slice(&entry.name);
    record.resize(len, 0);
    if format == Format::Old {
        record[len - 1] = entry.kind;
    }
    record
}
