//! Which thread runs next, and what threads wait for.
//!
//! Threads take turns in a fixed order on one host thread: whoever becomes runnable goes to the end of the queue, and a
//! turn is over after a fixed number of guest instructions, so that every runnable thread gets its turn however the
//! others spin. Who waits is not in the queue but in [`Waiters`], by what it waits for. When the queue is empty the
//! kernel sleeps in one host poll over everything that is waited for; while it is not, the kernel looks at those host
//! files after every [`LOOK_TURNS`] turns or [`LOOK_INSTRUCTIONS`] instructions.

use super::*;
use crate::host::{HostClock, HostFd, PollFd};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// Turns after which waited-for host files are looked at although some thread can run.
const LOOK_TURNS: u32 = 64;

/// Instructions after which they are looked at, if that comes first.
const LOOK_INSTRUCTIONS: u64 = 800_000;

/// Something inside the machine that a thread can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitKey {
    /// A change of state of a child of this process.
    Child(Pid),
    /// A change of the kernel object with this number (pipe, eventfd, ...).
    Object(u64),
    /// A futex word at this address of the thread's own space. Whoever wakes it knows the thread.
    Futex(u64),
    /// A signal for this thread.
    Signal(Tid),
    /// A signal of any kind for this process or one of its threads (signalfd(2)).
    Signals(Pid),
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
    members: BTreeSet<Tid>,
    yields: bool,
}

impl RunQueue {
    /// Puts a thread at the end, unless it is in already.
    pub fn push(&mut self, tid: Tid) {
        if self.members.insert(tid) {
            self.order.push_back(tid);
        }
    }

    /// Takes the next thread.
    pub fn pop(&mut self) -> Option<Tid> {
        let tid = self.order.pop_front()?;
        self.members.remove(&tid);
        Some(tid)
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
        if self.members.remove(&tid) {
            self.order.retain(|t| *t != tid);
        }
    }
}

/// Blocked threads by what they wait for, so that a wake need not look at all threads.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// In the order in which they began to wait.
    by_key: BTreeMap<WaitKey, Vec<Tid>>,
    by_deadline: BTreeSet<(u64, Tid)>,
    /// Those that wait for host files.
    on_host: BTreeSet<Tid>,
}

impl Waiters {
    pub(super) fn add(&mut self, tid: Tid, wait: &Wait) {
        for key in &wait.keys {
            let waiting = self.by_key.entry(*key).or_default();
            if !waiting.contains(&tid) {
                waiting.push(tid);
            }
        }
        if let Some(at) = wait.deadline_ns {
            self.by_deadline.insert((at, tid));
        }
        if !wait.fds.is_empty() {
            self.on_host.insert(tid);
        }
    }

    pub(super) fn remove(&mut self, tid: Tid, wait: &Wait) {
        for key in &wait.keys {
            if let Some(waiting) = self.by_key.get_mut(key) {
                waiting.retain(|t| *t != tid);
                if waiting.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        if let Some(at) = wait.deadline_ns {
            self.by_deadline.remove(&(at, tid));
        }
        self.on_host.remove(&tid);
    }

    /// The earliest deadline of all waits.
    pub(crate) fn next_deadline_ns(&self) -> Option<u64> {
        self.by_deadline.first().map(|(at, _)| *at)
    }

    /// Whether a thread waits for `key`.
    pub(super) fn has(&self, key: WaitKey) -> bool {
        self.by_key.contains_key(&key)
    }

    fn on_host(&self) -> impl Iterator<Item = Tid> + '_ {
        self.on_host.iter().copied()
    }
}

/// What came of sleeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slept {
    /// Some thread can run, or a signal came.
    Ready,
    /// No thread is left.
    Empty,
    /// Every thread waits for something that only a signal from outside can end.
    Stuck,
}

/// How the kernel looks at host files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Without waiting, as threads can run.
    Glance,
    /// Until something happens or this moment comes, if there is one.
    Until(Option<u64>),
}

/// What came while the kernel looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// Some file is ready.
    Files,
    /// Nothing, until the time was over.
    Nothing,
    /// A signal, which the run loop takes in.
    Signal,
}

