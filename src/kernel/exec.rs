//! Starting programs: the first process, and what execve(2) does with an image.

use super::*;
use crate::Error;
use crate::abi::consts::rlimit;
use crate::arch::Regs;
use crate::arch::cpuid::Cpuid;
use crate::host::FileStat;
use crate::loader::{self, Image, LoadError, Loaded, elf::Headers, stack, stack::at};
use crate::mem::{GuestAddr, Space};
use file::{File, Use};
use fs::path::Follow;
use std::cell::RefCell;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::rc::Rc;

/// What the user asked to run.
#[derive(Clone, Debug)]
pub struct Program {
    /// Path of the file, as the guest names it.
    pub path: Vec<u8>,
    /// Its arguments, its own name first.
    pub argv: Vec<Vec<u8>>,
    /// Its environment.
    pub envp: Vec<Vec<u8>>,
    /// Where it starts; `None`: where sevm was started.
    pub cwd: Option<PathBuf>,
}

/// What is known of an architecture's CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nobody has asked for it.
    #[default]
    NotYet,
    /// It is there and can do this.
    Yes(Processor),
    /// There is none here.
    Never,
}

/// What the kernel knows of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    /// AT_HWCAP and AT_HWCAP2.
    pub hwcap: (u64, u64),
    /// What an x86_64 CPU shows of itself.
    pub cpuid: Option<Cpuid>,
}

/// A program file, opened and judged.
struct Candidate {
    file: Rc<File>,
    stat: FileStat,
    headers: Headers,
}

impl Candidate {
    fn open_interpreter(ctx: &mut Ctx, path: &[u8]) -> Result<Candidate, LoadError> {
        let (file, stat) = fs::open_interpreter(ctx, path)?;
        Candidate::of(file, stat)
    }

    fn of(file: Rc<File>, stat: FileStat) -> Result<Candidate, LoadError> {
        let headers = Headers::read(&image(&file, &stat)?)?;
        Ok(Candidate { file, stat, headers })
    }

    fn image(&self) -> Result<Image<'_>, LoadError> {
        image(&self.file, &self.stat)
    }
}

/// The start of a file, as much of it as tells its format.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn head(file: &File, stat: &FileStat) -> Result<Vec<u8>, LoadError> {
    image(file, stat)?.read(0, SCRIPT_LINE)
}

/// Bytes of a file that Linux looks at to tell its format (BINPRM_BUF_SIZE).
pub(super) const SCRIPT_LINE: usize = 256;

fn image<'a>(file: &'a File, stat: &FileStat) -> Result<Image<'a>, LoadError> {
    let fd = file.host_fd().ok_or(LoadError::NotExecutable)?.as_fd();
    Ok(Image { fd, path: file.path(), dev: stat.dev, ino: stat.ino, size: stat.size })
}

/// A new image of a process: its memory and its registers.
struct NewImage {
    exe: Rc<[u8]>,
    running: Rc<file::Hold>,
    space: Space,
    regs: Regs,
    loaded: Loaded,
    stack: stack::Built,
    trampoline: GuestAddr,
}

impl Kernel {
    /// Creates the first process with `program` loaded; `processor` opens the CPU for its architecture and says
    /// what it can do.
    ///
    /// # Errors
    /// The program cannot be run ([`Error::Load`] carries the exit status), or the CPU not be opened.
    pub fn boot(
        &mut self,
        program: &Program,
        processor: impl FnOnce(Arch) -> Result<Processor, Error>,
    ) -> Result<Pid, Error> {
        let fail = |e: LoadError| Error::Load {
            path: String::from_utf8_lossy(&program.path).into_owned(),
            status: e.status(),
            reason: e.to_string(),
        };
        let pid = self.add_first(program.cwd.as_deref())?;
        let mut no_cpu = Regs::new(Arch::X86_64);
        let Some(mut ctx) = Ctx::new(self, pid, &mut no_cpu) else { return Ok(pid) };
        let layout = ctx.kernel.config.layout.clone();
        fs::mounts::set_up(&mut ctx, &layout, program.cwd.as_deref())?;
        fs::replace_inherited(&mut ctx);
        let mut program = program.clone();
        if layout.root.is_some() && !program.path.contains(&b'/') {
            program.path = fs::find_program(&mut ctx, &program.path, &program.envp);
        }
        let name = program.path.clone();
        let (file, stat) = fs::open_program(&mut ctx, fs::path::AT_FDCWD, &name, Follow::Yes).map_err(fail)?;
        let (file, stat) = task::interpret(&mut ctx, &mut program, file, stat, false).map_err(fail)?;
        let program = &program;
        let candidate = Candidate::of(file, stat).map_err(fail)?;
        let processor = processor(candidate.headers.arch)?;
        ctx.kernel.processors[candidate.headers.arch.index()] = Known::Yes(processor);
        let image = build(&mut ctx, &candidate, program, &name, &processor).map_err(fail)?;
        install(&mut ctx, program, &name, image);
        self.queue.push(pid);
        Ok(pid)
    }

