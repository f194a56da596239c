//! Pointer authentication (Arm ARM, D8.10; the QARMA5 algorithm, which ID_AA64ISAR1_EL1.APA says).
//!
//! Addresses have 48 bits, and the top byte is ignored in the lower half of the address space: there a code takes bits
//! 54 to 48, in the upper half 63 to 56 too. Nobody can read the keys; fixed ones make runs repeatable.

use crate::cpu::translate::a64::decode::Key;

/// A key of 128 bits.
#[derive(Clone, Copy)]
struct Secret {
    high: u64,
    low: u64,
}

/// Key `n` of IA, IB, DA, DB, GA.
const fn secret(n: u64) -> Secret {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    Secret { low: GOLDEN.wrapping_mul(2 * n + 1), high: GOLDEN.wrapping_mul(2 * n + 2) }
}

fn key(key: Key) -> Secret {
    secret(key as u64)
}

/// Where addresses begin to have their code.
const BOTTOM: u32 = 48;
/// Bit 55 tells the halves of the address space apart and is never part of a code.
const HALF: u64 = 1 << 55;
/// Bits above the address.
const HIGH: u64 = u64::MAX << BOTTOM;
/// Those of them that are not ignored in the lower half of the address space.
const LOWER: u64 = 0xff << BOTTOM;

/// The bits that extend an address of the pointer's half, bit 55 among them. Linux lets the top byte be ignored in the
/// lower half only (TCR_EL1.TBI0).
fn extension(pointer: u64) -> u64 {
    if pointer & HALF == 0 { LOWER } else { HIGH }
}

/// PACIA and so on: `pointer` with its code.
pub fn sign(pointer: u64, modifier: u64, by: Key) -> u64 {
    let extension = extension(pointer);
    let mut code = qarma5(strip(pointer), modifier, key(by));
    // An address that is none gets a code that does not check: the second highest bit of its place is inverted.
    if pointer & extension != 0 && pointer & extension != extension {
        code ^= if pointer & HALF == 0 { 1 << 54 } else { 1 << 62 };
    }
    let place = extension & !HALF;
    pointer & !place | code & place
}

/// AUTIA and so on: the address without its code, made invalid if the code is wrong.
pub fn check(pointer: u64, modifier: u64, by: Key) -> u64 {
    let address = strip(pointer);
    let place = extension(pointer) & !HALF;
    if (qarma5(address, modifier, key(by)) ^ pointer) & place == 0 {
        return address;
    }
    let error = match by {
        Key::Ia | Key::Da => 1,
        Key::Ib | Key::Db => 2,
    };
    let at = if pointer & HALF == 0 { 53 } else { 61 };
    address & !(3 << at) | error << at
}

/// XPACI, XPACD: the address without its code.
pub fn strip(pointer: u64) -> u64 {
    if pointer & HALF == 0 { pointer & !LOWER } else { pointer | HIGH }
}

/// PACGA: a code of 32 bits for `value`, in the upper half.
pub fn generic(value: u64, modifier: u64) -> u64 {
    qarma5(value, modifier, secret(4)) & 0xffff_ffff_0000_0000
}

/// Words of pi, the round constants.
const ROUNDS: [u64; 5] =
    [0, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89, 0x4528_21e6_38d0_1377];
const ALPHA: u64 = 0xc0ac_29b7_c97c_50dd;

#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "asks for a feature, then calls code that needs it"))]
fn qarma5(data: u64, modifier: u64, key: Secret) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("ssse3") {
        // SAFETY: the processor has just said that it has the feature.
        return unsafe { wide::qarma5(data, modifier, key) };
    }
    qarma5_by_words(data, modifier, key)
}

/// QARMA-64 with five rounds and the S-box sigma 2, over 16 cells of 4 bits (Arm ARM, ComputePAC).
fn qarma5_by_words(data: u64, modifier: u64, key: Secret) -> u64 {
    let (key0, key1) = (key.high, key.low);
    let middle_key = key0.rotate_right(1) ^ key0 >> 63;
    let mut tweak = modifier;
    let mut cells = data ^ key0;
    for (i, constant) in ROUNDS.into_iter().enumerate() {
        cells ^= key1 ^ tweak ^ constant;
        if i > 0 {
            cells = mix(permute(cells, &SHUFFLE));
        }
        cells = substitute(cells, SUBSTITUTE);
        tweak = turn(permute(tweak, &TWEAK), TURN);
    }
    cells = mix(permute(cells ^ middle_key ^ tweak, &SHUFFLE));
    cells = mix(permute(substitute(cells, SUBSTITUTE), &SHUFFLE));
    cells = permute(cells ^ key1, &UNSHUFFLE);
    cells = permute(mix(substitute(cells, UNSUBSTITUTE)), &UNSHUFFLE);
    cells ^= key0 ^ tweak;
    for (i, constant) in ROUNDS.into_iter().rev().enumerate() {
        cells = substitute(cells, UNSUBSTITUTE);
        if i < 4 {
            cells = permute(mix(cells), &UNSHUFFLE);
        }
        tweak = permute(turn(tweak, UNTURN), &UNTWEAK);
        cells ^= constant ^ key1 ^ tweak ^ ALPHA;
    }
    cells ^ middle_key
}

