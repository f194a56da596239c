//! Sockets of a machine without network (`--no-network`).
//!
//! AF_INET and AF_INET6 are there as in a new network namespace whose interfaces are all down: sockets can be made,
//! given options and bound (IPv6 ones to the wildcard address only); nothing can be reached (ENETUNREACH), the loopback
//! included. Other families than these and AF_UNIX are refused with EACCES. The host's network never sees such a socket: what lies
//! beneath is only asked for options.

use super::host::HostSocket;
use super::*;
use crate::abi::consts::poll::{POLLHUP, POLLOUT, POLLWRNORM};
use std::cell::RefCell;

/// The first port that a socket gets by itself (net.ipv4.ip_local_port_range).
const FIRST_PORT: u16 = 32768;

/// An internet socket from which nothing can be reached.
#[derive(Debug)]
pub struct OfflineSocket {
    options: HostSocket,
    /// Its own address, once it has one.
    address: RefCell<Option<Vec<u8>>>,
    listens: Cell<bool>,
}

impl OfflineSocket {
    /// A new one.
    ///
    /// # Errors
    /// Those of socket(2); `EACCES` for families that would show the host's network.
    pub fn create(ctx: &mut Ctx, domain: u32, kind: u32, protocol: i32) -> Result<OfflineSocket, Errno> {
        ctx.kernel.call_mark = Some(MARK);
        if !matches!(domain, AF_INET | AF_INET6) {
            return Err(Errno::EACCES);
        }
        let options = HostSocket::create(ctx, domain, kind, protocol)?;
        Ok(OfflineSocket { options, address: RefCell::default(), listens: Cell::new(false) })
    }

    /// The address that a socket without one has.
    fn wildcard(&self) -> Vec<u8> {
        let mut address = vec![0; if self.options.domain() == AF_INET { 16 } else { 28 }];
        address[0] = self.options.domain() as u8;
        address
    }

    fn take_port(&self, ctx: &mut Ctx) -> u16 {
        let next = &mut ctx.kernel.net.next_port;
        *next = next.checked_add(1).unwrap_or(FIRST_PORT).max(FIRST_PORT);
        *next
    }
}

/// How an IPv6 address begins that stands for an IPv4 address.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/// What the trace says of calls that fail for want of a network.
const MARK: &str = "NO NETWORK";

fn unreachable<T>(ctx: &mut Ctx) -> Result<T, Errno> {
    ctx.kernel.call_mark = Some(MARK);
    Err(Errno::ENETUNREACH)
}

impl Protocol for OfflineSocket {
    fn domain(&self) -> u32 {
        self.options.domain()
    }

    fn kind(&self) -> Kind {
        self.options.kind()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn bind(&self, ctx: &mut Ctx, address: &[u8]) -> Result<(), Errno> {
        let mut own = self.wildcard();
        if address.len() < own.len().min(24) {
            return Err(Errno::EINVAL);
        }
        if family(address) != Some(self.options.domain()) {
            return Err(Errno::EAFNOSUPPORT);
        }
        if self.address.borrow().is_some() {
            return Err(Errno::EINVAL);
        }
        // Without an interface there is no table of IPv4 addresses, and then Linux takes any (inet_addr_type()).
        let part = if self.options.domain() == AF_INET { 4..8 } else { 8..24 };
        let is_four = part.len() == 4 || address[part.clone()].starts_with(&MAPPED);
        if !is_four && address[part.clone()].iter().any(|b| *b != 0) {
            ctx.kernel.call_mark = Some(MARK);
            return Err(Errno::EADDRNOTAVAIL);
        }
        own[part.clone()].copy_from_slice(&address[part]);
        let port = match u16::from_be_bytes([address[2], address[3]]) {
            0 => self.take_port(ctx),
            port => port,
        };
        own[2..4].copy_from_slice(&port.to_be_bytes());
        *self.address.borrow_mut() = Some(own);
        Ok(())
    }

    fn connect(&self, ctx: &mut Ctx, address: &[u8], _patience: Patience) -> Result<Option<HostSocket>, Stop> {
        match family(address) {
            None => Err(Errno::EINVAL.into()),
            // Nothing to disconnect.
            Some(0) => Ok(None),
            Some(_) => Ok(unreachable(ctx)?),
        }
    }

    fn listen(&self, ctx: &mut Ctx, _backlog: i32) -> Result<(), Errno> {
        if self.kind() != Kind::Stream {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.address.borrow().is_none() {
            let wildcard = self.wildcard();
            self.bind(ctx, &wildcard)?;
        }
        self.listens.set(true);
        Ok(())
    }

    fn accept(&self, _ctx: &mut Ctx) -> Result<(Box<dyn Protocol>, Vec<u8>), Stop> {
        if self.kind() != Kind::Stream {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if !self.listens.get() {
            return Err(Errno::EINVAL.into());
        }
        // Nobody will ever come.
        Err(Stop::Block(Wait::default()))
    }

    fn address(&self, _ctx: &mut Ctx, side: Side) -> Result<Vec<u8>, Errno> {
        match side {
            Side::Own => Ok(self.address.borrow().clone().unwrap_or_else(|| self.wildcard())),
            Side::Peer => Err(Errno::ENOTCONN),
        }
    }

    fn send(&self, ctx: &mut Ctx, message: &mut Outgoing<'_>) -> Result<usize, Stop> {
        match (&message.to, self.kind()) {
            (_, Kind::Stream) => Err(Errno::EPIPE.into()),
            (None, _) => Err(Errno::EDESTADDRREQ.into()),
            (Some(_), _) => Ok(unreachable(ctx)?),
        }
    }

    fn receive(&self, _ctx: &mut Ctx, _message: &mut Incoming<'_>) -> Result<usize, Stop> {
        if self.kind() == Kind::Stream { Err(Errno::ENOTCONN.into()) } else { Err(Stop::Block(Wait::default())) }
    }

    fn shutdown(&self, _ctx: &mut Ctx, _how: u32) -> Result<(), Errno> {
        if self.listens.replace(false) { Ok(()) } else { Err(Errno::ENOTCONN) }
    }

    fn option(&self, ctx: &mut Ctx, level: u32, name: u32, len: usize) -> Result<Vec<u8>, Errno> {
        if (level, name) == (SOL_SOCKET, so::SO_ACCEPTCONN) {
            return Ok(u32::from(self.listens.get()).to_le_bytes().to_vec());
        }
        self.options.option(ctx, level, name, len)
    }

    fn set_option(&self, ctx: &mut Ctx, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
        self.options.set_option(ctx, level, name, value)
    }

    fn readiness(&self, _ctx: &mut Ctx, _events: i16) -> Readiness {
        Readiness::now(match self.kind() {
            Kind::Stream if self.listens.get() => 0,
            Kind::Stream => POLLOUT | POLLWRNORM | POLLHUP,
            _ => POLLOUT | POLLWRNORM,
        })
    }

    fn stat(&self, ctx: &mut Ctx) -> Result<FileStat, Errno> {
        self.options.stat(ctx)
    }

    fn number(&self, ctx: &mut Ctx, request: u32) -> Result<i32, Errno> {
        self.options.number(ctx, request)
    }
}
