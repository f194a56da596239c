//! Colours for lines that go to a terminal (`--color`): names of calls, errors, signals, ends of processes, stacks.

use super::buf::Buf;

const NAME: &str = "\x1b[1;36m";
const ERROR: &str = "\x1b[31m";
const SIGNAL: &str = "\x1b[33m";
const END: &str = "\x1b[35m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Colours text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Painter {
    /// The last piece ended within a line.
    within: bool,
}

impl Painter {
    /// `text` with colours. A line may come in several pieces.
    pub(super) fn paint(&mut self, text: &[u8]) -> Buf {
        let mut out = Buf::with_capacity(text.len() + 64);
        for line in text.split_inclusive(|b| *b == b'\n') {
            self.line(&mut out, line);
            self.within = line.last() != Some(&b'\n');
        }
        out
    }

    fn line(&self, out: &mut Buf, line: &[u8]) {
        let (body, end) = match line.strip_suffix(b"\n") {
            Some(body) => (body, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        if self.within {
            result(out, body);
        } else if let Some(at) = lead(body) {
            out.extend_from_slice(&body[..at]);
            start(out, &body[at..]);
        } else {
            out.extend_from_slice(body);
        }
        out.extend_from_slice(end);
    }
}

/// Where a line's own text begins, behind ids and times; `None` for dumped data.
fn lead(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    if line.starts_with(b"[pid") {
        at = line.iter().position(|b| *b == b']')? + 1;
    }
    loop {
        let rest = &line[at..];
        let blanks = rest.iter().take_while(|b| **b == b' ').count();
        let word = &rest[blanks..];
        let len = word.iter().take_while(|b| **b != b' ').count();
        let stamp = word[..len].iter().all(|b| b.is_ascii_digit() || b".:()+[]?abcdef".contains(b));
        let digits = word[..len].iter().any(|b| b.is_ascii_digit() || *b == b'?');
        match word.first() {
            Some(b'|' | b'*') => return None,
            Some(_) if stamp && digits => at += blanks + len,
            _ => return Some(at + blanks),
        }
    }
}

fn coloured(out: &mut Buf, colour: &str, text: &[u8]) {
    out.extend_from_slice(colour.as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(RESET.as_bytes());
}

fn start(out: &mut Buf, text: &[u8]) {
    for (mark, colour) in [(&b"---"[..], SIGNAL), (b"+++", END), (b"> ", DIM)] {
        if text.starts_with(mark) {
            return coloured(out, colour, text);
        }
    }
    let name = text.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    if text.starts_with(b"<...") {
        let end = text.iter().position(|b| *b == b'>').map_or(text.len(), |at| at + 1);
        coloured(out, DIM, &text[..end]);
        return result(out, &text[end..]);
    }
    if name > 0 && text.get(name) == Some(&b'(') {
        coloured(out, NAME, &text[..name]);
        return result(out, &text[name..]);
    }
    out.extend_from_slice(text);
}

/// The part of a line that holds the result: errors are coloured, and what comes later.
fn result(out: &mut Buf, text: &[u8]) {
    let find = |mark: &[u8]| text.windows(mark.len()).rposition(|w| w == mark);
    if let Some(at) = find(b" = -1 E").or_else(|| find(b" = ? E")) {
        out.extend_from_slice(&text[..at + 3]);
        return coloured(out, ERROR, &text[at + 3..]);
    }
    if let Some(at) = find(b" <unfinished ...>") {
        out.extend_from_slice(&text[..at]);
        return coloured(out, DIM, &text[at..]);
    }
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(pieces: &[&str]) -> String {
        let mut painter = Painter::default();
        let all: Vec<u8> = pieces.iter().flat_map(|p| painter.paint(p.as_bytes())).collect();
        let text = String::from_utf8(all).expect("ASCII");
        [(NAME, "{n}"), (ERROR, "{e}"), (SIGNAL, "{s}"), (END, "{x}"), (DIM, "{d}"), (RESET, "{.}")]
            .iter()
            .fold(text, |t, (code, shown)| t.replace(code, shown))
    }

    #[test]
    fn lines() {
        assert_eq!(painted(&["close(3) = 0\n"]), "{n}close{.}(3) = 0\n");
        assert_eq!(
            painted(&["[pid    7] 10:00:00 close(3", ") = -1 EBADF (Bad)\n"]),
            "[pid    7] 10:00:00 {n}close{.}(3) = {e}-1 EBADF (Bad){.}\n"
        );
        assert_eq!(
            painted(&["--- SIGINT {} ---\n+++ exited with 0 +++\n"]),
            "{s}--- SIGINT {} ---{.}\n{x}+++ exited with 0 +++{.}\n"
        );
        assert_eq!(painted(&["<... read resumed>\"\", 1) = 0\n"]), "{d}<... read resumed>{.}\"\", 1) = 0\n");
        assert_eq!(painted(&[" | 00000  41   A |\n"]), " | 00000  41   A |\n");
    }
}
