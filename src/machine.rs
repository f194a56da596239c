//! The run loop: run -> exit -> decode -> dispatch -> result -> trace.

use crate::Error;
use crate::abi::Errno;
use crate::arch::cpuid::Model;
use crate::arch::{Arch, RawCall, Regs};
use crate::cpu::{self, Counter, Cpu, Exit, FaultKind};
use crate::inject::Tamper;
use crate::kernel::exec::{Known, Processor};
use crate::kernel::{Event, ExitStatus, Kernel, Outcome, Part, Pid, Program, Progress, Slept, State, Tid};
use crate::mem::Space;
use crate::syscalls;
use crate::trace::{Call, Sink, Start, Timekeeping, View};
use std::cell::RefCell;
use std::rc::Rc;
use tampering::{InProgress, Stage, Tampered, Tampering};

mod tampering;

/// Instructions a thread runs before the next one gets its turn.
const SLICE: u64 = 200_000;

/// How long what the first process has left may still work before it is left behind, in nanoseconds.
const LINGER_NS: u64 = 200_000_000;

/// Whether a thread can run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// One can.
    Left,
    /// All wait.
    None,
}

/// A whole simulated machine: the kernel, a CPU for each architecture that is in use, and observers.
pub struct Machine {
    /// The kernel with all processes.
    pub kernel: Kernel,
    /// The backend that `--cpu` chose.
    pub backend: String,
    /// The features that x86_64 programs see.
    pub cpu_model: Model,
    cpus: [Option<Box<dyn Cpu>>; 2],
    /// The thread whose registers each CPU holds.
    on_cpu: [Option<Tid>; 2],
    observers: Observers,
    /// What is done to calls between the program and the kernel.
    tamper: Option<Tamper>,
    /// Threads in a call that is tampered with.
    tampered: InProgress,
    /// File name of the first program, as it was given.
    program: Vec<u8>,
    /// Its arguments, as they were given: a script runs with others.
    argv: Vec<Vec<u8>>,
    /// When what the first process has left is left behind, by the monotonic clock.
    leave_at_ns: Option<u64>,
    /// Which part of sevm this is, once that has been done.
    part: Option<Part>,
}

fn processor(cpu: &dyn Cpu) -> Processor {
    Processor { hwcap: cpu.hwcap(), cpuid: cpu.cpuid() }
}

impl Machine {
    /// A machine with no CPU opened yet: backends are opened when a program of their architecture runs.
    pub fn new(kernel: Kernel, backend: &str) -> Machine {
        Machine {
            kernel,
            backend: backend.to_string(),
            cpu_model: Model::Host,
            cpus: [None, None],
            on_cpu: [None, None],
            observers: Observers::default(),
            tamper: None,
            tampered: InProgress::new(),
            program: Vec::new(),
            argv: Vec::new(),
            leave_at_ns: None,
            part: None,
        }
    }

    /// Adds an observer.
    pub fn observe(&mut self, sink: Box<dyn Sink>) {
        self.observers.add(sink);
    }

    /// Tampers with calls from now on.
    pub fn tamper(&mut self, tamper: Tamper) {
        self.tamper = Some(tamper);
    }

    /// The CPU for `arch`, opened if it is not yet.
    ///
    /// # Errors
    /// The backend cannot be opened here.
    pub fn cpu(&mut self, arch: Arch) -> Result<&mut Box<dyn Cpu>, Error> {
        let slot = &mut self.cpus[arch.index()];
        match slot {
            Some(cpu) => Ok(cpu),
            None => Ok(slot.insert(cpu::open_model(&self.backend, arch, self.cpu_model)?)),
        }
    }

    /// Creates the first process, with `program` loaded.
    ///
    /// # Errors
    /// The program cannot be run, or the CPU for it not be opened.
    pub fn boot(&mut self, program: &Program) -> Result<Pid, Error> {
        let (backend, model, cpus) = (&self.backend, self.cpu_model, &mut self.cpus);
        self.program.clone_from(&program.path);
        self.argv.clone_from(&program.argv);
        self.kernel.boot(program, |arch| {
            let cpu = cpus[arch.index()].insert(cpu::open_model(backend, arch, model)?);
            Ok(processor(&**cpu))
        })
    }

    /// Instructions retired on each architecture's CPU.
    pub fn retired(&self) -> [u64; 2] {
        self.cpus.each_ref().map(|c| c.as_ref().map_or(0, |c| c.retired()))
    }

