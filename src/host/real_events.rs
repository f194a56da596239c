//! Event queues of the real host.

use super::events::Events;
use super::{HostFd, RealHost};
use crate::abi::Errno;
use rustix::event::epoll;
use rustix::fs::inotify;

/// Events taken in one host call.
const BATCH: usize = 64;

impl Events for RealHost {
    fn ready_queue(&mut self) -> Result<HostFd, Errno> {
        Ok(epoll::create(epoll::CreateFlags::CLOEXEC)?.into())
    }

    fn collect(&mut self, queue: &HostFd, fd: &HostFd, events: u32, token: u64) -> Result<(), Errno> {
        let flags = epoll::EventFlags::from_bits_retain(events) | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(token);
        match epoll::add(queue, fd, data, flags) {
            Err(rustix::io::Errno::EXIST) => Ok(epoll::modify(queue, fd, data, flags)?),
            result => Ok(result?),
        }
    }

    fn drop_collected(&mut self, queue: &HostFd, fd: &HostFd) {
        // It may be gone already, with its file.
        let _ = epoll::delete(queue, fd);
    }

    fn take_collected(&mut self, queue: &HostFd) -> Vec<(u64, u32)> {
        let mut all = Vec::new();
        loop {
            let mut batch: Vec<epoll::Event> = Vec::with_capacity(BATCH);
            let none = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            match epoll::wait(queue, rustix::buffer::spare_capacity(&mut batch), Some(&none)) {
                Ok(n) if n > 0 => all.extend(batch.iter().map(|e| ({ e.data }.u64(), { e.flags }.bits()))),
                Err(rustix::io::Errno::INTR) => continue,
                _ => return all,
            }
            if batch.len() < BATCH {
                return all;
            }
        }
    }

    fn watch_queue(&mut self) -> Result<HostFd, Errno> {
        Ok(inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?.into())
    }

    fn watch(&mut self, queue: &HostFd, target: &HostFd, mask: u32) -> Result<i32, Errno> {
        // The handle's own link leads to the very file, whatever its name is now.
        let name = format!("/proc/self/fd/{}", target.raw());
        Ok(inotify::add_watch(queue, name, inotify::WatchFlags::from_bits_retain(mask))?)
    }

    fn unwatch(&mut self, queue: &HostFd, watch: i32) -> Result<(), Errno> {
        Ok(inotify::remove_watch(queue, watch)?)
    }
}
