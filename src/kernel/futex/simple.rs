//! The plain operations of futex(2): wait, wake, requeue, wake with an operation.

use super::*;

/// Command bits of the operation.
const COMMAND: u32 = !(PRIVATE | op::FUTEX_CLOCK_REALTIME);

/// futex(2).
pub fn futex(ctx: &mut Ctx, a: &args::Futex) -> SysResult {
    let (command, reach) = (a.op & COMMAND, Reach::of(a.op));
    let realtime = a.op & op::FUTEX_CLOCK_REALTIME != 0;
    let takes_clock = [op::FUTEX_WAIT_BITSET, op::FUTEX_WAIT_REQUEUE_PI, op::FUTEX_LOCK_PI2].contains(&command);
    if realtime && !takes_clock {
        return Err(Errno::ENOSYS.into());
    }
    let absolute = if realtime { Limit::Realtime } else { Limit::Monotonic };
    // FUTEX_REQUEUE and its kin have a count where others have a timeout.
    let count2 = a.timeout.0 as u32;
    match command {
        op::FUTEX_WAIT => wait(ctx, a, Limit::Relative, MATCH_ANY),
        op::FUTEX_WAIT_BITSET => wait(ctx, a, absolute, a.val3),
        op::FUTEX_WAKE => wake(ctx, a, MATCH_ANY),
        op::FUTEX_WAKE_BITSET => wake(ctx, a, a.val3),
        op::FUTEX_REQUEUE | op::FUTEX_CMP_REQUEUE => {
            let (from, to) = (key(ctx, a.uaddr, reach)?, key(ctx, a.uaddr2, reach)?);
            let expected = (command == op::FUTEX_CMP_REQUEUE).then_some(a.val3);
            let places = [(from, a.uaddr), (to, a.uaddr2)];
            requeue(ctx, places, a.val as i32, count2 as i32, expected)
        }
        op::FUTEX_WAKE_OP => wake_op(ctx, a, reach, count2),
        op::FUTEX_LOCK_PI => pi::lock(ctx, a, Limit::Realtime),
        op::FUTEX_LOCK_PI2 => pi::lock(ctx, a, absolute),
        op::FUTEX_TRYLOCK_PI => pi::try_lock(ctx, a),
        op::FUTEX_UNLOCK_PI => pi::unlock(ctx, a),
        op::FUTEX_WAIT_REQUEUE_PI => pi::wait_requeue(ctx, a, absolute),
        op::FUTEX_CMP_REQUEUE_PI => pi::requeue(ctx, a, count2 as i32),
        _ => Err(Errno::ENOSYS.into()),
    }
}

fn wait(ctx: &mut Ctx, a: &args::Futex, limit: Limit, bitset: u32) -> SysResult {
    let interrupted = if a.timeout.is_null() { Errno::ERESTARTSYS } else { Errno::ERESTART_RESTARTBLOCK };
    wait_at(
        ctx,
        Awaited { addr: a.uaddr, reach: Reach::of(a.op), value: a.val, bitset },
        (a.timeout, limit),
        interrupted,
    )
}

/// One word that a thread waits for, and its expected value.
#[derive(Clone, Copy)]
pub(super) struct Awaited {
    pub addr: GuestAddr,
    pub reach: Reach,
    pub value: u32,
    pub bitset: u32,
}

/// Waits at one futex.
pub(super) fn wait_at(ctx: &mut Ctx, at: Awaited, end: (GuestAddr, Limit), interrupted: Errno) -> SysResult {
    let begun = ctx.thread().call_state.is_some();
    // Linux reads the timeout before all else.
    let end = if begun { None } else { deadline(ctx, end.0, end.1)? };
    if at.bitset == 0 {
        return Err(Errno::EINVAL.into());
    }
    let state = ctx.call_state(|_| Waiting { deadline_ns: end, ticket: None });
    let mut state = state.borrow_mut();
    if state.ticket.is_none() {
        let key = key(ctx, at.addr, at.reach)?;
        let value: u32 = ctx.mem().copy_in(at.addr)?;
        if value != at.value {
            return Err(Errno::EAGAIN.into());
        }
        let ticket = Rc::new(Ticket::default());
        state.ticket = Some(Rc::clone(&ticket));
        let Awaited { addr, bitset, .. } = at;
        ctx.kernel.enqueue(key, Waiter { tid: ctx.tid, addr, bitset, kind: Kind::Plain, index: 0, ticket });
    }
    match look(ctx, &mut state, &[at.addr], interrupted) {
        Waited::Woken(_) => Ok(0),
        Waited::TimedOut => Err(Errno::ETIMEDOUT.into()),
        Waited::Stop(stop) => Err(stop),
    }
}

fn wake(ctx: &mut Ctx, a: &args::Futex, bitset: u32) -> SysResult {
    if bitset == 0 {
        return Err(Errno::EINVAL.into());
    }
    let at = key(ctx, a.uaddr, Reach::of(a.op))?;
    Ok(ctx.kernel.wake_futex(at, at_least_one(a.val), bitset)?)
}

/// Wakes some waiters of the first futex and moves others to the second.
pub(super) fn requeue(
    ctx: &mut Ctx,
    [(from, addr), (to, to_addr)]: [(FutexKey, GuestAddr); 2],
    wake_most: i32,
    move_most: i32,
    expected: Option<u32>,
) -> SysResult {
    if wake_most < 0 || move_most < 0 {
        return Err(Errno::EINVAL.into());
    }
    if let Some(expected) = expected {
        let value: u32 = ctx.mem().copy_in(addr)?;
        if value != expected {
            return Err(Errno::EAGAIN.into());
        }
    }
    let woken = ctx.kernel.wake_futex(from, wake_most as usize, MATCH_ANY)?;
    let mut moved = 0;
    let (mut position, waiting) = (0, ctx.kernel.futexes.queues.get(&from).map_or(0, VecDeque::len));
    for _ in 0..waiting.min(move_most as usize) {
        let kind = ctx.kernel.futexes.queues.get(&from).and_then(|q| q.get(position)).map(|w| w.kind);
        if kind.is_some_and(|k| k != Kind::Plain) {
            return Err(Errno::EINVAL.into());
        }
        moved += 1;
        if from == to {
            // Nothing changes its place, but Linux counts it.
            position += 1;
            continue;
        }
        if let Some(waiter) = ctx.kernel.futexes.take(from, position) {
            ctx.kernel.enqueue(to, Waiter { addr: to_addr, ..waiter });
        }
    }
    Ok(woken + moved)
}

/// FUTEX_WAKE_OP: changes the second word and wakes at the first, and at the second too if its old value compares.
fn wake_op(ctx: &mut Ctx, a: &args::Futex, reach: Reach, wake2: u32) -> SysResult {
    let (first, second) = (key(ctx, a.uaddr, reach)?, key(ctx, a.uaddr2, reach)?);
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
    ctx.mem().copy_out(a.uaddr2, &new)?;
    let holds = match code >> 24 & 0xf {
        0 => old == comparand,
        1 => old != comparand,
        2 => old < comparand,
        3 => old <= comparand,
        4 => old > comparand,
        5 => old >= comparand,
        _ => return Err(Errno::ENOSYS.into()),
    };
    let mut woken = ctx.kernel.wake_futex(first, at_least_one(a.val), MATCH_ANY)?;
    if holds {
        woken += ctx.kernel.wake_futex(second, at_least_one(wake2), MATCH_ANY)?;
    }
    Ok(woken)
}