/// Cell `i` of a permuted word is cell `SHUFFLE[i]` of the word, cell 0 the lowest.
const SHUFFLE: [u8; 16] = [13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15];
const UNSHUFFLE: [u8; 16] = inverse(SHUFFLE);
const TWEAK: [u8; 16] = [4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9];
const UNTWEAK: [u8; 16] = inverse(TWEAK);
/// The cells of a permuted tweak that are also turned.
const TURNED: u64 = {
    let mut mask = 0;
    let cells = [2, 4, 7, 11, 12, 14, 15];
    let mut i = 0;
    while i < cells.len() {
        mask |= 15 << (4 * cells[i]);
        i += 1;
    }
    mask
};

/// Tables of cells, cell `n` of the word for value `n`.
const SUBSTITUTE: u64 = 0xa12d_5473_e90c_f86b;
const UNSUBSTITUTE: u64 = 0x37c4_0f62_91ba_8de5;
/// A step of the shift register with feedback from bits 0 and 1, and the step back.
const TURN: u64 = 0x7fe6_5dc4_3ba2_1980;
const UNTURN: u64 = 0xeda9_6521_fcb8_7430;

const fn inverse(map: [u8; 16]) -> [u8; 16] {
    let mut out = [0; 16];
    let mut i = 0;
    while i < 16 {
        out[map[i] as usize] = i as u8;
        i += 1;
    }
    out
}

fn permute(word: u64, map: &[u8; 16]) -> u64 {
    map.iter().enumerate().fold(0, |out, (i, &from)| out | (word >> (4 * from) & 15) << (4 * i))
}

/// Replaces each cell by the table's.
fn substitute(word: u64, table: u64) -> u64 {
    (0..16).fold(0, |out, i| out | (table >> (4 * (word >> (4 * i) & 15)) & 15) << (4 * i))
}

/// Turns the cells of a tweak that are turned.
fn turn(tweak: u64, table: u64) -> u64 {
    tweak & !TURNED | substitute(tweak, table) & TURNED
}

/// The matrix multiplication: each row (of four cells) becomes its neighbours rotated by 1 and the opposite one by 2.
fn mix(word: u64) -> u64 {
    const LOW: u64 = 0x1111_1111_1111_1111;
    let once = word << 1 & (LOW * 14) | word >> 3 & LOW;
    let twice = word << 2 & (LOW * 12) | word >> 2 & (LOW * 3);
    once.rotate_left(16) ^ once.rotate_right(16) ^ twice.rotate_left(32)
}

