//! Starting programs: the first process, and what execve(2) does with an image.

use super::*;
use crate::Error;
use crate::arch::Regs;
use crate::loader::{self, Image, LoadError, Loaded, elf::Headers, stack, stack::at};
use crate::mem::{GuestAddr, Space};
use std::cell::RefCell;
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

/// The CPU's part of the auxiliary vector: AT_HWCAP and AT_HWCAP2.
pub type Hwcaps = (u64, u64);

/// A program file, opened and judged.
struct Candidate {
    file: std::fs::File,
    path: Rc<[u8]>,
    meta: Metadata,
    headers: Headers,
}

#[derive(Clone, Copy)]
struct Metadata {
    dev: u64,
    ino: u64,
    size: u64,
}

impl Candidate {
    fn open(path: &[u8]) -> Result<Candidate, LoadError> {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::MetadataExt;
        let name = std::ffi::OsStr::from_bytes(path);
        let host = |e: std::io::Error| LoadError::Host(e.into());
        let file = std::fs::File::open(name).map_err(host)?;
        let m = file.metadata().map_err(host)?;
        if m.is_dir() {
            return Err(LoadError::Host(Errno::EISDIR));
        }
        if !m.is_file() {
            return Err(LoadError::NotRegular);
        }
        if m.mode() & 0o111 == 0 {
            return Err(LoadError::NotExecutable);
        }
        let meta = Metadata { dev: m.dev(), ino: m.ino(), size: m.len() };
        let path: Rc<[u8]> = path.into();
        let mut out = Candidate { file, path, meta, headers: EMPTY };
        out.headers = Headers::read(&out.image())?;
        Ok(out)
    }

    fn image(&self) -> Image<'_> {
        use std::os::fd::AsFd;
        let Metadata { dev, ino, size } = self.meta;
        Image { fd: self.file.as_fd(), path: Rc::clone(&self.path), dev, ino, size }
    }
}

const EMPTY: Headers = Headers {
    arch: Arch::X86_64,
    relocatable: false,
    entry: 0,
    phoff: 0,
    phnum: 0,
    phdr_vaddr: None,
    segments: Vec::new(),
    interpreter: None,
    exec_stack: false,
    align: 0,
};

/// A new image of a process: its memory and its registers.
struct NewImage {
    space: Space,
    regs: Regs,
    loaded: Loaded,
    stack: stack::Built,
    trampoline: GuestAddr,
}

impl Kernel {
    /// Creates the first process with `program` loaded; `hwcaps` opens the CPU for its architecture and says what it
    /// can do.
    ///
    /// # Errors
    /// The program cannot be run ([`Error::Load`] carries the exit status), or the CPU not be opened.
    pub fn boot(
        &mut self,
        program: &Program,
        hwcaps: impl FnOnce(Arch) -> Result<Hwcaps, Error>,
    ) -> Result<Pid, Error> {
        let fail = |e: LoadError| Error::Load {
            path: String::from_utf8_lossy(&program.path).into_owned(),
            status: e.status(),
            reason: e.to_string(),
        };
        let candidate = Candidate::open(&program.path).map_err(fail)?;
        let caps = hwcaps(candidate.headers.arch)?;
        let credentials = Credentials::from_host(&mut *self.host);
        let image = self.build(&candidate, program, caps, &credentials).map_err(fail)?;
        let fs = FsContext::initial(&mut *self.host, program.cwd.as_deref())?;
        let files = FdTable::inherit(&mut *self.host);
        Ok(self.add_first(program, image, credentials, fs, files))
    }

