//! Scheduling attributes, file handles, seccomp filters, Landlock, the mount interface, segment descriptors.

use super::layout::{Kind, Layout, f, layout};
use super::{Cx, u16_at, u32_at, u64_at};
use crate::syscalls::sets;
use crate::trace::buf::{self, Quote};

/// SCHED_FLAG_KEEP_POLICY: the policy is not looked at.
const KEEP_POLICY: u8 = 8;

static SCHED_ATTR: Layout = layout(
    56,
    &[
        f("size", 0, Kind::U32),
        f("sched_policy", 4, Kind::Enum32(&sets::SCHED)),
        f("sched_flags", 8, Kind::Flags64(&sets::SCHED_FLAG)),
        f("sched_nice", 16, Kind::I32),
        f("sched_priority", 20, Kind::U32),
        f("sched_runtime", 24, Kind::U64),
        f("sched_deadline", 32, Kind::U64),
        f("sched_period", 40, Kind::U64),
        f("sched_util_min", 48, Kind::U32),
        f("sched_util_max", 52, Kind::U32),
    ],
);
static SCHED_ATTR_KEEPING: Layout = layout(
    56,
    &[
        f("size", 0, Kind::U32),
        f("sched_flags", 8, Kind::Flags64(&sets::SCHED_FLAG)),
        f("sched_nice", 16, Kind::I32),
        f("sched_priority", 20, Kind::U32),
        f("sched_runtime", 24, Kind::U64),
        f("sched_deadline", 32, Kind::U64),
        f("sched_period", 40, Kind::U64),
        f("sched_util_min", 48, Kind::U32),
        f("sched_util_max", 52, Kind::U32),
    ],
);
static OPEN_HOW: Layout = layout(
    24,
    &[
        f("flags", 0, Kind::Flags64(&sets::OPEN)),
        f("mode", 8, Kind::IfSet(8, &Kind::Mode64)),
        f("resolve", 16, Kind::Flags64(&sets::RESOLVE)),
    ],
);
static MOUNT_ATTR: Layout = layout(
    32,
    &[
        f("attr_set", 0, Kind::Flags64(&sets::MOUNT_ATTR)),
        f("attr_clr", 8, Kind::Flags64(&sets::MOUNT_ATTR)),
        f("propagation", 16, Kind::Enum64(&sets::MOUNT_PROPAGATION)),
        f("userns_fd", 24, Kind::U64),
    ],
);
static LANDLOCK_RULESET: Layout = layout(8, &[f("handled_access_fs", 0, Kind::Flags64(&sets::LANDLOCK_ACCESS_FS))]);
pub(super) static LANDLOCK_PATH: Layout =
    layout(12, &[f("allowed_access", 0, Kind::Flags64(&sets::LANDLOCK_ACCESS_FS)), f("parent_fd", 8, Kind::Fd)]);

/// mount_setattr(2).
pub(super) fn mount_setattr(cx: &mut Cx<'_>, entering: bool) {
    if !entering {
        return;
    }
    let [fd, path, flags, attr, size, _] = cx.args;
    cx.dirfd(fd as i32);
    cx.next_argument();
    cx.path(path);
    cx.next_argument();
    cx.flags(&sets::MOUNT_SETATTR, flags & 0xffff_ffff);
    cx.next_argument();
    cx.how(&MOUNT_ATTR, attr, size);
    cx.next_argument();
    cx.dec(size);
}

/// openat2(2).
pub(super) fn openat2(cx: &mut Cx<'_>, entering: bool) {
    if !entering {
        return;
    }
    let [fd, path, how, size, ..] = cx.args;
    cx.dirfd(fd as i32);
    cx.next_argument();
    cx.path(path);
    cx.next_argument();
    cx.how(&OPEN_HOW, how, size);
    cx.next_argument();
    cx.dec(size);
}

/// landlock_create_ruleset(2).
pub(super) fn landlock_create_ruleset(cx: &mut Cx<'_>, entering: bool) {
    if !entering {
        return;
    }
    let [attr, size, flags, ..] = cx.args;
    if attr == 0 {
        cx.text("NULL");
    } else if flags & 1 != 0 {
        cx.addr(attr);
    } else {
        cx.landlock_ruleset(attr, size);
    }
    cx.next_argument();
    cx.dec(size);
    cx.next_argument();
    cx.flags(&sets::LANDLOCK_CREATE, flags & 0xffff_ffff);
}

