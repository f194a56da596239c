//! The real host as a machine.

use super::{Identity, Load, Names, Part, RealHost, System, Usage, sys};
use crate::abi::Errno;
use rustix::process::{Resource, getrlimit};

/// In the order of RLIMIT_* numbers.
const RESOURCES: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

impl System for RealHost {
    fn divide(&mut self) -> Result<Part, Errno> {
        if self.given.is_some() {
            return Err(Errno::EPERM);
        }
        // A child has only the thread that made it.
        if std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count) != 1 {
            return Err(Errno::EAGAIN);
        }
        let part = sys::fork()?;
        if part == Part::Back
            && let Ok(null) = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())
        {
            sys::replace_standard_files(&null);
        }
        Ok(part)
    }

    fn names(&mut self) -> Names {
        let u = rustix::system::uname();
        Names {
            node: u.nodename().to_bytes().to_vec(),
            release: u.release().to_bytes().to_vec(),
            version: u.version().to_bytes().to_vec(),
            domain: u.domainname().to_bytes().to_vec(),
        }
    }

    fn identity(&mut self) -> Identity {
        let status = String::from_utf8_lossy(&self.proc_file("/proc/self/status")).into_owned();
        let field = |name: &str| {
            status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).unwrap_or("").split_whitespace()
        };
        let ids = |name| -> [u32; 4] {
            let list: Vec<u32> = field(name).filter_map(|w| w.parse().ok()).collect();
            list.try_into().unwrap_or_default()
        };
        let caps = |name| field(name).next().and_then(|w| u64::from_str_radix(w, 16).ok()).unwrap_or(0);
        Identity {
            uid: ids("Uid"),
            gid: ids("Gid"),
            groups: field("Groups").filter_map(|w| w.parse().ok()).collect(),
            caps: ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"].map(caps),
            no_new_privs: field("NoNewPrivs").next() == Some("1"),
        }
    }

    fn limits(&mut self) -> [(u64, u64); 16] {
        RESOURCES.map(|r| {
            let l = getrlimit(r);
            (l.current.unwrap_or(u64::MAX), l.maximum.unwrap_or(u64::MAX))
        })
    }

    fn cpus(&mut self) -> u32 {
        rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count().max(1))
    }

    fn nice(&mut self) -> i32 {
        rustix::process::getpriority_process(None).unwrap_or(0)
    }

    fn load(&mut self) -> Load {
        let s = rustix::system::sysinfo();
        let unit = u64::from(s.mem_unit.max(1));
        Load {
            uptime_s: s.uptime as u64,
            loads: s.loads,
            total_ram: (s.totalram as u64).saturating_mul(unit),
            free_ram: (s.freeram as u64).saturating_mul(unit),
            shared_ram: (s.sharedram as u64).saturating_mul(unit),
            buffer_ram: (s.bufferram as u64).saturating_mul(unit),
            total_swap: (s.totalswap as u64).saturating_mul(unit),
            free_swap: (s.freeswap as u64).saturating_mul(unit),
            procs: s.procs,
            total_high: (s.totalhigh as u64).saturating_mul(unit),
            free_high: (s.freehigh as u64).saturating_mul(unit),
        }
    }

    fn usage(&mut self) -> Usage {
        sys::usage()
    }

    fn parent_pid(&mut self) -> i32 {
        rustix::process::getppid().map_or(0, |p| p.as_raw_nonzero().get())
    }

    fn proc_file(&mut self, path: &str) -> Vec<u8> {
        // A file that is not there, or that this user may not read, simply has nothing to tell.
        std::fs::read(path).unwrap_or_default()
    }
}
