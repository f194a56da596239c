//! Netlink sockets (netlink(7)): sockets of the host, whose port ids the guest sees as it would on a machine of its own.
//!
//! Port ids are one set for the whole network namespace of the host, where other machines like this one bind the same
//! process ids. So the host chooses the number beneath, and the guest has its own: the process id for the first socket
//! of a process, as Linux gives. Addresses and the headers of messages are translated between the two.

use super::host::HostSocket;
use super::*;
use crate::abi::consts::msg::{MSG_PEEK, MSG_TRUNC};
use crate::abi::consts::poll::{POLLIN, POLLRDNORM};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

/// Where `nl_pid` lies in a struct sockaddr_nl.
const PORT: std::ops::Range<usize> = 4..8;
/// Bytes of a struct sockaddr_nl.
const ADDRESS_LEN: usize = 12;
/// Bytes of a struct nlmsghdr, and where its `nlmsg_pid` lies.
const HEADER_LEN: usize = 16;
const HEADER_PORT: std::ops::Range<usize> = 12..16;
/// The longest message that is translated: dumps come in parts of 32 KiB at most (netlink_dump()).
const MAX_MESSAGE: u64 = 1 << 20;
/// The first port id of sockets whose process has one already (netlink_autobind(): "rover").
const FIRST_OTHER: u32 = -4096_i32 as u32;

/// The port ids of the machine: those of guests by protocol and number, with the host's beside them.
#[derive(Debug, Default)]
pub(super) struct Ports(BTreeMap<(i32, u32), u32>);

impl Ports {
    /// The guest's number for the host's.
    fn of_host(&self, protocol: i32, host: u32) -> Option<u32> {
        let all = self.0.range((protocol, 0)..=(protocol, u32::MAX));
        all.into_iter().find(|(_, number)| **number == host).map(|((_, guest), _)| *guest)
    }

    /// A free number: `pid`, or the next below -4096.
    fn free(&self, protocol: i32, pid: u32) -> u32 {
        let mut number = pid;
        while self.0.contains_key(&(protocol, number)) {
            number = if number == pid { FIRST_OTHER } else { number.wrapping_sub(1) };
        }
        number
    }
}

/// Messages to a netlink socket that come from the machine's own kernel and not from the host's.
#[derive(Clone, Debug)]
pub struct NetlinkInbox(Rc<Inbox>);

#[derive(Debug)]
struct Inbox {
    /// What receivers wait for.
    id: u64,
    messages: RefCell<VecDeque<Vec<u8>>>,
}

impl NetlinkInbox {
    fn new(kernel: &mut Kernel) -> NetlinkInbox {
        NetlinkInbox(Rc::new(Inbox { id: kernel.new_object(), messages: RefCell::default() }))
    }

    /// The inbox of the netlink socket that `file` is (netlink_getsockbyfd()).
    ///
    /// # Errors
    /// `ENOTSOCK`, `EINVAL`: it is none.
    pub fn of(file: &File) -> Result<NetlinkInbox, Errno> {
        let socket = socket_of(file)?.protocol().as_any().downcast_ref::<NetlinkSocket>();
        socket.map(|s| s.inbox.clone()).ok_or(Errno::EINVAL)
    }

    /// Puts a message in.
    pub fn put(&self, kernel: &mut Kernel, message: Vec<u8>) {
        self.0.messages.borrow_mut().push_back(message);
        kernel.wake_events(self.key(), POLLIN | POLLRDNORM);
    }

    fn key(&self) -> WaitKey {
        WaitKey::Object(self.0.id)
    }

    fn is_empty(&self) -> bool {
        self.0.messages.borrow().is_empty()
    }

    /// Receives the next message, if there is one.
    fn receive(&self, message: &mut Incoming<'_>) -> Option<Result<usize, Errno>> {
        let mut messages = self.0.messages.borrow_mut();
        let bytes = match message.flags & MSG_PEEK {
            0 => messages.pop_front()?,
            _ => messages.front()?.clone(),
        };
        let fits = bytes.len().min(message.buf.left() as usize);
        // The kernel's address: port 0.
        message.from = vec![0; ADDRESS_LEN];
        message.from[0] = AF_NETLINK as u8;
        let cut = fits < bytes.len();
        message.found = if cut { MSG_TRUNC } else { 0 };
        let told = if cut && message.flags & MSG_TRUNC != 0 { bytes.len() } else { fits };
        Some(message.buf.put_all(&bytes[..fits]).map(|()| told))
    }
}

