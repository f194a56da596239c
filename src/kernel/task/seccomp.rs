//! Filters of system calls: seccomp(2).
//!
//! A thread carries the filters that it and its ancestors have set. Each is a classic BPF program over
//! `struct seccomp_data`; all of them are asked at each call, and the strictest answer holds.

mod bpf;

use super::*;
use crate::abi::consts::cap::CAP_SYS_ADMIN;
use crate::abi::consts::si_code_sys;
use crate::abi::consts::{seccomp_filter as flag, seccomp_mode as mode, seccomp_op as op, seccomp_ret as ret};
use crate::kernel::signal::{Fields, SigInfo};
use crate::mem::GuestAddr;
use std::rc::Rc;

/// The action's part of a filter's answer; the rest is data for it.
const ACTION: u32 = 0xffff_0000;
const DATA: u32 = 0xffff;

/// Instructions that all filters of a thread may have together; each filter counts four more (MAX_INSNS_PER_PATH).
const MAX_INSNS_PER_PATH: usize = 32768;
const FILTER_COST: usize = 4;

/// `e_machine`, 64 bits, little endian: `arch` of `struct seccomp_data` (include/uapi/linux/audit.h).
const AUDIT_ARCH_LE64: u32 = 0xc000_0000;

/// Sizes that SECCOMP_GET_NOTIF_SIZES tells: `struct seccomp_notif`, `seccomp_notif_resp`, `seccomp_data`.
const NOTIF_SIZES: [u16; 3] = [80, 24, 64];

/// What a thread may call.
#[derive(Clone, Debug, Default)]
pub enum Seccomp {
    /// Everything.
    #[default]
    Disabled,
    /// read, write, exit and rt_sigreturn.
    Strict,
    /// What the filters let through.
    Filter(Rc<Filters>),
}

/// A filter and those that were set before it.
#[derive(Debug)]
pub struct Filters {
    program: bpf::Program,
    older: Option<Rc<Filters>>,
}

impl Filters {
    /// This one and the older ones, newest first.
    fn chain(&self) -> impl Iterator<Item = &Filters> {
        std::iter::successors(Some(self), |f| f.older.as_deref())
    }

    /// The strictest answer; among equals the newest filter's.
    fn judge(&self, data: &[u8; bpf::DATA_SIZE]) -> u32 {
        let mut strictest = ret::SECCOMP_RET_ALLOW;
        for filter in self.chain() {
            let answer = filter.program.run(data);
            if ((answer & ACTION) as i32) < (strictest & ACTION) as i32 {
                strictest = answer;
            }
        }
        strictest
    }
}

impl Drop for Filters {
    /// A long chain is taken apart link by link: dropping it as a list would need a stack as deep as the chain is long.
    fn drop(&mut self) {
        let mut next = self.older.take();
        while let Some(filters) = next {
            next = Rc::into_inner(filters).and_then(|mut f| f.older.take());
        }
    }
}

impl Seccomp {
    /// SECCOMP_MODE_*.
    pub fn mode(&self) -> u32 {
        match self {
            Seccomp::Disabled => mode::SECCOMP_MODE_DISABLED,
            Seccomp::Strict => mode::SECCOMP_MODE_STRICT,
            Seccomp::Filter(_) => mode::SECCOMP_MODE_FILTER,
        }
    }

    /// How many filters there are.
    pub fn filters(&self) -> usize {
        if let Seccomp::Filter(f) = self { f.chain().count() } else { 0 }
    }

    /// Whether `self` is where `newer` came from by adding filters, so that `newer` may replace it.
    fn is_ancestor_of(&self, newer: &Filters) -> bool {
        match self {
            Seccomp::Disabled => true,
            Seccomp::Strict => false,
            Seccomp::Filter(own) => newer.chain().any(|f| std::ptr::eq(f, &**own)),
        }
    }
}

