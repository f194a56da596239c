//! Waiting for children: wait4(2), waitid(2).

use super::*;
use crate::abi::consts::{si_code_chld as cld, wait, waitid as id_type};
use crate::abi::siginfo::RawSigInfo;
use crate::kernel::signal::{ChildChange, Fields, SigInfo};
use crate::mem::GuestAddr;

/// Options that wait4(2) knows.
const WAIT4_OPTIONS: u32 =
    wait::WNOHANG | wait::WSTOPPED | wait::WCONTINUED | wait::__WNOTHREAD | wait::__WCLONE | wait::__WALL;

/// Which children a call means.
#[derive(Clone, Copy, Debug)]
enum Which {
    Any,
    Process(Pid),
    Group(Pid),
}

/// What a child tells.
#[derive(Clone, Copy, Debug)]
enum Report {
    Ended(ExitStatus),
    Changed(ChildChange),
}

impl Report {
    /// The status word of wait4(2).
    fn wait_status(self) -> i32 {
        match self {
            Report::Ended(status) => status.to_wait_status(),
            Report::Changed(ChildChange::Stopped(signal)) => i32::from(signal.0) << 8 | 0x7f,
            Report::Changed(ChildChange::Continued) => 0xffff,
        }
    }

    /// `si_code` and `si_status` of waitid(2).
    fn code_and_status(self) -> (u32, i32) {
        match self {
            Report::Ended(ExitStatus::Code(code)) => (cld::CLD_EXITED, code),
            Report::Ended(ExitStatus::Signal { signal, core: false }) => (cld::CLD_KILLED, signal.0.into()),
            Report::Ended(ExitStatus::Signal { signal, core: true }) => (cld::CLD_DUMPED, signal.0.into()),
            Report::Changed(ChildChange::Stopped(signal)) => (cld::CLD_STOPPED, signal.0.into()),
            Report::Changed(ChildChange::Continued) => (cld::CLD_CONTINUED, Signal::SIGCONT.0.into()),
        }
    }
}

/// What was found: which child, its user, what it tells and what it has used.
struct Found {
    pid: Pid,
    uid: u32,
    report: Report,
    used: time::CpuTime,
}

/// wait4(2).
pub fn wait4(ctx: &mut Ctx, a: &args::Wait4) -> SysResult {
    if a.options & !WAIT4_OPTIONS != 0 {
        return Err(Errno::EINVAL.into());
    }
    let which = match a.pid {
        i32::MIN => return Err(Errno::ESRCH.into()),
        -1 => Which::Any,
        0 => Which::Group(ctx.process().pgid),
        group if group < 0 => Which::Group(-group),
        pid => Which::Process(pid),
    };
    let Some(found) = wait_for(ctx, which, a.options | wait::WEXITED)? else { return Ok(0) };
    if !a.rusage.is_null() {
        let usage = sys::usage_of(ctx, found.used);
        ctx.mem().copy_out(a.rusage, &usage)?;
    }
    if !a.wstatus.is_null() {
        ctx.mem().copy_out(a.wstatus, &found.report.wait_status())?;
    }
    Ok(found.pid as u64)
}

/// waitid(2).
pub fn waitid(ctx: &mut Ctx, a: &args::Waitid) -> SysResult {
    let found = match wait_by_id(ctx, a) {
        Err(Stop::Block(wait)) => return Err(Stop::Block(wait)),
        other => other,
    };
    if let Ok(Some(found)) = &found
        && !a.rusage.is_null()
    {
        let usage = sys::usage_of(ctx, found.used);
        ctx.mem().copy_out(a.rusage, &usage)?;
    }
    if !a.infop.is_null() {
        // Without a child to report, and whatever the reason, Linux clears what it would have told of one.
        let raw = match &found {
            Ok(Some(found)) => info_of(found).to_raw(),
            _ => RawSigInfo::new(0, 0, 0),
        };
        write_info(ctx, a.infop, &raw)?;
    }
    found.map(|_| 0)
}

/// Writes the members that waitid(2) fills: si_signo, si_errno, si_code; then, after a gap, si_pid, si_uid, si_status.
fn write_info(ctx: &mut Ctx, addr: GuestAddr, raw: &RawSigInfo) -> Result<(), Errno> {
    let mut mem = ctx.mem();
    mem.copy_out(addr, &[raw.signo, raw.errno, raw.code])?;
    mem.copy_out(GuestAddr(addr.0.wrapping_add(16)), &[raw.get32(0), raw.get32(4), raw.get32(8)])
}

fn info_of(found: &Found) -> SigInfo {
    let (code, status) = found.report.code_and_status();
    let fields = Fields::Child { pid: found.pid, uid: found.uid, status, utime: 0, stime: 0 };
    SigInfo { signal: Signal::SIGCHLD, code: code as i32, errno: 0, fields }
}

