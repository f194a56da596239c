//! Finding sockets that nobody can reach: a socket that was sent over a socket may lie in a queue that only it can read,
//! and then reference counts alone would keep it for ever (net/unix/garbage.c).

use super::*;
use std::collections::BTreeSet;

/// The end of an open UNIX socket.
fn end_of(file: &Rc<File>) -> Option<Rc<End>> {
    let socket = file.downcast::<Socket>()?;
    let unix = socket.protocol().as_any().downcast_ref::<UnixSocket>()?;
    Some(Rc::clone(&unix.end))
}

impl Network {
    /// Remembers a new end.
    pub(super) fn register(&mut self, end: &Rc<End>) {
        if self.ends.len() >= self.purge_at {
            self.ends.retain(|e| e.strong_count() > 0);
            self.purge_at = (self.ends.len() * 2).max(64);
        }
        self.ends.push(Rc::downgrade(end));
    }

    /// Drops the messages of sockets that only messages hold, and that can be received from no other socket.
    pub(super) fn collect(&mut self) {
        let ends: Vec<Rc<End>> = self.ends.iter().filter_map(Weak::upgrade).collect();
        let mut candidates = held_by_messages_alone(&ends);
        let outside = |e: &&Rc<End>| !candidates.contains(&e.id) && !e.state.borrow().is_pending;
        let mut reached: Vec<Rc<End>> = ends.iter().filter(outside).cloned().collect();
        while let Some(end) = reached.pop() {
            let state = end.state.borrow();
            reached.extend(state.pending.iter().cloned());
            for file in state.queue.iter().flat_map(|p| p.files()) {
                reached.extend(end_of(file).filter(|e| candidates.remove(&e.id)));
            }
        }
        let mut lost = Vec::new();
        for end in ends.iter().filter(|e| candidates.contains(&e.id)) {
            let mut state = end.state.borrow_mut();
            lost.extend(std::mem::take(&mut state.queue));
            for embryo in &state.pending {
                lost.extend(std::mem::take(&mut embryo.state.borrow_mut().queue));
            }
        }
        self.shared.bury(lost);
        self.collect_at = (self.shared.files_under_way.get() * 2).max(16);
    }
}

/// The ends whose open files are held by as many messages as by anybody.
fn held_by_messages_alone(ends: &[Rc<End>]) -> BTreeSet<u64> {
    let mut holds: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for end in ends {
        for file in end.state.borrow().queue.iter().flat_map(|p| p.files()) {
            if let Some(inner) = end_of(file) {
                holds.entry(inner.id).or_insert((0, Rc::strong_count(file))).0 += 1;
            }
        }
    }
    holds.into_iter().filter(|(_, (in_messages, all))| in_messages == all).map(|(id, _)| id).collect()
}
