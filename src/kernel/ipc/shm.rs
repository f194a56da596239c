//! System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2).
//!
//! A segment is a memory file of the host; attaching it is a shared mapping. How often it is attached is counted in the
//! address spaces when somebody asks, so that fork, exec and munmap need not know of it.

use super::*;
use crate::abi::consts::{shmat as at, shmctl as cmd, shmget as shm_flags};
use crate::abi::{ShmInfo, ShmInfo64, ShmidDs};
use crate::host::HostFd;
use crate::mem::{Area, AreaName, Backing, GuestAddr, MapFlags, MapRequest, PAGE_SIZE, Prot, Space};
use crate::syscalls::args;
use std::os::fd::AsFd;
use std::rc::Rc;

/// Limits of Linux (include/uapi/linux/shm.h).
const SHMMNI: usize = 4096;
const SHMMAX: u64 = u64::MAX - (1 << 24);
const SHMALL: u64 = u64::MAX - (1 << 24);

/// Mode bits that shm_perm.mode shows beside the permissions.
const SHM_DEST: u32 = 0o1000;
const SHM_LOCKED: u32 = 0o2000;

/// The device that /proc/PID/maps shows for segments, and the beginning of their names.
const DEVICE: u64 = 1;
const NAME: &[u8] = b"/SYSV";

/// A segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) perm: Perm,
    pub(super) size: u64,
    memory: HostFd,
    pub(super) creator: Pid,
    pub(super) last_pid: Pid,
    pub(super) attached_s: i64,
    pub(super) detached_s: i64,
    pub(super) changed_s: i64,
}

impl Object for Segment {
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

impl Segment {
    fn pages(&self) -> u64 {
        self.size.div_ceil(PAGE_SIZE)
    }

    fn to_abi(&self, id: i32, attached: u64) -> ShmidDs {
        ShmidDs {
            shm_perm: self.perm.to_abi(id),
            shm_segsz: self.size,
            shm_atime: self.attached_s,
            shm_dtime: self.detached_s,
            shm_ctime: self.changed_s,
            shm_cpid: self.creator,
            shm_lpid: self.last_pid,
            shm_nattch: attached,
            unused: [0; 2],
        }
    }
}

/// The segment that an area shows.
fn segment_of(area: &Area) -> Option<i32> {
    match &area.name {
        AreaName::File { path, dev: DEVICE, ino } if path.starts_with(NAME) => i32::try_from(*ino).ok(),
        _ => None,
    }
}

impl Kernel {
    /// Areas of all address spaces that show segments, counted by segment.
    pub(super) fn attachments(&self) -> BTreeMap<i32, u64> {
        let mut counts = BTreeMap::new();
        let mut seen: Vec<*const std::cell::RefCell<Space>> = Vec::new();
        for thread in self.threads.values() {
            let space = Rc::as_ptr(&thread.space);
            if seen.contains(&space) {
                continue;
            }
            seen.push(space);
            let Ok(space) = thread.space.try_borrow() else { continue };
            for id in space.areas().filter_map(segment_of) {
                *counts.entry(id).or_insert(0) += 1;
            }
        }
        counts
    }

    /// Segments that `space` shows in `len` bytes at `addr`, for [`Kernel::detached`]. Costs nothing when there are none.
    pub fn segments_in(&self, space: &Space, addr: GuestAddr, len: u64) -> Vec<i32> {
        if self.ipc.shm.objects.is_empty() {
            return Vec::new();
        }
        let end = addr.0.saturating_add(len);
        space.areas().filter(|a| a.start.0 < end && a.end.0 > addr.0).filter_map(segment_of).collect()
    }

    /// Process `pid` has given up attachments of these segments.
    pub fn detached(&mut self, pid: Pid, segments: &[i32]) {
        if segments.is_empty() {
            return;
        }
        let now_s = (self.realtime_ns() / 1_000_000_000) as i64;
        for id in segments {
            if let Ok(segment) = self.ipc.shm.get(*id) {
                (segment.detached_s, segment.last_pid) = (now_s, pid);
            }
        }
        self.sweep_segments();
    }

