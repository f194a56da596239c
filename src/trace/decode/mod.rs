//! Values as strace prints them: arguments by the table's types, structs by their layouts, results.
//!
//! Guest memory is read with the guest's own permissions; what cannot be read prints as its address. Nothing here
//! knows lines, threads or files: that is [`super::text`].

mod admin;
mod args;
mod bpf;
mod fs;
mod ioctl;
mod ioctl_btrfs;
mod ioctl_devices;
mod ioctl_table;
mod ioctl_video;
mod ipc;
mod keys;
mod layout;
mod net;
mod netlink;
mod perf;
mod process;
mod signal;
mod sockopt;
mod special;
mod structs;
mod term;
mod time;
mod uring;

pub(super) use args::{Phase, Progress, arguments, returned};
pub(super) use signal::siginfo;
pub(super) use special::Special;
pub(super) use time::civil;

use super::FdDetail;
use super::buf::{self, Buf, Quote};
use super::select::{AT_FDCWD, comm_of, has_lost_name, label_of, path_of};
use crate::arch::Arch;
use crate::kernel::file::Label;
use crate::kernel::{Kernel, Tid};
use crate::mem::{GuestAddr, Space};

/// How bytes that are no printable ASCII are written (`-x`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strings {
    /// As octal escapes.
    #[default]
    Octal,
    /// As hexadecimal escapes (`--strings-in-hex=non-ascii-chars`).
    HexEscapes,
    /// Strings that hold some are hexadecimal throughout (`-x`).
    NonAscii,
    /// All strings are (`-xx`).
    All,
}

/// How constants are written (`-X`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Constants {
    /// As numbers.
    Raw,
    /// By their names.
    #[default]
    Abbreviated,
    /// As numbers with the names in a comment.
    Verbose,
}

/// How values are printed.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Bytes of a string, and elements of an array, before `...` (`-s`).
    pub limit: usize,
    /// Structs in full (`-v`).
    pub verbose: bool,
    /// Structs at all, rather than their addresses (`-e verbose=`).
    pub dereference: bool,
    /// Bytes in strings (`-x`).
    pub strings: Strings,
    /// Names of constants (`-X`).
    pub constants: Constants,
    /// Details of descriptors, a bit each in the order of [`super::FdDetail`] (`-y`).
    pub fds: u8,
    /// Names of processes behind their ids (`-Y`).
    pub comms: bool,
    /// Names of arguments (`-N`).
    pub names: bool,
    /// What stands between arguments.
    pub(super) separator: Separator,
}

/// What stands between the arguments of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Separator {
    /// A comma and a blank.
    #[default]
    Comma,
    /// A byte that no value holds ([`MARK`]): somebody takes the arguments apart again.
    Mark,
}

/// Separates arguments for those who take them apart: no printed value holds it.
pub(super) const MARK: u8 = 0x1f;

impl Default for Style {
    fn default() -> Style {
        Style {
            limit: 32,
            verbose: false,
            dereference: true,
            strings: Strings::default(),
            constants: Constants::default(),
            fds: 0,
            comms: false,
            names: false,
            separator: Separator::default(),
        }
    }
}

impl Style {
    /// How strings are quoted.
    pub(super) fn quote(&self) -> Quote {
        match self.strings {
            Strings::Octal => Quote::Escape,
            Strings::HexEscapes => Quote::EscapeHex,
            Strings::NonAscii => Quote::HexUnlessAscii,
            Strings::All => Quote::Hex,
        }
    }

    fn shows(&self, detail: FdDetail) -> bool {
        self.fds >> (detail as u32) & 1 != 0
    }
}

/// Where and how a value is printed.
pub(super) struct Cx<'a> {
    /// The line.
    pub out: &'a mut Buf,
    /// The caller's memory.
    pub space: &'a Space,
    /// The rest of the machine.
    pub kernel: Option<&'a Kernel>,
    /// The caller.
    pub tid: Tid,
    /// The caller's architecture.
    pub arch: Arch,
    /// How to print.
    pub style: Style,
    /// The argument registers.
    pub args: [u64; 6],
    /// Before the call, or its result.
    pub phase: Phase,
}

