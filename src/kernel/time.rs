//! Clocks, timers, sleeps and randomness.

use super::*;
use crate::host::HostClock;

/// Where time and randomness come from: the host, or in a deterministic run the instruction count and the seed.
#[derive(Debug)]
pub struct TimeKeeper {
    deterministic: bool,
}

/// Interval and POSIX timers of a process.
#[derive(Debug, Default)]
pub struct ProcessTimers {}

impl TimeKeeper {
    /// The clock of a machine that is set up like this.
    pub fn new(config: &Config) -> TimeKeeper {
        TimeKeeper { deterministic: config.deterministic }
    }

    /// Nanoseconds that a clock shows now.
    pub fn now_ns(&mut self, host: &mut dyn Host, clock: HostClock) -> u64 {
        let _ = self.deterministic;
        host.now_ns(clock)
    }

    /// When the next timer is due, on the monotonic clock.
    pub fn next_timer_ns(&self) -> Option<u64> {
        None
    }

    /// How long to sleep on the host so that the guest's clock goes from `now_ns` to `deadline_ns`.
    pub fn host_delay_ns(&self, now_ns: u64, deadline_ns: u64) -> u64 {
        deadline_ns.saturating_sub(now_ns)
    }

    /// The machine has slept until this moment.
    pub fn slept_until(&mut self, deadline_ns: Option<u64>) {
        let _ = deadline_ns;
    }
}
