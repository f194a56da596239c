//! Taking signals: at each way back to the program.

use super::*;
use crate::abi::DefaultAction;
use crate::abi::consts::sigaction as sa;
use crate::abi::siginfo::RawStack;
use crate::arch::{RegPort, Regs};
use crate::mem::Space;
use crate::syscalls::args;
use host::Going;

/// All that a handler's frame is made of, besides the registers.
pub(super) struct Order<'a> {
    pub info: &'a SigInfo,
    pub action: &'a Action,
    /// The mask that comes back when the handler returns.
    pub mask: SigSet,
    pub alt_stack: &'a AltStack,
    pub trap: &'a Trap,
    pub trampoline: GuestAddr,
    /// What an x86_64 CPU keeps beyond general registers ([`crate::arch::cpuid::Cpuid::xcr0`]).
    pub xcr0: u64,
}

/// What rt_sigreturn finds in a frame besides the registers.
pub(super) struct Return {
    pub mask: SigSet,
    pub stack: RawStack,
}

/// What a signal does now.
enum Effect {
    Nothing,
    Stop,
    Kill,
    Handle(Action),
}

impl Kernel {
    /// Delivers what is pending to a thread that is about to go back to its program: builds handler frames, restarts
    /// interrupted calls, stops or ends the process.
    pub fn deliver(&mut self, tid: Tid, port: &mut dyn RegPort) {
        let Some(t) = self.threads.get_mut(&tid) else { return };
        self.events.extend(t.signals.dropped.drain(..).map(|info| Event::Signal { tid, info }));
        if !self.threads.get(&tid).is_some_and(|t| self.is_due(t)) {
            return;
        }
        while self.stop_if_told(tid) == Going::On
            && let Some(info) = self.take_signal(tid)
        {
            if info.signal != Signal::SIGKILL {
                self.events.push(Event::Signal { tid, info });
            }
            match self.effect(tid, &info) {
                Effect::Nothing => {}
                Effect::Stop => self.stop_process(tid, info.signal),
                Effect::Kill => return self.kill_process(tid, info.signal),
                Effect::Handle(action) => self.enter_handler(tid, &info, &action, port),
            }
        }
        let Some(t) = self.threads.get_mut(&tid) else { return };
        if matches!(t.state, State::Stopped) {
            // What is left to settle waits until the process goes on.
            return;
        }
        if let Some((call, code)) = t.restart.take() {
            let nr = if code == Errno::ERESTART_RESTARTBLOCK { restart_number(t.arch) } else { call.raw.nr };
            restart(&call, nr, t.arch, port);
        }
        if let Some(mask) = t.signals.saved_mask.take() {
            t.signals.mask = mask;
        }
    }

    /// The next signal that the thread takes, out of its queue: one that its own instruction caused, then its own by
    /// number, then the process's.
    fn take_signal(&mut self, tid: Tid) -> Option<SigInfo> {
        let t = self.threads.get_mut(&tid)?;
        let mask = t.signals.mask;
        let own = &mut t.signals.pending;
        if let Some(info) = own.take_synchronous(mask) {
            return Some(info);
        }
        if let Some(signal) = own.next(mask) {
            return Some(own.take(signal));
        }
        let shared = &mut self.processes.get_mut(&t.pid)?.pending;
        shared.next(mask).map(|signal| shared.take(signal))
    }

    /// What the signal does, given the process's action for it.
    fn effect(&mut self, tid: Tid, info: &SigInfo) -> Effect {
        let Some(t) = self.threads.get(&tid) else { return Effect::Nothing };
        let mut actions = t.actions.borrow_mut();
        let action = actions.get_mut(info.signal);
        if action.is_ignore() {
            return Effect::Nothing;
        }
        if !action.is_default() {
            let taken = *action;
            if action.has(sa::SA_RESETHAND) {
                action.handler = 0;
            }
            return Effect::Handle(taken);
        }
        match info.signal.default_action() {
            DefaultAction::Ignore | DefaultAction::Continue => Effect::Nothing,
            // Nobody could make an orphaned group go on.
            DefaultAction::Stop if info.signal != Signal::SIGSTOP && self.is_in_orphaned_group(tid) => Effect::Nothing,
            DefaultAction::Stop => Effect::Stop,
            DefaultAction::Terminate | DefaultAction::Core => Effect::Kill,
        }
    }

    /// Ends the process of `tid` by a signal. No core file is written, so none is reported either.
    fn kill_process(&mut self, tid: Tid, signal: Signal) {
        if let Some(pid) = self.threads.get(&tid).map(|t| t.pid) {
            self.exit_process(pid, ExitStatus::Signal { signal, core: false });
        }
    }

