//! What the requests of ioctl(2) point to, by number (ioctl_list(2), include/uapi). Those that are in no table here show
//! their argument as a number.

use super::ioctl::Data::{self, *};
use super::layout::{Field, Kind, Layout, f, layout};
use crate::arch::Arch;
use crate::syscalls::sets;

/// Requests without an argument.
static NOTHING: &[u32] = &[
    0x125f,
    0x1261,
    0x1274,
    0x1275,
    0x1276,
    0x2202,
    0x3e01,
    0x3e02,
    0x4b36,
    0x4b37,
    0x4b3c,
    0x4b3d,
    0x4b6d,
    0x4c01,
    0x4c07,
    0x4c82,
    0x4f08,
    0x5204,
    0x5206,
    0x5207,
    0x540c,
    0x540d,
    0x541d,
    0x541f,
    0x5422,
    0x5427,
    0x5428,
    0x5437,
    0x5450,
    0x5451,
    0x7001,
    0x7002,
    0x7003,
    0x7004,
    0x7005,
    0x7006,
    0x700f,
    0x7010,
    0x7014,
    0x9406,
    0x9407,
    0x9408,
    0x941c,
    0x942e,
    0xab03,
    0xab04,
    0xab05,
    0xab06,
    0xab08,
    0xb701,
    0xb702,
    0xb703,
    0x4080_4f07,
    0x5000_9402,
    0x5000_940c,
    0x8004_5705,
    0xc004_5877,
    0xc004_5878,
];

/// The argument is a number.
static NUMBERS: &[u32] = &[
    0x2402,
    0x2405,
    0x4c00,
    0x4c06,
    0x4c80,
    0x4c81,
    0x5409,
    0x540e,
    0x5425,
    0xab00,
    0xae41,
    0x4004_2408,
    0x4004_4581,
    0x4004_4900,
    0x4004_9409,
];

/// The argument is a number without a sign.
static UNSIGNED: &[u32] = &[
    0x321,
    0x322,
    0x323,
    0x324,
    0x325,
    0x326,
    0x327,
    0x32a,
    0x32b,
    0x32c,
    0x32f,
    0x1262,
    0x1264,
    0x4c08,
    0x4c09,
    0xab01,
    0xab02,
    0xab07,
    0xab09,
    0x4004_2409,
    0x4004_4590,
    0x4004_4591,
    0x4008_700c,
    0x4008_700e,
];

/// An `int` that the kernel reads.
static INTS_IN: &[u32] = &[
    0x125d,
    0x2201,
    0x2271,
    0x2275,
    0x2279,
    0x227b,
    0x227e,
    0x2283,
    0x2285,
    0x2287,
    0x5410,
    0x541a,
    0x5420,
    0x5421,
    0x5423,
    0x5452,
    0x8901,
    0x8902,
    0x8926,
    0x4004_45a0,
    0x4004_4f01,
    0x4004_4f04,
    0x4004_5201,
    0x4004_5431,
    0x4004_6913,
    0x4004_6914,
    0x4004_6915,
    0x4004_6918,
    0x4004_6919,
    0x4004_691d,
    0x4004_691f,
    0x4004_6923,
    0x4004_6f01,
    0x4004_6f04,
    0x4004_6f05,
    0x4004_6f41,
    0x4008_1271,
    0x8004_4f05,
    0xc004_5627,
    0xc004_5706,
    0xc004_5708,
];

/// An `int` that the kernel writes.
static INTS_OUT: &[u32] = &[
    0x125e,
    0x1267,
    0x1268,
    0x1278,
    0x1279,
    0x127a,
    0x127b,
    0x127c,
    0x127e,
    0x2203,
    0x2205,
    0x2270,
    0x2272,
    0x227a,
    0x227c,
    0x227d,
    0x227f,
    0x2282,
    0x2288,
    0x540f,
    0x5411,
    0x5419,
    0x541b,
    0x5424,
    0x5429,
    0x8903,
    0x8904,
    0x8905,
    0x8925,
    0x894b,
    0xb704,
    0x4004_4d0e,
    0x8004_1284,
    0x8004_1285,
    0x8004_4584,
    0x8004_4d07,
    0x8004_5200,
    0x8004_5430,
    0x8004_5432,
    0x8004_5440,
    0x8004_5626,
    0x8004_5701,
    0x8004_5702,
    0x8004_5703,
    0x8004_5707,
    0x8004_5709,
    0x8004_570a,
    0x8004_6907,
    0x8004_6908,
    0x8004_6909,
    0x8004_690f,
    0x8004_6924,
    0x8008_1270,
];

