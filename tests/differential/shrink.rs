//! Makes a difference small, and prints it.

use std::process::Command;

use super::compare::{Side, compare};
use super::isa::{Case, Isa, Oracle};
use super::random::CODE;

/// A difference in words.
pub struct Report<I: Isa> {
    /// Tells like failures from others: what is left of the code without its registers.
    pub key: Vec<I::Word>,
    pub text: String,
}

/// The difference of a case that stands by itself, if there is one.
fn failure<I: Isa>(case: &Case<I>, sides: &mut [Side<I>; 2], fillings: &[u8], oracle: Oracle) -> Option<String> {
    sides.iter_mut().for_each(|side| side.place([case].into_iter()));
    let (wanted, different) = compare(sides, case, fillings, oracle).ok()?;
    different.filter(|_| !I::excused(case, wanted.exit, oracle))
}

/// Looks for the smallest part of a case that still makes a difference, and describes it.
pub fn report<I: Isa>(
    case: &Case<I>,
    sides: &mut [Side<I>; 2],
    fillings: &[u8],
    names: &[String; 2],
    oracle: Oracle,
) -> Report<I> {
    let mut best = case.clone();
    if I::MOVABLE {
        I::set_pc(&mut best.regs, CODE);
    }
    let Some(mut differences) = failure(&best, sides, fillings, oracle) else {
        let text =
            format!("  makes no difference by itself; needs its batch (and what ran before)\n{}", disassembly(case));
        return Report { key: case.words.clone(), text };
    };
    let mut attempt = |best: &mut Case<I>, change: &dyn Fn(&mut Case<I>)| {
        let mut smaller = best.clone();
        change(&mut smaller);
        if let Some(found) = failure(&smaller, sides, fillings, oracle) {
            differences = found;
            *best = smaller;
        }
    };
    let is_nop = |word: &I::Word| *word == I::nop(word);
    attempt(&mut best, &|c| c.slice = None);
    for _ in 0..2 {
        for len in 1..best.words.len() {
            if I::MOVABLE && len < best.words.len() {
                attempt(&mut best, &|c| c.words.truncate(len));
            }
        }
        for i in 0..best.words.len() {
            if !is_nop(&best.words[i]) {
                attempt(&mut best, &|c| c.words[i] = I::nop(&c.words[i]));
            }
        }
    }
    for i in (0..best.words.len()).rev() {
        if I::MOVABLE && is_nop(&best.words[i]) && best.words.len() > 1 {
            attempt(&mut best, &|c| {
                c.words.remove(i);
            });
        }
    }
    I::simpler().iter().for_each(|step| attempt(&mut best, step));
    let mut text = disassembly(&best);
    text += &format!("  begins with: filling {}{}\n", best.filling, I::state(&best.regs));
    if let Some(slice) = best.slice {
        text += &format!("  {} runs slices of {slice} instructions\n", names[1]);
    }
    text += &format!("  {} / {}:\n{differences}", names[0], names[1]);
    let key = best.words.iter().filter(|w| !is_nop(w)).map(I::key).collect();
    Report { key, text }
}

/// The instructions, disassembled if a disassembler is installed.
fn disassembly<I: Isa>(case: &Case<I>) -> String {
    let pc = case.address(0);
    let bytes: Vec<u8> = case.words.iter().flat_map(|w| I::bytes(w)).collect();
    let file = std::env::temp_dir().join(format!("sevm-differential-{}-{pc:x}", std::process::id()));
    let lines = std::fs::write(&file, bytes).ok().and_then(|()| {
        let start = format!("--adjust-vma={pc:#x}");
        let mut command = Command::new(I::OBJDUMP[0]);
        let output = command.args(&I::OBJDUMP[1..]).args(["-D", "-b", "binary", &start]).arg(&file).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let code: Vec<String> = text.lines().filter(|l| l.contains(":\t")).map(|l| format!("  {l}\n")).collect();
        (code.len() >= case.words.len()).then(|| code.concat())
    });
    let _ = std::fs::remove_file(&file);
    let hex = |word: &I::Word| I::bytes(word).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let plain = |(i, w): (usize, &I::Word)| format!("  {:#x}: {}\n", case.address(i), hex(w));
    lines.unwrap_or_else(|| case.words.iter().enumerate().map(plain).collect())
}
