//! From guest instructions to a block.
//!
//! A block has up to three entries, in this order, behind a jump out of it for which the check has no room:
//! - For indirect jumps: takes the last of their registers back.
//! - Checked: leaves with [`Reason::Budget`] if the budget has been overdrawn.
//! - Unchecked: charges the block and does it.
//!
//! It may go on behind conditional jumps; each piece is charged where it begins. Short loops are written out several times and
//! charged at once; where they end early, the rest is given back.
//!
//! A check is cheap where nobody will see the flags. If that is so only behind some of the first instructions, blocks to which jumps of
//! the unchecked kind hardly come have it there, and one entry.
//!
//! Jumps go to the unchecked entry where the target lies behind them, in the same [`STRETCH`] of code as the block's first instruction. So
//! what runs between two checks ascends through a stretch and at most one block more, and the budget is overdrawn by at most [`SLACK`]
//! instructions. In the mode [`EXACT`] every block asks whether the budget has room for it, and ends at the first jump.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::common::{BUDGET, JUMP_ENTRY, JUMP_TARGET, Thunks, VMOVDQU_LOAD, VMOVDQU_STORE, VMOVQ_LOAD, VMOVQ_STORE};
use super::out::{LazyEncoder, Note, Out, Rewritten};
use super::state::{MOST, field, spill_slot};
use super::{ends, flags, rewrite};
use crate::cpu::translate::asm::{Asm, Cc, Gpr, Label, Map, Mem, Pp, Size, Vex, Width};
use crate::cpu::translate::front::{self, Entry, Extent, FlagUse, LinkSite, Reason, Request, Stability, Translated};

/// Bytes of code within which forward links need no check of the budget.
const STRETCH: u64 = 1024;

/// Most instructions by which the budget is overdrawn: a stretch of shortest ones, and the blocks at both ends.
pub(super) const SLACK: u64 = STRETCH + 2 * MOST as u64;

/// The mode in which every block asks for its budget.
pub(super) const EXACT: u8 = 1;

/// Bytes that a block's code begins with: a jump.
pub(super) const HEAD: u32 = 5;

/// Bytes of what follows them for indirect jumps.
pub(super) const INDIRECT: u32 = 7;

/// Most conditional jumps that a block goes on behind.
const MOST_FORKS: usize = 3;

/// Registers that stand aside, with their spill slots, while a block compares the guest's code.
const COMPARING: [(Gpr, u8); 3] = [(Gpr::Rcx, 0), (Gpr::R10, 1), (Gpr::R11, 2)];

/// Most times that a loop is written out, and most instructions that it may have then.
const MOST_COPIES: usize = 4;
/// See `MOST_COPIES`.
const MOST_COPIED: usize = 40;

/// Behind how many instructions a check may stand.
const LATEST_CHECK: usize = 6;

/// Most bytes of an instruction.
const LONGEST: usize = 15;

const VTESTPD: Vex = Vex::new(Map::M0f38, Pp::P66, 0x0f).sets_flags();
const VMOVMSKPD: Vex = Vex::new(Map::M0f, Pp::P66, 0x50);
const VPSUBQ: Vex = Vex::new(Map::M0f, Pp::P66, 0xfb);
const VPADDQ: Vex = Vex::new(Map::M0f, Pp::P66, 0xd4);

/// A direct jump out of the block, whose stub is still to be written.
struct Exit {
    /// Offset of the distance of its jump.
    at: u32,
    target: u64,
    /// Address behind the instruction that it is of.
    behind: u64,
    /// Instructions that have been charged and are not done.
    back: u32,
}

/// Where the block leaves for want of budget.
struct Short {
    label: Label,
    /// Whether `rcx` is aside then.
    aside: bool,
    /// The instruction that comes next.
    first: u32,
    pc: u64,
}

/// A part of the block that is charged at once.
struct Piece {
    /// Its first instruction.
    first: u32,
    /// Where the place of its charge is filled in.
    at: u32,
}

/// What is needed to write a block.
pub(super) struct Block<'a> {
    pub out: Out<'a>,
    pub thunks: &'a Thunks,
    request: &'a Request,
    instructions: Vec<Instruction>,
    exits: Vec<Exit>,
    pieces: Vec<Piece>,
    /// Address behind the instruction that is being emitted.
    behind: u64,
    /// The instruction before which the budget is looked at, and whether flags may change there.
    check: (u32, bool),
    short: Option<Short>,
    /// Whether the block is a loop, written out at least once.
    looped: bool,
    stale: Option<Label>,
    /// Whether the budget is aside.
    exchanged: bool,
}

