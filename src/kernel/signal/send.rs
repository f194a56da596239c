//! Sending signals: kill(2), tgkill(2), rt_sigqueueinfo(2), and the kernel's own.

use super::*;
use crate::abi::consts::cap::CAP_KILL;
use crate::abi::consts::{si_code, si_code_chld as cld, sigaction as sa};
use crate::abi::siginfo::RawSigInfo;
use crate::syscalls::args;

/// Stop signals, which SIGCONT takes back and which take back SIGCONT.
const STOPS: SigSet = SigSet(
    1 << (Signal::SIGSTOP.0 - 1)
        | 1 << (Signal::SIGTSTP.0 - 1)
        | 1 << (Signal::SIGTTIN.0 - 1)
        | 1 << (Signal::SIGTTOU.0 - 1),
);

/// Index of RLIMIT_SIGPENDING.
const RLIMIT_SIGPENDING: usize = 11;

/// Who shall take a signal.
#[derive(Clone, Copy)]
enum Target {
    /// Any thread of the process.
    Process(Pid),
    /// This thread alone.
    Thread(Pid, Tid),
}

impl Kernel {
    /// Sends a signal to a process as a whole; one of its threads will take it. Nothing happens if the process is gone
    /// or ignores the signal, or if a standard signal is pending already.
    ///
    /// # Errors
    /// `ESRCH`: there is no such process. `EAGAIN`: RLIMIT_SIGPENDING, for real-time signals sent with a value.
    pub fn send_signal(&mut self, pid: Pid, info: SigInfo) -> Result<(), Errno> {
        if !self.processes.contains_key(&pid) {
            return Err(Errno::ESRCH);
        }
        self.send(Target::Process(pid), info)
    }

    /// Sends a signal to one thread.
    ///
    /// # Errors
    /// As [`Kernel::send_signal`].
    pub fn send_signal_thread(&mut self, tid: Tid, info: SigInfo) -> Result<(), Errno> {
        let pid = self.threads.get(&tid).ok_or(Errno::ESRCH)?.pid;
        self.send(Target::Thread(pid, tid), info)
    }

    /// Sends a signal that the thread cannot escape: if it is blocked or ignored, its action becomes the default one
    /// (`force_sig_info` of Linux). For faults.
    pub fn force_signal(&mut self, tid: Tid, info: SigInfo) {
        let Some(t) = self.threads.get_mut(&tid) else { return };
        let blocked = t.signals.mask.contains(info.signal);
        let mut actions = t.actions.borrow_mut();
        let action = actions.get_mut(info.signal);
        if blocked || action.is_ignore() {
            *action = Action { handler: 0, ..*action };
        }
        drop(actions);
        t.signals.mask.remove(info.signal);
        // A forced signal is never refused: it is not one of those that RLIMIT_SIGPENDING limits.
        let _ = self.send_signal_thread(tid, info);
    }

    /// Whether a signal waits that the thread would take now. A call that is about to wait gives up then.
    pub fn signal_pending(&self, tid: Tid) -> bool {
        self.threads.get(&tid).is_some_and(|t| self.has_signal_for(t))
    }

    #[inline]
    fn has_signal_for(&self, t: &Thread) -> bool {
        let Some(p) = self.processes.get(&t.pid) else { return false };
        let sent = t.signals.pending.set.union(p.pending.set);
        p.signals.stopped_by.is_some() || !sent.without(t.signals.mask).is_empty()
    }

    /// Whether [`Kernel::deliver`] has anything to do for a thread.
    #[inline]
    pub(super) fn is_due(&self, t: &Thread) -> bool {
        t.restart.is_some() || t.signals.saved_mask.is_some() || self.has_signal_for(t)
    }

    /// Whether anything is to be done before a thread's program can go on: a signal, a call to be settled, something for
    /// observers to hear, or it is not there to go on.
    #[inline]
    pub fn is_held(&self, tid: Tid) -> bool {
        let Some(t) = self.threads.get(&tid) else { return true };
        !matches!(t.state, State::Runnable)
            || !self.events.is_empty()
            || !t.signals.dropped.is_empty()
            || self.is_due(t)
    }

    /// Drops pending signals of a process and of all its threads.
    pub(crate) fn flush_signals(&mut self, pid: Pid, signals: SigSet) {
        let Some(p) = self.processes.get_mut(&pid) else { return };
        p.pending.flush(signals);
        for tid in &p.threads {
            if let Some(t) = self.threads.get_mut(tid) {
                t.signals.pending.flush(signals);
            }
        }
    }

