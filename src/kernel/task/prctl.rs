//! Settings of a process: prctl(2), arch_prctl(2).

use super::capability::{ambient, bounding_drop, bounding_read};
use super::*;
use crate::abi::consts::prctl as pr;
use crate::abi::consts::{arch_prctl as arch, pr_mdwe, pr_set_mm, pr_tsc, securebits};
use crate::arch::Regs;
use crate::mem::GuestAddr;

/// What prctl(2) and `/proc/PID` keep for a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// PR_SET_DUMPABLE.
    pub dumpable: u32,
    /// PR_SET_PDEATHSIG.
    pub parent_death_signal: i32,
    /// PR_SET_SECUREBITS, PR_SET_KEEPCAPS.
    pub secure_bits: u32,
    /// PR_SET_NO_NEW_PRIVS.
    pub no_new_privs: bool,
    /// PR_SET_CHILD_SUBREAPER.
    pub child_subreaper: bool,
    /// PR_SET_TIMERSLACK, in nanoseconds.
    pub timer_slack_ns: u64,
    /// PR_SET_THP_DISABLE.
    pub thp_disabled: bool,
    /// PR_SET_IO_FLUSHER.
    pub io_flusher: bool,
    /// PR_SET_MEMORY_MERGE.
    pub memory_merge: bool,
    /// PR_SET_MDWE.
    pub mdwe: u32,
    /// PR_MCE_KILL: 0 late, 1 early, 2 default.
    pub mce_kill: u32,
    /// It has called execve(2) since it was forked; its parent may then no longer move it to another group.
    pub has_executed: bool,
    /// `/proc/PID/oom_score_adj`.
    pub oom_score_adj: i32,
    /// `/proc/PID/loginuid`; `u32::MAX` is unset.
    pub login_uid: u32,
    /// `/proc/PID/coredump_filter`.
    pub coredump_filter: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            dumpable: 1,
            parent_death_signal: 0,
            secure_bits: 0,
            no_new_privs: false,
            child_subreaper: false,
            timer_slack_ns: DEFAULT_SLACK_NS,
            thp_disabled: false,
            io_flusher: false,
            memory_merge: false,
            mdwe: 0,
            mce_kill: 2,
            has_executed: true,
            oom_score_adj: 0,
            login_uid: u32::MAX,
            coredump_filter: 0x33,
        }
    }
}

/// How late timers of an ordinary thread may be.
const DEFAULT_SLACK_NS: u64 = 50_000;

/// Bits of PR_SET_SECUREBITS that this kernel knows; the high half of each pair locks the low one.
const SECURE_BITS: u64 = 0xff;

fn invalid() -> SysResult {
    Err(Errno::EINVAL.into())
}

fn flag(value: bool) -> SysResult {
    Ok(value.into())
}

