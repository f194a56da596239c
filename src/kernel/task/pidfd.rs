//! Descriptors of processes and threads: pidfd_open(2) and its kin.

use super::*;
use crate::abi::consts::open::{O_NONBLOCK, O_RDWR};
use crate::abi::consts::poll::{POLLHUP, POLLIN, POLLRDNORM};
use crate::abi::consts::{pidfd_open as open, pidfd_send_signal as scope, setns as ns};
use crate::host::FileStat;
use crate::kernel::file::{File, FileKind, FileOps, Label, Readiness};
use crate::kernel::procfs;
use std::any::Any;
use std::rc::Rc;

/// What /proc/PID/fd shows for them.
const NAME: &[u8] = b"anon_inode:[pidfd]";

/// What a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Process,
    Thread,
}

impl Kind {
    /// A thread's if `flags` has this bit.
    pub(super) fn thread_if(flags: u64, bit: u32) -> Kind {
        if flags & u64::from(bit) != 0 { Kind::Thread } else { Kind::Process }
    }
}

/// An open pidfd. It keeps meaning the same process, even when another gets its number.
#[derive(Debug)]
pub struct PidFd {
    kind: Kind,
    pid: Pid,
    /// When the process started, which tells it from a later one of this number.
    start_ns: u64,
    stat: FileStat,
}

impl PidFd {
    fn new(kernel: &mut Kernel, pid: Pid, kind: Kind) -> PidFd {
        let now = kernel.file_time();
        let stat = FileStat { dev: 15, ino: 1, mode: 0o600, nlink: 1, blksize: 4096, ..FileStat::default() };
        PidFd {
            kind,
            pid,
            start_ns: kernel.process_of(pid).map_or(0, |p| p.start_ns),
            stat: FileStat { atime: now, mtime: now, ctime: now, ..stat },
        }
    }

    /// The id of what it refers to, while that is there: a zombie is, until it is reaped.
    pub fn target(&self, kernel: &Kernel) -> Option<Pid> {
        let there = match self.kind {
            Kind::Process => kernel.processes.get(&self.pid).is_some_and(|p| p.start_ns == self.start_ns),
            Kind::Thread => kernel.process_of(self.pid).is_some_and(|p| p.start_ns == self.start_ns),
        };
        there.then_some(self.pid)
    }

    fn has_ended(&self, kernel: &Kernel) -> bool {
        match self.kind {
            Kind::Process => kernel.processes.get(&self.pid).is_none_or(|p| p.exit.is_some()),
            Kind::Thread => !kernel.threads.contains_key(&self.pid),
        }
    }
}

impl FileOps for PidFd {
    fn kind(&self) -> FileKind {
        FileKind::Anonymous
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn readiness(&self, ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let gone = if self.target(ctx.kernel).is_none() { POLLHUP } else { 0 };
        let ended = if self.has_ended(ctx.kernel) { POLLIN | POLLRDNORM } else { 0 };
        Readiness::object(ended | gone, WaitKey::End(self.pid))
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(self.stat)
    }

    fn label(&self) -> Option<Label> {
        Some(Label::Process(self.pid))
    }

    fn fdinfo_in(&self, kernel: &mut Kernel) -> String {
        let pid = self.target(kernel).unwrap_or(-1);
        format!("Pid:\t{pid}\nNSpid:\t{pid}\n")
    }
}

/// A new pidfd as an open file.
pub(super) fn file_for(kernel: &mut Kernel, pid: Pid, kind: Kind, flags: u32) -> Rc<File> {
    let ops = PidFd::new(kernel, pid, kind);
    File::new(ops, NAME, O_RDWR | flags & O_NONBLOCK)
}

impl Ctx<'_> {
    /// The process or thread that a pidfd, or a descriptor of `/proc/PID`, refers to.
    ///
    /// # Errors
    /// `EBADF`: it is no such descriptor. `ESRCH`: the process is gone.
    pub fn pidfd_target(&self, fd: i32) -> Result<Pid, Errno> {
        let file = self.file(fd)?;
        if let Some(pidfd) = file.downcast::<PidFd>() {
            return pidfd.target(self.kernel).ok_or(Errno::ESRCH);
        }
        let made = file.downcast::<fs::MadeFile>().ok_or(Errno::EBADF)?;
        let id = made.node.path.strip_prefix(b"/proc/").and_then(procfs::number).ok_or(Errno::EBADF)?;
        if self.kernel.processes.contains_key(&id) { Ok(id) } else { Err(Errno::ESRCH) }
    }

