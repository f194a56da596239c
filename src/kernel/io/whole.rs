//! Calls that concern a file as a whole or a range of it: length, space, device, page cache; memfd_create(2).

use super::*;
use crate::abi::consts::name_to_handle as handle;
use crate::abi::consts::{fadvise, fallocate, memfd, sync_file_range as range};
use crate::host::Sync;
use crate::host::{FileStat, HostFd};
use crate::kernel::file::FileOps;
use crate::kernel::fs::path::{self, Empty, Follow};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::any::Any;

/// ftruncate(2).
pub fn ftruncate(ctx: &mut Ctx, a: &args::Ftruncate) -> SysResult {
    let len = u64::try_from(a.length).map_err(|_| Errno::EINVAL)?;
    let file = usable(ctx, a.fd)?;
    if file.kind() != FileKind::Regular || !file.can_write() {
        return Err(Errno::EINVAL.into());
    }
    if len > ctx.process().limits[consts::rlimit::RLIMIT_FSIZE as usize].soft && len > file.ops().stat(ctx, &file)?.size
    {
        ctx.raise(Signal::SIGXFSZ);
        return Err(Errno::EFBIG.into());
    }
    file.ops().truncate(ctx, &file, len)?;
    Ok(0)
}

/// fallocate(2).
pub fn fallocate(ctx: &mut Ctx, a: &args::Fallocate) -> SysResult {
    let file = usable(ctx, a.fd)?;
    if a.offset < 0 || a.len <= 0 {
        return Err(Errno::EINVAL.into());
    }
    if !file.can_write() {
        return Err(Errno::EBADF.into());
    }
    match file.kind() {
        FileKind::Regular | FileKind::Block => {}
        FileKind::Fifo => return Err(Errno::ESPIPE.into()),
        FileKind::Directory => return Err(Errno::EISDIR.into()),
        _ => return Err(Errno::ENODEV.into()),
    }
    let limit = ctx.process().limits[consts::rlimit::RLIMIT_FSIZE as usize].soft;
    let end = a.offset.checked_add(a.len).ok_or(Errno::EFBIG)?;
    let grows = a.mode & (fallocate::FALLOC_FL_KEEP_SIZE | fallocate::FALLOC_FL_COLLAPSE_RANGE) == 0;
    if grows && end as u64 > limit && end as u64 > file.ops().stat(ctx, &file)?.size {
        ctx.raise(Signal::SIGXFSZ);
        return Err(Errno::EFBIG.into());
    }
    let fd = file.host_fd().ok_or(Errno::EOPNOTSUPP)?;
    ctx.kernel.host.allocate(fd, a.mode, a.offset, a.len)?;
    Ok(0)
}

/// fsync(2).
pub fn fsync(ctx: &mut Ctx, a: &args::Fsync) -> SysResult {
    sync_file(ctx, a.fd, Sync::All)
}

/// fdatasync(2).
pub fn fdatasync(ctx: &mut Ctx, a: &args::Fdatasync) -> SysResult {
    sync_file(ctx, a.fd, Sync::Data)
}

/// syncfs(2).
pub fn syncfs(ctx: &mut Ctx, a: &args::Syncfs) -> SysResult {
    let file = usable(ctx, a.fd)?;
    // What the kernel makes has no device to be written to.
    if let Some(fd) = file.host_fd() {
        ctx.kernel.host.sync(fd, Sync::FileSystem)?;
    }
    Ok(0)
}

/// sync(2).
pub fn sync(ctx: &mut Ctx, _: &args::Sync) -> SysResult {
    ctx.kernel.host.sync_all();
    Ok(0)
}

/// sync_file_range(2).
pub fn sync_file_range(ctx: &mut Ctx, a: &args::SyncFileRange) -> SysResult {
    let file = usable(ctx, a.fd)?;
    let known = range::SYNC_FILE_RANGE_WAIT_BEFORE | range::SYNC_FILE_RANGE_WRITE | range::SYNC_FILE_RANGE_WAIT_AFTER;
    if a.flags & !known != 0 || a.offset < 0 || a.nbytes < 0 || a.offset.checked_add(a.nbytes).is_none() {
        return Err(Errno::EINVAL.into());
    }
    let fd = file.host_fd().ok_or(Errno::ESPIPE)?;
    ctx.kernel.host.sync(fd, Sync::Range(a.offset, a.nbytes, a.flags))?;
    Ok(0)
}

fn sync_file(ctx: &mut Ctx, fd: i32, what: Sync) -> SysResult {
    let file = usable(ctx, fd)?;
    let fd = file.host_fd().ok_or(Errno::EINVAL)?;
    ctx.kernel.host.sync(fd, what)?;
    Ok(0)
}

/// fadvise64(2).
pub fn fadvise64(ctx: &mut Ctx, a: &args::Fadvise64) -> SysResult {
    let file = usable(ctx, a.fd)?;
    if file.kind() == FileKind::Fifo {
        return Err(Errno::ESPIPE.into());
    }
    if a.len < 0 || a.advice > fadvise::POSIX_FADV_NOREUSE {
        return Err(Errno::EINVAL.into());
    }
    if let Some(fd) = file.host_fd() {
        ctx.kernel.host.advise(fd, a.offset, a.len, a.advice)?;
    }
    Ok(0)
}