/// prctl(2). Options that concern hardware or kernel features that this machine does not have give EINVAL, as on a
/// kernel without them: seccomp, speculation control, SVE, shadow stacks, core scheduling.
pub fn prctl(ctx: &mut Ctx, a: &args::Prctl) -> SysResult {
    let rest = [a.arg3, a.arg4, a.arg5];
    let unused = rest == [0; 3];
    let all_unused = unused && a.arg2 == 0;
    match a.option {
        pr::PR_SET_NAME => set_name(ctx, GuestAddr(a.arg2)),
        pr::PR_GET_NAME => get_name(ctx, GuestAddr(a.arg2)),
        pr::PR_SET_PDEATHSIG => {
            if a.arg2 > 64 {
                return invalid();
            }
            ctx.process().settings.parent_death_signal = a.arg2 as i32;
            Ok(0)
        }
        pr::PR_GET_PDEATHSIG => {
            let signal = ctx.process().settings.parent_death_signal;
            put(ctx, a.arg2, &signal)
        }
        pr::PR_GET_DUMPABLE => Ok(ctx.process().settings.dumpable.into()),
        pr::PR_SET_DUMPABLE if a.arg2 <= 1 => {
            ctx.process().settings.dumpable = a.arg2 as u32;
            Ok(0)
        }
        pr::PR_GET_KEEPCAPS => flag(ctx.process().settings.secure_bits & securebits::SECBIT_KEEP_CAPS != 0),
        pr::PR_SET_KEEPCAPS if a.arg2 <= 1 => set_keep_caps(ctx, a.arg2 == 1),
        pr::PR_GET_SECUREBITS => Ok(ctx.process().settings.secure_bits.into()),
        pr::PR_SET_SECUREBITS => set_secure_bits(ctx, a.arg2),
        pr::PR_CAPBSET_READ => bounding_read(ctx, a.arg2),
        pr::PR_CAPBSET_DROP => bounding_drop(ctx, a.arg2),
        pr::PR_CAP_AMBIENT => ambient(ctx, a.arg2, a.arg3, [a.arg4, a.arg5]),
        // PR_TIMING_STATISTICAL is the only kind.
        pr::PR_GET_TIMING => Ok(0),
        pr::PR_SET_TIMING if a.arg2 == 0 => Ok(0),
        pr::PR_GET_SECCOMP => Ok(ctx.thread().seccomp.mode().into()),
        pr::PR_SET_SECCOMP => seccomp::set_by_prctl(ctx, a.arg2, a.arg3),
        pr::PR_GET_TSC if ctx.arch == Arch::X86_64 => put(ctx, a.arg2, &pr_tsc::PR_TSC_ENABLE),
        pr::PR_SET_TSC if ctx.arch == Arch::X86_64 && a.arg2 == u64::from(pr_tsc::PR_TSC_ENABLE) => Ok(0),
        pr::PR_SET_TIMERSLACK => {
            ctx.process().settings.timer_slack_ns = if a.arg2 == 0 { DEFAULT_SLACK_NS } else { a.arg2 };
            Ok(0)
        }
        pr::PR_GET_TIMERSLACK => Ok(ctx.process().settings.timer_slack_ns),
        pr::PR_TASK_PERF_EVENTS_DISABLE | pr::PR_TASK_PERF_EVENTS_ENABLE => Ok(0),
        pr::PR_MCE_KILL => set_mce_kill(ctx, a),
        pr::PR_MCE_KILL_GET if all_unused => Ok(ctx.process().settings.mce_kill.into()),
        pr::PR_SET_CHILD_SUBREAPER => {
            ctx.process().settings.child_subreaper = a.arg2 != 0;
            Ok(0)
        }
        pr::PR_GET_CHILD_SUBREAPER => {
            let value = i32::from(ctx.process().settings.child_subreaper);
            put(ctx, a.arg2, &value)
        }
        pr::PR_SET_NO_NEW_PRIVS if a.arg2 == 1 && unused => {
            ctx.process().settings.no_new_privs = true;
            Ok(0)
        }
        pr::PR_GET_NO_NEW_PRIVS if all_unused => flag(ctx.process().settings.no_new_privs),
        pr::PR_SET_THP_DISABLE if unused => {
            ctx.process().settings.thp_disabled = a.arg2 != 0;
            Ok(0)
        }
        pr::PR_GET_THP_DISABLE if all_unused => flag(ctx.process().settings.thp_disabled),
        pr::PR_SET_IO_FLUSHER => set_io_flusher(ctx, a.arg2, unused),
        pr::PR_GET_IO_FLUSHER => {
            if !ctx.thread().credentials.has(CAP_SYS_RESOURCE) {
                return Err(Errno::EPERM.into());
            }
            if !all_unused {
                return invalid();
            }
            flag(ctx.process().settings.io_flusher)
        }
        pr::PR_SET_MEMORY_MERGE if unused => {
            ctx.process().settings.memory_merge = a.arg2 != 0;
            Ok(0)
        }
        pr::PR_GET_MEMORY_MERGE if all_unused => flag(ctx.process().settings.memory_merge),
        pr::PR_SET_MDWE if unused => set_mdwe(ctx, a.arg2),
        pr::PR_GET_MDWE if all_unused => Ok(ctx.process().settings.mdwe.into()),
        pr::PR_GET_TID_ADDRESS => {
            let address = ctx.thread().clear_child_tid.0;
            put(ctx, a.arg2, &address)
        }
        pr::PR_SET_MM => set_mm(ctx, a),
        pr::PR_SET_VMA => set_vma(ctx, a),
        pr::PR_GET_AUXV if a.arg4 == 0 && a.arg5 == 0 => get_auxv(ctx, GuestAddr(a.arg2), a.arg3),
        // Who may trace whom is not restricted (no Yama), so naming a tracer is EINVAL as on a kernel without it.
        _ => invalid(),
    }
}

