//! Memory for translated code, mapped twice: once to write it, once to run it, so that no page is ever both.

#![expect(unsafe_code, reason = "maps and writes memory for translated code")]

use std::os::fd::{AsFd, OwnedFd};

use rustix::mm::{MapFlags, ProtFlags};

use crate::Error;

/// Bytes of address space that a cache takes, which jumps of 32 bits must span. Memory is taken as code is written.
pub const SIZE: usize = 256 << 20;

/// Code of one engine. Offsets are the same in both mappings.
#[derive(Debug)]
pub struct CodeCache {
    write: *mut u8,
    run: *const u8,
    /// Bytes of ordinary memory right in front of `run`.
    data: usize,
    used: usize,
    /// What stands before this is never thrown away.
    fixed: usize,
    file: OwnedFd,
}

fn host(what: &str, source: rustix::io::Errno) -> Error {
    Error::Host { what: what.into(), source: source.into() }
}

impl CodeCache {
    /// An empty cache, with so many bytes of ordinary memory, all zeros, in front of the code that runs.
    ///
    /// # Errors
    /// The host has no memory, or forbids to run what was written.
    pub fn new(data: usize) -> Result<CodeCache, Error> {
        let what = "cannot make memory for translated code";
        let file = rustix::fs::memfd_create("sevm-code", rustix::fs::MemfdFlags::CLOEXEC).map_err(|e| host(what, e))?;
        rustix::fs::ftruncate(&file, SIZE as u64).map_err(|e| host(what, e))?;
        let data = data.next_multiple_of(4096);
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        let (read_write, read_run) = (ProtFlags::READ | ProtFlags::WRITE, ProtFlags::READ | ProtFlags::EXEC);
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let write = unsafe { rustix::mm::mmap(std::ptr::null_mut(), SIZE, read_write, flags, file.as_fd(), 0) };
        let write = write.map_err(|e| host(what, e))?;
        let anonymous = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: as above.
        let both = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), data + SIZE, read_write, anonymous) };
        let run = both.and_then(|both| {
            let run = both.cast::<u8>().wrapping_add(data);
            let flags = flags | MapFlags::FIXED;
            // SAFETY: the range is the end of the mapping just made, which nobody knows of.
            match unsafe { rustix::mm::mmap(run.cast(), SIZE, read_run, flags, file.as_fd(), 0) } {
                Ok(_) => Ok(run.cast_const()),
                Err(e) => {
                    // SAFETY: as above.
                    let _ = unsafe { rustix::mm::munmap(both, data + SIZE) };
                    Err(e)
                }
            }
        });
        match run {
            Ok(run) => Ok(CodeCache { write: write.cast(), run, data, used: 0, fixed: 0, file }),
            Err(e) => {
                // SAFETY: made above, and nobody knows of it.
                let _ = unsafe { rustix::mm::munmap(write, SIZE) };
                Err(host(what, e))
            }
        }
    }

    /// The memory in front of the code.
    pub fn data(&self) -> *mut u8 {
        self.run.cast_mut().wrapping_sub(self.data)
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
        // SAFETY: the range lies in the mapping for writing, which only this object knows; `code` is Rust's own memory.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), self.write.add(start), code.len()) };
        self.used = end.next_multiple_of(16).min(SIZE);
        Some(start as u32)
    }

    /// Overwrites 4 bytes of code that is not running.
    pub fn patch(&mut self, offset: u32, value: u32) {
        debug_assert!(offset as usize + 4 <= self.used);
        if offset as usize + 4 <= self.used {
            // SAFETY: in the range in use, as just checked.
            unsafe { self.write.add(offset as usize).cast::<u32>().write_unaligned(value) };
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

impl Drop for CodeCache {
    fn drop(&mut self) {
        // SAFETY: both ranges were mapped by `new`, and no code runs there once the engine that owns this is gone.
        unsafe {
            let _ = rustix::mm::munmap(self.write.cast(), SIZE);
            let _ = rustix::mm::munmap(self.data().cast(), self.data + SIZE);
        }
    }
}
