//! x86_64, with the processor itself or Unicorn as the oracle.

pub mod classes;
pub mod generate;
mod native;
pub mod unicorn;

use iced_x86::{Decoder, DecoderOptions, Instruction};
use sevm::arch::cpuid::Model;
use sevm::arch::{Arch, Regs, x86_64};

use sevm::cpu::{self, Cpu, Exit, FaultKind};
use sevm::mem::PAGE_SIZE;

use crate::isa::{self, Isa, Oracle, Pair, Runner, Step};

/// x86_64 in 64-bit mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct X64;

/// What a run leaves behind.
pub type Outcome = isa::Outcome<X64>;
/// A sequence of instructions.
pub type Case = isa::Case<X64>;

/// The name by which the processor is called as if it were a backend; the first of the two only.
pub const NATIVE: &str = "native";

/// CF, PF, AF, ZF, SF, TF, DF, OF, NT, AC, ID: what a program can change.
pub const USER_FLAGS: u64 = 0x24_4dd5;
/// The exception flags of mxcsr.
const MXCSR_FLAGS: u32 = 0x3f;

/// The exception flags of the x87 status word, their summary, and C1, which tells of rounding.
const FSW_FLAGS: u16 = 0x82ff;

/// The bytes of one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Insn {
    bytes: [u8; 15],
    len: u8,
}

