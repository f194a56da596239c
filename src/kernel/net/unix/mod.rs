//! UNIX sockets (unix(7)), which live inside the machine.
//!
//! An [`End`] is what Linux calls a `struct sock`: queue, name, peer. The open file owns it through [`UnixSocket`], whose
//! end closes it; others hold it to send to it. No two ends are borrowed at once: one may be connected to itself.

mod collect;
mod connect;
mod listing;
mod name;
mod option;
mod queue;
mod transfer;

use super::host::HostSocket;
use super::*;
use crate::abi::consts::poll::{POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM};
use crate::abi::consts::shutdown::{SHUT_RD, SHUT_WR};
use crate::abi::consts::{ioctl, socktype};
use crate::host::{FileTime, HostClock};
use name::Name;
use queue::{Packet, Shared};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Weak;

/// net.core.wmem_default and net.core.rmem_default.
const DEFAULT_BUFFER: u32 = 212_992;
/// Datagrams that may wait at a socket (net.unix.max_dgram_qlen).
const MAX_DATAGRAMS: usize = 10;
/// No more receiving.
const NO_RECEIVE: u32 = 1;
/// No more sending.
const NO_SEND: u32 = 2;
/// Device number of the file system that sockets are in: 0:8.
const DEVICE: u64 = 8;

/// The sockets of the machine, for the kernel to keep.
#[derive(Debug)]
pub struct Network {
    shared: Rc<Shared>,
    /// All ends, for the search for those that nobody can reach.
    ends: Vec<Weak<End>>,
    /// When to look through `ends` again.
    purge_at: usize,
    /// Sockets under way in messages at which the search begins.
    collect_at: usize,
    /// The number of the last name that a socket got by itself.
    last_name: u32,
    /// The last port that an internet socket without a network got by itself.
    pub(super) next_port: u16,
    /// The numbers of netlink sockets.
    pub(super) ports: Rc<RefCell<netlink::Ports>>,
}

impl Network {
    /// No sockets.
    pub fn new(wakeups: Wakeups) -> Network {
        Network {
            shared: Rc::new(Shared::new(wakeups)),
            ends: Vec::new(),
            purge_at: 64,
            collect_at: 16,
            last_name: 0,
            next_port: 0,
            ports: Rc::default(),
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Sockets under way in each other's queues would otherwise keep each other.
        for end in self.ends.iter().filter_map(Weak::upgrade) {
            let packets = std::mem::take(&mut end.state.borrow_mut().queue);
            self.shared.bury(packets);
        }
    }
}

/// What an end is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing yet.
    Unconnected,
    /// It takes connections.
    Listening,
    /// It has, or had, another end.
    Connected,
}

/// What of an end changes.
#[derive(Debug)]
struct State {
    phase: Phase,
    /// Its address, with the family; that alone if it has no name.
    address: Rc<[u8]>,
    name: Option<Name>,
    peer: Option<Rc<End>>,
    /// Who listened or connected at the other end, and their groups.
    peer_owner: Option<(UCred, Vec<u32>)>,
    queue: VecDeque<Packet>,
    /// Connections that nobody has accepted yet.
    pending: VecDeque<Rc<End>>,
    backlog: usize,
    /// It is in another's `pending`.
    is_pending: bool,
    /// NO_RECEIVE and NO_SEND.
    shut: u32,
    is_closed: bool,
    error: Option<Errno>,
    /// Options that only are remembered, by number.
    numbers: BTreeMap<u32, u32>,
}

/// One end of a connection, or a socket without one.
#[derive(Debug)]
pub(super) struct End {
    id: u64,
    kind: Kind,
    shared: Rc<Shared>,
    stat: FileStat,
    /// Bytes, as Linux counts them, that are in the queues of others.
    sent: Cell<usize>,
    send_buffer: Cell<u32>,
    receive_buffer: Cell<u32>,
    /// SO_PASSCRED.
    pass_credentials: Cell<bool>,
    state: RefCell<State>,
}

/// An open UNIX socket.
#[derive(Debug)]
pub struct UnixSocket {
    end: Rc<End>,
}

/// The address of an end without a name.
fn unnamed() -> Rc<[u8]> {
    Rc::from((AF_UNIX as u16).to_le_bytes())
}

impl End {
    fn new(ctx: &mut Ctx, kind: Kind) -> Rc<End> {
        let now_ns = ctx.kernel.time.now_ns(&mut *ctx.kernel.host, HostClock::Realtime);
        let now = FileTime { sec: (now_ns / 1_000_000_000) as i64, nsec: (now_ns % 1_000_000_000) as u32 };
        let id = ctx.kernel.new_object();
        let credentials = &ctx.thread().credentials;
        let stat = FileStat {
            dev: DEVICE,
            ino: id,
            mode: 0o140777,
            nlink: 1,
            uid: credentials.uid[3],
            gid: credentials.gid[3],
            blksize: crate::mem::PAGE_SIZE as u32,
            atime: now,
            mtime: now,
            ctime: now,
            ..FileStat::default()
        };
        let end = Rc::new(End {
            id,
            kind,
            shared: Rc::clone(&ctx.kernel.net.shared),
            stat,
            sent: Cell::new(0),
            send_buffer: Cell::new(DEFAULT_BUFFER),
            receive_buffer: Cell::new(DEFAULT_BUFFER),
            pass_credentials: Cell::new(false),
            state: RefCell::new(State {
                phase: Phase::Unconnected,
                address: unnamed(),
                name: None,
                peer: None,
                peer_owner: None,
                queue: VecDeque::new(),
                pending: VecDeque::new(),
                backlog: 0,
                is_pending: false,
                shut: 0,
                is_closed: false,
                error: None,
                numbers: BTreeMap::new(),
            }),
        });
        ctx.kernel.net.register(&end);
        end
    }

