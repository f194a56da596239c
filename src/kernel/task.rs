//! Processes and threads: creation, exit, identity, prctl.

use super::*;
use crate::syscalls::args;

/// What prctl(2) keeps for a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// PR_SET_DUMPABLE.
    pub dumpable: u32,
    /// PR_SET_PDEATHSIG.
    pub parent_death_signal: i32,
    /// PR_SET_KEEPCAPS.
    pub keep_caps: bool,
    /// PR_SET_NO_NEW_PRIVS.
    pub no_new_privs: bool,
    /// PR_SET_CHILD_SUBREAPER.
    pub child_subreaper: bool,
    /// PR_SET_TIMERSLACK, in nanoseconds.
    pub timer_slack_ns: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            dumpable: 1,
            parent_death_signal: 0,
            keep_caps: false,
            no_new_privs: false,
            child_subreaper: false,
            timer_slack_ns: 50_000,
        }
    }
}

impl Kernel {
    /// Ends a process: all its threads go, and it stays as a zombie for its parent.
    pub fn exit_process(&mut self, pid: Pid, status: ExitStatus) {
        let Some(p) = self.processes.get_mut(&pid) else { return };
        p.exit = Some(status);
        for tid in std::mem::take(&mut p.threads) {
            self.threads.remove(&tid);
            self.queue.remove(tid);
        }
        self.events.push(Event::Exited { pid, status });
    }
}

/// exit_group(2).
pub fn exit_group(ctx: &mut Ctx, a: &args::ExitGroup) -> SysResult {
    let pid = ctx.pid;
    ctx.kernel.exit_process(pid, ExitStatus::Code(a.status & 0xff));
    Err(Stop::NoReturn)
}

/// getpid(2).
pub fn getpid(ctx: &mut Ctx, _: &args::Getpid) -> SysResult {
    Ok(ctx.pid as u64)
}
