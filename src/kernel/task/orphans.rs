//! Process groups that nobody outside them controls any more (setpgid(2), "orphaned process group").

use super::*;
use crate::kernel::signal::SigInfo;

impl Kernel {
    /// Whether no member of a group, `except` one, has a parent in another group of the same session.
    pub(in crate::kernel) fn is_orphaned_group(&self, pgid: Pid, except: Option<Pid>) -> bool {
        !self.processes.values().any(|p| {
            let counts = p.pgid == pgid && p.exit.is_none() && Some(p.pid) != except;
            // Whoever started the first process controls it.
            counts && (p.pid == self.first_pid || self.controls(p.ppid, p))
        })
    }

    /// Whether the process of a thread is in such a group.
    pub(in crate::kernel) fn is_in_orphaned_group(&self, tid: Tid) -> bool {
        self.process_of(tid).is_some_and(|p| self.is_orphaned_group(p.pgid, None))
    }

    /// Whether `parent` is in another group of the same session.
    fn controls(&self, parent: Pid, child: &Process) -> bool {
        self.processes.get(&parent).is_some_and(|q| q.pgid != child.pgid && q.sid == child.sid)
    }

    /// `pid` has ended: groups that it was the last to control, and that have stopped members, are hung up and go on
    /// (`kill_orphaned_pgrp` of Linux).
    pub(in crate::kernel) fn hang_up_stopped_groups(&mut self, pid: Pid) {
        let Some(p) = self.processes.get(&pid) else { return };
        let mut groups = Vec::new();
        if pid != self.first_pid && self.controls(p.ppid, p) {
            groups.push((p.pgid, Some(pid)));
        }
        let children = self.processes.values().filter(|c| c.ppid == pid && c.pgid != p.pgid && c.sid == p.sid);
        groups.extend(children.map(|c| (c.pgid, None)));
        groups.dedup();
        for (pgid, except) in groups {
            let stopped = |p: &Process| p.pgid == pgid && p.exit.is_none() && p.signals.stopped_by.is_some();
            if !self.processes.values().any(stopped) || !self.is_orphaned_without(pgid, except, pid) {
                continue;
            }
            let members: Vec<Pid> =
                self.processes.values().filter(|p| p.pgid == pgid && p.exit.is_none()).map(|p| p.pid).collect();
            for member in members {
                for signal in [Signal::SIGHUP, Signal::SIGCONT] {
                    // No error is possible: the member lives, and both are standard signals.
                    let _ = self.send_signal(member, SigInfo::kernel(signal));
                }
            }
        }
    }

    /// As [`Kernel::is_orphaned_group`], when `gone` no longer counts as a parent either.
    fn is_orphaned_without(&self, pgid: Pid, except: Option<Pid>, gone: Pid) -> bool {
        !self.processes.values().any(|p| {
            let counts = p.pgid == pgid && p.exit.is_none() && Some(p.pid) != except;
            counts && (p.pid == self.first_pid || p.ppid != gone && self.controls(p.ppid, p))
        })
    }
}
