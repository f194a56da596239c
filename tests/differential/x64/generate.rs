//! Random sequences of x86_64 instructions with the registers and memory that they begin with.
//!
//! An instruction is made of random bytes behind its opcode and then decoded; its memory operands are judged by what is
//! known of the registers at that place, and its displacement is changed so that they lie where they may.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, InstructionInfoFactory, OpAccess, Register, UsedMemory};
use sevm::arch::x86_64::{RAX, RBP, RCX, RDI, RDX, RSI, RSP, Regs};
use sevm::mem::PAGE_SIZE;

use super::classes::{Class, Head, Seed};
use super::{Case, Insn, X64, undefined_after, unicorn};
use crate::isa::{self, Generate, Isa, Keep, Oracle};
use crate::random::{FILLINGS, READ_ONLY, Random, SCRATCH, SCRATCH_SIZE, integer, target, vector};

/// The longest sequence, without the system call that ends it.
const LONGEST: u64 = 16;
/// Bytes that it may have.
const MOST_BYTES: usize = X64::STRIDE as usize - 8;

/// Short sequences that single random instructions do not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idiom {
    /// A direct jump or call to a place ahead.
    Jump,
    /// One through a register or a return.
    IndirectJump,
    /// String instructions with registers that point somewhere.
    String,
    /// `wrfsbase` and the like, reading segment registers.
    Segment,
    /// Instructions that move the stack pointer.
    Stack,
    /// `popf` with flags that a program may set.
    Flags,
    /// FXSAVE, XSAVE, and back.
    Save,
    /// Rounding, precision and masks.
    Control,
    /// Gathers with indexes that stay in reach.
    Gather,
}

/// What an instruction still needs when all addresses are known.
#[derive(Clone, Copy, Debug)]
enum Fix {
    /// A 32-bit distance at its end to the start of an instruction.
    Distance32(usize),
    /// An 8-bit one.
    Distance8(usize),
    /// The 64-bit address at its end.
    Address(usize),
}

/// What is known about a sequence while it is made.
struct Draft {
    regs: Regs,
    items: Vec<(Insn, Option<Fix>)>,
    /// How many instructions are wanted.
    length: usize,
    /// General registers whose values are known, by number.
    known: [Option<u64>; 16],
    /// Those that hold addresses or indexes all the way.
    reserved: u32,
    /// Segment bases.
    bases: [Option<u64>; 2],
    /// Undefined flags, in iced's bits.
    undefined: u32,
}

impl Draft {
    fn bytes(&self) -> usize {
        self.items.iter().map(|(insn, _)| insn.len()).sum()
    }

    fn pc(&self) -> u64 {
        self.regs.rip + self.bytes() as u64
    }

    fn is_reserved(&self, register: usize) -> bool {
        self.reserved >> register & 1 == 1
    }

    fn push(&mut self, bytes: &[u8]) {
        self.items.push((Insn::new(bytes), None));
    }

    /// `mov register, value`
    fn set(&mut self, register: usize, value: u64) {
        let mut bytes = vec![0x48 | (register >> 3) as u8, 0xb8 | (register & 7) as u8];
        bytes.extend(value.to_le_bytes());
        self.push(&bytes);
        self.known[register] = Some(value);
    }

    /// A register that may be written and is not among `but`.
    fn free(&self, random: &mut Random, but: &[usize]) -> usize {
        loop {
            let r = random.below(16) as usize;
            if r != RSP && !self.is_reserved(r) && !but.contains(&r) {
                return r;
            }
        }
    }
}

/// Makes cases of one class, with some instructions of all others between.
pub struct Generator {
    own: Vec<(Code, Vec<Seed>)>,
    others: Vec<(Code, Vec<Seed>)>,
    idioms: &'static [Idiom],
    oracle: Oracle,
    random: Random,
    infos: InstructionInfoFactory,
}

impl Generator {
    pub fn new(class: &Class, all: &[Class], oracle: Oracle) -> Generator {
        let others = all.iter().flat_map(|c| &c.seeds).cloned().collect();
        let infos = InstructionInfoFactory::new();
        Generator { own: class.seeds.clone(), others, idioms: class.idioms, oracle, random: Random::new(0), infos }
    }

