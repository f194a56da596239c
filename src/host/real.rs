//! The host as it is.

use super::{Clock, Host, HostClock, PollFd, sys};
use crate::abi::{Errno, SigSet};
use rustix::event::{PollFlags, Timespec, poll};
use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};

/// The real host.
#[derive(Debug, Default)]
pub struct RealHost {
    _private: (),
}

impl RealHost {
    /// Opens the real host and begins to collect the signals that are meant for the guest.
    pub fn new() -> RealHost {
        for signo in [
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGTERM,
            libc::SIGUSR1,
            libc::SIGUSR2,
            libc::SIGALRM,
            libc::SIGCONT,
            libc::SIGTSTP,
            libc::SIGTTIN,
            libc::SIGTTOU,
            libc::SIGWINCH,
        ] {
            sys::catch(signo);
        }
        // The guest gets these from its own kernel; on the host they would end sevm.
        sys::ignore(libc::SIGPIPE);
        sys::ignore(libc::SIGXFSZ);
        RealHost::default()
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
        let timeout =
            timeout_ns.map(|ns| Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as _ });
        let mut list: Vec<rustix::event::PollFd<'_>> = fds
            .iter()
            .map(|p| rustix::event::PollFd::new(&p.fd, PollFlags::from_bits_retain(p.events as u16)))
            .collect();
        let ready = poll(&mut list, timeout.as_ref())?;
        let revents: Vec<i16> = list.iter().map(|p| p.revents().bits() as i16).collect();
        drop(list);
        for (p, r) in fds.iter_mut().zip(revents) {
            p.revents = r;
        }
        Ok(ready)
    }

    fn take_signals(&mut self) -> SigSet {
        SigSet(sys::take_arrived())
    }
}

/// International atomic time, or the wall clock's where the host does not know the difference.
fn tai_ns() -> u64 {
    let t = clock_gettime_dynamic(DynamicClockId::Tai).unwrap_or_else(|_| clock_gettime(ClockId::Realtime));
    (t.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(t.tv_nsec as u64)
}
