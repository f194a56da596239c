//! Clocks, timers, sleeps and randomness.
//!
//! [`TimeKeeper`] is where the kernel learns the time. On the real host all clocks are the host's. In a deterministic
//! run a virtual clock ([`crate::host::SteadyHost`]) goes on by one nanosecond for each instruction retired, by
//! [`CALL_COST_NS`] for each system call, and jumps when every thread sleeps.

mod clock;
mod cpu;
mod itimer;
mod posix;
mod queue;
mod sleep;

pub use clock::*;
pub use cpu::{Accounts, CpuTime};
pub use itimer::*;
pub use posix::*;
pub(in crate::kernel) use queue::expirations;
pub use queue::{ProcessTimers, TimerKey};
pub use sleep::*;

use super::*;
use crate::host::{HostClock, VirtualClock};

/// Virtual nanoseconds that a system call takes.
pub const CALL_COST_NS: u64 = 100;

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;

/// Where time comes from: the host, whose clock the kernel moves on in a deterministic run.
#[derive(Debug)]
pub struct TimeKeeper {
    /// The virtual clock of a deterministic run; `None` means that the host's clocks go by themselves.
    clock: Option<VirtualClock>,
    pub(super) queue: queue::Queue,
    pub(super) meter: cpu::Meter,
}

impl TimeKeeper {
    /// The timekeeper of a machine with this virtual clock, if it has one.
    pub fn new(clock: Option<VirtualClock>) -> TimeKeeper {
        TimeKeeper { clock, queue: queue::Queue::default(), meter: cpu::Meter::default() }
    }

    /// Nanoseconds that a clock shows now. CPU time is the kernel's business ([`Kernel::process_cpu`]): here it is
    /// what the host has spent, 0 in a deterministic run.
    pub fn now_ns(&mut self, host: &mut dyn Host, clock: HostClock) -> u64 {
        match (&self.clock, clock) {
            (Some(virtual_), HostClock::Monotonic) => virtual_.now_ns(),
            _ => host.now_ns(clock),
        }
    }

    /// Whether the clock is the virtual one.
    #[inline]
    pub fn is_virtual(&self) -> bool {
        self.clock.is_some()
    }

    /// Moves the virtual clock on; the host's goes by itself.
    pub(super) fn advance(&mut self, ns: u64) {
        if let Some(clock) = &self.clock {
            clock.advance(ns);
        }
    }

    /// When the next timer is due, on the monotonic clock.
    pub fn next_timer_ns(&self) -> Option<u64> {
        self.queue.next_ns()
    }

    /// Sets or, with `None`, stops a timer; `due_ns` is on the monotonic clock.
    pub(in crate::kernel) fn set_timer(&mut self, key: TimerKey, due_ns: Option<u64>) {
        self.queue.set(key, due_ns);
    }

    /// When a timer is due, on the monotonic clock.
    pub(in crate::kernel) fn timer_due_ns(&self, key: TimerKey) -> Option<u64> {
        self.queue.due_ns(key)
    }

    /// The machine has slept until this moment.
    pub fn slept_until(&mut self, deadline_ns: Option<u64>) {
        if let (Some(clock), Some(deadline)) = (&self.clock, deadline_ns) {
            clock.advance_to(deadline);
        }
    }
}

impl Kernel {
    /// Fills `buf` with random bytes: the host's, or in a deterministic run the seed's.
    pub fn random(&mut self, buf: &mut [u8]) {
        self.host.random(buf);
    }

    /// Nanoseconds since 1970 on the guest's wall clock.
    pub fn realtime_ns(&mut self) -> u64 {
        self.time.now_ns(&mut *self.host, HostClock::Realtime)
    }

    /// Looks at the clock: wakes threads whose wait is over and fires timers that are due.
    pub fn tick(&mut self) {
        if self.waiters.next_deadline_ns().is_some() {
            let now = self.monotonic_ns();
            self.wake_expired(now);
        }
        self.tick_timers();
        if self.processes.values().any(Process::watches_cpu) {
            let watched: Vec<Pid> = self.processes.values().filter(|p| p.watches_cpu()).map(|p| p.pid).collect();
            for pid in watched {
                self.check_cpu_timers(pid);
            }
        }
    }

    /// What is due within a turn. On the real host deadlines of waits are looked at between turns only; the virtual clock
    /// stops exactly where a wait ends ([`Kernel::instructions_to_timer`]), which must then be over. Costs nothing when there
    /// is nothing to look at, as after most calls.
    #[inline]
    pub fn tick_in_turn(&mut self) {
        if self.time.is_virtual() {
            let now = self.monotonic_ns();
            self.wake_expired(now);
            self.tick_timers();
        } else if self.time.meter.looks() {
            self.tick_timers();
        } else if self.time.queue.has_any() {
            self.fire_due_timers();
        }
    }

    /// Fires timers that are due, those by CPU time only of the process whose turn it is.
    pub fn tick_timers(&mut self) {
        self.fire_due_timers();
        if let Some(pid) = self.time.meter.running.and_then(|tid| self.threads.get(&tid)).map(|t| t.pid) {
            self.check_cpu_timers(pid);
        }
    }

    fn fire_due_timers(&mut self) {
        if self.time.queue.has_any() {
            let now = self.monotonic_ns();
            self.fire_timers(now);
        }
    }

    /// Instructions that thread `tid` may retire before a timer could be due, at least one: in a deterministic run
    /// timers fire at exact instruction counts.
    #[inline]
    pub fn instructions_to_timer(&mut self, tid: Tid) -> u64 {
        if self.time.is_virtual() { self.virtual_time_to_timer(tid) } else { u64::MAX }
    }

    fn virtual_time_to_timer(&mut self, tid: Tid) -> u64 {
        let now = self.monotonic_ns();
        let wait = self.waiters.next_deadline_ns();
        let clock = [wait, self.time.next_timer_ns(), self.end_of_time_ns()]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.saturating_sub(now));
        let cpu = self.cpu_timer_distance(tid);
        [clock, cpu].into_iter().flatten().min().unwrap_or(u64::MAX).max(1)
    }
}
