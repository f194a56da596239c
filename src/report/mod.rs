//! What is told about a run when it is over. Reads the machine; changes nothing.

mod stats;

pub use stats::Stats;
