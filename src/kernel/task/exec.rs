//! Running another program: execve(2), execveat(2), and `#!` scripts.

use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};
use crate::abi::consts::rlimit;
use crate::host::FileStat;
use crate::kernel::exec::{self, Program, SCRIPT_LINE};
use crate::kernel::file::File;
use crate::kernel::fs::path::{AT_FDCWD, Follow};
use crate::loader::LoadError;
use crate::mem::GuestAddr;
use std::cell::RefCell;
use std::rc::Rc;

/// Longest argument or environment string, its NUL included (MAX_ARG_STRLEN).
const MAX_ARG_STRLEN: usize = 32 * crate::mem::PAGE_SIZE as usize;

/// Strings and pointers may take a quarter of the stack limit, but at most three quarters of 8 MiB, and at least what
/// Linux always allowed (ARG_MAX).
const ARGS_MOST: u64 = 6 << 20;
const ARGS_LEAST: u64 = 128 << 10;

/// How often a script may name a script as its interpreter.
const MAX_DEPTH: usize = 5;

/// execve(2).
pub fn execve(ctx: &mut Ctx, a: &args::Execve) -> SysResult {
    let path = ctx.path(a.path)?;
    if path.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    execute(ctx, AT_FDCWD, &path, [a.argv, a.envp], 0)
}

/// execveat(2).
pub fn execveat(ctx: &mut Ctx, a: &args::Execveat) -> SysResult {
    if a.flags & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let path = ctx.path(a.path)?;
    if path.is_empty() && a.flags & AT_EMPTY_PATH == 0 {
        return Err(Errno::ENOENT.into());
    }
    execute(ctx, a.dirfd, &path, [a.argv, a.envp], a.flags)
}

fn execute(ctx: &mut Ctx, dirfd: i32, path: &[u8], lists: [GuestAddr; 2], flags: u32) -> SysResult {
    let refuse = |e: LoadError| Stop::Errno(e.errno());
    let follow = if flags & AT_SYMLINK_NOFOLLOW == 0 { Follow::Yes } else { Follow::No };
    let (file, stat) = if path.is_empty() {
        exec_by_descriptor(ctx, dirfd)?
    } else {
        crate::kernel::fs::open_program(ctx, dirfd, path, follow).map_err(refuse)?
    };
    let [mut argv, envp] = read_lists(ctx, lists)?;
    if argv.is_empty() {
        // Since Linux 5.18 a program always finds its name.
        argv.push(Vec::new());
    }
    let mut program = Program { path: name_for(dirfd, path), argv, envp, cwd: None };
    let name = program.path.clone();
    let is_lost = is_lost_at_exec(ctx, dirfd, path);
    let (file, stat) = interpret(ctx, &mut program, file, stat, is_lost).map_err(refuse)?;
    let own_name = file.path();
    // AT_EXECFN and the thread's name speak of the script.
    exec::replace(ctx, file, stat, &program, &name)?;
    if path.is_empty() {
        // Since Linux 6.14 a number is not taken for a name.
        ctx.thread().comm = exec::comm_of(&own_name);
    }
    Err(Stop::NoReturn)
}

/// Replaces a script by its interpreter until there is a file that is none. `is_lost`
/// says that the first one cannot be opened by its name after the call.
///
/// # Errors
/// Those of execve(2).
pub(in crate::kernel) fn interpret(
    ctx: &mut Ctx,
    program: &mut Program,
    mut file: Rc<File>,
    mut stat: FileStat,
    is_lost: bool,
) -> Result<(Rc<File>, FileStat), LoadError> {
    for depth in 0.. {
        let head = exec::head(&file, &stat)?;
        let Some(line) = head.strip_prefix(b"#!") else { break };
        if depth == MAX_DEPTH {
            return Err(LoadError::Host(Errno::ELOOP));
        }
        let line = Shebang::parse(line).map_err(LoadError::Host)?;
        if is_lost {
            // The interpreter could not open the script.
            return Err(LoadError::Host(Errno::ENOENT));
        }
        program.argv = line.arguments(program);
        (file, stat) = crate::kernel::fs::open_program(ctx, AT_FDCWD, &line.interpreter, Follow::Yes)?;
        program.path = line.interpreter;
    }
    Ok((file, stat))
}

/// AT_EMPTY_PATH: the file behind a descriptor.
fn exec_by_descriptor(ctx: &mut Ctx, fd: i32) -> Result<(Rc<File>, FileStat), Stop> {
    if fd == AT_FDCWD {
        return Err(Errno::EACCES.into());
    }
    let name = format!("/proc/self/fd/{fd}");
    ctx.file(fd)?;
    let opened = crate::kernel::fs::open_program(ctx, AT_FDCWD, name.as_bytes(), Follow::Yes);
    opened.map_err(|e| Stop::Errno(e.errno()))
}

/// The name that the program is told: execveat(2), NOTES.
fn name_for(dirfd: i32, path: &[u8]) -> Vec<u8> {
    if dirfd == AT_FDCWD || path.first() == Some(&b'/') {
        return path.to_vec();
    }
    let mut name = format!("/dev/fd/{dirfd}").into_bytes();
    if !path.is_empty() {
        name.push(b'/');
        name.extend_from_slice(path);
    }
    name
}

/// Whether a name by descriptor no longer leads anywhere after the call.
fn is_lost_at_exec(ctx: &mut Ctx, dirfd: i32, path: &[u8]) -> bool {
    dirfd != AT_FDCWD && path.first() != Some(&b'/') && ctx.files().close_on_exec(dirfd).unwrap_or(false)
}

/// The first line of a script.
struct Shebang {
    interpreter: Vec<u8>,
    argument: Option<Vec<u8>>,
}

