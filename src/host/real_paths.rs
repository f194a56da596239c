//! Names of files of the real host.
//!
//! A handle is reached again through sevm's own `/proc/self/fd`: many calls take no O_PATH descriptor.

use super::{AccessIds, DirEntry, FsStat, HostFd, OpenHow, Paths, RealHost, Remove, Scope, SetTime, Xattr, sys};
use crate::abi::Errno;
use crate::abi::consts::open as o;
use rustix::fs::{
    self, AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Timespec, Uid, XattrFlags,
};
use std::mem::MaybeUninit;

/// Bytes of directory records to ask for at once: what the C library asks for.
const DIR_BATCH: usize = 32 * 1024;

/// The path of a handle in sevm's own /proc.
fn own(handle: &HostFd) -> String {
    format!("/proc/self/fd/{}", handle.raw())
}

/// O_* bits in the host's numbering. Bits without a name here are dropped: openat2(2) would refuse them.
pub(super) fn host_flags(flags: u32) -> OFlags {
    let mut out = match flags & o::O_ACCMODE {
        o::O_RDONLY => OFlags::RDONLY,
        o::O_WRONLY => OFlags::WRONLY,
        o::O_RDWR => OFlags::RDWR,
        _ => OFlags::RDWR | OFlags::WRONLY,
    };
    for (bit, host) in [
        (o::O_CREAT, OFlags::CREATE),
        (o::O_EXCL, OFlags::EXCL),
        (o::O_NOCTTY, OFlags::NOCTTY),
        (o::O_TRUNC, OFlags::TRUNC),
        (o::O_APPEND, OFlags::APPEND),
        (o::O_NONBLOCK, OFlags::NONBLOCK),
        (o::O_SYNC, OFlags::SYNC),
        (o::O_DSYNC, OFlags::DSYNC),
        (o::O_DIRECT, OFlags::DIRECT),
        (o::O_NOFOLLOW, OFlags::NOFOLLOW),
        (o::O_NOATIME, OFlags::NOATIME),
        (o::O_PATH, OFlags::PATH),
        (o::O_TMPFILE, OFlags::TMPFILE),
        (o::O_DIRECTORY, OFlags::DIRECTORY),
    ] {
        if flags & bit == bit {
            out |= host;
        }
    }
    out | OFlags::CLOEXEC
}

fn mode_bits(mode: u32) -> Mode {
    Mode::from_bits_retain(mode & 0o7777)
}

fn timestamp(time: SetTime) -> Timespec {
    match time {
        SetTime::Now => Timespec { tv_sec: 0, tv_nsec: fs::UTIME_NOW },
        SetTime::Omit => Timespec { tv_sec: 0, tv_nsec: fs::UTIME_OMIT },
        SetTime::To(t) => Timespec { tv_sec: t.sec, tv_nsec: t.nsec.into() },
    }
}

