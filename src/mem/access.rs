//! Copies between guest memory and Rust values, and spans for host I/O.
//!
//! All follow Linux's rules: a copy goes as far as the guest's own permissions let it, then fails with EFAULT; bytes
//! before the bad page have been copied. A write just below a stack extends it.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::area::{Area, Prot};
use super::lazy::Missing;
use super::space::{Space, permits};
use super::{GuestAddr, PAGE_SIZE};
use crate::abi::Errno;
use crate::cpu::Access;

/// Bytes of a value that are copied by way of the stack.
const SMALL: usize = 512;

/// Pieces of guest memory for one host call, in order. They are host addresses, valid for the host's kernel only: it
/// checks them, and it is the only one who may follow them.
#[derive(Clone, Debug, Default)]
pub struct Spans(Vec<Span>);

/// One piece of host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Host address.
    pub host: usize,
    /// Bytes.
    pub len: usize,
}

impl Spans {
    /// Bytes of all pieces together.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|span| span.len as u64).sum()
    }

    /// Whether there is not one byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces.
    pub fn pieces(&self) -> &[Span] {
        &self.0
    }

    /// At most the first `max` bytes of them.
    pub fn first(&self, max: u64) -> Spans {
        let mut left = max as usize;
        let mut pieces = Vec::new();
        for span in &self.0 {
            let len = span.len.min(left);
            if len > 0 {
                pieces.push(Span { host: span.host, len });
            }
            left -= len;
        }
        Spans(pieces)
    }

    /// Adds the pieces of `more` behind these.
    pub fn append(&mut self, more: Spans) {
        self.0.extend(more.0);
    }
}

/// What the kernel wrote to guest memory, for checking the system call table's out-arguments.
#[derive(Debug, Default)]
pub struct WriteLog {
    enabled: bool,
    entries: Vec<(GuestAddr, u64)>,
}

impl WriteLog {
    /// Starts or stops recording; either way the log is empty afterwards.
    pub fn set_enabled(&mut self, enabled: bool) {
        *self = WriteLog { enabled, entries: Vec::new() };
    }

    /// The ranges (address, bytes) written since last asked, in order.
    pub fn take(&mut self) -> Vec<(GuestAddr, u64)> {
        std::mem::take(&mut self.entries)
    }

    fn record(&mut self, addr: GuestAddr, len: u64) {
        if self.enabled && len > 0 {
            self.entries.push((addr, len));
        }
    }
}

impl Space {
    /// Copies guest bytes to `buf`.
    ///
    /// # Errors
    /// EFAULT: not all of them can be read; `buf` then holds those before the bad page.
    pub fn read(&self, addr: GuestAddr, buf: &mut [u8]) -> Result<(), Errno> {
        if self.read_partial(addr, buf) == buf.len() { Ok(()) } else { Err(Errno::EFAULT) }
    }

    /// Copies guest bytes to `buf` up to the first that cannot be read; gives their number.
    pub fn read_partial(&self, addr: GuestAddr, buf: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buf.len() {
            let Some(at) = addr.checked_add(done as u64) else { break };
            let rest = &mut buf[done..];
            let Some(area) = self.area_at(at) else {
                // A stack that would grow under a read shows zeros.
                if !self.can_grow(at.page().0) {
                    break;
                }
                let n = rest.len().min((PAGE_SIZE - at.0 % PAGE_SIZE) as usize);
                rest[..n].fill(0);
                done += n;
                continue;
            };
            if !permits(area.prot, Access::Read) {
                break;
            }
            let n = rest.len().min((area.end.0 - at.0) as usize);
            let copied = self.read_area(area, at, &mut rest[..n]);
            done += copied;
            if copied < n {
                break;
            }
        }
        done
    }

