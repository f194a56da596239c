//! What a signal tells about its origin.

use super::*;
use crate::abi::consts::si_code;
use crate::abi::siginfo::RawSigInfo;

/// What a signal handler is told (sigaction(2), siginfo_t).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigInfo {
    /// The signal.
    pub signal: Signal,
    /// `si_code`: SI_USER, SI_KERNEL, SEGV_MAPERR, ...
    pub code: i32,
    /// `si_errno`.
    pub errno: i32,
    /// The members that depend on the code.
    pub fields: Fields,
}

/// The union within siginfo_t. The members are named as sigaction(2) names them, without `si_`.
#[allow(missing_docs, reason = "named as in sigaction(2)")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// Sent by a process: its pid and uid.
    Kill { pid: Pid, uid: u32 },
    /// Sent with a value: pid, uid, value.
    Queue { pid: Pid, uid: u32, value: u64 },
    /// A timer: id, overruns, value.
    Timer { id: i32, overrun: i32, value: u64 },
    /// A child changed its state.
    Child { pid: Pid, uid: u32, status: i32, utime: i64, stime: i64 },
    /// A fault at this address.
    Fault { addr: GuestAddr },
    /// An event on a descriptor.
    Poll { band: i64, fd: i32 },
    /// A call that a filter forbids.
    Syscall { addr: GuestAddr, nr: i32, arch: u32 },
    /// Nothing.
    None,
}

/// Which members of the union a code goes with (`siginfo_layout` of Linux).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Kill,
    Queue,
    Timer,
    Poll,
    Fault,
    Child,
    Syscall,
}

impl Layout {
    fn of(signal: Signal, code: i32) -> Layout {
        if code > si_code::SI_USER as i32 && code < si_code::SI_KERNEL as i32 {
            return match signal {
                Signal::SIGILL | Signal::SIGFPE | Signal::SIGSEGV | Signal::SIGBUS | Signal::SIGTRAP => Layout::Fault,
                Signal::SIGCHLD => Layout::Child,
                Signal::SIGIO => Layout::Poll,
                Signal::SIGSYS => Layout::Syscall,
                _ if code <= 6 => Layout::Poll,
                _ => Layout::Kill,
            };
        }
        match code as u32 {
            si_code::SI_TIMER => Layout::Timer,
            si_code::SI_SIGIO => Layout::Poll,
            si_code::SI_TKILL => Layout::Kill,
            _ if code < 0 => Layout::Queue,
            _ => Layout::Kill,
        }
    }
}

impl SigInfo {
    /// As kill(2) sends it.
    pub fn kill(signal: Signal, pid: Pid, uid: u32) -> SigInfo {
        SigInfo { signal, code: si_code::SI_USER as i32, errno: 0, fields: Fields::Kill { pid, uid } }
    }

    /// As the kernel itself sends it, without further words (SI_KERNEL).
    pub fn kernel(signal: Signal) -> SigInfo {
        let fields = match signal {
            // These signals carry an address whatever their code is.
            Signal::SIGILL | Signal::SIGFPE | Signal::SIGSEGV | Signal::SIGBUS | Signal::SIGTRAP => {
                Fields::Fault { addr: GuestAddr::NULL }
            }
            _ => Fields::Kill { pid: 0, uid: 0 },
        };
        SigInfo { signal, code: si_code::SI_KERNEL as i32, errno: 0, fields }
    }

    /// A fault at `addr`.
    pub fn fault(signal: Signal, code: u32, addr: u64) -> SigInfo {
        SigInfo { signal, code: code as i32, errno: 0, fields: Fields::Fault { addr: GuestAddr(addr) } }
    }

    /// Whether the running instruction caused it, rather than a process (`si_fromuser` of Linux).
    pub fn is_synchronous(&self) -> bool {
        self.code > si_code::SI_USER as i32 && pending::SYNCHRONOUS.contains(self.signal)
    }

    /// As a guest sees it.
    pub fn to_raw(&self) -> RawSigInfo {
        let raw = RawSigInfo::new(i32::from(self.signal.0), self.errno, self.code);
        match self.fields {
            Fields::Kill { pid, uid } => raw.put32(0, pid as u32).put32(4, uid),
            Fields::Queue { pid, uid, value } => raw.put32(0, pid as u32).put32(4, uid).put64(8, value),
            Fields::Timer { id, overrun, value } => raw.put32(0, id as u32).put32(4, overrun as u32).put64(8, value),
            Fields::Child { pid, uid, status, utime, stime } => raw
                .put32(0, pid as u32)
                .put32(4, uid)
                .put32(8, status as u32)
                .put64(16, utime as u64)
                .put64(24, stime as u64),
            Fields::Fault { addr } => raw.put64(0, addr.0),
            Fields::Poll { band, fd } => raw.put64(0, band as u64).put32(8, fd as u32),
            Fields::Syscall { addr, nr, arch } => raw.put64(0, addr.0).put32(8, nr as u32).put32(12, arch),
            Fields::None => raw,
        }
    }

    /// From what a guest wrote, for the signal it is sent as.
    pub fn from_raw(signal: Signal, raw: &RawSigInfo) -> SigInfo {
        let [a, b] = [raw.get32(0), raw.get32(4)];
        let fields = match Layout::of(signal, raw.code) {
            Layout::Kill => Fields::Kill { pid: a as i32, uid: b },
            Layout::Queue => Fields::Queue { pid: a as i32, uid: b, value: raw.get64(8) },
            Layout::Timer => Fields::Timer { id: a as i32, overrun: b as i32, value: raw.get64(8) },
            Layout::Poll => Fields::Poll { band: raw.get64(0) as i64, fd: raw.get32(8) as i32 },
            Layout::Fault => Fields::Fault { addr: GuestAddr(raw.get64(0)) },
            Layout::Child => Fields::Child {
                pid: a as i32,
                uid: b,
                status: raw.get32(8) as i32,
                utime: raw.get64(16) as i64,
                stime: raw.get64(24) as i64,
            },
            Layout::Syscall => {
                Fields::Syscall { addr: GuestAddr(raw.get64(0)), nr: raw.get32(8) as i32, arch: raw.get32(12) }
            }
        };
        SigInfo { signal, code: raw.code, errno: raw.errno, fields }
    }
}
