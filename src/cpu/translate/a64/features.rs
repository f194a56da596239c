//! What the machine has: ID registers as Linux shows them to user mode, and AT_HWCAP.
//!
//! Both say the same (Documentation/arch/arm64/elf_hwcaps.rst); a feature is added to both, and to no other place.

/// MIDR_EL1: implementer 0 ("reserved for software use"), architecture by ID registers, part `Q`.
const MIDR: u64 = 0xf_0510;
/// EL0 and EL1 are AArch64 only; half precision for FP and AdvSIMD. No SVE.
const ID_AA64PFR0: u64 = 0x0011_0011;
/// TS (FlagM2) 2, FHM 1, DP 1, SM4 1, SM3 1, SHA3 1, RDM 1, atomics 2, CRC32 1, SHA2 2, SHA1 1, AES and PMULL 2. RNDR,
/// whose numbers would come from the host, is left out.
const ID_AA64ISAR0: u64 = 0x0021_1111_1021_2120;
/// I8MM 1, BF16 1, SB 1, FRINTTS 1, GPA 1, LRCPC 2, FCMA 1, JSCVT 1, APA 1, DPB 2.
const ID_AA64ISAR1: u64 = 0x0010_1011_0121_1012;
/// AT 1: FEAT_LSE2, single-copy atomicity within 16 bytes.
const ID_AA64MMFR2: u64 = 1 << 32;

/// The value of ID register (3, 0, 0, `crm`, `op2`) as Linux shows it to user mode
/// (Documentation/arch/arm64/cpu-feature-registers.rst): only fields about instructions that user mode may use. `None`
/// where Linux gives SIGILL.
pub fn id_register(crm: u32, op2: u32) -> Option<u64> {
    Some(match (crm, op2) {
        (0, 0) => MIDR,
        // MPIDR_EL1: uniprocessor affinity 0, bit 31 is RES1.
        (0, 5) => 1 << 31,
        // REVIDR_EL1
        (0, 6) => 0,
        (0, _) => return None,
        (4, 0) => ID_AA64PFR0,
        (6, 0) => ID_AA64ISAR0,
        (6, 1) => ID_AA64ISAR1,
        (7, 2) => ID_AA64MMFR2,
        (2..=7, _) => 0,
        _ => return None,
    })
}

/// Bits of AT_HWCAP (arch/arm64/include/uapi/asm/hwcap.h) for what the ID registers above show.
mod bits {
    pub const FP: u64 = 1 << 0;
    pub const ASIMD: u64 = 1 << 1;
    pub const AES: u64 = 1 << 3;
    pub const PMULL: u64 = 1 << 4;
    pub const SHA1: u64 = 1 << 5;
    pub const SHA2: u64 = 1 << 6;
    pub const CRC32: u64 = 1 << 7;
    pub const ATOMICS: u64 = 1 << 8;
    pub const FPHP: u64 = 1 << 9;
    pub const ASIMDHP: u64 = 1 << 10;
    pub const CPUID: u64 = 1 << 11;
    pub const ASIMDRDM: u64 = 1 << 12;
    pub const JSCVT: u64 = 1 << 13;
    pub const FCMA: u64 = 1 << 14;
    pub const LRCPC: u64 = 1 << 15;
    pub const DCPOP: u64 = 1 << 16;
    pub const SHA3: u64 = 1 << 17;
    pub const SM3: u64 = 1 << 18;
    pub const SM4: u64 = 1 << 19;
    pub const ASIMDDP: u64 = 1 << 20;
    pub const SHA512: u64 = 1 << 21;
    pub const ASIMDFHM: u64 = 1 << 23;
    pub const USCAT: u64 = 1 << 25;
    pub const ILRCPC: u64 = 1 << 26;
    pub const FLAGM: u64 = 1 << 27;
    pub const SB: u64 = 1 << 29;
    pub const PACA: u64 = 1 << 30;
    pub const PACG: u64 = 1 << 31;
    /// AT_HWCAP2.
    pub mod two {
        pub const DCPODP: u64 = 1 << 0;
        pub const FLAGM2: u64 = 1 << 7;
        pub const FRINT: u64 = 1 << 8;
        pub const I8MM: u64 = 1 << 13;
        pub const BF16: u64 = 1 << 14;
    }
}

/// AT_HWCAP and AT_HWCAP2.
pub fn hwcap() -> (u64, u64) {
    use bits::*;
    let simd = FP | ASIMD | FPHP | ASIMDHP | ASIMDRDM | ASIMDDP | ASIMDFHM | FCMA | JSCVT;
    let crypto = AES | PMULL | SHA1 | SHA2 | SHA3 | SHA512 | SM3 | SM4 | CRC32;
    let rest = ATOMICS | CPUID | LRCPC | USCAT | ILRCPC | DCPOP | FLAGM | SB | PACA | PACG;
    (simd | crypto | rest, two::DCPODP | two::FLAGM2 | two::FRINT | two::I8MM | two::BF16)
}