fn put<T: zerocopy::IntoBytes + zerocopy::Immutable>(ctx: &mut Ctx, addr: u64, value: &T) -> SysResult {
    ctx.mem().copy_out(GuestAddr(addr), value)?;
    Ok(0)
}

fn set_name(ctx: &mut Ctx, addr: GuestAddr) -> SysResult {
    // strncpy_from_user: up to 15 bytes matter, and it is no error when more follow.
    let mut name = Vec::new();
    while name.len() < 15 {
        let byte: u8 = ctx.mem().copy_in(addr.offset(name.len() as u64))?;
        if byte == 0 {
            break;
        }
        name.push(byte);
    }
    ctx.thread().comm = name;
    Ok(0)
}

fn get_name(ctx: &mut Ctx, addr: GuestAddr) -> SysResult {
    let mut name = [0u8; 16];
    let comm = &ctx.thread().comm;
    name[..comm.len().min(15)].copy_from_slice(&comm[..comm.len().min(15)]);
    ctx.mem().copy_out(addr, &name)?;
    Ok(0)
}

fn set_keep_caps(ctx: &mut Ctx, on: bool) -> SysResult {
    let bits = &mut ctx.process().settings.secure_bits;
    if *bits & securebits::SECBIT_KEEP_CAPS_LOCKED != 0 {
        return Err(Errno::EPERM.into());
    }
    *bits = *bits & !securebits::SECBIT_KEEP_CAPS | if on { securebits::SECBIT_KEEP_CAPS } else { 0 };
    Ok(0)
}

fn set_secure_bits(ctx: &mut Ctx, bits: u64) -> SysResult {
    let old = u64::from(ctx.process().settings.secure_bits);
    // A lock bit stands one above the bit it locks.
    let locked = (old & 0xaa) >> 1 | old & 0xaa;
    if bits & !SECURE_BITS != 0 || (old ^ bits) & locked != 0 || !ctx.thread().credentials.has(CAP_SETPCAP) {
        return Err(Errno::EPERM.into());
    }
    ctx.process().settings.secure_bits = bits as u32;
    Ok(0)
}

fn set_mce_kill(ctx: &mut Ctx, a: &args::Prctl) -> SysResult {
    const CLEAR: u64 = 0;
    const SET: u64 = 1;
    if a.arg4 != 0 || a.arg5 != 0 {
        return invalid();
    }
    ctx.process().settings.mce_kill = match (a.arg2, a.arg3) {
        (CLEAR, 0) => 2,
        (SET, policy @ 0..=2) => policy as u32,
        _ => return invalid(),
    };
    Ok(0)
}

fn set_io_flusher(ctx: &mut Ctx, value: u64, unused: bool) -> SysResult {
    if !ctx.thread().credentials.has(CAP_SYS_RESOURCE) {
        return Err(Errno::EPERM.into());
    }
    if value > 1 || !unused {
        return invalid();
    }
    ctx.process().settings.io_flusher = value == 1;
    Ok(0)
}

fn set_mdwe(ctx: &mut Ctx, bits: u64) -> SysResult {
    const REFUSE_EXEC_GAIN: u32 = pr_mdwe::PR_MDWE_REFUSE_EXEC_GAIN;
    const NO_INHERIT: u32 = pr_mdwe::PR_MDWE_NO_INHERIT;
    let known = u64::from(REFUSE_EXEC_GAIN | NO_INHERIT);
    if bits & !known != 0 || bits == u64::from(NO_INHERIT) {
        return invalid();
    }
    let now = &mut ctx.process().settings.mdwe;
    if *now != 0 && u64::from(*now) != bits {
        return Err(Errno::EPERM.into());
    }
    *now = bits as u32;
    Ok(0)
}