impl Insn {
    /// At most 15 bytes.
    pub fn new(bytes: &[u8]) -> Insn {
        let mut all = [0; 15];
        all[..bytes.len()].copy_from_slice(bytes);
        Insn { bytes: all, len: bytes.len() as u8 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// What it is, at `pc`.
    pub fn decode(&self, pc: u64) -> Instruction {
        Decoder::with_ip(64, self.bytes(), pc, DecoderOptions::NONE).decode()
    }

    /// What does nothing, of so many bytes.
    pub fn nop(len: usize) -> Insn {
        const FORMS: [&[u8]; 8] = [
            &[0x90],
            &[0x66, 0x90],
            &[0x0f, 0x1f, 0],
            &[0x0f, 0x1f, 0x40, 0],
            &[0x0f, 0x1f, 0x44, 0, 0],
            &[0x66, 0x0f, 0x1f, 0x44, 0, 0],
            &[0x0f, 0x1f, 0x80, 0, 0, 0, 0],
            &[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
        ];
        let form = FORMS[len.clamp(1, 8) - 1];
        let mut bytes = vec![0x66; len.max(1) - form.len()];
        bytes.extend(form);
        Insn::new(&bytes)
    }
}

/// Flags that are undefined at the end of a case, and so may differ between processors.
fn undefined_flags(case: &Case, end: u64) -> u64 {
    let done = (0..case.words.len()).take_while(|i| case.address(*i) < end).map(|i| &case.words[i]);
    let undefined = done.fold(0, |undefined, w| undefined_after(undefined, &w.decode(0)));
    // iced's own order of bits.
    [(iced_x86::RflagsBits::OF, 11), (iced_x86::RflagsBits::SF, 7), (iced_x86::RflagsBits::ZF, 6)]
        .into_iter()
        .chain([(iced_x86::RflagsBits::AF, 4), (iced_x86::RflagsBits::PF, 2), (iced_x86::RflagsBits::CF, 0)])
        .filter(|(bit, _)| undefined & bit != 0)
        .fold(0, |flags, (_, place)| flags | 1 << place)
}

/// What FXSAVE, XSAVE and their kin do as the processor likes.
fn settle_saves(wanted: &mut Outcome, found: &Outcome, case: &Case) {
    let is_save = |w: &Insn| w.decode(0).is_save_restore_instruction();
    if !case.words.iter().any(is_save) {
        return;
    }
    let has_memory = |w: &Insn| w.decode(0).op_kinds().any(|k| k == iced_x86::OpKind::Memory);
    let mask = |o: &Outcome| o.memory.chunks(64).any(|area| area[28..32] == [0xff, 0xff, 2, 0]);
    let behind = case.words.iter().skip_while(|w| !is_save(w)).skip(1);
    if mask(wanted) && !mask(found) && behind.filter(|w| has_memory(w)).count() > 0 {
        // What has read the processor's MXCSR_MASK differs as that does.
        *wanted = found.clone();
        return;
    }
    // In the third page, where the idioms save. The last x87 instruction is told of by some processors only with an unmasked
    // exception; MXCSR_MASK has misaligned SSE on some; which components are in use is the processor's own view.
    for at in (2 * PAGE_SIZE as usize)..wanted.memory.len() {
        let (own, other) = (wanted.memory[at], found.memory[at]);
        match at % 64 {
            0 => wanted.memory[at] = own & !7 | other & 7,
            6..24 | 30 => wanted.memory[at] = other,
            _ => {}
        }
    }
    if let (Exit::Fault { addr, kind, .. }, Exit::Fault { addr: first, kind: same, .. }) =
        (&mut wanted.exit, found.exit)
        && case.word_at(found.regs.rip).is_some_and(|w| is_save(&w))
        && *kind == same
        && (first.0..first.0 + 1024).contains(&addr.0)
    {
        // Which byte of the area is tried first.
        *addr = first;
    }
}

/// The same for one more instruction, in iced's bits.
pub fn undefined_after(before: u32, instruction: &Instruction) -> u32 {
    let set = instruction.rflags_written() | instruction.rflags_cleared() | instruction.rflags_set();
    before & !set | instruction.rflags_undefined()
}

impl Isa for X64 {
    const ARCH: Arch = Arch::X86_64;
    const STRIDE: u64 = 340;
    const CALL: &'static [u8] = &[0x0f, 0x05];
    const MOVABLE: bool = false;
    const OBJDUMP: &'static [&'static str] = &["objdump", "-m", "i386:x86-64"];
    type Word = Insn;
    type Regs = x86_64::Regs;

    fn bytes(word: &Insn) -> Vec<u8> {
        word.bytes().to_vec()
    }

    fn nop(word: &Insn) -> Insn {
        Insn::nop(word.len())
    }

    fn key(word: &Insn) -> Insn {
        Insn::new(&(word.decode(0).code() as u16).to_le_bytes())
    }

    fn wrap(regs: &x86_64::Regs) -> Regs {
        Regs::X86_64(Box::new(regs.clone()))
    }

    fn unwrap(regs: Regs) -> Option<x86_64::Regs> {
        match regs {
            Regs::X86_64(regs) => Some(*regs),
            Regs::Aarch64(_) => None,
        }
    }

    fn set_pc(regs: &mut x86_64::Regs, pc: u64) {
        regs.rip = pc;
    }

    fn open(name: &str) -> Result<Box<dyn Cpu>, sevm::Error> {
        // Otherwise flags that are about to be overwritten need not be right at a fault.
        cpu::open_exact(name, Arch::X86_64, Model::Host)
    }

    fn runner(name: &str, fillings: &[u8]) -> Option<Result<Box<dyn Runner<X64>>, String>> {
        (name == NATIVE).then(|| native::Native::start(fillings).map(|n| Box::new(n) as Box<dyn Runner<X64>>))
    }

    fn settle(wanted: &mut Outcome, found: &Outcome, case: &Case, oracle: Oracle) {
        if oracle != Oracle::Unicorn {
            settle_saves(wanted, found, case);
        }
        let protection = matches!(
            wanted.exit,
            Exit::Illegal { privileged: true } | Exit::Fault { kind: FaultKind::NonCanonical, .. }
        );
        let pc = found.regs.rip as i64;
        if protection && pc << 16 >> 16 != pc {
            // A jump to an address that is none faults before it jumps, here when it has.
            *wanted = found.clone();
        }
        let (wanted, found) = (&mut wanted.regs, &found.regs);
        // They may depend on what the flags were before, which the translator need not keep.
        let undefined = undefined_flags(case, wanted.rip);
        wanted.rflags = wanted.rflags & !undefined | found.rflags & undefined;
        // The system call leaves the flags there.
        wanted.gpr[11] = wanted.gpr[11] & !undefined | found.gpr[11] & undefined;
        if oracle != Oracle::Unicorn {
            return;
        }
        // What its module documentation names.
        wanted.fpu.mxcsr = wanted.fpu.mxcsr & !MXCSR_FLAGS | found.fpu.mxcsr & MXCSR_FLAGS;
        (wanted.fpu.fip, wanted.fpu.fdp, wanted.fpu.fop) = (found.fpu.fip, found.fpu.fdp, found.fpu.fop);
        wanted.fpu.ymm_hi = found.fpu.ymm_hi;
        wanted.fpu.fsw = wanted.fpu.fsw & !FSW_FLAGS | found.fpu.fsw & FSW_FLAGS;
    }

    fn excused(_: &Case, wanted: Exit, oracle: Oracle) -> bool {
        // It checks no alignment.
        oracle == Oracle::Unicorn && wanted == Exit::Illegal { privileged: true }
    }

    fn pairs(x: &x86_64::Regs, y: &x86_64::Regs) -> Vec<Pair> {
        const NAMES: [&str; 16] = [
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
            "r15",
        ];
        let mut all = Vec::new();
        for (name, (a, b)) in NAMES.iter().zip(x.gpr.iter().zip(&y.gpr)) {
            all.push((name.to_string(), format!("{a:#018x}"), format!("{b:#018x}")));
        }
        let (f, g) = (&x.fpu, &y.fpu);
        for i in 0..16 {
            all.push((format!("xmm{i}"), format!("{:#034x}", f.xmm[i]), format!("{:#034x}", g.xmm[i])));
            all.push((format!("upper{i}"), format!("{:#034x}", f.ymm_hi[i]), format!("{:#034x}", g.ymm_hi[i])));
        }
        for i in 0..8 {
            all.push((format!("st{i}"), format!("{:#022x}", f.st[i]), format!("{:#022x}", g.st[i])));
        }
        for (name, a, b) in [
            ("rip", x.rip, y.rip),
            ("rflags", x.rflags, y.rflags),
            ("fs", x.fs_base, y.fs_base),
            ("gs", x.gs_base, y.gs_base),
            ("mxcsr", f.mxcsr.into(), g.mxcsr.into()),
            ("control", f.fcw.into(), g.fcw.into()),
            ("status", f.fsw.into(), g.fsw.into()),
            ("tags", f.ftw.into(), g.ftw.into()),
            ("fip", f.fip, g.fip),
            ("fdp", f.fdp, g.fdp),
            ("fop", f.fop.into(), g.fop.into()),
        ] {
            all.push((name.into(), format!("{a:#x}"), format!("{b:#x}")));
        }
        all
    }

    fn simpler() -> Vec<Step<X64>> {
        let mut steps: Vec<Step<X64>> = Vec::new();
        for i in 0..16 {
            steps.push(Box::new(move |c| c.regs.gpr[i] = 0));
            steps.push(Box::new(move |c| c.regs.fpu.xmm[i] = 0));
            steps.push(Box::new(move |c| c.regs.fpu.ymm_hi[i] = 0));
        }
        steps.push(Box::new(|c| c.regs.rflags = 0x202));
        steps.push(Box::new(|c| c.regs.fpu.mxcsr = 0x1f80));
        steps.push(Box::new(|c| (c.regs.fpu.ftw, c.regs.fpu.st) = (0, [0; 8])));
        steps.push(Box::new(|c| c.regs.fpu.fcw = 0x37f));
        steps.push(Box::new(|c| c.regs.fpu.fsw = 0));
        steps
    }

    fn state(regs: &x86_64::Regs) -> String {
        X64::pairs(regs, &x86_64::Regs::default())
            .into_iter()
            .filter(|(_, value, usual)| value != usual)
            .map(|(name, value, _)| format!(", {name} {value}"))
            .collect()
    }
}
