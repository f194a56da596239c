//! The table that translated code asks where an indirect jump goes: guest address to host address.

#![expect(unsafe_code, reason = "maps and writes memory for translated code")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::mm::{MapFlags, ProtFlags};

use crate::Error;

/// What a front end wants of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// log2 of the number of entries.
    pub bits: u32,
    /// How many of the lowest bits of a guest address have no part in choosing its entry, since they are alike in most.
    pub shift: u32,
    /// What an entry holds.
    pub entries: Entries,
}

/// What an entry holds, as translated code reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// Two words: a guest address, with which translated code compares its own, and where its code is.
    Pairs,
    /// One word: where the code is, which sees for itself whether it was meant.
    Words,
}

impl Shape {
    const fn len(self) -> usize {
        1 << self.bits
    }

    const fn words(self) -> usize {
        match self.entries {
            Entries::Pairs => 2,
            Entries::Words => 1,
        }
    }

    const fn bytes(self) -> usize {
        self.len() * self.words() * size_of::<u64>()
    }

    fn index(self, guest: u64) -> usize {
        (guest >> self.shift) as usize & (self.len() - 1)
    }
}

/// What tables are made from.
#[derive(Debug)]
pub struct Tables {
    shape: Shape,
    /// What an empty entry of one word goes to.
    miss: u64,
    /// The contents of an empty table with entries of one word.
    template: Option<OwnedFd>,
}

fn refused(source: rustix::io::Errno) -> Error {
    Error::Host { what: "cannot make a jump table".into(), source: source.into() }
}

impl Tables {
    /// For tables of this shape, where code goes on at `miss` if the entry is empty.
    pub fn new(shape: Shape, miss: u64) -> Tables {
        Tables { shape, miss, template: None }
    }

    /// An empty table.
    ///
    /// # Errors
    /// The host has no memory.
    pub fn table(&mut self) -> Result<JumpTable, Error> {
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        let (shape, flags) = (self.shape, MapFlags::PRIVATE | MapFlags::NORESERVE);
        let mapped = match shape.entries {
            // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
            Entries::Pairs => unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), shape.bytes(), prot, flags) },
            Entries::Words => {
                let template = self.template()?;
                // SAFETY: as above.
                unsafe { rustix::mm::mmap(std::ptr::null_mut(), shape.bytes(), prot, flags, template, 0) }
            }
        };
        let mapped = mapped.map_err(refused)?.cast();
        let direct = if shape.entries == Entries::Words { shape.len() } else { 0 };
        let (guests, hosts) = (vec![0; direct], vec![0; direct]);
        let mut table = JumpTable { shape, miss: self.miss, words: mapped, guests, hosts, filled: Vec::new() };
        // All others are as they should be.
        table.erase(0);
        Ok(table)
    }

    fn template(&mut self) -> Result<BorrowedFd<'_>, Error> {
        let template = match self.template.take() {
            Some(template) => template,
            None => {
                let file = rustix::fs::memfd_create("sevm-jumps", rustix::fs::MemfdFlags::CLOEXEC).map_err(refused)?;
                let contents = self.miss.to_le_bytes().repeat(self.shape.len());
                let mut rest = &contents[..];
                while !rest.is_empty() {
                    let written = rustix::io::write(&file, rest).map_err(refused)?;
                    rest = &rest[written..];
                }
                file
            }
        };
        Ok(AsFd::as_fd(&*self.template.insert(template)))
    }
}

/// One table. Its memory is taken as it is filled.
#[derive(Debug)]
pub struct JumpTable {
    shape: Shape,
    miss: u64,
    words: *mut u64,
    /// Guest addresses, and where Rust enters their code, for entries of one word; where there is none, 0.
    guests: Vec<u64>,
    hosts: Vec<u64>,
    filled: Vec<u32>,
}

impl JumpTable {
    /// Its address, for translated code.
    pub fn address(&self) -> u64 {
        self.words as u64
    }

