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
    mount: Cell<MountId>,
    waiting: Cell<Option<bool>>,
    refuses_nowait: Cell<bool>,
}

/// Through which of the kernel's mounts a file was reached. What is opened in a directory, and what is opened anew, has
/// that of the directory or file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MountId(pub u16);

impl MountId {
    /// The file was not reached by a name: it was open when the run began.
    pub const OUTSIDE: MountId = MountId(u16::MAX);
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

    /// Whether a transfer can make sevm wait, as `ask` finds out when it is first asked. It cannot for a file that sevm
    /// opened with O_NONBLOCK; of one that others hold too anybody may change that.
    pub(super) fn may_wait(&self, ask: impl FnOnce() -> bool) -> bool {
        let known = self.0.waiting.get().unwrap_or_else(ask);
        self.0.waiting.set(Some(known));
        known
    }

    /// Others may hold the same open file: its mode can change at any time.
    pub(super) fn shared_outside(self) -> HostFd {
        self.0.waiting.set(Some(true));
        self
    }

    /// The file has been found not to know RWF_NOWAIT.
    pub(super) fn refuses_nowait(&self) -> &Cell<bool> {
        &self.0.refuses_nowait
    }

    /// The mount through which it was reached.
    pub fn mount(&self) -> MountId {
        self.0.mount.get()
    }

    /// Says through which mount it was reached.
    #[must_use]
    pub fn with_mount(self, mount: MountId) -> HostFd {
        self.0.mount.set(mount);
        self
    }
}

impl From<OwnedFd> for HostFd {
    fn from(fd: OwnedFd) -> HostFd {
        HostFd(Rc::new(Open {
            fd,
            label: Cell::new(None),
            mount: Cell::default(),
            waiting: Cell::default(),
            refuses_nowait: Cell::default(),
        }))
    }
}

impl AsFd for HostFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}