/// sched_setattr(2) and sched_getattr(2), which gives the size that the struct has.
pub(super) fn sched_setattr(cx: &mut Cx<'_>, entering: bool) {
    let [pid, attr, flags, ..] = cx.args;
    if entering {
        cx.pid(pid as i32);
        cx.next_argument();
        let mut b = [0u8; 4];
        if cx.fetch(attr, &mut b) {
            let told = u64::from(u32::from_le_bytes(b));
            let size = if told == 0 { 48 } else { told.max(4) };
            let mut flags = [0u8; 8];
            let keeps = size >= 16 && cx.fetch(attr.wrapping_add(8), &mut flags) && flags[0] & KEEP_POLICY != 0;
            if cx.sched_attr(if keeps { &SCHED_ATTR_KEEPING } else { &SCHED_ATTR }, attr, size) {
                cx.grown(attr, 56, size);
                cx.out.push(b'}');
            } else {
                cx.addr(attr);
            }
        } else {
            cx.addr(attr);
        }
        cx.next_argument();
        cx.dec(flags & 0xffff_ffff);
    }
}

/// sched_getattr(2).
pub(super) fn sched_getattr(cx: &mut Cx<'_>, entering: bool) {
    let [pid, attr, size, flags, ..] = cx.args;
    if entering {
        cx.pid(pid as i32);
        return cx.next_argument();
    }
    let mut b = [0u8; 4];
    if !cx.failed() && size & 0xffff_ffff != 0 && cx.fetch(attr, &mut b) {
        let told = u64::from(u32::from_le_bytes(b));
        // What is behind the members that are known is not looked at.
        if cx.sched_attr(&SCHED_ATTR, attr, told.min(size & 0xffff_ffff).max(4)) {
            cx.out.push(b'}');
        } else {
            cx.addr(attr);
        }
    } else {
        cx.addr(attr);
    }
    cx.next_argument();
    cx.dec(size & 0xffff_ffff);
    cx.next_argument();
    cx.dec(flags & 0xffff_ffff);
}

