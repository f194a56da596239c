//! Requests of ioctl(2) to devices of less common kinds (include/uapi/linux, include/uapi/mtd).

use super::ioctl::Data::{self, *};
use super::layout::{Kind, Layout, f, layout};
use crate::syscalls::sets;

static MEMORY_REGION: Layout = layout(
    32,
    &[
        f("slot", 0, Kind::U32),
        f("flags", 4, Kind::Flags32(&sets::KVM_MEM)),
        f("guest_phys_addr", 8, Kind::X64),
        f("memory_size", 16, Kind::U64),
        f("userspace_addr", 24, Kind::Addr),
    ],
);
static CLOCK_TIME: Layout =
    layout(16, &[f("sec", 0, Kind::I64), f("nsec", 8, Kind::U32), f("reserved", 12, Kind::IfSet(4, &Kind::X32))]);
static EXTTS: Layout = layout(16, &[f("index", 0, Kind::U32), f("flags", 4, Kind::Flags32(&sets::PTP_EXTTS))]);
static EXTTS2: Layout = layout(
    16,
    &[
        f("index", 0, Kind::U32),
        f("flags", 4, Kind::Flags32(&sets::PTP_EXTTS)),
        f("rsv", 8, Kind::IfSet(8, &Kind::Many(2, 4, &Kind::X32))),
    ],
);
static PEROUT: Layout = layout(
    56,
    &[
        f("start", 0, Kind::Dated(&CLOCK_TIME)),
        f("period", 16, Kind::Struct(&CLOCK_TIME)),
        f("index", 32, Kind::U32),
        f("flags", 36, Kind::Flags32(&sets::PTP_PEROUT)),
    ],
);
static PEROUT2: Layout = layout(
    56,
    &[
        f("start", 0, Kind::Dated(&CLOCK_TIME)),
        f("period", 16, Kind::Struct(&CLOCK_TIME)),
        f("index", 32, Kind::U32),
        f("flags", 36, Kind::Flags32(&sets::PTP_PEROUT)),
        f("rsv", 40, Kind::IfSet(16, &Kind::Many(4, 4, &Kind::X32))),
    ],
);
static PIN: Layout = layout(
    96,
    &[
        f("index", 64, Kind::U32),
        f("name", 0, Kind::Text(64)),
        f("func", 68, Kind::Enum32(&sets::PTP_PF)),
        f("chan", 72, Kind::U32),
    ],
);
static PIN2: Layout = layout(
    96,
    &[
        f("index", 64, Kind::U32),
        f("rsv", 76, Kind::IfSet(20, &Kind::Many(5, 4, &Kind::X32))),
        f("name", 0, Kind::Text(64)),
        f("func", 68, Kind::Enum32(&sets::PTP_PF)),
        f("chan", 72, Kind::U32),
    ],
);
static PIN_SET: Layout =
    layout(96, &[f("index", 64, Kind::U32), f("func", 68, Kind::Enum32(&sets::PTP_PF)), f("chan", 72, Kind::U32)]);
static PIN_SET2: Layout = layout(
    96,
    &[
        f("index", 64, Kind::U32),
        f("func", 68, Kind::Enum32(&sets::PTP_PF)),
        f("chan", 72, Kind::U32),
        f("rsv", 76, Kind::IfSet(20, &Kind::Many(5, 4, &Kind::X32))),
    ],
);
static CLOCK_CAPS: Layout = layout(
    80,
    &[
        f("max_adj", 0, Kind::I32),
        f("n_alarm", 4, Kind::I32),
        f("n_ext_ts", 8, Kind::I32),
        f("n_per_out", 12, Kind::I32),
        f("pps", 16, Kind::I32),
        f("n_pins", 20, Kind::I32),
        f("cross_timestamping", 24, Kind::I32),
        f("adjust_phase", 28, Kind::I32),
        f("rsv", 32, Kind::IfSet(48, &Kind::Many(12, 4, &Kind::X32))),
    ],
);
static PRECISE: Layout = layout(
    64,
    &[
        f("device", 0, Kind::Dated(&CLOCK_TIME)),
        f("sys_realtime", 16, Kind::Dated(&CLOCK_TIME)),
        f("sys_monoraw", 32, Kind::Struct(&CLOCK_TIME)),
        f("rsv", 48, Kind::IfSet(16, &Kind::Many(4, 4, &Kind::X32))),
    ],
);
static UBI_LEB: Layout =
    layout(16, &[f("lnum", 0, Kind::I32), f("bytes", 4, Kind::I32), f("dtype", 8, Kind::Enum8(&sets::UBI_DTYPE))]);
