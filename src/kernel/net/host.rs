//! Sockets of the host: internet, packet, and UNIX sockets of programs outside.

use super::calls::MAX_ADDRESS;
use super::*;
use crate::abi::consts::poll::{POLLIN, POLLOUT};
use crate::abi::consts::socktype::SOCK_RAW;
use crate::host::{Data, DataMut};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

/// Address family of packet(7).
const AF_PACKET: u32 = 17;
/// Protocols of which a datagram socket is for echo requests.
const IPPROTO_ICMP: i32 = 1;
const IPPROTO_ICMPV6: i32 = 58;

/// How often a connection to a UNIX socket outside is tried whose queue is full, in nanoseconds.
const RETRY_NS: u64 = 5_000_000;
/// SOCK_PACKET, for the type number.
const SOCK_PACKET: u32 = 10;

/// A socket of the host, which never waits there.
#[derive(Debug)]
pub struct HostSocket {
    fd: HostFd,
    domain: u32,
    kind: Kind,
    /// SO_LINGER with a time, which the host does not hear of: its close(2) would wait.
    linger: Cell<Option<[u32; 2]>>,
    /// Its protocol as socket(2) was told, 0 being the usual one of its kind.
    protocol: i32,
    /// Its own address and the other end's, as far as calls have made them known.
    addresses: RefCell<[Option<SocketAddr>; 2]>,
}

/// The internet address in the bytes of a struct sockaddr.
fn internet(address: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([*address.get(2)?, *address.get(3)?]);
    match u32::from(u16::from_le_bytes([*address.first()?, *address.get(1)?])) {
        AF_INET => Some(SocketAddr::from((<[u8; 4]>::try_from(address.get(4..8)?).ok()?, port))),
        AF_INET6 => Some(SocketAddr::from((<[u8; 16]>::try_from(address.get(8..24)?).ok()?, port))),
        _ => None,
    }
}

impl HostSocket {
    /// A new one.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn create(ctx: &mut Ctx, domain: u32, kind: u32, protocol: i32) -> Result<HostSocket, Errno> {
        let raw = kind == SOCK_RAW || kind == SOCK_PACKET;
        // The guest may not have what sevm has.
        if raw && domain != AF_NETLINK && !ctx.thread().credentials.has(crate::abi::consts::cap::CAP_NET_RAW) {
            return Err(Errno::EPERM);
        }
        let fd = ctx.kernel.host.socket(domain, kind, protocol)?;
        Ok(HostSocket {
            fd,
            domain,
            kind: Kind::of(kind),
            linger: Cell::default(),
            protocol,
            addresses: RefCell::default(),
        })
    }

    /// One that exists already.
    ///
    /// # Errors
    /// The host does not say what it is.
    pub fn adopt(host: &mut dyn Host, fd: HostFd) -> Result<HostSocket, Errno> {
        let [domain, kind, _] = host.adopt_socket(&fd)?;
        Ok(HostSocket {
            fd,
            domain,
            kind: Kind::of(kind),
            linger: Cell::default(),
            protocol: 0,
            addresses: RefCell::default(),
        })
    }

    /// A new one, connected to the UNIX socket of a program outside.
    ///
    /// # Errors
    /// Those of connect(2).
    pub fn connect_outside(ctx: &mut Ctx, kind: u32, node: &HostFd) -> Result<HostSocket, Stop> {
        let fd = ctx.kernel.host.socket(AF_UNIX, kind, 0)?;
        match ctx.kernel.host.connect_node(&fd, node) {
            Ok(()) => Ok(HostSocket {
                fd,
                domain: AF_UNIX,
                kind: Kind::of(kind),
                linger: Cell::default(),
                protocol: 0,
                addresses: RefCell::default(),
            }),
            // Nothing can be asked when there will be room.
            Err(Errno::EAGAIN) => Err(Stop::Block(Wait::until(ctx.kernel.monotonic_ns() + RETRY_NS))),
            Err(e) => Err(e.into()),
        }
    }

    /// Asks the host for addresses that observers may want to show.
    fn learn(&self, ctx: &mut Ctx, sides: &[Side]) {
        if !matches!(self.domain, AF_INET | AF_INET6) {
            return;
        }
        for side in sides {
            let address = ctx.kernel.host.address(&self.fd, *side).ok().and_then(|a| internet(&a));
            self.addresses.borrow_mut()[usize::from(*side == Side::Peer)] = address;
        }
    }

    /// `EAGAIN` becomes a wait.
    fn or_wait<T>(&self, result: Result<T, Errno>, events: u32) -> Result<T, Stop> {
        match result {
            Err(Errno::EAGAIN) => Err(Stop::Block(Wait::fd(&self.fd, events as i16))),
            result => Ok(result?),
        }
    }

    /// UNIX sockets outside stand by names of the host, which a guest does not say.
    fn refuse_names(&self) -> Result<(), Errno> {
        if self.domain == AF_UNIX { Err(Errno::EINVAL) } else { Ok(()) }
    }
}

