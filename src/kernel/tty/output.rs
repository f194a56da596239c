//! What becomes of output and echo on its way to the master: post-processing (OPOST) and the cursor's column.

use crate::abi::Termios;
use crate::abi::consts::{c_iflag as i, c_lflag as l, c_oflag as o, c_oflag_tab as tab};
use std::collections::VecDeque;

/// Echo that waits while output is stopped (N_TTY_BUF_SIZE); what is older is lost.
const HELD_MAX: usize = 4096;
/// Echo of one write of the master that does not wait for the end of that (ECHO_COMMIT_WATERMARK).
const WATERMARK: usize = 256;

/// Bytes on their way to the master.
#[derive(Debug, Default)]
pub struct Output {
    /// What the master can read.
    pub ready: VecDeque<u8>,
    /// Echo that is not shown yet: it waits for the end of what is being received, and while output is stopped.
    held: VecDeque<u8>,
    /// What is put now is echo.
    echoing: bool,
    /// The column before the echo that waits.
    shown_column: u32,
    /// Where the cursor is in its line.
    column: u32,
    /// Where it was when the line that is being edited began.
    canon_column: u32,
    /// Ctrl-S or TCOOFF has stopped it.
    pub stopped: bool,
}

/// A control character, as the kernel's ctype knows it.
pub fn is_control(c: u8) -> bool {
    c < 0x20 || c == 0x7f
}

/// A byte of a UTF-8 character that is not its first, where the terminal knows UTF-8.
pub fn is_continuation(t: &Termios, c: u8) -> bool {
    t.iflag & i::IUTF8 != 0 && c & 0xc0 == 0x80
}

impl Output {
    fn put(&mut self, byte: u8) {
        if !self.stopped && !self.echoing {
            return self.ready.push_back(byte);
        }
        if self.held.len() == HELD_MAX {
            self.held.pop_front();
        }
        self.held.push_back(byte);
        if self.held.len() >= WATERMARK {
            self.show_echo();
        }
    }

    /// What is put from now on is echo, until [`Output::end_echo`].
    pub fn begin_echo(&mut self) {
        self.echoing = true;
        if self.held.is_empty() {
            self.shown_column = self.column;
        }
    }

    /// Shows the echo, unless output is stopped.
    pub fn end_echo(&mut self) {
        self.echoing = false;
        self.show_echo();
    }

    fn show_echo(&mut self) {
        if !self.stopped {
            self.ready.append(&mut self.held);
            self.shown_column = self.column;
        }
    }

    /// Output goes on: what was held back becomes readable.
    pub fn start(&mut self) {
        self.stopped = false;
        self.show_echo();
    }

    /// Drops what the master has not taken over yet: all but the first `kept` bytes.
    pub fn flush(&mut self, kept: usize) {
        self.ready.truncate(kept);
        if !self.held.is_empty() {
            self.held.clear();
            self.column = self.shown_column;
        }
    }

    /// One byte that a program writes or that is echoed as it is (`do_output_char` of Linux).
    pub fn byte(&mut self, t: &Termios, mut c: u8) {
        if t.oflag & o::OPOST == 0 {
            return self.put(c);
        }
        let has = |bit: u32| t.oflag & bit != 0;
        match c {
            b'\n' => {
                if has(o::ONLRET) {
                    self.column = 0;
                }
                if has(o::ONLCR) {
                    (self.column, self.canon_column) = (0, 0);
                    self.put(b'\r');
                } else {
                    self.canon_column = self.column;
                }
            }
            b'\r' if has(o::ONOCR) && self.column == 0 => return,
            b'\r' if has(o::OCRNL) => {
                c = b'\n';
                if has(o::ONLRET) {
                    (self.column, self.canon_column) = (0, 0);
                }
            }
            b'\r' => (self.column, self.canon_column) = (0, 0),
            b'\t' => {
                let spaces = 8 - (self.column & 7);
                self.column += spaces;
                if t.oflag & tab::TAB3 == tab::TAB3 {
                    return (0..spaces).for_each(|_| self.put(b' '));
                }
            }
            8 => self.column = self.column.saturating_sub(1),
            _ if is_control(c) => {}
            _ => {
                if has(o::OLCUC) {
                    c = c.to_ascii_uppercase();
                }
                if !is_continuation(t, c) {
                    self.column += 1;
                }
            }
        }
        self.put(c);
    }

    /// Echoes a typed byte: a control character as `^X` with ECHOCTL.
    pub fn echo(&mut self, t: &Termios, c: u8) {
        if t.lflag & l::ECHOCTL != 0 && is_control(c) && c != b'\t' {
            self.put(b'^');
            self.put(c ^ 0o100);
            self.column += 2;
        } else {
            self.byte(t, c);
        }
    }

    /// The line that is typed begins at the cursor.
    pub fn mark_column(&mut self) {
        self.canon_column = self.column;
    }

    /// The cursor is a column further left than it was counted.
    pub fn back(&mut self) {
        self.column = self.column.saturating_sub(1);
    }

    /// Takes back the columns of a tab before which `columns` were used since the tab or line before it.
    pub fn erase_tab(&mut self, columns: u32, after_tab: bool) {
        let columns = if after_tab { columns } else { columns + self.canon_column };
        for _ in 0..8 - (columns & 7) {
            self.put(8);
            self.column = self.column.saturating_sub(1);
        }
    }
}
