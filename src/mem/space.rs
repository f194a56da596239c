//! One address space: its areas, limits and accounts, and what a CPU must hear about.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use super::area::{Area, SharedPlace};
use super::region::{self, Sharing, Window, Windows};
use super::{GuestAddr, Locking, PAGE_SIZE, Prot, WriteLog, page_align};
use crate::Error;
use crate::abi::Errno;
use crate::cpu::{Access, FaultKind};

/// The most areas a space may have (`vm.max_map_count`).
pub const MAX_AREAS: usize = 65530;

/// The lowest address that is handed out unless it is asked for (`vm.mmap_min_addr`).
pub const MIN_ADDR: u64 = 65536;

/// The end of user addresses on Linux with four levels of page tables.
pub(super) const TASK_SIZE: u64 = (1 << 47) - PAGE_SIZE;

/// Free bytes kept below a growing stack (`stack_guard_gap`, 256 pages).
pub(super) const STACK_GAP: u64 = 256 * PAGE_SIZE;

/// More separate changes than this are told as one that covers everything.
const MAX_CHANGES: usize = 128;

/// Names an address space for a CPU: the index of its window. Free to be reused once the space is gone; a new space
/// begins with a change over all of its addresses (see [`Space::take_changes`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceId(pub u32);

/// Resource limits of a space, in bytes; `u64::MAX` means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// RLIMIT_AS: all that is mapped.
    pub address_space: u64,
    /// RLIMIT_DATA: private writable memory.
    pub data: u64,
    /// RLIMIT_STACK: the size to which a stack may grow.
    pub stack: u64,
    /// RLIMIT_MEMLOCK: locked memory.
    pub locked: u64,
    /// The largest single mapping that may promise private memory: RAM and swap of the machine, which Linux's
    /// default overcommit heuristic (`vm.overcommit_memory` 0) compares with.
    pub commit: u64,
}

impl Default for Limits {
    /// No limits, except 8 MiB of stack.
    fn default() -> Limits {
        Limits { address_space: u64::MAX, data: u64::MAX, stack: 8 << 20, locked: u64::MAX, commit: u64::MAX }
    }
}

/// Names the bytes of an executable area of a file: equal values have equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeFile {
    /// First guest address.
    pub start: GuestAddr,
    /// Bytes.
    pub len: u64,
    /// Where in the file the area starts, in bytes.
    pub offset: u64,
    dev: u64,
    ino: u64,
    size: i64,
    /// Seconds and nanoseconds of the last change of contents and of status.
    changed: (i64, u64, i64, u64),
}

/// One guest address space.
#[derive(Debug)]
pub struct Space {
    pub(super) window: Window,
    /// By first address. Areas neither overlap nor are empty, and every one lies below [`Space::limit`].
    pub(super) areas: BTreeMap<u64, Area>,
    /// Resource limits; to be changed at will.
    pub limits: Limits,
    pub(super) mmap_base: u64,
    pub(super) brk_start: u64,
    pub(super) brk: u64,
    /// Whether new areas are locked (`mlockall(MCL_FUTURE)`).
    pub(super) lock_future: Locking,
    /// What membarrier(2) has been registered for: its `REGISTER` commands.
    pub barriers: u32,
    account: Account,
    changes: Vec<(GuestAddr, u64)>,
    pub(super) write_log: WriteLog,
}

/// Bytes mapped, by what limits count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Account {
    total: u64,
    data: u64,
    locked: u64,
}

impl Account {
    fn of(area: &Area) -> Account {
        let when = |counts: bool| if counts { area.len() } else { 0 };
        Account { total: area.len(), data: when(area.is_data()), locked: when(area.locked) }
    }
}

