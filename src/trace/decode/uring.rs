//! io_uring (include/uapi/linux/io_uring.h) and the older asynchronous I/O (include/uapi/linux/aio_abi.h).

use super::layout::{Brief::All, Kind, Layout, f, layout};
use super::{Cx, u16_at, u32_at, u64_at};
use crate::syscalls::sets;
use crate::trace::buf::Quote;

static SQ_OFF: Layout = layout(
    40,
    &[
        f("head", 0, Kind::U32),
        f("tail", 4, Kind::U32),
        f("ring_mask", 8, Kind::U32),
        f("ring_entries", 12, Kind::U32),
        f("flags", 16, Kind::U32),
        f("dropped", 20, Kind::U32),
        f("array", 24, Kind::U32),
        f("resv1", 28, Kind::IfSet(4, &Kind::X32)),
        f("resv2", 32, Kind::IfSet(8, &Kind::X64)),
    ],
);
static CQ_OFF: Layout = layout(
    40,
    &[
        f("head", 0, Kind::U32),
        f("tail", 4, Kind::U32),
        f("ring_mask", 8, Kind::U32),
        f("ring_entries", 12, Kind::U32),
        f("overflow", 16, Kind::U32),
        f("cqes", 20, Kind::U32),
        f("flags", 24, Kind::U32),
        f("resv1", 28, Kind::IfSet(4, &Kind::X32)),
        f("resv2", 32, Kind::IfSet(8, &Kind::X64)),
    ],
);
static PARAMS: Layout = layout(
    120,
    &[
        f("flags", 8, Kind::Flags32(&sets::IO_URING_SETUP)),
        f("sq_thread_cpu", 12, Kind::X32),
        f("sq_thread_idle", 16, Kind::U32),
        f("resv", 28, Kind::IfSet(12, &Kind::Many(3, 4, &Kind::X32))),
        f("sq_entries", 0, Kind::U32),
        f("cq_entries", 4, Kind::U32),
        f("features", 20, Kind::Flags32(&sets::IO_URING_FEATURES)),
        f("sq_off", 40, Kind::Struct(&SQ_OFF)),
        f("cq_off", 80, Kind::Struct(&CQ_OFF)),
    ],
);

/// io_uring_setup(2).
pub(super) fn io_uring_setup(cx: &mut Cx<'_>, entering: bool) {
    let [entries, params, ..] = cx.args;
    if entering {
        cx.dec(entries & 0xffff_ffff);
        return cx.next_argument();
    }
    let mut b = [0u8; 120];
    if cx.failed() || !cx.fetch(params, &mut b) {
        return cx.addr(params);
    }
    cx.out.push(b'{');
    let mut first = true;
    for field in PARAMS.fields {
        // Only with IORING_SETUP_ATTACH_WQ is there a descriptor.
        if field.name == "sq_entries" && u32_at(&b, 8) & 0x20 != 0 {
            cx.text(", wq_fd=");
            cx.fd(u32_at(&b, 24) as i32);
        }
        let one = Layout { size: 120, fields: std::slice::from_ref(field), brief: All };
        let start = cx.out.len();
        cx.members(&one, &b);
        if cx.out.len() > start && !std::mem::take(&mut first) {
            cx.out.splice(start..start, *b", ");
        }
    }
    cx.out.push(b'}');
}

static FILES_UPDATE: Layout =
    layout(16, &[f("offset", 0, Kind::U32), f("resv", 4, Kind::IfSet(4, &Kind::X32)), f("fds", 8, Kind::Addr)]);
static RING_FD: Layout =
    layout(16, &[f("offset", 0, Kind::U32), f("resv", 4, Kind::IfSet(4, &Kind::X32)), f("data", 8, Kind::Fd)]);
