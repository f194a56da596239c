//! The AES round steps (FIPS 197). The state is column-major: byte i of the register is row i mod 4, column i div 4.

/// Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
const fn product(mut a: u8, mut b: u8) -> u8 {
    let mut result = 0;
    while b != 0 {
        if b & 1 != 0 {
            result ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 };
        b >>= 1;
    }
    result
}

/// The S-box: the inverse in the field, then an affine map.
const S_BOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        // The inverse is the 254th power.
        let (mut inverse, mut i) = (1, 0);
        while i < 254 {
            inverse = product(inverse, x as u8);
            i += 1;
        }
        let rotated = inverse.rotate_left(1) ^ inverse.rotate_left(2) ^ inverse.rotate_left(3) ^ inverse.rotate_left(4);
        table[x] = inverse ^ rotated ^ 0x63;
        x += 1;
    }
    table
};

const INVERSE_S_BOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        table[S_BOX[x] as usize] = x as u8;
        x += 1;
    }
    table
};

/// AESE: AddRoundKey, ShiftRows, SubBytes.
pub fn encrypt(d: u128, n: u128) -> u128 {
    let state = (d ^ n).to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|i| S_BOX[usize::from(state[(i + 4 * (i % 4)) % 16])]))
}

/// AESD: AddRoundKey, then the inverses of ShiftRows and SubBytes.
pub fn decrypt(d: u128, n: u128) -> u128 {
    let state = (d ^ n).to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|i| INVERSE_S_BOX[usize::from(state[(i + 12 * (i % 4)) % 16])]))
}

/// AESMC: MixColumns.
pub fn mix_columns(n: u128) -> u128 {
    multiply_columns(n, [2, 3, 1, 1])
}

/// AESIMC: the inverse of MixColumns.
pub fn inverse_mix_columns(n: u128) -> u128 {
    multiply_columns(n, [14, 11, 13, 9])
}

/// Multiplies each column by the circulant matrix with that first row.
fn multiply_columns(n: u128, row: [u8; 4]) -> u128 {
    let state = n.to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|i| {
        (0..4).fold(0, |sum, k| sum ^ product(state[i / 4 * 4 + (i + k) % 4], row[k]))
    }))
}
