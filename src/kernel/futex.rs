//! Futexes: waiting for a word of memory to change, and waking those who wait (futex(2)).
//!
//! Who waits stands in queues by key; a waiter's record is shared between its queue and the state of its call, so that
//! whoever wakes or requeues it need not find the call.

use super::*;
use crate::abi::Timespec;
use crate::abi::consts::futex as op;
use crate::cpu::Access;
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// FUTEX_PRIVATE_FLAG.
const PRIVATE: u32 = 0x80;

/// Command bits of the operation.
const COMMAND: u32 = !(PRIVATE | op::FUTEX_CLOCK_REALTIME);

/// Matches every waiter.
const MATCH_ANY: u32 = u32::MAX;

/// Bytes of `struct robust_list_head`.
const ROBUST_HEAD_SIZE: u64 = 24;

/// What identifies a futex: its address space and address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FutexKey {
    space: u32,
    addr: u64,
}

impl FutexKey {
    fn wait_key(self) -> WaitKey {
        WaitKey::Futex(self.space, self.addr)
    }
}

/// A thread that waits.
#[derive(Debug)]
struct Waiter {
    tid: Tid,
    bitset: u32,
    woken: Rc<Cell<bool>>,
}

/// Everybody who waits, in order of arrival at each futex.
#[derive(Debug, Default)]
pub struct Futexes(BTreeMap<FutexKey, VecDeque<Waiter>>);

impl Futexes {
    /// Takes a thread out of whatever queue it is in: its wait is over, or it has ended.
    pub fn remove(&mut self, tid: Tid) {
        self.0.retain(|_, queue| {
            queue.retain(|w| w.tid != tid);
            !queue.is_empty()
        });
    }

    /// Takes out up to `most` waiters whose bits match.
    fn take(&mut self, key: FutexKey, most: usize, bitset: u32) -> Vec<Waiter> {
        let Some(queue) = self.0.get_mut(&key) else { return Vec::new() };
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
        for w in queue.drain(..) {
            if taken.len() < most && w.bitset & bitset != 0 { taken.push(w) } else { left.push_back(w) }
        }
        *queue = left;
        if queue.is_empty() {
            self.0.remove(&key);
        }
        taken
    }
}

impl Kernel {
    /// Wakes one thread that waits for the word at an address.
    pub fn wake_futex_at(&mut self, space: crate::mem::SpaceId, addr: GuestAddr) {
        self.wake_futex(FutexKey { space: space.0, addr: addr.0 }, 1, MATCH_ANY);
    }

    /// Wakes up to `most` threads that wait at a futex; gives their number.
    fn wake_futex(&mut self, key: FutexKey, most: usize, bitset: u32) -> u64 {
        let woken = self.futexes.take(key, most, bitset);
        for w in &woken {
            w.woken.set(true);
            self.wake(w.tid);
        }
        woken.len() as u64
    }
}

/// What a waiting call remembers.
struct Waiting {
    deadline_ns: Option<u64>,
    /// Set while the thread stands in a queue.
    woken: Option<Rc<Cell<bool>>>,
}

/// The key of the futex word at an address.
fn key(ctx: &Ctx, addr: GuestAddr, private: bool) -> Result<FutexKey, Errno> {
    if !addr.0.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    let mem = ctx.mem();
    // The key of a word that may be shared depends on what is mapped there, so it must be mapped.
    if !mem.access_ok(addr, 4) || (!private && !mem.permits(addr, Access::Read)) {
        return Err(Errno::EFAULT);
    }
    Ok(FutexKey { space: mem.id().0, addr: addr.0 })
}

/// A count that a guest gave as an int: negative ones mean one for waking, as Linux wakes before it looks.
fn at_least_one(count: u32) -> usize {
    (count as i32).max(1) as usize
}

