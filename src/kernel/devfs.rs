//! Devices that the machine has of its own: terminals and randomness under `/dev`.
//!
//! The rest of `/dev` is the host's. Like `procfs`, this only says what a path is; `fs` makes files of it.

use super::file::{Access, Buffer, File, FileKind, FileOps};
use super::procfs::{Entry, Node};
use super::tty::{SlaveOpen, Tty};
use super::*;
use crate::abi::consts::open::{O_NOCTTY, O_NONBLOCK};
use crate::host::FileStat;
use std::any::Any;
use std::rc::Rc;

/// Device number of the file system that holds them.
const DEVICE: u64 = 5;

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The caller's controlling terminal.
    Tty,
    /// Opening it makes a pseudoterminal.
    Ptmx,
    /// The slave of a pseudoterminal.
    Pts(u32),
    /// A terminal of the host that sevm was started with, by its number.
    HostPts(u32),
    /// Random bytes, of this minor number.
    Random(u32),
}

/// Names in `/dev` that are the machine's whatever the guest's file system holds.
pub const NAMES: [&[u8]; 5] = [b"ptmx", b"pts", b"random", b"tty", b"urandom"];

/// What a path below `/dev` is, if the machine makes it.
pub(super) fn node(kernel: &Kernel, path: &[&[u8]]) -> Option<Node> {
    let device = match path {
        [b"pts"] => return Some(Node::dir()),
        [b"tty"] => Device::Tty,
        [b"ptmx"] | [b"pts", b"ptmx"] => Device::Ptmx,
        [b"random"] => Device::Random(8),
        [b"urandom"] => Device::Random(9),
        [b"pts", n] => {
            let n = u32::try_from(procfs::number(n)?).ok()?;
            match kernel.terminals.pty(n) {
                Some(pty) if pty.has_master() => Device::Pts(n),
                _ if kernel.terminals.host_numbers.contains(&n) => Device::HostPts(n),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Node::Device(device))
}

/// The entries of `/dev/pts`.
pub(super) fn list(kernel: &Kernel, path: &[&[u8]]) -> Vec<Entry> {
    if path != [b"pts"] {
        return Vec::new();
    }
    let mut numbers = kernel.terminals.numbers();
    numbers.extend(&kernel.terminals.host_numbers);
    numbers.sort_unstable();
    let device = |name: String| Entry { name: name.into_bytes(), kind: 2 };
    numbers.into_iter().map(|n| n.to_string()).chain(["ptmx".to_string()]).map(device).collect()
}

/// The device of the machine that the host's device with these numbers stands for, and its path.
pub(super) fn instead_of(major: u32, minor: u32) -> Option<&'static [u8]> {
    match (major, minor) {
        (5, 0) => Some(b"/dev/tty"),
        (5, 2) => Some(b"/dev/ptmx"),
        (1, 8) => Some(b"/dev/random"),
        (1, 9) => Some(b"/dev/urandom"),
        _ => None,
    }
}

/// Whether this path is that of one device.
pub(super) fn is_device(path: &[u8]) -> bool {
    path.strip_prefix(b"/dev/").is_some_and(|name| name != b"pts" && NAMES.contains(&name))
}

fn character(kernel: &mut Kernel, ino: u64, (major, minor): (u32, u32), gid: u32) -> FileStat {
    let now = kernel.file_time();
    FileStat {
        dev: DEVICE,
        ino,
        mode: 0o020666,
        nlink: 1,
        gid,
        rdev: rustix::fs::makedev(major, minor),
        blksize: 4096,
        atime: now,
        mtime: now,
        ctime: now,
        ..FileStat::default()
    }
}

/// What stat(2) says about `/dev/ptmx`.
pub(super) fn ptmx_stat(kernel: &mut Kernel) -> FileStat {
    character(kernel, 86, (5, 2), 5)
}

/// What stat(2) says about `/dev/tty`.
pub(super) fn tty_stat(kernel: &mut Kernel) -> FileStat {
    character(kernel, 12, (5, 0), 5)
}

/// What stat(2) says about a device; nothing when it has gone.
pub(super) fn stat(kernel: &mut Kernel, device: Device) -> FileStat {
    match device {
        Device::Tty => tty_stat(kernel),
        Device::Ptmx => ptmx_stat(kernel),
        Device::Random(minor) => character(kernel, u64::from(minor), (1, minor), 0),
        Device::Pts(n) => kernel.terminals.pty(n).map(|p| p.stat()).unwrap_or_default(),
        Device::HostPts(n) => {
            let path = format!("/dev/pts/{n}");
            let handle = kernel.host.open_device(path.as_bytes(), crate::abi::consts::open::O_PATH);
            handle.and_then(|fd| kernel.host.stat(&fd)).unwrap_or_default()
        }
    }
}

/// Opens a device by the name `path`; `flags` are open(2)'s.
///
/// # Errors
/// `ENXIO`: no controlling terminal. `EIO`, `EBUSY`, `ENOSPC` of pseudoterminals; the host's.
pub(super) fn open(ctx: &mut Ctx, device: Device, path: &[u8], flags: u32) -> Result<Rc<File>, Errno> {
    match device {
        Device::Random(minor) => {
            let stat = stat(ctx.kernel, Device::Random(minor));
            Ok(File::new(RandomDevice { stat }, path, flags))
        }
        Device::Ptmx => {
            let uid = ctx.thread().credentials.uid[3];
            let pty = ctx.kernel.open_pty(uid)?;
            Ok(pty.open_master(flags))
        }
        Device::Pts(n) => {
            let pty = ctx.kernel.terminals.pty(n).cloned().ok_or(Errno::EIO)?;
            pty.open_slave(ctx, path, SlaveOpen::Name, flags)
        }
        Device::Tty => match ctx.process().terminal.ok_or(Errno::ENXIO)? {
            Tty::Pty(n) => {
                let pty = ctx.kernel.terminals.pty(n).cloned().ok_or(Errno::ENXIO)?;
                pty.open_slave(ctx, path, SlaveOpen::Current, flags | O_NOCTTY)
            }
            Tty::Host => open_host(ctx, b"/dev/tty", path, flags),
        },
        Device::HostPts(n) => {
            let file = open_host(ctx, format!("/dev/pts/{n}").as_bytes(), path, flags)?;
            if flags & O_NOCTTY == 0 && file.downcast::<file::HostFile>().is_some_and(|f| f.is_terminal()) {
                ctx.acquire_by_open(Tty::Host, &file);
            }
            Ok(file)
        }
    }
}

fn open_host(ctx: &mut Ctx, device: &[u8], path: &[u8], flags: u32) -> Result<Rc<File>, Errno> {
    let fd = ctx.kernel.host.open_device(device, flags | O_NOCTTY | O_NONBLOCK)?;
    File::of_host(&mut *ctx.kernel.host, fd, path, flags)
}

/// An open `/dev/random` or `/dev/urandom`, which give the same (random(4)).
#[derive(Debug)]
struct RandomDevice {
    stat: FileStat,
}

impl FileOps for RandomDevice {
    fn kind(&self) -> FileKind {
        FileKind::Character
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_seekable(&self) -> bool {
        true
    }

    fn seek(&self, _ctx: &mut Ctx, _file: &File, _offset: i64, _whence: u32) -> Result<u64, Errno> {
        Ok(0)
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        let mut done = 0;
        let mut chunk = [0; 4096];
        while buf.left() > 0 {
            let n = chunk.len().min(buf.left() as usize);
            ctx.kernel.random(&mut chunk[..n]);
            match buf.put(&chunk[..n]) {
                Ok(copied) => done += copied,
                Err(e) if done == 0 => return Err(e.into()),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    /// Whatever is written is taken and changes nothing.
    fn write(&self, _ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        let (mut done, mut chunk) = (0, [0; 4096]);
        while buf.left() > 0 {
            match buf.get(&mut chunk) {
                Ok(n) => done += n,
                Err(e) if done == 0 => return Err(e.into()),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(self.stat)
    }

    fn ioctl(&self, ctx: &mut Ctx, _file: &File, request: u32, arg: u64) -> SysResult {
        // RNDGETENTCNT: a full pool.
        const RNDGETENTCNT: u32 = 0x8004_5200;
        if request != RNDGETENTCNT {
            return Err(Errno::ENOTTY.into());
        }
        ctx.mem().copy_out(crate::mem::GuestAddr(arg), &256i32)?;
        Ok(0)
    }
}