    fn send(&mut self, target: Target, info: SigInfo) -> Result<(), Errno> {
        let (pid, first) = match target {
            Target::Process(pid) => (pid, self.processes.get(&pid).and_then(|p| p.threads.first().copied())),
            Target::Thread(pid, tid) => (pid, Some(tid)),
        };
        // A zombie has no threads: sending to it succeeds and does nothing.
        let Some(first) = first else { return Ok(()) };
        let signal = info.signal;
        self.cancel_opposites(pid, signal);
        if self.is_ignored(first, signal) {
            // Observers hear of it as a tracer would; the program does not.
            match self.threads.get_mut(&first) {
                Some(t) if t.is_about_to_return() => t.signals.dropped.push(info),
                _ => self.events.push(Event::Signal { tid: first, info }),
            }
            return Ok(());
        }
        let room = self.has_room(pid, first, &info);
        let Some(pending) = self.pending_of(target) else { return Ok(()) };
        if signal < Signal::RTMIN && pending.set.contains(signal) {
            return Ok(());
        }
        if !room && signal >= Signal::RTMIN && info.code != si_code::SI_USER as i32 {
            return Err(Errno::EAGAIN);
        }
        pending.add(info, room);
        self.wake_all(WaitKey::Signals(pid));
        match target {
            Target::Process(pid) => self.alert_one(pid, signal),
            Target::Thread(_, tid) => {
                if self.wants(tid, signal) {
                    self.interrupt(tid, signal);
                }
            }
        }
        Ok(())
    }

    fn pending_of(&mut self, target: Target) -> Option<&mut Pending> {
        match target {
            Target::Process(pid) => self.processes.get_mut(&pid).map(|p| &mut p.pending),
            Target::Thread(_, tid) => self.threads.get_mut(&tid).map(|t| &mut t.signals.pending),
        }
    }

    /// SIGCONT and stop signals cancel each other, even when they are blocked or ignored; SIGCONT and SIGKILL end a
    /// stop at once.
    fn cancel_opposites(&mut self, pid: Pid, signal: Signal) {
        if STOPS.contains(signal) {
            self.flush_signals(pid, SigSet(Signal::SIGCONT.bit()));
        } else if signal == Signal::SIGCONT {
            self.flush_signals(pid, STOPS);
        }
        if matches!(signal, Signal::SIGCONT | Signal::SIGKILL) {
            self.end_stop(pid, signal);
        }
    }

    pub(super) fn end_stop(&mut self, pid: Pid, by: Signal) {
        let Some(p) = self.processes.get_mut(&pid) else { return };
        if p.signals.stopped_by.take().is_none() {
            return;
        }
        for &tid in &p.threads {
            if let Some(t) = self.threads.get_mut(&tid)
                && matches!(t.state, State::Stopped)
            {
                t.state = State::Runnable;
                self.queue.push(tid);
            }
        }
        if by == Signal::SIGCONT {
            p.signals.unreported = Some(ChildChange::Continued);
            self.notify_parent(pid, cld::CLD_CONTINUED, i32::from(by.0));
        }
    }

    /// Whether the signal would have no effect. A blocked one is kept, as its action may change before it is taken.
    fn is_ignored(&self, tid: Tid, signal: Signal) -> bool {
        self.threads.get(&tid).is_some_and(|t| {
            !t.signals.mask.contains(signal)
                && !t.signals.awaited.contains(signal)
                && t.actions.borrow().get(signal).drops(signal)
        })
    }

    /// Whether an entry may be queued for the signal. Standard signals from the kernel and from kill(2) always may.
    fn has_room(&self, pid: Pid, first: Tid, info: &SigInfo) -> bool {
        if info.signal < Signal::RTMIN && info.code >= 0 {
            return true;
        }
        let limit = self.processes.get(&pid).map_or(u64::MAX, |p| p.limits[RLIMIT_SIGPENDING].soft);
        let uid = |t: &Thread| t.credentials.uid[0];
        let Some(owner) = self.threads.get(&first).map(uid) else { return true };
        let own = self.threads.values().filter(|t| uid(t) == owner);
        let private: usize = own.map(|t| t.signals.pending.queue.len()).sum();
        let of_owner =
            |p: &&Process| p.threads.first().and_then(|t| self.threads.get(t)).is_some_and(|t| uid(t) == owner);
        let shared: usize = self.processes.values().filter(of_owner).map(|p| p.pending.queue.len()).sum();
        ((private + shared) as u64) < limit
    }

