//! Open files: what descriptors refer to.

use super::*;
use crate::host::HostFd;

/// An open file description (open(2)).
#[derive(Debug)]
pub struct File {
    /// The host's file behind it.
    pub host: HostFd,
}
