//! unshare(2).

use super::*;
use crate::abi::consts::unshare as flag;
use crate::syscalls::args;
use std::cell::RefCell;
use std::rc::Rc;

const NAMESPACES: u64 = flag::CLONE_NEWTIME as u64
    | flag::CLONE_NEWNS as u64
    | flag::CLONE_NEWCGROUP as u64
    | flag::CLONE_NEWUTS as u64
    | flag::CLONE_NEWIPC as u64
    | flag::CLONE_NEWUSER as u64
    | flag::CLONE_NEWPID as u64
    | flag::CLONE_NEWNET as u64;

/// What a thread of a process with others cannot give up.
const OF_PROCESS: u64 = flag::CLONE_THREAD as u64 | flag::CLONE_SIGHAND as u64 | flag::CLONE_VM as u64;

/// unshare(2). There are no namespaces: a caller has no right to new ones.
pub fn unshare(ctx: &mut Ctx, a: &args::Unshare) -> SysResult {
    let known = u64::from(flag::CLONE_FS | flag::CLONE_FILES | flag::CLONE_SYSVSEM) | OF_PROCESS | NAMESPACES;
    if a.flags & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    let threads = ctx.process().threads.len();
    if a.flags & OF_PROCESS != 0 {
        let space = Rc::clone(ctx.space());
        let shares = a.flags & u64::from(flag::CLONE_VM) != 0 && ctx.kernel.is_memory_in_use(&space, ctx.tid)
            || a.flags & u64::from(flag::CLONE_SIGHAND) != 0 && Rc::strong_count(&ctx.thread().actions) > 1;
        if threads > 1 || shares {
            return Err(Errno::EINVAL.into());
        }
    }
    if a.flags & NAMESPACES != 0 {
        return Err(Errno::EPERM.into());
    }
    if a.flags & u64::from(flag::CLONE_FILES) != 0 {
        ctx.unshare_files();
    }
    if a.flags & u64::from(flag::CLONE_FS) != 0 {
        let own = ctx.thread().fs.borrow().clone();
        ctx.thread().fs = Rc::new(RefCell::new(own));
    }
    Ok(0)
}
