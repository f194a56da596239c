//! epoll(7).
//!
//! As in Linux an epoll has entries and a list of those that may be ready, in the order in which they came to be so. An
//! entry gets on the list when something happens to its file: objects of the machine say so themselves
//! ([`Kernel::tell_watchers`]), files of the host through one edge-triggered queue of the host for each epoll. Who
//! waits takes entries from the front, asks each file what really holds, and puts those that are level-triggered back to
//! the end.

use super::poll::{Deadline, set_mask, timespec};
use super::*;
use crate::abi::consts::epoll::*;
use crate::abi::consts::epoll_create::EPOLL_CLOEXEC;
use crate::abi::consts::open::O_RDWR;
use crate::abi::consts::poll::{POLLIN, POLLRDNORM};
use crate::abi::consts::{cap, epoll_ctl as op};
use crate::arch::Arch;
use crate::host::{HostFd, PollFd};
use crate::kernel::file::{File, FileKind, FileOps, Readiness};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::rc::{Rc, Weak};

/// Bits that say how to report, not what (EP_PRIVATE_BITS).
const PRIVATE: u32 = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;
/// What an exclusive entry may ask for (EPOLLEXCLUSIVE_OK_BITS).
const EXCLUSIVE_OK: u32 = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
/// Epolls within epolls, from the outermost (EP_MAX_NESTS).
const MAX_NESTS: usize = 4;

/// An open file that an epoll watches under a descriptor.
#[derive(Debug)]
pub(super) struct Entry {
    epoll: Weak<Queue>,
    fd: i32,
    /// Orders entries of one descriptor number.
    number: u64,
    file: Weak<File>,
    events: Cell<u32>,
    data: Cell<u64>,
    /// It is on the ready list.
    listed: Cell<bool>,
    /// Objects whose changes it hears of.
    keys: RefCell<Vec<WaitKey>>,
    /// The host's descriptor that the epoll's host queue collects for it.
    host: Cell<Option<i32>>,
}

/// What an epoll holds.
#[derive(Debug)]
struct Queue {
    id: u64,
    entries: RefCell<BTreeMap<(i32, u64), Rc<Entry>>>,
    ready: RefCell<VecDeque<Rc<Entry>>>,
    /// Entries whose file tells a moment instead of a change.
    timed: RefCell<Vec<(u64, Weak<Entry>)>>,
    host: RefCell<Option<HostFd>>,
    /// Entries by the host's descriptor.
    hosted: RefCell<BTreeMap<i32, Vec<Weak<Entry>>>>,
    last_number: Cell<u64>,
}

/// An epoll as a file.
#[derive(Debug)]
struct Epoll(Rc<Queue>);

impl Entry {
    /// Whether any of these events would be reported.
    pub(super) fn wants(&self, events: u32) -> bool {
        self.events.get() & !PRIVATE & events != 0
    }

    /// Of several such epolls one is told.
    pub(super) fn is_exclusive(&self) -> bool {
        self.events.get() & EPOLLEXCLUSIVE != 0
    }

    /// Puts it on the ready list of its epoll; gives what waiters of the epoll wait for.
    pub(super) fn queue(self: &Rc<Self>) -> Option<WaitKey> {
        let queue = self.epoll.upgrade()?;
        queue.list(self);
        Some(queue.key())
    }

    fn is_of(&self, file: &Rc<File>) -> bool {
        std::ptr::eq(self.file.as_ptr(), Rc::as_ptr(file))
    }

    /// Hears of changes of exactly these objects.
    fn watch(self: &Rc<Self>, kernel: &mut Kernel, keys: Vec<WaitKey>) {
        if *self.keys.borrow() == keys {
            return;
        }
        for old in self.keys.take() {
            kernel.watchers.remove(old, self);
        }
        for key in &keys {
            kernel.watchers.add(*key, self);
        }
        *self.keys.borrow_mut() = keys;
    }
}

impl Queue {
    fn key(&self) -> WaitKey {
        WaitKey::Object(self.id)
    }

