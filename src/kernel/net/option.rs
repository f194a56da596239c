//! getsockopt(2) and setsockopt(2): what all sockets have in common.

use super::*;
use crate::abi::consts::rlimit;
use crate::syscalls::args;

/// Longest value that a program may give (the longest option that is passed on is shorter).
const MAX_VALUE: usize = 8192;
/// Instructions that a packet filter may have (BPF_MAXINSNS).
const MAX_FILTER: u16 = 4096;
/// Seconds beyond which a timeout is none.
const MAX_SECONDS: i64 = i64::MAX / 1_000_000_000;

/// Which timeout an option of SOL_SOCKET is: 0 receives, 1 sends.
fn timeout_of(level: u32, name: u32) -> Option<usize> {
    match (level, name) {
        (SOL_SOCKET, so::SO_RCVTIMEO_OLD | so::SO_RCVTIMEO_NEW) => Some(0),
        (SOL_SOCKET, so::SO_SNDTIMEO_OLD | so::SO_SNDTIMEO_NEW) => Some(1),
        _ => None,
    }
}

/// getsockopt(2).
pub fn getsockopt(ctx: &mut Ctx, a: &args::Getsockopt) -> SysResult {
    let file = ctx.file(a.fd)?;
    let socket = socket_of(&file)?;
    let len: i32 = ctx.mem().copy_in(a.optlen)?;
    let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?.min(MAX_VALUE);
    let name = a.optname as u32;
    let value = match timeout_of(a.level, name) {
        Some(which) => {
            let ns = socket.timeouts[which].get().unwrap_or(0);
            [ns / 1_000_000_000, ns % 1_000_000_000 / 1000].map(u64::to_le_bytes).concat()
        }
        None => socket.protocol().option(ctx, a.level, name, len)?,
    };
    let shown = value.len().min(len);
    // Linux writes SO_PEERGROUPS and few others whole or not at all; the protocol has seen to that.
    ctx.mem().write(a.optval, &value[..shown])?;
    ctx.mem().copy_out(a.optlen, &(shown as u32))?;
    Ok(0)
}

/// setsockopt(2).
pub fn setsockopt(ctx: &mut Ctx, a: &args::Setsockopt) -> SysResult {
    let file = ctx.file(a.fd)?;
    let socket = socket_of(&file)?;
    let len = usize::try_from(a.optlen).map_err(|_| Errno::EINVAL)?;
    let name = a.optname as u32;
    if (a.level, name) == (SOL_SOCKET, so::SO_ATTACH_FILTER) {
        let program = filter(ctx, a.optval, len)?;
        socket.protocol().set_option(ctx, a.level, name, &program)?;
        return Ok(0);
    }
    let mut value = vec![0; len.min(MAX_VALUE)];
    ctx.mem().read(a.optval, &mut value)?;
    match timeout_of(a.level, name) {
        Some(which) => socket.timeouts[which].set(timeout(&value)?),
        None => socket.protocol().set_option(ctx, a.level, name, &value)?,
    }
    Ok(0)
}

/// A struct timeval as a limit in nanoseconds; zero is none.
fn timeout(value: &[u8]) -> Result<Option<u64>, Errno> {
    let word = |at: usize| value.get(at..at + 8)?.try_into().ok().map(i64::from_le_bytes);
    let (Some(sec), Some(usec)) = (word(0), word(8)) else { return Err(Errno::EINVAL) };
    if !(0..1_000_000).contains(&usec) {
        return Err(Errno::EDOM);
    }
    Ok(match (sec, usec) {
        (0, 0) => None,
        // As in Linux, a negative time does not wait at all.
        (..0, _) => Some(0),
        (MAX_SECONDS.., _) => None,
        _ => Some(sec as u64 * 1_000_000_000 + usec as u64 * 1000),
    })
}

/// The instructions of a struct sock_fprog.
fn filter(ctx: &Ctx, addr: GuestAddr, len: usize) -> Result<Vec<u8>, Errno> {
    if len != 16 {
        return Err(Errno::EINVAL);
    }
    let [count, program]: [u64; 2] = ctx.mem().copy_in(addr)?;
    let count = count as u16;
    if count == 0 || count > MAX_FILTER {
        return Err(Errno::EINVAL);
    }
    let mut bytes = vec![0; usize::from(count) * 8];
    ctx.mem().read(GuestAddr(program), &mut bytes)?;
    Ok(bytes)
}

/// Whether the caller may have so many open files under way (RLIMIT_NOFILE, too_many_unix_fds()).
pub(super) fn may_send_files(ctx: &mut Ctx, under_way: usize) -> bool {
    use crate::abi::consts::cap::{CAP_SYS_ADMIN, CAP_SYS_RESOURCE};
    let limit = ctx.process().limits[rlimit::RLIMIT_NOFILE as usize].soft;
    let own = &ctx.thread().credentials;
    under_way as u64 <= limit || own.has(CAP_SYS_RESOURCE) || own.has(CAP_SYS_ADMIN)
}
