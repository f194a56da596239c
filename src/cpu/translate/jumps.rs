//! The table that translated code asks where an indirect jump goes: guest address to host address.

#![expect(unsafe_code, reason = "maps and writes memory for translated code")]

use rustix::mm::{MapFlags, ProtFlags};

use crate::Error;

/// What a front end wants of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// log2 of the number of entries.
    pub bits: u32,
    /// How many of the lowest bits of a guest address have no part in choosing its entry, since they are alike in most.
    pub shift: u32,
    /// How guest addresses stand in entries.
    pub tag: Tag,
}

/// How guest addresses stand in entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// As they are.
    Plain,
    /// All bits inverted.
    Inverted,
}

impl Tag {
    fn of(self, guest: u64) -> u64 {
        match self {
            Tag::Plain => guest,
            Tag::Inverted => !guest,
        }
    }
}

/// One entry, as translated code reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Jump {
    /// Guest address by its [`Tag`]; one that belongs to another entry when this one is empty.
    pub guest: u64,
    /// Where its code is.
    pub host: u64,
}

/// One table. Its memory is taken as it is filled.
#[derive(Debug)]
pub struct JumpTable {
    entries: Entries,
    filled: Vec<u32>,
}

/// The entries of a table that lives.
#[derive(Clone, Copy, Debug)]
pub struct Entries {
    shape: Shape,
    at: *mut Jump,
}

impl Shape {
    const fn len(self) -> usize {
        1 << self.bits
    }

    const fn bytes(self) -> usize {
        self.len() * size_of::<Jump>()
    }

    fn index(self, guest: u64) -> u32 {
        (guest >> self.shift) as u32 & (self.len() as u32 - 1)
    }

    /// An entry that no jump finds, since the address in it belongs to another one. (A guest may jump to any address, odd ones
    /// too.) It is zero but at one index.
    fn empty(self, index: u32) -> Jump {
        let of_zero = self.tag.of(0);
        let guest = if self.index(of_zero) == index { self.tag.of(of_zero ^ 1 << self.shift) } else { 0 };
        Jump { guest, host: 0 }
    }
}

impl JumpTable {
    /// An empty table.
    ///
    /// # Errors
    /// The host has no memory.
    pub fn new(shape: Shape) -> Result<JumpTable, Error> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let memory = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), shape.bytes(), prot, flags) };
        let memory = memory.map_err(|e| Error::Host { what: "cannot make a jump table".into(), source: e.into() })?;
        let mut table = JumpTable { entries: Entries { shape, at: memory.cast() }, filled: Vec::new() };
        // All others begin as zeros, which is what they are to be.
        let special = shape.index(shape.tag.of(0));
        table.put(special, shape.empty(special));
        Ok(table)
    }

    /// Its address, for translated code.
    pub fn address(&self) -> u64 {
        self.entries.at as u64
    }

    /// For [`Entries::get`].
    pub fn entries(&self) -> Entries {
        self.entries
    }

    fn put(&mut self, index: u32, jump: Jump) {
        // SAFETY: `index` is within the table by construction, and the memory belongs to this object; translated code that reads
        // it does not run now.
        unsafe { self.entries.at.add(index as usize).write(jump) };
    }

    /// Where the code of a guest address is, if the table knows.
    pub fn get(&self, guest: u64) -> Option<u64> {
        // SAFETY: the table is there.
        unsafe { self.entries.get(guest) }
    }

    /// Notes where the code of a guest address is.
    pub fn set(&mut self, guest: u64, host: u64) {
        let shape = self.entries.shape;
        let index = shape.index(guest);
        self.put(index, Jump { guest: shape.tag.of(guest), host });
        self.filled.push(index);
        if self.filled.len() > 2 * shape.len() {
            self.filled.sort_unstable();
            self.filled.dedup();
        }
    }

    /// Forgets one guest address.
    pub fn forget(&mut self, guest: u64) {
        if self.get(guest).is_some() {
            let index = self.entries.shape.index(guest);
            self.put(index, self.entries.shape.empty(index));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        for index in std::mem::take(&mut self.filled) {
            self.put(index, self.entries.shape.empty(index));
        }
    }
}

impl Entries {
    /// [`JumpTable::get`].
    ///
    /// # Safety
    /// The table lives, and no translated code runs.
    #[inline]
    pub unsafe fn get(self, guest: u64) -> Option<u64> {
        // SAFETY: the index is within the table by construction, and the caller vouches for the table.
        let jump = unsafe { self.at.add(self.shape.index(guest) as usize).read() };
        (jump.guest == self.shape.tag.of(guest) && jump.host != 0).then_some(jump.host)
    }
}

impl Drop for JumpTable {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no translated code uses the table of a space that is gone.
        let _ = unsafe { rustix::mm::munmap(self.entries.at.cast(), self.entries.shape.bytes()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_entry_is_found_by_no_address() {
        for shape in [Shape { bits: 14, shift: 2, tag: Tag::Plain }, Shape { bits: 16, shift: 0, tag: Tag::Inverted }] {
            let mut table = JumpTable::new(shape).unwrap();
            let entry = |table: &JumpTable, guest: u64| {
                // SAFETY: the index is within the table, and nobody writes now.
                unsafe { table.entries.at.add(shape.index(guest) as usize).read() }
            };
            for guest in [0, 1, 2, 3, 4, 5, 8, 4 << 14, 1 << 16, u64::MAX, u64::MAX - 1, 1 << 63] {
                assert_ne!(entry(&table, guest).guest, shape.tag.of(guest));
                table.set(guest, 0x1000);
                assert_eq!(table.get(guest), Some(0x1000));
                table.forget(guest);
                assert_ne!(entry(&table, guest).guest, shape.tag.of(guest));
            }
            table.set(1, 0x1000);
            table.clear();
            assert_ne!(entry(&table, 1).guest, shape.tag.of(1));
        }
    }
}
