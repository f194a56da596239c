//! The processor itself as the one that says what is right: a small program (`runner.c`) runs the cases there. It does not
//! tell how many instructions have retired.

use iced_x86::{FlowControl, Instruction};
use sevm::arch::x86_64::{Fpu, Regs};
use sevm::cpu::{Access, Exit, FaultKind};
use sevm::mem::{GuestAddr, PAGE_SIZE};

use super::{Case, Insn, Outcome, USER_FLAGS, X64};
use crate::helper::{Helper, long};
use crate::isa::{Isa, Runner};
use crate::random::SCRATCH_SIZE;

/// Bytes of the legacy area that hold registers, and of all that is exchanged of a thread.
const LEGACY: usize = 464;
const STATE: usize = 20 * 8 + LEGACY + 256;
/// Code as the runner takes it.
const CODE: usize = X64::STRIDE as usize + 4;

const SIGILL: u64 = 4;
const SIGTRAP: u64 = 5;
const SIGFPE: u64 = 8;
const SIGSEGV: u64 = 11;
const SIGVTALRM: u64 = 26;
/// `ud2`, which stands where others have the system call and is as long.
const UD2: [u8; 2] = [0x0f, 0x0b];
/// The exceptions behind the signals.
const DIVIDE: u64 = 0;
const STACK_FAULT: u64 = 12;
const PAGE_FAULT: u64 = 14;

/// A running helper.
pub struct Native(Helper);

impl Native {
    pub fn start(fillings: &[u8]) -> Result<Native, String> {
        if !cfg!(target_arch = "x86_64") {
            return Err("this is no x86_64 machine".into());
        }
        let program = Helper::build("gcc", "x64/runner.c")?;
        Ok(Native(Helper::start(&[program], &fillings[fillings.len() - PAGE_SIZE as usize..])?))
    }
}

impl Runner<X64> for Native {
    fn run(&mut self, case: &Case, memory: &[u8]) -> Result<Outcome, String> {
        let r = &case.regs;
        let mut request: Vec<u8> = Vec::with_capacity(STATE + CODE + memory.len());
        for value in r.gpr.iter().chain(&[r.rip, r.rflags, r.fs_base, r.gs_base]) {
            request.extend(value.to_le_bytes());
        }
        request.extend(legacy(&r.fpu));
        r.fpu.ymm_hi.iter().for_each(|v| request.extend(v.to_le_bytes()));
        request.extend(case.words.iter().flat_map(X64::bytes));
        while request.len() + UD2.len() <= STATE + X64::STRIDE as usize {
            request.extend(UD2);
        }
        request.resize(STATE + CODE, 0);
        request.extend(memory);
        let answer = self.0.ask(&request, STATE + 5 * 8 + SCRATCH_SIZE as usize)?;
        Ok(outcome(case, &answer))
    }

    fn complete(&self, wanted: &mut Outcome, found: &Outcome, case: &Case) {
        let ended = straight(case, wanted);
        if wanted.exit == Exit::Budget || found.exit == Exit::Budget && ended.is_none() {
            // A loop: it went on without end, or for longer than the translator was to go, and nobody can tell how far.
            *wanted = found.clone();
            return;
        }
        wanted.retired = match ended {
            Some(count) => count,
            None => found.retired,
        };
        let (fip, fdp, fop) = (found.regs.fpu.fip, found.regs.fpu.fdp, found.regs.fpu.fop);
        // Some processors keep these for unmasked exceptions only.
        (wanted.regs.fpu.fip, wanted.regs.fpu.fdp, wanted.regs.fpu.fop) = (fip, fdp, fop);
        match (&mut wanted.exit, &found.exit) {
            // Which access of an instruction that reads and writes has failed is not the same everywhere.
            (Exit::Fault { access, addr, .. }, Exit::Fault { access: known, addr: same, .. }) if addr == same => {
                *access = *known;
            }
            // Which operand of a comparison of strings is read first.
            (Exit::Fault { addr, kind, .. }, Exit::Fault { addr: known, kind: same, .. })
                if kind == same && case.word_at(found.regs.rip).is_some_and(|w| compares_strings(&w.decode(0))) =>
            {
                *addr = *known;
            }
            // General protection, of which the address is one cause.
            (exit @ Exit::Illegal { privileged: true }, Exit::Fault { kind: FaultKind::NonCanonical, .. }) => {
                *exit = found.exit;
            }
            _ => {}
        }
    }
}

