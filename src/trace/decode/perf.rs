//! perf_event_open(2): struct perf_event_attr (include/uapi/linux/perf_event.h).

use super::{Cx, u32_at, u64_at};
use crate::syscalls::sets;

/// The bits behind `read_format`, from the lowest on, with their widths.
const BITS: &[(&str, u32)] = &[
    ("disabled", 1),
    ("inherit", 1),
    ("pinned", 1),
    ("exclusive", 1),
    ("exclude_user", 1),
    ("exclude_kernel", 1),
    ("exclude_hv", 1),
    ("exclude_idle", 1),
    ("mmap", 1),
    ("comm", 1),
    ("freq", 1),
    ("inherit_stat", 1),
    ("enable_on_exec", 1),
    ("task", 1),
    ("watermark", 1),
    ("precise_ip", 2),
    ("mmap_data", 1),
    ("sample_id_all", 1),
    ("exclude_host", 1),
    ("exclude_guest", 1),
    ("exclude_callchain_kernel", 1),
    ("exclude_callchain_user", 1),
    ("mmap2", 1),
    ("comm_exec", 1),
    ("use_clockid", 1),
    ("context_switch", 1),
    ("write_backward", 1),
    ("namespaces", 1),
    ("ksymbol", 1),
    ("bpf_event", 1),
    ("aux_output", 1),
    ("cgroup", 1),
    ("text_poke", 1),
    ("build_id", 1),
    ("inherit_thread", 1),
    ("remove_on_exec", 1),
    ("sigtrap", 1),
];

const SKIDS: [&str; 4] = ["arbitrary skid", "constant skid", "requested to have 0 skid", "must have 0 skid"];

/// The size of the first version of the struct, and of the one known here.
const FIRST: u64 = 64;
const KNOWN: usize = 128;

/// perf_event_open(2).
pub(super) fn perf_event_open(cx: &mut Cx<'_>, entering: bool) {
    if !entering {
        return;
    }
    let [attr, pid, cpu, group, flags, _] = cx.args;
    cx.perf_attr(attr);
    cx.next_argument();
    cx.pid(pid as i32);
    cx.next_argument();
    cx.sdec(i64::from(cpu as i32));
    cx.next_argument();
    cx.fd(group as i32);
    cx.next_argument();
    cx.flags(&sets::PERF_EVENT_OPEN, flags);
}