impl Paths for RealHost {
    fn open(&mut self, dir: &HostFd, path: &[u8], how: OpenHow) -> Result<HostFd, Errno> {
        let scope = match how.scope {
            Scope::Host => ResolveFlags::empty(),
            Scope::InRoot => ResolveFlags::IN_ROOT,
            Scope::Beneath => ResolveFlags::BENEATH,
        };
        let resolve = scope | ResolveFlags::NO_MAGICLINKS | ResolveFlags::from_bits_retain(how.resolve);
        loop {
            match fs::openat2(dir, path, host_flags(how.flags), mode_bits(how.mode), resolve) {
                Ok(fd) => return Ok(HostFd::from(fd).with_mount(dir.mount())),
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn open_host_dir(&mut self, path: &[u8]) -> Result<HostFd, Errno> {
        Ok(fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?.into())
    }

    fn take_umask(&mut self) -> u32 {
        let umask = rustix::process::umask(Mode::empty()).bits();
        *self.umask.get_or_insert(umask)
    }

    fn reopen(&mut self, handle: &HostFd, flags: u32) -> Result<HostFd, Errno> {
        let flags = host_flags(flags) - OFlags::NOFOLLOW;
        Ok(HostFd::from(fs::open(own(handle), flags, Mode::empty())?).with_mount(handle.mount()))
    }

    fn read_link(&mut self, dir: &HostFd, name: &[u8]) -> Result<Vec<u8>, Errno> {
        Ok(fs::readlinkat(dir, name, Vec::with_capacity(256))?.into_bytes())
    }

    fn make_dir(&mut self, dir: &HostFd, name: &[u8], mode: u32) -> Result<(), Errno> {
        Ok(fs::mkdirat(dir, name, mode_bits(mode))?)
    }

    fn make_node(&mut self, dir: &HostFd, name: &[u8], mode: u32, dev: u64) -> Result<(), Errno> {
        Ok(fs::mknodat(dir, name, FileType::from_raw_mode(mode), mode_bits(mode), dev)?)
    }

    fn make_symlink(&mut self, target: &[u8], dir: &HostFd, name: &[u8]) -> Result<(), Errno> {
        Ok(fs::symlinkat(target, dir, name)?)
    }

    fn link(&mut self, handle: &HostFd, dir: &HostFd, name: &[u8]) -> Result<(), Errno> {
        Ok(fs::linkat(CWD, own(handle), dir, name, AtFlags::SYMLINK_FOLLOW)?)
    }

    fn link_name(&mut self, from: (&HostFd, &[u8]), to: (&HostFd, &[u8])) -> Result<(), Errno> {
        Ok(fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty())?)
    }

    fn remove(&mut self, dir: &HostFd, name: &[u8], what: Remove) -> Result<(), Errno> {
        let flags = match what {
            Remove::File => AtFlags::empty(),
            Remove::Directory => AtFlags::REMOVEDIR,
        };
        Ok(fs::unlinkat(dir, name, flags)?)
    }

    fn rename(&mut self, from: (&HostFd, &[u8]), to: (&HostFd, &[u8]), flags: u32) -> Result<(), Errno> {
        Ok(fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::from_bits_retain(flags))?)
    }

    fn access(&mut self, handle: &HostFd, mode: u32, ids: AccessIds) -> Result<(), Errno> {
        let flags = match ids {
            AccessIds::Real => AtFlags::empty(),
            AccessIds::Effective => AtFlags::EACCESS,
        };
        Ok(fs::accessat(CWD, own(handle), fs::Access::from_bits_retain(mode), flags)?)
    }

    fn change_mode(&mut self, handle: &HostFd, mode: u32) -> Result<(), Errno> {
        Ok(fs::chmod(own(handle), mode_bits(mode))?)
    }

    fn change_owner(&mut self, handle: &HostFd, uid: u32, gid: u32) -> Result<(), Errno> {
        let uid = (uid != u32::MAX).then(|| Uid::from_raw(uid));
        let gid = (gid != u32::MAX).then(|| Gid::from_raw(gid));
        Ok(fs::chownat(handle, c"", uid, gid, AtFlags::EMPTY_PATH)?)
    }

    fn set_times(&mut self, handle: &HostFd, access: SetTime, modification: SetTime) -> Result<(), Errno> {
        let times = fs::Timestamps { last_access: timestamp(access), last_modification: timestamp(modification) };
        Ok(fs::utimensat(CWD, own(handle), &times, AtFlags::empty())?)
    }

    fn set_length(&mut self, handle: &HostFd, len: u64) -> Result<(), Errno> {
        sys::truncate(&own(handle), len)
    }

    fn stat_fs(&mut self, handle: &HostFd) -> Result<FsStat, Errno> {
        let s = fs::fstatfs(handle)?;
        let id = fs::fstatvfs(handle)?.f_fsid;
        Ok(FsStat {
            kind: s.f_type as u64,
            block_size: s.f_bsize as u64,
            blocks: s.f_blocks,
            free: s.f_bfree,
            available: s.f_bavail,
            files: s.f_files,
            files_free: s.f_ffree,
            id: [id as i32, (id >> 32) as i32],
            name_len: s.f_namelen as u64,
            fragment_size: s.f_frsize as u64,
            flags: s.f_flags as u64,
        })
    }

    fn stat_fs_of_device(&mut self, dev: u64) -> Result<FsStat, Errno> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        let device = format!("{}:{}", fs::major(dev), fs::minor(dev));
        // Fields: mount id, parent id, device, root, mount point.
        let point = mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(2);
            (fields.next()? == device).then(|| fields.nth(1)).flatten()
        });
        let fd: HostFd = fs::open(point.ok_or(Errno::EINVAL)?, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?.into();
        self.stat_fs(&fd)
    }

    fn get_xattr(&mut self, handle: &HostFd, name: &[u8], max: usize) -> Result<Xattr, Errno> {
        if max == 0 {
            return Ok(Xattr::Length(fs::getxattr_query(own(handle), name)?));
        }
        let mut value = vec![0; max];
        let n = fs::getxattr(own(handle), name, &mut value[..])?;
        value.truncate(n);
        Ok(Xattr::Value(value))
    }

    fn list_xattr(&mut self, handle: &HostFd, max: usize) -> Result<Xattr, Errno> {
        if max == 0 {
            return Ok(Xattr::Length(fs::listxattr_query(own(handle))?));
        }
        let mut names = vec![0; max];
        let n = fs::listxattr(own(handle), &mut names[..])?;
        names.truncate(n);
        Ok(Xattr::Value(names))
    }

    fn set_xattr(&mut self, handle: &HostFd, name: &[u8], value: &[u8], flags: u32) -> Result<(), Errno> {
        Ok(fs::setxattr(own(handle), name, value, XattrFlags::from_bits_retain(flags))?)
    }

    fn remove_xattr(&mut self, handle: &HostFd, name: &[u8]) -> Result<(), Errno> {
        Ok(fs::removexattr(own(handle), name)?)
    }

    fn read_dir(&mut self, dir: &HostFd) -> Result<Vec<DirEntry>, Errno> {
        let mut buf = vec![MaybeUninit::uninit(); DIR_BATCH];
        let mut records = fs::RawDir::new(dir, &mut buf);
        let mut entries = Vec::new();
        while let Some(record) = records.next() {
            let record = record?;
            entries.push(DirEntry {
                ino: record.ino(),
                next: record.next_entry_cookie() as i64,
                kind: dirent_type(record.file_type()),
                name: record.file_name().to_bytes().to_vec(),
            });
            if records.is_buffer_empty() {
                break;
            }
        }
        Ok(entries)
    }

    fn fifo_has_writer(&mut self, fd: &HostFd) -> Result<bool, Errno> {
        use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, tee};
        // With a writer, an empty FIFO makes tee(2) wait; without one it gives 0. Unlike read(2) it takes nothing out.
        let (_read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        match tee(fd, &write, 1, SpliceFlags::NONBLOCK) {
            Ok(n) => Ok(n > 0),
            Err(rustix::io::Errno::AGAIN) => Ok(true),
            Err(e) => Err(e.into()),
        }
    }
}

fn dirent_type(kind: FileType) -> u8 {
    match kind {
        FileType::Fifo => 1,
        FileType::CharacterDevice => 2,
        FileType::Directory => 4,
        FileType::BlockDevice => 6,
        FileType::RegularFile => 8,
        FileType::Symlink => 10,
        FileType::Socket => 12,
        FileType::Unknown => 0,
    }
}
