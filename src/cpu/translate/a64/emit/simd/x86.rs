//! The VEX instructions used here (Intel 64 manual, volume 2), by element size where they come in several.

use crate::cpu::translate::a64::decode::simd::Sign;
use crate::cpu::translate::asm::{Map, Pp, Vex};

const fn m0f(opcode: u8) -> Vex {
    Vex::new(Map::M0f, Pp::P66, opcode)
}

const fn m38(opcode: u8) -> Vex {
    Vex::new(Map::M0f38, Pp::P66, opcode)
}

const fn m3a(opcode: u8) -> Vex {
    Vex::new(Map::M0f3a, Pp::P66, opcode)
}

/// Places in the state need not be aligned.
pub const MOVDQU: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x6f);
pub const MOVDQU_STORE: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7f);
pub const MOVD: Vex = m0f(0x6e);
pub const MOVQ: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7e);
pub const MOVQ_GPR: Vex = m0f(0x6e).w1();
pub const MOVD_TO_GPR: Vex = m0f(0x7e);
pub const MOVQ_TO_GPR: Vex = m0f(0x7e).w1();
pub const MOVD_STORE: Vex = m0f(0x7e);
pub const MOVQ_STORE: Vex = m0f(0xd6);
pub const PTEST: Vex = m38(0x17).sets_flags();

pub const PAND: Vex = m0f(0xdb);
pub const PANDN: Vex = m0f(0xdf);
pub const POR: Vex = m0f(0xeb);
pub const PXOR: Vex = m0f(0xef);

pub const PADD: [Vex; 4] = [m0f(0xfc), m0f(0xfd), m0f(0xfe), m0f(0xd4)];
pub const PSUB: [Vex; 4] = [m0f(0xf8), m0f(0xf9), m0f(0xfa), m0f(0xfb)];
pub const PADDS: [Vex; 2] = [m0f(0xec), m0f(0xed)];
pub const PADDUS: [Vex; 2] = [m0f(0xdc), m0f(0xdd)];
pub const PSUBS: [Vex; 2] = [m0f(0xe8), m0f(0xe9)];
pub const PSUBUS: [Vex; 2] = [m0f(0xd8), m0f(0xd9)];
pub const PAVG: [Vex; 2] = [m0f(0xe0), m0f(0xe3)];
pub const PABS: [Vex; 3] = [m38(0x1c), m38(0x1d), m38(0x1e)];

pub const PCMPEQ: [Vex; 4] = [m0f(0x74), m0f(0x75), m0f(0x76), m38(0x29)];
pub const PCMPGT: [Vex; 4] = [m0f(0x64), m0f(0x65), m0f(0x66), m38(0x37)];
pub const PMAXUB: Vex = m0f(0xde);
pub const PMAXUD: Vex = m38(0x3f);
pub const PMAXSD: Vex = m38(0x3d);
pub const PMINSD: Vex = m38(0x39);
pub const PMINUD: Vex = m38(0x3b);
const PMAXS: [Vex; 3] = [m38(0x3c), m0f(0xee), m38(0x3d)];
const PMAXU: [Vex; 3] = [PMAXUB, m38(0x3e), PMAXUD];
const PMINS: [Vex; 3] = [m38(0x38), m0f(0xea), m38(0x39)];
const PMINU: [Vex; 3] = [m0f(0xda), m38(0x3a), m38(0x3b)];

pub const PMULLW: Vex = m0f(0xd5);
pub const PMULHW: Vex = m0f(0xe5);
pub const PMULHRSW: Vex = m38(0x0b);
pub const PMULLD: Vex = m38(0x40);
pub const PMULUDQ: Vex = m0f(0xf4);
pub const PMULDQ: Vex = m38(0x28);
pub const PMADDWD: Vex = m0f(0xf5);
pub const PMADDUBSW: Vex = m38(0x04);
pub const PSADBW: Vex = m0f(0xf6);
pub const PHADD: [Vex; 2] = [m38(0x01), m38(0x02)];

