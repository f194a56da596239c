//! What a handler gets to work with.

use super::*;
use crate::mem::{GuestAddr, Space};
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

/// One call of one thread: the machine, the caller, and its registers.
pub struct Ctx<'a> {
    /// The machine.
    pub kernel: &'a mut Kernel,
    /// The calling thread.
    pub tid: Tid,
    /// Its process.
    pub pid: Pid,
    /// Its architecture.
    pub arch: Arch,
    /// Its registers, on the CPU.
    pub port: &'a mut dyn RegPort,
    space: Rc<RefCell<Space>>,
    files: Rc<RefCell<FdTable>>,
}

impl<'a> Ctx<'a> {
    pub(super) fn new(kernel: &'a mut Kernel, tid: Tid, port: &'a mut dyn RegPort) -> Option<Ctx<'a>> {
        let t = kernel.threads.get(&tid)?;
        let (pid, arch, space, files) = (t.pid, t.arch, Rc::clone(&t.space), Rc::clone(&t.files));
        Some(Ctx { kernel, tid, pid, arch, port, space, files })
    }

    /// The caller's memory. Do not hold it over a call that may ask for it again.
    pub fn mem(&self) -> RefMut<'_, Space> {
        self.space.borrow_mut()
    }

    /// The caller's address space, shared.
    pub fn space(&self) -> &Rc<RefCell<Space>> {
        &self.space
    }

    /// The caller's descriptors. Do not hold it over a call that may ask for it again.
    pub fn files(&self) -> RefMut<'_, FdTable> {
        self.files.borrow_mut()
    }

    /// Gives the calling thread a descriptor table of its own, with the same files, if it shares one.
    pub fn unshare_files(&mut self) {
        let own = Rc::new(RefCell::new(self.files.borrow().clone()));
        self.thread().files = Rc::clone(&own);
        self.files = own;
    }

    /// The calling thread.
    #[inline]
    pub fn thread(&mut self) -> &mut Thread {
        self.kernel.threads.get_mut(&self.tid).expect("a context exists only for a live thread")
    }

    /// The calling process.
    #[inline]
    pub fn process(&mut self) -> &mut Process {
        self.kernel.processes.get_mut(&self.pid).expect("a live thread has a process")
    }

    /// The open file behind a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn file(&self, fd: i32) -> Result<Rc<file::File>, Errno> {
        self.files.borrow().get(fd)
    }

    /// A file name from guest memory: at most PATH_MAX bytes.
    ///
    /// # Errors
    /// `EFAULT`, `ENAMETOOLONG`.
    pub fn path(&self, addr: GuestAddr) -> Result<Vec<u8>, Errno> {
        self.space.borrow().read_cstr(addr, 4096)
    }

    /// Waits for `wait`, or, when a signal has interrupted the wait, gives `interrupted` (`EINTR` or one of the
    /// restart codes) instead. To be returned by the handler at once.
    pub fn wait(&mut self, wait: Wait, interrupted: Errno) -> Stop {
        let pending = self.kernel.signal_pending(self.tid);
        if self.thread().interrupted || pending { Stop::Errno(interrupted) } else { Stop::Block(wait) }
    }

    /// State that the handler keeps while the call waits, made by `init` when the call begins. It is dropped when the
    /// call ends. The type must be the same each time.
    pub fn call_state<T: 'static>(&mut self, init: impl FnOnce(&mut Self) -> T) -> Rc<RefCell<T>> {
        let kept = self.thread().call_state.clone().and_then(|s| s.downcast::<RefCell<T>>().ok());
        match kept {
            Some(state) => state,
            None => {
                let state = Rc::new(RefCell::new(init(self)));
                self.thread().call_state = Some(Rc::clone(&state) as Rc<dyn std::any::Any>);
                state
            }
        }
    }

    /// What the handler of the call, or a filter of the caller's, gives.
    pub(super) fn answer(&mut self, raw: &RawCall, index: Option<usize>) -> SysResult {
        let begins = self.count(index, raw);
        if self.kernel.config.check_outs {
            self.mem().write_log().set_enabled(true);
        }
        if begins
            && self.is_filtered()
            && let Some(result) = self.filter_call(raw, index)
        {
            return result;
        }
        match index {
            Some(i) => dispatch::dispatch(self, i, &raw.args),
            None => Err(Errno::ENOSYS.into()),
        }
    }

    /// Counts a call that begins; `false`: it goes on after a wait.
    fn count(&mut self, index: Option<usize>, raw: &RawCall) -> bool {
        let pc = self.port.pc();
        let thread = self.thread();
        if thread.in_call.is_some() {
            return false;
        }
        thread.in_call = Some(InCall { raw: *raw, index, pc });
        self.kernel.charge_call(self.tid);
        let counters = &mut self.kernel.counters;
        match index {
            Some(i) => {
                counters.calls[i] += 1;
                if !ENTRIES[i].is_implemented() {
                    *counters.unimplemented.entry(i).or_default() += 1;
                    if self.kernel.config.strict {
                        self.kernel.strict_violation = Some((ENTRIES[i].name, raw.nr));
                    }
                }
            }
            None => {
                *counters.unknown.entry((self.arch, raw.nr)).or_default() += 1;
                if self.kernel.config.strict {
                    self.kernel.strict_violation = Some(("unknown", raw.nr));
                }
            }
        }
        true
    }

    /// Compares what the handler of call `index` wrote with what the table says it writes.
    pub(super) fn check_outs(&mut self, index: usize, raw: &RawCall, result: &SysResult) {
        let value = match result {
            Ok(v) => *v,
            Err(Stop::Errno(_)) => 0,
            Err(Stop::Block(_) | Stop::NeedCpu(_) | Stop::NoReturn) => return,
        };
        let writes = self.mem().write_log().take();
        let checked = syscalls::outs::check(index, self.arch, raw, value, &writes, &self.mem());
        if let Err(what) = checked {
            self.kernel.table_violation = Some(what);
        }
    }

    /// Turns what a handler returned into the state of the thread and its result register.
    pub(super) fn finish(&mut self, result: SysResult) -> Progress {
        let done = match result {
            Ok(v) => Ok(v),
            Err(Stop::Errno(e)) => Err(e),
            Err(Stop::Block(wait)) => {
                self.kernel.block(self.tid, wait);
                return Progress::Blocked;
            }
            Err(Stop::NeedCpu(arch)) => return Progress::NeedCpu(arch),
            Err(Stop::NoReturn) => {
                if let Some(t) = self.kernel.threads.get_mut(&self.tid) {
                    t.end_call();
                }
                return Progress::NoReturn;
            }
        };
        let thread = self.thread();
        let restart = match done {
            Err(e) if e.is_restart() => thread.in_call,
            _ => None,
        };
        if done == Err(Errno::ERESTART_RESTARTBLOCK) {
            thread.keep_restart_block();
        }
        thread.restore_mask_unless_interrupted(done);
        thread.end_call();
        // Signal delivery, which follows, decides between EINTR and making the call again.
        thread.restart = restart.map(|call| (call, done.err().unwrap_or(Errno::EINTR)));
        let value = match done {
            Ok(v) => v,
            Err(e) if e.is_restart() => Errno::EINTR.to_result(),
            Err(e) => e.to_result(),
        };
        self.port.set_result(value);
        self.kernel.result = done;
        Progress::Done
    }
}
