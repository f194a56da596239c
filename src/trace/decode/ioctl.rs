//! ioctl(2): requests by name, and what their argument points to.

use super::ioctl_table::{data_of, loop_info};
use super::layout::{Brief, Layout};
use super::{Cx, Phase, u32_at, u64_at};
use crate::arch::Arch;
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Quote};
use std::sync::OnceLock;

/// What the argument of a request is: what the kernel reads ends in `In`, what it writes in `Out`.
#[derive(Clone, Copy)]
pub(super) enum Data {
    /// There is none.
    Nothing,
    /// A number, with or without a sign.
    Int,
    Ulong,
    /// Numbers in memory, in decimal and in hexadecimal.
    IntIn,
    IntOut,
    LongIn,
    LongOut,
    HexIn,
    HexOut,
    HexLongIn,
    HexLongOut,
    /// Two numbers of 64 or 32 bits.
    PairIn,
    PairOf32In,
    PairOf32Out,
    /// Something that is not decoded.
    Pointer,
    /// A named value, or bits, in the argument itself.
    Enum(&'static Set),
    Flags(&'static Set),
    Flags8(&'static Set),
    /// The same in memory.
    EnumIn(&'static Set),
    EnumOut(&'static Set),
    LongEnumOut(&'static Set),
    Flags8Out(&'static Set),
    Flags64In(&'static Set),
    Flags64Out(&'static Set),
    Flags32In(&'static Set),
    Flags32Out(&'static Set),
    /// A struct.
    LayoutIn(&'static Layout),
    LayoutOut(&'static Layout),
    /// A struct of which some members are shown.
    OpenIn(&'static Layout),
    OpenOut(&'static Layout),
    /// A struct in brief, and in full.
    BriefIn(&'static Layout, &'static Layout),
    BriefOut(&'static Layout, &'static Layout),
    /// A struct that is read, and what of it is written.
    Both(&'static Layout, &'static Layout),
    /// A struct whose last member is read and written.
    Changed(&'static Layout),
    /// So many structs.
    LayoutsIn(u64, &'static Layout),
    /// A text in a buffer of this size.
    TextIn(usize),
    TextOut(usize),
    /// A string that ends with NUL.
    PathIn,
    /// So many bytes.
    BytesOut(u64),
    /// The same in hexadecimal.
    HexBytesIn(u64),
    HexBytesOut(u64),
    /// One byte.
    CharIn,
    /// A struct loop_info.
    LoopIn,
    LoopOut,
    /// Settings and size of a terminal.
    TermiosIn,
    TermiosOut,
    TermioIn,
    TermioOut,
    WinsizeIn,
    WinsizeOut,
    /// A struct ifconf: the interfaces that there are.
    Interfaces,
}

impl Data {
    /// Whether the call writes it.
    fn is_out(self) -> bool {
        use Data::*;
        matches!(
            self,
            IntOut
                | LongOut
                | HexOut
                | HexLongOut
                | PairOf32Out
                | EnumOut(_)
                | LongEnumOut(_)
                | Flags8Out(_)
                | Flags64Out(_)
                | HexBytesOut(_)
                | Flags32Out(_)
                | LayoutOut(_)
                | OpenOut(_)
                | BriefOut(..)
                | TextOut(_)
                | BytesOut(_)
                | LoopOut
                | TermiosOut
                | TermioOut
                | WinsizeOut
                | Interfaces
        )
    }
}

/// Requests by number: several may share one.
fn names(request: u32) -> impl Iterator<Item = &'static str> {
    static SORTED: OnceLock<Vec<(u32, &'static str)>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let mut all: Vec<_> = sets::IOCTL
            .consts
            .iter()
            .filter_map(|c| Some((u32::try_from(c.value[Arch::X86_64.index()]?).ok()?, c.name())))
            .collect();
        all.sort_by_key(|(value, _)| *value);
        all
    });
    let from = sorted.partition_point(|(value, _)| *value < request);
    sorted[from..].iter().take_while(move |(value, _)| *value == request).map(|(_, name)| *name)
}

/// The parts of a request (asm-generic/ioctl.h).
struct Parts {
    direction: u32,
    kind: u8,
    number: u8,
    size: u32,
}

const WRITE: u32 = 1;
const READ: u32 = 2;

impl Parts {
    fn of(request: u32) -> Parts {
        let [number, kind, ..] = request.to_le_bytes();
        Parts { direction: request >> 30, kind, number, size: request >> 16 & 0x3fff }
    }
}

/// Requests that carry a length: type, number, direction, name.
static SIZED: &[(u8, u8, u32, &str)] = &[
    (b'E', 0x06, READ, "EVIOCGNAME"),
    (b'E', 0x07, READ, "EVIOCGPHYS"),
    (b'E', 0x08, READ, "EVIOCGUNIQ"),
    (b'E', 0x09, READ, "EVIOCGPROP"),
    (b'E', 0x0a, READ, "EVIOCGMTSLOTS"),
    (b'E', 0x18, READ, "EVIOCGKEY"),
    (b'E', 0x19, READ, "EVIOCGLED"),
    (b'E', 0x1a, READ, "EVIOCGSND"),
    (b'E', 0x1b, READ, "EVIOCGSW"),
    (b'H', 0x04, READ, "HIDIOCGRAWNAME"),
    (b'H', 0x05, READ, "HIDIOCGRAWPHYS"),
    (b'H', 0x06, READ | WRITE, "HIDIOCSFEATURE"),
    (b'H', 0x07, READ | WRITE, "HIDIOCGFEATURE"),
    (b'H', 0x08, READ, "HIDIOCGRAWUNIQ"),
    (b'U', 0x2c, READ, "UI_GET_SYSNAME"),
    (b'j', 0x13, READ, "JSIOCGNAME"),
];

impl Cx<'_> {
    /// The request: its names, or its parts (`_IOC(_IOC_READ, 0x78, 0x9, 0x4)`).
    pub(super) fn ioctl_request(&mut self, request: u32) {
        match self.style.constants {
            super::Constants::Raw => self.hex(u64::from(request)),
            super::Constants::Abbreviated => self.ioctl_name(request),
            super::Constants::Verbose => {
                self.hex(u64::from(request));
                self.text(" /* ");
                self.ioctl_name(request);
                self.text(" */");
            }
        }
    }

    fn ioctl_name(&mut self, request: u32) {
        let start = self.out.len();
        self.ioctl_family(&Parts::of(request));
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

    /// Requests of which there is one for each length, axis or channel.
    fn ioctl_family(&mut self, parts: &Parts) {
        let Parts { direction, kind, number, size } = *parts;
        if let Some((.., name)) = SIZED.iter().find(|(k, n, d, _)| (*k, *n, *d) == (kind, number, direction)) {
            return self.called(name, u64::from(size));
        }
        match (kind, direction, number) {
            (b'E', READ, 0x20..=0x3f) => {
                self.text("EVIOCGBIT(");
                let kind = u64::from(number - 0x20);
                if kind == 0 {
                    self.text("0")
                } else {
                    self.name(&sets::EVDEV, kind)
                }
                self.text(", ");
                self.dec(u64::from(size));
                self.out.push(b')');
            }
            (b'E', READ, 0x40..=0x7f) => {
                self.text("EVIOCGABS(");
                self.name(&sets::EVDEV_ABS, u64::from(number - 0x40));
                self.out.push(b')');
            }
            (b'E', WRITE, 0xc0..=0xff) => {
                self.text("EVIOCSABS(");
                self.name(&sets::EVDEV_ABS, u64::from(number - 0xc0));
                self.out.push(b')');
            }
            (b'M', READ, _) => self.called("MIXER_READ", u64::from(number)),
            (b'M', WRITE, _) => self.called("MIXER_WRITE", u64::from(number)),
            _ => {}
        }
    }

    /// The argument; nothing at all for requests that have none.
    fn ioctl_data(&mut self, data: Option<Data>, arg: u64) {
        if matches!(data, Some(Data::Nothing)) {
            return;
        }
        self.next_argument();
        // What a failed call was to write means nothing; what it was to read still does.
        let phase = self.phase;
        if data.is_some_and(|d| !d.is_out()) {
            self.phase = Phase::Enter;
        }
        self.ioctl_value(data, arg);
        self.phase = phase;
    }

    fn ioctl_value(&mut self, data: Option<Data>, arg: u64) {
        use Data::*;
        let Some(data) = data else { return self.hex(arg) };
        match data {
            Nothing => {}
            Int => self.sdec(arg as i64),
            Ulong => self.dec(arg),
            IntIn | IntOut => self.boxed(arg, |cx, v| cx.sdec(i64::from(v as i32))),
            HexIn | HexOut => self.boxed(arg, |cx, v| cx.hex(u64::from(v))),
            EnumIn(set) | EnumOut(set) => self.boxed(arg, |cx, v| cx.name(set, u64::from(v))),
            Flags32In(set) | Flags32Out(set) => self.boxed(arg, |cx, v| cx.flags(set, u64::from(v))),
            LongEnumOut(set) => self.boxed_long(arg, |cx, v| cx.name(set, v)),
            Flags8Out(set) => {
                if let Some([b]) = self.fetch_or_addr::<1>(arg) {
                    self.out.push(b'[');
                    self.flags(set, u64::from(b));
                    self.out.push(b']');
                }
            }
            Flags64In(set) | Flags64Out(set) => {
                if let Some(b) = self.fetch_or_addr::<8>(arg) {
                    self.flags(set, u64::from_le_bytes(b));
                }
            }
            LongIn | LongOut => self.boxed_long(arg, Cx::dec),
            HexLongIn | HexLongOut => self.boxed_long(arg, Cx::hex),
            PairIn => self.array::<8>(arg, 2, |cx, b| cx.dec(u64::from_le_bytes(*b))),
            PairOf32In | PairOf32Out => self.array::<4>(arg, 2, |cx, b| cx.dec(u64::from(u32::from_le_bytes(*b)))),
            Pointer => self.addr(arg),
            Enum(set) => self.name(set, arg),
            Flags(set) => self.flags(set, arg),
            Flags8(set) => self.flags(set, arg & 0xff),
            LayoutIn(layout) | LayoutOut(layout) => self.layout(layout, arg),
            BriefIn(brief, all) | BriefOut(brief, all) => {
                self.layout(if self.style.verbose { all } else { brief }, arg);
            }
            Both(layout, _) => self.layout(layout, arg),
            Changed(layout) => self.changing(layout, arg),
            LayoutsIn(count, layout) => self.layouts(layout, arg, count),
            OpenIn(layout) | OpenOut(layout) => self.open_at(layout, arg),
            TextIn(size) | TextOut(size) => self.text_at(arg, size),
            PathIn => self.path(arg),
            BytesOut(_) if self.failed() => self.addr(arg),
            BytesOut(size) => self.bytes(arg, size, Quote::Escape),
            HexBytesIn(_) | HexBytesOut(_) if self.failed() => self.addr(arg),
            HexBytesIn(size) | HexBytesOut(size) => self.bytes(arg, size, Quote::Hex),
            CharIn => self.bytes(arg, 1, Quote::Escape),
            LoopIn | LoopOut => self.open_at(loop_info(self.arch), arg),
            TermiosIn | TermiosOut => self.termios(arg),
            TermioIn | TermioOut => self.termio(arg),
            WinsizeIn | WinsizeOut => self.winsize(arg),
            Interfaces => self.interfaces(arg),
        }
    }

    /// A number of 32 bits in memory, which `show` prints.
    pub(super) fn boxed(&mut self, addr: u64, show: impl FnOnce(&mut Self, u32)) {
        if let Some(b) = self.fetch_or_addr::<4>(addr) {
            self.out.push(b'[');
            show(self, u32::from_le_bytes(b));
            self.out.push(b']');
        }
    }

    fn boxed_long(&mut self, addr: u64, show: impl FnOnce(&mut Self, u64)) {
        if let Some(b) = self.fetch_or_addr::<8>(addr) {
            self.out.push(b'[');
            show(self, u64::from_le_bytes(b));
            self.out.push(b']');
        }
    }

    fn open_at(&mut self, layout: &Layout, addr: u64) {
        if !self.with_struct(layout, addr, |cx, b| cx.open(layout, b)) {
            self.addr(addr);
        }
    }

    /// So many structs one behind the other.
    fn layouts(&mut self, layout: &Layout, addr: u64, count: u64) {
        if self.failed() || !self.is_readable(addr) {
            return self.addr(addr);
        }
        self.list(count, |cx, i| {
            cx.layout(layout, addr.wrapping_add(i * layout.size as u64));
            true
        });
    }

    /// A struct whose last member the call changes, without its end.
    fn changing(&mut self, layout: &Layout, addr: u64) {
        let shown = self.with_struct(layout, addr, |cx, bytes| {
            cx.out.push(b'{');
            cx.members(layout, bytes);
        });
        if !shown {
            self.addr(addr);
        }
    }

    /// What the call has made of a struct that stands there already as it was before.
    fn ioctl_changes(&mut self, data: Data, addr: u64) {
        match data {
            Data::Both(_, layout) => {
                self.with_struct(layout, addr, |cx, bytes| {
                    let start = cx.out.len();
                    cx.text(" => {");
                    let members = cx.out.len();
                    cx.members(layout, bytes);
                    match cx.out.len() > members {
                        true => cx.out.push(b'}'),
                        false => cx.out.truncate(start),
                    }
                });
            }
            Data::Changed(layout) if self.is_readable(addr) => {
                let last = Layout {
                    size: layout.size,
                    fields: layout.fields.last().map_or(&[], std::slice::from_ref),
                    brief: Brief::All,
                };
                self.with_struct(layout, addr, |cx, bytes| {
                    cx.text(" => ");
                    let name = cx.out.len();
                    cx.members(&last, bytes);
                    let value = cx.out[name..].iter().position(|b| *b == b'=').map_or(name, |at| name + at + 1);
                    cx.out.drain(name..value);
                });
                self.out.push(b'}');
            }
            _ => {}
        }
    }

    fn text_at(&mut self, addr: u64, size: usize) {
        let mut bytes = vec![0u8; size];
        if self.failed() || !self.fetch(addr, &mut bytes) {
            return self.addr(addr);
        }
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(size);
        buf::quoted(self.out, &bytes[..end], self.style.quote());
    }

    fn interfaces(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<16>(addr) else { return };
        let (len, list) = (u32_at(&b, 0) as i32, u64_at(&b, 8));
        self.text("{ifc_len=");
        self.sdec(i64::from(len));
        if len > 0 && len as u32 >= 40 {
            self.text(" /* ");
            self.dec(u64::from(len as u32 / 40));
            self.text(" * sizeof(struct ifreq) */");
        }
        self.text(", ifc_buf=");
        self.array::<40>(list, u64::from(len.max(0) as u32 / 40), |cx, b| {
            cx.text("{ifr_name=");
            let end = b[..16].iter().position(|c| *c == 0).unwrap_or(16);
            buf::quoted(cx.out, &b[..end], cx.style.quote());
            cx.text(", ifr_addr=");
            cx.sockaddr_bytes(&b[16..32]);
            cx.out.push(b'}');
        });
        self.out.push(b'}');
    }

    /// ioctl(2) as a whole; gives whether the argument still has to come.
    pub(super) fn ioctl(&mut self) -> bool {
        let request = self.args[1] as u32;
        let data = data_of(request);
        if matches!(self.phase, Phase::Enter) {
            self.fd(self.args[0] as i32);
            self.next_argument();
            self.ioctl_request(request);
            if data.is_some_and(Data::is_out) {
                return true;
            }
        } else if let Some(both @ (Data::Both(..) | Data::Changed(_))) = data {
            self.ioctl_changes(both, self.args[2]);
            return false;
        }
        self.ioctl_data(data, self.args[2]);
        matches!(data, Some(Data::Both(..) | Data::Changed(_)))
    }
}
