//! aarch64: A64 instructions, with Unicorn, qemu-aarch64 or the translator's own reference as the oracle.

pub mod encodings;
pub mod generate;
mod qemu;
mod unicorn;

use sevm::arch::{Arch, Regs, aarch64};
use sevm::cpu::translate::a64::soft::execute;
use sevm::cpu::translate::a64::state::State;
use sevm::cpu::{self, Access, Cpu, Exit, FaultKind};

use crate::isa::{self, Isa, Oracle, Pair, Runner, Step};
use generate::{Case, NOP};

/// A64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct A64;

/// What a run leaves behind.
pub type Outcome = isa::Outcome<A64>;

/// The name by which `soft::execute` is called as if it were a backend: it runs only straight sequences of floating-point,
/// AdvSIMD and cryptographic instructions.
pub const SOFT: &str = "soft";

/// The name by which qemu-aarch64 is called as if it were a backend; the first of the two only.
pub const QEMU: &str = "qemu";

impl Isa for A64 {
    const ARCH: Arch = Arch::Aarch64;
    const STRIDE: u64 = 4 * 23;
    const CALL: &'static [u8] = &generate::SVC.to_le_bytes();
    const MOVABLE: bool = true;
    const OBJDUMP: &'static [&'static str] = &["aarch64-linux-gnu-objdump", "-m", "aarch64"];
    type Word = u32;
    type Regs = aarch64::Regs;

    fn bytes(word: &u32) -> Vec<u8> {
        word.to_le_bytes().to_vec()
    }

    fn nop(_: &u32) -> u32 {
        NOP
    }

    fn key(word: &u32) -> u32 {
        word & 0xffe0_fc00
    }

    fn wrap(regs: &aarch64::Regs) -> Regs {
        Regs::Aarch64(Box::new(regs.clone()))
    }

    fn unwrap(regs: Regs) -> Option<aarch64::Regs> {
        match regs {
            Regs::Aarch64(regs) => Some(*regs),
            Regs::X86_64(_) => None,
        }
    }

    fn set_pc(regs: &mut aarch64::Regs, pc: u64) {
        regs.pc = pc;
    }

    fn open(name: &str) -> Result<Box<dyn Cpu>, sevm::Error> {
        cpu::open(name, Arch::Aarch64)
    }

    fn runner(name: &str, fillings: &[u8]) -> Option<Result<Box<dyn Runner<A64>>, String>> {
        match name {
            QEMU => Some(qemu::Qemu::start(fillings).map(|q| Box::new(q) as Box<dyn Runner<A64>>)),
            SOFT => Some(Ok(Box::new(Soft))),
            _ => None,
        }
    }

    fn settle(wanted: &mut Outcome, found: &Outcome, case: &Case, _: Oracle) {
        settle(wanted, found, case);
    }

    fn excused(case: &Case, _: Exit, oracle: Oracle) -> bool {
        oracle != Oracle::Other && unicorn::cannot_judge_all(case)
    }

    fn pairs(x: &aarch64::Regs, y: &aarch64::Regs) -> Vec<Pair> {
        let mut all = Vec::new();
        for i in 0..31 {
            all.push((format!("x{i}"), format!("{:#018x}", x.x[i]), format!("{:#018x}", y.x[i])));
        }
        for i in 0..32 {
            all.push((format!("v{i}"), format!("{:#034x}", x.v[i]), format!("{:#034x}", y.v[i])));
        }
        for (name, a, b) in [
            ("sp", x.sp, y.sp),
            ("pc", x.pc, y.pc),
            ("nzcv", x.pstate, y.pstate),
            ("tpidr", x.tpidr, y.tpidr),
            ("fpcr", x.fpcr.into(), y.fpcr.into()),
            ("fpsr", x.fpsr.into(), y.fpsr.into()),
        ] {
            all.push((name.into(), format!("{a:#x}"), format!("{b:#x}")));
        }
        all
    }

    fn simpler() -> Vec<Step<A64>> {
        let mut steps: Vec<Step<A64>> = Vec::new();
        for i in 0..31 {
            steps.push(Box::new(move |c| c.regs.x[i] = 0));
        }
        for i in 0..32 {
            steps.push(Box::new(move |c| c.regs.v[i] = 0));
            steps.push(Box::new(move |c| c.regs.v[i] &= u128::from(u64::MAX)));
        }
        steps.push(Box::new(|c| c.regs.sp = 0));
        steps.push(Box::new(|c| c.regs.tpidr = 0));
        steps.push(Box::new(|c| c.regs.pstate = 0));
        steps.push(Box::new(|c| c.regs.fpsr = 0));
        for bits in [0, 3 << 22, 1 << 26, 1 << 25, 1 << 24, 1 << 19] {
            steps.push(Box::new(move |c| c.regs.fpcr &= bits));
        }
        steps
    }

    fn state(regs: &aarch64::Regs) -> String {
        let mut text = String::new();
        for (i, x) in regs.x.iter().enumerate().filter(|(_, x)| **x != 0) {
            text += &format!(", x{i} {x:#x}");
        }
        for (i, v) in regs.v.iter().enumerate().filter(|(_, v)| **v != 0) {
            text += &format!(", v{i} {v:#x}");
        }
        let rest = [
            ("sp", regs.sp),
            ("nzcv", regs.pstate),
            ("tpidr", regs.tpidr),
            ("fpcr", regs.fpcr.into()),
            ("fpsr", regs.fpsr.into()),
        ];
        for (name, value) in rest.into_iter().filter(|(_, value)| *value != 0) {
            text += &format!(", {name} {value:#x}");
        }
        text
    }
}