pub const PSHUFB: Vex = m38(0x00);
pub const PSHUFD: Vex = m0f(0x70);
pub const SHUFPS: Vex = Vex::new(Map::M0f, Pp::None, 0xc6);
pub const PALIGNR: Vex = m3a(0x0f);
pub const PBLENDD: Vex = m3a(0x02);
pub const BLENDVPS: Vex = m3a(0x4a);
pub const BLENDVPD: Vex = m3a(0x4b);
pub const PUNPCKL: [Vex; 4] = [m0f(0x60), m0f(0x61), m0f(0x62), m0f(0x6c)];
pub const PUNPCKH: [Vex; 4] = [m0f(0x68), m0f(0x69), m0f(0x6a), m0f(0x6d)];
pub const PACKSS: [Vex; 2] = [m0f(0x63), m0f(0x6b)];
pub const PACKUS: [Vex; 2] = [m0f(0x67), m38(0x2b)];
pub const PBROADCAST: [Vex; 4] = [m38(0x78), m38(0x79), m38(0x58), m38(0x59)];
pub const PEXTR: [Vex; 4] = [m3a(0x14), m3a(0x15), m3a(0x16), m3a(0x16).w1()];
pub const PINSR: [Vex; 4] = [m3a(0x20), m0f(0xc4), m3a(0x22), m3a(0x22).w1()];
pub const INSERTPS: Vex = m3a(0x21);

pub const PSLLV: [Vex; 2] = [m38(0x47), m38(0x47).w1()];
pub const PSRLV: [Vex; 2] = [m38(0x45), m38(0x45).w1()];
pub const PSRAVD: Vex = m38(0x46);

pub const PCLMULQDQ: Vex = m3a(0x44);
pub const AESENC: Vex = m38(0xdc);
pub const AESENCLAST: Vex = m38(0xdd);
pub const AESDECLAST: Vex = m38(0xdf);
pub const AESIMC: Vex = m38(0xdb);

/// A shift by a constant: the instruction and its `/digit`.
pub type Shift = (Vex, u8);

/// `psllw`, `pslld`, `psllq`, for sizes 1 to 3.
pub const fn psll(size: u32) -> Shift {
    (m0f(0x70 + size as u8), 6)
}

/// `psrlw`, `psrld`, `psrlq`, for sizes 1 to 3.
pub const fn psrl(size: u32) -> Shift {
    (m0f(0x70 + size as u8), 2)
}

/// `psraw`, `psrad`, for sizes 1 and 2.
pub const fn psra(size: u32) -> Shift {
    (m0f(0x70 + size as u8), 4)
}

/// `pslldq`, which shifts by bytes.
pub const PSLLDQ: Shift = (m0f(0x73), 7);

/// `psrldq`, which shifts by bytes.
pub const PSRLDQ: Shift = (m0f(0x73), 3);

/// `pmax*`, for sizes 0 to 2.
pub fn pmax(sign: Sign, size: u32) -> Option<Vex> {
    let table = if sign == Sign::Signed { PMAXS } else { PMAXU };
    table.get(size as usize).copied()
}

/// `pmin*`, for sizes 0 to 2.
pub fn pmin(sign: Sign, size: u32) -> Option<Vex> {
    let table = if sign == Sign::Signed { PMINS } else { PMINU };
    table.get(size as usize).copied()
}

/// `pmovsx` or `pmovzx` from elements of size 0 to 2 to twice that.
pub fn extend(sign: Sign, size: u32) -> Vex {
    let by_size = [0x20, 0x23, 0x25][size.min(2) as usize];
    m38(if sign == Sign::Signed { by_size } else { by_size + 0x10 })
}

/// `pmovsx` or `pmovzx` from elements of size 0 or 1 to words; of words a move.
pub fn extend_to_words(sign: Sign, size: u32) -> Vex {
    let by_size = [0x21, 0x23][(size & 1) as usize];
    match sign {
        _ if size == 2 => MOVDQU,
        Sign::Signed => m38(by_size),
        Sign::Unsigned => m38(by_size + 0x10),
    }
}
