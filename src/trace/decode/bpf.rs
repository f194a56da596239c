//! bpf(2): the attributes of each command (include/uapi/linux/bpf.h).

use super::Cx;
use super::layout::{Field, Kind, Layout, f, layout};
use crate::syscalls::sets;

static MAP_CREATE: Layout = layout(
    72,
    &[
        f("map_type", 0, Kind::Enum32(&sets::BPF_MAP_TYPE)),
        f("key_size", 4, Kind::U32),
        f("value_size", 8, Kind::U32),
        f("max_entries", 12, Kind::U32),
        f("map_flags", 16, Kind::Flags32(&sets::BPF_MAP_FLAGS)),
        f("inner_map_fd", 20, Kind::Fd),
        f("map_name", 28, Kind::Text(16)),
        f("map_ifindex", 44, Kind::Interface),
        f("btf_fd", 48, Kind::Fd),
        f("btf_key_type_id", 52, Kind::U32),
        f("btf_value_type_id", 56, Kind::U32),
        f("btf_vmlinux_value_type_id", 60, Kind::U32),
        f("map_extra", 64, Kind::U64),
    ],
);
static ELEMENT: Layout = layout(
    32,
    &[
        f("map_fd", 0, Kind::Fd),
        f("key", 8, Kind::Addr),
        f("value", 16, Kind::Addr),
        f("flags", 24, Kind::Enum64(&sets::BPF_ELEM_FLAGS)),
    ],
);
static DELETE: Layout = layout(16, &[f("map_fd", 0, Kind::Fd), f("key", 8, Kind::Addr)]);
static NEXT_KEY: Layout =
    layout(24, &[f("map_fd", 0, Kind::Fd), f("key", 8, Kind::Addr), f("next_key", 16, Kind::Addr)]);
static PROG_LOAD: Layout = layout(
    128,
    &[
        f("prog_type", 0, Kind::Enum32(&sets::BPF_PROG_TYPE)),
        f("insn_cnt", 4, Kind::U32),
        f("insns", 8, Kind::Addr),
        f("license", 16, Kind::CStr),
        f("log_level", 24, Kind::U32),
        f("log_size", 28, Kind::U32),
        f("log_buf", 32, Kind::Addr),
        f("kern_version", 40, Kind::KernelVersion),
        f("prog_flags", 44, Kind::Flags32(&sets::BPF_PROG_FLAGS)),
        f("prog_name", 48, Kind::Text(16)),
        f("prog_ifindex", 64, Kind::Interface),
        f("expected_attach_type", 68, Kind::Enum32(&sets::BPF_ATTACH_TYPE)),
        f("prog_btf_fd", 72, Kind::Fd),
        f("func_info_rec_size", 76, Kind::U32),
        f("func_info", 80, Kind::Addr),
        f("func_info_cnt", 88, Kind::U32),
        f("line_info_rec_size", 92, Kind::U32),
        f("line_info", 96, Kind::Addr),
        f("line_info_cnt", 104, Kind::U32),
        f("attach_btf_id", 108, Kind::U32),
        f("attach_prog_fd", 112, Kind::Fd),
        f("fd_array", 120, Kind::Addr),
    ],
);
static OBJ: Layout = layout(
    16,
    &[
        f("pathname", 0, Kind::CStr),
        f("bpf_fd", 8, Kind::Fd),
        f("file_flags", 12, Kind::Flags32(&sets::BPF_FILE_FLAGS)),
    ],
);
static ATTACH: Layout = layout(
    20,
    &[
        f("target_fd", 0, Kind::Fd),
        f("attach_bpf_fd", 4, Kind::Fd),
        f("attach_type", 8, Kind::Enum32(&sets::BPF_ATTACH_TYPE)),
        f("attach_flags", 12, Kind::Flags32(&sets::BPF_ATTACH_FLAGS)),
        f("replace_bpf_fd", 16, Kind::Fd),
    ],
);
static DETACH: Layout =
    layout(12, &[f("target_fd", 0, Kind::Fd), f("attach_type", 8, Kind::Enum32(&sets::BPF_ATTACH_TYPE))]);