/// The translator's reference of floating-point, AdvSIMD and cryptographic instructions.
struct Soft;

impl Runner<A64> for Soft {
    fn run(&mut self, case: &Case, memory: &[u8]) -> Result<Outcome, String> {
        Ok(soft(case, memory))
    }
}

/// Runs a case by `soft::execute`.
fn soft(case: &Case, memory: &[u8]) -> Outcome {
    let mut regs = case.regs.clone();
    let mut state = State::new();
    (state.x, state.sp, state.v) = (regs.x, regs.sp, regs.v);
    (state.nzcv, state.fpcr, state.fpsr) = (regs.pstate as u32, regs.fpcr, regs.fpsr);
    let done = case.words.iter().take_while(|word| **word == NOP || execute(**word, &mut state).is_ok()).count();
    let all = done == case.words.len();
    let exit = if all { Exit::Syscall } else { Exit::Illegal { privileged: false } };
    let retired = done as u64 + u64::from(all);
    (regs.x, regs.sp, regs.v) = (state.x, state.sp, state.v);
    (regs.pstate, regs.fpcr, regs.fpsr) = (state.nzcv.into(), state.fpcr, state.fpsr);
    regs.pc += 4 * retired;
    Outcome { exit, retired, regs, memory: memory.to_vec() }
}

/// Takes over from `found` what the manual leaves open, or says otherwise than QEMU does.
fn settle(wanted: &mut Outcome, found: &Outcome, case: &Case) {
    let word_at = |pc: u64| case.word_at(pc).unwrap_or(NOP);
    // Bits 31 to 28 are of AArch32 and RES0 without it (C5.2.9, FPSR), as the rest is; QEMU 5.0 keeps them.
    wanted.regs.fpsr &= 0x0800_009f;
    if let Exit::Fault { addr, kind: FaultKind::Alignment, .. } = wanted.exit
        && unicorn::may_be_misaligned(word_at(wanted.regs.pc), addr.0)
    {
        // FEAT_LSE2 allows an atomic access anywhere within 16 bytes (AArch64.UnalignedAccessFaults()); QEMU 5.0 lacks it.
        *wanted = found.clone();
    }
    let word = word_at(found.regs.pc);
    let Exit::Fault { addr, access, kind } = found.exit else { return };
    if let Exit::Fault { addr: known_addr, access: known_access, kind: known_kind } = &mut wanted.exit {
        if *known_access == Access::Execute && addr.0 % 4 != 0 && kind == FaultKind::Alignment {
            // A misaligned pc comes before all that can be wrong with its page (AArch64.CheckPCAlignment()).
            *known_kind = kind;
        }
        if unicorn::is_atomic(word) && *known_addr == addr {
            // Whether an access that reads and writes failed in reading; the contract of `Cpu` counts it as a write.
            *known_access = access;
        }
    }
    if kind == FaultKind::Alignment && unicorn::aligned_bytes(word).is_some_and(|bytes| addr.0 % bytes != 0) {
        // Exclusive, ordered and atomic accesses fault (AArch64.UnalignedAccessFaults()); QEMU 5.0 lets some be misaligned.
        *wanted = found.clone();
    }
    if wanted.exit == found.exit {
        // No register has changed (contract of `Cpu`); QEMU 5.0 has written those whose parts did not fault.
        for v in unicorn::loaded_vectors(word) {
            wanted.regs.v[v] = found.regs.v[v];
        }
    }
}