impl Cx<'_> {
    pub(super) fn text(&mut self, s: &str) {
        buf::text(self.out, s);
    }

    /// Prints what stands between two arguments of the call.
    pub(super) fn next_argument(&mut self) {
        match self.style.separator {
            Separator::Comma => self.text(", "),
            Separator::Mark => self.out.push(MARK),
        }
    }

    /// Whether the byte at `addr` can be read.
    pub(super) fn is_readable(&self, addr: u64) -> bool {
        self.fetch(addr, &mut [0])
    }

    pub(super) fn dec(&mut self, v: u64) {
        buf::dec(self.out, v);
    }

    pub(super) fn sdec(&mut self, v: i64) {
        buf::sdec(self.out, v);
    }

    pub(super) fn hex(&mut self, v: u64) {
        buf::hex(self.out, v);
    }

    pub(super) fn addr(&mut self, v: u64) {
        buf::addr(self.out, v);
    }

    pub(super) fn flags(&mut self, set: &crate::syscalls::Set, v: u64) {
        let arch = self.arch;
        if self.style.constants == Constants::Raw && set.has_parts() {
            return buf::raw_flags(self.out, set, v);
        }
        self.constant(v, buf::hex, |out| buf::flags(out, set, arch, v));
    }

    pub(super) fn name(&mut self, set: &crate::syscalls::Set, v: u64) {
        let arch = self.arch;
        self.constant(v, buf::hex, |out| buf::name(out, set, arch, v));
    }

    /// Prints a constant: its name, its number, or both.
    pub(super) fn constant(&mut self, value: u64, number: fn(&mut Buf, u64), name: impl FnOnce(&mut Buf)) {
        match self.style.constants {
            Constants::Abbreviated => name(self.out),
            Constants::Raw => number(self.out, value),
            Constants::Verbose => {
                let start = self.out.len();
                name(self.out);
                // A number stands there already where there is no name.
                let nameless = matches!(self.out.get(start), None | Some(b'0'));
                if nameless {
                    return;
                }
                self.out.extend_from_slice(b" */");
                let mut before = Buf::new();
                number(&mut before, value);
                before.extend_from_slice(b" /* ");
                self.out.splice(start..start, before);
            }
        }
    }

    /// Prints a descriptor, and what is behind it if that is wanted.
    pub(super) fn fd(&mut self, fd: i32) {
        self.sdec(i64::from(fd));
        self.fd_details(fd);
    }

    /// Prints a descriptor that may stand for the working directory.
    pub(super) fn dirfd(&mut self, fd: i32) {
        match (fd, self.style.constants) {
            (AT_FDCWD, Constants::Abbreviated) => self.text("AT_FDCWD"),
            (AT_FDCWD, Constants::Verbose) => self.text("-100 /* AT_FDCWD */"),
            _ => self.sdec(i64::from(fd)),
        }
        self.fd_details(fd);
    }

    fn fd_details(&mut self, fd: i32) {
        if self.style.fds == 0 {
            return;
        }
        let Some(path) = self.kernel.and_then(|k| path_of(k, self.tid, fd)) else { return };
        let label = self.kernel.and_then(|k| label_of(k, self.tid, fd));
        match label {
            Some(Label::Process(pid)) if self.style.shows(FdDetail::Pidfd) => {
                self.text("<pid:");
                self.sdec(i64::from(pid));
                self.out.push(b'>');
            }
            Some(Label::Socket { protocol, details }) if self.style.shows(FdDetail::Socket) => {
                self.out.push(b'<');
                self.text(protocol);
                self.text(":[");
                match details {
                    Some(details) => self.text(&details),
                    None => {
                        let digits = path.iter().copied().filter(u8::is_ascii_digit);
                        self.out.extend(digits);
                    }
                }
                self.text("]>");
            }
            label if self.style.shows(FdDetail::Path) => {
                self.out.push(b'<');
                // What would end the name early is escaped.
                let named = path.strip_suffix(b" (deleted)");
                buf::escaped_with(self.out, named.unwrap_or(&path), b"<>");
                if self.style.shows(FdDetail::Dev)
                    && let Some(Label::Character(major, minor) | Label::Block(major, minor)) = label
                {
                    let kind = if matches!(label, Some(Label::Block(..))) { "block" } else { "char" };
                    let text = format!("<{kind} {major}:{minor}>");
                    self.text(&text);
                }
                self.out.push(b'>');
                if named.is_some() || self.kernel.is_some_and(|k| has_lost_name(k, self.tid, fd)) {
                    self.text("(deleted)");
                }
            }
            _ => {}
        }
    }

    /// Prints a process or thread id, and its name if that is wanted.
    pub(super) fn pid(&mut self, pid: i32) {
        self.sdec(i64::from(pid));
        if self.style.comms
            && let Some(name) = self.kernel.and_then(|k| comm_of(k, pid))
        {
            self.out.push(b'<');
            buf::escaped(self.out, name);
            self.out.push(b'>');
        }
    }

    /// Whether the call has failed, so that its outputs mean nothing.
    pub(super) fn failed(&self) -> bool {
        matches!(self.phase, Phase::Exit(Err(_)))
    }

    /// The call's value; 0 before it and when it has failed.
    pub(super) fn value(&self) -> u64 {
        match self.phase {
            Phase::Exit(Ok(v)) => v,
            _ => 0,
        }
    }

    /// Reads guest memory if it can be looked at: not NULL, and not after a failed call.
    pub(super) fn fetch(&self, addr: u64, bytes: &mut [u8]) -> bool {
        addr != 0 && self.style.dereference && self.space.read(GuestAddr(addr), bytes).is_ok()
    }

    /// Reads an array, or prints its address and gives `None`.
    pub(super) fn fetch_or_addr<const N: usize>(&mut self, addr: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        if !self.failed() && self.fetch(addr, &mut bytes) {
            return Some(bytes);
        }
        self.addr(addr);
        None
    }

    /// Prints `len` bytes of memory as a string, shortened to the limit.
    pub(super) fn bytes(&mut self, addr: u64, len: u64, how: Quote) {
        if addr == 0 {
            return self.text("NULL");
        }
        let shown = len.min(self.style.limit as u64) as usize;
        let mut bytes = vec![0; shown];
        if self.space.read(GuestAddr(addr), &mut bytes).is_err() {
            return self.addr(addr);
        }
        let how = if how == Quote::Hex { how } else { self.style.quote() };
        buf::quoted(self.out, &bytes, how);
        if len > shown as u64 {
            self.text("...");
        }
    }

    /// Prints bytes at hand as a string, shortened to the limit.
    pub(super) fn shortened(&mut self, bytes: &[u8]) {
        let shown = bytes.len().min(self.style.limit);
        buf::quoted(self.out, &bytes[..shown], self.style.quote());
        if bytes.len() > shown {
            self.text("...");
        }
    }

    /// Prints a string that ends with NUL; `limit` bytes of it, with `...` behind when there are more.
    pub(super) fn string(&mut self, addr: u64, limit: usize) {
        if addr == 0 {
            return self.text("NULL");
        }
        let mut bytes = Vec::new();
        let mut chunk = [0u8; 256];
        while bytes.len() <= limit {
            let Some(at) = addr.checked_add(bytes.len() as u64) else { break };
            let n = chunk.len() - (at % 256) as usize;
            let got = self.space.read_partial(GuestAddr(at), &mut chunk[..n]);
            if let Some(nul) = chunk[..got].iter().position(|&b| b == 0) {
                bytes.extend_from_slice(&chunk[..nul]);
                let more = bytes.len() > limit;
                buf::quoted(self.out, &bytes[..bytes.len().min(limit)], self.style.quote());
                return if more {
                    self.text("...")
                };
            }
            bytes.extend_from_slice(&chunk[..got]);
            if got < n {
                // Unterminated: strace shows nothing but the address, unless the limit comes first.
                if bytes.len() > limit {
                    break;
                }
                return self.addr(addr);
            }
        }
        buf::quoted(self.out, &bytes[..limit.min(bytes.len())], self.style.quote());
        self.text("...");
    }

    /// Prints a file name: never shortened.
    pub(super) fn path(&mut self, addr: u64) {
        self.string(addr, 4095);
    }

    /// Prints `[a, b, ...]` with `each` called by index; past the limit comes `...` unless everything is to be shown.
    pub(super) fn list(&mut self, count: u64, mut each: impl FnMut(&mut Self, u64) -> bool) {
        self.out.push(b'[');
        for i in 0..count {
            if i > 0 {
                self.text(", ");
            }
            if !self.style.verbose && i >= self.style.limit as u64 {
                self.text("...");
                break;
            }
            if !each(self, i) {
                break;
            }
        }
        self.out.push(b']');
    }

    /// Prints an array of `count` elements of `N` bytes; the address when not even the first can be read.
    pub(super) fn array<const N: usize>(&mut self, addr: u64, count: u64, mut each: impl FnMut(&mut Self, &[u8; N])) {
        if addr == 0 {
            return self.text("NULL");
        }
        if count == 0 && self.style.dereference {
            return self.text("[]");
        }
        let mut first = [0; N];
        if self.failed() || !self.fetch(addr, &mut first) {
            return self.addr(addr);
        }
        self.list(count, |cx, i| {
            let mut bytes = [0; N];
            let at = i.checked_mul(N as u64).and_then(|o| addr.checked_add(o));
            match at {
                Some(at) if cx.fetch(at, &mut bytes) => each(cx, &bytes),
                _ => {
                    cx.text("... /* ");
                    cx.addr(at.unwrap_or(addr));
                    cx.text(" */");
                    return false;
                }
            }
            true
        });
    }
}

/// The 16-bit number at an offset that the layout guarantees; 0 past the end.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

/// The 32-bit number at an offset; 0 past the end.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// The 64-bit number at an offset; 0 past the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}
