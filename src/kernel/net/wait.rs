//! Waiting in socket calls: which file, until when, how far.

use super::*;
use std::cell::RefCell;

/// A socket call that waits.
#[derive(Debug)]
pub(super) struct Progress {
    /// The file it began with, whatever becomes of the descriptor.
    pub file: Rc<File>,
    /// When SO_RCVTIMEO or SO_SNDTIMEO is over, in kernel-monotonic nanoseconds.
    deadline_ns: Option<u64>,
    /// Bytes done.
    pub done: u64,
    /// Messages done (sendmmsg(2), recvmmsg(2)).
    pub messages: u64,
    /// When recvmmsg(2) is to end, in kernel-monotonic nanoseconds.
    pub end_ns: Option<u64>,
}

/// The socket behind `fd`; when the call goes on after a wait, the one that it waits for.
///
/// # Errors
/// `EBADF`, `ENOTSOCK`.
pub(super) fn begin(ctx: &mut Ctx, fd: i32) -> Result<Rc<RefCell<Progress>>, Errno> {
    let kept = ctx.thread().call_state.clone().and_then(|s| s.downcast::<RefCell<Progress>>().ok());
    if let Some(progress) = kept {
        return Ok(progress);
    }
    let file = ctx.file(fd)?;
    socket_of(&file)?;
    Ok(ctx.call_state(|_| Progress { file, deadline_ns: None, done: 0, messages: 0, end_ns: None }))
}

/// Which of the two timeouts limits a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// SO_RCVTIMEO.
    Receive,
    /// SO_SNDTIMEO.
    Send,
}

/// Waits until the socket's timeout is over; gives `late` then, and at once with no patience `now`.
pub(super) fn wait(
    ctx: &mut Ctx,
    progress: &Rc<RefCell<Progress>>,
    way: Way,
    wait: Wait,
    (patience, now, late): (Patience, Errno, Errno),
) -> Stop {
    if patience == Patience::None {
        return now.into();
    }
    let limit = {
        let file = Rc::clone(&progress.borrow().file);
        socket_of(&file).ok().and_then(|s| s.timeouts[way as usize].get())
    };
    let Some(limit) = limit else { return ctx.wait(wait, Errno::ERESTARTSYS) };
    let time_ns = ctx.kernel.monotonic_ns();
    let deadline = *progress.borrow_mut().deadline_ns.get_or_insert(time_ns.saturating_add(limit));
    if time_ns >= deadline {
        return late.into();
    }
    // With a timeout the call is not made again (sock_intr_errno).
    ctx.wait(wait.or_until(Some(deadline)), Errno::EINTR)
}

/// Whether the call waits: neither the file nor the call says otherwise.
pub(super) fn patience(file: &File, flags: u32) -> Patience {
    let dont = flags & crate::abi::consts::msg::MSG_DONTWAIT != 0;
    if dont || file.is_nonblocking() { Patience::None } else { Patience::Waits }
}