impl Ctx<'_> {
    /// Whether the caller has filters.
    #[inline]
    pub(in crate::kernel) fn is_filtered(&mut self) -> bool {
        !matches!(self.thread().seccomp, Seccomp::Disabled)
    }

    /// Asks the caller's filters about a call that begins. `Some`: it is not carried out, and this is what becomes of it.
    pub(in crate::kernel) fn filter_call(&mut self, raw: &RawCall, index: Option<usize>) -> Option<SysResult> {
        let answer = match &self.thread().seccomp {
            Seccomp::Disabled => return None,
            Seccomp::Strict => {
                let name = index.map_or("", |i| ENTRIES[i].name);
                if matches!(name, "read" | "write" | "exit" | "rt_sigreturn") {
                    return None;
                }
                return Some(self.die(Signal::SIGKILL));
            }
            Seccomp::Filter(filters) => {
                let filters = Rc::clone(filters);
                filters.judge(&self.seccomp_data(raw))
            }
        };
        let data = answer & DATA;
        match answer & ACTION {
            ret::SECCOMP_RET_ALLOW | ret::SECCOMP_RET_LOG => None,
            ret::SECCOMP_RET_ERRNO if data == 0 => Some(Ok(0)),
            ret::SECCOMP_RET_ERRNO => Some(Err(Errno(data.min(4095) as u16).into())),
            ret::SECCOMP_RET_TRAP => Some(self.trap(raw, data)),
            // Nobody traces, and no listener exists.
            ret::SECCOMP_RET_TRACE | ret::SECCOMP_RET_USER_NOTIF => Some(Err(Errno::ENOSYS.into())),
            ret::SECCOMP_RET_KILL_THREAD => Some(self.die(Signal::SIGSYS)),
            _ => {
                let (pid, status) = (self.pid, ExitStatus::Signal { signal: Signal::SIGSYS, core: false });
                self.kernel.exit_process(pid, status);
                Some(Err(Stop::NoReturn))
            }
        }
    }

    fn seccomp_data(&self, raw: &RawCall) -> [u8; bpf::DATA_SIZE] {
        let mut data = [0; bpf::DATA_SIZE];
        data[..4].copy_from_slice(&(raw.nr as u32).to_le_bytes());
        data[4..8].copy_from_slice(&audit_arch(self.arch).to_le_bytes());
        data[8..16].copy_from_slice(&self.port.pc().to_le_bytes());
        for (slot, arg) in data[16..].chunks_exact_mut(8).zip(raw.args) {
            slot.copy_from_slice(&arg.to_le_bytes());
        }
        data
    }

    /// SECCOMP_RET_TRAP: SIGSYS instead of the call. The result register is as it was before the call.
    fn trap(&mut self, raw: &RawCall, data: u32) -> SysResult {
        let fields =
            Fields::Syscall { addr: GuestAddr(self.port.pc()), nr: raw.nr as i32, arch: audit_arch(self.arch) };
        let code = si_code_sys::SYS_SECCOMP as i32;
        let info = SigInfo { signal: Signal::SIGSYS, code, errno: data as i32, fields };
        self.kernel.force_signal(self.tid, info);
        Ok(match self.arch {
            Arch::X86_64 => raw.nr,
            Arch::Aarch64 => raw.args[0],
        })
    }

    /// Ends the calling thread as if by `signal`; the process too, if it is its last one.
    fn die(&mut self, signal: Signal) -> SysResult {
        let (tid, pid) = (self.tid, self.pid);
        if self.process().threads.len() <= 1 {
            self.kernel.exit_process(pid, ExitStatus::Signal { signal, core: false });
        } else {
            self.kernel.end_thread(tid, ExitStatus::Signal { signal, core: false });
        }
        Err(Stop::NoReturn)
    }
}

fn audit_arch(arch: Arch) -> u32 {
    AUDIT_ARCH_LE64 | u32::from(arch.elf_machine())
}

