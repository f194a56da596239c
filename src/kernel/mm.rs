//! Memory: mmap(2) and its kin. The work is done by [`crate::mem`]; here stand the arguments' checks.

use super::*;
use crate::abi::consts::cap::{CAP_IPC_LOCK, CAP_SYS_NICE, CAP_SYS_RAWIO};
use crate::abi::consts::membarrier_flags::MEMBARRIER_CMD_FLAG_CPU;
use crate::abi::consts::{
    get_mempolicy as getmpol, madvise as madv, mbind as mbind_flags, membarrier as barrier, mempolicy as mpol,
    mlock2 as ml2, mlockall as mcl, msync as ms, prot, rlimit,
};
use crate::mem::{
    AreaName, AreaOption, Backing, GuestAddr, Locking, MIN_ADDR, MapFlags, MapRequest, PAGE_SIZE, Prot, RemapFlags,
    Space, SyncFlags, page_align,
};
use crate::syscalls::args;
use std::cell::RefMut;
use std::os::fd::AsFd;

const RLIMIT_DATA: usize = rlimit::RLIMIT_DATA as usize;
const RLIMIT_STACK: usize = rlimit::RLIMIT_STACK as usize;
const RLIMIT_MEMLOCK: usize = rlimit::RLIMIT_MEMLOCK as usize;
const RLIMIT_AS: usize = rlimit::RLIMIT_AS as usize;

/// personality(2): what can be read can be executed.
const READ_IMPLIES_EXEC: u32 = 0x0040_0000;

/// The caller's memory, with the process's present limits.
fn limited<'a>(ctx: &'a mut Ctx) -> RefMut<'a, Space> {
    let limits = ctx.process().limits;
    let privileged = has_capability(ctx, CAP_IPC_LOCK);
    let mut space = ctx.mem();
    space.limits.address_space = limits[RLIMIT_AS].soft;
    space.limits.data = limits[RLIMIT_DATA].soft;
    space.limits.stack = limits[RLIMIT_STACK].soft;
    space.limits.locked = if privileged { u64::MAX } else { limits[RLIMIT_MEMLOCK].soft };
    space
}

fn has_capability(ctx: &mut Ctx, number: u32) -> bool {
    ctx.thread().credentials.caps[0] >> number & 1 != 0
}

impl Kernel {
    /// Extends a stack of thread `tid` down to a faulting address, if one may grow there: the instruction is then to be
    /// run again.
    pub fn grow_stack(&mut self, tid: Tid, addr: GuestAddr) -> bool {
        let Some(limits) = self.process_of(tid).map(|process| process.limits) else { return false };
        let Some(thread) = self.threads.get(&tid) else { return false };
        let mut space = thread.space.borrow_mut();
        space.limits.stack = limits[RLIMIT_STACK].soft;
        space.limits.address_space = limits[RLIMIT_AS].soft;
        space.grow_stack(addr)
    }
}

/// The protection for a raw `prot` argument, whose other bits have been checked or mean nothing.
fn protection(ctx: &mut Ctx, raw: u64) -> Prot {
    let mut prot = Prot::from_bits_truncate(raw as u8);
    if prot.contains(Prot::READ) && ctx.process().personality & READ_IMPLIES_EXEC != 0 {
        prot |= Prot::EXEC;
    }
    prot
}

/// mmap(2).
pub fn mmap(ctx: &mut Ctx, a: &args::Mmap) -> SysResult {
    if !a.offset.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.into());
    }
    let mut flags = MapFlags::from_bits_retain(a.flags as u32);
    if ctx.arch != Arch::X86_64 {
        flags.remove(MapFlags::LOW_2G);
    }
    let file = match flags.contains(MapFlags::ANONYMOUS) {
        true => None,
        false => Some(ctx.file(a.fd)?),
    };
    if file.as_ref().is_some_and(|file| file.is_path_only()) {
        return Err(Errno::EBADF.into());
    }
    if file.is_some() && flags.contains(MapFlags::HUGETLB) {
        // No file system of the guest's consists of huge pages.
        return Err(Errno::EINVAL.into());
    }
    let fixed = flags.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE);
    if fixed && a.addr.0 < MIN_ADDR && a.addr.is_page_aligned() && a.length != 0 && !has_capability(ctx, CAP_SYS_RAWIO)
    {
        return Err(Errno::EPERM.into());
    }
    let prot = protection(ctx, a.prot);
    let backing = match &file {
        None => None,
        Some(file) => Some(backing(ctx, file, a.offset)?),
    };
    if flags.contains(MapFlags::SHARED)
        && let Some(fd) = file.as_ref().filter(|file| file.can_write()).and_then(|file| file.host_fd())
    {
        ctx.kernel.host.note_stores(fd);
    }
    let request = MapRequest { addr: a.addr, len: a.length, prot, flags, backing, name: AreaName::Anon };
    Ok(limited(ctx).map(&request)?.0)
}

