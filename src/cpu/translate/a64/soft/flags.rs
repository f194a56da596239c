//! The instructions of FEAT_FlagM and FEAT_FlagM2, on NZCV in bits 31 to 28.

const N: u32 = 1 << 31;
const Z: u32 = 1 << 30;
const C: u32 = 1 << 29;
const V: u32 = 1 << 28;

/// RMIF: the flags in `mask` from the low bits of `value` rotated to the right.
pub fn rmif(nzcv: u32, value: u64, amount: u8, mask: u8) -> u32 {
    let rotated = (value.rotate_right(u32::from(amount)) as u32 & 15) << 28;
    let mask = u32::from(mask) << 28;
    nzcv & !mask | rotated & mask
}

/// SETF8, SETF16: N, Z and V from a value of so many bits; C stays.
pub fn setf(nzcv: u32, value: u64, bits: u8) -> u32 {
    let bit = |n: u8| value >> n & 1 != 0;
    let sign = bit(bits - 1);
    let zero = value << (64 - bits) == 0;
    let overflow = bit(bits) != sign;
    nzcv & C | flag(sign, N) | flag(zero, Z) | flag(overflow, V)
}

/// CFINV.
pub fn cfinv(nzcv: u32) -> u32 {
    nzcv ^ C
}

/// XAFLAG: from the external floating-point format to A64's.
pub fn xaflag(nzcv: u32) -> u32 {
    let (z, c) = (nzcv & Z != 0, nzcv & C != 0);
    flag(!c && !z, N) | flag(z && c, Z) | flag(c || z, C) | flag(!c && z, V)
}

/// AXFLAG: from A64's format to the external one.
pub fn axflag(nzcv: u32) -> u32 {
    let (z, c, v) = (nzcv & Z != 0, nzcv & C != 0, nzcv & V != 0);
    flag(z || v, Z) | flag(c && !v, C)
}

fn flag(set: bool, bit: u32) -> u32 {
    if set { bit } else { 0 }
}
