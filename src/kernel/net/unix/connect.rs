//! Connections between UNIX sockets.

use super::name::{Found, bind_by_itself, find};
use super::*;

/// The longest queue of connections (net.core.somaxconn).
const MAX_BACKLOG: u32 = 4096;

/// The number of a kind, for the host.
pub(super) fn type_number(kind: Kind) -> u32 {
    match kind {
        Kind::Stream => socktype::SOCK_STREAM,
        Kind::SeqPacket => socktype::SOCK_SEQPACKET,
        Kind::Datagram | Kind::Other => socktype::SOCK_DGRAM,
    }
}

/// connect(2).
pub(super) fn connect(ctx: &mut Ctx, end: &Rc<End>, address: &[u8]) -> Result<Option<HostSocket>, Stop> {
    if end.kind == Kind::Datagram {
        return connect_datagram(ctx, end, address);
    }
    let found = match find(ctx, end, address) {
        Ok(Found::Here(listener)) => listener,
        Ok(Found::Outside(node)) => {
            check_phase(end)?;
            return Ok(Some(HostSocket::connect_outside(ctx, type_number(end.kind), &node)?));
        }
        Err(e) => return Err(e.into()),
    };
    if end.pass_credentials.get() {
        bind_by_itself(ctx, end)?;
    }
    let listener = found;
    {
        let state = listener.state.borrow();
        if state.phase != Phase::Listening || state.shut & NO_RECEIVE != 0 || state.is_closed {
            return Err(Errno::ECONNREFUSED.into());
        }
        if state.pending.len() > state.backlog {
            return Err(listener.wait());
        }
    }
    check_phase(end)?;
    let embryo = End::new(ctx, end.kind);
    let owner = (owner(ctx), ctx.thread().credentials.groups.clone());
    let (address, listener_owner) = {
        let state = listener.state.borrow();
        (Rc::clone(&state.address), state.peer_owner.clone())
    };
    embryo.pass_credentials.set(listener.pass_credentials.get());
    {
        let mut state = embryo.state.borrow_mut();
        (state.phase, state.is_pending, state.address) = (Phase::Connected, true, address);
        (state.peer, state.peer_owner) = (Some(Rc::clone(end)), Some(owner));
    }
    {
        let mut state = end.state.borrow_mut();
        state.phase = Phase::Connected;
        (state.peer, state.peer_owner) = (Some(Rc::clone(&embryo)), listener_owner);
    }
    listener.state.borrow_mut().pending.push_back(embryo);
    ctx.kernel.wake_all(listener.key());
    ctx.kernel.wake_all(end.key());
    Ok(None)
}

fn check_phase(end: &End) -> Result<(), Errno> {
    match end.state.borrow().phase {
        Phase::Unconnected => Ok(()),
        Phase::Connected => Err(Errno::EISCONN),
        Phase::Listening => Err(Errno::EINVAL),
    }
}

/// connect(2) of datagrams: says where they go, and whose are taken.
fn connect_datagram(ctx: &mut Ctx, end: &Rc<End>, address: &[u8]) -> Result<Option<HostSocket>, Stop> {
    let peer = if family(address) == Some(0) {
        None
    } else {
        match find(ctx, end, address) {
            Ok(Found::Here(peer)) => Some(peer),
            Ok(Found::Outside(node)) => {
                return Ok(Some(HostSocket::connect_outside(ctx, socktype::SOCK_DGRAM, &node)?));
            }
            Err(e) => return Err(e.into()),
        }
    };
    if end.pass_credentials.get() && peer.is_some() {
        bind_by_itself(ctx, end)?;
    }
    if let Some(peer) = &peer
        && !may_send(end, peer)
    {
        return Err(Errno::EPERM.into());
    }
    let old = std::mem::replace(&mut end.state.borrow_mut().peer, peer);
    if let Some(old) = old {
        ctx.kernel.wake_all(old.key());
        end.shared.bury_end(old);
    }
    Ok(None)
}

/// Whether datagrams of `from` are taken at `to`: it is connected to nobody else.
pub(super) fn may_send(from: &End, to: &End) -> bool {
    to.state.borrow().peer.as_ref().is_none_or(|p| std::ptr::eq(&**p, from))
}

/// listen(2).
pub(super) fn listen(ctx: &mut Ctx, end: &End, backlog: i32) -> Result<(), Errno> {
    if end.kind == Kind::Datagram {
        return Err(Errno::EOPNOTSUPP);
    }
    let owner = (owner(ctx), ctx.thread().credentials.groups.clone());
    let mut state = end.state.borrow_mut();
    if state.name.is_none() || state.phase == Phase::Connected {
        return Err(Errno::EINVAL);
    }
    state.backlog = (backlog as u32).min(MAX_BACKLOG) as usize;
    (state.phase, state.peer_owner) = (Phase::Listening, Some(owner));
    drop(state);
    ctx.kernel.wake_all(end.key());
    Ok(())
}

/// accept(2).
pub(super) fn accept(ctx: &mut Ctx, end: &End) -> Result<Rc<End>, Stop> {
    if end.kind == Kind::Datagram {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let mut state = end.state.borrow_mut();
    if state.phase != Phase::Listening {
        return Err(Errno::EINVAL.into());
    }
    let Some(accepted) = state.pending.pop_front() else {
        // As in Linux, a listener that was shut down says EINVAL.
        return Err(if state.shut & NO_RECEIVE != 0 { Errno::EINVAL.into() } else { end.wait() });
    };
    drop(state);
    accepted.state.borrow_mut().is_pending = false;
    // Somebody may wait for room in the queue.
    ctx.kernel.wake_all(end.key());
    Ok(accepted)
}
