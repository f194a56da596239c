//! Files about the machine: `/proc/cpuinfo`, `/proc/meminfo`, `/proc/sys` and their like (proc(5)).
//!
//! They show the guest's processes and processor. Memory, load and mounts are the host's, as the guest works with them.

use super::*;
use crate::arch::cpuid::{self, Cpuid};
use crate::kernel::time::{CpuTime, SECOND_NS, USER_HZ};
use std::fmt::Write as _;

/// Makes a file's content for a thread that looks at it.
type Make = fn(&mut Kernel, Tid) -> Vec<u8>;

/// The files below `/proc` by path, in order, without those of `sys`. Their directories follow from the paths.
const FILES: &[(&str, Make)] = &[
    ("cmdline", |_, _| b"sevm\n".to_vec()),
    ("consoles", |_, _| Vec::new()),
    ("cpuinfo", cpuinfo),
    ("crypto", |k, _| k.host.proc_file("/proc/crypto")),
    ("devices", |k, _| k.host.proc_file("/proc/devices")),
    ("diskstats", |k, _| k.host.proc_file("/proc/diskstats")),
    ("execdomains", |_, _| b"0-0\tLinux           \t[kernel]\n".to_vec()),
    ("filesystems", |k, _| k.host.proc_file("/proc/filesystems")),
    ("interrupts", |k, _| k.host.proc_file("/proc/interrupts")),
    ("loadavg", loadavg),
    ("locks", |k, _| k.host.proc_file("/proc/locks")),
    ("meminfo", meminfo),
    ("misc", |k, _| k.host.proc_file("/proc/misc")),
    ("modules", |_, _| Vec::new()),
    ("partitions", |k, _| k.host.proc_file("/proc/partitions")),
    ("pressure/cpu", |k, _| k.host.proc_file("/proc/pressure/cpu")),
    ("pressure/io", |k, _| k.host.proc_file("/proc/pressure/io")),
    ("pressure/memory", |k, _| k.host.proc_file("/proc/pressure/memory")),
    ("softirqs", |k, _| k.host.proc_file("/proc/softirqs")),
    ("stat", stat),
    ("swaps", |k, _| k.host.proc_file("/proc/swaps")),
    ("sysvipc/msg", |k, _| ipc::sysvipc_msg(k).into_bytes()),
    ("sysvipc/sem", |k, _| ipc::sysvipc_sem(k).into_bytes()),
    ("sysvipc/shm", |k, _| ipc::sysvipc_shm(k).into_bytes()),
    ("tty/drivers", |k, _| k.host.proc_file("/proc/tty/drivers")),
    ("tty/ldiscs", |_, _| b"n_tty       0\n".to_vec()),
    ("uptime", uptime),
    ("version", version),
    ("vmstat", |k, _| k.host.proc_file("/proc/vmstat")),
    ("zoneinfo", |k, _| k.host.proc_file("/proc/zoneinfo")),
];

/// What `/proc/PATH` is, if sevm makes it.
pub(super) fn node(caller: Tid, path: &str) -> Option<Node> {
    match path {
        "mounts" => return Some(Node::Link(b"self/mounts".to_vec())),
        "net" => return Some(Node::Link(b"self/net".to_vec())),
        _ => {}
    }
    if let Some((_, make)) = FILES.iter().find(|(name, _)| *name == path) {
        let make = *make;
        return Some(Node::text(move |k| make(k, caller)));
    }
    if let Some((name, value)) = sysctl::VALUES.iter().find(|(name, _)| *name == path) {
        return Some(Node::text(move |k| sysctl::content(k, name, *value)));
    }
    below(path).next().map(|_| Node::dir())
}

/// What stands in the directory `/proc/PATH`; the empty path is `/proc` itself.
pub(super) fn list(path: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for rest in below(path) {
        let entry = match rest.split_once('/') {
            Some((dir, _)) => Entry::dir(dir),
            None => Entry::file(rest),
        };
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    if path.is_empty() {
        entries.extend([Entry::link("mounts"), Entry::link("net")]);
        entries.sort_by(|a, b| a.name.cmp(&b.name));
    }
    entries
}

/// The paths of files below a directory, relative to it.
fn below(path: &str) -> impl Iterator<Item = &'static str> {
    let names = FILES.iter().map(|(name, _)| *name).chain(sysctl::VALUES.iter().map(|(name, _)| *name));
    names.filter_map(move |name| match path.is_empty() {
        true => Some(name),
        false => name.strip_prefix(path)?.strip_prefix('/'),
    })
}

pub(super) fn number(value: impl std::fmt::Display) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

pub(super) fn line(text: &[u8]) -> Vec<u8> {
    [text, b"\n"].concat()
}

