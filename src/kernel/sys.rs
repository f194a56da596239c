//! The machine as a whole: uname, sysinfo, limits, usage, randomness.
