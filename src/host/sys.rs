//! Host calls that have no safe wrapper. The only `unsafe` of `host/`.
#![expect(unsafe_code, reason = "raw host calls over spans of guest memory and signal handlers")]

use std::sync::atomic::{AtomicU64, Ordering};

static ARRIVED: AtomicU64 = AtomicU64::new(0);

extern "C" fn note_signal(signo: libc::c_int) {
    if (1..=64).contains(&signo) {
        ARRIVED.fetch_or(1 << (signo - 1), Ordering::Relaxed);
        crate::cpu::STOP_REQUESTED.store(true, Ordering::Relaxed);
    }
}

/// Signals that arrived since last asked, as a signal set.
pub(super) fn take_arrived() -> u64 {
    ARRIVED.swap(0, Ordering::Relaxed)
}

/// Notes arrivals of `signo` for the guest from now on.
pub(super) fn catch(signo: i32) {
    // SAFETY: `note_signal` only touches atomics, so it may run at any point; the action is fully initialised.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note_signal as *const () as usize;
        libc::sigaction(signo, &action, std::ptr::null_mut());
    }
}
