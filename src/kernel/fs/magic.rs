//! Links of /proc that lead to an object and not to a name.

use super::path::{self, Target};
use super::*;
use crate::abi::consts::cap::{CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN};
use crate::host::HostFd;
use crate::kernel::procfs::Magic;

/// The object that a magic link leads to.
///
/// # Errors
/// `ENOENT`: it is gone.
pub fn follow_magic(ctx: &mut Ctx, magic: Magic) -> Result<Target, Errno> {
    let (Magic::Fd(tid, _)
    | Magic::Cwd(tid)
    | Magic::Root(tid)
    | Magic::Exe(tid)
    | Magic::Map(tid, ..)
    | Magic::Namespace(tid, _)) = magic;
    if ctx.kernel.threads.contains_key(&tid) && !ctx.may_inspect(tid) {
        return Err(Errno::EACCES);
    }
    let thread = |ctx: &Ctx, tid| ctx.kernel.threads.get(&tid).map(|t| (Rc::clone(&t.files), Rc::clone(&t.fs)));
    match magic {
        Magic::Fd(tid, fd) => {
            let (files, _) = thread(ctx, tid).ok_or(Errno::ENOENT)?;
            let file = files.borrow().get(fd).map_err(|_| Errno::ENOENT)?;
            Ok(Target::File(file))
        }
        Magic::Cwd(tid) => {
            let (_, fs) = thread(ctx, tid).ok_or(Errno::ENOENT)?;
            Ok(Target::File(Rc::clone(&fs.borrow().cwd)))
        }
        Magic::Root(tid) => {
            let (_, fs) = thread(ctx, tid).ok_or(Errno::ENOENT)?;
            Ok(Target::File(Rc::clone(&fs.borrow().root)))
        }
        Magic::Namespace(_, index) => Ok(Target::File(task::Namespace::open(index))),
        Magic::Map(tid, start, end) => {
            // proc_map_files_get_link()
            if ![CAP_SYS_ADMIN, CAP_CHECKPOINT_RESTORE].iter().any(|c| ctx.thread().credentials.has(*c)) {
                return Err(Errno::EPERM);
            }
            let fd = {
                let thread = ctx.kernel.threads.get(&tid).ok_or(Errno::ENOENT)?;
                let space = thread.space.borrow();
                let file = space.file_between(start, end).and_then(|a| a.file()).ok_or(Errno::ENOENT)?;
                HostFd::from(file.try_clone_to_owned().map_err(|_| Errno::EMFILE)?)
            };
            let place = ctx.kernel.mounts.place(&mut *ctx.kernel.host, &fd);
            let stat = ctx.kernel.host.stat(&fd)?;
            Ok(Target::Host(fd.with_mount(place), stat))
        }
        Magic::Exe(pid) => {
            let exe = ctx.kernel.processes.get(&pid).map(|p| p.exe.clone()).ok_or(Errno::ENOENT)?;
            path::resolve(ctx, path::AT_FDCWD, &exe, path::Follow::Yes)
        }
    }
}
