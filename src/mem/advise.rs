//! What does not change the map: discarding, syncing, locking, residence.

use rustix::mm::{Advice, MsyncFlags};

use super::area::{Area, AreaOption, Prot};
use super::space::Space;
use super::{GuestAddr, PAGE_SIZE};
use crate::abi::Errno;

bitflags::bitflags! {
    /// `MS_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SyncFlags: u32 {
        /// `MS_ASYNC`.
        const ASYNC = 1;
        /// `MS_INVALIDATE`.
        const INVALIDATE = 2;
        /// `MS_SYNC`.
        const SYNC = 4;
    }
}

impl Space {
    /// `MADV_DONTNEED`: drops pages. Anonymous memory reads as zeros then, files are read anew; shared memory keeps its
    /// bytes.
    ///
    /// # Errors
    /// EINVAL (misaligned, locked), EPERM (sealed and read-only), ENOMEM (a hole; the rest of the range is done).
    pub fn discard(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        self.discard_areas(addr, len, |area| !area.locked)
    }

    /// `MADV_DONTNEED_LOCKED`: the same for locked memory too.
    ///
    /// # Errors
    /// As [`Space::discard`].
    pub fn discard_locked(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        self.discard_areas(addr, len, |_| true)
    }

    /// `MADV_FREE`: drops pages of private anonymous memory. Linux may do that later; here it is done at once.
    ///
    /// # Errors
    /// As [`Space::discard`], and EINVAL for other memory.
    pub fn free(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        self.discard_areas(addr, len, |area| !area.locked && area.is_private_anonymous())
    }

    fn discard_areas(&mut self, addr: GuestAddr, len: u64, allowed: impl Fn(&Area) -> bool) -> Result<(), Errno> {
        self.advise_each(addr, len, |space, area, start, end| {
            if !allowed(area) {
                return Err(Errno::EINVAL);
            }
            if area.sealed && area.is_private_anonymous() && !area.prot.contains(Prot::WRITE) {
                return Err(Errno::EPERM);
            }
            space.window.advise(start, end - start, Advice::LinuxDontNeed)?;
            if area.prot.contains(Prot::EXEC) {
                space.changed(start, end - start);
            }
            Ok(())
        })
    }

    /// `MADV_REMOVE`: punches a hole into shared writable memory, for all who map it.
    ///
    /// # Errors
    /// EINVAL (misaligned, locked, not a file), EACCES (not shared and writable), ENOMEM (a hole), and the file system's.
    pub fn remove(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        self.advise_each(addr, len, |space, area, start, end| {
            if area.locked || area.file.is_none() {
                return Err(Errno::EINVAL);
            }
            if !area.shared || !area.may_write {
                return Err(Errno::EACCES);
            }
            space.window.advise(start, end - start, Advice::LinuxRemove)
        })
    }

    /// `MADV_POPULATE_READ` and `MADV_POPULATE_WRITE`: brings pages into memory, as `prot` says for which access.
    ///
    /// # Errors
    /// EINVAL (misaligned, or not permitted), ENOMEM (a hole), EFAULT (behind the end of a file).
    pub fn populate_range(&mut self, addr: GuestAddr, len: u64, prot: Prot) -> Result<(), Errno> {
        let (start, end) = self.page_range(addr, len)?;
        let (advice, access) = match prot.contains(Prot::WRITE) {
            true => (Advice::LinuxPopulateWrite, crate::cpu::Access::Write),
            false => (Advice::LinuxPopulateRead, crate::cpu::Access::Read),
        };
        let mut at = start;
        while at < end {
            let area = self.area_at(GuestAddr(at)).ok_or(Errno::ENOMEM)?;
            if !super::space::permits(area.prot, access) {
                return Err(Errno::EINVAL);
            }
            let to = area.end.0.min(end);
            self.window.advise(at, to - at, advice)?;
            at = to;
        }
        Ok(())
    }

    /// Stores an option of madvise(2) in the areas of a range.
    ///
    /// # Errors
    /// EINVAL (misaligned; `WipeOnFork` for what is not private anonymous memory), ENOMEM (a hole; the rest is done).
    pub fn set_option(&mut self, addr: GuestAddr, len: u64, option: AreaOption, on: bool) -> Result<(), Errno> {
        self.advise_each(addr, len, |space, area, start, end| {
            if option == AreaOption::WipeOnFork && on && area.file.is_some() {
                return Err(Errno::EINVAL);
            }
            space.update(start, end, |area| match option {
                AreaOption::DontFork => area.dont_fork = on,
                AreaOption::WipeOnFork => area.wipe_on_fork = on,
                AreaOption::DontDump => area.dont_dump = on,
            });
            Ok(())
        })
    }