static UBI_MAP: Layout = layout(8, &[f("lnum", 0, Kind::I32), f("dtype", 4, Kind::Enum8(&sets::UBI_DTYPE))]);
static UBI_RESIZE: Layout = layout(12, &[f("bytes", 0, Kind::I64), f("vol_id", 8, Kind::I32)]);
static UBI_PROPERTY: Layout = layout(16, &[f("property", 0, Kind::Enum8(&sets::UBI_PROP)), f("value", 8, Kind::X64)]);
static UBI_ATTACH: Layout = layout(
    24,
    &[
        f("ubi_num", 0, Kind::I32),
        f("mtd_num", 4, Kind::I32),
        f("vid_hdr_offset", 8, Kind::I32),
        f("max_beb_per1024", 12, Kind::I16),
    ],
);
static TEE_VERSION: Layout = layout(
    12,
    &[
        f("impl_id", 0, Kind::Enum32(&sets::TEE_IMPL)),
        f("gen_caps", 8, Kind::Flags32(&sets::TEE_GEN_CAP)),
        f("impl_caps", 4, Kind::Flags32(&sets::TEE_OPTEE_CAP)),
    ],
);
static TEE_BUFFER: Layout = layout(16, &[f("buf_len", 8, Kind::U64), f("buf_ptr", 0, Kind::Addr)]);
static TEE_SESSION: Layout = layout(4, &[f("session", 0, Kind::X32)]);
static TEE_CANCEL: Layout = layout(8, &[f("cancel_id", 0, Kind::U32), f("session", 4, Kind::X32)]);
static TEE_ALLOC: Layout = layout(16, &[f("size", 0, Kind::X64), f("flags", 8, Kind::Flags32(&sets::TEE_SHM))]);
static TEE_ALLOC_TOLD: Layout =
    layout(16, &[f("size", 0, Kind::X64), f("flags", 8, Kind::Flags32(&sets::TEE_SHM)), f("id", 12, Kind::I32)]);
static TEE_REGISTER: Layout =
    layout(24, &[f("addr", 0, Kind::Addr), f("length", 8, Kind::X64), f("flags", 16, Kind::Flags32(&sets::TEE_SHM))]);
static TEE_REGISTER_TOLD: Layout =
    layout(24, &[f("length", 8, Kind::X64), f("flags", 16, Kind::Flags32(&sets::TEE_SHM)), f("id", 20, Kind::I32)]);
static CHIP: Layout =
    layout(68, &[f("name", 0, Kind::Text(32)), f("label", 32, Kind::Text(32)), f("lines", 64, Kind::U32)]);
static UNWATCH: Layout = layout(4, &[f("offset", 0, Kind::U32)]);
static LINE_ASKED: Layout = layout(72, &[f("line_offset", 0, Kind::U32)]);
static LINE: Layout = layout(
    72,
    &[f("flags", 4, Kind::Flags32(&sets::GPIO_LINE)), f("name", 0, Kind::Text(32)), f("consumer", 32, Kind::Text(32))],
);
static LINE_EVENT: Layout = layout(
    48,
    &[
        f("lineoffset", 0, Kind::U32),
        f("handleflags", 4, Kind::Flags32(&sets::GPIO_HANDLE)),
        f("eventflags", 8, Kind::Flags32(&sets::GPIO_EVENT)),
        f("consumer_label", 12, Kind::Text(32)),
    ],
);
static LINE_EVENT_TOLD: Layout = layout(48, &[f("fd", 44, Kind::Fd)]);
static HANDLE_VALUES: Layout = layout(64, &[f("values", 0, Kind::Many(64, 1, &Kind::U8))]);
static HANDLE_CONFIG: Layout = layout(
    84,
    &[f("flags", 0, Kind::Flags32(&sets::GPIO_HANDLE)), f("default_values", 4, Kind::Many(64, 1, &Kind::U8))],
);
static HANDLE: Layout = layout(
    364,
    &[
        f("lines", 356, Kind::U32),
        f("lineoffsets", 0, Kind::Counted(356, 64, 4, &Kind::U32)),
        f("flags", 256, Kind::Flags32(&sets::GPIO_HANDLE)),
        f("default_values", 260, Kind::Counted(356, 64, 1, &Kind::U8)),
        f("consumer_label", 324, Kind::Text(32)),
    ],
);
static HANDLE_TOLD: Layout = layout(364, &[f("fd", 360, Kind::Fd)]);
static V2_ASKED: Layout = layout(16, &[f("mask", 8, Kind::X64)]);
static V2_TOLD: Layout = layout(16, &[f("bits", 0, Kind::X64)]);
static V2_SET: Layout = layout(16, &[f("bits", 0, Kind::X64), f("mask", 8, Kind::X64)]);
static V2_ATTRIBUTE: Layout =
    layout(16, &[f("id", 0, Kind::U32), f("padding", 4, Kind::IfSet(4, &Kind::X32)), f("data", 8, Kind::X64)]);