    fn list(&self, entry: &Rc<Entry>) {
        if !entry.listed.replace(true) {
            self.ready.borrow_mut().push_back(Rc::clone(entry));
        }
    }

    fn find(&self, fd: i32, file: &Rc<File>) -> Option<Rc<Entry>> {
        self.entries.borrow().range((fd, 0)..=(fd, u64::MAX)).map(|(_, e)| e).find(|e| e.is_of(file)).cloned()
    }

    /// Forgets an entry.
    fn remove(&self, kernel: &mut Kernel, entry: &Rc<Entry>) {
        entry.watch(kernel, Vec::new());
        self.entries.borrow_mut().remove(&(entry.fd, entry.number));
        if entry.listed.replace(false) {
            self.ready.borrow_mut().retain(|e| !Rc::ptr_eq(e, entry));
        }
        entry.events.set(0);
        let Some(raw) = entry.host.take() else { return };
        let mut hosted = self.hosted.borrow_mut();
        let Some(list) = hosted.get_mut(&raw) else { return };
        list.retain(|e| e.upgrade().is_some_and(|e| e.host.get().is_some()));
        if !list.is_empty() {
            return;
        }
        hosted.remove(&raw);
        // A file that is gone took its place in the host's queue with it.
        if let (Some(queue), Some(file)) = (&*self.host.borrow(), entry.file.upgrade())
            && let Some(fd) = file.ops().readiness_fd().filter(|fd| fd.raw() == raw)
        {
            kernel.host.drop_collected(queue, &fd);
        }
    }

    /// Lets the host collect what happens to `fd` for `entry`.
    fn collect(&self, kernel: &mut Kernel, entry: &Rc<Entry>, fd: &HostFd) -> Result<(), Errno> {
        if self.host.borrow().is_none() {
            *self.host.borrow_mut() = Some(kernel.host.ready_queue()?);
            // Whoever watches or polls this epoll has one more thing to wait for.
            kernel.wake_all(self.key());
        }
        let raw = fd.raw();
        let mut hosted = self.hosted.borrow_mut();
        let list = hosted.entry(raw).or_default();
        list.retain(|e| e.strong_count() > 0);
        if !list.iter().any(|e| std::ptr::eq(e.as_ptr(), Rc::as_ptr(entry))) {
            list.push(Rc::downgrade(entry));
        }
        let wanted = list.iter().filter_map(Weak::upgrade).fold(0, |all, e| all | e.events.get()) & !PRIVATE;
        entry.host.set(Some(raw));
        match &*self.host.borrow() {
            Some(queue) => kernel.host.collect(queue, fd, wanted, raw as u64),
            None => Ok(()),
        }
    }

    /// Puts what the host has collected, and what is due by the clock, on the ready list.
    fn take_collected(&self, ctx: &mut Ctx) {
        ctx.kernel.take_wakeups();
        if let Some(queue) = self.host.borrow().clone() {
            for (token, events) in ctx.kernel.host.take_collected(&queue) {
                let hosted = self.hosted.borrow();
                let Some(list) = hosted.get(&(token as i32)) else { continue };
                list.iter().filter_map(Weak::upgrade).filter(|e| e.wants(events)).for_each(|e| self.list(&e));
            }
        }
        if !self.timed.borrow().is_empty() {
            let now = ctx.kernel.monotonic_ns();
            self.timed.borrow_mut().retain(|(at, entry)| match entry.upgrade() {
                Some(entry) if *at <= now => {
                    self.list(&entry);
                    false
                }
                Some(_) => true,
                None => false,
            });
        }
    }

