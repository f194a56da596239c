//! Processes and threads: creation, exit, identity, scheduling, prctl.

mod capability;
mod ids;
mod policy;
mod prctl;
mod rseq;
mod user;
mod wait;

pub use capability::*;
pub use ids::*;
pub use policy::*;
pub use prctl::{Settings, arch_prctl, prctl};
pub use rseq::{Rseq, rseq};
pub use user::*;
pub use wait::*;

use super::*;
use crate::syscalls::args;

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
