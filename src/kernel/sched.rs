//! Which thread runs next, and what threads wait for.
//!
//! Threads take turns in a fixed order on one host thread. Who waits is not in the queue; when the queue is empty the
//! kernel sleeps in one host poll over everything that is waited for.

use super::*;
use crate::host::{HostClock, HostFd, PollFd};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Something inside the machine that a thread can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitKey {
    /// A change of state of a child of this process.
    Child(Pid),
    /// A change of the kernel object with this number (pipe, eventfd, ...).
    Object(u64),
    /// A futex word: space and address.
    Futex(u32, u64),
    /// A signal for this thread.
    Signal(Tid),
    /// This process, made by vfork(2), gives the memory of its parent back.
    Vfork(Pid),
    /// The end of this process or thread.
    End(Tid),
}

/// What a blocked thread waits for: whichever comes first.
#[derive(Clone, Debug, Default)]
pub struct Wait {
    /// Host files, with the POLL* bits to wait for.
    pub fds: Vec<(HostFd, i16)>,
    /// A moment of the kernel's monotonic clock, in nanoseconds.
    pub deadline_ns: Option<u64>,
    /// Objects of the machine.
    pub keys: Vec<WaitKey>,
}

impl Wait {
    /// Until a host file is ready.
    pub fn fd(fd: &HostFd, events: i16) -> Wait {
        Wait { fds: vec![(fd.clone(), events)], ..Wait::default() }
    }

    /// Until a moment of the kernel's monotonic clock.
    pub fn until(deadline_ns: u64) -> Wait {
        Wait { deadline_ns: Some(deadline_ns), ..Wait::default() }
    }

    /// Until something in the machine changes.
    pub fn key(key: WaitKey) -> Wait {
        Wait { keys: vec![key], ..Wait::default() }
    }

    /// Also until that moment, if one is given and it is earlier.
    pub fn or_until(mut self, deadline_ns: Option<u64>) -> Wait {
        self.deadline_ns = earlier(self.deadline_ns, deadline_ns);
        self
    }
}

/// The earlier of two moments, of which each may be never.
fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Changes of objects that happened where the kernel is not at hand, as when the last descriptor of a file goes: shared
/// by the kernel and those objects.
#[derive(Clone, Debug, Default)]
pub struct Wakeups(Rc<RefCell<Vec<WaitKey>>>);

impl Wakeups {
    /// Notes a change of `key`; whoever waits for it wakes before the next thread's turn.
    pub fn push(&self, key: WaitKey) {
        self.0.borrow_mut().push(key);
    }

    fn take(&self) -> Vec<WaitKey> {
        std::mem::take(&mut self.0.borrow_mut())
    }
}

/// Runnable threads in the order of their turns.
#[derive(Debug, Default)]
pub struct RunQueue {
    order: VecDeque<Tid>,
    yields: bool,
}

impl RunQueue {
    /// Puts a thread at the end, unless it is in already.
    pub fn push(&mut self, tid: Tid) {
        if !self.order.contains(&tid) {
            self.order.push_back(tid);
        }
    }

    /// Takes the next thread.
    pub fn pop(&mut self) -> Option<Tid> {
        self.order.pop_front()
    }

    /// Whether somebody waits for a turn.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The running thread gives up the rest of its turn (sched_yield(2)).
    pub fn request_yield(&mut self) {
        self.yields = true;
    }

    /// Whether the running thread has given up its turn since last asked.
    pub fn take_yield(&mut self) -> bool {
        std::mem::take(&mut self.yields)
    }

    /// Takes a thread out.
    pub fn remove(&mut self, tid: Tid) {
        self.order.retain(|t| *t != tid);
    }
}

/// What came of sleeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slept {
    /// Some thread can run, or a signal came.
    Ready,
    /// No thread is left.
    Empty,
    /// Every thread waits for something that cannot come.
    Deadlock,
}

impl Kernel {
    /// The thread whose turn it is, taken out of the queue.
    pub fn next_thread(&mut self) -> Option<Tid> {
        self.take_wakeups();
        self.queue.pop()
    }

    /// Wakes whoever waits for objects that have changed by themselves.
    pub fn take_wakeups(&mut self) {
        for key in self.wakeups.take() {
            self.wake_all(key);
        }
    }

    /// A number for a new object that threads can wait for ([`WaitKey::Object`]).
    pub fn new_object(&mut self) -> u64 {
        self.last_object += 1;
        self.last_object
    }

    /// Puts a thread that has used up its turn behind the others.
    pub fn requeue(&mut self, tid: Tid) {
        if self.threads.get(&tid).is_some_and(|t| matches!(t.state, State::Runnable)) {
            self.queue.push(tid);
        }
    }

    /// Nanoseconds on the clock that waits are measured by.
    pub fn monotonic_ns(&mut self) -> u64 {
        self.time.now_ns(&mut *self.host, HostClock::Monotonic)
    }

    /// Wakes the threads whose deadline has passed.
    pub fn wake_expired(&mut self, now_ns: u64) {
        let due: Vec<Tid> = self
            .threads
            .values()
            .filter(|t| matches!(&t.state, State::Blocked(w) if w.deadline_ns.is_some_and(|d| d <= now_ns)))
            .map(|t| t.tid)
            .collect();
        for tid in due {
            self.wake(tid);
        }
    }

    /// Sleeps until a thread can run: one host poll over all that any thread waits for.
    pub fn sleep(&mut self) -> Slept {
        if self.threads.is_empty() {
            return Slept::Empty;
        }
        let now = self.monotonic_ns();
        self.wake_expired(now);
        if !self.queue.is_empty() {
            return Slept::Ready;
        }
        let (mut fds, mut owners, mut deadline) = (Vec::new(), Vec::new(), self.time.next_timer_ns());
        deadline = earlier(deadline, self.end_of_time_ns());
        for t in self.threads.values() {
            let State::Blocked(wait) = &t.state else { continue };
            for (fd, events) in &wait.fds {
                fds.push(PollFd { fd: fd.clone(), events: *events, revents: 0 });
                owners.push(t.tid);
            }
            deadline = earlier(deadline, wait.deadline_ns);
        }
        if fds.is_empty() && deadline.is_none() && !self.signal_can_wake() {
            return Slept::Deadlock;
        }
        // A host with a virtual clock knows by itself that there is nothing to wait for.
        let timeout = deadline.map(|d| d.saturating_sub(now));
        match self.host.poll(&mut fds, timeout) {
            Ok(n) if n > 0 => {
                for (p, tid) in fds.iter().zip(owners) {
                    if p.revents != 0 {
                        self.wake(tid);
                    }
                }
            }
            Ok(_) => self.time.slept_until(deadline),
            // A signal came.
            Err(_) => {}
        }
        let now = self.monotonic_ns();
        self.wake_expired(now);
        Slept::Ready
    }

    /// Whether a signal from outside could end some wait: always on the real host (somebody may press ^C).
    fn signal_can_wake(&self) -> bool {
        !self.config.deterministic
    }
}
