//! Names of files.

use super::*;
use crate::abi::consts::open::{O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_TMPFILE, O_TRUNC};
use crate::host::{AccessIds, DirEntry, FsStat, OpenHow, Paths, Remove, SetTime, Xattr};

/// A file that a name stands for before the name changes.
struct Named {
    handle: HostFd,
    key: Key,
    mode: u32,
    nlink: u32,
}

impl Named {
    /// Whether the file is gone with this name.
    fn is_last(&self) -> bool {
        self.nlink <= 1 || self.mode & FORMAT == DIRECTORY
    }
}

impl SteadyHost {
    /// The file of this name, not what it may link to.
    fn named(&mut self, dir: &HostFd, name: &[u8]) -> Option<Named> {
        let handle = self.inner.open(dir, name, OpenHow::handle(O_NOFOLLOW)).ok()?;
        let (_, stat) = self.meet(&handle).ok()?;
        Some(Named { handle, key: Key::of(&stat), mode: stat.mode, nlink: stat.nlink })
    }

    /// A name has been made in `dir` for a new file.
    fn made(&mut self, dir: &HostFd, name: &[u8]) {
        if let Ok(handle) = self.inner.open(dir, name, OpenHow::handle(O_NOFOLLOW)) {
            self.introduce(&handle);
        }
        self.touch(dir);
    }

    /// A name has gone.
    fn unnamed(&mut self, file: &Named) {
        if file.is_last() {
            self.files.forget(file.key);
        }
        self.touch_inode(&file.handle);
    }

    /// The directory that holds an open file has changed.
    fn touch_parent(&mut self, fd: &HostFd) {
        let path = self.inner.path_of(fd);
        let parent = match path.iter().rposition(|b| *b == b'/') {
            Some(0) => &b"/"[..],
            Some(at) => &path[..at],
            None => return,
        };
        if let Ok(parent) = self.inner.open_host_dir(parent) {
            self.touch(&parent);
        }
    }
}

impl Paths for SteadyHost {
    fn open(&mut self, dir: &HostFd, path: &[u8], how: OpenHow) -> Result<HostFd, Errno> {
        let has = |bits| how.flags & bits == bits;
        let creates = has(O_CREAT) && !has(O_PATH) && !has(O_TMPFILE);
        let is_new = creates && {
            let flags = how.flags & (O_NOFOLLOW | O_DIRECTORY) | O_PATH;
            has(O_EXCL) || self.inner.open(dir, path, OpenHow { flags, mode: 0, ..how }).is_err()
        };
        let fd = self.inner.open(dir, path, how)?;
        if is_new {
            self.introduce(&fd);
            self.touch_parent(&fd);
        } else if has(O_TMPFILE) && !has(O_PATH) {
            self.introduce(&fd);
        } else {
            self.meet(&fd)?;
            if has(O_TRUNC) && !has(O_PATH) {
                self.touch(&fd);
            }
        }
        Ok(fd)
    }

    fn open_host_dir(&mut self, path: &[u8]) -> Result<HostFd, Errno> {
        let fd = self.inner.open_host_dir(path)?;
        self.meet(&fd)?;
        Ok(fd)
    }

    fn reopen(&mut self, handle: &HostFd, flags: u32) -> Result<HostFd, Errno> {
        let (number, _) = self.meet(handle)?;
        let fd = self.inner.reopen(handle, flags)?;
        if flags & O_TMPFILE == O_TMPFILE {
            self.introduce(&fd);
            return Ok(fd);
        }
        fd.set_label(number);
        if flags & O_TRUNC != 0 {
            self.touch(&fd);
        }
        Ok(fd)
    }

    fn make_dir(&mut self, dir: &HostFd, name: &[u8], mode: u32) -> Result<(), Errno> {
        self.inner.make_dir(dir, name, mode)?;
        self.made(dir, name);
        Ok(())
    }

    fn make_node(&mut self, dir: &HostFd, name: &[u8], mode: u32, dev: u64) -> Result<(), Errno> {
        self.inner.make_node(dir, name, mode, dev)?;
        self.made(dir, name);
        Ok(())
    }

    fn make_symlink(&mut self, target: &[u8], dir: &HostFd, name: &[u8]) -> Result<(), Errno> {
        self.inner.make_symlink(target, dir, name)?;
        self.made(dir, name);
        Ok(())
    }

    fn link(&mut self, handle: &HostFd, dir: &HostFd, name: &[u8]) -> Result<(), Errno> {
        let (number, stat) = self.meet(handle)?;
        self.inner.link(handle, dir, name)?;
        // One that had no name before can be met again now.
        self.files.set_number(Key::of(&stat), number);
        self.touch_inode(handle);
        self.touch(dir);
        Ok(())
    }

