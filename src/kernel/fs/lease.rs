//! Leases (fcntl(2), F_SETLEASE): they are the host's, which tells sevm when another open breaks one. Who is to hear of it
//! is the guest that has set it.

use super::*;
use crate::abi::consts::f_owner::{F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID};
use crate::abi::consts::fcntl::{F_GETLEASE, F_SETLEASE};
use crate::abi::consts::flock_type::F_UNLCK;
use crate::abi::consts::poll::{POLLIN, POLLMSG, POLLRDNORM};
use crate::kernel::file::{File, Owner};
use crate::kernel::signal::{Fields, SigInfo};
use std::rc::Weak;

/// `si_code` of a lease that is broken.
const POLL_MSG: i32 = 3;
/// An open that a lease keeps waiting looks again after so many nanoseconds.
pub(super) const RETRY_NS: u64 = 2_000_000;

/// A lease of a guest.
#[derive(Debug)]
struct Lease {
    file: Weak<File>,
    /// The descriptor by which it was set.
    fd: i32,
    /// F_RDLCK or F_WRLCK.
    kind: u64,
    /// Its owner knows that it is being broken.
    told: bool,
}

/// All leases, those that are being broken included.
#[derive(Debug, Default)]
pub struct Leases(Vec<Lease>);

impl Leases {
    /// Whether a guest has set none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|lease| lease.file.strong_count() == 0)
    }
}

/// F_SETLEASE of descriptor `fd`, which is `file`.
///
/// # Errors
/// Those of fcntl(2).
pub fn set_lease(ctx: &mut Ctx, fd: i32, file: &Rc<File>, kind: i32) -> SysResult {
    let host = file.host_fd().ok_or(Errno::EINVAL)?;
    let result = ctx.kernel.host.control(host, F_SETLEASE, kind)?;
    let leases = &mut ctx.kernel.leases.0;
    leases.retain(|lease| lease.file.strong_count() > 0 && !std::ptr::eq(lease.file.as_ptr(), Rc::as_ptr(file)));
    if kind != F_UNLCK as i32 {
        leases.push(Lease { file: Rc::downgrade(file), fd, kind: kind as u64, told: false });
        let owner = file.owner.get();
        if owner.id == 0 {
            file.owner.set(Owner { kind: F_OWNER_PID as i32, id: ctx.pid, ..owner });
        }
    }
    Ok(result as u64)
}

impl Kernel {
    /// The host says that some lease is being broken: tells the guests whose leases no longer are as they were set.
    pub fn tell_broken_leases(&mut self) {
        let mut leases = std::mem::take(&mut self.leases.0);
        for lease in leases.iter_mut().filter(|lease| !lease.told) {
            let Some(file) = lease.file.upgrade() else { continue };
            let Some(host) = file.host_fd() else { continue };
            // While it is being broken it shows what is to become of it.
            lease.told = self.host.control(host, F_GETLEASE, 0).is_ok_and(|kind| kind as u64 != lease.kind);
            if lease.told {
                self.tell_owner(file.owner.get(), lease.fd);
            }
        }
        self.leases.0 = leases;
    }

    /// Sends the signal of a file's owner (send_sigio()).
    fn tell_owner(&mut self, owner: Owner, fd: i32) {
        let band = i64::from(POLLIN | POLLRDNORM | POLLMSG);
        let info = match Signal::new(owner.signal) {
            Some(signal) => SigInfo { signal, code: POLL_MSG, errno: 0, fields: Fields::Poll { band, fd } },
            None => SigInfo::kernel(Signal::SIGIO),
        };
        let group = owner.kind as u32 == F_OWNER_PGRP;
        let members: Vec<Pid> =
            self.processes.values().filter(|p| group && p.pgid == owner.id).map(|p| p.pid).collect();
        // Whoever is gone needs no signal.
        let _ = match owner.kind as u32 {
            F_OWNER_TID => self.send_signal_thread(owner.id, info),
            F_OWNER_PGRP => members.into_iter().try_for_each(|pid| self.send_signal(pid, info)),
            _ => self.send_signal(owner.id, info),
        };
    }
}
