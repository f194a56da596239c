//! Open files.

use super::*;
use crate::host::{DirEntry, RecordLock, Sync, Transfer};
use crate::mem::Spans;

/// An offset that a call may move.
type Offset<'a> = Option<&'a mut u64>;

impl SteadyHost {
    /// Notes that the file was written to, if it was.
    fn wrote<T>(&mut self, fd: &HostFd, result: Result<T, Errno>) -> Result<T, Errno> {
        if result.is_ok() {
            self.touch(fd);
        }
        result
    }

    /// The rest of a directory, sorted by name; positions count the entries.
    pub(super) fn list(&mut self, dir: &HostFd) -> Result<Vec<DirEntry>, Errno> {
        let mut all = Vec::new();
        loop {
            let batch = self.inner.read_dir(dir)?;
            if batch.is_empty() {
                break;
            }
            all.extend(batch);
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let dev = self.inner.stat(dir)?.dev;
        for (i, entry) in all.iter_mut().enumerate() {
            entry.next = i as i64 + 1;
            entry.ino = self.files.number(Key::of(&FileStat { dev, ino: entry.ino, ..FileStat::default() })).get();
        }
        Ok(all)
    }
}

impl Files for SteadyHost {
    fn inherited(&mut self) -> Vec<(i32, HostFd)> {
        let list = self.inner.inherited();
        let now = self.now();
        for (_, fd) in &list {
            self.on_terminal |= self.inner.is_terminal(fd);
            // Whoever started sevm has perhaps just made it.
            if let Some(times) = self.times(fd) {
                *times = Times::all(now);
            }
        }
        list
    }

    fn path_of(&mut self, fd: &HostFd) -> Vec<u8> {
        let name = self.inner.path_of(fd);
        let shown = self.meet(fd).map_or(0, |(number, _)| number.get());
        without_inode(name, shown)
    }

    fn write(&mut self, fd: &HostFd, from: &Spans, how: Transfer) -> Result<usize, Errno> {
        let result = self.inner.write(fd, from, how);
        self.wrote(fd, result)
    }

    fn write_bytes(&mut self, fd: &HostFd, from: &[u8], how: Transfer) -> Result<usize, Errno> {
        let result = self.inner.write_bytes(fd, from, how);
        self.wrote(fd, result)
    }

    fn stat(&mut self, fd: &HostFd) -> Result<FileStat, Errno> {
        let (number, stat) = self.meet(fd)?;
        Ok(self.show(number, stat))
    }

    fn truncate(&mut self, fd: &HostFd, len: u64) -> Result<(), Errno> {
        let result = self.inner.truncate(fd, len);
        self.wrote(fd, result)
    }

    fn allocate(&mut self, fd: &HostFd, mode: u32, offset: i64, len: i64) -> Result<(), Errno> {
        let result = self.inner.allocate(fd, mode, offset, len);
        self.wrote(fd, result)
    }

    fn memfd(&mut self, name: &[u8], flags: u32) -> Result<HostFd, Errno> {
        let fd = self.inner.memfd(name, flags)?;
        self.introduce(&fd);
        Ok(fd)
    }

    fn copy_range(&mut self, from: (&HostFd, Offset), to: (&HostFd, Offset), len: u64) -> Result<usize, Errno> {
        let target = to.0;
        let result = self.inner.copy_range(from, to, len);
        self.wrote(target, result)
    }

    fn splice(&mut self, from: (&HostFd, Offset), to: (&HostFd, Offset), len: u64) -> Result<usize, Errno> {
        let target = to.0;
        let result = self.inner.splice(from, to, len);
        self.wrote(target, result)
    }

    fn clone_range(&mut self, from: &HostFd, to: &HostFd, at: u64, len: u64, dest: u64) -> Result<(), Errno> {
        let result = self.inner.clone_range(from, to, at, len, dest);
        self.wrote(to, result)
    }

    fn note_stores(&mut self, fd: &HostFd) {
        self.touch(fd);
    }

    fn pty_peer(&mut self, fd: &HostFd, flags: u32) -> Result<HostFd, Errno> {
        let peer = self.inner.pty_peer(fd, flags)?;
        self.meet(&peer)?;
        Ok(peer)
    }

    forward! {
        fn is_same_open_file(&mut self, a: &HostFd, b: &HostFd) -> bool;
        fn read(&mut self, fd: &HostFd, to: &Spans, how: Transfer) -> Result<usize, Errno>;
        fn read_bytes(&mut self, fd: &HostFd, to: &mut [u8], how: Transfer) -> Result<usize, Errno>;
        fn seek(&mut self, fd: &HostFd, offset: i64, whence: u32) -> Result<u64, Errno>;
        fn status_flags(&mut self, fd: &HostFd) -> Result<u32, Errno>;
        fn set_status_flags(&mut self, fd: &HostFd, flags: u32) -> Result<(), Errno>;
        fn sync(&mut self, fd: &HostFd, what: Sync) -> Result<(), Errno>;
        fn sync_all(&mut self);
        fn advise(&mut self, fd: &HostFd, offset: i64, len: i64, advice: u32) -> Result<(), Errno>;
        fn flock(&mut self, fd: &HostFd, operation: u32) -> Result<(), Errno>;
        fn record_lock(&mut self, fd: &HostFd, command: u32, lock: &mut RecordLock) -> Result<(), Errno>;
        fn control(&mut self, fd: &HostFd, command: u32, arg: i32) -> Result<i32, Errno>;
        fn cache_state(&mut self, fd: &HostFd, offset: u64, len: u64) -> Result<[u64; 5], Errno>;
        fn handle(&mut self, fd: &HostFd, flags: u32) -> Result<(i32, Vec<u8>, i32), Errno>;
        fn write_hint(&mut self, fd: &HostFd, command: u32, hint: &mut u64) -> Result<(), Errno>;
        fn tee(&mut self, from: &HostFd, to: &HostFd, len: u64) -> Result<usize, Errno>;
        fn is_terminal(&mut self, fd: &HostFd) -> bool;
        fn is_controlling_terminal(&mut self, fd: &HostFd) -> bool;
        fn ioctl_number(&mut self, fd: &HostFd, request: u32, arg: u64) -> Result<i32, Errno>;
        fn ioctl_bytes(&mut self, fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<i32, Errno>;
    }
}

/// The name of an open file with the guest's inode number in place of the host's: those of pipes and sockets
/// (`pipe:[8]`) and of files that never had a name (`/dir/#8 (deleted)`) contain it.
fn without_inode(name: Vec<u8>, shown: u64) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&name) else { return name };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if let Some((kind, rest)) = text.split_once(":[")
        && matches!(kind, "pipe" | "socket")
        && rest.strip_suffix(']').is_some_and(digits)
    {
        return format!("{kind}:[{shown}]").into_bytes();
    }
    if let Some((dir, rest)) = text.rsplit_once("/#")
        && rest.strip_suffix(" (deleted)").is_some_and(digits)
    {
        return format!("{dir}/#{shown} (deleted)").into_bytes();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::without_inode;

    #[test]
    fn names_show_the_guests_inode() {
        let shown = |name: &str| String::from_utf8(without_inode(name.into(), 8)).expect("text");
        assert_eq!(shown("pipe:[123]"), "pipe:[8]");
        assert_eq!(shown("socket:[9]"), "socket:[8]");
        assert_eq!(shown("/tmp/#77 (deleted)"), "/tmp/#8 (deleted)");
        for same in ["/tmp/pipe:[1]", "/tmp/#x (deleted)", "anon_inode:[eventpoll]", "/a/#5"] {
            assert_eq!(shown(same), same);
        }
    }
}