    /// Puts the frame of a handler on the stack and makes the handler run next.
    fn enter_handler(&mut self, tid: Tid, info: &SigInfo, action: &Action, port: &mut dyn RegPort) {
        self.leave_rseq(tid, port);
        let xcr0 = self.cpuid().xcr0();
        let Some(t) = self.threads.get_mut(&tid) else { return };
        if let Some((call, code)) = t.restart.take()
            && (code == Errno::ERESTARTNOINTR || code == Errno::ERESTARTSYS && action.has(sa::SA_RESTART))
        {
            restart(&call, call.raw.nr, t.arch, port);
        }
        // Without a restart the result register holds EINTR already.
        let trampoline = self.processes.get(&t.pid).map_or(GuestAddr::NULL, |p| p.signals.trampoline);
        let order = Order {
            info,
            action,
            mask: t.signals.saved_mask.unwrap_or(t.signals.mask),
            alt_stack: &t.signals.alt_stack,
            trap: &t.signals.trap,
            trampoline,
            xcr0,
        };
        let mut regs = Regs::new(t.arch);
        port.save(&mut regs);
        if push_frame(&mut t.space.borrow_mut(), &mut regs, &order).is_err() {
            return self.force_segv(tid, info.signal);
        }
        port.load(&regs);
        t.signals.saved_mask = None;
        t.signals.alt_stack.entered();
        let mut mask = t.signals.mask.union(action.mask);
        if !action.has(sa::SA_NODEFER) {
            mask.insert(info.signal);
        }
        let (pid, more) = (t.pid, mask.without(t.signals.mask));
        t.signals.mask = mask.without(SigSet::UNBLOCKABLE);
        self.retarget(pid, more);
    }

    /// A handler could not be entered: SIGSEGV. If it was SIGSEGV's own handler, the process ends.
    fn force_segv(&mut self, tid: Tid, failed: Signal) {
        if failed == Signal::SIGSEGV
            && let Some(t) = self.threads.get(&tid)
        {
            *t.actions.borrow_mut().get_mut(Signal::SIGSEGV) = Action::default();
        }
        self.force_signal(tid, SigInfo::kernel(Signal::SIGSEGV));
    }
}

fn push_frame(space: &mut Space, regs: &mut Regs, order: &Order<'_>) -> Result<(), Errno> {
    match regs {
        Regs::X86_64(r) => frame_x86_64::push(space, r, order),
        Regs::Aarch64(r) => frame_aarch64::push(space, r, order),
    }
}

/// Number of restart_syscall(2).
fn restart_number(arch: Arch) -> u64 {
    match arch {
        Arch::X86_64 => 219,
        Arch::Aarch64 => 128,
    }
}

impl Thread {
    /// Keeps a call that ended with ERESTART_RESTARTBLOCK for restart_syscall(2). If that is the call, it keeps what
    /// it went on with.
    pub(in crate::kernel) fn keep_restart_block(&mut self) {
        let Some(call) = self.in_call else { return };
        let state = self.call_state.clone();
        self.signals.restart_block = match self.signals.restart_block.take() {
            Some(block) if call.raw.nr == restart_number(self.arch) => Some(RestartBlock { state, ..block }),
            _ => Some(RestartBlock { call, state }),
        };
    }
}

/// Makes the program execute its system call instruction again, as call `nr`.
fn restart(call: &InCall, nr: u64, arch: Arch, port: &mut dyn RegPort) {
    let mut regs = Regs::new(arch);
    port.save(&mut regs);
    regs.set_pc(call.pc.wrapping_sub(arch.syscall_insn_len()));
    match &mut regs {
        Regs::X86_64(r) => r.gpr[crate::arch::x86_64::RAX] = nr,
        Regs::Aarch64(r) => (r.x[0], r.x[8]) = (call.raw.args[0], nr),
    }
    port.load(&regs);
}

/// restart_syscall(2): goes on with the call that a signal without a handler has interrupted.
pub fn restart_syscall(ctx: &mut Ctx, _: &args::RestartSyscall) -> SysResult {
    let Some(block) = ctx.thread().signals.restart_block.clone() else { return Err(Errno::EINTR.into()) };
    let Some(index) = block.call.index else { return Err(Errno::EINTR.into()) };
    let thread = ctx.thread();
    if thread.call_state.is_none() {
        thread.call_state = block.state;
    }
    dispatch::dispatch(ctx, index, &block.call.raw.args)
}

/// rt_sigreturn(2): takes registers, mask and alternate stack from the frame at the stack pointer.
pub fn rt_sigreturn(ctx: &mut Ctx, _: &args::RtSigreturn) -> SysResult {
    let mut regs = Regs::new(ctx.arch);
    ctx.port.save(&mut regs);
    let at = regs.sp();
    let xcr0 = ctx.kernel.cpuid().xcr0();
    let popped = match &mut regs {
        Regs::X86_64(r) => frame_x86_64::pop(&ctx.mem(), r, xcr0),
        Regs::Aarch64(r) => frame_aarch64::pop(&ctx.mem(), r),
    };
    ctx.thread().signals.restart_block = None;
    match popped {
        Ok(found) => {
            ctx.port.load(&regs);
            ctx.set_mask(found.mask);
            let (sp, arch) = (regs.sp(), ctx.arch);
            // A stack that sigaltstack would refuse leaves the old one as it is.
            let _ = ctx.thread().signals.alt_stack.change(&found.stack, sp, arch);
        }
        Err(_) => {
            let info = fault::bad_frame(&ctx.mem(), ctx.arch, at);
            ctx.kernel.force_signal(ctx.tid, info);
        }
    }
    Err(Stop::NoReturn)
}
