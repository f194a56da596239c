//! Opening files to run them.

use super::path::{Follow, Target};
use super::*;
use crate::abi::consts::open::O_RDONLY;
use crate::host::{AccessIds, FileStat, OpenHow, Scope};
use crate::kernel::file::{File, FileKind};
use crate::loader::LoadError;

/// Opens the file that `path`, relative to `dirfd`, names, for running it: a regular file that the caller may execute.
///
/// # Errors
/// Why it cannot be run, as execve(2) has it.
pub fn open_program(ctx: &mut Ctx, dirfd: i32, path: &[u8], follow: Follow) -> Result<(Rc<File>, FileStat), LoadError> {
    const EXECUTE: u32 = 1;
    let target = path::resolve(ctx, dirfd, path, follow).map_err(LoadError::Host)?;
    let stat = target.stat(ctx).map_err(LoadError::Host)?;
    match FileKind::of_mode(stat.mode) {
        FileKind::Regular => {}
        FileKind::Directory => return Err(LoadError::Host(Errno::EISDIR)),
        FileKind::Symlink => return Err(LoadError::Host(Errno::ELOOP)),
        _ => return Err(LoadError::NotRegular),
    }
    let Some(fd) = target.host_fd().cloned() else { return Err(LoadError::NotExecutable) };
    if stat.mode & 0o111 == 0 || ctx.kernel.host.access(&fd, EXECUTE, AccessIds::Effective).is_err() {
        return Err(LoadError::NotExecutable);
    }
    // Reopened, because a handle cannot be read, and an open file of the guest has its own position.
    let fd = match target {
        Target::Host(..) => {
            let start = path::start(ctx, dirfd, path, Scope::Host).map_err(LoadError::Host)?;
            let how = OpenHow { flags: O_RDONLY, mode: 0, scope: Scope::Host, resolve: 0 };
            match path::open_at(ctx, start, path, how).map_err(LoadError::Host)? {
                Target::Host(fd, _) => fd,
                _ => ctx.kernel.host.reopen(&fd, O_RDONLY).map_err(LoadError::Host)?,
            }
        }
        _ => ctx.kernel.host.reopen(&fd, O_RDONLY).map_err(LoadError::Host)?,
    };
    let file = File::of_host(&mut *ctx.kernel.host, fd, &[], O_RDONLY).map_err(LoadError::Host)?;
    let name = name_of(ctx, &file);
    file.set_path(&name);
    Ok((file, stat))
}