    /// What holds of an entry's file now, of what it asks for. Keeps up with what the file wants to be told by.
    fn ask(&self, ctx: &mut Ctx, entry: &Rc<Entry>, file: &Rc<File>) -> Result<u32, Errno> {
        let wanted = entry.events.get() & !PRIVATE;
        let Readiness { ready, host, keys, deadline_ns } = file.ops().readiness(ctx, file, wanted as i16);
        let mut found = u32::from(ready as u16);
        entry.watch(ctx.kernel, keys);
        if let Some(at) = deadline_ns {
            self.timed.borrow_mut().push((at, Rc::downgrade(entry)));
        }
        if let Some(fd) = host {
            if entry.host.get() != Some(fd.raw()) {
                self.collect(ctx.kernel, entry, &fd)?;
            }
            let mut one = [PollFd { fd, events: wanted as i16, revents: 0 }];
            // A signal for the guest that arrives just now is delivered at the next wait.
            if ctx.kernel.host.poll(&mut one, Some(0)).is_ok() {
                found |= u32::from(one[0].revents as u16);
            }
        }
        Ok(found & wanted)
    }

    /// Takes entries from the front of the ready list until `report` has taken `max`. `report` gets events and data.
    ///
    /// # Errors
    /// That of `report`, if it took none before.
    fn take_ready(
        self: &Rc<Self>,
        ctx: &mut Ctx,
        max: usize,
        mut report: impl FnMut(&mut Ctx, usize, u32, u64) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        let mut list = self.ready.take();
        let (mut done, mut failed) = (0, None);
        while done < max
            && let Some(entry) = list.pop_front()
        {
            entry.listed.set(false);
            let Some(file) = entry.file.upgrade() else {
                self.remove(ctx.kernel, &entry);
                continue;
            };
            let found = self.ask(ctx, &entry, &file).unwrap_or(0);
            if found == 0 {
                continue;
            }
            if let Err(e) = report(ctx, done, found, entry.data.get()) {
                entry.listed.set(true);
                list.push_front(entry);
                failed = Some(e);
                break;
            }
            done += 1;
            let events = entry.events.get();
            if events & EPOLLONESHOT != 0 {
                entry.events.set(events & PRIVATE);
            } else if events & EPOLLET == 0 {
                self.list(&entry);
            }
        }
        // Those not looked at come before what was listed meanwhile.
        list.append(&mut self.ready.borrow_mut());
        *self.ready.borrow_mut() = list;
        match failed {
            Some(e) if done == 0 => Err(e),
            _ => Ok(done),
        }
    }

    /// Whether an entry of the ready list really is ready; forgets those before it that are not.
    fn is_ready(self: &Rc<Self>, ctx: &mut Ctx) -> bool {
        self.take_collected(ctx);
        loop {
            let Some(entry) = self.ready.borrow().front().cloned() else { return false };
            if let Some(file) = entry.file.upgrade()
                && self.ask(ctx, &entry, &file).unwrap_or(0) != 0
            {
                return true;
            }
            entry.listed.set(false);
            self.ready.borrow_mut().retain(|e| !Rc::ptr_eq(e, &entry));
        }
    }

    /// Everything to wait for.
    fn wait(&self) -> Wait {
        let deadline_ns = self.timed.borrow().iter().map(|(at, _)| *at).min();
        let fds = self.host.borrow().iter().map(|fd| (fd.clone(), POLLIN as i16)).collect();
        Wait { fds, deadline_ns, keys: vec![self.key()] }
    }

    /// Epolls that this one watches.
    fn inner(&self) -> Vec<Rc<Queue>> {
        let entries = self.entries.borrow();
        let files = entries.values().filter_map(|e| e.file.upgrade());
        files.filter_map(|f| f.downcast::<Epoll>().map(|e| Rc::clone(&e.0))).collect()
    }

    /// Levels of epolls below this one; `None` if `avoid` is among them or there are too many.
    fn depth_below(&self, avoid: &Queue, level: usize) -> Option<usize> {
        if std::ptr::eq(self, avoid) || level > MAX_NESTS {
            return None;
        }
        self.inner().iter().try_fold(0, |most, q| Some(most.max(q.depth_below(avoid, level + 1)? + 1)))
    }

    /// Levels of epolls that watch this one.
    fn depth_above(&self, kernel: &Kernel, level: usize) -> usize {
        if level > MAX_NESTS {
            return level;
        }
        let watchers = kernel.watchers.of(self.key());
        let above = watchers.iter().filter_map(|e| e.epoll.upgrade());
        above.map(|q| q.depth_above(kernel, level + 1) + 1).max().unwrap_or(0)
    }
}

