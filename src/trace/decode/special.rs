//! Calls that strace prints otherwise than argument by argument.

use super::{Cx, Phase, u32_at, u64_at};
use crate::syscalls::sets;
use crate::trace::buf;

/// What is special about a call. Found by its name, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::trace) enum Special {
    /// Nothing.
    #[default]
    None,
    /// Its bytes are random: printed in hexadecimal.
    Random,
    Clone,
    Clone3,
    Ioctl,
    /// Descriptors that are ready come behind the result.
    Poll,
    Ppoll,
    Select,
    Pselect,
    /// The time left is there only when it was interrupted; the argument's position.
    Sleep(u8),
    Sendfile,
    Sigreturn,
    /// Usage only when there was a child.
    Wait4,
    /// The mode holds the kind of file; only devices have a number, in this argument.
    Mknod {
        dev: u8,
    },
    /// -1 asks for the present one.
    Personality,
    /// The new address counts only with both flags that it needs.
    Mremap,
    /// Named results are in hexadecimal.
    Fcntl,
    /// One of [`PRINTERS`].
    Own(u8),
    /// Its value is a socket option.
    Getsockopt,
    /// What it may ignore is shown as an address.
    Mount,
    /// Text only for one command.
    Reboot,
    /// Gives nothing worth a name.
    Membarrier,
    /// Gives a priority.
    IoprioGet,
    /// Without its struct there is no state either; the struct's argument.
    Adjtimex(u8),
    /// The value of an attribute, which is text more often than not.
    Xattr,
    /// Its last argument may be two operations in one number.
    Futex,
    /// One of its texts is short.
    Prctl,
    /// Its bytes may be messages of netlink.
    Datagram,
    /// Waits for messages.
    Recvmmsg,
    /// Sets of capabilities by a header that says their size.
    Capabilities,
    /// A command of System V's IPC, in this argument, which may carry the flag of its newer structs.
    IpcControl(u8),
    /// Its second argument is a struct if the third is its size.
    ModifyLdt,
    /// Some of its commands have structs of their own.
    Keyctl,
    /// A protocol may be in network order.
    Socket,
}