impl Cx<'_> {
    /// A struct perf_event_attr.
    pub(super) fn perf_attr(&mut self, addr: u64) {
        let mut head = [0u8; 8];
        let mut b = [0u8; KNOWN];
        if !self.fetch(addr, &mut head) {
            return self.addr(addr);
        }
        let told = u64::from(u32_at(&head, 4));
        let size = if told == 0 { FIRST } else { told };
        let shown = size.min(KNOWN as u64) as usize;
        if size < FIRST || !self.fetch(addr, &mut b[..shown]) {
            return self.addr(addr);
        }
        self.text("{type=");
        let kind = u64::from(u32_at(&b, 0));
        self.name(&sets::PERF_TYPE, kind);
        self.text(", size=");
        self.name(&sets::PERF_SIZE, told);
        self.text(", config=");
        self.perf_config(kind, u64_at(&b, 8));
        let bits = u64_at(&b, 40);
        // Either a frequency or a period, by one of the bits.
        self.text(if bits >> 10 & 1 != 0 { ", sample_freq=" } else { ", sample_period=" });
        self.dec(u64_at(&b, 16));
        self.text(", sample_type=");
        self.flags(&sets::PERF_SAMPLE, u64_at(&b, 24));
        self.text(", read_format=");
        self.flags(&sets::PERF_READ, u64_at(&b, 32));
        if self.style.verbose {
            self.perf_rest(&b, bits, shown, addr, size)
        } else {
            self.perf_brief(bits)
        }
        self.out.push(b'}');
    }

    fn perf_config(&mut self, kind: u64, config: u64) {
        let (low, high) = (config & 0xffff_ffff, config >> 32);
        match kind {
            0 | 3 if high != 0 => {
                self.hex(high);
                self.text("<<32|");
            }
            _ => {}
        }
        match kind {
            0 => self.name(&sets::PERF_HW, low),
            1 => self.name(&sets::PERF_SW, config),
            2 => self.dec(config),
            3 => {
                let rest = low >> 24;
                if rest != 0 {
                    self.hex(rest);
                    self.text("<<24|");
                }
                self.name(&sets::PERF_CACHE_RESULT, low >> 16 & 0xff);
                self.text("<<16|");
                self.name(&sets::PERF_CACHE_OP, low >> 8 & 0xff);
                self.text("<<8|");
                self.name(&sets::PERF_CACHE, low & 0xff);
            }
            _ => self.hex(config),
        }
    }

    fn perf_skid(&mut self, value: u64) {
        self.text(", precise_ip=");
        self.dec(value);
        self.text(" /* ");
        self.text(SKIDS[(value & 3) as usize]);
        self.text(" */");
    }

    /// The bit fields whose values are to be shown, `precise_ip`, and bits without a name.
    fn perf_bits(&mut self, bits: u64, shown: impl Fn(u64) -> bool) {
        let mut at = 0;
        for (name, width) in BITS {
            let value = bits >> at & ((1 << width) - 1);
            at += width;
            if *name == "precise_ip" {
                self.perf_skid(value);
            } else if shown(value) {
                self.text(", ");
                self.text(name);
                self.out.push(b'=');
                self.dec(value);
            }
        }
        if bits >> at != 0 {
            self.text(", __reserved_1=");
            self.hex(bits >> at);
            self.text(" /* Bits 63..38 */");
        }
    }

    /// The bits that are set, and what the rest is hidden behind.
    fn perf_brief(&mut self, bits: u64) {
        self.perf_bits(bits, |value| value != 0);
        self.text(", ...");
    }

    fn perf_rest(&mut self, b: &[u8; KNOWN], bits: u64, shown: usize, addr: u64, size: u64) {
        self.perf_bits(bits, |_| true);
        let watermark = bits >> 14 & 1 != 0;
        self.text(if watermark { ", wakeup_watermark=" } else { ", wakeup_events=" });
        self.dec(u64::from(u32_at(b, 48)));
        let breakpoint = u32_at(b, 0) == 5;
        if breakpoint {
            self.text(", bp_type=");
            self.perf_breakpoint(u32_at(b, 52));
        }
        self.text(if breakpoint { ", bp_addr=" } else { ", config1=" });
        self.hex(u64_at(b, 56));
        if shown >= 72 {
            if breakpoint {
                self.text(", bp_len=");
                self.dec(u64_at(b, 64));
            } else {
                self.text(", config2=");
                self.hex(u64_at(b, 64));
            }
        }
        if shown >= 80 && u64_at(b, 24) & 0x800 != 0 {
            self.text(", branch_sample_type=");
            self.flags(&sets::PERF_BRANCH, u64_at(b, 72));
        }
        if shown >= 88 {
            self.text(", sample_regs_user=");
            self.hex(u64_at(b, 80));
        }
        if shown >= 96 && u64_at(b, 24) & 0x2000 != 0 {
            self.text(", sample_stack_user=");
            self.hex(u64::from(u32_at(b, 88)));
        }
        if shown >= 96 && bits >> 25 & 1 != 0 {
            self.text(", clockid=");
            self.name(&sets::CLOCKID, u64::from(u32_at(b, 92)));
        }
        if shown >= 104 {
            self.text(", sample_regs_intr=");
            self.hex(u64_at(b, 96));
        }
        if shown >= 112 {
            self.text(", aux_watermark=");
            self.dec(u64::from(u32_at(b, 104)));
            self.text(", sample_max_stack=");
            self.dec(u64::from(u32_at(b, 108) & 0xffff));
        }
        self.grown(addr, shown as u64, size);
    }

    fn perf_breakpoint(&mut self, kind: u32) {
        match kind {
            0 => self.text("HW_BREAKPOINT_EMPTY"),
            1 => self.text("HW_BREAKPOINT_R"),
            2 => self.text("HW_BREAKPOINT_W"),
            3 => self.text("HW_BREAKPOINT_R|HW_BREAKPOINT_W"),
            4 => self.text("HW_BREAKPOINT_X"),
            other => {
                self.hex(u64::from(other));
                self.text(" /* HW_BREAKPOINT_??? */");
            }
        }
    }
}
