//! What is told about a run when it is over. Reads the machine; changes nothing.

pub mod cpu_stats;
pub mod perf_map;
mod stats;

pub use stats::Stats;
