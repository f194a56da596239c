//! CPU time of threads and processes.
//!
//! In a deterministic run an instruction is a nanosecond in user mode and a call [`CALL_COST_NS`] in the kernel. On
//! the real host the time that sevm's process spends during a thread's turn is that thread's; how much of it was
//! spent in the kernel is taken to be in the same proportion as for sevm as a whole.

use super::*;

/// CPU time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In user mode.
    pub user_ns: u64,
    /// In the kernel.
    pub system_ns: u64,
}

impl CpuTime {
    /// Both together.
    pub fn total_ns(self) -> u64 {
        self.user_ns.saturating_add(self.system_ns)
    }
}

impl std::ops::Add for CpuTime {
    type Output = CpuTime;

    fn add(self, other: CpuTime) -> CpuTime {
        CpuTime {
            user_ns: self.user_ns.saturating_add(other.user_ns),
            system_ns: self.system_ns.saturating_add(other.system_ns),
        }
    }
}

/// What a process is charged with besides the time of its live threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accounts {
    /// CPU time of its ended threads.
    pub ended: CpuTime,
    /// CPU time of the children it has waited for, and theirs.
    pub children: CpuTime,
    /// Largest resident set of those children, in KiB.
    pub children_max_rss_kib: u64,
}

/// Measures the CPU time of turns on the real host.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Meter {
    pub(super) running: Option<Tid>,
    /// Instructions that it had retired when its turn began.
    retired_before: u64,
    /// The host's CPU clock when `running` was last charged.
    charged_ns: u64,
    /// Calls since timers by CPU time were last looked at.
    calls: u32,
}

impl Meter {
    /// Whether to look at timers by CPU time after this call: on the real host not after each, since that costs two calls of it.
    /// They are looked at between turns in any case.
    #[inline]
    pub(super) fn looks(&mut self) -> bool {
        self.calls = (self.calls + 1) % 32;
        self.calls == 0
    }
}

impl Kernel {
    /// The turn of thread `tid` begins.
    pub fn begin_turn(&mut self, tid: Tid) {
        // What sevm did before its first guest ran is nobody's. Between two turns it works for the one that comes: to ask the host
        // for the time again costs more than that.
        if self.time.meter.charged_ns == 0 {
            self.charge();
        }
        self.time.meter.running = Some(tid);
        self.time.meter.retired_before = self.threads.get(&tid).map_or(0, |t| t.retired);
    }

    /// The turn that began last is over.
    pub fn end_turn(&mut self, tid: Tid) {
        self.charge();
        let total = self.threads.get(&tid).map_or(0, |t| t.retired);
        self.count_turn(total.saturating_sub(self.time.meter.retired_before));
        self.time.meter.running = None;
    }

    /// Charges the running thread with the host's CPU time since last charged.
    fn charge(&mut self) {
        if self.time.is_virtual() {
            return;
        }
        let now = self.host.now_ns(HostClock::ProcessCpu);
        let spent = now.saturating_sub(std::mem::replace(&mut self.time.meter.charged_ns, now));
        if let Some(t) = self.time.meter.running.and_then(|tid| self.threads.get_mut(&tid)) {
            t.cpu.user_ns = t.cpu.user_ns.saturating_add(spent);
        }
    }

    /// Thread `tid` has retired this many instructions.
    #[inline]
    pub fn retire(&mut self, tid: Tid, instructions: u64) {
        self.counters.instructions += instructions;
        let is_virtual = self.time.is_virtual();
        if is_virtual {
            self.time.advance(instructions);
        }
        if let Some(t) = self.threads.get_mut(&tid) {
            t.retired += instructions;
            if is_virtual {
                t.cpu.user_ns = t.cpu.user_ns.saturating_add(instructions);
            }
        }
    }

    /// Thread `tid` has made a call.
    #[inline]
    pub(in crate::kernel) fn charge_call(&mut self, tid: Tid) {
        if self.time.is_virtual() {
            self.time.advance(CALL_COST_NS);
            if let Some(t) = self.threads.get_mut(&tid) {
                t.cpu.system_ns = t.cpu.system_ns.saturating_add(CALL_COST_NS);
            }
        }
    }

    /// CPU time of a thread up to now; zero when there is no such thread.
    pub fn thread_cpu(&mut self, tid: Tid) -> CpuTime {
        self.charge();
        let cpu = self.threads.get(&tid).map_or_else(CpuTime::default, |t| t.cpu);
        self.split(cpu)
    }

    /// CPU time of a process up to now, its ended threads included.
    pub fn process_cpu(&mut self, pid: Pid) -> CpuTime {
        self.charge();
        let Some(p) = self.processes.get(&pid) else { return CpuTime::default() };
        let live = p.threads.iter().filter_map(|tid| self.threads.get(tid)).map(|t| t.cpu);
        let total = live.fold(p.accounts.ended, |a, b| a + b);
        self.split(total)
    }

    /// Divides the host's time between user mode and kernel in the proportion of sevm as a whole.
    fn split(&mut self, cpu: CpuTime) -> CpuTime {
        if self.time.is_virtual() {
            return cpu;
        }
        let (usage, total) = (self.host.usage(), cpu.total_ns());
        let all = u128::from(usage.user_ns) + u128::from(usage.system_ns);
        let system_ns = (u128::from(total) * u128::from(usage.system_ns)).checked_div(all).unwrap_or(0) as u64;
        CpuTime { user_ns: total - system_ns, system_ns }
    }
}