static RING_FD_OUT: Layout = layout(
    16,
    &[f("offset", 0, Kind::U32), f("resv", 4, Kind::IfSet(4, &Kind::X32)), f("data", 8, Kind::IfSet(8, &Kind::X64))],
);
static BUFFER_RING: Layout = layout(
    40,
    &[
        f("ring_addr", 0, Kind::Addr),
        f("ring_entries", 8, Kind::U32),
        f("bgid", 12, Kind::U16),
        f("pad", 14, Kind::Never),
        f("resv", 16, Kind::IfSet(24, &Kind::Many(3, 8, &Kind::X64))),
    ],
);
static PROBE_OP: Layout = layout(
    8,
    &[
        f("op", 0, Kind::Enum8(&sets::IO_URING_OP)),
        f("resv", 1, Kind::IfSet(1, &Kind::X8)),
        f("flags", 2, Kind::Flags16(&sets::IO_URING_OP_FLAGS)),
        f("resv2", 4, Kind::IfSet(4, &Kind::X32)),
    ],
);

/// io_uring_register(2).
pub(super) fn io_uring_register(cx: &mut Cx<'_>, entering: bool) {
    let [fd, opcode, arg, count, ..] = cx.args;
    let (opcode, count) = (opcode & 0xffff_ffff, count & 0xffff_ffff);
    // IORING_REGISTER_PROBE shows what is answered, IORING_REGISTER_IOWQ_MAX_WORKERS what is asked too.
    if entering {
        cx.fd(fd as i32);
        cx.next_argument();
        cx.name(&sets::IO_URING_REGISTER, opcode);
        cx.next_argument();
        match opcode {
            0 => cx.iovecs(arg, count, None),
            2 | 4 | 7 => cx.array::<4>(arg, count, |cx, b| cx.fd(i32::from_le_bytes(*b))),
            6 => cx.layout(&FILES_UPDATE, arg),
            8 => {}
            11 => cx.array::<16>(arg, count, Cx::uring_restriction),
            17 => cx.cpuset(arg, count),
            19 => cx.uring_workers(arg),
            20 => cx.array::<16>(arg, count, |cx, b| cx.fields(&RING_FD, b)),
            21 => cx.array::<16>(arg, count, |cx, b| cx.fields(&RING_FD_OUT, b)),
            22 | 23 => cx.layout(&BUFFER_RING, arg),
            _ => cx.addr(arg),
        }
        if !matches!(opcode, 8 | 19) {
            cx.next_argument();
            cx.dec(count);
        }
        return;
    }
    if matches!(opcode, 8 | 19) {
        let done = !cx.failed();
        if opcode == 8 {
            if done { cx.uring_probe(arg, count) } else { cx.addr(arg) }
        } else if done && cx.is_readable(arg) {
            cx.text(" => ");
            cx.uring_workers(arg);
        }
        cx.next_argument();
        cx.dec(count);
    }
}

