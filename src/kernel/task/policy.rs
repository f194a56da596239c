//! How threads are scheduled: policies, priorities, affinity (sched(7)).
//!
//! All of it is kept and answered by Linux's rules; the order of turns does not depend on it.

use super::*;
use crate::abi::consts::{ioprio_class, ioprio_who, prio, sched, sched_flag};
use crate::abi::{SchedAttr, Timespec};
use crate::mem::PAGE_SIZE;
use zerocopy::IntoBytes;

/// SCHED_RESET_ON_FORK, a bit of sched_setscheduler(2)'s policy.
const RESET_ON_FORK: u32 = 0x4000_0000;

/// Indexes of limits.
const RLIMIT_NICE: usize = 13;
const RLIMIT_RTPRIO: usize = 14;

/// Real-time priorities.
const RT_PRIORITIES: std::ops::RangeInclusive<u32> = 1..=99;

/// Nanoseconds of a turn under SCHED_RR and under the ordinary policies.
const RR_TURN_NS: u64 = 100_000_000;
const FAIR_TURN_NS: u64 = 4_000_000;

/// Bits that hold the class in an I/O priority.
const IOPRIO_CLASS_SHIFT: u32 = 13;

/// Bytes of the first version of `struct sched_attr`.
const SCHED_ATTR_SIZE_VER0: u32 = 48;

/// How a thread is scheduled.
#[derive(Clone, Debug)]
pub struct Scheduling {
    /// SCHED_*.
    pub policy: u32,
    /// Real-time priority, 1 to 99; 0 for other policies.
    pub priority: u32,
    /// -20 to 19.
    pub nice: i32,
    /// Children begin with the default policy.
    pub reset_on_fork: bool,
    /// Processors it may run on; `None` means all.
    pub affinity: Option<Vec<u8>>,
    /// I/O priority as ioprio_set(2) has it; 0 follows the nice value.
    pub io_priority: u16,
    /// Runtime, deadline, period of SCHED_DEADLINE, in nanoseconds.
    pub deadline_ns: [u64; 3],
    /// Lower and upper bound of the utilisation that the scheduler assumes.
    pub util_clamp: [u32; 2],
}

impl Scheduling {
    /// What a child begins with when its parent has set SCHED_RESET_ON_FORK (sched(7)).
    pub fn reset(&self) -> Scheduling {
        let realtime = matches!(self.policy, sched::SCHED_FIFO | sched::SCHED_RR | sched::SCHED_DEADLINE);
        let policy = if realtime { sched::SCHED_OTHER } else { self.policy };
        let nice = if realtime { 0 } else { self.nice.max(0) };
        Scheduling {
            policy,
            nice,
            affinity: self.affinity.clone(),
            io_priority: self.io_priority,
            ..Scheduling::default()
        }
    }
}

impl Default for Scheduling {
    fn default() -> Scheduling {
        Scheduling {
            policy: sched::SCHED_OTHER,
            priority: 0,
            nice: 0,
            reset_on_fork: false,
            affinity: None,
            io_priority: 0,
            deadline_ns: [0; 3],
            util_clamp: [0, 1024],
        }
    }
}

impl Kernel {
    /// Processors that the machine shows, by which programs size their pools of threads: the host's, or in a
    /// deterministic run [`crate::host::CPUS`].
    pub fn cpus(&mut self) -> u32 {
        self.host.cpus()
    }

    /// The mask of all processors, in whole 64-bit words.
    fn all_cpus(&mut self) -> Vec<u8> {
        let n = self.cpus() as usize;
        let mut mask = vec![0; n.div_ceil(64) * 8];
        for cpu in 0..n {
            mask[cpu / 8] |= 1 << (cpu % 8);
        }
        mask
    }

    /// The processors that a thread may run on.
    pub fn affinity(&mut self, tid: Tid) -> Vec<u8> {
        let all = self.all_cpus();
        self.threads.get(&tid).and_then(|t| t.sched.affinity.clone()).unwrap_or(all)
    }
}

