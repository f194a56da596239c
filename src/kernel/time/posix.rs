//! POSIX timers: timer_create(2) and its kin.
//!
//! A timer whose signal is still pending when it expires again does not send another: the expiration is counted as an
//! overrun in the pending signal (timer_getoverrun(2)).

use super::clock::{Clock, CpuKind};
use super::queue::expirations;
use super::*;
use crate::abi::consts::{sigev_notify, timer};
use crate::abi::{Itimerspec, Sigevent, Timespec};
use crate::kernel::signal::{Fields, SigInfo};
use crate::mem::GuestAddr;
use crate::syscalls::args;

/// Most overruns that are reported (DELAYTIMER_MAX).
const OVERRUN_MAX: u64 = i32::MAX as u64;

/// `si_code` of a timer's signal.
const SI_TIMER: i32 = -2;

/// Most timers of a process: Linux counts them as pending signals (RLIMIT_SIGPENDING).
const RLIMIT_SIGPENDING: usize = 11;

/// What an expiration does.
#[derive(Clone, Copy, Debug)]
enum Notify {
    Nothing,
    Process { signal: Signal, value: u64 },
    Thread { signal: Signal, value: u64, tid: Tid },
}

/// A timer.
#[derive(Debug)]
pub(super) struct PosixTimer {
    clock: Clock,
    notify: Notify,
    interval_ns: u64,
    /// When a timer by CPU time is due, on its clock. Others stand in the queue.
    cpu_due_ns: Option<u64>,
    /// Overruns of the signal sent last, and of the one before it.
    overrun: u64,
    last_overrun: u64,
}

impl PosixTimer {
    /// Whether its clock is CPU time and it runs.
    pub(super) fn goes_by_cpu(&self) -> bool {
        self.cpu_due_ns.is_some()
    }

    /// CPU time until it is due, if the running thread `tid` brings it nearer.
    pub(super) fn cpu_distance(&self, process: CpuTime, thread: CpuTime, tid: Tid) -> Option<u64> {
        let due = self.cpu_due_ns?;
        let pick = |t: CpuTime, kind| if kind == CpuKind::User { t.user_ns } else { t.total_ns() };
        let now = match self.clock {
            Clock::Process(_, kind) => pick(process, kind),
            Clock::Thread(of, kind) if of == tid => pick(thread, kind),
            _ => return None,
        };
        Some(due.saturating_sub(now))
    }
}

impl Kernel {
    /// The timers of a process as /proc/PID/timers shows them (proc_pid_timers(5)).
    pub(in crate::kernel) fn timer_listing(&self, pid: Pid) -> Vec<u8> {
        let Some(p) = self.processes.get(&pid) else { return Vec::new() };
        let mut text = String::new();
        for (id, t) in &p.timers.posix {
            let (signal, value, how, to) = match t.notify {
                Notify::Nothing => (0, 0, "none", format!("pid.{pid}")),
                Notify::Process { signal, value } => (signal.0, value, "signal", format!("pid.{pid}")),
                Notify::Thread { signal, value, tid } => (signal.0, value, "signal", format!("tid.{tid}")),
            };
            let clock = match t.clock {
                Clock::Machine(HostClock::Realtime) => 0,
                Clock::Machine(HostClock::Boottime) => 7,
                Clock::Machine(HostClock::Tai) => 11,
                Clock::Machine(_) => 1,
                Clock::Process(..) => 2,
                Clock::Thread(..) => 3,
            };
            text += &format!("ID: {id}\nsignal: {signal}/{value:016x}\nnotify: {how}/{to}\nClockID: {clock}\n");
        }
        text.into_bytes()
    }

    /// A timer of the queue has expired.
    pub(super) fn fire_posix(&mut self, pid: Pid, id: i32, due_ns: u64, now_ns: u64) {
        let Some(t) = self.processes.get(&pid).and_then(|p| p.timers.posix.get(&id)) else { return };
        let (count, next) = expirations(due_ns, t.interval_ns, now_ns);
        self.time.queue.set(TimerKey::Posix(pid, id), next);
        self.notify(pid, id, count);
    }

