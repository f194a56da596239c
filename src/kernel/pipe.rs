//! Pipes between guests (pipe(7)): they live inside the machine and use nothing of the host.
//!
//! A pipe is a queue of pages, as in Linux, so that how much fits into it and what a reader gets in one go are the
//! same as there: small writes share the last page, larger ones take pages of their own, O_DIRECT makes packets.

use super::file::{Access, Buffer, File, FileKind, FileOps, Readiness};
use super::*;
use crate::abi::consts;
use crate::abi::consts::open::{O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY};
use crate::abi::consts::poll::{POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM};
use crate::host::{FileStat, FileTime, HostClock};
use crate::syscalls::{args, sets};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

const PAGE: usize = crate::mem::PAGE_SIZE as usize;
/// Pages of a new pipe.
const DEFAULT_PAGES: usize = 16;
/// The most that F_SETPIPE_SZ gives to those without CAP_SYS_RESOURCE (/proc/sys/fs/pipe-max-size).
const MAX_SIZE: u32 = 1 << 20;
/// Device number of the file system that pipes are in: 0:14.
const DEVICE: u64 = 14;

/// A page of data on its way.
#[derive(Debug, Default)]
struct Page {
    bytes: Vec<u8>,
    /// Bytes that have been read.
    start: usize,
    /// One read takes all of it.
    packet: bool,
}

