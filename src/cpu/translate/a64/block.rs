//! From guest instructions to a block.

use super::constants::Constants;
use super::emit;
use super::emitter::{Emitted, Emitter, FlagsAt, Mode, Reason, Thunks};
use super::flags::{Effects, Style, effects};
use super::soft;
use crate::cpu::translate::asm::Asm;
use crate::cpu::translate::front::{Code, Extent, FlagUse, Mark, Request, Translated};

/// Most instructions of a block.
const MOST: u32 = 64;

/// Blocks do not go on behind the end of a page of this many bytes.
const PAGE: u64 = 4096;

/// How far the search for the next use of the flags goes behind the end of a block: instructions of a path, and
/// branches that fork it.
const LOOK_AHEAD: u32 = 12;
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
    for _ in 0..LOOK_AHEAD {
        let Some(word) = word(code, pc) else { return true };
        let follows = next(word, pc);
        let known = effects(word);
        match follows {
            _ if known.reads => return true,
            Next::On if known.visible => return true,
            Next::On if known.writes => return false,
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

/// The words of a block, and for each whether the flags are dead behind it.
fn survey(code: &dyn Code, request: &Request) -> Vec<(u32, bool)> {
    let most = match request.extent {
        Extent::Whole => MOST,
        Extent::Cut(count) => count.min(MOST),
    };
    let mut words: Vec<(u32, bool)> = Vec::with_capacity(16);
    let mut pc = request.pc;
    let mut needed = true;
    while words.len() < most as usize {
        let Some(word) = word(code, pc) else { break };
        words.push((word, false));
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
    for (word, dead) in words.iter_mut().rev() {
        let Effects { reads, writes, visible } = effects(*word);
        *dead = !needed && request.flags == FlagUse::Live;
        if writes {
            needed = false;
        }
        let ends = matches!(next(*word, 0), Next::To(_) | Next::Either(_));
        if reads || visible && !ends {
            needed = true;
        }
    }
    words
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
    constants: &mut Constants,
    thunks: Thunks,
    request: &Request,
    code: &dyn Code,
) -> Result<Translated, String> {
    let words = survey(code, request);
    let mode = Mode { soft_fp: request.mode != 0 };
    let mut e = Emitter::new(asm, constants, thunks, mode, request.pc);
    let budget_at = e.prologue();
    let mut translated = Translated::default();
    let mut pc = request.pc;
    for (index, (word, dead)) in words.iter().enumerate() {
        let before = e.flags_at();
        let host = e.asm.len() as u32;
        e.begin(pc, index as u32, *word, *dead);
        emit_one(&mut e, *word, &mut translated)?;
        let note = note_of(before, e.flags_at());
        translated.marks.push(Mark { host, guest: (pc - request.pc) as u32, index: index as u32, note });
        pc += 4;
        if e.ended().is_some() {
            break;
        }
    }
    if e.ended().is_none() {
        let count = words.len() as u32;
        e.begin(pc, count, 0, false);
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
    asm.patch(budget_at, translated.count);
    Ok(translated)
}

fn emit_one(e: &mut Emitter<'_>, word: u32, translated: &mut Translated) -> Result<(), String> {
    let snapshot = e.snapshot();
    if emit::instruction(e, word) == Emitted::Unhandled {
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
