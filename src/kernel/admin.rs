//! Administration of the machine. Its names can be changed by whoever has the right; mounts, modules, swap, accounting and
//! the processor's ports belong to the host: no caller has the right to change them, whatever capabilities it was started
//! with. The calls give what Linux gives to a caller without that right, with the checks that Linux makes before.

use super::*;
use crate::abi::consts::{cap, lsm_get, open, open_tree as tree, perf_event_open as perf, swap, syslog as log, umount};
use crate::kernel::fs::path::{self, Follow};
use crate::mem::GuestAddr;
use crate::syscalls::args;

/// Longest names (__NEW_UTS_LEN).
const NAME_MAX: i32 = 64;
/// Size of the kernel's log (CONFIG_LOG_BUF_SHIFT 18).
const LOG_BYTES: u64 = 1 << 18;
/// What security modules there are: capabilities alone (LSM_ID_CAPABILITY).
const MODULES: [u64; 1] = [100];

/// Reads a name of `len` bytes for a caller who may set it.
fn new_name(ctx: &mut Ctx, addr: GuestAddr, len: i32) -> Result<Vec<u8>, Errno> {
    if !ctx.thread().credentials.has(cap::CAP_SYS_ADMIN) {
        return Err(Errno::EPERM);
    }
    if !(0..=NAME_MAX).contains(&len) {
        return Err(Errno::EINVAL);
    }
    let mut name = vec![0; len as usize];
    ctx.mem().read(addr, &mut name)?;
    // What stands behind a NUL is never shown.
    if let Some(end) = name.iter().position(|b| *b == 0) {
        name.truncate(end);
    }
    Ok(name)
}

/// sethostname(2): the machine's name, not the host's.
pub fn sethostname(ctx: &mut Ctx, a: &args::Sethostname) -> SysResult {
    let name = new_name(ctx, a.name, a.len)?;
    ctx.kernel.own_names.0 = Some(name);
    Ok(0)
}

/// setdomainname(2).
pub fn setdomainname(ctx: &mut Ctx, a: &args::Setdomainname) -> SysResult {
    let name = new_name(ctx, a.name, a.len)?;
    ctx.kernel.own_names.1 = Some(name);
    Ok(0)
}

/// What every call gives that only an administrator of the host may make.
fn refused() -> SysResult {
    Err(Errno::EPERM.into())
}

/// mount(2).
pub fn mount(ctx: &mut Ctx, a: &args::Mount) -> SysResult {
    for text in [a.filesystemtype, a.source] {
        if !text.is_null() {
            let text = ctx.mem().read_cstr(text, 4096);
            text.map_err(|e| if e == Errno::ENAMETOOLONG { Errno::EINVAL } else { e })?;
        }
    }
    if !a.data.is_null() {
        // A page of options, as far as it can be read.
        ctx.mem().read(a.data, &mut [0])?;
    }
    let name = ctx.path(a.target)?;
    path::resolve(ctx, path::AT_FDCWD, &name, Follow::Yes)?;
    refused()
}

