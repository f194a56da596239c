//! Who is told of a message in an empty queue (mq_notify(3)).

use super::*;
use crate::kernel::net::NetlinkInbox;

/// Bytes that a message to a thread has (NOTIFY_COOKIE_LEN); the last of them says what has happened.
const COOKIE_LEN: usize = 32;
/// A message has come; the registration has been taken back.
const NOTIFY_WOKENUP: u8 = 1;
const NOTIFY_REMOVED: u8 = 2;

/// A registration.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pid: Pid,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    /// Only the registration is kept (SIGEV_NONE).
    Nothing,
    /// A signal with a value (SIGEV_SIGNAL).
    Signal(i32, u64),
    /// Bytes on a netlink socket, at which the C library listens in a thread (SIGEV_THREAD).
    Thread(NetlinkInbox, [u8; COOKIE_LEN]),
}

impl Notice {
    pub(super) fn is_of(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    /// Its SIGEV_* number, signal and process, as the queue's file shows them.
    pub(super) fn shown(&self) -> (u32, i32, Pid) {
        let (kind, signal) = match self.how {
            How::Nothing => (SIGEV_NONE, 0),
            How::Signal(signal, _) => (SIGEV_SIGNAL, signal),
            How::Thread(..) => (SIGEV_THREAD, 0),
        };
        (kind, signal, self.pid)
    }

    /// Tells that a message has come (__do_notify()).
    pub(super) fn tell(&self, ctx: &mut Ctx) {
        match &self.how {
            How::Nothing => {}
            How::Signal(number, value) => {
                let Some(signal) = Signal::new(*number) else { return };
                let (pid, uid) = (ctx.pid, ctx.thread().credentials.uid[0]);
                let fields = Fields::Queue { pid, uid, value: *value };
                // A process that is gone needs no signal.
                let _ = ctx.kernel.send_signal(self.pid, SigInfo { signal, code: SI_MESGQ, errno: 0, fields });
            }
            How::Thread(inbox, cookie) => put(ctx, inbox, *cookie, NOTIFY_WOKENUP),
        }
    }

    /// Tells that it has been taken back (remove_notification()).
    pub(super) fn taken_back(&self, ctx: &mut Ctx) {
        if let How::Thread(inbox, cookie) = &self.how {
            put(ctx, inbox, *cookie, NOTIFY_REMOVED);
        }
    }
}

fn put(ctx: &mut Ctx, inbox: &NetlinkInbox, mut cookie: [u8; COOKIE_LEN], what: u8) {
    cookie[COOKIE_LEN - 1] = what;
    inbox.put(ctx.kernel, cookie.to_vec());
}

/// mq_notify(2).
pub fn mq_notify(ctx: &mut Ctx, a: &args::MqNotify) -> SysResult {
    let wanted: Option<Sigevent> = if a.sevp.is_null() { None } else { Some(ctx.mem().copy_in(a.sevp)?) };
    let how = wanted.map(|event| how(ctx, &event)).transpose()?;
    let (_, queue) = open_queue(ctx, a.mqdes)?;
    let pid = ctx.pid;
    let Some(how) = how else {
        queue.take_back_notice(ctx);
        return Ok(0);
    };
    let mut notice = queue.notice.borrow_mut();
    if notice.is_some() {
        return Err(Errno::EBUSY.into());
    }
    *notice = Some(Notice { pid, how });
    Ok(0)
}

/// What a sigevent asks for. For a thread its signal is the socket, and its value the address of the bytes to send.
fn how(ctx: &mut Ctx, event: &Sigevent) -> Result<How, Errno> {
    match event.sigev_notify as u32 {
        SIGEV_NONE => Ok(How::Nothing),
        SIGEV_SIGNAL if (0..=64).contains(&event.sigev_signo) => Ok(How::Signal(event.sigev_signo, event.sigev_value)),
        SIGEV_THREAD => {
            let mut cookie = [0; COOKIE_LEN];
            ctx.mem().read(GuestAddr(event.sigev_value), &mut cookie)?;
            let file = ctx.file(event.sigev_signo)?;
            Ok(How::Thread(NetlinkInbox::of(&file)?, cookie))
        }
        _ => Err(Errno::EINVAL),
    }
}
