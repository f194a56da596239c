//! The terminal that sevm was started from, and devices of the host.

use super::{HostFd, RealHost, real_paths};
use crate::abi::Errno;
use rustix::fs::{Mode, OFlags};
use std::os::fd::AsFd;

/// Where sevm's process group stands on its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It may read and change it; also without a terminal.
    Foreground,
    /// Another group may.
    Background,
    /// Another group may, and nobody could bring this one to the foreground.
    Orphaned,
}

/// What the guest's terminals need of the host's.
pub trait Terminals {
    /// Whether sevm has a controlling terminal.
    fn has_terminal(&mut self) -> bool;

    /// Where sevm stands on it.
    fn terminal_place(&mut self) -> Place;

    /// Opens a device by the host's own absolute path, whatever the guest's root is; `flags` are canonical.
    ///
    /// # Errors
    /// Those of open(2).
    fn open_device(&mut self, path: &[u8], flags: u32) -> Result<HostFd, Errno>;
}

impl Terminals for RealHost {
    fn has_terminal(&mut self) -> bool {
        if self.terminal.is_none() {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            self.terminal = Some(rustix::fs::open("/dev/tty", flags, Mode::empty()).ok());
        }
        self.terminal.as_ref().is_some_and(Option::is_some)
    }

    fn terminal_place(&mut self) -> Place {
        let Some(Some(fd)) = &self.terminal else { return Place::Foreground };
        match rustix::termios::tcgetpgrp(fd.as_fd()) {
            Ok(group) if group != rustix::process::getpgrp() => {
                if is_orphaned() {
                    Place::Orphaned
                } else {
                    Place::Background
                }
            }
            _ => Place::Foreground,
        }
    }

    fn open_device(&mut self, path: &[u8], flags: u32) -> Result<HostFd, Errno> {
        Ok(rustix::fs::open(path, real_paths::host_flags(flags) | OFlags::CLOEXEC, Mode::empty())?.into())
    }
}

/// Whether sevm's process group has no member with a parent in another group of the session. sevm is its only member, as
/// far as it knows.
fn is_orphaned() -> bool {
    use rustix::process::{getpgid, getpgrp, getppid, getsid};
    let Some(parent) = getppid() else { return true };
    let (group, session) = (getpgid(Some(parent)), getsid(Some(parent)));
    group.is_err() || group == Ok(getpgrp()) || session.is_err() || session != getsid(None)
}