    fn put(&mut self, word: usize, value: u64) {
        debug_assert!(word < self.shape.len() * self.shape.words());
        // SAFETY: the word is within the table by construction, and the memory belongs to this object; translated code that reads
        // it does not run now.
        unsafe { self.words.add(word).write(value) };
    }

    fn word(&self, word: usize) -> u64 {
        // SAFETY: as in `put`.
        unsafe { self.words.add(word).read() }
    }

    /// Where Rust enters the code of a guest address, if the table knows.
    pub fn get(&self, guest: u64) -> Option<u64> {
        let index = self.shape.index(guest);
        let (found, host) = match self.shape.entries {
            Entries::Pairs => (self.word(2 * index), self.word(2 * index + 1)),
            Entries::Words => (self.guests[index], self.hosts[index]),
        };
        (found == guest && host != 0).then_some(host)
    }

    /// Notes where the code of a guest address is: for Rust, and for translated code that jumps there.
    pub fn set(&mut self, guest: u64, host: u64, jumps: u64) {
        let index = self.shape.index(guest);
        match self.shape.entries {
            Entries::Pairs => {
                self.put(2 * index, guest);
                self.put(2 * index + 1, jumps);
            }
            Entries::Words => {
                self.put(index, jumps);
                (self.guests[index], self.hosts[index]) = (guest, host);
            }
        }
        self.filled.push(index as u32);
        if self.filled.len() > 2 * self.shape.len() {
            self.filled.sort_unstable();
            self.filled.dedup();
        }
    }

    /// Makes an entry one that no jump finds. (A guest may jump to any address, odd ones too.) Of a pair, the address is one that belongs to
    /// another entry; it is 0 in all but one.
    fn erase(&mut self, index: usize) {
        match self.shape.entries {
            Entries::Pairs => {
                self.put(2 * index, if index == 0 { 1 << self.shape.shift } else { 0 });
                self.put(2 * index + 1, 0);
            }
            Entries::Words => {
                self.put(index, self.miss);
                (self.guests[index], self.hosts[index]) = (0, 0);
            }
        }
    }

    /// Forgets one guest address.
    pub fn forget(&mut self, guest: u64) {
        if self.get(guest).is_some() {
            self.erase(self.shape.index(guest));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        for index in std::mem::take(&mut self.filled) {
            self.erase(index as usize);
        }
    }
}

impl Drop for JumpTable {
    fn drop(&mut self) {
        // SAFETY: mapped by `Tables`, and no translated code uses the table of a space that is gone.
        let _ = unsafe { rustix::mm::munmap(self.words.cast(), self.shape.bytes()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISS: u64 = 0x1234;

    #[test]
    fn an_empty_entry_is_found_by_no_address() {
        let shapes = [(14, 2, Entries::Pairs), (16, 0, Entries::Words)];
        for shape in shapes.map(|(bits, shift, entries)| Shape { bits, shift, entries }) {
            let mut tables = Tables::new(shape, MISS);
            let (mut table, other) = (tables.table().unwrap(), tables.table().unwrap());
            let is_empty = |table: &JumpTable, guest: u64| match shape.entries {
                Entries::Pairs => table.word(2 * shape.index(guest)) != guest,
                Entries::Words => table.word(shape.index(guest)) == MISS,
            };
            for guest in [0, 1, 2, 3, 4, 5, 8, 4 << 14, 1 << 16, u64::MAX, u64::MAX - 1, 1 << 63] {
                assert!(is_empty(&table, guest));
                table.set(guest, 0x1000, 0x2000);
                assert!(!is_empty(&table, guest) && is_empty(&other, guest));
                assert!(table.get(guest).is_some());
                table.forget(guest);
                assert!(is_empty(&table, guest) && table.get(guest).is_none());
            }
            table.set(1, 0x1000, 0x2000);
            table.clear();
            assert!(is_empty(&table, 1));
        }
    }
}
