//! Open files of the host.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

/// An open file of the host, closed when the last clone is dropped. Its number is never shown to a guest.
#[derive(Clone, Debug)]
pub struct HostFd(Rc<Open>);

#[derive(Debug)]
struct Open {
    fd: OwnedFd,
    label: Cell<Option<NonZeroU64>>,
}

impl HostFd {
    /// The number, for use in one host call.
    pub fn raw(&self) -> RawFd {
        self.0.fd.as_raw_fd()
    }

    /// What the host that opened the file calls it by itself; all clones have the same.
    pub(super) fn label(&self) -> Option<NonZeroU64> {
        self.0.label.get()
    }

    /// Sets the label.
    pub(super) fn set_label(&self, label: NonZeroU64) {
        self.0.label.set(Some(label));
    }
}

impl From<OwnedFd> for HostFd {
    fn from(fd: OwnedFd) -> HostFd {
        HostFd(Rc::new(Open { fd, label: Cell::new(None) }))
    }
}

impl AsFd for HostFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}
