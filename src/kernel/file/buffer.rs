//! The memory side of a transfer: guest memory in pieces, or bytes of the kernel's own.

use crate::abi::Errno;
use crate::mem::{GuestAddr, PAGE_SIZE, Space, Spans};
use std::cell::RefCell;
use std::rc::Rc;

/// Where a read puts bytes or a write takes them, used up from the front.
#[derive(Debug)]
pub struct Buffer {
    place: Place,
    done: u64,
    len: u64,
}

#[derive(Debug)]
enum Place {
    Guest { space: Rc<RefCell<Space>>, pieces: Vec<(GuestAddr, u64)> },
    Kernel(Vec<u8>),
}

impl Buffer {
    /// Guest memory: address and bytes of each piece.
    pub fn guest(space: &Rc<RefCell<Space>>, pieces: Vec<(GuestAddr, u64)>) -> Buffer {
        let len = pieces.iter().map(|p| p.1).sum();
        Buffer { place: Place::Guest { space: Rc::clone(space), pieces }, done: 0, len }
    }

    /// Memory of the kernel: full of bytes to write, or of zeros to be replaced by a read.
    pub fn kernel(bytes: Vec<u8>) -> Buffer {
        Buffer { len: bytes.len() as u64, place: Place::Kernel(bytes), done: 0 }
    }

    /// The kernel's memory back, up to where the transfer came.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.place {
            Place::Kernel(mut bytes) => {
                bytes.truncate(self.done as usize);
                bytes
            }
            Place::Guest { .. } => Vec::new(),
        }
    }

    /// Bytes that are left.
    pub fn left(&self) -> u64 {
        self.len - self.done
    }

    /// Bytes that are used up.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// At most `max` bytes are left from now on.
    pub fn limit(&mut self, max: u64) {
        self.len = self.done + self.left().min(max);
    }

    /// Passes over `n` bytes that a host call has transferred.
    pub fn advance(&mut self, n: usize) {
        self.done = (self.done + n as u64).min(self.len);
    }

    /// Goes back to where `done` was.
    pub fn rewind(&mut self, done: u64) {
        self.done = done.min(self.done);
    }

    /// The pieces that are left.
    fn rest(&self) -> Vec<(GuestAddr, u64)> {
        let Place::Guest { pieces, .. } = &self.place else { return Vec::new() };
        let (mut skip, mut left) = (self.done, self.left());
        let mut rest = Vec::new();
        for &(addr, len) in pieces {
            if skip >= len {
                skip -= len;
                continue;
            }
            let n = (len - skip).min(left);
            if n > 0 {
                rest.push((GuestAddr(addr.0.wrapping_add(skip)), n));
            }
            (skip, left) = (0, left - n);
        }
        rest
    }

    /// Copies `bytes` in; gives how many.
    ///
    /// # Errors
    /// `EFAULT`: not one byte could be copied.
    pub fn put(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let n = bytes.len().min(self.left() as usize);
        let rest = self.rest();
        let copied = match &mut self.place {
            Place::Kernel(own) => {
                let at = self.done as usize;
                own[at..at + n].copy_from_slice(&bytes[..n]);
                n
            }
            Place::Guest { space, .. } => {
                let (mut space, mut copied) = (space.borrow_mut(), 0);
                for (addr, len) in rest {
                    let part = &bytes[copied..n.min(copied + len as usize)];
                    let got = space.write_partial(addr, part);
                    copied += got;
                    if got < part.len() || copied == n {
                        break;
                    }
                }
                copied
            }
        };
        self.advance(copied);
        if copied == 0 && n > 0 { Err(Errno::EFAULT) } else { Ok(copied) }
    }

    /// Copies bytes out to `bytes`; gives how many.
    ///
    /// # Errors
    /// `EFAULT`: not one byte could be copied.
    pub fn get(&mut self, bytes: &mut [u8]) -> Result<usize, Errno> {
        let n = bytes.len().min(self.left() as usize);
        let rest = self.rest();
        let copied = match &self.place {
            Place::Kernel(own) => {
                let at = self.done as usize;
                bytes[..n].copy_from_slice(&own[at..at + n]);
                n
            }
            Place::Guest { space, .. } => {
                let (space, mut copied) = (space.borrow(), 0);
                for (addr, len) in rest {
                    let end = n.min(copied + len as usize);
                    let wanted = end - copied;
                    let got = space.read_partial(addr, &mut bytes[copied..end]);
                    copied += got;
                    if got < wanted || copied == n {
                        break;
                    }
                }
                copied
            }
        };
        self.advance(copied);
        if copied == 0 && n > 0 { Err(Errno::EFAULT) } else { Ok(copied) }
    }

    /// [`Buffer::put`] of all of `bytes` or nothing, as far as the buffer knows.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn put_all(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let before = self.done;
        if self.put(bytes)? == bytes.len() {
            return Ok(());
        }
        self.done = before;
        Err(Errno::EFAULT)
    }

    /// [`Buffer::get`] of all of `bytes` or nothing, as far as the buffer knows.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn get_all(&mut self, bytes: &mut [u8]) -> Result<(), Errno> {
        let before = self.done;
        if self.get(bytes)? == bytes.len() {
            return Ok(());
        }
        self.done = before;
        Err(Errno::EFAULT)
    }

    /// What is left of the kernel's own memory, to be filled or taken; `None` if the buffer is guest memory. To be
    /// followed by [`Buffer::advance`].
    pub fn own(&mut self) -> Option<&mut [u8]> {
        match &mut self.place {
            Place::Kernel(own) => Some(&mut own[self.done as usize..self.len as usize]),
            Place::Guest { .. } => None,
        }
    }

    /// What is left of guest memory, for a host call that writes to it. The host judges pages that the guest cannot
    /// write, so that errors come in Linux's order (end of file before EFAULT). To be followed by [`Buffer::advance`].
    ///
    /// # Errors
    /// `EFAULT`: a piece leaves the address space.
    pub fn spans_out(&self) -> Result<Spans, Errno> {
        self.spans(|space, addr, len| space.spans_out(addr, len))
    }

    /// What is left of guest memory, for a host call that reads it. To be followed by [`Buffer::advance`].
    ///
    /// # Errors
    /// `EFAULT`: a piece leaves the address space.
    pub fn spans_in(&self) -> Result<Spans, Errno> {
        self.spans(|space, addr, len| space.spans_in(addr, len))
    }

    fn spans(&self, good: impl Fn(&mut Space, GuestAddr, u64) -> Result<Spans, Errno>) -> Result<Spans, Errno> {
        let Place::Guest { space, .. } = &self.place else { return Ok(Spans::default()) };
        let mut space = space.borrow_mut();
        let mut all = Spans::default();
        for (addr, len) in self.rest() {
            let spans = good(&mut space, addr, len).unwrap_or_default();
            let reached = spans.len();
            all.append(spans);
            if reached < len {
                // One bad page is enough for the host to stop at.
                let bad = GuestAddr(addr.0 + reached);
                all.append(space.spans_unchecked(bad, (len - reached).min(PAGE_SIZE - bad.0 % PAGE_SIZE))?);
                break;
            }
        }
        Ok(all)
    }
}