static V2_CONFIG_ATTRIBUTE: Layout = layout(24, &[f("attr", 0, Kind::Struct(&V2_ATTRIBUTE)), f("mask", 16, Kind::X64)]);
static V2_CONFIG: Layout = layout(
    272,
    &[
        f("flags", 0, Kind::Flags64(&sets::GPIO_V2_LINE)),
        f("num_attrs", 8, Kind::U32),
        f("padding", 12, Kind::IfSet(20, &Kind::Many(5, 4, &Kind::X32))),
        f("attrs", 32, Kind::Counted(8, 10, 24, &Kind::Struct(&V2_CONFIG_ATTRIBUTE))),
    ],
);
static V2_LINE_ASKED: Layout = layout(256, &[f("offset", 64, Kind::U32)]);
static V2_LINE: Layout = layout(
    256,
    &[
        f("name", 0, Kind::Text(32)),
        f("consumer", 32, Kind::Text(32)),
        f("flags", 72, Kind::Flags64(&sets::GPIO_V2_LINE)),
        f("num_attrs", 68, Kind::U32),
        f("attrs", 80, Kind::Counted(68, 10, 16, &Kind::Struct(&V2_ATTRIBUTE))),
        f("padding", 240, Kind::IfSet(16, &Kind::Many(4, 4, &Kind::X32))),
    ],
);
static V2_REQUEST: Layout = layout(
    592,
    &[
        f("num_lines", 560, Kind::U32),
        f("offsets", 0, Kind::Counted(560, 64, 4, &Kind::U32)),
        f("consumer", 256, Kind::Text(32)),
        f("config", 288, Kind::Struct(&V2_CONFIG)),
        f("event_buffer_size", 564, Kind::U32),
        f("padding", 568, Kind::IfSet(20, &Kind::Many(5, 4, &Kind::X32))),
    ],
);
static V2_REQUEST_TOLD: Layout = layout(592, &[f("fd", 588, Kind::Fd)]);
static COMPONENT: Layout = layout(
    4,
    &[
        f("type", 0, Kind::Enum8(&sets::COUNTER_COMPONENT)),
        f("scope", 1, Kind::Enum8(&sets::COUNTER_SCOPE)),
        f("parent", 2, Kind::U8),
        f("id", 3, Kind::U8),
    ],
);
static WATCH: Layout = layout(
    6,
    &[
        f("component", 0, Kind::Struct(&COMPONENT)),
        f("event", 4, Kind::Enum8(&sets::COUNTER_EVENT)),
        f("channel", 5, Kind::U8),
    ],
);
static PLL: Layout = layout(
    32,
    &[
        f("pll_ctrl", 0, Kind::I32),
        f("pll_value", 4, Kind::I32),
        f("pll_max", 8, Kind::I32),
        f("pll_min", 12, Kind::I32),
        f("pll_posmult", 16, Kind::I32),
        f("pll_negmult", 20, Kind::I32),
        f("pll_clock", 24, Kind::I64),
    ],
);
static UFFD_RANGE: Layout = layout(16, &[f("start", 0, Kind::X64), f("len", 8, Kind::X64)]);
static UFFD_REGISTER: Layout = layout(
    32,
    &[
        f("range", 0, Kind::Struct(&UFFD_RANGE)),
        f("mode", 16, Kind::Flags64(&sets::UFFD_REGISTER)),
        f("ioctls", 24, Kind::X64),
    ],
);
static UFFD_ZEROPAGE: Layout = layout(
    32,
    &[
        f("range", 0, Kind::Struct(&UFFD_RANGE)),
        f("mode", 16, Kind::Flags64(&sets::UFFD_ZEROPAGE)),
        f("zeropage", 24, Kind::X64),
    ],
);
static UFFD_COPY: Layout = layout(
    40,
    &[
        f("dst", 0, Kind::X64),
        f("src", 8, Kind::X64),
        f("len", 16, Kind::X64),
        f("mode", 24, Kind::Flags64(&sets::UFFD_COPY)),
        f("copy", 32, Kind::X64),
    ],
);
static BLKTRACE: Layout = layout(
    72,
    &[
        f("act_mask", 32, Kind::U16),
        f("buf_size", 36, Kind::U32),
        f("buf_nr", 40, Kind::U32),
        f("start_lba", 48, Kind::U64),
        f("end_lba", 56, Kind::U64),
        f("pid", 64, Kind::U32),
    ],
);
static BLKTRACE_TOLD: Layout = layout(72, &[f("name", 0, Kind::Text(32))]);
static SECCOMP_DATA: Layout = layout(
    64,
    &[
        f("nr", 0, Kind::I32),
        f("arch", 4, Kind::Enum32(&sets::AUDIT_ARCH)),
        f("instruction_pointer", 8, Kind::X64),
        f("args", 16, Kind::Many(6, 8, &Kind::X64)),
    ],
);
static NOTIFICATION: Layout = layout(
    80,
    &[
        f("id", 0, Kind::X64),
        f("pid", 8, Kind::U32),
        f("flags", 12, Kind::X32),
        f("data", 16, Kind::Struct(&SECCOMP_DATA)),
    ],
);
static ERASE: Layout = layout(8, &[f("start", 0, Kind::X32), f("length", 4, Kind::X32)]);
static ERASE64: Layout = layout(16, &[f("start", 0, Kind::X64), f("length", 8, Kind::X64)]);
static OTP: Layout = layout(12, &[f("start", 0, Kind::X32), f("length", 4, Kind::X32), f("locked", 8, Kind::U32)]);
static OOB: Layout = layout(16, &[f("start", 0, Kind::X32), f("length", 4, Kind::X32), f("ptr", 8, Kind::Addr)]);
static OOB64: Layout =
    layout(24, &[f("start", 0, Kind::X64), f("length", 12, Kind::X32), f("usr_ptr", 16, Kind::Addr)]);