/// umount2(2).
pub fn umount2(ctx: &mut Ctx, a: &args::Umount2) -> SysResult {
    if a.flags & !(umount::MNT_FORCE | umount::MNT_DETACH | umount::MNT_EXPIRE | umount::UMOUNT_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let follow = if a.flags & umount::UMOUNT_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let name = ctx.path(a.target)?;
    path::resolve(ctx, path::AT_FDCWD, &name, follow)?;
    refused()
}

/// pivot_root(2).
pub fn pivot_root(_: &mut Ctx, _: &args::PivotRoot) -> SysResult {
    refused()
}

/// move_mount(2).
pub fn move_mount(_: &mut Ctx, _: &args::MoveMount) -> SysResult {
    refused()
}

/// fsopen(2).
pub fn fsopen(_: &mut Ctx, _: &args::Fsopen) -> SysResult {
    refused()
}

/// fsmount(2).
pub fn fsmount(_: &mut Ctx, _: &args::Fsmount) -> SysResult {
    refused()
}

/// fspick(2).
pub fn fspick(_: &mut Ctx, _: &args::Fspick) -> SysResult {
    refused()
}

/// fsconfig(2): as fsopen(2) gives nobody a descriptor, none is of the right kind.
pub fn fsconfig(ctx: &mut Ctx, a: &args::Fsconfig) -> SysResult {
    const LAST: u32 = 8;
    if a.fd < 0 || a.cmd > LAST {
        return Err(if a.fd < 0 { Errno::EINVAL } else { Errno::EOPNOTSUPP }.into());
    }
    ctx.file(a.fd)?;
    Err(Errno::EINVAL.into())
}

/// open_tree(2): without OPEN_TREE_CLONE it opens a place.
pub fn open_tree(ctx: &mut Ctx, a: &args::OpenTree) -> SysResult {
    const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
    const AT_NO_AUTOMOUNT: u32 = 0x800;
    const AT_EMPTY_PATH: u32 = 0x1000;
    const AT_RECURSIVE: u32 = 0x8000;
    let ways = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_RECURSIVE;
    if a.flags & !(tree::OPEN_TREE_CLONE | tree::OPEN_TREE_CLOEXEC | ways) != 0
        || a.flags & (AT_RECURSIVE | tree::OPEN_TREE_CLONE) == AT_RECURSIVE
    {
        return Err(Errno::EINVAL.into());
    }
    if a.flags & tree::OPEN_TREE_CLONE != 0 {
        return refused();
    }
    let mut flags = open::O_PATH;
    if a.flags & AT_SYMLINK_NOFOLLOW != 0 {
        flags |= open::O_NOFOLLOW;
    }
    if a.flags & tree::OPEN_TREE_CLOEXEC != 0 {
        flags |= open::O_CLOEXEC;
    }
    if a.flags & AT_EMPTY_PATH != 0 && ctx.path(a.path)?.is_empty() && a.dirfd != path::AT_FDCWD {
        // The same open file stands for the same place.
        let file = ctx.file(a.dirfd)?;
        return Ok(ctx.install(file, flags & open::O_CLOEXEC != 0)? as u64);
    }
    let flags = crate::syscalls::sets::OPEN.from_canonical(ctx.arch, flags.into()) as u32;
    fs::openat(ctx, &args::Openat { dirfd: a.dirfd, path: a.path, flags, mode: 0 })
}

/// swapon(2).
pub fn swapon(_: &mut Ctx, a: &args::Swapon) -> SysResult {
    let known = swap::SWAP_FLAG_PREFER | 0x7fff | swap::SWAP_FLAG_DISCARD | 0x20000 | 0x40000;
    if a.swapflags & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    refused()
}

/// swapoff(2).
pub fn swapoff(_: &mut Ctx, _: &args::Swapoff) -> SysResult {
    refused()
}

/// reboot(2).
pub fn reboot(_: &mut Ctx, _: &args::Reboot) -> SysResult {
    refused()
}

/// acct(2).
pub fn acct(_: &mut Ctx, _: &args::Acct) -> SysResult {
    refused()
}

/// init_module(2).
pub fn init_module(_: &mut Ctx, _: &args::InitModule) -> SysResult {
    refused()
}

/// finit_module(2).
pub fn finit_module(_: &mut Ctx, _: &args::FinitModule) -> SysResult {
    refused()
}

/// delete_module(2).
pub fn delete_module(_: &mut Ctx, _: &args::DeleteModule) -> SysResult {
    refused()
}

/// kexec_load(2).
pub fn kexec_load(_: &mut Ctx, _: &args::KexecLoad) -> SysResult {
    refused()
}

/// kexec_file_load(2).
pub fn kexec_file_load(_: &mut Ctx, _: &args::KexecFileLoad) -> SysResult {
    refused()
}

/// bpf(2), as where kernel.unprivileged_bpf_disabled is set.
pub fn bpf(_: &mut Ctx, _: &args::Bpf) -> SysResult {
    refused()
}

/// open_by_handle_at(2).
pub fn open_by_handle_at(_: &mut Ctx, _: &args::OpenByHandleAt) -> SysResult {
    refused()
}

/// perf_event_open(2), as where kernel.perf_event_paranoid is 3: the counters are the host's.
pub fn perf_event_open(ctx: &mut Ctx, a: &args::PerfEventOpen) -> SysResult {
    let known = perf::PERF_FLAG_FD_NO_GROUP | perf::PERF_FLAG_FD_OUTPUT | perf::PERF_FLAG_PID_CGROUP;
    if a.flags & !u64::from(known | perf::PERF_FLAG_FD_CLOEXEC) != 0 {
        return Err(Errno::EINVAL.into());
    }
    ctx.mem().copy_in::<u64>(a.attr)?;
    Err(Errno::EACCES.into())
}

/// iopl(2): level 0 is what everybody has.
pub fn iopl(_: &mut Ctx, a: &args::Iopl) -> SysResult {
    match a.level as u32 {
        0 => Ok(0),
        1..=3 => refused(),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// ioperm(2): nobody has any port to give up.
pub fn ioperm(_: &mut Ctx, a: &args::Ioperm) -> SysResult {
    const PORTS: u64 = 65536;
    match a.from.checked_add(a.num) {
        Some(end) if end > a.from && end <= PORTS => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    if a.turn_on != 0 { refused() } else { Ok(0) }
}

/// syslog(2): the machine has nothing to log.
pub fn syslog(ctx: &mut Ctx, a: &args::Syslog) -> SysResult {
    let c = &ctx.thread().credentials;
    if !c.has(cap::CAP_SYSLOG) && !c.has(cap::CAP_SYS_ADMIN) {
        // As where kernel.dmesg_restrict is set.
        return refused();
    }
    match a.r#type {
        log::SYSLOG_ACTION_READ | log::SYSLOG_ACTION_READ_ALL | log::SYSLOG_ACTION_READ_CLEAR => {
            if a.bufp.is_null() || a.len < 0 {
                return Err(Errno::EINVAL.into());
            }
            if a.len > 0 && !ctx.mem().access_ok(a.bufp, a.len as u64) {
                return Err(Errno::EFAULT.into());
            }
            if a.r#type == log::SYSLOG_ACTION_READ && a.len > 0 {
                // It waits for a message, and none ever comes.
                return Err(ctx.wait(Wait::default(), Errno::ERESTARTSYS));
            }
            Ok(0)
        }
        log::SYSLOG_ACTION_CONSOLE_LEVEL if !(1..=8).contains(&a.len) => Err(Errno::EINVAL.into()),
        log::SYSLOG_ACTION_SIZE_BUFFER => Ok(LOG_BYTES),
        kind if kind <= log::SYSLOG_ACTION_SIZE_BUFFER => Ok(0),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// lsm_list_modules(2).
pub fn lsm_list_modules(ctx: &mut Ctx, a: &args::LsmListModules) -> SysResult {
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let room: u32 = ctx.mem().copy_in(a.size)?;
    let needed = size_of_val(&MODULES) as u32;
    ctx.mem().copy_out(a.size, &needed)?;
    if room < needed {
        return Err(Errno::E2BIG.into());
    }
    ctx.mem().copy_out_array(a.ids, &MODULES)?;
    Ok(MODULES.len() as u64)
}

/// lsm_get_self_attr(2): no module has attributes.
pub fn lsm_get_self_attr(ctx: &mut Ctx, a: &args::LsmGetSelfAttr) -> SysResult {
    if a.attr == 0 || a.size.is_null() {
        return Err(Errno::EINVAL.into());
    }
    ctx.mem().copy_in::<u32>(a.size)?;
    if a.flags != 0 {
        if a.flags != lsm_get::LSM_FLAG_SINGLE || a.ctx.is_null() {
            return Err(Errno::EINVAL.into());
        }
        ctx.mem().copy_in::<[u64; 4]>(a.ctx)?;
    }
    Err(Errno::EOPNOTSUPP.into())
}

/// lsm_set_self_attr(2).
pub fn lsm_set_self_attr(ctx: &mut Ctx, a: &args::LsmSetSelfAttr) -> SysResult {
    const HEADER: usize = 32;
    if a.flags != 0 || (a.size as usize) < HEADER {
        return Err(Errno::EINVAL.into());
    }
    if u64::from(a.size) > crate::mem::PAGE_SIZE {
        return Err(Errno::E2BIG.into());
    }
    let mut bytes = vec![0; a.size as usize];
    ctx.mem().read(a.ctx, &mut bytes)?;
    // struct lsm_ctx: id, flags, len, ctx_len.
    let word = |i: usize| bytes[i * 8..].iter().take(8).rev().fold(0u64, |v, b| v << 8 | u64::from(*b));
    let (len, value) = (word(2), word(3));
    if len > u64::from(a.size) || value.checked_add(HEADER as u64).is_none_or(|needed| needed > len) {
        return Err(Errno::EINVAL.into());
    }
    Err(Errno::EOPNOTSUPP.into())
}

/// mount_setattr(2).
pub fn mount_setattr(_: &mut Ctx, a: &args::MountSetattr) -> SysResult {
    check_attributes(a.flags, a.usize)?;
    refused()
}

/// Flags and size of the attributes of a mount.
fn check_attributes(flags: u32, size: u64) -> Result<(), Errno> {
    const WAYS: u32 = 0x100 | 0x800 | 0x1000 | 0x8000;
    const FIRST_SIZE: u64 = 32;
    if flags & !WAYS != 0 {
        return Err(Errno::EINVAL);
    }
    match size {
        _ if size > crate::mem::PAGE_SIZE => Err(Errno::E2BIG),
        _ if size < FIRST_SIZE => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}

/// open_tree_attr(2): as open_tree(2) unless attributes are to be changed.
pub fn open_tree_attr(ctx: &mut Ctx, a: &args::OpenTreeAttr) -> SysResult {
    if a.uattr.is_null() {
        if a.usize != 0 {
            return Err(Errno::EINVAL.into());
        }
        return open_tree(ctx, &args::OpenTree { dirfd: a.dirfd, path: a.path, flags: a.flags });
    }
    check_attributes(a.flags & !(tree::OPEN_TREE_CLONE | tree::OPEN_TREE_CLOEXEC), a.usize)?;
    refused()
}

/// Kinds of quotas: of users, groups and projects.
const QUOTA_KINDS: u32 = 3;
const Q_SYNC: u32 = 0x80_0001;

/// quotactl(2): no file system has quotas.
pub fn quotactl(ctx: &mut Ctx, a: &args::Quotactl) -> SysResult {
    let (command, kind) = (a.cmd >> 8, a.cmd & 0xff);
    if kind >= QUOTA_KINDS {
        return Err(Errno::EINVAL.into());
    }
    if a.special.is_null() {
        return if command == Q_SYNC { Ok(0) } else { Err(Errno::ENODEV.into()) };
    }
    let name = ctx.path(a.special)?;
    let stat = path::resolve(ctx, path::AT_FDCWD, &name, Follow::Yes)?.stat(ctx)?;
    let is_device = file::FileKind::of_mode(stat.mode) == file::FileKind::Block;
    Err(if is_device { Errno::ESRCH } else { Errno::ENOTBLK }.into())
}

/// quotactl_fd(2).
pub fn quotactl_fd(ctx: &mut Ctx, a: &args::QuotactlFd) -> SysResult {
    ctx.file(a.fd)?;
    Err(if a.cmd & 0xff >= QUOTA_KINDS { Errno::EINVAL } else { Errno::ESRCH }.into())
}

/// landlock_create_ruleset(2), as where Landlock is built in but not enabled.
pub fn landlock_create_ruleset(_: &mut Ctx, _: &args::LandlockCreateRuleset) -> SysResult {
    Err(Errno::EOPNOTSUPP.into())
}

/// landlock_add_rule(2).
pub fn landlock_add_rule(_: &mut Ctx, _: &args::LandlockAddRule) -> SysResult {
    Err(Errno::EOPNOTSUPP.into())
}

/// landlock_restrict_self(2).
pub fn landlock_restrict_self(_: &mut Ctx, _: &args::LandlockRestrictSelf) -> SysResult {
    Err(Errno::EOPNOTSUPP.into())
}