/// 64 bits that the kernel reads.
static LONGS_IN: &[u32] = &[0x4008_2404, 0x4008_4d0b, 0x4008_4d0c, 0x4008_4f00, 0x4008_9413, 0x4008_9416];

/// 64 bits that the kernel writes.
static LONGS_OUT: &[u32] = &[
    0x302,
    0x304,
    0x308,
    0x309,
    0x30a,
    0x30b,
    0x30e,
    0x30f,
    0x310,
    0x1260,
    0x1263,
    0x1265,
    0x8008_1272,
    0x8008_1280,
    0x8008_2407,
    0x8008_700b,
    0x8008_700d,
    0x8008_9418,
];

/// 32 bits that are no number, read.
static HEX_IN: &[u32] = &[0x4004_6917];

/// The same, written.
static HEX_OUT: &[u32] = &[0x8004_4501];

/// 64 bits that are no number, read.
static HEX_LONG_IN: &[u32] = &[0x4008_2102, 0x4008_5618];

/// The same, written.
static HEX_LONG_OUT: &[u32] = &[0x8008_5617];

/// Structs that strace does not show either.
static POINTERS: &[u32] = &[
    0x8906,
    0x8907,
    0x890b,
    0x890c,
    0x890d,
    0x8911,
    0x891f,
    0x8920,
    0x8934,
    0x8935,
    0x8936,
    0x8938,
    0x8940,
    0x8941,
    0x8946,
    0x8947,
    0x8948,
    0x8949,
    0x894a,
    0x894c,
    0x8953,
    0x8954,
    0x8955,
    0x8960,
    0x8961,
    0x8962,
    0x8980,
    0x8981,
    0x8982,
    0x8983,
    0x8990,
    0x8991,
    0x8992,
    0x8993,
    0x8994,
    0x8995,
    0x89b0,
    0x89b1,
    0x4010_4593,
    0x8010_4592,
    0x8010_8906,
    0x8010_8907,
];

/// The sets of requests whose argument is simple.
static SIMPLE: &[(&[u32], Data)] = &[
    (NOTHING, Nothing),
    (NUMBERS, Int),
    (UNSIGNED, Ulong),
    (INTS_IN, IntIn),
    (INTS_OUT, IntOut),
    (LONGS_IN, LongIn),
    (LONGS_OUT, LongOut),
    (HEX_IN, HexIn),
    (HEX_OUT, HexOut),
    (HEX_LONG_IN, HexLongIn),
    (HEX_LONG_OUT, HexLongOut),
    (POINTERS, Pointer),
];

const IFNAMSIZ: usize = 16;
const NAME: Field = f("ifr_name", 0, Kind::Text(IFNAMSIZ));
static IFREQ_FLAGS: Layout = layout(40, &[NAME, f("ifr_flags", 16, Kind::Flags16(&sets::IFFLAGS))]);
static IFREQ_ADDR: Layout = layout(40, &[NAME, f("ifr_addr", 16, Kind::SockAddrIn)]);
static IFREQ_DSTADDR: Layout = layout(40, &[NAME, f("ifr_dstaddr", 16, Kind::SockAddrIn)]);
static IFREQ_BROADADDR: Layout = layout(40, &[NAME, f("ifr_broadaddr", 16, Kind::SockAddrIn)]);
static IFREQ_NETMASK: Layout = layout(40, &[NAME, f("ifr_netmask", 16, Kind::SockAddrIn)]);
static IFREQ_METRIC: Layout = layout(40, &[NAME, f("ifr_metric", 16, Kind::I32)]);
static IFREQ_MTU: Layout = layout(40, &[NAME, f("ifr_mtu", 16, Kind::I32)]);
static IFREQ_INDEX: Layout = layout(40, &[NAME, f("ifr_ifindex", 16, Kind::I32)]);
static IFREQ_QLEN: Layout = layout(40, &[NAME, f("ifr_qlen", 16, Kind::I32)]);
static IFREQ_SLAVE: Layout = layout(40, &[NAME, f("ifr_slave", 16, Kind::Text(IFNAMSIZ))]);
static IFREQ_NEWNAME: Layout = layout(40, &[NAME, f("ifr_newname", 16, Kind::Text(IFNAMSIZ))]);
static IFREQ_HWADDR: Layout = layout(40, &[NAME, f("ifr_hwaddr", 16, Kind::HardwareAddr)]);
static IFREQ_NAME: Layout = layout(40, &[f("ifr_ifindex", 16, Kind::I32), NAME]);
static IFREQ_BRIDGE: Layout = layout(40, &[f("ifr_ifindex", 16, Kind::Interface)]);
static IFREQ_MAP: Layout = layout(40, &[NAME, f("ifr_map", 16, Kind::Struct(&IFMAP))]);
static IFMAP: Layout = layout(
    24,
    &[
        f("mem_start", 0, Kind::X64),
        f("mem_end", 8, Kind::X64),
        f("base_addr", 16, Kind::X16),
        f("irq", 18, Kind::X8),
        f("dma", 19, Kind::X8),
        f("port", 20, Kind::X8),
    ],
);
// Old device numbers have 64 bits on x86_64, 32 on aarch64.
static LOOP_INFO_X86_64: Layout = layout(
    168,
    &[
        f("lo_number", 0, Kind::I32),
        f("lo_offset", 32, Kind::X32),
        f("lo_encrypt_type", 36, Kind::IfSet(4, &Kind::Enum32(&sets::LOOP_CRYPT))),
        f("lo_encrypt_key_size", 40, Kind::IfSet(4, &Kind::U32)),
        f("lo_flags", 44, Kind::Flags32(&sets::LOOP_FLAGS)),
        f("lo_name", 48, Kind::Text(64)),
        f("lo_encrypt_key", 112, Kind::CountedBytes(40, 32)),
    ],
);
static LOOP_INFO_AARCH64: Layout = layout(
    152,
    &[
        f("lo_number", 0, Kind::I32),
        f("lo_offset", 20, Kind::X32),
        f("lo_encrypt_type", 24, Kind::IfSet(4, &Kind::Enum32(&sets::LOOP_CRYPT))),
        f("lo_encrypt_key_size", 28, Kind::IfSet(4, &Kind::U32)),
        f("lo_flags", 32, Kind::Flags32(&sets::LOOP_FLAGS)),
        f("lo_name", 36, Kind::Text(64)),
        f("lo_encrypt_key", 100, Kind::CountedBytes(28, 32)),
    ],
);