/// seccomp(2).
pub fn seccomp(ctx: &mut Ctx, a: &args::Seccomp) -> SysResult {
    match a.operation {
        op::SECCOMP_SET_MODE_STRICT if a.flags == 0 && a.args.is_null() => set_strict(ctx),
        op::SECCOMP_SET_MODE_FILTER => set_filter(ctx, a.flags, a.args),
        op::SECCOMP_GET_ACTION_AVAIL if a.flags == 0 => {
            let action: u32 = ctx.mem().copy_in(a.args)?;
            match action {
                ret::SECCOMP_RET_KILL_PROCESS
                | ret::SECCOMP_RET_KILL_THREAD
                | ret::SECCOMP_RET_TRAP
                | ret::SECCOMP_RET_ERRNO
                | ret::SECCOMP_RET_USER_NOTIF
                | ret::SECCOMP_RET_TRACE
                | ret::SECCOMP_RET_LOG
                | ret::SECCOMP_RET_ALLOW => Ok(0),
                _ => Err(Errno::EOPNOTSUPP.into()),
            }
        }
        op::SECCOMP_GET_NOTIF_SIZES if a.flags == 0 => {
            ctx.mem().copy_out(a.args, &NOTIF_SIZES)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// prctl(2), PR_SET_SECCOMP.
pub(super) fn set_by_prctl(ctx: &mut Ctx, which: u64, program: u64) -> SysResult {
    match u32::try_from(which) {
        Ok(mode::SECCOMP_MODE_STRICT) => set_strict(ctx),
        Ok(mode::SECCOMP_MODE_FILTER) => set_filter(ctx, 0, GuestAddr(program)),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn set_strict(ctx: &mut Ctx) -> SysResult {
    if matches!(ctx.thread().seccomp, Seccomp::Filter(_)) {
        return Err(Errno::EINVAL.into());
    }
    ctx.thread().seccomp = Seccomp::Strict;
    Ok(0)
}

fn set_filter(ctx: &mut Ctx, flags: u32, fprog: GuestAddr) -> SysResult {
    let known = flag::SECCOMP_FILTER_FLAG_TSYNC
        | flag::SECCOMP_FILTER_FLAG_LOG
        | flag::SECCOMP_FILTER_FLAG_SPEC_ALLOW
        | flag::SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    // There are no listeners: as a kernel before 5.0, which does not know the flag.
    if flags & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    let program = read_program(ctx, fprog)?;
    if !ctx.process().settings.no_new_privs && !ctx.thread().credentials.has(CAP_SYS_ADMIN) {
        return Err(Errno::EACCES.into());
    }
    let older = match &ctx.thread().seccomp {
        Seccomp::Disabled => None,
        Seccomp::Strict => return Err(Errno::EINVAL.into()),
        Seccomp::Filter(f) => Some(Rc::clone(f)),
    };
    let own: usize = older.iter().flat_map(|f| f.chain()).map(|f| f.program.len() + FILTER_COST).sum();
    if own + program.len() > MAX_INSNS_PER_PATH {
        return Err(Errno::ENOMEM.into());
    }
    let filters = Rc::new(Filters { program, older });
    if flags & flag::SECCOMP_FILTER_FLAG_TSYNC != 0 {
        let threads = ctx.process().threads.clone();
        let differs = |t: &Tid| ctx.kernel.threads.get(t).is_some_and(|t| !t.seccomp.is_ancestor_of(&filters));
        if let Some(tid) = threads.iter().find(|t| differs(t)) {
            let as_errno = flags & flag::SECCOMP_FILTER_FLAG_TSYNC_ESRCH != 0;
            return if as_errno { Err(Errno::ESRCH.into()) } else { Ok(*tid as u64) };
        }
        for tid in threads {
            if let Some(t) = ctx.kernel.threads.get_mut(&tid) {
                t.seccomp = Seccomp::Filter(Rc::clone(&filters));
            }
        }
    }
    ctx.thread().seccomp = Seccomp::Filter(filters);
    Ok(0)
}

/// `struct sock_fprog` and the program it names.
fn read_program(ctx: &mut Ctx, fprog: GuestAddr) -> Result<bpf::Program, Errno> {
    let [len, addr]: [u64; 2] = ctx.mem().copy_in(fprog)?;
    let len = usize::from(len as u16);
    if len == 0 || len > bpf::MAX_LEN {
        return Err(Errno::EINVAL);
    }
    let raw: Vec<u64> = ctx.mem().copy_in_array(GuestAddr(addr), len)?;
    bpf::Program::new(&raw).ok_or(Errno::EINVAL)
}