static REGION: Layout = layout(
    16,
    &[
        f("regionindex", 12, Kind::X32),
        f("offset", 0, Kind::X32),
        f("erasesize", 4, Kind::X32),
        f("numblocks", 8, Kind::X32),
    ],
);
static MTD_INFO: Layout = layout(
    32,
    &[
        f("type", 0, Kind::Enum8(&sets::MTD_TYPE)),
        f("flags", 4, Kind::Flags32(&sets::MTD_FLAGS)),
        f("size", 8, Kind::X32),
        f("erasesize", 12, Kind::X32),
        f("writesize", 16, Kind::X32),
        f("oobsize", 20, Kind::X32),
        f("padding", 24, Kind::X64),
    ],
);
static ECC_STATS: Layout = layout(
    16,
    &[
        f("corrected", 0, Kind::X32),
        f("failed", 4, Kind::X32),
        f("badblocks", 8, Kind::X32),
        f("bbtblocks", 12, Kind::X32),
    ],
);
static MTD_WRITE: Layout = layout(
    48,
    &[
        f("start", 0, Kind::X64),
        f("len", 8, Kind::X64),
        f("ooblen", 16, Kind::X64),
        f("usr_data", 24, Kind::Addr),
        f("usr_oob", 32, Kind::Addr),
        f("mode", 40, Kind::Enum8(&sets::MTD_OPS)),
    ],
);
static KEYCODE: Layout = layout(8, &[f("scancode", 0, Kind::X32), f("keycode", 4, Kind::X32)]);
static REPEAT: Layout = layout(8, &[f("delay", 0, Kind::I32), f("period", 4, Kind::I32)]);
static UNIMAP: Layout = layout(16, &[f("entry_ct", 0, Kind::U16), f("entries", 8, Kind::Addr)]);
static UNIMAP_HINTS: Layout = layout(
    6,
    &[f("advised_hashsize", 0, Kind::U16), f("advised_hashstep", 2, Kind::U16), f("advised_hashlevel", 4, Kind::U16)],
);
static FONT: Layout =
    layout(16, &[f("charcount", 0, Kind::U16), f("charheight", 2, Kind::U16), f("chardata", 8, Kind::Addr)]);
