//! `--stats`: what a run has cost.

use crate::Error;
use crate::arch::Arch;
use crate::machine::Machine;
use crate::syscalls::ENTRIES;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// The numbers of one run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Stats {
    /// Instructions retired, by architecture; only those in use.
    pub instructions: BTreeMap<&'static str, u64>,
    /// System calls made.
    pub calls: u64,
    /// Of them, those by name that nothing implements.
    pub unimplemented: BTreeMap<String, u64>,
    /// Faults that became signals.
    pub faults: u64,
    /// Pages of memory that the programs had at their ends, together.
    pub pages: u64,
    /// Time that passed, in nanoseconds.
    pub wall_ns: u64,
    /// Processor time of sevm, in nanoseconds.
    pub cpu_ns: u64,
    /// Instructions retired in a second of the time that passed.
    pub instructions_per_second: u64,
}

impl Stats {
    /// What `machine` has counted in a run that took `wall`.
    pub fn collect(machine: &Machine, wall: Duration) -> Stats {
        let retired = machine.retired();
        let counters = &machine.kernel.counters;
        let known = counters.unimplemented.iter().filter_map(|(i, n)| Some((ENTRIES.get(*i)?.name.to_string(), *n)));
        let unknown = counters.unknown.iter().map(|((arch, nr), n)| (format!("{arch} {nr}"), *n));
        let instructions: BTreeMap<_, _> =
            Arch::ALL.into_iter().map(|a| (a.name(), retired[a.index()])).filter(|(_, n)| *n > 0).collect();
        let all: u64 = retired.iter().sum();
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Stats {
            instructions,
            calls: counters.calls.iter().sum::<u64>() + counters.unknown.values().sum::<u64>(),
            unimplemented: known.chain(unknown).collect(),
            faults: counters.faults,
            pages: counters.pages,
            wall_ns: nanoseconds(wall),
            cpu_ns: nanoseconds(Duration::new(
                u64::try_from(cpu.tv_sec).unwrap_or(0),
                u32::try_from(cpu.tv_nsec).unwrap_or(0),
            )),
            instructions_per_second: per_second(all, wall),
        }
    }

    /// The numbers as a table for people.
    pub fn table(&self) -> String {
        let mut s = String::new();
        for (arch, n) in &self.instructions {
            let _ = writeln!(s, "{:<28}{:>20}", format!("instructions ({arch})"), grouped(*n));
        }
        let mut line = |name: &str, value: String| {
            let _ = writeln!(s, "{name:<28}{value:>20}");
        };
        line("instructions a second", grouped(self.instructions_per_second));
        line("system calls", grouped(self.calls));
        line("faults", grouped(self.faults));
        line("pages", grouped(self.pages));
        line("wall time", seconds(self.wall_ns));
        line("cpu time", seconds(self.cpu_ns));
        for (name, n) in &self.unimplemented {
            line(&format!("not implemented: {name}"), grouped(*n));
        }
        s
    }

    /// The numbers as one JSON object.
    ///
    /// # Errors
    /// JSON that cannot be written, which does not happen.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map(|s| s + "\n").map_err(|e| Error::Usage(e.to_string()))
    }
}

fn nanoseconds(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

fn per_second(n: u64, time: Duration) -> u64 {
    let ns = time.as_nanos().max(1);
    u64::try_from(u128::from(n) * 1_000_000_000 / ns).unwrap_or(u64::MAX)
}

fn seconds(ns: u64) -> String {
    format!("{}.{:06} s", ns / 1_000_000_000, ns / 1000 % 1_000_000)
}

/// Digits in groups of three.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut s = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            s.push(',');
        }
        s.push(d);
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(seconds(1_500_000_000), "1.500000 s");
        assert_eq!(per_second(10, Duration::from_millis(500)), 20);
        assert_eq!(per_second(10, Duration::ZERO), 10_000_000_000);
    }

    #[test]
    fn both_forms_hold_the_same() {
        let stats = Stats {
            instructions: [("aarch64", 1000)].into(),
            calls: 5,
            unimplemented: [("bpf".to_string(), 2)].into(),
            faults: 0,
            pages: 7,
            wall_ns: 1_000_000,
            cpu_ns: 900_000,
            instructions_per_second: 1_000_000,
        };
        let json: serde_json::Value = serde_json::from_str(&stats.to_json().expect("JSON")).expect("JSON");
        assert_eq!(json["instructions"]["aarch64"], 1000);
        assert_eq!(json["unimplemented"]["bpf"], 2);
        let table = stats.table();
        assert!(table.contains("instructions (aarch64)") && table.contains("1,000\n"), "{table}");
        assert!(table.contains("not implemented: bpf"), "{table}");
    }
}
