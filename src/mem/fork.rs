//! Copies of whole address spaces, for fork(2) and for comparing CPUs.

use std::collections::BTreeSet;

use super::area::Area;
use super::region::PageMap;
use super::remap::copy_own_run;
use super::space::Space;
use super::{GuestAddr, PAGE_SIZE, Prot, lazy};
use crate::Error;
use crate::abi::Errno;

impl Space {
    /// A copy for a new process: private memory has the same bytes, shared memory is the same memory. Locks are not
    /// inherited, and `MADV_DONTFORK` and `MADV_WIPEONFORK` are honoured. Only pages that were written are copied; large runs
    /// of them later, in parts, when one side touches them (`lazy.rs`).
    ///
    /// # Errors
    /// The host has no room or memory for another address space.
    pub fn fork(&self) -> Result<Space, Error> {
        let mut child = Space::new(self.window.pool())?;
        child.limits = self.limits;
        child.mmap_base = self.mmap_base;
        child.brk_start = self.brk_start;
        child.brk = self.brk;
        child.barriers = self.barriers;
        let pages = PageMap::open();
        for area in self.areas.values().filter(|area| !area.dont_fork) {
            let mut copy = area.clone();
            copy.locked = false;
            child.map_host(&copy).map_err(host_error)?;
            if !area.shared && !area.wipe_on_fork {
                self.copy_private(area, &child, &pages).map_err(host_error)?;
            }
            child.insert(copy);
        }
        Ok(child)
    }

    /// Copies the pages of a private area that hold bytes of their own, or puts that off.
    fn copy_private(&self, area: &Area, child: &Space, pages: &PageMap) -> Result<(), Errno> {
        let (start, len) = (area.start.0, area.len());
        let (here, there) = (self.window.base(), child.window.base());
        let host = |base: usize, at: u64| base + at as usize;
        let refused = |_| Errno::ENOMEM;
        if !lazy::is_idle() {
            lazy::inherit(host(here, start)..host(here, start + len), host(there, start)).map_err(refused)?;
        }
        let can_wait = area.is_private_anonymous() && area.prot.contains(Prot::READ | Prot::WRITE);
        let from = self.window.pool().lazy_from();
        pages.own_pages(&self.window, start, len, |at, run| {
            let later = can_wait
                && run >= from
                && lazy::put_off(host(here, at), host(there, at), run as usize, area.prot).is_ok();
            if later { Ok(()) } else { copy_own_run(self, area, child, area, at, run) }
        })
    }
}

/// Pages of a private area that hold bytes of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnPages {
    /// All of them.
    pub count: u64,
    /// Those that fork(2) left in common with another process and that neither has changed since, as far as their bytes
    /// tell.
    pub common: u64,
}

impl Space {
    /// Counts the pages of a private area that hold bytes of their own. `relatives` are the spaces that this one was
    /// forked from, or that were forked from it.
    pub fn own_pages(&self, area: &Area, relatives: &[&Space]) -> OwnPages {
        let (start, len) = (area.start.0, area.len());
        let waiting = |space: &Space| {
            let first = space.window.base() + start as usize;
            let mut parts = lazy::in_common(&(first..first + len as usize));
            parts.iter_mut().for_each(|part| *part = part.start - first..part.end - first);
            parts
        };
        let own = waiting(self);
        let waited: u64 = own.iter().map(|part| part.len() as u64 / PAGE_SIZE).sum();
        let mut pages = OwnPages { count: waited, common: waited };
        let others: Vec<_> = relatives.iter().map(|space| (*space, waiting(space))).collect();
        let here = self.own_page_set(start, len);
        let mut candidates = here.clone();
        // Pages of zeros were not copied.
        others.iter().for_each(|(other, _)| candidates.extend(other.own_page_set(start, len)));
        for page in candidates.into_iter().filter(|page| !is_in(&own, page - start)) {
            let is_common = others.iter().any(|(other, waits)| {
                // A look at what it still has to fetch would fetch it.
                !is_in(waits, page - start) && self.has_same_private_page(other, GuestAddr(page))
            });
            pages.count += u64::from(is_common || here.contains(&page));
            pages.common += u64::from(is_common);
        }
        pages
    }

