//! Capabilities (capabilities(7)).

use super::*;
use crate::abi::consts::{cap, cap_ambient, cap_version, securebits};
use crate::abi::{CapData, CapHeader};
use crate::mem::GuestAddr;

pub use crate::abi::consts::cap::{CAP_SETGID, CAP_SETPCAP, CAP_SETUID, CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE};

/// The highest capability (`/proc/sys/kernel/cap_last_cap`).
pub const CAP_LAST_CAP: u32 = cap::CAP_CHECKPOINT_RESTORE;

/// Every capability there is.
const ALL: u64 = (1 << (CAP_LAST_CAP + 1)) - 1;

const EFFECTIVE: usize = 0;
const PERMITTED: usize = 1;
const INHERITABLE: usize = 2;
const BOUNDING: usize = 3;
const AMBIENT: usize = 4;

/// Capabilities that follow the file-system user id (CAP_FS_MASK and CAP_LINUX_IMMUTABLE).
const FS_CAPS: u64 = 1 << cap::CAP_CHOWN
    | 1 << cap::CAP_DAC_OVERRIDE
    | 1 << cap::CAP_DAC_READ_SEARCH
    | 1 << cap::CAP_FOWNER
    | 1 << cap::CAP_FSETID
    | 1 << cap::CAP_MKNOD
    | 1 << cap::CAP_MAC_OVERRIDE
    | 1 << cap::CAP_LINUX_IMMUTABLE;

/// Gives up or takes back capabilities after the user ids have changed from `old` ("Effect of user ID changes on
/// capabilities" in capabilities(7)).
pub(super) fn fix_capabilities(c: &mut Credentials, old: [u32; 4], secure_bits: u32) {
    if secure_bits & securebits::SECBIT_NO_SETUID_FIXUP != 0 {
        return;
    }
    let had_root = old[..3].contains(&0);
    if had_root && !c.uid[..3].contains(&0) {
        if secure_bits & securebits::SECBIT_KEEP_CAPS == 0 {
            c.caps[PERMITTED] = 0;
            c.caps[EFFECTIVE] = 0;
        }
        c.caps[AMBIENT] = 0;
    }
    match (old[1] == 0, c.uid[1] == 0) {
        (true, false) => c.caps[EFFECTIVE] = 0,
        (false, true) => c.caps[EFFECTIVE] = c.caps[PERMITTED],
        _ if old[..3] == c.uid[..3] => match (old[3] == 0, c.uid[3] == 0) {
            (true, false) => c.caps[EFFECTIVE] &= !FS_CAPS,
            (false, true) => c.caps[EFFECTIVE] |= c.caps[PERMITTED] & FS_CAPS,
            _ => {}
        },
        _ => {}
    }
}

/// What execve(2) of a file without capabilities of its own leaves ("Transformation of capabilities during execve()" in
/// capabilities(7)).
pub(super) fn after_exec(c: &mut Credentials, secure_bits: u32) {
    let is_root = secure_bits & securebits::SECBIT_NOROOT == 0;
    let (real, effective) = (c.uid[0], c.uid[1]);
    c.caps[PERMITTED] = match is_root && (real == 0 || effective == 0) {
        true => c.caps[BOUNDING] | c.caps[INHERITABLE],
        false => c.caps[AMBIENT],
    };
    c.caps[EFFECTIVE] = if is_root && effective == 0 { c.caps[PERMITTED] } else { c.caps[AMBIENT] };
    (c.uid[2], c.uid[3]) = (effective, effective);
    (c.gid[2], c.gid[3]) = (c.gid[1], c.gid[1]);
}

/// Number of 32-bit parts that a header's version stands for. An unknown version is overwritten with the newest.
fn parts(ctx: &mut Ctx, header: GuestAddr) -> Result<(usize, Pid), Errno> {
    use cap_version::*;
    let h: CapHeader = ctx.mem().copy_in(header)?;
    match h.version {
        _LINUX_CAPABILITY_VERSION_1 => Ok((1, h.pid)),
        _LINUX_CAPABILITY_VERSION_2 | _LINUX_CAPABILITY_VERSION_3 => Ok((2, h.pid)),
        _ => {
            ctx.mem().copy_out(header, &_LINUX_CAPABILITY_VERSION_3)?;
            Err(Errno::EINVAL)
        }
    }
}

