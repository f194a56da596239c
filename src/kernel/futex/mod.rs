//! Futexes: waiting for a word of memory to change, and waking those who wait (futex(2), futex_waitv(2)).
//!
//! Who waits stands in queues by key; a waiter's ticket is shared between its queue and the state of its call, so that
//! whoever wakes or requeues it need not find the call. `simple` has the plain operations, `pi` those with an owner
//! that the kernel knows, `vector` the calls of Linux 5.16 and 6.7, `robust` what happens to locks when their owner ends.
//!
//! Priority inheritance itself has nothing to do here: turns do not depend on priorities, so a low one cannot keep the
//! owner of a lock from running. What remains of PI futexes is their protocol, and that is Linux's.

mod pi;
mod robust;
mod simple;
mod vector;

pub use robust::{get_robust_list, set_robust_list};
pub use simple::futex;
pub use vector::{futex_requeue, futex_wait, futex_waitv, futex_wake};

use super::*;
use crate::abi::Timespec;
use crate::abi::consts::futex as op;
use crate::cpu::Access;
use crate::mem::{GuestAddr, SharedPlace, Space};
use crate::syscalls::args;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// FUTEX_PRIVATE_FLAG.
const PRIVATE: u32 = 0x80;

/// Matches every waiter.
const MATCH_ANY: u32 = u32::MAX;

/// Bits of the word of a lock whose owner the kernel must know (include/uapi/linux/futex.h).
const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
const TID_MASK: u32 = 0x3fff_ffff;

/// What identifies a futex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FutexKey {
    /// A word that only threads of one space use: space and address.
    Private(u32, u64),
    /// A word of shared memory, wherever it is mapped.
    Shared(SharedPlace),
}

/// Who may use a futex, as the caller says (FUTEX_PRIVATE_FLAG).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Process,
    Everybody,
}

impl Reach {
    fn of(flags: u32) -> Reach {
        if flags & PRIVATE != 0 { Reach::Process } else { Reach::Everybody }
    }
}

/// How a waiter waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// It wants the lock: whoever wakes it makes it the owner.
    Lock,
    /// FUTEX_WAIT_REQUEUE_PI: it will want the lock at this futex, whose word is at this address.
    Requeue(FutexKey, GuestAddr),
}

/// What the call of a waiter knows of its wakes.
#[derive(Debug, Default)]
struct Ticket {
    /// Which of the futexes that it waits at has been woken: the last one, as in Linux.
    woken: Cell<Option<u32>>,
}

/// A thread that waits.
#[derive(Debug)]
struct Waiter {
    tid: Tid,
    /// The word, in the thread's own space.
    addr: GuestAddr,
    bitset: u32,
    kind: Kind,
    /// Which of the futexes of its call this is.
    index: u32,
    ticket: Rc<Ticket>,
}

/// Everybody who waits, at each futex in order of real-time priority and arrival.
#[derive(Debug, Default)]
pub struct Futexes {
    queues: BTreeMap<FutexKey, VecDeque<Waiter>>,
    /// The queues each thread is in.
    of_thread: BTreeMap<Tid, Vec<FutexKey>>,
    /// Owners of the locks that somebody waits for with [`Kind::Lock`].
    owners: BTreeMap<FutexKey, Tid>,
}

impl Futexes {
    /// Takes a thread out of whatever queues it is in: its wait is over, or it has ended.
    pub fn remove(&mut self, tid: Tid) {
        for key in self.of_thread.remove(&tid).unwrap_or_default() {
            if let Some(queue) = self.queues.get_mut(&key) {
                queue.retain(|w| w.tid != tid);
            }
            self.tidy(key);
        }
    }

    /// Forgets an empty queue, and the owner of a lock that nobody wants any more.
    fn tidy(&mut self, key: FutexKey) {
        let Some(queue) = self.queues.get(&key) else { return };
        if !queue.iter().any(|w| w.kind == Kind::Lock) {
            self.owners.remove(&key);
        }
        if queue.is_empty() {
            self.queues.remove(&key);
        }
    }

    /// The first waiter at a futex.
    fn first(&self, key: FutexKey) -> Option<&Waiter> {
        self.queues.get(&key)?.front()
    }

    /// Takes out the waiter at a position of a queue.
    fn take(&mut self, key: FutexKey, position: usize) -> Option<Waiter> {
        let waiter = self.queues.get_mut(&key)?.remove(position)?;
        if let Some(keys) = self.of_thread.get_mut(&waiter.tid) {
            if let Some(n) = keys.iter().position(|k| *k == key) {
                keys.remove(n);
            }
            if keys.is_empty() {
                self.of_thread.remove(&waiter.tid);
            }
        }
        self.tidy(key);
        Some(waiter)
    }

    /// The futex whose lock a thread waits for.
    fn wanted_by(&self, tid: Tid) -> Option<FutexKey> {
        let keys = self.of_thread.get(&tid)?;
        let wants = |key: &&FutexKey| {
            self.queues.get(key).is_some_and(|q| q.iter().any(|w| w.tid == tid && w.kind == Kind::Lock))
        };
        keys.iter().find(wants).copied()
    }
}

impl Kernel {
    /// Wakes one thread that waits for the word at an address of `space` (the end of a thread, set_tid_address(2)).
    pub fn wake_futex_at(&mut self, space: &Space, addr: GuestAddr) {
        if let Ok(key) = key_in(space, addr, Reach::Everybody) {
            // Waiters for a lock at such a word are a mistake of the program.
            let _ = self.wake_futex(key, 1, MATCH_ANY);
        }
    }

