//! Requests of ioctl(2) to Btrfs (include/uapi/linux/btrfs.h).

use super::ioctl::Data::{self, *};
use super::layout::{Kind, Layout, f, layout};
use crate::syscalls::sets;

static VOL_ARGS: Layout = layout(4096, &[f("fd", 0, Kind::Fd), f("name", 8, Kind::Text(4088))]);
static VOL_V2: Layout = layout(
    4096,
    &[f("fd", 0, Kind::Fd), f("flags", 16, Kind::Flags64(&sets::BTRFS_SUBVOL)), f("name", 56, Kind::Text(4040))],
);
static VOL_V2_MADE: Layout = layout(4096, &[f("transid", 8, Kind::U64)]);
static QGROUP_CREATE: Layout = layout(16, &[f("create", 0, Kind::U64), f("qgroupid", 8, Kind::U64)]);
static QGROUP_ASSIGN: Layout =
    layout(24, &[f("assign", 0, Kind::U64), f("src", 8, Kind::U64), f("dst", 16, Kind::U64)]);
static QGROUP_BOUNDS: Layout = layout(
    40,
    &[
        f("flags", 0, Kind::Flags64(&sets::BTRFS_QGROUP_LIMIT)),
        f("max_rfer", 8, Kind::U64),
        f("max_excl", 16, Kind::U64),
        f("rsv_rfer", 24, Kind::U64),
        f("rsv_excl", 32, Kind::U64),
    ],
);
static QGROUP_LIMIT: Layout = layout(48, &[f("qgroupid", 0, Kind::U64), f("lim", 8, Kind::Struct(&QGROUP_BOUNDS))]);
static QUOTA_RESCAN: Layout = layout(64, &[f("flags", 0, Kind::U64)]);
static QUOTA_STATUS: Layout = layout(64, &[f("flags", 0, Kind::U64), f("progress", 8, Kind::U64)]);
static QUOTA_CTL: Layout = layout(16, &[f("cmd", 0, Kind::Enum64(&sets::BTRFS_QUOTA_CTL))]);
static DEFRAG_RANGE: Layout = layout(
    48,
    &[
        f("start", 0, Kind::U64),
        f("len", 8, Kind::U64),
        f("flags", 16, Kind::Flags64(&sets::BTRFS_DEFRAG)),
        f("extent_thresh", 24, Kind::U32),
        f("compress_type", 28, Kind::Enum32(&sets::BTRFS_COMPRESS)),
    ],
);
static FEATURES: Layout = layout(
    24,
    &[
        f("compat_flags", 0, Kind::Flags64(&sets::BTRFS_COMPAT)),
        f("compat_ro_flags", 8, Kind::Flags64(&sets::BTRFS_COMPAT_RO)),
        f("incompat_flags", 16, Kind::Flags64(&sets::BTRFS_INCOMPAT)),
    ],
);
static SEND: Layout = layout(
    72,
    &[
        f("send_fd", 0, Kind::Fd),
        f("clone_sources_count", 8, Kind::U64),
        f("clone_sources", 16, Kind::Addr),
        f("parent_root", 24, Kind::U64),
        f("flags", 32, Kind::Flags64(&sets::BTRFS_SEND)),
    ],
);
static FS_INFO: Layout = layout(
    1024,
    &[
        f("max_id", 0, Kind::U64),
        f("num_devices", 8, Kind::U64),
        f("fsid", 16, Kind::Uuid),
        f("nodesize", 32, Kind::U32),
        f("sectorsize", 36, Kind::U32),
        f("clone_alignment", 40, Kind::U32),
        f("csum_type", 44, Kind::Enum16(&sets::BTRFS_CSUM_TYPE)),
        f("csum_size", 46, Kind::U16),
        f("flags", 48, Kind::Flags64(&sets::BTRFS_FS_INFO)),
    ],
);
static SPACE_ASKED: Layout = layout(16, &[f("space_slots", 0, Kind::U64)]);
static SPACE_TOLD: Layout = layout(16, &[f("total_spaces", 8, Kind::U64), f("", 0, Kind::Rest)]);
static INO_PATH: Layout = layout(56, &[f("inum", 0, Kind::U64), f("size", 8, Kind::U64), f("fspath", 48, Kind::Addr)]);
static INO_PATH_TOLD: Layout = layout(56, &[f("fspath", 48, Kind::Addr)]);
static LOGICAL_INO: Layout = layout(
    56,
    &[
        f("logical", 0, Kind::U64),
        f("size", 8, Kind::U64),
        f("reserved", 16, Kind::IfSet(24, &Kind::Many(3, 8, &Kind::X64))),
        f("flags", 40, Kind::Flags64(&sets::BTRFS_LOGICAL_INO)),
        f("inodes", 48, Kind::Addr),
    ],
);
static LOGICAL_INO_TOLD: Layout = layout(56, &[f("inodes", 48, Kind::Addr)]);
static SEARCH_KEY: Layout = layout(
    104,
    &[
        f("tree_id", 0, Kind::U64),
        f("min_objectid", 8, Kind::U64),
        f("max_objectid", 16, Kind::U64),
        f("min_offset", 24, Kind::U64),
        f("max_offset", 32, Kind::U64),
        f("min_transid", 40, Kind::U64),
        f("max_transid", 48, Kind::U64),
        f("min_type", 56, Kind::Enum32(&sets::BTRFS_KEY)),
        f("max_type", 60, Kind::Enum32(&sets::BTRFS_KEY)),
        f("nr_items", 64, Kind::U32),
    ],
);
static SEARCH_KEY_TOLD: Layout = layout(104, &[f("nr_items", 64, Kind::U32)]);
static SEARCH: Layout = layout(4096, &[f("key", 0, Kind::Struct(&SEARCH_KEY))]);
static SEARCH_TOLD: Layout = layout(4096, &[f("key", 0, Kind::Struct(&SEARCH_KEY_TOLD)), f("", 0, Kind::Rest)]);
static SEARCH_V2: Layout = layout(112, &[f("key", 0, Kind::Struct(&SEARCH_KEY)), f("buf_size", 104, Kind::U64)]);
static SEARCH_V2_TOLD: Layout =
    layout(112, &[f("key", 0, Kind::Struct(&SEARCH_KEY_TOLD)), f("buf_size", 104, Kind::U64), f("", 0, Kind::Rest)]);
