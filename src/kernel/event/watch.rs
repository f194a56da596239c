//! Which epoll entries want to hear of changes of which objects.
//!
//! A thread that waits is woken and looks again, so a change that happened before it looked is never lost to it. An
//! edge-triggered epoll entry, however, must hear of each change even while nobody waits: it is put on its epoll's ready
//! list at that moment, as the callback on a wait queue of Linux does (ep_poll_callback).

use super::epoll::Entry;
use super::*;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// Epoll entries by the object whose changes concern them, in the order in which they came.
#[derive(Debug, Default)]
pub struct Watchers(BTreeMap<WaitKey, Vec<Weak<Entry>>>);

impl Watchers {
    /// `entry` hears of changes of `key` from now on.
    pub(super) fn add(&mut self, key: WaitKey, entry: &Rc<Entry>) {
        let list = self.0.entry(key).or_default();
        list.retain(|e| e.strong_count() > 0);
        list.push(Rc::downgrade(entry));
    }

    /// `entry` no longer does.
    pub(super) fn remove(&mut self, key: WaitKey, entry: &Rc<Entry>) {
        if let Some(list) = self.0.get_mut(&key) {
            list.retain(|e| e.strong_count() > 0 && !std::ptr::eq(e.as_ptr(), Rc::as_ptr(entry)));
            if list.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    /// Those that hear of `key`.
    pub(super) fn of(&self, key: WaitKey) -> Vec<Rc<Entry>> {
        self.0.get(&key).map(|list| list.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default()
    }

    fn forget(&mut self, key: WaitKey) {
        self.0.remove(&key);
    }
}

impl Kernel {
    /// Tells the epolls that watch `key` that these POLL* bits may have come to hold.
    pub(in crate::kernel) fn tell_watchers(&mut self, key: WaitKey, events: u32) {
        if self.watchers.0.is_empty() {
            return;
        }
        let entries = self.watchers.of(key);
        if entries.is_empty() {
            return self.watchers.forget(key);
        }
        let mut exclusive_served = false;
        for entry in entries {
            if !entry.wants(events) || entry.is_exclusive() && exclusive_served {
                continue;
            }
            let Some(epoll) = entry.queue() else { continue };
            let waits = self.has_waiter(epoll);
            // Epolls that watch this one are told in turn; ELOOP keeps that finite.
            self.wake_events(epoll, crate::abi::consts::poll::POLLIN | crate::abi::consts::poll::POLLRDNORM);
            exclusive_served |= entry.is_exclusive() && waits;
        }
    }

    fn has_waiter(&self, key: WaitKey) -> bool {
        self.waiters.has(key)
    }
}
