//! User and group ids (credentials(7)): the kernel's own, with Linux's rules for changing them.
//!
//! Files of the host are reached with the rights of the user who runs sevm, whatever ids a guest has taken on.

use super::*;
use crate::mem::GuestAddr;

/// "Leave it as it is" in setresuid(2) and its kin.
const KEEP: u32 = u32::MAX;

/// Most supplementary groups (NGROUPS_MAX).
const NGROUPS_MAX: i32 = 65536;

const REAL: usize = 0;
const EFFECTIVE: usize = 1;
const SAVED: usize = 2;
const FS: usize = 3;

/// Users or groups: their rules are the same but for the capability that overrides them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
}

impl Kind {
    fn ids(self, c: &Credentials) -> [u32; 4] {
        match self {
            Kind::User => c.uid,
            Kind::Group => c.gid,
        }
    }

    fn privileged(self, c: &Credentials) -> bool {
        c.has(match self {
            Kind::User => CAP_SETUID,
            Kind::Group => CAP_SETGID,
        })
    }
}

/// Puts new ids in force, with what depends on them: capabilities, dumpability and the parent-death signal.
fn commit(ctx: &mut Ctx, kind: Kind, new: [u32; 4]) {
    let secure_bits = ctx.process().settings.secure_bits;
    let c = &mut ctx.thread().credentials;
    let old = kind.ids(c);
    match kind {
        Kind::User => {
            c.uid = new;
            fix_capabilities(c, old, secure_bits);
        }
        Kind::Group => c.gid = new,
    }
    if old[EFFECTIVE] != new[EFFECTIVE] || old[FS] != new[FS] {
        let settings = &mut ctx.process().settings;
        settings.dumpable = 0;
        settings.parent_death_signal = 0;
    }
}

/// setuid(2) and setgid(2).
fn set_one(ctx: &mut Ctx, kind: Kind, id: u32) -> SysResult {
    if id == KEEP {
        return Err(Errno::EINVAL.into());
    }
    let c = &ctx.thread().credentials;
    let mut ids = kind.ids(c);
    if kind.privileged(c) {
        ids = [id; 4];
    } else if id == ids[REAL] || id == ids[SAVED] {
        ids[EFFECTIVE] = id;
        ids[FS] = id;
    } else {
        return Err(Errno::EPERM.into());
    }
    commit(ctx, kind, ids);
    Ok(0)
}

/// setreuid(2) and setregid(2).
fn set_two(ctx: &mut Ctx, kind: Kind, real: u32, effective: u32) -> SysResult {
    let c = &ctx.thread().credentials;
    let (old, privileged) = (kind.ids(c), kind.privileged(c));
    let mut ids = old;
    if real != KEEP {
        if !privileged && ![old[REAL], old[EFFECTIVE]].contains(&real) {
            return Err(Errno::EPERM.into());
        }
        ids[REAL] = real;
    }
    if effective != KEEP {
        if !privileged && !old[..3].contains(&effective) {
            return Err(Errno::EPERM.into());
        }
        ids[EFFECTIVE] = effective;
    }
    if real != KEEP || (effective != KEEP && effective != old[REAL]) {
        ids[SAVED] = ids[EFFECTIVE];
    }
    ids[FS] = ids[EFFECTIVE];
    commit(ctx, kind, ids);
    Ok(0)
}

/// setresuid(2) and setresgid(2).
fn set_three(ctx: &mut Ctx, kind: Kind, asked: [u32; 3]) -> SysResult {
    let c = &ctx.thread().credentials;
    let (old, privileged) = (kind.ids(c), kind.privileged(c));
    if !privileged && asked.iter().any(|id| *id != KEEP && !old[..3].contains(id)) {
        return Err(Errno::EPERM.into());
    }
    let mut ids = old;
    for (have, want) in ids.iter_mut().zip(asked) {
        if want != KEEP {
            *have = want;
        }
    }
    ids[FS] = ids[EFFECTIVE];
    commit(ctx, kind, ids);
    Ok(0)
}

/// setfsuid(2) and setfsgid(2): always give the old id.
fn set_fs(ctx: &mut Ctx, kind: Kind, id: u32) -> SysResult {
    let c = &ctx.thread().credentials;
    let old = kind.ids(c);
    if id != KEEP && (kind.privileged(c) || old.contains(&id)) {
        let mut ids = old;
        ids[FS] = id;
        commit(ctx, kind, ids);
    }
    Ok(old[FS].into())
}

