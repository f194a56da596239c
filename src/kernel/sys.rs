//! The machine as a whole: uname, sysinfo, limits, usage, randomness.

use super::*;
use crate::abi::consts::{getrandom as grnd, personality as per, rlimit, rusage};
use crate::abi::{Rlimit, Rusage, Sysinfo, Timeval, Utsname};
use crate::host::{Load, Names};
use crate::mem::GuestAddr;
use crate::syscalls::args;

/// Most descriptors that a limit may allow (`/proc/sys/fs/nr_open`).
pub const NR_OPEN: u64 = 1_048_576;

/// Most bytes that one getrandom(2) gives.
const RANDOM_MAX: u64 = i32::MAX as u64;

impl Kernel {
    /// What uname(2) tells.
    pub fn names(&mut self) -> Names {
        let mut names = self.host.names();
        let (node, domain) = &self.own_names;
        names.node = node.clone().unwrap_or(names.node);
        names.domain = domain.clone().unwrap_or(names.domain);
        names
    }

    /// Memory and load of the machine.
    pub fn load(&mut self) -> Load {
        let load = self.host.load();
        let used = if self.config.deterministic { self.spaces_mapped() } else { 0 };
        Load { procs: self.threads.len() as u16, free_ram: load.free_ram.saturating_sub(used), ..load }
    }

    fn spaces_mapped(&self) -> u64 {
        let leaders = self.processes.values().filter_map(|p| self.threads.get(p.threads.first()?));
        leaders.map(|t| t.space.borrow().total_mapped()).sum()
    }

    /// Puts the limits of a process that concern its memory in force.
    pub fn apply_memory_limits(&mut self, pid: Pid) {
        let Some(p) = self.processes.get(&pid) else { return };
        let soft = |resource: u32| p.limits[resource as usize].soft;
        let Some(t) = p.threads.first().and_then(|tid| self.threads.get(tid)) else { return };
        let limits = &mut t.space.borrow_mut().limits;
        limits.address_space = soft(rlimit::RLIMIT_AS);
        limits.data = soft(rlimit::RLIMIT_DATA);
        limits.stack = soft(rlimit::RLIMIT_STACK);
        limits.locked = soft(rlimit::RLIMIT_MEMLOCK);
    }
}

/// A string as a field of `struct utsname`, cut to fit with its NUL.
fn name(text: &[u8]) -> [u8; 65] {
    let mut field = [0; 65];
    let n = text.len().min(64);
    field[..n].copy_from_slice(&text[..n]);
    field
}

/// The machine name, which a 32-bit personality changes.
fn machine(arch: Arch, personality: u32) -> &'static str {
    match (arch, personality & 0xff == per::PER_LINUX32) {
        (Arch::X86_64, true) => "i686",
        (Arch::Aarch64, true) => "armv8l",
        (arch, false) => arch.name(),
    }
}

/// The release as UNAME26 shows it, for programs that cannot read versions from 3.0 on: 2.6.40 and up for 3.x, 2.6.60
/// and up for what follows (`override_release` of Linux).
fn release_26(release: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(release);
    let digits = |c: char| !c.is_ascii_digit();
    let minor: u32 = text.split('.').nth(1).and_then(|w| w.split(digits).next()?.parse().ok()).unwrap_or(0);
    let rest = text.find(|c: char| c != '.' && !c.is_ascii_digit()).map_or("", |at| &text[at..]);
    format!("2.6.{}{rest}", minor + 60).into_bytes()
}

/// uname(2).
pub fn uname(ctx: &mut Ctx, a: &args::Uname) -> SysResult {
    let names = ctx.kernel.names();
    let (arch, personality) = (ctx.arch, ctx.process().personality);
    let release = if personality & per::UNAME26 != 0 { release_26(&names.release) } else { names.release };
    let out = Utsname {
        sysname: name(b"Linux"),
        nodename: name(&names.node),
        release: name(&release),
        version: name(&names.version),
        machine: name(machine(arch, personality).as_bytes()),
        domainname: name(&names.domain),
    };
    ctx.mem().copy_out(a.buf, &out)?;
    Ok(0)
}

/// sysinfo(2). Memory is the host's, processes are the guest's.
pub fn sysinfo(ctx: &mut Ctx, a: &args::Sysinfo) -> SysResult {
    let l = ctx.kernel.load();
    let out = Sysinfo {
        uptime: l.uptime_s,
        loads: l.loads,
        totalram: l.total_ram,
        freeram: l.free_ram,
        sharedram: l.shared_ram,
        bufferram: l.buffer_ram,
        totalswap: l.total_swap,
        freeswap: l.free_swap,
        procs: l.procs,
        totalhigh: l.total_high,
        freehigh: l.free_high,
        mem_unit: 1,
        ..Sysinfo::default()
    };
    ctx.mem().copy_out(a.info, &out)?;
    Ok(0)
}

/// Reads and, when given, changes a limit (`do_prlimit`).
fn limit(ctx: &mut Ctx, pid: Pid, resource: u32, new: Option<Rlimit>) -> Result<Rlimit, Errno> {
    let index = resource as usize;
    let may_raise = ctx.thread().credentials.has(task::CAP_SYS_RESOURCE);
    let p = ctx.kernel.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
    let slot = p.limits.get_mut(index).ok_or(Errno::EINVAL)?;
    let old = Rlimit { rlim_cur: slot.soft, rlim_max: slot.hard };
    if let Some(new) = new {
        if new.rlim_cur > new.rlim_max {
            return Err(Errno::EINVAL);
        }
        if resource == rlimit::RLIMIT_NOFILE && new.rlim_max > NR_OPEN {
            return Err(Errno::EPERM);
        }
        if new.rlim_max > old.rlim_max && !may_raise {
            return Err(Errno::EPERM);
        }
        *slot = ResourceLimit { soft: new.rlim_cur, hard: new.rlim_max };
        ctx.kernel.apply_memory_limits(pid);
    }
    Ok(old)
}

