//! qemu-aarch64 as the one that says what is right, for what Unicorn does not know: a small program (`runner.c`) runs the
//! cases there. It does not tell how many instructions have retired.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sevm::cpu::{Access, Exit, FaultKind};
use sevm::mem::{GuestAddr, PAGE_SIZE};

use super::compare::Outcome;
use super::generate::{Case, SCRATCH_SIZE};

/// Words that the runner takes: those of a case, and undefined ones.
const WORDS: usize = 24;
/// Bytes of registers: x, sp, pc, nzcv, tpidr; a gap; v; fpcr, fpsr; a gap.
const STATE: usize = 35 * 8 + 8 + 32 * 16 + 8 + 8;

const SIGILL: u64 = 4;
const SIGTRAP: u64 = 5;
const SIGSEGV: u64 = 11;

/// A running qemu-aarch64.
pub struct Qemu {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the runner once.
fn runner() -> Result<std::path::PathBuf, String> {
    static BUILT: std::sync::Mutex<bool> = std::sync::Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(|e| e.into_inner());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/runner.c");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("differential-runner");
    if !*built {
        let mut compiler = Command::new("aarch64-linux-gnu-gcc");
        // Away from where the cases stand.
        compiler.args(["-O2", "-static", "-fno-stack-protector", "-Wl,-Ttext-segment=0x10000000", "-o"]);
        let status = compiler.arg(&program).arg(&source).status();
        if !status.is_ok_and(|s| s.success()) {
            return Err("aarch64-linux-gnu-gcc cannot build the runner".into());
        }
        *built = true;
    }
    Ok(program)
}

impl Qemu {
    pub fn new(fillings: &[u8]) -> Result<Qemu, String> {
        let program = runner()?;
        let mut command = Command::new("qemu-aarch64");
        // With SVE a signal frame has a second copy of the vector registers, which counts.
        command.args(["-cpu", "max,sve=off,sme=off"]).arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("qemu-aarch64: {e}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("qemu-aarch64 without pipes".into());
        };
        let mut qemu = Qemu { child, input, output };
        qemu.input.write_all(&fillings[fillings.len() - PAGE_SIZE as usize..]).map_err(|e| e.to_string())?;
        Ok(qemu)
    }

    pub fn run(&mut self, case: &Case, memory: &[u8]) -> Result<Outcome, String> {
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
        let mut answer = vec![0; STATE + 24 + SCRATCH_SIZE as usize + 8];
        let talked = self.input.write_all(&request).and_then(|()| self.output.read_exact(&mut answer));
        talked.map_err(|e| format!("qemu-aarch64 has ended: {e}"))?;
        Ok(outcome(case, &answer))
    }
}

fn outcome(case: &Case, answer: &[u8]) -> Outcome {
    let long = |at: usize| u64::from_le_bytes(answer[at..at + 8].try_into().expect("eight bytes"));
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

/// Takes over from `found` what qemu does not tell: the count, and what kind of access a fault was.
pub fn complete(wanted: &mut Outcome, found: &Outcome) {
    wanted.retired = found.retired;
    if let (Exit::Fault { access, .. }, Exit::Fault { access: known, .. }) = (&mut wanted.exit, &found.exit) {
        *access = *known;
    }
}
