//! System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
//!
//! As in Linux a sender gives its message to the first receiver that waits for such a one, so that receivers are served in
//! the order in which they came; senders that wait for room try again in their order.

use super::*;
use crate::abi::consts::{msgctl as cmd, msgop as flag};
use crate::abi::{MsgInfo, MsqidDs};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

/// Limits of Linux (include/uapi/linux/msg.h, /proc/sys/kernel/msgm*).
const MSGMNI: usize = 32000;
const MSGMAX: u64 = 8192;
const MSGMNB: u64 = 16384;

/// A message.
#[derive(Clone, Debug)]
struct Message {
    kind: i64,
    text: Vec<u8>,
}

/// What a receiver wants.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Any,
    Equal(i64),
    NotEqual(i64),
    /// The smallest type, up to this one.
    UpTo(i64),
}

impl Wanted {
    fn takes(self, kind: i64) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::Equal(k) => kind == k,
            Wanted::NotEqual(k) => kind != k,
            Wanted::UpTo(k) => kind <= k,
        }
    }
}

/// A receiver that waits.
#[derive(Debug)]
struct Receiver {
    tid: Tid,
    pid: Pid,
    wanted: Wanted,
    /// Longer messages are an error; `None`: they are cut.
    max: Option<u64>,
    got: RefCell<Option<Result<Message, Errno>>>,
}

/// A sender that waits for room.
#[derive(Debug)]
struct Sender {
    tid: Tid,
}

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) perm: Perm,
    messages: VecDeque<Message>,
    pub(super) bytes: u64,
    pub(super) max_bytes: u64,
    pub(super) sent_s: i64,
    pub(super) received_s: i64,
    pub(super) changed_s: i64,
    pub(super) last_sender: Pid,
    pub(super) last_receiver: Pid,
    receivers: Vec<Weak<Receiver>>,
    senders: Vec<Weak<Sender>>,
}

impl Object for Queue {
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

impl Queue {
    pub(super) fn count(&self) -> usize {
        self.messages.len()
    }

    fn find(&self, wanted: Wanted) -> Option<usize> {
        let mut fitting = self.messages.iter().enumerate().filter(|(_, m)| wanted.takes(m.kind));
        match wanted {
            // Of equal types the oldest.
            Wanted::UpTo(_) => fitting.min_by_key(|(i, m)| (m.kind, *i)).map(|(i, _)| i),
            _ => fitting.next().map(|(i, _)| i),
        }
    }

    /// Gives a message to a waiting receiver, or queues it. Gives who is to be woken.
    fn put(&mut self, message: Message) -> Vec<Tid> {
        let mut woken = Vec::new();
        for receiver in self.receivers.iter().filter_map(Weak::upgrade) {
            let mut got = receiver.got.borrow_mut();
            if got.is_some() || !receiver.wanted.takes(message.kind) {
                continue;
            }
            woken.push(receiver.tid);
            if receiver.max.is_some_and(|max| max < message.text.len() as u64) {
                *got = Some(Err(Errno::E2BIG));
                continue;
            }
            self.last_receiver = receiver.pid;
            self.received_s = self.sent_s;
            *got = Some(Ok(message));
            return woken;
        }
        self.bytes += message.text.len() as u64;
        self.messages.push_back(message);
        woken
    }

    fn has_room(&self, len: u64) -> bool {
        self.bytes + len <= self.max_bytes && (self.messages.len() as u64) < self.max_bytes
    }

    fn waiting_senders(&mut self) -> Vec<Tid> {
        self.senders.retain(|s| s.strong_count() > 0);
        self.senders.iter().filter_map(Weak::upgrade).map(|s| s.tid).collect()
    }