impl FileOps for Epoll {
    fn kind(&self) -> FileKind {
        FileKind::Anonymous
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn readiness(&self, ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let ready = if self.0.is_ready(ctx) { POLLIN | POLLRDNORM } else { 0 };
        let Wait { fds, deadline_ns, keys } = self.0.wait();
        Readiness { ready: ready as i16, host: fds.into_iter().next().map(|(fd, _)| fd), keys, deadline_ns }
    }

    fn readiness_fd(&self) -> Option<HostFd> {
        self.0.host.borrow().clone()
    }

    fn seek(&self, _ctx: &mut Ctx, _file: &File, _offset: i64, _whence: u32) -> Result<u64, Errno> {
        // noop_llseek
        Ok(0)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(anonymous_stat())
    }

    fn fdinfo_in(&self, kernel: &mut Kernel) -> String {
        let mut s = String::new();
        for e in self.0.entries.borrow().values() {
            let Some(file) = e.file.upgrade() else { continue };
            let (pos, ino, dev) = match file.host_fd() {
                Some(fd) => {
                    let stat = kernel.host.stat(fd).unwrap_or_default();
                    (kernel.host.seek(fd, 0, 1).unwrap_or(0), stat.ino, stat.dev)
                }
                None => (file.offset.get(), file.ops().inode(), 0),
            };
            let (events, data) = (e.events.get(), e.data.get());
            let _ =
                writeln!(s, "tfd: {:8} events: {events:8x} data: {data:16x}  pos:{pos} ino:{ino:x} sdev:{dev:x}", e.fd);
        }
        s
    }
}

fn create(ctx: &mut Ctx, flags: u32) -> SysResult {
    let queue = Queue {
        id: ctx.kernel.new_object(),
        entries: RefCell::default(),
        ready: RefCell::default(),
        timed: RefCell::default(),
        host: RefCell::default(),
        hosted: RefCell::default(),
        last_number: Cell::new(0),
    };
    install(ctx, Epoll(Rc::new(queue)), b"anon_inode:[eventpoll]", O_RDWR, flags)
}

/// epoll_create(2). The size is only checked.
pub fn epoll_create(ctx: &mut Ctx, a: &args::EpollCreate) -> SysResult {
    if a.size <= 0 {
        return Err(Errno::EINVAL.into());
    }
    create(ctx, 0)
}

/// epoll_create1(2).
pub fn epoll_create1(ctx: &mut Ctx, a: &args::EpollCreate1) -> SysResult {
    if a.flags & !EPOLL_CLOEXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    create(ctx, a.flags)
}

/// Where the data stands in a struct epoll_event, and its size: it is packed on x86_64 only.
fn layout(arch: Arch) -> (u64, u64) {
    match arch {
        Arch::X86_64 => (4, 12),
        Arch::Aarch64 => (8, 16),
    }
}

/// The file behind a descriptor, if it is an epoll.
fn epoll_of(file: &File) -> Result<Rc<Queue>, Errno> {
    file.downcast::<Epoll>().map(|e| Rc::clone(&e.0)).ok_or(Errno::EINVAL)
}

/// The file that an epoll watches under the number `fd`, after `skip` others of that number (KCMP_EPOLL_TFD).
///
/// # Errors
/// `EINVAL`: not an epoll. `ENOENT`.
pub(in crate::kernel) fn epoll_target(epoll: &File, fd: i32, skip: usize) -> Result<Rc<File>, Errno> {
    let queue = epoll_of(epoll)?;
    let entries = queue.entries.borrow();
    let mut files = entries.range((fd, 0)..=(fd, u64::MAX)).filter_map(|(_, e)| e.file.upgrade());
    files.nth(skip).ok_or(Errno::ENOENT)
}

fn open_file(ctx: &Ctx, fd: i32) -> Result<Rc<File>, Errno> {
    let file = ctx.file(fd)?;
    if file.is_path_only() { Err(Errno::EBADF) } else { Ok(file) }
}

/// epoll_ctl(2).
pub fn epoll_ctl(ctx: &mut Ctx, a: &args::EpollCtl) -> SysResult {
    let (mut events, mut data) = (0, 0);
    if a.op != op::EPOLL_CTL_DEL {
        let (at, size) = layout(ctx.arch);
        let mut bytes = [0; 16];
        ctx.mem().read(a.event, &mut bytes[..size as usize])?;
        let (head, tail) = bytes.split_at(at as usize);
        events = head.iter().take(4).rev().fold(0, |v, b| v << 8 | u32::from(*b));
        data = tail.iter().take(8).rev().fold(0, |v, b| v << 8 | u64::from(*b));
    }
    let (outer, file) = (open_file(ctx, a.epfd)?, open_file(ctx, a.fd)?);
    if !file.ops().can_poll() {
        return Err(Errno::EPERM.into());
    }
    if events & EPOLLWAKEUP != 0 && !ctx.thread().credentials.has(cap::CAP_BLOCK_SUSPEND) {
        events &= !EPOLLWAKEUP;
    }
    if Rc::ptr_eq(&outer, &file) {
        return Err(Errno::EINVAL.into());
    }
    let queue = epoll_of(&outer)?;
    let inner = epoll_of(&file).ok();
    if events & EPOLLEXCLUSIVE != 0
        && (a.op == op::EPOLL_CTL_MOD || a.op == op::EPOLL_CTL_ADD && (inner.is_some() || events & !EXCLUSIVE_OK != 0))
    {
        return Err(Errno::EINVAL.into());
    }
    if let (Some(inner), op::EPOLL_CTL_ADD) = (&inner, a.op) {
        let below = inner.depth_below(&queue, 0).ok_or(Errno::ELOOP)?;
        if below + 1 + queue.depth_above(ctx.kernel, 0) > MAX_NESTS {
            return Err(Errno::ELOOP.into());
        }
    }
    let entry = queue.find(a.fd, &file);
    let events = events | EPOLLERR | EPOLLHUP;
    match (a.op, entry) {
        (op::EPOLL_CTL_ADD, Some(_)) => Err(Errno::EEXIST.into()),
        (op::EPOLL_CTL_ADD, None) => add(ctx, &queue, (a.fd, &file), events, data),
        (op::EPOLL_CTL_DEL, Some(entry)) => {
            queue.remove(ctx.kernel, &entry);
            Ok(0)
        }
        (op::EPOLL_CTL_MOD, Some(entry)) if !entry.is_exclusive() => modify(ctx, &queue, &entry, &file, events, data),
        (op::EPOLL_CTL_DEL | op::EPOLL_CTL_MOD, None) => Err(Errno::ENOENT.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn add(ctx: &mut Ctx, queue: &Rc<Queue>, (fd, file): (i32, &Rc<File>), events: u32, data: u64) -> SysResult {
    // What is left of closed files under this number is of no use to anybody.
    let gone: Vec<Rc<Entry>> = queue
        .entries
        .borrow()
        .range((fd, 0)..=(fd, u64::MAX))
        .filter(|(_, e)| e.file.strong_count() == 0)
        .map(|(_, e)| Rc::clone(e))
        .collect();
    gone.iter().for_each(|e| queue.remove(ctx.kernel, e));
    let number = queue.last_number.get() + 1;
    queue.last_number.set(number);
    let entry = Rc::new(Entry {
        epoll: Rc::downgrade(queue),
        fd,
        number,
        file: Rc::downgrade(file),
        events: Cell::new(events),
        data: Cell::new(data),
        listed: Cell::new(false),
        keys: RefCell::default(),
        host: Cell::new(None),
    });
    queue.entries.borrow_mut().insert((fd, number), Rc::clone(&entry));
    match queue.ask(ctx, &entry, file) {
        Err(e) => {
            queue.remove(ctx.kernel, &entry);
            Err(e.into())
        }
        Ok(found) => {
            announce(ctx, &entry, found);
            Ok(0)
        }
    }
}

fn modify(ctx: &mut Ctx, queue: &Rc<Queue>, entry: &Rc<Entry>, file: &Rc<File>, events: u32, data: u64) -> SysResult {
    entry.events.set(events);
    entry.data.set(data);
    if entry.host.get().is_some()
        && let Some(fd) = file.ops().readiness_fd()
    {
        queue.collect(ctx.kernel, entry, &fd)?;
    }
    let found = queue.ask(ctx, entry, file)?;
    announce(ctx, entry, found);
    Ok(0)
}

/// Tells who waits at the epoll that an entry is ready already.
fn announce(ctx: &mut Ctx, entry: &Rc<Entry>, found: u32) {
    if found != 0
        && let Some(key) = entry.queue()
    {
        ctx.kernel.wake_events(key, POLLIN | POLLRDNORM);
    }
}

/// A wait at an epoll: the file, whatever becomes of the descriptor, and when to give up.
struct Waiter {
    file: Rc<File>,
    deadline: Deadline,
}

fn wait(
    ctx: &mut Ctx,
    (fd, events, max): (i32, GuestAddr, i32),
    mask: (GuestAddr, u64),
    timeout: impl FnOnce(&mut Ctx) -> Result<Option<u64>, Errno>,
) -> SysResult {
    let state = ctx.call_state(|_| None::<Waiter>);
    if state.borrow().is_none() {
        let deadline = Deadline::after(ctx, timeout)?;
        set_mask(ctx, mask.0, mask.1)?;
        let file = open_file(ctx, fd)?;
        let (_, size) = layout(ctx.arch);
        let max = u64::try_from(max).ok().filter(|n| *n > 0 && *n <= i32::MAX as u64 / size).ok_or(Errno::EINVAL)?;
        if !ctx.mem().access_ok(events, max * size) {
            return Err(Errno::EFAULT.into());
        }
        epoll_of(&file)?;
        *state.borrow_mut() = Some(Waiter { file, deadline });
    }
    let (file, deadline) = match &*state.borrow() {
        Some(w) => (Rc::clone(&w.file), w.deadline),
        None => return Err(Errno::EINVAL.into()),
    };
    let queue = epoll_of(&file)?;
    queue.take_collected(ctx);
    let done = queue.take_ready(ctx, max.max(0) as usize, |ctx, i, found, data| {
        let (at, size) = layout(ctx.arch);
        let to = GuestAddr(events.0.wrapping_add(i as u64 * size));
        ctx.mem().copy_out(to, &found)?;
        ctx.mem().copy_out(GuestAddr(to.0.wrapping_add(at)), &data)
    })?;
    if done > 0 || deadline.immediate || deadline.at_ns.is_some_and(|at| ctx.kernel.monotonic_ns() >= at) {
        return Ok(done as u64);
    }
    Err(ctx.wait(queue.wait().or_until(deadline.at_ns), Errno::EINTR))
}

/// Milliseconds as epoll_wait(2) takes them.
fn milliseconds(timeout: i32) -> Option<u64> {
    u64::try_from(timeout).ok().map(|ms| ms * 1_000_000)
}

/// epoll_wait(2).
pub fn epoll_wait(ctx: &mut Ctx, a: &args::EpollWait) -> SysResult {
    let timeout = milliseconds(a.timeout);
    wait(ctx, (a.epfd, a.events, a.maxevents), (GuestAddr::NULL, 0), |_| Ok(timeout))
}

/// epoll_pwait(2).
pub fn epoll_pwait(ctx: &mut Ctx, a: &args::EpollPwait) -> SysResult {
    let timeout = milliseconds(a.timeout);
    wait(ctx, (a.epfd, a.events, a.maxevents), (a.sigmask, a.sigsetsize), |_| Ok(timeout))
}

/// epoll_pwait2(2).
pub fn epoll_pwait2(ctx: &mut Ctx, a: &args::EpollPwait2) -> SysResult {
    wait(ctx, (a.epfd, a.events, a.maxevents), (a.sigmask, a.sigsetsize), |ctx| timespec(ctx, a.timeout, 1))
}
