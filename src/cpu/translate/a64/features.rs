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

/// AT_HWCAP and AT_HWCAP2.
pub fn hwcap() -> (u64, u64) {
    use crate::arch::aarch64::hwcap::*;
    let simd = FP | ASIMD | FPHP | ASIMDHP | ASIMDRDM | ASIMDDP | ASIMDFHM | FCMA | JSCVT;
    let crypto = AES | PMULL | SHA1 | SHA2 | SHA3 | SHA512 | SM3 | SM4 | CRC32;
    let rest = ATOMICS | CPUID | LRCPC | USCAT | ILRCPC | DCPOP | FLAGM | SB | PACA | PACG;
    (simd | crypto | rest, two::DCPODP | two::FLAGM2 | two::FRINT | two::I8MM | two::BF16)
}