    fn to_abi(&self, id: i32) -> MsqidDs {
        MsqidDs {
            msg_perm: self.perm.to_abi(id),
            msg_stime: self.sent_s,
            msg_rtime: self.received_s,
            msg_ctime: self.changed_s,
            msg_cbytes: self.bytes,
            msg_qnum: self.messages.len() as u64,
            msg_qbytes: self.max_bytes,
            msg_lspid: self.last_sender,
            msg_lrpid: self.last_receiver,
            unused: [0; 2],
        }
    }
}

/// msgget(2).
pub fn msgget(ctx: &mut Ctx, a: &args::Msgget) -> SysResult {
    if let Some(id) = lookup(ctx, |ipc| &mut ipc.msg, a.key, a.msgflg, |_| Ok(()))? {
        return Ok(id as u64);
    }
    let queue = Queue {
        perm: Perm::new(ctx, a.key, a.msgflg),
        messages: VecDeque::new(),
        bytes: 0,
        max_bytes: MSGMNB,
        sent_s: 0,
        received_s: 0,
        changed_s: now_s(ctx),
        last_sender: 0,
        last_receiver: 0,
        receivers: Vec::new(),
        senders: Vec::new(),
    };
    Ok(ctx.kernel.ipc.msg.add(queue, MSGMNI)? as u64)
}

/// A send that waits: the message, and its place among the senders.
struct Sending {
    message: Message,
    place: Option<Rc<Sender>>,
}

/// msgsnd(2).
pub fn msgsnd(ctx: &mut Ctx, a: &args::Msgsnd) -> SysResult {
    let state = ctx.call_state(|_| None::<Sending>);
    let waited = state.borrow().is_some();
    if !waited {
        let kind: i64 = ctx.mem().copy_in(a.msgp)?;
        if a.msgsz > MSGMAX || a.msqid < 0 || kind < 1 {
            return Err(Errno::EINVAL.into());
        }
        let mut text = vec![0; a.msgsz as usize];
        ctx.mem().read(GuestAddr(a.msgp.0.wrapping_add(8)), &mut text)?;
        *state.borrow_mut() = Some(Sending { message: Message { kind, text }, place: None });
    }
    // A queue that goes while somebody waits at it is another error than one that never was.
    let gone = |e| if waited { Errno::EIDRM } else { e };
    let perm = ctx.kernel.ipc.msg.get(a.msqid).map_err(gone)?.perm.clone();
    perm.check(ctx, WRITE)?;
    let (tid, pid, now) = (ctx.tid, ctx.pid, now_s(ctx));
    let queue = ctx.kernel.ipc.msg.get(a.msqid)?;
    if queue.has_room(a.msgsz) {
        let Some(sending) = state.borrow_mut().take() else { return Err(Errno::EINVAL.into()) };
        (queue.last_sender, queue.sent_s) = (pid, now);
        let woken = queue.put(sending.message);
        woken.into_iter().for_each(|tid| ctx.kernel.wake(tid));
        return Ok(0);
    }
    if a.msgflg & flag::IPC_NOWAIT != 0 {
        return Err(Errno::EAGAIN.into());
    }
    if let Some(sending) = &mut *state.borrow_mut()
        && sending.place.is_none()
    {
        let place = Rc::new(Sender { tid });
        queue.senders.push(Rc::downgrade(&place));
        sending.place = Some(place);
    }
    Err(ctx.wait(Wait::default(), Errno::ERESTARTNOHAND))
}

/// msgrcv(2).
pub fn msgrcv(ctx: &mut Ctx, a: &args::Msgrcv) -> SysResult {
    let state = ctx.call_state(|_| None::<Rc<Receiver>>);
    let waiting = state.borrow().clone();
    if let Some(receiver) = waiting {
        let got = receiver.got.borrow_mut().take();
        return match got {
            Some(result) => deliver(ctx, a, &result?),
            None => {
                let stop = ctx.wait(Wait::default(), Errno::ERESTARTNOHAND);
                if matches!(stop, Stop::Errno(_)) {
                    *state.borrow_mut() = None;
                }
                Err(stop)
            }
        };
    }
    if i64::try_from(a.msgsz).is_err() || a.msqid < 0 {
        return Err(Errno::EINVAL.into());
    }
    if a.msgflg & flag::MSG_COPY != 0 {
        return copy(ctx, a);
    }
    let wanted = match a.msgtyp {
        0 => Wanted::Any,
        k if k < 0 => Wanted::UpTo(k.checked_neg().unwrap_or(i64::MAX)),
        k if a.msgflg & flag::MSG_EXCEPT != 0 => Wanted::NotEqual(k),
        k => Wanted::Equal(k),
    };
    let perm = ctx.kernel.ipc.msg.get(a.msqid)?.perm.clone();
    perm.check(ctx, READ)?;
    let (tid, pid, now) = (ctx.tid, ctx.pid, now_s(ctx));
    let max = (a.msgflg & flag::MSG_NOERROR == 0).then_some(a.msgsz);
    let queue = ctx.kernel.ipc.msg.get(a.msqid)?;
    let Some(at) = queue.find(wanted) else {
        if a.msgflg & flag::IPC_NOWAIT != 0 {
            return Err(Errno::ENOMSG.into());
        }
        let receiver = Rc::new(Receiver { tid, pid, wanted, max, got: RefCell::new(None) });
        queue.receivers.retain(|r| r.strong_count() > 0);
        queue.receivers.push(Rc::downgrade(&receiver));
        *state.borrow_mut() = Some(receiver);
        let stop = ctx.wait(Wait::default(), Errno::ERESTARTNOHAND);
        if matches!(stop, Stop::Errno(_)) {
            *state.borrow_mut() = None;
        }
        return Err(stop);
    };
    if max.is_some_and(|max| max < queue.messages[at].text.len() as u64) {
        return Err(Errno::E2BIG.into());
    }
    let Some(message) = queue.messages.remove(at) else { return Err(Errno::ENOMSG.into()) };
    queue.bytes -= message.text.len() as u64;
    (queue.last_receiver, queue.received_s) = (pid, now);
    let senders = queue.waiting_senders();
    senders.into_iter().for_each(|tid| ctx.kernel.wake(tid));
    deliver(ctx, a, &message)
}

/// MSG_COPY: the message at a place, which stays.
fn copy(ctx: &mut Ctx, a: &args::Msgrcv) -> SysResult {
    if a.msgflg & flag::MSG_EXCEPT != 0 || a.msgflg & flag::IPC_NOWAIT == 0 {
        return Err(Errno::EINVAL.into());
    }
    let perm = ctx.kernel.ipc.msg.get(a.msqid)?.perm.clone();
    perm.check(ctx, READ)?;
    let queue = ctx.kernel.ipc.msg.get(a.msqid)?;
    let at = usize::try_from(a.msgtyp).map_err(|_| Errno::ENOMSG)?;
    let message = queue.messages.get(at).cloned().ok_or(Errno::ENOMSG)?;
    if a.msgflg & flag::MSG_NOERROR == 0 && message.text.len() as u64 > a.msgsz {
        return Err(Errno::E2BIG.into());
    }
    deliver(ctx, a, &message)
}

fn deliver(ctx: &mut Ctx, a: &args::Msgrcv, message: &Message) -> SysResult {
    let text = &message.text[..message.text.len().min(usize::try_from(a.msgsz).unwrap_or(usize::MAX))];
    ctx.mem().copy_out(a.msgp, &message.kind)?;
    ctx.mem().write(GuestAddr(a.msgp.0.wrapping_add(8)), text)?;
    Ok(text.len() as u64)
}

/// msgctl(2).
pub fn msgctl(ctx: &mut Ctx, a: &args::Msgctl) -> SysResult {
    if a.msqid < 0 {
        return Err(Errno::EINVAL.into());
    }
    match a.cmd {
        cmd::IPC_INFO | cmd::MSG_INFO => {
            let queues = &ctx.kernel.ipc.msg;
            let mut info = MsgInfo {
                msgpool: (MSGMNI as u64 * MSGMNB / 1024) as i32,
                msgmap: MSGMNB as i32,
                msgmax: MSGMAX as i32,
                msgmnb: MSGMNB as i32,
                msgmni: MSGMNI as i32,
                msgssz: 16,
                msgtql: MSGMNB as i32,
                msgseg: 0xffff,
                pad: 0,
            };
            if a.cmd == cmd::MSG_INFO {
                info.msgpool = queues.objects.len() as i32;
                info.msgmap = queues.objects.values().map(|(_, q)| q.count() as i32).sum();
                info.msgtql = queues.objects.values().map(|(_, q)| q.bytes as i32).sum();
            }
            let highest = queues.highest();
            ctx.mem().copy_out(a.buf, &info)?;
            Ok(highest as u64)
        }
        cmd::IPC_STAT | cmd::MSG_STAT | cmd::MSG_STAT_ANY => {
            let by_id = a.cmd == cmd::IPC_STAT;
            let id = if by_id { a.msqid } else { ctx.kernel.ipc.msg.at(a.msqid)?.0 };
            let perm = ctx.kernel.ipc.msg.get(id)?.perm.clone();
            if a.cmd != cmd::MSG_STAT_ANY {
                perm.check(ctx, READ)?;
            }
            let ds = ctx.kernel.ipc.msg.get(id)?.to_abi(id);
            ctx.mem().copy_out(a.buf, &ds)?;
            Ok(if by_id { 0 } else { id as u64 })
        }
        cmd::IPC_SET => {
            let new: MsqidDs = ctx.mem().copy_in(a.buf)?;
            let perm = ctx.kernel.ipc.msg.get(a.msqid)?.perm.clone();
            perm.check_owner(ctx)?;
            if new.msg_qbytes > MSGMNB && !ctx.thread().credentials.has(cap::CAP_SYS_RESOURCE) {
                return Err(Errno::EPERM.into());
            }
            let now = now_s(ctx);
            let queue = ctx.kernel.ipc.msg.get(a.msqid)?;
            queue.perm.set(&new.msg_perm);
            (queue.max_bytes, queue.changed_s) = (new.msg_qbytes, now);
            let senders = queue.waiting_senders();
            senders.into_iter().for_each(|tid| ctx.kernel.wake(tid));
            Ok(0)
        }
        cmd::IPC_RMID => {
            let perm = ctx.kernel.ipc.msg.get(a.msqid)?.perm.clone();
            perm.check_owner(ctx)?;
            let Some(mut queue) = ctx.kernel.ipc.msg.remove(a.msqid) else { return Ok(0) };
            let mut woken = queue.waiting_senders();
            for receiver in queue.receivers.iter().filter_map(Weak::upgrade) {
                receiver.got.borrow_mut().get_or_insert(Err(Errno::EIDRM));
                woken.push(receiver.tid);
            }
            woken.into_iter().for_each(|tid| ctx.kernel.wake(tid));
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
