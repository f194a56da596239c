//! What a steady host knows of the files that the guest has met: their numbers and their times.

use crate::host::{FileStat, FileTime};
use std::collections::BTreeMap;
use std::num::NonZeroU64;

/// Names a file during a run; it is the inode number that the guest sees.
pub(super) type Number = NonZeroU64;

/// The first number that is given away: 1 is the root of a procfs.
const FIRST: u64 = 2;

/// Device and inode number on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    dev: u64,
    ino: u64,
}

impl Key {
    pub(super) fn of(stat: &FileStat) -> Key {
        Key { dev: stat.dev, ino: stat.ino }
    }
}

/// The timestamps of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) access: FileTime,
    pub(super) content: FileTime,
    pub(super) inode: FileTime,
}

impl Times {
    pub(super) fn all(t: FileTime) -> Times {
        Times { access: t, content: t, inode: t }
    }
}

/// Numbers and times, each given at first sight.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// Files that have a name, so that they may be met again.
    numbers: BTreeMap<Key, Number>,
    given: u64,
    times: BTreeMap<Number, Times>,
    /// The host's device numbers in the order of first sight.
    devices: Vec<u64>,
    mounts: Vec<u64>,
}

impl Registry {
    /// A number that no file has.
    pub(super) fn fresh(&mut self) -> Number {
        self.given += 1;
        NonZeroU64::MIN.saturating_add(FIRST - 2 + self.given)
    }

    /// The number of a file of the host.
    pub(super) fn number(&mut self, key: Key) -> Number {
        match self.numbers.get(&key) {
            Some(n) => *n,
            None => {
                let n = self.fresh();
                self.numbers.insert(key, n);
                n
            }
        }
    }

    /// From now on the file has this number.
    pub(super) fn set_number(&mut self, key: Key, number: Number) {
        self.numbers.insert(key, number);
    }

    /// The last name of the file is gone: the host may give its inode to another.
    pub(super) fn forget(&mut self, key: Key) {
        self.numbers.remove(&key);
    }

    /// The times of a file, which are `first` if it has not been met yet.
    pub(super) fn times(&mut self, number: Number, first: impl FnOnce() -> Times) -> &mut Times {
        self.times.entry(number).or_insert_with(first)
    }

    /// The device number that the guest sees. A major number of 0, which stands for file systems without a device of
    /// their own, stays; others become 8.
    pub(super) fn device(&mut self, host: u64) -> u64 {
        let major = if rustix::fs::major(host) == 0 { 0 } else { 8 };
        rustix::fs::makedev(major, 32 + position(&mut self.devices, host))
    }

    /// The host's device that the guest knows by this number.
    pub(super) fn host_device(&mut self, shown: u64) -> Option<u64> {
        let at = rustix::fs::minor(shown).checked_sub(32)?;
        let host = *self.devices.get(at as usize)?;
        (self.device(host) == shown).then_some(host)
    }

    /// The mount id that the guest sees.
    pub(super) fn mount(&mut self, host: u64) -> u64 {
        u64::from(position(&mut self.mounts, host)) + 1
    }
}

/// The place of `item`, which is added if it is new.
fn position(list: &mut Vec<u64>, item: u64) -> u32 {
    let at = list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    });
    at as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(dev: u64, ino: u64) -> Key {
        Key { dev, ino }
    }

    #[test]
    fn numbers_follow_the_order_of_first_sight() {
        let mut r = Registry::default();
        let (a, b) = (r.number(key(5, 900)), r.number(key(5, 17)));
        assert_eq!((a.get(), b.get()), (2, 3));
        assert_eq!(r.number(key(5, 900)), a);
        assert_eq!(r.number(key(6, 900)).get(), 4);
    }

    #[test]
    fn an_inode_that_is_used_again_is_another_file() {
        let mut r = Registry::default();
        let first = r.number(key(5, 900));
        r.forget(key(5, 900));
        assert_ne!(r.number(key(5, 900)), first);
    }

    #[test]
    fn devices_keep_their_class_and_can_be_found_again() {
        let mut r = Registry::default();
        let (disk, overlay) = (rustix::fs::makedev(254, 1), rustix::fs::makedev(0, 77));
        let shown = [r.device(disk), r.device(overlay)];
        assert_eq!(shown, [rustix::fs::makedev(8, 32), rustix::fs::makedev(0, 33)]);
        assert_eq!(shown.map(|d| r.host_device(d)), [Some(disk), Some(overlay)]);
        assert_eq!(r.host_device(rustix::fs::makedev(0, 32)), None);
        assert_eq!(r.host_device(3), None);
    }
}
