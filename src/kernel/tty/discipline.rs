//! The line discipline N_TTY (termios(3), `drivers/tty/n_tty.c` of Linux): what becomes of what is typed.
//!
//! Knows no processes and no descriptors: signals that keys make are left in [`Discipline::signals`] for the terminal
//! to send.

mod erase;

use super::output::Output;
use crate::abi::consts::{c_cc as cc, c_iflag as i, c_lflag as l};
use crate::abi::{Signal, Termios, Termios2};
use erase::Erase;
use std::collections::VecDeque;

/// Bytes that can wait to be read, one more than a line may have (N_TTY_BUF_SIZE).
pub const BUFFER: usize = 4096;
/// Bytes that wait behind them.
const BACKLOG: usize = 65536;
/// A control character that is switched off (_POSIX_VDISABLE); also how the end of file stands in the queue.
const DISABLED: u8 = 0;

/// Packet mode's status bits (ioctl_tty(2), TIOCPKT).
pub mod packet {
    pub const FLUSHREAD: u8 = 1;
    pub const FLUSHWRITE: u8 = 2;
    pub const STOP: u8 = 4;
    pub const START: u8 = 8;
    pub const NOSTOP: u8 = 16;
    pub const DOSTOP: u8 = 32;
    pub const IOCTL: u8 = 64;
}

/// A typed byte; `end`: a line ends with it.
#[derive(Clone, Copy, Debug)]
struct Typed {
    byte: u8,
    end: bool,
}

/// The state of a terminal between its two sides.
#[derive(Debug)]
pub struct Discipline {
    /// Its settings.
    pub termios: Termios2,
    /// Settings that cannot be changed (TIOCSLCKTRMIOS).
    pub locked: Termios,
    /// To the master.
    pub output: Output,
    /// Packet mode's status since the master last read; `None`: not in packet mode.
    pub packet: Option<u8>,
    /// Signals for the foreground group.
    pub signals: Vec<Signal>,
    /// When input last became readable, in the kernel's monotonic nanoseconds.
    pub last_input_ns: u64,
    typed: VecDeque<Typed>,
    /// How many of them complete lines have.
    complete: usize,
    /// The last line ended because canonical mode began, not by a key.
    push: bool,
    backlog: VecDeque<u8>,
    literal: bool,
    erasing: bool,
    /// TCOOFF has stopped output, which only TCOON takes back.
    suspended: bool,
}

impl Discipline {
    /// A terminal with the settings that Linux gives a new pseudoterminal.
    pub fn new() -> Discipline {
        let mut chars = [0; 19];
        for (index, c) in [
            (cc::VINTR, 3),
            (cc::VQUIT, 28),
            (cc::VERASE, 127),
            (cc::VKILL, 21),
            (cc::VEOF, 4),
            (cc::VMIN, 1),
            (cc::VSTART, 17),
            (cc::VSTOP, 19),
            (cc::VSUSP, 26),
            (cc::VREPRINT, 18),
            (cc::VDISCARD, 15),
            (cc::VWERASE, 23),
            (cc::VLNEXT, 22),
        ] {
            chars[index as usize] = c;
        }
        let base = Termios {
            iflag: i::ICRNL | i::IXON,
            oflag: crate::abi::consts::c_oflag::OPOST | crate::abi::consts::c_oflag::ONLCR,
            cflag: 0o277,
            lflag: l::ISIG | l::ICANON | l::ECHO | l::ECHOE | l::ECHOK | l::ECHOCTL | l::ECHOKE | l::IEXTEN,
            line: 0,
            cc: chars,
        };
        Discipline {
            termios: Termios2 { base, ispeed: 38400, ospeed: 38400 },
            locked: Termios::default(),
            output: Output::default(),
            packet: None,
            signals: Vec::new(),
            last_input_ns: 0,
            typed: VecDeque::new(),
            complete: 0,
            push: false,
            backlog: VecDeque::new(),
            literal: false,
            erasing: false,
            suspended: false,
        }
    }

    fn t(&self) -> &Termios {
        &self.termios.base
    }