    /// Copies `buf` to guest memory.
    ///
    /// # Errors
    /// EFAULT: not all of it can be written; what lies before the bad page has been.
    pub fn write(&mut self, addr: GuestAddr, buf: &[u8]) -> Result<(), Errno> {
        if self.write_partial(addr, buf) == buf.len() { Ok(()) } else { Err(Errno::EFAULT) }
    }

    /// Copies `buf` to guest memory up to the first byte that cannot be written; gives the number of bytes copied.
    pub fn write_partial(&mut self, addr: GuestAddr, buf: &[u8]) -> usize {
        let mut done = 0;
        while done < buf.len() {
            let Some(at) = addr.checked_add(done as u64) else { break };
            let rest = &buf[done..];
            let Some(area) = self.area_at(at) else {
                if self.grow_stack(at) {
                    continue;
                }
                break;
            };
            if !permits(area.prot, Access::Write) {
                break;
            }
            let executable = area.prot.contains(Prot::EXEC);
            let n = rest.len().min((area.end.0 - at.0) as usize);
            let copied = self.write_area(area, at, &rest[..n]);
            if executable {
                self.changed(at.0, copied as u64);
            }
            done += copied;
            if copied < n {
                break;
            }
        }
        self.write_log.record(addr, done as u64);
        done
    }

    fn read_area(&self, area: &Area, at: GuestAddr, buf: &mut [u8]) -> usize {
        if area.is_private_anonymous() {
            return self.window.read_plain(at.0, buf).map_or(0, |()| buf.len());
        }
        self.window.read_guarded(at.0, buf)
    }

    fn write_area(&self, area: &Area, at: GuestAddr, buf: &[u8]) -> usize {
        if area.is_private_anonymous() {
            return self.window.write_plain(at.0, buf).map_or(0, |()| buf.len());
        }
        self.window.write_guarded(at.0, buf)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_in<T: FromBytes>(&self, addr: GuestAddr) -> Result<T, Errno> {
        let size = size_of::<T>();
        if size <= SMALL {
            let mut buf = [0u8; SMALL];
            self.read(addr, &mut buf[..size])?;
            return T::read_from_bytes(&buf[..size]).map_err(|_| Errno::EFAULT);
        }
        let mut buf = vec![0u8; size];
        self.read(addr, &mut buf)?;
        T::read_from_bytes(&buf).map_err(|_| Errno::EFAULT)
    }

    /// Writes a value.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_out<T: IntoBytes + Immutable>(&mut self, addr: GuestAddr, value: &T) -> Result<(), Errno> {
        self.write(addr, value.as_bytes())
    }