    /// Whether the caller may look into the process of `tid` as a debugger could (`ptrace_may_access`): it is its own,
    /// or all its ids are the caller's, or the caller has CAP_SYS_PTRACE.
    pub fn may_inspect(&mut self, tid: Tid) -> bool {
        let (own_pid, own) = (self.pid, self.thread().credentials.clone());
        let Some(t) = self.kernel.threads.get(&tid) else { return false };
        let theirs = &t.credentials;
        let same = |mine: u32, ids: [u32; 4]| ids[..3].iter().all(|id| *id == mine);
        t.pid == own_pid
            || own.has(crate::abi::consts::cap::CAP_SYS_PTRACE)
            || same(own.uid[3], theirs.uid) && same(own.gid[3], theirs.gid) && theirs.caps[1] & !own.caps[1] == 0
    }
}

/// pidfd_open(2).
pub fn pidfd_open(ctx: &mut Ctx, a: &args::PidfdOpen) -> SysResult {
    if a.flags & !(open::PIDFD_NONBLOCK | open::PIDFD_THREAD) != 0 || a.pid <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let kind = Kind::thread_if(a.flags.into(), open::PIDFD_THREAD);
    if !ctx.kernel.processes.contains_key(&a.pid) {
        let known = ctx.kernel.threads.contains_key(&a.pid);
        if !known || kind == Kind::Process {
            return Err(if known { Errno::EINVAL } else { Errno::ESRCH }.into());
        }
    }
    let file = file_for(ctx.kernel, a.pid, kind, a.flags);
    Ok(ctx.install(file, true)? as u64)
}

/// pidfd_send_signal(2).
pub fn pidfd_send_signal(ctx: &mut Ctx, a: &args::PidfdSendSignal) -> SysResult {
    let known = scope::PIDFD_SIGNAL_THREAD | scope::PIDFD_SIGNAL_THREAD_GROUP | scope::PIDFD_SIGNAL_PROCESS_GROUP;
    if a.flags & !known != 0 || a.flags.count_ones() > 1 {
        return Err(Errno::EINVAL.into());
    }
    let target = ctx.pidfd_target(a.pidfd)?;
    let is_thread = ctx.file(a.pidfd)?.downcast::<PidFd>().is_some_and(|p| p.kind == Kind::Thread);
    let to = match a.flags {
        scope::PIDFD_SIGNAL_THREAD => signal::Scope::Thread(target),
        scope::PIDFD_SIGNAL_PROCESS_GROUP => signal::Scope::Group(target),
        0 if is_thread => signal::Scope::Thread(target),
        _ => signal::Scope::Process(ctx.kernel.threads.get(&target).map_or(target, |t| t.pid)),
    };
    ctx.signal_by_pidfd(to, a.sig, a.info)
}

/// pidfd_getfd(2).
pub fn pidfd_getfd(ctx: &mut Ctx, a: &args::PidfdGetfd) -> SysResult {
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = ctx.file(a.pidfd)?;
    let pidfd = file.downcast::<PidFd>().ok_or(Errno::EBADF)?;
    let target = pidfd.target(ctx.kernel).ok_or(Errno::ESRCH)?;
    let tid = match pidfd.kind {
        Kind::Thread => Some(target),
        Kind::Process => ctx.kernel.processes.get(&target).and_then(|p| p.threads.first().copied()),
    };
    let tid = tid.ok_or(Errno::ESRCH)?;
    if !ctx.may_inspect(tid) {
        return Err(Errno::EPERM.into());
    }
    let files = ctx.kernel.threads.get(&tid).map(|t| Rc::clone(&t.files)).ok_or(Errno::ESRCH)?;
    let wanted = files.borrow().get(a.targetfd)?;
    Ok(ctx.install(wanted, true)? as u64)
}