    /// Frees segments that were removed and that nobody has attached any more.
    pub(super) fn sweep_segments(&mut self) {
        if !self.ipc.shm.objects.values().any(|(_, s)| s.perm.mode & SHM_DEST != 0) {
            return;
        }
        let attached = self.attachments();
        self.ipc.shm.objects.retain(|_, (id, s)| s.perm.mode & SHM_DEST == 0 || attached.contains_key(id));
    }
}

/// shmget(2).
pub fn shmget(ctx: &mut Ctx, a: &args::Shmget) -> SysResult {
    ctx.kernel.sweep_segments();
    let size = a.size;
    let found = lookup(
        ctx,
        |ipc| &mut ipc.shm,
        a.key,
        a.shmflg,
        |s: &Segment| {
            if s.size < size { Err(Errno::EINVAL) } else { Ok(()) }
        },
    )?;
    if let Some(id) = found {
        return Ok(id as u64);
    }
    if size == 0 || size > SHMMAX {
        return Err(Errno::EINVAL.into());
    }
    if a.shmflg & shm_flags::SHM_HUGETLB != 0 {
        // The machine has no huge page pool.
        return Err(Errno::ENOMEM.into());
    }
    let total: u64 = ctx.kernel.ipc.shm.objects.values().map(|(_, s)| s.pages()).sum();
    if total.saturating_add(size.div_ceil(PAGE_SIZE)) > SHMALL {
        return Err(Errno::ENOSPC.into());
    }
    if ctx.kernel.ipc.shm.objects.len() >= SHMMNI {
        return Err(Errno::ENOSPC.into());
    }
    let bytes = size.checked_next_multiple_of(PAGE_SIZE).filter(|b| i64::try_from(*b).is_ok()).ok_or(Errno::ENOMEM)?;
    let memory = ctx.kernel.host.memfd(b"sevm-segment", 0)?;
    ctx.kernel.host.truncate(&memory, bytes).map_err(|_| Errno::ENOMEM)?;
    let segment = Segment {
        perm: Perm::new(ctx, a.key, a.shmflg),
        size,
        memory,
        creator: ctx.pid,
        last_pid: 0,
        attached_s: 0,
        detached_s: 0,
        changed_s: now_s(ctx),
    };
    Ok(ctx.kernel.ipc.shm.add(segment, SHMMNI)? as u64)
}

/// shmat(2).
pub fn shmat(ctx: &mut Ctx, a: &args::Shmat) -> SysResult {
    ctx.kernel.sweep_segments();
    if a.shmid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut addr = a.shmaddr;
    if !addr.is_null() {
        if !addr.is_page_aligned() {
            if a.shmflg & at::SHM_RND == 0 {
                return Err(Errno::EINVAL.into());
            }
            addr = addr.page();
            if addr.is_null() && a.shmflg & at::SHM_REMAP != 0 {
                return Err(Errno::EINVAL.into());
            }
        }
    } else if a.shmflg & at::SHM_REMAP != 0 {
        return Err(Errno::EINVAL.into());
    }
    let writes = a.shmflg & at::SHM_RDONLY == 0;
    let (mut prot, mut wanted) = (Prot::READ, READ);
    if writes {
        prot |= Prot::WRITE;
        wanted |= WRITE;
    }
    if a.shmflg & at::SHM_EXEC != 0 {
        prot |= Prot::EXEC;
        wanted |= 0o111;
    }
    let segment = ctx.kernel.ipc.shm.get(a.shmid)?;
    let (perm, memory, size, key) = (segment.perm.clone(), segment.memory.clone(), segment.size, segment.perm.key);
    perm.check(ctx, wanted)?;
    let mut flags = MapFlags::SHARED;
    if !addr.is_null() {
        flags |= if a.shmflg & at::SHM_REMAP != 0 { MapFlags::FIXED } else { MapFlags::FIXED_NOREPLACE };
    }
    let path: Rc<[u8]> = [NAME, format!("{key:08x} (deleted)").as_bytes()].concat().into();
    let backing = Backing {
        fd: memory.as_fd(),
        offset: 0,
        path,
        dev: DEVICE,
        ino: a.shmid as u64,
        readable: true,
        writable: writes,
    };
    let request = MapRequest { addr, len: size, prot, flags, backing: Some(backing), name: AreaName::Anon };
    let replaced = ctx.kernel.segments_in(&ctx.mem(), addr, if addr.is_null() { 0 } else { size });
    let mapped = ctx.mem().map(&request);
    let place = match mapped {
        // Something is there already.
        Err(Errno::EEXIST) => return Err(Errno::EINVAL.into()),
        result => result?,
    };
    let (now, pid) = (now_s(ctx), ctx.pid);
    ctx.kernel.detached(pid, &replaced);
    let segment = ctx.kernel.ipc.shm.get(a.shmid)?;
    (segment.attached_s, segment.last_pid) = (now, pid);
    Ok(place.0)
}

/// shmdt(2).
pub fn shmdt(ctx: &mut Ctx, a: &args::Shmdt) -> SysResult {
    if !a.shmaddr.is_page_aligned() {
        return Err(Errno::EINVAL.into());
    }
    let (id, parts) = {
        let space = ctx.mem();
        // The first area that begins where the whole attachment would have.
        let first = space
            .areas()
            .find(|area| area.start >= a.shmaddr && segment_of(area).is_some() && origin(area) == Some(a.shmaddr.0))
            .ok_or(Errno::EINVAL)?;
        let id = segment_of(first).ok_or(Errno::EINVAL)?;
        let same = |area: &&Area| segment_of(area) == Some(id) && origin(area) == Some(a.shmaddr.0);
        let parts: Vec<(GuestAddr, u64)> = space.areas().filter(same).map(|area| (area.start, area.len())).collect();
        (id, parts)
    };
    for (start, len) in parts {
        ctx.mem().unmap(start, len)?;
    }
    let pid = ctx.pid;
    ctx.kernel.detached(pid, &[id]);
    Ok(0)
}

/// Where the attachment that an area is part of begins.
fn origin(area: &Area) -> Option<u64> {
    area.start.0.checked_sub(area.offset())
}

/// shmctl(2).
pub fn shmctl(ctx: &mut Ctx, a: &args::Shmctl) -> SysResult {
    ctx.kernel.sweep_segments();
    if a.shmid < 0 {
        return Err(Errno::EINVAL.into());
    }
    match a.cmd {
        cmd::IPC_INFO => {
            let info = ShmInfo64 {
                shmmax: SHMMAX,
                shmmin: 1,
                shmmni: SHMMNI as u64,
                shmseg: SHMMNI as u64,
                shmall: SHMALL,
                unused: [0; 4],
            };
            ctx.mem().copy_out(a.buf, &info)?;
            Ok(ctx.kernel.ipc.shm.highest() as u64)
        }
        cmd::SHM_INFO => {
            let segments = &ctx.kernel.ipc.shm.objects;
            let total = segments.values().map(|(_, s)| s.pages()).sum();
            let used_ids = segments.len() as i32;
            let mut resident = 0;
            for fd in segments.values().map(|(_, s)| s.memory.clone()).collect::<Vec<_>>() {
                resident += ctx.kernel.host.stat(&fd).map_or(0, |s| s.blocks * 512 / PAGE_SIZE);
            }
            let info = ShmInfo { used_ids, shm_tot: total, shm_rss: resident, ..ShmInfo::default() };
            ctx.mem().copy_out(a.buf, &info)?;
            Ok(ctx.kernel.ipc.shm.highest() as u64)
        }
        cmd::IPC_STAT | cmd::SHM_STAT | cmd::SHM_STAT_ANY => stat(ctx, a),
        cmd::IPC_SET => {
            let new: ShmidDs = ctx.mem().copy_in(a.buf)?;
            let perm = ctx.kernel.ipc.shm.get(a.shmid)?.perm.clone();
            perm.check_owner(ctx)?;
            let now = now_s(ctx);
            let segment = ctx.kernel.ipc.shm.get(a.shmid)?;
            segment.perm.set(&new.shm_perm);
            segment.changed_s = now;
            Ok(0)
        }
        cmd::IPC_RMID => {
            let perm = ctx.kernel.ipc.shm.get(a.shmid)?.perm.clone();
            perm.check_owner(ctx)?;
            let segment = ctx.kernel.ipc.shm.get(a.shmid)?;
            segment.perm.mode |= SHM_DEST;
            // Nobody finds it by its key from now on.
            segment.perm.key = IPC_PRIVATE;
            ctx.kernel.sweep_segments();
            Ok(0)
        }
        cmd::SHM_LOCK | cmd::SHM_UNLOCK => {
            let perm = ctx.kernel.ipc.shm.get(a.shmid)?.perm.clone();
            if !ctx.thread().credentials.has(cap::CAP_IPC_LOCK) {
                perm.check_owner(ctx)?;
                const RLIMIT_MEMLOCK: usize = 8;
                if a.cmd == cmd::SHM_LOCK && ctx.process().limits[RLIMIT_MEMLOCK].soft == 0 {
                    return Err(Errno::EPERM.into());
                }
            }
            let mode = &mut ctx.kernel.ipc.shm.get(a.shmid)?.perm.mode;
            *mode = if a.cmd == cmd::SHM_LOCK { *mode | SHM_LOCKED } else { *mode & !SHM_LOCKED };
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// IPC_STAT by id, SHM_STAT and SHM_STAT_ANY by place.
fn stat(ctx: &mut Ctx, a: &args::Shmctl) -> SysResult {
    let by_id = a.cmd == cmd::IPC_STAT;
    let id = if by_id { a.shmid } else { ctx.kernel.ipc.shm.at(a.shmid)?.0 };
    let perm = ctx.kernel.ipc.shm.get(id)?.perm.clone();
    if a.cmd != cmd::SHM_STAT_ANY {
        perm.check(ctx, READ)?;
    }
    let attached = ctx.kernel.attachments().get(&id).copied().unwrap_or(0);
    let ds = ctx.kernel.ipc.shm.get(id)?.to_abi(id, attached);
    ctx.mem().copy_out(a.buf, &ds)?;
    Ok(if by_id { 0 } else { id as u64 })
}
