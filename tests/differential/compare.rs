//! Runs cases on two backends and compares all that they leave behind.

use sevm::arch::{Arch, Regs, aarch64};
use sevm::cpu::translate::a64::soft::execute;
use sevm::cpu::translate::a64::state::State;
use sevm::cpu::{self, Access, Cpu, Exit, FaultKind};
use sevm::mem::{GuestAddr, MapRequest, PAGE_SIZE, Prot, Space, Windows};

use super::generate::{CODE, CODE_SIZE, Case, LONGEST, NOP, READ_ONLY, SCRATCH, SCRATCH_SIZE, SVC};
use super::qemu::{self, Qemu};
use super::unicorn;

/// More instructions than any case can run.
const BUDGET: u64 = 1000;
/// Bytes between the starts of two cases; no divisor of a page, so that some lie across a border.
pub const STRIDE: u64 = 4 * 23;
/// Cases that are placed at once.
pub const PLACES: usize = (CODE_SIZE / STRIDE) as usize;

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub exit: Exit,
    pub retired: u64,
    pub regs: aarch64::Regs,
    pub memory: Vec<u8>,
}

/// The name by which `soft::execute` is called as if it were a backend: it runs only straight sequences of floating-point,
/// AdvSIMD and cryptographic instructions.
pub const SOFT: &str = "soft";

/// The name by which qemu-aarch64 is called as if it were a backend; the first of the two only.
pub const QEMU: &str = "qemu";

/// What runs cases.
pub enum Side {
    /// A backend with an address space of its own.
    Backend {
        /// The backend.
        cpu: Box<dyn Cpu>,
        /// Its address space.
        space: Space,
    },
    /// qemu-aarch64.
    Qemu(Qemu),
    /// The translator's reference of floating-point, AdvSIMD and cryptographic instructions.
    Soft,
}

impl Side {
    pub fn new(backend: &str, windows: &Windows, fillings: &[u8]) -> Result<Side, String> {
        if backend == QEMU {
            return Ok(Side::Qemu(Qemu::new(fillings)?));
        }
        if backend == SOFT {
            return Ok(Side::Soft);
        }
        let cpu = cpu::open(backend, Arch::Aarch64).map_err(|e| e.to_string())?;
        let mut space = Space::new(windows).map_err(|e| e.to_string())?;
        for (addr, len, prot) in [
            (CODE, CODE_SIZE, Prot::READ | Prot::EXEC),
            (SCRATCH, SCRATCH_SIZE, Prot::READ | Prot::WRITE),
            (READ_ONLY, PAGE_SIZE, Prot::READ),
        ] {
            space.map(&MapRequest::anonymous_at(GuestAddr(addr), len, prot)).map_err(|e| format!("{e:?}"))?;
        }
        let tail = &fillings[fillings.len() - PAGE_SIZE as usize..];
        space.poke(GuestAddr(READ_ONLY), tail).map_err(|e| format!("{e:?}"))?;
        Ok(Side::Backend { cpu, space })
    }

