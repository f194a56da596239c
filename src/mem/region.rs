//! Host memory behind guest memory: reserved windows of address space and what is mapped into them.
//!
//! This is the only file of `mem/` with `unsafe` code. What makes it sound:
//! - a [`Window`] owns a range of host addresses from its reservation until its [`Windows`] is gone; every mapping call
//!   here uses `MAP_FIXED` inside that range (checked by [`Window::host`]), so nothing else of the process is touched;
//! - the range never has holes: what is unmapped is replaced by inaccessible pages in the same call;
//! - no reference into a window is ever made: bytes are moved by raw copies or by the host's kernel.

#![expect(unsafe_code, reason = "maps host memory and copies to and from raw addresses")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::fs::File;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::mm::{Advice, MapFlags, MprotectFlags, MremapFlags, MsyncFlags, ProtFlags};

use super::lazy::{self, Missing, Refused};
use super::{PAGE_SIZE, Prot};
use crate::Error;
use crate::abi::Errno;

/// Inaccessible bytes kept before and after each window.
const GUARD: usize = 1 << 20;

/// A window takes at least so many bytes of host addresses; what is more than its size is inaccessible. CPU backends that
/// cut guest addresses off need not cut more than this.
const LEAST_RESERVED: usize = 1 << 39;

/// Windows start at a multiple of this, so that the host can back aligned guest memory with huge pages.
const ALIGN: usize = 2 << 20;

/// Below this a copy at once is cheaper than two changes of protection and a fault.
const LAZY_FROM: u64 = 128 << 10;

/// The source of windows: equal ranges of reserved host addresses, one for each address space.
#[derive(Clone, Debug)]
pub struct Windows(Rc<Pool>);

#[derive(Debug)]
struct Pool {
    size: u64,
    state: RefCell<PoolState>,
    /// Runs of at least this many bytes are copied late at fork.
    lazy_from: Cell<u64>,
}

#[derive(Debug, Default)]
struct PoolState {
    /// Host base by window index. A reservation stays until the pool is dropped, so a base is fixed for its index.
    bases: Vec<usize>,
    free: BTreeSet<u32>,
}

impl Windows {
    /// The smallest and the largest number of address bits that a window may have.
    pub const BITS: std::ops::RangeInclusive<u32> = 28..=46;

    /// Prepares windows of 2^`address_bits` bytes each. Nothing is reserved until a space is made.
    ///
    /// # Errors
    /// `address_bits` is out of [`Self::BITS`].
    pub fn new(address_bits: u32) -> Result<Windows, Error> {
        if !Self::BITS.contains(&address_bits) {
            let (low, high) = (Self::BITS.start(), Self::BITS.end());
            return Err(Error::Usage(format!("address bits must be {low} to {high}, not {address_bits}")));
        }
        Ok(Windows(Rc::new(Pool {
            size: 1 << address_bits,
            state: RefCell::default(),
            lazy_from: Cell::new(LAZY_FROM),
        })))
    }

    /// Runs of at least so many bytes of written memory are copied late at fork, when they are touched.
    pub fn set_lazy_from(&self, bytes: u64) {
        self.0.lazy_from.set(bytes);
    }

    pub(super) fn lazy_from(&self) -> u64 {
        self.0.lazy_from.get()
    }

    /// Bytes of each window.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// Takes the free window with the lowest index; reserves a new one when there is none.
    pub(super) fn take(&self) -> Result<Window, Error> {
        let mut state = self.0.state.borrow_mut();
        if let Some(index) = state.free.pop_first() {
            let base = state.bases[index as usize];
            return Ok(Window { base, index, pool: self.clone() });
        }
        let base = reserve(self.0.size as usize)?;
        let index = state.bases.len() as u32;
        state.bases.push(base);
        Ok(Window { base, index, pool: self.clone() })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for &base in &self.state.get_mut().bases {
            registry_remove(base);
            let total = (self.size as usize).max(LEAST_RESERVED) + 2 * GUARD;
            // SAFETY: `reserve` made this range, guards included, and no window can be left: each holds the pool.
            let _ = unsafe { rustix::mm::munmap((base - GUARD) as *mut c_void, total) };
        }
    }
}

