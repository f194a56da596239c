//! What Unicorn 2.1.5 (QEMU 5.0), and in two points qemu-aarch64 7.2, does not know or does against the Arm Architecture Reference Manual (ARM DDI 0487).

use super::generate::{Case, Oracle};

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
    // LDRAA and LDRAB also come with an idiom.
    if has_mixed_exclusives(&case.words) || case.words.iter().any(|word| word & 0xff20_0400 == 0xf820_0400) {
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

/// `ldapur`, `stlur` and their narrow and signed forms.
pub fn is_unscaled_ordered(word: u32) -> bool {
    word & 0x3f20_0c00 == 0x1900_0000
}
