//! Which calls touch a file or a descriptor (`-P`, `--trace-fds`), and what descriptors and processes are called.

use super::{Call, Options};
use crate::kernel::file::Label;
use crate::kernel::net::Socket;
use crate::kernel::{Kernel, Tid};
use crate::mem::{GuestAddr, Space};
use crate::syscalls::{Dir, Elem, Scalar, Struct, Type};

/// `AT_FDCWD` (fcntl.h).
pub(super) const AT_FDCWD: i32 = -100;

/// The name of the file behind a descriptor of thread `tid`; of the working directory for `AT_FDCWD`.
pub(super) fn path_of(kernel: &Kernel, tid: Tid, fd: i32) -> Option<Vec<u8>> {
    let thread = kernel.threads.get(&tid)?;
    if fd == AT_FDCWD {
        return Some(thread.fs.try_borrow().ok()?.cwd.path().to_vec());
    }
    let file = thread.files.try_borrow().ok()?.get(fd).ok()?;
    Some(file.path().to_vec())
}

/// Whether the name of the file behind a descriptor has been removed.
pub(super) fn has_lost_name(kernel: &Kernel, tid: Tid, fd: i32) -> bool {
    let file = kernel.threads.get(&tid).and_then(|t| t.files.try_borrow().ok()?.get(fd).ok());
    file.is_some_and(|f| f.has_lost_name())
}

/// What else is known of the file behind a descriptor.
pub(super) fn label_of(kernel: &Kernel, tid: Tid, fd: i32) -> Option<Label> {
    let file = kernel.threads.get(&tid)?.files.try_borrow().ok()?.get(fd).ok()?;
    file.ops().label()
}

/// The protocol of the netlink socket behind a descriptor.
pub(super) fn netlink_of(kernel: &Kernel, tid: Tid, fd: i32) -> Option<i32> {
    let file = kernel.threads.get(&tid)?.files.try_borrow().ok()?.get(fd).ok()?;
    file.downcast::<Socket>()?.netlink_protocol()
}

/// The name of a thread, as /proc/PID/comm has it.
pub(super) fn comm_of(kernel: &Kernel, tid: Tid) -> Option<&[u8]> {
    kernel.threads.get(&tid).map(|t| t.comm.as_slice())
}

/// Whether the call has to do with one of the paths or descriptors that the options name; so has every call when they
/// name none.
pub(super) fn touches(options: &Options, space: &Space, kernel: Option<&Kernel>, call: &Call) -> bool {
    if options.paths.is_empty() && options.fds.is_empty() {
        return true;
    }
    let Some(entry) = call.entry() else { return false };
    let (args, _) = entry.form(call.arch, &call.raw.args);
    args.iter().zip(call.raw.args).any(|(arg, raw)| match arg.ty {
        Type::Path => is_path(options, space, raw),
        Type::Scalar(Scalar::Fd | Scalar::Dirfd) => is_descriptor(options, kernel, call.tid, raw as i32),
        Type::Ptr { dir: Dir::In | Dir::InOut, elem: Elem::Struct(Struct::Pollfd), .. } => {
            polled(space, raw, call.raw.args[1]).any(|fd| is_descriptor(options, kernel, call.tid, fd))
        }
        Type::Ptr { elem: Elem::Struct(Struct::Fdset), .. } => {
            selected(space, raw, call.raw.args[0]).any(|fd| is_descriptor(options, kernel, call.tid, fd))
        }
        _ => false,
    })
}

fn is_path(options: &Options, space: &Space, addr: u64) -> bool {
    if options.paths.is_empty() || addr == 0 {
        return false;
    }
    space.read_cstr(GuestAddr(addr), 4096).is_ok_and(|path| options.paths.contains(&path))
}

fn is_descriptor(options: &Options, kernel: Option<&Kernel>, tid: Tid, fd: i32) -> bool {
    if u32::try_from(fd).is_ok_and(|n| options.fds.contains(n)) {
        return true;
    }
    !options.paths.is_empty()
        && kernel.and_then(|k| path_of(k, tid, fd)).is_some_and(|path| options.paths.contains(&path))
}

/// Descriptors in an array of pollfd.
fn polled(space: &Space, addr: u64, count: u64) -> impl Iterator<Item = i32> + '_ {
    (0..count.min(1 << 16)).map_while(move |i| {
        let mut fd = [0; 4];
        let at = addr.checked_add(8 * i)?;
        space.read(GuestAddr(at), &mut fd).ok()?;
        Some(i32::from_le_bytes(fd))
    })
}

/// Descriptors in an fd_set.
fn selected(space: &Space, addr: u64, count: u64) -> impl Iterator<Item = i32> + '_ {
    let words = if addr == 0 { 0 } else { count.min(1024).div_ceil(64) };
    (0..words)
        .map_while(move |i| {
            let mut word = [0; 8];
            let at = addr.checked_add(8 * i)?;
            space.read(GuestAddr(at), &mut word).ok()?;
            Some((i, u64::from_le_bytes(word)))
        })
        .flat_map(|(i, word)| (0..64).filter(move |bit| word >> bit & 1 != 0).map(move |bit| (64 * i + bit) as i32))
        .filter(move |fd| u64::try_from(*fd).is_ok_and(|fd| fd < count))
}