/// Reserves `size` inaccessible bytes between two guards; gives the address of the first byte after the lower guard.
fn reserve(size: usize) -> Result<usize, Error> {
    let host_error = |e: rustix::io::Errno| Error::Host {
        what: format!("cannot reserve {size:#x} bytes of address space for a guest"),
        source: e.into(),
    };
    let room = size.max(LEAST_RESERVED);
    let total = room + 2 * GUARD + ALIGN;
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let start = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), total, ProtFlags::empty(), flags) }
        .map_err(host_error)? as usize;
    let base = (start + GUARD).next_multiple_of(ALIGN);
    let (low, high) = (base - GUARD, base + room + GUARD);
    for (from, to) in [(start, low), (high, start + total)] {
        if to > from {
            // SAFETY: part of the mapping made above, and not of the range that is kept.
            let _ = unsafe { rustix::mm::munmap(from as *mut c_void, to - from) };
        }
    }
    if !registry_add(base, size) {
        // SAFETY: the rest of the mapping made above; nobody else knows of it.
        let _ = unsafe { rustix::mm::munmap(low as *mut c_void, high - low) };
        return Err(host_error(rustix::io::Errno::NOMEM));
    }
    Ok(base)
}

/// Whether a file mapping writes through to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Stores go to a copy.
    Private,
    /// Stores go to the file and to all its other mappings.
    Shared,
}

/// One reserved range of host addresses. Offsets into it are guest addresses.
///
/// The methods work on whole pages inside the window; a range that is not inside fails with `ENOMEM`.
#[derive(Debug)]
pub(super) struct Window {
    base: usize,
    index: u32,
    pool: Windows,
}

impl Drop for Window {
    fn drop(&mut self) {
        let departed = lazy::depart(self.base..self.base + self.size() as usize).is_ok();
        // If the host cannot clear the range, its index is retired with it: a later space must not see these bytes.
        if departed && self.clear(0, self.size()).is_ok() {
            self.pool.0.state.borrow_mut().free.insert(self.index);
        }
    }
}

impl Window {
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn base(&self) -> usize {
        self.base
    }

    pub(super) fn size(&self) -> u64 {
        self.pool.0.size
    }

    pub(super) fn pool(&self) -> &Windows {
        &self.pool
    }

    /// The host address of a range that lies in the window.
    fn host(&self, at: u64, len: u64) -> Result<*mut c_void, Errno> {
        match at.checked_add(len) {
            Some(end) if end <= self.size() => Ok((self.base + at as usize) as *mut c_void),
            _ => Err(Errno::ENOMEM),
        }
    }

    /// The host addresses of a range.
    fn range(&self, at: u64, len: u64) -> std::ops::Range<usize> {
        let start = self.base.saturating_add(at as usize);
        start..start.saturating_add(len as usize)
    }

    /// Makes the range ordinary memory, if fork has put off copies of it.
    ///
    /// # Errors
    /// `ENOMEM`: the host refused a copy.
    pub(super) fn settle(&self, at: u64, len: u64, missing: Missing) -> Result<(), Errno> {
        lazy::settle(self.range(at, len), missing).map_err(|_| Errno::ENOMEM)
    }

    /// Makes the range readable, if fork has put off copies of it.
    ///
    /// # Errors
    /// `ENOMEM`: the host refused a copy.
    pub(super) fn settle_for_reading(&self, at: u64, len: u64) -> Result<(), Errno> {
        lazy::settle_for_reading(self.range(at, len)).map_err(|_| Errno::ENOMEM)
    }

