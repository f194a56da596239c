//! close(2), dup(2) and their kin.

use super::*;
use crate::syscalls::args;

/// close(2).
pub fn close(ctx: &mut Ctx, a: &args::Close) -> SysResult {
    let file = ctx.files().remove(a.fd)?;
    // Its descriptor table must not be borrowed while the file goes.
    drop(file);
    Ok(0)
}
