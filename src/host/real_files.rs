//! Open files of the real host.

use super::{FileStat, FileTime, Files, HostFd, Place, RealHost, RecordLock, Sync, Terminals, Transfer, Waiting, sys};
use crate::abi::Errno;
use crate::abi::consts::open::{O_APPEND, O_DIRECT, O_DIRECTORY, O_LARGEFILE, O_NOATIME, O_NOFOLLOW};

use crate::mem::Spans;
use rustix::fs::{AtFlags, MemfdFlags, OFlags, SeekFrom, StatxFlags, fcntl_getfl, fcntl_setfl, statx};
use rustix::pipe::SpliceFlags;

impl RealHost {
    /// Makes a request to a terminal even from the background: whether the guest may is decided before.
    fn unstopped<T>(&mut self, request: u32, call: impl FnOnce() -> T) -> T {
        let is_terminal_request = request & 0xff00 == 0x5400;
        if is_terminal_request && self.terminal_place() != Place::Foreground {
            return sys::holding_sigttou(call);
        }
        call()
    }
}

impl Files for RealHost {
    fn inherited(&mut self) -> Vec<(i32, HostFd)> {
        if let Some(given) = &mut self.given {
            return given.drain(..).map(|(number, fd)| (number, fd.into())).collect();
        }
        let mut numbers: Vec<i32> = std::fs::read_dir("/proc/self/fd")
            .into_iter()
            .flatten()
            .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|n| Some((n, HostFd::from(sys::take_inherited(n)?).shared_outside()))).collect()
    }

    fn is_same_open_file(&mut self, a: &HostFd, b: &HostFd) -> bool {
        sys::is_same_open_file(a, b)
    }

    fn path_of(&mut self, fd: &HostFd) -> Vec<u8> {
        let link = rustix::fs::readlink(format!("/proc/self/fd/{}", fd.raw()), Vec::new());
        link.map(|l| l.into_bytes()).unwrap_or_default()
    }

    fn read(&mut self, fd: &HostFd, to: &Spans, how: Transfer) -> Result<usize, Errno> {
        let read = |how| sys::read_spans(fd, to, how);
        transfer(fd, how, read, read, || sys::readable(fd))
    }

    fn write(&mut self, fd: &HostFd, from: &Spans, how: Transfer) -> Result<usize, Errno> {
        let chunk = |how| sys::write_spans(fd, &from.first(sys::write_room(fd, from.len())), how);
        transfer(fd, how, |how| sys::write_spans(fd, from, how), chunk, || sys::writable(fd))
    }

    fn read_bytes(&mut self, fd: &HostFd, to: &mut [u8], how: Transfer) -> Result<usize, Errno> {
        let to = std::cell::RefCell::new(to);
        let read = |how| sys::read_bytes(fd, &mut to.borrow_mut(), how);
        transfer(fd, how, read, read, || sys::readable(fd))
    }

    fn write_bytes(&mut self, fd: &HostFd, from: &[u8], how: Transfer) -> Result<usize, Errno> {
        let chunk = |how| sys::write_bytes(fd, &from[..sys::write_room(fd, from.len() as u64) as usize], how);
        transfer(fd, how, |how| sys::write_bytes(fd, from, how), chunk, || sys::writable(fd))
    }

    fn seek(&mut self, fd: &HostFd, offset: i64, whence: u32) -> Result<u64, Errno> {
        let to = match whence {
            0 => SeekFrom::Start(offset as u64),
            1 => SeekFrom::Current(offset),
            2 => SeekFrom::End(offset),
            3 => SeekFrom::Data(offset as u64),
            4 => SeekFrom::Hole(offset as u64),
            _ => return Err(Errno::EINVAL),
        };
        Ok(rustix::fs::seek(fd, to)?)
    }

    fn stat(&mut self, fd: &HostFd) -> Result<FileStat, Errno> {
        let s = statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID)?;
        Ok(FileStat::from(s))
    }

    fn status_flags(&mut self, fd: &HostFd) -> Result<u32, Errno> {
        let flags = fcntl_getfl(fd)?;
        let renumbered = [
            (OFlags::DIRECT, O_DIRECT),
            (OFlags::DIRECTORY, O_DIRECTORY),
            (OFlags::NOFOLLOW, O_NOFOLLOW),
            (OFlags::LARGEFILE, O_LARGEFILE),
        ];
        let same = renumbered.iter().fold(flags, |left, (own, _)| left - *own).bits();
        Ok(renumbered.iter().filter(|(own, _)| flags.intersects(*own)).fold(same, |all, (_, bit)| all | bit))
    }

    fn set_status_flags(&mut self, fd: &HostFd, flags: u32) -> Result<(), Errno> {
        let changeable = OFlags::APPEND | OFlags::DIRECT | OFlags::NOATIME;
        let old = fcntl_getfl(fd)?;
        let wanted = [(O_APPEND, OFlags::APPEND), (O_DIRECT, OFlags::DIRECT), (O_NOATIME, OFlags::NOATIME)];
        let wanted = wanted.iter().filter(|(bit, _)| flags & bit != 0).fold(OFlags::empty(), |all, (_, f)| all | *f);
        let new = (old - changeable) | wanted;
        if new != old {
            fcntl_setfl(fd, new)?;
        }
        Ok(())
    }

    fn truncate(&mut self, fd: &HostFd, len: u64) -> Result<(), Errno> {
        Ok(rustix::fs::ftruncate(fd, len)?)
    }

    fn allocate(&mut self, fd: &HostFd, mode: u32, offset: i64, len: i64) -> Result<(), Errno> {
        sys::allocate(fd, mode, offset, len)
    }

    fn sync(&mut self, fd: &HostFd, what: Sync) -> Result<(), Errno> {
        match what {
            Sync::All => Ok(rustix::fs::fsync(fd)?),
            Sync::Data => Ok(rustix::fs::fdatasync(fd)?),
            Sync::FileSystem => Ok(rustix::fs::syncfs(fd)?),
            Sync::Range(offset, len, flags) => sys::sync_range(fd, offset, len, flags),
        }
    }

    fn sync_all(&mut self) {
        rustix::fs::sync();
    }

    fn advise(&mut self, fd: &HostFd, offset: i64, len: i64, advice: u32) -> Result<(), Errno> {
        sys::advise(fd, offset, len, advice)
    }

    fn flock(&mut self, fd: &HostFd, operation: u32) -> Result<(), Errno> {
        sys::flock(fd, operation)
    }

    fn record_lock(&mut self, fd: &HostFd, command: u32, lock: &mut RecordLock) -> Result<(), Errno> {
        sys::record_lock(fd, command, lock)
    }

    fn control(&mut self, fd: &HostFd, command: u32, arg: i32) -> Result<i32, Errno> {
        sys::control(fd, command, arg)
    }

    fn cache_state(&mut self, fd: &HostFd, offset: u64, len: u64) -> Result<[u64; 5], Errno> {
        sys::cache_state(fd, offset, len)
    }

    fn handle(&mut self, fd: &HostFd, flags: u32) -> Result<(i32, Vec<u8>, i32), Errno> {
        sys::handle(fd, flags)
    }

    fn write_hint(&mut self, fd: &HostFd, command: u32, hint: &mut u64) -> Result<(), Errno> {
        sys::write_hint(fd, command, hint)
    }

    fn memfd(&mut self, name: &[u8], flags: u32) -> Result<HostFd, Errno> {
        let flags = MemfdFlags::from_bits_retain(flags) | MemfdFlags::CLOEXEC;
        Ok(rustix::fs::memfd_create(name, flags)?.into())
    }

    fn copy_range(
        &mut self,
        from: (&HostFd, Option<&mut u64>),
        to: (&HostFd, Option<&mut u64>),
        len: u64,
    ) -> Result<usize, Errno> {
        Ok(rustix::fs::copy_file_range(from.0, from.1, to.0, to.1, len as usize)?)
    }

    fn splice(
        &mut self,
        from: (&HostFd, Option<&mut u64>),
        to: (&HostFd, Option<&mut u64>),
        len: u64,
    ) -> Result<usize, Errno> {
        // SPLICE_F_NONBLOCK speaks of the pipe only; another file must be ready.
        if !sys::readable(from.0)? || !sys::writable(to.0)? {
            return Err(Errno::EAGAIN);
        }
        Ok(rustix::pipe::splice(from.0, from.1, to.0, to.1, len as usize, SpliceFlags::NONBLOCK)?)
    }

    fn is_terminal(&mut self, fd: &HostFd) -> bool {
        rustix::termios::isatty(fd)
    }

    fn is_controlling_terminal(&mut self, fd: &HostFd) -> bool {
        let own = rustix::process::getsid(None).ok();
        own.is_some() && rustix::termios::tcgetsid(fd).ok() == own
    }

    fn pty_peer(&mut self, fd: &HostFd, flags: u32) -> Result<HostFd, Errno> {
        sys::pty_peer(fd, flags)
    }

    fn ioctl_number(&mut self, fd: &HostFd, request: u32, arg: u64) -> Result<i32, Errno> {
        self.unstopped(request, || sys::ioctl_number(fd, request, arg))
    }

    fn ioctl_bytes(&mut self, fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<i32, Errno> {
        self.unstopped(request, || sys::ioctl_bytes(fd, request, bytes))
    }

    fn clone_range(&mut self, from: &HostFd, to: &HostFd, at: u64, len: u64, dest: u64) -> Result<(), Errno> {
        sys::clone_range(from, to, at, len, dest)
    }

    fn tee(&mut self, from: &HostFd, to: &HostFd, len: u64) -> Result<usize, Errno> {
        Ok(rustix::pipe::tee(from, to, len as usize, SpliceFlags::NONBLOCK)?)
    }
}

