//! Bytes and messages between UNIX sockets.

use super::connect::{may_send, type_number};
use super::name::{Found, bind_by_itself, find};
use super::*;
use crate::abi::consts::msg::{MSG_OOB, MSG_PEEK, MSG_TRUNC};
use crate::abi::consts::poll::{POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM};

/// The longest piece of a stream: a page less what Linux keeps with it, and 32 KiB in pages.
const MAX_PIECE: usize = 4096 - 320 + (32 << 10);
/// Who sent a message that nobody wanted to know the sender of: overflowuid and overflowgid.
const NOBODY: UCred = UCred { pid: 0, uid: 65534, gid: 65534 };

/// The sender that goes with a message, if one of both sides wants to know.
fn sender_of(ctx: &mut Ctx, from: &End, to: &End, with: &Ancillary) -> Option<UCred> {
    let wanted = from.pass_credentials.get() || to.pass_credentials.get() || to.state.borrow().is_pending;
    with.sender.or_else(|| wanted.then(|| sender(ctx)))
}

/// Refuses open files beyond the limit, and now and then looks for sockets that only keep each other.
fn check_files(ctx: &mut Ctx, end: &End, with: &Ancillary) -> Result<(), Errno> {
    if with.files.is_empty() {
        return Ok(());
    }
    let under_way = end.shared.files_under_way.get();
    if !super::super::option::may_send_files(ctx, under_way) {
        return Err(Errno::ETOOMANYREFS);
    }
    if under_way >= ctx.kernel.net.collect_at {
        ctx.kernel.net.collect();
    }
    Ok(())
}

/// Sends a piece of a stream.
pub(super) fn send_stream(ctx: &mut Ctx, end: &Rc<End>, message: &mut Outgoing<'_>) -> Result<usize, Stop> {
    let (phase, peer, shut) = {
        let state = end.state.borrow();
        (state.phase, state.peer.clone(), state.shut)
    };
    let connected = phase == Phase::Connected;
    if message.to.is_some() {
        return Err(if connected { Errno::EISCONN.into() } else { Errno::EOPNOTSUPP.into() });
    }
    let Some(peer) = peer.filter(|_| connected) else {
        return Err(if shut & NO_SEND != 0 { Errno::EPIPE.into() } else { Errno::ENOTCONN.into() });
    };
    if shut & NO_SEND != 0 || peer.state.borrow().shut & NO_RECEIVE != 0 {
        return Err(Errno::EPIPE.into());
    }
    if message.buf.left() == 0 {
        return Ok(0);
    }
    check_files(ctx, end, &message.with)?;
    let buffer = end.send_buffer.get() as usize;
    if end.sent.get() >= buffer {
        return Err(end.wait());
    }
    let len = (message.buf.left() as usize).min(MAX_PIECE).min((buffer / 2).saturating_sub(64).max(1));
    let mut bytes = vec![0; len];
    message.buf.get_all(&mut bytes)?;
    let sender = sender_of(ctx, end, &peer, &message.with);
    let packet = Packet::new(end, bytes, &mut message.with, sender);
    peer.state.borrow_mut().queue.push_back(packet);
    ctx.kernel.wake_events(peer.key(), POLLIN | POLLRDNORM);
    Ok(len)
}

/// The end that a message without or with an address goes to.
fn target(ctx: &mut Ctx, end: &Rc<End>, message: &mut Outgoing<'_>) -> Result<Found, Errno> {
    let (phase, peer) = {
        let state = end.state.borrow();
        (state.phase, state.peer.clone())
    };
    if end.kind == Kind::SeqPacket {
        return peer.filter(|_| phase == Phase::Connected).map(Found::Here).ok_or(Errno::ENOTCONN);
    }
    match &message.to {
        Some(address) => find(ctx, end, address),
        None => peer.map(Found::Here).ok_or(Errno::ENOTCONN),
    }
}

/// Sends a message whole.
pub(super) fn send_packet(ctx: &mut Ctx, end: &Rc<End>, message: &mut Outgoing<'_>) -> Result<usize, Stop> {
    if end.pass_credentials.get() && end.kind == Kind::Datagram {
        bind_by_itself(ctx, end)?;
    }
    let to = match target(ctx, end, message)? {
        Found::Here(to) => to,
        Found::Outside(node) => {
            let socket = HostSocket::connect_outside(ctx, type_number(end.kind), &node)?;
            message.to = None;
            return socket.send(ctx, message);
        }
    };
    let (len, buffer) = (message.buf.left() as usize, end.send_buffer.get() as usize);
    if len > buffer.saturating_sub(32) {
        return Err(Errno::EMSGSIZE.into());
    }
    if end.state.borrow().shut & NO_SEND != 0 {
        return Err(Errno::EPIPE.into());
    }
    let (closed, shut) = {
        let state = to.state.borrow();
        (state.is_closed, state.shut)
    };
    if closed && end.kind == Kind::Datagram {
        let peer = end.state.borrow_mut().peer.take_if(|p| Rc::ptr_eq(p, &to));
        drop(peer);
        return Err(Errno::ECONNREFUSED.into());
    }
    if end.kind == Kind::Datagram && !may_send(end, &to) {
        return Err(Errno::EPERM.into());
    }
    if shut & NO_RECEIVE != 0 {
        return Err(Errno::EPIPE.into());
    }
    check_files(ctx, end, &message.with)?;
    if end.sent.get() >= buffer {
        return Err(end.wait());
    }
    if end.kind == Kind::Datagram && to.is_full_for(end) {
        return Err(Stop::Block(Wait { keys: vec![to.key(), end.key()], ..Wait::default() }));
    }
    let mut bytes = vec![0; len];
    message.buf.get_all(&mut bytes)?;
    let sender = sender_of(ctx, end, &to, &message.with);
    let packet = Packet::new(end, bytes, &mut message.with, sender);
    to.state.borrow_mut().queue.push_back(packet);
    ctx.kernel.wake_events(to.key(), POLLIN | POLLRDNORM);
    Ok(len)
}