/// The thread that a scheduling call names; 0 is the caller.
fn thread_named(ctx: &Ctx, pid: Pid) -> Result<Tid, Errno> {
    let tid = if pid == 0 { ctx.tid } else { pid };
    if pid < 0 {
        return Err(Errno::EINVAL);
    }
    if ctx.kernel.threads.contains_key(&tid) { Ok(tid) } else { Err(Errno::ESRCH) }
}

fn of<'a>(ctx: &'a mut Ctx<'_>, tid: Tid) -> Result<&'a mut Thread, Errno> {
    ctx.kernel.threads.get_mut(&tid).ok_or(Errno::ESRCH)
}

/// Whether the caller may change how `tid` is scheduled: its own user's threads, or any with CAP_SYS_NICE.
fn may_change(ctx: &mut Ctx, tid: Tid) -> Result<bool, Errno> {
    let own = ctx.thread().credentials.clone();
    let other = &of(ctx, tid)?.credentials;
    Ok(own.has(CAP_SYS_NICE) || own.uid[1] == other.uid[0] || own.uid[1] == other.uid[1])
}

/// Whether the caller may give a nice value to a thread that has `old`.
fn may_nice(ctx: &mut Ctx, old: i32, new: i32) -> bool {
    let limit = ctx.process().limits[RLIMIT_NICE].soft;
    new >= old || (20 - new) as u64 <= limit || ctx.thread().credentials.has(CAP_SYS_NICE)
}

fn is_realtime(policy: u32) -> bool {
    matches!(policy, sched::SCHED_FIFO | sched::SCHED_RR)
}

/// sched_yield(2): the others get their turns first.
pub fn sched_yield(ctx: &mut Ctx, _: &args::SchedYield) -> SysResult {
    ctx.kernel.queue.request_yield();
    Ok(0)
}

/// Checks and puts in force a policy with what belongs to it (`__sched_setscheduler`).
fn set_policy(ctx: &mut Ctx, tid: Tid, attr: &SchedAttr) -> Result<(), Errno> {
    let policy = attr.sched_policy;
    let known_flags = (sched_flag::SCHED_FLAG_RESET_ON_FORK
        | sched_flag::SCHED_FLAG_RECLAIM
        | sched_flag::SCHED_FLAG_DL_OVERRUN
        | sched_flag::SCHED_FLAG_KEEP_POLICY
        | sched_flag::SCHED_FLAG_KEEP_PARAMS
        | sched_flag::SCHED_FLAG_UTIL_CLAMP_MIN
        | sched_flag::SCHED_FLAG_UTIL_CLAMP_MAX) as u64;
    let known = matches!(policy, 0..=3 | sched::SCHED_IDLE | sched::SCHED_DEADLINE);
    if !known || attr.sched_flags & !known_flags != 0 {
        return Err(Errno::EINVAL);
    }
    let priority_ok =
        if is_realtime(policy) { RT_PRIORITIES.contains(&attr.sched_priority) } else { attr.sched_priority == 0 };
    if !priority_ok || (policy == sched::SCHED_DEADLINE && !deadline_ok(attr)) {
        return Err(Errno::EINVAL);
    }
    let reset = attr.sched_flags & u64::from(sched_flag::SCHED_FLAG_RESET_ON_FORK) != 0;
    permit_policy(ctx, tid, attr, reset)?;
    let s = &mut of(ctx, tid)?.sched;
    s.policy = policy;
    s.priority = attr.sched_priority;
    s.reset_on_fork = reset;
    s.deadline_ns = [attr.sched_runtime, attr.sched_deadline, attr.sched_period];
    if !is_realtime(policy) && policy != sched::SCHED_DEADLINE {
        s.nice = attr.sched_nice;
        s.deadline_ns = [0; 3];
    }
    Ok(())
}

/// What SCHED_DEADLINE demands: 1 us <= runtime <= deadline <= period, at most 2^63.
fn deadline_ok(attr: &SchedAttr) -> bool {
    let (runtime, deadline) = (attr.sched_runtime, attr.sched_deadline);
    let period = if attr.sched_period == 0 { deadline } else { attr.sched_period };
    runtime >= 1024 && runtime <= deadline && deadline <= period && (deadline | period) >> 63 == 0
}

