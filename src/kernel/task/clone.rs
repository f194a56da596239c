//! Making threads and processes: clone(2), clone3(2), fork(2), vfork(2).

use super::*;
use crate::abi::CloneArgs;
use crate::abi::consts::cap::{CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE};
use crate::abi::consts::clone::*;
use crate::abi::consts::clone3::{CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP, CLONE_NEWTIME};
use crate::abi::consts::rlimit;
use crate::arch::Regs;
use crate::mem::GuestAddr;
use std::cell::RefCell;
use std::rc::Rc;

/// The low byte of clone(2)'s flags is the signal that the parent gets at the child's end.
const CSIGNAL: u64 = 0xff;

/// CLONE_DETACHED, which has had no meaning since Linux 2.6.2.
const CLONE_DETACHED: u64 = 0x40_0000;

/// Flags that ask for a namespace of its own.
const NAMESPACES: u32 = CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWTIME as u32;

/// Sizes of `struct clone_args`: of its first version, and the largest that may be passed.
const CLONE_ARGS_SIZE_VER0: u64 = 64;
const CLONE_ARGS_MAX: u64 = crate::mem::PAGE_SIZE;

/// Deepest nesting of pid namespaces, which bounds `set_tid` (MAX_PID_NS_LEVEL).
const MAX_PID_NS_LEVEL: u64 = 32;

/// Pids end here (/proc/sys/kernel/pid_max).
pub(crate) const PID_MAX: Pid = 1 << 22;

/// What all the calls of this module ask for.
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    flags: u64,
    exit_signal: i32,
    /// The child's stack pointer; 0: the parent's.
    stack: u64,
    tls: u64,
    parent_tid: GuestAddr,
    child_tid: GuestAddr,
    /// The id it shall have.
    tid: Option<Tid>,
    /// Where the new pidfd goes (CLONE_PIDFD).
    pidfd: GuestAddr,
}

impl Request {
    fn has(&self, flag: u32) -> bool {
        self.flags & u64::from(flag) != 0
    }

    /// The combinations that `copy_process` of Linux refuses.
    fn check(&self, caller: &Credentials) -> Result<(), Errno> {
        let wants = |flags: u32| self.flags & u64::from(flags) == u64::from(flags);
        let refused = wants(CLONE_NEWNS | CLONE_FS)
            || wants(CLONE_NEWUSER | CLONE_FS)
            || self.has(CLONE_THREAD) && !self.has(CLONE_SIGHAND)
            || self.has(CLONE_SIGHAND) && !self.has(CLONE_VM)
            || self.has(CLONE_THREAD) && self.has(CLONE_NEWUSER | CLONE_NEWPID)
            || self.has(CLONE_PIDFD) && self.flags & CLONE_DETACHED != 0
            || self.has(CLONE_PIDFD) && self.has(CLONE_PARENT_SETTID) && self.pidfd == self.parent_tid
            || self.has(CLONE_VM) && self.flags & CLONE_NEWTIME != 0;
        if refused {
            return Err(Errno::EINVAL);
        }
        if self.has(NAMESPACES) {
            // The machine has one namespace of each kind; without the right to make others this is Linux's answer too.
            let may = caller.has(CAP_SYS_ADMIN);
            return Err(if may && !self.has(CLONE_NEWUSER) { Errno::EINVAL } else { Errno::EPERM });
        }
        Ok(())
    }
}

/// A call that has made its child and waits until the child gives the memory back.
struct Vforked(Option<Pid>);

/// clone(2).
pub fn clone(ctx: &mut Ctx, a: &args::Clone) -> SysResult {
    let flags = (a.flags & u64::from(u32::MAX)) & !CSIGNAL;
    let request = Request {
        flags,
        exit_signal: (a.flags & CSIGNAL) as i32,
        stack: a.stack.0,
        tls: a.tls.0,
        parent_tid: a.ptid,
        child_tid: a.ctid,
        tid: None,
        pidfd: a.ptid,
    };
    make(ctx, |_| Ok(request))
}

/// fork(2).
pub fn fork(ctx: &mut Ctx, _: &args::Fork) -> SysResult {
    make(ctx, |_| Ok(Request { exit_signal: Signal::SIGCHLD.0.into(), ..Request::default() }))
}

/// vfork(2).
pub fn vfork(ctx: &mut Ctx, _: &args::Vfork) -> SysResult {
    let flags = u64::from(CLONE_VFORK | CLONE_VM);
    make(ctx, |_| Ok(Request { flags, exit_signal: Signal::SIGCHLD.0.into(), ..Request::default() }))
}