    fn link_name(&mut self, from: (&HostFd, &[u8]), to: (&HostFd, &[u8])) -> Result<(), Errno> {
        self.inner.link_name(from, to)?;
        if let Some(file) = self.named(to.0, to.1) {
            self.touch_inode(&file.handle);
        }
        self.touch(to.0);
        Ok(())
    }

    fn remove(&mut self, dir: &HostFd, name: &[u8], what: Remove) -> Result<(), Errno> {
        let file = self.named(dir, name);
        self.inner.remove(dir, name, what)?;
        if let Some(file) = file {
            self.unnamed(&file);
        }
        self.touch(dir);
        Ok(())
    }

    fn rename(&mut self, from: (&HostFd, &[u8]), to: (&HostFd, &[u8]), flags: u32) -> Result<(), Errno> {
        const RENAME_EXCHANGE: u32 = 2;
        let (moved, other) = (self.named(from.0, from.1), self.named(to.0, to.1));
        self.inner.rename(from, to, flags)?;
        if let Some(moved) = &moved {
            self.touch_inode(&moved.handle);
        }
        match other {
            Some(other) if flags & RENAME_EXCHANGE != 0 => self.touch_inode(&other.handle),
            Some(replaced) if moved.is_none_or(|m| m.key != replaced.key) => self.unnamed(&replaced),
            _ => {}
        }
        self.touch(from.0);
        self.touch(to.0);
        Ok(())
    }

    fn change_mode(&mut self, handle: &HostFd, mode: u32) -> Result<(), Errno> {
        self.inner.change_mode(handle, mode)?;
        self.touch_inode(handle);
        Ok(())
    }

    fn change_owner(&mut self, handle: &HostFd, uid: u32, gid: u32) -> Result<(), Errno> {
        self.inner.change_owner(handle, uid, gid)?;
        self.touch_inode(handle);
        Ok(())
    }

    fn set_times(&mut self, handle: &HostFd, access: SetTime, modification: SetTime) -> Result<(), Errno> {
        self.meet(handle)?;
        self.inner.set_times(handle, access, modification)?;
        let now = self.now();
        if let Some(times) = self.times(handle) {
            for (place, new) in [(&mut times.access, access), (&mut times.content, modification)] {
                match new {
                    SetTime::Now => *place = now,
                    SetTime::Omit => {}
                    SetTime::To(t) => *place = t,
                }
            }
            times.inode = now;
        }
        Ok(())
    }

    fn set_length(&mut self, handle: &HostFd, len: u64) -> Result<(), Errno> {
        self.meet(handle)?;
        self.inner.set_length(handle, len)?;
        self.touch(handle);
        Ok(())
    }

    fn set_xattr(&mut self, handle: &HostFd, name: &[u8], value: &[u8], flags: u32) -> Result<(), Errno> {
        self.inner.set_xattr(handle, name, value, flags)?;
        self.touch_inode(handle);
        Ok(())
    }

    fn remove_xattr(&mut self, handle: &HostFd, name: &[u8]) -> Result<(), Errno> {
        self.inner.remove_xattr(handle, name)?;
        self.touch_inode(handle);
        Ok(())
    }

    fn stat_fs(&mut self, handle: &HostFd) -> Result<FsStat, Errno> {
        self.inner.stat_fs(handle).map(steady)
    }

    fn stat_fs_of_device(&mut self, dev: u64) -> Result<FsStat, Errno> {
        let dev = self.files.host_device(dev).ok_or(Errno::EINVAL)?;
        self.inner.stat_fs_of_device(dev).map(steady)
    }

    fn read_dir(&mut self, dir: &HostFd) -> Result<Vec<DirEntry>, Errno> {
        self.list(dir)
    }

    forward! {
        fn take_umask(&mut self) -> u32;
        fn read_link(&mut self, dir: &HostFd, name: &[u8]) -> Result<Vec<u8>, Errno>;
        fn access(&mut self, handle: &HostFd, mode: u32, ids: AccessIds) -> Result<(), Errno>;
        fn get_xattr(&mut self, handle: &HostFd, name: &[u8], max: usize) -> Result<Xattr, Errno>;
        fn list_xattr(&mut self, handle: &HostFd, max: usize) -> Result<Xattr, Errno>;
        fn fifo_has_writer(&mut self, fd: &HostFd) -> Result<bool, Errno>;
    }
}

/// A file system of the same kind that is a quarter full: 8 GiB and half a million inodes.
fn steady(s: FsStat) -> FsStat {
    const BLOCKS: u64 = 1 << 21;
    const FILES: u64 = 1 << 19;
    FsStat {
        block_size: 4096,
        blocks: BLOCKS,
        free: BLOCKS / 4 * 3,
        available: BLOCKS / 4 * 3,
        files: FILES,
        files_free: FILES / 4 * 3,
        id: [1, 0],
        fragment_size: 4096,
        ..s
    }
}
