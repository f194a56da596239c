//! POSIX message queues (mq_overview(7)).

mod notice;

pub use notice::mq_notify;

use super::*;
use crate::abi::consts::open::{O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY};
use crate::abi::consts::poll::{POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM};
use crate::abi::consts::sigev_notify::{SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD};
use crate::abi::{MqAttr, Sigevent, Timespec};
use crate::host::{FileStat, FileTime};
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, Readiness};
use crate::kernel::signal::{Fields, SigInfo};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use crate::syscalls::sets;
use notice::Notice;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

/// Limits (/proc/sys/fs/mqueue, include/linux/ipc_namespace.h).
const QUEUES_MAX: usize = 256;
const MSG_MAX: i64 = 10;
const MSGSIZE_MAX: i64 = 8192;
const HARD_MSG_MAX: i64 = 65536;
const HARD_MSGSIZE_MAX: i64 = 16 << 20;
const PRIO_MAX: u32 = 32768;
const NAME_MAX: usize = 255;
const RLIMIT_MSGQUEUE: usize = 12;
/// What a message costs beside its bytes (struct msg_msg, struct posix_msg_tree_node).
const OVERHEAD: i64 = 48 + 40;
/// `si_code` of a queue's signal.
const SI_MESGQ: i32 = -3;
/// Device number of the file system that queues are in, 0:16, and the size it shows for each.
const DEVICE: u64 = 16;
const FILE_SIZE: u64 = 80;

/// A message with its priority.
#[derive(Clone, Debug)]
struct Message {
    priority: u32,
    text: Vec<u8>,
}

/// A receiver that waits for a message.
#[derive(Debug)]
struct Receiver {
    tid: Tid,
    got: RefCell<Option<Message>>,
}

/// A queue.
#[derive(Debug)]
struct Queue {
    id: u64,
    max_messages: i64,
    max_size: i64,
    /// By priority, the highest first, then by age.
    messages: RefCell<VecDeque<Message>>,
    receivers: RefCell<Vec<Weak<Receiver>>>,
    notice: RefCell<Option<Notice>>,
    mode: u32,
    uid: u32,
    gid: u32,
    /// User and bytes that count against RLIMIT_MSGQUEUE.
    cost: (u32, u64),
    linked: Cell<bool>,
    created: FileTime,
}

/// An open queue.
#[derive(Debug)]
struct OpenQueue(Rc<Queue>);

/// The queues that have names, and the memory that users have in queues.
#[derive(Debug, Default)]
pub(super) struct Queues {
    named: BTreeMap<Vec<u8>, Rc<Queue>>,
    all: Vec<Weak<Queue>>,
}

impl Queues {
    fn bytes_of(&mut self, uid: u32) -> u64 {
        self.all.retain(|q| q.strong_count() > 0);
        self.all.iter().filter_map(Weak::upgrade).filter(|q| q.cost.0 == uid).map(|q| q.cost.1).sum()
    }
}

impl Queue {
    fn key(&self) -> WaitKey {
        WaitKey::Object(self.id)
    }

    fn is_full(&self) -> bool {
        self.messages.borrow().len() as i64 >= self.max_messages
    }

