//! The end of threads and processes: exit(2), exit_group(2), and death by a signal.

use super::*;
use crate::abi::consts::{si_code_chld as cld, sigaction as sa};
use crate::syscalls::args;

/// Whether a `si_code` of SIGCHLD says that the child has ended.
pub(crate) fn is_end(code: u32) -> bool {
    matches!(code, cld::CLD_EXITED | cld::CLD_KILLED | cld::CLD_DUMPED)
}

impl Kernel {
    /// Ends a process: all its threads go, and it stays as a zombie for its parent.
    pub fn exit_process(&mut self, pid: Pid, status: ExitStatus) {
        let Some(p) = self.processes.get(&pid) else { return };
        if p.exit.is_some() {
            return;
        }
        let (parent, threads) = (p.ppid, p.threads.clone());
        if self.config.count_pages {
            let space = threads.first().and_then(|t| self.threads.get(t)).map(|t| t.space.borrow().resident_pages());
            self.counters.pages += space.unwrap_or(0);
        }
        let (code, number) = match status {
            ExitStatus::Code(c) => (cld::CLD_EXITED, c),
            ExitStatus::Signal { signal, core: false } => (cld::CLD_KILLED, i32::from(signal.0)),
            ExitStatus::Signal { signal, core: true } => (cld::CLD_DUMPED, i32::from(signal.0)),
        };
        // A parent that does not care for its children never waits for them (wait(2), NOTES).
        let unloved = self.action_of(parent, Signal::SIGCHLD).is_some_and(|a| a.is_ignore() || a.has(sa::SA_NOCLDWAIT));
        self.events.push(Event::Exited { pid, status });
        if let Some(p) = self.processes.get_mut(&pid) {
            p.exit = Some(status);
        }
        self.notify_parent(pid, code, number);
        for tid in threads {
            self.release_thread(tid);
        }
        self.drop_timers(pid);
        if unloved {
            self.processes.remove(&pid);
        }
    }

    /// Ends one thread; the process ends with its last one.
    fn exit_thread(&mut self, tid: Tid, code: i32) {
        let Some(t) = self.threads.get(&tid) else { return };
        let pid = t.pid;
        if self.processes.get(&pid).is_some_and(|p| p.threads.iter().all(|t| *t == tid)) {
            return self.exit_process(pid, ExitStatus::Code(code));
        }
        self.events.push(Event::ThreadExited { tid, status: code });
        self.release_thread(tid);
    }

    /// Takes a thread out of the machine and tells who waits for that (set_tid_address(2)).
    fn release_thread(&mut self, tid: Tid) {
        self.queue.remove(tid);
        self.futexes.remove(tid);
        let cpu = self.thread_cpu(tid);
        let Some(t) = self.threads.remove(&tid) else { return };
        let mut others = 0;
        if let Some(p) = self.processes.get_mut(&t.pid) {
            p.accounts.ended = p.accounts.ended + cpu;
            p.threads.retain(|other| *other != tid);
            others = p.threads.len();
        }
        if t.clear_child_tid.is_null() || others == 0 && std::rc::Rc::strong_count(&t.space) == 1 {
            return;
        }
        let (space, word) = (t.space.borrow().id(), t.clear_child_tid);
        // A bad address is the program's own loss.
        let _ = t.space.borrow_mut().copy_out(word, &0u32);
        self.wake_futex_at(space, word);
    }
}

/// exit(2): ends the calling thread.
pub fn exit(ctx: &mut Ctx, a: &args::Exit) -> SysResult {
    let tid = ctx.tid;
    ctx.kernel.exit_thread(tid, a.status & 0xff);
    Err(Stop::NoReturn)
}

/// exit_group(2): ends the process.
pub fn exit_group(ctx: &mut Ctx, a: &args::ExitGroup) -> SysResult {
    let pid = ctx.pid;
    ctx.kernel.exit_process(pid, ExitStatus::Code(a.status & 0xff));
    Err(Stop::NoReturn)
}
