//! What Unicorn 2.1.5 (QEMU 5.0) does not know or does otherwise than processors.

use iced_x86::{Code, Instruction, Mnemonic};

use super::Insn;
use super::classes::Class;

/// Classes that it can judge. Floating point collects no exceptions there and x87 has its own precision.
const CLASSES: [&str; 7] =
    ["x64_integer", "x64_bits", "x64_flow", "x64_string", "x64_system", "x64_sse34", "x64_crypto"];

/// Instructions that it does otherwise.
const BEYOND: &[Mnemonic] = {
    use Mnemonic::*;
    &[
        // It takes the absolute value of the least integer for a length, and reads far beyond its own state.
        Pcmpestri,
        Pcmpestri64,
        Pcmpestrm,
        Pcmpestrm64,
        // Floating point: exceptions, and what the manual leaves to the processor.
        Addsubpd,
        Addsubps,
        Haddpd,
        Haddps,
        Hsubpd,
        Hsubps,
        Dppd,
        Dpps,
        Roundpd,
        Roundps,
        Roundsd,
        Roundss,
        Fisttp,
    ]
};

/// Encodings that it calls undefined, or reads otherwise.
fn is_misread(i: &Instruction, insn: &Insn) -> bool {
    // The second encoding of `test`.
    let second_test = matches!(i.code(), Code::Test_rm8_imm8_F6r1 | Code::Test_rm16_imm16_F7r1)
        || matches!(i.code(), Code::Test_rm32_imm32_F7r1 | Code::Test_rm64_imm32_F7r1);
    // With REX it takes ah for spl.
    let rex = insn.bytes().iter().any(|b| (0x40..0x50).contains(b));
    let narrow_double = matches!(i.mnemonic(), Mnemonic::Shld | Mnemonic::Shrd) && i.op0_register().is_gpr16();
    second_test || narrow_double || matches!(i.mnemonic(), Mnemonic::Lahf | Mnemonic::Sahf) && rex
}

/// The classes that are left.
pub fn classes(all: Vec<Class>) -> Vec<Class> {
    all.into_iter().filter(|class| CLASSES.contains(&class.name)).collect()
}

/// Whether it cannot be asked about an instruction.
pub fn cannot_judge(i: &Instruction, insn: &Insn) -> bool {
    BEYOND.contains(&i.mnemonic()) || is_misread(i, insn)
}
