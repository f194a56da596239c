//! Sockets (socket(7)).
//!
//! A `Socket` is an open file over a `Protocol`: UNIX sockets (`unix`) live inside the machine, all others
//! (`host`; `netlink` with port ids of the guest) are sockets of the host, which never wait there, whatever the guest's
//! flags say. The calls are in `calls`,
//! `message` and `option`; they know waiting, timeouts, flags and the layouts in guest memory. A protocol knows neither.

mod calls;
mod control;
mod host;
mod interface;
mod message;
mod mmsg;
mod netlink;
mod offline;
mod option;
mod unix;
mod wait;

pub use calls::{accept, accept4, bind, connect, getpeername, getsockname, listen, shutdown, socket, socketpair};
pub use message::{recvfrom, recvmsg, sendmsg, sendto};
pub use mmsg::{recvmmsg, sendmmsg};
pub use netlink::NetlinkInbox;
pub use option::{getsockopt, setsockopt};
pub use unix::Network;

use super::file::{Access, Buffer, File, FileKind, FileOps, Label, Readiness};
use super::*;
use crate::abi::UCred;
use crate::abi::consts::so;
use crate::host::{FileStat, HostFd, Side};
use crate::mem::GuestAddr;
use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// AF_UNIX.
const AF_UNIX: u32 = 1;
/// AF_INET.
const AF_INET: u32 = 2;
/// AF_INET6.
const AF_INET6: u32 = 10;
/// AF_NETLINK.
const AF_NETLINK: u32 = 16;
/// SOL_SOCKET.
const SOL_SOCKET: u32 = 1;

/// What of a socket's connection a type of socket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes in order.
    Stream,
    /// Messages, each by itself.
    Datagram,
    /// Messages over a connection.
    SeqPacket,
    /// What the host makes of it (SOCK_RAW and others).
    Other,
}

impl Kind {
    /// The kind that a SOCK_* number gives.
    fn of(number: u32) -> Kind {
        use crate::abi::consts::socktype::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
        match number {
            SOCK_STREAM => Kind::Stream,
            SOCK_DGRAM => Kind::Datagram,
            SOCK_SEQPACKET => Kind::SeqPacket,
            _ => Kind::Other,
        }
    }
}

/// What goes with the bytes of a message.
#[derive(Clone, Debug, Default)]
pub struct Ancillary {
    /// Open files (SCM_RIGHTS).
    pub files: Vec<Rc<File>>,
    /// The sender (SCM_CREDENTIALS).
    pub sender: Option<UCred>,
    /// Control messages of the host, as they lie in memory.
    pub raw: Vec<u8>,
}

/// A message to be sent.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Its bytes; what is sent is used up.
    pub buf: &'a mut Buffer,
    /// Where to, if it is said.
    pub to: Option<Vec<u8>>,
    /// What goes with it.
    pub with: Ancillary,
    /// MSG_* bits.
    pub flags: u32,
}

/// A message to be received.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Where its bytes go.
    pub buf: &'a mut Buffer,
    /// MSG_* bits of the call.
    pub flags: u32,
    /// Bytes for control messages.
    pub room: usize,
    /// Found: the sender's address; empty if it has none.
    pub from: Vec<u8>,
    /// Found: what came with it.
    pub with: Ancillary,
    /// Found: MSG_* bits.
    pub found: u32,
}

impl<'a> Incoming<'a> {
    fn new(buf: &'a mut Buffer, flags: u32, room: usize) -> Incoming<'a> {
        Incoming { buf, flags, room, from: Vec::new(), with: Ancillary::default(), found: 0 }
    }
}

/// What a socket does. Operations that would wait give [`Stop::Block`], whatever O_NONBLOCK says.
pub trait Protocol: std::fmt::Debug {
    /// AF_*.
    fn domain(&self) -> u32;

    /// What kind of socket.
    fn kind(&self) -> Kind;

    /// For downcasts.
    fn as_any(&self) -> &dyn Any;