    fn registers(&mut self) -> Regs {
        let random = &mut self.random;
        let mut regs = Regs::default();
        regs.gpr.iter_mut().for_each(|r| *r = integer(random));
        regs.gpr[RSP] = SCRATCH + PAGE_SIZE + 8 * random.below(128);
        regs.rflags = 0x202 | random.next() & 0x8d5;
        regs.fs_base = SCRATCH + random.below(64);
        regs.gs_base = SCRATCH + PAGE_SIZE + random.below(64);
        let fpu = &mut regs.fpu;
        fpu.mxcsr = if self.oracle == Oracle::Unicorn { 0x1f80 } else { mxcsr(random) };
        fpu.fcw = control_word(random);
        if random.one_in(2) {
            fpu.ftw = random.next() as u8;
            fpu.fsw = (random.below(8) as u16) << 11 | random.next() as u16 & 0x4700;
            fpu.st.iter_mut().for_each(|st| *st = extended(random));
        }
        fpu.xmm.iter_mut().for_each(|v| *v = vector(random));
        // Halves that are all zero are what the processor calls unused.
        if !random.one_in(4) {
            fpu.ymm_hi.iter_mut().for_each(|v| *v = vector(random));
        }
        regs
    }

    /// Adds one random instruction.
    fn single(&mut self, draft: &mut Draft) {
        for _ in 0..24 {
            let list = if self.random.below(16) < 13 { &self.own } else { &self.others };
            let (code, seeds) = self.random.pick(list);
            let (code, seed) = (*code, *self.random.pick(seeds));
            let bytes = random_bytes(seed, &mut self.random);
            if self.accept(draft, code, bytes) {
                return;
            }
        }
        draft.push(&[0x90]);
    }

    /// Takes an instruction if it is the wanted one and does only what it may.
    fn accept(&mut self, draft: &mut Draft, code: Code, mut bytes: Vec<u8>) -> bool {
        for _ in 0..2 {
            let mut decoder = Decoder::with_ip(64, &bytes, draft.pc(), DecoderOptions::NONE);
            let instruction = decoder.decode();
            let offsets = decoder.get_constant_offsets(&instruction);
            if instruction.is_invalid() || instruction.code() != code {
                return false;
            }
            bytes.truncate(instruction.len());
            if self.oracle == Oracle::Unicorn
                && (instruction.rflags_read() & draft.undefined != 0
                    || unicorn::cannot_judge(&instruction, &Insn::new(&bytes)))
            {
                return false;
            }
            match self.judge(draft, &instruction) {
                Judged::Good => {
                    self.note(draft, &instruction);
                    draft.push(&bytes);
                    return true;
                }
                Judged::Move(by) => {
                    let (at, len) = (offsets.displacement_offset(), offsets.displacement_size());
                    if !offsets.has_displacement() || !shift(&mut bytes[at..at + len], by) {
                        return false;
                    }
                }
                Judged::Bad => return false,
            }
        }
        false
    }

    /// Whether an instruction may come now.
    fn judge(&mut self, draft: &Draft, instruction: &Instruction) -> Judged {
        let moves_stack = instruction.is_stack_instruction();
        let info = self.infos.info(instruction);
        for used in info.used_registers() {
            let reads_only = matches!(used.access(), OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess);
            let Some(number) = general(used.register()) else { continue };
            let own_push = moves_stack && number == RSP;
            if !reads_only && !own_push && (number == RSP || draft.is_reserved(number)) {
                return Judged::Bad;
            }
        }
        // `pop rsp` and the like.
        if moves_stack && instruction.op0_register().full_register() == Register::RSP {
            return Judged::Bad;
        }
        let mut by = None;
        for memory in info.used_memory() {
            if matches!(memory.access(), OpAccess::NoMemAccess) && memory.base() == Register::None {
                continue;
            }
            let Some(at) = address(draft, memory) else {
                // What is only computed may be anything.
                if memory.access() == OpAccess::NoMemAccess {
                    continue;
                }
                return Judged::Bad;
            };
            if memory.access() == OpAccess::NoMemAccess {
                continue;
            }
            let size = (memory.memory_size().size() as u64).clamp(1, 64);
            if is_within(at, size) {
                continue;
            }
            let aligned = size >= 16 && !self.random.one_in(16);
            let wanted = target(&mut self.random, size.next_power_of_two(), aligned);
            if by.replace(wanted.wrapping_sub(at)).is_some() {
                return Judged::Bad;
            }
        }
        by.map_or(Judged::Good, Judged::Move)
    }

