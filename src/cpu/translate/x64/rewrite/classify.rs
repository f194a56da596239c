//! What is to be done with an instruction, by its opcode.
//!
//! Instructions of extensions that the guest's CPUID never shows are undefined, whatever the host has. Privileged ones
//! are a general protection fault, as Linux's SIGSEGV tells; where the manual gives another exception, that one.

use std::sync::atomic::{AtomicU8, Ordering};

use iced_x86::{Code, CpuidFeature, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// What is to be done with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// The bytes are copied; a memory operand goes to the guest's window.
    Copy,
    /// Does nothing.
    Nop,
    /// `lea`: computes an address and accesses nothing.
    Lea,
    /// `mov` between the accumulator and an absolute address.
    Absolute,
    /// `xlatb`.
    Xlat,
    /// `maskmovq` and its like: the memory operand is at `rdi`.
    AtRdi,
    /// `push` of a general register, a constant or memory.
    Push,
    /// `push fs`, `push gs`.
    PushSegment,
    /// `pop` to a general register or memory.
    Pop,
    /// `enter`.
    Enter,
    /// `leave`.
    Leave,
    /// String instruction, with or without a repeat prefix.
    String,
    /// `fnstenv`, `fnsave`: stores where the last x87 instruction stood.
    StoreFpuEnvironment,
    /// `rdfsbase`, `rdgsbase`.
    ReadBase,
    /// `rdpid`.
    ReadPid,
    /// `mov` from a segment register.
    ReadSegment,
    /// Done outside of translated code, by `system.rs`.
    System,
    /// Reads the time stamp counter.
    Counter,
    /// Control flow: the block's.
    End,
    /// Raises #UD.
    Undefined,
    /// Raises #GP.
    Privileged,
}

impl Class {
    /// By number.
    const ALL: [Class; 21] = {
        use Class::*;
        [
            Copy,
            Nop,
            Lea,
            Absolute,
            Xlat,
            AtRdi,
            Push,
            PushSegment,
            Pop,
            Enter,
            Leave,
            String,
            StoreFpuEnvironment,
            ReadBase,
            ReadPid,
            ReadSegment,
            System,
            Counter,
            End,
            Undefined,
            Privileged,
        ]
    };
}

/// More than there are opcodes.
const CODES: usize = 5120;

/// Classes by opcode: their numbers plus 1, 0 for what is not known yet.
static KNOWN: [AtomicU8; CODES] = [const { AtomicU8::new(0) }; CODES];

/// The class of a decoded instruction. It depends on the opcode and on nothing else.
#[inline]
pub fn class(insn: &Instruction) -> Class {
    let Some(known) = KNOWN.get(insn.code() as usize) else { return class_of(insn) };
    if let Some(&class) = Class::ALL.get(usize::from(known.load(Ordering::Relaxed)).wrapping_sub(1)) {
        return class;
    }
    let class = class_of(insn);
    known.store(class as u8 + 1, Ordering::Relaxed);
    class
}

/// Whether some guest may see the extension in its CPUID.
fn offered(feature: CpuidFeature) -> bool {
    use CpuidFeature::*;
    const OFFERED: &[CpuidFeature] = &[
        INTEL8086,
        INTEL186,
        INTEL286,
        INTEL386,
        INTEL486,
        X64,
        FPU,
        FPU287,
        FPU387,
        CMOV,
        CX8,
        CMPXCHG16B,
        CPUID,
        MSR,
        MULTIBYTENOP,
        PAUSE,
        RDPMC,
        SEP,
        SYSCALL,
        TSC,
        CLFSH,
        CLFLUSHOPT,
        CLWB,
        FXSR,
        FSGSBASE,
        RDTSCP,
        RDPID,
        PREFETCHW,
        MMX,
        SSE,
        SSE2,
        SSE3,
        SSSE3,
        SSE4_1,
        SSE4_2,
        POPCNT,
        AES,
        PCLMULQDQ,
        SHA,
        MOVBE,
        ADX,
        LZCNT,
        BMI1,
        BMI2,
        AVX,
        AVX2,
        FMA,
        F16C,
        VAES,
        VPCLMULQDQ,
        GFNI,
        XSAVE,
        XSAVEC,
        XSAVEOPT,
        SMAP,
        MONITOR,
    ];
    OFFERED.contains(&feature)
}

/// Instructions of which processors without the extension make nothing.
fn is_nop(mnemonic: Mnemonic) -> bool {
    use Mnemonic::*;
    matches!(
        mnemonic,
        Nop | Reservednop
            | Endbr64
            | Endbr32
            | Rdsspd
            | Rdsspq
            | Cldemote
            | Prefetch
            | Prefetchwt1
            | Prefetchit0
            | Prefetchit1
    )
}

fn class_of(insn: &Instruction) -> Class {
    let mnemonic = insn.mnemonic();
    if is_nop(mnemonic) {
        return Class::Nop;
    }
    // Processors without it take this for another form of `wbinvd`.
    if mnemonic == Mnemonic::Wbnoinvd {
        return Class::Privileged;
    }
    if insn.is_invalid() || !insn.cpuid_features().iter().all(|&f| offered(f)) {
        return Class::Undefined;
    }
    if insn.is_string_instruction() && !insn.is_privileged() {
        return Class::String;
    }
    special(insn, mnemonic).unwrap_or_else(|| match insn.flow_control() {
        _ if insn.is_privileged() => Class::Privileged,
        FlowControl::Next => Class::Copy,
        FlowControl::Exception => Class::Undefined,
        _ => Class::End,
    })
}

