//! Locks whose owner the kernel knows: FUTEX_LOCK_PI and its kin. The word holds the owner's thread id; whoever unlocks
//! it with waiters there makes the first of them the owner.

use super::*;
use std::cell::RefCell;

/// What came of trying to take a lock by its word.
enum Taken {
    Acquired,
    /// This thread has it, and the word says that somebody waits.
    OwnedBy(Tid),
}

/// A lock: its key, and where its word is for the thread that works on it.
#[derive(Clone, Copy)]
struct Lock<'a> {
    key: FutexKey,
    space: &'a RefCell<Space>,
    addr: GuestAddr,
}

impl Kernel {
    /// Tries to make `tid` the owner (`futex_lock_pi_atomic` of Linux). `keep_waiters`: others will wait even if it
    /// succeeds.
    fn take_lock(&mut self, lock: Lock<'_>, tid: Tid, keep_waiters: bool) -> Result<Taken, Errno> {
        let word: u32 = lock.space.borrow().copy_in(lock.addr)?;
        let owner = (word & TID_MASK) as Tid;
        if owner == tid {
            return Err(Errno::EDEADLK);
        }
        if let Some(first) = self.futexes.first(lock.key) {
            // The word must agree with what the kernel knows from those who wait.
            let known = self.futexes.owners.get(&lock.key);
            if first.kind != Kind::Lock || known != Some(&owner) {
                return Err(Errno::EINVAL);
            }
            return Ok(Taken::OwnedBy(owner));
        }
        let put = |value: u32| lock.space.borrow_mut().copy_out(lock.addr, &value);
        if owner == 0 {
            put(word & OWNER_DIED | tid as u32 | if keep_waiters { WAITERS } else { 0 })?;
            return Ok(Taken::Acquired);
        }
        put(word | WAITERS)?;
        if self.threads.contains_key(&owner) { Ok(Taken::OwnedBy(owner)) } else { Err(Errno::ESRCH) }
    }

    /// Whether `tid` would wait for itself if it waited for a lock of `owner`.
    fn is_circle(&self, tid: Tid, mut owner: Tid) -> bool {
        // No chain is longer than there are threads.
        for _ in 0..self.threads.len() {
            if owner == tid {
                return true;
            }
            match self.futexes.wanted_by(owner).and_then(|key| self.futexes.owners.get(&key)) {
                Some(next) => owner = *next,
                None => return false,
            }
        }
        false
    }

    /// Gives the lock to the first who waits for it.
    fn hand_over(&mut self, key: FutexKey, owner_died: u32) -> Result<(), Errno> {
        let wants = |w: &Waiter| w.kind == Kind::Lock;
        let Some(position) = self.futexes.queues.get(&key).and_then(|q| q.iter().position(wants)) else {
            return Ok(());
        };
        let first = self.futexes.queues.get(&key).and_then(|q| q.get(position)).map(|w| (w.tid, w.addr));
        if let Some((tid, addr)) = first
            && let Some(t) = self.threads.get(&tid)
        {
            t.space.borrow_mut().copy_out(addr, &(WAITERS | owner_died | tid as u32))?;
            self.futexes.owners.insert(key, tid);
        }
        if let Some(w) = self.futexes.take(key, position) {
            self.finish_wait(&w);
        }
        Ok(())
    }

    /// A thread ends: the locks it has, and that others wait for, go to those.
    pub(super) fn hand_over_all(&mut self, tid: Tid) {
        let owned: Vec<FutexKey> =
            self.futexes.owners.iter().filter(|(_, owner)| **owner == tid).map(|(key, _)| *key).collect();
        for key in owned {
            // A word that cannot be written is the loss of those who use it.
            if self.hand_over(key, OWNER_DIED).is_err() {
                self.futexes.owners.remove(&key);
            }
        }
    }
}

/// FUTEX_LOCK_PI, FUTEX_LOCK_PI2.
pub(super) fn lock(ctx: &mut Ctx, a: &args::Futex, limit: Limit) -> SysResult {
    let begun = ctx.thread().call_state.is_some();
    let end = if begun { None } else { deadline(ctx, a.timeout, limit)? };
    let state = ctx.call_state(|_| Waiting { deadline_ns: end, ticket: None });
    let mut state = state.borrow_mut();
    if state.ticket.is_none() {
        let (tid, key) = (ctx.tid, key(ctx, a.uaddr, Reach::of(a.op))?);
        let space = Rc::clone(ctx.space());
        let owner = match ctx.kernel.take_lock(Lock { key, space: &space, addr: a.uaddr }, tid, false)? {
            Taken::Acquired => return Ok(0),
            Taken::OwnedBy(owner) => owner,
        };
        if ctx.kernel.is_circle(tid, owner) {
            return Err(Errno::EDEADLK.into());
        }
        let ticket = Rc::new(Ticket::default());
        state.ticket = Some(Rc::clone(&ticket));
        let waiter = Waiter { tid, addr: a.uaddr, bitset: MATCH_ANY, kind: Kind::Lock, index: 0, ticket };
        ctx.kernel.enqueue(key, waiter);
        ctx.kernel.futexes.owners.insert(key, owner);
    }
    match look(ctx, &mut state, &[a.uaddr], Errno::ERESTARTNOINTR) {
        Waited::Woken(_) => Ok(0),
        Waited::TimedOut => Err(Errno::ETIMEDOUT.into()),
        Waited::Stop(stop) => Err(stop),
    }
}

