//! Calls on the memory and the kernel objects of other processes: process_vm_readv(2), kcmp(2), process_madvise(2),
//! process_mrelease(2), move_pages(2), migrate_pages(2).

use super::*;
use crate::abi::IoVec;
use crate::abi::consts::{cap, kcmp as what, madvise as madv};
use crate::mem::{GuestAddr, PAGE_SIZE, Space, page_align};
use crate::syscalls::args;
use std::cell::RefCell;
use std::rc::Rc;

/// The most pieces of a vector (UIO_MAXIOV).
const IOV_MAX: u64 = 1024;
/// The most bytes of one call (MAX_RW_COUNT).
const MAX_RW: u64 = 0x7fff_f000;
/// Bytes copied in one step.
const STEP: usize = 1 << 16;

/// A memory node of the machine is 0, the only one.
const MAX_NODES: u64 = 1024;

/// A vector from the caller's memory.
fn vector(ctx: &Ctx, addr: GuestAddr, count: u64) -> Result<Vec<IoVec>, Errno> {
    if count > IOV_MAX {
        return Err(Errno::EINVAL);
    }
    let all: Vec<IoVec> = ctx.mem().copy_in_array(addr, count as usize)?;
    if all.iter().any(|v| v.len > i64::MAX as u64) { Err(Errno::EINVAL) } else { Ok(all) }
}

/// The memory of a process that the caller may look into; `pid` may be that of any of its threads.
///
/// # Errors
/// `ESRCH`, `EPERM`.
fn memory_of(ctx: &mut Ctx, pid: Pid) -> Result<Rc<RefCell<Space>>, Errno> {
    let space = ctx.kernel.threads.get(&pid).map(|t| Rc::clone(&t.space)).ok_or(Errno::ESRCH)?;
    if ctx.may_inspect(pid) { Ok(space) } else { Err(Errno::EPERM) }
}

/// Goes through the pieces of two vectors at once: calls `copy` with both addresses and a length that fits both; it
/// tells how much it copied, less if it met a bad page.
fn along(local: &[IoVec], remote: &[IoVec], mut copy: impl FnMut(GuestAddr, GuestAddr, usize) -> usize) -> u64 {
    let (mut i, mut j, mut at_local, mut at_remote, mut done) = (0, 0, 0, 0, 0);
    while let (Some(l), Some(r)) = (local.get(i), remote.get(j)) {
        let n = (l.len - at_local).min(r.len - at_remote).min(STEP as u64).min(MAX_RW - done);
        if n == 0 {
            if done == MAX_RW {
                break;
            }
            (i, at_local) = if at_local == l.len { (i + 1, 0) } else { (i, at_local) };
            (j, at_remote) = if at_remote == r.len { (j + 1, 0) } else { (j, at_remote) };
            continue;
        }
        let from = GuestAddr(l.base.wrapping_add(at_local));
        let copied = copy(from, GuestAddr(r.base.wrapping_add(at_remote)), n as usize) as u64;
        (at_local, at_remote, done) = (at_local + copied, at_remote + copied, done + copied);
        if copied < n {
            break;
        }
    }
    done
}

/// Direction of a transfer, as the caller sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dir {
    Read,
    Write,
}

fn transfer(
    ctx: &mut Ctx,
    pid: Pid,
    local: (GuestAddr, u64),
    remote: (GuestAddr, u64),
    flags: u64,
    dir: Dir,
) -> SysResult {
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let local = vector(ctx, local.0, local.1)?;
    if local.iter().any(|v| !ctx.mem().access_ok(GuestAddr(v.base), v.len)) {
        return Err(Errno::EFAULT.into());
    }
    if local.iter().all(|v| v.len == 0) {
        return Ok(0);
    }
    let remote = vector(ctx, remote.0, remote.1)?;
    if remote.iter().all(|v| v.len == 0) {
        return Ok(0);
    }
    let other = memory_of(ctx, pid)?;
    let own = Rc::clone(ctx.space());
    let mut bytes = vec![0; STEP];
    let done = along(&local, &remote, |mine, theirs, n| {
        let (from, at, to, into) = match dir {
            Dir::Read => (&other, theirs, &own, mine),
            Dir::Write => (&own, mine, &other, theirs),
        };
        let got = from.borrow().read_partial(at, &mut bytes[..n]);
        to.borrow_mut().write_partial(into, &bytes[..got])
    });
    if done == 0 { Err(Errno::EFAULT.into()) } else { Ok(done) }
}

/// process_vm_readv(2).
pub fn process_vm_readv(ctx: &mut Ctx, a: &args::ProcessVmReadv) -> SysResult {
    transfer(ctx, a.pid, (a.local_iov, a.liovcnt), (a.remote_iov, a.riovcnt), a.flags, Dir::Read)
}