    /// Whether the thread would take the signal at once.
    fn wants(&self, tid: Tid, signal: Signal) -> bool {
        let Some(t) = self.threads.get(&tid) else { return false };
        if t.signals.mask.contains(signal) && !t.signals.awaited.contains(signal) {
            return false;
        }
        signal == Signal::SIGKILL || !matches!(t.state, State::Stopped)
    }

    /// Interrupts one thread that takes the signal: the first that has nothing else to take.
    fn alert_one(&mut self, pid: Pid, signal: Signal) {
        let Some(p) = self.processes.get(&pid) else { return };
        let willing: Vec<Tid> = p.threads.iter().copied().filter(|t| self.wants(*t, signal)).collect();
        let idle = willing.iter().copied().find(|t| {
            // The signal itself is in the process's queue already; only private ones tell the threads apart.
            self.threads.get(t).is_some_and(|t| t.signals.pending.set.without(t.signals.mask).is_empty())
        });
        if let Some(tid) = idle.or(willing.first().copied()) {
            self.interrupt(tid, signal);
        }
    }

    /// Ends the wait of a thread that has a signal to take.
    fn interrupt(&mut self, tid: Tid, signal: Signal) {
        let Some(t) = self.threads.get_mut(&tid) else { return };
        if !t.signals.mask.contains(signal) {
            t.interrupted = t.in_call.is_some();
        }
        match t.state {
            State::Blocked(_) => self.wake(tid),
            State::Stopped if signal == Signal::SIGKILL => {
                t.state = State::Runnable;
                self.queue.push(tid);
            }
            _ => {}
        }
    }

    /// After a thread has blocked more signals, or ended: others take the process's signals that it left.
    pub(in crate::kernel) fn retarget(&mut self, pid: Pid, signals: SigSet) {
        let Some(p) = self.processes.get(&pid) else { return };
        if p.threads.is_empty() {
            return;
        }
        for signal in p.pending.set.intersection(signals).iter() {
            self.alert_one(pid, signal);
        }
    }

    /// Tells the parent that a child has ended, stopped or gone on (SIGCHLD, or what clone(2) chose for the end), and
    /// wakes it if it waits for that.
    pub(crate) fn notify_parent(&mut self, pid: Pid, code: u32, status: i32) {
        let cpu = self.process_cpu(pid);
        let Some(child) = self.processes.get(&pid) else { return };
        let parent = child.ppid;
        let uid = child.threads.first().and_then(|t| self.threads.get(t));
        let uid = uid.map_or(child.owner_at_exit, |t| t.credentials.uid[0]);
        let is_end = crate::kernel::exit::is_end(code);
        let signal = if is_end { Signal::new(child.exit_signal) } else { Some(Signal::SIGCHLD) };
        // clock_t of siginfo: hundredths of a second.
        let ticks = |ns: u64| (ns / 10_000_000) as i64;
        let fields = Fields::Child { pid, uid, status, utime: ticks(cpu.user_ns), stime: ticks(cpu.system_ns) };
        let quiet = !is_end && self.action_of(parent, Signal::SIGCHLD).is_some_and(|a| a.has(sa::SA_NOCLDSTOP));
        if let Some(signal) = signal
            && !quiet
        {
            // No parent inside the machine: nobody to tell.
            let _ = self.send_signal(parent, SigInfo { signal, code: code as i32, errno: 0, fields });
        }
        self.wake_all(WaitKey::Child(parent));
    }

    /// The action of a process for a signal.
    pub(crate) fn action_of(&self, pid: Pid, signal: Signal) -> Option<Action> {
        let first = self.processes.get(&pid)?.threads.first()?;
        Some(*self.threads.get(first)?.actions.borrow().get(signal))
    }

    /// The process that an id means which may be that of any of its threads, as Linux takes it in kill(2).
    fn group_of(&self, id: Pid) -> Pid {
        self.threads.get(&id).map_or(id, |t| t.pid)
    }