/// FUTEX_TRYLOCK_PI. Unlike what a program can do itself it takes a lock whose owner has died.
pub(super) fn try_lock(ctx: &mut Ctx, a: &args::Futex) -> SysResult {
    let (tid, key) = (ctx.tid, key(ctx, a.uaddr, Reach::of(a.op))?);
    let space = Rc::clone(ctx.space());
    match ctx.kernel.take_lock(Lock { key, space: &space, addr: a.uaddr }, tid, false)? {
        Taken::Acquired => Ok(0),
        Taken::OwnedBy(_) => Err(Errno::EAGAIN.into()),
    }
}

/// FUTEX_UNLOCK_PI.
pub(super) fn unlock(ctx: &mut Ctx, a: &args::Futex) -> SysResult {
    let word: u32 = ctx.mem().copy_in(a.uaddr)?;
    let tid = ctx.tid;
    if word & TID_MASK != tid as u32 {
        return Err(Errno::EPERM.into());
    }
    let key = key(ctx, a.uaddr, Reach::of(a.op))?;
    match ctx.kernel.futexes.first(key).map(|w| w.kind) {
        None => ctx.mem().copy_out(a.uaddr, &0u32)?,
        Some(Kind::Lock) if ctx.kernel.futexes.owners.get(&key) == Some(&tid) => ctx.kernel.hand_over(key, 0)?,
        Some(_) => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}

/// FUTEX_WAIT_REQUEUE_PI: waits at one futex until FUTEX_CMP_REQUEUE_PI gives it the lock at the other, or lets it wait
/// for that.
pub(super) fn wait_requeue(ctx: &mut Ctx, a: &args::Futex, limit: Limit) -> SysResult {
    let begun = ctx.thread().call_state.is_some();
    let end = if begun { None } else { deadline(ctx, a.timeout, limit)? };
    if a.uaddr == a.uaddr2 {
        return Err(Errno::EINVAL.into());
    }
    let reach = Reach::of(a.op);
    let state = ctx.call_state(|_| Waiting { deadline_ns: end, ticket: None });
    let mut state = state.borrow_mut();
    if state.ticket.is_none() {
        let (target, at) = (key(ctx, a.uaddr2, reach)?, key(ctx, a.uaddr, reach)?);
        let value: u32 = ctx.mem().copy_in(a.uaddr)?;
        if value != a.val {
            return Err(Errno::EAGAIN.into());
        }
        if target == at {
            return Err(Errno::EINVAL.into());
        }
        let ticket = Rc::new(Ticket::default());
        state.ticket = Some(Rc::clone(&ticket));
        let kind = Kind::Requeue(target, a.uaddr2);
        ctx.kernel.enqueue(at, Waiter { tid: ctx.tid, addr: a.uaddr, bitset: MATCH_ANY, kind, index: 0, ticket });
    }
    let moved = ctx.kernel.futexes.wanted_by(ctx.tid).is_some();
    let word = if moved { a.uaddr2 } else { a.uaddr };
    // Once it waits for the lock it cannot begin anew at the first futex.
    let interrupted = if moved { Errno::EAGAIN } else { Errno::ERESTARTNOINTR };
    match look(ctx, &mut state, &[word], interrupted) {
        Waited::Woken(_) => Ok(0),
        Waited::TimedOut => Err(Errno::ETIMEDOUT.into()),
        Waited::Stop(stop) => Err(stop),
    }
}

/// FUTEX_CMP_REQUEUE_PI: gives the lock at the second futex to the first waiter if it is free, and lets the others wait
/// for it there.
pub(super) fn requeue(ctx: &mut Ctx, a: &args::Futex, move_most: i32) -> SysResult {
    let wake_most = a.val as i32;
    if wake_most < 0 || move_most < 0 || a.uaddr == a.uaddr2 || wake_most != 1 {
        return Err(Errno::EINVAL.into());
    }
    let reach = Reach::of(a.op);
    let (from, to) = (key(ctx, a.uaddr, reach)?, key(ctx, a.uaddr2, reach)?);
    if from == to {
        return Err(Errno::EINVAL.into());
    }
    let value: u32 = ctx.mem().copy_in(a.uaddr)?;
    if value != a.val3 {
        return Err(Errno::EAGAIN.into());
    }
    // Linux reads the lock before it looks for waiters.
    ctx.mem().copy_in::<u32>(a.uaddr2)?;
    let Some(first) = ctx.kernel.futexes.first(from).map(|w| (w.tid, w.kind)) else { return Ok(0) };
    if !matches!(first.1, Kind::Requeue(target, _) if target == to) {
        return Err(Errno::EINVAL.into());
    }
    let space = Rc::clone(ctx.space());
    let lock = Lock { key: to, space: &space, addr: a.uaddr2 };
    let mut count = 0;
    let owner = match ctx.kernel.take_lock(lock, first.0, move_most > 0)? {
        Taken::Acquired => {
            if let Some(w) = ctx.kernel.futexes.take(from, 0) {
                ctx.kernel.finish_wait(&w);
            }
            count += 1;
            first.0
        }
        Taken::OwnedBy(owner) => owner,
    };
    while count < 1 + move_most as u64
        && let Some((tid, kind)) = ctx.kernel.futexes.first(from).map(|w| (w.tid, w.kind))
    {
        let Kind::Requeue(target, addr) = kind else { return Err(Errno::EINVAL.into()) };
        if target != to {
            return Err(Errno::EINVAL.into());
        }
        if ctx.kernel.is_circle(tid, owner) {
            return Err(Errno::EDEADLK.into());
        }
        if let Some(w) = ctx.kernel.futexes.take(from, 0) {
            ctx.kernel.enqueue(to, Waiter { addr, kind: Kind::Lock, ..w });
            ctx.kernel.futexes.owners.insert(to, owner);
        }
        count += 1;
    }
    Ok(count)
}