impl Cx<'_> {
    fn uring_probe(&mut self, addr: u64, count: u64) {
        let mut b = [0u8; 16];
        if !self.fetch(addr, &mut b) {
            return self.addr(addr);
        }
        self.uring_probe_head(&b);
        let known = u64::from(b[1]).min(count);
        self.array::<8>(addr.wrapping_add(16), known, |cx, b| cx.fields(&PROBE_OP, b));
        self.out.push(b'}');
    }

    fn uring_probe_head(&mut self, b: &[u8; 16]) {
        self.text("{last_op=");
        self.name(&sets::IO_URING_OP, u64::from(b[0]));
        self.text(", ops_len=");
        self.dec(u64::from(b[1]));
        if u16_at(b, 2) != 0 {
            self.text(", resv=");
            self.hex(u64::from(u16_at(b, 2)));
        }
        if b[4..].iter().any(|b| *b != 0) {
            self.text(", resv2=");
            self.list(3, |cx, i| {
                cx.hex(u64::from(u32_at(b, 4 + 4 * i as usize)));
                true
            });
        }
        self.text(", ops=");
    }

    fn uring_restriction(&mut self, b: &[u8; 16]) {
        self.text("{opcode=");
        let opcode = u16_at(b, 0);
        self.name(&sets::IO_URING_RESTRICTION, u64::from(opcode));
        match opcode {
            0 => {
                self.text(", register_op=");
                self.name(&sets::IO_URING_REGISTER, u64::from(b[2]));
            }
            1 => {
                self.text(", sqe_op=");
                self.name(&sets::IO_URING_OP, u64::from(b[2]));
            }
            2 | 3 => {
                self.text(", sqe_flags=");
                self.flags(&sets::IOSQE, u64::from(b[2]));
            }
            _ => {
                self.text(" /* op: ");
                self.hex(u64::from(b[2]));
                self.text(" */");
            }
        }
        if b[3] != 0 {
            self.text(", resv=");
            self.hex(u64::from(b[3]));
        }
        if b[4..].iter().any(|b| *b != 0) {
            self.text(", resv2=");
            self.list(3, |cx, i| {
                cx.hex(u64::from(u32_at(b, 4 + 4 * i as usize)));
                true
            });
        }
        self.out.push(b'}');
    }

    fn uring_workers(&mut self, addr: u64) {
        let mut b = [0u8; 8];
        if !self.fetch(addr, &mut b) {
            return self.addr(addr);
        }
        self.text("[[IO_WQ_BOUND]=");
        self.dec(u64::from(u32_at(&b, 0)));
        self.text(", [IO_WQ_UNBOUND]=");
        self.dec(u64::from(u32_at(&b, 4)));
        self.out.push(b']');
    }

    /// A struct iocb; with the data of a write, if the call knows what it will do.
    fn iocb(&mut self, b: &[u8; 64], with_data: bool) {
        let opcode = u16_at(b, 16);
        self.out.push(b'{');
        self.text("aio_data=");
        self.hex(u64_at(b, 0));
        self.text(", ");
        if u32_at(b, 8) != 0 {
            self.text("aio_key=");
            self.dec(u64::from(u32_at(b, 8)));
            self.text(", ");
        }
        if u32_at(b, 12) != 0 {
            self.text("aio_rw_flags=");
            self.flags(&sets::RWF, u64::from(u32_at(b, 12)));
            self.text(", ");
        }
        self.text("aio_lio_opcode=");
        self.name(&sets::IOCB_CMD, u64::from(opcode));
        if u16_at(b, 18) != 0 {
            self.text(", aio_reqprio=");
            self.sdec(i64::from(u16_at(b, 18) as i16));
        }
        self.text(", aio_fildes=");
        self.fd(u32_at(b, 20) as i32);
        if with_data {
            self.iocb_data(b, opcode);
        }
        self.out.push(b'}');
    }

    fn iocb_data(&mut self, b: &[u8; 64], opcode: u16) {
        let (buf, len, offset) = (u64_at(b, 24), u64_at(b, 32), u64_at(b, 40));
        if !matches!(opcode, 0 | 1 | 7 | 8) || buf == 0 {
            return;
        }
        self.text(", aio_buf=");
        match opcode {
            1 => self.bytes(buf, len, Quote::Escape),
            8 => self.iovecs(buf, len, Some(u64::MAX)),
            _ => self.addr(buf),
        }
        self.text(", aio_nbytes=");
        self.dec(len);
        self.text(", aio_offset=");
        self.sdec(offset as i64);
        if u32_at(b, 56) & 1 != 0 {
            self.text(", aio_resfd=");
            self.fd(u32_at(b, 60) as i32);
        }
    }

    /// A struct iocb that only names a request.
    pub(super) fn iocb_at(&mut self, addr: u64) {
        if let Some(b) = self.fetch_or_addr::<64>(addr) {
            self.iocb(&b, false);
        }
    }

    /// Pointers to structs iocb.
    pub(super) fn iocbs(&mut self, addr: u64, count: u64) {
        self.array::<8>(addr, count, |cx, b| {
            if let Some(b) = cx.fetch_or_addr::<64>(u64::from_le_bytes(*b)) {
                cx.iocb(&b, true);
            }
        });
    }
}