    /// Whether the thread `from` may send `signal` to the process (kill(2)).
    fn may_signal(&self, from: Tid, to: Pid, signal: Option<Signal>) -> bool {
        let (Some(sender), Some(target)) = (self.threads.get(&from), self.processes.get(&to)) else { return false };
        if sender.pid == to {
            return true;
        }
        // A zombie keeps no credentials here; sending to it has no effect anyway.
        let Some(owner) = target.threads.first().and_then(|t| self.threads.get(t)) else { return true };
        let ([uid, euid, ..], [ruid, _, suid, _]) = (sender.credentials.uid, owner.credentials.uid);
        let same_session = self.processes.get(&sender.pid).is_some_and(|p| p.sid == target.sid);
        [uid, euid].iter().any(|id| *id == ruid || *id == suid)
            || sender.credentials.has(CAP_KILL)
            || signal == Some(Signal::SIGCONT) && same_session
    }
}

impl Ctx<'_> {
    /// Sends a signal to the calling thread on account of its own call (SIGPIPE, SIGXFSZ).
    pub fn raise(&mut self, signal: Signal) {
        let info = self.user_info(signal, si_code::SI_USER);
        // Not a real-time signal: always accepted.
        let _ = self.kernel.send_signal_thread(self.tid, info);
    }

    /// The caller as the sender of a signal.
    fn user_info(&mut self, signal: Signal, code: u32) -> SigInfo {
        let (pid, uid) = (self.pid, self.thread().credentials.uid[0]);
        SigInfo { code: code as i32, ..SigInfo::kill(signal, pid, uid) }
    }

    /// Checks and sends to one process; `signal` 0 only checks.
    fn signal_process(
        &mut self,
        pid: Pid,
        number: i32,
        info: impl Fn(&mut Self, Signal) -> SigInfo,
    ) -> Result<(), Errno> {
        if !self.kernel.processes.contains_key(&pid) {
            return Err(Errno::ESRCH);
        }
        let signal = signal_or_probe(number)?;
        if !self.kernel.may_signal(self.tid, pid, signal) {
            return Err(Errno::EPERM);
        }
        match signal {
            Some(signal) => {
                let info = info(self, signal);
                self.kernel.send_signal(pid, info)
            }
            None => Ok(()),
        }
    }

    /// Checks and sends to one thread, of process `tgid` if that is given.
    fn signal_thread(
        &mut self,
        tgid: Option<Pid>,
        tid: Tid,
        number: i32,
        info: impl Fn(&mut Self, Signal) -> SigInfo,
    ) -> SysResult {
        let pid = self.kernel.threads.get(&tid).map(|t| t.pid).ok_or(Errno::ESRCH)?;
        if tgid.is_some_and(|t| t != pid) {
            return Err(Errno::ESRCH.into());
        }
        let signal = signal_or_probe(number)?;
        if !self.kernel.may_signal(self.tid, pid, signal) {
            return Err(Errno::EPERM.into());
        }
        if let Some(signal) = signal {
            let info = info(self, signal);
            self.kernel.send_signal_thread(tid, info)?;
        }
        Ok(0)
    }

    /// The siginfo_t of rt_sigqueueinfo(2) and its kin.
    fn read_info(&self, number: i32, addr: GuestAddr) -> Result<RawSigInfo, Errno> {
        let raw = self.mem().copy_in::<RawSigInfo>(addr)?;
        Ok(RawSigInfo { signo: number, ..raw })
    }
}

/// Who shall get a signal that is sent by a pidfd.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// This thread.
    Thread(Tid),
    /// This process.
    Process(Pid),
    /// The process group with this id.
    Group(Pid),
}

impl Ctx<'_> {
    /// pidfd_send_signal(2) to `to`; a null `info` stands for the caller's.
    ///
    /// # Errors
    /// Those of that call.
    pub fn signal_by_pidfd(&mut self, to: Scope, number: i32, info: GuestAddr) -> SysResult {
        let (Scope::Thread(id) | Scope::Process(id) | Scope::Group(id)) = to;
        let raw = match info.is_null() {
            true => None,
            false => {
                let raw = self.mem().copy_in::<RawSigInfo>(info)?;
                if raw.signo != number {
                    return Err(Errno::EINVAL.into());
                }
                if is_reserved(raw.code) && id != self.pid && id != self.tid {
                    return Err(Errno::EPERM.into());
                }
                Some(raw)
            }
        };
        let code = if matches!(to, Scope::Thread(_)) { si_code::SI_TKILL } else { si_code::SI_USER };
        let info = |ctx: &mut Ctx, s: Signal| match &raw {
            Some(raw) => SigInfo::from_raw(s, raw),
            None => ctx.user_info(s, code),
        };
        match to {
            Scope::Thread(tid) => self.signal_thread(None, tid, number, info),
            Scope::Process(pid) => self.signal_process(pid, number, info).map(|()| 0).map_err(Stop::from),
            Scope::Group(group) => {
                let members: Vec<Pid> =
                    self.kernel.processes.values().filter(|p| p.pgid == group).map(|p| p.pid).collect();
                let results: Vec<_> = members.into_iter().map(|pid| self.signal_process(pid, number, info)).collect();
                let refused = results.iter().find_map(|r| r.err()).unwrap_or(Errno::ESRCH);
                if results.iter().any(Result::is_ok) { Ok(0) } else { Err(refused.into()) }
            }
        }
    }
}

