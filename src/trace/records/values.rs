//! What every format of records needs: arguments by name, and JSON's strings and numbers.

use super::Done;
use crate::syscalls::{Arg, Scalar, Type};
use crate::trace::buf;
use crate::trace::decode::MARK;

/// An argument of a call that is done.
pub(super) struct Value<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// The register that held it; `None` for what is in no register.
    pub raw: Option<u64>,
    /// As strace prints it.
    pub text: &'a [u8],
}

/// What an argument is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// By the table, or as strace calls it.
    Known(&'a [u8]),
    /// It has none but its position.
    Nth(usize),
}

/// What strace calls the arguments of clone(2), and the table.
const OTHER_NAMES: &[(&[u8], &str)] =
    &[(b"child_stack", "stack"), (b"parent_tid", "ptid"), (b"child_tidptr", "ctid"), (b"exit_signal", "flags")];

impl<'a> Done<'a> {
    /// The arguments in the order in which they are printed.
    pub(super) fn values(&self) -> impl Iterator<Item = Value<'a>> {
        let raw = self.call.raw.args;
        let args = self.call.entry().map_or(&[][..], |e| e.form(self.call.arch, &raw).0);
        let pieces = self.arguments.split(|b| *b == MARK);
        let known = !args.is_empty();
        // No arguments at all make one empty piece.
        pieces.enumerate().filter(|(i, text)| *i > 0 || !text.is_empty()).map(move |(i, piece)| {
            let (name, text) = split_name(piece);
            let at = match name {
                Some(name) => position(args, name),
                None => Some(i).filter(|i| !known || *i < args.len()),
            };
            let name = name.or_else(|| at.and_then(|at| args.get(at)).map(|a| a.name.as_bytes()));
            Value { name: name.map_or(Name::Nth(i), Name::Known), raw: at.and_then(|at| raw.get(at)).copied(), text }
        })
    }
}

/// Index of the argument with this name.
fn position(args: &[Arg], name: &[u8]) -> Option<usize> {
    let other = OTHER_NAMES.iter().find(|(strace, _)| *strace == name).map(|(_, own)| own.as_bytes());
    let named = |name: &[u8]| {
        args.iter().position(|a| a.name.as_bytes() == name && !matches!(a.ty, Type::Scalar(Scalar::Skip)))
    };
    named(name).or_else(|| other.and_then(named))
}

/// Takes `name=` off an argument.
fn split_name(piece: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = piece.iter().position(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_'));
    match end {
        Some(end) if end > 0 && piece[end] == b'=' => (Some(&piece[..end]), &piece[end + 1..]),
        _ => (None, piece),
    }
}

/// Appends a string: UTF-8 as it is, what is none replaced.
pub(super) fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if text.is_ascii() {
        escape(out, text);
    } else {
        escape(out, String::from_utf8_lossy(text).as_bytes());
    }
    out.push(b'"');
}

/// Appends what stands between the quotes.
pub(super) fn escape(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => buf::text(out, "\\\""),
            b'\\' => buf::text(out, "\\\\"),
            b'\n' => buf::text(out, "\\n"),
            b'\t' => buf::text(out, "\\t"),
            control => {
                buf::text(out, "\\u00");
                out.push(b'0' + (control >> 4));
                out.push(b"0123456789abcdef"[usize::from(control & 0xf)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Appends `"key":`, with a comma before it.
pub(super) fn key(out: &mut Vec<u8>, key: &str) {
    buf::text(out, ",\"");
    buf::text(out, key);
    buf::text(out, "\":");
}

/// Appends a member whose value is a number.
pub(super) fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    buf::dec(out, value);
}

/// Appends a member whose value is a string.
pub(super) fn text(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    key(out, name);
    string(out, value);
}

/// Appends a member whose value is an address or a register: a string, because not every reader of JSON has 64-bit
/// numbers.
pub(super) fn word(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    buf::text(out, "\"0x");
    hex_digits(out, value);
    out.push(b'"');
}

fn hex_digits(out: &mut Vec<u8>, value: u64) {
    let digits = (16 - value.leading_zeros() / 4).max(1);
    for i in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * i) & 0xf) as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        let show = |text: &[u8]| {
            let mut out = Vec::new();
            string(&mut out, text);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(show(b"a\"b\\c\n\x01\x1f"), r#""a\"b\\c\n\u0001\u001f""#);
        assert_eq!(show("\u{e4}".as_bytes()), "\"\u{e4}\"");
        assert_eq!(show(b"\xff"), "\"\u{fffd}\"");
    }

    #[test]
    fn names() {
        assert_eq!(split_name(b"fd=3"), (Some(&b"fd"[..]), &b"3"[..]));
        assert_eq!(split_name(b"{st_mode=0}"), (None, &b"{st_mode=0}"[..]));
        assert_eq!(split_name(b"\"a=b\""), (None, &b"\"a=b\""[..]));
        assert_eq!(split_name(b"3"), (None, &b"3"[..]));
    }
}