    /// Keeps track of what an instruction that is taken changes.
    fn note(&mut self, draft: &mut Draft, instruction: &Instruction) {
        let info = self.infos.info(instruction);
        for used in info.used_registers() {
            if !matches!(used.access(), OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess)
                && let Some(number) = general(used.register())
                && number != RSP
            {
                draft.known[number] = None;
            }
        }
        let moved = instruction.stack_pointer_increment();
        draft.known[RSP] = draft.known[RSP].map(|sp| sp.wrapping_add(moved as i64 as u64));
        draft.undefined = undefined_after(draft.undefined, instruction);
    }

    fn idiom(&mut self, draft: &mut Draft, idiom: Idiom) {
        match idiom {
            Idiom::Jump => self.jump(draft),
            Idiom::IndirectJump => self.indirect_jump(draft),
            Idiom::String => self.string(draft),
            Idiom::Segment => self.segment(draft),
            Idiom::Stack => self.stack(draft),
            Idiom::Flags => {
                let flags = self.random.next() as u32 & 0x8d5;
                draft.push(&[&[0x68][..], &flags.to_le_bytes()].concat());
                draft.push(&[0x9d]);
                draft.undefined = 0;
            }
            Idiom::Save => self.save(draft),
            Idiom::Control => {
                // In the red zone, where nothing else is expected: mov dword [rsp-64], value; ldmxcsr or fldcw.
                let is_mxcsr = self.random.one_in(2);
                let value = if is_mxcsr { mxcsr(&mut self.random) } else { control_word(&mut self.random).into() };
                draft.push(&[&[0xc7, 0x44, 0x24, 0xc0][..], &value.to_le_bytes()].concat());
                draft.push(if is_mxcsr { &[0x0f, 0xae, 0x54, 0x24, 0xc0] } else { &[0xd9, 0x6c, 0x24, 0xc0] });
            }
            Idiom::Gather => self.gather(draft),
        }
    }

    /// An instruction ahead of the next one, or the end.
    fn ahead(&mut self, draft: &Draft, least: usize) -> usize {
        let from = draft.items.len() + least;
        from + self.random.below((draft.length.max(from) - from) as u64 + 1) as usize
    }

    fn jump(&mut self, draft: &mut Draft) {
        let to = self.ahead(draft, 1);
        let near = to - draft.items.len() <= 4;
        let condition = self.random.below(16) as u8;
        let reads = |bytes: &[u8]| {
            let mut padded = bytes.to_vec();
            padded.resize(8, 0);
            Insn::new(&padded).decode(0).rflags_read()
        };
        let (bytes, fix): (Vec<u8>, Fix) = match self.random.below(8) {
            0 => (vec![0xe9, 0, 0, 0, 0], Fix::Distance32(to)),
            1 if draft.known[RSP].is_some_and(|sp| is_within(sp.wrapping_sub(8), 8)) => {
                draft.known[RSP] = draft.known[RSP].map(|sp| sp.wrapping_sub(8));
                (vec![0xe8, 0, 0, 0, 0], Fix::Distance32(to))
            }
            2 if near && !draft.is_reserved(RCX) => {
                draft.known[RCX] = None;
                // loopne, loope, loop, jrcxz
                (vec![0xe0 + self.random.below(4) as u8, 0], Fix::Distance8(to))
            }
            3 if near => (vec![0x67, 0xe3, 0], Fix::Distance8(to)),
            4 | 5 if near => (vec![0x70 | condition, 0], Fix::Distance8(to)),
            _ => (vec![0x0f, 0x80 | condition, 0, 0, 0, 0], Fix::Distance32(to)),
        };
        if self.oracle == Oracle::Unicorn && reads(&bytes) & draft.undefined != 0 {
            return;
        }
        draft.items.push((Insn::new(&bytes), Some(fix)));
    }