    /// Writes code, each sequence with `svc #0` behind it.
    pub fn place<'a>(&mut self, cases: impl Iterator<Item = &'a Case>) {
        let mut code: Vec<u8> = Vec::new();
        for (i, case) in cases.enumerate() {
            code.resize(i * STRIDE as usize, 0);
            // A jump of a case that has been cut short ends at an SVC, too.
            let padded = case.words.iter().chain(std::iter::repeat(&SVC)).take(LONGEST + 2);
            code.extend(padded.flat_map(|w| w.to_le_bytes()));
        }
        let Side::Backend { space, .. } = self else { return };
        space.poke(GuestAddr(CODE), &code).expect("the code is mapped");
    }

    /// Runs a case that has been placed, in slices of so many instructions if wanted.
    pub fn run(&mut self, case: &Case, fillings: &[u8], slice: Option<u64>) -> Result<Outcome, String> {
        let memory = &fillings[case.filling * 16..][..SCRATCH_SIZE as usize];
        let (cpu, space) = match self {
            Side::Backend { cpu, space } => (cpu, space),
            Side::Qemu(qemu) => return qemu.run(case, memory),
            Side::Soft => return Ok(soft(case, memory)),
        };
        space.write(GuestAddr(SCRATCH), memory).expect("the scratch area is mapped");
        cpu.load(&Regs::Aarch64(Box::new(case.regs.clone())));
        let before = cpu.retired();
        let exit = loop {
            let left = BUDGET - (cpu.retired() - before).min(BUDGET);
            let exit = cpu.run(space, slice.unwrap_or(BUDGET).min(left)).map_err(|e| e.to_string())?;
            if exit != Exit::Budget || cpu.retired() - before >= BUDGET {
                break exit;
            }
        };
        let mut regs = Regs::new(Arch::Aarch64);
        cpu.save(&mut regs);
        let Regs::Aarch64(regs) = regs else { return Err("registers of another architecture".into()) };
        let mut memory = vec![0; SCRATCH_SIZE as usize];
        space.read(GuestAddr(SCRATCH), &mut memory).expect("the scratch area is mapped");
        let retired = cpu.retired() - before;
        Ok(Outcome { exit, retired, regs: *regs, memory })
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

/// Runs a case on both; tells what came out of the first, and in what the second differs.
pub fn compare(sides: &mut [Side; 2], case: &Case, fillings: &[u8]) -> Result<(Outcome, Option<String>), String> {
    let [a, b] = sides;
    let mut wanted = a.run(case, fillings, None)?;
    let found = b.run(case, fillings, case.slice)?;
    if matches!(a, Side::Qemu(_)) {
        qemu::complete(&mut wanted, &found);
    }
    settle(&mut wanted, &found, case);
    let different = difference(&wanted, &found);
    Ok((wanted, different))
}

/// Takes over from `found` what the manual leaves open, or says otherwise than QEMU does.
fn settle(wanted: &mut Outcome, found: &Outcome, case: &Case) {
    let word_at = |pc: u64| case.words.get((pc.wrapping_sub(case.regs.pc) / 4) as usize).copied().unwrap_or(NOP);
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

/// Tells in what two outcomes differ, `None` if in nothing.
fn difference(a: &Outcome, b: &Outcome) -> Option<String> {
    // A store that faults may have stored the part that does not (Unicorn's module documentation).
    let torn = match a.exit {
        Exit::Fault { addr, access: Access::Write, .. } => {
            let at = addr.0.saturating_sub(SCRATCH) as usize;
            at.saturating_sub(64)..at.saturating_add(64)
        }
        _ => 0..0,
    };
    if a.exit == b.exit && a.retired == b.retired && a.regs == b.regs && a.memory == b.memory {
        return None;
    }
    let mut text = String::new();
    let mut say = |what: String, a: String, b: String| {
        if a != b {
            text += &format!("    {what:8} {a} / {b}\n");
        }
    };
    say("exit".into(), format!("{:x?}", a.exit), format!("{:x?}", b.exit));
    say("retired".into(), a.retired.to_string(), b.retired.to_string());
    let (x, y) = (&a.regs, &b.regs);
    for i in 0..31 {
        say(format!("x{i}"), format!("{:#018x}", x.x[i]), format!("{:#018x}", y.x[i]));
    }
    for i in 0..32 {
        say(format!("v{i}"), format!("{:#034x}", x.v[i]), format!("{:#034x}", y.v[i]));
    }
    for (name, a, b) in [
        ("sp", x.sp, y.sp),
        ("pc", x.pc, y.pc),
        ("nzcv", x.pstate, y.pstate),
        ("tpidr", x.tpidr, y.tpidr),
        ("fpcr", x.fpcr.into(), y.fpcr.into()),
        ("fpsr", x.fpsr.into(), y.fpsr.into()),
    ] {
        say(name.into(), format!("{a:#x}"), format!("{b:#x}"));
    }
    if a.memory != b.memory {
        let differs = |i: &usize| a.memory[*i] != b.memory[*i] && !torn.contains(i);
        for at in (0..a.memory.len()).filter(differs).take(16) {
            let (x, y) = (format!("{:#04x}", a.memory[at]), format!("{:#04x}", b.memory[at]));
            say(format!("[{:#x}]", SCRATCH + at as u64), x, y);
        }
    }
    (!text.is_empty()).then_some(text)
}
