//! The aarch64 side: registers, system registers as Linux sets them for user mode, instructions that Linux emulates.

use std::ffi::c_int;

use unicorn_engine::hook::sys::{Arch, Arm64CpuModel, Mode, RegisterARM64 as R};

use super::engine::Engine;
use super::hooks::{NOWHERE, STUB_PAGE};
use crate::Error;
use crate::arch::RawCall;
use crate::arch::aarch64::Regs;

pub(super) const PC: c_int = R::PC as c_int;
pub(super) const SP: c_int = R::SP as c_int;

/// `clrex; svc 0; ldr x0, [x0]`; the load is for the self test.
pub(super) const STUB: [u8; 12] = [0x5f, 0x3f, 0x03, 0xd5, 0x01, 0x00, 0x00, 0xd4, 0x00, 0x00, 0x40, 0xf9];
const STUB_LOAD: u64 = STUB_PAGE + 8;

/// A system register by its encoding: op0, op1, CRn, CRm, op2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SysReg(pub u32, pub u32, pub u32, pub u32, pub u32);

const SCR_EL3: SysReg = SysReg(3, 6, 1, 1, 0);
const HCR_EL2: SysReg = SysReg(3, 4, 1, 1, 0);
const SCTLR_EL1: SysReg = SysReg(3, 0, 1, 0, 0);
const CPACR_EL1: SysReg = SysReg(3, 0, 1, 0, 2);
const TCR_EL1: SysReg = SysReg(3, 0, 2, 0, 2);

/// SCTLR_EL1 as Linux has it in what user mode can notice: pointer authentication (EnIA, EnIB, EnDA, EnDB), cache
/// maintenance (UCI), `wfe` and `wfi` (nTWE, nTWI), `ctr_el0` (UCT), `dc zva` (DZE); no alignment check.
const SCTLR: u64 = 1 << 31 | 1 << 30 | 1 << 27 | 1 << 26 | 1 << 18 | 1 << 16 | 1 << 15 | 1 << 14 | 1 << 13 | RES1;
const RES1: u64 = 1 << 29 | 1 << 28 | 1 << 23 | 1 << 22 | 1 << 20 | 1 << 11 | 1 << 4 | 1 << 3;

/// Non-secure, lower levels are AArch64, pointer authentication is not trapped (NS, RW, APK, API).
const SCR: u64 = 1 | 1 << 10 | 1 << 16 | 1 << 17;

/// The same for EL2 (RW, APK, API).
const HCR: u64 = 1 << 31 | 1 << 40 | 1 << 41;

/// FP and SIMD enabled, SVE (ZEN) not.
const CPACR: u64 = 3 << 20;

/// 48-bit addresses whose top byte is ignored.
const TCR: u64 = 16 | 16 << 16 | 1 << 37;

/// The halves of the keys IA, IB, DA, DB (CRm 1, 1, 2, 2) and GA (CRm 3).
const KEYS: [(u32, u32); 10] = [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3), (3, 0), (3, 1)];

pub(super) fn open() -> Result<Engine, Error> {
    // Only this model has LSE atomics and pointer authentication.
    Engine::open(Arch::ARM64, Mode::LITTLE_ENDIAN, Arm64CpuModel::MAX as c_int)
}

/// System registers, then EL0. The stub page is mapped.
pub(super) fn set_up(engine: &mut Engine) -> Result<(), Error> {
    engine.write_sysreg(SCR_EL3, SCR);
    engine.write_sysreg(HCR_EL2, HCR);
    engine.write_sysreg(SCTLR_EL1, SCTLR);
    engine.write_sysreg(TCR_EL1, TCR);
    for (i, (crm, op2)) in KEYS.into_iter().enumerate() {
        // Any keys will do, since the guest cannot read them; fixed ones make runs repeatable.
        let key = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(i as u64 + 1);
        engine.write_sysreg(SysReg(3, 0, 2, crm, op2), key);
    }
    engine.write(R::PSTATE as c_int, 0u32);
    // Last, since writing a system register makes the engine take the exception level in.
    engine.write_sysreg(CPACR_EL1, CPACR);
    engine.write(R::X0 as c_int, NOWHERE);
    super::self_test(engine, STUB_LOAD)?;
    match engine.read::<u32>(R::PSTATE as c_int) & 0xf {
        0 => Ok(()),
        mode => Err(Error::Cpu { backend: "unicorn", reason: format!("processor mode {mode}, not user mode") }),
    }
}

const X: [c_int; 31] = {
    let mut ids = [0; 31];
    let mut i = 0;
    while i < 29 {
        ids[i] = R::X0 as c_int + i as c_int;
        i += 1;
    }
    ids[29] = R::X29 as c_int;
    ids[30] = R::X30 as c_int;
    ids
};

pub(super) fn syscall(engine: &Engine) -> RawCall {
    const IDS: [c_int; 7] = [X[8], X[0], X[1], X[2], X[3], X[4], X[5]];
    let [nr, args @ ..] = engine.read_all(&IDS);
    RawCall { nr, args }
}

pub(super) fn set_result(engine: &mut Engine, value: u64) {
    engine.write(X[0], value);
}

pub(super) fn save(engine: &Engine, regs: &mut Regs) {
    regs.x = engine.read_all(&X);
    [regs.sp, regs.pc, regs.tpidr] = engine.read_all(&[SP, PC, R::TPIDR_EL0 as c_int]);
    regs.pstate = u64::from(engine.read::<u32>(R::NZCV as c_int));
    for i in 0..32 {
        regs.v[i] = engine.read(R::Q0 as c_int + i as c_int);
    }
    regs.fpcr = engine.read(R::FPCR as c_int);
    regs.fpsr = engine.read(R::FPSR as c_int);
}

