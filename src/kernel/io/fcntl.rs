//! fcntl(2).

use super::*;
use crate::abi::OwnerEx;
use crate::abi::consts::f_owner::{F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID};
use crate::abi::consts::fcntl::*;
use crate::abi::consts::fdflags::FD_CLOEXEC;
use crate::abi::consts::open::{FASYNC, O_APPEND, O_DIRECT, O_NOATIME, O_NONBLOCK};
use crate::kernel::file::Owner;
use crate::mem::GuestAddr;
use crate::syscalls::{args, sets};
use std::rc::Rc;

/// The status flags that F_SETFL changes.
const SETTABLE: u32 = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC;

/// fcntl(2).
pub fn fcntl(ctx: &mut Ctx, a: &args::Fcntl) -> SysResult {
    let file = ctx.file(a.fd)?;
    // Linux lets a descriptor of O_PATH have only what concerns the descriptor itself.
    if file.is_path_only()
        && !matches!(a.cmd, F_DUPFD | F_DUPFD_CLOEXEC | F_DUPFD_QUERY | F_CREATED_QUERY | F_GETFD | F_SETFD | F_GETFL)
    {
        return Err(Errno::EBADF.into());
    }
    let addr = GuestAddr(a.arg);
    match a.cmd {
        F_DUPFD | F_DUPFD_CLOEXEC => {
            let min = usize::try_from(a.arg as i32).map_err(|_| Errno::EINVAL)?;
            // Only here is 0 beyond the limit too.
            let limit = ctx.process().limits[consts::rlimit::RLIMIT_NOFILE as usize].soft;
            if min as u64 >= limit {
                return Err(Errno::EINVAL.into());
            }
            Ok(ctx.install_from(file, min, a.cmd == F_DUPFD_CLOEXEC)? as u64)
        }
        F_DUPFD_QUERY => {
            let other = ctx.file(a.arg as i32)?;
            Ok(u64::from(Rc::ptr_eq(&file, &other)))
        }
        F_GETFD => Ok(if ctx.files().close_on_exec(a.fd)? { u64::from(FD_CLOEXEC) } else { 0 }),
        F_SETFD => {
            ctx.files().set_close_on_exec(a.fd, a.arg & u64::from(FD_CLOEXEC) != 0)?;
            Ok(0)
        }
        F_GETFL => Ok(sets::OPEN.from_canonical(ctx.arch, u64::from(file.flags()))),
        F_SETFL => set_flags(ctx, &file, a.arg),
        F_GETLK | F_SETLK | F_SETLKW | F_OFD_GETLK | F_OFD_SETLK | F_OFD_SETLKW => {
            super::locks::record_lock(ctx, &file, a.cmd, addr)
        }
        F_SETOWN | F_GETOWN | F_SETOWN_EX | F_GETOWN_EX | F_SETSIG | F_GETSIG | F_GETOWNER_UIDS => {
            owner(ctx, &file, a.cmd, a.arg)
        }
        F_GETPIPE_SZ | F_SETPIPE_SZ => file.ops().pipe_size(ctx, (a.cmd == F_SETPIPE_SZ).then_some(a.arg as u32)),
        F_SETLEASE => crate::kernel::fs::set_lease(ctx, a.fd, &file, a.arg as i32),
        F_ADD_SEALS | F_GET_SEALS | F_GETLEASE => {
            let not_a_file = if matches!(a.cmd, F_GETLEASE) {
                Ok(u64::from(consts::flock_type::F_UNLCK))
            } else {
                Err(Errno::EINVAL.into())
            };
            let Some(fd) = file.host_fd() else { return not_a_file };
            Ok(ctx.kernel.host.control(fd, a.cmd, a.arg as i32)? as u64)
        }
        // F_GET_FILE_RW_HINT and F_SET_FILE_RW_HINT are gone since Linux 5.17.
        F_GET_RW_HINT | F_SET_RW_HINT => hint(ctx, &file, a.cmd, addr),
        // F_NOTIFY of directories (dnotify) was superseded in 2005 and is a build option of Linux; without it: EINVAL.
        _ => Err(Errno::EINVAL.into()),
    }
}

