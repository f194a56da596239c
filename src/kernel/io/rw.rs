//! read(2), write(2) and their kin, lseek(2).

use super::transfer::{Dir, one_piece, open_for, read_file, write_file};
use super::*;
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

/// lseek(2).
pub fn lseek(ctx: &mut Ctx, a: &args::Lseek) -> SysResult {
    let file = ctx.file(a.fd)?;
    if file.is_path_only() {
        return Err(Errno::EBADF.into());
    }
    if a.whence > consts::whence::SEEK_HOLE {
        return Err(Errno::EINVAL.into());
    }
    Ok(file.ops().seek(ctx, &file, a.offset, a.whence)?)
}