/// LOOP_SET_STATUS's struct.
pub(super) fn loop_info(arch: Arch) -> &'static Layout {
    match arch {
        Arch::X86_64 => &LOOP_INFO_X86_64,
        Arch::Aarch64 => &LOOP_INFO_AARCH64,
    }
}
static LOOP_INFO64: Layout = layout(
    232,
    &[
        f("lo_offset", 24, Kind::X64),
        f("lo_number", 40, Kind::U32),
        f("lo_encrypt_type", 44, Kind::IfSet(4, &Kind::Enum32(&sets::LOOP_CRYPT))),
        f("lo_encrypt_key_size", 48, Kind::IfSet(4, &Kind::U32)),
        f("lo_flags", 52, Kind::Flags32(&sets::LOOP_FLAGS)),
        f("lo_file_name", 56, Kind::Text(64)),
        f("lo_crypt_name", 120, Kind::IfSet(1, &Kind::Text(64))),
        f("lo_encrypt_key", 184, Kind::CountedBytes(48, 32)),
    ],
);
static LOOP_CONFIG: Layout =
    layout(304, &[f("fd", 0, Kind::Fd), f("block_size", 4, Kind::U32), f("info", 8, Kind::Open(&LOOP_INFO64))]);
static GEOMETRY: Layout = layout(
    16,
    &[f("heads", 0, Kind::U8), f("sectors", 1, Kind::U8), f("cylinders", 2, Kind::U16), f("start", 8, Kind::U64)],
);
static FSXATTR_SET: Layout = layout(
    28,
    &[
        f("fsx_xflags", 0, Kind::Flags32(&sets::XFLAGS)),
        f("fsx_extsize", 4, Kind::U32),
        f("fsx_projid", 12, Kind::X32),
        f("fsx_cowextsize", 16, Kind::U32),
    ],
);
static FSXATTR_GET: Layout = layout(
    28,
    &[
        f("fsx_xflags", 0, Kind::Flags32(&sets::XFLAGS)),
        f("fsx_extsize", 4, Kind::U32),
        f("fsx_nextents", 8, Kind::U32),
        f("fsx_projid", 12, Kind::X32),
        f("fsx_cowextsize", 16, Kind::U32),
    ],
);
static CLONE_RANGE: Layout = layout(
    32,
    &[
        f("src_fd", 0, Kind::Fd),
        f("src_offset", 8, Kind::U64),
        f("src_length", 16, Kind::U64),
        f("dest_offset", 24, Kind::U64),
    ],
);
static TRIM: Layout = layout(24, &[f("start", 0, Kind::X64), f("len", 8, Kind::U64), f("minlen", 16, Kind::U64)]);
static RTC_TIME: Layout = layout(
    36,
    &[
        f("tm_sec", 0, Kind::I32),
        f("tm_min", 4, Kind::I32),
        f("tm_hour", 8, Kind::I32),
        f("tm_mday", 12, Kind::I32),
        f("tm_mon", 16, Kind::I32),
        f("tm_year", 20, Kind::I32),
    ],
);
static RTC_ALARM: Layout =
    layout(40, &[f("enabled", 0, Kind::U8), f("pending", 1, Kind::U8), f("time", 4, Kind::Open(&RTC_TIME))]);
