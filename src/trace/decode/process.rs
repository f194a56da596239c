//! Processes: wait statuses, CPU sets, capabilities, argument vectors.

use super::{Cx, u32_at, u64_at};
use crate::syscalls::sets;
use crate::trace::buf;

impl Cx<'_> {
    /// The status of wait4(2), by the macros that take it apart.
    pub(super) fn wait_status(&mut self, addr: u64) {
        // Nothing was waited for: nothing was written.
        if self.value() == 0 {
            return self.addr(addr);
        }
        let Some(b) = self.fetch_or_addr::<4>(addr) else { return };
        let status = u32::from_le_bytes(b);
        self.text("[{");
        let (low, high) = (status & 0x7f, status >> 8 & 0xff);
        let mut rest = status & !0xffff;
        if status & 0xffff == 0xffff {
            self.text("WIFCONTINUED(s)");
        } else if status & 0xff == 0x7f {
            self.text("WIFSTOPPED(s) && WSTOPSIG(s) == ");
            self.signal(high);
        } else if low == 0 {
            self.text("WIFEXITED(s) && WEXITSTATUS(s) == ");
            self.dec(u64::from(high));
            rest |= status & 0x80;
        } else {
            self.text("WIFSIGNALED(s) && WTERMSIG(s) == ");
            self.signal(low);
            if status & 0x80 != 0 {
                self.text(" && WCOREDUMP(s)");
            }
        }
        if rest != 0 {
            self.text(" | ");
            self.hex(u64::from(rest));
        }
        self.text("}]");
    }

    /// A CPU set of `len` bytes: `[0 1]`.
    pub(super) fn cpuset(&mut self, addr: u64, len: u64) {
        let mut bytes = vec![0u8; len.min(4096) as usize];
        if self.failed() || !bytes.is_empty() && !self.fetch(addr, &mut bytes) {
            return self.addr(addr);
        }
        self.out.push(b'[');
        let mut first = true;
        for cpu in (0..bytes.len() * 8).filter(|c| bytes[c / 8] >> (c % 8) & 1 != 0) {
            if !std::mem::take(&mut first) {
                self.out.push(b' ');
            }
            self.dec(cpu as u64);
        }
        self.out.push(b']');
    }

    /// The operation and the comparison of FUTEX_WAKE_OP.
    pub(super) fn futex_op(&mut self, value: u32) {
        const OPERATIONS: [&str; 5] = ["SET", "ADD", "OR", "ANDN", "XOR"];
        const COMPARISONS: [&str; 6] = ["EQ", "NE", "LT", "LE", "GT", "GE"];
        let named = |cx: &mut Self, names: &[&str], prefix: &str, number: u32| match names.get(number as usize) {
            Some(name) => {
                cx.text(prefix);
                cx.text(name);
            }
            None => cx.hex(u64::from(number)),
        };
        let comment = |cx: &mut Self, names: &[&str], comment: &str, number: u32| {
            if number as usize >= names.len() {
                cx.text(comment);
            }
        };
        if value >> 28 & 8 != 0 {
            self.text("FUTEX_OP_OPARG_SHIFT<<28|");
        }
        named(self, &OPERATIONS, "FUTEX_OP_", value >> 28 & 7);
        self.text("<<28");
        comment(self, &OPERATIONS, " /* FUTEX_OP_??? */", value >> 28 & 7);
        self.out.push(b'|');
        self.hex(u64::from(value >> 12 & 0xfff));
        self.text("<<12|");
        named(self, &COMPARISONS, "FUTEX_OP_CMP_", value >> 24 & 0xf);
        self.text("<<24");
        comment(self, &COMPARISONS, " /* FUTEX_OP_CMP_??? */", value >> 24 & 0xf);
        self.out.push(b'|');
        self.hex(u64::from(value & 0xfff));
    }

    /// The operation of futex(2): only waiting takes the flag of a clock along.
    pub(super) fn futex_command(&mut self, op: u32) {
        const CLOCK_REALTIME: u32 = 0x100;
        let waits = matches!(op & 0x7f, 0 | 9 | 11);
        if op <= 0xff || waits && op & !0xff == CLOCK_REALTIME {
            return self.flags(&sets::FUTEX, u64::from(op));
        }
        self.constant(u64::from(op), buf::hex, |out| buf::unknown(out, u64::from(op), sets::FUTEX.prefix));
    }

    /// What capset(2) takes: three sets, in one or two halves by the header's version.
    pub(super) fn cap_data(&mut self, addr: u64) {
        let mut header = [0u8; 4];
        let two = self.fetch(self.args[0], &mut header) && u32::from_le_bytes(header) != 0x1998_0330;
        let mut b = [0u8; 24];
        let n = if two { 24 } else { 12 };
        if self.failed() || !self.fetch(addr, &mut b[..n]) {
            return self.addr(addr);
        }
        self.out.push(b'{');
        for (i, name) in ["effective", "permitted", "inheritable"].into_iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            self.text(name);
            self.out.push(b'=');
            self.capabilities(u64::from(u32_at(&b, 4 * i)) | u64::from(u32_at(&b, 12 + 4 * i)) << 32);
        }
        self.out.push(b'}');
    }

    fn capabilities(&mut self, bits: u64) {
        let start = self.out.len();
        let mut left = bits;
        for c in sets::CAP.consts {
            let Some(n) = c.value[0] else { continue };
            if n < 64 && bits >> n & 1 != 0 {
                buf::separate(self.out, start);
                // strace shifts by the number where a set has more than 32 bits, and prints plain names.
                self.text("1<<");
                self.text(c.name());
                left &= !(1 << n);
            }
        }
        if left != 0 || bits == 0 {
            buf::separate(self.out, start);
            self.hex(left);
        }
    }

    /// `argv`, or an environment in full: an array of strings that ends with NULL.
    pub(super) fn strings(&mut self, addr: u64) {
        if addr == 0 {
            return self.text("NULL");
        }
        let mut word = [0u8; 8];
        if !self.fetch(addr, &mut word) {
            return self.addr(addr);
        }
        self.out.push(b'[');
        for i in 0.. {
            let at = addr.wrapping_add(8 * i);
            if !self.fetch(at, &mut word) {
                self.text(if i > 0 { ", ... /* " } else { "... /* " });
                self.addr(at);
                self.text(" */");
                break;
            }
            let string = u64::from_le_bytes(word);
            if string == 0 {
                break;
            }
            if i > 0 {
                self.text(", ");
            }
            if !self.style.verbose && i >= self.style.limit as u64 {
                self.text("...");
                break;
            }
            self.string(string, self.style.limit);
        }
        self.out.push(b']');
    }

    /// An environment by its length: `0x7ffc... /* 35 vars */`.
    pub(super) fn string_count(&mut self, addr: u64) {
        self.addr(addr);
        if addr == 0 {
            return;
        }
        let mut word = [0u8; 8];
        let mut count = 0u64;
        let terminated = loop {
            if !self.fetch(addr.wrapping_add(8 * count), &mut word) {
                break false;
            }
            if u64_at(&word, 0) == 0 {
                break true;
            }
            count += 1;
        };
        if count == 0 && !terminated {
            return;
        }
        self.text(" /* ");
        self.dec(count);
        self.text(if count == 1 { " var" } else { " vars" });
        self.text(if terminated { " */" } else { ", unterminated */" });
    }
}