    /// mov register, place; then jump there by the register, the stack or memory.
    fn indirect_jump(&mut self, draft: &mut Draft) {
        if !draft.known[RSP].is_some_and(|sp| is_within(sp.wrapping_sub(16), 16)) {
            return;
        }
        let register = draft.free(&mut self.random, &[]);
        let kind = self.random.below(6);
        let to = self.ahead(draft, if kind < 2 { 2 } else { 3 });
        let (high, low) = ((register >> 3) as u8, (register & 7) as u8);
        let load = [&[0x48 | high, 0xb8 | low][..], &[0; 8]].concat();
        draft.items.push((Insn::new(&load), Some(Fix::Address(to))));
        draft.known[register] = None;
        let by_register = |operation: u8| vec![0x40 | high, 0xff, operation | low];
        let push = [0x40 | high, 0x50 | low];
        match kind {
            0 => draft.push(&by_register(0xe0)),
            1 => {
                draft.push(&by_register(0xd0));
                draft.known[RSP] = draft.known[RSP].map(|sp| sp.wrapping_sub(8));
            }
            2 | 3 => {
                draft.push(&push);
                // ret; the first form drops more.
                if kind == 2 {
                    draft.push(&[0xc2, 8, 0]);
                    draft.known[RSP] = draft.known[RSP].map(|sp| sp.wrapping_add(8));
                } else {
                    draft.push(&[0xc3]);
                }
            }
            _ => {
                // jmp or call [rsp]
                draft.push(&push);
                let call = kind == 4;
                draft.push(&[0xff, if call { 0x14 } else { 0x24 }, 0x24]);
                let moved = if call { 16 } else { 8 };
                draft.known[RSP] = draft.known[RSP].map(|sp| sp.wrapping_sub(moved));
            }
        }
    }

    fn string(&mut self, draft: &mut Draft) {
        if [RAX, RCX, RSI, RDI].iter().any(|r| draft.is_reserved(*r)) {
            return;
        }
        let random = &mut self.random;
        let width = random.below(4) as u32;
        let backward = random.one_in(4);
        let place = |random: &mut Random| match random.below(12) {
            0 => READ_ONLY + random.below(PAGE_SIZE),
            1 => SCRATCH + random.below(16),
            2 => READ_ONLY + PAGE_SIZE - random.below(64),
            _ => SCRATCH + 1024 + random.below(SCRATCH_SIZE - 2048),
        };
        let (from, to) = (place(random), place(random));
        // Some are near one another, and overlap.
        let to = if random.one_in(4) { from.wrapping_add(random.below(16)).wrapping_sub(8) } else { to };
        draft.set(RSI, from);
        draft.set(RDI, to);
        let repeat = *random.pick(&[0u8, 0xf2, 0xf3, 0xf3]);
        let count = *random.pick(&[0, 1, 2, 7, 16, 33, 64, 120]) + random.below(3);
        draft.set(RCX, if random.one_in(16) { count << 32 } else { count });
        if backward {
            draft.push(&[0xfd]);
        }
        let mut bytes = Vec::new();
        if random.one_in(12) {
            bytes.push(0x67);
        }
        if random.one_in(12) {
            // A segment counts for the source only, whose register then is an offset from it.
            bytes.push(0x3e);
        }
        if repeat != 0 {
            bytes.push(repeat);
        }
        match width {
            1 => bytes.push(0x66),
            3 => bytes.push(0x48),
            _ => {}
        }
        // movs, cmps, stos, lods, scas
        bytes.push(*random.pick(&[0xa4, 0xa6, 0xaa, 0xac, 0xae]) | u8::from(width > 0));
        draft.push(&bytes);
        if backward {
            draft.push(&[0xfc]);
        }
        for r in [RAX, RCX, RSI, RDI] {
            draft.known[r] = None;
        }
        draft.undefined = 0;
    }

