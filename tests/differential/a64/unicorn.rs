//! What Unicorn 2.1.5 (QEMU 5.0), and in two points qemu-aarch64 7.2, does not know or does against the Arm Architecture Reference Manual (ARM DDI 0487).

use super::generate::Case;
use crate::isa::Oracle;

/// `fcvtzs` of a scalar half to fixed point.
const HALF_TO_FIXED: (u32, u32) = (0xfff0_fc00, 0x5f10_fc00);

/// Instructions that it cannot judge: a mask, the value under it, and why.
const BEYOND: &[(u32, u32, &str)] = &[
    // FEAT_BF16 and FEAT_I8MM (Armv8.6, optional from 8.2) are younger than it: it calls them undefined.
    (0xffff_fc00, 0x1e63_4000, "bfcvt"),
    (0xbfff_fc00, 0x0ea1_6800, "bfcvtn"),
    (0xbfe0_fc00, 0x2e40_fc00, "bfdot"),
    (0xbfc0_f400, 0x0f40_f000, "bfdot by element"),
    (0xffe0_fc00, 0x6e40_ec00, "bfmmla"),
    (0xbfe0_fc00, 0x2ec0_fc00, "bfmlal"),
    (0xbfc0_f400, 0x0fc0_f000, "bfmlal by element"),
    (0xbfe0_fc00, 0x0e80_9c00, "usdot"),
    (0xbfc0_f400, 0x0f80_f000, "usdot by element"),
    (0xbfc0_f400, 0x0f00_f000, "sudot by element"),
    (0xdfe0_fc00, 0x4e80_a400, "smmla, ummla"),
    (0xffe0_fc00, 0x4e80_ac00, "usmmla"),
    // FPToFixed() gives 16 bits to Vd (C7.2, FCVTZS (vector, fixed-point)); it leaves copies of the sign above them. QEMU
    // 7.2 does too.
    (HALF_TO_FIXED.0, HALF_TO_FIXED.1, "fcvtzs of a scalar half to fixed point"),
    // Atomic() compares signed elements (C6.2, LDSMAX); it extends narrow ones with zeros.
    (0xff20_ec00, 0x3820_4000, "ldsmaxb, ldsminb"),
    (0xff20_ec00, 0x7820_4000, "ldsmaxh, ldsminh"),
    (0xff20_ec00, 0xb820_4000, "ldsmax, ldsmin of a word"),
    // AuthDA(address, X[31]) takes zero as the modifier (C6.2, LDRAA); it takes SP.
    (0xff20_0400, 0xf820_0400, "ldraa, ldrab"),
    // AddPAC() inverts bit 54 or 62 of the code of a malformed pointer, and takes bit 55 for its half if tags are ignored;
    // it inverts bit 55 or 63, and takes bit 63 in the upper half. (Signed pointers that are none too come by an idiom.)
    (0xffff_d000, 0xdac1_0000, "pacia, pacib, pacda, pacdb"),
    (0xffff_ffbf, 0xd503_211f, "pacia1716, pacib1716"),
    (0xffff_ff9f, 0xd503_231f, "paciaz, paciasp, pacibz, pacibsp"),
    // FEAT_LSE2 makes it a fault to leave a block of 16 bytes; it knows neither.
    (0xff20_0c00, 0x5900_0000, "ldapurh, stlurh"),
    (0xff20_0c00, 0x9900_0000, "ldapur, stlur of a word"),
    (0xff20_0c00, 0xd900_0000, "ldapur, stlur"),
    // A byte that cannot be read is a fault (C6.2, DC CVAU); it does nothing.
    (0xffff_ffe0, 0xd50b_7520, "ic ivau"),
    (0xffff_ffe0, 0xd50b_7a20, "dc cvac"),
    (0xffff_ffe0, 0xd50b_7b20, "dc cvau"),
    (0xffff_ffe0, 0xd50b_7c20, "dc cvap"),
    (0xffff_ffe0, 0xd50b_7d20, "dc cvadp"),
    (0xffff_ffe0, 0xd50b_7e20, "dc civac"),
    // These show features that it lacks.
    (0xffff_ffe0, 0xd538_0620, "mrs id_aa64isar1_el1"),
    (0xffff_ffe0, 0xd538_0740, "mrs id_aa64mmfr2_el1"),
    // It computes the unused upper half as well, whose exceptions then stand in FPSR: "for e = 0 to elements-1" (C7.2,
    // FCMLA (by element)) ends with the lower half if Q is 0.
    (0xffc0_9400, 0x2f40_1000, "fcmla by element of four halves"),
];

/// `fjcvtzs`: of a denormal with FPCR.FZ, Z is 0 since the input is not the result (FPToFixedJS()); both have Z 1.
const FJCVTZS: (u32, u32) = (0xffff_fc00, 0x1e7e_0000);

/// Flush-to-zero in FPCR.
const FZ: u32 = 1 << 24;

/// `msr fpcr, x0`
const MSR_FPCR: u32 = 0xd51b_4400;

/// Whether an oracle is no judge of an instruction.
pub fn cannot_judge(oracle: Oracle, word: u32) -> bool {
    match oracle {
        Oracle::Unicorn => BEYOND.iter().any(|(mask, value, _)| word & mask == *value),
        Oracle::Qemu => word & HALF_TO_FIXED.0 == HALF_TO_FIXED.1,
        Oracle::Other => false,
    }
}