/// Code that was read.
struct Survey {
    bytes: Vec<u8>,
    instructions: Vec<Instruction>,
    /// Whether they are a loop, once or several times.
    looped: bool,
    /// The address that could not be read for the first instruction.
    unreadable: Option<u64>,
}

/// Whether a block cannot go on behind this instruction.
fn ends_block(instruction: &Instruction) -> bool {
    instruction.flow_control() != iced_x86::FlowControl::Next
}

fn survey(request: &Request, code: &dyn front::Code) -> Survey {
    let most = match request.extent {
        Extent::Whole => MOST,
        Extent::Cut(most) => MOST.min(most as usize),
    };
    let mut bytes = vec![0; (most * LONGEST).min(640)];
    let read = code.fetch(request.pc, &mut bytes);
    bytes.truncate(read);
    let mut decoder = Decoder::with_ip(64, &bytes, request.pc, DecoderOptions::NONE);
    let mut instructions = Vec::with_capacity(16);
    let mut unreadable = None;
    // Blocks that give the guest its `ymm15`, or look at their code, or are exact, are short.
    let long = request.mode != EXACT && request.stability == Stability::Fixed;
    let (mut forks, mut looped) = (0, false);
    let (mut first_fork, mut exchanges) = (0, false);
    while instructions.len() < most && decoder.can_decode() {
        let instruction = decoder.decode();
        if decoder.last_error() == iced_x86::DecoderError::NoMoreBytes {
            break;
        }
        instructions.push(instruction);
        exchanges |= uses_budget_register(&instruction);
        if goes_to(&instruction, request.pc) {
            looped = long && forks == 0 && !exchanges && ends::is_fork(&instruction);
            break;
        }
        if long && ends::is_fork(&instruction) && forks < MOST_FORKS && !exchanges {
            forks += 1;
            if forks == 1 {
                first_fork = instructions.len();
            }
            continue;
        }
        if instruction.is_invalid() || ends_block(&instruction) {
            break;
        }
        let stores = request.stability == Stability::Checked && super::wanted::has_memory(&instruction);
        if stores || instruction.is_string_instruction() && request.stability == Stability::Checked {
            break;
        }
    }
    if exchanges && forks > 0 {
        instructions.truncate(first_fork);
    }
    if looped {
        let copies = (MOST_COPIED / instructions.len()).clamp(1, MOST_COPIES);
        instructions = instructions.repeat(copies);
    }
    if instructions.is_empty() {
        unreadable = Some(request.pc.wrapping_add(read as u64));
    }
    Survey { bytes, instructions, looped, unreadable }
}

/// Whether the instruction is a direct jump to an address.
fn goes_to(instruction: &Instruction, address: u64) -> bool {
    ends_block(instruction)
        && instruction.op0_kind() == OpKind::NearBranch64
        && instruction.near_branch_target() == address
}

/// Before which instruction the budget is looked at, and whether flags may change there.
fn place_check(request: &Request, instructions: &[Instruction]) -> (u32, bool) {
    if request.flags == FlagUse::Exact || request.stability == Stability::Checked {
        return (0, false);
    }
    if flags::dead_before(instructions) {
        return (0, true);
    }
    let begins = |i: &Instruction| matches!(i.mnemonic(), Mnemonic::Push | Mnemonic::Endbr64);
    let sought = instructions.first().is_some_and(begins) || instructions.iter().any(|i| goes_to(i, request.pc));
    if request.mode == EXACT || !sought || instructions.iter().any(uses_budget_register) {
        return (0, false);
    }
    let straight = instructions.iter().take_while(|i| !ends_block(i)).count().min(LATEST_CHECK);
    let place = (1..=straight).find(|&at| flags::dead_before(&instructions[at..]));
    place.map_or((0, false), |at| (at as u32, true))
}

/// Whether the instruction uses the register that the budget is in. Those that save or restore all are done outside of translated code.
fn uses_budget_register(instruction: &Instruction) -> bool {
    let is = |register: Register| matches!(register, Register::XMM15 | Register::YMM15 | Register::ZMM15);
    (0..instruction.op_count()).any(|i| instruction.op_kind(i) == OpKind::Register && is(instruction.op_register(i)))
        || is(instruction.memory_index())
        || instruction.code() == Code::VEX_Vzeroall
}

