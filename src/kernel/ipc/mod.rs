//! Communication between processes of the machine: System V shared memory, semaphores and message queues (sysvipc(7)),
//! POSIX message queues (mq_overview(7)). Everything lives inside the machine; the host's own objects are never touched.

mod mq;
mod msg;
mod proc;
mod sem;
mod shm;

pub use mq::{mq_getsetattr, mq_notify, mq_open, mq_timedreceive, mq_timedsend, mq_unlink};
pub use msg::{msgctl, msgget, msgrcv, msgsnd};
pub use proc::{sysvipc_msg, sysvipc_sem, sysvipc_shm};
pub use sem::{semctl, semget, semop, semtimedop};
pub use shm::{shmat, shmctl, shmdt, shmget};

use super::*;
use crate::abi::IpcPerm;
use crate::abi::consts::{cap, semget as get};
use std::collections::BTreeMap;

const IPC_PRIVATE: u32 = 0;
const IPC_NOWAIT: u32 = 0o4000;
/// Reading and writing as ipcperms() asks for them.
const READ: u32 = 0o444;
const WRITE: u32 = 0o222;

/// An id is a place in the table and how often such places have been given out again.
const PLACES: i32 = 1 << 15;
const ROUNDS: i32 = i32::MAX / PLACES;

/// Owner, creator and permission bits of an object.
#[derive(Clone, Debug)]
struct Perm {
    key: u32,
    uid: u32,
    gid: u32,
    cuid: u32,
    cgid: u32,
    mode: u32,
}

impl Perm {
    fn new(ctx: &mut Ctx, key: u32, mode: u32) -> Perm {
        let c = &ctx.thread().credentials;
        let (uid, gid) = (c.uid[1], c.gid[1]);
        Perm { key, uid, gid, cuid: uid, cgid: gid, mode: mode & 0o777 }
    }

    fn to_abi(&self, id: i32) -> IpcPerm {
        IpcPerm {
            key: self.key as i32,
            uid: self.uid,
            gid: self.gid,
            cuid: self.cuid,
            cgid: self.cgid,
            mode: self.mode,
            seq: (id / PLACES) as u16,
            ..IpcPerm::default()
        }
    }

    /// Whether the caller may do what the bits of `wanted`, in any of the three groups, say (ipcperms()).
    ///
    /// # Errors
    /// `EACCES`.
    fn check(&self, ctx: &mut Ctx, wanted: u32) -> Result<(), Errno> {
        let c = &ctx.thread().credentials;
        let wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7;
        let in_group = |gid| c.gid[1] == gid || c.groups.contains(&gid);
        let granted = if [self.uid, self.cuid].contains(&c.uid[1]) {
            self.mode >> 6
        } else if in_group(self.gid) || in_group(self.cgid) {
            self.mode >> 3
        } else {
            self.mode
        };
        if wanted & !granted != 0 && !c.has(cap::CAP_IPC_OWNER) { Err(Errno::EACCES) } else { Ok(()) }
    }

    /// Whether the caller may change or remove the object.
    ///
    /// # Errors
    /// `EPERM`.
    fn check_owner(&self, ctx: &mut Ctx) -> Result<(), Errno> {
        let c = &ctx.thread().credentials;
        let owns = [self.uid, self.cuid].contains(&c.uid[1]) || c.has(cap::CAP_SYS_ADMIN);
        if owns { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// IPC_SET.
    fn set(&mut self, new: &IpcPerm) {
        self.uid = new.uid;
        self.gid = new.gid;
        self.mode = self.mode & !0o777 | new.mode & 0o777;
    }
}

/// The objects of one kind.
#[derive(Debug)]
struct Table<T> {
    objects: BTreeMap<i32, (i32, T)>,
    round: i32,
    last_place: i32,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { objects: BTreeMap::new(), round: 0, last_place: -1 }
    }
}

/// What an object has in common with others.
trait Object {
    fn perm(&self) -> &Perm;
}

impl<T: Object> Table<T> {
    /// Adds an object; gives its id.
    ///
    /// # Errors
    /// `ENOSPC`: there are `max` already.
    fn add(&mut self, object: T, max: usize) -> Result<i32, Errno> {
        if self.objects.len() >= max.min(PLACES as usize) {
            return Err(Errno::ENOSPC);
        }
        let place = (0..PLACES).find(|p| !self.objects.contains_key(p)).ok_or(Errno::ENOSPC)?;
        if place <= self.last_place {
            self.round = (self.round + 1) % ROUNDS;
        }
        self.last_place = place;
        let id = self.round * PLACES + place;
        self.objects.insert(place, (id, object));
        Ok(id)
    }