fn set_flags(ctx: &mut Ctx, file: &Rc<File>, arg: u64) -> SysResult {
    let wanted = sets::OPEN.to_canonical(ctx.arch, arg) as u32;
    let new = (file.flags() & !SETTABLE) | (wanted & SETTABLE);
    file.ops().set_flags(ctx, file, new)?;
    file.set_flags(new);
    Ok(0)
}

fn owner(ctx: &mut Ctx, file: &Rc<File>, cmd: u32, arg: u64) -> SysResult {
    let old = file.owner.get();
    let negative_if_group = |o: Owner| if o.kind == F_OWNER_PGRP as i32 { -o.id } else { o.id };
    match cmd {
        F_SETOWN => set_owner_id(ctx, file, arg as i32),
        F_GETOWN => Ok(i64::from(negative_if_group(old)) as u64),
        F_SETOWN_EX => {
            let new: OwnerEx = ctx.mem().copy_in(GuestAddr(arg))?;
            if !matches!(new.kind as u32, F_OWNER_TID | F_OWNER_PID | F_OWNER_PGRP) {
                return Err(Errno::EINVAL.into());
            }
            set_owner(ctx, file, Owner { kind: new.kind, id: new.id, ..old })
        }
        F_GETOWN_EX => {
            ctx.mem().copy_out(GuestAddr(arg), &OwnerEx { kind: old.kind, id: old.id })?;
            Ok(0)
        }
        F_SETSIG => {
            if arg > 64 {
                return Err(Errno::EINVAL.into());
            }
            file.owner.set(Owner { signal: arg as i32, ..old });
            Ok(0)
        }
        F_GETSIG => Ok(old.signal as u64),
        // F_GETOWNER_UIDS: real and effective user of whoever set the owner.
        _ => {
            ctx.mem().copy_out(GuestAddr(arg), &old.uids)?;
            Ok(0)
        }
    }
}

fn set_owner(ctx: &mut Ctx, file: &File, mut new: Owner) -> SysResult {
    let exists = match new.kind as u32 {
        _ if new.id == 0 => true,
        F_OWNER_TID => ctx.kernel.threads.contains_key(&new.id),
        F_OWNER_PGRP => ctx.kernel.processes.values().any(|p| p.pgid == new.id),
        _ => ctx.kernel.processes.contains_key(&new.id),
    };
    if !exists {
        return Err(Errno::ESRCH.into());
    }
    let uid = ctx.thread().credentials.uid;
    new.uids = if new.id == 0 { [0, 0] } else { [uid[0], uid[1]] };
    file.owner.set(new);
    Ok(0)
}

/// F_SETOWN: a process, or a group if negative; the smallest number has no counterpart.
pub(in crate::kernel) fn set_owner_id(ctx: &mut Ctx, file: &File, id: i32) -> SysResult {
    let (kind, id) = match id.checked_neg().ok_or(Errno::EINVAL)? {
        group if group > 0 => (F_OWNER_PGRP, group),
        _ => (F_OWNER_PID, id),
    };
    set_owner(ctx, file, Owner { kind: kind as i32, id, ..file.owner.get() })
}

fn hint(ctx: &mut Ctx, file: &Rc<File>, cmd: u32, addr: GuestAddr) -> SysResult {
    let fd = file.host_fd().cloned();
    let sets = cmd == F_SET_RW_HINT;
    let mut value: u64 = if sets { ctx.mem().copy_in(addr)? } else { 0 };
    if sets && value > u64::from(consts::rw_hint::RWH_WRITE_LIFE_EXTREME) {
        return Err(Errno::EINVAL.into());
    }
    if let Some(fd) = fd {
        ctx.kernel.host.write_hint(&fd, cmd, &mut value)?;
    }
    if !sets {
        ctx.mem().copy_out(addr, &value)?;
    }
    Ok(0)
}