/// clone3(2).
pub fn clone3(ctx: &mut Ctx, a: &args::Clone3) -> SysResult {
    make(ctx, |ctx| read_args(ctx, a.cl_args, a.size))
}

/// Reads and checks `struct clone_args` (`copy_clone_args_from_user` of Linux).
fn read_args(ctx: &mut Ctx, addr: GuestAddr, size: u64) -> Result<Request, Errno> {
    if size > CLONE_ARGS_MAX {
        return Err(Errno::E2BIG);
    }
    if size < CLONE_ARGS_SIZE_VER0 {
        return Err(Errno::EINVAL);
    }
    let known = size_of::<CloneArgs>() as u64;
    let mut bytes = vec![0; size as usize];
    ctx.mem().read(addr, &mut bytes)?;
    if bytes.iter().skip(known as usize).any(|b| *b != 0) {
        return Err(Errno::E2BIG);
    }
    bytes.resize(known as usize, 0);
    let c = <CloneArgs as zerocopy::FromBytes>::read_from_bytes(&bytes).map_err(|_| Errno::EINVAL)?;
    let unpaired = (c.set_tid == 0) != (c.set_tid_size == 0);
    if c.set_tid_size > MAX_PID_NS_LEVEL || unpaired {
        return Err(Errno::EINVAL);
    }
    if c.exit_signal > 64 {
        return Err(Errno::EINVAL);
    }
    if c.flags & CLONE_INTO_CGROUP != 0 && (c.cgroup > i32::MAX as u64 || size < known) {
        return Err(Errno::EINVAL);
    }
    let known_flags = u64::from(u32::MAX) & !CSIGNAL | CLONE_NEWTIME;
    if c.flags & !(known_flags | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP) != 0 || c.flags & CLONE_DETACHED != 0 {
        return Err(Errno::EINVAL);
    }
    let both = u64::from(CLONE_SIGHAND) | CLONE_CLEAR_SIGHAND;
    let silent = u64::from(CLONE_THREAD | CLONE_PARENT);
    if c.flags & both == both || c.flags & silent != 0 && c.exit_signal != 0 {
        return Err(Errno::EINVAL);
    }
    if (c.stack == 0) != (c.stack_size == 0) || !ctx.mem().access_ok(GuestAddr(c.stack), c.stack_size) {
        return Err(Errno::EINVAL);
    }
    if c.flags & CLONE_INTO_CGROUP != 0 {
        // The machine has no cgroup file system, so the descriptor is not one of its directories.
        ctx.file(c.cgroup as i32)?;
        return Err(Errno::EBADF);
    }
    let tid = chosen_tid(ctx, &c)?;
    Ok(Request {
        flags: c.flags,
        exit_signal: c.exit_signal as i32,
        stack: c.stack.wrapping_add(c.stack_size),
        tls: c.tls,
        parent_tid: GuestAddr(c.parent_tid),
        child_tid: GuestAddr(c.child_tid),
        tid,
        pidfd: GuestAddr(c.pidfd),
    })
}

/// The id that `set_tid` asks for.
fn chosen_tid(ctx: &mut Ctx, c: &CloneArgs) -> Result<Option<Tid>, Errno> {
    if c.set_tid_size == 0 {
        return Ok(None);
    }
    if c.set_tid_size > 1 {
        // The machine has one pid namespace.
        return Err(Errno::EINVAL);
    }
    let tid: Tid = ctx.mem().copy_in(GuestAddr(c.set_tid))?;
    if !(1..PID_MAX).contains(&tid) {
        return Err(Errno::EINVAL);
    }
    let caps = &ctx.thread().credentials;
    if !caps.has(CAP_CHECKPOINT_RESTORE) && !caps.has(CAP_SYS_ADMIN) {
        return Err(Errno::EPERM);
    }
    if ctx.kernel.is_pid_taken(tid) { Err(Errno::EEXIST) } else { Ok(Some(tid)) }
}