    /// Reads `n` values that follow one another. The caller bounds `n`; what is not mapped is not allocated either.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_in_array<T: FromBytes>(&self, addr: GuestAddr, n: usize) -> Result<Vec<T>, Errno> {
        let size = size_of::<T>();
        let bytes = n.checked_mul(size).ok_or(Errno::EFAULT)?;
        if bytes == 0 {
            return Ok(Vec::new());
        }
        if !self.access_ok(addr, bytes as u64) {
            return Err(Errno::EFAULT);
        }
        if bytes as u64 > PAGE_SIZE && self.reach(addr, bytes as u64, Access::Read) < bytes as u64 {
            return Err(Errno::EFAULT);
        }
        let mut buf = vec![0u8; bytes];
        self.read(addr, &mut buf)?;
        buf.chunks_exact(size).map(|chunk| T::read_from_bytes(chunk).map_err(|_| Errno::EFAULT)).collect()
    }

    /// Writes values one behind the other.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_out_array<T: IntoBytes + Immutable>(&mut self, addr: GuestAddr, values: &[T]) -> Result<(), Errno> {
        self.write(addr, values.as_bytes())
    }

    /// Reads a string up to its NUL, which is left out.
    ///
    /// # Errors
    /// ENAMETOOLONG: no NUL among the first `max` bytes. EFAULT: a bad page comes first.
    pub fn read_cstr(&self, addr: GuestAddr, max: usize) -> Result<Vec<u8>, Errno> {
        const CHUNK: u64 = 256;
        let mut string = Vec::new();
        let mut buf = [0u8; CHUNK as usize];
        while string.len() < max {
            let at = addr.checked_add(string.len() as u64).ok_or(Errno::EFAULT)?;
            // A chunk never crosses into a page that the string may not reach.
            let n = ((CHUNK - at.0 % CHUNK) as usize).min(max - string.len());
            let got = self.read_partial(at, &mut buf[..n]);
            if let Some(nul) = buf[..got].iter().position(|&b| b == 0) {
                string.extend_from_slice(&buf[..nul]);
                return Ok(string);
            }
            if got < n {
                return Err(Errno::EFAULT);
            }
            string.extend_from_slice(&buf[..n]);
        }
        Err(Errno::ENAMETOOLONG)
    }

    /// Writes zeros.
    ///
    /// # Errors
    /// EFAULT, after the bytes before the bad page.
    pub fn zero(&mut self, addr: GuestAddr, len: u64) -> Result<(), Errno> {
        const ZEROS: [u8; PAGE_SIZE as usize] = [0; PAGE_SIZE as usize];
        let mut done = 0;
        while done < len {
            let at = addr.checked_add(done).ok_or(Errno::EFAULT)?;
            let n = (PAGE_SIZE - at.0 % PAGE_SIZE).min(len - done);
            self.write(at, &ZEROS[..n as usize])?;
            done += n;
        }
        Ok(())
    }

    /// Reads bytes of mapped areas whatever their protection, as a debugger does.
    ///
    /// # Errors
    /// EFAULT: not all of them are mapped.
    pub fn peek(&self, addr: GuestAddr, buf: &mut [u8]) -> Result<(), Errno> {
        let mut done = 0;
        while done < buf.len() {
            let at = addr.checked_add(done as u64).ok_or(Errno::EFAULT)?;
            let area = self.area_at(at).ok_or(Errno::EFAULT)?;
            let n = (buf.len() - done).min((area.end.0 - at.0) as usize);
            let part = &mut buf[done..done + n];
            let copied = self.with_access(area, at, n as u64, Prot::READ, || self.window.read_guarded(at.0, part))?;
            done += copied;
            if copied < n {
                return Err(Errno::EFAULT);
            }
        }
        Ok(())
    }

    /// Writes bytes to mapped areas whatever their protection, as the loader and a debugger do. A mapped file is not
    /// changed through a mapping that could not be made writable.
    ///
    /// # Errors
    /// EFAULT: not all of them are mapped; what lies before has been written.
    pub fn poke(&mut self, addr: GuestAddr, buf: &[u8]) -> Result<(), Errno> {
        let mut done = 0;
        while done < buf.len() {
            let at = addr.checked_add(done as u64).ok_or(Errno::EFAULT)?;
            let area = self.area_at(at).filter(|area| area.may_write).ok_or(Errno::EFAULT)?;
            let executable = area.prot.contains(Prot::EXEC);
            let n = (buf.len() - done).min((area.end.0 - at.0) as usize);
            let part = &buf[done..done + n];
            let writable = Prot::READ | Prot::WRITE;
            let copied = self.with_access(area, at, n as u64, writable, || self.window.write_guarded(at.0, part))?;
            if executable {
                self.changed(at.0, copied as u64);
            }
            done += copied;
            if copied < n {
                return Err(Errno::EFAULT);
            }
        }
        Ok(())
    }

    /// Runs `copy` while the host pages of a part of an area grant at least `needed`.
    fn with_access(
        &self,
        area: &Area,
        at: GuestAddr,
        len: u64,
        needed: Prot,
        copy: impl FnOnce() -> usize,
    ) -> Result<usize, Errno> {
        let granted = if area.prot.is_empty() { Prot::empty() } else { area.prot | Prot::READ };
        if granted.contains(needed) {
            return Ok(copy());
        }
        let start = at.page().0;
        let pages = (at.0 + len).next_multiple_of(PAGE_SIZE) - start;
        self.window.protect(start, pages, needed).map_err(|_| Errno::EFAULT)?;
        let copied = copy();
        self.window.protect(start, pages, area.prot).map_err(|_| Errno::EFAULT)?;
        Ok(copied)
    }

    /// Memory that a host call will read, as for write(2); ends before the first page that the guest cannot read.
    ///
    /// # Errors
    /// EFAULT: not even the first byte is good, or the range leaves the address space.
    pub fn spans_in(&self, addr: GuestAddr, len: u64) -> Result<Spans, Errno> {
        let good = self.reach(addr, len, Access::Read);
        self.window.settle_for_reading(addr.0, good).map_err(|_| Errno::EFAULT)?;
        self.spans(addr, len, good)
    }

    /// Memory that a host call will write, as for read(2); ends before the first page that the guest cannot write.
    ///
    /// # Errors
    /// EFAULT: not even the first byte is good, or the range leaves the address space.
    pub fn spans_out(&mut self, addr: GuestAddr, len: u64) -> Result<Spans, Errno> {
        let mut good = self.reach(addr, len, Access::Write);
        while good < len && addr.checked_add(good).is_some_and(|at| self.grow_stack_under_write(at)) {
            good = self.reach(addr, len, Access::Write);
        }
        let spans = self.spans(addr, len, good)?;
        self.window.settle(addr.0, good, Missing::Fetch).map_err(|_| Errno::EFAULT)?;
        let end = addr.0.saturating_add(good);
        let executable: Vec<(u64, u64)> = self
            .overlapping(addr.0, end)
            .filter(|area| area.prot.contains(Prot::EXEC))
            .map(|area| (area.start.0.max(addr.0), area.end.0.min(end)))
            .collect();
        for (from, to) in executable {
            self.changed(from, to - from);
        }
        self.write_log.record(addr, good);
        Ok(spans)
    }

    /// A range of the address space for a host call that is to judge the range itself: pages have at most the guest's
    /// permissions on the host too, so it fails with EFAULT, or not at all, exactly where Linux would.
    ///
    /// # Errors
    /// EFAULT: the range leaves the address space.
    pub fn spans_unchecked(&self, addr: GuestAddr, len: u64) -> Result<Spans, Errno> {
        let spans = self.spans(addr, len, len)?;
        self.window.settle(addr.0, len, Missing::Fetch).map_err(|_| Errno::EFAULT)?;
        Ok(spans)
    }

    fn grow_stack_under_write(&mut self, at: GuestAddr) -> bool {
        self.area_at(at).is_none() && self.grow_stack(at)
    }

    fn spans(&self, addr: GuestAddr, len: u64, good: u64) -> Result<Spans, Errno> {
        if !self.access_ok(addr, len) || (good == 0 && len > 0) {
            return Err(Errno::EFAULT);
        }
        if good == 0 {
            return Ok(Spans::default());
        }
        // Guest memory is contiguous in the window, across areas too.
        Ok(Spans(vec![Span { host: self.host_base() + addr.0 as usize, len: good as usize }]))
    }

    /// Whether a range lies inside the address space, mapped or not; Linux refuses others at once.
    pub fn access_ok(&self, addr: GuestAddr, len: u64) -> bool {
        addr.checked_add(len).is_some_and(|end| end.0 <= self.limit())
    }

    /// How many of the `len` bytes at `addr` permit the access before the first that does not.
    pub fn reach(&self, addr: GuestAddr, len: u64, access: Access) -> u64 {
        let Some(end) = addr.checked_add(len) else { return 0 };
        let mut at = addr;
        while at < end {
            match self.area_at(at) {
                Some(area) if permits(area.prot, access) => at = area.end,
                _ => break,
            }
        }
        at.min(end).0 - addr.0
    }
}