/// A netlink socket.
#[derive(Debug)]
pub struct NetlinkSocket {
    host: HostSocket,
    protocol: i32,
    ports: Rc<RefCell<Ports>>,
    /// Its own port id, once it has one.
    port: Cell<Option<u32>>,
    inbox: NetlinkInbox,
}

impl NetlinkSocket {
    /// A new one.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn create(ctx: &mut Ctx, kind: u32, protocol: i32) -> Result<NetlinkSocket, Errno> {
        let host = HostSocket::create(ctx, AF_NETLINK, kind, protocol)?;
        let ports = Rc::clone(&ctx.kernel.net.ports);
        let inbox = NetlinkInbox::new(ctx.kernel);
        Ok(NetlinkSocket { host, protocol, ports, port: Cell::new(None), inbox })
    }

    /// Notes the number that the host's socket has got. `wanted`: the guest's choice; 0: none.
    fn note(&self, ctx: &mut Ctx, wanted: u32) -> Result<(), Errno> {
        let host = word(&self.host.address(ctx, Side::Own)?, PORT);
        let mut ports = self.ports.borrow_mut();
        let port = if wanted != 0 { wanted } else { ports.free(self.protocol, ctx.pid as u32) };
        ports.0.insert((self.protocol, port), host);
        self.port.set(Some(port));
        Ok(())
    }

    /// Binds it, as Linux does when it first sends, to a number and no groups.
    fn bind_by_itself(&self, ctx: &mut Ctx) -> Result<(), Errno> {
        if self.port.get().is_some() {
            return Ok(());
        }
        let mut address = [0; ADDRESS_LEN];
        address[0] = AF_NETLINK as u8;
        self.host.bind(ctx, &address)?;
        self.note(ctx, 0)
    }

    /// An address of the guest as the host knows it.
    fn to_host(&self, address: &[u8]) -> Vec<u8> {
        let mut own = address.to_vec();
        if own.len() >= ADDRESS_LEN
            && let Some(host) = self.ports.borrow().0.get(&(self.protocol, word(&own, PORT)))
        {
            own[PORT].copy_from_slice(&host.to_le_bytes());
        }
        own
    }

    /// Puts the guest's number for the host's at `at`.
    fn to_guest(&self, bytes: &mut [u8], at: std::ops::Range<usize>) {
        if bytes.len() >= at.end
            && let Some(port) = self.ports.borrow().of_host(self.protocol, word(bytes, at.clone()))
        {
            bytes[at].copy_from_slice(&port.to_le_bytes());
        }
    }

    /// Translates the headers of the messages in `bytes`.
    fn translate(&self, mut bytes: &mut [u8]) {
        while bytes.len() >= HEADER_LEN {
            self.to_guest(bytes, HEADER_PORT);
            let len = (word(bytes, 0..4) as usize).next_multiple_of(4);
            if len < HEADER_LEN || len > bytes.len() {
                break;
            }
            bytes = &mut bytes[len..];
        }
    }
}