    /// Whether the caller may open it so (inode_permission()).
    fn permits(&self, ctx: &mut Ctx, access: u32) -> bool {
        let c = &ctx.thread().credentials;
        let bits = match access {
            O_RDONLY => 4,
            O_WRONLY => 2,
            _ => 6,
        };
        let granted = if c.uid[3] == self.uid {
            self.mode >> 6
        } else if c.gid[3] == self.gid || c.groups.contains(&self.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        granted & bits == bits || c.has(cap::CAP_DAC_OVERRIDE)
    }

    /// The caller's process no longer wants to be told.
    fn take_back_notice(&self, ctx: &mut Ctx) {
        let notice = self.notice.borrow_mut().take_if(|n| n.is_of(ctx.pid));
        if let Some(notice) = notice {
            notice.taken_back(ctx);
        }
    }

    fn insert(&self, message: Message) {
        let mut messages = self.messages.borrow_mut();
        let at = messages.iter().position(|m| m.priority < message.priority).unwrap_or(messages.len());
        messages.insert(at, message);
    }
}

impl FileOps for OpenQueue {
    fn kind(&self) -> FileKind {
        FileKind::Regular
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn can_poll(&self) -> bool {
        true
    }

    fn read(&self, _ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        let bytes: usize = self.0.messages.borrow().iter().map(|m| m.text.len()).sum();
        let (kind, signal, pid) = self.0.notice.borrow().as_ref().map_or((0, 0, 0), Notice::shown);
        let text = format!("QSIZE:{bytes:<10} NOTIFY:{kind:<5} SIGNO:{signal:<5} NOTIFY_PID:{pid:<6}\n");
        let at = how.at.unwrap_or(file.offset.get());
        let rest = text.as_bytes().get(at as usize..).unwrap_or_default();
        let n = buf.put(rest)?;
        if how.at.is_none() {
            file.offset.set(at + n as u64);
        }
        Ok(n)
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let mut ready = 0;
        if !self.0.messages.borrow().is_empty() {
            ready |= POLLIN | POLLRDNORM;
        }
        if !self.0.is_full() {
            ready |= POLLOUT | POLLWRNORM;
        }
        Readiness::object(ready, self.0.key())
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        let q = &self.0;
        Ok(FileStat {
            dev: DEVICE,
            ino: q.id,
            mode: 0o100_000 | q.mode,
            nlink: u32::from(q.linked.get()),
            uid: q.uid,
            gid: q.gid,
            size: FILE_SIZE,
            blksize: 4096,
            atime: q.created,
            mtime: q.created,
            ctime: q.created,
            ..FileStat::default()
        })
    }

    fn inode(&self) -> u64 {
        self.0.id
    }

    fn closed(&self, ctx: &mut Ctx) {
        // The registration ends when its process closes any descriptor of the queue (mqueue_flush_file()).
        self.0.take_back_notice(ctx);
    }
}

/// A queue's name, which the C library has taken the slash from.
fn name_of(ctx: &Ctx, addr: GuestAddr) -> Result<Vec<u8>, Errno> {
    let name = ctx.path(addr)?;
    if name.is_empty() {
        return Err(Errno::ENOENT);
    }
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    if name.contains(&b'/') || name == b"." || name == b".." { Err(Errno::EACCES) } else { Ok(name) }
}

/// mq_open(2).
pub fn mq_open(ctx: &mut Ctx, a: &args::MqOpen) -> SysResult {
    let flags = sets::OPEN.to_canonical(ctx.arch, a.oflag.into()) as u32;
    let attr: Option<MqAttr> = if a.attr.is_null() { None } else { Some(ctx.mem().copy_in(a.attr)?) };
    let name = name_of(ctx, a.name)?;
    let access = flags & O_ACCMODE;
    let existing = ctx.kernel.ipc.mq.named.get(&name).cloned();
    let queue = match existing {
        Some(queue) => {
            if flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL {
                return Err(Errno::EEXIST.into());
            }
            if access == O_ACCMODE {
                return Err(Errno::EINVAL.into());
            }
            if !queue.permits(ctx, access) {
                return Err(Errno::EACCES.into());
            }
            queue
        }
        None if flags & O_CREAT == 0 => return Err(Errno::ENOENT.into()),
        None => {
            let queue = create(ctx, a.mode, attr)?;
            ctx.kernel.ipc.mq.named.insert(name.clone(), Rc::clone(&queue));
            queue
        }
    };
    let path = [b"/", &name[..]].concat();
    let file = File::new(OpenQueue(queue), &path, access | flags & O_NONBLOCK);
    Ok(ctx.install(file, true)? as u64)
}

fn create(ctx: &mut Ctx, mode: u32, attr: Option<MqAttr>) -> Result<Rc<Queue>, Errno> {
    let umask = ctx.thread().fs.borrow().umask;
    let c = &ctx.thread().credentials;
    let (uid, gid, privileged) = (c.uid[3], c.gid[3], c.has(cap::CAP_SYS_RESOURCE));
    let user = c.uid[0];
    if ctx.kernel.ipc.mq.named.len() >= QUEUES_MAX && !privileged {
        return Err(Errno::ENOSPC);
    }
    let (max_messages, max_size) = attr.map_or((MSG_MAX, MSGSIZE_MAX), |a| (a.mq_maxmsg, a.mq_msgsize));
    let limits = if privileged { (HARD_MSG_MAX, HARD_MSGSIZE_MAX) } else { (MSG_MAX, MSGSIZE_MAX) };
    if max_messages <= 0 || max_size <= 0 || max_messages > limits.0 || max_size > limits.1 {
        return Err(Errno::EINVAL);
    }
    let cost = (max_messages.saturating_mul(max_size.saturating_add(OVERHEAD))) as u64;
    let limit = ctx.process().limits[RLIMIT_MSGQUEUE].soft;
    if ctx.kernel.ipc.mq.bytes_of(user).saturating_add(cost) > limit {
        return Err(Errno::EMFILE);
    }
    let now_ns = ctx.kernel.realtime_ns();
    let queue = Rc::new(Queue {
        id: ctx.kernel.new_object(),
        max_messages,
        max_size,
        messages: RefCell::default(),
        receivers: RefCell::default(),
        notice: RefCell::default(),
        mode: mode & 0o777 & !umask,
        uid,
        gid,
        cost: (user, cost),
        linked: Cell::new(true),
        created: FileTime { sec: (now_ns / 1_000_000_000) as i64, nsec: (now_ns % 1_000_000_000) as u32 },
    });
    ctx.kernel.ipc.mq.all.push(Rc::downgrade(&queue));
    Ok(queue)
}

/// mq_unlink(2).
pub fn mq_unlink(ctx: &mut Ctx, a: &args::MqUnlink) -> SysResult {
    let name = name_of(ctx, a.name)?;
    let queue = ctx.kernel.ipc.mq.named.get(&name).ok_or(Errno::ENOENT)?;
    // The directory is sticky and belongs to root.
    let uid = queue.uid;
    let c = &ctx.thread().credentials;
    if c.uid[3] != uid && !c.has(cap::CAP_FOWNER) {
        return Err(Errno::EACCES.into());
    }
    if let Some(queue) = ctx.kernel.ipc.mq.named.remove(&name) {
        queue.linked.set(false);
    }
    Ok(0)
}

/// The queue behind a descriptor and its file, open for `access`.
fn open_queue(ctx: &Ctx, fd: i32) -> Result<(Rc<File>, Rc<Queue>), Errno> {
    let file = ctx.file(fd)?;
    let queue = file.downcast::<OpenQueue>().map(|q| Rc::clone(&q.0)).ok_or(Errno::EBADF)?;
    Ok((file, queue))
}

/// A send or receive that waits.
struct Waits {
    deadline_ns: Option<u64>,
    message: Option<Message>,
    receiver: Option<Rc<Receiver>>,
}

/// The moment of the monotonic clock at which the wall clock will show what stands at `addr`.
fn deadline(ctx: &mut Ctx, addr: GuestAddr) -> Result<Option<u64>, Errno> {
    if addr.is_null() {
        return Ok(None);
    }
    let t: Timespec = ctx.mem().copy_in(addr)?;
    let at = t.to_ns().ok_or(Errno::EINVAL)?;
    let left = at.saturating_sub(ctx.kernel.realtime_ns());
    Ok(Some(ctx.kernel.monotonic_ns().saturating_add(left)))
}

/// Goes on waiting, unless the time is over or a signal has come.
fn wait(ctx: &mut Ctx, wait: Wait, deadline_ns: Option<u64>) -> Stop {
    if deadline_ns.is_some_and(|at| ctx.kernel.monotonic_ns() >= at) {
        return Errno::ETIMEDOUT.into();
    }
    ctx.wait(wait.or_until(deadline_ns), Errno::ERESTARTSYS)
}

/// mq_timedsend(2).
pub fn mq_timedsend(ctx: &mut Ctx, a: &args::MqTimedsend) -> SysResult {
    let state = ctx.call_state(|_| None::<Waits>);
    let begun = state.borrow().is_some();
    let deadline_ns =
        if begun { state.borrow().as_ref().and_then(|w| w.deadline_ns) } else { deadline(ctx, a.abs_timeout)? };
    if a.msg_prio >= PRIO_MAX {
        return Err(Errno::EINVAL.into());
    }
    let (file, queue) = open_queue(ctx, a.mqdes)?;
    if !file.can_write() {
        return Err(Errno::EBADF.into());
    }
    if a.msg_len > queue.max_size as u64 {
        return Err(Errno::EMSGSIZE.into());
    }
    if !begun {
        let mut text = vec![0; a.msg_len as usize];
        ctx.mem().read(a.msg_ptr, &mut text)?;
        let message = Some(Message { priority: a.msg_prio, text });
        *state.borrow_mut() = Some(Waits { deadline_ns, message, receiver: None });
    }
    if queue.is_full() {
        if file.is_nonblocking() {
            return Err(Errno::EAGAIN.into());
        }
        return Err(wait(ctx, Wait::key(queue.key()), deadline_ns));
    }
    let message = state.borrow_mut().as_mut().and_then(|w| w.message.take());
    if let Some(message) = message {
        put(ctx, &queue, message);
    }
    Ok(0)
}

/// Gives a message to who has waited longest, or puts it into the queue and tells of it.
fn put(ctx: &mut Ctx, queue: &Rc<Queue>, message: Message) {
    let mut receivers = queue.receivers.borrow_mut();
    receivers.retain(|r| r.strong_count() > 0);
    let first = receivers.iter().filter_map(Weak::upgrade).find(|r| r.got.borrow().is_none());
    drop(receivers);
    if let Some(receiver) = first {
        *receiver.got.borrow_mut() = Some(message);
        ctx.kernel.wake(receiver.tid);
        return;
    }
    let was_empty = queue.messages.borrow().is_empty();
    queue.insert(message);
    ctx.kernel.wake_events(queue.key(), POLLIN | POLLRDNORM);
    if !was_empty {
        return;
    }
    // Once: who wants more registers again.
    let Some(notice) = queue.notice.borrow_mut().take() else { return };
    notice.tell(ctx);
}

/// mq_timedreceive(2).
pub fn mq_timedreceive(ctx: &mut Ctx, a: &args::MqTimedreceive) -> SysResult {
    let state = ctx.call_state(|_| None::<Waits>);
    let waits = state.borrow().as_ref().map(|w| (w.deadline_ns, w.receiver.clone()));
    if let Some((deadline_ns, Some(receiver))) = waits {
        let got = receiver.got.borrow_mut().take();
        return match got {
            Some(message) => deliver(ctx, a, &message),
            None => {
                let stop = wait(ctx, Wait::default(), deadline_ns);
                if matches!(stop, Stop::Errno(_)) {
                    *state.borrow_mut() = None;
                }
                Err(stop)
            }
        };
    }
    let deadline_ns = deadline(ctx, a.abs_timeout)?;
    let (file, queue) = open_queue(ctx, a.mqdes)?;
    if !file.can_read() {
        return Err(Errno::EBADF.into());
    }
    if a.msg_len < queue.max_size as u64 {
        return Err(Errno::EMSGSIZE.into());
    }
    let first = queue.messages.borrow_mut().pop_front();
    if let Some(message) = first {
        ctx.kernel.wake_events(queue.key(), POLLOUT | POLLWRNORM);
        return deliver(ctx, a, &message);
    }
    if file.is_nonblocking() {
        return Err(Errno::EAGAIN.into());
    }
    let receiver = Rc::new(Receiver { tid: ctx.tid, got: RefCell::new(None) });
    let stop = wait(ctx, Wait::default(), deadline_ns);
    if matches!(stop, Stop::Block(_)) {
        queue.receivers.borrow_mut().push(Rc::downgrade(&receiver));
        *state.borrow_mut() = Some(Waits { deadline_ns, message: None, receiver: Some(receiver) });
    }
    Err(stop)
}

fn deliver(ctx: &mut Ctx, a: &args::MqTimedreceive, message: &Message) -> SysResult {
    if !a.msg_prio.is_null() {
        ctx.mem().copy_out(a.msg_prio, &message.priority)?;
    }
    ctx.mem().write(a.msg_ptr, &message.text)?;
    Ok(message.text.len() as u64)
}

/// mq_getsetattr(2): only O_NONBLOCK can be changed.
pub fn mq_getsetattr(ctx: &mut Ctx, a: &args::MqGetsetattr) -> SysResult {
    let new: Option<MqAttr> = if a.newattr.is_null() { None } else { Some(ctx.mem().copy_in(a.newattr)?) };
    if new.is_some_and(|n| n.mq_flags & !i64::from(O_NONBLOCK) != 0) {
        return Err(Errno::EINVAL.into());
    }
    let (file, queue) = open_queue(ctx, a.mqdes)?;
    let old = MqAttr {
        mq_flags: i64::from(file.flags() & O_NONBLOCK),
        mq_maxmsg: queue.max_messages,
        mq_msgsize: queue.max_size,
        mq_curmsgs: queue.messages.borrow().len() as i64,
        reserved: [0; 4],
    };
    if let Some(new) = new {
        file.set_flags(file.flags() & !O_NONBLOCK | new.mq_flags as u32);
    }
    if !a.oldattr.is_null() {
        ctx.mem().copy_out(a.oldattr, &old)?;
    }
    Ok(0)
}