impl Protocol for HostSocket {
    fn label(&self) -> Label {
        let protocol = match (self.domain, self.kind) {
            (AF_INET, Kind::Stream) => "TCP",
            (AF_INET6, Kind::Stream) => "TCPv6",
            (AF_INET, Kind::Datagram) if self.protocol == IPPROTO_ICMP => "ping",
            (AF_INET6, Kind::Datagram) if self.protocol == IPPROTO_ICMPV6 => "pingv6",
            (AF_INET, Kind::Datagram) => "UDP",
            (AF_INET6, Kind::Datagram) => "UDPv6",
            (AF_INET, Kind::Other) => "RAW",
            (AF_INET6, Kind::Other) => "RAWv6",
            (AF_UNIX, Kind::Stream) => "UNIX-STREAM",
            (AF_UNIX, _) => "UNIX",
            (AF_PACKET, _) => "PACKET",
            _ => "socket",
        };
        let details = match *self.addresses.borrow() {
            [Some(own), Some(peer)] => Some(format!("{own}->{peer}")),
            [Some(own), None] => Some(own.to_string()),
            _ => None,
        };
        Label::Socket { protocol, details }
    }

    fn domain(&self) -> u32 {
        self.domain
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn host_fd(&self) -> Option<&HostFd> {
        Some(&self.fd)
    }

    fn bind(&self, ctx: &mut Ctx, address: &[u8]) -> Result<(), Errno> {
        self.refuse_names()?;
        ctx.kernel.host.bind(&self.fd, address)?;
        self.learn(ctx, &[Side::Own]);
        Ok(())
    }

    fn connect(&self, ctx: &mut Ctx, address: &[u8], patience: Patience) -> Result<Option<HostSocket>, Stop> {
        if self.domain == AF_UNIX && family(address) != Some(0) {
            return Err(Errno::EISCONN.into());
        }
        match ctx.kernel.host.connect(&self.fd, address) {
            Ok(()) => {
                self.learn(ctx, &[Side::Own, Side::Peer]);
                Ok(None)
            }
            // Asked again when something has happened, the host says what came of it.
            Err(Errno::EINPROGRESS | Errno::EALREADY) if patience == Patience::Waits => {
                Err(Stop::Block(Wait::fd(&self.fd, POLLOUT as i16)))
            }
            Err(e) => Err(e.into()),
        }
    }

    fn listen(&self, ctx: &mut Ctx, backlog: i32) -> Result<(), Errno> {
        ctx.kernel.host.listen(&self.fd, backlog)?;
        self.learn(ctx, &[Side::Own]);
        Ok(())
    }

    fn accept(&self, ctx: &mut Ctx) -> Result<(Box<dyn Protocol>, Vec<u8>), Stop> {
        let result = ctx.kernel.host.accept(&self.fd);
        let (fd, from) = self.or_wait(result, POLLIN)?;
        let socket = HostSocket {
            fd,
            domain: self.domain,
            kind: self.kind,
            linger: self.linger.clone(),
            protocol: self.protocol,
            addresses: RefCell::default(),
        };
        socket.learn(ctx, &[Side::Own, Side::Peer]);
        Ok((Box::new(socket), from))
    }

    fn address(&self, ctx: &mut Ctx, side: Side) -> Result<Vec<u8>, Errno> {
        ctx.kernel.host.address(&self.fd, side)
    }

    fn send(&self, ctx: &mut Ctx, message: &mut Outgoing<'_>) -> Result<usize, Stop> {
        if message.to.is_some() && self.kind != Kind::Stream {
            self.refuse_names()?;
        }
        let mut files = Vec::new();
        for file in &message.with.files {
            // What only exists inside the machine cannot leave it.
            files.push(file.host_fd().ok_or(Errno::EINVAL)?.clone());
        }
        let (to, control, flags) = (message.to.as_deref(), &message.with.raw, message.flags);
        let host = &mut ctx.kernel.host;
        let result = match message.buf.own() {
            Some(own) => host.send(&self.fd, to, Data::Own(own), control, &files, flags),
            None => host.send(&self.fd, to, Data::Guest(&message.buf.spans_in()?), control, &files, flags),
        };
        let n = self.or_wait(result, POLLOUT)?;
        message.buf.advance(n);
        Ok(n)
    }

    fn receive(&self, ctx: &mut Ctx, message: &mut Incoming<'_>) -> Result<usize, Stop> {
        let (host, mounts) = (&mut ctx.kernel.host, &ctx.kernel.mounts);
        let result = match message.buf.own() {
            Some(own) => host.receive(&self.fd, DataMut::Own(own), message.room, message.flags),
            None => {
                let spans = message.buf.spans_out()?;
                host.receive(&self.fd, DataMut::Guest(&spans), message.room, message.flags)
            }
        };
        let arrived = self.or_wait(result, POLLIN)?;
        message.buf.advance(arrived.bytes);
        message.from = arrived.from;
        message.from.truncate(MAX_ADDRESS);
        (message.with.raw, message.found) = (arrived.control, arrived.flags);
        for fd in arrived.files {
            let (flags, path) = (host.status_flags(&fd).unwrap_or(0), host.path_of(&fd));
            let place = mounts.place(&mut **host, &fd);
            message.with.files.push(File::of_host(&mut **host, fd.with_mount(place), &path, flags)?);
        }
        Ok(arrived.bytes)
    }

    fn shutdown(&self, ctx: &mut Ctx, how: u32) -> Result<(), Errno> {
        ctx.kernel.host.shutdown(&self.fd, how)
    }

    fn option(&self, ctx: &mut Ctx, level: u32, name: u32, len: usize) -> Result<Vec<u8>, Errno> {
        if let (SOL_SOCKET, so::SO_LINGER, Some(linger)) = (level, name, self.linger.get()) {
            return Ok(linger.map(u32::to_le_bytes).concat());
        }
        let mut value = vec![0; len.min(crate::host::known_option(level, name).ok_or(Errno::ENOPROTOOPT)?)];
        let got = ctx.kernel.host.option(&self.fd, level, name, &mut value)?;
        value.truncate(got);
        Ok(value)
    }

    fn set_option(&self, ctx: &mut Ctx, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
        match (level, name) {
            (SOL_SOCKET, so::SO_ATTACH_FILTER) => return ctx.kernel.host.attach_filter(&self.fd, value),
            (SOL_SOCKET, so::SO_LINGER) if value.len() >= 8 => {
                let word = |at: usize| u32::from_le_bytes([value[at], value[at + 1], value[at + 2], value[at + 3]]);
                let (on, seconds) = (u32::from(word(0) != 0), word(4));
                let waits = on != 0 && seconds != 0;
                self.linger.set(waits.then_some([on, seconds]));
                if waits {
                    return ctx.kernel.host.set_option(&self.fd, level, name, &[0; 8]);
                }
            }
            _ => {}
        }
        ctx.kernel.host.set_option(&self.fd, level, name, value)
    }

    fn readiness(&self, _ctx: &mut Ctx, _events: i16) -> Readiness {
        Readiness { host: Some(self.fd.clone()), ..Readiness::default() }
    }

    fn stat(&self, ctx: &mut Ctx) -> Result<FileStat, Errno> {
        ctx.kernel.host.stat(&self.fd)
    }

    fn number(&self, ctx: &mut Ctx, request: u32) -> Result<i32, Errno> {
        ctx.kernel.host.socket_number(&self.fd, request)
    }
}
