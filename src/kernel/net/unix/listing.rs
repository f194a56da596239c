//! `/proc/net/unix` (proc_pid_net(5)).

use super::*;
use std::fmt::Write as _;

/// What the columns hold for a socket that listens (`__SO_ACCEPTCON`), and for the states of a socket (`SS_*`).
const ACCEPTS: u32 = 1 << 16;
const UNCONNECTED: u32 = 1;
const CONNECTED: u32 = 3;

impl Network {
    /// The sockets that are open, in the order in which they were made. Kernel addresses show as zeros, as they do to
    /// those whom Linux does not trust with them.
    pub fn listing(&self) -> Vec<u8> {
        let mut text = b"Num       RefCount Protocol Flags    Type St Inode Path\n".to_vec();
        for end in self.ends.iter().filter_map(Weak::upgrade) {
            let state = end.state.borrow();
            if state.is_closed {
                continue;
            }
            let (flags, shown) = match state.phase {
                Phase::Listening => (ACCEPTS, UNCONNECTED),
                Phase::Connected => (0, CONNECTED),
                Phase::Unconnected => (0, UNCONNECTED),
            };
            let mut line = String::new();
            let kind = match end.kind {
                Kind::Datagram => socktype::SOCK_DGRAM,
                Kind::SeqPacket => socktype::SOCK_SEQPACKET,
                Kind::Stream | Kind::Other => socktype::SOCK_STREAM,
            };
            let _ = write!(line, "{:016x}: {:08X} {:08X} {flags:08X} {kind:04X} {shown:02X} {:5}", 0, 2, 0, end.id);
            text.extend(line.into_bytes());
            let name = &state.address[2..];
            if !name.is_empty() {
                text.push(b' ');
                // The NUL of a path is not shown; each of an abstract name is, as '@'.
                let path = name.first() != Some(&0);
                let shown = if path { name.split(|b| *b == 0).next().unwrap_or_default() } else { name };
                text.extend(shown.iter().map(|b| if *b == 0 { b'@' } else { *b }));
            }
            text.push(b'\n');
        }
        text
    }
}