    /// What the x86_64 CPU shows; nothing at all before there is one.
    pub(super) fn cpuid(&self) -> Cpuid {
        match self.processors[Arch::X86_64.index()] {
            Known::Yes(processor) => processor.cpuid.unwrap_or_default(),
            Known::NotYet | Known::Never => Cpuid::default(),
        }
    }

    /// The first process, before it has a program.
    fn add_first(&mut self, cwd: Option<&std::path::Path>) -> Result<Pid, Error> {
        let pid = self.next_pid;
        self.next_pid += 1;
        self.first_pid = pid;
        let start_ns = self.monotonic_ns();
        let fs = FsContext::initial(&mut *self.host, self.config.layout.root.as_deref(), cwd)?;
        if let Some(root) = fs.root.host_fd().cloned()
            && let Ok(stat) = self.host.stat(&root)
        {
            self.mounts = fs::Mounts::of_host(root, stat);
        }
        let files = FdTable::inherit(&mut *self.host);
        let space = Space::new(&self.windows)?;
        let inherited = self.host.inherited_signals();
        let thread = Thread {
            tid: pid,
            pid,
            arch: Arch::X86_64,
            regs: Regs::new(Arch::X86_64),
            space: Rc::new(RefCell::new(space)),
            files: Rc::new(RefCell::new(files)),
            fs: Rc::new(RefCell::new(fs)),
            actions: Rc::new(RefCell::new(signal::Actions::ignoring(inherited.ignored))),
            signals: signal::ThreadSignals::with_mask(inherited.blocked),
            credentials: Credentials::from_host(&mut *self.host),
            comm: Vec::new(),
            clear_child_tid: GuestAddr::NULL,
            robust_list: (GuestAddr::NULL, 0),
            state: State::Runnable,
            in_call: None,
            interrupted: false,
            restart: None,
            call_state: None,
            retired: 0,
            cpu: time::CpuTime::default(),
            sched: task::Scheduling { nice: self.host.nice(), ..task::Scheduling::default() },
            seccomp: task::Seccomp::default(),
            rseq: task::Rseq::default(),
        };
        let process = Process {
            pid,
            ppid: 0,
            pgid: pid,
            sid: pid,
            terminal: None,
            threads: vec![pid],
            exe: Vec::new(),
            running: None,
            argv: Vec::new(),
            envp: Vec::new(),
            auxv: Vec::new(),
            pending: signal::Pending::default(),
            signals: signal::ProcessSignals::default(),
            limits: ResourceLimit::from_host(&mut *self.host),
            personality: 0,
            settings: task::Settings::default(),
            timers: time::ProcessTimers::default(),
            accounts: time::Accounts::default(),
            start_ns,
            layout: process::Layout::default(),
            creator: 0,
            exit_signal: i32::from(Signal::SIGCHLD.0),
            borrows_memory: false,
            owner_at_exit: 0,
            io: IoCounts::default(),
            comm_at_exit: Vec::new(),
            exit: None,
        };
        self.processes.insert(pid, process);
        self.threads.insert(pid, thread);
        self.inherit_terminal(pid);
        Ok(pid)
    }
}

/// Replaces the program of the calling process by one in `file`, which may be of the other architecture. Until it
/// succeeds nothing has changed; then the caller has new registers. `name` is AT_EXECFN: the script's, if it is one.
///
/// # Errors
/// Why it cannot be run; [`Stop::NeedCpu`] when the machine must say first what the CPU for it can do.
pub(super) fn replace(
    ctx: &mut Ctx,
    file: Rc<File>,
    stat: FileStat,
    program: &Program,
    name: &[u8],
) -> Result<(), Stop> {
    let refuse = |e: LoadError| Stop::Errno(e.errno());
    let candidate = Candidate::of(file, stat).map_err(refuse)?;
    let arch = candidate.headers.arch;
    let processor = match ctx.kernel.processors[arch.index()] {
        Known::Yes(processor) => processor,
        Known::NotYet => return Err(Stop::NeedCpu(arch)),
        Known::Never => return Err(Errno::ENOEXEC.into()),
    };
    let image = build(ctx, &candidate, program, name, &processor).map_err(refuse)?;
    ctx.become_only_thread();
    ctx.leave_program();
    install(ctx, program, name, image);
    if arch == ctx.arch {
        let regs = ctx.thread().regs.clone();
        ctx.port.load(&regs);
    }
    Ok(())
}

