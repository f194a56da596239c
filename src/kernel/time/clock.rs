//! Clocks: clock_gettime(2) and its relatives. Nobody may set them, whatever the caller's capabilities: they are the
//! host's, or the virtual machine's.

use super::*;
use crate::abi::consts::{adjtimex_modes as modes, adjtimex_status, clockid};
use crate::abi::{Timespec, Timeval, Timex, Timezone, Tms};
use crate::syscalls::args;

/// Nanoseconds between clock ticks (HZ 250): the resolution of coarse clocks.
const TICK_NS: u64 = 4_000_000;

/// Clock ticks of times(2) in a second (USER_HZ).
pub(in crate::kernel) const USER_HZ: u64 = 100;

/// A clock that a guest can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) enum Clock {
    /// One of the machine's.
    Machine(HostClock),
    /// CPU time of a process.
    Process(Pid, CpuKind),
    /// CPU time of a thread.
    Thread(Tid, CpuKind),
}

/// Which CPU time a clock shows (the low bits of a dynamic clock id, include/linux/posix-timers.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) enum CpuKind {
    /// User and kernel time, as CPUCLOCK_PROF counts it in ticks and CPUCLOCK_SCHED precisely.
    All,
    /// User time (CPUCLOCK_VIRT).
    User,
}

impl Ctx<'_> {
    /// The clock that a clock id names.
    ///
    /// # Errors
    /// `EINVAL`: there is no such clock, process or thread. The machine has no hardware to wake it, so that the clocks
    /// CLOCK_*_ALARM do not exist, as on a host without one.
    pub(in crate::kernel) fn clock(&mut self, id: u32) -> Result<Clock, Errno> {
        Ok(match id {
            clockid::CLOCK_REALTIME => Clock::Machine(HostClock::Realtime),
            clockid::CLOCK_MONOTONIC => Clock::Machine(HostClock::Monotonic),
            clockid::CLOCK_MONOTONIC_RAW => Clock::Machine(HostClock::MonotonicRaw),
            clockid::CLOCK_REALTIME_COARSE => Clock::Machine(HostClock::RealtimeCoarse),
            clockid::CLOCK_MONOTONIC_COARSE => Clock::Machine(HostClock::MonotonicCoarse),
            clockid::CLOCK_BOOTTIME => Clock::Machine(HostClock::Boottime),
            clockid::CLOCK_TAI => Clock::Machine(HostClock::Tai),
            clockid::CLOCK_PROCESS_CPUTIME_ID => Clock::Process(self.pid, CpuKind::All),
            clockid::CLOCK_THREAD_CPUTIME_ID => Clock::Thread(self.tid, CpuKind::All),
            dynamic if (dynamic as i32) < 0 => self.cpu_clock(dynamic as i32)?,
            _ => return Err(Errno::EINVAL),
        })
    }

    /// Decodes the clock of another thread or process: its inverted id above three bits that say which time.
    fn cpu_clock(&mut self, id: i32) -> Result<Clock, Errno> {
        const PER_THREAD: i32 = 4;
        let owner = !(id >> 3);
        let kind = match id & 3 {
            0 | 2 => CpuKind::All,
            1 => CpuKind::User,
            // CLOCKFD: the clock of a device, of which this machine has none.
            _ => return Err(Errno::EINVAL),
        };
        if id & PER_THREAD != 0 {
            let tid = if owner == 0 { self.tid } else { owner };
            let same = self.kernel.threads.get(&tid).is_some_and(|t| t.pid == self.pid);
            return if same { Ok(Clock::Thread(tid, kind)) } else { Err(Errno::EINVAL) };
        }
        let pid = if owner == 0 { self.pid } else { owner };
        if self.kernel.processes.contains_key(&pid) { Ok(Clock::Process(pid, kind)) } else { Err(Errno::EINVAL) }
    }
}

impl Kernel {
    /// What a clock shows, in nanoseconds.
    pub(in crate::kernel) fn read_clock(&mut self, clock: Clock) -> u64 {
        let pick = |t: CpuTime, kind| match kind {
            CpuKind::All => t.total_ns(),
            CpuKind::User => t.user_ns,
        };
        match clock {
            Clock::Machine(c) => self.time.now_ns(&mut *self.host, c),
            Clock::Process(pid, kind) => pick(self.process_cpu(pid), kind),
            Clock::Thread(tid, kind) => pick(self.thread_cpu(tid), kind),
        }
    }
}

/// clock_gettime(2).
pub fn clock_gettime(ctx: &mut Ctx, a: &args::ClockGettime) -> SysResult {
    let clock = ctx.clock(a.clockid)?;
    let now = Timespec::from_ns(ctx.kernel.read_clock(clock));
    ctx.mem().copy_out(a.tp, &now)?;
    Ok(0)
}