static TEST: Layout = layout(
    76,
    &[
        f("prog_fd", 0, Kind::Fd),
        f("retval", 4, Kind::U32),
        f("data_size_in", 8, Kind::U32),
        f("data_size_out", 12, Kind::U32),
        f("data_in", 16, Kind::Addr),
        f("data_out", 24, Kind::Addr),
        f("repeat", 32, Kind::U32),
        f("duration", 36, Kind::U32),
        f("ctx_size_in", 40, Kind::U32),
        f("ctx_size_out", 44, Kind::U32),
        f("ctx_in", 48, Kind::Addr),
        f("ctx_out", 56, Kind::Addr),
        f("flags", 64, Kind::Flags32(&sets::BPF_TEST_FLAGS)),
        f("cpu", 68, Kind::U32),
        f("batch_size", 72, Kind::U32),
    ],
);
static NEXT_ID: Layout = layout(12, &[f("start_id", 0, Kind::U32), f("next_id", 4, Kind::U32), OPEN_FLAGS]);
static PROG_BY_ID: Layout = layout(12, &[f("prog_id", 0, Kind::U32), f("next_id", 4, Kind::U32), OPEN_FLAGS]);
static MAP_BY_ID: Layout = layout(12, &[f("map_id", 0, Kind::U32), f("next_id", 4, Kind::U32), OPEN_FLAGS]);
const OPEN_FLAGS: Field = f("open_flags", 8, Kind::Flags32(&sets::BPF_FILE_FLAGS));
static INFO: Layout = layout(16, &[f("bpf_fd", 0, Kind::Fd), f("info_len", 4, Kind::U32), f("info", 8, Kind::Addr)]);
static QUERY: Layout = layout(
    28,
    &[
        f("target_fd", 0, Kind::Fd),
        f("attach_type", 4, Kind::Enum32(&sets::BPF_ATTACH_TYPE)),
        f("query_flags", 8, Kind::Flags32(&sets::BPF_QUERY_FLAGS)),
        f("attach_flags", 12, Kind::Flags32(&sets::BPF_ATTACH_FLAGS)),
        f("prog_ids", 16, Kind::Addr),
        f("prog_cnt", 24, Kind::U32),
    ],
);
static RAW_TRACEPOINT: Layout = layout(12, &[f("name", 0, Kind::CStr), f("prog_fd", 8, Kind::Fd)]);
static BTF_LOAD: Layout = layout(
    28,
    &[
        f("btf", 0, Kind::Addr),
        f("btf_log_buf", 8, Kind::Addr),
        f("btf_size", 16, Kind::U32),
        f("btf_log_size", 20, Kind::U32),
        f("btf_log_level", 24, Kind::U32),
    ],
);
static BTF_BY_ID: Layout = layout(4, &[f("btf_id", 0, Kind::U32)]);
static TASK_FD_QUERY: Layout = layout(
    48,
    &[
        f("pid", 0, Kind::I32),
        f("fd", 4, Kind::Fd),
        f("flags", 8, Kind::U32),
        f("buf_len", 12, Kind::U32),
        f("buf", 16, Kind::CStr),
        f("prog_id", 24, Kind::U32),
        f("fd_type", 28, Kind::Enum32(&sets::BPF_FD_TYPE)),
        f("probe_offset", 32, Kind::X64),
        f("probe_addr", 40, Kind::X64),
    ],
);
static FREEZE: Layout = layout(4, &[f("map_fd", 0, Kind::Fd)]);
static BATCH: Layout = layout(
    56,
    &[f("in_batch", 0, Kind::Addr), f("out_batch", 8, Kind::Addr), KEYS, VALUES, COUNT, MAP, ELEM, BATCH_FLAGS],
);
static UPDATE_BATCH: Layout = layout(56, &[KEYS, VALUES, COUNT, MAP, ELEM, BATCH_FLAGS]);
static DELETE_BATCH: Layout = layout(56, &[KEYS, COUNT, MAP, ELEM, BATCH_FLAGS]);
const KEYS: Field = f("keys", 16, Kind::Addr);
const VALUES: Field = f("values", 24, Kind::Addr);
const COUNT: Field = f("count", 32, Kind::U32);
const MAP: Field = f("map_fd", 36, Kind::Fd);
const ELEM: Field = f("elem_flags", 40, Kind::Flags64(&sets::BPF_ELEM_FLAGS));
const BATCH_FLAGS: Field = f("flags", 48, Kind::X64);
static LINK_CREATE: Layout = layout(
    16,
    &[
        f("prog_fd", 0, Kind::Fd),
        f("target_fd", 4, Kind::Fd),
        f("attach_type", 8, Kind::Enum32(&sets::BPF_ATTACH_TYPE)),
        f("flags", 12, Kind::X32),
    ],
);
static LINK_UPDATE: Layout = layout(
    12,
    &[f("link_fd", 0, Kind::Fd), f("new_prog_fd", 4, Kind::Fd), f("flags", 8, Kind::Flags32(&sets::BPF_ATTACH_FLAGS))],
);
static LINK_BY_ID: Layout = layout(4, &[f("link_id", 0, Kind::U32)]);