pub(super) fn load(engine: &mut Engine, regs: &Regs) {
    engine.write_all(&X, &regs.x);
    engine.write_all(&[SP, PC, R::TPIDR_EL0 as c_int], &[regs.sp, regs.pc, regs.tpidr]);
    engine.write(R::NZCV as c_int, regs.pstate as u32 & 0xf000_0000);
    for (i, value) in regs.v.iter().enumerate() {
        engine.write(R::Q0 as c_int + i as c_int, *value);
    }
    engine.write(R::FPCR as c_int, regs.fpcr);
    engine.write(R::FPSR as c_int, regs.fpsr);
}

/// `mrs`: the register read, and the number of the general register that takes it.
pub(super) fn decode_mrs(word: u32) -> Option<(SysReg, usize)> {
    let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
    (word >> 20 == 0xd53).then(|| {
        let register = SysReg(2 + field(19, 1), field(16, 3), field(12, 4), field(8, 4), field(5, 3));
        (register, field(0, 5) as usize)
    })
}

/// Gives general register `index` a value; register 31 is the zero register.
pub(super) fn set_general(engine: &mut Engine, index: usize, value: u64) {
    if let Some(&id) = X.get(index) {
        engine.write(id, value);
    }
}

/// The register of a counter that Linux lets user mode read.
pub(super) enum Timer {
    /// `cntvct_el0`, or `cntvctss_el0`, which QEMU of this age lacks.
    Count,
    /// `cntfrq_el0`.
    Frequency,
}

pub(super) fn timer(register: SysReg) -> Option<Timer> {
    match register {
        SysReg(3, 3, 14, 0, 2) => Some(Timer::Count),
        SysReg(3, 3, 14, 0, 0) => Some(Timer::Frequency),
        _ => None,
    }
}

/// The value of an ID register as Linux shows it to user mode (Documentation/arch/arm64/cpu-feature-registers.rst):
/// only fields about instructions that user mode may use. `None` where Linux gives SIGILL.
pub(super) fn id_register(register: SysReg) -> Option<u64> {
    let SysReg(3, 0, 0, crm, op2) = register else { return None };
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
        (2..=7, _) => 0,
        _ => return None,
    })
}

/// MIDR_EL1: implementer 0 ("reserved for software use"), architecture by ID registers, part `Q`.
const MIDR: u64 = 0xf_0510;
/// EL0 and EL1 are AArch64 only; half precision for FP and AdvSIMD. No SVE.
const ID_AA64PFR0: u64 = 0x0011_0011;
/// TS (FlagM2) 2, FHM 1, DP 1, SM4 1, SM3 1, SHA3 1, RDM 1, atomics 2, CRC32 1, SHA2 2, SHA1 1, AES and PMULL 2. RNDR,
/// whose numbers would come from the host, is left out.
const ID_AA64ISAR0: u64 = 0x0021_1111_1021_2120;
/// SB 1, FRINTTS 1, GPA 1, LRCPC 2, FCMA 1, JSCVT 1, APA 1, DPB 2.
const ID_AA64ISAR1: u64 = 0x0011_0121_1012;

/// AT_HWCAP and AT_HWCAP2.
pub(super) fn hwcap() -> (u64, u64) {
    use crate::arch::aarch64::hwcap::*;
    let simd = FP | ASIMD | FPHP | ASIMDHP | ASIMDRDM | ASIMDDP | ASIMDFHM | FCMA | JSCVT;
    let crypto = AES | PMULL | SHA1 | SHA2 | SHA3 | SHA512 | SM3 | SM4 | CRC32;
    let rest = ATOMICS | CPUID | LRCPC | ILRCPC | DCPOP | FLAGM | SB | PACA | PACG;
    (simd | crypto | rest, two::DCPODP | two::FLAGM2 | two::FRINT)
}

/// Undefined instructions on which this version of Unicorn ends the process (assertions in QEMU's `translate-a64.c`,
/// `disas_simd_two_reg_misc_fp16` and `disas_simd_three_reg_same_fp16`).
pub(super) fn crashes(word: u32) -> bool {
    let bit = |n: u32| word >> n & 1;
    // Scalar (bit 28) is AdvSIMD with bit 30 only; without, it is scalar floating point with a register 24 or 25.
    if word & 0x8f7e_0c00 == 0x0e78_0800 && (bit(28) == 0 || bit(30) == 1) {
        let operation = word >> 12 & 0x1f | bit(23) << 5 | bit(29) << 6;
        let scalar = bit(28) == 1;
        !match operation {
            0x3f => scalar,
            0x2f | 0x6f | 0x7f => !scalar,
            0x18..=0x1d | 0x2c..=0x2e | 0x38..=0x3b | 0x3d | 0x58..=0x5d | 0x6c | 0x6d | 0x79..=0x7b | 0x7d => true,
            _ => false,
        }
    } else if word & 0x9f60_c400 == 0x0e40_0400 {
        let operation = word >> 11 & 7 | bit(23) << 3 | bit(29) << 4;
        !matches!(operation, 0..=4 | 6..=0xa | 0xe..=0x10 | 0x12..=0x18 | 0x1a | 0x1c..=0x1e)
    } else {
        false
    }
}
