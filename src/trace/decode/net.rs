//! Sockets, messages and events.

use super::{Cx, u16_at, u32_at, u64_at};
use crate::arch::Arch;
use crate::syscalls::sets;
use crate::trace::buf::{self, Quote};
use std::net::Ipv6Addr;

impl Cx<'_> {
    /// A socket address of `len` bytes.
    pub(super) fn sockaddr(&mut self, addr: u64, len: u64) {
        let len = (len as u32 as usize).min(128);
        let mut bytes = [0u8; 128];
        let b = &mut bytes[..len];
        if self.failed() || len < 2 || !self.fetch(addr, b) {
            return self.addr(addr);
        }
        let family = u16_at(b, 0);
        self.text("{sa_family=");
        self.name(&sets::AF, u64::from(family));
        match family {
            1 => self.sockaddr_un(&b[2..]),
            2 if len >= 16 => {
                self.text(", sin_port=htons(");
                self.dec(u64::from(u16_at(b, 2).swap_bytes()));
                self.text("), sin_addr=inet_addr(\"");
                let text = format!("{}.{}.{}.{}", b[4], b[5], b[6], b[7]);
                self.text(&text);
                self.text("\")");
            }
            10 if len >= 24 => self.sockaddr_in6(b),
            16 if len >= 12 => {
                self.text(", nl_pid=");
                self.sdec(i64::from(u32_at(b, 4) as i32));
                self.text(", nl_groups=");
                let text = format!("{:08x}", u32_at(b, 8));
                self.text(&text);
            }
            _ if len > 2 => {
                self.text(", sa_data=");
                buf::quoted(self.out, &b[2..], self.style.quote());
            }
            _ => {}
        }
        self.out.push(b'}');
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
            if level == 1 {
                self.name(&sets::SCM, u64::from(kind))
            } else {
                self.hex(u64::from(kind))
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
        match (level, kind) {
            (1, 1) => self.list(data.len() as u64 / 4, |cx, i| {
                cx.sdec(i64::from(u32_at(data, 4 * i as usize) as i32));
                true
            }),
            (1, 2) if data.len() >= 12 => {
                self.text("{pid=");
                self.sdec(i64::from(u32_at(data, 0) as i32));
                self.text(", uid=");
                self.dec(u64::from(u32_at(data, 4)));
                self.text(", gid=");
                self.dec(u64::from(u32_at(data, 8)));
                self.out.push(b'}');
            }
            _ => self.shortened(data),
        }
    }

    /// The value of a socket option: `[1]`, or a struct; level and name are the call's second and third argument.
    pub(super) fn option_value(&mut self, addr: u64, len: u64) {
        const STRINGS: &[(u64, u64)] = &[(1, 25), (6, 13)];
        let (level, name) = (self.args[1] & 0xffff_ffff, self.args[2] & 0xffff_ffff);
        let mut b = [0u8; 16];
        let n = len.min(16) as usize;
        if STRINGS.contains(&(level, name)) || len == 0 || !self.fetch(addr, &mut b[..n]) {
            return self.bytes(addr, len, Quote::Escape);
        }
        let word = u32_at(&b, 0);
        match (level, name, len) {
            // SO_LINGER
            (1, 13, 8..) => {
                self.text("{l_onoff=");
                self.sdec(i64::from(word as i32));
                self.text(", l_linger=");
                self.sdec(i64::from(u32_at(&b, 4) as i32));
                self.out.push(b'}');
            }
            // SO_PEERCRED
            (1, 17, 12..) => {
                self.text("{pid=");
                self.sdec(i64::from(word as i32));
                self.text(", uid=");
                self.sdec(i64::from(u32_at(&b, 4) as i32));
                self.text(", gid=");
                self.sdec(i64::from(u32_at(&b, 8) as i32));
                self.out.push(b'}');
            }
            // SO_RCVTIMEO, SO_SNDTIMEO
            (1, 20 | 21 | 66 | 67, 16..) => self.structure(crate::syscalls::Struct::Timeval, addr),
            (_, _, 4) => {
                self.out.push(b'[');
                match (level, name) {
                    (1, 3) => self.flags(&sets::SOCKTYPE, u64::from(word)),
                    (1, 39) => self.name(&sets::AF, u64::from(word)),
                    (1, 38) => self.name(&sets::IPPROTO, u64::from(word)),
                    (1, 4) if word != 0 => {
                        let name = crate::abi::Errno(word as u16).name().unwrap_or("E???");
                        self.text(name);
                    }
                    _ => self.sdec(i64::from(word as i32)),
                }
                self.out.push(b']');
            }
            _ => self.bytes(addr, len, Quote::Escape),
        }
    }

    /// The vector of sendmmsg(2) and recvmmsg(2).
    pub(super) fn mmsghdrs(&mut self, addr: u64, count: u64) {
        self.array::<64>(addr, count, |cx, b| {
            let len = u32_at(b, 56);
            let done = matches!(cx.phase, super::Phase::Exit(Ok(_)));
            cx.text("{msg_hdr=");
            cx.msghdr_fields(b, done.then_some(u64::from(len)));
            if done {
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
        self.out.push(b'{');
        self.sdec(i64::from_le_bytes(b));
        self.text(", ");
        self.bytes(addr.wrapping_add(8), len, Quote::Escape);
        self.out.push(b'}');
    }
}