/// A signal number that a call got; `None` for 0, which asks only whether the target could be signalled.
fn signal_or_probe(number: i32) -> Result<Option<Signal>, Errno> {
    match number {
        0 => Ok(None),
        n => Signal::new(n).map(Some).ok_or(Errno::EINVAL),
    }
}

/// Whether only the kernel may send a siginfo with this code to another process.
fn is_reserved(code: i32) -> bool {
    code >= 0 || code == si_code::SI_TKILL as i32
}

/// kill(2).
pub fn kill(ctx: &mut Ctx, a: &args::Kill) -> SysResult {
    let by_user = |ctx: &mut Ctx, s: Signal| ctx.user_info(s, si_code::SI_USER);
    if a.pid > 0 {
        let pid = ctx.kernel.group_of(a.pid);
        ctx.signal_process(pid, a.sig, by_user)?;
        return Ok(0);
    }
    let own_group = ctx.process().pgid;
    let own = ctx.pid;
    let wanted = |p: &Process| match a.pid {
        -1 => p.pid != own && p.pid != 1,
        0 => p.pgid == own_group,
        group => group.checked_neg() == Some(p.pgid),
    };
    let targets: Vec<Pid> = ctx.kernel.processes.values().filter(|p| wanted(p)).map(|p| p.pid).collect();
    let mut sent = false;
    let mut error = Errno::ESRCH;
    for pid in targets {
        match ctx.signal_process(pid, a.sig, by_user) {
            Ok(()) => sent = true,
            Err(e) => error = e,
        }
    }
    // One success is a success; else the last error counts.
    if sent { Ok(0) } else { Err(error.into()) }
}

/// tkill(2).
pub fn tkill(ctx: &mut Ctx, a: &args::Tkill) -> SysResult {
    if a.tid <= 0 {
        return Err(Errno::EINVAL.into());
    }
    ctx.signal_thread(None, a.tid, a.sig, |ctx, s| ctx.user_info(s, si_code::SI_TKILL))
}

/// tgkill(2).
pub fn tgkill(ctx: &mut Ctx, a: &args::Tgkill) -> SysResult {
    if a.tgid <= 0 || a.tid <= 0 {
        return Err(Errno::EINVAL.into());
    }
    ctx.signal_thread(Some(a.tgid), a.tid, a.sig, |ctx, s| ctx.user_info(s, si_code::SI_TKILL))
}

/// rt_sigqueueinfo(2).
pub fn rt_sigqueueinfo(ctx: &mut Ctx, a: &args::RtSigqueueinfo) -> SysResult {
    let raw = ctx.read_info(a.sig, a.info)?;
    if is_reserved(raw.code) && a.tgid != ctx.tid {
        return Err(Errno::EPERM.into());
    }
    let pid = ctx.kernel.group_of(a.tgid);
    ctx.signal_process(pid, a.sig, |_, s| SigInfo::from_raw(s, &raw))?;
    Ok(0)
}

/// rt_tgsigqueueinfo(2).
pub fn rt_tgsigqueueinfo(ctx: &mut Ctx, a: &args::RtTgsigqueueinfo) -> SysResult {
    let raw = ctx.read_info(a.sig, a.info)?;
    if a.tgid <= 0 || a.tid <= 0 {
        return Err(Errno::EINVAL.into());
    }
    if is_reserved(raw.code) && a.tid != ctx.tid {
        return Err(Errno::EPERM.into());
    }
    ctx.signal_thread(Some(a.tgid), a.tid, a.sig, |_, s| SigInfo::from_raw(s, &raw))
}