/// munmap(2).
pub fn munmap(ctx: &mut Ctx, a: &args::Munmap) -> SysResult {
    let segments = ctx.kernel.segments_in(&ctx.mem(), a.addr, a.length);
    ctx.mem().unmap(a.addr, a.length)?;
    let pid = ctx.pid;
    ctx.kernel.detached(pid, &segments);
    Ok(0)
}

/// mprotect(2).
pub fn mprotect(ctx: &mut Ctx, a: &args::Mprotect) -> SysResult {
    change_protection(ctx, a.addr, a.len, a.prot, -1)
}

/// pkey_mprotect(2). The guest's processor has no protection keys, so only -1 and the default key 0 exist.
pub fn pkey_mprotect(ctx: &mut Ctx, a: &args::PkeyMprotect) -> SysResult {
    change_protection(ctx, a.addr, a.len, a.prot, a.pkey)
}

fn change_protection(ctx: &mut Ctx, addr: GuestAddr, len: u64, raw: u64, pkey: i32) -> SysResult {
    let down = raw & u64::from(prot::PROT_GROWSDOWN) != 0;
    let up = raw & u64::from(prot::PROT_GROWSUP) != 0;
    let raw = raw & !u64::from(prot::PROT_GROWSDOWN | prot::PROT_GROWSUP);
    if down && up || !addr.is_page_aligned() {
        return Err(Errno::EINVAL.into());
    }
    if len == 0 {
        return Ok(0);
    }
    let end = page_align(len).and_then(|len| addr.checked_add(len)).ok_or(Errno::ENOMEM)?;
    let known = prot::PROT_READ | prot::PROT_WRITE | prot::PROT_EXEC | prot::PROT_SEM;
    if raw & !u64::from(known) != 0 || !matches!(pkey, -1 | 0) {
        return Err(Errno::EINVAL.into());
    }
    let prot = protection(ctx, raw);
    let mut space = limited(ctx);
    let mut start = addr;
    if down || up {
        let area = space.area_from(addr).filter(|area| area.start < end).ok_or(Errno::ENOMEM)?;
        // No area of these architectures grows up.
        if up || !area.grows_down {
            return Err(if up && area.start > addr { Errno::ENOMEM } else { Errno::EINVAL }.into());
        }
        start = area.start;
    }
    space.protect(start, end.0 - start.0, prot)?;
    Ok(0)
}

/// mremap(2).
pub fn mremap(ctx: &mut Ctx, a: &args::Mremap) -> SysResult {
    let flags = RemapFlags::from_bits_retain(u32::try_from(a.flags).map_err(|_| Errno::EINVAL)?);
    Ok(limited(ctx).remap(a.old_address, a.old_size, a.new_size, flags, a.new_address)?.0)
}

/// brk(2). Linux's call never fails: it returns the break as it is then.
pub fn brk(ctx: &mut Ctx, a: &args::Brk) -> SysResult {
    Ok(limited(ctx).brk(a.brk).0)
}

