//! Makes a difference small, and prints it.

use std::process::Command;

use super::compare::{Side, compare};
use super::generate::{CODE, Case, NOP};
use super::unicorn;

/// A difference in words.
pub struct Report {
    /// Tells like failures from others: what is left of the code without its registers.
    pub key: Vec<u32>,
    pub text: String,
}

/// The difference of a case that stands by itself, if there is one.
fn failure(case: &Case, sides: &mut [Side; 2], fillings: &[u8]) -> Option<String> {
    sides.iter_mut().for_each(|side| side.place([case].into_iter()));
    compare(sides, case, fillings).ok()?.1.filter(|_| !unicorn::cannot_judge_all(case))
}

/// Looks for the smallest part of a case that still makes a difference, and describes it.
pub fn report(case: &Case, sides: &mut [Side; 2], fillings: &[u8], names: &[String; 2]) -> Report {
    let moved = |case: &Case| {
        let mut case = case.clone();
        case.regs.pc = CODE;
        case
    };
    let mut best = moved(case);
    let Some(mut differences) = failure(&best, sides, fillings) else {
        let text = format!(
            "  makes no difference by itself; needs its batch (and what ran before)\n{}",
            disassembly(&case.words, case.regs.pc)
        );
        return Report { key: case.words.clone(), text };
    };
    let mut attempt = |best: &mut Case, change: &dyn Fn(&mut Case)| {
        let mut smaller = best.clone();
        change(&mut smaller);
        if let Some(found) = failure(&smaller, sides, fillings) {
            differences = found;
            *best = smaller;
        }
    };
    attempt(&mut best, &|c| c.slice = None);
    for _ in 0..2 {
        for len in 1..best.words.len() {
            if len < best.words.len() {
                attempt(&mut best, &|c| c.words.truncate(len));
            }
        }
        for i in 0..best.words.len() {
            if best.words[i] != NOP {
                attempt(&mut best, &|c| c.words[i] = NOP);
            }
        }
    }
    for i in (0..best.words.len()).rev() {
        if best.words[i] == NOP && best.words.len() > 1 {
            attempt(&mut best, &|c| {
                c.words.remove(i);
            });
        }
    }
    for i in 0..31 {
        attempt(&mut best, &|c| c.regs.x[i] = 0);
    }
    for i in 0..32 {
        attempt(&mut best, &|c| c.regs.v[i] = 0);
        attempt(&mut best, &|c| c.regs.v[i] &= u128::from(u64::MAX));
    }
    attempt(&mut best, &|c| c.regs.sp = 0);
    attempt(&mut best, &|c| c.regs.tpidr = 0);
    attempt(&mut best, &|c| c.regs.pstate = 0);
    attempt(&mut best, &|c| c.regs.fpsr = 0);
    for bits in [0, 3 << 22, 1 << 26, 1 << 25, 1 << 24, 1 << 19] {
        attempt(&mut best, &|c| c.regs.fpcr &= bits);
    }
    let mut text = disassembly(&best.words, best.regs.pc);
    text += &format!("  begins with: {}\n", state(&best));
    if let Some(slice) = best.slice {
        text += &format!("  {} runs slices of {slice} instructions\n", names[1]);
    }
    text += &format!("  {} / {}:\n{differences}", names[0], names[1]);
    let key = best.words.iter().filter(|w| **w != NOP).map(|w| w & 0xffe0_fc00).collect();
    Report { key, text }
}

/// Registers that are not zero.
fn state(case: &Case) -> String {
    let regs = &case.regs;
    let mut text = format!("filling {}", case.filling);
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

/// The words, disassembled if a disassembler is installed.
fn disassembly(words: &[u32], pc: u64) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let file = std::env::temp_dir().join(format!("sevm-differential-{}-{pc:x}", std::process::id()));
    let lines = std::fs::write(&file, bytes).ok().and_then(|()| {
        let start = format!("--adjust-vma={pc:#x}");
        let mut command = Command::new("aarch64-linux-gnu-objdump");
        let output = command.args(["-D", "-b", "binary", "-m", "aarch64", &start]).arg(&file).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let code: Vec<String> = text.lines().filter(|l| l.contains(":\t")).map(|l| format!("  {l}\n")).collect();
        (code.len() == words.len()).then(|| code.concat())
    });
    let _ = std::fs::remove_file(&file);
    let plain = |(i, w): (usize, &u32)| format!("  {:#x}: {w:08x}\n", pc + 4 * i as u64);
    lines.unwrap_or_else(|| words.iter().enumerate().map(plain).collect())
}
