//! getsockopt(2) and setsockopt(2): levels, names and values, as strace 6.1 shows them.

use super::layout::{Brief::All, Kind, Layout, f, layout};
use super::{Cx, u32_at};
use crate::syscalls::{Set, sets};
use crate::trace::buf::Quote;

static LINGER: Layout = layout(8, &[f("l_onoff", 0, Kind::I32), f("l_linger", 4, Kind::I32)]);
static UCRED: Layout = layout(12, &[f("pid", 0, Kind::I32), f("uid", 4, Kind::Id), f("gid", 8, Kind::Id)]);
static IP_MREQ: Layout = layout(8, &[f("imr_multiaddr", 0, Kind::Inet), f("imr_interface", 4, Kind::Inet)]);
static IPV6_MREQ: Layout =
    layout(20, &[f("ipv6mr_multiaddr", 0, Kind::Inet6), f("ipv6mr_interface", 16, Kind::Interface)]);
static GROUP_REQ: Layout = layout(136, &[f("gr_interface", 0, Kind::Interface), f("gr_group", 8, Kind::SockAddr)]);
static PACKET_MREQ: Layout = layout(
    16,
    &[
        f("mr_ifindex", 0, Kind::Interface),
        f("mr_type", 4, Kind::Enum16(&sets::PACKET_MEMBERSHIP)),
        f("mr_alen", 6, Kind::U16),
        f("mr_address", 8, Kind::HexBytes(8)),
    ],
);
static TPACKET_REQ: Layout = layout(
    16,
    &[
        f("tp_block_size", 0, Kind::U32),
        f("tp_block_nr", 4, Kind::U32),
        f("tp_frame_size", 8, Kind::U32),
        f("tp_frame_nr", 12, Kind::U32),
    ],
);
static TPACKET_STATS: Layout =
    layout(12, &[f("packets", 0, Kind::U32), f("drops", 4, Kind::U32), f("freeze_q_cnt", 8, Kind::U32)]);

