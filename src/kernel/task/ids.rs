//! Who a thread is: process and thread ids, process groups, sessions, personality.

use super::*;
use crate::mem::GuestAddr;

/// getpid(2).
pub fn getpid(ctx: &mut Ctx, _: &args::Getpid) -> SysResult {
    Ok(ctx.pid as u64)
}

/// gettid(2).
pub fn gettid(ctx: &mut Ctx, _: &args::Gettid) -> SysResult {
    Ok(ctx.tid as u64)
}

/// getppid(2).
pub fn getppid(ctx: &mut Ctx, _: &args::Getppid) -> SysResult {
    Ok(ctx.process().ppid as u64)
}

/// The process of a thread that a guest names by its id; 0 is the caller's.
fn process_named(ctx: &mut Ctx, pid: Pid) -> Result<Pid, Errno> {
    if pid == 0 || pid == ctx.tid {
        return Ok(ctx.pid);
    }
    if ctx.kernel.processes.contains_key(&pid) {
        return Ok(pid);
    }
    ctx.kernel.threads.get(&pid).map(|t| t.pid).ok_or(Errno::ESRCH)
}

/// getpgid(2).
pub fn getpgid(ctx: &mut Ctx, a: &args::Getpgid) -> SysResult {
    let pid = process_named(ctx, a.pid)?;
    ctx.kernel.processes.get(&pid).map(|p| p.pgid as u64).ok_or(Errno::ESRCH.into())
}

/// getpgrp(2).
pub fn getpgrp(ctx: &mut Ctx, _: &args::Getpgrp) -> SysResult {
    Ok(ctx.process().pgid as u64)
}

/// getsid(2).
pub fn getsid(ctx: &mut Ctx, a: &args::Getsid) -> SysResult {
    let pid = process_named(ctx, a.pid)?;
    ctx.kernel.processes.get(&pid).map(|p| p.sid as u64).ok_or(Errno::ESRCH.into())
}

/// setpgid(2).
pub fn setpgid(ctx: &mut Ctx, a: &args::Setpgid) -> SysResult {
    let pid = if a.pid == 0 { ctx.pid } else { a.pid };
    let pgid = if a.pgid == 0 { pid } else { a.pgid };
    if pgid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let (caller, session) = (ctx.pid, ctx.process().sid);
    let target = ctx.kernel.processes.get(&pid).ok_or(Errno::ESRCH)?;
    if target.ppid == caller {
        if target.sid != session {
            return Err(Errno::EPERM.into());
        }
        if target.settings.has_executed {
            return Err(Errno::EACCES.into());
        }
    } else if pid != caller {
        return Err(Errno::ESRCH.into());
    }
    if target.sid == pid {
        return Err(Errno::EPERM.into());
    }
    let joins_own_session = ctx.kernel.processes.values().any(|p| p.pgid == pgid && p.sid == session);
    if pgid != pid && !joins_own_session {
        return Err(Errno::EPERM.into());
    }
    if let Some(p) = ctx.kernel.processes.get_mut(&pid) {
        p.pgid = pgid;
    }
    Ok(0)
}

/// setsid(2).
pub fn setsid(ctx: &mut Ctx, _: &args::Setsid) -> SysResult {
    let pid = ctx.pid;
    if ctx.kernel.processes.values().any(|p| p.pgid == pid) {
        return Err(Errno::EPERM.into());
    }
    let p = ctx.process();
    p.sid = pid;
    p.pgid = pid;
    p.terminal = None;
    Ok(pid as u64)
}

/// set_tid_address(2).
pub fn set_tid_address(ctx: &mut Ctx, a: &args::SetTidAddress) -> SysResult {
    ctx.thread().clear_child_tid = a.tidptr;
    Ok(ctx.tid as u64)
}

/// personality(2). All bits are kept; ADDR_NO_RANDOMIZE holds anyway, and UNAME26 and PER_LINUX32 show in uname(2).
pub fn personality(ctx: &mut Ctx, a: &args::Personality) -> SysResult {
    // An aarch64 processor without 32-bit programs refuses to look like one (arm64_personality()).
    if ctx.arch == Arch::Aarch64 && a.persona & 0xff == crate::abi::consts::personality::PER_LINUX32 {
        return Err(Errno::EINVAL.into());
    }
    let p = ctx.process();
    let old = p.personality;
    if a.persona != u32::MAX {
        p.personality = a.persona;
    }
    Ok(old.into())
}

/// getcpu(2). All threads take turns on one host thread; each seems to stay on the first processor that it may use, and
/// all are of node 0.
pub fn getcpu(ctx: &mut Ctx, a: &args::Getcpu) -> SysResult {
    let cpu = ctx.kernel.cpu_of(ctx.tid);
    for (addr, value) in [(a.cpu, cpu), (a.node, 0)] {
        if addr != GuestAddr::NULL {
            ctx.mem().copy_out(addr, &value)?;
        }
    }
    Ok(0)
}
