//! Host faults in translated code: the signal handler's side.

#![expect(unsafe_code, reason = "changes the context of a signal")]

use std::cell::Cell;
use std::ffi::c_void;

use super::front::HostFault;

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
}

thread_local! {
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

/// Says what code this thread runs; `None` when none.
pub(super) fn set_running(running: Option<Running>) {
    RUNNING.set(running);
}

/// The hook of `mem/region.rs`: sends the thread to the common exit if it was in translated code. A fault anywhere else,
/// sevm's own code called from there included, is not a guest's.
pub(super) fn on_fault(signal: libc::c_int, addr: usize, context: *mut c_void) -> bool {
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
    let report = HostFault { rip, addr: addr as u64, eflags, signal };
    // SAFETY: `report` points into the state of the front end whose code this thread runs, which waits for that code.
    unsafe { running.report.write(report) };
    true
}