/// madvise(2). Advice about reading ahead, huge pages and page merging changes nothing here. `MADV_FREE` drops the pages
/// at once. The guest's machine has no memory failure tests and no guard pages by advice (EINVAL).
pub fn madvise(ctx: &mut Ctx, a: &args::Madvise) -> SysResult {
    use AreaOption::{DontDump, DontFork, WipeOnFork};
    let known = a.advice <= madv::MADV_WILLNEED
        || (madv::MADV_DONTNEED..=madv::MADV_COLLAPSE).contains(&a.advice) && !matches!(a.advice, 5..=7);
    if !known || !a.addr.is_page_aligned() {
        return Err(Errno::EINVAL.into());
    }
    let len = page_align(a.length).ok_or(Errno::EINVAL)?;
    a.addr.checked_add(len).ok_or(Errno::EINVAL)?;
    if len == 0 {
        return Ok(0);
    }
    let mut space = limited(ctx);
    let addr = a.addr;
    match a.advice {
        madv::MADV_DONTNEED => space.discard(addr, len)?,
        madv::MADV_DONTNEED_LOCKED => space.discard_locked(addr, len)?,
        madv::MADV_FREE => space.free(addr, len)?,
        madv::MADV_REMOVE => space.remove(addr, len)?,
        madv::MADV_DONTFORK => space.set_option(addr, len, DontFork, true)?,
        madv::MADV_DOFORK => space.set_option(addr, len, DontFork, false)?,
        madv::MADV_WIPEONFORK => space.set_option(addr, len, WipeOnFork, true)?,
        madv::MADV_KEEPONFORK => space.set_option(addr, len, WipeOnFork, false)?,
        madv::MADV_DONTDUMP => space.set_option(addr, len, DontDump, true)?,
        madv::MADV_DODUMP => space.set_option(addr, len, DontDump, false)?,
        madv::MADV_POPULATE_READ => space.populate_range(addr, len, Prot::READ)?,
        madv::MADV_POPULATE_WRITE => space.populate_range(addr, len, Prot::WRITE)?,
        madv::MADV_COLD | madv::MADV_PAGEOUT => {
            space.advise_each(addr, len, |_, area, _, _| if area.locked { Err(Errno::EINVAL) } else { Ok(()) })?;
        }
        _ => space.advise_each(addr, len, |_, _, _, _| Ok(()))?,
    }
    Ok(0)
}

/// msync(2).
pub fn msync(ctx: &mut Ctx, a: &args::Msync) -> SysResult {
    let both = ms::MS_SYNC | ms::MS_ASYNC;
    if a.flags & !(both | ms::MS_INVALIDATE) != 0 || a.flags & both == both || !a.addr.is_page_aligned() {
        return Err(Errno::EINVAL.into());
    }
    ctx.mem().sync(a.addr, a.length, SyncFlags::from_bits_truncate(a.flags))?;
    Ok(0)
}

/// mincore(2): the pages that the host has in memory.
pub fn mincore(ctx: &mut Ctx, a: &args::Mincore) -> SysResult {
    const CHUNK: u64 = 4096 * PAGE_SIZE;
    if !a.addr.is_page_aligned() {
        return Err(Errno::EINVAL.into());
    }
    let mut space = ctx.mem();
    if !space.access_ok(a.addr, a.length) {
        return Err(Errno::ENOMEM.into());
    }
    let pages = a.length.div_ceil(PAGE_SIZE);
    if !space.access_ok(a.vec, pages) {
        return Err(Errno::EFAULT.into());
    }
    let mut done = 0;
    while done < pages {
        let at = a.addr.offset(done * PAGE_SIZE);
        let end = space.area_at(at).ok_or(Errno::ENOMEM)?.end;
        let len = (end.0 - at.0).min((pages - done) * PAGE_SIZE).min(CHUNK);
        let resident = space.resident(at, len)?;
        space.write(a.vec.offset(done), &resident)?;
        done += len / PAGE_SIZE;
    }
    Ok(0)
}

/// Whether the caller may lock memory at all.
fn may_lock(ctx: &mut Ctx) -> Result<(), Errno> {
    if ctx.process().limits[RLIMIT_MEMLOCK].soft == 0 && !has_capability(ctx, CAP_IPC_LOCK) {
        return Err(Errno::EPERM);
    }
    Ok(())
}

/// mlock(2). Pages are brought into memory and marked; the host's own locks are left alone.
pub fn mlock(ctx: &mut Ctx, a: &args::Mlock) -> SysResult {
    may_lock(ctx)?;
    limited(ctx).set_locked(a.addr, a.len, Locking::Now)?;
    Ok(0)
}