    /// The pages of a range that hold bytes of their own.
    fn own_page_set(&self, start: u64, len: u64) -> BTreeSet<u64> {
        let mut pages = BTreeSet::new();
        let Ok(resident) = self.window.resident(start, len) else { return pages };
        // Without a page map every page may be one.
        let is_there = |page: &u64| resident.get(((page - start) / PAGE_SIZE) as usize).is_some_and(|p| p & 1 != 0);
        let note = |at: u64, run: u64| {
            pages.extend((at..at + run).step_by(PAGE_SIZE as usize).filter(is_there));
            Ok(())
        };
        // `note` never fails.
        let _ = PageMap::open().own_pages(&self.window, start, len, note);
        pages
    }

    fn has_same_private_page(&self, other: &Space, page: GuestAddr) -> bool {
        let (mut here, mut there) = ([0u8; PAGE_SIZE as usize], [0u8; PAGE_SIZE as usize]);
        other.area_at(page).is_some_and(|area| !area.shared)
            && self.read_partial(page, &mut here) == here.len()
            && other.read_partial(page, &mut there) == there.len()
            && here == there
    }
}

/// Whether one of these parts, which are ascending and apart, holds `at`.
fn is_in(parts: &[std::ops::Range<usize>], at: u64) -> bool {
    let at = at as usize;
    let next = parts.partition_point(|part| part.end <= at);
    parts.get(next).is_some_and(|part| part.start <= at)
}

fn host_error(e: Errno) -> Error {
    Error::Host {
        what: "cannot copy a guest's memory".into(),
        source: std::io::Error::from_raw_os_error(i32::from(e.0)),
    }
}

/// For a CPU that checks another one on a copy of its memory.
impl Space {
    /// A copy in which all memory is private, shared memory included, so that what runs there is seen by nobody.
    ///
    /// # Errors
    /// The host has no room or memory for another address space.
    pub fn twin(&self) -> Result<Space, Error> {
        let mut twin = Space::new(self.window.pool())?;
        twin.limits = self.limits;
        let pages = PageMap::open();
        for area in self.areas.values() {
            let mut copy = area.clone();
            (copy.locked, copy.sealed) = (false, false);
            if area.shared {
                (copy.shared, copy.file, copy.may_write) = (false, None, true);
            }
            twin.map_host(&copy).map_err(host_error)?;
            if !area.shared {
                self.copy_private(area, &twin, &pages).map_err(host_error)?;
            }
            twin.insert(copy);
        }
        for page in self.differing_pages(&twin) {
            twin.copy_page(self, page);
        }
        Ok(twin)
    }

    /// The pages whose bytes differ from those of a twin, ascending. Pages that nobody can read are not looked at.
    pub fn differing_pages(&self, twin: &Space) -> Vec<GuestAddr> {
        let map = PageMap::open();
        let mut candidates = BTreeSet::new();
        for area in self.areas.values().filter(|area| !area.prot.is_empty()) {
            let (start, len) = (area.start.0, area.len());
            let mut note = |at: u64, run: u64| {
                candidates.extend((at..at + run).step_by(PAGE_SIZE as usize));
                Ok(())
            };
            // `note` never fails.
            let _ = match area.shared {
                true => note(start, len),
                false => map.own_pages(&self.window, start, len, &mut note),
            };
            let _ = map.own_pages(&twin.window, start, len, &mut note);
        }
        let (mut here, mut there) = ([0u8; PAGE_SIZE as usize], [0u8; PAGE_SIZE as usize]);
        let differs = |page: &u64| {
            let read = self.read_partial(GuestAddr(*page), &mut here);
            twin.read_partial(GuestAddr(*page), &mut there);
            // What lies behind the end of a file cannot be compared.
            here[..read] != there[..read]
        };
        candidates.into_iter().filter(differs).map(GuestAddr).collect()
    }

    /// Copies one page from the space that this one is a twin of.
    pub fn copy_page(&mut self, from: &Space, page: GuestAddr) {
        let mut bytes = [0u8; PAGE_SIZE as usize];
        let read = from.read_partial(page, &mut bytes);
        // It can be read there, so it is mapped here.
        let _ = self.poke(page, &bytes[..read]);
    }
}