/// What the attributes of a command are: the name of the member they form, if they form one, and their layout.
static COMMANDS: &[(&str, &Layout)] = &[
    ("", &MAP_CREATE),
    ("", &ELEMENT),
    ("", &ELEMENT),
    ("", &DELETE),
    ("", &NEXT_KEY),
    ("", &PROG_LOAD),
    ("", &OBJ),
    ("", &OBJ),
    ("", &ATTACH),
    ("", &DETACH),
    ("test", &TEST),
    ("", &NEXT_ID),
    ("", &NEXT_ID),
    ("", &PROG_BY_ID),
    ("", &MAP_BY_ID),
    ("info", &INFO),
    ("query", &QUERY),
    ("raw_tracepoint", &RAW_TRACEPOINT),
    ("", &BTF_LOAD),
    ("", &BTF_BY_ID),
    ("task_fd_query", &TASK_FD_QUERY),
    ("", &ELEMENT),
    ("", &FREEZE),
    ("", &NEXT_ID),
    ("batch", &BATCH),
    ("batch", &BATCH),
    ("batch", &UPDATE_BATCH),
    ("batch", &DELETE_BATCH),
    ("link_create", &LINK_CREATE),
    ("link_update", &LINK_UPDATE),
    ("", &LINK_BY_ID),
    ("", &NEXT_ID),
];

/// Commands whose attributes hold what the call has written.
fn writes(cmd: u64) -> bool {
    matches!(cmd, 10 | 15 | 16 | 20)
}

/// bpf(2).
pub(super) fn bpf(cx: &mut Cx<'_>, entering: bool) {
    let [cmd, attr, size, ..] = cx.args;
    let (cmd, size) = (cmd & 0xffff_ffff, size & 0xffff_ffff);
    if entering {
        cx.name(&sets::BPF, cmd);
        cx.next_argument();
    }
    if entering == writes(cmd) {
        return;
    }
    match COMMANDS.get(cmd as usize) {
        Some((member, layout)) if size > 0 && size <= 4096 => attributes(cx, member, layout, attr, size),
        _ => cx.addr(attr),
    }
    cx.next_argument();
    cx.dec(size);
}

fn attributes(cx: &mut Cx<'_>, member: &str, layout: &Layout, attr: u64, size: u64) {
    let mut bytes = [0u8; 128];
    let shown = (layout.size as u64).min(size);
    if !cx.fetch(attr, &mut bytes[..shown as usize]) {
        return cx.addr(attr);
    }
    cx.out.push(b'{');
    if !member.is_empty() {
        cx.text(member);
        cx.text("={");
    }
    // Members of the first version of the struct that are cut off count as 0; later ones are not there.
    let first = if matches!(member, "batch" | "task_fd_query") { 56 } else { 40 };
    let known = (layout.size as u64).min(shown.max(first));
    cx.members(layout, &bytes[..known as usize]);
    if !member.is_empty() {
        cx.out.push(b'}');
    }
    cx.grown(attr, shown, size);
    cx.out.push(b'}');
}
