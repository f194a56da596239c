//! sevm's own failures, as opposed to what a guest sees ([`crate::abi::Errno`]).

/// A failure of sevm itself: something the user must hear about. It never turns into an errno of the guest.
#[expect(missing_docs, reason = "the line above each names its members")]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program file cannot be run; `status` is what a shell would give (126: found but not runnable, 127: not found).
    #[error("{path}: {reason}")]
    Load { path: String, reason: String, status: u8 },
    /// The CPU backend failed in a way that is not the guest's fault.
    #[error("cpu backend {backend}: {reason}")]
    Cpu { backend: &'static str, reason: String },
    /// The host refused something that sevm needs.
    #[error("{what}: {source}")]
    Host { what: String, source: std::io::Error },
    /// The command line asks for something that does not exist or does not fit together.
    #[error("{0}")]
    Usage(String),
    /// `--strict`: the guest made a call that is not implemented.
    #[error("unimplemented system call {name} ({number}) at pc {pc:#x}")]
    Strict { name: String, number: u64, pc: u64 },
    /// `--check-table`: a handler and its table line disagree.
    #[error("system call table: {0}")]
    Table(String),
    /// `--sandbox`: sevm cannot confine itself here.
    #[error("--sandbox: {0}")]
    Sandbox(String),
    /// The run went beyond a limit that it was given.
    #[error("limit of {limit} reached: {what}")]
    Limit { limit: crate::kernel::Limit, what: String },
    /// A deterministic run in which every thread waits for something that cannot come; who waits where, a line each.
    #[error("deadlock: every thread waits for something that cannot come\n{0}")]
    Deadlock(String),
}