    /// The host's socket behind it.
    fn host_fd(&self) -> Option<&HostFd> {
        None
    }

    /// Gives it an address.
    ///
    /// # Errors
    /// Those of bind(2).
    fn bind(&self, ctx: &mut Ctx, address: &[u8]) -> Result<(), Errno>;

    /// Connects it. `Ok(Some(socket))`: from now on it is that socket of the host.
    ///
    /// # Errors
    /// Those of connect(2).
    fn connect(&self, ctx: &mut Ctx, address: &[u8], patience: Patience) -> Result<Option<host::HostSocket>, Stop>;

    /// Lets it take connections.
    ///
    /// # Errors
    /// Those of listen(2).
    fn listen(&self, ctx: &mut Ctx, backlog: i32) -> Result<(), Errno>;

    /// Takes a connection, and gives the other end's address.
    ///
    /// # Errors
    /// Those of accept(2).
    fn accept(&self, ctx: &mut Ctx) -> Result<(Box<dyn Protocol>, Vec<u8>), Stop>;

    /// An address of its connection.
    ///
    /// # Errors
    /// Those of getsockname(2) and getpeername(2).
    fn address(&self, ctx: &mut Ctx, side: Side) -> Result<Vec<u8>, Errno>;

    /// Sends; gives the number of bytes, which for a stream may be fewer than there are.
    ///
    /// # Errors
    /// Those of sendmsg(2).
    fn send(&self, ctx: &mut Ctx, message: &mut Outgoing<'_>) -> Result<usize, Stop>;

    /// Receives; gives the number of bytes, or with MSG_TRUNC the length of the message.
    ///
    /// # Errors
    /// Those of recvmsg(2).
    fn receive(&self, ctx: &mut Ctx, message: &mut Incoming<'_>) -> Result<usize, Stop>;

    /// Ends one direction or both (SHUT_*).
    ///
    /// # Errors
    /// Those of shutdown(2).
    fn shutdown(&self, ctx: &mut Ctx, how: u32) -> Result<(), Errno>;

    /// The value of an option, of which the caller takes `len` bytes.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    fn option(&self, ctx: &mut Ctx, level: u32, name: u32, len: usize) -> Result<Vec<u8>, Errno>;

    /// Sets an option.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    fn set_option(&self, ctx: &mut Ctx, level: u32, name: u32, value: &[u8]) -> Result<(), Errno>;

    /// Whether it is ready for `events`.
    fn readiness(&self, ctx: &mut Ctx, events: i16) -> Readiness;

    /// What stat(2) says about it.
    ///
    /// # Errors
    /// Those of fstat(2).
    fn stat(&self, ctx: &mut Ctx) -> Result<FileStat, Errno>;

    /// What strace(1) tells of it: its protocol, and what of its addresses is known.
    fn label(&self) -> Label {
        Label::Socket { protocol: "socket", details: None }
    }

    /// The protocol of a netlink socket.
    fn netlink_protocol(&self) -> Option<i32> {
        None
    }

    /// A number about it: FIONREAD, SIOCOUTQ, SIOCATMARK.
    ///
    /// # Errors
    /// `ENOTTY` and those of the protocol.
    fn number(&self, ctx: &mut Ctx, request: u32) -> Result<i32, Errno>;
}

/// Whether a call that waits for others does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It waits.
    Waits,
    /// It gives an error at once (O_NONBLOCK).
    None,
}

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    first: Box<dyn Protocol>,
    /// What it has become by connecting to a UNIX socket of the host.
    later: OnceCell<host::HostSocket>,
    /// SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds; `None`: no limit.
    timeouts: [Cell<Option<u64>>; 2],
}

impl Socket {
    /// A socket over a protocol.
    pub fn new(protocol: Box<dyn Protocol>) -> Socket {
        Socket { first: protocol, later: OnceCell::new(), timeouts: Default::default() }
    }

