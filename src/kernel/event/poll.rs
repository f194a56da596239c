//! Waiting for many files at once: poll(2), select(2) and their kin.

use super::*;
use crate::abi::consts::poll::*;
use crate::abi::{PollFd, SigsetArg};
use crate::host;
use crate::kernel::file::Readiness;
use crate::mem::GuestAddr;
use crate::syscalls::args;

const NS: i64 = 1_000_000_000;

/// A descriptor and the POLL* bits that count as an event for it.
#[derive(Clone, Copy, Debug)]
struct Query {
    fd: i32,
    events: u32,
    /// Those of them that hold.
    found: u32,
}

/// When such a call gives up, decided when it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// Kernel-monotonic nanoseconds; `None`: never.
    pub(super) at_ns: Option<u64>,
    /// It does not wait at all.
    pub(super) immediate: bool,
}

impl Deadline {
    /// That of a call which begins now and whose timeout in nanoseconds `timeout` gives; `None`: none.
    pub(super) fn after(
        ctx: &mut Ctx,
        timeout: impl FnOnce(&mut Ctx) -> Result<Option<u64>, Errno>,
    ) -> Result<Deadline, Errno> {
        let now_ns = ctx.kernel.monotonic_ns();
        timeout(ctx).map(|ns| Deadline { at_ns: ns.map(|ns| now_ns.saturating_add(ns)), immediate: ns == Some(0) })
    }
}

/// poll(2).
pub fn poll(ctx: &mut Ctx, a: &args::Poll) -> SysResult {
    let timeout = u64::try_from(a.timeout).ok().map(|ms| ms * 1_000_000);
    let deadline = deadline(ctx, |_| Ok(timeout))?;
    match poll_until(ctx, a.fds, a.nfds, deadline) {
        // Made again it waits for the rest of its time only.
        Err(Stop::Errno(Errno::ERESTARTNOHAND)) => Err(Errno::ERESTART_RESTARTBLOCK.into()),
        result => result,
    }
}

/// ppoll(2). Linux writes the time that is left back.
pub fn ppoll(ctx: &mut Ctx, a: &args::Ppoll) -> SysResult {
    let deadline = deadline(ctx, |ctx| timespec(ctx, a.tmo_p, 1))?;
    set_mask(ctx, a.sigmask, a.sigsetsize)?;
    let result = poll_until(ctx, a.fds, a.nfds, deadline);
    finish(ctx, deadline, a.tmo_p, 1, result)
}

/// select(2).
pub fn select(ctx: &mut Ctx, a: &args::Select) -> SysResult {
    let deadline = deadline(ctx, |ctx| timespec(ctx, a.timeout, 1000))?;
    let result = select_until(ctx, a.nfds, [a.readfds, a.writefds, a.exceptfds], deadline);
    finish(ctx, deadline, a.timeout, 1000, result)
}

/// pselect6(2).
pub fn pselect6(ctx: &mut Ctx, a: &args::Pselect6) -> SysResult {
    let arg = if a.sigmask.is_null() { SigsetArg::default() } else { ctx.mem().copy_in(a.sigmask)? };
    let deadline = deadline(ctx, |ctx| timespec(ctx, a.timeout, 1))?;
    set_mask(ctx, GuestAddr(arg.set), arg.size)?;
    let result = select_until(ctx, a.nfds, [a.readfds, a.writefds, a.exceptfds], deadline);
    finish(ctx, deadline, a.timeout, 1, result)
}

/// The deadline for a timeout in nanoseconds that `timeout` gives when the call begins.
fn deadline(ctx: &mut Ctx, timeout: impl FnOnce(&mut Ctx) -> Result<Option<u64>, Errno>) -> Result<Deadline, Errno> {
    let state = ctx.call_state(|ctx| Deadline::after(ctx, timeout));
    let deadline: Result<Deadline, Errno> = *state.borrow();
    deadline
}

/// A timeout of seconds and of fractions that last `unit_ns` nanoseconds; a timeval's fractions may exceed a second.
pub(super) fn timespec(ctx: &mut Ctx, addr: GuestAddr, unit_ns: i64) -> Result<Option<u64>, Errno> {
    if addr.is_null() {
        return Ok(None);
    }
    let [mut sec, mut fraction]: [i64; 2] = ctx.mem().copy_in(addr)?;
    if unit_ns == 1000 {
        sec = sec.saturating_add(fraction / 1_000_000);
        fraction %= 1_000_000;
    }
    if sec < 0 || fraction < 0 || fraction * unit_ns >= NS {
        return Err(Errno::EINVAL);
    }
    Ok(Some((sec as u64).saturating_mul(NS as u64).saturating_add((fraction * unit_ns) as u64)))
}

/// Replaces the signal mask for the time of the call; it is put back when the call is over.
pub(super) fn set_mask(ctx: &mut Ctx, addr: GuestAddr, size: u64) -> Result<(), Errno> {
    if !addr.is_null() {
        let mask = ctx.read_sigset(addr, size)?;
        ctx.set_temporary_mask(mask);
    }
    Ok(())
}

/// When the call is over, writes the time that is left.
fn finish(ctx: &mut Ctx, deadline: Deadline, addr: GuestAddr, unit_ns: i64, result: SysResult) -> SysResult {
    if matches!(result, Err(Stop::Block(_))) {
        return result;
    }
    if let Some(at) = deadline.at_ns
        && !deadline.immediate
    {
        let left = at.saturating_sub(ctx.kernel.monotonic_ns());
        let time = [(left / NS as u64) as i64, (left % NS as u64) as i64 / unit_ns];
        // Linux does not care either whether the timeout can be written.
        let _ = ctx.mem().copy_out(addr, &time);
    }
    result
}