/// Emits the block that begins at the request's pc.
pub(super) fn translate(
    asm: &mut Asm,
    encoder: &mut LazyEncoder,
    thunks: &Thunks,
    request: &Request,
    code: &dyn front::Code,
) -> Result<Translated, String> {
    let Survey { bytes, instructions, looped, unreadable } = survey(request, code);
    if let Some(addr) = unreadable {
        return Ok(Translated { unreadable: Some(addr), ..Translated::default() });
    }
    let mut block = Block {
        out: Out::new(asm, encoder),
        thunks,
        request,
        check: place_check(request, &instructions),
        instructions,
        exits: Vec::new(),
        pieces: Vec::new(),
        behind: request.pc,
        short: None,
        looped,
        stale: None,
        exchanged: false,
    };
    block.head();
    block.out.reload(JUMP_ENTRY.0, JUMP_ENTRY.1);
    let checked = block.out.asm.len() as u32;
    debug_assert_eq!(checked, HEAD + INDIRECT);
    if request.mode != EXACT && block.check.0 == 0 {
        block.look(0, request.pc);
    }
    // What a loop runs at once does not ascend.
    let unchecked = if block.looped { checked } else { block.out.asm.len() as u32 };
    block.charge(0);
    if request.mode == EXACT {
        block.look(0, request.pc);
    }
    if request.stability == Stability::Checked {
        block.compare(&bytes);
    }
    if block.instructions.iter().any(uses_budget_register) {
        block.exchange();
    }
    let (count, length) = block.body(&bytes)?;
    let main_end = block.out.asm.len() as u32;
    let mut translated = Translated { count, bytes: length, checked, unchecked, main_end, ..Translated::default() };
    block.stubs(&mut translated);
    translated.marks = block.out.take_marks();
    let pieces = std::mem::take(&mut block.pieces);
    fill_in(block.out.asm, &pieces, &mut translated);
    Ok(translated)
}

/// Fills in what each piece is charged.
fn fill_in(asm: &mut Asm, pieces: &[Piece], translated: &mut Translated) {
    for (i, piece) in pieces.iter().enumerate() {
        let end = pieces.get(i + 1).map_or(translated.count, |next| next.first);
        asm.patch_data(piece.at, charge_of(end - piece.first).disp);
        let inside = translated.marks.iter_mut().filter(|mark| mark.index >= piece.first);
        inside.for_each(|mark| mark.charged = end);
    }
}

/// What is taken off the budget for so many instructions.
fn charge_of(count: u32) -> Mem {
    field!(charges).plus(count.min(MOST as u32) as i32 * 16)
}

