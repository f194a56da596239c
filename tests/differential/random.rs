//! Random numbers, the values that registers and memory begin with, and where all stands.

use sevm::mem::PAGE_SIZE;

/// Where sequences stand.
pub const CODE: u64 = 0x40_0000;
/// Bytes of code.
pub const CODE_SIZE: u64 = 16 * PAGE_SIZE;
/// Three pages to read and write, with nothing before them; a page to read; nothing.
pub const SCRATCH: u64 = CODE + 0x8_0000;
/// Bytes that can be written.
pub const SCRATCH_SIZE: u64 = 3 * PAGE_SIZE;
/// The page that can only be read.
pub const READ_ONLY: u64 = SCRATCH + SCRATCH_SIZE;

/// A small generator of random numbers (splitmix64), so that a seed means the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

pub const SPECIAL_INTEGERS: &[u64] = &[
    0,
    1,
    2,
    u64::MAX,
    1 << 63,
    (1 << 63) - 1,
    1 << 31,
    (1 << 31) - 1,
    0xffff_ffff,
    1 << 32,
    0xffff_ffff_8000_0000,
    0x8000_0000_8000_0000,
    0x5555_5555_5555_5555,
    0xff,
    0x80,
    0x8000,
    0x7fff,
];

pub const SPECIAL_HALVES: &[u16] = &[
    0, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x7d00, 0xfd01, 0x7bff, 0xfbff, 0x0001, 0x8001, 0x03ff,
    0x0400, 0x8400, 0x4000, 0x3e00, 0x3800, 0x77ff, 0x7800, 0x6400, 0x63ff, 0x4248, 0x0200, 0x1400,
];

pub const SPECIAL_SINGLES: &[u32] = &[
    0,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc0_1234,
    0x7f80_0001,
    0xffa5_5a5a,
    0x7f7f_ffff,
    0xff7f_ffff,
    1,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x8080_0000,
    0x4000_0000,
    0x3fc0_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x4f00_0000,
    0x4eff_ffff,
    0xcf00_0000,
    0x4f80_0000,
    0x5f00_0000,
    0xdf00_0000,
    0x5f80_0000,
    0x4b00_0000,
    0x4aff_ffff,
    0x477f_e000,
    0x477f_f000,
    0x3380_0000,
    0x3300_0000,
    0x3880_0000,
    0x387f_e000,
    0x7e80_0000,
    0x7f00_0000,
    0x0100_0000,
    0x1f80_0000,
];

pub const SPECIAL_DOUBLES: &[u64] = &[
    0,
    0x8000_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_1234,
    0x7ff0_0000_0000_0001,
    0xfff4_5555_5555_5555,
    0x7fef_ffff_ffff_ffff,
    0xffef_ffff_ffff_ffff,
    1,
    0x8000_0000_0000_0001,
    0x000f_ffff_ffff_ffff,
    0x0010_0000_0000_0000,
    0x8010_0000_0000_0000,
    0x4000_0000_0000_0000,
    0x3ff8_0000_0000_0000,
    0x3fe0_0000_0000_0000,
    0xbfe0_0000_0000_0000,
    0x41df_ffff_ffc0_0000,
    0x41e0_0000_0000_0000,
    0xc1e0_0000_0000_0000,
    0xc1e0_0000_0020_0000,
    0x41ef_ffff_ffe0_0000,
    0x41f0_0000_0000_0000,
    0x43e0_0000_0000_0000,
    0xc3e0_0000_0000_0000,
    0x43df_ffff_ffff_ffff,
    0x43f0_0000_0000_0000,
    0x4330_0000_0000_0000,
    0x432f_ffff_ffff_ffff,
    0x47ef_ffff_e000_0000,
    0x47ef_ffff_f000_0000,
    0x3810_0000_0000_0000,
    0x380f_ffff_ffff_ffff,
    0x36a0_0000_0000_0000,
    0x3690_0000_0000_0000,
    0x7fd0_0000_0000_0000,
    0x40ef_fc00_0000_0000,
    0x40ef_fe00_0000_0000,
    0x3e60_0000_0000_0000,
];

/// A random value as a general register may hold it.
pub fn integer(random: &mut Random) -> u64 {
    match random.below(8) {
        0..=2 => *random.pick(SPECIAL_INTEGERS),
        3 => random.pick(SPECIAL_INTEGERS).wrapping_add(random.below(5)).wrapping_sub(2),
        4 => random.next() >> random.below(64),
        5 => (random.next() as i64 >> random.below(64)) as u64,
        6 => *random.pick(SPECIAL_DOUBLES),
        _ => random.next(),
    }
}

/// A random value as a vector register or memory may hold it: lanes of one size, special ones or not.
pub fn vector(random: &mut Random) -> u128 {
    let mut lanes = |bits: u32, lane: &mut dyn FnMut(&mut Random) -> u128| {
        let mask = u128::MAX >> (128 - bits);
        (0..128 / bits).fold(0, |v, i| v | (lane(random) & mask) << (i * bits))
    };
    let near = |random: &mut Random| if random.one_in(4) { random.below(3).wrapping_sub(1) } else { 0 };
    let pick = lanes(32, &mut |r| r.next().into()) as u64 % 9;
    match pick {
        0 | 1 => lanes(64, &mut |r| {
            let v = *r.pick(SPECIAL_DOUBLES);
            v.wrapping_add(near(r)).into()
        }),
        2 | 3 => lanes(32, &mut |r| {
            let v = u64::from(*r.pick(SPECIAL_SINGLES));
            v.wrapping_add(near(r)).into()
        }),
        4 => lanes(16, &mut |r| u128::from(*r.pick(SPECIAL_HALVES))),
        5 => lanes(8, &mut |r| u128::from(*r.pick(&[0u8, 1, 0x7f, 0x80, 0xff, 0x40, 0xc0, 0x10]))),
        // Numbers of a like size, which sums and products can cancel.
        6 => lanes(64, &mut |r| (1.0f64 + r.below(1 << 20) as f64 / 7.0).to_bits().into()),
        7 => lanes(32, &mut |r| (1.0f32 - r.below(1 << 16) as f32 / 7.0).to_bits().into()),
        _ => lanes(64, &mut |r| r.next().into()),
    }
}

/// Bytes for the scratch area and the read-only page behind it.
pub fn fillings(random: &mut Random) -> Vec<u8> {
    let len = (SCRATCH_SIZE + PAGE_SIZE) * 2;
    (0..len / 16).flat_map(|_| vector(random).to_le_bytes()).collect()
}

/// Different fillings: the bytes of `fillings` from so many places.
pub const FILLINGS: usize = (SCRATCH_SIZE + PAGE_SIZE) as usize / 16;

/// An address in the scratch area for an access of `size` bytes; rarely one that faults or just does not.
pub fn target(random: &mut Random, size: u64, aligned: bool) -> u64 {
    let at = match random.below(64) {
        0 => READ_ONLY + random.below(PAGE_SIZE),
        1 => READ_ONLY + PAGE_SIZE - random.below(2 * size + 1),
        2 => READ_ONLY - random.below(2 * size + 1),
        3 => SCRATCH.wrapping_sub(size).wrapping_add(random.below(size + 1)),
        4..=7 => SCRATCH + PAGE_SIZE * (1 + random.below(2)) - random.below(size + 1),
        _ => SCRATCH + 512 + random.below(SCRATCH_SIZE - 1024),
    };
    if aligned || random.one_in(2) { at & !(size - 1) } else { at }
}
