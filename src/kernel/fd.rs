//! Descriptor tables.

use super::file::File;
use crate::abi::Errno;
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
}

impl FdTable {
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
        if min as u64 >= limit {
            return Err(Errno::EINVAL);
        }
        let at = (min..).find(|i| self.slots.get(*i).is_none_or(Option::is_none)).ok_or(Errno::EMFILE)?;
        if at as u64 >= limit {
            return Err(Errno::EMFILE);
        }
        if at >= self.slots.len() {
            self.slots.resize_with(at + 1, || None);
        }
        self.slots[at] = Some(Slot { file, close_on_exec });
        i32::try_from(at).map_err(|_| Errno::EMFILE)
    }

    /// Closes a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn remove(&mut self, fd: i32) -> Result<Rc<File>, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|i| self.slots.get_mut(i)).and_then(Option::take);
        slot.map(|s| s.file).ok_or(Errno::EBADF)
    }

    /// Whether execve(2) closes it.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close_on_exec(&self, fd: i32) -> Result<bool, Errno> {
        let slot = usize::try_from(fd).ok().and_then(|i| self.slots.get(i)).and_then(Option::as_ref);
        slot.map(|s| s.close_on_exec).ok_or(Errno::EBADF)
    }

    /// Open descriptors, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Rc<File>)> {
        self.slots.iter().enumerate().filter_map(|(i, s)| Some((i as i32, &s.as_ref()?.file)))
    }
}