    fn build(
        &mut self,
        file: &Candidate,
        program: &Program,
        caps: Hwcaps,
        credentials: &Credentials,
    ) -> Result<NewImage, LoadError> {
        let arch = file.headers.arch;
        let mut space = Space::new(&self.windows).map_err(|_| LoadError::NoRoom("another process"))?;
        let interpreter = match &file.headers.interpreter {
            Some(name) => Some(Candidate::open(name).map_err(|reason| LoadError::Interpreter {
                path: String::from_utf8_lossy(name).into_owned(),
                reason: Box::new(reason),
            })?),
            None => None,
        };
        let inner = interpreter.as_ref().map(Candidate::image);
        let loaded = loader::load(&mut space, &file.image(), inner.as_ref())?;
        let trampoline = signal::map_trampoline(&mut space, arch).map_err(LoadError::Host)?;
        let mut random = [0; 16];
        self.random(&mut random);
        let limit = space.limits.stack;
        let stack = stack::build(
            &mut space,
            &stack::Contents {
                argv: &program.argv,
                envp: &program.envp,
                execfn: &program.path,
                platform: arch.name(),
                random,
                auxv: &auxv(arch, &loaded, caps, credentials),
                limit,
                executable: loaded.exec_stack,
            },
        )?;
        let mut regs = Regs::new(arch);
        regs.set_pc(loaded.start.0);
        regs.set_sp(stack.sp.0);
        Ok(NewImage { space, regs, loaded, stack, trampoline })
    }

    fn add_first(
        &mut self,
        program: &Program,
        image: NewImage,
        credentials: Credentials,
        fs: FsContext,
        files: FdTable,
    ) -> Pid {
        let pid = self.next_pid;
        self.next_pid += 1;
        let start_ns = self.monotonic_ns();
        let NewImage { space, regs, loaded, stack, trampoline } = image;
        let inherited = self.host.inherited_signals();
        let base = program.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let thread = Thread {
            tid: pid,
            pid,
            arch: loaded.arch,
            regs,
            space: Rc::new(RefCell::new(space)),
            files: Rc::new(RefCell::new(files)),
            fs: Rc::new(RefCell::new(fs)),
            actions: Rc::new(RefCell::new(signal::Actions::ignoring(inherited.ignored))),
            signals: signal::ThreadSignals::with_mask(inherited.blocked),
            credentials,
            comm: base[..base.len().min(15)].to_vec(),
            clear_child_tid: GuestAddr::NULL,
            robust_list: (GuestAddr::NULL, 0),
            state: State::Runnable,
            in_call: None,
            interrupted: false,
            restart: None,
            call_state: None,
            retired: 0,
            cpu: time::CpuTime::default(),
            sched: task::Scheduling::default(),
            rseq: task::Rseq::default(),
        };
        let layout = process::Layout {
            code: loaded.code,
            data: loaded.data,
            stack: stack.sp,
            args: stack.args,
            env: stack.env,
            brk: loaded.brk,
        };
        let process = Process {
            pid,
            ppid: 0,
            pgid: pid,
            sid: pid,
            threads: vec![pid],
            exe: program.path.clone(),
            argv: program.argv.clone(),
            envp: program.envp.clone(),
            auxv: stack.auxv,
            pending: signal::Pending::default(),
            signals: signal::ProcessSignals { trampoline, ..Default::default() },
            limits: ResourceLimit::from_host(&mut *self.host),
            personality: 0,
            settings: task::Settings::default(),
            timers: time::ProcessTimers::default(),
            accounts: time::Accounts::default(),
            start_ns,
            layout,
            exit: None,
        };
        self.processes.insert(pid, process);
        self.threads.insert(pid, thread);
        self.queue.push(pid);
        pid
    }
}

/// The entries of the auxiliary vector that do not point into the stack, in Linux's order (ARCH_DLINFO first).
fn auxv(arch: Arch, loaded: &Loaded, caps: Hwcaps, credentials: &Credentials) -> Vec<(u64, u64)> {
    let (uid, gid) = (&credentials.uid, &credentials.gid);
    vec![
        (at::MINSIGSTKSZ, signal::min_stack(arch)),
        (at::HWCAP, caps.0),
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
        (at::HWCAP2, caps.1),
    ]
}
