//! The host as it is.

use super::{Clock, Host, HostClock, HostSignal, InheritedSignals, PollFd, Signals, signals, sys};
use crate::abi::{Errno, Signal};
use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};

/// The real host.
#[derive(Debug, Default)]
pub struct RealHost {
    inherited: InheritedSignals,
    /// Its controlling terminal, once it has been looked for.
    pub(super) terminal: Option<Option<std::os::fd::OwnedFd>>,
}

impl RealHost {
    /// Opens the real host and begins to collect the signals that are meant for the guest.
    pub fn new() -> RealHost {
        RealHost { inherited: signals::collect(), terminal: None }
    }
}

impl Host for RealHost {
    fn name(&self) -> &'static str {
        "real"
    }
}

impl Clock for RealHost {
    fn now_ns(&mut self, clock: HostClock) -> u64 {
        let t = clock_gettime(match clock {
            HostClock::Realtime => ClockId::Realtime,
            HostClock::Monotonic => ClockId::Monotonic,
            HostClock::MonotonicRaw => ClockId::MonotonicRaw,
            HostClock::RealtimeCoarse => ClockId::RealtimeCoarse,
            HostClock::MonotonicCoarse => ClockId::MonotonicCoarse,
            HostClock::Boottime => ClockId::Boottime,
            HostClock::Tai => return tai_ns(),
            HostClock::ProcessCpu => ClockId::ProcessCPUTime,
        });
        (t.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(t.tv_nsec as u64)
    }

    fn random(&mut self, buf: &mut [u8]) {
        let mut done = 0;
        while done < buf.len() {
            match rustix::rand::getrandom(&mut buf[done..], rustix::rand::GetRandomFlags::empty()) {
                Ok(n) => done += n,
                Err(rustix::io::Errno::INTR) => {}
                // A kernel without getrandom cannot run us at all; zeros are then the defined answer.
                Err(_) => break,
            }
        }
    }

    fn poll(&mut self, fds: &mut [PollFd], timeout_ns: Option<u64>) -> Result<usize, Errno> {
        sys::poll(fds, timeout_ns)
    }
}

impl Signals for RealHost {
    fn take_signals(&mut self) -> Vec<HostSignal> {
        sys::take_signals()
    }

    fn inherited_signals(&self) -> InheritedSignals {
        self.inherited
    }

    fn stop(&mut self, signal: Signal) -> bool {
        sys::stop(i32::from(signal.0))
    }
}

/// International atomic time, or the wall clock's where the host does not know the difference.
fn tai_ns() -> u64 {
    let t = clock_gettime_dynamic(DynamicClockId::Tai).unwrap_or_else(|_| clock_gettime(ClockId::Realtime));
    (t.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(t.tv_nsec as u64)
}
