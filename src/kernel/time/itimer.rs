//! Interval timers: setitimer(2), getitimer(2), alarm(2); and the limit of CPU time, which works like one.

use super::posix::PosixTimer;
use super::queue::expirations;
use super::*;
use crate::abi::consts::{itimer, rlimit};
use crate::abi::{Itimerval, Timeval};
use crate::kernel::signal::{Fields, SigInfo};
use crate::syscalls::args;

/// A timer by CPU time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IntervalTimer {
    /// When it is due on its clock, in nanoseconds.
    pub(super) due_ns: Option<u64>,
    /// Time between expirations; 0 for once.
    pub(super) interval_ns: u64,
}

impl IntervalTimer {
    /// Whether it is due; then it is set for the next time.
    fn expire(&mut self, now_ns: u64) -> bool {
        match self.due_ns {
            Some(due) if due <= now_ns => {
                self.due_ns = expirations(due, self.interval_ns, now_ns).1;
                true
            }
            _ => false,
        }
    }
}

/// What the kernel's own timers tell a handler.
fn from_kernel(signal: Signal) -> SigInfo {
    const SI_KERNEL: i32 = 128;
    SigInfo { signal, code: SI_KERNEL, errno: 0, fields: Fields::Kill { pid: 0, uid: 0 } }
}

impl Kernel {
    /// ITIMER_REAL of a process has expired.
    pub(super) fn fire_real(&mut self, pid: Pid, due_ns: u64, now_ns: u64) {
        let Some(p) = self.processes.get(&pid) else { return };
        let next = expirations(due_ns, p.timers.real_interval_ns, now_ns).1;
        self.time.queue.set(TimerKey::Real(pid), next);
        // A process that has ended meanwhile needs no signal.
        let _ = self.send_signal(pid, from_kernel(Signal::SIGALRM));
    }

    /// Fires the timers of a process that go by CPU time, and SIGXCPU and SIGKILL of RLIMIT_CPU.
    pub(super) fn check_cpu_timers(&mut self, pid: Pid) {
        if !self.processes.get(&pid).is_some_and(Process::watches_cpu) {
            return;
        }
        let cpu = self.process_cpu(pid);
        let Some(p) = self.processes.get_mut(&pid) else { return };
        let timers = &mut p.timers;
        let due = [
            (timers.virtual_.expire(cpu.user_ns), Signal::SIGVTALRM),
            (timers.prof.expire(cpu.total_ns()), Signal::SIGPROF),
            (p.exceeds_soft_cpu(cpu), Signal::SIGXCPU),
            (p.exceeds_hard_cpu(cpu), Signal::SIGKILL),
        ];
        for (_, signal) in due.into_iter().filter(|(is_due, _)| *is_due) {
            let _ = self.send_signal(pid, from_kernel(signal));
        }
        self.fire_posix_cpu(pid);
    }

    /// Nanoseconds of CPU time that the process of `tid` may use before a timer by CPU time could be due. Only
    /// meaningful in a deterministic run, where CPU time passes with instructions.
    pub(super) fn cpu_timer_distance(&mut self, tid: Tid) -> Option<u64> {
        let pid = self.threads.get(&tid)?.pid;
        if !self.processes.get(&pid)?.watches_cpu() {
            return None;
        }
        let (process, thread) = (self.process_cpu(pid), self.thread_cpu(tid));
        let p = self.processes.get(&pid)?;
        let t = &p.timers;
        let own = [
            t.virtual_.due_ns.map(|due| due.saturating_sub(process.user_ns)),
            t.prof.due_ns.map(|due| due.saturating_sub(process.total_ns())),
            p.cpu_limit_ns().map(|due| due.saturating_sub(process.total_ns())),
        ];
        let posix = t.posix.values().filter_map(|x| x.cpu_distance(process, thread, tid));
        own.into_iter().flatten().chain(posix).min()
    }
}

impl Process {
    /// Whether anything goes by its CPU time.
    pub(super) fn watches_cpu(&self) -> bool {
        let t = &self.timers;
        self.exit.is_none()
            && (t.virtual_.due_ns.is_some()
                || t.prof.due_ns.is_some()
                || self.cpu_limit_ns().is_some()
                || t.posix.values().any(PosixTimer::goes_by_cpu))
    }

    /// When RLIMIT_CPU next does something, in nanoseconds of CPU time.
    fn cpu_limit_ns(&self) -> Option<u64> {
        let limit = self.limits[rlimit::RLIMIT_CPU as usize];
        let soft = limit.soft.saturating_add(self.timers.cpu_warnings);
        let next_s = soft.min(limit.hard);
        (next_s != u64::MAX).then(|| next_s.max(1).saturating_mul(SECOND_NS))
    }

