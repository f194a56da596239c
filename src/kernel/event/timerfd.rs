//! timerfd_create(2): timers as files.

use super::*;
use crate::abi::consts::open::O_RDWR;
use crate::abi::consts::poll::POLLIN;
use crate::abi::consts::timerfd::{TFD_CLOEXEC, TFD_NONBLOCK};
use crate::abi::consts::timerfd_settime::{TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET};
use crate::abi::consts::{cap, clockid, ioctl};
use crate::abi::{Itimerspec, Timespec};
use crate::host::HostClock;
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, Readiness};
use crate::kernel::time::{Clock, TimerKey, expirations};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// A timer. When it is due stands in the kernel's queue under its id.
#[derive(Debug)]
struct Timer {
    id: u64,
    clock_id: u32,
    clock: Clock,
    /// Expirations since the last read.
    ticks: Cell<u64>,
    interval_ns: Cell<u64>,
    /// When it was due, of one that has expired. As in Linux an interval goes on only once somebody asks, so that a
    /// timer nobody reads tells of itself once.
    expired_ns: Cell<Option<u64>>,
    /// How it was set last.
    flags: Cell<u32>,
    wakeups: Wakeups,
}

/// A descriptor's side of a timer: the timer ends with it.
#[derive(Debug)]
struct TimerFile(Rc<Timer>);

/// The timers that are files, by id.
#[derive(Debug, Default)]
pub struct TimerFiles(BTreeMap<u64, Weak<Timer>>);

impl Timer {
    fn key(&self) -> WaitKey {
        WaitKey::Object(self.id)
    }
}

impl Drop for TimerFile {
    fn drop(&mut self) {
        self.0.wakeups.push(self.0.key());
    }
}

impl Kernel {
    /// The timer file `id` was due at `due_ns`.
    pub(in crate::kernel) fn fire_timer_file(&mut self, id: u64, due_ns: u64) {
        let Some(timer) = self.timer_files.0.get(&id).and_then(Weak::upgrade) else {
            self.timer_files.0.remove(&id);
            return;
        };
        timer.ticks.set(timer.ticks.get().saturating_add(1));
        timer.expired_ns.set(Some(due_ns));
        self.wake_events(timer.key(), POLLIN);
    }

    /// Lets an interval go on that has expired, counting what it missed.
    fn go_on(&mut self, timer: &Timer) {
        let now = self.monotonic_ns();
        self.fire_timers(now);
        let Some(due) = timer.expired_ns.take() else { return };
        let (count, next) = expirations(due, timer.interval_ns.get(), now);
        timer.ticks.set(timer.ticks.get().saturating_add(count - 1));
        self.time.set_timer(TimerKey::File(timer.id), next);
    }

    /// Time left and interval; brings the timer up to date before.
    fn timer_file_state(&mut self, timer: &Timer) -> Itimerspec {
        self.go_on(timer);
        let now = self.monotonic_ns();
        let due = self.time.timer_due_ns(TimerKey::File(timer.id));
        Itimerspec {
            it_interval: Timespec::from_ns(timer.interval_ns.get()),
            it_value: Timespec::from_ns(due.map_or(0, |due| due.saturating_sub(now).max(1))),
        }
    }
}

impl FileOps for TimerFile {
    fn kind(&self) -> FileKind {
        FileKind::Anonymous
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        if buf.left() < 8 {
            return Err(Errno::EINVAL.into());
        }
        ctx.kernel.go_on(&self.0);
        let ticks = self.0.ticks.replace(0);
        if ticks == 0 {
            return Err(Stop::Block(Wait::key(self.0.key())));
        }
        buf.put_all(&ticks.to_ne_bytes())?;
        Ok(8)
    }

    fn readiness(&self, ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        ctx.kernel.tick_timers();
        Readiness::object(if self.0.ticks.get() > 0 { POLLIN } else { 0 }, self.0.key())
    }

    fn seek(&self, _ctx: &mut Ctx, _file: &File, _offset: i64, _whence: u32) -> Result<u64, Errno> {
        // noop_llseek
        Ok(0)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(anonymous_stat())
    }

    fn ioctl(&self, ctx: &mut Ctx, _file: &File, request: u32, arg: u64) -> SysResult {
        if request != ioctl::TFD_IOC_SET_TICKS {
            return Err(Errno::ENOTTY.into());
        }
        let ticks: u64 = ctx.mem().copy_in(GuestAddr(arg))?;
        if ticks == 0 {
            return Err(Errno::EINVAL.into());
        }
        self.0.ticks.set(ticks);
        ctx.kernel.wake_events(self.0.key(), POLLIN);
        Ok(0)
    }