    /// The CPUs that are open.
    pub fn cpus(&self) -> impl Iterator<Item = &dyn Cpu> {
        self.cpus.iter().flatten().map(|cpu| &**cpu)
    }

    /// Runs until the process `pid` has ended, and gives how.
    ///
    /// # Errors
    /// A failure of sevm itself; what the guest does is never an error here.
    pub fn run(&mut self, pid: Pid) -> Result<ExitStatus, Error> {
        self.observers.start(&mut self.kernel, pid, &self.program, &self.argv);
        let ran = self.run_all();
        // What was seen before a failure is still worth reading.
        let finished = self.observers.finish();
        ran.and(finished)?;
        // Nobody waits for the part that ran what was left behind.
        let unheard = (self.part == Some(Part::Back)).then_some(ExitStatus::Code(0));
        let status = self.kernel.processes.get(&pid).and_then(|p| p.exit).or(unheard);
        status.ok_or_else(|| Error::Usage(format!("process {pid} has no exit status")))
    }

    /// Whether the run ended for this part of sevm while its machine goes on in another ([`Remaining`]). The machine must
    /// then not be taken apart, for both have the same open files.
    ///
    /// [`Remaining`]: crate::kernel::Remaining
    pub fn is_left_behind(&self) -> bool {
        self.part == Some(Part::Front)
    }

    /// Leaves behind what the first process has left, if it has ended. On a real machine what it left would be quicker,
    /// so while it has work to do it may go on for a moment.
    fn leave_behind(&mut self, work: Work) -> bool {
        if self.part.is_some() || self.observers.any() || !self.kernel.may_leave_behind() {
            return false;
        }
        let now_ns = self.kernel.monotonic_ns();
        let until_ns = *self.leave_at_ns.get_or_insert(now_ns + LINGER_NS);
        if work == Work::Left && now_ns < until_ns {
            return false;
        }
        // Where the host cannot divide sevm, everybody waits.
        self.part = self.kernel.leave_behind().ok();
        self.is_left_behind()
    }

    /// Runs until no thread is left.
    fn run_all(&mut self) -> Result<(), Error> {
        loop {
            if self.leave_behind(Work::Left) {
                return Ok(());
            }
            self.kernel.take_host_signals();
            self.kernel.tick();
            self.kernel.check_budget()?;
            let Some(tid) = self.kernel.next_thread() else {
                if self.leave_behind(Work::None) {
                    return Ok(());
                }
                match self.kernel.sleep() {
                    Slept::Ready => {}
                    Slept::Empty => return Ok(()),
                    Slept::Stuck => self.wait_for_signal()?,
                }
                continue;
            };
            self.kernel.begin_turn(tid);
            self.turn(tid)?;
            self.kernel.end_turn(tid);
            self.drain_events();
        }
    }

    /// Nothing inside the machine can wake a thread: in a deterministic run that is its end, otherwise somebody outside
    /// may send a signal.
    fn wait_for_signal(&mut self) -> Result<(), Error> {
        if self.kernel.config.deterministic {
            return Err(Error::Deadlock(self.kernel.who_waits()));
        }
        if let Some(notice) = self.kernel.notice_of_standstill() {
            eprintln!("sevm: {notice}");
        }
        self.kernel.sleep_until_signal();
        Ok(())
    }

    /// One turn of one thread: first the call it waits in, if any, then its program for one slice.
    fn turn(&mut self, tid: Tid) -> Result<(), Error> {
        let Some(thread) = self.kernel.threads.get(&tid) else { return Ok(()) };
        let (arch, waiting) = (thread.arch, thread.in_call.is_some());
        self.put_on_cpu(tid, arch)?;
        if waiting && !self.syscall(tid, arch)? {
            return Ok(());
        }
        let mut budget = SLICE;
        loop {
            if self.kernel.is_held(tid) && !self.settle(tid, arch) {
                return Ok(());
            }
            match self.run_program(tid, arch, &mut budget)? {
                Exit::Syscall => {
                    if !self.syscall(tid, arch)? {
                        return Ok(());
                    }
                }
                Exit::Budget => self.kernel.take_host_signals(),
                Exit::Fault { addr, kind: FaultKind::Unmapped, .. } if self.kernel.grow_stack(tid, addr) => {}
                fault => {
                    if let Some(cpu) = &mut self.cpus[arch.index()] {
                        self.kernel.fault(tid, fault, &mut **cpu);
                    }
                }
            }
            self.kernel.tick_in_turn();
            self.kernel.check_budget()?;
            if budget == 0 || self.kernel.queue.take_yield() {
                self.kernel.requeue(tid);
                return Ok(());
            }
        }
    }

