//! Whether what a call wrote to guest memory lies within the outputs that its table line declares.

use super::{Arg, Dir, ENTRIES, Elem, Entry, Len, Scalar, Struct, Type};
use crate::arch::{Arch, RawCall};
use crate::mem::{GuestAddr, Space};

/// Part of guest memory: address and bytes.
type Range = (u64, u64);

/// Most buffers that a vector names (UIO_MAXIOV).
const MAX_BUFFERS: u64 = 1024;

/// Whether `writes` lie in what call `index` may write. Calls whose outputs the table cannot tell (a pointer inside a
/// struct that nothing describes, an ioctl request) are not judged.
///
/// # Errors
/// The write that is not covered, in words.
pub fn check(
    index: usize,
    arch: Arch,
    raw: &RawCall,
    result: u64,
    writes: &[(GuestAddr, u64)],
    space: &Space,
) -> Result<(), String> {
    let Some(entry) = ENTRIES.get(index) else { return Ok(()) };
    if writes.is_empty() {
        return Ok(());
    }
    let Some(mut outs) = declared(entry, arch, raw, result, space) else { return Ok(()) };
    outs.sort_unstable();
    for &(addr, len) in writes {
        if !is_covered(&outs, addr.0, len) {
            return Err(format!(
                "{} ({arch}) wrote {len} bytes at {addr:#x}, which its table line does not declare; declared: {outs:x?}",
                entry.name
            ));
        }
    }
    Ok(())
}

/// Whether the ranges, ordered, cover `len` bytes at `addr` together.
fn is_covered(ranges: &[Range], addr: u64, len: u64) -> bool {
    let end = addr.saturating_add(len);
    let mut at = addr;
    for &(start, size) in ranges {
        if start <= at {
            at = at.max(start.saturating_add(size));
        }
    }
    at >= end
}

/// Calls that are not judged: their outputs are described by the request, lie in the new program or thread, or are words
/// that other threads wait for.
const UNTOLD: &[&str] = &[
    "ioctl",
    "bpf",
    "rt_sigreturn",
    "execve",
    "execveat",
    "clone",
    "clone3",
    "fork",
    "vfork",
    "exit",
    "exit_group",
    "futex",
    "rseq",
    // Gathers into a pipe, or scatters from it: only the descriptor tells.
    "vmsplice",
    // Requests name their buffers themselves.
    "io_submit",
    // What it writes is the operation's business.
    "seccomp",
    // GETALL fills as many as the set has.
    "semctl",
    // Writes to another process, which may be the caller.
    "process_vm_writev",
];

/// What the call may write; `None` when the table does not tell.
fn declared(entry: &Entry, arch: Arch, raw: &RawCall, result: u64, space: &Space) -> Option<Vec<Range>> {
    if UNTOLD.contains(&entry.name) {
        return None;
    }
    let (args, _) = entry.form(arch, &raw.args);
    let mut outs = Vec::new();
    if entry.name == "sched_setattr" {
        // The size at the start of its input, when that size is not known (E2BIG).
        outs.push((raw.args[1], 4));
    }
    for (i, arg) in args.iter().enumerate() {
        let Type::Ptr { dir: Dir::Out | Dir::InOut, elem, len } = arg.ty else { continue };
        let addr = raw.args[i];
        let count = len.map_or(Some(1), |l| count(args, raw, result, space, i, l))?;
        match elem {
            Elem::Bytes => outs.push((addr, count)),
            Elem::Scalar(s) => outs.push((addr, count.checked_mul(s.size() as u64)?)),
            Elem::Flags { wide, .. } | Elem::Enum { wide, .. } => {
                outs.push((addr, count.checked_mul(if wide { 8 } else { 4 })?));
            }
            Elem::Struct(Struct::Iovec) => buffers(space, addr, count, &mut outs),
            Elem::Struct(s) => outs.push((addr, size(s, arch, count)?)),
        }
    }
    Some(outs)
}

/// Bytes of `count` structs, in the units that the struct counts in.
fn size(s: Struct, arch: Arch, count: u64) -> Option<u64> {
    Some(match s {
        Struct::Sigset | Struct::Cpuset | Struct::Sockaddr | Struct::Dirent | Struct::Dirent64 => count,
        Struct::Cstr | Struct::PageState | Struct::SchedAttr => count,
        Struct::Msgbuf => count.checked_add(8)?,
        Struct::Fdset => count.div_ceil(64) * 8,
        // Its names and buffers are pointers.
        Struct::Msghdr | Struct::Mmsghdr | Struct::XattrArgs => return None,
        other => count.checked_mul(fixed_size(other, arch)?)?,
    })
}

