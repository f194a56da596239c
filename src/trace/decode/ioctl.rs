//! ioctl(2): requests by name, and what their argument points to.

use super::{Cx, Phase, u64_at};
use crate::arch::Arch;
use crate::syscalls::sets;
use crate::trace::buf;
use std::sync::OnceLock;

/// What the argument of a request is.
#[derive(Clone, Copy)]
enum Data {
    /// An `int` that the kernel reads or writes.
    IntIn,
    IntOut,
    /// A number.
    Value,
    /// Structs.
    TermiosIn,
    TermiosOut,
    WinsizeIn,
    WinsizeOut,
    /// An unsigned 64-bit number.
    U64Out,
    /// Flags of a file.
    InodeFlagsIn,
    InodeFlagsOut,
    /// `TCFLSH` and `TCXONC`.
    Flush,
    Flow,
    /// Bits of the modem lines.
    ModemIn,
    ModemOut,
    /// A descriptor, or nothing.
    Fd,
    Nothing,
}

/// Requests that strace decodes (ioctl_tty(2), ioctl_list(2)).
fn data_of(request: u32) -> Option<Data> {
    Some(match request {
        0x5401 => Data::TermiosOut,
        0x5402..=0x5404 => Data::TermiosIn,
        0x5409 | 0x5425 => Data::Value,
        0x540a => Data::Flow,
        0x540b => Data::Flush,
        0x540c | 0x540d | 0x5427 | 0x5428 | 0x5422 | 0x5429 => Data::Nothing,
        0x540e => Data::Value,
        0x540f | 0x5424 | 0x5411 | 0x541b | 0x5419 => Data::IntOut,
        0x5410 | 0x5420 | 0x5421 | 0x541a | 0x5423 => Data::IntIn,
        0x5413 => Data::WinsizeOut,
        0x5414 => Data::WinsizeIn,
        0x5415 => Data::ModemOut,
        0x5416..=0x5418 => Data::ModemIn,
        0x5450 | 0x5451 => Data::Nothing,
        0x5452 => Data::IntIn,
        0x8004_5430 | 0x8004_5439 | 0x8004_5438 => Data::IntOut,
        0x4004_5431 => Data::IntIn,
        0x5441 => Data::Value,
        0x8008_6601 => Data::InodeFlagsOut,
        0x4008_6602 => Data::InodeFlagsIn,
        0x8008_1272 => Data::U64Out,
        0x1268 | 0x127b | 0x125e => Data::IntOut,
        2 => Data::IntOut,
        0x4004_9409 => Data::Fd,
        _ => return None,
    })
}

/// Requests by number: several may share one.
fn names(request: u32) -> impl Iterator<Item = &'static str> {
    static SORTED: OnceLock<Vec<(u32, &'static str)>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let mut all: Vec<_> = sets::IOCTL
            .consts
            .iter()
            .filter_map(|c| Some((u32::try_from(c.value[Arch::X86_64.index()]?).ok()?, c.name)))
            .collect();
        all.sort_by_key(|(value, _)| *value);
        all
    });
    let from = sorted.partition_point(|(value, _)| *value < request);
    sorted[from..].iter().take_while(move |(value, _)| *value == request).map(|(_, name)| *name)
}

impl Cx<'_> {
    /// The request: its names, or its parts (`_IOC(_IOC_READ, 0x78, 0x9, 0x4)`).
    pub(super) fn ioctl_request(&mut self, request: u32) {
        let start = self.out.len();
        for name in names(request) {
            if self.out.len() > start {
                self.text(" or ");
            }
            self.text(name);
        }
        if self.out.len() > start {
            return;
        }
        let direction = match request >> 30 {
            0 => "_IOC_NONE",
            1 => "_IOC_WRITE",
            2 => "_IOC_READ",
            _ => "_IOC_READ|_IOC_WRITE",
        };
        self.text("_IOC(");
        self.text(direction);
        for part in [request >> 8 & 0xff, request & 0xff, request >> 16 & 0x3fff] {
            self.text(", ");
            self.hex(u64::from(part));
        }
        self.out.push(b')');
    }

    /// Whether the argument is printed after the call.
    pub(super) fn ioctl_is_out(request: u32) -> bool {
        use Data::*;
        matches!(data_of(request), Some(IntOut | TermiosOut | WinsizeOut | U64Out | InodeFlagsOut | ModemOut))
    }

    /// The argument; nothing at all for requests that have none.
    pub(super) fn ioctl_data(&mut self, request: u32, arg: u64) {
        let data = data_of(request);
        if matches!(data, Some(Data::Nothing)) {
            return;
        }
        self.next_argument();
        match data {
            Some(Data::IntIn | Data::IntOut) => {
                if let Some(b) = self.fetch_or_addr::<4>(arg) {
                    self.out.push(b'[');
                    self.sdec(i64::from(i32::from_le_bytes(b)));
                    self.out.push(b']');
                }
            }
            Some(Data::Value) => self.hex_or_dec(request, arg),
            Some(Data::TermiosIn | Data::TermiosOut) => self.termios(arg),
            Some(Data::WinsizeIn | Data::WinsizeOut) => self.winsize(arg),
            Some(Data::U64Out) => {
                if let Some(b) = self.fetch_or_addr::<8>(arg) {
                    self.out.push(b'[');
                    self.dec(u64_at(&b, 0));
                    self.out.push(b']');
                }
            }
            Some(Data::InodeFlagsIn | Data::InodeFlagsOut) => self.int_flags(&sets::INODE_FLAGS, arg),
            Some(Data::ModemIn | Data::ModemOut) => self.int_flags(&sets::MODEM, arg),
            Some(Data::Flush) => self.name(&sets::TCFLUSH, arg),
            Some(Data::Flow) => self.name(&sets::TCFLOW, arg),
            Some(Data::Fd) => self.sdec(i64::from(arg as i32)),
            Some(Data::Nothing) | None => self.hex(arg),
        }
    }

    fn hex_or_dec(&mut self, request: u32, arg: u64) {
        // TIOCGPTPEER takes flags, the breaks take a duration.
        if request == 0x5441 { self.hex(arg) } else { self.sdec(i64::from(arg as i32)) }
    }

    fn int_flags(&mut self, set: &crate::syscalls::Set, addr: u64) {
        let Some(b) = self.fetch_or_addr::<4>(addr) else { return };
        self.out.push(b'[');
        buf::flags(self.out, set, self.arch, u64::from(u32::from_le_bytes(b)));
        self.out.push(b']');
    }

    /// ioctl(2) as a whole: `from` is 0 before the call; gives whether the argument still has to come.
    pub(super) fn ioctl(&mut self) -> bool {
        let request = self.args[1] as u32;
        if matches!(self.phase, Phase::Enter) {
            self.sdec(i64::from(self.args[0] as i32));
            self.next_argument();
            self.ioctl_request(request);
            if Self::ioctl_is_out(request) {
                return true;
            }
        }
        self.ioctl_data(request, self.args[2]);
        false
    }
}
