//! Arguments and results by the table's types.
//!
//! What a call reads is printed before it is carried out, up to the first argument that it writes; the rest afterwards.

use super::{Cx, Special, time, u32_at, u64_at};
use crate::abi::Errno;
use crate::syscalls::{Arg, Dir, Elem, Entry, Len, Ret, Scalar, Struct, Type, sets};
use crate::trace::buf::{self, Quote};

/// When a value is printed.
#[derive(Clone, Copy, Debug)]
pub(in crate::trace) enum Phase {
    /// Before the call.
    Enter,
    /// After it.
    Exit(Result<u64, Errno>),
    /// It does not return.
    Gone,
}

/// What has to be remembered between the two phases of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::trace) struct Progress {
    /// Arguments already printed.
    printed: usize,
    /// The length that an in-out argument had before the call.
    before: u64,
}

/// Prints the arguments that belong to this phase.
pub(in crate::trace) fn arguments(cx: &mut Cx<'_>, entry: &Entry, special: Special, progress: &mut Progress) {
    if special.arguments(cx, &mut progress.printed, &mut progress.before) {
        return;
    }
    let (args, _) = entry.form(cx.arch, &special.selecting(&cx.args));
    let entering = matches!(cx.phase, Phase::Enter);
    let mut printed_any = progress.printed > 0;
    for (i, arg) in args.iter().enumerate().skip(progress.printed) {
        if entering && is_late(arg) {
            keep_length(cx, args, i, progress);
            // The separator belongs to what strace has printed when the call blocks.
            if printed_any {
                cx.next_argument();
            }
            progress.printed = i;
            return;
        }
        if matches!(arg.ty, Type::Scalar(Scalar::Skip)) || !counts(cx, args, i) || !special.shows(cx, i) {
            continue;
        }
        let after_separator = !entering && i == progress.printed;
        if printed_any && !after_separator {
            cx.next_argument();
        }
        printed_any = true;
        argument(cx, args, i, special, progress.before);
    }
    progress.printed = args.len();
}

/// Whether an argument is printed after the call, because the call writes it.
fn is_late(arg: &Arg) -> bool {
    let Type::Ptr { dir, elem, .. } = arg.ty else { return false };
    match (dir, elem) {
        (Dir::In, _) => false,
        (Dir::Out, _) => true,
        // Printed as it was before, with what has changed behind the result.
        (Dir::InOut, Elem::Struct(s)) => !matches!(
            s,
            Struct::Fdset | Struct::Pollfd | Struct::Timespec | Struct::Timeval | Struct::CapHeader | Struct::Flock
        ),
        (Dir::InOut, Elem::Scalar(Scalar::Off)) => false,
        (Dir::InOut, _) => true,
    }
}

/// Remembers the value behind the first in-out length among the arguments that follow.
fn keep_length(cx: &Cx<'_>, args: &[Arg], from: usize, progress: &mut Progress) {
    for (i, arg) in args.iter().enumerate().skip(from) {
        let Type::Ptr { dir: Dir::InOut, elem: Elem::Scalar(Scalar::Int | Scalar::Uint), .. } = arg.ty else {
            continue;
        };
        let mut b = [0u8; 4];
        if cx.fetch(cx.args[i], &mut b) {
            progress.before = u64::from(u32::from_le_bytes(b));
        }
        return;
    }
}

/// Whether the condition of argument `i` holds (`mode` only with O_CREAT).
fn counts(cx: &Cx<'_>, args: &[Arg], i: usize) -> bool {
    let bits = args[i].cond[cx.arch.index()];
    if bits == 0 {
        return true;
    }
    let flags = (0..i).rev().find(|&j| matches!(args[j].ty, Type::Flags { .. }));
    flags.is_none_or(|j| cx.args[j] & bits != 0)
}