/// Bytes of one struct whose size is fixed (include/uapi).
fn fixed_size(s: Struct, arch: Arch) -> Option<u64> {
    Some(match s {
        Struct::Wstatus | Struct::SchedParam => 4,
        Struct::TimeT | Struct::Longmask | Struct::Timezone | Struct::Pollfd | Struct::FOwnerEx | Struct::CapHeader => {
            8
        }
        Struct::EpollEvent if arch == Arch::X86_64 => 12,
        Struct::Timespec | Struct::Timeval | Struct::Rlimit | Struct::EpollEvent | Struct::IovecAddr => 16,
        Struct::StackT | Struct::CapData => 24,
        Struct::UserDesc => 16,
        Struct::Itimerspec | Struct::Itimerval | Struct::Tms | Struct::Sigaction | Struct::Flock => 32,
        Struct::IoEvent | Struct::Ustat => 32,
        Struct::Cachestat => 40,
        Struct::MqAttr => 64,
        Struct::ShmidDs => 112,
        Struct::Shminfo => 72,
        Struct::ShmInfo => 48,
        Struct::MsqidDs => 120,
        Struct::Msginfo => 32,
        Struct::Sysinfo => 112,
        Struct::Statfs => 120,
        Struct::Siginfo | Struct::IoUringParams => 128,
        Struct::Rusage => 144,
        Struct::Stat if arch == Arch::X86_64 => 144,
        Struct::Stat => 128,
        Struct::Timex => 208,
        Struct::Statx => 256,
        Struct::Utsname => 390,
        _ => return None,
    })
}

/// Adds the buffers that a vector names.
fn buffers(space: &Space, addr: u64, count: u64, outs: &mut Vec<Range>) {
    for i in 0..count.min(MAX_BUFFERS) {
        let mut entry = [0u8; 16];
        if space.read(GuestAddr(addr.wrapping_add(16 * i)), &mut entry).is_err() {
            break;
        }
        let [base, len] = [0, 8].map(|at| entry[at..].iter().take(8).rev().fold(0u64, |v, b| v << 8 | u64::from(*b)));
        outs.push((base, len));
    }
}

/// How many elements argument `i` has room for. What depends on the result is bounded by the room that the caller
/// gave, because a call may write before it knows how much it returns.
fn count(args: &[Arg], raw: &RawCall, result: u64, space: &Space, i: usize, len: Len) -> Option<u64> {
    let value = |j: usize| match args.get(j).map(|a| a.ty) {
        Some(Type::Scalar(Scalar::Int)) => (raw.args[j] as i32).max(0) as u64,
        Some(Type::Scalar(s)) if s.size() == 4 => u64::from(raw.args[j] as u32),
        _ => raw.args[j],
    };
    match len {
        Len::Const(n) => Some(u64::from(n)),
        Len::Arg { arg, mul, div } => {
            Some(value(usize::from(arg)).checked_mul(u64::from(mul))?.div_ceil(u64::from(div.max(1))))
        }
        // The call may have replaced the length; what it says now is at most what it was, or more than was written.
        Len::Deref { arg } => {
            let mut b = [0u8; 4];
            space.read(GuestAddr(raw.args[usize::from(arg)]), &mut b).ok()?;
            Some(u64::from(u32::from_le_bytes(b)))
        }
        Len::Ret => match args.get(i + 1).map(|a| a.ty) {
            Some(Type::Scalar(Scalar::Size | Scalar::Uint | Scalar::Int | Scalar::Ulong)) => Some(value(i + 1)),
            _ => Some(result),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage() {
        let ranges = [(100, 10), (110, 5), (200, 8)];
        assert!(is_covered(&ranges, 100, 15));
        assert!(is_covered(&ranges, 204, 4));
        assert!(!is_covered(&ranges, 109, 7));
        assert!(!is_covered(&ranges, 99, 2));
        assert!(!is_covered(&[], 1, 1));
    }

    #[test]
    fn every_out_struct_of_an_implemented_call_has_a_size() {
        for e in ENTRIES.iter().filter(|e| e.is_implemented() && !UNTOLD.contains(&e.name)) {
            for a in e.args {
                if let Type::Ptr { dir: Dir::Out | Dir::InOut, elem: Elem::Struct(s), .. } = a.ty {
                    let known = matches!(
                        s,
                        Struct::Iovec | Struct::Msghdr | Struct::Mmsghdr | Struct::FileHandle | Struct::XattrArgs
                    ) || size(s, Arch::X86_64, 1).is_some();
                    assert!(known, "{}: {}", e.name, s.name());
                }
            }
        }
    }
}