impl Space {
    /// An empty address space.
    ///
    /// # Errors
    /// The host has no room for another window.
    pub fn new(windows: &Windows) -> Result<Space, Error> {
        let window = windows.take()?;
        let mut space = Space {
            window,
            areas: BTreeMap::new(),
            limits: Limits::default(),
            mmap_base: 0,
            brk_start: 0,
            brk: 0,
            lock_future: Locking::Unlock,
            barriers: 0,
            account: Account::default(),
            changes: Vec::new(),
            write_log: WriteLog::default(),
        };
        space.set_stack_room(space.limits.stack);
        space.changed(0, space.limit());
        Ok(space)
    }

    /// Its name for CPU backends.
    pub fn id(&self) -> SpaceId {
        SpaceId(self.window.index())
    }

    /// The end of guest addresses (`TASK_SIZE`).
    pub fn limit(&self) -> u64 {
        self.window.size().min(TASK_SIZE)
    }

    /// The host address of guest address 0, for CPU backends only. Fixed for a [`SpaceId`].
    pub fn host_base(&self) -> usize {
        self.window.base()
    }

    /// Chooses where the search for free addresses begins, as execve does by the stack limit (in bytes): below room
    /// for the stack, which ends at [`Space::limit`].
    pub fn set_stack_room(&mut self, stack_limit: u64) {
        let room = stack_limit.saturating_add(STACK_GAP).clamp(128 << 20, self.limit() / 6 * 5);
        self.mmap_base = (self.limit() - room) & !(PAGE_SIZE - 1);
    }