/// How a value is printed.
#[derive(Clone, Copy)]
enum Value {
    /// `[1]` when it holds an integer at all; shorter ones as bytes.
    AtLeastInt,
    /// `[1]` when it is exactly an integer; others as bytes.
    Int,
    /// A struct that has to be whole, else the address.
    Whole(&'static Layout),
    /// A struct of which as much is shown as there is.
    Part(&'static Layout),
    /// An error by name.
    Error,
    /// A number by name.
    Name(&'static Set),
    /// Messages of ICMP, a bit each.
    Icmp,
    /// A packet filter.
    Filter,
    /// Groups, a number each.
    Groups,
}

/// Values by level and name that are not what their level's values usually are: of reading, and of writing.
static VALUES: &[(u32, u32, Value, Value)] = &[
    (0, 35, Value::Int, Value::Whole(&IP_MREQ)),
    (0, 36, Value::Int, Value::Whole(&IP_MREQ)),
    (0, 42, Value::Int, Value::Whole(&GROUP_REQ)),
    (0, 45, Value::Int, Value::Whole(&GROUP_REQ)),
    (1, 4, Value::Error, Value::AtLeastInt),
    (1, 13, Value::Part(&LINGER), Value::Whole(&LINGER)),
    (1, 17, Value::Part(&UCRED), Value::Int),
    (1, 20, Value::Int, Value::Int),
    (1, 21, Value::Int, Value::Int),
    (1, 25, Value::Int, Value::Int),
    (1, 26, Value::Filter, Value::Filter),
    (1, 28, Value::Int, Value::Int),
    (1, 31, Value::Int, Value::Int),
    (1, 47, Value::Int, Value::Int),
    (1, 51, Value::Int, Value::Filter),
    (1, 55, Value::Int, Value::Int),
    (1, 57, Value::Int, Value::Int),
    (1, 59, Value::Int, Value::Int),
    (1, 61, Value::Int, Value::Int),
    (1, 66, Value::Int, Value::Int),
    (1, 67, Value::Int, Value::Int),
    (1, 74, Value::Name(&sets::SO_TXREHASH), Value::Name(&sets::SO_TXREHASH)),
    (41, 20, Value::Int, Value::Whole(&IPV6_MREQ)),
    (41, 21, Value::Int, Value::Whole(&IPV6_MREQ)),
    (41, 27, Value::Int, Value::Whole(&IPV6_MREQ)),
    (41, 28, Value::Int, Value::Whole(&IPV6_MREQ)),
    (41, 42, Value::Int, Value::Whole(&GROUP_REQ)),
    (41, 45, Value::Int, Value::Whole(&GROUP_REQ)),
    (255, 1, Value::Icmp, Value::Icmp),
    (263, 1, Value::Int, Value::Whole(&PACKET_MREQ)),
    (263, 2, Value::Int, Value::Whole(&PACKET_MREQ)),
    (263, 5, Value::Int, Value::Whole(&TPACKET_REQ)),
    (263, 6, Value::Part(&TPACKET_STATS), Value::Int),
    (263, 13, Value::Int, Value::Whole(&TPACKET_REQ)),
    (270, 9, Value::Groups, Value::AtLeastInt),
];

const SOCKET: u32 = 1;
const NETLINK: u32 = 270;

/// Names of options by level; what is written and what is read may have different ones.
fn names(level: u32, reading: bool) -> Option<[&'static Set; 2]> {
    let one = |set| Some([set, set]);
    match level {
        0 if reading => Some([&sets::IP, &sets::IP_GET]),
        0 => Some([&sets::IP, &sets::IP_SET]),
        1 if reading => Some([&sets::SO_GET, &sets::SO]),
        1 => one(&sets::SO),
        6 => one(&sets::TCP),
        17 => one(&sets::UDP),
        41 if reading => Some([&sets::IPV6, &sets::IPV6_GET]),
        41 => Some([&sets::IPV6, &sets::IPV6_SET]),
        255 => one(&sets::RAW),
        263 => one(&sets::PACKET),
        270 => one(&sets::NETLINK_OPT),
        _ => crate::trace::decode::net::option_names(level).and_then(one),
    }
}

/// setsockopt(2).
pub(super) fn setsockopt(cx: &mut Cx<'_>, entering: bool) {
    if !entering {
        return;
    }
    let [fd, level, name, addr, len, _] = cx.args;
    cx.option(fd, level as u32, name as u32, false);
    let length = i64::from(len as i32);
    let value = value_of(level as u32, name as u32, false);
    if length < 0 || matches!(value, Value::AtLeastInt) && length == 0 && level as u32 == SOCKET {
        cx.addr(addr);
    } else {
        cx.option_value(value, addr, length as u64);
    }
    cx.next_argument();
    cx.sdec(length);
}

/// getsockopt(2), whose length before the call is in `before`.
pub(super) fn getsockopt(cx: &mut Cx<'_>, entering: bool, before: &mut u64) {
    let [fd, level, name, addr, len_addr, _] = cx.args;
    let mut b = [0u8; 4];
    if entering {
        cx.option(fd, level as u32, name as u32, true);
        if cx.fetch(len_addr, &mut b) {
            *before = u64::from(u32::from_le_bytes(b));
        }
        return;
    }
    if !cx.fetch(len_addr, &mut b) {
        cx.addr(addr);
        cx.next_argument();
        return cx.addr(len_addr);
    }
    let after = u32_at(&b, 0) as i32;
    if cx.failed() || after < 0 {
        cx.addr(addr);
    } else {
        cx.option_value(value_of(level as u32, name as u32, true), addr, after as u64);
    }
    cx.text(", [");
    if *before != u64::from(after as u32) {
        cx.sdec(i64::from(*before as i32));
        cx.text(" => ");
    }
    cx.sdec(i64::from(after));
    cx.out.push(b']');
}

fn value_of(level: u32, name: u32, reading: bool) -> Value {
    match VALUES.iter().find(|v| (v.0, v.1) == (level, name)) {
        Some((_, _, read, _)) if reading => *read,
        Some((_, _, _, written)) => *written,
        None if level == SOCKET && name < 76 || level == NETLINK => Value::AtLeastInt,
        None => Value::Int,
    }
}

impl Cx<'_> {
    fn option(&mut self, fd: u64, level: u32, name: u32, reading: bool) {
        self.fd(fd as i32);
        self.next_argument();
        self.name(&sets::SOL, u64::from(level));
        self.next_argument();
        match names(level, reading) {
            Some([first, second]) => {
                let known = second.name_of(self.arch, u64::from(name)).is_some();
                let set = if known && first.name_of(self.arch, u64::from(name)).is_none() { second } else { first };
                self.name(set, u64::from(name));
            }
            None => self.dec(u64::from(name)),
        }
        self.next_argument();
    }

    fn option_value(&mut self, value: Value, addr: u64, len: u64) {
        if !self.style.dereference {
            return self.addr(addr);
        }
        let mut b = [0u8; 4];
        match value {
            Value::AtLeastInt if len >= 4 => self.boxed_int(addr),
            Value::AtLeastInt => self.bytes(addr, len, Quote::Hex),
            Value::Int if len == 4 => self.boxed_int(addr),
            Value::Int => self.bytes(addr, len, Quote::Escape),
            Value::Error if len >= 4 => {
                if let Some(b) = self.fetch_or_addr::<4>(addr) {
                    let number = u32::from_le_bytes(b);
                    self.out.push(b'[');
                    match crate::abi::Errno(number as u16).name() {
                        Some(name) if number != 0 && number <= 0xffff => self.text(name),
                        _ => self.sdec(i64::from(number as i32)),
                    }
                    self.out.push(b']');
                }
            }
            Value::Error => self.bytes(addr, len, Quote::Hex),
            Value::Name(set) if len >= 4 => {
                if self.fetch(addr, &mut b) {
                    self.out.push(b'[');
                    self.name(set, u64::from(u32::from_le_bytes(b)));
                    self.out.push(b']');
                } else {
                    self.addr(addr);
                }
            }
            Value::Name(_) => self.bytes(addr, len, Quote::Hex),
            Value::Whole(layout) if len >= layout.size as u64 => self.layout(layout, addr),
            Value::Whole(_) => self.addr(addr),
            Value::Part(layout) => self.part(layout, addr, len),
            Value::Icmp if len >= 4 => {
                if let Some(b) = self.fetch_or_addr::<4>(addr) {
                    self.icmp_filter(u32::from_le_bytes(b));
                }
            }
            Value::Icmp => self.addr(addr),
            Value::Filter if len == 16 => self.filter_program(addr, false),
            Value::Filter => self.addr(addr),
            Value::Groups => self.array::<4>(addr, len / 4, |cx, b| cx.dec(u64::from(u32::from_le_bytes(*b)))),
        }
    }

    fn boxed_int(&mut self, addr: u64) {
        if let Some(b) = self.fetch_or_addr::<4>(addr) {
            self.out.push(b'[');
            self.sdec(i64::from(i32::from_le_bytes(b)));
            self.out.push(b']');
        }
    }

    /// As many members as `len` bytes hold; one that is cut off shows its bytes.
    fn part(&mut self, layout: &Layout, addr: u64, len: u64) {
        let mut b = [0u8; 64];
        let n = (layout.size as u64).min(len) as usize;
        if n == 0 || !self.fetch(addr, &mut b[..n]) {
            return self.addr(addr);
        }
        self.out.push(b'{');
        for (i, field) in layout.fields.iter().enumerate().take_while(|(_, field)| field.at < n) {
            self.text(if i > 0 { ", " } else { "" });
            if field.at + 4 <= n {
                let one = Layout { size: layout.size, fields: std::slice::from_ref(field), brief: All };
                self.members(&one, &b[..layout.size]);
            } else {
                self.text(field.name);
                self.out.push(b'=');
                crate::trace::buf::quoted(self.out, &b[field.at..n], Quote::Hex);
            }
        }
        self.out.push(b'}');
    }

    /// The messages that a raw socket does not want.
    fn icmp_filter(&mut self, bits: u32) {
        let inverted = bits.count_ones() > 21;
        let shown = if inverted { !bits } else { bits };
        self.text(if inverted { "~[" } else { "[" });
        let mut first = true;
        for n in (0..32).filter(|n| shown >> n & 1 != 0) {
            if !std::mem::take(&mut first) {
                self.out.push(b' ');
            }
            match sets::ICMP.name_of(self.arch, n) {
                Some(name) => self.text(name),
                None => self.dec(n),
            }
        }
        self.out.push(b']');
    }
}
