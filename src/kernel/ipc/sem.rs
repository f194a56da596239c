//! System V semaphores: semget(2), semop(2), semtimedop(2), semctl(2).
//!
//! As in Linux, whoever changes a set carries out the operations of those that wait, in the order in which they came,
//! before they run again; so a later caller cannot overtake them.

use super::*;
use crate::abi::consts::{semctl as cmd, semop as flag};
use crate::abi::{SemInfo, Sembuf, SemidDsAarch64, SemidDsX86_64, Timespec};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::cell::Cell;
use std::rc::{Rc, Weak};

/// Limits of Linux (include/uapi/linux/sem.h).
const SEMMNI: i32 = 32000;
const SEMMSL: i32 = 32000;
const SEMMNS: i32 = SEMMNI * SEMMSL;
const SEMOPM: u32 = 500;
const SEMVMX: i32 = 32767;

/// A semaphore: its value and who changed it last.
#[derive(Clone, Copy, Debug, Default)]
struct Sem {
    value: i32,
    pid: Pid,
}

/// A set of semaphores.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) perm: Perm,
    sems: Vec<Sem>,
    pub(super) operated_s: i64,
    pub(super) changed_s: i64,
    waiting: Vec<Weak<Waiter>>,
}

/// Operations that wait.
#[derive(Debug)]
struct Waiter {
    tid: Tid,
    pid: Pid,
    ops: Vec<Sembuf>,
    /// The operation that could not be carried out.
    blocked_by: Cell<usize>,
    /// What became of them.
    result: Cell<Option<Result<(), Errno>>>,
}

/// What a process gives back at its end, by process and set (SEM_UNDO).
pub(super) type Undo = BTreeMap<(Pid, i32), Vec<i32>>;

impl Object for Set {
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

/// Why operations cannot be carried out now.
enum Refused {
    /// This one would have to wait.
    Wait(usize),
    Fails(Errno),
}

impl Set {
    pub(super) fn len(&self) -> usize {
        self.sems.len()
    }

    /// Carries out all operations or none; `undo` holds the caller's adjustments for this set.
    fn operate(&mut self, ops: &[Sembuf], pid: Pid, undo: &mut Vec<i32>) -> Result<(), Refused> {
        let mut sems = self.sems.clone();
        let mut new_undo = undo.clone();
        new_undo.resize(sems.len(), 0);
        for (i, op) in ops.iter().enumerate() {
            let at = usize::from(op.sem_num);
            let Some(sem) = sems.get_mut(at) else { return Err(Refused::Fails(Errno::EFBIG)) };
            let value = sem.value + i32::from(op.sem_op);
            if op.sem_op == 0 && sem.value != 0 || value < 0 {
                let waits = op.sem_flg as u32 & IPC_NOWAIT == 0;
                return Err(if waits { Refused::Wait(i) } else { Refused::Fails(Errno::EAGAIN) });
            }
            if value > SEMVMX {
                return Err(Refused::Fails(Errno::ERANGE));
            }
            if op.sem_flg as u32 & flag::SEM_UNDO != 0 {
                let adjusted = new_undo[at] - i32::from(op.sem_op);
                if !(-SEMVMX - 1..=SEMVMX).contains(&adjusted) {
                    return Err(Refused::Fails(Errno::ERANGE));
                }
                new_undo[at] = adjusted;
            }
            (sem.value, sem.pid) = (value, pid);
        }
        self.sems = sems;
        *undo = new_undo;
        Ok(())
    }

    fn waiters(&self) -> impl Iterator<Item = Rc<Waiter>> {
        self.waiting.iter().filter_map(Weak::upgrade).filter(|w| w.result.get().is_none())
    }

    /// How many wait at this semaphore, for it to grow or to become zero.
    fn count_waiting(&self, number: usize, for_zero: bool) -> u64 {
        let at = |w: &Rc<Waiter>| w.ops.get(w.blocked_by.get()).copied().unwrap_or_default();
        let counts = |op: Sembuf| usize::from(op.sem_num) == number && (op.sem_op == 0) == for_zero;
        self.waiters().filter(|w| counts(at(w))).count() as u64
    }