/// futex(2). Priority inheritance is not there: those commands give ENOSYS, as where the hardware cannot do them.
pub fn futex(ctx: &mut Ctx, a: &args::Futex) -> SysResult {
    let (command, private) = (a.op & COMMAND, a.op & PRIVATE != 0);
    let realtime = a.op & op::FUTEX_CLOCK_REALTIME != 0;
    if realtime && command != op::FUTEX_WAIT_BITSET {
        return Err(Errno::ENOSYS.into());
    }
    // FUTEX_REQUEUE and its kin have a count where others have a timeout.
    let count2 = a.timeout.0 as u32;
    match command {
        op::FUTEX_WAIT => wait(ctx, a, Limit { realtime: false, absolute: false }, MATCH_ANY),
        op::FUTEX_WAIT_BITSET => wait(ctx, a, Limit { realtime, absolute: true }, a.val3),
        op::FUTEX_WAKE => wake(ctx, a, MATCH_ANY),
        op::FUTEX_WAKE_BITSET => wake(ctx, a, a.val3),
        op::FUTEX_REQUEUE => requeue(ctx, a, private, count2, None),
        op::FUTEX_CMP_REQUEUE => requeue(ctx, a, private, count2, Some(a.val3)),
        op::FUTEX_WAKE_OP => wake_op(ctx, a, private, count2),
        _ => Err(Errno::ENOSYS.into()),
    }
}

/// How the timeout of a wait is meant.
#[derive(Clone, Copy)]
struct Limit {
    realtime: bool,
    absolute: bool,
}

/// The end of a wait on the monotonic clock.
fn deadline(ctx: &mut Ctx, timeout: GuestAddr, limit: Limit) -> Result<Option<u64>, Errno> {
    if timeout.is_null() {
        return Ok(None);
    }
    let t: Timespec = ctx.mem().copy_in(timeout)?;
    let ns = t.to_ns().ok_or(Errno::EINVAL)?;
    let now = ctx.kernel.monotonic_ns();
    Ok(Some(match limit {
        Limit { absolute: false, .. } => now.saturating_add(ns),
        Limit { absolute: true, realtime: false } => ns,
        Limit { absolute: true, realtime: true } => now.saturating_add(ns.saturating_sub(ctx.kernel.realtime_ns())),
    }))
}

fn wait(ctx: &mut Ctx, a: &args::Futex, limit: Limit, bitset: u32) -> SysResult {
    if bitset == 0 {
        return Err(Errno::EINVAL.into());
    }
    let begun = ctx.thread().call_state.is_some();
    let end = if begun { None } else { deadline(ctx, a.timeout, limit)? };
    let at = key(ctx, a.uaddr, a.op & PRIVATE != 0)?;
    let state = ctx.call_state(|_| Waiting { deadline_ns: end, woken: None });
    let mut state = state.borrow_mut();
    let tid = ctx.tid;
    match &state.woken {
        None => {
            let value: u32 = ctx.mem().copy_in(a.uaddr)?;
            if value != a.val {
                return Err(Errno::EAGAIN.into());
            }
            let woken = Rc::new(Cell::new(false));
            state.woken = Some(Rc::clone(&woken));
            ctx.kernel.futexes.0.entry(at).or_default().push_back(Waiter { tid, bitset, woken });
        }
        Some(woken) if woken.get() => return Ok(0),
        Some(_) => {}
    }
    if let Some(end) = state.deadline_ns
        && ctx.kernel.monotonic_ns() >= end
    {
        ctx.kernel.futexes.remove(tid);
        return Err(Errno::ETIMEDOUT.into());
    }
    let interrupted = if state.deadline_ns.is_some() { Errno::ERESTART_RESTARTBLOCK } else { Errno::ERESTARTSYS };
    let stop = ctx.wait(Wait::key(at.wait_key()).or_until(state.deadline_ns), interrupted);
    if matches!(stop, Stop::Errno(_)) {
        ctx.kernel.futexes.remove(tid);
        state.woken = None;
    }
    Err(stop)
}

