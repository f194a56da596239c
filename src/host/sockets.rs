//! Sockets of the host: internet, netlink, packet, and those UNIX sockets that belong to programs outside.

use super::HostFd;
use crate::abi::Errno;
use crate::mem::Spans;

/// One of the two addresses of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This socket's own (getsockname(2)).
    Own,
    /// The other end's (getpeername(2)).
    Peer,
}

/// What a message is taken from.
#[derive(Debug)]
pub enum Data<'a> {
    /// Guest memory.
    Guest(&'a Spans),
    /// sevm's own memory.
    Own(&'a [u8]),
}

/// Where a message is put.
#[derive(Debug)]
pub enum DataMut<'a> {
    /// Guest memory.
    Guest(&'a Spans),
    /// sevm's own memory.
    Own(&'a mut [u8]),
}

/// What came with a message.
#[derive(Debug, Default)]
pub struct Arrived {
    /// Bytes put, or with MSG_TRUNC the bytes that the message has.
    pub bytes: usize,
    /// Address of the sender; empty if there is none.
    pub from: Vec<u8>,
    /// Control messages as the host made them, without those of open files.
    pub control: Vec<u8>,
    /// Open files that were sent (SCM_RIGHTS).
    pub files: Vec<HostFd>,
    /// MSG_* bits.
    pub flags: u32,
}

/// Operations on sockets. All of them never wait; errors are the host's.
pub trait Sockets {
    /// A new socket, which never waits.
    ///
    /// # Errors
    /// Those of socket(2).
    fn socket(&mut self, domain: u32, kind: u32, protocol: i32) -> Result<HostFd, Errno>;

    /// Makes a socket that sevm was started with one that never waits, and gives its domain, type and protocol.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    fn adopt_socket(&mut self, fd: &HostFd) -> Result<[u32; 3], Errno>;

    /// Gives it an address.
    ///
    /// # Errors
    /// Those of bind(2).
    fn bind(&mut self, fd: &HostFd, address: &[u8]) -> Result<(), Errno>;

    /// Connects it.
    ///
    /// # Errors
    /// Those of connect(2); `EINPROGRESS` and `EALREADY` while it is under way.
    fn connect(&mut self, fd: &HostFd, address: &[u8]) -> Result<(), Errno>;

    /// Connects it to the UNIX socket that `node` is a handle of.
    ///
    /// # Errors
    /// Those of connect(2).
    fn connect_node(&mut self, fd: &HostFd, node: &HostFd) -> Result<(), Errno>;

    /// Lets it take connections.
    ///
    /// # Errors
    /// Those of listen(2).
    fn listen(&mut self, fd: &HostFd, backlog: i32) -> Result<(), Errno>;

    /// Takes a connection, and gives the other end's address.
    ///
    /// # Errors
    /// Those of accept(2); `EAGAIN` when there is none.
    fn accept(&mut self, fd: &HostFd) -> Result<(HostFd, Vec<u8>), Errno>;

    /// An address of its connection.
    ///
    /// # Errors
    /// Those of getsockname(2) and getpeername(2).
    fn address(&mut self, fd: &HostFd, side: Side) -> Result<Vec<u8>, Errno>;

    /// Sends a message with its control messages and open files; gives the number of bytes. Never raises SIGPIPE.
    ///
    /// # Errors
    /// Those of sendmsg(2); `EAGAIN` when it would have to wait.
    fn send(
        &mut self,
        fd: &HostFd,
        to: Option<&[u8]>,
        data: Data<'_>,
        control: &[u8],
        files: &[HostFd],
        flags: u32,
    ) -> Result<usize, Errno>;

    /// Receives a message, with at most `room` bytes of control messages.
    ///
    /// # Errors
    /// Those of recvmsg(2); `EAGAIN` when there is none.
    fn receive(&mut self, fd: &HostFd, data: DataMut<'_>, room: usize, flags: u32) -> Result<Arrived, Errno>;

    /// Ends one direction or both (SHUT_*).
    ///
    /// # Errors
    /// Those of shutdown(2).
    fn shutdown(&mut self, fd: &HostFd, how: u32) -> Result<(), Errno>;

    /// Reads an option that [`known_option`] lists into `value`; gives its length.
    ///
    /// # Errors
    /// Those of getsockopt(2); `ENOPROTOOPT` for one that is not listed.
    fn option(&mut self, fd: &HostFd, level: u32, name: u32, value: &mut [u8]) -> Result<usize, Errno>;

    /// Sets an option that [`known_option`] lists.
    ///
    /// # Errors
    /// Those of setsockopt(2); `ENOPROTOOPT` for one that is not listed.
    fn set_option(&mut self, fd: &HostFd, level: u32, name: u32, value: &[u8]) -> Result<(), Errno>;

    /// Sets a classic packet filter (SO_ATTACH_FILTER): its instructions, 8 bytes each.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    fn attach_filter(&mut self, fd: &HostFd, program: &[u8]) -> Result<(), Errno>;

    /// A number that a request of ioctl(2) gives: bytes waiting or unsent, the out-of-band mark.
    ///
    /// # Errors
    /// Those of the protocol; `ENOTTY` for another request.
    fn socket_number(&mut self, fd: &HostFd, request: u32) -> Result<i32, Errno>;

    /// A request about a network interface over a struct of 40 bytes.
    ///
    /// # Errors
    /// Those of netdevice(7); `ENOTTY` for another request or length.
    fn interface(&mut self, fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<(), Errno>;

    /// The interfaces that have an address (SIOCGIFCONF): structs of 40 bytes, at most `max` bytes of them; without
    /// `max`, only how many bytes there are.
    ///
    /// # Errors
    /// Those of netdevice(7).
    fn interfaces(&mut self, fd: &HostFd, max: Option<usize>) -> Result<(Vec<u8>, usize), Errno>;
}

/// Options that may reach the host, as level, first and last name, and the most bytes that a value has. Left out are
/// those whose value holds pointers or descriptors, and those that the kernel answers itself.
const OPTIONS: &[(u32, u32, u32, usize)] = &[
    // SOL_SOCKET
    (1, 1, 12, 4),    // SO_DEBUG to SO_PRIORITY
    (1, 13, 13, 8),   // SO_LINGER
    (1, 14, 16, 4),   // SO_BSDCOMPAT, SO_REUSEPORT, SO_PASSCRED
    (1, 18, 19, 4),   // SO_RCVLOWAT, SO_SNDLOWAT
    (1, 25, 25, 16),  // SO_BINDTODEVICE
    (1, 27, 27, 4),   // SO_DETACH_FILTER
    (1, 28, 28, 128), // SO_PEERNAME
    (1, 29, 30, 4),   // SO_TIMESTAMP, SO_ACCEPTCONN
    (1, 31, 31, 256), // SO_PEERSEC
    (1, 32, 36, 4),   // SO_SNDBUFFORCE to SO_MARK
    (1, 37, 37, 8),   // SO_TIMESTAMPING
    (1, 38, 46, 4),   // SO_PROTOCOL to SO_BUSY_POLL
    (1, 47, 47, 8),   // SO_MAX_PACING_RATE
    (1, 48, 49, 4),   // SO_BPF_EXTENSIONS, SO_INCOMING_CPU
    (1, 53, 53, 4),   // SO_CNX_ADVICE
    (1, 55, 55, 36),  // SO_MEMINFO
    (1, 56, 56, 4),   // SO_INCOMING_NAPI_ID
    (1, 57, 57, 8),   // SO_COOKIE
    (1, 60, 60, 4),   // SO_ZEROCOPY
    (1, 61, 61, 8),   // SO_TXTIME
    (1, 62, 64, 4),   // SO_BINDTOIFINDEX, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW
    (1, 65, 65, 8),   // SO_TIMESTAMPING_NEW
    (1, 68, 70, 4),   // SO_DETACH_REUSEPORT_BPF, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET
    (1, 71, 71, 8),   // SO_NETNS_COOKIE
    (1, 72, 75, 4),   // SO_BUF_LOCK to SO_RCVMARK
    (1, 82, 82, 4),   // SO_RCVPRIORITY
    // SOL_IP
    (0, 1, 3, 4),      // IP_TOS, IP_TTL, IP_HDRINCL
    (0, 4, 4, 40),     // IP_OPTIONS
    (0, 5, 8, 4),      // IP_ROUTER_ALERT to IP_PKTINFO
    (0, 9, 9, 40),     // IP_PKTOPTIONS
    (0, 10, 15, 4),    // IP_MTU_DISCOVER to IP_MTU
    (0, 18, 25, 4),    // IP_PASSSEC to IP_RECVFRAGSIZE
    (0, 26, 26, 4),    // IP_RECVERR_RFC4884
    (0, 32, 32, 12),   // IP_MULTICAST_IF
    (0, 33, 34, 4),    // IP_MULTICAST_TTL, IP_MULTICAST_LOOP
    (0, 35, 40, 12),   // IP_ADD_MEMBERSHIP to IP_DROP_SOURCE_MEMBERSHIP
    (0, 41, 41, 4096), // IP_MSFILTER
    (0, 42, 47, 264),  // MCAST_JOIN_GROUP to MCAST_LEAVE_SOURCE_GROUP
    (0, 48, 48, 4096), // MCAST_MSFILTER
    (0, 49, 51, 4),    // IP_MULTICAST_ALL, IP_UNICAST_IF, IP_LOCAL_PORT_RANGE
    (0, 52, 52, 4),    // IP_PROTOCOL
    // SOL_TCP
    (6, 1, 10, 4),    // TCP_NODELAY to TCP_WINDOW_CLAMP
    (6, 11, 11, 512), // TCP_INFO
    (6, 12, 12, 4),   // TCP_QUICKACK
    (6, 13, 13, 16),  // TCP_CONGESTION
    (6, 14, 14, 216), // TCP_MD5SIG
    (6, 16, 18, 4),   // TCP_THIN_LINEAR_TIMEOUTS, TCP_THIN_DUPACK, TCP_USER_TIMEOUT
    (6, 23, 25, 4),   // TCP_FASTOPEN, TCP_TIMESTAMP, TCP_NOTSENT_LOWAT
    (6, 26, 26, 256), // TCP_CC_INFO
    (6, 27, 28, 512), // TCP_SAVE_SYN, TCP_SAVED_SYN
    (6, 30, 30, 4),   // TCP_FASTOPEN_CONNECT
    (6, 32, 32, 216), // TCP_MD5SIG_EXT
    (6, 33, 33, 32),  // TCP_FASTOPEN_KEY
    (6, 34, 34, 4),   // TCP_FASTOPEN_NO_COOKIE
    (6, 36, 37, 4),   // TCP_INQ, TCP_TX_DELAY
    (6, 44, 46, 4),   // TCP_RTO_MAX_MS and its kin
    // SOL_UDP, SOL_UDPLITE
    (17, 1, 1, 4),     // UDP_CORK
    (17, 100, 104, 4), // UDP_ENCAP to UDP_GRO
    (136, 1, 11, 4),   // UDP_CORK, UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV
    // SOL_IPV6
    (41, 1, 1, 4),      // IPV6_ADDRFORM
    (41, 2, 2, 40),     // IPV6_2292PKTINFO
    (41, 3, 5, 256),    // IPV6_2292HOPOPTS and its kin
    (41, 6, 6, 1024),   // IPV6_2292PKTOPTIONS
    (41, 7, 8, 4),      // IPV6_CHECKSUM, IPV6_2292HOPLIMIT
    (41, 9, 9, 32),     // IPV6_NEXTHOP
    (41, 11, 11, 4),    // IPV6_FLOWINFO
    (41, 16, 19, 4),    // IPV6_UNICAST_HOPS to IPV6_MULTICAST_LOOP
    (41, 20, 21, 20),   // IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP
    (41, 22, 26, 4),    // IPV6_ROUTER_ALERT to IPV6_V6ONLY
    (41, 27, 28, 20),   // IPV6_JOIN_ANYCAST, IPV6_LEAVE_ANYCAST
    (41, 29, 31, 4),    // IPV6_MULTICAST_ALL, IPV6_ROUTER_ALERT_ISOLATE, IPV6_RECVERR_RFC4884
    (41, 32, 32, 32),   // IPV6_FLOWLABEL_MGR
    (41, 33, 33, 4),    // IPV6_FLOWINFO_SEND
    (41, 36, 36, 4),    // IPV6_HDRINCL
    (41, 42, 47, 264),  // MCAST_JOIN_GROUP to MCAST_LEAVE_SOURCE_GROUP
    (41, 48, 48, 4096), // MCAST_MSFILTER
    (41, 49, 49, 4),    // IPV6_RECVPKTINFO
    (41, 50, 50, 20),   // IPV6_PKTINFO
    (41, 51, 53, 4),    // IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT, IPV6_RECVHOPOPTS
    (41, 54, 55, 256),  // IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS
    (41, 56, 56, 4),    // IPV6_RECVRTHDR
    (41, 57, 57, 256),  // IPV6_RTHDR
    (41, 58, 58, 4),    // IPV6_RECVDSTOPTS
    (41, 59, 59, 256),  // IPV6_DSTOPTS
    (41, 60, 60, 4),    // IPV6_RECVPATHMTU
    (41, 61, 61, 32),   // IPV6_PATHMTU
    (41, 62, 62, 4),    // IPV6_DONTFRAG
    (41, 66, 67, 4),    // IPV6_RECVTCLASS, IPV6_TCLASS
    (41, 70, 70, 4),    // IPV6_AUTOFLOWLABEL
    (41, 72, 78, 4),    // IPV6_ADDR_PREFERENCES to IPV6_RECVFRAGSIZE
    // SOL_ICMPV6, SOL_RAW
    (58, 1, 1, 32), // ICMPV6_FILTER
    (255, 1, 1, 4), // ICMP_FILTER
    // SOL_PACKET
    (263, 1, 2, 24),  // PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP
    (263, 3, 3, 4),   // PACKET_RECV_OUTPUT
    (263, 6, 6, 24),  // PACKET_STATISTICS
    (263, 7, 12, 4),  // PACKET_COPY_THRESH to PACKET_RESERVE
    (263, 14, 15, 4), // PACKET_LOSS, PACKET_VNET_HDR
    (263, 17, 17, 4), // PACKET_TIMESTAMP
    (263, 18, 18, 8), // PACKET_FANOUT
    (263, 19, 20, 4), // PACKET_TX_HAS_OFF, PACKET_QDISC_BYPASS
    (263, 23, 24, 4), // PACKET_IGNORE_OUTGOING, PACKET_VNET_HDR_SZ
    // SOL_NETLINK
    (270, 1, 5, 4),   // NETLINK_ADD_MEMBERSHIP to NETLINK_NO_ENOBUFS
    (270, 8, 8, 4),   // NETLINK_LISTEN_ALL_NSID
    (270, 9, 9, 128), // NETLINK_LIST_MEMBERSHIPS
    (270, 10, 12, 4), // NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK
];

/// The most bytes that the value of an option has which the host may be asked for or told; `None` for one that must not
/// reach it.
pub fn known_option(level: u32, name: u32) -> Option<usize> {
    OPTIONS.iter().find(|(l, first, last, _)| *l == level && (*first..=*last).contains(&name)).map(|o| o.3)
}
