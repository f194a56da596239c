//! Classic BPF as seccomp(2) uses it: `net/core/filter.c` and `kernel/seccomp.c` of Linux say which programs are good.

/// Bytes of `struct seccomp_data`.
pub(super) const DATA_SIZE: usize = 64;

/// Longest program (BPF_MAXINSNS).
pub(super) const MAX_LEN: usize = 4096;

/// Words of scratch memory (BPF_MEMWORDS).
const MEM_WORDS: usize = 16;

/// Parts of an instruction's code (include/uapi/linux/bpf_common.h).
mod code {
    pub const LD_IMM: u16 = 0x00;
    pub const LDX_IMM: u16 = 0x01;
    pub const LD_ABS_W: u16 = 0x20;
    pub const LD_MEM: u16 = 0x60;
    pub const LDX_MEM: u16 = 0x61;
    pub const LD_LEN: u16 = 0x80;
    pub const LDX_LEN: u16 = 0x81;
    pub const ST: u16 = 0x02;
    pub const STX: u16 = 0x03;
    pub const ALU: u16 = 0x04;
    pub const JMP: u16 = 0x05;
    pub const RET_K: u16 = 0x06;
    pub const RET_A: u16 = 0x16;
    pub const TAX: u16 = 0x07;
    pub const TXA: u16 = 0x87;
    /// The operand is X instead of the constant.
    pub const X: u16 = 0x08;
    pub const CLASS: u16 = 0x07;
    pub const OP: u16 = 0xf0;
}

/// Operations of the classes ALU and JMP.
mod alu {
    pub const ADD: u16 = 0x00;
    pub const SUB: u16 = 0x10;
    pub const MUL: u16 = 0x20;
    pub const DIV: u16 = 0x30;
    pub const OR: u16 = 0x40;
    pub const AND: u16 = 0x50;
    pub const LSH: u16 = 0x60;
    pub const RSH: u16 = 0x70;
    pub const NEG: u16 = 0x80;
    pub const XOR: u16 = 0xa0;
}

mod jump {
    pub const ALWAYS: u16 = 0x00;
    pub const EQUAL: u16 = 0x10;
    pub const GREATER: u16 = 0x20;
    pub const GREATER_EQUAL: u16 = 0x30;
    pub const SET: u16 = 0x40;
}

