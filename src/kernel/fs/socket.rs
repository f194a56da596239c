//! Nodes of UNIX sockets.

use super::links::{Change, writable_dir};
use super::path::{AT_FDCWD, Follow};
use super::*;
use crate::abi::consts::open::O_NOFOLLOW;
use crate::host::{AccessIds, FileStat, HostFd, OpenHow, Remove};

/// Makes the node that a UNIX socket is bound to; gives a handle of it.
///
/// # Errors
/// Those of mknod(2).
pub fn make_socket(ctx: &mut Ctx, name: &[u8]) -> Result<(HostFd, FileStat), Errno> {
    const SOCKET: u32 = 0o140000;
    let at = path::parent(ctx, AT_FDCWD, name)?;
    let dir = writable_dir(ctx, &at, Change::Make)?;
    let umask = context(ctx).borrow().umask;
    ctx.kernel.host.make_node(&dir, &at.name, SOCKET | (0o777 & !umask), 0)?;
    let handle = ctx.kernel.host.open(&dir, &at.name, OpenHow::handle(O_NOFOLLOW))?;
    let stat = ctx.kernel.host.stat(&handle)?;
    Ok((handle, stat))
}

/// Removes a node that [`make_socket`] has just made.
///
/// # Errors
/// Those of unlink(2).
pub fn remove_socket(ctx: &mut Ctx, name: &[u8]) -> Result<(), Errno> {
    let at = path::parent(ctx, AT_FDCWD, name)?;
    let dir = writable_dir(ctx, &at, Change::Remove(Remove::File))?;
    ctx.kernel.host.remove(&dir, &at.name, Remove::File)
}

/// The file that a UNIX socket is to be connected to, which the caller may write to.
///
/// # Errors
/// Those of path_resolution(7); `ECONNREFUSED`: the file is made up.
pub fn find_socket(ctx: &mut Ctx, name: &[u8]) -> Result<(HostFd, FileStat), Errno> {
    let target = path::resolve(ctx, AT_FDCWD, name, Follow::Yes)?;
    let stat = target.stat(ctx)?;
    let handle = target.host_fd().cloned().ok_or(Errno::ECONNREFUSED)?;
    ctx.kernel.host.access(&handle, 2, AccessIds::Effective)?;
    Ok((handle, stat))
}
