//! Erasing what is typed: characters, words, the line, and how that is shown.

use super::super::output::{is_continuation, is_control};
use super::Discipline;
use crate::abi::consts::{c_cc as cc, c_lflag as l};

/// What was asked to be erased.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Erase {
    Character,
    Word,
    Line,
}

impl Discipline {
    /// Erases from the end of the line that is being typed (`eraser` of Linux).
    pub(super) fn erase(&mut self, what: Erase) {
        if self.typed.len() == self.complete {
            return;
        }
        let shows_each = self.local(l::ECHOK) && self.local(l::ECHOKE) && self.local(l::ECHOE);
        if what == Erase::Line && !(self.local(l::ECHO) && shows_each) {
            self.typed.truncate(self.complete);
            if self.local(l::ECHO) {
                self.finish_erasing();
                self.echo(self.t().cc[cc::VKILL as usize]);
                if self.local(l::ECHOK) {
                    self.echo_raw(b'\n');
                }
            }
            return;
        }
        let mut in_word = false;
        while self.typed.len() > self.complete {
            let mut head = self.typed.len();
            while head > self.complete {
                head -= 1;
                if !is_continuation(self.t(), self.typed[head].byte) {
                    break;
                }
            }
            let c = self.typed[head].byte;
            // Not half a character.
            if is_continuation(self.t(), c) {
                break;
            }
            if what == Erase::Word {
                if c.is_ascii_alphanumeric() || c == b'_' {
                    in_word = true;
                } else if in_word {
                    break;
                }
            }
            let erased: Vec<u8> = self.typed.drain(head..).map(|t| t.byte).collect();
            if self.local(l::ECHO) {
                self.show_erased(what, &erased);
            }
            if what == Erase::Character {
                break;
            }
        }
        if self.typed.len() == self.complete && self.local(l::ECHO) {
            self.finish_erasing();
        }
    }

    /// Shows that one character, of these bytes, is gone.
    fn show_erased(&mut self, what: Erase, character: &[u8]) {
        let Some((&c, rest)) = character.split_first() else { return };
        if self.local(l::ECHOPRT) {
            if !self.erasing {
                self.echo_raw(b'\\');
                self.erasing = true;
            }
            self.echo(c);
            for c in rest {
                self.echo_raw(*c);
                self.output.back();
            }
        } else if what == Erase::Character && !self.local(l::ECHOE) {
            self.echo(self.t().cc[cc::VERASE as usize]);
        } else if c == b'\t' {
            let (mut columns, mut after_tab) = (0, false);
            for at in (self.complete..self.typed.len()).rev() {
                let c = self.typed[at].byte;
                if c == b'\t' {
                    after_tab = true;
                    break;
                } else if is_control(c) {
                    columns += if self.local(l::ECHOCTL) { 2 } else { 0 };
                } else if !is_continuation(self.t(), c) {
                    columns += 1;
                }
            }
            self.output.erase_tab(columns, after_tab);
        } else {
            let shown = match (is_control(c), self.local(l::ECHOCTL)) {
                (true, true) => 2,
                (true, false) => 0,
                (false, _) => 1,
            };
            for _ in 0..shown {
                [8, b' ', 8].into_iter().for_each(|c| self.echo_raw(c));
            }
        }
    }
}