/// Loads a program into a new space.
fn build(
    ctx: &mut Ctx,
    file: &Candidate,
    program: &Program,
    name: &[u8],
    processor: &Processor,
) -> Result<NewImage, LoadError> {
    let arch = file.headers.arch;
    let interpreter = match &file.headers.interpreter {
        Some(name) => Some(Candidate::open_interpreter(ctx, name).map_err(|reason| LoadError::Interpreter {
            path: String::from_utf8_lossy(name).into_owned(),
            reason: Box::new(reason),
        })?),
        None => None,
    };
    let running = ctx.kernel.uses.begin(&file.stat, Use::Run).map_err(LoadError::Host)?;
    let inner = interpreter.as_ref().map(Candidate::image).transpose()?;
    let mut space = Space::new(&ctx.kernel.windows).map_err(|_| LoadError::NoRoom("another process"))?;
    let limits = ctx.process().limits;
    space.limits.stack = limits[rlimit::RLIMIT_STACK as usize].soft;
    space.set_stack_room(space.limits.stack);
    let loaded = loader::load(&mut space, &file.image()?, inner.as_ref())?;
    let vdso = loader::vdso::map(&mut space, arch).map_err(LoadError::Host)?;
    let mut random = [0; 16];
    ctx.kernel.random(&mut random);
    let auxv = auxv(arch, &loaded, vdso.header, processor, &ctx.thread().credentials);
    let limit = space.limits.stack;
    let contents = stack::Contents {
        argv: &program.argv,
        envp: &program.envp,
        execfn: name,
        platform: arch.name(),
        random,
        auxv: &auxv,
        limit,
        executable: loaded.exec_stack,
    };
    let stack = stack::build(&mut space, &contents)?;
    // The other limits hold for what the program itself maps.
    space.limits.address_space = limits[rlimit::RLIMIT_AS as usize].soft;
    space.limits.data = limits[rlimit::RLIMIT_DATA as usize].soft;
    space.limits.locked = limits[rlimit::RLIMIT_MEMLOCK as usize].soft;
    let mut regs = Regs::new(arch);
    regs.set_pc(loaded.start.0);
    regs.set_sp(stack.sp.0);
    Ok(NewImage {
        exe: file.file.path(),
        running: Rc::new(running),
        space,
        regs,
        loaded,
        stack,
        trampoline: vdso.sigreturn,
    })
}

/// The name of a thread that runs the file with this path: at most 15 bytes of its last part.
pub(super) fn comm_of(path: &[u8]) -> Vec<u8> {
    let base = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    base[..base.len().min(15)].to_vec()
}

/// Gives a new image to the calling process.
fn install(ctx: &mut Ctx, program: &Program, name: &[u8], image: NewImage) {
    let NewImage { exe, running, space, regs, loaded, stack, trampoline } = image;
    let thread = ctx.thread();
    thread.arch = loaded.arch;
    thread.regs = regs;
    thread.space = Rc::new(RefCell::new(space));
    thread.comm = comm_of(name);
    let process = ctx.process();
    process.exe = exe.to_vec();
    process.running = Some(running);
    process.signals.trampoline = trampoline;
    process.argv = program.argv.clone();
    process.envp = program.envp.clone();
    process.auxv = stack.auxv;
    process.layout = process::Layout {
        code: loaded.code,
        data: loaded.data,
        stack: stack.sp,
        args: stack.args,
        env: stack.env,
        brk: loaded.brk,
    };
}

/// The entries of the auxiliary vector that do not point into the stack, in Linux's order (ARCH_DLINFO first).
fn auxv(
    arch: Arch,
    loaded: &Loaded,
    vdso: GuestAddr,
    processor: &Processor,
    credentials: &Credentials,
) -> Vec<(u64, u64)> {
    let (uid, gid) = (&credentials.uid, &credentials.gid);
    vec![
        (at::SYSINFO_EHDR, vdso.0),
        (at::MINSIGSTKSZ, signal::min_stack(arch, processor.cpuid.map_or(0, Cpuid::xcr0))),
        (at::HWCAP, processor.hwcap.0),
        (at::PAGESZ, crate::mem::PAGE_SIZE),
        (at::CLKTCK, 100),
        (at::PHDR, loaded.phdr.0),
        (at::PHENT, 56),
        (at::PHNUM, loaded.phnum),
        (at::BASE, loaded.base.0),
        (at::FLAGS, 0),
        (at::ENTRY, loaded.entry.0),
        (at::UID, uid[0].into()),
        (at::EUID, uid[1].into()),
        (at::GID, gid[0].into()),
        (at::EGID, gid[1].into()),
        (at::SECURE, 0),
        (at::HWCAP2, processor.hwcap.1),
    ]
}