    fn fdinfo_in(&self, kernel: &mut Kernel) -> String {
        let timer = &self.0;
        let state = kernel.timer_file_state(timer);
        let pair = |t: Timespec| format!("({}, {})", t.tv_sec, t.tv_nsec);
        format!(
            "clockid: {}\nticks: {}\nsettime flags: 0{:o}\nit_value: {}\nit_interval: {}\n",
            timer.clock_id,
            timer.ticks.get(),
            timer.flags.get(),
            pair(state.it_value),
            pair(state.it_interval)
        )
    }
}

/// timerfd_create(2).
pub fn timerfd_create(ctx: &mut Ctx, a: &args::TimerfdCreate) -> SysResult {
    if a.flags & !(TFD_CLOEXEC | TFD_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let clock = match a.clockid {
        clockid::CLOCK_REALTIME | clockid::CLOCK_MONOTONIC | clockid::CLOCK_BOOTTIME => ctx.clock(a.clockid)?,
        clockid::CLOCK_REALTIME_ALARM | clockid::CLOCK_BOOTTIME_ALARM => {
            if !ctx.thread().credentials.has(cap::CAP_WAKE_ALARM) {
                return Err(Errno::EPERM.into());
            }
            // The machine never sleeps, so that there is nothing to wake it from.
            let real = a.clockid == clockid::CLOCK_REALTIME_ALARM;
            Clock::Machine(if real { HostClock::Realtime } else { HostClock::Boottime })
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let id = ctx.kernel.new_object();
    let timer = Rc::new(Timer {
        id,
        clock_id: a.clockid,
        clock,
        ticks: Cell::new(0),
        interval_ns: Cell::new(0),
        expired_ns: Cell::new(None),
        flags: Cell::new(0),
        wakeups: ctx.kernel.wakeups.clone(),
    });
    ctx.kernel.timer_files.0.insert(id, Rc::downgrade(&timer));
    install(ctx, TimerFile(timer), b"anon_inode:[timerfd]", O_RDWR, a.flags)
}

/// The timer behind a descriptor.
fn timer(ctx: &Ctx, fd: i32) -> Result<Rc<Timer>, Errno> {
    let file = ctx.file(fd)?;
    if file.is_path_only() {
        return Err(Errno::EBADF);
    }
    file.downcast::<TimerFile>().map(|t| Rc::clone(&t.0)).ok_or(Errno::EINVAL)
}

/// timerfd_settime(2). Nobody can set the clocks, so TFD_TIMER_CANCEL_ON_SET never has anything to cancel.
pub fn timerfd_settime(ctx: &mut Ctx, a: &args::TimerfdSettime) -> SysResult {
    let new: Itimerspec = ctx.mem().copy_in(a.new_value)?;
    let (value_ns, interval_ns) = (new.it_value.to_ns(), new.it_interval.to_ns());
    let known = a.flags & !(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) == 0;
    let (true, Some(value_ns), Some(interval_ns)) = (known, value_ns, interval_ns) else {
        return Err(Errno::EINVAL.into());
    };
    let timer = timer(ctx, a.fd)?;
    let old = ctx.kernel.timer_file_state(&timer);
    let now = ctx.kernel.read_clock(timer.clock);
    let at = if a.flags & TFD_TIMER_ABSTIME != 0 { value_ns } else { now.saturating_add(value_ns) };
    let due = (value_ns > 0).then(|| ctx.kernel.on_monotonic(timer.clock, now, at));
    ctx.kernel.time.set_timer(TimerKey::File(timer.id), due);
    timer.ticks.set(0);
    timer.expired_ns.set(None);
    timer.interval_ns.set(interval_ns);
    timer.flags.set(a.flags);
    if !a.old_value.is_null() {
        ctx.mem().copy_out(a.old_value, &old)?;
    }
    Ok(0)
}

/// timerfd_gettime(2).
pub fn timerfd_gettime(ctx: &mut Ctx, a: &args::TimerfdGettime) -> SysResult {
    let timer = timer(ctx, a.fd)?;
    let state = ctx.kernel.timer_file_state(&timer);
    ctx.mem().copy_out(a.curr_value, &state)?;
    Ok(0)
}