fn permit_policy(ctx: &mut Ctx, tid: Tid, attr: &SchedAttr, reset: bool) -> Result<(), Errno> {
    if ctx.thread().credentials.has(CAP_SYS_NICE) {
        return Ok(());
    }
    let old = of(ctx, tid)?.sched.clone();
    let limit = ctx.process().limits[RLIMIT_RTPRIO].soft;
    let policy = attr.sched_policy;
    if !is_realtime(policy) && policy != sched::SCHED_DEADLINE && !may_nice(ctx, old.nice, attr.sched_nice) {
        return Err(Errno::EPERM);
    }
    let realtime = is_realtime(policy)
        && ((policy != old.policy && limit == 0)
            || (attr.sched_priority > old.priority && u64::from(attr.sched_priority) > limit));
    let leaves_idle = old.policy == sched::SCHED_IDLE && policy != sched::SCHED_IDLE && !may_nice(ctx, 20, old.nice);
    if realtime || policy == sched::SCHED_DEADLINE || leaves_idle || (old.reset_on_fork && !reset) {
        return Err(Errno::EPERM);
    }
    if may_change(ctx, tid)? { Ok(()) } else { Err(Errno::EPERM) }
}

/// The attributes that the two older calls set: policy and priority, the nice value kept.
fn simple_attr(ctx: &mut Ctx, tid: Tid, policy: u32, priority: i32) -> Result<SchedAttr, Errno> {
    let reset = u64::from(policy & RESET_ON_FORK != 0);
    let nice = of(ctx, tid)?.sched.nice;
    Ok(SchedAttr {
        sched_policy: policy & !RESET_ON_FORK,
        sched_flags: reset,
        sched_nice: nice,
        sched_priority: priority as u32,
        ..SchedAttr::default()
    })
}

/// sched_setscheduler(2).
pub fn sched_setscheduler(ctx: &mut Ctx, a: &args::SchedSetscheduler) -> SysResult {
    if (a.policy as i32) < 0 || a.param.is_null() || a.pid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let priority: i32 = ctx.mem().copy_in(a.param)?;
    let tid = thread_named(ctx, a.pid)?;
    let attr = simple_attr(ctx, tid, a.policy, priority)?;
    set_policy(ctx, tid, &attr)?;
    Ok(0)
}

/// sched_setparam(2).
pub fn sched_setparam(ctx: &mut Ctx, a: &args::SchedSetparam) -> SysResult {
    if a.param.is_null() || a.pid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let priority: i32 = ctx.mem().copy_in(a.param)?;
    let tid = thread_named(ctx, a.pid)?;
    let now = &of(ctx, tid)?.sched;
    let policy = now.policy | if now.reset_on_fork { RESET_ON_FORK } else { 0 };
    let attr = simple_attr(ctx, tid, policy, priority)?;
    set_policy(ctx, tid, &attr)?;
    Ok(0)
}

/// sched_getscheduler(2).
pub fn sched_getscheduler(ctx: &mut Ctx, a: &args::SchedGetscheduler) -> SysResult {
    let tid = thread_named(ctx, a.pid)?;
    let s = &of(ctx, tid)?.sched;
    Ok((s.policy | if s.reset_on_fork { RESET_ON_FORK } else { 0 }).into())
}

/// sched_getparam(2).
pub fn sched_getparam(ctx: &mut Ctx, a: &args::SchedGetparam) -> SysResult {
    if a.param.is_null() {
        return Err(Errno::EINVAL.into());
    }
    let tid = thread_named(ctx, a.pid)?;
    let priority = of(ctx, tid)?.sched.priority;
    ctx.mem().copy_out(a.param, &priority)?;
    Ok(0)
}

