//! Mapping, unmapping, protection and the choice of addresses: mmap(2), munmap(2), mprotect(2).

use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::mm::Advice;

use super::area::{Area, AreaName, Backing, FileRange, MapFlags, MapRequest, Prot};
use super::space::{MAX_AREAS, MIN_ADDR, STACK_GAP, Space};
use super::{GuestAddr, Locking, PAGE_SIZE, page_align};
use crate::abi::Errno;

/// Where `MAP_32BIT` searches.
const LOW_2G: std::ops::Range<u64> = 0x4000_0000..0x8000_0000;

/// The device number of /dev/zero.
const DEV_ZERO: u64 = 0x105;

impl Space {
    /// mmap(2): maps memory and returns its address.
    ///
    /// # Errors
    /// EINVAL (length 0, kind of mapping, misaligned fixed address), ENOMEM (no room, limits, outside the address space),
    /// EEXIST (`MAP_FIXED_NOREPLACE`), EACCES, ENODEV and EPERM (the file), EAGAIN (locked memory), EOVERFLOW, EOPNOTSUPP.
    pub fn map(&mut self, req: &MapRequest<'_>) -> Result<GuestAddr, Errno> {
        if req.len == 0 {
            return Err(Errno::EINVAL);
        }
        let len = page_align(req.len).ok_or(Errno::ENOMEM)?;
        if let Some(backing) = &req.backing
            && backing.offset.checked_add(len).is_none()
        {
            return Err(Errno::EOVERFLOW);
        }
        if self.areas.len() > MAX_AREAS {
            return Err(Errno::ENOMEM);
        }
        let start = self.choose(req, len)?;
        let end = start + len;
        let lock_now = req.flags.contains(MapFlags::LOCKED) || self.lock_future == Locking::Now;
        let locked = lock_now || self.lock_future == Locking::OnFault;
        if locked && !self.may_lock(len) {
            return Err(Errno::EAGAIN);
        }
        let mut area = new_area(req, start, end)?;
        area.locked = locked;
        if req.flags.contains(MapFlags::HUGETLB) {
            // The guest's machine has no huge page pool.
            return Err(Errno::ENOMEM);
        }
        self.check_room(&area)?;
        area.file = self.file_range(req, len)?;
        self.place(area)?;
        if lock_now || req.flags.contains(MapFlags::POPULATE) && !req.flags.contains(MapFlags::NONBLOCK) {
            self.populate(start, end);
        }
        Ok(GuestAddr(start))
    }

    /// munmap(2).
    ///
    /// # Errors
    /// EINVAL (misaligned, empty or outside the address space), ENOMEM (too many areas), EPERM (sealed).
    pub fn unmap(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        let len = page_align(len).ok_or(Errno::EINVAL)?;
        let room = self.limit().checked_sub(addr.0).ok_or(Errno::EINVAL)?;
        if !addr.is_page_aligned() || len == 0 || len > room {
            return Err(Errno::EINVAL);
        }
        self.unmap_range(addr.0, addr.0 + len)
    }

    /// Unmaps a range of whole pages inside the address space.
    pub(super) fn unmap_range(&mut self, start: u64, end: u64) -> Result<(), Errno> {
        let Some(first) = self.overlapping(start, end).next() else { return Ok(()) };
        let last = self.overlapping(start, end).next_back().unwrap_or(first);
        let splits = first.start.0 < start && first.end.0 > end;
        let (from, to) = (first.start.0.max(start), last.end.0.min(end));
        if splits && self.areas.len() >= MAX_AREAS {
            return Err(Errno::ENOMEM);
        }
        if self.overlapping(start, end).any(|a| a.sealed) {
            return Err(Errno::EPERM);
        }
        self.window.clear(from, to - from)?;
        self.cut(from, to);
        self.changed(from, to - from);
        Ok(())
    }

    /// mprotect(2). On an error everything before the place of the error has been changed, as on Linux.
    ///
    /// # Errors
    /// EINVAL (misaligned), ENOMEM (a hole, limits), EACCES (a read-only file's shared mapping), EPERM (sealed).
    pub fn protect(&mut self, addr: GuestAddr, len: u64, prot: Prot) -> Result<(), Errno> {
        let (start, end) = self.page_range(addr, len)?;
        let mut at = start;
        while at < end {
            let area = self.area_at(GuestAddr(at)).ok_or(Errno::ENOMEM)?;
            let to = area.end.0.min(end);
            if area.sealed {
                return Err(Errno::EPERM);
            }
            if area.prot != prot {
                self.protect_part(at, to, prot)?;
            }
            at = to;
        }
        Ok(())
    }

