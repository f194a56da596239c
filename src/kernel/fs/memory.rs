//! `/proc/PID/mem` and `/proc/PID/pagemap`: the memory of a process as files (proc_pid_mem(5), proc_pid_pagemap(5)).

use crate::abi::Errno;
use crate::host::FileStat;
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps};
use crate::kernel::procfs::MemoryView;
use crate::kernel::{Ctx, Stop, Tid};
use crate::mem::{AreaName, GuestAddr, PAGE_SIZE, Space};
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// Most bytes that are moved in one go.
const CHUNK: usize = 65536;
/// Bits of an entry of pagemap: the page is in memory; it belongs to a file or is shared.
const PRESENT: u64 = 1 << 63;
const FILE_OR_SHARED: u64 = 1 << 61;

/// An open file of a process's memory. It stays with the address space that there was when it was opened.
#[derive(Debug)]
pub struct MemoryFile {
    space: Rc<RefCell<Space>>,
    view: MemoryView,
    stat: FileStat,
}

impl MemoryFile {
    /// The memory of thread `tid`.
    ///
    /// # Errors
    /// `EACCES`: the caller may not look into that process. `ESRCH`: it is gone.
    pub fn open(ctx: &mut Ctx, tid: Tid, view: MemoryView, stat: FileStat) -> Result<MemoryFile, Errno> {
        let space = ctx.kernel.threads.get(&tid).map(|t| Rc::clone(&t.space)).ok_or(Errno::ESRCH)?;
        if !ctx.may_inspect(tid) {
            return Err(Errno::EACCES);
        }
        Ok(MemoryFile { space, view, stat })
    }

    /// What the kernel can read at `at`, at most `max` bytes: up to the first page that is not there.
    fn bytes_at(&self, at: u64, max: usize) -> Vec<u8> {
        let space = self.space.borrow();
        let mut out = Vec::new();
        while out.len() < max {
            let Some(addr) = GuestAddr(at).checked_add(out.len() as u64) else { break };
            let n = (max - out.len()).min((PAGE_SIZE - addr.0 % PAGE_SIZE) as usize);
            let mut page = vec![0; n];
            if addr.0 >= space.limit() || space.peek(addr, &mut page).is_err() {
                break;
            }
            out.append(&mut page);
        }
        out
    }

    fn entries(&self, at: u64, max: usize) -> Result<Vec<u8>, Errno> {
        const ENTRY: u64 = 8;
        if !at.is_multiple_of(ENTRY) || !(max as u64).is_multiple_of(ENTRY) {
            return Err(Errno::EINVAL);
        }
        let space = self.space.borrow();
        let (first, last) = (at / ENTRY, (space.limit() / PAGE_SIZE).saturating_sub(1));
        let count = (max as u64 / ENTRY).min((last + 1).saturating_sub(first));
        let entry = |page: u64| {
            let addr = GuestAddr(page * PAGE_SIZE);
            let Some(area) = space.area_at(addr) else { return 0 };
            let shared = area.shared || matches!(area.name, AreaName::File { .. });
            match space.resident(addr, PAGE_SIZE) {
                Ok(pages) if pages.first() == Some(&1) => PRESENT | if shared { FILE_OR_SHARED } else { 0 },
                _ => 0,
            }
        };
        Ok((first..first + count).flat_map(|page| entry(page).to_le_bytes()).collect())
    }
}

impl FileOps for MemoryFile {
    fn kind(&self) -> FileKind {
        FileKind::Regular
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_seekable(&self) -> bool {
        true
    }

    fn read(&self, _ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        let mut done = 0;
        while buf.left() > 0 {
            let at = how.at.unwrap_or(file.offset.get()).wrapping_add(if how.at.is_some() { done } else { 0 });
            let max = CHUNK.min(buf.left() as usize);
            let bytes = match self.view {
                MemoryView::Bytes => self.bytes_at(at, max),
                MemoryView::Pages => self.entries(at, max)?,
            };
            if bytes.is_empty() {
                return if done > 0 || self.view == MemoryView::Pages {
                    Ok(done as usize)
                } else {
                    Err(Errno::EIO.into())
                };
            }
            let n = match buf.put(&bytes) {
                Ok(n) => n as u64,
                Err(e) if done == 0 => return Err(e.into()),
                Err(_) => break,
            };
            done += n;
            if how.at.is_none() {
                file.offset.set(at.wrapping_add(n));
            }
            if n < max as u64 {
                break;
            }
        }
        Ok(done as usize)
    }

    fn write(&self, _ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        if self.view == MemoryView::Pages {
            return Err(Errno::EINVAL.into());
        }
        let mut done = 0;
        while buf.left() > 0 {
            let at = how.at.unwrap_or(file.offset.get()).wrapping_add(if how.at.is_some() { done } else { 0 });
            let mut bytes = vec![0; ((PAGE_SIZE - at % PAGE_SIZE) as usize).min(buf.left() as usize)];
            let n = match buf.get(&mut bytes) {
                Ok(n) => n,
                Err(e) if done == 0 => return Err(e.into()),
                Err(_) => break,
            };
            let mut space = self.space.borrow_mut();
            if at >= space.limit() || space.poke(GuestAddr(at), &bytes[..n]).is_err() {
                return if done > 0 { Ok(done as usize) } else { Err(Errno::EIO.into()) };
            }
            done += n as u64;
            if how.at.is_none() {
                file.offset.set(at.wrapping_add(n as u64));
            }
        }
        Ok(done as usize)
    }

    fn seek(&self, _ctx: &mut Ctx, file: &File, offset: i64, whence: u32) -> Result<u64, Errno> {
        // Addresses of any size are good positions.
        let to = match whence {
            0 => offset as u64,
            1 => file.offset.get().wrapping_add(offset as u64),
            _ => return Err(Errno::EINVAL),
        };
        file.offset.set(to);
        Ok(to)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(self.stat)
    }
}