/// `struct sock_filter`.
#[derive(Clone, Copy, Debug)]
struct Insn {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

/// A program that has been checked: it ends, and touches only its own memory and the data.
#[derive(Debug)]
pub(super) struct Program(Vec<Insn>);

impl Program {
    /// Checks a program of one 8-byte `struct sock_filter` an instruction; `None` if Linux would refuse it.
    pub(super) fn new(raw: &[u64]) -> Option<Program> {
        let insns: Vec<Insn> = raw
            .iter()
            .map(|r| Insn { code: *r as u16, jt: (r >> 16) as u8, jf: (r >> 24) as u8, k: (r >> 32) as u32 })
            .collect();
        let all_good = insns.iter().enumerate().all(|(at, insn)| is_good(insn, insns.len() - at - 1));
        let ends = matches!(insns.last()?.code, code::RET_K | code::RET_A);
        (all_good && ends && reads_only_what_it_wrote(&insns)).then_some(Program(insns))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Runs it over `struct seccomp_data`; gives its answer.
    pub(super) fn run(&self, data: &[u8; DATA_SIZE]) -> u32 {
        let (mut a, mut x, mut memory, mut pc) = (0u32, 0u32, [0u32; MEM_WORDS], 0);
        // Jumps go forward only: the loop ends.
        while let Some(insn) = self.0.get(pc) {
            pc += 1;
            let k = insn.k;
            match insn.code {
                code::RET_K => return k,
                code::RET_A => return a,
                code::LD_IMM => a = k,
                code::LDX_IMM => x = k,
                code::LD_ABS_W => a = word(data, k),
                code::LD_LEN => a = DATA_SIZE as u32,
                code::LDX_LEN => x = DATA_SIZE as u32,
                code::LD_MEM => a = memory[k as usize % MEM_WORDS],
                code::LDX_MEM => x = memory[k as usize % MEM_WORDS],
                code::ST => memory[k as usize % MEM_WORDS] = a,
                code::STX => memory[k as usize % MEM_WORDS] = x,
                code::TAX => x = a,
                code::TXA => a = x,
                other => {
                    let operand = if other & code::X != 0 { x } else { k };
                    if other & code::CLASS == code::JMP {
                        pc += taken(insn, a, operand);
                    } else {
                        match calculate(other & code::OP, a, operand) {
                            Some(result) => a = result,
                            // A division by zero ends the program with 0.
                            None => return 0,
                        }
                    }
                }
            }
        }
        0
    }
}

fn word(data: &[u8; DATA_SIZE], at: u32) -> u32 {
    let at = at as usize % DATA_SIZE;
    u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

/// How many instructions a jump passes over.
fn taken(insn: &Insn, a: u32, operand: u32) -> usize {
    let holds = match insn.code & code::OP {
        jump::ALWAYS => return insn.k as usize,
        jump::EQUAL => a == operand,
        jump::GREATER => a > operand,
        jump::GREATER_EQUAL => a >= operand,
        _ => a & operand != 0,
    };
    usize::from(if holds { insn.jt } else { insn.jf })
}

fn calculate(operation: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        alu::ADD => a.wrapping_add(operand),
        alu::SUB => a.wrapping_sub(operand),
        alu::MUL => a.wrapping_mul(operand),
        alu::DIV => a.checked_div(operand)?,
        alu::OR => a | operand,
        alu::AND => a & operand,
        // The count of a shift by X is taken as the processor takes it.
        alu::LSH => a.wrapping_shl(operand),
        alu::RSH => a.wrapping_shr(operand),
        alu::XOR => a ^ operand,
        _ => a.wrapping_neg(),
    })
}

/// Whether seccomp knows an instruction and its constants make sense; `left` instructions follow it.
fn is_good(insn: &Insn, left: usize) -> bool {
    let Insn { code: c, jt, jf, k } = *insn;
    match c {
        code::LD_ABS_W => (k as usize) < DATA_SIZE && k.is_multiple_of(4),
        code::LD_MEM | code::LDX_MEM | code::ST | code::STX => (k as usize) < MEM_WORDS,
        code::RET_K | code::RET_A | code::LD_IMM | code::LDX_IMM => true,
        code::LD_LEN | code::LDX_LEN | code::TAX | code::TXA => true,
        _ if c & !(code::OP | code::X | code::CLASS) != 0 => false,
        _ if c & code::CLASS == code::JMP => match c & code::OP {
            jump::ALWAYS => c & code::X == 0 && (k as usize) < left,
            jump::EQUAL | jump::GREATER | jump::GREATER_EQUAL | jump::SET => {
                usize::from(jt) < left && usize::from(jf) < left
            }
            _ => false,
        },
        _ if c & code::CLASS == code::ALU => match c & code::OP {
            alu::DIV => c & code::X != 0 || k != 0,
            alu::LSH | alu::RSH => c & code::X != 0 || k < 32,
            alu::NEG => c & code::X == 0,
            alu::ADD | alu::SUB | alu::MUL | alu::OR | alu::AND | alu::XOR => true,
            _ => false,
        },
        _ => false,
    }
}

/// Whether every load from scratch memory comes after a store on all ways to it (`check_load_and_stores`).
fn reads_only_what_it_wrote(insns: &[Insn]) -> bool {
    let mut known = vec![u16::MAX; insns.len() + 1];
    let mut here = 0u16;
    for (at, insn) in insns.iter().enumerate() {
        here &= known[at];
        let bit = 1u16 << (insn.k as usize % MEM_WORDS);
        let mut arrive = |over: usize, with: u16| {
            if let Some(k) = known.get_mut(at + 1 + over) {
                *k &= with;
            }
        };
        match insn.code {
            code::ST | code::STX => here |= bit,
            code::LD_MEM | code::LDX_MEM if here & bit == 0 => return false,
            c if c & code::CLASS == code::JMP => {
                if c & code::OP == jump::ALWAYS {
                    arrive(insn.k as usize, here);
                } else {
                    arrive(insn.jt.into(), here);
                    arrive(insn.jf.into(), here);
                }
                here = u16::MAX;
            }
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(code: u16, jt: u8, jf: u8, k: u32) -> u64 {
        u64::from(code) | u64::from(jt) << 16 | u64::from(jf) << 24 | u64::from(k) << 32
    }

    fn run(program: &[u64], nr: u32) -> Option<u32> {
        let mut data = [0; DATA_SIZE];
        data[..4].copy_from_slice(&nr.to_le_bytes());
        Some(Program::new(program)?.run(&data))
    }

    #[test]
    fn chooses_by_number() {
        let program = [insn(0x20, 0, 0, 0), insn(0x15, 0, 1, 39), insn(6, 0, 0, 7), insn(6, 0, 0, 8)];
        assert_eq!(run(&program, 39), Some(7));
        assert_eq!(run(&program, 40), Some(8));
    }

    #[test]
    fn arithmetic_and_memory() {
        let program = [
            insn(0x20, 0, 0, 0),
            insn(0x04, 0, 0, 5),
            insn(0x02, 0, 0, 3),
            insn(0x61, 0, 0, 3),
            insn(0x2c, 0, 0, 0),
            insn(0x84, 0, 0, 0),
            insn(0x16, 0, 0, 0),
        ];
        assert_eq!(run(&program, 2), Some(49u32.wrapping_neg()));
    }

    #[test]
    fn division_by_zero_gives_zero() {
        let program = [insn(0, 0, 0, 9), insn(0x3c, 0, 0, 0), insn(6, 0, 0, 1)];
        assert_eq!(run(&program, 0), Some(0));
    }

    #[test]
    fn refuses_what_linux_refuses() {
        let bad: [&[u64]; 9] = [
            &[insn(0x20, 0, 0, 0)],
            &[insn(0x20, 0, 0, 2), insn(6, 0, 0, 0)],
            &[insn(0x20, 0, 0, 64), insn(6, 0, 0, 0)],
            &[insn(0x34, 0, 0, 0), insn(6, 0, 0, 0)],
            &[insn(0x64, 0, 0, 32), insn(6, 0, 0, 0)],
            &[insn(0x15, 0, 1, 0), insn(6, 0, 0, 0)],
            &[insn(0x60, 0, 0, 1), insn(6, 0, 0, 0)],
            &[insn(0x94, 0, 0, 3), insn(6, 0, 0, 0)],
            &[insn(0x05, 0, 0, 1), insn(6, 0, 0, 0)],
        ];
        for program in bad {
            assert!(Program::new(program).is_none(), "{program:x?}");
        }
    }
}