    /// All areas, ascending.
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        self.areas.values()
    }

    /// The area from `start` to exactly `end`, if it has a file (shared anonymous memory has one as well).
    pub fn file_between(&self, start: u64, end: u64) -> Option<&Area> {
        self.areas.get(&start).filter(|a| a.end.0 == end && a.file().is_some())
    }

    /// The area that holds the address.
    pub fn area_at(&self, addr: GuestAddr) -> Option<&Area> {
        let (_, area) = self.areas.range(..=addr.0).next_back()?;
        (addr < area.end).then_some(area)
    }

    /// Where the byte at an address is shared with others; `None` for private memory and where nothing is mapped.
    pub fn shared_place(&self, addr: GuestAddr) -> Option<SharedPlace> {
        self.area_at(addr)?.shared_place(addr)
    }

    /// Bytes mapped.
    pub fn total_mapped(&self) -> u64 {
        self.account.total
    }

    /// Bytes of private writable areas (`VmData` and what RLIMIT_DATA limits).
    pub fn data_mapped(&self) -> u64 {
        self.account.data
    }

    /// Bytes of locked areas (`VmLck`).
    pub fn locked_bytes(&self) -> u64 {
        self.account.locked
    }

    /// Whether every byte of the range is mapped. The empty range is.
    pub fn check_range(&self, addr: GuestAddr, len: u64) -> bool {
        let Some(end) = addr.checked_add(len) else { return false };
        self.mapped_until(addr, end) == end
    }

    /// The end of the mapped bytes that follow `addr` without a hole, at most `end`.
    pub(super) fn mapped_until(&self, addr: GuestAddr, end: GuestAddr) -> GuestAddr {
        let mut at = addr;
        while at < end {
            match self.area_at(at) {
                Some(area) => at = area.end,
                None => break,
            }
        }
        at.min(end)
    }

    /// The unchanged file contents that the area at an address shows, if it is executable: what a CPU backend may keep
    /// translations by. `None` if the guest can write there or has done so, or if the file is mapped shared.
    pub fn code_file(&self, addr: GuestAddr) -> Option<CodeFile> {
        let area = self.area_at(addr)?;
        let file = area.file.as_ref().filter(|_| !area.shared)?;
        if area.prot.contains(Prot::WRITE) || !area.prot.contains(Prot::EXEC) {
            return None;
        }
        let mut pristine = true;
        let unchanged = region::PageMap::open().own_pages(&self.window, area.start.0, area.len(), |_, _| {
            pristine = false;
            Ok(())
        });
        let stat = rustix::fs::fstat(&*file.fd).ok().filter(|_| pristine && unchanged.is_ok())?;
        Some(CodeFile {
            start: area.start,
            len: area.len(),
            offset: file.offset,
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: stat.st_size,
            changed: (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec),
        })
    }

    /// Why an access to the address faults. A mapped address that permits the access can only lie behind the end of
    /// its file.
    pub fn classify_fault(&self, addr: GuestAddr, access: Access) -> FaultKind {
        match self.area_at(addr) {
            None => FaultKind::Unmapped,
            Some(area) if !permits(area.prot, access) => FaultKind::Protection,
            Some(_) => FaultKind::BeyondFile,
        }
    }

    /// Whether the address is mapped in a way that permits the access.
    pub fn permits(&self, addr: GuestAddr, access: Access) -> bool {
        self.area_at(addr).is_some_and(|area| permits(area.prot, access))
    }

    /// The ranges (address, bytes) that were unmapped, mapped anew or reprotected, or whose executable bytes the kernel
    /// changed, since last asked.
    pub fn take_changes(&mut self) -> Vec<(GuestAddr, u64)> {
        std::mem::take(&mut self.changes)
    }

    /// Whether [`Space::take_changes`] has anything to tell.
    #[inline]
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Records a change for [`Space::take_changes`].
    pub(super) fn changed(&mut self, at: u64, len: u64) {
        if len == 0 {
            return;
        }
        if let Some((last, last_len)) = self.changes.last_mut()
            && last.0 <= at
            && at - last.0 <= *last_len
        {
            *last_len = (*last_len).max(at - last.0 + len);
        } else if self.changes.len() >= MAX_CHANGES {
            self.changes = vec![(GuestAddr(0), self.limit())];
        } else {
            self.changes.push((GuestAddr(at), len));
        }
    }

    /// The log of kernel writes.
    pub fn write_log(&mut self) -> &mut WriteLog {
        &mut self.write_log
    }

    /// Takes the page of a bus error that [`region::install_bus_guard`] caught in this space, and puts the file mapping
    /// back in place of the zero page that it left there.
    pub fn take_bus_error(&mut self) -> Option<GuestAddr> {
        let at = region::take_bus_error(&self.window)?;
        let page = GuestAddr(at).page();
        if let Some(area) = self.area_at(page)
            && let Some(file) = &area.file
        {
            let offset = file.offset + (page.0 - area.start.0);
            // If the host fails here the zero page stays: the guest's signal has been raised all the same.
            let _ = self.window.map_file(page.0, PAGE_SIZE, area.prot, file.fd.as_fd(), offset, sharing(area));
        }
        Some(page)
    }

    // The tree of areas. These keep the accounts; the host's mappings are the callers' business.

    pub(super) fn insert(&mut self, area: Area) {
        let add = Account::of(&area);
        self.account.total += add.total;
        self.account.data += add.data;
        self.account.locked += add.locked;
        self.areas.insert(area.start.0, area);
    }

    pub(super) fn take(&mut self, start: u64) -> Option<Area> {
        let area = self.areas.remove(&start)?;
        let sub = Account::of(&area);
        self.account.total -= sub.total;
        self.account.data -= sub.data;
        self.account.locked -= sub.locked;
        Some(area)
    }

    /// Makes `at` a border between areas if it lies inside one.
    pub(super) fn split_at(&mut self, at: u64) {
        let Some((&start, area)) = self.areas.range_mut(..at).next_back() else { return };
        if start < at && at < area.end.0 {
            let tail = area.split_off(GuestAddr(at));
            self.areas.insert(at, tail);
        }
    }

    /// Takes out all areas of the range, cutting those that reach over its ends.
    pub(super) fn cut(&mut self, start: u64, end: u64) -> Vec<Area> {
        self.split_at(start);
        self.split_at(end);
        let keys: Vec<u64> = self.areas.range(start..end).map(|(&k, _)| k).collect();
        keys.into_iter().filter_map(|k| self.take(k)).collect()
    }

    /// Changes the areas of the range, cutting those that reach over its ends, and merges what became alike.
    pub(super) fn update(&mut self, start: u64, end: u64, mut change: impl FnMut(&mut Area)) {
        for mut area in self.cut(start, end) {
            change(&mut area);
            self.insert(area);
        }
        self.merge(start, end);
    }

    /// Merges neighbours that are alike, from the area before `start` to the one at `end`.
    pub(super) fn merge(&mut self, start: u64, end: u64) {
        let first = self.areas.range(..start).next_back().map_or(start, |(&k, _)| k);
        let mut at = first;
        while at <= end {
            let Some((&key, area)) = self.areas.range(at..=end).next() else { break };
            let next_key = area.end.0;
            match self.areas.get(&next_key) {
                Some(next) if next_key <= end && area.merges_with(next) => {
                    // Both are in the tree, and the accounts do not change by a merge.
                    if let Some(next) = self.areas.remove(&next_key)
                        && let Some(area) = self.areas.get_mut(&key)
                    {
                        area.end = next.end;
                    }
                    at = key;
                }
                _ => at = next_key,
            }
        }
    }

    /// The areas that touch the range, ascending.
    pub(super) fn overlapping(&self, start: u64, end: u64) -> impl DoubleEndedIterator<Item = &Area> {
        let first = self.areas.range(..start).next_back().filter(|(_, a)| a.end.0 > start).map_or(start, |(&k, _)| k);
        self.areas.range(first..end.max(first)).map(|(_, area)| area)
    }

    /// Whether `more` bytes fit under RLIMIT_AS, and, when they are private and writable, under RLIMIT_DATA.
    pub(super) fn may_expand(&self, more: u64, data: bool) -> bool {
        let fits = |used: u64, limit: u64| used.checked_add(more).is_some_and(|sum| sum <= limit);
        fits(self.account.total, self.limits.address_space) && (!data || fits(self.account.data, self.limits.data))
    }

    /// The first area that ends behind the address: the one that holds it or else the next above.
    pub fn area_from(&self, addr: GuestAddr) -> Option<&Area> {
        self.area_at(addr).or_else(|| self.areas.range(addr.0..).next().map(|(_, area)| area))
    }

    /// Whether `more` bytes may be locked besides what is.
    pub(super) fn may_lock(&self, more: u64) -> bool {
        self.account.locked.checked_add(more).is_some_and(|sum| sum <= self.limits.locked)
    }

    /// Maps the host pages of an area as the area says, new and empty or from its file.
    pub(super) fn map_host(&self, area: &Area) -> Result<(), Errno> {
        match &area.file {
            None => self.window.map_anonymous(area.start.0, area.len(), area.prot),
            Some(f) => {
                let fd = f.fd.as_fd();
                self.window.map_file(area.start.0, area.len(), area.prot, fd, f.offset, sharing(area))
            }
        }
    }

    /// The range of whole pages that begins at `addr`, checked against the limit.
    ///
    /// # Errors
    /// EINVAL for a misaligned address, ENOMEM past the limit.
    pub(super) fn page_range(&self, addr: GuestAddr, len: u64) -> Result<(u64, u64), Errno> {
        if !addr.is_page_aligned() {
            return Err(Errno::EINVAL);
        }
        let len = page_align(len).ok_or(Errno::ENOMEM)?;
        let end = addr.0.checked_add(len).ok_or(Errno::ENOMEM)?;
        Ok((addr.0, end))
    }
}

pub(super) fn sharing(area: &Area) -> Sharing {
    match area.shared {
        true => Sharing::Shared,
        false => Sharing::Private,
    }
}

/// Whether a protection permits an access. Any permission lets pages be read, as on x86_64.
pub(super) fn permits(prot: Prot, access: Access) -> bool {
    match access {
        Access::Read => !prot.is_empty(),
        Access::Write => prot.contains(Prot::WRITE),
        Access::Execute => prot.contains(Prot::EXEC),
    }
}