    /// Changes the protection of a part of one area.
    fn protect_part(&mut self, start: u64, end: u64, prot: Prot) -> Result<(), Errno> {
        let Some(area) = self.area_at(GuestAddr(start)) else { return Err(Errno::ENOMEM) };
        if prot.contains(Prot::WRITE) && !area.may_write {
            return Err(Errno::EACCES);
        }
        let becomes_data = Area { prot, ..area.clone() }.is_data() && !area.is_data();
        let splits = usize::from(area.start.0 < start) + usize::from(area.end.0 > end);
        let data_full = becomes_data && self.data_mapped().saturating_add(end - start) > self.limits.data;
        if data_full || self.areas.len() + splits > MAX_AREAS {
            return Err(Errno::ENOMEM);
        }
        self.window.protect(start, end - start, prot)?;
        self.update(start, end, |area| area.prot = prot);
        self.changed(start, end - start);
        Ok(())
    }

    /// mseal(2): forbids changes of mapping and protection.
    ///
    /// # Errors
    /// EINVAL (misaligned), ENOMEM (a hole).
    pub fn seal(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        let (start, end) = self.page_range(addr, len)?;
        if !self.check_range(addr, end - start) {
            return Err(Errno::ENOMEM);
        }
        self.update(start, end, |area| area.sealed = true);
        Ok(())
    }

    /// remap_file_pages(2): shows another part of the file in a part of one shared mapping. `offset` is in bytes.
    ///
    /// # Errors
    /// EINVAL: not one shared file mapping.
    pub fn remap_file(&mut self, addr: GuestAddr, len: u64, offset: u64) -> Result<(), Errno> {
        let (start, end) = self.page_range(addr, len).map_err(|_| Errno::EINVAL)?;
        let area = self.area_at(addr).filter(|area| area.shared && end <= area.end.0).ok_or(Errno::EINVAL)?;
        if area.sealed {
            return Err(Errno::EPERM);
        }
        let mut part = Area { start: GuestAddr(start), end: GuestAddr(end), ..area.clone() };
        match &mut part.file {
            Some(file) if offset.checked_add(end - start).is_some() => file.offset = offset,
            _ => return Err(Errno::EINVAL),
        }
        self.place(part)
    }