    /// Fires those of a process's timers by CPU time that are due.
    pub(super) fn fire_posix_cpu(&mut self, pid: Pid) {
        let Some(p) = self.processes.get(&pid) else { return };
        let running: Vec<(i32, Clock, u64, u64)> =
            p.timers.posix.iter().filter_map(|(id, t)| Some((*id, t.clock, t.cpu_due_ns?, t.interval_ns))).collect();
        for (id, clock, due_ns, interval_ns) in running {
            let now = self.read_clock(clock);
            if now < due_ns {
                continue;
            }
            let (count, next) = expirations(due_ns, interval_ns, now);
            if let Some(t) = self.posix_timer(pid, id) {
                t.cpu_due_ns = next;
            }
            self.notify(pid, id, count);
        }
    }

    fn posix_timer(&mut self, pid: Pid, id: i32) -> Option<&mut PosixTimer> {
        self.processes.get_mut(&pid)?.timers.posix.get_mut(&id)
    }

    /// Tells of `count` expirations that came together.
    fn notify(&mut self, pid: Pid, id: i32, count: u64) {
        let Some(t) = self.posix_timer(pid, id) else { return };
        let (signal, value, tid) = match t.notify {
            Notify::Nothing => return,
            Notify::Process { signal, value } => (signal, value, None),
            Notify::Thread { signal, value, tid } => (signal, value, Some(tid)),
        };
        let overrun = t.overrun;
        if let Some(pending) = self.pending_timer(pid, tid, id) {
            let total = overrun.saturating_add(count).min(OVERRUN_MAX);
            pending.fields = Fields::Timer { id, overrun: total as i32, value };
            if let Some(t) = self.posix_timer(pid, id) {
                t.overrun = total;
            }
            return;
        }
        let missed = (count - 1).min(OVERRUN_MAX);
        if let Some(t) = self.posix_timer(pid, id) {
            t.last_overrun = std::mem::replace(&mut t.overrun, missed);
        }
        let fields = Fields::Timer { id, overrun: missed as i32, value };
        let info = SigInfo { signal, code: SI_TIMER, errno: 0, fields };
        // A thread or process that is gone needs no signal.
        let _ = match tid {
            Some(tid) => self.send_signal_thread(tid, info),
            None => self.send_signal(pid, info),
        };
    }

    /// The pending signal of a timer.
    fn pending_timer(&mut self, pid: Pid, tid: Option<Tid>, id: i32) -> Option<&mut SigInfo> {
        let pending = match tid {
            Some(tid) => &mut self.threads.get_mut(&tid)?.signals.pending,
            None => &mut self.processes.get_mut(&pid)?.pending,
        };
        pending.queue.iter_mut().find(|i| matches!(i.fields, Fields::Timer { id: of, .. } if of == id))
    }

    /// Time left, 0 when it is off, and interval.
    fn timer_state(&mut self, pid: Pid, id: i32) -> Option<Itimerspec> {
        let t = self.posix_timer(pid, id)?;
        let (clock, interval_ns, cpu_due) = (t.clock, t.interval_ns, t.cpu_due_ns);
        let left = match cpu_due {
            Some(due) => Some(due.saturating_sub(self.read_clock(clock))),
            None => {
                let now = self.monotonic_ns();
                self.time.queue.due_ns(TimerKey::Posix(pid, id)).map(|due| due.saturating_sub(now))
            }
        };
        // One that is due but has not been looked at yet still runs.
        let value_ns = left.map_or(0, |ns| ns.max(1));
        Some(Itimerspec { it_interval: Timespec::from_ns(interval_ns), it_value: Timespec::from_ns(value_ns) })
    }
}

/// What `sigevent` asks for.
fn notification(ctx: &mut Ctx, sevp: GuestAddr, id: i32) -> Result<Notify, Errno> {
    if sevp.is_null() {
        return Ok(Notify::Process { signal: Signal::SIGALRM, value: id as u64 });
    }
    let e: Sigevent = ctx.mem().copy_in(sevp)?;
    let value = e.sigev_value;
    let signal = || Signal::new(e.sigev_signo).ok_or(Errno::EINVAL);
    const TO_THREAD: u32 = sigev_notify::SIGEV_SIGNAL | sigev_notify::SIGEV_THREAD_ID;
    match e.sigev_notify as u32 {
        sigev_notify::SIGEV_NONE => Ok(Notify::Nothing),
        // SIGEV_THREAD is the C library's to carry out: the kernel sends the signal.
        sigev_notify::SIGEV_SIGNAL | sigev_notify::SIGEV_THREAD => Ok(Notify::Process { signal: signal()?, value }),
        TO_THREAD => {
            let tid = e.sigev_notify_thread_id;
            let own = ctx.kernel.threads.get(&tid).is_some_and(|t| t.pid == ctx.pid);
            if own { Ok(Notify::Thread { signal: signal()?, value, tid }) } else { Err(Errno::EINVAL) }
        }
        _ => Err(Errno::EINVAL),
    }
}