static TIME: Layout = layout(16, &[f("sec", 0, Kind::U64), f("nsec", 8, Kind::U32)]);
static RECEIVED: Layout = layout(
    200,
    &[
        f("uuid", 0, Kind::Uuid),
        f("stransid", 16, Kind::U64),
        f("stime", 32, Kind::Dated(&TIME)),
        f("flags", 64, Kind::U64),
    ],
);
static RECEIVED_TOLD: Layout = layout(200, &[f("rtransid", 24, Kind::U64), f("rtime", 48, Kind::Dated(&TIME))]);
static SCRUB_COUNTS: Layout = layout(
    120,
    &[
        f("data_extents_scrubbed", 0, Kind::U64),
        f("tree_extents_scrubbed", 8, Kind::U64),
        f("data_bytes_scrubbed", 16, Kind::U64),
        f("tree_bytes_scrubbed", 24, Kind::U64),
        f("read_errors", 32, Kind::U64),
        f("csum_errors", 40, Kind::U64),
        f("verify_errors", 48, Kind::U64),
        f("no_csum", 56, Kind::U64),
        f("csum_discards", 64, Kind::U64),
        f("super_errors", 72, Kind::U64),
        f("malloc_errors", 80, Kind::U64),
        f("uncorrectable_errors", 88, Kind::U64),
        f("corrected_errors", 96, Kind::U64),
        f("last_physical", 104, Kind::U64),
        f("unverified_errors", 112, Kind::U64),
    ],
);
static SCRUB: Layout = layout(
    1024,
    &[
        f("devid", 0, Kind::Dev64),
        f("start", 8, Kind::U64),
        f("end", 16, Kind::U64),
        f("flags", 24, Kind::Flags64(&sets::BTRFS_SCRUB)),
    ],
);
static SCRUB_ASKED: Layout = layout(1024, &[f("devid", 0, Kind::Dev64)]);
static SCRUB_TOLD: Layout = layout(1024, &[f("progress", 32, Kind::Struct(&SCRUB_COUNTS))]);
static REPLACE: Layout = layout(2600, &[f("cmd", 0, Kind::Enum64(&sets::BTRFS_REPLACE_CMD))]);
static REPLACE_TOLD: Layout = layout(2600, &[f("result", 8, Kind::Enum64(&sets::BTRFS_REPLACE_RESULT))]);
static INO_LOOKUP: Layout = layout(4096, &[f("treeid", 0, Kind::U64), f("objectid", 8, Kind::U64)]);
static INO_LOOKUP_TOLD: Layout = layout(4096, &[f("name", 16, Kind::Text(4080))]);
static DEVICE_ASKED: Layout = layout(4096, &[f("devid", 0, Kind::Dev64), f("uuid", 8, Kind::IfSet(16, &Kind::Uuid))]);
static DEVICE: Layout = layout(
    4096,
    &[
        f("uuid", 8, Kind::Uuid),
        f("bytes_used", 24, Kind::U64),
        f("total_bytes", 32, Kind::U64),
        f("path", 3072, Kind::Text(1024)),
    ],
);