/// clock_getres(2).
pub fn clock_getres(ctx: &mut Ctx, a: &args::ClockGetres) -> SysResult {
    let res_ns = match ctx.clock(a.clockid)? {
        Clock::Machine(HostClock::RealtimeCoarse | HostClock::MonotonicCoarse) => TICK_NS,
        // CPUCLOCK_PROF and CPUCLOCK_VIRT count ticks.
        Clock::Process(..) | Clock::Thread(..) if (a.clockid as i32) < 0 && a.clockid & 3 != 2 => TICK_NS,
        _ => 1,
    };
    if !a.res.is_null() {
        ctx.mem().copy_out(a.res, &Timespec::from_ns(res_ns))?;
    }
    Ok(0)
}

/// clock_settime(2): EPERM for clocks that could be set.
pub fn clock_settime(ctx: &mut Ctx, a: &args::ClockSettime) -> SysResult {
    let clock = ctx.clock(a.clockid)?;
    // CPU clocks can be neither set nor, by mistake, corrupted: Linux says EPERM for them too.
    let settable = a.clockid == clockid::CLOCK_REALTIME || !matches!(clock, Clock::Machine(_));
    if !settable {
        return Err(Errno::EINVAL.into());
    }
    let t: Timespec = ctx.mem().copy_in(a.tp)?;
    t.to_ns().ok_or(Errno::EINVAL)?;
    Err(Errno::EPERM.into())
}

/// gettimeofday(2). The timezone is that of Linux since nobody sets it: zero.
pub fn gettimeofday(ctx: &mut Ctx, a: &args::Gettimeofday) -> SysResult {
    if !a.tv.is_null() {
        let now = Timeval::from_ns(ctx.kernel.realtime_ns());
        ctx.mem().copy_out(a.tv, &now)?;
    }
    if !a.tz.is_null() {
        ctx.mem().copy_out(a.tz, &Timezone::default())?;
    }
    Ok(0)
}

/// settimeofday(2): EPERM once the arguments are right.
pub fn settimeofday(ctx: &mut Ctx, a: &args::Settimeofday) -> SysResult {
    if !a.tv.is_null() {
        let tv: Timeval = ctx.mem().copy_in(a.tv)?;
        if !(0..=1_000_000).contains(&tv.tv_usec) {
            return Err(Errno::EINVAL.into());
        }
    }
    if !a.tz.is_null() {
        ctx.mem().copy_in::<Timezone>(a.tz)?;
    }
    Err(Errno::EPERM.into())
}

/// time(2).
pub fn time(ctx: &mut Ctx, a: &args::Time) -> SysResult {
    let now = ctx.kernel.realtime_ns() / SECOND_NS;
    if !a.tloc.is_null() {
        ctx.mem().copy_out(a.tloc, &now)?;
    }
    Ok(now)
}

/// times(2).
pub fn times(ctx: &mut Ctx, a: &args::Times) -> SysResult {
    const TICK: u64 = SECOND_NS / USER_HZ;
    if !a.buf.is_null() {
        let pid = ctx.pid;
        let own = ctx.kernel.process_cpu(pid);
        let children = ctx.process().accounts.children;
        let ticks = |ns: u64| (ns / TICK) as i64;
        let tms = Tms {
            tms_utime: ticks(own.user_ns),
            tms_stime: ticks(own.system_ns),
            tms_cutime: ticks(children.user_ns),
            tms_cstime: ticks(children.system_ns),
        };
        ctx.mem().copy_out(a.buf, &tms)?;
    }
    Ok(ctx.kernel.monotonic_ns() / TICK)
}

/// adjtimex(2): tells the state of a clock that nothing disciplines.
pub fn adjtimex(ctx: &mut Ctx, a: &args::Adjtimex) -> SysResult {
    adjust(ctx, a.buf)
}

/// clock_adjtime(2). Only CLOCK_REALTIME can be adjusted.
pub fn clock_adjtime(ctx: &mut Ctx, a: &args::ClockAdjtime) -> SysResult {
    match ctx.clock(a.clockid) {
        Ok(Clock::Machine(_)) if a.clockid == clockid::CLOCK_REALTIME => adjust(ctx, a.buf),
        Ok(_) => Err(Errno::EOPNOTSUPP.into()),
        Err(e) => Err(e.into()),
    }
}

/// Reads the clock's state; any change is refused with EPERM. An unsynchronised clock makes it return TIME_ERROR.
fn adjust(ctx: &mut Ctx, buf: crate::mem::GuestAddr) -> SysResult {
    const TIME_ERROR: u64 = 5;
    let asked: Timex = ctx.mem().copy_in(buf)?;
    if asked.modes != 0 && asked.modes != modes::ADJ_OFFSET_SS_READ {
        return Err(Errno::EPERM.into());
    }
    let now = ctx.kernel.realtime_ns();
    let state = Timex {
        modes: asked.modes,
        maxerror: 16_000_000,
        esterror: 16_000_000,
        status: adjtimex_status::STA_UNSYNC as i32,
        constant: 2,
        precision: 1,
        // 500 parts per million, in units of 2^-16 ppm.
        tolerance: 500 << 16,
        time: Timeval::from_ns(now),
        tick: 10_000,
        ..Timex::default()
    };
    ctx.mem().copy_out(buf, &state)?;
    Ok(TIME_ERROR)
}