    /// A socket that sevm was started with, or that came from a program outside.
    ///
    /// # Errors
    /// The host does not say what it is.
    pub fn of_host(host: &mut dyn Host, fd: HostFd) -> Result<Socket, Errno> {
        Ok(Socket::new(Box::new(host::HostSocket::adopt(host, fd)?)))
    }

    /// Whether its bytes come in order and without borders (SOCK_STREAM).
    pub fn is_stream(&self) -> bool {
        self.protocol().kind() == Kind::Stream
    }

    /// The protocol of a netlink socket, for observers that decode its messages.
    pub fn netlink_protocol(&self) -> Option<i32> {
        self.protocol().netlink_protocol()
    }

    fn protocol(&self) -> &dyn Protocol {
        match self.later.get() {
            Some(socket) => socket,
            None => &*self.first,
        }
    }

    /// Makes it an open file.
    fn into_file(self, ctx: &mut Ctx, flags: u32) -> Result<Rc<File>, Errno> {
        let ino = self.protocol().stat(ctx)?.ino;
        let flags = crate::abi::consts::open::O_RDWR | flags & crate::abi::consts::open::O_NONBLOCK;
        Ok(File::new(self, format!("socket:[{ino}]").as_bytes(), flags))
    }
}

impl FileOps for Socket {
    fn kind(&self) -> FileKind {
        FileKind::Socket
    }

    fn label(&self) -> Option<Label> {
        Some(self.protocol().label())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn host_fd(&self) -> Option<&HostFd> {
        self.protocol().host_fd()
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        // As Linux has it, read(2) of nothing does not touch the socket (sock_read_iter()).
        if buf.left() == 0 {
            return Ok(0);
        }
        let before = buf.done();
        self.protocol().receive(ctx, &mut Incoming::new(buf, 0, 0))?;
        Ok((buf.done() - before) as usize)
    }

    fn write(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        let first = buf.done() == 0;
        let mut message = Outgoing { buf, to: None, with: Ancillary::default(), flags: 0 };
        let result = self.protocol().send(ctx, &mut message);
        if matches!(result, Err(Stop::Errno(Errno::EPIPE))) && first && self.protocol().kind() == Kind::Stream {
            ctx.raise(Signal::SIGPIPE);
        }
        result
    }

    fn timeout_ns(&self, events: i16) -> Option<u64> {
        let reads = events as u32 & crate::abi::consts::poll::POLLIN != 0;
        self.timeouts[if reads { 0 } else { 1 }].get()
    }

    fn readiness(&self, ctx: &mut Ctx, _file: &File, events: i16) -> Readiness {
        self.protocol().readiness(ctx, events)
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        self.protocol().stat(ctx)
    }

    fn ioctl(&self, ctx: &mut Ctx, file: &File, request: u32, arg: u64) -> SysResult {
        interface::ioctl(ctx, self, file, request, GuestAddr(arg))
    }
}

/// The socket that `file` is.
///
/// # Errors
/// `ENOTSOCK`.
fn socket_of(file: &File) -> Result<&Socket, Errno> {
    if file.is_path_only() {
        return Err(Errno::EBADF);
    }
    file.downcast::<Socket>().ok_or(Errno::ENOTSOCK)
}

/// The address family that the first bytes of an address say.
fn family(address: &[u8]) -> Option<u32> {
    address.first_chunk().map(|b| u32::from(u16::from_le_bytes(*b)))
}

/// The caller as the sender of a message: real ids, as Linux fills them in.
fn sender(ctx: &mut Ctx) -> UCred {
    let pid = ctx.pid;
    let credentials = &ctx.thread().credentials;
    UCred { pid, uid: credentials.uid[0], gid: credentials.gid[0] }
}

/// The caller as the owner of one end of a connection: effective ids.
fn owner(ctx: &mut Ctx) -> UCred {
    let pid = ctx.pid;
    let credentials = &ctx.thread().credentials;
    UCred { pid, uid: credentials.uid[1], gid: credentials.gid[1] }
}
