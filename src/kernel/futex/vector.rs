//! The newer calls: futex_waitv(2) of Linux 5.16, and futex_wait(2), futex_wake(2), futex_requeue(2) of 6.7.

use super::simple::{Awaited, requeue, wait_at};
use super::*;
use crate::abi::FutexWaitv;
use crate::abi::consts::clockid::{CLOCK_MONOTONIC, CLOCK_REALTIME};
use crate::abi::consts::futex2;

/// Most futexes of one futex_waitv(2) (FUTEX_WAITV_MAX).
const MOST: u32 = 128;

/// Checks flags of FUTEX2_*: words of 32 bits are all there is.
fn check_flags(flags: u32) -> Result<Reach, Errno> {
    const SIZE: u32 = 3;
    // FUTEX2_NUMA and FUTEX2_MPOL came later than the calls; here they are unknown as in the kernels that brought those.
    if flags & !(SIZE | futex2::FUTEX2_PRIVATE) != 0 || flags & SIZE != futex2::FUTEX2_SIZE_U32 {
        return Err(Errno::EINVAL);
    }
    Ok(Reach::of(flags))
}

/// A value or mask for a word of 32 bits.
fn word(value: u64) -> Result<u32, Errno> {
    u32::try_from(value).map_err(|_| Errno::EINVAL)
}

/// The meaning of a timeout, whose clock matters only when there is one.
fn limit(timeout: GuestAddr, clock: u32) -> Result<Limit, Errno> {
    match clock {
        CLOCK_REALTIME => Ok(Limit::Realtime),
        CLOCK_MONOTONIC => Ok(Limit::Monotonic),
        _ if timeout.is_null() => Ok(Limit::Monotonic),
        _ => Err(Errno::EINVAL),
    }
}

/// One entry of an array of `struct futex_waitv`.
fn awaited(entry: &FutexWaitv) -> Result<Awaited, Errno> {
    if entry.reserved != 0 {
        return Err(Errno::EINVAL);
    }
    let reach = check_flags(entry.flags)?;
    Ok(Awaited { addr: GuestAddr(entry.uaddr), reach, value: word(entry.val)?, bitset: MATCH_ANY })
}

/// futex_waitv(2).
pub fn futex_waitv(ctx: &mut Ctx, a: &args::FutexWaitv) -> SysResult {
    if a.flags != 0 || a.nr_futexes == 0 || a.nr_futexes > MOST || a.waiters.is_null() {
        return Err(Errno::EINVAL.into());
    }
    let begun = ctx.thread().call_state.is_some();
    let limit = limit(a.timeout, a.clockid)?;
    let end = if begun { None } else { deadline(ctx, a.timeout, limit)? };
    let entries: Vec<FutexWaitv> = ctx.mem().copy_in_array(a.waiters, a.nr_futexes as usize)?;
    let words = entries.iter().map(awaited).collect::<Result<Vec<_>, _>>()?;
    let state = ctx.call_state(|_| Waiting { deadline_ns: end, ticket: None });
    let mut state = state.borrow_mut();
    if state.ticket.is_none() {
        let keys = words.iter().map(|w| key(ctx, w.addr, w.reach)).collect::<Result<Vec<_>, _>>()?;
        for w in &words {
            let value: u32 = ctx.mem().copy_in(w.addr)?;
            if value != w.value {
                return Err(Errno::EAGAIN.into());
            }
        }
        let ticket = Rc::new(Ticket::default());
        for (index, (w, key)) in words.iter().zip(keys).enumerate() {
            let (tid, addr, ticket) = (ctx.tid, w.addr, Rc::clone(&ticket));
            let waiter = Waiter { tid, addr, bitset: MATCH_ANY, kind: Kind::Plain, index: index as u32, ticket };
            ctx.kernel.enqueue(key, waiter);
        }
        state.ticket = Some(ticket);
    }
    let addrs: Vec<GuestAddr> = words.iter().map(|w| w.addr).collect();
    match look(ctx, &mut state, &addrs, Errno::ERESTARTSYS) {
        Waited::Woken(index) => Ok(index.into()),
        Waited::TimedOut => Err(Errno::ETIMEDOUT.into()),
        Waited::Stop(stop) => Err(stop),
    }
}

/// futex_wait(2).
pub fn futex_wait(ctx: &mut Ctx, a: &args::FutexWait) -> SysResult {
    let reach = check_flags(a.flags)?;
    let (value, bitset) = (word(a.val)?, word(a.mask)?);
    let limit = limit(a.timeout, a.clockid)?;
    wait_at(ctx, Awaited { addr: a.uaddr, reach, value, bitset }, (a.timeout, limit), Errno::ERESTARTSYS)
}

/// futex_wake(2). Unlike FUTEX_WAKE it takes a count of zero as it is.
pub fn futex_wake(ctx: &mut Ctx, a: &args::FutexWake) -> SysResult {
    let reach = check_flags(a.flags)?;
    let bitset = word(a.mask)?;
    if bitset == 0 {
        return Err(Errno::EINVAL.into());
    }
    let at = key(ctx, a.uaddr, reach)?;
    if a.nr == 0 {
        return Ok(0);
    }
    Ok(ctx.kernel.wake_futex(at, at_least_one(a.nr as u32), bitset)?)
}

/// futex_requeue(2): as FUTEX_CMP_REQUEUE, with the two futexes in an array.
pub fn futex_requeue(ctx: &mut Ctx, a: &args::FutexRequeue) -> SysResult {
    if a.flags != 0 || a.waiters.is_null() {
        return Err(Errno::EINVAL.into());
    }
    let entries: Vec<FutexWaitv> = ctx.mem().copy_in_array(a.waiters, 2)?;
    let words = entries.iter().map(awaited).collect::<Result<Vec<_>, _>>()?;
    let [from, to] = words[..] else { return Err(Errno::EINVAL.into()) };
    let places = [(key(ctx, from.addr, from.reach)?, from.addr), (key(ctx, to.addr, to.reach)?, to.addr)];
    requeue(ctx, places, a.nr_wake, a.nr_requeue, Some(from.value))
}