    fn to_abi(&self, id: i32) -> SemidDsX86_64 {
        SemidDsX86_64 {
            sem_perm: self.perm.to_abi(id),
            sem_otime: self.operated_s,
            sem_ctime: self.changed_s,
            sem_nsems: self.sems.len() as u64,
            ..SemidDsX86_64::default()
        }
    }
}

fn alters(ops: &[Sembuf]) -> bool {
    ops.iter().any(|op| op.sem_op != 0)
}

impl Kernel {
    /// Carries out what waits at set `id` and can be done now, in order: those that wait for zero first.
    fn settle_semaphores(&mut self, id: i32) {
        let now_s = (self.realtime_ns() / 1_000_000_000) as i64;
        let Ok(set) = self.ipc.sem.get(id) else { return };
        set.waiting.retain(|w| w.strong_count() > 0);
        let mut waiters: Vec<Rc<Waiter>> = set.waiters().collect();
        waiters.sort_by_key(|w| alters(&w.ops));
        let mut woken = Vec::new();
        let mut i = 0;
        while let Some(waiter) = waiters.get(i) {
            let Ok(set) = self.ipc.sem.get(id) else { return };
            let undo = self.ipc.undo.entry((waiter.pid, id)).or_default();
            match set.operate(&waiter.ops, waiter.pid, undo) {
                Err(Refused::Wait(at)) => {
                    waiter.blocked_by.set(at);
                    i += 1;
                    continue;
                }
                Err(Refused::Fails(e)) => waiter.result.set(Some(Err(e))),
                Ok(()) => {
                    set.operated_s = now_s;
                    waiter.result.set(Some(Ok(())));
                }
            }
            let changed = alters(&waiter.ops);
            woken.push(waiter.tid);
            waiters.remove(i);
            // What was passed over may be possible now.
            i = if changed { 0 } else { i };
        }
        woken.into_iter().for_each(|tid| self.wake(tid));
    }

