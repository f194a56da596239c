//! From guest instructions to a block.

use super::constants::Constants;
use super::decode::{Insn, decode};
use super::emit;
use super::emitter::{Cold, Emitted, Emitter, FlagsAt, Mode, Reason, Thunks};
use super::flags::{Effects, Style, effects, of_pattern};
use super::regs::SP;
use super::soft;
use crate::cpu::translate::asm::Asm;
use crate::cpu::translate::front::{Code, Extent, FlagUse, Mark, Request, Translated};

/// Most instructions of a block.
const MOST: u32 = 64;

/// Blocks do not go on behind the end of a page of this many bytes.
const PAGE: u64 = 4096;

/// How far the search for the next use of the flags goes behind the end of a block: instructions of a path, and
/// branches that fork it.
const LOOK_AHEAD: usize = 12;
const FORKS: u32 = 2;

/// Notes of marks: where NZCV is when the instruction faults.
pub(super) mod note {
    pub const STORED: u32 = 0;
    pub const SUB: u32 = 1;
    pub const ADD: u32 = 2;
    pub const FLOAT: u32 = 3;
}

fn word(code: &dyn Code, pc: u64) -> Option<u32> {
    let mut bytes = [0; 4];
    code.read(pc, &mut bytes).then(|| u32::from_le_bytes(bytes))
}

/// Whether a block cannot go on behind this instruction.
fn is_branch(word: u32) -> bool {
    // Branches, exceptions, and system instructions but hints and barriers.
    word >> 26 & 7 == 0b101
        && word & 0xffff_f000 != 0xd503_2000
        && word & 0xffff_f000 != 0xd503_3000
        && word & 0xffc0_0000 != 0xd500_0000
}

/// What follows an instruction.
enum Next {
    On,
    To(u64),
    Either(u64),
    Unknown,
}

fn next(word: u32, pc: u64) -> Next {
    let signed = |low: u32, bits: u32| (((word << (32 - low - bits)) as i32 >> (32 - bits)) as i64) << 2;
    let to = |offset: i64| pc.wrapping_add_signed(offset);
    match word >> 24 {
        _ if word & 0x7c00_0000 == 0x1400_0000 => Next::To(to(signed(0, 26))),
        0x54 | 0x34 | 0x35 | 0xb4 | 0xb5 => Next::Either(to(signed(5, 19))),
        0x36 | 0x37 | 0xb6 | 0xb7 => Next::Either(to(signed(5, 14))),
        _ if is_branch(word) => Next::Unknown,
        _ => Next::On,
    }
}

/// Whether the flags at `pc` may be used or seen before they are overwritten.
fn needed_at(code: &dyn Code, mut pc: u64, forks: u32) -> bool {
    let mut path = [0; LOOK_AHEAD];
    for at in 0..LOOK_AHEAD {
        let Some(word) = word(code, pc) else { return true };
        path[at] = word;
        let follows = next(word, pc);
        let known = of_pattern(word);
        match follows {
            _ if known.reads => return true,
            Next::On if known.visible => return true,
            // What is undefined can be seen. To look for that is dear, and seldom comes to it.
            Next::On if known.writes => return path[..=at].iter().any(|word| decode(*word) == Insn::Undefined),
            Next::On => pc += 4,
            Next::To(target) => pc = target,
            Next::Either(target) => {
                if forks == 0 || needed_at(code, target, forks - 1) {
                    return true;
                }
                pc += 4;
            }
            Next::Unknown => return true,
        }
    }
    true
}

/// An instruction of a block.
#[derive(Debug)]
struct Step {
    word: u32,
    insn: Insn,
    /// Whether the flags are dead behind it.
    dead: bool,
    /// Whether it and what follows are conditional comparisons up to a conditional branch.
    fuses: bool,
}

/// Memory that is used for one block after the other.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    steps: Vec<Step>,
    pub(super) cold: Vec<Cold>,
}

/// The instructions of a block, to `words`.
fn survey(code: &dyn Code, request: &Request, words: &mut Vec<Step>) {
    let most = match request.extent {
        Extent::Whole => MOST,
        Extent::Cut(count) => count.min(MOST),
    };
    words.clear();
    let mut pc = request.pc;
    let mut needed = true;
    while words.len() < most as usize {
        let Some(word) = word(code, pc) else { break };
        words.push(Step { word, insn: decode(word), dead: false, fuses: false });
        let look = request.flags == FlagUse::Live && request.extent == Extent::Whole;
        match next(word, pc) {
            Next::On => {}
            Next::To(target) => {
                needed = !look || needed_at(code, target, FORKS);
                break;
            }
            Next::Either(target) => {
                needed = !look || needed_at(code, target, FORKS) || needed_at(code, pc + 4, FORKS);
                break;
            }
            Next::Unknown => break,
        }
        pc += 4;
        if pc.is_multiple_of(PAGE) {
            break;
        }
    }
    let mut fuses = false;
    for step in words.iter_mut().rev() {
        let Effects { reads, writes, visible } = effects(step.word, &step.insn);
        step.dead = !needed && request.flags == FlagUse::Live;
        // CCMP and CCMN; B.cond.
        step.fuses = fuses && step.word & 0x3fe0_0410 == 0x3a40_0000;
        fuses = step.fuses || step.word & 0xff00_0010 == 0x5400_0000;
        if writes {
            needed = false;
        }
        let ends = matches!(next(step.word, 0), Next::To(_) | Next::Either(_));
        if reads || visible && !ends {
            needed = true;
        }
    }
}

