//! read(2), write(2) and their kin, lseek(2).

use super::transfer::{Dir, one_piece, open_for, pieces, read_file, write_file};
use super::*;
use crate::abi::consts::rwf;
use crate::mem::GuestAddr;
use crate::syscalls::args;

/// read(2).
pub fn read(ctx: &mut Ctx, a: &args::Read) -> SysResult {
    let file = open_for(ctx, a.fd, Dir::Read)?;
    let mut buf = one_piece(ctx, a.buf, a.count)?;
    read_file(ctx, &file, &mut buf, Access::default())
}

/// write(2).
pub fn write(ctx: &mut Ctx, a: &args::Write) -> SysResult {
    let file = open_for(ctx, a.fd, Dir::Write)?;
    let mut buf = one_piece(ctx, a.buf, a.count)?;
    write_file(ctx, &file, &mut buf, Access::default())
}

/// pread64(2).
pub fn pread64(ctx: &mut Ctx, a: &args::Pread64) -> SysResult {
    let (file, how) = at_position(ctx, a.fd, a.offset, 0, Dir::Read)?;
    let mut buf = one_piece(ctx, a.buf, a.count)?;
    read_file(ctx, &file, &mut buf, how)
}

/// pwrite64(2). As in Linux, a file with O_APPEND is appended to whatever the offset.
pub fn pwrite64(ctx: &mut Ctx, a: &args::Pwrite64) -> SysResult {
    let (file, how) = at_position(ctx, a.fd, a.offset, 0, Dir::Write)?;
    let mut buf = one_piece(ctx, a.buf, a.count)?;
    write_file(ctx, &file, &mut buf, how)
}

/// readv(2).
pub fn readv(ctx: &mut Ctx, a: &args::Readv) -> SysResult {
    vectored(ctx, a.fd, (a.iov, a.iovcnt), None, 0, Dir::Read)
}

/// writev(2).
pub fn writev(ctx: &mut Ctx, a: &args::Writev) -> SysResult {
    vectored(ctx, a.fd, (a.iov, a.iovcnt), None, 0, Dir::Write)
}

/// preadv(2).
pub fn preadv(ctx: &mut Ctx, a: &args::Preadv) -> SysResult {
    vectored(ctx, a.fd, (a.iov, a.iovcnt), Some(a.offset), 0, Dir::Read)
}

/// pwritev(2).
pub fn pwritev(ctx: &mut Ctx, a: &args::Pwritev) -> SysResult {
    vectored(ctx, a.fd, (a.iov, a.iovcnt), Some(a.offset), 0, Dir::Write)
}

/// preadv2(2). The low word holds the whole offset on 64-bit architectures; -1 is the file's own position.
pub fn preadv2(ctx: &mut Ctx, a: &args::Preadv2) -> SysResult {
    vectored(ctx, a.fd, (a.iov, a.iovcnt), (a.pos_l != -1).then_some(a.pos_l), a.flags, Dir::Read)
}

/// pwritev2(2).
pub fn pwritev2(ctx: &mut Ctx, a: &args::Pwritev2) -> SysResult {
    vectored(ctx, a.fd, (a.iov, a.iovcnt), (a.pos_l != -1).then_some(a.pos_l), a.flags, Dir::Write)
}

/// The file behind `fd` for a transfer at `offset`.
///
/// # Errors
/// `EINVAL`, `EBADF`, `ESPIPE`, in Linux's order.
fn at_position(
    ctx: &mut Ctx,
    fd: i32,
    offset: i64,
    flags: u32,
    dir: Dir,
) -> Result<(std::rc::Rc<File>, Access), Errno> {
    let at = u64::try_from(offset).map_err(|_| Errno::EINVAL)?;
    let file = ctx.file(fd)?;
    if file.is_path_only() {
        return Err(Errno::EBADF);
    }
    if !file.ops().is_seekable() {
        return Err(Errno::ESPIPE);
    }
    Ok((open_for(ctx, fd, dir)?, Access { at: Some(at), flags }))
}

fn vectored(
    ctx: &mut Ctx,
    fd: i32,
    (iov, count): (GuestAddr, u64),
    offset: Option<i64>,
    flags: u32,
    dir: Dir,
) -> SysResult {
    let (file, how) = match offset {
        Some(offset) => at_position(ctx, fd, offset, flags, dir)?,
        None => (open_for(ctx, fd, dir)?, Access { at: None, flags }),
    };
    let mut buf = pieces(ctx, iov, count)?;
    if buf.left() == 0 {
        return Ok(0);
    }
    check_flags(flags, dir)?;
    match dir {
        Dir::Read => read_file(ctx, &file, &mut buf, how),
        Dir::Write => write_file(ctx, &file, &mut buf, how),
    }
}

/// Refuses RWF_* bits that Linux does not know, as kiocb_set_rw_flags() does. Some of the known ones a particular file may still refuse.
fn check_flags(flags: u32, dir: Dir) -> Result<(), Errno> {
    let known = rwf::RWF_HIPRI | rwf::RWF_DSYNC | rwf::RWF_SYNC | rwf::RWF_NOWAIT | rwf::RWF_APPEND | rwf::RWF_NOAPPEND;
    let known = known | rwf::RWF_ATOMIC | rwf::RWF_DONTCACHE;
    if flags & !known != 0 || (flags & rwf::RWF_ATOMIC != 0 && dir == Dir::Read) {
        return Err(Errno::EOPNOTSUPP);
    }
    if flags & rwf::RWF_APPEND != 0 && flags & rwf::RWF_NOAPPEND != 0 {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// lseek(2).
pub fn lseek(ctx: &mut Ctx, a: &args::Lseek) -> SysResult {
    let file = usable(ctx, a.fd)?;
    if a.whence > consts::whence::SEEK_HOLE {
        return Err(Errno::EINVAL.into());
    }
    Ok(file.ops().seek(ctx, &file, a.offset, a.whence)?)
}
