//! Netlink messages (netlink(7), rtnetlink(7)): their headers by the socket's protocol, the structs of rtnetlink and its
//! attributes as far as programs use them.

use super::{Cx, u16_at, u32_at};
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Quote};
use crate::trace::select::netlink_of;

const HEADER: usize = 16;
const ROUTE: u32 = 0;

impl Cx<'_> {
    /// Messages in a buffer of a call whose first argument is a netlink socket; `false` if it is none.
    pub(super) fn netlink_data(&mut self, addr: u64, len: u64) -> bool {
        let protocol = self.kernel.and_then(|k| netlink_of(k, self.tid, self.args[0] as i32));
        protocol.is_some_and(|p| self.netlink(p as u32, addr, len))
    }

    /// Messages in a buffer of `len` bytes that goes through a netlink socket; `false` if it holds none.
    fn netlink(&mut self, protocol: u32, addr: u64, len: u64) -> bool {
        let mut bytes = vec![0u8; len.min(1 << 16) as usize];
        if bytes.len() < HEADER || !self.fetch(addr, &mut bytes) {
            return false;
        }
        let messages = split(&bytes);
        // One alone stands without brackets.
        let single = messages.len() == 1;
        if !single {
            self.out.push(b'[');
        }
        for (i, message) in messages.iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            if !self.style.verbose && i >= self.style.limit {
                self.text("...");
                break;
            }
            self.netlink_message(protocol, message);
        }
        if !single {
            self.out.push(b']');
        }
        true
    }

    fn netlink_message(&mut self, protocol: u32, b: &[u8]) {
        let (len, kind, flags) = (u32_at(b, 0), u16_at(b, 4), u16_at(b, 6));
        let body = b.get(HEADER..).unwrap_or(&[]);
        if !body.is_empty() {
            self.out.push(b'[');
        }
        self.text("{nlmsg_len=");
        self.dec(u64::from(len));
        self.text(", nlmsg_type=");
        let own = if protocol == ROUTE && kind >= 16 { &sets::RTM_TYPE } else { &sets::NLMSG_TYPE };
        self.name(own, u64::from(kind));
        self.text(", nlmsg_flags=");
        self.flags(flags_of(protocol, kind), u64::from(flags));
        self.text(", nlmsg_seq=");
        self.dec(u64::from(u32_at(b, 8)));
        self.text(", nlmsg_pid=");
        self.dec(u64::from(u32_at(b, 12)));
        self.out.push(b'}');
        if body.is_empty() {
            return;
        }
        self.text(", ");
        match kind {
            2 if body.len() >= 4 => self.netlink_error(protocol, body),
            3 if body.len() >= 4 => self.sdec(i64::from(u32_at(body, 0) as i32)),
            16.. if protocol == ROUTE => self.route_message(kind, body),
            _ => self.shortened(body),
        }
        self.out.push(b']');
    }

    fn netlink_error(&mut self, protocol: u32, body: &[u8]) {
        self.text("{error=");
        let error = u32_at(body, 0) as i32;
        match crate::abi::Errno(error.unsigned_abs() as u16).name() {
            Some(name) if (-4095..0).contains(&error) => {
                self.out.push(b'-');
                self.text(name);
            }
            _ => self.sdec(i64::from(error)),
        }
        if body.len() >= 4 + HEADER {
            self.text(", msg=");
            let message = &body[4..];
            let end = (u32_at(message, 0) as usize).clamp(HEADER, message.len());
            self.netlink_message(protocol, &message[..end]);
        }
        self.out.push(b'}');
    }

    fn route_message(&mut self, kind: u16, b: &[u8]) {
        // Families of requests are four apart: new, del, get, set.
        let Some(format) = FORMATS.get(usize::from(kind - 16) / 4).filter(|f| !f.head.is_empty()) else {
            return self.shortened(b);
        };
        if b.len() < format.size {
            self.text("{");
            self.text(format.family);
            self.out.push(b'=');
            self.name(&sets::AF, u64::from(b[0]));
            return self.text(if b.len() > 1 { ", ...}" } else { "}" });
        }
        self.out.push(b'{');
        for (i, (name, at, kind)) in format.head.iter().enumerate() {
            self.text(if i > 0 { ", " } else { "" });
            self.text(name);
            self.out.push(b'=');
            self.route_value(*kind, &b[*at..]);
        }
        self.out.push(b'}');
        let rest = &b[format.size.next_multiple_of(4).min(b.len())..];
        if !rest.is_empty() {
            self.text(", ");
            self.attributes(format.attributes, format.numbers, b[0], rest);
        }
    }

    /// Attributes one behind the other: `[[{nla_len=8, nla_type=IFA_ADDRESS}, inet_addr("127.0.0.1")], ...]`.
    fn attributes(&mut self, kinds: &[(u16, Value)], numbers: &Set, family: u8, bytes: &[u8]) {
        let mut parts = Vec::new();
        let mut at = 0;
        while at + 4 <= bytes.len() {
            let len = usize::from(u16_at(bytes, at));
            let Some(part) = bytes.get(at..at + len.max(4)) else { break };
            parts.push(part);
            at += len.max(4).next_multiple_of(4);
        }
        let single = parts.len() == 1;
        if !single {
            self.out.push(b'[');
        }
        for (i, part) in parts.iter().enumerate() {
            self.text(if i > 0 { ", " } else { "" });
            if !self.style.verbose && i >= self.style.limit {
                self.text("...");
                break;
            }
            let (len, kind) = (u16_at(part, 0), u16_at(part, 2));
            let data = &part[4..];
            if !data.is_empty() {
                self.out.push(b'[');
            }
            self.text("{nla_len=");
            self.dec(u64::from(len));
            self.text(", nla_type=");
            if kind & 0x8000 != 0 {
                self.text("NLA_F_NESTED|");
            }
            self.name(numbers, u64::from(kind & 0x3fff));
            self.out.push(b'}');
            if !data.is_empty() {
                self.text(", ");
                let value = kinds.iter().find(|(k, _)| *k == kind).map_or(Value::Bytes, |(_, v)| *v);
                self.attribute(value, family, data);
                self.out.push(b']');
            }
        }
        if !single {
            self.out.push(b']');
        }
    }

    fn attribute(&mut self, value: Value, family: u8, data: &[u8]) {
        match value {
            Value::Address if family == 2 && data.len() >= 4 => self.inet([data[0], data[1], data[2], data[3]]),
            Value::Address if family == 10 && data.len() >= 16 => self.inet6(data),
            Value::Name => {
                let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
                buf::quoted(self.out, &data[..end], self.style.quote());
            }
            Value::Mac => self.mac(data),
            Value::U8 | Value::U32 | Value::X32 | Value::Interface | Value::Family | Value::Table | Value::Flags(_)
                if data.len() >= value.size() =>
            {
                self.route_value(value, data);
            }
            _ => buf::quoted(self.out, &data[..data.len().min(self.style.limit)], Quote::Escape),
        }
    }

    fn inet6(&mut self, data: &[u8]) {
        let address: [u8; 16] = data[..16].try_into().unwrap_or_default();
        self.text("inet_pton(AF_INET6, \"");
        let text = std::net::Ipv6Addr::from(address).to_string();
        self.text(&text);
        self.text("\")");
    }

    fn route_value(&mut self, value: Value, b: &[u8]) {
        let word = u32_at(b, 0);
        match value {
            Value::U8 => self.dec(u64::from(b[0])),
            Value::X8 => self.hex(u64::from(b[0])),
            Value::U32 => self.dec(u64::from(word)),
            Value::X32 => self.hex(u64::from(word)),
            Value::Interface => self.interface(word),
            Value::Family => self.name(&sets::AF, u64::from(b[0])),
            Value::Flags(set) => self.flags(set, u64::from(word)),
            Value::Flags8(set) => self.flags(set, u64::from(b[0])),
            Value::Enum8(set) => self.name(set, u64::from(b[0])),
            Value::Enum16(set) => self.name(set, u64::from(u16_at(b, 0))),
            Value::Flags16(set) => self.flags(set, u64::from(u16_at(b, 0))),
            Value::Table if word <= 0xff => self.name(&sets::RT_TABLE, u64::from(word)),
            Value::Table => self.dec(u64::from(word)),
            Value::Address | Value::Name | Value::Mac | Value::Bytes => self.shortened(b),
        }
    }
}

