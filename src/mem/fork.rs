//! Copies of whole address spaces, for fork(2).

use super::remap::copy_own_pages;
use super::space::Space;
use crate::Error;
use crate::abi::Errno;

impl Space {
    /// A copy for a new process: private memory has the same bytes, shared memory is the same memory. Locks are not
    /// inherited, and `MADV_DONTFORK` and `MADV_WIPEONFORK` are honoured. Only pages that were written are copied.
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
        for area in self.areas.values().filter(|area| !area.dont_fork) {
            let mut copy = area.clone();
            copy.locked = false;
            child.map_host(&copy).map_err(host_error)?;
            if !area.shared && !area.wipe_on_fork {
                copy_own_pages(self, area, &child, &copy).map_err(host_error)?;
            }
            child.insert(copy);
        }
        Ok(child)
    }
}

fn host_error(e: Errno) -> Error {
    Error::Host {
        what: "cannot copy a guest's memory".into(),
        source: std::io::Error::from_raw_os_error(i32::from(e.0)),
    }
}