    /// Makes the range inaccessible and empty.
    pub(super) fn clear(&self, at: u64, len: u64) -> Result<(), Errno> {
        let mapped = self.map_anonymous(at, len, Prot::empty());
        if mapped == Err(Errno::ENOMEM) {
            // The host has no mapping to spare. Closing and emptying the present ones takes none.
            self.protect(at, len, Prot::empty())?;
            return self.advise(at, len, Advice::LinuxDontNeed);
        }
        mapped
    }

    /// Maps private zero pages over the range.
    pub(super) fn map_anonymous(&self, at: u64, len: u64, prot: Prot) -> Result<(), Errno> {
        let host = self.host(at, len)?;
        self.settle(at, len, Missing::Drop)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
        // SAFETY: the range lies in this window, which nothing of ours references.
        unsafe { rustix::mm::mmap_anonymous(host, len as usize, host_prot(prot), flags) }.map_err(errno)?;
        Ok(())
    }

    /// Maps a file over the range.
    pub(super) fn map_file(
        &self,
        at: u64,
        len: u64,
        prot: Prot,
        fd: BorrowedFd<'_>,
        offset: u64,
        sharing: Sharing,
    ) -> Result<(), Errno> {
        let host = self.host(at, len)?;
        self.settle(at, len, Missing::Drop)?;
        let kind = match sharing {
            Sharing::Private => MapFlags::PRIVATE,
            Sharing::Shared => MapFlags::SHARED,
        };
        let flags = kind | MapFlags::NORESERVE | MapFlags::FIXED;
        // SAFETY: as in `map_anonymous`.
        unsafe { rustix::mm::mmap(host, len as usize, host_prot(prot), flags, fd, offset) }.map_err(errno)?;
        Ok(())
    }

    /// Changes the protection of mapped pages.
    pub(super) fn protect(&self, at: u64, len: u64, prot: Prot) -> Result<(), Errno> {
        let host = self.host(at, len)?;
        self.settle(at, len, Missing::Fetch)?;
        let flags = MprotectFlags::from_bits_retain(host_prot(prot).bits());
        // SAFETY: the range lies in this window; raw copies check the areas before each access.
        unsafe { rustix::mm::mprotect(host, len as usize, flags) }.map_err(errno)
    }

    /// Moves the pages of one private range to another that does not overlap it, leaving empty pages of the same kind
    /// behind. Fails when the range is not one mapping of the host's or the host cannot do it; both ranges then have
    /// unspecified contents only in `to`.
    pub(super) fn relocate(&self, from: u64, to: u64, len: u64) -> Result<(), Errno> {
        let (source, target) = (self.host(from, len)?, self.host(to, len)?);
        self.settle(from, len, Missing::Fetch)?;
        self.settle(to, len, Missing::Drop)?;
        let len = len as usize;
        let flags = MremapFlags::MAYMOVE | MremapFlags::DONTUNMAP;
        // SAFETY: both ranges lie in this window, and DONTUNMAP leaves the source mapped, so no hole appears.
        unsafe { rustix::mm::mremap_fixed(source, len, len, flags, target) }.map_err(errno)?;
        Ok(())
    }

    /// Passes advice about mapped pages to the host.
    pub(super) fn advise(&self, at: u64, len: u64, advice: Advice) -> Result<(), Errno> {
        let host = self.host(at, len)?;
        self.settle(at, len, Missing::Fetch)?;
        // SAFETY: the range lies in this window; advice changes at most the contents of its pages.
        unsafe { rustix::mm::madvise(host, len as usize, advice) }.map_err(errno)
    }

    /// Writes changed pages of shared file mappings back.
    pub(super) fn sync(&self, at: u64, len: u64, flags: MsyncFlags) -> Result<(), Errno> {
        let host = self.host(at, len)?;
        // SAFETY: the range lies in this window, and syncing changes no memory.
        unsafe { rustix::mm::msync(host, len as usize, flags) }.map_err(errno)
    }