/// Makes the child that `request` describes; with CLONE_VFORK waits until it gives the memory back.
fn make(ctx: &mut Ctx, request: impl FnOnce(&mut Ctx) -> Result<Request, Errno>) -> SysResult {
    let state = ctx.call_state(|_| Vforked(None));
    let waits_for = state.borrow().0;
    let child = match waits_for {
        Some(child) => child,
        None => {
            let request = request(ctx)?;
            request.check(&ctx.thread().credentials.clone())?;
            let child = create(ctx, &request)?;
            if !request.has(CLONE_VFORK) {
                return Ok(child as u64);
            }
            state.borrow_mut().0 = Some(child);
            child
        }
    };
    let borrows = ctx.kernel.processes.get(&child).is_some_and(|p| p.borrows_memory && p.exit.is_none());
    if !borrows {
        return Ok(child as u64);
    }
    // Only death ends this wait early.
    let (own, shared) = (ctx.thread().signals.pending.set, ctx.process().pending.set);
    if own.union(shared).contains(Signal::SIGKILL) {
        return Err(Errno::EINTR.into());
    }
    Err(Stop::Block(Wait::key(WaitKey::Vfork(child))))
}

/// Makes a thread or a process and gives its id.
fn create(ctx: &mut Ctx, request: &Request) -> Result<Tid, Errno> {
    ctx.kernel.check_process_limit(ctx.tid)?;
    let space = match request.has(CLONE_VM) {
        true => Rc::clone(ctx.space()),
        // As for every limit of a machine that is full: fork(2), EAGAIN.
        false => Rc::new(RefCell::new(ctx.mem().fork().map_err(|_| Errno::EAGAIN)?)),
    };
    let tid = match request.tid {
        Some(tid) => tid,
        None => ctx.kernel.new_pid()?,
    };
    let mut regs = Regs::new(ctx.arch);
    ctx.port.save(&mut regs);
    regs.set_result(0);
    if request.stack != 0 {
        regs.set_sp(request.stack);
    }
    if request.has(CLONE_SETTLS) {
        regs.set_tls(request.tls);
    }
    let thread = child_thread(ctx, request, tid, regs, space);
    // Neither address need be good: Linux writes there when the child exists already.
    if request.has(CLONE_PARENT_SETTID) {
        let _ = ctx.mem().copy_out(request.parent_tid, &tid);
    }
    if request.has(CLONE_CHILD_SETTID) {
        let _ = thread.space.borrow_mut().copy_out(request.child_tid, &tid);
    }
    if request.has(CLONE_THREAD) {
        ctx.process().threads.push(tid);
    } else {
        let process = child_process(ctx, request, tid);
        ctx.kernel.processes.insert(tid, process);
    }
    ctx.kernel.threads.insert(tid, thread);
    if request.has(CLONE_PIDFD)
        && let Err(e) = give_pidfd(ctx, request, tid)
    {
        ctx.kernel.threads.remove(&tid);
        ctx.kernel.processes.remove(&tid);
        ctx.process().threads.retain(|t| *t != tid);
        return Err(e);
    }
    ctx.kernel.queue.push(tid);
    let parent = ctx.tid;
    ctx.kernel.events.push(Event::Created { parent, tid });
    Ok(tid)
}

/// Gives the caller a descriptor of its child (CLONE_PIDFD).
fn give_pidfd(ctx: &mut Ctx, request: &Request, tid: Tid) -> Result<(), Errno> {
    let file = pidfd::file_for(ctx.kernel, tid, pidfd::Kind::thread_if(request.flags, CLONE_THREAD), 0);
    let fd = ctx.install(file, true)?;
    let written = ctx.mem().copy_out(request.pidfd, &fd);
    if written.is_err() {
        let _ = ctx.files().remove(fd);
    }
    written
}