static PARTITIONS: Layout = layout(
    24,
    &[
        f("op", 0, Kind::Enum32(&sets::BLKPG)),
        f("flags", 4, Kind::I32),
        f("datalen", 8, Kind::I32),
        f("data", 16, Kind::Addr),
    ],
);
static INPUT_ID: Layout = layout(
    8,
    &[f("bustype", 0, Kind::U16), f("vendor", 2, Kind::U16), f("product", 4, Kind::U16), f("version", 6, Kind::U16)],
);
static NOTIFICATION_ANSWER: Layout = layout(
    24,
    &[
        f("id", 0, Kind::X64),
        f("val", 8, Kind::I64),
        f("error", 16, Kind::I32),
        f("flags", 20, Kind::Flags32(&sets::SECCOMP_CONTINUE)),
    ],
);
static NOTIFICATION_FD: Layout = layout(
    24,
    &[
        f("id", 0, Kind::X64),
        f("flags", 8, Kind::Flags32(&sets::SECCOMP_ADDFD)),
        f("srcfd", 12, Kind::Fd),
        f("newfd", 16, Kind::U32),
        f("newfd_flags", 20, Kind::Flags32(&sets::OPEN_MODE)),
    ],
);
static RANGE: Layout = layout(16, &[f("start", 0, Kind::X64), f("len", 8, Kind::X64)]);