impl Cx<'_> {
    /// A struct sched_attr of this size without its end; `false` if it cannot be read.
    fn sched_attr(&mut self, layout: &Layout, addr: u64, size: u64) -> bool {
        let mut b = [0u8; 56];
        let shown = size.min(56) as usize;
        if !self.fetch(addr, &mut b[..shown]) {
            return false;
        }
        self.out.push(b'{');
        // What the caller leaves out counts as 0.
        let told = u32_at(&b, 0);
        self.members(layout, if size < 48 && told >= 4 { &b[..48] } else { &b[..shown] });
        true
    }

    /// A struct that has to be whole; of what lies behind it, the bytes.
    fn how(&mut self, layout: &Layout, addr: u64, size: u64) {
        let mut b = [0u8; 32];
        let known = layout.size;
        if size < known as u64 || !self.fetch(addr, &mut b[..known]) {
            return self.addr(addr);
        }
        self.out.push(b'{');
        self.members(layout, &b[..known]);
        self.excess(addr, known as u64, size);
        self.out.push(b'}');
    }

    /// `, /* bytes 24..31 */ "\x01..."` for bytes that the known struct does not have.
    pub(super) fn excess(&mut self, addr: u64, from: u64, size: u64) {
        let len = size.saturating_sub(from);
        let mut rest = vec![0u8; len.min(4096) as usize];
        if len == 0 || !self.fetch(addr.wrapping_add(from), &mut rest) || rest.iter().all(|b| *b == 0) {
            return;
        }
        let comment = format!(", /* bytes {from}..{} */ ", size - 1);
        self.text(&comment);
        self.bytes(addr.wrapping_add(from), len, Quote::Hex);
    }

    fn landlock_ruleset(&mut self, addr: u64, size: u64) {
        let mut b = [0u8; 8];
        if size < 8 || !self.fetch(addr, &mut b) {
            return self.addr(addr);
        }
        self.out.push(b'{');
        self.members(&LANDLOCK_RULESET, &b);
        self.text(if size > 8 { ", ...}" } else { "}" });
    }

    /// A struct file_handle.
    pub(super) fn file_handle(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<8>(addr) else { return };
        let bytes = u32_at(&b, 0);
        self.text("{handle_bytes=");
        self.dec(u64::from(bytes));
        self.text(", handle_type=");
        self.sdec(i64::from(u32_at(&b, 4) as i32));
        self.text(", f_handle=");
        self.handle_bytes(addr.wrapping_add(8), bytes);
        self.out.push(b'}');
    }

    fn handle_bytes(&mut self, addr: u64, told: u32) {
        const MAX_HANDLE: u32 = 128;
        let mut bytes = vec![0u8; told.min(MAX_HANDLE) as usize];
        if !bytes.is_empty() && !self.fetch(addr, &mut bytes) {
            return self.addr(addr);
        }
        buf::quoted(self.out, &bytes, Quote::Hex);
        if told > MAX_HANDLE {
            self.text("...");
        }
    }

    /// A struct sock_fprog: a program for packets or for seccomp(2).
    pub(super) fn filter_program(&mut self, addr: u64, of_seccomp: bool) {
        let Some(b) = self.fetch_or_addr::<16>(addr) else { return };
        let (len, filter) = (u16_at(&b, 0), u64_at(&b, 8));
        self.text("{len=");
        self.dec(u64::from(len));
        self.text(", filter=");
        if self.style.verbose && len <= 4096 {
            self.array::<8>(filter, u64::from(len), |cx, b| cx.filter_statement(b, of_seccomp));
        } else {
            self.addr(filter);
        }
        self.out.push(b'}');
    }

    /// An instruction of the classic filter machine (bpf(4)).
    fn filter_statement(&mut self, b: &[u8; 8], of_seccomp: bool) {
        let (code, jt, jf, k) = (u16_at(b, 0), b[2], b[3], u32_at(b, 4));
        let jump = code & 7 == 5;
        self.text(if jump { "BPF_JUMP(" } else { "BPF_STMT(" });
        self.filter_code(code);
        self.text(", ");
        if of_seccomp && code == 6 {
            self.flags(&sets::SECCOMP_RET, u64::from(k & 0xffff_0000));
            if k & 0xffff != 0 {
                self.out.push(b'|');
                self.hex(u64::from(k & 0xffff));
            }
        } else {
            self.hex(u64::from(k));
        }
        if jump {
            for to in [jt, jf] {
                self.text(", ");
                self.hex(u64::from(to));
            }
        }
        self.out.push(b')');
    }

    fn filter_code(&mut self, code: u16) {
        const CLASSES: [&str; 8] =
            ["BPF_LD", "BPF_LDX", "BPF_ST", "BPF_STX", "BPF_ALU", "BPF_JMP", "BPF_RET", "BPF_MISC"];
        const SIZES: [&str; 4] = ["BPF_W", "BPF_H", "BPF_B", "BPF_DW"];
        const MODES: [&str; 8] =
            ["BPF_IMM", "BPF_ABS", "BPF_IND", "BPF_MEM", "BPF_LEN", "BPF_MSH", "BPF_XADD", "0xe0 /* BPF_??? */"];
        const ALU: [&str; 11] = [
            "BPF_ADD", "BPF_SUB", "BPF_MUL", "BPF_DIV", "BPF_OR", "BPF_AND", "BPF_LSH", "BPF_RSH", "BPF_NEG",
            "BPF_MOD", "BPF_XOR",
        ];
        const JUMPS: [&str; 5] = ["BPF_JA", "BPF_JEQ", "BPF_JGT", "BPF_JGE", "BPF_JSET"];
        let class = usize::from(code & 7);
        self.text(CLASSES[class]);
        let operation = usize::from(code >> 4 & 0xf);
        let named = match class {
            0 | 1 => {
                self.out.push(b'|');
                self.text(SIZES[usize::from(code >> 3 & 3)]);
                self.out.push(b'|');
                return self.text(MODES[usize::from(code >> 5 & 7)]);
            }
            4 => ALU.get(operation),
            5 => JUMPS.get(operation),
            6 => {
                self.out.push(b'|');
                return self.text(match code & 0x18 {
                    0 => "BPF_K",
                    8 => "BPF_X",
                    0x10 => "BPF_A",
                    _ => "0x18 /* BPF_??? */",
                });
            }
            7 => {
                self.out.push(b'|');
                return match code & 0xf8 {
                    0 => self.text("BPF_TAX"),
                    0x80 => self.text("BPF_TXA"),
                    other => buf::unknown(self.out, u64::from(other), "BPF_???"),
                };
            }
            _ => None,
        };
        let rest = match (class, named) {
            (4 | 5, _) => {
                self.out.push(b'|');
                self.text(if code & 8 != 0 { "BPF_X" } else { "BPF_K" });
                code & 0xf0
            }
            _ => code & 0xfff8,
        };
        if class >= 4 || rest != 0 {
            self.out.push(b'|');
            match named {
                Some(name) => self.text(name),
                None => buf::unknown(self.out, u64::from(rest), "BPF_???"),
            }
        }
    }

    /// A struct user_desc (asm/ldt.h).
    pub(super) fn user_desc(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<16>(addr) else { return };
        let bits = u32_at(&b, 12);
        let text = format!(
            "{{entry_number={}, base_addr={}, limit={}",
            u32_at(&b, 0) as i32,
            padded(u32_at(&b, 4)),
            padded(u32_at(&b, 8))
        );
        self.text(&text);
        for (name, at, width) in [
            ("seg_32bit", 0, 1),
            ("contents", 1, 2),
            ("read_exec_only", 3, 1),
            ("limit_in_pages", 4, 1),
            ("seg_not_present", 5, 1),
            ("useable", 6, 1),
            ("lm", 7, 1),
        ] {
            self.text(", ");
            self.text(name);
            self.out.push(b'=');
            self.dec(u64::from(bits >> at & ((1 << width) - 1)));
        }
        self.out.push(b'}');
    }
}

/// As C's `%#08x` has it.
fn padded(value: u32) -> String {
    if value == 0 { "00000000".to_string() } else { format!("{value:#08x}") }
}