/// A printer of all arguments of a call: before it, or after it.
type Printer = fn(&mut Cx<'_>, bool);

/// Calls with a printer of their own.
static PRINTERS: &[(&str, Printer)] = &[
    ("bpf", super::bpf::bpf),
    ("io_uring_register", super::uring::io_uring_register),
    ("io_uring_setup", super::uring::io_uring_setup),
    ("ioprio_set", super::ipc::ioprio_set),
    ("landlock_create_ruleset", super::admin::landlock_create_ruleset),
    ("mount_setattr", super::admin::mount_setattr),
    ("openat2", super::admin::openat2),
    ("perf_event_open", super::perf::perf_event_open),
    ("quotactl", super::ipc::quotactl),
    ("quotactl_fd", super::ipc::quotactl_fd),
    ("sched_getattr", super::admin::sched_getattr),
    ("sched_setattr", super::admin::sched_setattr),
    ("setsockopt", super::sockopt::setsockopt),
    ("syslog", super::ipc::syslog),
];

impl Special {
    /// What is special about the call with this name.
    pub(in crate::trace) fn of(name: &str) -> Special {
        match name {
            "getrandom" => Special::Random,
            "clone" => Special::Clone,
            "clone3" => Special::Clone3,
            "ioctl" => Special::Ioctl,
            "poll" => Special::Poll,
            "ppoll" => Special::Ppoll,
            "select" => Special::Select,
            "pselect6" => Special::Pselect,
            "nanosleep" => Special::Sleep(1),
            "clock_nanosleep" => Special::Sleep(3),
            "sendfile" => Special::Sendfile,
            "rt_sigreturn" => Special::Sigreturn,
            "wait4" => Special::Wait4,
            "mknod" => Special::Mknod { dev: 2 },
            "mknodat" => Special::Mknod { dev: 3 },
            "personality" => Special::Personality,
            "mremap" => Special::Mremap,
            "fcntl" => Special::Fcntl,
            "getsockopt" => Special::Getsockopt,
            "mount" => Special::Mount,
            "reboot" => Special::Reboot,
            "membarrier" => Special::Membarrier,
            "ioprio_get" => Special::IoprioGet,
            "adjtimex" => Special::Adjtimex(0),
            "clock_adjtime" => Special::Adjtimex(1),
            "futex" => Special::Futex,
            "prctl" => Special::Prctl,
            "sendto" | "recvfrom" => Special::Datagram,
            "recvmmsg" => Special::Recvmmsg,
            "capget" | "capset" => Special::Capabilities,
            "semctl" => Special::IpcControl(2),
            "msgctl" | "shmctl" => Special::IpcControl(1),
            "socket" => Special::Socket,
            "modify_ldt" => Special::ModifyLdt,
            "keyctl" => Special::Keyctl,
            name if name.contains("xattr") => Special::Xattr,
            name => match PRINTERS.iter().position(|(n, _)| *n == name) {
                Some(i) => Special::Own(i as u8),
                None => Special::None,
            },
        }
    }

    /// The arguments with which the form of the call is looked up: its selector without what does not select.
    pub(super) fn selecting(self, args: &[u64; 6]) -> [u64; 6] {
        let mut args = *args;
        match self {
            Special::IpcControl(at) => args[usize::from(at)] &= !super::ipc::IPC_64,
            // FUTEX_PRIVATE_FLAG
            Special::Futex => args[1] &= 0x7f,
            _ => {}
        }
        args
    }

    /// Prints the arguments of this phase; `false` leaves it to the table.
    pub(super) fn arguments(self, cx: &mut Cx<'_>, printed: &mut usize, before: &mut u64) -> bool {
        let entering = matches!(cx.phase, Phase::Enter);
        match self {
            Special::Clone => clone(cx, entering),
            Special::Clone3 => clone3(cx, entering),
            Special::Ioctl => {
                // `printed` tells that the argument still has to come.
                if entering {
                    *printed = usize::from(cx.ioctl());
                } else if *printed == 1 {
                    cx.ioctl();
                }
            }
            Special::Own(i) => {
                if let Some((_, print)) = PRINTERS.get(usize::from(i)) {
                    print(cx, entering);
                }
            }
            Special::Keyctl => return super::keys::keyctl(cx, entering),
            Special::Getsockopt => super::sockopt::getsockopt(cx, entering, before),
            Special::Sleep(left) => sleep(cx, entering, usize::from(left)),
            Special::Sendfile => sendfile(cx, entering, printed, before),
            Special::Sigreturn => sigreturn(cx, entering),
            Special::Wait4 => wait4(cx, entering),
            Special::Personality if cx.args[0] as u32 == u32::MAX => {
                if entering {
                    cx.hex(u64::from(u32::MAX));
                }
            }
            _ => return false,
        }
        true
    }

    /// Whether argument `i` means something in this call.
    pub(super) fn shows(self, cx: &Cx<'_>, i: usize) -> bool {
        const FIXED_AND_MAYMOVE: u64 = 3;
        match self {
            Special::Mknod { dev } if i == usize::from(dev) => {
                matches!(cx.args[i - 1] & 0o170_000, 0o20_000 | 0o60_000)
            }
            Special::Mremap if i == 4 => cx.args[3] & FIXED_AND_MAYMOVE == FIXED_AND_MAYMOVE,
            // LINUX_REBOOT_CMD_RESTART2
            Special::Reboot if i == 3 => cx.args[2] as u32 == 0xa1b2_c3d4,
            _ => true,
        }
    }

    /// Whether argument `i` is a text that the call does not look at.
    pub(super) fn ignores(self, cx: &Cx<'_>, i: usize) -> bool {
        const REMOUNT: u64 = 0x20;
        const ELSEWHERE: u64 = 0x1000 | 0x2000 | 0x2_0000 | 0x4_0000 | 0x8_0000 | 0x10_0000;
        let flags = cx.args[3];
        match (self, i) {
            (Special::Mount, 2) => flags & (REMOUNT | ELSEWHERE) != 0,
            (Special::Mount, 4) => flags & REMOUNT == 0 && flags & ELSEWHERE != 0,
            (Special::Capabilities, 1) => !cx.is_readable(cx.args[0]),
            _ => false,
        }
    }

    /// Prints what stands in parentheses behind the result.
    pub(super) fn remark(self, cx: &mut Cx<'_>) {
        let Phase::Exit(Ok(value)) = cx.phase else { return };
        match self {
            Special::IoprioGet => {
                cx.text(" (");
                cx.ioprio(value as u32);
                cx.out.push(b')');
            }
            Special::Recvmmsg if value == 0 => cx.text(" (Timeout)"),
            Special::Recvmmsg if cx.args[4] != 0 => {
                cx.text(" (left ");
                two_words(cx, cx.args[4], "tv_nsec");
                cx.out.push(b')');
            }
            Special::Poll | Special::Ppoll | Special::Select | Special::Pselect if value == 0 => cx.text(" (Timeout)"),
            Special::Poll | Special::Ppoll => polled(cx, self == Special::Ppoll),
            Special::Select => selected(cx, "tv_usec"),
            Special::Pselect => selected(cx, "tv_nsec"),
            _ => {}
        }
    }
}

fn two_words(cx: &mut Cx<'_>, addr: u64, fraction: &str) {
    let mut b = [0u8; 16];
    if !cx.fetch(addr, &mut b) {
        return cx.addr(addr);
    }
    cx.text("{tv_sec=");
    cx.sdec(u64_at(&b, 0) as i64);
    cx.text(", ");
    cx.text(fraction);
    cx.out.push(b'=');
    cx.sdec(u64_at(&b, 8) as i64);
    cx.out.push(b'}');
}

fn polled(cx: &mut Cx<'_>, with_timeout: bool) {
    let (fds, count) = (cx.args[0], cx.args[1] & 0xffff_ffff);
    cx.text(" ([");
    let mut first = true;
    let mut b = [0u8; 8];
    for i in 0..count {
        if !cx.fetch(fds.wrapping_add(8 * i), &mut b) {
            break;
        }
        let ready = super::u16_at(&b, 6);
        if ready == 0 {
            continue;
        }
        if !std::mem::take(&mut first) {
            cx.text(", ");
        }
        cx.text("{fd=");
        cx.sdec(i64::from(u32_at(&b, 0) as i32));
        cx.text(", revents=");
        cx.flags(&sets::POLL, u64::from(ready));
        cx.out.push(b'}');
    }
    cx.out.push(b']');
    if with_timeout && cx.args[2] != 0 {
        cx.text(", left ");
        two_words(cx, cx.args[2], "tv_nsec");
    }
    cx.out.push(b')');
}

fn selected(cx: &mut Cx<'_>, fraction: &str) {
    cx.text(" (");
    let mut any = false;
    for (name, i) in [("in ", 1), ("out ", 2), ("except ", 3)] {
        let Some(fds) = cx.fd_bits(cx.args[i], cx.args[0]) else { continue };
        if fds.is_empty() {
            continue;
        }
        if std::mem::replace(&mut any, true) {
            cx.text(", ");
        }
        cx.text(name);
        cx.fdset(cx.args[i], cx.args[0]);
    }
    if cx.args[4] != 0 {
        if any {
            cx.text(", ");
        }
        cx.text("left ");
        two_words(cx, cx.args[4], fraction);
    }
    cx.out.push(b')');
}

fn clone(cx: &mut Cx<'_>, entering: bool) {
    let [flags, stack, ptid, fourth, fifth, _] = cx.args;
    let (ctid, tls) = if cx.arch == crate::arch::Arch::X86_64 { (fourth, fifth) } else { (fifth, fourth) };
    if entering {
        cx.text("child_stack=");
        cx.addr(stack);
        cx.next_argument();
        cx.text("flags=");
        let start = cx.out.len();
        if flags & !0xff != 0 {
            cx.flags(&sets::CLONE, flags & !0xff);
        }
        if flags & 0xff != 0 {
            buf::separate(cx.out, start);
            cx.signal(flags as u32 & 0xff);
        } else if flags == 0 {
            cx.out.push(b'0');
        }
        return;
    }
    const PIDFD: u64 = 0x1000;
    const PARENT_SETTID: u64 = 0x10_0000;
    const CHILD_TID: u64 = 0x120_0000;
    const SETTLS: u64 = 0x8_0000;
    if flags & (PIDFD | PARENT_SETTID) != 0 {
        cx.next_argument();
        cx.text("parent_tid=");
        let mut b = [0u8; 4];
        if !cx.failed() && cx.fetch(ptid, &mut b) {
            cx.out.push(b'[');
            cx.sdec(i64::from(i32::from_le_bytes(b)));
            cx.out.push(b']');
        } else {
            cx.addr(ptid);
        }
    }
    if flags & SETTLS != 0 {
        cx.next_argument();
        cx.text("tls=");
        cx.addr(tls);
    }
    if flags & CHILD_TID != 0 {
        cx.next_argument();
        cx.text("child_tidptr=");
        cx.addr(ctid);
    }
}

/// clone3(2): the members that the flags make meaningful.
fn clone3(cx: &mut Cx<'_>, entering: bool) {
    let [addr, size, ..] = cx.args;
    let mut b = [0u8; 88];
    let n = (size as usize).min(b.len());
    let readable = n >= 64 && cx.fetch(addr, &mut b[..n]);
    let flags = u64_at(&b, 0);
    if !entering {
        if readable && !cx.failed() && flags & 0x10_1000 != 0 {
            cx.text(" => {");
            let mut any = false;
            for (bit, name, at) in [(0x1000, "pidfd", 8), (0x10_0000, "parent_tid", 24)] {
                let mut word = [0u8; 4];
                if flags & bit != 0 && cx.fetch(u64_at(&b, at), &mut word) {
                    if std::mem::replace(&mut any, true) {
                        cx.text(", ");
                    }
                    cx.text(name);
                    cx.text("=[");
                    cx.sdec(i64::from(i32::from_le_bytes(word)));
                    cx.out.push(b']');
                }
            }
            cx.out.push(b'}');
        }
        cx.next_argument();
        return cx.dec(size);
    }
    if !readable {
        return cx.addr(addr);
    }
    cx.text("{flags=");
    cx.flags(&sets::CLONE3, flags);
    for (bit, name, at) in [(0x1000, "pidfd", 8), (0x120_0000, "child_tid", 16), (0x10_0000, "parent_tid", 24)] {
        if flags & bit != 0 {
            cx.text(", ");
            cx.text(name);
            cx.out.push(b'=');
            cx.addr(u64_at(&b, at));
        }
    }
    cx.text(", exit_signal=");
    match u32::try_from(u64_at(&b, 32)) {
        Ok(signal) => cx.signal(signal),
        Err(_) => cx.dec(u64_at(&b, 32)),
    }
    cx.text(", stack=");
    cx.addr(u64_at(&b, 40));
    cx.text(", stack_size=");
    cx.hex(u64_at(&b, 48));
    if flags & 0x8_0000 != 0 {
        cx.text(", tls=");
        cx.addr(u64_at(&b, 56));
    }
    let tids = (u64_at(&b, 64), u64_at(&b, 72));
    if n >= 72 && tids != (0, 0) {
        cx.text(", set_tid=");
        cx.array::<4>(tids.0, tids.1, |cx, b| cx.sdec(i64::from(i32::from_le_bytes(*b))));
        cx.text(", set_tid_size=");
        cx.dec(tids.1);
    }
    if n >= 88 && (flags & 0x2_0000_0000 != 0 || u64_at(&b, 80) != 0) {
        cx.text(", cgroup=");
        cx.dec(u64_at(&b, 80));
    }
    cx.excess(addr, b.len() as u64, size);
    cx.out.push(b'}');
}

/// nanosleep(2) and clock_nanosleep(2).
fn sleep(cx: &mut Cx<'_>, entering: bool, left: usize) {
    if entering {
        if left == 3 {
            cx.name(&sets::CLOCKID, cx.args[0] & 0xffff_ffff);
            cx.next_argument();
            cx.flags(&sets::TIMER, cx.args[1] & 0xffff_ffff);
            cx.next_argument();
        }
        cx.structure(crate::syscalls::Struct::Timespec, cx.args[left - 1]);
        return cx.next_argument();
    }
    let absolute = left == 3 && cx.args[1] & 1 != 0;
    let interrupted = matches!(cx.phase, Phase::Exit(Err(e)) if e.is_restart() || e == crate::abi::Errno::EINTR);
    if interrupted && !absolute && cx.args[left] != 0 {
        two_words(cx, cx.args[left], "tv_nsec");
    } else {
        cx.addr(cx.args[left]);
    }
}

fn sendfile(cx: &mut Cx<'_>, entering: bool, printed: &mut usize, before: &mut u64) {
    let [out_fd, in_fd, offset, count, ..] = cx.args;
    let mut b = [0u8; 8];
    if entering {
        cx.fd(out_fd as i32);
        cx.next_argument();
        cx.fd(in_fd as i32);
        cx.next_argument();
        if offset != 0 && cx.fetch(offset, &mut b) {
            *before = u64_at(&b, 0);
            *printed = 1;
            cx.out.push(b'[');
            cx.dec(*before);
            cx.out.push(b']');
        } else {
            cx.addr(offset);
            cx.next_argument();
            cx.dec(count);
        }
    } else if *printed == 1 {
        if !cx.failed() && cx.value() != 0 && cx.fetch(offset, &mut b) {
            cx.text(" => [");
            cx.dec(u64_at(&b, 0));
            cx.out.push(b']');
        }
        cx.next_argument();
        cx.dec(count);
    }
}

/// rt_sigreturn(2): the mask that the frame restores. The frame lies at the stack pointer, which the first argument
/// register does not tell; the caller of the printer puts the mask's address there.
fn sigreturn(cx: &mut Cx<'_>, entering: bool) {
    if !entering {
        return;
    }
    let mut b = [0u8; 8];
    if cx.fetch(cx.args[0], &mut b) {
        cx.text("{mask=");
        cx.sigset(u64::from_le_bytes(b));
        cx.out.push(b'}');
    }
}

fn wait4(cx: &mut Cx<'_>, entering: bool) {
    let [pid, status, options, rusage, ..] = cx.args;
    if entering {
        cx.pid(pid as i32);
        return cx.next_argument();
    }
    if status == 0 {
        cx.text("NULL")
    } else {
        cx.wait_status(status)
    }
    cx.next_argument();
    cx.flags(&sets::WAIT, options & 0xffff_ffff);
    cx.next_argument();
    // Without a child there is no usage either.
    if cx.value() == 0 { cx.addr(rusage) } else { cx.structure(crate::syscalls::Struct::Rusage, rusage) }
}

impl Cx<'_> {
    /// The last argument of pselect6(2): `{sigmask=[], sigsetsize=8}`.
    pub(super) fn pselect_mask(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<16>(addr) else { return };
        self.text("{sigmask=");
        let (mask, len) = (u64_at(&b, 0), u64_at(&b, 8));
        if mask == 0 {
            self.text("NULL")
        } else {
            self.sigset_at(mask, len)
        }
        self.text(", sigsetsize=");
        self.dec(len);
        self.out.push(b'}');
    }
}