fn priority_bounds(policy: u32) -> Result<[u64; 2], Errno> {
    match policy {
        sched::SCHED_FIFO | sched::SCHED_RR => Ok([1, 99]),
        sched::SCHED_OTHER | sched::SCHED_BATCH | sched::SCHED_IDLE | sched::SCHED_DEADLINE => Ok([0, 0]),
        _ => Err(Errno::EINVAL),
    }
}

/// sched_get_priority_max(2).
pub fn sched_get_priority_max(_: &mut Ctx, a: &args::SchedGetPriorityMax) -> SysResult {
    Ok(priority_bounds(a.policy)?[1])
}

/// sched_get_priority_min(2).
pub fn sched_get_priority_min(_: &mut Ctx, a: &args::SchedGetPriorityMin) -> SysResult {
    Ok(priority_bounds(a.policy)?[0])
}

/// sched_rr_get_interval(2).
pub fn sched_rr_get_interval(ctx: &mut Ctx, a: &args::SchedRrGetInterval) -> SysResult {
    let tid = thread_named(ctx, a.pid)?;
    let turn_ns = match of(ctx, tid)?.sched.policy {
        sched::SCHED_RR => RR_TURN_NS,
        sched::SCHED_FIFO | sched::SCHED_DEADLINE => 0,
        _ => FAIR_TURN_NS,
    };
    ctx.mem().copy_out(a.tp, &Timespec::from_ns(turn_ns))?;
    Ok(0)
}