    /// One byte for each page of a mapped range; its lowest bit tells whether the page is in memory.
    pub(super) fn resident(&self, at: u64, len: u64) -> Result<Vec<u8>, Errno> {
        let host = self.host(at, len)?;
        let mut pages = vec![0u8; len.div_ceil(PAGE_SIZE) as usize];
        // SAFETY: `pages` has a byte for each page of the range, which is all that the call writes.
        match unsafe { libc::mincore(host, len as usize, pages.as_mut_ptr()) } {
            0 => Ok(pages),
            _ => Err(last_errno()),
        }
    }

    /// Copies from pages that the caller knows to be readable and not of a file.
    pub(super) fn read_plain(&self, at: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let host = self.host(at, buf.len() as u64).map_err(|_| Errno::EFAULT)?;
        self.settle_for_reading(at, buf.len() as u64)?;
        // SAFETY: the source lies in this window and `buf` does not, since it is Rust's own memory; both hold
        // `buf.len()` bytes. If the caller is wrong about the protection the process dies of SIGSEGV.
        unsafe { std::ptr::copy_nonoverlapping(host.cast::<u8>(), buf.as_mut_ptr(), buf.len()) };
        Ok(())
    }

    /// Copies to pages that the caller knows to be writable and not of a file.
    pub(super) fn write_plain(&self, at: u64, buf: &[u8]) -> Result<(), Errno> {
        let host = self.host(at, buf.len() as u64).map_err(|_| Errno::EFAULT)?;
        self.settle(at, buf.len() as u64, Missing::Fetch)?;
        // SAFETY: as in `read_plain`, in the other direction.
        unsafe { std::ptr::copy_nonoverlapping(buf.as_ptr(), host.cast::<u8>(), buf.len()) };
        Ok(())
    }

    /// Copies from pages that may have no file behind them (any more); gives the number of bytes copied.
    pub(super) fn read_guarded(&self, at: u64, buf: &mut [u8]) -> usize {
        if self.settle_for_reading(at, buf.len() as u64).is_err() {
            return 0;
        }
        let mut done = 0;
        while done < buf.len() {
            let rest = &mut buf[done..];
            let Ok(host) = self.host(at + done as u64, rest.len() as u64) else { break };
            let ours = libc::iovec { iov_base: rest.as_mut_ptr().cast(), iov_len: rest.len() };
            let theirs = libc::iovec { iov_base: host, iov_len: rest.len() };
            // SAFETY: the call writes to `rest` only; a bad source page makes it fall short instead of faulting.
            let n = unsafe { libc::process_vm_readv(std::process::id() as libc::pid_t, &ours, 1, &theirs, 1, 0) };
            match usize::try_from(n) {
                Ok(n) if n > 0 => done += n,
                _ => break,
            }
        }
        done
    }

    /// Copies to pages that may have no file behind them (any more); gives the number of bytes copied.
    pub(super) fn write_guarded(&self, at: u64, buf: &[u8]) -> usize {
        if self.settle(at, buf.len() as u64, Missing::Fetch).is_err() {
            return 0;
        }
        let mut done = 0;
        while done < buf.len() {
            let rest = &buf[done..];
            let Ok(host) = self.host(at + done as u64, rest.len() as u64) else { break };
            let ours = libc::iovec { iov_base: rest.as_ptr().cast_mut().cast(), iov_len: rest.len() };
            let theirs = libc::iovec { iov_base: host, iov_len: rest.len() };
            // SAFETY: the call writes to the range in this window only, and only where its pages are writable.
            let n = unsafe { libc::process_vm_writev(std::process::id() as libc::pid_t, &ours, 1, &theirs, 1, 0) };
            match usize::try_from(n) {
                Ok(n) if n > 0 => done += n,
                _ => break,
            }
        }
        done
    }
}

/// The host protection for a guest's: readable when it grants anything, writable when it grants writing, and never
/// executable. Linux on x86_64 makes write-only and (without protection keys) execute-only pages readable as well.
fn host_prot(prot: Prot) -> ProtFlags {
    let mut host = ProtFlags::empty();
    host.set(ProtFlags::READ, !prot.is_empty());
    host.set(ProtFlags::WRITE, prot.contains(Prot::WRITE));
    host
}

