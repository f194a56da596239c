//! Terminal settings (termios(3)).

use super::layout::{Brief, Kind, Layout, f};
use super::{Cx, u32_at};
use crate::syscalls::{Set, sets};
use crate::trace::buf::{self, Quote};

static WINSIZE: Layout = Layout {
    size: 8,
    fields: &[
        f("ws_row", 0, Kind::U16),
        f("ws_col", 2, Kind::U16),
        f("ws_xpixel", 4, Kind::U16),
        f("ws_ypixel", 6, Kind::U16),
    ],
    brief: Brief::All,
};

impl Cx<'_> {
    /// A struct winsize.
    pub(super) fn winsize(&mut self, addr: u64) {
        self.layout(&WINSIZE, addr);
    }

    /// The kernel's struct termios: 19 control characters, no speeds.
    pub(super) fn termios(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<36>(addr) else { return };
        if !self.terminal_modes([0, 4, 8, 12].map(|at| u64::from(u32_at(&b, at))), b[16]) {
            return;
        }
        self.list(19, |cx, i| {
            cx.out.push(b'[');
            match sets::C_CC.name_of(cx.arch, i) {
                Some(name) => cx.text(name),
                None => cx.dec(i),
            }
            cx.text("]=");
            cx.hex(u64::from(b[17 + i as usize]));
            true
        });
        self.out.push(b'}');
    }

    /// System V's struct termio: flags of 16 bits, 8 control characters.
    pub(super) fn termio(&mut self, addr: u64) {
        let Some(b) = self.fetch_or_addr::<18>(addr) else { return };
        if !self.terminal_modes([0, 2, 4, 6].map(|at| u64::from(super::u16_at(&b, at))), b[8]) {
            return;
        }
        buf::quoted(self.out, &b[9..17], Quote::Hex);
        self.out.push(b'}');
    }

    /// What a struct begins with: the four sets of modes, the line discipline. Whether its control characters are shown behind.
    fn terminal_modes(&mut self, [iflag, oflag, cflag, lflag]: [u64; 4], line: u8) -> bool {
        self.text("{c_iflag=");
        self.terminal_flags(&sets::C_IFLAG, iflag);
        self.text(", c_oflag=");
        self.output_modes(oflag);
        self.text(", c_cflag=");
        self.control_modes(cflag);
        self.text(", c_lflag=");
        self.terminal_flags(&sets::C_LFLAG, lflag);
        if !self.style.verbose {
            self.text(", ...}");
            return false;
        }
        self.text(", c_line=");
        self.name(&sets::LINE_DISCIPLINE, u64::from(line));
        self.text(", c_cc=");
        true
    }

    /// Flags of which strace shows nothing when there are none.
    fn terminal_flags(&mut self, set: &Set, value: u64) {
        if value != 0 {
            self.flags(set, value);
        }
    }

    /// Delays, each an enumeration, then the bits.
    fn output_modes(&mut self, value: u64) {
        let mut left = value;
        for (set, mask) in [
            (&sets::C_OFLAG_NL, 0o400),
            (&sets::C_OFLAG_CR, 0o3000),
            (&sets::C_OFLAG_TAB, 0o14_000),
            (&sets::C_OFLAG_BS, 0o20_000),
            (&sets::C_OFLAG_VT, 0o40_000),
            (&sets::C_OFLAG_FF, 0o100_000),
        ] {
            if mask != 0o400 {
                self.out.push(b'|');
            }
            self.name(set, value & mask);
            left &= !mask;
        }
        // strace leaves the separator when no bit is set.
        self.out.push(b'|');
        if left != 0 {
            self.flags(&sets::C_OFLAG, left);
        }
    }

    /// Speed and character size, then the bits.
    fn control_modes(&mut self, value: u64) {
        const SPEED: u64 = 0o10_017;
        const INPUT_SPEED: u64 = SPEED << 16;
        const SIZE: u64 = 0o60;
        self.name(&sets::BAUD, value & SPEED);
        if value & INPUT_SPEED != 0 {
            self.out.push(b'|');
            self.name(&sets::BAUD, (value & INPUT_SPEED) >> 16);
            self.text("<<IBSHIFT");
        }
        self.out.push(b'|');
        self.name(&sets::C_CFLAG_SIZE, value & SIZE);
        let left = value & !(SPEED | INPUT_SPEED | SIZE);
        self.out.push(b'|');
        if left != 0 {
            self.flags(&sets::C_CFLAG, left);
        }
    }
}