fn compares_strings(instruction: &Instruction) -> bool {
    use iced_x86::Mnemonic::{Cmpsb, Cmpsd, Cmpsq, Cmpsw};
    instruction.is_string_instruction() && matches!(instruction.mnemonic(), Cmpsb | Cmpsw | Cmpsd | Cmpsq)
}

/// How many instructions have retired at the end of a case that has no jumps.
fn straight(case: &Case, end: &Outcome) -> Option<u64> {
    let jumps = |w: &Insn| w.decode(0).flow_control() != FlowControl::Next;
    if case.words.iter().any(jumps) {
        return None;
    }
    let index = (0..=case.words.len()).find(|i| case.address(*i) == end.regs.rip);
    match end.exit {
        Exit::Syscall => Some(case.words.len() as u64 + 1),
        _ => index.map(|i| i as u64),
    }
}

/// The registers of the legacy area, as FXSAVE stores them.
fn legacy(fpu: &Fpu) -> Vec<u8> {
    let mut area = Vec::with_capacity(LEGACY);
    area.extend(fpu.fcw.to_le_bytes());
    area.extend(fpu.fsw.to_le_bytes());
    area.extend(u16::from(fpu.ftw).to_le_bytes());
    area.extend(fpu.fop.to_le_bytes());
    area.extend(fpu.fip.to_le_bytes());
    area.extend(fpu.fdp.to_le_bytes());
    area.extend(fpu.mxcsr.to_le_bytes());
    area.extend([0xff, 0xff, 0, 0]);
    fpu.st.iter().chain(&fpu.xmm).for_each(|v| area.extend(v.to_le_bytes()));
    area.resize(LEGACY, 0);
    area
}

fn wide(answer: &[u8], at: usize) -> u128 {
    u128::from(long(answer, at)) | u128::from(long(answer, at + 8)) << 64
}

fn outcome(case: &Case, answer: &[u8]) -> Outcome {
    let mut regs = Regs::default();
    (0..16).for_each(|i| regs.gpr[i] = long(answer, 8 * i));
    [regs.rip, regs.rflags, regs.fs_base, regs.gs_base] = [16, 17, 18, 19].map(|i| long(answer, 8 * i));
    regs.rflags = regs.rflags & USER_FLAGS | 0x202;
    let at = 160;
    let first = long(answer, at);
    let fpu = &mut regs.fpu;
    (fpu.fcw, fpu.fsw, fpu.ftw) = (first as u16, (first >> 16) as u16, (first >> 32) as u8);
    fpu.mxcsr = long(answer, at + 24) as u32;
    for i in 0..8 {
        fpu.st[i] = wide(answer, at + 32 + 16 * i) & (u128::MAX >> 48);
    }
    for i in 0..16 {
        fpu.xmm[i] = wide(answer, at + 160 + 16 * i);
        fpu.ymm_hi[i] = wide(answer, at + LEGACY + 16 * i);
    }
    let [signal, code, address, trap, error] = [0, 1, 2, 3, 4].map(|i| long(answer, STATE + 8 * i));
    let exit = match signal {
        SIGILL if regs.rip == case.address(case.words.len()) => {
            regs.rip += UD2.len() as u64;
            (regs.gpr[1], regs.gpr[11]) = (regs.rip, regs.rflags);
            Exit::Syscall
        }
        SIGILL => Exit::Illegal { privileged: false },
        SIGTRAP => Exit::Breakpoint,
        SIGVTALRM => Exit::Budget,
        SIGFPE if trap == DIVIDE => Exit::Divide,
        SIGFPE => Exit::FloatingPoint { code: code as i32 },
        SIGSEGV if trap == PAGE_FAULT => Exit::Fault {
            addr: GuestAddr(address),
            access: if error & 2 == 0 { Access::Read } else { Access::Write },
            kind: if code == 1 { FaultKind::Unmapped } else { FaultKind::Protection },
        },
        SIGSEGV => Exit::Illegal { privileged: true },
        // Through rsp or rbp an address that is not canonical is a stack fault, for which Linux has another signal.
        _ if trap == STACK_FAULT => Exit::Illegal { privileged: true },
        _ => Exit::Fault { addr: GuestAddr(address), access: Access::Read, kind: FaultKind::Alignment },
    };
    let at = STATE + 5 * 8;
    Outcome { exit, retired: 0, regs, memory: answer[at..at + SCRATCH_SIZE as usize].to_vec() }
}
