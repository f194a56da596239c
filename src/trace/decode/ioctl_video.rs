//! Requests of ioctl(2) to video devices (include/uapi/linux/videodev2.h).

use super::ioctl::Data::{self, *};
use super::layout::{Kind, Layout, f, layout};
use crate::syscalls::sets;

static CAPABILITY: Layout = layout(
    104,
    &[
        f("driver", 0, Kind::Text(16)),
        f("card", 16, Kind::Text(32)),
        f("bus_info", 48, Kind::Text(32)),
        f("version", 80, Kind::KernelVersion),
        f("capabilities", 84, Kind::Flags32(&sets::V4L2_CAP)),
        f("device_caps", 88, Kind::IfSet(4, &Kind::Flags32(&sets::V4L2_CAP))),
    ],
);
static RECT: Layout = layout(
    16,
    &[f("left", 0, Kind::I32), f("top", 4, Kind::I32), f("width", 8, Kind::U32), f("height", 12, Kind::U32)],
);
static CROP: Layout = layout(20, &[f("type", 0, Kind::Enum32(&sets::V4L2_BUF_TYPE)), f("c", 4, Kind::Struct(&RECT))]);
static CROPCAP: Layout = layout(
    44,
    &[
        f("type", 0, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("bounds", 4, Kind::Struct(&RECT)),
        f("defrect", 20, Kind::Struct(&RECT)),
        f("pixelaspect", 36, Kind::Fraction),
    ],
);
static FBUF: Layout = layout(48, &[f("capability", 0, Kind::X32), f("flags", 4, Kind::X32), f("base", 8, Kind::Addr)]);
static TUNER: Layout = layout(
    84,
    &[
        f("index", 0, Kind::U32),
        f("name", 4, Kind::Text(32)),
        f("type", 36, Kind::Enum32(&sets::V4L2_TUNER_TYPE)),
        f("capability", 40, Kind::Flags32(&sets::V4L2_TUNER_CAP)),
        f("rangelow", 44, Kind::U32),
        f("rangehigh", 48, Kind::U32),
        f("rxsubchans", 52, Kind::Flags32(&sets::V4L2_TUNER_SUB)),
        f("audmode", 56, Kind::Enum32(&sets::V4L2_TUNER_MODE)),
        f("signal", 60, Kind::I32),
        f("afc", 64, Kind::I32),
    ],
);
static TUNER_SET: Layout = layout(
    84,
    &[
        f("name", 4, Kind::Text(32)),
        f("type", 36, Kind::Enum32(&sets::V4L2_TUNER_TYPE)),
        f("capability", 40, Kind::Flags32(&sets::V4L2_TUNER_CAP)),
        f("rangelow", 44, Kind::U32),
        f("rangehigh", 48, Kind::U32),
        f("rxsubchans", 52, Kind::Flags32(&sets::V4L2_TUNER_SUB)),
        f("audmode", 56, Kind::Enum32(&sets::V4L2_TUNER_MODE)),
        f("signal", 60, Kind::I32),
        f("afc", 64, Kind::I32),
    ],
);
static CONTROL: Layout = layout(8, &[f("id", 0, Kind::Enum32(&sets::V4L2_CID)), f("value", 4, Kind::I32)]);
static EXT_CONTROLS: Layout = layout(
    32,
    &[
        f("ctrl_class", 0, Kind::Enum32(&sets::V4L2_CTRL_CLASS)),
        f("count", 4, Kind::U32),
        f("controls", 24, Kind::IfSet(8, &Kind::Addr)),
    ],
);
static QUERYCTRL: Layout = layout(
    68,
    &[
        f("id", 0, Kind::Enum32(&sets::V4L2_CID)),
        f("type", 4, Kind::Enum32(&sets::V4L2_CTRL_TYPE)),
        f("name", 8, Kind::Text(32)),
    ],
);
static QUERY_EXT_CTRL: Layout = layout(
    232,
    &[
        f("id", 0, Kind::Enum32(&sets::V4L2_CID)),
        f("type", 4, Kind::Enum32(&sets::V4L2_CTRL_TYPE)),
        f("name", 8, Kind::Text(32)),
    ],
);
static FMTDESC: Layout = layout(
    64,
    &[
        f("index", 0, Kind::U32),
        f("type", 4, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("flags", 8, Kind::Flags32(&sets::V4L2_FMT_FLAG)),
        f("description", 12, Kind::Text(32)),
        f("pixelformat", 44, Kind::Fourcc),
    ],
);
static STANDARD: Layout = layout(
    72,
    &[
        f("index", 0, Kind::U32),
        f("name", 16, Kind::Text(24)),
        f("frameperiod", 40, Kind::Fraction),
        f("framelines", 48, Kind::U32),
    ],
);
static INPUT: Layout = layout(
    80,
    &[f("index", 0, Kind::U32), f("name", 4, Kind::Text(32)), f("type", 36, Kind::Enum32(&sets::V4L2_INPUT_TYPE))],
);
static SIZE: Layout = layout(8, &[f("width", 0, Kind::U32), f("height", 4, Kind::U32)]);
static SIZES: Layout = layout(
    24,
    &[
        f("min_width", 0, Kind::U32),
        f("max_width", 4, Kind::U32),
        f("step_width", 8, Kind::U32),
        f("min_height", 12, Kind::U32),
        f("max_height", 16, Kind::U32),
        f("step_height", 20, Kind::U32),
    ],
);
static FRAMESIZES: Layout = layout(
    44,
    &[
        f("index", 0, Kind::U32),
        f("pixel_format", 4, Kind::Fourcc),
        f("type", 8, Kind::Enum32(&sets::V4L2_FRMSIZE)),
        f("discrete", 12, Kind::When(8, 1, &Kind::Struct(&SIZE))),
        f("stepwise", 12, Kind::When(8, 2, &Kind::Struct(&SIZES))),
        f("stepwise", 12, Kind::When(8, 3, &Kind::Struct(&SIZES))),
    ],
);
static INTERVALS: Layout =
    layout(24, &[f("min", 0, Kind::Fraction), f("max", 8, Kind::Fraction), f("step", 16, Kind::Fraction)]);
static FRAMEINTERVALS: Layout = layout(
    52,
    &[
        f("index", 0, Kind::U32),
        f("pixel_format", 4, Kind::Fourcc),
        f("width", 8, Kind::U32),
        f("height", 12, Kind::U32),
        f("type", 16, Kind::Enum32(&sets::V4L2_FRMIVAL)),
        f("discrete", 20, Kind::When(16, 1, &Kind::Fraction)),
        f("stepwise", 20, Kind::When(16, 2, &Kind::Struct(&INTERVALS))),
        f("stepwise", 20, Kind::When(16, 3, &Kind::Struct(&INTERVALS))),
    ],
);
static PIX: Layout = layout(
    28,
    &[
        f("width", 0, Kind::U32),
        f("height", 4, Kind::U32),
        f("pixelformat", 8, Kind::Fourcc),
        f("field", 12, Kind::Enum32(&sets::V4L2_FIELD)),
        f("bytesperline", 16, Kind::U32),
        f("sizeimage", 20, Kind::U32),
        f("colorspace", 24, Kind::Enum32(&sets::V4L2_COLORSPACE)),
    ],
);
static FORMAT: Layout = layout(
    208,
    &[
        f("type", 0, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("fmt.pix", 8, Kind::When(0, 1, &Kind::Struct(&PIX))),
        f("fmt.pix", 8, Kind::When(0, 2, &Kind::Struct(&PIX))),
    ],
);
static FORMAT_TOLD: Layout = layout(
    208,
    &[f("fmt.pix", 8, Kind::When(0, 1, &Kind::Struct(&PIX))), f("fmt.pix", 8, Kind::When(0, 2, &Kind::Struct(&PIX)))],
);
static CAPTURE: Layout = layout(
    24,
    &[
        f("capability", 0, Kind::Flags32(&sets::V4L2_PARM_CAP)),
        f("capturemode", 4, Kind::Flags32(&sets::V4L2_CAPTUREMODE)),
        f("timeperframe", 8, Kind::Fraction),
        f("extendedmode", 16, Kind::X32),
        f("readbuffers", 20, Kind::U32),
    ],
);
static OUTPUT: Layout = layout(
    24,
    &[
        f("capability", 0, Kind::Flags32(&sets::V4L2_PARM_CAP)),
        f("outputmode", 4, Kind::Flags32(&sets::V4L2_CAPTUREMODE)),
        f("timeperframe", 8, Kind::Fraction),
        f("extendedmode", 16, Kind::X32),
        f("writebuffers", 20, Kind::U32),
    ],
);
static PARM: Layout = layout(
    204,
    &[
        f("type", 0, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("parm.capture", 4, Kind::When(0, 1, &Kind::Struct(&CAPTURE))),
        f("parm.output", 4, Kind::When(0, 2, &Kind::Struct(&OUTPUT))),
    ],
);
static PARM_TOLD: Layout = layout(
    204,
    &[
        f("parm.capture", 4, Kind::When(0, 1, &Kind::Struct(&CAPTURE))),
        f("parm.output", 4, Kind::When(0, 2, &Kind::Struct(&OUTPUT))),
    ],
);
static REQUESTBUFFERS: Layout = layout(
    20,
    &[
        f("type", 4, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("memory", 8, Kind::Enum32(&sets::V4L2_MEMORY)),
        f("count", 0, Kind::U32),
    ],
);
static TIMEVAL: Layout = layout(16, &[f("tv_sec", 0, Kind::I64), f("tv_usec", 8, Kind::I64)]);
static BUFFER: Layout = layout(
    88,
    &[
        f("type", 4, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("index", 0, Kind::U32),
        f("memory", 60, Kind::Enum32(&sets::V4L2_MEMORY)),
        f("m.offset", 64, Kind::When(60, 1, &Kind::X32)),
        f("m.userptr", 64, Kind::When(60, 2, &Kind::Addr)),
        f("m.fd", 64, Kind::When(60, 4, &Kind::Fd)),
        f("length", 72, Kind::U32),
        f("bytesused", 8, Kind::U32),
        f("flags", 12, Kind::Flags32(&sets::V4L2_BUF_FLAG)),
    ],
);
static BUFFER_DONE: Layout = layout(
    88,
    &[
        f("type", 4, Kind::Enum32(&sets::V4L2_BUF_TYPE)),
        f("index", 0, Kind::U32),
        f("memory", 60, Kind::Enum32(&sets::V4L2_MEMORY)),
        f("m.offset", 64, Kind::When(60, 1, &Kind::X32)),
        f("m.userptr", 64, Kind::When(60, 2, &Kind::Addr)),
        f("m.fd", 64, Kind::When(60, 4, &Kind::Fd)),
        f("length", 72, Kind::U32),
        f("bytesused", 8, Kind::U32),
        f("flags", 12, Kind::Flags32(&sets::V4L2_BUF_FLAG)),
        f("timestamp", 24, Kind::Struct(&TIMEVAL)),
    ],
);

/// In the order of their numbers.
pub(super) static REQUESTS: &[(u32, Data)] = &[
    (0x4004_5612, EnumIn(&sets::V4L2_BUF_TYPE)),
    (0x4004_5613, EnumIn(&sets::V4L2_BUF_TYPE)),
    (0x4014_563c, LayoutIn(&CROP)),
    (0x4030_560b, LayoutIn(&FBUF)),
    (0x4054_561e, Both(&TUNER, &TUNER_SET)),
    (0x8030_560a, LayoutOut(&FBUF)),
    (0x8068_5600, LayoutOut(&CAPABILITY)),
    (0xc008_561b, LayoutOut(&CONTROL)),
    (0xc008_561c, Changed(&CONTROL)),
    (0xc014_5608, Changed(&REQUESTBUFFERS)),
    (0xc014_563b, LayoutOut(&CROP)),
    (0xc020_5647, LayoutOut(&EXT_CONTROLS)),
    (0xc020_5648, LayoutOut(&EXT_CONTROLS)),
    (0xc020_5649, LayoutOut(&EXT_CONTROLS)),
    (0xc02c_563a, LayoutOut(&CROPCAP)),
    (0xc02c_564a, LayoutOut(&FRAMESIZES)),
    (0xc034_564b, LayoutOut(&FRAMEINTERVALS)),
    (0xc040_5602, LayoutOut(&FMTDESC)),
    (0xc044_5624, OpenOut(&QUERYCTRL)),
    (0xc048_5619, LayoutOut(&STANDARD)),
    (0xc050_561a, LayoutOut(&INPUT)),
    (0xc054_561d, LayoutOut(&TUNER)),
    (0xc058_5609, OpenOut(&BUFFER)),
    (0xc058_560f, OpenOut(&BUFFER)),
    (0xc058_5611, OpenOut(&BUFFER_DONE)),
    (0xc0cc_5615, LayoutOut(&PARM)),
    (0xc0cc_5616, Both(&PARM, &PARM_TOLD)),
    (0xc0d0_5604, LayoutOut(&FORMAT)),
    (0xc0d0_5605, Both(&FORMAT, &FORMAT_TOLD)),
    (0xc0d0_5640, Both(&FORMAT, &FORMAT_TOLD)),
    (0xc0e8_5667, OpenOut(&QUERY_EXT_CTRL)),
];
