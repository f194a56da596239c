//! Layouts of siginfo_t, struct sigaction and stack_t; both architectures share them
//! (include/uapi/asm-generic/{siginfo,signal-defs,signal}.h, arch/x86/include/uapi/asm/signal.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// siginfo_t: three numbers and a union.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RawSigInfo {
    /// `si_signo`.
    pub signo: i32,
    /// `si_errno`.
    pub errno: i32,
    /// `si_code`.
    pub code: i32,
    /// Aligns the union.
    pub pad: i32,
    /// The union.
    pub union: [u8; 112],
}

impl RawSigInfo {
    /// One with an empty union.
    pub fn new(signo: i32, errno: i32, code: i32) -> RawSigInfo {
        RawSigInfo { signo, errno, code, pad: 0, union: [0; 112] }
    }

    /// The 32 bits at `offset` of the union, which must lie within it.
    pub fn get32(&self, offset: usize) -> u32 {
        let mut b = [0; 4];
        b.copy_from_slice(&self.union[offset..offset + 4]);
        u32::from_le_bytes(b)
    }

    /// The 64 bits at `offset` of the union, which must lie within it.
    pub fn get64(&self, offset: usize) -> u64 {
        u64::from(self.get32(offset)) | u64::from(self.get32(offset + 4)) << 32
    }

    /// Sets the 32 bits at `offset` of the union, which must lie within it.
    pub fn put32(mut self, offset: usize, value: u32) -> RawSigInfo {
        self.union[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        self
    }

    /// Sets the 64 bits at `offset` of the union, which must lie within it.
    pub fn put64(mut self, offset: usize, value: u64) -> RawSigInfo {
        self.union[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        self
    }
}

/// struct sigaction as rt_sigaction(2) takes it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RawSigAction {
    /// SIG_DFL, SIG_IGN or an address.
    pub handler: u64,
    /// SA_*.
    pub flags: u64,
    /// Address of the code behind a handler.
    pub restorer: u64,
    /// Signals blocked in the handler.
    pub mask: u64,
}

/// stack_t.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RawStack {
    /// `ss_sp`.
    pub sp: u64,
    /// `ss_flags`: SS_*.
    pub flags: u32,
    /// Aligns the size.
    pub pad: u32,
    /// `ss_size`, in bytes.
    pub size: u64,
}

/// struct signalfd_siginfo (include/uapi/linux/signalfd.h). The members are named as there, without `ssi_`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs, reason = "named as in signalfd(2)")]
pub struct SignalfdSiginfo {
    pub signo: u32,
    pub errno: i32,
    pub code: i32,
    pub pid: u32,
    pub uid: u32,
    pub fd: i32,
    pub tid: u32,
    pub band: u32,
    pub overrun: u32,
    pub trapno: u32,
    pub status: i32,
    pub int: i32,
    pub ptr: u64,
    pub utime: u64,
    pub stime: u64,
    pub addr: u64,
    pub addr_lsb: u16,
    pub pad2: u16,
    pub syscall: i32,
    pub call_addr: u64,
    pub arch: u32,
    pub pad: [u8; 28],
}