/// Random bytes in the form of a version 4 UUID (RFC 9562).
pub(super) fn uuid(mut bytes: [u8; 16]) -> Vec<u8> {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        let dash = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
        let _ = write!(text, "{dash}{byte:02x}");
    }
    text.push('\n');
    text.into_bytes()
}

impl Kernel {
    /// What tells this run of the machine from others: the host's, or the seed's.
    pub(super) fn boot_id(&mut self) -> [u8; 16] {
        if self.config.deterministic {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&self.config.seed.to_be_bytes());
            return id;
        }
        let text = self.host.proc_file("/proc/sys/kernel/random/boot_id");
        let digits: Vec<u8> = text.iter().filter_map(|b| (*b as char).to_digit(16)).map(|d| d as u8).collect();
        std::array::from_fn(|i| match digits.get(2 * i..2 * i + 2) {
            Some([high, low]) => high << 4 | low,
            _ => 0,
        })
    }

    /// CPU time of all live processes.
    fn cpu_in_all(&mut self) -> CpuTime {
        let pids: Vec<Pid> = self.processes.keys().copied().collect();
        pids.into_iter().fold(CpuTime::default(), |sum, pid| sum + self.process_cpu(pid))
    }

    fn uptime_ns(&mut self) -> u64 {
        self.time.now_ns(&mut *self.host, crate::host::HostClock::Boottime)
    }
}

/// `/proc/cpuinfo` in the form of the looking thread's architecture.
fn cpuinfo(k: &mut Kernel, caller: Tid) -> Vec<u8> {
    const AT_HWCAP: u64 = 16;
    const AT_HWCAP2: u64 = 26;
    let cpus = k.cpus();
    let Some(arch) = k.threads.get(&caller).map(|t| t.arch) else { return Vec::new() };
    let auxv = k.process_of(caller).map(|p| p.auxv.clone()).unwrap_or_default();
    let at = |key| auxv.iter().find(|(k, _)| *k == key).map_or(0, |(_, v)| *v);
    let mut text = String::new();
    for cpu in 0..cpus {
        text.push_str(&match arch {
            Arch::X86_64 => cpu_x86_64(k.cpuid(), cpu, cpus),
            Arch::Aarch64 => cpu_aarch64(cpu, at(AT_HWCAP), at(AT_HWCAP2)),
        });
    }
    text.into_bytes()
}

fn cpu_x86_64(shown: Cpuid, cpu: u32, cpus: u32) -> String {
    let signature = cpuid::SIGNATURE;
    let family = signature >> 8 & 0xf;
    let model = signature >> 4 & 0xf | (signature >> 16 & 0xf) << 4;
    let stepping = signature & 0xf;
    let vendor = String::from_utf8_lossy(cpuid::VENDOR);
    let level = shown.leaf(0, 0)[0];
    let flags: Vec<&str> = shown.flags().collect();
    // The clock counts nanoseconds.
    format!(
        "processor\t: {cpu}\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: {}\n\
         stepping\t: {stepping}\ncpu MHz\t\t: 1000.000\ncache size\t: 256 KB\nphysical id\t: 0\nsiblings\t: {cpus}\n\
         core id\t\t: {cpu}\ncpu cores\t: {cpus}\napicid\t\t: {cpu}\ninitial apicid\t: {cpu}\nfpu\t\t: yes\n\
         fpu_exception\t: yes\ncpuid level\t: {level}\nwp\t\t: yes\nflags\t\t: {}\nbugs\t\t:\nbogomips\t: 2000.00\n\
         clflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 39 bits physical, 48 bits virtual\n\
         power management:\n\n",
        shown.brand(),
        flags.join(" "),
    )
}

/// Names of the bits of AT_HWCAP and AT_HWCAP2, in their order (arch/arm64/kernel/cpuinfo.c).
const HWCAP: [&str; 32] = [
    "fp", "asimd", "evtstrm", "aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp", "asimdhp", "cpuid",
    "asimdrdm", "jscvt", "fcma", "lrcpc", "dcpop", "sha3", "sm3", "sm4", "asimddp", "sha512", "sve", "asimdfhm", "dit",
    "uscat", "ilrcpc", "flagm", "ssbs", "sb", "paca", "pacg",
];
const HWCAP2: [&str; 24] = [
    "dcpodp",
    "sve2",
    "sveaes",
    "svepmull",
    "svebitperm",
    "svesha3",
    "svesm4",
    "flagm2",
    "frint",
    "svei8mm",
    "svef32mm",
    "svef64mm",
    "svebf16",
    "i8mm",
    "bf16",
    "dgh",
    "rng",
    "bti",
    "mte",
    "ecv",
    "afp",
    "rpres",
    "mte3",
    "sme",
];