/// The new thread: what the flags share is shared, the rest copied.
fn child_thread(
    ctx: &mut Ctx,
    request: &Request,
    tid: Tid,
    regs: Regs,
    space: Rc<RefCell<crate::mem::Space>>,
) -> Thread {
    fn share<T: Clone>(shared: bool, of: &Rc<RefCell<T>>) -> Rc<RefCell<T>> {
        if shared { Rc::clone(of) } else { Rc::new(RefCell::new(of.borrow().clone())) }
    }
    let (arch, pid) = (ctx.arch, if request.has(CLONE_THREAD) { ctx.pid } else { tid });
    let parent = ctx.thread();
    let actions = match request.flags & CLONE_CLEAR_SIGHAND {
        0 => share(request.has(CLONE_SIGHAND), &parent.actions),
        _ => Rc::new(RefCell::new(parent.actions.borrow().after_exec())),
    };
    let mut signals = signal::ThreadSignals::with_mask(parent.signals.mask);
    signals.trap = parent.signals.trap;
    // A thread needs a signal stack of its own; a process that only borrows the memory goes on with its parent's.
    if !request.has(CLONE_VM) || request.has(CLONE_VFORK) {
        signals.alt_stack = parent.signals.alt_stack;
    }
    let mut sched = parent.sched.clone();
    if sched.reset_on_fork {
        sched = sched.reset();
    }
    Thread {
        tid,
        pid,
        arch,
        regs,
        space,
        files: share(request.has(CLONE_FILES), &parent.files),
        fs: share(request.has(CLONE_FS), &parent.fs),
        actions,
        signals,
        credentials: parent.credentials.clone(),
        comm: parent.comm.clone(),
        clear_child_tid: if request.has(CLONE_CHILD_CLEARTID) { request.child_tid } else { GuestAddr::NULL },
        robust_list: (GuestAddr::NULL, 0),
        state: State::Runnable,
        in_call: None,
        interrupted: false,
        restart: None,
        call_state: None,
        retired: 0,
        cpu: time::CpuTime::default(),
        sched,
        seccomp: parent.seccomp.clone(),
        rseq: if request.has(CLONE_VM) { Rseq::default() } else { parent.rseq },
    }
}

/// The new process, without its thread.
fn child_process(ctx: &mut Ctx, request: &Request, pid: Pid) -> Process {
    let (creator, start_ns) = (ctx.tid, ctx.kernel.monotonic_ns());
    let parent = ctx.process();
    let (ppid, creator, exit_signal) = match request.has(CLONE_PARENT) {
        true => (parent.ppid, parent.creator, parent.exit_signal),
        false => (parent.pid, creator, request.exit_signal),
    };
    let settings =
        Settings { has_executed: false, parent_death_signal: 0, child_subreaper: false, ..parent.settings.clone() };
    let signals = signal::ProcessSignals { trampoline: parent.signals.trampoline, ..Default::default() };
    Process {
        pid,
        ppid,
        pgid: parent.pgid,
        sid: parent.sid,
        terminal: parent.terminal,
        threads: vec![pid],
        exe: parent.exe.clone(),
        running: parent.running.clone(),
        argv: parent.argv.clone(),
        envp: parent.envp.clone(),
        auxv: parent.auxv.clone(),
        pending: signal::Pending::default(),
        signals,
        limits: parent.limits,
        personality: parent.personality,
        settings,
        timers: time::ProcessTimers::default(),
        accounts: time::Accounts::default(),
        start_ns,
        layout: parent.layout,
        creator,
        exit_signal,
        borrows_memory: request.has(CLONE_VFORK),
        owner_at_exit: 0,
        io: IoCounts::default(),
        comm_at_exit: Vec::new(),
        exit: None,
    }
}

impl Kernel {
    /// Whether a thread, process, group or session has this id.
    fn is_pid_taken(&self, id: Pid) -> bool {
        self.threads.contains_key(&id)
            || self.processes.contains_key(&id)
            || self.processes.values().any(|p| p.pgid == id || p.sid == id)
    }

    /// The next free id; they count up and begin again above the first ones when they are used up.
    ///
    /// # Errors
    /// `EAGAIN`: none is left.
    pub(crate) fn new_pid(&mut self) -> Result<Pid, Errno> {
        for _ in 0..PID_MAX {
            let id = self.next_pid;
            self.next_pid = if id + 1 >= PID_MAX { FIRST_REUSED } else { id + 1 };
            if !self.is_pid_taken(id) {
                return Ok(id);
            }
        }
        Err(Errno::EAGAIN)
    }

    /// RLIMIT_NPROC: the threads of the user who runs `tid`.
    fn check_process_limit(&self, tid: Tid) -> Result<(), Errno> {
        let Some(caller) = self.threads.get(&tid) else { return Ok(()) };
        let Some(process) = self.processes.get(&caller.pid) else { return Ok(()) };
        let (limit, user) = (process.limits[rlimit::RLIMIT_NPROC as usize].soft, caller.credentials.uid[0]);
        let exempt = user == 0 || caller.credentials.has(CAP_SYS_RESOURCE) || caller.credentials.has(CAP_SYS_ADMIN);
        let own = || self.threads.values().filter(|t| t.credentials.uid[0] == user).count() as u64;
        if !exempt && limit != u64::MAX && own() >= limit { Err(Errno::EAGAIN) } else { Ok(()) }
    }
}

/// Linux keeps the ids below for daemons when it begins again (RESERVED_PIDS).
const FIRST_REUSED: Pid = 300;
