//! Robust futexes: a thread keeps a list of the locks it has, and the kernel unlocks them when it ends
//! (set_robust_list(2), Documentation/locking/robust-futexes.rst).

use super::*;
use std::cell::RefCell;

/// Bytes of `struct robust_list_head`: list, futex_offset, list_op_pending.
const HEAD_SIZE: u64 = 24;

/// Most entries that are looked at (ROBUST_LIST_LIMIT): a list may be a circle.
const LIMIT: u32 = 2048;

/// The lowest bit of an entry's address says that the lock is a PI futex.
const PI_BIT: u64 = 1;

/// Whether a lock is in the list already or was about to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Listed,
    Pending,
}

/// set_robust_list(2).
pub fn set_robust_list(ctx: &mut Ctx, a: &args::SetRobustList) -> SysResult {
    if a.len != HEAD_SIZE {
        return Err(Errno::EINVAL.into());
    }
    ctx.thread().robust_list = (a.head, a.len);
    Ok(0)
}

/// get_robust_list(2). For other processes the caller needs the rights of ptrace(2): the same user, or CAP_SYS_PTRACE.
pub fn get_robust_list(ctx: &mut Ctx, a: &args::GetRobustList) -> SysResult {
    let tid = if a.pid == 0 { ctx.tid } else { a.pid };
    let own = ctx.thread().credentials.clone();
    let other = ctx.kernel.threads.get(&tid).ok_or(Errno::ESRCH)?;
    let head = other.robust_list.0;
    let ids = |c: &Credentials| [c.uid[0], c.uid[1], c.uid[2], c.gid[0], c.gid[1], c.gid[2]];
    let (uid, gid) = (own.uid[0], own.gid[0]);
    let same_user = ids(&other.credentials) == [uid, uid, uid, gid, gid, gid];
    if other.pid != ctx.pid && !same_user && !own.has(crate::abi::consts::cap::CAP_SYS_PTRACE) {
        return Err(Errno::EPERM.into());
    }
    ctx.mem().copy_out(a.len_ptr, &HEAD_SIZE)?;
    ctx.mem().copy_out(a.head_ptr, &head.0)?;
    Ok(0)
}

impl Kernel {
    /// A thread ends or gets other memory: its locks are told, and nobody waits in its name.
    pub fn release_futexes(&mut self, tid: Tid) {
        self.walk_robust_list(tid);
        self.futexes.remove(tid);
        self.hand_over_all(tid);
        if let Some(t) = self.threads.get_mut(&tid) {
            t.robust_list = (GuestAddr::NULL, 0);
        }
    }

    /// Goes through the list as far as its memory can be read (`exit_robust_list` of Linux).
    fn walk_robust_list(&mut self, tid: Tid) {
        let Some(t) = self.threads.get(&tid) else { return };
        let (head, space) = (t.robust_list.0, Rc::clone(&t.space));
        if head.is_null() {
            return;
        }
        let Ok([first, offset, pending]) = space.borrow().copy_in::<[u64; 3]>(head) else { return };
        let mut entry = first;
        for _ in 0..LIMIT {
            let at = entry & !PI_BIT;
            if at == head.0 {
                break;
            }
            // The next one first: once the lock is free its memory may be used otherwise.
            let next = space.borrow().copy_in::<u64>(GuestAddr(at));
            if at != pending & !PI_BIT && self.abandon(tid, &space, entry, offset, Place::Listed).is_err() {
                return;
            }
            match next {
                Ok(next) => entry = next,
                Err(_) => return,
            }
        }
        if pending & !PI_BIT != 0 {
            // The last step of the walk: an error has nobody left to hear it.
            let _ = self.abandon(tid, &space, pending, offset, Place::Pending);
        }
    }

    /// Marks a lock as one whose owner has died, if the thread has it, and wakes one who waits for it
    /// (`handle_futex_death`).
    fn abandon(
        &mut self,
        tid: Tid,
        space: &RefCell<Space>,
        entry: u64,
        offset: u64,
        place: Place,
    ) -> Result<(), Errno> {
        let addr = GuestAddr((entry & !PI_BIT).wrapping_add(offset));
        let is_pi = entry & PI_BIT != 0;
        if !addr.0.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let word: u32 = space.borrow().copy_in(addr)?;
        if place == Place::Pending && !is_pi && word == 0 {
            // It was unlocking: the word is free already, but whom it was to wake has not been woken.
            self.wake_futex_at(&space.borrow(), addr);
            return Ok(());
        }
        if word & TID_MASK != tid as u32 {
            return Ok(());
        }
        space.borrow_mut().copy_out(addr, &(word & WAITERS | OWNER_DIED))?;
        // Those who wait for a PI futex get it as their own.
        if !is_pi && word & WAITERS != 0 {
            self.wake_futex_at(&space.borrow(), addr);
        }
        Ok(())
    }
}