/// Tries the transfer in a way that cannot wait, if it must not: at once where the file itself is non-blocking, else by
/// asking the host for just that, and where the file does not support it, by looking whether it is ready before a transfer of as much as cannot wait.
fn transfer(
    fd: &HostFd,
    how: Transfer,
    mut whole: impl FnMut(Transfer) -> Result<usize, Errno>,
    mut chunk: impl FnMut(Transfer) -> Result<usize, Errno>,
    ready: impl Fn() -> Result<bool, Errno>,
) -> Result<usize, Errno> {
    if how.waiting == Waiting::Allowed {
        loop {
            match whole(how) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }
    let interrupted = |result| if result == Err(Errno::EINTR) { Err(Errno::EAGAIN) } else { result };
    if !fd.may_wait(|| !sys::is_nonblocking(fd)) {
        return interrupted(whole(how));
    }
    let nowait = Transfer { flags: how.flags | libc::RWF_NOWAIT as u32, ..how };
    if !fd.refuses_nowait().get() {
        match whole(nowait) {
            Err(Errno::EOPNOTSUPP) => fd.refuses_nowait().set(true),
            Err(Errno::EINVAL) => {}
            result => return result,
        }
    }
    if !ready()? {
        return Err(Errno::EAGAIN);
    }
    interrupted(chunk(how))
}

impl From<rustix::fs::Statx> for FileStat {
    fn from(s: rustix::fs::Statx) -> FileStat {
        let time = |t: rustix::fs::StatxTimestamp| FileTime { sec: t.tv_sec, nsec: t.tv_nsec };
        let has = |bit: StatxFlags| s.stx_mask & bit.bits() != 0;
        FileStat {
            dev: rustix::fs::makedev(s.stx_dev_major, s.stx_dev_minor),
            ino: s.stx_ino,
            mode: u32::from(s.stx_mode),
            nlink: s.stx_nlink,
            uid: s.stx_uid,
            gid: s.stx_gid,
            rdev: rustix::fs::makedev(s.stx_rdev_major, s.stx_rdev_minor),
            size: s.stx_size,
            blksize: s.stx_blksize,
            blocks: s.stx_blocks,
            atime: time(s.stx_atime),
            mtime: time(s.stx_mtime),
            ctime: time(s.stx_ctime),
            btime: has(StatxFlags::BTIME).then(|| time(s.stx_btime)),
            mnt_id: s.stx_mnt_id,
            attributes: s.stx_attributes.bits(),
            attributes_mask: s.stx_attributes_mask.bits(),
        }
    }
}
