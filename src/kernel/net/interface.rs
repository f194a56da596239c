//! ioctl(2) on sockets: queues, owner, network interfaces (netdevice(7)).

use super::*;
use crate::abi::consts::ioctl::*;
use crate::abi::consts::socktype::SOCK_DGRAM;

/// Bytes of a struct ifreq.
const IFREQ: usize = 40;

pub(super) fn ioctl(ctx: &mut Ctx, socket: &Socket, file: &File, request: u32, addr: GuestAddr) -> SysResult {
    match request {
        FIONREAD | TIOCOUTQ | SIOCATMARK | SIOCOUTQNSD => {
            let number = socket.protocol().number(ctx, request)?;
            ctx.mem().copy_out(addr, &number)?;
            Ok(0)
        }
        FIOGETOWN | SIOCGPGRP => {
            let owner = file.owner.get();
            let group = owner.kind == crate::abi::consts::f_owner::F_OWNER_PGRP as i32;
            ctx.mem().copy_out(addr, &if group { -owner.id } else { owner.id })?;
            Ok(0)
        }
        FIOSETOWN | SIOCSPGRP => {
            let id: i32 = ctx.mem().copy_in(addr)?;
            crate::kernel::io::set_owner_id(ctx, file, id)
        }
        SIOCGIFCONF => interfaces(ctx, socket, addr),
        SIOCGIFNAME..=SIOCGIFHWADDR | SIOCGIFSLAVE..=SIOCSIFMAP => {
            let fd = helper(ctx, socket)?;
            let mut bytes = [0; IFREQ];
            ctx.mem().read(addr, &mut bytes)?;
            let before = bytes;
            ctx.kernel.host.interface(&fd, request, &mut bytes)?;
            if bytes != before {
                ctx.mem().write(addr, &bytes)?;
            }
            Ok(0)
        }
        _ => Err(Errno::ENOTTY.into()),
    }
}

/// A socket of the host to ask about interfaces: every socket can be asked, those inside the machine too.
fn helper(ctx: &mut Ctx, socket: &Socket) -> Result<HostFd, Errno> {
    if ctx.kernel.config.network == NetworkAccess::None {
        ctx.kernel.call_mark = Some("NO NETWORK");
        return Err(Errno::ENODEV);
    }
    match socket.protocol().host_fd() {
        Some(fd) => Ok(fd.clone()),
        None => ctx.kernel.host.socket(AF_INET, SOCK_DGRAM, 0),
    }
}

/// SIOCGIFCONF over a struct ifconf.
fn interfaces(ctx: &mut Ctx, socket: &Socket, addr: GuestAddr) -> SysResult {
    let [len, list]: [u64; 2] = ctx.mem().copy_in(addr)?;
    let fd = helper(ctx, socket)?;
    let room = (list != 0).then_some((len as u32).min(i32::MAX as u32) as usize);
    let (bytes, len) = ctx.kernel.host.interfaces(&fd, room)?;
    if list != 0 {
        ctx.mem().write(GuestAddr(list), &bytes)?;
    }
    ctx.mem().copy_out(addr, &(len as u32))?;
    Ok(0)
}
