//! Sockets, messages and events.

use super::layout::{Field, Kind, Layout, f, layout, wide_hex};
use super::{Cx, u16_at, u32_at, u64_at};
use crate::arch::Arch;
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Quote};
use std::net::Ipv6Addr;

/// The size of an address of AX.25 without digipeaters.
const AX25_SIZE: usize = 16;
static AX25_CALL: Layout = layout(7, &[f("ax25_call", 0, Kind::HexBytes(7))]);
static AX25: Layout =
    layout(AX25_SIZE, &[f("sax25_call", 2, Kind::Struct(&AX25_CALL)), f("sax25_ndigis", 12, Kind::I32)]);
static NFC: &[Field] = &[
    f("dev_idx", 4, Kind::Interface),
    f("target_idx", 8, Kind::X32),
    f("nfc_protocol", 12, Kind::Enum32(&sets::NFC_PROTO)),
];
static NFC_LONG: &[Field] = &[
    f("dev_idx", 4, Kind::Interface),
    f("target_idx", 8, Kind::X32),
    f("nfc_protocol", 12, Kind::Enum32(&sets::NFC_PROTO)),
    f("", 0, Kind::Rest),
];
static NFC_LLCP: &[Field] = &[
    f("dev_idx", 4, Kind::Interface),
    f("target_idx", 8, Kind::X32),
    f("nfc_protocol", 12, Kind::Enum32(&sets::NFC_PROTO)),
    f("dsap", 16, Kind::X8),
    f("ssap", 17, Kind::X8),
    f("service_name", 18, Kind::Text(63)),
];
static MCTP_ADDR: Layout = layout(1, &[f("s_addr", 0, Kind::Enum8(&sets::MCTP_ADDR))]);
static MCTP: &[Field] = &[
    f("__smctp_pad0", 2, Kind::IfSet(2, &Kind::X16)),
    f("smctp_network", 4, Kind::Enum32(&sets::MCTP_NET)),
    f("smctp_addr", 8, Kind::Struct(&MCTP_ADDR)),
    f("smctp_type", 9, Kind::X8),
    f("smctp_tag", 10, Kind::X8),
    f("__smctp_pad1", 11, Kind::IfSet(1, &Kind::X8)),
];

/// Addresses that are nothing but their fields: the family, how many bytes there must be, the layout.
static FAMILIES: &[(u16, usize, Layout)] = &[
    (2, 16, layout(16, &[f("sin_port", 2, Kind::Port), f("sin_addr", 4, Kind::Inet)])),
    (
        4,
        16,
        layout(
            16,
            &[
                f("sipx_port", 2, Kind::Htons),
                f("sipx_network", 4, Kind::Htonl),
                f("sipx_node", 8, Kind::HexList(6)),
                f("sipx_type", 14, Kind::Hex02),
            ],
        ),
    ),
    (9, 18, layout(18, &[f("sx25_addr", 2, Kind::Struct(&X25))])),
    (
        38,
        88,
        layout(
            88,
            &[
                f("salg_type", 2, Kind::Text(14)),
                f("salg_feat", 16, Kind::X32),
                f("salg_mask", 20, Kind::X32),
                f("salg_name", 24, Kind::Text(64)),
            ],
        ),
    ),
    (39, 96, layout(96, NFC_LLCP)),
    (39, 17, layout(17, NFC_LONG)),
    (39, 16, layout(16, NFC)),
    (45, 12, layout(12, MCTP)),
    (42, 12, layout(12, &[f("sq_node", 4, Kind::X32), f("sq_port", 8, Kind::X32)])),
    (
        44,
        16,
        layout(
            16,
            &[
                f("sxdp_flags", 2, Kind::Flags16(&sets::XDP_FLAGS)),
                f("sxdp_ifindex", 4, Kind::Interface),
                f("sxdp_queue_id", 8, Kind::U32),
                f("sxdp_shared_umem_fd", 12, Kind::IfSet(4, &Kind::X32)),
            ],
        ),
    ),
];
static CREDENTIALS: Layout = layout(12, &[f("pid", 0, Kind::I32), f("uid", 4, Kind::Id), f("gid", 8, Kind::Id)]);
static PKTINFO: Layout =
    layout(12, &[f("ipi_ifindex", 0, Kind::Interface), f("ipi_spec_dst", 4, Kind::Inet), f("ipi_addr", 8, Kind::Inet)]);
