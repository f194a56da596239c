//! Waiting for children: wait4(2), waitid(2).

use super::*;
use crate::abi::consts::{wait, waitid as id_type};

/// Options that wait4(2) knows.
const WAIT4_OPTIONS: u32 =
    wait::WNOHANG | wait::WSTOPPED | wait::WCONTINUED | wait::__WNOTHREAD | wait::__WCLONE | wait::__WALL;

/// Whether a process has a child that one of these ids could mean.
fn has_children(ctx: &Ctx) -> bool {
    ctx.kernel.processes.values().any(|p| p.ppid == ctx.pid)
}

/// wait4(2).
pub fn wait4(ctx: &mut Ctx, a: &args::Wait4) -> SysResult {
    if a.options & !WAIT4_OPTIONS != 0 {
        return Err(Errno::EINVAL.into());
    }
    if a.pid == i32::MIN {
        return Err(Errno::ESRCH.into());
    }
    none_to_wait_for(ctx, a.options)
}

/// waitid(2).
pub fn waitid(ctx: &mut Ctx, a: &args::Waitid) -> SysResult {
    let result = wait_by_id(ctx, a);
    // Without a child to report, and whatever the reason, Linux clears what it would have told of one.
    if !a.infop.is_null() && !matches!(result, Err(Stop::Block(_))) {
        // si_signo, si_errno, si_code; then, after a gap, si_pid, si_uid, si_status.
        ctx.mem().copy_out(a.infop, &[0u32; 3])?;
        ctx.mem().copy_out(crate::mem::GuestAddr(a.infop.0.wrapping_add(16)), &[0u32; 3])?;
    }
    result
}

fn wait_by_id(ctx: &mut Ctx, a: &args::Waitid) -> SysResult {
    let known = WAIT4_OPTIONS | wait::WEXITED | wait::WNOWAIT;
    let kinds = wait::WEXITED | wait::WSTOPPED | wait::WCONTINUED;
    if a.options & !known != 0 || a.options & kinds == 0 {
        return Err(Errno::EINVAL.into());
    }
    match a.which {
        id_type::P_ALL => {}
        id_type::P_PID if a.pid > 0 => {}
        id_type::P_PGID if a.pid >= 0 => {}
        id_type::P_PIDFD if a.pid < 0 => return Err(Errno::EINVAL.into()),
        // Whatever the descriptor is, it is no pidfd: none can be made.
        id_type::P_PIDFD => return Err(Errno::EBADF.into()),
        _ => return Err(Errno::EINVAL.into()),
    }
    none_to_wait_for(ctx, a.options)
}

/// What a wait gives when no child has changed: ECHILD without children.
fn none_to_wait_for(ctx: &mut Ctx, options: u32) -> SysResult {
    if !has_children(ctx) {
        return Err(Errno::ECHILD.into());
    }
    if options & wait::WNOHANG != 0 {
        return Ok(0);
    }
    let pid = ctx.pid;
    Err(ctx.wait(Wait::key(WaitKey::Child(pid)), Errno::ERESTARTSYS))
}
