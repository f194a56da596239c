//! Files: stat, locks, directory entries, descriptor sets, vectors of buffers.

use super::structs::stat;
use super::{Cx, time, u16_at, u32_at, u64_at};
use crate::arch::Arch;
use crate::mem::GuestAddr;
use crate::syscalls::{Struct, sets};
use crate::trace::buf::{self, Quote};

impl Cx<'_> {
    /// A struct stat: mode and size, or all of it.
    pub(super) fn stat(&mut self, addr: u64) {
        let (layout, rdev, size, times) = stat(self.arch);
        let mut bytes = [0u8; 144];
        let bytes = &mut bytes[..layout.size];
        if self.failed() || !self.fetch(addr, bytes) {
            return self.addr(addr);
        }
        let mode_at = if self.arch == Arch::X86_64 { 24 } else { 16 };
        let mode = u32_at(bytes, mode_at);
        let is_device = matches!(mode & 0o170_000, 0o20_000 | 0o60_000);
        if self.style.verbose {
            self.fields(layout, bytes);
            self.out.pop();
            self.text(", ");
        } else {
            self.text("{st_mode=");
            self.file_mode(mode);
            self.text(", ");
        }
        if is_device {
            self.text("st_rdev=");
            self.makedev(u64_at(bytes, rdev));
        } else {
            self.text("st_size=");
            self.sdec(u64_at(bytes, size) as i64);
        }
        if self.style.verbose {
            for (i, name) in ["st_atime", "st_mtime", "st_ctime"].into_iter().enumerate() {
                let (seconds, nanoseconds) = (u64_at(bytes, times + 16 * i) as i64, u64_at(bytes, times + 16 * i + 8));
                self.text(", ");
                self.text(name);
                self.out.push(b'=');
                self.sdec(seconds);
                time::date_comment(self.out, seconds, nanoseconds, 9);
                self.text(", ");
                self.text(name);
                self.text("_nsec=");
                self.dec(nanoseconds);
            }
        } else {
            self.text(", ...");
        }
        self.out.push(b'}');
    }

    /// A struct statx (include/uapi/linux/stat.h): what its mask says that there is.
    pub(super) fn statx(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<256>(addr) else { return };
        let (full, mask) = (self.style.verbose, u32_at(&b, 0));
        self.text("{stx_mask=");
        self.flags(&sets::STATX, u64::from(mask));
        if full {
            self.text(", stx_blksize=");
            self.dec(u64::from(u32_at(&b, 4)));
        }
        self.text(", stx_attributes=");
        self.flags(&sets::STATX_ATTR, u64_at(&b, 8));
        if full {
            for (name, at, bit) in [("nlink", 16, 4), ("uid", 20, 8), ("gid", 24, 0x10)] {
                if mask & bit != 0 {
                    self.text(", stx_");
                    self.text(name);
                    self.out.push(b'=');
                    self.dec(u64::from(u32_at(&b, at)));
                }
            }
        }
        if mask & 3 != 0 {
            self.text(", stx_mode=");
            self.file_mode(u32::from(u16_at(&b, 28)));
        }
        if full && mask & 0x100 != 0 {
            self.text(", stx_ino=");
            self.dec(u64_at(&b, 32));
        }
        if mask & 0x200 != 0 {
            self.text(", stx_size=");
            self.dec(u64_at(&b, 40));
        }
        if full {
            self.statx_rest(&b, mask)
        } else {
            self.text(", ...")
        }
        self.out.push(b'}');
    }

    fn statx_rest(&mut self, b: &[u8; 256], mask: u32) {
        if mask & 0x400 != 0 {
            self.text(", stx_blocks=");
            self.dec(u64_at(b, 48));
        }
        self.text(", stx_attributes_mask=");
        self.flags(&sets::STATX_ATTR, u64_at(b, 56));
        for (name, at, bit) in [("atime", 64, 0x20), ("btime", 80, 0x800), ("ctime", 96, 0x80), ("mtime", 112, 0x40)] {
            if mask & bit == 0 {
                continue;
            }
            self.text(", stx_");
            self.text(name);
            self.out.push(b'=');
            let (seconds, nanoseconds) = (u64_at(b, at) as i64, u64::from(u32_at(b, at + 8)));
            self.text("{tv_sec=");
            self.sdec(seconds);
            self.text(", tv_nsec=");
            self.dec(nanoseconds);
            self.out.push(b'}');
            time::date_comment(self.out, seconds, nanoseconds, 9);
        }
        for (name, at) in [("rdev_major", 128), ("rdev_minor", 132), ("dev_major", 136), ("dev_minor", 140)] {
            self.text(", stx_");
            self.text(name);
            self.out.push(b'=');
            self.dec(u64::from(u32_at(b, at)));
        }
        if mask & 0x1000 != 0 {
            self.text(", stx_mnt_id=");
            self.hex(u64_at(b, 144));
        }
    }

    /// The value of an extended attribute: a NUL at its end is not shown.
    pub(super) fn attribute_value(&mut self, addr: u64, len: u64) {
        const MOST: u64 = 65_536;
        let mut bytes = vec![0u8; len.min(MOST) as usize];
        if len > MOST || !bytes.is_empty() && !self.fetch(addr, &mut bytes) {
            return self.addr(addr);
        }
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
        self.shortened(&bytes);
    }

    /// A struct flock; its owner only where the kernel tells it.
    pub(super) fn flock(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<32>(addr) else { return };
        self.text("{l_type=");
        self.name(&sets::FLOCK_TYPE, u64::from(u16_at(&b, 0)));
        self.text(", l_whence=");
        self.name(&sets::WHENCE, u64::from(u16_at(&b, 2)));
        self.text(", l_start=");
        self.sdec(u64_at(&b, 8) as i64);
        self.text(", l_len=");
        self.sdec(u64_at(&b, 16) as i64);
        // F_GETLK and F_OFD_GETLK.
        if matches!(self.args[1] as u32, 5 | 36) {
            self.text(", l_pid=");
            self.sdec(i64::from(u32_at(&b, 24) as i32));
        }
        self.out.push(b'}');
    }

    /// A buffer of directory entries: their number, or all of them.
    pub(super) fn dirents(&mut self, kind: Struct, addr: u64, len: u64) {
        if self.failed() {
            return self.addr(addr);
        }
        let mut bytes = vec![0u8; len.min(1 << 20) as usize];
        if len > 0 && !self.fetch(addr, &mut bytes) {
            bytes.clear();
        }
        let is_64 = kind == Struct::Dirent64;
        let mut entries = Vec::new();
        let mut at = 0;
        while at + 18 <= bytes.len() {
            let record = usize::from(u16_at(&bytes, at + 16));
            let Some(entry) = bytes.get(at..at + record).filter(|e| e.len() >= 19) else { break };
            entries.push(entry);
            at += record;
        }
        if !self.style.verbose {
            self.addr(addr);
            self.text(" /* ");
            self.dec(entries.len() as u64);
            return self.text(" entries */");
        }
        self.list(entries.len() as u64, |cx, i| {
            cx.dirent(entries[i as usize], is_64);
            true
        });
    }

    fn dirent(&mut self, entry: &[u8], is_64: bool) {
        self.text("{d_ino=");
        self.dec(u64_at(entry, 0));
        self.text(", d_off=");
        self.sdec(u64_at(entry, 8) as i64);
        self.text(", d_reclen=");
        self.dec(entry.len() as u64);
        let (kind, name) =
            if is_64 { (entry.get(18), entry.get(19..)) } else { (entry.last(), entry.get(18..entry.len() - 1)) };
        let name = name.unwrap_or(&[]);
        let name = &name[..name.iter().position(|&b| b == 0).unwrap_or(name.len())];
        let kind_of = |cx: &mut Self| {
            cx.text(", d_type=");
            cx.name(&sets::DIRENT_TYPE, u64::from(kind.copied().unwrap_or(0)));
        };
        if is_64 {
            kind_of(self);
        }
        self.text(", d_name=");
        buf::quoted(self.out, name, self.style.quote());
        if !is_64 {
            kind_of(self);
        }
        self.out.push(b'}');
    }

    /// A string of `len` bytes, its NUL included.
    pub(super) fn string_of(&mut self, addr: u64, len: u64) {
        if self.failed() {
            return self.addr(addr);
        }
        let mut bytes = vec![0u8; len.clamp(1, 4096) as usize];
        if self.space.read(GuestAddr(addr), &mut bytes).is_err() {
            return self.addr(addr);
        }
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        buf::quoted(self.out, &bytes[..end], self.style.quote());
    }

    /// A set of descriptors below `count`: `[0 3]`.
    pub(super) fn fdset(&mut self, addr: u64, count: u64) {
        match self.fd_bits(addr, count) {
            Some(fds) => {
                self.out.push(b'[');
                for (i, fd) in fds.iter().enumerate() {
                    if i > 0 {
                        self.out.push(b' ');
                    }
                    self.dec(*fd);
                }
                self.out.push(b']');
            }
            None => self.addr(addr),
        }
    }

    /// The members of a descriptor set; `None` when it cannot be read.
    pub(super) fn fd_bits(&self, addr: u64, count: u64) -> Option<Vec<u64>> {
        let count = u64::try_from(count as u32 as i32).ok()?.min(1 << 20);
        let mut bytes = vec![0u8; (count.div_ceil(64) * 8) as usize];
        let readable = if bytes.is_empty() { self.is_readable(addr) } else { self.fetch(addr, &mut bytes) };
        if !readable {
            return None;
        }
        Some((0..count).filter(|fd| bytes[(fd / 8) as usize] >> (fd % 8) & 1 != 0).collect())
    }

    /// What poll(2) is asked: descriptors and events.
    pub(super) fn pollfds(&mut self, addr: u64, count: u64) {
        if count == 0 {
            return self.text("[]");
        }
        self.array::<8>(addr, count, |cx, b| {
            let fd = u32_at(b, 0) as i32;
            cx.text("{fd=");
            cx.fd(fd);
            if fd >= 0 {
                cx.text(", events=");
                cx.flags(&sets::POLL, u64::from(u16_at(b, 4)));
            }
            cx.out.push(b'}');
        });
    }

    /// One buffer of a vector: its bytes when they are to be shown (`len` of them), else its address.
    pub(super) fn iovec(&mut self, entry: &[u8; 16], shown: Option<u64>) {
        let (base, len) = (u64_at(entry, 0), u64_at(entry, 8));
        self.text("{iov_base=");
        match shown {
            Some(n) if self.netlink_data(base, n) => {}
            Some(n) => self.bytes(base, n, Quote::Escape),
            None => self.addr(base),
        }
        self.text(", iov_len=");
        self.dec(len);
        self.out.push(b'}');
    }

    /// A vector whose buffers hold `total` bytes in all (`None`: do not look at them).
    pub(super) fn iovecs(&mut self, addr: u64, count: u64, total: Option<u64>) {
        let mut left = total;
        let failed = std::mem::replace(&mut self.phase, super::Phase::Enter);
        self.array::<16>(addr, count, |cx, b| {
            let len = u64_at(b, 8);
            let shown = left.map(|l| l.min(len));
            cx.iovec(b, shown);
            left = left.map(|l| l - l.min(len));
        });
        self.phase = failed;
    }
}