    /// Runs the thread's program until something happens, for so many instructions at most.
    fn run_program(&mut self, tid: Tid, arch: Arch, budget: &mut u64) -> Result<Exit, Error> {
        let most = (*budget).min(self.kernel.instructions_to_timer(tid)).min(self.kernel.instructions_left());
        let now_ns = self.kernel.time.is_virtual().then(|| self.kernel.monotonic_ns());
        let (Some(thread), Some(cpu)) = (self.kernel.threads.get(&tid), &mut self.cpus[arch.index()]) else {
            *budget = 0;
            return Ok(Exit::Budget);
        };
        let before = cpu.retired();
        let mut space = thread.space.borrow_mut();
        if space.has_changes() {
            for (addr, len) in space.take_changes() {
                cpu.invalidate(space.id(), addr, len);
            }
        }
        if let Some(now_ns) = now_ns {
            cpu.set_counter(Counter::Retired { offset: now_ns.wrapping_sub(before) });
        }
        let exit = cpu.run(&mut space, most);
        drop(space);
        let ran = cpu.retired() - before;
        self.kernel.retire(tid, ran);
        *budget = budget.saturating_sub(ran);
        exit
    }

    /// Does what holds the thread back, signals above all; whether its program can go on.
    fn settle(&mut self, tid: Tid, arch: Arch) -> bool {
        if let Some(cpu) = &mut self.cpus[arch.index()] {
            self.kernel.deliver(tid, &mut **cpu);
        }
        self.drain_events();
        self.kernel.threads.get(&tid).is_some_and(|t| matches!(t.state, State::Runnable))
    }

    /// Makes the CPU hold the registers of `tid`, saving those of the thread before it.
    fn put_on_cpu(&mut self, tid: Tid, arch: Arch) -> Result<(), Error> {
        if self.on_cpu[arch.index()] == Some(tid) {
            return Ok(());
        }
        self.cpu(arch)?;
        let Some(cpu) = &mut self.cpus[arch.index()] else { return Ok(()) };
        if let Some(previous) = self.on_cpu[arch.index()].and_then(|t| self.kernel.threads.get_mut(&t)) {
            cpu.save(&mut previous.regs);
        }
        if let Some(thread) = self.kernel.threads.get(&tid) {
            cpu.load(&thread.regs);
            self.on_cpu[arch.index()] = Some(tid);
            self.kernel.leave_rseq(tid, &mut **cpu);
        }
        Ok(())
    }

    /// Carries out the call the thread has stopped at; whether the thread goes on.
    fn syscall(&mut self, tid: Tid, arch: Arch) -> Result<bool, Error> {
        let (Some(thread), Some(cpu)) = (self.kernel.threads.get(&tid), &self.cpus[arch.index()]) else {
            return Ok(false);
        };
        let raw = match &thread.in_call {
            Some(call) => call.raw,
            None => cpu.syscall(),
        };
        let index = syscalls::lookup(arch, raw.nr);
        if !self.observers.want(index) && self.tamper.is_none() {
            return self.unseen_call(tid, arch, &raw, index);
        }
        let (pid, waiting) = (thread.pid, thread.in_call.is_some());
        let call = Call { tid, pid, arch, raw, index, pc: cpu.pc(), sp: cpu.sp() };
        let wanted =
            self.observers.want(index) && (waiting || self.observers.consider(&self.kernel, &thread.space, &call));
        if !wanted && self.tamper.is_none() {
            return self.unseen_call(tid, arch, &call.raw, index);
        }
        self.seen_call(call, waiting, wanted)
    }

