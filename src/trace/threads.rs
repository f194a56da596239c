//! Which threads an observer follows.

use super::Options;
use crate::kernel::Tid;
use std::collections::BTreeSet;

/// The threads of a run, as somebody sees them who follows the first one and perhaps those that it makes.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// Those that are followed and live.
    alive: BTreeSet<Tid>,
    /// Those that `-b` has let go.
    detached: BTreeSet<Tid>,
}

impl Threads {
    /// A thread is there and followed.
    pub(super) fn add(&mut self, tid: Tid) {
        self.alive.insert(tid);
    }

    /// A thread has ended.
    pub(super) fn remove(&mut self, tid: Tid) {
        self.alive.remove(&tid);
    }

    /// A thread goes on unwatched.
    pub(super) fn detach(&mut self, tid: Tid) {
        self.detached.insert(tid);
        self.alive.remove(&tid);
    }

    /// `parent` has made a thread; whether that is followed too.
    pub(super) fn created(&mut self, options: &Options, parent: Tid, tid: Tid) -> bool {
        options.follow && self.is_watched(parent) && self.alive.insert(tid)
    }

    /// Whether calls of the thread may be shown: those of the first thread, and with `-f` those of all.
    pub(super) fn is_followed(&self, options: &Options, tid: Tid) -> bool {
        // Asked for every call: the usual cases first.
        if options.follow && self.detached.is_empty() {
            return true;
        }
        let known = options.follow || self.alive.first().is_none_or(|first| *first == tid);
        (known || self.alive.contains(&tid)) && !self.detached.contains(&tid)
    }

    /// Whether it lives and what happens to it is shown.
    pub(super) fn is_watched(&self, tid: Tid) -> bool {
        self.alive.contains(&tid) && !self.detached.contains(&tid)
    }

    /// Whether it lives and was followed, even if it has been let go since.
    pub(super) fn contains(&self, tid: Tid) -> bool {
        self.alive.contains(&tid)
    }

    /// How many are followed and live.
    pub(super) fn count(&self) -> usize {
        self.alive.len()
    }
}
