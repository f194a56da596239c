//! Pseudoterminals: the pair and its two kinds of open files (pty(7)).

use super::discipline::Discipline;
use super::*;
use crate::abi::WinSize;
use crate::abi::consts::c_lflag::TOSTOP;
use crate::abi::consts::poll::{POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM};
use crate::host::{FileStat, FileTime};
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, Label, Readiness};
use std::any::Any;
use std::cell::Cell;

/// Output that can wait for the master, in bytes.
const OUTPUT_MAX: usize = 65536;
/// The most that one read of the master gives.
const READ_MAX: usize = 4095;
/// Device number of the file system /dev/pts, and the first of its inode numbers for terminals.
const DEVICE: u64 = 0x18;
const FIRST_INO: u64 = 3;
/// Group `tty` and the mode that devpts gives.
const TTY_GID: u32 = 5;
const MODE: u32 = 0o020620;
/// Major number of slaves.
const SLAVE_MAJOR: u32 = 136;

/// A pseudoterminal: what its two sides share.
#[derive(Debug)]
pub struct Pty {
    /// N of /dev/pts/N.
    pub number: u32,
    object: u64,
    /// What becomes of what is typed and shown.
    pub(super) discipline: RefCell<Discipline>,
    /// Rows and columns.
    pub(super) size: Cell<WinSize>,
    /// Whose controlling terminal it is.
    pub(super) control: Cell<Control>,
    /// The slave cannot be opened (unlockpt(3)).
    pub(super) locked: Cell<bool>,
    /// TIOCEXCL.
    pub(super) exclusive: Cell<bool>,
    slaves: Cell<u32>,
    /// The last slave has been closed and none opened since.
    slave_closed: Cell<bool>,
    has_master: Cell<bool>,
    hangups: Cell<u32>,
    stat: Cell<FileStat>,
    /// When each reader's present read began, for VTIME.
    reads: RefCell<BTreeMap<Tid, u64>>,
    wakeups: Wakeups,
    closed: Rc<RefCell<Vec<u32>>>,
}

impl Pty {
    pub(super) fn new(
        number: u32,
        object: u64,
        uid: u32,
        now: FileTime,
        wakeups: Wakeups,
        closed: Rc<RefCell<Vec<u32>>>,
    ) -> Pty {
        let stat = FileStat {
            dev: DEVICE,
            ino: FIRST_INO + u64::from(number),
            mode: MODE,
            nlink: 1,
            uid,
            gid: TTY_GID,
            rdev: rustix::fs::makedev(SLAVE_MAJOR + number / 256, number % 256),
            blksize: 1024,
            atime: now,
            mtime: now,
            ctime: now,
            ..FileStat::default()
        };
        Pty {
            number,
            object,
            discipline: RefCell::new(Discipline::new()),
            size: Cell::default(),
            control: Cell::default(),
            locked: Cell::new(true),
            exclusive: Cell::new(false),
            slaves: Cell::new(0),
            slave_closed: Cell::new(false),
            has_master: Cell::new(false),
            hangups: Cell::new(0),
            stat: Cell::new(stat),
            reads: RefCell::default(),
            wakeups,
            closed,
        }
    }

    /// What changes of it wake.
    pub fn key(&self) -> WaitKey {
        WaitKey::Object(self.object)
    }

    /// Whether its master is open.
    pub fn has_master(&self) -> bool {
        self.has_master.get()
    }

    pub(super) fn slaves(&self) -> u32 {
        self.slaves.get()
    }

    /// What stat(2) says about /dev/pts/N.
    pub fn stat(&self) -> FileStat {
        self.stat.get()
    }

    /// Changes owner, group (`u32::MAX`: not) or permission bits of /dev/pts/N.
    pub fn change(&self, uid: u32, gid: u32, mode: Option<u32>, now: FileTime) {
        let mut stat = self.stat.get();
        if uid != u32::MAX {
            stat.uid = uid;
        }
        if gid != u32::MAX {
            stat.gid = gid;
        }
        if let Some(mode) = mode {
            stat.mode = stat.mode & !0o7777 | mode & 0o7777;
        }
        stat.ctime = now;
        self.stat.set(stat);
    }

    /// Those that have a slave open get nothing from it any more.
    pub(super) fn hang_up(&self) {
        self.hangups.set(self.hangups.get() + 1);
        self.control.set(Control::default());
        let mut discipline = self.discipline.borrow_mut();
        discipline.flush_input();
        discipline.signals.clear();
    }

    /// Opens the master side.
    pub fn open_master(self: &Rc<Pty>, flags: u32) -> Rc<File> {
        self.has_master.set(true);
        File::new(MasterEnd { pty: Rc::clone(self) }, b"/dev/ptmx", flags)
    }

