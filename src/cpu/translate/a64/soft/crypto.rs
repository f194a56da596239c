//! The cryptographic instructions (Arm ARM C7.2): AES, SHA1, SHA256, SHA512, SHA3, SM3, SM4. PMULL stands with the
//! multiplications.

mod aes;
mod sha;
mod sm;

use super::Undefined;
use crate::cpu::translate::a64::decode::simd::{Class, Word};
use crate::cpu::translate::a64::state::State;

/// Executes a word of one of the cryptographic classes.
///
/// # Errors
/// The word is unallocated, or of another class; nothing has changed.
pub fn execute(class: Class, w: Word, state: &mut State) -> Result<(), Undefined> {
    let (d, n, m, a) = (state.v[w.rd()], state.v[w.rn()], state.v[w.rm()], state.v[w.ra()]);
    let value = match class {
        Class::Aes | Class::Sha3Reg | Class::Sha2Reg if w.size() != 0 => None,
        Class::Aes => match w.bits(12, 5) {
            0b00100 => Some(aes::encrypt(d, n)),
            0b00101 => Some(aes::decrypt(d, n)),
            0b00110 => Some(aes::mix_columns(n)),
            0b00111 => Some(aes::inverse_mix_columns(n)),
            _ => None,
        },
        Class::Sha3Reg => sha::three_registers(w.bits(12, 3), d, n, m),
        Class::Sha2Reg => sha::two_registers(w.bits(12, 5), d, n),
        Class::Sha512ThreeReg => match (w.bits(14, 1), w.bits(10, 2)) {
            (0, 0b00) => Some(sha::sha512h(d, n, m)),
            (0, 0b01) => Some(sha::sha512h2(d, n, m)),
            (0, 0b10) => Some(sha::sha512su1(d, n, m)),
            (0, _) => Some(n ^ each64(m, |x| x.rotate_left(1))),
            (_, 0b00) => Some(sm::sm3_part1(d, n, m)),
            (_, 0b01) => Some(sm::sm3_part2(d, n, m)),
            (_, 0b10) => Some(sm::sm4_key(n, m)),
            _ => None,
        },
        Class::Sha512TwoReg => match w.bits(10, 2) {
            0b00 => Some(sha::sha512su0(d, n)),
            0b01 => Some(sm::sm4_encrypt(d, n)),
            _ => None,
        },
        Class::ThreeRegImm2 => Some(sm::sm3_tt(w.bits(10, 2), d, n, m, w.bits(12, 2))),
        Class::FourReg => match w.bits(21, 2) {
            0b00 => Some(n ^ m ^ a),
            0b01 => Some(n ^ m & !a),
            0b10 => Some(sm::sm3_ss1(n, m, a)),
            _ => None,
        },
        Class::Xar => Some(each64(n ^ m, |x| x.rotate_right(w.bits(10, 6)))),
        _ => None,
    };
    state.v[w.rd()] = value.ok_or(Undefined)?;
    Ok(())
}

/// `f` of both halves.
fn each64(v: u128, f: impl Fn(u64) -> u64) -> u128 {
    u128::from(f((v >> 64) as u64)) << 64 | u128::from(f(v as u64))
}

/// The four words, lowest first.
fn words(v: u128) -> [u32; 4] {
    [v as u32, (v >> 32) as u32, (v >> 64) as u32, (v >> 96) as u32]
}

/// The register of four words, lowest first.
fn from_words(w: [u32; 4]) -> u128 {
    w.iter().rev().fold(0, |v, &x| v << 32 | u128::from(x))
}

/// The bits of `y` where `x` is set, else of `z` (Ch of FIPS 180-4).
fn choose(x: u32, y: u32, z: u32) -> u32 {
    z ^ (y ^ z) & x
}

/// Maj of FIPS 180-4.
fn majority(x: u32, y: u32, z: u32) -> u32 {
    x & y | (x | y) & z
}
