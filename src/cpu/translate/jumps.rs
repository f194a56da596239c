//! The table that translated code asks where an indirect jump goes: guest address to host address.

#![expect(unsafe_code, reason = "maps and writes memory for translated code")]

use rustix::mm::{MapFlags, ProtFlags};

use crate::Error;

/// log2 of the number of entries.
pub const BITS: u32 = 14;

/// One entry, as translated code reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Jump {
    /// Guest address; one that belongs to another entry when this one is empty.
    pub guest: u64,
    /// Where its code is.
    pub host: u64,
}

/// One table. Its memory is taken as it is filled.
#[derive(Debug)]
pub struct JumpTable {
    entries: *mut Jump,
    filled: Vec<u32>,
}

const LEN: usize = 1 << BITS;
const BYTES: usize = LEN * size_of::<Jump>();

/// An entry that no jump finds, since the address in it belongs to another one. (A guest may jump to any address, odd ones
/// too.)
const fn empty(index: u32) -> Jump {
    Jump { guest: if index == 0 { 4 } else { 0 }, host: 0 }
}

impl JumpTable {
    /// An empty table.
    ///
    /// # Errors
    /// The host has no memory.
    pub fn new() -> Result<JumpTable, Error> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let memory = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), BYTES, prot, flags) };
        let memory = memory.map_err(|e| Error::Host { what: "cannot make a jump table".into(), source: e.into() })?;
        let mut table = JumpTable { entries: memory.cast(), filled: Vec::new() };
        // All others begin as zeros, which is what they are to be.
        table.put(0, empty(0));
        Ok(table)
    }

    /// Its address, for translated code.
    pub fn address(&self) -> u64 {
        self.entries as u64
    }

    fn index(guest: u64) -> u32 {
        (guest >> 2) as u32 & (LEN as u32 - 1)
    }

    fn put(&mut self, index: u32, jump: Jump) {
        // SAFETY: `index` is below `LEN` by construction, and the memory belongs to this object; translated code that reads it
        // does not run now.
        unsafe { self.entries.add(index as usize).write(jump) };
    }

    /// Where the code of a guest address is, if the table knows.
    pub fn get(&self, guest: u64) -> Option<u64> {
        // SAFETY: as in `put`.
        let jump = unsafe { self.entries.add(Self::index(guest) as usize).read() };
        (jump.guest == guest && jump.host != 0).then_some(jump.host)
    }

    /// Notes where the code of a guest address is.
    pub fn set(&mut self, guest: u64, host: u64) {
        let index = Self::index(guest);
        self.put(index, Jump { guest, host });
        self.filled.push(index);
        if self.filled.len() > LEN {
            self.filled.sort_unstable();
            self.filled.dedup();
        }
    }

    /// Forgets one guest address.
    pub fn forget(&mut self, guest: u64) {
        if self.get(guest).is_some() {
            let index = Self::index(guest);
            self.put(index, empty(index));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        for index in std::mem::take(&mut self.filled) {
            self.put(index, empty(index));
        }
    }
}

impl Drop for JumpTable {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no translated code uses the table of a space that is gone.
        let _ = unsafe { rustix::mm::munmap(self.entries.cast(), BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_entry_is_found_by_no_address() {
        let mut table = JumpTable::new().unwrap();
        let entry = |table: &JumpTable, guest: u64| {
            // SAFETY: `index` is below `LEN`, and nobody writes now.
            unsafe { table.entries.add(JumpTable::index(guest) as usize).read() }
        };
        for guest in [0, 1, 2, 3, 4, 5, 8, 4 << BITS, u64::MAX, 1 << 63] {
            assert_ne!(entry(&table, guest).guest, guest);
            table.set(guest, 0x1000);
            assert_eq!(table.get(guest), Some(0x1000));
            table.forget(guest);
            assert_ne!(entry(&table, guest).guest, guest);
        }
        table.set(1, 0x1000);
        table.clear();
        assert_ne!(entry(&table, 1).guest, 1);
    }
}
