//! Signals, their sets and actions, and what a handler is told.

use super::{Constants, Cx, u32_at, u64_at};
use crate::abi::{SigSet, Signal};
use crate::arch::Arch;
use crate::kernel::signal::{Fields, SigInfo};
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Buf};

impl Cx<'_> {
    /// A signal number by name.
    pub(super) fn signal(&mut self, number: u32) {
        self.constant(u64::from(number), buf::dec, |out| signal(out, number as i32));
    }

    /// A signal set: `[INT CHLD]`, or `~[]` for one that holds nearly all.
    pub(super) fn sigset(&mut self, bits: u64) {
        if self.style.constants == Constants::Abbreviated {
            return sigset(self.out, SigSet(bits));
        }
        let (mark, shown) = if is_better_inverted(bits) { ("~[", !bits) } else { ("[", bits) };
        self.text(mark);
        for (i, s) in SigSet(shown).iter().enumerate() {
            self.text(if i > 0 { " " } else { "" });
            let name = s.name();
            self.constant(u64::from(s.0), buf::dec, |out| buf::text(out, name.strip_prefix("SIG").unwrap_or(&name)));
        }
        self.out.push(b']');
    }

    /// A signal set of `len` bytes in memory.
    pub(super) fn sigset_at(&mut self, addr: u64, len: u64) {
        let mut bytes = [0u8; 8];
        let known = len == 8 && !self.failed() && self.fetch(addr, &mut bytes);
        if known { self.sigset(u64::from_le_bytes(bytes)) } else { self.addr(addr) }
    }

    /// An rt_sigaction(2) argument. x86_64's has a restorer before the mask, aarch64's kernel layout the same.
    pub(super) fn sigaction(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<32>(addr) else { return };
        let flags = u64_at(&b, 8);
        self.text("{sa_handler=");
        let handler = u64_at(&b, 0);
        match sets::SIG_HANDLER.name_of(self.arch, handler) {
            Some(name) => self.constant(handler, buf::hex, |out| buf::text(out, name)),
            None => self.addr(handler),
        }
        self.text(", sa_mask=");
        self.sigset(u64_at(&b, 24));
        self.text(", sa_flags=");
        self.flags(&sets::SIGACTION, flags);
        if flags & 0x400_0000 != 0 {
            self.text(", sa_restorer=");
            self.addr(u64_at(&b, 16));
        }
        self.out.push(b'}');
    }

    /// A siginfo_t in memory.
    pub(super) fn siginfo_at(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<128>(addr) else { return };
        siginfo_bytes(self, &b);
    }

    /// A sigevent(7).
    pub(super) fn sigevent(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<64>(addr) else { return };
        let notify = u32_at(&b, 12);
        self.out.push(b'{');
        if u64_at(&b, 0) != 0 {
            self.text("sigev_value={sival_int=");
            self.sdec(i64::from(u32_at(&b, 0) as i32));
            self.text(", sival_ptr=");
            self.addr(u64_at(&b, 0));
            self.text("}, ");
        }
        self.text("sigev_signo=");
        let signo = u32_at(&b, 8);
        // Only where a signal is sent does the number have to be one.
        if matches!(notify, 0 | 2 | 4) {
            self.signal(signo)
        } else {
            self.sdec(i64::from(signo as i32))
        }
        self.text(", sigev_notify=");
        self.name(&sets::SIGEV_NOTIFY, u64::from(notify));
        match notify {
            2 => {
                self.text(", sigev_notify_function=");
                self.addr(u64_at(&b, 16));
                self.text(", sigev_notify_attributes=");
                self.addr(u64_at(&b, 24));
            }
            4 => {
                self.text(", sigev_notify_thread_id=");
                self.sdec(i64::from(u32_at(&b, 16) as i32));
            }
            _ => {}
        }
        self.out.push(b'}');
    }
}

/// Appends a signal by name; 0 and what is no signal as a number.
pub(super) fn signal(out: &mut Buf, number: i32) {
    match Signal::new(number) {
        Some(s) => buf::text(out, &s.name()),
        None => buf::sdec(out, i64::from(number)),
    }
}

/// Whether a set is told shorter by what it lacks.
fn is_better_inverted(bits: u64) -> bool {
    bits.count_ones() > 64 * 2 / 3
}

fn sigset(out: &mut Buf, set: SigSet) {
    let inverted = is_better_inverted(set.0);
    let shown = if inverted { SigSet(!set.0) } else { set };
    if inverted {
        out.push(b'~');
    }
    out.push(b'[');
    for (i, s) in shown.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        let name = s.name();
        buf::text(out, name.strip_prefix("SIG").unwrap_or(&name));
    }
    out.push(b']');
}

/// The names of the codes that belong to one signal.
fn codes_of(signal: i32) -> Option<&'static Set> {
    Some(match signal {
        4 => &sets::SI_CODE_ILL,
        5 => &sets::SI_CODE_TRAP,
        7 => &sets::SI_CODE_BUS,
        8 => &sets::SI_CODE_FPE,
        11 => &sets::SI_CODE_SEGV,
        17 => &sets::SI_CODE_CHLD,
        29 => &sets::SI_CODE_POLL,
        31 => &sets::SI_CODE_SYS,
        _ => return None,
    })
}