/// PR_SET_MM: only what /proc shows is changed; the program break's own limits stay as they are.
fn set_mm(ctx: &mut Ctx, a: &args::Prctl) -> SysResult {
    let by_option = [a.arg4, a.arg5] != [0; 2]
        && ![
            u64::from(pr_set_mm::PR_SET_MM_AUXV),
            pr_set_mm::PR_SET_MM_MAP.into(),
            pr_set_mm::PR_SET_MM_MAP_SIZE.into(),
        ]
        .contains(&a.arg2);
    if by_option {
        return invalid();
    }
    if !ctx.thread().credentials.has(CAP_SYS_RESOURCE) {
        return Err(Errno::EPERM.into());
    }
    let addr = GuestAddr(a.arg3);
    if addr.0 >= ctx.mem().limit() || ctx.mem().area_at(addr).is_none() {
        return invalid();
    }
    let layout = &mut ctx.process().layout;
    let slot = match u32::try_from(a.arg2) {
        Ok(pr_set_mm::PR_SET_MM_START_CODE) => &mut layout.code.0,
        Ok(pr_set_mm::PR_SET_MM_END_CODE) => &mut layout.code.1,
        Ok(pr_set_mm::PR_SET_MM_START_DATA) => &mut layout.data.0,
        Ok(pr_set_mm::PR_SET_MM_END_DATA) => &mut layout.data.1,
        Ok(pr_set_mm::PR_SET_MM_START_STACK) => &mut layout.stack,
        Ok(pr_set_mm::PR_SET_MM_ARG_START) => &mut layout.args.0,
        Ok(pr_set_mm::PR_SET_MM_ARG_END) => &mut layout.args.1,
        Ok(pr_set_mm::PR_SET_MM_ENV_START) => &mut layout.env.0,
        Ok(pr_set_mm::PR_SET_MM_ENV_END) => &mut layout.env.1,
        _ => return invalid(),
    };
    *slot = addr;
    Ok(0)
}

/// PR_SET_VMA: names of anonymous memory are checked and not kept; `/proc/PID/maps` shows such areas without one.
fn set_vma(ctx: &mut Ctx, a: &args::Prctl) -> SysResult {
    const ANON_NAME: u64 = 0;
    const NAME_MAX: usize = 80;
    if a.arg2 != ANON_NAME {
        return invalid();
    }
    let name = GuestAddr(a.arg5);
    if !name.is_null() {
        let text = ctx.mem().read_cstr(name, NAME_MAX).map_err(|e| match e {
            Errno::ENAMETOOLONG => Errno::EINVAL,
            e => e,
        })?;
        if text.iter().any(|b| !(0x20..0x7f).contains(b) || b"\\`$[]".contains(b)) {
            return invalid();
        }
    }
    let (addr, len) = (GuestAddr(a.arg3), a.arg4);
    if !addr.is_page_aligned() {
        return invalid();
    }
    let len = crate::mem::page_align(len).ok_or(Errno::EINVAL)?;
    if !ctx.mem().check_range(addr, len) {
        return Err(Errno::ENOMEM.into());
    }
    Ok(0)
}

fn get_auxv(ctx: &mut Ctx, addr: GuestAddr, len: u64) -> SysResult {
    let bytes = ctx.process().auxv_bytes();
    let n = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
    ctx.mem().write(addr, &bytes[..n])?;
    Ok(bytes.len() as u64)
}

impl Process {
    /// The auxiliary vector as it lies on the stack.
    pub fn auxv_bytes(&self) -> Vec<u8> {
        self.auxv.iter().flat_map(|(key, value)| [*key, *value]).flat_map(u64::to_le_bytes).collect()
    }
}

/// arch_prctl(2), of x86_64 only: the segment bases. CPUID cannot be made to fault, and no extended state needs
/// permission, as on processors without these features.
pub fn arch_prctl(ctx: &mut Ctx, a: &args::ArchPrctl) -> SysResult {
    let mut regs = Regs::new(ctx.arch);
    ctx.port.save(&mut regs);
    let limit = ctx.mem().limit();
    let Regs::X86_64(r) = &mut regs else { return invalid() };
    match a.code {
        arch::ARCH_SET_FS | arch::ARCH_SET_GS => {
            if a.addr >= limit {
                return Err(Errno::EPERM.into());
            }
            let base = if a.code == arch::ARCH_SET_FS { &mut r.fs_base } else { &mut r.gs_base };
            *base = a.addr;
            ctx.port.load(&regs);
            Ok(0)
        }
        arch::ARCH_GET_FS => put(ctx, a.addr, &r.fs_base),
        arch::ARCH_GET_GS => put(ctx, a.addr, &r.gs_base),
        arch::ARCH_GET_CPUID => Ok(1),
        arch::ARCH_SET_CPUID => Err(Errno::ENODEV.into()),
        // x87 and SSE.
        arch::ARCH_GET_XCOMP_SUPP | arch::ARCH_GET_XCOMP_PERM | arch::ARCH_GET_XCOMP_GUEST_PERM => {
            put(ctx, a.addr, &3u64)
        }
        _ => invalid(),
    }
}