/// capget(2).
pub fn capget(ctx: &mut Ctx, a: &args::Capget) -> SysResult {
    let (parts, pid) = match parts(ctx, a.hdrp) {
        // A way to ask for the version.
        Err(Errno::EINVAL) if a.datap.is_null() => return Ok(0),
        other => other?,
    };
    if a.datap.is_null() {
        return Ok(0);
    }
    if pid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let tid = if pid == 0 { ctx.tid } else { pid };
    let caps = ctx.kernel.threads.get(&tid).ok_or(Errno::ESRCH)?.credentials.caps;
    let part = |i: usize| {
        let cut = |set: usize| (caps[set] >> (32 * i)) as u32;
        CapData { effective: cut(EFFECTIVE), permitted: cut(PERMITTED), inheritable: cut(INHERITABLE) }
    };
    let data: Vec<CapData> = (0..parts).map(part).collect();
    ctx.mem().copy_out_array(a.datap, &data)?;
    Ok(0)
}

/// capset(2).
pub fn capset(ctx: &mut Ctx, a: &args::Capset) -> SysResult {
    let (parts, pid) = parts(ctx, a.hdrp)?;
    if pid != 0 && pid != ctx.tid {
        return Err(Errno::EPERM.into());
    }
    let data: Vec<CapData> = ctx.mem().copy_in_array(a.datap, parts)?;
    let join = |get: fn(&CapData) -> u32| {
        data.iter().enumerate().fold(0u64, |set, (i, d)| set | u64::from(get(d)) << (32 * i)) & ALL
    };
    let (effective, permitted, inheritable) = (join(|d| d.effective), join(|d| d.permitted), join(|d| d.inheritable));
    let c = &mut ctx.thread().credentials;
    let old = c.caps;
    let within = |part: u64, whole: u64| part & !whole == 0;
    if (!c.has(CAP_SETPCAP) && !within(inheritable, old[INHERITABLE] | old[PERMITTED]))
        || !within(inheritable, old[INHERITABLE] | old[BOUNDING])
        || !within(permitted, old[PERMITTED])
        || !within(effective, permitted)
    {
        return Err(Errno::EPERM.into());
    }
    c.caps = [effective, permitted, inheritable, old[BOUNDING], old[AMBIENT] & permitted & inheritable];
    Ok(0)
}

/// PR_CAPBSET_READ.
pub(super) fn bounding_read(ctx: &mut Ctx, capability: u64) -> SysResult {
    if capability > CAP_LAST_CAP.into() {
        return Err(Errno::EINVAL.into());
    }
    Ok(ctx.thread().credentials.caps[BOUNDING] >> capability & 1)
}

/// PR_CAPBSET_DROP.
pub(super) fn bounding_drop(ctx: &mut Ctx, capability: u64) -> SysResult {
    let c = &mut ctx.thread().credentials;
    if !c.has(CAP_SETPCAP) {
        return Err(Errno::EPERM.into());
    }
    if capability > CAP_LAST_CAP.into() {
        return Err(Errno::EINVAL.into());
    }
    c.caps[BOUNDING] &= !(1 << capability);
    Ok(0)
}

/// PR_CAP_AMBIENT.
pub(super) fn ambient(ctx: &mut Ctx, what: u64, capability: u64, rest: [u64; 2]) -> SysResult {
    let secure_bits = ctx.process().settings.secure_bits;
    let c = &mut ctx.thread().credentials;
    if what == u64::from(cap_ambient::PR_CAP_AMBIENT_CLEAR_ALL) {
        if capability != 0 || rest != [0; 2] {
            return Err(Errno::EINVAL.into());
        }
        c.caps[AMBIENT] = 0;
        return Ok(0);
    }
    if capability > CAP_LAST_CAP.into() || rest != [0; 2] {
        return Err(Errno::EINVAL.into());
    }
    let bit = 1u64 << capability;
    match u32::try_from(what) {
        Ok(cap_ambient::PR_CAP_AMBIENT_IS_SET) => Ok(u64::from(c.caps[AMBIENT] & bit != 0)),
        Ok(cap_ambient::PR_CAP_AMBIENT_RAISE) => {
            if c.caps[PERMITTED] & c.caps[INHERITABLE] & bit == 0
                || secure_bits & securebits::SECBIT_NO_CAP_AMBIENT_RAISE != 0
            {
                return Err(Errno::EPERM.into());
            }
            c.caps[AMBIENT] |= bit;
            Ok(0)
        }
        Ok(cap_ambient::PR_CAP_AMBIENT_LOWER) => {
            c.caps[AMBIENT] &= !bit;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