fn errno(e: rustix::io::Errno) -> Errno {
    Errno(e.raw_os_error() as u16)
}

fn last_errno() -> Errno {
    errno(rustix::io::Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(rustix::io::Errno::IO))
}

/// Whether a range of host addresses lies in one window.
fn in_window(addr: usize, len: usize) -> bool {
    REGISTRY.iter().any(|(base, size)| {
        let (base, size) = (base.load(Ordering::Acquire), size.load(Ordering::Acquire));
        addr.checked_sub(base).is_some_and(|at| at <= size && len <= size - at)
    })
}

/// Changes the protection of whole pages of a window, by host address.
pub(super) fn protect_host(addr: usize, len: usize, prot: Prot) -> Result<(), Refused> {
    if !in_window(addr, len) {
        return Err(Refused);
    }
    let flags = MprotectFlags::from_bits_retain(host_prot(prot).bits());
    // SAFETY: the range lies in a window, as in `Window::protect`.
    unsafe { rustix::mm::mprotect(addr as *mut c_void, len, flags) }.map_err(|_| Refused)
}

/// Copies anonymous pages that can be read to others that can be written, by host address; they do not overlap.
pub(super) fn copy_host(from: usize, to: usize, len: usize) -> Result<(), Refused> {
    if !in_window(from, len) || !in_window(to, len) || from.abs_diff(to) < len {
        return Err(Refused);
    }
    // SAFETY: both ranges lie in windows and are apart, and the caller has seen to their protection; if it is wrong the
    // process dies of SIGSEGV.
    unsafe { std::ptr::copy_nonoverlapping(from as *const u8, to as *mut u8, len) };
    Ok(())
}

/// Moves anonymous pages to other places of windows, by host address, with their protection; empty ones stay behind.
pub(super) fn move_host(from: usize, to: usize, len: usize) -> Result<(), Refused> {
    if !in_window(from, len) || !in_window(to, len) || from.abs_diff(to) < len {
        return Err(Refused);
    }
    let flags = MremapFlags::MAYMOVE | MremapFlags::DONTUNMAP;
    // SAFETY: as in `Window::relocate`.
    let moved = unsafe { rustix::mm::mremap_fixed(from as *mut c_void, len, len, flags, to as *mut c_void) };
    moved.map(|_| ()).map_err(|_| Refused)
}

/// Which pages of private mappings hold bytes of their own, from the host's page map.
pub(super) struct PageMap(Option<File>);

impl PageMap {
    /// Opens the page map. Where the host does not offer it, every page counts as own.
    pub(super) fn open() -> PageMap {
        PageMap(File::open("/proc/self/pagemap").ok())
    }

    /// Calls `each` with the guest ranges (start, length in bytes) inside the range that may differ from what a new
    /// mapping of the same kind would show: pages in memory or swapped out that are not a file's.
    pub(super) fn own_pages(
        &self,
        window: &Window,
        at: u64,
        len: u64,
        mut each: impl FnMut(u64, u64) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        const CHUNK_PAGES: u64 = 4096;
        const PRESENT_OR_SWAPPED: u64 = 3 << 62;
        const FILE_OR_SHARED: u64 = 1 << 61;
        let end = at + len;
        let mut entries = vec![0u8; (CHUNK_PAGES.min(len / PAGE_SIZE) * 8) as usize];
        let mut run: Option<u64> = None;
        let mut page = at;
        while page < end {
            let pages = CHUNK_PAGES.min((end - page) / PAGE_SIZE);
            let bytes = &mut entries[..(pages * 8) as usize];
            let known = self.read(window.base as u64 + page, bytes);
            for (i, entry) in bytes.chunks_exact(8).enumerate() {
                let entry = entry.try_into().map_or(u64::MAX, u64::from_ne_bytes);
                let own = !known || (entry & PRESENT_OR_SWAPPED != 0 && entry & FILE_OR_SHARED == 0);
                let here = page + i as u64 * PAGE_SIZE;
                match (own, run) {
                    (true, None) => run = Some(here),
                    (false, Some(start)) => {
                        each(start, here - start)?;
                        run = None;
                    }
                    _ => {}
                }
            }
            page += pages * PAGE_SIZE;
        }
        match run {
            Some(start) => each(start, end - start),
            None => Ok(()),
        }
    }