fn code(out: &mut Buf, signal: i32, code: i32) {
    let value = u64::from(code as u32);
    let own = codes_of(signal).filter(|_| code > 0).and_then(|set| set.name_of(Arch::X86_64, value));
    match own.or_else(|| sets::SI_CODE.name_of(Arch::X86_64, value)) {
        Some(name) => buf::text(out, name),
        None => buf::hex(out, value),
    }
}

fn field(out: &mut Buf, name: &str) {
    buf::text(out, ", ");
    buf::text(out, name);
    out.push(b'=');
}

fn sender(out: &mut Buf, pid: i32, uid: u32) {
    field(out, "si_pid");
    buf::sdec(out, i64::from(pid));
    field(out, "si_uid");
    buf::dec(out, u64::from(uid));
}

fn value(out: &mut Buf, value: u64) {
    field(out, "si_int");
    buf::sdec(out, i64::from(value as i32));
    field(out, "si_ptr");
    buf::addr(out, value);
}

fn child(out: &mut Buf, si_code: i32, status: i32, utime: i64, stime: i64) {
    field(out, "si_status");
    // After an exit the status is a number, otherwise the signal.
    if si_code == 1 {
        buf::sdec(out, i64::from(status))
    } else {
        signal(out, status)
    }
    for (name, ticks) in [("si_utime", utime), ("si_stime", stime)] {
        field(out, name);
        buf::sdec(out, ticks);
        if ticks > 0 {
            buf::text(out, &format!(" /* {}.{:02} s */", ticks / 100, ticks % 100));
        }
    }
}

fn head(out: &mut Buf, number: i32, si_code: i32, errno: i32) {
    buf::text(out, "{si_signo=");
    signal(out, number);
    field(out, "si_code");
    code(out, number, si_code);
    if errno != 0 {
        field(out, "si_errno");
        match crate::abi::Errno(errno as u16).name() {
            Some(name) if (0..=0xffff).contains(&errno) => buf::text(out, name),
            _ => buf::sdec(out, i64::from(errno)),
        }
    }
}

/// Appends what a signal carries: `{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8}`.
pub(in crate::trace) fn siginfo(out: &mut Buf, info: &SigInfo) {
    head(out, i32::from(info.signal.0), info.code, info.errno);
    match info.fields {
        // Only what a process has sent always has a sender.
        Fields::Kill { pid: 0, uid: 0 } if !matches!(info.code, 0 | -6) => {}
        Fields::Kill { pid, uid } => sender(out, pid, uid),
        Fields::Queue { pid, uid, value: v } => {
            sender(out, pid, uid);
            if v != 0 {
                value(out, v);
            }
        }
        Fields::Timer { id, overrun, value: v } => {
            field(out, "si_timerid");
            buf::hex(out, u64::from(id as u32));
            field(out, "si_overrun");
            buf::sdec(out, i64::from(overrun));
            value(out, v);
        }
        Fields::Child { pid, uid, status, utime, stime } => {
            sender(out, pid, uid);
            child(out, info.code, status, utime, stime);
        }
        Fields::Fault { addr } => {
            field(out, "si_addr");
            buf::addr(out, addr.0);
        }
        Fields::Poll { band, fd } => {
            field(out, "si_band");
            buf::sdec(out, band);
            field(out, "si_fd");
            buf::sdec(out, i64::from(fd));
        }
        Fields::Syscall { addr, nr, arch } => {
            field(out, "si_call_addr");
            buf::addr(out, addr.0);
            field(out, "si_syscall");
            buf::sdec(out, i64::from(nr));
            field(out, "si_arch");
            buf::hex(out, u64::from(arch));
        }
        Fields::None => {}
    }
    out.push(b'}');
}

/// A siginfo_t by its bytes (include/uapi/asm-generic/siginfo.h).
fn siginfo_bytes(cx: &mut Cx<'_>, b: &[u8; 128]) {
    let (number, errno, si_code) = (u32_at(b, 0) as i32, u32_at(b, 4) as i32, u32_at(b, 8) as i32);
    if number == 0 {
        return cx.text("{}");
    }
    let (pid, uid) = (u32_at(b, 16) as i32, u32_at(b, 20));
    let out = &mut *cx.out;
    head(out, number, si_code, errno);
    match (si_code, number) {
        (0 | -6, _) => sender(out, pid, uid),
        (-2, _) => {
            field(out, "si_timerid");
            buf::hex(out, u64::from(pid as u32));
            field(out, "si_overrun");
            buf::sdec(out, i64::from(uid as i32));
            value(out, u64_at(b, 24));
        }
        (1..=127, 17) => {
            sender(out, pid, uid);
            child(out, si_code, u32_at(b, 24) as i32, u64_at(b, 32) as i64, u64_at(b, 40) as i64);
        }
        (1..=127, 4 | 5 | 7 | 8 | 11) => {
            field(out, "si_addr");
            buf::addr(out, u64_at(b, 16));
        }
        (1..=127, 29) => {
            field(out, "si_band");
            buf::sdec(out, u64_at(b, 16) as i64);
            field(out, "si_fd");
            buf::sdec(out, i64::from(u32_at(b, 24) as i32));
        }
        (128, _) => {}
        _ => {
            if (pid, uid) != (0, 0) {
                sender(out, pid, uid);
            }
            if u64_at(b, 24) != 0 {
                value(out, u64_at(b, 24));
            }
        }
    }
    out.push(b'}');
}