fn argument(cx: &mut Cx<'_>, args: &[Arg], i: usize, special: Special, before: u64) {
    let raw = cx.args[i];
    if cx.style.names {
        cx.text(args[i].name);
        cx.out.push(b'=');
    }
    if special.ignores(cx, i) {
        return cx.addr(raw);
    }
    match args[i].ty {
        // FUTEX_WAKE_OP
        _ if special == Special::Futex && i == 5 && cx.args[1] as u32 & 0x7f == 5 => cx.futex_op(raw as u32),
        _ if special == Special::Futex && i == 1 => cx.futex_command(raw as u32),
        Type::Enum { set, .. } if matches!(special, Special::IpcControl(_)) => cx.ipc_command(set, raw as u32),
        Type::Scalar(Scalar::Addr)
            if special == Special::ModifyLdt && matches!(cx.args[0] as u32, 1 | 0x11) && cx.args[2] == 16 =>
        {
            cx.user_desc(raw)
        }
        Type::Enum { set, .. } if special == Special::Socket && set.name == "eth_p" => cx.ethernet_protocol(raw as u16),
        Type::Scalar(Scalar::Mode) if matches!(special, Special::Mknod { .. }) => cx.file_mode(raw as u32 & 0xffff),
        Type::Scalar(s) => scalar(cx, s, raw),
        Type::Flags { set, wide } => cx.flags(set, if wide { raw } else { u64::from(raw as u32) }),
        Type::Enum { set, wide } => cx.name(set, if wide { raw } else { u64::from(raw as u32) }),
        Type::Path => cx.path(raw),
        // PR_SET_NAME: no more than a name can have.
        Type::Str if special == Special::Prctl && cx.args[0] as u32 == 15 => cx.string(raw, cx.style.limit.min(15)),
        Type::Str => cx.string(raw, cx.style.limit),
        Type::Strs if args[i].name == "envp" && !cx.style.verbose => cx.string_count(raw),
        Type::Strs => cx.strings(raw),
        Type::Ptr { dir, elem, len } => pointer(cx, args, i, (dir, elem, len), special, before),
    }
}

fn pointer(
    cx: &mut Cx<'_>,
    args: &[Arg],
    i: usize,
    (dir, elem, len): (Dir, Elem, Option<Len>),
    special: Special,
    before: u64,
) {
    let addr = cx.args[i];
    let counted = matches!(elem, Elem::Struct(Struct::Dirent | Struct::Dirent64));
    if addr == 0 && !counted {
        return cx.text("NULL");
    }
    let count = len.map(|l| count_of(cx, args, i, l));
    if !cx.style.dereference && !matches!(elem, Elem::Bytes | Elem::Struct(Struct::Cstr)) {
        return cx.addr(addr);
    }
    let read_too = dir == Dir::InOut && matches!(elem, Elem::Struct(Struct::Timespec | Struct::Timeval));
    if cx.failed() && read_too {
        // A call that has failed has still read it.
        let phase = std::mem::replace(&mut cx.phase, Phase::Enter);
        pointer(cx, args, i, (Dir::In, elem, len), special, before);
        cx.phase = phase;
        return;
    }
    if cx.failed() && !matches!(elem, Elem::Struct(Struct::Iovec)) {
        return match elem {
            // A failed call has still read the length it was given.
            Elem::Scalar(Scalar::Int) if dir == Dir::InOut => length(cx, addr, before),
            _ => cx.addr(addr),
        };
    }
    match (elem, count) {
        (Elem::Bytes, n) if special == Special::Xattr && args[i].name == "value" => {
            cx.attribute_value(addr, n.unwrap_or(0))
        }
        (Elem::Bytes, n) if special == Special::Datagram && cx.netlink_data(addr, n.unwrap_or(0)) => {}
        (Elem::Bytes, n) => cx.bytes(addr, n.unwrap_or(0), special.quote()),
        (Elem::Scalar(Scalar::Int | Scalar::Uint), None) if dir == Dir::InOut => length(cx, addr, before),
        (Elem::Scalar(s), n) => scalars(cx, s, addr, n),
        (Elem::Flags { set, wide }, _) => boxed(cx, addr, wide, |cx, v| cx.flags(set, v)),
        (Elem::Enum { set, wide }, _) => boxed(cx, addr, wide, |cx, v| cx.name(set, v)),
        (Elem::Struct(Struct::Iovec), n) => {
            let total = match (dir, cx.phase) {
                (Dir::In, _) => Some(u64::MAX),
                (_, Phase::Exit(Ok(v))) => Some(v),
                _ => None,
            };
            cx.iovecs(addr, n.unwrap_or(0), total);
        }
        (Elem::Struct(Struct::IovecAddr), n) => cx.iovecs(addr, n.unwrap_or(0), None),
        (Elem::Struct(Struct::Mmsghdr), _) if special == Special::Recvmmsg => cx.mmsghdrs(addr, cx.value()),
        (Elem::Struct(Struct::Mmsghdr), n) => cx.mmsghdrs(addr, n.unwrap_or(0)),
        (Elem::Struct(Struct::Timespec), Some(_)) => times(cx, addr, Unit::Nano),
        (Elem::Struct(Struct::Timeval), Some(_)) => times(cx, addr, Unit::Micro),
        (Elem::Struct(s), Some(n)) => {
            let n = match s {
                // An address in-out is as long as it was, cut to the room there is.
                Struct::Sockaddr if dir == Dir::Out => n.min(before),
                _ => n,
            };
            cx.structures(s, addr, n);
        }
        (Elem::Struct(s), None) => cx.structure(s, addr),
    }
}