/// Whether it is none of a sequence, with the FPCR that this begins with or may set.
pub fn cannot_judge_all(case: &Case) -> bool {
    // Registers that show features, LDRAA and LDRAB also come with an idiom.
    let lacks = |word: u32| word & 0xffff_ffe0 == 0xd538_0620 || word & 0xffff_ffe0 == 0xd538_0740;
    if has_mixed_exclusives(&case.words)
        || signs_any_pointer(&case.words)
        || case.words.iter().any(|word| word & 0xff20_0400 == 0xf820_0400 || lacks(*word))
    {
        return true;
    }
    let sets_fpcr = |word: &u32| word & !0x1f == MSR_FPCR;
    let flushes = case.regs.fpcr & FZ != 0 || case.words.iter().any(sets_fpcr);
    flushes && case.words.iter().any(|word| word & FJCVTZS.0 == FJCVTZS.1)
}

/// Whether there are a load-exclusive and a store-exclusive of different sizes, which is CONSTRAINED UNPREDICTABLE.
fn has_mixed_exclusives(words: &[u32]) -> bool {
    let exclusive =
        |word: &&u32| **word & 0x3f80_0000 == 0x0800_0000 && (**word & 1 << 21 == 0 || **word & 1 << 31 != 0);
    let size = |word: &u32| (word >> 30, word >> 21 & 1);
    let sizes = |load: u32| -> Vec<(u32, u32)> {
        words.iter().filter(exclusive).filter(|word| *word >> 22 & 1 == load).map(size).collect()
    };
    let stores = sizes(0);
    sizes(1).iter().any(|load| stores.iter().any(|store| store != load))
}

/// LSE atomics: those with an operation, `swp`, `cas` and `casp`.
pub fn is_atomic(word: u32) -> bool {
    word & 0x3f20_0c00 == 0x3820_0000 || word & 0x3fa0_7c00 == 0x08a0_7c00 || word & 0xbfa0_7c00 == 0x0820_7c00
}

/// How many bytes an instruction accesses, if it is exclusive, ordered or atomic.
pub fn aligned_bytes(word: u32) -> Option<u64> {
    let size = 1 << (word >> 30);
    let unscaled = word & 0x3f20_0c00 == 0x1900_0000;
    match word >> 21 & 0x1ff {
        // Exclusives, LDAR and such, with CAS among them, CASP, and exclusive pairs: bits 23 and 21 are o2 and o1.
        0b0_0100_0000 | 0b0_0100_0010 | 0b0_0100_0100..=0b0_0100_0111 => Some(size),
        0b0_0100_0001 | 0b0_0100_0011 if word >> 31 == 0 => Some(8 << (word >> 30)),
        0b0_0100_0001 | 0b0_0100_0011 => Some(2 * size),
        _ if unscaled || is_atomic(word) || word & 0x3fff_fc00 == 0x38bf_c000 => Some(size),
        _ => None,
    }
}

/// Whether it is an atomic access, misaligned, within a block of 16 bytes.
pub fn may_be_misaligned(word: u32, addr: u64) -> bool {
    is_atomic(word) && aligned_bytes(word).is_some_and(|bytes| !addr.is_multiple_of(bytes) && addr % 16 + bytes <= 16)
}

/// The vector registers that an instruction loads in several parts.
pub fn loaded_vectors(word: u32) -> impl Iterator<Item = usize> {
    let (first, second) = (word & 31, word >> 10 & 31);
    let pair = word & 0x3e40_0000 == 0x2c40_0000;
    let structure = word & 0xbe40_0000 == 0x0c40_0000;
    let count = if structure { 4 } else { 0 };
    let of_pair = [first, second].into_iter().filter(move |_| pair);
    (0..count).map(move |i| (first + i) % 32).chain(of_pair).map(|v| v as usize)
}

/// `pacia` and such with a register, `pacda` and such.
fn signs(word: u32) -> bool {
    word & 0xffff_c000 == 0xdac1_0000 && word >> 12 & 1 == 0
}

/// Whether a pointer may be signed that is malformed: one that has not just been made by ADR, which is how it comes in idioms.
fn signs_any_pointer(words: &[u32]) -> bool {
    let signed = |low: u32, bits: u32, word: u32| (word << (32 - low - bits)) as i32 >> (32 - bits);
    let distance = |word: u32| match word >> 24 {
        _ if word & 0x7c00_0000 == 0x1400_0000 => Some(signed(0, 26, word)),
        0x10 | 0x54 | 0x34 | 0x35 | 0xb4 | 0xb5 => Some(signed(5, 19, word)),
        0x36 | 0x37 | 0xb6 | 0xb7 => Some(signed(5, 14, word)),
        _ => None,
    };
    let entered =
        |at: usize| words.iter().enumerate().any(|(i, w)| distance(*w).is_some_and(|d| i as i32 + d == at as i32));
    let made = |at: usize| at > 0 && words[at - 1] & 0xff00_001f == 0x1000_0000 | words[at] & 31 && !entered(at);
    words.iter().enumerate().any(|(at, word)| signs(*word) && !made(at))
}