/// The same with a cell in each byte of a vector: tables and permutations are one instruction each.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    use super::{
        ALPHA, ROUNDS, SHUFFLE, SUBSTITUTE, Secret, TURN, TURNED, TWEAK, UNSHUFFLE, UNSUBSTITUTE, UNTURN, UNTWEAK,
    };

    const fn spread_table(word: u64) -> [u8; 16] {
        let mut out = [0; 16];
        let mut i = 0;
        while i < 16 {
            out[i] = (word >> (4 * i) & 15) as u8;
            i += 1;
        }
        out
    }

    /// Each cell's value rotated to the left.
    const fn rotated(count: u32) -> [u8; 16] {
        let mut out = [0; 16];
        let mut i = 0;
        while i < 16 {
            out[i] = ((i << count | i >> (4 - count)) & 15) as u8;
            i += 1;
        }
        out
    }

    #[target_feature(enable = "ssse3")]
    fn table(bytes: [u8; 16]) -> __m128i {
        let [low, high] = [0, 8].map(|at| i64::from_le_bytes(std::array::from_fn(|i| bytes[at + i])));
        _mm_set_epi64x(high, low)
    }

    #[target_feature(enable = "ssse3")]
    fn spread(word: u64) -> __m128i {
        let (low, mask) = (_mm_cvtsi64_si128(word as i64), _mm_set1_epi8(15));
        _mm_unpacklo_epi8(_mm_and_si128(low, mask), _mm_and_si128(_mm_srli_epi64(low, 4), mask))
    }

    #[target_feature(enable = "ssse3")]
    fn gather(cells: __m128i) -> u64 {
        // Pairs of cells to 16-bit lanes (low + 16 * high), then to bytes.
        let pairs = _mm_maddubs_epi16(cells, _mm_set1_epi16(0x1001));
        _mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)) as u64
    }

    #[target_feature(enable = "ssse3")]
    fn permute(cells: __m128i, map: [u8; 16]) -> __m128i {
        _mm_shuffle_epi8(cells, table(map))
    }

    #[target_feature(enable = "ssse3")]
    fn substitute(cells: __m128i, word: u64) -> __m128i {
        _mm_shuffle_epi8(table(spread_table(word)), cells)
    }

    #[target_feature(enable = "ssse3")]
    fn mix(cells: __m128i) -> __m128i {
        const ONCE: [u8; 16] = rotated(1);
        const TWICE: [u8; 16] = rotated(2);
        let (once, twice) = (_mm_shuffle_epi8(table(ONCE), cells), _mm_shuffle_epi8(table(TWICE), cells));
        let neighbours = _mm_xor_si128(_mm_shuffle_epi32(once, 0x93), _mm_shuffle_epi32(once, 0x39));
        _mm_xor_si128(neighbours, _mm_shuffle_epi32(twice, 0x4e))
    }

    #[target_feature(enable = "ssse3")]
    fn turn(tweak: __m128i, word: u64) -> __m128i {
        let mask = spread(TURNED);
        _mm_or_si128(_mm_andnot_si128(mask, tweak), _mm_and_si128(mask, substitute(tweak, word)))
    }

    #[target_feature(enable = "ssse3")]
    fn xor<const N: usize>(values: [__m128i; N]) -> __m128i {
        values.into_iter().fold(_mm_setzero_si128(), |sum, value| _mm_xor_si128(sum, value))
    }

    #[target_feature(enable = "ssse3")]
    pub(super) fn qarma5(data: u64, modifier: u64, key: Secret) -> u64 {
        let (key0, key1) = (spread(key.high), spread(key.low));
        let middle_key = spread(key.high.rotate_right(1) ^ key.high >> 63);
        let alpha = spread(ALPHA);
        let mut tweak = spread(modifier);
        let mut cells = _mm_xor_si128(spread(data), key0);
        for (i, constant) in ROUNDS.into_iter().enumerate() {
            cells = xor([cells, key1, tweak, spread(constant)]);
            if i > 0 {
                cells = mix(permute(cells, SHUFFLE));
            }
            cells = substitute(cells, SUBSTITUTE);
            tweak = turn(permute(tweak, TWEAK), TURN);
        }
        cells = mix(permute(xor([cells, middle_key, tweak]), SHUFFLE));
        cells = mix(permute(substitute(cells, SUBSTITUTE), SHUFFLE));
        cells = permute(_mm_xor_si128(cells, key1), UNSHUFFLE);
        cells = permute(mix(substitute(cells, UNSUBSTITUTE)), UNSHUFFLE);
        cells = xor([cells, key0, tweak]);
        for (i, constant) in ROUNDS.into_iter().rev().enumerate() {
            cells = substitute(cells, UNSUBSTITUTE);
            if i < 4 {
                cells = permute(mix(cells), UNSHUFFLE);
            }
            tweak = permute(turn(tweak, UNTURN), UNTWEAK);
            cells = xor([cells, spread(constant), key1, tweak, alpha]);
        }
        gather(_mm_xor_si128(cells, middle_key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qarma5_gives_the_published_vector() {
        // Avanzi, "The QARMA Block Cipher Family", appendix: sigma 2, five rounds.
        let key = Secret { high: 0x84be_85ce_9804_e94b, low: 0xec28_02d4_e0a4_88e9 };
        assert_eq!(qarma5(0xfb62_3599_da6e_8127, 0x477d_469d_ec0b_8762, key), 0xc003_b939_99b3_3765);
    }

    #[test]
    fn both_forms_of_qarma5_agree() {
        let mut word = 1u64;
        let mut next = || {
            word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            word ^ word >> 29
        };
        for _ in 0..1000 {
            let (data, modifier, key) = (next(), next(), Secret { high: next(), low: next() });
            assert_eq!(qarma5(data, modifier, key), qarma5_by_words(data, modifier, key));
        }
    }

    #[test]
    fn a_signed_pointer_checks_with_its_modifier_only() {
        let pointer = 0x7f12_3456_7890;
        let signed = sign(pointer, 42, Key::Ia);
        assert_eq!(check(signed, 42, Key::Ia), pointer);
        assert_eq!(strip(signed), pointer);
        let wrong: Vec<u64> = (0..64).map(|modifier| check(signed, 1000 + modifier, Key::Ia)).collect();
        assert!(wrong.contains(&(pointer | 1 << 53)), "{wrong:x?}");
    }
}
