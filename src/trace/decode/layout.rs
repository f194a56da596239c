//! Structs as lists of fields, and the printing of them.

use super::time;
use super::{Cx, u16_at, u32_at, u64_at};
use crate::arch::Arch;
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Buf, Quote};

/// How a field is stored and printed.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Unsigned decimal.
    U8,
    U16,
    U32,
    U64,
    /// Signed decimal.
    I8,
    I16,
    I32,
    I64,
    /// Hexadecimal.
    X8,
    X16,
    X32,
    X64,
    /// A descriptor.
    Fd,
    /// A user or group, -1 being none.
    Id,
    /// Permissions.
    Mode32,
    Mode64,
    /// The address of a string that ends with NUL.
    CStr,
    /// A version of the kernel in three parts.
    KernelVersion,
    /// Nothing at all.
    Never,
    /// A struct of which only some members are shown.
    Open(&'static Layout),
    /// A struct sockaddr that holds a hardware address.
    HardwareAddr,
    /// Bytes, this many: `[00, ff]`; one byte so.
    HexList(usize),
    Hex02,
    /// An IPv4 or other address in a field of 16 bytes.
    SockAddrIn,
    /// A port in network order: `htons(80)`.
    Port,
    /// Decimal numbers in network order: `htons(80)`, `htonl(0)`.
    Htons,
    Htonl,
    /// An IPv4 address: `inet_addr("1.2.3.4")`.
    Inet,
    /// An IPv6 address: `inet_pton(AF_INET6, "::")`.
    Inet6,
    /// The address of a socket, in a field of its largest size.
    SockAddr,
    /// An interface by number.
    Interface,
    /// Bytes as a string, all of them in hexadecimal.
    HexBytes(usize),
    /// So many values of one kind, one after the other, each of so many bytes.
    Many(usize, usize, &'static Kind),
    /// As many as the 32-bit number at an offset tells, but no more than so many, each of so many bytes.
    Counted(usize, usize, usize, &'static Kind),
    /// As many bytes as the 32-bit number at an offset tells, but no more than so many; left out if that is 0.
    CountedBytes(usize, usize),
    /// Left out unless the 32-bit number at an offset is this.
    When(usize, u32, &'static Kind),
    /// Members that are not shown: `...`, without a name.
    Rest,
    /// A UUID.
    Uuid,
    /// A format of pixels in four characters.
    Fourcc,
    /// Two 32-bit numbers, `1/30`.
    Fraction,
    /// A struct that begins with seconds and nanoseconds since the epoch, with their date.
    Dated(&'static Layout),
    /// Left out when its bytes, this many, are all 0.
    IfSet(usize, &'static Kind),
    /// Seconds since the epoch, printed with the date.
    Time,
    /// Clock ticks, printed with seconds.
    Ticks,
    /// An address.
    Addr,
    /// A file mode with its type by name.
    Mode,
    /// A device number, as `makedev`.
    Dev64,
    /// A resource limit.
    Limit,
    /// Bits by name.
    Flags8(&'static Set),
    Flags16(&'static Set),
    Flags32(&'static Set),
    Flags64(&'static Set),
    /// A value by name.
    Enum8(&'static Set),
    Enum16(&'static Set),
    Enum32(&'static Set),
    Enum64(&'static Set),
    /// Another struct.
    Struct(&'static Layout),
    /// Text in a field of this size.
    Text(usize),
    /// Unsigned longs.
    Longs(usize),
    /// Two 32-bit numbers: `{val=[a, b]}`.
    Fsid,
}

/// A field.
pub(super) struct Field {
    pub name: &'static str,
    pub at: usize,
    pub kind: Kind,
}

/// A struct.
pub(super) struct Layout {
    /// Its size in bytes.
    pub size: usize,
    /// Its fields in the order of printing.
    pub fields: &'static [Field],
    /// Of them, those that are shown when structs are abbreviated.
    pub brief: Brief,
}

/// Which fields an abbreviated struct shows.
pub(super) enum Brief {
    /// All.
    All,
    /// These first ones, then `...`.
    First(usize),
}

/// A field, for the lists below.
pub(super) const fn f(name: &'static str, at: usize, kind: Kind) -> Field {
    Field { name, at, kind }
}

/// A struct of this many bytes, of which all fields are shown also where structs are abbreviated.
pub(super) const fn layout(size: usize, fields: &'static [Field]) -> Layout {
    Layout { size, fields, brief: Brief::All }
}

impl Cx<'_> {
    /// Prints the struct at `addr`, or the address.
    pub(super) fn layout(&mut self, layout: &Layout, addr: u64) {
        if !self.with_struct(layout, addr, |cx, bytes| cx.fields(layout, bytes)) {
            self.addr(addr);
        }
    }

    /// Reads the struct at `addr` for `show`; `false` if it cannot be read.
    pub(super) fn with_struct(&mut self, layout: &Layout, addr: u64, show: impl FnOnce(&mut Self, &[u8])) -> bool {
        let mut small = [0u8; 512];
        let mut large = Vec::new();
        let bytes = match small.get_mut(..layout.size) {
            Some(bytes) => bytes,
            None => {
                large.resize(layout.size, 0);
                large.as_mut_slice()
            }
        };
        if self.failed() || !self.fetch(addr, bytes) {
            return false;
        }
        show(self, bytes);
        true
    }

    /// Prints the struct in `bytes`.
    pub(super) fn fields(&mut self, layout: &Layout, bytes: &[u8]) {
        self.out.push(b'{');
        self.members(layout, bytes);
        self.out.push(b'}');
    }

    /// Prints the members of the struct in `bytes`: those that lie in it.
    pub(super) fn members(&mut self, layout: &Layout, bytes: &[u8]) {
        let mut first = true;
        for (i, field) in layout.fields.iter().enumerate() {
            let unset = match field.kind {
                Kind::IfSet(n, _) => is_zero(bytes, field.at, n),
                Kind::When(at, value, _) => u32_at(bytes, at) != value,
                Kind::CountedBytes(at, _) => u32_at(bytes, at) == 0,
                _ => false,
            };
            if field.at >= bytes.len() || unset || matches!(field.kind, Kind::Never) {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.text(", ");
            }
            if let Brief::First(n) = layout.brief
                && i >= n
                && !self.style.verbose
            {
                return self.text("...");
            }
            if !field.name.is_empty() {
                self.text(field.name);
                self.out.push(b'=');
            }
            self.kind(&field.kind, field.at, bytes);
        }
    }

    /// Prints some members of the struct in `bytes`.
    pub(super) fn open(&mut self, layout: &Layout, bytes: &[u8]) {
        self.out.push(b'{');
        self.members(layout, bytes);
        self.text(", ...}");
    }

    /// Prints `, ...` if one of the bytes from `from` up to `size` is not 0.
    pub(super) fn grown(&mut self, addr: u64, from: u64, size: u64) {
        let mut chunk = [0u8; 256];
        let mut at = from;
        while at < size.min(4096) {
            let n = (size - at).min(256) as usize;
            if !self.fetch(addr.wrapping_add(at), &mut chunk[..n]) {
                return;
            }
            if chunk[..n].iter().any(|b| *b != 0) {
                return self.text(", ...");
            }
            at += n as u64;
        }
    }

    /// Prints the value of this kind that lies at `at`.
    fn kind(&mut self, kind: &Kind, at: usize, bytes: &[u8]) {
        let v8 = bytes.get(at).copied().unwrap_or(0);
        let (v16, v32, v64) = (u16_at(bytes, at), u32_at(bytes, at), u64_at(bytes, at));
        let part = |n: usize| bytes.get(at..at + n).unwrap_or(&[]);
        match *kind {
            Kind::U8 => self.dec(u64::from(v8)),
            Kind::X8 => self.hex(u64::from(v8)),
            Kind::X16 => self.hex(u64::from(v16)),
            Kind::X32 => self.hex(u64::from(v32)),
            Kind::Fd => self.fd(v32 as i32),
            Kind::Id => self.id(v32),
            Kind::Mode32 => buf::mode(self.out, u64::from(v32)),
            Kind::Mode64 => buf::mode(self.out, v64),
            Kind::CStr => self.string(v64, self.style.limit),
            Kind::KernelVersion => {
                let text = format!("KERNEL_VERSION({}, {}, {})", v32 >> 16, v32 >> 8 & 0xff, v32 & 0xff);
                self.text(&text);
            }
            Kind::Never => {}
            Kind::Open(layout) => self.open(layout, part(layout.size)),
            Kind::HardwareAddr => {
                self.text("{sa_family=");
                self.name(&sets::ARPHRD, u64::from(v16));
                self.text(", sa_data=");
                // NET/ROM has seven bytes, Ethernet six; of others the length is not known.
                let len = match v16 {
                    0 => 7,
                    1 => 6,
                    _ => 14,
                };
                self.mac(bytes.get(at + 2..at + 2 + len).unwrap_or(&[]));
                self.out.push(b'}');
            }
            Kind::Hex02 => {
                self.text(&wide_hex(v8));
            }
            Kind::HexList(n) => {
                self.out.push(b'[');
                for (i, b) in part(n).iter().enumerate() {
                    let text = format!("{}{}", if i > 0 { ", " } else { "" }, wide_hex(*b));
                    self.text(&text);
                }
                self.out.push(b']');
            }
            Kind::SockAddrIn => self.sockaddr_bytes(part(16)),
            Kind::Port | Kind::Htons => self.called("htons", u64::from(v16.swap_bytes())),
            Kind::Htonl => {
                self.text("htonl(");
                self.hex(u64::from(v32.swap_bytes()));
                self.out.push(b')');
            }
            Kind::Inet => self.inet(v32.to_le_bytes()),
            Kind::Inet6 => {
                let address: [u8; 16] = part(16).try_into().unwrap_or_default();
                self.text("inet_pton(AF_INET6, \"");
                let text = std::net::Ipv6Addr::from(address).to_string();
                self.text(&text);
                self.text("\")");
            }
            Kind::SockAddr => self.sockaddr_bytes(part(128)),
            Kind::Interface => self.interface(v32),
            Kind::HexBytes(n) => buf::quoted(self.out, part(n), Quote::Hex),
            Kind::Many(n, size, each) => self.list(n as u64, |cx, i| {
                cx.kind(each, at + size * i as usize, bytes);
                true
            }),
            Kind::IfSet(_, inner) | Kind::When(_, _, inner) => self.kind(inner, at, bytes),
            Kind::Counted(count, most, size, each) => {
                let count = (u32_at(bytes, count) as usize).min(most);
                self.list(count as u64, |cx, i| {
                    cx.kind(each, at + size * i as usize, bytes);
                    true
                });
            }
            Kind::CountedBytes(count, most) => {
                buf::quoted(self.out, part((u32_at(bytes, count) as usize).min(most)), self.style.quote());
            }
            Kind::Rest => self.text("..."),
            Kind::Uuid => self.uuid(part(16)),
            Kind::Fourcc => {
                let text = part(4).iter().map(|b| character(*b)).collect::<Vec<_>>().join(", ");
                self.text("v4l2_fourcc(");
                self.text(&text);
                self.out.push(b')');
            }
            Kind::Fraction => {
                self.dec(u64::from(v32));
                self.out.push(b'/');
                self.dec(u64::from(u32_at(bytes, at + 4)));
            }
            Kind::Dated(layout) => {
                self.fields(layout, part(layout.size));
                time::date_comment(self.out, v64 as i64, u64::from(u32_at(bytes, at + 8)), 9);
            }
            Kind::Time => {
                self.sdec(v64 as i64);
                time::date_comment(self.out, v64 as i64, 0, 9);
            }
            Kind::Ticks => self.ticks(v64),
            Kind::Flags16(set) => self.flags(set, u64::from(v16)),
            Kind::Enum8(set) => self.name(set, u64::from(v8)),
            Kind::Enum16(set) => self.name(set, u64::from(v16)),
            Kind::U16 => self.dec(u64::from(v16)),
            Kind::U32 => self.dec(u64::from(v32)),
            Kind::U64 => self.dec(v64),
            Kind::I8 => self.sdec(i64::from(v8 as i8)),
            Kind::Flags8(set) => self.flags(set, u64::from(v8)),
            Kind::I16 => self.sdec(i64::from(v16 as i16)),
            Kind::I32 => self.sdec(i64::from(v32 as i32)),
            Kind::I64 => self.sdec(v64 as i64),
            Kind::X64 => self.hex(v64),
            Kind::Addr => self.addr(v64),
            Kind::Mode => self.file_mode(v32),
            Kind::Dev64 => self.makedev(v64),
            Kind::Limit => self.limit(v64),
            Kind::Flags32(set) => self.flags(set, u64::from(v32)),
            Kind::Flags64(set) => self.flags(set, v64),
            Kind::Enum32(set) => self.name(set, u64::from(v32)),
            Kind::Enum64(set) => self.name(set, v64),
            Kind::Struct(layout) => self.fields(layout, bytes.get(at..at + layout.size).unwrap_or(&[])),
            Kind::Text(size) => {
                let text = bytes.get(at..at + size).unwrap_or(&[]);
                let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
                buf::quoted(self.out, &text[..end], self.style.quote());
            }
            Kind::Longs(n) => self.list(n as u64, |cx, i| {
                cx.dec(u64_at(bytes, at + 8 * i as usize));
                true
            }),
            Kind::Fsid => {
                self.text("{val=[");
                self.hex(u64::from(v32));
                self.text(", ");
                self.hex(u64::from(u32_at(bytes, at + 4)));
                self.text("]}");
            }
        }
    }

    /// `name(value)`.
    pub(super) fn called(&mut self, name: &str, value: u64) {
        self.text(name);
        self.out.push(b'(');
        self.dec(value);
        self.out.push(b')');
    }

    /// An IPv4 address.
    pub(super) fn inet(&mut self, b: [u8; 4]) {
        self.text("inet_addr(\"");
        let address = std::net::Ipv4Addr::from(b).to_string();
        self.text(&address);
        self.text("\")");
    }

    /// An interface: the loopback one has the same number everywhere; the names of others are not known here.
    pub(super) fn interface(&mut self, index: u32) {
        if index == 1 { self.text("if_nametoindex(\"lo\")") } else { self.dec(u64::from(index)) }
    }

    /// A hardware address.
    pub(super) fn mac(&mut self, bytes: &[u8]) {
        for (i, b) in bytes.iter().enumerate() {
            let text = format!("{}{b:02x}", if i > 0 { ":" } else { "" });
            self.text(&text);
        }
    }

    /// A UUID in its groups.
    fn uuid(&mut self, bytes: &[u8]) {
        for (i, b) in bytes.iter().enumerate() {
            let text = format!("{}{b:02x}", if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" });
            self.text(&text);
        }
    }

    /// Clock ticks, a hundred a second.
    fn ticks(&mut self, ticks: u64) {
        self.sdec(ticks as i64);
        if ticks != 0 {
            let seconds = format!(" /* {}.{:02} s */", ticks / 100, ticks % 100);
            self.text(&seconds);
        }
    }

    /// A user or group id; -1 means "unchanged".
    pub(super) fn id(&mut self, id: u32) {
        if id == u32::MAX { self.text("-1") } else { self.dec(u64::from(id)) }
    }

    /// A file mode: `S_IFREG|S_ISUID|0755`.
    pub(super) fn file_mode(&mut self, mode: u32) {
        let arch = self.arch;
        self.constant(u64::from(mode), buf::mode, |out| file_mode(out, arch, mode));
    }

    /// A device number.
    pub(super) fn makedev(&mut self, dev: u64) {
        let major = (dev >> 8) & 0xfff | (dev >> 32) & !0xfff;
        let minor = dev & 0xff | (dev >> 12) & !0xff & 0xffff_ffff;
        self.constant(dev, buf::hex, |out| {
            buf::text(out, "makedev(");
            buf::hex(out, major);
            buf::text(out, ", ");
            buf::hex(out, minor);
            out.push(b')');
        });
    }

    /// A resource limit: in units of 1024 where it is a multiple.
    pub(super) fn limit(&mut self, limit: u64) {
        if limit != u64::MAX && (limit <= 1024 || !limit.is_multiple_of(1024)) {
            return self.dec(limit);
        }
        self.constant(limit, buf::dec, |out| {
            if limit == u64::MAX {
                buf::text(out, "RLIM64_INFINITY");
            } else {
                buf::dec(out, limit / 1024);
                buf::text(out, "*1024");
            }
        });
    }
}

/// Whether `n` bytes from `at` on are all 0, as far as they are there.
fn is_zero(bytes: &[u8], at: usize, n: usize) -> bool {
    bytes.iter().skip(at).take(n).all(|b| *b == 0)
}

/// As C's `%#02x` has it.
pub(super) fn wide_hex(b: u8) -> String {
    if b == 0 { "00".to_string() } else { format!("{b:#x}") }
}

/// A byte as a character of C.
fn character(b: u8) -> String {
    match b {
        b'\'' | b'\\' => format!("'\\{}'", char::from(b)),
        b' '..=b'~' => format!("'{}'", char::from(b)),
        _ => format!("'\\x{b:02x}'"),
    }
}

/// Appends the kind of a file and its bits.
fn file_mode(out: &mut Buf, arch: Arch, mode: u32) {
    let kind = u64::from(mode & 0o170_000);
    let start = out.len();
    match sets::FILE_TYPE.name_of(arch, kind) {
        Some(name) => buf::text(out, name),
        None => return buf::mode(out, u64::from(mode)),
    }
    for c in sets::FILE_MODE_BITS.consts {
        if c.value[0].is_some_and(|bit| u64::from(mode) & bit != 0) {
            buf::separate(out, start);
            buf::text(out, c.name());
        }
    }
    buf::separate(out, start);
    let rest = u64::from(mode) & 0o777 | u64::from(mode) & !0o177_777;
    buf::mode(out, rest);
}