/// The number of elements (or bytes) of an array argument.
fn count_of(cx: &Cx<'_>, args: &[Arg], i: usize, len: Len) -> u64 {
    let value = |j: usize| {
        let raw = cx.args[j];
        match args.get(j).map(|a| a.ty) {
            Some(Type::Scalar(Scalar::Int)) => (raw as i32).max(0) as u64,
            Some(Type::Scalar(s)) if s.size() == 4 => u64::from(raw as u32),
            _ => raw,
        }
    };
    match len {
        Len::Const(n) => u64::from(n),
        Len::Arg { arg, mul, div } => {
            value(usize::from(arg)).saturating_mul(u64::from(mul)).div_ceil(u64::from(div.max(1)))
        }
        Len::Deref { arg } => {
            let mut b = [0u8; 4];
            if cx.fetch(cx.args[usize::from(arg)], &mut b) { u64::from(u32::from_le_bytes(b)) } else { 0 }
        }
        Len::Ret => {
            let room = match args.get(i + 1).map(|a| a.ty) {
                Some(Type::Scalar(Scalar::Size | Scalar::Uint | Scalar::Int)) => value(i + 1),
                _ => u64::MAX,
            };
            cx.value().min(room)
        }
    }
}

/// A plain value.
fn scalar(cx: &mut Cx<'_>, s: Scalar, raw: u64) {
    match s {
        Scalar::Int => cx.sdec(i64::from(raw as i32)),
        Scalar::Fd => cx.fd(raw as i32),
        Scalar::Pid => cx.pid(raw as i32),
        Scalar::Dirfd => cx.dirfd(raw as i32),
        Scalar::Sig => cx.signal(raw as u32),
        Scalar::Uint => cx.dec(u64::from(raw as u32)),
        Scalar::Uid | Scalar::Gid => cx.id(raw as u32),
        Scalar::Mode => buf::mode(cx.out, raw & 0xffff),
        Scalar::Dev => cx.makedev(u64::from(raw as u32)),
        Scalar::Hex32 => cx.hex(u64::from(raw as u32)),
        Scalar::Long | Scalar::Off => cx.sdec(raw as i64),
        Scalar::Ulong | Scalar::Size => cx.dec(raw),
        Scalar::Hex => cx.hex(raw),
        Scalar::Addr => cx.addr(raw),
        Scalar::Skip => {}
    }
}

/// One value in memory: `[5]`; or several: `[5, 6]`.
fn scalars(cx: &mut Cx<'_>, s: Scalar, addr: u64, count: Option<u64>) {
    match s.size() {
        4 => cx.array::<4>(addr, count.unwrap_or(1), |cx, b| scalar(cx, s, u64::from(u32_at(b, 0)))),
        _ => cx.array::<8>(addr, count.unwrap_or(1), |cx, b| scalar(cx, s, u64_at(b, 0))),
    }
}

/// One value in memory, of 32 bits or of 64 if `wide`, printed by `show`.
fn boxed(cx: &mut Cx<'_>, addr: u64, wide: bool, show: impl FnOnce(&mut Cx<'_>, u64)) {
    let value = if wide {
        cx.fetch_or_addr::<8>(addr).map(u64::from_le_bytes)
    } else {
        cx.fetch_or_addr::<4>(addr).map(|b| u64::from(u32::from_le_bytes(b)))
    };
    let Some(value) = value else { return };
    cx.out.push(b'[');
    show(cx, value);
    cx.out.push(b']');
}

/// A length that the call may change: `[16]` or `[128 => 16]`.
fn length(cx: &mut Cx<'_>, addr: u64, before: u64) {
    let mut b = [0u8; 4];
    if !cx.fetch(addr, &mut b) {
        return cx.addr(addr);
    }
    let after = u64::from(u32::from_le_bytes(b));
    cx.out.push(b'[');
    if before != after {
        cx.sdec(i64::from(before as i32));
        cx.text(" => ");
    }
    cx.sdec(i64::from(after as i32));
    cx.out.push(b']');
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Nano,
    Micro,
}