/// Requests with a struct, a name or bits; in the order of their numbers.
static OTHERS: &[(u32, Data)] = &[
    (0x0301, LayoutOut(&GEOMETRY)),
    (0x0307, BytesOut(142)),
    (0x030d, BytesOut(512)),
    (0x1269, LayoutIn(&PARTITIONS)),
    (0x1277, PairIn),
    (0x127d, PairIn),
    (0x127f, PairIn),
    (0x2400, Flags(&sets::PERF_IOC)),
    (0x2401, Flags(&sets::PERF_IOC)),
    (0x2403, Flags(&sets::PERF_IOC)),
    (0x4b33, EnumOut(&sets::KD_TYPE)),
    (0x4b3a, Enum(&sets::KD_MODE)),
    (0x4b3b, EnumOut(&sets::KD_MODE)),
    (0x4b44, EnumOut(&sets::KD_KEYBOARD)),
    (0x4b45, Enum(&sets::KD_KEYBOARD)),
    (0x4c02, LoopIn),
    (0x4c03, LoopOut),
    (0x4c04, OpenIn(&LOOP_INFO64)),
    (0x4c05, OpenOut(&LOOP_INFO64)),
    (0x4c0a, LayoutIn(&LOOP_CONFIG)),
    (0x5401, TermiosOut),
    (0x5402, TermiosIn),
    (0x5403, TermiosIn),
    (0x5404, TermiosIn),
    (0x5405, TermioOut),
    (0x5406, TermioIn),
    (0x5407, TermioIn),
    (0x5408, TermioIn),
    (0x540a, Enum(&sets::TCFLOW)),
    (0x540b, Enum(&sets::TCFLUSH)),
    (0x5412, CharIn),
    (0x5413, WinsizeOut),
    (0x5414, WinsizeIn),
    (0x5415, Flags32Out(&sets::MODEM)),
    (0x5416, Flags32In(&sets::MODEM)),
    (0x5417, Flags32In(&sets::MODEM)),
    (0x5418, Flags32In(&sets::MODEM)),
    (0x5456, TermiosOut),
    (0x5457, TermiosIn),
    (0x8910, LayoutOut(&IFREQ_NAME)),
    (0x8912, Interfaces),
    (0x8913, LayoutOut(&IFREQ_FLAGS)),
    (0x8914, LayoutIn(&IFREQ_FLAGS)),
    (0x8915, LayoutOut(&IFREQ_ADDR)),
    (0x8916, LayoutIn(&IFREQ_ADDR)),
    (0x8917, LayoutOut(&IFREQ_DSTADDR)),
    (0x8918, LayoutIn(&IFREQ_DSTADDR)),
    (0x8919, LayoutOut(&IFREQ_BROADADDR)),
    (0x891a, LayoutIn(&IFREQ_BROADADDR)),
    (0x891b, LayoutOut(&IFREQ_NETMASK)),
    (0x891c, LayoutIn(&IFREQ_NETMASK)),
    (0x891d, LayoutOut(&IFREQ_METRIC)),
    (0x891e, LayoutIn(&IFREQ_METRIC)),
    (0x8921, LayoutOut(&IFREQ_MTU)),
    (0x8922, LayoutIn(&IFREQ_MTU)),
    (0x8923, LayoutIn(&IFREQ_NEWNAME)),
    (0x8924, LayoutIn(&IFREQ_HWADDR)),
    (0x8927, LayoutOut(&IFREQ_HWADDR)),
    (0x8929, LayoutOut(&IFREQ_SLAVE)),
    (0x8930, LayoutIn(&IFREQ_SLAVE)),
    (0x8931, LayoutIn(&IFREQ_HWADDR)),
    (0x8932, LayoutIn(&IFREQ_HWADDR)),
    (0x8933, LayoutOut(&IFREQ_INDEX)),
    (0x8937, LayoutIn(&IFREQ_HWADDR)),
    (0x8942, LayoutOut(&IFREQ_QLEN)),
    (0x8943, LayoutIn(&IFREQ_QLEN)),
    (0x8970, LayoutOut(&IFREQ_MAP)),
    (0x8971, LayoutIn(&IFREQ_MAP)),
    (0x89a0, TextIn(16)),
    (0x89a1, TextIn(16)),
    (0x89a2, LayoutIn(&IFREQ_BRIDGE)),
    (0x89a3, LayoutIn(&IFREQ_BRIDGE)),
    (0xab0a, Flags(&sets::NBD_FLAGS)),
    (0x4004_6602, Flags32In(&sets::INODE_FLAGS)),
    (0x4008_2406, PathIn),
    (0x4008_4503, PairOf32In),
    (0x4008_6602, Flags32In(&sets::INODE_FLAGS)),
    (0x4018_2103, LayoutIn(&NOTIFICATION_FD)),
    (0x401c_5820, LayoutIn(&FSXATTR_SET)),
    (0x4020_940d, LayoutIn(&CLONE_RANGE)),
    (0x4024_7007, OpenIn(&RTC_TIME)),
    (0x4024_700a, OpenIn(&RTC_TIME)),
    (0x4028_700f, LayoutIn(&RTC_ALARM)),
    (0x402c_542b, TermiosIn),
    (0x402c_542c, TermiosIn),
    (0x402c_542d, TermiosIn),
    (0x4100_9432, TextIn(256)),
    (0x8004_6601, Flags32Out(&sets::INODE_FLAGS)),
    (0x8004_7013, Flags32Out(&sets::RTC_VL)),
    (0x8008_4502, LayoutOut(&INPUT_ID)),
    (0x8008_4503, PairOf32Out),
    (0x8008_6601, Flags32Out(&sets::INODE_FLAGS)),
    (0x8010_aa01, LayoutIn(&RANGE)),
    (0x8010_aa02, LayoutIn(&RANGE)),
    (0x801c_581f, LayoutOut(&FSXATTR_GET)),
    (0x8024_7008, OpenOut(&RTC_TIME)),
    (0x8024_7009, OpenOut(&RTC_TIME)),
    (0x8028_7010, LayoutOut(&RTC_ALARM)),
    (0x802c_542a, TermiosOut),
    (0x8100_9431, TextOut(256)),
    (0xc018_2101, LayoutIn(&NOTIFICATION_ANSWER)),
    (0xc018_5879, LayoutIn(&TRIM)),
];

/// The tables of requests, each in the order of their numbers.
static TABLES: &[&[(u32, Data)]] =
    &[OTHERS, super::ioctl_btrfs::REQUESTS, super::ioctl_devices::REQUESTS, super::ioctl_video::REQUESTS];

/// What the argument of a request is.
pub(super) fn data_of(request: u32) -> Option<Data> {
    let simple = SIMPLE.iter().find(|(requests, _)| requests.binary_search(&request).is_ok()).map(|(_, data)| *data);
    simple.or_else(|| {
        TABLES.iter().find_map(|table| table.binary_search_by_key(&request, |(r, _)| *r).ok().map(|i| table[i].1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order() {
        for table in TABLES {
            assert!(table.is_sorted_by_key(|(request, _)| *request));
        }
        for (requests, _) in SIMPLE {
            assert!(requests.is_sorted());
            let elsewhere = |r: &u32| TABLES.iter().any(|t| t.binary_search_by_key(r, |(o, _)| *o).is_ok());
            assert!(!requests.iter().any(elsewhere));
        }
    }
}
