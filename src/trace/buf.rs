//! Writing text into a reused byte buffer: numbers, strings with strace's escapes, names of flags.
//!
//! Everything is plain ASCII, so that a byte is a column.

use crate::arch::Arch;
use crate::syscalls::{Set, TailKind};

/// A line in the making.
pub(super) type Buf = Vec<u8>;

/// Appends text.
pub(super) fn text(out: &mut Buf, s: &str) {
    out.extend_from_slice(s.as_bytes());
}

/// Appends a decimal number.
pub(super) fn dec(out: &mut Buf, value: u64) {
    let mut digits = [0u8; 20];
    let (mut at, mut rest) = (digits.len(), value);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a signed decimal number.
pub(super) fn sdec(out: &mut Buf, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    dec(out, value.unsigned_abs());
}

/// Appends a decimal number with zeros in front up to `width` digits.
pub(super) fn padded(out: &mut Buf, value: u64, width: usize) {
    let start = out.len();
    dec(out, value);
    while out.len() - start < width {
        out.insert(start, b'0');
    }
}

/// Appends `0x..`, and `0` for zero, as `%#x` does.
pub(super) fn hex(out: &mut Buf, value: u64) {
    if value == 0 {
        out.push(b'0');
        return;
    }
    text(out, "0x");
    let digits = 16 - value.leading_zeros() / 4;
    for i in (0..digits).rev() {
        out.push(hex_digit((value >> (4 * i)) as u8 & 0xf));
    }
}

/// Appends a mode: octal with at least three digits.
pub(super) fn mode(out: &mut Buf, value: u64) {
    out.push(b'0');
    let digits = (64 - value.leading_zeros()).div_ceil(3).max(2);
    let digits = if value == 0 { 2 } else { digits };
    for i in (0..digits).rev() {
        out.push(b'0' + (value >> (3 * i)) as u8 % 8);
    }
}

/// Appends an address: `NULL` or `0x..`.
pub(super) fn addr(out: &mut Buf, value: u64) {
    if value == 0 { text(out, "NULL") } else { hex(out, value) }
}

fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble)]
}

/// How strings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quote {
    /// Printable characters as they are, others as the shortest octal escapes.
    #[default]
    Escape,
    /// Printable characters as they are, others as `\xHH`.
    EscapeHex,
    /// Every byte as `\xHH` if one of them is not ASCII text, else as `Escape`.
    HexUnlessAscii,
    /// Every byte as `\xHH`.
    Hex,
}

/// Appends bytes in double quotes.
pub(super) fn quoted(out: &mut Buf, bytes: &[u8], how: Quote) {
    out.push(b'"');
    let is_text = |b: &u8| matches!(b, b' '..=b'~' | b'\t'..=b'\r');
    match how {
        Quote::Escape => escaped(out, bytes),
        Quote::EscapeHex => {
            for b in bytes {
                match b {
                    b' '..=b'~' | b'\t'..=b'\r' => escaped(out, &[*b]),
                    _ => out.extend_from_slice(&[b'\\', b'x', hex_digit(b >> 4), hex_digit(b & 0xf)]),
                }
            }
        }
        Quote::HexUnlessAscii if bytes.iter().all(is_text) => escaped(out, bytes),
        Quote::Hex | Quote::HexUnlessAscii => {
            for &b in bytes {
                out.extend_from_slice(&[b'\\', b'x', hex_digit(b >> 4), hex_digit(b & 0xf)]);
            }
        }
    }
    out.push(b'"');
}

/// Appends bytes with strace's escapes.
pub(super) fn escaped(out: &mut Buf, bytes: &[u8]) {
    escaped_with(out, bytes, b"");
}

/// The same; those of `more` become octal escapes too.
pub(super) fn escaped_with(out: &mut Buf, bytes: &[u8], more: &[u8]) {
    for (i, &b) in bytes.iter().enumerate() {
        match b {
            b if more.contains(&b) => octal(out, b, bytes.get(i + 1)),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            b' '..=b'~' => out.push(b),
            b'\n' => text(out, "\\n"),
            b'\r' => text(out, "\\r"),
            b'\t' => text(out, "\\t"),
            0x0b => text(out, "\\v"),
            0x0c => text(out, "\\f"),
            _ => octal(out, b, bytes.get(i + 1)),
        }
    }
}

/// Appends the shortest octal escape that `next` does not read as a part of.
fn octal(out: &mut Buf, b: u8, next: Option<&u8>) {
    let full = matches!(next, Some(b'0'..=b'7'));
    out.push(b'\\');
    if full || b >= 0o100 {
        out.push(b'0' + (b >> 6));
    }
    if full || b >= 0o10 {
        out.push(b'0' + (b >> 3) % 8);
    }
    out.push(b'0' + b % 8);
}

/// Appends the names of the bits of `value`, as strace does: `A|B|0x40`, `0x40 /* X_??? */`, `0`; behind them the
/// numbers among the bits.
pub(super) fn flags(out: &mut Buf, set: &Set, arch: Arch, value: u64) {
    let numbers = set.numbers();
    if numbers == 0 {
        return bits(out, set, arch, value);
    }
    let start = out.len();
    let named = value & !numbers;
    if named != 0 || set.mask != 0 {
        bits(out, set, arch, named);
    }
    tails(out, set, value, start);
}

/// Appends the same without names: strace still keeps the parts of `value` apart.
pub(super) fn raw_flags(out: &mut Buf, set: &Set, value: u64) {
    let start = out.len();
    let numbers = set.numbers();
    if numbers == 0 {
        hex(out, value & set.mask);
        if value & !set.mask != 0 {
            separate(out, start);
            hex(out, value & !set.mask);
        }
        return;
    }
    if value & !numbers != 0 {
        hex(out, value & !numbers);
    }
    tails(out, set, value, start);
}