fn get_three(ctx: &mut Ctx, kind: Kind, out: [GuestAddr; 3]) -> SysResult {
    let ids = kind.ids(&ctx.thread().credentials);
    for (addr, id) in out.into_iter().zip(ids) {
        ctx.mem().copy_out(addr, &id)?;
    }
    Ok(0)
}

/// getuid(2).
pub fn getuid(ctx: &mut Ctx, _: &args::Getuid) -> SysResult {
    Ok(ctx.thread().credentials.uid[REAL].into())
}

/// geteuid(2).
pub fn geteuid(ctx: &mut Ctx, _: &args::Geteuid) -> SysResult {
    Ok(ctx.thread().credentials.uid[EFFECTIVE].into())
}

/// getgid(2).
pub fn getgid(ctx: &mut Ctx, _: &args::Getgid) -> SysResult {
    Ok(ctx.thread().credentials.gid[REAL].into())
}

/// getegid(2).
pub fn getegid(ctx: &mut Ctx, _: &args::Getegid) -> SysResult {
    Ok(ctx.thread().credentials.gid[EFFECTIVE].into())
}

/// setuid(2).
pub fn setuid(ctx: &mut Ctx, a: &args::Setuid) -> SysResult {
    set_one(ctx, Kind::User, a.uid)
}

/// setgid(2).
pub fn setgid(ctx: &mut Ctx, a: &args::Setgid) -> SysResult {
    set_one(ctx, Kind::Group, a.gid)
}

/// setreuid(2).
pub fn setreuid(ctx: &mut Ctx, a: &args::Setreuid) -> SysResult {
    set_two(ctx, Kind::User, a.ruid, a.euid)
}

/// setregid(2).
pub fn setregid(ctx: &mut Ctx, a: &args::Setregid) -> SysResult {
    set_two(ctx, Kind::Group, a.rgid, a.egid)
}

/// setresuid(2).
pub fn setresuid(ctx: &mut Ctx, a: &args::Setresuid) -> SysResult {
    set_three(ctx, Kind::User, [a.ruid, a.euid, a.suid])
}

/// setresgid(2).
pub fn setresgid(ctx: &mut Ctx, a: &args::Setresgid) -> SysResult {
    set_three(ctx, Kind::Group, [a.rgid, a.egid, a.sgid])
}

/// getresuid(2).
pub fn getresuid(ctx: &mut Ctx, a: &args::Getresuid) -> SysResult {
    get_three(ctx, Kind::User, [a.ruid, a.euid, a.suid])
}

/// getresgid(2).
pub fn getresgid(ctx: &mut Ctx, a: &args::Getresgid) -> SysResult {
    get_three(ctx, Kind::Group, [a.rgid, a.egid, a.sgid])
}

/// setfsuid(2).
pub fn setfsuid(ctx: &mut Ctx, a: &args::Setfsuid) -> SysResult {
    set_fs(ctx, Kind::User, a.uid)
}

/// setfsgid(2).
pub fn setfsgid(ctx: &mut Ctx, a: &args::Setfsgid) -> SysResult {
    set_fs(ctx, Kind::Group, a.gid)
}

/// getgroups(2).
pub fn getgroups(ctx: &mut Ctx, a: &args::Getgroups) -> SysResult {
    let groups = ctx.thread().credentials.groups.clone();
    let room = usize::try_from(a.size).map_err(|_| Errno::EINVAL)?;
    if room > 0 {
        if room < groups.len() {
            return Err(Errno::EINVAL.into());
        }
        ctx.mem().copy_out_array(a.list, &groups)?;
    }
    Ok(groups.len() as u64)
}

/// setgroups(2). The list is kept sorted, as Linux keeps it.
pub fn setgroups(ctx: &mut Ctx, a: &args::Setgroups) -> SysResult {
    if !ctx.thread().credentials.has(CAP_SETGID) {
        return Err(Errno::EPERM.into());
    }
    if !(0..=NGROUPS_MAX).contains(&a.size) {
        return Err(Errno::EINVAL.into());
    }
    let mut groups: Vec<u32> = ctx.mem().copy_in_array(a.list, a.size as usize)?;
    if groups.contains(&KEEP) {
        return Err(Errno::EINVAL.into());
    }
    groups.sort_unstable();
    ctx.thread().credentials.groups = groups;
    Ok(0)
}
