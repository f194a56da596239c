//! Descriptor tables.

use super::file::File;
use crate::abi::Errno;
use crate::host::Host;
use std::rc::Rc;

/// What a descriptor number stands for.
#[derive(Clone, Debug)]
struct Slot {
    file: Rc<File>,
    close_on_exec: bool,
}

/// The descriptors of a process: the lowest free number is given out first.
#[derive(Clone, Debug, Default)]
pub struct FdTable {
    slots: Vec<Option<Slot>>,
    lowest_free: usize,
}

/// Numbers are below this, whatever the limit (/proc/sys/fs/nr_open).
const MAX_OPEN: u64 = 1 << 20;

impl FdTable {
    /// The table of the first process: what the host's environment left open for it, under the same numbers.
    pub fn inherit(host: &mut dyn Host) -> FdTable {
        let mut table = FdTable::default();
        for (number, fd) in host.inherited() {
            let twin = table.iter().find(|(_, f)| f.host_fd().is_some_and(|other| host.is_same_open_file(other, &fd)));
            let twin = twin.map(|(_, file)| Rc::clone(file));
            let file = twin.map_or_else(
                || {
                    let flags = host.status_flags(&fd).unwrap_or(0);
                    let path = host.path_of(&fd);
                    File::of_host(host, fd, &path, flags)
                },
                Ok,
            );
            if let Ok(file) = file {
                let _ = table.replace(number, file, false);
            }
        }
        table
    }

    /// The open file behind a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: i32) -> Result<Rc<File>, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|i| self.slots.get(i)).and_then(Option::as_ref);
        slot.map(|s| Rc::clone(&s.file)).ok_or(Errno::EBADF)
    }

    /// Gives the lowest free number that is at least `min` and below `limit` (RLIMIT_NOFILE).
    ///
    /// # Errors
    /// `EMFILE`, and `EINVAL` if `min` is not below the limit.
    pub fn insert(&mut self, file: Rc<File>, min: usize, limit: u64, close_on_exec: bool) -> Result<i32, Errno> {
        let limit = limit.min(MAX_OPEN);
        if min as u64 >= limit {
            return Err(if min == 0 { Errno::EMFILE } else { Errno::EINVAL });
        }
        // Below `lowest_free` nothing is free.
        let from = min.max(self.lowest_free);
        let at = (from..).find(|i| self.slots.get(*i).is_none_or(Option::is_none)).ok_or(Errno::EMFILE)?;
        if min <= self.lowest_free {
            self.lowest_free = at;
        }
        if at as u64 >= limit {
            return Err(Errno::EMFILE);
        }
        self.put(at, Slot { file, close_on_exec });
        if at == self.lowest_free {
            self.lowest_free = at + 1;
        }
        i32::try_from(at).map_err(|_| Errno::EMFILE)
    }

    /// Whether a number below `limit` is free.
    pub fn has_room(&self, limit: u64) -> bool {
        let limit = limit.min(MAX_OPEN);
        (self.lowest_free..)
            .find(|i| self.slots.get(*i).is_none_or(Option::is_none))
            .is_some_and(|i| (i as u64) < limit)
    }

    /// Puts a file at exactly `fd`; gives what was there. The caller has checked the number against RLIMIT_NOFILE.
    ///
    /// # Errors
    /// `EBADF`: no process can have that number.
    pub fn replace(&mut self, fd: i32, file: Rc<File>, close_on_exec: bool) -> Result<Option<Rc<File>>, Errno> {
        let at = usize::try_from(fd).ok().filter(|at| (*at as u64) < MAX_OPEN).ok_or(Errno::EBADF)?;
        Ok(self.put(at, Slot { file, close_on_exec }).map(|s| s.file))
    }

    fn put(&mut self, at: usize, slot: Slot) -> Option<Slot> {
        if at >= self.slots.len() {
            self.slots.resize_with(at + 1, || None);
        }
        self.slots[at].replace(slot)
    }

    /// Closes a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn remove(&mut self, fd: i32) -> Result<Rc<File>, Errno> {
        let at = usize::try_from(fd).map_err(|_| Errno::EBADF)?;
        let slot = self.slots.get_mut(at).and_then(Option::take).ok_or(Errno::EBADF)?;
        self.lowest_free = self.lowest_free.min(at);
        Ok(slot.file)
    }

    /// Whether execve(2) closes it.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close_on_exec(&self, fd: i32) -> Result<bool, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|i| self.slots.get(i)).and_then(Option::as_ref);
        slot.map(|s| s.close_on_exec).ok_or(Errno::EBADF)
    }

    /// Says whether execve(2) closes it.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_close_on_exec(&mut self, fd: i32, close_on_exec: bool) -> Result<(), Errno> {
        let slot = usize::try_from(fd).ok().and_then(|i| self.slots.get_mut(i)).and_then(Option::as_mut);
        slot.map(|s| s.close_on_exec = close_on_exec).ok_or(Errno::EBADF)
    }

    /// Takes out what execve(2) closes; to be dropped when the table is not borrowed.
    pub fn take_close_on_exec(&mut self) -> Vec<Rc<File>> {
        self.take_if(|_, close_on_exec| close_on_exec)
    }

    /// Takes out the descriptors for whose number and close-on-exec flag `which` holds.
    pub fn take_if(&mut self, which: impl Fn(i32, bool) -> bool) -> Vec<Rc<File>> {
        let mut taken = Vec::new();
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if let Some(s) = slot.take_if(|s| which(at as i32, s.close_on_exec)) {
                taken.push(s.file);
                self.lowest_free = self.lowest_free.min(at);
            }
        }
        taken
    }

    /// Lets `act` see the open files whose name is `path`.
    pub fn with_name(&self, path: &[u8], act: impl Fn(&File)) {
        self.slots.iter().flatten().filter(|s| *s.file.path() == *path).for_each(|s| act(&s.file));
    }

    /// Open descriptors, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Rc<File>)> {
        self.slots.iter().enumerate().filter_map(|(i, s)| Some((i as i32, &s.as_ref()?.file)))
    }
}