/// The number at `at`, which must lie within `bytes`; 0 if it does not.
fn word(bytes: &[u8], at: std::ops::Range<usize>) -> u32 {
    bytes.get(at).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl Drop for NetlinkSocket {
    fn drop(&mut self) {
        if let Some(port) = self.port.get() {
            self.ports.borrow_mut().0.remove(&(self.protocol, port));
        }
    }
}

impl Protocol for NetlinkSocket {
    fn label(&self) -> Label {
        const NAMES: [&str; 17] = [
            "ROUTE",
            "UNUSED",
            "USERSOCK",
            "FIREWALL",
            "SOCK_DIAG",
            "NFLOG",
            "XFRM",
            "SELINUX",
            "ISCSI",
            "AUDIT",
            "FIB_LOOKUP",
            "CONNECTOR",
            "NETFILTER",
            "IP6_FW",
            "DNRTMSG",
            "KOBJECT_UEVENT",
            "GENERIC",
        ];
        let name = usize::try_from(self.protocol).ok().and_then(|n| NAMES.get(n));
        let details = self.port.get().zip(name).map(|(port, name)| format!("{name}:{port}"));
        Label::Socket { protocol: "NETLINK", details }
    }

    fn netlink_protocol(&self) -> Option<i32> {
        Some(self.protocol)
    }

    fn domain(&self) -> u32 {
        AF_NETLINK
    }

    fn kind(&self) -> Kind {
        self.host.kind()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn host_fd(&self) -> Option<&HostFd> {
        self.host.host_fd()
    }

    fn bind(&self, ctx: &mut Ctx, address: &[u8]) -> Result<(), Errno> {
        if address.len() < ADDRESS_LEN {
            return Err(Errno::EINVAL);
        }
        let (wanted, mut own) = (word(address, PORT), address.to_vec());
        match self.port.get() {
            // Bound already: only the groups may change (netlink_bind()).
            Some(port) if wanted != port => return Err(Errno::EINVAL),
            Some(_) => own = self.to_host(address),
            None if self.ports.borrow().0.contains_key(&(self.protocol, wanted)) => return Err(Errno::EADDRINUSE),
            None => own[PORT].fill(0),
        }
        self.host.bind(ctx, &own)?;
        if self.port.get().is_none() { self.note(ctx, wanted) } else { Ok(()) }
    }

    fn connect(&self, ctx: &mut Ctx, address: &[u8], patience: Patience) -> Result<Option<HostSocket>, Stop> {
        if family(address) == Some(AF_NETLINK) && address.len() >= ADDRESS_LEN {
            self.bind_by_itself(ctx)?;
        }
        self.host.connect(ctx, &self.to_host(address), patience)
    }

    fn listen(&self, ctx: &mut Ctx, backlog: i32) -> Result<(), Errno> {
        self.host.listen(ctx, backlog)
    }

    fn accept(&self, ctx: &mut Ctx) -> Result<(Box<dyn Protocol>, Vec<u8>), Stop> {
        self.host.accept(ctx)
    }

    fn address(&self, ctx: &mut Ctx, side: Side) -> Result<Vec<u8>, Errno> {
        let mut address = self.host.address(ctx, side)?;
        self.to_guest(&mut address, PORT);
        Ok(address)
    }

    fn send(&self, ctx: &mut Ctx, message: &mut Outgoing<'_>) -> Result<usize, Stop> {
        self.bind_by_itself(ctx)?;
        message.to = message.to.take().map(|to| self.to_host(&to));
        self.host.send(ctx, message)
    }

    fn receive(&self, ctx: &mut Ctx, message: &mut Incoming<'_>) -> Result<usize, Stop> {
        if let Some(received) = self.inbox.receive(message) {
            return Ok(received?);
        }
        let mut buf = Buffer::kernel(vec![0; message.buf.left().min(MAX_MESSAGE) as usize]);
        let mut inner = Incoming::new(&mut buf, message.flags, message.room);
        let n = self.host.receive(ctx, &mut inner).map_err(|stop| match stop {
            Stop::Block(wait) => Stop::Block(Wait { keys: vec![self.inbox.key()], ..wait }),
            stop => stop,
        })?;
        let Incoming { from, with, found, .. } = inner;
        (message.from, message.with, message.found) = (from, with, found);
        self.to_guest(&mut message.from, PORT);
        let mut bytes = buf.into_bytes();
        self.translate(&mut bytes);
        message.buf.put_all(&bytes)?;
        Ok(n)
    }

    fn shutdown(&self, ctx: &mut Ctx, how: u32) -> Result<(), Errno> {
        self.host.shutdown(ctx, how)
    }

    fn option(&self, ctx: &mut Ctx, level: u32, name: u32, len: usize) -> Result<Vec<u8>, Errno> {
        self.host.option(ctx, level, name, len)
    }

    fn set_option(&self, ctx: &mut Ctx, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
        self.host.set_option(ctx, level, name, value)
    }

    fn readiness(&self, ctx: &mut Ctx, events: i16) -> Readiness {
        let ready = if self.inbox.is_empty() { 0 } else { POLLIN | POLLRDNORM };
        Readiness { ready: ready as i16, keys: vec![self.inbox.key()], ..self.host.readiness(ctx, events) }
    }

    fn stat(&self, ctx: &mut Ctx) -> Result<FileStat, Errno> {
        self.host.stat(ctx)
    }

    fn number(&self, ctx: &mut Ctx, request: u32) -> Result<i32, Errno> {
        self.host.number(ctx, request)
    }
}