fn wait_by_id(ctx: &mut Ctx, a: &args::Waitid) -> Result<Option<Found>, Stop> {
    let known = WAIT4_OPTIONS | wait::WEXITED | wait::WNOWAIT;
    let kinds = wait::WEXITED | wait::WSTOPPED | wait::WCONTINUED;
    if a.options & !known != 0 || a.options & kinds == 0 {
        return Err(Errno::EINVAL.into());
    }
    let which = match a.which {
        id_type::P_ALL => Which::Any,
        id_type::P_PID if a.pid > 0 => Which::Process(a.pid),
        id_type::P_PGID if a.pid > 0 => Which::Group(a.pid),
        id_type::P_PGID if a.pid == 0 => Which::Group(ctx.process().pgid),
        id_type::P_PIDFD if a.pid < 0 => return Err(Errno::EINVAL.into()),
        id_type::P_PIDFD => return wait_by_pidfd(ctx, a),
        _ => return Err(Errno::EINVAL.into()),
    };
    wait_for(ctx, which, a.options)
}

/// P_PIDFD. A pidfd with O_NONBLOCK does not wait, and then says so.
fn wait_by_pidfd(ctx: &mut Ctx, a: &args::Waitid) -> Result<Option<Found>, Stop> {
    let file = ctx.file(a.pid)?;
    let pidfd = file.downcast::<PidFd>().ok_or(Errno::EBADF)?;
    let pid = pidfd.target(ctx.kernel).ok_or(Errno::ECHILD)?;
    let impatient = file.is_nonblocking() && a.options & wait::WNOHANG == 0;
    let options = a.options | if impatient { wait::WNOHANG } else { 0 };
    match wait_for(ctx, Which::Process(pid), options)? {
        None if impatient => Err(Errno::EAGAIN.into()),
        found => Ok(found),
    }
}

/// Finds a child that has something to report, and takes the report; `None`: none has, and WNOHANG is given.
fn wait_for(ctx: &mut Ctx, which: Which, options: u32) -> Result<Option<Found>, Stop> {
    let (parent, tid) = (ctx.pid, ctx.tid);
    let meant = |p: &&Process| {
        let named = match which {
            Which::Any => true,
            Which::Process(pid) => p.pid == pid,
            Which::Group(pgid) => p.pgid == pgid,
        };
        let is_clone = p.exit_signal != i32::from(Signal::SIGCHLD.0);
        let kind = options & wait::__WALL != 0 || is_clone == (options & wait::__WCLONE != 0);
        p.ppid == parent && named && kind && (options & wait::__WNOTHREAD == 0 || p.creator == tid)
    };
    let reports = |p: &Process| match (p.exit, p.signals.unreported) {
        (Some(status), _) => (options & wait::WEXITED != 0).then_some(Report::Ended(status)),
        (None, Some(change)) => {
            let option = match change {
                ChildChange::Stopped(_) => wait::WSTOPPED,
                ChildChange::Continued => wait::WCONTINUED,
            };
            (options & option != 0).then_some(Report::Changed(change))
        }
        (None, None) => None,
    };
    let mut children = ctx.kernel.processes.values().filter(meant).peekable();
    if children.peek().is_none() {
        return Err(Errno::ECHILD.into());
    }
    if let Some((pid, report)) = children.find_map(|p| Some((p.pid, reports(p)?))) {
        return Ok(take(ctx, pid, report, options & wait::WNOWAIT != 0));
    }
    if options & wait::WNOHANG != 0 {
        return Ok(None);
    }
    Err(ctx.wait(Wait::key(WaitKey::Child(parent)), Errno::ERESTARTSYS))
}

/// Takes a child's report, unless it shall stay; an ended child is gone then.
fn take(ctx: &mut Ctx, pid: Pid, report: Report, stays: bool) -> Option<Found> {
    let own = ctx.kernel.process_cpu(pid);
    let child = ctx.kernel.processes.get_mut(&pid)?;
    let used = own + child.accounts.children;
    let first = child.threads.first().and_then(|t| ctx.kernel.threads.get(t));
    let uid = first.map_or(child.owner_at_exit, |t| t.credentials.uid[0]);
    if !stays {
        match report {
            Report::Ended(_) => {
                let gone = ctx.kernel.reap(pid);
                let max_rss = sys::usage_of(ctx, used).ru_maxrss as u64;
                let accounts = &mut ctx.process().accounts;
                accounts.children = accounts.children + used;
                let below = gone.map_or(0, |p| p.accounts.children_max_rss_kib);
                accounts.children_max_rss_kib = accounts.children_max_rss_kib.max(max_rss).max(below);
            }
            Report::Changed(_) => child.signals.unreported = None,
        }
    }
    Some(Found { pid, uid, report, used })
}