    fn read(&self, host: u64, entries: &mut [u8]) -> bool {
        self.0.as_ref().is_some_and(|f| f.read_exact_at(entries, host / PAGE_SIZE * 8).is_ok())
    }
}

/// Live windows as (base, size) for the SIGBUS handler, which may not lock or allocate. A free slot has size 0.
static REGISTRY: [(AtomicUsize, AtomicUsize); 1024] = [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; 1024];

/// Page address of the last SIGBUS inside a window; 0 when there was none.
static BUS_ERROR: AtomicUsize = AtomicUsize::new(0);

fn registry_add(base: usize, size: usize) -> bool {
    REGISTRY.iter().any(|(slot_base, slot_size)| {
        let taken = slot_base.compare_exchange(0, base, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if taken {
            slot_size.store(size, Ordering::Release);
        }
        taken
    })
}

fn registry_remove(base: usize) {
    for (slot_base, slot_size) in &REGISTRY {
        if slot_base.load(Ordering::Acquire) == base {
            slot_size.store(0, Ordering::Release);
            slot_base.store(0, Ordering::Release);
        }
    }
}

/// What a CPU backend does about a host fault: the signal, the address, and the `ucontext_t` to change. It tells whether the
/// fault was of its code. It runs in a signal handler and may only do what is async-signal-safe.
pub type FaultHook = fn(libc::c_int, usize, *mut c_void) -> bool;

static FAULT_HOOK: OnceLock<FaultHook> = OnceLock::new();

/// Installs the hook of the one backend that has host faults in its code. It is asked after late copies have been made.
pub fn set_fault_hook(hook: FaultHook) {
    // A second one would be the same.
    let _ = FAULT_HOOK.set(hook);
}

fn hooked(signal: libc::c_int, addr: usize, context: *mut c_void) -> bool {
    FAULT_HOOK.get().is_some_and(|hook| hook(signal, addr, context))
}

/// What SIGSEGV did before [`install_bus_guard`].
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the SIGSEGV handler that makes the copies which fork has put off.
fn install_copy_guard() -> Result<(), Error> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    // SAFETY: as in `install_bus_guard`; the handler runs only where a guest's memory is touched, which is never inside an
    // allocation or another use of what it uses.
    let before = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_sigsegv as *const () as usize;
        // Translated code may have anything in its stack pointer.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        match libc::sigaction(libc::SIGSEGV, &action, &mut before) {
            0 => before,
            _ => {
                let source = std::io::Error::last_os_error();
                return Err(Error::Host { what: "cannot handle SIGSEGV".into(), source });
            }
        }
    };
    // Another thread may have been faster; then `before` is this handler, and the first one counts.
    let _ = BEFORE.set(before);
    Ok(())
}

extern "C" fn on_sigsegv(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler; errno belongs to this thread, and the
    // interrupted code may be about to read it.
    let (addr, code, errno, saved) = unsafe {
        let errno = libc::__errno_location();
        ((*info).si_addr() as usize, (*info).si_code, errno, *errno)
    };
    let ours = code > 0 && (in_window(addr, 1) && lazy::touched(addr) || hooked(signal, addr, context));
    // SAFETY: as above, and `before` is what sigaction gave for this signal. What was not ours is as it was before, and the
    // fault comes again.
    unsafe {
        if let (false, Some(before)) = (ours, BEFORE.get()) {
            libc::sigaction(libc::SIGSEGV, before, std::ptr::null_mut());
        }
        *errno = saved;
    }
}

