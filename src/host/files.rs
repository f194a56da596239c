//! Files and directories of the host.

/// Operations on files. Paths are the host's; errors are what the host gave.
pub trait Files {}
