//! SM3 (GB/T 32905-2016) and SM4 (GB/T 32907-2016). Word 0 of a register is the lowest.

use super::{choose, from_words, majority, words};

/// The permutation P1 of SM3's message expansion.
fn p1(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}

/// SM3PARTW1: most of the expansion of four words.
pub fn sm3_part1(d: u128, n: u128, m: u128) -> u128 {
    let (x, m) = (words(d ^ n), words(m));
    let mut result = [0, 0, 0, x[3]];
    for i in 0..3 {
        result[i] = p1(x[i] ^ m[i + 1].rotate_left(15));
    }
    result[3] = p1(x[3] ^ result[0].rotate_left(15));
    from_words(result)
}

/// SM3PARTW2: the rest of the expansion.
pub fn sm3_part2(d: u128, n: u128, m: u128) -> u128 {
    let (d, n, m) = (words(d), words(n), words(m));
    let t: [u32; 4] = std::array::from_fn(|i| n[i] ^ m[i].rotate_left(7));
    let mut result: [u32; 4] = std::array::from_fn(|i| d[i] ^ t[i]);
    result[3] ^= p1(t[0].rotate_left(15));
    from_words(result)
}

/// SM3SS1: the value SS1 of a round, in the highest word.
pub fn sm3_ss1(n: u128, m: u128, a: u128) -> u128 {
    let (n, m, a) = (words(n)[3], words(m)[3], words(a)[3]);
    from_words([0, 0, 0, n.rotate_left(12).wrapping_add(m).wrapping_add(a).rotate_left(7)])
}

/// SM3TT1A, SM3TT1B, SM3TT2A, SM3TT2B (`op` 0 to 3): half of a round, with word `index` of `m`.
pub fn sm3_tt(op: u32, d: u128, n: u128, m: u128, index: u32) -> u128 {
    let (d, n, m) = (words(d), words(n)[3], words(m)[index as usize]);
    let mixed = match op {
        0 | 2 => d[3] ^ d[2] ^ d[1],
        1 => majority(d[3], d[2], d[1]),
        _ => choose(d[3], d[2], d[1]),
    };
    let sum = mixed.wrapping_add(d[0]).wrapping_add(m);
    if op < 2 {
        let ss2 = n ^ d[3].rotate_left(12);
        from_words([d[1], d[2].rotate_left(9), d[3], sum.wrapping_add(ss2)])
    } else {
        let t = sum.wrapping_add(n);
        from_words([d[1], d[2].rotate_left(19), d[3], t ^ t.rotate_left(9) ^ t.rotate_left(17)])
    }
}

/// Product in GF(2^8) modulo SM4's x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1.
const fn product(mut a: u8, mut b: u8) -> u8 {
    let mut result = 0;
    while b != 0 {
        if b & 1 != 0 {
            result ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0xf5 } else { 0 };
        b >>= 1;
    }
    result
}

/// The affine map of the S-box: bit i of the result is the parity of the bits that a mask rotated by i keeps, plus a constant.
const fn affine(x: u8) -> u8 {
    let (mut result, mut i) = (0, 0);
    while i < 8 {
        result |= ((x & 0xa7u8.rotate_left(i)).count_ones() as u8 & 1) << i;
        i += 1;
    }
    result ^ 0xd3
}

/// The S-box: the affine map, the inverse in the field, the affine map again.
const S_BOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        let input = affine(x as u8);
        // The inverse is the 254th power.
        let (mut inverse, mut i) = (1, 0);
        while i < 254 {
            inverse = product(inverse, input);
            i += 1;
        }
        table[x] = affine(inverse);
        x += 1;
    }
    table
};

/// The S-box on the bytes of a word.
fn substitute(x: u32) -> u32 {
    u32::from_le_bytes(x.to_le_bytes().map(|b| S_BOX[usize::from(b)]))
}

fn rounds(state: u128, keys: u128, linear: fn(u32) -> u32) -> u128 {
    words(keys).iter().fold(state, |state, key| {
        let w = words(state);
        from_words([w[1], w[2], w[3], w[0] ^ linear(substitute(w[1] ^ w[2] ^ w[3] ^ key))])
    })
}

/// SM4E: four rounds.
pub fn sm4_encrypt(d: u128, n: u128) -> u128 {
    rounds(d, n, |x| x ^ x.rotate_left(2) ^ x.rotate_left(10) ^ x.rotate_left(18) ^ x.rotate_left(24))
}

/// SM4EKEY: four round keys.
pub fn sm4_key(n: u128, m: u128) -> u128 {
    rounds(n, m, |x| x ^ x.rotate_left(13) ^ x.rotate_left(23))
}

#[cfg(test)]
mod tests {
    use super::S_BOX;

    #[test]
    fn the_s_box_is_that_of_the_standard() {
        assert_eq!(S_BOX[..8], [0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7]);
        assert_eq!((S_BOX[0x80], S_BOX[0xff]), (0xea, 0x48));
    }
}