    /// The object with this id.
    ///
    /// # Errors
    /// `EINVAL`.
    fn get(&mut self, id: i32) -> Result<&mut T, Errno> {
        if id < 0 {
            return Err(Errno::EINVAL);
        }
        match self.objects.get_mut(&(id % PLACES)) {
            Some((own, object)) if *own == id => Ok(object),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The object at this place of the table, with its id.
    ///
    /// # Errors
    /// `EINVAL`.
    fn at(&mut self, place: i32) -> Result<(i32, &mut T), Errno> {
        self.objects.get_mut(&place).map(|(id, o)| (*id, o)).ok_or(Errno::EINVAL)
    }

    fn find(&self, key: u32) -> Option<i32> {
        self.objects.values().find(|(_, o)| o.perm().key == key).map(|(id, _)| *id)
    }

    fn remove(&mut self, id: i32) -> Option<T> {
        self.get(id).ok()?;
        self.objects.remove(&(id % PLACES)).map(|(_, o)| o)
    }

    /// The highest place in use, 0 if none is.
    fn highest(&self) -> i32 {
        self.objects.keys().next_back().copied().unwrap_or(0)
    }
}

/// All objects of the machine.
#[derive(Debug, Default)]
pub struct Ipc {
    shm: Table<shm::Segment>,
    sem: Table<sem::Set>,
    msg: Table<msg::Queue>,
    undo: sem::Undo,
    mq: mq::Queues,
}

impl Ipc {
    /// Whether a process has semaphore adjustments to make at its end.
    pub(in crate::kernel) fn has_undo(&self, pid: Pid) -> bool {
        self.undo.range((pid, i32::MIN)..=(pid, i32::MAX)).any(|(_, by)| by.iter().any(|by| *by != 0))
    }
}

/// What *get() calls share: finds the object with `key`, checks the caller's rights, or says that a new one is wanted.
///
/// # Errors
/// `ENOENT`, `EEXIST`, `EACCES`, and what `fits` says about an existing object.
fn lookup<T: Object>(
    ctx: &mut Ctx,
    table: impl Fn(&mut Ipc) -> &mut Table<T>,
    key: u32,
    flags: u32,
    fits: impl FnOnce(&T) -> Result<(), Errno>,
) -> Result<Option<i32>, Errno> {
    if key == IPC_PRIVATE {
        return Ok(None);
    }
    let Some(id) = table(&mut ctx.kernel.ipc).find(key) else {
        return if flags & get::IPC_CREAT != 0 { Ok(None) } else { Err(Errno::ENOENT) };
    };
    if flags & (get::IPC_CREAT | get::IPC_EXCL) == get::IPC_CREAT | get::IPC_EXCL {
        return Err(Errno::EEXIST);
    }
    let object = table(&mut ctx.kernel.ipc).get(id)?;
    fits(object)?;
    let perm = object.perm().clone();
    perm.check(ctx, flags)?;
    Ok(Some(id))
}

/// Seconds since 1970.
fn now_s(ctx: &mut Ctx) -> i64 {
    (ctx.kernel.realtime_ns() / 1_000_000_000) as i64
}

impl Kernel {
    /// A process has ended that had these segments attached: its semaphore adjustments are made, and segments that only
    /// it still held go.
    pub fn leave_ipc(&mut self, pid: Pid, segments: &[i32]) {
        self.undo_semaphores(pid);
        self.detached(pid, segments);
    }
}