    /// Opens the slave side under the name `path`, which `stat` describes.
    ///
    /// # Errors
    /// `EIO`: it is locked or hung up. `EBUSY`: somebody has it for himself.
    pub fn open_slave(
        self: &Rc<Pty>,
        ctx: &mut Ctx,
        path: &[u8],
        how: SlaveOpen,
        flags: u32,
    ) -> Result<Rc<File>, Errno> {
        if !self.has_master() || self.locked.get() {
            return Err(Errno::EIO);
        }
        let admin = ctx.thread().credentials.has(crate::abi::consts::cap::CAP_SYS_ADMIN);
        if self.exclusive.get() && self.slaves.get() > 0 && !admin {
            return Err(Errno::EBUSY);
        }
        let end = SlaveEnd::new(self, how == SlaveOpen::Current);
        let file = File::new(end, path, flags);
        if flags & crate::abi::consts::open::O_NOCTTY == 0 {
            ctx.acquire_by_open(Tty::Pty(self.number), &file);
        }
        self.wakeups.push(self.key());
        Ok(file)
    }

    fn wait(&self) -> Stop {
        Stop::Block(Wait::key(self.key()))
    }

    /// Bytes of output that fit, while output is not stopped.
    fn output_room(&self) -> usize {
        let d = self.discipline.borrow();
        if d.output.stopped { 0 } else { OUTPUT_MAX.saturating_sub(d.output.ready.len()) }
    }
}

/// By which way a slave is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaveOpen {
    /// By its name, or through its master (TIOCGPTPEER).
    Name,
    /// As /dev/tty.
    Current,
}

/// An open master.
#[derive(Debug)]
pub struct MasterEnd {
    pty: Rc<Pty>,
}

impl MasterEnd {
    /// Its pair.
    pub fn pty(&self) -> &Rc<Pty> {
        &self.pty
    }
}

impl Drop for MasterEnd {
    fn drop(&mut self) {
        self.pty.has_master.set(false);
        self.pty.closed.borrow_mut().push(self.pty.number);
        self.pty.wakeups.push(self.pty.key());
    }
}

impl FileOps for MasterEnd {
    fn label(&self) -> Option<Label> {
        Some(Label::Character(5, 2))
    }

    fn kind(&self) -> FileKind {
        FileKind::Character
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        let pty = &self.pty;
        let mut d = pty.discipline.borrow_mut();
        let mut max = (buf.left() as usize).min(READ_MAX);
        if max == 0 {
            return Ok(0);
        }
        let mut bytes = Vec::new();
        if let Some(status) = d.packet.as_mut() {
            bytes.push(std::mem::take(status));
            max -= 1;
        }
        if bytes.first().is_none_or(|status| *status == 0) {
            if d.output.ready.is_empty() {
                drop(d);
                return if pty.slave_closed.get() { Err(Errno::EIO.into()) } else { Err(pty.wait()) };
            }
            let n = d.output.ready.len().min(max);
            bytes.extend(d.output.ready.drain(..n));
        }
        drop(d);
        ctx.kernel.wake_all(pty.key());
        Ok(buf.put(&bytes)?)
    }

    fn write(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        let pty = &self.pty;
        if buf.left() == 0 {
            return Ok(0);
        }
        let room = pty.discipline.borrow().room();
        if room == 0 {
            return Err(pty.wait());
        }
        let mut bytes = vec![0; room.min(buf.left() as usize)];
        let n = buf.get(&mut bytes)?;
        let now_ns = ctx.kernel.monotonic_ns();
        let mut d = pty.discipline.borrow_mut();
        d.receive(&bytes[..n]);
        d.last_input_ns = now_ns;
        drop(d);
        ctx.kernel.settle(pty);
        Ok(n)
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let d = self.pty.discipline.borrow();
        let mut ready = 0;
        if !d.output.ready.is_empty() {
            ready |= POLLIN | POLLRDNORM;
        }
        if d.packet.is_some_and(|status| status != 0) {
            ready |= POLLPRI | POLLIN | POLLRDNORM;
        }
        if self.pty.slave_closed.get() {
            ready |= POLLHUP;
        }
        if d.room() > 0 {
            ready |= POLLOUT | POLLWRNORM;
        }
        Readiness::object(ready, self.pty.key())
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(devfs::ptmx_stat(ctx.kernel))
    }

    fn ioctl(&self, ctx: &mut Ctx, file: &File, request: u32, arg: u64) -> SysResult {
        ioctl::request(ctx, &self.pty, session::Side::Master, file, request, arg)
    }
}

/// An open slave.
#[derive(Debug)]
pub struct SlaveEnd {
    pty: Rc<Pty>,
    /// Hangups that there had been when it was opened.
    hangups: u32,
    /// It was opened as /dev/tty.
    current: bool,
}

impl SlaveEnd {
    fn new(pty: &Rc<Pty>, current: bool) -> SlaveEnd {
        pty.slaves.set(pty.slaves.get() + 1);
        pty.slave_closed.set(false);
        SlaveEnd { pty: Rc::clone(pty), hangups: pty.hangups.get(), current }
    }

