//! Commands of keyctl(2) with structs of their own (include/uapi/linux/keyctl.h).

use super::layout::{Kind, Layout, f, layout};
use super::{Cx, u32_at};
use crate::syscalls::sets;
use crate::trace::buf::Quote;

const DH_COMPUTE: u32 = 23;
const PKEY_QUERY: u32 = 24;
const PKEY_VERIFY: u32 = 28;
/// Where the lengths of the two buffers stand.
const FIRST_LENGTH: usize = 4;
const SECOND_LENGTH: usize = 8;

const SPARE: Kind = Kind::IfSet(28, &Kind::Many(7, 4, &Kind::X32));
static DH_PARAMETERS: Layout =
    layout(12, &[f("private", 0, Kind::I32), f("prime", 4, Kind::I32), f("base", 8, Kind::I32)]);
static KDF_PARAMETERS: Layout = layout(
    56,
    &[
        f("hashname", 0, Kind::CStr),
        f("otherinfo", 8, Kind::Addr),
        f("otherinfolen", 16, Kind::U32),
        f("__spare", 20, Kind::IfSet(32, &Kind::Many(8, 4, &Kind::X32))),
    ],
);
static QUERY: Layout = layout(
    56,
    &[
        f("supported_ops", 0, Kind::Flags32(&sets::KEYCTL_SUPPORTS)),
        f("key_size", 4, Kind::U32),
        f("max_data_size", 8, Kind::U16),
        f("max_sig_size", 10, Kind::U16),
        f("max_enc_size", 12, Kind::U16),
        f("max_dec_size", 14, Kind::U16),
        f("__spare", 16, Kind::IfSet(40, &Kind::Many(10, 4, &Kind::X32))),
    ],
);
static WRITING: Layout = layout(
    40,
    &[f("key_id", 0, Kind::I32), f("in_len", 4, Kind::U32), f("out_len", 8, Kind::U32), f("__spare", 12, SPARE)],
);
static VERIFYING: Layout = layout(
    40,
    &[f("key_id", 0, Kind::I32), f("in_len", 4, Kind::U32), f("in2_len", 8, Kind::U32), f("__spare", 12, SPARE)],
);

/// Prints the arguments of keyctl(2) that belong to this phase; `false` leaves them to the table.
pub(super) fn keyctl(cx: &mut Cx<'_>, entering: bool) -> bool {
    let [command, second, third, fourth, fifth, _] = cx.args;
    let command = command as u32;
    if !(DH_COMPUTE..=PKEY_VERIFY).contains(&command) {
        return false;
    }
    let writes = command != PKEY_VERIFY;
    if entering {
        cx.name(&sets::KEYCTL, u64::from(command));
        cx.next_argument();
        match command {
            DH_COMPUTE => cx.layout(&DH_PARAMETERS, second),
            PKEY_QUERY => {
                cx.name(&sets::KEY_SPEC, second & 0xffff_ffff);
                cx.next_argument();
                cx.hex(third);
                cx.next_argument();
                cx.string(fourth, cx.style.limit);
            }
            _ => {
                cx.layout(if writes { &WRITING } else { &VERIFYING }, second);
                cx.next_argument();
                cx.string(third, cx.style.limit);
                cx.next_argument();
                cx.key_bytes(second, FIRST_LENGTH, fourth);
            }
        }
        cx.next_argument();
        if writes {
            return true;
        }
    }
    match command {
        DH_COMPUTE if !entering => {
            cx.bytes_or_addr(third, cx.value());
            cx.next_argument();
            cx.dec(fourth);
            cx.next_argument();
            cx.kdf(fifth);
        }
        PKEY_QUERY if !entering => cx.layout(&QUERY, fifth),
        PKEY_VERIFY if entering => cx.key_bytes(second, SECOND_LENGTH, fifth),
        _ if !entering && writes && !cx.failed() => cx.key_bytes(second, SECOND_LENGTH, fifth),
        _ if !entering && writes => cx.addr(fifth),
        _ => {}
    }
    true
}

impl Cx<'_> {
    /// Bytes whose length stands in the struct at `lengths`.
    fn key_bytes(&mut self, lengths: u64, at: usize, addr: u64) {
        let mut b = [0u8; 12];
        if self.fetch(lengths, &mut b) {
            self.bytes(addr, u64::from(u32_at(&b, at)), Quote::Escape);
        } else {
            self.addr(addr);
        }
    }

    fn bytes_or_addr(&mut self, addr: u64, len: u64) {
        if self.failed() {
            self.addr(addr);
        } else {
            self.bytes(addr, len, Quote::Escape);
        }
    }

    /// How a shared secret is derived: read before the call, whatever came of it.
    fn kdf(&mut self, addr: u64) {
        let phase = std::mem::replace(&mut self.phase, super::Phase::Enter);
        self.layout(&KDF_PARAMETERS, addr);
        self.phase = phase;
    }
}