/// setns(2). The machine has one namespace of each kind, so whoever may join it is in it already.
pub fn setns(ctx: &mut Ctx, a: &args::Setns) -> SysResult {
    let file = ctx.file(a.fd)?;
    let all = ns::CLONE_NEWTIME
        | ns::CLONE_NEWNS
        | ns::CLONE_NEWCGROUP
        | ns::CLONE_NEWUTS
        | ns::CLONE_NEWIPC
        | ns::CLONE_NEWUSER
        | ns::CLONE_NEWPID
        | ns::CLONE_NEWNET;
    let kinds = match (file.downcast::<PidFd>(), file.downcast::<Namespace>()) {
        (Some(pidfd), _) => {
            if a.nstype == 0 || a.nstype & !all != 0 {
                return Err(Errno::EINVAL.into());
            }
            pidfd.target(ctx.kernel).ok_or(Errno::ESRCH)?;
            a.nstype
        }
        (_, Some(space)) if a.nstype == 0 || a.nstype == space.kind().flag => space.kind().flag,
        _ => return Err(Errno::EINVAL.into()),
    };
    if kinds & ns::CLONE_NEWUSER != 0 {
        return Err(Errno::EINVAL.into());
    }
    if !ctx.thread().credentials.has(crate::abi::consts::cap::CAP_SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    Ok(0)
}

/// A kind of namespace (namespaces(7)).
#[derive(Debug)]
pub struct NamespaceKind {
    /// Name in /proc/PID/ns.
    pub entry: &'static str,
    /// Name in what its link shows.
    pub name: &'static str,
    /// CLONE_NEW* bit.
    pub flag: u32,
    /// Inode number of the machine's one.
    pub ino: u64,
}

const fn kind(entry: &'static str, name: &'static str, flag: u32, ino: u64) -> NamespaceKind {
    NamespaceKind { entry, name, flag, ino }
}

/// All kinds, with the inode numbers that Linux gives its initial namespaces.
pub const NAMESPACES: [NamespaceKind; 10] = [
    kind("cgroup", "cgroup", ns::CLONE_NEWCGROUP, 0xefff_fffb),
    kind("ipc", "ipc", ns::CLONE_NEWIPC, 0xefff_ffff),
    kind("mnt", "mnt", ns::CLONE_NEWNS, 0xf000_0000),
    kind("net", "net", ns::CLONE_NEWNET, 0xf000_0098),
    kind("pid", "pid", ns::CLONE_NEWPID, 0xefff_fffc),
    kind("pid_for_children", "pid", ns::CLONE_NEWPID, 0xefff_fffc),
    kind("time", "time", ns::CLONE_NEWTIME, 0xefff_fffa),
    kind("time_for_children", "time", ns::CLONE_NEWTIME, 0xefff_fffa),
    kind("user", "user", ns::CLONE_NEWUSER, 0xefff_fffd),
    kind("uts", "uts", ns::CLONE_NEWUTS, 0xefff_fffe),
];

/// An open file of /proc/PID/ns.
#[derive(Debug)]
pub struct Namespace(usize);

impl Namespace {
    /// The open file for the kind with this index in [`NAMESPACES`].
    pub fn open(index: usize) -> Rc<File> {
        let index = index.min(NAMESPACES.len() - 1);
        let kind = &NAMESPACES[index];
        File::new(Namespace(index), format!("{}:[{}]", kind.name, kind.ino).as_bytes(), 0)
    }

    /// Another open file of the same namespace.
    pub fn reopen(&self) -> Rc<File> {
        Namespace::open(self.0)
    }

    fn kind(&self) -> &'static NamespaceKind {
        &NAMESPACES[self.0]
    }
}

impl FileOps for Namespace {
    fn kind(&self) -> FileKind {
        FileKind::Regular
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        let now = ctx.kernel.file_time();
        let stat = FileStat { dev: 4, ino: self.kind().ino, mode: 0o100_444, nlink: 1, ..FileStat::default() };
        Ok(FileStat { blksize: 4096, atime: now, mtime: now, ctime: now, ..stat })
    }

    fn ioctl(&self, ctx: &mut Ctx, _file: &File, request: u32, _arg: u64) -> SysResult {
        // NS_GET_USERNS, NS_GET_PARENT, NS_GET_NSTYPE (ioctl_ns(2)).
        match request {
            0xb701 => {
                let user = NAMESPACES.iter().position(|k| k.flag == ns::CLONE_NEWUSER).unwrap_or_default();
                Ok(ctx.install(Namespace::open(user), true)? as u64)
            }
            // The parent of the first one is out of reach.
            0xb702 if matches!(self.kind().flag, ns::CLONE_NEWUSER | ns::CLONE_NEWPID) => Err(Errno::EPERM.into()),
            0xb702 => Err(Errno::EINVAL.into()),
            0xb703 => Ok(self.kind().flag.into()),
            _ => Err(Errno::ENOTTY.into()),
        }
    }
}