    fn segment(&mut self, draft: &mut Draft) {
        let random = &mut self.random;
        let register = draft.free(random, &[]);
        let (high, low) = ((register >> 3) as u8, (register & 7) as u8);
        let which = random.below(2);
        let operation = match random.below(3) {
            0 => {
                let base = SCRATCH + random.below(SCRATCH_SIZE);
                draft.set(register, base);
                draft.bases[which as usize] = Some(base);
                0xd0
            }
            1 => {
                // mov register, segment
                let segment = random.below(6) as u8;
                draft.push(&[0x48 | high, 0x8c, 0xc0 | segment << 3 | low]);
                draft.known[register] = None;
                return;
            }
            _ => 0xc0,
        };
        draft.push(&[0xf3, 0x48 | high, 0x0f, 0xae, operation | (which as u8) << 3 | low]);
        if operation == 0xc0 {
            draft.known[register] = None;
        }
    }

    fn stack(&mut self, draft: &mut Draft) {
        let random = &mut self.random;
        let Some(sp) = draft.known[RSP] else { return };
        if !(SCRATCH + 512..SCRATCH + SCRATCH_SIZE - 512).contains(&sp) {
            return;
        }
        let register = draft.free(random, &[RBP]);
        let (high, low) = ((register >> 3) as u8, (register & 7) as u8);
        let step = (random.below(8) * 8) as u8;
        match random.below(8) {
            0 => {
                // lea rsp, [rsp+step]; what it is then is known.
                draft.push(&[0x48, 0x8d, 0x64, 0x24, step]);
                draft.known[RSP] = Some(sp + u64::from(step));
            }
            1 => {
                draft.push(&[0x48, 0x83, 0xec, step]);
                draft.known[RSP] = Some(sp - u64::from(step));
                draft.undefined = 0;
            }
            2 => {
                draft.set(register, sp + u64::from(step));
                // mov rsp, register, or xchg
                draft.push(&[0x48 | high, *random.pick(&[0x8b, 0x87]), 0xe0 | low]);
                draft.known[RSP] = Some(sp + u64::from(step));
                draft.known[register] = None;
            }
            3 => {
                // push rsp; pop rsp
                draft.push(&[0x54]);
                draft.push(&[0x5c]);
            }
            4 if !draft.is_reserved(RBP) => {
                // enter step, nesting
                draft.push(&[0xc8, step, 0, *random.pick(&[0, 0, 0, 1])]);
                draft.push(&[0xc9]);
                draft.known[RBP] = None;
            }
            5 => {
                // push [rsp+8]; pop [rsp+step]: addresses are made before the push and after the pop.
                draft.push(&[0xff, 0x74, 0x24, 8]);
                draft.push(&[0x8f, 0x44, 0x24, step]);
            }
            6 => {
                draft.push(&[0x66, 0x50 | low]);
                draft.push(&[0x66, 0x8f, 0x04, 0x24]);
                draft.push(&[0x48, 0x8d, 0x64, 0x24, 0]);
            }
            _ => {
                // pushf; pop
                if draft.undefined == 0 || self.oracle != Oracle::Unicorn {
                    draft.push(&[0x9c]);
                    draft.push(&[0x40 | high, 0x58 | low]);
                    draft.known[register] = None;
                }
            }
        }
    }

    /// Saves to an aligned place, changes something, and restores.
    fn save(&mut self, draft: &mut Draft) {
        if [RAX, RDX].iter().any(|r| draft.is_reserved(*r)) {
            return;
        }
        let register = draft.free(&mut self.random, &[RAX, RDX]);
        let at = SCRATCH + PAGE_SIZE * 2 + 64 * self.random.below(16);
        let (high, low) = ((register >> 3) as u8, (register & 7) as u8);
        draft.set(register, at);
        let wide = 0x48 | high;
        let modrm = |reg: u8| if low == 4 || low == 5 { None } else { Some(reg << 3 | low) };
        // fxsave and fxrstor, or xsave and xrstor with a mask.
        let (save, restore) = if self.random.one_in(2) { (0, 1) } else { (4, 5) };
        let (Some(save), Some(restore)) = (modrm(save), modrm(restore)) else { return };
        if restore >> 3 == 5 {
            draft.set(RAX, self.random.below(8));
            draft.set(RDX, 0);
            // xsave writes what it saves only; the header must be one.
            for offset in [0u32, 8, 16, 24, 32, 40, 48, 56] {
                let offset = 512 + offset;
                draft.push(&[&[wide, 0xc7, 0x80 | low][..], &offset.to_le_bytes(), &[0; 4]].concat());
            }
        }
        draft.push(&[wide, 0x0f, 0xae, save]);
        if draft.bytes() + 60 < MOST_BYTES && self.random.one_in(2) {
            let kept = draft.reserved;
            draft.reserved |= 1 << register | 1 << RAX | 1 << RDX;
            self.single(draft);
            draft.reserved = kept;
        }
        draft.push(&[wide, 0x0f, 0xae, restore]);
    }

