//! Structs as lists of fields, and the printing of them.

use super::time;
use super::{Cx, u16_at, u32_at, u64_at};
use crate::arch::Arch;
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Buf};

/// How a field is stored and printed.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Unsigned decimal.
    U16,
    U32,
    U64,
    /// Signed decimal.
    I16,
    I32,
    I64,
    /// Hexadecimal.
    X64,
    /// An address.
    Addr,
    /// A file mode with its type by name.
    Mode,
    /// A device number, as `makedev`.
    Dev64,
    /// A resource limit.
    Limit,
    /// Bits by name.
    Flags32(&'static Set),
    Flags64(&'static Set),
    /// A value by name.
    Enum32(&'static Set),
    Enum64(&'static Set),
    /// Another struct.
    Struct(&'static Layout),
    /// Text in a field of this size.
    Text(usize),
    /// Unsigned longs.
    Longs(usize),
    /// Seconds since the epoch, with nanoseconds at this offset, printed with the date.
    Date {
        nsec: usize,
    },
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

impl Cx<'_> {
    /// Prints the struct at `addr`, or the address.
    pub(super) fn layout(&mut self, layout: &Layout, addr: u64) {
        let mut bytes = [0u8; 512];
        let Some(bytes) = bytes.get_mut(..layout.size) else { return self.addr(addr) };
        if self.failed() || !self.fetch(addr, bytes) {
            return self.addr(addr);
        }
        self.fields(layout, bytes);
    }

    /// Prints the struct in `bytes`.
    pub(super) fn fields(&mut self, layout: &Layout, bytes: &[u8]) {
        self.out.push(b'{');
        for (i, field) in layout.fields.iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            if let Brief::First(n) = layout.brief
                && i >= n
                && !self.style.verbose
            {
                self.text("...");
                break;
            }
            self.text(field.name);
            self.out.push(b'=');
            self.field(field, bytes);
        }
        self.out.push(b'}');
    }

    fn field(&mut self, field: &Field, bytes: &[u8]) {
        let at = field.at;
        let (v16, v32, v64) = (u16_at(bytes, at), u32_at(bytes, at), u64_at(bytes, at));
        match field.kind {
            Kind::U16 => self.dec(u64::from(v16)),
            Kind::U32 => self.dec(u64::from(v32)),
            Kind::U64 => self.dec(v64),
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
            Kind::Date { nsec } => {
                self.sdec(v64 as i64);
                time::date_comment(self.out, v64 as i64, u64_at(bytes, nsec));
            }
            Kind::Fsid => {
                self.text("{val=[");
                self.hex(u64::from(v32));
                self.text(", ");
                self.hex(u64::from(u32_at(bytes, at + 4)));
                self.text("]}");
            }
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
        self.text("makedev(");
        self.hex(major);
        self.text(", ");
        self.hex(minor);
        self.out.push(b')');
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

/// Appends the kind of a file and its bits.
fn file_mode(out: &mut Buf, arch: Arch, mode: u32) {
    let kind = u64::from(mode & 0o170_000);
    let start = out.len();
    match sets::FILE_TYPE.name_of(arch, kind) {
        Some(name) => buf::text(out, name),
        None if kind != 0 => buf::oct(out, kind),
        None => {}
    }
    for c in sets::FILE_MODE_BITS.consts {
        if c.value[0].is_some_and(|bit| u64::from(mode) & bit != 0) {
            buf::separate(out, start);
            buf::text(out, c.name);
        }
    }
    buf::separate(out, start);
    let rest = u64::from(mode) & 0o777 | u64::from(mode) & !0o177_777;
    buf::mode(out, rest);
}