static FONT_OP: Layout = layout(
    32,
    &[
        f("op", 0, Kind::Enum32(&sets::KD_FONT_OP)),
        f("flags", 4, Kind::Flags32(&sets::KD_FONT_FLAG)),
        f("width", 8, Kind::U32),
        f("height", 12, Kind::U32),
        f("charcount", 16, Kind::U32),
        f("data", 24, Kind::Addr),
    ],
);
static FONT_TOLD: Layout = layout(
    32,
    &[f("width", 8, Kind::U32), f("height", 12, Kind::U32), f("charcount", 16, Kind::U32), f("data", 24, Kind::Addr)],
);
static SCSI_ID: Layout = layout(
    32,
    &[
        f("host_no", 0, Kind::I32),
        f("channel", 4, Kind::I32),
        f("scsi_id", 8, Kind::X32),
        f("lun", 12, Kind::I32),
        f("scsi_type", 16, Kind::X32),
        f("h_cmd_per_lun", 20, Kind::I16),
        f("d_queue_depth", 22, Kind::I16),
    ],
);
static UFFD_API: Layout = layout(
    24,
    &[f("api", 0, Kind::X64), f("features", 8, Kind::Flags64(&sets::UFFD_FEATURE)), f("ioctls", 16, Kind::X64)],
);
static VCPU_REGS: Layout = layout(
    144,
    &[
        f("rax", 0, Kind::X64),
        f("", 0, Kind::Rest),
        f("rsp", 48, Kind::X64),
        f("rbp", 56, Kind::X64),
        f("", 0, Kind::Rest),
        f("rip", 128, Kind::X64),
        f("rflags", 136, Kind::X64),
    ],
);
static VCPU_REGS_ALL: Layout = layout(
    144,
    &[
        f("rax", 0, Kind::X64),
        f("rbx", 8, Kind::X64),
        f("rcx", 16, Kind::X64),
        f("rdx", 24, Kind::X64),
        f("rsi", 32, Kind::X64),
        f("rdi", 40, Kind::X64),
        f("rsp", 48, Kind::X64),
        f("rbp", 56, Kind::X64),
        f("r8", 64, Kind::X64),
        f("r9", 72, Kind::X64),
        f("r10", 80, Kind::X64),
        f("r11", 88, Kind::X64),
        f("r12", 96, Kind::X64),
        f("r13", 104, Kind::X64),
        f("r14", 112, Kind::X64),
        f("r15", 120, Kind::X64),
        f("rip", 128, Kind::X64),
        f("rflags", 136, Kind::X64),
    ],
);
static SEGMENT: Layout = layout(
    24,
    &[
        f("base", 0, Kind::X64),
        f("limit", 8, Kind::U32),
        f("selector", 12, Kind::U16),
        f("type", 14, Kind::U8),
        f("present", 15, Kind::U8),
        f("dpl", 16, Kind::U8),
        f("db", 17, Kind::U8),
        f("s", 18, Kind::U8),
        f("l", 19, Kind::U8),
        f("g", 20, Kind::U8),
        f("avl", 21, Kind::U8),
    ],
);
static TABLE: Layout = layout(16, &[f("base", 0, Kind::X64), f("limit", 8, Kind::U16)]);
static VCPU_SREGS: Layout = layout(312, &[f("cs", 0, Kind::Struct(&SEGMENT)), f("", 0, Kind::Rest)]);
static VCPU_SREGS_ALL: Layout = layout(
    312,
    &[
        f("cs", 0, Kind::Struct(&SEGMENT)),
        f("ds", 24, Kind::Struct(&SEGMENT)),
        f("es", 48, Kind::Struct(&SEGMENT)),
        f("fs", 72, Kind::Struct(&SEGMENT)),
        f("gs", 96, Kind::Struct(&SEGMENT)),
        f("ss", 120, Kind::Struct(&SEGMENT)),
        f("tr", 144, Kind::Struct(&SEGMENT)),
        f("ldt", 168, Kind::Struct(&SEGMENT)),
        f("gdt", 192, Kind::Struct(&TABLE)),
        f("idt", 208, Kind::Struct(&TABLE)),
        f("cr0", 224, Kind::U64),
        f("cr2", 232, Kind::U64),
        f("cr3", 240, Kind::U64),
        f("cr4", 248, Kind::U64),
        f("cr8", 256, Kind::U64),
        f("efer", 264, Kind::U64),
        f("apic_base", 272, Kind::U64),
        f("interrupt_bitmap", 280, Kind::Many(4, 8, &Kind::X64)),
    ],
);

