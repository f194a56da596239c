//! qemu-aarch64 as the one that says what is right, for what Unicorn does not know: a small program (`runner.c`) runs the
//! cases there. It does not tell how many instructions have retired.

use std::ffi::OsStr;

use sevm::cpu::{Access, Exit, FaultKind};
use sevm::mem::{GuestAddr, PAGE_SIZE};

use super::generate::Case;
use super::{A64, Outcome};
use crate::helper::{self, Helper};
use crate::isa::Runner;
use crate::random::SCRATCH_SIZE;

/// Words that the runner takes: those of a case, and undefined ones.
const WORDS: usize = 24;
/// Bytes of registers: x, sp, pc, nzcv, tpidr; a gap; v; fpcr, fpsr; a gap.
const STATE: usize = 35 * 8 + 8 + 32 * 16 + 8 + 8;

const SIGILL: u64 = 4;
const SIGTRAP: u64 = 5;
const SIGSEGV: u64 = 11;

/// A running qemu-aarch64.
pub struct Qemu(Helper);

impl Qemu {
    pub fn start(fillings: &[u8]) -> Result<Qemu, String> {
        let program = Helper::build("aarch64-linux-gnu-gcc", "a64/runner.c")?;
        // With SVE a signal frame has a second copy of the vector registers, which counts.
        let options = ["qemu-aarch64", "-cpu", "max,sve=off,sme=off"].map(OsStr::new);
        let command: Vec<&OsStr> = options.into_iter().chain([program.as_os_str()]).collect();
        Ok(Qemu(Helper::start(&command, &fillings[fillings.len() - PAGE_SIZE as usize..])?))
    }
}

impl Runner<A64> for Qemu {
    fn run(&mut self, case: &Case, memory: &[u8]) -> Result<Outcome, String> {
        let regs = &case.regs;
        let mut request: Vec<u8> = Vec::with_capacity(STATE + 4 * WORDS + memory.len());
        for value in regs.x.iter().chain(&[regs.sp, regs.pc, regs.pstate, regs.tpidr, 0]) {
            request.extend(value.to_le_bytes());
        }
        regs.v.iter().for_each(|v| request.extend(v.to_le_bytes()));
        request.extend(regs.fpcr.to_le_bytes());
        request.extend(regs.fpsr.to_le_bytes());
        request.extend([0; 8]);
        for i in 0..WORDS {
            request.extend(case.words.get(i).unwrap_or(&0).to_le_bytes());
        }
        request.extend(memory);
        let answer = self.0.ask(&request, STATE + 24 + SCRATCH_SIZE as usize + 8)?;
        Ok(outcome(case, &answer))
    }

    /// The count, and what kind of access a fault was.
    fn complete(&self, wanted: &mut Outcome, found: &Outcome, _: &Case) {
        wanted.retired = found.retired;
        if let (Exit::Fault { access, .. }, Exit::Fault { access: known, .. }) = (&mut wanted.exit, &found.exit) {
            *access = *known;
        }
    }
}

fn outcome(case: &Case, answer: &[u8]) -> Outcome {
    let long = |at: usize| helper::long(answer, at);
    let mut regs = case.regs.clone();
    (0..31).for_each(|i| regs.x[i] = long(8 * i));
    [regs.sp, regs.pc, regs.pstate, regs.tpidr] = [31, 32, 33, 34].map(|i| long(8 * i));
    for (i, v) in regs.v.iter_mut().enumerate() {
        let at = 288 + 16 * i;
        *v = u128::from(long(at)) | u128::from(long(at + 8)) << 64;
    }
    let controls = long(288 + 512);
    (regs.fpcr, regs.fpsr) = (controls as u32, (controls >> 32) as u32);
    let [signal, code, address] = [0, 1, 2].map(|i| long(STATE + 8 * i));
    let end = case.regs.pc + 4 * case.words.len() as u64;
    let exit = match signal {
        // The undefined word stands where others have the system call.
        SIGILL if regs.pc == end => {
            regs.pc += 4;
            Exit::Syscall
        }
        SIGILL => Exit::Illegal { privileged: false },
        SIGTRAP => Exit::Breakpoint,
        SIGSEGV => Exit::Fault {
            addr: GuestAddr(address),
            access: Access::Read,
            kind: if code == 1 { FaultKind::Unmapped } else { FaultKind::Protection },
        },
        _ => Exit::Fault { addr: GuestAddr(address), access: Access::Read, kind: FaultKind::Alignment },
    };
    let at = STATE + 24;
    Outcome { exit, retired: 0, regs, memory: answer[at..at + SCRATCH_SIZE as usize].to_vec() }
}
