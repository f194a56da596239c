//! `--cpu-stats`: what CPU backends have counted about their own work.

use super::stats::grouped;
use crate::machine::Machine;
use std::fmt::Write as _;

/// The numbers of every open CPU as a table for people.
pub fn table(machine: &Machine) -> String {
    let mut s = String::new();
    for cpu in machine.cpus() {
        let _ = writeln!(s, "{} ({}), {} instructions", cpu.name(), cpu.arch(), grouped(cpu.retired()));
        let numbers = cpu.statistics();
        if numbers.is_empty() {
            let _ = writeln!(s, "  counts nothing");
        }
        for (name, n) in numbers {
            let _ = writeln!(s, "  {name:<38}{:>20}", grouped(n));
        }
    }
    s
}