/// In the order of their numbers.
pub(super) static REQUESTS: &[(u32, Data)] = &[
    (0x031a, LongEnumOut(&sets::HD_BUSSTATE)),
    (0x032d, Enum(&sets::HD_BUSSTATE)),
    (0x2276, LayoutOut(&SCSI_ID)),
    (0x4b31, Flags8Out(&sets::KD_LED)),
    (0x4b32, Flags8(&sets::KD_LED)),
    (0x4b40, HexBytesOut(256)),
    (0x4b41, HexBytesIn(256)),
    (0x4b4c, Changed(&KEYCODE)),
    (0x4b4d, LayoutIn(&KEYCODE)),
    (0x4b52, Both(&REPEAT, &REPEAT)),
    (0x4b60, HexBytesOut(8192)),
    (0x4b61, HexBytesIn(8192)),
    (0x4b62, EnumOut(&sets::KD_META)),
    (0x4b63, Enum(&sets::KD_META)),
    (0x4b67, LayoutIn(&UNIMAP)),
    (0x4b68, LayoutIn(&UNIMAP_HINTS)),
    (0x4b6b, Both(&FONT, &FONT)),
    (0x4b6c, LayoutIn(&FONT)),
    (0x4b70, HexBytesOut(48)),
    (0x4b71, HexBytesIn(48)),
    (0x4b72, Both(&FONT_OP, &FONT_TOLD)),
    (0x4d13, Enum(&sets::MTD_FILE_MODE)),
    (0xae03, Enum(&sets::KVM_CAP)),
    (0x4004_4f02, LayoutIn(&UBI_LEB)),
    (0x4004_6911, EnumIn(&sets::LIRC_MODE)),
    (0x4004_6912, EnumIn(&sets::LIRC_MODE)),
    (0x4006_3e00, LayoutIn(&WATCH)),
    (0x4008_4d02, LayoutIn(&ERASE)),
    (0x4008_4d05, LayoutIn(&ERASE)),
    (0x4008_4d06, LayoutIn(&ERASE)),
    (0x4008_4f03, LayoutIn(&UBI_MAP)),
    (0x400c_4d0f, LayoutOut(&OTP)),
    (0x400c_6f02, LayoutIn(&UBI_RESIZE)),
    (0x4010_3d02, LayoutIn(&EXTTS)),
    (0x4010_3d0b, LayoutIn(&EXTTS2)),
    (0x4010_4d14, LayoutIn(&ERASE64)),
    (0x4010_4f06, LayoutIn(&UBI_PROPERTY)),
    (0x4018_6f40, LayoutIn(&UBI_ATTACH)),
    (0x4020_7012, LayoutIn(&PLL)),
    (0x4020_ae46, LayoutIn(&MEMORY_REGION)),
    (0x4038_3d03, LayoutIn(&PEROUT)),
    (0x4038_3d0c, LayoutIn(&PEROUT2)),
    (0x4060_3d07, LayoutIn(&PIN_SET)),
    (0x4060_3d10, LayoutIn(&PIN_SET2)),
    (0x4090_ae82, BriefIn(&VCPU_REGS, &VCPU_REGS_ALL)),
    (0x4138_ae84, BriefIn(&VCPU_SREGS, &VCPU_SREGS_ALL)),
    (0x8004_4d0d, EnumIn(&sets::MTD_OTP)),
    (0x8004_6900, Flags32Out(&sets::LIRC_CAN)),
    (0x8004_6901, EnumOut(&sets::LIRC_MODE)),
    (0x8004_6902, EnumOut(&sets::LIRC_MODE)),
    (0x8004_a405, LayoutIn(&TEE_SESSION)),
    (0x8008_4d17, LayoutIn(&ERASE)),
    (0x8008_a404, LayoutIn(&TEE_CANCEL)),
    (0x800c_4d10, LayoutIn(&OTP)),
    (0x800c_a400, LayoutOut(&TEE_VERSION)),
    (0x8010_4d12, LayoutOut(&ECC_STATS)),
    (0x8010_a402, LayoutOut(&TEE_BUFFER)),
    (0x8010_a403, LayoutOut(&TEE_BUFFER)),
    (0x8010_a406, LayoutOut(&TEE_BUFFER)),
    (0x8010_a407, LayoutOut(&TEE_BUFFER)),
    (0x8020_4d01, LayoutOut(&MTD_INFO)),
    (0x8020_7011, LayoutOut(&PLL)),
    (0x8044_b401, LayoutOut(&CHIP)),
    (0x8050_3d01, LayoutOut(&CLOCK_CAPS)),
    (0x8050_3d0a, LayoutOut(&CLOCK_CAPS)),
    (0x8090_ae81, BriefOut(&VCPU_REGS, &VCPU_REGS_ALL)),
    (0x8138_ae83, BriefOut(&VCPU_SREGS, &VCPU_SREGS_ALL)),
    (0xc004_b40c, LayoutIn(&UNWATCH)),
    (0xc010_4d03, LayoutIn(&OOB)),
    (0xc010_4d04, LayoutIn(&OOB)),
    (0xc010_4d08, LayoutOut(&REGION)),
    (0xc010_a401, Both(&TEE_ALLOC, &TEE_ALLOC_TOLD)),
    (0xc010_b40e, Both(&V2_ASKED, &V2_TOLD)),
    (0xc010_b40f, LayoutIn(&V2_SET)),
    (0xc018_4d15, LayoutIn(&OOB64)),
    (0xc018_4d16, LayoutIn(&OOB64)),
    (0xc018_a409, Both(&TEE_REGISTER, &TEE_REGISTER_TOLD)),
    (0xc018_aa3f, LayoutOut(&UFFD_API)),
    (0xc020_aa00, LayoutOut(&UFFD_REGISTER)),
    (0xc020_aa04, LayoutOut(&UFFD_ZEROPAGE)),
    (0xc028_aa03, LayoutOut(&UFFD_COPY)),
    (0xc030_4d18, LayoutIn(&MTD_WRITE)),
    (0xc030_b404, Both(&LINE_EVENT, &LINE_EVENT_TOLD)),
    (0xc040_3d08, LayoutOut(&PRECISE)),
    (0xc040_3d11, LayoutOut(&PRECISE)),
    (0xc040_b408, LayoutOut(&HANDLE_VALUES)),
    (0xc040_b409, LayoutIn(&HANDLE_VALUES)),
    (0xc048_1273, Both(&BLKTRACE, &BLKTRACE_TOLD)),
    (0xc048_b402, Both(&LINE_ASKED, &LINE)),
    (0xc048_b40b, Both(&LINE_ASKED, &LINE)),
    (0xc050_2100, Both(&NOTIFICATION, &NOTIFICATION)),
    (0xc054_b40a, LayoutIn(&HANDLE_CONFIG)),
    (0xc060_3d06, LayoutOut(&PIN)),
    (0xc060_3d0f, LayoutOut(&PIN2)),
    (0xc100_b405, Both(&V2_LINE_ASKED, &V2_LINE)),
    (0xc100_b406, Both(&V2_LINE_ASKED, &V2_LINE)),
    (0xc110_b40d, LayoutIn(&V2_CONFIG)),
    (0xc16c_b403, Both(&HANDLE, &HANDLE_TOLD)),
    (0xc250_b407, Both(&V2_REQUEST, &V2_REQUEST_TOLD)),
];