/// process_vm_writev(2).
pub fn process_vm_writev(ctx: &mut Ctx, a: &args::ProcessVmWritev) -> SysResult {
    transfer(ctx, a.pid, (a.local_iov, a.liovcnt), (a.remote_iov, a.riovcnt), a.flags, Dir::Write)
}

/// What kcmp(2) tells of two objects with these numbers: equal, less, greater.
fn order(a: u64, b: u64) -> u64 {
    match a.cmp(&b) {
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Less => 1,
        std::cmp::Ordering::Greater => 2,
    }
}

/// The same, where there is no order.
fn same<T: ?Sized>(a: &Rc<T>, b: &Rc<T>) -> u64 {
    const UNEQUAL: u64 = 3;
    if Rc::ptr_eq(a, b) { 0 } else { UNEQUAL }
}

impl Kernel {
    fn file_of(&self, tid: Tid, fd: u64) -> Result<Rc<file::File>, Errno> {
        let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
        self.threads.get(&tid).ok_or(Errno::ESRCH)?.files.borrow().get(fd)
    }

    /// Orders two open files by numbers that they get when first compared.
    fn order_files(&mut self, a: &Rc<file::File>, b: &Rc<file::File>) -> u64 {
        for file in [a, b] {
            if file.number.get() == 0 {
                let number = self.new_object();
                file.number.set(number);
            }
        }
        order(a.number.get(), b.number.get())
    }
}

/// kcmp(2). Objects other than memory and files are only told equal or unequal, which the interface allows.
pub fn kcmp(ctx: &mut Ctx, a: &args::Kcmp) -> SysResult {
    if !ctx.kernel.threads.contains_key(&a.pid1) || !ctx.kernel.threads.contains_key(&a.pid2) {
        return Err(Errno::ESRCH.into());
    }
    if !ctx.may_inspect(a.pid1) || !ctx.may_inspect(a.pid2) {
        return Err(Errno::EPERM.into());
    }
    let k = &mut *ctx.kernel;
    if a.r#type == what::KCMP_FILE {
        let (one, two) = (k.file_of(a.pid1, a.idx1)?, k.file_of(a.pid2, a.idx2)?);
        return Ok(k.order_files(&one, &two));
    }
    if a.r#type == what::KCMP_EPOLL_TFD {
        let one = k.file_of(a.pid1, a.idx1)?;
        let [epoll, target, skip]: [u32; 3] = ctx.mem().copy_in(GuestAddr(a.idx2))?;
        let epoll = ctx.kernel.file_of(a.pid2, epoll.into())?;
        let two = event::epoll_target(&epoll, target as i32, skip as usize)?;
        return Ok(ctx.kernel.order_files(&one, &two));
    }
    let (Some(one), Some(two)) = (k.threads.get(&a.pid1), k.threads.get(&a.pid2)) else {
        return Err(Errno::ESRCH.into());
    };
    Ok(match a.r#type {
        what::KCMP_VM if Rc::ptr_eq(&one.space, &two.space) => 0,
        what::KCMP_VM => {
            let (one, two) = (one.space.borrow().id(), two.space.borrow().id());
            order(one.0.into(), two.0.into())
        }
        what::KCMP_FILES => same(&one.files, &two.files),
        what::KCMP_FS => same(&one.fs, &two.fs),
        what::KCMP_SIGHAND => same(&one.actions, &two.actions),
        // Nobody has an I/O context of its own.
        what::KCMP_IO => 0,
        what::KCMP_SYSVSEM if one.pid == two.pid || !k.ipc.has_undo(one.pid) && !k.ipc.has_undo(two.pid) => 0,
        what::KCMP_SYSVSEM => order(one.pid as u64, two.pid as u64),
        _ => return Err(Errno::EINVAL.into()),
    })
}

/// process_madvise(2).
pub fn process_madvise(ctx: &mut Ctx, a: &args::ProcessMadvise) -> SysResult {
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let ranges = vector(ctx, a.iovec, a.vlen)?;
    let pid = ctx.pidfd_target(a.pidfd)?;
    let gentle = matches!(a.advice, madv::MADV_COLD | madv::MADV_PAGEOUT | madv::MADV_WILLNEED | madv::MADV_COLLAPSE);
    let own = pid == ctx.pid;
    if !own && !gentle {
        return Err(Errno::EINVAL.into());
    }
    let space = memory_of(ctx, pid)?;
    if !own && !ctx.thread().credentials.has(cap::CAP_SYS_NICE) {
        return Err(Errno::EPERM.into());
    }
    let mut done = 0;
    for range in ranges {
        let advised = if own {
            let call = args::Madvise { addr: GuestAddr(range.base), length: range.len, advice: a.advice };
            mm::madvise(ctx, &call).map(|_| ())
        } else {
            advise(&space, GuestAddr(range.base), range.len).map_err(Stop::from)
        };
        match advised {
            Ok(()) => done += range.len,
            Err(_) if done > 0 => break,
            Err(stop) => return Err(stop),
        }
    }
    Ok(done)
}