    /// `vpgather` and `vgather` with small indexes from one general register, under a mask of what a register holds.
    fn gather(&mut self, draft: &mut Draft) {
        let random = &mut self.random;
        let (index, base) = (draft.free(random, &[]), draft.free(random, &[]));
        if index == base || base & 7 == 4 || base & 7 == 5 {
            return;
        }
        let [x, mask, d] = [random.below(16) as u8, random.below(16) as u8, random.below(16) as u8];
        if x == mask || x == d || mask == d {
            return;
        }
        let opcode = 0x90 + random.below(4) as u8;
        // Indexes of 64 bits have nothing above.
        let indexes = if opcode & 1 == 1 { 0x3f } else { 0x0000_003f_0000_003f };
        draft.set(index, random.next() & indexes);
        draft.set(base, SCRATCH + 1024 + random.below(4096));
        let inverted = |bit: u8, place: u8| if bit >> 3 == 0 { 1 << place } else { 0 };
        // vmovq xmm, index; vpbroadcastq ymm, xmm
        let from = inverted(x, 7) | 0x40 | inverted(index as u8, 5) | 1;
        draft.push(&[0xc4, from, 0xf9, 0x6e, 0xc0 | (x & 7) << 3 | (index & 7) as u8]);
        let both = inverted(x, 7) | 0x40 | inverted(x, 5) | 2;
        draft.push(&[0xc4, both, 0x7d, 0x59, 0xc0 | (x & 7) << 3 | x & 7]);
        let (wide, long) = (random.below(2) as u8, random.below(2) as u8);
        let head = inverted(d, 7) | inverted(x, 6) | inverted(base as u8, 5) | 2;
        let third = wide << 7 | (!mask & 15) << 3 | long << 2 | 1;
        let sib = (random.below(3) as u8) << 6 | (x & 7) << 3 | (base & 7) as u8;
        draft.push(&[0xc4, head, third, opcode, (d & 7) << 3 | 4, sib]);
    }
}

impl Generate<X64> for Generator {
    fn reseed(&mut self, seed: u64) {
        self.random = Random::new(seed);
    }

    fn learn_undefined(&mut self, _: Insn) {}

    fn vary(&mut self, case: &Case, keep: Keep) -> Case {
        let mut regs = self.registers();
        for i in (0..16).filter(|i| keep >> i & 1 == 1) {
            regs.gpr[i] = case.regs.gpr[i];
        }
        (regs.gpr[RSP], regs.rip) = (case.regs.gpr[RSP], case.regs.rip);
        (regs.fs_base, regs.gs_base) = (case.regs.fs_base, case.regs.gs_base);
        let filling = self.random.below(FILLINGS as u64) as usize;
        Case { words: case.words.clone(), regs, filling, slice: isa::slice(&mut self.random) }
    }

