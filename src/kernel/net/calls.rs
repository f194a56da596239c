//! Making sockets and connections.

use super::wait::{Way, begin, patience, wait};
use super::*;
use crate::abi::consts::sockflags::{SOCK_CLOEXEC, SOCK_NONBLOCK};
use crate::abi::consts::{open, shutdown as how};
use crate::syscalls::args;

/// The longest socket address (struct sockaddr_storage).
pub(super) const MAX_ADDRESS: usize = 128;
/// The type number within the `type` argument.
const TYPE_MASK: u32 = 0xf;

/// Takes the flags out of a `type` argument: the type, status flags, and whether the descriptor closes on exec.
fn split_type(number: u32) -> Result<(u32, u32, bool), Errno> {
    let flags = number & !TYPE_MASK;
    if flags & !(SOCK_CLOEXEC | SOCK_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let status = if flags & SOCK_NONBLOCK != 0 { open::O_NONBLOCK } else { 0 };
    Ok((number & TYPE_MASK, status, flags & SOCK_CLOEXEC != 0))
}

/// socket(2).
pub fn socket(ctx: &mut Ctx, a: &args::Socket) -> SysResult {
    let (kind, flags, close_on_exec) = split_type(a.r#type)?;
    let protocol: Box<dyn Protocol> = match a.domain {
        AF_UNIX => Box::new(unix::UnixSocket::create(ctx, kind, a.protocol as i32)?),
        domain if ctx.kernel.config.network == crate::kernel::NetworkAccess::None => {
            Box::new(offline::OfflineSocket::create(ctx, domain, kind, a.protocol as i32)?)
        }
        AF_NETLINK => Box::new(netlink::NetlinkSocket::create(ctx, kind, a.protocol as i32)?),
        domain => Box::new(host::HostSocket::create(ctx, domain, kind, a.protocol as i32)?),
    };
    let file = Socket::new(protocol).into_file(ctx, flags)?;
    Ok(ctx.install(file, close_on_exec)? as u64)
}

/// socketpair(2).
pub fn socketpair(ctx: &mut Ctx, a: &args::Socketpair) -> SysResult {
    let (kind, flags, close_on_exec) = split_type(a.r#type)?;
    // Linux writes the numbers before it makes the sockets.
    if ctx.mem().reach(a.sv, 8, crate::cpu::Access::Write) < 8 {
        return Err(Errno::EFAULT.into());
    }
    if a.domain != AF_UNIX {
        // The host says whether there is such a family; of those that sevm passes on, none has pairs.
        if ctx.kernel.config.network == crate::kernel::NetworkAccess::Host {
            ctx.kernel.host.socket(a.domain, kind, a.protocol as i32)?;
        }
        return Err(Errno::EOPNOTSUPP.into());
    }
    let (one, other) = unix::UnixSocket::pair(ctx, kind, a.protocol as i32)?;
    let one = Socket::new(Box::new(one)).into_file(ctx, flags)?;
    let other = Socket::new(Box::new(other)).into_file(ctx, flags)?;
    let first = ctx.install(one, close_on_exec)?;
    let second = ctx.install(other, close_on_exec);
    let fds = second.and_then(|second| {
        let written = ctx.mem().copy_out(a.sv, &[first, second]);
        if written.is_err() {
            let _ = ctx.files().remove(second);
        }
        written
    });
    if fds.is_err() {
        let _ = ctx.files().remove(first);
    }
    fds?;
    Ok(0)
}

/// A socket address from guest memory.
///
/// # Errors
/// `EINVAL`, `EFAULT`.
pub(super) fn read_address(ctx: &Ctx, addr: GuestAddr, len: i32) -> Result<Vec<u8>, Errno> {
    let len = usize::try_from(len).ok().filter(|len| *len <= MAX_ADDRESS).ok_or(Errno::EINVAL)?;
    let mut address = vec![0; len];
    ctx.mem().read(addr, &mut address)?;
    Ok(address)
}

/// Writes a socket address, as much as the int at `len_addr` has room for, and its whole length there.
///
/// # Errors
/// `EINVAL`: the length is negative. `EFAULT`.
pub(super) fn write_address(ctx: &Ctx, address: &[u8], addr: GuestAddr, len_addr: GuestAddr) -> Result<(), Errno> {
    let room: i32 = ctx.mem().copy_in(len_addr)?;
    let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
    let shown = address.len().min(room);
    ctx.mem().write(addr, &address[..shown])?;
    ctx.mem().copy_out(len_addr, &(address.len() as u32))
}

/// bind(2).
pub fn bind(ctx: &mut Ctx, a: &args::Bind) -> SysResult {
    let file = ctx.file(a.fd)?;
    let socket = socket_of(&file)?;
    let address = read_address(ctx, a.addr, a.addrlen)?;
    socket.protocol().bind(ctx, &address)?;
    Ok(0)
}

/// connect(2).
pub fn connect(ctx: &mut Ctx, a: &args::Connect) -> SysResult {
    let progress = begin(ctx, a.fd)?;
    let file = Rc::clone(&progress.borrow().file);
    let socket = socket_of(&file)?;
    let address = read_address(ctx, a.addr, a.addrlen)?;
    let patience = patience(&file, 0);
    match socket.protocol().connect(ctx, &address, patience) {
        Ok(None) => Ok(0),
        Ok(Some(foreign)) => {
            // It was an unconnected UNIX socket until now, so nothing is there yet.
            let _ = socket.later.set(foreign);
            Ok(0)
        }
        Err(Stop::Block(until)) => {
            let late = if socket.protocol().domain() == AF_UNIX { Errno::EAGAIN } else { Errno::EINPROGRESS };
            Err(wait(ctx, &progress, Way::Send, until, (patience, Errno::EAGAIN, late)))
        }
        Err(stop) => Err(stop),
    }
}

/// listen(2).
pub fn listen(ctx: &mut Ctx, a: &args::Listen) -> SysResult {
    let file = ctx.file(a.fd)?;
    let socket = socket_of(&file)?;
    socket.protocol().listen(ctx, a.backlog)?;
    Ok(0)
}

/// accept(2).
pub fn accept(ctx: &mut Ctx, a: &args::Accept) -> SysResult {
    take_connection(ctx, a.fd, (a.addr, a.addrlen), 0)
}

/// accept4(2).
pub fn accept4(ctx: &mut Ctx, a: &args::Accept4) -> SysResult {
    if a.flags & !(SOCK_CLOEXEC | SOCK_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    take_connection(ctx, a.fd, (a.addr, a.addrlen), a.flags)
}

fn take_connection(ctx: &mut Ctx, fd: i32, (addr, len_addr): (GuestAddr, GuestAddr), flags: u32) -> SysResult {
    let progress = begin(ctx, fd)?;
    let file = Rc::clone(&progress.borrow().file);
    let socket = socket_of(&file)?;
    // A connection is taken only when there is a number for it.
    let limit = ctx.process().limits[crate::abi::consts::rlimit::RLIMIT_NOFILE as usize].soft;
    if !ctx.files().has_room(limit) {
        return Err(Errno::EMFILE.into());
    }
    let (protocol, from) = match socket.protocol().accept(ctx) {
        Ok(taken) => taken,
        Err(Stop::Block(until)) => {
            let patience = patience(&file, 0);
            return Err(wait(ctx, &progress, Way::Receive, until, (patience, Errno::EAGAIN, Errno::EAGAIN)));
        }
        Err(stop) => return Err(stop),
    };
    let status = if flags & SOCK_NONBLOCK != 0 { open::O_NONBLOCK } else { 0 };
    let taken = Socket::new(protocol);
    // A new socket has the timeouts of the one that took it.
    for (new, old) in taken.timeouts.iter().zip(&socket.timeouts) {
        new.set(old.get());
    }
    let accepted = taken.into_file(ctx, status)?;
    if !addr.is_null() {
        write_address(ctx, &from, addr, len_addr)?;
    }
    Ok(ctx.install(accepted, flags & SOCK_CLOEXEC != 0)? as u64)
}

/// getsockname(2).
pub fn getsockname(ctx: &mut Ctx, a: &args::Getsockname) -> SysResult {
    give_address(ctx, a.fd, Side::Own, (a.addr, a.addrlen))
}

/// getpeername(2).
pub fn getpeername(ctx: &mut Ctx, a: &args::Getpeername) -> SysResult {
    give_address(ctx, a.fd, Side::Peer, (a.addr, a.addrlen))
}

fn give_address(ctx: &mut Ctx, fd: i32, side: Side, (addr, len_addr): (GuestAddr, GuestAddr)) -> SysResult {
    let file = ctx.file(fd)?;
    let socket = socket_of(&file)?;
    let address = socket.protocol().address(ctx, side)?;
    write_address(ctx, &address, addr, len_addr)?;
    Ok(0)
}

/// shutdown(2).
pub fn shutdown(ctx: &mut Ctx, a: &args::Shutdown) -> SysResult {
    let file = ctx.file(a.fd)?;
    let socket = socket_of(&file)?;
    if !matches!(a.how, how::SHUT_RD | how::SHUT_WR | how::SHUT_RDWR) {
        return Err(Errno::EINVAL.into());
    }
    socket.protocol().shutdown(ctx, a.how)?;
    Ok(0)
}