/// Why nothing can be read from an empty queue: an error that waits to be told, the end (`Ok`), or nothing yet.
fn nothing_there(end: &End) -> Result<usize, Stop> {
    let mut state = end.state.borrow_mut();
    if let Some(e) = state.error.take() {
        return Err(e.into());
    }
    if state.shut & NO_RECEIVE != 0 {
        return Ok(0);
    }
    Err(end.wait())
}

/// Receives from a stream. Open files end a read; with SO_PASSCRED so does a change of sender.
pub(super) fn receive_stream(end: &End, message: &mut Incoming<'_>) -> Result<usize, Stop> {
    if end.state.borrow().phase != Phase::Connected {
        return Err(Errno::EINVAL.into());
    }
    if message.flags & MSG_OOB != 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let (peek, pass) = (message.flags & MSG_PEEK != 0, end.pass_credentials.get());
    let (mut copied, mut index, mut first_sender) = (0, 0, None);
    // Dropped when the end is no longer borrowed: what is in them may be an end.
    let mut used = Vec::new();
    let mut state = end.state.borrow_mut();
    while let Some(packet) = state.queue.get_mut(index) {
        if pass && first_sender.is_some_and(|first| first != packet.sender) {
            break;
        }
        let wanted = packet.left().len().min(message.buf.left() as usize);
        let n = match message.buf.put(&packet.left()[..wanted]) {
            Ok(n) => n,
            Err(e) if copied == 0 => return Err(e.into()),
            Err(_) => break,
        };
        if first_sender.is_none() {
            first_sender = Some(packet.sender);
            message.from = packet.from.to_vec();
        }
        copied += n;
        let brings_files = !packet.files().is_empty();
        if peek {
            message.with.files.extend(packet.files().iter().cloned());
            index += 1;
            if n < wanted || brings_files || message.buf.left() == 0 {
                break;
            }
            continue;
        }
        packet.consume(n);
        message.with.files.extend(packet.take_files());
        if !packet.left().is_empty() {
            break;
        }
        used.extend(state.queue.pop_front());
        if brings_files || message.buf.left() == 0 {
            break;
        }
    }
    drop(state);
    let Some(sender) = first_sender else { return nothing_there(end) };
    drop(used);
    finish_address(message);
    if pass {
        message.with.sender = Some(sender.unwrap_or(NOBODY));
    }
    Ok(copied)
}

/// A sender without a name has no address at all.
fn finish_address(message: &mut Incoming<'_>) {
    if message.from.len() <= 2 {
        message.from.clear();
    }
}

/// Receives a message; what does not fit is lost.
pub(super) fn receive_packet(ctx: &mut Ctx, end: &End, message: &mut Incoming<'_>) -> Result<usize, Stop> {
    if message.flags & MSG_OOB != 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let peek = message.flags & MSG_PEEK != 0;
    let mut state = end.state.borrow_mut();
    if end.kind == Kind::SeqPacket && state.phase != Phase::Connected {
        return Err(Errno::ENOTCONN.into());
    }
    // Of messages, unlike of streams, an error comes before what still lies there.
    if let Some(e) = state.error.take() {
        return Err(e.into());
    }
    let Some(packet) = state.queue.front_mut() else {
        drop(state);
        return nothing_there(end);
    };
    let len = packet.left().len();
    let shown = len.min(message.buf.left() as usize);
    let put = message.buf.put_all(&packet.left()[..shown]);
    message.from = packet.from.to_vec();
    let sender = packet.sender;
    let used = if peek {
        message.with.files = packet.files().to_vec();
        None
    } else {
        message.with.files = packet.take_files();
        state.queue.pop_front()
    };
    drop(state);
    drop(used);
    if !peek {
        // Those who wait for room here.
        ctx.kernel.wake_events(end.key(), POLLOUT | POLLWRNORM);
    }
    put?;
    finish_address(message);
    if shown < len {
        message.found |= MSG_TRUNC;
    }
    if end.pass_credentials.get() {
        message.with.sender = Some(sender.unwrap_or(NOBODY));
    }
    Ok(if message.flags & MSG_TRUNC != 0 { len } else { shown })
}