    fn case(&mut self, pc: u64) -> (Case, Keep) {
        let mut regs = self.registers();
        regs.rip = pc;
        let length = 1 + self.random.below(LONGEST) as usize;
        let mut known = [None; 16];
        let mut reserved = 0;
        for turn in 0..5 {
            let r = self.random.below(16) as usize;
            // Most of the implicit operands are these.
            if r == RSP || [RAX, RCX, RDX].contains(&r) && !self.random.one_in(4) {
                continue;
            }
            reserved |= 1 << r;
            regs.gpr[r] = match turn {
                0 | 1 => SCRATCH + 1024 + self.random.below(SCRATCH_SIZE - 2048),
                2 => (SCRATCH + 1024 + self.random.below(SCRATCH_SIZE - 2048)) & !31,
                3 => self.random.below(128),
                _ => self.random.below(128).wrapping_sub(256),
            };
            known[r] = Some(regs.gpr[r]);
        }
        known[RSP] = Some(regs.gpr[RSP]);
        let bases = [Some(regs.fs_base), Some(regs.gs_base)];
        let mut draft = Draft { regs, items: Vec::new(), length, known, reserved, bases, undefined: 0 };
        while draft.items.len() < length && draft.bytes() + 15 < MOST_BYTES {
            let has_room = draft.bytes() + 180 < MOST_BYTES;
            if has_room && !self.idioms.is_empty() && self.random.one_in(6) {
                let idiom = *self.random.pick(self.idioms);
                self.idiom(&mut draft, idiom);
            } else {
                self.single(&mut draft);
            }
        }
        let words = resolve(&draft);
        let filling = self.random.below(FILLINGS as u64) as usize;
        let slice = isa::slice(&mut self.random);
        (Case { words, regs: draft.regs, filling, slice }, draft.reserved)
    }
}

/// What is to be done about an instruction.
enum Judged {
    Good,
    /// Its displacement must change by so much.
    Move(u64),
    Bad,
}

/// Puts in what was left open.
fn resolve(draft: &Draft) -> Vec<Insn> {
    let mut starts = vec![draft.regs.rip];
    for (insn, _) in &draft.items {
        starts.push(starts[starts.len() - 1] + insn.len() as u64);
    }
    let place = |index: usize| starts[index.min(starts.len() - 1)];
    let fixed = |(i, (insn, fix)): (usize, &(Insn, Option<Fix>))| {
        let mut bytes = insn.bytes().to_vec();
        let len = bytes.len();
        let away = |to: usize| place(to).wrapping_sub(starts[i + 1]);
        match *fix {
            None => {}
            Some(Fix::Distance32(to)) => bytes[len - 4..].copy_from_slice(&(away(to) as u32).to_le_bytes()),
            Some(Fix::Distance8(to)) if away(to) < 128 => bytes[len - 1] = away(to) as u8,
            Some(Fix::Distance8(_)) => {}
            Some(Fix::Address(to)) => bytes[len - 8..].copy_from_slice(&place(to).to_le_bytes()),
        }
        Insn::new(&bytes)
    };
    draft.items.iter().enumerate().map(fixed).collect()
}

/// The number of a general register, whatever part of it is named.
fn general(register: Register) -> Option<usize> {
    register.is_gpr().then(|| register.full_register().number())
}

/// Where an instruction accesses memory, if that is known.
fn address(draft: &Draft, memory: &UsedMemory) -> Option<u64> {
    let value = |register: Register| match register {
        Register::None => Some(0),
        // The displacement is the address.
        Register::RIP | Register::EIP => Some(0),
        _ => {
            let number = general(register)?;
            let value = draft.known[number]?;
            Some(if register.is_gpr32() { value & 0xffff_ffff } else { value })
        }
    };
    let (base, index) = (value(memory.base())?, value(memory.index())?);
    let mut at = base.wrapping_add(index.wrapping_mul(memory.scale().into())).wrapping_add(memory.displacement());
    if memory.address_size() == iced_x86::CodeSize::Code32 {
        at &= 0xffff_ffff;
    }
    match memory.segment() {
        Register::FS => draft.bases[0].map(|b| at.wrapping_add(b)),
        Register::GS => draft.bases[1].map(|b| at.wrapping_add(b)),
        _ => Some(at),
    }
}

/// Whether an access at `at` is one that a case may make: in the scratch area and the page behind it, or over their ends.
fn is_within(at: u64, size: u64) -> bool {
    (SCRATCH - size..READ_ONLY + PAGE_SIZE + 64).contains(&at)
}

/// Changes a displacement by `by`, if that fits.
fn shift(bytes: &mut [u8], by: u64) -> bool {
    match bytes.len() {
        1 => {
            let sum = i64::from(bytes[0] as i8).wrapping_add(by as i64);
            i8::try_from(sum).map(|sum| bytes[0] = sum as u8).is_ok()
        }
        4 => {
            let old = i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let sum = i64::from(old).wrapping_add(by as i64);
            i32::try_from(sum).map(|sum| bytes.copy_from_slice(&sum.to_le_bytes())).is_ok()
        }
        8 => {
            let old = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            bytes.copy_from_slice(&old.wrapping_add(by).to_le_bytes());
            true
        }
        _ => false,
    }
}