    fn key(&self) -> WaitKey {
        WaitKey::Object(self.id)
    }

    fn wait(&self) -> Stop {
        Stop::Block(Wait::key(self.key()))
    }

    fn wake(&self) {
        self.shared.wakeups.push(self.key());
    }

    /// Whether a writer is told that it can write: a quarter of its buffer is in use at most (unix_writable()).
    fn is_writable(&self) -> bool {
        self.sent.get() * 4 <= self.send_buffer.get() as usize
    }

    /// Whether a datagram to it has to wait: too many are there, and not from its own peer.
    fn is_full_for(&self, from: &End) -> bool {
        let state = self.state.borrow();
        let from_peer = state.peer.as_ref().is_some_and(|p| std::ptr::eq(&**p, from));
        !from_peer && state.queue.len() > MAX_DATAGRAMS
    }

    /// What the end of its open file does.
    fn close(&self) {
        let (peer, packets, pending, name) = {
            let mut state = self.state.borrow_mut();
            (state.is_closed, state.shut) = (true, NO_RECEIVE | NO_SEND);
            let packets = std::mem::take(&mut state.queue);
            (state.peer.take(), packets, std::mem::take(&mut state.pending), state.name.take())
        };
        if let Some(name) = name {
            self.shared.release(&name, self);
        }
        if let Some(peer) = peer {
            if self.kind != Kind::Datagram {
                let lost = !packets.is_empty() || self.state.borrow().is_pending;
                let mut other = peer.state.borrow_mut();
                other.shut = NO_RECEIVE | NO_SEND;
                if lost {
                    other.error = Some(Errno::ECONNRESET);
                }
            }
            peer.wake();
            self.shared.bury_end(peer);
        }
        pending.iter().for_each(|end| end.close());
        self.wake();
        self.shared.bury(packets);
    }
}

impl UnixSocket {
    /// A new socket.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn create(ctx: &mut Ctx, kind: u32, protocol: i32) -> Result<UnixSocket, Errno> {
        if protocol != 0 && protocol != AF_UNIX as i32 {
            return Err(Errno::EPROTONOSUPPORT);
        }
        let kind = match kind {
            socktype::SOCK_STREAM => Kind::Stream,
            // As Linux has it, SOCK_RAW is another word for SOCK_DGRAM here.
            socktype::SOCK_DGRAM | socktype::SOCK_RAW => Kind::Datagram,
            socktype::SOCK_SEQPACKET => Kind::SeqPacket,
            _ => return Err(Errno::ESOCKTNOSUPPORT),
        };
        Ok(UnixSocket { end: End::new(ctx, kind) })
    }

    /// Two that are connected.
    ///
    /// # Errors
    /// Those of socketpair(2).
    pub fn pair(ctx: &mut Ctx, kind: u32, protocol: i32) -> Result<(UnixSocket, UnixSocket), Errno> {
        let one = UnixSocket::create(ctx, kind, protocol)?;
        let other = UnixSocket::create(ctx, kind, protocol)?;
        let owner = (owner(ctx), ctx.thread().credentials.groups.clone());
        for (a, b) in [(&one, &other), (&other, &one)] {
            let mut state = a.end.state.borrow_mut();
            state.phase = Phase::Connected;
            state.peer = Some(Rc::clone(&b.end));
            state.peer_owner = Some(owner.clone());
        }
        Ok((one, other))
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        self.end.close();
    }
}

impl Protocol for UnixSocket {
    fn label(&self) -> Label {
        let protocol = match self.end.kind {
            Kind::Stream => "UNIX-STREAM",
            _ => "UNIX",
        };
        let Ok(state) = self.end.state.try_borrow() else { return Label::Socket { protocol, details: None } };
        let ino = self.end.stat.ino;
        let mut details = match &state.peer {
            Some(peer) if !state.is_pending => format!("{ino}->{}", peer.stat.ino),
            _ => ino.to_string(),
        };
        match state.address.get(2..) {
            Some([0, name @ ..]) => details.push_str(&format!(",@\"{}\"", name.escape_ascii())),
            Some(name @ [_, ..]) => {
                let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
                details.push_str(&format!(",\"{}\"", name[..end].escape_ascii()));
            }
            _ => {}
        }
        Label::Socket { protocol, details: Some(details) }
    }

    fn domain(&self) -> u32 {
        AF_UNIX
    }