/// Instructions that are treated one by one.
fn special(insn: &Instruction, mnemonic: Mnemonic) -> Option<Class> {
    use Mnemonic::*;
    let class = match mnemonic {
        Lea => Class::Lea,
        Push if insn.op0_kind() == OpKind::Register && is_segment(insn.op0_register()) => Class::PushSegment,
        Push => Class::Push,
        Pop if insn.op0_kind() == OpKind::Register && is_segment(insn.op0_register()) => Class::System,
        Pop => Class::Pop,
        Mov if insn.op0_kind() == OpKind::Register && is_segment(insn.op0_register()) => Class::System,
        Mov if insn.op1_kind() == OpKind::Register && is_segment(insn.op1_register()) => Class::ReadSegment,
        Mov if is_absolute(insn.code()) => Class::Absolute,
        Xlatb => Class::Xlat,
        Maskmovq | Maskmovdqu | Vmaskmovdqu => Class::AtRdi,
        Enter => Class::Enter,
        Leave => Class::Leave,
        Fnstenv | Fnsave => Class::StoreFpuEnvironment,
        Rdfsbase | Rdgsbase => Class::ReadBase,
        Rdpid => Class::ReadPid,
        Rdtsc | Rdtscp => Class::Counter,
        // Only system mode has these at all.
        Monitor | Mwait | Rsm | Stac | Clac | Sysenter => Class::Undefined,
        Rdpmc | Sysret | Sysexit | Sysretq | Sysexitq => Class::Privileged,
        m if is_system(m) => Class::System,
        _ => return None,
    };
    Some(class)
}

fn is_segment(register: Register) -> bool {
    register.is_segment_register()
}

fn is_absolute(code: Code) -> bool {
    use Code::*;
    matches!(
        code,
        Mov_AL_moffs8
            | Mov_AX_moffs16
            | Mov_EAX_moffs32
            | Mov_RAX_moffs64
            | Mov_moffs8_AL
            | Mov_moffs16_AX
            | Mov_moffs32_EAX
            | Mov_moffs64_RAX
    )
}

/// What shows or changes something that host registers do not hold for the guest.
fn is_system(mnemonic: Mnemonic) -> bool {
    use Mnemonic::*;
    const SYSTEM: &[Mnemonic] = &[
        Cpuid, Xgetbv, Pushf, Pushfq, Popf, Popfq, Wrfsbase, Wrgsbase, Sgdt, Sidt, Sldt, Str, Smsw, Lsl, Lfs, Lgs, Lss,
        Fxsave, Fxsave64, Fxrstor, Fxrstor64, Xsave, Xsave64, Xsavec, Xsavec64, Xsaveopt, Xsaveopt64, Xrstor, Xrstor64,
        Iret, Iretd, Iretq, Retf,
    ];
    SYSTEM.contains(&mnemonic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions};

    fn class(bytes: &[u8]) -> Class {
        class_of(&Decoder::new(64, bytes, DecoderOptions::NONE).decode())
    }

    #[test]
    fn hidden_extensions_are_undefined() {
        for bytes in [
            &[0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1][..], // vaddps zmm
            &[0x0f, 0x01, 0xef],                       // wrpkru
            &[0xc7, 0xf8, 0, 0, 0, 0],                 // xbegin
            &[0xc6, 0xf8, 0],                          // xabort
            &[0x0f, 0x01, 0xd6],                       // xtest
            &[0xf2, 0x0f, 0x79, 0xc1],                 // insertq
            &[0xf3, 0x48, 0x0f, 0xae, 0xe8],           // incsspq
            &[0x0f, 0xc7, 0xf0],                       // rdrand
            &[0x0f, 0x01, 0xfc],                       // clzero
            &[0x0f, 0x0b],                             // ud2
            &[0xf0, 0x90],                             // lock nop
        ] {
            assert_eq!(class(bytes), Class::Undefined, "{bytes:x?}");
        }
    }

    #[test]
    fn hints_do_nothing() {
        for bytes in [
            &[0xf3, 0x0f, 0x1e, 0xfa][..],   // endbr64
            &[0xf3, 0x48, 0x0f, 0x1e, 0xc8], // rdsspq
            &[0x66, 0x0f, 0x1f, 0x44, 0, 0], // nopw
            &[0xf3, 0x0f, 0x1a, 0xc0],       // a bound check of MPX
            &[0x0f, 0x1c, 0x00],             // cldemote
        ] {
            assert_eq!(class(bytes), Class::Nop, "{bytes:x?}");
        }
    }

    #[test]
    fn privileged_instructions_are_protection_faults() {
        for bytes in [
            &[0xf4][..],         // hlt
            &[0xfa],             // cli
            &[0xec],             // in
            &[0x6c],             // ins
            &[0x0f, 0x20, 0xc0], // mov rax, cr0
            &[0x0f, 0x30],       // wrmsr
            &[0x0f, 0x01, 0xd1], // xsetbv
            &[0x0f, 0x01, 0xf8], // swapgs
            &[0x0f, 0x33],       // rdpmc
            &[0x0f, 0x07],       // sysret
        ] {
            assert_eq!(class(bytes), Class::Privileged, "{bytes:x?}");
        }
    }
}
