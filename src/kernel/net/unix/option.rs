//! Options of UNIX sockets (socket(7), unix(7)).

use super::*;

/// The least that SO_SNDBUF and SO_RCVBUF set, and the most that those without privileges can ask for
/// (net.core.wmem_max).
const MIN_SEND: u32 = 4608;
const MIN_RECEIVE: u32 = 2304;
const MAX_ASKED: u32 = 212_992;

/// Options that are remembered and mean nothing here, with their first values.
const REMEMBERED: &[(u32, u32)] = &[
    (so::SO_DEBUG, 0),
    (so::SO_REUSEADDR, 0),
    (so::SO_DONTROUTE, 0),
    (so::SO_BROADCAST, 0),
    (so::SO_KEEPALIVE, 0),
    (so::SO_OOBINLINE, 0),
    (so::SO_NO_CHECK, 0),
    (so::SO_PRIORITY, 0),
    (so::SO_RCVLOWAT, 1),
    (so::SO_TIMESTAMP_OLD, 0),
    (so::SO_TIMESTAMPNS_OLD, 0),
    (so::SO_MARK, 0),
    (so::SO_PASSSEC, 0),
    (so::SO_RXQ_OVFL, 0),
    (so::SO_SELECT_ERR_QUEUE, 0),
    (so::SO_BUSY_POLL, 0),
];

fn word(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// getsockopt(2).
pub(super) fn get(ctx: &mut Ctx, end: &End, level: u32, name: u32, len: usize) -> Result<Vec<u8>, Errno> {
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    let mut state = end.state.borrow_mut();
    Ok(match name {
        so::SO_TYPE => word(super::connect::type_number(end.kind)),
        so::SO_DOMAIN => word(AF_UNIX),
        so::SO_PROTOCOL | so::SO_BSDCOMPAT => word(0),
        so::SO_ERROR => word(state.error.take().map_or(0, |e| e.0.into())),
        so::SO_ACCEPTCONN => word(u32::from(state.phase == Phase::Listening)),
        so::SO_SNDBUF => word(end.send_buffer.get()),
        so::SO_RCVBUF => word(end.receive_buffer.get()),
        so::SO_SNDLOWAT => word(1),
        so::SO_REUSEPORT => word(0),
        so::SO_PASSCRED => word(u32::from(end.pass_credentials.get())),
        so::SO_PEERCRED => {
            use zerocopy::IntoBytes;
            let nobody = UCred { pid: 0, uid: u32::MAX, gid: u32::MAX };
            state.peer_owner.as_ref().map_or(nobody, |o| o.0).as_bytes().to_vec()
        }
        so::SO_PEERGROUPS => {
            let groups = &state.peer_owner.as_ref().ok_or(Errno::ENODATA)?.1;
            if len < groups.len() * 4 {
                return Err(Errno::ERANGE);
            }
            groups.iter().flat_map(|g| g.to_le_bytes()).collect()
        }
        so::SO_LINGER => [state.numbers.get(&so::SO_LINGER), state.numbers.get(&LINGER_SECONDS)]
            .iter()
            .flat_map(|n| n.copied().unwrap_or(0).to_le_bytes())
            .collect(),
        so::SO_COOKIE if len == 8 => end.id.to_le_bytes().to_vec(),
        so::SO_COOKIE => return Err(Errno::EINVAL),
        so::SO_PEERNAME => {
            drop(state);
            let own = UnixPeer(end).address(ctx)?;
            if len > own.len() {
                return Err(Errno::EINVAL);
            }
            own
        }
        _ => {
            let first = REMEMBERED.iter().find(|(n, _)| *n == name).ok_or(Errno::ENOPROTOOPT)?.1;
            word(state.numbers.get(&name).copied().unwrap_or(first))
        }
    })
}

/// Where the seconds of SO_LINGER are remembered: beyond all options.
const LINGER_SECONDS: u32 = u32::MAX;

/// The other end's address.
struct UnixPeer<'a>(&'a End);

impl UnixPeer<'_> {
    fn address(&self, _ctx: &mut Ctx) -> Result<Vec<u8>, Errno> {
        let peer = self.0.state.borrow().peer.clone().ok_or(Errno::ENOTCONN)?;
        let address = peer.state.borrow().address.to_vec();
        Ok(address)
    }
}

/// setsockopt(2).
pub(super) fn set(ctx: &mut Ctx, end: &End, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    if name == so::SO_BINDTODEVICE {
        return Err(Errno::ENOPROTOOPT);
    }
    let number = value.first_chunk().copied().map(u32::from_le_bytes).ok_or(Errno::EINVAL)?;
    // Twice of what is asked for, since Linux counts its own bookkeeping too.
    let doubled = |most: u32, least: u32| number.min(most).saturating_mul(2).max(least).min(i32::MAX as u32);
    let may_force = ctx.thread().credentials.has(crate::abi::consts::cap::CAP_NET_ADMIN);
    match name {
        so::SO_PASSCRED => end.pass_credentials.set(number != 0),
        so::SO_SNDBUF => end.send_buffer.set(doubled(MAX_ASKED, MIN_SEND)),
        so::SO_RCVBUF => end.receive_buffer.set(doubled(MAX_ASKED, MIN_RECEIVE)),
        so::SO_SNDBUFFORCE | so::SO_RCVBUFFORCE if !may_force => return Err(Errno::EPERM),
        so::SO_SNDBUFFORCE => end.send_buffer.set(doubled(i32::MAX as u32 / 2, MIN_SEND)),
        so::SO_RCVBUFFORCE => end.receive_buffer.set(doubled(i32::MAX as u32 / 2, MIN_RECEIVE)),
        so::SO_LINGER => {
            let seconds = value.get(4..8).ok_or(Errno::EINVAL)?;
            let seconds = u32::from_le_bytes([seconds[0], seconds[1], seconds[2], seconds[3]]);
            let numbers = &mut end.state.borrow_mut().numbers;
            numbers.insert(so::SO_LINGER, u32::from(number != 0));
            numbers.insert(LINGER_SECONDS, seconds);
        }
        so::SO_TYPE | so::SO_DOMAIN | so::SO_PROTOCOL | so::SO_ERROR | so::SO_ACCEPTCONN | so::SO_SNDLOWAT => {
            return Err(Errno::ENOPROTOOPT);
        }
        so::SO_REUSEPORT if number != 0 => return Err(Errno::EOPNOTSUPP),
        so::SO_REUSEPORT | so::SO_BSDCOMPAT => {}
        _ => {
            REMEMBERED.iter().find(|(n, _)| *n == name).ok_or(Errno::ENOPROTOOPT)?;
            let kept = match name {
                so::SO_PRIORITY | so::SO_MARK | so::SO_BUSY_POLL => number,
                so::SO_RCVLOWAT => number.max(1),
                _ => u32::from(number != 0),
            };
            end.state.borrow_mut().numbers.insert(name, kept);
        }
    }
    end.wake();
    Ok(())
}
