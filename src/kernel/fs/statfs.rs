//! Statistics of file systems.

use super::path::{AT_FDCWD, Empty, Follow, Target};
use super::*;
use crate::abi::{StatFs, Ustat};
use crate::host::{FsStat, HostFd};
use crate::kernel::file::{File, FileKind};

/// ST_VALID: the flags of a mount are known.
const VALID: u64 = 0x20;
const TMPFS_MAGIC: u64 = 0x0102_1994;
/// ST_RDONLY.
const READ_ONLY: u64 = 1;
/// Nosuid, nodev, noexec, relatime: how Linux systems mount procfs and sysfs.
const MADE_FLAGS: u64 = VALID | 2 | 4 | 8 | 0x1000;

/// statfs(2).
pub fn statfs(ctx: &mut Ctx, a: &args::Statfs) -> SysResult {
    let name = ctx.path(a.path)?;
    let target = path::look_up(ctx, AT_FDCWD, &name, Follow::Yes, Empty::Refused)?;
    let stat = of_target(ctx, &target)?;
    put(ctx, a.buf, &stat)
}

/// fstatfs(2).
pub fn fstatfs(ctx: &mut Ctx, a: &args::Fstatfs) -> SysResult {
    let file = ctx.file(a.fd)?;
    let stat = of_target(ctx, &Target::File(file))?;
    put(ctx, a.buf, &stat)
}

/// ustat(2). Deviation: of a device that is mounted nowhere it knows nothing.
pub fn ustat(ctx: &mut Ctx, a: &args::Ustat) -> SysResult {
    let stat = ctx.kernel.host.stat_fs_of_device(a.dev.into())?;
    let out = Ustat { free: stat.free as i32, inodes: stat.files_free, ..Ustat::default() };
    ctx.mem().copy_out(a.ubuf, &out)?;
    Ok(0)
}

fn of_target(ctx: &mut Ctx, target: &Target) -> Result<FsStat, Errno> {
    match target {
        Target::Made(made) => Ok(of_made(made)),
        Target::File(file) => match (file.downcast::<MadeFile>(), file.host_fd()) {
            (Some(made), _) => Ok(of_made(&made.node)),
            (None, Some(fd)) => of_host(ctx, &fd.clone()),
            (None, None) => Ok(of_object(ctx, file)),
        },
        Target::Host(fd, _) => of_host(ctx, fd),
    }
}

fn of_host(ctx: &mut Ctx, fd: &HostFd) -> Result<FsStat, Errno> {
    let mut stat = ctx.kernel.host.stat_fs(fd)?;
    if ctx.kernel.mounts.refuses_writing(fd.mount()) {
        stat.flags |= READ_ONLY;
    }
    Ok(stat)
}

fn of_made(made: &Made) -> FsStat {
    let kind = match &made.path[..] {
        path if path.starts_with(b"/proc") => path::PROC_MAGIC,
        path if path.starts_with(b"/sys") => path::SYSFS_MAGIC,
        _ => TMPFS_MAGIC,
    };
    FsStat { kind, block_size: 4096, fragment_size: 4096, name_len: 255, flags: MADE_FLAGS, ..FsStat::default() }
}

/// Files that the kernel makes without a name are on file systems of their own.
fn of_object(ctx: &mut Ctx, file: &File) -> FsStat {
    if let Some(made) = Made::find(ctx, &file.path()) {
        return of_made(&made);
    }
    let kind = match file.kind() {
        FileKind::Fifo => 0x5049_5045,
        FileKind::Socket => 0x534f_434b,
        FileKind::Regular => TMPFS_MAGIC,
        _ => 0x0904_1934,
    };
    FsStat { kind, block_size: 4096, fragment_size: 4096, name_len: 255, flags: VALID, ..FsStat::default() }
}

fn put(ctx: &mut Ctx, addr: GuestAddr, s: &FsStat) -> SysResult {
    let out = StatFs {
        kind: s.kind,
        block_size: s.block_size,
        blocks: s.blocks,
        free: s.free,
        available: s.available,
        files: s.files,
        files_free: s.files_free,
        id: s.id,
        name_len: s.name_len,
        fragment_size: s.fragment_size,
        flags: s.flags,
        ..StatFs::default()
    };
    ctx.mem().copy_out(addr, &out)?;
    Ok(0)
}