fn cpu_aarch64(cpu: u32, hwcap: u64, hwcap2: u64) -> String {
    let first = HWCAP.iter().enumerate().filter(|(bit, _)| hwcap >> bit & 1 == 1);
    let second = HWCAP2.iter().enumerate().filter(|(bit, _)| hwcap2 >> bit & 1 == 1);
    let features: Vec<&str> = first.chain(second).map(|(_, name)| *name).collect();
    // MIDR of the emulated model: implementer 0, variant 0, part 0x51, revision 0 (QEMU's "max").
    format!(
        "processor\t: {cpu}\nBogoMIPS\t: 2000.00\nFeatures\t: {}\nCPU implementer\t: 0x00\nCPU architecture: 8\n\
         CPU variant\t: 0x0\nCPU part\t: 0x051\nCPU revision\t: 0\n\n",
        features.join(" "),
    )
}

/// `/proc/meminfo`: the host's, or in a deterministic run the fixed machine's.
fn meminfo(k: &mut Kernel, _: Tid) -> Vec<u8> {
    if !k.config.deterministic {
        return k.host.proc_file("/proc/meminfo");
    }
    let load = k.load();
    let mut text = String::new();
    for (name, bytes) in [
        ("MemTotal", load.total_ram),
        ("MemFree", load.free_ram),
        ("MemAvailable", load.free_ram),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", load.total_ram - load.free_ram),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", load.total_ram - load.free_ram),
        ("Mapped", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("CommitLimit", load.total_ram / 2),
        ("Committed_AS", load.total_ram - load.free_ram),
        ("VmallocTotal", 0),
        ("VmallocUsed", 0),
    ] {
        let _ = writeln!(text, "{:<16}{:8} kB", format!("{name}:"), bytes / 1024);
    }
    text.push_str("HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n");
    text.into_bytes()
}

/// `/proc/stat`: what the guest's processes have used; the rest of the time the processors were idle.
fn stat(k: &mut Kernel, _: Tid) -> Vec<u8> {
    const TICK_NS: u64 = SECOND_NS / USER_HZ;
    let (cpus, cpu, up_ns) = (u64::from(k.cpus()), k.cpu_in_all(), k.uptime_ns());
    let boot_s = k.realtime_ns().saturating_sub(up_ns) / SECOND_NS;
    let idle_ns = (up_ns.saturating_mul(cpus)).saturating_sub(cpu.total_ns());
    let ticks = |ns: u64| ns / TICK_NS;
    let mut text = String::new();
    let _ = writeln!(text, "cpu  {} 0 {} {} 0 0 0 0 0 0", ticks(cpu.user_ns), ticks(cpu.system_ns), ticks(idle_ns));
    for n in 0..cpus {
        // All threads take turns on the first one.
        let used = if n == 0 { cpu } else { CpuTime::default() };
        let idle = up_ns.saturating_sub(used.total_ns());
        let _ =
            writeln!(text, "cpu{n} {} 0 {} {} 0 0 0 0 0 0", ticks(used.user_ns), ticks(used.system_ns), ticks(idle));
    }
    let running = k.threads.values().filter(|t| matches!(t.state, State::Runnable)).count();
    let created = k.next_pid - 1000;
    let _ = writeln!(text, "intr 0\nctxt 0\nbtime {boot_s}\nprocesses {created}\nprocs_running {running}");
    text.push_str("procs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
    text.into_bytes()
}

/// `/proc/uptime`: seconds up, and seconds that all processors together were idle.
fn uptime(k: &mut Kernel, _: Tid) -> Vec<u8> {
    let (up_ns, used_ns, cpus) = (k.uptime_ns(), k.cpu_in_all().total_ns(), u64::from(k.cpus()));
    let idle_ns = up_ns.saturating_mul(cpus).saturating_sub(used_ns);
    let show = |ns: u64| format!("{}.{:02}", ns / SECOND_NS, ns % SECOND_NS / 10_000_000);
    format!("{} {}\n", show(up_ns), show(idle_ns)).into_bytes()
}

/// `/proc/loadavg`.
fn loadavg(k: &mut Kernel, _: Tid) -> Vec<u8> {
    let load = k.load();
    let show = |l: u64| format!("{}.{:02}", l >> 16, ((l & 0xffff) * 100) >> 16);
    let running = k.threads.values().filter(|t| matches!(t.state, State::Runnable)).count();
    let [one, five, fifteen] = load.loads.map(show);
    format!("{one} {five} {fifteen} {running}/{} {}\n", k.threads.len(), k.next_pid - 1).into_bytes()
}

/// `/proc/version`.
fn version(k: &mut Kernel, _: Tid) -> Vec<u8> {
    let names = k.names();
    [b"Linux version ", &names.release[..], b" (sevm) ", &names.version, b"\n"].concat()
}
