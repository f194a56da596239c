//! Opening files to run them.

use super::path::{Empty, Follow, Target};
use super::*;
use crate::abi::consts::open::O_RDONLY;
use crate::host::{AccessIds, FileStat};
use crate::kernel::file::{File, FileKind, Use};
use crate::loader::LoadError;

/// Opens the file that `path`, relative to `dirfd`, names, for running it: a regular file that the caller may execute.
///
/// # Errors
/// Why it cannot be run, as execve(2) has it.
pub fn open_program(ctx: &mut Ctx, dirfd: i32, path: &[u8], follow: Follow) -> Result<(Rc<File>, FileStat), LoadError> {
    let target = path::resolve(ctx, dirfd, path, follow).map_err(LoadError::Host)?;
    open_target(ctx, target)
}

/// [`open_program`] of a program's interpreter, which is looked for below the machine's prefix first.
///
/// # Errors
/// As there.
pub fn open_interpreter(ctx: &mut Ctx, path: &[u8]) -> Result<(Rc<File>, FileStat), LoadError> {
    let target = path::look_up(ctx, path::AT_FDCWD, path, Follow::Yes, Empty::Refused).map_err(LoadError::Host)?;
    open_target(ctx, target)
}

/// The path of a program that is named without a slash: the first that can be run in the directories of PATH, else the
/// name as it is, which then cannot be found.
pub fn find_program(ctx: &mut Ctx, name: &[u8], envp: &[Vec<u8>]) -> Vec<u8> {
    let path = envp.iter().find_map(|e| e.strip_prefix(b"PATH=")).unwrap_or(b"/usr/local/bin:/usr/bin:/bin");
    for dir in path.split(|b| *b == b':') {
        let full = walk::join(if dir.is_empty() { b"." } else { dir }, name);
        if open_program(ctx, path::AT_FDCWD, &full, Follow::Yes).is_ok() {
            return full;
        }
    }
    name.to_vec()
}

fn open_target(ctx: &mut Ctx, target: Target) -> Result<(Rc<File>, FileStat), LoadError> {
    const EXECUTE: u32 = 1;
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
    ctx.kernel.uses.check(&stat, Use::Run).map_err(LoadError::Host)?;
    // Opened anew, because a handle cannot be read, and an open file of the guest has its own position.
    let fd = ctx.kernel.host.reopen(&fd, O_RDONLY).map_err(LoadError::Host)?;
    let file = File::of_host(&mut *ctx.kernel.host, fd, &[], O_RDONLY).map_err(LoadError::Host)?;
    let name = name_of(ctx, &file);
    file.set_path(&name);
    Ok((file, stat))
}
