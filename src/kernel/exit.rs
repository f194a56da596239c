//! The end of threads and processes: exit(2), exit_group(2), and death by a signal.

use super::*;
use crate::abi::SigSet;
use crate::abi::consts::{si_code_chld as cld, sigaction as sa};
use crate::mem::{GuestAddr, Space};
use crate::syscalls::args;
use std::cell::RefCell;
use std::rc::Rc;

/// Whether a `si_code` of SIGCHLD says that the child has ended.
pub(crate) fn is_end(code: u32) -> bool {
    matches!(code, cld::CLD_EXITED | cld::CLD_KILLED | cld::CLD_DUMPED)
}

/// The parent of orphans, as they see it.
const INIT: Pid = 1;

impl Kernel {
    /// Ends a process: all its threads go, and it stays as a zombie for its parent.
    pub fn exit_process(&mut self, pid: Pid, status: ExitStatus) {
        let Some(p) = self.processes.get(&pid) else { return };
        if p.exit.is_some() {
            return;
        }
        let (parent, exit_signal, threads) = (p.ppid, p.exit_signal, p.threads.clone());
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
        let unloved = exit_signal == i32::from(Signal::SIGCHLD.0)
            && self.action_of(parent, Signal::SIGCHLD).is_some_and(|a| a.is_ignore() || a.has(sa::SA_NOCLDWAIT));
        // The first process stays for whoever runs the machine.
        let is_orphan = pid != self.first_pid && self.processes.get(&parent).is_none_or(|p| p.exit.is_some());
        let first = threads.first().and_then(|t| self.threads.get(t));
        let (uid, comm) = first.map_or((0, Vec::new()), |t| (t.credentials.uid[0], t.comm.clone()));
        for tid in threads.iter().filter(|t| **t != pid) {
            self.events.push(Event::ThreadExited { tid: *tid, status });
        }
        self.events.push(Event::Exited { pid, status });
        let leader = threads.first().and_then(|t| self.threads.get(t));
        let segments = leader.map_or_else(Vec::new, |t| self.segments_in(&t.space.borrow(), GuestAddr::NULL, u64::MAX));
        self.leave_terminal(pid, tty::Leaving::End);
        for tid in threads {
            self.release_thread(tid);
        }
        self.settle_terminals();
        self.leave_ipc(pid, &segments);
        self.drop_timers(pid);
        if let Some(p) = self.processes.get_mut(&pid) {
            p.exit = Some(status);
            p.owner_at_exit = uid;
            p.comm_at_exit = comm;
            p.running = None;
            p.borrows_memory = false;
        }
        self.wake_all(WaitKey::Vfork(pid));
        self.wake_all(WaitKey::End(pid));
        self.hang_up_stopped_groups(pid);
        self.leave_children(pid);
        self.notify_parent(pid, code, number);
        if unloved || is_orphan {
            self.reap(pid);
        }
    }

    /// Gives the children of a process that has ended to the nearest ancestor that takes orphans
    /// (PR_SET_CHILD_SUBREAPER), or to nobody: process 1 is outside the machine and reaps at once.
    fn leave_children(&mut self, pid: Pid) {
        let mut heir = self.processes.get(&pid).map_or(0, |p| p.ppid);
        while let Some(p) = self.processes.get(&heir) {
            if p.settings.child_subreaper && p.exit.is_none() {
                break;
            }
            heir = p.ppid;
        }
        let heir = if self.processes.contains_key(&heir) { heir } else { INIT };
        let children: Vec<Pid> = self.processes.values().filter(|p| p.ppid == pid).map(|p| p.pid).collect();
        for child in children {
            let Some(p) = self.processes.get_mut(&child) else { continue };
            p.ppid = heir;
            p.creator = heir;
            p.exit_signal = Signal::SIGCHLD.0.into();
            let (ended, deathly) = (p.exit, Signal::new(p.settings.parent_death_signal));
            self.send_death_signal(child, deathly, pid);
            match ended {
                Some(_) if heir == INIT => {
                    self.reap(child);
                }
                Some(ExitStatus::Code(c)) => self.notify_parent(child, cld::CLD_EXITED, c),
                Some(ExitStatus::Signal { signal, core }) => {
                    let code = if core { cld::CLD_DUMPED } else { cld::CLD_KILLED };
                    self.notify_parent(child, code, signal.0.into());
                }
                None => {}
            }
        }
    }

    /// Whether the first process has ended and left others which need not be awaited.
    pub fn may_leave_behind(&self) -> bool {
        self.config.remaining == Remaining::LeaveBehind
            && !self.config.deterministic
            && self.config.limits.is_unlimited()
            && !self.has_locked_records
            && !self.threads.is_empty()
            && self.processes.get(&self.first_pid).is_some_and(|p| p.exit.is_some())
    }