/// In the order of their numbers.
pub(super) static REQUESTS: &[(u32, Data)] = &[
    (0x4004_9421, Enum(&sets::BTRFS_BALANCE_CTL)),
    (0x4008_941a, Flags64In(&sets::BTRFS_SUBVOL)),
    (0x4010_942a, LayoutIn(&QGROUP_CREATE)),
    (0x4018_9429, LayoutIn(&QGROUP_ASSIGN)),
    (0x4030_9410, LayoutIn(&DEFRAG_RANGE)),
    (0x4030_9439, LayoutsIn(2, &FEATURES)),
    (0x4040_942c, LayoutIn(&QUOTA_RESCAN)),
    (0x4048_9426, LayoutIn(&SEND)),
    (0x5000_9401, LayoutIn(&VOL_ARGS)),
    (0x5000_9403, LayoutIn(&VOL_ARGS)),
    (0x5000_9404, LayoutIn(&VOL_ARGS)),
    (0x5000_9405, LayoutIn(&VOL_ARGS)),
    (0x5000_940a, LayoutIn(&VOL_ARGS)),
    (0x5000_940b, LayoutIn(&VOL_ARGS)),
    (0x5000_940e, LayoutIn(&VOL_ARGS)),
    (0x5000_940f, LayoutIn(&VOL_ARGS)),
    (0x5000_9417, Both(&VOL_V2, &VOL_V2_MADE)),
    (0x5000_9418, Both(&VOL_V2, &VOL_V2_MADE)),
    (0x8008_9419, Flags64Out(&sets::BTRFS_SUBVOL)),
    (0x8018_9439, LayoutOut(&FEATURES)),
    (0x8030_942b, LayoutIn(&QGROUP_LIMIT)),
    (0x8040_942d, LayoutOut(&QUOTA_STATUS)),
    (0x8400_941f, LayoutOut(&FS_INFO)),
    (0x9000_9427, LayoutIn(&VOL_ARGS)),
    (0xc010_9414, Both(&SPACE_ASKED, &SPACE_TOLD)),
    (0xc010_9428, LayoutIn(&QUOTA_CTL)),
    (0xc038_9423, Both(&INO_PATH, &INO_PATH_TOLD)),
    (0xc038_9424, Both(&LOGICAL_INO, &LOGICAL_INO_TOLD)),
    (0xc070_9411, Both(&SEARCH_V2, &SEARCH_V2_TOLD)),
    (0xc0c8_9425, Both(&RECEIVED, &RECEIVED_TOLD)),
    (0xc400_941b, Both(&SCRUB, &SCRUB_TOLD)),
    (0xc400_941d, Both(&SCRUB_ASKED, &SCRUB_TOLD)),
    (0xca28_9435, Both(&REPLACE, &REPLACE_TOLD)),
    (0xd000_9411, Both(&SEARCH, &SEARCH_TOLD)),
    (0xd000_9412, Both(&INO_LOOKUP, &INO_LOOKUP_TOLD)),
    (0xd000_941e, Both(&DEVICE_ASKED, &DEVICE)),
];