/// Looks at all files; with none ready, waits. `Ok(None)`: the time is over.
fn look(ctx: &mut Ctx, queries: &mut [Query], deadline: Deadline) -> Result<Option<usize>, Stop> {
    let mut wait = Wait::default();
    let mut asked: Vec<(usize, host::PollFd)> = Vec::new();
    for (i, q) in queries.iter_mut().enumerate() {
        q.found = 0;
        if q.fd < 0 {
            continue;
        }
        let file = match ctx.file(q.fd) {
            Ok(file) if !file.is_path_only() => file,
            _ => {
                q.found = POLLNVAL;
                continue;
            }
        };
        let Readiness { ready, host, keys, deadline_ns } = file.ops().readiness(ctx, &file, q.events as i16);
        q.found = u32::from(ready as u16) & q.events;
        wait.keys.extend(keys);
        wait = wait.or_until(deadline_ns);
        if let Some(fd) = host {
            asked.push((i, host::PollFd { fd, events: q.events as i16, revents: 0 }));
        }
    }
    if !asked.is_empty() {
        let mut fds: Vec<host::PollFd> = asked.iter().map(|(_, p)| p.clone()).collect();
        match ctx.kernel.host.poll(&mut fds, Some(0)) {
            // A signal for the guest arrived just now: it is delivered at the next wait.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
        for ((i, _), p) in asked.iter().zip(&fds) {
            let q = &mut queries[*i];
            q.found |= u32::from(p.revents as u16) & q.events;
        }
        wait.fds = asked.into_iter().map(|(_, p)| (p.fd, p.events)).collect();
    }
    let ready = queries.iter().filter(|q| q.found != 0).count();
    if ready > 0 || deadline.immediate {
        return Ok(Some(ready));
    }
    if deadline.at_ns.is_some_and(|at| ctx.kernel.monotonic_ns() >= at) {
        return Ok(None);
    }
    Err(ctx.wait(wait.or_until(deadline.at_ns), Errno::ERESTARTNOHAND))
}

fn poll_until(ctx: &mut Ctx, addr: GuestAddr, count: u32, deadline: Deadline) -> SysResult {
    if u64::from(count) > ctx.process().limits[crate::abi::consts::rlimit::RLIMIT_NOFILE as usize].soft {
        return Err(Errno::EINVAL.into());
    }
    let fds: Vec<PollFd> = ctx.mem().copy_in_array(addr, count as usize)?;
    let mut queries: Vec<Query> = fds
        .iter()
        .map(|p| Query { fd: p.fd, events: u32::from(p.events as u16) | POLLERR | POLLHUP, found: 0 })
        .collect();
    let ready = look(ctx, &mut queries, deadline)?.unwrap_or(0);
    for (i, q) in queries.iter().enumerate() {
        let at = addr.0 + (i * size_of::<PollFd>() + std::mem::offset_of!(PollFd, revents)) as u64;
        ctx.mem().copy_out(GuestAddr(at), &(q.found as u16))?;
    }
    Ok(ready as u64)
}

/// The bits of poll(2) that put a descriptor into select(2)'s three sets.
const SELECTED: [u32; 3] =
    [POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR, POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR, POLLPRI];

fn select_until(ctx: &mut Ctx, count: i32, sets: [GuestAddr; 3], deadline: Deadline) -> SysResult {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    // Numbers beyond the table's size are not looked at.
    let highest = ctx.files().iter().last().map_or(0, |(fd, _)| fd as usize + 1);
    let count = count.min(highest.next_power_of_two().max(64));
    let words = count.div_ceil(64);
    let mut wanted: [Vec<u64>; 3] = Default::default();
    for (set, addr) in wanted.iter_mut().zip(sets) {
        *set = if addr.is_null() { vec![0; words] } else { ctx.mem().copy_in_array(addr, words)? };
    }
    let mut queries = Vec::new();
    for fd in 0..count {
        let in_set = |set: &Vec<u64>| set[fd / 64] >> (fd % 64) & 1 != 0;
        let events = (0..3).filter(|i| in_set(&wanted[*i])).fold(0, |bits, i| bits | SELECTED[i]);
        if events != 0 {
            queries.push(Query { fd: fd as i32, events, found: 0 });
        }
    }
    let known = queries.iter().all(|q| ctx.file(q.fd).is_ok_and(|f| !f.is_path_only()));
    if !known {
        return Err(Errno::EBADF.into());
    }
    look(ctx, &mut queries, deadline)?;
    let mut bits = 0;
    let mut result: [Vec<u64>; 3] = std::array::from_fn(|_| vec![0; words]);
    for q in &queries {
        let (word, bit) = (q.fd as usize / 64, 1 << (q.fd as usize % 64));
        for i in 0..3 {
            if wanted[i][word] & bit != 0 && q.found & SELECTED[i] != 0 {
                result[i][word] |= bit;
                bits += 1;
            }
        }
    }
    for (set, addr) in result.iter().zip(sets) {
        if !addr.is_null() {
            ctx.mem().copy_out_array(addr, set)?;
        }
    }
    Ok(bits)
}
