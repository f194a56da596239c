//! Layouts of time (include/uapi/linux/time_types.h, time.h, timex.h, times.h); the same on both architectures.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Nanoseconds in a second.
const SECOND_NS: u64 = 1_000_000_000;

/// `struct timespec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timespec {
    /// Whole seconds.
    pub tv_sec: i64,
    /// Nanoseconds.
    pub tv_nsec: i64,
}

impl Timespec {
    /// From nanoseconds.
    pub fn from_ns(ns: u64) -> Timespec {
        Timespec { tv_sec: (ns / SECOND_NS) as i64, tv_nsec: (ns % SECOND_NS) as i64 }
    }

    /// As nanoseconds, at most `i64::MAX` of them (KTIME_MAX); `None` unless both parts are valid for a wait or a timer.
    pub fn to_ns(self) -> Option<u64> {
        if self.tv_sec < 0 || !(0..SECOND_NS as i64).contains(&self.tv_nsec) {
            return None;
        }
        let ns = (self.tv_sec as u64).saturating_mul(SECOND_NS).saturating_add(self.tv_nsec as u64);
        Some(ns.min(i64::MAX as u64))
    }
}

/// `struct timeval`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timeval {
    /// Whole seconds.
    pub tv_sec: i64,
    /// Microseconds.
    pub tv_usec: i64,
}

impl Timeval {
    /// From nanoseconds, rounded down.
    pub fn from_ns(ns: u64) -> Timeval {
        Timeval { tv_sec: (ns / SECOND_NS) as i64, tv_usec: (ns % SECOND_NS / 1000) as i64 }
    }

    /// From nanoseconds, rounded up, as the time left of a timer is.
    pub fn from_ns_up(ns: u64) -> Timeval {
        Timeval::from_ns(ns.saturating_add(999))
    }

    /// As nanoseconds, at most `i64::MAX`; `None` unless both parts are valid.
    pub fn to_ns(self) -> Option<u64> {
        if !(0..1_000_000).contains(&self.tv_usec) {
            return None;
        }
        Timespec { tv_sec: self.tv_sec, tv_nsec: self.tv_usec * 1000 }.to_ns()
    }
}

/// `struct itimerspec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Itimerspec {
    /// Time between expirations, 0 for once.
    pub it_interval: Timespec,
    /// Time to the first, 0 for never.
    pub it_value: Timespec,
}

/// `struct itimerval`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Itimerval {
    /// Time between expirations, 0 for once.
    pub it_interval: Timeval,
    /// Time to the first, 0 for never.
    pub it_value: Timeval,
}

/// `struct timezone`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Timezone {
    /// Minutes west of Greenwich.
    pub tz_minuteswest: i32,
    /// Kind of daylight saving time.
    pub tz_dsttime: i32,
}

/// `struct tms`, in clock ticks of 1/100 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs, reason = "named as in times(2)")]
pub struct Tms {
    pub tms_utime: i64,
    pub tms_stime: i64,
    pub tms_cutime: i64,
    pub tms_cstime: i64,
}

/// `struct timex` (adjtimex(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs, reason = "named as in adjtimex(2)")]
pub struct Timex {
    pub modes: u32,
    pub pad0: u32,
    pub offset: i64,
    pub freq: i64,
    pub maxerror: i64,
    pub esterror: i64,
    pub status: i32,
    pub pad1: u32,
    pub constant: i64,
    pub precision: i64,
    pub tolerance: i64,
    pub time: Timeval,
    pub tick: i64,
    pub ppsfreq: i64,
    pub jitter: i64,
    pub shift: i32,
    pub pad2: u32,
    pub stabil: i64,
    pub jitcnt: i64,
    pub calcnt: i64,
    pub errcnt: i64,
    pub stbcnt: i64,
    pub tai: i32,
    pub reserved: [u32; 11],
}

/// `struct sigevent`, with the members that the kernel reads (sigevent(7)).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Sigevent {
    /// Data for the handler.
    pub sigev_value: u64,
    /// Signal to send.
    pub sigev_signo: i32,
    /// SIGEV_*.
    pub sigev_notify: i32,
    /// Thread for SIGEV_THREAD_ID.
    pub sigev_notify_thread_id: i32,
    /// Members that only the C library looks at.
    pub rest: [u32; 11],
}