impl Kernel {
    /// The thread whose turn it is, taken out of the queue.
    pub fn next_thread(&mut self) -> Option<Tid> {
        self.take_wakeups();
        self.glance();
        self.run_agents();
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

    /// Puts the running thread at the end of the queue, if it can go on.
    pub fn requeue(&mut self, tid: Tid) {
        if self.threads.get(&tid).is_some_and(|t| matches!(t.state, State::Runnable)) {
            self.queue.push(tid);
        }
    }

    /// Makes a thread wait.
    pub(super) fn block(&mut self, tid: Tid, wait: Wait) {
        if let Some(t) = self.threads.get_mut(&tid) {
            self.waiters.add(tid, &wait);
            t.state = State::Blocked(wait);
        }
    }

    /// Makes a thread wait for so many nanoseconds as if it were in the call `raw`, which ends like any other wait. For
    /// whoever tampers with calls.
    pub fn delay(&mut self, tid: Tid, raw: RawCall, index: Option<usize>, delay_ns: u64) {
        let deadline_ns = self.monotonic_ns().saturating_add(delay_ns);
        if let Some(t) = self.threads.get_mut(&tid) {
            t.in_call = Some(InCall { raw, index, pc: 0 });
        }
        self.block(tid, Wait { deadline_ns: Some(deadline_ns), ..Wait::default() });
    }

    /// Makes `tid` runnable again after its condition may have come true.
    pub fn wake(&mut self, tid: Tid) {
        if tid < 0 {
            return self.wake_agent(tid);
        }
        self.forget_wait(tid);
        if let Some(t) = self.threads.get_mut(&tid)
            && matches!(t.state, State::Blocked(_))
        {
            t.state = State::Runnable;
            self.queue.push(tid);
        }
    }

    /// Takes a thread out of the lists of those who wait: it wakes or is gone.
    pub(super) fn forget_wait(&mut self, tid: Tid) {
        if let Some(Thread { state: State::Blocked(wait), .. }) = self.threads.get(&tid) {
            self.waiters.remove(tid, wait);
        }
    }

    /// Wakes every thread that waits for `key`, of which anything may have changed.
    pub fn wake_all(&mut self, key: WaitKey) {
        self.wake_events(key, u32::MAX);
    }

    /// Wakes every thread that waits for `key`; what may have changed are these POLL* bits, and only epolls that ask for
    /// some of them are told.
    pub fn wake_events(&mut self, key: WaitKey, events: u32) {
        for tid in self.waiters.by_key.remove(&key).unwrap_or_default() {
            self.wake(tid);
        }
        self.tell_watchers(key, events);
    }

    /// Nanoseconds on the clock that waits are measured by.
    pub fn monotonic_ns(&mut self) -> u64 {
        self.time.now_ns(&mut *self.host, HostClock::Monotonic)
    }

    /// Wakes the threads whose deadline has passed, in the order of their deadlines.
    pub fn wake_expired(&mut self, now_ns: u64) {
        while let Some((at, tid)) = self.waiters.by_deadline.first().copied()
            && at <= now_ns
        {
            self.waiters.by_deadline.remove(&(at, tid));
            self.wake(tid);
        }
    }

    /// Counts a turn of so many instructions: they decide when host files are looked at again.
    pub(super) fn count_turn(&mut self, instructions: u64) {
        self.since_look = (self.since_look.0 + 1, self.since_look.1.saturating_add(instructions));
    }

    /// Looks at waited-for host files while threads can run, at fixed counts, so that spinning threads cannot keep others
    /// from their input.
    fn glance(&mut self) {
        let (turns, instructions) = self.since_look;
        if (turns >= LOOK_TURNS || instructions >= LOOK_INSTRUCTIONS) && !self.queue.is_empty() {
            let _ = self.look(Look::Glance);
        }
    }

    /// What a thread or an agent waits for.
    fn wait_of(&self, tid: Tid) -> Option<&Wait> {
        match self.threads.get(&tid).map(|t| &t.state) {
            Some(State::Blocked(wait)) => Some(wait),
            Some(_) => None,
            None => self.agents.wait_of(tid),
        }
    }

    /// Asks the host about all files that any thread waits for and wakes who can go on. Gives what came.
    fn look(&mut self, look: Look) -> Looked {
        self.since_look = (0, 0);
        let (mut fds, mut owners) = (Vec::new(), Vec::new());
        for tid in self.waiters.on_host() {
            let Some(wait) = self.wait_of(tid) else { continue };
            for (fd, events) in &wait.fds {
                fds.push(PollFd { fd: fd.clone(), events: *events, revents: 0 });
                owners.push(tid);
            }
        }
        let timeout = match look {
            Look::Glance if fds.is_empty() => return Looked::Nothing,
            Look::Glance => Some(0),
            Look::Until(None) => None,
            Look::Until(Some(at)) => {
                let now = self.monotonic_ns();
                // A host with a virtual clock knows by itself that there is nothing to wait for.
                Some(at.saturating_sub(now))
            }
        };
        let found = self.host.poll(&mut fds, timeout);
        for (p, tid) in fds.iter().zip(owners) {
            if p.revents != 0 {
                self.wake(tid);
            }
        }
        match found {
            Ok(0) => Looked::Nothing,
            Ok(_) => Looked::Files,
            Err(_) => Looked::Signal,
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
        let ends = [self.waiters.next_deadline_ns(), self.time.next_timer_ns(), self.end_of_time_ns()];
        let deadline = ends.into_iter().flatten().min();
        if deadline.is_none() && self.waiters.on_host.is_empty() {
            return Slept::Stuck;
        }
        if self.look(Look::Until(deadline)) == Looked::Nothing {
            self.time.slept_until(deadline);
        }
        let now = self.monotonic_ns();
        self.wake_expired(now);
        Slept::Ready
    }

    /// Sleeps until a signal arrives from outside.
    pub fn sleep_until_signal(&mut self) {
        // The run loop takes it in.
        let _ = self.look(Look::Until(None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round_and_nobody_stands_twice() {
        let mut q = RunQueue::default();
        for tid in [3, 1, 2, 1, 3] {
            q.push(tid);
        }
        q.remove(2);
        assert_eq!([q.pop(), q.pop(), q.pop()], [Some(3), Some(1), None]);
        q.push(2);
        assert_eq!(q.pop(), Some(2));
    }

    #[test]
    fn waiters_are_found_by_key_and_by_deadline() {
        let mut w = Waiters::default();
        let key = WaitKey::Object(7);
        let (first, second) = (Wait::key(key).or_until(Some(20)), Wait::key(key).or_until(Some(10)));
        w.add(5, &first);
        w.add(4, &second);
        assert_eq!(w.by_key[&key], [5, 4], "in order of arrival");
        assert_eq!(w.next_deadline_ns(), Some(10));
        w.remove(4, &second);
        assert_eq!(w.next_deadline_ns(), Some(20));
        w.remove(5, &first);
        assert!(w.by_key.is_empty() && w.next_deadline_ns().is_none());
    }
}
