//! Sleeping: nanosleep(2) and clock_nanosleep(2).

use super::clock::{Clock, CpuKind};
use super::*;
use crate::abi::Timespec;
use crate::abi::consts::{clockid, timer};
use crate::mem::GuestAddr;
use crate::syscalls::args;

/// When a sleep ends, and by which clock.
#[derive(Clone, Copy)]
struct Sleep {
    clock: Clock,
    end_ns: u64,
}

/// nanosleep(2).
pub fn nanosleep(ctx: &mut Ctx, a: &args::Nanosleep) -> SysResult {
    let request = read_time(ctx, a.req)?;
    sleep_for(ctx, Clock::Machine(HostClock::Monotonic), request, a.rem)
}

/// clock_nanosleep(2).
pub fn clock_nanosleep(ctx: &mut Ctx, a: &args::ClockNanosleep) -> SysResult {
    let clock = ctx.sleepable(a.clockid)?;
    if clock == Clock::Thread(ctx.tid, CpuKind::All) {
        // It would never come to an end.
        return Err(
            if a.clockid == clockid::CLOCK_THREAD_CPUTIME_ID { Errno::EOPNOTSUPP } else { Errno::EINVAL }.into()
        );
    }
    let request = read_time(ctx, a.request)?;
    if a.flags & timer::TIMER_ABSTIME != 0 {
        return sleep_until(ctx, Sleep { clock, end_ns: request }, Errno::ERESTARTNOHAND);
    }
    // A relative sleep by the wall clock is not affected by setting it.
    let clock = if clock == Clock::Machine(HostClock::Realtime) { Clock::Machine(HostClock::Monotonic) } else { clock };
    sleep_for(ctx, clock, request, a.remain)
}

impl Ctx<'_> {
    /// The clock that a clock id names, if one can wait by it.
    ///
    /// # Errors
    /// `EINVAL`: there is no such clock. `EOPNOTSUPP`: it only tells the time.
    pub(super) fn sleepable(&mut self, id: u32) -> Result<Clock, Errno> {
        let only_tells = [
            clockid::CLOCK_MONOTONIC_RAW,
            clockid::CLOCK_REALTIME_COARSE,
            clockid::CLOCK_MONOTONIC_COARSE,
            clockid::CLOCK_REALTIME_ALARM,
            clockid::CLOCK_BOOTTIME_ALARM,
        ];
        if only_tells.contains(&id) { Err(Errno::EOPNOTSUPP) } else { self.clock(id) }
    }
}

fn read_time(ctx: &Ctx, addr: GuestAddr) -> Result<u64, Errno> {
    let t: Timespec = ctx.mem().copy_in(addr)?;
    t.to_ns().ok_or(Errno::EINVAL)
}

/// Sleeps for a time; when a signal ends it, tells how much was left.
fn sleep_for(ctx: &mut Ctx, clock: Clock, ns: u64, remain: GuestAddr) -> SysResult {
    let state = ctx.call_state(|ctx| {
        let now = ctx.kernel.read_clock(clock);
        Sleep { clock, end_ns: now.saturating_add(ns) }
    });
    let sleep = *state.borrow();
    match sleep_until(ctx, sleep, Errno::ERESTART_RESTARTBLOCK) {
        Err(Stop::Errno(e)) if !remain.is_null() => {
            let left = sleep.end_ns.saturating_sub(ctx.kernel.read_clock(clock));
            ctx.mem().copy_out(remain, &Timespec::from_ns(left))?;
            Err(e.into())
        }
        other => other,
    }
}

/// Waits until the clock shows the end; `interrupted` is the result when a signal comes first.
fn sleep_until(ctx: &mut Ctx, sleep: Sleep, interrupted: Errno) -> SysResult {
    let now = ctx.kernel.read_clock(sleep.clock);
    if now >= sleep.end_ns {
        return Ok(0);
    }
    let deadline = ctx.kernel.on_monotonic(sleep.clock, now, sleep.end_ns);
    Err(ctx.wait(Wait::until(deadline), interrupted))
}

impl Kernel {
    /// The moment of the monotonic clock at which `clock`, now at `now_ns`, will show `then_ns`. CPU time passes at most
    /// as fast, so there the moment is the earliest possible one and must be looked at again.
    pub(in crate::kernel) fn on_monotonic(&mut self, clock: Clock, now_ns: u64, then_ns: u64) -> u64 {
        match clock {
            Clock::Machine(HostClock::Monotonic) => then_ns,
            _ => self.monotonic_ns().saturating_add(then_ns.saturating_sub(now_ns)),
        }
    }
}
