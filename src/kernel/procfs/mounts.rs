//! `/proc/PID/mounts` and `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).
//!
//! A guest on the host's own tree of files sees the host's mounts. Otherwise it sees those of its machine, and the trees
//! that the kernel makes up, with nothing of where they are on the host.

use super::*;
use crate::abi::Errno;
use crate::kernel::fs::mounts::{Mount, Source, Writing};
use std::fmt::Write as _;

/// Id of the first mount of a machine; the one above it is not in sight.
const FIRST_ID: u64 = 21;

/// A line of either file.
struct Line {
    id: u64,
    device: (u32, u32),
    point: Vec<u8>,
    options: &'static str,
    kind: &'static str,
}

/// The id that a file's mount is known by.
pub fn shown_id(k: &Kernel, fd: &crate::host::HostFd, host: u64) -> u64 {
    if k.mounts.is_layered() { FIRST_ID + u64::from(fd.mount().0) } else { host }
}

/// `/proc/PID/mounts`.
pub(super) fn mounts(k: &mut Kernel) -> Result<Vec<u8>, Errno> {
    let Some(lines) = lines(k) else { return Ok(k.host.proc_file("/proc/self/mounts")) };
    let mut text = String::new();
    for l in lines {
        let _ = writeln!(text, "{} {} {} {} 0 0", l.kind, escaped(&l.point), l.kind, l.options);
    }
    Ok(text.into_bytes())
}

/// `/proc/PID/mountinfo`.
pub(super) fn mountinfo(k: &mut Kernel) -> Result<Vec<u8>, Errno> {
    let Some(lines) = lines(k) else { return Ok(k.host.proc_file("/proc/self/mountinfo")) };
    let above = |l: &Line, all: &[Line]| {
        let holds = |other: &&Line| {
            let rest = l.point.strip_prefix(&other.point[..]);
            other.id != l.id && (other.point == b"/" || rest.is_some_and(|r| r.first() == Some(&b'/')))
        };
        all.iter().filter(holds).max_by_key(|other| other.point.len()).map_or(1, |other| other.id)
    };
    let mut text = String::new();
    for l in &lines {
        let (major, minor) = l.device;
        let _ = writeln!(
            text,
            "{} {} {major}:{minor} / {} {} - {} {} {}",
            l.id,
            above(l, &lines),
            escaped(&l.point),
            l.options,
            l.kind,
            l.kind,
            &l.options[..2],
        );
    }
    Ok(text.into_bytes())
}

fn lines(k: &mut Kernel) -> Option<Vec<Line>> {
    if !k.mounts.is_layered() {
        return None;
    }
    let real: Vec<(u64, Mount)> = k.mounts.iter().map(|(id, m)| (u64::from(id.0), m.clone())).collect();
    let next = FIRST_ID + real.last().map_or(0, |(id, _)| id + 1);
    let mut lines = Vec::new();
    for (id, mount) in real {
        let Source::Host(fd, stat) = &mount.source else { continue };
        let kind = k.host.stat_fs(fd).map_or("none", |s| kind_name(s.kind));
        let options = match mount.writing {
            Writing::Allowed => "rw,relatime",
            Writing::Refused => "ro,relatime",
        };
        let device = (rustix::fs::major(stat.dev), rustix::fs::minor(stat.dev));
        lines.push(Line { id: FIRST_ID + id, device, point: mount.path, options, kind });
    }
    let trees = [(&b"/proc"[..], "proc"), (b"/sys/devices/system/cpu", "sysfs"), (b"/dev/pts", "devpts")];
    for (i, (root, kind)) in trees.iter().enumerate().filter(|(_, (root, _))| k.mounts.find(root).is_none()) {
        let options = "rw,nosuid,nodev,noexec,relatime";
        lines.push(Line { id: next + i as u64, device: (0, 22), point: root.to_vec(), options, kind });
    }
    Some(lines)
}

/// A path with blanks, tabs, line feeds and backslashes in octal.
fn escaped(path: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(path).chars() {
        match c {
            ' ' | '\t' | '\n' | '\\' | '#' => {
                let _ = write!(out, "\\{:03o}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// The name of a kind of file system, by its magic number (statfs(2)).
fn kind_name(magic: u64) -> &'static str {
    match magic {
        0xef53 => "ext4",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlay",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x2fc1_2fc1 => "zfs",
        0xf2f5_2010 => "f2fs",
        0x6969 => "nfs",
        0x1cd1 => "devpts",
        0x6573_5546 => "fuse",
        0x0102_1997 => "9p",
        0x7371_7368 => "squashfs",
        _ => "none",
    }
}
