//! Open files of the host.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

/// An open file of the host, closed when the last clone is dropped. Its number is never shown to a guest.
#[derive(Clone, Debug)]
pub struct HostFd(Rc<OwnedFd>);

impl HostFd {
    /// The number, for use in one host call.
    pub fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl From<OwnedFd> for HostFd {
    fn from(fd: OwnedFd) -> HostFd {
        HostFd(Rc::new(fd))
    }
}

impl AsFd for HostFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