/// mlock2(2).
pub fn mlock2(ctx: &mut Ctx, a: &args::Mlock2) -> SysResult {
    if a.flags & !ml2::MLOCK_ONFAULT != 0 {
        return Err(Errno::EINVAL.into());
    }
    may_lock(ctx)?;
    let locking = if a.flags != 0 { Locking::OnFault } else { Locking::Now };
    limited(ctx).set_locked(a.addr, a.len, locking)?;
    Ok(0)
}

/// munlock(2).
pub fn munlock(ctx: &mut Ctx, a: &args::Munlock) -> SysResult {
    ctx.mem().set_locked(a.addr, a.len, Locking::Unlock)?;
    Ok(0)
}

/// mlockall(2).
pub fn mlockall(ctx: &mut Ctx, a: &args::Mlockall) -> SysResult {
    let known = mcl::MCL_CURRENT | mcl::MCL_FUTURE | mcl::MCL_ONFAULT;
    if a.flags == 0 || a.flags & !known != 0 || a.flags == mcl::MCL_ONFAULT {
        return Err(Errno::EINVAL.into());
    }
    may_lock(ctx)?;
    let locking = if a.flags & mcl::MCL_ONFAULT != 0 { Locking::OnFault } else { Locking::Now };
    let current = (a.flags & mcl::MCL_CURRENT != 0).then_some(locking);
    let future = if a.flags & mcl::MCL_FUTURE != 0 { locking } else { Locking::Unlock };
    limited(ctx).set_all_locked(current, future)?;
    Ok(0)
}

/// munlockall(2).
pub fn munlockall(ctx: &mut Ctx, _: &args::Munlockall) -> SysResult {
    ctx.mem().set_all_locked(Some(Locking::Unlock), Locking::Unlock)?;
    Ok(0)
}