/// Registers (a set; [`SP`] is one) at which memory is accessed by what they hold at the block's entry. It need not be exact: to
/// look at a register too many or too few costs time only.
fn bases(steps: &[Step]) -> u64 {
    let (mut bases, mut written) = (0, 0);
    for Step { word, .. } in steps {
        let field = |low: u32| 1u64 << (word >> low & 31);
        // SP where 31 would be the zero register.
        let base = if word >> 5 & 31 == 31 { 1 << SP } else { field(5) };
        if word >> 25 & 5 != 4 {
            // An addition to a register leaves it near to where it was.
            let nearby = word & 0x1f80_0000 == 0x1100_0000 && word & 31 == word >> 5 & 31;
            written |= if nearby { 0 } else { field(0) | 1 << SP & (field(0) << 1) };
            continue;
        }
        let literal = word & 0x3b00_0000 == 0x1800_0000;
        let indexed = word & 0x3b20_0c00 == 0x3820_0800;
        let prefetch = word & 0xffc0_0000 == 0xf980_0000 || word & 0xffe0_0000 == 0xf880_0000;
        if !literal && !indexed && !prefetch {
            bases |= base & !written;
        }
        if word & 1 << 26 == 0 {
            written |= field(0) | field(10) | field(16);
        }
    }
    bases & !(1 << 31)
}

fn note_of(before: FlagsAt, after: FlagsAt) -> u32 {
    match before.live {
        // What an instruction stores it stores before it accesses memory.
        Some(style) if !before.stored && !after.stored => match style {
            Style::Sub => note::SUB,
            Style::Add => note::ADD,
            Style::Float => note::FLOAT,
        },
        _ => note::STORED,
    }
}

/// Emits the block that begins at the request's pc.
pub(super) fn translate(
    asm: &mut Asm,
    (constants, scratch): (&mut Constants, &mut Scratch),
    thunks: Thunks,
    request: &Request,
    code: &dyn Code,
) -> Result<Translated, String> {
    let mut words = std::mem::take(&mut scratch.steps);
    survey(code, request, &mut words);
    scratch.cold.clear();
    let mode = Mode { soft_fp: request.mode != 0 };
    let mut e = Emitter::new(asm, (constants, &mut scratch.cold), thunks, mode, (request.pc, request.addresses));
    let budget_at = e.prologue();
    e.check_bases(bases(&words));
    let mut translated = Translated { marks: Vec::with_capacity(words.len()), ..Translated::default() };
    let mut pc = request.pc;
    for (index, &Step { word, insn, dead, fuses }) in words.iter().enumerate() {
        let before = e.flags_at();
        let host = e.asm.len() as u32;
        e.begin(pc, index as u32, word, dead, fuses);
        emit_one(&mut e, word, insn, &mut translated)?;
        let note = note_of(before, e.flags_at());
        translated.marks.push(Mark { host, guest: (pc - request.pc) as u32, index: index as u32, charged: 0, note });
        pc += 4;
        if e.ended().is_some() {
            break;
        }
    }
    if e.ended().is_none() {
        let count = words.len() as u32;
        e.begin(pc, count, 0, false, false);
        match request.extent {
            Extent::Cut(most) if most == count => e.end_at(Reason::Budget),
            _ if words.is_empty() => e.end_at(Reason::Lookup),
            _ => e.end_fall(),
        }
    }
    translated.bytes = (pc - request.pc) as u32;
    translated.main_end = e.asm.len() as u32;
    translated.count = e.ended().unwrap_or(0);
    translated.links = e.finish(translated.count);
    translated.marks.iter_mut().for_each(|mark| mark.charged = translated.count);
    asm.patch(budget_at, translated.count);
    scratch.steps = words;
    Ok(translated)
}

fn emit_one(e: &mut Emitter<'_>, word: u32, insn: Insn, translated: &mut Translated) -> Result<(), String> {
    let snapshot = e.snapshot();
    if emit::instruction(e, insn) == Emitted::Unhandled {
        e.restore(snapshot);
        if word >> 25 & 7 == 7 && soft::knows(word) {
            e.soft();
            translated.soft += 1;
        } else {
            e.end_at(Reason::Fallback);
        }
    }
    match e.flags_broken() {
        true => Err(format!("the code for {word:#010x} changes flags under the guest's")),
        false => Ok(()),
    }
}