    fn exceeds_soft_cpu(&mut self, cpu: CpuTime) -> bool {
        let limit = self.limits[rlimit::RLIMIT_CPU as usize];
        let due_s = limit.soft.max(1).saturating_add(self.timers.cpu_warnings);
        let exceeded = limit.soft != u64::MAX && cpu.total_ns() / SECOND_NS >= due_s;
        if exceeded {
            // Linux reminds a process that goes on of its limit every second.
            self.timers.cpu_warnings += 1;
        }
        exceeded
    }

    fn exceeds_hard_cpu(&self, cpu: CpuTime) -> bool {
        let hard = self.limits[rlimit::RLIMIT_CPU as usize].hard;
        hard != u64::MAX && cpu.total_ns() / SECOND_NS >= hard.max(1)
    }
}

/// A timer's state in nanoseconds: time left, 0 when it is off, and interval.
type Setting = (u64, u64);

/// Reads an interval timer.
fn read(ctx: &mut Ctx, which: u32) -> Result<Setting, Errno> {
    let pid = ctx.pid;
    let left = |due: Option<u64>, now: u64| due.map_or(0, |d| d.saturating_sub(now).max(1));
    match which {
        itimer::ITIMER_REAL => {
            let now = ctx.kernel.monotonic_ns();
            let due = ctx.kernel.time.queue.due_ns(TimerKey::Real(pid));
            Ok((left(due, now), ctx.process().timers.real_interval_ns))
        }
        itimer::ITIMER_VIRTUAL | itimer::ITIMER_PROF => {
            let cpu = ctx.kernel.process_cpu(pid);
            let timers = &ctx.process().timers;
            let (timer, now) = match which {
                itimer::ITIMER_VIRTUAL => (timers.virtual_, cpu.user_ns),
                _ => (timers.prof, cpu.total_ns()),
            };
            Ok((left(timer.due_ns, now), timer.interval_ns))
        }
        _ => Err(Errno::EINVAL),
    }
}

/// Sets an interval timer.
fn set(ctx: &mut Ctx, which: u32, (value_ns, interval_ns): Setting) -> Result<(), Errno> {
    let pid = ctx.pid;
    let due = |now: u64| (value_ns > 0).then(|| now.saturating_add(value_ns));
    match which {
        itimer::ITIMER_REAL => {
            let now = ctx.kernel.monotonic_ns();
            ctx.kernel.time.queue.set(TimerKey::Real(pid), due(now));
            ctx.process().timers.real_interval_ns = if value_ns > 0 { interval_ns } else { 0 };
        }
        itimer::ITIMER_VIRTUAL => {
            let now = ctx.kernel.process_cpu(pid).user_ns;
            ctx.process().timers.virtual_ = IntervalTimer { due_ns: due(now), interval_ns };
        }
        itimer::ITIMER_PROF => {
            let now = ctx.kernel.process_cpu(pid).total_ns();
            ctx.process().timers.prof = IntervalTimer { due_ns: due(now), interval_ns };
        }
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

fn to_guest((value_ns, interval_ns): Setting) -> Itimerval {
    Itimerval { it_interval: Timeval::from_ns(interval_ns), it_value: Timeval::from_ns_up(value_ns) }
}

/// getitimer(2).
pub fn getitimer(ctx: &mut Ctx, a: &args::Getitimer) -> SysResult {
    let now = read(ctx, a.which)?;
    ctx.mem().copy_out(a.curr_value, &to_guest(now))?;
    Ok(0)
}

/// setitimer(2). A null new value stops the timer, as Linux still has it.
pub fn setitimer(ctx: &mut Ctx, a: &args::Setitimer) -> SysResult {
    let new = match a.new_value.is_null() {
        true => Itimerval::default(),
        false => ctx.mem().copy_in(a.new_value)?,
    };
    let value_ns = new.it_value.to_ns().ok_or(Errno::EINVAL)?;
    let interval_ns = new.it_interval.to_ns().ok_or(Errno::EINVAL)?;
    let old = read(ctx, a.which)?;
    set(ctx, a.which, (value_ns, interval_ns))?;
    if !a.old_value.is_null() {
        ctx.mem().copy_out(a.old_value, &to_guest(old))?;
    }
    Ok(0)
}

/// alarm(2): gives the seconds that were left, rounded, but at least one while the timer ran.
pub fn alarm(ctx: &mut Ctx, a: &args::Alarm) -> SysResult {
    let (left_ns, _) = read(ctx, itimer::ITIMER_REAL)?;
    set(ctx, itimer::ITIMER_REAL, (u64::from(a.seconds).saturating_mul(SECOND_NS), 0))?;
    let (seconds, rest) = (left_ns / SECOND_NS, left_ns % SECOND_NS);
    let up = (seconds == 0 && rest > 0) || rest >= SECOND_NS / 2;
    Ok(seconds + u64::from(up))
}
