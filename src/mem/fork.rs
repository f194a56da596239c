//! Copies of whole address spaces, for fork(2).

use super::area::Area;
use super::region::PageMap;
use super::remap::copy_own_run;
use super::space::Space;
use super::{Prot, lazy};
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

fn host_error(e: Errno) -> Error {
    Error::Host {
        what: "cannot copy a guest's memory".into(),
        source: std::io::Error::from_raw_os_error(i32::from(e.0)),
    }
}