/// The messages in a buffer; what is left at the end is one too.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    let mut at = 0;
    while at + HEADER <= bytes.len() {
        let len = (u32_at(bytes, at) as usize).max(HEADER);
        let end = (at + len).min(bytes.len());
        messages.push(&bytes[at..end]);
        at = at.saturating_add(len.next_multiple_of(4));
    }
    messages
}

/// The meaning of a header's flags depends on what is asked.
fn flags_of(protocol: u32, kind: u16) -> &'static Set {
    match kind {
        2 => &sets::NLM_ACK,
        16.. if protocol == ROUTE => match kind % 4 {
            0 => &sets::NLM_NEW,
            1 => &sets::NLM_DEL,
            2 => &sets::NLM_GET,
            _ => &sets::NLM_ANY,
        },
        _ => &sets::NLM_ANY,
    }
}

/// How a member or an attribute is printed.
#[derive(Clone, Copy)]
enum Value {
    U8,
    X8,
    U32,
    X32,
    Interface,
    Family,
    Table,
    Flags(&'static Set),
    Flags8(&'static Set),
    Enum8(&'static Set),
    Enum16(&'static Set),
    Flags16(&'static Set),
    Address,
    Name,
    Mac,
    Bytes,
}

impl Value {
    /// Bytes that it takes.
    fn size(self) -> usize {
        match self {
            Value::U8 | Value::X8 | Value::Family | Value::Flags8(_) | Value::Enum8(_) => 1,
            Value::Enum16(_) | Value::Flags16(_) => 2,
            _ => 4,
        }
    }
}

/// A kind of messages of rtnetlink(7).
struct Format {
    size: usize,
    family: &'static str,
    head: &'static [(&'static str, usize, Value)],
    numbers: &'static Set,
    attributes: &'static [(u16, Value)],
}

const UNKNOWN: Format = Format { size: 0, family: "", head: &[], numbers: &sets::IFLA, attributes: &[] };

/// By the number of the first message of the kind, less 16, divided by 4.
static FORMATS: &[Format] = &[
    Format {
        size: 16,
        family: "ifi_family",
        head: &[
            ("ifi_family", 0, Value::Family),
            ("ifi_type", 2, Value::Enum16(&sets::ARPHRD)),
            ("ifi_index", 4, Value::Interface),
            ("ifi_flags", 8, Value::Flags(&sets::IFFLAGS)),
            ("ifi_change", 12, Value::X32),
        ],
        numbers: &sets::IFLA,
        attributes: &[
            (1, Value::Mac),
            (2, Value::Mac),
            (3, Value::Name),
            (4, Value::U32),
            (5, Value::U32),
            (6, Value::Name),
            (10, Value::U32),
            (13, Value::U32),
            (16, Value::U8),
            (17, Value::U8),
            (27, Value::U32),
            (29, Value::X32),
            (30, Value::U32),
            (31, Value::U32),
            (32, Value::U32),
            (33, Value::U8),
            (35, Value::U32),
            (39, Value::U8),
            (40, Value::U32),
            (41, Value::U32),
            (47, Value::U32),
            (48, Value::U32),
            (50, Value::U32),
            (51, Value::U32),
        ],
    },
    Format {
        size: 8,
        family: "ifa_family",
        head: &[
            ("ifa_family", 0, Value::Family),
            ("ifa_prefixlen", 1, Value::U8),
            ("ifa_flags", 2, Value::Flags8(&sets::IFA_F)),
            ("ifa_scope", 3, Value::Enum8(&sets::RT_SCOPE)),
            ("ifa_index", 4, Value::Interface),
        ],
        numbers: &sets::IFA,
        attributes: &[
            (1, Value::Address),
            (2, Value::Address),
            (3, Value::Name),
            (4, Value::Address),
            (5, Value::Address),
            (7, Value::Address),
            (8, Value::Flags(&sets::IFA_F)),
            (9, Value::U32),
        ],
    },
    Format {
        size: 12,
        family: "rtm_family",
        head: &[
            ("rtm_family", 0, Value::Family),
            ("rtm_dst_len", 1, Value::U8),
            ("rtm_src_len", 2, Value::U8),
            ("rtm_tos", 3, Value::X8),
            ("rtm_table", 4, Value::Enum8(&sets::RT_TABLE)),
            ("rtm_protocol", 5, Value::Enum8(&sets::RTPROT)),
            ("rtm_scope", 6, Value::Enum8(&sets::RT_SCOPE)),
            ("rtm_type", 7, Value::Enum8(&sets::RTN)),
            ("rtm_flags", 8, Value::Flags(&sets::RTM_F)),
        ],
        numbers: &sets::RTA,
        attributes: &[
            (1, Value::Address),
            (2, Value::Address),
            (3, Value::Interface),
            (4, Value::Interface),
            (5, Value::Address),
            (6, Value::U32),
            (7, Value::Address),
            (15, Value::Table),
            (16, Value::X32),
        ],
    },
    Format {
        size: 12,
        family: "ndm_family",
        head: &[
            ("ndm_family", 0, Value::Family),
            ("ndm_ifindex", 4, Value::Interface),
            ("ndm_state", 8, Value::Flags16(&sets::NUD)),
            ("ndm_flags", 10, Value::Flags8(&sets::NTF)),
            ("ndm_type", 11, Value::Enum8(&sets::RTN)),
        ],
        numbers: &sets::NDA,
        attributes: &[(1, Value::Address), (2, Value::Mac), (4, Value::U32)],
    },
    UNKNOWN,
];