/// timer_create(2).
pub fn timer_create(ctx: &mut Ctx, a: &args::TimerCreate) -> SysResult {
    let clock = ctx.sleepable(a.clockid)?;
    let p = ctx.process();
    if p.timers.posix.len() as u64 >= p.limits[RLIMIT_SIGPENDING].soft {
        return Err(Errno::EAGAIN.into());
    }
    let id = p.timers.next_posix_id;
    let notify = notification(ctx, a.sevp, id)?;
    ctx.mem().copy_out(a.timerid, &id)?;
    let timers = &mut ctx.process().timers;
    timers.next_posix_id = id.checked_add(1).unwrap_or(0);
    timers
        .posix
        .insert(id, PosixTimer { clock, notify, interval_ns: 0, cpu_due_ns: None, overrun: 0, last_overrun: 0 });
    Ok(0)
}

/// timer_settime(2).
pub fn timer_settime(ctx: &mut Ctx, a: &args::TimerSettime) -> SysResult {
    if a.new_value.is_null() {
        return Err(Errno::EINVAL.into());
    }
    let new: Itimerspec = ctx.mem().copy_in(a.new_value)?;
    let value_ns = new.it_value.to_ns().ok_or(Errno::EINVAL)?;
    let interval_ns = new.it_interval.to_ns().ok_or(Errno::EINVAL)?;
    let (pid, id) = (ctx.pid, a.timerid);
    let old = ctx.kernel.timer_state(pid, id).ok_or(Errno::EINVAL)?;
    let clock = ctx.kernel.posix_timer(pid, id).ok_or(Errno::EINVAL)?.clock;
    let now = ctx.kernel.read_clock(clock);
    let at = if a.flags & timer::TIMER_ABSTIME != 0 { value_ns } else { now.saturating_add(value_ns) };
    let due = (value_ns > 0).then_some(at);
    let by_cpu = matches!(clock, Clock::Process(..) | Clock::Thread(..));
    let queued = match due {
        Some(at) if !by_cpu => Some(ctx.kernel.on_monotonic(clock, now, at)),
        _ => None,
    };
    ctx.kernel.time.queue.set(TimerKey::Posix(pid, id), queued);
    if let Some(t) = ctx.kernel.posix_timer(pid, id) {
        t.interval_ns = if value_ns > 0 { interval_ns } else { 0 };
        t.cpu_due_ns = if by_cpu { due } else { None };
        t.overrun = 0;
        t.last_overrun = 0;
    }
    if !a.old_value.is_null() {
        ctx.mem().copy_out(a.old_value, &old)?;
    }
    Ok(0)
}

/// timer_gettime(2).
pub fn timer_gettime(ctx: &mut Ctx, a: &args::TimerGettime) -> SysResult {
    let pid = ctx.pid;
    let state = ctx.kernel.timer_state(pid, a.timerid).ok_or(Errno::EINVAL)?;
    ctx.mem().copy_out(a.curr_value, &state)?;
    Ok(0)
}

/// timer_getoverrun(2): that of the signal delivered last.
pub fn timer_getoverrun(ctx: &mut Ctx, a: &args::TimerGetoverrun) -> SysResult {
    let (pid, id) = (ctx.pid, a.timerid);
    let t = ctx.kernel.posix_timer(pid, id).ok_or(Errno::EINVAL)?;
    let (now, before) = (t.overrun, t.last_overrun);
    let tid = match t.notify {
        Notify::Thread { tid, .. } => Some(tid),
        _ => None,
    };
    let waits = ctx.kernel.pending_timer(pid, tid, id).is_some();
    Ok(if waits { before } else { now })
}

/// timer_delete(2).
pub fn timer_delete(ctx: &mut Ctx, a: &args::TimerDelete) -> SysResult {
    let pid = ctx.pid;
    ctx.process().timers.posix.remove(&a.timerid).ok_or(Errno::EINVAL)?;
    ctx.kernel.time.queue.set(TimerKey::Posix(pid, a.timerid), None);
    Ok(0)
}
