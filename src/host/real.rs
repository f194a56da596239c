//! The host as it is.

use super::{Clock, Host, HostClock, HostSignal, InheritedSignals, PollFd, Signals, signals, sys};
use crate::abi::{Errno, Signal};
use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};
use std::os::fd::OwnedFd;

/// The real host.
#[derive(Debug, Default)]
pub struct RealHost {
    inherited: InheritedSignals,
    /// The files that the guest starts with, where they are not simply all that sevm has.
    pub(super) given: Option<Vec<(i32, OwnedFd)>>,
    /// The umask of the program that sevm is a part of, to be put back.
    pub(super) umask: Option<u32>,
    /// Its controlling terminal, once it has been looked for.
    pub(super) terminal: Option<Option<OwnedFd>>,
}

impl RealHost {
    /// Opens the real host and begins to collect the signals that are meant for the guest.
    pub fn new() -> RealHost {
        RealHost { inherited: signals::collect(), given: None, umask: None, terminal: None }
    }

    /// The real host for a machine inside a larger program: the guest gets only the given files, by their numbers, and
    /// no signals that the program gets. The program's umask is 0 while the host lives, and for all of its threads, since
    /// guests have umasks of their own.
    pub fn embedded(files: Vec<(i32, OwnedFd)>) -> RealHost {
        signals::ignore_io_signals();
        RealHost { inherited: InheritedSignals::default(), given: Some(files), umask: None, terminal: Some(None) }
    }
}

impl Drop for RealHost {
    fn drop(&mut self) {
        if let (Some(_), Some(umask)) = (&self.given, self.umask) {
            rustix::process::umask(rustix::fs::Mode::from_bits_retain(umask));
        }
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
        // A guest does not stop the program that it is a part of.
        self.given.is_none() && sys::stop(i32::from(signal.0))
    }
}

/// International atomic time, or the wall clock's where the host does not know the difference.
fn tai_ns() -> u64 {
    let t = clock_gettime_dynamic(DynamicClockId::Tai).unwrap_or_else(|_| clock_gettime(ClockId::Realtime));
    (t.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(t.tv_nsec as u64)
}
