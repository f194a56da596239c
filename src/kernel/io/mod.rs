//! Calls on descriptors: transfers, positions, duplicates, settings, terminals.
//!
//! The files themselves are in [`super::file`]; here are the rules that hold for all of them: access modes, waiting
//! and O_NONBLOCK, what a signal in the middle of a transfer gives, file size limits, SIGPIPE.

mod aio;
mod descriptors;
mod fcntl;
mod ioctl;
mod locks;
mod rw;
mod splice;
mod transfer;
mod whole;

pub use aio::*;
pub use descriptors::*;
pub use fcntl::fcntl;
pub(in crate::kernel) use fcntl::set_owner_id;
pub use ioctl::ioctl;
pub use locks::flock;
pub use rw::*;
pub use splice::*;
pub use whole::*;

use super::file::{Access, Buffer, File, FileKind};
use super::*;
use crate::abi::consts;