    /// Puts a waiter into a queue, behind those of the same real-time priority.
    fn enqueue(&mut self, key: FutexKey, waiter: Waiter) {
        let threads = &self.threads;
        let rank = |tid: Tid| threads.get(&tid).map_or(0, |t| t.sched.priority);
        let own = rank(waiter.tid);
        self.futexes.of_thread.entry(waiter.tid).or_default().push(key);
        let queue = self.futexes.queues.entry(key).or_default();
        let at = if own == 0 { queue.len() } else { queue.partition_point(|w| rank(w.tid) >= own) };
        queue.insert(at, waiter);
    }

    /// Wakes up to `most` threads that wait at a futex; gives their number.
    ///
    /// # Errors
    /// `EINVAL`: somebody there waits for a lock.
    fn wake_futex(&mut self, key: FutexKey, most: usize, bitset: u32) -> Result<u64, Errno> {
        let (mut woken, mut position) = (0, 0);
        while woken < most {
            let Some(w) = self.futexes.queues.get(&key).and_then(|q| q.get(position)) else { break };
            if w.kind != Kind::Plain {
                return Err(Errno::EINVAL);
            }
            if w.bitset & bitset == 0 {
                position += 1;
                continue;
            }
            if let Some(w) = self.futexes.take(key, position) {
                self.finish_wait(&w);
            }
            woken += 1;
        }
        Ok(woken as u64)
    }

    /// Tells a waiter that has been taken out of its queue, and wakes its thread.
    fn finish_wait(&mut self, w: &Waiter) {
        w.ticket.woken.set(Some(w.ticket.woken.get().map_or(w.index, |i| i.max(w.index))));
        self.wake(w.tid);
    }
}

/// The key of the futex word at an address.
fn key(ctx: &Ctx, addr: GuestAddr, reach: Reach) -> Result<FutexKey, Errno> {
    key_in(&ctx.mem(), addr, reach)
}

fn key_in(mem: &Space, addr: GuestAddr, reach: Reach) -> Result<FutexKey, Errno> {
    if !addr.0.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    if !mem.access_ok(addr, 4) {
        return Err(Errno::EFAULT);
    }
    let private = FutexKey::Private(mem.id().0, addr.0);
    if reach == Reach::Process {
        return Ok(private);
    }
    // The key of a word that may be shared depends on what is mapped there, so it must be mapped.
    if !mem.permits(addr, Access::Read) {
        return Err(Errno::EFAULT);
    }
    Ok(mem.shared_place(addr).map_or(private, FutexKey::Shared))
}

/// A count that a guest gave as an int: negative ones and zero mean one for waking, as Linux wakes before it looks.
fn at_least_one(count: u32) -> usize {
    (count as i32).max(1) as usize
}

/// How the timeout of a wait is meant.
#[derive(Clone, Copy)]
enum Limit {
    /// From now.
    Relative,
    /// A moment of CLOCK_MONOTONIC.
    Monotonic,
    /// A moment of CLOCK_REALTIME.
    Realtime,
}

/// The end of a wait on the monotonic clock; `None`: it has none.
fn deadline(ctx: &mut Ctx, timeout: GuestAddr, limit: Limit) -> Result<Option<u64>, Errno> {
    if timeout.is_null() {
        return Ok(None);
    }
    let t: Timespec = ctx.mem().copy_in(timeout)?;
    let ns = t.to_ns().ok_or(Errno::EINVAL)?;
    let now = ctx.kernel.monotonic_ns();
    Ok(Some(match limit {
        Limit::Relative => now.saturating_add(ns),
        Limit::Monotonic => ns,
        Limit::Realtime => now.saturating_add(ns.saturating_sub(ctx.kernel.realtime_ns())),
    }))
}

/// What a waiting call remembers.
#[derive(Debug, Default)]
struct Waiting {
    deadline_ns: Option<u64>,
    /// Set while the thread stands in queues.
    ticket: Option<Rc<Ticket>>,
}

/// What became of a wait.
enum Waited {
    /// Woken, at the futex with this index.
    Woken(u32),
    /// The deadline has passed.
    TimedOut,
    /// It goes on, or a signal has ended it: this is what the call returns.
    Stop(Stop),
}

/// Looks how the wait of a thread that stands in queues goes. When it is over the thread is in no queue any more.
fn look(ctx: &mut Ctx, waiting: &mut Waiting, words: &[GuestAddr], interrupted: Errno) -> Waited {
    let tid = ctx.tid;
    if let Some(index) = waiting.ticket.as_ref().and_then(|t| t.woken.get()) {
        ctx.kernel.futexes.remove(tid);
        return Waited::Woken(index);
    }
    if let Some(end) = waiting.deadline_ns
        && ctx.kernel.monotonic_ns() >= end
    {
        ctx.kernel.futexes.remove(tid);
        return Waited::TimedOut;
    }
    let keys = words.iter().map(|w| WaitKey::Futex(w.0)).collect();
    let stop = ctx.wait(Wait { keys, ..Wait::default() }.or_until(waiting.deadline_ns), interrupted);
    if matches!(stop, Stop::Errno(_)) {
        ctx.kernel.futexes.remove(tid);
        waiting.ticket = None;
    }
    Waited::Stop(stop)
}