    /// Its pair.
    pub fn pty(&self) -> &Rc<Pty> {
        &self.pty
    }

    /// Whether it was opened as /dev/tty.
    pub fn is_current(&self) -> bool {
        self.current
    }

    fn is_hung_up(&self) -> bool {
        self.hangups != self.pty.hangups.get() || !self.pty.has_master()
    }

    fn tty(&self) -> Tty {
        Tty::Pty(self.pty.number)
    }

    /// When a read gives what there is, if it would wait now: `Ok(None)` never, an earlier moment at once.
    fn deadline(&self, ctx: &mut Ctx) -> Option<u64> {
        let (tid, now_ns) = (ctx.tid, ctx.kernel.monotonic_ns());
        let is_new = ctx.thread().call_state.is_none();
        let mut reads = self.pty.reads.borrow_mut();
        let begun = match (is_new, reads.get(&tid)) {
            (false, Some(begun)) => *begun,
            _ => now_ns,
        };
        reads.insert(tid, begun);
        let d = self.pty.discipline.borrow();
        if d.reads_lines() {
            return None;
        }
        let (min, time) = (d.min(), d.time_ns());
        match (min, d.queued()) {
            (0, _) => Some(begun + time),
            (_, 0) => None,
            _ if time > 0 => Some(begun.max(d.last_input_ns) + time),
            _ => None,
        }
    }
}

impl Drop for SlaveEnd {
    fn drop(&mut self) {
        let pty = &self.pty;
        pty.slaves.set(pty.slaves.get().saturating_sub(1));
        if pty.slaves.get() == 0 {
            pty.slave_closed.set(true);
            pty.exclusive.set(false);
            pty.closed.borrow_mut().push(pty.number);
        }
        pty.wakeups.push(pty.key());
    }
}

impl FileOps for SlaveEnd {
    fn label(&self) -> Option<Label> {
        Some(Label::Character(SLAVE_MAJOR + self.pty.number / 256, self.pty.number % 256))
    }

    fn kind(&self) -> FileKind {
        FileKind::Character
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        if self.is_hung_up() {
            return Ok(0);
        }
        ctx.check_foreground(self.tty(), Signal::SIGTTIN)?;
        if buf.left() == 0 {
            return Ok(0);
        }
        let deadline = self.deadline(ctx);
        let now_ns = ctx.kernel.monotonic_ns();
        let max = buf.left() as usize;
        let mut d = self.pty.discipline.borrow_mut();
        let enough = match (d.reads_lines(), file.is_nonblocking()) {
            (true, _) | (_, true) => 1,
            _ => d.min().clamp(1, max),
        };
        let expired = deadline.is_some_and(|at| at <= now_ns);
        if !d.has_input(enough) && !expired {
            drop(d);
            return Err(Stop::Block(Wait::key(self.pty.key()).or_until(deadline)));
        }
        let bytes = d.read(max);
        drop(d);
        self.pty.reads.borrow_mut().remove(&ctx.tid);
        ctx.kernel.settle(&self.pty);
        if bytes.is_empty() {
            return Ok(0);
        }
        Ok(buf.put(&bytes)?)
    }

    fn write(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        if self.is_hung_up() {
            return Err(Errno::EIO.into());
        }
        let settings = self.pty.discipline.borrow().termios.base;
        if settings.lflag & TOSTOP != 0 {
            ctx.check_foreground(self.tty(), Signal::SIGTTOU)?;
        }
        if buf.left() == 0 {
            return Ok(0);
        }
        // A tab may become eight blanks.
        let room = self.pty.output_room() / 8;
        if room == 0 {
            return Err(self.pty.wait());
        }
        let mut bytes = vec![0; room.min(buf.left() as usize)];
        let n = buf.get(&mut bytes)?;
        let mut d = self.pty.discipline.borrow_mut();
        bytes[..n].iter().for_each(|c| d.output.byte(&settings, *c));
        drop(d);
        ctx.kernel.wake_all(self.pty.key());
        Ok(n)
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        if self.is_hung_up() {
            let all = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
            return Readiness::now(all);
        }
        let d = self.pty.discipline.borrow();
        let mut ready = 0;
        if d.has_input(if d.time_ns() == 0 { d.min() } else { 1 }) {
            ready |= POLLIN | POLLRDNORM;
        }
        drop(d);
        if self.pty.output_room() >= 8 {
            ready |= POLLOUT | POLLWRNORM;
        }
        Readiness::object(ready, self.pty.key())
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(if self.current { devfs::tty_stat(ctx.kernel) } else { self.pty.stat() })
    }

    fn ioctl(&self, ctx: &mut Ctx, file: &File, request: u32, arg: u64) -> SysResult {
        if self.is_hung_up() {
            let refused = if request == crate::abi::consts::ioctl::TIOCSPGRP { Errno::ENOTTY } else { Errno::EIO };
            return Err(refused.into());
        }
        ioctl::request(ctx, &self.pty, session::Side::Slave, file, request, arg)
    }
}
