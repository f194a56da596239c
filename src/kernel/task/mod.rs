//! Processes and threads: creation, exit, identity, scheduling, prctl.

mod capability;
mod clone;
mod exec;
mod ids;
mod orphans;
mod pidfd;
mod policy;
mod prctl;
mod rseq;
mod seccomp;
mod unshare;
mod user;
mod wait;

pub use capability::*;
pub use clone::{clone, clone3, fork, vfork};
pub(in crate::kernel) use exec::interpret;
pub use exec::{execve, execveat};
pub use ids::*;
pub use pidfd::*;
pub use policy::*;
pub use prctl::{Settings, arch_prctl, prctl};
pub use rseq::{Rseq, rseq};
pub use seccomp::{Seccomp, seccomp};
pub use unshare::unshare;
pub use user::*;
pub use wait::*;

use super::*;
use crate::syscalls::args;