/// Times of access and modification, with their dates.
fn times(cx: &mut Cx<'_>, addr: u64, unit: Unit) {
    cx.array::<16>(addr, 2, |cx, b| {
        let (seconds, fraction) = (u64_at(b, 0) as i64, u64_at(b, 8));
        if unit == Unit::Nano
            && let Some(name) = sets::UTIME_NSEC.name_of(cx.arch, fraction)
        {
            return cx.text(name);
        }
        cx.text("{tv_sec=");
        cx.sdec(seconds);
        cx.text(if unit == Unit::Nano { ", tv_nsec=" } else { ", tv_usec=" });
        cx.sdec(fraction as i64);
        cx.out.push(b'}');
        time::date_comment(cx.out, seconds, fraction, if unit == Unit::Nano { 9 } else { 6 });
    });
}

/// Prints what stands behind the equals sign.
pub(in crate::trace) fn returned(cx: &mut Cx<'_>, entry: Option<&Entry>, special: Special) {
    let value = match cx.phase {
        Phase::Exit(Ok(v)) => v,
        Phase::Exit(Err(e)) => {
            errno(cx, e);
            return special.remark(cx);
        }
        Phase::Enter | Phase::Gone => return cx.text("?"),
    };
    let ret = entry.map_or(Ret::Scalar(Scalar::Long), |e| e.form(cx.arch, &special.selecting(&cx.args)).1);
    match ret {
        Ret::Zero | Ret::None => cx.sdec(value as i64),
        Ret::Time => {
            cx.sdec(value as i64);
            if value != 0 {
                cx.text(" (");
                time::date(cx.out, value as i64, 0, 9);
                cx.out.push(b')');
            }
        }
        Ret::Scalar(Scalar::Hex | Scalar::Addr | Scalar::Hex32) => cx.hex(value),
        Ret::Scalar(Scalar::Mode) => buf::mode(cx.out, value & 0xffff_ffff),
        Ret::Scalar(Scalar::Uid | Scalar::Gid) => cx.dec(value & 0xffff_ffff),
        Ret::Scalar(Scalar::Sig) => {
            cx.sdec(value as i64);
            if value != 0 {
                cx.text(" (");
                cx.signal(value as u32);
                cx.out.push(b')');
            }
        }
        Ret::Scalar(Scalar::Fd) => cx.fd(value as i32),
        Ret::Scalar(Scalar::Pid) => cx.pid(value as i32),
        Ret::Scalar(_) => cx.sdec(value as i64),
        Ret::Flags(_) if value == 0 && special == Special::Membarrier => cx.hex(value),
        Ret::Flags(set) => {
            cx.hex(value);
            let named = if value == 0 { set.mask != 0 || set.name_of(cx.arch, 0).is_some() } else { true };
            if named {
                cx.text(if set.mask != 0 && set.name == "personality" { " (" } else { " (flags " });
                cx.flags(set, value);
                cx.out.push(b')');
            }
        }
        Ret::Enum(_) if matches!(special, Special::Adjtimex(i) if !cx.is_readable(cx.args[usize::from(i)])) => {
            cx.sdec(value as i64);
        }
        Ret::Enum(set) if value == 0 && set.name_of(cx.arch, 0).is_none() => cx.sdec(0),
        Ret::Enum(set) => {
            if special == Special::Fcntl {
                cx.hex(value)
            } else {
                cx.sdec(value as i64)
            }
            cx.text(" (");
            let arch = cx.arch;
            buf::name(cx.out, set, arch, value);
            cx.out.push(b')');
        }
    }
    special.remark(cx);
}

fn errno(cx: &mut Cx<'_>, e: Errno) {
    if e.is_restart() {
        cx.text("? ");
    } else {
        cx.text("-1 ");
    }
    match (e.name(), e.text()) {
        (Some(name), Some(text)) => {
            cx.text(name);
            cx.text(" (");
            cx.text(text);
            cx.out.push(b')');
        }
        _ => {
            cx.text("(errno ");
            cx.dec(u64::from(e.0));
            cx.out.push(b')');
        }
    }
}

/// How the bytes of a call are quoted.
impl Special {
    fn quote(self) -> Quote {
        if self == Special::Random { Quote::Hex } else { Quote::Escape }
    }
}
