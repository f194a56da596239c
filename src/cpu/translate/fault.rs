//! Host faults in translated code: the signal handler's side.

#![expect(unsafe_code, reason = "changes the context of a signal")]

use std::cell::Cell;
use std::ffi::c_void;

use super::front::HostFault;
use crate::Error;

/// The translated code that this thread may be in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    /// Host addresses of blocks.
    pub start: u64,
    pub end: u64,
    /// Where to go on.
    pub resume: u64,
    /// Where to say what happened.
    pub report: *mut HostFault,
    /// Host address of guest address 0, which is this thread's `gs` base.
    pub window: u64,
}

thread_local! {
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

/// Says what code this thread runs from now on. That holds until another engine says so for its own: what does not fault in that code is
/// no fault of it.
pub(super) fn set_running(running: Running) {
    RUNNING.set(Some(running));
}

/// Whether this thread runs the code that begins there, and its window is this one.
#[inline]
pub(super) fn is_running(start: u64, window: u64) -> bool {
    RUNNING.get().is_some_and(|r| r.start == start && r.window == window)
}

/// The code that begins there is gone.
pub(super) fn end_running(start: u64) {
    if RUNNING.get().is_some_and(|r| r.start == start) {
        RUNNING.set(None);
    }
}

/// The hook of `mem/region.rs`: sends the thread to the common exit if it was in translated code. A fault anywhere else,
/// sevm's own code called from there included, is not a guest's.
pub(super) fn on_fault(signal: libc::c_int, addr: usize, context: *mut c_void) -> bool {
    redirect(signal, 0, addr, context)
}

fn redirect(signal: libc::c_int, code: i32, addr: usize, context: *mut c_void) -> bool {
    let Some(running) = RUNNING.get() else { return false };
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the kernel passes a valid ucontext to an SA_SIGINFO handler, and nobody else uses it now.
    let gregs = unsafe { &mut (*context).uc_mcontext.gregs };
    let rip = gregs[libc::REG_RIP as usize] as u64;
    if !(running.start..running.end).contains(&rip) {
        return false;
    }
    let eflags = gregs[libc::REG_EFL as usize] as u64;
    gregs[libc::REG_RIP as usize] = running.resume as i64;
    let (trap, error) = (gregs[libc::REG_TRAPNO as usize] as u32, gregs[libc::REG_ERR as usize] as u32);
    let report = HostFault { rip, addr: addr as u64, eflags, signal, code, trap, error };
    // SAFETY: `report` points into the state of the front end whose code this thread runs, which waits for that code.
    unsafe { running.report.write(report) };
    true
}

/// Signals of exceptions that instructions of a guest may have, if translated code has them as they are.
const EXCEPTIONS: [libc::c_int; 3] = [libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];

/// Bytes of the stack for handlers: translated code may have anything in `rsp`.
const STACK: usize = 256 << 10;

/// Installs handlers for the exceptions of instructions.
///
/// # Errors
/// The host refused.
pub(super) fn install_exceptions() -> Result<(), Error> {
    for signal in EXCEPTIONS {
        // SAFETY: a zeroed sigaction is a valid value of that plain C struct, and each field that the kernel reads is set; the
        // handler touches only its context and this thread's own cell.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_exception as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(signal, &action, std::ptr::null_mut())
        };
        if result != 0 {
            return Err(Error::Host {
                what: "cannot handle exceptions".into(),
                source: std::io::Error::last_os_error(),
            });
        }
    }
    Ok(())
}

extern "C" fn on_exception(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
    let (code, addr) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    if code <= 0 || !redirect(signal, code, addr, context) {
        // SAFETY: restoring the default action is always allowed; an exception comes again, and what somebody sent is sent again.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            if code <= 0 {
                libc::raise(signal);
            }
        }
    }
}

thread_local! {
    static HAS_STACK: Cell<bool> = const { Cell::new(false) };
}

/// Gives this thread a stack for signal handlers, which stays as long as the thread's process.
///
/// # Errors
/// The host has no memory.
pub(super) fn provide_stack() -> Result<(), Error> {
    if HAS_STACK.get() {
        return Ok(());
    }
    let failed = || Error::Host { what: "cannot make a signal stack".into(), source: std::io::Error::last_os_error() };
    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory, and becomes the stack of handlers of
    // this thread; it is never unmapped.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let memory = libc::mmap(std::ptr::null_mut(), STACK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            return Err(failed());
        }
        let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: STACK };
        if libc::sigaltstack(&stack, std::ptr::null_mut()) != 0 {
            return Err(failed());
        }
    }
    HAS_STACK.set(true);
    Ok(())
}