impl Shebang {
    /// Parses what follows `#!` in the first [`SCRIPT_LINE`] bytes of a file (`load_script` of Linux).
    fn parse(head: &[u8]) -> Result<Shebang, Errno> {
        // The last byte that is looked at only tells whether a name ends before it.
        const ROOM: usize = SCRIPT_LINE - 3;
        let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
        let end = head.iter().position(|b| *b == b'\n' || *b == 0);
        let line = &head[..end.unwrap_or(head.len())];
        let start = line.iter().position(|b| !is_blank(b)).ok_or(Errno::ENOEXEC)?;
        let name_end = line[start..].iter().position(is_blank).map(|n| start + n);
        // An interpreter's name that is cut off would be another's.
        if end.is_none() && name_end.is_none() && head.len() > ROOM {
            return Err(Errno::ENOEXEC);
        }
        let line = &line[..line.len().min(ROOM)];
        let name_end = name_end.unwrap_or(line.len()).min(line.len());
        let interpreter = line.get(start..name_end).ok_or(Errno::ENOEXEC)?.to_vec();
        let rest = &line[name_end..];
        let first = rest.iter().position(|b| !is_blank(b));
        let last = rest.iter().rposition(|b| !is_blank(b));
        let argument = first.zip(last).map(|(a, b)| rest[a..=b].to_vec());
        Ok(Shebang { interpreter, argument })
    }

    /// Interpreter, its argument, the script, and the script's arguments without its own name.
    fn arguments(&self, script: &Program) -> Vec<Vec<u8>> {
        let own = [Some(&self.interpreter), self.argument.as_ref(), Some(&script.path)].into_iter().flatten();
        own.chain(script.argv.iter().skip(1)).cloned().collect()
    }
}

/// Argument and environment strings, within Linux's limits on them.
fn read_lists(ctx: &mut Ctx, lists: [GuestAddr; 2]) -> Result<[Vec<Vec<u8>>; 2], Errno> {
    let stack = ctx.process().limits[rlimit::RLIMIT_STACK as usize].soft;
    let mut room = (stack / 4).clamp(ARGS_LEAST, ARGS_MOST);
    let mut read = |ctx: &mut Ctx, list: GuestAddr| -> Result<Vec<Vec<u8>>, Errno> {
        let mut strings = Vec::new();
        if list.is_null() {
            return Ok(strings);
        }
        for i in 0.. {
            let at: u64 = ctx.mem().copy_in(GuestAddr(list.0.wrapping_add(8 * i)))?;
            if at == 0 {
                break;
            }
            let string = match ctx.mem().read_cstr(GuestAddr(at), MAX_ARG_STRLEN) {
                Err(Errno::ENAMETOOLONG) => return Err(Errno::E2BIG),
                other => other?,
            };
            room = room.checked_sub(string.len() as u64 + 1 + 8).ok_or(Errno::E2BIG)?;
            strings.push(string);
        }
        Ok(strings)
    };
    Ok([read(ctx, lists[0])?, read(ctx, lists[1])?])
}

impl Ctx<'_> {
    /// Ends the other threads of the calling process; the caller gets the process's id if it is not its first thread.
    pub(in crate::kernel) fn become_only_thread(&mut self) {
        let (own, pid) = (self.tid, self.pid);
        let others: Vec<Tid> = self.process().threads.iter().copied().filter(|t| *t != own).collect();
        for tid in others {
            match own {
                _ if tid == pid => self.kernel.events.push(Event::Superseded { pid, by: own }),
                _ => self.kernel.events.push(Event::ThreadExited { tid, status: ExitStatus::Code(0) }),
            }
            self.kernel.end_silently(tid);
        }
        if own == pid {
            return;
        }
        self.kernel.queue.remove(own);
        if let Some(mut thread) = self.kernel.threads.remove(&own) {
            thread.tid = pid;
            self.kernel.threads.insert(pid, thread);
        }
        self.process().threads = vec![pid];
        for child in self.kernel.processes.values_mut().filter(|p| p.creator == own) {
            child.creator = pid;
        }
        self.tid = pid;
        self.kernel.renamed = Some(pid);
    }

    /// What a process loses with its program: memory, handlers, timers, and descriptors that say so (execve(2)).
    pub(in crate::kernel) fn leave_program(&mut self) {
        let (tid, pid) = (self.tid, self.pid);
        self.kernel.release_memory(tid);
        self.unshare_files();
        let closed = self.files().take_close_on_exec();
        for file in closed {
            crate::kernel::io::closed(self, file);
        }
        self.kernel.drop_posix_timers(pid);
        let t = self.thread();
        let actions = t.actions.borrow().after_exec();
        t.actions = Rc::new(RefCell::new(actions));
        t.signals.alt_stack = signal::AltStack::default();
        t.signals.trap = signal::Trap::default();
        t.signals.restart_block = None;
        t.clear_child_tid = GuestAddr::NULL;
        t.robust_list = (GuestAddr::NULL, 0);
        t.rseq = Rseq::default();
        let p = self.process();
        p.settings.has_executed = true;
        p.settings.dumpable = 1;
        p.settings.secure_bits &= !SECBIT_KEEP_CAPS;
        p.settings.mdwe = 0;
        p.exit_signal = i32::from(Signal::SIGCHLD.0);
        let secure_bits = p.settings.secure_bits;
        capability::after_exec(&mut self.thread().credentials, secure_bits);
        let p = self.process();
        if std::mem::take(&mut p.borrows_memory) {
            self.kernel.wake_all(WaitKey::Vfork(pid));
        }
    }
}

/// PR_SET_KEEPCAPS does not outlive a program.
const SECBIT_KEEP_CAPS: u32 = 1 << 4;