/// membarrier(2). All guest threads run on one host thread, so every barrier holds already, and a thread that was
/// interrupted in a restartable sequence leaves it before it goes on; what remains is the registration.
pub fn membarrier(ctx: &mut Ctx, a: &args::Membarrier) -> SysResult {
    const REGISTER: u32 = barrier::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED
        | barrier::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
        | barrier::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE
        | barrier::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;
    const KNOWN: u32 = REGISTER
        | barrier::MEMBARRIER_CMD_GLOBAL
        | barrier::MEMBARRIER_CMD_GLOBAL_EXPEDITED
        | barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED
        | barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE
        | barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ
        | barrier::MEMBARRIER_CMD_GET_REGISTRATIONS;
    let one_cpu = a.cmd == barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && a.flags == MEMBARRIER_CMD_FLAG_CPU;
    if a.flags != 0 && !one_cpu {
        return Err(Errno::EINVAL.into());
    }
    let mut space = ctx.mem();
    match a.cmd {
        barrier::MEMBARRIER_CMD_QUERY => Ok(u64::from(KNOWN)),
        barrier::MEMBARRIER_CMD_GET_REGISTRATIONS => Ok(u64::from(space.barriers)),
        barrier::MEMBARRIER_CMD_GLOBAL | barrier::MEMBARRIER_CMD_GLOBAL_EXPEDITED => Ok(0),
        barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED
        | barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE
        | barrier::MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ => {
            // The bit of each REGISTER command is the one above its command's.
            if space.barriers & a.cmd << 1 != 0 { Ok(0) } else { Err(Errno::EPERM.into()) }
        }
        cmd if cmd.is_power_of_two() && cmd & REGISTER != 0 => {
            space.barriers |= cmd;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// pkey_alloc(2): the guest's processor has no keys to give.
pub fn pkey_alloc(_: &mut Ctx, a: &args::PkeyAlloc) -> SysResult {
    const DISABLE_ACCESS_AND_WRITE: u64 = 3;
    if a.flags != 0 || a.access_rights & !DISABLE_ACCESS_AND_WRITE != 0 {
        return Err(Errno::EINVAL.into());
    }
    Err(Errno::ENOSPC.into())
}

/// pkey_free(2): no key has ever been given.
pub fn pkey_free(_: &mut Ctx, _: &args::PkeyFree) -> SysResult {
    Err(Errno::EINVAL.into())
}

/// The number of bits that a node mask may have on Linux (`PAGE_SIZE * 8`).
const MAX_MASK_BITS: u64 = PAGE_SIZE * 8;

/// Reads a node mask: whether node 0 is in it. The guest's machine has that node only.
fn node_mask(space: &Space, mask: GuestAddr, maxnode: u64) -> Result<Option<bool>, Errno> {
    let bits = maxnode.wrapping_sub(1);
    if bits == 0 || maxnode == 0 || mask.is_null() {
        return Ok(None);
    }
    if bits > MAX_MASK_BITS {
        return Err(Errno::EINVAL);
    }
    let words = space.copy_in_array::<u64>(mask, bits.div_ceil(64) as usize)?;
    let valid = |i: usize| match bits - i as u64 * 64 {
        left if left < 64 => (1u64 << left) - 1,
        _ => u64::MAX,
    };
    let set: Vec<u64> = words.iter().enumerate().map(|(i, word)| word & valid(i)).collect();
    // Linux takes bits of nodes that could exist in its build, up to 1024, and then finds them absent.
    if set.iter().skip(16).any(|&word| word != 0) {
        return Err(Errno::EINVAL);
    }
    match set.iter().any(|&word| word != 0) {
        true => Ok(Some(set[0] & 1 != 0)),
        false => Ok(None),
    }
}

/// Checks a memory policy as set_mempolicy(2) and mbind(2) do. `node_0` is what [`node_mask`] gave.
fn check_policy(mode: u32, node_0: Option<bool>) -> Result<(), Errno> {
    let flags = mode & (mpol::MPOL_F_STATIC_NODES | mpol::MPOL_F_RELATIVE_NODES | mpol::MPOL_F_NUMA_BALANCING);
    let kind = mode & !flags;
    let relative = flags & (mpol::MPOL_F_STATIC_NODES | mpol::MPOL_F_RELATIVE_NODES);
    let both = relative == mpol::MPOL_F_STATIC_NODES | mpol::MPOL_F_RELATIVE_NODES;
    let balancing = flags & mpol::MPOL_F_NUMA_BALANCING != 0;
    let may_balance = matches!(kind, mpol::MPOL_BIND | mpol::MPOL_PREFERRED_MANY);
    if kind > mpol::MPOL_WEIGHTED_INTERLEAVE || both || balancing && !may_balance {
        return Err(Errno::EINVAL);
    }
    let valid = match (kind, node_0) {
        (mpol::MPOL_DEFAULT, nodes) => nodes.is_none(),
        (mpol::MPOL_LOCAL, nodes) => nodes.is_none() && relative == 0,
        (mpol::MPOL_PREFERRED, None) => relative == 0,
        (_, nodes) => nodes == Some(true),
    };
    if valid { Ok(()) } else { Err(Errno::EINVAL) }
}

/// set_mempolicy(2) on a machine of one node: the policy is checked, and every policy means that node. It is not kept.
pub fn set_mempolicy(ctx: &mut Ctx, a: &args::SetMempolicy) -> SysResult {
    let node_0 = node_mask(&ctx.mem(), a.nodemask, a.maxnode)?;
    check_policy(a.mode, node_0)?;
    Ok(0)
}

/// mbind(2) on a machine of one node: the policy is checked and not kept; all pages are on that node already.
pub fn mbind(ctx: &mut Ctx, a: &args::Mbind) -> SysResult {
    let known = mbind_flags::MPOL_MF_STRICT | mbind_flags::MPOL_MF_MOVE | mbind_flags::MPOL_MF_MOVE_ALL;
    if a.flags & !known != 0 || !a.addr.is_page_aligned() {
        return Err(Errno::EINVAL.into());
    }
    let mode = u32::try_from(a.mode).map_err(|_| Errno::EINVAL)?;
    let node_0 = node_mask(&ctx.mem(), a.nodemask, a.maxnode)?;
    if a.flags & mbind_flags::MPOL_MF_MOVE_ALL != 0 && !has_capability(ctx, CAP_SYS_NICE) {
        return Err(Errno::EPERM.into());
    }
    let end = page_align(a.len).and_then(|len| a.addr.checked_add(len)).ok_or(Errno::EINVAL)?;
    check_policy(mode, node_0)?;
    if !ctx.mem().check_range(a.addr, end.0 - a.addr.0) {
        return Err(Errno::EFAULT.into());
    }
    Ok(0)
}

/// get_mempolicy(2): the default policy, node 0.
pub fn get_mempolicy(ctx: &mut Ctx, a: &args::GetMempolicy) -> SysResult {
    use getmpol::{MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED, MPOL_F_NODE};
    let flags = u32::try_from(a.flags).map_err(|_| Errno::EINVAL)?;
    let [node, addr, allowed] = [MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED].map(|flag| flags & flag != 0);
    if flags & !(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED) != 0
        || !a.nodemask.is_null() && a.maxnode == 0
        || allowed && (node || addr)
    {
        return Err(Errno::EINVAL.into());
    }
    let mut space = ctx.mem();
    if !allowed {
        if addr && space.area_at(a.addr).is_none() {
            return Err(Errno::EFAULT.into());
        }
        // The node of the next page exists for interleaving policies only.
        if !addr && (!a.addr.is_null() || node) {
            return Err(Errno::EINVAL.into());
        }
    }
    if !a.mode.is_null() {
        space.copy_out(a.mode, &mpol::MPOL_DEFAULT)?;
    }
    if !a.nodemask.is_null() {
        let bytes = (a.maxnode - 1).next_multiple_of(64) / 8;
        if bytes > PAGE_SIZE {
            return Err(Errno::EINVAL.into());
        }
        let mut mask = vec![0u64; (bytes / 8) as usize];
        if let Some(first) = mask.first_mut() {
            *first = u64::from(allowed);
        }
        space.copy_out_array(a.nodemask, &mask)?;
    }
    Ok(0)
}

/// mseal(2).
pub fn mseal(ctx: &mut Ctx, a: &args::Mseal) -> SysResult {
    let end = page_align(a.len).and_then(|len| a.addr.checked_add(len));
    if a.flags != 0 || !a.addr.is_page_aligned() || end.is_none() {
        return Err(Errno::EINVAL.into());
    }
    ctx.mem().seal(a.addr, a.len)?;
    Ok(0)
}

/// remap_file_pages(2), for a part of one shared mapping.
pub fn remap_file_pages(ctx: &mut Ctx, a: &args::RemapFilePages) -> SysResult {
    let (start, size) = (a.addr.page(), a.size & !(PAGE_SIZE - 1));
    let offset = a.pgoff.checked_mul(PAGE_SIZE);
    let (0, Some(offset), true) = (a.prot, offset, size > 0) else { return Err(Errno::EINVAL.into()) };
    limited(ctx).remap_file(start, size, offset)?;
    Ok(0)
}

/// What a mapping must know of its file.
fn backing<'f>(ctx: &mut Ctx, file: &'f file::File, offset: u64) -> Result<Backing<'f>, Errno> {
    let stat = file.ops().stat(ctx, file)?;
    // Files that the kernel makes itself have no pages to map.
    let fd = file.host_fd().ok_or(Errno::ENODEV)?.as_fd();
    Ok(Backing {
        fd,
        offset,
        path: fs::name_of(ctx, file).into(),
        dev: stat.dev,
        ino: stat.ino,
        readable: file.can_read(),
        writable: file.can_write(),
    })
}

/// set_mempolicy_home_node(2): no area has a policy that a home node could belong to.
pub fn set_mempolicy_home_node(ctx: &mut Ctx, a: &args::SetMempolicyHomeNode) -> SysResult {
    if a.flags != 0 || !a.start.is_page_aligned() || a.home_node != 0 {
        return Err(Errno::EINVAL.into());
    }
    let len = page_align(a.len).ok_or(Errno::EINVAL)?;
    a.start.checked_add(len).ok_or(Errno::EINVAL)?;
    let _ = ctx;
    if len == 0 { Ok(0) } else { Err(Errno::ENOENT.into()) }
}