    /// Makes the adjustments that an ended process has left.
    pub(super) fn undo_semaphores(&mut self, pid: Pid) {
        let left: Vec<((Pid, i32), Vec<i32>)> =
            self.ipc.undo.extract_if((pid, i32::MIN)..=(pid, i32::MAX), |_, _| true).collect();
        for ((_, id), adjustments) in left {
            let now_s = (self.realtime_ns() / 1_000_000_000) as i64;
            let Ok(set) = self.ipc.sem.get(id) else { continue };
            for (sem, by) in set.sems.iter_mut().zip(&adjustments).filter(|(_, by)| **by != 0) {
                sem.value = (sem.value + by).clamp(0, SEMVMX);
                sem.pid = pid;
            }
            set.operated_s = now_s;
            self.settle_semaphores(id);
        }
    }
}

/// semget(2).
pub fn semget(ctx: &mut Ctx, a: &args::Semget) -> SysResult {
    let count = a.nsems;
    if !(0..=SEMMSL).contains(&count) {
        return Err(Errno::EINVAL.into());
    }
    let found = lookup(
        ctx,
        |ipc| &mut ipc.sem,
        a.key,
        a.semflg,
        |s: &Set| {
            if count as usize > s.len() { Err(Errno::EINVAL) } else { Ok(()) }
        },
    )?;
    if let Some(id) = found {
        return Ok(id as u64);
    }
    if count == 0 {
        return Err(Errno::EINVAL.into());
    }
    let set = Set {
        perm: Perm::new(ctx, a.key, a.semflg),
        sems: vec![Sem::default(); count as usize],
        operated_s: 0,
        changed_s: now_s(ctx),
        waiting: Vec::new(),
    };
    Ok(ctx.kernel.ipc.sem.add(set, SEMMNI as usize)? as u64)
}

/// semop(2).
pub fn semop(ctx: &mut Ctx, a: &args::Semop) -> SysResult {
    operate(ctx, a.semid, a.sops, a.nsops, GuestAddr::NULL)
}

/// semtimedop(2).
pub fn semtimedop(ctx: &mut Ctx, a: &args::Semtimedop) -> SysResult {
    operate(ctx, a.semid, a.sops, a.nsops, a.timeout)
}

/// What a waiting call keeps.
struct Waits {
    waiter: Rc<Waiter>,
    deadline_ns: Option<u64>,
}

fn operate(ctx: &mut Ctx, id: i32, sops: GuestAddr, count: u32, timeout: GuestAddr) -> SysResult {
    let state = ctx.call_state(|_| None::<Waits>);
    if state.borrow().is_none() {
        let waits = begin(ctx, id, sops, count, timeout)?;
        match waits {
            None => return Ok(0),
            some => *state.borrow_mut() = some,
        }
    }
    let (waiter, deadline_ns) = match &*state.borrow() {
        Some(w) => (Rc::clone(&w.waiter), w.deadline_ns),
        None => return Ok(0),
    };
    if let Some(result) = waiter.result.get() {
        return result.map(|()| 0).map_err(Stop::from);
    }
    // From here on nobody acts for it any more unless it goes on to wait.
    if deadline_ns.is_some_and(|at| ctx.kernel.monotonic_ns() >= at) {
        waiter.result.set(Some(Err(Errno::EAGAIN)));
        return Err(Errno::EAGAIN.into());
    }
    let stop = ctx.wait(Wait::default().or_until(deadline_ns), Errno::EINTR);
    if matches!(stop, Stop::Errno(_)) {
        waiter.result.set(Some(Err(Errno::EINTR)));
    }
    Err(stop)
}

/// Carries the operations out, or gives what waits.
fn begin(ctx: &mut Ctx, id: i32, sops: GuestAddr, count: u32, timeout: GuestAddr) -> Result<Option<Waits>, Stop> {
    let mut deadline_ns = None;
    if !timeout.is_null() {
        let t: Timespec = ctx.mem().copy_in(timeout)?;
        let ns = t.to_ns().ok_or(Errno::EINVAL)?;
        deadline_ns = Some(ctx.kernel.monotonic_ns().saturating_add(ns));
    }
    if count < 1 || id < 0 {
        return Err(Errno::EINVAL.into());
    }
    if count > SEMOPM {
        return Err(Errno::E2BIG.into());
    }
    let ops: Vec<Sembuf> = ctx.mem().copy_in_array(sops, count as usize)?;
    let set = ctx.kernel.ipc.sem.get(id)?;
    if ops.iter().any(|op| usize::from(op.sem_num) >= set.len()) {
        return Err(Errno::EFBIG.into());
    }
    let perm = set.perm.clone();
    perm.check(ctx, if alters(&ops) { WRITE } else { READ })?;
    let (tid, pid, now) = (ctx.tid, ctx.pid, now_s(ctx));
    let ipc = &mut ctx.kernel.ipc;
    let undo = ipc.undo.entry((pid, id)).or_default();
    let set = ipc.sem.get(id)?;
    match set.operate(&ops, pid, undo) {
        Ok(()) => {
            set.operated_s = now;
            if alters(&ops) {
                ctx.kernel.settle_semaphores(id);
            }
            Ok(None)
        }
        Err(Refused::Fails(e)) => Err(e.into()),
        Err(Refused::Wait(at)) => {
            let waiter = Rc::new(Waiter { tid, pid, ops, blocked_by: Cell::new(at), result: Cell::new(None) });
            set.waiting.push(Rc::downgrade(&waiter));
            Ok(Some(Waits { waiter, deadline_ns }))
        }
    }
}

/// semctl(2).
pub fn semctl(ctx: &mut Ctx, a: &args::Semctl) -> SysResult {
    if a.semid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let addr = a.arg;
    match a.cmd {
        cmd::IPC_INFO | cmd::SEM_INFO => info(ctx, a.cmd, addr),
        cmd::IPC_STAT | cmd::SEM_STAT | cmd::SEM_STAT_ANY => stat(ctx, a),
        cmd::GETALL | cmd::GETVAL | cmd::GETPID | cmd::GETNCNT | cmd::GETZCNT => read(ctx, a),
        cmd::SETVAL | cmd::SETALL => write(ctx, a),
        cmd::IPC_SET => {
            let new: IpcPerm = ctx.mem().copy_in(addr)?;
            let perm = ctx.kernel.ipc.sem.get(a.semid)?.perm.clone();
            perm.check_owner(ctx)?;
            let now = now_s(ctx);
            let set = ctx.kernel.ipc.sem.get(a.semid)?;
            set.perm.set(&new);
            set.changed_s = now;
            Ok(0)
        }
        cmd::IPC_RMID => {
            let perm = ctx.kernel.ipc.sem.get(a.semid)?.perm.clone();
            perm.check_owner(ctx)?;
            ctx.kernel.ipc.undo.retain(|(_, set), _| *set != a.semid);
            if let Some(set) = ctx.kernel.ipc.sem.remove(a.semid) {
                for waiter in set.waiters().collect::<Vec<_>>() {
                    waiter.result.set(Some(Err(Errno::EIDRM)));
                    ctx.kernel.wake(waiter.tid);
                }
            }
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

fn info(ctx: &mut Ctx, command: u32, addr: GuestAddr) -> SysResult {
    let sets = &ctx.kernel.ipc.sem;
    let mut info = SemInfo {
        semmap: SEMMNS,
        semmni: SEMMNI,
        semmns: SEMMNS,
        semmnu: SEMMNS,
        semmsl: SEMMSL,
        semopm: SEMOPM as i32,
        semume: SEMOPM as i32,
        semusz: 20,
        semvmx: SEMVMX,
        semaem: SEMVMX,
    };
    if command == cmd::SEM_INFO {
        // How many sets and semaphores there are.
        info.semusz = sets.objects.len() as i32;
        info.semaem = sets.objects.values().map(|(_, s)| s.len() as i32).sum();
    }
    let highest = sets.highest();
    ctx.mem().copy_out(addr, &info)?;
    Ok(highest as u64)
}

fn stat(ctx: &mut Ctx, a: &args::Semctl) -> SysResult {
    let by_id = a.cmd == cmd::IPC_STAT;
    let id = if by_id { a.semid } else { ctx.kernel.ipc.sem.at(a.semid)?.0 };
    let perm = ctx.kernel.ipc.sem.get(id)?.perm.clone();
    if a.cmd != cmd::SEM_STAT_ANY {
        perm.check(ctx, READ)?;
    }
    let ds = ctx.kernel.ipc.sem.get(id)?.to_abi(id);
    let addr = a.arg;
    match ctx.arch {
        Arch::X86_64 => ctx.mem().copy_out(addr, &ds)?,
        Arch::Aarch64 => ctx.mem().copy_out(
            addr,
            &SemidDsAarch64 {
                sem_perm: ds.sem_perm,
                sem_otime: ds.sem_otime,
                sem_ctime: ds.sem_ctime,
                sem_nsems: ds.sem_nsems,
                unused: [0; 2],
            },
        )?,
    }
    Ok(if by_id { 0 } else { id as u64 })
}

fn number(set: &Set, n: i32) -> Result<usize, Errno> {
    usize::try_from(n).ok().filter(|n| *n < set.len()).ok_or(Errno::EINVAL)
}

fn read(ctx: &mut Ctx, a: &args::Semctl) -> SysResult {
    let perm = ctx.kernel.ipc.sem.get(a.semid)?.perm.clone();
    perm.check(ctx, READ)?;
    let set = ctx.kernel.ipc.sem.get(a.semid)?;
    if a.cmd == cmd::GETALL {
        let values: Vec<u16> = set.sems.iter().map(|s| s.value as u16).collect();
        ctx.mem().copy_out_array(a.arg, &values)?;
        return Ok(0);
    }
    let at = number(set, a.semnum)?;
    Ok(match a.cmd {
        cmd::GETVAL => set.sems[at].value as u64,
        cmd::GETPID => set.sems[at].pid as u64,
        command => set.count_waiting(at, command == cmd::GETZCNT),
    })
}

fn write(ctx: &mut Ctx, a: &args::Semctl) -> SysResult {
    let in_range = |v: i32| if (0..=SEMVMX).contains(&v) { Ok(v) } else { Err(Errno::ERANGE) };
    let (pid, now) = (ctx.pid, now_s(ctx));
    let all = a.cmd == cmd::SETALL;
    if !all {
        in_range(a.arg.0 as i32)?;
    }
    let perm = ctx.kernel.ipc.sem.get(a.semid)?.perm.clone();
    let set = ctx.kernel.ipc.sem.get(a.semid)?;
    let (from, values) = if all {
        let count = set.len();
        perm.check(ctx, WRITE)?;
        let values: Vec<u16> = ctx.mem().copy_in_array(a.arg, count)?;
        let values: Result<Vec<i32>, Errno> = values.into_iter().map(|v| in_range(v.into())).collect();
        (0, values?)
    } else {
        let at = number(set, a.semnum)?;
        perm.check(ctx, WRITE)?;
        (at, vec![a.arg.0 as i32])
    };
    let ipc = &mut ctx.kernel.ipc;
    for ((_, id), adjustments) in &mut ipc.undo {
        if *id == a.semid {
            adjustments.iter_mut().skip(from).take(values.len()).for_each(|by| *by = 0);
        }
    }
    let set = ipc.sem.get(a.semid)?;
    for (sem, value) in set.sems.iter_mut().skip(from).zip(values) {
        *sem = Sem { value, pid };
    }
    set.changed_s = now;
    ctx.kernel.settle_semaphores(a.semid);
    Ok(0)
}