    /// Carries out a call that observers want to hear of, or that may be tampered with; whether the thread goes on.
    fn seen_call(&mut self, call: Call, waiting: bool, wanted: bool) -> Result<bool, Error> {
        let Call { tid, arch, raw, index, .. } = call;
        let (Some(thread), Some(cpu)) = (self.kernel.threads.get(&tid), &self.cpus[arch.index()]) else {
            return Ok(false);
        };
        let space = Rc::clone(&thread.space);
        let regs = (wanted && self.observers.registers).then(|| {
            let mut regs = Regs::new(arch);
            cpu.save(&mut regs);
            regs
        });
        let mut tampered = None;
        if self.tamper.is_some() {
            match self.begin_tampering(&call, !waiting) {
                Tampering::Go(action) => tampered = action,
                Tampering::Wait { first } => {
                    if wanted && first {
                        self.observers.tell(&mut self.kernel, &space, regs.as_ref(), |sink, view| {
                            sink.enter(view, &call);
                            sink.blocked(view, &call);
                        });
                    }
                    return Ok(false);
                }
                Tampering::Over => return Ok(true),
            }
        }
        // What the program has asked for is told, also where the kernel is asked for something else.
        let call = Call { raw: tampered.as_ref().map_or(raw, |t| t.raw), ..call };
        let sent = tampered.as_ref().map_or(raw, |t| t.action.sent(t.raw));
        if wanted {
            self.observers.tell(&mut self.kernel, &space, regs.as_ref(), |sink, view| match waiting {
                false => sink.enter(view, &call),
                true => sink.resumed(view, &call),
            });
        }
        let injected = tampered.as_ref().and_then(|t| t.action.result);
        let progress = match injected {
            Some(result) => {
                let Some(cpu) = &mut self.cpus[arch.index()] else { return Ok(false) };
                cpu.set_result(result.unwrap_or_else(Errno::to_result));
                self.kernel.result = result;
                Progress::Done
            }
            None => self.carry_out(tid, arch, &sent, syscalls::lookup(arch, sent.nr))?,
        };
        let outcome = self.kernel.outcome(progress);
        // execve by another than the first thread gives it the process's id.
        let (tid, call) = match self.kernel.renamed.take() {
            Some(pid) => {
                self.drain_events();
                (pid, Call { tid: pid, ..call })
            }
            None => (tid, call),
        };
        // After execve and rt_sigreturn the thread goes on with other registers, and the result is what they hold.
        let goes_on = outcome == Outcome::NoReturn && self.kernel.threads.get(&tid).is_some_and(|t| t.arch == arch);
        let replaced = match &self.cpus[arch.index()] {
            Some(cpu) if goes_on && wanted => {
                let mut regs = Regs::new(arch);
                cpu.save(&mut regs);
                Some(Errno::split_result(regs.result()))
            }
            _ => None,
        };
        if let Some(tampered) = &tampered {
            self.end_tampering(&call, tampered, outcome);
        }
        if wanted {
            self.observers.tell(&mut self.kernel, &space, regs.as_ref(), |sink, view| match outcome {
                Outcome::Done(result) => sink.exit(view, &call, Some(result)),
                Outcome::NoReturn => sink.exit(view, &call, replaced),
                Outcome::Blocked => sink.blocked(view, &call),
                Outcome::NeedCpu(_) => {}
            });
        }
        self.drain_events();
        if let (Some(Tampered { action, .. }), Outcome::Done(_)) = (tampered, outcome)
            && let Some(delay_ns) = action.delay_exit_ns
        {
            self.tampered.insert(tid, Tampered { action, stage: Stage::After, raw });
            self.kernel.delay(tid, raw, index, delay_ns);
            return Ok(false);
        }
        Ok(self.goes_on(tid, arch, progress))
    }

    /// Carries out a call that nobody is told of and nobody tampers with; whether the thread goes on.
    fn unseen_call(&mut self, tid: Tid, arch: Arch, raw: &RawCall, index: Option<usize>) -> Result<bool, Error> {
        let progress = self.carry_out(tid, arch, raw, index)?;
        let tid = self.kernel.renamed.take().unwrap_or(tid);
        Ok(self.goes_on(tid, arch, progress))
    }

    /// Lets the kernel carry out a call, and tells it what it has to know of CPUs for that.
    fn carry_out(&mut self, tid: Tid, arch: Arch, raw: &RawCall, index: Option<usize>) -> Result<Progress, Error> {
        loop {
            let Some(cpu) = &mut self.cpus[arch.index()] else { return Ok(Progress::NoReturn) };
            let progress = self.kernel.carry_out(tid, raw, index, &mut **cpu);
            if let Progress::NeedCpu(wanted) = progress {
                let known = self.cpu(wanted).map_or(Known::Never, |c| Known::Yes(processor(&**c)));
                self.kernel.processors[wanted.index()] = known;
                continue;
            }
            if let Some((name, number)) = self.kernel.strict_violation.take() {
                // Such a call changes no register but that of its result.
                return Err(Error::Strict { name: name.to_string(), number, pc: cpu.pc() });
            }
            if let Some(what) = self.kernel.table_violation.take() {
                return Err(Error::Table(what));
            }
            self.kernel.check_size(index)?;
            return Ok(progress);
        }
    }

