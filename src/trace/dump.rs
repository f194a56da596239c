//! `-e read=`, `-e write=`: the data of a call in hexadecimal and as text, below its line.

use super::buf::{self, Buf};
use super::decode::Cx;
use super::{Call, Numbers};
use crate::mem::GuestAddr;

/// Which data a call has moved, and which way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// Into one buffer, at the second argument.
    In,
    /// Out of one.
    Out,
    /// Into several, named by the second argument.
    InMany,
    /// Out of several.
    OutMany,
    /// Into those that a msghdr at the second argument names.
    InMessage,
    /// Out of those.
    OutMessage,
}

fn moved(name: &str) -> Option<Moved> {
    Some(match name {
        "read" | "pread64" | "recvfrom" | "mq_timedreceive" => Moved::In,
        "write" | "pwrite64" | "sendto" | "mq_timedsend" => Moved::Out,
        "readv" | "preadv" | "preadv2" => Moved::InMany,
        "writev" | "pwritev" | "pwritev2" | "vmsplice" => Moved::OutMany,
        "recvmsg" => Moved::InMessage,
        "sendmsg" => Moved::OutMessage,
        _ => return None,
    })
}

/// Prints the data of a successful call on a descriptor of one of the sets; whether there was any.
pub(super) fn data(cx: &mut Cx<'_>, call: &Call, read: &Numbers, written: &Numbers) -> bool {
    if read.is_empty() && written.is_empty() {
        return false;
    }
    let Some(moved) = call.entry().and_then(|e| moved(e.name)) else { return false };
    let set = match moved {
        Moved::In | Moved::InMany | Moved::InMessage => read,
        Moved::Out | Moved::OutMany | Moved::OutMessage => written,
    };
    let [fd, at, third, ..] = call.raw.args;
    if !set.contains(fd as u32) {
        return false;
    }
    let start = cx.out.len();
    match moved {
        Moved::In => bytes(cx, at, cx.value()),
        // All that was to be written, as strace has it.
        Moved::Out => bytes(cx, at, third),
        Moved::InMany => vector(cx, at, third, cx.value()),
        Moved::OutMany => vector(cx, at, third, u64::MAX),
        Moved::InMessage | Moved::OutMessage => {
            // msg_iov and msg_iovlen lie at 16 and 24 in both architectures' msghdr.
            let mut b = [0; 16];
            let most = if moved == Moved::InMessage { cx.value() } else { u64::MAX };
            if at.checked_add(16).is_some_and(|a| cx.space.read(GuestAddr(a), &mut b).is_ok()) {
                let word = |i: usize| b[i..i + 8].try_into().map_or(0, u64::from_le_bytes);
                vector(cx, word(0), word(8), most);
            }
        }
    }
    cx.out.len() > start
}

fn vector(cx: &mut Cx<'_>, addr: u64, count: u64, most: u64) {
    let mut left = most;
    for i in 0..count.min(1024) {
        let mut b = [0; 16];
        let at = addr.checked_add(16 * i);
        if left == 0 || at.is_none_or(|a| cx.space.read(GuestAddr(a), &mut b).is_err()) {
            return;
        }
        let word = |i: usize| b[i..i + 8].try_into().map_or(0, u64::from_le_bytes);
        let n = word(8).min(left);
        left -= n;
        cx.text(" * ");
        cx.dec(n);
        cx.text(" bytes in buffer ");
        cx.dec(i);
        cx.out.push(b'\n');
        bytes(cx, word(0), n);
    }
}

/// Lines of sixteen bytes.
fn bytes(cx: &mut Cx<'_>, addr: u64, len: u64) {
    let mut row = [0; 16];
    for offset in (0..len).step_by(16) {
        let n = (len - offset).min(16) as usize;
        let at = addr.checked_add(offset);
        if at.is_none_or(|a| cx.space.read(GuestAddr(a), &mut row[..n]).is_err()) {
            return;
        }
        line(cx.out, offset, &row[..n]);
    }
}

fn line(out: &mut Buf, offset: u64, row: &[u8]) {
    let hex = |out: &mut Buf, v: u64, digits: u32| {
        for i in (0..digits).rev() {
            out.push(b"0123456789abcdef"[(v >> (4 * i)) as usize & 0xf]);
        }
    };
    buf::text(out, " | ");
    hex(out, offset, 5.max((64 - offset.leading_zeros()).div_ceil(4)));
    buf::text(out, "  ");
    for i in 0..16 {
        match row.get(i) {
            Some(b) => {
                hex(out, u64::from(*b), 2);
                out.push(b' ');
            }
            None => buf::text(out, "   "),
        }
        if i == 7 || i == 15 {
            out.push(b' ');
        }
    }
    for i in 0..16 {
        out.push(row.get(i).map_or(b' ', |b| if (b' '..=b'~').contains(b) { *b } else { b'.' }));
    }
    buf::text(out, " |\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As strace 6.1 prints them.
    #[test]
    fn lines() {
        let mut out = Buf::new();
        line(&mut out, 0x10, b"67 9abcdef");
        line(&mut out, 0, b"0123456789abcdef");
        let expected = " | 00010  36 37 20 39 61 62 63 64  65 66                    67 9abcdef       |
 | 00000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef |\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