/// Random bytes that begin as the seed says; what follows the ModRM byte may be too long.
fn random_bytes(seed: Seed, random: &mut Random) -> Vec<u8> {
    let memory = seed.modrm < 0xc0;
    // The same kind of operand, in other registers.
    let reg = if random.one_in(8) { seed.modrm & 0x38 } else { random.next() as u8 & 0x38 };
    let reg = if random.one_in(2) { seed.modrm & 0x38 } else { reg };
    let rm = if random.one_in(8) && !memory { seed.modrm & 7 } else { random.below(8) as u8 };
    let rm = if random.one_in(4) && !memory { seed.modrm & 7 } else { rm };
    let mode = if memory { *random.pick(&[0, 0x40, 0x80, 0x80]) } else { 0xc0 };
    let mut bytes = Vec::new();
    if memory {
        if random.one_in(16) {
            bytes.push(*random.pick(&[0x64, 0x65, 0x64, 0x65, 0x2e, 0x3e]));
        }
        if random.one_in(24) {
            bytes.push(0x67);
        }
    }
    let extension = random.next() as u8 & if random.one_in(2) { 7 } else { 0 };
    match seed.head {
        Head::Legacy { prefix, wide, map, opcode } => {
            if memory && random.one_in(12) {
                bytes.push(0xf0);
            }
            if prefix != 0 {
                bytes.push(prefix);
            }
            if wide || extension != 0 || random.one_in(4) {
                bytes.push(0x40 | u8::from(wide) << 3 | extension);
            }
            bytes.extend([&[][..], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]][usize::from(map)]);
            bytes.push(opcode);
        }
        Head::Vex { map, opcode, rest } => {
            let others = if random.one_in(4) { 0x78 } else { random.next() as u8 & 0x78 };
            if map == 1 && rest & 0x80 == 0 && random.one_in(2) {
                bytes.extend([0xc5, (random.next() as u8 & 0x80) | others | rest & 7, opcode]);
            } else {
                bytes.extend([0xc4, extension << 5 ^ 0xe0 | map, rest | others, opcode]);
            }
        }
    }
    let sib_scale = random.next() as u8;
    bytes.extend([mode | reg | rm, sib_scale]);
    while bytes.len() < 24 {
        bytes.push(if random.one_in(8) { *random.pick(&[0, 1, 0xff, 0x7f, 0x80]) } else { random.next() as u8 });
    }
    bytes
}

/// Rounding, flush-to-zero, denormals-are-zero; exceptions are masked most often.
fn mxcsr(random: &mut Random) -> u32 {
    match random.below(8) {
        0..=3 => 0x1f80,
        4 | 5 => 0x1f80 | (random.below(4) as u32) << 13,
        6 => 0x1f80 | random.next() as u32 & 0xe07f,
        _ => random.next() as u32 & 0xffc0,
    }
}

/// Rounding and precision; exceptions are masked most often.
fn control_word(random: &mut Random) -> u16 {
    match random.below(8) {
        0..=3 => 0x37f,
        4..=6 => 0x7f | random.next() as u16 & 0xf00,
        _ => 0x40 | random.next() as u16 & 0xf3f,
    }
}

/// An 80-bit value: numbers, denormals, infinities, NaNs, and what is none of these.
fn extended(random: &mut Random) -> u128 {
    let significand = match random.below(4) {
        0 => 1 << 63,
        1 => 1 << 63 | random.next() >> random.below(64),
        2 => integer(random),
        _ => random.next(),
    };
    let exponent = match random.below(6) {
        0 => 0,
        1 => 0x7fff,
        2 => 0x3fff + random.below(64),
        3 => 0x3c01 + random.below(0x7ff),
        4 => 0x3fff - random.below(64),
        _ => random.below(0x8000),
    };
    u128::from(random.below(2) << 15 | exponent) << 64 | u128::from(significand)
}