    fn kind(&self) -> Kind {
        self.end.kind
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn bind(&self, ctx: &mut Ctx, address: &[u8]) -> Result<(), Errno> {
        name::bind(ctx, &self.end, address)
    }

    fn connect(&self, ctx: &mut Ctx, address: &[u8], _patience: Patience) -> Result<Option<HostSocket>, Stop> {
        connect::connect(ctx, &self.end, address)
    }

    fn listen(&self, ctx: &mut Ctx, backlog: i32) -> Result<(), Errno> {
        connect::listen(ctx, &self.end, backlog)
    }

    fn accept(&self, ctx: &mut Ctx) -> Result<(Box<dyn Protocol>, Vec<u8>), Stop> {
        let end = connect::accept(ctx, &self.end)?;
        let from = end.state.borrow().peer.as_ref().map(|p| p.state.borrow().address.to_vec());
        Ok((Box::new(UnixSocket { end }), from.unwrap_or_else(|| unnamed().to_vec())))
    }

    fn address(&self, _ctx: &mut Ctx, side: Side) -> Result<Vec<u8>, Errno> {
        let state = self.end.state.borrow();
        match (side, &state.peer) {
            (Side::Own, _) => Ok(state.address.to_vec()),
            (Side::Peer, Some(peer)) if Rc::ptr_eq(peer, &self.end) => Ok(state.address.to_vec()),
            (Side::Peer, Some(peer)) => Ok(peer.state.borrow().address.to_vec()),
            (Side::Peer, None) => Err(Errno::ENOTCONN),
        }
    }

    fn send(&self, ctx: &mut Ctx, message: &mut Outgoing<'_>) -> Result<usize, Stop> {
        match self.end.kind {
            Kind::Stream => transfer::send_stream(ctx, &self.end, message),
            _ => transfer::send_packet(ctx, &self.end, message),
        }
    }

    fn receive(&self, ctx: &mut Ctx, message: &mut Incoming<'_>) -> Result<usize, Stop> {
        match self.end.kind {
            Kind::Stream => transfer::receive_stream(&self.end, message),
            _ => transfer::receive_packet(ctx, &self.end, message),
        }
    }

    fn shutdown(&self, _ctx: &mut Ctx, how: u32) -> Result<(), Errno> {
        let (own, other) = match how {
            SHUT_RD => (NO_RECEIVE, NO_SEND),
            SHUT_WR => (NO_SEND, NO_RECEIVE),
            _ => (NO_RECEIVE | NO_SEND, NO_RECEIVE | NO_SEND),
        };
        let peer = {
            let mut state = self.end.state.borrow_mut();
            state.shut |= own;
            state.peer.clone()
        };
        if let Some(peer) = peer.filter(|_| self.end.kind != Kind::Datagram) {
            peer.state.borrow_mut().shut |= other;
            peer.wake();
        }
        self.end.wake();
        Ok(())
    }

    fn option(&self, ctx: &mut Ctx, level: u32, name: u32, len: usize) -> Result<Vec<u8>, Errno> {
        option::get(ctx, &self.end, level, name, len)
    }

    fn set_option(&self, ctx: &mut Ctx, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
        option::set(ctx, &self.end, level, name, value)
    }

    fn readiness(&self, _ctx: &mut Ctx, _events: i16) -> Readiness {
        let (state, mut ready) = (self.end.state.borrow(), 0);
        let mut keys = vec![self.end.key()];
        if state.error.is_some() {
            ready |= POLLERR;
        }
        if state.shut & NO_RECEIVE != 0 {
            ready |= POLLRDHUP | POLLIN | POLLRDNORM;
        }
        if state.shut == NO_RECEIVE | NO_SEND {
            ready |= POLLHUP;
        }
        if !state.queue.is_empty() || !state.pending.is_empty() {
            ready |= POLLIN | POLLRDNORM;
        }
        if self.end.kind != Kind::Datagram && state.phase == Phase::Unconnected {
            ready |= POLLHUP;
        }
        let peer = state.peer.clone().filter(|_| self.end.kind == Kind::Datagram);
        drop(state);
        let full = peer.is_some_and(|peer| {
            keys.push(peer.key());
            peer.is_full_for(&self.end)
        });
        if self.end.is_writable() && !full {
            ready |= POLLOUT | POLLWRNORM | POLLWRBAND;
        }
        Readiness { ready: ready as i16, keys, ..Readiness::default() }
    }

    fn stat(&self, _ctx: &mut Ctx) -> Result<FileStat, Errno> {
        Ok(self.end.stat)
    }

    fn number(&self, _ctx: &mut Ctx, request: u32) -> Result<i32, Errno> {
        let state = self.end.state.borrow();
        match (request, self.end.kind) {
            (ioctl::TIOCOUTQ, _) => Ok(self.end.sent.get() as i32),
            (ioctl::FIONREAD, _) if state.phase == Phase::Listening => Err(Errno::EINVAL),
            (ioctl::FIONREAD, Kind::Datagram) => Ok(state.queue.front().map_or(0, |p| p.left().len()) as i32),
            (ioctl::FIONREAD, _) => Ok(state.queue.iter().map(|p| p.left().len()).sum::<usize>() as i32),
            _ => Err(Errno::ENOTTY),
        }
    }
}
