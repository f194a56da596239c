//! Telling of events on the host: which of many files became ready, and what happened to watched files.

use super::HostFd;
use crate::abi::Errno;

/// Event queues of the host.
pub trait Events {
    /// A queue that collects readiness of files (epoll_create1(2)). Itself readable while it holds any.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    fn ready_queue(&mut self) -> Result<HostFd, Errno>;

    /// Lets `queue` collect every new occurrence of `events` (POLL* bits, edge triggered) of `fd`, under the name
    /// `token`; replaces what was asked for it before.
    ///
    /// # Errors
    /// `EPERM`: a file that is always ready, such as a regular one. `ENOSPC`, `ENOMEM`.
    fn collect(&mut self, queue: &HostFd, fd: &HostFd, events: u32, token: u64) -> Result<(), Errno>;

    /// No longer collects what happens to `fd`.
    fn drop_collected(&mut self, queue: &HostFd, fd: &HostFd);

    /// Takes what was collected, in order: token and POLL* bits. Does not wait.
    fn take_collected(&mut self, queue: &HostFd) -> Vec<(u64, u32)>;

    /// A queue of changes of watched files (inotify_init1(2)), read in the format of inotify(7).
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    fn watch_queue(&mut self) -> Result<HostFd, Errno>;

    /// Watches the file behind the handle `target` for IN_* `mask`; gives the watch's number.
    ///
    /// # Errors
    /// Those of inotify_add_watch(2).
    fn watch(&mut self, queue: &HostFd, target: &HostFd, mask: u32) -> Result<i32, Errno>;

    /// Ends a watch.
    ///
    /// # Errors
    /// `EINVAL`: no such watch.
    fn unwatch(&mut self, queue: &HostFd, watch: i32) -> Result<(), Errno>;
}