/// readahead(2).
pub fn readahead(ctx: &mut Ctx, a: &args::Readahead) -> SysResult {
    let file = usable(ctx, a.fd)?;
    if !file.can_read() {
        return Err(Errno::EBADF.into());
    }
    if !matches!(file.kind(), FileKind::Regular | FileKind::Block) {
        return Err(Errno::EINVAL.into());
    }
    let fd = file.host_fd().ok_or(Errno::EINVAL)?;
    let len = i64::try_from(a.count).unwrap_or(i64::MAX);
    ctx.kernel.host.advise(fd, a.offset, len, fadvise::POSIX_FADV_WILLNEED)?;
    Ok(0)
}

/// memfd_create(2).
pub fn memfd_create(ctx: &mut Ctx, a: &args::MemfdCreate) -> SysResult {
    /// NAME_MAX without the prefix `memfd:`.
    const NAME_MAX: usize = 255 - 6;
    // MFD_HUGETLB brings a page size in the high bits.
    const HUGE_SIZE: u32 = 0x3f << 26;
    let known = memfd::MFD_CLOEXEC | memfd::MFD_ALLOW_SEALING | memfd::MFD_NOEXEC_SEAL | memfd::MFD_EXEC;
    let huge = a.flags & memfd::MFD_HUGETLB != 0;
    let known = if huge { known | memfd::MFD_HUGETLB | HUGE_SIZE } else { known };
    if a.flags & !known != 0 || a.flags & memfd::MFD_EXEC != 0 && a.flags & memfd::MFD_NOEXEC_SEAL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = ctx.mem().read_cstr(a.name, NAME_MAX + 1).map_err(|e| match e {
        Errno::ENAMETOOLONG => Errno::EINVAL,
        e => e,
    })?;
    let fd = ctx.kernel.host.memfd(&name, a.flags)?;
    let path = [b"/memfd:", &name[..], b" (deleted)"].concat();
    let file = File::of_host(&mut *ctx.kernel.host, fd, &path, consts::open::O_RDWR | consts::open::O_LARGEFILE)?;
    Ok(ctx.install(file, a.flags & memfd::MFD_CLOEXEC != 0)? as u64)
}

/// cachestat(2).
pub fn cachestat(ctx: &mut Ctx, a: &args::Cachestat) -> SysResult {
    let file = usable(ctx, a.fd)?;
    let [offset, len]: [u64; 2] = ctx.mem().copy_in(a.cstat_range)?;
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    // What the kernel makes itself is never cached.
    let state = match file.host_fd() {
        Some(fd) => ctx.kernel.host.cache_state(fd, offset, len)?,
        None => [0; 5],
    };
    ctx.mem().copy_out(a.cstat, &state)?;
    Ok(0)
}

/// A file of memfd_secret(2): it can be mapped, and neither read nor written.
#[derive(Debug)]
struct Secret(HostFd);

impl FileOps for Secret {
    fn kind(&self) -> FileKind {
        FileKind::Regular
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn host_fd(&self) -> Option<&HostFd> {
        Some(&self.0)
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(FileStat { mode: 0o100_600, ..ctx.kernel.host.stat(&self.0)? })
    }

    fn truncate(&self, ctx: &mut Ctx, file: &File, len: u64) -> Result<(), Errno> {
        // The size is set once.
        if self.stat(ctx, file)?.size != 0 {
            return Err(Errno::EINVAL);
        }
        ctx.kernel.host.truncate(&self.0, len)
    }
}

/// memfd_secret(2).
pub fn memfd_secret(ctx: &mut Ctx, a: &args::MemfdSecret) -> SysResult {
    if a.flags & !consts::open::O_CLOEXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    let fd = ctx.kernel.host.memfd(b"secretmem", 0)?;
    let file = File::new(Secret(fd), b"/secretmem (deleted)", consts::open::O_RDWR);
    Ok(ctx.install(file, a.flags & consts::open::O_CLOEXEC != 0)? as u64)
}

/// name_to_handle_at(2): the host's handle.
pub fn name_to_handle_at(ctx: &mut Ctx, a: &args::NameToHandleAt) -> SysResult {
    const MAX_HANDLE: u32 = 128;
    let known = handle::AT_SYMLINK_FOLLOW | handle::AT_EMPTY_PATH | handle::AT_HANDLE_FID;
    // AT_HANDLE_MNT_ID_UNIQUE would give an id that nothing else here knows.
    if a.flags & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    let follow = if a.flags & handle::AT_SYMLINK_FOLLOW != 0 { Follow::Yes } else { Follow::No };
    let name = ctx.path(a.path)?;
    let empty = Empty::from_flags(a.flags);
    let target = path::resolve_or_fd(ctx, a.dirfd, &name, follow, empty)?;
    let [room, _]: [u32; 2] = ctx.mem().copy_in(a.handle)?;
    if room > MAX_HANDLE {
        return Err(Errno::EINVAL.into());
    }
    let fd = target.host_fd().ok_or(Errno::EOPNOTSUPP)?;
    let (kind, bytes, mount) = ctx.kernel.host.handle(fd, a.flags & handle::AT_HANDLE_FID)?;
    let mount = crate::kernel::procfs::mounts::shown_id(ctx.kernel, fd, mount as u64) as i32;
    let len = bytes.len() as u32;
    let fits = len <= room;
    ctx.mem().copy_out(a.mount_id, &mount)?;
    ctx.mem().copy_out(a.handle, &[len, if fits { kind as u32 } else { 0 }])?;
    if !fits {
        return Err(Errno::EOVERFLOW.into());
    }
    ctx.mem().write(GuestAddr(a.handle.0.wrapping_add(8)), &bytes)?;
    Ok(0)
}