/// Advice that changes nothing but speed: checks the range.
fn advise(space: &Rc<RefCell<Space>>, addr: GuestAddr, len: u64) -> Result<(), Errno> {
    if !addr.is_page_aligned() {
        return Err(Errno::EINVAL);
    }
    let len = page_align(len).filter(|len| addr.checked_add(*len).is_some()).ok_or(Errno::EINVAL)?;
    if len == 0 || space.borrow().check_range(addr, len) { Ok(()) } else { Err(Errno::ENOMEM) }
}

/// process_mrelease(2): memory of a process that ends is freed at its end here, so that there is never any left.
pub fn process_mrelease(ctx: &mut Ctx, a: &args::ProcessMrelease) -> SysResult {
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let pid = ctx.pidfd_target(a.pidfd)?;
    match ctx.kernel.processes.get(&pid) {
        Some(p) if p.exit.is_none() => Err(Errno::EINVAL.into()),
        _ => Err(Errno::ESRCH.into()),
    }
}

/// The process whose pages a call moves; 0 is the caller's own.
fn target(ctx: &mut Ctx, pid: Pid) -> Result<Rc<RefCell<Space>>, Errno> {
    if pid == 0 { Ok(Rc::clone(ctx.space())) } else { memory_of(ctx, pid) }
}

/// move_pages(2). All memory is on node 0: asking tells that, and moving there is done already.
pub fn move_pages(ctx: &mut Ctx, a: &args::MovePages) -> SysResult {
    const MPOL_MF_MOVE: u32 = 2;
    const MPOL_MF_MOVE_ALL: u32 = 4;
    if a.flags & !(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if a.flags & MPOL_MF_MOVE_ALL != 0 && !ctx.thread().credentials.has(cap::CAP_SYS_NICE) {
        return Err(Errno::EPERM.into());
    }
    let space = target(ctx, a.pid)?;
    for i in 0..a.count {
        let at = |base: GuestAddr, size: u64| GuestAddr(base.0.wrapping_add(i.wrapping_mul(size)));
        let page: u64 = ctx.mem().copy_in(at(a.pages, 8))?;
        if !a.nodes.is_null() {
            let node: i32 = ctx.mem().copy_in(at(a.nodes, 4))?;
            if node != 0 {
                return Err(Errno::ENODEV.into());
            }
        }
        let page = GuestAddr(page).page();
        let status = match space.borrow().resident(page, PAGE_SIZE).as_deref() {
            Ok([0]) => -i32::from(Errno::ENOENT.0),
            Ok(_) => 0,
            Err(_) => -i32::from(Errno::EFAULT.0),
        };
        ctx.mem().copy_out(at(a.status, 4), &status)?;
    }
    Ok(0)
}

/// migrate_pages(2): there is only node 0, to which nothing need be moved.
pub fn migrate_pages(ctx: &mut Ctx, a: &args::MigratePages) -> SysResult {
    let old = nodes(ctx, a.old_nodes, a.maxnode)?;
    let new = nodes(ctx, a.new_nodes, a.maxnode)?;
    target(ctx, a.pid)?;
    if new != 1 && !(new == 0 && old == 0) {
        return Err(Errno::EINVAL.into());
    }
    if new == 0 { Err(Errno::EINVAL.into()) } else { Ok(0) }
}

/// The nodes of a mask as far as there are any: bit 0, or 2 for others.
fn nodes(ctx: &Ctx, addr: GuestAddr, max: u64) -> Result<u64, Errno> {
    // Linux counts one more than it should, and gives the bits below the last.
    let bits = max.saturating_sub(1);
    if addr.is_null() || bits == 0 {
        return Ok(0);
    }
    if bits > MAX_NODES * 32 {
        return Err(Errno::EINVAL);
    }
    let words: Vec<u64> = ctx.mem().copy_in_array(addr, bits.div_ceil(64) as usize)?;
    let valid = |i: usize| if (i as u64 + 1) * 64 <= bits { u64::MAX } else { (1 << (bits % 64)) - 1 };
    let others = words.iter().enumerate().any(|(i, w)| w & valid(i) & !u64::from(i == 0) != 0);
    Ok(words[0] & valid(0) & 1 | if others { 2 } else { 0 })
}