impl Block<'_> {
    /// In front of the first entry: where a look at the budget that may change no flag goes if it is overdrawn. Others need no head,
    /// but have as many bytes.
    fn head(&mut self) {
        if self.check.1 {
            return self.out.asm.bytes(&[0xcc; HEAD as usize]);
        }
        let label = self.out.asm.label();
        self.short = Some(Short { label, aside: true, first: 0, pc: self.request.pc });
        self.out.asm.jmp(label);
    }

    /// Leaves if the budget is overdrawn, before the instruction `first`, at `pc`.
    fn look(&mut self, first: u32, pc: u64) {
        let asm = &mut *self.out.asm;
        if self.check.1 {
            let label = asm.label();
            self.short = Some(Short { label, aside: false, first, pc });
            asm.vex2(VTESTPD, BUDGET, BUDGET);
            asm.jcc(Cc::Ne, label);
        } else {
            let (reg, slot) = JUMP_TARGET;
            asm.store(Size::B8, spill_slot(slot), reg);
            asm.vex_to_gpr(VMOVMSKPD, reg, BUDGET);
            // 0 if it is overdrawn: `jrcxz`, to the head, is slow where it jumps.
            asm.lea(Width::W64, reg, Mem::host(reg, -1));
            let behind = asm.len() + 2;
            asm.bytes(&[0xe3, (behind as u8).wrapping_neg()]);
            asm.mov(Width::W64, reg, spill_slot(slot));
        }
    }

    /// Takes the instructions from `first` to the next charge off the budget.
    fn charge(&mut self, first: u32) {
        self.out.asm.vex3(VPSUBQ, BUDGET, BUDGET, charge_of(0));
        let at = self.out.asm.len() as u32 - 4;
        self.pieces.push(Piece { first, at });
    }

    /// Leaves if the guest's code is not what the block was made from.
    fn compare(&mut self, bytes: &[u8]) {
        let length = self.instructions.iter().map(Instruction::len).sum::<usize>().min(bytes.len());
        let asm = &mut *self.out.asm;
        let stale = asm.label();
        self.stale = Some(stale);
        let [(value, _), (expected, _), (base, _)] = COMPARING;
        for (reg, slot) in COMPARING {
            asm.store(Size::B8, spill_slot(slot), reg);
        }
        asm.mov_imm(base, self.request.pc);
        self.out.begin(0, 0);
        self.out.note(COMPARING.into_iter().fold(Note::NONE, |note, (reg, slot)| note.aside(reg, slot)));
        let asm = &mut *self.out.asm;
        let mut at = 0;
        while at < length {
            let (size, step) = match length - at {
                8.. => (Size::B8, 8),
                4..8 => (Size::B4, 4),
                2..4 => (Size::B2, 2),
                _ => (Size::B1, 1),
            };
            let mut word = [0; 8];
            word[..step].copy_from_slice(&bytes[at..at + step]);
            asm.load_zx(size, value, Mem::guest(base, at as i32));
            asm.mov_imm(expected, u64::from_le_bytes(word).wrapping_neg());
            asm.lea(Width::W64, value, Mem::host(value, 0).indexed(expected, 0));
            asm.bytes(&[0xe3, 5]);
            asm.jmp(stale);
            at += step;
        }
        for (reg, slot) in COMPARING {
            asm.mov(Width::W64, reg, spill_slot(slot));
        }
    }

    /// Gives the guest its `ymm15`, and puts the budget aside.
    fn exchange(&mut self) {
        let guest = field!(ymm).plus(15 * 32);
        self.out.asm.vex2(VMOVQ_STORE, BUDGET, field!(kept_budget));
        self.out.asm.vex2(VMOVDQU_LOAD, BUDGET, guest);
        self.out.asm.store_imm(Width::W32, field!(exchanged), 1);
        self.exchanged = true;
    }

    /// The opposite.
    fn exchange_back(&mut self) {
        if std::mem::take(&mut self.exchanged) {
            let guest = field!(ymm).plus(15 * 32);
            self.out.asm.vex2(VMOVDQU_STORE, BUDGET, guest);
            self.out.asm.vex2(VMOVQ_LOAD, BUDGET, field!(kept_budget));
            self.out.asm.store_imm(Width::W32, field!(exchanged), 0);
        }
    }

    /// The instructions and the block's end. Gives how many are charged, and their bytes.
    fn body(&mut self, bytes: &[u8]) -> Result<(u32, u32), String> {
        let start = self.request.pc;
        let instructions = std::mem::take(&mut self.instructions);
        for (index, instruction) in instructions.iter().enumerate() {
            let at = instruction.ip().wrapping_sub(start) as usize;
            let end = at + instruction.len();
            self.behind = instruction.next_ip();
            if index > 0 && index as u32 == self.check.0 {
                self.look(index as u32, instruction.ip());
            }
            if ends::is_fork(instruction) && index + 1 < instructions.len() {
                self.out.begin(index as u32, at as u32);
                let condition = ends::condition(instruction, bytes.get(at..end).unwrap_or(&[]));
                match self.looped {
                    true => self.end_loop(condition, (instructions.len() - index - 1) as u32),
                    false => {
                        self.jump_if(condition, instruction.near_branch_target());
                        self.charge(index as u32 + 1);
                    }
                }
                continue;
            }
            if ends_block(instruction) && !instruction.is_invalid() {
                self.exchange_back();
                self.out.begin(index as u32, at as u32);
                let charged = ends::emit(self, instruction, bytes.get(at..end).unwrap_or(&[]))?;
                return Ok((index as u32 + u32::from(charged == ends::Charge::Counted), end as u32));
            }
            self.out.begin(index as u32, at as u32);
            match rewrite::rewrite(&mut self.out, instruction, bytes.get(at..end).unwrap_or(&[]))? {
                Rewritten::Next if instruction.code() == Code::VEX_Vzeroupper && !self.exchanged => {
                    // The low half of the register that the budget is in stays.
                    let upper = field!(ymm).plus(15 * 32 + 16);
                    self.out.asm.store_imm(Width::W64, upper, 0);
                    self.out.asm.store_imm(Width::W64, upper.plus(8), 0);
                }
                Rewritten::Next => {}
                Rewritten::Leave(reason) => {
                    self.exchange_back();
                    self.leave(reason, instruction.ip());
                    return Ok((index as u32, end as u32));
                }
            }
        }
        self.exchange_back();
        let count = instructions.len() as u32;
        let next = instructions.last().map_or(start, Instruction::next_ip);
        match self.request.extent {
            Extent::Cut(most) if most == count => self.leave(Reason::Budget, next),
            _ => self.jump(next),
        }
        Ok((count, next.wrapping_sub(start) as u32))
    }

    /// Leaves with a reason, the pc being `pc`.
    pub fn leave(&mut self, reason: Reason, pc: u64) {
        let asm = &mut *self.out.asm;
        store_pc(asm, pc);
        asm.jmp_to(self.thunks.exit(reason));
    }

    /// Goes on at a guest address.
    pub fn jump(&mut self, target: u64) {
        self.out.asm.bytes(&[0xe9]);
        self.distance(target);
    }

    /// Goes on at a guest address if a condition (the low bits of its `jcc`) holds.
    pub fn jump_if(&mut self, condition: u8, target: u64) {
        self.out.asm.bytes(&[0x0f, 0x80 | condition & 15]);
        self.distance(target);
    }

    /// Leaves a loop at its end if it does not go on by this condition; so many instructions have been charged too many.
    fn end_loop(&mut self, condition: u8, back: u32) {
        self.jump_if(condition ^ 1, self.behind);
        if let Some(exit) = self.exits.last_mut() {
            exit.back = back;
        }
    }

    fn distance(&mut self, target: u64) {
        self.exits.push(Exit { at: self.out.asm.len() as u32, target, behind: self.behind, back: 0 });
        self.out.asm.bytes(&[0; 4]);
    }

    /// What is off the way: leaving at links that go nowhere yet, and for want of budget.
    fn stubs(&mut self, translated: &mut Translated) {
        let request = self.request;
        // Where the code is compared the block is in one piece.
        let first_piece = self.pieces.get(1).map_or(translated.count, |piece| piece.first);
        let charge = charge_of(translated.count);
        let asm = &mut *self.out.asm;
        for exit in self.exits.drain(..) {
            let mut at = exit.at;
            if exit.back > 0 {
                asm.patch(at as usize, (asm.len() as u32).wrapping_sub(at + 4));
                asm.vex3(VPADDQ, BUDGET, BUDGET, charge_of(exit.back));
                asm.bytes(&[0xe9, 0, 0, 0, 0]);
                at = asm.len() as u32 - 4;
            }
            let stub = asm.len() as u32;
            asm.patch(at as usize, stub.wrapping_sub(at + 4));
            asm.store_imm(Width::W32, field!(exit_arg), 0);
            let number = asm.len() as u32 - 4;
            asm.jmp_to(self.thunks.exit(Reason::Link));
            let forward = exit.target >= exit.behind && exit.target / STRETCH == request.pc / STRETCH;
            let entry = if forward { Entry::Unchecked } else { Entry::Checked };
            translated.links.push(LinkSite { at, stub, number, target: exit.target, entry });
        }
        if let Some(Short { label, aside, first, pc }) = self.short.take() {
            asm.bind(label);
            if aside {
                asm.mov(Width::W64, JUMP_TARGET.0, spill_slot(JUMP_TARGET.1));
            }
            if request.mode == EXACT || first > 0 {
                asm.vex3(VPADDQ, BUDGET, BUDGET, charge_of(first_piece - first));
            }
            store_pc(asm, pc);
            asm.jmp_to(self.thunks.exit(Reason::Budget));
        }
        if let Some(label) = self.stale.take() {
            asm.bind(label);
            for (reg, slot) in COMPARING {
                asm.mov(Width::W64, reg, spill_slot(slot));
            }
            asm.vex3(VPADDQ, BUDGET, BUDGET, charge);
            asm.store_imm(Width::W32, field!(exit_arg), translated.bytes as i32);
            store_pc(asm, request.pc);
            asm.jmp_to(self.thunks.exit(Reason::Invalidate));
        }
    }
}

/// Stores a constant pc to the state.
pub(super) fn store_pc(asm: &mut Asm, pc: u64) {
    match i32::try_from(pc as i64) {
        Ok(short) => asm.store_imm(Width::W64, field!(pc), short),
        Err(_) => {
            asm.store_imm(Width::W32, field!(pc), pc as i32);
            asm.store_imm(Width::W32, field!(pc).plus(4), (pc >> 32) as i32);
        }
    }
}
