//! Memory for translated code, mapped twice: once to write it, once to run it, so that no page is ever both.

#![expect(unsafe_code, reason = "maps and writes memory for translated code")]

use std::os::fd::{AsFd, OwnedFd};

use rustix::mm::{MapFlags, ProtFlags};

use crate::Error;

/// Bytes of address space that a cache takes, which jumps of 32 bits must span. Memory is taken as code is written.
pub const SIZE: usize = 256 << 20;

/// A mapping of this process, until it is dropped.
#[derive(Debug)]
struct Mapping {
    at: *mut u8,
    len: usize,
}

const READ_WRITE: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

impl Mapping {
    /// Ordinary memory.
    fn anonymous(len: usize) -> Result<Mapping, rustix::io::Errno> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let at = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, READ_WRITE, flags) }?;
        Ok(Mapping { at: at.cast(), len })
    }

    /// The whole of the file, to be written.
    fn writable(file: &OwnedFd) -> Result<Mapping, rustix::io::Errno> {
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: as above.
        let at = unsafe { rustix::mm::mmap(std::ptr::null_mut(), SIZE, READ_WRITE, flags, file.as_fd(), 0) }?;
        Ok(Mapping { at: at.cast(), len: SIZE })
    }

    /// Shows the whole of the file, to be run, where this mapping has its last bytes. Gives its address.
    fn end_with(&self, file: &OwnedFd) -> Result<*const u8, rustix::io::Errno> {
        let run = self.at.wrapping_add(self.len - SIZE);
        let flags = MapFlags::SHARED | MapFlags::NORESERVE | MapFlags::FIXED;
        let read_run = ProtFlags::READ | ProtFlags::EXEC;
        // SAFETY: the range lies in this mapping, whose end nobody uses yet.
        unsafe { rustix::mm::mmap(run.cast(), SIZE, read_run, flags, file.as_fd(), 0) }?;
        Ok(run)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this object has made the mapping, and no code runs there once the engine that owns it is gone.
        let _ = unsafe { rustix::mm::munmap(self.at.cast(), self.len) };
    }
}

/// Code of one engine. Offsets are the same in both mappings.
#[derive(Debug)]
pub struct CodeCache {
    write: Mapping,
    /// Ordinary memory and, behind it, the code that runs.
    both: Mapping,
    run: *const u8,
    used: usize,
    /// What stands before this is never thrown away.
    fixed: usize,
    file: OwnedFd,
}

impl CodeCache {
    /// An empty cache, with so many bytes of ordinary memory, all zeros, in front of the code that runs.
    ///
    /// # Errors
    /// The host has no memory, or forbids to run what was written.
    pub fn new(data: usize) -> Result<CodeCache, Error> {
        CodeCache::map(data)
            .map_err(|e| Error::Host { what: "cannot make memory for translated code".into(), source: e.into() })
    }

    fn map(data: usize) -> Result<CodeCache, rustix::io::Errno> {
        let file = rustix::fs::memfd_create("sevm-code", rustix::fs::MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, SIZE as u64)?;
        let both = Mapping::anonymous(data.next_multiple_of(4096) + SIZE)?;
        let run = both.end_with(&file)?;
        Ok(CodeCache { write: Mapping::writable(&file)?, both, run, used: 0, fixed: 0, file })
    }

    /// The memory in front of the code.
    pub fn data(&self) -> *mut u8 {
        self.both.at
    }

    /// The address at which the next code will run.
    pub fn next(&self) -> u64 {
        self.run as u64 + self.used as u64
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Host addresses of all code but the fixed part.
    pub fn range(&self) -> std::ops::Range<u64> {
        let start = self.run as u64;
        start + self.fixed as u64..start + SIZE as u64
    }

    /// The address at which the byte at an offset runs.
    pub fn address(&self, offset: u32) -> u64 {
        self.run as u64 + u64::from(offset)
    }

    /// The offset of a running address.
    pub fn offset(&self, address: u64) -> Option<u32> {
        let offset = address.checked_sub(self.run as u64)?;
        u32::try_from(offset).ok().filter(|o| (*o as usize) < self.used)
    }

    /// Appends code, which was assembled for [`CodeCache::next`]. Gives its offset; `None` when it does not fit.
    pub fn append(&mut self, code: &[u8]) -> Option<u32> {
        let start = self.used;
        let end = start.checked_add(code.len())?;
        if end > SIZE {
            return None;
        }
        self.write(start, code);
        self.used = end.next_multiple_of(16).min(SIZE);
        Some(start as u32)
    }

    /// Writes code at an offset; the caller has checked that it fits.
    fn write(&mut self, offset: usize, code: &[u8]) {
        debug_assert!(offset + code.len() <= SIZE);
        // SAFETY: the range lies in the mapping for writing, which only this object knows; `code` is Rust's own memory.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), self.write.at.add(offset), code.len()) };
    }

    /// Overwrites 4 bytes of code that is not running.
    pub fn patch(&mut self, offset: u32, value: u32) {
        debug_assert!(offset as usize + 4 <= self.used);
        if offset as usize + 4 <= self.used {
            self.write(offset as usize, &value.to_le_bytes());
        }
    }

    /// Makes the jump whose distance stands at `site` go to `target`; both are offsets.
    pub fn patch_jump(&mut self, site: u32, target: u32) {
        self.patch(site, target.wrapping_sub(site + 4));
    }

    /// Keeps all code so far when the cache is emptied.
    pub fn fix(&mut self) {
        self.fixed = self.used;
    }

    /// Throws all code but the fixed part away, and gives its memory back.
    pub fn clear(&mut self) {
        let from = self.fixed.next_multiple_of(4096);
        let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        // If the host refuses, the memory stays and is written again.
        let _ = rustix::fs::fallocate(&self.file, flags, from as u64, (SIZE - from) as u64);
        self.used = self.fixed;
    }
}