/// sched_setattr(2).
pub fn sched_setattr(ctx: &mut Ctx, a: &args::SchedSetattr) -> SysResult {
    if a.attr.is_null() || a.pid < 0 || a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let known = size_of::<SchedAttr>() as u32;
    let size: u32 = ctx.mem().copy_in(a.attr)?;
    let size = if size == 0 { SCHED_ATTR_SIZE_VER0 } else { size };
    let mut attr = SchedAttr::default();
    let mut bytes = vec![0u8; (size as usize).min(PAGE_SIZE as usize)];
    let fits = (SCHED_ATTR_SIZE_VER0..=PAGE_SIZE as u32).contains(&size);
    if fits {
        ctx.mem().read(a.attr, &mut bytes)?;
    }
    if !fits || bytes.iter().skip(known as usize).any(|b| *b != 0) {
        ctx.mem().copy_out(a.attr, &known)?;
        return Err(Errno::E2BIG.into());
    }
    let n = bytes.len().min(known as usize);
    attr.as_mut_bytes()[..n].copy_from_slice(&bytes[..n]);
    if (attr.sched_policy as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    attr.sched_nice = attr.sched_nice.clamp(-20, 19);
    let tid = thread_named(ctx, a.pid)?;
    let now = of(ctx, tid)?.sched.clone();
    if attr.sched_flags & u64::from(sched_flag::SCHED_FLAG_KEEP_POLICY) != 0 {
        attr.sched_policy = now.policy;
    }
    if attr.sched_flags & u64::from(sched_flag::SCHED_FLAG_KEEP_PARAMS) != 0 {
        attr.sched_priority = now.priority;
        attr.sched_nice = now.nice;
        [attr.sched_runtime, attr.sched_deadline, attr.sched_period] = now.deadline_ns;
    }
    set_policy(ctx, tid, &attr)?;
    let clamp = &mut of(ctx, tid)?.sched.util_clamp;
    if attr.sched_flags & u64::from(sched_flag::SCHED_FLAG_UTIL_CLAMP_MIN) != 0 {
        clamp[0] = attr.sched_util_min.min(1024);
    }
    if attr.sched_flags & u64::from(sched_flag::SCHED_FLAG_UTIL_CLAMP_MAX) != 0 {
        clamp[1] = attr.sched_util_max.min(1024);
    }
    Ok(0)
}

/// sched_getattr(2).
pub fn sched_getattr(ctx: &mut Ctx, a: &args::SchedGetattr) -> SysResult {
    if a.attr.is_null() || a.pid < 0 || a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    if !(SCHED_ATTR_SIZE_VER0..=PAGE_SIZE as u32).contains(&a.size) {
        return Err(Errno::EINVAL.into());
    }
    let tid = thread_named(ctx, a.pid)?;
    let s = of(ctx, tid)?.sched.clone();
    let size = a.size.min(size_of::<SchedAttr>() as u32);
    let fair = !is_realtime(s.policy) && s.policy != sched::SCHED_DEADLINE;
    let attr = SchedAttr {
        size,
        sched_policy: s.policy,
        sched_flags: if s.reset_on_fork { sched_flag::SCHED_FLAG_RESET_ON_FORK.into() } else { 0 },
        sched_nice: if fair { s.nice } else { 0 },
        sched_priority: s.priority,
        sched_runtime: s.deadline_ns[0],
        sched_deadline: s.deadline_ns[1],
        sched_period: s.deadline_ns[2],
        sched_util_min: s.util_clamp[0],
        sched_util_max: s.util_clamp[1],
    };
    ctx.mem().write(a.attr, &attr.as_bytes()[..size as usize])?;
    Ok(0)
}

/// sched_getaffinity(2).
pub fn sched_getaffinity(ctx: &mut Ctx, a: &args::SchedGetaffinity) -> SysResult {
    let cpus = u64::from(ctx.kernel.cpus());
    if a.cpusetsize.saturating_mul(8) < cpus || !a.cpusetsize.is_multiple_of(8) {
        return Err(Errno::EINVAL.into());
    }
    let tid = thread_named(ctx, a.pid).map_err(|_| Errno::ESRCH)?;
    let mask = ctx.kernel.affinity(tid);
    let n = mask.len().min(usize::try_from(a.cpusetsize).unwrap_or(usize::MAX));
    ctx.mem().write(a.mask, &mask[..n])?;
    Ok(n as u64)
}

/// sched_setaffinity(2).
pub fn sched_setaffinity(ctx: &mut Ctx, a: &args::SchedSetaffinity) -> SysResult {
    let mut mask = ctx.kernel.all_cpus();
    let n = mask.len().min(usize::try_from(a.cpusetsize).unwrap_or(usize::MAX));
    let mut asked = vec![0; mask.len()];
    ctx.mem().read(a.mask, &mut asked[..n])?;
    let tid = thread_named(ctx, a.pid).map_err(|_| Errno::ESRCH)?;
    if !may_change(ctx, tid)? {
        return Err(Errno::EPERM.into());
    }
    mask.iter_mut().zip(asked).for_each(|(have, want)| *have &= want);
    if mask.iter().all(|b| *b == 0) {
        return Err(Errno::EINVAL.into());
    }
    of(ctx, tid)?.sched.affinity = Some(mask);
    ctx.kernel.move_to_cpu(tid);
    Ok(0)
}

/// The threads that getpriority(2) and ioprio_get(2) mean.
fn threads_of(ctx: &mut Ctx, which: Who, who: i32) -> Vec<Tid> {
    let own = (ctx.tid, ctx.process().pgid, ctx.thread().credentials.uid[0]);
    let kernel = &*ctx.kernel;
    let in_group = |t: &&Thread, group: Pid| kernel.processes.get(&t.pid).is_some_and(|p| p.pgid == group);
    let all = kernel.threads.values();
    match which {
        Who::Process => all.filter(|t| t.tid == if who == 0 { own.0 } else { who }).map(|t| t.tid).collect(),
        Who::Group => all.filter(|t| in_group(t, if who == 0 { own.1 } else { who })).map(|t| t.tid).collect(),
        Who::User => {
            let uid = if who == 0 { own.2 } else { who as u32 };
            all.filter(|t| t.credentials.uid[0] == uid).map(|t| t.tid).collect()
        }
    }
}

#[derive(Clone, Copy)]
enum Who {
    Process,
    Group,
    User,
}

fn priority_who(which: u32) -> Result<Who, Errno> {
    match which {
        prio::PRIO_PROCESS => Ok(Who::Process),
        prio::PRIO_PGRP => Ok(Who::Group),
        prio::PRIO_USER => Ok(Who::User),
        _ => Err(Errno::EINVAL),
    }
}

/// getpriority(2): 20 minus the lowest nice value, so that no result is negative.
pub fn getpriority(ctx: &mut Ctx, a: &args::Getpriority) -> SysResult {
    let which = priority_who(a.which)?;
    let found = threads_of(ctx, which, a.who);
    let best = found.iter().filter_map(|t| ctx.kernel.threads.get(t)).map(|t| t.sched.nice).min();
    best.map(|nice| (20 - nice) as u64).ok_or(Errno::ESRCH.into())
}

/// setpriority(2).
pub fn setpriority(ctx: &mut Ctx, a: &args::Setpriority) -> SysResult {
    let which = priority_who(a.which)?;
    let nice = a.prio.clamp(-20, 19);
    let mut result = Err(Errno::ESRCH);
    for tid in threads_of(ctx, which, a.who) {
        let old = of(ctx, tid)?.sched.nice;
        let one = if !may_change(ctx, tid)? {
            Err(Errno::EPERM)
        } else if !may_nice(ctx, old, nice) {
            Err(Errno::EACCES)
        } else {
            of(ctx, tid)?.sched.nice = nice;
            Ok(0)
        };
        result = match (one, result) {
            (Ok(v), Err(Errno::ESRCH)) => Ok(v),
            (Ok(_), kept) => kept,
            (Err(e), _) => Err(e),
        };
    }
    Ok(result?)
}

fn io_who(which: u32) -> Result<Who, Errno> {
    match which {
        ioprio_who::IOPRIO_WHO_PROCESS => Ok(Who::Process),
        ioprio_who::IOPRIO_WHO_PGRP => Ok(Who::Group),
        ioprio_who::IOPRIO_WHO_USER => Ok(Who::User),
        _ => Err(Errno::EINVAL),
    }
}

/// ioprio_get(2): the best priority of the threads meant; 0 for one that was never given any.
pub fn ioprio_get(ctx: &mut Ctx, a: &args::IoprioGet) -> SysResult {
    let which = io_who(a.which)?;
    let found = threads_of(ctx, which, a.who);
    let best = found.iter().filter_map(|t| ctx.kernel.threads.get(t)).map(|t| t.sched.io_priority).min();
    best.map(u64::from).ok_or(Errno::ESRCH.into())
}

/// ioprio_set(2).
pub fn ioprio_set(ctx: &mut Ctx, a: &args::IoprioSet) -> SysResult {
    let value = a.ioprio;
    let (class, level) = (value >> IOPRIO_CLASS_SHIFT, value & 0x7);
    match class {
        ioprio_class::IOPRIO_CLASS_RT => {
            let c = &ctx.thread().credentials;
            if !c.has(CAP_SYS_ADMIN) && !c.has(CAP_SYS_NICE) {
                return Err(Errno::EPERM.into());
            }
        }
        ioprio_class::IOPRIO_CLASS_BE | ioprio_class::IOPRIO_CLASS_IDLE => {}
        ioprio_class::IOPRIO_CLASS_NONE if level == 0 => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    let which = io_who(a.which)?;
    let found = threads_of(ctx, which, a.who);
    if found.is_empty() {
        return Err(Errno::ESRCH.into());
    }
    for tid in found {
        if !may_change(ctx, tid)? {
            return Err(Errno::EPERM.into());
        }
        of(ctx, tid)?.sched.io_priority = value as u16;
    }
    Ok(0)
}

/// A mask as `/sys` and `/proc` list processors: `0-3,6`.
pub(in crate::kernel) fn cpu_list(mask: &[u8]) -> String {
    let set = |cpu: usize| mask.get(cpu / 8).is_some_and(|b| b >> (cpu % 8) & 1 == 1);
    let mut parts = Vec::new();
    let mut cpu = 0;
    while cpu < mask.len() * 8 {
        if !set(cpu) {
            cpu += 1;
            continue;
        }
        let first = cpu;
        while set(cpu + 1) {
            cpu += 1;
        }
        parts.push(if first == cpu { first.to_string() } else { format!("{first}-{cpu}") });
        cpu += 1;
    }
    parts.join(",")
}
