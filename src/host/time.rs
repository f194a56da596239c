//! Clocks, randomness, and waiting.

use super::HostFd;
use crate::abi::Errno;

/// The host clocks a guest can ask for (clock_gettime(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostClock {
    /// Time since the epoch.
    Realtime,
    /// Time since some start, never set.
    Monotonic,
    /// Monotonic, not steered by NTP.
    MonotonicRaw,
    /// Time since the epoch at the last kernel tick.
    RealtimeCoarse,
    /// Monotonic at the last kernel tick.
    MonotonicCoarse,
    /// Monotonic, time asleep included.
    Boottime,
    /// International atomic time.
    Tai,
    /// CPU time of the sevm process.
    ProcessCpu,
}

/// A host file to wait for.
#[derive(Clone, Debug)]
pub struct PollFd {
    /// The file.
    pub fd: HostFd,
    /// POLL* bits to wait for.
    pub events: i16,
    /// POLL* bits that hold.
    pub revents: i16,
}

/// Time, randomness and waiting.
pub trait Clock {
    /// Nanoseconds that `clock` shows.
    fn now_ns(&mut self, clock: HostClock) -> u64;

    /// Fills `buf` with random bytes.
    fn random(&mut self, buf: &mut [u8]);

    /// Waits until one of `fds` is ready, `timeout_ns` have passed (`None`: no limit) or a signal for the guest comes
    /// in; sets `revents`. Returns the number of ready files.
    ///
    /// # Errors
    /// `EINTR` when a signal came.
    fn poll(&mut self, fds: &mut [PollFd], timeout_ns: Option<u64>) -> Result<usize, Errno>;
}