/// Appends the numbers among the bits of `value`.
fn tails(out: &mut Buf, set: &Set, value: u64, start: usize) {
    for tail in set.tails {
        let number = (value & tail.mask) >> tail.mask.trailing_zeros();
        if number == 0 && tail.kind != TailKind::Octal {
            continue;
        }
        // strace leaves out the separator behind permissions' flags of which it knows none.
        let glued = set.prefix.is_empty() && out.len() > start && out[start] == b'0';
        if !glued {
            separate(out, start);
        }
        match tail.kind {
            TailKind::Octal => mode(out, number),
            TailKind::Decimal => dec(out, number),
            TailKind::Shifted(by) => {
                dec(out, number);
                text(out, "<<");
                text(out, by);
            }
        }
    }
    if out.len() == start {
        out.push(b'0');
    }
}

fn bits(out: &mut Buf, set: &Set, arch: Arch, value: u64) {
    let start = out.len();
    let mut left = value;
    if set.mask != 0 {
        let low = value & set.mask;
        left &= !set.mask;
        match set.name_of(arch, low) {
            // strace looks for flags first.
            Some(_) if set.name == "mempolicy" && low == 0 && left != 0 => {}
            Some(name) => text(out, name),
            None if low == 0 => {}
            // strace looks all of these up as flags then.
            None if matches!(set.name, "socktype" | "mempolicy") => left = value,
            None if set.name == "open" => hex(out, low),
            None => unknown(out, low, set.prefix),
        }
    } else if value == 0 {
        match set.name_of(arch, 0) {
            Some(name) => text(out, name),
            None => out.push(b'0'),
        }
        return;
    }
    for c in set.consts {
        if left == 0 {
            break;
        }
        let Some(bits) = c.value[arch.index()] else { continue };
        if bits != 0 && bits & set.mask == 0 && left & bits == bits {
            separate(out, start);
            text(out, c.name());
            left &= !bits;
        }
    }
    if left != 0 {
        // strace prints the flags of these apart from the enumeration in front of them.
        let apart = matches!(set.name, "socktype" | "kexec_load") && left == value & !set.mask;
        if apart {
            separate(out, start);
        }
        if apart || out.len() == start {
            unknown(out, left, set.prefix);
        } else {
            separate(out, start);
            hex(out, left);
        }
    } else if out.len() == start {
        out.push(b'0');
    }
}

/// Appends `|` unless nothing stands behind `start` yet.
pub(super) fn separate(out: &mut Buf, start: usize) {
    if out.len() > start {
        out.push(b'|');
    }
}

/// Appends the name of `value`, or the number with the set's placeholder.
pub(super) fn name(out: &mut Buf, set: &Set, arch: Arch, value: u64) {
    match set.name_of(arch, value) {
        Some(name) => text(out, name),
        // Serial numbers, of which only the special ones have names.
        None if set.tails.iter().any(|t| t.kind == TailKind::Decimal) => {
            sdec(out, i64::from(value as i32));
            comment(out, set.prefix);
        }
        None => unknown(out, value, set.prefix),
    }
}

/// Appends a number without a name: `0x7 /* SEEK_??? */`.
pub(super) fn unknown(out: &mut Buf, value: u64, placeholder: &str) {
    hex(out, value);
    comment(out, placeholder);
}

/// Appends the placeholder of a number without a name.
fn comment(out: &mut Buf, placeholder: &str) {
    if !placeholder.is_empty() {
        text(out, " /* ");
        text(out, placeholder);
        text(out, " */");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscalls::sets;

    fn show(f: impl FnOnce(&mut Buf)) -> String {
        let mut out = Buf::new();
        f(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn numbers() {
        assert_eq!(show(|o| sdec(o, i64::MIN)), "-9223372036854775808");
        assert_eq!(show(|o| hex(o, 0)), "0");
        assert_eq!(show(|o| hex(o, 0xabc)), "0xabc");
        assert_eq!(show(|o| mode(o, 0)), "000");
        assert_eq!(show(|o| mode(o, 0o22)), "022");
        assert_eq!(show(|o| mode(o, 0o4755)), "04755");
        assert_eq!(show(|o| addr(o, 0)), "NULL");
        assert_eq!(show(|o| padded(o, 7, 3)), "007");
    }

    #[test]
    fn strings() {
        let quote = |b: &[u8]| show(|o| quoted(o, b, Quote::Escape));
        assert_eq!(quote(b"\x018\x017\xc8\xff\x1b[0m\n\"\\x"), r#""\18\0017\310\377\33[0m\n\"\\x""#);
        assert_eq!(show(|o| quoted(o, b"a\xff", Quote::Hex)), r#""\x61\xff""#);
    }

    #[test]
    fn flag_names() {
        let open = |v| show(|o| flags(o, &sets::OPEN, Arch::X86_64, v));
        assert_eq!(open(0), "O_RDONLY");
        assert_eq!(open(0o2000102), "O_RDWR|O_CREAT|O_CLOEXEC");
        assert_eq!(open(3 | 0x1000_0000), "O_ACCMODE|0x10000000");
        let map = |v| show(|o| flags(o, &sets::MMAP, Arch::X86_64, v));
        assert_eq!(map(0x45), "0x5 /* MAP_??? */|MAP_32BIT");
        assert_eq!(show(|o| flags(o, &sets::GETRANDOM, Arch::X86_64, 0x10)), "0x10 /* GRND_??? */");
        assert_eq!(show(|o| name(o, &sets::WHENCE, Arch::X86_64, 77)), "0x4d /* SEEK_??? */");
    }
}