    /// Divides sevm in two: one part to tell how the first process ended, one for the others, which has seen the first
    /// one reaped.
    ///
    /// # Errors
    /// The host cannot, and will not be asked again.
    pub fn leave_behind(&mut self) -> Result<Part, Errno> {
        self.config.remaining = Remaining::AwaitEnd;
        let part = self.host.divide()?;
        if part == Part::Back {
            self.reap(self.first_pid);
        }
        Ok(part)
    }

    /// Takes a zombie out of the machine; its pidfds hang up.
    pub(super) fn reap(&mut self, pid: Pid) -> Option<Process> {
        let gone = self.processes.remove(&pid);
        self.wake_all(WaitKey::End(pid));
        gone
    }

    /// PR_SET_PDEATHSIG of a child whose parent, a thread of process `pid`, has ended.
    fn send_death_signal(&mut self, child: Pid, signal: Option<Signal>, pid: Pid) {
        let uid = self.processes.get(&pid).map_or(0, |p| p.owner_at_exit);
        if let Some(signal) = signal {
            // A zombie takes no signal, and no other error is possible.
            let _ = self.send_signal(child, signal::SigInfo::kill(signal, pid, uid));
        }
    }

    /// A thread of process `pid`, which goes on, has ended: its children become those of another thread.
    fn leave_children_to_threads(&mut self, tid: Tid, pid: Pid) {
        let Some(heir) = self.processes.get(&pid).and_then(|p| p.threads.first().copied()) else { return };
        let children: Vec<(Pid, i32)> = self
            .processes
            .values_mut()
            .filter(|p| p.ppid == pid && p.creator == tid)
            .map(|p| {
                p.creator = heir;
                (p.pid, p.settings.parent_death_signal)
            })
            .collect();
        for (child, signal) in children {
            self.send_death_signal(child, Signal::new(signal), pid);
        }
    }

    /// Ends one thread; the process ends with its last one, whose code its parent is told (since Linux 5.18).
    fn exit_thread(&mut self, tid: Tid, code: i32) {
        let Some(t) = self.threads.get(&tid) else { return };
        let pid = t.pid;
        if self.processes.get(&pid).is_some_and(|p| p.threads.iter().all(|t| *t == tid)) {
            return self.exit_process(pid, ExitStatus::Code(code));
        }
        self.end_thread(tid, ExitStatus::Code(code));
    }

    /// Takes a thread out of the machine and tells who waits for that (set_tid_address(2)).
    fn release_thread(&mut self, tid: Tid) {
        self.queue.remove(tid);
        self.forget_wait(tid);
        self.release_futexes(tid);
        let cpu = self.thread_cpu(tid);
        let Some(t) = self.threads.remove(&tid) else { return };
        self.wake_all(WaitKey::End(tid));
        if let Some(p) = self.processes.get_mut(&t.pid) {
            p.accounts.ended = p.accounts.ended + cpu;
            p.threads.retain(|other| *other != tid);
        }
        if self.is_memory_in_use(&t.space, tid) {
            self.clear_child_tid(&t.space, t.clear_child_tid);
        } else {
            let space = t.space.borrow().id();
            self.forget_aio(space);
        }
    }

    /// Whether a thread other than `tid` has this memory.
    pub(super) fn is_memory_in_use(&self, space: &Rc<RefCell<Space>>, tid: Tid) -> bool {
        self.threads.values().any(|t| t.tid != tid && Rc::ptr_eq(&t.space, space))
    }

    /// Tells who waits for the thread at its set_tid_address(2), before the thread lets its memory go.
    fn clear_child_tid(&mut self, space: &RefCell<Space>, word: GuestAddr) {
        if word.is_null() {
            return;
        }
        // A bad address is the program's own loss.
        let _ = space.borrow_mut().copy_out(word, &0u32);
        self.wake_futex_at(&space.borrow(), word);
    }

    /// Thread `tid` is about to get other memory (execve(2)): who shares the present one hears of it.
    pub(super) fn release_memory(&mut self, tid: Tid) {
        self.release_futexes(tid);
        let Some(t) = self.threads.get(&tid) else { return };
        let (space, word) = (Rc::clone(&t.space), t.clear_child_tid);
        if self.is_memory_in_use(&space, tid) {
            self.clear_child_tid(&space, word);
        } else {
            let space = space.borrow().id();
            self.forget_aio(space);
        }
    }

    /// Ends one thread of a process that goes on.
    pub(super) fn end_thread(&mut self, tid: Tid, status: ExitStatus) {
        self.events.push(Event::ThreadExited { tid, status });
        self.end_silently(tid);
    }

    /// The same without a word to observers.
    pub(super) fn end_silently(&mut self, tid: Tid) {
        let Some(pid) = self.threads.get(&tid).map(|t| t.pid) else { return };
        self.release_thread(tid);
        self.leave_children_to_threads(tid, pid);
        self.retarget(pid, SigSet(u64::MAX));
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