impl Page {
    fn left(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// A pipe: what its ends share.
#[derive(Debug)]
struct Pipe {
    id: u64,
    pages: RefCell<VecDeque<Page>>,
    capacity: Cell<usize>,
    readers: Cell<u32>,
    writers: Cell<u32>,
    stat: FileStat,
    wakeups: Wakeups,
}

/// One end of a pipe, or both in one (opened for reading and writing through /proc).
#[derive(Debug)]
pub struct PipeEnd {
    pipe: Rc<Pipe>,
    reads: bool,
    writes: bool,
}

impl Pipe {
    fn key(&self) -> WaitKey {
        WaitKey::Object(self.id)
    }

    fn is_full(&self) -> bool {
        self.pages.borrow().len() >= self.capacity.get()
    }
}

impl PipeEnd {
    fn new(pipe: &Rc<Pipe>, reads: bool, writes: bool) -> PipeEnd {
        pipe.readers.set(pipe.readers.get() + u32::from(reads));
        pipe.writers.set(pipe.writers.get() + u32::from(writes));
        PipeEnd { pipe: Rc::clone(pipe), reads, writes }
    }

    /// A new open file of the same pipe, as opening /proc/PID/fd/N gives; `flags` are open(2)'s, canonical.
    pub fn reopen(&self, flags: u32) -> Rc<File> {
        let mode = flags & consts::open::O_ACCMODE;
        let end = PipeEnd::new(&self.pipe, mode != O_WRONLY, mode != O_RDONLY);
        File::new(end, &name(self.pipe.id), flags)
    }

    /// Bytes that a reader could get.
    pub fn available(&self) -> usize {
        self.pipe.pages.borrow().iter().map(|p| p.left().len()).sum()
    }

    /// Bytes that fit into the pages that are free.
    pub fn room(&self) -> usize {
        self.pipe.capacity.get().saturating_sub(self.pipe.pages.borrow().len()) * PAGE
    }

    /// Whether somebody could still read.
    pub fn has_readers(&self) -> bool {
        self.pipe.readers.get() > 0
    }

    /// Whether somebody could still write.
    pub fn has_writers(&self) -> bool {
        self.pipe.writers.get() > 0
    }

    /// Whether both are ends of one pipe.
    pub fn is_same_pipe(&self, other: &PipeEnd) -> bool {
        Rc::ptr_eq(&self.pipe, &other.pipe)
    }

    /// Until the pipe changes.
    pub fn wait(&self) -> Wait {
        Wait::key(self.pipe.key())
    }

    /// The first `max` bytes, left in the pipe.
    pub fn peek(&self, max: usize) -> Vec<u8> {
        let pages = self.pipe.pages.borrow();
        let mut out = Vec::new();
        for page in pages.iter() {
            let n = page.left().len().min(max - out.len());
            out.extend_from_slice(&page.left()[..n]);
            if out.len() == max {
                break;
            }
        }
        out
    }

    /// Drops the first `n` bytes.
    pub fn consume(&self, kernel: &mut Kernel, n: usize) {
        let mut left = n;
        let mut pages = self.pipe.pages.borrow_mut();
        while left > 0
            && let Some(page) = pages.front_mut()
        {
            let part = page.left().len().min(left);
            page.start += part;
            left -= part;
            if page.left().is_empty() {
                pages.pop_front();
            }
        }
        drop(pages);
        kernel.wake_all(self.pipe.key());
    }

    /// Copies from `buf` until the pipe is full; gives the number of bytes. A page is filled as wanted or not at all.
    fn fill(&self, buf: &mut Buffer, packet: bool) -> Result<usize, Errno> {
        let before = buf.done();
        let mut pages = self.pipe.pages.borrow_mut();
        let tail = buf.left() as usize % PAGE;
        if tail > 0
            && let Some(last) = pages.back_mut()
            && !last.packet
            && last.bytes.len() + tail <= PAGE
        {
            let mut bytes = vec![0; tail];
            buf.get_all(&mut bytes)?;
            last.bytes.extend_from_slice(&bytes);
        }
        while buf.left() > 0 && pages.len() < self.pipe.capacity.get() {
            let mut bytes = vec![0; (buf.left() as usize).min(PAGE)];
            match buf.get_all(&mut bytes) {
                Ok(()) => pages.push_back(Page { bytes, start: 0, packet }),
                Err(e) if buf.done() == before => return Err(e),
                Err(_) => break,
            }
        }
        Ok((buf.done() - before) as usize)
    }

    /// Copies to `buf` until it is full or the pipe empty; gives the number of bytes. What is wanted of a page is
    /// copied or nothing of it.
    fn drain(&self, buf: &mut Buffer) -> Result<usize, Errno> {
        let before = buf.done();
        let mut pages = self.pipe.pages.borrow_mut();
        while buf.left() > 0
            && let Some(page) = pages.front_mut()
        {
            let n = page.left().len().min(buf.left() as usize);
            match buf.put_all(&page.left()[..n]) {
                Ok(()) => page.start += n,
                Err(e) if buf.done() == before => return Err(e),
                Err(_) => break,
            }
            let packet = page.packet;
            if packet || page.left().is_empty() {
                pages.pop_front();
            }
            if packet {
                break;
            }
        }
        Ok((buf.done() - before) as usize)
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        let pipe = &self.pipe;
        pipe.readers.set(pipe.readers.get() - u32::from(self.reads));
        pipe.writers.set(pipe.writers.get() - u32::from(self.writes));
        pipe.wakeups.push(pipe.key());
    }
}

impl FileOps for PipeEnd {
    fn kind(&self) -> FileKind {
        FileKind::Fifo
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        if buf.left() == 0 {
            return Ok(0);
        }
        if self.pipe.pages.borrow().is_empty() {
            return if self.has_writers() { Err(Stop::Block(self.wait())) } else { Ok(0) };
        }
        let was_full = self.pipe.is_full();
        let n = self.drain(buf)?;
        if was_full {
            ctx.kernel.wake_events(self.pipe.key(), POLLOUT | POLLWRNORM);
        }
        Ok(n)
    }

    fn write(&self, ctx: &mut Ctx, file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        if buf.left() == 0 {
            return Ok(0);
        }
        if !self.has_readers() {
            return Err(Errno::EPIPE.into());
        }
        let was_empty = self.pipe.pages.borrow().is_empty();
        let n = self.fill(buf, file.flags() & O_DIRECT != 0)?;
        if n == 0 {
            return Err(Stop::Block(self.wait()));
        }
        let events = POLLIN | POLLRDNORM;
        if was_empty {
            ctx.kernel.wake_events(self.pipe.key(), events);
        } else {
            // Nobody waits for a pipe that holds bytes already, but it is news for an edge-triggered epoll.
            ctx.kernel.tell_watchers(self.pipe.key(), events);
        }
        Ok(n)
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let mut ready = 0;
        if self.reads {
            if !self.pipe.pages.borrow().is_empty() {
                ready |= POLLIN | POLLRDNORM;
            }
            if !self.has_writers() {
                ready |= POLLHUP;
            }
        }
        if self.writes {
            if !self.pipe.is_full() {
                ready |= POLLOUT | POLLWRNORM;
            }
            if !self.has_readers() {
                ready |= POLLERR;
            }
        }
        Readiness::object(ready, self.pipe.key())
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(self.pipe.stat)
    }

    fn inode(&self) -> u64 {
        self.pipe.stat.ino
    }

    fn ioctl(&self, ctx: &mut Ctx, _file: &File, request: u32, arg: u64) -> SysResult {
        if request != consts::ioctl::FIONREAD {
            return Err(Errno::ENOTTY.into());
        }
        let n = self.available() as i32;
        ctx.mem().copy_out(crate::mem::GuestAddr(arg), &n)?;
        Ok(0)
    }

    fn pipe_size(&self, ctx: &mut Ctx, new: Option<u32>) -> SysResult {
        if let Some(size) = new {
            let pages = match size {
                0 => return Err(Errno::EINVAL.into()),
                size => (size as usize).div_ceil(PAGE).checked_next_power_of_two().unwrap_or(usize::MAX),
            };
            let bytes = pages.checked_mul(PAGE).filter(|b| *b <= 1 << 31).ok_or(Errno::EINVAL)?;
            if bytes > MAX_SIZE as usize
                && pages > self.pipe.capacity.get()
                && !ctx.thread().credentials.has(consts::cap::CAP_SYS_RESOURCE)
            {
                return Err(Errno::EPERM.into());
            }
            if self.pipe.pages.borrow().len() > pages {
                return Err(Errno::EBUSY.into());
            }
            self.pipe.capacity.set(pages);
            ctx.kernel.wake_all(self.pipe.key());
        }
        Ok((self.pipe.capacity.get() * PAGE) as u64)
    }
}

/// What /proc/PID/fd shows for a pipe.
fn name(id: u64) -> Vec<u8> {
    format!("pipe:[{id}]").into_bytes()
}

/// A new pipe: its reading and its writing end. `flags` are pipe2(2)'s, canonical.
fn create(ctx: &mut Ctx, flags: u32) -> (Rc<File>, Rc<File>) {
    let now_ns = ctx.kernel.time.now_ns(&mut *ctx.kernel.host, HostClock::Realtime);
    let now = FileTime { sec: (now_ns / 1_000_000_000) as i64, nsec: (now_ns % 1_000_000_000) as u32 };
    let id = ctx.kernel.new_object();
    let credentials = &ctx.thread().credentials;
    let stat = FileStat {
        dev: DEVICE,
        ino: id,
        mode: 0o010600,
        nlink: 1,
        uid: credentials.uid[3],
        gid: credentials.gid[3],
        blksize: PAGE as u32,
        atime: now,
        mtime: now,
        ctime: now,
        ..FileStat::default()
    };
    let pipe = Rc::new(Pipe {
        id,
        pages: RefCell::default(),
        capacity: Cell::new(DEFAULT_PAGES),
        readers: Cell::new(0),
        writers: Cell::new(0),
        stat,
        wakeups: ctx.kernel.wakeups.clone(),
    });
    let flags = flags & (O_NONBLOCK | O_DIRECT);
    let reading = File::new(PipeEnd::new(&pipe, true, false), &name(id), O_RDONLY | (flags & O_NONBLOCK));
    let writing = File::new(PipeEnd::new(&pipe, false, true), &name(id), O_WRONLY | flags);
    (reading, writing)
}

fn make(ctx: &mut Ctx, fds: crate::mem::GuestAddr, flags: u32) -> SysResult {
    if flags & !(O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let close_on_exec = flags & O_CLOEXEC != 0;
    let (reading, writing) = create(ctx, flags);
    let from = ctx.install(reading, close_on_exec)?;
    let to = match ctx.install(writing, close_on_exec) {
        Ok(to) => to,
        Err(e) => {
            let _ = ctx.files().remove(from);
            return Err(e.into());
        }
    };
    let written = ctx.mem().copy_out(fds, &[from, to]);
    if let Err(e) = written {
        for fd in [from, to] {
            let _ = ctx.files().remove(fd);
        }
        return Err(e.into());
    }
    Ok(0)
}

/// pipe(2).
pub fn pipe(ctx: &mut Ctx, a: &args::Pipe) -> SysResult {
    make(ctx, a.pipefd, 0)
}

/// pipe2(2).
pub fn pipe2(ctx: &mut Ctx, a: &args::Pipe2) -> SysResult {
    let flags = sets::OPEN.to_canonical(ctx.arch, u64::from(a.flags)) as u32;
    make(ctx, a.pipefd, flags)
}
