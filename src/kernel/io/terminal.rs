//! The controlling terminal: which session has it and which process group is in its foreground.
//!
//! Guests' sessions and process groups exist inside the machine only. To the host, all of them together are the one
//! process sevm; if that is in the foreground of its terminal, so is a group of the guest's.

use super::*;
use crate::abi::consts::ioctl::*;
use crate::host::HostFd;
use crate::mem::GuestAddr;

/// The terminal that sevm was started from, as the guests see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// The session that has it and the foreground group; until somebody changes that, the first process's.
    owner: Option<(Pid, Pid)>,
    /// The session has given it up.
    released: bool,
}

impl Kernel {
    /// Session and foreground group of the controlling terminal.
    pub fn terminal_owner(&self) -> Option<(Pid, Pid)> {
        if self.terminal.released {
            return None;
        }
        self.terminal.owner.or_else(|| self.processes.values().next().map(|p| (p.sid, p.pgid)))
    }
}

/// TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY and TIOCNOTTY.
pub(super) fn session_request(ctx: &mut Ctx, fd: &HostFd, request: u32, addr: GuestAddr) -> SysResult {
    if !ctx.kernel.host.is_terminal(fd) {
        return Err(Errno::ENOTTY.into());
    }
    let controlling = ctx.kernel.host.is_controlling_terminal(fd);
    let (sid, pid) = (ctx.process().sid, ctx.pid);
    let owner = ctx.kernel.terminal_owner().filter(|(owner, _)| controlling && *owner == sid);
    if request == TIOCSCTTY {
        // Taking a terminal from its session, or a second one, is not possible.
        let free = controlling && ctx.kernel.terminal.released && sid == pid;
        return match owner {
            Some(_) if sid == pid => Ok(0),
            None if free => {
                let pgid = ctx.process().pgid;
                ctx.kernel.terminal = Terminal { owner: Some((sid, pgid)), released: false };
                Ok(0)
            }
            _ => Err(Errno::EPERM.into()),
        };
    }
    let (session, foreground) = owner.ok_or(Errno::ENOTTY)?;
    match request {
        TIOCGPGRP => ctx.mem().copy_out(addr, &foreground)?,
        TIOCGSID => ctx.mem().copy_out(addr, &session)?,
        TIOCSPGRP => {
            let group: i32 = ctx.mem().copy_in(addr)?;
            if group < 0 {
                return Err(Errno::EINVAL.into());
            }
            let mut members = ctx.kernel.processes.values().filter(|p| p.pgid == group).peekable();
            if members.peek().is_none() {
                return Err(Errno::ESRCH.into());
            }
            if members.any(|p| p.sid != session) {
                return Err(Errno::EPERM.into());
            }
            ctx.kernel.terminal.owner = Some((session, group));
        }
        // TIOCNOTTY: only the leader's giving up means something to others.
        _ if sid == pid => ctx.kernel.terminal = Terminal { owner: None, released: true },
        _ => {}
    }
    Ok(0)
}