    /// Does something for each area of a range as madvise(2) does: holes are skipped, and ENOMEM afterwards.
    pub fn advise_each(
        &mut self,
        addr: GuestAddr,
        len: u64,
        mut each: impl FnMut(&mut Space, &Area, u64, u64) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let (start, end) = self.page_range(addr, len).map_err(|_| Errno::EINVAL)?;
        let areas: Vec<Area> = self.overlapping(start, end).cloned().collect();
        let mut at = start;
        let mut holes = false;
        for area in &areas {
            let from = area.start.0.max(start);
            let to = area.end.0.min(end);
            holes |= from > at;
            each(self, area, from, to)?;
            at = to;
        }
        if holes || at < end { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// msync(2): writes changed pages of shared file mappings back to their files.
    ///
    /// # Errors
    /// EINVAL (misaligned), EBUSY (`INVALIDATE` on locked memory), ENOMEM (a hole; the rest is done), EIO.
    pub fn sync(&self, addr: GuestAddr, len: u64, flags: SyncFlags) -> Result<(), Errno> {
        let (start, end) = self.page_range(addr, len)?;
        let mut at = start;
        let mut holes = false;
        for area in self.overlapping(start, end) {
            let (from, to) = (area.start.0.max(start), area.end.0.min(end));
            holes |= from > at;
            at = to;
            if flags.contains(SyncFlags::INVALIDATE) && area.locked {
                return Err(Errno::EBUSY);
            }
            if flags.contains(SyncFlags::SYNC) && area.shared && area.file.is_some() {
                self.window.sync(from, to - from, MsyncFlags::SYNC)?;
            }
        }
        if holes || at < end { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// mincore(2): one byte for each page, 1 for those in memory.
    ///
    /// # Errors
    /// EINVAL (misaligned), ENOMEM (a hole, or outside the address space).
    pub fn resident(&self, addr: GuestAddr, len: u64) -> Result<Vec<u8>, Errno> {
        let (start, end) = self.page_range(addr, len)?;
        if end > self.limit() || !self.check_range(addr, end - start) {
            return Err(Errno::ENOMEM);
        }
        let mut pages = self.window.resident(start, end - start)?;
        pages.iter_mut().for_each(|page| *page &= 1);
        Ok(pages)
    }

    /// mlock2(2) and munlock(2): marks areas as locked, and for `populate` brings their pages into memory.
    ///
    /// # Errors
    /// EINVAL (wraps), ENOMEM (a hole, or more than RLIMIT_MEMLOCK).
    pub fn set_locked(&mut self, addr: GuestAddr, len: u64, locking: Locking) -> Result<(), Errno> {
        let start = addr.page();
        let inset = addr.0 - start.0;
        let len = len.checked_add(inset).and_then(super::page_align).ok_or(Errno::EINVAL)?;
        let end = start.checked_add(len).ok_or(Errno::EINVAL)?;
        let lock = locking != Locking::Unlock;
        let already: u64 = self
            .overlapping(start.0, end.0)
            .filter(|a| a.locked)
            .map(|a| a.end.min(end).0 - a.start.max(start).0)
            .sum();
        if lock && !self.may_lock(len.saturating_sub(already)) {
            return Err(Errno::ENOMEM);
        }
        let until = self.mapped_until(start, end);
        self.update(start.0, until.0, |area| area.locked = lock);
        if until < end {
            return Err(Errno::ENOMEM);
        }
        if locking == Locking::Now {
            self.populate(start.0, end.0);
            if self.overlapping(start.0, end.0).any(|area| area.prot.is_empty()) {
                return Err(Errno::ENOMEM);
            }
        }
        Ok(())
    }

    /// mlockall(2) and munlockall(2): `current` changes all areas, `future` says how new ones begin.
    ///
    /// # Errors
    /// ENOMEM: more than RLIMIT_MEMLOCK.
    pub fn set_all_locked(&mut self, current: Option<Locking>, future: Locking) -> Result<(), Errno> {
        if let Some(locking) = current {
            let lock = locking != Locking::Unlock;
            if lock && self.total_mapped() > self.limits.locked {
                return Err(Errno::ENOMEM);
            }
            let end = self.limit();
            self.update(0, end, |area| area.locked = lock && !matches!(area.name, super::AreaName::Special(_)));
            if locking == Locking::Now {
                self.populate(0, end);
            }
        }
        self.lock_future = future;
        Ok(())
    }

    /// Number of pages of the space that are in the host's memory (`VmRSS` in pages).
    pub fn resident_pages(&self) -> u64 {
        const CHUNK: u64 = 4096 * PAGE_SIZE;
        let count = |area: &Area| -> u64 {
            let starts = (area.start.0..area.end.0).step_by(CHUNK as usize);
            let chunks = starts.map(|at| self.window.resident(at, CHUNK.min(area.end.0 - at)));
            chunks.map(|pages| pages.map_or(0, |p| p.iter().filter(|&&page| page & 1 != 0).count() as u64)).sum()
        };
        self.areas.values().filter(|area| !area.prot.is_empty()).map(count).sum()
    }
}

/// What to do about locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locking {
    /// Lock, and bring the pages into memory.
    Now,
    /// Lock pages as they come into memory (`MLOCK_ONFAULT`).
    OnFault,
    /// Unlock.
    Unlock,
}