fn wake(ctx: &mut Ctx, a: &args::Futex, bitset: u32) -> SysResult {
    if bitset == 0 {
        return Err(Errno::EINVAL.into());
    }
    let at = key(ctx, a.uaddr, a.op & PRIVATE != 0)?;
    Ok(ctx.kernel.wake_futex(at, at_least_one(a.val), bitset))
}

fn requeue(ctx: &mut Ctx, a: &args::Futex, private: bool, move_most: u32, expect: Option<u32>) -> SysResult {
    let (wake_most, move_most) = (a.val as i32, move_most as i32);
    if wake_most < 0 || move_most < 0 {
        return Err(Errno::EINVAL.into());
    }
    let (from, to) = (key(ctx, a.uaddr, private)?, key(ctx, a.uaddr2, private)?);
    if let Some(expected) = expect {
        let value: u32 = ctx.mem().copy_in(a.uaddr)?;
        if value != expected {
            return Err(Errno::EAGAIN.into());
        }
    }
    let woken = ctx.kernel.wake_futex(from, wake_most as usize, MATCH_ANY);
    let moved = ctx.kernel.futexes.take(from, move_most as usize, MATCH_ANY);
    let count = moved.len() as u64;
    if count > 0 {
        ctx.kernel.futexes.0.entry(to).or_default().extend(moved);
    }
    Ok(woken + count)
}

/// FUTEX_WAKE_OP: changes the second word and wakes at the first, and at the second too if its old value compares.
fn wake_op(ctx: &mut Ctx, a: &args::Futex, private: bool, wake2: u32) -> SysResult {
    let (first, second) = (key(ctx, a.uaddr, private)?, key(ctx, a.uaddr2, private)?);
    let code = a.val3;
    // Two signed 12-bit arguments.
    let sign_extend = |bits: u32| (((bits & 0xfff) << 20) as i32) >> 20;
    let (argument, comparand) = (sign_extend(code >> 12), sign_extend(code));
    let argument = if code >> 31 == 1 { 1i32.wrapping_shl(argument as u32 & 31) } else { argument };
    let old: i32 = ctx.mem().copy_in(a.uaddr2)?;
    let new = match code >> 28 & 7 {
        0 => argument,
        1 => old.wrapping_add(argument),
        2 => old | argument,
        3 => old & !argument,
        4 => old ^ argument,
        _ => return Err(Errno::ENOSYS.into()),
    };
    let holds = match code >> 24 & 0xf {
        0 => old == comparand,
        1 => old != comparand,
        2 => old < comparand,
        3 => old <= comparand,
        4 => old > comparand,
        5 => old >= comparand,
        _ => {
            ctx.mem().copy_out(a.uaddr2, &new)?;
            return Err(Errno::ENOSYS.into());
        }
    };
    ctx.mem().copy_out(a.uaddr2, &new)?;
    let mut woken = ctx.kernel.wake_futex(first, at_least_one(a.val), MATCH_ANY);
    if holds {
        woken += ctx.kernel.wake_futex(second, at_least_one(wake2), MATCH_ANY);
    }
    Ok(woken)
}

/// set_robust_list(2).
pub fn set_robust_list(ctx: &mut Ctx, a: &args::SetRobustList) -> SysResult {
    if a.len != ROBUST_HEAD_SIZE {
        return Err(Errno::EINVAL.into());
    }
    ctx.thread().robust_list = (a.head, a.len);
    Ok(0)
}

/// get_robust_list(2).
pub fn get_robust_list(ctx: &mut Ctx, a: &args::GetRobustList) -> SysResult {
    let tid = if a.pid == 0 { ctx.tid } else { a.pid };
    let (head, _) = ctx.kernel.threads.get(&tid).ok_or(Errno::ESRCH)?.robust_list;
    ctx.mem().copy_out(a.len_ptr, &ROBUST_HEAD_SIZE)?;
    ctx.mem().copy_out(a.head_ptr, &head.0)?;
    Ok(0)
}