/// Installs the handlers that memory needs: one for SIGSEGV, which makes late copies, and the SIGBUS handler that lets a CPU backend read guest pages behind which a mapped file has ended: the
/// page is replaced by a zero page, and [`super::Space::take_bus_error`] reports it. Any other SIGBUS keeps its
/// default effect.
///
/// # Errors
/// The host refused the handler.
pub fn install_bus_guard() -> Result<(), Error> {
    install_copy_guard()?;
    // SAFETY: a zeroed sigaction is a valid value of that plain C struct, and each field the kernel reads is set; the
    // handler calls only what is async-signal-safe.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_sigbus as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut())
    };
    match result {
        0 => Ok(()),
        _ => Err(Error::Host { what: "cannot handle SIGBUS".into(), source: std::io::Error::last_os_error() }),
    }
}

extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
    let addr = unsafe { (*info).si_addr() } as usize;
    if hooked(signal, addr, context) {
        return;
    }
    let in_window = in_window(addr, 1);
    let page = addr & !(PAGE_SIZE as usize - 1);
    // SAFETY: mmap is a plain system call, and the page lies in a window; errno is put back afterwards, since the
    // interrupted code may be about to read it. Restoring the default action is always allowed.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let size = PAGE_SIZE as usize;
        if in_window && libc::mmap(page as *mut c_void, size, prot, flags, -1, 0) != libc::MAP_FAILED {
            BUS_ERROR.store(page, Ordering::Release);
        } else {
            libc::signal(libc::SIGBUS, libc::SIG_DFL);
        }
        *errno = saved;
    }
}

/// Takes the page address of the last bus error if it lies in this window.
pub(super) fn take_bus_error(window: &Window) -> Option<u64> {
    let page = BUS_ERROR.load(Ordering::Acquire);
    let at = page.checked_sub(window.base)? as u64;
    if page == 0 || at >= window.size() {
        return None;
    }
    BUS_ERROR.store(0, Ordering::Release);
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn bus_errors_in_a_window_are_caught_and_told_once() {
        install_bus_guard().unwrap();
        let window = Windows::new(28).unwrap().take().unwrap();
        let file = tempfile::tempfile().unwrap();
        window.map_file(0x10_000, 2 * PAGE_SIZE, Prot::READ, file.as_fd(), 0, Sharing::Shared).unwrap();
        let mut buf = [1u8; 8];
        assert_eq!(window.read_guarded(0x10_000, &mut buf), 0);
        window.read_plain(0x11_008, &mut buf).unwrap();
        assert_eq!(buf, [0; 8]);
        assert_eq!(take_bus_error(&window), Some(0x11_000));
        assert_eq!(take_bus_error(&window), None);
    }

    #[test]
    fn a_window_is_empty_when_its_index_returns() {
        let windows = Windows::new(28).unwrap();
        let first = windows.take().unwrap();
        first.map_anonymous(0, PAGE_SIZE, Prot::READ | Prot::WRITE).unwrap();
        first.write_plain(0, b"secret").unwrap();
        let (index, base) = (first.index(), first.base());
        drop(first);
        let second = windows.take().unwrap();
        assert_eq!((second.index(), second.base()), (index, base));
        let mut buf = [1u8; 6];
        assert_eq!(second.read_guarded(0, &mut buf), 0);
        second.map_anonymous(0, PAGE_SIZE, Prot::READ).unwrap();
        second.read_plain(0, &mut buf).unwrap();
        assert_eq!(buf, [0; 6]);
    }

    #[test]
    fn ranges_outside_a_window_are_refused() {
        let window = Windows::new(28).unwrap().take().unwrap();
        assert!(window.clear(window.size(), PAGE_SIZE).is_err());
        assert!(window.clear(u64::MAX - 1, PAGE_SIZE).is_err());
        assert!(window.read_plain(window.size() - 4, &mut [0; 8]).is_err());
        assert!(Windows::new(12).is_err());
    }
}
