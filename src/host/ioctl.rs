//! Which ioctl(2) requests may reach the host's files, and what memory they take or give.
//!
//! A request that is not listed never gets to the host, since only its driver knows what its argument means.

/// What the argument of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Not used.
    None,
    /// A number.
    Number,
    /// Points to so many bytes that the request fills.
    Out(usize),
    /// Points to so many bytes that the request reads.
    In(usize),
}

/// The requests, by number. x86_64 and aarch64 share them.
const REQUESTS: &[(u32, Payload)] = &[
    // Any file (uapi/linux/fs.h).
    (0x0002, Payload::Out(4)),        // FIGETBSZ
    (0x5460, Payload::Out(8)),        // FIOQSIZE
    (0x541b, Payload::Out(4)),        // FIONREAD
    (0x8008_6601, Payload::Out(4)),   // FS_IOC_GETFLAGS: an int, whatever the number says
    (0x4008_6602, Payload::In(4)),    // FS_IOC_SETFLAGS
    (0x8008_7601, Payload::Out(4)),   // FS_IOC_GETVERSION
    (0x4008_7602, Payload::In(4)),    // FS_IOC_SETVERSION
    (0x801c_581f, Payload::Out(28)),  // FS_IOC_FSGETXATTR
    (0x401c_5820, Payload::In(28)),   // FS_IOC_FSSETXATTR
    (0x8100_9431, Payload::Out(256)), // FS_IOC_GETFSLABEL
    (0x8011_1500, Payload::Out(17)),  // FS_IOC_GETFSUUID
    (0x8081_1501, Payload::Out(129)), // FS_IOC_GETFSSYSFSPATH
    // Block devices.
    (0x125e, Payload::Out(4)),      // BLKROGET
    (0x1260, Payload::Out(8)),      // BLKGETSIZE
    (0x1261, Payload::None),        // BLKFLSBUF
    (0x1263, Payload::Out(8)),      // BLKRAGET
    (0x1267, Payload::Out(2)),      // BLKSECTGET
    (0x1268, Payload::Out(4)),      // BLKSSZGET
    (0x8008_1270, Payload::Out(4)), // BLKBSZGET: an int
    (0x8008_1272, Payload::Out(8)), // BLKGETSIZE64
    (0x1278, Payload::Out(4)),      // BLKIOMIN
    (0x1279, Payload::Out(4)),      // BLKIOOPT
    (0x127a, Payload::Out(4)),      // BLKALIGNOFF
    (0x127b, Payload::Out(4)),      // BLKPBSZGET
    (0x127c, Payload::Out(4)),      // BLKDISCARDZEROES
    (0x127e, Payload::Out(2)),      // BLKROTATIONAL
    (0x8008_1280, Payload::Out(8)), // BLKGETDISKSEQ
    // Random devices and clocks.
    (0x8004_5200, Payload::Out(4)),  // RNDGETENTCNT
    (0x8024_7009, Payload::Out(36)), // RTC_RD_TIME
    // Consoles: programs ask these to find out whether they are on one.
    (0x4b33, Payload::Out(1)), // KDGKBTYPE
    (0x4b3b, Payload::Out(4)), // KDGETMODE
    (0x4b44, Payload::Out(4)), // KDGKBMODE
    (0x5603, Payload::Out(6)), // VT_GETSTATE
    // Terminals (uapi/asm-generic/ioctls.h).
    (0x5401, Payload::Out(36)),      // TCGETS
    (0x5402, Payload::In(36)),       // TCSETS
    (0x5403, Payload::In(36)),       // TCSETSW
    (0x5404, Payload::In(36)),       // TCSETSF
    (0x802c_542a, Payload::Out(44)), // TCGETS2
    (0x402c_542b, Payload::In(44)),  // TCSETS2
    (0x402c_542c, Payload::In(44)),  // TCSETSW2
    (0x402c_542d, Payload::In(44)),  // TCSETSF2
    (0x5405, Payload::Out(18)),      // TCGETA
    (0x5406, Payload::In(18)),       // TCSETA
    (0x5407, Payload::In(18)),       // TCSETAW
    (0x5408, Payload::In(18)),       // TCSETAF
    (0x5456, Payload::Out(36)),      // TIOCGLCKTRMIOS
    (0x5457, Payload::In(36)),       // TIOCSLCKTRMIOS
    (0x5409, Payload::Number),       // TCSBRK
    (0x5425, Payload::Number),       // TCSBRKP
    (0x5427, Payload::None),         // TIOCSBRK
    (0x5428, Payload::None),         // TIOCCBRK
    (0x540a, Payload::Number),       // TCXONC
    (0x540b, Payload::Number),       // TCFLSH
    (0x540c, Payload::None),         // TIOCEXCL
    (0x540d, Payload::None),         // TIOCNXCL
    (0x8004_5440, Payload::Out(4)),  // TIOCGEXCL
    (0x5411, Payload::Out(4)),       // TIOCOUTQ
    (0x5413, Payload::Out(8)),       // TIOCGWINSZ
    (0x5414, Payload::In(8)),        // TIOCSWINSZ
    (0x5415, Payload::Out(4)),       // TIOCMGET
    (0x5416, Payload::In(4)),        // TIOCMBIS
    (0x5417, Payload::In(4)),        // TIOCMBIC
    (0x5418, Payload::In(4)),        // TIOCMSET
    (0x5419, Payload::Out(4)),       // TIOCGSOFTCAR
    (0x541a, Payload::In(4)),        // TIOCSSOFTCAR
    (0x5423, Payload::In(4)),        // TIOCSETD
    (0x5424, Payload::Out(4)),       // TIOCGETD
    // Pseudoterminals.
    (0x5420, Payload::In(4)),       // TIOCPKT
    (0x8004_5430, Payload::Out(4)), // TIOCGPTN
    (0x4004_5431, Payload::In(4)),  // TIOCSPTLCK
    (0x8004_5432, Payload::Out(4)), // TIOCGDEV
    (0x8004_5438, Payload::Out(4)), // TIOCGPKT
    (0x8004_5439, Payload::Out(4)), // TIOCGPTLCK
];

/// What the argument of `request` is; `None` for one that must not reach the host.
pub fn payload(request: u32) -> Option<Payload> {
    REQUESTS.iter().find(|(r, _)| *r == request).map(|(_, p)| *p)
}