static EXTENDED_ERROR: Layout = layout(
    32,
    &[
        f("ee_errno", 0, Kind::U32),
        f("ee_origin", 4, Kind::Enum8(&sets::EE_ORIGIN)),
        f("ee_type", 5, Kind::U8),
        f("ee_code", 6, Kind::U8),
        f("ee_info", 8, Kind::U32),
        f("ee_data", 12, Kind::U32),
        f("offender", 16, Kind::SockAddrIn),
    ],
);
static X25: Layout = layout(16, &[f("x25_addr", 0, Kind::Text(16))]);

/// Names of socket options of less common levels.
pub(super) fn option_names(level: u32) -> Option<&'static Set> {
    static LEVELS: &[(u32, &Set)] = &[
        (40, &sets::SO_VM),
        (101, &sets::OPT_CAN_RAW),
        (132, &sets::OPT_SCTP),
        (256, &sets::OPT_IPX),
        (257, &sets::OPT_AX25),
        (266, &sets::OPT_IRDA),
        (268, &sets::OPT_LLC),
        (269, &sets::OPT_DCCP),
        (271, &sets::OPT_TIPC),
        (272, &sets::OPT_RXRPC),
        (273, &sets::OPT_PPPOL2TP),
        (274, &sets::OPT_BLUETOOTH),
        (275, &sets::OPT_PNPIPE),
        (276, &sets::OPT_RDS),
        (277, &sets::OPT_IUCV),
        (278, &sets::OPT_CAIF),
        (279, &sets::OPT_ALG),
        (280, &sets::OPT_NFC),
        (281, &sets::OPT_KCM),
        (282, &sets::OPT_TLS),
        (283, &sets::OPT_XDP),
    ];
    LEVELS.iter().find(|(l, _)| *l == level).map(|(_, set)| *set)
}

