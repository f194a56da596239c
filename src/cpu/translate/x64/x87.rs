//! The x87 state, as `fxsave64` writes it. It stays in the host's registers while the engine works: nothing else in this process
//! uses them.

use super::state::Fxsave;
use crate::arch::x86_64::Fpu;

/// `mxcsr` as Rust wants it.
const DEFAULT_MXCSR: u32 = 0x1f80;

/// From the area, but for where the last instruction and its operand stood: those are host addresses.
pub(super) fn save(area: &Fxsave, fpu: &mut Fpu) {
    let word = |at: usize| u16::from_le_bytes([area.0[at], area.0[at + 1]]);
    let long = |at: usize| (0..8).fold(0, |sum, i| sum | u64::from(area.0[at + i]) << (8 * i));
    (fpu.fcw, fpu.fsw, fpu.ftw) = (word(0), word(2), area.0[4]);
    (fpu.fop, fpu.fip, fpu.fdp) = (0, 0, 0);
    for (i, st) in fpu.st.iter_mut().enumerate() {
        let at = 32 + 16 * i;
        *st = u128::from(long(at)) | u128::from(word(at + 8)) << 64;
    }
}

/// To the area.
pub(super) fn load(area: &mut Fxsave, fpu: &Fpu) {
    area.0[0..2].copy_from_slice(&fpu.fcw.to_le_bytes());
    area.0[2..4].copy_from_slice(&fpu.fsw.to_le_bytes());
    area.0[4] = fpu.ftw;
    area.0[24..28].copy_from_slice(&DEFAULT_MXCSR.to_le_bytes());
    for (i, st) in fpu.st.iter().enumerate() {
        let at = 32 + 16 * i;
        area.0[at..at + 16].copy_from_slice(&st.to_le_bytes());
    }
}
