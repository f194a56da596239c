//! The only door to the outside: files, clock, randomness, sockets, terminal.
//!
//! The kernel reaches the host through the [`Host`] trait alone, so that another implementation can record, replay
//! or seal a run. Does not know guests, system call numbers or guest addresses (memory comes as opaque spans).

mod events;
mod fd;
mod files;
mod ioctl;
mod paths;
mod random;
mod real;
mod real_events;
mod real_files;
mod real_paths;
mod real_sockets;
mod real_system;
pub mod sandbox;
mod signals;
mod sockets;
mod steady;
mod sys;
mod system;
mod terminal;
mod time;

pub use events::Events;
pub use fd::{HostFd, MountId};
pub use files::{DirEntry, FileStat, FileTime, Files, RecordLock, Sync, Transfer, Waiting};
pub use ioctl::{Payload, payload};
pub use paths::{AccessIds, FsStat, OpenHow, Paths, Remove, Scope, SetTime, Xattr};
pub use real::RealHost;
pub use signals::{HostSignal, InheritedSignals, Signals};
pub use sockets::{Arrived, Data, DataMut, Side, Sockets, known_option};
pub use steady::{CPUS, EPOCH_S, SteadyHost, VirtualClock};
pub use sys::die_by_signal;
pub use system::{Identity, Load, Names, Part, System, Usage};
pub use terminal::{Place, Terminals};
pub use time::{Clock, HostClock, PollFd};

/// Everything that a guest can learn or change outside itself.
pub trait Host: Files + Paths + Clock + System + Signals + Terminals + Events + Sockets {
    /// `real`, `sealed`, ...: for messages.
    fn name(&self) -> &'static str;
}