/// getrlimit(2).
pub fn getrlimit(ctx: &mut Ctx, a: &args::Getrlimit) -> SysResult {
    let pid = ctx.pid;
    let old = limit(ctx, pid, a.resource, None)?;
    ctx.mem().copy_out(a.rlim, &old)?;
    Ok(0)
}

/// setrlimit(2).
pub fn setrlimit(ctx: &mut Ctx, a: &args::Setrlimit) -> SysResult {
    let new: Rlimit = ctx.mem().copy_in(a.rlim)?;
    let pid = ctx.pid;
    limit(ctx, pid, a.resource, Some(new))?;
    Ok(0)
}

/// prlimit64(2).
pub fn prlimit64(ctx: &mut Ctx, a: &args::Prlimit64) -> SysResult {
    let new = match a.new_limit.is_null() {
        true => None,
        false => Some(ctx.mem().copy_in::<Rlimit>(a.new_limit)?),
    };
    let tid = if a.pid == 0 { ctx.tid } else { a.pid };
    let target = ctx.kernel.threads.get(&tid).ok_or(Errno::ESRCH)?;
    let (pid, theirs) = (target.pid, target.credentials.clone());
    let own = ctx.thread().credentials.clone();
    let same = |mine: u32, ids: [u32; 4]| ids[..3].iter().all(|id| *id == mine);
    if pid != ctx.pid
        && !(same(own.uid[0], theirs.uid) && same(own.gid[0], theirs.gid))
        && !own.has(task::CAP_SYS_RESOURCE)
    {
        return Err(Errno::EPERM.into());
    }
    let old = limit(ctx, pid, a.resource, new)?;
    if !a.old_limit.is_null() {
        ctx.mem().copy_out(a.old_limit, &old)?;
    }
    Ok(0)
}

/// What a process and its threads have used, as wait4(2) and getrusage(2) report it. Besides CPU time the figures are
/// those of sevm as a whole, and zero in a deterministic run.
pub(super) fn usage_of(ctx: &mut Ctx, cpu: time::CpuTime) -> Rusage {
    let times = Rusage {
        ru_utime: Timeval::from_ns(cpu.user_ns),
        ru_stime: Timeval::from_ns(cpu.system_ns),
        ..Rusage::default()
    };
    if ctx.kernel.config.deterministic {
        let mapped = ctx.mem().total_mapped();
        return Rusage { ru_maxrss: (mapped / 1024) as i64, ..times };
    }
    let u = ctx.kernel.host.usage();
    Rusage {
        ru_maxrss: u.max_rss_kib as i64,
        ru_minflt: u.minor_faults as i64,
        ru_majflt: u.major_faults as i64,
        ru_inblock: u.blocks_in as i64,
        ru_oublock: u.blocks_out as i64,
        ru_nvcsw: u.switches_voluntary as i64,
        ru_nivcsw: u.switches_involuntary as i64,
        ..times
    }
}

/// getrusage(2).
pub fn getrusage(ctx: &mut Ctx, a: &args::Getrusage) -> SysResult {
    let (tid, pid) = (ctx.tid, ctx.pid);
    let usage = match a.who {
        rusage::RUSAGE_SELF => {
            let cpu = ctx.kernel.process_cpu(pid);
            usage_of(ctx, cpu)
        }
        rusage::RUSAGE_THREAD => {
            let cpu = ctx.kernel.thread_cpu(tid);
            usage_of(ctx, cpu)
        }
        rusage::RUSAGE_CHILDREN => {
            let accounts = ctx.process().accounts;
            Rusage {
                ru_utime: Timeval::from_ns(accounts.children.user_ns),
                ru_stime: Timeval::from_ns(accounts.children.system_ns),
                ru_maxrss: accounts.children_max_rss_kib as i64,
                ..Rusage::default()
            }
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    ctx.mem().copy_out(a.usage, &usage)?;
    Ok(0)
}

/// getrandom(2). The source never blocks: the host's is ready since long, the seed's always is.
pub fn getrandom(ctx: &mut Ctx, a: &args::Getrandom) -> SysResult {
    let known = grnd::GRND_NONBLOCK | grnd::GRND_RANDOM | grnd::GRND_INSECURE;
    let both = grnd::GRND_RANDOM | grnd::GRND_INSECURE;
    if a.flags & !known != 0 || a.flags & both == both {
        return Err(Errno::EINVAL.into());
    }
    let want = a.buflen.min(RANDOM_MAX);
    let mut done = 0;
    while done < want {
        let mut chunk = [0u8; 4096];
        let n = (want - done).min(chunk.len() as u64) as usize;
        ctx.kernel.random(&mut chunk[..n]);
        let written = ctx.mem().write_partial(GuestAddr(a.buf.0.wrapping_add(done)), &chunk[..n]);
        done += written as u64;
        if written < n {
            break;
        }
    }
    if done == 0 && want > 0 { Err(Errno::EFAULT.into()) } else { Ok(done) }
}

#[cfg(test)]
mod tests {
    use super::release_26;

    #[test]
    fn old_programs_see_version_2_6() {
        assert_eq!(release_26(b"6.1.0-13-amd64"), b"2.6.61-13-amd64");
        assert_eq!(release_26(b"6.12.3"), b"2.6.72");
    }
}