impl Cx<'_> {
    /// A socket address of `len` bytes.
    pub(super) fn sockaddr(&mut self, addr: u64, len: u64) {
        let len = (len as u32 as usize).min(128);
        let mut bytes = [0u8; 128];
        let b = &mut bytes[..len];
        if self.failed() || len < 2 || !self.fetch(addr, b) {
            return self.addr(addr);
        }
        self.sockaddr_bytes(&bytes[..len]);
    }

    /// The socket address in `b`, of at least two bytes.
    pub(super) fn sockaddr_bytes(&mut self, b: &[u8]) {
        let family = u16_at(b, 0);
        self.text("{sa_family=");
        self.name(&sets::AF, u64::from(family));
        let layout = FAMILIES.iter().find(|(f, least, _)| *f == family && b.len() >= *least);
        match (family, layout) {
            (1, _) => self.sockaddr_un(b.get(2..).unwrap_or(&[])),
            (10, _) if b.len() >= 24 => self.sockaddr_in6(b),
            (16, _) if b.len() >= 12 => {
                if u16_at(b, 2) != 0 {
                    self.text(", nl_pad=");
                    self.hex(u64::from(u16_at(b, 2)));
                }
                self.text(", nl_pid=");
                self.sdec(i64::from(u32_at(b, 4) as i32));
                self.text(", nl_groups=");
                let text = match u32_at(b, 8) {
                    0 => "00000000".to_string(),
                    groups => format!("{groups:#08x}"),
                };
                self.text(&text);
            }
            (17, _) if b.len() >= 20 => self.sockaddr_ll(b),
            (3, _) if b.len() >= AX25_SIZE => self.sockaddr_ax25(b),
            (36, _) if b.len() >= 20 => self.sockaddr_ieee802154(b),
            (40, _) if b.len() >= 16 => self.sockaddr_vm(b),
            (_, Some((_, _, layout))) => {
                self.text(", ");
                self.members(layout, b);
            }
            _ if b.len() > 2 => {
                self.text(", sa_data=");
                buf::quoted(self.out, &b[2..], self.style.quote());
            }
            _ => {}
        }
        self.out.push(b'}');
    }

    /// A protocol of Ethernet in network order: `htons(ETH_P_ALL)`.
    pub(super) fn ethernet_protocol(&mut self, protocol: u16) {
        self.text("htons(");
        self.name(&sets::ETH_P, u64::from(protocol.swap_bytes()));
        self.out.push(b')');
    }

    /// packet(7).
    fn sockaddr_ll(&mut self, b: &[u8]) {
        self.text(", sll_protocol=");
        self.ethernet_protocol(u16_at(b, 2));
        self.text(", sll_ifindex=");
        self.interface(u32_at(b, 4));
        self.text(", sll_hatype=");
        self.name(&sets::ARPHRD, u64::from(u16_at(b, 8)));
        self.text(", sll_pkttype=");
        self.name(&sets::PACKET_TYPE, u64::from(b[10]));
        self.text(", sll_halen=");
        self.dec(u64::from(b[11]));
        let shown = usize::from(b[11]).min(8).min(b.len() - 12);
        if shown > 0 {
            self.text(", sll_addr=[");
            for (i, byte) in b[12..12 + shown].iter().enumerate() {
                self.text(if i > 0 { ", " } else { "" });
                self.text(&wide_hex(*byte));
            }
            self.out.push(b']');
        }
    }

    /// A callsign of amateur radio, and those on the way to it.
    fn sockaddr_ax25(&mut self, b: &[u8]) {
        const MOST: usize = 8;
        const CALL: usize = 7;
        let wanted = u32_at(b, 12) as i32;
        let there = ((b.len() - AX25_SIZE) / CALL).min(MOST);
        let alone = wanted == 0 && b.len() == AX25_SIZE;
        self.text(if alone { ", " } else { ", fsa_ax25={" });
        self.members(&AX25, b);
        if alone {
            return;
        }
        self.out.push(b'}');
        if wanted > 0 {
            self.text(", fsa_digipeater=[");
            let shown = there.min(wanted as usize);
            for i in 0..shown {
                self.text(if i > 0 { ", " } else { "" });
                self.fields(&AX25_CALL, &b[AX25_SIZE + CALL * i..AX25_SIZE + CALL * (i + 1)]);
            }
            if wanted as usize > shown {
                self.text(if shown > 0 { ", ..." } else { "..." });
            }
            self.out.push(b']');
        }
        if b.len() > AX25_SIZE + MOST * CALL {
            self.text(", ...");
        }
    }

    /// A short or long address of a low-power radio network.
    fn sockaddr_ieee802154(&mut self, b: &[u8]) {
        const NONE: u32 = 0;
        const SHORT: u32 = 2;
        let kind = u32_at(b, 4);
        self.text(", addr={addr_type=");
        let style = std::mem::replace(&mut self.style.constants, super::Constants::Verbose);
        self.name(&sets::IEEE802154_ADDR, u64::from(kind));
        self.style.constants = style;
        self.text(", pan_id=");
        self.hex(u64::from(u16_at(b, 8)));
        match kind {
            NONE => {}
            SHORT => {
                self.text(", short_addr=");
                self.hex(u64::from(u16_at(b, 10)));
            }
            _ => {
                self.text(", hwaddr=");
                self.mac(&b[10..18]);
            }
        }
        self.out.push(b'}');
    }

    /// vsock(7).
    fn sockaddr_vm(&mut self, b: &[u8]) {
        if u16_at(b, 2) != 0 {
            self.text(", svm_reserved1=");
            self.hex(u64::from(u16_at(b, 2)));
        }
        self.text(", svm_cid=");
        let cid = u32_at(b, 8);
        match sets::VSOCK_CID.name_of(self.arch, u64::from(cid)) {
            Some(name) => self.constant(u64::from(cid), buf::hex, |out| buf::text(out, name)),
            None => self.hex(u64::from(cid)),
        }
        self.text(", svm_port=");
        match u32_at(b, 4) {
            u32::MAX => self.text("VMADDR_PORT_ANY"),
            port => self.hex(u64::from(port)),
        }
        self.text(", svm_flags=");
        self.flags(&sets::VMADDR_FLAG, u64::from(b[12]));
        if b[13..16] != [0; 3] {
            self.text(", svm_zero=");
            buf::quoted(self.out, &b[13..16], Quote::Hex);
        }
    }

    fn sockaddr_un(&mut self, path: &[u8]) {
        if path.is_empty() {
            return;
        }
        self.text(", sun_path=");
        if path[0] == 0 && path.len() > 1 {
            // The abstract name space: no NUL ends the name.
            self.out.push(b'@');
            buf::quoted(self.out, &path[1..], self.style.quote());
        } else {
            let end = path.iter().position(|&b| b == 0).unwrap_or(path.len());
            buf::quoted(self.out, &path[..end], self.style.quote());
        }
    }

    fn sockaddr_in6(&mut self, b: &[u8]) {
        self.text(", sin6_port=htons(");
        self.dec(u64::from(u16_at(b, 2).swap_bytes()));
        self.text("), sin6_flowinfo=htonl(");
        self.dec(u64::from(u32_at(b, 4).swap_bytes()));
        self.text("), inet_pton(AF_INET6, \"");
        let mut address = [0u8; 16];
        address.copy_from_slice(&b[8..24]);
        self.text(&Ipv6Addr::from(address).to_string());
        self.text("\", &sin6_addr)");
        if b.len() >= 28 {
            self.text(", sin6_scope_id=");
            self.dec(u64::from(u32_at(b, 24)));
        }
    }

    /// A struct msghdr; after a receiving call, with what was received.
    pub(super) fn msghdr(&mut self, addr: u64) {
        let failed = self.failed();
        let Some(b) = self.fetch_or_addr::<56>(addr) else { return };
        let received = (!failed && self.value() > 0).then(|| self.value());
        self.msghdr_fields(&b, received);
    }

    /// The members of a struct msghdr whose buffers hold `total` bytes (`None`: as much as they are long).
    fn msghdr_fields(&mut self, b: &[u8], total: Option<u64>) {
        self.text("{msg_name=");
        let (name, name_len) = (u64_at(b, 0), u32_at(b, 8));
        if name == 0 {
            self.text("NULL")
        } else {
            self.sockaddr(name, u64::from(name_len))
        }
        self.text(", msg_namelen=");
        self.sdec(i64::from(name_len as i32));
        self.text(", msg_iov=");
        self.iovecs(u64_at(b, 16), u64_at(b, 24), Some(total.unwrap_or(u64::MAX)));
        self.text(", msg_iovlen=");
        self.dec(u64_at(b, 24));
        let (control, control_len) = (u64_at(b, 32), u64_at(b, 40));
        if control != 0 && control_len > 0 {
            self.text(", msg_control=");
            self.control(control, control_len);
        }
        self.text(", msg_controllen=");
        self.dec(control_len);
        self.text(", msg_flags=");
        self.flags(&sets::MSG, u64::from(u32_at(b, 48)));
        self.out.push(b'}');
    }

    /// Control messages (cmsg(3)).
    fn control(&mut self, addr: u64, len: u64) {
        let mut bytes = vec![0u8; len.min(4096) as usize];
        if bytes.len() < 16 || !self.fetch(addr, &mut bytes) {
            return self.addr(addr);
        }
        self.out.push(b'[');
        let mut at = 0;
        while at + 16 <= bytes.len() {
            let message = &bytes[at..];
            let (size, level, kind) = (u64_at(message, 0), u32_at(message, 8), u32_at(message, 12));
            if at > 0 {
                self.text(", ");
            }
            self.text("{cmsg_len=");
            self.dec(size);
            self.text(", cmsg_level=");
            self.name(&sets::SOL, u64::from(level));
            self.text(", cmsg_type=");
            match level {
                0 => self.name(&sets::IP_CMSG, u64::from(kind)),
                1 => self.name(&sets::SCM, u64::from(kind)),
                _ => self.hex(u64::from(kind)),
            }
            let end = (size as usize).min(message.len());
            if let Some(data) = message.get(16..end).filter(|d| !d.is_empty()) {
                self.text(", cmsg_data=");
                self.control_data(level, kind, data);
            }
            self.out.push(b'}');
            if size < 16 {
                break;
            }
            at = at.saturating_add((size as usize).next_multiple_of(8));
        }
        self.out.push(b']');
    }

    fn control_data(&mut self, level: u32, kind: u32, data: &[u8]) {
        let bytes8 = data.len() >= 8;
        match (level, kind) {
            (1, 1) => self.list(data.len() as u64 / 4, |cx, i| {
                cx.fd(u32_at(data, 4 * i as usize) as i32);
                true
            }),
            (1, 2) if data.len() >= 12 => self.fields(&CREDENTIALS, data),
            (1, 29 | 63) if data.len() >= 16 => self.fields(&super::structs::TIMEVAL, data),
            (1, 35 | 64) if data.len() >= 16 => self.fields(&super::structs::TIMESPEC, data),
            (1, 37 | 65) if data.len() >= 48 => self.list(3, |cx, i| {
                cx.fields(&super::structs::TIMESPEC, &data[16 * i as usize..]);
                true
            }),
            (0, 8) if data.len() >= 12 => self.fields(&PKTINFO, data),
            (0, 1) => self.list(1, |cx, _| {
                cx.hex(u64::from(data[0]));
                true
            }),
            (0, 2 | 23) if data.len() >= 4 => self.list(1, |cx, _| {
                cx.dec(u64::from(u32_at(data, 0)));
                true
            }),
            (0, 6 | 7) => self.list(data.len() as u64, |cx, i| {
                let text = format!("{:#04x}", data[i as usize]);
                cx.text(&text);
                true
            }),
            (0, 11) if data.len() >= 32 => self.fields(&EXTENDED_ERROR, data),
            (0, 20) if bytes8 => self.sockaddr_bytes(data),
            _ => self.shortened(data),
        }
    }

    /// The vector of sendmmsg(2) and recvmmsg(2): all that is to be sent, or what has been received; the lengths of
    /// those that were.
    pub(super) fn mmsghdrs(&mut self, addr: u64, count: u64) {
        let done = match self.phase {
            super::Phase::Exit(Ok(n)) => n,
            _ => 0,
        };
        let mut at = 0;
        self.array::<64>(addr, count, |cx, b| {
            let len = u32_at(b, 56);
            let counts = at < done;
            at += 1;
            cx.text("{msg_hdr=");
            cx.msghdr_fields(b, counts.then_some(u64::from(len)));
            if counts {
                cx.text(", msg_len=");
                cx.dec(u64::from(len));
            }
            cx.out.push(b'}');
        });
    }

    fn epoll_event(&mut self, b: &[u8]) {
        let data = u64_at(b, if self.arch == Arch::X86_64 { 4 } else { 8 });
        self.text("{events=");
        self.flags(&sets::EPOLL, u64::from(u32_at(b, 0)));
        self.text(", data={u32=");
        self.dec(data & 0xffff_ffff);
        self.text(", u64=");
        // A pointer reads better in hexadecimal.
        self.dec(data);
        self.text("}}");
    }

    /// One struct epoll_event; packed on x86_64 only.
    pub(super) fn epoll_event_at(&mut self, addr: u64) {
        let mut bytes = [0u8; 16];
        let b = &mut bytes[..if self.arch == Arch::X86_64 { 12 } else { 16 }];
        // epoll_ctl(2) reads it before the call: a failure of the call does not matter.
        if self.fetch(addr, b) { self.epoll_event(&bytes) } else { self.addr(addr) }
    }

    /// The events that epoll_wait(2) gives.
    pub(super) fn epoll_events(&mut self, addr: u64, count: u64) {
        match self.arch {
            Arch::X86_64 => self.array::<12>(addr, count, |cx, b| cx.epoll_event(b)),
            Arch::Aarch64 => self.array::<16>(addr, count, |cx, b| cx.epoll_event(b)),
        }
    }

    /// A System V message: its type and text.
    pub(super) fn msgbuf(&mut self, addr: u64, len: u64) {
        let Some(b) = self.fetch_or_addr::<8>(addr) else { return };
        self.text("{mtype=");
        self.sdec(i64::from_le_bytes(b));
        self.text(", mtext=");
        self.bytes(addr.wrapping_add(8), len, Quote::Escape);
        self.out.push(b'}');
    }
}