    fn input(&self, bits: u32) -> bool {
        self.t().iflag & bits != 0
    }

    fn local(&self, bits: u32) -> bool {
        self.t().lflag & bits != 0
    }

    /// Whether `c` is the control character of this number.
    fn is(&self, index: u32, c: u8) -> bool {
        c != DISABLED && self.t().cc[index as usize] == c
    }

    /// Whether whole lines are read.
    fn is_canonical(&self) -> bool {
        self.local(l::ICANON) && !self.local(l::EXTPROC)
    }

    /// VMIN.
    pub fn min(&self) -> usize {
        self.t().cc[cc::VMIN as usize].into()
    }

    /// VTIME in nanoseconds.
    pub fn time_ns(&self) -> u64 {
        u64::from(self.t().cc[cc::VTIME as usize]) * 100_000_000
    }

    /// Bytes that the master may still write.
    pub fn room(&self) -> usize {
        BACKLOG - self.backlog.len().min(BACKLOG)
    }

    /// Takes what the master writes.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.backlog.extend(bytes);
        self.drain();
    }

    /// Moves what fits from the backlog into the queue of typed bytes.
    pub fn drain(&mut self) {
        self.output.begin_echo();
        self.take_backlog();
        self.output.end_echo();
    }

    fn take_backlog(&mut self) {
        while !self.backlog.is_empty() {
            if self.typed.len() >= BUFFER - 1 {
                // A line that is too long loses what comes before its end.
                if !self.local(l::ICANON) || self.complete > 0 {
                    return;
                }
                if self.typed.len() >= BUFFER {
                    self.typed.pop_back();
                }
            }
            if let Some(c) = self.backlog.pop_front() {
                self.key(c);
            }
        }
    }

    /// One typed byte.
    fn key(&mut self, c: u8) {
        let mut c = c;
        if self.input(i::ISTRIP) {
            c &= 0x7f;
        }
        if self.input(i::IUCLC) && self.local(l::IEXTEN) {
            c = c.to_ascii_lowercase();
        }
        if self.local(l::EXTPROC) {
            return self.push_byte(c);
        }
        if std::mem::take(&mut self.literal) || !self.is_special(c) {
            self.plain(c, false);
        } else {
            self.special(c);
        }
    }

    /// Whether the byte may mean more than itself.
    fn is_special(&self, c: u8) -> bool {
        let flow = self.input(i::IXON) && (self.is(cc::VSTART, c) || self.is(cc::VSTOP, c));
        let signal = self.local(l::ISIG) && self.signal_of(c).is_some();
        let mapped = c == b'\r' && self.input(i::IGNCR | i::ICRNL) || c == b'\n' && self.input(i::INLCR);
        let edit = [cc::VERASE, cc::VKILL, cc::VEOF, cc::VEOL].iter().any(|k| self.is(*k, c)) || c == b'\n';
        let extended = self.local(l::IEXTEN)
            && ([cc::VWERASE, cc::VLNEXT, cc::VEOL2].iter().any(|k| self.is(*k, c))
                || self.is(cc::VREPRINT, c) && self.local(l::ECHO));
        flow || signal || mapped || self.local(l::ICANON) && (edit || extended)
    }

    fn signal_of(&self, c: u8) -> Option<Signal> {
        [(cc::VINTR, Signal::SIGINT), (cc::VQUIT, Signal::SIGQUIT), (cc::VSUSP, Signal::SIGTSTP)]
            .into_iter()
            .find(|(key, _)| self.is(*key, c))
            .map(|(_, signal)| signal)
    }

    fn special(&mut self, c: u8) {
        if self.input(i::IXON) {
            if self.is(cc::VSTART, c) {
                return self.start();
            }
            if self.is(cc::VSTOP, c) {
                return self.stop();
            }
        }
        if self.local(l::ISIG)
            && let Some(signal) = self.signal_of(c)
        {
            return self.signal_key(signal, c);
        }
        self.restart_by_any();
        let c = match c {
            b'\r' if self.input(i::IGNCR) => return,
            b'\r' if self.input(i::ICRNL) => b'\n',
            b'\n' if self.input(i::INLCR) => b'\r',
            c => c,
        };
        if self.local(l::ICANON) && self.edit(c) {
            return;
        }
        self.plain(c, true);
    }

    /// With IXANY any key starts stopped output.
    fn restart_by_any(&mut self) {
        if self.output.stopped && !self.suspended && self.input(i::IXON) && self.input(i::IXANY) {
            self.start();
        }
    }

    /// A byte that means itself; `raw`: a newline is echoed as such.
    fn plain(&mut self, c: u8, raw: bool) {
        self.restart_by_any();
        if self.local(l::ECHO) {
            self.finish_erasing();
            if c == b'\n' && raw {
                self.echo_raw(b'\n');
            } else {
                if self.typed.len() == self.complete {
                    self.output.mark_column();
                }
                self.echo(c);
            }
        }
        if c == 0xff && self.input(i::PARMRK) {
            self.push_byte(c);
        }
        self.push_byte(c);
    }

    fn push_byte(&mut self, byte: u8) {
        self.typed.push_back(Typed { byte, end: false });
    }

    fn end_line(&mut self, byte: u8) {
        self.typed.push_back(Typed { byte, end: true });
        self.complete = self.typed.len();
    }

    fn echo(&mut self, c: u8) {
        self.output.echo(&self.termios.base, c);
    }

    fn echo_raw(&mut self, c: u8) {
        self.output.byte(&self.termios.base, c);
    }

    fn finish_erasing(&mut self) {
        if std::mem::take(&mut self.erasing) {
            self.echo_raw(b'/');
        }
    }

    /// A key that sends a signal. Unless NOFLSH is set, what was typed and what is on its way out is lost.
    fn signal_key(&mut self, signal: Signal, c: u8) {
        self.signals.push(signal);
        if !self.local(l::NOFLSH) {
            self.flush_output();
            self.flush_typed();
        }
        if self.input(i::IXON) {
            self.start();
        }
        if self.local(l::ECHO) {
            self.echo(c);
        }
    }

    /// A key of canonical mode; whether it was one.
    fn edit(&mut self, c: u8) -> bool {
        let extended = self.local(l::IEXTEN);
        if self.is(cc::VERASE, c) {
            self.erase(Erase::Character);
        } else if self.is(cc::VKILL, c) {
            self.erase(Erase::Line);
        } else if self.is(cc::VWERASE, c) && extended {
            self.erase(Erase::Word);
        } else if self.is(cc::VLNEXT, c) && extended {
            self.literal = true;
            if self.local(l::ECHO) {
                self.finish_erasing();
                if self.local(l::ECHOCTL) {
                    self.echo_raw(b'^');
                    self.echo_raw(8);
                }
            }
        } else if self.is(cc::VREPRINT, c) && self.local(l::ECHO) && extended {
            self.finish_erasing();
            self.echo(c);
            self.echo_raw(b'\n');
            for at in self.complete..self.typed.len() {
                self.echo(self.typed[at].byte);
            }
        } else if c == b'\n' {
            if self.local(l::ECHO | l::ECHONL) {
                self.echo_raw(b'\n');
            }
            self.end_line(c);
        } else if self.is(cc::VEOF, c) {
            self.end_line(DISABLED);
        } else if self.is(cc::VEOL, c) || self.is(cc::VEOL2, c) && extended {
            if self.local(l::ECHO) {
                if self.typed.len() == self.complete {
                    self.output.mark_column();
                }
                self.echo(c);
            }
            if c == 0xff && self.input(i::PARMRK) {
                self.push_byte(c);
            }
            self.end_line(c);
        } else {
            return false;
        }
        true
    }

    /// Starts output, unless TCOOFF stopped it.
    pub fn start(&mut self) {
        if !self.output.stopped || self.suspended {
            return;
        }
        self.output.start();
        if let Some(status) = &mut self.packet {
            *status = *status & !packet::STOP | packet::START;
        }
    }

    /// Stops output.
    pub fn stop(&mut self) {
        if self.output.stopped {
            return;
        }
        self.output.stopped = true;
        if let Some(status) = &mut self.packet {
            *status = *status & !packet::START | packet::STOP;
        }
    }

    /// TCOOFF.
    pub fn suspend(&mut self) {
        self.suspended = true;
        self.stop();
    }

    /// TCOON.
    pub fn resume(&mut self) {
        if std::mem::take(&mut self.suspended) {
            self.start();
        }
    }

    /// Drops what was typed and not read (TCIFLUSH).
    pub fn flush_input(&mut self) {
        self.backlog.clear();
        self.flush_typed();
    }

    fn flush_typed(&mut self) {
        self.typed.clear();
        (self.complete, self.push, self.literal, self.erasing) = (0, false, false, false);
        if let Some(status) = &mut self.packet {
            *status |= packet::FLUSHREAD;
        }
    }

    /// Drops output that the master has not begun to take over (TCOFLUSH).
    pub fn flush_output(&mut self) {
        self.output.flush(BUFFER - 1);
        if let Some(status) = &mut self.packet {
            *status |= packet::FLUSHWRITE;
        }
    }

    /// Drops all output, as the master's own TCIFLUSH does.
    pub fn flush_master(&mut self) {
        self.output.flush(0);
    }

    /// Drops what the master wrote and what does not fit into the queue (the master's TCOFLUSH).
    pub fn flush_backlog(&mut self) {
        self.backlog.clear();
    }

    /// Takes new settings over; locked ones stay.
    pub fn set(&mut self, new: Termios2) {
        let old = self.termios.base;
        let keep = |new: u32, old: u32, locked: u32| new & !locked | old & locked;
        let mut base = new.base;
        base.iflag = keep(base.iflag, old.iflag, self.locked.iflag);
        base.oflag = keep(base.oflag, old.oflag, self.locked.oflag);
        base.cflag = keep(base.cflag, old.cflag, self.locked.cflag);
        base.lflag = keep(base.lflag, old.lflag, self.locked.lflag);
        for (at, locked) in self.locked.cc.iter().enumerate() {
            if *locked != 0 {
                base.cc[at] = old.cc[at];
            }
        }
        // A pseudoterminal has eight bits without parity.
        const CSIZE_PARENB: u32 = 0o460;
        const CS8_CREAD: u32 = 0o260;
        base.cflag = base.cflag & !CSIZE_PARENB | CS8_CREAD;
        self.termios = Termios2 { base, ..new };
        if (old.lflag ^ base.lflag) & (l::ICANON | l::EXTPROC) != 0 {
            self.change_mode();
        }
        if old.iflag & i::IXON != 0 && base.iflag & i::IXON == 0 {
            self.start();
        }
        self.tell_settings(&old);
        self.drain();
    }

    /// Canonical mode begins or ends.
    fn change_mode(&mut self) {
        self.typed.iter_mut().for_each(|t| t.end = false);
        (self.complete, self.push, self.erasing, self.literal) = (0, false, false, false);
        if self.local(l::ICANON)
            && let Some(last) = self.typed.back_mut()
        {
            last.end = true;
            self.complete = self.typed.len();
            self.push = true;
        }
    }

    /// Packet mode tells of changed flow control.
    fn tell_settings(&mut self, old: &Termios) {
        let flow =
            |t: &Termios| t.iflag & i::IXON != 0 && t.cc[cc::VSTOP as usize] == 19 && t.cc[cc::VSTART as usize] == 17;
        let (before, now) = (flow(old), flow(self.t()));
        let external = (old.lflag | self.t().lflag) & l::EXTPROC != 0;
        let Some(status) = &mut self.packet else { return };
        if before != now {
            *status = *status & !(packet::DOSTOP | packet::NOSTOP) | if now { packet::DOSTOP } else { packet::NOSTOP };
        }
        if external {
            *status |= packet::IOCTL;
        }
    }

    /// Whether a read has something to take, or poll(2) reports that: then VMIN counts.
    pub fn has_input(&self, wanted: usize) -> bool {
        if self.is_canonical() { self.complete > 0 } else { self.typed.len() >= wanted.max(1) }
    }

    /// Whether reads take whole lines, whatever VMIN and VTIME say.
    pub fn reads_lines(&self) -> bool {
        self.local(l::ICANON)
    }

    /// Bytes that FIONREAD counts.
    pub fn readable(&self) -> usize {
        if !self.is_canonical() {
            return self.typed.len();
        }
        let ends = self.typed.iter().take(self.complete).filter(|t| t.end && t.byte == DISABLED).count();
        self.complete - ends
    }

    /// Bytes in the queue, read or not yet complete.
    pub fn queued(&self) -> usize {
        self.typed.len()
    }

    /// Takes at most `max` bytes: in canonical mode of one line only.
    pub fn read(&mut self, max: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let lines = self.is_canonical();
        while let Some(next) = self.typed.front().copied() {
            if lines && self.complete == 0 {
                break;
            }
            let is_end_of_file = lines && next.end && next.byte == DISABLED && !self.push;
            if out.len() == max && !is_end_of_file {
                break;
            }
            self.typed.pop_front();
            self.complete = self.complete.saturating_sub(1);
            if !is_end_of_file {
                out.push(next.byte);
            }
            if lines && next.end {
                self.push = false;
                break;
            }
        }
        self.drain();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(d: &mut Discipline) -> String {
        String::from_utf8_lossy(&d.output.ready.drain(..).collect::<Vec<u8>>()).into_owned()
    }

    #[test]
    fn lines_are_edited_and_echoed() {
        let mut d = Discipline::new();
        d.receive(b"abc\x7fd");
        assert!(!d.has_input(1));
        d.receive(b"\r");
        assert_eq!(d.read(100), b"abd\n");
        assert_eq!(shown(&mut d), "abc\x08 \x08d\r\n");
        d.receive(b"one two\x17x\n");
        assert_eq!(d.read(100), b"one x\n");
        d.receive(b"gone\x15ok\n");
        assert_eq!(d.read(2), b"ok");
        assert_eq!(d.read(2), b"\n");
    }

    #[test]
    fn the_end_of_file_ends_a_line_without_a_byte() {
        let mut d = Discipline::new();
        d.receive(b"ab\x04\x04");
        assert_eq!(d.readable(), 2);
        assert_eq!(d.read(2), b"ab");
        assert!(d.has_input(1));
        assert_eq!(d.read(2), b"");
        assert!(!d.has_input(1));
    }

    #[test]
    fn keys_send_signals_and_flush() {
        let mut d = Discipline::new();
        d.receive(b"abc\x03d\n");
        assert_eq!(d.signals, [Signal::SIGINT]);
        assert_eq!(d.read(100), b"d\n");
        assert_eq!(shown(&mut d), "^Cd\r\n", "echo of the same write is lost with it");
    }

    #[test]
    fn a_line_keeps_its_first_4095_bytes() {
        let mut d = Discipline::new();
        d.receive(&[b'a'; 5000]);
        d.receive(b"\n");
        let line = d.read(10_000);
        assert_eq!(line.len(), 4096);
        assert_eq!(line.last(), Some(&b'\n'));
    }

    #[test]
    fn stopped_output_holds_echo_back() {
        let mut d = Discipline::new();
        d.receive(b"a");
        d.receive(b"\x13b");
        assert_eq!(shown(&mut d), "a");
        d.receive(b"\x11");
        assert_eq!(shown(&mut d), "b");
    }

    #[test]
    fn a_tab_is_erased_whole() {
        let mut d = Discipline::new();
        d.receive(b"ab\t\x7f");
        assert_eq!(shown(&mut d), "ab\t\x08\x08\x08\x08\x08\x08");
        d.receive("é\x7f\n".as_bytes());
        assert_eq!(shown(&mut d), "é\x08 \x08\r\n", "without IUTF8 a byte is a character");
    }
}
