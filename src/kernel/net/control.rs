//! Control messages (cmsg(3)) between guest memory and [`Ancillary`].

use super::*;
use crate::abi::CMsgHdr;
use crate::abi::consts::cap::{CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN};
use crate::abi::consts::msg::{MSG_CMSG_CLOEXEC, MSG_CTRUNC};
use crate::abi::consts::scm::{SCM_CREDENTIALS, SCM_RIGHTS};
use zerocopy::{FromBytes, IntoBytes};

const HEADER: usize = size_of::<CMsgHdr>();
/// The most open files of one message (SCM_MAX_FD).
const MAX_FILES: usize = 253;

/// What the caller sends with a message, checked.
///
/// # Errors
/// `EINVAL`, `EBADF`, `EPERM`.
pub(super) fn parse(ctx: &mut Ctx, domain: u32, bytes: &[u8]) -> Result<Ancillary, Errno> {
    let mut with = Ancillary::default();
    let mut at = 0;
    while let Some((header, _)) = bytes.get(at..).and_then(|b| CMsgHdr::read_from_prefix(b).ok()) {
        let len = usize::try_from(header.len).map_err(|_| Errno::EINVAL)?;
        if len < HEADER || len > bytes.len() - at {
            return Err(Errno::EINVAL);
        }
        let data = &bytes[at + HEADER..at + len];
        match (header.level, header.kind) {
            (SOL_SOCKET, SCM_RIGHTS) if domain == AF_UNIX => rights(ctx, data, &mut with)?,
            (SOL_SOCKET, SCM_RIGHTS) => return Err(Errno::EINVAL),
            (SOL_SOCKET, SCM_CREDENTIALS) => with.sender = Some(credentials(ctx, data)?),
            // Those that only UNIX sockets would have to know.
            (SOL_SOCKET, _) if domain == AF_UNIX => return Err(Errno::EINVAL),
            _ if domain == AF_UNIX => {}
            _ => {
                with.raw.resize(with.raw.len().next_multiple_of(8), 0);
                with.raw.extend_from_slice(&bytes[at..at + len]);
            }
        }
        at = at.saturating_add(len.next_multiple_of(8));
    }
    Ok(with)
}

fn rights(ctx: &mut Ctx, data: &[u8], with: &mut Ancillary) -> Result<(), Errno> {
    if with.files.len() + data.len() / 4 > MAX_FILES {
        return Err(Errno::EINVAL);
    }
    for number in data.chunks_exact(4) {
        let fd = i32::from_le_bytes([number[0], number[1], number[2], number[3]]);
        with.files.push(ctx.file(fd)?);
    }
    Ok(())
}

/// Who the caller says it is: what it is, or what it may claim to be.
fn credentials(ctx: &mut Ctx, data: &[u8]) -> Result<UCred, Errno> {
    let claimed = UCred::read_from_bytes(data).map_err(|_| Errno::EINVAL)?;
    let pid = ctx.pid;
    let exists = ctx.kernel.processes.contains_key(&claimed.pid);
    let own = &ctx.thread().credentials;
    let pid_ok = claimed.pid == pid || own.has(CAP_SYS_ADMIN);
    let uid_ok = own.uid[..3].contains(&claimed.uid) || own.has(CAP_SETUID);
    let gid_ok = own.gid[..3].contains(&claimed.gid) || own.has(CAP_SETGID);
    if claimed.uid == u32::MAX || claimed.gid == u32::MAX {
        return Err(Errno::EINVAL);
    }
    if !(pid_ok && uid_ok && gid_ok) {
        return Err(Errno::EPERM);
    }
    if exists { Ok(claimed) } else { Err(Errno::ESRCH) }
}

/// Writes what came with a message into `room` bytes at `addr`; gives the number of bytes written. What does not fit is
/// lost, and `found` says so.
///
/// # Errors
/// `EFAULT`.
pub(super) fn deliver(
    ctx: &mut Ctx,
    with: Ancillary,
    (addr, room): (GuestAddr, usize),
    flags: u32,
    found: &mut u32,
) -> Result<usize, Errno> {
    let mut out = Writer { addr, room, written: 0 };
    if !with.raw.is_empty() {
        ctx.mem().write(addr, &with.raw[..with.raw.len().min(room)])?;
        out.written = with.raw.len().min(room);
    }
    if let Some(sender) = with.sender {
        out.put(ctx, SCM_CREDENTIALS, sender.as_bytes(), found)?;
    }
    if !with.files.is_empty() {
        let fit = out.left().saturating_sub(HEADER) / 4;
        let mut numbers = Vec::new();
        for file in with.files.iter().take(fit) {
            match ctx.install(Rc::clone(file), flags & MSG_CMSG_CLOEXEC != 0) {
                Ok(fd) => numbers.push(fd),
                Err(_) => break,
            }
        }
        if numbers.len() < with.files.len() {
            *found |= MSG_CTRUNC;
        }
        if !numbers.is_empty() {
            out.put(ctx, SCM_RIGHTS, numbers.as_bytes(), found)?;
        }
    }
    Ok(out.written)
}

/// Where control messages are written.
struct Writer {
    addr: GuestAddr,
    room: usize,
    written: usize,
}

impl Writer {
    fn left(&self) -> usize {
        self.room - self.written
    }

    /// Writes one message of SOL_SOCKET, cut to what there is room for (put_cmsg()).
    fn put(&mut self, ctx: &Ctx, kind: u32, data: &[u8], found: &mut u32) -> Result<(), Errno> {
        if self.left() < HEADER {
            *found |= MSG_CTRUNC;
            return Ok(());
        }
        let whole = HEADER + data.len();
        let len = whole.min(self.left());
        if len < whole {
            *found |= MSG_CTRUNC;
        }
        let header = CMsgHdr { len: len as u64, level: SOL_SOCKET, kind };
        let at = GuestAddr(self.addr.0 + self.written as u64);
        ctx.mem().copy_out(at, &header)?;
        ctx.mem().write(GuestAddr(at.0 + HEADER as u64), &data[..len - HEADER])?;
        self.written += len.next_multiple_of(8).min(self.left());
        Ok(())
    }
}