    /// Whether a thread goes on after a call.
    fn goes_on(&mut self, tid: Tid, arch: Arch, progress: Progress) -> bool {
        match self.kernel.threads.get(&tid) {
            Some(thread) if thread.arch == arch && self.on_cpu[arch.index()] == Some(tid) => {
                progress != Progress::Blocked
            }
            Some(_) => {
                // execve has made it a program of the other architecture, or given it another id: it begins with a turn
                // of its own.
                self.on_cpu[arch.index()] = None;
                self.kernel.requeue(tid);
                false
            }
            None => false,
        }
    }

    fn drain_events(&mut self) {
        if self.kernel.events.is_empty() {
            return;
        }
        for event in std::mem::take(&mut self.kernel.events) {
            let now_ns = self.kernel.monotonic_ns();
            if let (Some(tamper), Event::ThreadExited { tid, .. } | Event::Exited { pid: tid, .. }) =
                (&mut self.tamper, &event)
            {
                tamper.forget(*tid);
                self.tampered.remove(tid);
            }
            self.observers.sinks.iter_mut().for_each(|s| s.event(now_ns, &event));
        }
    }
}

/// All observers of a run.
#[derive(Default)]
struct Observers {
    sinks: Vec<Box<dyn Sink>>,
    /// Whether any of them wants to be told of a call, by index in the table, with unknown numbers at the end.
    wanted: Vec<bool>,
    /// Whether any of them looks at registers.
    registers: bool,
}

impl Observers {
    fn any(&self) -> bool {
        !self.sinks.is_empty()
    }

    fn add(&mut self, sink: Box<dyn Sink>) {
        let count = syscalls::ENTRIES.len();
        self.wanted.resize(count + 1, false);
        for (i, wanted) in self.wanted.iter_mut().enumerate() {
            *wanted |= sink.wants((i < count).then_some(i));
        }
        self.registers |= sink.wants_registers();
        self.sinks.push(sink);
    }

    /// Whether a call is to be told of: nothing is prepared for one that nobody wants.
    fn want(&self, index: Option<usize>) -> bool {
        let at = index.unwrap_or(self.wanted.len().wrapping_sub(1));
        self.wanted.get(at).copied().unwrap_or(false)
    }

    /// Whether any of them wants to be told of this call, which begins.
    fn consider(&mut self, kernel: &Kernel, space: &RefCell<Space>, call: &Call) -> bool {
        let space = space.borrow();
        // All are asked: each remembers what it has said.
        let mut any = false;
        for sink in &mut self.sinks {
            any |= sink.considers(&space, kernel, call);
        }
        any
    }

    fn start(&mut self, kernel: &mut Kernel, pid: Pid, path: &[u8], argv: &[Vec<u8>]) {
        let (now_ns, wall_ns) = (kernel.monotonic_ns(), kernel.realtime_ns());
        let (Some(process), Some(thread)) = (kernel.processes.get(&pid), kernel.threads.get(&pid)) else { return };
        let (envp, envp_addr) = (&process.envp[..], process.layout.env.0.0);
        let timekeeping = if kernel.time.is_virtual() { Timekeeping::Virtual } else { Timekeeping::Host };
        let start = Start { tid: pid, path, argv, envp, envp_addr, arch: thread.arch, now_ns, wall_ns, timekeeping };
        self.sinks.iter_mut().for_each(|sink| sink.start(&start));
    }

    /// Finishes all; the first failure counts.
    fn finish(&mut self) -> Result<(), Error> {
        self.sinks.iter_mut().map(|sink| sink.finish()).fold(Ok(()), Result::and)
    }

    fn tell(
        &mut self,
        kernel: &mut Kernel,
        space: &RefCell<Space>,
        regs: Option<&Regs>,
        mut say: impl FnMut(&mut dyn Sink, &View<'_>),
    ) {
        let (now_ns, threads) = (kernel.monotonic_ns(), kernel.threads.len());
        let view = View { space: &space.borrow(), kernel: Some(kernel), now_ns, mark: kernel.call_mark, threads, regs };
        self.sinks.iter_mut().for_each(|sink| say(&mut **sink, &view));
    }
}