    /// Where a request goes. The whole range is inside the address space.
    fn choose(&self, req: &MapRequest<'_>, len: u64) -> Result<u64, Errno> {
        let limit = self.limit();
        let room = limit.checked_sub(len).ok_or(Errno::ENOMEM)?;
        if req.flags.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE) {
            if req.addr.0 > room {
                return Err(Errno::ENOMEM);
            }
            if !req.addr.is_page_aligned() {
                return Err(Errno::EINVAL);
            }
            let no_replace = req.flags.contains(MapFlags::FIXED_NOREPLACE);
            if no_replace && self.overlapping(req.addr.0, req.addr.0 + len).next().is_some() {
                return Err(Errno::EEXIST);
            }
            return Ok(req.addr.0);
        }
        let hint = match req.addr.page().0 {
            0 => 0,
            page => page.max(MIN_ADDR),
        };
        if req.flags.contains(MapFlags::LOW_2G) {
            if hint != 0 && hint.checked_add(len).is_some_and(|end| end <= LOW_2G.end) && self.is_free(hint, len) {
                return Ok(hint);
            }
            return self.find_upwards(len, LOW_2G.start, LOW_2G.end.min(limit)).ok_or(Errno::ENOMEM);
        }
        self.find_free(len, hint).ok_or(Errno::ENOMEM)
    }

    /// Free addresses for `len` bytes: at `hint` if that is not 0 and free, else the highest below the mmap base, else
    /// the lowest above the traditional base (a third of the address space).
    pub(super) fn find_free(&self, len: u64, hint: u64) -> Option<u64> {
        let limit = self.limit();
        if hint != 0 && hint.checked_add(len).is_some_and(|end| end <= limit) && self.is_free(hint, len) {
            return Some(hint);
        }
        self.find_downwards(len, MIN_ADDR, self.mmap_base)
            .or_else(|| self.find_upwards(len, (limit / 3).next_multiple_of(PAGE_SIZE), limit))
    }

    /// Whether nothing is mapped in the range, nor in the gap that a growing area keeps free below it.
    fn is_free(&self, start: u64, len: u64) -> bool {
        let end = start.saturating_add(len);
        let next = self.areas.range(start..).next();
        self.area_at(GuestAddr(start)).is_none() && next.is_none_or(|(_, area)| end <= with_gap(area))
    }

    fn find_downwards(&self, len: u64, low: u64, high: u64) -> Option<u64> {
        let mut top = high;
        if let Some((_, next)) = self.areas.range(high..).next() {
            top = top.min(with_gap(next));
        }
        for (_, area) in self.areas.range(..high).rev() {
            if top < len || top - len < low {
                return None;
            }
            if area.end.0 <= top - len {
                return Some(top - len);
            }
            top = top.min(with_gap(area));
        }
        top.checked_sub(len).filter(|&start| start >= low)
    }

    fn find_upwards(&self, len: u64, low: u64, high: u64) -> Option<u64> {
        let mut at = self.area_at(GuestAddr(low)).map_or(low, |area| area.end.0);
        for (_, area) in self.areas.range(at..) {
            if at.checked_add(len)? <= with_gap(area) {
                break;
            }
            at = area.end.0;
        }
        (at.checked_add(len)? <= high).then_some(at)
    }

    /// RLIMIT_AS, RLIMIT_DATA and overcommit for a new area, whose place may be taken by areas that will go.
    fn check_room(&self, area: &Area) -> Result<(), Errno> {
        let replaced = self.overlapping(area.start.0, area.end.0);
        let replaced: u64 = replaced.map(|a| a.end.min(area.end).0 - a.start.max(area.start).0).sum();
        let promised = area.is_data() && !area.noreserve;
        if !self.may_expand(area.len() - replaced, area.is_data()) || promised && area.len() > self.limits.commit {
            return Err(Errno::ENOMEM);
        }
        if self.overlapping(area.start.0, area.end.0).any(|a| a.sealed) {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// The host file for a request: the guest's, or a new memory file for shared anonymous memory.
    fn file_range(&self, req: &MapRequest<'_>, len: u64) -> Result<Option<FileRange>, Errno> {
        let shared = is_shared(req.flags);
        match &req.backing {
            None if shared => self.memory_file(len).map(Some),
            None => Ok(None),
            Some(backing) => {
                let stat = rustix::fs::fstat(backing.fd).map_err(host_errno)?;
                let device = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::CharacterDevice;
                if device && stat.st_rdev == DEV_ZERO {
                    // Each shared mapping of /dev/zero is new memory, which mapping the device again would not find.
                    return if shared { self.memory_file(len).map(Some) } else { Ok(None) };
                }
                let fd = self.share_fd(backing, (stat.st_dev, stat.st_ino))?;
                Ok(Some(FileRange { fd, offset: backing.offset }))
            }
        }
    }

    fn memory_file(&self, len: u64) -> Result<FileRange, Errno> {
        let fd = rustix::fs::memfd_create("sevm-shared", rustix::fs::MemfdFlags::CLOEXEC).map_err(host_errno)?;
        rustix::fs::ftruncate(&fd, len).map_err(|_| Errno::ENOMEM)?;
        Ok(FileRange { fd: Rc::new(fd), offset: 0 })
    }

    /// A descriptor of ours for a file: that of a mapping of the same file with the same access, or a new duplicate. So
    /// the number of host descriptors is that of mapped files, not of mappings.
    fn share_fd(&self, backing: &Backing<'_>, id: (u64, u64)) -> Result<Rc<OwnedFd>, Errno> {
        for area in self.areas.values() {
            if let Some(file) = &area.file
                && let AreaName::File { ino, .. } = &area.name
                && *ino == backing.ino
                && (!area.shared || area.may_write == backing.writable)
                && rustix::fs::fstat(&file.fd).is_ok_and(|s| (s.st_dev, s.st_ino) == id)
                && open_mode(&*file.fd)? == open_mode(backing.fd)?
            {
                return Ok(file.fd.clone());
            }
        }
        rustix::io::fcntl_dupfd_cloexec(backing.fd, 0).map(Rc::new).map_err(|_| Errno::ENOMEM)
    }

    /// Puts an area in place of whatever is there.
    pub(super) fn place(&mut self, area: Area) -> Result<(), Errno> {
        let (start, end) = (area.start.0, area.end.0);
        let replaces = self.overlapping(start, end).next().is_some();
        if replaces && let Some(file) = &area.file {
            self.try_file(&area, file)?;
        }
        if let Err(e) = self.map_host(&area) {
            // The host may have removed the old mapping: what is left must agree with the areas.
            if self.window.clear(start, end - start).is_ok() {
                self.cut(start, end);
                self.changed(start, end - start);
            }
            return Err(e);
        }
        self.cut(start, end);
        self.insert(area);
        self.merge(start, end);
        self.changed(start, end - start);
        Ok(())
    }

    /// Finds out whether the host lets a file be mapped, in a free place, so that a refusal costs no old mapping.
    fn try_file(&self, area: &Area, file: &FileRange) -> Result<(), Errno> {
        let Some(at) = self.find_free(PAGE_SIZE, 0) else { return Ok(()) };
        let sharing = super::space::sharing(area);
        self.window.map_file(at, PAGE_SIZE, area.prot, file.fd.as_fd(), file.offset, sharing)?;
        self.window.clear(at, PAGE_SIZE)
    }

    /// Brings pages into memory ahead of their use; failures show when the pages are used.
    pub(super) fn populate(&self, start: u64, end: u64) {
        for area in self.overlapping(start, end) {
            let advice = match area.prot.contains(Prot::WRITE) {
                true => Advice::LinuxPopulateWrite,
                false => Advice::LinuxPopulateRead,
            };
            if !area.prot.is_empty() {
                let (from, to) = (area.start.0.max(start), area.end.0.min(end));
                let _ = self.window.advise(from, to - from, advice);
            }
        }
    }
}

/// The area that a request makes, its file still missing; checks what does not depend on the space.
fn new_area(req: &MapRequest<'_>, start: u64, end: u64) -> Result<Area, Errno> {
    let flags = req.flags;
    let kind = flags.bits() & MapFlags::TYPE;
    let grows_down = flags.contains(MapFlags::GROWSDOWN);
    let mut droppable = false;
    let mut may_write = true;
    match (kind, &req.backing) {
        (2, None) => {}
        (8, None) => {
            droppable = true;
            if grows_down || flags.intersects(MapFlags::LOCKED | MapFlags::HUGETLB) {
                return Err(Errno::EINVAL);
            }
        }
        (1, None) if grows_down => return Err(Errno::EINVAL),
        (1, None) => {}
        (2, Some(backing)) => check_file(backing, flags)?,
        (1 | 3, Some(backing)) => {
            if kind == 3 && flags.bits() & !MapFlags::LEGACY != 0 {
                return Err(Errno::EOPNOTSUPP);
            }
            if req.prot.contains(Prot::WRITE) && !backing.writable {
                return Err(Errno::EACCES);
            }
            check_file(backing, flags)?;
            may_write = backing.writable;
        }
        _ => return Err(Errno::EINVAL),
    }
    let name = match &req.backing {
        None => req.name.clone(),
        Some(b) => AreaName::File { path: b.path.clone(), dev: b.dev, ino: b.ino },
    };
    Ok(Area {
        start: GuestAddr(start),
        end: GuestAddr(end),
        prot: req.prot,
        name,
        shared: is_shared(flags),
        grows_down,
        locked: false,
        noreserve: flags.contains(MapFlags::NORESERVE),
        dont_fork: false,
        wipe_on_fork: droppable,
        dont_dump: droppable,
        sealed: false,
        may_write,
        file: None,
    })
}

fn check_file(backing: &Backing<'_>, flags: MapFlags) -> Result<(), Errno> {
    if !backing.readable {
        return Err(Errno::EACCES);
    }
    if flags.contains(MapFlags::GROWSDOWN) || !backing.offset.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

fn is_shared(flags: MapFlags) -> bool {
    flags.contains(MapFlags::SHARED)
}

/// Where an area begins for the search of free addresses: a growing one keeps a gap below it.
fn with_gap(area: &Area) -> u64 {
    if area.grows_down { area.start.0.saturating_sub(STACK_GAP) } else { area.start.0 }
}

fn open_mode(fd: impl AsFd) -> Result<u32, Errno> {
    let flags = rustix::fs::fcntl_getfl(fd).map_err(host_errno)?;
    Ok((flags & rustix::fs::OFlags::RWMODE).bits())
}

pub(super) fn host_errno(e: rustix::io::Errno) -> Errno {
    Errno(e.raw_os_error() as u16)
}
